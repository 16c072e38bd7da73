"""The one way to a view: authenticate, permission, validation, idempotency, the view in one unit, its event, commit.

What takes long, hashing a password, is done before the unit is opened (`Operation.prepare`).

`seal` compares the application's routes with `POLICY` and puts this gate before every view. What the view does and its
event are one transaction; where the event is missing, or another one was written, everything is rolled back. So there
is no act and no disclosure without its event: no audit, no answer.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, cast

import marshmallow as ma
from flask import Flask, Response, g, request

from screening.api import strictjson
from screening.api.bodies import read_body, require_json
from screening.api.openapi import ETAG_PATTERN, IDEMPOTENCY_KEY_PATTERN
from screening.api.operations import Answer, Call, Operation
from screening.api.policy_table import POLICY, SAFE_METHODS, Method, Repeat, Rule, is_allowed
from screening.api.problems import ProblemError
from screening.api.runtime import Registry
from screening.api.validation import safe_errors
from screening.registry import idempotency, sessions
from screening.registry.unit import Actor, Unit, open_unit

MAX_TOKEN_CHARACTERS = 128

_IDEMPOTENCY_KEY = re.compile(IDEMPOTENCY_KEY_PATTERN.removesuffix("$") + r"\Z", re.ASCII)
_ETAG = re.compile(ETAG_PATTERN.removesuffix("$") + r"\Z", re.ASCII)


class UnsealedError(Exception):
    """The routes and `POLICY` differ, or a rule is not acceptable: the application must not start."""


class EventMissingError(Exception):
    """A view ended without its rule's event, or with another one: everything is rolled back."""


class Gate:
    """Runs operations.

    Args:
        registry: What the process has open and knows.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def run(self, endpoint: str, rule: Rule, operation: Operation, path: Mapping[str, Any]) -> Response:
        """Answers the current request.

        Args:
            endpoint: The operation's name.
            rule: Its rule for the request's method.
            operation: What to run.
            path: Arguments from the address.

        Returns:
            The response, after its unit has committed.

        Raises:
            ProblemError: The request cannot be carried out.
            RegistryError: A service refused it.
            EventMissingError: The view did not record what its rule says.
        """
        actor = self._authenticate(rule) if rule.needs_session else None
        key = _idempotency_key(rule)
        body, query, revision = _body(operation), _load(operation.query, _query()), _revision(operation)
        prepared = None if operation.prepare is None else operation.prepare(self._reading, body)
        unnoted = actor is not None and actor.use_unnoted
        writes = bool(rule.tags) or unnoted
        with open_unit(
            self._registry.sessions, self._registry.context(), self._registry.clock, actor, write=writes
        ) as unit:
            if unnoted:
                sessions.note_use(unit)
            call = Call(unit, body, query, revision, prepared)
            if key is None:
                answer = self._act(rule, operation, call, path)
            else:
                answer = self._act_once(endpoint, key, rule, operation, call, path)
        return _respond(operation.status, answer)

    def _authenticate(self, rule: Rule) -> Actor:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token or len(token) > MAX_TOKEN_CHARACTERS or not token.isascii():
            raise ProblemError("unauthenticated")
        with self._reading() as unit:
            actor = sessions.authenticate(unit.session, token, self._registry.clock)
        g.actor = actor
        if not is_allowed(rule, actor.roles):
            raise ProblemError("forbidden")
        return actor

    def _reading(self) -> AbstractContextManager[Unit]:
        return open_unit(self._registry.sessions, self._registry.context(), self._registry.clock, write=False)

    def _act(self, rule: Rule, operation: Operation, call: Call, path: Mapping[str, Any]) -> Answer:
        answer = operation.function(call, **path)
        check_events(rule, call.unit.recorded)
        return answer

    def _act_once(
        self, endpoint: str, key: str, rule: Rule, operation: Operation, call: Call, path: Mapping[str, Any]
    ) -> Answer:
        digest = _request_digest()
        kept = idempotency.claim_key(call.unit, endpoint=endpoint, key=key, body_digest=digest)
        if kept is not None:
            return Answer(kept.answer["body"], kept.answer["revision"])
        answer = self._act(rule, operation, call, path)
        idempotency.keep_answer(
            call.unit,
            endpoint=endpoint,
            key=key,
            status=operation.status,
            answer={"body": answer.body, "revision": answer.revision},
        )
        return answer


def seal(app: Flask, gate: Gate) -> None:
    """Puts the gate before every view, and refuses an application whose routes are not those of `POLICY`.

    Args:
        app: With all its blueprints registered; nothing may be added afterwards.
        gate: Runs the operations.

    Raises:
        UnsealedError: A route has no rule, a rule has no route, or a rule is not acceptable.
    """
    _check_routes(app)
    for key, rule in POLICY.items():
        _check_rule(key, rule, app.view_functions[key[0]])
    for endpoint, view in app.view_functions.items():
        app.view_functions[endpoint] = _guarded(endpoint, view, gate)


def check_events(rule: Rule, recorded: Sequence[str]) -> None:
    """Holds what was recorded against a rule.

    Args:
        rule: Of the endpoint and method.
        recorded: Tags of the events of this request.

    Raises:
        EventMissingError: None of the rule's was recorded, or another one was, or different ones.
    """
    tags = set(recorded)
    if rule.tags:
        if len(tags) != 1 or not tags <= rule.tags:
            raise EventMissingError("the rule's event was not recorded, or not only that")
    elif tags:
        raise EventMissingError("an event was recorded that the rule does not name")


def _check_routes(app: Flask) -> None:
    routes = set()
    for route in app.url_map.iter_rules():
        methods = set(route.methods or ())
        if "HEAD" in methods and "GET" not in methods:
            raise UnsealedError(f"{route.endpoint} answers HEAD without GET")
        routes |= {(route.endpoint, method) for method in methods - {"HEAD"}}
    if routes != set(POLICY):
        raise UnsealedError(f"in only one of routes and POLICY: {sorted(routes ^ set(POLICY))}")


def _check_rule(key: tuple[str, Method], rule: Rule, view: object) -> None:
    if key[1] not in SAFE_METHODS and not rule.tags:
        raise UnsealedError(f"{key} changes something and names no event")
    if rule.repeat is not Repeat.NEVER and (key[1] in SAFE_METHODS or not rule.needs_session):
        raise UnsealedError(f"{key} cannot be idempotent by key: it is safe, or nobody is logged in")
    if not isinstance(view, Operation) and rule.needs_session:
        raise UnsealedError(f"{key} needs a session, but its view does not pass through the gate")


def _guarded(endpoint: str, view: Callable[..., Any], gate: Gate) -> Callable[..., Any]:
    def guarded(**path: Any) -> Any:
        rule = POLICY[(endpoint, "GET" if request.method == "HEAD" else cast("Method", request.method))]
        if isinstance(view, Operation):
            return gate.run(endpoint, rule, view, path)
        response = view(**path)
        check_events(rule, g.get("recorded_elsewhere", ()))
        return response

    return guarded


def _idempotency_key(rule: Rule) -> str | None:
    if rule.repeat is Repeat.NEVER:
        return None
    key = request.headers.get("Idempotency-Key")
    if key is None:
        if rule.repeat is Repeat.REQUIRED:
            raise ProblemError("idempotency-key-missing")
        return None
    if not _IDEMPOTENCY_KEY.match(key):
        message = "Must be 1 to 128 letters, digits, '-' or '_'."
        raise ProblemError("validation-failed", errors={"Idempotency-Key": [message]})
    return key


def _revision(operation: Operation) -> int:
    if not operation.if_match:
        return 0
    tag = request.headers.get("If-Match")
    if tag is None:
        raise ProblemError("precondition-required")
    if not _ETAG.match(tag):
        raise ProblemError("precondition-failed")  # not one of ours, so nothing has it
    return int(tag[1:-1])


def _body(operation: Operation) -> Mapping[str, Any]:
    data = read_body(operation.body_limit)
    if operation.body is None:
        if data not in (b"", b"{}"):
            raise ProblemError("malformed-request", "This address takes no body.")
        return {}
    require_json()
    try:
        document = strictjson.loads(data)
    except strictjson.StrictJsonError as error:
        raise ProblemError("malformed-request", str(error)) from None
    return _load(operation.body, document)


def _query() -> Mapping[str, Any]:
    if not request.query_string:
        return {}
    if any(len(values) > 1 for _, values in request.args.lists()):
        raise ProblemError("malformed-request", "The query names the same thing twice.")
    return request.args.to_dict()


def _load(schema: ma.Schema, document: Any) -> Mapping[str, Any]:
    try:
        loaded: Mapping[str, Any] = schema.load(document)
    except ma.ValidationError as error:
        raise ProblemError("validation-failed", errors=safe_errors(error.messages, schema)) from None
    return loaded


def _request_digest() -> bytes:
    parts = (request.path.encode(), request.headers.get("If-Match", "").encode(), request.get_data())
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()


def _respond(status: int, answer: Answer) -> Response:
    body = json.dumps(answer.body, separators=(",", ":"), ensure_ascii=False)
    response = Response(body, status, answer.headers, mimetype="application/json")
    if answer.revision is not None:
        response.headers["ETag"] = f'"{answer.revision}"'
    return response
