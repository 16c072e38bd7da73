"""Sounds of names: skeletons, the bag of consonants, and the nickname-canonical form."""

import re
from collections.abc import Sequence
from functools import lru_cache

from screening.identity.tables import name_tables

RESPELT: tuple[tuple[str, str], ...] = (
    ("y", "i"),
    ("0", "o"),
    ("1", "l"),
)
SEMIVOWELS: tuple[tuple[str, str], ...] = (
    ("(?:ou|w)(?=[aeiou])", "v"),
    ("w", "u"),
)
SOFTENED: tuple[tuple[str, str], ...] = (
    ("c(?=[ei])", "s"),
    ("g(?=[ei])", "j"),
    ("j(?![aeiou])", "i"),
)
MERGED: tuple[tuple[str, str], ...] = (("[cqg]", "k"), ("[zx]", "s"), ("d", "t"), ("b", "p"), ("h", ""))
VOWELS = "[aeiou]"
RUN = r"(.)\1+"

_SEMIVOWELS = tuple((re.compile(pattern), sound) for pattern, sound in SEMIVOWELS)
_SOFTENED = tuple((re.compile(pattern), sound) for pattern, sound in SOFTENED)
_RESPELT = str.maketrans(dict(RESPELT))
_MERGED = str.maketrans({letter: sound for letters, sound in MERGED for letter in letters.strip("[]")})
_VOWELS = re.compile(VOWELS)
_RUN = re.compile(RUN)
_MARKED_FIRST = frozenset("aeiouh")
_FEWEST_LETTERS = 2


@lru_cache(maxsize=8192)
def skeleton(token: str) -> str:
    """Returns what a token sounds like: its consonants, marked where it begins with a vowel."""
    bare, marked = _skeleton(token)
    return f"a{bare}" if marked else bare


@lru_cache(maxsize=4096)
def bag(parts: tuple[str, ...]) -> str:
    """Returns all consonants of a name in alphabetical order, repetitions kept."""
    joined = "".join(_skeleton(part)[0] for part in parts)
    return "".join(sorted(_VOWELS.sub("", joined) or joined))


def canonical_skeletons(parts: Sequence[str]) -> str:
    """Returns the different skeletons of a name's parts with nicknames resolved, sorted, separated by spaces."""
    nicknames = name_tables().nicknames
    return sorted_skeletons([nicknames.get(part, part) for part in parts])


def sorted_skeletons(parts: Sequence[str]) -> str:
    """Returns the different skeletons of a name's parts, sorted, separated by spaces."""
    return " ".join(sorted({skeleton(part) for part in parts}))


@lru_cache(maxsize=8192)
def _skeleton(token: str) -> tuple[str, bool]:
    """Returns the skeleton without its mark, and whether it has one."""
    if token.isdigit():
        return token, False
    text = token.translate(_RESPELT)
    first = text[0]
    for pattern, sound in _SEMIVOWELS:
        text = pattern.sub(sound, text)
    for letters, sound in name_tables().digraphs:
        text = text.replace(letters, sound)
    for pattern, sound in _SOFTENED:
        text = pattern.sub(sound, text)
    text = text.translate(_MERGED)
    bare = _RUN.sub(r"\1", _VOWELS.sub("", text))
    if len(bare) < _FEWEST_LETTERS:
        return _RUN.sub(r"\1", text) or token, False
    return bare, first in _MARKED_FIRST
