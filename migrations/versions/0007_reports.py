"""Reports: facts of leads and their months, saved questions, targets, rates; sales told by files.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# What changes a lead's facts says so in the transaction of the change; the worker makes them anew.
_CHANGED = """
CREATE FUNCTION fact_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO fact_queue (lead_id) SELECT DISTINCT lead_id FROM changed WHERE lead_id IS NOT NULL;
  RETURN NULL;
END $$
"""
_LEAD_CAME_OR_WENT = """
CREATE FUNCTION fact_lead_came_or_went() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO fact_queue (lead_id) SELECT id FROM changed;
  RETURN NULL;
END $$
"""
_COUNTED = (
    "market_id", "source_id", "campaign_id", "customer_id", "import_id", "test", "language",
    "country", "region", "lat", "lon", "brand_id", "model", "request_type", "service", "band",
    "status", "cause", "dealer_id", "owner_id", "promise_at", "first_call_at", "asked_again",
    "created_at", "offered_at", "accepted_at", "contacted_at", "closed_at",
)  # fmt: skip
"""Columns of a lead that its facts are made of; the clock's own columns change all the time."""
_LEAD_CHANGED = f"""
CREATE FUNCTION fact_lead_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO fact_queue (lead_id)
  SELECT changed.id FROM changed JOIN before USING (id)
  WHERE ({", ".join(f"changed.{name}" for name in _COUNTED)})
    IS DISTINCT FROM ({", ".join(f"before.{name}" for name in _COUNTED)});
  RETURN NULL;
END $$
"""
_OF_LEADS = (
    "offer", "outcome", "planned_action", "reply", "feedback", "verdict", "inquiry", "sale",
    "routing_decision",
)  # fmt: skip
_TABLES = (
    "sales_file",
    "report_schedule",
    "target",
    "saved_report",
    "report_key",
    "exchange_rate",
    "share_month",
    "share_fact",
    "lead_fact",
    "fact_slice",
    "fact_queue",
    "fact_month",
)
_EVENTS = {"inserted": "NEW", "updated": "NEW", "deleted": "OLD"}
_STATEMENTS = {"inserted": "INSERT", "updated": "UPDATE", "deleted": "DELETE"}


_COUNTERS = (
    "leads", "valid", "waiting", "open", "queued", "offered", "accepted", "contacted", "proven",
    "appointment", "visited", "won", "lost", "withdrawn", "matched", "sold", "sold_elsewhere",
    "asked_again", "inquiries", "rerouted", "reroutes", "closed", "closed_by_first", "reached_5",
    "reached_15", "reached_30", "reached_60", "reached_240", "reached_1440", "reached_later",
    "unreached",
    "overdue_15", "overdue_60", "overdue_240", "overdue_1440", "promised", "promise_kept",
    "plans", "plans_kept", "answers", "score", "verdicts", "confirmed", "placed", "metres",
    "offers", "offers_accepted", "offers_declined", "offers_expired", "offers_withdrawn",
)  # fmt: skip
_TIMES = (
    "response", "work_response", "take", "work_take", "handling", "sale",
)  # fmt: skip
_SHARES = (
    "expected", "received", "taken_over", "missed_closed", "missed_cap", "missed_paused",
    "missed_declined", "missed_timed_out", "missed_turn", "lost_declined", "lost_timed_out",
)  # fmt: skip
_NUMBERED = (
    "owner_id", "source_id", "campaign_id", "brand_id",
)  # fmt: skip
_NAMED = (
    "channel", "model", "request_type", "service", "band", "customer_kind", "language",
    "country", "region", "status", "cause", "verdict",
)  # fmt: skip
_SMALL = (
    "hour", "lat_tenth", "lon_tenth",
)  # fmt: skip


def _dimensions() -> list[sa.Column]:
    kinds = {
        **dict.fromkeys(_NUMBERED, sa.Integer),
        **dict.fromkeys(_NAMED, sa.String),
        **dict.fromkeys(_SMALL, sa.SmallInteger),
    }
    return [sa.Column(name, kind()) for name, kind in kinds.items()]


def _counters(kind: type, metres: type) -> list[sa.Column]:
    return [
        sa.Column(
            name,
            metres() if name == "metres" else kind(),
            server_default=sa.text("0"),
            nullable=False,
        )
        for name in _COUNTERS
    ]


def _times(packed: bool) -> list[sa.Column]:
    if not packed:
        return [sa.Column(name, sa.Integer()) for name in _TIMES]
    return _bytes(*_TIMES)


def _bytes(*names: str) -> list[sa.Column]:
    return [
        sa.Column(name, sa.LargeBinary(), server_default=sa.text("''"), nullable=False)
        for name in names
    ]


def upgrade() -> None:
    op.create_table(
        "fact_month",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("cut", sa.String(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("dealer_id", sa.Integer(), nullable=True),
        *_dimensions(),
        *_counters(sa.Integer, sa.BigInteger),
        sa.Column(
            "value", sa.Numeric(precision=16, scale=2), server_default=sa.text("0"), nullable=False
        ),
        *_times(True),
        *_bytes("holders", "squares"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact_month")),
    )
    op.create_index(
        "ix_fact_month_cut_month_market_id",
        "fact_month",
        ["cut", "month", "market_id"],
        unique=False,
    )
    # Months are added up again and again: what they were is to be swept away in time.
    op.execute("ALTER TABLE fact_month SET (autovacuum_vacuum_scale_factor = 0.05)")
    op.create_table(
        "fact_queue",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact_queue")),
    )
    op.create_table(
        "fact_slice",
        sa.Column("market_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rolled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("market_id", "month", name=op.f("pk_fact_slice")),
    )
    op.create_table(
        "lead_fact",
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("settles_at", sa.DateTime(timezone=True), nullable=True),
        *_dimensions(),
        *_counters(sa.SmallInteger, sa.Integer),
        sa.Column(
            "value", sa.Numeric(precision=16, scale=2), server_default=sa.text("0"), nullable=False
        ),
        *_times(False),
        sa.PrimaryKeyConstraint("lead_id", "dealer_id", name=op.f("pk_lead_fact")),
    )
    op.create_index("ix_lead_fact_day", "lead_fact", ["day"], unique=False, postgresql_using="brin")
    op.create_index("ix_lead_fact_dealer_id_day", "lead_fact", ["dealer_id", "day"], unique=False)
    op.create_index("ix_lead_fact_market_id_day", "lead_fact", ["market_id", "day"], unique=False)
    op.create_index(
        "ix_lead_fact_settles_at",
        "lead_fact",
        ["settles_at"],
        unique=False,
        postgresql_where=sa.text("settles_at IS NOT NULL"),
    )
    op.create_table(
        "share_fact",
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        *(
            sa.Column(name, sa.Double(), server_default=sa.text("0"), nullable=False)
            for name in _SHARES
        ),
        sa.PrimaryKeyConstraint("decision_id", "dealer_id", name=op.f("pk_share_fact")),
    )
    op.create_index(op.f("ix_share_fact_lead_id"), "share_fact", ["lead_id"], unique=False)
    op.create_index("ix_share_fact_market_id_day", "share_fact", ["market_id", "day"], unique=False)
    op.create_table(
        "share_month",
        sa.Column("market_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), autoincrement=False, nullable=False),
        *(
            sa.Column(name, sa.Double(), server_default=sa.text("0"), nullable=False)
            for name in _SHARES
        ),
        sa.PrimaryKeyConstraint("market_id", "month", "dealer_id", name=op.f("pk_share_month")),
    )
    op.create_table(
        "exchange_rate",
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("rate", sa.Numeric(precision=18, scale=8), nullable=False),
        sa.CheckConstraint("rate > 0", name=op.f("ck_exchange_rate_rate")),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_exchange_rate_market_id_market")
        ),
        sa.PrimaryKeyConstraint("market_id", "month", name=op.f("pk_exchange_rate")),
    )
    op.create_table(
        "report_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_report_key_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_key")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_report_key_key_hash")),
    )
    op.create_index(op.f("ix_report_key_user_id"), "report_key", ["user_id"], unique=False)
    op.create_table(
        "saved_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("address", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("shared", sa.String(), server_default="", nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(shared = 'market') = (market_id IS NOT NULL)", name=op.f("ck_saved_report_market")
        ),
        sa.CheckConstraint("shared IN ('','market','all')", name=op.f("ck_saved_report_shared")),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_saved_report_market_id_market")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_saved_report_user_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_report")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_saved_report_user_id_name")),
    )
    op.create_index(op.f("ix_saved_report_market_id"), "saved_report", ["market_id"], unique=False)
    op.create_table(
        "target",
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("figure", sa.String(), nullable=False),
        sa.Column("value", sa.Numeric(precision=16, scale=4), nullable=False),
        sa.CheckConstraint("value >= 0", name=op.f("ck_target_value")),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_target_market_id_market")
        ),
        sa.PrimaryKeyConstraint("market_id", "month", "figure", name=op.f("pk_target")),
    )
    op.create_table(
        "report_schedule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("every", sa.String(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("minute", sa.Integer(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("recipients", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("files", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "every IN ('day','week','month')", name=op.f("ck_report_schedule_every")
        ),
        sa.CheckConstraint("day BETWEEN 0 AND 31", name=op.f("ck_report_schedule_day")),
        sa.CheckConstraint("minute BETWEEN 0 AND 1439", name=op.f("ck_report_schedule_minute")),
        sa.ForeignKeyConstraint(
            ["report_id"],
            ["saved_report.id"],
            name=op.f("fk_report_schedule_report_id_saved_report"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_report_schedule_user_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_schedule")),
    )
    op.create_index(
        "ix_report_schedule_next_at",
        "report_schedule",
        ["next_at"],
        unique=False,
        postgresql_where=sa.text("active"),
    )
    op.create_index(
        op.f("ix_report_schedule_report_id"), "report_schedule", ["report_id"], unique=False
    )
    op.create_table(
        "sales_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("layout", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("columns", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("read", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("repeated", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("failures", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('draft','waiting','running','finished','failed','undone')",
            name=op.f("ck_sales_file_state"),
        ),
        sa.CheckConstraint("read = kept + repeated + failed", name=op.f("ck_sales_file_adds_up")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name=op.f("fk_sales_file_created_by_user")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_sales_file_job_id_job")),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_sales_file_market_id_market")
        ),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["upload.id"], name=op.f("fk_sales_file_upload_id_upload")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_file")),
    )
    op.create_index(op.f("ix_sales_file_market_id"), "sales_file", ["market_id"], unique=False)
    op.create_index(op.f("ix_sales_file_upload_id"), "sales_file", ["upload_id"], unique=False)
    op.create_table(
        "sale",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("sold_on", sa.Date(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=True),
        sa.Column("dealer_text", sa.String(), nullable=False),
        sa.Column("order_number", sa.String(), nullable=False),
        sa.Column("vin", sa.String(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("company", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("postcode", sa.String(), nullable=False),
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("value", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("currency", sa.CHAR(length=3), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("candidates", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state IN ('matched')) = (lead_id IS NOT NULL)", name=op.f("ck_sale_lead")
        ),
        sa.CheckConstraint(
            "state IN ('matched','proposed','none','rejected')", name=op.f("ck_sale_state")
        ),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1", name=op.f("ck_sale_confidence")),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_sale_dealer_id_dealer")
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["user.id"], name=op.f("fk_sale_decided_by_user")),
        sa.ForeignKeyConstraint(
            ["file_id"], ["sales_file.id"], name=op.f("fk_sale_file_id_sales_file")
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_sale_lead_id_lead")),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_sale_market_id_market")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sale")),
        sa.UniqueConstraint("market_id", "key", name=op.f("uq_sale_market_id_key")),
    )
    op.create_index(op.f("ix_sale_dealer_id"), "sale", ["dealer_id"], unique=False)
    op.create_index(op.f("ix_sale_file_id"), "sale", ["file_id"], unique=False)
    op.create_index("ix_sale_market_id_sold_on", "sale", ["market_id", "sold_on"], unique=False)
    op.create_index(
        "ix_sale_proposed",
        "sale",
        ["market_id", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'proposed'"),
    )
    op.create_index(
        "uq_sale_lead_id",
        "sale",
        ["lead_id"],
        unique=True,
        postgresql_where=sa.text("lead_id IS NOT NULL"),
    )

    op.create_index(
        "ix_outcome_order_number",
        "outcome",
        [sa.text(r"upper(regexp_replace(order_number, '[\W_]+', '', 'g'))")],
        postgresql_where=sa.text("order_number <> ''"),
    )
    op.create_index("ix_call_record_source_id_at", "call_record", ["source_id", "at"], unique=False)
    for function in (_CHANGED, _LEAD_CAME_OR_WENT, _LEAD_CHANGED):
        op.execute(function)
    for table in _OF_LEADS:
        for happened, rows in _EVENTS.items():
            op.execute(
                f"CREATE TRIGGER fact_{happened} AFTER {_STATEMENTS[happened]} ON {table}"
                f" REFERENCING {rows} TABLE AS changed"
                " FOR EACH STATEMENT EXECUTE FUNCTION fact_changed()"
            )
    # A sale may leave one lead for another.
    op.execute(
        "CREATE TRIGGER fact_left AFTER UPDATE ON sale REFERENCING OLD TABLE AS changed"
        " FOR EACH STATEMENT EXECUTE FUNCTION fact_changed()"
    )
    op.execute(
        "CREATE TRIGGER fact_inserted AFTER INSERT ON lead REFERENCING NEW TABLE AS changed"
        " FOR EACH STATEMENT EXECUTE FUNCTION fact_lead_came_or_went()"
    )
    op.execute(
        "CREATE TRIGGER fact_deleted AFTER DELETE ON lead REFERENCING OLD TABLE AS changed"
        " FOR EACH STATEMENT EXECUTE FUNCTION fact_lead_came_or_went()"
    )
    op.execute(
        "CREATE TRIGGER fact_updated AFTER UPDATE ON lead"
        " REFERENCING NEW TABLE AS changed OLD TABLE AS before"
        " FOR EACH STATEMENT EXECUTE FUNCTION fact_lead_changed()"
    )
    # What there is already.
    op.execute("INSERT INTO fact_queue (lead_id) SELECT id FROM lead")


def downgrade() -> None:
    op.drop_index("ix_call_record_source_id_at", table_name="call_record")
    op.drop_index("ix_outcome_order_number", table_name="outcome")
    op.drop_table("sale")
    for table in _OF_LEADS:
        if table != "sale":
            for happened in _EVENTS:
                op.execute(f"DROP TRIGGER fact_{happened} ON {table}")
    for happened in ("inserted", "updated", "deleted"):
        op.execute(f"DROP TRIGGER fact_{happened} ON lead")
    for function in ("fact_changed", "fact_lead_came_or_went", "fact_lead_changed"):
        op.execute(f"DROP FUNCTION {function}()")
    for table in _TABLES:
        op.drop_table(table)
