"""Runs revisions on the connection that `screening.registry.database` hands over."""

from alembic import context

from screening.registry.models import EventRow

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=EventRow.metadata,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
