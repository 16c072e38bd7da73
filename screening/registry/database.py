"""Engines for SQLite and PostgreSQL, and bringing a database to the version that this program needs.

SQLite runs in WAL mode with synchronous=FULL: what was answered survives a crash. A writing unit begins IMMEDIATE, so
that it waits for its turn at the beginning and never fails half-way.
"""

import select
from pathlib import Path
from typing import Any

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidatePoolError
from sqlalchemy.orm import Session, sessionmaker

from screening.registry.errors import NotReadyError, translate_database_error

FOR_WRITING = "screening_for_writing"
"""Execution option of a connection whose transaction will write."""

BUSY_SECONDS = 5.0
"""How long to wait for another writer before saying that the database is busy."""

MAX_OVERFLOW = 10
"""Connections opened beyond those kept open, when many are needed at once."""

_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_SQLITE_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -16384",  # KiB
    "PRAGMA secure_delete = ON",  # what is withdrawn is overwritten, not merely forgotten
)
_MIGRATIONS = Path(__file__).parent / "migrations"


def create_engine(url: str, *, pool_size: int = 5) -> Engine:
    """Connects to a database, lazily.

    Args:
        url: `sqlite:///path` or `postgresql://…`.
        pool_size: Connections kept open.

    Returns:
        An engine whose errors hold no values.

    Raises:
        ValueError: Neither SQLite in a file nor PostgreSQL.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError("not a database URL") from None
    driver = _DRIVERS.get(parsed.drivername.partition("+")[0])
    if driver is None:
        raise ValueError("a database URL begins with sqlite: or postgresql:")
    parsed = parsed.set(drivername=driver)
    common: dict[str, Any] = {
        "hide_parameters": True,
        "pool_size": pool_size,
        "max_overflow": MAX_OVERFLOW,
        "pool_timeout": BUSY_SECONDS,
    }
    if driver == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise ValueError("SQLite needs a file")
        engine = sqlalchemy.create_engine(parsed, connect_args={"timeout": BUSY_SECONDS}, **common)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    connect = {"connect_timeout": 5, "options": "-c lock_timeout=5s"}
    engine = sqlalchemy.create_engine(parsed, connect_args=connect, **common)
    event.listen(engine, "checkout", _refuse_closed)
    return engine


def create_sessions(engine: Engine) -> sessionmaker[Session]:
    """Makes the factory that `screening.registry.unit.open_unit` takes."""
    return sessionmaker(engine, expire_on_commit=False, autoflush=False)


def upgrade(url: str, revision: str = "head") -> None:
    """Brings a database up to a revision, creating what is missing.

    Args:
        url: As for `create_engine`.
        revision: Id of a revision, or `head`.
    """
    _migrate(url, revision, command.upgrade)


def downgrade(url: str, revision: str) -> None:
    """Brings a database down to a revision; what later ones added is lost.

    Args:
        url: As for `create_engine`.
        revision: Id of a revision, or `base` for an empty database.
    """
    _migrate(url, revision, command.downgrade)


def head_revision() -> str:
    """The revision that this program needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise NotReadyError("this installation has no migrations")
    return head


def revisions() -> list[str]:
    """All revisions, the first one first."""
    scripts = ScriptDirectory.from_config(_config()).walk_revisions()
    return [script.revision for script in scripts][::-1]


def current_revision(engine: Engine) -> str | None:
    """The revision that a database is at; None if it is empty.

    Raises:
        DatabaseUnavailableError: It cannot be reached.
    """
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except DBAPIError as error:
        raise translate_database_error(error) from None


def require_head(engine: Engine) -> None:
    """Refuses a database of another version.

    Raises:
        NotReadyError: It has to be upgraded, or this program has.
        DatabaseUnavailableError: It cannot be reached.
    """
    if current_revision(engine) != head_revision():
        raise NotReadyError("The database is of another version than this program.")


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _migrate(url: str, revision: str, step: Any) -> None:
    engine = create_engine(url, pool_size=1)
    try:
        with engine.connect().execution_options(**{FOR_WRITING: True}) as connection, connection.begin():
            step(_config(connection), revision)
    finally:
        engine.dispose()


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin as `_begin_sqlite` says, not as the driver guesses
    cursor = connection.cursor()
    for statement in _SQLITE_SETTINGS:
        cursor.execute(statement)
    cursor.close()


def _refuse_closed(connection: Any, _record: object, _proxy: object) -> None:
    """Has the pool connect anew where the server has ended.

    An idle server has nothing to say but that it ends: where its socket can be read, it did. That costs no question
    to the server, of which a screening would ask four.
    """
    if not connection.closed:
        heard = select.poll()
        heard.register(connection.fileno(), select.POLLIN)
        if not heard.poll(0):
            return
    raise InvalidatePoolError


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get(FOR_WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
