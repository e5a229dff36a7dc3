"""Stage 6, the verbs that end a lead, and the one that takes an end back. Each commits."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.donotcontact import KINDS, suppress_customer, take_back
from lmt.lifecycle import Status, step
from lmt.models import Lead, Outcome, PlannedAction, locked_lead, record
from lmt.models.capacity import give_back_open, take_open_again
from lmt.scope import Actor

Also = Callable[[Session, Lead], None]

WANTS_NO_CONTACT = "do_not_contact"
"""The reason that also puts the customer on the do-not-contact lists."""


def won(
    session: Session,
    lead_id: uuid.UUID,
    *,
    model: str = "",
    order_number: str = "",
    value: Decimal | None = None,
    sold_at: datetime | None = None,
    at: datetime,
    actor: Actor,
    also: Also | None = None,
) -> None:
    """A sale. `value` is in the market's currency; `sold_at` is when, where that was before `at`;
    `also` happens in the same transaction, before it ends.

    Raises ValueError for a sale yet to come.
    """
    if sold_at is not None and sold_at > at:
        raise ValueError("a sale that is yet to come is none")
    lead = locked_lead(session, lead_id)
    outcome = Outcome(
        kind="won",
        at=sold_at or at,
        reason="",
        model=model,
        order_number=order_number,
        value=value,
        currency=lead.market.currency if value is not None else None,
    )
    _close(session, lead, Status.WON, outcome, "", at, actor, also)


def lost(
    session: Session,
    lead_id: uuid.UUID,
    *,
    reason: str,
    note: str = "",
    at: datetime,
    actor: Actor,
    also: Also | None = None,
) -> None:
    """No sale, for a reason. `also` as for `won`."""
    lead = locked_lead(session, lead_id)
    outcome = Outcome(kind="lost", at=at, reason=reason, model="")
    if reason == WANTS_NO_CONTACT:
        suppress_customer(session, lead, KINDS, origin="outcome", at=at, actor_id=actor.user_id)
    _close(session, lead, Status.LOST, outcome, note, at, actor, also)


def reopen(session: Session, lead_id: uuid.UUID, *, at: datetime, actor: Actor) -> None:
    """Take an outcome back: the lead is worked on again, by the same dealer, and what was planned
    when it ended is planned again, unless somebody was told meanwhile that it was called off."""
    lead = locked_lead(session, lead_id)
    ended_at = lead.closed_at
    reached = lead.contacted_at is not None
    lead.status = step(Status(lead.status), Status.CONTACTED if reached else Status.ACCEPTED)
    if lead.cause == WANTS_NO_CONTACT:
        take_back(session, lead.id, actor_id=actor.user_id, at=at)
    lead.closed_at, lead.cause = None, ""
    ended_with_it = select(PlannedAction).where(
        PlannedAction.lead_id == lead.id,
        PlannedAction.dealer_id == lead.dealer_id,
        PlannedAction.done_at == ended_at,
        PlannedAction.cancelled_at.is_(None),
    )
    for action in session.scalars(ended_with_it):
        action.done_at = None
    # Its clocks begin anew; the worker looks what is next.
    lead.touched_at, lead.escalated_minutes, lead.next_action_at = at, 0, at
    session.delete(session.get_one(Outcome, lead.id))
    assert lead.dealer_id is not None
    take_open_again(session, lead.dealer_id)
    record(
        session,
        lead.id,
        "reopened",
        at=at,
        actor_id=actor.user_id,
        dealer_id=lead.dealer_id,
    )
    session.commit()


def _close(
    session: Session,
    lead: Lead,
    status: Status,
    outcome: Outcome,
    note: str,
    at: datetime,
    actor: Actor,
    also: Also | None,
) -> None:
    rested = lead.status == Status.RESTING
    lead.status = step(Status(lead.status), status)
    lead.closed_at, lead.cause = at, outcome.reason
    lead.next_action_at = lead.resting_until = None
    assert lead.dealer_id is not None
    outcome.lead_id = lead.id
    outcome.dealer_id, outcome.user_id = lead.dealer_id, actor.user_id
    session.add(outcome)
    open_plans = select(PlannedAction).where(
        PlannedAction.lead_id == lead.id, PlannedAction.done_at.is_(None)
    )
    for action in session.scalars(open_plans):
        action.done_at = at
    if not rested:
        give_back_open(session, lead.dealer_id, at)
    record(
        session,
        lead.id,
        outcome.kind,
        at=at,
        actor_id=actor.user_id,
        dealer_id=lead.dealer_id,
        reason=outcome.reason,
        model=outcome.model,
        note=note,
    )
    if also is not None:
        also(session, lead)
    session.commit()
