"""The words in force for a mail: the market's, else the installation's, else none but LMT's own."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from lmt.models import MailText, MailTextVersion


def text_in_force(session: Session, kind: str, market_id: int) -> dict[str, Any] | None:
    """As published, in the shape of MailTextVersion.texts; None where LMT's own words are sent."""
    return session.scalars(
        select(MailTextVersion.texts)
        .join(MailText, MailText.published_id == MailTextVersion.id)
        .where(
            MailText.kind == kind,
            or_(MailText.market_id == market_id, MailText.market_id.is_(None)),
        )
        .order_by(MailText.market_id.nulls_last())
        .limit(1)
    ).first()
