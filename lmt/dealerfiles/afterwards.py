"""The network as it would be after an import, for the linter to look over before anything is
written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from lmt.dealerfiles.plan import TEAM, Plan
from lmt.dealerfiles.state import Areas, DealerState
from lmt.routing.candidate import Candidate
from lmt.workhours import Calendar

SpecialDays = tuple[tuple[date, date, str], ...]


def network_after(
    now: Sequence[Candidate],
    plan: Plan,
    market: str,
    special: Mapping[str, SpecialDays] | None = None,
) -> list[Candidate]:
    """The market's candidates with what the plan adds, changes and ends, by code.

    New dealers have numbers below nought for their ids. `special` are a country's days, which
    new dealers keep.
    """
    by_code = {each.code: each for each in now}
    for each in plan.ending:
        by_code.pop(each.state.code, None)
    for number, step in enumerate(plan.steps, 1):
        state = step.after
        if state.market == market:
            known = by_code.get(state.code)
            days = known.calendar.special if known else (special or {}).get(state.country, ())
            by_code[state.code] = candidate_of(state, known, -number, days)
    return [by_code[code] for code in sorted(by_code)]


def candidate_of(
    state: DealerState, known: Candidate | None, number: int, special: SpecialDays
) -> Candidate:
    """A dealer's state as routing would see it; `number` is its id where it has none yet."""
    base = known or Candidate(
        id=number, code=state.code, name="", lat=0.0, lon=0.0, country="",
        calendar=Calendar("off", "UTC", ""), competences=frozenset(), quality=0.5,
    )  # fmt: skip
    ranges: dict[tuple[str, str], frozenset[str]] = {}
    whole = {(brand, service) for brand, service, models in state.competences if not models}
    for brand, service, models in state.competences:
        if (brand, service) not in whole:
            ranges[brand, service] = ranges.get((brand, service), frozenset()) | frozenset(models)
    team = state.kind == TEAM
    return replace(
        base,
        name=state.name,
        kind=state.kind,
        lat=state.lat,
        lon=state.lon,
        country="" if team else state.country,
        calendar=Calendar(
            hours=state.hours,
            timezone=state.timezone,
            country=state.country,
            closures=tuple((first, last) for first, last, _ in state.closures),
            special=() if team and known is None else special,
        ),
        competences=frozenset((brand, service) for brand, service, _ in state.competences),
        models=ranges,
        languages=frozenset(state.languages),
        active=state.active,
        paused=state.paused,
        reachable=bool(state.email),
        day_cap=state.day_cap,
        month_cap=state.month_cap,
        open_cap=state.open_cap,
        weight=state.weight,
        exclusive_postcodes=state.exclusive,
        shared_postcodes=state.shared,
        exclusive_area=_area(state.areas, True),
        shared_area=_area(state.areas, False),
    )


def _area(areas: Areas, alone: bool) -> BaseGeometry | None:
    area: BaseGeometry | None = None
    for exclusive, text in areas:
        if exclusive is alone:
            drawn = shape(json.loads(text))
            area = drawn if area is None else area.union(drawn)
    return area
