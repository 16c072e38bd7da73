"""The registry's trust file: published by a statement that every evaluator signed, read back with every signature."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit.events import TrustFilePublished
from screening.crypto.errors import CryptoError
from screening.crypto.signing import Statement
from screening.crypto.trust import TrustFile, verify_trust_file
from screening.registry.errors import StateConflictError, StatementInvalidError, WrongRegistryError
from screening.registry.models import TrustFileRow
from screening.registry.unit import Unit

_TYPE = "trust-file"


def current_trust_file(session: Session) -> TrustFile | None:
    """The trust file in force, after checking the whole chain of its predecessors; None if there is none yet.

    Raises:
        StatementInvalidError: What is stored does not verify: the database was tampered with.
    """
    trust: TrustFile | None = None
    for row in session.scalars(select(TrustFileRow).order_by(TrustFileRow.serial)):
        trust = _verify(row.statement, trust)
    return trust


def publish_trust_file(unit: Unit, statement: Statement) -> tuple[TrustFile, dict[str, Any]]:
    """Puts a trust file in force.

    Args:
        unit: Writing.
        statement: The first one, or the successor of the one in force, with all signatures.

    Returns:
        The trust file and the promise.

    Raises:
        WrongRegistryError: It is another registry's.
        StatementInvalidError: A signature is missing or wrong, it does not follow the one in force, or it names other
            keys of the registry or its log than this process has.
        StateConflictError: There is none yet, and this is not a first one.
    """
    if statement.body.get("registry") != unit.registry.id:
        raise WrongRegistryError
    predecessor = current_trust_file(unit.session)
    trust = _verify(statement.to_json(), predecessor)
    if predecessor is None and trust.serial != 1:
        raise StateConflictError("The first trust file has serial number 1.")
    own = trust.evaluators[0].signing_key == unit.registry.signing.verifying_key
    log = trust.log_key == unit.registry.log.public_bytes and trust.log_origin == unit.registry.log_origin
    if not own or not log:
        raise StatementInvalidError(errors={"trust": ["must name this registry's own keys and log"]})
    unit.session.add(
        TrustFileRow(
            serial=trust.serial,
            statement=statement.to_json(),
            fingerprint=trust.fingerprint,
            published_at=unit.now,
        )
    )
    actor = unit.actor
    event = TrustFilePublished(
        actor=None if actor is None else str(actor.person),
        organisation=None if actor is None else str(actor.organisation),
        object=unit.registry.id,
        serial=trust.serial,
        digest=statement.digest,
    )
    return trust, unit.record(event)


def _verify(statement: object, predecessor: TrustFile | None) -> TrustFile:
    try:
        return verify_trust_file(Statement.from_json(statement, expected_type=_TYPE), predecessor=predecessor)
    except CryptoError as error:
        raise StatementInvalidError(errors={"trust": [str(error)]}) from None
