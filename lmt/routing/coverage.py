"""Where and when a market's leads would find nobody: over a week's hours, and while dealers close.

Distances are as the crow flies, to about a kilometre: enough to look for holes in a network.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from lmt.routing.candidate import Candidate
from lmt.routing.geo import ecef_km
from lmt.workhours import Calendar, is_open, local_date, open_stretches

WEEK_HOURS = 168
_EARTH_KM = 6371.0088


@dataclass(frozen=True, slots=True)
class Spot:
    """A populated place."""

    name: str
    country: str
    lat: float
    lon: float
    population: int
    timezone: str = ""


@dataclass(frozen=True, slots=True)
class Hole:
    """Places of a country where nobody is open from `starts_at` until `ends_at`, to the hour.

    `worst` is the most populous of the `places`, `timezone` its own.
    """

    country: str
    starts_at: datetime
    ends_at: datetime
    places: int
    people: int
    worst: str
    timezone: str

    @property
    def hours(self) -> int:
        return (self.ends_at - self.starts_at) // timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Remote:
    """Places of a country without any dealer in reach; `nearest_km` is from the worst of them."""

    country: str
    places: int
    people: int
    worst: str
    nearest_km: float


@dataclass(frozen=True, slots=True)
class Stranded:
    """Days on which closures leave some places without any dealer for a competence."""

    brand: str
    service: str
    country: str
    first: date
    last: date
    places: int
    worst: str
    dealers: tuple[str, ...]


def distances_km(spots: Sequence[Spot], candidates: Sequence[Candidate]) -> NDArray[np.float64]:
    """Spots × candidates."""
    if not spots or not candidates:
        return np.empty((len(spots), len(candidates)))
    places = np.array([ecef_km(each.lat, each.lon) for each in spots])
    dealers = np.array([ecef_km(each.lat, each.lon) for each in candidates])
    chords = np.sqrt(((places[:, None, :] - dealers[None, :, :]) ** 2).sum(axis=2))
    ground: NDArray[np.float64] = 2 * _EARTH_KM * np.arcsin(np.minimum(1.0, chords / 2 / _EARTH_KM))
    return ground


def holes(
    candidates: Sequence[Candidate], spots: Sequence[Spot], at: datetime, within_km: float
) -> list[Hole]:
    """Of each place the longest stretch of the coming week without an open dealer within a
    distance, where there is a dealer at all; stretches in common are counted together, the worst
    by hours and people first.
    """
    near = distances_km(spots, candidates) <= within_km
    start = at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    # Looked at on the half hour: most open and close on the full one.
    looks = [start + timedelta(hours=n, minutes=30) for n in range(WEEK_HOURS)]
    kept: dict[object, NDArray[np.bool_]] = {}
    hours = np.zeros((len(candidates), WEEK_HOURS), dtype=bool)
    for number, candidate in enumerate(candidates):
        if candidate.calendar not in kept:
            kept[candidate.calendar] = np.array([is_open(candidate.calendar, t) for t in looks])
        hours[number] = kept[candidate.calendar]
    found: defaultdict[tuple[str, int, int], list[Spot]] = defaultdict(list)
    for number, spot in enumerate(spots):
        reached = near[number]
        if reached.any():
            first, length = _longest_gap(hours[reached].any(axis=0))
            if length:
                found[spot.country, first, length].append(spot)
    listed = [
        Hole(
            country,
            start + timedelta(hours=first),
            start + timedelta(hours=first + length),
            len(places),
            sum(each.population for each in places),
            _largest(places).name,
            _largest(places).timezone,
        )
        for (country, first, length), places in found.items()
    ]
    return sorted(listed, key=lambda hole: (-hole.hours, -hole.people, hole.worst))


def remote(
    candidates: Sequence[Candidate], spots: Sequence[Spot], within_km: float
) -> list[Remote]:
    """By country, the places without a dealer within a distance."""
    ground = distances_km(spots, candidates)
    far: defaultdict[str, list[tuple[Spot, float]]] = defaultdict(list)
    for number, spot in enumerate(spots):
        nearest = float(ground[number].min()) if candidates else float("inf")
        if nearest > within_km:
            far[spot.country].append((spot, nearest))
    found = []
    for country, places in sorted(far.items()):
        worst, nearest = max(places, key=lambda pair: (pair[0].population, pair[0].name))
        people = sum(spot.population for spot, _ in places)
        found.append(Remote(country, len(places), people, worst.name, nearest))
    return found


def stranded(
    candidates: Sequence[Candidate],
    spots: Sequence[Spot],
    at: datetime,
    within_km: float,
    days: int,
) -> list[Stranded]:
    """Days from `at` on, on which every dealer with a competence within a distance of a place is
    closed, and one of them only by a closure. One entry for each run of days.
    """
    first_day = at.date()
    by_closure: dict[int, frozenset[int]] = {}
    open_days: dict[int, frozenset[int]] = {}
    kept: dict[Calendar, frozenset[int]] = {}
    for number, each in enumerate(candidates):
        worked = _open_days(each.calendar, at, days, kept)
        open_days[number] = worked
        if any(until >= first_day for _, until in each.calendar.closures):
            free = replace(each.calendar, closures=())
            by_closure[number] = _open_days(free, at, days, kept) - worked
    closing = {number for number, lost in by_closure.items() if lost}
    if not closing:
        return []
    near = distances_km(spots, candidates) <= within_km
    competences = {held for number in closing for held in candidates[number].competences}
    found: list[Stranded] = []
    for brand, service in sorted(competences):
        able = [n for n, each in enumerate(candidates) if (brand, service) in each.competences]
        hit: defaultdict[tuple[str, int], list[tuple[Spot, frozenset[str]]]] = defaultdict(list)
        for position, spot in enumerate(spots):
            reached = [n for n in able if near[position, n]]
            lost = frozenset().union(*(by_closure.get(n, frozenset()) for n in reached))
            for day in lost - frozenset().union(*(open_days[n] for n in reached)):
                closed = {candidates[n].code for n in reached if day in by_closure.get(n, ())}
                hit[spot.country, day].append((spot, frozenset(closed)))
        found += _runs(brand, service, first_day, hit)
    return found


def _runs(
    brand: str,
    service: str,
    first_day: date,
    hit: dict[tuple[str, int], list[tuple[Spot, frozenset[str]]]],
) -> list[Stranded]:
    """Days with the same dealers closed are one; a weekend between them doesn't part them."""
    found: list[Stranded] = []
    for (country, day), places in sorted(hit.items()):
        dealers = tuple(sorted(frozenset().union(*(codes for _, codes in places))))
        when = first_day + timedelta(days=day)
        entry = Stranded(
            brand,
            service,
            country,
            when,
            when,
            len(places),
            _largest([spot for spot, _ in places]).name,
            dealers,
        )
        last = found[-1] if found else None
        if (
            last
            and (last.country, last.dealers) == (country, dealers)
            and when - last.last <= timedelta(days=4)
        ):
            found[-1] = replace(last, last=when, places=max(last.places, entry.places))
        else:
            found.append(entry)
    return found


def _open_days(
    calendar: Calendar, at: datetime, days: int, kept: dict[Calendar, frozenset[int]]
) -> frozenset[int]:
    """Days after `at`'s date, in the dealer's own dates, on which it opens at all; `kept` are those
    of the calendars asked before, which many dealers share."""
    if calendar in kept:
        return kept[calendar]
    start = at.replace(hour=0, minute=0, second=0, microsecond=0)
    first = start.date()
    stretches = open_stretches(
        calendar, start - timedelta(days=1), start + timedelta(days=days + 1)
    )
    opened: set[int] = set()
    for opens, closes in stretches:
        since = (local_date(calendar, opens) - first).days
        until = (local_date(calendar, closes - timedelta(microseconds=1)) - first).days
        opened.update(range(max(since, 0), min(until, days - 1) + 1))
    kept[calendar] = frozenset(opened)
    return kept[calendar]


def _longest_gap(hours: NDArray[np.bool_]) -> tuple[int, int]:
    """First hour and length of the longest run of closed hours, the week going round."""
    if not hours.any():
        return 0, len(hours)
    best, since = (0, 0), None
    twice = np.concatenate([hours, hours])
    for hour, opened in enumerate(twice):
        if opened:
            if since is not None and hour - since > best[1]:
                best = (since % len(hours), hour - since)
            since = None
        elif since is None:
            since = hour
    return best


def _largest(places: Sequence[Spot]) -> Spot:
    return max(places, key=lambda spot: (spot.population, spot.name))
