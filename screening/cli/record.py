"""`screening record`: entering people, and maintaining what was entered."""

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from screening.cli.common import FILE, emit, home_option, json_option, open_client, read_json, table
from screening.cli.person import person_options, read_person
from screening.cli.running import CommandError

if TYPE_CHECKING:
    from screening.client.dossier import CaseDetails
    from screening.client.records import OpenedRecord, RecordSummary

DATE = click.DateTime(["%Y-%m-%d"])
CATEGORY = click.Choice(["SH", "SEA"])
BASIS = click.Choice(["determination", "pending"])
REASON = click.Choice(["overturned", "entered_in_error", "died", "other"])
STATES = click.Choice(["draft", "submitted", "active", "disputed", "under_appeal", "suspended", "withdrawn", "expired"])


@click.group()
def record() -> None:
    """Enter and maintain records. A colleague approves what you submit."""


@record.command()
@click.option("--category", type=CATEGORY, required=True, help="Sexual harassment, or exploitation and abuse.")
@click.option("--basis", type=BASIS, required=True, help="Determined, or the person left before the process ended.")
@click.option("--expires-on", type=DATE, required=True, help="When the record is deleted at the latest.")
@click.option("--review-on", type=DATE, help="For pending records: when it is suspended unless it was reviewed.")
@click.option("--case", "case_file", type=FILE, help="A JSON file about the case; see above.")
@click.option("--case-reference", default="", help="Your own reference; sealed.")
@click.option("--draft", is_flag=True, help="Keep it as a draft; submit it later.")
@click.option("--dry-run", is_flag=True, help="Say what these details would give, and enter nothing.")
@person_options
@home_option
@json_option
def add(
    category: str,
    basis: str,
    expires_on: datetime,
    review_on: datetime | None,
    case_file: Path | None,
    case_reference: str,
    draft: bool,
    dry_run: bool,
    file: Path | None,
    home: Path,
    as_json: bool,
    **details: Any,
) -> None:
    """Enter a person. What you enter is sealed to your organisation; the registry gets tokens only.

    The case file is a JSON object with any of separated_on, decided_on (dates), notice, case_reference, remarks and
    statement (texts).
    """
    person = read_person(file, details)
    case = _case(case_file, case_reference)
    with open_client(home, keys=True) as client:
        if dry_run:
            found = client.records.dry_run(person)
            verdict = "can" if found.sufficient else "cannot"
            text = " ".join(
                [f"These details {verdict} give a strong match; {found.features} features.", *found.missing]
            )
            content = {"sufficient": found.sufficient, "features": found.features, "missing": list(found.missing)}
            emit(as_json, content, text)
            return
        made = client.records.add(
            person,
            category=category,  # type: ignore[arg-type]  # click allows no other
            basis=basis,  # type: ignore[arg-type]  # click allows no other
            expires_on=expires_on.date(),
            review_on=_day(review_on),
            case=case,
            submit=not draft,
        )
    _show_one(as_json, made)


@record.command()
@click.argument("record_id", metavar="RECORD", type=click.UUID)
@click.option("--category", type=CATEGORY, help="Unchanged if left out.")
@click.option("--basis", type=BASIS, help="Unchanged if left out.")
@click.option("--expires-on", type=DATE, help="Unchanged if left out.")
@click.option("--review-on", type=DATE, help="Unchanged if left out, while the basis stays pending.")
@click.option("--case", "case_file", type=FILE, help="As for add; unchanged if left out.")
@click.option("--draft", is_flag=True, help="Keep it as a draft; submit it later.")
@person_options
@home_option
@json_option
def correct(
    record_id: object,
    category: Any,
    basis: Any,
    expires_on: datetime | None,
    review_on: datetime | None,
    case_file: Path | None,
    draft: bool,
    file: Path | None,
    home: Path,
    as_json: bool,
    **details: Any,
) -> None:
    """Enter a new version of RECORD (an id), with the person's complete details."""
    person = read_person(file, details)
    case = _case(case_file, "") if case_file else None
    with open_client(home, keys=True) as client:
        made = client.records.correct(
            str(record_id),
            person,
            category=category,
            basis=basis,
            expires_on=_day(expires_on),
            review_on=_day(review_on),
            case=case,
            submit=not draft,
        )
    _show_one(as_json, made)


@record.command()
@click.argument("record_id", metavar="RECORD", type=click.UUID)
@home_option
@json_option
def submit(record_id: object, home: Path, as_json: bool) -> None:
    """Send the draft RECORD (an id) to a colleague for approval."""
    with open_client(home, keys=True) as client:
        _show_one(as_json, client.records.submit(str(record_id)))


@record.command()
@click.argument("record_id", metavar="RECORD", type=click.UUID)
@home_option
@json_option
def show(record_id: object, home: Path, as_json: bool) -> None:
    """Open RECORD (an id) here: verify its signatures, and show the person and the case. The look is in the log."""
    with open_client(home, keys=True) as client:
        opened = client.records.show(str(record_id))
    emit(as_json, _opened(opened), _opened_text(opened))


@record.command()
@click.argument("record_id", metavar="RECORD", type=click.UUID)
@home_option
@json_option
def approve(record_id: object, home: Path, as_json: bool) -> None:
    """Approve what a colleague submitted as RECORD (an id), after deriving its tokens again from its dossier."""
    with open_client(home, keys=True) as client:
        _show_one(as_json, client.records.approve(str(record_id)))


@record.command("return")
@click.argument("record_id", metavar="RECORD", type=click.UUID)
@click.option("--note", required=True, help="What to change; sealed to your organisation.")
@home_option
@json_option
def return_(record_id: object, note: str, home: Path, as_json: bool) -> None:
    """Return RECORD (an id) to whoever submitted it."""
    with open_client(home, keys=True) as client:
        _show_one(as_json, client.records.return_(str(record_id), note))


@record.command()
@click.argument("record_id", metavar="RECORD", type=click.UUID)
@click.option("--reason", type=REASON, required=True)
@home_option
@json_option
def withdraw(record_id: object, reason: Any, home: Path, as_json: bool) -> None:
    """Withdraw RECORD (an id): its tokens and dossier are deleted at once."""
    with open_client(home, keys=True) as client:
        _show_one(as_json, client.records.withdraw(str(record_id), reason))


@record.command("list")
@click.option("--state", type=STATES)
@home_option
@json_option
def list_(state: str | None, home: Path, as_json: bool) -> None:
    """List your organisation's records, without opening any."""
    with open_client(home) as client:
        found = client.records.list(state=state)
    rows = [(one.id, one.reference, one.state, one.category, one.basis, str(one.number)) for one in found]
    headings = ("id", "reference", "state", "category", "basis", "version")
    text = table(rows, headings, "No records. Enter one: screening record add")
    emit(as_json, {"records": [_summary(one) for one in found]}, text)


def _case(file: Path | None, reference: str) -> "CaseDetails":
    from screening.client.dossier import CaseDetails

    case = CaseDetails()
    if file is not None:
        content = read_json(file)
        if not isinstance(content, dict):
            raise CommandError("case", f"{file} is not a JSON object")
        try:
            case = CaseDetails.from_dict(content)
        except ValueError as error:
            raise CommandError("case", f"{file}: dates are YYYY-MM-DD; known details are those of --help") from error
    return replace(case, case_reference=reference) if reference else case


def _day(time: datetime | None) -> date | None:
    return time.date() if time is not None else None


def _summary(one: "RecordSummary") -> dict[str, Any]:
    content = {
        "id": one.id,
        "reference": one.reference,
        "state": one.state,
        "category": one.category,
        "basis": one.basis,
        "version": one.number,
    }
    return content if one.promise is None else {**content, "promise": dict(one.promise)}


def _show_one(as_json: bool, one: "RecordSummary") -> None:
    waits = " It waits for another entity admin's approval." if one.state == "submitted" else ""
    emit(as_json, {"record": _summary(one)}, f"Record {one.reference} ({one.id}): {one.state}.{waits}")


def _opened(opened: "OpenedRecord") -> dict[str, Any]:
    dossier = opened.dossier
    return {
        "record": _summary(opened.summary),
        "versions": [
            {"number": version.number, "state": version.state, "statement": dict(version.statement.body)}
            for version in opened.verified.versions
        ],
        "identity": dossier.identity.to_dict() if dossier else None,
        "case": dossier.case.to_dict() if dossier else None,
        "return_note": opened.return_note,
    }


def _opened_text(opened: "OpenedRecord") -> str:
    one = opened.summary
    lines = [f"Record {one.reference} ({one.id}): {one.state}, {one.category}, {one.basis}, version {one.number}"]
    lines.append("Every version's signature, chain and owner are valid.")
    if opened.verified.versions[-1].dossier is None:
        lines.append("Its dossier was deleted.")
    elif opened.dossier is None:
        lines.append("Its dossier is sealed to an earlier key of the organisation.")
    else:
        details = {**opened.dossier.identity.to_dict(), **opened.dossier.case.to_dict()}
        lines += [f"  {name}: {value}" for name, value in details.items()]
    if opened.return_note is not None:
        lines.append(f"Returned: {opened.return_note}")
    return "\n".join(lines)
