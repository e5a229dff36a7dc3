"""Reads the calendars by which a lead's clocks run: of the dealer that holds it, of the market's
own desk."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from lmt.models import Closure, Dealer, DealerTerms, Market, SpecialHours
from lmt.workhours import Calendar

DESK_HOURS = "Mo-Fr 09:00-18:00"
"""Of a market whose desk never opens."""


def dealer_calendar(session: Session, dealer_id: int, at: datetime) -> Calendar:
    """The dealer's working time as known at `at`; the last known of one that has ended.

    Raises sqlalchemy.exc.NoResultFound for a dealer without terms.
    """
    calendars = dealer_calendars(session, [dealer_id], at)
    if dealer_id not in calendars:
        raise NoResultFound(f"no terms of dealer {dealer_id}")
    return calendars[dealer_id]


def dealer_calendars(
    session: Session, dealer_ids: Collection[int], at: datetime
) -> dict[int, Calendar]:
    """As `dealer_calendar`, of many in three queries; those without terms are left out."""
    of_dealers = (
        select(DealerTerms, Dealer.market_id, Dealer.kind)
        .join(Dealer, Dealer.id == DealerTerms.dealer_id)
        .where(DealerTerms.dealer_id.in_(dealer_ids))
        .ext(distinct_on(DealerTerms.dealer_id))
        .order_by(
            DealerTerms.dealer_id,
            DealerTerms.holds_at(at).desc(),
            func.lower(DealerTerms.valid).desc(),
        )
    )
    found = session.execute(of_dealers).all()
    closures: dict[int, list[tuple[date, date]]] = {}
    for id, first, last in session.execute(
        select(Closure.dealer_id, Closure.starts_on, Closure.ends_on)
        .where(Closure.dealer_id.in_(dealer_ids), Closure.holds_at(at))
        .order_by(Closure.starts_on)
    ):
        closures.setdefault(id, []).append((first, last))
    # A team serves all of its market's countries and keeps the days of none.
    countries = {terms.country for terms, _market_id, kind in found if kind != "team"}
    of_country = SpecialHours.dealer_id.is_(None) & SpecialHours.country.in_(countries)
    days: dict[tuple[int, int | str], list[tuple[date, date, str]]] = {}
    for market_id, of_dealer, country, first, last, hours in session.execute(
        select(
            SpecialHours.market_id,
            SpecialHours.dealer_id,
            SpecialHours.country,
            SpecialHours.starts_on,
            SpecialHours.ends_on,
            SpecialHours.hours,
        )
        .where(
            SpecialHours.market_id.in_({market_id for _terms, market_id, _kind in found}),
            or_(SpecialHours.dealer_id.in_(dealer_ids), of_country),
            SpecialHours.holds_at(at),
        )
        # What was said last about a day counts.
        .order_by(SpecialHours.id.desc())
    ):
        days.setdefault((market_id, of_dealer or country), []).append((first, last, hours))

    def of(terms: DealerTerms, market_id: int, kind: str) -> Calendar:
        # A dealer's own days go before its country's.
        own = days.get((market_id, terms.dealer_id), [])
        kept = [] if kind == "team" else days.get((market_id, terms.country), [])
        return Calendar(
            hours=terms.hours,
            timezone=terms.timezone,
            country=terms.country,
            closures=tuple(closures.get(terms.dealer_id, ())),
            special=(*own, *kept),
        )

    return {terms.dealer_id: of(terms, market_id, kind) for terms, market_id, kind in found}


def desk_calendar(market: Market) -> Calendar:
    """When the market's headquarters works."""
    return Calendar(market.desk_hours or DESK_HOURS, market.timezone, market.desk_country)
