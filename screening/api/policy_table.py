"""Who may do what, and which event it leaves: one table that is the gate, the documentation and the test.

`POLICY` is keyed on (endpoint, method), so that one permission cannot silently cover reading and writing. An endpoint
that is not in it cannot be served, and an unsafe method must name its event. Roles cover verbs, not rows: every query
of a service is filtered by the actor's organisation besides.

`python -m screening.api.policy_table > docs/roles.md` writes the table for people.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Literal

from audit import events
from audit.events import Event
from screening.registry.models import Role

Method = Literal["GET", "POST", "PUT", "DELETE"]

SAFE_METHODS = frozenset({"GET"})
"""Methods that change nothing but the log. HEAD is answered as GET without its body; OPTIONS is not answered."""


class Permission(StrEnum):
    """What a role may be granted: `scope:resource:action`. `own` is the person's own organisation."""

    OWN_CERTIFICATE_REPLACE = "own:certificate:replace"
    OWN_PEOPLE_INVITE = "own:people:invite"
    OWN_PEOPLE_MANAGE = "own:people:manage"
    OWN_PEOPLE_READ = "own:people:read"
    OWN_RECORDS_APPROVE = "own:records:approve"
    OWN_RECORDS_READ = "own:records:read"
    OWN_RECORDS_WRITE = "own:records:write"
    OWN_SCREENINGS_CREATE = "own:screenings:create"
    OWN_SCREENINGS_READ = "own:screenings:read"
    REGISTRY_ORGANISATIONS_ADMIT = "registry:organisations:admit"
    REGISTRY_ORGANISATIONS_READ = "registry:organisations:read"
    REGISTRY_ORGANISATIONS_SUSPEND = "registry:organisations:suspend"
    REGISTRY_POLICY_CHANGE = "registry:policy:change"
    REGISTRY_POLICY_READ = "registry:policy:read"


class Access(Enum):
    """What stands in a permission's place where no role is asked for."""

    OPEN = "anyone"
    """Nobody needs to be logged in."""
    SIGNED = "an enrolled organisation's signature"
    """The request itself is signed; the evaluator checks it."""
    ANY_SESSION = "anyone logged in"
    """Any role will do."""


class Repeat(Enum):
    """What an `Idempotency-Key` header means."""

    NEVER = auto()
    """Nothing: the method is safe, nobody is logged in, or the answer holds a secret that is kept nowhere."""
    IF_ASKED = auto()
    """Where it is sent, a repeated request gets the first one's answer."""
    REQUIRED = auto()
    """It must be sent."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one endpoint asks for with one method.

    Args:
        access: The permission that the person needs, or what stands in its place.
        event: The event that must have been recorded, and no other, before anything is answered; several where the
            content of the request decides which of them it is.
        tenant: Whether it acts on one object of the person's organisation; another organisation's is not found.
        repeat: What an `Idempotency-Key` means.
    """

    access: Permission | Access
    event: type[Event] | tuple[type[Event], ...] | None = None
    tenant: bool = False
    repeat: Repeat = Repeat.NEVER

    @property
    def tags(self) -> frozenset[str]:
        """Tags of the events of which one must have been recorded; empty if none may."""
        if self.event is None:
            return frozenset()
        return frozenset(kind.tag for kind in (self.event if isinstance(self.event, tuple) else (self.event,)))

    @property
    def needs_session(self) -> bool:
        """Whether somebody must be logged in."""
        return self.access not in (Access.OPEN, Access.SIGNED)


_P = Permission
_DRAFTING = (events.RecordDrafted, events.RecordSubmitted)

POLICY: Mapping[tuple[str, Method], Rule] = {
    ("health.livez", "GET"): Rule(Access.OPEN),
    ("health.readyz", "GET"): Rule(Access.OPEN),
    ("documents.openapi", "GET"): Rule(Access.OPEN),
    ("documents.docs", "GET"): Rule(Access.OPEN),
    ("documents.problem", "GET"): Rule(Access.OPEN),
    ("trust.show", "GET"): Rule(Access.OPEN),
    ("evaluation.evaluate", "POST"): Rule(Access.SIGNED, events.BatchEvaluated),
    ("sessions.open", "POST"): Rule(Access.OPEN, events.SessionOpened),
    ("sessions.list", "GET"): Rule(Access.ANY_SESSION),
    ("sessions.end_current", "DELETE"): Rule(Access.ANY_SESSION, events.SessionEnded),
    ("sessions.end", "DELETE"): Rule(Access.ANY_SESSION, events.SessionEnded, tenant=True),
    ("invitations.create", "POST"): Rule(_P.OWN_PEOPLE_INVITE, events.PersonInvited),
    ("invitations.accept", "POST"): Rule(Access.OPEN, events.PersonActivated),
    ("people.list", "GET"): Rule(_P.OWN_PEOPLE_READ),
    ("people.show", "GET"): Rule(_P.OWN_PEOPLE_READ, tenant=True),
    ("people.change_roles", "PUT"): Rule(_P.OWN_PEOPLE_MANAGE, events.PersonRolesChanged, tenant=True),
    ("people.suspend", "POST"): Rule(_P.OWN_PEOPLE_MANAGE, events.PersonSuspended, tenant=True, repeat=Repeat.IF_ASKED),
    ("people.reinstate", "POST"): Rule(
        _P.OWN_PEOPLE_MANAGE, events.PersonReinstated, tenant=True, repeat=Repeat.IF_ASKED
    ),
    ("organisations.list", "GET"): Rule(_P.REGISTRY_ORGANISATIONS_READ),
    ("organisations.admit", "POST"): Rule(
        _P.REGISTRY_ORGANISATIONS_ADMIT, events.OrganisationAdmitted, repeat=Repeat.IF_ASKED
    ),
    ("organisations.show", "GET"): Rule(_P.REGISTRY_ORGANISATIONS_READ, tenant=True),
    ("organisations.show_certificate", "GET"): Rule(Access.OPEN),
    ("organisations.replace_certificate", "PUT"): Rule(
        _P.OWN_CERTIFICATE_REPLACE, events.OrganisationCertified, tenant=True
    ),
    ("organisations.suspend", "POST"): Rule(
        _P.REGISTRY_ORGANISATIONS_SUSPEND, events.OrganisationSuspended, repeat=Repeat.IF_ASKED
    ),
    ("organisations.reinstate", "POST"): Rule(
        _P.REGISTRY_ORGANISATIONS_SUSPEND, events.OrganisationReinstated, repeat=Repeat.IF_ASKED
    ),
    ("policy.list", "GET"): Rule(_P.REGISTRY_POLICY_READ),
    ("policy.change", "PUT"): Rule(_P.REGISTRY_POLICY_CHANGE, events.PolicyChanged),
    ("records.list", "GET"): Rule(_P.OWN_RECORDS_READ),
    ("records.create", "POST"): Rule(_P.OWN_RECORDS_WRITE, _DRAFTING, repeat=Repeat.REQUIRED),
    ("records.show", "GET"): Rule(_P.OWN_RECORDS_READ, events.RecordOpened, tenant=True),
    ("records.add_version", "POST"): Rule(_P.OWN_RECORDS_WRITE, _DRAFTING, tenant=True, repeat=Repeat.IF_ASKED),
    ("records.submit", "POST"): Rule(_P.OWN_RECORDS_WRITE, events.RecordSubmitted, tenant=True, repeat=Repeat.IF_ASKED),
    ("records.approve", "POST"): Rule(
        _P.OWN_RECORDS_APPROVE, events.RecordApproved, tenant=True, repeat=Repeat.IF_ASKED
    ),
    ("records.return_", "POST"): Rule(
        _P.OWN_RECORDS_APPROVE, events.RecordReturned, tenant=True, repeat=Repeat.IF_ASKED
    ),
    ("records.withdraw", "POST"): Rule(
        _P.OWN_RECORDS_WRITE, events.RecordWithdrawn, tenant=True, repeat=Repeat.IF_ASKED
    ),
    ("screenings.list", "GET"): Rule(_P.OWN_SCREENINGS_READ),
    ("screenings.create", "POST"): Rule(_P.OWN_SCREENINGS_CREATE, events.CandidateScreened, repeat=Repeat.REQUIRED),
    ("screenings.show", "GET"): Rule(_P.OWN_SCREENINGS_READ, events.ScreeningOpened, tenant=True),
}
"""Every endpoint of the service with every method that it answers."""

_EVERYBODY = frozenset({_P.REGISTRY_ORGANISATIONS_READ, _P.REGISTRY_POLICY_READ})

GRANTS: Mapping[Role, frozenset[Permission]] = {
    Role.RECRUITER: _EVERYBODY | {_P.OWN_SCREENINGS_CREATE, _P.OWN_SCREENINGS_READ},
    Role.ENTITY_ADMIN: _EVERYBODY
    | {
        _P.OWN_CERTIFICATE_REPLACE,
        _P.OWN_PEOPLE_INVITE,
        _P.OWN_PEOPLE_MANAGE,
        _P.OWN_PEOPLE_READ,
        _P.OWN_RECORDS_APPROVE,
        _P.OWN_RECORDS_READ,
        _P.OWN_RECORDS_WRITE,
    },
    Role.AUDITOR: _EVERYBODY | {_P.OWN_PEOPLE_READ},
    Role.REGISTRAR: _EVERYBODY
    | {
        _P.OWN_PEOPLE_INVITE,
        _P.OWN_PEOPLE_MANAGE,
        _P.OWN_PEOPLE_READ,
        _P.REGISTRY_ORGANISATIONS_ADMIT,
        _P.REGISTRY_ORGANISATIONS_SUSPEND,
        _P.REGISTRY_POLICY_CHANGE,
    },
}
"""What each role may do."""


def is_allowed(rule: Rule, roles: frozenset[Role]) -> bool:
    """Whether somebody who is logged in with these roles passes a rule.

    Args:
        rule: Of the endpoint and method.
        roles: The person's; nobody without a role passes a permission.
    """
    if isinstance(rule.access, Access):
        return True
    return any(rule.access in GRANTS[role] for role in roles)


def roles_document() -> str:
    """The table as Markdown, for docs/roles.md."""
    roles = list(Role)
    lines = [
        "# Roles",
        "",
        "Made from `POLICY` and `GRANTS` in `screening/api/policy_table.py` by",
        "`python -m screening.api.policy_table > docs/roles.md`; a test holds it current.",
        "",
        "Rows belong to organisations: whatever a role allows, it allows on the person's own organisation's people,",
        "records and screenings only. *Own* marks endpoints on one such object; another organisation's is not found.",
        "*Event* is what the access log gets before anything is answered.",
        "",
        "| endpoint | needs | " + " | ".join(role.value for role in roles) + " | own | event | Idempotency-Key |",
        "|" + "---|" * (len(roles) + 5),
    ]
    for (endpoint, method), rule in POLICY.items():
        needs = f"`{rule.access.value}`" if isinstance(rule.access, Permission) else rule.access.value
        marks = ["yes" if is_allowed(rule, frozenset({role})) else "" for role in roles]
        event = " or ".join(f"`{tag}`" for tag in sorted(rule.tags))
        repeat = {Repeat.NEVER: "", Repeat.IF_ASKED: "honoured", Repeat.REQUIRED: "required"}[rule.repeat]
        cells = [f"`{method}` {endpoint}", needs, *marks, "own" if rule.tenant else "", event, repeat]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(roles_document())
