"""Where is the lead? The first question of routing, answered from rows alone.

Coordinates given, else what a geocoder said of the address, else the postcode, the city in any
script, the region; each with an accuracy. What stays unclear is said so, with guesses: never
silently the wrong place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session

from lmt.models import Postcode
from lmt.routing.gazetteer import (
    KNOWN_CITY_PEOPLE,
    Chosen,
    PlaceRow,
    city_radius_km,
    guesses,
)
from lmt.routing.geo import geodesic_km, is_place
from lmt.routing.geocoding import Address, Frame, known_answer
from lmt.routing.places import city_meant, nearest_place, postcode_area, region_area

GIVEN_ACCURACY_KM = 0.1
BORDER_KM = 30.0
VAGUE_KM = 25.0
"""What is vaguer than that gives way to a later link of the chain."""
CONFLICT_KM = 75.0


@dataclass(frozen=True, slots=True)
class Located:
    """A place: WGS-84 degrees, within `accuracy_km` of the truth.

    `method` is given, geocoder, postcode, city or region. `place` names the place found, or the
    nearest one. `timezone` is empty where the gazetteer knows nothing near by.
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
    """A place that could have been meant; `admin1` is the GeoNames code of its region."""

    name: str
    country: str
    admin1: str
    lat: float
    lon: float
    population: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Unlocated:
    """No place closely enough, with what could have been meant, the likeliest first.

    `problem` is a code: nothing_given, unknown, ambiguous, or conflict (postcode and city lie
    far apart).
    """

    problem: str
    guesses: tuple[Guess, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What the gazetteer alone makes of an address."""

    postcode: Postcode | None
    city: Chosen | None
    namesakes: tuple[PlaceRow, ...] = ()

    @property
    def conflict(self) -> bool:
        """A well-known city far from the postcode: one is a slip, and nobody knows which."""
        if self.postcode is None or self.city is None:
            return False
        place = self.city.place
        if place.population < KNOWN_CITY_PEOPLE:
            return False
        apart = geodesic_km(self.postcode.lat, self.postcode.lon, place.lat, place.lon)
        return apart > CONFLICT_KM + self.postcode.radius_km

    @property
    def frames(self) -> list[Frame]:
        """Where a geocoder's answer to this address must lie; empty where nobody can say."""
        if self.postcode is not None:
            row = self.postcode
            return [Frame(row.lat, row.lon, CONFLICT_KM + row.radius_km)]
        places = [self.city.place] if self.city is not None else self.namesakes
        return [
            Frame(each.lat, each.lon, CONFLICT_KM + city_radius_km(each.population))
            for each in places
        ]


def locate(
    session: Session,
    *,
    country: str = "",
    region: str = "",
    postcode: str = "",
    city: str = "",
    street: str = "",
    lat: float | None = None,
    lon: float | None = None,
    accuracy_km: float | None = None,
    countries: Sequence[str] = (),
    reading: Reading | None = None,
    is_geocoded: bool = True,
) -> Located | Unlocated:
    """Where a lead is, from what its sender gave and what geocoders have said of it.

    `country` (alpha-2) narrows the search; without it, `countries` (the market's) are searched.
    Coordinates, exact to `accuracy_km` where their sender says so, are trusted unless they lie
    far from every place of those countries, or in another country than the one given. The first
    link within 25 km counts, else the most exact.

    For whoever locates many at once: `reading` is what `read_address` makes of this address, if
    that is known; without `is_geocoded` no geocoder has said anything of it.
    """
    searched = searched_countries(country, countries)
    given = _given(session, lat, lon, accuracy_km, searched)
    if given is not None and given.accuracy_km <= VAGUE_KM:
        return given
    if reading is None:
        reading = read_address(session, postcode, city, region, searched)
    if reading.conflict and given is None:
        return Unlocated("conflict", _both(session, reading))
    address = Address(street, postcode, city, region, tuple(searched))
    links = (
        given,
        _by_geocoder(session, address, reading) if is_geocoded else None,
        _by_postcode(session, reading.postcode),
        _by_city(reading.city),
    )
    found = [link for link in links if link is not None]
    for link in found:
        if link.accuracy_km <= VAGUE_KM:
            return link
    if found:
        return min(found, key=lambda link: link.accuracy_km)
    if reading.namesakes:
        return Unlocated("ambiguous", _as_guesses(guesses(reading.namesakes)))
    area = region_area(session, region, searched)
    if area is not None:
        near = area.largest
        return Located(
            area.lat, area.lon, area.radius_km, "region", near.name, near.country, near.timezone
        )
    tried = postcode.strip() or city.strip() or region.strip() or lat is not None
    return Unlocated("unknown" if tried else "nothing_given")


def read_address(
    session: Session, postcode: str, city: str, region: str, countries: Sequence[str]
) -> Reading:
    """What the gazetteer makes of a postcode and a city, each for itself."""
    area = postcode_area(session, postcode, countries)
    if not city.strip():
        return Reading(area, None)
    chosen, rows = city_meant(session, city, region, countries)
    return Reading(area, chosen, () if chosen else tuple(rows))


def searched_countries(country: str, countries: Sequence[str]) -> list[str]:
    """The countries a lead may be in. One kept in a column of two letters may be two blanks."""
    known = country.strip().upper()
    return [known] if known else list(countries)


def located_at(
    session: Session, lat: float, lon: float, accuracy_km: float, method: str, country: str = ""
) -> Located | None:
    """A spot that somebody pointed at, such as a guess that was picked; None where nobody lives
    within 100 km of it."""
    nearest = nearest_place(session, lat, lon, [country] if country else ())
    if nearest is None:
        return None
    place, _ = nearest
    return Located(lat, lon, accuracy_km, method, place.name, place.country, place.timezone)


def given_accuracy_km(given: Mapping[str, Any]) -> float | None:
    """How exact the coordinates of a lead are, as its sender says in `attributes.accuracy_m`."""
    attributes = given.get("attributes")
    told = attributes.get("accuracy_m") if isinstance(attributes, Mapping) else None
    try:
        metres = float(told) if told is not None else math.nan
    except (TypeError, ValueError):
        return None
    return metres / 1000 if 0 < metres < math.inf else None


def _given(
    session: Session,
    lat: float | None,
    lon: float | None,
    accuracy_km: float | None,
    countries: Sequence[str],
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
    exact = max(accuracy_km or 0.0, GIVEN_ACCURACY_KM)
    return Located(lat, lon, exact, "given", place.name, place.country, place.timezone)


def _by_geocoder(session: Session, address: Address, reading: Reading) -> Located | None:
    """What a geocoder said, where the gazetteer doesn't speak against it."""
    row = known_answer(session, address)
    if row is None or row.lat is None or row.lon is None or row.accuracy_km is None:
        return None
    if address.countries and row.country not in address.countries:
        return None
    frames = reading.frames
    if frames and not any(frame.holds(row.lat, row.lon) for frame in frames):
        return None
    if reading.namesakes and row.accuracy_km > VAGUE_KM:
        return None
    near = nearest_place(session, row.lat, row.lon, [row.country])
    name = row.place or (near[0].name if near else "")
    zone = near[0].timezone if near else ""
    return Located(row.lat, row.lon, row.accuracy_km, "geocoder", name, row.country, zone)


def _by_postcode(session: Session, row: Postcode | None) -> Located | None:
    if row is None:
        return None
    near = nearest_place(session, row.lat, row.lon, [row.country])
    name = row.place or (near[0].name if near else "")
    zone = near[0].timezone if near else ""
    return Located(row.lat, row.lon, row.radius_km, "postcode", name, row.country, zone)


def _by_city(chosen: Chosen | None) -> Located | None:
    if chosen is None:
        return None
    place = chosen.place
    accuracy = city_radius_km(place.population) + chosen.spread_km
    return Located(
        place.lat, place.lon, accuracy, "city", place.name, place.country, place.timezone
    )


def _both(session: Session, reading: Reading) -> tuple[Guess, ...]:
    """The city, and the place where the postcode lies."""
    row, chosen = reading.postcode, reading.city
    near = nearest_place(session, row.lat, row.lon, [row.country]) if row else None
    places = [*([chosen.place] if chosen else []), *([near[0]] if near else [])]
    return _as_guesses(places)


def _as_guesses(rows: Sequence[PlaceRow]) -> tuple[Guess, ...]:
    return tuple(
        Guess(row.name, row.country, row.admin1, row.lat, row.lon, row.population) for row in rows
    )
