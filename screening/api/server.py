"""Runs the application under gunicorn: some processes with some threads each.

Even a request that is too broken to reach the application is answered with problem details.
"""

import socket
from collections.abc import Callable
from typing import Any

import structlog
from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped] # none published
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException  # type: ignore[import-untyped] # none published
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped] # none published

from screening.api.problems import MEDIA_TYPE, ProblemError
from screening.crypto.identifiers import uuid7

GRACEFUL_SECONDS = 30
REQUEST_SECONDS = 60

_log = structlog.get_logger("screening.api")


class ProblemWorker(ThreadWorker):  # type: ignore[misc] # gunicorn's classes are untyped
    """gunicorn's threaded worker, which neither answers nor logs what a malformed request held."""

    def handle_error(self, req: object, client: socket.socket, addr: object, exc: Exception) -> None:
        """Answers a request that could not be read.

        Args:
            req: Not used.
            client: Where to answer.
            addr: Not used.
            exc: Why it could not be read.
        """
        if isinstance(exc, (LimitRequestLine, LimitRequestHeaders)):
            problem = ProblemError("too-large")
        elif isinstance(exc, ParseException):
            problem = ProblemError("malformed-request")
        else:
            problem = ProblemError("internal")
        request_id = str(uuid7())
        _log.warning("unreadable", problem=problem.kind.slug, error=type(exc).__name__, request_id=request_id)
        body = problem.body(request_id)
        head = (
            f"HTTP/1.1 {problem.kind.status} Refused\r\nConnection: close\r\nContent-Type: {MEDIA_TYPE}\r\n"
            f"Content-Length: {len(body)}\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n\r\n"
        )
        try:
            client.sendall(head.encode("ascii") + body)
        except OSError:
            _log.info("gone", request_id=request_id)


class _Server(BaseApplication):  # type: ignore[misc] # gunicorn's classes are untyped
    def __init__(self, app_factory: Callable[[], Flask], options: dict[str, Any]) -> None:
        self._app_factory = app_factory
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._app_factory()


def run_server(app_factory: Callable[[], Flask], bind: str, workers: int = 2, threads: int = 8) -> None:
    """Serves until the process is told to end; finishes what was begun.

    Args:
        app_factory: Makes the application, once in each worker process.
        bind: `host:port`, or `unix:path`.
        workers: Processes.
        threads: Threads in each.
    """
    _Server(
        app_factory,
        {
            "bind": bind,
            "workers": workers,
            "threads": threads,
            "worker_class": ProblemWorker,
            "timeout": REQUEST_SECONDS,
            "graceful_timeout": GRACEFUL_SECONDS,
            "control_socket_disable": True,
            "loglevel": "warning",
            "limit_request_line": 2048,
            "limit_request_fields": 64,
            "limit_request_field_size": 4096,
        },
    ).run()
