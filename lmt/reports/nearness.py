"""How far it is from where leads come from to the nearest dealer of their market."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.models import Brand, Competence, Dealer, DealerTerms
from lmt.routing.geo import about_km, ecefs_km

TENTHS = 10
"""Squares of the facts to a degree."""
UNCOVERED_KM = 50.0
"""Farther than that is no dealer near, unless the reader says otherwise."""

Square = tuple[int, int, int]
"""Market, and whole tenths of a degree, rounded down."""


@dataclass(frozen=True, slots=True)
class PlacedDealer:
    market_id: int
    code: str
    name: str
    lat: float
    lon: float


def placed_dealers(
    session: Session, at: datetime, brands: Iterable[str] = ()
) -> list[PlacedDealer]:
    """The dealers in sight that could be given a lead today, of one of these brands where any is
    named."""
    able = select(Competence.dealer_id).where(Competence.holds_at(at))
    named = sorted(brands)
    if named:
        able = able.join(Brand, Brand.id == Competence.brand_id).where(Brand.code.in_(named))
    rows = session.execute(
        select(Dealer.market_id, Dealer.code, DealerTerms.name, DealerTerms.lat, DealerTerms.lon)
        .join(DealerTerms, DealerTerms.dealer_id == Dealer.id)
        .where(
            Dealer.kind != "team",
            DealerTerms.holds_at(at),
            DealerTerms.active,
            ~DealerTerms.paused,
            Dealer.id.in_(able),
        )
        .order_by(Dealer.code)
    )
    return [PlacedDealer(*row) for row in rows]


def nearest_km(
    squares: Iterable[Square], dealers: Sequence[PlacedDealer]
) -> Mapping[Square, float]:
    """From the middle of each square, over the ground; infinite where its market has no dealer."""
    # Imported where it is used: it costs half a second, and most processes never ask.
    from scipy.spatial import cKDTree

    by_market: dict[int, list[Square]] = {}
    for square in squares:
        by_market.setdefault(square[0], []).append(square)
    found: dict[Square, float] = {}
    for market, its in by_market.items():
        here = [dealer for dealer in dealers if dealer.market_id == market]
        if not here:
            found |= dict.fromkeys(its, float("inf"))
            continue
        tree = cKDTree(ecefs_km([d.lat for d in here], [d.lon for d in here]))
        middles = (np.array([square[1:] for square in its]) + 0.5) / TENTHS
        chords, _which = tree.query(ecefs_km(middles[:, 0], middles[:, 1]))
        found |= {square: about_km(float(chord)) for square, chord in zip(its, chords, strict=True)}
    return found
