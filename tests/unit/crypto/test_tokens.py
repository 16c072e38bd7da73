"""Features that cannot be confused, tokens with their label, entries in one form."""

import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.crypto.encoding import b64u
from screening.crypto.errors import EncodingError
from screening.crypto.tokens import (
    TokenEntry,
    encode_feature,
    entries_digest,
    pack_entry,
    self_token,
    token,
    unpack_entry,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
features = st.tuples(st.integers(0, 65_535), texts, texts)


def test_a_feature_has_the_documented_bytes() -> None:
    assert encode_feature(258, "A1", "é") == b"\x00\x13screening/1/feature\x01\x02\x00\x02A1\x00\x02\xc3\xa9"


@given(features, features)
def test_different_features_never_have_the_same_bytes(one: tuple[int, str, str], other: tuple[int, str, str]) -> None:
    assert (encode_feature(*one) == encode_feature(*other)) == (one == other)


@pytest.mark.parametrize(
    "feature",
    [
        (-1, "A1", "x"),
        (65_536, "A1", "x"),
        (True, "A1", "x"),
        (1, "A" * 65_536, "x"),
        (1, "A", "x" * 65_536),
        (1, "A1", "\ud800"),
        (1, "\udfff", "x"),
    ],
)
def test_a_feature_that_has_no_bytes_is_refused(feature: tuple[Any, str, str]) -> None:
    with pytest.raises(EncodingError) as caught:
        encode_feature(*feature)
    assert caught.value.__cause__ is None


@given(st.binary(min_size=64, max_size=64))
def test_a_token_is_the_documented_hkdf(output: bytes) -> None:
    extracted = hmac.digest(bytes(32), output, "sha256")
    assert token(output) == hmac.digest(extracted, b"screening/1/token\x01", "sha256")[:16]


@pytest.mark.parametrize("length", [0, 32, 63, 65])
def test_an_output_of_another_length_has_no_token(length: int) -> None:
    with pytest.raises(EncodingError):
        token(bytes(length))


@given(st.integers(0, 255), st.none() | st.integers(0, 254), st.binary(min_size=16, max_size=16))
def test_an_entry_survives_the_round_trip(rule: int, name: int | None, value: bytes) -> None:
    packed = pack_entry(rule, name, value)
    assert (len(packed), len(b64u(packed))) == (18, 24)
    assert unpack_entry(packed) == TokenEntry(rule, name, value)


def test_an_entry_has_the_documented_bytes() -> None:
    assert pack_entry(7, None, b"t" * 16) == b"\x07\xff" + b"t" * 16
    assert pack_entry(7, 0, b"t" * 16) == b"\x07\x00" + b"t" * 16


@pytest.mark.parametrize(
    ("rule", "name", "length"), [(-1, 0, 16), (256, 0, 16), (0, -1, 16), (0, 255, 16), (0, 0, 15), (0, 0, 17)]
)
def test_an_entry_out_of_bounds_is_refused(rule: int, name: int, length: int) -> None:
    with pytest.raises(EncodingError):
        pack_entry(rule, name, bytes(length))


@pytest.mark.parametrize("length", [0, 17, 19])
def test_an_entry_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(EncodingError):
        unpack_entry(bytes(length))
    with pytest.raises(EncodingError):
        entries_digest([bytes(18), bytes(length)])


@given(st.lists(st.binary(min_size=18, max_size=18), max_size=5), st.randoms())
def test_the_order_of_entries_does_not_change_their_digest(entries: list[bytes], random: Any) -> None:
    shuffled = list(entries)
    random.shuffle(shuffled)
    assert entries_digest(iter(shuffled)) == hashlib.sha256(b"".join(sorted(entries))).hexdigest()


def test_a_self_token_is_the_documented_hmac_and_differs_between_organisations() -> None:
    key, other = bytes(32), b"\x01" * 32
    assert self_token(key, b"{}") == hmac.digest(key, b"screening/1/self\x00{}", "sha256")[:16]
    assert self_token(key, b"{}") != self_token(other, b"{}") != self_token(other, b"[]")


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_self_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(EncodingError):
        self_token(bytes(length), b"{}")
