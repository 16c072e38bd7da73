"""Every rule of an evaluation request, in its order; a refused request charges and records nothing."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
import structlog

from screening.crypto.encoding import b64u
from screening.crypto.signing import SigningKey, Statement
from screening.evaluator.errors import REFUSALS, EvaluatorError
from screening.evaluator.service import MAX_BODY_BYTES
from tests.unit.evaluator.conftest import ORGANISATION, Setting, elements, off_curve

UNREDUCED = b"\xed" + b"\xff" * 30 + b"\x7f"  # p itself: a second encoding of zero


def refusal(setting: Setting, body: bytes) -> EvaluatorError:
    """The refusal of a request, which must have had no effect."""
    before = setting.batches(), setting.levels(), len(setting.events.recorded)
    with pytest.raises(EvaluatorError) as caught:
        setting.evaluator.handle(body)
    assert (setting.batches(), setting.levels(), len(setting.events.recorded)) == before
    assert caught.value.status == REFUSALS[caught.value.type][0]
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b"{" * 100_000,
        b'{"body": NaN}',
        b'{"body": {}, "signatures": []}',
        b'{"body": {"type": "evaluation-request"}, "signatures": []}',
    ],
)
def test_what_is_no_statement_is_malformed(on_sqlite: Setting, body: bytes) -> None:
    assert refusal(on_sqlite, body).type == "malformed-request"


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "record-version"},
        {"extra": 1},
        {"epoch": "3"},
        {"epoch": True},
        {"epoch": 3.0},
        {"candidates": "1"},
        {"candidates": None},
        {"elements": {}},
        {"elements": [1]},
        {"elements": ["\u00e9" * 43]},
        {"elements": ["\ud800" * 43]},
        {"organisation": "not-a-uuid"},
        {"organisation": ORGANISATION.upper()},
        {"batch": "../../etc"},
        {"batch": "{01936d2a-1c00-7000-8000-000000000001}"},
        {"purpose": "curiosity"},
        {"time": "yesterday"},
        {"time": "2026-11-20T14:02:11+00:00"},
        {"time": "2026-13-20T14:02:11Z"},
        {"time": "2026-11-20T14:2:11Z"},
        {"time": "2026-11-20T14:02:\u0661\u0661Z"},
    ],
)
def test_a_field_of_another_form_is_malformed(on_sqlite: Setting, changes: dict[str, Any]) -> None:
    body = on_sqlite.body(**changes)
    statement = Statement(on_sqlite.body()).sign("organisation", on_sqlite.key)
    forged = {**statement.to_json(), "body": body}
    assert refusal(on_sqlite, json.dumps(forged).encode()).type == "malformed-request"


@pytest.mark.parametrize(
    "field", ["type", "protocol", "registry", "epoch", "time", "candidates", "elements", "purpose"]
)
def test_a_missing_field_is_malformed(on_sqlite: Setting, field: str) -> None:
    body = on_sqlite.body()
    signed = json.loads(on_sqlite.signed(body))
    del signed["body"][field]
    assert refusal(on_sqlite, json.dumps(signed).encode()).type == "malformed-request"


def test_a_signature_by_somebody_else_than_an_organisation_is_malformed(on_sqlite: Setting) -> None:
    statement = Statement(on_sqlite.body()).sign("registry", on_sqlite.key)
    assert refusal(on_sqlite, json.dumps(statement.to_json()).encode()).type == "malformed-request"


def test_a_body_over_the_cap_is_not_even_read(on_sqlite: Setting) -> None:
    assert refusal(on_sqlite, b" " * (MAX_BODY_BYTES + 1)).type == "too-large"


Break = Callable[[Setting, dict[str, Any]], None]


def change(**changes: Any) -> Break:
    return lambda _setting, body: body.update(changes)


def suspend(setting: Setting, _body: dict[str, Any]) -> None:
    setting.enrol(ORGANISATION, setting.key, suspended=True)


def forge(_setting: Setting, body: dict[str, Any]) -> None:
    body["forged"] = True


def drop_an_element(_setting: Setting, body: dict[str, Any]) -> None:
    body["elements"] = body["elements"][1:]


def send_the_identity(_setting: Setting, body: dict[str, Any]) -> None:
    body["elements"] = [*body["elements"][1:], b64u(bytes(32))]


def use_the_batch_for_another_body(setting: Setting, body: dict[str, Any]) -> None:
    setting.ask(batch=body["batch"])


def spend_the_budget(setting: Setting, _body: dict[str, Any]) -> None:
    if not setting.batches():
        setting.ask()
    setting.enrol(ORGANISATION, setting.key, budget=8)


RULES: dict[str, Break] = {
    "wrong-protocol": change(protocol="screening/2"),
    "wrong-registry": change(registry="another"),
    "wrong-evaluator": change(evaluator="keyholder-9"),
    "wrong-epoch": change(epoch=2),
    "wrong-scheme": change(scheme="00" * 32),
    "wrong-suite": change(suite="P256-SHA256"),
    "unknown-organisation": change(organisation="01936d2a-1c00-7000-8000-000000000009"),
    "organisation-suspended": suspend,
    "signature-invalid": forge,
    "stale-request": change(time="2026-11-20T13:57:10Z"),
    "batch-size": drop_an_element,
    "invalid-element": send_the_identity,
    "batch-conflict": use_the_batch_for_another_body,
    "budget-spent": spend_the_budget,
}
"""What breaks each rule, in the rules' order."""

ORDER = list(RULES)


def broken(setting: Setting, slugs: list[str]) -> bytes:
    """A request that breaks some rules and keeps all others."""
    body = setting.body()
    needs_a_working_organisation = {"batch-conflict": 0, "budget-spent": 1}
    for slug in sorted(slugs, key=lambda slug: needs_a_working_organisation.get(slug, 2)):
        RULES[slug](setting, body)
    if not body.pop("forged", False):
        return setting.signed(body)
    forged = Statement(body).sign("organisation", SigningKey.generate()).to_json()
    forged["signatures"][0]["key"] = setting.key.key_id
    return json.dumps(forged).encode()


@pytest.mark.parametrize("slug", ORDER)
def test_each_broken_rule_has_its_own_problem(setting: Setting, slug: str) -> None:
    assert refusal(setting, broken(setting, [slug])).type == slug


@pytest.mark.parametrize("position", range(len(ORDER)))
def test_of_several_broken_rules_the_first_is_told(on_sqlite: Setting, position: int) -> None:
    assert refusal(on_sqlite, broken(on_sqlite, ORDER[position:])).type == ORDER[position]


@pytest.mark.parametrize("seconds", [301, -301, 86_400])
def test_a_time_too_far_off_is_stale(on_sqlite: Setting, seconds: int) -> None:
    body = on_sqlite.body()
    on_sqlite.clock.advance(seconds=seconds)
    assert refusal(on_sqlite, on_sqlite.signed(body)).type == "stale-request"


@pytest.mark.parametrize("seconds", [300, -300])
def test_a_time_just_near_enough_is_accepted(on_sqlite: Setting, seconds: int) -> None:
    body = on_sqlite.body()
    on_sqlite.clock.advance(seconds=seconds)
    assert on_sqlite.evaluator.handle(on_sqlite.signed(body))["charged"] == 8


@pytest.mark.parametrize(
    ("purpose", "candidates", "number"),
    [
        ("screening", 0, 8),
        ("screening", -1, 8),
        ("screening", 101, 808),
        ("screening", 1, 0),
        ("screening", 1, 40),
        ("screening", 2, 72),
        ("screening", 1, 9),
        ("screening", 1, 10_000),
        ("record", 2, 16),
        ("record", 0, 8),
        ("record", 1, 264),
        ("rekey", 2, 16),
        ("rekey", 1, 12),
    ],
)
def test_a_batch_of_another_size_is_refused(on_sqlite: Setting, purpose: str, candidates: int, number: int) -> None:
    body = on_sqlite.body(0, purpose=purpose, candidates=candidates, elements=elements(1) * number)
    assert refusal(on_sqlite, on_sqlite.signed(body)).type == "batch-size"


@pytest.mark.parametrize(
    ("purpose", "candidates", "number"),
    [("screening", 1, 8), ("screening", 1, 32), ("screening", 100, 200), ("record", 1, 256), ("rekey", 1, 256)],
)
def test_a_batch_within_its_limits_is_evaluated(on_sqlite: Setting, purpose: str, candidates: int, number: int) -> None:
    body = on_sqlite.body(0, purpose=purpose, candidates=candidates, elements=elements(1) * number)
    answer = on_sqlite.evaluator.handle(on_sqlite.signed(body))
    assert (answer["charged"], len(answer["elements"])) == (number, number)


@pytest.mark.parametrize(
    "element",
    [
        "",
        "A",
        b64u(bytes(32)),
        b64u(UNREDUCED),
        b64u(off_curve()),
        b64u(b"\x01" + bytes(31)),
        b64u(bytes(31)),
        b64u(bytes(33)),
        elements(1)[0] + "=",
        elements(1)[0][:-1] + "_",
        elements(1)[0][:-1] + "+",
        " " + elements(1)[0],
    ],
)
def test_what_is_no_element_is_refused_wherever_it_stands(on_sqlite: Setting, element: str) -> None:
    for position in (0, 3, 7):
        body = on_sqlite.body()
        body["elements"][position] = element
        assert refusal(on_sqlite, on_sqlite.signed(body)).type == "invalid-element"


def test_no_refusal_repeats_or_logs_what_was_submitted(
    on_sqlite: Setting, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as logged:
        for slug in ORDER:
            body = broken(on_sqlite, [slug])
            error = refusal(on_sqlite, body)
            submitted = json.loads(body)["body"]["elements"]
            said = json.dumps(error.problem()) + str(logged) + caplog.text + "".join(capsys.readouterr())
            assert not any(element in said for element in submitted if element)
            on_sqlite.enrol(ORGANISATION, on_sqlite.key)
    assert [entry["problem"] for entry in logged if entry["event"] == "refused"] == ORDER
