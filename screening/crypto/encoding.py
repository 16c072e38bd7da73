r"""How bytes are written as text, and how several byte strings become one without ambiguity.

>>> b64u(b"\xff\xfe")
'__4'
>>> lp(b"ab", b"")
b'\x00\x02ab\x00\x00'
"""

import base64
import binascii

from screening.crypto.errors import EncodingError

MAX_PREFIXED_BYTES = 0xFFFF
"""What a length prefix of two bytes can say."""


def b64u(data: bytes) -> str:
    """Writes bytes as base64url without padding (RFC 4648 §5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unb64u(text: str, *, length: int | None = None) -> bytes:
    """Reads base64url without padding, in its canonical form only.

    Every byte string has exactly one text: padding, white space, characters of the other alphabet and bits left over
    that are not zero are refused, as a text accepted twice would let one object pass as two.

    Args:
        text: What `b64u` wrote.
        length: The number of bytes that it must hold, if that is known.

    Returns:
        The bytes.

    Raises:
        EncodingError: It is not canonical base64url, or of another length.
    """
    if not isinstance(text, str):
        raise EncodingError("base64url must be text")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise EncodingError("not base64url without padding") from None
    if b64u(data) != text:
        raise EncodingError("not canonical base64url without padding")
    if length is not None and len(data) != length:
        raise EncodingError(f"{length} bytes are needed here, not {len(data)}")
    return data


def lp(*parts: bytes) -> bytes:
    """Joins byte strings so that they can be told apart: each behind its length as two bytes, big-endian.

    Args:
        parts: Byte strings of at most 65,535 bytes each.

    Returns:
        The joined bytes.

    Raises:
        EncodingError: A part is too long.
    """
    joined = bytearray()
    for part in parts:
        if len(part) > MAX_PREFIXED_BYTES:
            raise EncodingError(f"a part may have at most {MAX_PREFIXED_BYTES} bytes")
        joined += len(part).to_bytes(2, "big")
        joined += part
    return bytes(joined)
