"""Organisations' certificates: whose they are, who vouches for them, and what they may hold."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from screening.crypto import voprf
from screening.crypto.encoding import b64u
from screening.crypto.errors import TrustError
from screening.crypto.keyring import KeyholderKeyring, OrganisationKeyring, RecoveryKeyring, RegistryKeyring
from screening.crypto.signing import SigningKey, Statement
from screening.crypto.stretch import StretchParameters
from screening.crypto.trust import (
    EvaluatorEntry,
    build_certificate,
    build_trust_file,
    fingerprint,
    verify_certificate,
    verify_trust_file,
)

NOW = datetime(2026, 11, 20, 14, 2, 11, tzinfo=UTC)
CHEAP = StretchParameters(memory_kib=8, iterations=1, parallelism=1, length=32)
ID = "0191f0c0-0000-7000-8000-000000000000"

REGISTRY = RegistryKeyring.generate(registry="demo")
NORTH, SOUTH = (KeyholderKeyring.generate(keyholder=name) for name in ("north", "south"))
ORGANISATION = OrganisationKeyring.generate(registry="demo", organisation=ID)
RECOVERY = RecoveryKeyring.generate(organisation=ID)


def entry(id: str, signing: SigningKey, share: bytes) -> EvaluatorEntry:
    return EvaluatorEntry(id, f"https://{id}.example", voprf.public_share(share), signing.verifying_key)


def trust_file(registry: str = "demo") -> Any:
    evaluators = [
        entry("registry", REGISTRY.signing, REGISTRY.share),
        entry("north", NORTH.signing, NORTH.share),
        entry("south", SOUTH.signing, SOUTH.share),
    ]
    statement = build_trust_file(
        registry=registry, serial=1, previous=None, epoch=1, scheme_version=1, scheme_digest="5c" * 32, stretch=CHEAP,
        evaluators=evaluators, log_origin="log", log_key=REGISTRY.log.public_bytes, witnesses=[], quorum=0,
        issued_at=NOW,
    )  # fmt: skip
    for signer, keyring in (("registry", REGISTRY), ("north", NORTH), ("south", SOUTH)):
        statement = statement.sign(signer, keyring.signing)
    return verify_trust_file(statement, predecessor=None, minimum=CHEAP)


TRUST = trust_file()


def certificate(**changes: Any) -> Statement:
    values: dict[str, Any] = {"name": "Médecins d’ici", "contact": "hr@org.example", "serial": 1, "issued_at": NOW}
    return build_certificate(ORGANISATION, RECOVERY.sealing.public_bytes, **(values | changes))


def complete(statement: Statement) -> Statement:
    return statement.sign("north", NORTH.signing).sign("registry", REGISTRY.signing)


def refused(statement: Statement, code: str, **arguments: Any) -> None:
    with pytest.raises(TrustError) as caught:
        verify_certificate(statement, TRUST, **arguments)
    assert caught.value.code == code


def test_a_complete_certificate_says_what_was_built() -> None:
    statement = Statement.from_json(complete(certificate()).to_json(), expected_type="organisation-certificate")
    found = verify_certificate(statement, TRUST, organisation=ID)
    assert (found.registry, found.organisation, found.serial) == ("demo", ID, 1)
    assert (found.name, found.contact, found.issued_at) == ("Médecins d’ici", "hr@org.example", NOW)
    assert found.signing_key == ORGANISATION.signing.verifying_key
    assert found.sealing_key == ORGANISATION.sealing.public_bytes
    assert found.recovery_key == RECOVERY.sealing.public_bytes
    assert found.fingerprint == fingerprint(statement.body)
    assert found.spoken_fingerprint.replace(" ", "") == found.fingerprint[:32]


def test_one_that_is_not_countersigned_yet_can_be_read_by_who_is_to_do_that() -> None:
    statement = certificate()
    assert verify_certificate(statement, TRUST, complete=False).organisation == ID
    refused(statement, "registry-signature-missing")


def test_every_signature_that_is_needed_is_demanded() -> None:
    refused(certificate().sign("registry", REGISTRY.signing), "keyholder-signature-missing")
    refused(certificate().sign("north", NORTH.signing), "registry-signature-missing")
    unsigned = Statement(certificate().body).sign("registry", REGISTRY.signing).sign("north", NORTH.signing)
    refused(unsigned, "organisation-signature-missing")
    refused(Statement(certificate().body), "organisation-signature-missing", complete=False)


def test_the_registry_s_signature_does_not_count_as_a_keyholder_s() -> None:
    both = certificate().sign("registry", REGISTRY.signing).sign("north", REGISTRY.signing)
    refused(both, "keyholder-signature-of-another-key")


def test_somebody_else_s_signature_does_not_count_as_a_keyholder_s() -> None:
    refused(certificate().sign("registry", REGISTRY.signing).sign("west", NORTH.signing), "keyholder-signature-missing")


def test_any_of_several_keyholders_suffices_and_a_wrong_one_among_them_does_not() -> None:
    south = certificate().sign("registry", REGISTRY.signing).sign("south", SOUTH.signing)
    assert verify_certificate(south, TRUST).organisation == ID
    refused(south.sign("north", SigningKey.generate()), "keyholder-signature-of-another-key")


@pytest.mark.parametrize(
    ("signer", "code"),
    [
        ("organisation", "organisation-signature-of-another-key"),
        ("registry", "registry-signature-of-another-key"),
        ("north", "keyholder-signature-of-another-key"),
    ],
)
def test_a_signature_with_another_key_is_refused(signer: str, code: str) -> None:
    statement = complete(certificate())
    others = tuple(signature for signature in statement.signatures if signature.signer != signer)
    refused(Statement(statement.body, others).sign(signer, SigningKey.generate()), code)


def test_a_changed_certificate_is_refused() -> None:
    statement = complete(certificate())
    refused(Statement({**statement.body, "name": "Another"}, statement.signatures), "organisation-signature-wrong")


def test_a_sealing_key_exchanged_by_somebody_in_between_is_refused() -> None:
    statement = complete(certificate())
    other = OrganisationKeyring.generate(registry="demo", organisation=ID)
    body = {**statement.body, "sealing_key": b64u(other.sealing.public_bytes)}
    refused(Statement(body, statement.signatures), "organisation-signature-wrong")


def test_all_keys_exchanged_by_the_registry_alone_are_refused() -> None:
    """The registry makes keys of its own for the organisation, and has no keyholder's signature."""
    other = OrganisationKeyring.generate(registry="demo", organisation=ID)
    forged = build_certificate(other, RECOVERY.sealing.public_bytes, name="x", contact="y", serial=1, issued_at=NOW)
    refused(forged.sign("registry", REGISTRY.signing), "keyholder-signature-missing")


def test_another_organisation_s_or_registry_s_certificate_is_refused() -> None:
    refused(complete(certificate()), "organisation-differs", organisation=ID.replace("0191", "0192"))
    with pytest.raises(TrustError) as caught:
        verify_certificate(complete(certificate()), trust_file("other"))
    assert caught.value.code == "registry-differs"


def test_a_recovery_key_that_is_the_sealing_key_is_refused() -> None:
    with pytest.raises(TrustError) as caught:
        build_certificate(
            ORGANISATION, ORGANISATION.sealing.public_bytes, name="x", contact="y", serial=1, issued_at=NOW
        )
    assert caught.value.code == "key-duplicate"


SEALING = ORGANISATION.sealing.public_bytes

EDITS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "unknown field": (lambda b: b.update(more=1), "field-unknown"),
    "missing field": (lambda b: b.pop("recovery_key"), "field-missing"),
    "another version": (lambda b: b.update(version=2), "version-unknown"),
    "another type": (lambda b: b.update(type="trust-file"), "type-unknown"),
    "organisation no id": (lambda b: b.update(organisation="org"), "field-invalid"),
    "organisation upper case": (lambda b: b.update(organisation=ID.upper()), "field-invalid"),
    "organisation no text": (lambda b: b.update(organisation=None), "field-invalid"),
    "serial zero": (lambda b: b.update(serial=0), "field-invalid"),
    "name empty": (lambda b: b.update(name=""), "field-invalid"),
    "name long": (lambda b: b.update(name="x" * 201), "field-invalid"),
    "name with space at its end": (lambda b: b.update(name="x "), "field-invalid"),
    "name with a line end": (lambda b: b.update(name="x\ny"), "field-invalid"),
    "name turned around": (lambda b: b.update(name="x\u202ey"), "field-invalid"),
    "name no text": (lambda b: b.update(name=1), "field-invalid"),
    "contact long": (lambda b: b.update(contact="x" * 401), "field-invalid"),
    "signing key short": (lambda b: b.update(signing_key="AAAA"), "field-invalid"),
    "signing key weak": (lambda b: b.update(signing_key=b64u(bytes(32))), "key-invalid"),
    "sealing key short": (lambda b: b.update(sealing_key=b64u(SEALING[:-1])), "field-invalid"),
    "sealing key weak": (lambda b: b.update(sealing_key=b64u(SEALING[:1184] + bytes(32))), "key-invalid"),
    "recovery key no key": (lambda b: b.update(recovery_key=b64u(b"\xff" * 1216)), "key-invalid"),
    "time": (lambda b: b.update(issued_at="yesterday"), "field-invalid"),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_body_of_another_form_is_refused(name: str) -> None:
    change, code = EDITS[name]
    body = copy.deepcopy(dict(certificate().body))
    change(body)
    refused(Statement(body).sign("organisation", ORGANISATION.signing), code, complete=False)


@pytest.mark.parametrize(
    "changes",
    [{"name": ""}, {"contact": "x\x00"}, {"serial": 0}, {"name": "\ud800"}, {"issued_at": datetime(2026, 1, 1)}],  # noqa: DTZ001  the point of the test
)
def test_what_no_certificate_may_hold_is_refused_before_it_is_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(TrustError):
        certificate(**changes)
