"""The life of a lead: markets, dealers, sources, intake, leads, routing, work, outbox.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "brand",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brand")),
        sa.UniqueConstraint("code", name=op.f("uq_brand_code")),
    )
    op.create_table(
        "customer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("company", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('private','business','fleet')", name=op.f("ck_customer_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
    )
    op.create_table(
        "dealer_group",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dealer_group")),
        sa.UniqueConstraint("code", name=op.f("uq_dealer_group_code")),
    )
    op.create_table(
        "heartbeat",
        sa.Column("process", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("process", name=op.f("pk_heartbeat")),
    )
    op.create_table(
        "market",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("languages", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("default_language", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("week_start", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "default_language = ANY (languages)", name=op.f("ck_market_default_language")
        ),
        sa.CheckConstraint("week_start BETWEEN 0 AND 6", name=op.f("ck_market_week_start")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_market")),
        sa.UniqueConstraint("code", name=op.f("uq_market_code")),
    )
    op.create_table(
        "network_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_network_version_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_network_version")),
    )
    op.create_table(
        "place",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("country", sa.CHAR(length=2), nullable=False),
        sa.Column("admin1", sa.String(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place")),
    )
    op.create_index("ix_place_country_population", "place", ["country", "population"], unique=False)
    op.create_table(
        "postcode",
        sa.Column("country", sa.CHAR(length=2), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("radius_km", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("country", "code", name=op.f("pk_postcode")),
    )
    op.create_table(
        "role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("permissions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role")),
        sa.UniqueConstraint("name", name=op.f("uq_role_name")),
    )
    op.create_table(
        "user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("password", sa.String(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("fs_uniquifier", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("email", name=op.f("uq_user_email")),
        sa.UniqueConstraint("fs_uniquifier", name=op.f("uq_user_fs_uniquifier")),
    )
    op.create_table(
        "campaign",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("utm_campaign", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brand.id"], name=op.f("fk_campaign_brand_id_brand")
        ),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_campaign_market_id_market")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("code", name=op.f("uq_campaign_code")),
    )
    op.create_index(op.f("ix_campaign_market_id"), "campaign", ["market_id"], unique=False)
    op.create_table(
        "customer_key",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('phone','email')", name=op.f("ck_customer_key_kind")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_customer_key_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("kind", "value", name=op.f("pk_customer_key")),
    )
    op.create_index(
        op.f("ix_customer_key_customer_id"), "customer_key", ["customer_id"], unique=False
    )
    op.create_table(
        "dealer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.CheckConstraint("kind IN ('showroom','workshop','team')", name=op.f("ck_dealer_kind")),
        sa.ForeignKeyConstraint(
            ["group_id"], ["dealer_group.id"], name=op.f("fk_dealer_group_id_dealer_group")
        ),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_dealer_market_id_market")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dealer")),
        sa.UniqueConstraint("code", name=op.f("uq_dealer_code")),
    )
    op.create_index(op.f("ix_dealer_group_id"), "dealer", ["group_id"], unique=False)
    op.create_index(op.f("ix_dealer_market_id"), "dealer", ["market_id"], unique=False)
    op.create_table(
        "market_country",
        sa.Column("country", sa.CHAR(length=2), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_market_country_market_id_market")
        ),
        sa.PrimaryKeyConstraint("country", name=op.f("pk_market_country")),
    )
    op.create_index(
        op.f("ix_market_country_market_id"), "market_country", ["market_id"], unique=False
    )
    op.create_table(
        "place_name",
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("country", sa.CHAR(length=2), nullable=False),
        sa.ForeignKeyConstraint(
            ["place_id"], ["place.id"], name=op.f("fk_place_name_place_id_place")
        ),
        sa.PrimaryKeyConstraint("place_id", "key", name=op.f("pk_place_name")),
    )
    op.create_index("ix_place_name_key_country", "place_name", ["key", "country"], unique=False)
    op.create_table(
        "role_user",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("role_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["role_id"], ["role.id"], name=op.f("fk_role_user_role_id_role")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_role_user_user_id_user")),
        sa.PrimaryKeyConstraint("user_id", "role_id", name=op.f("pk_role_user")),
    )
    op.create_table(
        "routing_policy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("settings", postgresql.JSONB(), nullable=False),
        sa.Column("valid", postgresql.TSTZRANGE(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.text("int8range(market_id, market_id, '[]')"), "&&"),
            (sa.column("valid"), "&&"),
            using="gist",
            name="ex_routing_policy_market_id_valid",
        ),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_routing_policy_market_id_market")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routing_policy")),
        sa.UniqueConstraint(
            "market_id", "version", name=op.f("uq_routing_policy_market_id_version")
        ),
    )
    op.create_table(
        "rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("when", postgresql.JSONB(), nullable=False),
        sa.Column("then", postgresql.JSONB(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_rule_market_id_market")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule")),
        sa.UniqueConstraint("market_id", "position", name=op.f("uq_rule_market_id_position")),
    )
    op.create_table(
        "vehicle_model",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("aliases", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brand.id"], name=op.f("fk_vehicle_model_brand_id_brand")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vehicle_model")),
        sa.UniqueConstraint("brand_id", "code", name=op.f("uq_vehicle_model_brand_id_code")),
    )
    op.create_table(
        "closure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("valid", postgresql.TSTZRANGE(), nullable=False),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_closure_span")),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_closure_dealer_id_dealer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closure")),
    )
    op.create_index(op.f("ix_closure_dealer_id"), "closure", ["dealer_id"], unique=False)
    op.create_table(
        "competence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("valid", postgresql.TSTZRANGE(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brand.id"], name=op.f("fk_competence_brand_id_brand")
        ),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_competence_dealer_id_dealer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_competence")),
    )
    op.create_index(
        "ix_competence_dealer_id_brand_id", "competence", ["dealer_id", "brand_id"], unique=False
    )
    op.create_table(
        "dealer_load",
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("day_used", sa.Integer(), nullable=False),
        sa.Column("month_used", sa.Integer(), nullable=False),
        sa.Column("open_used", sa.Integer(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "day_used >= 0 AND month_used >= 0 AND open_used >= 0",
            name=op.f("ck_dealer_load_counts"),
        ),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_dealer_load_dealer_id_dealer")
        ),
        sa.PrimaryKeyConstraint("dealer_id", name=op.f("pk_dealer_load")),
    )
    op.create_table(
        "dealer_terms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("languages", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("street", sa.String(), nullable=False),
        sa.Column("postcode", sa.String(), nullable=False),
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("country", sa.CHAR(length=2), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("hours", sa.String(), nullable=False),
        sa.Column("day_cap", sa.Integer(), nullable=True),
        sa.Column("month_cap", sa.Integer(), nullable=True),
        sa.Column("open_cap", sa.Integer(), nullable=True),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("quality", sa.Double(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("valid", postgresql.TSTZRANGE(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.text("int8range(dealer_id, dealer_id, '[]')"), "&&"),
            (sa.column("valid"), "&&"),
            using="gist",
            name="ex_dealer_terms_dealer_id_valid",
        ),
        sa.CheckConstraint(
            "day_cap >= 0 AND month_cap >= 0 AND open_cap >= 0", name=op.f("ck_dealer_terms_caps")
        ),
        sa.CheckConstraint(
            "lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180",
            name=op.f("ck_dealer_terms_place"),
        ),
        sa.CheckConstraint("weight > 0", name=op.f("ck_dealer_terms_weight")),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_dealer_terms_dealer_id_dealer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dealer_terms")),
    )
    op.create_index(op.f("ix_dealer_terms_dealer_id"), "dealer_terms", ["dealer_id"], unique=False)
    op.create_table(
        "source",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=True),
        sa.Column("brand_id", sa.Integer(), nullable=True),
        sa.Column("key_hash", sa.String(), nullable=True),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("defaults", postgresql.JSONB(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_source_brand_id_brand")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_source_campaign_id_campaign")
        ),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_source_market_id_market")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source")),
        sa.UniqueConstraint("code", name=op.f("uq_source_code")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_source_key_hash")),
    )
    op.create_index(op.f("ix_source_market_id"), "source", ["market_id"], unique=False)
    op.create_table(
        "territory",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("postcodes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "area", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("valid", postgresql.TSTZRANGE(), nullable=False),
        sa.CheckConstraint(
            "cardinality(postcodes) > 0 OR area IS NOT NULL", name=op.f("ck_territory_something")
        ),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_territory_dealer_id_dealer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_territory")),
    )
    op.create_index(op.f("ix_territory_dealer_id"), "territory", ["dealer_id"], unique=False)
    op.create_table(
        "user_scope",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=True),
        sa.Column("dealer_id", sa.Integer(), nullable=True),
        sa.Column("brand_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "num_nonnulls(market_id, dealer_id) <= 1", name=op.f("ck_user_scope_one_part")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brand.id"], name=op.f("fk_user_scope_brand_id_brand")
        ),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_user_scope_dealer_id_dealer")
        ),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_user_scope_market_id_market")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_user_scope_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_scope")),
        sa.UniqueConstraint(
            "user_id",
            "market_id",
            "dealer_id",
            "brand_id",
            name=op.f("uq_user_scope_user_id_market_id_dealer_id_brand_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_user_scope_dealer_id"), "user_scope", ["dealer_id"], unique=False)
    op.create_table(
        "delivery_key",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("intake_id", sa.Uuid(), nullable=False),
        sa.Column("lead_ids", postgresql.ARRAY(postgresql.UUID()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_delivery_key_source_id_source")
        ),
        sa.PrimaryKeyConstraint("source_id", "key", name=op.f("pk_delivery_key")),
    )
    op.create_table(
        "form",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("definition", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_form_source_id_source")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form")),
        sa.UniqueConstraint("code", name=op.f("uq_form_code")),
    )
    op.create_table(
        "intake",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("problem", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("status IN ('accepted','quarantined')", name=op.f("ck_intake_status")),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_intake_source_id_source")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intake")),
        postgresql_partition_by="RANGE (id)",
    )
    op.create_index(
        "ix_intake_quarantined",
        "intake",
        ["id"],
        unique=False,
        postgresql_where="status = 'quarantined'",
    )
    op.create_table(
        "lead",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=True),
        sa.Column("intake_id", sa.Uuid(), nullable=True),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("company", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("postcode", sa.String(), nullable=False),
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("street", sa.String(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("location_method", sa.String(), nullable=False),
        sa.Column("accuracy_km", sa.Double(), nullable=True),
        sa.Column("brand_id", sa.Integer(), nullable=True),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("request_type", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("comments", sa.String(), nullable=False),
        sa.Column("preferred_dealer", sa.String(), nullable=False),
        sa.Column("given", postgresql.JSONB(), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("band", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("next_action_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("promise_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("contacted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("postponed", sa.Integer(), nullable=False),
        sa.CheckConstraint("band IN ('hot','warm','cold')", name=op.f("ck_lead_band")),
        sa.CheckConstraint("country ~ '^([A-Z]{2})?$'", name=op.f("ck_lead_country")),
        sa.CheckConstraint(
            "dealer_id IS NOT NULL OR status NOT IN ('offered','accepted','contacted','won')",
            name=op.f("ck_lead_owned"),
        ),
        sa.CheckConstraint(
            "status IN ('received','incomplete','unlocated','unrouted','offered','accepted',"
            "'contacted','won','lost','withdrawn')",
            name=op.f("ck_lead_status"),
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_lead_brand_id_brand")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_lead_campaign_id_campaign")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_lead_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_lead_dealer_id_dealer")
        ),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_lead_market_id_market")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name=op.f("fk_lead_owner_id_user")),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_lead_source_id_source")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead")),
        sa.UniqueConstraint("reference", name=op.f("uq_lead_reference")),
    )
    op.create_index("ix_lead_created_at", "lead", ["created_at"], unique=False)
    op.create_index(op.f("ix_lead_customer_id"), "lead", ["customer_id"], unique=False)
    op.create_index(
        "ix_lead_dealer_id_status_created_at",
        "lead",
        ["dealer_id", "status", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_lead_due",
        "lead",
        ["next_action_at"],
        unique=False,
        postgresql_where=sa.text("next_action_at IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_market_id_status_created_at",
        "lead",
        ["market_id", "status", "created_at"],
        unique=False,
    )
    op.create_index(op.f("ix_lead_owner_id"), "lead", ["owner_id"], unique=False)
    op.create_index(op.f("ix_lead_source_id"), "lead", ["source_id"], unique=False)
    op.create_table(
        "consent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("text_version", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_consent_lead_id_lead")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index(op.f("ix_consent_lead_id"), "consent", ["lead_id"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("dealer_id", sa.Integer(), nullable=True),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_event_actor_id_user")),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_event_dealer_id_dealer")
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_event_lead_id_lead")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        postgresql_partition_by="RANGE (id)",
    )
    op.create_index("ix_event_lead_id_id", "event", ["lead_id", "id"], unique=False)
    op.create_table(
        "message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=True),
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=True),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("context", postgresql.JSONB(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.CheckConstraint(
            "audience IN ('dealer','customer','headquarters')", name=op.f("ck_message_audience")
        ),
        sa.CheckConstraint(
            "status IN ('queued','sent','failed','dropped')", name=op.f("ck_message_status")
        ),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_message_dealer_id_dealer")
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_message_lead_id_lead")),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_message_market_id_market")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("cause", name=op.f("uq_message_cause")),
    )
    op.create_index(
        "ix_message_due",
        "message",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("status = 'queued'"),
    )
    op.create_index("ix_message_lead_id", "message", ["lead_id"], unique=False)
    op.create_index(op.f("ix_message_market_id"), "message", ["market_id"], unique=False)
    op.create_table(
        "outcome",
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("order_number", sa.String(), nullable=False),
        sa.Column("value", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("currency", sa.CHAR(length=3), nullable=True),
        sa.CheckConstraint("kind = 'won' OR reason <> ''", name=op.f("ck_outcome_reason")),
        sa.CheckConstraint("kind IN ('won','lost')", name=op.f("ck_outcome_kind")),
        sa.CheckConstraint("value >= 0", name=op.f("ck_outcome_value")),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_outcome_dealer_id_dealer")
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_outcome_lead_id_lead")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_outcome_user_id_user")),
        sa.PrimaryKeyConstraint("lead_id", name=op.f("pk_outcome")),
    )
    op.create_index(op.f("ix_outcome_dealer_id"), "outcome", ["dealer_id"], unique=False)
    op.create_table(
        "planned_action",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('call','test_drive','visit')", name=op.f("ck_planned_action_kind")
        ),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_planned_action_dealer_id_dealer")
        ),
        sa.ForeignKeyConstraint(
            ["lead_id"], ["lead.id"], name=op.f("fk_planned_action_lead_id_lead")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user.id"], name=op.f("fk_planned_action_owner_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_planned_action")),
    )
    op.create_index(
        op.f("ix_planned_action_dealer_id"), "planned_action", ["dealer_id"], unique=False
    )
    op.create_index(op.f("ix_planned_action_lead_id"), "planned_action", ["lead_id"], unique=False)
    op.create_index(
        "ix_planned_action_open",
        "planned_action",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "routing_decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("policy_id", sa.Integer(), nullable=True),
        sa.Column("dealer_id", sa.Integer(), nullable=True),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("inputs", postgresql.JSONB(), nullable=False),
        sa.Column("result", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_routing_decision_dealer_id_dealer")
        ),
        sa.ForeignKeyConstraint(
            ["lead_id"], ["lead.id"], name=op.f("fk_routing_decision_lead_id_lead")
        ),
        sa.ForeignKeyConstraint(
            ["policy_id"],
            ["routing_policy.id"],
            name=op.f("fk_routing_decision_policy_id_routing_policy"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routing_decision")),
    )
    op.create_index(
        "ix_routing_decision_lead_id_at", "routing_decision", ["lead_id", "at"], unique=False
    )
    op.create_table(
        "offer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("distance_km", sa.Double(), nullable=True),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('open','accepted','declined','expired','withdrawn')",
            name=op.f("ck_offer_state"),
        ),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_offer_dealer_id_dealer")
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["routing_decision.id"],
            name=op.f("fk_offer_decision_id_routing_decision"),
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_offer_lead_id_lead")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
    )
    op.create_index(
        "ix_offer_dealer_id_offered_at", "offer", ["dealer_id", "offered_at"], unique=False
    )
    op.create_index("ix_offer_lead_id_offered_at", "offer", ["lead_id", "offered_at"], unique=False)
    op.create_index(
        "uq_offer_one_holder",
        "offer",
        ["lead_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('open','accepted')"),
    )
    # What no month's partition takes (a clock gone astray) is kept rather than refused.
    op.execute("CREATE TABLE event_default PARTITION OF event DEFAULT")
    op.execute("CREATE TABLE intake_default PARTITION OF intake DEFAULT")
    op.execute("INSERT INTO network_version (id, version, changed_at) VALUES (1, 1, now())")


def downgrade() -> None:
    op.drop_table("offer")
    op.drop_table("routing_decision")
    op.drop_table("planned_action")
    op.drop_table("outcome")
    op.drop_table("message")
    op.drop_table("event")
    op.drop_table("consent")
    op.drop_table("lead")
    op.drop_table("intake")
    op.drop_table("form")
    op.drop_table("delivery_key")
    op.drop_table("user_scope")
    op.drop_table("territory")
    op.drop_table("source")
    op.drop_table("dealer_terms")
    op.drop_table("dealer_load")
    op.drop_table("competence")
    op.drop_table("closure")
    op.drop_table("vehicle_model")
    op.drop_table("rule")
    op.drop_table("routing_policy")
    op.drop_table("role_user")
    op.drop_table("place_name")
    op.drop_table("market_country")
    op.drop_table("dealer")
    op.drop_table("customer_key")
    op.drop_table("campaign")
    op.drop_table("user")
    op.drop_table("role")
    op.drop_table("postcode")
    op.drop_table("place")
    op.drop_table("network_version")
    op.drop_table("market")
    op.drop_table("heartbeat")
    op.drop_table("dealer_group")
    op.drop_table("customer")
    op.drop_table("brand")
