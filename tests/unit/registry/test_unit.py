"""A unit is an act with its event: both, or neither."""

import threading
import time
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, ProgrammingError

from audit.events import parse_event
from audit.promise import verify_promise
from screening.registry import database
from screening.registry.base import UtcDateTime
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
from screening.registry.models import EventRow, Organisation, PolicyValue
from screening.registry.policy import change_policy, policy_value
from screening.registry.records import create_record
from screening.registry.screenings import screen_candidates
from screening.registry.sessions import open_session
from tests.databases import Databases, Kind
from tests.factories import LOG_ORIGIN, PASSWORD, World


def test_an_act_and_its_event_are_committed_together(world: World) -> None:
    before = world.events()
    with world.unit(world.registrar) as unit:
        _, promise = change_policy(unit, "session_hours", 8)
        assert unit.recorded == ["registry:policy:changed"]
    assert world.events() == [*before, "registry:policy:changed"]
    with world.sessions() as session:
        row = session.scalars(session.query(EventRow).order_by(EventRow.id.desc()).limit(1).statement).one()
        assert policy_value(session, "session_hours") == 8
    parsed = parse_event(row.body)
    verified = verify_promise(promise, origin=LOG_ORIGIN, public_key=world.keyring.log.public_bytes)
    assert (verified.event, verified.leaf_hash) == (row.id, row.leaf_hash) == (parsed.id, parsed.leaf_hash)
    assert (parsed.fields["name"], parsed.fields["value"]) == ("session_hours", 8)
    assert parsed.actor == str(row.actor) == str(world.registrar.person)
    assert row.seq is None


def test_whatever_is_raised_takes_act_and_event_back(world: World) -> None:
    before = world.events()
    with pytest.raises(ZeroDivisionError), world.unit(world.registrar) as unit:
        change_policy(unit, "session_hours", 8)
        raise ZeroDivisionError
    assert world.events() == before
    assert world.count(PolicyValue) == 0


def test_a_recorded_refusal_leaves_its_event_and_is_raised_on(world: World) -> None:
    before = world.events()
    with pytest.raises(LogInRefusedError), world.unit() as unit:
        open_session(unit, world.registrar.email, "wrong wrong wrong")
    assert world.events() == [*before, "registry:session:refused"]


@pytest.mark.parametrize("act", ["policy", "record", "screening", "session"])
def test_without_the_event_table_nothing_is_done(world: World, act: str) -> None:
    with world.engine.begin() as connection:
        connection.execute(text("DROP TABLE events"))
        tables = [
            name
            for name in ("policy_values", "records", "record_versions", "screenings", "screening_buckets", "sessions")
        ]
        before = {name: connection.execute(text(f"SELECT * FROM {name}")).all() for name in tables}  # noqa: S608 - fixed names
    alpha = world.alpha
    with pytest.raises(UnavailableError), world.unit(None if act == "session" else alpha.recruiter) as unit:
        match act:
            case "policy":
                change_policy(unit, "session_hours", 8)
            case "record":
                create_record(unit, **world.record(alpha))
            case "screening":
                screen_candidates(unit, world.request(world.candidate(alpha)))
            case _:
                open_session(unit, alpha.recruiter.email, PASSWORD)
    with world.engine.begin() as connection:
        for name, rows in before.items():
            assert connection.execute(text(f"SELECT * FROM {name}")).all() == rows  # noqa: S608 - fixed names


def test_an_event_that_cannot_be_written_is_said_to_be_that(world: World, database_kind: Kind) -> None:
    with world.engine.begin() as connection:
        connection.execute(text("DROP TABLE events"))
    expected = AuditUnavailableError if database_kind == "postgresql" else DatabaseUnavailableError
    with pytest.raises(expected), world.unit(world.registrar) as unit:
        change_policy(unit, "session_hours", 8)


def test_an_act_whose_row_cannot_be_written_leaves_no_event(world: World) -> None:
    before = world.events()
    with world.engine.begin() as connection:
        connection.execute(text("DROP TABLE screening_hits"))
    world.active_record(world.beta)
    before = world.events()
    with pytest.raises((DatabaseUnavailableError, DatabaseFaultError)), world.unit(world.alpha.recruiter) as unit:
        screen_candidates(unit, world.request(world.candidate(world.alpha)))
    assert world.events() == before


def test_a_database_error_comes_out_without_what_was_submitted(world: World) -> None:
    secret = "a-very-private-name"
    with pytest.raises(ConflictError) as caught, world.unit(world.registrar) as unit:
        for _ in range(2):
            unit.session.add(_organisation(secret))
        unit.session.flush()
    assert secret not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def _organisation(name: str) -> Organisation:
    from screening.crypto.identifiers import uuid7
    from screening.registry.models import OrganisationKind, OrganisationState

    return Organisation(
        id=uuid7(),
        kind=OrganisationKind.MEMBER,
        name=name,
        contact="c",
        state=OrganisationState.ACTIVE,
        created_at=datetime.now(UTC),
    )


def test_a_second_writer_waits_for_the_first(world: World) -> None:
    order: list[str] = []
    inside = threading.Event()

    def second() -> None:
        inside.wait()
        with world.unit(world.registrar) as unit:
            change_policy(unit, "session_hours", 9)
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with world.unit(world.registrar) as unit:
        change_policy(unit, "session_hours", 8)
        inside.set()
        time.sleep(0.2)
        order.append("first")
    thread.join()
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
        with pytest.raises(DatabaseBusyError), impatient.unit(impatient.registrar) as other:
            change_policy(other, "session_hours", 9)
    impatient.close()


def test_a_full_disk_is_said_to_be_that_and_changes_nothing(databases: Databases, world: World) -> None:
    if world.engine.dialect.name == "postgresql":
        error = OperationalError("INSERT", {}, _Original(sqlstate="53100"))
        assert isinstance(translate_database_error(error), StorageFullError)
        return
    with world.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    before = world.events()
    with pytest.raises(StorageFullError), world.unit(world.alpha.recruiter) as unit:
        unit.session.connection().exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        candidates = [world.candidate(world.alpha, str(i)) for i in range(60)]
        screen_candidates(unit, world.request(*candidates))
    assert world.events() == before


class _Original(Exception):
    def __init__(self, *, sqlstate: str | None = None, sqlite_errorcode: int | None = None) -> None:
        super().__init__("text of the database with a value in it")
        self.sqlstate = sqlstate
        self.sqlite_errorcode = sqlite_errorcode


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OperationalError("x", {}, _Original(sqlite_errorcode=13)), StorageFullError),
        (OperationalError("x", {}, _Original(sqlite_errorcode=5)), DatabaseBusyError),
        (OperationalError("x", {}, _Original(sqlite_errorcode=517)), DatabaseBusyError),  # SQLITE_BUSY_SNAPSHOT
        (OperationalError("x", {}, _Original(sqlite_errorcode=6)), DatabaseBusyError),
        (OperationalError("x", {}, _Original(sqlite_errorcode=14)), DatabaseUnavailableError),
        (OperationalError("x", {}, _Original(sqlite_errorcode=8)), DatabaseUnavailableError),
        (OperationalError("x", {}, _Original(sqlstate="53100")), StorageFullError),
        (OperationalError("x", {}, _Original(sqlstate="40P01")), DatabaseBusyError),
        (OperationalError("x", {}, _Original(sqlstate="40001")), DatabaseBusyError),
        (OperationalError("x", {}, _Original(sqlstate="55P03")), DatabaseBusyError),
        (OperationalError("x", {}, _Original(sqlstate="57P01")), DatabaseUnavailableError),
        (OperationalError("x", {}, _Original()), DatabaseUnavailableError),
        (IntegrityError("x", {}, _Original(sqlstate="23505")), ConflictError),
        (IntegrityError("x", {}, _Original(sqlite_errorcode=2067)), ConflictError),
        (ProgrammingError("x", {}, _Original(sqlstate="42P01")), DatabaseFaultError),
        (DBAPIError("x", {}, _Original(), connection_invalidated=True), DatabaseUnavailableError),
    ],
    ids=lambda value: getattr(value, "__name__", repr(getattr(value, "orig", value).__dict__)),
)
def test_each_error_of_a_database_is_told_apart(error: DBAPIError, expected: type[Exception]) -> None:
    translated = translate_database_error(error)
    assert type(translated) is expected
    assert "value in it" not in str(translated)


def test_a_database_that_goes_away_is_said_to_be_unavailable(world: World, databases: Databases) -> None:
    before = world.events()
    if world.engine.dialect.name == "sqlite":
        with pytest.raises(DatabaseUnavailableError), world.unit(world.registrar) as unit:
            unit.session.connection().exec_driver_sql("PRAGMA query_only = ON")
            change_policy(unit, "session_hours", 8)
        world.close()
        assert world.events() == before
        return
    with pytest.raises(DatabaseUnavailableError), world.unit(world.registrar) as unit:
        change_policy(unit, "session_hours", 8)
        databases.drop_all()
    with pytest.raises(DatabaseUnavailableError), world.unit(world.registrar):
        pass


def test_who_is_not_logged_in_cannot_act(world: World) -> None:
    with pytest.raises(UnauthenticatedError), world.unit() as unit:
        change_policy(unit, "session_hours", 8)


def test_without_a_trust_file_nothing_that_needs_one_is_done(world: World) -> None:
    from dataclasses import replace

    unready = replace(world, context=replace(world.context, trust=None))
    request = world.request(world.candidate(world.alpha))
    with pytest.raises(NotReadyError), unready.unit(world.alpha.recruiter) as unit:
        screen_candidates(unit, request)


def test_a_naive_time_is_never_stored(world: World) -> None:
    with pytest.raises(ValueError, match="zone"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), world.engine.dialect)  # noqa: DTZ001 - refused


@pytest.mark.parametrize("url", ["", "mysql://x/y", "sqlite://", "sqlite:///:memory:", "nonsense"])
def test_another_kind_of_database_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="database URL|file"):
        database.create_engine(url)


def test_secrets_are_in_no_repr(world: World) -> None:
    shown = repr(world.context)
    assert world.keyring.signing.seed_bytes.hex() not in shown
    assert "SigningKey" not in shown
    assert "PasswordHasher" not in shown
