"""Signed notes (C2SP signed-note v1): text, a blank line, and lines of signatures by named Ed25519 keys.

Two types of signature are known: a plain one (0x01), with which a log signs, and the timestamped cosignature of a
witness (0x04, C2SP tlog-cosignature). Whatever else stands in a note is carried along and believed by nobody.

>>> key = NoteKey.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
>>> key.name, key.type
('example.com/foo', 1)
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.canonical import AuditError

ED25519 = 0x01
"""Type of a key whose signatures are over the text alone."""
COSIGNATURE = 0x04
"""Type of a witness's key: its signatures are over a time as well."""

MAX_NOTE_BYTES = 1_000_000
"""Longest note that is read: as in golang.org/x/mod/sumdb/note, and more than any checkpoint needs."""
MAX_SIGNATURES = 100
"""Most signatures in a note: as there; the specification asks for at least 16."""
MAX_TIMESTAMP = 2**63 - 1
"""Latest time that a cosignature can name (tlog-cosignature)."""

_TYPES = (ED25519, COSIGNATURE)
_DASH = "— "
_KEY_BYTES = 32
_KEY_ID_BYTES = 4
_TIMESTAMP_BYTES = 8
_SIGNATURE_BYTES = 64


class NoteError(AuditError):
    """A note or key that is malformed, or that no known key signed."""


@dataclass(frozen=True)
class NoteKey:
    """A public key under the name by which notes call it."""

    name: str
    """Without spaces and plus signs; an address without scheme is recommended, such as `log.example/registry`."""
    type: int
    """`ED25519` or `COSIGNATURE`."""
    public_key: bytes
    """Raw Ed25519 public key, 32 bytes."""

    def __post_init__(self) -> None:
        """Refuses what no note could name.

        Raises:
            NoteError: The name, the type or the key's length.
        """
        _check_name(self.name)
        if self.type not in _TYPES or len(self.public_key) != _KEY_BYTES:
            raise NoteError("only Ed25519 keys of types 1 and 4 are known")

    @property
    def key_id(self) -> bytes:
        """What stands before each of the key's signatures: the start of SHA-256(name ‖ 0x0A ‖ type ‖ key), 4 bytes."""
        return hashlib.sha256(self.name.encode() + b"\n" + self._material).digest()[:_KEY_ID_BYTES]

    @classmethod
    def parse(cls, text: str) -> "NoteKey":
        """Reads `<name>+<key id in hex>+<base64 of type and key>`, a "vkey".

        Raises:
            NoteError: It is malformed, of an unknown type, or its id is another key's.
        """
        name, _, rest = text.partition("+")
        key_id, _, material = rest.partition("+")
        raw = _unb64(material)
        if len(raw) != 1 + _KEY_BYTES:
            raise NoteError("malformed key")
        key = cls(name=name, type=raw[0], public_key=raw[1:])
        if key_id != key.key_id.hex():
            raise NoteError("the key's id does not belong to the key")
        return key

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_b64(self._material)}"

    @property
    def _material(self) -> bytes:
        return bytes([self.type]) + self.public_key


@dataclass(frozen=True)
class NoteSignature:
    """A line of signature, not verified."""

    name: str
    """What the key is called."""
    key_id: bytes
    """4 bytes; with the name it says which key signed."""
    signature: bytes
    """What follows the key id; for a cosignature, time and signature."""

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {_b64(self.key_id + self.signature)}"


@dataclass(frozen=True)
class Note:
    """A text and the signatures under it, not verified."""

    text: str
    """Ends in a newline."""
    signatures: tuple[NoteSignature, ...] = field(default=())

    @classmethod
    def parse(cls, data: bytes) -> "Note":
        """Takes a signed note apart; `format` gives the same bytes again.

        Raises:
            NoteError: It is malformed, too long, or has no or too many signatures.
        """
        if len(data) > MAX_NOTE_BYTES:
            raise NoteError("the note is too long")
        try:
            written = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise NoteError("a note is UTF-8") from error
        # The last empty line divides: the text may hold others.
        text, blank, signatures = written.rpartition("\n\n")
        if not blank or not signatures.endswith("\n"):
            raise NoteError("a note is text, a blank line and signatures")
        lines = signatures[:-1].split("\n")
        if len(lines) > MAX_SIGNATURES:
            raise NoteError("the note has too many signatures")
        note = cls(text=text + "\n", signatures=tuple(_parse_line(line) for line in lines))
        _check_text(note.text)
        return note

    def format(self) -> bytes:
        """Writes the note.

        Raises:
            NoteError: The text is none that a note can hold, or nobody signed.
        """
        _check_text(self.text)
        if not 0 < len(self.signatures) <= MAX_SIGNATURES:
            raise NoteError("a note has between 1 and 100 signatures")
        return "".join((self.text, "\n", *(f"{one}\n" for one in self.signatures))).encode()


@dataclass(frozen=True)
class VerifiedSignature:
    """A signature that a known key made."""

    key: NoteKey
    time: int | None
    """For a cosignature, when it was made, in seconds since 1970 (POSIX)."""


def sign_note(sign: Callable[[bytes], bytes], *, key: NoteKey, text: str, time: int | None = None) -> NoteSignature:
    """Signs a text, or cosigns it when the key is a witness's.

    Args:
        sign: Signs a message with the key's Ed25519 private key: 64 bytes.
        key: Its public side and name.
        text: Ends in a newline.
        time: For a cosignature, and only for one: now, in seconds since 1970.

    Returns:
        The line that belongs under the text.

    Raises:
        NoteError: The text is none that a note can hold, or the time does not fit the type of the key.
    """
    _check_text(text)
    if key.type == ED25519:
        if time is not None:
            raise NoteError("only a cosignature names its time")
        return NoteSignature(name=key.name, key_id=key.key_id, signature=sign(text.encode()))
    if time is None or not 0 <= time <= MAX_TIMESTAMP:
        raise NoteError("a cosignature names its time")
    signature = time.to_bytes(_TIMESTAMP_BYTES, "big") + sign(cosignature_message(text, time))
    return NoteSignature(name=key.name, key_id=key.key_id, signature=signature)


def cosignature_message(text: str, time: int) -> bytes:
    """What a witness signs (C2SP tlog-cosignature, Ed25519): a label, the time, and the whole text of the note."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def verify_note(note: Note, keys: Collection[NoteKey]) -> tuple[VerifiedSignature, ...]:
    """Checks every signature by a known key. One that fails spoils the note; those by unknown keys say nothing.

    Args:
        note: As it was parsed.
        keys: Those that are known, each once.

    Returns:
        What known keys signed, in the note's order: at least one. A witness may have cosigned more than once.

    Raises:
        NoteError: A signature by a known key does not hold, or there is none.
    """
    known = {(key.name, key.key_id): key for key in keys}
    if len(known) != len(keys):
        raise NoteError("two of the known keys cannot be told apart")
    verified = tuple(
        _verify(note.text, one, known[one.name, one.key_id])
        for one in note.signatures
        if (one.name, one.key_id) in known
    )
    if not verified:
        raise NoteError("no known key signed the note")
    return verified


def _verify(text: str, signature: NoteSignature, key: NoteKey) -> VerifiedSignature:
    """Checks one signature by the key that it names."""
    raw, message, time = signature.signature, text.encode(), None
    if key.type == COSIGNATURE:
        time = int.from_bytes(raw[:_TIMESTAMP_BYTES], "big")
        raw, message = raw[_TIMESTAMP_BYTES:], cosignature_message(text, time)
    if len(raw) != _SIGNATURE_BYTES or (time or 0) > MAX_TIMESTAMP:
        raise NoteError("malformed signature by a known key")
    try:
        Ed25519PublicKey.from_public_bytes(key.public_key).verify(raw, message)
    except (InvalidSignature, ValueError) as error:
        raise NoteError("a known key did not make the signature in its name") from error
    return VerifiedSignature(key=key, time=time)


def _parse_line(line: str) -> NoteSignature:
    """Reads `— <name> <base64>`."""
    if not line.startswith(_DASH):
        raise NoteError("malformed signature line")
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    _check_name(name)
    raw = _unb64(encoded)
    if len(raw) <= _KEY_ID_BYTES:
        raise NoteError("malformed signature line")
    return NoteSignature(name=name, key_id=raw[:_KEY_ID_BYTES], signature=raw[_KEY_ID_BYTES:])


def _check_text(text: str) -> None:
    """A text that is not empty, ends its last line, and has no control characters but newlines."""
    if not text.endswith("\n") or any(char < " " and char != "\n" for char in text):
        raise NoteError("a note's text ends in a newline and has no other control characters")
    _check_utf8(text)


def _check_name(name: str) -> None:
    if not name or any(char < " " or char == "+" or char.isspace() for char in name):
        raise NoteError("a key's name has neither spaces nor plus signs")
    _check_utf8(name)


def _check_utf8(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NoteError("a note is UTF-8") from error


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unb64(text: str) -> bytes:
    """Reads base64 (RFC 4648 §4) in its one canonical form."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("not base64") from error
    if _b64(data) != text:
        raise NoteError("not canonical base64")
    return data
