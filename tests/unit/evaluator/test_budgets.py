"""Budgets drain over 24 hours; what does not fit says when it will."""

import pytest

from screening.crypto.signing import SigningKey
from screening.evaluator.errors import EvaluatorError
from tests.unit.evaluator.conftest import ORGANISATION, Setting, make_setting


def spent(setting: Setting, number: int) -> EvaluatorError:
    with pytest.raises(EvaluatorError) as caught:
        setting.ask(number)
    assert (caught.value.type, caught.value.status) == ("budget-spent", 429)
    return caught.value


def test_an_organisations_budget_runs_out_and_says_when_to_come_back(setting: Setting) -> None:
    setting.enrol(ORGANISATION, setting.key, budget=96)
    assert [setting.ask(32)["remaining"] for _ in range(3)] == [64, 32, 0]
    error = spent(setting, 8)
    assert error.headers == {"Retry-After": str(2 * 3600)}
    assert "organisation" in error.detail


def test_what_was_promised_by_retry_after_is_kept(setting: Setting) -> None:
    setting.enrol(ORGANISATION, setting.key, budget=96)
    for _ in range(3):
        setting.ask(32)
    wait = int(spent(setting, 16).headers["Retry-After"])
    setting.clock.advance(seconds=wait - 60)
    spent(setting, 16)
    setting.clock.advance(seconds=60)
    assert setting.ask(16)["charged"] == 16
    spent(setting, 8)


def test_a_budget_is_whole_again_after_a_day_and_never_more_than_whole(setting: Setting) -> None:
    setting.enrol(ORGANISATION, setting.key, budget=96)
    setting.ask(32)
    setting.clock.advance(days=400)
    assert setting.ask(32)["remaining"] == 64


def test_a_budget_refills_evenly(setting: Setting) -> None:
    setting.enrol(ORGANISATION, setting.key, budget=240)
    setting.ask(32)
    setting.ask(32)
    setting.clock.advance(hours=1)
    assert setting.ask(8)["remaining"] == 240 - 64 + 10 - 8


def test_the_budget_of_all_together_stops_one_who_has_budget_left(database_url: str) -> None:
    setting = make_setting(database_url, total=48)
    other, key = "01936d2a-1c00-7000-8000-000000000002", SigningKey.generate()
    setting.enrol(other, key)
    setting.evaluator.handle(setting.signed(setting.body(32, organisation=other), key))
    error = spent(setting, 32)
    assert "all organisations" in error.detail
    assert ORGANISATION not in setting.levels()
    assert setting.levels()["all"] == 32
    assert setting.ask(16)["charged"] == 16
    setting.engine.dispose()


def test_one_organisations_use_costs_no_other(setting: Setting) -> None:
    other, key = "01936d2a-1c00-7000-8000-000000000002", SigningKey.generate()
    setting.enrol(other, key, budget=64)
    for _ in range(10):
        setting.ask(32)
    answer = setting.evaluator.handle(setting.signed(setting.body(32, organisation=other), key))
    assert answer["remaining"] == 32


def test_a_batch_larger_than_the_whole_budget_is_refused(setting: Setting) -> None:
    setting.enrol(ORGANISATION, setting.key, budget=16)
    assert spent(setting, 32).headers == {"Retry-After": "86400"}
    assert setting.ask(16)["remaining"] == 0


def test_no_budget_is_no_budget(setting: Setting) -> None:
    setting.enrol(ORGANISATION, setting.key, budget=0)
    assert spent(setting, 8).headers == {"Retry-After": "86400"}


def test_a_clock_that_goes_back_gives_no_budget_back(setting: Setting) -> None:
    setting.enrol(ORGANISATION, setting.key, budget=48)
    setting.ask(32)
    setting.clock.advance(hours=-12)
    spent(setting, 32)
    setting.clock.advance(hours=12)
    spent(setting, 32)


def test_a_replay_is_answered_even_when_the_budget_is_spent(setting: Setting) -> None:
    setting.enrol(ORGANISATION, setting.key, budget=8)
    body = setting.body()
    setting.evaluator.handle(setting.signed(body))
    spent(setting, 8)
    answer = setting.evaluator.handle(setting.signed(body))
    assert (answer["charged"], answer["remaining"]) == (0, 0)
