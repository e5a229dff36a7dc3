"""What a dealer's mix of leads lets expect, and its quality as routing knows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Double, Integer, Text, and_, bindparam, column, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from lmt.models import Dealer, DealerTerms
from lmt.reports.dimensions import dimension_of
from lmt.reports.enrich.spread import NOT_TOLD, Cells, by_leads, can_tell, columns_used, spread
from lmt.reports.expected import Rates, Stratum, rates_of
from lmt.reports.question import Question
from lmt.reports.summing import Source, source_of
from lmt.scope import Actor

EXPECTED = frozenset({"expected_sold"})
QUALITY = frozenset({"quality", "quality_dealers"})
OF_DEALERS = ("dealer", "group", "colleague")
"""Filters that choose whose leads are looked at, not what is expected of them."""
MIX = ("market_id", "dealer_id", "channel", "request_type")
NOBODY = 0


def sees_rivals(actor: Actor) -> bool:
    """Whoever sees some dealers alone knows nothing of what a market makes of its leads."""
    return actor.everywhere or all(part.dealer_id is None for part in actor.parts)


def fill_expected(
    session: Session,
    question: Question,
    cells: Cells,
    at: datetime,
    currency: str,
    week_start: int,
) -> tuple[str, ...]:
    """By whatever leads are told apart by, but answers to own fields."""
    if not by_leads(question.rows, question.columns, *question.filters) or not sees_rivals(
        session.info["actor"]
    ):
        return (NOT_TOLD,)
    chosen = {code: keys for code, keys in question.filters.items() if code in OF_DEALERS}
    market = {code: keys for code, keys in question.filters.items() if code not in OF_DEALERS}
    asked = replace(question, filters=chosen)
    by = columns_used(asked)
    source = source_of(session, replace(question, filters=market), also=(*MIX, *by))
    rates = rates_of(_sold_by_kind(session, source))
    spread(session, asked, cells, _expected(session, source, rates, by), week_start=week_start)
    return ()


def _kind(table: Any) -> tuple[Any, ...]:
    """What makes a stratum of a lead. Bare columns: the planner knows how often each value is."""
    return table.market_id, table.channel, table.request_type


def _sold_by_kind(session: Session, source: Source) -> Iterator[tuple[Stratum, int, int]]:
    """(kind, leads, sold) of all leads that a dealer has."""
    for rows in source.rows:
        table, kind = rows.table, _kind(rows.table)
        found = session.execute(
            select(*kind, func.sum(table.leads), func.sum(table.sold))
            .where(*rows.where, table.dealer_id != NOBODY)
            .group_by(*kind)
        )
        for row in found:
            yield Stratum(*row[:3]), int(row[3]), int(row[4])


def _expected(
    session: Session, source: Source, rates: Rates, by: tuple[str, ...]
) -> Iterator[tuple[Mapping[str, Any], dict[str, float]]]:
    """Leads times the rate of their kind, added up by the database: dealers and kinds together are
    too many to be read one by one."""
    kinds = list(rates.by_stratum)
    rated = (
        func.unnest(
            bindparam(None, [kind.market for kind in kinds], ARRAY(Integer)),
            bindparam(None, [kind.channel for kind in kinds], ARRAY(Text)),
            bindparam(None, [kind.request_type for kind in kinds], ARRAY(Text)),
            bindparam(None, [rates.of(kind) for kind in kinds], ARRAY(Double)),
        )
        .table_valued("market_id", "channel", "request_type", column("rate", Double), name="rated")
        .render_derived()
    )
    for rows in source.rows:
        table = rows.table
        groups = [getattr(table, name) for name in by]
        same = zip(_kind(table), (rated.c.market_id, rated.c.channel, rated.c.request_type),
                   strict=True)  # fmt: skip
        found = session.execute(
            select(*groups, func.sum(table.leads * rated.c.rate))
            .select_from(table)
            .join(rated, and_(*(mine == theirs for mine, theirs in same)))
            .where(*rows.where, table.dealer_id != NOBODY)
            .group_by(*groups)
        )
        for row in found:
            if row[-1] is not None:
                values = dict(zip(by, row, strict=False))
                yield values, {"expected_sold": float(row[-1])}


def fill_quality(
    session: Session,
    question: Question,
    cells: Cells,
    at: datetime,
    currency: str,
    week_start: int,
) -> tuple[str, ...]:
    """By dealer, group and market, of dealers with leads in the answer; it is the same whichever
    leads are looked at."""
    columns = ("market_id", "dealer_id")
    known = {
        code: keys
        for code, keys in question.filters.items()
        if dimension_of(code).column in columns
    }
    narrowed = replace(question, filters=known)
    if not can_tell(narrowed, columns):
        return (NOT_TOLD,)
    rows = session.execute(
        select(Dealer.market_id, Dealer.id, DealerTerms.quality)
        .join(DealerTerms, DealerTerms.dealer_id == Dealer.id)
        .where(Dealer.kind != "team", DealerTerms.holds_at(at), DealerTerms.active)
    )
    told: Cells = {}
    spread(
        session,
        narrowed,
        told,
        (
            (
                {"market_id": row.market_id, "dealer_id": row.id},
                {"quality": row.quality, "quality_dealers": 1.0},
            )
            for row in rows
        ),
        week_start=week_start,
    )
    for key, tally in told.items():
        if key in cells:
            cells[key].extra.update(tally.extra)
    return ()
