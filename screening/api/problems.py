"""Every error the API can give: RFC 9457 problem details with a stable, relative `type`.

A problem never repeats what was submitted: its text comes from `PROBLEM_TYPES` or from a service that writes fixed
sentences, and its `errors` name fields of our own schemas only.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of error.

    Args:
        slug: Its stable name; the `type` of the answer is `/problems/<slug>`.
        status: The HTTP status it comes with.
        title: What happened, the same for each occurrence.
        advice: What the caller can do about it; shown on the problem's page and as the default `detail`.
    """

    slug: str
    status: int
    title: str
    advice: str


_TYPES = (
    ProblemType(
        "malformed-request",
        400,
        "The request could not be read",
        "Send well-formed HTTP with a body of strict JSON in UTF-8: no duplicate keys, no NaN, no NUL, little nesting.",
    ),
    ProblemType(
        "validation-failed", 422, "The request does not fit its schema", "See `errors` for each field that must change."
    ),
    ProblemType("unauthenticated", 401, "Not authenticated", "Log in, and send the token as a bearer token."),
    ProblemType("session-ended", 401, "The session has ended", "Log in again."),
    ProblemType("forbidden", 403, "This is not among what your roles allow", "Ask somebody whose role allows it."),
    ProblemType("not-found", 404, "There is no such thing here", "Check the address and the identifier."),
    ProblemType("method-not-allowed", 405, "This address does not take that method", "See the `Allow` header."),
    ProblemType("conflict", 409, "This collides with what is there already", "Read the current state and decide anew."),
    ProblemType(
        "precondition-failed", 412, "It has changed since you read it", "Read it again and repeat with the new `ETag`."
    ),
    ProblemType(
        "precondition-required", 428, "An If-Match header is needed", "Send the `ETag` you last read as `If-Match`."
    ),
    ProblemType("too-large", 413, "The request is too large", "Send fewer or smaller things at once."),
    ProblemType(
        "unsupported-media-type", 415, "The body must be JSON", "Send `Content-Type: application/json`, not encoded."
    ),
    ProblemType(
        "idempotency-key-missing",
        400,
        "An Idempotency-Key header is needed",
        "Send one key of 1 to 128 letters, digits, '-' or '_' for each act, and the same key when repeating it.",
    ),
    ProblemType(
        "idempotency-conflict",
        422,
        "This Idempotency-Key was used for something else",
        "Use a new key for a new act; repeat an act with exactly the same content.",
    ),
    ProblemType(
        "budget-spent", 429, "The budget is spent", "Wait for the time in `Retry-After`, or ask the registrar."
    ),
    ProblemType("rate-limited", 429, "Too many attempts", "Wait for the time in `Retry-After`."),
    ProblemType(
        "unavailable", 503, "The registry cannot answer now", "Nothing was changed. Repeat the request a little later."
    ),
    ProblemType(
        "storage-full",
        503,
        "The registry has no room left to write",
        "Nothing was changed. The operator must free space; repeat the request then.",
    ),
    ProblemType(
        "internal", 500, "Something went wrong here", "Nothing was changed. Report the request id in `instance`."
    ),
    ProblemType(
        "wrong-protocol", 400, "This protocol version is not spoken here", "Use the protocol that the registry names."
    ),
    ProblemType("wrong-registry", 409, "This is another registry", "Check which registry the trust file belongs to."),
    ProblemType("wrong-evaluator", 409, "The request is for another evaluator", "Send it to the evaluator it names."),
    ProblemType("wrong-epoch", 409, "Another key epoch is in use", "Take the current trust file and derive again."),
    ProblemType("wrong-scheme", 409, "Another matching scheme is in use", "Update the client to the current scheme."),
    ProblemType("wrong-suite", 400, "Another cipher suite is in use", "Use the suite that the trust file names."),
    ProblemType(
        "unknown-organisation", 403, "The organisation or its key is not known here", "It must be admitted first."
    ),
    ProblemType("organisation-suspended", 403, "The organisation is suspended", "Ask the registrar."),
    ProblemType(
        "signature-invalid", 403, "A signature does not verify", "Sign with the key in the organisation's certificate."
    ),
    ProblemType(
        "stale-request", 400, "The request's time is too far from now", "Set the clock right, sign again, and repeat."
    ),
    ProblemType("batch-size", 422, "The batch is too small or too large", "Keep to the numbers in the documentation."),
    ProblemType(
        "invalid-element", 422, "An element is not a valid group element", "Send 32-byte ristretto255 encodings only."
    ),
    ProblemType("batch-conflict", 409, "This batch id was used with other content", "Use a new id for a new batch."),
    ProblemType(
        "record-quality",
        422,
        "The details could not give a strong match",
        "Add what identifies the person: two names with a full birth date, or a document with something else.",
    ),
    ProblemType(
        "own-submission", 403, "Nobody approves their own submission", "Ask another entity admin of the organisation."
    ),
    ProblemType("state-conflict", 409, "Its state does not allow this", "Read the current state and decide anew."),
    ProblemType(
        "statement-invalid", 422, "A signed statement is not acceptable", "Build and sign the statement as documented."
    ),
    ProblemType(
        "password-refused",
        422,
        "This password is not acceptable",
        "Use 15 characters or more that are not in common use.",
    ),
    ProblemType(
        "invitation-invalid",
        410,
        "This invitation is not valid",
        "Ask for a new one: each can be used once, for a time.",
    ),
    ProblemType(
        "policy-out-of-bounds", 422, "The value is outside the policy's bounds", "Keep to the bounds that are shown."
    ),
)

PROBLEM_TYPES: Mapping[str, ProblemType] = {kind.slug: kind for kind in _TYPES}
"""Every problem type by slug."""

_BY_STATUS = {
    401: "unauthenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    412: "precondition-failed",
    413: "too-large",
    415: "unsupported-media-type",
    428: "precondition-required",
    429: "rate-limited",
    503: "unavailable",
}


class ProblemError(Exception):
    """Ends a request with a problem.

    Args:
        slug: One of `PROBLEM_TYPES`.
        detail: A fixed sentence about this occurrence, without anything submitted; the type's advice if absent.
        errors: Messages by field, for `validation-failed`.
        headers: Further response headers.
    """

    def __init__(
        self,
        slug: str,
        detail: str | None = None,
        *,
        errors: Mapping[str, Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(slug)
        self.kind = PROBLEM_TYPES[slug]
        self.detail = detail or self.kind.advice
        self.errors = errors
        self.headers = dict(headers or {})

    def body(self, request_id: str) -> bytes:
        """The problem details as JSON.

        Args:
            request_id: Id of the request (a UUID); becomes `instance`.
        """
        details: dict[str, object] = {
            "type": f"/problems/{self.kind.slug}",
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "instance": f"urn:uuid:{request_id}",
        }
        if self.errors is not None:
            details["errors"] = {field: list(messages) for field, messages in self.errors.items()}
        return json.dumps(details).encode()


def slug_for_status(status: int) -> str:
    """The problem type for an HTTP status that a library raised.

    Args:
        status: An HTTP status of 400 or more.
    """
    known = _BY_STATUS.get(status)
    if known is not None:
        return known
    return "malformed-request" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "internal"
