"""Columns as revisions write them. Frozen: a later need gets a new function, and old revisions stay what they were."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import conv

UUID = sa.LargeBinary(16).with_variant(postgresql.UUID(), "postgresql")
TIME = sa.DateTime(timezone=True)


def column(
    name: str, kind: sa.types.TypeEngine[Any], *, null: bool = False, comment: str | None = None
) -> sa.Column[Any]:
    """A column that takes no NULL unless said, and never numbers itself."""
    return sa.Column(name, kind, nullable=null, autoincrement=False, comment=comment)


def pk(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    """A primary key under its conventional name."""
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def fk(table: str, name: str, referred: str) -> sa.ForeignKeyConstraint:
    """A foreign key on the other table's `id`, which keeps the other row from being deleted."""
    return sa.ForeignKeyConstraint([name], [f"{referred}.id"], name=f"fk_{table}_{name}_{referred}")


def unique(table: str, *names: str) -> sa.UniqueConstraint:
    """Columns whose values, taken together, differ."""
    return sa.UniqueConstraint(*names, name=f"uq_{table}_{'_'.join(names)}")


def words(table: str, name: str, *allowed: str) -> sa.CheckConstraint:
    """A column that takes these words only."""
    listed = ", ".join(f"'{word}'" for word in allowed)
    return sa.CheckConstraint(f"{name} IN ({listed})", name=conv(f"ck_{table}_{name}"))
