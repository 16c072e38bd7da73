"""What is read as JSON, and what is refused before anything else looks at it."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.api.strictjson import MAX_DEPTH, StrictJsonError, loads

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_characters="\x00")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_what_json_can_say_is_read_as_it_was_written(value: object) -> None:
    assert loads(json.dumps(value).encode()) == value
    assert loads(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b'{"a": 1,}', "not JSON"),
        (b"[1] [2]", "not JSON"),
        (b'{"a": "\x01"}', "not JSON"),
        (b'{"a": "\x00"}', "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"9" * 5000, "not JSON"),
        (b'"\xff"', "not UTF-8"),
        ("{}".encode("utf-16"), "not UTF-8"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b'{"a": 1, "a": 1}', "twice"),
        (b'{"b": {"a": 1, "\\u0061": 2}}', "twice"),
        (b"NaN", "NaN"),
        (b'{"a": -Infinity}', "NaN"),
        (b"1e999", "too large"),
        (b'"\\u0000"', "NUL"),
        (b'{"\\u0000": 1}', "NUL"),
        (b'["a", ["\\ud800"]]', "surrogate"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nested"),
        (b'{"a":' * 17 + b"1" + b"}" * 17, "nested"),
        (b"[" * 100_000, "not JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "not JSON"),
    ],
)
def test_what_is_ambiguous_or_dangerous_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(StrictJsonError, match=said):
        loads(data)


def test_nesting_up_to_the_limit_is_read() -> None:
    assert loads(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert loads(b'"\\\\u0000"') == "\\u0000"


@given(st.binary(max_size=64))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with contextlib.suppress(StrictJsonError):
        loads(data)
