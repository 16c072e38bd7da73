"""The client against the registry's own API: what the one answers, the other believes."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from screening.client.client import Client
from screening.client.errors import CertificateError, RecordSignatureError
from screening.client.profile import Profile, StoredSession
from screening.client.records import RecordInputError
from screening.client.screening_checks import verify_kept_screening, verify_screenings
from screening.crypto.identifiers import uuid7
from screening.crypto.sealing import SealingKey
from screening.crypto.signing import SigningKey, canonical
from screening.identity import Identity
from tests.api.harness import Api, screening_body, slug, written_json
from tests.factories import Member, Someone, signed_certificate

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


# --- records under an earlier certificate ------------------------------------------------------------------------

ANNA = Identity.from_dict({"given": "Anna Maria", "family": "Eriksen", "dob": "1980-01-02"})


def entered(api: Api, member: Member, *, approved: bool) -> str:
    """Enters a record of Anna over HTTP and perhaps has it approved; gives its id."""
    world, record = api.world, uuid7(api.world.clock())
    content = canonical({"identity": ANNA.to_dict(), "case": {}})
    version = world.version(member, record, dossier=world.dossier(member, record, 1, content))
    made = api.call("POST", "/v1/records", member.admin, json={"record": record, "submit": True, **version})
    assert made.status_code == 201, made.data
    if approved:
        approval = {"approval": world.approval(member, version["version"])}
        path, headers = f"/v1/records/{record}/approve", {"If-Match": '"1"'}
        done = api.call("POST", path, member.second_admin, json=approval, headers=headers)
        assert done.status_code == 200, done.data
    return str(record)


def with_new_keys(api: Api, member: Member, *, sealing: bool = False, serial: int = 2) -> Member:
    """The organisation after it put a certificate with another signing key in force, perhaps with both keys new."""
    keyring = replace(member.keyring, signing=SigningKey.generate())
    if sealing:
        keyring = replace(keyring, sealing=SealingKey.generate())
    certificate = signed_certificate(
        keyring, member.recovery, api.world.keyholder, name=member.name, contact="hr@alpha.example", serial=serial
    )
    path = f"/v1/organisations/{member.id}/certificate"
    done = api.call("PUT", path, member.admin, json={"certificate": certificate})
    assert done.status_code == 200, done.data
    return replace(member, keyring=keyring, certificate=certificate)


def test_a_record_signed_under_earlier_certificates_is_shown_and_a_new_one_too(api: Api, tmp_path: Path) -> None:
    first = api.world.alpha
    oldest = entered(api, first, approved=True)
    second = with_new_keys(api, first)
    older = entered(api, second, approved=True)
    third = with_new_keys(api, second, serial=3)
    newest = entered(api, third, approved=True)
    with client_of(api, third, third.admin, tmp_path / "admin") as admin:
        for record in (oldest, older, newest):
            opened = admin.records.show(record)
            assert opened.dossier is not None
            assert (opened.summary.state, opened.dossier.identity) == ("active", ANNA)
        assert admin.records.withdraw(oldest, "overturned").state == "withdrawn"
        assert admin.records.show(oldest).verified.withdrawal is not None


def test_a_dossier_sealed_to_an_earlier_key_stays_closed_and_its_case_is_not_lost_by_a_correction(
    api: Api, tmp_path: Path
) -> None:
    record = entered(api, api.world.alpha, approved=True)
    alpha = with_new_keys(api, api.world.alpha, sealing=True)
    with client_of(api, alpha, alpha.admin, tmp_path / "admin") as admin:
        opened = admin.records.show(record)
        assert opened.verified.versions[0].dossier is not None
        assert opened.dossier is None
        with pytest.raises(RecordInputError) as caught:
            admin.records.correct(record, ANNA)
        assert caught.value.code == "case-closed"
        assert admin.records.withdraw(record, "overturned").state == "withdrawn"


def test_nothing_is_approved_that_was_submitted_under_an_earlier_certificate(api: Api, tmp_path: Path) -> None:
    record = entered(api, api.world.alpha, approved=False)
    alpha = with_new_keys(api, api.world.alpha)
    with client_of(api, alpha, alpha.second_admin, tmp_path / "admin") as admin:
        with pytest.raises(RecordSignatureError) as caught:
            admin.records.approve(record)
        assert caught.value.code == "earlier-certificate"
    assert api.world.stored_record(uuid.UUID(record)).state.value == "submitted"


def test_a_registry_that_gives_another_certificate_for_an_earlier_one_is_found_out(api: Api, tmp_path: Path) -> None:
    """Another serial number, another organisation, a key that no keyholder saw."""
    world, first = api.world, api.world.alpha
    record = entered(api, first, approved=True)
    alpha = with_new_keys(api, first)
    invented = signed_certificate(
        replace(first.keyring, signing=SigningKey.generate()),
        first.recovery,
        replace(world.keyholder, signing=SigningKey.generate()),
        name=first.name,
        contact="hr@alpha.example",
    )
    shown = api.call("GET", f"/v1/records/{record}", alpha.admin).get_json()
    with client_of(api, alpha, alpha.admin, tmp_path / "admin") as honest:
        assert honest.organisations.certificate(str(alpha.id), serial=1).serial == 1
        for given, code in (
            (alpha.certificate, "serial-differs"),
            (world.beta.certificate, "organisation-differs"),
            (invented, "keyholder-signature-of-another-key"),
        ):
            certificate = given.sign("registry", world.keyring.signing).to_json()

            def lie(request: httpx.Request, certificate: object = certificate) -> httpx.Response:
                about_record = request.url.path.startswith("/v1/records")
                content = written_json(shown if about_record else {"certificate": certificate})
                headers = {"Content-Type": "application/json"}
                return httpx.Response(200, headers=headers, stream=httpx.ByteStream(content))

            http = httpx.Client(transport=httpx.MockTransport(lie))
            with Client(honest.profile, http=http, clock=world.clock) as admin:
                with pytest.raises(CertificateError) as caught:
                    admin.records.show(record)
                assert caught.value.code == code


def test_a_certificate_that_never_was_is_not_found(api: Api) -> None:
    alpha = f"/v1/organisations/{api.world.alpha.id}/certificate"
    assert api.call("GET", f"{alpha}?serial=1").status_code == 200
    assert slug(api.call("GET", f"{alpha}?serial=2")) == "not-found"
    assert slug(api.call("GET", f"/v1/organisations/{uuid.uuid4()}/certificate?serial=1")) == "not-found"
    for serial in ("0", "-1", "x", str(2**31), "1.5"):
        assert slug(api.call("GET", f"{alpha}?serial={serial}")) == "validation-failed"
