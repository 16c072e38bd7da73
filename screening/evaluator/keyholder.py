"""A keyholder: the evaluator alone, with its keys, its pinned trust file and a small SQLite in one directory."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from flask import Flask, Response, jsonify
from sqlalchemy import create_engine, event, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.exceptions import HTTPException

from screening.crypto.errors import EncodingError, TrustError
from screening.crypto.keyring import KeyholderKeyring
from screening.crypto.signing import Statement
from screening.crypto.trust import TrustFile, verify_certificate, verify_trust_file
from screening.crypto.voprf import public_share
from screening.evaluator.blueprint import blueprint, problem_response
from screening.evaluator.maintenance import purge_batches
from screening.evaluator.models import Enrolled, EvaluationBatch, EvaluatorBase, SchemaVersion
from screening.evaluator.service import PADDING, Enrolment, Evaluator, EvaluatorConfig

KEYS_FILE, TRUST_FILE, DATABASE_FILE = "keyholder.keys.json", "trust.json", "keyholder.sqlite"
DEFAULT_TOTAL_DAILY_BUDGET, SCHEMA_VERSION = 2_000_000, 1


class KeyholderError(Exception):
    """What the operator asked for cannot be done; the message says why."""


@dataclass(frozen=True)
class Usage:
    """What one organisation was charged on one day (UTC)."""

    organisation: str
    day: str
    batches: int
    candidates: int
    elements: int


class Enrolments:
    """The directory of the organisations that this keyholder's operator enrolled."""

    def find(self, session: Session, organisation: str, key: str) -> Enrolment | None:
        """Gives the enrolment of an organisation whose signing key has this id."""
        columns = Enrolled.organisation, Enrolled.signing_key, Enrolled.suspended, Enrolled.daily_budget
        query = select(*columns).where(Enrolled.organisation == organisation, Enrolled.key == key)
        row = session.connection().execute(query).one_or_none()
        return None if row is None else Enrolment(*row)


class Keyholder:
    """One keyholder, opened from its directory.

    Args:
        directory: Holds `keyholder.keys.json` and the pinned `trust.json`; the database is made here.
        passphrase: Opens the key file, if it has one.
        total_daily_budget: Elements in 24 hours, over all organisations.
        clock: Gives the present, aware.

    Raises:
        KeyringError, TrustError: The key file or the trust file cannot be used, or they do not belong together.
        KeyholderError: The database was made by another version.
    """

    def __init__(
        self, directory: Path, *, passphrase: str | None = None,
        total_daily_budget: int = DEFAULT_TOTAL_DAILY_BUDGET, clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        self._keys = KeyholderKeyring.load(directory / KEYS_FILE, passphrase=passphrase)
        self.trust = read_trust(directory)
        own = next((entry for entry in self.trust.evaluators if entry.id == self._keys.keyholder), None)
        keys = self._keys.signing.public_bytes, public_share(self._keys.share)
        if own is None or (own.signing_key.public_bytes, own.share) != keys:
            raise TrustError("other-keyholder", "the trust file does not name this keyholder with these keys")
        self.sessions = _open_database(directory / DATABASE_FILE)
        pinned = self.trust.registry, self.trust.epoch, self.trust.scheme_digest
        config = EvaluatorConfig(own.id, *pinned, self._keys.share, own.share, total_daily_budget)
        self.evaluator = Evaluator(config, self.sessions, Enrolments(), None, clock)
        self._clock = clock

    def enrol(self, statement: Statement, *, budget: int) -> Statement:
        """Enrols an organisation whose key the operator has checked out of band, or renews its key or budget.

        Args:
            statement: The organisation's certificate, signed at least by itself.
            budget: Elements in 24 hours.

        Returns:
            The certificate with this keyholder's signature.

        Raises:
            TrustError, SignatureError: The certificate is forged, of another registry, or not newer than the known one.
            KeyholderError: The budget does not suffice for one candidate.
        """
        if budget < PADDING:
            raise KeyholderError(f"a budget is at least {PADDING} elements a day")
        found = verify_certificate(statement, self.trust, complete=False)
        with self.sessions.begin() as session:
            enrolled = session.get(Enrolled, str(found.organisation)) or Enrolled(serial=0, suspended=False)
            if enrolled.serial >= found.serial and enrolled.certificate != statement.digest:
                raise TrustError("older-certificate", "a certificate with this serial or a later one is enrolled")
            enrolled.organisation, enrolled.name = str(found.organisation), found.name
            enrolled.serial, enrolled.certificate, enrolled.daily_budget = found.serial, statement.digest, budget
            enrolled.key, enrolled.signing_key = found.signing_key.key_id, found.signing_key.public_bytes
            session.add(enrolled)
        return statement.sign(self._keys.keyholder, self._keys.signing)

    def suspend(self, organisation: str, *, suspended: bool = True) -> None:
        """Refuses an organisation's requests from now on, or takes that back."""
        with self.sessions.begin() as session:
            enrolled = session.get(Enrolled, organisation)
            if enrolled is None:
                raise KeyholderError("no such organisation is enrolled")
            enrolled.suspended = suspended

    def reinstate(self, organisation: str) -> None:
        """Takes a suspension back."""
        self.suspend(organisation, suspended=False)

    def enrolments(self) -> Sequence[Enrolled]:
        """Lists the organisations, by name."""
        with self.sessions() as session:
            return session.scalars(select(Enrolled).order_by(Enrolled.name)).all()

    def usage(self) -> list[Usage]:
        """Lists what was charged, by day and organisation."""
        day, one = func.date(EvaluationBatch.created_at), EvaluationBatch.organisation
        sums = func.count(), func.sum(EvaluationBatch.candidates), func.sum(EvaluationBatch.elements)
        with self.sessions() as session:
            return [
                Usage(*row) for row in session.execute(select(one, day, *sums).group_by(day, one).order_by(day, one))
            ]

    def purge(self) -> int:
        """Forgets batches charged longer ago than `screening.evaluator.maintenance.KEEP_BATCHES`; says how many."""
        with self.sessions.begin() as session:
            return purge_batches(session.connection(), self._clock().astimezone(UTC))


def read_trust(directory: Path) -> TrustFile:
    """Reads and checks the trust file that is pinned in a keyholder's directory; raises TrustError."""
    try:
        content = json.loads((directory / TRUST_FILE).read_text(encoding="utf-8"))
        statement = Statement.from_json(content, expected_type="trust-file")
    except (OSError, ValueError, EncodingError):
        raise TrustError("no-trust-file", f"{TRUST_FILE} is missing or damaged; pin the trust file") from None
    return verify_trust_file(statement, predecessor=None)


def create_keyholder_app(keyholder: Keyholder) -> Flask:
    """Makes the WSGI application: evaluations, `/livez` and `/readyz`; its log is JSON lines without content."""
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    structlog.configure(processors=[structlog.processors.add_log_level, stamp, structlog.processors.JSONRenderer()])
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(blueprint(keyholder.evaluator))

    @app.get("/livez")
    def livez() -> Response:
        return jsonify(status="ok")

    @app.get("/readyz")
    def readyz() -> tuple[Response, int]:
        try:
            with keyholder.sessions() as session:
                return jsonify(status="ok", schema=session.scalar(select(SchemaVersion.version))), 200
        except SQLAlchemyError:
            return jsonify(status="unavailable"), 503

    @app.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> Response:
        status = error.code or 500
        slug = {404: "not-found", 405: "method-not-allowed", 500: "internal"}.get(status, "malformed-request")
        return problem_response({"type": f"/problems/{slug}", "title": error.name, "status": status}, {})

    return app


def _open_database(path: Path) -> sessionmaker[Session]:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 5.0}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")

    EvaluatorBase.metadata.create_all(engine)
    sessions = sessionmaker(engine, expire_on_commit=False)
    with sessions.begin() as session:
        version = session.scalar(select(SchemaVersion.version))
        if version is None:
            session.add(SchemaVersion(version=SCHEMA_VERSION))
        elif version != SCHEMA_VERSION:
            raise KeyholderError(f"the database has schema {version}; this program needs {SCHEMA_VERSION}")
    engine.dispose()  # processes that are forked from this one must not share its connections
    return sessions
