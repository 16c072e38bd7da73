"""Whether what is known of a person is enough to find that person again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that is missing."""

    code: str
    """Stable: `birth-date-missing`, `birth-date-partial`, or `single-name`."""

    sentence: str
    """What to add."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What an identity's details allow."""

    can_grade_strong: bool
    """Whether the same details, asked for, would be a strong match."""

    can_match: bool
    """Whether there is anything to find the person by."""

    lacks: tuple[Lack, ...]
    """What would have to be added for a strong match; empty if nothing."""


BIRTH_DATE_MISSING = Lack("birth-date-missing", "Add the birth date: year, month and day.")
BIRTH_DATE_PARTIAL = Lack("birth-date-partial", "Add the month and day of birth, or a document's number and issuer.")
SINGLE_NAME = Lack(
    "single-name", "Add a second part of the name, or a document's number and issuer, or another name of the person."
)
