"""Which of the places that share a name is meant, and how precisely a name tells where a lead is.

Pure: `locate` gathers the rows and asks here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lmt.routing.geo import geodesic_km
from lmt.routing.names import place_key

PEOPLE_PER_KM2 = 3_000
NEAREST_KM, FARTHEST_KM = 2.0, 25.0
NEIGHBOURS_KM = 30.0
DOMINATES = 10
UNKNOWN_PEOPLE, UNKNOWN_KM = 1_000, 5.0
SHOWN_GUESSES = 5
KNOWN_CITY_PEOPLE = 50_000
VILLAGE_PEOPLE, METROPOLIS_PEOPLE = 5_000, 1_000_000

_SEPARATORS = re.compile(r"\s*[,،;/|()\n]\s*|\s+[-–—]\s+")
_FROM_DIGIT = re.compile(r"\s*\S*\d.*$")
_CEDEX = re.compile(r"\s+cedex\b.*$", re.IGNORECASE)
_UNTIL_DIGIT = re.compile(r"^\s*\S*\d+\S*(?:\s+[A-Z]{2})?\s+")


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A populated place of the gazetteer."""

    id: int
    name: str
    country: str
    admin1: str
    population: int
    lat: float
    lon: float
    timezone: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """The place meant; `spread_km` is how far its nearby namesakes lie, 0 without any."""

    place: PlaceRow
    spread_km: float = 0.0


def choose_place(
    rows: Sequence[PlaceRow], regions: Collection[tuple[str, str]] = (), key: str = ""
) -> Chosen | None:
    """The one place meant among namesakes, or None when that can't be told.

    Those in `regions` (country, admin1) are preferred where there are any; where there is none,
    only a well-known city stands against its region. Then the largest counts when every other
    lies within 30 km of it, has at most a tenth of its people, or is only sometimes called so
    while `key` is the largest one's own name.
    """
    inside = [row for row in rows if (row.country, row.admin1) in regions]
    ordered = _by_size(inside or rows)
    if not ordered:
        return None
    largest = ordered[0]
    if regions and not inside and largest.population < KNOWN_CITY_PEOPLE:
        return None
    spread = 0.0
    is_named_so = bool(key) and place_key(largest.name) == key
    for other in ordered[1:]:
        distance = geodesic_km(largest.lat, largest.lon, other.lat, other.lon)
        if distance <= NEIGHBOURS_KM:
            # A district, or the same town twice in the list: too small to move the middle.
            if not _dominates(largest, other):
                spread = max(spread, distance)
        elif not _dominates(largest, other) and not (is_named_so and place_key(other.name) != key):
            return None
    return Chosen(largest, round(spread, 1))


def is_rather_a_district(place: PlaceRow, cities: Sequence[PlaceRow]) -> bool:
    """Was a district of a metropolis meant, rather than a far village in the region of its name?

    Kadıköy, İstanbul: half a million live in the district, which lists of places leave out.
    `cities` are those that were named beside the place.
    """
    return place.population < VILLAGE_PEOPLE and any(
        city.population >= METROPOLIS_PEOPLE
        and geodesic_km(place.lat, place.lon, city.lat, city.lon) > NEIGHBOURS_KM
        for city in cities
    )


def guesses(rows: Sequence[PlaceRow]) -> list[PlaceRow]:
    """The likeliest few of namesakes, the largest first."""
    return _by_size(rows)[:SHOWN_GUESSES]


def city_radius_km(population: int) -> float:
    """How far from its middle a place of that many people reaches.

    The radius of a disc that holds them at 3,000 a km², between 2 and 25 km; 5 km where their
    number is not known (0).
    """
    if population <= 0:
        return UNKNOWN_KM
    radius = math.sqrt(population / PEOPLE_PER_KM2 / math.pi)
    return round(min(max(radius, NEAREST_KM), FARTHEST_KM), 1)


def readings(city: str) -> list[tuple[str, list[str]]]:
    """What to look for in a city as people write it, best first, each with the rest as a hint.

    `Kraków, Nowa Huta` is tried whole, then `Kraków`, then `Nowa Huta`; `Paris 15e` and
    `1011 AB Amsterdam` without what holds a digit; `Berlin-Mitte` by its first part last.
    """
    parts = [part for part in _SEPARATORS.split(city) if part.strip()]
    found = [(city.strip(), parts[1:])]
    if len(parts) > 1:
        found += [(part, [other for other in parts if other != part]) for part in parts]
    for part in parts[:2]:
        found += [
            (_CEDEX.sub("", part), []),
            (_FROM_DIGIT.sub("", part), []),
            (_UNTIL_DIGIT.sub("", part), []),
        ]
    first = re.split(r"[-–]", parts[0])[0] if parts else ""
    found.append((first, []))
    seen: set[str] = set()
    distinct = []
    for text, hints in found:
        if len(text.strip()) > 1 and text not in seen:
            seen.add(text)
            distinct.append((text.strip(), hints))
    return distinct


def _by_size(rows: Sequence[PlaceRow]) -> list[PlaceRow]:
    return sorted(rows, key=lambda row: (-row.population, row.id))


def _dominates(largest: PlaceRow, other: PlaceRow) -> bool:
    return largest.population >= DOMINATES * (other.population or UNKNOWN_PEOPLE)
