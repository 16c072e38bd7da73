"""Alembic's revisions of the registry's database, run through `screening.registry.database`."""
