"""Looking tokens up.

A look-up reads the token table by its key and costs the same whatever the number of records. Records of every owner
count, one's own too. What agrees is graded for each record, by `screening.identity.grading`, and shown for each owner:
the best grade, and the categories of records that match strongly.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from screening.crypto.tokens import TokenEntry
from screening.identity.grading import GRADES, Hit, grade_hits
from screening.registry.base import table_of
from screening.registry.models import Category, GradeWord, Organisation, Record, Token
from screening.registry.record_states import MATCHING

NO_NAME = 255
"""Index of the name in a token that comes from none."""

_AT_ONCE = 1_000
_TOKENS, _RECORDS = table_of(Token).c, table_of(Record).c
_LOOK_UP = (
    select(
        _TOKENS.token,
        _TOKENS.rule,
        _TOKENS.name,
        _TOKENS.record_id,
        _RECORDS.organisation_id,
        _RECORDS.category,
        _RECORDS.approved_number,
    )
    .join_from(table_of(Token), table_of(Record), _RECORDS.id == _TOKENS.record_id)
    .where(
        _TOKENS.token.in_(bindparam("tokens", expanding=True)),
        _RECORDS.state.in_(sorted(MATCHING)),
        _RECORDS.category.in_(bindparam("categories", expanding=True)),
    )
)
_RANK = {GradeWord(grade): rank for rank, grade in enumerate(GRADES)}


@dataclass(frozen=True)
class RecordHit:
    """A record that a candidate met."""

    record: uuid.UUID
    organisation: uuid.UUID
    number: int
    """Of the version that matched."""
    category: Category
    grade: GradeWord


@dataclass(frozen=True)
class OwnerHit:
    """What the asker may know of it."""

    grade: GradeWord
    organisation: uuid.UUID
    name: str
    contact: str
    categories: tuple[Category, ...]
    """Of records that match strongly; empty where none does."""


def find_hits(
    session: Session, candidates: Sequence[Sequence[TokenEntry]], categories: Collection[Category]
) -> list[list[RecordHit]]:
    """Finds the records that candidates meet.

    Args:
        session: Where to read.
        candidates: Each candidate's entries.
        categories: Only records of these.

    Returns:
        For each candidate its hits, the best grade first.
    """
    wanted = {entry.token for entries in candidates for entry in entries}
    found: dict[bytes, list[Any]] = {}
    for row in _rows(session, wanted, categories):
        found.setdefault(row.token, []).append(row)
    return [_graded(entries, found) for entries in candidates] if found else [[] for _ in candidates]


def by_owner(hits: Iterable[RecordHit], owners: Mapping[uuid.UUID, tuple[str, str]]) -> tuple[OwnerHit, ...]:
    """Groups hits by the organisation that may be asked about them, the best grade first.

    Args:
        hits: Of one candidate.
        owners: Name and contact of each organisation.
    """
    grouped: dict[uuid.UUID, list[RecordHit]] = {}
    for hit in hits:
        grouped.setdefault(hit.organisation, []).append(hit)
    shown = [
        OwnerHit(
            best_grade(of_one) or GradeWord.POSSIBLE,
            organisation,
            *owners[organisation],
            tuple(sorted({hit.category for hit in of_one if hit.grade is GradeWord.STRONG})),
        )
        for organisation, of_one in grouped.items()
    ]
    return tuple(sorted(shown, key=lambda hit: (_RANK[hit.grade], hit.name)))


def best_grade(hits: Iterable[RecordHit]) -> GradeWord | None:
    """The best grade among hits; None if there are none."""
    return min((hit.grade for hit in hits), key=lambda grade: _RANK[grade], default=None)


def read_owners(session: Session, organisations: Collection[uuid.UUID]) -> dict[uuid.UUID, tuple[str, str]]:
    """Name and contact of organisations, as they are now."""
    if not organisations:
        return {}
    query = select(Organisation.id, Organisation.name, Organisation.contact).where(Organisation.id.in_(organisations))
    return {row.id: (row.name, row.contact) for row in session.execute(query)}


def _rows(session: Session, wanted: Collection[bytes], categories: Collection[Category]) -> Iterable[Any]:
    ordered, searched = sorted(wanted), sorted(categories)
    for start in range(0, len(ordered), _AT_ONCE):
        some = ordered[start : start + _AT_ONCE]
        yield from session.execute(_LOOK_UP, {"tokens": some, "categories": searched})


def _graded(entries: Sequence[TokenEntry], found: Mapping[bytes, Sequence[Any]]) -> list[RecordHit]:
    """Grades what one candidate's entries met. A token counts under the rule that the record's owner gave it."""
    agreed: dict[uuid.UUID, list[Hit]] = {}
    records: dict[uuid.UUID, Any] = {}
    for entry in entries:
        for row in found.get(entry.token, ()):
            if row.rule == entry.rule:
                name = None if row.name == NO_NAME else row.name
                agreed.setdefault(row.record_id, []).append((row.rule, name, entry.name, row.token))
                records[row.record_id] = row
    hits = []
    for record, tokens in agreed.items():
        grade, row = grade_hits(tokens), records[record]
        if grade is not None:
            hits.append(RecordHit(record, row.organisation_id, row.approved_number, row.category, GradeWord(grade)))
    return sorted(hits, key=lambda hit: _RANK[hit.grade])
