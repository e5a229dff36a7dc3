"""Gathers what there is to know of a market's dealers, people, calendars and places, and has it
looked over by `lmt.routing.lint`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.models import (
    Absence,
    Dealer,
    MarketCountry,
    Place,
    Role,
    SpecialHours,
    User,
    UserScope,
)
from lmt.routing.candidate import Candidate
from lmt.routing.coverage import Spot
from lmt.routing.directory import candidates_of
from lmt.routing.geo import about_km, ecef_km, is_place
from lmt.routing.index import ChordIndex
from lmt.routing.lint import REACH_KM, Finding, Matter, Person, SpecialEntry, findings

SPOTS_PER_COUNTRY = 100
_TOWN = 15_000
_MOST_TOWNS = 60_000


def lint_market(
    session: Session,
    market_id: int,
    at: datetime,
    *,
    candidates: Sequence[Candidate] | None = None,
    reach_km: float = REACH_KM,
) -> list[Finding]:
    """What is wrong with a market's dealers at `at`, the worst first. Eleven queries.

    `candidates` stand for the dealers as they would be after a change; a place should have an open
    one within `reach_km`.
    """
    countries = session.scalars(
        select(MarketCountry.country)
        .where(MarketCountry.market_id == market_id)
        .order_by(MarketCountry.country)
    ).all()
    if candidates is None:
        candidates = candidates_of(session, market_id, at)
    towns = _towns(session)
    matter = Matter(
        candidates=candidates,
        countries=countries,
        spots=_spots(towns, countries),
        special=special_entries(session, market_id, at),
        people=_people(session, market_id, at),
        near=_near(candidates, towns),
    )
    return findings(matter, at, reach_km=reach_km)


def special_entries(session: Session, market_id: int, at: datetime) -> list[SpecialEntry]:
    """A market's special days in force, past ones too, by date."""
    rows = session.execute(
        select(
            Dealer.code,
            SpecialHours.country,
            SpecialHours.starts_on,
            SpecialHours.ends_on,
            SpecialHours.hours,
            SpecialHours.name,
        )
        .outerjoin(Dealer, Dealer.id == SpecialHours.dealer_id)
        .where(SpecialHours.market_id == market_id, SpecialHours.holds_at(at))
        .order_by(SpecialHours.starts_on, SpecialHours.id)
    )
    return [
        SpecialEntry(code or "", country, first, last, hours, name)
        for code, country, first, last, hours, name in rows
    ]


def _towns(session: Session) -> list[Spot]:
    rows = session.execute(
        select(Place.name, Place.country, Place.lat, Place.lon, Place.population, Place.timezone)
        .where(Place.population >= _TOWN)
        .order_by(Place.population.desc(), Place.id)
        .limit(_MOST_TOWNS)
    )
    return [Spot(*row) for row in rows]


def _spots(towns: Sequence[Spot], countries: Sequence[str]) -> list[Spot]:
    """The most populous places of each country."""
    spots: dict[str, list[Spot]] = {country: [] for country in countries}
    for town in towns:
        chosen = spots.get(town.country)
        if chosen is not None and len(chosen) < SPOTS_PER_COUNTRY:
            chosen.append(town)
    return [spot for chosen in spots.values() for spot in chosen]


def _near(
    candidates: Sequence[Candidate], towns: Sequence[Spot]
) -> dict[int, tuple[str, str, float, float]]:
    """By dealer: country and name of the nearest town, km to it, km to the nearest of its own."""
    points = [ecef_km(town.lat, town.lon) for town in towns]
    everywhere = ChordIndex.of(points, range(len(towns)))
    home: dict[str, ChordIndex] = {}
    for country in {each.country for each in candidates}:
        own = [number for number, town in enumerate(towns) if town.country == country]
        home[country] = ChordIndex.of([points[number] for number in own], own)
    near: dict[int, tuple[str, str, float, float]] = {}
    for each in candidates:
        if not is_place(each.lat, each.lon) or not len(home[each.country]):
            continue
        place = ecef_km(each.lat, each.lon)
        chord, number = next(everywhere.outwards(place))
        own_chord, _ = next(home[each.country].outwards(place))
        town = towns[number]
        near[each.id] = (town.country, town.name, about_km(chord), about_km(own_chord))
    return near


def _people(session: Session, market_id: int, at: datetime) -> list[Person]:
    """Those who take leads at the market's dealers, with absences in which nobody stands in."""
    away: defaultdict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for user_id, starts_at, ends_at in session.execute(
        select(Absence.user_id, Absence.starts_at, Absence.ends_at)
        .where(Absence.ends_at > at, Absence.deputy_id.is_(None))
        .order_by(Absence.starts_at)
    ):
        away[user_id].append((starts_at, ends_at))
    rows = session.execute(
        select(Dealer.code, User.id, User.name)
        .join(UserScope, UserScope.dealer_id == Dealer.id)
        .join(User, User.id == UserScope.user_id)
        .where(
            Dealer.market_id == market_id,
            User.active,
            User.roles.any(Role.permissions.contains(["lead.work"])),
        )
        .order_by(Dealer.code, User.name)
    )
    return [Person(code, name, tuple(away[id])) for code, id, name in rows]
