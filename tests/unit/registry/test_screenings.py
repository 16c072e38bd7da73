"""Screenings: who is found, with which grade, what is shown of it, and one event for each candidate."""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, update

from audit.canonical import unb64u
from audit.events import parse_event, verify_opening
from audit.promise import verify_promise
from screening.crypto.tokens import pack_entry
from screening.registry.errors import (
    NotFoundError,
    RegistryError,
    StatementInvalidError,
    ValidationFailedError,
    WrongEpochError,
    WrongSchemeError,
)
from screening.registry.models import (
    Category,
    EventRow,
    GradeWord,
    Outcome,
    Record,
    RecordState,
    Screening,
    ScreeningBucket,
    ScreeningHit,
)
from screening.registry.screenings import (
    Candidate,
    ScreeningResult,
    list_screenings,
    open_screening,
    screen_candidates,
)
from tests.factories import LOG_ORIGIN, World, entries_of, made_up_token, strong_entries


def screen(world: World, *candidates: Candidate, **changes: Any) -> Sequence[ScreeningResult]:
    return world.act(world.alpha.recruiter, screen_candidates, world.request(*candidates, **changes)).results


def screen_one(world: World, seed: str | None = "person", **changes: Any) -> ScreeningResult:
    (result,) = screen(world, world.candidate(world.alpha, seed), **changes)
    return result


def test_a_person_on_record_is_possible_with_grade_owner_and_category(world: World) -> None:
    world.active_record(world.beta)
    result = screen_one(world)
    assert (result.outcome, result.grade) == (Outcome.POSSIBLE, GradeWord.STRONG)
    (hit,) = result.hits
    assert (hit.grade, hit.organisation, hit.name, hit.contact) == (
        GradeWord.STRONG,
        world.beta.id,
        "Beta",
        "hr@beta.example",
    )
    assert hit.categories == (Category.SEA,)
    assert result.covered == 2
    assert result.reference.startswith("S-")


def test_a_stranger_is_on_no_record(world: World) -> None:
    world.active_record(world.beta)
    result = screen_one(world, "stranger")
    assert (result.outcome, result.grade, result.hits) == (Outcome.NO_RECORD, None, ())


def test_details_that_allow_no_check_are_insufficient(world: World) -> None:
    result = screen_one(world, None)
    assert (result.outcome, result.grade, result.hits) == (Outcome.INSUFFICIENT, None, ())


@pytest.mark.parametrize(
    ("rules", "grade"),
    [([2], GradeWord.LIKELY), ([6, 9], GradeWord.POSSIBLE), ([18], GradeWord.POSSIBLE), ([2, 4], GradeWord.STRONG)],
    ids=str,
)
def test_the_grade_comes_from_the_rules_that_agree(world: World, rules: list[int], grade: GradeWord) -> None:
    world.active_record(world.beta, entries=entries_of("person", [2, 4, 6, 9, 18]))
    (result,) = screen(world, world.candidate(world.alpha, entries=entries_of("person", rules)))
    assert result.grade is grade
    (hit,) = result.hits
    assert hit.categories == ((Category.SEA,) if grade is GradeWord.STRONG else ())


def test_rules_that_agree_on_different_names_do_not_add_up(world: World) -> None:
    world.active_record(world.beta, entries=[*entries_of("person", [2, 4], name=0), *entries_of("alias", [2], name=1)])
    entries = [*entries_of("person", [2], name=0), *entries_of("alias", [2], name=1)]
    (result,) = screen(world, world.candidate(world.alpha, entries=entries))
    assert result.grade is GradeWord.LIKELY


def test_a_token_under_another_rule_than_the_records_counts_for_nothing(world: World) -> None:
    world.active_record(world.beta, entries=entries_of("person", [2, 4, 18]))
    relabelled = [pack_entry(7, 0, made_up_token("person", 18))]
    (result,) = screen(world, world.candidate(world.alpha, entries=relabelled))
    assert result.outcome is Outcome.NO_RECORD


def test_ones_own_organisations_records_match_too(world: World) -> None:
    world.active_record(world.alpha)
    assert [hit.organisation for hit in screen_one(world).hits] == [world.alpha.id]


def test_hits_are_grouped_by_owner_the_best_first(world: World) -> None:
    world.active_record(world.beta, entries=entries_of("person", [2, 4]), category="SH")
    world.active_record(world.beta, entries=[*entries_of("person", [2]), *entries_of("other", [4])])
    world.active_record(world.alpha, entries=[*entries_of("person", [2]), *entries_of("another", [4])])
    result = screen_one(world)
    assert [(hit.organisation, hit.grade, hit.categories) for hit in result.hits] == [
        (world.beta.id, GradeWord.STRONG, (Category.SH,)),
        (world.alpha.id, GradeWord.LIKELY, ()),
    ]
    assert result.grade is GradeWord.STRONG
    assert world.count(ScreeningHit) == 3


def test_only_the_categories_asked_for_are_searched(world: World) -> None:
    world.active_record(world.beta, category="SH")
    assert screen_one(world, categories=frozenset({Category.SEA})).outcome is Outcome.NO_RECORD
    assert screen_one(world, categories=frozenset({Category.SH})).outcome is Outcome.POSSIBLE


@pytest.mark.parametrize("state", RecordState)
def test_a_record_matches_while_it_is_active_disputed_or_under_appeal(world: World, state: RecordState) -> None:
    id = world.active_record(world.beta)
    with world.engine.begin() as connection:
        connection.execute(update(Record).where(Record.id == id).values(state=state))
    matches = state in (RecordState.ACTIVE, RecordState.DISPUTED, RecordState.UNDER_APPEAL)
    assert screen_one(world).outcome is (Outcome.POSSIBLE if matches else Outcome.NO_RECORD)


def test_every_candidate_gets_its_own_result_event_and_promise_in_order(world: World) -> None:
    world.active_record(world.beta, seed="c3")
    before = world.events()
    candidates = [world.candidate(world.alpha, f"c{number}") for number in range(100)]
    results = screen(world, *candidates)
    assert [result.candidate for result in results] == [candidate.id for candidate in candidates]
    assert [n for n, result in enumerate(results) if result.outcome is Outcome.POSSIBLE] == [3]
    assert world.events() == before + ["registry:candidate:screened"] * 100
    assert len({result.promise["body"]["event"] for result in results}) == 100
    assert len({result.reference for result in results}) == 100
    assert world.count(Screening) == 100


def test_the_openings_open_what_the_promised_event_commits_to(world: World) -> None:
    world.active_record(world.beta)
    result = screen_one(world)
    promise = verify_promise(result.promise, origin=LOG_ORIGIN, public_key=world.keyring.log.public_bytes)
    parsed = parse_event(result.event)
    assert (parsed.id, parsed.leaf_hash) == (promise.event, promise.leaf_hash)
    with world.sessions() as session:
        assert session.get_one(EventRow, promise.event).body == result.event
    values = {name: opening["value"] for name, opening in result.opening.items()}
    assert values == {"outcome": "possible", "grade": "strong", "vacancy": "V-2026-17"}
    for name, opening in result.opening.items():
        verify_opening(result.event, name, salt=unb64u(opening["salt"], 16), value=opening["value"])
    assert parsed.fields == {"purpose": "recruitment", "categories": ["SEA", "SH"]}
    assert (parsed.actor, parsed.object) == (str(world.alpha.recruiter.person), str(result.id))
    assert b"V-2026-17" not in result.event


def test_an_organisation_recognises_its_own_candidate_and_nobody_elses(world: World) -> None:
    first = screen_one(world)
    assert first.previous == ()
    again = screen_one(world)
    assert [(one.id, one.reference) for one in again.previous] == [(first.id, first.reference)]
    candidate = replace(world.candidate(world.beta), self_token=world.candidate(world.alpha).self_token)
    (of_beta,) = world.act(world.beta.recruiter, screen_candidates, world.request(candidate)).results
    assert of_beta.previous == ()


def test_at_most_ten_earlier_screenings_are_shown_the_latest_first(world: World) -> None:
    earlier = [screen_one(world).id for _ in range(12)]
    assert [one.id for one in screen_one(world).previous] == earlier[::-1][:10]


def test_a_self_token_matches_no_record(world: World) -> None:
    world.active_record(world.beta)
    stranger = world.candidate(world.alpha, "stranger", self_token=made_up_token("person", 2))
    (result,) = screen(world, stranger)
    assert result.outcome is Outcome.NO_RECORD


def test_a_screening_is_read_again_with_what_it_said_and_that_is_an_event(world: World) -> None:
    world.active_record(world.beta)
    result = screen_one(world)
    opened = world.act(world.alpha.admin, open_screening, result.id)
    assert world.events()[-1] == "registry:screening:opened"
    assert opened.hits == result.hits
    assert opened.event == result.event
    assert opened.promise["body"]["event"] != result.promise["body"]["event"]
    stored = opened.screening
    assert (stored.reference, stored.outcome, stored.grade, stored.covered) == (
        result.reference,
        result.outcome,
        result.grade,
        result.covered,
    )
    assert stored.openings == result.opening
    assert stored.categories == frozenset(Category)


def test_another_organisations_screening_is_not_found(world: World) -> None:
    result = screen_one(world)
    before = world.events()
    for id in (result.id, uuid.uuid4()):
        with pytest.raises(NotFoundError):
            world.act(world.beta.recruiter, open_screening, id)
    assert world.act(world.beta.recruiter, list_screenings).items == ()
    assert world.events() == before


def test_screenings_are_listed_by_page_the_newest_first(world: World) -> None:
    made = [screen_one(world, str(number)).id for number in range(5)]
    first = world.act(world.alpha.recruiter, list_screenings, limit=3)
    second = world.act(world.alpha.recruiter, list_screenings, limit=3, cursor=first.cursor)
    assert [one.id for one in (*first.items, *second.items)] == made[::-1]
    assert second.cursor is None


REQUESTS: dict[str, tuple[dict[str, Any], type[RegistryError]]] = {
    "another epoch": ({"epoch": 2}, WrongEpochError),
    "another scheme": ({"scheme": "0" * 64}, WrongSchemeError),
    "no candidate": ({"candidates": ()}, ValidationFailedError),
    "no category": ({"categories": frozenset()}, ValidationFailedError),
    "no vacancy": ({"vacancy": " "}, ValidationFailedError),
    "a long vacancy": ({"vacancy": "V" * 65}, ValidationFailedError),
    "a vacancy with white space around": ({"vacancy": " V-1"}, ValidationFailedError),
    "a vacancy with control characters": ({"vacancy": "V\x00"}, ValidationFailedError),
    "a vacancy that turns the line around": ({"vacancy": "V\u202e1"}, ValidationFailedError),
}


@pytest.mark.parametrize(("changes", "expected"), REQUESTS.values(), ids=REQUESTS)
def test_a_request_that_is_not_as_it_should_be_is_refused(
    world: World, changes: dict[str, Any], expected: type[RegistryError]
) -> None:
    refused(world, expected, replace(world.request(world.candidate(world.alpha)), **changes))


def refused(world: World, expected: type[RegistryError], request: Any) -> None:
    before = world.events()
    with pytest.raises(expected):
        world.act(world.alpha.recruiter, screen_candidates, request)
    assert world.events() == before
    assert world.count(Screening) == world.count(ScreeningBucket) == 0


CANDIDATES: dict[str, tuple[dict[str, Any], type[RegistryError]]] = {
    "129 entries": ({"entries": [pack_entry(2, 0, bytes([i]) * 16) for i in range(129)]}, ValidationFailedError),
    "an entry twice": ({"entries": strong_entries("a") * 2}, ValidationFailedError),
    "a short entry": ({"entries": [bytes(17)]}, ValidationFailedError),
    "an unknown rule": ({"entries": [pack_entry(200, 0, bytes(16))]}, ValidationFailedError),
    "a short self": ({"self_token": bytes(15)}, ValidationFailedError),
    "a note in clear": ({"note": b"a name"}, StatementInvalidError),
    "no note": ({"note": b""}, StatementInvalidError),
}


@pytest.mark.parametrize(("changes", "expected"), CANDIDATES.values(), ids=CANDIDATES)
def test_a_candidate_who_is_not_as_it_should_be_is_refused(
    world: World, changes: dict[str, Any], expected: type[RegistryError]
) -> None:
    good = world.candidate(world.alpha, "good")
    refused(world, expected, world.request(good, replace(world.candidate(world.alpha), **changes)))


def test_too_many_candidates_or_one_id_twice_are_refused(world: World) -> None:
    candidate = world.candidate(world.alpha)
    many = [replace(candidate, id=uuid.UUID(int=number)) for number in range(101)]
    refused(world, ValidationFailedError, world.request(*many))
    refused(world, ValidationFailedError, world.request(candidate, candidate))


def test_the_number_of_statements_does_not_depend_on_the_number_of_candidates(world: World) -> None:
    world.active_record(world.beta)
    screen_one(world)  # makes the budgets' rows
    statements: list[str] = []
    event.listen(world.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    counts = []
    for number in (1, 30):
        statements.clear()
        screen(world, *(world.candidate(world.alpha) for _ in range(number)))
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 11


def test_a_look_up_reads_tokens_by_their_key(world: World) -> None:
    token = hashlib.sha256(b"x").digest()[:16]
    plan = "EXPLAIN QUERY PLAN" if world.engine.dialect.name == "sqlite" else "EXPLAIN"
    with world.engine.begin() as connection:
        if world.engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET enable_seqscan = off")
        literal = f"x'{token.hex()}'" if world.engine.dialect.name == "sqlite" else f"'\\x{token.hex()}'::bytea"
        rows = connection.exec_driver_sql(
            f"{plan} SELECT record_id FROM tokens WHERE token IN ({literal}, {literal})"  # noqa: S608 - made here
        ).all()
    told = " ".join(str(row) for row in rows)
    assert "PRIMARY KEY" in told or "pk_tokens" in told


def test_earlier_screenings_are_read_by_candidate_however_long_the_history_is(world: World) -> None:
    asked: list[tuple[str, Any]] = []
    event.listen(world.engine, "before_cursor_execute", lambda *args: asked.append((args[2], args[3])))
    screen_one(world)
    [(statement, values)] = [one for one in asked if "screenings.self_token IN" in one[0]]
    sqlite = world.engine.dialect.name == "sqlite"
    with world.engine.begin() as connection:
        if not sqlite:
            connection.exec_driver_sql("SET enable_seqscan = off")
        plan = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
        told = " ".join(str(row) for row in connection.exec_driver_sql(f"{plan} {statement}", values))
    assert "ix_screenings_organisation_id_self_token" in told


def test_a_hit_stays_as_it_was_said_when_the_record_changes(world: World) -> None:
    id = world.active_record(world.beta)
    result = screen_one(world)
    with world.engine.begin() as connection:
        connection.execute(update(Record).where(Record.id == id).values(state=RecordState.WITHDRAWN, category="SH"))
    world.clock.advance(days=timedelta(days=1).days)
    opened = world.act(world.alpha.recruiter, open_screening, result.id)
    assert opened.hits == result.hits
    with world.sessions() as session:
        hit = session.scalars(select(ScreeningHit)).one()
    assert (hit.record_id, hit.number, hit.grade, hit.category) == (id, 1, GradeWord.STRONG, Category.SEA)
