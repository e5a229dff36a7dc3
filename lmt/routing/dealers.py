"""Reads dealers as routing sees them: terms, competences, hours and territories at an instant.

Plain values in one statement: a market may have 20,000 dealers, an edit touches one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from typing import Any

from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lmt.routing.candidate import Candidate
from lmt.workhours import Calendar

_Row = Row[*tuple[Any, ...]]

# What was said last about a day counts, and what a dealer says of itself before its country. A
# team serves all of its market's countries and keeps the days of none.
_DEALERS = """
    SELECT dealer.id, dealer.code, dealer.kind, terms.name, terms.country, terms.lat, terms.lon,
           terms.timezone, terms.hours, terms.languages, terms.active, terms.paused,
           terms.email <> '' AS reachable, terms.day_cap, terms.month_cap, terms.open_cap,
           terms.weight, terms.quality,
           (SELECT json_agg(json_build_array(brand.code, held.service, held.models))
            FROM competence AS held JOIN brand ON brand.id = held.brand_id
            WHERE held.dealer_id = dealer.id AND held.valid @> now.at) AS competences,
           (SELECT json_agg(json_build_array(starts_on, ends_on))
            FROM closure WHERE dealer_id = dealer.id AND valid @> now.at) AS closures,
           (SELECT json_agg(json_build_array(exclusive, postcodes, area) ORDER BY id)
            FROM territory WHERE dealer_id = dealer.id AND valid @> now.at) AS territories,
           (SELECT json_agg(json_build_array(starts_on, ends_on, hours)
                            ORDER BY dealer_id IS NULL, id DESC)
            FROM special_hours AS days
            WHERE days.valid @> now.at
              AND (days.dealer_id = dealer.id OR (days.dealer_id IS NULL AND dealer.kind <> 'team'
                   AND days.market_id = dealer.market_id AND days.country = terms.country))
           ) AS special
    FROM (SELECT CAST(:at AS timestamptz) AS at) AS now, dealer
    JOIN dealer_terms AS terms ON terms.dealer_id = dealer.id
    WHERE dealer.market_id = :market_id AND terms.valid @> now.at {which}
    ORDER BY dealer.code
"""
_ALL = text(_DEALERS.format(which=""))
_SOME = text(_DEALERS.format(which="AND dealer.id = ANY(CAST(:ids AS int[]))"))
_LAST_TERMS = text(
    """
    SELECT dealer.market_id, lower(terms.valid), upper(terms.valid)
    FROM dealer_terms AS terms JOIN dealer ON dealer.id = terms.dealer_id
    WHERE terms.dealer_id = :dealer_id
    ORDER BY lower(terms.valid) <= :at IS NOT FALSE DESC, lower(terms.valid) DESC NULLS LAST
    LIMIT 1
    """
)


def candidates_of(
    session: Session, market_id: int, at: datetime, ids: Collection[int] | None = None
) -> list[Candidate]:
    """The market's dealers as they were known at `at`, without their load, by code.

    `ids` narrows it to those dealers; who has no terms at `at` is left out. Reads as the system
    does, whoever asks.
    """
    if ids is None:
        rows = session.execute(_ALL, {"market_id": market_id, "at": at})
    else:
        rows = session.execute(_SOME, {"market_id": market_id, "at": at, "ids": list(ids)})
    return [_candidate(row) for row in rows]


def last_calendar(session: Session, dealer_id: int, at: datetime) -> Calendar:
    """The calendar of the dealer's terms that held last before `at`, or hold first after it.

    LookupError where it never had any.
    """
    found = session.execute(_LAST_TERMS, {"dealer_id": dealer_id, "at": at}).first()
    if found is None:
        raise LookupError(f"no dealer {dealer_id}")
    market_id, begins_at, ends_at = found
    then = ends_at - timedelta(microseconds=1) if ends_at and ends_at <= at else begins_at
    return candidates_of(session, market_id, then or at, [dealer_id])[0].calendar


def _candidate(row: _Row) -> Candidate:
    competences: list[tuple[str, str, list[str]]] = row.competences or []
    territories: list[tuple[bool, list[str], Any]] = row.territories or []
    owned = [each for each in territories if each[0]]
    shared = [each for each in territories if not each[0]]
    return Candidate(
        id=row.id,
        code=row.code,
        name=row.name,
        kind=row.kind,
        lat=row.lat,
        lon=row.lon,
        # A team of the market serves all of its countries; a showroom its own.
        country="" if row.kind == "team" else row.country,
        calendar=Calendar(
            hours=row.hours,
            timezone=row.timezone,
            country=row.country,
            closures=tuple(sorted(_days(each) for each in row.closures or ())),
            special=tuple((*_days(each), each[2]) for each in row.special or ()),
        ),
        competences=frozenset((brand, service) for brand, service, _ in competences),
        models=_ranges(competences),
        languages=frozenset(row.languages),
        active=row.active,
        paused=row.paused,
        reachable=row.reachable,
        day_cap=row.day_cap,
        month_cap=row.month_cap,
        open_cap=row.open_cap,
        weight=row.weight,
        quality=row.quality,
        exclusive_postcodes=_postcodes(owned),
        exclusive_area=_area(owned),
        shared_postcodes=_postcodes(shared),
        shared_area=_area(shared),
    )


def _days(plain: list[Any]) -> tuple[date, date]:
    return date.fromisoformat(plain[0]), date.fromisoformat(plain[1])


def _ranges(
    competences: Iterable[tuple[str, str, list[str]]],
) -> dict[tuple[str, str], frozenset[str]]:
    """The models by competence where they are limited; two rows of one competence add up."""
    ranges: dict[tuple[str, str], frozenset[str]] = {}
    for brand, service, models in competences:
        if models:
            ranges[brand, service] = ranges.get((brand, service), frozenset()) | frozenset(models)
    for brand, service, models in competences if ranges else ():
        if not models:
            ranges.pop((brand, service), None)
    return ranges


def _postcodes(territories: Iterable[tuple[bool, list[str], Any]]) -> tuple[str, ...]:
    return tuple(postcode for _, postcodes, _ in territories for postcode in postcodes)


def _area(territories: Iterable[tuple[bool, list[str], Any]]) -> BaseGeometry | None:
    area: BaseGeometry | None = None
    for _, _, drawn in territories:
        if drawn is not None:
            area = shape(drawn) if area is None else area.union(shape(drawn))
    return area
