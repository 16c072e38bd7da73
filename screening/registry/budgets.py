"""Budgets: how many candidates a person and an organisation may screen in a day.

Cryptography does not stop somebody who is allowed to ask; budgets do. A leaky bucket: it holds a day's candidates and
empties evenly over 24 hours. Candidates without a match are charged like the others.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import bindparam, select, update

from screening.registry.base import table_of
from screening.registry.errors import BudgetSpentError
from screening.registry.models import ScreeningBucket
from screening.registry.policy import policy_value
from screening.registry.rows import insert_missing
from screening.registry.unit import Unit

_DAY_SECONDS = timedelta(days=1).total_seconds()
_BUCKETS = table_of(ScreeningBucket)
_LOCK = (
    select(_BUCKETS.c.name, _BUCKETS.c.level, _BUCKETS.c.updated_at)
    .where(_BUCKETS.c.name.in_(bindparam("names", expanding=True)))
    .order_by(_BUCKETS.c.name)
    .with_for_update()
)
_FILL = (
    update(_BUCKETS)
    .where(_BUCKETS.c.name == bindparam("bucket"))
    .values(level=bindparam("filled"), updated_at=bindparam("at"))
)


@dataclass(frozen=True)
class Budget:
    """How much of a budget is left after a charge."""

    capacity: int
    """Candidates in 24 hours."""
    remaining: int


def charge_candidates(unit: Unit, count: int) -> tuple[Budget, Budget]:
    """Charges candidates to the person and the organisation of a unit's actor, in its transaction.

    Args:
        unit: Writing.
        count: Number of candidates.

    Returns:
        What is left to the person, and to the organisation.

    Raises:
        BudgetSpentError: One of the two does not allow that many now; neither is charged.
    """
    actor = unit.required_actor
    of_person = policy_value(unit.session, "screening_candidates_per_person_per_day")
    of_organisation = policy_value(unit.session, "screening_candidates_per_organisation_per_day")
    capacities = {f"person:{actor.person}": of_person, f"organisation:{actor.organisation}": of_organisation}
    levels = _lock_levels(unit, capacities)
    wait = max(_seconds_until(levels[name], count, capacity) for name, capacity in capacities.items())
    if wait > 0:
        raise BudgetSpentError(retry_after=math.ceil(min(wait, _DAY_SECONDS)))
    charged = {name: level + count for name, level in levels.items()}
    unit.session.execute(_FILL, [{"bucket": name, "filled": level, "at": unit.now} for name, level in charged.items()])
    person, organisation = (
        Budget(capacity, max(0, math.floor(capacity - charged[name]))) for name, capacity in capacities.items()
    )
    return person, organisation


def _lock_levels(unit: Unit, capacities: Mapping[str, int]) -> dict[str, float]:
    """Locks buckets, always in the same order, and says how full each is now."""
    names = sorted(capacities)
    rows = unit.session.execute(_LOCK, {"names": names}).all()
    if len(rows) < len(names):
        insert_missing(
            unit.session, ScreeningBucket, [{"name": name, "level": 0.0, "updated_at": unit.now} for name in names]
        )
        rows = unit.session.execute(_LOCK, {"names": names}).all()
    levels = {}
    for name, level, updated_at in rows:
        elapsed = max(0.0, (unit.now - updated_at).total_seconds())
        levels[name] = max(0.0, level - elapsed * capacities[name] / _DAY_SECONDS)
    return levels


def _seconds_until(level: float, count: int, capacity: int) -> float:
    """Seconds until a bucket takes `count` more; 0 if it does now, a day if it never will at once."""
    over = level + count - capacity
    if over <= 0:
        return 0.0
    return over * _DAY_SECONDS / capacity if count <= capacity else _DAY_SECONDS
