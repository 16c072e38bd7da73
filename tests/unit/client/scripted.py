"""A registry that keeps what it is sent and answers as a test says, beside its real evaluator."""

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from screening.client.client import Client
from screening.client.profile import StoredSession
from screening.identity import current_scheme
from tests.consortium import START, Consortium, PromisingRecorder, make_consortium
from tests.signed_screenings import ScreeningMaker

ME = str(uuid.uuid4())


class ScriptedRegistry:
    """A WSGI application in front of the evaluator of a consortium's registry.

    Attributes:
        record: The one record, as `GET /v1/records/{id}` gives it; tests change it.
        acts: What was done with it: path and body.
        screenings: What was screened, the newest first, as `GET /v1/screenings` lists it.
        outcome: What every screening says.
        pages: Answers to `GET /v1/screenings`, if they are to be something else.
    """

    def __init__(self, consortium: Consortium) -> None:
        self._consortium = consortium
        self._evaluator = consortium.parties["registry"].application
        self._recorder = PromisingRecorder(consortium.registry.log, consortium.trust.log_origin)
        self.record: dict[str, Any] = {}
        self.acts: list[tuple[str, Any]] = []
        self.screenings: list[dict[str, Any]] = []
        self.outcome: str = "no_record"
        self.pages: list[dict[str, Any]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if path == "/v1/evaluations":
            return self._evaluator(environ, start_response)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = json.loads(environ["wsgi.input"].read(length) or "null")
        answer = json.dumps(self._answer(method, path, body)).encode()
        status = "200 OK" if method == "GET" else "201 Created"
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
        return [answer]

    def promise(self) -> Mapping[str, Any]:
        return self._recorder.promise(self._consortium.clock())

    def _answer(self, method: str, path: str, body: Any) -> Any:
        if path == "/v1/screenings":
            return self._list() if method == "GET" else self._screen(body)
        if path.startswith("/v1/screenings/"):
            return {"screening": next(s for s in self.screenings if s["id"] == path.rpartition("/")[2])}
        if method == "GET":
            return {"record": self.record, "promise": self.promise()}
        self.acts.append((path, body))
        if path == "/v1/records":
            self.record = self._summary(body["record"]) | {"withdrawal": None, "versions": [self._version(body, 1)]}
        elif path.endswith("/versions"):
            self.record["number"] += 1
            self.record["versions"].append(self._version(body, self.record["number"]))
        return {"record": self.record, "promise": self.promise()}

    def _summary(self, record: str) -> dict[str, Any]:
        return {
            "id": record,
            "reference": "R-7K3M-9QXZ-C",
            "state": "submitted",
            "category": "SH",
            "basis": "determination",
            "number": 1,
            "etag": "1",
        }

    def _version(self, body: Mapping[str, Any], number: int) -> dict[str, Any]:
        sent = {name: body[name] for name in ("version", "entries", "dossier")}
        people = {"drafted_by": ME, "submitted_by": ME, "approved_by": None}
        return {**sent, **people, "number": number, "state": "submitted", "approval": None, "returned_note": None}

    def _list(self) -> Any:
        return self.pages.pop(0) if self.pages else {"screenings": self.screenings, "next": None}

    def _screen(self, body: Mapping[str, Any]) -> Any:
        made = [self._screened(body, candidate) for candidate in body["candidates"]]
        self.screenings[:0] = made
        return {"screenings": made}

    def _screened(self, body: Mapping[str, Any], candidate: Mapping[str, Any]) -> dict[str, Any]:
        outcome = self.outcome if candidate["entries"] else "insufficient"
        maker = ScreeningMaker(self._consortium, self._consortium.organisation("owner"))
        return {
            **maker.screening(body, candidate, outcome),
            "note": candidate["note"],
            "self": candidate["self"],
            "entries": candidate["entries"],
            "purpose": body["purpose"],
            "vacancy": body["vacancy"],
        }


@contextmanager
def scripted_registry(directory: Path) -> Iterator[tuple[Consortium, ScriptedRegistry, Client]]:
    """A consortium whose registry is scripted, and a client of one of its organisations who is logged in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.consortium.SCHEME", current_scheme().digest)
        with make_consortium(directory) as consortium:
            registry = ScriptedRegistry(consortium)
            consortium.parties["registry"].application = registry
            profile = consortium.profile("owner")
            profile.save_session(StoredSession("scr_token", {"id": ME}, START))
            with Client(profile, clock=consortium.clock) as client:
                yield consortium, registry, client
