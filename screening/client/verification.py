"""What a client checks in the registry's answers, so that a registry that misbehaves is found out and named.

| what | checked against | error |
|---|---|---|
| a promise | the log's key and origin in the pinned trust file | `RegistryMisbehavedError` |
| a certificate | the organisation asked for; its, the registry's and a keyholder's signature | `CertificateError` |
| a record, its versions and approvals | its owner's keys; the chain; entries and dossier | `RecordSignatureError` |

A trust file is checked by `Profile.pin_trust` and `Profile.replace_trust`, an evaluation by `evaluation`, an answer to
screenings by `screening_checks`. Nothing here asks anybody anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from audit.promise import PromiseError
from audit.promise import verify_promise as verify_log_promise
from screening.client.errors import CertificateError, RecordSignatureError, RegistryMisbehavedError
from screening.crypto.encoding import unb64u
from screening.crypto.errors import CryptoError, EncodingError, SignatureError, TrustError
from screening.crypto.signing import Statement, body_digest, key_id
from screening.crypto.tokens import entries_digest
from screening.crypto.trust import OrganisationCertificate, TrustFile, verify_certificate

CLOCK_TOLERANCE: Final = timedelta(seconds=300)
_ENTRY_BYTES = 18
_MATCHED_STATES = frozenset({"active", "disputed", "under_appeal", "suspended"})
_EMPTIED_STATES = frozenset({"withdrawn", "expired"})


@dataclass(frozen=True)
class VerifiedVersion:
    """One version of a record, as its owner signed it.

    Attributes:
        number: 1, 2, ...
        state: What the registry says of this version.
        statement: The signed `record-version`.
        entries: The entries of 18 bytes, sorted; None once they are deleted.
        dossier: The dossier object with its boxes; None once it is deleted.
        approval: The signed `record-approval`, or None while nobody has approved it.
    """

    number: int
    state: str
    statement: Statement
    entries: tuple[bytes, ...] | None
    dossier: Mapping[str, Any] | None
    approval: Statement | None


@dataclass(frozen=True)
class VerifiedRecord:
    """A record of which every version, approval and withdrawal was signed by its owner.

    Attributes:
        record: Its id.
        state: What the registry says of the record.
        versions: All versions, the first one first.
        withdrawal: The signed `record-withdrawal`, or None.
    """

    record: str
    state: str
    versions: tuple[VerifiedVersion, ...]
    withdrawal: Statement | None


# --- times and promises ------------------------------------------------------------------------------------------


def timestamp(time: datetime) -> str:
    """Writes an aware time as RFC 3339 in UTC, in whole seconds."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def verify_promise(
    promise: object, trust: TrustFile, *, now: datetime, max_age: timedelta | None = None
) -> Mapping[str, Any]:
    """Checks the promise that an act was answered with.

    Args:
        promise: As it stood in the answer.
        trust: The pinned trust file.
        now: The present, aware.
        max_age: How old it may be; None where an answer may be a stored one, given again.

    Returns:
        The promise, to be kept.

    Raises:
        RegistryMisbehavedError: It is missing, not by the log's key, or of an impossible time.
    """
    if not isinstance(promise, Mapping):
        raise RegistryMisbehavedError("its answer has no promise that the act is in the log")
    try:
        verified = verify_log_promise(promise, origin=trust.log_origin, public_key=trust.log_key)
    except PromiseError as error:
        raise RegistryMisbehavedError(f"its promise does not verify: {error}") from None
    if verified.time - now > CLOCK_TOLERANCE:
        raise RegistryMisbehavedError("its promise is of a time to come")
    if max_age is not None and now - verified.time > max_age:
        raise RegistryMisbehavedError("its promise is an old one, not of this act")
    return promise


# --- certificates ------------------------------------------------------------------------------------------------


def check_certificate(content: object, trust: TrustFile, *, organisation: str) -> OrganisationCertificate:
    """Checks a certificate that the registry gave for an organisation.

    Args:
        content: The statement as JSON.
        trust: The pinned trust file.
        organisation: Whose certificate was asked for.

    Returns:
        The certificate, signed by the organisation, the registry and at least one keyholder.

    Raises:
        CertificateError: It is not that, or another organisation's.
    """
    try:
        statement = Statement.from_json(content, expected_type="organisation-certificate")
        return verify_certificate(statement, trust, organisation=organisation, complete=True)
    except TrustError as error:
        raise CertificateError(error.code, str(error)) from error
    except CryptoError as error:
        raise CertificateError("malformed", str(error)) from error


# --- records -----------------------------------------------------------------------------------------------------


def verify_record(
    content: object, trust: TrustFile, *, record: str, certificates: Sequence[OrganisationCertificate]
) -> VerifiedRecord:
    """Checks a whole record as `GET /v1/records/{id}` gives it.

    Args:
        content: The record: `id`, `state`, `versions`, and `withdrawal` once it is withdrawn.
        trust: The pinned trust file.
        record: The id that was asked for.
        certificates: The owner's certificates, verified: the current one and those before it that still count.

    Returns:
        The record, in which nothing is unsigned.

    Raises:
        RecordSignatureError: Something in it is not what its owner signed; `code` says what.
    """
    check = _RecordCheck(record, trust, certificates)
    if not isinstance(content, Mapping) or content.get("id") != record:
        raise check.error("other-record", "the registry gave another record than was asked for")
    versions = content.get("versions")
    state = content.get("state")
    if not isinstance(versions, list) or not versions or not isinstance(state, str):
        raise check.error("malformed", "the registry gave no versions of it")
    verified: list[VerifiedVersion] = []
    for version in versions:
        verified.append(check.version(version, verified[-1] if verified else None, emptied=state in _EMPTIED_STATES))
    if state in _MATCHED_STATES and not any(version.state == "approved" for version in verified):
        raise check.error("approval-missing", f"it is said to be {state}, but nobody approved any version")
    withdrawal = None
    if content.get("withdrawal") is not None or state == "withdrawn":
        withdrawal = check.signed(content.get("withdrawal"), "record-withdrawal", "withdrawal")
        if withdrawal.body.get("number") != verified[-1].number:
            raise check.error("withdrawal-other-version", "its withdrawal is of another version")
    return VerifiedRecord(record, state, tuple(verified), withdrawal)


class _RecordCheck:
    """The checks of one record's parts; each error names the record."""

    def __init__(self, record: str, trust: TrustFile, certificates: Sequence[OrganisationCertificate]) -> None:
        self._record = record
        self._trust = trust
        self._certificates = certificates
        self._owner = certificates[0].organisation if certificates else ""

    def error(self, code: str, what: str) -> RecordSignatureError:
        return RecordSignatureError(self._record, code, what)

    def signed(self, content: object, kind: str, what: str) -> Statement:
        """Reads a statement about this record that its owner must have signed."""
        try:
            statement = Statement.from_json(content, expected_type=kind)
        except CryptoError:
            raise self.error(f"{what}-unsigned", f"its {what} is missing or is no signed statement") from None
        owned = {"registry": self._trust.registry, "organisation": self._owner, "record": self._record}
        for field, value in owned.items():
            if statement.body.get(field) != value:
                raise self.error(f"other-{field}", f"its {what} is of another {field}: it was re-attributed")
        for certificate in self._certificates:
            try:
                statement.verify("organisation", certificate.signing_key)
            except SignatureError:
                continue
            return statement
        raise self.error(f"{what}-unsigned", f"its {what} is not signed with its owner's key")

    def version(self, content: object, before: VerifiedVersion | None, *, emptied: bool) -> VerifiedVersion:
        """Checks one version and its place in the chain."""
        if not isinstance(content, Mapping):
            raise self.error("malformed", "a version of it is missing")
        statement = self.signed(content.get("version"), "record-version", "version")
        number = before.number + 1 if before else 1
        previous = before.statement.digest if before else None
        if statement.body.get("number") != number or content.get("number") != number:
            raise self.error("chain-broken", f"its version {number} is missing or out of place")
        if statement.body.get("previous") != previous:
            raise self.error("chain-broken", f"its version {number} does not follow the one before it")
        state = content.get("state")
        if not isinstance(state, str):
            raise self.error("malformed", f"its version {number} has no state")
        return VerifiedVersion(
            number,
            state,
            statement,
            self._entries(content.get("entries"), statement, emptied=emptied),
            self._dossier(content.get("dossier"), statement, emptied=emptied),
            self._approval(content, statement, state),
        )

    def _entries(self, content: object, statement: Statement, *, emptied: bool) -> tuple[bytes, ...] | None:
        if content is None and emptied:
            return None
        try:
            if not isinstance(content, list):
                raise EncodingError("not a list")
            entries = sorted(unb64u(entry, length=_ENTRY_BYTES) for entry in content)
        except EncodingError:
            raise self.error("entries-exchanged", "its entries are missing or malformed") from None
        if entries_digest(entries) != statement.body.get("tokens"):
            raise self.error("entries-exchanged", "its entries are not those that were signed")
        return tuple(entries)

    def _dossier(self, content: object, statement: Statement, *, emptied: bool) -> Mapping[str, Any] | None:
        if content is None and emptied:
            return None
        if not isinstance(content, Mapping) or body_digest(content) != statement.body.get("dossier"):
            raise self.error("dossier-exchanged", "its dossier is not the one that was signed")
        boxes = content.get("boxes")
        recipients = [b.get("recipient") for b in boxes if isinstance(b, Mapping)] if isinstance(boxes, list) else []
        if not any(sorted(map(str, recipients)) == _recipients(c) for c in self._certificates):
            raise self.error("dossier-recipients", "its dossier is sealed to other keys than its owner's two")
        return content

    def _approval(self, content: Mapping[str, Any], statement: Statement, state: str) -> Statement | None:
        if content.get("approval") is None:
            if state == "approved":
                raise self.error("approval-missing", "a version of it is said to be approved, but nobody approved it")
            return None
        approval = self.signed(content["approval"], "record-approval", "approval")
        same = approval.body.get("number") == statement.body["number"]
        if not same or approval.body.get("version") != statement.digest:
            raise self.error("approval-other-version", "its approval is of another version")
        approver, submitter = content.get("approved_by"), content.get("submitted_by")
        if approver is None or submitter is None or approver == submitter:
            raise self.error("approval-own", "a version of it was approved by nobody else than who submitted it")
        return approval


def _recipients(certificate: OrganisationCertificate) -> list[str]:
    return sorted((key_id(certificate.sealing_key), key_id(certificate.recovery_key)))
