"""People's passwords: which may be used, and how they are kept.

Kept is Argon2id's encoded hash at OWASP's first recommendation (19 MiB, two passes, one lane; Password Storage Cheat
Sheet), of the password's UTF-8 after NFKC, so that a password typed on another keyboard or system is the same. Rules
follow NIST SP 800-63B-4 §3.1.1.2: length, and no list of kinds of characters; what everybody tries first is refused.

>>> hasher = PasswordHasher(memory_kib=8, iterations=1)
>>> stored = hasher.hash("seven otters knit quietly")
>>> hasher.verify(stored, "seven otters knit quietly").ok
True
>>> hasher.verify(stored, "seven otters knit loudly").ok
False
"""

import json
import string
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import argon2
from argon2.exceptions import HashingError, InvalidHashError, VerificationError

from screening.crypto.errors import PasswordError

MIN_CHARACTERS = 15
MAX_BYTES = 1024
_MIN_DISTINCT = 5
_LOOK_ALIKES = str.maketrans("@4301!5$7", "aaeoiisst")
_ENDS = string.digits + string.punctuation


@dataclass(frozen=True, slots=True)
class PasswordCheck:
    """What checking a password came to.

    Attributes:
        ok: Whether it is the right one.
        new_hash: What to keep from now on, when it is right and was kept at another cost than today's.
    """

    ok: bool
    new_hash: str | None = field(default=None, repr=False)


class PasswordHasher:
    """Hashes and verifies passwords.

    Args:
        memory_kib: Argon2id's memory in KiB.
        iterations: Passes over it.
        parallelism: Lanes.
    """

    def __init__(self, *, memory_kib: int = 19_456, iterations: int = 2, parallelism: int = 1) -> None:
        self._argon2 = argon2.PasswordHasher(
            time_cost=iterations, memory_cost=memory_kib, parallelism=parallelism, type=argon2.Type.ID
        )
        self._nobodys = self._argon2.hash(b"nobody's password")

    def hash(self, password: str) -> str:
        """Hashes a password that somebody wants to use.

        Args:
            password: As it was typed.

        Returns:
            Argon2's encoded hash, with salt and cost.

        Raises:
            PasswordError: It may not be used; the message says why.
        """
        check_password_rules(password)
        try:
            return self._argon2.hash(_normalised(password))
        except HashingError:
            raise PasswordError("the password could not be hashed; there may be too little memory") from None

    def verify(self, hash: str | None, password: str) -> PasswordCheck:
        """Checks a password. Takes as long when there is no account as when there is.

        Args:
            hash: What is kept, or None if the account does not exist or cannot be used.
            password: As it was typed.

        Returns:
            Whether it is right, and what to keep instead.
        """
        try:
            typed = _normalised(password)
            self._argon2.verify(self._nobodys if hash is None else hash, typed)
        except (PasswordError, VerificationError, InvalidHashError):
            return PasswordCheck(ok=False)
        if hash is None:
            return PasswordCheck(ok=False)
        return PasswordCheck(True, self._argon2.hash(typed) if self._argon2.check_needs_rehash(hash) else None)


def check_password_rules(password: str) -> None:
    """Refuses what may not be used as a password.

    Args:
        password: As it was typed.

    Raises:
        PasswordError: It is shorter than 15 characters, longer than 1,024 bytes, no valid text, made of very few
            characters or a repetition, or among what everybody tries first.
    """
    text = _normalised(password).decode()
    if len(text) < MIN_CHARACTERS:
        raise PasswordError(f"a password has at least {MIN_CHARACTERS} characters")
    compact = "".join(text.casefold().split())
    if len(set(compact)) < _MIN_DISTINCT or _shortest_period(compact) * 2 <= len(compact):
        raise PasswordError("this password repeats itself")
    if not _common_passwords().isdisjoint(_plain_forms(compact)):
        raise PasswordError("this password is among those that are tried first")


def _normalised(password: str) -> bytes:
    try:
        too_long = len(password.encode()) > MAX_BYTES
        encoded = b"" if too_long else unicodedata.normalize("NFKC", password).encode()
    except UnicodeEncodeError:
        raise PasswordError("a password must be valid text") from None
    if too_long or len(encoded) > MAX_BYTES:
        raise PasswordError(f"a password has at most {MAX_BYTES} bytes")
    return encoded


def _shortest_period(text: str) -> int:
    """The least distance at which a text repeats itself to its end (Knuth, Morris and Pratt's failure function)."""
    borders = [0] * len(text)
    for end in range(1, len(text)):
        border = borders[end - 1]
        while border and text[end] != text[border]:
            border = borders[border - 1]
        borders[end] = border + (text[end] == text[border])
    return len(text) - borders[-1]


def _plain_forms(compact: str) -> set[str]:
    """A password as it would stand in the list: without digits and signs at its ends, signs, or look-alikes."""
    core, with_signs = compact.strip(_ENDS), compact.strip(string.digits)
    forms = compact, core, core.translate(_LOOK_ALIKES), with_signs.translate(_LOOK_ALIKES)
    return {_letters_and_digits(form) for form in forms}


def _letters_and_digits(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


@cache
def _common_passwords() -> frozenset[str]:
    """Lower-case letters and digits; entries below 15 characters are met with digits or signs around them."""
    content = files("screening.crypto").joinpath("common_passwords.json").read_text("utf-8")
    return frozenset(json.loads(content)["passwords"])
