"""ristretto255 as RFC 9496 §4 writes it, in Python integers: slow, not constant-time, an oracle for tests alone."""

import hashlib
from dataclasses import dataclass

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


class RefusedError(Exception):
    """Not the encoding of an element; the message is RFC 9496 appendix A.2's word for why."""


def is_negative(x: int) -> bool:
    return x % P % 2 == 1


def absolute(x: int) -> int:
    return -x % P if is_negative(x) else x % P


def sqrt_ratio_m1(u: int, v: int) -> tuple[bool, int]:
    """RFC 9496 §4.2."""
    r = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    check = v * r * r % P
    correct, flipped, flipped_i = check == u % P, check == -u % P, check == -u * SQRT_M1 % P
    if flipped or flipped_i:
        r = r * SQRT_M1 % P
    return correct or flipped, absolute(r)


SQRT_AD_MINUS_ONE = -sqrt_ratio_m1(-D - 1, 1)[1] % P
INVSQRT_A_MINUS_D = sqrt_ratio_m1(1, -1 - D)[1]
ONE_MINUS_D_SQ = (1 - D * D) % P
D_MINUS_ONE_SQ = (D - 1) ** 2 % P


@dataclass(frozen=True)
class Point:
    x: int
    y: int
    z: int
    t: int

    def __add__(self, other: "Point") -> "Point":
        """The complete addition of extended coordinates (RFC 8032 §5.1.4)."""
        a, b = (self.y - self.x) * (other.y - other.x), (self.y + self.x) * (other.y + other.x)
        c, d = 2 * D * self.t * other.t, 2 * self.z * other.z
        e, f, g, h = b - a, d - c, d + c, b + a
        return Point(e * f % P, g * h % P, f * g % P, e * h % P)

    def __rmul__(self, number: int) -> "Point":
        result, doubled = IDENTITY, self
        while number:
            if number & 1:
                result += doubled
            doubled, number = doubled + doubled, number >> 1
        return result


IDENTITY = Point(0, 1, 1, 0)


def decode(encoding: bytes) -> Point:
    """RFC 9496 §4.3.1."""
    s = int.from_bytes(encoding, "little")
    if s >= P:
        raise RefusedError("non-canonical field encoding")
    if is_negative(s):
        raise RefusedError("negative field element")
    u1, u2 = (1 - s * s) % P, (1 + s * s) % P
    v = (-D * u1 * u1 - u2 * u2) % P
    square, invsqrt = sqrt_ratio_m1(1, v * u2 * u2)
    den_x, den_y = invsqrt * u2 % P, invsqrt * invsqrt * u2 * v % P
    x, y = absolute(2 * s * den_x), u1 * den_y % P
    if not square:
        raise RefusedError("non-square x^2")
    if is_negative(x * y):
        raise RefusedError("negative x*y")
    if y == 0:
        raise RefusedError("y is zero")
    return Point(x, y, 1, x * y % P)


def encode(point: Point) -> bytes:
    """RFC 9496 §4.3.2."""
    u1, u2 = (point.z + point.y) * (point.z - point.y) % P, point.x * point.y % P
    _, invsqrt = sqrt_ratio_m1(1, u1 * u2 * u2)
    den1, den2 = invsqrt * u1 % P, invsqrt * u2 % P
    z_inv = den1 * den2 * point.t % P
    if is_negative(point.t * z_inv):
        x, y, den_inv = point.y * SQRT_M1 % P, point.x * SQRT_M1 % P, den1 * INVSQRT_A_MINUS_D % P
    else:
        x, y, den_inv = point.x, point.y, den2
    if is_negative(x * z_inv):
        y = -y % P
    return absolute(den_inv * (point.z - y)).to_bytes(32, "little")


def _map(t: int) -> Point:
    """RFC 9496 §4.3.4, MAP."""
    r = SQRT_M1 * t * t % P
    u, c = (r + 1) * ONE_MINUS_D_SQ % P, P - 1
    v = (c - r * D) * (r + D) % P
    square, s = sqrt_ratio_m1(u, v)
    if not square:
        s, c = -absolute(s * t) % P, r
    n = (c * (r - 1) * D_MINUS_ONE_SQ - v) % P
    w0, w1, w2, w3 = 2 * s * v, n * SQRT_AD_MINUS_ONE, 1 - s * s, 1 + s * s
    return Point(w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P)


def from_uniform(uniform: bytes) -> Point:
    """RFC 9496 §4.3.4."""
    low, high = (int.from_bytes(half, "little") % 2**255 for half in (uniform[:32], uniform[32:]))
    return _map(low) + _map(high)


def generator() -> Point:
    """The edwards25519 base point (RFC 8032 §5.1): y = 4/5, x even."""
    y = 4 * pow(5, P - 2, P) % P
    x = sqrt_ratio_m1(y * y - 1, D * y * y + 1)[1]
    return Point(x, y, 1, x * y % P)


def expand(message: bytes, separation: bytes, length: int) -> bytes:
    """expand_message_xmd with SHA-512 (RFC 9380 §5.3.1), for any length."""
    suffix = separation + len(separation).to_bytes(1, "big")
    first = hashlib.sha512(bytes(128) + message + length.to_bytes(2, "big") + b"\x00" + suffix).digest()
    block = hashlib.sha512(first + b"\x01" + suffix).digest()
    blocks = block
    for index in range(2, -(-length // 64) + 1):
        mixed = bytes(a ^ b for a, b in zip(first, block, strict=True))
        block = hashlib.sha512(mixed + index.to_bytes(1, "big") + suffix).digest()
        blocks += block
    return blocks[:length]


def voprf(key: int, message: bytes) -> bytes:
    """The whole function of RFC 9497, mode VOPRF, evaluated by one who holds the key."""
    context = b"OPRFV1-\x01-ristretto255-SHA512"
    element = encode(key * from_uniform(expand(message, b"HashToGroup-" + context, 64)))
    prefixed = b"".join(len(part).to_bytes(2, "big") + part for part in (message, element))
    return hashlib.sha512(prefixed + b"Finalize").digest()
