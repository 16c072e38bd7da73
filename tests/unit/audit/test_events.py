"""Events: a stable catalogue, one form, and nothing shown that is committed to."""

import dataclasses
import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from audit.canonical import AuditError, CommitmentError, canonical
from audit.events import CATALOGUE, CandidateScreened, Event, EventError, parse_event, seal_event, verify_opening

TIME = datetime(2026, 11, 20, 14, 2, 11, 500, tzinfo=UTC)
ID = uuid.UUID("01935000-0000-7000-8000-000000000001")
SAMPLES: dict[Any, Any] = {str: "text", "str | None": None, int: 3, "tuple[str, ...]": ("a", "b")}

NUMBERS = {
    "registry:trust-file:published": 1,
    "registry:organisation:admitted": 2,
    "registry:organisation:certified": 3,
    "registry:organisation:suspended": 4,
    "registry:organisation:reinstated": 5,
    "registry:person:invited": 6,
    "registry:person:activated": 7,
    "registry:person:roles-changed": 8,
    "registry:person:suspended": 9,
    "registry:person:reinstated": 10,
    "registry:session:opened": 11,
    "registry:session:ended": 12,
    "registry:session:refused": 13,
    "registry:policy:changed": 14,
    "evaluator:batch:evaluated": 15,
    "registry:record:drafted": 16,
    "registry:record:submitted": 17,
    "registry:record:approved": 18,
    "registry:record:returned": 19,
    "registry:record:withdrawn": 20,
    "registry:record:opened": 21,
    "registry:candidate:screened": 22,
    "registry:screening:opened": 23,
    "registry:record:suspended": 24,
    "registry:record:expired": 25,
    "registry:registry:initialised": 26,
}
"""Given once and never used again: a line here may be added and never changed."""


def sample(cls: type[Event]) -> Event:
    base = {"actor": "a", "organisation": "o", "object": "x"}
    own = {f.name: SAMPLES[str(f.type) if not isinstance(f.type, type) else f.type] for f in fields_of(cls)}
    return cls(**base, **own)


def fields_of(cls: type[Event]) -> list[dataclasses.Field[Any]]:
    return [entry for entry in dataclasses.fields(cls) if entry.name not in ("actor", "organisation", "object")]


def screened(**changes: Any) -> CandidateScreened:
    values: dict[str, Any] = {
        "actor": "p",
        "organisation": "o",
        "object": "s",
        "purpose": "recruitment",
        "vacancy": "V-17",
        "outcome": "possible",
        "grade": "strong",
        "categories": ("SEA", "SH"),
    }
    return CandidateScreened(**(values | changes))


def seal(event: Event) -> Any:
    return seal_event(event, id=ID, time=TIME, registry="example")


def test_tags_and_numbers_are_those_that_were_given_once() -> None:
    assert {tag: cls.number for tag, cls in CATALOGUE.items()} == NUMBERS


@pytest.mark.parametrize("tag", CATALOGUE)
def test_a_tag_says_source_subject_and_action_in_the_past_tense(tag: str) -> None:
    assert re.fullmatch(r"(registry|evaluator):[a-z-]+:[a-z-]+(ed|wn)", tag)


@pytest.mark.parametrize("cls", CATALOGUE.values(), ids=lambda cls: cls.__name__)
def test_every_event_is_read_as_it_was_written(cls: type[Event]) -> None:
    event = sample(cls)
    sealed = seal(event)
    parsed = parse_event(sealed.body)
    assert (parsed.id, parsed.tag, parsed.number, parsed.registry) == (ID, cls.tag, cls.number, "example")
    assert (parsed.actor, parsed.organisation, parsed.object) == ("a", "o", "x")
    assert parsed.time == sealed.time == TIME.replace(microsecond=0)
    assert parsed.leaf_hash == sealed.leaf_hash
    shown = {f.name: getattr(event, f.name) for f in fields_of(cls) if f.name not in cls.committed}
    assert parsed.fields == {name: list(v) if isinstance(v, tuple) else v for name, v in shown.items()}
    assert parsed.commitments.keys() == cls.committed == sealed.openings.keys()
    for name, (salt, value) in sealed.openings.items():
        assert value == getattr(event, name)
        verify_opening(sealed.body, name, salt=salt, value=value)


def test_what_is_committed_to_is_not_shown() -> None:
    sealed = seal(screened())
    for hidden in (b"V-17", b"possible", b"strong"):
        assert hidden not in sealed.body
    assert "V-17" not in repr(sealed)


def test_equal_events_have_different_leaf_hashes_so_that_none_can_be_guessed() -> None:
    one, other = seal(screened()), seal(screened())
    assert one.leaf_hash != other.leaf_hash
    assert parse_event(one.body).commitments["outcome"] != parse_event(other.body).commitments["outcome"]


def test_given_salts_give_the_same_bytes() -> None:
    salts = {"vacancy": bytes(16), "outcome": b"\x01" * 16, "grade": b"\x02" * 16}
    sealed = [
        seal_event(screened(), id=ID, time=TIME, registry="example", salt=bytes(16), salts=salts).body for _ in range(2)
    ]
    assert sealed[0] == sealed[1]


@pytest.mark.parametrize(("field", "value"), [("outcome", "no_record"), ("grade", None), ("vacancy", "V-18")])
def test_an_opening_to_another_value_is_refused(field: str, value: object) -> None:
    sealed = seal(screened())
    with pytest.raises(CommitmentError):
        verify_opening(sealed.body, field, salt=sealed.openings[field][0], value=value)


def test_an_opening_of_a_field_that_is_not_committed_to_is_refused() -> None:
    with pytest.raises(EventError):
        verify_opening(seal(screened()).body, "purpose", salt=bytes(16), value="recruitment")


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": 5},
        {"purpose": None},
        {"purpose": "x" * 257},
        {"categories": "SEA"},
        {"categories": ("SEA", 5)},
        {"grade": 1},
        {"actor": 5},
        {"object": "x" * 257},
    ],
    ids=str,
)
def test_a_value_that_its_type_does_not_allow_is_not_sealed(changes: dict[str, Any]) -> None:
    with pytest.raises(EventError):
        seal(screened(**changes))


def test_a_class_outside_the_catalogue_is_not_sealed() -> None:
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Forged(CandidateScreened):
        pass

    with pytest.raises(EventError):
        seal(Forged(**{f.name: getattr(screened(), f.name) for f in dataclasses.fields(screened())}))


def _with(**changes: Any) -> Callable[[dict[str, Any]], object]:
    return lambda content: content.update(changes)


MUTATIONS: dict[str, Callable[[dict[str, Any]], object]] = {
    "another version": _with(v=2),
    "unknown tag": _with(tag="registry:candidate:watched"),
    "no tag": _with(tag=None),
    "number of another class": _with(n=21),
    "one more field": _with(name="x"),
    "a field less": lambda content: content.pop("purpose"),
    "a field of another type": _with(purpose=5),
    "a number as text": _with(v="1"),
    "no registry": _with(registry=""),
    "a time of another form": _with(time="2026-11-20 14:02:11"),
    "a short salt": _with(salt="AAAA"),
    "an id of another form": _with(id=str(ID).upper().replace("-", "")),
    "no id": _with(id=None),
    "an actor that is no text": _with(actor=["p"]),
    "no commitments": lambda content: content.pop("commitments"),
    "commitments that are none": _with(commitments=[]),
    "a commitment less": lambda content: content["commitments"].pop("grade"),
    "a commitment more": lambda content: content["commitments"].update(purpose="0" * 64),
    "a commitment shown": lambda content: content["commitments"].update(grade="strong"),
    "a commitment in capitals": lambda content: content["commitments"].update(grade="A" * 64),
}


@pytest.mark.parametrize("mutate", MUTATIONS.values(), ids=MUTATIONS)
def test_an_event_of_another_shape_is_refused(mutate: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(seal(screened()).body)
    mutate(content)
    with pytest.raises(AuditError):
        parse_event(canonical(content))


def test_a_flipped_bit_anywhere_changes_the_leaf_hash_or_is_refused() -> None:
    sealed = seal(screened())
    for place in range(len(sealed.body)):
        flipped = bytearray(sealed.body)
        flipped[place] ^= 1
        try:
            parsed = parse_event(bytes(flipped))
        except AuditError:
            continue
        assert parsed.leaf_hash != sealed.leaf_hash
