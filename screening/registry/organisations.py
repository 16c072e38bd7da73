"""Organisations: admission by certificate, replacement of certificates, suspension.

An organisation's certificate comes signed by itself and countersigned by a keyholder that checked it over another
channel; admitting it adds the registry's signature, which makes it complete.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from audit.events import (
    OrganisationAdmitted,
    OrganisationCertified,
    OrganisationReinstated,
    OrganisationSuspended,
)
from screening.crypto.errors import CryptoError
from screening.crypto.signing import Statement, VerifyingKey, key_id
from screening.crypto.trust import OrganisationCertificate, verify_certificate
from screening.registry.base import table_of
from screening.registry.errors import (
    ConflictError,
    NotFoundError,
    StateConflictError,
    StatementInvalidError,
    WrongRegistryError,
)
from screening.registry.models import Certificate, Organisation, OrganisationKind, OrganisationState, Role
from screening.registry.policy import policy_value
from screening.registry.texts import MAX_CONTACT, MAX_NAME, check_text
from screening.registry.unit import Unit

SIGNER = "registry"
"""How the registry signs certificates."""

_CERTIFICATES, _ORGANISATIONS = table_of(Certificate).c, table_of(Organisation).c
_KEY_IN_FORCE = (
    select(_CERTIFICATES.signing_key, _ORGANISATIONS.state)
    .join_from(table_of(Certificate), table_of(Organisation), _ORGANISATIONS.id == _CERTIFICATES.organisation_id)
    .where(
        _ORGANISATIONS.id == bindparam("organisation"),
        _CERTIFICATES.serial == _ORGANISATIONS.certificate_serial,
        _CERTIFICATES.signing_key_id == bindparam("key"),
    )
)


def admit_organisation(unit: Unit, certificate: Statement) -> tuple[Organisation, dict[str, Any]]:
    """Lets an organisation take part.

    Args:
        unit: Writing, of a registrar.
        certificate: Its first certificate, countersigned by a keyholder.

    Returns:
        The organisation and the promise.

    Raises:
        StatementInvalidError: A signature is missing or wrong, or it is not a first certificate.
        WrongRegistryError: It was made for another registry.
        ValidationFailedError: Name or contact hold what may not be shown.
        ConflictError: Organisation, name or key are here already.
    """
    view, complete = _verify(unit, certificate, organisation=None)
    if view.serial != 1:
        raise StatementInvalidError(errors={"serial": ["must be 1 at admission"]})
    name, contact = _shown(view)
    id = uuid.UUID(view.organisation)
    if unit.session.get(Organisation, id) is not None:
        raise ConflictError("This organisation is here already.")
    _refuse_taken(unit, name, view.signing_key, other_than=id)
    organisation = Organisation(
        id=id,
        kind=OrganisationKind.MEMBER,
        name=name,
        contact=contact,
        state=OrganisationState.ACTIVE,
        certificate_serial=view.serial,
        created_at=unit.now,
    )
    unit.session.add(organisation)
    unit.session.flush()
    unit.session.add(_row(unit, id, view, complete))
    return organisation, unit.record(OrganisationAdmitted(**_by(unit, organisation), certificate=complete.digest))


def replace_certificate(
    unit: Unit, organisation: uuid.UUID, certificate: Statement
) -> tuple[Organisation, dict[str, Any]]:
    """Puts a later certificate in force. What was submitted under the earlier one has to be submitted again.

    Args:
        unit: Writing, of an entity admin of the organisation.
        organisation: The actor's own.
        certificate: With the next serial number, countersigned by a keyholder.

    Returns:
        The organisation and the promise.

    Raises:
        NotFoundError: It is not the actor's organisation.
        StatementInvalidError: A signature is missing or wrong, or the serial number is not the next.
        WrongRegistryError: It was made for another registry.
        ValidationFailedError: Name or contact hold what may not be shown.
        ConflictError: Name or key are another organisation's.
    """
    if organisation != unit.required_actor.organisation:
        raise NotFoundError
    found = _lock(unit, organisation)
    view, complete = _verify(unit, certificate, organisation=str(organisation))
    if found.certificate_serial is None or view.serial != found.certificate_serial + 1:
        raise StatementInvalidError(errors={"serial": ["must be the next one"]})
    name, contact = _shown(view)
    _refuse_taken(unit, name, view.signing_key, other_than=organisation)
    found.name, found.contact, found.certificate_serial = name, contact, view.serial
    unit.session.add(_row(unit, organisation, view, complete))
    event = OrganisationCertified(**_by(unit, found), serial=view.serial, certificate=complete.digest)
    return found, unit.record(event)


def suspend_organisation(unit: Unit, organisation: uuid.UUID) -> tuple[Organisation, dict[str, Any]]:
    """Keeps an organisation from acting: nobody of it may do anything, its evaluations are refused. Its records match.

    Raises:
        NotFoundError: There is no such organisation.
        StateConflictError: It is suspended already, or it is the operator.
    """
    found = _lock(unit, organisation)
    if found.kind is OrganisationKind.OPERATOR or found.state is OrganisationState.SUSPENDED:
        raise StateConflictError("This organisation is suspended already, or it is the operator.")
    found.state = OrganisationState.SUSPENDED
    return found, unit.record(OrganisationSuspended(**_by(unit, found)))


def reinstate_organisation(unit: Unit, organisation: uuid.UUID) -> tuple[Organisation, dict[str, Any]]:
    """Lets a suspended organisation act again.

    Raises:
        NotFoundError: There is no such organisation.
        StateConflictError: It is not suspended.
    """
    found = _lock(unit, organisation)
    if found.state is not OrganisationState.SUSPENDED:
        raise StateConflictError("This organisation is not suspended.")
    found.state = OrganisationState.ACTIVE
    return found, unit.record(OrganisationReinstated(**_by(unit, found)))


def list_organisations(unit: Unit) -> list[Organisation]:
    """Every participant, by name."""
    return list(unit.session.scalars(select(Organisation).order_by(Organisation.name)))


def get_organisation(unit: Unit, organisation: uuid.UUID) -> Organisation:
    """One participant: to a registrar or the operator's auditor any, to others their own.

    Raises:
        NotFoundError: There is none of that id that the actor may know of.
    """
    found = unit.session.get(Organisation, organisation)
    if found is None or not _may_know(unit, organisation):
        raise NotFoundError
    return found


def get_certificate(unit: Unit, organisation: uuid.UUID) -> Statement:
    """The complete certificate in force of an organisation that the actor may know of.

    Raises:
        NotFoundError: There is none.
    """
    found = get_organisation(unit, organisation)
    if found.certificate_serial is None:
        raise NotFoundError
    row = unit.session.get_one(Certificate, (found.id, found.certificate_serial))
    return Statement.from_json(row.statement, expected_type="organisation-certificate")


def find_certificate(session: Session, organisation: uuid.UUID, serial: int | None = None) -> Certificate:
    """The row of an organisation's certificate in force, or of an earlier one: what was signed under it stands.

    Args:
        session: Where to read.
        organisation: Whose.
        serial: Of an earlier certificate; the one in force by default.

    Raises:
        NotFoundError: The organisation has none, or none of that serial number.
    """
    if serial is None:
        return current_certificate(session, organisation)
    found = session.get(Certificate, (organisation, serial))
    if found is None:
        raise NotFoundError
    return found


def current_certificate(session: Session, organisation: uuid.UUID) -> Certificate:
    """The row of an organisation's certificate in force.

    Raises:
        NotFoundError: The organisation has none.
    """
    query = (
        select(Certificate)
        .join(Organisation, Organisation.id == Certificate.organisation_id)
        .where(Organisation.id == organisation, Certificate.serial == Organisation.certificate_serial)
    )
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFoundError
    return found


@dataclass(frozen=True)
class MemberKey:
    """What an evaluator has to know of an organisation."""

    organisation: str
    signing_key: bytes
    suspended: bool
    daily_budget: int
    """Elements in 24 hours."""


class RegistryDirectory:
    """Where the registry's own evaluator finds organisations."""

    def find(self, session: Session, organisation: str, key: str) -> MemberKey | None:
        """The organisation of that id, if that is the id of its signing key in force.

        Args:
            session: Where to read.
            organisation: Id in canonical text.
            key: Key id.
        """
        try:
            id = uuid.UUID(organisation)
        except ValueError:
            return None
        row = session.execute(_KEY_IN_FORCE, {"organisation": id, "key": key}).one_or_none()
        if row is None:
            return None
        budget = policy_value(session, "evaluation_elements_per_organisation_per_day")
        return MemberKey(str(id), row.signing_key, row.state is OrganisationState.SUSPENDED, budget)


def _verify(
    unit: Unit, certificate: Statement, *, organisation: str | None
) -> tuple[OrganisationCertificate, Statement]:
    """Checks all signatures but the registry's, and adds that."""
    if certificate.body.get("registry") != unit.registry.id:
        raise WrongRegistryError
    trust = unit.registry.required_trust
    try:
        complete = certificate.sign(SIGNER, unit.registry.signing)
        return verify_certificate(complete, trust, organisation=organisation), complete
    except CryptoError as error:
        raise StatementInvalidError(errors={"certificate": [str(error)]}) from None


def _shown(view: OrganisationCertificate) -> tuple[str, str]:
    name = check_text("name", view.name, longest=MAX_NAME)
    contact = check_text("contact", view.contact, longest=MAX_CONTACT)
    return name, contact


def _refuse_taken(unit: Unit, name: str, key: VerifyingKey, *, other_than: uuid.UUID) -> None:
    """Refuses a name that another organisation has, and a key that any certificate before had."""
    named = select(Organisation.id).where(Organisation.name == name, Organisation.id != other_than)
    keyed = select(Certificate.organisation_id).where(
        Certificate.signing_key_id == key.key_id, Certificate.organisation_id != other_than
    )
    if unit.session.execute(named).first() is not None:
        raise ConflictError("Another organisation has this name.")
    if unit.session.execute(keyed).first() is not None:
        raise ConflictError("Another organisation has this key.")


def _row(unit: Unit, id: uuid.UUID, view: OrganisationCertificate, complete: Statement) -> Certificate:
    return Certificate(
        organisation_id=id,
        serial=view.serial,
        statement=complete.to_json(),
        fingerprint=view.fingerprint,
        signing_key=view.signing_key.public_bytes,
        signing_key_id=view.signing_key.key_id,
        sealing_key_id=key_id(view.sealing_key),
        recovery_key_id=key_id(view.recovery_key),
        created_at=unit.now,
    )


def _lock(unit: Unit, organisation: uuid.UUID) -> Organisation:
    query = select(Organisation).where(Organisation.id == organisation).with_for_update()
    found = unit.session.scalars(query).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def _may_know(unit: Unit, organisation: uuid.UUID) -> bool:
    actor = unit.required_actor
    if organisation == actor.organisation or Role.REGISTRAR in actor.roles:
        return True
    if Role.AUDITOR not in actor.roles:
        return False
    kind = select(Organisation.kind).where(Organisation.id == actor.organisation)
    return unit.session.scalars(kind).one() is OrganisationKind.OPERATOR


def _by(unit: Unit, organisation: Organisation) -> dict[str, Any]:
    """Who did it to which organisation; the event is that organisation's."""
    return {
        "actor": str(unit.required_actor.person),
        "organisation": str(organisation.id),
        "object": str(organisation.id),
    }
