"""Holds answers to the OpenAPI document, closed: what it does not name must not be there."""

from typing import Any

from jsonschema_rs import Draft202012Validator
from werkzeug.test import TestResponse

from tests.api.harness import Api


def check_answer(api: Api, endpoint: str, response: TestResponse) -> None:
    """Checks a successful JSON answer against its endpoint's schema."""
    document = api.http.get("/v1/openapi.json").get_json()
    operation = next(
        operation
        for item in document["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict) and operation["operationId"] == endpoint
    )
    answer = operation["responses"][str(response.status_code)]
    media = answer["content"][response.mimetype]
    for header, described in answer.get("headers", {}).items():
        assert header in response.headers, described
    if response.mimetype == "application/json":
        schema = {**media["schema"], "components": document["components"]}
        Draft202012Validator(_closed(schema)).validate(response.get_json())


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(inner) for name, inner in schema.items()}
    if isinstance(schema.get("properties"), dict) and "type" in schema:
        closed["additionalProperties"] = False
    return closed
