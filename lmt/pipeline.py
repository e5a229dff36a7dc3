"""The road of a lead: every verb that crosses stages, each in one transaction that it commits.

`advance` is what the worker does with a lead that is due, whatever brought it there: a new
arrival, an offer whose time ran out, a queue to look at again, or recovery after a crash.
Locks are taken in the order lead, offer, dealer.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.db import SessionFactory
from lmt.followup.service import add_plan
from lmt.lifecycle import QUEUES, IllegalStep, Status, step
from lmt.models import Lead, Offer, locked_lead, record
from lmt.models.capacity import give_back_open
from lmt.notify import service as notify
from lmt.notify.recipients import queue_keepers, terms_of
from lmt.qualify.service import qualify_lead
from lmt.routing.capacity import untake_slot
from lmt.routing.locate import Unlocated
from lmt.routing.service import Routed, locate_lead, offer_by_hand, route_lead
from lmt.scope import SYSTEM, Actor, act_as, as_system

log = structlog.get_logger(__name__)

LOOK_AGAIN = timedelta(hours=1)
"""An unrouted lead is tried again: dealers open, caps are freed."""
MOST_POSTPONED = timedelta(hours=1)


class TooLate(Exception):
    """The offer is over: the lead has gone to another dealer, or was answered already."""


@dataclass(frozen=True, slots=True)
class PlanInput:
    """The next step a dealer names when accepting."""

    kind: str
    due_at: datetime
    note: str = ""


def due_leads(session: Session, at: datetime, limit: int = 100) -> list[uuid.UUID]:
    """Leads whose next action is due, the hottest first."""
    return list(
        session.scalars(
            select(Lead.id)
            .where(Lead.next_action_at <= at)
            .order_by(Lead.points.desc(), Lead.next_action_at)
            .limit(limit)
        )
    )


def advance(sessions: SessionFactory, lead_id: uuid.UUID, at: datetime) -> bool:
    """Take the lead one step further if it is due and nobody else has it; True if it was.

    A step that fails is recorded and put off, so that one bad lead never blocks the others.
    """
    try:
        with sessions() as session:
            act_as(session, SYSTEM)
            lead = session.scalars(
                select(Lead)
                .where(Lead.id == lead_id, Lead.next_action_at <= at)
                .with_for_update(of=Lead, skip_locked=True)
            ).first()
            if lead is None:
                return False
            _take_step(session, lead, at)
            session.commit()
    except Exception:
        log.exception("lead.step_failed", lead=str(lead_id))
        _postpone(sessions, lead_id, at)
    return True


def accept(
    session: Session,
    lead_id: uuid.UUID,
    *,
    at: datetime,
    actor: Actor,
    plan: PlanInput | None = None,
) -> None:
    """The dealer takes the lead, with the next step it plans. Raises TooLate after the deadline.

    Accepting twice by the same dealer changes nothing.
    """
    lead = locked_lead(session, lead_id)
    if lead.status == Status.ACCEPTED and plan is None:
        return
    offer = _open_offer(session, lead, at)
    offer.state, offer.closed_at = "accepted", at
    lead.status = step(Status(lead.status), Status.ACCEPTED)
    lead.accepted_at, lead.next_action_at = at, None
    lead.owner_id = actor.user_id
    record(session, lead.id, "accepted", at=at, actor_id=actor.user_id, dealer_id=lead.dealer_id)
    if plan is not None:
        add_plan(
            session,
            lead,
            kind=plan.kind,
            due_at=plan.due_at,
            note=plan.note,
            at=at,
            actor=actor,
        )
    session.commit()


def decline(
    session: Session,
    lead_id: uuid.UUID,
    *,
    reason: str,
    note: str = "",
    at: datetime,
    actor: Actor,
) -> None:
    """The dealer gives the lead back with a reason; it goes to the next dealer at once."""
    lead = locked_lead(session, lead_id)
    offer = _open_offer(session, lead, at)
    _end_offer(session, offer, "declined", at, reason)
    record(
        session,
        lead.id,
        "offer_declined",
        at=at,
        actor_id=actor.user_id,
        dealer_id=offer.dealer_id,
        reason=reason,
        note=note,
    )
    # Routing looks at the whole market, which the dealer who declines may not see.
    with as_system(session):
        session.flush()
        _route(session, lead, at)
        session.commit()


def reassign(
    session: Session,
    lead_id: uuid.UUID,
    *,
    dealer_code: str,
    reason: str,
    at: datetime,
    actor: Actor,
) -> None:
    """Headquarters gives the lead to a dealer by hand. LookupError: none such in its market."""
    lead = locked_lead(session, lead_id)
    target = step(Status(lead.status), Status.OFFERED)
    with as_system(session):
        held = _held_offer(session, lead)
        if held is not None:
            _end_offer(session, held, "withdrawn", at, reason)
        offer = offer_by_hand(session, lead, dealer_code, at)
        if offer is None:
            session.rollback()
            raise LookupError(dealer_code)
        if held is not None and held.dealer_id != offer.dealer_id:
            notify.tell_dealer_taken_away(session, lead, held, at)
        lead.status = target
        lead.accepted_at, lead.owner_id = None, None
        record(
            session,
            lead.id,
            "reassigned",
            at=at,
            actor_id=actor.user_id,
            dealer_id=offer.dealer_id,
            reason=reason,
        )
        _to_dealer(session, lead, offer, None, at)
        session.commit()


def withdraw(
    session: Session, lead_id: uuid.UUID, *, reason: str, at: datetime, actor: Actor
) -> None:
    """The lead is closed without an outcome: the customer asked, or it was none."""
    lead = locked_lead(session, lead_id)
    lead.status = step(Status(lead.status), Status.WITHDRAWN)
    lead.cause, lead.closed_at, lead.next_action_at = reason, at, None
    held = _held_offer(session, lead)
    if held is not None:
        _end_offer(session, held, "withdrawn", at, reason)
        notify.tell_dealer_taken_away(session, lead, held, at)
    record(
        session,
        lead.id,
        "withdrawn",
        at=at,
        actor_id=actor.user_id,
        dealer_id=lead.dealer_id,
        reason=reason,
    )
    session.commit()


def _take_step(session: Session, lead: Lead, at: datetime) -> None:
    status = Status(lead.status)
    if status is Status.RECEIVED:
        _qualify(session, lead, at)
        _route(session, lead, at)
    elif status is Status.OFFERED:
        _expire(session, lead, at)
    elif status in QUEUES:
        _route(session, lead, at)
    else:
        lead.next_action_at = None


def _qualify(session: Session, lead: Lead, at: datetime) -> None:
    result = qualify_lead(session, lead)
    record(
        session,
        lead.id,
        "qualified",
        at=at,
        request_type=result.request_type,
        band=result.band,
        points=result.points,
        rules=list(result.rules),
    )


def _expire(session: Session, lead: Lead, at: datetime) -> None:
    """Nobody answered in time: the next dealer gets the lead."""
    offer = _held_offer(session, lead)
    if offer is not None and offer.expires_at > at:
        lead.next_action_at = offer.expires_at
        return
    if offer is not None:
        _end_offer(session, offer, "expired", at)
        record(session, lead.id, "offer_expired", at=at, dealer_id=offer.dealer_id)
        notify.tell_dealer_taken_away(session, lead, offer, at)
    session.flush()
    _route(session, lead, at)


def _route(session: Session, lead: Lead, at: datetime) -> None:
    """Find the next dealer for the lead, or the queue where a person looks at it."""
    if not _reachable(lead):
        _queue(session, lead, Status.INCOMPLETE, "no_contact", at)
        return
    if not lead.location_method:
        found = locate_lead(session, lead)
        if isinstance(found, Unlocated):
            guesses = [f"{g.name}, {g.admin1}" if g.admin1 else g.name for g in found.guesses]
            record(session, lead.id, "located", at=at, problem=found.problem, guesses=guesses[:5])
        else:
            record(
                session,
                lead.id,
                "located",
                at=at,
                method=found.method,
                place=found.place,
                accuracy_km=round(found.accuracy_km, 1),
            )
    routed = route_lead(session, lead, at)
    if routed.offer is None:
        unclear = routed.cause == "unlocated"
        _queue(session, lead, Status.UNLOCATED if unclear else Status.UNROUTED, routed.cause, at)
    elif lead.test:
        _end_test(session, lead, routed, at)
    else:
        lead.status = step(Status(lead.status), Status.OFFERED)
        _to_dealer(session, lead, routed.offer, routed.opens_at, at)


def _to_dealer(
    session: Session, lead: Lead, offer: Offer, opens_at: datetime | None, at: datetime
) -> None:
    """The lead is the dealer's until the offer's end; dealer and customer are told."""
    # From another dealer, or out of a queue: the customer has had the mail that it was received.
    moved = lead.promise_at is not None or bool(lead.cause)
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
    else:
        notify.tell_customer_received(session, lead, offer, opens_at, at)


def _queue(session: Session, lead: Lead, status: Status, cause: str, at: datetime) -> None:
    """Nobody has the lead: it waits where headquarters sees it, and is tried again if that may
    help. Headquarters and the customer are told once."""
    known = (lead.status, lead.cause) == (status, cause)
    lead.status = status if known else step(Status(lead.status), status)
    lead.cause, lead.dealer_id = cause, None
    lead.next_action_at = at + LOOK_AGAIN if status is Status.UNROUTED else None
    if known:
        return
    record(session, lead.id, "queued", at=at, status=status, cause=cause)
    keepers = queue_keepers(session, lead.market_id)
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


def _held_offer(session: Session, lead: Lead) -> Offer | None:
    return session.scalars(
        select(Offer)
        .where(Offer.lead_id == lead.id, Offer.state.in_(("open", "accepted")))
        .with_for_update(of=Offer)
    ).first()


def _open_offer(session: Session, lead: Lead, at: datetime) -> Offer:
    """The lead's running offer. Raises TooLate where it has ended."""
    offer = _held_offer(session, lead)
    if offer is None or offer.state != "open" or offer.expires_at <= at:
        raise TooLate
    return offer


def _end_offer(session: Session, offer: Offer, state: str, at: datetime, reason: str = "") -> None:
    offer.state, offer.closed_at, offer.reason = state, at, reason
    session.flush()
    give_back_open(session, offer.dealer_id)


def _reachable(lead: Lead) -> bool:
    return bool(lead.email or lead.phone)


def _postpone(sessions: SessionFactory, lead_id: uuid.UUID, at: datetime) -> None:
    with sessions() as session:
        act_as(session, SYSTEM)
        lead = locked_lead(session, lead_id)
        lead.postponed += 1
        wait = min(timedelta(seconds=5 * 4 ** min(lead.postponed, 9)), MOST_POSTPONED)
        lead.next_action_at = at + wait
        record(session, lead.id, "postponed", at=at, times=lead.postponed)
        session.commit()


__all__ = [
    "IllegalStep",
    "PlanInput",
    "TooLate",
    "accept",
    "advance",
    "decline",
    "due_leads",
    "reassign",
    "withdraw",
]
