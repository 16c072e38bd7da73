"""Maintenance and upgrading refuse what they cannot use, and say what to do."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from screening.registry import database
from tests.cli.conftest import screening_here, succeed_here


def test_an_older_database_is_refused_until_it_is_upgraded(tmp_path: Path) -> None:
    directory = _registry(tmp_path)
    url = f"sqlite:///{directory / 'registry.sqlite'}"
    head, before = database.revisions()[-1], database.revisions()[-2]
    database.downgrade(url, before)
    for words in (("serve", "--dir", directory, "--bind", "127.0.0.1:0"), ("maintain", "--dir", directory)):
        refused = screening_here(*words)
        assert refused.code == 2
        assert "screening upgrade" in refused.err
    done = json.loads(succeed_here("upgrade", "--dir", directory, "--json"))
    assert done == {"before": before, "after": head}
    assert succeed_here("upgrade", "--dir", directory) == f"The database is at {head} already.\n"
    assert "0 records" in succeed_here("maintain", "--dir", directory)


def test_a_newer_database_is_not_touched(tmp_path: Path) -> None:
    directory = _registry(tmp_path)
    with closing(sqlite3.connect(directory / "registry.sqlite")) as opened:
        opened.execute("UPDATE alembic_version SET version_num = '9999'")
        opened.commit()
    refused = screening_here("upgrade", "--dir", directory, "--json")
    assert (refused.code, refused.json["error"]["code"]) == (2, "newer-database")


def test_a_busy_or_missing_database_ends_maintenance_with_try_again(tmp_path: Path) -> None:
    directory = _registry(tmp_path)
    with closing(sqlite3.connect(directory / "registry.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        busy = screening_here("maintain", "--dir", directory, "--json")
    assert (busy.code, busy.json["error"]["code"]) == (4, "unavailable")
    env = {"SCREENING_DATABASE_URL": f"sqlite:///{tmp_path / 'nowhere' / 'registry.sqlite'}"}
    for command in ("maintain", "upgrade"):
        assert screening_here(command, "--dir", directory, env=env).code == 4


def _registry(folder: Path) -> Path:
    keyholder, registry, description = folder / "keyholder", folder / "registry", folder / "keyholder.json"
    succeed_here("keyholder", "init", "--dir", keyholder, "--id", "keyholder-1", "--url", "https://k.example")
    description.write_text(succeed_here("keyholder", "export", "--dir", keyholder))
    succeed_here(
        *("init", "--dir", registry, "--registry", "demo", "--url", "https://r.example", "--keyholder", description),
        *("--operator", "Registry Office", "--registrar-email", "rita@registry.example"),
    )
    return registry
