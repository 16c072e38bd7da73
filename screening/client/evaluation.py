"""From encoded features to tokens: stretch, blind, ask every evaluator side by side, check every proof, finalise.

Nothing of an answer is used unless the proof holds for the public share in the *pinned* trust file (RFC 9497 §3.3.2
with additive shares: the output equals that of one server whose key is the sum of all shares). What an evaluator did
wrong is named in an `EvaluatorMisbehavedError`.

Each candidate's elements are padded with random ones to a multiple of 8, so that a request says no more than that about
a name's shape. Random group elements are as good as blinded inputs: both are uniform.

A `PendingEvaluation` keeps the blinding scalars and the signed requests. When an evaluator was down, `complete` may be
called again: who has answered is not asked again, the others get the same bytes, and a batch is charged once.
"""

import json
import os
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import httpx

from screening.client.errors import ClientError, EvaluatorMisbehavedError, MisbehavedError, UnavailableError
from screening.client.transport import Transport
from screening.client.verification import CLOCK_TOLERANCE, timestamp, verify_promise
from screening.crypto import ristretto, voprf
from screening.crypto.encoding import b64u, unb64u
from screening.crypto.errors import CryptoError, EncodingError, PointError, ProofError, ScalarError
from screening.crypto.identifiers import uuid7
from screening.crypto.signing import SigningKey, Statement
from screening.crypto.stretch import salt, stretch
from screening.crypto.tokens import token
from screening.crypto.trust import EvaluatorEntry, TrustFile

Purpose = Literal["screening", "record", "rekey"]

PROTOCOL: Final = "screening/1"
SUITE: Final = "ristretto255-SHA512"
EVALUATIONS_PATH: Final = "/v1/evaluations"
PADDING: Final = 8
MAX_CANDIDATES: Final = 100
MAX_FEATURES: Final[Mapping[str, int]] = {"screening": 32, "record": 256, "rekey": 256}
MAX_ANSWER_BYTES: Final = 1024 * 1024

_SIGNATURE_LIFE: Final = timedelta(seconds=240)
"""Evaluators accept a request for 300 s; an older one is signed again, with the same identity."""


@dataclass(frozen=True)
class EvaluationResult:
    """What all evaluators together gave.

    Attributes:
        tokens: For each candidate its tokens of 16 bytes, in the features' order.
        promise: The registry's verified promise that the evaluation is in the log; None where nothing was asked.
        charged: Elements charged, by evaluator.
        remaining: What is left of the organisation's budget, in elements, by evaluator.
    """

    tokens: list[list[bytes]]
    promise: Mapping[str, Any] | None
    charged: Mapping[str, int]
    remaining: Mapping[str, int]


@dataclass(frozen=True)
class _Answer:
    elements: Sequence[bytes]
    charged: int
    remaining: int
    promise: Mapping[str, Any] | None


def prepare(
    features: Sequence[Sequence[bytes]],
    purpose: Purpose,
    *,
    trust: TrustFile,
    organisation: str,
    signing: SigningKey,
    http: httpx.Client,
    clock: Callable[[], datetime],
    batch: uuid.UUID | None = None,
    threads: int | None = None,
) -> "PendingEvaluation":
    """Stretches and blinds features; asks nobody yet.

    A candidate without features costs nothing and gets no tokens.

    Args:
        features: For each candidate its encoded features.
        purpose: What the tokens are for.
        trust: The pinned trust file.
        organisation: The asking organisation's id.
        signing: Its signing key.
        http: The HTTP client.
        clock: Gives the present time, aware.
        batch: The batch's id; a new one by default.
        threads: Threads for Argon2id; all cores by default.

    Raises:
        ValueError: More candidates or features than one request may hold.
    """
    present = [candidate for candidate in features if candidate]
    if len(present) > (MAX_CANDIDATES if purpose == "screening" else 1):
        raise ValueError(f"too many candidates for one evaluation for the purpose {purpose}")
    if any(len(candidate) > MAX_FEATURES[purpose] for candidate in present):
        raise ValueError(f"a candidate may have at most {MAX_FEATURES[purpose]} features for the purpose {purpose}")
    flat = [feature for candidate in present for feature in candidate]
    inputs = stretch(flat, trust.stretch, salt(trust.registry, trust.epoch), threads=threads) if flat else []
    blinded = [voprf.blind(stretched) for stretched in inputs]
    elements: list[bytes] = []
    positions: list[int] = []
    remaining = iter(blinded)
    for candidate in present:
        positions += range(len(elements), len(elements) + len(candidate))
        elements += [next(remaining).element for _ in candidate]
        elements += [ristretto.from_hash(os.urandom(64)) for _ in range(-len(candidate) % PADDING)]
    body = {
        "type": "evaluation-request",
        "protocol": PROTOCOL,
        "registry": trust.registry,
        "epoch": trust.epoch,
        "scheme": trust.scheme_digest,
        "suite": SUITE,
        "organisation": organisation,
        "purpose": purpose,
        "batch": str(batch or uuid7(clock())),
        "candidates": len(present),
        "elements": [b64u(element) for element in elements],
    }
    return PendingEvaluation(
        body,
        elements,
        list(zip(positions, inputs, (b.blind for b in blinded), strict=True)),
        [len(candidate) for candidate in features],
        trust=trust,
        signing=signing,
        http=http,
        clock=clock,
    )


class PendingEvaluation:
    """One batch until every evaluator has answered it. Made by `prepare`; kept in memory only.

    Attributes:
        batch: The batch's id.
    """

    def __init__(
        self,
        body: Mapping[str, Any],
        elements: Sequence[bytes],
        blinds: Sequence[tuple[int, bytes, bytes]],
        lengths: Sequence[int],
        *,
        trust: TrustFile,
        signing: SigningKey,
        http: httpx.Client,
        clock: Callable[[], datetime],
    ) -> None:
        self.batch = str(body["batch"])
        self._body = body
        self._elements = elements
        self._blinds = blinds
        self._lengths = lengths
        self._trust = trust
        self._signing = signing
        self._http = http
        self._clock = clock
        self._signed: dict[str, tuple[datetime, bytes]] = {}
        self._answers: dict[str, _Answer] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"PendingEvaluation(batch={self.batch!r}, answered={sorted(self._answers)})"

    def complete(self) -> EvaluationResult:
        """Asks every evaluator that has not answered yet, side by side, and makes the tokens when all have.

        Returns:
            Tokens, promise and budgets. Calling it again gives the same without asking anybody.

        Raises:
            EvaluatorMisbehavedError: An answer must not be used; told before anything else.
            ProblemError: An evaluator refused.
            UnavailableError: An evaluator cannot be reached. Call `complete` again later.
        """
        with self._lock:
            if self._elements:
                self._ask_missing()
            tokens = self._finalise()
        return EvaluationResult(
            tokens,
            self._answers["registry"].promise if self._answers else None,
            {evaluator: answer.charged for evaluator, answer in self._answers.items()},
            {evaluator: answer.remaining for evaluator, answer in self._answers.items()},
        )

    def _ask_missing(self) -> None:
        missing = [entry for entry in self._trust.evaluators if entry.id not in self._answers]
        if not missing:
            return
        with ThreadPoolExecutor(len(missing)) as pool:
            outcomes = list(pool.map(self._outcome, missing))
        errors: list[ClientError] = []
        for entry, outcome in zip(missing, outcomes, strict=True):
            if isinstance(outcome, ClientError):
                errors.append(outcome)
            else:
                self._answers[entry.id] = outcome
        if errors:
            # The gravest first: who cheats must be named even where another is merely down.
            raise min(errors, key=lambda e: (not isinstance(e, MisbehavedError), isinstance(e, UnavailableError)))

    def _outcome(self, entry: EvaluatorEntry) -> _Answer | ClientError:
        try:
            transport = Transport(
                entry.url, party=entry.id, http=self._http, evaluator=True, max_answer_bytes=MAX_ANSWER_BYTES
            )
            answer = transport.request("POST", EVALUATIONS_PATH, content=self._request(entry.id), idempotent=True)
            return _checked(answer.content, entry, self._trust, self.batch, self._elements, self._clock())
        except ClientError as error:
            return error

    def _request(self, evaluator: str) -> bytes:
        now = self._clock()
        signed = self._signed.get(evaluator)
        if signed is None or abs(now - signed[0]) > _SIGNATURE_LIFE:
            statement = Statement({**self._body, "evaluator": evaluator, "time": timestamp(now)}, ())
            signed = now, json.dumps(statement.sign("organisation", self._signing).to_json()).encode()
            self._signed[evaluator] = signed
        return signed[1]

    def _finalise(self) -> list[list[bytes]]:
        rows = [self._answers[entry.id].elements for entry in self._trust.evaluators] if self._elements else []
        combined = voprf.combine(rows) if rows else []
        made = iter([token(voprf.finalize(stretched, blind, combined[i])) for i, stretched, blind in self._blinds])
        return [[next(made) for _ in range(length)] for length in self._lengths]


def _checked(
    content: object,
    entry: EvaluatorEntry,
    trust: TrustFile,
    batch: str,
    blinded: Sequence[bytes],
    now: datetime,
) -> _Answer:
    """Takes an answer apart and checks all of it, the proof last."""

    def wrong(what: str) -> EvaluatorMisbehavedError:
        return EvaluatorMisbehavedError(entry.id, what)

    if not isinstance(content, dict):
        raise wrong("its answer is not a JSON object")
    expected = {
        "protocol": PROTOCOL,
        "registry": trust.registry,
        "epoch": trust.epoch,
        "evaluator": entry.id,
        "batch": batch,
    }
    for name, value in expected.items():
        if type(content.get(name)) is not type(value) or content[name] != value:
            raise wrong(f"its answer names another {name} than was asked")
    charged, remaining = content.get("charged"), content.get("remaining")
    if type(charged) is not int or type(remaining) is not int or charged not in (0, len(blinded)) or remaining < 0:
        raise wrong("its answer charges something other than the elements asked")
    rows = content.get("elements")
    if not isinstance(rows, list) or len(rows) != len(blinded):
        raise wrong("its answer has another number of elements than was asked")
    try:
        elements = [unb64u(row, length=32) for row in rows]
        for element in elements:
            ristretto.check_element(element)
        proof = unb64u(content.get("proof", ""), length=64)
    except EncodingError:
        raise wrong("its answer holds an element or a proof that is not canonical base64url of its length") from None
    except PointError:
        raise wrong("its answer holds something that is no element of the group, or the identity") from None
    try:
        voprf.verify(entry.share, blinded, voprf.Evaluation(elements, proof))
    except (ProofError, ScalarError):
        raise wrong("its proof does not hold for its pinned public share and the elements asked") from None
    except CryptoError:
        raise wrong("its answer cannot be checked") from None
    return _Answer(elements, charged, remaining, _promise(content.get("promise"), entry, trust, now))


def _promise(promise: object, entry: EvaluatorEntry, trust: TrustFile, now: datetime) -> Mapping[str, Any] | None:
    """Every evaluation by the registry is an event, and its answer promises that event; keyholders promise nothing."""
    if entry.id != "registry":
        return None
    try:
        return verify_promise(promise, trust, now=now, max_age=CLOCK_TOLERANCE)
    except MisbehavedError as error:
        raise EvaluatorMisbehavedError(entry.id, error.what) from None
