"""What is refused at entry, and by which error; what is kept and how it is given back."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.identity import FIELDS, Document, Identity, IdentityError, Name, PartialDate
from screening.identity.countries import alpha2

TODAY = date(2026, 6, 15)
SECRET = "Zebulon"

BAD: list[tuple[dict[Any, Any], str, str]] = [
    ({}, "full", "name-missing"),
    ({"given": "", "family": None}, "full", "name-missing"),
    ({"given": "   "}, "given", "empty"),
    ({"given": 5}, "given", "not-text"),
    ({"full": SECRET * 30}, "full", "too-long"),
    ({"full": "x" * 10_000}, "full", "too-long"),
    ({"full": f"{SECRET}\x00"}, "full", "control-character"),
    ({"full": f"{SECRET}\n{SECRET}"}, "full", "control-character"),
    ({"full": f"{SECRET}\u2028x"}, "full", "control-character"),
    ({"full": f"\u202e{SECRET}"}, "full", "bidi-control"),
    ({"full": f"\u2067{SECRET}\u2069"}, "full", "bidi-control"),
    ({"full": f"{SECRET}\ud800"}, "full", "not-text"),
    ({"full": "😀😀"}, "full", "no-letter"),
    ({"full": f"{SECRET} 😀"}, "full", "symbol"),
    ({"full": "123 - 45"}, "full", "no-letter"),
    ({"full": SECRET, "aliases": SECRET}, "aliases", "not-a-list"),
    ({"full": SECRET, "aliases": [SECRET, ""]}, "aliases[1]", "empty"),
    ({"full": SECRET, "aliases": [{}]}, "aliases[0]", "name-missing"),
    ({"full": SECRET, "former": [{"first": SECRET}]}, "former[0]", "unknown-field"),
    ({"full": SECRET, "original": [7]}, "original[0]", "not-an-object"),
    ({"full": SECRET, "original": [{"full": "1"}]}, "original[0].full", "no-letter"),
    ({"full": SECRET, "aliases": [SECRET] * 33}, "aliases", "too-many"),
    ({"full": SECRET, "aliases": [SECRET] * 16, "former": [SECRET] * 16}, "aliases", "too-many"),
    ({"full": SECRET, SECRET: 1}, "", "unknown-field"),
    ({"full": SECRET, 3: 1}, "", "unknown-field"),
    ({"full": SECRET, "dob": "1980-02-31"}, "dob", "date-impossible"),
    ({"full": SECRET, "dob": "1981-02-29"}, "dob", "date-impossible"),
    ({"full": SECRET, "dob": "1980-13"}, "dob", "date-impossible"),
    ({"full": SECRET, "dob": "1980-00-01"}, "dob", "date-impossible"),
    ({"full": SECRET, "dob": "1980-01-00"}, "dob", "date-impossible"),
    ({"full": SECRET, "dob": "0000"}, "dob", "date-implausible"),
    ({"full": SECRET, "dob": "1899-12-31"}, "dob", "date-implausible"),
    ({"full": SECRET, "dob": "2026-06-16"}, "dob", "date-future"),
    ({"full": SECRET, "dob": "2026-07"}, "dob", "date-future"),
    ({"full": SECRET, "dob": "2027"}, "dob", "date-future"),
    ({"full": SECRET, "dob": "31.12.1980"}, "dob", "date-format"),
    ({"full": SECRET, "dob": "1980-1-2"}, "dob", "date-format"),
    ({"full": SECRET, "dob": "١٩٨٠"}, "dob", "date-format"),
    ({"full": SECRET, "dob": 1980}, "dob", "not-a-list"),
    ({"full": SECRET, "dob": ["1980", "x"]}, "dob[1]", "date-format"),
    ({"full": SECRET, "dob": ["1980"] * 9}, "dob", "too-many"),
    ({"full": SECRET, "dob_estimated": True}, "dob_estimated", "date-missing"),
    ({"full": SECRET, "dob": "1980", "dob_estimated": "yes"}, "dob_estimated", "not-yes-or-no"),
    ({"full": SECRET, "nationalities": ["ZZ"]}, "nationalities[0]", "unknown-country"),
    ({"full": SECRET, "nationalities": ["CH", "Switzerland"]}, "nationalities[1]", "unknown-country"),
    ({"full": SECRET, "nationalities": "CH"}, "nationalities", "not-a-list"),
    ({"full": SECRET, "gender": "none"}, "gender", "unknown-gender"),
    ({"full": SECRET, "documents": {}}, "documents", "not-a-list"),
    ({"full": SECRET, "documents": ["x"]}, "documents[0]", "not-an-object"),
    (
        {"full": SECRET, "documents": [{"type": "library card", "number": "12345"}]},
        "documents[0].type",
        "unknown-document-type",
    ),
    ({"full": SECRET, "documents": [{"type": "passport"}]}, "documents[0].number", "not-text"),
    ({"full": SECRET, "documents": [{"number": "12345"}]}, "documents[0].type", "not-text"),
    (
        {"full": SECRET, "documents": [{"type": "passport", "number": "00-1234"}]},
        "documents[0].number",
        "number-too-short",
    ),
    (
        {"full": SECRET, "documents": [{"type": "passport", "number": "12345", "by": "x"}]},
        "documents[0]",
        "unknown-field",
    ),
    (
        {"full": SECRET, "documents": [{"type": "passport", "number": "12345", "issuer": 4}]},
        "documents[0].issuer",
        "not-text",
    ),
    (
        {"full": SECRET, "documents": [{"type": "email", "number": f"{i}@b.example"} for i in range(17)]},
        "documents",
        "too-many",
    ),
    (
        {"full": SECRET, "documents": [{"type": "staff-number", "number": "12345", "issuer": ""}]},
        "documents[0].issuer",
        "issuer-missing",
    ),
    ({"full": SECRET, "id": "\x07"}, "id", "control-character"),
]


@pytest.mark.parametrize(("data", "field", "code"), BAD, ids=lambda value: value if isinstance(value, str) else "")
def test_bad_input_is_refused_by_field_and_code(data: dict[Any, Any], field: str, code: str) -> None:
    with pytest.raises(IdentityError) as caught:
        Identity.from_dict(data, today=TODAY)
    assert (caught.value.field, caught.value.code) == (field, code)


@pytest.mark.parametrize(("data", "field", "code"), BAD, ids=lambda value: value if isinstance(value, str) else "")
def test_an_error_repeats_nothing_that_was_entered(data: dict[Any, Any], field: str, code: str) -> None:
    with pytest.raises(IdentityError) as caught:
        Identity.from_dict(data, today=TODAY)
    assert SECRET not in repr(caught.value)
    for value in data.values():
        assert not isinstance(value, str) or len(value) < 4 or value not in str(caught.value)


@pytest.mark.parametrize("data", [None, "Zebulon", ["full"], 4])
def test_what_is_no_object_is_refused(data: Any) -> None:
    with pytest.raises(IdentityError) as caught:
        Identity.from_dict(data)
    assert caught.value.code == "not-an-object"


@pytest.mark.parametrize(
    "name",
    [
        "X",
        "Sukarno",
        "Ng",
        "O’Brien",
        "Þór",
        "ʻOkina",
        "名",
        "ქართული",
        "Jean-Luc",
        "D'Arcy, A.",
        "Nguyễn",
        "Anne\u200cMarie",
    ],
)
def test_short_single_and_unusual_names_are_kept(name: str) -> None:
    assert Identity.from_dict({"full": name}).names == (Name(full=name),)


@pytest.mark.parametrize("dob", ["1900", "1980", "1980-02", "1980-02-29", "2026-06-15", "2026-06", "2026"])
def test_dates_of_every_precision_are_kept(dob: str) -> None:
    person = Identity.from_dict({"full": "A B", "dob": dob}, today=TODAY)
    assert str(person.dob) == dob
    assert person.to_dict()["dob"] == dob
    assert PartialDate.parse(dob, today=TODAY).full == (len(dob) == len("1980-02-29"))


def test_without_a_day_given_a_birth_still_cannot_lie_in_the_future() -> None:
    with pytest.raises(IdentityError):
        Identity.from_dict({"full": "A B", "dob": "9999-01-01"})


FULL: dict[str, Any] = {
    "id": "case-7",
    "given": " Seán ",
    "family": "O'Connor",
    "full": "Seán O'Connor",
    "aliases": ["John Conner", {"given": "Jack"}],
    "former": [{"family": "Connor", "given": "Seán"}],
    "original": ["Ó Conchobhair, Seán"],
    "dob": ["1970-02-28", "1970-02", "1970-02-28"],
    "dob_estimated": True,
    "nationalities": ["irl", "GB", "IE"],
    "gender": "M",
    "documents": [
        {"type": "Passport", "number": "PA 1234567", "issuer": "irl"},
        {"type": "staff number", "number": "S-00012", "issuer": "World  Relief"},
        {"type": "email", "number": "sean@example.org"},
    ],
}


def test_every_field_is_read() -> None:
    person = Identity.from_dict(FULL)
    assert [name.kind for name in person.names] == ["primary", "alias", "alias", "former", "original"]
    assert person.names[0] == Name(given="Seán", family="O'Connor", full="Seán O'Connor")
    assert [str(dob) for dob in person.dobs] == ["1970-02-28", "1970-02"]
    assert (person.nationalities, person.gender, person.id) == (("IE", "GB"), "male", "case-7")
    assert person.documents == (
        Document("passport", "PA 1234567", "IE"),
        Document("staff-number", "S-00012", "World Relief"),
        Document("email", "sean@example.org"),
    )


def test_what_is_written_reads_as_the_same_identity() -> None:
    person = Identity.from_dict(FULL)
    written = json.loads(json.dumps(person.to_dict()))
    assert Identity.from_dict(written) == person
    assert set(written) == set(FIELDS)


def test_reading_leaves_its_argument_alone() -> None:
    before = json.dumps(FULL)
    Identity.from_dict(FULL)
    assert json.dumps(FULL) == before


def test_a_row_reads_as_the_same_identity() -> None:
    row: dict[str, str | None] = {
        "id": "case-7",
        "given": "Seán",
        "family": "O'Connor",
        "full": "",
        "aliases": "John Conner; Conner, Jack ;",
        "original": None,
        "dob": "1970-02-28",
        "dob_estimated": "Yes",
        "nationalities": "IRL;GB",
        "documents": "passport:IE:PA:1234567;email::sean@example.org",
    }
    assert Identity.from_row(row) == Identity.from_dict(
        {
            "id": "case-7",
            "given": "Seán",
            "family": "O'Connor",
            "aliases": ["John Conner", "Conner, Jack"],
            "dob": "1970-02-28",
            "dob_estimated": True,
            "nationalities": ["IE", "GB"],
            "documents": [
                {"type": "passport", "issuer": "IE", "number": "PA:1234567"},
                {"type": "email", "number": "sean@example.org"},
            ],
        }
    )


@pytest.mark.parametrize(
    ("row", "field", "code"),
    [
        ({"full": "A B", SECRET: "x"}, "", "unknown-field"),
        ({"full": "A B", "dob_estimated": "perhaps"}, "dob_estimated", "not-yes-or-no"),
        ({"full": "A B", "documents": "passport:12345"}, "documents[0]", "document-format"),
        ({"full": "A B", "dob": 1980}, "dob", "not-text"),
        ({"full": " ", "dob": "1980"}, "full", "name-missing"),
    ],
)
def test_a_bad_row_is_refused(row: Any, field: str, code: str) -> None:
    with pytest.raises(IdentityError) as caught:
        Identity.from_row(row)
    assert (caught.value.field, caught.value.code) == (field, code)


def test_no_repr_says_anything_about_the_person() -> None:
    person = Identity.from_dict(FULL)
    shown = repr(person) + repr(person.names) + repr(person.dobs) + repr(person.documents)
    assert not any(text in shown for text in ("Connor", "1970", "1234567", "IE", "example", "case-7"))


@pytest.mark.parametrize(
    ("entered", "compared"),
    [
        ("00PA-123 456", "pa123456"),
        ("ＰＡ１２３４５", "pa12345"),
        ("١٢٣٤٥", "12345"),
        ("Jane.Doe@Example.org", "janedoeexampleorg"),
    ],
)
def test_document_numbers_are_compared_without_form(entered: str, compared: str) -> None:
    assert Document.make("passport", entered, "CH").compared_number == compared


def test_countries_are_known_by_both_codes_in_any_case() -> None:
    assert [alpha2(code) for code in ("CH", "che", " cHe ", "XK", "XX", "", "Schweiz")] == [
        "CH",
        "CH",
        "CH",
        "XK",
        None,
        None,
        None,
    ]


@pytest.mark.parametrize("read", [Identity.from_dict, Identity.from_row])
@given(data=st.dictionaries(st.sampled_from(FIELDS), st.text() | st.lists(st.text()) | st.integers() | st.none()))
def test_any_input_is_read_or_refused_by_the_one_error(read: Callable[[Any], Identity], data: dict[str, Any]) -> None:
    try:
        person = read(data)
    except IdentityError:
        return
    assert Identity.from_dict(person.to_dict()) == person
