"""Records of one's own organisation."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from screening.api import answers, schemas
from screening.api.operations import Answer, Blueprint, Call
from screening.api.resources import shapes
from screening.registry import records
from screening.registry.models import Record, RecordState

BODY_BYTES = 256 * 1024
"""Two sealed boxes of 64 KiB in base64, 256 entries, and the statement."""

blueprint = Blueprint("records", __name__, url_prefix="/v1", description="One's own organisation's records.")


@blueprint.operation("/records", "GET", query=schemas.RecordPage, answer=answers.Records)
def list(call: Call) -> Answer:
    """List one's own organisation's records, the newest first, without dossiers."""
    state = call.query.get("state")
    page = records.list_records(
        call.unit,
        state=RecordState(state) if state else None,
        cursor=call.query.get("cursor"),
        limit=call.query["limit"],
    )
    return Answer({"records": [shapes.record(row) for row in page.items], "next": page.cursor})


@blueprint.operation(
    "/records",
    "POST",
    body=schemas.NewRecord,
    answer=answers.RecordAct,
    status=HTTPStatus.CREATED,
    etag=True,
    body_limit=BODY_BYTES,
)
def create(call: Call) -> Answer:
    """Enter a record, as a draft or for approval by a second person."""
    return _act(*records.create_record(call.unit, record=call.body["record"], **_submission(call)))


@blueprint.operation("/records/<uuid:record>", "GET", answer=answers.OneRecord, etag=True)
def show(call: Call, *, record: UUID) -> Answer:
    """Open a record with its sealed dossiers. The look itself is in the access log."""
    opened = records.open_record(call.unit, record)
    whole = {
        **shapes.record(opened.record),
        "withdrawal": opened.record.withdrawal,
        "versions": [shapes.version(row) for row in opened.versions],
    }
    return Answer(shapes.act(opened.promise, record=whole), opened.record.revision)


@blueprint.operation(
    "/records/<uuid:record>/versions",
    "POST",
    body=schemas.RecordVersion,
    answer=answers.RecordAct,
    status=HTTPStatus.CREATED,
    if_match=True,
    etag=True,
    body_limit=BODY_BYTES,
)
def add_version(call: Call, *, record: UUID) -> Answer:
    """Draft a record anew, or correct it: the version that matches stays in force until this one is approved."""
    return _act(*records.add_version(call.unit, record, etag=call.revision, **_submission(call)))


@blueprint.operation("/records/<uuid:record>/submit", "POST", answer=answers.RecordAct, if_match=True, etag=True)
def submit(call: Call, *, record: UUID) -> Answer:
    """Submit a draft for approval."""
    return _act(*records.submit_version(call.unit, record, etag=call.revision))


@blueprint.operation(
    "/records/<uuid:record>/approve",
    "POST",
    body=schemas.Approval,
    answer=answers.RecordAct,
    if_match=True,
    etag=True,
)
def approve(call: Call, *, record: UUID) -> Answer:
    """Approve a colleague's submission; from now on it matches."""
    approval = call.body["approval"]
    return _act(*records.approve_version(call.unit, record, etag=call.revision, approval=approval))


@blueprint.operation(
    "/records/<uuid:record>/return", "POST", body=schemas.Return, answer=answers.RecordAct, if_match=True, etag=True
)
def return_(call: Call, *, record: UUID) -> Answer:
    """Give a submission back as a draft, with a sealed note."""
    return _act(*records.return_version(call.unit, record, etag=call.revision, note=call.body["note"]))


@blueprint.operation(
    "/records/<uuid:record>/withdraw",
    "POST",
    body=schemas.Withdrawal,
    answer=answers.RecordAct,
    if_match=True,
    etag=True,
)
def withdraw(call: Call, *, record: UUID) -> Answer:
    """Withdraw a record: its tokens, entries and dossiers are deleted, a tombstone stays."""
    withdrawal = call.body["withdrawal"]
    return _act(*records.withdraw_record(call.unit, record, etag=call.revision, withdrawal=withdrawal))


def _submission(call: Call) -> dict[str, Any]:
    return {name: call.body[name] for name in ("version", "entries", "dossier", "submit")}


def _act(record: Record, promise: dict[str, Any]) -> Answer:
    return Answer(shapes.act(promise, record=shapes.record(record)), record.revision)
