"""What the registry refuses, and why. Each class carries the slug of its problem type (`/problems/<slug>`).

No message and no field error repeats what was submitted. An error leaves the database as it was, except a
`RecordedRefusalError`: what was written before it, its event, stays.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError


class RegistryError(Exception):
    """Anything that the registry refuses.

    Args:
        detail: What went wrong, for a person; the class's own sentence when left out.
        errors: For input with several fields: field to messages.
    """

    slug: ClassVar[str]
    sentence: ClassVar[str]

    def __init__(self, detail: str | None = None, *, errors: Mapping[str, Sequence[str]] | None = None) -> None:
        self.detail = detail or self.sentence
        self.errors = {name: list(messages) for name, messages in (errors or {}).items()}
        super().__init__(self.detail)


class RecordedRefusalError(RegistryError):
    """A refusal that is itself an act: the unit keeps what was written before it was raised."""


class RetryableError(RegistryError):
    """A refusal that ends by itself.

    Args:
        retry_after: Whole seconds after which to try again.
    """

    def __init__(self, detail: str | None = None, *, retry_after: int = 1) -> None:
        super().__init__(detail)
        self.retry_after = max(1, retry_after)


class ValidationFailedError(RegistryError):
    """Input whose form is right and whose content is not."""

    slug = "validation-failed"
    sentence = "Something in the request is not as it should be."


class UnauthenticatedError(RegistryError):
    """No session, or one that does not exist."""

    slug = "unauthenticated"
    sentence = "Log in first."


class SessionEndedError(UnauthenticatedError):
    """A session that ended, expired, or was left idle."""

    slug = "session-ended"
    sentence = "This session has ended. Log in again."


class LogInRefusedError(RecordedRefusalError):
    """A wrong name or password, or an account that may not log in: not said which."""

    slug = "unauthenticated"
    sentence = "The e-mail address or the password is wrong, or the account cannot be used."


class LogInSuspendedError(RecordedRefusalError):
    """The right password, but of a person whose organisation is suspended."""

    slug = "organisation-suspended"
    sentence = "This organisation is suspended."


class LogInLimitedError(RecordedRefusalError):
    """Too many failed log-ins for this account name.

    Args:
        retry_after: Whole seconds after which to try again.
    """

    slug = "rate-limited"
    sentence = "Too many failed log-ins. Wait before you try again."

    def __init__(self, *, retry_after: int) -> None:
        super().__init__()
        self.retry_after = max(1, retry_after)


class ForbiddenError(RegistryError):
    """Something that this person may not do."""

    slug = "forbidden"
    sentence = "Your roles do not allow this."


class NotFoundError(RegistryError):
    """Nothing of that id that this person may know of."""

    slug = "not-found"
    sentence = "There is nothing here under that id."


class ConflictError(RegistryError):
    """Something that is there already, or changed meanwhile."""

    slug = "conflict"
    sentence = "This conflicts with what is there already."


class StateConflictError(RegistryError):
    """A step that the object's state does not allow."""

    slug = "state-conflict"
    sentence = "The state of this object does not allow that step."


class PreconditionFailedError(RegistryError):
    """The object changed since it was read."""

    slug = "precondition-failed"
    sentence = "This was changed since you read it. Read it again."


class IdempotencyConflictError(RegistryError):
    """An idempotency key that was used with another body."""

    slug = "idempotency-conflict"
    sentence = "This Idempotency-Key was used for another request."


class BudgetSpentError(RetryableError):
    """More candidates than a person or an organisation may screen in a day."""

    slug = "budget-spent"
    sentence = "The number of candidates that may be screened in a day is used up."


class OrganisationSuspendedError(RegistryError):
    """An organisation that may not act."""

    slug = "organisation-suspended"
    sentence = "This organisation is suspended."


class WrongRegistryError(RegistryError):
    """Made for another registry."""

    slug = "wrong-registry"
    sentence = "This was made for another registry."


class WrongEpochError(RegistryError):
    """Made for another epoch of the hashing key."""

    slug = "wrong-epoch"
    sentence = "This was made for another epoch of the hashing key. Update the trust file."


class WrongSchemeError(RegistryError):
    """Made with another matching scheme."""

    slug = "wrong-scheme"
    sentence = "This was made with another matching scheme. Update the software."


class StatementInvalidError(RegistryError):
    """A signed statement that does not hold, or says something that may not be said."""

    slug = "statement-invalid"
    sentence = "A signed statement is not acceptable."


class RecordQualityError(RegistryError):
    """A record whose details could never give a strong match."""

    slug = "record-quality"
    sentence = (
        "The details could never give a strong match. Add a full birth date with two name parts, or a document and "
        "one more detail."
    )


class OwnSubmissionError(RegistryError):
    """Approving one's own submission."""

    slug = "own-submission"
    sentence = "You submitted this version: another person has to approve it."


class PasswordRefusedError(RegistryError):
    """A password that may not be used."""

    slug = "password-refused"
    sentence = "This password may not be used."


class InvitationInvalidError(RegistryError):
    """A code that is unknown, used or expired."""

    slug = "invitation-invalid"
    sentence = "This invitation is unknown, used or expired. Ask for a new one."


class PolicyOutOfBoundsError(RegistryError):
    """A policy value outside its bounds."""

    slug = "policy-out-of-bounds"
    sentence = "This value is outside the policy's bounds."


class UnavailableError(RetryableError):
    """The registry cannot do this now."""

    slug = "unavailable"
    sentence = "The registry cannot do this now. Try again."


class NotReadyError(UnavailableError):
    """The registry has no trust file yet, or its database is of another version."""

    sentence = "The registry is not set up yet."


class AuditUnavailableError(UnavailableError):
    """The event could not be written, so the act was not done."""

    sentence = "The access log cannot be written, so nothing was done. Try again."


class DatabaseUnavailableError(UnavailableError):
    """The database is gone."""

    sentence = "The database cannot be reached. Try again."


class DatabaseBusyError(UnavailableError):
    """Others held the database too long."""

    sentence = "The database is busy. Try again."


class StorageFullError(RetryableError):
    """No room to write."""

    slug = "storage-full"
    sentence = "The registry has no room to store this."


class DatabaseFaultError(RegistryError):
    """The database refused something that it should not have been given: a fault of this program."""

    slug = "internal"
    sentence = "The database refused a statement."


_SQLITE_FULL = 13
_SQLITE_BUSY = frozenset({5, 6})
_POSTGRES_FULL = frozenset({"53100"})
_POSTGRES_BUSY = frozenset({"40001", "40P01", "55P03", "53300"})
_PRIMARY_CODE = 0xFF


def translate_database_error(error: DBAPIError) -> RegistryError:
    """Says what a database's error means, without its text: that may hold values.

    Args:
        error: As SQLAlchemy raised it.

    Returns:
        `StorageFullError`, `DatabaseBusyError`, `DatabaseUnavailableError`, `ConflictError` for a broken constraint,
        `DatabaseFaultError` for anything else.
    """
    original = error.orig
    sqlite_code = getattr(original, "sqlite_errorcode", None)
    sqlstate = getattr(original, "sqlstate", None)
    primary = sqlite_code & _PRIMARY_CODE if isinstance(sqlite_code, int) else None
    if primary == _SQLITE_FULL or sqlstate in _POSTGRES_FULL:
        return StorageFullError(retry_after=60)
    if primary in _SQLITE_BUSY or sqlstate in _POSTGRES_BUSY:
        return DatabaseBusyError()
    if isinstance(error, IntegrityError):
        return ConflictError()
    if isinstance(error, (OperationalError, InterfaceError)) or error.connection_invalidated:
        return DatabaseUnavailableError(retry_after=5)
    return DatabaseFaultError(f"The database refused a statement ({type(error).__name__} {sqlstate or ''}).")
