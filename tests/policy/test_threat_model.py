"""docs/threat-model.md and the tests that it leans on belong together."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = [
    line.split("|")[1:-1]
    for line in (ROOT / "docs" / "threat-model.md").read_text().splitlines()
    if re.match(r"\| T-\d\d ", line)
]
IDS = [row[0].strip() for row in ROWS]


def test_ids_are_in_order_and_used_once() -> None:
    assert len(IDS) >= 15
    assert [f"T-{number:02}" for number in range(1, len(IDS) + 1)] == IDS


def test_each_claim_names_tests_that_exist() -> None:
    for row in ROWS:
        shown = re.findall(r"`(tests/[^`]+)`", row[-1])
        assert shown or row[-1].strip() == "same", row[0]
        for path in shown:
            found = ROOT / path
            assert found.is_file() or list(found.glob("test_*.py")), path


def test_tests_cite_no_id_that_the_document_does_not_have() -> None:
    texts = [path.read_text() for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    cited = {f"T-{number}" for text in texts for number in re.findall(r"(?:\bT-|_t)(\d\d)(?=\b|_)", text)}
    assert cited <= set(IDS)
    assert {"T-01", "T-02", "T-03", "T-04", "T-05", "T-06"} <= cited
