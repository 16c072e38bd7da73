"""`POST /v1/evaluations` as a Flask blueprint: the registry mounts it, and a keyholder serves little else."""

from typing import Any

from flask import Blueprint, Response, json, jsonify, request

from screening.evaluator.errors import EvaluatorError
from screening.evaluator.service import MAX_BODY_BYTES, Evaluator


def problem_response(problem: dict[str, Any], headers: dict[str, str]) -> Response:
    """Writes a problem document (RFC 9457)."""
    return Response(json.dumps(problem), problem["status"], headers, mimetype="application/problem+json")


def blueprint(evaluator: Evaluator) -> Blueprint:
    """Makes the blueprint; its one endpoint is `evaluation.evaluate`."""
    views = Blueprint("evaluation", __name__)

    @views.post("/v1/evaluations")
    def evaluate() -> Response:
        return jsonify(evaluator.handle(request.stream.read(MAX_BODY_BYTES + 1)))

    @views.errorhandler(EvaluatorError)
    def refuse(error: EvaluatorError) -> Response:
        return problem_response(error.problem(), error.headers)

    return views
