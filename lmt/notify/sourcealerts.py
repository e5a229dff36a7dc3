"""What headquarters hears of a source that fell silent, fails, or is back: one mail for many.

Mails wait for the desk's hours; what is over by then is never told of.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session, aliased

from lmt.calendars import desk_calendar
from lmt.db import uuid7_floor
from lmt.i18n import best_locale
from lmt.models import Market, Message, Source, SourceAlert, User
from lmt.notify.facts import SourceTrouble
from lmt.notify.messages import enqueue
from lmt.notify.opening import next_at_work
from lmt.notify.recipients import Addressee, deputy_context, market_keepers, present_keepers

TROUBLE = "headquarters_source"
BACK = "headquarters_source_back"
KINDS = frozenset({TROUBLE, BACK})
MOST_SHOWN = 20
MOST_COLLECTED = 500
_READING = "intake.read"
_COLLECT = text(
    """
    UPDATE message
       SET context = jsonb_set(context, '{alerts}', (context -> 'alerts') || CAST(:entry AS jsonb))
     WHERE id = (
           SELECT id FROM message
            WHERE kind = :kind AND recipient = :recipient AND market_id = :market_id
              AND status = 'queued' AND lease_until IS NULL
              AND jsonb_array_length(context -> 'alerts') < :most
            ORDER BY id DESC LIMIT 1)
       AND status = 'queued' AND lease_until IS NULL
    RETURNING id
    """
)


def tell_source_alert(session: Session, alert: SourceAlert, market: Market, at: datetime) -> None:
    """A source fell silent or fails: to everybody who keeps the market's queues and deliveries."""
    session.flush()
    due_at = next_at_work(desk_calendar(market), at)
    keepers = [each for each in market_keepers(session, market.id) if _reads_deliveries(each)]
    for reader in present_keepers(session, keepers, None, due_at):
        _collect(session, TROUBLE, alert, reader, market, at, due_at)


def tell_source_back(session: Session, alert: SourceAlert, market: Market, at: datetime) -> None:
    """It is over: to whoever was told that it began."""
    session.flush()
    # The bare table: whoever acts must not narrow what was already told.
    told = Message.__table__.c
    readers = session.execute(
        select(told.recipient, told.language, told.timezone, told.context)
        .where(
            told.kind == TROUBLE,
            told.market_id == market.id,
            told.id >= uuid7_floor(alert.began_at),
            told.context.contains({"alerts": [alert.id]}),
            or_(told.status == "sent", told.lease_until.is_not(None)),
        )
        .order_by(told.id)
    ).all()
    due_at = next_at_work(desk_calendar(market), at)
    for row in readers:
        away = row.context.get("stands_in_for")
        reader = Addressee(row.recipient, row.language, row.timezone, stands_in_for=away)
        _collect(session, BACK, alert, reader, market, at, due_at)


def still_true(session: Session, message: Message) -> list[SourceAlert]:
    """The alerts of a message that are as it tells: going on, or over and not begun anew."""
    ids = message.context.get("alerts", [])
    ends = SourceAlert.ended_at
    alerts = select(SourceAlert).where(SourceAlert.id.in_(ids)).order_by(SourceAlert.id)
    if message.kind == TROUBLE:
        return list(session.scalars(alerts.where(ends.is_(None))))
    anew = aliased(SourceAlert)
    goes_on = select(anew.id).where(
        anew.source_id == SourceAlert.source_id, anew.ended_at.is_(None)
    )
    return list(session.scalars(alerts.where(ends.is_not(None), ~goes_on.exists())))


def troubles(session: Session, alerts: Sequence[SourceAlert]) -> tuple[SourceTrouble, ...]:
    """What a mail tells of the first of them."""
    names = {
        row.id: row
        for row in session.execute(
            select(Source.id, Source.code, Source.name).where(
                Source.id.in_([alert.source_id for alert in alerts])
            )
        )
    }
    return tuple(
        SourceTrouble(
            code=names[alert.source_id].code,
            name=names[alert.source_id].name,
            kind=alert.kind,
            since=_instant(alert.facts.get("since")) or alert.began_at,
            ended_at=alert.ended_at,
            per_day=float(alert.facts.get("per_day") or 0),
            failures=tuple(
                sorted(alert.facts.get("failures", {}).items(), key=lambda each: -each[1])
            ),
        )
        for alert in alerts[:MOST_SHOWN]
        if alert.source_id in names
    )


def _collect(
    session: Session,
    kind: str,
    alert: SourceAlert,
    reader: Addressee,
    market: Market,
    at: datetime,
    due_at: datetime,
) -> None:
    """Add the alert to the mail of this kind that waits for the reader, or begin one."""
    waiting: dict[str, Any] = {
        "kind": kind,
        "recipient": reader.email,
        "market_id": market.id,
        "entry": json.dumps([alert.id]),
        "most": MOST_COLLECTED,
    }
    if session.execute(_COLLECT, waiting).first() is not None:
        return
    enqueue(
        session,
        cause=f"source_alert:{alert.id}:{kind}:{reader.email}",
        kind=kind,
        audience="headquarters",
        recipient=reader.email,
        language=best_locale([reader.language]),
        timezone=reader.timezone,
        market_id=market.id,
        context={"alerts": [alert.id]} | deputy_context(reader),
        at=at,
        due_at=due_at,
    )


def _reads_deliveries(user: User) -> bool:
    """Who looks after one brand, or only calls customers, can't see a market's sources."""
    whole = any(scope.brand_id is None and scope.dealer_id is None for scope in user.scopes)
    return whole and user.may(_READING)


def _instant(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written) if written else None
