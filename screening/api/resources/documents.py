"""The OpenAPI document, a page to read it in, and a page for each problem."""

from typing import Any, cast

from flask import Response, current_app, json

from screening.api import pages
from screening.api.operations import Blueprint
from screening.api.problems import PROBLEM_TYPES, ProblemError

HTML = "text/html"

blueprint = Blueprint("documents", __name__, description="The API's own documentation.")


@blueprint.plain("/v1/openapi.json", "GET", answer={"type": "object"})
def openapi() -> Response:
    """Give this API's OpenAPI document."""
    return Response(json.dumps(_spec()), mimetype="application/json")


@blueprint.plain("/v1/docs", "GET", answer={"type": "string"}, content_type=HTML)
def docs() -> Response:
    """Give this API's documentation as a page."""
    return pages.docs_page(_spec(), PROBLEM_TYPES)


@blueprint.plain("/problems/<string(maxlength=64):slug>", "GET", answer={"type": "string"}, content_type=HTML)
def problem(slug: str) -> Response:
    """Explain a problem type."""
    kind = PROBLEM_TYPES.get(slug)
    if kind is None:
        raise ProblemError("not-found")
    return pages.problem_page(kind)


def _spec() -> dict[str, Any]:
    api = current_app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    return cast("dict[str, Any]", api.spec.to_dict())
