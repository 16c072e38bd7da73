"""Lists that the registry gives page by page."""

from collections.abc import Iterator, Mapping
from typing import Final

from screening.client.answers import Fields
from screening.client.client import Client
from screening.client.errors import RegistryMisbehavedError

MAX_PAGES: Final = 100_000


def pages(client: Client, path: str, name: str, params: Mapping[str, str] | None = None) -> Iterator[Fields]:
    """Every item of a list, page after page.

    Args:
        client: Asks in the name of whoever is logged in.
        path: Such as `/v1/records`.
        name: The field that holds the items.
        params: Filters.

    Raises:
        RegistryMisbehavedError: The pages go round in a circle, or are no pages.
    """
    query = dict(params or {})
    seen: set[str] = set()
    while True:
        answer = Fields.of(client.call("GET", path, params=query).content)
        yield from answer.objects(name)
        cursor = answer.optional_text("next")
        if cursor is None:
            return
        if cursor in seen or len(seen) >= MAX_PAGES:
            raise RegistryMisbehavedError("the pages of its list do not end")
        seen.add(cursor)
        query["cursor"] = cursor
