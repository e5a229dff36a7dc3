"""How far a dealer is by road, from a routing engine's answers kept in rows.

The engine is OSRM's table service (https://project-osrm.org/docs/v5.24.0/api/#table-service). It
is asked from the middle of a cell of a hundredth of a degree, about a kilometre: one answer serves
all who live there, and nobody's address leaves the house.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.models import RoadAnswer
from lmt.outside import NotAnswered, Outside, OutsideError
from lmt.routing.candidate import Candidate

ASKED_DEALERS = 10
"""So many of the nearest are asked about at once."""
KEPT = timedelta(days=90)
NO_ROAD_KEPT = timedelta(days=1)
CELLS_PER_DEGREE = 100
OFF_ROAD_KM = 5.0
"""A point that far from every road the engine knows lies outside its map."""
MOST_KM, MOST_MINUTES = 20_000.0, 60_000.0

Cell = tuple[int, int]


class Dealers(Protocol):
    """Whoever knows where a dealer stands today: a `Network`."""

    def by_id(self, number: int, /) -> Candidate | None: ...


@dataclass(frozen=True, slots=True)
class Leg:
    """The way to one dealer; `km` and `minutes` are None where no road leads there, or none that
    the engine knows."""

    dealer_id: int
    lat: float
    lon: float
    km: float | None
    minutes: float | None


def cell_of(lat: float, lon: float) -> Cell:
    """The cell of a place; 180° east and west are the same."""
    whole = 360 * CELLS_PER_DEGREE
    column = (round(lon * CELLS_PER_DEGREE) + whole // 2) % whole - whole // 2
    return round(lat * CELLS_PER_DEGREE), column


def legs_of(
    session: Session, lat: float, lon: float, dealers: Dealers
) -> dict[int, tuple[float, float]]:
    """(km, minutes) by road from a place to the dealers that were asked about, by dealer id.

    A dealer that has moved since counts as unknown, and so does one that no road leads to.
    """
    known = _kept(session, cell_of(lat, lon))
    return {
        row.dealer_id: (row.km, row.minutes)
        for row in known
        if row.km is not None
        and row.minutes is not None
        and (dealer := dealers.by_id(row.dealer_id)) is not None
        and (row.dealer_lat, row.dealer_lon) == (dealer.lat, dealer.lon)
    }


def unknown_legs(
    session: Session, lat: float, lon: float, nearest: Iterable[Candidate], at: datetime
) -> list[Candidate]:
    """Those of the nearest dealers that the engine must still be asked about."""
    known = {
        (row.dealer_id, row.dealer_lat, row.dealer_lon)
        for row in _kept(session, cell_of(lat, lon))
        if at - row.asked_at < (NO_ROAD_KEPT if row.km is None else KEPT)
    }
    return [each for each in nearest if (each.id, each.lat, each.lon) not in known]


def legs_asked(
    url: str,
    lat: float,
    lon: float,
    dealers: Sequence[Candidate],
    *,
    outside: Outside,
    timeout_seconds: float,
) -> list[Leg]:
    """What the engine at `url` says, in one request. Raises NotAnswered.

    What lies outside of its map is snapped to a road far away, which is no way at all.
    """
    cell = cell_of(lat, lon)
    here = (cell[0] / CELLS_PER_DEGREE, cell[1] / CELLS_PER_DEGREE)
    points = [here, *((dealer.lat, dealer.lon) for dealer in dealers)]
    path = ";".join(f"{lon:.6f},{lat:.6f}" for lat, lon in points)
    try:
        answer = outside.ask(
            "GET",
            f"{url}/table/v1/driving/{path}?sources=0&annotations=duration,distance",
            timeout_seconds=timeout_seconds,
        )
        if answer.status >= 500:
            raise NotAnswered(f"status {answer.status}", again=True)
        told = answer.json()
        if told["code"] == "NoSegment":
            return [_no_way(dealer) for dealer in dealers]
        if not answer.ok or told["code"] != "Ok":
            raise NotAnswered(f"status {answer.status}", again=False)
        return _legs(told, dealers)
    except OutsideError as problem:
        again = problem.code in {"timeout", "unreachable"}
        raise NotAnswered(problem.code, again=again) from problem
    except (LookupError, TypeError, ValueError, AttributeError) as problem:
        raise NotAnswered("unreadable", again=False) from problem


def keep_legs(session: Session, lat: float, lon: float, legs: Iterable[Leg], at: datetime) -> None:
    """Remember what the engine said. No commit."""
    row_of, column_of = cell_of(lat, lon)
    rows = [
        {
            "lat_cell": row_of,
            "lon_cell": column_of,
            "dealer_id": leg.dealer_id,
            "dealer_lat": leg.lat,
            "dealer_lon": leg.lon,
            "km": leg.km,
            "minutes": leg.minutes,
            "asked_at": at,
        }
        # In one order everywhere, or two workers could wait for each other.
        for leg in sorted(legs, key=lambda leg: leg.dealer_id)
    ]
    if not rows:
        return
    row = insert(RoadAnswer).values(rows)
    changed = ("dealer_lat", "dealer_lon", "km", "minutes", "asked_at")
    session.execute(
        row.on_conflict_do_update(
            index_elements=["lat_cell", "lon_cell", "dealer_id"],
            set_={name: row.excluded[name] for name in changed},
        )
    )


def forget_legs(session: Session, at: datetime) -> None:
    """Delete what has been kept for too long: roads change. No commit."""
    session.execute(
        delete(RoadAnswer).where(
            or_(
                RoadAnswer.asked_at < at - KEPT,
                RoadAnswer.km.is_(None) & (RoadAnswer.asked_at < at - NO_ROAD_KEPT),
            )
        )
    )


def _kept(session: Session, cell: Cell) -> Sequence[RoadAnswer]:
    return session.scalars(
        select(RoadAnswer).where(RoadAnswer.lat_cell == cell[0], RoadAnswer.lon_cell == cell[1])
    ).all()


def _legs(told: Any, dealers: Sequence[Candidate]) -> list[Leg]:
    """Legs of a table whose only source is the place; the first column is the place itself."""
    if _is_off_road(told["sources"][0]):
        return [_no_way(dealer) for dealer in dealers]
    minutes, metres, snapped = told["durations"][0], told["distances"][0], told["destinations"]
    if not len(minutes) == len(metres) == len(snapped) == len(dealers) + 1:
        raise ValueError("not as many as asked for")
    legs = []
    for number, dealer in enumerate(dealers, 1):
        unknown = minutes[number] is None or metres[number] is None
        if unknown or _is_off_road(snapped[number]):
            legs.append(_no_way(dealer))
            continue
        leg_km, leg_minutes = float(metres[number]) / 1000, float(minutes[number]) / 60
        if not (0 <= leg_km <= MOST_KM and 0 <= leg_minutes <= MOST_MINUTES):
            raise ValueError("no such way")
        legs.append(Leg(dealer.id, dealer.lat, dealer.lon, round(leg_km, 3), round(leg_minutes, 2)))
    return legs


def _no_way(dealer: Candidate) -> Leg:
    return Leg(dealer.id, dealer.lat, dealer.lon, None, None)


def _is_off_road(point: Any) -> bool:
    off = float(point.get("distance", 0.0)) / 1000
    return math.isnan(off) or off > OFF_ROAD_KM
