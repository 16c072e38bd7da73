"""From an identity to features: what is later hashed, and all that is ever compared.

A feature is compound: it holds a name and a date, or a document's number with its issuer, and never a name part or a
date alone. Each rule of the scheme gives its values here; `screening.identity.grading` says what each is worth.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

from screening.identity.core import core
from screening.identity.dates import PartialDate
from screening.identity.documents import MIN_NUMBER, Document
from screening.identity.grading import DOCUMENT, HALF_DOCUMENT, RULES
from screening.identity.model import Identity
from screening.identity.skeleton import bag, canonical_skeletons, skeleton, sorted_skeletons
from screening.identity.tables import common_names
from screening.identity.tokens import name_tokens

Role = Literal["record", "query"]
"""A record is stored and looked up; a query looks up."""

CAPS: dict[Role, int] = {"record": 256, "query": 32}
"""Most different features of one person, over all names together."""

MAX_PAIRS = 10
MIN_BAG = 6
MIN_RARE_TOKEN = 4
MIN_RARE_SKELETON = 3


@dataclass(frozen=True, slots=True)
class Feature:
    """One value by which a person can be found."""

    rule: str
    """Id of the rule that gave it."""

    value: str = field(repr=False)
    name: int | None
    """Index of the person's name that it came from; None for documents."""


@dataclass(frozen=True, slots=True)
class _Times:
    """What one birth date gives to compound with, each as text; empty where unknown."""

    date: tuple[str, ...] = ()
    """The full date, day and month in no order."""

    year_day: tuple[str, ...] = ()
    year_month: tuple[str, ...] = ()
    year: tuple[str, ...] = ()
    """The year, marked by whether the record's date is full or partial: two full dates never meet on it."""


class _Parts:
    """The parts of one name, and what the rules make of them."""

    def __init__(self, tokens: tuple[str, ...]) -> None:
        self.parts = core(tokens)
        self.several_tokens = len(tokens) > 1
        self.single = len(self.parts) == 1
        self.long = tuple(part for part in self.parts if len(part) > 1)
        self.nick = canonical_skeletons(self.parts)
        self.sounds = sorted_skeletons(self.parts)
        self.pairs = () if self.single else _pairs(self.parts, self.long or self.parts)
        self.bag = bag(self.parts)

    def affixed(self, affix: Callable[[str], str], *, rare: bool = False) -> tuple[str, ...]:
        """Returns the skeleton of the first part with letters of the last, and the other way round.

        Args:
            affix: Takes the letters.
            rare: Only where the skeleton is rare.
        """
        if self.single:
            return ()
        first, last = self.parts[0], self.parts[-1]
        both = ((skeleton(whole), affix(other)) for whole, other in ((last, first), (first, last)))
        return tuple(f"{sound} {letters}" for sound, letters in both if not rare or _rare_skeleton(sound))


def identity_features(identity: Identity, role: Role, *, capped: bool = True) -> list[Feature]:
    """Returns the features of a person in the order of the rules, the primary name first, capped.

    Where several names give the same value, each has its own entry, because names are graded one by one; the value
    counts once against the cap.

    Args:
        identity: The person. The name of each feature is the index in `identity.names`.
        role: Whether the person is stored or asked for.
        capped: Whether to keep to the cap; the scheme always does, measurements of its rules need not.
    """
    times = [_times(dob, role, estimated=identity.dob_estimated) for dob in _dates(identity, role)]
    by_rule: dict[str, dict[Feature, None]] = {rule.code: {} for rule in RULES}
    for code, value, name in _all_values(identity, times):
        by_rule[code][Feature(_IDS[code], value, name)] = None
    kept: list[Feature] = []
    different: set[tuple[str, str]] = set()
    for feature in (feature for found in by_rule.values() for feature in found):
        key = (feature.rule, feature.value)
        if key in different or not capped or len(different) < CAPS[role]:
            different.add(key)
            kept.append(feature)
    return kept


_IDS = {rule.code: rule.id for rule in RULES}
assert _IDS["doc"] == DOCUMENT and _IDS["dochalf+D"] == HALF_DOCUMENT  # noqa: S101, PT018  # codes name the same rules


def _dates(identity: Identity, role: Role) -> tuple[PartialDate, ...]:
    return identity.dobs if role == "record" else identity.dobs[:1]


def _times(dob: PartialDate, role: Role, *, estimated: bool) -> _Times:
    """Returns what a date gives: what it says, and for an estimated full date also what its year says."""
    year = f"{dob.year:04d}"
    full = dob.month is not None and dob.day is not None
    partial = estimated or not full
    if role == "record":
        marks = [mark for mark, holds in (("f", full), ("p", partial)) if holds]
    else:
        marks = ["p", "f"] if partial else ["p"]
    month = () if dob.month is None else (f"{year}-m{dob.month:02d}",)
    if not full:
        return _Times(year_month=month, year=tuple(mark + year for mark in marks))
    assert dob.month is not None and dob.day is not None  # noqa: S101, PT018  # tells the type checker
    low, high = sorted((dob.month, dob.day))
    return _Times(
        date=(f"{year}-{low:02d}-{high:02d}",),
        year_day=(f"{year}-d{dob.day:02d}",),
        year_month=month,
        year=tuple(mark + year for mark in marks),
    )


def _all_values(identity: Identity, times: list[_Times]) -> Iterator[tuple[str, str, int | None]]:
    """Gives rule code, value and name for everything that an identity says, names first to last."""
    seen: set[tuple[tuple[str, ...], bool]] = set()
    for index, name in enumerate(identity.names):
        tokens = name_tokens(name)
        key = (core(tokens), len(tokens) > 1)
        if not tokens or key in seen:
            continue  # a name that says nothing, or nothing that an earlier one does not
        seen.add(key)
        parts = _Parts(tokens)
        for time in times:
            for code, names, whens in _name_values(parts, time):
                for text in names:
                    for when in whens:
                        yield code, f"{text}|{when}", index
    for document in identity.documents:
        for code, value in _document_values(document, times):
            yield code, value, None


def _name_values(name: _Parts, time: _Times) -> Iterator[tuple[str, Iterable[str], tuple[str, ...]]]:
    """Gives rule code, texts of a name, and the times to compound each with."""
    bags = (name.bag,) if len(name.bag) >= MIN_BAG else ()
    sounds = (skeleton(part) for part in name.long)
    threes, rare_threes = name.affixed(_first_three), name.affixed(_first_three, rare=True)
    yield ("mono-nick+D" if name.single else "nick+D"), (name.nick,), time.date
    yield "pair+D", name.pairs, time.date
    yield "pre3+D", threes, time.date
    yield "pre2+D", name.affixed(_first_two), time.date
    yield ("mono-bag6+D" if name.single else "bag6+D"), bags, time.date
    yield "rare+D", filter(_rare_token, name.parts), time.date
    yield "rarsk+D", filter(_rare_skeleton, sounds), time.date
    yield "suf3+D", name.affixed(_last_three), time.date
    if name.several_tokens:
        yield "skel~Y", (name.sounds,), time.year
    yield "nick+yd", (name.nick,), time.year_day
    yield "nick+ym", (name.nick,), time.year_month
    yield "rpre3+yd", rare_threes, time.year_day
    yield "rpre3+ym", rare_threes, time.year_month
    yield "pre3~Y", threes, time.year
    yield "rpair~Y", (pair for pair in name.pairs if any(map(_rare_skeleton, pair.split(" ")))), time.year


def _document_values(document: Document, times: list[_Times]) -> Iterator[tuple[str, str]]:
    number, issuer = document.compared_number, document.compared_issuer
    if len(number) < MIN_NUMBER:
        return
    yield "doc", f"{number}|{issuer}"
    half = len(number) // 2
    for time in times:
        for date in time.date:
            yield "dochalf+D", f"1|{number[:half]}|{date}|{issuer}"
            yield "dochalf+D", f"2|{number[half:]}|{date}|{issuer}"


def _pairs(parts: tuple[str, ...], usable: tuple[str, ...]) -> tuple[str, ...]:
    """Returns pairs of different skeletons: with both first and last part, then with one of them, then the rest."""
    ends = {skeleton(parts[0]), skeleton(parts[-1])}
    different = dict.fromkeys(map(skeleton, usable))
    pairs = sorted(combinations(different, 2), key=lambda pair: -sum(sound in ends for sound in pair))
    return tuple(" ".join(sorted(pair)) for pair in pairs[:MAX_PAIRS])


def _first_three(part: str) -> str:
    return part[:3]


def _first_two(part: str) -> str:
    return part[:2]


def _last_three(part: str) -> str:
    return part[-3:]


def _letters(text: str) -> int:
    return sum(char.isalpha() for char in text)


def _rare_token(part: str) -> bool:
    return _letters(part) >= MIN_RARE_TOKEN and part not in common_names().tokens


def _rare_skeleton(sound: str) -> bool:
    return _letters(sound) >= MIN_RARE_SKELETON and sound not in common_names().skeletons
