"""Every state says something of its own, and none that is unknown reads as clear."""

from datetime import UTC, datetime

import pytest

from screening.client.wording import FOLLOW_UP, NOT_COMPLETE, OUTCOMES, Facts, describe, known_outcome

AT = datetime(2026, 11, 20, 14, 2, tzinfo=UTC)
DESIGNED = {"no_record", "possible", "confirmed", "cleared", "unanswered", "insufficient"}


def facts(**changes: object) -> Facts:
    values: dict[str, object] = {
        "at": AT,
        "categories": ("SH", "SEA"),
        "organisations": 3,
        "owners": ("Org B (hr@b.example)",),
    }
    return Facts(**(values | changes))  # type: ignore[arg-type]  # test data


def test_exactly_the_designed_outcomes_and_not_complete_have_wording() -> None:
    assert set(OUTCOMES) == DESIGNED | {NOT_COMPLETE}
    texts = [describe(outcome, facts()).text for outcome in OUTCOMES]
    assert len(set(texts)) == len(texts)


def test_no_record_says_when_what_was_covered_and_what_it_is_not() -> None:
    text = describe("no_record", facts()).text
    assert "No record found for the details entered, as at 14:02 UTC, 20 November 2026" in text
    assert "sexual harassment; sexual exploitation and abuse" in text
    assert "3 organisations" in text
    assert "This is not a statement of good conduct." in text


@pytest.mark.parametrize(
    ("grade", "words"),
    [("strong", "Much"), ("likely", "Some"), ("possible", "A little"), ("new", "Something"), (None, "Some")],
)
def test_possible_says_not_to_decide_the_grade_in_words_and_who_to_ask(grade: str | None, words: str) -> None:
    text = describe("possible", facts(grade=grade)).text
    assert text.startswith("We need to check further. Do not decide yet.")
    assert words in text
    assert "Org B (hr@b.example)" in text
    assert not any(word in text.lower() for word in ("hit", "strong", "%"))


def test_possible_says_until_when_the_owner_answers_once_that_is_known() -> None:
    text = describe("possible", facts(grade="strong", answer_by=datetime(2026, 11, 27, tzinfo=UTC))).text
    assert "Org B (hr@b.example) will answer by 27 November." in text


@pytest.mark.parametrize("unknown", ["clear", "", "NO_RECORD", "no_record ", None, 0, [], "disputed"])
def test_an_unknown_outcome_is_not_complete_and_never_clear(unknown: object) -> None:
    assert known_outcome(unknown) == NOT_COMPLETE
    text = describe(unknown, facts()).text
    assert text.startswith("This check is not complete. Do not decide yet.")
    assert "No record" not in text
    assert NOT_COMPLETE in FOLLOW_UP


def test_only_no_record_and_cleared_allow_a_decision() -> None:
    undecided = {outcome for outcome in OUTCOMES if "Do not decide yet" in describe(outcome, facts()).text}
    assert undecided | {"confirmed"} == FOLLOW_UP
    assert set(OUTCOMES) - FOLLOW_UP == {"no_record", "cleared", "insufficient"}
    assert "do not allow a check" in describe("insufficient", facts()).text


def test_wording_does_without_owners_and_for_one_organisation() -> None:
    for outcome in OUTCOMES:
        assert "  " not in describe(outcome, facts(owners=(), organisations=1, categories=())).text
    assert "(records of 1 organisation)." in describe("no_record", facts(organisations=1)).text
