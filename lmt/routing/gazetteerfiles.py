"""Reads the files that a gazetteer is filled from, line by line and told apart by their content.

Postal files and place files of GeoNames (https://download.geonames.org/export/zip/readme.txt,
https://download.geonames.org/export/dump/readme.txt): tab-separated UTF-8 without a heading; and
postcodes as delimited text whose heading names its columns.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO
from zoneinfo import available_timezones

from lmt.routing.geo import is_place
from lmt.routing.names import postcode_key

POSTCODES, PLACES = "postcodes", "places"
POSTCODE_RADIUS_KM = 3.0
"""How far a delivery area reaches around its middle: about 30 km²."""
RADIUS_KM_BY_ACCURACY = {"1": 10.0, "2": 7.0, "3": 5.0, "4": 3.0, "5": 2.5, "6": 2.0}
"""GeoNames' accuracy of a row: 1 is estimated, 4 a place's own, 6 the middle of the addresses."""
PLACE_CLASS = "P"
NO_PLACES = frozenset({"PPLH", "PPLQ", "PPLW", "PPLCH", "PPLX"})
"""Abandoned, destroyed or historical; and parts of a place, which lists of places leave out."""

_HEADINGS = {
    "country": ("country_code", "countrycode", "country", "iso", "iso2", "cc"),
    "code": ("zipcode", "zip_code", "zip", "postal_code", "postalcode", "postcode", "plz"),
    "place": ("place", "place_name", "placename", "city", "town", "name"),
    "lat": ("latitude", "lat"),
    "lon": ("longitude", "lng", "lon", "long"),
}
_POSTAL_COLUMNS = {"country": 0, "code": 1, "place": 2, "lat": 9, "lon": 10}
_ACCURACY, _POSTAL_LEAST = 11, 11
_PLACE_COLUMNS = 19
_LONGEST_LINE = 100_000


class BadGazetteer(ValueError):
    """A file that can't be read; the message names the line."""


class BadPostcodes(BadGazetteer):
    """A postal file that can't be read."""


class PostalRow(NamedTuple):
    country: str
    code: str
    place: str
    lat: float
    lon: float
    radius_km: float


class PlaceFileRow(NamedTuple):
    """A populated place; `names` are all that it is called, its own first."""

    id: int
    name: str
    country: str
    admin1: str
    population: int
    lat: float
    lon: float
    timezone: str
    names: tuple[str, ...]


def kind_of_file(path: Path) -> str:
    """POSTCODES or PLACES. Raises BadGazetteer for neither."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        first = next((text for _, text in _lines(lines)), "")
    cells = first.split("\t")
    if len(cells) == _PLACE_COLUMNS and cells[0].isascii() and cells[0].isdigit():
        return PLACES
    if _named_columns(first) is not None or len(cells) >= _POSTAL_LEAST:
        return POSTCODES
    raise BadGazetteer(
        "line 1: neither a postal file nor a place file of GeoNames,"
        " nor a table with columns country_code, zipcode, place, latitude, longitude"
    )


def postal_rows(path: Path) -> Iterator[PostalRow]:
    """Country, postcode, place, three levels of region with their codes, latitude, longitude,
    accuracy (1 to 6 or nothing); or the columns that a heading names. Raises BadPostcodes."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        heading = lines.readline(_LONGEST_LINE)
        named = _named_columns(heading)
        if named is None:
            lines.seek(0)
            for number, line in _lines(lines, BadPostcodes):
                cells = line.split("\t")
                if len(cells) < _POSTAL_LEAST or len(cells[0]) != 2:
                    raise BadPostcodes(f"line {number}: not a row of a GeoNames postal file")
                told = cells[_ACCURACY] if len(cells) > _ACCURACY else ""
                picked = [cells[column] for column in _POSTAL_COLUMNS.values()]
                yield _postal_row(picked, told, number)
            return
        delimiter, columns, accuracy = named
        reader = csv.reader(lines, delimiter=delimiter)
        last = max(columns)
        try:
            for cells in reader:
                number = reader.line_num + 1
                if not any(cells):
                    continue
                if len(cells) <= last or len(cells[columns[0]].strip()) != 2:
                    raise BadPostcodes(
                        f"line {number}: fewer columns than the heading, or no country"
                    )
                told = cells[accuracy] if 0 <= accuracy < len(cells) else ""
                yield _postal_row([cells[column] for column in columns], told, number)
        except (csv.Error, UnicodeDecodeError) as problem:
            raise BadPostcodes(f"line {reader.line_num + 1}: {problem}") from problem


def place_rows(path: Path) -> Iterator[PlaceFileRow]:
    """The populated places of a file such as cities500.txt, or a country's dump. Raises
    BadGazetteer."""
    zones = available_timezones()
    with path.open(encoding="utf-8-sig", newline="") as lines:
        for number, line in _lines(lines):
            cells = line.split("\t")
            if len(cells) != _PLACE_COLUMNS:
                raise BadGazetteer(f"line {number}: not a row of a GeoNames place file")
            if cells[6] != PLACE_CLASS or cells[7] in NO_PLACES:
                continue
            try:
                id, population = int(cells[0]), int(cells[14] or 0)
                lat, lon = float(cells[4]), float(cells[5])
            except ValueError as problem:
                raise BadGazetteer(f"line {number}: {problem}") from problem
            if not is_place(lat, lon) or len(cells[8]) != 2 or cells[17] not in zones:
                raise BadGazetteer(f"line {number}: no coordinates, country or time zone")
            others = (name.strip() for name in cells[3].split(","))
            names = tuple(dict.fromkeys(n for n in (cells[1], cells[2], *others) if n))
            yield PlaceFileRow(
                id, cells[1], cells[8].upper(), cells[10], population, lat, lon, cells[17], names
            )


def _lines(lines: TextIO, problem: type[BadGazetteer] = BadGazetteer) -> Iterator[tuple[int, str]]:
    """The lines that hold something, with their numbers."""
    number = 0
    try:
        while line := lines.readline(_LONGEST_LINE):
            number += 1
            if len(line) >= _LONGEST_LINE:
                raise problem(f"line {number}: too long")
            if plain := line.rstrip("\r\n"):
                if "\0" in plain:
                    raise problem(f"line {number}: not text")
                yield number, plain
    except UnicodeDecodeError as wrong:
        raise problem(f"after line {number}: not UTF-8 text") from wrong


def _named_columns(heading: str) -> tuple[str, list[int], int] | None:
    """The delimiter, where each column of `_HEADINGS` stands, and the accuracy's (-1: nowhere);
    None where the line is no such heading."""
    for delimiter in (",", ";", "\t"):
        names = [
            name.strip().casefold().replace(" ", "_")
            for name in next(csv.reader([heading.rstrip("\r\n")], delimiter=delimiter), [])
        ]
        found = [
            next((names.index(name) for name in wanted if name in names), -1)
            for wanted in _HEADINGS.values()
        ]
        if -1 not in found:
            return delimiter, found, names.index("accuracy") if "accuracy" in names else -1
    return None


def _postal_row(cells: Sequence[str], accuracy: str, number: int) -> PostalRow:
    country, code, place, latitude, longitude = (cell.strip() for cell in cells)
    try:
        lat, lon = float(latitude), float(longitude)
    except ValueError as problem:
        raise BadPostcodes(f"line {number}: no coordinates") from problem
    key = postcode_key(code)
    if not is_place(lat, lon) or not key:
        raise BadPostcodes(f"line {number}: no such place or postcode")
    radius = RADIUS_KM_BY_ACCURACY.get(accuracy.strip(), POSTCODE_RADIUS_KM)
    return PostalRow(country.upper(), key, place, lat, lon, radius)
