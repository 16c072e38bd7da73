"""Reads statements strictly: exactly the fields that are known, each of its kind, and signatures by signer and key."""

import hashlib
import re
import unicodedata
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from screening.crypto.encoding import unb64u
from screening.crypto.errors import EncodingError, SealError, SignatureError, TrustError
from screening.crypto.sealing import PUBLIC_BYTES, check_sealing_key
from screening.crypto.signing import KEY_BYTES, Statement, VerifyingKey, canonical

REGISTRY = "registry"
"""The registry's id among evaluators and signers."""
ORGANISATION = "organisation"
"""An organisation's id among the signers of its own statements."""
MAX_NUMBER = 2**32 - 1
ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z\Z", re.ASCII)
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def write_time(moment: datetime) -> str:
    """Writes a time as RFC 3339 in UTC and whole seconds; raises TrustError if it has no zone."""
    if moment.tzinfo is None:
        raise TrustError("field-invalid", "a time needs its zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def fingerprint(body: Mapping[str, Any]) -> str:
    """The fingerprint of a trust file or certificate: SHA-256 over a label and the canonical body, in hex."""
    label = b"screening/1/" + str(body.get("type")).encode() + b"\x00"
    return hashlib.sha256(label + canonical(body)).hexdigest()


def spoken_fingerprint(fingerprint: str) -> str:
    """The first 16 bytes of a fingerprint as eight groups of four digits, to be read aloud."""
    return " ".join(fingerprint[start : start + 4] for start in range(0, 32, 4))


def check_signature(statement: Statement, signer: str, key: VerifyingKey, code: str) -> None:
    """Checks one signature.

    Args:
        statement: What must be signed.
        signer: Who must have signed.
        key: The signer's key.
        code: What an error's code begins with.

    Raises:
        TrustError: Its code says what is the matter: `code` and -missing, -of-another-key or -wrong.
    """
    keys = {signature.key for signature in statement.signatures if signature.signer == signer}
    if not keys:
        raise TrustError(f"{code}-missing", f"{signer} has not signed")
    if key.key_id not in keys:
        raise TrustError(f"{code}-of-another-key", f"{signer} has signed with another key")
    try:
        statement.verify(signer, key)
    except SignatureError:
        raise TrustError(f"{code}-wrong", f"the signature of {signer} is wrong") from None


class Fields:
    """One object of a body.

    Args:
        value: What was decoded from JSON.
        names: The fields that it must have, and no others.
        what: What it is called in an error.

    Raises:
        TrustError: It is no object (`field-invalid`), a field is missing (`field-missing`) or is unknown
            (`field-unknown`).
    """

    def __init__(self, value: object, names: Iterable[str], what: str) -> None:
        self._what = what
        if not isinstance(value, dict):
            raise TrustError("field-invalid", f"{what} is no object")
        self._value: dict[str, Any] = value
        expected = set(names)
        if missing := expected - set(value):
            raise TrustError("field-missing", f"{what} lacks {', '.join(sorted(missing))}")
        if set(value) - expected:
            raise TrustError("field-unknown", f"{what} has a field that is not known here")

    def invalid(self, name: str, need: str) -> TrustError:
        """The error for a field that is not what it must be."""
        return TrustError("field-invalid", f"{name} of {self._what} must be {need}")

    def exactly(self, name: str, expected: object, code: str) -> None:
        """Refuses any other value than one, with an error of its own code."""
        if type(self._value[name]) is not type(expected) or self._value[name] != expected:
            raise TrustError(code, f"{name} of {self._what} is unknown here")

    def integer(self, name: str, least: int, most: int) -> int:
        """An integer within bounds."""
        value = self._value[name]
        if type(value) is not int or not least <= value <= most:
            raise self.invalid(name, f"an integer from {least} to {most}")
        return value

    def matching(self, name: str, pattern: re.Pattern[str], need: str) -> str:
        """A text that matches a pattern."""
        value = self._value[name]
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise self.invalid(name, need)
        return value

    def line(self, name: str, longest: int) -> str:
        """A line that people are shown: nothing in it may hide or turn around what it says."""
        value = self._value[name]
        if not isinstance(value, str) or not 1 <= len(value) <= longest or value != value.strip():
            raise self.invalid(name, f"a text of 1 to {longest} characters without space at its ends")
        if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in _BIDI_CONTROLS for c in value):
            raise self.invalid(name, "a text without control characters")
        return value

    def data(self, name: str, length: int) -> bytes:
        """Bytes of a known length, in base64url."""
        try:
            return unb64u(self._value[name], length=length)
        except EncodingError:
            raise self.invalid(name, f"{length} bytes in base64url") from None

    def time(self, name: str) -> datetime:
        """A time in UTC and whole seconds."""
        value = self._value[name]
        try:
            if isinstance(value, str) and _TIME.match(value):
                return datetime.fromisoformat(value)
        except ValueError:
            pass
        raise self.invalid(name, "a time in UTC and whole seconds")

    def items(self, name: str, most: int) -> list[object]:
        """A list that is not too long."""
        value = self._value[name]
        if not isinstance(value, list) or len(value) > most:
            raise self.invalid(name, f"a list of at most {most}")
        return value

    def raw(self, name: str) -> object:
        """A field as it is, for a reader of its own."""
        return self._value[name]

    def uuid(self, name: str) -> str:
        """A UUID in canonical text."""
        value = self._value[name]
        try:
            if isinstance(value, str) and str(uuid.UUID(value)) == value:
                return value
        except ValueError:
            pass
        raise self.invalid(name, "a UUID in canonical text")

    def verifying_key(self, name: str) -> VerifyingKey:
        """A public Ed25519 key; TrustError of code `key-invalid` if it is unfit."""
        public = self.data(name, KEY_BYTES)
        try:
            return VerifyingKey.from_bytes(public)
        except SignatureError as error:
            raise TrustError("key-invalid", str(error)) from None

    def sealing_key(self, name: str) -> bytes:
        """A public sealing key; TrustError of code `key-invalid` if it is unfit."""
        public = self.data(name, PUBLIC_BYTES)
        try:
            check_sealing_key(public)
        except SealError as error:
            raise TrustError("key-invalid", str(error)) from None
        return public
