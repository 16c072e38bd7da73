"""`scripts/run`: a demo consortium that does the main job once before your eyes, and then serves.

Three invented organisations, a registry and a keyholder, each with a directory and key files of its own; registry and
keyholder are processes of their own. Every person in it is invented.
"""

import argparse
import json
import shutil
import signal
import socket
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from screening.cli.consortium import Consortium, ConsortiumError, Member, load
from screening.client.errors import ClientError
from screening.client.screenings import ScreeningResult
from screening.identity import Identity

DIRECTORY: Final = Path("var/demo")
PORT: Final = 8000

MEMBERS: Final = (
    Member(
        "Harbour Relief",
        {
            "amara@harbour.example": ("Amara Osei", ("entity_admin",)),
            "jonas@harbour.example": ("Jonas Lind", ("entity_admin",)),
        },
    ),
    Member(
        "Meridian Health",
        {
            "leila@meridian.example": ("Leila Haddad", ("entity_admin",)),
            "tomas@meridian.example": ("Tomas Ferrer", ("entity_admin",)),
        },
    ),
    Member(
        "Open Fields",
        {
            "ines@openfields.example": ("Ines Duarte", ("entity_admin",)),
            "kofi@openfields.example": ("Kofi Mensah", ("recruiter",)),
            "wen@openfields.example": ("Wen Zhao", ("auditor",)),
        },
    ),
)
RECORDS: Final[tuple[tuple[str, str, dict[str, Any], Any], ...]] = (
    (
        "amara@harbour.example",
        "jonas@harbour.example",
        {"given": "Grigory", "family": "Shcherbinin", "dob": "1979-04-12", "nationalities": ["KZ"]},
        "SEA",
    ),
    (
        "leila@meridian.example",
        "tomas@meridian.example",
        {"given": "Marisol", "family": "de la Fuente Ibarra", "dob": "1985-07-23", "nationalities": ["CL"]},
        "SH",
    ),
)
CASES: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("strong", "the name in another script", {"full": "Григорий Щербинин", "dob": "1979-04-12"}),
    ("weaker", "a part of the name, and no day of birth", {"full": "Marisol Ibarra", "dob": "1985-07"}),
    ("stranger", "somebody who was never entered", {"full": "Ngozi Achterberg", "dob": "1990-02-17"}),
)
RECRUITER: Final = "kofi@openfields.example"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the demonstration.

    Args:
        arguments: `--once`, `--json`, `--fresh`, `--port N`.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="scripts/run", description="A demo consortium on this machine.")
    parser.add_argument("--once", action="store_true", help="do the main job once and end")
    parser.add_argument("--json", action="store_true", help="print the results as one JSON object")
    parser.add_argument("--fresh", action="store_true", help="forget the demo's earlier data first")
    parser.add_argument("--port", type=int, help=f"first of two ports, when set up anew (default: {PORT} or free ones)")
    options = parser.parse_args(arguments)
    say = click.echo if not options.json else _quiet
    began = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the services must end with it, however it is ended
    try:
        with _consortium(options.fresh, options.port, say) as consortium:
            results = _main_job(consortium, say)
            if options.json:
                click.echo(json.dumps({"seconds": round(time.monotonic() - began, 2), "screenings": results}))
            if not options.once:
                _serve(consortium)
    except KeyboardInterrupt:
        say("\nEnded. Run it again to go on with the same data, or with --fresh to begin anew.")
    except (ConsortiumError, ClientError, OSError) as error:
        click.echo(f"Error: {error}\nTry again, or begin anew with --fresh.", err=True)
        return 1
    return 0


def _consortium(fresh: bool, port: int | None, say: Any) -> Consortium:
    if not fresh and port is None and (known := load(DIRECTORY, say=say)) is not None:
        for taken in known.ports:
            _require_free(taken)
        say(f"Starting the registry and the keyholder again, with what is in {DIRECTORY}")
        try:
            known.start()
        except BaseException:
            known.stop()
            raise
        return known
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    registry_port, keyholder_port = _ports(port)
    made = Consortium(DIRECTORY, registry_port=registry_port, keyholder_port=keyholder_port, say=say)
    try:
        made.build(MEMBERS)
        _enter(made, say)
    except BaseException:
        made.stop()
        shutil.rmtree(DIRECTORY, ignore_errors=True)  # half a consortium would only confuse
        raise
    return made


def _enter(consortium: Consortium, say: Any) -> None:
    expires_on = datetime.now(UTC).date() + timedelta(days=5 * 365)
    for submitter, approver, details, category in RECORDS:
        owner = consortium.logins[submitter].organisation
        say(f"{owner} enters a person ({category}); a second person there derives everything again and approves")
        with consortium.client(submitter) as client:
            record = client.records.add(
                Identity.from_dict(details), category=category, basis="determination", expires_on=expires_on
            )
        with consortium.client(approver) as client:
            client.records.approve(record.id)


def _main_job(consortium: Consortium, say: Any) -> list[dict[str, Any]]:
    say(f"\n{consortium.logins[RECRUITER].organisation} checks three candidates; registry and keyholder see no name\n")
    results = []
    with consortium.client(RECRUITER) as client:
        for case, difference, details in CASES:
            result = client.screenings.check(
                Identity.from_dict(details), purpose="recruitment", vacancy="DEMO-1", lawful_basis="notice"
            )
            say(_told(difference, details, result))
            owners = [owner.name for owner in result.owners]
            results.append(
                {
                    "case": case,
                    "grade": result.grade,
                    "outcome": result.outcome,
                    "owner": owners[0] if owners else None,
                    "reference": result.reference,
                    "promise": result.promise,
                }
            )
    return results


def _told(difference: str, details: dict[str, Any], result: ScreeningResult) -> str:
    lines = [f"{details['full']}, {details['dob']} ({difference})", result.wording.headline, *result.wording.sentences]
    return "\n  ".join([*lines, f"Reference {result.reference}"]) + "\n"


def _serve(consortium: Consortium) -> None:
    registry, keyholder = (f"http://127.0.0.1:{port}" for port in consortium.announced)
    rows = [(login.email, login.password, ", ".join(login.roles)) for login in consortium.logins.values()]
    width = max(len(email) for email, _, _ in rows)
    click.echo(f"Registry: {registry} (its API is described at {registry}/v1/docs)\nKeyholder: {keyholder}\n")
    click.echo("Log-ins of this demonstration, on this machine only:")
    for email, password, roles in rows:
        click.echo(f"  {email:<{width}}  {password}  {roles}")
    home = consortium.logins[RECRUITER].home
    click.echo("\nCheck somebody yourself, in another terminal:")
    click.echo(f"  export SCREENING_HOME={home}")
    click.echo("  .venv/bin/screening check --purpose recruitment --vacancy DEMO-2 --lawful-basis notice \\")
    click.echo('    --full "Grigoriy Sherbinin" --dob 1979-04-12')
    click.echo("\nCtrl-C ends it.")
    while True:
        time.sleep(3600)


def _ports(first: int | None) -> tuple[int, int]:
    if first is not None:
        for port in (first, first + 1):
            _require_free(port)
        return first, first + 1
    if _is_free(PORT) and _is_free(PORT + 1):
        return PORT, PORT + 1
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1]), int(other.getsockname()[1])


def _require_free(port: int) -> None:
    if not _is_free(port):
        raise ConsortiumError(f"port {port} is in use: end what uses it, or choose another with --fresh --port N")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _quiet(_: str) -> None:
    """Says nothing: the output is one JSON object."""


if __name__ == "__main__":
    sys.exit(main())
