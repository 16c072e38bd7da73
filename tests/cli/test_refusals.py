"""What the command line refuses, with which exit code, and that it changes nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import PROGRAM, ROOT, Site, screening, screening_here, succeed_here

ASK = ("--purpose", "recruitment", "--vacancy", "V-12", "--lawful-basis", "notice")


def code_of(*words: str | Path) -> tuple[int, str]:
    done = screening_here(*words, "--json")
    assert done.out == ""
    return done.code, done.json["error"]["code"]


def test_help_is_there_at_once_and_loads_no_library() -> None:
    script = (
        "import sys; from screening.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & set(sys.argv[1].split())))"
    )
    heavy = "httpx cryptography sqlalchemy flask openpyxl rich argon2 anyascii pypinyin"
    done = subprocess.run(
        [sys.executable, "-c", script, heavy], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        *((name, "--help") for name in ("batch", "check", "history", "init", "login", "logout", "serve")),
        *((name, "--help") for name in ("keyholder", "org", "policy", "record", "scheme", "trust", "user")),
    ],
)
def test_every_command_explains_itself(words: tuple[str, ...]) -> None:
    explained = screening_here(*words)
    assert explained.code == 0
    assert "Usage: screening" in explained.out


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("check", "--nonsense"),
        ("check",),
        ("record", "show", "not-an-id"),
        ("record", "add", "--category", "XX"),
        ("batch", "absent.csv"),
    ],
)
def test_wrong_usage_is_exit_code_2_as_text_and_as_json(words: tuple[str, ...]) -> None:
    assert code_of(*words) == (2, "usage")
    as_text = screening_here(*words)
    assert as_text.code == 2
    assert "Error:" in as_text.err


def test_an_empty_profile_says_what_to_do(tmp_path: Path) -> None:
    person = ("--full", "Anna Eriksen", "--dob", "1980")
    assert code_of("trust", "show", "--home", tmp_path) == (2, "no-trust-file")
    assert code_of("check", "--home", tmp_path, *ASK, *person) == (2, "no-trust-file")
    assert "trust pin" in screening_here("trust", "show", "--home", tmp_path).err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("details", "code"),
    [
        (("--full", ""), "usage"),
        (("--full", "x" * 10_000), "too-long"),
        (("--full", "Anna\x07Eriksen"), "control-character"),
        (("--full", "Anna\u202eEriksen"), "bidi-control"),
        (("--full", "Anna 😀"), "symbol"),
        (("--full", "Anna Eriksen", "--dob", "1980-02-31"), "date-impossible"),
        (("--full", "Anna Eriksen", "--dob", "0000-01-01"), "date-implausible"),
        (("--full", "Anna Eriksen", "--dob", "2999"), "date-future"),
        (("--full", "Anna Eriksen", "--nationality", "Narnia"), "unknown-country"),
        (("--full", "Anna Eriksen", "--document", "passport-77"), "document-format"),
        ((), "usage"),
    ],
)
def test_details_that_cannot_be_used_are_refused_and_not_repeated(details: tuple[str, ...], code: str) -> None:
    done = screening_here("scheme", "explain", *details, "--json")
    assert (done.code, done.json["error"]["code"]) == (2, code)
    assert "Eriksen" not in done.err
    assert "Narnia" not in done.err


def test_a_person_is_read_from_a_file_or_standard_input_but_not_from_both(tmp_path: Path) -> None:
    person = {"full": "Anna Eriksen", "dob": "1980-01-02", "aliases": ["Anne Ericsen"]}
    file = tmp_path / "person.json"
    file.write_text(json.dumps(person))
    explained = json.loads(succeed_here("scheme", "explain", "--file", file, "--json"))
    assert explained["can_grade_strong"] is True
    assert {one["name"] for one in explained["features"]} == {0, 1}
    piped = screening("scheme", "explain", "--file", "-", "--json", stdin=json.dumps(person))
    assert piped.json == explained
    assert code_of("scheme", "explain", "--file", file, "--full", "Anna Eriksen") == (2, "usage")
    for content, code in (("{", "not-json"), ("[]", "not-an-object"), ('{"nom": "x"}', "unknown-field")):
        file.write_text(content)
        assert code_of("scheme", "explain", "--file", file) == (2, code)
    assert code_of("scheme", "explain", "--file", tmp_path / "absent.json") == (2, "unreadable")


def test_the_scheme_says_what_is_missing() -> None:
    explained = json.loads(succeed_here("scheme", "explain", "--full", "Anna Eriksen", "--json"))
    assert explained["features"] == []
    assert explained["missing"] == ["Add the birth date: year, month and day."]
    assert json.loads(succeed_here("scheme", "show", "--json"))["version"] == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"full,dob\n", "no-rows"),
        ("full,dob\nÅsa Berg,1980\n".encode("latin-1"), "not-utf-8"),
        (b"full|dob\nAnna|1980\n", "delimiter"),
        (b"name,dob\nAnna,1980\n", "unknown-column"),
        (b'full,dob\n"Anna,1980\n', "unterminated-quote"),
        (b"dob,id\n1980,1\n", "missing-column"),
        (b"PK\x03\x04garbage", "truncated"),
    ],
)
def test_a_batch_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(content)
    assert code_of("batch", file, *ASK, "--dry-run") == (2, code)
    assert os.listdir(tmp_path) == ["people.csv"]


def test_a_batch_never_replaces_its_input_or_other_results(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("full,dob\nAnna Eriksen,1980-01-02\n")
    assert code_of("batch", file, *ASK, "--output", file) == (2, "output")
    (tmp_path / "people.results.csv").write_text("precious")
    assert code_of("batch", file, *ASK) == (2, "output")
    assert (tmp_path / "people.results.csv").read_text() == "precious"


def test_a_keyholder_needs_a_safe_address_and_keeps_its_keys(tmp_path: Path) -> None:
    init = ("keyholder", "init", "--dir", tmp_path / "kh", "--id", "keyholder-1", "--url")
    assert code_of(*init, "http://example.org") == (2, "url")
    assert not (tmp_path / "kh").exists()
    succeed_here(*init, "https://kh.example.org")
    before = (tmp_path / "kh" / "keyholder.keys.json").read_bytes()
    assert code_of(*init, "https://kh.example.org") == (2, "keys-exist")
    assert (tmp_path / "kh" / "keyholder.keys.json").read_bytes() == before
    assert (
        json.loads(succeed_here("keyholder", "export", "--dir", tmp_path / "kh"))["body"]["keyholder"] == "keyholder-1"
    )


def test_a_registry_is_not_made_of_a_forged_description_or_over_something_else(tmp_path: Path) -> None:
    succeed_here(
        "keyholder", "init", "--dir", tmp_path / "kh", "--id", "keyholder-1", "--url", "https://kh.example.org"
    )
    description = json.loads(succeed_here("keyholder", "export", "--dir", tmp_path / "kh"))
    description["body"]["url"] = "https://elsewhere.example.org"
    (tmp_path / "kh.json").write_text(json.dumps(description))
    init: tuple[str | Path, ...] = (
        "init",
        "--registry",
        "demo-registry",
        "--url",
        "https://r.example.org",
        "--operator",
        "Office",
    )
    init += ("--registrar-email", "rita@registry.example", "--keyholder", str(tmp_path / "kh.json"))
    assert code_of(*init, "--dir", tmp_path / "reg") == (2, "keyholder-description")
    assert not (tmp_path / "reg").exists()
    (tmp_path / "kh.json").write_text(succeed_here("keyholder", "export", "--dir", tmp_path / "kh"))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious").touch()
    assert code_of(*init, "--dir", tmp_path / "full") == (2, "directory")
    assert os.listdir(tmp_path / "full") == ["precious"]
    assert code_of(*init, "--dir", tmp_path / "reg", "--registrar-email", "nobody") == (2, "validation-failed")
    assert not (tmp_path / "reg").exists()
    assert code_of(*init, "--dir", tmp_path / "reg", "--registry", "Not An Id")[0] == 2
    assert code_of(*init, "--dir", tmp_path / "reg", "--url", "http://r.example.org") == (2, "url-insecure")
    assert code_of(*init, "--dir", tmp_path / "reg", "--database-url", "nonsense")[0] in (1, 2)
    assert not (tmp_path / "reg").exists()


def test_another_keyholders_entry_is_not_signed(site: Site, tmp_path: Path) -> None:
    succeed_here(
        "keyholder", "init", "--dir", tmp_path / "kh", "--id", "keyholder-1", "--url", "https://kh.example.org"
    )
    trust = tmp_path / "trust.json"
    trust.write_bytes((site.registry / "trust.json").read_bytes())
    before = trust.read_bytes()
    assert code_of("keyholder", "sign-trust", "--dir", tmp_path / "kh", trust) == (2, "other-keys")
    assert trust.read_bytes() == before
    wrong = ("keyholder", "sign-trust", "--dir", site.keyholder, trust, "--fingerprint", "0000 " * 8)
    assert code_of(*wrong) == (2, "fingerprint-differs")


def test_a_trust_file_is_pinned_only_with_its_fingerprint(site: Site, tmp_path: Path) -> None:
    trust = site.registry / "trust.json"
    pin = ("trust", "pin", trust, "--home", tmp_path / "home", "--fingerprint")
    assert code_of(*pin, "0000 " * 8) == (5, "fingerprint-differs")
    assert not (tmp_path / "home" / "trust.json").exists()
    succeed_here(*pin, site.fingerprint)


def test_keys_are_never_made_twice_and_a_sealed_key_file_needs_its_passphrase(site: Site, tmp_path: Path) -> None:
    home = tmp_path / "home"
    init: tuple[str | Path, ...] = (
        "org",
        "init",
        "--home",
        home,
        "--name",
        "Org",
        "--contact",
        "hr@org.example",
        "--json",
    )
    init += ("--trust", str(site.registry / "trust.json"), "--fingerprint", site.fingerprint)
    env = {"SCREENING_PASSPHRASE": "four words make one lock"}
    assert screening_here(*init, env=env).code == 0
    before = (home / "organisation.keys.json").read_bytes()
    assert screening_here(*init, env=env).code == 2
    assert (home / "organisation.keys.json").read_bytes() == before
    assert code_of("org", "show", "--home", home) == (2, "secret-missing")
    assert screening_here("org", "show", "--home", home, env={"SCREENING_PASSPHRASE": "wrong"}).code == 2
    shown = screening_here("org", "show", "--home", home, "--json", env=env)
    assert (shown.code, shown.json["signed_by"]) == (0, ["organisation"])


def test_an_uncountersigned_certificate_is_neither_admitted_nor_installed(site: Site, tmp_path: Path) -> None:
    home = tmp_path / "home"
    succeed_here(
        *("org", "init", "--home", home, "--name", "Org", "--contact", "hr@org.example"),
        *("--trust", site.registry / "trust.json", "--fingerprint", site.fingerprint),
    )
    file = tmp_path / "org.json"
    file.write_text(succeed_here("org", "export", "--home", home))
    assert code_of("org", "admit", file, "--home", site.home("rita")) == (3, "statement-invalid")
    assert screening_here("org", "install", file, "--home", home).code == 5
    content = json.loads(file.read_text())
    content["body"]["name"] = "Another"
    file.write_text(json.dumps(content))
    assert screening_here("org", "admit", file, "--home", site.home("rita")).code == 5
    assert screening_here("keyholder", "enrol", "--dir", site.keyholder, file, "--budget", "800").code == 5


def test_a_record_of_poor_quality_is_refused_before_anybody_is_asked(site: Site) -> None:
    words = ("record", "add", "--home", site.home("ana"), "--category", "SH", "--basis", "determination")
    before = json.loads(succeed_here("keyholder", "usage", "--dir", site.keyholder, "--json"))
    poor = screening_here(*words, "--expires-on", "2031-01-01", "--full", "Anna Eriksen", "--dob", "1980", "--json")
    assert (poor.code, poor.json["error"]["code"]) == (2, "record-quality")
    assert "Add the month and day of birth" in poor.json["error"]["message"]
    person = ("--full", "Anna Eriksen", "--dob", "1980-01-02")
    assert code_of(*words, "--expires-on", "2001-01-01", *person) == (2, "dates")
    assert code_of(*words, "--expires-on", "2031-01-01", "--review-on", "2030-01-01", *person) == (2, "review-date")
    assert json.loads(succeed_here("keyholder", "usage", "--dir", site.keyholder, "--json")) == before


def test_a_role_that_does_not_allow_it_is_refused_by_the_server(site: Site) -> None:
    words = ("policy", "set", "session_idle_minutes", "10", "--home", site.home("ana"))
    assert code_of(*words) == (3, "forbidden")


def test_a_password_is_never_taken_from_an_argument_or_waited_for_without_a_terminal(site: Site) -> None:
    words = ("login", "--home", site.home("rita"), "--email", "rita@registry.example")
    assert code_of(*words, "--password", "x" * 15) == (2, "usage")
    assert code_of(*words) == (2, "secret-missing")


def test_a_closed_pipe_is_no_traceback(site: Site) -> None:
    command = " ".join(f"'{word}'" for word in PROGRAM)
    done = subprocess.run(
        ["bash", "-c", f"{command} org list --home {site.home('rita')} | true"],  # the test's own shell
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
