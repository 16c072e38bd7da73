"""People of an organisation: invitations, roles, suspension."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import uuid4

from screening.client.answers import Fields
from screening.client.client import Client
from screening.client.pages import pages
from screening.client.verification import verify_promise

ROLES: Final = ("recruiter", "entity_admin", "auditor", "registrar")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may log in."""

    id: str
    email: str
    name: str
    organisation: str
    roles: tuple[str, ...]
    state: str

    @classmethod
    def from_answer(cls, fields: Fields) -> "Person":
        """Reads a person from an answer."""
        return cls(
            fields.id("id"),
            fields.text("email"),
            fields.text("name"),
            fields.id("organisation"),
            fields.texts("roles"),
            fields.text("state"),
        )


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation; the code is shown once and is handed to the person over another channel than e-mail."""

    person: Person
    code: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Invitation(person={self.person.id!r}, expires_at={self.expires_at.isoformat()})"


class People:
    """The people of one's own organisation; a registrar also invites other organisations' first entity admins."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def invite(self, *, email: str, name: str, roles: Sequence[str], organisation: str | None = None) -> Invitation:
        """Invites somebody.

        Args:
            email: The person's address, which is also the log-in.
            name: The person's name.
            roles: Of `ROLES`.
            organisation: The organisation's id; one's own by default.
        """
        body: dict[str, object] = {"email": email, "name": name, "roles": list(roles)}
        if organisation is not None:
            body["organisation"] = organisation
        answer = self._act("POST", "/v1/invitations", body, repeatable=False)  # the code is in the first answer only
        person = Person.from_answer(answer.object("person"))
        return Invitation(person, answer.text("code"), answer.time("expires_at"))

    def accept(self, code: str, password: str) -> None:
        """Accepts an invitation and sets the password; needs no session.

        Raises:
            ProblemError: `invitation-invalid`, or `password-refused` with the reason.
        """
        body = {"code": code, "password": password}
        answer = self._client.open_call("POST", "/v1/invitations/accept", json_content=body)
        verify_promise(Fields.of(answer.content).content.get("promise"), self._client.trust, now=self._client.clock())

    def list(self) -> Sequence[Person]:
        """Everybody in one's own organisation; nobody sees another's people."""
        return [Person.from_answer(item) for item in pages(self._client, "/v1/people", "people")]

    def set_roles(self, person: str, roles: Sequence[str]) -> Person:
        """Gives a person exactly these roles."""
        return Person.from_answer(
            self._act("PUT", f"/v1/people/{person}/roles", {"roles": list(roles)}).object("person")
        )

    def suspend(self, person: str) -> Person:
        """Suspends a person; their sessions end at once."""
        return Person.from_answer(self._act("POST", f"/v1/people/{person}/suspend", None).object("person"))

    def reinstate(self, person: str) -> Person:
        """Lets a suspended person log in again."""
        return Person.from_answer(self._act("POST", f"/v1/people/{person}/reinstate", None).object("person"))

    def _act(self, method: str, path: str, body: object, *, repeatable: bool = True) -> Fields:
        key = str(uuid4()) if method == "POST" and repeatable else None
        answer = Fields.of(self._client.call(method, path, json_content=body, idempotency_key=key).content)
        verify_promise(answer.content.get("promise"), self._client.trust, now=self._client.clock())
        return answer
