"""Records, their versions, and the tokens that are looked up."""

import sqlalchemy as sa
from alembic import op

from screening.registry.migrations.columns import TIME, UUID, column, fk, pk, unique, words

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WORD = sa.String(24)


def upgrade() -> None:
    op.create_table(
        "records",
        column("id", UUID),
        column("reference", sa.String(20)),
        column("organisation_id", UUID),
        column("state", WORD),
        column("category", WORD, comment="of the version that matches"),
        column("basis", WORD),
        column("review_on", sa.Date(), null=True),
        column("expires_on", sa.Date()),
        column("number", sa.Integer(), comment="of the latest version"),
        column("approved_number", sa.Integer(), null=True, comment="of the version that matches, or matched last"),
        column("revision", sa.Integer(), comment="grows with every change; the ETag"),
        column("withdrawal", sa.Text(), null=True),
        column("created_at", TIME),
        column("updated_at", TIME),
        pk("records", "id"),
        unique("records", "organisation_id", "reference"),
        fk("records", "organisation_id", "organisations"),
        words(
            "records",
            "state",
            "draft",
            "submitted",
            "active",
            "disputed",
            "under_appeal",
            "suspended",
            "withdrawn",
            "expired",
        ),
        words("records", "category", "SH", "SEA"),
        words("records", "basis", "determination", "pending"),
    )
    op.create_index("ix_records_organisation_id", "records", ["organisation_id"])
    op.create_index("ix_records_state_review_on", "records", ["state", "review_on"])
    op.create_index("ix_records_state_expires_on", "records", ["state", "expires_on"])
    op.create_table(
        "record_versions",
        column("record_id", UUID),
        column("number", sa.Integer()),
        column("state", WORD),
        column("statement", sa.Text()),
        column("certificate_serial", sa.Integer()),
        column("entries", sa.LargeBinary(), null=True, comment="18 bytes each; gone with the record"),
        column("dossier", sa.Text(), null=True, comment="sealed; gone with the record"),
        column("drafted_by", UUID),
        column("drafted_at", TIME),
        column("submitted_by", UUID, null=True),
        column("submitted_at", TIME, null=True),
        column("approved_by", UUID, null=True),
        column("approved_at", TIME, null=True),
        column("approval", sa.Text(), null=True),
        column("return_note", sa.LargeBinary(), null=True, comment="sealed to the organisation"),
        pk("record_versions", "record_id", "number"),
        fk("record_versions", "record_id", "records"),
        fk("record_versions", "drafted_by", "people"),
        fk("record_versions", "submitted_by", "people"),
        fk("record_versions", "approved_by", "people"),
        words("record_versions", "state", "draft", "submitted", "approved", "superseded"),
    )
    op.create_table(
        "tokens",
        column("token", sa.LargeBinary(16)),
        column("record_id", UUID),
        column("rule", sa.SmallInteger()),
        column("name", sa.SmallInteger(), comment="255: none"),
        pk("tokens", "token", "record_id", "rule", "name"),
        fk("tokens", "record_id", "records"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("tokens")
    op.drop_table("record_versions")
    op.drop_table("records")
