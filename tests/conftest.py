"""What all tests share: options, limits on the network, databases, and an honest closing summary."""

import ipaddress
import os
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import hypothesis
import pytest

from screening.crypto.stretch import StretchParameters
from tests.databases import KINDS, Databases, Kind, PostgresServer

WITHOUT_POSTGRESQL = "SCREENING_TEST_WITHOUT_POSTGRESQL"
POSTGRES_FIXTURES = {"postgres_url", "postgres_server"}
LONG_TIMEOUT_SECONDS = 4 * 3600

long_tests_left_out = pytest.StashKey[int]()
postgresql_tests_left_out = pytest.StashKey[int]()

hypothesis.settings.register_profile("daily", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("long", deadline=None, max_examples=2000, print_blob=True)


# --- options -----------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="full counts: long tests, more examples")


def pytest_configure(config: pytest.Config) -> None:
    hypothesis.settings.load_profile("long" if config.getoption("--long") else "daily")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        kind = _database_of(item)
        if kind is not None:
            item.user_properties.append(("database", kind))
    if config.getoption("--long"):
        for item in items:
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(LONG_TIMEOUT_SECONDS))
    else:
        _leave_out(config, items, long_tests_left_out, [i for i in items if i.get_closest_marker("long")])
    if os.environ.get(WITHOUT_POSTGRESQL) == "1":
        _leave_out(config, items, postgresql_tests_left_out, [i for i in items if _database_of(i) == "postgresql"])


def _database_of(item: pytest.Item) -> Kind | None:
    if isinstance(item, pytest.Function) and hasattr(item, "callspec") and "database_kind" in item.callspec.params:
        return cast(Kind, item.callspec.params["database_kind"])
    return "postgresql" if POSTGRES_FIXTURES & set(getattr(item, "fixturenames", ())) else None


def _leave_out(
    config: pytest.Config, items: list[pytest.Item], key: pytest.StashKey[int], unwanted: list[pytest.Item]
) -> None:
    config.stash[key] = len(unwanted)
    if unwanted:
        config.hook.pytest_deselected(items=unwanted)
        left_out = set(unwanted)
        items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    counts = {kind: Counter[str]() for kind in KINDS}
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, ()):
            kind = dict(getattr(report, "user_properties", ())).get("database")  # a failed collection has none
            if kind is not None:
                counts[kind][outcome] += 1
    shown = [
        f"{kind}: " + ", ".join(f"{number} {outcome}" for outcome, number in count.items())
        for kind, count in counts.items()
        if count
    ]
    if shown:
        terminalreporter.write_line("databases · " + " · ".join(shown))
    if number := config.stash.get(long_tests_left_out, 0):
        terminalreporter.write_line(f"{number} long tests not run; use --long")
    if number := config.stash.get(postgresql_tests_left_out, 0):
        terminalreporter.write_line(f"POSTGRESQL TESTS NOT RUN ({number})", red=True, bold=True)


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether full counts are wanted."""
    return bool(request.config.getoption("--long"))


# --- network -----------------------------------------------------------------------------------------------------


class NetworkBlockedError(RuntimeError):
    """A test tried to reach something other than this machine."""


def _is_local(host: object) -> bool:
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else str(host)).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session", autouse=True)
def only_loopback() -> Iterator[None]:
    """Refuses every connection and every look-up of a name that would leave this machine."""

    def guard(connect: Any) -> Any:
        def guarded(self: socket.socket, address: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address[0]):
                raise NetworkBlockedError("tests may connect to the loopback interface only")
            return connect(self, address)

        return guarded

    look_up = socket.getaddrinfo

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not _is_local(host):
            raise NetworkBlockedError("tests may look up loopback addresses only")
        return look_up(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guard(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", guard(socket.socket.connect_ex))
        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield


# --- costs -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def cheap_stretching_is_accepted() -> Iterator[None]:
    """Lets trust files ask for less of Argon2id than clients otherwise accept."""
    with pytest.MonkeyPatch.context() as patch:
        cheapest = StretchParameters(memory_kib=8, iterations=1, parallelism=1, length=16)
        patch.setattr("screening.crypto.trust.MINIMUM_STRETCH", cheapest)
        yield


# --- databases ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The SQLAlchemy URL of the maintenance database of a PostgreSQL server that these tests own."""
    server = PostgresServer()
    try:
        server.start()
        yield server.url()
    finally:
        server.stop()


@pytest.fixture
def postgres_server() -> Iterator[PostgresServer]:
    """A started PostgreSQL server of the test's own, which it may kill and start again."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(params=KINDS)
def database_kind(request: pytest.FixtureRequest) -> Kind:
    """`sqlite` and `postgresql` in turn: a test that asks for it, or for what follows, runs on both."""
    return cast(Kind, request.param)


@pytest.fixture(scope="session")
def session_databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """Makes databases that live as long as the session, such as templates; starts PostgreSQL when first needed."""
    return Databases(tmp_path_factory.mktemp("databases"), lambda: str(request.getfixturevalue("postgres_url")))


@pytest.fixture
def databases(session_databases: Databases, tmp_path: Path) -> Iterator[Databases]:
    """Makes databases that are removed when the test ends."""
    made = Databases(tmp_path, session_databases.postgres_url)
    yield made
    made.drop_all()


@pytest.fixture
def database_url(databases: Databases, database_kind: Kind) -> str:
    """The URL of a fresh, empty database of each kind."""
    return databases.fresh(database_kind)
