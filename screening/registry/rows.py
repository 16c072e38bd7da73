"""Small helpers for rows: locking them, making them where they are missing, and paging through them."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session

from screening.crypto.encoding import b64u, unb64u
from screening.crypto.errors import EncodingError
from screening.registry.base import table_of
from screening.registry.errors import ValidationFailedError

MAX_PAGE = 200
"""Most objects on a page."""

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some of many objects, the newest first."""

    items: tuple[T, ...]
    cursor: str | None
    """Gives the next page; None after the last."""


def read_page(
    session: Session,
    query: Select[T],
    key: InstrumentedAttribute[uuid.UUID],
    *,
    cursor: str | None,
    limit: int,
) -> Page[T]:
    """Reads a page of a query, the highest ids first.

    Args:
        session: Where to read.
        query: What to page through; already filtered, not ordered.
        key: The id to order by.
        cursor: From the page before; None for the first.
        limit: Most objects on the page, 1 to `MAX_PAGE`.

    Raises:
        ValidationFailedError: The cursor is none of ours, or the limit is out of bounds.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise ValidationFailedError(errors={"limit": [f"must be 1 to {MAX_PAGE}"]})
    if cursor is not None:
        query = query.where(key < _read_cursor(cursor))
    found = session.execute(query.order_by(key.desc()).limit(limit + 1)).scalars().all()
    more = len(found) > limit
    items = tuple(found[:limit])
    last: uuid.UUID | None = getattr(items[-1], key.key) if more else None
    return Page(items, None if last is None else b64u(last.bytes))


def insert_missing(session: Session, table: type[DeclarativeBase], rows: Sequence[Mapping[str, Any]]) -> int:
    """Inserts the rows whose keys are not there; leaves the others as they are.

    On PostgreSQL it waits for another transaction that inserts the same key, and then leaves that one's row.

    Returns:
        How many were inserted.
    """
    makers: Mapping[str, Callable[..., Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
    maker = makers[session.get_bind().dialect.name]
    parameters = rows[0] if len(rows) == 1 else list(rows)  # one row needs no executemany
    statement = maker(table_of(table)).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
    result = session.execute(statement, parameters)
    return max(0, int(result.rowcount))  # type: ignore[attr-defined] # an INSERT gives a CursorResult


def _read_cursor(cursor: str) -> uuid.UUID:
    try:
        return uuid.UUID(bytes=unb64u(cursor, length=16))
    except EncodingError:
        raise ValidationFailedError(errors={"cursor": ["is not a cursor of this registry"]}) from None
