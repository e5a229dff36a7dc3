"""What a message remembers of the escalation step that made it, and what makes it the only one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.models import Lead, Offer


def step_key(lead: Lead, offer_id: uuid.UUID | None, state: str, minutes: int) -> str:
    """A step at one holder since their last act: when they act, it may come again."""
    holder = f"offer:{offer_id}" if offer_id else f"dealer:{lead.dealer_id}"
    return f"lead:{lead.id}:{holder}:{state}:{minutes}:{_iso(lead.touched_at)}"


def step_context(
    lead: Lead, offer_id: uuid.UUID | None, state: str, minutes: int
) -> dict[str, Any]:
    """What tells later whether the lead still waits: its holder, its state, their last act."""
    return {
        "offer_id": str(offer_id) if offer_id else "",
        "dealer_id": lead.dealer_id,
        "state": state,
        "minutes": minutes,
        "touched_at": _iso(lead.touched_at),
    }


def held_offer_id(session: Session, lead: Lead) -> uuid.UUID | None:
    """The offer by which a dealer has the lead."""
    return session.scalars(
        select(Offer.id).where(Offer.lead_id == lead.id, Offer.state.in_(("open", "accepted")))
    ).first()


def is_touched(lead: Lead, context: Mapping[str, Any]) -> bool:
    """Whether the lead's holder did something since."""
    return _iso(lead.touched_at) != str(context.get("touched_at", ""))


def _iso(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).isoformat()
