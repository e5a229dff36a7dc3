"""What a dealer's week was, beside the middle of its market: for the mail to whoever leads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt.lifecycle import WITH_DEALER
from lmt.models import Dealer, Lead, Outcome
from lmt.reports.figures import BY_CODE
from lmt.reports.ownfigures import market_middle, tallies_of_dealers
from lmt.reports.tally import Tally
from lmt.workhours import Calendar

FIGURES = {
    "taken": "acceptance", "declined": "decline", "expired": "timeout", "minutes": "work_take"
}  # fmt: skip
"""What the mail calls the figures of the registry that it tells."""
_WEEK = timedelta(days=7)
_LEAST_LEADS = 1
"""A week has few leads; how many dealers the middle needs is not less for that."""


def week_figures(
    session: Session, weeks: Mapping[int, tuple[date, Calendar]]
) -> dict[int, dict[str, Any]]:
    """By dealer of `weeks` (the week's first day, the dealer's calendar) the figures of its week,
    as `lmt.notify.facts.WeekFigures` but for the day: of the leads that arrived in it; and what was
    sold in it, whenever it came. Dealers without offers, sales and open leads are left out.

    A few queries for each market and beginning of a week, whatever the number of dealers. For the
    system: no dealer may read what the middle is worked out from.
    """
    found: dict[int, dict[str, Any]] = {}
    figures = tuple(FIGURES.values())
    for market_id, dealer_ids, first, start_at, end_at in _spans(session, weeks):
        last = first + _WEEK - timedelta(days=1)
        tallies = tallies_of_dealers(session, market_id, first, last, figures, dealer_ids)
        middle = market_middle(session, market_id, first, last, figures, least=_LEAST_LEADS)
        of_market = {f"market_{name}": middle.value(code) for name, code in FIGURES.items()}
        sold = _sold(session, dealer_ids, start_at, end_at)
        open_now = _open(session, dealer_ids)
        for id in dealer_ids:
            tally = tallies.get(id, Tally())
            own = {
                "offered": tally.count("offers"),
                "taken": tally.count("offers_accepted"),
                "declined": tally.count("offers_declined"),
                "expired": tally.count("offers_expired"),
                "sold": sold.get(id, 0),
                "open": open_now.get(id, 0),
            }
            if any(own.values()):
                minutes = BY_CODE[FIGURES["minutes"]].value(tally)
                found[id] = own | {"minutes": minutes} | of_market
    return found


def _spans(
    session: Session, weeks: Mapping[int, tuple[date, Calendar]]
) -> Iterable[tuple[int, list[int], date, datetime, datetime]]:
    """Dealers of one market whose weeks are the same span of time."""
    of_markets = select(Dealer.id, Dealer.market_id).where(Dealer.id.in_(weeks))
    markets = {row[0]: row[1] for row in session.execute(of_markets)}
    spans: dict[tuple[int, datetime], tuple[list[int], date, datetime]] = {}
    for id, (first, calendar) in weeks.items():
        zone = ZoneInfo(calendar.timezone)
        start_at = datetime.combine(first, time(), zone)
        end_at = datetime.combine(first + _WEEK, time(), zone)
        spans.setdefault((markets[id], start_at), ([], first, end_at))[0].append(id)
    return [
        (market_id, ids, first, start_at, end_at)
        for (market_id, start_at), (ids, first, end_at) in spans.items()
    ]


def _sold(
    session: Session, dealer_ids: list[int], start_at: datetime, end_at: datetime
) -> dict[int, int]:
    rows = session.execute(
        select(Outcome.dealer_id, func.count())
        .where(
            Outcome.dealer_id.in_(dealer_ids),
            Outcome.kind == "won",
            Outcome.at >= start_at,
            Outcome.at < end_at,
        )
        .group_by(Outcome.dealer_id)
    )
    return {row[0]: row[1] for row in rows}


def _open(session: Session, dealer_ids: list[int]) -> dict[int, int]:
    rows = session.execute(
        select(Lead.dealer_id, func.count())
        .where(
            Lead.dealer_id.in_(dealer_ids),
            Lead.status.in_(sorted(WITH_DEALER)),
            Lead.test.is_(False),
        )
        .group_by(Lead.dealer_id)
    )
    return {id: number for id, number in rows if id is not None}
