"""A customer says "not yet, until DATE": the lead rests with its dealer, and comes back by itself.

While it rests its clocks stand still and it takes no place of the dealer's cap.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from lmt.agenda import schedule
from lmt.donotcontact import unapproachable
from lmt.followup.service import add_plan, end_plans
from lmt.lifecycle import IllegalStep, Status, step
from lmt.models import Lead, Offer, locked_lead, record
from lmt.models.capacity import give_back_open, take_open_again
from lmt.notify import service as notify
from lmt.placing import end_offer, held_offer, place
from lmt.routing.capacity import one_move_at_a_time
from lmt.routing.service import calendar_of_dealer, why_not_by_hand
from lmt.scope import SYSTEM, Actor, as_system
from lmt.workhours import add_working_minutes

LONGEST = timedelta(days=730)
CALL_WITHIN_MINUTES = 60
"""Working minutes in which a lead that is back is to be called."""


def rest(
    session: Session, lead_id: uuid.UUID, *, until: datetime, note: str, at: datetime, actor: Actor
) -> None:
    """Let an accepted or contacted lead rest until then; commits.

    Raises IllegalStep for a lead that nobody works on, ValueError for an instant that does not lie
    ahead, two years at most.
    """
    if not at < until <= at + LONGEST:
        raise ValueError("a lead rests until an instant ahead, two years at most")
    lead = locked_lead(session, lead_id)
    lead.status = step(Status(lead.status), Status.RESTING)
    lead.resting_until = lead.next_action_at = until
    lead.touched_at, lead.escalated_minutes = at, 0
    end_plans(session, lead.id, at)
    assert lead.dealer_id is not None
    record(
        session,
        lead.id,
        "rested",
        at=at,
        actor_id=actor.user_id,
        dealer_id=lead.dealer_id,
        until=until.isoformat(),
        note=note,
    )
    session.flush()
    give_back_open(session, lead.dealer_id, at)
    session.commit()


def wake_now(session: Session, lead_id: uuid.UUID, *, at: datetime, actor: Actor) -> None:
    """Bring a resting lead back before its time; commits. Raises IllegalStep for any other."""
    lead = locked_lead(session, lead_id)
    if lead.status != Status.RESTING:
        raise IllegalStep(Status(lead.status), Status.ACCEPTED)
    # Where its dealer has ended the whole market is looked at.
    with as_system(session):
        come_back(session, lead, at, actor)
        session.commit()


def come_back(
    session: Session,
    lead: Lead,
    at: datetime,
    actor: Actor = SYSTEM,
    *,
    is_asked_for: bool = False,
) -> None:
    """The time is over: the lead is its dealer's again, with a call planned; or, where that dealer
    takes part no more, it is routed anew. No commit.

    Who went on the do-not-contact lists meanwhile is not called: the lead is withdrawn. Unless
    `is_asked_for`: the customer came back of their own accord.
    """
    assert lead.dealer_id is not None
    offer = held_offer(session, lead)
    if not is_asked_for and unapproachable(session, lead):
        leave_alone(session, lead, offer, at)
        return
    dealer = lead.dealer
    if offer is None or dealer is None or why_not_by_hand(session, lead.market_id, dealer.code, at):
        one_move_at_a_time(session, lead.market_id)
        if offer is not None:
            end_offer(session, lead, offer, "withdrawn", at, "dealer_ended")
        place(session, lead, at)
        return
    reached = lead.contacted_at is not None
    lead.status = step(Status(lead.status), Status.CONTACTED if reached else Status.ACCEPTED)
    lead.resting_until, lead.touched_at, lead.escalated_minutes = None, at, 0
    record(session, lead.id, "back", at=at, actor_id=actor.user_id, dealer_id=lead.dealer_id)
    session.flush()
    take_open_again(session, lead.dealer_id)
    calendar = calendar_of_dealer(session, lead.dealer_id, at)
    due_at = add_working_minutes(calendar, at, CALL_WITHIN_MINUTES) or at
    if lead.call_at is not None and lead.call_at > at:
        due_at = lead.call_at
    call = add_plan(session, lead, kind="call", due_at=due_at, note="", at=at, actor=actor)
    # The mail that says it is back is the reminder.
    call.owner_id, call.reminded_at = lead.owner_id, at
    schedule(session, lead, offer, at)
    notify.tell_dealer_back(session, lead, at)


def leave_alone(session: Session, lead: Lead, offer: Offer | None, at: datetime) -> None:
    """The customer wants to hear nothing more: nobody calls, and the dealer that has the lead by
    the offer is told. No commit."""
    if offer is not None:
        end_offer(session, lead, offer, "withdrawn", at, "suppressed")
    end_plans(session, lead.id, at)
    lead.status, lead.cause = step(Status(lead.status), Status.WITHDRAWN), "suppressed"
    lead.closed_at, lead.next_action_at, lead.resting_until = at, None, None
    if offer is not None:
        notify.tell_dealer_taken_away(session, lead, offer, at)
    record(session, lead.id, "withdrawn", at=at, dealer_id=lead.dealer_id, reason="suppressed")
