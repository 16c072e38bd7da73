"""JSON as the API takes it: UTF-8, no duplicate keys, no NaN or infinities, no NUL, no lone surrogates, little nesting.

Two readers of one lenient document may see two different things; signed and audited content cannot afford that.
"""

import json
import math
from collections.abc import Iterator
from typing import Any, NoReturn

MAX_DEPTH = 16
"""Containers within containers; our deepest schema needs seven."""


class StrictJsonError(ValueError):
    """The bytes are not JSON as taken here. Says what is wrong, never what was in it."""


def loads(data: bytes) -> Any:
    """Reads one JSON document.

    Args:
        data: The bytes of a request body.

    Returns:
        The document as Python values.

    Raises:
        StrictJsonError: It is not UTF-8, not JSON (RFC 8259), or has one of the ambiguities listed above.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise StrictJsonError("The body is not UTF-8.") from None
    try:
        document = _DECODER.decode(text)
    except StrictJsonError:
        raise
    except (ValueError, RecursionError):
        raise StrictJsonError("The body is not JSON.") from None
    _check_depth(document)
    if "\\u" in text:  # otherwise neither character can have come in
        _check_characters(document)
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise StrictJsonError("An object has the same key twice.")
    return members


def _constant(_name: str) -> NoReturn:
    raise StrictJsonError("NaN and infinities are not JSON.")


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise StrictJsonError("A number is too large.")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)


def _check_depth(document: Any) -> None:
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _children(outer) if isinstance(inner, (dict, list))]
        if not level:
            return
    raise StrictJsonError("The body is nested too deeply.")


def _children(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        return iter(value.values())
    if isinstance(value, list):
        return iter(value)
    return iter(())


def _check_characters(value: Any) -> None:
    if isinstance(value, str):
        if "\x00" in value:
            raise StrictJsonError("A string holds a NUL character.")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise StrictJsonError("A string holds half of a surrogate pair.") from None
        return
    if isinstance(value, dict):
        for key in value:
            _check_characters(key)
    for inner in _children(value):
        _check_characters(inner)
