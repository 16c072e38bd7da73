"""People of the participating organisations: invitations, roles, suspension."""

import hashlib
import secrets
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import select, update

from audit.events import PersonActivated, PersonInvited, PersonReinstated, PersonRolesChanged, PersonSuspended
from screening.crypto.encoding import b64u
from screening.crypto.errors import PasswordError
from screening.crypto.identifiers import uuid7
from screening.crypto.passwords import PasswordHasher
from screening.registry.errors import (
    ConflictError,
    ForbiddenError,
    InvitationInvalidError,
    NotFoundError,
    PasswordRefusedError,
    StateConflictError,
    ValidationFailedError,
)
from screening.registry.models import (
    Invitation,
    LoginSession,
    Organisation,
    OrganisationKind,
    OrganisationState,
    Person,
    PersonState,
    Role,
)
from screening.registry.policy import policy_value
from screening.registry.texts import MAX_NAME, check_text, normalise_email
from screening.registry.unit import Unit, Units

ROLES_OF: Mapping[OrganisationKind, frozenset[Role]] = MappingProxyType(
    {
        OrganisationKind.OPERATOR: frozenset({Role.REGISTRAR, Role.AUDITOR}),
        OrganisationKind.MEMBER: frozenset({Role.RECRUITER, Role.ENTITY_ADMIN, Role.AUDITOR}),
    }
)
"""Which roles people of which organisations may have."""

CODE_PREFIX = "inv_"
_CODE_BYTES = 24
_MAX_CODE = 100


@dataclass(frozen=True)
class InvitedPerson:
    """A person who was invited, with the code that only they may get."""

    person: Person
    code: str = field(repr=False)
    expires_at: datetime
    promise: dict[str, Any]


def invite_person(
    unit: Unit, *, organisation: uuid.UUID, email: str, name: str, roles: Iterable[Role]
) -> InvitedPerson:
    """Gives a person a place in an organisation and a code to take it with.

    An entity admin invites into their own organisation; a registrar into the operator's, and entity admins into any.
    Who is invited already, and has not come yet, gets a new code in place of the old one.

    Args:
        unit: Writing, of an entity admin or a registrar.
        organisation: Whose person it becomes.
        email: The account's name; used by one person only in the whole registry.
        name: Of the person, as colleagues are to see it.
        roles: At least one, as `ROLES_OF` allows; an auditor is nothing else.

    Returns:
        The person, the code (kept nowhere), and the promise.

    Raises:
        NotFoundError: There is no such organisation that the actor may invite into.
        ForbiddenError: A registrar invites somebody else than entity admins into a member organisation.
        ValidationFailedError: Address, name or roles are not as they should be.
        StateConflictError: The organisation is suspended.
        ConflictError: Somebody has this address already.
    """
    wanted = frozenset(roles)
    place = _organisation_to_invite_into(unit, organisation, wanted)
    return invite_into(unit, place, email=email, name=name, roles=wanted)


def invite_into(unit: Unit, place: Organisation, *, email: str, name: str, roles: frozenset[Role]) -> InvitedPerson:
    """Invites without asking who invites: for `invite_person`, and for a registry's beginning."""
    _check_roles(place.kind, roles)
    address = normalise_email(email)
    shown = check_text("name", name, longest=MAX_NAME)
    person = unit.session.scalars(select(Person).where(Person.email == address).with_for_update()).one_or_none()
    if person is None:
        person = Person(
            id=uuid7(unit.now),
            organisation_id=place.id,
            email=address,
            name=shown,
            state=PersonState.INVITED,
            roles=roles,
            created_at=unit.now,
        )
        unit.session.add(person)
    elif person.organisation_id == place.id and person.state is PersonState.INVITED:
        person.name, person.roles = shown, roles
    else:
        raise ConflictError("Somebody has this e-mail address already.")
    unit.session.flush()
    code = CODE_PREFIX + b64u(secrets.token_bytes(_CODE_BYTES))
    expires_at = unit.now + timedelta(hours=policy_value(unit.session, "invitation_hours"))
    unit.session.merge(
        Invitation(person_id=person.id, code_hash=_hash(code), expires_at=expires_at, created_at=unit.now)
    )
    promise = unit.record(PersonInvited(**_by(unit, person), roles=_words(roles)))
    return InvitedPerson(person, code, expires_at, promise)


def hash_new_password(read: Units, code: str, password: str) -> str:
    """Hashes a password for `accept_invitation`, in no transaction: it takes long, and would keep others waiting.

    Args:
        read: Opens a reading unit.
        code: From the invitation; for one that cannot be accepted nothing is hashed.
        password: At least 15 characters.

    Returns:
        The hash to keep.

    Raises:
        InvitationInvalidError, PasswordRefusedError: As `accept_invitation`.
    """
    with read() as unit:
        _invited(unit, code, lock=False)
        passwords = unit.registry.passwords
    return _hash_password(passwords, password)


def accept_invitation(unit: Unit, code: str, password: str, hashed: str | None = None) -> tuple[Person, dict[str, Any]]:
    """Takes an invited person's place, with a password of their own.

    Args:
        unit: Writing; nobody needs to be logged in.
        code: From the invitation.
        password: At least 15 characters.
        hashed: From `hash_new_password` of the same password; without it, the password is hashed here.

    Returns:
        The person, who can log in from now on, and the promise.

    Raises:
        InvitationInvalidError: The code is unknown, used or expired, or the organisation is suspended.
        PasswordRefusedError: The password may not be used; the code stays valid.
    """
    invitation, person = _invited(unit, code, lock=True)
    person.password_hash = _hash_password(unit.registry.passwords, password) if hashed is None else hashed
    person.state = PersonState.ACTIVE
    unit.session.delete(invitation)
    promise = unit.record(
        PersonActivated(actor=str(person.id), organisation=str(person.organisation_id), object=str(person.id))
    )
    return person, promise


def list_people(unit: Unit) -> list[Person]:
    """The people of the actor's own organisation, by name."""
    query = select(Person).where(Person.organisation_id == unit.required_actor.organisation)
    return list(unit.session.scalars(query.order_by(Person.name, Person.id)))


def get_person(unit: Unit, person: uuid.UUID) -> Person:
    """One person of the actor's own organisation.

    Raises:
        NotFoundError: There is none of that id.
    """
    return _own(unit, person, lock=False)


def change_roles(unit: Unit, person: uuid.UUID, roles: Iterable[Role]) -> tuple[Person, dict[str, Any]]:
    """Gives a colleague other roles, from the next request on.

    Raises:
        NotFoundError: There is no such person in the actor's organisation.
        StateConflictError: It is the actor: nobody changes their own roles.
        ValidationFailedError: These roles are not possible, or not together.
    """
    wanted = frozenset(roles)
    found = _colleague(unit, person)
    _check_roles(unit.session.get_one(Organisation, found.organisation_id).kind, wanted)
    found.roles = wanted
    return found, unit.record(PersonRolesChanged(**_by(unit, found), roles=_words(wanted)))


def suspend_person(unit: Unit, person: uuid.UUID) -> tuple[Person, dict[str, Any]]:
    """Keeps a colleague out: all sessions end now, an open invitation is void.

    Raises:
        NotFoundError: There is no such person in the actor's organisation.
        StateConflictError: It is the actor, or somebody suspended already.
    """
    found = _colleague(unit, person)
    if found.state is PersonState.SUSPENDED:
        raise StateConflictError("This person is suspended already.")
    found.state = PersonState.SUSPENDED
    open_ones = (LoginSession.person_id == found.id, LoginSession.ended_at.is_(None))
    unit.session.execute(update(LoginSession).where(*open_ones).values(ended_at=unit.now))
    invitation = unit.session.get(Invitation, found.id)
    if invitation is not None:
        unit.session.delete(invitation)
    return found, unit.record(PersonSuspended(**_by(unit, found)))


def reinstate_person(unit: Unit, person: uuid.UUID) -> tuple[Person, dict[str, Any]]:
    """Lets a suspended colleague in again; who never had a password has to be invited again.

    Raises:
        NotFoundError: There is no such person in the actor's organisation.
        StateConflictError: It is the actor, or somebody not suspended.
    """
    found = _colleague(unit, person)
    if found.state is not PersonState.SUSPENDED:
        raise StateConflictError("This person is not suspended.")
    found.state = PersonState.INVITED if found.password_hash is None else PersonState.ACTIVE
    return found, unit.record(PersonReinstated(**_by(unit, found)))


def _invited(unit: Unit, code: str, *, lock: bool) -> tuple[Invitation, Person]:
    """The invitation that a code is of, and its person, if it can be accepted now."""
    query = (
        select(Invitation, Person, Organisation.state)
        .join(Person, Person.id == Invitation.person_id)
        .join(Organisation, Organisation.id == Person.organisation_id)
        .where(Invitation.code_hash == _hash(code[:_MAX_CODE]))
    )
    found = unit.session.execute(query.with_for_update(of=Invitation) if lock else query).one_or_none()
    if found is None:
        raise InvitationInvalidError
    invitation, person, organisation_state = found
    usable = person.state is PersonState.INVITED and organisation_state is OrganisationState.ACTIVE
    if not usable or invitation.expires_at <= unit.now:
        raise InvitationInvalidError
    return invitation, person


def _hash_password(passwords: PasswordHasher, password: str) -> str:
    try:
        return passwords.hash(password)
    except PasswordError as error:
        raise PasswordRefusedError(str(error)) from None


def _organisation_to_invite_into(unit: Unit, organisation: uuid.UUID, roles: frozenset[Role]) -> Organisation:
    actor = unit.required_actor
    place = unit.session.get(Organisation, organisation)
    own = actor.organisation == organisation
    if place is None or not (own or Role.REGISTRAR in actor.roles):
        raise NotFoundError
    if not own and Role.ENTITY_ADMIN not in roles:
        raise ForbiddenError("A registrar invites entity admins into an organisation; they invite everybody else.")
    if place.state is OrganisationState.SUSPENDED:
        raise StateConflictError("This organisation is suspended.")
    return place


def _own(unit: Unit, person: uuid.UUID, *, lock: bool) -> Person:
    query = select(Person).where(Person.id == person, Person.organisation_id == unit.required_actor.organisation)
    found = unit.session.scalars(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def _colleague(unit: Unit, person: uuid.UUID) -> Person:
    """A person of the actor's organisation, but not the actor: so there is always one left who can undo it."""
    found = _own(unit, person, lock=True)
    if found.id == unit.required_actor.person:
        raise StateConflictError("Nobody does this to themselves. Ask a colleague.")
    return found


def _check_roles(kind: OrganisationKind, roles: frozenset[Role]) -> None:
    if not roles or not roles <= ROLES_OF[kind]:
        raise ValidationFailedError(errors={"roles": ["must be one or more roles that this organisation has"]})
    if Role.AUDITOR in roles and len(roles) > 1:
        raise ValidationFailedError(errors={"roles": ["an auditor is nothing else"]})


def _by(unit: Unit, person: Person) -> dict[str, Any]:
    """Who did it to whom; the event is the organisation's of whom it was done to."""
    actor = None if unit.actor is None else str(unit.actor.person)
    return {"actor": actor, "organisation": str(person.organisation_id), "object": str(person.id)}


def _words(roles: frozenset[Role]) -> tuple[str, ...]:
    return tuple(sorted(role.value for role in roles))


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()
