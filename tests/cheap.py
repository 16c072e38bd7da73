"""`screening` with Argon2id at a cost fit for tests: `python tests/cheap.py ARGUMENTS`.

No setting of the product lowers these costs, so this program replaces its constants before anything reads them.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from screening.crypto import stretch

STRETCH = stretch.StretchParameters(memory_kib=8, iterations=1, parallelism=1, length=32)


@contextmanager
def cheap_trust_accepted() -> Iterator[None]:
    """Lets this process accept trust files that such a program made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("screening.crypto.trust.MINIMUM_STRETCH", STRETCH)
        yield


def main() -> None:
    """Runs `screening`."""
    stretch.DEFAULT = STRETCH
    from screening.cli import main

    main(sys.argv[1:])


if __name__ == "__main__":
    main()
