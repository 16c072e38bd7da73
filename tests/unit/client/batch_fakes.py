"""A registry in a directory, for batches: it answers a key once, and keeps every screening that it ever did."""

import json
import os
import signal
import sys
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from screening.client.batch import Batch, People, read_people
from screening.client.client import Client
from screening.client.journal import Journal, Request
from screening.client.screenings import Asked, Hit, Owner, ScreeningResult
from screening.identity import Identity

ASKED = Asked("recruitment", "V-1", "notice", ("SH",))
NOW = datetime(2026, 11, 20, 14, 2, tzinfo=UTC)


class DirectoryRegistry:
    """Implements `screening.client.batch.Asker` over files, so that it outlives the process that uses it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(exist_ok=True)

    def prepare(self, identities: Sequence[Identity], asked: Asked) -> dict[str, Any]:
        candidates = [{"id": str(uuid.uuid4()), "own": identity.id} for identity in identities]
        return {"vacancy": asked.vacancy, "candidates": candidates}

    def send(self, body: Mapping[str, Any], idempotency_key: str) -> list[ScreeningResult]:
        kept = self.directory / idempotency_key
        if not kept.exists():
            temporary = self.directory / f".{uuid.uuid4()}"
            temporary.write_text(json.dumps(body))
            temporary.rename(kept)
        assert json.loads(kept.read_text()) == body, "another body with the same key"
        return [result(candidate["id"], candidate["own"]) for candidate in body["candidates"]]

    def find(self, body: Mapping[str, Any], since: datetime) -> list[ScreeningResult] | None:
        raise AssertionError("only for requests of yesterday and before")

    def screened(self) -> list[str]:
        """The own ids of everybody who was ever screened, once for each time."""
        bodies = [json.loads(path.read_text()) for path in self.directory.iterdir() if not path.name.startswith(".")]
        return sorted(candidate["own"] for body in bodies for candidate in body["candidates"])


def result(candidate: str, own: str) -> ScreeningResult:
    """A possible match for every third person."""
    matched = int(own.removeprefix("p")) % 3 == 0
    owner = Owner(str(uuid.UUID(int=9)), "=Org", "hr@org.example")
    return ScreeningResult(
        id=str(uuid.uuid4()),
        reference="S-7K3M-9QXZ-C",
        candidate=candidate,
        outcome="possible" if matched else "no_record",
        grade="strong" if matched else None,
        hits=(Hit("strong", owner, ("SH",)),) if matched else (),
        earlier=(),
        created_at=NOW,
        organisations_covered=3,
        categories=("SH",),
        promise={},
        event=None,
        opening={},
    )


def fake_client(person: str = "ana", now: datetime = NOW) -> Client:
    """What a batch needs of a client besides the asker."""
    return cast(
        Client,
        SimpleNamespace(
            trust=SimpleNamespace(registry="demo"),
            organisation="org-1",
            profile=SimpleNamespace(session=SimpleNamespace(person={"id": person})),
            clock=lambda: now,
        ),
    )


def write_people(path: Path, number: int) -> People:
    """A file of people who can be checked."""
    rows = [f"p{i},Given{i},Family,19{70 + i % 20}-01-02" for i in range(number)]
    path.write_text("\n".join(["id,given,family,dob", *rows]) + "\n")
    return read_people(path)


# --- a process that is killed --------------------------------------------------------------------------------------

STEPS = ("before-note", "after-note", "before-send", "after-send", "before-answer", "after-answer", "torn-answer")


class Killer:
    """Kills this very process, as kill -9 does, the n-th time that it comes to a step."""

    def __init__(self, step: str, times: int) -> None:
        self.step = step
        self.times = times

    def at(self, step: str) -> bool:
        if step == self.step:
            self.times -= 1
        return step == self.step and self.times == 0

    def pass_by(self, step: str) -> None:
        if self.at(step):
            os.kill(os.getpid(), signal.SIGKILL)


def run_and_die(people: Path, journal: Path, directory: Path, step: str, times: int) -> None:
    """Runs a batch that kills its process on the way."""
    killer = Killer(step, times)
    note_request, note_answer = Journal.note_request, Journal.note_answer

    def noting_request(self: Journal, request: Request) -> None:
        killer.pass_by("before-note")
        note_request(self, request)
        killer.pass_by("after-note")

    def noting_answer(self: Journal, key: str, results: Sequence[Mapping[str, Any]]) -> None:
        killer.pass_by("before-answer")
        if killer.at("torn-answer"):
            os.write(self._descriptor, b'{"done":"' + key.encode()[:7])
            os.kill(os.getpid(), signal.SIGKILL)
        note_answer(self, key, results)
        killer.pass_by("after-answer")

    class DyingRegistry(DirectoryRegistry):
        def send(self, body: Mapping[str, Any], idempotency_key: str) -> list[ScreeningResult]:
            killer.pass_by("before-send")
            results = super().send(body, idempotency_key)
            killer.pass_by("after-send")
            return results

    Journal.note_request = noting_request  # type: ignore[method-assign]  # a process of its own
    Journal.note_answer = noting_answer  # type: ignore[method-assign]  # a process of its own
    Batch(fake_client(), read_people(people), ASKED, journal, screenings=DyingRegistry(directory), chunk=3).run()


if __name__ == "__main__":
    run_and_die(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
