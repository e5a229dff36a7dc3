"""The worker's step on a lead whose time has come: end an offer, remind, escalate, look again.

Inside the pipeline's transaction; nothing here commits.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.agenda import Agenda, Due, agenda_of, schedule
from lmt.followup.service import end_plans
from lmt.lifecycle import Status
from lmt.models import DealerTerms, Event, Handover, Lead, Offer, PlannedAction, record
from lmt.notify import service as notify
from lmt.notify.recipients import terms_of
from lmt.offerclock import LOOK_AGAIN, extend, mail_of
from lmt.placing import end_offer, held_offer, next_desk_morning, place
from lmt.routing.capacity import one_move_at_a_time

RAISED_POINTS = 20
"""What a step that raises the priority adds: a hot lead goes before its like."""


def watch_offer(session: Session, lead: Lead, at: datetime) -> None:
    """An offered lead: the next dealer gets it when the time is over, else its steps are done."""
    offer = held_offer(session, lead)
    if offer is None:
        one_move_at_a_time(session, lead.market_id)
        place(session, lead, at)
    elif offer.expires_at > at:
        _do_steps(session, lead, offer, at)
    else:
        _end_of_time(session, lead, offer, at)


def watch_work(session: Session, lead: Lead, at: datetime) -> None:
    """An accepted or contacted lead: its steps, and the reminders of what is planned."""
    offer = held_offer(session, lead)
    if offer is None:
        # Rows of before offers were kept open; whoever has it is asked to go on with it.
        lead.next_action_at = next_desk_morning(lead.market, at)
    elif _has_ended(session, offer.dealer_id, at):
        route_on(session, lead, offer, at, "dealer_ended", "offer_expired")
    else:
        _do_steps(session, lead, offer, at)


def _has_ended(session: Session, dealer_id: int, at: datetime) -> bool:
    """Whether the dealer is gone, and no handover is about to take its leads on."""
    holds = select(DealerTerms.id).where(DealerTerms.dealer_id == dealer_id)
    if session.scalars(holds.where(DealerTerms.holds_at(at)).limit(1)).first() is not None:
        return False
    moving = select(Handover.id).where(
        Handover.dealer_id == dealer_id, Handover.done_at.is_(None), Handover.brand_id.is_(None)
    )
    return session.scalars(moving.limit(1)).first() is None


def watch_queue(session: Session, lead: Lead, at: datetime) -> None:
    """A lead without a dealer is tried again; its keepers hear of a queue that only they can
    empty, once a morning."""
    place(session, lead, at)
    if lead.status in {Status.INCOMPLETE, Status.UNLOCATED} and not lead.test:
        notify.remind_queue(session, lead.market_id, lead.status, at)


def _end_of_time(session: Session, lead: Lead, offer: Offer, at: datetime) -> None:
    """Nobody answered in time: the next dealer gets the lead, unless this one can't know of it."""
    mail = mail_of(session, offer) if offer.clock_at is None else "sent"
    if mail == "queued":
        told = select(Event.id).where(
            Event.lead_id == lead.id,
            Event.kind == "extended",
            Event.data["offer_id"].as_string() == str(offer.id),
        )
        if session.scalars(told).first() is None:
            record(
                session,
                lead.id,
                "extended",
                at=at,
                dealer_id=offer.dealer_id,
                cause="mail_waits",
                offer_id=str(offer.id),
            )
        extend(lead, offer, at + LOOK_AGAIN)
        lead.next_action_at = offer.expires_at
        return
    reason = "not_reachable" if mail == "failed" else ""
    route_on(session, lead, offer, at, reason, "offer_expired")


def route_on(
    session: Session, lead: Lead, offer: Offer, at: datetime, reason: str, kind: str
) -> None:
    """Take the lead from the dealer that let its time pass, and find the next. `reason` is a code
    of `end_of_offer`, or "" for an offer nobody answered; `kind` the event that tells it."""
    one_move_at_a_time(session, lead.market_id)
    end_plans(session, lead.id, at)
    end_offer(session, lead, offer, "expired", at, reason)
    told = {"cause": reason} if reason else {}
    record(session, lead.id, kind, at=at, actor_id=None, dealer_id=offer.dealer_id, **told)
    notify.tell_dealer_taken_away(session, lead, offer, at)
    session.flush()
    place(session, lead, at)


def _do_steps(session: Session, lead: Lead, offer: Offer, at: datetime) -> None:
    agenda = agenda_of(session, lead, offer, at)
    _remind_of_plans(session, agenda, at)
    due, reached = agenda.due(at)
    lead.escalated_minutes = reached
    for each in due:
        if each.step.action == "reroute":
            route_on(session, lead, offer, at, "no_action", "offer_expired")
            return
        _do(session, agenda, each, at)
    schedule(session, lead, offer, at)


def _do(session: Session, agenda: Agenda, due: Due, at: datetime) -> None:
    lead, offer = agenda.lead, agenda.offer
    action, minutes, state = due.step.action, due.step.after_minutes, due.step.state
    told: dict[str, object] = {"state": state, "minutes": minutes}
    if due.watch.plan is not None:
        told["plan_id"] = str(due.watch.plan.id)
    if action == "remind_dealer":
        terms = terms_of(session, offer.dealer_id, at)
        notify.remind_dealer(session, lead, offer, terms, minutes, at, step_state=state)
        kind = "reminded"
    elif action == "raise_priority":
        lead.band, lead.points = "hot", lead.points + RAISED_POINTS
        kind = "raised"
    elif action == "notify_manager":
        notify.notify_manager(session, lead, state, minutes, at)
        kind, told["to"] = "escalated", "manager"
    else:
        notify.notify_headquarters(session, lead, state, minutes, at)
        kind, told["to"] = "escalated", "headquarters"
    record(session, lead.id, kind, at=at, actor_id=None, dealer_id=offer.dealer_id, **told)


def _remind_of_plans(session: Session, agenda: Agenda, at: datetime) -> None:
    for plan in agenda.plans:
        instant = agenda.reminder_of(plan)
        if instant is None or instant > at:
            continue
        plan.reminded_at = at
        if plan.due_at > at:
            notify.remind_plan(session, plan, at)
            _remember(session, agenda, plan, at)


def _remember(session: Session, agenda: Agenda, plan: PlannedAction, at: datetime) -> None:
    record(
        session,
        agenda.lead.id,
        "reminded",
        at=at,
        dealer_id=plan.dealer_id,
        plan_kind=plan.kind,
        due_at=plan.due_at.isoformat(),
    )
