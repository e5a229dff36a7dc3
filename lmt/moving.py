"""A person moves a lead to another dealer: headquarters with a reason, or the customer, who picked
another one. Each verb commits."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt.followup.service import end_plans
from lmt.lifecycle import IllegalStep, Status, step
from lmt.models import Event, Lead, Offer, locked_lead, record
from lmt.notify import service as notify
from lmt.placing import end_offer, hand_over, held_offer, place
from lmt.routing.capacity import one_move_at_a_time
from lmt.routing.service import offer_by_hand, route_lead, why_not_by_hand
from lmt.scope import Actor, as_system

DECIDED_ANEW = "anew"
"""Why an offer ended whose dealer may be chosen again (`lmt.routing.facts`)."""
MOST_MOVES = 2
"""How often a customer may pick another dealer for one request."""


class NotEligible(LookupError):
    """The dealer can't be given this lead; `reason` is a code of `lmt.labels`' refusals, or
    `too_often`, `holder`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def reassign(
    session: Session,
    lead_id: uuid.UUID,
    *,
    dealer_code: str,
    reason: str,
    at: datetime,
    actor: Actor,
) -> None:
    """Headquarters gives the lead to a dealer by hand, above caps and to dealers asked before.

    Raises NotEligible, a LookupError, where its market has no such dealer or that is not active;
    IllegalStep for a lead that is closed or not yet routed.
    """
    lead = locked_lead(session, lead_id)
    target = step(Status(lead.status), Status.OFFERED)
    if lead.status == Status.RECEIVED:
        # Not qualified yet: the worker has it in a moment.
        raise IllegalStep(Status.RECEIVED, Status.OFFERED)
    with as_system(session):
        problem = why_not_by_hand(session, lead.market_id, dealer_code, at)
        if problem:
            session.rollback()
            raise NotEligible(problem)
        one_move_at_a_time(session, lead.market_id)
        held = _taken_from(session, lead, at, reason)
        offer = offer_by_hand(session, lead, dealer_code, at)
        if offer is None:
            session.rollback()
            raise NotEligible("inactive")
        if held is not None and held.dealer_id != offer.dealer_id:
            notify.tell_dealer_taken_away(session, lead, held, at)
        lead.status, lead.dealer_id = target, offer.dealer_id
        record(
            session,
            lead.id,
            "reassigned",
            at=at,
            actor_id=actor.user_id,
            dealer_id=offer.dealer_id,
            reason=reason,
        )
        hand_over(session, lead, offer, None, at)
        session.commit()


def route_again(
    session: Session, lead_id: uuid.UUID, *, reason: str, at: datetime, actor: Actor
) -> None:
    """Headquarters lets the lead be decided anew, by what is known of the dealers now: one that was
    mended meanwhile may get it. The dealer that has it may keep it.

    Raises IllegalStep for a lead that is closed or not yet routed, LookupError for none to see.
    """
    lead = locked_lead(session, lead_id)
    target = step(Status(lead.status), Status.OFFERED)
    if lead.status == Status.RECEIVED:
        raise IllegalStep(Status.RECEIVED, target)
    with as_system(session):
        one_move_at_a_time(session, lead.market_id)
        held = _taken_from(session, lead, at, DECIDED_ANEW)
        record(
            session,
            lead.id,
            "routed_again",
            at=at,
            actor_id=actor.user_id,
            dealer_id=None if held is None else held.dealer_id,
            reason=reason,
        )
        session.flush()
        place(session, lead, at)
        if held is not None and held.dealer_id != lead.dealer_id:
            notify.tell_dealer_taken_away(session, lead, held, at)
        session.commit()


def move_for_customer(
    session: Session, lead_id: uuid.UUID, *, dealer_code: str, reason: str, at: datetime
) -> None:
    """The customer picks another dealer: by the same rule as one chosen at first, within caps.

    Raises NotEligible where the rule refuses that dealer, where it has the lead already, or where
    the customer has moved the lead twice; IllegalStep for a lead that is closed or not yet routed.
    """
    lead = locked_lead(session, lead_id)
    with as_system(session):
        try:
            give_to_pick(session, lead, dealer_code=dealer_code, reason=reason, at=at)
        except NotEligible:
            session.rollback()
            raise
        session.commit()


def give_to_pick(
    session: Session, lead: Lead, *, dealer_code: str, reason: str, at: datetime
) -> None:
    """The step of `move_for_customer` on a lead that is locked, for whoever sees the whole market.

    No commit. What it had begun when it raised is the caller's to take back.
    """
    target = step(Status(lead.status), Status.OFFERED)
    if lead.status == Status.RECEIVED:
        raise IllegalStep(Status.RECEIVED, Status.OFFERED)
    problem = _why_not_again(session, lead, dealer_code)
    if problem:
        raise NotEligible(problem)
    one_move_at_a_time(session, lead.market_id)
    held = _taken_from(session, lead, at, "customer")
    lead.preferred_dealer = dealer_code
    routed = route_lead(session, lead, at)
    decision = routed.decision.result
    if routed.offer is None or decision.get("how") != "preferred":
        refused = [r["reason"] for r in decision["refused"] if r["code"] == dealer_code]
        raise NotEligible(refused[0] if refused else "unknown_dealer")
    routed.decision.result = {**decision, "how": "customer"}
    if held is not None:
        notify.tell_dealer_taken_away(session, lead, held, at)
    lead.status, lead.dealer_id = target, routed.offer.dealer_id
    record(
        session,
        lead.id,
        "moved_by_customer",
        at=at,
        dealer_id=routed.offer.dealer_id,
        reason=reason,
    )
    hand_over(session, lead, routed.offer, routed.opens_at, at, routed)


def _taken_from(session: Session, lead: Lead, at: datetime, reason: str) -> Offer | None:
    """The offer by which a dealer had the lead until now."""
    held = held_offer(session, lead)
    end_plans(session, lead.id, at)
    if held is not None:
        end_offer(session, lead, held, "withdrawn", at, reason)
    return held


def _why_not_again(session: Session, lead: Lead, dealer_code: str) -> str:
    moves = session.scalars(
        select(func.count())
        .select_from(Event)
        .where(Event.lead_id == lead.id, Event.kind == "moved_by_customer")
    ).one()
    if moves >= MOST_MOVES:
        return "too_often"
    return "holder" if lead.dealer is not None and lead.dealer.code == dealer_code else ""
