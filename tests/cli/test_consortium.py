"""What the caller's environment says of another registry has no effect on a consortium of one's own."""

from pathlib import Path

import pytest

from screening.cli.consortium import Consortium, Member
from tests.populated import free_ports

ADMIN = "one@own.example"


def test_settings_of_another_registry_in_the_environment_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere.sqlite"
    monkeypatch.setenv("SCREENING_DATABASE_URL", f"sqlite:///{elsewhere}")
    monkeypatch.setenv("SCREENING_KEYRING", str(tmp_path / "elsewhere.keys.json"))
    registry_port, keyholder_port = free_ports(2)
    own = Consortium(tmp_path / "own", registry_port=registry_port, keyholder_port=keyholder_port)
    with own:
        own.build([Member("Own", {ADMIN: ("Staff One", ("entity_admin",))})])
        with own.client(ADMIN) as client:
            assert [person.email for person in client.people.list()] == [ADMIN]
    assert not elsewhere.exists()
