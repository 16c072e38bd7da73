"""What holds for every person, whatever the name and date."""

import unicodedata
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from screening.identity import Feature, Identity, current_scheme
from screening.identity.features import CAPS

SCHEME = current_scheme()
LATIN = st.text("abcdefghijklmnopqrstuvwxyzäéîõůçñşžøł", min_size=1, max_size=12)
ANY = st.text(
    st.characters(categories=["L", "Mn", "Mc", "Zs", "Pd"], exclude_characters="\u061c"), min_size=1, max_size=20
)
ENTERED = st.one_of(LATIN, ANY).filter(lambda text: any(unicodedata.category(char)[0] == "L" for char in text))
FULL_DATES = st.dates(date(1900, 1, 1), date(2024, 12, 31)).map(str)
DATES = st.one_of(FULL_DATES, FULL_DATES.map(lambda text: text[:7]), FULL_DATES.map(lambda text: text[:4]), st.none())


@st.composite
def people(draw: st.DrawFn) -> Identity:
    data: dict[str, Any] = {"dob": draw(DATES), "aliases": draw(st.lists(ENTERED, max_size=4))}
    data |= {"given": draw(ENTERED), "family": draw(ENTERED)} if draw(st.booleans()) else {"full": draw(ENTERED)}
    data["dob_estimated"] = data["dob"] is not None and draw(st.booleans())
    return Identity.from_dict(data)


def features(role: Any = "query", **data: Any) -> list[Feature]:
    return SCHEME.features(Identity.from_dict(data), role)


def by_rule(found: list[Feature], *rules: str) -> set[tuple[str, str]]:
    return {(each.rule, each.value) for each in found if each.rule in rules}


@given(people(), st.sampled_from(["record", "query"]))
def test_features_are_compound_capped_and_without_repetition(person: Identity, role: Any) -> None:
    found = SCHEME.features(person, role)
    assert len(found) == len(set(found))
    assert len({(each.rule, each.value) for each in found}) <= CAPS[role]
    for each in found:
        name, bar, when = each.value.partition("|")
        assert name.strip()
        assert bar
        assert str(person.dobs[0].year) in when
        assert each.value.isascii()
        assert each.name is not None
        assert each.name < len(person.names)


@given(people(), st.sampled_from(["record", "query"]))
def test_a_written_and_read_person_gives_the_same_features(person: Identity, role: Any) -> None:
    assert SCHEME.features(Identity.from_dict(person.to_dict()), role) == SCHEME.features(person, role)


@given(LATIN, LATIN, FULL_DATES)
def test_the_order_of_two_names_does_not_matter(one: str, other: str, dob: str) -> None:
    assert set(features(given=one, family=other, dob=dob)) == set(features(given=other, family=one, dob=dob))


@given(LATIN, LATIN, FULL_DATES)
def test_case_and_marks_do_not_matter(one: str, other: str, dob: str) -> None:
    bare = unicodedata.normalize("NFD", f"{one} {other}")
    plain = "".join(char for char in bare if unicodedata.category(char) != "Mn").replace("ø", "o").replace("ł", "l")
    assert features(full=plain.upper(), dob=dob) == features(full=f"{one} {other}", dob=dob)
    assert features(full=bare, dob=dob) == features(full=f"{one} {other}", dob=dob)


@given(LATIN, LATIN, st.integers(1900, 2020), st.integers(1, 12), st.integers(1, 12))
def test_a_swap_of_day_and_month_costs_no_feature_on_the_full_date(
    one: str, other: str, year: int, month: int, day: int
) -> None:
    rules = [rule.id for rule in SCHEME.rules if rule.id.endswith("+full-date")]
    first = features(given=one, family=other, dob=f"{year}-{month:02d}-{day:02d}")
    second = features(given=one, family=other, dob=f"{year}-{day:02d}-{month:02d}")
    assert by_rule(first, *rules) == by_rule(second, *rules) != set()


@given(LATIN, LATIN, FULL_DATES, FULL_DATES)
def test_two_full_dates_never_meet_on_the_year_alone(one: str, other: str, first: str, second: str) -> None:
    stored = features("record", given=one, family=other, dob=first)
    asked = features("query", given=one, family=other, dob=second)
    rules = [rule.id for rule in SCHEME.rules if rule.id.endswith("+year-only")]
    assert not by_rule(stored, *rules) & by_rule(asked, *rules)


@given(LATIN, LATIN, FULL_DATES, st.booleans())
def test_a_partial_date_on_either_side_meets_on_the_year_and_is_never_more_than_possible(
    one: str, other: str, dob: str, partial_record: bool
) -> None:
    dates = (dob[:4], dob) if partial_record else (dob, dob[:4])
    stored = features("record", full=f"{one} {other}", dob=dates[0])
    asked = features("query", full=f"{one} {other}", dob=dates[1])
    # what is left of "A Dr" is a single name, and that never meets on the year alone
    several = any(feature.rule == "all-parts+year-only" for feature in [*stored, *asked])
    assert SCHEME.grade(stored, asked) == ("possible" if several else None)


@given(people())
def test_a_person_who_can_be_strong_is_found_by_the_same_details(person: Identity) -> None:
    found = SCHEME.grade(SCHEME.features(person, "record"), SCHEME.features(person, "query"))
    assert (found == "strong") is SCHEME.can_grade_strong(person)
    assert (found is not None) is SCHEME.quality(person).can_match
