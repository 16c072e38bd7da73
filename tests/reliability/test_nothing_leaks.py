"""T-01, T-02: no name, birth date or document number is in what leaves the organisations, on disk or on the wire."""

import json
from collections.abc import Iterable
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from tests.cheap import cheap_trust_accepted
from tests.databases import PostgresServer
from tests.needles import Scanner, dates, encodings
from tests.populated import Invented, Populated, invent, populated

FEWER = 30


def scanner(people: Iterable[Invented]) -> Scanner:
    """Looks for everything that is secret about these persons."""
    texts = {text for person in people for text in person.secrets | dates(person.dob)}
    return Scanner(needle for text in texts for needle in encodings(text))


def files(*directories: Path) -> dict[str, bytes]:
    """The bytes of every file below."""
    return {str(path): path.read_bytes() for one in directories for path in one.rglob("*") if path.is_file()}


def central(populated: Populated) -> dict[str, bytes]:
    """Everything that registry, keyholder and network ever held, by where it is."""
    directory = populated.consortium.directory
    found = files(directory / "registry", directory / "keyholder")
    found |= {service: populated.consortium.log(service).read_bytes() for service in ("registry", "keyholder")}
    traffic = (recorder.traffic() for recorder in populated.recorders)
    return found | dict(zip(("traffic of the registry", "traffic of the keyholder"), traffic, strict=True))


def assert_clean(held: dict[str, bytes], people: Iterable[Invented]) -> None:
    look = scanner(people)
    found = {place: needles for place, data in held.items() if (needles := look.find(data))}
    assert not found


def test_the_scanner_finds_each_secret_in_each_encoding() -> None:
    for person in invent(20, seed=1):
        look = scanner([person])
        assert all(len(encodings(text)) > 5 for text in person.secrets if len(text) > 7)
        for text in person.secrets | dates(person.dob):
            for needle in encodings(text):
                assert needle in look.find(b"\x00" * 100 + needle + b"\xff" * 100)


def test_the_product_did_its_job_while_it_was_observed(observed: Populated) -> None:
    half = len(observed.results) - len(observed.strangers)
    assert len(observed.entered) == 200
    assert [result.grade for result in observed.results[:half]] == ["strong"] * half
    assert {result.outcome for result in observed.results[half:]} == {"no_record"}


def test_sqlite_files_logs_and_traffic_hold_no_identity(observed: Populated) -> None:
    held = central(observed)
    names = " ".join(held)
    for expected in ("registry.sqlite", "registry.sqlite-wal", "keyholder.sqlite", "keyholder.sqlite-wal"):
        assert expected in names
    assert all(len(held[place]) > 100_000 for place in held if place.startswith("traffic"))
    assert_clean(held, [*observed.entered, *observed.strangers])


def test_the_traffic_that_was_looked_at_is_that_of_the_screenings(observed: Populated) -> None:
    registry, keyholder = (recorder.traffic() for recorder in observed.recorders)
    assert all(result.reference.encode() in registry for result in observed.results)
    assert keyholder.count(b"/v1/evaluations") >= len(observed.entered)


def test_the_organisation_itself_does_hold_the_names(observed: Populated) -> None:
    """A control: in the one place where names belong, the same scanner finds them."""
    from tests.populated import RECRUITER

    with observed.consortium.client(RECRUITER) as client:
        opened = [check.identity for check in client.screenings.history()]
    assert len(opened) == len(observed.results)
    texts = "\n".join(str(identity.to_dict()) for identity in opened if identity is not None)
    assert scanner(observed.strangers).find(texts.encode())


def test_postgresql_files_logs_and_traffic_hold_no_identity(
    postgres_server: PostgresServer, tmp_path: Path, long: bool
) -> None:
    url = postgres_server.url()
    number = 200 if long else FEWER
    with cheap_trust_accepted(), populated(tmp_path / "consortium", number, database_url=url) as one:
        address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
            data = Path(connection.execute("SHOW data_directory").fetchone()[0])  # type: ignore[index] # one row
        held = central(one) | files(data)
        assert any("pg_wal" in place and content.strip(b"\0") for place, content in held.items())
        assert_clean(held, [*one.entered, *one.strangers])


def test_logs_say_who_asked_how_much_and_nothing_of_what(observed: Populated) -> None:
    known = {"actor", "batch", "candidates", "charged", "elements", "evaluator", "event", "level", "method"}
    known |= {"milliseconds", "organisation", "problem", "purpose", "request_id", "route", "status", "timestamp"}
    for service in ("registry", "keyholder"):
        lines = [json.loads(line) for line in observed.consortium.log(service).read_text().splitlines()]
        assert len([line for line in lines if line["event"] == "evaluated"]) >= len(observed.entered)
        assert {name for line in lines for name in line} <= known
        assert all(isinstance(line["elements"], int) for line in lines if "elements" in line)
