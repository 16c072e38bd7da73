"""People, their invitations, sessions and failed log-ins."""

import enum
import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from screening.registry.base import Base, TenantFk, UuidBytes, UuidPk, WordSet, words_of


class Role(enum.StrEnum):
    """What a person may do; an auditor is nothing else."""

    RECRUITER = "recruiter"
    ENTITY_ADMIN = "entity_admin"
    AUDITOR = "auditor"
    REGISTRAR = "registrar"


class PersonState(enum.StrEnum):
    """Whether a person may log in."""

    INVITED = "invited"
    ACTIVE = "active"
    SUSPENDED = "suspended"


class Person(Base):
    """Somebody who works for an organisation."""

    __tablename__ = "people"
    __table_args__ = (UniqueConstraint("email"),)

    id: Mapped[UuidPk]
    organisation_id: Mapped[TenantFk]
    email: Mapped[str] = mapped_column(String(254), comment="normalised; the name of the account")
    name: Mapped[str] = mapped_column(String(200))
    state: Mapped[PersonState] = mapped_column(words_of(PersonState, "state"))
    roles: Mapped[frozenset[Role]] = mapped_column(WordSet(Role))
    password_hash: Mapped[str | None] = mapped_column(String(200), comment="Argon2id with its parameters")
    created_at: Mapped[datetime]


class Invitation(Base):
    """A code with which an invited person chooses a password, once."""

    __tablename__ = "invitations"
    __table_args__ = (UniqueConstraint("code_hash"),)

    person_id: Mapped[uuid.UUID] = mapped_column(UuidBytes(), ForeignKey("people.id"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), comment="SHA-256; the code itself is kept nowhere")
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime]


class LoginSession(Base):
    """A log-in that lasts until it ends, expires, or is left idle."""

    __tablename__ = "sessions"
    __table_args__ = (UniqueConstraint("token_hash"),)

    id: Mapped[UuidPk]
    person_id: Mapped[uuid.UUID] = mapped_column(UuidBytes(), ForeignKey("people.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), comment="SHA-256; the token itself is kept nowhere")
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class LoginFailures(Base):
    """Failed log-ins of one account name, whether there is such an account or not."""

    __tablename__ = "login_failures"

    account: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True, comment="SHA-256 of the name given")
    failures: Mapped[int]
    first_at: Mapped[datetime]
