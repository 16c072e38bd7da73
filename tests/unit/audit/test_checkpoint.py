"""A checkpoint is believed when its own log signed it and enough different witnesses cosigned it."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audit.checkpoint import (
    MAX_SIZE,
    Checkpoint,
    CheckpointError,
    QuorumError,
    cosign_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
    verify_cosigned,
)
from audit.merkle import EMPTY_ROOT, leaf_hash
from audit.note import COSIGNATURE, ED25519, Note, NoteError, NoteKey, NoteSignature, sign_note

ORIGIN = "log.example/registry"
TIME = 1_795_000_000
ROOT = leaf_hash(b"event")
ONE = Checkpoint(origin=ORIGIN, size=1, root=ROOT)


def secret(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


def key(name: str, kind: int, number: int) -> NoteKey:
    return NoteKey(name, kind, secret(number).public_key().public_bytes_raw())


LOG = key(ORIGIN, ED25519, 1)
WITNESSES = [key(f"witness.example/w{number}", COSIGNATURE, 10 + number) for number in range(3)]


def cosignature(number: int, checkpoint: Checkpoint = ONE, time: int = TIME) -> NoteSignature:
    return cosign_checkpoint(secret(10 + number).sign, witness=WITNESSES[number], checkpoint=checkpoint, time=time)


def cosigned(*numbers: int, checkpoint: Checkpoint = ONE) -> Note:
    note = sign_checkpoint(secret(1).sign, log=LOG, checkpoint=checkpoint)
    return with_lines(note, *(cosignature(number, checkpoint) for number in numbers))


def with_lines(note: Note, *lines: NoteSignature) -> Note:
    return Note.parse(replace(note, signatures=(*note.signatures, *lines)).format())


# --- believing ---------------------------------------------------------------------------------------------------


def test_a_checkpoint_that_its_log_signed_is_read() -> None:
    assert verify_checkpoint(cosigned(), log=LOG) == ONE


@pytest.mark.parametrize("numbers", [(0, 1), (2, 0), (0, 1, 2)])
def test_a_quorum_of_witnesses_is_enough(numbers: tuple[int, ...]) -> None:
    believed = verify_cosigned(cosigned(*numbers), log=LOG, witnesses=WITNESSES, quorum=2)
    assert believed.checkpoint == ONE
    assert believed.witnessed == {WITNESSES[number].name: TIME for number in numbers}


@pytest.mark.parametrize("numbers", [(), (1,), (1, 1, 1)])
def test_less_than_a_quorum_is_not_enough_however_often_one_cosigns(numbers: tuple[int, ...]) -> None:
    with pytest.raises(QuorumError):
        verify_cosigned(cosigned(*numbers), log=LOG, witnesses=WITNESSES, quorum=2)


def test_a_witness_that_cosigned_twice_counts_with_its_last_time() -> None:
    for times in ((TIME, TIME + 9), (TIME + 9, TIME)):
        note = with_lines(cosigned(), *(cosignature(0, time=time) for time in times))
        believed = verify_cosigned(note, log=LOG, witnesses=WITNESSES, quorum=1)
        assert believed.witnessed == {WITNESSES[0].name: TIME + 9}


def test_strangers_do_not_count() -> None:
    stranger = key("stranger.example", COSIGNATURE, 99)
    line = cosign_checkpoint(secret(99).sign, witness=stranger, checkpoint=ONE, time=TIME)
    note = with_lines(cosigned(0), line)
    assert len(verify_cosigned(note, log=LOG, witnesses=WITNESSES, quorum=1).witnessed) == 1
    with pytest.raises(QuorumError):
        verify_cosigned(note, log=LOG, witnesses=WITNESSES, quorum=2)


def test_a_cosignature_on_another_checkpoint_spoils_the_note() -> None:
    other = Checkpoint(origin=ORIGIN, size=1, root=leaf_hash(b"another"))
    with pytest.raises(CheckpointError, match="false cosignature"):
        verify_cosigned(with_lines(cosigned(0, 1), cosignature(2, other)), log=LOG, witnesses=WITNESSES, quorum=2)


def test_witnesses_without_the_log_are_not_enough() -> None:
    note = Note(ONE.text, tuple(cosignature(number) for number in range(3)))
    with pytest.raises(CheckpointError, match="did not sign"):
        verify_cosigned(note, log=LOG, witnesses=WITNESSES, quorum=2)


def test_a_checkpoint_signed_with_another_key_is_refused() -> None:
    other = key(ORIGIN, ED25519, 2)
    note = sign_checkpoint(secret(2).sign, log=other, checkpoint=ONE)
    assert verify_checkpoint(note, log=other) == ONE
    with pytest.raises(CheckpointError, match="did not sign"):
        verify_checkpoint(note, log=LOG)
    forged = replace(note, signatures=(replace(note.signatures[0], key_id=LOG.key_id),))
    with pytest.raises(CheckpointError, match="did not sign"):
        verify_checkpoint(forged, log=LOG)


def test_a_checkpoint_of_another_log_is_refused_though_the_key_signed_it() -> None:
    other = replace(ONE, origin="log.example/other")
    note = Note(other.text, (sign_note(secret(1).sign, key=LOG, text=other.text),))
    with pytest.raises(CheckpointError, match="another log"):
        verify_checkpoint(note, log=LOG)
    with pytest.raises(CheckpointError, match="another log"):
        sign_checkpoint(secret(1).sign, log=LOG, checkpoint=other)


def test_changed_extensions_are_refused() -> None:
    extended = replace(ONE, extensions=("one", "two"))
    note = cosigned(0, checkpoint=extended)
    assert verify_cosigned(note, log=LOG, witnesses=WITNESSES, quorum=1).checkpoint == extended
    with pytest.raises(CheckpointError):
        verify_checkpoint(replace(note, text=replace(extended, extensions=("one",)).text), log=LOG)


@pytest.mark.parametrize("quorum", [-1, 0, 4])
def test_a_quorum_of_none_or_of_more_than_there_are_is_refused(quorum: int) -> None:
    with pytest.raises(CheckpointError, match="quorum"):
        verify_cosigned(cosigned(0, 1, 2), log=LOG, witnesses=WITNESSES, quorum=quorum)
    with pytest.raises(CheckpointError, match="quorum"):
        verify_cosigned(cosigned(0, 1, 2), log=LOG, witnesses=[], quorum=0)


def test_one_key_under_two_names_is_not_two_witnesses() -> None:
    twice = [WITNESSES[0], replace(WITNESSES[0], name="witness.example/again")]
    lines = [cosign_checkpoint(secret(10).sign, witness=one, checkpoint=ONE, time=TIME) for one in twice]
    with pytest.raises(CheckpointError, match="of its own"):
        verify_cosigned(with_lines(cosigned(), *lines), log=LOG, witnesses=twice, quorum=2)


def test_two_keys_under_one_name_are_not_two_witnesses() -> None:
    twice = [WITNESSES[0], replace(WITNESSES[1], name=WITNESSES[0].name)]
    with pytest.raises(CheckpointError, match="of its own"):
        verify_cosigned(cosigned(0), log=LOG, witnesses=twice, quorum=1)


def test_a_key_of_the_other_type_has_no_part() -> None:
    as_witness, as_log = replace(LOG, type=COSIGNATURE), replace(WITNESSES[0], type=ED25519)
    with pytest.raises(CheckpointError):
        verify_checkpoint(cosigned(), log=as_witness)
    with pytest.raises(CheckpointError):
        sign_checkpoint(secret(1).sign, log=as_witness, checkpoint=ONE)
    with pytest.raises(CheckpointError):
        verify_cosigned(cosigned(0), log=LOG, witnesses=[as_log], quorum=1)
    with pytest.raises(CheckpointError):
        cosign_checkpoint(secret(10).sign, witness=as_log, checkpoint=ONE, time=TIME)


def test_no_flipped_bit_in_a_cosigned_checkpoint_is_believed() -> None:
    data = cosigned(0).format()
    for at in range(len(data)):
        for bit in range(8):
            changed = data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
            with pytest.raises((CheckpointError, NoteError)):
                verify_cosigned(Note.parse(changed), log=LOG, witnesses=WITNESSES, quorum=1)


# --- the form of checkpoints -------------------------------------------------------------------------------------

LINES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1)


@given(
    origin=LINES,
    size=st.integers(1, MAX_SIZE),
    root=st.binary(min_size=32, max_size=32),
    extensions=st.lists(LINES, max_size=3),
)
def test_what_is_written_is_read_again(origin: str, size: int, root: bytes, extensions: list[str]) -> None:
    checkpoint = Checkpoint(origin=origin, size=size, root=root, extensions=tuple(extensions))
    assert Checkpoint.parse(checkpoint.text) == checkpoint


def test_the_empty_tree_has_its_own_root_only() -> None:
    empty = Checkpoint(origin=ORIGIN, size=0, root=EMPTY_ROOT)
    assert Checkpoint.parse(empty.text) == empty
    with pytest.raises(CheckpointError):
        Checkpoint(origin=ORIGIN, size=0, root=ROOT)


FIRST, SECOND, THIRD, _ = ONE.text.split("\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\n\n\n",
        f"{FIRST}\n{SECOND}\n",
        ONE.text[:-1],
        ONE.text + "\n",
        ONE.text + "\nextension\n",
        "\n" + ONE.text,
        f"\n{SECOND}\n{THIRD}\n",
        f"{FIRST}\n\n{THIRD}\n",
        f"{FIRST}\n01\n{THIRD}\n",
        f"{FIRST}\n+1\n{THIRD}\n",
        f"{FIRST}\n-1\n{THIRD}\n",
        f"{FIRST}\n1 \n{THIRD}\n",
        f"{FIRST}\n1_0\n{THIRD}\n",
        f"{FIRST}\n\u0661\n{THIRD}\n",
        f"{FIRST}\n0x1\n{THIRD}\n",
        f"{FIRST}\n{MAX_SIZE + 1}\n{THIRD}\n",
        f"{FIRST}\n{'9' * 5000}\n{THIRD}\n",
        f"{FIRST}\n0\n{THIRD}\n",
        f"{FIRST}\n1\n\n",
        f"{FIRST}\n1\n{THIRD[:-1]}\n",
        f"{FIRST}\n1\n{THIRD}=\n",
        f"{FIRST}\n1\n {THIRD}\n",
        f"{FIRST}\n1\n{THIRD[:-2]}{chr(ord(THIRD[-2]) + 1)}=\n",
        f"{FIRST}\n1\n{'A' * 40}\n",
        f"{FIRST}\n1\n{'è' * 44}\n",
        f"{FIRST}\r\n1\r\n{THIRD}\r\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    ("origin", "size", "root", "extensions"),
    [
        ("", 1, ROOT, ()),
        ("two\nlines", 1, ROOT, ()),
        (ORIGIN, -1, ROOT, ()),
        (ORIGIN, MAX_SIZE + 1, ROOT, ()),
        (ORIGIN, 1, ROOT[:-1], ()),
        (ORIGIN, 1, ROOT, ("",)),
        (ORIGIN, 1, ROOT, ("\ud800",)),
        (ORIGIN, 1, ROOT, ("two\nlines",)),
    ],
)
def test_what_cannot_be_written_is_no_checkpoint(
    origin: str, size: int, root: bytes, extensions: tuple[str, ...]
) -> None:
    with pytest.raises(CheckpointError):
        Checkpoint(origin=origin, size=size, root=root, extensions=extensions)
