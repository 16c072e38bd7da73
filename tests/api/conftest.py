"""Fixtures of the API's tests."""

from tests.api.fixtures import api, world, world_templates

__all__ = ["api", "world", "world_templates"]
