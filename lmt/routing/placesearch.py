"""Places to pick from: what a postcode, a name in any script or a guess may mean, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from lmt.models import Place, PlaceName, Postcode
from lmt.routing.gazetteer import KNOWN_CITY_PEOPLE, PlaceRow, city_radius_km, readings
from lmt.routing.locate import Located, located_at
from lmt.routing.names import index_keys, place_key, postcode_keys
from lmt.routing.regions import REGIONS, region_code

MOST_FOUND = 10
MOST_READ = 100
LONGEST_ASKED = 100
SHORTEST_BEGINNING = 3
NEAR_DEGREES = 1.0
LARGEST_ID = 2**31 - 1

_PLACE, _POSTCODE = "place", "postcode"
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
class Option:
    """A place to pick by its `key`. `region` is "" where its name is not known here; `near` names
    a city close by, where nothing else tells namesakes apart; `population` 0 is unknown."""

    key: str
    name: str
    region: str
    country: str
    population: int
    near: str = ""


def options_for(session: Session, asked: str, countries: Sequence[str]) -> tuple[Option, ...]:
    """The places that a postcode, or a name in any script, may mean, at most ten.

    The largest come first, after those of a region named beside: `Springfield, IL`. Where nothing
    is called so, what begins so counts.
    """
    words = asked.strip()[:LONGEST_ASKED]
    if not words:
        return ()
    found = [*_postcodes(session, words, countries)]
    found += as_options(session, _named(session, words, countries)[:MOST_FOUND])
    return tuple(found[:MOST_FOUND])


def picked_spot(session: Session, key: str, countries: Sequence[str]) -> tuple[Located, str] | None:
    """Where the option of that key is, and its postcode or ""; None for no place of `countries`."""
    spot, postcode = None, ""
    kind, _, rest = key.partition("-")
    if kind == _PLACE and rest.isascii() and rest.isdecimal() and len(rest) <= len(str(LARGEST_ID)):
        place = session.get(Place, int(rest)) if int(rest) <= LARGEST_ID else None
        if place is not None and place.country in countries:
            exact = city_radius_km(place.population)
            spot = located_at(session, place.lat, place.lon, exact, "chosen", place.country)
    elif kind == _POSTCODE:
        country, _, postcode = rest.partition("-")
        row = session.get(Postcode, (country, postcode)) if country in countries else None
        if row is not None:
            spot = located_at(session, row.lat, row.lon, row.radius_km, "chosen", country)
    return None if spot is None else (spot, postcode)


def as_options(session: Session, rows: Sequence[PlaceRow]) -> tuple[Option, ...]:
    """Rows as a person tells them apart, in their order."""
    words = [(row.name, row.country, _region(row)) for row in rows]
    alike = Counter(words)
    return tuple(
        Option(
            key=f"{_PLACE}-{row.id}",
            name=name,
            region=region,
            country=country,
            population=row.population,
            near="" if region and alike[name, country, region] == 1 else _city_near(session, row),
        )
        for row, (name, country, region) in zip(rows, words, strict=True)
    )


def guessed_place(session: Session, guess: Mapping[str, Any]) -> PlaceRow | None:
    """The place that a guess of an event speaks of, as long as the gazetteer has it."""
    told = [Place.name, Place.country, Place.lat, Place.lon]
    query = select(*_COLUMNS).where(and_(*(column == guess.get(column.key) for column in told)))
    row = session.execute(query.order_by(Place.id).limit(1)).first()
    return None if row is None else PlaceRow(*row)


def places_called(session: Session, name: str, countries: Sequence[str]) -> list[PlaceRow]:
    """The places of exactly that name in some script, the largest first."""
    keys = {place_key(name), *index_keys(name)} - {""}
    return _rows(session, PlaceName.key.in_(keys), countries) if keys else []


def _postcodes(session: Session, words: str, countries: Sequence[str]) -> Iterator[Option]:
    """What `words`, or its parts with digits alone (60311 Frankfurt), are a postcode of."""
    numbers = " ".join(word for word in words.split() if any(sign.isdecimal() for sign in word))
    for country in countries if numbers else ():
        keys = [key for text in (words, numbers) for key in postcode_keys(country, text)]
        rows = (session.get(Postcode, (country, key)) for key in dict.fromkeys(keys))
        row = next((row for row in rows if row is not None), None)
        if row is not None:
            name = " ".join(part for part in (row.code, row.place) if part)
            yield Option(f"{_POSTCODE}-{country}-{row.code}", name, "", country, 0)


def _named(session: Session, words: str, countries: Sequence[str]) -> list[PlaceRow]:
    for reading, hints in readings(words):
        if rows := places_called(session, reading, countries):
            return sorted(rows, key=lambda row: not _is_in(row, hints))
    key = place_key(words)
    if len(key) < SHORTEST_BEGINNING:
        return []
    return _rows(session, PlaceName.key.startswith(key, autoescape=True), countries)


def _is_in(row: PlaceRow, hints: Collection[str]) -> bool:
    return any(
        row.admin1 in {hint.strip().upper(), region_code(row.country, hint)} for hint in hints
    )


def _rows(
    session: Session, called: ColumnElement[bool], countries: Sequence[str]
) -> list[PlaceRow]:
    ids = select(PlaceName.place_id).where(called, PlaceName.country.in_(countries))
    query = select(*_COLUMNS).where(Place.id.in_(ids)).order_by(Place.population.desc(), Place.id)
    return [PlaceRow(*row) for row in session.execute(query.limit(MOST_READ))]


def _region(row: PlaceRow) -> str:
    return REGIONS.get(row.country, {}).get(row.admin1, "").split("|")[0]


def _city_near(session: Session, row: PlaceRow) -> str:
    query = (
        select(Place.name)
        .where(
            Place.lat.between(row.lat - NEAR_DEGREES, row.lat + NEAR_DEGREES),
            Place.lon.between(row.lon - NEAR_DEGREES, row.lon + NEAR_DEGREES),
            Place.population >= KNOWN_CITY_PEOPLE,
            Place.name != row.name,
        )
        .order_by(func.power(Place.lat - row.lat, 2) + func.power(Place.lon - row.lon, 2))
    )
    return session.scalars(query.limit(1)).first() or ""
