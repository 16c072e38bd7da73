"""How an endpoint is written: a plain function from a `Call` to an `Answer`, registered with what it takes and gives.

```python
blueprint = Blueprint("records", __name__, url_prefix="/v1", description="...")

@blueprint.operation("/records/<uuid:record>/submit", "POST", answer=answers.RecordAct, if_match=True)
def submit(call: Call, *, record: UUID) -> Answer: ...
```

The registration alone feeds routing, validation and the OpenAPI document; who may call it stands in `POLICY`. The
function never sees a request: `screening.api.gate` authenticates, validates and opens the unit in which it runs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar

import flask_smorest  # type: ignore[import-untyped] # it publishes no types
import marshmallow as ma
from flask import Response

from screening.api.openapi import describe, describe_plain
from screening.api.policy_table import POLICY, Method
from screening.registry.unit import Unit, Units

DEFAULT_BODY_BYTES = 64 * 1024

Function = TypeVar("Function", bound=Callable[..., "Answer"])
Prepare = Callable[[Units, Mapping[str, Any]], Any]
"""From what opens reading units, and the body, to `Call.prepared`. Writes nothing; the view checks anew what it saw."""
View = TypeVar("View", bound=Callable[..., Response])


@dataclass(frozen=True, slots=True)
class Call:
    """One request, authenticated and validated.

    Args:
        unit: The transaction; its actor is who is logged in.
        body: The body as its schema loaded it; empty where none is taken.
        query: The query as its schema loaded it; empty where none is taken.
        revision: From `If-Match`; 0 where none is taken.
        prepared: What the operation's `prepare` gave; None where it has none.
    """

    unit: Unit
    body: Mapping[str, Any]
    query: Mapping[str, Any]
    revision: int
    prepared: Any = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered once the unit has committed.

    Args:
        body: JSON object.
        revision: For the `ETag`, where there is one.
        headers: Further headers.
    """

    body: Mapping[str, Any]
    revision: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """A registered endpoint. Flask holds it as the view, but only the gate can run it.

    Args:
        function: What the endpoint does.
        body: Schema of the body; None if none is taken.
        query: Schema of the query.
        status: HTTP status of success.
        if_match: Whether `If-Match` is needed.
        body_limit: Most bytes of the body.
        prepare: What takes long and is done before the unit is opened.
    """

    function: Callable[..., Answer]
    body: ma.Schema | None
    query: ma.Schema
    status: int
    if_match: bool
    body_limit: int
    prepare: Prepare | None = None

    def __call__(self, **_path: object) -> NoReturn:
        """Refuses to run outside the gate."""
        raise RuntimeError("this application was not sealed")


class NoQuery(ma.Schema):
    """Nothing."""

    class Meta:
        """Marshmallow's options."""

        unknown = ma.RAISE


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc] # its base is untyped
    """A group of operations."""

    def operation(
        self,
        path: str,
        method: Method,
        *,
        answer: type[ma.Schema],
        body: type[ma.Schema] | None = None,
        query: type[ma.Schema] = NoQuery,
        status: HTTPStatus = HTTPStatus.OK,
        if_match: bool = False,
        etag: bool = False,
        body_limit: int = DEFAULT_BODY_BYTES,
        prepare: Prepare | None = None,
    ) -> Callable[[Function], Function]:
        """Registers a function as an endpoint; its name is the endpoint's.

        Args:
            path: Flask's rule below the blueprint's prefix.
            method: HTTP method.
            answer: Schema of the answer, for the documentation.
            body: Schema of the body.
            query: Schema of the query.
            status: HTTP status of success.
            if_match: Whether `If-Match` is needed.
            etag: Whether the answer has an `ETag`.
            body_limit: Most bytes of the body.
            prepare: What takes long and is done before the unit is opened.

        Returns:
            A decorator that gives the function back as it was.

        Raises:
            KeyError: The endpoint is not in `POLICY`.
        """

        def register(function: Function) -> Function:
            endpoint = f"{self.name}.{function.__name__}"
            rule = POLICY[(endpoint, method)]
            operation = Operation(
                function,
                body() if body else None,
                query(),
                int(status),
                if_match=if_match,
                body_limit=body_limit,
                prepare=prepare,
            )
            operation.__dict__["_apidoc"] = describe(
                endpoint, rule, body=body, query=query, answer=answer, status=int(status), if_match=if_match, etag=etag
            )
            operation.__dict__["__doc__"] = function.__doc__
            self.add_url_rule(path, function.__name__, operation, methods=[method])
            return function

        return register

    def plain(  # each argument is one fact of the endpoint, always named
        self,
        path: str,
        method: Method,
        *,
        answer: type[ma.Schema] | dict[str, Any],
        content_type: str | None = None,
        body: dict[str, Any] | None = None,
    ) -> Callable[[View], View]:
        """Registers a view of Flask's own kind, for what needs no session and opens no unit of the registry's.

        Args:
            path: Flask's rule below the blueprint's prefix.
            method: HTTP method.
            answer: Schema of the answer, for the documentation.
            content_type: Of the answer, where it is not JSON.
            body: OpenAPI's request body.

        Returns:
            A decorator that gives the function back as it was.

        Raises:
            KeyError: The endpoint is not in `POLICY`.
        """

        def register(view: View) -> View:
            endpoint = f"{self.name}.{view.__name__}"
            rule = POLICY[(endpoint, method)]
            documented = describe_plain(endpoint, rule, answer=answer, content_type=content_type, body=body)
            view.__dict__["_apidoc"] = documented
            self.add_url_rule(path, view.__name__, view, methods=[method])
            return view

        return register
