"""Rules of scheme 1 and the grade that their hits give.

The registry grades hits without ever seeing a name, so this module needs neither names nor tables and imports
nothing else of this package. There is one implementation: `Scheme.grade` calls `grade_hits` too.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Tier = Literal["A", "B", "C"]
Grade = Literal["strong", "likely", "possible"]

GRADES: tuple[Grade, ...] = ("strong", "likely", "possible")
"""All grades, the best first."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One way in which two persons can agree."""

    id: str
    """Readable, stable name."""

    number: int
    """One byte that stands for the rule in tokens and storage. Never used again for another rule."""

    tier: Tier
    """A: two of these together are a strong match. B, C: alone they are a possible match."""

    sentence: str
    """What had to agree, as a recruiter would say it."""

    code: str
    """Shorthand of the scheme's definition."""


RULES: tuple[Rule, ...] = (
    Rule("document", 1, "A", "a document's number and its issuer", "doc"),
    Rule("all-parts+full-date", 2, "A", "all name parts, nicknames resolved, and the full birth date", "nick+D"),
    Rule("single-name+full-date", 3, "B", "the only name, nicknames resolved, and the full birth date", "mono-nick+D"),
    Rule("two-parts+full-date", 4, "A", "two name parts and the full birth date", "pair+D"),
    Rule(
        "part-and-three-letters+full-date",
        5,
        "A",
        "the first or last name part, the first 3 letters of the other, and the full birth date",
        "pre3+D",
    ),
    Rule(
        "part-and-two-letters+full-date",
        6,
        "B",
        "the first or last name part, the first 2 letters of the other, and the full birth date",
        "pre2+D",
    ),
    Rule("consonants+full-date", 7, "A", "the consonants of the whole name and the full birth date", "bag6+D"),
    Rule(
        "single-name-consonants+full-date",
        8,
        "B",
        "the consonants of the only name and the full birth date",
        "mono-bag6+D",
    ),
    Rule("rare-part+full-date", 9, "C", "one rare name part, letter by letter, and the full birth date", "rare+D"),
    Rule("rare-sound+full-date", 10, "B", "one name part of rare sound and the full birth date", "rarsk+D"),
    Rule(
        "part-and-ending+full-date",
        11,
        "B",
        "the first or last name part, the last 3 letters of the other, and the full birth date",
        "suf3+D",
    ),
    Rule(
        "half-document+full-date",
        12,
        "B",
        "half of a document's number, its issuer and the full birth date",
        "dochalf+D",
    ),
    Rule("all-parts+year-only", 13, "B", "all name parts and the birth year, where only the year is known", "skel~Y"),
    Rule(
        "all-parts+year-and-day",
        14,
        "B",
        "all name parts, nicknames resolved, and the year and day of birth",
        "nick+yd",
    ),
    Rule(
        "all-parts+year-and-month",
        15,
        "B",
        "all name parts, nicknames resolved, and the year and month of birth",
        "nick+ym",
    ),
    Rule(
        "rare-part-and-three-letters+year-and-day",
        16,
        "B",
        "a first or last name part of rare sound, the first 3 letters of the other, and the year and day of birth",
        "rpre3+yd",
    ),
    Rule(
        "rare-part-and-three-letters+year-and-month",
        17,
        "B",
        "a first or last name part of rare sound, the first 3 letters of the other, and the year and month of birth",
        "rpre3+ym",
    ),
    Rule(
        "part-and-three-letters+year-only",
        18,
        "C",
        "the first or last name part, the first 3 letters of the other, and the birth year, where only the year is "
        "known",
        "pre3~Y",
    ),
    Rule(
        "two-parts-one-rare+year-only",
        19,
        "C",
        "two name parts, one of rare sound, and the birth year, where only the year is known",
        "rpair~Y",
    ),
)
"""Every rule, in the order in which features are kept where there are too many."""

DOCUMENT = "document"
HALF_DOCUMENT = "half-document+full-date"

_BY_NUMBER = {rule.number: rule for rule in RULES}
_BY_ID = {rule.id: rule for rule in RULES}
_DOCUMENT_NUMBER = _BY_ID[DOCUMENT].number
_HALF_NUMBER = _BY_ID[HALF_DOCUMENT].number
_TIER_A = frozenset(rule.number for rule in RULES if rule.tier == "A")
_HALVES_OF_A_DOCUMENT = 2

Hit = tuple[int, int | None, int | None, bytes | str]
"""Rule number, name of the record, name of the query, and the token on which both agree."""


def rule_by_id(rule_id: str) -> Rule:
    """Returns the rule with this id.

    Raises:
        KeyError: There is none.
    """
    return _BY_ID[rule_id]


def rule_by_number(number: int) -> Rule:
    """Returns the rule with this number.

    Raises:
        KeyError: There is none.
    """
    return _BY_NUMBER[number]


def grade_hits(hits: Iterable[Hit]) -> Grade | None:
    """Grades what two persons have in common.

    `strong`: two different rules of tier A on one pair of names, or a document and one more token other than a half of
    that same document. `likely`: one rule of tier A. `possible`: anything else.

    Args:
        hits: For every token that both have, one entry for each name of the record and each name of the query that it
            comes from. Names are the persons' own indices, None for documents. Order and repetition do not matter.

    Returns:
        The best grade over all pairs of names, or None if there is no hit.

    Raises:
        KeyError: A rule number is unknown.
    """
    found = set(hits)
    if not found:
        return None
    for number in {hit[0] for hit in found}:
        rule_by_number(number)
    if _document_and_more({(hit[0], hit[3]) for hit in found}):
        return "strong"
    pairs: dict[tuple[int | None, int | None], set[int]] = {}
    for number, record_name, query_name, _ in found:
        if number in _TIER_A:
            pairs.setdefault((record_name, query_name), set()).add(number)
    most = max(map(len, pairs.values()), default=0)
    if most > 1:
        return "strong"
    return "likely" if most else "possible"


def _document_and_more(tokens: set[tuple[int, bytes | str]]) -> bool:
    """Tells whether a document agrees and anything else that does not follow from it.

    A document that agrees brings its own two halves with it where the dates agree too, and no more than two: only
    further ones belong to another document.
    """
    documents = sum(number == _DOCUMENT_NUMBER for number, _ in tokens)
    halves = sum(number == _HALF_NUMBER for number, _ in tokens)
    others = len(tokens) - documents - halves
    return documents > 0 and (documents > 1 or others > 0 or halves > _HALVES_OF_A_DOCUMENT)
