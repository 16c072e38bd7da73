"""What features persons give, and which of two persons meet in them."""

from typing import Any

import pytest

from screening.identity import Feature, Identity, current_scheme
from screening.identity.grading import rule_by_id

SCHEME = current_scheme()


def person(full: str = "Maria Papadopoulou", dob: Any = "1980-03-07", **more: Any) -> Identity:
    return Identity.from_dict({"full": full, "dob": dob, **more})


def values(identity: Identity, code: str, role: Any = "record") -> list[str]:
    return [found.value for found in SCHEME.features(identity, role) if rule_by_id(found.rule).code == code]


def grade(record: Identity, query: Identity) -> str | None:
    return SCHEME.grade(SCHEME.features(record, "record"), SCHEME.features(query, "query"))


def test_a_whole_person_gives_these_features() -> None:
    found = [(rule_by_id(each.rule).code, each.value, each.name) for each in SCHEME.features(person(), "record")]
    assert found == [
        ("nick+D", "mr ptpl|1980-03-07", 0),
        ("pair+D", "mr ptpl|1980-03-07", 0),
        ("pre3+D", "ptpl mar|1980-03-07", 0),
        ("pre3+D", "mr pap|1980-03-07", 0),
        ("pre2+D", "ptpl ma|1980-03-07", 0),
        ("pre2+D", "mr pa|1980-03-07", 0),
        ("bag6+D", "lmpprt|1980-03-07", 0),
        ("rare+D", "papadopoulou|1980-03-07", 0),
        ("rarsk+D", "ptpl|1980-03-07", 0),
        ("suf3+D", "ptpl ria|1980-03-07", 0),
        ("suf3+D", "mr lou|1980-03-07", 0),
        ("skel~Y", "mr ptpl|f1980", 0),
        ("nick+yd", "mr ptpl|1980-d07", 0),
        ("nick+ym", "mr ptpl|1980-m03", 0),
        ("rpre3+yd", "ptpl mar|1980-d07", 0),
        ("rpre3+ym", "ptpl mar|1980-m03", 0),
        ("pre3~Y", "ptpl mar|f1980", 0),
        ("pre3~Y", "mr pap|f1980", 0),
        ("rpair~Y", "mr ptpl|f1980", 0),
    ]


def test_documents_need_no_name_and_halves_need_a_date() -> None:
    with_number = person("X", None, documents=[{"type": "passport", "number": "00 AB-1234567", "issuer": "CHE"}])
    assert [(each.value, each.name) for each in SCHEME.features(with_number)] == [("ab1234567|ch", None)]
    dated = person("X", documents=[{"type": "staff-number", "number": "12345", "issuer": "Relief ORG"}])
    assert values(dated, "dochalf+D") == ["1|12|1980-03-07|relief org", "2|345|1980-03-07|relief org"]


def test_one_part_alone_gives_rules_of_its_own_and_no_pairs() -> None:
    codes = {rule_by_id(each.rule).code for each in SCHEME.features(person("Papadopoulougianni"))}
    assert codes == {"mono-nick+D", "mono-bag6+D", "rare+D", "rarsk+D", "nick+yd", "nick+ym"}


def test_pairs_leave_out_initials_unless_there_is_nothing_else() -> None:
    assert values(person("John R Smith"), "pair+D") == ["jn smt|1980-03-07"]
    assert values(person("J R"), "pair+D") == ["i r|1980-03-07"]


def test_at_most_ten_pairs_are_kept_those_with_first_and_last_before_others() -> None:
    many = person("Tomas Ricardo Benedikt Valerian Moritz Lukas")
    pairs = values(many, "pair+D")
    assert len(pairs) == 10
    assert pairs[0] == "lks tms|1980-03-07"
    ends = {"tms", "lks"}
    assert [len(ends & set(pair.split("|")[0].split())) for pair in pairs] == [2] + [1] * 8 + [0]


@pytest.mark.parametrize(
    ("record", "query", "expected"),
    [
        (person(), person(), "strong"),
        (person(), person("Papadopoulou Maria"), "strong"),
        (person(), person("PAPADOPOULOU, María"), "strong"),
        (person(), person("Μαρία Παπαδοπούλου"), "strong"),
        (person(), person(dob="1980-07-03"), "strong"),
        (person("Bill Clinton"), person("William Clinton"), "likely"),
        (person("习近平"), person("Xi Jinping"), "strong"),
        (person("김정은"), person("Kim Jong-un"), "strong"),
        (person("عبدالله حسين"), person("Abdallah Hussein"), "strong"),
        (person("Сергей Щукин"), person("Sergei Shchukin"), "strong"),
        (person(), person(dob="1980-03"), "possible"),
        (person(), person(dob="1980"), "possible"),
        (person(dob="1980"), person(), "possible"),
        (person(dob="1980"), person(dob="1980"), "possible"),
        (person(dob="1980-03"), person(dob="1980-04"), "possible"),
        (person(), person(dob="1980-03-08"), "possible"),
        (person(), person(dob="1980-04-08"), None),
        (person(), person(dob="1981-03-07"), None),
        (person(), person("Eleni Papadopoulou"), "possible"),
        (person(), person("John Smith"), None),
        (person(), person(dob=None), None),
        (person(dob=None), person(dob=None), None),
        (person(dob="1980-05-05", dob_estimated=True), person(), "possible"),
        (person(), person(dob="1980-05-05", dob_estimated=True), "possible"),
        (person(dob=["1975", "1980-03-07"]), person(), "strong"),
        (person("Madonna"), person("Madonna"), "possible"),
        (person("Another Name", aliases=["Maria Papadopoulou"]), person(), "strong"),
        (
            person("Another Name", former=["Maria Papadopoulou"]),
            person("Third One", aliases=["Papadopoulou, M."]),
            "possible",
        ),
    ],
)
def test_two_persons_meet_at_this_grade(record: Identity, query: Identity, expected: str | None) -> None:
    assert grade(record, query) == expected


def test_a_query_asks_with_its_first_date_only() -> None:
    assert grade(person(), person(dob=["1975-01-01", "1980-03-07"])) is None


def test_a_document_and_one_more_agreement_is_strong() -> None:
    passport = [{"type": "passport", "number": "AB1234567", "issuer": "CH"}]
    moved = [{"type": "passport", "number": "ab 1234567", "issuer": "che"}]
    other = [{"type": "passport", "number": "AB1234599", "issuer": "CH"}]
    assert grade(person(documents=passport), person("John Smith", "1955-05-05", documents=moved)) == "likely"
    assert grade(person(documents=passport), person("John Smith", documents=moved)) == "likely"
    assert grade(person(documents=passport), person(dob="1980", documents=moved)) == "strong"
    assert grade(person(documents=passport), person("John Smith", documents=other)) == "possible"


def test_the_same_name_twice_gives_nothing_more() -> None:
    assert SCHEME.features(person(aliases=["María PAPADOPOULOU"])) == SCHEME.features(person())


def test_a_value_that_two_names_give_stands_for_each_of_them() -> None:
    found = SCHEME.features(person("Sara Meier", aliases=["Sara Mayer"]))
    shared = [each for each in found if each.value == "mr sr|1980-03-07" and each.rule == "all-parts+full-date"]
    assert [each.name for each in shared] == [0, 1]


@pytest.mark.parametrize(("role", "cap"), [("record", 256), ("query", 32)])
def test_caps_count_different_features_and_keep_the_primary_name_first(role: Any, cap: int) -> None:
    names = [f"Abcde{chr(97 + i)} Fghij{chr(97 + i)} Klmno{chr(97 + i)}" for i in range(26)]
    found = SCHEME.features(person(names[0], aliases=names[1:]), role)
    assert len({(each.rule, each.value) for each in found}) == cap
    assert found[0] == SCHEME.features(person(names[0]), role)[0]
    order = [rule.id for rule in SCHEME.rules]
    places = [order.index(each.rule) for each in found]
    assert places == sorted(places)


def test_a_role_must_be_known() -> None:
    with pytest.raises(ValueError, match="record or query"):
        SCHEME.features(person(), "other")  # type: ignore[arg-type]  # what is tested


def test_no_repr_of_a_feature_shows_its_value() -> None:
    shown = repr(SCHEME.features(person())) + repr(SCHEME.explain(person()))
    assert "ptpl" not in shown
    assert "1980" not in shown


def test_an_explanation_says_what_each_feature_means() -> None:
    explained = SCHEME.explain(person(), "query")
    assert [(each.rule, each.value, each.name) for each in explained] == [
        (each.rule, each.value, each.name) for each in SCHEME.features(person(), "query")
    ]
    assert explained[1].sentence == "two name parts and the full birth date"
    assert explained[1].tier == SCHEME.rule(explained[1].rule).tier == "A"


PASSPORT = [{"type": "passport", "number": "AB1234567", "issuer": "CH"}]


@pytest.mark.parametrize(
    ("identity", "strong", "lacks"),
    [
        (person(), True, []),
        (person(dob=None), False, ["birth-date-missing"]),
        (person(dob="1980"), False, ["birth-date-partial"]),
        (person(dob="1980-03"), False, ["birth-date-partial"]),
        (person("Madonna"), False, ["single-name"]),
        (person("Madonna", None), False, ["birth-date-missing", "single-name"]),
        (person("Madonna", aliases=["Madonna Ciccone"]), True, []),
        (person("Madonna", documents=PASSPORT), True, []),
        (person(dob="1980", documents=PASSPORT), True, []),
        (person(dob=None, documents=PASSPORT), False, ["birth-date-missing"]),
        (person("Madonna", None, documents=PASSPORT), False, ["birth-date-missing", "single-name"]),
    ],
)
def test_quality_says_whether_a_record_could_be_found_again(identity: Identity, strong: bool, lacks: list[str]) -> None:
    quality = SCHEME.quality(identity)
    assert quality.can_grade_strong is SCHEME.can_grade_strong(identity) is strong
    assert [lack.code for lack in quality.lacks] == lacks
    assert all(lack.sentence.endswith(".") for lack in quality.lacks)


def test_without_date_and_document_nothing_can_match() -> None:
    assert not SCHEME.quality(person(dob=None)).can_match
    assert SCHEME.features(person(dob=None)) == []
    assert SCHEME.grade([], [Feature("document", "x", None)]) is None
