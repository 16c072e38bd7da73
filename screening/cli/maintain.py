"""`screening maintain` and `upgrade`: what a registry's operator has done daily, and with each new version."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from screening.cli.common import DIRECTORY, emit, json_option
from screening.cli.running import CommandError

if TYPE_CHECKING:
    from screening.registry.unit import Unit

_directory = click.option("--dir", "directory", type=DIRECTORY, required=True, help="The registry's directory.")


@dataclass(frozen=True)
class Maintained:
    """What one pass did, in numbers.

    Attributes:
        suspended: Pending records whose review date has passed; they match no longer.
        expired: Records whose retention is over; tombstones are left.
        answers: Answers that were kept to be given again.
        sessions: Log-ins that ended long ago.
        batches: Charged evaluation batches.
    """

    suspended: int
    expired: int
    answers: int
    sessions: int
    batches: int


@click.command()
@_directory
@json_option
def maintain(directory: Path, as_json: bool) -> None:
    """Suspend, expire and forget what is due. Run it daily; the registry may run meanwhile."""
    from screening.cli.registry import operator_units

    with operator_units(directory) as open_one:
        done = maintain_registry(open_one)
    emit(
        as_json,
        asdict(done),
        f"Suspended, their review date having passed: {done.suspended} records.\n"
        f"Expired, their retention being over: {done.expired} records.\n"
        f"Forgotten: {done.answers} kept answers, {done.sessions} old sessions, {done.batches} evaluation batches.",
    )


def maintain_registry(open_one: "Callable[[], AbstractContextManager[Unit]]") -> Maintained:
    """Makes one pass, each step in a unit of its own, so that nobody waits long and what is done stays done.

    Args:
        open_one: Opens a writing unit without an actor.

    Returns:
        What was done; all zero where nothing was due.

    Raises:
        RegistryError: The database refused or is busy. Steps done before stay done; run it again.
    """
    from screening.evaluator.maintenance import purge_batches
    from screening.registry.maintenance import purge, run_expiries

    suspended = expired = 0
    more = True
    while more:
        with open_one() as unit:
            ended = run_expiries(unit)
        suspended, expired, more = suspended + ended.suspended, expired + ended.expired, ended.more
    with open_one() as unit:
        purged = purge(unit)
    with open_one() as unit:
        batches = purge_batches(unit.session.connection(), unit.now)
    return Maintained(suspended, expired, purged.answers, purged.sessions, batches)


@click.command()
@_directory
@json_option
def upgrade(directory: Path, as_json: bool) -> None:
    """Bring the registry's database to this program's version. End the registry and make a backup first."""
    from sqlalchemy.exc import DBAPIError

    from screening.cli.registry import read_settings
    from screening.registry import database
    from screening.registry.errors import translate_database_error

    url = read_settings(directory).database_url
    engine = database.create_engine(url, pool_size=1)
    try:
        before, known = database.current_revision(engine), database.revisions()
    finally:
        engine.dispose()
    after = known[-1]
    if before is not None and before not in known:
        raise CommandError("newer-database", f"the database is at {before}, which this program is too old to know")
    if before != after:
        try:
            database.upgrade(url)
        except DBAPIError as error:
            raise translate_database_error(error) from None
    done = f"upgraded from {before or 'empty'} to {after}" if before != after else f"at {after} already"
    emit(as_json, {"before": before, "after": after}, f"The database is {done}.")
