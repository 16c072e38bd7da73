"""A populated consortium, once for all tests that only look at it."""

from collections.abc import Iterator

import pytest

from tests.cheap import cheap_trust_accepted
from tests.populated import Populated, populated

RECORDS = 200


@pytest.fixture(scope="package")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Populated]:
    """200 records and 200 screenings through real sockets, on SQLite."""
    with cheap_trust_accepted(), populated(tmp_path_factory.mktemp("consortium"), RECORDS) as one:
        yield one
