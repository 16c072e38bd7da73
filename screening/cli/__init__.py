"""`screening`: the command line for organisations, registries and keyholders.

Exit codes, which scripts may rely on:

| code | means |
|---|---|
| 0 | done |
| 1 | something unexpected; nothing is known to have changed |
| 2 | the command, an input file or a local file is not usable; the message says what to change |
| 3 | a server refused; the message names the problem |
| 4 | a server cannot be reached or cannot work at present; try again |
| 5 | a server, a file or a signature is not what it must be: stop and find out why |
| 6 | nobody is logged in |
| 10 | `check` found something to follow up |
| 11 | `check` needs more details |

With `--json` a command prints one JSON object on standard output, and an error as `{"error": {...}}` on standard error.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

import click

from screening import __version__

COMMANDS: Final = {
    "batch": ("screening.cli.batch", "batch", "Check many people from a CSV or XLSX file."),
    "check": ("screening.cli.check", "check", "Check one person."),
    "history": ("screening.cli.check", "history", "List your organisation's past checks."),
    "init": ("screening.cli.registry", "init", "Set up a registry."),
    "keyholder": ("screening.cli.keyholder", "keyholder", "Set up and run a keyholder."),
    "login": ("screening.cli.session", "login", "Log in to the registry."),
    "logout": ("screening.cli.session", "logout", "Log out."),
    "maintain": ("screening.cli.maintain", "maintain", "Do a registry's daily housekeeping."),
    "org": ("screening.cli.org", "org", "Organisations: keys, certificate, admission."),
    "policy": ("screening.cli.policy", "policy", "Read and set the registry's policy."),
    "record": ("screening.cli.record", "record", "Enter and maintain records."),
    "scheme": ("screening.cli.scheme", "scheme", "Explain the matching scheme."),
    "serve": ("screening.cli.registry", "serve", "Run a registry."),
    "trust": ("screening.cli.trust", "trust", "Show, verify and pin the trust file."),
    "upgrade": ("screening.cli.maintain", "upgrade", "Bring a registry's database to this version."),
    "user": ("screening.cli.user", "user", "People and their roles."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands' names, sorted."""
        return sorted({*COMMANDS, *self.commands})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Loads a command."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101  # the table above is ours
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands without loading any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][2]) for name in sorted(COMMANDS)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def cli() -> None:
    """Screen candidates, and keep records, without a name leaving your organisation.

    Exit codes: 0 done, 1 unexpected, 2 bad input, 3 refused by the server, 4 server unavailable, 5 misbehaviour found,
    6 not logged in; check: 10 follow up, 11 more details needed.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits with one of the codes above."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    from screening.cli.running import run

    sys.exit(run(cli, given))
