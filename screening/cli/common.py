"""What the commands share: options, output, secrets, JSON files."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from screening.cli.running import CommandError

if TYPE_CHECKING:
    from screening.client.client import Client
    from screening.client.profile import Profile

Command = TypeVar("Command", bound=Callable[..., Any])

DEFAULT_HOME: Final = "~/.config/screening"
MAX_JSON_BYTES: Final = 1024 * 1024
DIRECTORY: Final = click.Path(file_okay=False, path_type=Path)
FILE: Final = click.Path(dir_okay=False, path_type=Path)


def home_option(command: Command) -> Command:
    """`--home`: the profile's directory."""
    return click.option(
        "--home",
        type=DIRECTORY,
        envvar="SCREENING_HOME",
        default=lambda: Path(DEFAULT_HOME).expanduser(),
        show_default=DEFAULT_HOME,
        help="The profile's directory.",
    )(command)


def json_option(command: Command) -> Command:
    """`--json`: one object instead of text."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(command)


def emit(as_json: bool, content: Mapping[str, Any], text: str) -> None:
    """Prints a result, as JSON or as text."""
    click.echo(json.dumps(content, ensure_ascii=False) if as_json else text)


def table(rows: Sequence[tuple[str, ...]], headings: tuple[str, ...], empty: str) -> str:
    """Rows under headings in columns, or a sentence where there are none."""
    if not rows:
        return empty
    widths = [max(len(row[i]) for row in [headings, *rows]) for i in range(len(headings))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [headings, *rows])
    return "\n".join(line.rstrip() for line in lines)


# --- secrets -------------------------------------------------------------------------------------------------------


def secret(label: str, *, variable: str, file: Path | None = None, confirm: bool = False) -> str:
    """A password or passphrase: from a file, from the environment, or asked for; never from an argument.

    Args:
        label: What to ask for.
        variable: The environment variable.
        file: A file whose first line it is.
        confirm: Whether to ask twice.
    """
    if file is not None:
        return _first_line(file)
    if variable in os.environ:
        return os.environ[variable]
    if not sys.stdin.isatty():
        raise CommandError("secret-missing", f"{label} is needed: set {variable}, or name a file that holds it")
    answer: str = click.prompt(label, hide_input=True, confirmation_prompt=confirm, err=True)
    return answer


def passphrase_of(key_file: Path, *, variable: str) -> str | None:
    """The passphrase of a key file: from the environment, or asked for if the file is sealed; None if it is not.

    Args:
        key_file: The file; one that is missing or damaged is told by whoever loads it.
        variable: The environment variable.
    """
    if variable in os.environ:
        return os.environ[variable] or None
    try:
        sealed = "sealed" in json.loads(key_file.read_bytes()[:MAX_JSON_BYTES])
    except (OSError, ValueError, TypeError):
        return None
    return secret(f"Passphrase of {key_file}", variable=variable) if sealed else None


def optional_secret(*, variable: str, file: Path | None = None) -> str | None:
    """A passphrase that may be missing: from a file or the environment; nobody is asked."""
    if file is not None:
        return _first_line(file)
    return os.environ.get(variable) or None


def _first_line(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError("unreadable", f"{file} cannot be read") from error
    return text.splitlines()[0] if text else ""


# --- profiles ------------------------------------------------------------------------------------------------------


def open_profile(home: Path, *, keys: bool = False) -> "Profile":
    """The profile in a directory.

    Args:
        home: The directory.
        keys: Whether the command needs the organisation's keys, and so perhaps their passphrase.
    """
    from screening.client.profile import KEYS_FILE, Profile

    return Profile(home, passphrase=passphrase_of(home / KEYS_FILE, variable="SCREENING_PASSPHRASE") if keys else None)


@contextmanager
def open_client(home: Path, *, keys: bool = False) -> Iterator["Client"]:
    """A client for the profile in a directory; see `open_profile`."""
    from screening.client.client import Client

    with Client(open_profile(home, keys=keys)) as client:
        yield client


# --- JSON files ----------------------------------------------------------------------------------------------------


def read_json(path: Path) -> Any:
    """Reads a JSON file (`-`: standard input).

    Raises:
        CommandError: It cannot be read, is too large, or is no JSON.
    """
    try:
        if str(path) == "-":
            content = sys.stdin.buffer.read(MAX_JSON_BYTES + 1)
        else:
            with path.open("rb") as file:
                content = file.read(MAX_JSON_BYTES + 1)
    except OSError as error:
        raise CommandError("unreadable", f"{path} cannot be read: {error.strerror}") from error
    if len(content) > MAX_JSON_BYTES:
        raise CommandError("too-large", f"{path} is too large")
    try:
        return json.loads(content)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise CommandError("not-json", f"{path} is not a JSON file") from error


def write_json(path: Path, content: object) -> None:
    """Writes a JSON file as a whole; what stood there is replaced."""
    import secrets

    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(content, file, ensure_ascii=False, indent=1)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise CommandError("unwritable", f"{path} cannot be written: {error.strerror}") from error


def public_json(content: object) -> str:
    """A public statement as the text that goes into a file or a pipe."""
    return json.dumps(content, ensure_ascii=False, indent=1)
