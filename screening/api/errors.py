"""Turns whatever is raised into problem details, and says no more in the log than its kind and where it came from."""

import traceback
from uuid import uuid4

import structlog
from flask import Flask, Response, g
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from werkzeug.exceptions import HTTPException

from screening.api.problems import MEDIA_TYPE, PROBLEM_TYPES, ProblemError, slug_for_status
from screening.evaluator import EvaluatorError
from screening.registry.errors import RegistryError, translate_database_error

_log = structlog.get_logger("screening.api")


def register_error_handlers(app: Flask) -> None:
    """Answers every error of an application with problem details.

    Args:
        app: The application.
    """
    app.register_error_handler(Exception, answer_error)


def answer_error(error: Exception) -> Response:
    """The response to an error.

    Args:
        error: Whatever was raised.
    """
    problem = to_problem(error)
    if problem.kind.slug == "internal":
        _log.error("failure", request_id=g.get("request_id"), error=type(error).__name__, at=_where(error))
    g.problem = problem.kind.slug
    response = Response(
        problem.body(g.get("request_id") or str(uuid4())), problem.kind.status, problem.headers, mimetype=MEDIA_TYPE
    )
    if problem.kind.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def to_problem(error: Exception) -> ProblemError:
    """The problem that an error is to the caller.

    Args:
        error: Whatever was raised.
    """
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, RegistryError):
        return _of_registry(error)
    if isinstance(error, EvaluatorError):
        return ProblemError(error.type, error.detail, headers=error.headers)
    if isinstance(error, HTTPException):
        return _of_http(error)
    if isinstance(error, DBAPIError):
        return _of_registry(translate_database_error(error))
    if isinstance(error, SQLAlchemyError):  # such as a pool without a free connection
        return ProblemError("unavailable", headers={"Retry-After": "1"})
    return ProblemError("internal")


def _of_registry(error: RegistryError) -> ProblemError:
    retry_after = getattr(error, "retry_after", None)
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return ProblemError(error.slug, error.detail, errors=error.errors or None, headers=headers)


def _of_http(error: HTTPException) -> ProblemError:
    slug = slug_for_status(error.code or 500)
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    return ProblemError(slug, PROBLEM_TYPES[slug].advice, headers=headers)


def _where(error: Exception) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
