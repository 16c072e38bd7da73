"""`screening init` and `serve`: a registry's directory.

| file | content |
|---|---|
| `registry.env` | settings (`SCREENING_...`), read when it serves; what the environment says goes first |
| `registry.keys.json` | the registry's keys, behind `SCREENING_KEYRING_PASSPHRASE` if that is set |
| `registry.sqlite` | the database, unless `--database-url` names another |
| `trust.json` | the trust file, signed by the registry; for every keyholder to sign |
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from screening.cli.common import (
    DIRECTORY,
    FILE,
    emit,
    json_option,
    optional_secret,
    passphrase_of,
    read_json,
    write_json,
)
from screening.cli.running import CommandError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from screening.api.settings import Settings
    from screening.crypto.keyring import RegistryKeyring
    from screening.crypto.signing import Statement
    from screening.crypto.trust import TrustFile
    from screening.registry.unit import Unit

ENVIRONMENT_FILE: Final = "registry.env"
KEYS_FILE: Final = "registry.keys.json"
DATABASE_FILE: Final = "registry.sqlite"
TRUST_FILE: Final = "trust.json"
PASSPHRASE: Final = "SCREENING_KEYRING_PASSPHRASE"  # noqa: S105  # the name of a variable


@click.command()
@click.option("--dir", "directory", type=DIRECTORY, required=True, help="A new directory for the registry's files.")
@click.option("--registry", required=True, help="The registry's id: 1 to 64 of a-z, 0-9 and '-'.")
@click.option("--url", required=True, help="Where organisations will reach it: https, or http on this machine.")
@click.option("--keyholder", "keyholders", type=FILE, multiple=True, required=True, help="From keyholder export.")
@click.option("--operator", required=True, help="The name of who runs the registry.")
@click.option("--contact", help="How the operator is reached; the registrar's e-mail address by default.")
@click.option("--registrar-email", required=True, help="The first registrar's e-mail address.")
@click.option("--registrar-name", default="Registrar", show_default=True)
@click.option("--database-url", help="Such as postgresql+psycopg://...; a SQLite file in the directory by default.")
@json_option
def init(
    directory: Path,
    registry: str,
    url: str,
    keyholders: tuple[Path, ...],
    operator: str,
    contact: str | None,
    registrar_email: str,
    registrar_name: str,
    database_url: str | None,
    as_json: bool,
) -> None:
    """Set up a registry: keys, database, trust file, and the first registrar's invitation."""
    from screening.cli.ceremony import first_trust_file, log_origin
    from screening.cli.descriptions import read_description
    from screening.crypto.keyring import RegistryKeyring
    from screening.registry.database import upgrade
    from screening.registry.setup import initialise_registry

    described = [read_description(read_json(path)) for path in keyholders]
    keyring = RegistryKeyring.generate(registry=registry)
    statement = first_trust_file(keyring, url, described)
    passphrase = optional_secret(variable=PASSPHRASE)
    with _new_directory(directory) as directory:
        database_url = database_url or f"sqlite:///{directory / DATABASE_FILE}"
        settings = {"SCREENING_DATABASE_URL": database_url, "SCREENING_KEYRING": str(directory / KEYS_FILE)}
        keyring.save(directory / KEYS_FILE, passphrase=passphrase)
        _write_environment(directory / ENVIRONMENT_FILE, settings)
        write_json(directory / TRUST_FILE, statement.to_json())
        upgrade(database_url)
        with _unit(database_url, keyring, log_origin(registry)) as unit:
            begun = initialise_registry(
                unit,
                operator=operator,
                contact=contact or registrar_email,
                registrar_email=registrar_email,
                registrar_name=registrar_name,
            )
    code = begun.registrar.code
    emit(
        as_json,
        {
            "registry": registry,
            "operator": str(begun.operator.id),
            "trust_file": str(directory / TRUST_FILE),
            "invitation_code": code,
        },
        f"The registry {registry} is set up in {directory}.\n"
        f"Next, every keyholder signs {directory / TRUST_FILE}: screening keyholder sign-trust --dir ... FILE\n"
        f"and then: screening trust install --dir {directory} FILE\n"
        f"The first registrar's invitation code, shown only now:\n{code}",
    )


@click.command()
@click.option(
    "--dir", "directory", type=DIRECTORY, help="The registry's directory; without it, the environment says all."
)
@click.option("--bind", default="127.0.0.1:8000", show_default=True, help="host:port, or unix:path.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Processes.")
@click.option("--threads", type=click.IntRange(1), default=8, show_default=True, help="Threads in each process.")
def serve(directory: Path | None, bind: str, workers: int, threads: int) -> None:
    """Run a registry until it is told to end."""
    from screening.api.app import create_app
    from screening.api.logs import configure_logs
    from screening.api.server import run_server

    settings = read_settings(directory)
    settings = replace(settings, keyring_passphrase=passphrase_of(settings.keyring, variable=PASSPHRASE))
    _refuse_other_schema(settings.database_url)
    configure_logs(settings.log_level)
    run_server(lambda: create_app(settings), bind, workers, threads)


def publish(directory: Path, statement: "Statement") -> "TrustFile":
    """Publishes a trust file that every evaluator has signed in a registry's database."""
    from screening.crypto.keyring import RegistryKeyring
    from screening.registry.trust import publish_trust_file

    settings = read_settings(directory)
    keyring = RegistryKeyring.load(settings.keyring, passphrase=passphrase_of(settings.keyring, variable=PASSPHRASE))
    with _unit(settings.database_url, keyring, str(statement.body.get("log", {}).get("origin"))) as unit:
        trust, _ = publish_trust_file(unit, statement)
    write_json(directory / TRUST_FILE, statement.to_json())
    return trust


@contextmanager
def operator_units(directory: Path) -> "Iterator[Callable[[], AbstractContextManager[Unit]]]":
    """What opens writing units of the operator, without an actor, in the database of a registry's directory."""
    from screening.cli.ceremony import log_origin
    from screening.crypto.keyring import RegistryKeyring

    settings = read_settings(directory)
    keyring = RegistryKeyring.load(settings.keyring, passphrase=passphrase_of(settings.keyring, variable=PASSPHRASE))
    with _units(settings.database_url, keyring, log_origin(keyring.registry)) as open_one:
        yield open_one


def read_settings(directory: Path | None) -> "Settings":
    """The settings in a registry's directory, under those of the environment; the environment's alone without one."""
    from dotenv import load_dotenv  # what environs reads such files with

    from screening.api.settings import Settings

    if directory is not None:
        file = directory / ENVIRONMENT_FILE
        if not file.is_file():
            raise CommandError("directory", f"{directory} is no registry's directory: it has no {ENVIRONMENT_FILE}")
        load_dotenv(file, override=False, interpolate=False)
    return Settings.from_environment()


@contextmanager
def _new_directory(directory: Path) -> Iterator[Path]:
    """A directory that was empty; what was put into it is removed again if that fails."""
    directory = directory.absolute()
    existed = directory.is_dir()
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        directory.chmod(0o700)
        if any(directory.iterdir()):
            raise CommandError("directory", f"{directory} is not empty; name a new one")
    except OSError as error:
        raise CommandError("directory", f"{directory} cannot be made: {error.strerror}") from error
    try:
        yield directory
    except BaseException:
        for file in directory.iterdir():
            file.unlink()
        if not existed:
            directory.rmdir()
        raise


def _write_environment(path: Path, settings: dict[str, str]) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        for name, value in settings.items():
            quoted = value.replace("\\", "\\\\").replace("'", "\\'")
            file.write(f"{name}='{quoted}'\n")


def _refuse_other_schema(database_url: str) -> None:
    from screening.registry.database import create_engine
    from screening.registry.errors import DatabaseUnavailableError

    engine = create_engine(database_url, pool_size=1)
    try:
        _require_head(engine)
    except DatabaseUnavailableError:
        pass  # it may come up later than the registry; /readyz says so until then
    finally:
        engine.dispose()


def _require_head(engine: "Engine") -> None:
    from screening.registry.database import require_head
    from screening.registry.errors import DatabaseUnavailableError, NotReadyError

    try:
        require_head(engine)
    except DatabaseUnavailableError:
        raise
    except NotReadyError:
        advice = "make a backup, then: screening upgrade --dir ..."
        raise CommandError("other-schema", f"the database is of another version than this program; {advice}") from None


@contextmanager
def _unit(database_url: str, keyring: "RegistryKeyring", origin: str) -> "Iterator[Unit]":
    """One act of the operator in the registry's database."""
    with _units(database_url, keyring, origin) as open_one, open_one() as unit:
        yield unit


@contextmanager
def _units(
    database_url: str, keyring: "RegistryKeyring", origin: str
) -> "Iterator[Callable[[], AbstractContextManager[Unit]]]":
    """What opens units in the registry's database."""
    from screening.crypto.passwords import PasswordHasher
    from screening.registry.database import create_engine, create_sessions
    from screening.registry.unit import RegistryContext, open_unit

    engine = create_engine(database_url)
    try:
        _require_head(engine)
        context = RegistryContext(
            id=keyring.registry, signing=keyring.signing, log=keyring.log, log_origin=origin, passwords=PasswordHasher()
        )
        sessions = create_sessions(engine)
        yield lambda: open_unit(sessions, context)
    finally:
        engine.dispose()
