"""What a dealer's mix of leads lets expect, and its quality as routing knows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.models import Dealer, DealerTerms
from lmt.reports.dimensions import dimension_of
from lmt.reports.enrich.spread import NOT_TOLD, Cells, by_leads, can_tell, columns_used, spread
from lmt.reports.expected import Rates, Stratum, rates_of
from lmt.reports.question import Question
from lmt.reports.summing import kept_of_leads, source_of
from lmt.scope import Actor

EXPECTED = frozenset({"expected_sold"})
QUALITY = frozenset({"quality", "quality_dealers"})
OF_DEALERS = ("dealer", "group", "colleague")
"""Filters that choose whose leads are looked at, not what is expected of them."""
KIND = ("market_id", "channel", "request_type")
"""What makes a stratum of a lead."""
NOBODY = 0
Leads = tuple[Stratum, tuple[Any, ...], NDArray[np.void]]
"""Of one kind, in a group by some columns: a row (dealer_id, leads, sold) for each, packed."""


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
    apart = tuple(column for column in by if column != "dealer_id")
    whole = replace(question, rows="", columns="", filters=market)
    source = source_of(session, whole, also=(*KIND, *apart, "holders"))
    leads = [
        (Stratum(*group[:3]), group[3:], holders[holders["dealer_id"] != NOBODY])
        for group, holders in kept_of_leads(session, source, (*KIND, *apart), "holders")
    ]
    rates = rates_of((kind, int(of["leads"].sum()), int(of["sold"].sum())) for kind, _, of in leads)
    rows = (
        ({**dict(zip(apart, group, strict=True)), "dealer_id": dealer}, {"expected_sold": sold})
        for group, dealer, sold in _expected(leads, rates)
    )
    spread(session, asked, cells, rows, week_start=week_start)
    return ()


def _expected(leads: Iterable[Leads], rates: Rates) -> Iterator[tuple[tuple[Any, ...], int, float]]:
    """(group, dealer, leads times the rate of their kind): leads are many, and added up at once."""
    together: defaultdict[tuple[Any, ...], list[tuple[float, NDArray[np.void]]]] = defaultdict(list)
    for kind, group, holders in leads:
        together[group].append((rates.of(kind), holders))
    for group, parts in together.items():
        dealers = np.concatenate([holders["dealer_id"] for _rate, holders in parts])
        expected = np.concatenate([holders["leads"] * rate for rate, holders in parts])
        sums = np.bincount(dealers, expected)
        for dealer in np.unique(dealers).tolist():
            yield group, dealer, float(sums[dealer])


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
