"""A keyholder as a service of its own: over a real socket, with its own database, enrolments and usage."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from screening.client.client import Client
from screening.client.errors import ProblemError
from screening.client.transport import make_http
from screening.crypto.errors import CryptoError, TrustError
from screening.crypto.keyring import KeyholderKeyring, OrganisationKeyring, RecoveryKeyring
from screening.crypto.signing import SigningKey, Statement
from screening.crypto.trust import build_certificate
from screening.evaluator.keyholder import (
    DATABASE_FILE,
    KEYS_FILE,
    TRUST_FILE,
    Keyholder,
    KeyholderError,
    create_keyholder_app,
)
from tests.consortium import Consortium, make_consortium


@pytest.fixture
def consortium(tmp_path: Path) -> Iterator[Consortium]:
    with make_consortium(tmp_path) as made:
        made.enrol("org")
        yield made


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with make_http() as made:
        yield made


@pytest.fixture
def client(consortium: Consortium, http: httpx.Client) -> Client:
    return Client(consortium.profile("org"), http=http, clock=consortium.clock)


def url_of(consortium: Consortium) -> str:
    return consortium.trust.evaluators[1].url


def refusal(client: Client) -> tuple[str, str]:
    with pytest.raises(ProblemError) as caught:
        client.evaluate([[b"feature"]], "screening")
    return caught.value.party, caught.value.slug


# --- the service -------------------------------------------------------------------------------------------------


def test_a_keyholder_answers_over_a_real_socket(consortium: Consortium, client: Client) -> None:
    assert client.evaluate([[b"feature"]], "screening") == [[consortium.direct_token(b"feature")]]


def test_a_keyholder_says_that_it_lives_and_is_ready(consortium: Consortium, http: httpx.Client) -> None:
    assert http.get(url_of(consortium) + "/livez").json() == {"status": "ok"}
    ready = http.get(url_of(consortium) + "/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ok")


def test_a_keyholder_without_its_database_is_not_ready_but_lives(consortium: Consortium, http: httpx.Client) -> None:
    with closing(sqlite3.connect(consortium.keyholder_directory / DATABASE_FILE)) as database:
        database.execute("DROP TABLE keyholder_schema")
        database.commit()
    assert http.get(url_of(consortium) + "/readyz").status_code == 503
    assert http.get(url_of(consortium) + "/livez").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/v1/evaluations", 405, "method-not-allowed"),
        ("POST", "/", 404, "not-found"),
        ("GET", "/static/x", 404, "not-found"),
        ("POST", "/v1/evaluations", 400, "malformed-request"),
    ],
)
def test_every_error_is_a_problem_document(
    consortium: Consortium, http: httpx.Client, method: str, path: str, status: int, slug: str
) -> None:
    answer = http.request(method, url_of(consortium) + path)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}")
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_over_the_cap_is_refused_over_the_socket(consortium: Consortium, http: httpx.Client) -> None:
    answer = http.post(url_of(consortium) + "/v1/evaluations", content=b" " * (1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")


def test_the_log_is_json_without_content(
    consortium: Consortium, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    create_keyholder_app(consortium.keyholder)
    client.evaluate([[b"feature"]], "screening")
    consortium.keyholder.suspend(consortium.organisation("org"))
    refusal(client)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    own = [line for line in lines if line["evaluator"] == "keyholder-1"]
    assert [(line["event"], line.get("problem"), line.get("elements")) for line in own] == [
        ("evaluated", None, 8),
        ("refused", "organisation-suspended", None),
    ]
    elements = [element for request in consortium.requests() for element in request["elements"]]
    assert elements
    assert not any(element in json.dumps(lines) for element in elements)


def test_the_database_is_durable_and_keeps_no_element(consortium: Consortium, client: Client) -> None:
    client.evaluate([[b"feature"]], "screening")
    with consortium.keyholder.sessions() as session:
        connection = session.connection()
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    files = b"".join(path.read_bytes() for path in consortium.keyholder_directory.glob(DATABASE_FILE + "*"))
    assert b"keyholder_schema" in files
    assert not any(e.encode() in files for request in consortium.requests() for e in request["elements"])


def test_what_was_charged_survives_a_restart(consortium: Consortium, client: Client) -> None:
    client.evaluate([[b"feature"]], "screening")
    again = Keyholder(consortium.keyholder_directory, clock=consortium.clock)
    assert [usage.elements for usage in again.usage()] == [8]
    assert [enrolled.name for enrolled in again.enrolments()] == ["org"]


# --- enrolment ---------------------------------------------------------------------------------------------------


def certificate(
    consortium: Consortium, keys: OrganisationKeyring, *, serial: int = 1, name: str = "Organisation"
) -> Statement:
    recovery = RecoveryKeyring.generate(organisation=keys.organisation)
    return build_certificate(
        keys,
        recovery.sealing.public_bytes,
        name=name,
        contact="hr@org.example",
        serial=serial,
        issued_at=consortium.clock(),
    )


def new_keys(consortium: Consortium) -> OrganisationKeyring:
    return OrganisationKeyring.generate(registry=consortium.trust.registry, organisation=consortium.new_id())


def test_enrolment_gives_the_certificate_with_the_keyholders_signature(consortium: Consortium) -> None:
    statement = certificate(consortium, new_keys(consortium))
    signed = consortium.keyholder.enrol(statement, budget=800)
    assert signed.body == statement.body
    assert [signature.signer for signature in signed.signatures] == ["organisation", "keyholder-1"]
    signed.verify("keyholder-1", consortium.trust.evaluators[1].signing_key)


def test_an_organisation_that_is_not_enrolled_is_unknown(consortium: Consortium, tmp_path: Path) -> None:
    consortium.enrol("stranger", at_keyholder=False)
    with Client(consortium.profile("stranger"), clock=consortium.clock) as client:
        assert refusal(client) == ("keyholder-1", "unknown-organisation")


@pytest.mark.parametrize("field", ["name", "contact", "serial", "registry", "organisation", "sealing_key"])
def test_a_forged_certificate_is_not_enrolled(consortium: Consortium, field: str) -> None:
    other = consortium.members["org"].statement.body
    statement = certificate(consortium, new_keys(consortium), serial=2)
    changed = {
        **statement.body,
        field: {"name": "Another", "contact": "x", "registry": "another"}.get(field, other[field]),
    }
    before = consortium.keyholder.enrolments()
    with pytest.raises(CryptoError):
        consortium.keyholder.enrol(Statement(changed, statement.signatures), budget=800)
    assert len(consortium.keyholder.enrolments()) == len(before) == 1


def test_a_certificate_that_its_organisation_did_not_sign_is_not_enrolled(consortium: Consortium) -> None:
    statement = certificate(consortium, new_keys(consortium))
    with pytest.raises(CryptoError):
        consortium.keyholder.enrol(Statement(statement.body), budget=800)
    forged = Statement(statement.body).sign("organisation", SigningKey.generate())
    with pytest.raises(CryptoError):
        consortium.keyholder.enrol(forged, budget=800)
    assert len(consortium.keyholder.enrolments()) == 1


def test_a_certificate_of_another_registry_is_not_enrolled(consortium: Consortium) -> None:
    keys = OrganisationKeyring.generate(registry="another", organisation=consortium.new_id())
    with pytest.raises(CryptoError):
        consortium.keyholder.enrol(certificate(consortium, keys), budget=800)


def test_another_certificate_with_the_same_serial_takes_no_organisations_place(consortium: Consortium) -> None:
    organisation = consortium.organisation("org")
    thief = OrganisationKeyring.generate(registry=consortium.trust.registry, organisation=organisation)
    with pytest.raises(TrustError) as caught:
        consortium.keyholder.enrol(certificate(consortium, thief), budget=800)
    assert caught.value.code == "older-certificate"


def test_a_renewed_certificate_replaces_the_key_and_none_goes_back(consortium: Consortium, client: Client) -> None:
    member = consortium.members["org"]
    keys = OrganisationKeyring.generate(registry=consortium.trust.registry, organisation=member.keys.organisation)
    consortium.keyholder.enrol(certificate(consortium, keys, serial=2), budget=800)
    assert refusal(client) == ("keyholder-1", "unknown-organisation")
    with pytest.raises(TrustError):
        consortium.keyholder.enrol(member.statement, budget=800)


def test_the_same_certificate_again_changes_the_budget(consortium: Consortium, client: Client) -> None:
    consortium.keyholder.enrol(consortium.members["org"].statement, budget=16)
    result = client.prepare_evaluation([[b"feature"]], "screening").complete()
    assert result.remaining["keyholder-1"] == 8
    client.evaluate([[b"feature"]], "screening")
    assert refusal(client) == ("keyholder-1", "budget-spent")


@pytest.mark.parametrize("budget", [-1, 0, 7])
def test_a_budget_too_small_for_anything_is_refused(consortium: Consortium, budget: int) -> None:
    with pytest.raises(KeyholderError):
        consortium.keyholder.enrol(consortium.members["org"].statement, budget=budget)


def test_suspension_is_immediate_and_reinstatement_too(consortium: Consortium, client: Client) -> None:
    client.evaluate([[b"feature"]], "screening")
    organisation = consortium.organisation("org")
    # As the operator's command does it: another process opens the same directory.
    Keyholder(consortium.keyholder_directory, clock=consortium.clock).suspend(organisation)
    assert refusal(client) == ("keyholder-1", "organisation-suspended")
    Keyholder(consortium.keyholder_directory, clock=consortium.clock).reinstate(organisation)
    assert len(client.evaluate([[b"feature"]], "screening")) == 1


def test_a_suspended_organisation_stays_so_when_it_renews_its_certificate(
    consortium: Consortium, client: Client
) -> None:
    consortium.keyholder.suspend(consortium.organisation("org"))
    consortium.keyholder.enrol(consortium.members["org"].statement, budget=800)
    assert refusal(client) == ("keyholder-1", "organisation-suspended")


def test_suspending_nobody_is_said(consortium: Consortium) -> None:
    with pytest.raises(KeyholderError, match="no such organisation"):
        consortium.keyholder.suspend(consortium.new_id())


def test_usage_counts_what_was_charged_by_day_and_organisation(consortium: Consortium, client: Client) -> None:
    client.evaluate([[b"feature"], [b"another"]], "screening")
    client.evaluate([[b"feature"]], "record")
    consortium.clock.advance(days=1)
    client.evaluate([[b"feature"] * 9], "screening")
    organisation = consortium.organisation("org")
    usage = [(u.organisation, u.day, u.batches, u.candidates, u.elements) for u in consortium.keyholder.usage()]
    assert usage == [(organisation, "2026-11-20", 2, 3, 24), (organisation, "2026-11-21", 1, 1, 16)]


def test_a_keyholder_forgets_batches_after_400_days_and_no_sooner(consortium: Consortium, client: Client) -> None:
    client.evaluate([[b"feature"]], "screening")
    consortium.clock.advance(days=399)
    assert consortium.keyholder.purge() == 0
    client.evaluate([[b"another"]], "screening")
    consortium.clock.advance(days=2)
    assert (consortium.keyholder.purge(), consortium.keyholder.purge()) == (1, 0)
    assert [one.batches for one in consortium.keyholder.usage()] == [1]


# --- opening -----------------------------------------------------------------------------------------------------


def directory_with(consortium: Consortium, path: Path, keys: KeyholderKeyring, trust: Any) -> Path:
    path.mkdir()
    keys.save(path / KEYS_FILE)
    if trust is not None:
        (path / TRUST_FILE).write_text(json.dumps(trust))
    return path


def test_a_keyholder_that_the_trust_file_does_not_name_does_not_start(consortium: Consortium, tmp_path: Path) -> None:
    trust = consortium.trust_statement.to_json()
    for name in ("keyholder-1", "keyholder-2"):
        directory = directory_with(consortium, tmp_path / name, KeyholderKeyring.generate(keyholder=name), trust)
        with pytest.raises(TrustError) as caught:
            Keyholder(directory)
        assert caught.value.code == "other-keyholder"
        assert not (directory / DATABASE_FILE).exists()


def test_a_keyholder_with_another_share_than_pinned_does_not_start(consortium: Consortium, tmp_path: Path) -> None:
    own = consortium.keyholder_keys
    other = KeyholderKeyring.generate(keyholder="keyholder-1")
    mixed = KeyholderKeyring("keyholder-1", own.signing, own.witness, other.share)
    with pytest.raises(TrustError) as caught:
        Keyholder(directory_with(consortium, tmp_path / "mixed", mixed, consortium.trust_statement.to_json()))
    assert caught.value.code == "other-keyholder"


@pytest.mark.parametrize("trust", [None, {}, [], {"body": {}, "signatures": []}])
def test_a_keyholder_without_a_trust_file_does_not_start(consortium: Consortium, tmp_path: Path, trust: Any) -> None:
    with pytest.raises(TrustError) as caught:
        Keyholder(directory_with(consortium, tmp_path / "k", consortium.keyholder_keys, trust))
    assert caught.value.code == "no-trust-file"


def test_a_forged_trust_file_does_not_start_a_keyholder(consortium: Consortium, tmp_path: Path) -> None:
    forged = consortium.trust_statement.to_json()
    forged["body"]["epoch"] = 2
    with pytest.raises(CryptoError):
        Keyholder(directory_with(consortium, tmp_path / "k", consortium.keyholder_keys, forged))


def test_a_database_of_another_version_does_not_start(consortium: Consortium) -> None:
    with closing(sqlite3.connect(consortium.keyholder_directory / DATABASE_FILE)) as database:
        database.execute("UPDATE keyholder_schema SET version = 99")
        database.commit()
    with pytest.raises(KeyholderError, match="schema 99"):
        Keyholder(consortium.keyholder_directory)
