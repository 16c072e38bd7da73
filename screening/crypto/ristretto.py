"""ristretto255 (RFC 9496): a group of prime order L, over libsodium.

Elements and scalars are byte strings of 32. Whatever comes in is checked: an element must be canonically encoded and
not the identity, a scalar below L and not zero. libsodium by itself takes the identity as valid in places, L + 5 for 5,
and, up to its release 1.0.18, an encoding with the unused top bit set for the one without. Scalars are secrets: they
are handled by libsodium alone, whose running time does not depend on them, and never become Python integers.

>>> two = scalar_add(ONE, ONE)
>>> scalarmult_base(two) == add(scalarmult_base(ONE), scalarmult_base(ONE))
True
"""

import ctypes
import hmac
from collections.abc import Sequence

from screening.crypto import _libsodium
from screening.crypto.errors import PointError, ScalarError

ELEMENT_BYTES = 32
SCALAR_BYTES = 32
HASH_BYTES = 64

ONE = (1).to_bytes(32, "little")
"""The scalar 1."""

_ZERO = bytes(32)
"""The scalar 0, and the encoding of the identity."""

_LARGEST_LAST_BYTE = 0x7F
"""A field element has 255 bits."""

_sodium = _libsodium.load()
_is_valid_point = _sodium.crypto_core_ristretto255_is_valid_point
_from_hash = _sodium.crypto_core_ristretto255_from_hash
_add = _sodium.crypto_core_ristretto255_add
_scalar_reduce = _sodium.crypto_core_ristretto255_scalar_reduce
_scalar_invert = _sodium.crypto_core_ristretto255_scalar_invert
_scalar_random = _sodium.crypto_core_ristretto255_scalar_random
_scalar_mul = _sodium.crypto_core_ristretto255_scalar_mul
_scalar_add = _sodium.crypto_core_ristretto255_scalar_add
_scalar_sub = _sodium.crypto_core_ristretto255_scalar_sub
_scalarmult = _sodium.crypto_scalarmult_ristretto255
_scalarmult_base = _sodium.crypto_scalarmult_ristretto255_base


def check_element(element: bytes) -> None:
    """Refuses what is no element, and the identity.

    Args:
        element: From outside.

    Raises:
        PointError: It has another length than 32, is not canonically encoded, or is the identity.
    """
    _check_element_form(element)
    if _is_valid_point(element) != 1:
        raise PointError("not a canonically encoded element of ristretto255")


def check_scalar(scalar: bytes) -> None:
    """Refuses what is no scalar, and zero; takes the same time for every scalar that it accepts.

    Args:
        scalar: From outside, or from a key file.

    Raises:
        ScalarError: It has another length than 32, is not below L, or is zero.
    """
    if type(scalar) is not bytes or len(scalar) != SCALAR_BYTES:
        raise ScalarError(f"a scalar has {SCALAR_BYTES} bytes")
    if not hmac.compare_digest(scalar_reduce(scalar + _ZERO), scalar):
        raise ScalarError("a scalar must be reduced")
    if hmac.compare_digest(scalar, _ZERO):
        raise ScalarError("a scalar must not be zero")


def from_hash(uniform: bytes) -> bytes:
    """Maps 64 uniform bytes to an element (RFC 9496 §4.3.4).

    Args:
        uniform: A hash's output of 64 bytes.

    Returns:
        An element of 32 bytes.

    Raises:
        PointError: The input has another length, or maps to the identity, with a probability of about 2^-252 for a
            hash.
    """
    if type(uniform) is not bytes or len(uniform) != HASH_BYTES:
        raise PointError(f"an element is derived from {HASH_BYTES} bytes")
    out = ctypes.create_string_buffer(ELEMENT_BYTES)
    if _from_hash(out, uniform) != 0:
        raise PointError("libsodium could not derive an element")
    if out.raw == _ZERO:
        raise PointError("the input maps to the identity")
    return out.raw


def scalarmult(scalar: bytes, element: bytes) -> bytes:
    """Multiplies an element.

    Args:
        scalar: 32 bytes, secret.
        element: 32 bytes.

    Returns:
        An element of 32 bytes.

    Raises:
        ScalarError: The scalar is not reduced, or zero.
        PointError: The element is not canonical, or the identity.
    """
    return scalarmult_each(scalar, (element,))[0]


def scalarmult_each(scalar: bytes, elements: Sequence[bytes]) -> list[bytes]:
    """Multiplies many elements by one scalar, at hardly more than libsodium's own cost.

    Args:
        scalar: 32 bytes, secret.
        elements: 32 bytes each.

    Returns:
        Elements in the same order.

    Raises:
        ScalarError: The scalar is not reduced, or zero.
        PointError: An element is not canonical, or the identity.
    """
    check_scalar(scalar)
    multiply, out, products = _scalarmult, ctypes.create_string_buffer(ELEMENT_BYTES), []
    for element in elements:
        if type(element) is not bytes or len(element) != ELEMENT_BYTES or element[31] > _LARGEST_LAST_BYTE:
            _check_element_form(element)
        # The order is prime and the scalar not zero, so that a product that is the identity, which libsodium
        # refuses as it refuses what it cannot decode, means that the element was the identity.
        if multiply(out, scalar, element) != 0:
            raise PointError("not a canonically encoded element of ristretto255, or the identity")
        products.append(out.raw)
    return products


def scalarmult_base(scalar: bytes) -> bytes:
    """Multiplies the generator.

    Args:
        scalar: 32 bytes, secret.

    Returns:
        An element of 32 bytes.

    Raises:
        ScalarError: The scalar is not reduced, or zero.
    """
    check_scalar(scalar)
    out = ctypes.create_string_buffer(ELEMENT_BYTES)
    if _scalarmult_base(out, scalar) != 0:
        raise ScalarError("libsodium refused the scalar")
    return out.raw


def add(a: bytes, b: bytes) -> bytes:
    """Adds two elements.

    Args:
        a: 32 bytes.
        b: 32 bytes.

    Returns:
        An element of 32 bytes.

    Raises:
        PointError: One of them, or the sum, is the identity, or one is not canonical.
    """
    _check_element_form(a)
    _check_element_form(b)
    out = ctypes.create_string_buffer(ELEMENT_BYTES)
    if _add(out, a, b) != 0:
        raise PointError("not a canonically encoded element of ristretto255")
    if out.raw == _ZERO:
        raise PointError("the sum is the identity")
    return out.raw


def random_scalar() -> bytes:
    """Makes a uniformly random scalar that is not zero, of the operating system's randomness."""
    out = ctypes.create_string_buffer(SCALAR_BYTES)
    _scalar_random(out)
    return out.raw


def scalar_reduce(uniform: bytes) -> bytes:
    """Reduces 64 bytes, a little-endian number, modulo L.

    Args:
        uniform: 64 bytes.

    Returns:
        A reduced scalar, which is zero when the number is a multiple of L.

    Raises:
        ScalarError: The input has another length.
    """
    if type(uniform) is not bytes or len(uniform) != HASH_BYTES:
        raise ScalarError(f"a scalar is reduced from {HASH_BYTES} bytes")
    out = ctypes.create_string_buffer(SCALAR_BYTES)
    _scalar_reduce(out, uniform)
    return out.raw


def scalar_invert(scalar: bytes) -> bytes:
    """The inverse of a scalar modulo L; raises ScalarError as `check_scalar` does."""
    check_scalar(scalar)
    out = ctypes.create_string_buffer(SCALAR_BYTES)
    if _scalar_invert(out, scalar) != 0:
        raise ScalarError("libsodium refused the scalar")
    return out.raw


def scalar_mul(a: bytes, b: bytes) -> bytes:
    """The product of two scalars modulo L; raises ScalarError as `check_scalar` does."""
    check_scalar(a)
    check_scalar(b)
    out = ctypes.create_string_buffer(SCALAR_BYTES)
    _scalar_mul(out, a, b)
    return out.raw


def scalar_add(a: bytes, b: bytes) -> bytes:
    """The sum of two scalars modulo L, which may be zero; raises ScalarError as `check_scalar` does."""
    check_scalar(a)
    check_scalar(b)
    out = ctypes.create_string_buffer(SCALAR_BYTES)
    _scalar_add(out, a, b)
    return out.raw


def scalar_sub(a: bytes, b: bytes) -> bytes:
    """The difference of two scalars modulo L, which may be zero; raises ScalarError as `check_scalar` does."""
    check_scalar(a)
    check_scalar(b)
    out = ctypes.create_string_buffer(SCALAR_BYTES)
    _scalar_sub(out, a, b)
    return out.raw


def _check_element_form(element: bytes) -> None:
    if type(element) is not bytes or len(element) != ELEMENT_BYTES:
        raise PointError(f"an element has {ELEMENT_BYTES} bytes")
    if element[31] > _LARGEST_LAST_BYTE:
        raise PointError("not a canonically encoded element of ristretto255")
    if element == _ZERO:
        raise PointError("the identity is refused")
