"""Hours in which dealers and the desk are there, beside the leads that arrive in them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.calendars import dealer_calendars, desk_calendar
from lmt.models import Dealer, DealerTerms, Market
from lmt.reports.enrich.spread import NOT_TOLD, Cells, can_tell, columns_used, spread
from lmt.reports.question import Question
from lmt.reports.staffing import staffed_hours
from lmt.scope import Actor
from lmt.workhours import Calendar

EXTRAS = frozenset({"staffed_hours"})
COLUMNS = ("market_id", "day", "month", "hour")
MOST_DAYS = 400


def fill_staffing(
    session: Session,
    question: Question,
    cells: Cells,
    at: datetime,
    currency: str,
    week_start: int,
) -> tuple[str, ...]:
    """By market, day, month and hour, of MOST_DAYS at most."""
    if not can_tell(question, COLUMNS) or question.days > MOST_DAYS:
        return (NOT_TOLD,)
    spread(session, question, cells, _rows(session, question, at), week_start=week_start)
    return ()


def _rows(
    session: Session, question: Question, at: datetime
) -> Iterator[tuple[Mapping[str, Any], dict[str, float]]]:
    used = columns_used(question)
    markets = {row.id: row for row in session.scalars(select(Market))}
    # A team that never closes would count as staffed at all hours of every week.
    showrooms = session.execute(
        select(Dealer.id, Dealer.market_id)
        .join(DealerTerms, DealerTerms.dealer_id == Dealer.id)
        .where(
            Dealer.kind != "team",
            DealerTerms.holds_at(at),
            DealerTerms.active,
            ~DealerTerms.paused,
        )
    )
    market_of: dict[int, int] = {row.id: row.market_id for row in showrooms}
    kept: defaultdict[int, Counter[Calendar]] = defaultdict(Counter)
    for dealer_id, calendar in dealer_calendars(session, list(market_of), at).items():
        kept[market_of[dealer_id]][calendar] += 1
    # The market's desk works for the whole market: it is no part of one dealer's hours.
    actor: Actor = session.info["actor"]
    whole = actor.whole_markets("report.read")
    for market in markets.values():
        if whole is None or market.id in whole:
            kept[market.id][desk_calendar(market)] += 1
    for market_id, calendars in kept.items():
        market = markets[market_id]
        hours = staffed_hours(calendars, market.timezone, question.first, question.last, at)
        # A year has thousands of hours: what the question doesn't tell apart is added up first.
        sums: defaultdict[tuple[date | None, date | None, int], float] = defaultdict(float)
        for (day, hour), amount in hours.items():
            month = day.replace(day=1) if "month" in used else None
            sums[day if "day" in used else None, month, hour] += amount
        for (known_day, month, hour), amount in sums.items():
            values = {"market_id": market_id, "day": known_day, "month": month, "hour": hour}
            yield values, {"staffed_hours": amount}
