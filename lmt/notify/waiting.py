"""The leads that a mail to headquarters tells of, as they stand when its turn comes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from lmt.lifecycle import QUEUES, Status
from lmt.models import DealerTerms, Lead, Message, Offer, PlannedAction
from lmt.notify.facts import WaitingLead
from lmt.notify.recheck import Standing, still_waits
from lmt.notify.recipients import terms_of
from lmt.notify.steps import is_touched

MOST_SHOWN = 20


def counted(session: Session, message: Message, at: datetime) -> int:
    """How many leads the message tells of; 0 for kinds that don't count."""
    if message.kind == "headquarters_escalation":
        return len(_escalated(session, message, at))
    if message.kind == "headquarters_unrouted":
        return _number(session, message, Lead.status.in_(QUEUES))
    if message.kind == "headquarters_queue":
        return _number(session, message, *_of_queue(message))
    return 0


def listed(session: Session, message: Message, at: datetime) -> tuple[WaitingLead, ...]:
    """The first of them: those that waited longest."""
    if message.kind == "headquarters_escalation":
        waiting = _escalated(session, message, at)[:MOST_SHOWN]
        names: dict[int, DealerTerms] = {}
        for lead, _entry in waiting:
            if lead.dealer_id is not None and lead.dealer_id not in names:
                names[lead.dealer_id] = terms_of(session, lead.dealer_id, at)
        return tuple(
            WaitingLead(
                lead_id=str(lead.id),
                reference=lead.reference,
                dealer=names[lead.dealer_id].name if lead.dealer_id in names else "",
                state=str(entry["state"]),
                minutes=int(entry["minutes"]),
                received_at=lead.created_at,
            )
            for lead, entry in waiting
        )
    if message.kind == "headquarters_queue":
        leads = session.scalars(
            select(Lead)
            .where(Lead.market_id == message.market_id, *_of_queue(message))
            .order_by(Lead.created_at)
            .limit(MOST_SHOWN)
        )
        return tuple(
            WaitingLead(
                lead_id=str(lead.id),
                reference=lead.reference,
                cause=lead.cause,
                received_at=lead.created_at,
            )
            for lead in leads
        )
    return ()


def step_standing(
    session: Session, lead: Lead | None, step: Mapping[str, Any], at: datetime
) -> Standing:
    """How a lead stands against the escalation step that told of it."""
    if lead is None:
        return Standing()
    offer = offer_of(session, step)
    overdue = select(PlannedAction.id).where(
        PlannedAction.lead_id == lead.id,
        PlannedAction.done_at.is_(None),
        PlannedAction.due_at <= at,
    )
    return Standing(
        status=Status(lead.status),
        offer_state="" if offer is None else offer.state,
        is_overdue=offer is not None and offer.expires_at <= at,
        is_holder=lead.dealer_id == step.get("dealer_id"),
        state=str(step.get("state", "")),
        is_touched=is_touched(lead, step),
        is_plan_open=session.scalars(overdue.limit(1)).first() is not None,
    )


def offer_of(session: Session, context: Mapping[str, Any]) -> Offer | None:
    """The offer that a message's context names."""
    offer_id = context.get("offer_id")
    if not offer_id:
        return None
    return session.scalars(select(Offer).where(Offer.id == uuid.UUID(offer_id))).first()


def _escalated(
    session: Session, message: Message, at: datetime
) -> list[tuple[Lead, Mapping[str, Any]]]:
    """The leads of the message that still wait, each with its latest step, oldest lead first."""
    latest: dict[uuid.UUID, Mapping[str, Any]] = {}
    for entry in message.context.get("leads", []):
        latest[uuid.UUID(entry["lead_id"])] = entry
    leads = session.scalars(select(Lead).where(Lead.id.in_(latest)).order_by(Lead.created_at))
    return [
        (lead, latest[lead.id])
        for lead in leads
        if still_waits(step_standing(session, lead, latest[lead.id], at))
    ]


def _of_queue(message: Message) -> tuple[ColumnElement[bool], ...]:
    waits: ColumnElement[bool] = Lead.status == message.context.get("status", "")
    brands = message.context.get("brands")
    return (waits, Lead.brand_id.in_(brands)) if brands else (waits,)


def _number(session: Session, message: Message, *conditions: ColumnElement[bool]) -> int:
    return session.scalars(
        select(func.count(Lead.id)).where(
            Lead.market_id == message.market_id, Lead.test.is_(False), *conditions
        )
    ).one()
