"""Exclusive territories: whose leads these are before anybody measures a distance.

A postcode list owns by its longest matching prefix and goes before a polygon, being drawn for
single places. A dealer without the competence, or no longer active, owns nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import shapely
from shapely import STRtree

from lmt.routing.candidate import Candidate, LeadFacts, is_competent


def plain_postcode(postcode: str) -> str:
    """Without spaces and hyphens, in capitals: as prefixes are compared."""
    return "".join(sign for sign in postcode.upper() if sign.isalnum())


class Territories:
    """All exclusive postcodes and polygons of some dealers, ready to be asked."""

    __slots__ = ("_areas", "_prefixes", "_tree")

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        prefixes: dict[tuple[str, str], list[int]] = {}
        areas: list[Candidate] = []
        for candidate in candidates:
            for prefix in {plain_postcode(text) for text in candidate.exclusive_postcodes}:
                if prefix:
                    prefixes.setdefault((candidate.country, prefix), []).append(candidate.id)
            if candidate.exclusive_area is not None and not candidate.exclusive_area.is_empty:
                shapely.prepare(candidate.exclusive_area)
                areas.append(candidate)
        self._prefixes: Mapping[tuple[str, str], Sequence[int]] = prefixes
        self._areas = [(area.id, area.exclusive_area) for area in areas]
        self._tree = STRtree([area for _, area in self._areas]) if areas else None

    def owners(
        self, lead: LeadFacts, located: bool, by_id: Mapping[int, Candidate]
    ) -> list[Candidate]:
        """The owners of the lead's place; several where lists or polygons overlap."""
        for ids in self._matches(lead, located):
            owners = [by_id[each] for each in ids if _may_own(by_id[each], lead)]
            if owners:
                return owners
        return []

    def _matches(self, lead: LeadFacts, located: bool) -> Iterator[Sequence[int]]:
        postcode = plain_postcode(lead.postcode)
        if self._prefixes and lead.country:
            for length in range(len(postcode), 0, -1):
                ids = self._prefixes.get((lead.country, postcode[:length]))
                if ids:
                    yield ids
        if self._tree is not None and located:
            point = shapely.Point(lead.lon, lead.lat)
            # Borders belong to both sides, so that no place between two territories is lost.
            inside = np.sort(self._tree.query(point, predicate="intersects"))
            yield [self._areas[position][0] for position in inside.tolist()]


def _may_own(candidate: Candidate, lead: LeadFacts) -> bool:
    return candidate.active and is_competent(candidate, lead.brand, lead.service)


def claims_territory(candidate: Candidate) -> bool:
    """Whether the dealer has any exclusive territory."""
    return bool(candidate.exclusive_postcodes) or candidate.exclusive_area is not None
