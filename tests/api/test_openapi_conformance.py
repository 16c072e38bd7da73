"""The application against its own OpenAPI document, with requests made from it."""

from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, given
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from screening.api.policy_table import POLICY, Access, Permission, Rule, is_allowed
from screening.registry.sessions import open_session
from tests.api.harness import Api
from tests.factories import PASSWORD, Someone

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES, LONG_EXAMPLES = 6, 300


def someone_who_may(api: Api, needs: str) -> Someone | None:
    """A person who passes, or None where nobody has to be logged in."""
    if needs in (Access.OPEN.value, Access.SIGNED.value):
        return None
    people = [api.world.alpha.admin, api.world.alpha.recruiter, api.world.registrar]
    if needs == Access.ANY_SESSION.value:
        return people[0]
    return next(person for person in people if is_allowed(Rule(Permission(needs)), person.roles))


def conforms(api: Api, operation: Any, examples: int) -> None:
    """Sends requests made for an operation, each in a new session, and checks the answers."""
    someone = someone_who_may(api, operation.definition.raw["x-needs"])

    @hypothesis.settings(max_examples=examples, database=None, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy())
    def run(case: schemathesis.Case[Any]) -> None:
        headers = {}
        if someone is not None:
            with api.world.unit() as unit:
                headers["Authorization"] = f"Bearer {open_session(unit, someone.email, PASSWORD).token}"
        case.call_and_validate(headers=headers, checks=CHECKS)

    run()


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_whatever_the_document_allows_is_answered_as_it_says(api: Api, long: bool) -> None:
    schema = schemathesis.openapi.from_wsgi("/v1/openapi.json", api.app)
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    assert len(operations) == len(POLICY) - 1  # the document itself is left out
    for operation in operations:
        conforms(api, operation, LONG_EXAMPLES if long else EXAMPLES)


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_the_document_is_openapi_3_1_and_names_every_endpoint_once(api: Api) -> None:
    document = api.http.get("/v1/openapi.json").get_json()
    assert document["openapi"] == "3.1.0"
    operations = [
        operation for item in document["paths"].values() for operation in item.values() if isinstance(operation, dict)
    ]
    assert {operation["operationId"] for operation in operations} == {endpoint for endpoint, _ in POLICY}
    assert len(operations) == len(POLICY)
    for operation in operations:
        assert operation["summary"]
        assert "default" in operation["responses"]
