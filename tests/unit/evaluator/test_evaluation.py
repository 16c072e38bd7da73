"""An honest batch is evaluated and proved; charged once; recorded in the same transaction."""

import json
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from screening.crypto import voprf
from screening.crypto.encoding import unb64u
from screening.crypto.signing import SigningKey
from screening.evaluator.errors import EvaluatorError
from tests.databases import Databases
from tests.unit.evaluator.conftest import ORGANISATION, Events, Setting, elements, make_setting


def verified(setting: Setting, body: dict[str, Any], answer: dict[str, Any]) -> list[bytes]:
    sent = [unb64u(element) for element in body["elements"]]
    evaluation = voprf.Evaluation([unb64u(e) for e in answer["elements"]], unb64u(answer["proof"]))
    voprf.verify(setting.evaluator.config.public_share, sent, evaluation)
    return list(evaluation.elements)


def test_a_batch_is_evaluated_with_the_share_and_proved(setting: Setting) -> None:
    body = setting.body(16, candidates=2)
    answer = setting.evaluator.handle(setting.signed(body))
    verified(setting, body, answer)
    assert {name: answer[name] for name in ("protocol", "registry", "epoch", "evaluator", "batch")} == {
        name: body[name] for name in ("protocol", "registry", "epoch", "evaluator", "batch")
    }
    assert (answer["charged"], answer["remaining"]) == (16, 984)
    assert answer["promise"] == {"promised": body["batch"]}


def test_an_evaluation_is_recorded_with_its_counts_and_no_content(setting: Setting) -> None:
    body = setting.body(16, candidates=2)
    setting.evaluator.handle(setting.signed(body))
    assert setting.events.recorded == [
        {
            "organisation": ORGANISATION,
            "purpose": "screening",
            "batch": body["batch"],
            "candidates": 2,
            "elements": 16,
            "charged": 16,
            "time": setting.clock.now,
        }
    ]


def test_the_same_batch_again_gives_the_same_elements_and_costs_nothing(setting: Setting) -> None:
    body = setting.body(16)
    first = setting.evaluator.handle(setting.signed(body))
    second = setting.evaluator.handle(setting.signed(body))
    assert second["elements"] == first["elements"]
    assert second["proof"] != first["proof"]
    assert (second["charged"], second["remaining"]) == (0, first["remaining"])
    assert [event["charged"] for event in setting.events.recorded] == [16, 0]
    assert (setting.batches(), setting.levels()[ORGANISATION]) == (1, 16)


def test_a_batch_signed_again_at_another_time_is_the_same_batch(setting: Setting) -> None:
    body = setting.body()
    setting.evaluator.handle(setting.signed(body))
    setting.clock.advance(hours=1)
    again = {**body, "time": setting.body()["time"]}
    assert again["time"] != body["time"]
    assert setting.evaluator.handle(setting.signed(again))["charged"] == 0


@pytest.mark.parametrize(
    "changes", [{"elements": elements(16)[8:]}, {"purpose": "record"}, {"candidates": 2}, {"elements": elements(16)}]
)
def test_the_same_batch_id_with_another_body_is_refused(on_sqlite: Setting, changes: dict[str, Any]) -> None:
    body = on_sqlite.body()
    on_sqlite.evaluator.handle(on_sqlite.signed(body))
    with pytest.raises(EvaluatorError) as caught:
        on_sqlite.evaluator.handle(on_sqlite.signed({**body, **changes}))
    assert caught.value.type == "batch-conflict"
    assert len(on_sqlite.events.recorded) == 1


def test_a_batch_id_of_another_organisation_is_no_conflict(setting: Setting) -> None:
    other, key = "01936d2a-1c00-7000-8000-000000000002", SigningKey.generate()
    setting.enrol(other, key)
    body = setting.body()
    setting.evaluator.handle(setting.signed(body))
    answer = setting.evaluator.handle(setting.signed({**body, "organisation": other}, key))
    assert answer["charged"] == 8


def test_a_request_signed_for_one_organisation_is_worth_nothing_for_another(setting: Setting) -> None:
    other, key = "01936d2a-1c00-7000-8000-000000000002", SigningKey.generate()
    setting.enrol(other, key)
    with pytest.raises(EvaluatorError) as caught:
        setting.evaluator.handle(setting.signed(setting.body(organisation=other)))
    assert caught.value.type == "unknown-organisation"


def test_equal_batches_at_the_same_time_are_charged_once(setting: Setting) -> None:
    request = setting.signed(setting.body(16))
    answers = at_the_same_time(setting, [request] * 8)
    assert sorted(answer["charged"] for answer in answers) == [0] * 7 + [16]
    assert len({json.dumps(answer["elements"]) for answer in answers}) == 1
    assert (setting.batches(), setting.levels()) == (1, {ORGANISATION: 16, "all": 16})


def test_different_batches_at_the_same_time_are_all_charged(setting: Setting) -> None:
    answers = at_the_same_time(setting, [setting.signed(setting.body(16)) for _ in range(12)])
    assert [answer["charged"] for answer in answers] == [16] * 12
    assert setting.levels() == {ORGANISATION: 192, "all": 192}


def test_a_budget_is_never_overdrawn_by_requests_at_the_same_time(setting: Setting) -> None:
    setting.enrol(ORGANISATION, setting.key, budget=40)
    answers = at_the_same_time(setting, [setting.signed(setting.body(16)) for _ in range(8)])
    assert [answer["charged"] for answer in answers if "charged" in answer] == [16, 16]
    assert [answer["type"] for answer in answers if "type" in answer] == ["budget-spent"] * 6
    assert setting.levels()[ORGANISATION] == 32


def at_the_same_time(setting: Setting, requests: list[bytes]) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    start = threading.Barrier(len(requests))

    def ask(request: bytes) -> None:
        start.wait()
        try:
            answers.append(setting.evaluator.handle(request))
        except EvaluatorError as error:
            answers.append({"type": error.type})

    threads = [threading.Thread(target=ask, args=(request,)) for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_no_event_no_charge_and_no_answer(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Events, session: Session, **event: Any) -> None:
        raise RuntimeError("the log cannot be written")

    monkeypatch.setattr(Events, "evaluated", fail)
    with pytest.raises(RuntimeError):
        setting.ask()
    assert (setting.batches(), setting.levels()) == (0, {})


def test_a_server_that_dies_in_the_middle_is_unavailable_and_charges_nothing(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting = make_setting(databases.fresh("postgresql"))

    def die(self: Events, session: Session, **event: Any) -> None:
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with monkeypatch.context() as patch:
        patch.setattr(Events, "evaluated", die)
        assert unavailable(setting) == "unavailable"
    assert (setting.batches(), setting.levels()) == (0, {})
    assert setting.ask()["charged"] == 8
    setting.engine.dispose()


def test_a_database_that_somebody_else_keeps_locked_is_unavailable(tmp_path: Path) -> None:
    setting = make_setting(f"sqlite:///{tmp_path / 'locked.sqlite'}?timeout=0.1")
    with closing(sqlite3.connect(tmp_path / "locked.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        assert unavailable(setting) == "unavailable"
    assert setting.ask()["charged"] == 8
    setting.engine.dispose()


def test_a_database_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    setting = make_setting(f"sqlite:///{tmp_path / 'gone.sqlite'}")
    setting.engine.dispose()
    (tmp_path / "gone.sqlite").unlink()
    (tmp_path / "gone.sqlite").mkdir()
    assert unavailable(setting) == "unavailable"


def unavailable(setting: Setting) -> str:
    with pytest.raises(EvaluatorError) as caught:
        setting.ask()
    assert (caught.value.status, caught.value.headers) == (503, {"Retry-After": "5"})
    return caught.value.type


def test_a_full_disk_is_said_and_charges_nothing(tmp_path: Path) -> None:
    setting = make_setting(f"sqlite:///{tmp_path / 'full.sqlite'}")

    @event.listens_for(setting.engine, "connect")
    def limit(connection: Any, _record: Any) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 1}")

    setting.engine.dispose()
    setting.enrol(ORGANISATION, setting.key, budget=100_000)
    answered, refused = 0, ""
    while not refused and answered < 200:
        try:
            setting.ask()
            answered += 1
        except EvaluatorError as error:
            refused = error.type
    assert refused == "storage-full"
    assert answered > 0
    assert (setting.batches(), setting.levels()[ORGANISATION]) == (answered, answered * 8)
    setting.engine.dispose()


def test_the_share_appears_in_no_repr(on_sqlite: Setting) -> None:
    share = on_sqlite.evaluator.config.share
    shown = repr(on_sqlite.evaluator.config) + repr(on_sqlite.evaluator)
    assert str(share) not in shown
    assert share.hex() not in shown
