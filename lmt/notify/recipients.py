"""Whom a message is for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from lmt.models import DealerTerms, Lead, Role, User, UserScope

QUEUE_PERMISSION = "lead.assign"


def terms_of(session: Session, dealer_id: int, at: datetime) -> DealerTerms:
    """The dealer's mail address, language and zone at `at`; the last known of one that ended."""
    return session.scalars(
        select(DealerTerms)
        .where(DealerTerms.dealer_id == dealer_id)
        .order_by(DealerTerms.holds_at(at).desc(), func.lower(DealerTerms.valid).desc())
        .limit(1)
    ).one()


def queue_keepers(session: Session, lead: Lead) -> Sequence[User]:
    """Who may assign the lead by hand: its market's own staff, central staff where it has none."""
    keepers = (
        select(User)
        .join(User.roles)
        .join(User.scopes)
        .where(
            User.active,
            Role.permissions.contains([QUEUE_PERMISSION]),
            or_(UserScope.brand_id.is_(None), UserScope.brand_id == lead.brand_id),
        )
        .order_by(User.id)
    )
    own = session.scalars(keepers.where(UserScope.market_id == lead.market_id)).unique().all()
    if own:
        return own
    everywhere = UserScope.market_id.is_(None)
    return session.scalars(keepers.where(everywhere, UserScope.dealer_id.is_(None))).unique().all()
