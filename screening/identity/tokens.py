"""From a name in any script to its tokens: words of the letters a to z and digits.

The steps are numbered as in docs/matching.md. They give the same result on every platform: Unicode promises that NFKC
of a character never changes once the character is assigned, so Pythons with different Unicode versions can differ only
on characters that the older one does not know, and the tables of anyascii and pypinyin are pinned to one version.
"""

import re
import unicodedata
from functools import cache, lru_cache

from anyascii import anyascii

from screening.identity.model import Name
from screening.identity.tables import name_tables

_ARABIC = "\u0621-\u064a\u066e-\u06d3\u06fa-\u06ff"
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HANGUL = "\uac00-\ud7a3"
_AFTER_SPACE = r"(?:(?<=\s)|\A)"
_AFTER_SPACE_OR_HYPHEN = r"(?:(?<=[\s-])|\A)"
_NOT_LAST = f"(?=[{_ARABIC}])"
_LAST = f"(?![{_ARABIC}])"

ARABIC_MARKS = "[\u064b-\u065f\u0670\u0640\u200c-\u200f]"
ARABIC_STEPS: tuple[tuple[str, str], ...] = (
    (f"{_AFTER_SPACE}عبد(?=[{_ARABIC}]{{3}})", "عبد "),
    (f"{_AFTER_SPACE_OR_HYPHEN}(?:و?ال)?له{_LAST}", " lah "),
    (f"{_AFTER_SPACE_OR_HYPHEN}و?ال(?=[{_ARABIC}]{{2}})", " "),
    (f"(?<=[{_ARABIC}])ة{_LAST}", "ه"),
)
"""Steps 3 to 6, in order: pattern and replacement."""

ARABIC_INITIAL = f"{_AFTER_SPACE_OR_HYPHEN}[عاأإآ]{_NOT_LAST}"
HANGUL_RUN = f"[{_HANGUL}]+"
HAN_RUN = f"[{_HAN}]+"
CAMEL = "(?<=[a-z])(?=[A-Z][a-z])"
GAP = "[^a-z0-9]+"

_MARKS = re.compile(ARABIC_MARKS)
_ARABIC_STEPS = tuple((re.compile(pattern), replacement) for pattern, replacement in ARABIC_STEPS)
_ARABIC_INITIAL = re.compile(ARABIC_INITIAL)
_HANGUL_RUN = re.compile(HANGUL_RUN)
_HAN_RUN = re.compile(HAN_RUN)
_CAMEL = re.compile(CAMEL)
_GAP = re.compile(GAP)

_SURNAMED_HANGUL = range(2, 5)
_SURNAMED_HAN = range(1, 5)
_DOUBLE = 2


def name_tokens(name: Name) -> tuple[str, ...]:
    """Returns the tokens of a name in the order given, family, without titles.

    A full name is used only where given and family are empty; what follows its first comma goes first.
    """
    return _ordered_tokens(name.given, name.family, name.full)


@lru_cache(maxsize=4096)
def _ordered_tokens(given: str, family: str, full: str) -> tuple[str, ...]:
    if not given and not family:
        before, comma, after = full.partition(",")
        given, family = (after, before) if comma else (before, "")
    whole = family.strip() + given.strip()
    found = _tokens(whole) if _written_as_one(given, family) else _tokens(given) + _tokens(family)
    titles = name_tables().titles
    return tuple(token for token in found if token not in titles) or found


def _written_as_one(given: str, family: str) -> bool:
    """Tells whether both names are wholly Han or wholly Hangul, so that they are written as one word."""
    parts = [unicodedata.normalize("NFKC", part).strip() for part in (given, family)]
    return any(all(run.fullmatch(part) for part in parts) for run in (_HAN_RUN, _HANGUL_RUN))


@lru_cache(maxsize=4096)
def _tokens(text: str) -> tuple[str, ...]:
    """Steps 1 to 14, for text without regard to what is given and family."""
    ascii_input = text.isascii()
    if not ascii_input:
        text = _to_ascii(text)
    for mark in name_tables().apostrophes:
        text = text.replace(mark, "")
    return tuple(token for token in _GAP.split(text.casefold()) if token)


def _to_ascii(text: str) -> str:
    """Steps 1 to 11."""
    text = _MARKS.sub("", unicodedata.normalize("NFKC", text))
    for pattern, replacement in _ARABIC_STEPS:
        text = pattern.sub(replacement, text)
    text = _HANGUL_RUN.sub(lambda run: _romanised(run.group()), text)
    text = _HAN_RUN.sub(lambda run: _in_pinyin(run.group()), text)
    return _CAMEL.sub(" ", anyascii(_ARABIC_INITIAL.sub("a", text)))


def _romanised(run: str) -> str:
    """Step 7: Hangul syllables, each by its letters, a surname as usually written."""
    tables = name_tables()
    initials, medials, finals = tables.hangul
    syllables = []
    for syllable in run:
        initial, rest = divmod(ord(syllable) - 0xAC00, len(medials) * len(finals))
        medial, final = divmod(rest, len(finals))
        syllables.append(initials[initial] + medials[medial] + finals[final])
    if len(run) in _SURNAMED_HANGUL:
        syllables[0] = tables.korean_surnames.get(run[0], syllables[0])
    return f" {' '.join(syllables)} "


def _in_pinyin(run: str) -> str:
    """Step 8: Han characters, as surname and given name where the run has the length of a name."""
    syllables = _pinyin()(run, errors=list)
    if len(run) not in _SURNAMED_HAN:
        return f" {' '.join(syllables)} "
    double = len(run) > _DOUBLE and run[:_DOUBLE] in name_tables().chinese_double_surnames
    surname = _DOUBLE if double else 1
    return f" {''.join(syllables[:surname])} {''.join(syllables[surname:])} "


@cache
def _pinyin():  # type: ignore[no-untyped-def]  # pypinyin's own types are incomplete
    """Returns pypinyin's function, whose large tables are loaded only when a name needs them."""
    from pypinyin import lazy_pinyin

    return lazy_pinyin
