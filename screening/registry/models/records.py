"""Records, their signed versions, and the tokens that are looked up."""

import enum
import uuid
from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from screening.registry.base import Base, JsonText, PersonFk, TenantFk, UuidBytes, UuidPk, words_of


class Category(enum.StrEnum):
    """What a record is about; each can be searched apart."""

    SH = "SH"
    """Sexual harassment."""
    SEA = "SEA"
    """Sexual exploitation and abuse."""


class Basis(enum.StrEnum):
    """Why somebody is recorded."""

    DETERMINATION = "determination"
    """It was established, and the working relationship ended."""
    PENDING = "pending"
    """The person left before the process ended."""


class RecordState(enum.StrEnum):
    """Where a record is in its life."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    ACTIVE = "active"
    DISPUTED = "disputed"
    UNDER_APPEAL = "under_appeal"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class VersionState(enum.StrEnum):
    """Where a version is in its life."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    """The one that matches, while its record does."""
    SUPERSEDED = "superseded"


class WithdrawalReason(enum.StrEnum):
    """Why a record was withdrawn."""

    OVERTURNED = "overturned"
    ENTERED_IN_ERROR = "entered_in_error"
    DIED = "died"
    OTHER = "other"


class Record(Base):
    """One person as one organisation entered him or her. Never deleted: what is withdrawn or expired is a tombstone."""

    __tablename__ = "records"
    __table_args__ = (
        UniqueConstraint("organisation_id", "reference"),
        Index("ix_records_state_review_on", "state", "review_on"),
        Index("ix_records_state_expires_on", "state", "expires_on"),
    )

    id: Mapped[UuidPk]
    reference: Mapped[str] = mapped_column(String(20))
    organisation_id: Mapped[TenantFk]
    state: Mapped[RecordState] = mapped_column(words_of(RecordState, "state"))
    category: Mapped[Category] = mapped_column(words_of(Category, "category"), comment="of the version that matches")
    basis: Mapped[Basis] = mapped_column(words_of(Basis, "basis"))
    review_on: Mapped[date | None]
    expires_on: Mapped[date]
    number: Mapped[int] = mapped_column(comment="of the latest version")
    approved_number: Mapped[int | None] = mapped_column(comment="of the version that matches, or matched last")
    revision: Mapped[int] = mapped_column(comment="grows with every change; the ETag")
    withdrawal: Mapped[dict[str, object] | None] = mapped_column(JsonText())
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class RecordVersion(Base):
    """What an organisation signed about a record, and what is sealed to it."""

    __tablename__ = "record_versions"

    record_id: Mapped[uuid.UUID] = mapped_column(UuidBytes(), ForeignKey("records.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[VersionState] = mapped_column(words_of(VersionState, "state"))
    statement: Mapped[dict[str, object]] = mapped_column(JsonText())
    certificate_serial: Mapped[int]
    entries: Mapped[bytes | None] = mapped_column(LargeBinary(), comment="18 bytes each; gone with the record")
    dossier: Mapped[dict[str, object] | None] = mapped_column(JsonText(), comment="sealed; gone with the record")
    drafted_by: Mapped[PersonFk]
    drafted_at: Mapped[datetime]
    submitted_by: Mapped[uuid.UUID | None] = mapped_column(UuidBytes(), ForeignKey("people.id"))
    submitted_at: Mapped[datetime | None]
    approved_by: Mapped[uuid.UUID | None] = mapped_column(UuidBytes(), ForeignKey("people.id"))
    approved_at: Mapped[datetime | None]
    approval: Mapped[dict[str, object] | None] = mapped_column(JsonText())
    return_note: Mapped[bytes | None] = mapped_column(LargeBinary(), comment="sealed to the organisation")


class Token(Base):
    """A token of a record that matches. Rows stand in the order of their key, so that a look-up reads one place."""

    __tablename__ = "tokens"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy reads it as declared

    token: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    record_id: Mapped[uuid.UUID] = mapped_column(UuidBytes(), ForeignKey("records.id"), primary_key=True)
    rule: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    name: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False, comment="255: none")
