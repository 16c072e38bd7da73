"""Organisations, people, sessions, policy, trust files, events, and answers kept to be given again."""

import sqlalchemy as sa
from alembic import op

from screening.registry.migrations.columns import TIME, UUID, column, fk, pk, unique, words

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WORD = sa.String(24)


def upgrade() -> None:
    _organisations()
    _people()
    _service()


def downgrade() -> None:
    for table in (
        "idempotency_keys",
        "policy_values",
        "trust_files",
        "events",
        "login_failures",
        "sessions",
        "invitations",
        "people",
        "certificates",
        "organisations",
    ):
        op.drop_table(table)


def _organisations() -> None:
    op.create_table(
        "organisations",
        column("id", UUID),
        column("kind", WORD),
        column("name", sa.String(200)),
        column("contact", sa.String(400), comment="shown to whoever gets a match with its records"),
        column("state", WORD),
        column("certificate_serial", sa.Integer(), null=True),
        column("created_at", TIME),
        pk("organisations", "id"),
        unique("organisations", "name"),
        words("organisations", "kind", "operator", "member"),
        words("organisations", "state", "active", "suspended"),
    )
    one_operator = sa.text("kind = 'operator'")
    op.create_index(
        "uq_organisations_operator",
        "organisations",
        ["kind"],
        unique=True,
        sqlite_where=one_operator,
        postgresql_where=one_operator,
    )
    op.create_table(
        "certificates",
        column("organisation_id", UUID),
        column("serial", sa.Integer()),
        column("statement", sa.Text()),
        column("fingerprint", sa.String(64)),
        column("signing_key", sa.LargeBinary(32)),
        column("signing_key_id", sa.String(32)),
        column("sealing_key_id", sa.String(32)),
        column("recovery_key_id", sa.String(32)),
        column("created_at", TIME),
        pk("certificates", "organisation_id", "serial"),
        fk("certificates", "organisation_id", "organisations"),
    )


def _people() -> None:
    op.create_table(
        "people",
        column("id", UUID),
        column("organisation_id", UUID),
        column("email", sa.String(254), comment="normalised; the name of the account"),
        column("name", sa.String(200)),
        column("state", WORD),
        column("roles", sa.Text()),
        column("password_hash", sa.String(200), null=True, comment="Argon2id with its parameters"),
        column("created_at", TIME),
        pk("people", "id"),
        unique("people", "email"),
        fk("people", "organisation_id", "organisations"),
        words("people", "state", "invited", "active", "suspended"),
    )
    op.create_index("ix_people_organisation_id", "people", ["organisation_id"])
    op.create_table(
        "invitations",
        column("person_id", UUID),
        column("code_hash", sa.LargeBinary(32), comment="SHA-256; the code itself is kept nowhere"),
        column("expires_at", TIME),
        column("created_at", TIME),
        pk("invitations", "person_id"),
        unique("invitations", "code_hash"),
        fk("invitations", "person_id", "people"),
    )
    op.create_table(
        "sessions",
        column("id", UUID),
        column("person_id", UUID),
        column("token_hash", sa.LargeBinary(32), comment="SHA-256; the token itself is kept nowhere"),
        column("created_at", TIME),
        column("last_used_at", TIME),
        column("expires_at", TIME),
        column("ended_at", TIME, null=True),
        pk("sessions", "id"),
        unique("sessions", "token_hash"),
        fk("sessions", "person_id", "people"),
    )
    op.create_index("ix_sessions_person_id", "sessions", ["person_id"])
    op.create_table(
        "login_failures",
        column("account", sa.LargeBinary(32), comment="SHA-256 of the name given"),
        column("failures", sa.Integer()),
        column("first_at", TIME),
        pk("login_failures", "account"),
    )


def _service() -> None:
    op.create_table(
        "events",
        column("id", UUID),
        column("seq", sa.BigInteger(), null=True, comment="place in the log; NULL until the sequencer gives it"),
        column("tag", sa.String(64)),
        column("organisation_id", UUID, null=True),
        column("actor", UUID, null=True),
        column("object", sa.String(64), null=True),
        column("time", TIME),
        column("body", sa.LargeBinary()),
        column("leaf_hash", sa.LargeBinary(32)),
        pk("events", "id"),
        unique("events", "seq"),
    )
    op.create_index("ix_events_organisation_id_id", "events", ["organisation_id", "id"])
    op.create_table(
        "trust_files",
        column("serial", sa.Integer()),
        column("statement", sa.Text()),
        column("fingerprint", sa.String(64)),
        column("published_at", TIME),
        pk("trust_files", "serial"),
    )
    op.create_table(
        "policy_values",
        column("name", sa.String(64)),
        column("value", sa.Integer()),
        column("changed_at", TIME),
        column("changed_by", UUID),
        pk("policy_values", "name"),
        fk("policy_values", "changed_by", "people"),
    )
    op.create_table(
        "idempotency_keys",
        column("person_id", UUID),
        column("endpoint", sa.String(64)),
        column("key", sa.String(128)),
        column("body_digest", sa.LargeBinary(32)),
        column("status", sa.Integer(), null=True),
        column("answer", sa.Text(), null=True),
        column("created_at", TIME),
        pk("idempotency_keys", "person_id", "endpoint", "key"),
        fk("idempotency_keys", "person_id", "people"),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])
