"""Reminders and escalations: whoever has a lead, or leads those who have it, is told that it
waits. Each mail is due at the reader's next opening, and is dropped there if it is overtaken."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.calendars import dealer_calendar
from lmt.i18n import best_locale
from lmt.lifecycle import Status
from lmt.models import DealerTerms, Lead, Offer, PlannedAction
from lmt.notify.headquarters import notify_headquarters
from lmt.notify.messages import enqueue
from lmt.notify.opening import next_at_work
from lmt.notify.recipients import (
    Addressee,
    colleague_or_dealer,
    deputy_context,
    managers_of,
    owner_of,
    present,
    terms_of,
)
from lmt.notify.steps import held_offer_id, step_context, step_key


def remind_dealer(
    session: Session,
    lead: Lead,
    offer: Offer,
    terms: DealerTerms,
    step_minutes: int,
    at: datetime,
    *,
    step_state: str = "",
) -> None:
    """The lead waits at this dealer: nobody took it, or nobody went on with it.

    To the colleague who has it or their deputy, else to the dealer's mailbox. `step_state` is
    the escalation step's; left out, the lead's status tells it.
    """
    if lead.test:
        return
    session.flush()
    due_at = next_at_work(dealer_calendar(session, terms.dealer_id, at), at)
    reader = colleague_or_dealer(session, owner_of(session, lead), lead, terms, due_at)
    if reader is None:
        return
    state = step_state or _state_of(lead)
    _enqueue_step(
        session, "dealer_reminder", lead, offer.id, state, step_minutes, reader, at, due_at
    )


def notify_manager(
    session: Session, lead: Lead, step_state: str, step_minutes: int, at: datetime
) -> None:
    """The lead waits at its dealer: to the managers there, or their deputies; headquarters hears
    of it where the dealer has none on duty."""
    if lead.test or lead.dealer_id is None:
        return
    session.flush()
    due_at = next_at_work(dealer_calendar(session, lead.dealer_id, at), at)
    managers = managers_of(session, lead.dealer_id, lead.brand_id)
    readers = present(session, managers, lead, due_at)
    if not readers:
        notify_headquarters(session, lead, step_state, step_minutes, at)
        return
    offer_id = held_offer_id(session, lead)
    for reader in readers:
        _enqueue_step(
            session,
            "manager_escalation",
            lead,
            offer_id,
            step_state,
            step_minutes,
            reader,
            at,
            due_at,
        )


def remind_plan(session: Session, plan: PlannedAction, at: datetime) -> None:
    """A planned step comes near: to whoever planned it, their deputy, or the dealer's mailbox,
    with the step as a calendar file."""
    lead = session.scalars(select(Lead).where(Lead.id == plan.lead_id)).one()
    if lead.test:
        return
    session.flush()
    due_at = next_at_work(dealer_calendar(session, plan.dealer_id, at), at)
    terms = terms_of(session, plan.dealer_id, at)
    reader = colleague_or_dealer(session, plan.owner, lead, terms, due_at)
    if reader is None:
        return
    planned_at = plan.due_at.isoformat()
    _enqueue_for(
        session,
        reader,
        cause=f"plan:{plan.id}:reminder:{planned_at}:{reader.email}",
        kind="plan_reminder",
        lead=lead,
        dealer_id=plan.dealer_id,
        context={"plan_id": plan.id, "planned_at": planned_at},
        at=at,
        due_at=due_at,
    )


def _enqueue_step(
    session: Session,
    kind: str,
    lead: Lead,
    offer_id: uuid.UUID | None,
    state: str,
    minutes: int,
    reader: Addressee,
    at: datetime,
    due_at: datetime,
) -> None:
    """One mail per step, lead, holder and reader."""
    _enqueue_for(
        session,
        reader,
        cause=f"{step_key(lead, offer_id, state, minutes)}:{kind}:{reader.email}",
        kind=kind,
        lead=lead,
        dealer_id=lead.dealer_id,
        context=step_context(lead, offer_id, state, minutes),
        at=at,
        due_at=due_at,
    )


def _enqueue_for(
    session: Session,
    reader: Addressee,
    *,
    cause: str,
    kind: str,
    lead: Lead,
    dealer_id: int | None,
    context: dict[str, Any],
    at: datetime,
    due_at: datetime,
) -> None:
    enqueue(
        session,
        cause=cause,
        kind=kind,
        audience="dealer",
        recipient=reader.email,
        language=best_locale([reader.language]),
        timezone=reader.timezone,
        market_id=lead.market_id,
        lead_id=lead.id,
        dealer_id=dealer_id,
        context=context | deputy_context(reader),
        at=at,
        due_at=due_at,
    )


def _state_of(lead: Lead) -> str:
    return lead.status if lead.status in {Status.ACCEPTED, Status.CONTACTED} else "offered"
