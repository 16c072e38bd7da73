"""The scheme is the same everywhere, and cannot change without a new version."""

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

import screening.identity
from screening.identity import Identity, current_scheme
from screening.identity.data import read_json
from tests.unit.identity.test_normalisation import EXAMPLES

ROOT = Path(__file__).resolve().parents[3]

DIGEST = "1a8d447a752b0e5c2a08e36bf2d0a7bd786a4338b4fde1ac273dd3818d87a6a2"
"""Of scheme 1. Whoever changes what it covers makes scheme 2: stored tokens would match nothing any more."""

FEATURES = "e4c20e2a89e6d6d192f1de030e17fa17c4e52caee130af140d793b723152d111"
"""SHA-256 over every feature of the examples, which also notices a change in code that no table shows."""


def example_features() -> str:
    found = [
        [each.rule, each.value, each.name]
        for name, *_ in EXAMPLES
        for role in ("record", "query")
        for dob in ("1980-03-07", "1980-03", "1980")
        for each in current_scheme().features(
            Identity.from_dict({"full": name, "dob": dob, "documents": [{"type": "email", "number": "a@b.example"}]}),
            "record" if role == "record" else "query",
        )
    ]
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


def test_version_1_is_what_it_always_was() -> None:
    assert (current_scheme().version, current_scheme().digest) == (1, DIGEST)
    assert example_features() == FEATURES


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_no_order_depends_on_the_process(seed: str) -> None:
    script = (
        "from tests.unit.identity.test_scheme import example_features\n"
        "from screening.identity import current_scheme\n"
        "print(example_features(), current_scheme().digest)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"}
    found = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=ROOT, env=environment
    )
    assert found.stdout.split() == [FEATURES, DIGEST]


def test_the_digest_covers_rules_caps_steps_tables_and_libraries() -> None:
    definition = current_scheme().definition()
    assert set(definition) == {
        "version",
        "rules",
        "caps",
        "limits",
        "tokens",
        "core",
        "skeleton",
        "tables",
        "libraries",
    }
    assert definition["libraries"] == {"anyascii": "0.3.3", "pypinyin": "0.55.0"}
    tables = definition["tables"]
    assert isinstance(tables, dict)
    shipped = {path.name for path in (ROOT / "screening/identity/data").glob("*.json")}
    assert set(tables) == shipped


def test_another_library_version_gives_another_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    from screening.identity import scheme

    monkeypatch.setattr(scheme, "version", lambda library: "0.0.1")
    assert scheme.Scheme().digest != DIGEST


def test_common_names_are_what_the_script_builds() -> None:
    loader = SourceFileLoader("build_common_names", str(ROOT / "scripts/build_common_names"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    built = module.build()
    assert built == read_json("common_names.json")
    assert (len(built["tokens"]), len(built["skeletons"])) == (2788, 2406)


def test_every_public_name_can_be_had() -> None:
    assert sorted(screening.identity.__all__) == sorted(screening.identity._HOMES)
    for name in screening.identity.__all__:
        assert getattr(screening.identity, name) is not None
    with pytest.raises(AttributeError):
        _ = screening.identity.nothing_of_that_name
