"""How near the dealers are to where leads come from, and from where none is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Integer, Select, bindparam, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from lmt.models import LeadFact
from lmt.reports.enrich.dealermix import sees_rivals
from lmt.reports.enrich.spread import NOT_TOLD, Cells, OfCell, by_leads, columns_used, spread
from lmt.reports.nearness import UNCOVERED_KM, Nearest, leads_by_square, placed_dealers
from lmt.reports.question import Question

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
    nearest = Nearest(placed_dealers(session, at, question.filters.get("brand", ())))
    rows = (
        (dict(zip(columns, group, strict=True)), _amounts(nearest.km(market, squares), leads))
        for (market, *group), squares, leads in leads_by_square(session, question, columns)
    )
    spread(session, asked, cells, rows, week_start=week_start)
    return ()


def _amounts(km: NDArray[np.float64], leads: NDArray[np.int_]) -> dict[str, float]:
    near = np.isfinite(km)
    amounts = {
        "near_leads": float(leads.sum()),
        "uncovered": float(leads[km > UNCOVERED_KM].sum()),
    }
    if near.any():
        amounts |= {
            "nearest_km": float((leads * km)[near].sum()),
            "near_dealer_leads": float(leads[near].sum()),
        }
    return amounts


def uncovered_leads(
    session: Session, question: Question, figure: str, of_cell: OfCell, at: datetime
) -> Select[Any] | None:
    """Those from squares that have no dealer near."""
    if not _told(session, question):
        return None
    nearest = Nearest(placed_dealers(session, at, question.filters.get("brand", ())))
    far = [
        (market, *square)
        for (market,), squares, _leads in leads_by_square(session, question)
        for square in squares[nearest.km(market, squares) > UNCOVERED_KM].tolist()
    ]
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
