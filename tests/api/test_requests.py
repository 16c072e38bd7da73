"""What every request has in common: headers, request ids, the log, pages, lists in pages."""

import errno
import io
import json
import re
import uuid
from typing import Any

import jsonschema_rs
import pytest
from werkzeug.test import TestResponse

from screening.api.logs import configure_logs
from screening.api.pages import CONTENT_POLICY
from screening.api.problems import PROBLEM_TYPES
from screening.api.requestlog import SECURITY_HEADERS
from tests.api.acts import act_for, evaluation, new_record
from tests.api.documented import check_answer
from tests.api.harness import Api, screening_body

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


@SQLITE
def test_every_response_has_the_security_headers_and_an_id_of_its_own(api: Api) -> None:
    responses = [api.http.get("/livez"), api.http.get("/v1/records"), api.http.get("/nowhere"), api.http.post("/livez")]
    for response in responses:
        for name, value in SECURITY_HEADERS.items():
            assert response.headers[name] == value
        assert uuid.UUID(response.headers["X-Request-Id"]).version == 7
        assert "Set-Cookie" not in response.headers
    assert len({response.headers["X-Request-Id"] for response in responses}) == len(responses)


@SQLITE
def test_a_request_id_is_ours_and_not_the_callers(api: Api) -> None:
    response = api.http.get("/livez", headers={"X-Request-Id": "mine"})
    assert response.headers["X-Request-Id"] != "mine"


@SQLITE
def test_the_log_says_who_asked_for_which_kind_of_thing_and_nothing_more(
    api: Api, capfd: pytest.CaptureFixture[str]
) -> None:
    admin = api.world.alpha.admin
    record = new_record(api, api.world.alpha)
    capfd.readouterr()
    configure_logs("info")
    api.call("GET", f"/v1/records/{record}", admin, headers={"User-Agent": "an agent"})
    api.call("GET", "/v1/records?state=active", admin)
    api.call("GET", "/nowhere")
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if line.startswith("{")]
    shown, listed, unknown = [line for line in lines if line["event"] == "request"]
    assert shown.keys() == {
        *("event", "level", "timestamp", "method", "route", "status", "problem"),
        *("milliseconds", "request_id", "actor", "organisation"),
    }
    assert (shown["method"], shown["route"], shown["status"]) == ("GET", "/v1/records/<uuid:record>", 200)
    assert (shown["actor"], shown["organisation"]) == (str(admin.person), str(admin.organisation))
    assert listed["route"] == "/v1/records"
    assert (unknown["route"], unknown["status"], unknown["problem"], unknown["actor"]) == (None, 404, "not-found", None)
    assert str(record) not in json.dumps(lines)
    assert "an agent" not in json.dumps(lines)


@SQLITE
def test_a_log_that_cannot_be_written_stops_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    configure_logs("info")

    class Full(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr("sys.stdout", Full())
    assert api.http.get("/livez").status_code == 200
    assert api.http.get("/nowhere").mimetype == "application/problem+json"


@SQLITE
def test_head_is_get_without_its_body_and_leaves_the_same_event(api: Api) -> None:
    record = new_record(api, api.world.alpha)
    left = api.events(lambda: _no_body(api.call("HEAD", f"/v1/records/{record}", api.world.alpha.admin)))
    assert left == ["registry:record:opened"]


def _no_body(response: TestResponse) -> None:
    assert response.status_code == 200
    assert response.data == b""
    assert "ETag" in response.headers


# --- pages -----------------------------------------------------------------------------------------------------------


def self_contained(response: TestResponse) -> str:
    assert response.status_code == 200
    assert response.mimetype == "text/html"
    assert response.headers["Content-Security-Policy"] == CONTENT_POLICY
    assert "unsafe" not in CONTENT_POLICY
    page = response.get_data(as_text=True)
    assert not re.search(r"<(script|link|img|iframe|form|base)\b|\bstyle=|\bon[a-z]+=|https?://", page)
    return page


@SQLITE
def test_the_documentation_is_one_page_that_names_every_endpoint_and_asks_nobody_else(api: Api) -> None:
    page = self_contained(api.http.get("/v1/docs"))
    for path in api.http.get("/v1/openapi.json").get_json()["paths"]:
        assert f"<code>GET {path}" in page or path in page
    for kind in PROBLEM_TYPES.values():
        assert kind.title.replace("'", "&#39;") in page
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets <= set(re.findall(r'id="([^"]+)"', page))


@SQLITE
def test_every_problem_type_has_its_page(api: Api) -> None:
    for slug, kind in PROBLEM_TYPES.items():
        page = self_contained(api.http.get(f"/problems/{slug}"))
        assert str(kind.status) in page


def test_no_two_problems_say_the_same_and_none_asks_for_something_impossible() -> None:
    assert len({kind.title for kind in PROBLEM_TYPES.values()}) == len(PROBLEM_TYPES)
    assert all(400 <= kind.status <= 599 and kind.advice.endswith(".") for kind in PROBLEM_TYPES.values())


@SQLITE
def test_an_answer_with_more_than_is_documented_would_be_noticed(api: Api) -> None:
    response = api.call("GET", "/v1/sessions", api.world.alpha.admin)
    check_answer(api, "sessions.list", response)
    content = response.get_json()
    content["sessions"][0]["token_hash"] = "00"
    response.set_data(json.dumps(content))
    with pytest.raises(jsonschema_rs.ValidationError):
        check_answer(api, "sessions.list", response)


# --- lists -----------------------------------------------------------------------------------------------------------


def pages_of(api: Api, path: str, name: str, by: Any) -> list[list[Any]]:
    pages, cursor = [], ""
    while True:
        answer = api.call("GET", path + cursor, by).get_json()
        pages.append(answer[name])
        if answer["next"] is None:
            return pages
        cursor = f"&cursor={answer['next']}"


def test_a_list_comes_in_pages_that_hold_everything_once_the_newest_first(api: Api) -> None:
    alpha = api.world.alpha
    made = []
    for _ in range(5):
        api.world.clock.advance(seconds=1)
        made.append(str(new_record(api, alpha)))
    pages = pages_of(api, "/v1/records?limit=2", "records", alpha.admin)
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [record["id"] for page in pages for record in page] == sorted(made, reverse=True)


def test_a_cursor_of_another_organisations_list_shows_nothing_of_it(api: Api) -> None:
    alpha, beta = api.world.alpha, api.world.beta
    for _ in range(3):
        new_record(api, alpha)
    cursor = api.call("GET", "/v1/records?limit=1", alpha.admin).get_json()["next"]
    assert api.call("GET", f"/v1/records?cursor={cursor}", beta.admin).get_json() == {"records": [], "next": None}


# --- the main job ----------------------------------------------------------------------------------------------------


def test_a_record_of_one_organisation_is_found_by_another_and_by_nobody_who_asks_for_somebody_else(api: Api) -> None:
    world = api.world
    world.active_record(world.beta, seed="the person")
    asked = [world.candidate(world.alpha, seed) for seed in ("the person", "a stranger", None)]
    response = api.call("POST", "/v1/screenings", world.alpha.recruiter, json=screening_body(world.request(*asked)))
    found, stranger, unclear = response.get_json()["screenings"]
    assert (found["outcome"], found["grade"]) == ("possible", "strong")
    [hit] = found["hits"]
    assert hit == {
        "grade": "strong",
        "organisation": {"id": str(world.beta.id), "name": "Beta", "contact": "hr@beta.example"},
        "categories": ["SEA"],
    }
    assert (stranger["outcome"], stranger["grade"], stranger["hits"]) == ("no_record", None, [])
    assert unclear["outcome"] == "insufficient"
    assert [one["candidate"] for one in (found, stranger, unclear)] == [str(one.id) for one in asked]
    assert len({one["promise"]["body"]["event"] for one in (found, stranger, unclear)}) == 3


def test_a_screening_says_what_is_left_of_the_budgets(api: Api) -> None:
    response = act_for(api, "screenings.create").send(api, "POST")
    assert response.headers["RateLimit-Policy"] == '"person";q=2000;w=86400, "organisation";q=10000;w=86400'
    assert response.headers["RateLimit"] == '"person";r=1999;t=44, "organisation";r=9999;t=9'


def test_a_spent_budget_is_said_with_when_to_try_again_and_charges_nothing(api: Api) -> None:
    name = "screening_candidates_per_person_per_day"
    assert api.call("PUT", f"/v1/policy/{name}", api.world.registrar, json={"value": 1}).status_code == 200
    assert act_for(api, "screenings.create").send(api, "POST").status_code == 201
    response = act_for(api, "screenings.create").send(api, "POST")
    assert (response.status_code, response.get_json()["type"]) == (429, "/problems/budget-spent")
    assert 0 < int(response.headers["Retry-After"]) <= 86_400


def test_an_evaluation_asked_again_is_answered_alike_and_charged_once(api: Api) -> None:
    body = evaluation(api, api.world.alpha)
    first = api.call("POST", "/v1/evaluations", json=body).get_json()
    again = api.call("POST", "/v1/evaluations", json=body).get_json()
    assert first["elements"] == again["elements"]
    assert (first["charged"], again["charged"]) == (8, 0)
    assert first["promise"]["body"]["event"] != again["promise"]["body"]["event"]


def test_evaluations_stop_at_the_over_all_budget_that_the_registrar_sets(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("screening.api.runtime.REFRESH_SECONDS", 0.0)
    path = "/v1/policy/evaluation_elements_total_per_day"
    assert api.call("PUT", path, api.world.registrar, json={"value": 8}).status_code == 200
    assert api.call("POST", "/v1/evaluations", json=evaluation(api, api.world.alpha)).status_code == 200
    response = api.call("POST", "/v1/evaluations", json=evaluation(api, api.world.beta))
    assert (response.status_code, response.get_json()["type"]) == (429, "/problems/budget-spent")
    assert "Retry-After" in response.headers
