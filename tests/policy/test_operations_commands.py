"""Every command line in docs/operations.md is one that the program takes; with --long the rehearsal in it is run."""

import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from screening.cli import cli

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "operations.md").read_text()
BLOCK = re.compile(r"^ *```(?:sh|ini)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
REHEARSAL = re.compile(r"<!-- rehearsal -->\n```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:^|[=/ ])screening (?=[a-z])(.*)$")
INLINE = re.compile(r"`screening ([^`]+)`")
ENVIRONMENT = re.compile(r"`(SCREENING_[A-Z_]*[A-Z])`")
PORTS = (8000, 8001)


def command_lines() -> Iterator[str]:
    for block in BLOCK.findall(TEXT):
        for line in block.splitlines():
            found = COMMAND.search(line)
            if found:
                yield re.split(r" (?:2?>|&)", found.group(1))[0].strip()
    yield from INLINE.findall(TEXT)


def words_of(line: str) -> list[str]:
    """A line's words; what the shell would put in is a word of its own."""
    plain = re.sub(r'"\$\([^)]*\)"|"\$\w+"', "VALUE", line)
    return [word.replace("ORGANISATION-ID", str(PLACE)).replace("VALUE", str(PLACE)) for word in shlex.split(plain)]


PLACE = "01936d2a-1c00-7000-8000-000000000001"


def parse(words: list[str]) -> None:
    """Goes down to the command and lets it parse its arguments, without running anything."""
    context, command = click.Context(cli), cli.get_command(click.Context(cli), words[0])
    rest = words[1:]
    while isinstance(command, click.Group) and rest:
        context = click.Context(command, parent=context)
        command, rest = command.get_command(context, rest[0]), rest[1:]
    if command is None:
        raise click.UsageError("no such command")
    if rest or isinstance(command, click.Command):
        command.make_context(command.name, list(rest), parent=context)


LINES = sorted(set(command_lines()))


def test_the_page_shows_the_whole_life_of_a_registry() -> None:
    shown = {" ".join(line.split()[:2]) for line in LINES}
    assert {"keyholder init", "keyholder sign-trust", "trust install", "org admit", "maintain --dir"} <= shown
    assert len(LINES) > 40


@pytest.mark.parametrize("line", LINES)
def test_a_command_line_of_the_page_parses(line: str) -> None:
    words = words_of(line)
    if line in ("upgrade", "maintain", "user suspend"):  # named in the text, not typed
        assert cli.get_command(click.Context(cli), words[0]) is not None
        return
    parse(words)


@pytest.mark.parametrize(
    "line", ["walk", "keyholder walk", "maintain", "maintain --dir x --walk", "org suspend no-id", "user invite"]
)
def test_a_command_line_that_is_not_taken_is_noticed(line: str) -> None:
    with pytest.raises(click.ClickException):
        parse(words_of(line))


def test_the_table_of_variables_is_what_the_code_reads() -> None:
    read = {
        found
        for path in (ROOT / "screening").rglob("*.py")
        for found in re.findall(r"\"(SCREENING_[A-Z]+(?:_[A-Z]+)*)\"", path.read_text())
    }
    settings = re.findall(r"_read\(\s*\"([A-Z_]+)\"", (ROOT / "screening" / "api" / "settings.py").read_text())
    assert set(ENVIRONMENT.findall(TEXT)) == read | {f"SCREENING_{name}" for name in settings}


@pytest.mark.long
def test_the_rehearsal_runs_from_beginning_to_end(tmp_path: Path) -> None:
    for port in PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    program = tmp_path / "screening"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "from screening.cli import main; main()" "$@"\n')
    program.chmod(0o755)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SCREENING_")}
    environment = clean | {"PATH": f"{tmp_path}:{clean['PATH']}", "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    (script,) = REHEARSAL.findall(TEXT)
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "no record" in done.stdout.lower()
    assert "Harbour Relief" in done.stdout
