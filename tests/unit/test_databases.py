"""The tests' own databases do what the other tests rely on."""

from contextlib import closing

from sqlalchemy import create_engine, inspect, text

from tests.databases import Databases, Kind, PostgresServer


def make_table(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE colours (name TEXT PRIMARY KEY)"))
        connection.execute(text("INSERT INTO colours VALUES ('green')"))
    engine.dispose()


def tables(url: str) -> list[str]:
    engine = create_engine(url)
    try:
        return inspect(engine).get_table_names()
    finally:
        engine.dispose()


def test_a_fresh_database_is_empty_and_its_own(databases: Databases, database_kind: Kind) -> None:
    first, second = databases.fresh(database_kind), databases.fresh(database_kind)
    make_table(first)
    assert tables(first) == ["colours"]
    assert tables(second) == []


def test_a_clone_holds_what_its_template_holds_and_is_its_own(databases: Databases, database_kind: Kind) -> None:
    template = databases.fresh(database_kind)
    make_table(template)
    clone = databases.clone(database_kind, template)
    engine = create_engine(clone)
    with engine.begin() as connection:
        assert connection.execute(text("SELECT name FROM colours")).scalars().all() == ["green"]
        connection.execute(text("DROP TABLE colours"))
    engine.dispose()
    assert tables(clone) == []
    assert tables(template) == ["colours"]


def test_databases_are_gone_after_drop_all_even_with_an_open_connection(
    session_databases: Databases, databases: Databases, database_kind: Kind
) -> None:
    url = databases.fresh(database_kind)
    make_table(url)
    engine = create_engine(url)
    with closing(engine.connect()) as connection:
        connection.execute(text("SELECT 1"))
        databases.drop_all()
        connection.invalidate()
    engine.dispose()
    if database_kind == "postgresql":
        maintenance = create_engine(session_databases.postgres_url())
        with maintenance.connect() as connection:
            name = url.split("?")[0].rsplit("/", 1)[1]
            found = connection.execute(text("SELECT count(*) FROM pg_database WHERE datname = :name"), {"name": name})
            assert found.scalar_one() == 0
        maintenance.dispose()
    else:
        assert tables(url) == []


def test_a_killed_server_comes_back_with_what_it_had(postgres_server: PostgresServer) -> None:
    make_table(postgres_server.url())
    postgres_server.kill()
    postgres_server.start()
    assert tables(postgres_server.url()) == ["colours"]
