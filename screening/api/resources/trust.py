"""The trust file in force."""

from screening.api import answers
from screening.api.operations import Answer, Blueprint, Call

blueprint = Blueprint("trust", __name__, url_prefix="/v1", description="The trust file in force.")


@blueprint.operation("/trust", "GET", answer=answers.Trust)
def show(call: Call) -> Answer:
    """Show the trust file in force. Nothing in it is to be trusted because it came from here: compare and pin it."""
    trust = call.unit.registry.required_trust
    return Answer({"trust": trust.statement.to_json(), "fingerprint": trust.fingerprint})
