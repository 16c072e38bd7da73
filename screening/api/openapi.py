"""The OpenAPI 3.1 document: flask-smorest's, with our problem details, and what `POLICY` says of each endpoint."""

from typing import Any

import flask_smorest  # type: ignore[import-untyped] # it publishes no types
import marshmallow as ma
from flask import Flask
from marshmallow import fields

from screening.api.policy_table import Access, Permission, Repeat, Rule
from screening.api.problems import MEDIA_TYPE

VERSION = "1.0.0"
IDEMPOTENCY_KEY_PATTERN = "^[A-Za-z0-9_-]{1,128}$"
ETAG_PATTERN = '^"[0-9]{1,18}"$'

DESCRIPTION = """\
The registry's API. Names never arrive here: organisations send tokens and sealed boxes.

Errors are `application/problem+json` (RFC 9457) with a stable `type` that is the address of its explanation; nothing
that was submitted comes back in them. Times are RFC 3339 in UTC, bytes are base64url without padding, ids are UUIDs in
canonical text. Bodies are strict JSON of at most 16 levels: unknown fields and duplicate keys are refused. Lists come
in pages: pass `next` as `cursor`. A request repeated with its `Idempotency-Key` gets the first one's answer, for as
long as the policy `idempotency_days` says; a key used again for something else is refused. A request that was refused
leaves its key free. What can be changed has an `ETag`; send it as `If-Match`.
"""

EVALUATION_REQUEST: dict[str, Any] = {
    "required": True,
    "description": "An `evaluation-request` statement, signed by the organisation.",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "body": {"type": "object"},
                    "signatures": {"type": "array", "items": {"type": "object"}},
                },
                "required": ["body", "signatures"],
                "additionalProperties": False,
            }
        }
    },
}


class ProblemSchema(ma.Schema):
    """Problem details (RFC 9457)."""

    type = fields.String(required=True, metadata={"description": "address of the explanation; stable"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String(required=True, metadata={"description": "urn:uuid: of this request"})
    errors = fields.Dict(
        keys=fields.String(), values=fields.List(fields.String()), metadata={"description": "messages by field"}
    )


class Api(flask_smorest.Api):  # type: ignore[misc] # its base is untyped
    """flask-smorest's documentation without its error handling, which is ours."""

    DEFAULT_ERROR_RESPONSE_NAME = "Problem"

    def _register_error_handlers(self) -> None:
        """Leaves errors to `screening.api.errors`."""

    def _register_responses(self) -> None:
        self.spec.components.response(
            "Problem",
            {"description": "Problem details", "content": {MEDIA_TYPE: {"schema": ProblemSchema}}},
        )


def create_api(app: Flask) -> Api:
    """Makes the document that blueprints are then registered with.

    Args:
        app: The application.
    """
    app.config.update(API_TITLE="Screening registry", API_VERSION=VERSION, OPENAPI_VERSION="3.1.0")
    api = Api(
        app,
        spec_kwargs={
            "info": {"description": DESCRIPTION, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
            "servers": [{"url": "/"}],
        },
    )
    api.ma_plugin.converter.add_attribute_function(_own_json_schema)
    api.spec.components.security_scheme("session", {"type": "http", "scheme": "bearer"})
    return api


def describe(
    endpoint: str,
    rule: Rule,
    *,
    body: type[ma.Schema] | None,
    query: type[ma.Schema],
    answer: type[ma.Schema],
    status: int,
    if_match: bool,
    etag: bool,
) -> dict[str, Any]:
    """What flask-smorest should document of an operation.

    Args:
        endpoint: Its name.
        rule: Its rule in `POLICY`.
        body: Schema of the body.
        query: Schema of the query.
        answer: Schema of the answer.
        status: HTTP status of success.
        if_match: Whether `If-Match` is needed.
        etag: Whether the answer has an `ETag`.
    """
    parameters: list[dict[str, Any]] = [{"in": "query", "schema": query}]
    if body is not None:
        parameters.append({"in": "json", "required": True, "schema": body})
    if rule.repeat is not Repeat.NEVER:
        parameters.append(_header("Idempotency-Key", IDEMPOTENCY_KEY_PATTERN, required=rule.repeat is Repeat.REQUIRED))
    if if_match:
        parameters.append(_header("If-Match", ETAG_PATTERN, required=True))
    response: dict[str, Any] = {"description": "Done", "schema": answer, "content_type": None}
    if etag:
        response["headers"] = {"ETag": {"schema": {"type": "string"}, "required": True}}
    manual: dict[str, Any] = {"operationId": endpoint, "x-needs": rule.access.value}
    if isinstance(rule.access, Permission) or rule.access is Access.ANY_SESSION:
        manual["security"] = [{"session": []}]
    if rule.tags:
        manual["x-event"] = sorted(rule.tags)
    return {
        "arguments": {"parameters": parameters},
        "response": {"responses": {status: [response]}},
        "manual_doc": manual,
    }


def describe_plain(
    endpoint: str,
    rule: Rule,
    *,
    answer: type[ma.Schema] | dict[str, Any],
    content_type: str | None,
    body: dict[str, Any] | None,
) -> dict[str, Any]:
    """What flask-smorest should document of a view of Flask's own kind.

    Args:
        endpoint: Its name.
        rule: Its rule in `POLICY`.
        answer: Schema of the answer.
        content_type: Of the answer, where it is not JSON.
        body: OpenAPI's request body.
    """
    manual: dict[str, Any] = {"operationId": endpoint, "x-needs": rule.access.value}
    if rule.tags:
        manual["x-event"] = sorted(rule.tags)
    if body is not None:
        manual["requestBody"] = body
    response = {"description": "Done", "schema": answer, "content_type": content_type}
    return {"response": {"responses": {200: [response]}}, "manual_doc": manual}


def _header(name: str, pattern: str, *, required: bool) -> dict[str, Any]:
    return {"in": "header", "name": name, "required": required, "schema": {"type": "string", "pattern": pattern}}


def _own_json_schema(self: object, field: fields.Field[Any], **_kwargs: object) -> dict[str, Any]:
    return dict(getattr(field, "json_schema", {}))
