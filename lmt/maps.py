"""What a map shows, as plain values: places by kind, lines between them, and what the signs mean.

`map.html` writes it into a page and `map.js` draws it; the list beside the map says the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from babel.support import LazyProxy

from lmt.i18n import lazy_gettext as _l

KINDS: Mapping[str, LazyProxy] = {
    "lead": _l("Where the customer is"),
    "chosen": _l("The dealer chosen"),
    "ranked": _l("A dealer who could take it"),
    "refused": _l("A dealer who could not"),
    "own": _l("Your place"),
    "gains": _l("A dealer who gains leads"),
    "loses": _l("A dealer who loses leads"),
    "even": _l("A dealer for whom nothing changes"),
    "moved": _l("A lead that moves"),
    "dealer": _l("A dealer"),
}
AREAS: Mapping[str, LazyProxy] = {
    "leads": _l("Number of leads"),
    "uncovered": _l("Leads with no dealer near enough"),
}
LINES: Mapping[str, LazyProxy] = {
    "straight": _l("As the crow flies"),
    "before": _l("To the dealer before"),
    "after": _l("To the dealer with the draft"),
}


@dataclass(frozen=True, slots=True)
class Point:
    """A place: `kind` is one of KINDS, `mark` a sign or two inside it.

    `within_km` draws a circle where the place is known to no more than that.
    """

    lat: float
    lon: float
    kind: str
    name: str
    note: str = ""
    mark: str = ""
    within_km: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """From one place to another: `kind` is one of LINES; `name` is written along it."""

    start: tuple[float, float]
    end: tuple[float, float]
    kind: str = "straight"
    name: str = ""


@dataclass(frozen=True, slots=True)
class Area:
    """A square: `kind` is one of AREAS, `mark` the number in it, `strength` from 1 to 5 how full
    it is drawn; `address` is where its mark leads to."""

    south: float
    west: float
    north: float
    east: float
    kind: str
    mark: str
    name: str
    note: str = ""
    strength: int = 1
    address: str = ""


@dataclass(frozen=True, slots=True)
class Map:
    points: tuple[Point, ...]
    lines: tuple[Line, ...] = ()
    areas: tuple[Area, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Without what a place doesn't have: there may be hundreds."""
        return {kind: [_told(each) for each in drawn] for kind, drawn in self._parts().items()}

    def _parts(self) -> dict[str, tuple[Point | Line | Area, ...]]:
        return {"points": self.points, "lines": self.lines, "areas": self.areas}

    def legend(self) -> list[tuple[str, str, str]]:
        """(`area`, `point` or `line`, kind, its words) of what is drawn, by kind."""
        points, lines = {p.kind for p in self.points}, {line.kind for line in self.lines}
        areas = {area.kind for area in self.areas}
        return [
            *(("area", kind, str(words)) for kind, words in AREAS.items() if kind in areas),
            *(("point", kind, str(words)) for kind, words in KINDS.items() if kind in points),
            *(("line", kind, str(words)) for kind, words in LINES.items() if kind in lines),
        ]


def _told(part: Point | Line | Area) -> dict[str, Any]:
    return {name: value for name, value in asdict(part).items() if value not in ("", None)}
