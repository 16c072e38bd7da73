"""The same request twice gives the same answer and is done once.

```python
with open_unit(...) as unit:
    kept = claim_key(unit, endpoint="records.create", key=key, body_digest=digest)
    if kept is None:
        answer = ...                                   # act
        keep_answer(unit, endpoint="records.create", key=key, status=201, answer=answer)
```
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from screening.registry.base import table_of
from screening.registry.errors import IdempotencyConflictError, ValidationFailedError
from screening.registry.models import IdempotencyKey
from screening.registry.policy import policy_value
from screening.registry.rows import insert_missing
from screening.registry.unit import Unit

_KEPT = table_of(IdempotencyKey)
_FIND = select(_KEPT.c.body_digest, _KEPT.c.status, _KEPT.c.answer).where(
    _KEPT.c.person_id == bindparam("person"), _KEPT.c.endpoint == bindparam("endpoint"), _KEPT.c.key == bindparam("key")
)
_KEEP = (
    update(_KEPT)
    .where(
        _KEPT.c.person_id == bindparam("of_person"),
        _KEPT.c.endpoint == bindparam("of_endpoint"),
        _KEPT.c.key == bindparam("of_key"),
    )
    .values(status=bindparam("given_status"), answer=bindparam("given_answer"))
)
_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}\Z")


@dataclass(frozen=True)
class KeptAnswer:
    """What the same request was answered with."""

    status: int
    answer: Any


def claim_key(unit: Unit, *, endpoint: str, key: str, body_digest: bytes) -> KeptAnswer | None:
    """Takes a key for a request, in its transaction, or finds the answer that it had.

    Two requests with one key at the same time wait for each other here: the second finds the first one's answer.

    Args:
        unit: Writing, with an actor.
        endpoint: What is asked for; a key of another endpoint is another key.
        key: 1 to 128 letters, digits, `-` or `_`, chosen by the client.
        body_digest: SHA-256 of the request's body, 32 bytes.

    Returns:
        The answer to give again; None if the request is new, and `keep_answer` has to follow.

    Raises:
        ValidationFailedError: The key has another form.
        IdempotencyConflictError: The key was used for another body.
    """
    if not _KEY.match(key):
        raise ValidationFailedError(errors={"Idempotency-Key": ["must have 1 to 128 letters, digits, '-' or '_'"]})
    row = {
        "person_id": unit.required_actor.person,
        "endpoint": endpoint,
        "key": key,
        "body_digest": body_digest,
        "created_at": unit.now,
    }
    if insert_missing(unit.session, IdempotencyKey, [row]):
        return None
    same = {"person": unit.required_actor.person, "endpoint": endpoint, "key": key}
    kept = unit.session.execute(_FIND, same).one()
    if kept.status is None or kept.body_digest != body_digest:
        raise IdempotencyConflictError
    return KeptAnswer(kept.status, kept.answer)


def keep_answer(unit: Unit, *, endpoint: str, key: str, status: int, answer: Any) -> None:
    """Keeps the answer to a request whose key was claimed in this unit.

    Args:
        unit: The one in which `claim_key` returned None.
        endpoint: As there.
        key: As there.
        status: HTTP status.
        answer: JSON.
    """
    same = {"of_person": unit.required_actor.person, "of_endpoint": endpoint, "of_key": key}
    unit.session.execute(_KEEP, {**same, "given_status": status, "given_answer": answer})


def purge_keys(unit: Unit) -> int:
    """Forgets answers older than the policy `idempotency_days`; returns how many."""
    oldest = unit.now - timedelta(days=policy_value(unit.session, "idempotency_days"))
    result = unit.session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < oldest))
    return int(result.rowcount)  # type: ignore[attr-defined] # a DELETE gives a CursorResult
