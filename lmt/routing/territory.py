"""Territories and teams: whose leads these are before anybody measures a distance.

A postcode list goes by its longest matching prefix and before a polygon, being drawn for single
places; at the same precision an exclusive territory goes before a shared one. A dealer without the
competence, or no longer active, owns nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import shapely
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from lmt.routing.candidate import Candidate, LeadFacts, is_competent

TEAM = "team"
TEAM_SERVICES = frozenset({"fleet", "care"})
"""What a market does by teams: key accounts and customer care."""


def plain_postcode(postcode: str) -> str:
    """Without spaces and hyphens, in capitals: as prefixes are compared."""
    return "".join(sign for sign in postcode.upper() if sign.isalnum())


class Territories:
    """The postcodes and polygons of some dealers, and the teams among them, ready to be asked."""

    __slots__ = ("_areas", "_prefixes", "_tree", "teams")

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        prefixes: defaultdict[tuple[str, str], list[tuple[int, bool]]] = defaultdict(list)
        areas: list[tuple[int, bool, BaseGeometry]] = []
        teams: list[int] = []
        for each in candidates:
            if each.kind == TEAM:
                teams.append(each.id)
            for postcodes, area, shared in (
                (each.exclusive_postcodes, each.exclusive_area, False),
                (each.shared_postcodes, each.shared_area, True),
            ):
                for prefix in {plain_postcode(text) for text in postcodes} - {""}:
                    prefixes[each.country, prefix].append((each.id, shared))
                if area is not None and not area.is_empty:
                    shapely.prepare(area)
                    areas.append((each.id, shared, area))
        self._prefixes: Mapping[tuple[str, str], Sequence[tuple[int, bool]]] = dict(prefixes)
        self._areas = [(number, shared) for number, shared, _ in areas]
        self._tree = STRtree([area for _, _, area in areas]) if areas else None
        self.teams: Sequence[int] = teams

    def owners(
        self, lead: LeadFacts, located: bool, by_id: Mapping[int, Candidate]
    ) -> list[Candidate]:
        """The owners of the lead's place; several where it is shared or territories overlap."""
        for holders in self._matches(lead, located):
            able = [
                (by_id[each], shared) for each, shared in holders if _may_own(by_id[each], lead)
            ]
            alone = [candidate for candidate, shared in able if not shared]
            if able:
                return alone or [candidate for candidate, _ in able]
        return []

    def lists(self, country: str, postcode: str) -> bool:
        """Whether a postcode list covers it; an owner may still be unable."""
        if not self._prefixes or not country:
            return False
        plain = plain_postcode(postcode)
        return any(
            (country, plain[:length]) in self._prefixes or ("", plain[:length]) in self._prefixes
            for length in range(len(plain), 0, -1)
        )

    def cover(self, lats: Sequence[float], lons: Sequence[float]) -> list[bool]:
        """For each place, whether it lies in any polygon."""
        covered = np.zeros(len(lats), dtype=bool)
        if self._tree is not None:
            places = shapely.points(lons, lats)
            covered[self._tree.query(places, predicate="intersects")[0]] = True
        return covered.tolist()

    def _matches(self, lead: LeadFacts, located: bool) -> Iterator[Sequence[tuple[int, bool]]]:
        """Ids and whether they share it, the most precise territories first."""
        if self._prefixes and lead.country:
            postcode = plain_postcode(lead.postcode)
            for length in range(len(postcode), 0, -1):
                prefix = postcode[:length]
                # A team has no country of its own: its postcodes hold wherever the market is.
                here = self._prefixes.get((lead.country, prefix), ())
                everywhere = self._prefixes.get(("", prefix), ())
                if here or everywhere:
                    yield [*here, *everywhere]
        if self._tree is not None and located:
            point = shapely.Point(lead.lon, lead.lat)
            # Borders belong to both sides, so that no place between two territories is lost.
            inside = np.sort(self._tree.query(point, predicate="intersects"))
            yield [self._areas[position] for position in inside.tolist()]


def _may_own(candidate: Candidate, lead: LeadFacts) -> bool:
    return candidate.active and is_competent(candidate, lead.brand, lead.service)


def has_territory(candidate: Candidate) -> bool:
    """Whether the dealer has a territory, exclusive or shared."""
    return bool(
        candidate.exclusive_postcodes
        or candidate.shared_postcodes
        or candidate.exclusive_area is not None
        or candidate.shared_area is not None
    )


def claim_of(candidate: Candidate | None) -> tuple[object, ...]:
    """What of a dealer Territories are made of; who has no claim is like who isn't there.

    Polygons count by identity.
    """
    if candidate is None or not (candidate.kind == TEAM or has_territory(candidate)):
        return ()
    return (
        candidate.kind == TEAM,
        candidate.country,
        candidate.exclusive_postcodes,
        candidate.shared_postcodes,
        id(candidate.exclusive_area),
        id(candidate.shared_area),
    )
