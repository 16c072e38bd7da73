"""Texts that people type and others are shown: names, contacts, addresses."""

import re
import unicodedata
from datetime import date

from screening.registry.errors import ValidationFailedError

MAX_NAME = 200
MAX_CONTACT = 400
MAX_EMAIL = 254

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)*\Z")
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def check_text(field: str, text: str, *, longest: int) -> str:
    """Checks a line that others will be shown.

    Args:
        field: What it is called in an error.
        text: What was given.
        longest: Most characters that it may have.

    Returns:
        The text in NFC, without white space at its ends.

    Raises:
        ValidationFailedError: It is empty, too long, or holds control characters, which could hide what it says.
    """
    cleaned = unicodedata.normalize("NFC", text).strip()
    if not cleaned or len(cleaned) > longest:
        raise ValidationFailedError(errors={field: [f"must have 1 to {longest} characters"]})
    if any(unicodedata.category(c) in ("Cc", "Cs") or c in _BIDI_CONTROLS for c in cleaned):
        raise ValidationFailedError(errors={field: ["must not have control characters"]})
    return cleaned


def normalise_email(text: str) -> str:
    """The one form in which an e-mail address names an account.

    Raises:
        ValidationFailedError: It is no address.
    """
    email = check_text("email", text, longest=MAX_EMAIL).casefold()
    if not _EMAIL.match(email) or len(email) > MAX_EMAIL:
        raise ValidationFailedError(errors={"email": ["must be an e-mail address"]})
    return email


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or its last day where there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise ValueError("no such month")  # a month has 28 days or more
