"""How far it is from where leads come from to the nearest dealer of their market."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.models import Brand, Competence, Dealer, DealerTerms
from lmt.reports.question import Question
from lmt.reports.summing import kept_of_leads, source_of
from lmt.routing.geo import about_km, ecefs_km

TENTHS = 10
"""Squares of the facts to a degree."""
UNCOVERED_KM = 50.0
"""Farther than that is no dealer near, unless the reader says otherwise."""

_WIDTH = 1 << 16
"""More than there are tenths of a degree around the earth."""


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


def leads_by_square(
    session: Session, question: Question, apart: Sequence[str] = ()
) -> Iterator[tuple[tuple[Any, ...], NDArray[np.int_], NDArray[np.int_]]]:
    """For each market, told apart by these columns of the facts: each square that leads come from,
    a row (lat, lon), and how many. Whatever groups the question asks for, its filters hold."""
    whole = replace(question, rows="", columns="")
    source = source_of(session, whole, also=("squares", *apart))
    for group, located in kept_of_leads(session, source, ("market_id", *apart), "squares"):
        yield group, *_by_square(located)


class Nearest:
    """Of these dealers, for squares of their own markets."""

    def __init__(self, dealers: Iterable[PlacedDealer]) -> None:
        # Imported where it is used: it costs half a second, and most processes never ask.
        from scipy.spatial import cKDTree

        of_market: defaultdict[int, list[PlacedDealer]] = defaultdict(list)
        for dealer in dealers:
            of_market[dealer.market_id].append(dealer)
        self._trees = {
            market: cKDTree(ecefs_km([d.lat for d in its], [d.lon for d in its]))
            for market, its in of_market.items()
        }

    def km(self, market: int, squares: NDArray[np.int_]) -> NDArray[np.float64]:
        """From the middle of each square, a row (lat, lon) in tenths, over the ground; infinite
        where its market has no dealer."""
        if market not in self._trees:
            return np.full(len(squares), np.inf)
        middles = (squares + 0.5) / TENTHS
        chords, _which = self._trees[market].query(ecefs_km(middles[:, 0], middles[:, 1]))
        return np.array([about_km(chord) for chord in chords.tolist()])


def _by_square(located: NDArray[np.void]) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """What months keep of leads (`lat_tenth`, `lon_tenth`, `leads`) → each square once, a row
    (lat, lon), and how many leads come from it."""
    codes, place = np.unique(
        located["lat_tenth"].astype(int) * _WIDTH + located["lon_tenth"] + _WIDTH // 2,
        return_inverse=True,
    )
    lat, lon = np.divmod(codes, _WIDTH)
    leads = np.bincount(place, located["leads"]).astype(int)
    return np.column_stack((lat, lon - _WIDTH // 2)), leads
