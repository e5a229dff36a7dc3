"""Headquarters hears that a dealer's own system takes no more leads."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from lmt.i18n import best_locale
from lmt.models import Message
from lmt.notify.messages import enqueue
from lmt.notify.recipients import deputy_context, market_keepers, present_keepers


def tell_system_off(session: Session, refused: Message, at: datetime) -> None:
    """One mail to each who keeps the market's queues, for the lead that was refused."""
    keepers = market_keepers(session, refused.market_id)
    for reader in present_keepers(session, keepers, None, at):
        enqueue(
            session,
            cause=f"message:{refused.id}:system_off:{reader.email}",
            kind="headquarters_system_off",
            audience="headquarters",
            recipient=reader.email,
            language=best_locale([reader.language]),
            timezone=reader.timezone,
            market_id=refused.market_id,
            lead_id=refused.lead_id,
            dealer_id=refused.dealer_id,
            context=deputy_context(reader),
            at=at,
        )
