"""People of one's own organisation, and invitations."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

from screening.api import answers, schemas
from screening.api.operations import Answer, Blueprint, Call
from screening.api.resources import shapes
from screening.registry import people
from screening.registry.models import Role
from screening.registry.unit import Units

blueprint = Blueprint("people", __name__, url_prefix="/v1", description="The people of one's own organisation.")
invitations = Blueprint("invitations", __name__, url_prefix="/v1", description="Codes with which people join.")


@invitations.operation(
    "/invitations", "POST", body=schemas.Invitation, answer=answers.Invited, status=HTTPStatus.CREATED
)
def create(call: Call) -> Answer:
    """Invite a person; the code is shown this once.

    Entity admins invite into their own organisation. Registrars invite colleagues, and the first entity admins of
    other organisations. Somebody who was invited and has not come yet gets a new code in place of the old one.
    """
    body = call.body
    invited = people.invite_person(
        call.unit,
        organisation=body.get("organisation") or call.unit.required_actor.organisation,
        email=body["email"],
        name=body["name"],
        roles=[Role(role) for role in body["roles"]],
    )
    person, expires_at = shapes.person(invited.person), shapes.time(invited.expires_at)
    return Answer(shapes.act(invited.promise, person=person, code=invited.code, expires_at=expires_at))


def _hash_password(read: Units, body: Mapping[str, Any]) -> str:
    return people.hash_new_password(read, body["code"], body["password"])


@invitations.operation(
    "/invitations/accept",
    "POST",
    body=schemas.Acceptance,
    answer=answers.PersonAct,
    body_limit=8 * 1024,
    prepare=_hash_password,
)
def accept(call: Call) -> Answer:
    """Join with an invitation's code and a password of one's own choice."""
    person, promise = people.accept_invitation(call.unit, call.body["code"], call.body["password"], call.prepared)
    return Answer(shapes.act(promise, person=shapes.person(person)))


@blueprint.operation("/people", "GET", answer=answers.People)
def list(call: Call) -> Answer:
    """List the people of one's own organisation, by name."""
    return Answer({"people": [shapes.person(row) for row in people.list_people(call.unit)], "next": None})


@blueprint.operation("/people/<uuid:person>", "GET", answer=answers.OnePerson)
def show(call: Call, *, person: UUID) -> Answer:
    """Show a person of one's own organisation."""
    return Answer({"person": shapes.person(people.get_person(call.unit, person))})


@blueprint.operation("/people/<uuid:person>/roles", "PUT", body=schemas.Roles, answer=answers.PersonAct)
def change_roles(call: Call, *, person: UUID) -> Answer:
    """Give a colleague exactly these roles, from the next request on."""
    changed, promise = people.change_roles(call.unit, person, [Role(role) for role in call.body["roles"]])
    return Answer(shapes.act(promise, person=shapes.person(changed)))


@blueprint.operation("/people/<uuid:person>/suspend", "POST", answer=answers.PersonAct)
def suspend(call: Call, *, person: UUID) -> Answer:
    """Keep a colleague out; all of their sessions end at once."""
    suspended, promise = people.suspend_person(call.unit, person)
    return Answer(shapes.act(promise, person=shapes.person(suspended)))


@blueprint.operation("/people/<uuid:person>/reinstate", "POST", answer=answers.PersonAct)
def reinstate(call: Call, *, person: UUID) -> Answer:
    """Let a suspended colleague in again."""
    reinstated, promise = people.reinstate_person(call.unit, person)
    return Answer(shapes.act(promise, person=shapes.person(reinstated)))
