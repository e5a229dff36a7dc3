"""Calls that call lists told of: how many, who was reached, what leads came of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Date, Select, SmallInteger, Subquery, cast, func, select
from sqlalchemy.orm import Session

from lmt.models import CallRecord, Market, Source
from lmt.reports.enrich.deliveries import bounds
from lmt.reports.enrich.spread import NOT_TOLD, Cells, OfCell, can_tell, columns_used, spread
from lmt.reports.question import Question

COLUMNS = (
    "market_id", "source_id", "channel", "day", "month", "hour", "agent", "disposition",
)  # fmt: skip
REFUSED = ("not_interested", "not_eligible", "do_not_call")
INTERESTED = ("interested", "call_back", "appointment", "transferred", "sale")
REACHED = (*INTERESTED, *REFUSED, "reached", "already_customer", "resolved")
"""Dispositions by which the customer said something."""
KINDS = {
    "calls_reached": REACHED,
    "calls_interested": INTERESTED,
    "calls_refused": REFUSED,
}
EXTRAS = frozenset({"calls", "calls_qualified", *KINDS})
LISTED = frozenset({"calls_qualified"})
"""Figures that have leads behind them."""


def fill_calls(
    session: Session,
    question: Question,
    cells: Cells,
    at: datetime,
    currency: str,
    week_start: int,
) -> tuple[str, ...]:
    """By market, source, channel, day, month and hour of the call, who called and how it ended."""
    if not can_tell(question, COLUMNS):
        return (NOT_TOLD,)
    spread(session, question, cells, _rows(session, question), week_start=week_start)
    return ()


def leads_of_calls(
    session: Session, question: Question, figure: str, of_cell: OfCell, at: datetime
) -> Select[Any] | None:
    """The leads that calls made; a lead of several calls counts for each."""
    if not can_tell(question, COLUMNS):
        return None
    called = _called(question).c
    return (
        select(called.lead_id, func.max(called.day).label("day"), func.count().label("times"))
        .where(called.lead_id.is_not(None), *of_cell(called))
        .group_by(called.lead_id)
    )


def _called(question: Question) -> Subquery:
    """The calls of the period with what they are told apart by, column by column."""
    wall = func.timezone(Market.timezone, CallRecord.at)
    day = cast(wall, Date)
    hour = cast((func.extract("isodow", wall) - 1) * 24 + func.extract("hour", wall), SmallInteger)
    # Wide enough for every zone, for the database to look at no more than it must.
    since_at, _midnight = bounds(question.first - timedelta(days=1), question.last, "UTC")
    _midnight, until_at = bounds(question.first, question.last + timedelta(days=1), "UTC")
    return (
        select(
            CallRecord.lead_id,
            CallRecord.agent,
            CallRecord.disposition,
            CallRecord.source_id,
            Source.market_id,
            Source.kind.label("channel"),
            day.label("day"),
            cast(func.date_trunc("month", wall), Date).label("month"),
            hour.label("hour"),
        )
        .join(Source, Source.id == CallRecord.source_id)
        .join(Market, Market.id == Source.market_id)
        .where(
            CallRecord.at >= since_at,
            CallRecord.at < until_at,
            day.between(question.first, question.last),
            CallRecord.disposition != "not_called",
        )
        .subquery()
    )


def _rows(
    session: Session, question: Question
) -> Iterator[tuple[Mapping[str, Any], dict[str, float]]]:
    calls, used = _called(question), columns_used(question)
    called = calls.c
    groups = [called[name] for name in used]
    sums = {
        "calls": func.count(),
        "calls_qualified": func.count(called.lead_id),
        **{
            extra: func.count().filter(called.disposition.in_(codes))
            for extra, codes in KINDS.items()
        },
    }
    wanted = select(*groups, *sums.values()).select_from(calls)
    for row in session.execute(wanted.group_by(*groups)):
        counts = zip(sums, row[len(used) :], strict=True)
        yield dict(zip(used, row, strict=False)), {name: float(many) for name, many in counts}
