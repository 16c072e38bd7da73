"""Real input through the whole product: FEBRL 4's persons are entered, their erroneous twins screened.

What the product cannot take is refused where it is entered, before anybody is asked, and is counted here: a person
without a name; a date that does not exist, in place of which an organisation enters the part that does; and, for
records, a person without a full birth date or with a name of one part, who could never be matched strongly.
"""

import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.febrl import load_pairs
from screening.cli.consortium import Consortium
from screening.client import Client
from screening.client.records import RecordInputError
from screening.client.screenings import Asked, ScreeningResult
from screening.identity import Feature, Identity, IdentityError, current_scheme
from screening.identity.grading import GRADES
from tests.cheap import cheap_trust_accepted
from tests.populated import APPROVER, MEMBERS, RECRUITER, SUBMITTER, free_ports

SCHEME = current_scheme()
REGISTRAR = "registrar@registry.example"
AT_ONCE = 100
TOLERANCE = 0.01
STRONG, ANY = 0.564, 0.802
"""Recall on plaintext, of all 5,000 pairs (docs/matching.md)."""

MOST = {
    "screening_candidates_per_person_per_day": 100_000,
    "screening_candidates_per_organisation_per_day": 100_000,
    "evaluation_elements_per_organisation_per_day": 1_000_000,
}
"""Policies that do not let a single day's default end the long run."""

Pairs = Sequence[tuple[Identity, Identity]]


@dataclass(frozen=True)
class Run:
    """What went through the product.

    Attributes:
        pairs: True pairs: who was to be entered, and who was screened.
        entered: Who has an active record.
        refused: Who could not be entered, with the product's reason.
        results: Of each pair's second person.
    """

    pairs: Pairs
    entered: Sequence[Identity]
    refused: Sequence[tuple[Identity, str]]
    results: Sequence[ScreeningResult]


def run_through(directory: Path, pairs: Pairs) -> Run:
    """Enters and approves the first person of each pair, then screens the second ones, through real processes."""
    ports = free_ports(2)
    program = (sys.executable, str(Path(__file__).parents[1] / "cheap.py"))
    with (
        cheap_trust_accepted(),
        Consortium(directory, registry_port=ports[0], keyholder_port=ports[1], program=program) as consortium,
    ):
        consortium.build(MEMBERS)
        with consortium.client(REGISTRAR) as registrar:
            for name, value in MOST.items():
                registrar.organisations.set_policy(name, value)
        with consortium.client(SUBMITTER) as one, consortium.client(APPROVER) as two:
            reasons = [enter(one, two, record) for record, _ in pairs]
        asked = Asked("recruitment", "VACANCY-1", "notice")
        queries = [query for _, query in pairs]
        results: list[ScreeningResult] = []
        with consortium.client(RECRUITER) as client:
            for start in range(0, len(queries), AT_ONCE):
                results += client.screenings.check_all(queries[start : start + AT_ONCE], asked)
    people = [(record, reason) for (record, _), reason in zip(pairs, reasons, strict=True)]
    entered = [record for record, reason in people if reason is None]
    return Run(pairs, entered, [(record, reason) for record, reason in people if reason], results)


def enter(submitter: Client, approver: Client, person: Identity) -> str | None:
    """Enters a person and has the record approved; gives the product's reason where it refuses."""
    expires_on = datetime.now(UTC).date() + timedelta(days=1000)
    try:
        record = submitter.records.add(person, category="SEA", basis="determination", expires_on=expires_on)
    except RecordInputError as error:
        return error.code
    approver.records.approve(record.id)
    return None


class Plaintext:
    """The scheme alone, on names in the clear: what a query must be graded against everybody who was entered."""

    def __init__(self, records: Sequence[Identity]) -> None:
        self._features = [SCHEME.features(record, role="record") for record in records]
        self._having: dict[tuple[str, str], set[int]] = defaultdict(set)
        for place, features in enumerate(self._features):
            for feature in features:
                self._having[feature.rule, feature.value].add(place)

    def best_grade(self, query: Identity) -> str | None:
        """The best grade over all records; those that share no feature with the query have none."""
        asked = SCHEME.features(query, role="query")
        near = {place for feature in asked for place in self._having.get((feature.rule, feature.value), ())}
        return best([grade(self._features[place], asked) for place in near])


def grade(record: Sequence[Feature], query: Sequence[Feature]) -> str | None:
    return SCHEME.grade(record, query)


def best(grades: Sequence[str | None]) -> str | None:
    return min((found for found in grades if found), key=GRADES.index, default=None)


def grade_of_pair(record: Identity, query: Identity) -> str | None:
    return grade(SCHEME.features(record, role="record"), SCHEME.features(query, role="query"))


def check_grades(run: Run) -> None:
    """Each grade, outcome and owner is what the scheme says of the plaintext."""
    plaintext = Plaintext(run.entered)
    expected = [plaintext.best_grade(query) for _, query in run.pairs]
    assert [result.grade for result in run.results] == expected
    for (_, query), result in zip(run.pairs, run.results, strict=True):
        if result.grade is not None:
            assert (result.outcome, {owner.name for owner in result.owners}) == ("possible", {"Entering"})
        else:
            could = bool(SCHEME.features(query, role="query"))
            assert (result.outcome, result.hits) == ("no_record" if could else "insufficient", ())


def refused_reason(person: Identity) -> str | None:
    """Why the product does not take a person as he or she stands; None where it does."""
    try:
        Identity.from_dict(person.to_dict())
    except IdentityError as error:
        return str(error)
    return None if SCHEME.quality(person).can_grade_strong else "record-quality"


# --- what is refused ---------------------------------------------------------------------------------------------


def test_impossible_dates_and_missing_names_are_refused_at_entry() -> None:
    reasons = [[refused_reason(person) for person in side] for side in zip(*load_pairs(), strict=True)]
    first, second = ([reason for reason in side if reason and reason != "record-quality"] for side in reasons)
    assert first == ["full: needs a given, family or full name"]
    counts = {reason: second.count(reason) for reason in sorted(set(second))}
    assert counts == {
        "dob: has no such month": 48,
        "dob: is a day that the month does not have": 16,
        "full: needs a given, family or full name": 2,
    }


# --- some pairs, each day ----------------------------------------------------------------------------------------


def sample(pairs: Pairs) -> Pairs:
    """Every hundredth pair, five who cannot be entered, and five whose date is partly impossible."""
    chosen = dict.fromkeys(range(0, len(pairs), 100))
    refused = [place for place, (record, _) in enumerate(pairs) if not SCHEME.quality(record).can_grade_strong]
    partial = [place for place, (_, query) in enumerate(pairs) if query.dob is not None and query.dob.day is None]
    return [pairs[place] for place in dict.fromkeys([*chosen, *refused[:5], *partial[:5]])]


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_through(tmp_path_factory.mktemp("febrl") / "consortium", sample(load_pairs(checked=True)))


def test_each_pair_gets_the_grade_that_the_plaintext_gets(some: Run) -> None:
    assert len(some.results) == len(some.pairs) >= 55
    check_grades(some)


def test_pairs_are_recalled_as_on_plaintext(some: Run) -> None:
    entered = {record.id for record in some.entered}
    pairs = [(record, query) for record, query in some.pairs if record.id in entered]
    true = [grade_of_pair(record, query) for record, query in pairs]
    found = {query.id: result.grade for (_, query), result in zip(some.pairs, some.results, strict=True)}
    got = [found[query.id] for _, query in pairs]
    assert [best([one, other]) for one, other in zip(got, true, strict=True)] == got
    assert got.count("strong") >= true.count("strong") > len(pairs) / 3


def test_only_who_could_not_grade_strong_is_refused(some: Run) -> None:
    assert [reason for _, reason in some.refused] == ["record-quality"] * len(some.refused)
    assert len(some.refused) >= 5
    expected = [record for record, _ in some.pairs if not SCHEME.quality(record).can_grade_strong]
    assert [record for record, _ in some.refused] == expected


# --- all of them -------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_all_pairs_are_recalled_as_documented(tmp_path: Path) -> None:
    """Records that are refused are misses here; how many of them the plaintext would have found is said apart."""
    run = run_through(tmp_path / "consortium", load_pairs(checked=True))
    everybody = len(load_pairs())
    assert (len(run.pairs), len(run.entered), len(run.refused)) == (4998, 4748, 250)
    check_grades(run)
    twin = {record.id: query for record, query in run.pairs}
    result = {record.id: found for (record, _), found in zip(run.pairs, run.results, strict=True)}
    strong = sum(result[record.id].grade == "strong" for record in run.entered)
    found = sum(result[record.id].grade is not None for record in run.entered)
    lost = sum(grade_of_pair(record, twin[record.id]) is not None for record, _ in run.refused)
    print(f"strong {strong}, any {found}, refused and so lost {lost}, of {everybody} pairs")
    assert strong / everybody == pytest.approx(STRONG, abs=TOLERANCE)
    assert (found + lost) / everybody == pytest.approx(ANY, abs=TOLERANCE)
    assert found / len(run.entered) > ANY
