"""How the trust file comes about: the registry makes the first one, every keyholder signs and pins it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from screening.cli.common import write_json
from screening.cli.running import CommandError
from screening.cli.trust import compact
from screening.crypto.errors import TrustError
from screening.crypto.ristretto import scalarmult_base
from screening.crypto.trust import (
    REGISTRY,
    EvaluatorEntry,
    TrustFile,
    WitnessEntry,
    build_trust_file,
    read_trust_file,
    verify_trust_file,
)

if TYPE_CHECKING:
    from screening.cli.descriptions import Description
    from screening.crypto.keyring import KeyholderKeyring, RegistryKeyring
    from screening.crypto.signing import Statement

FIRST: Final = 1


def first_trust_file(keyring: "RegistryKeyring", url: str, keyholders: Sequence["Description"]) -> "Statement":
    """Makes a registry's first trust file, signed by the registry.

    Args:
        keyring: The registry's keys.
        url: Where organisations will reach the registry.
        keyholders: What each keyholder says of itself.

    Raises:
        CommandError: These would make no trust file that anybody could accept.
    """
    from screening.identity import current_scheme

    scheme = current_scheme()
    share, signing_key = scalarmult_base(keyring.share), keyring.signing.verifying_key
    statement = build_trust_file(
        registry=keyring.registry,
        serial=FIRST,
        previous=None,
        epoch=FIRST,
        scheme_version=scheme.version,
        scheme_digest=scheme.digest,
        evaluators=[EvaluatorEntry(REGISTRY, url, share, signing_key), *(one.evaluator for one in keyholders)],
        log_origin=log_origin(keyring.registry),
        log_key=keyring.log.public_bytes,
        witnesses=[one.witness for one in keyholders],
        quorum=len(keyholders),
        issued_at=datetime.now(UTC),
    )
    try:
        read_trust_file(statement, predecessor=None)
    except TrustError as error:
        raise CommandError(error.code, f"no trust file can be made of this: {error}") from error
    return statement.sign(REGISTRY, keyring.signing)


def log_origin(registry: str) -> str:
    """The log's name; checkpoints want one that is unlike any other log's."""
    return f"{registry}/log"


def sign_and_pin(
    directory: Path, keyring: "KeyholderKeyring", statement: "Statement", fingerprint: str | None
) -> tuple[TrustFile, bool]:
    """Signs a trust file that names this keyholder with its own keys, and pins it when nobody's signature is missing.

    Args:
        directory: The keyholder's.
        keyring: Its keys.
        statement: The trust file, signed by the registry.
        fingerprint: What the operator was told over another channel, if anything.

    Returns:
        The trust file with the signature, and whether it is pinned.

    Raises:
        CommandError: It names this keyholder with other keys, or not at all, or has another fingerprint.
        TrustError: It must not be signed, is not the pinned one's successor, or somebody's signature is wrong.
    """
    from screening.evaluator.keyholder import TRUST_FILE

    predecessor = _pinned(directory, statement)
    trust = read_trust_file(statement, predecessor=predecessor)
    _check_own_entry(keyring, trust)
    told = (compact(trust.fingerprint), compact(trust.spoken_fingerprint))
    if fingerprint is not None and compact(fingerprint) not in told:
        raise CommandError("fingerprint-differs", "the trust file's fingerprint is not the one given; do not sign it")
    signed = statement.sign(keyring.keyholder, keyring.signing)
    needed = {entry.id for known in (trust, predecessor) if known for entry in known.evaluators}
    complete = needed <= {signature.signer for signature in signed.signatures}
    if complete:
        trust = verify_trust_file(signed, predecessor=predecessor)
        write_json(directory / TRUST_FILE, signed.to_json())
    else:
        trust = read_trust_file(signed, predecessor=predecessor)
    return trust, complete


def _check_own_entry(keyring: "KeyholderKeyring", trust: TrustFile) -> None:
    share, signing_key = scalarmult_base(keyring.share), keyring.signing.verifying_key
    named = [(entry.share, entry.signing_key) for entry in trust.keyholders if entry.id == keyring.keyholder]
    witness = WitnessEntry(keyring.keyholder, keyring.witness.public_bytes)
    if named != [(share, signing_key)] or witness not in trust.witnesses:
        raise CommandError(
            "other-keys", "the trust file does not name this keyholder with the keys that it has; do not sign it"
        )


def _pinned(directory: Path, statement: "Statement") -> TrustFile | None:
    """The predecessor against which a file is checked; None for a first one, and for the pinned one itself."""
    from screening.evaluator.keyholder import TRUST_FILE, read_trust

    if not (directory / TRUST_FILE).exists():
        return None  # the first that this keyholder signs; its operator compares the fingerprint
    pinned = read_trust(directory)
    return None if pinned.statement.digest == statement.digest else pinned
