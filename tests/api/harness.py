"""A registry's application over a world of `tests.factories`, and people who call it over HTTP."""

import json
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from screening.api.app import create_app
from screening.api.settings import Settings
from screening.crypto.encoding import b64u
from screening.crypto.signing import Statement
from screening.registry.screenings import ScreeningRequest
from screening.registry.sessions import open_session
from tests.factories import PASSWORD, Member, Someone, World, cheap_passwords


@dataclass
class Api:
    """An application and who calls it."""

    world: World
    app: Flask
    http: FlaskClient
    tokens: dict[str, str] = field(default_factory=dict)

    @classmethod
    def over(cls, world: World, directory: Path) -> "Api":
        """Serves a world; its key file goes into a directory."""
        keys = directory / f"{uuid.uuid4()}.keys.json"
        world.keyring.save(keys)
        settings = Settings(database_url=world.url, keyring=keys)
        app = create_app(settings, clock=world.clock, passwords=cheap_passwords())
        return cls(world, app, app.test_client())

    def close(self) -> None:
        """Closes the application's connections."""
        self.app.extensions["screening"].engine.dispose()

    def token(self, someone: Someone) -> str:
        """A person's bearer token."""
        if someone.email not in self.tokens:
            with self.world.unit() as unit:
                self.tokens[someone.email] = open_session(unit, someone.email, PASSWORD).token
        return self.tokens[someone.email]

    def call(
        self,
        method: str,
        path: str,
        by: Someone | None = None,
        *,
        json: object = None,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> TestResponse:
        """Sends a request; unsafe ones get an Idempotency-Key unless the headers have one, even if it is empty."""
        sent = {} if by is None else {"Authorization": f"Bearer {self.token(by)}"}
        if method == "POST":
            sent["Idempotency-Key"] = str(uuid.uuid4())
        sent |= headers or {}
        if json is not None:
            more["data"], sent["Content-Type"] = written_json(json), "application/json"
        return self.http.open(path, method=method, headers={k: v for k, v in sent.items() if v}, **more)

    def events(self, act: Callable[[], Any]) -> list[str]:
        """Tags of the events that an act leaves."""
        before = Counter(self.world.events())
        act()
        return sorted((Counter(self.world.events()) - before).elements())


def written_json(value: object) -> bytes:
    """JSON as a client sends it: bytes as base64url, statements and ids as their JSON."""
    return json.dumps(value, default=_written).encode()


def _written(value: object) -> object:
    if isinstance(value, bytes):
        return b64u(value)
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, Statement):
        return value.to_json()
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(type(value).__name__)


def screening_body(request: ScreeningRequest) -> dict[str, Any]:
    """A screening request as it is sent."""
    return {
        "purpose": request.purpose,
        "vacancy": request.vacancy,
        "lawful_basis": request.lawful_basis,
        "categories": request.categories,
        "scheme": request.scheme,
        "epoch": request.epoch,
        "candidates": [
            {"id": one.id, "entries": one.entries, "self": one.self_token, "note": one.note}
            for one in request.candidates
        ],
    }


def slug(response: TestResponse) -> str:
    """The problem's slug, after checking that it is a whole problem."""
    assert response.mimetype == "application/problem+json", response.data
    problem = response.get_json()
    assert problem.keys() - {"errors"} == {"type", "title", "status", "detail", "instance"}
    assert problem["status"] == response.status_code
    assert problem["instance"] == f"urn:uuid:{response.headers['X-Request-Id']}"
    name = str(problem["type"])
    assert name.startswith("/problems/")
    return name.removeprefix("/problems/")


def record_version(api: Api, member: Member, record: uuid.UUID) -> Statement:
    """The latest version's statement of a record."""
    content = api.call("GET", f"/v1/records/{record}", member.admin).get_json()["record"]["versions"][-1]["version"]
    return Statement.from_json(content, expected_type="record-version")
