"""Every revision goes up and down on both databases, keeps what is there, and ends at what the models say."""

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, Enum, MetaData, inspect, select, text
from sqlalchemy.exc import IntegrityError

from screening.evaluator.models import EvaluationBatch, EvaluationBucket
from screening.registry import database
from screening.registry.base import Base
from screening.registry.errors import DatabaseUnavailableError, NotReadyError
from screening.registry.models import Category, EventRow, Role

REVISIONS = database.revisions()
NOW = datetime(2026, 11, 20, 14, 2, 11, tzinfo=UTC)
ID = uuid.UUID("01935000-0000-7000-8000-000000000001")
OTHER = uuid.UUID("01935000-0000-7000-8000-000000000002")

ROWS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "0001": [
        ("organisations", {"id": ID, "kind": "operator", "name": "Ω", "contact": "c", "state": "active"}),
        ("certificates", {"organisation_id": ID, "serial": 1, "statement": {}, "fingerprint": "f" * 64}),
        ("people", {"id": ID, "organisation_id": ID, "state": "active", "roles": frozenset({Role.AUDITOR})}),
        ("invitations", {"person_id": ID, "code_hash": b"c" * 32}),
        ("sessions", {"id": ID, "person_id": ID, "token_hash": b"t" * 32}),
        ("login_failures", {"account": b"a" * 32, "failures": 2}),
        ("events", {"id": ID, "tag": "registry:person:invited", "body": b"{}", "leaf_hash": b"h" * 32, "seq": None}),
        ("trust_files", {"serial": 1, "statement": {}, "fingerprint": "f" * 64}),
        ("policy_values", {"name": "session_hours", "value": 8, "changed_by": ID}),
        ("idempotency_keys", {"person_id": ID, "endpoint": "e", "key": "k", "body_digest": b"d" * 32, "status": 201}),
    ],
    "0002": [
        (
            "records",
            {
                "id": ID,
                "reference": "R-7K3M-9QXZ-C",
                "organisation_id": ID,
                "state": "active",
                "category": "SEA",
                "basis": "pending",
                "review_on": date(2027, 1, 2),
                "expires_on": date(2028, 2, 29),
            },
        ),
        ("record_versions", {"record_id": ID, "number": 1, "state": "approved", "statement": {}, "drafted_by": ID}),
        ("tokens", {"token": bytes(16), "record_id": ID, "rule": 1, "name": 255}),
    ],
    "0003": [
        (
            "screenings",
            {
                "id": ID,
                "reference": "S-7K3M-9QXZ-C",
                "organisation_id": ID,
                "person_id": ID,
                "purpose": "recruitment",
                "lawful_basis": "notice",
                "outcome": "possible",
                "grade": "strong",
                "categories": frozenset({Category.SEA}),
                "candidate": OTHER,
                "event_id": OTHER,
                "self_token": bytes(16),
                "openings": {},
            },
        ),
        ("screening_hits", {"screening_id": ID, "record_id": ID, "number": 1, "grade": "strong", "category": "SEA"}),
        ("screening_buckets", {"name": "person:x", "level": 2.5}),
    ],
    "0004": [
        (
            "evaluation_batches",
            {"organisation": str(ID), "batch": str(OTHER), "digest": b"d" * 32, "purpose": "screening"},
        ),
        ("evaluation_buckets", {"name": "all", "level": 0.25}),
    ],
}
"""For every revision a row of each table that it creates; columns left out get something of their type."""

FILLERS: dict[type, Any] = {str: "x", int: 7, float: 1.5, bytes: b"x", datetime: NOW, date: NOW.date()}


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = database.create_engine(database_url)
    yield engine
    engine.dispose()


def models() -> MetaData:
    metadata = MetaData()
    of_evaluator = [
        EvaluationBatch.metadata.tables[model.__tablename__] for model in (EvaluationBatch, EvaluationBucket)
    ]
    for table in (*Base.metadata.sorted_tables, *of_evaluator):
        table.to_metadata(metadata)
    return metadata


def fill(engine: Engine, revision: str) -> None:
    """Writes the rows of a revision."""
    metadata = models()
    with engine.begin() as connection:
        for name, row in ROWS[revision]:
            table = metadata.tables[name]
            missing = [c for c in table.columns if not c.nullable and c.name not in row]
            needed = {c.name: FILLERS[getattr(c.type, "impl_instance", c.type).python_type] for c in missing}
            connection.execute(table.insert(), [needed | row])


def stored(engine: Engine, revision: str) -> list[list[Any]]:
    with engine.connect() as connection:
        reflected = MetaData()
        reflected.reflect(connection, only=[name for name, _ in ROWS[revision]])
        return [
            [tuple(row) for row in connection.execute(select(reflected.tables[name]))] for name, _ in ROWS[revision]
        ]


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def test_the_head_is_what_the_models_say(database_url: str, engine: Engine) -> None:
    database.upgrade(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, models()) == []
    assert tables(engine) == set(models().tables)


def test_the_database_allows_the_words_of_every_enumeration_and_no_others(database_url: str, engine: Engine) -> None:
    database.upgrade(database_url)
    found = {
        (check["name"], frozenset(re.findall(r"'(\w+)'", check["sqltext"])))
        for table in tables(engine)
        for check in inspect(engine).get_check_constraints(table)
    }
    wanted = {
        (f"ck_{table.name}_{column.name}", frozenset(column.type.enums))
        for table in models().tables.values()
        for column in table.columns
        if isinstance(column.type, Enum)
    }
    assert len(wanted) == 13
    assert found == wanted


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_revision_goes_up_and_down_and_up_again(database_url: str, engine: Engine, revision: str) -> None:
    before = REVISIONS[REVISIONS.index(revision) - 1] if revision != REVISIONS[0] else "base"
    database.upgrade(database_url, revision)
    there = tables(engine)
    database.downgrade(database_url, before)
    assert tables(engine) == there - {name for name, _ in ROWS[revision]}
    database.upgrade(database_url, revision)
    assert tables(engine) == there
    assert database.current_revision(engine) == revision


def test_what_is_there_survives_every_later_revision_and_the_way_back(database_url: str, engine: Engine) -> None:
    written: dict[str, list[list[Any]]] = {}
    for revision in REVISIONS:
        database.upgrade(database_url, revision)
        fill(engine, revision)
        written[revision] = stored(engine, revision)
        assert all(len(rows) == 1 for rows in written[revision])
        for earlier in written:
            assert stored(engine, earlier) == written[earlier]
    for left_out in reversed(REVISIONS[1:]):
        database.downgrade(database_url, REVISIONS[REVISIONS.index(left_out) - 1])
        del written[left_out]
        for earlier in written:
            assert stored(engine, earlier) == written[earlier]


def test_a_second_operator_is_refused_by_the_database(database_url: str, engine: Engine) -> None:
    database.upgrade(database_url)
    fill(engine, "0001")
    table = models().tables["organisations"]
    row = {"contact": "c", "state": "active", "created_at": NOW}
    with engine.begin() as connection:
        connection.execute(table.insert(), [{**row, "id": OTHER, "kind": "member", "name": "B"}])
    third = {**row, "id": uuid.uuid4(), "kind": "operator", "name": "C"}
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(table.insert(), [third])


def test_an_unknown_word_is_refused_by_the_database(database_url: str, engine: Engine) -> None:
    database.upgrade(database_url)
    fill(engine, "0001")
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text("UPDATE people SET state = 'superuser'"))


def test_a_database_of_another_version_is_refused(database_url: str, engine: Engine) -> None:
    with pytest.raises(NotReadyError):
        database.require_head(engine)
    database.upgrade(database_url, REVISIONS[-2])
    with pytest.raises(NotReadyError):
        database.require_head(engine)
    database.upgrade(database_url)
    database.require_head(engine)


def test_a_database_that_is_not_there_is_said_to_be_unavailable() -> None:
    engine = database.create_engine("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(DatabaseUnavailableError):
        database.current_revision(engine)
    engine.dispose()


def test_upgrading_twice_changes_nothing(database_url: str, engine: Engine) -> None:
    database.upgrade(database_url)
    fill(engine, "0001")
    before = stored(engine, "0001")
    database.upgrade(database_url)
    assert stored(engine, "0001") == before


def test_the_token_table_is_kept_in_the_order_of_its_key_on_sqlite() -> None:
    assert EventRow.metadata.tables["tokens"].dialect_options["sqlite"]["with_rowid"] is False
