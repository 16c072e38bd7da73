"""What text must be before it becomes part of an identity."""

import re
import unicodedata

from screening.identity.errors import IdentityError

MAX_TEXT = 200
"""Longest name, issuer, number or id, in characters."""

_BIDI = re.compile("[\u061c\u202a-\u202e\u2066-\u2069]")
_LINE_BREAKS = frozenset({"Cc", "Zl", "Zp"})


def checked_text(value: object, where: str) -> str:
    """Returns text without white space around it.

    Args:
        value: What was entered.
        where: Name of the field, for errors.

    Raises:
        IdentityError: Not text, empty, over 200 characters, or with characters that hide or reorder others.
    """
    if not isinstance(value, str):
        raise IdentityError(where, "not-text", "is not text")
    if len(value) > MAX_TEXT:
        raise IdentityError(where, "too-long", f"is longer than {MAX_TEXT} characters")
    if any(unicodedata.category(char) in _LINE_BREAKS for char in value.strip()):
        raise IdentityError(where, "control-character", "holds a control character or line break")
    text = value.strip()
    if not text:
        raise IdentityError(where, "empty", "is empty")
    if _BIDI.search(text):
        raise IdentityError(where, "bidi-control", "holds an invisible character that changes the direction of writing")
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise IdentityError(where, "not-text", "is not valid text")
    return text


def checked_name(value: object, where: str) -> str:
    """Returns a name or part of one, without white space around it.

    Raises:
        IdentityError: As `checked_text`; or it holds a symbol such as an emoji, or no letter at all.
    """
    text = checked_text(value, where)
    categories = [unicodedata.category(char) for char in text]
    if not any(category.startswith("L") for category in categories):
        raise IdentityError(where, "no-letter", "holds no letter")
    if "So" in categories:
        raise IdentityError(where, "symbol", "holds a symbol that is no part of a name")
    return text
