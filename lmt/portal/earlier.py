"""The other requests of the same customer: of what, when, and how they stand, nothing more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.customeracts import of_same_address
from lmt.lifecycle import Status
from lmt.models import Brand, Lead
from lmt.portal.standing import in_short

MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class EarlierRequest:
    request_type: str
    car: str
    created_at: datetime
    status: Status

    @property
    def state(self) -> str:
        """In the reader's words."""
        return in_short(self.status)


def earlier_requests(session: Session, lead: Lead) -> list[EarlierRequest]:
    """Of this customer in this market, sent with this request's mail address, the newest first;
    tests are nobody's. For a page whose link was mailed there: whoever typed this customer's phone
    with an address of their own reads nothing of what the phone's owner asked for."""
    rows = session.execute(
        select(Lead.request_type, Brand.name, Lead.model, Lead.created_at, Lead.status)
        .outerjoin(Brand, Brand.id == Lead.brand_id)
        .where(
            Lead.id.in_(of_same_address(lead)),
            Lead.market_id == lead.market_id,
            Lead.id != lead.id,
            Lead.created_at <= lead.created_at,
            ~Lead.test,
        )
        .order_by(Lead.created_at.desc())
        .limit(MOST_SHOWN)
    )
    return [
        EarlierRequest(kind, " ".join(part for part in (brand, model) if part), at, Status(status))
        for kind, brand, model, at, status in rows
    ]
