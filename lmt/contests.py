"""A dealer doubts a routing decision with one click; headquarters looks at it and answers.

Both stand in the lead's history. Nothing moves by it: who moves a lead says so by its own verb.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.models import Contest, Lead, RoutingDecision, record
from lmt.scope import Actor

LONGEST_TEXT = 1000


class AlreadyAnswered(ValueError):
    """Somebody else of headquarters was quicker."""


def contest(
    session: Session,
    lead_id: uuid.UUID,
    decision_id: uuid.UUID,
    *,
    note: str = "",
    at: datetime,
    actor: Actor,
) -> None:
    """The dealer that has the lead doubts the decision. Doing it twice changes nothing.

    Raises LookupError where the actor's dealer hasn't got the lead, or no such decision was made.
    """
    lead = session.get(Lead, lead_id)
    decision = session.get(RoutingDecision, decision_id)
    if lead is None or lead.dealer_id is None or lead.dealer_id not in actor.dealers:
        raise LookupError(f"no lead {lead_id}")
    if decision is None or decision.lead_id != lead.id:
        raise LookupError(f"no decision {decision_id} of lead {lead_id}")
    text = note.strip()[:LONGEST_TEXT]
    row = insert(Contest).values(
        decision_id=decision.id,
        lead_id=lead.id,
        dealer_id=lead.dealer_id,
        user_id=actor.user_id,
        at=at,
        note=text,
        answer="",
    )
    added = session.execute(row.on_conflict_do_nothing().returning(Contest.id)).scalar()
    if added is not None:
        record(
            session,
            lead.id,
            "contested",
            at=at,
            actor_id=actor.user_id,
            dealer_id=lead.dealer_id,
            note=text,
        )
    session.commit()


def answer(session: Session, contest_id: int, *, text: str, at: datetime, actor: Actor) -> Contest:
    """Headquarters says what it thinks of it; the dealer reads it in the lead's history.

    Raises LookupError where the actor sees no such contest, ValueError without a text, and
    AlreadyAnswered.
    """
    found = session.scalars(
        select(Contest).where(Contest.id == contest_id).with_for_update(of=Contest)
    ).first()
    if found is None:
        raise LookupError(f"no contest {contest_id}")
    if found.answered_at is not None:
        raise AlreadyAnswered
    said = text.strip()
    if not said or len(said) > LONGEST_TEXT:
        raise ValueError("an answer has between 1 and 1000 characters")
    found.answer, found.answered_at, found.answered_by = said, at, actor.user_id
    record(
        session,
        found.lead_id,
        "contest_answered",
        at=at,
        actor_id=actor.user_id,
        dealer_id=found.dealer_id,
        text=said,
    )
    session.commit()
    return found


def contest_of(session: Session, decision_id: uuid.UUID, dealer_id: int) -> Contest | None:
    """The dealer's latest contest of the decision."""
    return session.scalars(
        select(Contest)
        .where(Contest.decision_id == decision_id, Contest.dealer_id == dealer_id)
        .order_by(Contest.at.desc())
        .limit(1)
    ).first()
