"""Persons, as organisations know them.

    person = Identity.from_dict({"given": "Seán", "family": "O'Connor", "dob": "1970-02-28"})

Everything here is immutable and says nothing about the person in its repr.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from screening.identity.dates import PartialDate
from screening.identity.documents import Document

NameKind = Literal["primary", "alias", "former", "original"]
Gender = Literal["female", "male", "other"]


@dataclass(frozen=True, slots=True)
class Name:
    """One name of a person: given and family name, or either, or the whole name in one."""

    given: str = field(default="", repr=False)
    family: str = field(default="", repr=False)
    full: str = field(default="", repr=False)
    """The whole name in its usual order, or as "family, given". Used only where given and family are empty."""

    kind: NameKind = "primary"
    """The name in use, an alias, a former name, or the name in its original script."""

    def to_dict(self) -> dict[str, str]:
        """Returns the parts that are given."""
        parts = {"given": self.given, "family": self.family, "full": self.full}
        return {part: text for part, text in parts.items() if text}


@dataclass(frozen=True, slots=True)
class Identity:
    """A person: names, birth date, and what else tells people apart.

    The constructor does not check anything; `from_dict` and `from_row` do, and are what input goes through.
    """

    names: tuple[Name, ...] = field(repr=False)
    """The primary name first."""

    dobs: tuple[PartialDate, ...] = field(default=(), repr=False)
    """Birth dates, usually one. A query asks with the first only."""

    dob_estimated: bool = field(default=False, repr=False)
    """Whether month and day are a guess."""

    nationalities: tuple[str, ...] = field(default=(), repr=False)
    """ISO 3166-1 alpha-2."""

    gender: Gender | None = field(default=None, repr=False)
    documents: tuple[Document, ...] = field(default=(), repr=False)
    id: str | None = field(default=None, repr=False)
    """The organisation's own reference for the person; never part of a feature."""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, today: date | None = None) -> "Identity":
        """Reads `{id, given, family, full, aliases[], former[], original[], dob, dob_estimated, nationalities[],
        gender, documents: [{type, number, issuer}]}`.

        Everything but a name may be left out, or be None or an empty list. Names in lists are text (a whole name) or
        `{given, family}` or `{full}`. `dob` is `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, or a list of such.

        Args:
            data: The person. It is not changed.
            today: No birth lies after this day; without it, the present day in UTC.

        Raises:
            IdentityError: Something cannot be used. The error names the field and never what was entered.
        """  # noqa: D205  # the summary is a literal form
        from screening.identity.reading import identity_from_dict

        return identity_from_dict(data, today=today)

    @classmethod
    def from_row(cls, row: Mapping[str, str | None], *, today: date | None = None) -> "Identity":
        """Reads a row of a table whose columns have the names that `from_dict` takes.

        Several entries in one cell are separated by `;`, documents are `type:issuer:number`, `dob_estimated` is yes or
        no. Empty cells say nothing.

        Args:
            row: Text by column.
            today: As in `from_dict`.

        Raises:
            IdentityError: As `from_dict`.
        """
        from screening.identity.reading import identity_from_row

        return identity_from_row(row, today=today)

    @property
    def dob(self) -> PartialDate | None:
        """The first birth date."""
        return self.dobs[0] if self.dobs else None

    def names_of(self, kind: NameKind) -> tuple[Name, ...]:
        """Returns the names of one kind."""
        return tuple(name for name in self.names if name.kind == kind)

    def to_dict(self) -> dict[str, Any]:
        """Returns the form that `from_dict` takes; reading it gives an equal identity."""
        found: dict[str, Any] = {} if self.id is None else {"id": self.id}
        found |= self.names[0].to_dict()
        for column, kind in NAME_LISTS.items():
            if listed := self.names_of(kind):
                found[column] = [name.to_dict() for name in listed]
        if self.dobs:
            dates = [str(dob) for dob in self.dobs]
            found["dob"] = dates[0] if len(dates) == 1 else dates
        if self.dob_estimated:
            found["dob_estimated"] = True
        if self.nationalities:
            found["nationalities"] = list(self.nationalities)
        if self.gender:
            found["gender"] = self.gender
        if self.documents:
            found["documents"] = [document.to_dict() for document in self.documents]
        return found


NAME_LISTS: dict[str, NameKind] = {"aliases": "alias", "former": "former", "original": "original"}
"""The field for each kind of further name."""
