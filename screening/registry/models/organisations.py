"""Organisations and their certificates."""

import enum
import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from screening.registry.base import Base, JsonText, UuidBytes, UuidPk, words_of


class OrganisationKind(enum.StrEnum):
    """What an organisation is to the registry."""

    OPERATOR = "operator"
    """Runs the registry; has registrars and auditors, and no keys."""
    MEMBER = "member"
    """Enters records and screens candidates."""


class OrganisationState(enum.StrEnum):
    """Whether an organisation may act."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class Organisation(Base):
    """A participant; its keys are in its current certificate."""

    __tablename__ = "organisations"
    __table_args__ = (
        UniqueConstraint("name"),
        Index(
            "uq_organisations_operator",
            "kind",
            unique=True,
            sqlite_where=text("kind = 'operator'"),
            postgresql_where=text("kind = 'operator'"),
        ),
    )

    id: Mapped[UuidPk]
    kind: Mapped[OrganisationKind] = mapped_column(words_of(OrganisationKind, "kind"))
    name: Mapped[str] = mapped_column(String(200))
    contact: Mapped[str] = mapped_column(String(400), comment="shown to whoever gets a match with its records")
    state: Mapped[OrganisationState] = mapped_column(words_of(OrganisationState, "state"))
    certificate_serial: Mapped[int | None]
    created_at: Mapped[datetime]


class Certificate(Base):
    """One of an organisation's certificates; all are kept, one is current."""

    __tablename__ = "certificates"

    organisation_id: Mapped[uuid.UUID] = mapped_column(UuidBytes(), ForeignKey("organisations.id"), primary_key=True)
    serial: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    statement: Mapped[dict[str, object]] = mapped_column(JsonText())
    fingerprint: Mapped[str] = mapped_column(String(64))
    signing_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    signing_key_id: Mapped[str] = mapped_column(String(32))
    sealing_key_id: Mapped[str] = mapped_column(String(32))
    recovery_key_id: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime]
