"""For every endpoint a request that succeeds when somebody who may sends it, with what it needs to be there."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from screening.crypto import voprf
from screening.crypto.encoding import b64u
from screening.crypto.identifiers import uuid7
from screening.crypto.keyring import OrganisationKeyring, RecoveryKeyring
from screening.registry.models import Role
from screening.registry.organisations import suspend_organisation
from screening.registry.people import invite_person, suspend_person
from screening.registry.sessions import open_session
from tests.api.harness import Api, record_version, screening_body
from tests.factories import PASSWORD, REGISTRY, Member, Someone, signed_certificate, written


@dataclass(frozen=True)
class Act:
    """A request, and who may send it."""

    path: str
    by: Someone | None = None
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def send(self, api: Api, method: str, by: Someone | None = None, **more: Any) -> Any:
        """Sends it, as somebody else if wanted."""
        headers = dict(self.headers) | more.pop("headers", {})
        return api.call(method, self.path, by or self.by, json=self.json, headers=headers, **more)


def act_for(api: Api, endpoint: str) -> Act:
    """Prepares what an endpoint acts on, and gives the request."""
    return ACTS[endpoint](api)


def _open(path: str) -> Callable[[Api], Act]:
    return lambda api: Act(path)


def _evaluate(api: Api) -> Act:
    return Act("/v1/evaluations", json=evaluation(api, api.world.alpha))


def evaluation(api: Api, member: Member, **changes: Any) -> dict[str, Any]:
    """A signed evaluation request."""
    world = api.world
    body = {
        "type": "evaluation-request",
        "protocol": "screening/1",
        "registry": REGISTRY,
        "epoch": 1,
        "scheme": world.context.scheme_digest,
        "suite": "ristretto255-SHA512",
        "evaluator": "registry",
        "organisation": str(member.id),
        "purpose": "screening",
        "batch": str(uuid.uuid4()),
        "time": written(world.clock.now),
        "candidates": 1,
        "elements": [b64u(voprf.blind(bytes([i])).element) for i in range(8)],
    }
    return world.sign(member, body | changes).to_json()


def _log_in(api: Api) -> Act:
    return Act("/v1/sessions", json={"email": api.world.alpha.recruiter.email, "password": PASSWORD})


def _end_session(api: Api) -> Act:
    someone = api.world.alpha.admin
    with api.world.unit() as unit:
        other = open_session(unit, someone.email, PASSWORD).session
    return Act(f"/v1/sessions/{other.id}", someone)


def _end_current(api: Api) -> Act:
    return Act("/v1/sessions/current", api.world.alpha.recruiter)


def _invite(api: Api) -> Act:
    body = {"email": "new@alpha.example", "name": "Somebody new", "roles": ["recruiter"]}
    return Act("/v1/invitations", api.world.alpha.admin, body)


def _accept(api: Api) -> Act:
    alpha = api.world.alpha
    with api.world.unit(alpha.admin) as unit:
        invited = invite_person(
            unit, organisation=alpha.id, email="new@alpha.example", name="Somebody new", roles=[Role.RECRUITER]
        )
    return Act("/v1/invitations/accept", json={"code": invited.code, "password": PASSWORD})


def _colleague(action: str = "", json: Any = None) -> Callable[[Api], Act]:
    def prepare(api: Api) -> Act:
        alpha = api.world.alpha
        if action == "/reinstate":
            with api.world.unit(alpha.second_admin) as unit:
                suspend_person(unit, alpha.recruiter.person)
        return Act(f"/v1/people/{alpha.recruiter.person}{action}", alpha.admin, json)

    return prepare


def _admit(api: Api) -> Act:
    id = str(uuid7())
    keyring = OrganisationKeyring.generate(registry=REGISTRY, organisation=id)
    recovery = RecoveryKeyring.generate(organisation=id)
    certificate = signed_certificate(keyring, recovery, api.world.keyholder, name="Gamma", contact="hr@gamma.example")
    return Act("/v1/organisations", api.world.registrar, {"certificate": certificate})


def _organisation(action: str = "") -> Callable[[Api], Act]:
    def prepare(api: Api) -> Act:
        by = api.world.registrar if action in ("/suspend", "/reinstate") else api.world.alpha.admin
        if action == "/reinstate":
            with api.world.unit(api.world.registrar) as unit:
                suspend_organisation(unit, api.world.alpha.id)
        return Act(f"/v1/organisations/{api.world.alpha.id}{action}", by)

    return prepare


def _replace_certificate(api: Api) -> Act:
    alpha = api.world.alpha
    certificate = signed_certificate(
        alpha.keyring, alpha.recovery, api.world.keyholder, name="Alpha", contact="new@alpha.example", serial=2
    )
    return Act(f"/v1/organisations/{alpha.id}/certificate", alpha.admin, {"certificate": certificate})


def _change_policy(api: Api) -> Act:
    return Act("/v1/policy/session_hours", api.world.registrar, {"value": 8})


def _by_admin(path: str) -> Callable[[Api], Act]:
    return lambda api: Act(path, api.world.alpha.admin)


def _create_record(api: Api) -> Act:
    return Act("/v1/records", api.world.alpha.admin, api.world.record(api.world.alpha))


def new_record(api: Api, member: Member, *, submit: bool = True) -> uuid.UUID:
    """Enters a record over HTTP."""
    body = api.world.record(member, submit=submit)
    response = api.call("POST", "/v1/records", member.admin, json=body)
    assert response.status_code == 201, response.data
    return uuid.UUID(str(body["record"]))


def _show_record(api: Api) -> Act:
    return Act(f"/v1/records/{new_record(api, api.world.alpha)}", api.world.alpha.admin)


def _record_step(action: str) -> Callable[[Api], Act]:
    def prepare(api: Api) -> Act:
        world, alpha = api.world, api.world.alpha
        record = new_record(api, alpha, submit=action not in ("submit", "versions"))
        version = record_version(api, alpha, record)
        bodies: dict[str, Callable[[], Any]] = {
            "submit": lambda: None,
            "approve": lambda: {"approval": world.approval(alpha, version)},
            "return": lambda: {"note": world.note(alpha, record, "return-note")},
            "withdraw": lambda: {"withdrawal": world.withdrawal(alpha, version)},
            "versions": lambda: {
                **world.version(alpha, record, number=2, previous=version.digest, seed="other"),
                "submit": True,
            },
        }
        path = f"/v1/records/{record}/{action}"
        return Act(path, alpha.second_admin, bodies[action](), {"If-Match": '"1"'})

    return prepare


def _screen(api: Api) -> Act:
    alpha = api.world.alpha
    body = screening_body(api.world.request(api.world.candidate(alpha)))
    return Act("/v1/screenings", alpha.recruiter, body)


def _show_screening(api: Api) -> Act:
    answer = _screen(api).send(api, "POST").get_json()
    return Act(f"/v1/screenings/{answer['screenings'][0]['id']}", api.world.alpha.recruiter)


def _list_screenings(api: Api) -> Act:
    _screen(api).send(api, "POST")
    return Act("/v1/screenings?limit=1", api.world.alpha.recruiter)


def _list_records(api: Api) -> Act:
    new_record(api, api.world.alpha)
    return Act("/v1/records?limit=1&state=submitted", api.world.alpha.admin)


ACTS: Mapping[str, Callable[[Api], Act]] = {
    "health.livez": _open("/livez"),
    "health.readyz": _open("/readyz"),
    "documents.openapi": _open("/v1/openapi.json"),
    "documents.docs": _open("/v1/docs"),
    "documents.problem": _open("/problems/conflict"),
    "trust.show": _open("/v1/trust"),
    "evaluation.evaluate": _evaluate,
    "sessions.open": _log_in,
    "sessions.list": _by_admin("/v1/sessions"),
    "sessions.end_current": _end_current,
    "sessions.end": _end_session,
    "invitations.create": _invite,
    "invitations.accept": _accept,
    "people.list": _by_admin("/v1/people"),
    "people.show": _colleague(),
    "people.change_roles": _colleague("/roles", {"roles": ["auditor"]}),
    "people.suspend": _colleague("/suspend"),
    "people.reinstate": _colleague("/reinstate"),
    "organisations.list": _by_admin("/v1/organisations"),
    "organisations.admit": _admit,
    "organisations.show": _organisation(),
    "organisations.show_certificate": lambda api: Act(f"/v1/organisations/{api.world.alpha.id}/certificate"),
    "organisations.replace_certificate": _replace_certificate,
    "organisations.suspend": _organisation("/suspend"),
    "organisations.reinstate": _organisation("/reinstate"),
    "policy.list": _by_admin("/v1/policy"),
    "policy.change": _change_policy,
    "records.list": _list_records,
    "records.create": _create_record,
    "records.show": _show_record,
    "records.add_version": _record_step("versions"),
    "records.submit": _record_step("submit"),
    "records.approve": _record_step("approve"),
    "records.return_": _record_step("return"),
    "records.withdraw": _record_step("withdraw"),
    "screenings.list": _list_screenings,
    "screenings.create": _screen,
    "screenings.show": _show_screening,
}
"""By endpoint; the same set as the policy table's."""
