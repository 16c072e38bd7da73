"""What a client trusts, and how it knows: the trust file and organisations' certificates.

A *trust file* names a registry's evaluators with their public shares and keys, its log and its parameters. Every
evaluator in it signs it, and a successor also needs the signature of every evaluator of its predecessor. It is pinned
once, after comparing its fingerprint over a second channel; nothing in it is ever taken from an answer.

An *organisation's certificate* holds its public keys. It is signed by the organisation, and countersigned by the
registry and by at least one keyholder that checked the keys with the organisation.

Whatever is wrong raises TrustError, with a code of its own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from screening.crypto import ristretto, voprf
from screening.crypto._certificates import (
    CERTIFICATE,
    OrganisationCertificate,
    build_certificate,
    verify_certificate,
)
from screening.crypto._reading import (
    DIGEST,
    ID,
    MAX_NUMBER,
    ORGANISATION,
    REGISTRY,
    Fields,
    check_signature,
    fingerprint,
    spoken_fingerprint,
    write_time,
)
from screening.crypto.encoding import b64u
from screening.crypto.errors import CryptoError, PointError, TrustError
from screening.crypto.signing import Statement, VerifyingKey
from screening.crypto.stretch import DEFAULT, StretchParameters

__all__ = [
    "CERTIFICATE",
    "MINIMUM_STRETCH",
    "ORGANISATION",
    "REGISTRY",
    "SUITE",
    "TRUST_FILE",
    "EvaluatorEntry",
    "OrganisationCertificate",
    "TrustFile",
    "WitnessEntry",
    "build_certificate",
    "build_trust_file",
    "fingerprint",
    "read_trust_file",
    "spoken_fingerprint",
    "verify_certificate",
    "verify_trust_file",
]

TRUST_FILE = "trust-file"
SUITE = "ristretto255-SHA512"

MINIMUM_STRETCH = DEFAULT
"""The weakest stretching that a trust file may ask for. Tests put a cheaper one here."""

MAX_EVALUATORS = 16
MAX_WITNESSES = 32

_TRUST_FIELDS = (
    *("type", "version", "registry", "serial", "previous", "epoch", "scheme", "suite", "stretch"),
    *("evaluators", "log", "witnesses", "quorum", "issued_at"),
)
_LOG_NAME = re.compile(r"[!-*,-~]{1,200}", re.ASCII)
"""A key name of the C2SP signed note: no white space, no plus sign."""


@dataclass(frozen=True, slots=True)
class EvaluatorEntry:
    """One evaluator as a trust file names it.

    Attributes:
        id: `registry`, or the keyholder's id.
        url: Where it answers: https, or http on loopback.
        share: Its public share, 32 bytes.
        signing_key: Signs the trust file and certificates.
    """

    id: str
    url: str
    share: bytes
    signing_key: VerifyingKey

    def to_json(self) -> dict[str, str]:
        """The entry as the trust file states it."""
        key = b64u(self.signing_key.public_bytes)
        return {"id": self.id, "url": self.url, "share": b64u(self.share), "signing_key": key}


@dataclass(frozen=True, slots=True)
class WitnessEntry:
    """One witness of the log.

    Attributes:
        name: Its name.
        key: Its public Ed25519 key, 32 bytes.
    """

    name: str
    key: bytes

    def to_json(self) -> dict[str, str]:
        """The entry as the trust file states it."""
        return {"name": self.name, "key": b64u(self.key)}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustFile:
    """A trust file's content, made by `verify_trust_file` (or, before it is signed, by `read_trust_file`).

    Attributes:
        registry: The registry's id.
        serial: 1 for the first, one more for each successor.
        previous: The predecessor's digest in hex; None for the first.
        epoch: The epoch of the hashing key.
        scheme_version: The matching scheme's version.
        scheme_digest: The matching scheme's digest, in hex.
        stretch: What Argon2id costs.
        evaluators: The registry first, then the keyholders.
        log_origin: The log's name.
        log_key: The log's public Ed25519 key, 32 bytes.
        witnesses: Who cosigns checkpoints.
        quorum: How many cosignatures a checkpoint needs.
        issued_at: When it was made.
        statement: The statement itself, with its signatures.
    """

    registry: str
    serial: int
    previous: str | None
    epoch: int
    scheme_version: int
    scheme_digest: str
    stretch: StretchParameters
    evaluators: tuple[EvaluatorEntry, ...]
    log_origin: str
    log_key: bytes
    witnesses: tuple[WitnessEntry, ...]
    quorum: int
    issued_at: datetime
    statement: Statement

    @property
    def fingerprint(self) -> str:
        """What identifies it, in hex."""
        return fingerprint(self.statement.body)

    @property
    def spoken_fingerprint(self) -> str:
        """The fingerprint's first half, to be read aloud."""
        return spoken_fingerprint(self.fingerprint)

    @property
    def keyholders(self) -> tuple[EvaluatorEntry, ...]:
        """The evaluators other than the registry."""
        return self.evaluators[1:]


# --- trust file --------------------------------------------------------------------------------------------------


def build_trust_file(
    *,
    registry: str,
    serial: int,
    previous: str | None,
    epoch: int,
    scheme_version: int,
    scheme_digest: str,
    evaluators: Sequence[EvaluatorEntry],
    log_origin: str,
    log_key: bytes,
    witnesses: Sequence[WitnessEntry],
    quorum: int,
    issued_at: datetime,
    stretch: StretchParameters = DEFAULT,
) -> Statement:
    """Makes a trust file that nobody has signed yet; then each evaluator signs with its id and signing key.

    The arguments are `TrustFile`'s attributes of the same names. They are checked when the file is read.

    Returns:
        The unsigned statement.

    Raises:
        EncodingError: An argument has no canonical JSON.
        TrustError: `issued_at` has no zone.
    """
    return Statement.of(
        {
            "type": TRUST_FILE,
            "version": 1,
            "registry": registry,
            "serial": serial,
            "previous": previous,
            "epoch": epoch,
            "scheme": {"version": scheme_version, "digest": scheme_digest},
            "suite": SUITE,
            "stretch": stretch.to_json(),
            "evaluators": [evaluator.to_json() for evaluator in evaluators],
            "log": {"origin": log_origin, "key": b64u(log_key)},
            "witnesses": [witness.to_json() for witness in witnesses],
            "quorum": quorum,
            "issued_at": write_time(issued_at),
        }
    )


def verify_trust_file(
    statement: Statement, *, predecessor: TrustFile | None, minimum: StretchParameters | None = None
) -> TrustFile:
    """Checks a trust file: its content, all signatures, and that it follows the one before.

    Args:
        statement: The trust file.
        predecessor: The pinned one that it is to follow. None for one whose fingerprint is compared, and which is
            pinned, for the first time, or which is the pinned one itself.
        minimum: The weakest stretching to accept; `MINIMUM_STRETCH` when left out.

    Returns:
        Its content.

    Raises:
        TrustError: It must not be trusted; `code` says why.
    """
    trust = read_trust_file(statement, predecessor=predecessor, minimum=minimum)
    for evaluator in trust.evaluators:
        check_signature(statement, evaluator.id, evaluator.signing_key, "signature")
    for evaluator in predecessor.evaluators if predecessor else ():
        check_signature(statement, evaluator.id, evaluator.signing_key, "predecessor-signature")
    return trust


def read_trust_file(
    statement: Statement, *, predecessor: TrustFile | None, minimum: StretchParameters | None = None
) -> TrustFile:
    """Checks all of a trust file but its signatures: for an evaluator that is about to add its own.

    Args:
        statement: The trust file.
        predecessor: As for `verify_trust_file`.
        minimum: As for `verify_trust_file`.

    Returns:
        Its content.

    Raises:
        TrustError: It must not be signed; `code` says why.
    """
    trust = _read_trust_file(statement)
    _check_evaluators(trust.evaluators)
    if len({witness.name for witness in trust.witnesses}) != len(trust.witnesses):
        raise TrustError("witness-duplicate", "two witnesses have one name")
    if len({witness.key for witness in trust.witnesses}) != len(trust.witnesses):
        raise TrustError("witness-duplicate", "two witnesses have one key")
    if trust.quorum > len(trust.witnesses):
        raise TrustError("quorum-impossible", "there are fewer witnesses than the quorum asks for")
    if trust.stretch.is_weaker_than(minimum or MINIMUM_STRETCH):
        raise TrustError("stretch-weak", "its stretching is weaker than what is accepted")
    if (trust.serial == 1) != (trust.previous is None):
        raise TrustError("previous-differs", "a first trust file has no predecessor, and every other has one")
    if predecessor is not None:
        _check_succession(trust, predecessor)
    return trust


def _read_trust_file(statement: Statement) -> TrustFile:
    fields = Fields(statement.body, _TRUST_FIELDS, "the trust file")
    fields.exactly("type", TRUST_FILE, "type-unknown")
    fields.exactly("version", 1, "version-unknown")
    fields.exactly("suite", SUITE, "suite-unknown")
    scheme = Fields(fields.raw("scheme"), ("version", "digest"), "the scheme")
    log = Fields(fields.raw("log"), ("origin", "key"), "the log")
    try:
        stretch = StretchParameters.from_json(fields.raw("stretch"))
    except CryptoError as error:
        raise TrustError("stretch-invalid", str(error)) from None
    return TrustFile(
        registry=fields.matching("registry", ID, "an id"),
        serial=fields.integer("serial", 1, MAX_NUMBER),
        previous=None if fields.raw("previous") is None else fields.matching("previous", DIGEST, "a digest"),
        epoch=fields.integer("epoch", 1, MAX_NUMBER),
        scheme_version=scheme.integer("version", 1, 2**16 - 1),
        scheme_digest=scheme.matching("digest", DIGEST, "a digest"),
        stretch=stretch,
        evaluators=tuple(_read_evaluator(item) for item in fields.items("evaluators", MAX_EVALUATORS)),
        log_origin=log.matching("origin", _LOG_NAME, "a name without white space and plus signs"),
        log_key=log.verifying_key("key").public_bytes,
        witnesses=tuple(_read_witness(item) for item in fields.items("witnesses", MAX_WITNESSES)),
        quorum=fields.integer("quorum", 0, MAX_WITNESSES),
        issued_at=fields.time("issued_at"),
        statement=statement,
    )


def _read_evaluator(item: object) -> EvaluatorEntry:
    fields = Fields(item, ("id", "url", "share", "signing_key"), "an evaluator")
    share = fields.data("share", ristretto.ELEMENT_BYTES)
    try:
        ristretto.check_element(share)
    except PointError:
        raise TrustError("share-invalid", "an evaluator's share is no element, or the identity") from None
    return EvaluatorEntry(
        id=fields.matching("id", ID, "an id"),
        url=_check_url(fields.raw("url")),
        share=share,
        signing_key=fields.verifying_key("signing_key"),
    )


def _read_witness(item: object) -> WitnessEntry:
    fields = Fields(item, ("name", "key"), "a witness")
    name = fields.matching("name", _LOG_NAME, "a name without white space and plus signs")
    return WitnessEntry(name, fields.verifying_key("key").public_bytes)


def _check_evaluators(evaluators: Sequence[EvaluatorEntry]) -> None:
    if not evaluators or evaluators[0].id != REGISTRY:
        raise TrustError("registry-missing", "the first evaluator must be the registry")
    if len(evaluators) < 2:
        raise TrustError("keyholder-missing", "at least one keyholder is needed: no party alone may hold the key")
    ids = {evaluator.id for evaluator in evaluators}
    if len(ids) != len(evaluators) or ORGANISATION in ids:
        raise TrustError("evaluator-duplicate", "two evaluators have one id, or one that is taken")
    if len({evaluator.share for evaluator in evaluators}) != len(evaluators):
        raise TrustError("share-duplicate", "two evaluators have one share")
    if len({evaluator.signing_key for evaluator in evaluators}) != len(evaluators):
        raise TrustError("key-duplicate", "two evaluators have one signing key")
    _sum_of_shares(evaluators)


def _sum_of_shares(evaluators: Sequence[EvaluatorEntry]) -> bytes:
    """The public half of the whole hashing key."""
    try:
        return voprf.combine([[evaluator.share] for evaluator in evaluators])[0]
    except PointError:
        raise TrustError("share-invalid", "the evaluators' shares cancel each other out") from None


def _check_succession(trust: TrustFile, predecessor: TrustFile) -> None:
    if trust.registry != predecessor.registry:
        raise TrustError("registry-differs", "it is another registry's")
    if trust.serial != predecessor.serial + 1:
        raise TrustError("serial-differs", "its serial number does not follow that of the predecessor")
    if trust.previous != predecessor.statement.digest:
        raise TrustError("previous-differs", "it follows another trust file than the predecessor")
    if trust.epoch < predecessor.epoch:
        raise TrustError("epoch-differs", "its epoch is before that of the predecessor")
    same_tokens = trust.stretch == predecessor.stretch and _sum_of_shares(trust.evaluators) == _sum_of_shares(
        predecessor.evaluators
    )
    if trust.epoch == predecessor.epoch and not same_tokens:
        raise TrustError("epoch-differs", "the tokens would change without a new epoch, and nothing would match")


def _check_url(url: object) -> str:
    """Refuses what is neither https nor http on loopback, and what hides where it leads."""
    refused = TrustError("url-insecure", "an evaluator's URL must be https, or http on loopback, and nothing but that")
    if not isinstance(url, str) or len(url) > 300 or not url.isascii() or not url.isprintable() or " " in url:
        raise refused
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise refused from None
    if not host or port == 0 or parts.username is not None or "\\" in url or "?" in url or "#" in url:
        raise refused
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise refused
    return url


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
