"""A registry's beginning: the operator's organisation and the invitation of its first registrar."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from audit.events import RegistryInitialised
from screening.crypto.identifiers import uuid7
from screening.registry.errors import StateConflictError
from screening.registry.models import Organisation, OrganisationKind, OrganisationState, Role
from screening.registry.people import InvitedPerson, invite_into
from screening.registry.texts import MAX_CONTACT, MAX_NAME, check_text
from screening.registry.unit import Unit


@dataclass(frozen=True)
class InitialisedRegistry:
    """What a new registry begins with."""

    operator: Organisation
    registrar: InvitedPerson
    promise: dict[str, Any]


def initialise_registry(
    unit: Unit, *, operator: str, contact: str, registrar_email: str, registrar_name: str
) -> InitialisedRegistry:
    """Begins a registry. Two acts, two events: the registry, and the registrar's invitation.

    Args:
        unit: Writing, on a migrated database without an operator; nobody is logged in.
        operator: Name of the organisation that runs the registry.
        contact: How it is reached.
        registrar_email: The first registrar's account.
        registrar_name: The first registrar.

    Returns:
        The operator's organisation, and the registrar's code.

    Raises:
        StateConflictError: The registry has begun already.
        ValidationFailedError: A text is not as it should be.
    """
    begun = select(Organisation.id).where(Organisation.kind == OrganisationKind.OPERATOR)
    if unit.session.execute(begun).first() is not None:
        raise StateConflictError("This registry has begun already.")
    organisation = Organisation(
        id=uuid7(unit.now),
        kind=OrganisationKind.OPERATOR,
        name=check_text("operator", operator, longest=MAX_NAME),
        contact=check_text("contact", contact, longest=MAX_CONTACT),
        state=OrganisationState.ACTIVE,
        created_at=unit.now,
    )
    unit.session.add(organisation)
    unit.session.flush()
    promise = unit.record(
        RegistryInitialised(
            organisation=str(organisation.id),
            object=str(organisation.id),
            log_origin=unit.registry.log_origin,
            log_key=unit.registry.log.key_id,
        )
    )
    registrar = invite_into(
        unit, organisation, email=registrar_email, name=registrar_name, roles=frozenset({Role.REGISTRAR})
    )
    return InitialisedRegistry(organisation, registrar, promise)
