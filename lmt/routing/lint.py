"""Looks over a market's dealers before leads meet what is wrong with them: hours nobody can read,
closures and territories that leave leads to nobody or to two, calendars that were forgotten.

A finding has a code, how bad it is, whom it concerns and its figures; words for it are made where
it is shown.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from math import cos, radians
from typing import Any

from shapely import STRtree

from lmt.calendarpacks import ramadans
from lmt.hoursmending import mended
from lmt.openinghours import hours_problem
from lmt.routing.candidate import Candidate
from lmt.routing.coverage import Hole, Remote, Spot, holes, remote, stranded
from lmt.routing.geo import is_place
from lmt.routing.territory import TEAM, plain_postcode
from lmt.workhours import local_date, next_opening

ERROR, WARNING, NOTE = "error", "warning", "note"
SEVERITIES = (ERROR, WARNING, NOTE)

REACH_KM = 100.0
SOON_DAYS = 14
CLOSURE_DAYS, LONG_CLOSURE_DAYS = 56, 7
RAMADAN_DAYS = 330
"""Dates of a Ramadan are worth entering when the one before is over."""
LONG_HOURS, VERY_LONG_HOURS = 24, 48
MOST_HOLES, MOST_REMOTE = 3, 1
"""Told of a country; the others differ from them by a service or a place."""
_BORDER_KM = 50.0
_DEGREE_KM = 111.32


@dataclass(frozen=True, slots=True)
class Finding:
    """`figures` are plain values by name: texts, numbers, dates, instants."""

    code: str
    severity: str
    dealers: tuple[str, ...] = ()
    country: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SpecialEntry:
    """Special days in force: of a dealer by its code, or ("") of a whole country."""

    dealer: str
    country: str
    first: date
    last: date
    hours: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who takes a dealer's leads, with the stretches in which nobody stands in."""

    dealer: str
    name: str
    away: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class Matter:
    """All that is looked at. `spots` are the places to be served; `countries` the market's;
    `near` tells of a dealer's id the country of the place nearest to it, its name, and the km to
    that and to the nearest place of the dealer's own country.
    """

    candidates: Sequence[Candidate]
    countries: Sequence[str]
    spots: Sequence[Spot] = ()
    special: Sequence[SpecialEntry] = ()
    people: Sequence[Person] = ()
    near: Mapping[int, tuple[str, str, float, float]] = field(default_factory=dict)


def findings(matter: Matter, at: datetime, *, reach_km: float = REACH_KM) -> list[Finding]:
    """Everything found at `at`, the worst first."""
    served = [each for each in matter.candidates if each.active]
    placed = [each for each in served if each.kind != TEAM and is_place(each.lat, each.lon)]
    able = [each for each in placed if not each.paused and each.reachable]
    found = [
        *(finding for each in served for finding in _of_dealer(each, matter, at)),
        *_special(matter, at),
        *_territories(served),
        *_absences(matter.people, at),
        *_ramadan(matter, at),
        *_stranded(able, matter.spots, at, reach_km),
        *_coverage(able, matter.spots, at, reach_km),
    ]
    return sorted(found, key=lambda f: (SEVERITIES.index(f.severity), f.code, f.dealers))


def _of_dealer(candidate: Candidate, matter: Matter, at: datetime) -> Iterator[Finding]:
    def one(code: str, severity: str, **figures: Any) -> Finding:
        return Finding(code, severity, (candidate.code,), candidate.country, figures)

    calendar = candidate.calendar
    problem = _problem_of(calendar.hours)
    if problem:
        suggested = mended(calendar.hours) or ""
        yield one("hours_unreadable", ERROR, hours=calendar.hours, problem=problem,
                  suggested=suggested)  # fmt: skip
    else:
        opens_at = next_opening(calendar, at)
        if opens_at is None:
            yield one("never_open", ERROR, hours=calendar.hours)
        elif opens_at > at + timedelta(days=SOON_DAYS):
            yield one("long_closed", WARNING, opens_on=local_date(calendar, opens_at))
    if not candidate.reachable:
        yield one("unreachable", ERROR)
    if not is_place(candidate.lat, candidate.lon):
        yield one("no_place", ERROR)
    elif candidate.id in matter.near and candidate.country:
        country, place, km, own_km = matter.near[candidate.id]
        # At a border the nearest town may well be the neighbours'.
        if country != candidate.country and own_km > _BORDER_KM:
            yield one("outside_country", WARNING, place=place, found=country, km=km)


@lru_cache(maxsize=4096)
def _problem_of(hours: str) -> str | None:
    # Dealers of a market share a few dozen of them, and reading one takes half a millisecond.
    return hours_problem(hours)


def _special(matter: Matter, at: datetime) -> Iterator[Finding]:
    for entry in matter.special:
        dealers = (entry.dealer,) if entry.dealer else ()
        figures = {"first": entry.first, "last": entry.last, "hours": entry.hours,
                   "name": entry.name}  # fmt: skip
        if entry.last < at.date() - timedelta(days=1):
            yield Finding("special_past", NOTE, dealers, entry.country, figures)
        elif problem := hours_problem(entry.hours):
            figures |= {"problem": problem, "suggested": mended(entry.hours) or ""}
            yield Finding("special_unreadable", ERROR, dealers, entry.country, figures)


def _ramadan(matter: Matter, at: datetime) -> Iterator[Finding]:
    today = at.date()
    for country in matter.countries:
        entries = [e for e in matter.special if not e.dealer and e.country == country]
        for year in (today.year, today.year + 1):
            for month in ramadans(country, year):
                if month.last < today or (month.first - today).days > RAMADAN_DAYS:
                    continue
                days = (month.last - month.first).days + 1
                covered = max(
                    (_common_days(e, month.first, month.last) for e in entries), default=0
                )
                if covered * 2 < days:
                    figures = {"first": month.first, "last": month.last,
                               "estimated": month.estimated}  # fmt: skip
                    yield Finding("ramadan_missing", WARNING, (), country, figures)


def _common_days(entry: SpecialEntry, first: date, last: date) -> int:
    return (min(entry.last, last) - max(entry.first, first)).days + 1


def _territories(candidates: Sequence[Candidate]) -> Iterator[Finding]:
    holders: defaultdict[tuple[str, str], list[Candidate]] = defaultdict(list)
    for each in candidates:
        for prefix in {plain_postcode(text) for text in each.exclusive_postcodes} - {""}:
            holders[each.country, prefix].append(each)
    shared: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    by_code = {each.code: each for each in candidates}
    for (_, prefix), claimants in sorted(holders.items()):
        for one, other in _rivals(claimants):
            shared[one.code, other.code].append(prefix)
    for pair, prefixes in shared.items():
        figures = {"prefixes": ", ".join(prefixes[:10]), "count": len(prefixes)}
        yield Finding("postcodes_overlap", ERROR, pair, by_code[pair[0]].country, figures)
    owners = [each for each in candidates if each.exclusive_area is not None]
    if not owners:
        return
    tree = STRtree([each.exclusive_area for each in owners])
    for number, each in enumerate(owners):
        area = each.exclusive_area
        for position in sorted(tree.query(area, predicate="intersects").tolist()):
            other = owners[position]
            if position <= number or not (each.competences & other.competences):
                continue
            common = area.intersection(other.exclusive_area)  # type: ignore[union-attr]
            km2 = common.area * _DEGREE_KM**2 * cos(radians(common.centroid.y or 0.0))
            if km2 >= 0.1:
                figures = {"km2": round(km2, 1), "lat": common.centroid.y, "lon": common.centroid.x}
                yield Finding(
                    "areas_overlap", ERROR, (each.code, other.code), each.country, figures
                )


def _rivals(claimants: Sequence[Candidate]) -> Iterator[tuple[Candidate, Candidate]]:
    """Pairs with a competence in common."""
    ordered = sorted(claimants, key=lambda each: each.code)
    for number, one in enumerate(ordered):
        for other in ordered[number + 1 :]:
            if one.competences & other.competences:
                yield one, other


def _absences(people: Sequence[Person], at: datetime) -> Iterator[Finding]:
    """Dealers whose people are all away at once, now or soon, and none has a deputy."""
    teams: defaultdict[str, list[Person]] = defaultdict(list)
    for person in people:
        teams[person.dealer].append(person)
    until = at + timedelta(days=SOON_DAYS)
    for dealer, team in sorted(teams.items()):
        begins = [max(at, start) for each in team for start, end in each.away if end > at]
        for moment in sorted(each for each in begins if each <= until):
            ends = [_away_until(each, moment) for each in team]
            if all(ends):
                figures = {"name": ", ".join(each.name for each in team), "count": len(team),
                           "starts_at": moment,
                           "ends_at": min(end for end in ends if end)}  # fmt: skip
                yield Finding("nobody_there", WARNING, (dealer,), "", figures)
                break


def _away_until(person: Person, moment: datetime) -> datetime | None:
    return max((end for start, end in person.away if start <= moment < end), default=None)


def _stranded(
    candidates: Sequence[Candidate], spots: Sequence[Spot], at: datetime, reach_km: float
) -> Iterator[Finding]:
    for each in stranded(candidates, spots, at, reach_km, CLOSURE_DAYS):
        figures = {"brand": each.brand, "service": each.service, "first": each.first,
                   "last": each.last, "places": each.places, "worst": each.worst,
                   "km": reach_km}  # fmt: skip
        severity = ERROR if (each.last - each.first).days >= LONG_CLOSURE_DAYS else WARNING
        yield Finding("closure_strands", severity, each.dealers, each.country, figures)


def _coverage(
    candidates: Sequence[Candidate], spots: Sequence[Spot], at: datetime, reach_km: float
) -> Iterator[Finding]:
    """Services that leave the same places, or the same hours, uncovered are told together."""
    far: defaultdict[Remote, list[str]] = defaultdict(list)
    closed: defaultdict[tuple[str, datetime, datetime], list[tuple[str, Hole]]] = defaultdict(list)
    for service in sorted({service for each in candidates for _, service in each.competences}):
        able = [c for c in candidates if any(held == service for _, held in c.competences)]
        for one in remote(able, spots, reach_km):
            far[one].append(service)
        for hole in holes(able, spots, at, reach_km):
            if hole.hours >= LONG_HOURS:
                closed[hole.country, hole.starts_at, hole.ends_at].append((service, hole))
    told: Counter[str] = Counter()
    for place, services in sorted(far.items(), key=lambda pair: -pair[0].people):
        told[place.country] += 1
        if told[place.country] > MOST_REMOTE:
            continue
        figures: dict[str, Any] = {"services": tuple(services), "places": place.places,
                                   "people": place.people, "worst": place.worst, "km": reach_km,
                                   "nearest_km": place.nearest_km}  # fmt: skip
        yield Finding("nobody_near", NOTE, (), place.country, figures)
    told.clear()
    widest = sorted(
        (
            (max((hole for _, hole in held), key=lambda h: h.people), held)
            for held in closed.values()
        ),
        key=lambda pair: (-pair[0].hours, -pair[0].people),
    )
    for hole, held in widest:
        told[hole.country] += 1
        if told[hole.country] > MOST_HOLES:
            continue
        severity = WARNING if hole.hours > VERY_LONG_HOURS else NOTE
        figures = {"services": tuple(service for service, _ in held), "hours": hole.hours,
                   "starts_at": hole.starts_at, "ends_at": hole.ends_at, "places": hole.places,
                   "people": hole.people, "worst": hole.worst, "km": reach_km,
                   "timezone": hole.timezone}  # fmt: skip
        yield Finding("nobody_open", severity, (), hole.country, figures)
