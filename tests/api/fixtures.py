"""A registry's application on a fresh copy of a filled database, of each kind in turn."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.harness import Api
from tests.databases import Databases, Kind
from tests.factories import World


@pytest.fixture(scope="session")
def world_templates(session_databases: Databases) -> dict[Kind, World]:
    """A filled world for each kind of database, made when first needed."""
    return {}


@pytest.fixture
def world(
    world_templates: dict[Kind, World], session_databases: Databases, databases: Databases, database_kind: Kind
) -> Iterator[World]:
    """A world of its own."""
    if database_kind not in world_templates:
        world_templates[database_kind] = World.create(session_databases.fresh(database_kind))
    template = world_templates[database_kind]
    made = template.at(databases.clone(database_kind, template.url))
    yield made
    made.close()


@pytest.fixture
def api(world: World, tmp_path: Path) -> Iterator[Api]:
    """An application that serves the world."""
    made = Api.over(world, tmp_path)
    yield made
    made.close()
