"""Canonical JSON, commitments, times and keys have one form each, and every other one is refused."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from audit.canonical import (
    CanonicalError,
    CommitmentError,
    b64u,
    canonical,
    commit,
    format_time,
    key_id,
    leaf_hash,
    parse_canonical,
    parse_time,
    unb64u,
    verify_commitment,
)
from screening.crypto import signing

SALT = bytes(range(16))


def test_canonical_json_is_that_of_rfc_8785() -> None:
    # RFC 8785 §3.2.3: members sorted by UTF-16 code units.
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    assert list(parse_canonical(canonical(value))) == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize(
    "value", [{"a": object()}, {"a": 2**53}, {"a": float("nan")}, {"a": "\ud800"}, {1: "a"}], ids=repr
)
def test_what_json_cannot_express_is_refused(value: Any) -> None:
    with pytest.raises(CanonicalError):
        canonical(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'"a"',
        b"\xff",
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b'{"a":1}\n',
        b'{"a":1.0}',
        b'{"a":"\\u0061"}',
        b'{"a":NaN}',
        b"[" * 100_000,
    ],
    ids=lambda data: repr(data[:20]),
)
def test_a_second_spelling_is_refused(data: bytes) -> None:
    with pytest.raises(CanonicalError):
        parse_canonical(data)


def test_a_leaf_hash_is_that_of_rfc_9162() -> None:
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


def test_a_commitment_is_salt_and_value_each_behind_its_length() -> None:
    expected = hashlib.sha256(b"\x00\x10" + SALT + b"\x00\x0a" + b'"possible"').hexdigest()
    assert commit(SALT, "possible") == expected
    verify_commitment(expected, salt=SALT, value="possible")


@pytest.mark.parametrize(
    ("salt", "value"),
    [(SALT, "no_record"), (SALT, None), (bytes(16), "possible"), (SALT[:15], "possible"), (SALT, object())],
    ids=["value", "none", "salt", "short salt", "no json"],
)
def test_a_commitment_opens_to_nothing_else(salt: bytes, value: Any) -> None:
    with pytest.raises(CommitmentError):
        verify_commitment(commit(SALT, "possible"), salt=salt, value=value)


@pytest.mark.parametrize("salt", [b"", bytes(15), bytes(17)])
def test_a_salt_of_another_length_commits_to_nothing(salt: bytes) -> None:
    with pytest.raises(CanonicalError):
        commit(salt, "possible")


def test_a_time_is_written_in_utc_with_whole_seconds() -> None:
    time = datetime(2026, 11, 20, 16, 2, 11, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert format_time(time) == "2026-11-20T14:02:11Z"
    assert parse_time("2026-11-20T14:02:11Z") == datetime(2026, 11, 20, 14, 2, 11, tzinfo=UTC)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(CanonicalError):
        format_time(datetime(2026, 11, 20))  # noqa: DTZ001 - the very thing that is refused


@pytest.mark.parametrize(
    "text",
    [None, 5, "", "2026-11-20", "2026-11-20T14:02:11+00:00", "2026-11-20T14:02:11.0Z", "2026-2-3T1:2:3Z", "x" * 20],
)
def test_a_time_in_another_form_is_refused(text: object) -> None:
    with pytest.raises(CanonicalError):
        parse_time(text)


@pytest.mark.parametrize("text", [None, 5, "", b64u(SALT) + "=", b64u(SALT)[:-1] + "9", b64u(SALT + b"x"), "!" * 22])
def test_base64url_in_another_form_is_refused(text: object) -> None:
    with pytest.raises(CanonicalError):
        unb64u(text, 16)
    assert unb64u(b64u(SALT), 16) == SALT


def test_a_key_has_the_same_name_here_and_in_statements() -> None:
    public = signing.SigningKey.generate().public_bytes
    assert key_id(public) == signing.key_id(public)
