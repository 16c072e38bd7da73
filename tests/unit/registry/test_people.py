"""People and log-ins: who may invite whom, what a code and a password are worth, and that access ends at once."""

import hashlib
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select

from audit.events import parse_event
from screening.registry.errors import (
    ConflictError,
    ForbiddenError,
    InvitationInvalidError,
    LogInLimitedError,
    LogInRefusedError,
    LogInSuspendedError,
    NotFoundError,
    OrganisationSuspendedError,
    PasswordRefusedError,
    RegistryError,
    SessionEndedError,
    StateConflictError,
    UnauthenticatedError,
    ValidationFailedError,
)
from screening.registry.models import EventRow, Invitation, LoginFailures, LoginSession, Person, PersonState, Role
from screening.registry.organisations import reinstate_organisation, suspend_organisation
from screening.registry.people import (
    accept_invitation,
    change_roles,
    get_person,
    hash_new_password,
    invite_person,
    list_people,
    reinstate_person,
    suspend_person,
)
from screening.registry.policy import change_policy
from screening.registry.sessions import (
    OpenedSession,
    authenticate,
    check_password,
    end_session,
    list_sessions,
    note_use,
    open_session,
)
from screening.registry.unit import Actor
from tests.factories import PASSWORD, Someone, World, cheap_passwords

WRONG = "a wrong password, but long"


def invite(world: World, by: Someone, organisation: uuid.UUID, *roles: Role, email: str = "new@x.example") -> Any:
    return world.act(by, invite_person, organisation=organisation, email=email, name="New Person", roles=roles)


def log_in(world: World, someone: Someone, password: str = PASSWORD) -> OpenedSession:
    return world.act(None, open_session, someone.email, password)


def who(world: World, token: str) -> Actor:
    with world.unit(write=False) as unit:
        return authenticate(unit.session, token, world.clock)


def refusals(world: World) -> list[str]:
    with world.sessions() as session:
        query = select(EventRow.body).where(EventRow.tag == "registry:session:refused").order_by(EventRow.id)
        return [str(parse_event(body).fields["reason"]) for body in session.scalars(query)]


# --- invitations -------------------------------------------------------------------------------------------------


def test_an_invited_person_chooses_a_password_and_logs_in(world: World) -> None:
    invited = invite(world, world.alpha.admin, world.alpha.id, Role.RECRUITER)
    assert invited.code.startswith("inv_")
    assert invited.person.state is PersonState.INVITED
    person, _ = world.act(None, accept_invitation, invited.code, PASSWORD)
    assert person.state is PersonState.ACTIVE
    opened = world.act(None, open_session, "NEW@x.example ", PASSWORD)
    assert who(world, opened.token).roles == {Role.RECRUITER}
    assert world.events()[-3:] == ["registry:person:invited", "registry:person:activated", "registry:session:opened"]


def test_neither_code_token_nor_password_is_stored_or_shown(world: World) -> None:
    invited = invite(world, world.alpha.admin, world.alpha.id, Role.RECRUITER)
    assert invited.code not in repr(invited)
    with world.sessions() as session:
        assert session.scalars(select(Invitation.code_hash)).all() == [hashlib.sha256(invited.code.encode()).digest()]
    world.act(None, accept_invitation, invited.code, PASSWORD)
    opened = world.act(None, open_session, "new@x.example", PASSWORD)
    assert opened.token not in repr(opened)
    with world.sessions() as session:
        assert session.scalars(select(LoginSession.token_hash)).all() == [
            hashlib.sha256(opened.token.encode()).digest()
        ]
        assert all(PASSWORD not in str(stored) for stored in session.scalars(select(Person.password_hash)))


def test_a_code_works_once(world: World) -> None:
    invited = invite(world, world.alpha.admin, world.alpha.id, Role.RECRUITER)
    world.act(None, accept_invitation, invited.code, PASSWORD)
    with pytest.raises(InvitationInvalidError):
        world.act(None, accept_invitation, invited.code, PASSWORD + "!")


def test_a_code_used_twice_at_once_works_once(world: World) -> None:
    invited, barrier = invite(world, world.alpha.admin, world.alpha.id, Role.RECRUITER), Barrier(2)

    def accept(password: str) -> bool:
        barrier.wait()
        try:
            world.act(None, accept_invitation, invited.code, password)
        except InvitationInvalidError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(accept, (PASSWORD, PASSWORD + "!"))) == [False, True]


def test_an_invitation_lasts_as_long_as_the_policy_says(world: World) -> None:
    world.act(world.registrar, change_policy, "invitation_hours", 2)
    first = invite(world, world.alpha.admin, world.alpha.id, Role.RECRUITER)
    world.clock.advance(hours=2)
    with pytest.raises(InvitationInvalidError):
        world.act(None, accept_invitation, first.code, PASSWORD)


def test_a_second_invitation_replaces_the_first(world: World) -> None:
    first = invite(world, world.alpha.admin, world.alpha.id, Role.RECRUITER)
    second = invite(world, world.alpha.second_admin, world.alpha.id, Role.AUDITOR)
    assert second.person.id == first.person.id
    with pytest.raises(InvitationInvalidError):
        world.act(None, accept_invitation, first.code, PASSWORD)
    person, _ = world.act(None, accept_invitation, second.code, PASSWORD)
    assert person.roles == {Role.AUDITOR}


@pytest.mark.parametrize("code", ["", "inv_", "inv_" + "A" * 32, "x" * 10_000, "\ud800"])
def test_an_unknown_code_is_refused(world: World, code: str) -> None:
    with pytest.raises(InvitationInvalidError):
        world.act(None, accept_invitation, code, PASSWORD)


@pytest.mark.parametrize("password", ["", "short", "a" * 30, "x" * 2_000])
def test_a_password_that_may_not_be_used_leaves_the_code_valid(world: World, password: str) -> None:
    invited = invite(world, world.alpha.admin, world.alpha.id, Role.RECRUITER)
    with pytest.raises(PasswordRefusedError):
        world.act(None, accept_invitation, invited.code, password)
    world.act(None, accept_invitation, invited.code, PASSWORD)


def test_an_address_that_somebody_has_is_refused(world: World) -> None:
    for email in (world.alpha.recruiter.email, world.beta.recruiter.email.upper()):
        with pytest.raises(ConflictError):
            invite(world, world.alpha.admin, world.alpha.id, Role.RECRUITER, email=email)


def test_a_registrar_invites_entity_admins_and_they_invite_everybody_else(world: World) -> None:
    invite(world, world.registrar, world.alpha.id, Role.ENTITY_ADMIN)
    with pytest.raises(ForbiddenError):
        invite(world, world.registrar, world.alpha.id, Role.RECRUITER, email="other@x.example")
    with pytest.raises(NotFoundError):
        invite(world, world.alpha.admin, world.beta.id, Role.RECRUITER, email="other@x.example")
    with pytest.raises(NotFoundError):
        invite(world, world.registrar, uuid.uuid4(), Role.ENTITY_ADMIN, email="other@x.example")


@pytest.mark.parametrize(
    "roles", [(), (Role.REGISTRAR,), (Role.AUDITOR, Role.RECRUITER), (Role.ENTITY_ADMIN, Role.REGISTRAR)], ids=str
)
def test_roles_that_a_member_cannot_have_are_refused(world: World, roles: Iterable[Role]) -> None:
    with pytest.raises(ValidationFailedError):
        invite(world, world.alpha.admin, world.alpha.id, *roles)
    with pytest.raises(ValidationFailedError):
        world.act(world.alpha.admin, change_roles, world.alpha.recruiter.person, roles)


@pytest.mark.parametrize("roles", [(Role.RECRUITER,), (Role.ENTITY_ADMIN,), (Role.REGISTRAR, Role.AUDITOR)], ids=str)
def test_roles_that_the_operator_cannot_have_are_refused(world: World, roles: Iterable[Role]) -> None:
    with pytest.raises(ValidationFailedError):
        invite(world, world.registrar, world.registrar.organisation, *roles)


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "no address"},
        {"email": "a@b@c"},
        {"email": ""},
        {"email": "x" * 250 + "@b.example"},
        {"email": "a\n@b.example"},
        {"name": ""},
        {"name": "x" * 201},
        {"name": "a\x00b"},
        {"name": "a\u202eb"},
    ],
    ids=lambda changes: ascii(changes)[:30],
)
def test_an_address_or_name_that_cannot_be_is_refused(world: World, changes: dict[str, str]) -> None:
    before = world.events()
    values: dict[str, Any] = {"email": "new@x.example", "name": "New Person"}
    with pytest.raises(ValidationFailedError):
        world.act(
            world.alpha.admin, invite_person, organisation=world.alpha.id, roles=[Role.RECRUITER], **(values | changes)
        )
    assert world.events() == before


# --- roles and suspension ----------------------------------------------------------------------------------------


def test_changed_roles_count_from_the_next_request_on(world: World) -> None:
    token = log_in(world, world.alpha.recruiter).token
    world.act(world.alpha.admin, change_roles, world.alpha.recruiter.person, [Role.RECRUITER, Role.ENTITY_ADMIN])
    assert who(world, token).roles == {Role.RECRUITER, Role.ENTITY_ADMIN}


def test_a_suspended_person_is_out_at_once_and_reinstated_has_to_log_in_again(world: World) -> None:
    recruiter = world.alpha.recruiter
    token = log_in(world, recruiter).token
    world.act(world.alpha.admin, suspend_person, recruiter.person)
    with pytest.raises(SessionEndedError):
        who(world, token)
    with pytest.raises(LogInRefusedError):
        log_in(world, recruiter)
    world.act(world.alpha.admin, reinstate_person, recruiter.person)
    with pytest.raises(SessionEndedError):
        who(world, token)
    assert who(world, log_in(world, recruiter).token).person == recruiter.person


def test_an_invited_person_who_is_suspended_cannot_accept(world: World) -> None:
    invited = invite(world, world.alpha.admin, world.alpha.id, Role.RECRUITER)
    world.act(world.alpha.admin, suspend_person, invited.person.id)
    with pytest.raises(InvitationInvalidError):
        world.act(None, accept_invitation, invited.code, PASSWORD)
    person, _ = world.act(world.alpha.admin, reinstate_person, invited.person.id)
    assert person.state is PersonState.INVITED


def test_nobody_changes_themselves(world: World) -> None:
    admin = world.alpha.admin
    for service, extra in ((change_roles, [[Role.AUDITOR]]), (suspend_person, []), (reinstate_person, [])):
        with pytest.raises(StateConflictError):
            world.act(admin, service, admin.person, *extra)


def test_a_state_that_is_there_already_is_a_conflict(world: World) -> None:
    admin, recruiter = world.alpha.admin, world.alpha.recruiter
    with pytest.raises(StateConflictError):
        world.act(admin, reinstate_person, recruiter.person)
    world.act(admin, suspend_person, recruiter.person)
    with pytest.raises(StateConflictError):
        world.act(admin, suspend_person, recruiter.person)


def test_another_organisations_people_are_not_found(world: World) -> None:
    theirs = world.beta.recruiter.person
    attempts: list[Callable[[Someone], object]] = [
        lambda someone: world.act(someone, get_person, theirs),
        lambda someone: world.act(someone, change_roles, theirs, [Role.AUDITOR]),
        lambda someone: world.act(someone, suspend_person, theirs),
        lambda someone: world.act(someone, reinstate_person, theirs),
    ]
    before = world.events()
    for someone in (world.alpha.admin, world.registrar):
        for attempt in attempts:
            with pytest.raises(NotFoundError):
                attempt(someone)
        assert theirs not in {person.id for person in world.act(someone, list_people)}
    assert world.events() == before


def test_colleagues_are_listed(world: World) -> None:
    alpha = world.alpha
    everybody = {one.person for one in (alpha.admin, alpha.second_admin, alpha.recruiter, alpha.auditor)}
    assert {person.id for person in world.act(alpha.auditor, list_people)} == everybody
    assert world.act(alpha.auditor, get_person, alpha.admin.person).email == alpha.admin.email


# --- log-in ------------------------------------------------------------------------------------------------------


def test_a_refused_log_in_is_an_event_and_says_nothing_about_why(world: World) -> None:
    told = []
    for email, password in (
        (world.alpha.recruiter.email, WRONG),
        ("nobody@x.example", WRONG),
        ("no address", WRONG),
        (world.alpha.recruiter.email, "\ud800"),
    ):
        with pytest.raises(LogInRefusedError) as caught:
            world.act(None, open_session, email, password)
        told.append(str(caught.value))
    assert len(set(told)) == 1
    assert refusals(world) == ["wrong-credentials"] * 4
    assert world.count(LoginSession) == 0


def test_who_never_accepted_cannot_log_in(world: World) -> None:
    invited = invite(world, world.alpha.admin, world.alpha.id, Role.RECRUITER)
    with pytest.raises(LogInRefusedError):
        world.act(None, open_session, invited.person.email, "")
    assert refusals(world) == ["not-active"]


@pytest.mark.parametrize("known", [True, False])
def test_an_account_that_failed_too_often_waits_whether_it_exists_or_not(world: World, known: bool) -> None:
    someone = world.alpha.recruiter if known else replace(world.alpha.recruiter, email="nobody@x.example")
    for _ in range(5):
        with pytest.raises(LogInRefusedError):
            log_in(world, someone, WRONG)
    with pytest.raises(LogInLimitedError) as caught:
        log_in(world, someone)
    assert 0 < caught.value.retry_after <= 900
    assert refusals(world)[-1] == "too-many-failures"
    world.clock.advance(seconds=caught.value.retry_after)
    if known:
        assert log_in(world, someone).token
        assert world.count(LoginFailures) == 0


def test_guesses_at_once_are_all_counted(world: World) -> None:
    barrier = Barrier(8)

    def guess(_: int) -> type[Exception]:
        barrier.wait()
        try:
            log_in(world, world.alpha.recruiter, WRONG)
        except RegistryError as error:
            return type(error)
        return AssertionError

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(guess, range(8)))
    assert outcomes.count(LogInRefusedError) == 5
    assert outcomes.count(LogInLimitedError) == 3


def checked(world: World, someone: Someone, password: str = PASSWORD) -> Any:
    return check_password(lambda: world.unit(write=False), someone.email, password)


def test_a_password_checked_ahead_logs_in_and_a_wrong_one_is_counted_and_recorded(world: World) -> None:
    recruiter = world.alpha.recruiter
    ahead = checked(world, recruiter)
    assert world.act(None, open_session, recruiter.email, PASSWORD, ahead).person.id == recruiter.person
    with pytest.raises(LogInRefusedError):
        world.act(None, open_session, recruiter.email, WRONG, checked(world, recruiter, WRONG))
    nobody = replace(recruiter, email="nobody@x.example")
    with pytest.raises(LogInRefusedError):
        world.act(None, open_session, nobody.email, PASSWORD, checked(world, nobody))
    assert refusals(world) == ["wrong-credentials"] * 2
    assert world.count(LoginFailures) == 2


def test_what_was_checked_against_a_hash_that_changed_since_is_worth_nothing(world: World) -> None:
    recruiter = world.alpha.recruiter
    ahead, other = checked(world, recruiter), "another password, quite long"
    with world.unit() as unit:
        unit.session.get_one(Person, recruiter.person).password_hash = cheap_passwords().hash(other)
    with pytest.raises(LogInRefusedError):
        world.act(None, open_session, recruiter.email, PASSWORD, ahead)
    assert world.act(None, open_session, recruiter.email, other, ahead).token


def test_who_was_suspended_after_the_check_does_not_get_in(world: World) -> None:
    recruiter = world.alpha.recruiter
    ahead = checked(world, recruiter)
    world.act(world.alpha.admin, suspend_person, recruiter.person)
    with pytest.raises(LogInRefusedError):
        world.act(None, open_session, recruiter.email, PASSWORD, ahead)
    assert refusals(world) == ["not-active"]


def test_nothing_is_hashed_for_an_account_that_waits(world: World) -> None:
    early = checked(world, world.alpha.recruiter)
    for _ in range(5):
        with pytest.raises(LogInRefusedError):
            log_in(world, world.alpha.recruiter, WRONG)
    assert checked(world, world.alpha.recruiter) is None
    with pytest.raises(LogInLimitedError):
        world.act(None, open_session, world.alpha.recruiter.email, PASSWORD, early)
    world.clock.advance(minutes=15)
    assert checked(world, world.alpha.recruiter).check.ok


def test_an_unknown_account_costs_a_hash_as_a_known_one_does(world: World) -> None:
    verified: list[str | None] = []

    class Counting(type(cheap_passwords())):  # type: ignore[misc]  # the class is the one the tests use
        def verify(self, hash: str | None, password: str) -> Any:
            verified.append(hash)
            return super().verify(hash, password)

    counting = replace(
        world,
        context=replace(world.context, passwords=Counting(memory_kib=8, iterations=1)),
    )
    for email in (world.alpha.recruiter.email, "nobody@x.example", "no address"):
        assert not checked(counting, replace(world.alpha.recruiter, email=email), WRONG).check.ok
    assert [hash is None for hash in verified] == [False, True, True]


def test_guesses_checked_ahead_at_once_are_all_counted(world: World) -> None:
    ahead = [checked(world, world.alpha.recruiter, WRONG) for _ in range(8)]
    barrier = Barrier(8)

    def guess(one: Any) -> type[Exception]:
        barrier.wait()
        try:
            world.act(None, open_session, world.alpha.recruiter.email, WRONG, one)
        except RegistryError as error:
            return type(error)
        return AssertionError

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(guess, ahead))
    assert (outcomes.count(LogInRefusedError), outcomes.count(LogInLimitedError)) == (5, 3)


def test_a_password_hashed_ahead_is_worth_nothing_once_the_code_is_used(world: World) -> None:
    invited = invite(world, world.alpha.admin, world.alpha.id, Role.RECRUITER)
    first, second = (
        hash_new_password(lambda: world.unit(write=False), invited.code, password)
        for password in (PASSWORD, "another password, quite long")
    )
    world.act(None, accept_invitation, invited.code, PASSWORD, first)
    with pytest.raises(InvitationInvalidError):
        world.act(None, accept_invitation, invited.code, "another password, quite long", second)
    with pytest.raises(InvitationInvalidError):
        hash_new_password(lambda: world.unit(write=False), invited.code, PASSWORD)
    assert world.act(None, open_session, "new@x.example", PASSWORD).token


def test_a_hash_of_another_cost_is_renewed_at_log_in(world: World) -> None:
    dearer = replace(world.context, passwords=type(cheap_passwords())(memory_kib=16, iterations=1, parallelism=1))
    with world.sessions() as session:
        before = session.get_one(Person, world.alpha.recruiter.person).password_hash
    replace(world, context=dearer).act(None, open_session, world.alpha.recruiter.email, PASSWORD)
    with world.sessions() as session:
        after = session.get_one(Person, world.alpha.recruiter.person).password_hash
    assert before is not None
    assert after is not None
    assert "m=8," in before
    assert "m=16," in after


def test_people_of_a_suspended_organisation_are_out_at_once(world: World) -> None:
    token = log_in(world, world.alpha.recruiter).token
    world.act(world.registrar, suspend_organisation, world.alpha.id)
    with pytest.raises(OrganisationSuspendedError):
        who(world, token)
    with pytest.raises(LogInSuspendedError):
        log_in(world, world.alpha.recruiter)
    assert refusals(world) == ["organisation-suspended"]
    world.act(world.registrar, reinstate_organisation, world.alpha.id)
    assert who(world, token).person == world.alpha.recruiter.person


# --- sessions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "scr_", "scr_" + "A" * 43, "x" * 47, "scr_" + "é" * 43, "scr_" + "A" * 10_000])
def test_an_unknown_token_is_refused(world: World, token: str) -> None:
    with pytest.raises(UnauthenticatedError):
        who(world, token)


def test_a_session_left_idle_ends_and_one_in_use_does_not(world: World) -> None:
    token = log_in(world, world.alpha.recruiter).token
    for _ in range(3):
        world.clock.advance(minutes=29)
        actor = who(world, token)
        assert actor.use_unnoted
        noting = replace(world.alpha.recruiter)
        with world.unit(noting) as unit:
            unit.actor = actor
            note_use(unit)
        assert not who(world, token).use_unnoted
    world.clock.advance(minutes=30)
    with pytest.raises(SessionEndedError):
        who(world, token)


def test_a_session_ends_after_its_hours_even_in_use(world: World) -> None:
    world.act(world.registrar, change_policy, "session_hours", 1)
    token = log_in(world, world.alpha.recruiter).token
    world.clock.advance(minutes=29)
    actor = who(world, token)
    with world.unit(world.alpha.recruiter) as unit:
        unit.actor = actor
        note_use(unit)
    world.clock.advance(minutes=29)
    who(world, token)
    with world.unit(world.alpha.recruiter) as unit:
        unit.actor = actor
        note_use(unit)
    world.clock.advance(minutes=2)
    with pytest.raises(SessionEndedError):
        who(world, token)


def test_a_session_can_be_ended_by_its_person_only(world: World) -> None:
    recruiter = world.alpha.recruiter
    first, second = log_in(world, recruiter), log_in(world, recruiter)
    for stranger in (world.alpha.admin, world.beta.recruiter):
        with pytest.raises(NotFoundError):
            world.act(stranger, end_session, first.session.id)
    assert [one.id for one in world.act(recruiter, list_sessions)] == [second.session.id, first.session.id]
    world.act(recruiter, end_session, first.session.id)
    with pytest.raises(SessionEndedError):
        who(world, first.token)
    assert who(world, second.token).session == second.session.id
    assert [one.id for one in world.act(recruiter, list_sessions)] == [second.session.id]
    with pytest.raises(NotFoundError):
        world.act(recruiter, end_session, first.session.id)
