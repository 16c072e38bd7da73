"""`RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers): what is left of a day's budgets."""

from screening.registry.budgets import Budget

DAY_SECONDS = 86_400


def headers_of(**budgets: Budget) -> dict[str, str]:
    """The headers for budgets that were just charged.

    Args:
        budgets: By the name of their policy.

    Returns:
        Both headers; a budget refills evenly over a day, so `t` is when it would be full again.
    """
    policies = [f'"{name}";q={budget.capacity};w={DAY_SECONDS}' for name, budget in budgets.items()]
    states = [f'"{name}";r={budget.remaining};t={_seconds_to_full(budget)}' for name, budget in budgets.items()]
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(states)}


def _seconds_to_full(budget: Budget) -> int:
    return -(-(budget.capacity - budget.remaining) * DAY_SECONDS // budget.capacity)
