"""Every cell of the policy table against what HTTP really answers. How many cells there are is asserted."""

import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from screening.api.policy_table import POLICY, SAFE_METHODS, Access, is_allowed
from tests.api.acts import ACTS, act_for
from tests.api.documented import check_answer
from tests.api.harness import Api, slug
from tests.factories import Someone

RULES = [pytest.param(endpoint, method, id=endpoint) for endpoint, method in POLICY]
WITH_EVENT = [pytest.param(endpoint, method, id=endpoint) for (endpoint, method), rule in POLICY.items() if rule.tags]
TENANT = [key for key, rule in POLICY.items() if rule.tenant]

NOTHING_THERE = str(uuid.UUID(int=7))


def test_the_requests_are_those_of_the_table() -> None:
    assert ACTS.keys() == {endpoint for endpoint, _ in POLICY}


def addresses(api: Api) -> Iterator[tuple[str, str, str]]:
    """Every endpoint with its method and an address of it, where nothing is."""
    names = {"slug": "conflict", "name": "session_hours"}
    for route in api.app.url_map.iter_rules():
        values = {argument: names.get(argument, NOTHING_THERE) for argument in route.arguments}
        path = route.rule
        for argument, value in values.items():
            path = path.replace(next(part for part in path.split("/") if part.endswith(f":{argument}>")), value)
        for method in sorted(set(route.methods or ()) - {"HEAD"}):
            yield route.endpoint, method, path


def people(api: Api) -> dict[str, Someone]:
    world = api.world
    return {
        "recruiter": world.alpha.recruiter,
        "entity_admin": world.alpha.admin,
        "auditor": world.alpha.auditor,
        "registrar": world.registrar,
        "operator's auditor": world.operator_auditor,
    }


def test_every_role_passes_exactly_where_the_table_says(api: Api) -> None:
    cells = 0
    for endpoint, method, path in addresses(api):
        rule = POLICY[(endpoint, method)]  # type: ignore[index] # the routes' methods are the table's
        for role, someone in people(api).items():
            response = api.call(method, path, someone)
            if endpoint == "sessions.end_current":
                del api.tokens[someone.email]
            refused = response.status_code in (401, 403) and slug(response) in ("unauthenticated", "forbidden")
            assert refused == (not is_allowed(rule, someone.roles)), (endpoint, method, role, response.data)
            cells += 1
    assert cells == 38 * 5


def test_nobody_passes_without_a_session_where_the_table_asks_for_one(api: Api) -> None:
    cells = 0
    credentials = [None, "Bearer", "Bearer x", f"Bearer scr_{'A' * 43}", "Basic YTpi", f"bearer scr_{'é' * 22}"]
    for endpoint, method, path in addresses(api):
        rule = POLICY[(endpoint, method)]  # type: ignore[index] # the routes' methods are the table's
        for credential in credentials:
            headers = {"Authorization": credential} if credential else {}
            response = api.call(method, path, headers=headers)
            refused = response.status_code == 401 and response.headers["WWW-Authenticate"] == "Bearer"
            assert refused == rule.needs_session, (endpoint, method, credential, response.data)
            cells += 1
    assert cells == 38 * 6


@pytest.mark.parametrize(("endpoint", "method"), RULES)
def test_who_may_succeeds_and_exactly_the_rules_event_is_left(api: Api, endpoint: str, method: Any) -> None:
    rule = POLICY[(endpoint, method)]
    act = act_for(api, endpoint)
    if act.by is not None:
        api.token(act.by)
    before = Counter(api.world.events())
    response = act.send(api, method)
    assert response.status_code in (200, 201), response.data
    left = list((Counter(api.world.events()) - before).elements())
    assert len(left) == (1 if rule.tags else 0)
    assert set(left) <= rule.tags
    if rule.tags:
        promise = response.get_json().get("promise") or response.get_json()["screenings"][0]["promise"]
        assert promise["body"]["type"] == "promise"
    check_answer(api, endpoint, response)


def test_what_is_another_organisations_is_not_there_for_its_admin_and_nothing_happens(api: Api) -> None:
    cells = 0
    beta = api.world.beta
    for endpoint, method in TENANT:
        rule = POLICY[(endpoint, method)]
        act = act_for(api, endpoint)
        by = next(
            person
            for person in (beta.admin, beta.recruiter)
            if isinstance(rule.access, Access) or is_allowed(rule, person.roles)
        )
        api.token(by)
        before = api.world.events()
        response = act.send(api, method, by)
        assert (response.status_code, slug(response)) == (404, "not-found"), (endpoint, response.data)
        assert api.world.events() == before, endpoint
        own = act.send(api, method)
        assert own.status_code in (200, 201), (endpoint, own.data)
        _undo(api, endpoint)
        cells += 1
    assert cells == 14


def _undo(api: Api, endpoint: str) -> None:
    """Leaves the recruiter as the next cell needs them."""
    if endpoint == "people.suspend":
        path = f"/v1/people/{api.world.alpha.recruiter.person}/reinstate"
        assert api.call("POST", path, api.world.alpha.admin).status_code == 200
    if endpoint == "people.change_roles":
        path = f"/v1/people/{api.world.alpha.recruiter.person}/roles"
        assert api.call("PUT", path, api.world.alpha.admin, json={"roles": ["recruiter"]}).status_code == 200


@pytest.mark.parametrize(("endpoint", "method"), WITH_EVENT)
def test_without_the_log_nothing_acts_and_nothing_is_shown(api: Api, endpoint: str, method: Any) -> None:
    act = act_for(api, endpoint)
    if act.by is not None:
        api.token(act.by)
    before = _rows(api)
    with api.world.engine.begin() as connection:
        connection.execute(text("ALTER TABLE events RENAME TO events_gone"))
    response = act.send(api, method)
    assert (response.status_code, slug(response)) == (503, "unavailable"), response.data
    assert "Retry-After" in response.headers
    with api.world.engine.begin() as connection:
        connection.execute(text("ALTER TABLE events_gone RENAME TO events"))
    assert _rows(api) == before


def test_a_log_that_refuses_rows_stops_acts_as_well(api: Api) -> None:
    act = act_for(api, "policy.change")
    api.token(api.world.registrar)
    refusals = {
        "sqlite": ["CREATE TRIGGER refuse BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no'); END"],
        "postgresql": ["ALTER TABLE events ADD CONSTRAINT refuse CHECK (false) NOT VALID"],
    }
    with api.world.engine.begin() as connection:
        for statement in refusals[connection.dialect.name]:
            connection.execute(text(statement))
    before = _rows(api)
    response = act.send(api, "PUT")
    assert (response.status_code, slug(response)) == (503, "unavailable"), response.data
    assert _rows(api) == before


def test_every_unsafe_method_has_its_event() -> None:
    assert sum(method not in SAFE_METHODS for _, method in POLICY) == 21
    assert len(WITH_EVENT) == 23


def _rows(api: Api) -> dict[str, int]:
    """Number of rows of each table."""
    from screening.evaluator.models import EvaluatorBase
    from screening.registry.base import Base

    tables = [*Base.metadata.sorted_tables, *EvaluatorBase.metadata.sorted_tables]
    with api.world.engine.connect() as connection:
        present = {table.name for table in tables} & set(_names(connection))
        return {
            name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()  # noqa: S608 - our own names
            for name in sorted(present)
        }


def _names(connection: Any) -> list[str]:
    from sqlalchemy import inspect

    return list(inspect(connection).get_table_names())
