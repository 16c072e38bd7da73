"""Organisations: keys and certificate of one's own; admission, suspension and policy for a registrar."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from screening.client.answers import Fields
from screening.client.client import Client
from screening.client.errors import CertificateError, ProfileError, RegistryMisbehavedError
from screening.client.pages import pages
from screening.client.profile import KEYS_FILE, Profile
from screening.client.verification import check_certificate, verify_promise
from screening.crypto.errors import CryptoError, KeyringError, TrustError
from screening.crypto.identifiers import uuid7
from screening.crypto.keyring import OrganisationKeyring, RecoveryKeyring
from screening.crypto.signing import Statement
from screening.crypto.trust import OrganisationCertificate, build_certificate, verify_certificate

FIRST_SERIAL = 1


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation as the registry lists it."""

    id: str
    name: str
    contact: str
    kind: str
    state: str


@dataclass(frozen=True, slots=True)
class PolicyValue:
    """One of the registry's bounded settings."""

    name: str
    value: int
    minimum: int
    maximum: int
    unit: str
    description: str


def create_organisation(
    profile: Profile,
    *,
    name: str,
    contact: str,
    recovery_file: Path,
    now: datetime,
    passphrase: str | None = None,
    recovery_passphrase: str | None = None,
) -> OrganisationCertificate:
    """Makes an organisation's keys and its certificate request, in a profile that has pinned its trust file.

    Args:
        profile: Where the keys go.
        name: The organisation's name, as others see it.
        contact: Whom others ask when they get a match.
        recovery_file: Where the recovery key goes; it must be moved offline.
        now: The present, aware.
        passphrase: Protects the key file, if given.
        recovery_passphrase: Protects the recovery key's file, if given.

    Returns:
        The certificate, signed by the organisation alone so far.

    Raises:
        ProfileError: There are keys already, or a file cannot be written.
    """
    for path in (profile.directory / KEYS_FILE, recovery_file):
        if path.exists():
            raise ProfileError("keys-exist", f"{path} exists; keys are never overwritten")
    trust = profile.trust
    organisation = str(uuid7(now))
    keyring = OrganisationKeyring.generate(registry=trust.registry, organisation=organisation)
    recovery = RecoveryKeyring.generate(organisation=organisation)
    request = build_certificate(
        keyring, recovery.sealing.public_bytes, name=name, contact=contact, serial=FIRST_SERIAL, issued_at=now
    )
    try:
        recovery.save(recovery_file, passphrase=recovery_passphrase)
    except KeyringError as error:
        raise ProfileError("unwritable", str(error)) from error
    try:
        profile.save_keys(keyring, passphrase=passphrase)
    except ProfileError:
        recovery_file.unlink()  # a recovery key of no organisation
        raise
    return profile.save_certificate(request, complete=False)


def read_request(content: object) -> Statement:
    """Reads a certificate from a file's JSON.

    Raises:
        CertificateError: It is none.
    """
    try:
        return Statement.from_json(content, expected_type="organisation-certificate")
    except CryptoError as error:
        raise CertificateError("malformed", str(error)) from error


class Organisations:
    """Organisations at the registry."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def admit(self, certificate: Statement) -> tuple[Organisation, OrganisationCertificate]:
        """Admits an organisation whose certificate a keyholder has countersigned. For registrars.

        Returns:
            The organisation, and its certificate with the registry's signature.

        Raises:
            CertificateError: The organisation did not sign it; the registry is not asked.
        """
        try:
            verify_certificate(certificate, self._client.trust, complete=False)
        except TrustError as error:
            raise CertificateError(error.code, str(error)) from error
        answer = self._act("POST", "/v1/organisations", {"certificate": certificate.to_json()})
        organisation = self._read(answer.object("organisation"))
        return organisation, self.certificate(organisation.id)

    def certificate(self, organisation: str, *, serial: int | None = None) -> OrganisationCertificate:
        """An organisation's certificate, verified against the pinned trust file.

        Args:
            organisation: Its id.
            serial: Of an earlier certificate; the one in force by default.

        Raises:
            CertificateError: It lacks a signature, is another organisation's, or has another serial number.
        """
        path = f"/v1/organisations/{_id(organisation)}/certificate"
        answer = Fields.of(
            self._client.call("GET", path, params=None if serial is None else {"serial": serial}).content
        )
        found = check_certificate(answer.content.get("certificate"), self._client.trust, organisation=organisation)
        if serial is not None and found.serial != serial:
            raise CertificateError("serial-differs", "it is another certificate than was asked for")
        return found

    def install(self) -> OrganisationCertificate:
        """Fetches one's own complete certificate, verifies it, and keeps it in the profile.

        Raises:
            CertificateError: It lacks a signature or holds other keys than the profile's.
        """
        return self._client.profile.save_certificate(self.certificate(self._client.organisation).statement)

    def list(self) -> Sequence[Organisation]:
        """All organisations."""
        return [self._read(item) for item in pages(self._client, "/v1/organisations", "organisations")]

    def suspend(self, organisation: str) -> Organisation:
        """Suspends an organisation: it can neither ask nor enter. For registrars."""
        return self._read(
            self._act("POST", f"/v1/organisations/{_id(organisation)}/suspend", None).object("organisation")
        )

    def reinstate(self, organisation: str) -> Organisation:
        """Ends a suspension. For registrars."""
        path = f"/v1/organisations/{_id(organisation)}/reinstate"
        return self._read(self._act("POST", path, None).object("organisation"))

    def policies(self) -> Sequence[PolicyValue]:
        """The registry's policy with its bounds."""
        answer = Fields.of(self._client.call("GET", "/v1/policy").content)
        return [_policy(item) for item in answer.objects("policy")]

    def set_policy(self, name: str, value: int) -> PolicyValue:
        """Changes a policy within its bounds. For registrars."""
        return _policy(self._act("PUT", f"/v1/policy/{name}", {"value": value}).object("policy"))

    def fetch_trust(self) -> Statement:
        """The trust file that the registry publishes. It is not trusted by that: see `Profile.replace_trust`."""
        answer = Fields.of(self._client.open_call("GET", "/v1/trust").content)
        try:
            return Statement.from_json(answer.content.get("trust"), expected_type="trust-file")
        except CryptoError:
            raise RegistryMisbehavedError("its answer's trust is no trust file") from None

    def _act(self, method: str, path: str, body: Mapping[str, Any] | None) -> Fields:
        key = str(uuid4()) if method == "POST" else None
        answer = Fields.of(self._client.call(method, path, json_content=body, idempotency_key=key).content)
        verify_promise(answer.content.get("promise"), self._client.trust, now=self._client.clock())
        return answer

    @staticmethod
    def _read(fields: Fields) -> Organisation:
        return Organisation(
            fields.id("id"), fields.text("name"), fields.text("contact"), fields.text("kind"), fields.text("state")
        )


def _policy(fields: Fields) -> PolicyValue:
    return PolicyValue(
        fields.text("name"),
        fields.whole_number("value"),
        fields.whole_number("minimum"),
        fields.whole_number("maximum"),
        fields.text("unit"),
        fields.text("description"),
    )


def _id(text: str) -> UUID:
    return UUID(text)
