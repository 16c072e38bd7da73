"""Runs a command and turns whatever it raises into a message and an exit code."""

import json
import sys
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any

import click


class ExitCode(IntEnum):
    """How a command ends; see `screening.cli`."""

    OK = 0
    UNEXPECTED = 1
    BAD_INPUT = 2
    REFUSED = 3
    UNAVAILABLE = 4
    MISBEHAVIOUR = 5
    NOT_LOGGED_IN = 6
    FOLLOW_UP = 10
    INSUFFICIENT = 11


class CommandError(click.ClickException):
    """A command that cannot go on because of what it was given; the message says what to do."""

    exit_code = ExitCode.BAD_INPUT

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ProblemRowsError(CommandError):
    """A file some of whose rows cannot be used."""

    def __init__(self, problems: Sequence[str], shown: int) -> None:
        super().__init__(
            "problem-rows",
            f"{'1 problem' if len(problems) == 1 else f'{len(problems)} problems'} in the file; nobody was asked. "
            "Correct the rows, or use --skip-problem-rows",
        )
        self.problems = list(problems)
        self.shown = shown


def run(command: click.Command, arguments: Sequence[str]) -> int:
    """Runs a command.

    Args:
        command: The group that all commands belong to.
        arguments: What follows the program's name.

    Returns:
        The exit code.
    """
    as_json = "--json" in arguments
    try:
        result = command.main(args=list(arguments), prog_name="screening", standalone_mode=False)
    except click.exceptions.Exit as request:
        return request.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _fail(as_json, ExitCode.UNEXPECTED, "aborted", "stopped")
    except ProblemRowsError as error:
        problems = (
            error.problems
            if as_json
            else [*error.problems[: error.shown], *(["..."] if len(error.problems) > error.shown else [])]
        )
        return _fail(as_json, ExitCode.BAD_INPUT, error.code, error.message, {"problems": problems})
    except CommandError as error:
        return _fail(as_json, ExitCode.BAD_INPUT, error.code, error.message)
    except click.ClickException as error:
        return _usage_error(as_json, error)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read the output has gone: nothing more can be said
        return ExitCode.UNEXPECTED
    except Exception as error:  # noqa: BLE001  # the last place where an error can become a message
        return _report(as_json, error)
    return result if isinstance(result, int) else ExitCode.OK


def _usage_error(as_json: bool, error: click.ClickException) -> int:
    if as_json:
        return _fail(as_json, ExitCode.BAD_INPUT, "usage", error.format_message())
    error.show()
    return ExitCode.BAD_INPUT


def _report(as_json: bool, error: Exception) -> int:
    from screening.cli.errors import explain

    code, slug, message, more = explain(error)
    return _fail(as_json, code, slug, message, more)


def _fail(as_json: bool, exit_code: ExitCode, code: str, message: str, more: Mapping[str, Any] | None = None) -> int:
    if as_json:
        content = {"error": {"code": code, "message": message, "exit_code": int(exit_code), **(more or {})}}
        click.echo(json.dumps(content, ensure_ascii=False), err=True)
    else:
        click.echo(f"Error: {message}", err=True)
        for line in _details(more or {}):
            click.echo(f"  {line}", err=True)
    return exit_code


def _details(more: Mapping[str, Any]) -> list[str]:
    fields = more.get("errors") or {}
    lines = [f"{field}: {'; '.join(map(str, messages))}" for field, messages in fields.items()]
    lines += [str(problem) for problem in more.get("problems", ())]
    return lines
