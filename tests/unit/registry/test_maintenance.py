"""Time passes: reviews that were missed suspend, retention that is over leaves a tombstone, each with its event."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select

from audit.events import parse_event
from screening.cli.maintain import Maintained, maintain_registry
from screening.crypto.signing import Statement
from screening.evaluator.maintenance import KEEP_BATCHES
from screening.evaluator.models import EvaluationBatch
from screening.evaluator.service import CLOCK_TOLERANCE
from screening.registry import maintenance
from screening.registry.idempotency import claim_key
from screening.registry.maintenance import purge, run_expiries
from screening.registry.models import EventRow, IdempotencyKey, LoginSession, Outcome, RecordState, RecordVersion, Token
from screening.registry.records import add_version, approve_version, create_record
from screening.registry.screenings import screen_candidates
from screening.registry.sessions import open_session
from tests.factories import PASSWORD, World, in_days


def pending(world: World) -> dict[str, str]:
    return {
        "basis": "pending",
        "review_on": str(in_days(world.clock, 100)),
        "expires_on": str(in_days(world.clock, 900)),
    }


def outcome(world: World) -> Outcome:
    request = world.request(world.candidate(world.alpha))
    (result,) = world.act(world.alpha.recruiter, screen_candidates, request).results
    return result.outcome


def test_before_its_dates_nothing_happens_to_a_record(world: World) -> None:
    id = world.active_record(world.beta, signed=pending(world))
    world.clock.advance(days=98)
    before = world.events()
    done = world.act(None, run_expiries)
    assert (done.suspended, done.expired, done.more) == (0, 0, False)
    assert world.stored_record(id).state is RecordState.ACTIVE
    assert world.events() == before


def test_a_pending_record_whose_review_was_missed_is_suspended_and_keeps_its_dossier(world: World) -> None:
    id = world.active_record(world.beta, signed=pending(world))
    world.clock.advance(days=100)
    assert outcome(world) is Outcome.POSSIBLE
    done = world.act(None, run_expiries)
    assert (done.suspended, done.expired) == (1, 0)
    assert world.stored_record(id).state is RecordState.SUSPENDED
    assert world.count(Token) == 0
    assert outcome(world) is Outcome.NO_RECORD
    with world.sessions() as session:
        version = session.scalars(select(RecordVersion)).one()
        row = session.scalars(select(EventRow).where(EventRow.tag == "registry:record:suspended")).one()
    assert version.entries is not None
    assert version.dossier is not None
    parsed = parse_event(row.body)
    assert (parsed.actor, parsed.organisation, parsed.object) == (None, str(world.beta.id), str(id))


def test_a_suspended_record_matches_again_once_a_correction_is_approved(world: World) -> None:
    alpha, made = world.alpha, world.record(world.alpha, signed=pending(world))
    record, _ = world.act(alpha.admin, create_record, **made)
    world.act(alpha.second_admin, approve_version, record.id, etag=1, approval=world.approval(alpha, made["version"]))
    world.clock.advance(days=100)
    world.act(None, run_expiries)
    second = world.version(alpha, record.id, number=2, previous=made["version"].digest)
    world.act(alpha.admin, add_version, record.id, etag=3, submit=True, **second)
    assert world.stored_record(record.id).state is RecordState.SUSPENDED
    approval = world.approval(alpha, second["version"])
    world.act(alpha.second_admin, approve_version, record.id, etag=4, approval=approval)
    assert world.stored_record(record.id).state is RecordState.ACTIVE
    assert outcome(world) is Outcome.POSSIBLE


@pytest.mark.parametrize("submitted", [True, False])
def test_an_expired_record_is_a_tombstone_whatever_its_state(world: World, submitted: bool) -> None:
    approved = world.active_record(world.beta)
    other, _ = world.act(world.alpha.admin, create_record, **world.record(world.alpha, submit=submitted))
    world.clock.advance(days=1_000)
    done = world.act(None, run_expiries)
    assert (done.suspended, done.expired) == (0, 2)
    assert {world.stored_record(id).state for id in (approved, other.id)} == {RecordState.EXPIRED}
    assert world.count(Token) == 0
    with world.sessions() as session:
        versions = session.scalars(select(RecordVersion)).all()
    assert all((v.entries, v.dossier) == (None, None) for v in versions)
    assert all(Statement.from_json(v.statement, expected_type="record-version") for v in versions)
    assert world.events()[-2:] == ["registry:record:expired"] * 2


def test_done_twice_it_does_nothing_more(world: World) -> None:
    world.active_record(world.beta)
    world.clock.advance(days=1_000)
    world.act(None, run_expiries)
    events = world.events()
    assert world.act(None, run_expiries).expired == 0
    assert world.events() == events


def test_many_are_done_in_several_units(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        world.active_record(world.beta, seed=str(number))
    monkeypatch.setattr(maintenance, "AT_ONCE", 2)
    world.clock.advance(days=1_000)
    first, second = world.act(None, run_expiries), world.act(None, run_expiries)
    assert (first.expired, first.more) == (2, True)
    assert (second.expired, second.more) == (1, False)


def test_old_sessions_are_forgotten_and_present_ones_kept(world: World) -> None:
    world.act(None, open_session, world.registrar.email, PASSWORD)
    world.act(None, purge)
    assert world.count(LoginSession) == 1
    world.clock.advance(seconds=timedelta(days=31).total_seconds())
    world.act(None, purge)
    assert world.count(LoginSession) == 0


def charge(world: World, *, days_ago: int) -> None:
    row = {"organisation": str(world.alpha.id), "batch": str(uuid.uuid4()), "digest": b"d" * 32}
    counts = {"purpose": "screening", "candidates": 1, "elements": 8}
    with world.unit() as unit:
        when = unit.now - timedelta(days=days_ago)
        unit.session.add(EvaluationBatch(**row, **counts, created_at=when))


def test_a_pass_does_all_that_is_due_and_a_second_one_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "AT_ONCE", 2)
    pending_ones = [world.active_record(world.beta, seed=f"p{n}", signed=pending(world)) for n in range(3)]
    short = {"expires_on": str(in_days(world.clock, 50))}
    expiring = [world.active_record(world.alpha, seed=f"e{n}", signed=short) for n in range(3)]
    kept = world.active_record(world.alpha, seed="kept")
    world.act(None, open_session, world.registrar.email, PASSWORD)
    world.act(world.alpha.admin, claim_key, endpoint="records.create", key="k", body_digest=b"d" * 32)
    world.clock.advance(days=100)
    world.act(None, open_session, world.registrar.email, PASSWORD)
    world.act(world.alpha.admin, claim_key, endpoint="records.create", key="new", body_digest=b"d" * 32)
    for days_ago in (0, 399, 401):
        charge(world, days_ago=days_ago)
    before = world.events()
    done = maintain_registry(world.unit)
    assert done == Maintained(suspended=3, expired=3, answers=1, sessions=1, batches=1)
    written = sorted(world.events()[len(before) :])
    assert written == ["registry:record:expired"] * 3 + ["registry:record:suspended"] * 3
    assert {world.stored_record(id).state for id in pending_ones} == {RecordState.SUSPENDED}
    assert {world.stored_record(id).state for id in expiring} == {RecordState.EXPIRED}
    assert world.stored_record(kept).state is RecordState.ACTIVE
    assert [world.count(table) for table in (LoginSession, IdempotencyKey, EvaluationBatch)] == [1, 1, 2]
    events = world.events()
    assert maintain_registry(world.unit) == Maintained(0, 0, 0, 0, 0)
    assert world.events() == events


def test_two_passes_at_once_do_everything_once(world: World) -> None:
    for number in range(6):
        world.active_record(world.beta, seed=str(number))
    world.clock.advance(days=1_000)
    barrier = Barrier(2)

    def run(_: int) -> Maintained:
        barrier.wait()
        return maintain_registry(world.unit)

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(run, range(2)))
    assert sum(one.expired for one in done) == 6
    assert world.events().count("registry:record:expired") == 6


def test_a_batch_is_kept_far_longer_than_a_request_can_be_replayed() -> None:
    assert KEEP_BATCHES > 100 * 2 * CLOCK_TOLERANCE
