"""Under gunicorn, even what never reaches the application is answered with problem details that repeat nothing."""

import contextlib
import json
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Iterator

import httpx
import pytest
from flask import Flask, Response, request

from screening.api.server import run_server
from tests.servers import free_port

CANARY = "canary-7b1d"


def make_small_app() -> Flask:
    app = Flask(__name__, static_folder=None)

    @app.post("/echo")
    def echo() -> Response:
        return Response(request.get_data(), mimetype="application/octet-stream")

    return app


def serve(port: int, log: str) -> None:
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    run_server(make_small_app, f"127.0.0.1:{port}", workers=1, threads=2)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("server") / "log")


@pytest.fixture(scope="module")
def port(log: str) -> Iterator[int]:
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(port, log))
    process.start()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            break
        time.sleep(0.05)
    yield port
    assert process.pid is not None
    os.kill(process.pid, signal.SIGTERM)
    process.join(timeout=20)
    assert process.exitcode == 0


def exchange(port: int, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(sent)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                received += part
        return received


@pytest.mark.parametrize(
    ("sent", "status", "slug"),
    [
        (f"{CANARY}\r\n\r\n".encode(), 400, "malformed-request"),
        (f"GET / {CANARY}\r\n\r\n".encode(), 400, "malformed-request"),
        (f"G@T{CANARY} / HTTP/1.1\r\n\r\n".encode(), 400, "malformed-request"),
        (f"GET / HTTP/1.1\r\n{CANARY} : x\r\n\r\n".encode(), 400, "malformed-request"),
        (f"GET / HTTP/1.1\r\nX: a\r\n {CANARY}\r\n\r\n".encode(), 400, "malformed-request"),
        (f"POST / HTTP/1.1\r\nTransfer-Encoding: {CANARY}\r\n\r\n".encode(), 400, "malformed-request"),
        (f"POST / HTTP/1.1\r\nContent-Length: {CANARY}\r\n\r\n".encode(), 400, "malformed-request"),
        (f"GET /{CANARY * 500} HTTP/1.1\r\n\r\n".encode(), 413, "too-large"),
        (f"GET / HTTP/1.1\r\nX: {CANARY * 500}\r\n\r\n".encode(), 413, "too-large"),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"X%d: y\r\n" % i for i in range(99)) + b"\r\n", 413, "too-large"),
    ],
)
def test_a_broken_request_gets_a_problem_and_leaves_nothing_of_it(
    port: int, log: str, sent: bytes, status: int, slug: str
) -> None:
    received = exchange(port, sent)
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"Content-Type: application/problem+json" in head
    problem = json.loads(body)
    assert (problem["type"], problem["status"]) == (f"/problems/{slug}", status)
    assert CANARY.encode() not in received
    with open(log, "rb") as lines:
        assert CANARY.encode() not in lines.read()


def test_a_good_request_is_served(port: int) -> None:
    assert httpx.post(f"http://127.0.0.1:{port}/echo", content=b"body").content == b"body"


def test_the_server_does_not_say_which_version_it_is(port: int) -> None:
    server = httpx.get(f"http://127.0.0.1:{port}/").headers.get("Server", "")
    assert not any(character.isdigit() for character in server)
