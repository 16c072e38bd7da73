"""`screening login` and `logout`."""

from pathlib import Path

import click

from screening.cli.common import FILE, emit, home_option, json_option, open_client, secret


@click.command()
@home_option
@click.option("--email", required=True, help="Your e-mail address at the registry.")
@click.option("--password-file", type=FILE, help="A file that holds the password; or set SCREENING_PASSWORD.")
@json_option
def login(home: Path, email: str, password_file: Path | None, as_json: bool) -> None:
    """Log in to the registry. The session is kept in the profile's directory."""
    with open_client(home) as client:
        password = secret("Password", variable="SCREENING_PASSWORD", file=password_file)
        who = client.sessions.open(email, password)
        content = {
            "person": who.person,
            "name": who.name,
            "organisation": who.organisation,
            "roles": list(who.roles),
            "expires_at": who.expires_at.isoformat(),
        }
        emit(
            as_json,
            content,
            f"Logged in as {who.name} ({', '.join(who.roles)}) until {who.expires_at:%Y-%m-%d %H:%M} UTC.",
        )


@click.command()
@home_option
@json_option
def logout(home: Path, as_json: bool) -> None:
    """Log out; the session ends at the registry too."""
    with open_client(home) as client:
        client.sessions.end()
        emit(as_json, {"logged_out": True}, "Logged out.")
