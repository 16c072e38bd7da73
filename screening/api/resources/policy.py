"""Policy: bounded numbers that the registrar may change."""

from typing import Any

from screening.api import answers, schemas
from screening.api.operations import Answer, Blueprint, Call
from screening.api.resources import shapes
from screening.registry import policy
from screening.registry.policy import PolicyInForce

blueprint = Blueprint("policy", __name__, url_prefix="/v1", description="Bounded numbers that a registrar may change.")


@blueprint.operation("/policy", "GET", answer=answers.Policies)
def list(call: Call) -> Answer:
    """List every policy with its value and bounds."""
    return Answer({"policy": [_shape(one) for one in policy.list_policies(call.unit)]})


@blueprint.operation("/policy/<string(maxlength=64):name>", "PUT", body=schemas.PolicyValue, answer=answers.PolicyAct)
def change(call: Call, *, name: str) -> Answer:
    """Give a policy another value within its bounds."""
    changed, promise = policy.change_policy(call.unit, name, call.body["value"])
    return Answer(shapes.act(promise, policy=_shape(changed)))


def _shape(one: PolicyInForce) -> dict[str, Any]:
    return {
        "name": one.policy.name,
        "value": one.value,
        "default": one.policy.default,
        "minimum": one.policy.minimum,
        "maximum": one.policy.maximum,
        "unit": one.policy.unit,
        "description": one.policy.sentence,
        "changed_at": shapes.time(one.changed_at),
    }
