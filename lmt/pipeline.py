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
from sqlalchemy import or_, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, joinedload

from lmt.again import take_note, unheard
from lmt.chase import watch_offer, watch_queue, watch_work
from lmt.db import SessionFactory
from lmt.donotcontact import wants_no_contact
from lmt.followup.service import add_plan, end_plans
from lmt.lifecycle import OPEN, QUEUES, WORKED, IllegalStep, Status, step
from lmt.models import Lead, Offer, PlannedAction, locked_lead, record
from lmt.moving import NotEligible, move_for_customer, reassign, route_again
from lmt.notify import service as notify
from lmt.offerclock import mail_of
from lmt.placing import end_offer, enqueue, held_offer, place
from lmt.qualify.service import qualify_lead
from lmt.resting import come_back, leave_alone, rest, wake_now
from lmt.routing.capacity import one_move_at_a_time
from lmt.scope import SYSTEM, Actor, act_as, as_system

log = structlog.get_logger(__name__)

COLLISIONS = frozenset({"40P01", "55P03"})
"""SQLSTATE of a deadlock, and of a lock waited for in vain."""
SEEN_AFTER_TIMES = 3
"""A lead that failed so often is put where headquarters sees it."""
MOST_POSTPONED = timedelta(hours=1)
MOST_FORGOTTEN = 1000


IMPORTED = "lead.status = 'received' AND lead.import_id IS NOT NULL AND lead.asked_again = 0"
"""The condition of a newcomer of an import, as the indexes have it: whoever asked since waits for
an answer as others do."""


class TooLate(Exception):
    """The offer is over: the lead has gone to another dealer, or was answered already."""


@dataclass(frozen=True, slots=True)
class PlanInput:
    """The next step a dealer names when accepting."""

    kind: str
    due_at: datetime
    note: str = ""


def due_leads(session: Session, at: datetime, limit: int = 100) -> list[uuid.UUID]:
    """Leads whose next action is due, the hottest first. Newcomers of imports are not among them:
    a million of those must not stand before whoever waits for an answer."""
    return list(
        session.scalars(
            select(Lead.id)
            .where(Lead.next_action_at <= at, text(f"NOT ({IMPORTED})"))
            .order_by(Lead.points.desc(), Lead.next_action_at)
            .limit(limit)
        )
    )


def find_forgotten(session: Session, at: datetime) -> int:
    """Give every open lead without a next instant one, and commit; returns how many had none.
    A closed one counts where its customer asked again and nobody heard it before it closed.

    No verb leaves a lead so. This is the net below rows of older versions and of other hands.
    """
    forgotten = session.scalars(
        select(Lead)
        .where(Lead.next_action_at.is_(None), or_(Lead.status.in_(sorted(OPEN)), unheard()))
        .limit(MOST_FORGOTTEN)
        .with_for_update(of=Lead, skip_locked=True)
    ).all()
    for lead in forgotten:
        # Its clocks begin now: who never knew of them is not escalated for the past.
        lead.touched_at = at if lead.status in OPEN else lead.touched_at
        lead.next_action_at = max(at, lead.resting_until or at)
    session.commit()
    return len(forgotten)


def advance(sessions: SessionFactory, lead_id: uuid.UUID, at: datetime) -> bool:
    """Take the lead one step further if it is due and nobody else has it; True if it was.

    A step that fails is recorded and put off, so that one bad lead never blocks the others.
    """
    try:
        with sessions() as session:
            act_as(session, SYSTEM)
            lead = session.scalars(
                select(Lead)
                .options(joinedload(Lead.source), joinedload(Lead.market))
                .where(Lead.id == lead_id, Lead.next_action_at <= at)
                .with_for_update(of=Lead, skip_locked=True)
            ).first()
            if lead is None:
                return False
            _take_step(session, lead, at)
            lead.postponed = 0
            session.commit()
    except OperationalError as problem:
        state = getattr(problem.orig, "sqlstate", None)
        if state is None or problem.connection_invalidated:
            raise
        if state in COLLISIONS:
            # Somebody else was in the way; the lead is still due, and its next try finds it gone.
            log.warning("lead.collision", lead=str(lead_id))
        else:
            log.exception("lead.step_failed", lead=str(lead_id))
            _postpone(sessions, lead_id, at)
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
    lead.accepted_at, lead.touched_at, lead.escalated_minutes = at, at, 0
    lead.owner_id = actor.user_id
    _take_over_plans(session, lead)
    # Due at once: the worker looks up what is next, which is no matter of the dealer's waiting.
    lead.next_action_at = at
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
    one_move_at_a_time(session, lead.market_id)
    end_offer(session, lead, offer, "declined", at, reason)
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
        place(session, lead, at)
        session.commit()


def withdraw(
    session: Session, lead_id: uuid.UUID, *, reason: str, at: datetime, actor: Actor
) -> None:
    """The lead is closed without an outcome: the customer asked, or it was none."""
    lead = locked_lead(session, lead_id)
    target = step(Status(lead.status), Status.WITHDRAWN)
    held = held_offer(session, lead)
    end_plans(session, lead.id, at)
    if held is not None:
        end_offer(session, lead, held, "withdrawn", at, reason)
    lead.status, lead.cause, lead.closed_at = target, reason, at
    lead.next_action_at = lead.resting_until = None
    if held is not None and reason == "customer":
        notify.tell_dealer_withdrawn(session, lead, held.dealer_id, at)
    elif held is not None:
        notify.tell_dealer_taken_away(session, lead, held, at)
    notify.tell_customer_closed(session, lead, at)
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
    if lead.status in OPEN and wants_no_contact(session, lead):
        leave_alone(session, lead, held_offer(session, lead), at)
        return
    if lead.status == Status.RECEIVED:
        _qualify(session, lead, at)
    again = bool(lead.asked_again) and take_note(session, lead, at)
    status = Status(lead.status)
    if status is Status.RECEIVED:
        place(session, lead, at)
    elif status is Status.OFFERED:
        watch_offer(session, lead, at)
    elif status in WORKED:
        watch_work(session, lead, at)
    elif status is Status.RESTING and not again and (lead.resting_until or at) > at:
        # A list named them once more: nobody asked.
        lead.next_action_at = lead.resting_until
    elif status is Status.RESTING:
        come_back(session, lead, at, is_asked_for=again)
    elif status in QUEUES:
        if not lead.service:
            _qualify(session, lead, at)
        watch_queue(session, lead, at)
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


def _open_offer(session: Session, lead: Lead, at: datetime) -> Offer:
    """The lead's running offer. Raises TooLate where it has ended.

    Where its mail has not left yet, the dealer is not too late: the offer is about to be extended.
    """
    offer = held_offer(session, lead)
    if offer is None or offer.state != "open":
        raise TooLate
    unknown = offer.clock_at is None and mail_of(session, offer) == "queued"
    if offer.expires_at <= at and not unknown:
        raise TooLate
    return offer


def _take_over_plans(session: Session, lead: Lead) -> None:
    """What the customer booked before anybody had the lead is whose who takes it."""
    nobodys = select(PlannedAction).where(
        PlannedAction.lead_id == lead.id,
        PlannedAction.dealer_id == lead.dealer_id,
        PlannedAction.owner_id.is_(None),
        PlannedAction.done_at.is_(None),
    )
    for action in session.scalars(nobodys):
        action.owner_id = lead.owner_id


def _postpone(sessions: SessionFactory, lead_id: uuid.UUID, at: datetime) -> None:
    with sessions() as session:
        act_as(session, SYSTEM)
        lead = locked_lead(session, lead_id)
        lead.postponed += 1
        wait = min(timedelta(seconds=5 * 4 ** min(lead.postponed, 9)), MOST_POSTPONED)
        lead.next_action_at = at + wait
        if lead.postponed >= SEEN_AFTER_TIMES and lead.status == Status.RECEIVED:
            enqueue(session, lead, Status.UNROUTED, "failed", at)
        record(session, lead.id, "postponed", at=at, times=lead.postponed)
        session.commit()


__all__ = [
    "IllegalStep",
    "NotEligible",
    "PlanInput",
    "TooLate",
    "accept",
    "advance",
    "decline",
    "due_leads",
    "find_forgotten",
    "move_for_customer",
    "reassign",
    "rest",
    "route_again",
    "wake_now",
    "withdraw",
]
