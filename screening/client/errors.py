"""The errors of `screening.client`, grouped by who is at fault.

| class | who | what a program does |
|---|---|---|
| `InputFileError`, `ProfileError`, `NotLoggedInError` | the user or the machine | says what to change |
| `ProblemError` | a server that refused | shows `detail`; `slug` is stable |
| `UnavailableError` | a party that cannot be reached | tries again later; nothing is charged twice |
| `MisbehavedError` and its subclasses | a server, or a file, that is not what it must be | stops, and names the party |

No message holds anything that was submitted, or a secret.
"""

from collections.abc import Mapping, Sequence


class ClientError(Exception):
    """Anything that `screening.client` raises on purpose."""


class InputFileError(ClientError):
    """A file of persons that cannot be read.

    Attributes:
        code: A stable word for the reason, such as `not-utf-8`.
        row: Number of the row, the header being row 1, or None when it is about the whole file.
        column: Name of the column, or None.
    """

    def __init__(self, code: str, message: str, *, row: int | None = None, column: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.row = row
        self.column = column


class ProfileError(ClientError):
    """The profile's directory lacks something, or holds something unusable; the message says what to do.

    Attributes:
        code: A stable word for the reason: `no-profile`, `no-trust-file`, `no-certificate`, `no-keys`, `damaged`,
            `readable-by-others`, `unreadable`, `unwritable`, `keys-exist`, `keys-unusable`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NotLoggedInError(ClientError):
    """There is no session, or it has ended."""

    def __init__(self, message: str = "nobody is logged in; log in first") -> None:
        super().__init__(message)


class ProblemError(ClientError):
    """A server refused a request (RFC 9457).

    Attributes:
        slug: The stable last part of the problem's type, such as `budget-spent`.
        status: The HTTP status.
        detail: What the server says about it.
        party: Who refused: `registry` or the id of a keyholder.
        errors: For `validation-failed`: messages by field.
        retry_after: Seconds to wait before trying again, if the server said so.
    """

    def __init__(
        self,
        slug: str,
        status: int,
        detail: str,
        *,
        party: str,
        errors: Mapping[str, Sequence[str]] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(f"{party} refused: {detail} ({slug})")
        self.slug = slug
        self.status = status
        self.detail = detail
        self.party = party
        self.errors = dict(errors or {})
        self.retry_after = retry_after


class UnavailableError(ClientError):
    """A party cannot be reached, does not answer in time, or says that it cannot work at present.

    Attributes:
        party: `registry` or the id of a keyholder.
        retry_after: Seconds to wait before trying again, if the party said so.
    """

    def __init__(self, party: str, why: str = "it cannot be reached", *, retry_after: int | None = None) -> None:
        super().__init__(f"{party} is unavailable: {why}")
        self.party = party
        self.why = why
        self.retry_after = retry_after


class MisbehavedError(ClientError):
    """Something is not what the pinned trust file says that it must be.

    Attributes:
        party: Whose fault it is: `registry`, the id of a keyholder, or the kind of file.
        what: What is wrong, without anything that was submitted.
    """

    def __init__(self, party: str, what: str) -> None:
        super().__init__(f"{party}: {what}")
        self.party = party
        self.what = what


class EvaluatorMisbehavedError(MisbehavedError):
    """An evaluator gave an answer that must not be used.

    Attributes:
        evaluator: `registry` or the id of a keyholder.
    """

    def __init__(self, evaluator: str, what: str) -> None:
        super().__init__(evaluator, what)
        self.evaluator = evaluator


class RegistryMisbehavedError(MisbehavedError):
    """The registry gave an answer that does not fit what was asked, what is signed, or what it answered before."""

    def __init__(self, what: str) -> None:
        super().__init__("registry", what)


class TrustFileError(MisbehavedError):
    """A trust file that must not be trusted.

    Attributes:
        code: A stable word for the reason, such as `fingerprint-differs`.
    """

    def __init__(self, code: str, what: str) -> None:
        super().__init__("trust file", what)
        self.code = code


class CertificateError(MisbehavedError):
    """An organisation's certificate that must not be used.

    Attributes:
        code: A stable word for the reason, such as `other-organisation`.
    """

    def __init__(self, code: str, what: str) -> None:
        super().__init__("organisation certificate", what)
        self.code = code


class RecordSignatureError(MisbehavedError):
    """A record, version, approval or withdrawal that its owner did not sign as the registry gave it.

    Attributes:
        record: The record's id.
        code: A stable word for the reason, such as `version-unsigned`.
    """

    def __init__(self, record: str, code: str, what: str) -> None:
        super().__init__(f"record {record}", what)
        self.record = record
        self.code = code
