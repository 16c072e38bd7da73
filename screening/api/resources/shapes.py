"""How things look in answers. Each field is named here: what is not, is not shown."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from audit.canonical import format_time
from screening.crypto.encoding import b64u
from screening.registry.models import Organisation, Person, Record, RecordVersion
from screening.registry.records import split_entries


def time(value: datetime | None) -> str | None:
    """A time as RFC 3339 in UTC, in whole seconds."""
    return None if value is None else format_time(value)


def day(value: date | None) -> str | None:
    """A date."""
    return None if value is None else value.isoformat()


def identifier(value: UUID | None) -> str | None:
    """An id."""
    return None if value is None else str(value)


def person(row: Person) -> dict[str, Any]:
    """A person, for colleagues."""
    return {
        "id": str(row.id),
        "organisation": str(row.organisation_id),
        "email": row.email,
        "name": row.name,
        "roles": sorted(role.value for role in row.roles),
        "state": row.state.value,
        "created_at": time(row.created_at),
    }


def organisation(row: Organisation) -> dict[str, Any]:
    """A participant, for every participant."""
    return {
        "id": str(row.id),
        "kind": row.kind.value,
        "name": row.name,
        "contact": row.contact,
        "state": row.state.value,
        "certificate_serial": row.certificate_serial,
        "created_at": time(row.created_at),
    }


def record(row: Record) -> dict[str, Any]:
    """A record without its versions, for its owner."""
    return {
        "id": str(row.id),
        "reference": row.reference,
        "state": row.state.value,
        "category": row.category.value,
        "basis": row.basis.value,
        "review_on": day(row.review_on),
        "expires_on": day(row.expires_on),
        "number": row.number,
        "approved_number": row.approved_number,
        "etag": str(row.revision),
        "created_at": time(row.created_at),
        "updated_at": time(row.updated_at),
    }


def version(row: RecordVersion) -> dict[str, Any]:
    """A version of a record, for its owner; emptied once the record has ended."""
    return {
        "number": row.number,
        "state": row.state.value,
        "version": row.statement,
        "approval": row.approval,
        "dossier": row.dossier,
        "entries": None if row.entries is None else [b64u(entry) for entry in split_entries(row.entries)],
        "drafted_by": str(row.drafted_by),
        "submitted_by": identifier(row.submitted_by),
        "approved_by": identifier(row.approved_by),
        "returned_note": None if row.return_note is None else b64u(row.return_note),
    }


def act(promise: Mapping[str, Any], **things: Any) -> dict[str, Any]:
    """The answer to an act: what it was about, and the promise for its event."""
    return {**things, "promise": promise}
