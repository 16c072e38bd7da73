"""Request ids, the request log, and the headers that every response has.

A log line says who asked for which kind of thing and how it ended. It never has a body, a query, a header or the
address itself: only the route's template.
"""

import time

import structlog
from flask import Flask, Response, g, request

from screening.crypto.identifiers import uuid7

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every response; a page that needs a wider content policy sets its own."""

_log = structlog.get_logger("screening.api")


def register_request_log(app: Flask) -> None:
    """Gives every request an id, every response its headers, and the log its line.

    Args:
        app: The application.
    """
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.request_id = str(uuid7())
    g.began = time.perf_counter()


def _end(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-Id"] = g.request_id
    actor = g.get("actor")
    _log.info(
        "request",
        method=request.method if request.url_rule else None,
        route=request.url_rule.rule if request.url_rule else None,
        status=response.status_code,
        problem=g.get("problem"),
        milliseconds=round((time.perf_counter() - g.began) * 1000, 2),
        request_id=g.request_id,
        actor=str(actor.person) if actor else None,
        organisation=str(actor.organisation) if actor else None,
    )
    return response
