"""A register of persons, and persons who are not in it, from FEBRL 4 and Faker.

The register is the set's own records, nine times as many with given and family names recombined from it and new
birth dates, and as many again from all of Faker's locales. Persons who are not in it are made in the same two ways with
another seed: *in-domain* ones bear the set's names, *generic* ones those of the whole world.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from faker import Faker
from faker.config import AVAILABLE_LOCALES

from screening.identity import Identity, Name, PartialDate

FIRST_BIRTH = date(1950, 1, 1)
LAST_BIRTH = date(2005, 12, 31)
DEPRECATED = {"fr_QC"}
REGISTER_SEED = 1
STRANGERS_SEED = 2


@dataclass(frozen=True, slots=True)
class Population:
    """Who is in the register, and who is not but is asked for."""

    register: list[Identity]
    """The set's own records first."""

    in_domain: list[Identity]
    generic: list[Identity]


def make_population(own: Sequence[Identity], asked: Sequence[Identity], size: int, strangers: int) -> Population:
    """Makes a population.

    Args:
        own: The set's own records.
        asked: The set's queries, whose share without a birth date strangers take over.
        size: Persons in the register.
        strangers: Persons of each kind who are not in it.
    """
    others = max(size - len(own), 0)
    recombined = min(others, max(size // 2 - len(own), 0))
    undated = _share_undated(own)
    chance = random.Random(REGISTER_SEED)
    register = list(own[:size])
    register += _recombined(own, recombined, undated, chance)
    register += _generic(others - recombined, undated, chance)
    chance = random.Random(STRANGERS_SEED)
    undated = _share_undated(asked)
    return Population(
        register=register,
        in_domain=_recombined(own, strangers, undated, chance),
        generic=_generic(strangers, undated, chance),
    )


def _share_undated(people: Sequence[Identity]) -> float:
    return sum(person.dob is None for person in people) / len(people)


def _born(undated: float, chance: random.Random) -> tuple[PartialDate, ...]:
    day = FIRST_BIRTH + timedelta(days=chance.randrange((LAST_BIRTH - FIRST_BIRTH).days + 1))
    return () if chance.random() < undated else (PartialDate(day.year, day.month, day.day),)


def _recombined(own: Sequence[Identity], count: int, undated: float, chance: random.Random) -> list[Identity]:
    return [
        Identity(
            names=(Name(given=chance.choice(own).names[0].given, family=chance.choice(own).names[0].family),),
            dobs=_born(undated, chance),
        )
        for _ in range(count)
    ]


def _generic(count: int, undated: float, chance: random.Random) -> list[Identity]:
    sources = [Faker(locale) for locale in sorted(AVAILABLE_LOCALES) if locale not in DEPRECATED]
    for source in sources:
        source.seed_instance(chance.getrandbits(32))
    people = []
    for _ in range(count):
        source = chance.choice(sources)
        name = Name(given=source.first_name(), family=source.last_name())
        people.append(Identity(names=(name,), dobs=_born(undated, chance)))
    return people
