"""Key files: one JSON object each, readable by their owner alone, sealed with a passphrase if there is one.

    {"kind": "organisation", "version": 1, "holder": {…}, "keys": {"signing": "…", …}}

With a passphrase, `keys` is replaced by `encryption` (Argon2id's salt and cost, a nonce) and `sealed`: the keys' JSON
under ChaCha20-Poly1305 (RFC 8439), the canonical JSON of all other fields as associated data. A file that others may
read, or that is a link or anything but a regular file, is refused; one is written whole or not at all, and never over
another.

>>> import pathlib, tempfile
>>> directory = tempfile.TemporaryDirectory()
>>> path = pathlib.Path(directory.name) / "recovery.keys.json"
>>> made = RecoveryKeyring.generate(organisation="0191f0c0-0000-7000-8000-000000000000")
>>> made.save(path)
>>> RecoveryKeyring.load(path).sealing.key_id == made.sealing.key_id
True
>>> directory.cleanup()
"""

import json
import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import argon2.low_level
from argon2.exceptions import HashingError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from screening.crypto import _private_file, ristretto
from screening.crypto.encoding import b64u, unb64u
from screening.crypto.errors import CryptoError, EncodingError, KeyringError
from screening.crypto.sealing import SealingKey
from screening.crypto.signing import SigningKey, canonical
from screening.crypto.tokens import SELF_KEY_BYTES

VERSION = 1

_SALT_BYTES = 16
_NONCE_BYTES = 12
_KEY_BYTES = 32
_COST_BOUNDS = {"memory_kib": (8, 1024 * 1024), "iterations": (1, 100), "parallelism": (1, 16)}
"""What a file may ask of who opens it: at most 1 GiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassphraseCost:
    """What Argon2id costs for each guess at a passphrase; kept in the file.

    Attributes:
        memory_kib: Memory in KiB.
        iterations: Passes over it.
        parallelism: Lanes.
    """

    memory_kib: int = 64 * 1024
    iterations: int = 3
    parallelism: int = 4


DEFAULT_COST = PassphraseCost()
"""RFC 9106 §4's second recommendation: 64 MiB, three passes, four lanes."""


class Keyring(ABC):
    """What all key files have in common."""

    __slots__ = ()

    KIND: ClassVar[str]
    HOLDER: ClassVar[tuple[str, ...]]
    """The fields that say whose keys they are."""

    @abstractmethod
    def _secrets(self) -> dict[str, bytes]:
        """The secrets by name."""

    @classmethod
    @abstractmethod
    def _from_secrets(cls, holder: Mapping[str, str], keys: "_Secrets") -> Self:
        """Makes a keyring of what a file held."""

    def save(self, path: Path, passphrase: str | None = None, *, cost: PassphraseCost = DEFAULT_COST) -> None:
        """Writes the keys into a new file of mode 0600, whole or not at all.

        Args:
            path: Where; its folder must exist.
            passphrase: Seals the keys; left out, the file's mode alone protects them.
            cost: What trying out a passphrase costs.

        Raises:
            KeyringError: There is something at `path` already, it cannot be written, or the passphrase is empty.
        """
        holder = {name: str(getattr(self, name)) for name in self.HOLDER}
        header: dict[str, Any] = {"kind": self.KIND, "version": VERSION, "holder": holder}
        keys = {name: b64u(secret) for name, secret in self._secrets().items()}
        content = {**header, "keys": keys} if passphrase is None else _sealed(header, keys, passphrase, cost)
        _private_file.write_new(path, json.dumps(content, indent=1).encode() + b"\n")

    @classmethod
    def load(cls, path: Path, passphrase: str | None = None) -> Self:
        """Reads a key file.

        Args:
            path: The file.
            passphrase: Needed if the keys are sealed; unused if they are not.

        Returns:
            The keys.

        Raises:
            KeyringError: The file is missing, readable by others, no regular file, cut short, of another kind, or
                changed; or the passphrase is missing or wrong.
        """
        content = _object(_private_file.read(path))
        if content.get("kind") != cls.KIND or content.get("version") != VERSION:
            raise KeyringError(f"{path.name} is no key file of kind {cls.KIND}, version {VERSION}")
        if "sealed" in content:
            content = _opened(content, passphrase)
        if set(content) != {"kind", "version", "holder", "keys"}:
            raise KeyringError("a field of the key file is missing or unknown")
        holder, keys = content["holder"], content["keys"]
        _check_texts(holder, cls.HOLDER)
        if not isinstance(keys, dict):
            raise KeyringError("the key file has no keys")
        remaining = _Secrets(keys)
        try:
            made = cls._from_secrets(holder, remaining)
        except CryptoError:
            raise KeyringError("a key in the file is damaged") from None
        remaining.check_all_taken()
        return made

    def __repr__(self) -> str:
        holder = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.HOLDER)
        return f"{type(self).__name__}({holder})"


class _Secrets:
    """The `keys` of a file, each taken once."""

    def __init__(self, keys: Mapping[str, object]) -> None:
        self._keys = dict(keys)

    def take(self, name: str, length: int) -> bytes:
        text = self._keys.pop(name, None)
        if not isinstance(text, str):
            raise KeyringError("a key is missing from the file")
        return unb64u(text, length=length)

    def signing(self, name: str) -> SigningKey:
        return SigningKey.from_bytes(self.take(name, 32))

    def sealing(self, name: str) -> SealingKey:
        return SealingKey.from_bytes(self.take(name, 96))

    def share(self, name: str) -> bytes:
        scalar = self.take(name, ristretto.SCALAR_BYTES)
        ristretto.check_scalar(scalar)
        return scalar

    def check_all_taken(self) -> None:
        if self._keys:
            raise KeyringError("the file has a key that is unknown here")


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class OrganisationKeyring(Keyring):
    """An organisation's keys for its daily work.

    Attributes:
        registry: The registry that they are for.
        organisation: The organisation's id.
        signing: Signs certificates, evaluation requests and record versions.
        sealing: Opens dossiers and notes.
        self_key: 32 bytes, to recognise the organisation's own candidates.
    """

    KIND: ClassVar[str] = "organisation"
    HOLDER: ClassVar[tuple[str, ...]] = ("registry", "organisation")

    registry: str
    organisation: str
    signing: SigningKey
    sealing: SealingKey
    self_key: bytes

    @classmethod
    def generate(cls, *, registry: str, organisation: str) -> Self:
        """Makes new keys."""
        self_key = secrets.token_bytes(SELF_KEY_BYTES)
        return cls(registry, organisation, SigningKey.generate(), SealingKey.generate(), self_key)

    def _secrets(self) -> dict[str, bytes]:
        return {
            "signing": self.signing.seed_bytes,
            "sealing": self.sealing.private_bytes,
            "self": self.self_key,
        }

    @classmethod
    def _from_secrets(cls, holder: Mapping[str, str], keys: _Secrets) -> Self:
        return cls(
            holder["registry"],
            holder["organisation"],
            keys.signing("signing"),
            keys.sealing("sealing"),
            keys.take("self", SELF_KEY_BYTES),
        )


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class RecoveryKeyring(Keyring):
    """An organisation's recovery key, kept offline: opens dossiers when the daily keys are lost.

    Attributes:
        organisation: The organisation's id.
        sealing: Opens the second box of every dossier.
    """

    KIND: ClassVar[str] = "recovery"
    HOLDER: ClassVar[tuple[str, ...]] = ("organisation",)

    organisation: str
    sealing: SealingKey

    @classmethod
    def generate(cls, *, organisation: str) -> Self:
        """Makes a new key."""
        return cls(organisation, SealingKey.generate())

    def _secrets(self) -> dict[str, bytes]:
        return {"sealing": self.sealing.private_bytes}

    @classmethod
    def _from_secrets(cls, holder: Mapping[str, str], keys: _Secrets) -> Self:
        return cls(holder["organisation"], keys.sealing("sealing"))


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class RegistryKeyring(Keyring):
    """The registry's keys.

    Attributes:
        registry: The registry's id.
        signing: Signs the trust file and certificates.
        log: Signs promises and checkpoints.
        share: The registry's share of the hashing key, 32 bytes.
    """

    KIND: ClassVar[str] = "registry"
    HOLDER: ClassVar[tuple[str, ...]] = ("registry",)

    registry: str
    signing: SigningKey
    log: SigningKey
    share: bytes

    @classmethod
    def generate(cls, *, registry: str) -> Self:
        """Makes new keys."""
        return cls(registry, SigningKey.generate(), SigningKey.generate(), ristretto.random_scalar())

    def _secrets(self) -> dict[str, bytes]:
        return {"signing": self.signing.seed_bytes, "log": self.log.seed_bytes, "share": self.share}

    @classmethod
    def _from_secrets(cls, holder: Mapping[str, str], keys: _Secrets) -> Self:
        return cls(holder["registry"], keys.signing("signing"), keys.signing("log"), keys.share("share"))


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class KeyholderKeyring(Keyring):
    """A keyholder's keys.

    Attributes:
        keyholder: The keyholder's id.
        signing: Signs the trust file and certificates.
        witness: Cosigns checkpoints.
        share: The keyholder's share of the hashing key, 32 bytes.
    """

    KIND: ClassVar[str] = "keyholder"
    HOLDER: ClassVar[tuple[str, ...]] = ("keyholder",)

    keyholder: str
    signing: SigningKey
    witness: SigningKey
    share: bytes

    @classmethod
    def generate(cls, *, keyholder: str) -> Self:
        """Makes new keys."""
        return cls(keyholder, SigningKey.generate(), SigningKey.generate(), ristretto.random_scalar())

    def _secrets(self) -> dict[str, bytes]:
        return {"signing": self.signing.seed_bytes, "witness": self.witness.seed_bytes, "share": self.share}

    @classmethod
    def _from_secrets(cls, holder: Mapping[str, str], keys: _Secrets) -> Self:
        return cls(holder["keyholder"], keys.signing("signing"), keys.signing("witness"), keys.share("share"))


# --- passphrase --------------------------------------------------------------------------------------------------


def _sealed(header: dict[str, Any], keys: dict[str, str], passphrase: str, cost: PassphraseCost) -> dict[str, Any]:
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    encryption = {
        "algorithm": "argon2id+chacha20-poly1305",
        "salt": b64u(salt),
        "nonce": b64u(nonce),
        **{name: getattr(cost, name) for name in _COST_BOUNDS},
    }
    head = {**header, "encryption": encryption}
    cipher = ChaCha20Poly1305(_passphrase_key(passphrase, salt, cost))
    return {**head, "sealed": b64u(cipher.encrypt(nonce, canonical(keys), canonical(head)))}


def _opened(content: dict[str, Any], passphrase: str | None) -> dict[str, Any]:
    if passphrase is None:
        raise KeyringError("the key file is sealed; its passphrase is needed")
    if set(content) != {"kind", "version", "holder", "encryption", "sealed"}:
        raise KeyringError("a field of the key file is missing or unknown")
    head = {name: value for name, value in content.items() if name != "sealed"}
    salt, nonce, cost = _encryption(content["encryption"])
    try:
        sealed = unb64u(content["sealed"])
        keys = ChaCha20Poly1305(_passphrase_key(passphrase, salt, cost)).decrypt(nonce, sealed, canonical(head))
    except (InvalidTag, EncodingError):
        raise KeyringError("the passphrase is wrong, or the key file was changed") from None
    return {"kind": content["kind"], "version": VERSION, "holder": content["holder"], "keys": _object(keys)}


def _encryption(value: object) -> tuple[bytes, bytes, PassphraseCost]:
    if not isinstance(value, dict) or set(value) != {"algorithm", "salt", "nonce", *_COST_BOUNDS}:
        raise KeyringError("the key file does not say how it is sealed")
    if value["algorithm"] != "argon2id+chacha20-poly1305":
        raise KeyringError("the key file is sealed in a way that is unknown here")
    for name, (least, most) in _COST_BOUNDS.items():
        if type(value[name]) is not int or not least <= value[name] <= most:
            raise KeyringError(f"the key file's {name} is out of bounds")
    try:
        salt, nonce = unb64u(value["salt"], length=_SALT_BYTES), unb64u(value["nonce"], length=_NONCE_BYTES)
    except EncodingError:
        raise KeyringError("the key file does not say how it is sealed") from None
    return salt, nonce, PassphraseCost(**{name: value[name] for name in _COST_BOUNDS})


def _passphrase_key(passphrase: str, salt: bytes, cost: PassphraseCost) -> bytes:
    if not passphrase:
        raise KeyringError("a passphrase must not be empty")
    try:
        return argon2.low_level.hash_secret_raw(
            passphrase.encode(),
            salt,
            time_cost=cost.iterations,
            memory_cost=cost.memory_kib,
            parallelism=cost.parallelism,
            hash_len=_KEY_BYTES,
            type=argon2.low_level.Type.ID,
        )
    except (HashingError, UnicodeEncodeError):
        raise KeyringError("no key can be derived from this passphrase here") from None


def _object(content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        raise KeyringError("the key file is damaged: it is not JSON") from None
    if not isinstance(value, dict):
        raise KeyringError("the key file is damaged: it is no JSON object")
    return value


def _check_texts(value: object, names: tuple[str, ...]) -> None:
    if not isinstance(value, dict) or set(value) != set(names) or not all(isinstance(t, str) for t in value.values()):
        raise KeyringError("the key file does not say whose keys it holds")
