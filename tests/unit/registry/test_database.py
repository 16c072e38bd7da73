"""Connections to PostgreSQL that ended while nobody used them."""

from contextlib import ExitStack

from sqlalchemy import Connection, Engine, text

from screening.registry.database import create_engine
from tests.databases import PostgresServer

CONNECTIONS = 3


def fill_pool(engine: Engine) -> set[int]:
    """Opens several connections and leaves them idle; gives their server processes."""
    with ExitStack() as stack:
        return {backend(stack.enter_context(engine.connect())) for _ in range(CONNECTIONS)}


def backend(connection: Connection) -> int:
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def test_idle_connections_are_used_again(postgres_server: PostgresServer) -> None:
    engine = create_engine(postgres_server.url())
    assert len(fill_pool(engine)) == CONNECTIONS
    assert fill_pool(engine) == fill_pool(engine)
    engine.dispose()


def test_whoever_asks_first_after_the_server_was_started_again_is_answered(postgres_server: PostgresServer) -> None:
    engine = create_engine(postgres_server.url())
    before = fill_pool(engine)
    postgres_server.kill()
    postgres_server.start()
    assert not fill_pool(engine) & before
    engine.dispose()


def test_a_connection_that_the_server_ended_is_replaced(postgres_server: PostgresServer) -> None:
    engine, administrator = create_engine(postgres_server.url()), create_engine(postgres_server.url())
    before = fill_pool(engine)
    with administrator.connect() as connection:
        for pid in before:
            assert connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid}).scalar_one()
    assert not fill_pool(engine) & before
    engine.dispose()
    administrator.dispose()
