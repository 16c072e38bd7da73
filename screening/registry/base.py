"""What all tables share: names of constraints, and column types that mean the same on SQLite and PostgreSQL."""

import enum
import json
import uuid
from datetime import UTC, datetime
from typing import Annotated, Any, cast

from sqlalchemy import DateTime, Dialect, Enum, ForeignKey, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC. A naive one is refused: its meaning would depend on where it is read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turns an aware time into UTC.

        Raises:
            ValueError: The time has no zone.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time needs its zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Gives an aware time in UTC; SQLite keeps none."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class UuidBytes(TypeDecorator[uuid.UUID]):
    """A UUID: PostgreSQL's own type there, 16 bytes on SQLite, which sort by time as UUIDv7 should."""

    impl = LargeBinary(16)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Chooses the database's own type."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.UUID(as_uuid=True))
        return dialect.type_descriptor(LargeBinary(16))

    def process_bind_param(self, value: uuid.UUID | None, dialect: Dialect) -> uuid.UUID | bytes | None:
        """Gives the database its form."""
        if value is None or dialect.name == "postgresql":
            return value
        return value.bytes

    def process_result_value(self, value: uuid.UUID | bytes | None, dialect: Dialect) -> uuid.UUID | None:
        """Gives a UUID back."""
        return uuid.UUID(bytes=value) if isinstance(value, bytes) else value


class JsonText(TypeDecorator[Any]):
    """JSON kept as text: it is read and written whole, never searched."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Writes compact JSON; None stays NULL."""
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Reads it back."""
        return None if value is None else json.loads(value)


class WordSet(TypeDecorator[frozenset[str]]):
    """A small set of words of one enumeration, in one column: `auditor`, or `entity_admin,recruiter`."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[enum.StrEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: frozenset[str] | None, dialect: Dialect) -> str | None:
        """Writes the words sorted, so that equal sets are equal texts."""
        return None if value is None else ",".join(sorted(self.words(word).value for word in value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> frozenset[str] | None:
        """Reads them back as members of the enumeration."""
        return None if value is None else frozenset(self.words(word) for word in value.split(",") if word)


def words_of(kind: type[enum.StrEnum], name: str) -> Enum:
    """A column type for an enumeration, stored by value, with a CHECK that names the column."""
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=24,
        values_callable=lambda members: [member.value for member in members],
    )


class Base(DeclarativeBase):
    """Every table of the registry but the evaluator's."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as declared
        datetime: UtcDateTime(),
        uuid.UUID: UuidBytes(),
    }


def table_of(model: type[DeclarativeBase]) -> Table:
    """A model's table, for statements that bypass the ORM: those that every screening runs are made of tables, once."""
    return cast("Table", model.__table__)


UuidPk = Annotated[uuid.UUID, mapped_column(UuidBytes(), primary_key=True)]
"""An object's own UUIDv7."""

TenantFk = Annotated[uuid.UUID, mapped_column(UuidBytes(), ForeignKey("organisations.id"), index=True)]
"""The organisation whose row it is: every query of a tenant filters by it."""

PersonFk = Annotated[uuid.UUID, mapped_column(UuidBytes(), ForeignKey("people.id"))]
"""A person who did something; people are never deleted."""
