"""What the registry's own evaluator keeps: batches that were charged, and budgets."""

import sqlalchemy as sa
from alembic import op

from screening.registry.migrations.columns import TIME, column, pk

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "evaluation_batches",
        column("organisation", sa.Uuid(as_uuid=False)),
        column("batch", sa.Uuid(as_uuid=False)),
        column("digest", sa.LargeBinary(32), comment="SHA-256 of the canonical body without its time"),
        column("purpose", sa.String(16)),
        column("candidates", sa.Integer()),
        column("elements", sa.Integer()),
        column("created_at", TIME),
        pk("evaluation_batches", "organisation", "batch"),
    )
    op.create_table(
        "evaluation_buckets",
        column("name", sa.String(64), comment="organisation's id, or 'all'"),
        column("level", sa.Double(), comment="elements in it at updated_at"),
        column("updated_at", TIME),
        pk("evaluation_buckets", "name"),
    )


def downgrade() -> None:
    op.drop_table("evaluation_buckets")
    op.drop_table("evaluation_batches")
