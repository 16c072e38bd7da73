"""Policy: numbers that the registrar may change, within bounds, and every change of which is an event."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from audit.events import PolicyChanged
from screening.registry.base import table_of
from screening.registry.errors import NotFoundError, PolicyOutOfBoundsError
from screening.registry.models import PolicyValue
from screening.registry.rows import insert_missing
from screening.registry.unit import Unit

_CACHE = "policy_values"
_READ = select(table_of(PolicyValue).c.name, table_of(PolicyValue).c.value)


@dataclass(frozen=True)
class Policy:
    """A value that may be changed."""

    name: str
    default: int
    minimum: int
    maximum: int
    unit: str
    sentence: str
    """What it does, for a person."""


@dataclass(frozen=True)
class PolicyInForce:
    """A policy with its present value."""

    policy: Policy
    value: int
    changed_at: datetime | None
    """None for a default."""


POLICY_VALUES: Mapping[str, Policy] = MappingProxyType(
    {
        policy.name: policy
        for policy in (
            Policy(
                "screening_candidates_per_person_per_day",
                2_000,
                1,
                100_000,
                "candidates",
                "How many candidates one person may screen in 24 hours.",
            ),
            Policy(
                "screening_candidates_per_organisation_per_day",
                10_000,
                1,
                1_000_000,
                "candidates",
                "How many candidates one organisation may screen in 24 hours.",
            ),
            Policy(
                "evaluation_elements_per_organisation_per_day",
                200_000,
                8,
                100_000_000,
                "elements",
                "How many blinded elements the registry evaluates for one organisation in 24 hours.",
            ),
            Policy(
                "evaluation_elements_total_per_day",
                2_000_000,
                8,
                1_000_000_000,
                "elements",
                "How many blinded elements the registry evaluates for all organisations in 24 hours.",
            ),
            Policy("session_idle_minutes", 30, 5, 120, "minutes", "After how long without use a session ends."),
            Policy("session_hours", 12, 1, 24, "hours", "How long a session lasts at most."),
            Policy(
                "login_failures_before_wait",
                5,
                3,
                20,
                "failures",
                "After how many failed log-ins an account has to wait.",
            ),
            Policy("login_wait_minutes", 15, 1, 1_440, "minutes", "How long failed log-ins count against an account."),
            Policy("invitation_hours", 72, 1, 336, "hours", "How long an invitation can be accepted."),
            Policy(
                "record_retention_months",
                120,
                12,
                480,
                "months",
                "How far ahead the date may be on which a record expires.",
            ),
            Policy(
                "pending_review_months",
                12,
                1,
                12,
                "months",
                "How far ahead the review of a record with a pending basis may be.",
            ),
            Policy(
                "pending_total_months",
                24,
                1,
                24,
                "months",
                "How long a record may have a pending basis in all, counted from its first version.",
            ),
            Policy("idempotency_days", 7, 1, 90, "days", "How long an answer is kept to be given again."),
        )
    }
)
"""Every policy by its name."""


def policy_value(session: Session, name: str) -> int:
    """The value of a policy in force; read once a session.

    Args:
        session: Where to read.
        name: Of a policy in `POLICY_VALUES`.
    """
    values: dict[str, int] | None = session.info.get(_CACHE)
    if values is None:
        values = {row.name: row.value for row in session.execute(_READ)}
        session.info[_CACHE] = values
    policy = POLICY_VALUES[name]
    return min(max(values.get(name, policy.default), policy.minimum), policy.maximum)


def list_policies(unit: Unit) -> list[PolicyInForce]:
    """Every policy with its value, in the catalogue's order."""
    changed = {row.name: row for row in unit.session.scalars(select(PolicyValue))}
    return [
        PolicyInForce(policy, policy_value(unit.session, name), changed[name].changed_at if name in changed else None)
        for name, policy in POLICY_VALUES.items()
    ]


def change_policy(unit: Unit, name: str, value: int) -> tuple[PolicyInForce, dict[str, Any]]:
    """Gives a policy another value, from now on.

    Args:
        unit: Of a registrar.
        name: Of a policy in `POLICY_VALUES`.
        value: Within its bounds.

    Returns:
        The policy as it is now, and the promise.

    Raises:
        NotFoundError: There is no such policy.
        PolicyOutOfBoundsError: The value is outside its bounds.
    """
    policy = POLICY_VALUES.get(name)
    if policy is None:
        raise NotFoundError
    if isinstance(value, bool) or not policy.minimum <= value <= policy.maximum:
        raise PolicyOutOfBoundsError(errors={"value": [f"must be {policy.minimum} to {policy.maximum} {policy.unit}"]})
    actor = unit.required_actor
    row = {"name": name, "value": value, "changed_at": unit.now, "changed_by": actor.person}
    if not insert_missing(unit.session, PolicyValue, [row]):
        unit.session.execute(update(PolicyValue).where(PolicyValue.name == name).values(row))
    unit.session.info.pop(_CACHE, None)
    promise = unit.record(
        PolicyChanged(
            actor=str(actor.person), organisation=str(actor.organisation), object=name, name=name, value=value
        )
    )
    return PolicyInForce(policy, value, unit.now), promise
