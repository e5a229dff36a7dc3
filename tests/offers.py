"""What tests of the clock do to an offer: the dealer learns of it, its time passes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt.db import SessionFactory
from lmt.models import Lead, Offer
from lmt.offerclock import start_clock


def open_offer(session: Session, lead: Lead) -> Offer:
    return session.scalars(
        select(Offer)
        .where(Offer.lead_id == lead.id, Offer.state == "open")
        .execution_options(populate_existing=True)
    ).one()


def told(session: Session, lead: Lead, at: datetime | None = None) -> Offer:
    """As if the dealer's mail had been accepted, at the offer's own instant where none is given."""
    offer = open_offer(session, lead)
    start_clock(session, offer.id, at or offer.offered_at)
    session.commit()
    return offer


def let_pass(sessions: SessionFactory, session: Session, lead: Lead) -> datetime:
    """The dealer knows of its offer and lets the time pass; returns when that was."""
    until = told(session, lead).expires_at
    while (at := due_at(session, lead)) < until:
        pipeline.advance(sessions, lead.id, at)
    pipeline.advance(sessions, lead.id, until)
    session.refresh(lead)
    return until


def due_at(session: Session, lead: Lead) -> datetime:
    session.rollback()
    session.refresh(lead)
    assert lead.next_action_at is not None
    return lead.next_action_at
