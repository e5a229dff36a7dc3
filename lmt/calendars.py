"""Reads the calendars by which a lead's clocks run: of the dealer that holds it, of the market's
own desk."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from lmt.models import Closure, Dealer, DealerTerms, Market, SpecialHours
from lmt.workhours import Calendar

DESK_HOURS = "Mo-Fr 09:00-18:00"
"""Of a market whose desk never opens."""


def dealer_calendar(session: Session, dealer_id: int, at: datetime) -> Calendar:
    """The dealer's working time as known at `at`; the last known of one that has ended.

    Raises sqlalchemy.exc.NoResultFound for a dealer without terms.
    """
    terms, market_id, kind = session.execute(
        select(DealerTerms, Dealer.market_id, Dealer.kind)
        .join(Dealer, Dealer.id == DealerTerms.dealer_id)
        .where(DealerTerms.dealer_id == dealer_id)
        .order_by(DealerTerms.holds_at(at).desc(), func.lower(DealerTerms.valid).desc())
        .limit(1)
    ).one()
    closures = session.execute(
        select(Closure.starts_on, Closure.ends_on)
        .where(Closure.dealer_id == dealer_id, Closure.holds_at(at))
        .order_by(Closure.starts_on)
    )
    # A team serves all of its market's countries and keeps the days of none.
    country = "" if kind == "team" else terms.country
    of_country = SpecialHours.dealer_id.is_(None) & (SpecialHours.country == country)
    special = session.execute(
        select(SpecialHours.starts_on, SpecialHours.ends_on, SpecialHours.hours)
        .where(
            SpecialHours.market_id == market_id,
            or_(SpecialHours.dealer_id == dealer_id, of_country),
            SpecialHours.holds_at(at),
        )
        # A dealer's own days go before its country's; what was said last about a day counts.
        .order_by(SpecialHours.dealer_id.nulls_last(), SpecialHours.id.desc())
    )
    return Calendar(
        hours=terms.hours,
        timezone=terms.timezone,
        country=terms.country,
        closures=tuple((first, last) for first, last in closures),
        special=tuple((first, last, hours) for first, last, hours in special),
    )


def desk_calendar(market: Market) -> Calendar:
    """When the market's headquarters works."""
    return Calendar(market.desk_hours or DESK_HOURS, market.timezone, market.desk_country)
