"""Dealers as a plain list, measured one by one: for the few, and as the measure for the many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lmt.routing.candidate import Candidate, LeadFacts, Load, is_competent
from lmt.routing.geo import chord_km, ecef_km, is_place
from lmt.routing.territory import TEAM, Territories, has_territory


class Listed:
    """The dealers of one decision, in any order; ids and codes are unique."""

    def __init__(self, lead: LeadFacts, candidates: Iterable[Candidate]) -> None:
        self._candidates = sorted(candidates, key=lambda candidate: candidate.code)
        self._by_code = {candidate.code: candidate for candidate in self._candidates}
        self._by_id = {candidate.id: candidate for candidate in self._candidates}
        self._chords: list[tuple[float, Candidate]] = []
        if lead.lat is not None and lead.lon is not None and is_place(lead.lat, lead.lon):
            here = ecef_km(lead.lat, lead.lon)
            self._chords = sorted(
                (
                    (chord_km(ecef_km(each.lat, each.lon), here), each)
                    for each in self._candidates
                    if is_place(each.lat, each.lon)
                ),
                key=lambda pair: (pair[0], pair[1].code),
            )

    def load(self, candidate: Candidate) -> Load:
        return candidate.load

    def by_code(self, code: str) -> Candidate | None:
        return self._by_code.get(code)

    def by_id(self, number: int) -> Candidate | None:
        return self._by_id.get(number)

    def teams(self) -> Sequence[Candidate]:
        return [each for each in self._candidates if each.kind == TEAM]

    def owners(self, lead: LeadFacts, located: bool) -> Sequence[Candidate]:
        claiming = {each.id: each for each in self._candidates if has_territory(each)}
        return Territories(claiming.values()).owners(lead, located, claiming)

    def nearest(self, lead: LeadFacts) -> Iterator[tuple[float, Candidate]]:
        return (pair for pair in self._chords if is_competent(pair[1], lead.brand, lead.service))

    def incompetent(
        self, lead: LeadFacts, within_km: float, limit: int
    ) -> tuple[list[tuple[float, Candidate]], int]:
        others = [
            pair
            for pair in self._chords
            if pair[0] <= within_km and not is_competent(pair[1], lead.brand, lead.service)
        ]
        return others[:limit], len(others)

    def placeless(self, lead: LeadFacts) -> Sequence[Candidate]:
        return [
            each
            for each in self._candidates
            if not is_place(each.lat, each.lon) and is_competent(each, lead.brand, lead.service)
        ]
