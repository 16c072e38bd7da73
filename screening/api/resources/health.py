"""Whether the process lives, and whether it can work."""

from flask import Response, jsonify

from screening.api import answers
from screening.api.operations import Blueprint
from screening.api.runtime import current_registry

blueprint = Blueprint("health", __name__, description="State of the service.")


@blueprint.plain("/livez", "GET", answer=answers.Health)
def livez() -> Response:
    """Say that the process answers."""
    return jsonify({"status": "live"})


@blueprint.plain("/readyz", "GET", answer=answers.Health)
def readyz() -> Response:
    """Say that the registry can work.

    The database is reachable and at this program's version, and a trust file is published; otherwise `unavailable`.
    """
    current_registry().check_ready()
    return jsonify({"status": "ready"})
