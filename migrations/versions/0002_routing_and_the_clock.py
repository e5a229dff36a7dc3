"""Routing and the clock: drafts of policies, special hours, handovers, contests, waiting leads.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATUSES = (
    "status IN ('received','incomplete','unlocated','unrouted','offered','accepted','contacted',"
)
_OWNED = "dealer_id IS NOT NULL OR status NOT IN ('offered','accepted','contacted',"


def upgrade() -> None:
    op.create_table(
        "geocoder_answer",
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("accuracy_km", sa.Double(), nullable=True),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("provider", "query", name=op.f("pk_geocoder_answer")),
    )
    op.create_table(
        "outage",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('service','mail')", name=op.f("ck_outage_kind")),
        sa.CheckConstraint("began_at <= ended_at", name=op.f("ck_outage_span")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outage")),
    )
    op.create_table(
        "absence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deputy_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint("deputy_id <> user_id", name=op.f("ck_absence_deputy")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_absence_span")),
        sa.ForeignKeyConstraint(["deputy_id"], ["user.id"], name=op.f("fk_absence_deputy_id_user")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_absence_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
    )
    op.create_index(op.f("ix_absence_user_id"), "absence", ["user_id"], unique=False)
    op.create_table(
        "job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=True),
        sa.Column("arguments", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("requested_by", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "result", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("problem", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["market_id"], ["market.id"], name=op.f("fk_job_market_id_market")),
        sa.ForeignKeyConstraint(
            ["requested_by"], ["user.id"], name=op.f("fk_job_requested_by_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index(
        "ix_job_waiting",
        "job",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_table(
        "policy_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("based_on", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft','published','dropped')", name=op.f("ck_policy_draft_state")
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["user.id"], name=op.f("fk_policy_draft_author_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_policy_draft_market_id_market")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_draft")),
    )
    op.create_index(
        "ix_policy_draft_market_id", "policy_draft", ["market_id", "state"], unique=False
    )
    op.create_table(
        "handover",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=True),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("successor_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("successor_id <> dealer_id", name=op.f("ck_handover_successor")),
        sa.ForeignKeyConstraint(
            ["author_id"], ["user.id"], name=op.f("fk_handover_author_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brand.id"], name=op.f("fk_handover_brand_id_brand")
        ),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_handover_dealer_id_dealer")
        ),
        sa.ForeignKeyConstraint(
            ["successor_id"], ["dealer.id"], name=op.f("fk_handover_successor_id_dealer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
    )
    op.create_index(op.f("ix_handover_dealer_id"), "handover", ["dealer_id"], unique=False)
    op.create_index(
        "ix_handover_due",
        "handover",
        ["at"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "road_answer",
        sa.Column("lat_cell", sa.Integer(), nullable=False),
        sa.Column("lon_cell", sa.Integer(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("dealer_lat", sa.Double(), nullable=False),
        sa.Column("dealer_lon", sa.Double(), nullable=False),
        sa.Column("km", sa.Double(), nullable=True),
        sa.Column("minutes", sa.Double(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_road_answer_dealer_id_dealer")
        ),
        sa.PrimaryKeyConstraint("lat_cell", "lon_cell", "dealer_id", name=op.f("pk_road_answer")),
    )
    op.create_table(
        "special_hours",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("hours", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("valid", postgresql.TSTZRANGE(), nullable=False),
        sa.CheckConstraint(
            "dealer_id IS NOT NULL OR country <> ''", name=op.f("ck_special_hours_whose")
        ),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_special_hours_span")),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_special_hours_dealer_id_dealer")
        ),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_special_hours_market_id_market")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_special_hours")),
    )
    op.create_index(
        op.f("ix_special_hours_dealer_id"), "special_hours", ["dealer_id"], unique=False
    )
    op.create_index("ix_special_hours_market_id", "special_hours", ["market_id"], unique=False)
    op.create_table(
        "contest",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.Integer(), nullable=True),
        sa.Column("answer", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["answered_by"], ["user.id"], name=op.f("fk_contest_answered_by_user")
        ),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_contest_dealer_id_dealer")
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["routing_decision.id"],
            name=op.f("fk_contest_decision_id_routing_decision"),
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_contest_lead_id_lead")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_contest_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contest")),
    )
    op.create_index(op.f("ix_contest_dealer_id"), "contest", ["dealer_id"], unique=False)
    op.create_index(op.f("ix_contest_lead_id"), "contest", ["lead_id"], unique=False)
    op.create_index(
        "uq_contest_open",
        "contest",
        ["decision_id", "dealer_id"],
        unique=True,
        postgresql_where=sa.text("answered_at IS NULL"),
    )
    op.add_column(
        "competence",
        sa.Column(
            "models", postgresql.ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'")
        ),
    )
    op.alter_column("competence", "models", server_default=None)
    op.add_column(
        "dealer", sa.Column("version", sa.Integer(), nullable=False, server_default=sa.text("1"))
    )
    op.alter_column("dealer", "version", server_default=None)
    op.create_index(op.f("ix_dealer_version"), "dealer", ["version"], unique=False)
    op.add_column(
        "dealer_terms", sa.Column("assign_to", sa.String(), nullable=False, server_default="team")
    )
    op.alter_column("dealer_terms", "assign_to", server_default=None)
    op.add_column("lead", sa.Column("touched_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "lead",
        sa.Column("escalated_minutes", sa.Integer(), nullable=False, server_default=sa.text("0")),
    )
    op.alter_column("lead", "escalated_minutes", server_default=None)
    op.add_column("lead", sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "lead",
        sa.Column(
            "waiting_for",
            postgresql.ARRAY(sa.Integer()),
            nullable=False,
            server_default=sa.text("'{}'"),
        ),
    )
    op.alter_column("lead", "waiting_for", server_default=None)
    op.add_column("lead", sa.Column("resting_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_lead_waiting_for",
        "lead",
        ["waiting_for"],
        unique=False,
        postgresql_using="gin",
        postgresql_where=sa.text("status = 'unrouted'"),
    )
    op.add_column(
        "market",
        sa.Column("desk_hours", sa.String(), nullable=False, server_default="Mo-Fr 09:00-18:00"),
    )
    op.alter_column("market", "desk_hours", server_default=None)
    op.add_column(
        "market", sa.Column("desk_country", sa.String(), nullable=False, server_default="")
    )
    op.alter_column("market", "desk_country", server_default=None)
    op.add_column(
        "network_version",
        sa.Column("rebuilt", sa.Integer(), nullable=False, server_default=sa.text("1")),
    )
    op.alter_column("network_version", "rebuilt", server_default=None)
    op.add_column("offer", sa.Column("clock_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "offer", sa.Column("minutes", sa.Integer(), nullable=False, server_default=sa.text("0"))
    )
    op.alter_column("offer", "minutes", server_default=None)
    op.add_column(
        "offer", sa.Column("hop", sa.Integer(), nullable=False, server_default=sa.text("1"))
    )
    op.alter_column("offer", "hop", server_default=None)
    op.add_column(
        "planned_action", sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("routing_policy", sa.Column("author_id", sa.Integer(), nullable=True))
    op.add_column(
        "routing_policy", sa.Column("note", sa.String(), nullable=False, server_default="")
    )
    op.alter_column("routing_policy", "note", server_default=None)
    op.add_column(
        "routing_policy", sa.Column("published_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_foreign_key(
        op.f("fk_routing_policy_author_id_user"), "routing_policy", "user", ["author_id"], ["id"]
    )
    op.add_column(
        "territory",
        sa.Column("exclusive", sa.Boolean(), nullable=False, server_default=sa.text("true")),
    )
    op.alter_column("territory", "exclusive", server_default=None)
    op.add_column(
        "user",
        sa.Column(
            "skills", postgresql.ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'")
        ),
    )
    op.alter_column("user", "skills", server_default=None)
    op.add_column(
        "user",
        sa.Column(
            "languages", postgresql.ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'")
        ),
    )
    op.alter_column("user", "languages", server_default=None)
    op.add_column(
        "vehicle_model",
        sa.Column(
            "markets", postgresql.ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'")
        ),
    )
    op.alter_column("vehicle_model", "markets", server_default=None)
    _replace_check("lead", "status", _STATUSES + "'resting','won','lost','withdrawn')")
    _replace_check("lead", "owned", _OWNED + "'resting','won')")
    op.create_check_constraint(
        op.f("ck_dealer_terms_assign_to"), "dealer_terms", "assign_to IN ('team','colleague')"
    )
    op.create_index("ix_place_lat_lon", "place", ["lat", "lon"])
    # From now on every open lead has a next instant: the worker gives it to those without.
    op.execute(
        "UPDATE lead SET next_action_at = now() WHERE next_action_at IS NULL"
        " AND status IN ('incomplete','unlocated','unrouted','accepted','contacted')"
    )
    # Whose clocks nobody knew of begins anew: it is not escalated for the past.
    op.execute("UPDATE lead SET touched_at = now() WHERE status IN ('accepted','contacted')")
    op.execute(
        "UPDATE lead SET waiting_since = created_at"
        " WHERE status IN ('incomplete','unlocated','unrouted')"
    )
    op.execute("UPDATE offer SET clock_at = offered_at")
    op.execute(
        "UPDATE role SET permissions = permissions || ARRAY['policy.edit','network.edit']"
        " WHERE name IN ('headquarters','central','administrator')"
    )


def downgrade() -> None:
    op.drop_index("ix_place_lat_lon", table_name="place")
    op.execute(
        "UPDATE role SET permissions ="
        " array_remove(array_remove(permissions, 'policy.edit'), 'network.edit')"
    )
    op.execute(
        "UPDATE lead SET status = CASE WHEN contacted_at IS NULL THEN 'accepted'"
        " ELSE 'contacted' END WHERE status = 'resting'"
    )
    _replace_check("lead", "status", _STATUSES + "'won','lost','withdrawn')")
    _replace_check("lead", "owned", _OWNED + "'won')")
    op.drop_constraint(op.f("ck_dealer_terms_assign_to"), "dealer_terms")
    op.drop_column("vehicle_model", "markets")
    op.drop_column("user", "languages")
    op.drop_column("user", "skills")
    op.drop_column("territory", "exclusive")
    op.drop_column("routing_policy", "published_at")
    op.drop_column("routing_policy", "note")
    op.drop_column("routing_policy", "author_id")
    op.drop_column("planned_action", "reminded_at")
    op.drop_column("offer", "hop")
    op.drop_column("offer", "minutes")
    op.drop_column("offer", "clock_at")
    op.drop_column("network_version", "rebuilt")
    op.drop_column("market", "desk_country")
    op.drop_column("market", "desk_hours")
    op.drop_column("lead", "resting_until")
    op.drop_index("ix_lead_waiting_for", table_name="lead")
    op.drop_column("lead", "waiting_for")
    op.drop_column("lead", "waiting_since")
    op.drop_column("lead", "escalated_minutes")
    op.drop_column("lead", "touched_at")
    op.drop_column("dealer_terms", "assign_to")
    op.drop_index(op.f("ix_dealer_version"), table_name="dealer")
    op.drop_column("dealer", "version")
    op.drop_column("competence", "models")
    op.drop_table("contest")
    op.drop_table("special_hours")
    op.drop_table("road_answer")
    op.drop_table("handover")
    op.drop_table("policy_draft")
    op.drop_table("job")
    op.drop_table("absence")
    op.drop_table("outage")
    op.drop_table("geocoder_answer")


def _replace_check(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
