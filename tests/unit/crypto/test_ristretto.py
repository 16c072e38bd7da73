"""What libsodium takes and the group must not: the identity, other lengths, scalars that are zero or not reduced."""

from collections.abc import Callable

import pytest

from screening.crypto import ristretto
from screening.crypto.errors import PointError, ScalarError

ORDER = 2**252 + 27742317777372353535851937790883648493
GENERATOR = ristretto.scalarmult_base(ristretto.ONE)
IDENTITY = bytes(32)

BAD_ELEMENTS = {
    "identity": IDENTITY,
    "empty": b"",
    "short": GENERATOR[:-1],
    "long": GENERATOR + b"\x00",
    "text": "x" * 32,
    "bytearray": bytearray(GENERATOR),
    "nothing": None,
    "identity with the top bit": bytes(31) + b"\x80",
    "generator with the top bit": GENERATOR[:31] + bytes([GENERATOR[31] | 0x80]),
}
BAD_SCALARS = {
    "zero": bytes(32),
    "order": ORDER.to_bytes(32, "little"),
    "order plus five": (ORDER + 5).to_bytes(32, "little"),
    "all ones": b"\xff" * 32,
    "top bit": (5 + 2**255).to_bytes(32, "little"),
    "empty": b"",
    "short": b"\x01" * 31,
    "long": ristretto.ONE + b"\x00",
    "text": "x" * 32,
    "nothing": None,
}
ON_ELEMENTS: dict[str, Callable[..., object]] = {
    "check_element": ristretto.check_element,
    "scalarmult": lambda e: ristretto.scalarmult(ristretto.ONE, e),
    "scalarmult_each": lambda e: ristretto.scalarmult_each(ristretto.ONE, [GENERATOR, e]),
    "add left": lambda e: ristretto.add(e, GENERATOR),
    "add right": lambda e: ristretto.add(GENERATOR, e),
}
ON_SCALARS: dict[str, Callable[..., object]] = {
    "check_scalar": ristretto.check_scalar,
    "scalarmult": lambda s: ristretto.scalarmult(s, GENERATOR),
    "scalarmult_each of none": lambda s: ristretto.scalarmult_each(s, []),
    "scalarmult_base": ristretto.scalarmult_base,
    "scalar_invert": ristretto.scalar_invert,
    "scalar_mul left": lambda s: ristretto.scalar_mul(s, ristretto.ONE),
    "scalar_mul right": lambda s: ristretto.scalar_mul(ristretto.ONE, s),
    "scalar_add left": lambda s: ristretto.scalar_add(s, ristretto.ONE),
    "scalar_add right": lambda s: ristretto.scalar_add(ristretto.ONE, s),
    "scalar_sub left": lambda s: ristretto.scalar_sub(s, ristretto.ONE),
    "scalar_sub right": lambda s: ristretto.scalar_sub(ristretto.ONE, s),
}


@pytest.mark.parametrize("value", BAD_ELEMENTS)
@pytest.mark.parametrize("operation", ON_ELEMENTS)
def test_what_is_no_element_is_refused(operation: str, value: str) -> None:
    with pytest.raises(PointError):
        ON_ELEMENTS[operation](BAD_ELEMENTS[value])


@pytest.mark.parametrize("value", BAD_SCALARS)
@pytest.mark.parametrize("operation", ON_SCALARS)
def test_a_zero_or_unreduced_scalar_is_refused(operation: str, value: str) -> None:
    with pytest.raises(ScalarError):
        ON_SCALARS[operation](BAD_SCALARS[value])


def test_the_largest_scalar_is_accepted() -> None:
    largest = (ORDER - 1).to_bytes(32, "little")
    ristretto.check_scalar(largest)
    with pytest.raises(PointError, match="identity"):
        ristretto.add(ristretto.scalarmult_base(largest), GENERATOR)


@pytest.mark.parametrize("length", [0, 32, 63, 65])
def test_hashes_of_another_length_are_refused(length: int) -> None:
    with pytest.raises(PointError):
        ristretto.from_hash(bytes(length))
    with pytest.raises(ScalarError):
        ristretto.scalar_reduce(bytes(length))


def test_an_input_that_maps_to_the_identity_is_refused() -> None:
    with pytest.raises(PointError, match="identity"):
        ristretto.from_hash(bytes(64))


def test_random_scalars_are_valid_and_differ() -> None:
    scalars = {ristretto.random_scalar() for _ in range(100)}
    assert len(scalars) == 100
    for scalar in scalars:
        ristretto.check_scalar(scalar)


def test_many_products_keep_their_order() -> None:
    two = ristretto.scalar_add(ristretto.ONE, ristretto.ONE)
    elements = [ristretto.scalarmult_base(ristretto.random_scalar()) for _ in range(5)]
    assert ristretto.scalarmult_each(two, elements) == [ristretto.add(element, element) for element in elements]


def test_an_error_does_not_show_the_scalar() -> None:
    with pytest.raises(ScalarError) as caught:
        ristretto.check_scalar(b"\xff" * 32)
    assert str(caught.value) == "a scalar must be reduced"
