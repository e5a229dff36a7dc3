"""What some figures need beside the facts: each enricher fills its part of `Tally.extra`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

from lmt.reports.enrich import (
    calls,
    coverage,
    dealermix,
    deliveries,
    fairshare,
    plan,
    staffing,
)
from lmt.reports.enrich.spread import OfCell
from lmt.reports.figures import BY_CODE
from lmt.reports.question import Question
from lmt.reports.tally import Tally

Cells = dict[tuple[str, str], Tally]
"""By the keys of row and column, "" without such a dimension."""


Behind = Callable[[Session, Question, str, OfCell, datetime], Select[Any] | None]


@dataclass(frozen=True, slots=True)
class Enricher:
    """`fill(session, question, cells, at, currency, week_start)` adds `extras` to the tallies of
    `cells`, and cells where there were none; it may return codes of what the reader must know. Rows
    and columns of a total are summed up afterwards.

    `behind(session, question, figure, of_cell, at)` gives the leads behind a cell of one of the
    figures `listed`: a statement of `lead_id`, `day` and `times`, each lead in one row, whose times
    add up to what the cell says; None where they can't be told.
    """

    extras: frozenset[str]
    fill: Callable[[Session, Question, Cells, datetime, str, int], Iterable[str] | None]
    listed: frozenset[str] = frozenset()
    behind: Behind | None = None


ENRICHERS: tuple[Enricher, ...] = (
    Enricher(dealermix.EXPECTED, dealermix.fill_expected),
    Enricher(dealermix.QUALITY, dealermix.fill_quality),
    Enricher(
        fairshare.EXTRAS,
        fairshare.fill_shares,
        frozenset(fairshare.LISTED),
        fairshare.leads_of_shares,
    ),
    Enricher(deliveries.EXTRAS, deliveries.fill_deliveries),
    Enricher(coverage.EXTRAS, coverage.fill_coverage, coverage.LISTED, coverage.uncovered_leads),
    Enricher(calls.EXTRAS, calls.fill_calls, calls.LISTED, calls.leads_of_calls),
    Enricher(staffing.EXTRAS, staffing.fill_staffing),
    Enricher(plan.EXTRAS, plan.fill_plan),
)


def behind(figure: str) -> Behind | None:
    """What gives the leads behind a figure that the facts don't know; None where none are told."""
    return next((each.behind for each in ENRICHERS if figure in each.listed), None)


def enrich(
    session: Session,
    question: Question,
    cells: Cells,
    at: datetime,
    currency: str,
    week_start: int,
) -> tuple[str, ...]:
    """Fill in what the asked figures need; what the reader must know of it."""
    wanted = {extra for code in question.figures for extra in BY_CODE[code].extras}
    notes: list[str] = []
    for enricher in ENRICHERS:
        if enricher.extras & wanted:
            notes += enricher.fill(session, question, cells, at, currency, week_start) or ()
    return tuple(notes)
