"""A record's life: signed, approved by a second person, corrected, returned, withdrawn; another tenant sees nothing."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select

from screening.crypto.signing import Statement
from screening.registry.errors import (
    ConflictError,
    NotFoundError,
    OwnSubmissionError,
    PreconditionFailedError,
    RegistryError,
    StateConflictError,
    StatementInvalidError,
    ValidationFailedError,
)
from screening.registry.models import Record, RecordState, RecordVersion, Token, VersionState
from screening.registry.organisations import replace_certificate
from screening.registry.records import (
    add_version,
    approve_version,
    create_record,
    list_records,
    open_record,
    return_version,
    split_entries,
    submit_version,
    withdraw_record,
)
from tests.factories import World, made_up_token, signed_certificate, strong_entries


def versions(world: World, record: uuid.UUID) -> list[RecordVersion]:
    with world.sessions() as session:
        query = select(RecordVersion).where(RecordVersion.record_id == record).order_by(RecordVersion.number)
        return list(session.scalars(query))


def tokens(world: World) -> set[bytes]:
    with world.sessions() as session:
        return set(session.scalars(select(Token.token)))


def tokens_of(seed: str) -> set[bytes]:
    return {entry[2:] for entry in strong_entries(seed)}


def corrected(world: World, record: uuid.UUID, version: Statement, **changes: Any) -> dict[str, Any]:
    number = version.body["number"] + 1
    return world.version(world.alpha, record, number=number, previous=version.digest, seed="corrected", **changes)


def test_a_submitted_record_matches_once_a_second_person_approved_it(world: World) -> None:
    alpha, made = world.alpha, world.record(world.alpha)
    before = world.events()
    record, promise = world.act(alpha.admin, create_record, **made)
    assert (record.state, record.number, record.approved_number, record.revision) == (RecordState.SUBMITTED, 1, None, 1)
    assert record.reference.startswith("R-")
    assert promise["body"]["type"] == "promise"
    assert tokens(world) == set()
    approval = world.approval(alpha, made["version"])
    record, _ = world.act(alpha.second_admin, approve_version, record.id, etag=1, approval=approval)
    assert (record.state, record.approved_number, record.revision) == (RecordState.ACTIVE, 1, 2)
    assert tokens(world) == tokens_of("person")
    (version,) = versions(world, record.id)
    assert (version.submitted_by, version.approved_by) == (alpha.admin.person, alpha.second_admin.person)
    assert Statement.from_json(version.statement, expected_type="record-version") == made["version"]
    assert Statement.from_json(version.approval, expected_type="record-approval") == approval
    assert world.events() == [*before, "registry:record:submitted", "registry:record:approved"]


def test_nobody_approves_what_they_submitted(world: World) -> None:
    alpha, made = world.alpha, world.record(world.alpha)
    record, _ = world.act(alpha.admin, create_record, **made)
    with pytest.raises(OwnSubmissionError):
        world.act(alpha.admin, approve_version, record.id, etag=1, approval=world.approval(alpha, made["version"]))
    assert world.stored_record(record.id).state is RecordState.SUBMITTED
    assert tokens(world) == set()


def test_who_submits_a_colleagues_draft_does_not_approve_it(world: World) -> None:
    alpha, made = world.alpha, world.record(world.alpha, submit=False)
    record, _ = world.act(alpha.admin, create_record, **made)
    assert record.state is RecordState.DRAFT
    record, _ = world.act(alpha.second_admin, submit_version, record.id, etag=1)
    assert record.state is RecordState.SUBMITTED
    approval = world.approval(alpha, made["version"])
    with pytest.raises(OwnSubmissionError):
        world.act(alpha.second_admin, approve_version, record.id, etag=2, approval=approval)
    record, _ = world.act(alpha.admin, approve_version, record.id, etag=2, approval=approval)
    assert record.state is RecordState.ACTIVE
    assert world.events()[-3:] == ["registry:record:drafted", "registry:record:submitted", "registry:record:approved"]


def test_a_correction_stands_beside_the_version_that_matches_until_it_is_approved(world: World) -> None:
    alpha, made = world.alpha, world.record(world.alpha)
    record, _ = world.act(alpha.admin, create_record, **made)
    world.act(alpha.second_admin, approve_version, record.id, etag=1, approval=world.approval(alpha, made["version"]))
    second = corrected(world, record.id, made["version"], category="SH")
    record, _ = world.act(alpha.admin, add_version, record.id, etag=2, submit=True, **second)
    assert (record.state, record.number, record.approved_number, record.category) == (RecordState.ACTIVE, 2, 1, "SEA")
    assert tokens(world) == tokens_of("person")
    approval = world.approval(alpha, second["version"])
    record, _ = world.act(alpha.second_admin, approve_version, record.id, etag=3, approval=approval)
    assert (record.state, record.number, record.approved_number, record.category) == (RecordState.ACTIVE, 2, 2, "SH")
    assert tokens(world) == tokens_of("corrected")
    assert [version.state for version in versions(world, record.id)] == [VersionState.SUPERSEDED, VersionState.APPROVED]


def test_a_returned_version_is_a_draft_with_a_note_and_can_be_drafted_anew(world: World) -> None:
    alpha, made = world.alpha, world.record(world.alpha)
    record, _ = world.act(alpha.admin, create_record, **made)
    note = world.note(alpha, record.id, "return-note")
    record, _ = world.act(alpha.second_admin, return_version, record.id, etag=1, note=note)
    assert record.state is RecordState.DRAFT
    assert versions(world, record.id)[0].return_note == note
    with pytest.raises(StateConflictError):
        world.act(
            alpha.second_admin, approve_version, record.id, etag=2, approval=world.approval(alpha, made["version"])
        )
    second = corrected(world, record.id, made["version"])
    record, _ = world.act(alpha.admin, add_version, record.id, etag=2, submit=True, **second)
    assert (record.state, record.number) == (RecordState.SUBMITTED, 2)
    assert [version.state for version in versions(world, record.id)] == [
        VersionState.SUPERSEDED,
        VersionState.SUBMITTED,
    ]


def test_a_note_that_is_no_sealed_box_is_refused(world: World) -> None:
    alpha, made = world.alpha, world.record(world.alpha)
    record, _ = world.act(alpha.admin, create_record, **made)
    for note in (b"", b"\x00\x01", b"plain text", b"\x00\x01" + bytes(70_000)):
        with pytest.raises(StatementInvalidError):
            world.act(alpha.second_admin, return_version, record.id, etag=1, note=note)
    assert world.stored_record(record.id).revision == 1


@pytest.mark.parametrize("reason", ["overturned", "entered_in_error", "died", "other"])
def test_withdrawal_leaves_a_tombstone_without_tokens_entries_or_dossiers(world: World, reason: str) -> None:
    alpha, made = world.alpha, world.record(world.alpha)
    record, _ = world.act(alpha.admin, create_record, **made)
    world.act(alpha.second_admin, approve_version, record.id, etag=1, approval=world.approval(alpha, made["version"]))
    second = corrected(world, record.id, made["version"])
    world.act(alpha.admin, add_version, record.id, etag=2, submit=True, **second)
    withdrawal = world.withdrawal(alpha, second["version"], reason)
    record, _ = world.act(alpha.admin, withdraw_record, record.id, etag=3, withdrawal=withdrawal)
    assert record.state is RecordState.WITHDRAWN
    assert tokens(world) == set()
    stored = versions(world, record.id)
    assert [(version.entries, version.dossier, version.return_note) for version in stored] == [(None, None, None)] * 2
    assert [version.statement["body"] for version in stored] == [made["version"].body, second["version"].body]
    assert world.stored_record(record.id).withdrawal == withdrawal.to_json()


def test_nothing_is_done_with_a_tombstone(world: World) -> None:
    alpha, made = world.alpha, world.record(world.alpha)
    record, _ = world.act(alpha.admin, create_record, **made)
    withdrawal = world.withdrawal(alpha, made["version"])
    world.act(alpha.admin, withdraw_record, record.id, etag=1, withdrawal=withdrawal)
    attempts: list[Callable[[], object]] = [
        lambda: world.act(alpha.admin, withdraw_record, record.id, etag=2, withdrawal=withdrawal),
        lambda: world.act(alpha.second_admin, submit_version, record.id, etag=2),
        lambda: world.act(
            alpha.second_admin, approve_version, record.id, etag=2, approval=world.approval(alpha, made["version"])
        ),
        lambda: world.act(
            alpha.second_admin, return_version, record.id, etag=2, note=world.note(alpha, record.id, "return-note")
        ),
        lambda: world.act(
            alpha.admin, add_version, record.id, etag=2, submit=True, **corrected(world, record.id, made["version"])
        ),
    ]
    before = world.events()
    for attempt in attempts:
        with pytest.raises(StateConflictError):
            attempt()
    assert world.events() == before


def test_a_version_that_waits_for_approval_is_not_overtaken_by_another(world: World) -> None:
    alpha, made = world.alpha, world.record(world.alpha)
    record, _ = world.act(alpha.admin, create_record, **made)
    second = corrected(world, record.id, made["version"])
    with pytest.raises(StateConflictError):
        world.act(alpha.admin, add_version, record.id, etag=1, submit=False, **second)
    with pytest.raises(StateConflictError):
        world.act(alpha.admin, submit_version, record.id, etag=1)


def test_what_changed_since_it_was_read_is_not_changed(world: World) -> None:
    alpha, made = world.alpha, world.record(world.alpha, submit=False)
    record, _ = world.act(alpha.admin, create_record, **made)
    for etag in (0, 2):
        with pytest.raises(PreconditionFailedError):
            world.act(alpha.admin, submit_version, record.id, etag=etag)
    assert world.stored_record(record.id).state is RecordState.DRAFT


def test_of_two_who_approve_at_once_one_wins(world: World) -> None:
    alpha, made = world.alpha, world.record(world.alpha)
    record, _ = world.act(alpha.auditor, create_record, **made)
    approval = world.approval(alpha, made["version"])
    barrier = Barrier(2)

    def approve(someone: Any) -> type[Exception] | None:
        barrier.wait()
        try:
            world.act(someone, approve_version, record.id, etag=1, approval=approval)
        except RegistryError as error:
            return type(error)
        return None

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(approve, (alpha.admin, alpha.second_admin)))
    assert sorted(outcomes, key=str) == [PreconditionFailedError, None]
    assert world.events().count("registry:record:approved") == 1
    assert world.count(Token) == 4
    assert world.stored_record(record.id).revision == 2


def test_of_approval_and_withdrawal_at_once_one_wins(world: World) -> None:
    alpha, made = world.alpha, world.record(world.alpha)
    record, _ = world.act(alpha.admin, create_record, **made)
    approval, withdrawal = world.approval(alpha, made["version"]), world.withdrawal(alpha, made["version"])
    barrier = Barrier(2)

    def act(approve: bool) -> bool:
        barrier.wait()
        try:
            if approve:
                world.act(alpha.second_admin, approve_version, record.id, etag=1, approval=approval)
            else:
                world.act(alpha.admin, withdraw_record, record.id, etag=1, withdrawal=withdrawal)
        except PreconditionFailedError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        approved, withdrawn = pool.map(act, (True, False))
    assert approved != withdrawn
    assert world.count(Token) == (4 if approved else 0)


def test_another_organisations_record_is_not_found(world: World) -> None:
    made = world.record(world.alpha)
    record, _ = world.act(world.alpha.admin, create_record, **made)
    stranger = world.beta.admin
    attempts: list[Callable[[], object]] = [
        lambda: world.act(stranger, open_record, record.id),
        lambda: world.act(stranger, submit_version, record.id, etag=1),
        lambda: world.act(
            stranger, approve_version, record.id, etag=1, approval=world.approval(world.alpha, made["version"])
        ),
        lambda: world.act(
            stranger, return_version, record.id, etag=1, note=world.note(world.beta, record.id, "return-note")
        ),
        lambda: world.act(
            stranger, withdraw_record, record.id, etag=1, withdrawal=world.withdrawal(world.beta, made["version"])
        ),
        lambda: world.act(
            stranger, add_version, record.id, etag=1, submit=True, **corrected(world, record.id, made["version"])
        ),
        lambda: world.act(stranger, open_record, uuid.uuid4()),
    ]
    before = world.events()
    for attempt in attempts:
        with pytest.raises(NotFoundError):
            attempt()
    assert world.act(stranger, list_records).items == ()
    assert world.events() == before


def test_a_record_id_is_used_once(world: World) -> None:
    made = world.record(world.alpha)
    world.act(world.alpha.admin, create_record, **made)
    with pytest.raises(ConflictError):
        world.act(world.alpha.second_admin, create_record, **made)
    assert world.count(Record) == 1


def test_an_opened_record_shows_its_versions_and_is_an_event(world: World) -> None:
    alpha, made = world.alpha, world.record(world.alpha)
    record, _ = world.act(alpha.admin, create_record, **made)
    opened = world.act(alpha.second_admin, open_record, record.id)
    assert world.events()[-1] == "registry:record:opened"
    (version,) = opened.versions
    assert version.dossier == made["dossier"]
    assert split_entries(version.entries) == sorted(made["entries"])
    box = {one["recipient"]: one["box"] for one in made["dossier"]["boxes"]}
    assert alpha.keyring.sealing.key_id in box
    assert split_entries(None) == []


def test_records_are_listed_by_page_and_state_the_newest_first(world: World) -> None:
    alpha = world.alpha
    ids = []
    for number in range(5):
        made = world.record(alpha, seed=str(number), submit=number % 2 == 0)
        record, _ = world.act(alpha.admin, create_record, **made)
        ids.append(record.id)
    first = world.act(alpha.admin, list_records, limit=2)
    second = world.act(alpha.admin, list_records, limit=2, cursor=first.cursor)
    third = world.act(alpha.admin, list_records, limit=2, cursor=second.cursor)
    listed = [record.id for page in (first, second, third) for record in page.items]
    assert listed == sorted(ids, reverse=True)
    assert third.cursor is None
    drafts = world.act(alpha.admin, list_records, state=RecordState.DRAFT)
    assert {record.id for record in drafts.items} == {ids[1], ids[3]}


@pytest.mark.parametrize("options", [{"limit": 0}, {"limit": 201}, {"cursor": "x"}, {"cursor": "AAAA"}], ids=str)
def test_a_page_that_cannot_be_is_refused(world: World, options: dict[str, Any]) -> None:
    with pytest.raises(ValidationFailedError):
        world.act(world.alpha.admin, list_records, **options)


def test_what_was_sealed_for_an_earlier_certificate_is_not_approved(world: World) -> None:
    alpha, made = world.alpha, world.record(world.alpha)
    record, _ = world.act(alpha.admin, create_record, **made)
    later = signed_certificate(
        alpha.keyring, alpha.recovery, world.keyholder, name="Alpha", contact="new@alpha.example", serial=2
    )
    world.act(alpha.admin, replace_certificate, alpha.id, later)
    with pytest.raises(StateConflictError):
        world.act(
            alpha.second_admin, approve_version, record.id, etag=1, approval=world.approval(alpha, made["version"])
        )
    assert tokens(world) == set()


def test_a_version_whose_dates_have_passed_is_not_approved(world: World) -> None:
    alpha = world.alpha
    made = world.record(alpha, expires_on=str(world.clock.now.date() + timedelta(days=10)))
    record, _ = world.act(alpha.admin, create_record, **made)
    world.clock.advance(days=10)
    approval = world.approval(alpha, made["version"])
    with pytest.raises(StateConflictError):
        world.act(alpha.second_admin, approve_version, record.id, etag=1, approval=approval)


APPROVALS: dict[str, dict[str, Any]] = {
    "of another version": {"version": "0" * 64},
    "of another number": {"number": 2},
    "of another record": {"record": str(uuid.uuid4())},
    "of another organisation": {"organisation": str(uuid.uuid4())},
    "two days old": {"time": "2026-11-18T14:02:11Z"},
    "of another type": {"type": "record-withdrawal"},
    "with a field more": {"note": "x"},
}


@pytest.mark.parametrize("changes", APPROVALS.values(), ids=APPROVALS)
def test_an_approval_that_does_not_hold_is_refused(world: World, changes: dict[str, Any]) -> None:
    alpha, made = world.alpha, world.record(world.alpha)
    record, _ = world.act(alpha.admin, create_record, **made)
    approval = world.approval(alpha, made["version"], changes)
    with pytest.raises(StatementInvalidError):
        world.act(alpha.second_admin, approve_version, record.id, etag=1, approval=approval)
    assert tokens(world) == set()


def test_an_approval_by_another_key_is_refused(world: World) -> None:
    alpha, made = world.alpha, world.record(world.alpha)
    record, _ = world.act(alpha.admin, create_record, **made)
    unsigned = Statement.of(world.approval(alpha, made["version"]).body)
    for approval in (unsigned, unsigned.sign("organisation", world.beta.keyring.signing)):
        with pytest.raises(StatementInvalidError):
            world.act(alpha.second_admin, approve_version, record.id, etag=1, approval=approval)


@pytest.mark.parametrize("changes", [{"reason": "because"}, {"reason": 5}, {"number": 7}, {"number": None}], ids=str)
def test_a_withdrawal_that_does_not_hold_is_refused(world: World, changes: dict[str, Any]) -> None:
    alpha = world.alpha
    id = world.active_record(alpha)
    version = Statement.from_json(versions(world, id)[0].statement, expected_type="record-version")
    withdrawal = world.withdrawal(alpha, version, signed=changes)
    with pytest.raises(StatementInvalidError):
        world.act(alpha.admin, withdraw_record, id, etag=2, withdrawal=withdrawal)
    assert tokens(world) == tokens_of("person")


def test_two_records_may_share_a_token_and_lose_only_their_own(world: World) -> None:
    mine, theirs = world.active_record(world.alpha), world.active_record(world.beta)
    assert world.count(Token) == 8
    version = Statement.from_json(versions(world, mine)[0].statement, expected_type="record-version")
    world.act(world.alpha.admin, withdraw_record, mine, etag=2, withdrawal=world.withdrawal(world.alpha, version))
    with world.sessions() as session:
        rows = session.execute(select(Token.token, Token.record_id)).all()
    assert {row.record_id for row in rows} == {theirs}
    assert {row.token for row in rows} == tokens_of("person")
    assert made_up_token("person", 2) in tokens(world)
