"""Territories drawn on a map: a GeoJSON file whose features name the dealers they belong to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shapely.errors import GEOSException
from shapely.geometry import mapping, shape

from lmt.dealerfiles.state import Areas
from lmt.dealerfiles.vocabulary import yes_or_no

NAMED_BY = ("dealer_code", "dealer", "code", "dealer_id", "dealercode", "id", "name")
"""Properties that may hold the dealer's code, the surest first; else the feature's own id."""
MOST_FEATURES = 20_000
MOST_POINTS = 2_000_000
_EXACT_TO = 7


class BadAreas(ValueError):
    """The file is no GeoJSON FeatureCollection: `code` not_geojson, too_many_features,
    too_many_points."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class BadFeature:
    """A feature that is left out: no_dealer, not_an_area, crosses_itself, off_the_map."""

    number: int
    code: str
    named: str = ""


@dataclass(frozen=True, slots=True)
class DrawnAreas:
    """Areas by dealer's code, and the features that are none."""

    by_dealer: Mapping[str, Areas]
    problems: tuple[BadFeature, ...] = ()
    codes: frozenset[str] = field(default_factory=frozenset)


def drawn_areas(text: str) -> DrawnAreas:
    """The polygons by dealer's code. `shared` true, or `exclusive` false, in a feature's properties
    makes its area one that others may have too. Raises BadAreas."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise BadAreas("not_geojson") from problem
    features = data.get("features") if isinstance(data, dict) else None
    if not isinstance(features, list) or data.get("type") != "FeatureCollection":
        raise BadAreas("not_geojson")
    if len(features) > MOST_FEATURES:
        raise BadAreas("too_many_features")
    found: dict[str, list[tuple[bool, str]]] = {}
    problems: list[BadFeature] = []
    points = 0
    for number, feature in enumerate(features, 1):
        named = _dealer(feature)
        if not named:
            problems.append(BadFeature(number, "no_dealer"))
            continue
        drawn = _area(feature.get("geometry"))
        if isinstance(drawn, str):
            problems.append(BadFeature(number, drawn, named))
            continue
        points += drawn[1]
        if points > MOST_POINTS:
            raise BadAreas("too_many_points")
        found.setdefault(named, []).append((_is_exclusive(feature), drawn[0]))
    by_dealer = {code: tuple(sorted(set(areas))) for code, areas in found.items()}
    return DrawnAreas(by_dealer, tuple(problems), frozenset(by_dealer))


def plain_area(geometry: Mapping[str, Any]) -> str:
    """A geometry as text in which equal ones are the same."""
    drawn = mapping(shape(geometry))
    return json.dumps(
        {"type": drawn["type"], "coordinates": _rounded(drawn["coordinates"])}, sort_keys=True
    )


def _dealer(feature: Any) -> str:
    if not isinstance(feature, dict):
        return ""
    properties = feature.get("properties")
    named = properties if isinstance(properties, dict) else {}
    plain = {str(key).casefold(): value for key, value in named.items()}
    for value in (*(plain.get(key) for key in NAMED_BY), feature.get("id")):
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    return ""


def _is_exclusive(feature: Mapping[str, Any]) -> bool:
    properties = feature.get("properties") or {}
    plain = {str(key).casefold(): value for key, value in properties.items()}
    shared, exclusive = _answer(plain.get("shared")), _answer(plain.get("exclusive"))
    return exclusive is not False and shared is not True


def _answer(value: Any) -> bool | None:
    return value if isinstance(value, bool) else yes_or_no(str(value)) if value else None


def _area(geometry: Any) -> tuple[str, int] | str:
    """The area as text with its number of points, or why it is none."""
    if not isinstance(geometry, dict) or geometry.get("type") not in {"Polygon", "MultiPolygon"}:
        return "not_an_area"
    try:
        drawn = shape(geometry)
    except (GEOSException, TypeError, ValueError, IndexError, AttributeError):
        return "not_an_area"
    if drawn.is_empty:
        return "not_an_area"
    west, south, east, north = drawn.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        return "off_the_map"
    if not drawn.is_valid:
        return "crosses_itself"
    parts = getattr(drawn, "geoms", [drawn])
    points = sum(len(p.exterior.coords) + sum(len(r.coords) for r in p.interiors) for p in parts)
    return plain_area(geometry), points


def _rounded(coordinates: Any) -> Any:
    if isinstance(coordinates, int | float):
        return round(float(coordinates), _EXACT_TO)
    # A height in the third place is left off.
    flat = coordinates and isinstance(coordinates[0], int | float)
    return [_rounded(each) for each in (coordinates[:2] if flat else coordinates)]
