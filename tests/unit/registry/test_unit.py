"""A unit is an act with its event: both, or neither."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, ProgrammingError

from audit.events import parse_event
from audit.promise import verify_promise
from screening.registry import database
from screening.registry.base import Base, UtcDateTime
from screening.registry.errors import (
    AuditUnavailableError,
    ConflictError,
    DatabaseBusyError,
    DatabaseFaultError,
    DatabaseUnavailableError,
    LogInRefusedError,
    NotReadyError,
    StorageFullError,
    UnauthenticatedError,
    UnavailableError,
    translate_database_error,
)
from screening.registry.maintenance import run_expiries
from screening.registry.models import EventRow, PolicyValue, Screening, ScreeningBucket
from screening.registry.policy import change_policy, policy_value
from screening.registry.records import create_record
from screening.registry.screenings import ScreeningRequest, screen_candidates
from screening.registry.sessions import open_session
from screening.registry.unit import Unit
from tests.databases import Databases, Kind
from tests.factories import LOG_ORIGIN, PASSWORD, World


def test_an_act_and_its_event_are_committed_together(world: World) -> None:
    before = world.events()
    with world.unit(world.registrar) as unit:
        _, promise = change_policy(unit, "session_hours", 8)
        assert unit.recorded == ["registry:policy:changed"]
    assert world.events() == [*before, "registry:policy:changed"]
    with world.sessions() as session:
        row = session.scalars(select(EventRow).order_by(EventRow.id.desc()).limit(1)).one()
        assert policy_value(session, "session_hours") == 8
    parsed = parse_event(row.body)
    verified = verify_promise(promise, origin=LOG_ORIGIN, public_key=world.keyring.log.public_bytes)
    assert (verified.event, verified.leaf_hash) == (row.id, row.leaf_hash) == (parsed.id, parsed.leaf_hash)
    assert (parsed.fields["name"], parsed.fields["value"]) == ("session_hours", 8)
    assert parsed.actor == str(row.actor) == str(world.registrar.person)
    assert row.seq is None


def test_whatever_is_raised_takes_act_and_event_back(world: World) -> None:
    before = world.events()
    with pytest.raises(ZeroDivisionError):
        world.act(world.registrar, change_policy_and_fail)
    assert world.events() == before
    assert world.count(PolicyValue) == 0


def change_policy_and_fail(unit: Unit) -> None:
    change_policy(unit, "session_hours", 8)
    raise ZeroDivisionError


def test_a_recorded_refusal_leaves_its_event_and_is_raised_on(world: World) -> None:
    before = world.events()
    with pytest.raises(LogInRefusedError):
        world.act(None, open_session, world.registrar.email, "wrong wrong wrong")
    assert world.events() == [*before, "registry:session:refused"]


ACTS: dict[str, Callable[[World], object]] = {
    "policy": lambda world: world.act(world.registrar, change_policy, "session_hours", 8),
    "record": lambda world: world.act(world.alpha.admin, create_record, **world.record(world.alpha)),
    "screening": lambda world: world.act(
        world.alpha.recruiter, screen_candidates, world.request(world.candidate(world.alpha))
    ),
    "session": lambda world: world.act(None, open_session, world.registrar.email, PASSWORD),
    "refused session": lambda world: world.act(None, open_session, world.registrar.email, "wrong wrong wrong"),
    "expiry": lambda world: world.act(None, run_expiries),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_without_the_event_table_nothing_is_done(world: World, act: Callable[[World], object]) -> None:
    world.active_record(world.beta)
    world.clock.advance(days=1_001)
    with world.engine.begin() as connection:
        connection.execute(text("DROP TABLE events"))
    before = everything(world)
    with pytest.raises(UnavailableError):
        act(world)
    assert everything(world) == before


def everything(world: World) -> dict[str, list[object]]:
    """Every row of every table but the events."""
    with world.sessions() as session:
        tables = [table for table in Base.metadata.sorted_tables if table.name != "events"]
        return {table.name: [tuple(row) for row in session.execute(select(table))] for table in tables}


def test_an_event_that_cannot_be_written_is_said_to_be_that(world: World, database_kind: Kind) -> None:
    with world.engine.begin() as connection:
        connection.execute(text("DROP TABLE events"))
    expected = AuditUnavailableError if database_kind == "postgresql" else DatabaseUnavailableError
    with pytest.raises(expected):
        world.act(world.registrar, change_policy, "session_hours", 8)


def test_an_act_whose_rows_cannot_be_written_leaves_no_event(world: World) -> None:
    world.active_record(world.beta)
    with world.engine.begin() as connection:
        connection.execute(text("DROP TABLE screening_hits"))
    before = world.events()
    with pytest.raises((DatabaseUnavailableError, DatabaseFaultError)):
        world.act(world.alpha.recruiter, screen_candidates, world.request(world.candidate(world.alpha)))
    assert world.events() == before
    assert world.count(Screening) == 0


def test_a_database_error_comes_out_without_what_was_submitted(world: World) -> None:
    with pytest.raises(ConflictError) as caught:
        world.act(world.registrar, add_twice)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


SECRET = "a-very-private-name"


def add_twice(unit: Unit) -> None:
    for _ in range(2):
        bucket = {"name": SECRET, "level": 0.0, "updated_at": unit.now}
        unit.session.execute(ScreeningBucket.__table__.insert(), bucket)  # type: ignore[attr-defined] # a Table


def test_a_second_writer_waits_for_the_first(world: World) -> None:
    inside, order = threading.Event(), []

    def second() -> None:
        inside.wait()
        world.act(world.registrar, change_policy, "session_hours", 9)
        order.append("second")

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(second)
        with world.unit(world.registrar) as unit:
            change_policy(unit, "session_hours", 8)
            inside.set()
            time.sleep(0.2)
            order.append("first")
        waiting.result()
    with world.sessions() as session:
        assert policy_value(session, "session_hours") == 9
    assert order == ["first", "second"]


def test_a_reader_neither_waits_nor_sees_what_is_not_committed(world: World) -> None:
    with world.unit(world.registrar) as unit:
        change_policy(unit, "session_hours", 8)
        with world.unit(world.registrar, write=False) as reader:
            assert policy_value(reader.session, "session_hours") == 12


def test_a_writer_that_waits_too_long_is_told_that_the_database_is_busy(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    if world.engine.dialect.name == "sqlite":
        monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
    else:
        with world.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(
                text(f"ALTER DATABASE \"{world.engine.url.database}\" SET lock_timeout = '1s'")
            )
    impatient = world.at(world.url)
    with world.unit(world.registrar) as unit:
        change_policy(unit, "session_hours", 8)
        with pytest.raises(DatabaseBusyError):
            impatient.act(impatient.registrar, change_policy, "session_hours", 9)
    impatient.close()


def test_with_every_connection_in_use_the_database_is_busy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    monkeypatch.setattr(database, "MAX_OVERFLOW", 0)
    engine = database.create_engine(world.url, pool_size=1)
    narrow = replace(world, engine=engine, sessions=database.create_sessions(engine))
    with narrow.unit(world.registrar, write=False), pytest.raises(DatabaseBusyError):
        narrow.act(world.registrar, change_policy, "session_hours", 8)
    narrow.close()


def test_a_full_disk_is_said_to_be_that_and_changes_nothing(world: World, database_kind: Kind) -> None:
    if database_kind == "postgresql":  # its own error, as a full disk cannot be made here
        error = OperationalError("INSERT", {}, OriginalError(sqlstate="53100"))
        assert isinstance(translate_database_error(error), StorageFullError)
        return
    before = everything(world), world.events()
    request = world.request(*(world.candidate(world.alpha, str(i)) for i in range(60)))
    with pytest.raises(StorageFullError):
        world.act(world.alpha.recruiter, screen_on_a_full_disk, request)
    assert (everything(world), world.events()) == before


def screen_on_a_full_disk(unit: Unit, request: ScreeningRequest) -> None:
    connection = unit.session.connection()
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    screen_candidates(unit, request)


class OriginalError(Exception):
    def __init__(self, *, sqlstate: str | None = None, sqlite_errorcode: int | None = None) -> None:
        super().__init__("text of the database with a value in it")
        self.sqlstate = sqlstate
        self.sqlite_errorcode = sqlite_errorcode


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OperationalError("x", {}, OriginalError(sqlite_errorcode=13)), StorageFullError),
        (OperationalError("x", {}, OriginalError(sqlite_errorcode=5)), DatabaseBusyError),
        (OperationalError("x", {}, OriginalError(sqlite_errorcode=517)), DatabaseBusyError),  # SQLITE_BUSY_SNAPSHOT
        (OperationalError("x", {}, OriginalError(sqlite_errorcode=6)), DatabaseBusyError),
        (OperationalError("x", {}, OriginalError(sqlite_errorcode=14)), DatabaseUnavailableError),
        (OperationalError("x", {}, OriginalError(sqlite_errorcode=8)), DatabaseUnavailableError),
        (OperationalError("x", {}, OriginalError(sqlstate="53100")), StorageFullError),
        (OperationalError("x", {}, OriginalError(sqlstate="40P01")), DatabaseBusyError),
        (OperationalError("x", {}, OriginalError(sqlstate="40001")), DatabaseBusyError),
        (OperationalError("x", {}, OriginalError(sqlstate="55P03")), DatabaseBusyError),
        (OperationalError("x", {}, OriginalError(sqlstate="57P01")), DatabaseUnavailableError),
        (OperationalError("x", {}, OriginalError()), DatabaseUnavailableError),
        (IntegrityError("x", {}, OriginalError(sqlstate="23505")), ConflictError),
        (IntegrityError("x", {}, OriginalError(sqlite_errorcode=2067)), ConflictError),
        (ProgrammingError("x", {}, OriginalError(sqlstate="42P01")), DatabaseFaultError),
        (DBAPIError("x", {}, OriginalError(), connection_invalidated=True), DatabaseUnavailableError),
    ],
    ids=lambda value: getattr(value, "__name__", repr(getattr(value, "orig", value).__dict__)),
)
def test_each_error_of_a_database_is_told_apart(error: DBAPIError, expected: type[Exception]) -> None:
    translated = translate_database_error(error)
    assert type(translated) is expected
    assert "value in it" not in str(translated)


def test_a_database_that_goes_away_is_said_to_be_unavailable(world: World, databases: Databases) -> None:
    request = world.request(world.candidate(world.alpha))
    with pytest.raises(DatabaseUnavailableError):
        world.act(world.alpha.recruiter, screen_while_it_goes_away, request, databases)
    if world.engine.dialect.name == "postgresql":
        with pytest.raises(DatabaseUnavailableError):
            world.act(world.alpha.recruiter, screen_candidates, request)


def screen_while_it_goes_away(unit: Unit, request: ScreeningRequest, databases: Databases) -> None:
    connection = unit.session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")  # as on a file system that turned read-only
    else:
        databases.drop_all()
    screen_candidates(unit, request)


def test_who_is_not_logged_in_cannot_act(world: World) -> None:
    with pytest.raises(UnauthenticatedError):
        world.act(None, change_policy, "session_hours", 8)


def test_without_a_trust_file_nothing_that_needs_one_is_done(world: World) -> None:
    unready = replace(world, context=replace(world.context, trust=None))
    with pytest.raises(NotReadyError):
        unready.act(world.alpha.recruiter, screen_candidates, world.request(world.candidate(world.alpha)))


def test_a_naive_time_is_never_stored(world: World) -> None:
    with pytest.raises(ValueError, match="zone"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), world.engine.dialect)  # noqa: DTZ001 - refused


@pytest.mark.parametrize("url", ["", "mysql://x/y", "sqlite://", "sqlite:///:memory:", "nonsense"])
def test_another_kind_of_database_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"database URL|file"):
        database.create_engine(url)


def test_secrets_are_in_no_repr(world: World) -> None:
    shown = repr(world.context)
    assert world.keyring.signing.seed_bytes.hex() not in shown
    assert "SigningKey" not in shown
    assert "PasswordHasher" not in shown
