"""Documents that identify a person."""

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache

from screening.identity.checks import checked_text
from screening.identity.countries import alpha2
from screening.identity.errors import IdentityError

DOCUMENT_TYPES = ("passport", "national-id", "staff-number", "email", "phone")
"""Every type of document."""

MIN_NUMBER = 5
"""Fewest characters of a normalised number: a shorter one can be tried out too easily."""

_ISSUED_BY_STATES = frozenset({"passport", "national-id"})
_ISSUED = _ISSUED_BY_STATES | {"staff-number"}
_SEPARATORS = re.compile(r"[\s_-]+")
_SPACE = re.compile(r"\s+")
_NOT_KEPT = re.compile("[^a-z0-9]")


@lru_cache(maxsize=4096)
def normalised_number(number: str) -> str:
    """Returns a document's number as it is compared: ASCII letters and digits, no leading zeros."""
    from anyascii import anyascii  # its tables are only needed where features are made

    ascii_form = anyascii(unicodedata.normalize("NFKC", number)).casefold()
    return _NOT_KEPT.sub("", ascii_form).lstrip("0")


@dataclass(frozen=True, slots=True)
class Document:
    """A document, or another number or address that belongs to one person only.

    The constructor does not check anything; `make` does, and is what input goes through.
    """

    type: str
    """One of `DOCUMENT_TYPES`."""

    number: str = field(repr=False)
    """As entered."""

    issuer: str = field(default="", repr=False)
    """Country (ISO 3166-1 alpha-2) or organisation that issued it; empty only where nobody does."""

    @classmethod
    def make(cls, type_: object, number: object, issuer: object = None, *, where: str = "documents[0]") -> "Document":
        """Checks and makes a document.

        Args:
            type_: One of `DOCUMENT_TYPES`, in any case, with space, hyphen or underscore.
            number: Number or address, of at least 5 letters and digits.
            issuer: Country code (alpha-2 or alpha-3) or name of the organisation; None or empty for e-mail and
                phone only: elsewhere two issuers may have given the same number to two people.
            where: Name of the field, for errors.

        Raises:
            IdentityError: Unknown type, or a number or issuer that cannot be used.
        """
        known = _SEPARATORS.sub("-", checked_text(type_, f"{where}.type")).casefold()
        if known not in DOCUMENT_TYPES:
            raise IdentityError(f"{where}.type", "unknown-document-type", f"is not one of {', '.join(DOCUMENT_TYPES)}")
        entered = checked_text(number, f"{where}.number")
        if len(normalised_number(entered)) < MIN_NUMBER:
            raise IdentityError(f"{where}.number", "number-too-short", f"has fewer than {MIN_NUMBER} characters")
        by = "" if issuer is None or issuer == "" else _SPACE.sub(" ", checked_text(issuer, f"{where}.issuer"))
        if known in _ISSUED and not by:
            raise IdentityError(f"{where}.issuer", "issuer-missing", f"is missing, and a {known} needs one")
        if known in _ISSUED_BY_STATES:
            by = alpha2(by) or by
        return cls(known, entered, by)

    @property
    def compared_number(self) -> str:
        """The number as it is compared."""
        return normalised_number(self.number)

    @property
    def compared_issuer(self) -> str:
        """The issuer as it is compared."""
        return unicodedata.normalize("NFKC", self.issuer).casefold()

    def to_dict(self) -> dict[str, str]:
        """Returns the form that `Identity.from_dict` takes."""
        found = {"type": self.type, "number": self.number}
        return found | {"issuer": self.issuer} if self.issuer else found
