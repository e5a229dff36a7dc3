"""Where a lead goes next: to a dealer, or into the queue where a person looks at it.

Shared by every verb of the pipeline; nothing here commits.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from lmt.lifecycle import Status, step
from lmt.models import Lead, Offer, record
from lmt.notify import service as notify
from lmt.notify.recipients import queue_keepers, terms_of
from lmt.routing.capacity import untake_slot
from lmt.routing.locate import Unlocated
from lmt.routing.service import Routed, locate_lead, route_lead

LOOK_AGAIN = timedelta(hours=1)
"""An unrouted lead is tried again: dealers open, caps are freed."""


def place(session: Session, lead: Lead, at: datetime) -> None:
    """Find the next dealer for the lead, or the queue where a person looks at it."""
    if not _reachable(lead):
        enqueue(session, lead, Status.INCOMPLETE, "no_contact", at)
        return
    if not lead.location_method:
        _locate(session, lead, at)
    routed = route_lead(session, lead, at)
    if routed.offer is None:
        unclear = routed.cause == "unlocated"
        enqueue(session, lead, Status.UNLOCATED if unclear else Status.UNROUTED, routed.cause, at)
    elif lead.test:
        _end_test(session, lead, routed, at)
    else:
        lead.status = step(Status(lead.status), Status.OFFERED)
        hand_over(session, lead, routed.offer, routed.opens_at, at)


def _locate(session: Session, lead: Lead, at: datetime) -> None:
    found = locate_lead(session, lead)
    if isinstance(found, Unlocated):
        guesses = [f"{g.name}, {g.admin1}" if g.admin1 else g.name for g in found.guesses]
        record(session, lead.id, "located", at=at, problem=found.problem, guesses=guesses[:5])
        return
    record(
        session,
        lead.id,
        "located",
        at=at,
        method=found.method,
        place=found.place,
        accuracy_km=round(found.accuracy_km, 1),
    )


def hand_over(
    session: Session, lead: Lead, offer: Offer, opens_at: datetime | None, at: datetime
) -> None:
    """The lead is the dealer's until the offer's end; dealer and customer are told."""
    moved, waited = lead.promise_at is not None, bool(lead.cause)
    lead.dealer_id, lead.cause, lead.postponed = offer.dealer_id, "", 0
    lead.offered_at, lead.next_action_at = at, offer.expires_at
    lead.promise_at = lead.promise_at or offer.expires_at
    session.flush()
    session.refresh(lead, ["dealer"])
    record(
        session,
        lead.id,
        "offered",
        at=at,
        dealer_id=offer.dealer_id,
        expires_at=offer.expires_at.isoformat(),
        distance_km=offer.distance_km,
    )
    terms = terms_of(session, offer.dealer_id, at)
    notify.tell_dealer(session, lead, offer, terms, at)
    if moved:
        notify.tell_customer_transferred(session, lead, offer, at)
    elif waited:
        # Out of a queue: the customer knows that we have the request, now also who answers it.
        notify.tell_customer_assigned(session, lead, offer, at)
    else:
        notify.tell_customer_received(session, lead, offer, opens_at, at)


def enqueue(session: Session, lead: Lead, status: Status, cause: str, at: datetime) -> None:
    """Nobody has the lead: it waits where headquarters sees it, and is tried again if that may
    help. Headquarters and the customer are told once."""
    known = (lead.status, lead.cause) == (status, cause)
    lead.status = status if known else step(Status(lead.status), status)
    lead.cause, lead.dealer_id = cause, None
    lead.next_action_at = at + LOOK_AGAIN if status is Status.UNROUTED else None
    if known:
        return
    record(session, lead.id, "queued", at=at, status=status, cause=cause)
    keepers = queue_keepers(session, lead)
    notify.alert_unrouted(session, lead, cause, keepers, at)
    notify.tell_customer_received(session, lead, None, None, at)


def _end_test(session: Session, lead: Lead, routed: Routed, at: datetime) -> None:
    """A test lead shows its decision and ends there: no dealer, no figure, no cap is touched."""
    assert routed.offer is not None
    untake_slot(session, routed.offer.dealer_id)
    session.delete(routed.offer)
    lead.status, lead.cause, lead.closed_at = Status.WITHDRAWN, "test", at
    lead.next_action_at = None
    record(session, lead.id, "withdrawn", at=at, reason="test")


def _reachable(lead: Lead) -> bool:
    return bool(lead.email or lead.phone)
