"""The evaluator's tables. The registry creates the first two by migration, a keyholder all of them by itself."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Double, Integer, LargeBinary, MetaData, String, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_TIME = DateTime(timezone=True)


class EvaluatorBase(DeclarativeBase):
    """The evaluator's own metadata, apart from the registry's. Times are UTC."""

    metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s"})


class EvaluationBatch(EvaluatorBase):
    """A batch that was charged. Nothing of its elements is kept but a digest."""

    __tablename__ = "evaluation_batches"
    organisation: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    batch: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), comment="SHA-256 of the canonical body without its time")
    purpose: Mapped[str] = mapped_column(String(16))
    candidates: Mapped[int] = mapped_column(Integer)
    elements: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(_TIME)


class EvaluationBucket(EvaluatorBase):
    """A leaky bucket, counted in elements: one for each organisation, and one for all."""

    __tablename__ = "evaluation_buckets"
    name: Mapped[str] = mapped_column(String(64), primary_key=True, comment="organisation's id, or 'all'")
    level: Mapped[float] = mapped_column(Double, comment="elements in it at updated_at")
    updated_at: Mapped[datetime] = mapped_column(_TIME)


class Enrolled(EvaluatorBase):
    """An organisation that may ask this keyholder."""

    __tablename__ = "enrolments"
    organisation: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    serial: Mapped[int] = mapped_column(BigInteger, comment="of the certificate")
    certificate: Mapped[str] = mapped_column(String(64), comment="the certificate's digest")
    key: Mapped[str] = mapped_column(String(32), comment="id of the signing key")
    signing_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    suspended: Mapped[bool] = mapped_column(default=False)
    daily_budget: Mapped[int] = mapped_column(BigInteger, comment="elements in 24 hours")


class SchemaVersion(EvaluatorBase):
    """One row: the version of a keyholder's tables."""

    __tablename__ = "keyholder_schema"
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
