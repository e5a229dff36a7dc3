"""What headquarters hears of leads that wait: one mail for many, to whoever keeps the queues."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lmt.calendars import desk_calendar
from lmt.db import uuid7_floor
from lmt.i18n import best_locale
from lmt.models import Lead, Market, Message, UserScope
from lmt.notify.messages import enqueue
from lmt.notify.opening import next_at_work, next_morning
from lmt.notify.recipients import (
    Addressee,
    deputy_context,
    market_keepers,
    present_keepers,
    queue_keepers,
)
from lmt.notify.steps import held_offer_id, step_context, step_key

ESCALATE_EVERY = timedelta(hours=1)
"""A person at headquarters gets one mail of escalations in that time; it lists what waits."""
LOOK_BACK = timedelta(days=14)
"""How far back a person's last mail is looked for: longer than any desk stays closed."""
MOST_COLLECTED = 500
"""Leads that one mail collects; the next ones go into the mail of the next hour."""

_COLLECT = text(
    """
    UPDATE message
       SET context = jsonb_set(context, '{leads}', (context -> 'leads') || CAST(:entry AS jsonb))
     WHERE id = :id AND status = 'queued' AND lease_until IS NULL
       AND jsonb_array_length(context -> 'leads') < :most
    RETURNING id
    """
)
_ATTEMPTS = 5


def notify_headquarters(
    session: Session, lead: Lead, step_state: str, step_minutes: int, at: datetime
) -> None:
    """The lead waits at its dealer: into the next mail of everybody who keeps its queues.

    A person gets one such mail an hour at most, across markets.
    """
    if lead.test:
        return
    session.flush()
    due_at = next_at_work(desk_calendar(lead.market), at)
    offer_id = held_offer_id(session, lead)
    entry = {
        "key": step_key(lead, offer_id, step_state, step_minutes),
        "lead_id": str(lead.id),
        **step_context(lead, offer_id, step_state, step_minutes),
    }
    for reader in present_keepers(session, queue_keepers(session, lead), lead, due_at):
        _collect(session, lead, reader, entry, at)


def remind_queue(session: Session, market_id: int, status: str, at: datetime) -> None:
    """What waits in one queue of the market: to its keepers, at the desk's next morning.

    Once per working morning and person, however often it is called; nothing leaves where the
    queue is empty by then.
    """
    session.flush()
    market = session.scalars(select(Market).where(Market.id == market_id)).one()
    calendar = desk_calendar(market)
    due_at = next_morning(calendar, at)
    day = due_at.astimezone(ZoneInfo(calendar.timezone)).date()
    keepers = market_keepers(session, market_id)
    for reader in present_keepers(session, keepers, None, due_at):
        brands = _brands_of(session, reader, market_id)
        enqueue(
            session,
            cause=f"market:{market_id}:queue:{status}:{day}:{reader.email}",
            kind="headquarters_queue",
            audience="headquarters",
            recipient=reader.email,
            language=best_locale([reader.language]),
            timezone=reader.timezone,
            market_id=market_id,
            context={"status": status, "brands": brands} | deputy_context(reader),
            at=at,
            due_at=due_at,
        )


def _collect(
    session: Session, lead: Lead, reader: Addressee, entry: dict[str, Any], at: datetime
) -> None:
    """Add the lead to the reader's next mail, or begin that mail."""
    # The bare table: whoever acts must not narrow what was already told.
    told = Message.__table__.c
    mine = (
        told.kind == "headquarters_escalation",
        told.recipient == reader.email,
        told.id >= uuid7_floor(at - LOOK_BACK),
    )
    known = told.context.contains({"leads": [{"key": entry["key"]}]})
    if session.execute(select(told.id).where(*mine, known).limit(1)).first() is not None:
        return
    for _ in range(_ATTEMPTS):
        last = session.execute(
            select(told.id, told.status, told.next_attempt_at, told.sent_at)
            .where(*mine)
            .order_by(told.id.desc())
            .limit(1)
        ).first()
        if last is not None and last.status == "queued":
            values = {"id": last.id, "entry": json.dumps([entry]), "most": MOST_COLLECTED}
            if session.execute(_COLLECT, values).first() is not None:
                return
        due_at = at
        if last is not None and last.status != "dropped":
            due_at = max(at, (last.sent_at or last.next_attempt_at) + ESCALATE_EVERY)
        enqueued = enqueue(
            session,
            cause=f"escalations:{reader.email}:after:{'start' if last is None else last.id}",
            kind="headquarters_escalation",
            audience="headquarters",
            recipient=reader.email,
            language=best_locale([reader.language]),
            timezone=reader.timezone,
            market_id=lead.market_id,
            context={"leads": [entry]} | deputy_context(reader),
            at=at,
            due_at=next_at_work(desk_calendar(lead.market), due_at),
        )
        if enqueued:
            return
        # Another transaction began it meanwhile, and has committed by now.


def _brands_of(session: Session, reader: Addressee, market_id: int) -> list[int]:
    """The brands the reader looks after in the market; none for all of them."""
    scopes = session.execute(
        select(UserScope.brand_id, UserScope.market_id).where(
            UserScope.user_id == reader.user_id, UserScope.dealer_id.is_(None)
        )
    ).all()
    brands = {brand_id for brand_id, of_market in scopes if of_market in {None, market_id}}
    return [] if None in brands else sorted(b for b in brands if b is not None)
