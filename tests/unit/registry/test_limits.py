"""Policy, budgets and idempotency: bounded, charged once, and never overdrawn or done twice by a race."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select

from screening.registry.budgets import charge_candidates
from screening.registry.errors import (
    BudgetSpentError,
    IdempotencyConflictError,
    NotFoundError,
    PolicyOutOfBoundsError,
    ValidationFailedError,
)
from screening.registry.idempotency import KeptAnswer, claim_key, keep_answer, purge_keys
from screening.registry.models import IdempotencyKey, PolicyValue, Screening, ScreeningBucket
from screening.registry.policy import POLICY_VALUES, change_policy, list_policies, policy_value
from screening.registry.rows import insert_missing
from screening.registry.screenings import ScreeningRequest, screen_candidates
from screening.registry.unit import Unit
from tests.factories import Someone, World

DIGEST = hashlib.sha256(b"body").digest()


# --- policy ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", POLICY_VALUES)
def test_every_policy_has_its_default_within_its_bounds_and_says_what_it_does(name: str) -> None:
    policy = POLICY_VALUES[name]
    assert policy.name == name
    assert policy.minimum <= policy.default <= policy.maximum
    assert policy.sentence.endswith(".")
    assert policy.unit


@pytest.mark.parametrize("bound", ["minimum", "maximum"])
def test_a_policy_can_be_set_to_its_bounds_and_not_beyond(world: World, bound: str) -> None:
    policy = POLICY_VALUES["session_hours"]
    value: int = getattr(policy, bound)
    changed, _ = world.act(world.registrar, change_policy, "session_hours", value)
    assert changed.value == value
    beyond = value + (1 if bound == "maximum" else -1)
    with pytest.raises(PolicyOutOfBoundsError):
        world.act(world.registrar, change_policy, "session_hours", beyond)
    with world.sessions() as session:
        assert policy_value(session, "session_hours") == value
    assert world.events().count("registry:policy:changed") == 1


def test_true_is_no_value_of_a_policy(world: World) -> None:
    with pytest.raises(PolicyOutOfBoundsError):
        world.act(world.registrar, change_policy, "session_hours", True)


def test_a_policy_that_does_not_exist_cannot_be_changed(world: World) -> None:
    with pytest.raises(NotFoundError):
        world.act(world.registrar, change_policy, "audit_enabled", 0)
    assert world.count(PolicyValue) == 0


def test_a_changed_policy_is_in_force_at_once_also_in_the_unit_that_read_it_before(world: World) -> None:
    with world.unit(world.registrar) as unit:
        assert policy_value(unit.session, "session_hours") == 12
        change_policy(unit, "session_hours", 3)
        assert policy_value(unit.session, "session_hours") == 3
    listed = {one.policy.name: one for one in world.act(world.registrar, list_policies)}
    assert listed.keys() == POLICY_VALUES.keys()
    assert listed["session_hours"].value == 3
    assert listed["session_hours"].changed_at is not None
    assert listed["invitation_hours"].changed_at is None


def test_a_stored_value_outside_its_bounds_counts_as_the_bound(world: World) -> None:
    row = {"name": "session_hours", "value": 9_999, "changed_at": world.clock.now}
    with world.unit(world.registrar) as unit:
        insert_missing(unit.session, PolicyValue, [{**row, "changed_by": world.registrar.person}])
        assert policy_value(unit.session, "session_hours") == 24


# --- budgets -----------------------------------------------------------------------------------------------------


@pytest.fixture
def tight(world: World) -> World:
    """Ten candidates a day for a person, fifteen for an organisation."""
    world.act(world.registrar, change_policy, "screening_candidates_per_person_per_day", 10)
    world.act(world.registrar, change_policy, "screening_candidates_per_organisation_per_day", 15)
    return world


def buckets(world: World) -> dict[str, float]:
    with world.sessions() as session:
        return {row.name: row.level for row in session.scalars(select(ScreeningBucket))}


def test_a_person_and_the_organisation_are_charged(tight: World) -> None:
    alpha = tight.alpha
    person, organisation = tight.act(alpha.recruiter, charge_candidates, 4)
    assert (person.capacity, person.remaining) == (10, 6)
    assert (organisation.capacity, organisation.remaining) == (15, 11)
    assert buckets(tight) == {f"person:{alpha.recruiter.person}": 4.0, f"organisation:{alpha.id}": 4.0}


def test_a_spent_budget_says_when_to_come_back_and_charges_nothing(tight: World) -> None:
    recruiter = tight.alpha.recruiter
    tight.act(recruiter, charge_candidates, 8)
    before = buckets(tight)
    with pytest.raises(BudgetSpentError) as caught:
        tight.act(recruiter, charge_candidates, 3)
    assert buckets(tight) == before
    assert 8_600 <= caught.value.retry_after <= 8_640  # a tenth of a day, less what has leaked since
    tight.clock.advance(seconds=caught.value.retry_after)
    person, _ = tight.act(recruiter, charge_candidates, 3)
    assert person.remaining == 0


def test_a_colleague_has_a_budget_of_their_own_within_the_organisations(tight: World) -> None:
    alpha = tight.alpha
    tight.act(alpha.recruiter, charge_candidates, 10)
    tight.act(alpha.admin, charge_candidates, 5)
    with pytest.raises(BudgetSpentError):
        tight.act(alpha.second_admin, charge_candidates, 1)
    tight.act(tight.beta.recruiter, charge_candidates, 10)


def test_more_than_a_whole_budget_at_once_is_never_allowed(tight: World) -> None:
    with pytest.raises(BudgetSpentError) as caught:
        tight.act(tight.alpha.recruiter, charge_candidates, 11)
    assert caught.value.retry_after == 86_400


def test_a_budget_is_whole_again_after_a_day_and_no_more_than_whole(tight: World) -> None:
    recruiter = tight.alpha.recruiter
    tight.act(recruiter, charge_candidates, 10)
    tight.clock.advance(days=30)
    person, _ = tight.act(recruiter, charge_candidates, 10)
    assert person.remaining == 0


def test_a_clock_that_goes_back_fills_no_budget(tight: World) -> None:
    recruiter = tight.alpha.recruiter
    tight.act(recruiter, charge_candidates, 10)
    tight.clock.advance(days=-2)
    with pytest.raises(BudgetSpentError):
        tight.act(recruiter, charge_candidates, 1)


def test_no_race_overdraws_a_budget(tight: World) -> None:
    barrier = Barrier(4)

    def charge(someone: Someone) -> int:
        barrier.wait()
        charged = 0
        for _ in range(5):
            try:
                tight.act(someone, charge_candidates, 2)
            except BudgetSpentError:
                continue
            charged += 2
        return charged

    people = (tight.alpha.recruiter, tight.alpha.recruiter, tight.alpha.admin, tight.alpha.second_admin)
    with ThreadPoolExecutor(4) as pool:
        charged = list(pool.map(charge, people))
    assert sum(charged) == 14
    assert charged[0] + charged[1] <= 10
    assert buckets(tight)[f"organisation:{tight.alpha.id}"] == pytest.approx(14, abs=0.01)


def test_a_screening_that_is_refused_charges_nothing(tight: World) -> None:
    alpha = tight.alpha
    with pytest.raises(ValidationFailedError):
        tight.act(alpha.recruiter, screen_candidates, tight.request(tight.candidate(alpha), vacancy=""))
    assert buckets(tight) == {}


# --- idempotency -------------------------------------------------------------------------------------------------


def once(unit: Unit, key: str, request: ScreeningRequest, digest: bytes = DIGEST) -> Any:
    kept = claim_key(unit, endpoint="screenings.create", key=key, body_digest=digest)
    if kept is not None:
        return kept.answer
    answer = {"ids": [str(result.id) for result in screen_candidates(unit, request).results]}
    keep_answer(unit, endpoint="screenings.create", key=key, status=201, answer=answer)
    return answer


def test_the_same_request_again_gets_the_same_answer_and_is_done_once(world: World) -> None:
    request = world.request(world.candidate(world.alpha))
    first = world.act(world.alpha.recruiter, once, "key-1", request)
    events = world.events()
    assert world.act(world.alpha.recruiter, once, "key-1", request) == first
    assert world.count(Screening) == 1
    assert world.events() == events


def test_two_equal_requests_at_once_are_done_once(world: World) -> None:
    request, barrier = world.request(world.candidate(world.alpha)), Barrier(2)

    def ask(_: int) -> Any:
        barrier.wait()
        return world.act(world.alpha.recruiter, once, "key-1", request)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(ask, range(2))
    assert first == second
    assert world.count(Screening) == 1
    assert buckets(world)[f"organisation:{world.alpha.id}"] == 1.0


def test_a_key_with_another_body_is_refused(world: World) -> None:
    request = world.request(world.candidate(world.alpha))
    world.act(world.alpha.recruiter, once, "key-1", request)
    with pytest.raises(IdempotencyConflictError):
        world.act(world.alpha.recruiter, once, "key-1", request, hashlib.sha256(b"other").digest())
    assert world.count(Screening) == 1


def test_a_key_is_its_persons_and_its_endpoints(world: World) -> None:
    def claim(unit: Unit, endpoint: str) -> KeptAnswer | None:
        kept = claim_key(unit, endpoint=endpoint, key="key-1", body_digest=DIGEST)
        if kept is None:
            keep_answer(unit, endpoint=endpoint, key="key-1", status=200, answer=endpoint)
        return kept

    assert world.act(world.alpha.recruiter, claim, "a") is None
    assert world.act(world.alpha.recruiter, claim, "b") is None
    assert world.act(world.beta.recruiter, claim, "a") is None
    assert world.act(world.alpha.recruiter, claim, "a") == KeptAnswer(200, "a")


def test_a_request_that_failed_may_be_repeated_with_its_key(world: World) -> None:
    bad = world.request(world.candidate(world.alpha), vacancy="")
    with pytest.raises(ValidationFailedError):
        world.act(world.alpha.recruiter, once, "key-1", bad)
    assert world.count(IdempotencyKey) == 0
    assert world.act(world.alpha.recruiter, once, "key-1", world.request(world.candidate(world.alpha)))


def test_a_key_that_was_claimed_and_never_answered_is_not_taken_for_an_answer(world: World) -> None:
    def claim(unit: Unit) -> KeptAnswer | None:
        return claim_key(unit, endpoint="a", key="key-1", body_digest=DIGEST)

    assert world.act(world.alpha.recruiter, claim) is None
    with pytest.raises(IdempotencyConflictError):
        world.act(world.alpha.recruiter, claim)


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 129, "key\n", "ключ"])
def test_a_key_of_another_form_is_refused(world: World, key: str) -> None:
    with pytest.raises(ValidationFailedError):
        world.act(world.alpha.recruiter, once, key, world.request(world.candidate(world.alpha)))


def test_answers_are_forgotten_after_their_time(world: World) -> None:
    request = world.request(world.candidate(world.alpha))
    world.act(world.alpha.recruiter, once, "key-1", request)
    world.clock.advance(days=6)
    assert world.act(world.alpha.recruiter, purge_keys) == 0
    world.clock.advance(days=2)
    assert world.act(world.alpha.recruiter, purge_keys) == 1
    assert world.count(IdempotencyKey) == 0


def test_rows_that_are_there_are_left_and_the_others_inserted(world: World) -> None:
    def insert(unit: Unit, *names: str) -> int:
        rows = [{"name": name, "level": 1.0, "updated_at": unit.now} for name in names]
        return insert_missing(unit.session, ScreeningBucket, rows)

    assert world.act(None, insert, "a") == 1
    assert world.act(None, insert, "a") == 0
    assert world.act(None, insert, "a", "b") == 1
    assert buckets(world).keys() == {"a", "b"}
