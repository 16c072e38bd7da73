"""From tokens to core tokens: what is left of a name without particles, with Arabic compounds taken apart."""

import re
from functools import lru_cache

from screening.identity.tables import name_tables

SERVANT = "abd(?:ou|u|e|a|o)?l?"
FATHER = "ab(?:u|ou|i|oo)"
SERVANT_OF = "abd(?:ou|u|e|a|o)[lrsznd]?(.{4,})"
OF_THE_FAITH = "(.{3,}?)(?:ud|ed|ad|al|od|id|u|e|a)d+(?:in|ine|een|yn)"
THE_FAITH = "uddin|eddin|eddine|aldin|addin|deen|dine"

_SERVANT = re.compile(SERVANT)
_FATHER = re.compile(FATHER)
_SERVANT_OF = re.compile(SERVANT_OF)
_OF_THE_FAITH = re.compile(OF_THE_FAITH)
_THE_FAITH = re.compile(THE_FAITH)


@lru_cache(maxsize=4096)
def core(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the parts by which a name is compared, in order and without repetition.

    Args:
        tokens: The name's tokens.
    """
    tables = name_tables()
    alone = len(tokens) == 1
    parts = [
        part for token in tokens for part in _parts(token) if alone or part != token or token not in tables.particles
    ]
    return tuple(dict.fromkeys("lah" if part in tables.allah else part for part in parts or tokens))


def _parts(token: str) -> tuple[str, ...]:
    """Takes apart one token that is compounded in the Arabic way, and returns any other as it is."""
    if _SERVANT.fullmatch(token):
        return ("abd",)
    if _FATHER.fullmatch(token):
        return ("abu",)
    if found := _SERVANT_OF.fullmatch(token):
        return ("abd", found[1])
    if found := _OF_THE_FAITH.fullmatch(token):
        return (found[1], "din")
    if _THE_FAITH.fullmatch(token):
        return ("din",)
    return (token,)
