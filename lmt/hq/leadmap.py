"""Where the leads are that fit a filter: counted in squares of the map, with those that no dealer
is near enough for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from scipy.spatial import cKDTree
from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from lmt.hq.filters import CELL_DEGREES, Cell, LeadFilter
from lmt.hq.leadconditions import Named, named
from lmt.hq.leadlist import counted_by
from lmt.lifecycle import Status
from lmt.models import Competence, Dealer, DealerTerms, RoutingPolicy
from lmt.routing.geo import about_km, ecefs_km
from lmt.routing.policy import Policy

MOST_LEADS = 10_000
WALK = 20_000
MOST_CELLS = 60
MOST_DEALERS = 400
"""More are drawn of no map: a market is to be chosen first."""


@dataclass(frozen=True, slots=True)
class Square:
    """`stranded` of its leads wait without a dealer because none is near enough; `nearest_km` is
    how far the nearest dealer is from its middle where that is beyond the policy's radius."""

    cell: Cell
    leads: int
    stranded: int
    nearest_km: float | None

    @property
    def uncovered(self) -> bool:
        return self.stranded > 0 or self.nearest_km is not None


@dataclass(frozen=True, slots=True)
class PlacedDealer:
    code: str
    name: str
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class LeadMap:
    """`squares` with the most leads first. `dealers` is None where there are too many to draw.
    `counted` leads were looked at, `placeless` of them are nowhere on the map; `more`: others fit
    as well and are older (or newer, by the filter's sort)."""

    squares: Sequence[Square]
    dealers: Sequence[PlacedDealer] | None
    counted: int
    placeless: int
    more: bool


@dataclass(slots=True)
class _Counted:
    markets: Counter[int]
    stranded: int = 0


def lead_map(session: Session, wanted: LeadFilter, *, at: datetime) -> LeadMap:
    """At most MOST_LEADS of them, in a fixed number of queries."""
    of = named(session, wanted)
    sizes = [size for size in CELL_DEGREES if wanted.cell is None or size < wanted.cell.degrees]
    finest = (sizes or CELL_DEGREES)[0]
    rows, more = counted_by(
        session,
        wanted,
        at=at,
        most=MOST_LEADS,
        walk=WALK,
        keys=lambda lead: (
            func.floor(lead.lat / finest),
            func.floor(lead.lon / finest),
            lead.market_id,
        ),
        marked=lambda lead: and_(lead.status == Status.UNROUTED, lead.cause == "out_of_range"),
    )
    counted, degrees = _in_squares(rows, sizes)
    markets = {market for each in counted.values() for market in each.markets}
    places = _places(session, of, at, markets)
    nearest = _too_far(counted, degrees, places, _radius_km(session, at, markets))
    squares = [
        Square(Cell(row * degrees, column * degrees, degrees), each.markets.total(), each.stranded,
               nearest.get((row, column)))
        for (row, column), each in counted.items()
    ]  # fmt: skip
    shown = [dealer for _market, dealer in places]
    located = sum(square.leads for square in squares)
    return LeadMap(
        squares=sorted(squares, key=lambda s: (-s.leads, s.cell.lat, s.cell.lon)),
        dealers=shown if len(shown) <= MOST_DEALERS else None,
        counted=(total := sum(row[-2] for row in rows)),
        placeless=total - located,
        more=more,
    )


def _in_squares(
    rows: Sequence[Any], sizes: Sequence[float]
) -> tuple[dict[tuple[int, int], _Counted], float]:
    """Counts by row and column of the smallest squares that are not too many, and their degrees.
    `rows` are of the first of the sizes."""
    counted: dict[tuple[int, int], _Counted] = {}
    for row, column, market, many, stranded in rows:
        if row is not None and column is not None:
            square = counted.setdefault((int(row), int(column)), _Counted(Counter()))
            square.markets[market] += many
            square.stranded += stranded
    degrees = (*sizes, *CELL_DEGREES)[0]
    for size in sizes[1:]:
        if len(counted) <= MOST_CELLS:
            break
        counted, degrees = _merged(counted, round(size / degrees)), size
    return counted, degrees


def _merged(
    counted: Mapping[tuple[int, int], _Counted], step: int
) -> dict[tuple[int, int], _Counted]:
    merged: dict[tuple[int, int], _Counted] = {}
    for (row, column), each in counted.items():
        square = merged.setdefault((row // step, column // step), _Counted(Counter()))
        square.markets.update(each.markets)
        square.stranded += each.stranded
    return merged


def _places(
    session: Session, of: Named, at: datetime, markets: Iterable[int]
) -> list[tuple[int, PlacedDealer]]:
    """(market, dealer) of those who may be given leads of the filter's market and brand."""
    able: list[ColumnElement[bool]] = [Competence.holds_at(at)]
    if of.brand is not None:
        able.append(Competence.brand_id == of.brand)
    in_markets = [of.market] if of.market is not None else sorted(markets)
    rows = session.execute(
        select(Dealer.market_id, Dealer.code, DealerTerms.name, DealerTerms.lat, DealerTerms.lon)
        .join(DealerTerms, DealerTerms.dealer_id == Dealer.id)
        .where(
            Dealer.kind != "team",
            Dealer.market_id.in_(in_markets),
            DealerTerms.holds_at(at),
            DealerTerms.active,
            ~DealerTerms.paused,
            Dealer.id.in_(select(Competence.dealer_id).where(*able)),
        )
        .order_by(Dealer.code)
    )
    return [(market, PlacedDealer(code, name, lat, lon)) for market, code, name, lat, lon in rows]


def _radius_km(session: Session, at: datetime, markets: Iterable[int]) -> dict[int, float]:
    """How far the markets' policies look at first."""
    found = session.execute(
        select(RoutingPolicy.market_id, RoutingPolicy.settings["radius_km"].as_float()).where(
            RoutingPolicy.market_id.in_(sorted(markets)), RoutingPolicy.holds_at(at)
        )
    )
    usual = Policy().radius_km
    set_there = {market: usual if km is None else km for market, km in found}
    return {market: set_there.get(market, usual) for market in markets}


def _too_far(
    counted: Mapping[tuple[int, int], _Counted],
    degrees: float,
    places: Sequence[tuple[int, PlacedDealer]],
    radius_km: Mapping[int, float],
) -> dict[tuple[int, int], float]:
    """How far the nearest dealer of a square's market is, where that is beyond its radius."""
    squares: dict[int, list[tuple[int, int]]] = {}
    for square, each in counted.items():
        squares.setdefault(each.markets.most_common(1)[0][0], []).append(square)
    far: dict[tuple[int, int], float] = {}
    for market, its in squares.items():
        dealers = [dealer for where, dealer in places if where == market]
        if not dealers:
            continue
        tree = cKDTree(ecefs_km([d.lat for d in dealers], [d.lon for d in dealers]))
        middle = (np.array(its) + 0.5) * degrees
        chords, _which = tree.query(ecefs_km(middle[:, 0], middle[:, 1]))
        for square, chord in zip(its, chords, strict=True):
            km = about_km(float(chord))
            if km > radius_km[market]:
                far[square] = km
    return far
