"""Dealers as they would be: other hours, closures, caps, weights or territories, tried on paper."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from lmt.i18n import gettext as _
from lmt.openinghours import hours_problem
from lmt.routing.candidate import Candidate


class BadChange(ValueError):
    """A change that can't be tried; says which dealer and setting, in the reader's language."""


def changed(dealer: Candidate, changes: Mapping[str, Any]) -> Candidate:
    """The dealer with the changes, JSON values by setting.

    `hours` in OpenStreetMap syntax; `closures` as [first, last] dates, in the place of its own;
    `day_cap`, `month_cap`, `open_cap`, null for none; `paused`, `active`; `weight`, `quality`;
    `territories` as [{"postcodes": [...], "area": GeoJSON, "exclusive": true}], in the place of
    its own. Raises BadChange.
    """
    for setting, value in changes.items():
        change = _CHANGES.get(setting)
        if change is None:
            raise BadChange(_("%(setting)s can't be tried.", setting=setting))
        try:
            dealer = change(dealer, setting, value)
        except (TypeError, ValueError, KeyError, AttributeError, ShapelyError) as problem:
            raise BadChange(
                _(
                    "%(dealer)s can't have %(value)s as %(setting)s.",
                    dealer=dealer.code,
                    value=repr(value),
                    setting=setting,
                )
            ) from problem
    return dealer


def _hours(dealer: Candidate, _setting: str, value: Any) -> Candidate:
    if not isinstance(value, str) or hours_problem(value) is not None:
        raise ValueError(value)
    return replace(dealer, calendar=replace(dealer.calendar, hours=value))


def _closures(dealer: Candidate, _setting: str, value: Any) -> Candidate:
    days = sorted((date.fromisoformat(first), date.fromisoformat(last)) for first, last in value)
    if any(last < first for first, last in days):
        raise ValueError(value)
    return replace(dealer, calendar=replace(dealer.calendar, closures=tuple(days)))


def _cap(dealer: Candidate, setting: str, value: Any) -> Candidate:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise ValueError(value)
    caps: dict[str, Any] = {setting: value}
    return replace(dealer, **caps)


def _switch(dealer: Candidate, setting: str, value: Any) -> Candidate:
    if not isinstance(value, bool):
        raise TypeError(value)
    switches: dict[str, Any] = {setting: value}
    return replace(dealer, **switches)


def _measure(dealer: Candidate, setting: str, value: Any) -> Candidate:
    if isinstance(value, bool) or not math.isfinite(value) or value < 0:
        raise ValueError(value)
    if setting == "weight" and value == 0:
        raise ValueError(value)
    measures: dict[str, Any] = {setting: float(value)}
    return replace(dealer, **measures)


def _territories(dealer: Candidate, _setting: str, value: Any) -> Candidate:
    postcodes: dict[bool, list[str]] = {True: [], False: []}
    areas: dict[bool, BaseGeometry | None] = {True: None, False: None}
    for territory in value:
        if set(territory) - {"postcodes", "area", "exclusive"}:
            raise KeyError(territory)
        exclusive = bool(territory.get("exclusive", True))
        listed = territory.get("postcodes", [])
        if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
            raise TypeError(listed)
        postcodes[exclusive] += listed
        if territory.get("area") is not None:
            drawn = shape(territory["area"])
            held = areas[exclusive]
            areas[exclusive] = drawn if held is None else held.union(drawn)
    return replace(
        dealer,
        exclusive_postcodes=tuple(postcodes[True]),
        exclusive_area=areas[True],
        shared_postcodes=tuple(postcodes[False]),
        shared_area=areas[False],
    )


_CHANGES: Mapping[str, Callable[[Candidate, str, Any], Candidate]] = {
    "hours": _hours,
    "closures": _closures,
    "day_cap": _cap,
    "month_cap": _cap,
    "open_cap": _cap,
    "paused": _switch,
    "active": _switch,
    "weight": _measure,
    "quality": _measure,
    "territories": _territories,
}
