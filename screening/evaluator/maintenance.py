"""What an evaluator forgets: charged batches, once nobody needs them as evidence any more."""

from datetime import datetime, timedelta
from typing import Final, cast

from sqlalchemy import Connection, Table, delete

from screening.evaluator.models import EvaluationBatch

KEEP_BATCHES: Final = timedelta(days=400)
"""How long a charged batch is kept: over a year, so that counts of evaluators can be compared year by year.

Far longer than a request can be replayed (`screening.evaluator.service.CLOCK_TOLERANCE`).
"""

_T = cast("Table", EvaluationBatch.__table__)  # declared as FromClause, made as Table


def purge_batches(connection: Connection, now: datetime) -> int:
    """Forgets the batches that were charged more than `KEEP_BATCHES` ago.

    Args:
        connection: In a transaction of its own on the registry's or a keyholder's database.
        now: The present, aware, in UTC.

    Returns:
        How many.
    """
    return int(connection.execute(delete(_T).where(_T.c.created_at < now - KEEP_BATCHES)).rowcount)
