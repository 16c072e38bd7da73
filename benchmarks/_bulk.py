"""Fills a registry's database with records of real sizes, past the product: through it, 100,000 would take hours.

One record is entered and approved through the product. Everything that this left in the database, its events and
evaluations too, is written again as often as wanted with new ids, and with everything random in it (tokens, keys,
digests, signatures, sealed boxes) drawn anew at the same length. So no table and no index is smaller than in real use.
"""

import os
import random
import re
import secrets
import sqlite3
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from screening.crypto.encoding import b64u
from screening.crypto.identifiers import new_reference, uuid7
from screening.crypto.tokens import pack_entry

TABLES: Final = ("records", "record_versions", "tokens", "events", "evaluation_batches")
TOKENS_A_RECORD: Final = (25, 55)
"""Fewest and most: a person with aliases and documents. FEBRL 4's, with one name of two parts, give 15."""
KNOWN: Final = 200
"""Records whose tokens are kept, to be asked for."""

_AT_ONCE = 2_000
_TOKEN = 16
_RULES = range(2, 20)
"""Those of the scheme that need no document."""
_LONG = re.compile(r'"([A-Za-z0-9_-]{40,})"')
"""What is random in JSON: digests, signatures and boxes. Ids are shorter."""
_HEADS = tuple((rule, name, pack_entry(rule, name, bytes(_TOKEN))[:-_TOKEN]) for name in range(4) for rule in _RULES)
"""Rule and name of a record's tokens, one after the other: those of the first name first."""

Row = dict[str, Any]
Known = Sequence[bytes]
"""The packed entries of one record."""


class Database(Protocol):
    """What filling needs of a database."""

    def read(self, table: str) -> list[Row]:
        """Every row, with the values as the driver gives them."""

    def write(self, table: str, rows: Sequence[Row]) -> None:
        """Adds rows."""

    def size(self) -> int:
        """Bytes on disk."""


@dataclass(frozen=True)
class Filled:
    """What a database holds now.

    Attributes:
        records: How many were written.
        tokens: How many tokens they have.
        bytes: By how much the database grew.
        known: Entries of some of them.
    """

    records: int
    tokens: int
    bytes: int
    known: Sequence[Known]


def open_database(url: str) -> AbstractContextManager[Database]:
    """Opens a database to be filled, while nobody else uses it. When it is closed, it is as after ordinary use."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(str(parsed.database))
    return _open_postgresql(parsed.set(drivername="postgresql").render_as_string(hide_password=False))


def fill(database: Database, records: int) -> Filled:
    """Writes the one record that was entered through the product again and again.

    Args:
        database: With exactly one record.
        records: How many to write.
    """
    pattern = {table: database.read(table) for table in TABLES}
    objects = {
        str(_uuid(pattern["records"][0]["id"])),
        *(str(_uuid(b["batch"])) for b in pattern["evaluation_batches"]),
    }
    pattern["events"] = [row for row in pattern["events"] if row["object"] in objects]
    size = database.size()
    known: list[Known] = []
    tokens = 0
    every = max(1, records // KNOWN)
    for start in range(0, records, _AT_ONCE):
        chunk: dict[str, list[Row]] = {table: [] for table in TABLES}
        for number in range(start, min(start + _AT_ONCE, records)):
            entries = _again(pattern, number, chunk)
            tokens += len(entries)
            if number % every == 0:
                known.append(entries)
        for table, rows in chunk.items():
            database.write(table, rows)
    return Filled(records, tokens, database.size() - size, known)


def _again(pattern: Mapping[str, Sequence[Row]], number: int, chunk: Mapping[str, list[Row]]) -> Known:
    """Adds one more record to a chunk; gives its entries."""
    made = datetime.now(UTC) - timedelta(days=400) + timedelta(minutes=number)
    [record], [version] = pattern["records"], pattern["record_versions"]
    new = uuid7(made)
    names = {str(_uuid(record["id"])): str(new)}
    key = _like(record["id"], new)
    count = random.randint(*TOKENS_A_RECORD)
    material = os.urandom(_TOKEN * count)
    tokens = [material[at : at + _TOKEN] for at in range(0, len(material), _TOKEN)]
    entries = [head + token for (_, _, head), token in zip(_HEADS, tokens, strict=False)]
    chunk["records"].append({**record, "id": key, "reference": new_reference("R")})
    chunk["record_versions"].append({**_anew(version, names), "record_id": key, "entries": b"".join(sorted(entries))})
    chunk["tokens"].extend(
        {"token": token, "record_id": key, "rule": rule, "name": name}
        for (rule, name, _), token in zip(_HEADS, tokens, strict=False)
    )
    for row in pattern["evaluation_batches"]:
        batch = uuid7(made)
        names[str(_uuid(row["batch"]))] = str(batch)
        chunk["evaluation_batches"].append({**row, "batch": _like(row["batch"], batch), "digest": os.urandom(32)})
    for row in pattern["events"]:
        event = uuid7(made)
        names[str(_uuid(row["id"]))] = str(event)
        chunk["events"].append({**_anew(row, names), "id": _like(row["id"], event), "leaf_hash": os.urandom(32)})
    return entries


def _anew(row: Row, names: Mapping[str, str]) -> Row:
    """The same row with other ids, and other random parts, in all its texts; an event's body is one too."""
    changed: Row = {column: _renamed(value, names) for column, value in row.items() if isinstance(value, str)}
    if "body" in row:
        changed["body"] = _renamed(bytes(row["body"]).decode(), names).encode()
    return {**row, **changed}


def _renamed(value: str, names: Mapping[str, str]) -> str:
    for old, new in names.items():
        value = value.replace(old, new)
    return _LONG.sub(lambda found: f'"{_random_text(len(found[1]))}"', value)


def _random_text(length: int) -> str:
    return b64u(secrets.token_bytes(length * 3 // 4 + 1))[:length]


def _uuid(value: Any) -> uuid.UUID:
    """A UUID in whichever form a database keeps it."""
    if isinstance(value, uuid.UUID):
        return value
    return uuid.UUID(bytes=value) if isinstance(value, bytes) else uuid.UUID(value)


def _like(old: Any, new: uuid.UUID) -> Any:
    """A UUID in the form in which the old one was kept."""
    if isinstance(old, uuid.UUID):
        return new
    return new.bytes if isinstance(old, bytes) else new.hex


# --- SQLite ------------------------------------------------------------------------------------------------------


@contextmanager
def _open_sqlite(path: str) -> Iterator[Database]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1048576"):
            connection.execute(f"PRAGMA {statement}")
        connection.execute("BEGIN")
        yield _Sqlite(connection)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")


class _Sqlite:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def read(self, table: str) -> list[Row]:
        cursor = self._connection.execute(f"SELECT * FROM {table}")  # noqa: S608  # of TABLES
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def write(self, table: str, rows: Sequence[Row]) -> None:
        columns = list(rows[0])
        places = ",".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({','.join(columns)}) VALUES ({places})"  # noqa: S608  # of TABLES
        self._connection.executemany(statement, (tuple(row.values()) for row in rows))

    def size(self) -> int:
        [pages] = self._connection.execute("PRAGMA page_count").fetchone()
        [page] = self._connection.execute("PRAGMA page_size").fetchone()
        return int(pages * page)


# --- PostgreSQL --------------------------------------------------------------------------------------------------


@contextmanager
def _open_postgresql(address: str) -> Iterator[Database]:
    with closing(psycopg.connect(address, autocommit=True)) as connection:
        connection.execute("SET session_replication_role = replica")  # every foreign key is right as it is
        yield _Postgresql(connection)
        connection.execute("CHECKPOINT")


class _Postgresql:
    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def read(self, table: str) -> list[Row]:
        cursor = self._connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def write(self, table: str, rows: Sequence[Row]) -> None:
        columns = sql.SQL(",").join(map(sql.Identifier, rows[0]))
        parts = {"table": sql.Identifier(table), "columns": columns}
        with self._connection.cursor() as cursor:
            cursor.execute(sql.SQL("SELECT {columns} FROM {table} LIMIT 0").format(**parts))
            types = [column.type_code for column in cursor.description or ()]
            statement = sql.SQL("COPY {table} ({columns}) FROM STDIN (FORMAT BINARY)").format(**parts)
            with cursor.copy(statement) as copy:
                copy.set_types(types)
                for row in rows:
                    copy.write_row(tuple(row.values()))

    def size(self) -> int:
        self._connection.execute("VACUUM ANALYZE")
        [size] = self._connection.execute("SELECT pg_database_size(current_database())").fetchone() or (0,)
        return int(size)
