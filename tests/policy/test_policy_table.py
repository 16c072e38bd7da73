"""The table says everything once: permissions used and granted, events named, the document current, the gate shut."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from audit.events import CATALOGUE
from screening.api import gate
from screening.api.gate import EventMissingError, UnsealedError, check_events, seal
from screening.api.policy_table import (
    GRANTS,
    POLICY,
    SAFE_METHODS,
    Access,
    Permission,
    Repeat,
    Rule,
    is_allowed,
    roles_document,
)
from screening.registry.models import Role

ROOT = Path(__file__).parents[2]

# Events that no request causes: setting up, what time brings about, refused log-ins, trust files published by hand.
NOT_FROM_REQUESTS = {
    "registry:registry:initialised",
    "registry:trust-file:published",
    "registry:session:refused",
    "registry:record:suspended",
    "registry:record:expired",
}


def test_the_roles_document_is_current() -> None:
    assert (ROOT / "docs" / "roles.md").read_text(encoding="utf-8") == roles_document()


def test_the_table_has_so_many_endpoints() -> None:
    assert len(POLICY) == 38
    assert len({endpoint for endpoint, _ in POLICY}) == 38


def test_every_role_is_granted_something_and_every_permission_is_granted_and_used() -> None:
    assert set(GRANTS) == set(Role)
    granted = frozenset[Permission]().union(*GRANTS.values())
    used = {rule.access for rule in POLICY.values() if isinstance(rule.access, Permission)}
    assert granted == used == set(Permission)


def test_whatever_changes_something_names_its_event() -> None:
    assert all(rule.tags for (_, method), rule in POLICY.items() if method not in SAFE_METHODS)


def test_every_event_of_a_request_is_some_rules() -> None:
    named = {tag for rule in POLICY.values() for tag in rule.tags}
    assert named == CATALOGUE.keys() - NOT_FROM_REQUESTS


def test_reading_permissions_guard_no_change_but_that_a_look_is_recorded() -> None:
    for (endpoint, method), rule in POLICY.items():
        reads = isinstance(rule.access, Permission) and rule.access.endswith(":read")
        if reads:
            assert method in SAFE_METHODS, endpoint


def test_an_auditor_acts_on_nothing() -> None:
    acting = [
        key
        for key, rule in POLICY.items()
        if isinstance(rule.access, Permission) and rule.tags and is_allowed(rule, frozenset({Role.AUDITOR}))
    ]
    assert acting == []


def test_somebody_without_a_role_passes_no_permission() -> None:
    for rule in POLICY.values():
        assert is_allowed(rule, frozenset()) == isinstance(rule.access, Access)


# --- seal ------------------------------------------------------------------------------------------------------------

OPEN = Rule(Access.OPEN)


def sealed(policy: dict[Any, Rule], routes: dict[str, tuple[str, ...]], monkeypatch: pytest.MonkeyPatch) -> Flask:
    """An application with these routes, sealed under this table."""
    app = Flask(__name__, static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    for endpoint, methods in routes.items():
        app.add_url_rule(f"/{endpoint}", endpoint, lambda: "done", methods=list(methods))
    monkeypatch.setattr(gate, "POLICY", policy)
    seal(app, None)  # type: ignore[arg-type] # nothing here passes through the gate
    return app


def test_routes_and_table_that_agree_are_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    client = sealed({("a", "GET"): OPEN}, {"a": ("GET",)}, monkeypatch).test_client()
    assert client.get("/a").text == "done"
    assert client.head("/a").status_code == 200
    assert client.options("/a").status_code == 405


@pytest.mark.parametrize(
    ("policy", "routes"),
    [
        ({}, {"a": ("GET",)}),
        ({("a", "GET"): OPEN}, {}),
        ({("a", "GET"): OPEN}, {"a": ("GET", "POST")}),
        ({("a", "GET"): OPEN}, {"a": ("GET", "OPTIONS")}),
        ({("a", "GET"): OPEN}, {"a": ("GET",), "static": ("GET",)}),
        ({("a", "POST"): OPEN}, {"a": ("POST", "HEAD")}),
        ({("a", "POST"): OPEN}, {"a": ("POST",)}),
        ({("a", "GET"): Rule(Access.OPEN, repeat=Repeat.IF_ASKED)}, {"a": ("GET",)}),
        ({("a", "GET"): Rule(Access.ANY_SESSION)}, {"a": ("GET",)}),
        ({("a", "GET"): Rule(Permission.OWN_PEOPLE_READ)}, {"a": ("GET",)}),
    ],
)
def test_an_application_that_is_not_its_table_does_not_start(
    policy: dict[Any, Rule], routes: dict[str, tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnsealedError):
        sealed(policy, routes, monkeypatch)


RULE = POLICY[("sessions.open", "POST")]
OPENED, ENDED, DRAFTED = "registry:session:opened", "registry:session:ended", "registry:record:drafted"
SUBMITTED = "registry:record:submitted"


@pytest.mark.parametrize(
    ("rule", "recorded"),
    [
        (RULE, []),
        (RULE, [ENDED]),
        (RULE, [OPENED, ENDED]),
        (OPEN, [OPENED]),
        (POLICY[("records.create", "POST")], [DRAFTED, SUBMITTED]),
    ],
)
def test_a_view_that_records_another_event_than_its_rules_is_stopped(rule: Rule, recorded: list[str]) -> None:
    with pytest.raises(EventMissingError):
        check_events(rule, recorded)


@pytest.mark.parametrize(
    ("rule", "recorded"),
    [
        (RULE, [OPENED]),
        (OPEN, []),
        (POLICY[("records.create", "POST")], [SUBMITTED]),
        (POLICY[("screenings.create", "POST")], ["registry:candidate:screened"] * 3),
    ],
)
def test_a_view_that_records_its_rules_event_passes(rule: Rule, recorded: list[str]) -> None:
    check_events(rule, recorded)
