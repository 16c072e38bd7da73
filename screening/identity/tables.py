"""The scheme's literal tables, each loaded when it is first needed and never changed."""

from dataclasses import dataclass
from functools import cache

from screening.identity.data import read_json


@dataclass(frozen=True, slots=True)
class NameTables:
    """What normalisation looks names up in."""

    apostrophes: str
    """Every mark that is deleted rather than taken for a gap."""

    titles: frozenset[str]
    particles: frozenset[str]

    hangul: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
    """Romanised initials, medials and finals of Hangul syllables, in the order of Unicode's code points."""

    korean_surnames: dict[str, str]
    """Usual romanisation of surnames of one syllable."""

    chinese_double_surnames: frozenset[str]

    allah: frozenset[str]
    """Forms that the divine name takes inside names."""

    digraphs: tuple[tuple[str, str], ...]
    """Groups of letters and what they sound like, in the order in which they are replaced."""

    nicknames: dict[str, str]
    """Canonical form of each short form. No canonical form is itself a short form."""


@dataclass(frozen=True, slots=True)
class CommonNames:
    """Parts of names, and skeletons of parts, that are common in many countries."""

    tokens: frozenset[str]
    skeletons: frozenset[str]


@cache
def name_tables() -> NameTables:
    """Returns the tables of `name_tables.json`."""
    raw = read_json("name_tables.json")
    return NameTables(
        apostrophes="".join(raw["apostrophes"]),
        titles=frozenset(raw["titles"]),
        particles=frozenset(raw["particles"]),
        hangul=(tuple(raw["hangul_initials"]), tuple(raw["hangul_medials"]), tuple(raw["hangul_finals"])),
        korean_surnames=raw["korean_surnames"],
        chinese_double_surnames=frozenset(raw["chinese_double_surnames"]),
        allah=frozenset(raw["allah"]),
        digraphs=tuple((letters, sound) for letters, sound in raw["digraphs"]),
        nicknames={short: name for name, shorts in raw["nicknames"].items() for short in shorts},
    )


@cache
def common_names() -> CommonNames:
    """Returns the tables of `common_names.json`."""
    raw = read_json("common_names.json")
    return CommonNames(frozenset(raw["tokens"]), frozenset(raw["skeletons"]))
