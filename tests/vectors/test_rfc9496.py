"""ristretto255 against RFC 9496 appendix A, and against the slow twin on random input."""

import json
import random
from pathlib import Path

import pytest

from screening.crypto import ristretto
from screening.crypto.errors import PointError
from tests.vectors import ristretto_twin as twin

VECTORS = json.loads((Path(__file__).parent / "rfc9496_ristretto255.json").read_text())
MULTIPLES = [bytes.fromhex(encoding) for encoding in VECTORS["generator_multiples"]]
INVALID = [(why, bytes.fromhex(encoding)) for why, encodings in VECTORS["invalid"].items() for encoding in encodings]


def scalar(number: int) -> bytes:
    return number.to_bytes(32, "little")


def test_the_vectors_are_complete() -> None:
    assert (len(MULTIPLES), len(INVALID), len(VECTORS["from_uniform"])) == (16, 29, 4)


@pytest.mark.parametrize("number", range(1, 16))
def test_multiples_of_the_generator(number: int) -> None:
    assert ristretto.scalarmult_base(scalar(number)) == MULTIPLES[number]
    assert ristretto.scalarmult(scalar(number), MULTIPLES[1]) == MULTIPLES[number]
    assert twin.encode(number * twin.generator()) == MULTIPLES[number]
    if number > 1:
        assert ristretto.add(MULTIPLES[number - 1], MULTIPLES[1]) == MULTIPLES[number]


@pytest.mark.parametrize(("why", "encoding"), INVALID, ids=str)
def test_an_invalid_encoding_is_refused(why: str, encoding: bytes) -> None:
    with pytest.raises(twin.RefusedError, match=why.replace("^", r"\^").replace("*", r"\*")):
        twin.decode(encoding)
    for refused in (
        lambda: ristretto.check_element(encoding),
        lambda: ristretto.scalarmult(scalar(2), encoding),
        lambda: ristretto.add(encoding, MULTIPLES[1]),
        lambda: ristretto.add(MULTIPLES[1], encoding),
    ):
        with pytest.raises(PointError):
            refused()


@pytest.mark.parametrize("uniform", VECTORS["from_uniform"])
def test_elements_from_uniform_bytes(uniform: str) -> None:
    expected = bytes.fromhex(VECTORS["from_uniform"][uniform])
    assert ristretto.from_hash(bytes.fromhex(uniform)) == expected
    assert twin.encode(twin.from_uniform(bytes.fromhex(uniform))) == expected


def test_random_operations_agree_with_the_twin(long: bool) -> None:
    generator = random.Random(9496)
    for _ in range(500 if long else 10):
        uniform = generator.randbytes(64)
        a, b = (generator.randrange(1, twin.L) for _ in range(2))
        element = ristretto.from_hash(uniform)
        point = twin.from_uniform(uniform)
        assert element == twin.encode(point)
        assert twin.encode(twin.decode(element)) == element
        product = ristretto.scalarmult(scalar(a), element)
        assert product == twin.encode(a * point)
        assert ristretto.add(product, element) == twin.encode(a * point + point)
        assert ristretto.scalar_reduce(uniform) == scalar(int.from_bytes(uniform, "little") % twin.L)
        assert ristretto.scalar_mul(scalar(a), scalar(b)) == scalar(a * b % twin.L)
        assert ristretto.scalar_add(scalar(a), scalar(b)) == scalar((a + b) % twin.L)
        assert ristretto.scalar_sub(scalar(a), scalar(b)) == scalar((a - b) % twin.L)
        assert ristretto.scalar_invert(scalar(a)) == scalar(pow(a, -1, twin.L))
