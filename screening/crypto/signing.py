"""Statements: what somebody said, and their Ed25519 signatures over it (RFC 8032, RFC 8785).

A signature is made over `screening/1/`, the statement's type, a zero byte and the canonical JSON of the body: one made
for one type of statement is worth nothing for another.

>>> key = SigningKey.generate()
>>> statement = Statement.of({"type": "record-approval", "number": 1}).sign("organisation", key)
>>> read = Statement.from_json(statement.to_json(), expected_type="record-approval")
>>> read.verify("organisation", VerifyingKey.from_bytes(key.public_bytes))
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from screening.crypto.encoding import b64u, unb64u
from screening.crypto.errors import EncodingError, SignatureError

KEY_BYTES = 32
SIGNATURE_BYTES = 64
MAX_SIGNATURES = 64
"""More than any statement needs, and few enough that checking them all costs little."""

_KEY_LABEL = b"screening/1/key\x00"
_STATEMENT_LABEL = b"screening/1/"
_KEY_ID = re.compile(r"[0-9a-f]{32}\Z")

_SMALL_ORDER_KEYS = frozenset(
    bytes.fromhex(encoding)
    for encoding in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
)
"""Every encoding of a point of order 1, 2, 4 or 8, sign bit cleared. RFC 8032 does not exclude them as public keys, yet
anyone can write a signature that verifies under such a key, so whoever published one could deny what it signed."""


def key_id(public: bytes) -> str:
    """Names a public key of any kind: the first 16 bytes of SHA-256 over a label and the key, in hex."""
    return hashlib.sha256(_KEY_LABEL + public).digest()[:16].hex()


def canonical(body: Mapping[str, object]) -> bytes:
    """Writes a JSON object in its one canonical form (RFC 8785).

    Args:
        body: Of strings, booleans, null, lists, objects and integers up to 2^53.

    Returns:
        UTF-8 bytes.

    Raises:
        EncodingError: Something in it has no canonical form here. Fractions have none: no statement needs them, and
            1 and 1.0 would be two values with one signature.
    """
    try:
        _refuse_fractions(body)
        return rfc8785.dumps(dict(body))  # type: ignore[arg-type]  # dumps refuses what is no JSON value itself
    except (rfc8785.CanonicalizationError, RecursionError):
        raise EncodingError("this has no canonical JSON") from None


def body_digest(body: Mapping[str, object]) -> str:
    """The SHA-256 of a body's canonical JSON, in hex."""
    return hashlib.sha256(canonical(body)).hexdigest()


class VerifyingKey:
    """A public Ed25519 key."""

    __slots__ = ("_key", "public_bytes")

    def __init__(self, public: bytes) -> None:
        if not isinstance(public, bytes) or len(public) != KEY_BYTES:
            raise SignatureError(f"a verifying key has {KEY_BYTES} bytes")
        if public[:-1] + bytes([public[-1] & 0x7F]) in _SMALL_ORDER_KEYS:
            raise SignatureError("anyone could sign for this verifying key")
        self.public_bytes = public
        self._key = Ed25519PublicKey.from_public_bytes(public)

    @classmethod
    def from_bytes(cls, public: bytes) -> Self:
        """Reads a key of 32 bytes; raises SignatureError if it is of another length or of small order."""
        return cls(public)

    @property
    def key_id(self) -> str:
        """The key's name."""
        return key_id(self.public_bytes)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Checks a signature.

        Args:
            signature: 64 bytes.
            message: What must have been signed.

        Raises:
            SignatureError: It is not this key's signature over this message.
        """
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            raise SignatureError("the signature is wrong") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VerifyingKey) and self.public_bytes == other.public_bytes

    def __hash__(self) -> int:
        return hash(self.public_bytes)

    def __repr__(self) -> str:
        return f"VerifyingKey({self.key_id})"


class SigningKey:
    """A private Ed25519 key. Its repr shows the public key's id alone."""

    __slots__ = ("_key", "key_id", "public_bytes")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_bytes = key.public_key().public_bytes_raw()
        self.key_id = key_id(self.public_bytes)

    @classmethod
    def generate(cls) -> Self:
        """Makes a new key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_bytes(cls, seed: bytes) -> Self:
        """Reads a key from its seed of 32 bytes (RFC 8032 §5.1.5); raises SignatureError on another length."""
        if not isinstance(seed, bytes) or len(seed) != KEY_BYTES:
            raise SignatureError(f"a signing key has {KEY_BYTES} bytes")
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @property
    def seed_bytes(self) -> bytes:
        """The secret itself, to be written into a key file and nowhere else."""
        return self._key.private_bytes_raw()

    @property
    def verifying_key(self) -> VerifyingKey:
        """The public half."""
        return VerifyingKey(self.public_bytes)

    def sign(self, message: bytes) -> bytes:
        """Signs a message; 64 bytes."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return f"SigningKey({self.key_id})"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature under a statement.

    Attributes:
        signer: `organisation`, `registry` or a keyholder's id.
        key: The id of the key that made it.
        signature: 64 bytes.
    """

    signer: str
    key: str
    signature: bytes

    def to_json(self) -> dict[str, str]:
        """The signature as it travels."""
        return {"signer": self.signer, "key": self.key, "signature": b64u(self.signature)}

    @classmethod
    def from_json(cls, obj: object) -> Self:
        """Reads one signature; raises EncodingError if it has another shape."""
        if not isinstance(obj, dict) or set(obj) != {"signer", "key", "signature"}:
            raise EncodingError("a signature has exactly signer, key and signature")
        signer, key = obj["signer"], obj["key"]
        if not isinstance(signer, str) or not 1 <= len(signer) <= 64:
            raise EncodingError("a signer is a text of 1 to 64 characters")
        if not isinstance(key, str) or not _KEY_ID.match(key):
            raise EncodingError("a key id has 32 lower-case hexadecimal digits")
        return cls(signer, key, unb64u(obj["signature"], length=SIGNATURE_BYTES))


@dataclass(frozen=True, slots=True)
class Statement:
    """A body and the signatures under it.

    Holding a `Statement` proves nothing: call `verify`, with a key that is known from elsewhere.

    Attributes:
        body: A JSON object with its `type`. It must not be changed.
        signatures: At most one of each signer and key.
    """

    body: Mapping[str, Any]
    signatures: tuple[Signature, ...] = ()

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Makes a statement that nobody has signed yet; raises EncodingError if the body cannot be signed."""
        if not isinstance(body.get("type"), str):
            raise EncodingError("a statement needs a type")
        canonical(body)
        return cls(dict(body))

    @classmethod
    def from_json(cls, obj: object, *, expected_type: str) -> Self:
        """Reads a statement strictly. Its signatures are not checked here.

        Args:
            obj: What was decoded from JSON.
            expected_type: The type that it must have.

        Returns:
            The statement.

        Raises:
            EncodingError: It has another shape or type, no or too many signatures, two of one signer and key, or
                something without canonical JSON.
        """
        if not isinstance(obj, dict) or set(obj) != {"body", "signatures"}:
            raise EncodingError("a statement has exactly body and signatures")
        body, signatures = obj["body"], obj["signatures"]
        if not isinstance(body, dict) or body.get("type") != expected_type:
            raise EncodingError("a statement of another type is needed here")
        if not isinstance(signatures, list) or not 1 <= len(signatures) <= MAX_SIGNATURES:
            raise EncodingError(f"a statement has 1 to {MAX_SIGNATURES} signatures")
        read = tuple(Signature.from_json(signature) for signature in signatures)
        if len({(signature.signer, signature.key) for signature in read}) != len(read):
            raise EncodingError("a statement has one signature of each signer and key")
        canonical(body)
        return cls(body, read)

    def to_json(self) -> dict[str, Any]:
        """The statement as it travels."""
        return {"body": dict(self.body), "signatures": [signature.to_json() for signature in self.signatures]}

    @property
    def type(self) -> str:
        """What kind of statement it is."""
        return str(self.body["type"])

    @property
    def digest(self) -> str:
        """The SHA-256 of the body's canonical JSON, in hex. Signatures are not part of it."""
        return body_digest(self.body)

    def signed_message(self) -> bytes:
        """The bytes that a signature is made over."""
        return _STATEMENT_LABEL + self.type.encode() + b"\x00" + canonical(self.body)

    def sign(self, signer: str, key: SigningKey) -> "Statement":
        """Adds a signature; one that this signer made with this key before is replaced.

        Args:
            signer: `organisation`, `registry` or a keyholder's id.
            key: The signer's key.

        Returns:
            The statement with one more signature.
        """
        others = tuple(s for s in self.signatures if (s.signer, s.key) != (signer, key.key_id))
        made = Signature(signer, key.key_id, key.sign(self.signed_message()))
        return Statement(self.body, (*others, made))

    def verify(self, signer: str, key: VerifyingKey) -> None:
        """Checks that a signer signed this with a key.

        Args:
            signer: Who must have signed.
            key: The signer's key, known from a trust file or a certificate and never from this statement's sender.

        Raises:
            SignatureError: There is no such signature, or it is wrong.
        """
        wanted = (signer, key.key_id)
        for signature in self.signatures:
            if (signature.signer, signature.key) == wanted:
                key.verify(signature.signature, self.signed_message())
                return
        raise SignatureError("the signature that is needed is missing")


def _refuse_fractions(value: object) -> None:
    if isinstance(value, float):
        raise EncodingError("a statement has no fractions")
    if isinstance(value, Mapping):
        for item in value.values():
            _refuse_fractions(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_fractions(item)
