"""UUIDv7 that sort by time; references that find what was mistyped."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.crypto.errors import EncodingError, IdentifierError
from screening.crypto.identifiers import check_reference, new_reference, uuid7

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def test_the_time_of_the_rfc_s_example_is_written_as_there() -> None:
    """RFC 9562 appendix A.6: 2022-02-22 14:22:22.00 GMT-05:00 is 0x017F22E279B0."""
    made = uuid7(datetime(2022, 2, 22, 14, 22, 22, tzinfo=timezone(timedelta(hours=-5))))
    assert str(made).startswith("017f22e2-79b0-7000-")
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"


@given(st.integers(0, 10**17), st.integers(1, 10**9))
def test_identifiers_sort_by_time(microseconds: int, more: int) -> None:
    now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    made = uuid7(now)
    assert made.int >> 80 == microseconds // 1000
    assert made.int >> 64 < uuid7(now + timedelta(microseconds=more)).int >> 64


def test_the_present_is_used_when_no_time_is_given() -> None:
    before = datetime.now(UTC)
    made = uuid7().int >> 80
    assert abs(made / 1000 - before.timestamp()) < 60


def test_identifiers_of_one_moment_differ() -> None:
    moment = datetime(2026, 11, 20, tzinfo=UTC)
    assert len({uuid7(moment) for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "moment",
    [datetime(2026, 1, 1), datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)],  # noqa: DTZ001  the point of the test
)
def test_a_time_without_zone_or_before_1970_is_refused(moment: datetime) -> None:
    with pytest.raises(IdentifierError):
        uuid7(moment)


def test_a_reference_has_the_documented_form() -> None:
    for _ in range(200):
        reference = new_reference("S")
        prefix, first, second, check = reference.split("-")
        assert (prefix, len(first), len(second), len(check)) == ("S", 4, 4, 1)
        assert set(first + second + check) <= set(ALPHABET)
        assert check_reference(reference) == reference


def test_a_known_reference_has_its_known_check_character() -> None:
    """Crockford: the number modulo 37, here 32 mod 37 and 37 mod 37."""
    assert check_reference("R-0000-0010-*") == "R-0000-0010-*"
    assert check_reference("R-0000-0015-0") == "R-0000-0015-0"


@pytest.mark.parametrize("text", ["r-0000-0015-0", "r 0o0o 0oi5 0", " r00000015o ", "R-OOOO-OOL5-0"])
def test_a_reference_is_read_as_people_write_it(text: str) -> None:
    assert check_reference(text) == "R-0000-0015-0"


@given(st.integers(0, 7), st.sampled_from(ALPHABET))
def test_every_single_wrong_character_is_found(place: int, other: str) -> None:
    reference = new_reference("R")
    characters = list(reference.replace("-", ""))
    if characters[1 + place] == other:
        return
    characters[1 + place] = other
    with pytest.raises(IdentifierError, match="wrong"):
        check_reference("".join(characters))


@given(st.integers(0, 6))
def test_every_swap_of_neighbours_is_found(place: int) -> None:
    characters = list(new_reference("R").replace("-", ""))
    here = 1 + place
    if characters[here] == characters[here + 1]:
        return
    characters[here], characters[here + 1] = characters[here + 1], characters[here]
    with pytest.raises(IdentifierError, match="wrong"):
        check_reference("".join(characters))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "R",
        "R-0000-0010",
        "0000-0010-*",
        "R-0000-00100-*",
        "ABCDE-0000-0010-*",
        "1-0000-0010-*",
        "R-000U-0010-*",
        "R-0000-0010-*" + " " * 40,
        "Ř-0000-0010-*",
        "R-００００-0010-*",
    ],
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(EncodingError):
        check_reference(text)


@pytest.mark.parametrize("prefix", ["", "s", "S1", "ABCDE", "Ä"])
def test_an_unfit_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(IdentifierError):
        new_reference(prefix)
