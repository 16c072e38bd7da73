"""Screenings, what they hit, and their budgets."""

import sqlalchemy as sa
from alembic import op

from screening.registry.migrations.columns import TIME, UUID, column, fk, pk, unique, words

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WORD = sa.String(24)


def upgrade() -> None:
    op.create_table(
        "screenings",
        column("id", UUID),
        column("reference", sa.String(20)),
        column("organisation_id", UUID),
        column("person_id", UUID),
        column("candidate", UUID, comment="the asking organisation's own id of the candidate"),
        column("purpose", WORD),
        column("lawful_basis", WORD),
        column("vacancy", sa.String(64)),
        column("categories", sa.Text()),
        column("epoch", sa.Integer()),
        column("outcome", WORD),
        column("grade", WORD, null=True),
        column("covered", sa.Integer(), comment="number of organisations whose records were searched"),
        column("self_token", sa.LargeBinary(16), comment="recognises the asker's own candidate"),
        column("note", sa.LargeBinary(), comment="sealed to the asking organisation"),
        column("event_id", UUID),
        column("openings", sa.Text(), comment="of the event's commitments"),
        column("created_at", TIME),
        pk("screenings", "id"),
        unique("screenings", "organisation_id", "reference"),
        fk("screenings", "organisation_id", "organisations"),
        fk("screenings", "person_id", "people"),
        words("screenings", "purpose", "recruitment", "volunteer", "contract", "deployment"),
        words("screenings", "lawful_basis", "notice", "consent"),
        words("screenings", "outcome", "no_record", "possible", "insufficient"),
        words("screenings", "grade", "strong", "likely", "possible"),
    )
    op.create_index("ix_screenings_organisation_id_id", "screenings", ["organisation_id", "id"])
    op.create_index("ix_screenings_organisation_id_self_token", "screenings", ["organisation_id", "self_token"])
    op.create_table(
        "screening_hits",
        column("screening_id", UUID),
        column("record_id", UUID),
        column("number", sa.Integer(), comment="of the record's version that matched"),
        column("grade", WORD),
        column("category", WORD),
        pk("screening_hits", "screening_id", "record_id"),
        fk("screening_hits", "screening_id", "screenings"),
        fk("screening_hits", "record_id", "records"),
        words("screening_hits", "grade", "strong", "likely", "possible"),
        words("screening_hits", "category", "SH", "SEA"),
    )
    op.create_index("ix_screening_hits_record_id", "screening_hits", ["record_id"])
    op.create_table(
        "screening_buckets",
        column("name", sa.String(60)),
        column("level", sa.Float(53)),
        column("updated_at", TIME),
        pk("screening_buckets", "name"),
    )


def downgrade() -> None:
    op.drop_table("screening_buckets")
    op.drop_table("screening_hits")
    op.drop_table("screenings")
