"""A filled registry on a fresh copy of a database of each kind."""

from collections.abc import Iterator

import pytest

from tests.databases import Databases, Kind
from tests.factories import World


@pytest.fixture(scope="session")
def templates() -> dict[Kind, World]:
    """Filled registries, made when first needed and copied for every test."""
    return {}


@pytest.fixture
def world(
    templates: dict[Kind, World], session_databases: Databases, databases: Databases, database_kind: Kind
) -> Iterator[World]:
    if database_kind not in templates:
        templates[database_kind] = World.create(session_databases.fresh(database_kind))
    template = templates[database_kind]
    world = template.at(databases.clone(database_kind, template.url))
    yield world
    world.close()
