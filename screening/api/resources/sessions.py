"""Logging in and out."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

from screening.api import answers, schemas
from screening.api.operations import Answer, Blueprint, Call
from screening.api.resources import shapes
from screening.registry import sessions
from screening.registry.unit import Units

blueprint = Blueprint("sessions", __name__, url_prefix="/v1", description="Logging in and out.")


def _check_password(read: Units, body: Mapping[str, Any]) -> sessions.CheckedPassword | None:
    return sessions.check_password(read, body["email"], body["password"])


@blueprint.operation(
    "/sessions",
    "POST",
    body=schemas.LogIn,
    answer=answers.LoggedIn,
    status=HTTPStatus.CREATED,
    body_limit=8 * 1024,
    prepare=_check_password,
)
def open(call: Call) -> Answer:
    """Log in.

    The token is shown this once. Refused log-ins are counted for each account name and are in the access log.
    """
    opened = sessions.open_session(call.unit, call.body["email"], call.body["password"], call.prepared)
    person = {
        "id": str(opened.person.id),
        "name": opened.person.name,
        "organisation": str(opened.person.organisation_id),
        "roles": sorted(role.value for role in opened.person.roles),
    }
    expires_at = shapes.time(opened.session.expires_at)
    return Answer(shapes.act(opened.promise, token=opened.token, person=person, expires_at=expires_at))


@blueprint.operation("/sessions", "GET", answer=answers.LoginSessions)
def list(call: Call) -> Answer:
    """List one's own sessions that have not ended."""
    current = call.unit.required_actor.session
    return Answer(
        {
            "sessions": [
                {
                    "id": str(row.id),
                    "created_at": shapes.time(row.created_at),
                    "last_used_at": shapes.time(row.last_used_at),
                    "expires_at": shapes.time(row.expires_at),
                    "current": row.id == current,
                }
                for row in sessions.list_sessions(call.unit)
            ]
        }
    )


@blueprint.operation("/sessions/current", "DELETE", answer=answers.Act)
def end_current(call: Call) -> Answer:
    """Log out."""
    return Answer(shapes.act(sessions.end_session(call.unit, call.unit.required_actor.session)))


@blueprint.operation("/sessions/<uuid:session>", "DELETE", answer=answers.Act)
def end(call: Call, *, session: UUID) -> Answer:
    """End one of one's own sessions."""
    return Answer(shapes.act(sessions.end_session(call.unit, session)))
