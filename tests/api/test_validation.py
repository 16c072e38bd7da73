"""Fields take one form only, and what is said about the others repeats nothing."""

from typing import Any

import marshmallow as ma
import pytest
from marshmallow import fields

from screening.api import schemas
from screening.api.fields import Base64Url, Entries, Secret, StatementField, StrictBoolean, StrictUuid, Text
from screening.api.validation import MAX_ERRORS, safe_errors

CANARY = "canary-3f9a1c"
ENTRY = "A" * 24
OTHER = "A" * 23 + "B"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (Text(5), ""),
        (Text(5), "123456"),
        (Text(5), "a\x07"),
        (Text(5), "a\nb"),
        (Text(5), "a\u202eb"),
        (Text(5), "\u2028"),
        (Text(5), "\ufffe"),
        (Text(5), 5),
        (Text(5), None),
        (Secret(5), ""),
        (Secret(5), "123456"),
        (Secret(5), ["12345"]),
        (StrictBoolean(), 1),
        (StrictBoolean(), "true"),
        (StrictBoolean(), None),
        (StrictUuid(), "01936E4C-0000-7000-8000-000000000000"),
        (StrictUuid(), "{01936e4c-0000-7000-8000-000000000000}"),
        (StrictUuid(), "01936e4c00007000800000000000000 0"),
        (StrictUuid(), 7),
        (Base64Url(length=2), "AAA="),
        (Base64Url(length=2), "AAAA"),
        (Base64Url(length=2), "AAB"),
        (Base64Url(length=2), "A A"),
        (Base64Url(length=2), 1),
        (Base64Url(maximum=2), "AAAA"),
        (Base64Url(maximum=99), "+/+/"),
        (Base64Url(maximum=99), "é"),
        (Entries(2), ENTRY),
        (Entries(2), [ENTRY, ENTRY]),
        (Entries(1), [ENTRY, OTHER]),
        (Entries(2), [ENTRY[:-1]]),
        (Entries(2), ["A" * 23, "A" * 25]),
        (Entries(2), ["A" * 22 + "=="]),
        (Entries(2), ["é" * 24]),
        (Entries(2), [None]),
        (Entries(2), [{"a": 1}]),
        (StatementField("x"), []),
        (StatementField("x"), {"body": {"type": "x"}, "signatures": []}),
        (StatementField("x"), {"body": {"type": "y"}, "signatures": [{}]}),
        (StatementField("x"), {"body": {"type": "x", "n": 2**60}, "signatures": [{}]}),
    ],
)
def test_a_field_refuses_what_is_not_in_its_one_form(field: fields.Field[Any], value: Any) -> None:
    with pytest.raises(ma.ValidationError):
        field.deserialize(value)


@pytest.mark.parametrize(
    ("field", "value", "loaded"),
    [
        (Text(9), "Zoë\u200cX", "Zoë\u200cX"),
        (Secret(9), " pass \u202e", " pass \u202e"),
        (StrictBoolean(), False, False),
        (Base64Url(length=2), "AAE", b"\x00\x01"),
        (Base64Url(maximum=2), "", b""),
        (Entries(2), [], []),
        (Entries(2), [ENTRY, OTHER], [bytes(18), bytes(17) + b"\x01"]),
    ],
)
def test_a_field_reads_its_one_form(field: fields.Field[Any], value: Any, loaded: Any) -> None:
    assert field.deserialize(value) == loaded


def problems_of(schema: ma.Schema, document: Any) -> dict[str, list[str]]:
    with pytest.raises(ma.ValidationError) as caught:
        schema.load(document)
    return safe_errors(caught.value.messages, schema)


def test_errors_name_the_place_of_what_is_wrong() -> None:
    candidate = {"id": CANARY, "entries": CANARY, "self": CANARY, "note": CANARY, CANARY: 1}
    found = problems_of(schemas.NewScreenings(), {"candidates": [candidate], "purpose": CANARY, "epoch": CANARY})
    assert {"candidates.0.id", "candidates.0.entries", "candidates.0.self", "candidates.0.note"} <= found.keys()
    assert found["candidates.0"] == ["Unknown field."]
    assert {"purpose", "epoch", "vacancy", "lawful_basis", "categories", "scheme"} <= found.keys()
    assert CANARY not in str(found)


def test_an_unknown_field_is_refused_without_being_named() -> None:
    body = {"email": "a@example.org", "password": "x", CANARY: 1}
    assert problems_of(schemas.LogIn(), body) == {"body": ["Unknown field."]}


@pytest.mark.parametrize("document", [None, [], "text", 5, True])
def test_a_document_that_is_no_object_is_refused(document: Any) -> None:
    assert problems_of(schemas.LogIn(), document) == {"body": ["Invalid input type."]}


def test_at_most_so_many_errors_are_told() -> None:
    body = {"candidates": [{CANARY: 1} for _ in range(100)]}
    found = problems_of(schemas.NewScreenings(), body)
    assert len(found) == MAX_ERRORS


def test_the_same_candidate_twice_is_refused() -> None:
    one = {"id": "01936e4c-0000-7000-8000-000000000000", "entries": [], "self": "A" * 22, "note": "AAE"}
    body = {
        "purpose": "recruitment",
        "vacancy": "V-1",
        "lawful_basis": "notice",
        "categories": ["SH"],
        "scheme": "0" * 64,
        "epoch": 1,
        "candidates": [one, one],
    }
    assert problems_of(schemas.NewScreenings(), body) == {"candidates": ["A candidate's id is there twice."]}


@pytest.mark.parametrize("epoch", ["1", 1.0, True, 0, -1, 2**31])
def test_a_whole_number_is_neither_text_nor_truth_nor_fraction_nor_out_of_range(epoch: Any) -> None:
    assert "epoch" in problems_of(schemas.NewScreenings(), {"epoch": epoch})
