"""Three other ways of comparing the same persons, all on plaintext or plain filters, as yardsticks.

Each gives a score. The score of a stranger is the best that anyone in the register gives; the threshold is set where as
many strangers reach it as false positives are allowed, and recall is the share of true pairs that reach it.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

import anonlink
from clkhash import clk
from clkhash.comparators import NgramComparison
from clkhash.field_formats import BitsPerTokenStrategy, FieldHashingProperties, StringSpec
from clkhash.schema import Schema
from followthemoney import model
from nomenklatura.matching import get_algorithm
from rapidfuzz.distance import JaroWinkler

from screening.identity import Identity, PartialDate

FALSE_POSITIVES = (50, 100, 300)
"""Of 10,000 strangers."""

BEST_FOR_LOGIC = 10
CLK_FLOOR = 0.6

_DATE_WEIGHT = 0.5
_ENTITY_NUMBERS = count()
_SWAPPED, _TWO_OF_THREE, _UNKNOWN = 0.9, 0.7, 0.4

Pairs = Sequence[tuple[Identity, Identity]]


@dataclass(frozen=True, slots=True)
class PeerResult:
    """What one peer reaches."""

    peer: str
    strangers: int
    recall: dict[int, float]
    """By false positives allowed of 10,000."""


def recall_at(pair_scores: Sequence[float], stranger_scores: Sequence[float]) -> dict[int, float]:
    """Returns the share of true pairs above the lowest threshold that lets only the allowed strangers through."""
    ranked = sorted(stranger_scores, reverse=True)
    found = {}
    for allowed in FALSE_POSITIVES:
        let_through = int(allowed * len(ranked) / 10_000)
        bar = ranked[let_through] if let_through < len(ranked) else 0.0
        found[allowed] = sum(score > bar for score in pair_scores) / len(pair_scores)
    return found


def all_peers(pairs: Pairs, register: Sequence[Identity], strangers: Sequence[Identity]) -> list[PeerResult]:
    """Measures every peer; strangers may be a sample."""
    dated = DatedRegister(register)
    return [
        PeerResult("Jaro-Winkler, graded dates", len(strangers), _jaro_winkler(pairs, dated, strangers)),
        PeerResult("nomenklatura logic-v2", len(strangers), _logic(pairs, dated, strangers)),
        PeerResult("clkhash + anonlink", len(strangers), _clk(pairs, register, strangers)),
    ]


# --- Jaro-Winkler ------------------------------------------------------------------------------------------------


def date_grade(one: PartialDate | None, other: PartialDate | None) -> float:
    """Returns how well two full dates agree: wholly, swapped, in two of year, month and day, unknown, or not."""
    if one is None or other is None:
        return _UNKNOWN
    if one == other:
        return 1.0
    if (one.year, one.month, one.day) == (other.year, other.day, other.month):
        return _SWAPPED
    same = (one.year == other.year) + (one.month == other.month) + (one.day == other.day)
    return _TWO_OF_THREE if same == len(("year", "month")) else 0.0


def name_similarity(one: Identity, other: Identity) -> float:
    """Returns the mean Jaro-Winkler similarity of given and family names, in the order that fits better."""
    given, family = one.names[0].given, one.names[0].family
    other_given, other_family = other.names[0].given, other.names[0].family
    straight = _similar(given, other_given) + _similar(family, other_family)
    crossed = _similar(given, other_family) + _similar(family, other_given)
    return max(straight, crossed) / 2


def _similar(one: str, other: str) -> float:
    return JaroWinkler.similarity(one, other) if one and other else 0.5


def score(one: Identity, other: Identity) -> float:
    """Returns the mean of names and dates; nothing where the dates differ in two components."""
    graded = date_grade(one.dob, other.dob)
    return (1 - _DATE_WEIGHT) * name_similarity(one, other) + _DATE_WEIGHT * graded if graded else 0.0


class DatedRegister:
    """Finds everyone whose date agrees in two components, or is unknown."""

    def __init__(self, register: Sequence[Identity]) -> None:
        """Indexes the register."""
        self.people = register
        self._by_key: dict[tuple[int | str | None, ...], list[int]] = defaultdict(list)
        for place, person in enumerate(register):
            for key in self._keys(person.dob):
                self._by_key[key].append(place)

    def near(self, person: Identity) -> list[Identity]:
        """Returns those whose date does not rule the person out."""
        if person.dob is None:
            return list(self.people)
        swapped = PartialDate(person.dob.year, person.dob.day, person.dob.month)
        keys = {*self._keys(person.dob), *self._keys(swapped), *self._keys(None)}
        return [self.people[place] for place in sorted({place for key in keys for place in self._by_key[key]})]

    @staticmethod
    def _keys(dob: PartialDate | None) -> list[tuple[int | str | None, ...]]:
        if dob is None:
            return [("unknown",)]
        return [("ym", dob.year, dob.month), ("yd", dob.year, dob.day), ("md", dob.month, dob.day)]


def _jaro_winkler(pairs: Pairs, register: DatedRegister, strangers: Sequence[Identity]) -> dict[int, float]:
    of_strangers = [max((score(person, near) for near in register.near(person)), default=0.0) for person in strangers]
    return recall_at([score(record, query) for record, query in pairs], of_strangers)


# --- nomenklatura ------------------------------------------------------------------------------------------------


def _logic(pairs: Pairs, register: DatedRegister, strangers: Sequence[Identity]) -> dict[int, float]:
    """Compares each stranger with the ten whom Jaro-Winkler and dates put first, as the matcher expects.

    Persons without a birth date are not compared: the same name alone scores as much as name and date together, so
    that strangers without a date would let no other threshold stand than one that nobody reaches.
    """
    algorithm = get_algorithm("logic-v2")
    assert algorithm is not None
    config = algorithm.default_config()

    def compared(one: Identity, other: Identity) -> float:
        if one.dob is None or other.dob is None:
            return 0.0
        return float(algorithm.compare(_entity(one), _entity(other), config).score)

    of_strangers = [
        max((compared(person, near) for near in _best(register.near(person), person)), default=0.0)
        for person in strangers
    ]
    return recall_at([compared(query, record) for record, query in pairs], of_strangers)


def _best(people: Sequence[Identity], person: Identity) -> list[Identity]:
    by_score: Callable[[Identity], float] = lambda other: score(person, other)  # noqa: E731  # one key, used once
    return sorted(people, key=by_score, reverse=True)[:BEST_FOR_LOGIC]


def _entity(person: Identity):  # type: ignore[no-untyped-def]  # followthemoney's entities are untyped here
    entity = model.make_entity("Person")
    entity.id = f"person-{next(_ENTITY_NUMBERS)}"  # the matcher remembers names by id
    given, family = person.names[0].given, person.names[0].family
    entity.add("firstName", given or None)
    entity.add("lastName", family or None)
    entity.add("name", f"{given} {family}".strip())
    entity.add("birthDate", str(person.dob) if person.dob else None)
    return entity


# --- clkhash + anonlink ------------------------------------------------------------------------------------------


def _schema() -> Schema:
    """Returns the best of the settings that were tried: bigrams, 15 bits each for names and 30 for the date."""

    def bigrams(field: str, bits: int, *, positional: bool) -> StringSpec:
        comparison = NgramComparison(2, positional=positional)
        return StringSpec(field, FieldHashingProperties(comparison, BitsPerTokenStrategy(bits)))

    return Schema(
        [
            bigrams("given", 15, positional=False),
            bigrams("family", 15, positional=False),
            bigrams("born", 30, positional=True),
        ],
        1024,
    )


def _clk(pairs: Pairs, register: Sequence[Identity], strangers: Sequence[Identity]) -> dict[int, float]:
    """Dice similarity of cryptographic long-term keys: of the names' bigrams and the date's, by position."""
    schema = _schema()

    def keys(people: Sequence[Identity]):  # type: ignore[no-untyped-def]  # bitarrays
        rows = [_clk_row(person) for person in people]
        return clk.generate_clks(rows, schema, b"benchmark", validate=False, max_workers=1)

    records, queries = keys([record for record, _ in pairs]), keys([query for _, query in pairs])
    of_pairs = [
        2 * (one & other).count() / (one.count() + other.count()) for one, other in zip(records, queries, strict=True)
    ]
    asked = keys(strangers)
    similarities, (places, _) = anonlink.similarities.dice_coefficient_accelerated(
        [asked, keys(register)], CLK_FLOOR, k=1
    )
    of_strangers = [0.0] * len(asked)
    for similarity, place in zip(similarities, places, strict=True):
        of_strangers[place] = max(of_strangers[place], similarity)
    return recall_at(of_pairs, of_strangers)


def _clk_row(person: Identity) -> list[str]:
    born = str(person.dob).replace("-", "") if person.dob else ""
    return [person.names[0].given, person.names[0].family, born]
