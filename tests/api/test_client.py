"""The client against the registry's own API: what the one answers, the other believes."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from screening.client.client import Client
from screening.client.profile import Profile, StoredSession
from screening.client.screening_checks import verify_kept_screening, verify_screenings
from screening.crypto.identifiers import uuid7
from tests.api.harness import Api, screening_body, slug, written_json
from tests.factories import Member, Someone

IN_A_YEAR = datetime(2027, 11, 20, tzinfo=UTC)


def client_of(api: Api, member: Member, someone: Someone, directory: Path) -> Client:
    """A client in whose profile somebody of an organisation is logged in, and which reaches the application."""
    trust = api.world.trust
    profile = Profile.create(directory)
    profile.pin_trust(trust.statement, fingerprint=trust.fingerprint)
    profile.save_keys(member.keyring)
    profile.save_certificate(member.certificate.sign("registry", api.world.keyring.signing))
    profile.save_session(StoredSession(api.token(someone), {"id": str(someone.person)}, IN_A_YEAR))
    http = httpx.Client(transport=httpx.WSGITransport(app=api.app))
    return Client(profile, http=http, clock=api.world.clock)


@pytest.fixture
def recruiter(api: Api, tmp_path: Path) -> Iterator[Client]:
    with client_of(api, api.world.alpha, api.world.alpha.recruiter, tmp_path / "recruiter") as made:
        yield made


def test_what_the_registry_answers_to_screenings_is_believed_when_it_is_asked_again_and_when_it_is_shown(
    api: Api, recruiter: Client
) -> None:
    world = api.world
    world.active_record(world.beta, seed="on record")
    candidates = [
        world.candidate(world.alpha, seed, id=uuid7(world.clock())) for seed in ("on record", "stranger", None)
    ]
    body = json.loads(written_json(screening_body(world.request(*candidates))))
    answers = []
    for _ in range(2):
        content = recruiter.call("POST", "/v1/screenings", json_content=body, idempotency_key="once").content
        answers.append(
            verify_screenings(
                content, body, recruiter.trust, organisation=recruiter.organisation, now=recruiter.clock()
            )
        )
    assert [screening["outcome"] for screening in answers[0]] == ["possible", "no_record", "insufficient"]
    assert answers[0] == answers[1]
    for screening, candidate in zip(answers[0], body["candidates"], strict=True):
        path = f"/v1/screenings/{screening['id']}"
        shown = recruiter.call("GET", path).content["screening"]
        verify_kept_screening(
            shown,
            body,
            recruiter.trust,
            organisation=recruiter.organisation,
            screening=screening["id"],
            candidate=candidate,
        )
        assert shown["event"] == screening["event"]


def test_screenings_whose_answer_was_lost_are_found_in_the_history(api: Api, recruiter: Client) -> None:
    world = api.world
    world.active_record(world.beta, seed="on record")
    begun = world.clock()
    candidates = [world.candidate(world.alpha, seed, id=uuid7(begun)) for seed in ("on record", "stranger")]
    body = json.loads(written_json(screening_body(world.request(*candidates))))
    assert recruiter.screenings.find(body, begun) is None
    sent = recruiter.screenings.send(body, "lost")
    found = recruiter.screenings.find(body, begun)
    assert found is not None
    assert [(one.id, one.event, one.outcome) for one in found] == [(one.id, one.event, one.outcome) for one in sent]


def test_everybody_lists_their_own_organisation_alone(api: Api, tmp_path: Path) -> None:
    alpha = api.world.alpha
    with client_of(api, alpha, alpha.admin, tmp_path / "admin") as admin:
        found = admin.people.list()
    everybody = {str(one.person) for one in (alpha.admin, alpha.second_admin, alpha.recruiter, alpha.auditor)}
    assert {person.id for person in found} == everybody
    refused = api.call("GET", f"/v1/people?organisation={api.world.beta.id}", api.world.registrar)
    assert (refused.status_code, slug(refused)) == (422, "validation-failed")
