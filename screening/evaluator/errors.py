"""Why an evaluator refuses, as problem documents (RFC 9457). Nothing that was submitted is repeated."""

from typing import Any

REFUSALS = {
    "too-large": (413, "The request is too large"),
    "malformed-request": (400, "The request is not a well-formed statement"),
    "wrong-protocol": (400, "Another protocol version is spoken here"),
    "wrong-registry": (409, "The request is for another registry"),
    "wrong-evaluator": (409, "The request is for another evaluator"),
    "wrong-epoch": (409, "Another epoch of the hashing key is in use"),
    "wrong-scheme": (409, "Another version of the matching scheme is in use"),
    "wrong-suite": (400, "Another cipher suite is in use"),
    "unknown-organisation": (403, "The organisation or its key is not enrolled here"),
    "organisation-suspended": (403, "The organisation is suspended here"),
    "signature-invalid": (403, "The signature does not verify"),
    "stale-request": (400, "The request's time is too far from the present"),
    "batch-size": (422, "The number of candidates or elements is not allowed"),
    "invalid-element": (422, "An element is not a valid one"),
    "batch-conflict": (409, "The batch's id was used with another content"),
    "budget-spent": (429, "The budget is spent"),
    "storage-full": (503, "There is no room to store anything"),
    "unavailable": (503, "The service cannot work at present"),
}
"""Status and title, by the stable last part of the problem's type."""


class EvaluatorError(Exception):
    """A refusal, after which nothing was charged and nothing recorded.

    Attributes:
        type: A key of `REFUSALS`.
        status, title: What belongs to it.
        detail: What is wrong with this request.
        headers: `Retry-After`, where trying again later makes sense.
    """

    def __init__(self, slug: str, detail: str, *, retry_after: int | None = None) -> None:
        super().__init__(f"{slug}: {detail}")
        self.type, self.detail = slug, detail
        self.status, self.title = REFUSALS[slug]
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}

    def problem(self) -> dict[str, Any]:
        """Gives the problem document."""
        return {"type": f"/problems/{self.type}", "title": self.title, "status": self.status, "detail": self.detail}
