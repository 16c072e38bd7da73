"""Passwords are hashed while nobody waits: another writer gets through meanwhile."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from screening.api.app import create_app
from screening.api.settings import Settings
from screening.crypto.passwords import PasswordCheck, PasswordHasher
from screening.registry.models import Role
from screening.registry.people import invite_person
from tests.api.harness import written_json
from tests.factories import PASSWORD, World


class Interrupted(PasswordHasher):
    """Lets somebody else act during every hash."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__(memory_kib=8, iterations=1, parallelism=1)
        self._meanwhile = meanwhile

    def hash(self, password: str) -> str:
        self._meanwhile()
        return super().hash(password)

    def verify(self, hash: str | None, password: str) -> PasswordCheck:
        self._meanwhile()
        return super().verify(hash, password)


@pytest.mark.parametrize("password", [PASSWORD, "wrong, but long enough"])
def test_others_write_while_a_password_is_hashed(world: World, tmp_path: Path, password: str) -> None:
    written = []

    def invite_somebody() -> None:
        written.append(f"{uuid.uuid4()}@x.example")
        world.act(
            world.registrar,
            invite_person,
            organisation=world.alpha.id,
            email=written[-1],
            name="Somebody",
            roles=[Role.ENTITY_ADMIN],
        )

    joining = world.act(
        world.registrar,
        invite_person,
        organisation=world.alpha.id,
        email="joining@x.example",
        name="Joining",
        roles=[Role.ENTITY_ADMIN],
    )
    keys = tmp_path / "keys.json"
    world.keyring.save(keys)
    settings = Settings(database_url=world.url, keyring=keys)
    app = create_app(settings, clock=world.clock, passwords=Interrupted(invite_somebody))
    try:
        http = app.test_client()
        expected = 201 if password == PASSWORD else 401
        email = world.alpha.recruiter.email
        assert post(http, "/v1/sessions", {"email": email, "password": password}) == expected
        assert len(written) == 1
        assert post(http, "/v1/invitations/accept", {"code": joining.code, "password": PASSWORD}) == 200
        assert len(written) == 2
    finally:
        app.extensions["screening"].engine.dispose()
    tags = world.events()
    assert "registry:person:activated" in tags
    assert ("registry:session:opened" if password == PASSWORD else "registry:session:refused") in tags


def post(http: FlaskClient, path: str, body: dict[str, str]) -> int:
    return http.post(path, data=written_json(body), content_type="application/json").status_code
