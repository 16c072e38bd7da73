"""What a signed record has to be before the registry takes it.

The registry opens no dossier and knows no name. It does check that the owner's key signed exactly what is stored, in
its place in the chain of versions, for this registry, epoch and scheme; that the boxes are addressed to the owner's two
keys and to nobody else; that dates and basis are within policy; and that the entries could ever grade strong.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NoReturn, Self

from screening.crypto.encoding import unb64u
from screening.crypto.errors import CryptoError, EncodingError
from screening.crypto.signing import Statement, VerifyingKey, body_digest
from screening.crypto.tokens import entries_digest, unpack_entry
from screening.identity.grading import grade_hits
from screening.registry.errors import (
    RecordQualityError,
    StatementInvalidError,
    WrongEpochError,
    WrongRegistryError,
    WrongSchemeError,
)
from screening.registry.models import Basis, Category, Certificate, WithdrawalReason
from screening.registry.policy import policy_value
from screening.registry.texts import add_months
from screening.registry.unit import Unit

MAX_ENTRIES = 1_024
"""Most entries of a record: 256 features, some with several of the person's names."""

MAX_BOX_BYTES = 65_536
"""Largest sealed box: a whole identity with remarks is some kilobytes."""

MAX_CLOCK_DIFFERENCE = timedelta(days=1)
"""How far a statement's time may be from the registry's."""

SUITE = b"\x00\x01"
"""What every box begins with: HPKE with ML-KEM-768 and X25519."""

_SIGNER = "organisation"
_COMMON = frozenset({"type", "registry", "organisation", "record", "number", "time"})
_FIELDS: Mapping[str, frozenset[str]] = {
    "record-version": _COMMON
    | {"previous", "category", "basis", "review_on", "expires_on", "scheme", "epoch", "tokens", "dossier"},
    "record-approval": _COMMON | {"version"},
    "record-withdrawal": _COMMON | {"reason"},
}


@dataclass(frozen=True)
class Submission:
    """A version as it comes in."""

    version: Statement
    """Of type `record-version`."""
    entries: Sequence[bytes]
    """18 bytes each."""
    dossier: Mapping[str, Any]
    """`{"boxes": [{"recipient": key id, "box": base64url}, …]}`."""


@dataclass(frozen=True)
class Place:
    """Where a version stands."""

    record: uuid.UUID
    number: int
    previous: str | None
    """Digest of the version before."""
    begun_on: date
    """When the record's first version was made."""


@dataclass(frozen=True)
class Clear:
    """What a version says in clear."""

    category: Category
    basis: Basis
    review_on: date | None
    expires_on: date

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Reads it from a statement that was checked before it was stored."""
        return cls(
            Category(body["category"]),
            Basis(body["basis"]),
            None if body["review_on"] is None else _date("review_on", body["review_on"]),
            _date("expires_on", body["expires_on"]),
        )

    @property
    def next_date(self) -> date:
        """The first date on which something has to happen: review or expiry."""
        return self.expires_on if self.review_on is None else min(self.review_on, self.expires_on)


def check_submission(unit: Unit, owner: Certificate, place: Place, submission: Submission) -> Clear:
    """Checks a version with its entries and dossier.

    Args:
        unit: Of the person who submits it.
        owner: The organisation's certificate in force.
        place: Where it must stand.
        submission: As it came.

    Returns:
        What it says in clear.

    Raises:
        WrongRegistryError: It was made for another registry.
        WrongEpochError: It was made for another epoch.
        WrongSchemeError: It was made with another scheme.
        StatementInvalidError: Signature, digests, chain, boxes, basis or dates do not hold.
        RecordQualityError: Its entries could never grade strong.
    """
    body = submission.version.body
    check_statement(unit, owner, submission.version, "record-version", record=place.record, numbers=(place.number,))
    if body["epoch"] != unit.registry.epoch or isinstance(body["epoch"], bool):
        raise WrongEpochError
    if body["scheme"] != unit.registry.scheme_digest:
        raise WrongSchemeError
    if body["previous"] != place.previous:
        _refuse("previous", "must be the digest of the version before")
    check_entries(submission.entries, digest=body["tokens"])
    check_dossier(submission.dossier, owner, digest=body["dossier"])
    return _clear(unit, body, place)


def check_statement(
    unit: Unit,
    owner: Certificate,
    statement: Statement,
    type: str,
    *,
    record: uuid.UUID,
    numbers: Collection[int | None],
) -> None:
    """Checks what all statements about a record have: shape, registry, owner, record, number, time, signature.

    Args:
        unit: Of the person who brings it.
        owner: The organisation's certificate in force.
        statement: As it came.
        type: Which it must be.
        record: Id of the record.
        numbers: Of the versions that it may be about.

    Raises:
        WrongRegistryError: It was made for another registry.
        StatementInvalidError: It does not hold.
    """
    body = statement.body
    if body.get("type") != type or body.keys() != _FIELDS[type]:
        _refuse("body", f"must have exactly the fields of a {type}")
    if body["registry"] != unit.registry.id:
        raise WrongRegistryError
    if body["organisation"] != str(owner.organisation_id):
        _refuse("organisation", "must be your own")
    if body["record"] != str(record):
        _refuse("record", "must be this record")
    if body["number"] not in numbers or isinstance(body["number"], bool):
        _refuse("number", "must be that of this version")
    if abs(_time(body["time"]) - unit.now) > MAX_CLOCK_DIFFERENCE:
        _refuse("time", "must be within a day of the registry's clock")
    try:
        statement.verify(_SIGNER, VerifyingKey.from_bytes(owner.signing_key))
    except CryptoError:
        _refuse("signatures", "must be by the organisation's key in force")


def check_approval(unit: Unit, owner: Certificate, approval: Statement, *, version: Statement, number: int) -> None:
    """Checks an approval of a version.

    Raises:
        StatementInvalidError: It does not hold, or is of another version.
        WrongRegistryError: It was made for another registry.
    """
    record = uuid.UUID(version.body["record"])
    check_statement(unit, owner, approval, "record-approval", record=record, numbers=(number,))
    if approval.body["version"] != version.digest:
        _refuse("version", "must be the digest of the submitted version")


def check_withdrawal(
    unit: Unit, owner: Certificate, withdrawal: Statement, *, record: uuid.UUID, numbers: Collection[int | None]
) -> WithdrawalReason:
    """Checks a withdrawal and gives its reason.

    Raises:
        StatementInvalidError: It does not hold, or gives no known reason.
        WrongRegistryError: It was made for another registry.
    """
    check_statement(unit, owner, withdrawal, "record-withdrawal", record=record, numbers=numbers)
    if withdrawal.body["reason"] not in list(WithdrawalReason):
        _refuse("reason", "must be one that is known")
    return WithdrawalReason(withdrawal.body["reason"])


def check_entries(entries: Sequence[bytes], *, digest: object) -> None:
    """Checks number, form and digest of entries, and that they could grade strong.

    Raises:
        StatementInvalidError: They are not those that were signed, or malformed.
        RecordQualityError: They could never grade strong.
    """
    if not 1 <= len(entries) <= MAX_ENTRIES or len(set(entries)) != len(entries):
        _refuse("entries", f"must be 1 to {MAX_ENTRIES}, all different")
    try:
        read = [unpack_entry(entry) for entry in entries]
        grade = grade_hits((entry.rule, entry.name, entry.name, entry.token) for entry in read)
    except (CryptoError, KeyError):
        _refuse("entries", "must be well-formed, of known rules")
    if entries_digest(entries) != digest:
        _refuse("tokens", "must be the digest of the entries")
    if grade != "strong":
        raise RecordQualityError


def check_dossier(dossier: Mapping[str, Any], owner: Certificate, *, digest: object) -> None:
    """Checks that a dossier is the signed one, in two boxes: to the sealing key and to the recovery key in force.

    Raises:
        StatementInvalidError: It is not.
    """
    boxes = dossier.get("boxes")
    if dossier.keys() != {"boxes"} or not isinstance(boxes, list):
        _refuse("dossier", "must have boxes and nothing else")
    if not all(isinstance(box, Mapping) and box.keys() == {"recipient", "box"} for box in boxes):
        _refuse("dossier", "each box must have recipient and box")
    recipients = [box["recipient"] for box in boxes]
    if sorted(map(str, recipients)) != sorted((owner.sealing_key_id, owner.recovery_key_id)):
        _refuse("dossier", "must have one box for the sealing key in force and one for the recovery key")
    for box in boxes:
        check_box("dossier", _decode("dossier", box["box"]))
    if body_digest(dossier) != digest:
        _refuse("dossier", "must be the one whose digest was signed")


def check_box(field: str, box: bytes) -> None:
    """Checks as much of a sealed box as can be seen from outside.

    Raises:
        StatementInvalidError: Its suite is unknown, or it is too large.
    """
    if not box.startswith(SUITE) or not len(SUITE) < len(box) <= MAX_BOX_BYTES:
        _refuse(field, "must be a sealed box of a known suite")


def _clear(unit: Unit, body: Mapping[str, Any], place: Place) -> Clear:
    if body["category"] not in list(Category):
        _refuse("category", "must be one that is known")
    if body["basis"] not in list(Basis):
        _refuse("basis", "must be one that is known")
    basis, today = Basis(body["basis"]), unit.now.date()
    expires_on = _date("expires_on", body["expires_on"])
    latest = add_months(today, policy_value(unit.session, "record_retention_months"))
    if not today < expires_on <= latest:
        _refuse("expires_on", "must be in the future, and within the registry's retention")
    review_on = None if body["review_on"] is None else _date("review_on", body["review_on"])
    if basis is Basis.DETERMINATION and review_on is not None:
        _refuse("review_on", "is for a pending basis only")
    if basis is Basis.PENDING:
        _check_review(unit, review_on, place.begun_on)
    return Clear(Category(body["category"]), basis, review_on, expires_on)


def _check_review(unit: Unit, review_on: date | None, begun_on: date) -> None:
    today = unit.now.date()
    soon = add_months(today, policy_value(unit.session, "pending_review_months"))
    in_all = add_months(begun_on, policy_value(unit.session, "pending_total_months"))
    if review_on is None or not today < review_on <= soon:
        _refuse("review_on", "is needed for a pending basis, in the future and within the registry's limit")
    elif review_on > in_all:
        _refuse("review_on", "a pending basis may not last that long in all")


def _time(text: object) -> datetime:
    try:
        return datetime.strptime(str(text), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        _refuse("time", "must be a time in UTC with whole seconds")


def _date(field: str, text: object) -> date:
    try:
        day = date.fromisoformat(str(text))
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        _refuse(field, "must be a date")
    return day


def _decode(field: str, text: object) -> bytes:
    try:
        return unb64u(str(text))
    except EncodingError:
        _refuse(field, "must be base64url without padding")


def _refuse(field: str, message: str) -> NoReturn:
    raise StatementInvalidError(errors={field: [message]})
