"""Birth dates as people know them: a year, a year and month, or a full date."""

import calendar
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from screening.identity.errors import IdentityError

EARLIEST_YEAR = 1900
"""Nobody born before this year is screened; an earlier year is a slip of the pen."""

_FORM = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date of which the month and day, or the day, may be unknown.

    The constructor does not check that the date exists: `parse` does, and is what input goes through. It is left open
    so that research data with impossible dates can be measured as it stands.
    """

    year: int = field(repr=False)
    month: int | None = field(default=None, repr=False)
    day: int | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, text: str, *, where: str = "dob", today: date | None = None) -> "PartialDate":
        """Reads `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.

        Args:
            text: The date.
            where: Name of the field, for errors.
            today: No birth lies after this day; without it, the present day in UTC.

        Raises:
            IdentityError: Not in one of the forms, no such date, before 1900, or in the future.
        """
        form = _FORM.fullmatch(text.strip())
        if form is None:
            raise IdentityError(where, "date-format", "is not a date as YYYY, YYYY-MM or YYYY-MM-DD")
        found = cls(*(int(part) if part is not None else None for part in form.groups()))  # type: ignore[arg-type]  # the year always matches
        found._check(where, today or datetime.now(UTC).date())
        return found

    @property
    def full(self) -> bool:
        """Whether year, month and day are known."""
        return self.month is not None and self.day is not None

    def __str__(self) -> str:
        parts = [f"{self.year:04d}"]
        parts += [f"{part:02d}" for part in (self.month, self.day) if part is not None]
        return "-".join(parts)

    def _check(self, where: str, today: date) -> None:
        if self.year < EARLIEST_YEAR:
            raise IdentityError(where, "date-implausible", f"lies before {EARLIEST_YEAR}")
        if self.month is not None and not 1 <= self.month <= 12:
            raise IdentityError(where, "date-impossible", "has no such month")
        if self.full and self.day not in range(1, calendar.monthrange(self.year, self.month or 1)[1] + 1):
            raise IdentityError(where, "date-impossible", "is a day that the month does not have")
        if (self.year, self.month or 1, self.day or 1) > (today.year, today.month, today.day):
            raise IdentityError(where, "date-future", "lies in the future")
