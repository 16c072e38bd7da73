"""Notes, checkpoints and cosignatures that others made are read, verified and written as they were."""

import base64
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.checkpoint import Checkpoint, CheckpointError, QuorumError, verify_checkpoint, verify_cosigned
from audit.note import COSIGNATURE, Note, NoteError, NoteKey, cosignature_message, sign_note, verify_note

FOLDER = Path(__file__).parent
VECTORS: dict[str, Any] = json.loads((FOLDER / "c2sp.json").read_text("utf-8"))
EXAMPLE, REAL = VECTORS["cosignature_example"], VECTORS["cosigned_checkpoint"]
LOG = NoteKey.parse(REAL["log"])
WITNESSES = [NoteKey.parse(vkey) for vkey in REAL["witnesses"]]
REAL_TIME = 1_779_573_024


def written(text: str, lines: list[str]) -> bytes:
    return (text + "\n" + "".join(f"{line}\n" for line in lines)).encode()


def real_note() -> Note:
    return Note.parse(written(REAL["checkpoint"], REAL["lines"]))


@pytest.mark.parametrize("case", VECTORS["signed_notes"], ids=lambda case: case["from"])
def test_a_published_note_verifies_under_its_published_key(case: dict[str, str]) -> None:
    data = written(case["text"], [case["line"]])
    note, key = Note.parse(data), NoteKey.parse(case["vkey"])
    assert (str(key), note.text, note.format()) == (case["vkey"], case["text"], data)
    assert [one.key for one in verify_note(note, [key])] == [key]
    with pytest.raises(NoteError):
        verify_note(replace(note, text=note.text.replace("is", "was")), [key])


def test_the_published_private_key_makes_the_published_signature() -> None:
    case = VECTORS["signed_notes"][1]
    secret = base64.b64decode(case["skey"].split("+", 4)[4])
    key = Ed25519PrivateKey.from_private_bytes(secret[1:])
    line = sign_note(key.sign, key=NoteKey.parse(case["vkey"]), text=case["text"])
    assert str(line) == case["line"]


@pytest.mark.parametrize("case", VECTORS["refused_keys"], ids=lambda case: case["from"])
def test_a_key_that_others_refuse_is_refused(case: dict[str, str]) -> None:
    with pytest.raises(NoteError):
        NoteKey.parse(case["vkey"])


def test_the_specifications_checkpoint_is_read_and_its_cosigned_message_made() -> None:
    data = written(EXAMPLE["checkpoint"], EXAMPLE["lines"])
    note = Note.parse(data)
    checkpoint = Checkpoint.parse(note.text)
    assert (checkpoint.origin, checkpoint.size, len(checkpoint.root)) == ("example.com/behind-the-sofa", 20852163, 32)
    assert (checkpoint.text, note.format()) == (EXAMPLE["checkpoint"], data)
    time = int.from_bytes(note.signatures[1].signature[:8])
    assert cosignature_message(note.text, time).decode() == EXAMPLE["message"]


def test_a_real_checkpoint_verifies_with_all_its_witnesses() -> None:
    note = real_note()
    assert verify_checkpoint(note, log=LOG).size == 1_432_088_532
    cosigned = verify_cosigned(note, log=LOG, witnesses=WITNESSES, quorum=4)
    assert cosigned.checkpoint.text == REAL["checkpoint"]
    assert cosigned.witnessed == {witness.name: REAL_TIME for witness in WITNESSES}


def test_a_real_checkpoint_that_a_witness_did_not_cosign_lacks_its_quorum() -> None:
    absent = NoteKey.parse(REAL["absent_witness"])
    assert len(verify_cosigned(real_note(), log=LOG, witnesses=[*WITNESSES, absent], quorum=4).witnessed) == 4
    with pytest.raises(QuorumError):
        verify_cosigned(real_note(), log=LOG, witnesses=[*WITNESSES, absent], quorum=5)


def test_a_real_checkpoint_of_another_size_is_refused() -> None:
    note = real_note()
    with pytest.raises(CheckpointError):
        verify_checkpoint(replace(note, text=note.text.replace("1432088532", "1432088533")), log=LOG)


def test_the_real_logs_own_key_is_not_taken_for_a_witness() -> None:
    as_witness = NoteKey(LOG.name, COSIGNATURE, LOG.public_key)
    with pytest.raises(QuorumError):
        verify_cosigned(real_note(), log=LOG, witnesses=[as_witness], quorum=1)


def test_the_files_of_vectors_are_the_ones_described() -> None:
    source = (FOLDER / "SOURCE.md").read_text("utf-8")
    for name in ("c2sp.json", "merkle_transparency_dev.json", "merkle/inclusion.json", "merkle/consistency.json"):
        assert f"{hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()}  {name}" in source
