"""What the gazetteer's rows say of a postcode, a name, a region or a spot on the map."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import CHAR, Text, cast, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from lmt.models import Place, PlaceName, Postcode
from lmt.routing.gazetteer import (
    Chosen,
    PlaceRow,
    choose_place,
    guesses,
    is_rather_a_district,
    readings,
)
from lmt.routing.geo import geodesic_km
from lmt.routing.names import index_keys, place_key, postcode_keys
from lmt.routing.regions import region_code

FAR_FROM_ANYWHERE_KM = 100.0
USUALLY_WITHIN_KM = 11.0
KM_PER_DEGREE = 111.0
SHORTEST_CODE, LONGEST_CODE = 2, 3

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


@dataclass(frozen=True, slots=True)
class Area:
    """A region's middle, where most of its people are, and how far its places lie from it."""

    lat: float
    lon: float
    radius_km: float
    largest: PlaceRow


def nearest_place(
    session: Session, lat: float, lon: float, countries: Iterable[str] = ()
) -> tuple[PlaceRow, float] | None:
    """The nearest place of `countries` (none: of all loaded) and its km, None beyond 100 km."""
    wanted = list(countries)
    for within_km in (USUALLY_WITHIN_KM, FAR_FROM_ANYWHERE_KM):
        found = _nearest_within(session, lat, lon, within_km, wanted)
        if found is not None:
            return found
    return None


def _nearest_within(
    session: Session, lat: float, lon: float, within_km: float, countries: Sequence[str]
) -> tuple[PlaceRow, float] | None:
    """The nearest place in a square around the spot, None where it lies beyond the radius."""
    degrees = within_km / KM_PER_DEGREE
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
    if countries:
        query = query.where(Place.country.in_(countries))
    found = session.execute(query).first()
    if found is None:
        return None
    row = PlaceRow(*found)
    distance = geodesic_km(lat, lon, row.lat, row.lon)
    return (row, distance) if distance <= within_km else None


def postcode_area(session: Session, postcode: str, countries: Sequence[str]) -> Postcode | None:
    """The postcode's row, None where none or several of the countries have it."""
    if not postcode.strip():
        return None
    found: list[Postcode] = []
    for country in countries:
        for key in postcode_keys(country, postcode):
            row = session.get(Postcode, (country, key))
            if row is not None:
                found.append(row)
                break
    return found[0] if len(found) == 1 else None


def postcode_areas(
    session: Session, postcodes: Collection[str], countries: Sequence[str]
) -> dict[str, Postcode | None]:
    """`postcode_area` of each of them, in one statement."""
    keys = {
        (code, country): postcode_keys(country, code) if code.strip() else []
        for code in postcodes
        for country in countries
    }
    pairs = {(country, key) for (_, country), each in keys.items() for key in each}
    rows = {(row.country, row.code): row for row in _postcodes(session, pairs)}
    found: dict[str, Postcode | None] = {}
    for code in postcodes:
        met = [
            next((row for key in keys[code, country] if (row := rows.get((country, key)))), None)
            for country in countries
        ]
        held = [row for row in met if row is not None]
        found[code] = held[0] if len(held) == 1 else None
    return found


def _postcodes(session: Session, pairs: Collection[tuple[str, str]]) -> Iterable[Postcode]:
    if not pairs:
        return ()
    countries, codes = zip(*pairs, strict=True)
    asked = (
        func.unnest(cast(list(countries), ARRAY(CHAR(2))), cast(list(codes), ARRAY(Text)))
        .table_valued("country", "code")
        .render_derived()
    )
    wanted = select(asked.c.country, asked.c.code)
    return session.scalars(
        select(Postcode).where(tuple_(Postcode.country, Postcode.code).in_(wanted))
    )


def city_meant(
    session: Session, city: str, region: str, countries: Sequence[str]
) -> tuple[Chosen | None, list[PlaceRow]]:
    """The place meant, or None and the namesakes met first."""
    met: list[PlaceRow] = []
    for reading, hints in readings(city):
        key = place_key(reading)
        for tried in ({key}, index_keys(reading)):
            rows = _named(session, tried, countries)
            regions, cities = _regions(session, [region, *hints], countries, rows)
            chosen = choose_place(rows, regions, key)
            if chosen is not None and not is_rather_a_district(chosen.place, cities):
                twins = _twins(session, chosen.place, key, countries)
                again = choose_place([*rows, *twins], regions, place_key(chosen.place.name))
                if again is not None and again.place == chosen.place:
                    return chosen, rows
                rows = [*rows, *twins]
            met = met or ([*rows, *cities] if rows else [])
    return None, met


def _twins(session: Session, place: PlaceRow, key: str, countries: Sequence[str]) -> list[PlaceRow]:
    """Others of the same name as a place that was found by its name in another script: lists
    have such names for some of them only, and not always for the largest."""
    own = place_key(place.name)
    if key.isascii() or not own.isascii():
        return []
    return [row for row in _named(session, {own}, countries) if row.id != place.id]


def region_area(session: Session, region: str, countries: Sequence[str]) -> Area | None:
    """The one region of that name, None where none or several are called so."""
    regions, _ = _regions(session, [region], countries)
    if len(regions) != 1:
        return None
    ((country, admin1),) = regions
    rows = [
        PlaceRow(*row)
        for row in session.execute(
            select(*_COLUMNS).where(Place.country == country, Place.admin1 == admin1)
        )
    ]
    people = sum(row.population for row in rows)
    if not people:
        return None
    lat = sum(row.lat * row.population for row in rows) / people
    lon = sum(row.lon * row.population for row in rows) / people
    farthest = max(geodesic_km(lat, lon, row.lat, row.lon) for row in rows)
    return Area(round(lat, 5), round(lon, 5), round(farthest, 1), guesses(rows)[0])


def _named(session: Session, keys: set[str], countries: Sequence[str]) -> list[PlaceRow]:
    ids = select(PlaceName.place_id).where(PlaceName.key.in_(keys - {""}))
    if countries:
        ids = ids.where(PlaceName.country.in_(countries))
    rows = session.execute(select(*_COLUMNS).where(Place.id.in_(ids)))
    return [PlaceRow(*row) for row in rows]


def _regions(
    session: Session,
    hints: Sequence[str],
    countries: Sequence[str],
    rows: Sequence[PlaceRow] = (),
) -> tuple[set[tuple[str, str]], list[PlaceRow]]:
    """The regions that the hints name: by their own names or codes, else by a city so called, and
    these cities.

    A city tells its region only where it is the region's largest, after which regions are called,
    or one of the namesakes in question (`rows`) itself.
    """
    found: set[tuple[str, str]] = set()
    cities: list[PlaceRow] = []
    asked_for = {row.id for row in rows}
    for hint in hints:
        if not place_key(hint):
            continue
        named = {(c, code) for c in countries if (code := region_code(c, hint)) is not None}
        named = named or _regions_by_code(session, hint, countries)
        if not named:
            for row in guesses(_named(session, {place_key(hint)}, countries))[:1]:
                if row.id in asked_for or _is_largest(session, row):
                    named = {(row.country, row.admin1)}
                    cities.append(row)
        found |= named
    return found, cities


def _regions_by_code(session: Session, hint: str, countries: Sequence[str]) -> set[tuple[str, str]]:
    """Where regions go by letters, as GeoNames has them: US states, cantons."""
    code = hint.strip().upper()
    if not (code.isascii() and code.isalpha() and SHORTEST_CODE <= len(code) <= LONGEST_CODE):
        return set()
    rows = session.execute(
        select(Place.country, Place.admin1)
        .where(Place.country.in_(countries), Place.admin1 == code)
        .distinct()
    )
    return {(country, admin1) for country, admin1 in rows}


def _is_largest(session: Session, row: PlaceRow) -> bool:
    larger = select(Place.id).where(
        Place.country == row.country,
        Place.admin1 == row.admin1,
        Place.population > row.population,
    )
    return session.scalars(larger.limit(1)).first() is None
