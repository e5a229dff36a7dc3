"""What a dealer's week was, beside the middle of its market."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt.calendars import dealer_calendars
from lmt.lifecycle import WITH_DEALER
from lmt.models import Dealer, Lead, Offer, Outcome
from lmt.workhours import Calendar, working_minutes_between

FEWEST_DEALERS = 5
"""With fewer in the market, its middle would tell what a rival did."""
_WEEK = timedelta(days=7)
_SHARES = {"taken": "accepted", "declined": "declined", "expired": "expired"}


@dataclass(slots=True)
class _Week:
    """Of one dealer: how its offers ended, and the working minutes until it took some."""

    ends: list[str] = field(default_factory=list)
    minutes: list[float] = field(default_factory=list)

    def share(self, state: str) -> float:
        return self.ends.count(state) / len(self.ends)


def week_figures(
    session: Session, weeks: Mapping[int, tuple[date, Calendar]]
) -> dict[int, dict[str, Any]]:
    """By dealer of `weeks` (the week's first day, the dealer's calendar) the figures of its week,
    as `WeekFigures` but for the day. Dealers without offers, sales and open leads are left out.

    A few queries for each market and beginning of a week, whatever the number of dealers.
    """
    found: dict[int, dict[str, Any]] = {}
    for dealer_ids, start_at, end_at in _spans(session, weeks):
        markets = select(Dealer.market_id).where(Dealer.id.in_(dealer_ids))
        everybody = session.scalars(select(Dealer.id).where(Dealer.market_id.in_(markets))).all()
        offers = _offers(session, everybody, start_at, end_at)
        middle = _middle(offers.values())
        sold = _sold(session, dealer_ids, start_at, end_at)
        open_now = _open(session, dealer_ids)
        for id in dealer_ids:
            week = offers.get(id, _Week())
            own = {
                "offered": len(week.ends),
                **{name: week.ends.count(state) for name, state in _SHARES.items()},
                "sold": sold.get(id, 0),
                "open": open_now.get(id, 0),
            }
            if any(own.values()):
                minutes = median(week.minutes) if week.minutes else None
                found[id] = own | {"minutes": minutes} | middle
    return found


def _spans(
    session: Session, weeks: Mapping[int, tuple[date, Calendar]]
) -> Iterable[tuple[list[int], datetime, datetime]]:
    """Dealers of one market whose weeks are the same span of time."""
    of_markets = select(Dealer.id, Dealer.market_id).where(Dealer.id.in_(weeks))
    markets = {row[0]: row[1] for row in session.execute(of_markets)}
    spans: dict[tuple[int, datetime], tuple[list[int], datetime]] = {}
    for id, (first, calendar) in weeks.items():
        zone = ZoneInfo(calendar.timezone)
        start_at = datetime.combine(first, time(), zone)
        end_at = datetime.combine(first + _WEEK, time(), zone)
        spans.setdefault((markets[id], start_at), ([], end_at))[0].append(id)
    return [(ids, start_at, end_at) for (_m, start_at), (ids, end_at) in spans.items()]


def _offers(
    session: Session, dealer_ids: Iterable[int], start_at: datetime, end_at: datetime
) -> dict[int, _Week]:
    """Assignments that nobody was asked about ended as they began: they tell nothing of speed."""
    ids = list(dealer_ids)
    calendars = dealer_calendars(session, ids, end_at)
    found: dict[int, _Week] = {}
    for dealer_id, state, offered_at, closed_at in session.execute(
        select(Offer.dealer_id, Offer.state, Offer.offered_at, Offer.closed_at)
        .join(Lead, Lead.id == Offer.lead_id)
        .where(
            Offer.dealer_id.in_(ids),
            Offer.offered_at >= start_at,
            Offer.offered_at < end_at,
            Lead.test.is_(False),
        )
    ):
        week = found.setdefault(dealer_id, _Week())
        week.ends.append(state)
        if state == "accepted" and closed_at is not None and closed_at > offered_at:
            calendar = calendars[dealer_id]
            week.minutes.append(working_minutes_between(calendar, offered_at, closed_at))
    return found


def _middle(weeks: Iterable[_Week]) -> dict[str, float | None]:
    known = list(weeks)
    answered = [week for week in known if week.minutes]

    def of(some: list[_Week], figure: Callable[[_Week], float]) -> float | None:
        return median(map(figure, some)) if len(some) >= FEWEST_DEALERS else None

    return {
        "market_taken": of(known, lambda week: week.share("accepted")),
        "market_declined": of(known, lambda week: week.share("declined")),
        "market_expired": of(known, lambda week: week.share("expired")),
        "market_minutes": of(answered, lambda week: median(week.minutes)),
    }


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
