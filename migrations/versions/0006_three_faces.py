"""Three faces: what desk, console and customer keep; mails in a market's words; search by words.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Functions of an index run with a search path of their own (PostgreSQL 17): they keep ours.
# What folds to the same letters is found by either: case, accents, vowel signs, digits.
_FOLD = r"""
CREATE FUNCTION lead_fold(said text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT COST 20 AS $$
  SELECT replace(replace(replace(translate(
    regexp_replace(normalize(lower(normalize(said, NFKD)), NFKD),
      '[\u0300-\u036f\u064b-\u065f\u0670\u0640]', '', 'g'),
    'łøđðþıħŧىةکیٱ٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹',
    'loddtihtيهكيا01234567890123456789'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe')
$$
"""
_SEPARATORS = r"[[:space:]!-/:-@\[-`{-~،؛؟«»„“”‘’…·–—]+"
_SPLIT = f"""
CREATE FUNCTION lead_split(said text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT COST 20 SET search_path FROM CURRENT AS $$
  SELECT array_remove(regexp_split_to_array(lead_fold(said), '{_SEPARATORS}'), '')
$$
"""
# Phones are kept forwards and backwards: found by how they begin, and by how they end.
_WORDS = r"""
CREATE FUNCTION lead_words(
  full_name text, company text, email text, phone text, reference text, model text, given jsonb
) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000 SET search_path FROM CURRENT AS $$
  SELECT array_to_tsvector(array(
    SELECT DISTINCT left(word, 200) FROM (
      SELECT unnest(lead_split(concat_ws(' ', full_name, company, model))) AS word
      UNION ALL SELECT lead_fold(email)
      UNION ALL SELECT unnest(lead_split(email))
      UNION ALL SELECT replace(lead_fold(reference), '-', '')
      UNION ALL SELECT 'n:' || digits FROM (
        SELECT regexp_replace(phone, '[^0-9]', '', 'g') AS digits) AS p WHERE digits <> ''
      UNION ALL SELECT 'r:' || reverse(digits) FROM (
        SELECT regexp_replace(phone, '[^0-9]', '', 'g') AS digits) AS p WHERE digits <> ''
      UNION ALL SELECT regexp_replace(lead_fold(told), '[^a-z0-9]', '', 'g') FROM unnest(ARRAY[
        given #>> '{vehicle,vin}', given #>> '{vehicle,plate}',
        given #>> '{vehicle,trade_in,vin}', given #>> '{vehicle,trade_in,plate}'
      ]) AS told
    ) AS words WHERE word <> ''
  ))
$$
"""
_QUERY = r"""
CREATE FUNCTION lead_query(said text) RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT COST 1000 SET search_path FROM CURRENT AS $$
DECLARE
  folded text := trim(lead_fold(said));
  joined text := regexp_replace(folded, '[^a-z0-9]', '', 'g');
  digits text := ltrim(regexp_replace(folded, '[^0-9]', '', 'g'), '0');
  split text[] := lead_split(said);
  ways text[];
  words text;
BEGIN
  -- Only the last word may be begun: a common beginning costs all that begin so.
  SELECT string_agg(quote_literal(word) || CASE
      WHEN place = cardinality(split) AND length(word) > 1 THEN ':*' ELSE '' END, ' & ')
    INTO words FROM unnest(split) WITH ORDINALITY AS each (word, place);
  IF folded ~ '^[^@[:space:]''\\]+@[^[:space:]''\\]*$' THEN
    ways := ways || (quote_literal(folded) || ':*');
  ELSIF words IS NOT NULL THEN
    ways := ways || ('(' || words || ')');
  END IF;
  IF length(joined) >= 4 AND folded ~ '[[:space:]-]' THEN
    ways := ways || (quote_literal(joined) || ':*');
  END IF;
  IF length(digits) >= 4 AND folded ~ '^[0-9 +()./-]+$' THEN
    ways := ways || (quote_literal('n:' || digits) || ':*');
    ways := ways || (quote_literal('r:' || reverse(digits)) || ':*');
  END IF;
  RETURN coalesce(array_to_string(ways, ' | '), '')::tsquery;
END
$$
"""
_OPEN = "'received','incomplete','unlocated','unrouted','offered','accepted','contacted','resting'"
_NEW_PERMISSIONS = {
    "help.answer": "('headquarters','central','administrator')",
    "text.edit": "('headquarters','central','administrator')",
    "market.edit": "('headquarters','central','administrator')",
    "user.edit": "('headquarters','central','administrator')",
    "dealer.manage": "('manager','administrator')",
}
_TABLES = (
    "help_post", "verdict", "tap", "reply", "help_thread", "feedback", "slot_use", "slot_terms",
    "mail_text_version", "saved_view", "reply_template", "market_status", "mail_text", "mail_mute",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "mail_mute",
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("recipient", "kind", name=op.f("pk_mail_mute")),
    )
    op.create_table(
        "mail_text",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=True),
        sa.Column(
            "draft", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("drafted_by", sa.Integer(), nullable=True),
        sa.Column("published_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["drafted_by"], ["user.id"], name=op.f("fk_mail_text_drafted_by_user")
        ),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_mail_text_market_id_market")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_text")),
    )
    op.create_index(op.f("ix_mail_text_market_id"), "mail_text", ["market_id"], unique=False)
    op.create_index(
        "uq_mail_text_kind_market_id",
        "mail_text",
        ["kind", sa.text("coalesce(market_id, 0)")],
        unique=True,
    )
    op.create_table(
        "market_status",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("names", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_market_status_market_id_market")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_market_status")),
        sa.UniqueConstraint("market_id", "code", name=op.f("uq_market_status_market_id_code")),
    )
    op.create_table(
        "reply_template",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=True),
        sa.Column("brand_id", sa.Integer(), nullable=True),
        sa.Column("request_type", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("texts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind IN ('reply','snippet')", name=op.f("ck_reply_template_kind")),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brand.id"], name=op.f("fk_reply_template_brand_id_brand")
        ),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_reply_template_market_id_market")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply_template")),
    )
    op.create_index(
        op.f("ix_reply_template_market_id"), "reply_template", ["market_id"], unique=False
    )
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("room", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("filters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("room IN ('desk','console')", name=op.f("ck_saved_view_room")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_saved_view_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint(
            "user_id", "room", "name", name=op.f("uq_saved_view_user_id_room_name")
        ),
    )
    op.create_table(
        "mail_text_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mail_text_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("texts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mail_text_id"],
            ["mail_text.id"],
            name=op.f("fk_mail_text_version_mail_text_id_mail_text"),
        ),
        sa.ForeignKeyConstraint(
            ["published_by"], ["user.id"], name=op.f("fk_mail_text_version_published_by_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_text_version")),
        sa.UniqueConstraint(
            "mail_text_id", "number", name=op.f("uq_mail_text_version_mail_text_id_number")
        ),
    )
    op.create_table(
        "slot_terms",
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("notice_minutes", sa.Integer(), nullable=False),
        sa.Column("days_ahead", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('test_drive','visit','call')", name=op.f("ck_slot_terms_kind")
        ),
        sa.CheckConstraint("capacity BETWEEN 0 AND 100", name=op.f("ck_slot_terms_capacity")),
        sa.CheckConstraint("days_ahead BETWEEN 1 AND 120", name=op.f("ck_slot_terms_days_ahead")),
        sa.CheckConstraint("minutes BETWEEN 10 AND 480", name=op.f("ck_slot_terms_minutes")),
        sa.CheckConstraint("notice_minutes BETWEEN 0 AND 20160", name=op.f("ck_slot_terms_notice")),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_slot_terms_dealer_id_dealer")
        ),
        sa.PrimaryKeyConstraint("dealer_id", "kind", name=op.f("pk_slot_terms")),
    )
    op.create_table(
        "slot_use",
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.CheckConstraint("used >= 0", name=op.f("ck_slot_use_used")),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_slot_use_dealer_id_dealer")
        ),
        sa.PrimaryKeyConstraint("dealer_id", "kind", "starts_at", name=op.f("pk_slot_use")),
    )
    op.create_table(
        "feedback",
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.CheckConstraint("score BETWEEN 1 AND 5", name=op.f("ck_feedback_score")),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_feedback_dealer_id_dealer")
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_feedback_lead_id_lead")),
        sa.PrimaryKeyConstraint("lead_id", name=op.f("pk_feedback")),
    )
    op.create_index(op.f("ix_feedback_dealer_id"), "feedback", ["dealer_id"], unique=False)
    op.create_table(
        "help_thread",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("market_id", sa.Integer(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=False),
        sa.Column("expert_id", sa.Integer(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["user.id"], name=op.f("fk_help_thread_asked_by_user")
        ),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_help_thread_dealer_id_dealer")
        ),
        sa.ForeignKeyConstraint(
            ["expert_id"], ["user.id"], name=op.f("fk_help_thread_expert_id_user")
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_help_thread_lead_id_lead")),
        sa.ForeignKeyConstraint(
            ["market_id"], ["market.id"], name=op.f("fk_help_thread_market_id_market")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_help_thread")),
    )
    op.create_index(op.f("ix_help_thread_dealer_id"), "help_thread", ["dealer_id"], unique=False)
    op.create_index(op.f("ix_help_thread_expert_id"), "help_thread", ["expert_id"], unique=False)
    op.create_index(op.f("ix_help_thread_lead_id"), "help_thread", ["lead_id"], unique=False)
    op.create_index(
        "ix_help_thread_open",
        "help_thread",
        ["market_id"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "reply",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("template_id", sa.Integer(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name=op.f("fk_reply_author_id_user")),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_reply_dealer_id_dealer")
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_reply_lead_id_lead")),
        sa.ForeignKeyConstraint(
            ["template_id"], ["reply_template.id"], name=op.f("fk_reply_template_id_reply_template")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply")),
    )
    op.create_index(op.f("ix_reply_dealer_id"), "reply", ["dealer_id"], unique=False)
    op.create_index(op.f("ix_reply_lead_id"), "reply", ["lead_id"], unique=False)
    op.create_table(
        "tap",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=True),
        sa.Column("offer_id", sa.Uuid(), nullable=True),
        sa.Column("plan_id", sa.Integer(), nullable=True),
        sa.Column("dealer_id", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealer.id"], name=op.f("fk_tap_dealer_id_dealer")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_tap_lead_id_lead")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_tap_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tap")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_tap_token_hash")),
    )
    op.create_index(op.f("ix_tap_lead_id"), "tap", ["lead_id"], unique=False)
    op.create_table(
        "verdict",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("dealer_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("contested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("contested_by", sa.String(), nullable=False),
        sa.Column("contest_note", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.Integer(), nullable=True),
        sa.Column("answer_note", sa.String(), nullable=False),
        sa.CheckConstraint("answer IN ('','upheld','changed')", name=op.f("ck_verdict_answer")),
        sa.ForeignKeyConstraint(
            ["answered_by"], ["user.id"], name=op.f("fk_verdict_answered_by_user")
        ),
        sa.ForeignKeyConstraint(
            ["dealer_id"], ["dealer.id"], name=op.f("fk_verdict_dealer_id_dealer")
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_verdict_lead_id_lead")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_verdict_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdict")),
        sa.UniqueConstraint("lead_id", "dealer_id", name=op.f("uq_verdict_lead_id_dealer_id")),
    )
    op.create_index(op.f("ix_verdict_dealer_id"), "verdict", ["dealer_id"], unique=False)
    op.create_table(
        "help_post",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["user.id"], name=op.f("fk_help_post_author_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["help_thread.id"], name=op.f("fk_help_post_thread_id_help_thread")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_help_post")),
    )
    op.create_index(op.f("ix_help_post_thread_id"), "help_post", ["thread_id"], unique=False)
    op.add_column("consent", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "lead", sa.Column("market_status", sa.String(), server_default="", nullable=False)
    )
    op.add_column("lead", sa.Column("links_revoked_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_index(op.f("ix_lead_source_id"), table_name="lead")
    op.create_index(
        "ix_lead_campaign_id_created_at",
        "lead",
        ["campaign_id", "created_at"],
        unique=False,
        postgresql_where=sa.text("campaign_id IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_source_id_created_at", "lead", ["source_id", "created_at"], unique=False
    )
    op.add_column(
        "market",
        sa.Column(
            "customer_may_move", sa.Boolean(), server_default=sa.text("true"), nullable=False
        ),
    )
    op.add_column(
        "market",
        sa.Column("asks_feedback", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.add_column("planned_action", sa.Column("slot_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "planned_action",
        sa.Column("booked_by", sa.String(), server_default="dealer", nullable=False),
    )
    op.add_column(
        "planned_action", sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("setting_change", sa.Column("undoes_id", sa.Integer(), nullable=True))
    op.create_unique_constraint(
        op.f("uq_setting_change_undoes_id"), "setting_change", ["undoes_id"]
    )
    op.create_foreign_key(
        op.f("fk_setting_change_undoes_id_setting_change"),
        "setting_change",
        "setting_change",
        ["undoes_id"],
        ["id"],
    )
    op.add_column("user", sa.Column("week_start", sa.Integer(), nullable=True))
    op.add_column("user", sa.Column("number_style", sa.String(), server_default="", nullable=False))
    op.add_column("user_scope", sa.Column("group_id", sa.Integer(), nullable=True))
    op.drop_constraint(
        op.f("uq_user_scope_user_id_market_id_dealer_id_brand_id"), "user_scope", type_="unique"
    )
    op.create_index(op.f("ix_user_scope_group_id"), "user_scope", ["group_id"], unique=False)
    op.create_unique_constraint(
        op.f("uq_user_scope_user_id_market_id_dealer_id_group_id_brand_id"),
        "user_scope",
        ["user_id", "market_id", "dealer_id", "group_id", "brand_id"],
        postgresql_nulls_not_distinct=True,
    )
    op.create_foreign_key(
        op.f("fk_user_scope_group_id_dealer_group"),
        "user_scope",
        "dealer_group",
        ["group_id"],
        ["id"],
    )
    op.create_foreign_key(
        "fk_mail_text_published_id", "mail_text", "mail_text_version", ["published_id"], ["id"]
    )
    op.create_check_constraint(
        op.f("ck_planned_action_booked_by"),
        "planned_action",
        "booked_by IN ('dealer','customer','agent')",
    )
    op.drop_constraint(op.f("ck_user_scope_one_part"), "user_scope")
    op.create_check_constraint(
        op.f("ck_user_scope_one_part"),
        "user_scope",
        "num_nonnulls(market_id, dealer_id, group_id) <= 1",
    )
    op.execute(
        "CREATE FUNCTION mail_text_version_stays() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'a published mail text never changes'; END $$"
    )
    op.execute(
        "CREATE TRIGGER stays BEFORE UPDATE ON mail_text_version"
        " FOR EACH ROW EXECUTE FUNCTION mail_text_version_stays()"
    )
    op.create_index(
        "ix_planned_action_slot_at",
        "planned_action",
        ["slot_at"],
        postgresql_where=sa.text("slot_at IS NOT NULL"),
    )
    op.create_index(
        "ix_planned_action_visit",
        "planned_action",
        ["due_at"],
        postgresql_where=sa.text("kind <> 'call'"),
    )
    op.drop_index("ix_lead_created_at", table_name="lead")
    op.create_index("ix_lead_created_at", "lead", ["created_at", "id"])
    op.create_index("ix_lead_market_id_created_at", "lead", ["market_id", "created_at", "id"])
    op.create_index(
        "ix_lead_open",
        "lead",
        ["created_at", "id"],
        postgresql_include=["status", "market_id", "brand_id"],
        postgresql_where=sa.text(f"status IN ({_OPEN})"),
    )
    op.create_index(
        "ix_offer_open", "offer", ["expires_at"], postgresql_where=sa.text("state = 'open'")
    )
    op.create_index(
        "ix_message_failing",
        "message",
        ["id"],
        postgresql_include=["market_id"],
        postgresql_where=sa.text("status = 'failed' OR status = 'queued' AND attempts > 0"),
    )
    op.create_index(
        "ix_verdict_contested",
        "verdict",
        ["lead_id"],
        postgresql_where=sa.text("contested_at IS NOT NULL AND answered_at IS NULL"),
    )
    for permission, roles in _NEW_PERMISSIONS.items():
        op.execute(
            f"UPDATE role SET permissions = array_append(permissions, '{permission}')"
            f" WHERE name IN {roles} AND NOT '{permission}' = ANY(permissions)"
        )
    for function in (_FOLD, _SPLIT, _WORDS, _QUERY):
        op.get_bind().exec_driver_sql(function)
    op.create_index(
        "ix_lead_search",
        "lead",
        [sa.text("lead_words(full_name, company, email, phone, reference, model, given)")],
        unique=False,
        postgresql_using="gin",
    )


def downgrade() -> None:
    op.drop_index("ix_lead_search", table_name="lead")
    for function in (
        "lead_query(text)",
        "lead_words(text, text, text, text, text, text, jsonb)",
        "lead_split(text)",
        "lead_fold(text)",
    ):
        op.execute(f"DROP FUNCTION {function}")
    op.drop_constraint("fk_mail_text_published_id", "mail_text")
    for table in _TABLES:
        op.drop_table(table)
    op.execute("DROP FUNCTION mail_text_version_stays()")
    op.drop_constraint(op.f("ck_user_scope_one_part"), "user_scope")
    op.drop_constraint(
        op.f("uq_user_scope_user_id_market_id_dealer_id_group_id_brand_id"),
        "user_scope",
        type_="unique",
    )
    op.execute("DELETE FROM user_scope WHERE group_id IS NOT NULL")
    op.drop_column("user_scope", "group_id")
    op.create_unique_constraint(
        op.f("uq_user_scope_user_id_market_id_dealer_id_brand_id"),
        "user_scope",
        ["user_id", "market_id", "dealer_id", "brand_id"],
        postgresql_nulls_not_distinct=True,
    )
    op.create_check_constraint(
        op.f("ck_user_scope_one_part"), "user_scope", "num_nonnulls(market_id, dealer_id) <= 1"
    )
    op.drop_index("ix_message_failing", table_name="message")
    op.drop_index("ix_offer_open", table_name="offer")
    op.drop_index("ix_lead_open", table_name="lead")
    op.drop_index("ix_lead_market_id_created_at", table_name="lead")
    op.drop_index("ix_lead_created_at", table_name="lead")
    op.create_index("ix_lead_created_at", "lead", ["created_at"])
    op.drop_index("ix_planned_action_visit", table_name="planned_action")
    op.drop_index("ix_planned_action_slot_at", table_name="planned_action")
    op.drop_index("ix_lead_campaign_id_created_at", table_name="lead")
    op.drop_index("ix_lead_source_id_created_at", table_name="lead")
    op.create_index("ix_lead_source_id", "lead", ["source_id"])
    for table, columns in {
        "user": ("week_start", "number_style"),
        "setting_change": ("undoes_id",),
        "planned_action": ("slot_at", "booked_by", "cancelled_at"),
        "market": ("customer_may_move", "asks_feedback"),
        "lead": ("market_status", "links_revoked_at"),
        "consent": ("withdrawn_at",),
    }.items():
        for column in columns:
            op.drop_column(table, column)
