"""What the demo's markets plan, month by month, and what their currencies are worth."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt.demo.markets import MARKETS
from lmt.models import ExchangeRate, LeadFact, Market, Target
from lmt.reports.pacing import months_of
from lmt.reports.question import months_on

AMBITION = Decimal("1.1")
"""So much more than it had is what a market means to reach."""
WITHIN_60 = Decimal("0.6")
MONTHS_AHEAD = 2


def plan_months(session: Session, currency: str, at: datetime) -> None:
    """Targets of the months that have leads and the next few, after the mean of those gone by.
    Rates where the installation reckons in euro."""
    facts = LeadFact.__table__.c
    sums = session.execute(
        select(
            Market.id,
            Market.code,
            Market.currency,
            func.count(LeadFact.month.distinct()),
            func.min(LeadFact.day),
            func.sum(facts.leads),
            func.sum(facts.sold),
            func.sum(facts.value),
        )
        .join(LeadFact, LeadFact.market_id == Market.id)
        .group_by(Market.id)
    )
    euros = {market.code: market.eur for market in MARKETS}
    for row in sums:
        market_id, code, own, many, first, leads, sold, value = tuple(row)
        months = months_of(first, months_on(at.date(), MONTHS_AHEAD))
        share = min(AMBITION * sold / leads, Decimal(1)) if leads else Decimal(0)
        planned = {
            "leads": round(AMBITION * leads / many, -1),
            "sold": round(AMBITION * sold / many, 0),
            "conversion": share.quantize(Decimal("0.001")),
            "within_60": WITHIN_60,
            "value": round(AMBITION * value / many, -3),
        }
        session.add_all(
            Target(market_id=market_id, month=month, figure=figure, value=number)
            for month in months
            for figure, number in planned.items()
        )
        if currency == "EUR" != own and code in euros:
            rate = Decimal(1 / euros[code]).quantize(Decimal("0.0001"))
            session.add(ExchangeRate(market_id=market_id, month=months[0], rate=rate))
