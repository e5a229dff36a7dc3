"""A market's own fields, beside the system's: what forms may ask, leads keep, and reports tell.

Each verb notes who changed what, and commits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

import structlog
from sqlalchemy import ColumnElement, cast, func, literal, or_, select, text, true
from sqlalchemy.dialects.postgresql import JSONPATH, insert
from sqlalchemy.orm import Session

from lmt.dealerchanges import NotNow
from lmt.forms.fields import RESERVED_KEYS, WITH_OPTIONS, BadForm, FieldDefinition, field_from
from lmt.forms.systemfields import SYSTEM_KEYS
from lmt.i18n import gettext as _
from lmt.models import CustomField, Form, FormVersion, Lead, Market, note_change
from lmt.models.lead import ATTRIBUTED
from lmt.scope import Actor

log = structlog.get_logger(__name__)

PERMISSION = "form.edit"
CUSTOM_TYPES = ("text", "longtext", "choice", "choices", "number", "date", "file")
"""Types whose answers leads keep among their attributes; the others have their place already."""
MOST_OPTIONS = 100
LONGEST_WORDS = 1_000
LONGEST_RETENTION_DAYS = 36_500
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OPTION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./:+-]{0,79}")
_ASKED = cast(literal("$.steps[*].fields[*] ? (@.key == $key)"), JSONPATH)


class BadField(ValueError):
    """What was given can't be kept: `problems` by field, in the reader's words."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = dict(problems)


def edited_markets(actor: Actor) -> frozenset[int] | None:
    """Ids of the markets whose own fields the actor keeps; None for all, general ones included."""
    return actor.whole_markets(PERMISSION)


def may_edit(market_id: int | None, actor: Actor) -> bool:
    """A field of every market is central's and the administrator's alone."""
    own = edited_markets(actor)
    return own is None or market_id in own


def seen_by(actor: Actor) -> ColumnElement[bool]:
    """The fields that the actor may put into forms, for a WHERE: their markets' and the general."""
    own = edited_markets(actor)
    if own is None:
        return true()
    return or_(CustomField.market_id.is_(None), CustomField.market_id.in_(own))


def fields_of(session: Session, market_id: int) -> list[FieldDefinition]:
    """The active fields of a market, its own before those of every market; of two with one key the
    market's."""
    rows = session.scalars(
        select(CustomField)
        .where(
            CustomField.active,
            or_(CustomField.market_id == market_id, CustomField.market_id.is_(None)),
        )
        .order_by(CustomField.market_id.is_(None), CustomField.key)
    )
    found: dict[str, FieldDefinition] = {}
    for row in rows:
        found.setdefault(row.key, field_from(row.definition))
    return list(found.values())


def kept_field(session: Session, field_id: int, actor: Actor) -> CustomField:
    """Raises LookupError for a field that isn't there, or isn't the actor's to change."""
    found = session.get(CustomField, field_id)
    if found is None or not may_edit(found.market_id, actor):
        raise LookupError(f"no field {field_id}")
    return found


def create_field(
    session: Session,
    data: Mapping[str, Any],
    *,
    market_id: int | None,
    at: datetime,
    actor: Actor,
) -> CustomField:
    """A field that forms may ask from now on. `data` is a FieldDefinition as JSON.

    Raises BadField naming what can't be so.
    """
    problems = _problems(data)
    if not may_edit(market_id, actor) or (
        market_id is not None and session.get(Market, market_id) is None
    ):
        problems["market"] = _("Choose one of these.")
    if problems:
        raise BadField(problems)
    definition = _definition(data)
    # Of two people who choose the same key one must be told, whoever commits first.
    made = session.scalar(
        insert(CustomField)
        .values(
            market_id=market_id, key=definition.key, definition=definition.to_json(), active=True
        )
        .on_conflict_do_nothing()
        .returning(CustomField.id)
    )
    if made is None:
        raise BadField({"key": _("This key is taken.")})
    row = session.get_one(CustomField, made)
    _note(session, row, at, actor, {}, definition.to_json())
    session.commit()
    log.info("custom_field.created", field=row.key, market=market_id, by=actor.user_id)
    return row


def save_field(
    session: Session,
    field: CustomField,
    data: Mapping[str, Any],
    *,
    seen: str = "",
    at: datetime,
    actor: Actor,
) -> bool:
    """The field is as `data` says from now on; its key stays. Forms that have it are as they were
    until it is put into them anew. False where nothing differs.

    `seen` is the `mark_of` the field that was edited. Raises BadField, among others for another
    type of a field in use; NotNow where it was changed meanwhile; LookupError.
    """
    row = _locked(session, field, actor)
    if seen and seen != mark_of(row):
        raise NotNow(_("Somebody changed this meanwhile. Look at it again."))
    given = {**data, "key": row.key}
    problems = _problems(given, known=row)
    if "type" not in problems and given["type"] != row.definition["type"] and is_used(session, row):
        problems["type"] = _("This field is in use, so its type stays. Set up a new one instead.")
    if problems:
        raise BadField(problems)
    after = _definition(given).to_json()
    if after == row.definition:
        session.rollback()
        return False
    _note(session, row, at, actor, row.definition, after)
    row.definition = after
    session.commit()
    log.info("custom_field.changed", field=row.key, market=row.market_id, by=actor.user_id)
    return True


def retire_field(session: Session, field: CustomField, *, at: datetime, actor: Actor) -> None:
    """Offer it no longer; leads keep what they have, and forms that ask it go on asking."""
    _set_active(session, field, False, at, actor)


def restore_field(session: Session, field: CustomField, *, at: datetime, actor: Actor) -> None:
    """Offer it again."""
    _set_active(session, field, True, at, actor)


def is_used(session: Session, field: CustomField) -> bool:
    """Does a form ask it, as drafted or as ever published, or does a lead have an answer?

    As far as the session's actor sees; a field of every market is changed by who sees them all.
    """
    asks = func.jsonb_path_exists(
        FormVersion.definition, _ASKED, func.jsonb_build_object("key", field.key)
    )
    drafts = func.jsonb_path_exists(Form.draft, _ASKED, func.jsonb_build_object("key", field.key))
    answered = select(Lead.id).where(text(ATTRIBUTED), Lead.given["attributes"].op("?")(field.key))
    if field.market_id is not None:
        answered = answered.where(Lead.market_id == field.market_id)
    return any(
        session.scalar(wanted.limit(1)) is not None
        for wanted in (select(Form.id).where(drafts), select(FormVersion.id).where(asks), answered)
    )


def mark_of(field: CustomField) -> str:
    """Tells whether a field is still the one that a form was filled in from."""
    return sha256(json.dumps(field.definition, sort_keys=True).encode()).hexdigest()[:16]


def subject_of(field: CustomField) -> str:
    """By what the history of a field is found."""
    return f"{field.market_id or '*'}/{field.key}"


def _locked(session: Session, field: CustomField, actor: Actor) -> CustomField:
    row = session.scalars(
        select(CustomField)
        .where(CustomField.id == field.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if row is None or not may_edit(row.market_id, actor):
        raise LookupError(f"no field {field.id}")
    return row


def _set_active(
    session: Session, field: CustomField, active: bool, at: datetime, actor: Actor
) -> None:
    row = _locked(session, field, actor)
    states = {True: "offered", False: "retired"}
    _note(session, row, at, actor, {"state": states[row.active]}, {"state": states[active]})
    row.active = active
    session.commit()
    log.info("custom_field.state", field=row.key, active=active, by=actor.user_id)


def _definition(data: Mapping[str, Any]) -> FieldDefinition:
    try:
        return field_from(data)
    except (BadForm, KeyError, TypeError, ValueError) as problem:
        raise BadField({"": str(problem)}) from problem


def _problems(data: Mapping[str, Any], known: CustomField | None = None) -> dict[str, str]:
    problems: dict[str, str] = {}
    key, kind = str(data.get("key", "")), data.get("type")
    if not _KEY.fullmatch(key):
        problems["key"] = _(
            "Use small letters, digits and underscores, 40 at most, a letter first."
        )
    elif known is None and (key in RESERVED_KEYS or key in SYSTEM_KEYS):
        problems["key"] = _("This key is one of the system's. Choose another.")
    if kind not in CUSTOM_TYPES:
        problems["type"] = _("Choose one of these.")
    if not any(data.get("label", {}).values()):
        problems["label"] = _("Enter what the field is called, in one language at least.")
    if any(
        len(words) > LONGEST_WORDS
        for name in ("label", "help", "error")
        for words in data.get(name, {}).values()
    ):
        most = LONGEST_WORDS
        problems["label"] = _("Shorten this to %(most)s characters or fewer.", most=most)
    if kind in WITH_OPTIONS and (problem := _option_problem(data.get("options", ()))):
        problems["options"] = problem
    least, most_of_it = data.get("least"), data.get("most")
    if least is not None and most_of_it is not None and least > most_of_it:
        problems["most"] = _("The largest is below the smallest.")
    days = data.get("retention_days")
    if days is not None and not 1 <= days <= LONGEST_RETENTION_DAYS:
        problems["retention_days"] = _(
            "Enter a number of days from 1 to %(most)s.", most=LONGEST_RETENTION_DAYS
        )
    return problems


def _option_problem(options: Any) -> str:
    if not options:
        return _("Enter the options to choose from.")
    if len(options) > MOST_OPTIONS:
        return _("These are too many.")
    ids = [option["id"] for option in options]
    twice = next((id for id in ids if ids.count(id) > 1), None)
    if twice is not None:
        return _("Two options have the code “%(code)s”.", code=twice)
    bad = next((id for id in ids if not _OPTION_ID.fullmatch(id)), None)
    if bad is not None:
        return _(
            "“%(code)s” can't be the code of an option. Use letters, digits and hyphens.",
            code=bad,
        )
    if not all(any(option["label"].values()) for option in options):
        return _("Enter what each option is called, in one language at least.")
    return ""


def _note(
    session: Session,
    row: CustomField,
    at: datetime,
    actor: Actor,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> None:
    note_change(
        session,
        "custom_field",
        subject_of(row),
        at=at,
        user_id=actor.user_id,
        before=_told(before),
        after=_told(after),
    )


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    """As people read it: options by their codes, and nothing that is never set."""
    told = {name: value for name, value in values.items() if name not in {"key", "prefill"}}
    if "options" in told:
        told["options"] = {option["id"]: option["label"] for option in told["options"]}
    return told
