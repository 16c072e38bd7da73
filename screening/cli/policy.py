"""`screening policy`: the registry's bounded settings."""

from dataclasses import asdict
from pathlib import Path

import click

from screening.cli.common import emit, home_option, json_option, open_client, table


@click.group()
def policy() -> None:
    """Read and set the registry's policy."""


@policy.command("list")
@home_option
@json_option
def list_(home: Path, as_json: bool) -> None:
    """List every policy with its value and bounds."""
    with open_client(home) as client:
        found = client.organisations.policies()
    rows = [
        (value.name, str(value.value), f"{value.minimum} to {value.maximum} {value.unit}", value.description)
        for value in found
    ]
    text = table(rows, ("policy", "value", "bounds", "what it does"), "There are no policies.")
    emit(as_json, {"policies": [asdict(value) for value in found]}, text)


@policy.command("set")
@click.argument("name")
@click.argument("value", type=int)
@home_option
@json_option
def set_(name: str, value: int, home: Path, as_json: bool) -> None:
    """Set policy NAME to VALUE, within its bounds. For registrars; the change is in the log."""
    with open_client(home) as client:
        changed = client.organisations.set_policy(name, value)
    emit(as_json, {"policy": asdict(changed)}, f"{changed.name} is {changed.value} {changed.unit} now.")
