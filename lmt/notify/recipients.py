"""Whom a message is for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.models import DealerTerms, Role, User, UserScope

QUEUE_PERMISSION = "lead.assign"


def terms_of(session: Session, dealer_id: int, at: datetime) -> DealerTerms:
    """The dealer's mail address, language and zone as they are at `at`."""
    return session.scalars(
        select(DealerTerms).where(DealerTerms.dealer_id == dealer_id, DealerTerms.holds_at(at))
    ).one()


def queue_keepers(session: Session, market_id: int) -> Sequence[User]:
    """Who may assign a market's leads by hand: its own staff, central staff where it has none."""
    keepers = (
        select(User)
        .join(User.roles)
        .join(User.scopes)
        .where(User.active, Role.permissions.contains([QUEUE_PERMISSION]))
        .order_by(User.id)
    )
    own = session.scalars(keepers.where(UserScope.market_id == market_id)).unique().all()
    if own:
        return own
    everywhere = UserScope.market_id.is_(None)
    return session.scalars(keepers.where(everywhere, UserScope.dealer_id.is_(None))).unique().all()
