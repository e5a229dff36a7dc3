"""One lead of a dealer that has ended: it goes to the successor as it is, or is routed anew.

Inside the transaction of whoever carries the handover out; nothing here commits.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.agenda import open_plans, schedule
from lmt.followup.service import end_plans
from lmt.lifecycle import Status
from lmt.models import Dealer, Event, Handover, Lead, Offer, record
from lmt.models.capacity import give_back_open
from lmt.notify import service as notify
from lmt.notify.recipients import terms_of
from lmt.placing import end_offer, held_offer, place
from lmt.routing.capacity import one_move_at_a_time
from lmt.routing.service import colleague_of, offer_by_hand


def pass_on(session: Session, lead: Lead, handover: Handover, at: datetime) -> None:
    """Take the lead, locked by the caller, from the dealer that has ended."""
    one_move_at_a_time(session, lead.market_id)
    held = held_offer(session, lead)
    was, accepted_at = Status(lead.status), lead.accepted_at
    reason = "dealer_ended" if handover.successor_id is None else "handed_over"
    if held is not None:
        end_offer(session, lead, held, "withdrawn", at, reason)
    offer = None
    if handover.successor_id is not None and held is not None:
        successor = session.get_one(Dealer, handover.successor_id)
        offer = offer_by_hand(session, lead, successor.code, at, how="handover")
    if offer is None or held is None:
        end_plans(session, lead.id, at)
        if held is not None:
            notify.tell_dealer_taken_away(session, lead, held, at)
        place(session, lead, at)
        return
    offer.hop = held.hop
    if was is not Status.OFFERED:
        offer.state, offer.closed_at, lead.accepted_at = (
            "accepted",
            held.closed_at or at,
            accepted_at,
        )
    if was is Status.RESTING:
        give_back_open(session, offer.dealer_id, at)
    _take_over(session, lead, held, offer, at)


def _take_over(session: Session, lead: Lead, held: Offer, offer: Offer, at: datetime) -> None:
    """Status, notes, plans and the customer's page stay; history keeps the old dealer."""
    former = terms_of(session, held.dealer_id, at)
    lead.dealer_id, lead.offered_at = offer.dealer_id, at
    lead.touched_at, lead.escalated_minutes = at, 0
    lead.owner_id = colleague_of(session, lead, offer.dealer_id, at)
    for plan in open_plans(session, lead):
        plan.dealer_id, plan.owner_id = offer.dealer_id, None
    session.flush()
    session.refresh(lead, ["dealer"])
    record(
        session,
        lead.id,
        "handed_over",
        at=at,
        dealer_id=offer.dealer_id,
        place=former.name,
        note=_notes(session, lead, held.dealer_id),
    )
    if lead.status == Status.RESTING:
        lead.next_action_at = lead.resting_until
    else:
        schedule(session, lead, offer, at)
    notify.tell_dealer_taken_away(session, lead, held, at)
    if lead.status == Status.OFFERED:
        # The mail that starts the offer's clock.
        notify.tell_dealer(session, lead, offer, terms_of(session, offer.dealer_id, at), at)
    else:
        notify.tell_dealer_handed_over(session, lead, offer, former.name, at)
    notify.tell_customer_transferred(session, lead, offer, at)


def _notes(session: Session, lead: Lead, dealer_id: int) -> str:
    """What the old dealer wrote down, for the one who can't read its history."""
    told = session.scalars(
        select(Event)
        .where(
            Event.lead_id == lead.id,
            Event.dealer_id == dealer_id,
            Event.kind.in_(("note", "contacted", "handed_over")),
        )
        .order_by(Event.id)
    )
    texts = (each.data.get("text") or each.data.get("note") or "" for each in told)
    return "\n".join(text for text in texts if text)
