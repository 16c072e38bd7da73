"""Options that describe a person, for every command that takes one.

A name on a command line stays in the shell's history and is seen by other users of the machine while the command runs:
`--file` is the better way, and reads standard input as `-`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from screening.cli.common import FILE, read_json
from screening.cli.running import CommandError

if TYPE_CHECKING:
    from screening.identity import Identity

Command = TypeVar("Command", bound=Callable[..., Any])

_TEXTS = {
    "given": "Given names.",
    "family": "Family names.",
    "full": "The whole name, where it is not split.",
    "dob": "Birth date: YYYY, YYYY-MM or YYYY-MM-DD.",
    "gender": "female, male or other.",
}
_LISTS = {
    "aliases": ("--alias", "Another name; may be given several times."),
    "former": ("--former", "A former name; may be given several times."),
    "original": ("--original", "The name in its original script; may be given several times."),
    "nationalities": ("--nationality", "A country code; may be given several times."),
    "documents": ("--document", "TYPE:ISSUER:NUMBER; may be given several times."),
}


def person_options(command: Command) -> Command:
    """`--file`, and one option for each detail."""
    for name, (option, sentence) in reversed(_LISTS.items()):
        command = click.option(option, name, multiple=True, help=sentence)(command)
    command = click.option("--dob-estimated", is_flag=True, help="Month and day are a guess.")(command)
    for name, sentence in reversed(_TEXTS.items()):
        command = click.option(f"--{name}", name, help=sentence)(command)
    return click.option(
        "--file",
        type=FILE,
        help="A JSON file that describes the person; - reads standard input. Safer than the options.",
    )(command)


def read_person(file: Path | None, details: Mapping[str, Any]) -> "Identity":
    """The person whom the options describe.

    Raises:
        CommandError: Nothing is given, or both a file and details.
        IdentityError: A detail cannot be used.
    """
    from screening.identity import Identity

    given = {name: value for name, value in details.items() if value}
    if file is not None:
        if given:
            raise CommandError("usage", "give either --file or the person's details, not both")
        return Identity.from_dict(read_json(file))
    if not given:
        raise CommandError("usage", "describe the person: --file, or --given, --family, --dob and so on")
    return Identity.from_row({name: _cell(value) for name, value in given.items()})


def _cell(value: object) -> str:
    if value is True:
        return "yes"
    return ";".join(map(str, value)) if isinstance(value, tuple) else str(value)
