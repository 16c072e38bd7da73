"""From what files and programs give to an `Identity`: every check on input is made here or in what this calls."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from screening.identity.checks import checked_name, checked_text
from screening.identity.countries import alpha2
from screening.identity.dates import PartialDate
from screening.identity.documents import Document
from screening.identity.errors import IdentityError
from screening.identity.model import NAME_LISTS, Gender, Identity, Name, NameKind

FIELDS = (
    "id",
    "given",
    "family",
    "full",
    "aliases",
    "former",
    "original",
    "dob",
    "dob_estimated",
    "nationalities",
    "gender",
    "documents",
)
"""Every field, and every column of a table."""

MAX_NAMES = 32
MAX_DATES = 8
MAX_NATIONALITIES = 16
MAX_DOCUMENTS = 16

_PARTS = ("given", "family", "full")
_LISTS = (*NAME_LISTS, "nationalities", "documents")
_GENDERS: dict[str, Gender] = {
    "female": "female",
    "f": "female",
    "male": "male",
    "m": "male",
    "other": "other",
    "x": "other",
}
_BOOLEANS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def identity_from_dict(data: Mapping[str, Any], *, today: date | None = None) -> Identity:
    """As `Identity.from_dict`."""
    _refuse_unknown(data, FIELDS, "")
    names = [_name({part: data.get(part) for part in _PARTS}, "primary", "")]
    for column, kind in NAME_LISTS.items():
        entries = _entries(data.get(column), column, MAX_NAMES)
        names += [_listed_name(entry, kind, f"{column}[{i}]") for i, entry in enumerate(entries)]
    if len(names) > MAX_NAMES:
        raise IdentityError("aliases", "too-many", f"and the other names are more than {MAX_NAMES}")
    dobs = _dates(data.get("dob"), today)
    return Identity(
        names=tuple(names),
        dobs=dobs,
        dob_estimated=_estimated(data.get("dob_estimated"), dobs),
        nationalities=_nationalities(data.get("nationalities")),
        gender=_gender(data.get("gender")),
        documents=_documents(data.get("documents")),
        id=None if data.get("id") in (None, "") else checked_text(data["id"], "id"),
    )


def identity_from_row(row: Mapping[str, str | None], *, today: date | None = None) -> Identity:
    """As `Identity.from_row`."""
    data: dict[str, Any] = {}
    _refuse_unknown(row, FIELDS, "")
    for column, cell in row.items():
        if cell is None:
            continue
        if not isinstance(cell, str):
            raise IdentityError(column, "not-text", "is not text")
        if not cell.strip():
            continue
        data[column] = _cell(column, cell)
    return identity_from_dict(data, today=today)


def _cell(column: str, cell: str) -> object:
    if column == "dob_estimated":
        if (answer := _BOOLEANS.get(cell.strip().casefold())) is None:
            raise IdentityError(column, "not-yes-or-no", "is neither yes nor no")
        return answer
    if column not in _LISTS and column != "dob":
        return cell
    entries = [entry for entry in cell.split(";") if entry.strip()]
    if column == "documents":
        return [_document_cell(entry, f"documents[{i}]") for i, entry in enumerate(entries)]
    return entries


def _document_cell(entry: str, where: str) -> dict[str, str]:
    parts = entry.split(":", 2)
    if len(parts) != len(("type", "issuer", "number")):
        raise IdentityError(where, "document-format", "is not type:issuer:number")
    return {"type": parts[0], "issuer": parts[1].strip(), "number": parts[2]}


def _refuse_unknown(data: object, known: Sequence[str], where: str) -> None:
    """Refuses what is not a mapping of known fields.

    An unknown field is named by its position only: in a file without a heading it may be somebody's name.
    """
    if not isinstance(data, Mapping):
        raise IdentityError(where, "not-an-object", "is not a set of named fields" if where else "not a set of fields")
    for position, key in enumerate(data, 1):
        if key not in known:
            raise IdentityError(where, "unknown-field", f"field number {position} is not one of {', '.join(known)}")


def _entries(value: object, where: str, most: int) -> Sequence[Any]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise IdentityError(where, "not-a-list", "is not a list")
    if len(value) > most:
        raise IdentityError(where, "too-many", f"has more than {most} entries")
    return value


def _name(parts: Mapping[str, object], kind: NameKind, where: str) -> Name:
    prefix = f"{where}." if where else ""
    found = {
        part: checked_name(parts[part], prefix + part)
        for part in _PARTS
        if parts.get(part) is not None and parts[part] != ""
    }
    if not found:
        raise IdentityError(where or "full", "name-missing", "needs a given, family or full name")
    return Name(kind=kind, **found)


def _listed_name(entry: object, kind: NameKind, where: str) -> Name:
    if isinstance(entry, str):
        return Name(kind=kind, full=checked_name(entry, where))
    _refuse_unknown(entry, _PARTS, where)
    assert isinstance(entry, Mapping)  # noqa: S101  # just checked; tells the type checker
    return _name(entry, kind, where)


def _dates(value: object, today: date | None) -> tuple[PartialDate, ...]:
    if value is None or value == "":
        return ()
    entries = _entries([value] if isinstance(value, str) else value, "dob", MAX_DATES)
    found = []
    for i, entry in enumerate(entries):
        where = "dob" if len(entries) == 1 else f"dob[{i}]"
        found.append(PartialDate.parse(checked_text(entry, where), where=where, today=today))
    return tuple(dict.fromkeys(found))


def _estimated(value: object, dobs: tuple[PartialDate, ...]) -> bool:
    if value is None:
        return False
    if not isinstance(value, bool):
        raise IdentityError("dob_estimated", "not-yes-or-no", "is neither true nor false")
    if value and not dobs:
        raise IdentityError("dob_estimated", "date-missing", "is set, but there is no birth date")
    return value


def _nationalities(value: object) -> tuple[str, ...]:
    found = []
    for i, entry in enumerate(_entries(value, "nationalities", MAX_NATIONALITIES)):
        where = f"nationalities[{i}]"
        if (code := alpha2(checked_text(entry, where))) is None:
            raise IdentityError(where, "unknown-country", "is not a country code of ISO 3166-1")
        found.append(code)
    return tuple(dict.fromkeys(found))


def _gender(value: object) -> Gender | None:
    if value is None or value == "":
        return None
    if (gender := _GENDERS.get(checked_text(value, "gender").casefold())) is None:
        raise IdentityError("gender", "unknown-gender", "is not one of female, male, other")
    return gender


def _documents(value: object) -> tuple[Document, ...]:
    found = []
    for i, entry in enumerate(_entries(value, "documents", MAX_DOCUMENTS)):
        where = f"documents[{i}]"
        _refuse_unknown(entry, ("type", "number", "issuer"), where)
        found.append(Document.make(entry.get("type"), entry.get("number"), entry.get("issuer"), where=where))
    return tuple(dict.fromkeys(found))
