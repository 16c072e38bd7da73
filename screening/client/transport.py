"""HTTP to one party, with nothing taken on trust.

`Transport` speaks to the registry, or to one evaluator. It holds to these rules:

- HTTPS, or plain HTTP on the loopback interface; a redirect is never followed, as it could lead elsewhere.
- An answer is JSON of at most `MAX_ANSWER_BYTES`, complete within `DEADLINE_SECONDS`, however slowly it drips in.
- A refusal in RFC 9457's form is a `ProblemError`; a party that cannot be reached, or that says so, an
  `UnavailableError` that names it; anything else that is not what was promised, a `MisbehavedError` that names it.
- Only what may be repeated is tried again: GET and HEAD, and what the caller marks as idempotent (an
  `Idempotency-Key`, or an evaluation, which is charged once however often it is sent).
- Nothing that is sent or received is logged.
"""

import email.utils
import functools
import ipaddress
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from screening.client.errors import (
    EvaluatorMisbehavedError,
    MisbehavedError,
    ProblemError,
    RegistryMisbehavedError,
    UnavailableError,
)

MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 30.0
DEADLINE_SECONDS: Final = 60.0
RETRY_PAUSES: Final = (0.1, 0.4)
"""Seconds to wait before the second and the third attempt."""

_PROBLEM_PREFIX = "/problems/"
_LOOPBACK_PATTERNS = ("all://localhost", "all://127.0.0.1", "all://[::1]")


@dataclass(frozen=True)
class Answer:
    """What a server answered to a request that it carried out.

    Attributes:
        status: The HTTP status, 200 to 299.
        headers: The headers; names in lower case.
        content: The parsed JSON, None where the body is empty.
    """

    status: int
    headers: Mapping[str, str]
    content: Any


def is_safe_url(url: str) -> bool:
    """Says whether an address is HTTPS, or plain HTTP on loopback, without user, query or fragment."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        return False
    if not parsed.host or parsed.userinfo or parsed.query or parsed.fragment:
        return False
    if parsed.scheme == "https":
        return True
    if parsed.scheme != "http":
        return False
    try:
        return parsed.host == "localhost" or ipaddress.ip_address(parsed.host.strip("[]")).is_loopback
    except ValueError:
        return False


@functools.cache
def _tls() -> ssl.SSLContext:
    """Made once a process: reading all root certificates takes long."""
    return httpx.create_ssl_context()


def make_http() -> httpx.Client:
    """Makes the HTTP client that all transports of one process share; it is safe to use from several threads.

    A proxy from the environment is used for other machines, never for loopback.
    """
    tls = _tls()
    direct = httpx.HTTPTransport(verify=tls)
    return httpx.Client(
        verify=tls,
        follow_redirects=False,
        timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        mounts=dict.fromkeys(_LOOPBACK_PATTERNS, direct),
    )


class Transport:
    """Requests to one party.

    Args:
        url: The party's base URL, from the pinned trust file.
        party: Its name in errors: `registry` or a keyholder's id.
        http: The shared HTTP client, from `make_http`.
        evaluator: Whether misbehaviour is to be told as an evaluator's (`EvaluatorMisbehavedError`).
        bearer: Gives the session's token for requests that need one, or None.
        max_answer_bytes: The largest answer to read.
        deadline_seconds: The longest time for one attempt.
        pauses: Seconds before each further attempt.

    Raises:
        RegistryMisbehavedError, EvaluatorMisbehavedError: The URL is neither HTTPS nor on loopback.
    """

    def __init__(
        self,
        url: str,
        *,
        party: str,
        http: httpx.Client,
        evaluator: bool = False,
        bearer: Callable[[], str] | None = None,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        deadline_seconds: float = DEADLINE_SECONDS,
        pauses: tuple[float, ...] = RETRY_PAUSES,
    ) -> None:
        self.party = party
        self._evaluator = evaluator
        if not is_safe_url(url):
            raise self.misbehaved("its address is neither HTTPS nor on this machine")
        self._url = url.rstrip("/")
        self._http = http
        self._bearer = bearer
        self._max_answer_bytes = max_answer_bytes
        self._deadline_seconds = deadline_seconds
        self._pauses = pauses

    def misbehaved(self, what: str) -> MisbehavedError:
        """Makes the error that says what this party did wrong."""
        return EvaluatorMisbehavedError(self.party, what) if self._evaluator else RegistryMisbehavedError(what)

    def request(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        json_content: object = None,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        idempotent: bool = False,
    ) -> Answer:
        """Sends a request and reads the answer.

        Args:
            method: `GET`, `POST`, ...
            path: Begins with `/`.
            content: The body as bytes that are JSON already.
            json_content: The body as an object, written as JSON; used when `content` is None.
            params: The query.
            headers: Further headers, such as `Idempotency-Key` or `If-Match`.
            idempotent: Whether sending it twice has the effect of sending it once. Then, and for GET and HEAD, it is
                tried again when the party does not answer.

        Returns:
            The answer, which is a success.

        Raises:
            ProblemError: The party refused.
            UnavailableError: It does not answer, or says that it cannot at present.
            MisbehavedError: It answered with something else.
        """
        if content is None and json_content is not None:
            content = json.dumps(json_content, ensure_ascii=False, separators=(",", ":")).encode()
        pauses = list(self._pauses) if idempotent or method in ("GET", "HEAD") else []
        while True:
            try:
                return self._attempt(method, path, content, params, headers)
            except UnavailableError:
                if not pauses:
                    raise
                time.sleep(pauses.pop(0))

    def _attempt(
        self,
        method: str,
        path: str,
        content: bytes | None,
        params: Mapping[str, str | int] | None,
        headers: Mapping[str, str] | None,
    ) -> Answer:
        all_headers = {"Accept": "application/json, application/problem+json", "Accept-Encoding": "identity"}
        if content is not None:
            all_headers["Content-Type"] = "application/json"
        if self._bearer is not None:
            all_headers["Authorization"] = f"Bearer {self._bearer()}"
        all_headers.update(headers or {})
        request = self._http.build_request(
            method, self._url + path, content=content, params=dict(params) if params else None, headers=all_headers
        )
        deadline = time.monotonic() + self._deadline_seconds
        try:
            response = self._http.send(request, stream=True, follow_redirects=False)
            try:
                body = self._read(response, deadline)
            finally:
                response.close()
        except httpx.TimeoutException:
            raise UnavailableError(self.party, "it did not answer in time") from None
        except httpx.RemoteProtocolError:
            raise UnavailableError(self.party, "the connection broke off before the answer was complete") from None
        except httpx.TransportError:
            raise UnavailableError(self.party) from None
        return self._judge(response, body)

    def _read(self, response: httpx.Response, deadline: float) -> bytes:
        encoding = response.headers.get("content-encoding", "identity")
        if encoding != "identity":
            raise self.misbehaved("its answer is compressed, which was not asked for")
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > self._max_answer_bytes:
                raise self.misbehaved(f"its answer is larger than {self._max_answer_bytes:,} bytes")
            if time.monotonic() > deadline:
                raise UnavailableError(self.party, "it did not answer in time")
        return bytes(body)

    def _judge(self, response: httpx.Response, body: bytes) -> Answer:
        status = response.status_code
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if status >= 400:
            raise self._refusal(response, kind, body)
        if not 200 <= status < 300:
            raise self.misbehaved(f"it answered {status}, which leads elsewhere; redirects are never followed")
        if not body:
            return Answer(status, dict(response.headers), None)
        if kind != "application/json":
            raise self.misbehaved(f"it answered {status} with something other than JSON")
        return Answer(status, dict(response.headers), self._parse(body))

    def _refusal(self, response: httpx.Response, kind: str, body: bytes) -> Exception:
        status = response.status_code
        retry_after = _seconds(response.headers.get("retry-after"))
        if kind != "application/problem+json":
            if status in (502, 503, 504):
                return UnavailableError(self.party, f"it answered {status}", retry_after=retry_after)
            return self.misbehaved(f"it answered {status} with something other than a problem document")
        problem = self._parse(body)
        kind_of_problem = problem.get("type") if isinstance(problem, dict) else None
        if not isinstance(kind_of_problem, str) or not kind_of_problem.startswith(_PROBLEM_PREFIX):
            return self.misbehaved(f"it answered {status} with a problem document of unknown form")
        slug = kind_of_problem.removeprefix(_PROBLEM_PREFIX)
        detail = problem.get("detail") or problem.get("title") or ""
        if slug == "unavailable":
            return UnavailableError(self.party, _line(detail), retry_after=retry_after)
        return ProblemError(
            _line(slug), status, _line(detail), party=self.party, errors=_errors(problem), retry_after=retry_after
        )

    def _parse(self, body: bytes) -> Any:
        try:
            return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise self.misbehaved("its answer is not the JSON that it claims to be") from None


def _refuse_constant(_name: str) -> object:
    raise ValueError("not JSON")


def _line(text: object) -> str:
    """Keeps what a server says fit for a terminal: one line, printable, of bounded length."""
    return "".join(c if c.isprintable() else " " for c in str(text))[:500]


def _errors(problem: Mapping[str, Any]) -> dict[str, list[str]]:
    errors = problem.get("errors")
    if not isinstance(errors, dict):
        return {}
    return {
        _line(field): [_line(m) for m in messages] if isinstance(messages, list) else [_line(messages)]
        for field, messages in errors.items()
    }


def _seconds(header: str | None) -> int | None:
    if header is None:
        return None
    if header.isascii() and header.isdigit():
        return int(header[:9])
    try:
        return max(0, round(email.utils.parsedate_to_datetime(header).timestamp() - time.time()))
    except ValueError:
        return None
