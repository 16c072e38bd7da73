"""The main job through the command line: real processes, loopback sockets, SQLite."""

import csv
import json
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import PASSWORDS, PROGRAM, ROOT, Site, screening, screening_here, succeed, succeed_here

PERSON = {"given": "Grigory", "family": "Shcherbinin", "dob": "1979-04-12", "documents": []}
ASK = ("--purpose", "recruitment", "--vacancy", "V-12", "--lawful-basis", "notice", "--json")


@pytest.fixture(scope="module")
def record(site: Site, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A record that Ana submitted and Ben approved."""
    file = tmp_path_factory.mktemp("person") / "person.json"
    file.write_text(json.dumps(PERSON))
    words: list[str | Path] = [
        "--category",
        "SEA",
        "--basis",
        "determination",
        "--expires-on",
        "2031-01-01",
        "--file",
        file,
        "--json",
    ]
    home = site.home("ana")
    dry = json.loads(succeed("record", "add", "--home", home, *words, "--dry-run"))
    assert dry["sufficient"] is True
    assert json.loads(succeed("record", "list", "--home", home, "--json")) == {"records": []}
    made = json.loads(succeed("record", "add", "--home", home, *words, "--case-reference", "Tern/2024/77"))["record"]
    assert made["state"] == "submitted"
    own = screening("record", "approve", made["id"], "--home", home, "--json")
    assert (own.code, own.json["error"]["code"]) == (3, "own-submission")
    approved = json.loads(succeed("record", "approve", made["id"], "--home", site.home("ben"), "--json"))["record"]
    assert approved["state"] == "active"
    assert approved["promise"]["body"]["type"] == "promise"
    return dict(approved)


def test_a_record_is_found_in_another_script_and_a_stranger_is_not(site: Site, record: dict[str, Any]) -> None:
    found = screening("check", "--home", site.home("ben"), *ASK, "--full", "Григорий Щербинин", "--dob", "1979-04-12")
    assert found.code == 10, found.err
    assert (found.json["outcome"], found.json["grade"]) == ("possible", "strong")
    assert found.json["hits"][0]["organisation"] == {
        "id": site.organisation,
        "name": "Harbour Relief",
        "contact": "hr@harbour.example",
    }
    assert found.json["hits"][0]["categories"] == ["SEA"]
    assert "Do not decide yet" in found.json["says"]
    stranger = screening("check", "--home", site.home("ben"), *ASK, "--full", "Ngozi Achterberg", "--dob", "1990-02-17")
    assert stranger.code == 0, stranger.err
    assert stranger.json["outcome"] == "no_record"
    assert "not a statement of good conduct" in stranger.json["says"]
    too_little = screening("check", "--home", site.home("ben"), *ASK, "--full", "Ngozi Achterberg")
    assert (too_little.code, too_little.json["outcome"]) == (11, "insufficient")


def test_the_same_candidate_is_recognised_and_the_history_opens_here(site: Site, record: dict[str, Any]) -> None:
    words = ("check", "--home", site.home("ben"), *ASK, "--full", "Wen Zhao", "--dob", "1991-03-04")
    first = screening_here(*words).json
    again = screening_here(*words).json
    assert [one["reference"] for one in again["earlier"]] == [first["reference"]]
    history = json.loads(succeed_here("history", "--home", site.home("ben"), "--json", "--limit", "2"))["checks"]
    assert [one["reference"] for one in history] == [again["reference"], first["reference"]]
    assert history[0]["identity"] == {"full": "Wen Zhao", "dob": "1991-03-04"}
    assert history[0]["vacancy"] == "V-12"


def test_a_record_is_shown_listed_corrected_returned_and_withdrawn(site: Site, tmp_path: Path) -> None:
    ana, ben = site.home("ana"), site.home("ben")
    words = ("--given", "Marisol", "--family", "de la Fuente", "--dob", "1985-07-23")
    terms = ("--category", "SH", "--basis", "pending", "--expires-on", "2030-01-01", "--json")
    review = ("--review-on", "2027-06-01")
    made = json.loads(succeed_here("record", "add", "--home", ana, *terms, *review, *words, "--draft"))["record"]
    assert made["state"] == "draft"
    assert (
        json.loads(succeed_here("record", "submit", made["id"], "--home", ana, "--json"))["record"]["state"]
        == "submitted"
    )
    returned = succeed_here("record", "return", made["id"], "--home", ben, "--note", "Which birth date?", "--json")
    assert json.loads(returned)["record"]["state"] == "draft"
    shown = json.loads(succeed_here("record", "show", made["id"], "--home", ana, "--json"))
    assert shown["return_note"] == "Which birth date?"
    assert shown["identity"] == {"given": "Marisol", "family": "de la Fuente", "dob": "1985-07-23"}
    corrected = ("--given", "Marisol", "--family", "de la Fuente", "--dob", "1985-07-22")
    json.loads(succeed_here("record", "correct", made["id"], "--home", ana, *corrected, "--json"))
    approved = json.loads(succeed_here("record", "approve", made["id"], "--home", ben, "--json"))["record"]
    assert (approved["state"], approved["version"]) == ("active", 2)
    listed = json.loads(succeed_here("record", "list", "--home", ana, "--state", "active", "--json"))["records"]
    assert made["id"] in [one["id"] for one in listed]
    withdrawn = succeed_here("record", "withdraw", made["id"], "--home", ana, "--reason", "overturned", "--json")
    assert json.loads(withdrawn)["record"]["state"] == "withdrawn"
    gone = json.loads(succeed_here("record", "show", made["id"], "--home", ana, "--json"))
    assert gone["identity"] is None
    nothing = screening_here("check", "--home", ben, *ASK, *corrected)
    assert (nothing.code, nothing.json["outcome"]) == (0, "no_record")


def test_a_batch_says_every_bad_row_then_checks_the_others_once(
    site: Site, record: dict[str, Any], tmp_path: Path
) -> None:
    file, results = tmp_path / "people.csv", tmp_path / "out.csv"
    file.write_text(
        "id;full;dob\nx1;Григорий Щербинин;1979-04-12\nx2;Ngozi Achterberg;31.12.1990\nx3;Ngozi Achterberg;1990-02-17\n"
    )
    home = site.home("ben")
    words = ("batch", file, "--home", home, *ASK, "--output", results)
    bad = screening_here(*words)
    assert (bad.code, bad.json["error"]["code"]) == (2, "problem-rows")
    assert bad.json["error"]["problems"] == ["Row 3, dob: is not a date as YYYY, YYYY-MM or YYYY-MM-DD"]
    assert not results.exists()
    dry = json.loads(succeed_here(*words, "--dry-run", "--skip-problem-rows"))
    assert (dry["rows"], dry["usable"]) == (3, 2)
    before = len(json.loads(succeed_here("history", "--home", home, "--json", "--limit", "500"))["checks"])
    done = json.loads(succeed_here(*words, "--skip-problem-rows"))
    assert done["outcomes"] == {"possible": 1, "no_record": 1}
    with results.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [(row["id"], row["outcome"]) for row in rows] == [
        ("x1", "possible"),
        ("x2", "not_checked"),
        ("x3", "no_record"),
    ]
    assert rows[0]["owner"] == "Harbour Relief"
    succeed_here(*words, "--skip-problem-rows")
    after = len(json.loads(succeed_here("history", "--home", home, "--json", "--limit", "500"))["checks"])
    assert after == before + 2
    other = screening_here(*words[:-1], results, "--skip-problem-rows", "--category", "SH")
    assert (other.code, other.json["error"]["code"]) == (2, "other-batch")


def test_a_killed_batch_goes_on_where_it_was_and_screens_nobody_twice(site: Site, tmp_path: Path) -> None:
    file, results = tmp_path / "people.csv", tmp_path / "out.csv"
    rows = [f"k{i},Given{i} Family{i},1980-01-02" for i in range(120)]
    file.write_text("\n".join(["id,full,dob", *rows]) + "\n")
    home = site.home("ben")
    words = ("batch", file, "--home", home, *ASK[:2], "--vacancy", "V-killed", *ASK[4:], "--output", results)
    journal = tmp_path / "out.csv.journal"
    with subprocess.Popen([*PROGRAM, *map(str, words)], cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not (journal.exists() and b'"send"' in journal.read_bytes()):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.kill()
    assert not results.exists()
    assert json.loads(succeed_here(*words))["checked"] == 120
    history = json.loads(succeed_here("history", "--home", home, "--json", "--limit", "500"))["checks"]
    screened = [check["identity"]["id"] for check in history if check["vacancy"] == "V-killed"]
    assert sorted(screened) == sorted(f"k{i}" for i in range(120))


def test_people_are_listed_given_roles_suspended_and_reinstated(site: Site) -> None:
    home = site.home("ana")
    invite = ("user", "invite", "--home", home, "--email", "eve@harbour.example", "--name", "Eve", "--role", "auditor")
    person = json.loads(succeed_here(*invite, "--json"))["person"]["id"]
    people = json.loads(succeed_here("user", "list", "--home", home, "--json"))["people"]
    assert {one["email"] for one in people} >= {"ana@harbour.example", "ben@harbour.example", "eve@harbour.example"}
    changed = json.loads(succeed_here("user", "roles", person, "--role", "recruiter", "--home", home, "--json"))
    assert changed["person"]["roles"] == ["recruiter"]
    assert "suspended" in succeed_here("user", "suspend", person, "--home", home)
    assert "suspended" not in succeed_here("user", "reinstate", person, "--home", home)


def test_a_registrar_sees_organisations_and_sets_policy_within_its_bounds(site: Site) -> None:
    home = site.home("rita")
    listed = json.loads(succeed_here("org", "list", "--home", home, "--json"))["organisations"]
    assert {one["name"] for one in listed} == {"Registry Office", "Harbour Relief"}
    policies = json.loads(succeed_here("policy", "list", "--home", home, "--json"))["policies"]
    idle = next(one for one in policies if one["name"] == "session_idle_minutes")
    changed = json.loads(succeed_here("policy", "set", idle["name"], str(idle["maximum"]), "--home", home, "--json"))
    assert changed["policy"]["value"] == idle["maximum"]
    beyond = screening_here("policy", "set", idle["name"], str(idle["maximum"] + 1), "--home", home, "--json")
    assert (beyond.code, beyond.json["error"]["code"]) == (3, "policy-out-of-bounds")


def test_the_trust_file_is_shown_verified_and_fetched(site: Site, tmp_path: Path) -> None:
    trust = site.registry / "trust.json"
    shown = json.loads(succeed_here("trust", "show", "--home", site.home("ana"), "--json"))
    assert shown["spoken_fingerprint"] == site.fingerprint
    assert [one["id"] for one in shown["evaluators"]] == ["registry", "keyholder-1"]
    succeed_here("trust", "verify", trust, "--fingerprint", site.fingerprint)
    wrong = screening_here("trust", "verify", trust, "--fingerprint", "0000 " * 8, "--json")
    assert (wrong.code, wrong.json["error"]["code"]) == (5, "fingerprint-differs")
    fetched = json.loads(succeed_here("trust", "fetch", "--home", site.home("ana")))
    assert fetched == json.loads(trust.read_text())
    succeed_here("trust", "fetch", "--replace", "--home", site.home("ana"))
    fetched["body"]["evaluators"][1]["url"] = "https://elsewhere.example"
    (tmp_path / "forged.json").write_text(json.dumps(fetched))
    forged = screening_here("trust", "verify", tmp_path / "forged.json", "--json")
    assert forged.code == 5


def test_a_keyholder_counts_and_its_suspension_is_named_by_the_client(site: Site, record: dict[str, Any]) -> None:
    used = json.loads(succeed_here("keyholder", "usage", "--dir", site.keyholder, "--json"))
    assert [one["name"] for one in used["enrolments"]] == ["Harbour Relief"]
    assert used["usage"][0]["elements"] >= 8
    succeed_here("keyholder", "suspend", "--dir", site.keyholder, site.organisation)
    ask = ("check", "--home", site.home("ben"), *ASK, "--full", "Wen Zhao", "--dob", "1991-03-04")
    try:
        refused = screening_here(*ask)
        assert (refused.code, refused.json["error"]["code"]) == (3, "organisation-suspended")
        assert refused.json["error"]["party"] == "keyholder-1"
    finally:
        succeed_here("keyholder", "reinstate", "--dir", site.keyholder, site.organisation)
    assert screening_here(*ask).code == 0


def test_a_keyholder_that_is_down_is_named_as_unavailable(site: Site) -> None:
    ask = ("check", "--home", site.home("ben"), *ASK, "--full", "Wen Zhao", "--dob", "1991-03-04")
    site.stop("keyholder")
    try:
        down = screening_here(*ask)
        assert (down.code, down.json["error"]["code"]) == (4, "unavailable")
        assert down.json["error"]["party"] == "keyholder-1"
    finally:
        site.start("keyholder")
    assert screening_here(*ask).code == 0


def test_who_logged_out_has_to_log_in_again(site: Site) -> None:
    home = site.home("ben")
    succeed_here("logout", "--home", home)
    try:
        for words in (("record", "list"), ("history",), ("logout",)):
            refused = screening_here(*words, "--home", home, "--json")
            assert (refused.code, refused.json["error"]["code"]) == (6, "not-logged-in")
        wrong = screening_here(
            *("login", "--home", home, "--email", "ben@harbour.example", "--json"),
            env={"SCREENING_PASSWORD": "not the password of ben"},
        )
        assert (wrong.code, wrong.json["error"]["code"]) == (3, "unauthenticated")
        assert "not the password" not in wrong.err
    finally:
        site.log_in("ben", "ben@harbour.example")


def test_no_name_or_secret_reached_the_central_side(site: Site, record: dict[str, Any]) -> None:
    words = ("Shcherbinin", "Щербинин", "Achterberg", "1979-04-12", "Tern/2024/77", *PASSWORDS.values())
    files = [file for folder in (site.registry, site.keyholder) for file in folder.rglob("*") if file.is_file()]
    files += [site.directory / "registry.log", site.directory / "keyholder.log"]
    content = b"".join(file.read_bytes() for file in files)
    assert len(content) > 100_000
    for word in words:
        for form in (word, word.lower(), word.upper()):
            assert form.encode() not in content
            assert form.encode("utf-16-le") not in content


def test_maintenance_beside_the_running_services_says_what_it_did_and_repeats_nothing(site: Site) -> None:
    person = ("--full", "Invented Person", "--dob", "1985-07-23")
    terms = ("--category", "SH", "--basis", "determination", "--expires-on", "2031-01-01", "--json")
    record = json.loads(succeed_here("record", "add", "--home", site.home("ana"), *terms, *person))["record"]["id"]
    with closing(sqlite3.connect(site.registry / "registry.sqlite", timeout=5)) as registry:
        registry.execute(
            "UPDATE records SET expires_on = '2020-01-01' WHERE reference = ?", (_reference(site, record),)
        )
        registry.commit()
    with closing(sqlite3.connect(site.keyholder / "keyholder.sqlite", timeout=5)) as keyholder:
        charged = keyholder.execute("UPDATE evaluation_batches SET created_at = '2020-01-01 00:00:00.000000'").rowcount
        keyholder.commit()
    done = json.loads(succeed_here("maintain", "--dir", site.registry, "--json"))
    assert done == {"suspended": 0, "expired": 1, "answers": 0, "sessions": 0, "batches": 0}
    shown = json.loads(succeed_here("record", "show", record, "--home", site.home("ana"), "--json"))
    assert shown["record"]["state"] == "expired"
    assert "Expired, their retention being over: 0 records." in succeed_here("maintain", "--dir", site.registry)
    assert charged >= 1
    forgotten = json.loads(succeed_here("keyholder", "maintain", "--dir", site.keyholder, "--json"))
    assert forgotten == {"batches": charged}
    assert "0 evaluation batches" in succeed_here("keyholder", "maintain", "--dir", site.keyholder)


def _reference(site: Site, record: str) -> str:
    records = json.loads(succeed_here("record", "list", "--home", site.home("ana"), "--json"))["records"]
    return str(next(one["reference"] for one in records if one["id"] == record))
