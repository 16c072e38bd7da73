"""Evaluation of signed batches with one share of the hashing key (docs/protocol.md §5)."""

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import Table, bindparam, exc, select
from sqlalchemy.orm import Session, sessionmaker

from screening.crypto import ristretto, voprf
from screening.crypto.encoding import b64u, unb64u
from screening.crypto.errors import CryptoError
from screening.crypto.signing import Statement, VerifyingKey
from screening.evaluator.budgets import ALL, charge, insert_ignoring
from screening.evaluator.errors import EvaluatorError
from screening.evaluator.models import EvaluationBatch

PROTOCOL, SUITE = "screening/1", "ristretto255-SHA512"
MAX_BODY_BYTES, PADDING = 1024 * 1024, 8
CLOCK_TOLERANCE = timedelta(seconds=300)
LIMITS = {"screening": (100, 32), "record": (1, 256), "rekey": (1, 256)}
"""By purpose: candidates, and elements for each."""

_TEXTS = ("type", "protocol", "registry", "scheme", "suite", "evaluator", "organisation", "purpose", "batch", "time")
_FIELDS = {**dict.fromkeys(_TEXTS, str), "epoch": int, "candidates": int, "elements": list}
_T: Table = EvaluationBatch.__table__  # type: ignore[assignment]  # declared as FromClause, made as Table
_KNOWN = select(_T.c.digest).where(_T.c.organisation == bindparam("organisation"), _T.c.batch == bindparam("batch"))


@dataclass(frozen=True)
class Enrolment:
    """An organisation that may ask, and the key that it signs with."""

    organisation: str
    signing_key: bytes
    suspended: bool
    daily_budget: int


class Directory(Protocol):
    """Where organisations are known."""

    def find(self, session: Session, organisation: str, key: str) -> Enrolment | None:
        """Gives the enrolment of an organisation whose signing key has this id."""


class Recorder(Protocol):
    """Where evaluations become events."""

    def evaluated(
        self, session: Session, *, organisation: str, purpose: str, batch: str, candidates: int, elements: int,
        charged: int, time: datetime,
    ) -> Mapping[str, Any] | None:  # fmt: skip
        """Records an evaluation in the charge's own transaction; gives the promise for the answer, if there is one."""


@dataclass(frozen=True)
class EvaluatorConfig:
    """What an evaluator is; its share stays out of the repr."""

    id: str
    registry: str
    epoch: int
    scheme_digest: str
    share: bytes = field(repr=False)
    public_share: bytes
    total_daily_budget: int


class Evaluator:
    """Answers evaluation requests.

    Args:
        config: Identity, share and over-all budget.
        sessions: Makes sessions on the database with the evaluation tables.
        directory: Says who may ask.
        recorder: Takes the events, or None.
        clock: Gives the present, aware.
    """

    def __init__(
        self, config: EvaluatorConfig, sessions: sessionmaker[Session], directory: Directory,
        recorder: Recorder | None, clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self.config, self._sessions, self._clock = config, sessions, clock
        self._directory, self._recorder = directory, recorder
        self._log = structlog.get_logger("screening.evaluator", evaluator=config.id)

    def handle(self, body: bytes) -> dict[str, Any]:
        """Evaluates one signed batch; what it costs is committed before anything is evaluated.

        Args:
            body: An `evaluation-request` statement in JSON.

        Returns:
            The answer, ready for JSON.

        Raises:
            EvaluatorError: The first rule of docs/protocol.md §5 that the request breaks, or the database's state.
        """
        try:
            return self._handle(body)
        except EvaluatorError as error:
            self._log.info("refused", problem=error.type)
            raise
        except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError) as error:
            full = any(words in str(error.__cause__) for words in ("disk is full", "No space left"))
            slug = "storage-full" if full else "unavailable"
            self._log.error("failed", problem=slug, cause=type(error).__name__)
            raise EvaluatorError(slug, "try again later; nothing was charged", retry_after=5) from None

    def _handle(self, body: bytes) -> dict[str, Any]:
        statement, time = _read(body)
        request, now = statement.body, self._clock().astimezone(UTC)
        self._check_addressee(request)
        with self._sessions() as session:
            enrolment = self._directory.find(session, request["organisation"], statement.signatures[0].key)
            session.rollback()  # SQLite refuses to make a transaction that has read into one that writes
            if enrolment is None:
                raise EvaluatorError("unknown-organisation", "enrol the organisation's present certificate first")
            _check_signature(statement, enrolment)
            if abs(now - time) > CLOCK_TOLERANCE:
                raise EvaluatorError("stale-request", "the time differs by more than 300 seconds; check the clock")
            elements = _elements(request)
            charged, remaining, promise = self._charge(session, request, enrolment, now)
        evaluation = voprf.evaluate(self.config.share, self.config.public_share, elements)
        logged = {name: request[name] for name in ("organisation", "purpose", "batch", "candidates")}
        self._log.info("evaluated", **logged, elements=len(elements), charged=charged)
        return {
            **{name: request[name] for name in ("protocol", "registry", "epoch", "evaluator", "batch")},
            "elements": [b64u(element) for element in evaluation.elements],
            "proof": b64u(evaluation.proof),
            "charged": charged,
            "remaining": remaining,
            **({} if promise is None else {"promise": promise}),
        }

    def _check_addressee(self, request: Mapping[str, Any]) -> None:
        own = self.config
        expected = {"protocol": PROTOCOL, "registry": own.registry, "evaluator": own.id, "epoch": own.epoch}
        for name, value in {**expected, "scheme": own.scheme_digest, "suite": SUITE}.items():
            if request[name] != value:
                raise EvaluatorError(f"wrong-{name}", f"the {name} here is {value}")

    def _charge(
        self, session: Session, request: Mapping[str, Any], enrolment: Enrolment, now: datetime
    ) -> tuple[int, int, Mapping[str, Any] | None]:
        """Charges a new batch, or recognises a known one, and has it recorded, in one transaction.

        It begins with a write, so that of several equal requests one is first: SQLite takes its write lock here, and
        PostgreSQL lets the others wait at the batch's key.
        """
        cost = len(request["elements"])
        # ASCII text and whole numbers alone: for those, this is RFC 8785's canonical JSON.
        identity = {name: value for name, value in request.items() if name != "time"}
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True, separators=(",", ":")).encode()).digest()
        row = {name: request[name] for name in ("organisation", "batch", "purpose", "candidates")}
        connection = session.connection()
        values = {**row, "digest": digest, "elements": cost, "created_at": now}
        new = connection.execute(insert_ignoring(connection.dialect.name, _T), values).rowcount == 1
        if not new and connection.execute(_KNOWN, row).scalar_one() != digest:
            raise EvaluatorError("batch-conflict", "use a new batch id for another content")
        charged = cost if new else 0
        buckets = ((enrolment.organisation, enrolment.daily_budget), (ALL, self.config.total_daily_budget))
        remaining = charge(connection, buckets, charged, now)
        promise = None
        if self._recorder is not None:
            promise = self._recorder.evaluated(session, **row, elements=cost, charged=charged, time=now)
        session.commit()
        return charged, remaining, promise


def _read(body: bytes) -> tuple[Statement, datetime]:
    if len(body) > MAX_BODY_BYTES:
        raise EvaluatorError("too-large", f"a request has at most {MAX_BODY_BYTES} bytes")
    try:
        statement = Statement.from_json(json.loads(body), expected_type="evaluation-request")
        request = statement.body
        if (
            {name: type(value) for name, value in request.items()} == _FIELDS
            and all(type(element) is str and element.isascii() for element in request["elements"])
            and all(str(uuid.UUID(request[name])) == request[name] for name in ("organisation", "batch"))
            and request["purpose"] in LIMITS
            and (len(request["time"]), request["time"].isascii()) == (20, True)
            and [signature.signer for signature in statement.signatures] == ["organisation"]
        ):
            return statement, datetime.strptime(request["time"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except (CryptoError, ValueError, RecursionError):
        pass
    raise EvaluatorError("malformed-request", "an evaluation request signed by one organisation is needed")


def _check_signature(statement: Statement, enrolment: Enrolment) -> None:
    if enrolment.suspended:
        raise EvaluatorError("organisation-suspended", "ask this evaluator's operator")
    try:
        statement.verify("organisation", VerifyingKey.from_bytes(enrolment.signing_key))
    except CryptoError:
        raise EvaluatorError("signature-invalid", "the organisation did not sign this request") from None


def _elements(request: Mapping[str, Any]) -> list[bytes]:
    purpose, candidates, number = request["purpose"], request["candidates"], len(request["elements"])
    most, each = LIMITS[purpose]
    if not 1 <= candidates <= most or not PADDING <= number <= each * candidates or number % PADDING:
        limits = f"1 to {most} candidates, at most {each} elements each, in all a multiple of {PADDING}"
        raise EvaluatorError("batch-size", f"for the purpose {purpose}: {limits}")
    try:
        elements = [unb64u(element, length=32) for element in request["elements"]]
        for element in elements:
            ristretto.check_element(element)
    except CryptoError:
        raise EvaluatorError("invalid-element", "each is a canonical ristretto255 element, not the identity") from None
    return elements
