"""Forms: drafts and versions that never change, how they fare, files, fields of a market's own.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ATTRIBUTED = "given -> 'attributes' <> '{}'"
_WORDS = "jsonb_to_tsvector('simple', given -> 'attributes', '[\"string\", \"numeric\"]')"
_MAY_EDIT = "('headquarters','central','administrator')"


def upgrade() -> None:
    op.create_table(
        "custom_field",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_custom_field_market_id_market")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_field")),
    )
    op.create_index(op.f("ix_custom_field_market_id"), "custom_field", ["market_id"], unique=False)
    op.create_index(
        "uq_custom_field_market_id_key",
        "custom_field",
        [sa.text("coalesce(market_id, 0)"), "key"],
        unique=True,
    )
    op.execute(
        "CREATE TRIGGER reference_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE"
        " ON custom_field FOR EACH STATEMENT EXECUTE FUNCTION reference_changed()"
    )
    op.create_table(
        "form_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("form_id", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("forget_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["form_id"], ["form.id"], name=op.f("fk_form_file_form_id_form")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_file")),
    )
    op.create_index(op.f("ix_form_file_form_id"), "form_file", ["form_id"], unique=False)
    op.create_table(
        "form_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("form_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["form_id"], ["form.id"], name=op.f("fk_form_version_form_id_form")
        ),
        sa.ForeignKeyConstraint(
            ["published_by"], ["user.id"], name=op.f("fk_form_version_published_by_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_version")),
        sa.UniqueConstraint("form_id", "number", name=op.f("uq_form_version_form_id_number")),
    )
    op.create_table(
        "form_count",
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('seen','started','sent','error','review')", name=op.f("ck_form_count_kind")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["form_version.id"], name=op.f("fk_form_count_version_id_form_version")
        ),
        sa.PrimaryKeyConstraint("version_id", "day", "kind", "field", name=op.f("pk_form_count")),
    )
    op.add_column(
        "consent",
        sa.Column("to_confirm", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("consent", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "form", sa.Column("name", sa.String(), nullable=False, server_default=sa.text("''"))
    )
    op.add_column(
        "form",
        sa.Column(
            "draft",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            server_default=sa.text("'{}'"),
        ),
    )
    op.add_column(
        "form", sa.Column("draft_number", sa.Integer(), nullable=False, server_default=sa.text("1"))
    )
    op.add_column("form", sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("form", sa.Column("drafted_by", sa.Integer(), nullable=True))
    op.add_column("form", sa.Column("published_id", sa.Integer(), nullable=True))
    op.add_column(
        "form",
        sa.Column(
            "origins", postgresql.ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'")
        ),
    )
    op.add_column(
        "form", sa.Column("active", sa.Boolean(), nullable=False, server_default=sa.text("true"))
    )
    op.create_index(op.f("ix_form_source_id"), "form", ["source_id"], unique=False)
    op.create_foreign_key(
        "fk_form_published_id_form_version", "form", "form_version", ["published_id"], ["id"]
    )
    op.create_foreign_key(op.f("fk_form_drafted_by_user"), "form", "user", ["drafted_by"], ["id"])
    _first_versions()
    op.drop_column("form", "definition")
    op.add_column("inquiry", sa.Column("form_version_id", sa.Integer(), nullable=True))
    op.create_foreign_key(
        op.f("fk_inquiry_form_version_id_form_version"),
        "inquiry",
        "form_version",
        ["form_version_id"],
        ["id"],
    )
    op.add_column("lead", sa.Column("form_version_id", sa.Integer(), nullable=True))
    op.create_index(
        "ix_lead_attributes",
        "lead",
        [sa.text("(given -> 'attributes')")],
        unique=False,
        postgresql_using="gin",
        postgresql_where=sa.text(_ATTRIBUTED),
    )
    op.create_index(
        "ix_lead_attributes_words",
        "lead",
        [sa.text(_WORDS)],
        unique=False,
        postgresql_using="gin",
        postgresql_where=sa.text(_ATTRIBUTED),
    )
    op.create_index(
        "ix_lead_form_version_id",
        "lead",
        ["form_version_id"],
        unique=False,
        postgresql_where=sa.text("form_version_id IS NOT NULL"),
    )
    op.create_foreign_key(
        op.f("fk_lead_form_version_id_form_version"),
        "lead",
        "form_version",
        ["form_version_id"],
        ["id"],
    )
    op.add_column(
        "market",
        sa.Column(
            "confirmed_purposes",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            server_default=sa.text("'{}'"),
        ),
    )
    for table, columns in (
        ("form", ("name", "draft", "draft_number", "origins", "active")),
        ("market", ("confirmed_purposes",)),
    ):
        for column in columns:
            op.alter_column(table, column, server_default=None)
    op.execute(
        "CREATE FUNCTION form_version_stays() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION 'a published version never changes'; END $$"
    )
    op.execute(
        "CREATE TRIGGER form_version_stays BEFORE UPDATE ON form_version"
        " FOR EACH ROW EXECUTE FUNCTION form_version_stays()"
    )
    op.execute(
        "UPDATE role SET permissions = array_append(permissions, 'form.edit')"
        f" WHERE name IN {_MAY_EDIT} AND NOT 'form.edit' = ANY(permissions)"
    )


def _first_versions() -> None:
    """What was shown until now is version 1 of each form."""
    op.execute(
        "INSERT INTO form_version (form_id, number, definition, published_at, note)"
        " SELECT id, 1, definition, now(), '' FROM form"
    )
    op.execute(
        "UPDATE form SET draft = definition, name = code, published_id ="
        " (SELECT v.id FROM form_version AS v WHERE v.form_id = form.id)"
    )


def downgrade() -> None:
    op.execute("UPDATE role SET permissions = array_remove(permissions, 'form.edit')")
    op.drop_column("market", "confirmed_purposes")
    for index in ("ix_lead_form_version_id", "ix_lead_attributes_words", "ix_lead_attributes"):
        op.drop_index(index, table_name="lead")
    op.drop_column("lead", "form_version_id")
    op.drop_column("inquiry", "form_version_id")
    op.add_column("form", sa.Column("definition", postgresql.JSONB(astext_type=sa.Text())))
    op.execute(
        "UPDATE form SET definition ="
        " (SELECT v.definition FROM form_version AS v WHERE v.id = form.published_id)"
    )
    # Before there were steps, a form was one list of fields.
    op.execute(
        "UPDATE form SET definition = (definition - 'steps') || jsonb_build_object('fields',"
        " jsonb_path_query_array(definition, '$.steps[*].fields[*]')) WHERE definition ? 'steps'"
    )
    op.execute("DELETE FROM form WHERE definition IS NULL")
    op.alter_column("form", "definition", nullable=False)
    op.drop_index(op.f("ix_form_source_id"), table_name="form")
    for column in (
        "published_id", "active", "origins", "drafted_by", "drafted_at", "draft_number", "draft",
        "name",
    ):  # fmt: skip
        op.drop_column("form", column)
    for column in ("confirmed_at", "to_confirm"):
        op.drop_column("consent", column)
    for table in ("form_count", "form_file", "form_version", "custom_field"):
        op.drop_table(table)
    op.execute("DROP FUNCTION form_version_stays()")
