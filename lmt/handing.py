"""A lead goes from one colleague of its dealer to another, and notes name who should read them.

Each commits.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.colleagues import named_in, people_with
from lmt.db import uuid7
from lmt.followup.service import touch
from lmt.lifecycle import WITH_DEALER, IllegalStep, Status
from lmt.models import Event, Lead, PlannedAction, User, locked_lead
from lmt.notify import service as notify
from lmt.scope import Actor


class NoColleague(ValueError):
    """Whoever was named doesn't work on this lead's dealer's leads."""


def hand_to(
    session: Session,
    lead_id: uuid.UUID,
    *,
    user_id: int | None,
    note: str = "",
    at: datetime,
    actor: Actor,
) -> Lead:
    """Give the lead, with what is planned on it, to a colleague, who is told; None: to the team.

    Its clocks run on: the customer has heard nothing by it. Handing it to whoever has it changes
    nothing. Raises LookupError, IllegalStep where no dealer has the lead now, NoColleague.
    """
    lead = locked_lead(session, lead_id)
    if lead.status not in WITH_DEALER:
        raise IllegalStep(Status(lead.status), Status.ACCEPTED)
    people = people_with(session, lead)
    if user_id is not None and user_id not in people:
        raise NoColleague(f"no colleague {user_id}")
    if user_id == lead.owner_id:
        return lead
    before, lead.owner_id = lead.owner_id, user_id
    waiting = select(PlannedAction).where(
        PlannedAction.lead_id == lead.id,
        PlannedAction.done_at.is_(None),
        PlannedAction.owner_id == before,
    )
    for step in session.scalars(waiting):
        step.owner_id = user_id
    name = people[user_id] if user_id is not None else ""
    data = {"colleague": name, "user_id": user_id, "from_id": before, "note": note}
    event = _event("handed_to", lead, at, actor, data)
    session.add(event)
    if user_id is not None:
        _tell(session, "colleague_handed", lead, [user_id], event)
    session.commit()
    return lead


def add_note(
    session: Session,
    lead_id: uuid.UUID,
    *,
    text: str,
    tell: Collection[int] = (),
    at: datetime,
    actor: Actor,
) -> tuple[str, ...]:
    """A remark for colleagues; the customer never sees it. Those whose ids are in `tell`, and whom
    the text names with `@`, are told by mail; returns their names.

    Raises LookupError; ids of others than the lead's dealer's people count for nothing.
    """
    lead = locked_lead(session, lead_id)
    people = people_with(session, lead)
    named = named_in(text, people)
    told = [id for id in people if id in named | set(tell) and id != actor.user_id]
    names = tuple(people[id] for id in told)
    if lead.dealer_id in actor.dealers:
        touch(lead, actor, at)
    event = _event("note", lead, at, actor, {"text": text, "told_to": ", ".join(names)})
    session.add(event)
    _tell(session, "colleague_mentioned", lead, told, event)
    session.commit()
    return names


def _event(kind: str, lead: Lead, at: datetime, actor: Actor, data: dict[str, Any]) -> Event:
    return Event(
        id=uuid7(at),
        lead_id=lead.id,
        at=at,
        kind=kind,
        actor_id=actor.user_id,
        dealer_id=lead.dealer_id,
        data=data,
    )


def _tell(session: Session, kind: str, lead: Lead, user_ids: Iterable[int], event: Event) -> None:
    """Whoever did it needn't be told."""
    session.flush()
    for user_id in user_ids:
        if user_id != event.actor_id:
            person = session.get_one(User, user_id)
            by = event.actor_id
            notify.tell_colleague(
                session, kind, lead, person, event.at, by=by, event_id=str(event.id)
            )
