"""What every outcome says to the recruiter, in one place.

An outcome that is not known here, such as one that a newer registry answers with, is "not complete": never clear.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

NOT_COMPLETE: Final = "not_complete"
"""How an outcome that is not known is shown."""

FOLLOW_UP: Final = frozenset({"possible", "confirmed", "unanswered", NOT_COMPLETE})
"""Outcomes after which no decision may be taken on the check alone."""

GRADES: Final = {
    "strong": "Much of what was entered agrees with a record.",
    "likely": "Some of what was entered agrees with a record.",
    "possible": "A little of what was entered agrees with a record.",
}
UNKNOWN_GRADE: Final = "Something of what was entered agrees with a record."

GRADE_ORDER: Final = ("strong", "likely", "possible")

CATEGORIES: Final = {"SH": "sexual harassment", "SEA": "sexual exploitation and abuse"}

MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@dataclass(frozen=True, slots=True)
class Wording:
    """What an outcome says: a headline, and the sentences under it."""

    headline: str
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        """Everything in one paragraph."""
        return " ".join((self.headline, *self.sentences))


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences speak of."""

    at: datetime
    """When the registry answered (UTC)."""

    categories: Sequence[str] = ()
    """Categories that were asked for."""

    organisations: int = 0
    """Organisations whose records were covered."""

    grade: str | None = None
    owners: Sequence[str] = ()
    """Names and contacts of the organisations that must be asked."""

    answer_by: datetime | None = None
    """Until when an owner answers, once an inquiry runs."""


def known_outcome(outcome: object) -> str:
    """The outcome if it has wording of its own, otherwise `not_complete`."""
    return outcome if isinstance(outcome, str) and outcome in OUTCOMES else NOT_COMPLETE


def describe(outcome: object, facts: Facts) -> Wording:
    """What to show for an outcome; an unknown one is shown as not complete."""
    return OUTCOMES[known_outcome(outcome)](facts)


def spoken_time(time: datetime) -> str:
    """`14:02 UTC, 20 November 2026`."""
    return f"{time:%H:%M} UTC, {time.day} {MONTHS[time.month - 1]} {time.year}"


def _no_record(facts: Facts) -> Wording:
    return Wording(
        f"No record found for the details entered, as at {spoken_time(facts.at)}.",
        (_covered(facts), "This is not a statement of good conduct."),
    )


def _possible(facts: Facts) -> Wording:
    sentences = [GRADES.get(facts.grade or "", UNKNOWN_GRADE)]
    if facts.answer_by is not None and facts.owners:
        sentences.append(
            f"{_listed(facts.owners)} will answer by {facts.answer_by.day} {MONTHS[facts.answer_by.month - 1]}."
        )
    elif facts.owners:
        sentences.append(f"Ask {_listed(facts.owners)} whether it is the same person.")
    return Wording("We need to check further. Do not decide yet.", tuple(sentences))


def _confirmed(facts: Facts) -> Wording:
    return Wording(
        "The organisation that holds the record says: the same person.",
        (f"Contact {_listed(facts.owners)}.",) if facts.owners else (),
    )


def _cleared(facts: Facts) -> Wording:
    return Wording(
        "The organisation that holds the record says: not the same person.",
        ("This is remembered for this candidate and this version of the record.", _covered(facts)),
    )


def _unanswered(facts: Facts) -> Wording:
    owner = _listed(facts.owners) or "The organisation that holds the record"
    return Wording(
        "Not answered. Do not decide yet.",
        (f"{owner} was asked and did not answer in time.", "The registry has been told."),
    )


def _insufficient(_: Facts) -> Wording:
    return Wording(
        "The details do not allow a check.",
        (
            "Add the full name as in the passport and the full birth date, or at least its year; "
            "a passport, national id or staff number helps most.",
        ),
    )


def _not_complete(facts: Facts) -> Wording:
    return Wording(
        "This check is not complete. Do not decide yet.",
        (f"The registry's answer of {spoken_time(facts.at)} is of a kind that this version does not know; update it.",),
    )


OUTCOMES: Final = {
    "no_record": _no_record,
    "possible": _possible,
    "confirmed": _confirmed,
    "cleared": _cleared,
    "unanswered": _unanswered,
    "insufficient": _insufficient,
    NOT_COMPLETE: _not_complete,
}


def _covered(facts: Facts) -> str:
    # "and" stands inside one of them, so that it cannot stand between them too
    categories = "; ".join(CATEGORIES.get(category, category) for category in sorted(facts.categories, reverse=True))
    number = "1 organisation" if facts.organisations == 1 else f"{facts.organisations} organisations"
    return f"Covered: {categories or 'no category'} (records of {number})."


def _listed(items: Sequence[str]) -> str:
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"
