"""Log-ins. Sessions are rows: each can be ended at once, and a suspended person's are.

A failed log-in says nothing about why, takes as long for an unknown account as for a known one, and is an event that
stays although the request fails.
"""

import hashlib
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from audit.events import SessionEnded, SessionOpened, SessionRefused
from screening.crypto.encoding import b64u
from screening.crypto.identifiers import uuid7
from screening.crypto.passwords import PasswordCheck
from screening.registry.base import table_of
from screening.registry.errors import (
    LogInLimitedError,
    LogInRefusedError,
    LogInSuspendedError,
    NotFoundError,
    OrganisationSuspendedError,
    SessionEndedError,
    UnauthenticatedError,
    ValidationFailedError,
)
from screening.registry.models import LoginFailures, LoginSession, Organisation, OrganisationState, Person, PersonState
from screening.registry.policy import policy_value
from screening.registry.rows import insert_missing
from screening.registry.texts import normalise_email
from screening.registry.unit import Actor, Clock, Unit, Units

TOKEN_PREFIX = "scr_"  # noqa: S105 - what every token begins with
_TOKEN_BYTES = 32
_TOKEN_LENGTH = len(TOKEN_PREFIX) + 43
_NOTED_EVERY = timedelta(minutes=1)
_SESSIONS, _PEOPLE, _ORGANISATIONS = table_of(LoginSession), table_of(Person), table_of(Organisation)
_HOLDER = (
    select(
        _SESSIONS.c.id,
        _SESSIONS.c.last_used_at,
        _SESSIONS.c.expires_at,
        _SESSIONS.c.ended_at,
        _PEOPLE.c.id.label("person"),
        _PEOPLE.c.organisation_id,
        _PEOPLE.c.state,
        _PEOPLE.c.roles,
        _ORGANISATIONS.c.state.label("organisation_state"),
    )
    .join_from(_SESSIONS, _PEOPLE, _PEOPLE.c.id == _SESSIONS.c.person_id)
    .join(_ORGANISATIONS, _ORGANISATIONS.c.id == _PEOPLE.c.organisation_id)
    .where(_SESSIONS.c.token_hash == bindparam("token"))
)


@dataclass(frozen=True)
class OpenedSession:
    """A log-in that succeeded."""

    session: LoginSession
    token: str = field(repr=False)
    """Shown once; the registry keeps its hash."""
    person: Person
    organisation: Organisation
    promise: dict[str, Any]


@dataclass(frozen=True)
class CheckedPassword:
    """What a password came to against the hash that was kept when it was checked."""

    kept: str | None = field(repr=False)
    check: PasswordCheck


def check_password(read: Units, email: str, password: str) -> CheckedPassword | None:
    """Checks a password for `open_session`, in no transaction: hashing takes long, and would keep others waiting.

    Nothing is told by it: what is counted, refused and recorded is decided in `open_session`.

    Args:
        read: Opens a reading unit.
        email: The account's name.
        password: The person's password.

    Returns:
        What it came to; None if the account failed too often, so that nothing is tried.
    """
    account, address = _account(email)
    with read() as unit:
        failures = unit.session.scalars(select(LoginFailures).where(LoginFailures.account == account)).one_or_none()
        if failures is not None and failures.first_at >= _window_start(unit) and _is_over(unit, failures):
            return None
        kept = _usable_hash(_find_person(unit, address))
        passwords = unit.registry.passwords
    return CheckedPassword(kept, passwords.verify(kept, password))


def open_session(unit: Unit, email: str, password: str, checked: CheckedPassword | None = None) -> OpenedSession:
    """Logs a person in.

    Args:
        unit: Writing; without an actor.
        email: The account's name.
        password: The person's password.
        checked: From `check_password`. Without it, or where the hash has changed since, the password is checked here.

    Returns:
        The session and its bearer token.

    Raises:
        LogInRefusedError: Name or password are wrong, or the account cannot be used. Recorded.
        LogInSuspendedError: They are right, but the organisation is suspended. Recorded.
        LogInLimitedError: This account name failed too often; nothing was tried. Recorded.
    """
    account, address = _account(email)
    person = _find_person(unit, address)
    _refuse_while_waiting(unit, account, person)
    hash_or_none = _usable_hash(person)
    if checked is not None and checked.kept == hash_or_none:
        check = checked.check
    else:
        check = unit.registry.passwords.verify(hash_or_none, password)
    if person is None or not check.ok:
        _count_failure(unit, account)
        _refuse(unit, person, "wrong-credentials" if hash_or_none is not None or person is None else "not-active")
        raise LogInRefusedError
    organisation = unit.session.get_one(Organisation, person.organisation_id)
    if organisation.state is OrganisationState.SUSPENDED:
        _refuse(unit, person, "organisation-suspended")
        raise LogInSuspendedError
    if check.new_hash is not None:
        person.password_hash = check.new_hash
    unit.session.execute(delete(LoginFailures).where(LoginFailures.account == account))
    token = TOKEN_PREFIX + b64u(secrets.token_bytes(_TOKEN_BYTES))
    session = LoginSession(
        id=uuid7(unit.now),
        person_id=person.id,
        token_hash=_hash(token),
        created_at=unit.now,
        last_used_at=unit.now,
        expires_at=unit.now + timedelta(hours=policy_value(unit.session, "session_hours")),
    )
    unit.session.add(session)
    promise = unit.record(
        SessionOpened(actor=str(person.id), organisation=str(person.organisation_id), object=str(session.id))
    )
    return OpenedSession(session, token, person, organisation, promise)


def authenticate(session: Session, token: str, clock: Clock) -> Actor:
    """Says who holds a bearer token. Reads only.

    Args:
        session: Where to read.
        token: As it came.
        clock: Gives the present.

    Returns:
        Who acts. Where `use_unnoted` is set, `note_use` is due.

    Raises:
        UnauthenticatedError: There is no such session.
        SessionEndedError: It ended, expired, was left idle, or its person is suspended.
        OrganisationSuspendedError: The person's organisation is suspended.
    """
    if len(token) != _TOKEN_LENGTH or not token.startswith(TOKEN_PREFIX):
        raise UnauthenticatedError
    row = session.execute(_HOLDER, {"token": _hash(token)}).one_or_none()
    if row is None:
        raise UnauthenticatedError
    now = clock()
    idle = timedelta(minutes=policy_value(session, "session_idle_minutes"))
    over = row.ended_at is not None or now >= row.expires_at or now - row.last_used_at >= idle
    if over or row.state is not PersonState.ACTIVE:
        raise SessionEndedError
    if row.organisation_state is OrganisationState.SUSPENDED:
        raise OrganisationSuspendedError
    unnoted = now - row.last_used_at >= _NOTED_EVERY
    return Actor(row.person, row.organisation_id, row.roles, row.id, use_unnoted=unnoted)


def note_use(unit: Unit) -> None:
    """Notes that the actor's session is in use, which keeps it from being idle."""
    query = update(LoginSession).where(LoginSession.id == unit.required_actor.session)
    unit.session.execute(query.values(last_used_at=unit.now))


def list_sessions(unit: Unit) -> list[LoginSession]:
    """The actor's own sessions that have not ended or expired, the newest first."""
    query = select(LoginSession).where(
        LoginSession.person_id == unit.required_actor.person,
        LoginSession.ended_at.is_(None),
        LoginSession.expires_at > unit.now,
    )
    return list(unit.session.scalars(query.order_by(LoginSession.id.desc())))


def end_session(unit: Unit, session: uuid.UUID) -> dict[str, Any]:
    """Ends one of the actor's own sessions, at once; returns the promise.

    Raises:
        NotFoundError: The actor has no such session, or it has ended.
    """
    actor = unit.required_actor
    query = select(LoginSession).where(LoginSession.id == session, LoginSession.person_id == actor.person)
    found = unit.session.scalars(query.with_for_update()).one_or_none()
    if found is None or found.ended_at is not None:
        raise NotFoundError
    found.ended_at = unit.now
    return unit.record(
        SessionEnded(actor=str(actor.person), organisation=str(actor.organisation), object=str(found.id))
    )


def purge_sessions(unit: Unit, *, after: timedelta) -> int:
    """Forgets sessions that expired some time ago, and failed log-ins that no longer count; says how many sessions."""
    result = unit.session.execute(delete(LoginSession).where(LoginSession.expires_at < unit.now - after))
    unit.session.execute(delete(LoginFailures).where(LoginFailures.first_at < _window_start(unit)))
    return int(result.rowcount)  # type: ignore[attr-defined] # a DELETE gives a CursorResult


def _account(email: str) -> tuple[bytes, str | None]:
    """Names an account for counting failures, whether it can exist or not."""
    try:
        address: str | None = normalise_email(email)
    except ValidationFailedError:
        address = None
    return _hash(email.strip().casefold() if address is None else address), address


def _find_person(unit: Unit, address: str | None) -> Person | None:
    return unit.session.scalars(select(Person).where(Person.email == address)).one_or_none()


def _usable_hash(person: Person | None) -> str | None:
    return person.password_hash if person is not None and person.state is PersonState.ACTIVE else None


def _is_over(unit: Unit, failures: LoginFailures) -> bool:
    return failures.failures >= policy_value(unit.session, "login_failures_before_wait")


def _window_start(unit: Unit) -> datetime:
    return unit.now - timedelta(minutes=policy_value(unit.session, "login_wait_minutes"))


def _refuse_while_waiting(unit: Unit, account: bytes, person: Person | None) -> None:
    """Takes the account's row, so that tries at the same time are counted one after the other."""
    insert_missing(unit.session, LoginFailures, [{"account": account, "failures": 0, "first_at": unit.now}])
    row = unit.session.scalars(select(LoginFailures).where(LoginFailures.account == account).with_for_update()).one()
    if row.first_at < _window_start(unit):
        row.failures, row.first_at = 0, unit.now
        unit.session.flush()
    if _is_over(unit, row):
        _refuse(unit, person, "too-many-failures")
        raise LogInLimitedError(retry_after=int((row.first_at - _window_start(unit)).total_seconds()) + 1)


def _count_failure(unit: Unit, account: bytes) -> None:
    query = update(LoginFailures).where(LoginFailures.account == account)
    unit.session.execute(query.values(failures=LoginFailures.failures + 1))


def _refuse(unit: Unit, person: Person | None, reason: str) -> None:
    known = None if person is None else str(person.id)
    organisation = None if person is None else str(person.organisation_id)
    unit.record(SessionRefused(actor=None, organisation=organisation, object=known, reason=reason))


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
