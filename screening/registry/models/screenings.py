"""Screenings and what they hit."""

import enum
import uuid
from datetime import datetime

from sqlalchemy import Float, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from screening.registry.base import Base, JsonText, PersonFk, UuidBytes, UuidPk, WordSet, words_of
from screening.registry.models.records import Category


class Purpose(enum.StrEnum):
    """What a candidate is screened for."""

    RECRUITMENT = "recruitment"
    VOLUNTEER = "volunteer"
    CONTRACT = "contract"
    DEPLOYMENT = "deployment"


class LawfulBasis(enum.StrEnum):
    """How the candidate knows."""

    NOTICE = "notice"
    CONSENT = "consent"


class Outcome(enum.StrEnum):
    """What a screening says. The others come with inquiries."""

    NO_RECORD = "no_record"
    POSSIBLE = "possible"
    INSUFFICIENT = "insufficient"


class GradeWord(enum.StrEnum):
    """Grades of `screening.identity.grading`, the best first."""

    STRONG = "strong"
    LIKELY = "likely"
    POSSIBLE = "possible"


class Screening(Base):
    """One candidate, asked about once."""

    __tablename__ = "screenings"
    __table_args__ = (
        UniqueConstraint("organisation_id", "reference"),
        Index("ix_screenings_organisation_id_id", "organisation_id", "id"),
        Index("ix_screenings_organisation_id_self_token", "organisation_id", "self_token"),
    )

    id: Mapped[UuidPk]
    reference: Mapped[str] = mapped_column(String(20))
    organisation_id: Mapped[uuid.UUID] = mapped_column(UuidBytes(), ForeignKey("organisations.id"))
    person_id: Mapped[PersonFk]
    candidate: Mapped[uuid.UUID] = mapped_column(comment="the asking organisation's own id of the candidate")
    purpose: Mapped[Purpose] = mapped_column(words_of(Purpose, "purpose"))
    lawful_basis: Mapped[LawfulBasis] = mapped_column(words_of(LawfulBasis, "lawful_basis"))
    vacancy: Mapped[str] = mapped_column(String(64))
    categories: Mapped[frozenset[Category]] = mapped_column(WordSet(Category))
    epoch: Mapped[int]
    outcome: Mapped[Outcome] = mapped_column(words_of(Outcome, "outcome"))
    grade: Mapped[GradeWord | None] = mapped_column(words_of(GradeWord, "grade"))
    covered: Mapped[int] = mapped_column(comment="number of organisations whose records were searched")
    self_token: Mapped[bytes] = mapped_column(LargeBinary(16), comment="recognises the asker's own candidate")
    note: Mapped[bytes] = mapped_column(LargeBinary(), comment="sealed to the asking organisation")
    event_id: Mapped[uuid.UUID]
    openings: Mapped[dict[str, dict[str, str | None]]] = mapped_column(JsonText(), comment="of the event's commitments")
    created_at: Mapped[datetime]


class ScreeningHit(Base):
    """A record that a screening met. The asker is shown its owner and grade, and the category where it is strong."""

    __tablename__ = "screening_hits"

    screening_id: Mapped[uuid.UUID] = mapped_column(UuidBytes(), ForeignKey("screenings.id"), primary_key=True)
    record_id: Mapped[uuid.UUID] = mapped_column(UuidBytes(), ForeignKey("records.id"), primary_key=True, index=True)
    number: Mapped[int] = mapped_column(comment="of the record's version that matched")
    grade: Mapped[GradeWord] = mapped_column(words_of(GradeWord, "grade"))
    category: Mapped[Category] = mapped_column(words_of(Category, "category"))


class ScreeningBucket(Base):
    """A leaky bucket of candidates, of a person or an organisation."""

    __tablename__ = "screening_buckets"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    level: Mapped[float] = mapped_column(Float(53))
    updated_at: Mapped[datetime]
