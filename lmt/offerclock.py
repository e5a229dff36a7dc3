"""The clock of an offer: it begins when the dealer can know of the lead, and is moved on where
that is not the dealer's doing.

Below the stages, since the outbox starts it and follow-up reads it. Nothing here commits. The
lead is locked before its offer.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.calendars import dealer_calendar
from lmt.lifecycle import Status
from lmt.models import Lead, Message, Offer, Outage, locked_lead, record
from lmt.workhours import Calendar, add_working_minutes, working_minutes_between

GRACE = timedelta(minutes=2)
"""A clock that begins within this keeps the deadline as it was first told."""
LOOK_AGAIN = timedelta(minutes=5)
"""An offer whose mail has not left is extended by this, time and again."""
LEAST_LEFT = timedelta(minutes=5)
"""No change of a calendar leaves a running offer less than this."""


def deadline_of(calendar: Calendar, clock_at: datetime, minutes: float) -> datetime | None:
    """The end of an offer whose clock began at `clock_at`, after `minutes` of the dealer's working
    time; None where the calendar has not got them within a year."""
    return add_working_minutes(calendar, clock_at, minutes)


def runs_from(offer: Offer) -> datetime:
    """Since when the offer's minutes are counted."""
    begun = offer.clock_at
    return offer.offered_at if begun is None or begun - offer.offered_at <= GRACE else begun


def start_clock(session: Session, offer_id: uuid.UUID, at: datetime) -> None:
    """The dealer can know of the lead: its mail was accepted, or the desk shows it.

    The first time counts. Later than two minutes after the offer it moves the deadline, which it
    never brings forward. An offer that is over, or that the actor can't see, is left alone.
    """
    lead_id = session.scalars(select(Offer.lead_id).where(Offer.id == offer_id)).first()
    if lead_id is None:
        return
    lead = locked_lead(session, lead_id)
    offer = locked_offer(session, offer_id)
    if offer is None or offer.state != "open" or offer.clock_at is not None:
        return
    offer.clock_at = at
    moved = False
    if at - offer.offered_at > GRACE:
        calendar = dealer_calendar(session, offer.dealer_id, at)
        until = deadline_of(calendar, at, offer.minutes) or at + (
            offer.expires_at - offer.offered_at
        )
        moved = extend(lead, offer, until)
    told: dict[str, Any] = {"expires_at": offer.expires_at.isoformat()} if moved else {}
    record(session, lead.id, "clock_started", at=at, dealer_id=offer.dealer_id, **told)


def extend(lead: Lead, offer: Offer, until: datetime) -> bool:
    """Move the offer's end to `until`, where that is later; True if it was."""
    if until <= offer.expires_at:
        return False
    if lead.next_action_at == offer.expires_at:
        lead.next_action_at = until
    offer.expires_at = until
    return True


def mail_of(session: Session, offer: Offer) -> str:
    """How the mail that tells the dealer of the offer stands: queued, sent, failed, dropped; ""
    where none was written, because the dealer reads its desk only."""
    # The bare table: whoever sees the offer may know whether its mail has left.
    told = Message.__table__.c
    return (
        session.execute(
            select(told.status).where(told.cause == f"offer:{offer.id}:dealer")
        ).scalar_one_or_none()
        or ""
    )


def recount_offers(session: Session, dealer_id: int, at: datetime) -> int:
    """Count the dealer's running offers anew on its calendar as it is now; returns how many moved.

    None ends within five minutes from now; what outages gave back stays given.
    """
    calendar = dealer_calendar(session, dealer_id, at)
    moved = 0
    for lead in _offered_leads(session, dealer_id):
        offer = _open_offer(session, lead)
        if offer is None or offer.minutes <= 0:
            continue
        minutes = offer.minutes + _minutes_given_back(session, calendar, offer, at)
        until = deadline_of(calendar, runs_from(offer), minutes)
        until = max(until or offer.expires_at, at + LEAST_LEFT)
        if until == offer.expires_at:
            continue
        kind = "extended" if until > offer.expires_at else "recounted"
        offer.expires_at = until
        # The worker works out what is next.
        lead.next_action_at = at
        record(
            session,
            lead.id,
            kind,
            at=at,
            dealer_id=dealer_id,
            cause="hours",
            expires_at=until.isoformat(),
        )
        moved += 1
    return moved


def hours_changed(session: Session, dealer_id: int, *, by_headquarters: bool, at: datetime) -> int:
    """Call in the transaction that changed a dealer's hours, closures or special days; returns
    how many running offers moved. A dealer's own edits move none."""
    session.flush()
    return recount_offers(session, dealer_id, at) if by_headquarters else 0


def locked_offer(session: Session, offer_id: uuid.UUID) -> Offer | None:
    return session.scalars(
        select(Offer)
        .where(Offer.id == offer_id)
        .with_for_update(of=Offer)
        .execution_options(populate_existing=True)
    ).first()


def _minutes_given_back(session: Session, calendar: Calendar, offer: Offer, at: datetime) -> float:
    """Working minutes that outages which are over took from the running offer."""
    since = runs_from(offer)
    outages = session.execute(
        select(Outage.began_at, Outage.ended_at).where(
            Outage.began_at < Outage.ended_at, Outage.ended_at > since, Outage.ended_at <= at
        )
    )
    return sum(
        working_minutes_between(calendar, max(began, since), ended) for began, ended in outages
    )


def _offered_leads(session: Session, dealer_id: int) -> Sequence[Lead]:
    return session.scalars(
        select(Lead)
        .where(Lead.dealer_id == dealer_id, Lead.status == Status.OFFERED)
        .order_by(Lead.id)
        .with_for_update(of=Lead)
        .execution_options(populate_existing=True)
    ).all()


def _open_offer(session: Session, lead: Lead) -> Offer | None:
    return session.scalars(
        select(Offer)
        .where(Offer.lead_id == lead.id, Offer.state == "open")
        .with_for_update(of=Offer)
        .execution_options(populate_existing=True)
    ).first()
