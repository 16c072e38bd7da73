"""`screening check` and `history`."""

from pathlib import Path
from typing import Any

import click

from screening.cli.common import emit, home_option, json_option, open_client, table
from screening.cli.person import person_options, read_person
from screening.cli.running import ExitCode

PURPOSE = click.Choice(["recruitment", "volunteer", "contract", "deployment"])
LAWFUL_BASIS = click.Choice(["notice", "consent"])
CATEGORY = click.Choice(["SH", "SEA"])


@click.command()
@click.option("--purpose", type=PURPOSE, required=True)
@click.option("--vacancy", required=True, help="Your reference for the vacancy; it must not name a person.")
@click.option("--lawful-basis", type=LAWFUL_BASIS, required=True, help="Was the candidate told, or did they consent?")
@click.option("--category", "categories", type=CATEGORY, multiple=True, default=("SH", "SEA"), show_default=True)
@person_options
@home_option
@json_option
def check(
    purpose: Any,
    vacancy: str,
    lawful_basis: Any,
    categories: tuple[str, ...],
    file: Path | None,
    home: Path,
    as_json: bool,
    **details: Any,
) -> int:
    """Check one person.

    Exit code 0: nothing found or cleared; 10: to be followed up; 11: more details are needed.
    """
    person = read_person(file, details)
    with open_client(home, keys=True) as client:
        result = client.screenings.check(
            person, purpose=purpose, vacancy=vacancy, lawful_basis=lawful_basis, categories=categories
        )
    wording = result.wording
    entered = "; ".join(f"{name}: {value}" for name, value in person.to_dict().items())
    lines = [wording.headline, *wording.sentences, f"Reference: {result.reference}", f"You entered: {entered}"]
    if result.earlier:
        lines.append(f"You checked the same details before: {', '.join(one.reference for one in result.earlier)}")
    emit(as_json, result.to_json(), "\n".join(lines))
    if result.outcome == "insufficient":
        return ExitCode.INSUFFICIENT
    return ExitCode.FOLLOW_UP if result.needs_follow_up else ExitCode.OK


@click.command()
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many, the latest first.")
@home_option
@json_option
def history(limit: int, home: Path, as_json: bool) -> None:
    """List your organisation's past checks; the names are opened here."""
    from itertools import islice

    from screening.client.verification import timestamp

    with open_client(home, keys=True) as client:
        found = list(islice(client.screenings.history(), limit))
    checks = [
        {
            "id": one.id,
            "reference": one.reference,
            "created_at": timestamp(one.created_at),
            "outcome": one.outcome,
            "grade": one.grade,
            "purpose": one.purpose,
            "vacancy": one.vacancy,
            "identity": one.identity.to_dict() if one.identity else None,
            "shortened": one.shortened,
        }
        for one in found
    ]
    rows = [
        (
            one.reference,
            f"{one.created_at:%Y-%m-%d %H:%M}",
            one.outcome,
            one.vacancy,
            " ".join(one.identity.names[0].to_dict().values()) if one.identity else "(sealed to an earlier key)",
        )
        for one in found
    ]
    text = table(rows, ("reference", "time (UTC)", "outcome", "vacancy", "candidate"), "No checks yet.")
    emit(as_json, {"checks": checks}, text)
