"""Validation messages that name our own fields, and nothing that was submitted."""

from collections.abc import Iterator
from typing import Any

import marshmallow as ma
from marshmallow import fields

MAX_ERRORS = 50
"""Most fields named in one answer."""


def safe_errors(messages: Any, schema: ma.Schema) -> dict[str, list[str]]:
    """Flattens marshmallow's messages: `{"candidates.3.note": ["Not a valid string."]}`.

    A field that the schema does not know is not named, as its name was submitted.

    Args:
        messages: Of a `ValidationError`.
        schema: What did not fit.

    Returns:
        Messages by path, at most `MAX_ERRORS` paths.
    """
    found: dict[str, list[str]] = {}
    for path, message in _walk(messages, schema, ""):
        if path not in found and len(found) == MAX_ERRORS:
            continue
        known = found.setdefault(path, [])
        if message not in known:
            known.append(message)
    return found


def _walk(messages: Any, known: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(messages, list):
        for message in messages:
            yield path or "body", str(message)
        return
    for key, inner in messages.items():
        if key == "_schema":
            yield from _walk(inner, None, path)
        elif isinstance(key, int):
            yield from _walk(inner, _inner_of(known), _join(path, str(key)))
        elif isinstance(known, ma.Schema) and key in known.fields:
            yield from _walk(inner, known.fields[key], _join(path, key))
        elif isinstance(known, fields.Nested) and key in known.schema.fields:
            yield from _walk(inner, known.schema.fields[key], _join(path, key))
        else:
            yield path or "body", "Unknown field."


def _inner_of(field: Any) -> Any:
    return field.inner if isinstance(field, fields.List) else None


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
