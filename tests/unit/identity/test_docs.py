"""The page on matching says what the code does."""

from pathlib import Path

from screening.identity import current_scheme
from screening.identity.features import CAPS
from tests.unit.identity.test_normalisation import EXAMPLES

PAGE = (Path(__file__).resolve().parents[3] / "docs/matching.md").read_text("utf-8")


def rows(heading: str) -> list[list[str]]:
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines][1:]


def test_the_page_lists_every_rule_as_it_is() -> None:
    listed = [(int(number), rule, tier, sentence) for number, rule, tier, sentence, *_ in rows("Rules")]
    assert listed == [(rule.number, rule.id, rule.tier, rule.sentence) for rule in current_scheme().rules]


def test_the_page_shows_the_examples_that_are_tested() -> None:
    assert [tuple(row) for row in rows("Examples")] == EXAMPLES


def test_the_page_names_the_caps() -> None:
    assert f"{CAPS['record']} different features of a record and {CAPS['query']} of a query" in PAGE
