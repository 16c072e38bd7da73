"""`screening user`: people and their roles."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from screening.cli.common import FILE, emit, home_option, json_option, open_client, secret, table

if TYPE_CHECKING:
    from screening.client.people import Person

ROLE = click.Choice(["recruiter", "entity_admin", "auditor", "registrar"])


@click.group()
def user() -> None:
    """People of your organisation: invitations, roles, suspension."""


@user.command()
@click.option("--email", required=True, help="The person's e-mail address: their log-in.")
@click.option("--name", required=True, help="The person's name.")
@click.option("--role", "roles", type=ROLE, multiple=True, required=True, help="May be given several times.")
@click.option("--organisation", help="For registrars: the id of the organisation; your own otherwise.")
@home_option
@json_option
def invite(email: str, name: str, roles: tuple[str, ...], organisation: str | None, home: Path, as_json: bool) -> None:
    """Invite somebody. The code is shown once: hand it over in person, by telephone or on paper."""
    with open_client(home) as client:
        made = client.people.invite(email=email, name=name, roles=roles, organisation=organisation)
    content = {"person": asdict(made.person), "code": made.code, "expires_at": made.expires_at.isoformat()}
    until = f"{made.expires_at:%Y-%m-%d %H:%M} UTC"
    text = f"Invited {made.person.name}. The code, shown only now, is good until {until}:\n{made.code}"
    emit(as_json, content, text)


@user.command()
@click.option("--code", help="The invitation's code; asked for when it is not given here or in SCREENING_INVITATION.")
@click.option("--password-file", type=FILE, help="A file that holds the new password; or set SCREENING_PASSWORD.")
@home_option
@json_option
def accept(code: str | None, password_file: Path | None, home: Path, as_json: bool) -> None:
    """Accept an invitation and choose a password of at least 15 characters."""
    with open_client(home) as client:
        given = code or secret("Invitation code", variable="SCREENING_INVITATION")
        password = secret("New password", variable="SCREENING_PASSWORD", file=password_file, confirm=True)
        client.people.accept(given, password)
    emit(as_json, {"accepted": True}, "Accepted. Log in: screening login --email ...")


@user.command("list")
@home_option
@json_option
def list_(home: Path, as_json: bool) -> None:
    """List your organisation's people."""
    with open_client(home) as client:
        people = client.people.list()
    _show(as_json, people)


@user.command()
@click.argument("person")
@click.option("--role", "roles", type=ROLE, multiple=True, required=True, help="May be given several times.")
@home_option
@json_option
def roles(person: str, roles: tuple[str, ...], home: Path, as_json: bool) -> None:
    """Give PERSON (an id) exactly these roles."""
    with open_client(home) as client:
        _show_one(as_json, client.people.set_roles(person, roles))


@user.command()
@click.argument("person")
@home_option
@json_option
def suspend(person: str, home: Path, as_json: bool) -> None:
    """Suspend PERSON (an id); their sessions end at once."""
    with open_client(home) as client:
        _show_one(as_json, client.people.suspend(person))


@user.command()
@click.argument("person")
@home_option
@json_option
def reinstate(person: str, home: Path, as_json: bool) -> None:
    """Let PERSON (an id) log in again."""
    with open_client(home) as client:
        _show_one(as_json, client.people.reinstate(person))


def _show(as_json: bool, people: Sequence["Person"]) -> None:
    rows = [(person.id, person.name, person.email, ", ".join(person.roles), person.state) for person in people]
    text = table(rows, ("id", "name", "e-mail", "roles", "state"), "Nobody yet.")
    emit(as_json, {"people": [asdict(person) for person in people]}, text)


def _show_one(as_json: bool, person: "Person") -> None:
    emit(as_json, {"person": asdict(person)}, f"{person.name}: {', '.join(person.roles)}, {person.state}.")
