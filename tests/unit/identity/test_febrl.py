"""Real errors: recall on FEBRL 4's pairs is what the scheme was specified with."""

import pytest

from benchmarks.febrl import load_pairs
from screening.identity import Identity, current_scheme

SCHEME = current_scheme()


def grades(*, documents: bool) -> list[str | None]:
    return [
        SCHEME.grade(SCHEME.features(record, "record"), SCHEME.features(query, "query"))
        for record, query in load_pairs(documents=documents)
    ]


@pytest.mark.parametrize(("documents", "found", "strong"), [(False, 0.802, 0.562), (True, 0.990, 0.78)])
def test_as_many_of_5000_pairs_are_found_as_specified(documents: bool, found: float, strong: float) -> None:
    graded = grades(documents=documents)
    assert len(graded) == 5000
    assert sum(grade is not None for grade in graded) / 5000 == pytest.approx(found, abs=0.005)
    assert graded.count("strong") / 5000 == pytest.approx(strong, abs=0.005)


def test_checked_pairs_are_what_the_product_accepts() -> None:
    pairs = load_pairs(documents=True, checked=True)
    assert len(pairs) > 4950
    for person in (person for pair in pairs for person in pair):
        assert Identity.from_dict(person.to_dict()) == person
