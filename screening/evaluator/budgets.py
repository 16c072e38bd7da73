"""Budgets: leaky buckets, counted in elements, that drain evenly over 24 hours."""

import functools
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Table, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from screening.evaluator.errors import EvaluatorError
from screening.evaluator.models import EvaluationBucket

ALL = "all"
"""Name of the bucket that all organisations share."""
DAY_SECONDS = 86_400

_T: Table = EvaluationBucket.__table__  # type: ignore[assignment]  # declared as FromClause, made as Table
# Locked in the order of their names, so that no two transactions wait for each other. SQLite knows no FOR UPDATE; there
# the transaction, which began with a write, holds the one write lock.
_LOCKED = select(_T).where(_T.c.name.in_(bindparam("names", expanding=True))).order_by(_T.c.name).with_for_update()
_FILL = update(_T).where(_T.c.name == bindparam("key")).values(level=bindparam("new"), updated_at=bindparam("now"))


@functools.cache
def insert_ignoring(dialect: str, table: Table) -> Any:
    """Makes an INSERT that does nothing where the key is taken; its `rowcount` says whether it did."""
    module = {"postgresql": postgresql, "sqlite": sqlite}[dialect]
    return module.insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)


def charge(connection: Connection, buckets: Sequence[tuple[str, int]], cost: int, now: datetime) -> int:
    """Pours a cost into every bucket, or into none.

    Args:
        connection: In a transaction that has written already.
        buckets: Names and capacities (elements in 24 hours), the organisation's own first.
        cost: Elements; 0 only looks.
        now: The present, in UTC.

    Returns:
        What the first bucket can still take.

    Raises:
        EvaluatorError: `budget-spent`, with the seconds after which the cost fits.
    """
    names = {"names": sorted(name for name, _ in buckets)}
    rows = connection.execute(_LOCKED, names).all()
    if len(rows) < len(buckets):
        empty = [{"name": name, "level": 0.0, "updated_at": now} for name in names["names"]]
        connection.execute(insert_ignoring(connection.dialect.name, _T), empty)
        rows = connection.execute(_LOCKED, names).all()
    stored = {row.name: row for row in rows}
    filled: list[dict[str, Any]] = []
    for name, capacity in buckets:
        since = stored[name].updated_at  # SQLite keeps no zone
        since = since.astimezone(UTC) if since.tzinfo else since.replace(tzinfo=UTC)
        drained = max(0.0, (now - since).total_seconds()) * capacity / DAY_SECONDS
        level = max(0.0, stored[name].level - drained) + cost
        if cost and level > capacity:
            wait = (level - capacity) * DAY_SECONDS / capacity if cost <= capacity else DAY_SECONDS
            whose = "all organisations together have" if name == ALL else "the organisation has"
            raise EvaluatorError("budget-spent", f"{whose} used the day's budget", retry_after=math.ceil(wait))
        filled.append({"key": name, "new": level, "now": max(now, since)})
    if cost:
        connection.execute(_FILL, filled)
    return max(0, math.floor(float(buckets[0][1] - filled[0]["new"])))
