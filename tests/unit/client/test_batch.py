"""A batch finds every bad row beforehand, and screens nobody twice, whenever it is interrupted."""

import csv
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from screening.client.batch import Batch, Progress, read_people, write_results
from screening.client.errors import InputFileError, ProblemError, UnavailableError
from screening.client.screenings import Asked, ScreeningResult
from tests.unit.client import batch_fakes
from tests.unit.client.batch_fakes import ASKED, NOW, STEPS, DirectoryRegistry, fake_client, result, write_people

ROOT = Path(__file__).parents[3]


def test_every_bad_row_is_found_and_named_without_its_content(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(
        "id,given,family,dob,nationalities,documents\n"
        "1,Anna,Eriksen,1980-02-30,NO,\n"
        "2,Anna,Eriksen,2/1/1980,NO,\n"
        "3,Anna,Eriksen,1980-01-02,Narnia,\n"
        "4,Anna,Eriksen,1980-01-02,NO;SE,passport:NO:N1234567;staff-number:org:998877\n"
        "5,,,1980,NO,\n"
        "6,Anna,Eriksen,1980-01-02,NO,passport-N1234567\n"
        "7,Anna,Eriksen\n"
        "8,Anna,,,NO,\n"
    )
    people = read_people(path)
    assert [candidate.row for candidate in people.candidates] == [5, 9]
    assert [(problem.row, problem.column) for problem in people.problems] == [
        (2, "dob"),
        (3, "dob"),
        (4, "nationalities[0]"),
        (6, "full"),
        (7, "documents[0]"),
        (8, None),
    ]
    assert str(people.problems[1]) == "Row 3, dob: is not a date as YYYY, YYYY-MM or YYYY-MM-DD"
    assert "Eriksen" not in "".join(map(str, people.problems))
    assert "Narnia" not in "".join(map(str, people.problems))
    assert people.insufficient == (9,)


def test_a_batch_checks_everybody_once_and_says_how_far_it_is(tmp_path: Path) -> None:
    people = write_people(tmp_path / "people.csv", 10)
    registry = DirectoryRegistry(tmp_path / "registry")
    said: list[Progress] = []
    results = Batch(fake_client(), people, ASKED, tmp_path / "j", screenings=registry, chunk=4).run(said.append)
    assert sorted(results) == list(range(2, 12))
    assert registry.screened() == sorted(f"p{i}" for i in range(10))
    assert [(one.done, one.total) for one in said] == [(0, 10), (4, 10), (8, 10), (10, 10)]
    assert said[0].seconds_left is None
    assert said[-1].rate > 0
    assert said[-1].seconds_left == 0


def test_a_finished_batch_asks_nobody_again(tmp_path: Path) -> None:
    people = write_people(tmp_path / "people.csv", 5)
    registry = DirectoryRegistry(tmp_path / "registry")
    first = Batch(fake_client(), people, ASKED, tmp_path / "j", screenings=registry).run()
    again = Batch(fake_client(), people, ASKED, tmp_path / "j", screenings=registry).run()
    assert again == first
    assert len(registry.screened()) == 5


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("times", [1, 3])
def test_nobody_is_screened_twice_after_a_kill_at_any_step(tmp_path: Path, step: str, times: int) -> None:
    people = write_people(tmp_path / "people.csv", 10)
    paths = [tmp_path / "people.csv", tmp_path / "j", tmp_path / "registry"]
    died = subprocess.run(
        [sys.executable, "-m", batch_fakes.__name__, *map(str, paths), step, str(times)],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    registry = DirectoryRegistry(tmp_path / "registry")
    results = Batch(fake_client(), people, ASKED, tmp_path / "j", screenings=registry, chunk=3).run()
    assert sorted(results) == list(range(2, 12))
    assert registry.screened() == sorted(f"p{i}" for i in range(10))


def test_a_killed_batch_may_be_killed_again_and_again(tmp_path: Path) -> None:
    people = write_people(tmp_path / "people.csv", 10)
    paths = [tmp_path / "people.csv", tmp_path / "j", tmp_path / "registry"]
    for step in STEPS:
        subprocess.run(
            [sys.executable, "-m", batch_fakes.__name__, *map(str, paths), step, "1"], cwd=ROOT, timeout=60, check=False
        )
    registry = DirectoryRegistry(tmp_path / "registry")
    results = Batch(fake_client(), people, ASKED, tmp_path / "j", screenings=registry, chunk=3).run()
    assert sorted(results) == list(range(2, 12))
    assert registry.screened() == sorted(f"p{i}" for i in range(10))


def test_the_journal_holds_no_name_birth_date_or_own_id(tmp_path: Path) -> None:
    class Sealing(DirectoryRegistry):
        def prepare(self, identities: Any, asked: Asked) -> dict[str, Any]:
            return {"candidates": [{"id": f"c{identity.id}"} for identity in identities]}

        def send(self, body: Mapping[str, Any], idempotency_key: str) -> list[ScreeningResult]:
            return [result(candidate["id"], "p1") for candidate in body["candidates"]]

    path = tmp_path / "people.csv"
    path.write_text("id,full,dob\nRef-77,Anna Eriksen,1980-01-02\n")
    Batch(fake_client(), read_people(path), ASKED, tmp_path / "j", screenings=Sealing(tmp_path / "r")).run()
    journal = (tmp_path / "j").read_text().replace("cRef-77", "")
    assert not any(word in journal for word in ("Anna", "Eriksen", "1980", "Ref-77"))


def test_a_refused_or_lost_request_is_sent_again_with_the_same_body_and_key(tmp_path: Path) -> None:
    class Failing(DirectoryRegistry):
        errors: list[Exception]
        keys: list[str]

        def send(self, body: Mapping[str, Any], idempotency_key: str) -> list[ScreeningResult]:
            self.keys.append(idempotency_key)
            if self.errors:
                raise self.errors.pop(0)
            return super().send(body, idempotency_key)

    people = write_people(tmp_path / "people.csv", 2)
    registry = Failing(tmp_path / "registry")
    registry.keys = []
    registry.errors = [
        UnavailableError("registry"),
        ProblemError("budget-spent", 429, "spent", party="registry", retry_after=60),
    ]
    for expected in (UnavailableError, ProblemError):
        with pytest.raises(expected):
            Batch(fake_client(), people, ASKED, tmp_path / "j", screenings=registry).run()
    Batch(fake_client(), people, ASKED, tmp_path / "j", screenings=registry).run()
    assert len(registry.keys) == 3
    assert len(set(registry.keys)) == 1


def test_what_was_found_before_an_error_is_kept_and_the_rest_is_said_to_be_missing(tmp_path: Path) -> None:
    class Stopping(DirectoryRegistry):
        def send(self, body: Mapping[str, Any], idempotency_key: str) -> list[ScreeningResult]:
            if body["candidates"][0]["own"] == "p2":
                raise ProblemError("budget-spent", 429, "spent", party="registry")
            return super().send(body, idempotency_key)

    people = write_people(tmp_path / "people.csv", 4)
    batch = Batch(fake_client(), people, ASKED, tmp_path / "j", screenings=Stopping(tmp_path / "registry"), chunk=2)
    with pytest.raises(ProblemError):
        batch.run()
    assert sorted(batch.results) == [2, 3]
    write_results(tmp_path / "results.csv", people, batch.results)
    with (tmp_path / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["outcome"] for row in rows] == ["possible", "no_record", "not_checked", "not_checked"]
    assert rows[3]["says"] == "The batch has not come to this row."


def test_a_request_of_an_earlier_epoch_is_derived_again(tmp_path: Path) -> None:
    class Rotated(DirectoryRegistry):
        refuse = True

        def send(self, body: Mapping[str, Any], idempotency_key: str) -> list[ScreeningResult]:
            if self.refuse:
                raise ProblemError("wrong-epoch", 409, "another epoch", party="registry")
            return super().send(body, idempotency_key)

    people = write_people(tmp_path / "people.csv", 2)
    registry = Rotated(tmp_path / "registry")
    with pytest.raises(ProblemError):
        Batch(fake_client(), people, ASKED, tmp_path / "j", screenings=registry).run()
    registry.refuse = False
    assert sorted(Batch(fake_client(), people, ASKED, tmp_path / "j", screenings=registry).run()) == [2, 3]
    assert registry.screened() == ["p0", "p1"]


@pytest.mark.parametrize("was_done", [True, False])
def test_a_request_too_old_for_its_kept_answer_is_looked_for_first(tmp_path: Path, was_done: bool) -> None:
    class Forgetful(DirectoryRegistry):
        looked: list[datetime]
        sent = 0

        def send(self, body: Mapping[str, Any], idempotency_key: str) -> list[ScreeningResult]:
            self.sent += 1
            if self.sent == 1:
                raise UnavailableError("registry", "the answer was lost")
            return super().send(body, idempotency_key)

        def find(self, body: Mapping[str, Any], since: datetime) -> list[ScreeningResult] | None:
            self.looked.append(since)
            return [result(one["id"], one["own"]) for one in body["candidates"]] if was_done else None

    people = write_people(tmp_path / "people.csv", 2)
    registry = Forgetful(tmp_path / "registry")
    registry.looked = []
    with pytest.raises(UnavailableError):
        Batch(fake_client(), people, ASKED, tmp_path / "j", screenings=registry).run()
    later = fake_client(now=NOW + timedelta(days=3))
    assert sorted(Batch(later, people, ASKED, tmp_path / "j", screenings=registry).run()) == [2, 3]
    assert registry.looked == [NOW]
    assert registry.sent == (1 if was_done else 2)


def test_another_file_option_or_person_does_not_resume_it(tmp_path: Path) -> None:
    people = write_people(tmp_path / "people.csv", 2)
    registry = DirectoryRegistry(tmp_path / "registry")
    Batch(fake_client(), people, ASKED, tmp_path / "j", screenings=registry).run()
    others = [
        Batch(fake_client(), write_people(tmp_path / "more.csv", 3), ASKED, tmp_path / "j", screenings=registry),
        Batch(fake_client(), people, Asked("volunteer", "V-1", "notice"), tmp_path / "j", screenings=registry),
        Batch(fake_client("ben"), people, ASKED, tmp_path / "j", screenings=registry),
    ]
    for other in others:
        with pytest.raises(InputFileError) as caught:
            other.run()
        assert caught.value.code == "other-batch"
    assert len(registry.screened()) == 2


def test_results_name_every_row_in_order_and_hold_no_formula(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("id,full,dob\np3,Anna Eriksen,1980-01-02\n=p9,Anna Eriksen,1980-13-02\np1,Anna Eriksen,1980\n")
    people = read_people(path)
    registry = DirectoryRegistry(tmp_path / "registry")
    results = Batch(fake_client(), people, ASKED, tmp_path / "j", screenings=registry).run()
    write_results(tmp_path / "results.csv", people, results)
    with (tmp_path / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["row"], row["id"], row["outcome"]) for row in rows] == [
        ("2", "p3", "possible"),
        ("3", "'=p9", "not_checked"),
        ("4", "p1", "no_record"),
    ]
    assert (rows[0]["grade"], rows[0]["owner"], rows[0]["contact"]) == ("strong", "'=Org", "hr@org.example")
    assert rows[0]["reference"] == "S-7K3M-9QXZ-C"
    assert rows[1]["says"] == "Row 3, dob: has no such month"
    assert "Eriksen" not in (tmp_path / "results.csv").read_text()
    write_results(tmp_path / "results.xlsx", people, results)
    assert os.path.getsize(tmp_path / "results.xlsx") > 0


def test_an_empty_batch_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("full,dob\nAnna Eriksen,1980-13-02\n")
    registry = DirectoryRegistry(tmp_path / "registry")
    assert Batch(fake_client(), read_people(path), ASKED, tmp_path / "j", screenings=registry).run() == {}


def test_a_chunk_has_one_to_a_hundred_candidates(tmp_path: Path) -> None:
    people = write_people(tmp_path / "people.csv", 1)
    for chunk in (0, 101):
        with pytest.raises(ValueError, match="1 to 100"):
            Batch(
                fake_client(), people, ASKED, tmp_path / "j", screenings=DirectoryRegistry(tmp_path / "r"), chunk=chunk
            )
