"""Organisations' certificates; their public face is `screening.crypto.trust`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from screening.crypto._reading import (
    ID,
    MAX_NUMBER,
    ORGANISATION,
    REGISTRY,
    Fields,
    check_signature,
    fingerprint,
    spoken_fingerprint,
    write_time,
)
from screening.crypto.encoding import b64u
from screening.crypto.errors import EncodingError, TrustError
from screening.crypto.signing import Statement, VerifyingKey

if TYPE_CHECKING:
    from screening.crypto.keyring import OrganisationKeyring
    from screening.crypto.trust import TrustFile

CERTIFICATE = "organisation-certificate"
MAX_NAME = 200
MAX_CONTACT = 400

_FIELDS = (
    *("type", "version", "registry", "organisation", "serial", "name", "contact"),
    *("signing_key", "sealing_key", "recovery_key", "issued_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationCertificate:
    """A certificate's content, made by `verify_certificate`.

    Attributes:
        registry: The registry's id.
        organisation: The organisation's id.
        serial: 1 for the first, more for each later one.
        name: What the organisation is called.
        contact: How to reach it.
        signing_key: Verifies what it signs.
        sealing_key: What is for the organisation is sealed to this.
        recovery_key: And, so that it can be recovered, to this.
        issued_at: When it was made.
        statement: The statement itself, with its signatures.
    """

    registry: str
    organisation: str
    serial: int
    name: str
    contact: str
    signing_key: VerifyingKey
    sealing_key: bytes
    recovery_key: bytes
    issued_at: datetime
    statement: Statement

    @property
    def fingerprint(self) -> str:
        """What identifies it, in hex."""
        return fingerprint(self.statement.body)

    @property
    def spoken_fingerprint(self) -> str:
        """The fingerprint's first half, to be read aloud."""
        return spoken_fingerprint(self.fingerprint)


def build_certificate(
    keyring: OrganisationKeyring,
    recovery_public: bytes,
    *,
    name: str,
    contact: str,
    serial: int,
    issued_at: datetime,
) -> Statement:
    """Makes an organisation's certificate and signs it with the organisation's key.

    Args:
        keyring: The organisation's keys.
        recovery_public: The public half of its recovery key, 1,216 bytes.
        name: What the organisation is called.
        contact: How to reach it.
        serial: 1 for the first, more for each later one.
        issued_at: The present, aware.

    Returns:
        The statement, for a keyholder and the registry to countersign.

    Raises:
        TrustError: A value is not what a certificate may hold.
    """
    body = {
        "type": CERTIFICATE,
        "version": 1,
        "registry": keyring.registry,
        "organisation": keyring.organisation,
        "serial": serial,
        "name": name,
        "contact": contact,
        "signing_key": b64u(keyring.signing.public_bytes),
        "sealing_key": b64u(keyring.sealing.public_bytes),
        "recovery_key": b64u(recovery_public),
        "issued_at": write_time(issued_at),
    }
    try:
        statement = Statement.of(body)
    except EncodingError as error:
        raise TrustError("field-invalid", str(error)) from None
    _read_certificate(statement)
    return statement.sign(ORGANISATION, keyring.signing)


def verify_certificate(
    statement: Statement, trust: TrustFile, *, organisation: str | None = None, complete: bool = True
) -> OrganisationCertificate:
    """Checks an organisation's certificate.

    Args:
        statement: The certificate.
        trust: The pinned trust file.
        organisation: Whose it must be, if that is known.
        complete: Whether the registry and at least one keyholder must have countersigned. Not so for whoever is about
            to countersign.

    Returns:
        Its content.

    Raises:
        TrustError: It must not be trusted; `code` says why.
    """
    certificate = _read_certificate(statement)
    if certificate.registry != trust.registry:
        raise TrustError("registry-differs", "the certificate is for another registry")
    if organisation is not None and certificate.organisation != organisation:
        raise TrustError("organisation-differs", "it is another organisation's certificate")
    check_signature(statement, ORGANISATION, certificate.signing_key, "organisation-signature")
    if complete:
        check_signature(statement, REGISTRY, trust.evaluators[0].signing_key, "registry-signature")
        signers = {signature.signer for signature in statement.signatures}
        countersigned = [keyholder for keyholder in trust.keyholders if keyholder.id in signers]
        if not countersigned:
            raise TrustError("keyholder-signature-missing", "no keyholder has countersigned the certificate")
        for keyholder in countersigned:
            check_signature(statement, keyholder.id, keyholder.signing_key, "keyholder-signature")
    return certificate


def _read_certificate(statement: Statement) -> OrganisationCertificate:
    fields = Fields(statement.body, _FIELDS, "the certificate")
    fields.exactly("type", CERTIFICATE, "type-unknown")
    fields.exactly("version", 1, "version-unknown")
    certificate = OrganisationCertificate(
        registry=fields.matching("registry", ID, "an id"),
        organisation=fields.uuid("organisation"),
        serial=fields.integer("serial", 1, MAX_NUMBER),
        name=fields.line("name", MAX_NAME),
        contact=fields.line("contact", MAX_CONTACT),
        signing_key=fields.verifying_key("signing_key"),
        sealing_key=fields.sealing_key("sealing_key"),
        recovery_key=fields.sealing_key("recovery_key"),
        issued_at=fields.time("issued_at"),
        statement=statement,
    )
    if certificate.sealing_key == certificate.recovery_key:
        raise TrustError("key-duplicate", "the recovery key must be another than the sealing key")
    return certificate
