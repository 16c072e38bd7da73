"""What a signed record has to be: every way in which it could be wrong is refused by name, and changes nothing."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from screening.crypto.encoding import b64u
from screening.crypto.signing import Statement, body_digest
from screening.crypto.tokens import pack_entry
from screening.registry.errors import (
    RecordQualityError,
    RegistryError,
    StatementInvalidError,
    WrongEpochError,
    WrongRegistryError,
    WrongSchemeError,
)
from screening.registry.models import Record, RecordVersion
from screening.registry.policy import change_policy
from screening.registry.records import add_version, create_record
from tests.factories import World, entries_of, made_up_token, strong_entries

FIELDS: dict[str, tuple[dict[str, Any], type[RegistryError]]] = {
    "another registry": ({"registry": "other"}, WrongRegistryError),
    "another epoch": ({"epoch": 2}, WrongEpochError),
    "true for an epoch": ({"epoch": True}, WrongEpochError),
    "another scheme": ({"scheme": "0" * 64}, WrongSchemeError),
    "another organisation": ({"organisation": str(uuid.uuid4())}, StatementInvalidError),
    "another record": ({"record": str(uuid.uuid4())}, StatementInvalidError),
    "a number that is not the next": ({"number": 2}, StatementInvalidError),
    "true for a number": ({"number": True}, StatementInvalidError),
    "a predecessor where there is none": ({"previous": "0" * 64}, StatementInvalidError),
    "other tokens": ({"tokens": "0" * 64}, StatementInvalidError),
    "another dossier": ({"dossier": "0" * 64}, StatementInvalidError),
    "an unknown category": ({"category": "FRAUD"}, StatementInvalidError),
    "a category that is no text": ({"category": ["SEA"]}, StatementInvalidError),
    "an unknown basis": ({"basis": "rumour"}, StatementInvalidError),
    "a review for a determination": ({"review_on": "2027-01-01"}, StatementInvalidError),
    "no expiry": ({"expires_on": None}, StatementInvalidError),
    "an expiry that is no date": ({"expires_on": "2027-02-30"}, StatementInvalidError),
    "an expiry in another form": ({"expires_on": "20270228"}, StatementInvalidError),
    "an expiry today": ({"expires_on": "2026-11-20"}, StatementInvalidError),
    "an expiry beyond retention": ({"expires_on": "2036-11-21"}, StatementInvalidError),
    "a pending basis without review": ({"basis": "pending"}, StatementInvalidError),
    "a review today": ({"basis": "pending", "review_on": "2026-11-20"}, StatementInvalidError),
    "a review after more than a year": ({"basis": "pending", "review_on": "2027-11-21"}, StatementInvalidError),
    "a time two days ago": ({"time": "2026-11-18T14:02:11Z"}, StatementInvalidError),
    "a time in two days": ({"time": "2026-11-22T14:03:12Z"}, StatementInvalidError),
    "a time in another form": ({"time": "2026-11-20 14:02:11"}, StatementInvalidError),
    "a time that is none": ({"time": None}, StatementInvalidError),
    "a field more": ({"remark": "x"}, StatementInvalidError),
    "another type": ({"type": "record-approval"}, StatementInvalidError),
}


@pytest.mark.parametrize(("changes", "expected"), FIELDS.values(), ids=FIELDS)
def test_a_version_that_says_something_wrong_is_refused(
    world: World, changes: dict[str, Any], expected: type[RegistryError]
) -> None:
    refused(world, expected, **world.record(world.alpha, signed=changes))


def refused(world: World, expected: type[RegistryError], **made: Any) -> RegistryError:
    before = world.events()
    with pytest.raises(expected) as caught:
        world.act(world.alpha.admin, create_record, **made)
    assert type(caught.value) is expected
    assert world.events() == before
    assert world.count(Record) == world.count(RecordVersion) == 0
    return caught.value


def test_a_version_with_a_field_less_is_refused(world: World) -> None:
    made = world.record(world.alpha)
    for name in made["version"].body.keys() - {"type"}:
        body = {key: value for key, value in made["version"].body.items() if key != name}
        refused(world, StatementInvalidError, **(made | {"version": world.sign(world.alpha, body)}))


def test_a_version_that_is_not_signed_by_the_organisations_key_is_refused(world: World) -> None:
    made = world.record(world.alpha)
    unsigned = Statement.of(made["version"].body)
    by_another = unsigned.sign("organisation", world.beta.keyring.signing)
    as_another = unsigned.sign("registry", world.alpha.keyring.signing)
    re_attributed = Statement({**made["version"].body, "category": "SH"}, made["version"].signatures)
    for version in (unsigned, by_another, as_another, re_attributed):
        refused(world, StatementInvalidError, **(made | {"version": version}))


def test_another_organisations_signed_record_is_not_taken_as_ones_own(world: World) -> None:
    made = world.record(world.beta)
    refused(world, StatementInvalidError, **made)


ENTRIES: dict[str, tuple[list[bytes], type[RegistryError]]] = {
    "none": ([], StatementInvalidError),
    "too many": ([pack_entry(2, 0, i.to_bytes(16, "big")) for i in range(1025)], StatementInvalidError),
    "one twice": (strong_entries("a") + strong_entries("a")[:1], StatementInvalidError),
    "an unknown rule": ([*strong_entries("a"), pack_entry(99, 0, bytes(16))], StatementInvalidError),
    "rule 0": ([*strong_entries("a"), pack_entry(0, 0, bytes(16))], StatementInvalidError),
    "one rule of tier A": (entries_of("a", [2]), RecordQualityError),
    "rules of tiers B and C": (entries_of("a", [6, 9, 10, 13, 18]), RecordQualityError),
    "two rules of tier A, of different names": (
        [*entries_of("a", [2], name=0), *entries_of("b", [4], name=1)],
        RecordQualityError,
    ),
    "a document alone": (entries_of("a", [1], name=None), RecordQualityError),
    "a document and its halves": (
        [
            *entries_of("a", [1], name=None),
            pack_entry(12, None, made_up_token("half 1", 12)),
            pack_entry(12, None, made_up_token("half 2", 12)),
        ],
        RecordQualityError,
    ),
}


@pytest.mark.parametrize(("entries", "expected"), ENTRIES.values(), ids=ENTRIES)
def test_entries_that_are_malformed_or_could_never_grade_strong_are_refused(
    world: World, entries: list[bytes], expected: type[RegistryError]
) -> None:
    refused(world, expected, **world.record(world.alpha, entries=entries))


def test_a_short_entry_is_refused(world: World) -> None:
    made = world.record(world.alpha)
    refused(world, StatementInvalidError, **(made | {"entries": [*made["entries"][:-1], made["entries"][-1][:17]]}))


def test_entries_other_than_the_signed_ones_are_refused(world: World) -> None:
    made = world.record(world.alpha)
    refused(world, StatementInvalidError, **(made | {"entries": strong_entries("another person")}))


@pytest.mark.parametrize(
    "entries",
    [
        entries_of("a", [2, 4]),
        [*entries_of("a", [1], name=None), *entries_of("a", [13])],
        [*entries_of("a", [1], name=None), *entries_of("b", [1], name=None)],
    ],
    ids=["two rules of tier A", "a document and a partial date", "two documents"],
)
def test_entries_that_can_grade_strong_are_taken(world: World, entries: list[bytes]) -> None:
    record, _ = world.act(world.alpha.admin, create_record, **world.record(world.alpha, entries=entries))
    assert record.number == 1


def _replace_recipient(dossier: dict[str, Any], world: World) -> None:
    dossier["boxes"][1]["recipient"] = world.beta.recovery.sealing.key_id


DOSSIERS: dict[str, Callable[[dict[str, Any], World], object]] = {
    "one box": lambda dossier, _: dossier["boxes"].pop(),
    "no box": lambda dossier, _: dossier["boxes"].clear(),
    "three boxes": lambda dossier, _: dossier["boxes"].append(dossier["boxes"][0]),
    "the same recipient twice": lambda dossier, _: dossier["boxes"].__setitem__(1, dossier["boxes"][0]),
    "somebody else's key": _replace_recipient,
    "a recipient that is no text": lambda dossier, _: dossier["boxes"][0].update(recipient=None),
    "a field more": lambda dossier, _: dossier.update(name="x"),
    "a box with a field more": lambda dossier, _: dossier["boxes"][0].update(name="x"),
    "no boxes": lambda dossier, _: dossier.update(boxes=None),
    "boxes that are none": lambda dossier, _: dossier.update(boxes=["x", "y"]),
    "a box that is no base64url": lambda dossier, _: dossier["boxes"][0].update(box="a=b"),
    "a box of another suite": lambda dossier, _: dossier["boxes"][0].update(box=b64u(b"\x00\x02" + bytes(2_000))),
    "a box in clear": lambda dossier, _: dossier["boxes"][0].update(box=b64u(b"a name in clear")),
    "an empty box": lambda dossier, _: dossier["boxes"][0].update(box=b64u(b"\x00\x01")),
    "a huge box": lambda dossier, _: dossier["boxes"][0].update(box=b64u(b"\x00\x01" + bytes(65_536))),
}


@pytest.mark.parametrize("mutate", DOSSIERS.values(), ids=DOSSIERS)
def test_a_dossier_that_is_not_for_the_owners_two_keys_is_refused(
    world: World, mutate: Callable[[dict[str, Any], World], object]
) -> None:
    made = world.record(world.alpha)
    dossier = {"boxes": [dict(box) for box in made["dossier"]["boxes"]]}
    mutate(dossier, world)
    version = made["version"].body | {"dossier": body_digest(dossier)}
    refused(world, StatementInvalidError, **(made | {"dossier": dossier, "version": world.sign(world.alpha, version)}))


def test_an_error_names_the_field_and_repeats_nothing(world: World) -> None:
    error = refused(world, StatementInvalidError, **world.record(world.alpha, category="a private remark"))
    assert error.errors == {"category": ["must be one that is known"]}
    assert "private" not in str(error)


def test_a_correction_needs_the_digest_of_the_version_before(world: World) -> None:
    alpha, made = world.alpha, world.record(world.alpha, submit=False)
    record, _ = world.act(alpha.admin, create_record, **made)
    for previous in (None, "0" * 64):
        second = world.version(alpha, record.id, number=2, previous=previous)
        with pytest.raises(StatementInvalidError):
            world.act(alpha.admin, add_version, record.id, etag=1, submit=True, **second)
    second = world.version(alpha, record.id, number=2, previous=made["version"].digest)
    changed, _ = world.act(alpha.admin, add_version, record.id, etag=1, submit=True, **second)
    assert changed.number == 2


def test_a_pending_basis_lasts_two_years_in_all(world: World) -> None:
    alpha = world.alpha
    today = world.clock.now.date()
    pending = {"basis": "pending", "review_on": str(today + timedelta(days=365)), "expires_on": "2030-01-01"}
    made = world.record(alpha, submit=False, **pending)
    record, _ = world.act(alpha.admin, create_record, **made)
    world.clock.advance(days=400)
    late = {**pending, "review_on": str(today + timedelta(days=735))}
    second = world.version(alpha, record.id, number=2, previous=made["version"].digest, signed=late)
    with pytest.raises(StatementInvalidError) as caught:
        world.act(alpha.admin, add_version, record.id, etag=1, submit=True, **second)
    assert caught.value.errors == {"review_on": ["a pending basis may not last that long in all"]}
    in_time = {**pending, "review_on": str(today + timedelta(days=725))}
    second = world.version(alpha, record.id, number=2, previous=made["version"].digest, signed=in_time)
    world.act(alpha.admin, add_version, record.id, etag=1, submit=True, **second)


def test_retention_follows_the_policy(world: World) -> None:
    world.act(world.registrar, change_policy, "record_retention_months", 12)
    refused(world, StatementInvalidError, **world.record(world.alpha, expires_on="2027-11-21"))
    world.act(world.alpha.admin, create_record, **world.record(world.alpha, expires_on="2027-11-20"))
