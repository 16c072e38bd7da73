"""Identifiers: UUIDv7 for machines (RFC 9562 §5.7), short references for people.

A reference is a prefix, eight random characters of Crockford's base32 and his check character (modulo 37), as in
`S-7K3M-9QXZ-C`. It is read with or without hyphens, in either case, with I and L as 1 and O as 0; the check character
finds every single wrong character and every swap of two neighbours.
"""

import secrets
import time
import uuid
from datetime import UTC, datetime, timedelta

from screening.crypto.errors import IdentifierError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHECK_ALPHABET = _ALPHABET + "*~$=U"
_LOOK_ALIKES = str.maketrans("ILO", "110")
_RANDOM_CHARACTERS = 8
_MAX_REFERENCE_TEXT = 40


def uuid7(now: datetime | None = None) -> uuid.UUID:
    """Makes a UUID that sorts by time: milliseconds, then a 12-bit fraction of one, then 62 random bits.

    The fraction is RFC 9562 §6.2's method 3: identifiers made within one millisecond mostly sort as well.

    Args:
        now: The time to use, aware; the present when left out.

    Returns:
        A version 7 UUID.

    Raises:
        IdentifierError: `now` has no time zone, or cannot be written in 48 bits of milliseconds.
    """
    if now is None:
        nanoseconds = time.time_ns()
    elif now.tzinfo is None:
        raise IdentifierError("a time needs its zone")
    else:
        nanoseconds = (now - _EPOCH) // timedelta(microseconds=1) * 1_000
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    if not 0 <= milliseconds < 1 << 48:
        raise IdentifierError("a time before 1970 has no UUID of version 7")
    fraction = (rest << 12) // 1_000_000
    return uuid.UUID(
        int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62),
    )


def new_reference(prefix: str) -> str:
    """Makes a reference to say aloud.

    Of the 37 check characters the five that are no plain base32 character (`*~$=U`) are avoided, by drawing again.

    Args:
        prefix: One to four letters A-Z that say what is referred to.

    Returns:
        Such as `S-7K3M-9QXZ-C`.

    Raises:
        IdentifierError: The prefix is something else.
    """
    if not (1 <= len(prefix) <= 4 and prefix.isascii() and prefix.isalpha() and prefix.isupper()):
        raise IdentifierError("a prefix has one to four letters A-Z")
    while True:
        characters = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARACTERS))
        check = _check_character(characters)
        if check in _ALPHABET:
            return _written(prefix, characters, check)


def check_reference(text: str) -> str:
    """Reads a reference as a person typed it.

    Args:
        text: With or without hyphens and spaces, in either case, with I, L and O for the digits they look like.

    Returns:
        The reference as `new_reference` writes it.

    Raises:
        IdentifierError: It is not a reference, or its check character shows that it is mistyped.
    """
    if not isinstance(text, str) or len(text) > _MAX_REFERENCE_TEXT or not text.isascii():
        raise IdentifierError("not a reference")
    compact = "".join(text.replace("-", " ").split()).upper()
    prefix, rest = compact[: -_RANDOM_CHARACTERS - 1], compact[-_RANDOM_CHARACTERS - 1 :].translate(_LOOK_ALIKES)
    characters, check = rest[:-1], rest[-1:]
    well_formed = 1 <= len(prefix) <= 4 and prefix.isalpha() and all(c in _ALPHABET for c in characters)
    if not well_formed or len(characters) != _RANDOM_CHARACTERS:
        raise IdentifierError("not a reference")
    if check != _check_character(characters):
        raise IdentifierError("a character of this reference is wrong")
    return _written(prefix, characters, check)


def _check_character(characters: str) -> str:
    number = 0
    for character in characters:
        number = number * 32 + _ALPHABET.index(character)
    return _CHECK_ALPHABET[number % 37]


def _written(prefix: str, characters: str, check: str) -> str:
    return f"{prefix}-{characters[:4]}-{characters[4:]}-{check}"
