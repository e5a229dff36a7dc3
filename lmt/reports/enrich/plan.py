"""What markets plan for the months of the period, and what these come to at the present pace."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.models import Market, Target
from lmt.reports.enrich.spread import NOT_TOLD, Cells, can_tell, spread
from lmt.reports.money import Purse, exchange_of, purse_for
from lmt.reports.pacing import at_this_pace, months_of, passed_share
from lmt.reports.planfigures import PLANNED
from lmt.reports.question import Question
from lmt.reports.summing import sees_whole_markets, source_of, summed_counters, summed_values

SHARES = ("conversion", "within_60")
ADDED = ("leads", "sold", "value")
EXTRAS = frozenset(
    {
        *(f"plan_{name}" for name in PLANNED),
        *(f"plan_{name}_leads" for name in SHARES),
        *(f"planned_{name}" for name in ADDED),
        *(f"pace_{name}" for name in ADDED),
    }
)
COLUMNS = ("market_id", "month")


def fill_plan(
    session: Session,
    question: Question,
    cells: Cells,
    at: datetime,
    currency: str,
    week_start: int,
) -> tuple[str, ...]:
    """By market and month, for whoever sees markets whole: nobody plans for parts of them."""
    if not can_tell(question, COLUMNS) or not sees_whole_markets(session.info["actor"]):
        return (NOT_TOLD,)
    exchange = exchange_of(session, question, currency)
    so_far = _so_far(session, question)
    purse = purse_for(question, exchange, {market for market, _month in so_far})
    rows = [
        *_planned(session, question, so_far, purse),
        *_paced(session, question, so_far, at, purse),
    ]
    spread(session, question, cells, rows, week_start=week_start)
    return tuple(purse.notes)


SoFar = Mapping[tuple[int, date], dict[str, Decimal]]


def _so_far(session: Session, question: Question) -> SoFar:
    """Leads, sold and value by market and month; the value in the market's currency."""
    source = source_of(session, question, also=COLUMNS)
    found: defaultdict[tuple[int, date], dict[str, Decimal]] = defaultdict(dict)
    for values, counts in summed_counters(session, source, COLUMNS, ("leads", "sold")):
        market, month = values
        for name, number in counts.items():
            sums = found[market, month]
            sums[name] = sums.get(name, Decimal(0)) + number
    for _group, market, month, worth in summed_values(session, source, ()):
        sums = found[market, month]
        sums["value"] = sums.get("value", Decimal(0)) + (worth or Decimal(0))
    return found


def _planned(
    session: Session, question: Question, so_far: SoFar, purse: Purse
) -> Iterator[tuple[Mapping[str, Any], dict[str, float]]]:
    targets = select(Target.market_id, Target.month, Target.figure, Target.value).where(
        Target.month.in_(months_of(question.first, question.last)), Target.figure.in_(PLANNED)
    )
    for market, month, figure, value in session.execute(targets):
        values = {"market_id": market, "month": month}
        if figure in SHARES:
            # Weighed by the leads, as the figure itself is where markets are put together.
            leads = float(so_far.get((market, month), {}).get("leads", 0))
            amounts = {f"plan_{figure}": float(value) * leads, f"plan_{figure}_leads": leads}
        else:
            # What was reached where something was planned: elsewhere it is no part of a plan.
            reached = so_far.get((market, month), {}).get(figure, Decimal(0))
            told: dict[str, Decimal | None] = {
                f"plan_{figure}": value,
                f"planned_{figure}": reached,
            }
            if figure == "value":
                told = {
                    name: purse.told(n, market, month) for name, n in told.items() if n is not None
                }
            amounts = {name: float(amount) for name, amount in told.items() if amount is not None}
        yield values, amounts


def _paced(
    session: Session, question: Question, so_far: SoFar, at: datetime, purse: Purse
) -> Iterator[tuple[Mapping[str, Any], dict[str, float]]]:
    zones = {market.id: market.timezone for market in session.scalars(select(Market))}
    for (market, month), sums in so_far.items():
        passed = passed_share(month, question.first, question.last, zones[market], at)
        if passed is None:
            continue
        amounts = {
            f"pace_{name}": at_this_pace(float(sums.get(name, 0)), passed)
            for name in ("leads", "sold")
        }
        value = purse.told(sums.get("value", Decimal(0)), market, month)
        if value is not None:
            amounts["pace_value"] = at_this_pace(float(value), passed)
        yield {"market_id": market, "month": month}, amounts
