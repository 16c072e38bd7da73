"""`screening trust`: the file on which everything rests."""

from pathlib import Path
from typing import Any

import click

from screening.cli.common import (
    DIRECTORY,
    FILE,
    emit,
    home_option,
    json_option,
    open_client,
    open_profile,
    public_json,
    read_json,
)


@click.group()
def trust() -> None:
    """Show, verify and pin the trust file: who may evaluate, with which keys."""


@trust.command()
@click.argument("file", type=FILE, required=False)
@home_option
@json_option
def show(file: Path | None, home: Path, as_json: bool) -> None:
    """Show the pinned trust file, or FILE, with the fingerprint to compare aloud."""
    found = _verified(file) if file else open_profile(home).trust
    emit(as_json, describe(found), as_text(found))


@trust.command()
@click.argument("file", type=FILE)
@click.option("--fingerprint", help="The fingerprint that you were told over another channel.")
@click.option("--predecessor", type=FILE, help="The trust file that FILE replaces.")
@json_option
def verify(file: Path, fingerprint: str | None, predecessor: Path | None, as_json: bool) -> None:
    """Verify FILE's signatures, and its fingerprint if one is given. Pins nothing."""
    from screening.client.errors import TrustFileError

    found = _verified(file, _verified(predecessor) if predecessor else None)
    if fingerprint is not None and compact(fingerprint) not in (
        compact(found.fingerprint),
        compact(found.spoken_fingerprint),
    ):
        raise TrustFileError("fingerprint-differs", "its fingerprint is not the one given; do not use it")
    compared = "" if fingerprint else "\nCompare the fingerprint with the registrar over another channel."
    emit(as_json, {"valid": True, **describe(found)}, f"Every signature is valid.\n{as_text(found)}{compared}")


@trust.command()
@click.argument("file", type=FILE)
@click.option("--fingerprint", required=True, help="The fingerprint that you were told over another channel.")
@home_option
@json_option
def pin(file: Path, fingerprint: str, home: Path, as_json: bool) -> None:
    """Pin FILE in a profile that has no keys, such as a registrar's."""
    from screening.client.profile import Profile

    found = Profile.create(home).pin_trust(statement(file), fingerprint=fingerprint)
    emit(as_json, describe(found), f"Pinned.\n{as_text(found)}")


@trust.command()
@home_option
@click.option("--replace", is_flag=True, help="Pin it, if it is a valid successor of the pinned one.")
@json_option
def fetch(home: Path, replace: bool, as_json: bool) -> None:
    """Fetch the published trust file. It is believed only as the pinned one's successor."""
    with open_client(home) as client:
        published = client.organisations.fetch_trust()
        if replace:
            found = client.profile.replace_trust(published)
            emit(as_json, describe(found), f"Pinned now:\n{as_text(found)}")
        else:
            click.echo(public_json(published.to_json()))


@trust.command()
@click.option("--dir", "directory", type=DIRECTORY, required=True, help="The registry's directory.")
@click.argument("file", type=FILE)
@json_option
def install(directory: Path, file: Path, as_json: bool) -> None:
    """Publish FILE, signed by every keyholder, in the registry's database."""
    from screening.cli.registry import publish

    found = publish(directory, statement(file))
    emit(as_json, describe(found), f"Published.\n{as_text(found)}")


def statement(file: Path) -> Any:
    """Reads a trust file's statement, without verifying it."""
    from screening.client.errors import TrustFileError
    from screening.crypto.errors import CryptoError
    from screening.crypto.signing import Statement

    try:
        return Statement.from_json(read_json(file), expected_type="trust-file")
    except CryptoError as error:
        raise TrustFileError("malformed", f"{file} is not a trust file: {error}") from error


def describe(found: Any) -> dict[str, Any]:
    """A verified trust file as a JSON object."""
    return {
        "registry": found.registry,
        "serial": found.serial,
        "epoch": found.epoch,
        "scheme": {"version": found.scheme_version, "digest": found.scheme_digest},
        "evaluators": [{"id": entry.id, "url": entry.url} for entry in found.evaluators],
        "log": found.log_origin,
        "quorum": found.quorum,
        "fingerprint": found.fingerprint,
        "spoken_fingerprint": found.spoken_fingerprint,
    }


def as_text(found: Any) -> str:
    """A verified trust file for people."""
    evaluators = "\n".join(f"  {entry.id}: {entry.url}" for entry in found.evaluators)
    return (
        f"Registry {found.registry}, trust file {found.serial}, epoch {found.epoch}, scheme {found.scheme_version}\n"
        f"Evaluators, each with a share of the hashing key:\n{evaluators}\n"
        f"Fingerprint: {found.spoken_fingerprint}"
    )


def compact(fingerprint: str) -> str:
    """A fingerprint without what people put between its groups."""
    return "".join(fingerprint.replace("-", " ").replace(":", " ").split()).lower()


def _verified(file: Path, predecessor: Any = None) -> Any:
    from screening.client.errors import TrustFileError
    from screening.crypto.errors import TrustError
    from screening.crypto.trust import verify_trust_file

    try:
        return verify_trust_file(statement(file), predecessor=predecessor)
    except TrustError as error:
        raise TrustFileError(error.code, str(error)) from error
