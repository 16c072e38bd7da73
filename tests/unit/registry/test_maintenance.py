"""Time passes: reviews that were missed suspend, retention that is over leaves a tombstone, each with its event."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from audit.events import parse_event
from screening.crypto.signing import Statement
from screening.registry import maintenance
from screening.registry.maintenance import purge, run_expiries
from screening.registry.models import EventRow, LoginSession, Outcome, RecordState, RecordVersion, Token
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
