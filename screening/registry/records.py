"""Records: entered by an organisation, approved by a second person, corrected, withdrawn.

Every function here sees the actor's own organisation's records and no other: what is another's is not found. Changes
name the revision that they were decided on (`etag`); of two at the same time one wins, the other is told.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update

from audit.events import (
    Event,
    RecordApproved,
    RecordDrafted,
    RecordOpened,
    RecordReturned,
    RecordSubmitted,
    RecordWithdrawn,
)
from screening.crypto.identifiers import new_reference
from screening.crypto.signing import Statement
from screening.crypto.tokens import unpack_entry
from screening.registry.base import table_of
from screening.registry.errors import (
    ConflictError,
    NotFoundError,
    OwnSubmissionError,
    PreconditionFailedError,
    StateConflictError,
)
from screening.registry.models import Certificate, Record, RecordState, RecordVersion, Token, VersionState
from screening.registry.organisations import current_certificate
from screening.registry.record_checks import (
    Clear,
    Place,
    Submission,
    check_approval,
    check_box,
    check_submission,
    check_withdrawal,
)
from screening.registry.record_states import Step, require_step, state_after_approval
from screening.registry.rows import Page, read_page
from screening.registry.unit import Unit

ENTRY_BYTES = 18
NO_NAME = 255
"""Index of the name in an entry that comes from none."""


@dataclass(frozen=True)
class OpenedRecord:
    """A record as its owner reads it."""

    record: Record
    versions: tuple[RecordVersion, ...]
    """By number."""
    promise: dict[str, Any]


def create_record(
    unit: Unit,
    *,
    record: uuid.UUID,
    version: Statement,
    entries: Sequence[bytes],
    dossier: Mapping[str, Any],
    submit: bool,
) -> tuple[Record, dict[str, Any]]:
    """Takes a new record, as a draft or for approval.

    Args:
        unit: Writing, of an entity admin.
        record: Its id, chosen by the client: it is bound into statement and boxes.
        version: Version 1, signed by the organisation.
        entries: 18 bytes each.
        dossier: Sealed to the organisation.
        submit: Whether it is to be approved, or stays a draft.

    Returns:
        The record and the promise.

    Raises:
        ConflictError: A record has this id already.
        RegistryError: As `record_checks.check_submission` says.
    """
    if unit.session.get(Record, record) is not None:
        raise ConflictError("A record has this id already.")
    owner = _owner(unit)
    place = Place(record, number=1, previous=None, begun_on=unit.now.date())
    submission = Submission(version, entries, dossier)
    clear = check_submission(unit, owner, place, submission)
    row = Record(
        id=record,
        reference=new_reference("R"),
        organisation_id=owner.organisation_id,
        state=RecordState.SUBMITTED if submit else RecordState.DRAFT,
        number=1,
        revision=1,
        created_at=unit.now,
        updated_at=unit.now,
    )
    _show(row, clear)
    unit.session.add(row)
    unit.session.flush()
    _add_version(unit, owner, place, submission, submit=submit)
    return row, _record_entry(unit, row, clear, submit=submit)


def add_version(
    unit: Unit,
    record: uuid.UUID,
    *,
    etag: int,
    version: Statement,
    entries: Sequence[bytes],
    dossier: Mapping[str, Any],
    submit: bool,
) -> tuple[Record, dict[str, Any]]:
    """Takes a further version: a draft anew, or a correction beside the version that matches.

    Args:
        unit: Writing, of an entity admin.
        record: Id of the record.
        etag: Revision that this was decided on.
        version: The next one, signed by the organisation, with the digest of the one before.
        entries: 18 bytes each.
        dossier: Sealed to the organisation.
        submit: Whether it is to be approved, or stays a draft.

    Returns:
        The record and the promise.

    Raises:
        NotFoundError: There is no such record of the actor's organisation.
        PreconditionFailedError: It changed since.
        StateConflictError: A version waits for approval, or the record has ended.
        RegistryError: As `record_checks.check_submission` says.
    """
    row, latest = _lock(unit, record, etag)
    require_step(Step.REVISE, row.state, latest.state)
    owner = _owner(unit)
    before = Statement.from_json(latest.statement, expected_type="record-version")
    place = Place(record, row.number + 1, before.digest, row.created_at.date())
    submission = Submission(version, entries, dossier)
    clear = check_submission(unit, owner, place, submission)
    if latest.state is VersionState.DRAFT:
        latest.state = VersionState.SUPERSEDED
    _add_version(unit, owner, place, submission, submit=submit)
    row.number = place.number
    if row.approved_number is None:
        _show(row, clear)
        row.state = RecordState.SUBMITTED if submit else RecordState.DRAFT
    _touch(unit, row)
    return row, _record_entry(unit, row, clear, submit=submit)


def submit_version(unit: Unit, record: uuid.UUID, *, etag: int) -> tuple[Record, dict[str, Any]]:
    """Submits the latest version, a draft, for approval.

    Raises:
        NotFoundError: There is no such record of the actor's organisation.
        PreconditionFailedError: It changed since.
        StateConflictError: Its latest version is no draft, or was made under an earlier certificate or epoch.
    """
    row, latest = _lock(unit, record, etag)
    require_step(Step.SUBMIT, row.state, latest.state)
    _refuse_outdated(unit, _owner(unit), latest)
    latest.state, latest.submitted_by, latest.submitted_at = VersionState.SUBMITTED, _person(unit), unit.now
    if row.approved_number is None:
        row.state = RecordState.SUBMITTED
    _touch(unit, row)
    return row, unit.record(_event(RecordSubmitted, unit, row, version_number=row.number))


def approve_version(unit: Unit, record: uuid.UUID, *, etag: int, approval: Statement) -> tuple[Record, dict[str, Any]]:
    """Approves the submitted version: from now on it matches, in place of the one before.

    Args:
        unit: Writing, of an entity admin other than the one who submitted it.
        record: Id of the record.
        etag: Revision that this was decided on.
        approval: Of that very version, signed by the organisation.

    Returns:
        The record and the promise.

    Raises:
        NotFoundError: There is no such record of the actor's organisation.
        PreconditionFailedError: It changed since.
        StateConflictError: No version waits for approval, or it was made under an earlier certificate or epoch, or
            its review or expiry has passed.
        OwnSubmissionError: The actor submitted it.
        StatementInvalidError: The approval does not hold.
    """
    row, latest = _lock(unit, record, etag)
    require_step(Step.APPROVE, row.state, latest.state)
    if latest.submitted_by == _person(unit):
        raise OwnSubmissionError
    owner = _owner(unit)
    _refuse_outdated(unit, owner, latest)
    version = Statement.from_json(latest.statement, expected_type="record-version")
    check_approval(unit, owner, approval, version=version, number=latest.number)
    clear = Clear.of(version.body)
    if clear.next_date <= unit.now.date():
        raise StateConflictError("The date of its review or expiry has passed. Draft it again.")
    _replace_approved(unit, row, latest)
    latest.state, latest.approved_by, latest.approved_at = VersionState.APPROVED, _person(unit), unit.now
    latest.approval = approval.to_json()
    row.state, row.approved_number = state_after_approval(row.state), latest.number
    _show(row, clear)
    _touch(unit, row)
    event = _event(RecordApproved, unit, row, version_number=row.number, version=version.digest)
    return row, unit.record(event)


def return_version(unit: Unit, record: uuid.UUID, *, etag: int, note: bytes) -> tuple[Record, dict[str, Any]]:
    """Gives the submitted version back as a draft, with a note.

    Args:
        unit: Writing, of an entity admin.
        record: Id of the record.
        etag: Revision that this was decided on.
        note: Sealed to the organisation.

    Returns:
        The record and the promise.

    Raises:
        NotFoundError: There is no such record of the actor's organisation.
        PreconditionFailedError: It changed since.
        StateConflictError: No version waits for approval.
        StatementInvalidError: The note is no sealed box.
    """
    row, latest = _lock(unit, record, etag)
    require_step(Step.RETURN, row.state, latest.state)
    check_box("note", note)
    latest.state, latest.return_note = VersionState.DRAFT, note
    if row.approved_number is None:
        row.state = RecordState.DRAFT
    _touch(unit, row)
    return row, unit.record(_event(RecordReturned, unit, row, version_number=row.number))


def withdraw_record(
    unit: Unit, record: uuid.UUID, *, etag: int, withdrawal: Statement
) -> tuple[Record, dict[str, Any]]:
    """Withdraws a record: its tokens, entries, dossiers and notes are gone, a tombstone stays.

    Args:
        unit: Writing, of an entity admin.
        record: Id of the record.
        etag: Revision that this was decided on.
        withdrawal: Signed by the organisation; its number is that of the latest version, or of the one that matches.

    Returns:
        The record and the promise.

    Raises:
        NotFoundError: There is no such record of the actor's organisation.
        PreconditionFailedError: It changed since.
        StateConflictError: It has ended already.
        StatementInvalidError: The withdrawal does not hold.
    """
    row, latest = _lock(unit, record, etag)
    require_step(Step.WITHDRAW, row.state, latest.state)
    numbers = {row.number, row.approved_number}
    reason = check_withdrawal(unit, _owner(unit), withdrawal, record=record, numbers=numbers)
    clear_record(unit, row)
    row.state, row.withdrawal = RecordState.WITHDRAWN, withdrawal.to_json()
    _touch(unit, row)
    number = int(withdrawal.body["number"])
    return row, unit.record(_event(RecordWithdrawn, unit, row, version_number=number, reason=reason.value))


def open_record(unit: Unit, record: uuid.UUID) -> OpenedRecord:
    """Gives a record with its sealed dossiers, which is an event.

    Raises:
        NotFoundError: There is no such record of the actor's organisation.
    """
    row = _find(unit, record, lock=False)
    query = select(RecordVersion).where(RecordVersion.record_id == record).order_by(RecordVersion.number)
    versions = tuple(unit.session.scalars(query))
    return OpenedRecord(row, versions, unit.record(_event(RecordOpened, unit, row, version_number=row.number)))


def list_records(
    unit: Unit, *, state: RecordState | None = None, cursor: str | None = None, limit: int = 50
) -> Page[Record]:
    """The records of the actor's organisation, the newest first, without dossiers.

    Args:
        unit: Of the person who asks.
        state: Only these; all when left out.
        cursor: From the page before.
        limit: Most records on the page.

    Raises:
        ValidationFailedError: The cursor or the limit is not as it should be.
    """
    query = select(Record).where(Record.organisation_id == unit.required_actor.organisation)
    if state is not None:
        query = query.where(Record.state == state)
    return read_page(unit.session, query, Record.id, cursor=cursor, limit=limit)


def split_entries(entries: bytes | None) -> list[bytes]:
    """The entries of a version as they came in; none once the record has ended."""
    return [] if entries is None else [entries[i : i + ENTRY_BYTES] for i in range(0, len(entries), ENTRY_BYTES)]


def remove_tokens(unit: Unit, record: Record) -> None:
    """Takes a record's tokens out of what is looked up."""
    if record.approved_number is None:
        return
    approved = unit.session.get_one(RecordVersion, (record.id, record.approved_number))
    tokens = {unpack_entry(entry).token for entry in split_entries(approved.entries)}
    if tokens:  # by the table's own key: it needs no second index by record
        unit.session.execute(delete(Token).where(Token.token.in_(tokens), Token.record_id == record.id))


def clear_record(unit: Unit, record: Record) -> None:
    """Deletes what a tombstone does not keep: tokens, and every version's entries, dossier and note."""
    remove_tokens(unit, record)
    unit.session.execute(
        update(RecordVersion)
        .where(RecordVersion.record_id == record.id)
        .values(entries=None, dossier=None, return_note=None)
    )


def _owner(unit: Unit) -> Certificate:
    return current_certificate(unit.session, unit.required_actor.organisation)


def _person(unit: Unit) -> uuid.UUID:
    return unit.required_actor.person


def _find(unit: Unit, record: uuid.UUID, *, lock: bool) -> Record:
    query = select(Record).where(Record.id == record, Record.organisation_id == unit.required_actor.organisation)
    found = unit.session.scalars(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def _lock(unit: Unit, record: uuid.UUID, etag: int) -> tuple[Record, RecordVersion]:
    """Takes a record for this transaction, if it is as the actor knows it, with its latest version."""
    row = _find(unit, record, lock=True)
    if row.revision != etag:
        raise PreconditionFailedError
    return row, unit.session.get_one(RecordVersion, (row.id, row.number))


def _touch(unit: Unit, row: Record) -> None:
    row.revision += 1
    row.updated_at = unit.now


def _show(row: Record, clear: Clear) -> None:
    row.category, row.basis = clear.category, clear.basis
    row.review_on, row.expires_on = clear.review_on, clear.expires_on


def _add_version(unit: Unit, owner: Certificate, place: Place, submission: Submission, *, submit: bool) -> None:
    person = _person(unit)
    unit.session.add(
        RecordVersion(
            record_id=place.record,
            number=place.number,
            state=VersionState.SUBMITTED if submit else VersionState.DRAFT,
            statement=submission.version.to_json(),
            certificate_serial=owner.serial,
            entries=b"".join(sorted(submission.entries)),
            dossier=dict(submission.dossier),
            drafted_by=person,
            drafted_at=unit.now,
            submitted_by=person if submit else None,
            submitted_at=unit.now if submit else None,
        )
    )


def _refuse_outdated(unit: Unit, owner: Certificate, version: RecordVersion) -> None:
    """Refuses what was signed and sealed for keys, or derived for an epoch, that are no longer in force."""
    body: Mapping[str, Any] = version.statement["body"]  # type: ignore[assignment] # a stored statement
    outdated = body["epoch"] != unit.registry.epoch or body["scheme"] != unit.registry.scheme_digest
    if version.certificate_serial != owner.serial or outdated:
        raise StateConflictError("It was made under an earlier certificate, epoch or scheme. Draft it again.")


def _replace_approved(unit: Unit, row: Record, approved: RecordVersion) -> None:
    remove_tokens(unit, row)
    if row.approved_number is not None:
        unit.session.get_one(RecordVersion, (row.id, row.approved_number)).state = VersionState.SUPERSEDED
    entries = [unpack_entry(entry) for entry in split_entries(approved.entries)]
    rows = [
        {
            "token": entry.token,
            "record_id": row.id,
            "rule": entry.rule,
            "name": NO_NAME if entry.name is None else entry.name,
        }
        for entry in entries
    ]
    unit.session.execute(insert(table_of(Token)), rows)


def _event(kind: type[Event], unit: Unit, row: Record, **fields: Any) -> Event:
    actor = unit.required_actor
    return kind(actor=str(actor.person), organisation=str(actor.organisation), object=str(row.id), **fields)


def _record_entry(unit: Unit, row: Record, clear: Clear, *, submit: bool) -> dict[str, Any]:
    if submit:
        return unit.record(_event(RecordSubmitted, unit, row, version_number=row.number))
    event = _event(RecordDrafted, unit, row, category=clear.category.value, version_number=row.number)
    return unit.record(event)
