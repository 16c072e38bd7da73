"""Screenings: asking whether candidates are on record.

In one transaction the budgets are charged, tokens are looked up, each candidate's screening is stored and its event
written. Statements are few and their number does not depend on how many candidates are asked about.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.exc import IntegrityError

from audit.canonical import b64u
from audit.events import CandidateScreened, ScreeningOpened, SealedEvent
from screening.crypto.errors import EncodingError
from screening.crypto.identifiers import new_reference, uuid7
from screening.crypto.tokens import TokenEntry, unpack_entry
from screening.identity.grading import rule_by_number
from screening.registry.base import table_of
from screening.registry.budgets import Budget, charge_candidates
from screening.registry.errors import (
    DatabaseBusyError,
    NotFoundError,
    ValidationFailedError,
    WrongEpochError,
    WrongSchemeError,
)
from screening.registry.matching import OwnerHit, RecordHit, best_grade, by_owner, find_hits, read_owners
from screening.registry.models import (
    Category,
    EventRow,
    GradeWord,
    LawfulBasis,
    Organisation,
    OrganisationKind,
    OrganisationState,
    Outcome,
    Purpose,
    Record,
    Screening,
    ScreeningHit,
)
from screening.registry.record_checks import check_box
from screening.registry.rows import Page, read_page
from screening.registry.texts import check_text
from screening.registry.unit import Recorded, Unit

MAX_CANDIDATES = 100
"""Most candidates in one request."""

MAX_ENTRIES = 128
"""Most entries of a candidate: 32 features, some with several of the person's names."""

MAX_VACANCY = 64
SELF_BYTES = 16
_MAX_PREVIOUS = 10
_SCREENINGS, _ORGANISATIONS = table_of(Screening).c, table_of(Organisation).c
_PREVIOUS = (
    select(_SCREENINGS.self_token, _SCREENINGS.id, _SCREENINGS.reference, _SCREENINGS.created_at)
    .where(
        _SCREENINGS.organisation_id == bindparam("organisation"),
        _SCREENINGS.self_token.in_(bindparam("own", expanding=True)),
    )
    # By time first: an order by id alone makes databases read the whole history, which has an index in that order.
    .order_by(_SCREENINGS.created_at.desc(), _SCREENINGS.id.desc())
    .limit(_MAX_PREVIOUS * MAX_CANDIDATES)
)
_COVERED = (
    select(func.count())
    .select_from(table_of(Organisation))
    .where(_ORGANISATIONS.kind == OrganisationKind.MEMBER, _ORGANISATIONS.state == OrganisationState.ACTIVE)
)
_INSERT, _INSERT_HITS = insert(table_of(Screening)), insert(table_of(ScreeningHit))


@dataclass(frozen=True)
class Candidate:
    """Somebody who is asked about."""

    id: uuid.UUID
    """Chosen by the asker; bound into the note."""
    entries: Sequence[bytes]
    """At most 32 of 18 bytes; none where the details do not allow a check."""
    self_token: bytes
    """16 bytes by which the asker recognises its own candidate."""
    note: bytes = field(repr=False)
    """Sealed to the asker."""


@dataclass(frozen=True)
class ScreeningRequest:
    """What is asked, of all candidates alike."""

    purpose: Purpose
    vacancy: str
    """The asker's own reference of the vacancy, 1 to 64 characters."""
    lawful_basis: LawfulBasis
    categories: frozenset[Category]
    scheme: str
    """Digest of the matching scheme, in hex."""
    epoch: int
    candidates: Sequence[Candidate]


@dataclass(frozen=True)
class Previous:
    """An earlier screening of the same candidate by the same organisation."""

    id: uuid.UUID
    reference: str
    created_at: datetime


@dataclass(frozen=True)
class ScreeningResult:
    """What came out for one candidate."""

    id: uuid.UUID
    reference: str
    candidate: uuid.UUID
    outcome: Outcome
    grade: GradeWord | None
    hits: tuple[OwnerHit, ...]
    previous: tuple[Previous, ...]
    """The latest ones first, at most ten."""
    covered: int
    """Number of organisations whose records were searched."""
    categories: tuple[Category, ...]
    epoch: int
    created_at: datetime
    opening: Mapping[str, Mapping[str, str | None]]
    """Field to `salt` (base64url) and `value`: opens what the event commits to."""
    promise: Mapping[str, Any] = field(repr=False)
    event: bytes = field(repr=False)
    """The event's canonical bytes; their leaf hash is in the promise."""


@dataclass(frozen=True)
class Screened:
    """What came out for all of them, in the order in which they were asked about."""

    results: tuple[ScreeningResult, ...]
    person_budget: Budget
    organisation_budget: Budget


@dataclass(frozen=True)
class OpenedScreening:
    """A screening read again."""

    screening: Screening
    hits: tuple[OwnerHit, ...]
    event: bytes = field(repr=False)
    """The canonical bytes of the event with which it was screened."""
    promise: dict[str, Any] = field(repr=False)
    """For the event of this look."""


def screen_candidates(unit: Unit, request: ScreeningRequest) -> Screened:
    """Screens candidates.

    Args:
        unit: Writing, of a recruiter.
        request: What is asked.

    Returns:
        For each candidate what came out, with the promise of its event.

    Raises:
        ValidationFailedError: Something in the request is not as it should be.
        WrongSchemeError: The tokens were made with another scheme.
        WrongEpochError: They were made for another epoch.
        BudgetSpentError: The person's or the organisation's budget does not allow it; nothing is charged.
        AuditUnavailableError: The events cannot be written, so nothing is answered.
    """
    entries = _check(unit, request)
    person_budget, organisation_budget = charge_candidates(unit, len(request.candidates))
    hits = find_hits(unit.session, entries, request.categories)
    previous = _previous(unit, request)
    owners = read_owners(unit.session, {hit.organisation for of_one in hits for hit in of_one})
    covered = unit.session.execute(_COVERED).scalar_one()
    drafts = [
        _Draft.of(unit, candidate, found, could=bool(read))
        for candidate, found, read in zip(request.candidates, hits, entries, strict=True)
    ]
    recorded = unit.record_all([_event(unit, request, draft) for draft in drafts])
    openings = [_opening(one.sealed) for one in recorded]
    _store(unit, request, covered, drafts, recorded, openings)
    results = tuple(
        ScreeningResult(
            id=draft.id,
            reference=draft.reference,
            candidate=draft.candidate.id,
            outcome=draft.outcome,
            grade=draft.grade,
            hits=by_owner(draft.hits, owners),
            previous=previous.get(draft.candidate.self_token, ()),
            covered=covered,
            categories=tuple(sorted(request.categories)),
            epoch=request.epoch,
            created_at=one.sealed.time,
            opening=opening,
            promise=one.promise,
            event=one.sealed.body,
        )
        for draft, one, opening in zip(drafts, recorded, openings, strict=True)
    )
    return Screened(results, person_budget, organisation_budget)


def open_screening(unit: Unit, screening: uuid.UUID) -> OpenedScreening:
    """Reads a screening of the actor's organisation again, which is an event.

    Raises:
        NotFoundError: There is none of that id.
    """
    actor = unit.required_actor
    query = select(Screening).where(Screening.id == screening, Screening.organisation_id == actor.organisation)
    found = unit.session.scalars(query).one_or_none()
    if found is None:
        raise NotFoundError
    event = ScreeningOpened(actor=str(actor.person), organisation=str(actor.organisation), object=str(found.id))
    promise = unit.record(event)
    hits = _stored_hits(unit, found)
    owners = read_owners(unit.session, {hit.organisation for hit in hits})
    screened = unit.session.execute(select(EventRow.body).where(EventRow.id == found.event_id)).scalar_one()
    return OpenedScreening(found, by_owner(hits, owners), screened, promise)


def list_screenings(unit: Unit, *, cursor: str | None = None, limit: int = 50) -> Page[Screening]:
    """The screenings of the actor's organisation, the newest first.

    Args:
        unit: Of the person who asks.
        cursor: From the page before.
        limit: Most screenings on the page.

    Raises:
        ValidationFailedError: The cursor or the limit is not as it should be.
    """
    query = select(Screening).where(Screening.organisation_id == unit.required_actor.organisation)
    return read_page(unit.session, query, Screening.id, cursor=cursor, limit=limit)


@dataclass(frozen=True)
class _Draft:
    """A screening before it is stored."""

    id: uuid.UUID
    reference: str
    candidate: Candidate
    hits: Sequence[RecordHit]
    outcome: Outcome
    grade: GradeWord | None

    @classmethod
    def of(cls, unit: Unit, candidate: Candidate, hits: Sequence[RecordHit], *, could: bool) -> "_Draft":
        """Says what came out; `could` is whether the details allow a check at all."""
        missed = Outcome.NO_RECORD if could else Outcome.INSUFFICIENT
        outcome = Outcome.POSSIBLE if hits else missed
        return cls(uuid7(unit.now), new_reference("S"), candidate, hits, outcome, best_grade(hits))


def _check(unit: Unit, request: ScreeningRequest) -> list[list[TokenEntry]]:
    """Checks a request and reads its entries; nothing is charged for one that is refused."""
    if request.epoch != unit.registry.epoch:
        raise WrongEpochError
    if request.scheme != unit.registry.scheme_digest:
        raise WrongSchemeError
    if check_text("vacancy", request.vacancy, longest=MAX_VACANCY) != request.vacancy:
        raise ValidationFailedError(errors={"vacancy": ["must be in NFC, without white space at its ends"]})
    if not request.categories:
        raise ValidationFailedError(errors={"categories": ["must name one or more"]})
    candidates = request.candidates
    if not 1 <= len(candidates) <= MAX_CANDIDATES:
        raise ValidationFailedError(errors={"candidates": [f"must be 1 to {MAX_CANDIDATES}"]})
    if len({candidate.id for candidate in candidates}) != len(candidates):
        raise ValidationFailedError(errors={"candidates": ["each must have an id of its own"]})
    for candidate in candidates:
        if len(candidate.self_token) != SELF_BYTES:
            raise ValidationFailedError(errors={"self": [f"must have {SELF_BYTES} bytes"]})
        check_box("note", candidate.note)
    return [_read_entries(candidate.entries) for candidate in candidates]


def _read_entries(entries: Sequence[bytes]) -> list[TokenEntry]:
    if len(entries) > MAX_ENTRIES or len(set(entries)) != len(entries):
        raise ValidationFailedError(errors={"entries": [f"must be at most {MAX_ENTRIES}, all different"]})
    try:
        read = [unpack_entry(entry) for entry in entries]
        for entry in read:
            rule_by_number(entry.rule)
    except (EncodingError, KeyError):
        raise ValidationFailedError(errors={"entries": ["must be well-formed, of known rules"]}) from None
    return read


def _event(unit: Unit, request: ScreeningRequest, draft: _Draft) -> CandidateScreened:
    actor = unit.required_actor
    return CandidateScreened(
        actor=str(actor.person),
        organisation=str(actor.organisation),
        object=str(draft.id),
        purpose=request.purpose.value,
        vacancy=request.vacancy,
        outcome=draft.outcome.value,
        grade=None if draft.grade is None else draft.grade.value,
        categories=tuple(sorted(category.value for category in request.categories)),
    )


def _opening(sealed: SealedEvent) -> dict[str, dict[str, str | None]]:
    return {name: {"salt": b64u(salt), "value": value} for name, (salt, value) in sealed.openings.items()}


def _previous(unit: Unit, request: ScreeningRequest) -> dict[bytes, tuple[Previous, ...]]:
    """Earlier screenings of the same candidates, by their self token."""
    own = sorted({candidate.self_token for candidate in request.candidates})
    found: dict[bytes, list[Previous]] = {}
    for row in unit.session.execute(_PREVIOUS, {"organisation": unit.required_actor.organisation, "own": own}):
        found.setdefault(row.self_token, []).append(Previous(row.id, row.reference, row.created_at))
    return {of_one: tuple(earlier[:_MAX_PREVIOUS]) for of_one, earlier in found.items()}


def _store(
    unit: Unit,
    request: ScreeningRequest,
    covered: int,
    drafts: Sequence[_Draft],
    recorded: Sequence[Recorded],
    openings: Sequence[Mapping[str, Mapping[str, str | None]]],
) -> None:
    actor = unit.required_actor
    common = {
        "organisation_id": actor.organisation,
        "person_id": actor.person,
        "purpose": request.purpose,
        "lawful_basis": request.lawful_basis,
        "vacancy": request.vacancy,
        "categories": request.categories,
        "epoch": request.epoch,
        "covered": covered,
    }
    rows = [
        {
            **common,
            "id": draft.id,
            "reference": draft.reference,
            "candidate": draft.candidate.id,
            "outcome": draft.outcome,
            "grade": draft.grade,
            "self_token": draft.candidate.self_token,
            "note": draft.candidate.note,
            "event_id": one.sealed.id,
            "openings": opening,
            "created_at": one.sealed.time,
        }
        for draft, one, opening in zip(drafts, recorded, openings, strict=True)
    ]
    try:
        unit.session.execute(_INSERT, rows)
    except IntegrityError:  # a reference was drawn twice: one chance in a million at a million screenings
        raise DatabaseBusyError from None
    hits = [
        {
            "screening_id": draft.id,
            "record_id": hit.record,
            "number": hit.number,
            "grade": hit.grade,
            "category": hit.category,
        }
        for draft in drafts
        for hit in draft.hits
    ]
    if hits:
        unit.session.execute(_INSERT_HITS, hits)


def _stored_hits(unit: Unit, screening: Screening) -> list[RecordHit]:
    columns = (ScreeningHit.record_id, Record.organisation_id, ScreeningHit.number)
    query = (
        select(*columns, ScreeningHit.category, ScreeningHit.grade)
        .join(Record, Record.id == ScreeningHit.record_id)
        .where(ScreeningHit.screening_id == screening.id)
    )
    return [RecordHit(*row) for row in unit.session.execute(query)]
