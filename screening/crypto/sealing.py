"""Sealed boxes: HPKE (RFC 9180, base mode, single shot) with X-Wing, which combines ML-KEM-768 and X25519.

A box is the suite's number (two bytes, big-endian) and HPKE's output; only its recipient opens it, and only for the
purpose that it was sealed for: HPKE's `info` binds label, registry, object, version and the recipient's key id. The
content is padded to a multiple of 256 bytes, so that a box shows no more than that of its length. HPKE says nothing of
who sealed; what must be authentic is signed (`screening.crypto.signing`).

>>> key = SealingKey.generate()
>>> box = seal(key.public_bytes, b"content", label="dossier", registry="demo", object_id="1", version=1)
>>> key.open(box, label="dossier", registry="demo", object_id="1", version=1)
b'content'
"""

from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from screening.crypto.encoding import lp
from screening.crypto.errors import EncodingError, SealError, UnknownSuiteError
from screening.crypto.signing import key_id

X25519_BYTES = 32
ML_KEM_SEED_BYTES = 64
ML_KEM_PUBLIC_BYTES = 1184
PRIVATE_BYTES = X25519_BYTES + ML_KEM_SEED_BYTES
PUBLIC_BYTES = ML_KEM_PUBLIC_BYTES + X25519_BYTES

PADDING = 256
MAX_CONTENT_BYTES = 1024 * 1024

SUITE = 1
"""The only suite so far. X-Wing is a draft (draft-connolly-cfrg-xwing-kem), hence the number in every box."""

_SUITE_BYTES = 2
_LENGTH_BYTES = 4
_HPKE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


class SealingKey:
    """A private key that opens boxes. Its repr shows the public key's id alone."""

    __slots__ = ("_key", "_ml_kem", "_x25519", "key_id", "public_bytes")

    def __init__(self, ml_kem: MLKEM768PrivateKey, x25519: X25519PrivateKey) -> None:
        self._ml_kem = ml_kem
        self._x25519 = x25519
        self._key = MLKEM768X25519PrivateKey(ml_kem, x25519)
        self.public_bytes = ml_kem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
        self.key_id = key_id(self.public_bytes)

    @classmethod
    def generate(cls) -> Self:
        """Makes a new key."""
        return cls(MLKEM768PrivateKey.generate(), X25519PrivateKey.generate())

    @classmethod
    def from_bytes(cls, private: bytes) -> Self:
        """Reads a key from X25519's 32 bytes and ML-KEM's seed of 64; raises SealError on another length."""
        if not isinstance(private, bytes) or len(private) != PRIVATE_BYTES:
            raise SealError(f"a sealing key has {PRIVATE_BYTES} bytes")
        return cls(
            MLKEM768PrivateKey.from_seed_bytes(private[X25519_BYTES:]),
            X25519PrivateKey.from_private_bytes(private[:X25519_BYTES]),
        )

    @property
    def private_bytes(self) -> bytes:
        """The secret itself, 96 bytes, to be written into a key file and nowhere else."""
        return self._x25519.private_bytes_raw() + self._ml_kem.private_bytes_raw()

    def open(self, box: bytes, *, label: str, registry: str, object_id: str, version: int) -> bytes:
        """Opens a box that was sealed to this key for this purpose.

        Args:
            box: What `seal` made.
            label: What the content is, such as `dossier`.
            registry: The registry's id.
            object_id: The id of the object that the box belongs to.
            version: The object's version.

        Returns:
            The content.

        Raises:
            UnknownSuiteError: It was sealed with a suite that this version does not know.
            SealError: It was sealed to another key or for another purpose, changed, cut short, or padded wrongly.
        """
        info = _info(label, registry, object_id, version, self.key_id)
        if not isinstance(box, bytes) or len(box) < _SUITE_BYTES:
            raise SealError("not a sealed box")
        if int.from_bytes(box[:_SUITE_BYTES], "big") != SUITE:
            raise UnknownSuiteError("the box was sealed with a suite that this version does not know")
        try:
            padded = _HPKE.decrypt(box[_SUITE_BYTES:], self._key, info)
        except (InvalidTag, ValueError):
            raise SealError("the box does not open: another key or purpose, or it was changed") from None
        return _unpad(padded)

    def __repr__(self) -> str:
        return f"SealingKey({self.key_id})"


def check_sealing_key(public: bytes) -> None:
    """Refuses what nothing can be sealed to.

    Args:
        public: A public key of 1,216 bytes: ML-KEM-768's, then X25519's.

    Raises:
        SealError: It has another length, or one of the two is no public key.
    """
    _encrypt(public, b"", b"")


def seal(public: bytes, content: bytes, *, label: str, registry: str, object_id: str, version: int) -> bytes:
    """Seals content to a public key.

    Args:
        public: The recipient's public key, 1,216 bytes, from a verified certificate.
        content: At most 1 MiB.
        label: What the content is, such as `dossier`.
        registry: The registry's id.
        object_id: The id of the object that the box belongs to.
        version: The object's version.

    Returns:
        The box.

    Raises:
        SealError: The public key is none, the content too long, or the purpose cannot be written.
    """
    if len(content) > MAX_CONTENT_BYTES:
        raise SealError(f"at most {MAX_CONTENT_BYTES} bytes can be sealed")
    info = _info(label, registry, object_id, version, key_id(public))
    return SUITE.to_bytes(_SUITE_BYTES, "big") + _encrypt(public, _pad(content), info)


def _encrypt(public: bytes, plaintext: bytes, info: bytes) -> bytes:
    if not isinstance(public, bytes) or len(public) != PUBLIC_BYTES:
        raise SealError(f"a public sealing key has {PUBLIC_BYTES} bytes")
    try:
        key = MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(public[:ML_KEM_PUBLIC_BYTES]),
            X25519PublicKey.from_public_bytes(public[ML_KEM_PUBLIC_BYTES:]),
        )
        # An X25519 key of small order, with which all secrets would be zero, is refused only here.
        return _HPKE.encrypt(plaintext, key, info)
    except ValueError:
        raise SealError("nothing can be sealed to this public key") from None


def _info(label: str, registry: str, object_id: str, version: int, recipient: str) -> bytes:
    if type(version) is not int or version < 0:
        raise SealError("a version is an integer from 0")
    try:
        return lp(*(part.encode() for part in (label, registry, object_id, str(version), recipient)))
    except (EncodingError, UnicodeEncodeError):
        raise SealError("the purpose of a box must be short, valid text") from None


def _pad(content: bytes) -> bytes:
    framed = len(content).to_bytes(_LENGTH_BYTES, "big") + content
    return framed + bytes(-len(framed) % PADDING)


def _unpad(padded: bytes) -> bytes:
    length = int.from_bytes(padded[:_LENGTH_BYTES], "big")
    content = padded[_LENGTH_BYTES : _LENGTH_BYTES + length]
    if len(content) != length or _pad(content) != padded:
        raise SealError("the box was padded wrongly")
    return content
