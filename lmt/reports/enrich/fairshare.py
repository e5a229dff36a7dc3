"""The fair-share ledger as figures: what each dealer could expect, what it got, why not more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, between, cast, func, or_, select
from sqlalchemy.orm import Session

from lmt.models import FactSlice, ShareFact, ShareMonth
from lmt.models.facts import SHARES
from lmt.reports.dimensions import dimension_of
from lmt.reports.enrich.spread import NOT_TOLD, Cells, OfCell, can_tell, spread
from lmt.reports.question import Question
from lmt.reports.spans import Span, shared_out

EXTRAS = frozenset(f"share_{name}" for name in SHARES)
COLUMNS = ("market_id", "dealer_id", "day", "month")
LISTED: Mapping[str, Callable[[], Any]] = {
    "share_received": lambda: ShareFact.received,
    "share_kept": lambda: ShareFact.received - ShareFact.lost_declined - ShareFact.lost_timed_out,
    "share_lost_declined": lambda: ShareFact.lost_declined,
    "share_lost_timed_out": lambda: ShareFact.lost_timed_out,
}
"""What counts whole leads; of what was expected or missed each lead is but a part."""


def fill_shares(
    session: Session,
    question: Question,
    cells: Cells,
    at: datetime,
    currency: str,
    week_start: int,
) -> tuple[str, ...]:
    """By dealer, group, market, month and day; the ledger knows no more of a decision."""
    if not can_tell(question, COLUMNS):
        return (NOT_TOLD,)
    spread(session, question, cells, _rows(session, question), week_start=week_start)
    return ()


def leads_of_shares(
    session: Session, question: Question, figure: str, of_cell: OfCell, at: datetime
) -> Select[Any] | None:
    """A lead that the dealer received twice counts twice, on the day of the later decision."""
    if not can_tell(question, COLUMNS):
        return None
    times = cast(LISTED[figure](), Integer)
    behind: Any = (
        select(
            ShareFact.lead_id,
            func.max(ShareFact.day).label("day"),
            func.sum(times).label("times"),
        )
        .where(times != 0, *of_cell(ShareFact))
        .group_by(ShareFact.lead_id)
    )
    found: Select[Any] = behind
    return found


def _rows(
    session: Session, question: Question
) -> Iterator[tuple[Mapping[str, Any], dict[str, float]]]:
    """Sums by market and dealer, and by day or month where the question tells them apart; of months
    taken whole as they were added up, while that holds."""
    used = {
        dimension_of(code).column
        for code in (question.rows, question.columns, *question.filters)
        if code
    }
    by_day = "day" in used
    slices = select(FactSlice.market_id, FactSlice.month, FactSlice.rolled_at.is_not(None)).where(
        between(FactSlice.month, question.first.replace(day=1), question.last)
    )
    share = shared_out(
        question.first,
        question.last,
        {(market, month): rolled for market, month, rolled in session.execute(slices)},
        whole=not by_day,
        by_day=False,
    )
    apart = ["day"] if by_day else ["month"] if "month" in used else []
    for table, column, spans in (
        (ShareMonth, ShareMonth.month, share.whole),
        (ShareFact, ShareFact.day, share.facts),
    ):
        if not spans:
            continue
        groups = [getattr(table, name) for name in ("market_id", "dealer_id", *apart)]
        sums = [func.sum(getattr(table, name)) for name in SHARES]
        found = session.execute(
            select(*groups, *sums)
            .where(or_(*(_of(table, column, span) for span in spans)))
            .group_by(*groups)
        )
        for row in found:
            values = dict(zip(("market_id", "dealer_id", *apart), row, strict=False))
            told = zip(SHARES, row[len(groups) :], strict=True)
            yield values, {f"share_{name}": float(amount) for name, amount in told}


def _of(table: Any, column: Any, span: Span) -> ColumnElement[bool]:
    first: date = span.first.replace(day=1) if table is ShareMonth else span.first
    return and_(table.market_id.in_(span.markets or ()), between(column, first, span.last))
