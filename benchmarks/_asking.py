"""One organisation that asks over HTTP, and what its questions cost the processes that answer."""

import json
import os
import secrets
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import psutil

from screening.cli.consortium import Consortium
from screening.client import Client
from screening.client.transport import make_http
from screening.client.verification import timestamp
from screening.crypto import ristretto
from screening.crypto.encoding import b64u
from screening.crypto.identifiers import uuid7
from screening.crypto.sealing import seal
from screening.crypto.signing import Statement
from screening.crypto.tokens import pack_entry

ELEMENTS: Final = 16
"""Of a typical candidate, padded."""
ENTRIES: Final = 15
"""Of a typical candidate: what docs/benchmarks.md measured, rounded."""

_NOTE = json.dumps({"identity": {"given": "x" * 12, "family": "x" * 12, "dob": "1970-01-01"}}).encode()


class WrongAnswerError(Exception):
    """The registry did not find what is there, or found what is not; then its speed says nothing."""


@dataclass(frozen=True)
class Elapsed:
    """Seconds from sending to having the whole answer."""

    evaluation: float
    screening: float

    @property
    def both(self) -> float:
        """Of one whole screening."""
        return self.evaluation + self.screening


class Asker:
    """A recruiter's program with one connection. Its requests are made before the clock starts.

    Args:
        consortium: Running.
        client: Of a recruiter, logged in.
        known: Entries of records that are there.
    """

    def __init__(self, consortium: Consortium, client: Client, known: Sequence[Sequence[bytes]]) -> None:
        self._client = client
        self._known = known
        self._trust = client.trust
        self._url = f"http://127.0.0.1:{consortium.ports[0]}"
        self._http = make_http()
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {client.profile.session.token}"}

    def close(self) -> None:
        """Closes the connection."""
        self._http.close()

    def screen(self, number: int, *, known: bool) -> Elapsed:
        """Evaluates and screens one candidate.

        Args:
            number: Which of the known records to ask for.
            known: Whether to ask for one; otherwise for tokens that no record has.

        Raises:
            WrongAnswerError: The answer is not what it must be.
        """
        evaluation, screening = self._evaluation(), self._screening(number, known=known)
        first = self._post("/v1/evaluations", evaluation, httpx.codes.OK, {})
        key = {"Idempotency-Key": str(uuid.uuid4())}
        second = self._post("/v1/screenings", screening, httpx.codes.CREATED, key)
        if len(first[1]["elements"]) != ELEMENTS:
            raise WrongAnswerError("an evaluation gave another number of elements")
        [result] = second[1]["screenings"]
        expected = ("possible", "strong") if known else ("no_record", None)
        if (result["outcome"], result["grade"]) != expected:
            raise WrongAnswerError(f"a candidate got {result['outcome']}, {result['grade']}; must be {expected}")
        return Elapsed(first[0], second[0])

    def _post(self, path: str, body: bytes, status: int, headers: Mapping[str, str]) -> tuple[float, Any]:
        began = time.perf_counter()
        answer = self._http.post(self._url + path, content=body, headers={**self._headers, **headers})
        elapsed = time.perf_counter() - began
        if answer.status_code != status:
            raise WrongAnswerError(f"{path} answered {answer.status_code}: {answer.text}")
        return elapsed, answer.json()

    def _evaluation(self) -> bytes:
        elements = [ristretto.from_hash(os.urandom(64)) for _ in range(ELEMENTS)]
        body = {
            "type": "evaluation-request",
            "protocol": "screening/1",
            "registry": self._trust.registry,
            "epoch": self._trust.epoch,
            "scheme": self._trust.scheme_digest,
            "suite": "ristretto255-SHA512",
            "evaluator": "registry",
            "organisation": self._client.organisation,
            "purpose": "screening",
            "batch": str(uuid7()),
            "time": timestamp(datetime.now(UTC)),
            "candidates": 1,
            "elements": [b64u(element) for element in elements],
        }
        return json.dumps(Statement(body).sign("organisation", self._client.keys.signing).to_json()).encode()

    def _screening(self, number: int, *, known: bool) -> bytes:
        if known:
            entries = self._known[number % len(self._known)][:ENTRIES]
        else:
            entries = [pack_entry(2 + place, 0, secrets.token_bytes(16)) for place in range(ENTRIES)]
        candidate = str(uuid7())
        note = seal(
            self._client.certificate.sealing_key,
            _NOTE,
            label="screening-note",
            registry=self._trust.registry,
            object_id=candidate,
            version=1,
        )
        body = {
            "purpose": "recruitment",
            "vacancy": "VACANCY-2026-0017",
            "lawful_basis": "notice",
            "categories": ["SH", "SEA"],
            "scheme": self._trust.scheme_digest,
            "epoch": self._trust.epoch,
            "candidates": [
                {
                    "id": candidate,
                    "entries": [b64u(entry) for entry in sorted(entries)],
                    "self": b64u(secrets.token_bytes(16)),
                    "note": b64u(note),
                }
            ],
        }
        return json.dumps(body).encode()


# --- processes ---------------------------------------------------------------------------------------------------


def worker(consortium: Consortium, service: str) -> int:
    """The process id of a service's one worker."""
    [child] = psutil.Process(consortium.processes()[service]).children()
    return int(child.pid)


def cpu_seconds(pids: Iterable[int]) -> float:
    """Processor time that processes have used: to the nanosecond where Linux tells, otherwise in ticks."""
    return sum(_cpu_seconds(pid) for pid in pids)


def _cpu_seconds(pid: int) -> float:
    try:
        threads = Path(f"/proc/{pid}/task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9
    except FileNotFoundError:
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)


def resident_mib(pid: int) -> float:
    """Resident memory of a process, shared parts included, in MiB."""
    return round(psutil.Process(pid).memory_info().rss / 2**20, 1)


def tree(pid: int) -> list[int]:
    """A process and all that it started."""
    return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]


def curve_microseconds(rounds: int = 1_000) -> float:
    """Processor time of one multiplication on the curve: how fast the machine is while others use it too."""
    element, scalar = ristretto.from_hash(os.urandom(64)), ristretto.random_scalar()
    began = time.thread_time()
    for _ in range(rounds):
        ristretto.scalarmult(scalar, element)
    return round((time.thread_time() - began) / rounds * 1e6, 1)
