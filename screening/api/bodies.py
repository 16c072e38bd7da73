"""Reading a request's body, bounded."""

from flask import request

from screening.api.problems import ProblemError


def read_body(limit: int) -> bytes:
    """The body of the current request, as it came.

    Args:
        limit: Most bytes that it may have.

    Raises:
        ProblemError: `too-large`, or `unsupported-media-type` where it is compressed.
        RequestEntityTooLarge: Its declared length is over the limit.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ProblemError("unsupported-media-type")
    request.max_content_length = limit + 1  # a body without a declared length is cut there, and not refused
    data = request.get_data()
    if len(data) > limit:
        raise ProblemError("too-large")
    return data


def require_json() -> None:
    """Refuses a current request that does not say that its body is JSON in UTF-8.

    Raises:
        ProblemError: `unsupported-media-type`.
    """
    if request.mimetype != "application/json" or request.mimetype_params.get("charset", "utf-8").lower() != "utf-8":
        raise ProblemError("unsupported-media-type")
