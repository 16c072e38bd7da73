"""The one end-to-end test with the Argon2id that organisations really use; all others lower its cost."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from screening.cli.consortium import Consortium, Member
from screening.crypto.stretch import DEFAULT, StretchParameters
from screening.identity import Identity
from tests.populated import free_ports

SUBMITTER, APPROVER, RECRUITER = (f"{name}@one.example" for name in ("submitter", "approver", "recruiter"))
MEMBER = Member(
    "One",
    {
        SUBMITTER: ("Staff One", ("entity_admin",)),
        APPROVER: ("Staff Two", ("entity_admin",)),
        RECRUITER: ("Staff Three", ("recruiter",)),
    },
)


def test_a_person_is_found_again_at_the_real_cost(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("screening.crypto.trust.MINIMUM_STRETCH", DEFAULT)
    ports = free_ports(2)
    with Consortium(
        tmp_path / "consortium", registry_port=ports[0], keyholder_port=ports[1], database_url=database_url
    ) as consortium:
        consortium.build([MEMBER])
        expires_on = datetime.now(UTC).date() + timedelta(days=1000)
        entered = Identity.from_dict({"given": "Сергей", "family": "Щукин", "dob": "1970-04-12"})
        with consortium.client(SUBMITTER) as one, consortium.client(APPROVER) as two:
            assert one.trust.stretch == StretchParameters(memory_kib=8192, iterations=1, parallelism=1, length=32)
            record = one.records.add(entered, category="SEA", basis="determination", expires_on=expires_on)
            two.records.approve(record.id)
        asked = Identity.from_dict({"given": "Sergei", "family": "SHCHUKIN", "dob": "1970-12-04"})
        stranger = Identity.from_dict({"given": "Amina", "family": "Diallo", "dob": "1970-04-12"})
        with consortium.client(RECRUITER) as client:
            results = [
                client.screenings.check(person, purpose="recruitment", vacancy="V-1", lawful_basis="notice")
                for person in (asked, stranger)
            ]
        assert [(result.outcome, result.grade) for result in results] == [("possible", "strong"), ("no_record", None)]
