"""The registry's own evaluator."""

from typing import Any

from flask import Response, json

from screening.api import answers
from screening.api.bodies import read_body, require_json
from screening.api.openapi import EVALUATION_REQUEST
from screening.api.operations import Blueprint
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
    require_json()
    answer: dict[str, Any] = current_registry().evaluator().handle(read_body(MAX_BODY_BYTES))
    return Response(json.dumps(answer), mimetype="application/json")
