"""How a keyholder signs the trust file and pins it."""

from pathlib import Path
from typing import TYPE_CHECKING

from screening.cli.common import write_json
from screening.cli.running import CommandError
from screening.crypto.encoding import b64u
from screening.crypto.errors import TrustError
from screening.crypto.ristretto import scalarmult_base
from screening.crypto.trust import verify_trust_file
from screening.evaluator.keyholder import TRUST_FILE, read_trust

if TYPE_CHECKING:
    from screening.crypto.keyring import KeyholderKeyring
    from screening.crypto.signing import Statement
    from screening.crypto.trust import TrustFile


def sign(
    directory: Path, keyring: "KeyholderKeyring", statement: "Statement", fingerprint: str | None
) -> tuple["Statement", str, bool]:
    """Signs a trust file that names this keyholder with its own keys, and pins it when nobody's signature is missing.

    Args:
        directory: The keyholder's.
        keyring: Its keys.
        statement: The trust file, signed by the registry at least.
        fingerprint: What the operator was told over another channel, if anything.

    Returns:
        The trust file with the signature, the fingerprint to compare, and whether it is pinned.

    Raises:
        CommandError: It names this keyholder with other keys, or not at all, or has another fingerprint.
        TrustError: It is complete and does not verify, or is not the successor of the pinned one.
    """
    _check_own_entry(keyring, statement)
    spoken, whole = _fingerprints(statement)
    if fingerprint is not None and _compact(fingerprint) not in (_compact(spoken), whole):
        raise CommandError("fingerprint-differs", "the trust file's fingerprint is not the one given; do not sign it")
    signed = statement.sign(keyring.keyholder, keyring.signing)
    expected = {str(entry.get("id")) for entry in statement.body["evaluators"]}
    complete = expected <= {signature.signer for signature in signed.signatures}
    if complete:
        verify_trust_file(signed, predecessor=_pinned(directory, signed))
        write_json(directory / TRUST_FILE, signed.to_json())
    return signed, spoken, complete


def _check_own_entry(keyring: "KeyholderKeyring", statement: "Statement") -> None:
    entries = statement.body.get("evaluators")
    witnesses = statement.body.get("witnesses")
    if not isinstance(entries, list) or not isinstance(witnesses, list):
        raise CommandError("trust-file", "this is no trust file")
    own = [entry for entry in entries if isinstance(entry, dict) and entry.get("id") == keyring.keyholder]
    expected = {"share": b64u(scalarmult_base(keyring.share)), "signing_key": b64u(keyring.signing.public_bytes)}
    if len(own) != 1 or any(own[0].get(name) != value for name, value in expected.items()):
        raise CommandError(
            "other-keys", "the trust file does not name this keyholder with its own keys; do not sign it"
        )
    if {"name": keyring.keyholder, "key": b64u(keyring.witness.public_bytes)} not in witnesses:
        raise CommandError("other-keys", "the trust file does not name this keyholder's witness key; do not sign it")


def _pinned(directory: Path, statement: "Statement") -> "TrustFile | None":
    """The predecessor against which a file is verified; None for a first one, and for the pinned one itself."""
    if not (directory / TRUST_FILE).exists():
        if statement.body.get("serial") != 1:
            raise TrustError("predecessor-missing", "this keyholder has pinned no predecessor of this trust file")
        return None
    pinned = read_trust(directory)
    return None if pinned.statement.digest == statement.digest else pinned


def _fingerprints(statement: "Statement") -> tuple[str, str]:
    from screening.crypto.trust import fingerprint, spoken_fingerprint

    whole = fingerprint(statement.body)
    return spoken_fingerprint(whole), whole


def _compact(fingerprint: str) -> str:
    return "".join(fingerprint.replace("-", " ").replace(":", " ").split()).lower()
