"""What is wrong with a request is said in its own problem type, nothing of it comes back, and nothing changes."""

import copy
import io
import json
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from screening.api.policy_table import POLICY
from tests.api.acts import Act, act_for, evaluation, new_record
from tests.api.harness import Api, screening_body, slug, written_json

CANARY = "Canary-4b1f9e"

WITH_BODY = [
    "evaluation.evaluate",
    "sessions.open",
    "invitations.create",
    "invitations.accept",
    "people.change_roles",
    "organisations.admit",
    "organisations.replace_certificate",
    "policy.change",
    "records.create",
    "records.add_version",
    "records.approve",
    "records.return_",
    "records.withdraw",
    "screenings.create",
]
METHODS = dict(POLICY.keys())


def mutations(document: Any) -> Iterator[Any]:
    """The document with the canary in place of each value and as a further key of each object."""

    def places(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        yield path
        if isinstance(value, dict):
            for key in value:
                yield from places(value[key], (*path, key))
        elif isinstance(value, list) and value:
            yield from places(value[0], (*path, 0))

    for path in places(document, ()):
        for replacement in (CANARY, {CANARY: CANARY}, [CANARY], None):
            changed = {"": copy.deepcopy(document)}
            holder: Any = changed
            for step in ("", *path)[:-1]:
                holder = holder[step]
            last = ("", *path)[-1]
            if replacement is None:
                if isinstance(holder[last], dict):
                    holder[last][CANARY] = CANARY
            else:
                holder[last] = replacement
            yield changed[""]


@pytest.mark.parametrize("endpoint", WITH_BODY)
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_nothing_submitted_comes_back_in_an_error_or_a_log(
    api: Api, endpoint: str, capfd: pytest.CaptureFixture[str]
) -> None:
    act = act_for(api, endpoint)
    document = json.loads(written_json(act.json))
    refused = 0
    for changed in mutations(document):
        response = Act(act.path, act.by, changed, act.headers).send(api, METHODS[endpoint])
        if response.status_code < 400:
            continue
        refused += 1
        assert slug(response) not in ("internal", "unavailable"), (changed, response.data)
        assert CANARY.lower() not in response.get_data(as_text=True).lower(), response.data
        assert CANARY.lower() not in str(response.headers).lower()
    assert refused >= 4
    captured = capfd.readouterr()
    assert "request" in captured.out
    assert CANARY not in captured.out + captured.err


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_the_sweep_takes_every_endpoint_with_a_body(api: Api) -> None:
    paths = api.http.get("/v1/openapi.json").get_json()["paths"]
    taking = [1 for item in paths.values() for operation in item.values() if "requestBody" in operation]
    assert len(taking) == len(WITH_BODY)


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_addresses_queries_and_headers_do_not_come_back(api: Api, capfd: pytest.CaptureFixture[str]) -> None:
    admin = api.world.alpha.admin
    responses = [
        api.call("GET", f"/{CANARY}"),
        api.call("GET", f"/v1/records/{CANARY}", admin),
        api.call("GET", f"/problems/{CANARY}"),
        api.call("PUT", f"/v1/policy/{CANARY}", api.world.registrar, json={"value": 1}),
        api.call("GET", f"/v1/records?{CANARY}={CANARY}", admin),
        api.call("GET", f"/v1/records?state={CANARY}&cursor={CANARY}&limit={CANARY}", admin),
        api.call("GET", f"/v1/records?state={CANARY}&state={CANARY}", admin),
        api.call("GET", f"/v1/people?organisation={CANARY}", admin),
        api.call("POST", "/v1/records", admin, json={}, headers={"Idempotency-Key": f"{CANARY}!"}),
        api.call("POST", f"/v1/records/{uuid.uuid4()}/submit", admin, headers={"If-Match": CANARY}),
        api.call("GET", "/v1/records", headers={"Authorization": f"Bearer {CANARY}"}),
        api.call("POST", "/v1/sessions", data=b"{}", headers={"Content-Type": CANARY}),
        api.call("POST", "/v1/sessions", data=b"{}", headers={"Content-Encoding": CANARY}),
        api.call(CANARY, "/v1/sessions"),
    ]
    for response in responses:
        assert 400 <= response.status_code < 500
        slug(response)
        assert CANARY not in response.get_data(as_text=True) + str(response.headers)
    captured = capfd.readouterr()
    assert CANARY not in captured.out + captured.err


LOG_IN = b'{"email": "a@example.org", "password": "x"}'


@pytest.mark.parametrize(
    ("data", "content_type", "expected"),
    [
        (b"", "application/json", (400, "malformed-request")),
        (b"{", "application/json", (400, "malformed-request")),
        (LOG_IN.decode().encode("utf-16"), "application/json", (400, "malformed-request")),
        (LOG_IN.replace(b"x", b"\xff"), "application/json", (400, "malformed-request")),
        (LOG_IN.replace(b"x", b"\x00"), "application/json", (400, "malformed-request")),
        (LOG_IN.replace(b"x", b"\\u0000"), "application/json", (400, "malformed-request")),
        (LOG_IN.replace(b"x", b"\\ud800"), "application/json", (400, "malformed-request")),
        (LOG_IN.replace(b"}", b', "email": "b@example.org"}'), "application/json", (400, "malformed-request")),
        (b'{"email": NaN, "password": "x"}', "application/json", (400, "malformed-request")),
        (b'{"email": 1e999, "password": "x"}', "application/json", (400, "malformed-request")),
        (b"[" * 5000, "application/json", (400, "malformed-request")),
        (b"[" * 2000 + b"]" * 2000, "application/json", (400, "malformed-request")),
        (b"[]", "application/json", (422, "validation-failed")),
        (b"null", "application/json", (422, "validation-failed")),
        (b'"text"', "application/json", (422, "validation-failed")),
        (b"{}", "application/json", (422, "validation-failed")),
        (LOG_IN.replace(b"}", b', "otp": 1}'), "application/json", (422, "validation-failed")),
        (LOG_IN.replace(b'"x"', b"1"), "application/json", (422, "validation-failed")),
        (LOG_IN.replace(b"a@example.org", b"nobody"), "application/json", (422, "validation-failed")),
        (LOG_IN.replace(b"x", b"x" * 1025), "application/json", (422, "validation-failed")),
        (b" " * 9000, "application/json", (413, "too-large")),
        (LOG_IN, "text/plain", (415, "unsupported-media-type")),
        (LOG_IN, "application/x-www-form-urlencoded", (415, "unsupported-media-type")),
        (LOG_IN, "multipart/form-data; boundary=x", (415, "unsupported-media-type")),
        (LOG_IN, "application/json; charset=utf-16", (415, "unsupported-media-type")),
        (LOG_IN, "", (415, "unsupported-media-type")),
        (LOG_IN, "application/json; charset=UTF-8", (401, "unauthenticated")),
    ],
)
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_body_that_is_not_as_it_should_be_has_its_own_problem(
    api: Api, data: bytes, content_type: str, expected: tuple[int, str]
) -> None:
    response = api.call("POST", "/v1/sessions", data=data, headers={"Content-Type": content_type})
    assert (response.status_code, slug(response)) == expected


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_compressed_body_is_not_unpacked(api: Api) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    for path in ("/v1/sessions", "/v1/evaluations"):
        response = api.call("POST", path, data=b"\x1f\x8b", headers=headers)
        assert (response.status_code, slug(response)) == (415, "unsupported-media-type")


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_huge_body_without_a_length_is_cut_off(api: Api) -> None:
    class Endless(io.RawIOBase):
        sent = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            self.sent += len(buffer)
            buffer[:] = b" " * len(buffer)
            return len(buffer)

    for path in ("/v1/sessions", "/v1/evaluations"):
        stream = Endless()
        response = api.http.post(
            path,
            headers={"Content-Type": "application/json", "Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input": stream, "wsgi.input_terminated": True},
        )
        assert (response.status_code, slug(response)) == (413, "too-large")
        assert stream.sent < 4 * 1024 * 1024


def test_a_bodyless_act_takes_no_body(api: Api) -> None:
    alpha = api.world.alpha
    path = f"/v1/people/{alpha.recruiter.person}/suspend"
    response = api.call("POST", path, alpha.admin, json={"reason": "x"})
    assert (response.status_code, slug(response)) == (400, "malformed-request")
    assert api.call("POST", path, alpha.admin, json={}).status_code == 200


def test_a_query_that_is_not_asked_for_is_refused(api: Api) -> None:
    admin = api.world.alpha.admin
    assert slug(api.call("GET", "/v1/sessions?all=1", admin)) == "validation-failed"
    assert slug(api.call("GET", "/v1/records?limit=0", admin)) == "validation-failed"
    assert slug(api.call("GET", "/v1/records?limit=101", admin)) == "validation-failed"
    assert slug(api.call("GET", "/v1/records?limit=5&limit=6", admin)) == "malformed-request"
    assert slug(api.call("GET", "/v1/records?cursor=AAAA", admin)) == "validation-failed"
    assert slug(api.call("GET", "/v1/records?cursor=%00", admin)) == "validation-failed"


def screenings(api: Api, **changes: Any) -> Any:
    body = screening_body(api.world.request(api.world.candidate(api.world.alpha))) | changes
    return api.call("POST", "/v1/screenings", api.world.alpha.recruiter, json=body)


def test_no_candidates_and_too_many_are_refused_and_nothing_is_charged(api: Api) -> None:
    one = screening_body(api.world.request(api.world.candidate(api.world.alpha)))["candidates"][0]
    api.token(api.world.alpha.recruiter)
    before = Counter(api.world.events())
    assert slug(screenings(api, candidates=[])) == "validation-failed"
    assert slug(screenings(api, candidates=[one] * 101)) == "validation-failed"
    assert slug(screenings(api, candidates=[{}] * 10_000)) == "validation-failed"
    assert slug(screenings(api, candidates=[one] * 10_000)) == "too-large"
    assert Counter(api.world.events()) == before
    remaining = screenings(api).headers["RateLimit"]
    assert '"person";r=1999' in remaining


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"scheme": "0" * 64}, "wrong-scheme"),
        ({"epoch": 2}, "wrong-epoch"),
        ({"scheme": "0" * 63}, "validation-failed"),
        ({"purpose": "curiosity"}, "validation-failed"),
        ({"lawful_basis": "interest"}, "validation-failed"),
        ({"vacancy": ""}, "validation-failed"),
        ({"vacancy": "V" * 65}, "validation-failed"),
        ({"vacancy": "V\u202e"}, "validation-failed"),
        ({"categories": []}, "validation-failed"),
        ({"categories": ["SH", "SH"]}, "validation-failed"),
        ({"categories": ["XX"]}, "validation-failed"),
    ],
)
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_screening_that_is_not_as_it_should_be_has_its_own_problem(
    api: Api, changes: dict[str, Any], expected: str
) -> None:
    api.token(api.world.alpha.recruiter)
    before = Counter(api.world.events())
    assert slug(screenings(api, **changes)) == expected
    assert Counter(api.world.events()) == before


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"registry": "other"}, (409, "wrong-registry")),
        ({"epoch": 2}, (409, "wrong-epoch")),
        ({"scheme": "0" * 64}, (409, "wrong-scheme")),
        ({"suite": "P256-SHA256"}, (400, "wrong-suite")),
        ({"protocol": "screening/2"}, (400, "wrong-protocol")),
        ({"evaluator": "keyholder-1"}, (409, "wrong-evaluator")),
        ({"time": "2020-01-01T00:00:00Z"}, (400, "stale-request")),
        ({"candidates": 10_000}, (422, "batch-size")),
        ({"candidates": 0}, (422, "batch-size")),
        ({"elements": ["A" * 43] * 8}, (422, "invalid-element")),
        ({"elements": ["!" * 43] * 8}, (422, "invalid-element")),
        ({"organisation": "00000000-0000-7000-8000-000000000000"}, (403, "unknown-organisation")),
        ({"type": "record-version"}, (400, "malformed-request")),
    ],
)
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_an_evaluation_that_is_not_as_it_should_be_has_its_own_problem(
    api: Api, changes: dict[str, Any], expected: tuple[int, str]
) -> None:
    before = Counter(api.world.events())
    response = api.call("POST", "/v1/evaluations", json=evaluation(api, api.world.alpha, **changes))
    assert (response.status_code, slug(response)) == expected
    assert Counter(api.world.events()) == before


def test_a_record_id_that_is_taken_is_a_conflict_even_for_another_organisation(api: Api) -> None:
    alpha, beta = api.world.alpha, api.world.beta
    record = new_record(api, alpha)
    taken = api.world.version(beta, record) | {"record": record, "submit": True}
    response = api.call("POST", "/v1/records", beta.admin, json=taken)
    assert (response.status_code, slug(response)) == (409, "conflict")


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/records/", "//v1/records", "/v1/records/x", "/static/x", "/."])
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_an_unknown_address_is_not_found_and_nothing_redirects(api: Api, path: str) -> None:
    response = api.http.get(path)
    assert (response.status_code, slug(response)) == (404, "not-found")


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_another_method_is_refused_with_those_allowed(api: Api) -> None:
    response = api.call("PATCH", "/v1/records")
    assert (response.status_code, slug(response)) == (405, "method-not-allowed")
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}
    assert slug(api.call("OPTIONS", "/v1/records")) == "method-not-allowed"
    assert slug(api.call("TRACE", "/v1/records")) == "method-not-allowed"


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_fault_of_ours_says_nothing_but_the_request_id(
    api: Api, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_args: object, **_more: object) -> None:
        raise ValueError(CANARY)

    monkeypatch.setattr("screening.registry.sessions.list_sessions", fail)
    response = api.call("GET", "/v1/sessions", api.world.alpha.admin)
    assert (response.status_code, slug(response)) == (500, "internal")
    captured = capfd.readouterr()
    assert "ValueError" in captured.out
    assert CANARY not in captured.out + captured.err + response.get_data(as_text=True)


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_view_that_forgets_its_event_is_rolled_back(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from screening.registry.unit import Unit

    alpha = api.world.alpha
    api.token(alpha.admin)
    monkeypatch.setattr(Unit, "record", lambda _self, _event: {})
    response = api.call("POST", f"/v1/people/{alpha.recruiter.person}/suspend", alpha.admin)
    assert (response.status_code, slug(response)) == (500, "internal")
    monkeypatch.undo()
    people = api.call("GET", f"/v1/people/{alpha.recruiter.person}", alpha.admin).get_json()
    assert people["person"]["state"] == "active"
