"""The base map of the console: the countries of Natural Earth, small enough for a first visit.

What `world-atlas` publishes at 1:50 million is thinned out, borders that countries share staying
shared, and kept as TopoJSON. Antarctica, where nobody sells cars, is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Point = tuple[float, float]

TOLERANCE_DEGREES = 0.05
"""How far a thinned line may lie from the true one: some five kilometres."""
SMALLEST_DEGREES = 0.12
"""Islands of less width and height go, unless a country has nothing else."""
GRID_DEGREES = 0.01
LEFT_OUT = frozenset({"010"})


def base_map(atlas: str) -> str:
    """TopoJSON with one object, `countries`, whose ids are ISO 3166 numbers."""
    world = json.loads(atlas)
    lines = [_thinned(line) for line in _decoded(world)]
    used: dict[int, int] = {}
    countries = [
        {"type": "MultiPolygon", "id": country["id"], "arcs": _renumbered(polygons, used)}
        for country in world["objects"]["countries"]["geometries"]
        if country.get("id") not in {None, *LEFT_OUT}
        and (polygons := _seen(_polygons(country), lines))
    ]
    thinned = {
        "type": "Topology",
        "transform": {"scale": [GRID_DEGREES, GRID_DEGREES], "translate": [0, 0]},
        "objects": {"countries": {"type": "GeometryCollection", "geometries": countries}},
        "arcs": [_encoded(lines[number]) for number in used],
    }
    return json.dumps(thinned, separators=(",", ":")) + "\n"


def _decoded(world: dict[str, Any]) -> Iterator[list[Point]]:
    (scale_x, scale_y), (left, low) = world["transform"]["scale"], world["transform"]["translate"]
    for arc in world["arcs"]:
        x = y = 0
        line = []
        for step_x, step_y in arc:
            x, y = x + step_x, y + step_y
            line.append((x * scale_x + left, y * scale_y + low))
        yield line


def _thinned(line: list[Point]) -> list[Point]:
    """Douglas and Peucker's way; a ring is cut at its farthest point first."""
    if line[0] == line[-1] and len(line) > 3:
        first = line[0]
        cut = max(range(len(line)), key=lambda at: _apart(first, line[at]))
        return _kept(line[: cut + 1])[:-1] + _kept(line[cut:])
    return _kept(line)


def _kept(line: list[Point]) -> list[Point]:
    if len(line) < 3:
        return line
    farthest, cut = max((_off(line[at], line[0], line[-1]), at) for at in range(1, len(line) - 1))
    if farthest <= TOLERANCE_DEGREES**2:
        return [line[0], line[-1]]
    return _kept(line[: cut + 1])[:-1] + _kept(line[cut:])


def _apart(one: Point, other: Point) -> float:
    return (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2


def _off(point: Point, start: Point, end: Point) -> float:
    """The square of the distance from the straight line between two points."""
    length = _apart(start, end)
    if not length:
        return _apart(point, start)
    along = (point[0] - start[0]) * (end[0] - start[0]) + (point[1] - start[1]) * (
        end[1] - start[1]
    )
    share = min(1.0, max(0.0, along / length))
    nearest = (
        start[0] + share * (end[0] - start[0]),
        start[1] + share * (end[1] - start[1]),
    )
    return _apart(point, nearest)


def _polygons(country: dict[str, Any]) -> list[list[list[int]]]:
    arcs = country["arcs"]
    return [arcs] if country["type"] == "Polygon" else arcs


def _seen(polygons: list[list[list[int]]], lines: list[list[Point]]) -> list[list[list[int]]]:
    """Without the islands that are too small to be seen."""
    sizes = [_size(polygon[0], lines) for polygon in polygons]
    least = min(SMALLEST_DEGREES, max(sizes))
    return [polygon for polygon, size in zip(polygons, sizes, strict=True) if size >= least]


def _size(ring: list[int], lines: list[list[Point]]) -> float:
    points = [point for arc in ring for point in lines[arc if arc >= 0 else ~arc]]
    longitudes, latitudes = zip(*points, strict=True)
    return float(max(max(longitudes) - min(longitudes), max(latitudes) - min(latitudes)))


def _renumbered(polygons: list[list[list[int]]], used: dict[int, int]) -> list[list[list[int]]]:
    """Arcs by their numbers among those in use; `~` marks one that is walked backwards."""

    def number(arc: int) -> int:
        at = used.setdefault(arc if arc >= 0 else ~arc, len(used))
        return at if arc >= 0 else ~at

    return [[[number(arc) for arc in ring] for ring in polygon] for polygon in polygons]


def _encoded(line: list[Point]) -> list[list[int]]:
    """Steps on the grid, those of no length left out."""
    steps: list[list[int]] = []
    x = y = 0
    for longitude, latitude in line:
        to_x, to_y = round(longitude / GRID_DEGREES), round(latitude / GRID_DEGREES)
        if not steps or (to_x, to_y) != (x, y):
            steps.append([to_x - x, to_y - y])
            x, y = to_x, to_y
    return steps if len(steps) > 1 else [*steps, [0, 0]]
