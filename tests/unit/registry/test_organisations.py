"""Organisations, the trust file and the registry's beginning: nothing is taken that is not fully signed."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from audit.events import parse_event
from screening.crypto.identifiers import uuid7
from screening.crypto.keyring import KeyholderKeyring, OrganisationKeyring, RecoveryKeyring, RegistryKeyring
from screening.crypto.signing import SigningKey, Statement
from screening.crypto.trust import verify_certificate
from screening.registry.errors import (
    ConflictError,
    NotFoundError,
    RegistryError,
    StateConflictError,
    StatementInvalidError,
    ValidationFailedError,
    WrongRegistryError,
)
from screening.registry.evaluations import RegistryRecorder
from screening.registry.models import (
    Certificate,
    EventRow,
    Organisation,
    OrganisationKind,
    OrganisationState,
    TrustFileRow,
)
from screening.registry.organisations import (
    RegistryDirectory,
    admit_organisation,
    get_certificate,
    get_organisation,
    list_organisations,
    reinstate_organisation,
    replace_certificate,
    suspend_organisation,
)
from screening.registry.policy import change_policy
from screening.registry.setup import initialise_registry
from screening.registry.trust import current_trust_file, publish_trust_file
from tests.factories import LOG_ORIGIN, REGISTRY, World, first_trust_file, signed_certificate


class Applicant:
    """An organisation that wants to join."""

    def __init__(self, world: World, registry: str = REGISTRY) -> None:
        self.id = uuid7()
        self.world = world
        self.keyring = OrganisationKeyring.generate(registry=registry, organisation=str(self.id))
        self.recovery = RecoveryKeyring.generate(organisation=str(self.id))

    def certificate(self, **changes: Any) -> Statement:
        values = {"name": "Gamma", "contact": "hr@gamma.example"} | changes
        keyholder = values.pop("keyholder", self.world.keyholder)
        return signed_certificate(self.keyring, self.recovery, keyholder, **values)


@pytest.fixture
def applicant(world: World) -> Applicant:
    return Applicant(world)


def test_an_admitted_organisation_has_a_complete_certificate(world: World, applicant: Applicant) -> None:
    certificate = applicant.certificate()
    organisation, _ = world.act(world.registrar, admit_organisation, certificate)
    assert (organisation.id, organisation.name, organisation.state) == (applicant.id, "Gamma", OrganisationState.ACTIVE)
    complete = world.act(world.registrar, get_certificate, applicant.id)
    assert complete.digest == certificate.digest
    assert verify_certificate(complete, world.trust, organisation=str(applicant.id), complete=True).name == "Gamma"
    with world.sessions() as session:
        body = session.scalars(select(EventRow.body).order_by(EventRow.id.desc()).limit(1)).one()
    parsed = parse_event(body)
    assert (parsed.tag, parsed.fields["certificate"]) == ("registry:organisation:admitted", certificate.digest)


CERTIFICATES: dict[str, tuple[Callable[[Applicant], Statement], type[RegistryError]]] = {
    "of another registry": (lambda a: Applicant(a.world, "other").certificate(), WrongRegistryError),
    "without a keyholder": (
        lambda a: replace(a.certificate(), signatures=a.certificate().signatures[:1]),
        StatementInvalidError,
    ),
    "by a stranger as keyholder": (
        lambda a: a.certificate(keyholder=KeyholderKeyring.generate(keyholder="keyholder-1")),
        StatementInvalidError,
    ),
    "by an unknown keyholder": (
        lambda a: a.certificate(keyholder=KeyholderKeyring.generate(keyholder="keyholder-2")),
        StatementInvalidError,
    ),
    "not by the organisation": (
        lambda a: replace(a.certificate(), signatures=a.certificate().signatures[1:]),
        StatementInvalidError,
    ),
    "changed after signing": (
        lambda a: replace(a.certificate(), body={**a.certificate().body, "contact": "mallory@x.example"}),
        StatementInvalidError,
    ),
    "that is not a first one": (lambda a: a.certificate(serial=2), StatementInvalidError),
    "with another's name": (lambda a: a.certificate(name="Beta"), ConflictError),
    "of another type": (lambda a: Statement.of({"type": "x", "registry": REGISTRY}), StatementInvalidError),
}


@pytest.mark.parametrize(("make", "expected"), CERTIFICATES.values(), ids=CERTIFICATES)
def test_a_certificate_that_does_not_hold_admits_nobody(
    world: World, applicant: Applicant, make: Callable[[Applicant], Statement], expected: type[RegistryError]
) -> None:
    before = world.events()
    with pytest.raises(expected):
        world.act(world.registrar, admit_organisation, make(applicant))
    assert world.count(Organisation) == 3
    assert world.count(Certificate) == 2
    assert world.events() == before


@pytest.mark.parametrize("name", ["Gam\u202ema", "Gam\x00ma", "", "x" * 201], ids=ascii)
def test_a_name_that_would_mislead_is_refused(world: World, applicant: Applicant, name: str) -> None:
    forged = Statement.of({**applicant.certificate().body, "name": name})
    signed = forged.sign("organisation", applicant.keyring.signing).sign("keyholder-1", world.keyholder.signing)
    with pytest.raises((ValidationFailedError, StatementInvalidError)):
        world.act(world.registrar, admit_organisation, signed)
    assert world.count(Organisation) == 3


def test_an_organisation_or_a_key_is_admitted_once(world: World, applicant: Applicant) -> None:
    world.act(world.registrar, admit_organisation, applicant.certificate())
    with pytest.raises(ConflictError):
        world.act(world.registrar, admit_organisation, applicant.certificate(name="Delta"))
    keys = world.beta.keyring
    stolen = OrganisationKeyring(REGISTRY, str(uuid7()), keys.signing, keys.sealing, keys.self_key)
    certificate = signed_certificate(stolen, applicant.recovery, world.keyholder, name="Delta", contact="x@d.example")
    with pytest.raises(ConflictError):
        world.act(world.registrar, admit_organisation, certificate)


def test_a_replaced_certificate_is_in_force_and_the_earlier_one_kept(world: World) -> None:
    alpha = world.alpha
    keyring = replace(alpha.keyring, signing=SigningKey.generate())
    later = signed_certificate(
        keyring, alpha.recovery, world.keyholder, name="Alpha International", contact="new@alpha.example", serial=2
    )
    organisation, _ = world.act(alpha.admin, replace_certificate, alpha.id, later)
    assert (organisation.name, organisation.contact, organisation.certificate_serial) == (
        "Alpha International",
        "new@alpha.example",
        2,
    )
    assert world.act(alpha.admin, get_certificate, alpha.id).digest == later.digest
    with world.sessions() as session:
        assert session.get(Certificate, (alpha.id, 1)) is not None
        directory = RegistryDirectory()
        assert directory.find(session, str(alpha.id), alpha.keyring.signing.key_id) is None
        found = directory.find(session, str(alpha.id), keyring.signing.key_id)
    assert found is not None
    assert found.signing_key == keyring.signing.public_bytes
    assert world.events()[-1] == "registry:organisation:certified"


@pytest.mark.parametrize("serial", [1, 3])
def test_a_certificate_with_another_serial_than_the_next_is_refused(world: World, serial: int) -> None:
    alpha = world.alpha
    later = signed_certificate(
        alpha.keyring, alpha.recovery, world.keyholder, name="Alpha", contact="new@alpha.example", serial=serial
    )
    with pytest.raises(StatementInvalidError):
        world.act(alpha.admin, replace_certificate, alpha.id, later)


def test_nobody_replaces_anothers_certificate(world: World) -> None:
    alpha, beta = world.alpha, world.beta
    later = signed_certificate(beta.keyring, beta.recovery, world.keyholder, name="Beta", contact="x@y.z", serial=2)
    with pytest.raises(NotFoundError):
        world.act(alpha.admin, replace_certificate, beta.id, later)
    with pytest.raises(StatementInvalidError):
        world.act(alpha.admin, replace_certificate, alpha.id, later)


def test_a_suspended_organisation_is_known_as_such_until_it_is_reinstated(world: World) -> None:
    alpha, directory = world.alpha, RegistryDirectory()

    def suspended() -> bool:
        with world.sessions() as session:
            found = directory.find(session, str(alpha.id), alpha.keyring.signing.key_id)
        assert found is not None
        return found.suspended

    assert not suspended()
    world.act(world.registrar, suspend_organisation, alpha.id)
    assert suspended()
    with pytest.raises(StateConflictError):
        world.act(world.registrar, suspend_organisation, alpha.id)
    world.act(world.registrar, reinstate_organisation, alpha.id)
    assert not suspended()
    with pytest.raises(StateConflictError):
        world.act(world.registrar, reinstate_organisation, alpha.id)
    assert world.events()[-2:] == ["registry:organisation:suspended", "registry:organisation:reinstated"]


def test_the_operator_and_what_does_not_exist_are_not_suspended(world: World) -> None:
    with pytest.raises(StateConflictError):
        world.act(world.registrar, suspend_organisation, world.registrar.organisation)
    for service in (suspend_organisation, reinstate_organisation):
        with pytest.raises(NotFoundError):
            world.act(world.registrar, service, uuid.uuid4())


def test_the_directory_knows_members_by_id_and_key_and_nobody_else(world: World) -> None:
    alpha, directory = world.alpha, RegistryDirectory()
    world.act(world.registrar, change_policy, "evaluation_elements_per_organisation_per_day", 800)
    with world.sessions() as session:
        found = directory.find(session, str(alpha.id), alpha.keyring.signing.key_id)
        assert found is not None
        assert (found.organisation, found.daily_budget) == (str(alpha.id), 800)
        for organisation, key in (
            (str(world.beta.id), alpha.keyring.signing.key_id),
            (str(alpha.id), world.beta.keyring.signing.key_id),
            (str(world.registrar.organisation), ""),
            ("no id", alpha.keyring.signing.key_id),
        ):
            assert directory.find(session, organisation, key) is None


def test_organisations_are_listed_and_shown_to_whom_they_concern(world: World) -> None:
    assert [one.name for one in world.act(world.alpha.auditor, list_organisations)] == ["Alpha", "Beta", "The operator"]
    for someone in (world.registrar, world.operator_auditor, world.beta.recruiter):
        assert world.act(someone, get_organisation, world.beta.id).name == "Beta"
    for someone in (world.alpha.recruiter, world.alpha.auditor, world.alpha.admin):
        with pytest.raises(NotFoundError):
            world.act(someone, get_organisation, world.beta.id)
        with pytest.raises(NotFoundError):
            world.act(someone, get_certificate, world.beta.id)
    with pytest.raises(NotFoundError):
        world.act(world.registrar, get_certificate, world.registrar.organisation)


# --- beginning and trust -----------------------------------------------------------------------------------------


def test_a_registry_begins_once(world: World) -> None:
    with pytest.raises(StateConflictError):
        world.act(
            None,
            initialise_registry,
            operator="Another",
            contact="c",
            registrar_email="r@x.example",
            registrar_name="R",
        )
    with world.sessions() as session:
        kinds = session.scalars(select(Organisation.kind)).all()
    assert kinds.count(OrganisationKind.OPERATOR) == 1
    first = ["registry:person:invited", "registry:registry:initialised", "registry:trust-file:published"]
    assert sorted(world.events()[:3]) == first


def successor(world: World, **changes: Any) -> Statement:
    values = {"serial": 2, "previous": world.trust.statement.digest, "epoch": 2} | changes
    return first_trust_file(world.keyring, world.keyholder, **values)


def test_a_successor_is_in_force_once_published(world: World) -> None:
    statement = successor(world)
    trust, _ = world.act(world.registrar, publish_trust_file, statement)
    assert (trust.serial, trust.epoch) == (2, 2)
    with world.sessions() as session:
        found = current_trust_file(session)
    assert found is not None
    assert found.fingerprint == trust.fingerprint
    assert world.count(TrustFileRow) == 2


TRUST_FILES: dict[str, tuple[Callable[[World], Statement], type[RegistryError]]] = {
    "of another registry": (
        lambda w: first_trust_file(RegistryKeyring.generate(registry="other"), w.keyholder),
        WrongRegistryError,
    ),
    "the first one again": (lambda w: w.trust.statement, StatementInvalidError),
    "without its predecessor": (lambda w: successor(w, previous="0" * 64), StatementInvalidError),
    "that leaves out a serial": (lambda w: successor(w, serial=3), StatementInvalidError),
    "without the keyholder": (
        lambda w: replace(successor(w), signatures=successor(w).signatures[:1]),
        StatementInvalidError,
    ),
    "with another log": (lambda w: successor(w, log_origin="log.example/other"), StatementInvalidError),
    "with another log key": (
        lambda w: successor(w, log_key=SigningKey.generate().public_bytes),
        StatementInvalidError,
    ),
}


@pytest.mark.parametrize(("make", "expected"), TRUST_FILES.values(), ids=TRUST_FILES)
def test_a_trust_file_that_does_not_follow_is_not_published(
    world: World, make: Callable[[World], Statement], expected: type[RegistryError]
) -> None:
    before = world.events()
    with pytest.raises(expected):
        world.act(world.registrar, publish_trust_file, make(world))
    assert world.count(TrustFileRow) == 1
    assert world.events() == before


def test_a_stored_trust_file_that_was_tampered_with_is_not_believed(world: World) -> None:
    tampered = world.trust.statement.to_json()
    tampered["body"]["quorum"] = 0
    with world.engine.begin() as connection:
        connection.execute(update(TrustFileRow).values(statement=tampered))
    with world.sessions() as session, pytest.raises(StatementInvalidError):
        current_trust_file(session)


def test_an_evaluation_is_an_event_in_the_charges_own_transaction(world: World) -> None:
    recorder, batch = RegistryRecorder(world.context), str(uuid7())
    facts: dict[str, Any] = {"purpose": "screening", "batch": batch, "candidates": 2, "elements": 16, "charged": 16}

    def evaluate(unit: Any) -> Any:
        return recorder.evaluated(unit.session, organisation=str(world.alpha.id), time=unit.now, **facts)

    promise = world.act(None, evaluate)
    assert promise["body"]["origin"] == LOG_ORIGIN
    with world.sessions() as session:
        row = session.get_one(EventRow, uuid.UUID(promise["body"]["event"]))
    parsed = parse_event(row.body)
    assert parsed.fields == facts
    assert (row.organisation_id, row.object) == (world.alpha.id, batch)
