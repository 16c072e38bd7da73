"""Country codes of ISO 3166-1, with Kosovo's user-assigned XK."""

from functools import cache

from screening.identity.data import read_json


@cache
def _codes() -> dict[str, str]:
    """Returns alpha-2 for every alpha-2 and alpha-3 code."""
    table = read_json("countries.json")
    return {code: alpha2 for alpha2, alpha3 in table.items() for code in (alpha2, alpha3)}


def alpha2(text: str) -> str | None:
    """Returns the alpha-2 code of a country given by either code in any case, or None if there is no such country."""
    return _codes().get(text.strip().upper())
