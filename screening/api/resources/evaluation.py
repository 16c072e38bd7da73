"""The registry's own evaluator."""

from typing import Any

from flask import Response, json, request

from screening.api import answers
from screening.api.openapi import EVALUATION_REQUEST
from screening.api.operations import Blueprint
from screening.api.problems import ProblemError
from screening.api.runtime import current_registry
from screening.evaluator.service import MAX_BODY_BYTES

blueprint = Blueprint(
    "evaluation", __name__, url_prefix="/v1", description="Blinded elements, evaluated with the registry's share."
)


@blueprint.plain("/evaluations", "POST", answer=answers.Evaluation, body=EVALUATION_REQUEST)
def evaluate() -> Response:
    """Evaluate a batch of blinded elements that an enrolled organisation signed.

    The same batch gives the same elements again without charge; with other content its id is refused.
    """
    request.max_content_length = MAX_BODY_BYTES
    if request.mimetype != "application/json" or "Content-Encoding" in request.headers:
        raise ProblemError("unsupported-media-type")
    answer: dict[str, Any] = current_registry().evaluator().handle(request.get_data(cache=False))
    return Response(json.dumps(answer), mimetype="application/json")
