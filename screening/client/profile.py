"""A profile: the directory that holds one organisation's keys, and what it pins.

| file | content |
|---|---|
| `trust.json` | the pinned trust file, a statement |
| `organisation.keys.json` | the organisation's keys, a keyring file, perhaps behind a passphrase |
| `certificate.json` | the organisation's certificate, a statement |
| `session.json` | who is logged in at the registry, and the session's token |

The directory is the owner's alone (0700), every file is 0600 and replaced as a whole, never written in place. All of it
is checked again whenever it is read: a file that somebody else could change, or did, is refused.
"""

import json
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from screening.client.errors import CertificateError, NotLoggedInError, ProfileError, TrustFileError
from screening.crypto.errors import CryptoError, KeyringError, TrustError
from screening.crypto.keyring import OrganisationKeyring
from screening.crypto.signing import Statement
from screening.crypto.trust import OrganisationCertificate, TrustFile, verify_certificate, verify_trust_file

TRUST_FILE: Final = "trust.json"
KEYS_FILE: Final = "organisation.keys.json"
CERTIFICATE_FILE: Final = "certificate.json"
SESSION_FILE: Final = "session.json"

_MAX_FILE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class StoredSession:
    """Who is logged in.

    Attributes:
        token: The bearer token; the repr hides it.
        person: What the registry said about the person at log-in: id, name, organisation, roles.
        expires_at: When the session ends at the latest, aware.
    """

    token: str
    person: Mapping[str, Any]
    expires_at: datetime

    def __repr__(self) -> str:
        return f"StoredSession(expires_at={self.expires_at.isoformat()})"


class Profile:
    """One organisation's directory.

    Args:
        directory: Where it is; `Profile.create` makes it.
        passphrase: Opens the keyring file, if it has one.
    """

    def __init__(self, directory: Path, *, passphrase: str | None = None) -> None:
        self.directory = Path(directory)
        self._passphrase = passphrase
        self._keys: OrganisationKeyring | None = None
        self._trust: TrustFile | None = None

    def __repr__(self) -> str:
        return f"Profile({str(self.directory)!r})"

    @classmethod
    def create(cls, directory: Path, *, passphrase: str | None = None) -> "Profile":
        """Makes the directory, or takes an existing one and closes it to others.

        Raises:
            ProfileError: It cannot be made.
        """
        directory = Path(directory)
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            directory.chmod(0o700)
        except OSError as error:
            raise ProfileError("unwritable", f"{directory} cannot be made: {error.strerror}") from error
        return cls(directory, passphrase=passphrase)

    # --- trust ---------------------------------------------------------------------------------------------------

    def pin_trust(self, statement: Statement, *, fingerprint: str) -> TrustFile:
        """Pins the first trust file.

        Args:
            statement: What the registrar handed over.
            fingerprint: What the user compared over a second channel: the whole one in hex, or the spoken form.

        Returns:
            The verified trust file.

        Raises:
            TrustFileError: It does not verify, has another fingerprint, or another one is pinned already.
        """
        trust = _verified_trust(statement, None)
        if (self.directory / TRUST_FILE).exists() and self.trust.fingerprint != trust.fingerprint:
            raise TrustFileError("already-pinned", "another one is pinned; it is replaced by its successor only")
        if _compact(fingerprint) not in (_compact(trust.fingerprint), _compact(trust.spoken_fingerprint)):
            raise TrustFileError("fingerprint-differs", "its fingerprint is not the one given; do not use it")
        self._write(TRUST_FILE, statement.to_json())
        self._trust = trust
        return trust

    def replace_trust(self, statement: Statement) -> TrustFile:
        """Takes a successor of the pinned trust file, signed by all evaluators of both.

        Returns:
            The verified successor; the same file again is accepted and changes nothing.

        Raises:
            TrustFileError: It is not the next one, is older, or lacks a signature.
        """
        pinned = self.trust
        if statement.digest == pinned.statement.digest:
            return pinned
        trust = _verified_trust(statement, pinned)
        self._write(TRUST_FILE, statement.to_json())
        self._trust = trust
        return trust

    @property
    def trust(self) -> TrustFile:
        """The pinned trust file, its signatures checked."""
        if self._trust is None:
            missing = ProfileError("no-trust-file", f"{self.directory} has no trust file yet; pin it first")
            self._trust = _verified_trust(self._statement(TRUST_FILE, "trust-file", missing), None)
        return self._trust

    # --- keys and certificate ------------------------------------------------------------------------------------

    def save_keys(self, keyring: OrganisationKeyring, *, passphrase: str | None = None) -> None:
        """Writes the organisation's keys.

        Raises:
            ProfileError: There are keys already; they are never overwritten.
        """
        path = self.directory / KEYS_FILE
        if path.exists():
            raise ProfileError("keys-exist", f"{path} exists; keys are never overwritten")
        try:
            keyring.save(path, passphrase=passphrase)
        except KeyringError as error:
            raise ProfileError("unwritable", str(error)) from error
        self._keys, self._passphrase = keyring, passphrase

    @property
    def keys(self) -> OrganisationKeyring:
        """The organisation's keys, read once.

        Raises:
            ProfileError: There are none, others may read them, or the passphrase is missing or wrong.
        """
        if self._keys is None:
            path = self.directory / KEYS_FILE
            if not path.exists():
                raise ProfileError("no-keys", f"{self.directory} has no keys yet; make them first")
            try:
                self._keys = OrganisationKeyring.load(path, passphrase=self._passphrase)
            except KeyringError as error:
                raise ProfileError("keys-unusable", str(error)) from error
        return self._keys

    def save_certificate(self, statement: Statement, *, complete: bool = True) -> OrganisationCertificate:
        """Checks the organisation's own certificate and writes it.

        Args:
            statement: The certificate.
            complete: Whether the registry's and a keyholder's signatures must be there already.

        Raises:
            CertificateError: It does not verify, is another organisation's, or holds other keys than this profile.
        """
        certificate = self._own(statement, complete=complete)
        self._write(CERTIFICATE_FILE, statement.to_json())
        return certificate

    @property
    def certificate(self) -> OrganisationCertificate:
        """The organisation's certificate with all signatures, and with the keys of this profile."""
        missing = ProfileError("no-certificate", f"{self.directory} has no certificate yet")
        return self._own(self._statement(CERTIFICATE_FILE, "organisation-certificate", missing), complete=True)

    @property
    def certificate_statement(self) -> Statement:
        """The certificate as it stands in the file, perhaps not yet countersigned by everybody."""
        missing = ProfileError("no-certificate", f"{self.directory} has no certificate yet")
        statement = self._statement(CERTIFICATE_FILE, "organisation-certificate", missing)
        self._own(statement, complete=False)
        return statement

    def _own(self, statement: Statement, *, complete: bool) -> OrganisationCertificate:
        keys = self.keys
        try:
            found = verify_certificate(statement, self.trust, organisation=keys.organisation, complete=complete)
        except TrustError as error:
            raise CertificateError(error.code, str(error)) from error
        except CryptoError as error:
            raise CertificateError("damaged", str(error)) from error
        if found.signing_key.key_id != keys.signing.key_id or found.sealing_key != keys.sealing.public_bytes:
            raise CertificateError("other-keys", "it holds other keys than this profile: somebody exchanged them")
        return found

    # --- session -------------------------------------------------------------------------------------------------

    def save_session(self, session: StoredSession) -> None:
        """Keeps a session for the next call."""
        expires_at = session.expires_at.astimezone(UTC).isoformat()
        self._write(SESSION_FILE, {"token": session.token, "person": dict(session.person), "expires_at": expires_at})

    @property
    def session(self) -> StoredSession:
        """The session that was kept.

        Raises:
            NotLoggedInError: There is none. Whether it has ended, the registry says.
        """
        content = self._read(SESSION_FILE, NotLoggedInError())
        try:
            expires_at = datetime.fromisoformat(content["expires_at"])
            token, person = content["token"], content["person"]
            if expires_at.tzinfo is None or not isinstance(token, str) or not isinstance(person, dict):
                raise ValueError("wrong types")
        except (KeyError, TypeError, ValueError):
            raise ProfileError("damaged", f"{self.directory / SESSION_FILE} is damaged; log in again") from None
        return StoredSession(token, person, expires_at)

    def forget_session(self) -> None:
        """Removes the kept session, if there is one."""
        (self.directory / SESSION_FILE).unlink(missing_ok=True)

    # --- files ---------------------------------------------------------------------------------------------------

    def _statement(self, name: str, expected_type: str, missing: Exception) -> Statement:
        content = self._read(name, missing)
        try:
            return Statement.from_json(content, expected_type=expected_type)
        except CryptoError as error:
            raise ProfileError("damaged", f"{self.directory / name} is damaged: {error}") from error

    def _read(self, name: str, missing: Exception) -> dict[str, Any]:
        path = self.directory / name
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077:
                    raise ProfileError("readable-by-others", f"{path} must be readable by its owner alone (chmod 600)")
                content = json.loads(file.read(_MAX_FILE_BYTES))
        except FileNotFoundError:
            raise missing from None
        except OSError as error:
            raise ProfileError("unreadable", f"{path} cannot be read: {error.strerror}") from error
        except ValueError:
            raise ProfileError("damaged", f"{path} is damaged: it is not JSON") from None
        if not isinstance(content, dict):
            raise ProfileError("damaged", f"{path} is damaged: it is not a JSON object")
        return content

    def _write(self, name: str, content: object) -> None:
        path = self.directory / name
        temporary = self.directory / f".{name}.{secrets.token_hex(8)}"
        try:
            try:
                descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    json.dump(content, file, ensure_ascii=False, indent=1)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise ProfileError("unwritable", f"{path} cannot be written: {error.strerror}") from error


def _verified_trust(statement: Statement, predecessor: TrustFile | None) -> TrustFile:
    try:
        return verify_trust_file(statement, predecessor=predecessor)
    except TrustError as error:
        raise TrustFileError(error.code, str(error)) from error
    except CryptoError as error:
        raise TrustFileError("damaged", str(error)) from error


def _compact(fingerprint: str) -> str:
    return "".join(fingerprint.replace("-", " ").replace(":", " ").split()).lower()
