"""Files and mailboxes: uploads, imports and what became of their rows, calls, mails that were read.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MAY_IMPORT = "('headquarters','central','administrator')"
_MAY_EXPORT = "('headquarters','central','administrator','manager')"


_IMPORTED = "status = 'received' AND import_id IS NOT NULL AND asked_again = 0"
_DUE = "next_action_at IS NOT NULL"
_PLACES = ("place", "place_name", "postcode")


def upgrade() -> None:
    op.create_table(
        "release",
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_release_market_id_market")
        ),
        sa.PrimaryKeyConstraint("market_id", name=op.f("pk_release")),
    )
    op.create_table(
        "upload",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.CheckConstraint("size >= 0", name=op.f("ck_upload_size")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name=op.f("fk_upload_created_by_user")
        ),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_upload_market_id_market")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    op.create_index(op.f("ix_upload_market_id"), "upload", ["market_id"], unique=False)
    op.create_table(
        "upload_part",
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["upload_id"],
            ["upload.id"],
            name=op.f("fk_upload_part_upload_id_upload"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("upload_id", "number", name=op.f("pk_upload_part")),
    )
    op.create_table(
        "import_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("intake_id", sa.Uuid(), nullable=True),
        sa.Column("layout", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("mapping", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("asked_again", sa.Integer(), nullable=False),
        sa.Column("repeated", sa.Integer(), nullable=False),
        sa.Column("history", sa.Integer(), nullable=False),
        sa.Column("suppressed", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("worked_seconds", sa.Double(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Integer(), nullable=True),
        sa.Column("undone", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft','checking','checked','waiting','running','paused',"
            "'finished','failed','undoing','undone')",
            name=op.f("ck_import_run_state"),
        ),
        sa.CheckConstraint(
            "position = accepted + asked_again + repeated + history + suppressed + failed",
            name=op.f("ck_import_run_adds_up"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name=op.f("fk_import_run_created_by_user")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_import_run_job_id_job")),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_import_run_source_id_source")
        ),
        sa.ForeignKeyConstraint(
            ["undone_by"], ["user.id"], name=op.f("fk_import_run_undone_by_user")
        ),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["upload.id"], name=op.f("fk_import_run_upload_id_upload")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
    )
    op.create_index(op.f("ix_import_run_source_id"), "import_run", ["source_id"], unique=False)
    op.create_index(op.f("ix_import_run_upload_id"), "import_run", ["upload_id"], unique=False)
    op.create_table(
        "mailbox_state",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_check_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_mailbox_state_source_id_source")
        ),
        sa.PrimaryKeyConstraint("source_id", name=op.f("pk_mailbox_state")),
    )
    op.create_table(
        "import_row",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("errors", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("cells", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('failed','suppressed')", name=op.f("ck_import_row_outcome")
        ),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["import_run.id"],
            name=op.f("fk_import_row_import_id_import_run"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("import_id", "number", name=op.f("pk_import_row")),
    )
    op.create_table(
        "call_record",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=True),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.Column("row_number", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disposition", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_call_record_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import_run.id"], name=op.f("fk_call_record_import_id_import_run")
        ),
        sa.ForeignKeyConstraint(
            ["lead_id"], ["lead.id"], name=op.f("fk_call_record_lead_id_lead"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_call_record_source_id_source")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_record")),
    )
    op.create_index(
        op.f("ix_call_record_customer_id"), "call_record", ["customer_id"], unique=False
    )
    op.create_index(
        "ix_call_record_import_id",
        "call_record",
        ["import_id"],
        unique=False,
        postgresql_where=sa.text("import_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_call_record_lead_id"), "call_record", ["lead_id"], unique=False)
    op.create_index(op.f("ix_call_record_source_id"), "call_record", ["source_id"], unique=False)
    op.create_table(
        "mail_read",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("uid_validity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("intake_id", sa.Uuid(), nullable=True),
        sa.Column("lead_id", sa.Uuid(), nullable=True),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('lead','repeated','import','reply','bounce','automatic','loop',"
            "'quarantined')",
            name=op.f("ck_mail_read_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import_run.id"], name=op.f("fk_mail_read_import_id_import_run")
        ),
        sa.ForeignKeyConstraint(
            ["lead_id"], ["lead.id"], name=op.f("fk_mail_read_lead_id_lead"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_mail_read_source_id_source")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_read")),
        sa.UniqueConstraint(
            "source_id", "uid_validity", "uid", name=op.f("uq_mail_read_source_id_uid_validity_uid")
        ),
    )
    op.create_index(
        "ix_mail_read_source_id_message_id", "mail_read", ["source_id", "message_id"], unique=False
    )
    op.add_column("lead", sa.Column("import_id", sa.Uuid(), nullable=True))
    op.add_column("lead", sa.Column("call_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("lead", sa.Column("first_call_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_lead_import_id_id",
        "lead",
        ["import_id", "id"],
        unique=False,
        postgresql_where=sa.text("import_id IS NOT NULL"),
    )
    op.create_foreign_key(
        op.f("fk_lead_import_id_import_run"), "lead", "import_run", ["import_id"], ["id"]
    )
    op.add_column(
        "source",
        sa.Column("tells_customer", sa.Boolean(), nullable=False, server_default=sa.text("true")),
    )
    op.alter_column("source", "tells_customer", server_default=None)

    op.drop_index("ix_lead_due", table_name="lead", postgresql_where=sa.text(_DUE))
    op.create_index(
        "ix_lead_due_live",
        "lead",
        ["next_action_at"],
        postgresql_where=sa.text(f"{_DUE} AND NOT ({_IMPORTED})"),
    )
    op.create_index(
        "ix_lead_due_imported", "lead", ["next_action_at"], postgresql_where=sa.text(_IMPORTED)
    )
    for table in _PLACES:
        op.execute(
            f"CREATE TRIGGER reference_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE"
            f" ON {table} FOR EACH STATEMENT EXECUTE FUNCTION reference_changed()"
        )
    for permission, roles in (("lead.import", _MAY_IMPORT), ("lead.export", _MAY_EXPORT)):
        op.execute(
            f"UPDATE role SET permissions = array_append(permissions, '{permission}')"
            f" WHERE name IN {roles} AND NOT '{permission}' = ANY(permissions)"
        )


def downgrade() -> None:
    for permission in ("lead.import", "lead.export"):
        op.execute(f"UPDATE role SET permissions = array_remove(permissions, '{permission}')")
    for table in _PLACES:
        op.execute(f"DROP TRIGGER reference_changed ON {table}")
    op.drop_index("ix_lead_due_imported", table_name="lead")
    op.drop_index("ix_lead_due_live", table_name="lead")
    op.create_index("ix_lead_due", "lead", ["next_action_at"], postgresql_where=sa.text(_DUE))
    op.drop_column("source", "tells_customer")
    for column in ("first_call_at", "call_at", "import_id"):
        op.drop_column("lead", column)
    for table in (
        "mail_read", "call_record", "import_row", "mailbox_state", "import_run", "upload_part",
        "upload", "release",
    ):  # fmt: skip
        op.drop_table(table)
