"""One unit is one transaction is one act with its event.

```python
with open_unit(sessions, context, clock, actor) as unit:
    record, promise = withdraw_record(unit, record_id, etag=3, withdrawal=statement)
# here it is committed: now, and not before, the promise may be given away
```

Whatever is raised inside rolls everything back, the event included; a `RecordedRefusalError` alone, such as a refused
log-in, commits what was written before it and is raised on. Errors of the database come out as those of
`screening.registry.errors`, without its text.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session, sessionmaker

from audit.events import Event, SealedEvent, seal_event
from audit.promise import make_promise
from screening.crypto.identifiers import uuid7
from screening.crypto.passwords import PasswordHasher
from screening.crypto.signing import SigningKey
from screening.crypto.trust import TrustFile
from screening.registry.base import table_of
from screening.registry.database import FOR_WRITING
from screening.registry.errors import (
    AuditUnavailableError,
    ConflictError,
    DatabaseBusyError,
    DatabaseFaultError,
    NotReadyError,
    RecordedRefusalError,
    UnauthenticatedError,
    translate_database_error,
)
from screening.registry.models import EventRow, Role

_INSERT = insert(table_of(EventRow))

Clock = Callable[[], datetime]
"""Gives the present, aware, in UTC."""


def system_clock() -> datetime:
    """The present."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class RegistryContext:
    """What a registry process knows besides its database."""

    id: str
    """Id of the registry."""
    signing: SigningKey = field(repr=False)
    """Countersigns certificates and trust files."""
    log: SigningKey = field(repr=False)
    """Signs promises."""
    log_origin: str
    """Name of the log."""
    passwords: PasswordHasher = field(repr=False)
    """Hashes and checks passwords."""
    trust: TrustFile | None = None
    """The trust file in force; None until the first is published."""

    @property
    def required_trust(self) -> TrustFile:
        """The trust file in force.

        Raises:
            NotReadyError: There is none yet.
        """
        if self.trust is None:
            raise NotReadyError
        return self.trust

    @property
    def epoch(self) -> int:
        """Epoch of the hashing key."""
        return self.required_trust.epoch

    @property
    def scheme_digest(self) -> str:
        """Digest of the matching scheme, in hex."""
        return self.required_trust.scheme_digest


@dataclass(frozen=True)
class Actor:
    """Somebody who is logged in."""

    person: uuid.UUID
    organisation: uuid.UUID
    roles: frozenset[Role]
    session: uuid.UUID
    use_unnoted: bool = field(default=False, compare=False)
    """The session was last noted as used over a minute ago: `sessions.note_use` in a writing unit is due."""


@dataclass(frozen=True)
class Recorded:
    """An event that was written, and the promise for it."""

    sealed: SealedEvent
    promise: dict[str, Any]


class Unit:
    """A transaction in which services act.

    Args:
        session: In a transaction already.
        registry: What the process knows.
        clock: Gives the present.
        actor: Who acts; None where nobody is logged in.
    """

    def __init__(self, session: Session, registry: RegistryContext, clock: Clock, actor: Actor | None = None) -> None:
        self.session = session
        self.registry = registry
        self.clock = clock
        self.actor = actor
        self.now = clock()
        """The one time of everything in this unit."""
        self.recorded: list[str] = []
        """Tags of the events written so far."""

    @property
    def required_actor(self) -> Actor:
        """Who acts.

        Raises:
            UnauthenticatedError: Nobody is logged in.
        """
        if self.actor is None:
            raise UnauthenticatedError
        return self.actor

    def record(self, event: Event) -> dict[str, Any]:
        """Writes the event of this act, in its transaction.

        Args:
            event: The event.

        Returns:
            The promise for it; to be given away once the unit has committed.

        Raises:
            AuditUnavailableError: The event cannot be written, so the act must not be done.
        """
        return self.record_all([event])[0].promise

    def record_all(self, events: Sequence[Event]) -> list[Recorded]:
        """Writes the events of an act on several objects, one for each, at once.

        Raises:
            AuditUnavailableError: They cannot be written, so the act must not be done.
        """
        sealed = [seal_event(event, id=uuid7(self.now), time=self.now, registry=self.registry.id) for event in events]
        rows = [_row(one, event) for one, event in zip(sealed, events, strict=True)]
        self.session.flush()
        try:
            self.session.execute(_INSERT, rows)
        except DBAPIError as error:
            translated = translate_database_error(error)
            refused = isinstance(translated, (ConflictError, DatabaseFaultError))  # nothing of ours collides with an id
            raise (AuditUnavailableError() if refused else translated) from None
        self.recorded.extend(one.tag for one in sealed)
        return [Recorded(one, self._promise(one)) for one in sealed]

    def _promise(self, sealed: SealedEvent) -> dict[str, Any]:
        log = self.registry.log
        return make_promise(
            log.sign,
            key=log.key_id,
            origin=self.registry.log_origin,
            event_id=sealed.id,
            leaf_hash=sealed.leaf_hash,
            time=sealed.time,
        )


Units = Callable[[], AbstractContextManager[Unit]]
"""Opens units, one at each call."""


@contextmanager
def open_unit(
    sessions: sessionmaker[Session],
    registry: RegistryContext,
    clock: Clock = system_clock,
    actor: Actor | None = None,
    *,
    write: bool = True,
) -> Iterator[Unit]:
    """Runs one transaction.

    Args:
        sessions: Of the registry's database.
        registry: What the process knows.
        clock: Gives the present.
        actor: Who acts, if known already; `Unit.actor` may be set later.
        write: Whether anything will be written. On SQLite a writing unit waits here until it is the only one.

    Yields:
        The unit. Left normally, or by a `RecordedRefusalError`, it commits; otherwise it changes nothing.

    Raises:
        RegistryError: What a service refused, or what an error of the database means.
    """
    session = sessions()
    try:
        session.connection(execution_options={FOR_WRITING: write})
        unit = Unit(session, registry, clock, actor)
        try:
            yield unit
        except RecordedRefusalError:
            session.commit()
            raise
        session.commit()
    except DBAPIError as error:
        session.rollback()
        raise translate_database_error(error) from None
    except PoolTimeoutError:
        session.rollback()
        raise DatabaseBusyError from None
    except BaseException:
        session.rollback()
        raise
    finally:
        session.close()


def _row(sealed: SealedEvent, event: Event) -> dict[str, object]:
    return {
        "id": sealed.id,
        "tag": sealed.tag,
        "organisation_id": None if event.organisation is None else uuid.UUID(event.organisation),
        "actor": None if event.actor is None else uuid.UUID(event.actor),
        "object": event.object,
        "time": sealed.time,
        "body": sealed.body,
        "leaf_hash": sealed.leaf_hash,
    }
