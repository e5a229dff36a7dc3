"""From where leads come, in squares of the map, and from where no dealer is near enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from lmt.reports.nearness import (
    TENTHS,
    Nearest,
    PlacedDealer,
    leads_by_square,
    placed_dealers,
)
from lmt.reports.question import Question
from lmt.reports.summing import source_of, summed_counters

Square = tuple[int, int, int]
"""Market, and whole tenths of a degree, rounded down."""
SIZES_TENTHS = (1, 2, 5, 10, 20, 50, 100)
MOST_SQUARES = 120
MOST_DEALERS = 400
"""More are drawn of no map: a market is to be chosen first."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A square of the map from its south-western corner: its leads, how many of them come from
    where no dealer is near, and how far the nearest is from the worst such place."""

    south: float
    west: float
    degrees: float
    leads: int
    uncovered: int
    farthest_km: float | None

    @property
    def code(self) -> str:
        """Unlike any other of its map: 522+210 begins at 52.2° north, 21° east."""
        return f"{round(self.south * TENTHS)}{round(self.west * TENTHS):+}"


@dataclass(frozen=True, slots=True)
class Coverage:
    """`patches` with the most uncovered leads first; `dealers` None where there are too many."""

    patches: tuple[Patch, ...]
    dealers: Sequence[PlacedDealer] | None
    leads: int
    uncovered: int
    placeless: int


def coverage_of(
    session: Session, question: Question, *, within_km: float, at: datetime
) -> Coverage:
    """Of the question's days and filters, whatever it tells apart. `within_km`: farther than that
    is no dealer near."""
    dealers = placed_dealers(session, at, question.filters.get("brand", ()))
    near = Nearest(dealers)
    leads: dict[Square, int] = {}
    nearest: dict[Square, float] = {}
    # A market comes once from its months and once from its latest facts.
    for (market,), squares, numbers in leads_by_square(session, question):
        km = near.km(market, squares).tolist()
        for (lat, lon), number, far in zip(squares.tolist(), numbers.tolist(), km, strict=True):
            square = market, lat, lon
            leads[square] = leads.get(square, 0) + number
            nearest[square] = far
    whole = source_of(session, replace(question, rows="", columns=""))
    all_leads = sum(
        counts.get("leads", 0) for _group, counts in summed_counters(session, whole, (), ("leads",))
    )
    markets = {market for market, _lat, _lon in leads}
    shown = [dealer for dealer in dealers if dealer.market_id in markets]
    return Coverage(
        patches_of(leads, nearest, within_km),
        shown if len(shown) <= MOST_DEALERS else None,
        sum(leads.values()),
        sum(number for square, number in leads.items() if nearest[square] > within_km),
        all_leads - sum(leads.values()),
    )


def patches_of(
    leads: Mapping[Square, int],
    nearest: Mapping[Square, float],
    within_km: float,
    most: int = MOST_SQUARES,
) -> tuple[Patch, ...]:
    """The smallest squares that are not more than `most`. Whether a lead is near a dealer is told
    of its own tenth of a degree, however large the squares are drawn."""
    size = next(
        (s for s in SIZES_TENTHS if len({(la // s, lo // s) for _m, la, lo in leads}) <= most),
        SIZES_TENTHS[-1],
    )
    together: dict[tuple[int, int], list[Square]] = {}
    for square in leads:
        together.setdefault((square[1] // size, square[2] // size), []).append(square)
    patches = []
    for (row, column), squares in together.items():
        far = [square for square in squares if nearest[square] > within_km]
        patches.append(
            Patch(
                row * size / TENTHS,
                column * size / TENTHS,
                size / TENTHS,
                sum(leads[square] for square in squares),
                sum(leads[square] for square in far),
                max((nearest[square] for square in far), default=None),
            )
        )
    return tuple(sorted(patches, key=lambda p: (-p.uncovered, -p.leads, p.south, p.west)))
