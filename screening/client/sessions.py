"""Logging in and out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from screening.client.answers import Fields
from screening.client.client import Client
from screening.client.errors import NotLoggedInError, ProblemError
from screening.client.profile import StoredSession
from screening.client.verification import verify_promise


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Who has logged in, and until when."""

    person: str
    name: str
    organisation: str
    roles: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One of a person's sessions."""

    id: str
    created_at: datetime
    expires_at: datetime
    current: bool


class Sessions:
    """Sessions of the person who works with a profile."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def open(self, email: str, password: str) -> LoggedIn:
        """Logs in and keeps the session in the profile.

        Raises:
            ProblemError: `unauthenticated` for a wrong e-mail address or password, `rate-limited` after too many.
        """
        body = {"email": email, "password": password}
        answer = Fields.of(self._client.open_call("POST", "/v1/sessions", json_content=body).content)
        verify_promise(answer.content.get("promise"), self._client.trust, now=self._client.clock())
        person = answer.object("person")
        session = StoredSession(answer.text("token"), person.content, answer.time("expires_at"))
        logged_in = _logged_in(person, session.expires_at)
        self._client.profile.save_session(session)
        return logged_in

    def current(self) -> LoggedIn:
        """Who is logged in, as far as the profile knows.

        Raises:
            NotLoggedInError: Nobody.
        """
        session = self._client.profile.session
        return _logged_in(Fields.of(session.person, "person"), session.expires_at)

    def list(self) -> Sequence[OpenSession]:
        """All of the person's sessions that have not ended."""
        answer = Fields.of(self._client.call("GET", "/v1/sessions").content)
        return [
            OpenSession(
                item.id("id"), item.time("created_at"), item.time("expires_at"), item.content.get("current") is True
            )
            for item in answer.objects("sessions")
        ]

    def end(self, session: str = "current") -> None:
        """Ends a session at the registry; the current one is forgotten here as well.

        Args:
            session: Its id, or `current`.
        """
        try:
            self._client.call("DELETE", f"/v1/sessions/{session}")
        except NotLoggedInError as error:
            if not isinstance(error.__cause__, ProblemError):
                raise  # there was no session to begin with
        if session == "current":
            self._client.profile.forget_session()


def _logged_in(person: Fields, expires_at: datetime) -> LoggedIn:
    return LoggedIn(person.id("id"), person.text("name"), person.id("organisation"), person.texts("roles"), expires_at)
