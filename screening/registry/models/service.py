"""Events, trust files, policy values, and answers kept to be given again."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from screening.registry.base import Base, JsonText, PersonFk, UuidBytes, UuidPk


class EventRow(Base):
    """An event, written in the transaction of its act. Ids in it are bare: nothing else that happens removes it."""

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("seq"),
        Index("ix_events_organisation_id_id", "organisation_id", "id"),
    )

    id: Mapped[UuidPk]
    seq: Mapped[int | None] = mapped_column(BigInteger, comment="place in the log; NULL until the sequencer gives it")
    tag: Mapped[str] = mapped_column(String(64))
    organisation_id: Mapped[uuid.UUID | None]
    actor: Mapped[uuid.UUID | None]
    object: Mapped[str | None] = mapped_column(String(64))
    time: Mapped[datetime]
    body: Mapped[bytes] = mapped_column(LargeBinary())
    leaf_hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class TrustFileRow(Base):
    """A published trust file; the one with the highest serial is in force."""

    __tablename__ = "trust_files"

    serial: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    statement: Mapped[dict[str, object]] = mapped_column(JsonText())
    fingerprint: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime]


class PolicyValue(Base):
    """A policy that was changed; the others have their defaults."""

    __tablename__ = "policy_values"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[int]
    changed_at: Mapped[datetime]
    changed_by: Mapped[PersonFk]


class IdempotencyKey(Base):
    """The answer to a request, given again when the request comes again."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)

    person_id: Mapped[uuid.UUID] = mapped_column(UuidBytes(), ForeignKey("people.id"), primary_key=True)
    endpoint: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    body_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    status: Mapped[int | None]
    answer: Mapped[object | None] = mapped_column(JsonText())
    created_at: Mapped[datetime]
