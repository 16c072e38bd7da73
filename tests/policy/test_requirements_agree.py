"""The locks agree with each other and name no place, so that any of them can be installed on top of another."""

import re
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements"
NAMES = ("run", "test", "bench", "lock")
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(?: ; (.*?))? \\$", re.MULTILINE)


def pins(name: str) -> set[tuple[str, str]]:
    """Package and version; a package may have several versions, each for other Pythons."""
    return {(package, version) for package, version, _ in PINNED.findall((REQUIREMENTS / f"{name}.txt").read_text())}


@pytest.mark.parametrize("name", NAMES)
def test_every_lock_holds_what_running_needs(name: str) -> None:
    assert pins("run")
    assert pins("run") <= pins(name)


def test_no_two_locks_disagree_on_a_version() -> None:
    versions: dict[str, set[frozenset[str]]] = {}
    for name in NAMES:
        locked = pins(name)
        for package in {package for package, _ in locked}:
            versions.setdefault(package, set()).add(frozenset(v for p, v in locked if p == package))
    assert {package: found for package, found in versions.items() if len(found) > 1} == {}


@pytest.mark.parametrize("name", NAMES)
def test_every_pin_has_a_hash_and_no_lock_names_a_place(name: str) -> None:
    text = (REQUIREMENTS / f"{name}.txt").read_text()
    requirements = [entry for entry in re.split(r"\n(?=\S)", text) if not entry.startswith("#")]
    assert len(requirements) == len(PINNED.findall(text))
    assert all("--hash=sha256:" in requirement for requirement in requirements)
    assert "://" not in text
    assert "--index" not in text
