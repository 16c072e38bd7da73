"""Sessions that ended, keys and tags that do not fit, and a database that cannot do its part."""

import contextlib
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import make_url
from werkzeug.test import TestResponse

from screening.crypto.keyring import RegistryKeyring
from screening.registry.models import Screening
from screening.registry.organisations import suspend_organisation
from screening.registry.people import suspend_person
from tests.api.acts import act_for, evaluation, new_record
from tests.api.harness import Api, record_version, slug
from tests.factories import World


def said(response: TestResponse) -> tuple[int, str]:
    return response.status_code, slug(response)


# --- sessions --------------------------------------------------------------------------------------------------------


def list_records(api: Api) -> TestResponse:
    return api.call("GET", "/v1/records", api.world.alpha.admin)


def test_a_session_left_idle_has_ended(api: Api) -> None:
    list_records(api)
    api.world.clock.advance(minutes=30)
    assert said(list_records(api)) == (401, "session-ended")


def test_a_session_in_use_lasts_until_its_end_and_no_longer(api: Api) -> None:
    api.token(api.world.alpha.admin)
    for _ in range(24):
        api.world.clock.advance(minutes=29)
        assert list_records(api).status_code == 200
    api.world.clock.advance(minutes=28)
    assert said(list_records(api)) == (401, "session-ended")


def test_logging_out_ends_the_session_at_once(api: Api) -> None:
    admin = api.world.alpha.admin
    assert api.call("DELETE", "/v1/sessions/current", admin).status_code == 200
    assert said(list_records(api)) == (401, "session-ended")


def test_a_suspended_person_is_out_at_once(api: Api) -> None:
    alpha = api.world.alpha
    list_records(api)
    with api.world.unit(alpha.second_admin) as unit:
        suspend_person(unit, alpha.admin.person)
    assert said(list_records(api)) == (401, "session-ended")


def test_a_suspended_organisations_people_are_out_at_once_and_its_evaluations_stop(api: Api) -> None:
    alpha = api.world.alpha
    list_records(api)
    with api.world.unit(api.world.registrar) as unit:
        suspend_organisation(unit, alpha.id)
    assert said(list_records(api)) == (403, "organisation-suspended")
    response = api.call("POST", "/v1/evaluations", json=evaluation(api, alpha))
    assert said(response) == (403, "organisation-suspended")


def test_other_roles_count_from_the_next_request_on(api: Api) -> None:
    alpha = api.world.alpha
    assert list_records(api).status_code == 200
    path = f"/v1/people/{alpha.admin.person}/roles"
    assert api.call("PUT", path, alpha.second_admin, json={"roles": ["recruiter"]}).status_code == 200
    assert said(list_records(api)) == (403, "forbidden")


def test_failed_log_ins_are_recorded_and_then_have_to_wait(api: Api) -> None:
    wrong = {"email": api.world.alpha.admin.email, "password": "not the password of anybody"}
    for _ in range(5):
        assert said(api.call("POST", "/v1/sessions", json=wrong)) == (401, "unauthenticated")
    response = api.call("POST", "/v1/sessions", json=wrong)
    assert said(response) == (429, "rate-limited")
    assert 0 < int(response.headers["Retry-After"]) <= 15 * 60 + 1
    assert Counter(api.world.events())["registry:session:refused"] == 6


# --- Idempotency-Key -------------------------------------------------------------------------------------------------

KEYED = ["records.create", "screenings.create"]


@pytest.mark.parametrize("endpoint", KEYED)
def test_a_key_is_needed(api: Api, endpoint: str) -> None:
    response = act_for(api, endpoint).send(api, "POST", headers={"Idempotency-Key": ""})
    assert said(response) == (400, "idempotency-key-missing")


@pytest.mark.parametrize("key", ["k" * 129, "with space", "ключ".encode().decode("latin-1"), "a/b", "a\tb"])
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_key_of_another_form_is_refused(api: Api, key: str) -> None:
    response = act_for(api, "screenings.create").send(api, "POST", headers={"Idempotency-Key": key})
    assert said(response) == (422, "validation-failed")
    assert list(response.get_json()["errors"]) == ["Idempotency-Key"]


@pytest.mark.parametrize("endpoint", [*KEYED, "records.approve", "people.suspend", "organisations.admit"])
def test_the_same_request_is_done_once_and_answered_alike(api: Api, endpoint: str) -> None:
    act = act_for(api, endpoint)
    first = act.send(api, "POST", headers={"Idempotency-Key": "k" * 128})
    assert first.status_code in (200, 201), first.data
    before = Counter(api.world.events())
    again = act.send(api, "POST", headers={"Idempotency-Key": "k" * 128})
    assert (again.status_code, again.get_json()) == (first.status_code, first.get_json())
    assert again.headers.get("ETag") == first.headers.get("ETag")
    assert Counter(api.world.events()) == before


@pytest.mark.parametrize("endpoint", KEYED)
def test_a_key_used_for_another_body_is_refused(api: Api, endpoint: str) -> None:
    key = {"Idempotency-Key": "the-key"}
    assert act_for(api, endpoint).send(api, "POST", headers=key).status_code == 201
    before = Counter(api.world.events())
    assert said(act_for(api, endpoint).send(api, "POST", headers=key)) == (422, "idempotency-conflict")
    assert Counter(api.world.events()) == before


def test_a_key_used_for_another_address_is_refused(api: Api) -> None:
    alpha, key = api.world.alpha, {"Idempotency-Key": "the-key"}
    first = api.call("POST", f"/v1/people/{alpha.recruiter.person}/suspend", alpha.admin, headers=key)
    assert first.status_code == 200
    other = api.call("POST", f"/v1/people/{alpha.auditor.person}/suspend", alpha.admin, headers=key)
    assert said(other) == (422, "idempotency-conflict")


def test_another_persons_key_is_another_key(api: Api) -> None:
    alpha, key = api.world.alpha, {"Idempotency-Key": "the-key"}
    for admin in (alpha.admin, alpha.second_admin):
        body = api.world.record(alpha, seed=admin.email)
        assert api.call("POST", "/v1/records", admin, json=body, headers=key).status_code == 201


def test_a_refused_request_leaves_its_key_free(api: Api) -> None:
    act, key = act_for(api, "screenings.create"), {"Idempotency-Key": "the-key"}
    wrong = api.call("POST", act.path, act.by, json={**act.json, "epoch": 2}, headers=key)
    assert said(wrong) == (409, "wrong-epoch")
    assert act.send(api, "POST", headers=key).status_code == 201


def test_equal_requests_at_the_same_time_are_one_act(api: Api) -> None:
    act = act_for(api, "screenings.create")
    assert act.by is not None
    api.token(act.by)
    start = threading.Barrier(4)

    def send(_number: int) -> TestResponse:
        start.wait()
        response: TestResponse = act.send(api, "POST", headers={"Idempotency-Key": "the-key"})
        return response

    with ThreadPoolExecutor(4) as pool:
        responses = list(pool.map(send, range(4)))
    assert {response.status_code for response in responses} == {201}
    assert len({response.data for response in responses}) == 1
    assert api.world.count(Screening) == 1


# --- If-Match --------------------------------------------------------------------------------------------------------


def submit(api: Api, record: uuid.UUID, tag: str) -> TestResponse:
    headers = {"If-Match": tag}
    return api.call("POST", f"/v1/records/{record}/submit", api.world.alpha.admin, headers=headers)


def test_a_change_without_if_match_is_refused(api: Api) -> None:
    record = new_record(api, api.world.alpha, submit=False)
    assert said(submit(api, record, "")) == (428, "precondition-required")


@pytest.mark.parametrize("tag", ['"2"', '"0"', "1", 'W/"1"', "*", '"1", "2"', '"one"', '"1', '"' + "9" * 19 + '"'])
def test_a_change_of_another_revision_is_refused(api: Api, tag: str) -> None:
    record = new_record(api, api.world.alpha, submit=False)
    assert said(submit(api, record, tag)) == (412, "precondition-failed")
    assert api.world.stored_record(record).state == "draft"


def test_a_change_of_the_revision_read_is_made_and_gives_the_next(api: Api) -> None:
    record = new_record(api, api.world.alpha, submit=False)
    read = api.call("GET", f"/v1/records/{record}", api.world.alpha.admin)
    response = submit(api, record, read.headers["ETag"])
    assert response.status_code == 200
    assert response.headers["ETag"] == f'"{response.get_json()["record"]["etag"]}"' != read.headers["ETag"]
    assert said(submit(api, record, read.headers["ETag"])) == (412, "precondition-failed")


def test_nobody_approves_their_own_submission(api: Api) -> None:
    alpha = api.world.alpha
    record = new_record(api, alpha)
    approval = api.world.approval(alpha, record_version(api, alpha, record))
    path, headers = f"/v1/records/{record}/approve", {"If-Match": '"1"'}
    response = api.call("POST", path, alpha.admin, json={"approval": approval}, headers=headers)
    assert said(response) == (403, "own-submission")
    other = api.call("POST", path, alpha.second_admin, json={"approval": approval}, headers=headers)
    assert other.status_code == 200


# --- a database that cannot ------------------------------------------------------------------------------------------


@contextlib.contextmanager
def before_statement(api: Api, beginning: str, act: Callable[[Connection], None]) -> Iterator[None]:
    """Does something on the application's own connection just before a kind of statement runs."""
    engine = api.app.extensions["screening"].engine

    def hook(connection: Connection, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.startswith(beginning):
            act(connection)

    event.listen(engine, "before_cursor_execute", hook)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", hook)


ACTING = ["screenings.create", "records.create", "policy.change", "records.show", "evaluation.evaluate"]
METHODS = {"policy.change": "PUT", "records.show": "GET"}


@pytest.mark.parametrize("endpoint", ACTING)
@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_a_database_that_goes_away_mid_request_is_unavailable_and_nothing_changed(api: Api, endpoint: str) -> None:
    act = act_for(api, endpoint)
    if act.by is not None:
        api.token(act.by)
    before = Counter(api.world.events())
    address = make_url(api.world.url).set(drivername="postgresql").render_as_string(hide_password=False)

    def cut(connection: Connection) -> None:
        pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr] # psycopg's
        with contextlib.closing(psycopg.connect(address, autocommit=True)) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))

    with before_statement(api, "INSERT INTO events", cut):
        response = act.send(api, METHODS.get(endpoint, "POST"))
    assert said(response) == (503, "unavailable")
    assert int(response.headers["Retry-After"]) > 0
    assert Counter(api.world.events()) == before
    assert act.send(api, METHODS.get(endpoint, "POST")).status_code in (200, 201)


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_database_that_stays_locked_is_unavailable(api: Api) -> None:
    act = act_for(api, "screenings.create")
    assert act.by is not None
    api.token(act.by)
    registry = api.app.extensions["screening"]
    registry.engine.dispose()
    event.listen(registry.engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 50"))
    with api.world.engine.connect() as other:
        other.execution_options(screening_for_writing=True).execute(text("SELECT 1"))
        assert said(act.send(api, "POST")) == (503, "unavailable")
        assert said(api.call("POST", "/v1/evaluations", json=evaluation(api, api.world.alpha))) == (
            503,
            "unavailable",
        )
    assert act.send(api, "POST").status_code == 201


@pytest.mark.parametrize("endpoint", ["screenings.create", "policy.change", "records.show", "evaluation.evaluate"])
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_full_disk_is_said_to_be_full_and_nothing_changed(api: Api, endpoint: str) -> None:
    act, method = act_for(api, endpoint), METHODS.get(endpoint, "POST")
    if act.by is not None:
        api.token(act.by)

    def send() -> TestResponse:
        json = evaluation(api, api.world.alpha) if endpoint == "evaluation.evaluate" else act.json
        return api.call(method, act.path, act.by, json=json)

    with no_more_room(api):
        for _ in range(200):
            before = Counter(api.world.events())
            response = send()
            if response.status_code not in (200, 201):
                break
    assert said(response) == (503, "storage-full")
    assert int(response.headers["Retry-After"]) > 0
    assert Counter(api.world.events()) == before
    assert send().status_code in (200, 201)


@contextlib.contextmanager
def no_more_room(api: Api) -> Iterator[None]:
    """Keeps SQLite from growing its file, which is what a full disk does."""
    engine = api.app.extensions["screening"].engine

    def limit(connection: Any, _record: object) -> None:
        [[pages]] = connection.execute("PRAGMA page_count")
        connection.execute(f"PRAGMA max_page_count = {pages}")

    engine.dispose()
    event.listen(engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(engine, "connect", limit)
        engine.dispose()


def test_without_a_published_trust_file_the_registry_is_not_ready(api: Api) -> None:
    with api.world.engine.begin() as connection:
        connection.execute(text("DELETE FROM trust_files"))
    for path in ("/readyz", "/v1/trust"):
        assert said(api.call("GET", path)) == (503, "unavailable")
    assert api.call("GET", "/livez").status_code == 200


def test_a_database_of_another_version_is_not_ready(api: Api) -> None:
    assert api.call("GET", "/readyz").get_json() == {"status": "ready"}
    with api.world.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'another'"))
    assert said(api.call("GET", "/readyz")) == (503, "unavailable")


@pytest.mark.parametrize("other", ["registry", "signing", "log", "share"])
def test_a_process_with_other_keys_than_the_trust_file_names_is_not_ready(
    world: World, tmp_path: Path, other: str
) -> None:
    fresh = RegistryKeyring.generate(registry="another-registry")
    mixed = replace(world.keyring, **{other: getattr(fresh, other)})
    api = Api.over(replace(world, keyring=mixed), tmp_path)
    try:
        assert said(api.call("GET", "/readyz")) == (503, "unavailable")
    finally:
        api.close()
