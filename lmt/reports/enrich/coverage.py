"""How near the dealers are to where leads come from, and from where none is."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from math import isfinite
from typing import Any

from sqlalchemy import Integer, Select, bindparam, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from lmt.models import LeadFact
from lmt.reports.enrich.dealermix import sees_rivals
from lmt.reports.enrich.spread import NOT_TOLD, Cells, OfCell, by_leads, columns_used, spread
from lmt.reports.nearness import UNCOVERED_KM, nearest_km, placed_dealers
from lmt.reports.question import Question
from lmt.reports.summing import source_of, summed_counters

EXTRAS = frozenset({"uncovered", "near_leads", "nearest_km", "near_dealer_leads"})
PLACE = ("market_id", "lat_tenth", "lon_tenth")
LISTED = frozenset({"uncovered"})
"""Figures that have leads behind them."""


def fill_coverage(
    session: Session,
    question: Question,
    cells: Cells,
    at: datetime,
    currency: str,
    week_start: int,
) -> tuple[str, ...]:
    """By whatever leads are told apart by, but answers to own fields."""
    if not _told(session, question):
        return (NOT_TOLD,)
    asked = replace(question, filters={})
    columns = columns_used(asked)
    by = (*PLACE, *(column for column in columns if column not in PLACE))
    source = source_of(session, question, also=by)
    placed = [
        (values, counts["leads"])
        for values, counts in summed_counters(session, source, by, ("leads",))
        if values[1] is not None and values[2] is not None and counts.get("leads")
    ]
    squares = {values[: len(PLACE)] for values, _leads in placed}
    brands = question.filters.get("brand", ())
    nearest = nearest_km(squares, placed_dealers(session, at, brands))
    # Added up here by what is asked: squares are many, what they are told apart by is little.
    places = [by.index(column) for column in columns]
    sums: defaultdict[tuple[Any, ...], dict[str, float]] = defaultdict(dict)
    for values, leads in placed:
        km = nearest[values[: len(PLACE)]]
        amounts = {"near_leads": float(leads), "uncovered": leads * float(km > UNCOVERED_KM)}
        if isfinite(km):
            amounts |= {"nearest_km": leads * km, "near_dealer_leads": float(leads)}
        found = sums[tuple([values[place] for place in places])]
        for name, amount in amounts.items():
            found[name] = found.get(name, 0.0) + amount
    rows = ((dict(zip(columns, key, strict=True)), amounts) for key, amounts in sums.items())
    spread(session, asked, cells, rows, week_start=week_start)
    return ()


def uncovered_leads(
    session: Session, question: Question, figure: str, of_cell: OfCell, at: datetime
) -> Select[Any] | None:
    """Those from squares that have no dealer near."""
    if not _told(session, question):
        return None
    source = source_of(session, question, also=PLACE)
    found = {square for square, _leads in summed_counters(session, source, PLACE, ("leads",))}
    squares = {square for square in found if None not in square}
    nearest = nearest_km(squares, placed_dealers(session, at, question.filters.get("brand", ())))
    far = [square for square in squares if nearest[square] > UNCOVERED_KM]
    columns = zip(*far, strict=True) if far else ([], [], [])
    placed = (
        func.unnest(*(bindparam(None, list(values), ARRAY(Integer)) for values in columns))
        .table_valued("market_id", "lat_tenth", "lon_tenth", name="far")
        .render_derived()
    )
    place = tuple_(*(getattr(LeadFact, name) for name in PLACE))
    leads: Any = LeadFact.__table__.c.leads
    behind: Select[Any] = select(LeadFact.lead_id, LeadFact.day, leads.label("times"))
    return behind.where(leads != 0, place.in_(select(*placed.c)), *of_cell(LeadFact))


def _told(session: Session, question: Question) -> bool:
    return by_leads(question.rows, question.columns) and sees_rivals(session.info["actor"])
