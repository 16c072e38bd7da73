"""What README tells the reader to type exists; with --long it is typed, in a fresh clone with an empty home."""

import configparser
import importlib
import os
import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)

# What is added to a command when the reader's part, looking at it or waiting for all of it, is not wanted.
REHEARSED_WITH = {"./scripts/run": ["--once"], "./scripts/test": ["--collect-only", "--quiet"]}


def commands(readme: str) -> list[list[str]]:
    lines = [line for block in BLOCK.findall(readme) for line in block.splitlines()]
    return [shlex.split(line[2:], comments=True) for line in lines if line.startswith("$ ")]


def exists(command: list[str]) -> bool:
    """Whether a command is a script of this project or a (sub)command that it installs."""
    program, *words = command
    if program.startswith("./"):
        return os.access(ROOT / program, os.X_OK)
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    targets = dict(re.findall(r"(\S+) *= *(\S+)", setup["options.entry_points"]["console_scripts"]))
    name = Path(program).name
    if name not in targets:
        return program in ("git", "cd")
    module, function = targets[name].split(":")
    found: click.Command | None = getattr(importlib.import_module(module), function)
    for word in words:
        if not isinstance(found, click.Group) or word.startswith("-"):
            break
        found = found.get_command(click.Context(found), word)
    return found is not None


README_COMMANDS = commands((ROOT / "README.md").read_text())


def test_the_readme_shows_the_two_commands() -> None:
    assert ["./scripts/run"] in README_COMMANDS
    assert ["./scripts/test"] in README_COMMANDS


@pytest.mark.parametrize("command", README_COMMANDS, ids=shlex.join)
def test_a_command_of_the_readme_exists(command: list[str]) -> None:
    assert exists(command)


@pytest.mark.parametrize("command", ["./scripts/walk", "rm -rf .", "unknown"])
def test_a_command_that_is_not_there_is_noticed(command: str) -> None:
    assert not exists(shlex.split(command))


@pytest.mark.long
def test_the_scripts_of_the_readme_run_in_a_fresh_clone_with_an_empty_home(tmp_path: Path) -> None:
    clone, home = tmp_path / "clone", tmp_path / "home"
    home.mkdir()
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    for command in README_COMMANDS:
        if command[0].startswith("./scripts/"):
            whole = [*command, *REHEARSED_WITH.get(command[0], [])]
            done = subprocess.run(whole, cwd=clone, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{shlex.join(whole)}\n{done.stdout}\n{done.stderr}"
