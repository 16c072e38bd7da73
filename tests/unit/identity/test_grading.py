"""Grades follow from the hits alone, and can be had without loading anything else."""

import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.identity.grading import GRADES, RULES, Grade, Hit, grade_hits, rule_by_id, rule_by_number

BY_CODE = {rule.code: rule.number for rule in RULES}
NUMBERS = [rule.number for rule in RULES]


def hit(code: str, token: str = "", record: int | None = 0, query: int | None = 0) -> Hit:
    named = code not in ("doc", "dochalf+D")
    return BY_CODE[code], record if named else None, query if named else None, token or code


@pytest.mark.parametrize(
    ("hits", "grade"),
    [
        ([], None),
        ([hit("nick+D")], "likely"),
        ([hit("doc")], "likely"),
        ([hit("pair+D", "x"), hit("pair+D", "y")], "likely"),
        ([hit("nick+D"), hit("pair+D")], "strong"),
        ([hit("pre3+D"), hit("bag6+D")], "strong"),
        ([hit("nick+D"), hit("rare+D"), hit("pre2+D")], "likely"),
        ([hit("rare+D")], "possible"),
        ([hit("pre2+D"), hit("suf3+D"), hit("rarsk+D"), hit("skel~Y")], "possible"),
        ([hit("mono-nick+D"), hit("mono-bag6+D")], "possible"),
        ([hit("doc"), hit("rare+D")], "strong"),
        ([hit("doc"), hit("pre3~Y")], "strong"),
        ([hit("doc", "x"), hit("doc", "y")], "strong"),
        ([hit("doc"), hit("dochalf+D", "1")], "likely"),
        ([hit("doc"), hit("dochalf+D", "1"), hit("dochalf+D", "2")], "likely"),
        ([hit("doc"), hit("dochalf+D", "1"), hit("dochalf+D", "2"), hit("dochalf+D", "3")], "strong"),
        ([hit("dochalf+D", "1"), hit("dochalf+D", "2")], "possible"),
        ([hit("dochalf+D"), hit("nick+D")], "likely"),
        ([hit("nick+D", record=0), hit("pair+D", record=1)], "likely"),
        ([hit("nick+D", query=0), hit("pair+D", query=1)], "likely"),
        ([hit("nick+D", record=1, query=2), hit("pair+D", record=1, query=2)], "strong"),
    ],
)
def test_grade_follows_from_the_hits(hits: list[Hit], grade: Grade | None) -> None:
    assert grade_hits(hits) == grade


HITS = st.lists(
    st.tuples(
        st.sampled_from(NUMBERS),
        st.integers(0, 2) | st.none(),
        st.integers(0, 2) | st.none(),
        st.sampled_from(["a", "b"]) | st.just(b"c"),
    )
)


@given(HITS, st.randoms(use_true_random=False))
def test_order_and_repetition_of_hits_do_not_matter(hits: list[Hit], random: object) -> None:
    shuffled = [*hits, *hits[:1]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis hands out a random.Random
    assert grade_hits(shuffled) == grade_hits(hits)


@given(HITS, HITS)
def test_a_further_hit_never_lowers_the_grade(hits: list[Hit], more: list[Hit]) -> None:
    rank: dict[Grade | None, int] = {None: 3, **{grade: place for place, grade in enumerate(GRADES)}}
    assert rank[grade_hits(hits + more)] <= rank[grade_hits(hits)]


def test_an_unknown_rule_is_not_graded() -> None:
    with pytest.raises(KeyError):
        grade_hits([(200, 0, 0, "x")])


def test_rules_have_numbers_that_never_change() -> None:
    assert [(rule.id, rule.number, rule.tier) for rule in RULES] == [
        ("document", 1, "A"),
        ("all-parts+full-date", 2, "A"),
        ("single-name+full-date", 3, "B"),
        ("two-parts+full-date", 4, "A"),
        ("part-and-three-letters+full-date", 5, "A"),
        ("part-and-two-letters+full-date", 6, "B"),
        ("consonants+full-date", 7, "A"),
        ("single-name-consonants+full-date", 8, "B"),
        ("rare-part+full-date", 9, "C"),
        ("rare-sound+full-date", 10, "B"),
        ("part-and-ending+full-date", 11, "B"),
        ("half-document+full-date", 12, "B"),
        ("all-parts+year-only", 13, "B"),
        ("all-parts+year-and-day", 14, "B"),
        ("all-parts+year-and-month", 15, "B"),
        ("rare-part-and-three-letters+year-and-day", 16, "B"),
        ("rare-part-and-three-letters+year-and-month", 17, "B"),
        ("part-and-three-letters+year-only", 18, "C"),
        ("two-parts-one-rare+year-only", 19, "C"),
    ]
    assert all(rule_by_number(rule.number) is rule_by_id(rule.id) is rule for rule in RULES)
    assert all(0 < first < second < 256 for first, second in pairwise(NUMBERS))


def test_grading_loads_no_tables_and_no_libraries() -> None:
    script = (
        "import sys; import screening.identity.grading; "
        "sys.exit(any(name.split('.')[0] in ('pypinyin', 'anyascii') or name.startswith('screening.identity.')"
        " and name != 'screening.identity.grading' for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
