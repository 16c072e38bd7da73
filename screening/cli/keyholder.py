"""`screening keyholder`: an independent party's share of the hashing key.

| file | content |
|---|---|
| `keyholder.keys.json` | its keys, behind `SCREENING_PASSPHRASE` if that is set |
| `description.json` | what it says of itself, public |
| `trust.json` | the pinned trust file, once it signed one |
| `keyholder.sqlite` | who is enrolled, and what was charged |
"""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from screening.cli.common import (
    DIRECTORY,
    FILE,
    emit,
    json_option,
    optional_secret,
    passphrase_of,
    public_json,
    read_json,
    table,
    write_json,
)
from screening.cli.running import CommandError

if TYPE_CHECKING:
    from screening.crypto.keyring import KeyholderKeyring
    from screening.evaluator.keyholder import Keyholder

DESCRIPTION_FILE: Final = "description.json"
PASSPHRASE: Final = "SCREENING_PASSPHRASE"  # noqa: S105  # the name of a variable

_directory = click.option("--dir", "directory", type=DIRECTORY, required=True, help="The keyholder's directory.")


@click.group()
def keyholder() -> None:
    """Set up and run a keyholder: it holds a share of the hashing key, and no records."""


@keyholder.command()
@_directory
@click.option("--id", "identifier", required=True, help="The keyholder's id: 1 to 64 of a-z, 0-9 and '-'.")
@click.option("--url", required=True, help="Where organisations will reach it: https, or http on this machine.")
@json_option
def init(directory: Path, identifier: str, url: str, as_json: bool) -> None:
    """Make a keyholder's keys in a new directory."""
    from screening.cli.descriptions import describe_keyholder
    from screening.client.transport import is_safe_url
    from screening.crypto.keyring import KeyholderKeyring
    from screening.evaluator.keyholder import KEYS_FILE

    if not is_safe_url(url):
        raise CommandError("url", "the address must be https, or http on this machine")
    keys = directory / KEYS_FILE
    if keys.exists():
        raise CommandError("keys-exist", f"{keys} exists; keys are never overwritten")
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise CommandError("directory", f"{directory} cannot be made: {error.strerror}") from error
    keyring = KeyholderKeyring.generate(keyholder=identifier)
    description = describe_keyholder(keyring, url)
    keyring.save(keys, passphrase=optional_secret(variable=PASSPHRASE))
    write_json(directory / DESCRIPTION_FILE, description.to_json())
    emit(
        as_json,
        {"keyholder": identifier, "url": url, "description": str(directory / DESCRIPTION_FILE)},
        f"Keyholder {identifier} is set up in {directory}.\n"
        f"Next: screening keyholder export --dir {directory} > {identifier}.json, for the registry's operator.",
    )


@keyholder.command()
@_directory
def export(directory: Path) -> None:
    """Print the keyholder's description, for the registry's operator. It holds no secret."""
    click.echo(public_json(read_json(directory / DESCRIPTION_FILE)))


@keyholder.command("sign-trust")
@_directory
@click.argument("file", type=FILE)
@click.option("--fingerprint", help="The fingerprint that the registry's operator told you over another channel.")
@json_option
def sign_trust(directory: Path, file: Path, fingerprint: str | None, as_json: bool) -> None:
    """Sign the trust file FILE, in place, if it names this keyholder; pin it when all have signed."""
    from screening.cli.ceremony import sign_and_pin
    from screening.cli.trust import statement

    signed, pinned = sign_and_pin(directory, _keyring(directory), statement(file), fingerprint)
    write_json(file, signed.statement.to_json())
    missing = "Other keyholders must sign it too; then run this again."
    state = "Everybody has signed, and it is pinned." if pinned else missing
    emit(
        as_json,
        {"fingerprint": signed.spoken_fingerprint, "pinned": pinned},
        f"Signed {file}. {state}\nFingerprint, to be compared by telephone: {signed.spoken_fingerprint}",
    )


@keyholder.command()
@_directory
@click.option("--bind", default="127.0.0.1:8001", show_default=True, help="host:port, or unix:path.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Processes.")
@click.option("--total-daily-budget", type=click.IntRange(8), help="Elements in 24 hours, over all organisations.")
def serve(directory: Path, bind: str, workers: int, total_daily_budget: int | None) -> None:
    """Run the keyholder until it is told to end."""
    from screening.api.logs import configure_logs
    from screening.api.server import run_server
    from screening.evaluator.keyholder import create_keyholder_app

    configure_logs("info")
    opened = _open(directory, total_daily_budget)  # asks for the passphrase once, and says here what is wrong
    run_server(lambda: create_keyholder_app(opened), bind, workers)


@keyholder.command()
@_directory
@click.argument("file", type=FILE)
@click.option(
    "--budget", type=click.IntRange(8), required=True, help="Elements in 24 hours; a candidate costs up to 32."
)
@click.option("--output", type=FILE, help="Where the countersigned certificate goes; standard output by default.")
def enrol(directory: Path, file: Path, budget: int, output: Path | None) -> None:
    """Enrol the organisation whose certificate FILE is, after checking its fingerprint with the organisation."""
    from screening.client.organisations import read_request

    signed = _open(directory).enrol(read_request(read_json(file)), budget=budget).to_json()
    if output is not None:
        write_json(output, signed)
    else:
        click.echo(public_json(signed))


@keyholder.command()
@_directory
@click.argument("organisation", type=click.UUID)
@json_option
def suspend(directory: Path, organisation: object, as_json: bool) -> None:
    """Refuse ORGANISATION's (an id) requests from now on."""
    _open(directory).suspend(str(organisation))
    emit(as_json, {"organisation": str(organisation), "suspended": True}, "Suspended.")


@keyholder.command()
@_directory
@click.argument("organisation", type=click.UUID)
@json_option
def reinstate(directory: Path, organisation: object, as_json: bool) -> None:
    """Take ORGANISATION's (an id) suspension back."""
    _open(directory).reinstate(str(organisation))
    emit(as_json, {"organisation": str(organisation), "suspended": False}, "Reinstated.")


@keyholder.command()
@_directory
@json_option
def usage(directory: Path, as_json: bool) -> None:
    """List what was charged, by organisation and day (UTC), and who is enrolled."""
    opened = _open(directory)
    used, enrolled = opened.usage(), opened.enrolments()
    content: dict[str, Any] = {
        "usage": [asdict(one) for one in used],
        "enrolments": [
            {
                "organisation": str(one.organisation),
                "name": one.name,
                "daily_budget": one.daily_budget,
                "suspended": one.suspended,
            }
            for one in enrolled
        ],
    }
    names = {str(one.organisation): one.name for one in enrolled}
    rows = [
        (
            one.day,
            names.get(str(one.organisation), str(one.organisation)),
            str(one.batches),
            str(one.candidates),
            str(one.elements),
        )
        for one in used
    ]
    text = table(rows, ("day", "organisation", "batches", "candidates", "elements"), "Nothing was charged yet.")
    emit(as_json, content, text)


@keyholder.command()
@_directory
@json_option
def maintain(directory: Path, as_json: bool) -> None:
    """Forget batches charged over 400 days ago. Run it daily; the keyholder may run meanwhile."""
    batches = _open(directory).purge()
    emit(as_json, {"batches": batches}, f"Forgotten: {batches} evaluation batches.")


def _keyring(directory: Path) -> "KeyholderKeyring":
    from screening.crypto.keyring import KeyholderKeyring
    from screening.evaluator.keyholder import KEYS_FILE

    return KeyholderKeyring.load(
        directory / KEYS_FILE, passphrase=passphrase_of(directory / KEYS_FILE, variable=PASSPHRASE)
    )


def _open(directory: Path, total_daily_budget: int | None = None) -> "Keyholder":
    from screening.evaluator.keyholder import DEFAULT_TOTAL_DAILY_BUDGET, KEYS_FILE, Keyholder

    return Keyholder(
        directory,
        passphrase=passphrase_of(directory / KEYS_FILE, variable=PASSPHRASE),
        total_daily_budget=total_daily_budget or DEFAULT_TOTAL_DAILY_BUDGET,
    )
