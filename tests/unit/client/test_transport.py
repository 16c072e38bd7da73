"""What a server can do wrong on the wire, over real sockets: each is told apart, bounded, and named for the party."""

import contextlib
import json
import logging
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from screening.client.errors import (
    EvaluatorMisbehavedError,
    MisbehavedError,
    ProblemError,
    RegistryMisbehavedError,
    UnavailableError,
)
from screening.client.transport import Transport, is_safe_url, make_http
from tests.servers import RawServer, free_port, raw

PROBLEM = {"type": "/problems/budget-spent", "title": "The budget is spent", "status": 429, "detail": "come back later"}


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with make_http() as client:
        yield client


@contextlib.contextmanager
def talking_to(answer: bytes | Callable[[socket.socket], None], http: httpx.Client, **options: Any) -> Iterator[Any]:
    send = answer if callable(answer) else lambda connection: connection.sendall(answer)
    with RawServer(send) as server:
        transport = Transport(server.url, party="keyholder-1", http=http, evaluator=True, pauses=(0.0, 0.0), **options)
        yield transport, server


def misbehaviour(answer: bytes, http: httpx.Client, **options: Any) -> str:
    with talking_to(answer, http, **options) as (transport, _), pytest.raises(EvaluatorMisbehavedError) as caught:
        transport.request("GET", "/v1/thing")
    assert caught.value.evaluator == "keyholder-1"
    assert str(caught.value).startswith("keyholder-1: ")
    return caught.value.what


def test_json_is_given_back_with_status_and_headers(http: httpx.Client) -> None:
    with talking_to(raw("201 Created", b'{"a": ["\xc3\xa9"]}', ETag='"1"'), http) as (transport, server):
        answer = transport.request("POST", "/v1/thing?x", json_content={"b": "ü"}, headers={"If-Match": '"0"'})
    assert (answer.status, answer.content, answer.headers["etag"]) == (201, {"a": ["é"]}, '"1"')
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert json.loads(body) == {"b": "ü"}
    assert b'If-Match: "0"' in head
    assert b"Content-Type: application/json" in head


def test_an_empty_answer_is_none(http: httpx.Client) -> None:
    with talking_to(raw("204 No Content"), http) as (transport, _):
        assert transport.request("DELETE", "/v1/thing").content is None


def test_a_bearer_token_is_sent_only_where_there_is_one(http: httpx.Client) -> None:
    with talking_to(raw("200 OK", b"{}"), http, bearer=lambda: "scr_abc") as (transport, server):
        transport.request("GET", "/")
    assert b"Authorization: Bearer scr_abc" in server.requests[0]
    with talking_to(raw("200 OK", b"{}"), http) as (transport, server):
        transport.request("GET", "/")
    assert b"uthorization" not in server.requests[0]


def test_a_problem_document_is_told_as_what_it_is(http: httpx.Client) -> None:
    body = json.dumps({**PROBLEM, "errors": {"candidates": ["too many"]}}).encode()
    answer = raw("429 Too Many Requests", body, kind="application/problem+json", Retry_After="7200")
    with talking_to(answer, http) as (transport, _), pytest.raises(ProblemError) as caught:
        transport.request("GET", "/")
    error = caught.value
    assert (error.slug, error.status, error.detail, error.party) == (
        "budget-spent",
        429,
        "come back later",
        "keyholder-1",
    )
    assert (error.errors, error.retry_after) == ({"candidates": ["too many"]}, 7200)


def test_what_a_server_says_cannot_write_to_the_terminal(http: httpx.Client) -> None:
    body = json.dumps({**PROBLEM, "detail": "\x1b[2J\nroot: ok\u202e" + "x" * 10_000}).encode()
    answer = raw("400 Bad Request", body, kind="application/problem+json")
    with talking_to(answer, http) as (transport, _), pytest.raises(ProblemError) as caught:
        transport.request("GET", "/")
    assert caught.value.detail.isprintable()
    assert len(caught.value.detail) == 500


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b'{"type": "https://elsewhere.example/x"}', b'{"type": 7}', b'"budget-spent"']
)
def test_a_problem_document_of_another_form_is_misbehaviour(http: httpx.Client, body: bytes) -> None:
    assert "problem document" in misbehaviour(raw("400 Bad Request", body, kind="application/problem+json"), http)


@pytest.mark.parametrize("kind", ["text/html", "application/json", ""])
def test_a_refusal_that_is_no_problem_document_is_misbehaviour(http: httpx.Client, kind: str) -> None:
    assert "problem document" in misbehaviour(raw("404 Not Found", b"<h1>404</h1>", kind=kind), http)


def test_html_instead_of_json_is_misbehaviour(http: httpx.Client) -> None:
    assert "other than JSON" in misbehaviour(raw("200 OK", b"<html>log in</html>", kind="text/html"), http)


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"a": NaN}', b"[" * 200_000, b"9" * 100_000, b'{"a": 1} x'])
def test_what_claims_to_be_json_and_is_not_is_misbehaviour(http: httpx.Client, body: bytes) -> None:
    assert "not the JSON" in misbehaviour(raw("200 OK", body), http)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_never_followed(status: str) -> None:
    with RawServer(lambda connection: connection.sendall(raw("200 OK", b"{}"))) as elsewhere:
        answer = raw(status, Location=elsewhere.url + "/v1/thing")
        with httpx.Client(follow_redirects=True) as eager:
            assert "redirects are never followed" in misbehaviour(answer, eager)
        assert elsewhere.requests == []


def test_an_enormous_answer_is_cut_off(http: httpx.Client) -> None:
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
        while sent < 100_000_000:
            sent += connection.send(b" " * 65536)

    with (
        talking_to(flood, http, max_answer_bytes=100_000) as (transport, _),
        pytest.raises(EvaluatorMisbehavedError, match="larger than 100,000 bytes"),
    ):
        transport.request("GET", "/")
    assert sent < 50_000_000


def test_a_compressed_answer_is_not_unpacked(http: httpx.Client) -> None:
    assert "compressed" in misbehaviour(raw("200 OK", b"\x1f\x8b", Content_Encoding="gzip"), http)


def test_a_silent_socket_is_given_up(http: httpx.Client) -> None:
    http.timeout = httpx.Timeout(0.2)
    with (
        talking_to(lambda connection: time.sleep(2), http) as (transport, _),
        pytest.raises(UnavailableError) as caught,
    ):
        transport.request("POST", "/")
    assert (caught.value.party, caught.value.why) == ("keyholder-1", "it did not answer in time")


def test_an_answer_that_drips_is_given_up(http: httpx.Client) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            connection.sendall(b" ")
            time.sleep(0.05)

    began = time.monotonic()
    with (
        talking_to(drip, http, deadline_seconds=0.3) as (transport, _),
        pytest.raises(UnavailableError, match="did not answer in time"),
    ):
        transport.request("POST", "/")
    assert time.monotonic() - began < 3


def test_an_answer_that_breaks_off_is_unavailable(http: httpx.Client) -> None:
    cut = raw("200 OK", b'{"a": 1}')[:-3]
    with talking_to(cut, http) as (transport, _), pytest.raises(UnavailableError, match="broke off"):
        transport.request("POST", "/")


def test_something_other_than_http_is_unavailable(http: httpx.Client) -> None:
    with talking_to(b"SSH-2.0-OpenSSH\r\n", http) as (transport, _), pytest.raises(UnavailableError):
        transport.request("POST", "/")


def test_a_party_that_is_down_is_unavailable_by_name(http: httpx.Client) -> None:
    transport = Transport(f"http://127.0.0.1:{free_port()}", party="keyholder-2", http=http, pauses=(0.0,))
    with pytest.raises(UnavailableError) as caught:
        transport.request("GET", "/")
    assert caught.value.party == "keyholder-2"


@pytest.mark.parametrize("status", ["502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"])
def test_a_proxy_that_cannot_reach_the_party_means_unavailable(http: httpx.Client, status: str) -> None:
    answer = raw(status, b"<html>", kind="text/html", Retry_After="3")
    with talking_to(answer, http) as (transport, _), pytest.raises(UnavailableError) as caught:
        transport.request("POST", "/")
    assert caught.value.retry_after == 3


def test_a_party_that_says_unavailable_is_unavailable(http: httpx.Client) -> None:
    body = json.dumps({"type": "/problems/unavailable", "status": 503, "detail": "the database is away"}).encode()
    answer = raw("503 Service Unavailable", body, kind="application/problem+json", Retry_After="5")
    with talking_to(answer, http) as (transport, _), pytest.raises(UnavailableError) as caught:
        transport.request("POST", "/")
    assert (caught.value.why, caught.value.retry_after) == ("the database is away", 5)


@pytest.mark.parametrize(
    ("method", "idempotent", "attempts"), [("GET", False, 3), ("POST", True, 3), ("POST", False, 1), ("PUT", False, 1)]
)
def test_only_what_may_be_repeated_is_repeated(
    http: httpx.Client, method: str, idempotent: bool, attempts: int
) -> None:
    answer = raw("503 Service Unavailable", b"", kind="text/plain")
    with talking_to(answer, http) as (transport, server):
        with pytest.raises(UnavailableError):
            transport.request(method, "/", json_content={"same": "body"}, idempotent=idempotent)
        assert len(server.requests) == attempts
        assert len({request.partition(b"\r\n\r\n")[2] for request in server.requests}) == 1


@pytest.mark.parametrize("status", ["400 Bad Request", "429 Too Many Requests"])
def test_a_refusal_is_never_repeated(http: httpx.Client, status: str) -> None:
    answer = raw(status, json.dumps(PROBLEM).encode(), kind="application/problem+json")
    with talking_to(answer, http) as (transport, server):
        with pytest.raises(ProblemError):
            transport.request("GET", "/")
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "url",
    ["https://registry.example", "http://127.0.0.1:8000", "http://localhost", "http://[::1]:9", "http://127.8.9.1"],
)
def test_https_and_loopback_are_safe(url: str) -> None:
    assert is_safe_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://registry.example",
        "http://10.0.0.1",
        "http://localhost.evil.example",
        "http://0.0.0.0",
        "http://127.0.0.1.evil.example",
        "http://user@127.0.0.1",
        "https://user:secret@registry.example",
        "https://registry.example?x",
        "https://registry.example#x",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "//registry.example",
        "https://",
        "",
    ],
)
def test_every_other_address_is_refused_and_named(http: httpx.Client, url: str) -> None:
    assert not is_safe_url(url)
    with pytest.raises(RegistryMisbehavedError, match="HTTPS"):
        Transport(url, party="registry", http=http)


def test_nothing_that_is_sent_or_received_is_logged(http: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with talking_to(raw("200 OK", b'{"answer": "SECRET-1"}'), http, bearer=lambda: "SECRET-2") as (transport, _):
        transport.request("POST", "/", json_content={"question": "SECRET-3"})
    with talking_to(raw("200 OK", b"SECRET-4"), http) as (transport, _), pytest.raises(MisbehavedError) as caught:
        transport.request("POST", "/", json_content={"question": "SECRET-5"})
    assert "SECRET" not in caplog.text
    assert "SECRET" not in str(caught.value)
