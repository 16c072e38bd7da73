"""One evaluator on a fresh database of each kind, with a clock that the test sets, and an organisation that signs."""

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from screening.crypto import ristretto, voprf
from screening.crypto.encoding import b64u
from screening.crypto.errors import PointError
from screening.crypto.signing import SigningKey, Statement
from screening.evaluator.models import EvaluationBatch, EvaluationBucket, EvaluatorBase
from screening.evaluator.service import Enrolment, Evaluator, EvaluatorConfig

SCHEME = "5c" * 32
ORGANISATION = "01936d2a-1c00-7000-8000-000000000001"


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 20, 14, 2, 11, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@dataclass
class Organisations:
    known: dict[str, Enrolment] = field(default_factory=dict)

    def find(self, session: Session, organisation: str, key: str) -> Enrolment | None:
        session.execute(select(1))  # a directory reads before the evaluator writes
        return self.known.get(organisation + key)


@dataclass
class Events:
    recorded: list[dict[str, Any]] = field(default_factory=list)

    def evaluated(self, session: Session, **event: Any) -> Mapping[str, Any]:
        self.recorded.append(event)
        return {"promised": event["batch"]}


@dataclass
class Setting:
    """An evaluator, who may ask it, and what it wrote."""

    evaluator: Evaluator
    engine: Engine
    clock: Clock
    organisations: Organisations
    events: Events
    key: SigningKey

    def enrol(self, organisation: str, key: SigningKey, *, budget: int = 1000, suspended: bool = False) -> None:
        enrolment = Enrolment(organisation, key.public_bytes, suspended, budget)
        self.organisations.known[organisation + key.key_id] = enrolment

    def body(self, number: int = 8, **changes: Any) -> dict[str, Any]:
        """An honest request's body, with some fields changed."""
        config = self.evaluator.config
        return {
            "type": "evaluation-request",
            "protocol": "screening/1",
            "registry": config.registry,
            "epoch": config.epoch,
            "scheme": config.scheme_digest,
            "suite": "ristretto255-SHA512",
            "evaluator": config.id,
            "organisation": ORGANISATION,
            "purpose": "screening",
            "batch": str(uuid.uuid4()),
            "time": self.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "candidates": 1,
            "elements": elements(number),
            **changes,
        }

    def signed(self, body: Mapping[str, Any], key: SigningKey | None = None) -> bytes:
        return json.dumps(Statement(body).sign("organisation", key or self.key).to_json()).encode()

    def ask(self, number: int = 8, **changes: Any) -> dict[str, Any]:
        return self.evaluator.handle(self.signed(self.body(number, **changes)))

    def batches(self) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(EvaluationBatch)) or 0

    def levels(self) -> dict[str, float]:
        with self.engine.connect() as connection:
            return {row.name: row.level for row in connection.execute(select(EvaluationBucket.__table__))}


def elements(number: int) -> list[str]:
    return [b64u(voprf.blind(b"input %d" % index).element) for index in range(number)]


def make_setting(url: str, *, total: int = 10_000) -> Setting:
    engine = create_engine(url)
    EvaluatorBase.metadata.create_all(engine)
    clock, organisations, events = Clock(), Organisations(), Events()
    share, public_share = voprf.generate_share()
    config = EvaluatorConfig("registry", "test-registry", 3, SCHEME, share, public_share, total)
    evaluator = Evaluator(config, sessionmaker(engine), organisations, events, clock)
    setting = Setting(evaluator, engine, clock, organisations, events, SigningKey.generate())
    setting.enrol(ORGANISATION, setting.key)
    return setting


@pytest.fixture
def setting(database_url: str) -> Iterator[Setting]:
    made = make_setting(database_url)
    yield made
    made.engine.dispose()


@pytest.fixture
def on_sqlite(tmp_path: Any) -> Iterator[Setting]:
    """The same on SQLite alone, for what does not touch the database."""
    made = make_setting(f"sqlite:///{tmp_path / 'evaluator.sqlite'}")
    yield made
    made.engine.dispose()


def off_curve() -> bytes:
    """32 canonical bytes that encode no element."""
    return next(
        candidate for number in range(2, 1000, 2) if not _is_element(candidate := number.to_bytes(32, "little"))
    )


def _is_element(candidate: bytes) -> bool:
    try:
        ristretto.check_element(candidate)
    except PointError:
        return False
    return True
