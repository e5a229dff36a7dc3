"""Everything headquarters sees of one lead, gathered in a fixed number of queries."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from lmt.hq.explain import DecisionWords, dealer_ids, in_words
from lmt.hq.queries import dealer_names
from lmt.models import (
    Event,
    Lead,
    Message,
    Offer,
    Outcome,
    PlannedAction,
    RoutingDecision,
)

MOST_EVENTS = 200
MOST_DECISIONS = 20


@dataclass(frozen=True, slots=True)
class LeadView:
    """`decisions` newest first, `events` oldest first; `names` are today's, by dealer id."""

    lead: Lead
    names: dict[int, str]
    events: Sequence[Event]
    decisions: Sequence[tuple[RoutingDecision, DecisionWords]]
    offer: Offer | None
    messages: Sequence[Message]
    plans: Sequence[PlannedAction]
    outcome: Outcome | None


def lead_view(session: Session, lead_id: uuid.UUID, *, at: datetime) -> LeadView | None:
    """None where there is no such lead, or none that the actor may see."""
    lead = session.scalar(
        select(Lead)
        .options(
            joinedload(Lead.market),
            joinedload(Lead.brand),
            joinedload(Lead.source),
            joinedload(Lead.campaign),
            joinedload(Lead.owner),
        )
        .where(Lead.id == lead_id)
    )
    if lead is None:
        return None
    events = session.scalars(
        select(Event)
        .options(joinedload(Event.actor))
        .where(Event.lead_id == lead_id)
        .order_by(Event.id.desc())
        .limit(MOST_EVENTS)
    ).all()[::-1]
    decisions = session.scalars(
        select(RoutingDecision)
        .where(RoutingDecision.lead_id == lead_id)
        .order_by(RoutingDecision.at.desc())
        .limit(MOST_DECISIONS)
    ).all()
    offer = session.scalar(
        select(Offer).where(Offer.lead_id == lead_id, Offer.state.in_(("open", "accepted")))
    )
    messages = session.scalars(
        select(Message).where(Message.lead_id == lead_id).order_by(Message.id)
    ).all()
    plans = session.scalars(
        select(PlannedAction).where(PlannedAction.lead_id == lead_id).order_by(PlannedAction.due_at)
    ).all()
    names = dealer_names(
        session,
        {
            lead.dealer_id,
            *(event.dealer_id for event in events),
            *(decision.dealer_id for decision in decisions),
            *dealer_ids(decision.result for decision in decisions),
        },
        at=at,
    )
    return LeadView(
        lead=lead,
        names=names,
        events=events,
        decisions=[(d, in_words(d.result, names, cause=d.cause)) for d in decisions],
        offer=offer,
        messages=messages,
        plans=plans,
        outcome=session.scalar(select(Outcome).where(Outcome.lead_id == lead_id)),
    )
