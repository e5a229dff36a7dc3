"""Answers whose time is over are forgotten: custom fields say how long theirs are kept, and files
when they go. Of each it stays in the lead's history that there was something.

Deliveries are left as they came in the raw intake, which keeps them by its own rules.
"""

from __future__ import annotations

import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Text, and_, cast, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from lmt.db import SessionFactory
from lmt.forms.definition import BadForm, FormDefinition
from lmt.forms.fields import FieldDefinition, field_from
from lmt.models import CustomField, FormFile, FormVersion, Inquiry, Lead, record
from lmt.models.lead import ATTRIBUTED
from lmt.scope import SYSTEM, act_as

log = structlog.get_logger(__name__)

BATCH = 500
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Period:
    """Answers under `key` of the leads that `of` holds for are kept for so many days."""

    key: str
    days: int
    of: ColumnElement[bool]


def forget_all(sessions: SessionFactory, at: datetime) -> int:
    """Forget all that is due at `at`, in transactions of BATCH rows; returns how many rows lost
    something. What somebody holds just now goes the next time."""
    forgotten = 0
    with act_as(sessions(), SYSTEM) as session:
        while found := forget_files(session, at):
            forgotten += found
        for period in periods(session):
            while found := forget_answers(session, period, at):
                forgotten += found
            while found := forget_answers_again(session, period, at):
                forgotten += found
    if forgotten:
        log.info("answers.forgotten", rows=forgotten)
    return forgotten


def forget_files(session: Session, at: datetime) -> int:
    """Delete files whose time is over, whether a lead has them or nobody sent them; commits."""
    due = select(FormFile.id).where(FormFile.forget_at <= at).limit(BATCH)
    ids = session.scalars(due.with_for_update(skip_locked=True)).all()
    session.execute(delete(FormFile).where(FormFile.id.in_(ids)))
    session.commit()
    return len(ids)


def forget_answers(session: Session, period: Period, at: datetime) -> int:
    """Take an answer from leads that came longer ago than it is kept; commits."""
    due = select(Lead.id, Lead.given["attributes"][period.key]["file"].astext).where(
        text(ATTRIBUTED),
        # Of a list or a text with the key in it there is nothing to take.
        func.jsonb_typeof(Lead.given["attributes"]) == "object",
        text("given -> 'attributes' ? :kept_key").bindparams(kept_key=period.key),
        Lead.created_at <= at - timedelta(days=period.days),
        period.of,
    )
    found = session.execute(due.limit(BATCH).with_for_update(of=Lead, skip_locked=True)).all()
    ids = [id for id, _file in found]
    session.execute(
        update(Lead)
        .where(Lead.id.in_(ids))
        .values(given=Lead.given.op("#-")(_path(period)))
        .execution_options(synchronize_session=False)
    )
    _forget_their_files(session, [file for _id, file in found], period)
    _remember(session, ids, period, at)
    return len(ids)


def forget_answers_again(session: Session, period: Period, at: datetime) -> int:
    """The same of what their customers said when they asked again; commits."""
    due = (
        select(Inquiry.id, Inquiry.lead_id, Inquiry.given["attributes"][period.key]["file"].astext)
        .join(Lead, Lead.id == Inquiry.lead_id)
        .where(
            func.jsonb_typeof(Inquiry.given["attributes"]) == "object",
            func.jsonb_exists(Inquiry.given["attributes"], period.key),
            Inquiry.at <= at - timedelta(days=period.days),
            period.of,
        )
    )
    found = session.execute(due.limit(BATCH).with_for_update(of=Inquiry, skip_locked=True)).all()
    session.execute(
        update(Inquiry)
        .where(Inquiry.id.in_([id for id, *_rest in found]))
        .values(given=Inquiry.given.op("#-")(_path(period)))
        .execution_options(synchronize_session=False)
    )
    _forget_their_files(session, [file for *_ids, file in found], period)
    lead_ids = list(dict.fromkeys(lead_id for _id, lead_id, _file in found))
    _remember(session, lead_ids, period, at)
    return len(found)


def _forget_their_files(session: Session, named: Iterable[str | None], period: Period) -> None:
    """What such answers named goes with them: the form it came with may keep it longer than
    the field does."""
    ids = [uuid.UUID(name) for name in named if name and _UUID.fullmatch(name)]
    if ids:
        session.execute(delete(FormFile).where(FormFile.id.in_(ids), FormFile.field == period.key))


def periods(session: Session) -> Iterator[Period]:
    """How long answers are kept: as the market's field says, else the general one, else the form
    they were given in."""
    fields: defaultdict[str, dict[int | None, int | None]] = defaultdict(dict)
    for market_id, key, definition in session.execute(
        select(CustomField.market_id, CustomField.key, CustomField.definition)
    ):
        fields[key][market_id] = _days(definition)
    for key, of_markets in fields.items():
        own = [id for id in of_markets if id is not None]
        for market_id, days in of_markets.items():
            if days is not None:
                mine = Lead.market_id == market_id
                yield Period(key, days, Lead.market_id.not_in(own) if market_id is None else mine)
    with_periods = cast(FormVersion.definition, Text).contains("retention_days")
    for id, definition in session.execute(
        select(FormVersion.id, FormVersion.definition).where(with_periods)
    ):
        for item in _fields_of(definition):
            of_markets = fields.get(item.key, {})
            if item.retention_days is not None and None not in of_markets:
                of = and_(
                    Lead.form_version_id == id,
                    Lead.market_id.not_in([market for market in of_markets if market is not None]),
                )
                yield Period(item.key, item.retention_days, of)


def _fields_of(definition: dict[str, Any]) -> Sequence[FieldDefinition]:
    """None of a form that can't be read any more: others are not to wait for it."""
    try:
        return FormDefinition.from_json(definition).fields
    except BadForm:
        log.warning("answers.form_unreadable", form=definition.get("code"))
        return ()


def _days(definition: dict[str, Any]) -> int | None:
    try:
        return field_from(definition).retention_days
    except (BadForm, KeyError, TypeError):
        return None


def _path(period: Period) -> ColumnElement[Any]:
    return cast(["attributes", period.key], ARRAY(Text))


def _remember(
    session: Session, lead_ids: Sequence[uuid.UUID], period: Period, at: datetime
) -> None:
    for lead_id in lead_ids:
        record(session, lead_id, "answers_forgotten", at=at, text=period.key)
    session.commit()
