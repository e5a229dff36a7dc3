"""Where is the lead? The first question of routing, answered from the gazetteer alone.

Coordinates given, else the postcode, else the city in any script; each with an accuracy. What
stays unclear is said so, with guesses: never silently the wrong place.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt.models import Place, PlaceName, Postcode
from lmt.routing.gazetteer import (
    Chosen,
    PlaceRow,
    choose_place,
    city_radius_km,
    guesses,
    readings,
)
from lmt.routing.geo import geodesic_km, is_place
from lmt.routing.names import index_keys, place_key, postcode_keys
from lmt.routing.regions import region_code

GIVEN_ACCURACY_KM = 0.1
FAR_FROM_ANYWHERE_KM = 100.0
BORDER_KM = 30.0
VAGUE_POSTCODE_KM = 25.0
KNOWN_CITY_PEOPLE = 50_000
CONFLICT_KM = 75.0


@dataclass(frozen=True, slots=True)
class Located:
    """A place: WGS-84 degrees, within `accuracy_km` of the truth.

    `method` is given, postcode or city. `place` names the place found, or the nearest one.
    """

    lat: float
    lon: float
    accuracy_km: float
    method: str
    place: str
    country: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Guess:
    """A place that could have been meant."""

    name: str
    country: str
    admin1: str
    lat: float
    lon: float
    population: int


@dataclass(frozen=True, slots=True)
class Unlocated:
    """No place closely enough, with what could have been meant, the likeliest first.

    `problem` is a code: nothing_given, unknown, ambiguous, or conflict (postcode and city lie
    far apart).
    """

    problem: str
    guesses: tuple[Guess, ...] = ()


def locate(
    session: Session,
    *,
    country: str = "",
    region: str = "",
    postcode: str = "",
    city: str = "",
    lat: float | None = None,
    lon: float | None = None,
    countries: Sequence[str] = (),
) -> Located | Unlocated:
    """Where a lead is, from what its sender gave.

    `country` (alpha-2) narrows the search; without it, `countries` (the market's) are searched.
    Coordinates are trusted unless they lie far from every place of those countries, or in
    another country than the one given.
    """
    # A country kept in a column of two letters comes back as two blanks where none was given.
    known = country.strip().upper()
    searched = [known] if known else list(countries)
    given = _given(session, lat, lon, searched)
    if given is not None:
        return given
    by_postcode = _by_postcode(session, postcode, searched)
    if by_postcode is None and not city.strip():
        return Unlocated("unknown" if postcode or lat is not None else "nothing_given")
    chosen, rows = _by_city(session, city, region, searched)
    if by_postcode is not None and chosen is not None and _conflict(by_postcode, chosen.place):
        return Unlocated("conflict", _as_guesses([chosen.place]))
    precise = by_postcode is not None and by_postcode.accuracy_km <= VAGUE_POSTCODE_KM
    if by_postcode is not None and (precise or chosen is None):
        return by_postcode
    if chosen is None:
        return Unlocated("ambiguous" if rows else "unknown", _as_guesses(guesses(rows)))
    place = chosen.place
    accuracy = city_radius_km(place.population) + chosen.spread_km
    return Located(
        place.lat, place.lon, accuracy, "city", place.name, place.country, place.timezone
    )


def nearest_place(
    session: Session, lat: float, lon: float, countries: Iterable[str] = ()
) -> tuple[PlaceRow, float] | None:
    """The nearest place of `countries` (none: of all loaded) and its km, None beyond 100 km."""
    degrees = FAR_FROM_ANYWHERE_KM / 111.0
    shrink = max(math.cos(math.radians(lat)), 0.01)
    query = (
        select(*_COLUMNS)
        .where(
            Place.lat.between(lat - degrees, lat + degrees),
            Place.lon.between(lon - degrees / shrink, lon + degrees / shrink),
        )
        .order_by(
            func.power(Place.lat - lat, 2) + func.power((Place.lon - lon) * shrink, 2), Place.id
        )
        .limit(1)
    )
    wanted = list(countries)
    if wanted:
        query = query.where(Place.country.in_(wanted))
    found = session.execute(query).first()
    if found is None:
        return None
    row = PlaceRow(*found)
    distance = geodesic_km(lat, lon, row.lat, row.lon)
    return (row, distance) if distance <= FAR_FROM_ANYWHERE_KM else None


_COLUMNS = (
    Place.id,
    Place.name,
    Place.country,
    Place.admin1,
    Place.population,
    Place.lat,
    Place.lon,
    Place.timezone,
)


def _given(
    session: Session, lat: float | None, lon: float | None, countries: Sequence[str]
) -> Located | None:
    if lat is None or lon is None or not is_place(lat, lon) or (lat, lon) == (0.0, 0.0):
        return None
    nearest = nearest_place(session, lat, lon)
    if nearest is None:
        return None
    place, _ = nearest
    if countries and place.country not in countries:
        # Near a border the next village may be abroad; farther in, the coordinates are wrong.
        own = nearest_place(session, lat, lon, countries)
        if own is None or own[1] > BORDER_KM:
            return None
        place = own[0]
    return Located(lat, lon, GIVEN_ACCURACY_KM, "given", place.name, place.country, place.timezone)


def _by_postcode(session: Session, postcode: str, countries: Sequence[str]) -> Located | None:
    if not postcode.strip():
        return None
    found: list[Postcode] = []
    for country in countries:
        for key in postcode_keys(country, postcode):
            row = session.get(Postcode, (country, key))
            if row is not None:
                found.append(row)
                break
    if len(found) != 1:
        return None
    row = found[0]
    nearest = nearest_place(session, row.lat, row.lon, [row.country])
    if nearest is None:
        return None
    return Located(
        row.lat,
        row.lon,
        row.radius_km,
        "postcode",
        row.place or nearest[0].name,
        row.country,
        nearest[0].timezone,
    )


def _by_city(
    session: Session, city: str, region: str, countries: Sequence[str]
) -> tuple[Chosen | None, list[PlaceRow]]:
    """The place meant, or None and the namesakes met first."""
    met: list[PlaceRow] = []
    for reading, hints in readings(city):
        keys = [{place_key(reading)}, index_keys(reading)]
        for tried in keys:
            rows = _named(session, tried, countries)
            regions = _regions(session, [region, *hints], countries)
            chosen = choose_place(rows, regions, place_key(reading))
            if chosen is not None:
                return chosen, rows
            met = met or rows
    return None, met


def _named(session: Session, keys: set[str], countries: Sequence[str]) -> list[PlaceRow]:
    ids = select(PlaceName.place_id).where(PlaceName.key.in_(keys - {""}))
    if countries:
        ids = ids.where(PlaceName.country.in_(countries))
    rows = session.execute(select(*_COLUMNS).where(Place.id.in_(ids)))
    return [PlaceRow(*row) for row in rows]


def _regions(
    session: Session, hints: Sequence[str], countries: Sequence[str]
) -> set[tuple[str, str]]:
    """The regions that the hints name: by their own names, else by the largest city so called."""
    found: set[tuple[str, str]] = set()
    for hint in hints:
        if not place_key(hint):
            continue
        named = {(c, code) for c in countries if (code := region_code(c, hint)) is not None}
        if not named:
            largest = guesses(_named(session, {place_key(hint)}, countries))[:1]
            named = {(row.country, row.admin1) for row in largest}
        found |= named
    return found


def _conflict(by_postcode: Located, place: PlaceRow) -> bool:
    """A well-known city far from the postcode: one of the two is a slip, and nobody knows which."""
    if place.population < KNOWN_CITY_PEOPLE:
        return False
    apart = geodesic_km(by_postcode.lat, by_postcode.lon, place.lat, place.lon)
    return apart > CONFLICT_KM + by_postcode.accuracy_km


def _as_guesses(rows: Sequence[PlaceRow]) -> tuple[Guess, ...]:
    return tuple(
        Guess(row.name, row.country, row.admin1, row.lat, row.lon, row.population) for row in rows
    )
