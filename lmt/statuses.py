"""A market's own statuses: finer words for where a lead stands within a status of the core.

With every step of the core the market's word is gone again (`lmt.models.lead`).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.models import MarketStatus, locked_lead, record
from lmt.scope import Actor


class UnknownStatus(ValueError):
    """The market has no such status within what the lead is now."""


@dataclass(frozen=True, slots=True)
class OwnStatus:
    """`core` is the status of the core within which it can be chosen; `name` in the reader's
    words."""

    code: str
    core: str
    name: str
    active: bool


def statuses_of(session: Session, market_id: int, language: str) -> list[OwnStatus]:
    """All of the market's, retired ones as well, in their order; named in `language`, else in
    English, else in any."""
    rows = session.scalars(
        select(MarketStatus)
        .where(MarketStatus.market_id == market_id)
        .order_by(MarketStatus.position, MarketStatus.id)
    )
    return [
        OwnStatus(row.code, row.status, name_in(row.names, language) or row.code, row.active)
        for row in rows
    ]


def name_in(names: Mapping[str, str], language: str) -> str:
    """The best of the names by language: the reader's, English, the first that is there."""
    wanted = (names.get(language), names.get("en"), *names.values())
    return next((name for name in wanted if name), "")


def set_market_status(
    session: Session, lead_id: uuid.UUID, *, code: str, at: datetime, actor: Actor
) -> str:
    """Give the lead a status of its market, "" for none; commits, and returns the one before.

    Raises LookupError, and UnknownStatus where it doesn't fit. The clocks run on.
    """
    lead = locked_lead(session, lead_id)
    if code:
        chosen = session.scalars(
            select(MarketStatus).where(
                MarketStatus.market_id == lead.market_id,
                MarketStatus.code == code,
                MarketStatus.status == lead.status,
                MarketStatus.active,
            )
        ).first()
        if chosen is None:
            raise UnknownStatus(code)
        shown = name_in(chosen.names, lead.market.default_language) or code
    else:
        shown = ""
    before = lead.market_status
    if before == code:
        return before
    lead.market_status = code
    record(
        session,
        lead.id,
        "market_status",
        at=at,
        actor_id=actor.user_id,
        dealer_id=lead.dealer_id,
        market_status=shown,
        code=code,
        before=before,
    )
    session.commit()
    return before
