"""base64url in one form only; length prefixes that cannot be confused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.crypto.encoding import b64u, lp, unb64u
from screening.crypto.errors import EncodingError


@given(st.binary(max_size=100))
def test_bytes_survive_the_round_trip(data: bytes) -> None:
    assert unb64u(b64u(data)) == data
    assert unb64u(b64u(data), length=len(data)) == data


@given(st.text(max_size=12) | st.text(alphabet="AQgw-_+/=\n ", max_size=12))
def test_what_is_accepted_is_what_would_be_written(text: str) -> None:
    try:
        data = unb64u(text)
    except EncodingError:
        return
    assert b64u(data) == text


@pytest.mark.parametrize(
    "text",
    ["AA==", "AA=", "A", "AB", "A+AA", "A/AA", "AA AA", "AAAA\n", "\u212aAAA", "AAA\x00", "é", "AA\ud800A", "AAAAA"],
)
def test_text_that_is_not_canonical_is_refused(text: str) -> None:
    with pytest.raises(EncodingError):
        unb64u(text)


@pytest.mark.parametrize("value", [None, 1, b"AAAA", ["AAAA"]])
def test_what_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(EncodingError):
        unb64u(value)  # type: ignore[arg-type]  # the point of the test


def test_another_length_is_refused() -> None:
    with pytest.raises(EncodingError, match="32 bytes"):
        unb64u(b64u(bytes(31)), length=32)


def test_a_refusal_does_not_repeat_what_was_submitted() -> None:
    with pytest.raises(EncodingError) as caught:
        unb64u("Ngozi Adeyemi")
    assert "Ngozi" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_known_prefixes() -> None:
    assert lp() == b""
    assert lp(b"") == b"\x00\x00"
    assert lp(b"ab", b"c" * 258) == b"\x00\x02ab\x01\x02" + b"c" * 258


@given(st.lists(st.binary(max_size=5), max_size=4), st.lists(st.binary(max_size=5), max_size=4))
def test_different_parts_never_join_to_the_same_bytes(one: list[bytes], other: list[bytes]) -> None:
    assert (lp(*one) == lp(*other)) == (one == other)


def test_the_longest_part_is_65535_bytes() -> None:
    assert len(lp(bytes(65_535))) == 65_537
    with pytest.raises(EncodingError):
        lp(bytes(65_536))
