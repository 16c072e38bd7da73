"""Imports run one way: what is pure stays pure, and an auditor's code needs nothing of the service."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# What of ours each part may import, besides itself. A part that is not listed here may not exist.
MAY_IMPORT = {
    "audit": set(),
    "screening.identity": set(),
    "screening.crypto": set(),
    "screening.evaluator": {"screening.crypto", "audit"},
    "screening.registry": {"screening.crypto", "audit", "screening.identity.grading"},
    "screening.api": {"screening.registry", "screening.evaluator", "screening.crypto", "audit"},
    "screening.client": {"screening.identity", "screening.crypto", "audit"},
    # It starts the services, too.
    "screening.cli": {
        "screening.client",
        "screening.api",
        "screening.registry",
        "screening.evaluator",
        "screening.crypto",
        "screening.identity",
        "audit",
    },
}

# Libraries that a part must do without: people and features are pure, cryptography knows no application,
# the domain knows no web, and the offline verifier needs neither web nor database.
MUST_NOT_IMPORT = {
    "audit": {"flask", "flask_smorest", "marshmallow", "sqlalchemy", "werkzeug"},
    "screening.identity": {"cryptography", "environs", "flask", "httpx", "nacl", "rbcl", "socket", "sqlalchemy"},
    "screening.crypto": {"environs", "flask", "flask_smorest", "httpx", "marshmallow", "sqlalchemy", "werkzeug"},
    "screening.registry": {"flask", "flask_smorest", "werkzeug"},
    "screening.client": {"flask", "flask_smorest", "sqlalchemy", "werkzeug"},
}


def modules() -> Iterator[tuple[str, Path]]:
    for package in ("screening", "audit"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts), path


def part_of(name: str) -> str:
    """`screening.crypto.voprf` belongs to `screening.crypto`, `audit.events` to `audit`."""
    top, *rest = name.split(".")
    return f"{top}.{rest[0]}" if top == "screening" and rest else top


def imported(module: str, source: str) -> Iterator[str]:
    """Every name of a module, or of something in one, that the source of `module` imports, however it does so."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(module.split(".")[: -node.level]) if node.level else ""
            origin = ".".join(filter(None, (package, node.module)))
            yield from (f"{origin}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args:
            function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            name = node.args[0]
            if function in ("import_module", "__import__") and isinstance(name, ast.Constant):
                yield str(name.value)


def within(name: str, allowed: str) -> bool:
    return name == allowed or name.startswith(f"{allowed}.")


def violations(module: str, source: str) -> list[str]:
    part = part_of(module)
    if part in ("screening.__init__", "screening"):
        return [name for name in imported(module, source) if within(name, "screening") or within(name, "audit")]
    if part not in MAY_IMPORT:
        return [f"{part} has no place among the parts"]
    found = []
    for name in imported(module, source):
        ours = within(name, "screening") or within(name, "audit")
        if ours and name != "screening.__version__":
            if not any(within(name, allowed) for allowed in {part} | MAY_IMPORT[part]):
                found.append(name)
        elif any(within(name, banned) for banned in MUST_NOT_IMPORT.get(part, ())):
            found.append(name)
    return found


def test_no_module_imports_against_the_direction() -> None:
    checked = list(modules())
    assert checked
    found = {module: wrong for module, path in checked if (wrong := violations(module, path.read_text()))}
    assert not found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("audit.events", "import screening"),
        ("audit.events", "from screening.crypto import signing"),
        ("audit.verifier", "import sqlalchemy.orm"),
        ("screening.crypto.voprf", "from flask import request"),
        ("screening.crypto.voprf", "from screening import identity"),
        ("screening.crypto.voprf", "from ..identity import Identity"),
        ("screening.crypto.voprf", "def later():\n    import audit.events"),
        ("screening.crypto.voprf", "import importlib\nimportlib.import_module('screening.api')"),
        ("screening.identity.names", "from cryptography.hazmat.primitives import hashes"),
        ("screening.registry.records", "from screening.identity import Identity"),
        ("screening.registry.records", "from screening.api import policy"),
        ("screening.api.records", "from screening.client import Client"),
        ("screening.client.session", "from screening.registry.models import Record"),
        ("screening.surprise.module", "import os"),
    ],
)
def test_an_import_against_the_direction_is_found(module: str, source: str) -> None:
    assert violations(module, source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("audit.verifier", "from audit.events import Event\nfrom . import tree"),
        ("screening.crypto.voprf", "from . import ristretto\nfrom .tokens import token\nimport hashlib"),
        ("screening.registry.screenings", "from screening.identity.grading import grade"),
        ("screening.registry.screenings", "from audit import events\nfrom screening.crypto.signing import verify"),
        ("screening.api.app", "from screening import __version__\nimport flask"),
        ("screening.cli.serve", "from screening.api import create_app"),
    ],
)
def test_an_import_along_the_direction_is_allowed(module: str, source: str) -> None:
    assert violations(module, source) == []
