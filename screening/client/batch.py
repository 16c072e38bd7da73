"""Many candidates from a file: dry run, then checks in chunks, resumable after an interruption at any point.

    people = read_people(Path("candidates.csv"))      # problems of rows stand in people.problems
    batch = Batch(client, people, asked, Path("results.csv.journal"))
    results = batch.run(lambda progress: print(progress.done, progress.total))
    write_results(Path("results.csv"), people, results)

No row is ever screened twice: see `screening.client.journal`. An interruption between evaluation and sending costs that
chunk's evaluation again, in budget, and nothing else.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import uuid4

from screening.client.client import Client
from screening.client.errors import ProblemError
from screening.client.journal import Journal, Request
from screening.client.screenings import MAX_CANDIDATES, Asked, ScreeningResult
from screening.client.spreadsheet import LIMITS, Limits, RowProblem, read_table, write_table
from screening.client.wording import known_outcome
from screening.identity import FIELDS, Identity, IdentityError, current_scheme

CHUNK: Final = 50
"""Candidates a request; at most 100. Smaller ones show progress sooner, larger ones save round trips."""

NAME_COLUMNS: Final = ("full", "given", "family")
NOT_CHECKED: Final = "not_checked"
"""In a results file: the row has a problem and was not sent."""

RESULT_COLUMNS: Final = ("row", "id", "outcome", "grade", "owner", "contact", "reference", "checked_at", "says")

ANSWERS_KEPT: Final = timedelta(hours=20)
"""How long a registry certainly keeps the answer to an Idempotency-Key; its policy says at least a day."""

STALE: Final = frozenset({"wrong-epoch", "wrong-scheme"})
"""Refusals after which a request's rows must be derived again: the registry did nothing, and never will."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One usable row."""

    row: int
    identity: Identity = field(repr=False)


@dataclass(frozen=True, slots=True)
class People:
    """What a dry run of a file gives."""

    digest: str
    """SHA-256 of the file, in hex."""

    candidates: tuple[Candidate, ...]
    problems: tuple[RowProblem, ...]
    insufficient: tuple[int, ...]
    """Rows that can be sent, but hold too little for a check."""

    ids: Mapping[int, str] = field(repr=False)
    """The column `id` by row, of all rows."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a batch has come."""

    done: int
    total: int
    rate: float
    """Candidates a second since this run began; 0 before the first answer."""

    seconds_left: float | None
    """None before the first answer."""


class Asker(Protocol):
    """What a batch needs of `Screenings`."""

    def prepare(self, identities: Sequence[Identity], asked: Asked) -> dict[str, Any]:
        """Makes a request's body."""

    def send(self, body: Mapping[str, Any], idempotency_key: str) -> list[ScreeningResult]:
        """Sends it; with the same key as before, it has no further effect."""

    def find(self, body: Mapping[str, Any], since: datetime) -> list[ScreeningResult] | None:
        """Finds what it gave in the history."""


def read_people(path: Path, *, limits: Limits = LIMITS) -> People:
    """Reads a file and finds everything that is wrong with it; nobody is asked.

    Args:
        path: CSV or XLSX; its columns are `screening.identity.FIELDS`.
        limits: How large it may be.

    Raises:
        InputFileError: The file as a whole cannot be used. Problems of single rows do not raise.
    """
    table = read_table(path, known=FIELDS, required=NAME_COLUMNS, limits=limits)
    scheme = current_scheme()
    candidates: list[Candidate] = []
    problems: list[RowProblem] = []
    insufficient: list[int] = []
    for row in table.rows:
        if row.problems:
            problems += row.problems
            continue
        try:
            identity = Identity.from_row(row.values)
        except IdentityError as error:
            column = error.field or None
            message = str(error).removeprefix(f"{error.field}: ")
            problems.append(RowProblem(row.number, column, error.code, message))
            continue
        candidates.append(Candidate(row.number, identity))
        if not scheme.features(identity, role="query"):
            insufficient.append(row.number)
    ids = {row.number: row.values.get("id", "") for row in table.rows}
    return People(table.digest, tuple(candidates), tuple(problems), tuple(insufficient), ids)


class Batch:
    """One file's candidates, checked for one vacancy.

    Attributes:
        results: What `run` has come to, by row, also where it stopped with an error.

    Args:
        client: Whose profile, and who is logged in.
        people: The file.
        asked: Why they are checked.
        journal: The journal's file; one that exists is resumed.
        screenings: Makes and sends the requests; the client's own by default.
        chunk: Candidates a request, at most 100.
    """

    def __init__(
        self,
        client: Client,
        people: People,
        asked: Asked,
        journal: Path,
        *,
        screenings: Asker | None = None,
        chunk: int = CHUNK,
    ) -> None:
        if not 1 <= chunk <= MAX_CANDIDATES:
            raise ValueError(f"a chunk has 1 to {MAX_CANDIDATES} candidates")
        self._people = people
        self._asked = asked
        self._journal = journal
        self._screenings: Asker = screenings or client.screenings
        self._clock = client.clock
        self._chunk = chunk
        self.results: dict[int, Mapping[str, Any]] = {}
        self._header = {
            "input": people.digest,
            "asked": asdict(asked),
            "registry": client.trust.registry,
            "organisation": client.organisation,
            "person": str(client.profile.session.person.get("id")),  # idempotency keys are a person's own
        }

    def run(self, progress: Callable[[Progress], None] = lambda _: None) -> dict[int, Mapping[str, Any]]:
        """Checks every candidate that was not checked yet.

        Args:
            progress: Called at the start and after every chunk.

        Returns:
            For each row the result, as `ScreeningResult.to_json` gives it.

        Raises:
            InputFileError: The journal belongs to another file, other options or another person.
            ProblemError, UnavailableError, NotLoggedInError, MisbehavedError: The batch stops there; running it
                again goes on.
        """
        with Journal.open(self._journal, self._header) as journal:
            self.results = journal.results
            meter = _Meter(len(self._people.candidates), len(journal.results), progress)
            for request in list(journal.pending.values()):
                self._resume(journal, request)
                meter.advance(len(request.rows))
            with ThreadPoolExecutor(1) as preparing:
                for request in self._requests(journal, preparing):
                    journal.note_request(request)
                    self._send(journal, request)
                    meter.advance(len(request.rows))
        return self.results

    def _requests(self, journal: Journal, preparing: ThreadPoolExecutor) -> Iterator[Request]:
        """The requests that are left; the next one is derived while one is on its way."""
        begun = journal.rows_begun
        left = [candidate for candidate in self._people.candidates if candidate.row not in begun]
        chunks = [left[start : start + self._chunk] for start in range(0, len(left), self._chunk)]
        following = preparing.submit(self._prepare, chunks[0]) if chunks else None
        for chunk in [*chunks[1:], None]:
            if following is None:
                return
            request = following.result()
            following = None if chunk is None else preparing.submit(self._prepare, chunk)
            yield request

    def _prepare(self, chunk: Sequence[Candidate]) -> Request:
        body = self._screenings.prepare([candidate.identity for candidate in chunk], self._asked)
        return Request(str(uuid4()), tuple(candidate.row for candidate in chunk), body, self._clock())

    def _resume(self, journal: Journal, request: Request) -> None:
        """Sends a request again; one so old that its answer may not be kept is looked for first."""
        if self._clock() - request.at > ANSWERS_KEPT:
            results = self._screenings.find(request.body, request.at)
            if results is not None:
                journal.note_answer(request.key, [result.to_json() for result in results])
                return
        self._send(journal, request)

    def _send(self, journal: Journal, request: Request) -> None:
        try:
            results = self._screenings.send(request.body, request.key)
        except ProblemError as problem:
            if problem.slug in STALE:
                journal.note_refusal(request.key)
            raise
        journal.note_answer(request.key, [result.to_json() for result in results])


class _Meter:
    """Measures how fast a run is."""

    def __init__(self, total: int, done: int, tell: Callable[[Progress], None]) -> None:
        self._total = total
        self._before = self._done = done
        self._tell = tell
        self._begun = time.monotonic()
        tell(Progress(done, total, 0.0, None))

    def advance(self, number: int) -> None:
        self._done += number
        rate = (self._done - self._before) / max(time.monotonic() - self._begun, 1e-6)
        self._tell(Progress(self._done, self._total, rate, (self._total - self._done) / rate))


def result_rows(people: People, results: Mapping[int, Mapping[str, Any]]) -> Iterator[list[str]]:
    """The rows of a results file, in the order of the input: what was checked, and what was not, with the reason."""
    problems: dict[int, list[RowProblem]] = {}
    for problem in people.problems:
        problems.setdefault(problem.row, []).append(problem)
    for row, own_id in people.ids.items():
        if row in problems:
            says = "; ".join(str(problem) for problem in problems[row])
            yield [str(row), own_id, NOT_CHECKED, "", "", "", "", "", says]
        elif row in results:
            yield [str(row), own_id, *_result_cells(results[row])]
        else:
            yield [str(row), own_id, NOT_CHECKED, "", "", "", "", "", "The batch has not come to this row."]


def _result_cells(result: Mapping[str, Any]) -> list[str]:
    owners = {hit["organisation"]["id"]: hit["organisation"] for hit in result["hits"]}.values()
    return [
        known_outcome(result["outcome"]),
        result["grade"] or "",
        "; ".join(owner["name"] for owner in owners),
        "; ".join(owner["contact"] for owner in owners),
        result["reference"],
        result["created_at"],
        result["says"],
    ]


def write_results(path: Path, people: People, results: Mapping[int, Mapping[str, Any]]) -> None:
    """Writes the results file (CSV, or XLSX by its name); no cell of it can be taken for a formula.

    Raises:
        InputFileError: It cannot be written.
    """
    write_table(path, RESULT_COLUMNS, result_rows(people, results))
