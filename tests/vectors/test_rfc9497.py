"""The VOPRF against RFC 9497 appendix A.1: every vector passes, every mutation of one is refused."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from screening.crypto import ristretto, voprf
from screening.crypto.errors import CryptoError, PointError, ProofError
from screening.crypto.voprf import Evaluation, Mode
from tests.vectors import ristretto_twin as twin

FOLDER = Path(__file__).parent
SUITES: list[dict[str, Any]] = json.loads((FOLDER / "rfc9497_ristretto255.json").read_text())


@dataclass(frozen=True)
class Case:
    mode: Mode
    share: bytes
    public: bytes
    inputs: list[bytes]
    blinds: list[bytes]
    blinded: list[bytes]
    evaluated: list[bytes]
    outputs: list[bytes]
    proof: bytes
    nonce: bytes


def rows(text: str) -> list[bytes]:
    return [bytes.fromhex(part) for part in text.split(",")]


def cases() -> Iterator[Case]:
    for suite in SUITES:
        for vector in suite["vectors"]:
            proof = vector.get("Proof", {"proof": "", "r": ""})
            yield Case(
                Mode(suite["mode"]),
                bytes.fromhex(suite["skSm"]),
                bytes.fromhex(suite.get("pkSm", "")),
                rows(vector["Input"]),
                rows(vector["Blind"]),
                rows(vector["BlindedElement"]),
                rows(vector["EvaluationElement"]),
                rows(vector["Output"]),
                bytes.fromhex(proof["proof"]),
                bytes.fromhex(proof["r"]),
            )


ALL = list(cases())
PROVED = [case for case in ALL if case.mode is Mode.VOPRF]
TWO = PROVED[2]


def flips(data: bytes, *, every: int = 1) -> Iterator[bytes]:
    """Each of the byte string's neighbours at one flipped bit (or every so manieth of them)."""
    for bit in range(0, len(data) * 8, every):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        yield bytes(flipped)


def refused(case: Case, *, public: bytes | None = None, elements: list[bytes] | None = None, proof: Any = None) -> None:
    answer = Evaluation(case.evaluated if elements is None else elements, case.proof if proof is None else proof)
    with pytest.raises(ProofError):
        voprf.verify(case.public if public is None else public, case.blinded, answer)


def test_all_five_vectors_are_there() -> None:
    assert [(case.mode, len(case.inputs)) for case in ALL] == [(0, 1), (0, 1), (1, 1), (1, 1), (1, 2)]


@pytest.mark.parametrize("suite", SUITES, ids=["OPRF", "VOPRF"])
def test_the_key_is_derived_from_the_seed(suite: dict[str, Any]) -> None:
    secret, public = voprf.derive_key_pair(
        bytes.fromhex(suite["seed"]), bytes.fromhex(suite["keyInfo"]), mode=Mode(suite["mode"])
    )
    assert secret.hex() == suite["skSm"]
    assert public == voprf.public_share(secret)
    if "pkSm" in suite:
        assert public.hex() == suite["pkSm"]


@pytest.mark.parametrize("case", ALL)
def test_blinding_evaluating_and_finalising_give_the_vector(case: Case) -> None:
    blinded = [
        voprf.blind(text, blind=scalar, mode=case.mode) for text, scalar in zip(case.inputs, case.blinds, strict=True)
    ]
    assert [one.element for one in blinded] == case.blinded
    assert ristretto.scalarmult_each(case.share, case.blinded) == case.evaluated
    combined = voprf.combine([case.evaluated])
    outputs = [voprf.finalize(*one) for one in zip(case.inputs, case.blinds, combined, strict=True)]
    assert outputs == case.outputs


@pytest.mark.parametrize("case", PROVED)
def test_the_proof_is_the_vector_s_and_holds(case: Case) -> None:
    assert voprf.prove(case.share, case.public, case.blinded, case.evaluated, unsafe_nonce=case.nonce) == case.proof
    voprf.verify(case.public, case.blinded, Evaluation(case.evaluated, case.proof))


@pytest.mark.parametrize("case", PROVED)
def test_a_fresh_proof_differs_and_holds(case: Case) -> None:
    one, other = (voprf.evaluate(case.share, case.public, case.blinded) for _ in range(2))
    assert one.elements == other.elements == case.evaluated
    assert one.proof != other.proof
    voprf.verify(case.public, case.blinded, one)


def test_the_twin_computes_the_outputs_from_the_key_alone() -> None:
    for case in PROVED:
        key = int.from_bytes(case.share, "little")
        assert [twin.voprf(key, text) for text in case.inputs] == case.outputs


@pytest.mark.parametrize("case", PROVED)
def test_every_flipped_bit_of_the_proof_is_refused(case: Case) -> None:
    for proof in flips(case.proof):
        refused(case, proof=proof)


@pytest.mark.parametrize("case", PROVED)
def test_every_flipped_bit_of_an_evaluated_element_is_refused(case: Case) -> None:
    for row in range(len(case.evaluated)):
        for element in flips(case.evaluated[row]):
            refused(case, elements=[*case.evaluated[:row], element, *case.evaluated[row + 1 :]])


@pytest.mark.parametrize("case", PROVED)
def test_every_flipped_bit_of_a_blinded_element_is_refused(case: Case) -> None:
    for row in range(len(case.blinded)):
        for element in flips(case.blinded[row]):
            sent = [*case.blinded[:row], element, *case.blinded[row + 1 :]]
            with pytest.raises((ProofError, PointError)):
                voprf.verify(case.public, sent, Evaluation(case.evaluated, case.proof))


@pytest.mark.parametrize("case", PROVED)
def test_every_flipped_bit_of_the_public_share_is_refused(case: Case) -> None:
    for public in flips(case.public):
        with pytest.raises((ProofError, PointError)):
            voprf.verify(public, case.blinded, Evaluation(case.evaluated, case.proof))


@pytest.mark.parametrize("case", PROVED)
def test_the_public_share_of_another_key_is_refused(case: Case) -> None:
    refused(case, public=voprf.generate_share()[1])
    refused(case, public=ristretto.scalarmult_base(ristretto.ONE))


@pytest.mark.parametrize("case", PROVED)
@pytest.mark.parametrize("mutate", ["truncate", "append", "empty", "halves swapped", "zeros", "text", "of another"])
def test_a_proof_of_another_form_is_refused(case: Case, mutate: str) -> None:
    forms: dict[str, object] = {
        "truncate": case.proof[:-1],
        "append": case.proof + b"\x00",
        "empty": b"",
        "halves swapped": case.proof[32:] + case.proof[:32],
        "zeros": bytes(64),
        "text": "x" * 64,
        "of another": PROVED[(PROVED.index(case) + 1) % 3].proof,
    }
    refused(case, proof=forms[mutate])


@pytest.mark.parametrize("half", [0, 32])
@pytest.mark.parametrize("case", PROVED)
def test_a_proof_with_an_unreduced_scalar_is_refused(case: Case, half: int) -> None:
    """The same number modulo L, so that only its encoding is wrong."""
    number = int.from_bytes(case.proof[half : half + 32], "little") + twin.L
    unreduced = number.to_bytes(32, "little")
    refused(case, proof=case.proof[:half] + unreduced + case.proof[half + 32 :])


@pytest.mark.parametrize("case", PROVED)
def test_an_evaluated_element_of_another_form_is_refused(case: Case) -> None:
    rest = case.evaluated[1:]
    for element in (bytes(32), b"", case.evaluated[0][:-1], case.evaluated[0] + b"\x00", b"\xff" * 32, case.blinded[0]):
        refused(case, elements=[element, *rest])


@pytest.mark.parametrize("case", PROVED)
def test_more_fewer_or_no_rows_are_refused(case: Case) -> None:
    refused(case, elements=case.evaluated[:-1])
    refused(case, elements=[*case.evaluated, case.evaluated[0]])
    refused(case, elements=[])


def test_swapped_rows_are_refused() -> None:
    refused(TWO, elements=TWO.evaluated[::-1])
    with pytest.raises(ProofError):
        voprf.verify(TWO.public, TWO.blinded[::-1], Evaluation(TWO.evaluated, TWO.proof))


def test_a_row_repeated_in_another_s_place_is_refused() -> None:
    refused(TWO, elements=[TWO.evaluated[0]] * 2)
    refused(TWO, elements=[TWO.evaluated[1]] * 2)


@pytest.mark.parametrize("case", ALL)
def test_every_other_input_blind_or_element_gives_another_output(case: Case) -> None:
    text, scalar, element, output = case.inputs[0], case.blinds[0], case.evaluated[0], case.outputs[0]
    results = {output}
    for other in (text + b"\x00", b"", text[:-1] + b"\x01"):
        results.add(voprf.finalize(other, scalar, element))
    for mutated in flips(scalar, every=16):
        try:
            results.add(voprf.finalize(text, mutated, element))
        except CryptoError:
            results.add(mutated)
    assert len(results) == 1 + 3 + 16


def test_the_files_of_vectors_are_the_ones_described() -> None:
    source = (FOLDER / "SOURCE.md").read_text()
    for name in ("protocol.json", "rfc9496_ristretto255.json", "rfc9497_ristretto255.json"):
        assert f"{hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()}  {name}" in source
