"""`screening org`: an organisation's keys and certificate; admission for registrars."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from screening.cli.common import (
    FILE,
    emit,
    home_option,
    json_option,
    open_client,
    open_profile,
    optional_secret,
    public_json,
    read_json,
    table,
    write_json,
)

if TYPE_CHECKING:
    from screening.client.organisations import Organisation
    from screening.crypto.trust import OrganisationCertificate

RECOVERY_FILE = "recovery.keys.json"


@click.group()
def org() -> None:
    """Organisations: keys, certificate, admission."""


@org.command()
@click.option("--name", required=True, help="The organisation's name, as others see it.")
@click.option("--contact", required=True, help="Whom others ask when they get a match, such as an e-mail address.")
@click.option("--trust", "trust_file", type=FILE, required=True, help="The trust file that you were given.")
@click.option("--fingerprint", required=True, help="Its fingerprint, as you were told over another channel.")
@click.option("--recovery-file", type=FILE, help=f"Where the recovery key goes; {RECOVERY_FILE} in the profile.")
@home_option
@json_option
def init(
    name: str,
    contact: str,
    trust_file: Path,
    fingerprint: str,
    recovery_file: Path | None,
    home: Path,
    as_json: bool,
) -> None:
    """Make your organisation's keys, and a certificate for the keyholder and the registry to sign.

    SCREENING_PASSPHRASE protects the key file, SCREENING_RECOVERY_PASSPHRASE the recovery key, if they are set.
    """
    from screening.cli.trust import statement
    from screening.client.organisations import create_organisation
    from screening.client.profile import Profile

    passphrase = optional_secret(variable="SCREENING_PASSPHRASE")
    profile = Profile.create(home, passphrase=passphrase)
    profile.pin_trust(statement(trust_file), fingerprint=fingerprint)
    recovery = recovery_file or home / RECOVERY_FILE
    certificate = create_organisation(
        profile,
        name=name,
        contact=contact,
        recovery_file=recovery,
        now=datetime.now(UTC),
        passphrase=passphrase,
        recovery_passphrase=optional_secret(variable="SCREENING_RECOVERY_PASSPHRASE"),
    )
    emit(
        as_json,
        {**_describe(certificate), "recovery_file": str(recovery)},
        f"{_as_text(certificate)}\n"
        f"Move {recovery} to a place that is not connected to anything: it opens your records if the keys are lost.\n"
        "Next: screening org export > org.json, and give it to the keyholder's operator, who compares the fingerprint.",
    )


@org.command()
@home_option
def export(home: Path) -> None:
    """Print your organisation's certificate, for the keyholder and the registry to sign. It holds no secret."""
    click.echo(public_json(open_profile(home, keys=True).certificate_statement.to_json()))


@org.command()
@click.argument("file", type=FILE, required=False)
@home_option
@json_option
def install(file: Path | None, home: Path, as_json: bool) -> None:
    """Fetch your complete certificate from the registry, or take it from FILE; verify and keep it."""
    from screening.client.organisations import read_request

    with open_client(home, keys=True) as client:
        if file is None:
            certificate = client.organisations.install()
        else:
            certificate = client.profile.save_certificate(read_request(read_json(file)))
    emit(as_json, _describe(certificate), f"Installed, with every signature.\n{_as_text(certificate)}")


@org.command()
@home_option
@json_option
def show(home: Path, as_json: bool) -> None:
    """Show your organisation's certificate with the fingerprint to compare, and who has signed it."""
    from screening.crypto.trust import verify_certificate

    profile = open_profile(home, keys=True)
    statement = profile.certificate_statement
    signers = [signature.signer for signature in statement.signatures]
    certificate = verify_certificate(statement, profile.trust, complete=False)
    emit(
        as_json,
        {**_describe(certificate), "signed_by": signers},
        f"{_as_text(certificate)}\nSigned by: {', '.join(signers)}",
    )


@org.command()
@click.argument("file", type=FILE)
@click.option("--output", type=FILE, help="Where the complete certificate goes, for the organisation to install.")
@home_option
@json_option
def admit(file: Path, output: Path | None, home: Path, as_json: bool) -> None:
    """Admit the organisation whose certificate FILE is, countersigned by a keyholder. For registrars."""
    from screening.client.organisations import read_request

    with open_client(home) as client:
        organisation, certificate = client.organisations.admit(read_request(read_json(file)))
    if output is not None:
        write_json(output, certificate.statement.to_json())
    content = {"organisation": asdict(organisation), "certificate": certificate.statement.to_json()}
    emit(as_json, content, f"Admitted {organisation.name}.\n{_as_text(certificate)}")


@org.command("list")
@home_option
@json_option
def list_(home: Path, as_json: bool) -> None:
    """List all organisations."""
    with open_client(home) as client:
        found = client.organisations.list()
    rows = [(one.id, one.name, one.kind, one.state, one.contact) for one in found]
    text = table(rows, ("id", "name", "kind", "state", "contact"), "No organisation was admitted yet.")
    emit(as_json, {"organisations": [asdict(one) for one in found]}, text)


@org.command()
@click.argument("organisation", type=click.UUID)
@home_option
@json_option
def suspend(organisation: object, home: Path, as_json: bool) -> None:
    """Suspend ORGANISATION (an id): it can neither ask nor enter; its records go on to match. For registrars."""
    with open_client(home) as client:
        _show_one(as_json, client.organisations.suspend(str(organisation)))


@org.command()
@click.argument("organisation", type=click.UUID)
@home_option
@json_option
def reinstate(organisation: object, home: Path, as_json: bool) -> None:
    """End ORGANISATION's suspension. For registrars."""
    with open_client(home) as client:
        _show_one(as_json, client.organisations.reinstate(str(organisation)))


def _show_one(as_json: bool, organisation: "Organisation") -> None:
    emit(as_json, {"organisation": asdict(organisation)}, f"{organisation.name}: {organisation.state}.")


def _describe(certificate: "OrganisationCertificate") -> dict[str, Any]:
    return {
        "organisation": str(certificate.organisation),
        "name": certificate.name,
        "contact": certificate.contact,
        "serial": certificate.serial,
        "fingerprint": certificate.fingerprint,
    }


def _as_text(certificate: "OrganisationCertificate") -> str:
    return (
        f"{certificate.name}, organisation {certificate.organisation}, certificate {certificate.serial}\n"
        f"Fingerprint: {certificate.fingerprint}"
    )
