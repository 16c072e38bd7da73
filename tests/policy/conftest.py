"""Fixtures of the sweeps over the policy table."""

from tests.api.fixtures import api, world, world_templates

__all__ = ["api", "world", "world_templates"]
