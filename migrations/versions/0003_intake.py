"""Intake: sources as people set them up, customers told apart, consents, quarantine, own systems.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_KNOWS_EVERYTHING = "('headquarters','central','administrator')"
_PERMISSIONS = ("source.edit", "consent.edit")
_REFERENCES = (
    "source", "campaign", "brand", "vehicle_model", "market", "market_country", "consent_text",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "consent_text",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=True),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["author_id"], ["user.id"], name=op.f("fk_consent_text_author_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_consent_text_market_id_market")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_text")),
        sa.UniqueConstraint(
            "market_id",
            "purpose",
            "version",
            "language",
            name=op.f("uq_consent_text_market_id_purpose_version_language"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_consent_text_hash"), "consent_text", ["hash"], unique=False)
    op.create_table(
        "customer_move",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("from_id", sa.Integer(), nullable=False),
        sa.Column("to_id", sa.Integer(), nullable=False),
        sa.Column("lead_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("keys", postgresql.JSONB(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Integer(), nullable=True),
        sa.CheckConstraint("kind IN ('merge','split')", name=op.f("ck_customer_move_kind")),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["user.id"], name=op.f("fk_customer_move_actor_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["from_id"], ["customer.id"], name=op.f("fk_customer_move_from_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["to_id"], ["customer.id"], name=op.f("fk_customer_move_to_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["undone_by"], ["user.id"], name=op.f("fk_customer_move_undone_by_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_move")),
    )
    op.create_index(op.f("ix_customer_move_from_id"), "customer_move", ["from_id"], unique=False)
    op.create_index(op.f("ix_customer_move_to_id"), "customer_move", ["to_id"], unique=False)
    op.create_table(
        "duplicate_suggestion",
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("reasons", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "answer IN ('','same','different')", name=op.f("ck_duplicate_suggestion_answer")
        ),
        sa.CheckConstraint("customer_id > other_id", name=op.f("ck_duplicate_suggestion_order")),
        sa.ForeignKeyConstraint(
            ["answered_by"], ["user.id"], name=op.f("fk_duplicate_suggestion_answered_by_user")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_duplicate_suggestion_customer_id_customer"),
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["customer.id"], name=op.f("fk_duplicate_suggestion_other_id_customer")
        ),
        sa.PrimaryKeyConstraint("customer_id", "other_id", name=op.f("pk_duplicate_suggestion")),
    )
    op.create_index(
        "ix_duplicate_suggestion_open",
        "duplicate_suggestion",
        ["at"],
        unique=False,
        postgresql_where=sa.text("answered_at IS NULL"),
    )
    op.create_index(
        op.f("ix_duplicate_suggestion_other_id"), "duplicate_suggestion", ["other_id"], unique=False
    )
    op.create_table(
        "setting_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=False),
        sa.Column("after", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_setting_change_user_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_setting_change")),
    )
    op.create_index(
        "ix_setting_change_subject", "setting_change", ["kind", "subject", "id"], unique=False
    )
    op.create_table(
        "dealer_system",
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("transport", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("secrets", postgresql.JSONB(), nullable=False),
        sa.Column("key_hash", sa.String(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("transport IN ('mail','post')", name=op.f("ck_dealer_system_transport")),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_dealer_system_dealer_id_dealer")
        ),
        sa.PrimaryKeyConstraint("dealer_id", name=op.f("pk_dealer_system")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_dealer_system_key_hash")),
    )
    op.create_table(
        "retrieval",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("intake_id", sa.Uuid(), nullable=False),
        sa.Column("remote_id", sa.String(), nullable=False),
        sa.Column("context", postgresql.JSONB(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(), nullable=False),
        sa.CheckConstraint(
            "status IN ('queued','done','failed')", name=op.f("ck_retrieval_status")
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_retrieval_source_id_source")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retrieval")),
        sa.UniqueConstraint(
            "source_id", "remote_id", name=op.f("uq_retrieval_source_id_remote_id")
        ),
    )
    op.create_index(
        "ix_retrieval_due",
        "retrieval",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("status = 'queued'"),
    )
    op.create_table(
        "source_alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("kind IN ('silent','failing')", name=op.f("ck_source_alert_kind")),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_source_alert_source_id_source")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_alert")),
    )
    op.create_index(
        "uq_source_alert_open",
        "source_alert",
        ["source_id", "kind"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "source_refusal",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_source_refusal_source_id_source")
        ),
        sa.PrimaryKeyConstraint("source_id", "hour", "code", name=op.f("pk_source_refusal")),
    )
    op.create_table(
        "inquiry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("intake_id", sa.Uuid(), nullable=True),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request_type", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("comments", sa.String(), nullable=False),
        sa.Column("preferred_dealer", sa.String(), nullable=False),
        sa.Column("given", postgresql.JSONB(), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("split_into_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_inquiry_campaign_id_campaign")
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_inquiry_lead_id_lead")),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_inquiry_source_id_source")
        ),
        sa.ForeignKeyConstraint(
            ["split_into_id"], ["lead.id"], name=op.f("fk_inquiry_split_into_id_lead")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inquiry")),
    )
    op.create_index(op.f("ix_inquiry_lead_id"), "inquiry", ["lead_id"], unique=False)
    op.create_index(
        "ix_inquiry_open",
        "inquiry",
        ["lead_id"],
        unique=False,
        postgresql_where=sa.text("handled_at IS NULL"),
    )
    op.create_index(op.f("ix_inquiry_source_id"), "inquiry", ["source_id"], unique=False)
    op.create_table(
        "suppression",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=True),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.Integer(), nullable=True),
        sa.CheckConstraint("kind IN ('phone','email')", name=op.f("ck_suppression_kind")),
        sa.CheckConstraint(
            "origin IN ('list','outcome','unsubscribe','person')",
            name=op.f("ck_suppression_origin"),
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["user.id"], name=op.f("fk_suppression_author_id_user")
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_suppression_lead_id_lead")),
        sa.ForeignKeyConstraint(
            ["lifted_by"], ["user.id"], name=op.f("fk_suppression_lifted_by_user")
        ),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_suppression_market_id_market")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression")),
    )
    op.create_index(
        "uq_suppression_in_force",
        "suppression",
        ["kind", "value", "market_id"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
        postgresql_nulls_not_distinct=True,
    )
    _add("brand", sa.Column("aliases", postgresql.ARRAY(sa.Text()), nullable=False), "{}")
    _add("campaign", sa.Column("utm_source", sa.String(), nullable=False), "")
    _add("campaign", sa.Column("utm_medium", sa.String(), nullable=False), "")
    _add("campaign", sa.Column("platform_ids", postgresql.ARRAY(sa.Text()), nullable=False), "{}")
    op.add_column("campaign", sa.Column("cost", sa.Numeric(precision=14, scale=2), nullable=True))
    op.add_column("campaign", sa.Column("currency", sa.CHAR(length=3), nullable=True))
    op.create_index(
        "ix_campaign_platform_ids",
        "campaign",
        ["platform_ids"],
        unique=False,
        postgresql_using="gin",
    )
    _add("consent", sa.Column("text_hash", sa.String(), nullable=False), "")
    _add("consent", sa.Column("language", sa.String(), nullable=False), "")
    _add("consent", sa.Column("origin", sa.String(), nullable=False), "")
    _add("customer", sa.Column("country", sa.String(), nullable=False), "")
    _add("customer", sa.Column("postcode", sa.String(), nullable=False), "")
    _add("customer", sa.Column("city", sa.String(), nullable=False), "")
    _add("customer", sa.Column("street", sa.String(), nullable=False), "")
    op.add_column("customer", sa.Column("merged_into_id", sa.Integer(), nullable=True))
    op.create_index(
        op.f("ix_customer_merged_into_id"), "customer", ["merged_into_id"], unique=False
    )
    op.create_foreign_key(
        op.f("fk_customer_merged_into_id_customer"),
        "customer",
        "customer",
        ["merged_into_id"],
        ["id"],
    )
    _add("intake", sa.Column("times", sa.Integer(), nullable=False), "1")
    op.add_column("intake", sa.Column("mended", sa.LargeBinary(), nullable=True))
    op.add_column("intake", sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("intake", sa.Column("answered_by", sa.Integer(), nullable=True))
    _add("intake", sa.Column("note", sa.String(), nullable=False), "")
    op.create_index(
        "ix_intake_same_bytes",
        "intake",
        ["source_id", "body_hash"],
        unique=False,
        postgresql_where=sa.text("status = 'quarantined'"),
    )
    op.create_index(
        "ix_intake_source_id_id",
        "intake",
        ["source_id", "id"],
        unique=False,
        postgresql_include=["status", "received_at"],
    )
    op.add_column("lead", sa.Column("model_id", sa.Integer(), nullable=True))
    op.create_index(
        "ix_lead_test", "lead", ["intake_id"], unique=False, postgresql_where=sa.text("test")
    )
    _add("lead", sa.Column("asked_again", sa.Integer(), nullable=False), "0")
    op.create_foreign_key(
        op.f("fk_lead_model_id_vehicle_model"), "lead", "vehicle_model", ["model_id"], ["id"]
    )
    _add("market", sa.Column("same_need_days", sa.Integer(), nullable=False), "30")
    _add("message", sa.Column("channel", sa.String(), nullable=False), "mail")
    op.add_column("source", sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
    _add("source", sa.Column("solicited", sa.Boolean(), nullable=False), "false")
    _add("source", sa.Column("mapping", postgresql.JSONB(), nullable=False), "{}")
    _add("source", sa.Column("settings", postgresql.JSONB(), nullable=False), "{}")
    _add("source", sa.Column("secrets", postgresql.JSONB(), nullable=False), "{}")
    _add("source", sa.Column("version", sa.Integer(), nullable=False), "1")
    _add("vehicle_model", sa.Column("market_aliases", postgresql.JSONB(), nullable=False), "{}")
    op.create_check_constraint(
        op.f("ck_market_same_need_days"), "market", "same_need_days BETWEEN 0 AND 366"
    )
    op.create_check_constraint(op.f("ck_campaign_cost"), "campaign", "cost >= 0")
    op.create_check_constraint(
        op.f("ck_campaign_currency"), "campaign", "cost IS NULL OR currency IS NOT NULL"
    )
    op.create_check_constraint(op.f("ck_message_channel"), "message", "channel IN ('mail','post')")
    _replace_check(
        "intake", "status", "status IN ('accepted','quarantined','fetching','dismissed')"
    )
    _replace_check("customer_key", "kind", "kind IN ('phone','email','name_place')")
    _replace_key("customer_key", ["kind", "value", "customer_id"])
    op.create_table(
        "reference_version",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_reference_version_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reference_version")),
    )
    op.execute("INSERT INTO reference_version (id, version) VALUES (1, 1)")
    op.execute(
        "CREATE FUNCTION reference_changed() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN UPDATE reference_version SET version = version + 1; RETURN NULL; END $$"
    )
    for table in _REFERENCES:
        op.execute(
            f"CREATE TRIGGER reference_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE"
            f" ON {table} FOR EACH STATEMENT EXECUTE FUNCTION reference_changed()"
        )
    # Where they last said they live, from what their latest lead tells.
    op.execute(
        "UPDATE customer SET country = lead.country, postcode = lead.postcode, city = lead.city,"
        " street = lead.street FROM (SELECT DISTINCT ON (customer_id) * FROM lead"
        " ORDER BY customer_id, created_at DESC) AS lead WHERE lead.customer_id = customer.id"
    )
    for permission in _PERMISSIONS:
        op.execute(
            f"UPDATE role SET permissions = permissions || ARRAY['{permission}']"
            f" WHERE name IN {_KNOWS_EVERYTHING}"
        )


def downgrade() -> None:
    for table in _REFERENCES:
        op.execute(f"DROP TRIGGER reference_changed ON {table}")
    op.execute("DROP FUNCTION reference_changed()")
    op.drop_table("reference_version")
    for permission in _PERMISSIONS:
        op.execute(f"UPDATE role SET permissions = array_remove(permissions, '{permission}')")
    # One customer for each key again: the oldest keeps it.
    op.execute(
        "DELETE FROM customer_key AS k USING customer_key AS older WHERE k.kind = 'name_place' OR"
        " (older.kind = k.kind AND older.value = k.value AND older.customer_id < k.customer_id)"
    )
    op.execute("DELETE FROM customer_key WHERE kind = 'name_place'")
    _replace_key("customer_key", ["kind", "value"])
    _replace_check("customer_key", "kind", "kind IN ('phone','email')")
    op.execute("UPDATE intake SET status = 'quarantined' WHERE status = 'fetching'")
    op.execute("UPDATE intake SET status = 'accepted' WHERE status = 'dismissed'")
    _replace_check("intake", "status", "status IN ('accepted','quarantined')")
    op.execute("DELETE FROM message WHERE channel = 'post'")
    op.drop_constraint(op.f("ck_message_channel"), "message")
    op.drop_constraint(op.f("ck_campaign_currency"), "campaign")
    op.drop_constraint(op.f("ck_campaign_cost"), "campaign")
    op.drop_constraint(op.f("ck_market_same_need_days"), "market")
    op.drop_column("vehicle_model", "market_aliases")
    op.drop_column("source", "version")
    op.drop_column("source", "secrets")
    op.drop_column("source", "settings")
    op.drop_column("source", "mapping")
    op.drop_column("source", "solicited")
    op.drop_column("source", "paused_at")
    op.drop_column("message", "channel")
    op.drop_column("market", "same_need_days")
    op.drop_constraint(op.f("fk_lead_model_id_vehicle_model"), "lead", type_="foreignkey")
    op.drop_column("lead", "asked_again")
    op.drop_column("lead", "model_id")
    op.drop_index("ix_lead_test", table_name="lead", postgresql_where=sa.text("test"))
    op.drop_index("ix_intake_source_id_id", table_name="intake")
    op.drop_index(
        "ix_intake_same_bytes",
        table_name="intake",
        postgresql_where=sa.text("status = 'quarantined'"),
    )
    op.drop_column("intake", "note")
    op.drop_column("intake", "answered_by")
    op.drop_column("intake", "answered_at")
    op.drop_column("intake", "mended")
    op.drop_column("intake", "times")
    op.drop_constraint(op.f("fk_customer_merged_into_id_customer"), "customer", type_="foreignkey")
    op.drop_index(op.f("ix_customer_merged_into_id"), table_name="customer")
    op.drop_column("customer", "merged_into_id")
    op.drop_column("customer", "street")
    op.drop_column("customer", "city")
    op.drop_column("customer", "postcode")
    op.drop_column("customer", "country")
    op.drop_column("consent", "origin")
    op.drop_column("consent", "language")
    op.drop_column("consent", "text_hash")
    op.drop_index("ix_campaign_platform_ids", table_name="campaign", postgresql_using="gin")
    op.drop_column("campaign", "currency")
    op.drop_column("campaign", "cost")
    op.drop_column("campaign", "platform_ids")
    op.drop_column("campaign", "utm_medium")
    op.drop_column("campaign", "utm_source")
    op.drop_column("brand", "aliases")
    op.drop_index(
        "uq_suppression_in_force",
        table_name="suppression",
        postgresql_where=sa.text("lifted_at IS NULL"),
        postgresql_nulls_not_distinct=True,
    )
    op.drop_table("suppression")
    op.drop_index(op.f("ix_inquiry_source_id"), table_name="inquiry")
    op.drop_index(
        "ix_inquiry_open", table_name="inquiry", postgresql_where=sa.text("handled_at IS NULL")
    )
    op.drop_index(op.f("ix_inquiry_lead_id"), table_name="inquiry")
    op.drop_table("inquiry")
    op.drop_table("source_refusal")
    op.drop_index(
        "uq_source_alert_open",
        table_name="source_alert",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_table("source_alert")
    op.drop_index(
        "ix_retrieval_due", table_name="retrieval", postgresql_where=sa.text("status = 'queued'")
    )
    op.drop_table("retrieval")
    op.drop_table("dealer_system")
    op.drop_index("ix_setting_change_subject", table_name="setting_change")
    op.drop_table("setting_change")
    op.drop_index(op.f("ix_duplicate_suggestion_other_id"), table_name="duplicate_suggestion")
    op.drop_index(
        "ix_duplicate_suggestion_open",
        table_name="duplicate_suggestion",
        postgresql_where=sa.text("answered_at IS NULL"),
    )
    op.drop_table("duplicate_suggestion")
    op.drop_index(op.f("ix_customer_move_to_id"), table_name="customer_move")
    op.drop_index(op.f("ix_customer_move_from_id"), table_name="customer_move")
    op.drop_table("customer_move")
    op.drop_index(op.f("ix_consent_text_hash"), table_name="consent_text")
    op.drop_table("consent_text")


def _add(table: str, column: sa.Column[object], value: str) -> None:
    """A column that may not be empty, with `value` in the rows that exist."""
    column.server_default = sa.DefaultClause(value)
    op.add_column(table, column)
    op.alter_column(table, column.name, server_default=None)


def _replace_check(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def _replace_key(table: str, columns: list[str]) -> None:
    op.drop_constraint(op.f(f"pk_{table}"), table)
    op.create_primary_key(op.f(f"pk_{table}"), table, columns)
