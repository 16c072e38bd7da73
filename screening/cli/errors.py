"""Which exit code and which words an error gets. Imported only when there is one."""

from collections.abc import Callable
from typing import Any, Final

from screening.cli.running import ExitCode
from screening.client.errors import (
    ClientError,
    InputFileError,
    MisbehavedError,
    NotLoggedInError,
    ProblemError,
    ProfileError,
    UnavailableError,
)
from screening.crypto.errors import CryptoError, KeyringError, SignatureError, TrustError
from screening.identity import IdentityError

Explained = tuple[ExitCode, str, str, dict[str, Any]]

ADVICE: Final = {
    "no-trust-file": "Pin it: screening trust pin FILE --fingerprint ...",
    "no-keys": "Make them: screening org init ...",
    "no-certificate": "Get it from the registry: screening org install",
}


def explain(error: Exception) -> Explained:
    """Exit code, stable code, message and further fields for an error.

    An error that nobody expected is named by its type alone: its text could hold something that was submitted.
    """
    for kinds, explained in _EXPLANATIONS:
        if isinstance(error, kinds):
            return explained(error)
    service = _of_services(error)
    if service is not None:
        return service
    return ExitCode.UNEXPECTED, "unexpected", f"something unexpected happened ({type(error).__name__})", {}


def _input_file(error: Any) -> Explained:
    place = f"row {error.row}: " if error.row else ""
    return ExitCode.BAD_INPUT, error.code, f"{place}{error}", {"row": error.row, "column": error.column}


def _identity(error: Any) -> Explained:
    return ExitCode.BAD_INPUT, error.code, str(error), {"field": error.field}


def _profile(error: Any) -> Explained:
    advice = ADVICE.get(error.code)
    return ExitCode.BAD_INPUT, error.code, f"{error}. {advice}" if advice else str(error), {}


def _not_logged_in(error: Any) -> Explained:
    return ExitCode.NOT_LOGGED_IN, "not-logged-in", f"{error} (screening login --email ...)", {}


def _problem(error: Any) -> Explained:
    more: dict[str, Any] = {"status": error.status, "party": error.party}
    if error.errors:
        more["errors"] = {field: list(messages) for field, messages in error.errors.items()}
    if error.retry_after is not None:
        more["retry_after"] = error.retry_after
    wait = f" Try again in {error.retry_after} s." if error.retry_after else ""
    return ExitCode.REFUSED, error.slug, f"{error}.{wait}".replace("..", "."), more


def _unavailable(error: Any) -> Explained:
    more = {"party": error.party, "retry_after": error.retry_after}
    return ExitCode.UNAVAILABLE, "unavailable", f"{error}. Try again later; nothing is charged twice.", more


def _misbehaved(error: Any) -> Explained:
    code = getattr(error, "code", "misbehaved")
    message = f"{error}. Do not go on; ask the registry's and the keyholders' operators."
    return ExitCode.MISBEHAVIOUR, code, message, {"party": error.party}


def _crypto(error: Any) -> Explained:
    misbehaviour = isinstance(error, TrustError | SignatureError)
    code = getattr(error, "code", type(error).__name__.removesuffix("Error").lower())
    return ExitCode.MISBEHAVIOUR if misbehaviour else ExitCode.BAD_INPUT, code, str(error), {}


def _client(error: Any) -> Explained:
    return ExitCode.BAD_INPUT, getattr(error, "code", "bad-input"), str(error), {}


_EXPLANATIONS: Final[tuple[tuple[type[Exception], Callable[[Any], Explained]], ...]] = (
    (InputFileError, _input_file),
    (IdentityError, _identity),
    (ProfileError, _profile),
    (NotLoggedInError, _not_logged_in),
    (ProblemError, _problem),
    (UnavailableError, _unavailable),
    (MisbehavedError, _misbehaved),
    (KeyringError, _crypto),
    (CryptoError, _crypto),
    (ClientError, _client),
)


def _of_services(error: Exception) -> Explained | None:
    """Errors of the registry and the keyholder, which only the commands that run them can raise."""
    import sys

    for module, name in (
        ("screening.registry.errors", "RegistryError"),
        ("screening.evaluator.keyholder", "KeyholderError"),
        ("screening.api.settings", "SettingsError"),
    ):
        loaded = sys.modules.get(module)
        if loaded is not None and isinstance(error, getattr(loaded, name)):
            more = {"errors": error.errors} if getattr(error, "errors", None) else {}
            code = ExitCode.UNAVAILABLE if hasattr(error, "retry_after") else ExitCode.BAD_INPUT
            return code, getattr(error, "slug", "bad-input"), str(error), more
    return None
