"""What time brings about: reviews that were missed, records that expire, answers and log-ins that are forgotten.

Run it daily, in a unit of its own without an actor. What it does to a record is an event of that record's owner.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, select

from audit.events import Event, RecordExpired, RecordSuspended
from screening.registry.idempotency import purge_keys
from screening.registry.models import Basis, Record, RecordState
from screening.registry.record_states import ENDED, MATCHING
from screening.registry.records import clear_record, remove_tokens
from screening.registry.sessions import purge_sessions
from screening.registry.unit import Unit

AT_ONCE = 500
"""Most records handled in one unit: no transaction is large."""

_KEEP_SESSIONS = timedelta(days=30)


@dataclass(frozen=True)
class Expiries:
    """What was done."""

    suspended: int
    expired: int

    @property
    def more(self) -> bool:
        """Whether there may be more to do: run it again."""
        return AT_ONCE in (self.suspended, self.expired)


def run_expiries(unit: Unit) -> Expiries:
    """Ends records whose retention is over, and suspends pending ones whose review date has passed.

    An expired record becomes a tombstone. A suspended one matches no longer, but keeps entries and dossier: a
    correction that is approved makes it match again. Either is an event; done twice it does nothing more.

    Args:
        unit: Writing.

    Returns:
        How many records of each.
    """
    today = unit.now.date()
    over = select(Record).where(Record.state.not_in(sorted(ENDED)), Record.expires_on <= today)
    expired = _each(unit, over, _expire)
    missed = select(Record).where(
        Record.state.in_(sorted(MATCHING)), Record.basis == Basis.PENDING, Record.review_on <= today
    )
    return Expiries(suspended=_each(unit, missed, _suspend), expired=expired)


@dataclass(frozen=True)
class Purged:
    """What was forgotten."""

    answers: int
    sessions: int


def purge(unit: Unit) -> Purged:
    """Forgets answers, sessions and failed log-ins that are no longer needed; says how many of the first two."""
    return Purged(answers=purge_keys(unit), sessions=purge_sessions(unit, after=_KEEP_SESSIONS))


def _each(unit: Unit, query: Select[Record], act: Callable[[Unit, Record], Event]) -> int:
    chosen = query.order_by(Record.id).limit(AT_ONCE).with_for_update(skip_locked=True)
    records = unit.session.scalars(chosen).all()
    events = []
    for record in records:
        events.append(act(unit, record))
        record.revision += 1
        record.updated_at = unit.now
    if events:
        unit.record_all(events)
    return len(events)


def _expire(unit: Unit, record: Record) -> Event:
    clear_record(unit, record)
    record.state = RecordState.EXPIRED
    return RecordExpired(organisation=str(record.organisation_id), object=str(record.id), version_number=record.number)


def _suspend(unit: Unit, record: Record) -> Event:
    remove_tokens(unit, record)
    record.state = RecordState.SUSPENDED
    return RecordSuspended(
        organisation=str(record.organisation_id),
        object=str(record.id),
        version_number=record.approved_number or record.number,
    )
