"""A lead is won or lost, and its customer is told that their request is over. Each commits."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from lmt.convert import service as converting
from lmt.models import Lead
from lmt.notify import service as notify
from lmt.scope import Actor


def won(session: Session, lead_id: uuid.UUID, *, at: datetime, actor: Actor, **sale: Any) -> None:
    """As `lmt.convert.service.won`, with its keywords; the customer hears of it."""
    converting.won(session, lead_id, at=at, actor=actor, also=_told(at), **sale)


def lost(
    session: Session,
    lead_id: uuid.UUID,
    *,
    reason: str,
    note: str = "",
    at: datetime,
    actor: Actor,
) -> None:
    """As `lmt.convert.service.lost`; the customer hears of it where they heard of the dealer."""
    converting.lost(session, lead_id, reason=reason, note=note, at=at, actor=actor, also=_told(at))


def _told(at: datetime) -> converting.Also:
    def tell(session: Session, lead: Lead) -> None:
        session.flush()
        notify.tell_customer_closed(session, lead, at)

    return tell
