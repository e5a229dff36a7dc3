"""Stage 5, the dealer's verbs on a lead it accepted: contacted, planned, noted. Each commits.

What its holder does begins the lead's escalation anew, and makes the worker look what is next.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.lifecycle import WORKED, IllegalStep, Status
from lmt.models import Lead, PlannedAction, locked_lead, record
from lmt.models.work import PLAN_KINDS
from lmt.scope import Actor


def contacted(
    session: Session,
    lead_id: uuid.UUID,
    *,
    how: str,
    result: str,
    note: str = "",
    at: datetime,
    actor: Actor,
) -> None:
    """The dealer tried to reach the customer; only reaching them counts as contact.

    A planned call that was due is done by it. Whoever an import brought was approached, and waits
    from the first attempt on.
    """
    lead = worked_lead(session, lead_id, Status.CONTACTED)
    if result == "reached":
        lead.status = Status.CONTACTED
        lead.contacted_at = lead.contacted_at or at
    if lead.import_id is not None:
        lead.first_call_at = lead.first_call_at or at
    if result == "reached" or (lead.call_at is not None and lead.call_at <= at):
        lead.call_at = None
    touch(lead, actor, at)
    record(
        session,
        lead.id,
        "contacted",
        at=at,
        actor_id=actor.user_id,
        dealer_id=lead.dealer_id,
        how=how,
        result=result,
        note=note,
    )
    due_calls = session.scalars(
        select(PlannedAction).where(
            PlannedAction.lead_id == lead.id,
            PlannedAction.kind == "call",
            PlannedAction.done_at.is_(None),
            PlannedAction.due_at <= at,
        )
    )
    for call in due_calls:
        call.done_at = at
    session.commit()


def plan(
    session: Session,
    lead_id: uuid.UUID,
    *,
    kind: str,
    due_at: datetime,
    note: str = "",
    at: datetime,
    actor: Actor,
) -> PlannedAction:
    """Put a call, a test drive or a visit on the calendar of whoever plans it."""
    lead = worked_lead(session, lead_id, Status.CONTACTED)
    action = add_plan(session, lead, kind=kind, due_at=due_at, note=note, at=at, actor=actor)
    session.commit()
    return action


def add_plan(
    session: Session,
    lead: Lead,
    *,
    kind: str,
    due_at: datetime,
    note: str,
    at: datetime,
    actor: Actor,
) -> PlannedAction:
    """As `plan`, inside the caller's transaction. Raises ValueError for an unknown kind."""
    if kind not in PLAN_KINDS:
        raise ValueError(f"there is no planned action {kind!r}")
    assert lead.dealer_id is not None
    action = PlannedAction(
        lead_id=lead.id,
        dealer_id=lead.dealer_id,
        owner_id=actor.user_id,
        kind=kind,
        due_at=due_at,
        note=note,
        created_at=at,
    )
    session.add(action)
    touch(lead, actor, at)
    record(
        session,
        lead.id,
        "planned",
        at=at,
        actor_id=actor.user_id,
        dealer_id=lead.dealer_id,
        plan_kind=kind,
        due_at=due_at.isoformat(),
        note=note,
    )
    return action


def finish_plan(session: Session, plan_id: int, *, at: datetime, actor: Actor) -> None:
    """A planned action was done. Doing it twice changes nothing."""
    action = session.get(PlannedAction, plan_id)
    if action is None:
        raise LookupError(f"no planned action {plan_id}")
    # The lead first, as every other verb locks it.
    lead = locked_lead(session, action.lead_id)
    session.refresh(action, with_for_update=True)
    if action.done_at is None:
        action.done_at = at
        if action.kind == "call":
            lead.call_at = None
        touch(lead, actor, at)
        record(
            session,
            lead.id,
            "plan_done",
            at=at,
            actor_id=actor.user_id,
            dealer_id=lead.dealer_id,
            plan_kind=action.kind,
        )
    session.commit()


def move_plan(
    session: Session, plan_id: int, *, due_at: datetime, at: datetime, actor: Actor
) -> PlannedAction:
    """Put a planned action at another time; its owner is reminded anew.

    Raises LookupError where there is none to see, IllegalStep where it was done or the lead is no
    longer worked on.
    """
    action = session.get(PlannedAction, plan_id)
    if action is None:
        raise LookupError(f"no planned action {plan_id}")
    lead = worked_lead(session, action.lead_id, Status.CONTACTED)
    session.refresh(action, with_for_update=True)
    if action.done_at is not None:
        raise IllegalStep(Status(lead.status), Status.CONTACTED)
    moved_from, action.due_at, action.reminded_at = action.due_at, due_at, None
    if action.kind == "call" and lead.call_at is not None:
        lead.call_at = due_at
    touch(lead, actor, at)
    record(
        session,
        lead.id,
        "planned",
        at=at,
        actor_id=actor.user_id,
        dealer_id=lead.dealer_id,
        plan_kind=action.kind,
        due_at=due_at.isoformat(),
        moved_from=moved_from.isoformat(),
    )
    session.commit()
    return action


def touch(lead: Lead, actor: Actor, at: datetime) -> None:
    """Its holder did something with the lead: its clocks begin anew. A worked lead without an
    owner is whose of the dealer's people goes to work on it."""
    if lead.status not in WORKED:
        return
    lead.touched_at, lead.escalated_minutes, lead.next_action_at = at, 0, at
    if lead.owner_id is None and lead.dealer_id in actor.dealers:
        lead.owner_id = actor.user_id


def end_plans(session: Session, lead_id: uuid.UUID, at: datetime) -> None:
    """Nothing planned for the lead is due any more; inside the caller's transaction."""
    open_plans = select(PlannedAction).where(
        PlannedAction.lead_id == lead_id, PlannedAction.done_at.is_(None)
    )
    for action in session.scalars(open_plans):
        action.done_at = at


def add_note(
    session: Session, lead_id: uuid.UUID, *, text: str, at: datetime, actor: Actor
) -> None:
    """A remark for colleagues; the customer never sees it."""
    lead = locked_lead(session, lead_id)
    if lead.dealer_id in actor.dealers:
        touch(lead, actor, at)
    record(
        session,
        lead.id,
        "note",
        at=at,
        actor_id=actor.user_id,
        dealer_id=lead.dealer_id,
        text=text,
    )
    session.commit()


def worked_lead(session: Session, lead_id: uuid.UUID, target: Status) -> Lead:
    """The lead, locked, when a dealer works on it. Raises LookupError or IllegalStep."""
    lead = locked_lead(session, lead_id)
    if lead.status not in WORKED:
        raise IllegalStep(Status(lead.status), target)
    return lead
