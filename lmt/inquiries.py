"""What was asked again turns out to be another need: a person makes it a lead, and may undo it."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.again import lead_of_inquiry
from lmt.customerrows import LONGEST_REASON, NotNow
from lmt.db import wake
from lmt.lifecycle import CLOSED, Status, may_step
from lmt.models import CustomerMove, Inquiry, Lead, locked_lead, record
from lmt.pipeline import withdraw
from lmt.scope import Actor, as_system


def split_inquiry(
    session: Session, inquiry_id: uuid.UUID, *, at: datetime, actor: Actor, reason: str = ""
) -> uuid.UUID:
    """What was joined to a lead was another need: it becomes a lead of its own and is routed.

    Returns the new lead's id. Raises LookupError where the actor sees no such inquiry, NotNow where
    it is a lead already (same).
    """
    inquiry = session.get(Inquiry, inquiry_id)
    if inquiry is None:
        raise LookupError(f"no inquiry {inquiry_id}")
    lead = locked_lead(session, inquiry.lead_id)
    session.refresh(inquiry)
    if inquiry.split_into_id is not None:
        raise NotNow("same")
    with as_system(session):
        own = lead_of_inquiry(session, lead, inquiry, at)
        inquiry.split_into_id, inquiry.handled_at = own.id, inquiry.handled_at or at
        lead.asked_again = max(lead.asked_again - 1, 0)
        session.add(
            CustomerMove(
                kind="split",
                from_id=lead.customer_id,
                to_id=lead.customer_id,
                lead_ids=[own.id],
                keys=[],
                at=at,
                actor_id=actor.user_id,
                reason=reason[:LONGEST_REASON],
            )
        )
        own_id = own.id
        wake(session, "leads")
        session.commit()
    return own_id


def join_inquiry(session: Session, move: CustomerMove, at: datetime, actor: Actor) -> None:
    """The lead that was made of an inquiry is withdrawn, and the inquiry is its first lead's."""
    own = session.get(Lead, move.lead_ids[0])
    if own is None:
        raise LookupError(f"no lead {move.lead_ids[0]}")
    if own.status in CLOSED and own.status != Status.WITHDRAWN:
        raise NotNow("worked")
    inquiry = session.scalars(select(Inquiry).where(Inquiry.split_into_id == own.id)).first()
    if inquiry is None:
        raise LookupError("no inquiry")
    lead = locked_lead(session, inquiry.lead_id)
    inquiry.split_into_id = None
    lead.asked_again += 1
    move.undone_at, move.undone_by = at, actor.user_id
    record(
        session, lead.id, "inquiry_joined", at=at, actor_id=actor.user_id, reference=own.reference
    )
    if may_step(Status(own.status), Status.WITHDRAWN):
        withdraw(session, own.id, reason="joined_back", at=at, actor=actor)
    session.commit()
