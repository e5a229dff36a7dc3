"""A market's whole dealer network, kept ready: the nearest dealers for a lead in microseconds.

Built from what rarely changes; caps and fair share are laid over it with `with_load`, an edited
dealer with `replaced`. Both give a new network and leave the old one whole for whoever is using it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from lmt.routing.candidate import Candidate, LeadFacts, Load, is_competent
from lmt.routing.decide import decision_among
from lmt.routing.decision import Decision
from lmt.routing.geo import ecef_km, is_place
from lmt.routing.index import ChordIndex
from lmt.routing.policy import Policy
from lmt.routing.tally import Tally
from lmt.routing.territory import Territories, claim_of

_Competence = tuple[str, str]


def decide_nearest(network: Network, lead: LeadFacts, policy: Policy, at: datetime) -> Decision:
    """The same decision as `decide` over all of the network's dealers, without looking at all."""
    return decision_among(network, lead, policy, at)


class Network:
    """Dealers by place and competence. Immutable; ids and codes are unique (else ValueError)."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        dealers = list(candidates)
        self._by_id = {each.id: each for each in dealers}
        self._by_code = {each.code: each.id for each in dealers}
        if not len(dealers) == len(self._by_id) == len(self._by_code):
            raise ValueError("two dealers have the same id or code")
        self._held = frozenset().union(*{each.competences for each in dealers})
        self._placeless = {each.id for each in dealers if not is_place(each.lat, each.lon)}
        self._everyone = _index(dealers)
        self._competent: dict[_Competence, ChordIndex] = {}
        self._territories = Territories(dealers)
        self._loads: Mapping[int, Load] = {}
        # Those that the dealers came with, made once.
        self._own_loads: dict[int, Load] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def with_load(self, loads: Mapping[int, Load]) -> Network:
        """The same dealers with these figures by id; who isn't named keeps the built-in ones.

        The mapping is read when a decision asks, so it may be a live view.
        """
        other = self._copy()
        other._loads = loads
        return other

    def replaced(self, candidates: Iterable[Candidate], removed: Iterable[int] = ()) -> Network:
        """The network with these dealers new or in place of those of the same id.

        `removed` are ids to leave out. Only what the changed dealers touch is built anew.
        """
        changes: dict[int, Candidate | None] = dict.fromkeys(removed)
        changes |= {candidate.id: candidate for candidate in candidates}
        other = self._copy()
        other._own_loads = {}
        other._by_id, other._by_code = dict(self._by_id), dict(self._by_code)
        other._placeless = self._placeless - changes.keys()
        other._competent = dict(self._competent)
        for number in changes.keys() & self._by_id.keys():
            del other._by_code[other._by_id.pop(number).code]
        for number, new in changes.items():
            if new is None:
                continue
            if other._by_code.setdefault(new.code, number) != number:
                raise ValueError(f"two dealers have the code {new.code}")
            other._by_id[number] = new
            other._held |= new.competences
            if not is_place(new.lat, new.lon):
                other._placeless.add(number)
        territory_changed = False
        for number, new in changes.items():
            old = self._by_id.get(number)
            other._everyone = _changed(other._everyone, old, new)
            for held, index in other._competent.items():
                other._competent[held] = _changed(index, _if_held(old, held), _if_held(new, held))
            territory_changed |= claim_of(old) != claim_of(new)
        if territory_changed:
            other._territories = Territories(other._by_id.values())
        return other

    def tally(self, at: datetime) -> Tally:
        """Its loads at `at`, to count on from."""
        return Tally(at, self._loads)

    def candidates(self) -> list[Candidate]:
        """All dealers, with their present load."""
        return [each.with_load(self.load(each)) for each in self._by_id.values()]

    def load(self, candidate: Candidate) -> Load:
        load = self._loads.get(candidate.id) or self._own_loads.get(candidate.id)
        if load is None:
            load = self._own_loads[candidate.id] = candidate.load
        return load

    def by_code(self, code: str) -> Candidate | None:
        number = self._by_code.get(code)
        return None if number is None else self._by_id[number]

    def by_id(self, number: int) -> Candidate | None:
        return self._by_id.get(number)

    def teams(self) -> Sequence[Candidate]:
        """The teams of the market."""
        return [self._by_id[number] for number in self._territories.teams]

    def owners(self, lead: LeadFacts, located: bool) -> Sequence[Candidate]:
        """The owners of the lead's territory, by competence."""
        return self._territories.owners(lead, located, self._by_id)

    def claims(self, leads: Sequence[LeadFacts]) -> list[bool]:
        """For each lead, whether its place or postcode lies in any territory at all."""
        claimed = [self._territories.lists(each.country, each.postcode) for each in leads]
        placed = [
            (position, each.lat, each.lon)
            for position, each in enumerate(leads)
            if each.lat is not None and each.lon is not None and is_place(each.lat, each.lon)
        ]
        if placed:
            positions, lats, lons = zip(*placed, strict=True)
            for position, covered in zip(
                positions, self._territories.cover(lats, lons), strict=True
            ):
                claimed[position] = claimed[position] or covered
        return claimed

    def nearest(self, lead: LeadFacts) -> Iterator[tuple[float, Candidate]]:
        """The competent dealers as (chord km, dealer), lazily, in growing chord order.

        Nobody for a lead without a usable place. The dealers carry the load they were built with.
        """
        if not is_place(lead.lat, lead.lon) or lead.lat is None or lead.lon is None:
            return
        index = self.index_of(lead.brand, lead.service)
        dealers = self._by_id
        for shell in index.shells(ecef_km(lead.lat, lead.lon)):
            for chord, number in shell:
                yield chord, dealers[number]

    def index_of(self, brand: str, service: str) -> ChordIndex:
        """The dealers with this competence and a place."""
        known = self._competent.get((brand, service))
        if known is not None:
            return known
        # Brands and services that nobody has share one index, whatever senders make up.
        if brand and not any(brand == named for named, _ in self._held):
            brand = "\0"
        if not any(service == offered for _, offered in self._held):
            service = "\0"
        index = self._competent.get((brand, service))
        if index is None:
            held = (each for each in self._by_id.values() if is_competent(each, brand, service))
            index = self._competent[brand, service] = _index(held)
        return index

    def incompetent(
        self, lead: LeadFacts, within_km: float, limit: int
    ) -> tuple[list[tuple[float, Candidate]], int]:
        """The nearest `limit` dealers without the competence within a chord, and their number."""
        if not is_place(lead.lat, lead.lon) or lead.lat is None or lead.lon is None:
            return [], 0
        competent = self.index_of(lead.brand, lead.service).numbers()
        met = [
            pair
            for pair in self._everyone.within(ecef_km(lead.lat, lead.lon), within_km)
            if pair[1] not in competent
        ]
        dealers = self._by_id
        last = limit
        # Coincident dealers come by code, so those at the chord of the last one count as well.
        while 0 < last < len(met) and met[last][0] == met[last - 1][0]:
            last += 1
        others = [(chord, dealers[number]) for chord, number in met[:last]]
        others.sort(key=lambda pair: (pair[0], pair[1].code))
        return others[:limit], len(met)

    def placeless(self, lead: LeadFacts) -> Sequence[Candidate]:
        """The competent dealers whose coordinates are unusable, by code."""
        dealers = (self._by_id[number] for number in self._placeless)
        held = (each for each in dealers if is_competent(each, lead.brand, lead.service))
        return sorted(held, key=lambda each: each.code)

    def _copy(self) -> Network:
        other = Network.__new__(Network)
        vars(other).update(vars(self))
        return other


def _index(candidates: Iterable[Candidate]) -> ChordIndex:
    placed = [each for each in candidates if is_place(each.lat, each.lon)]
    return ChordIndex.of([ecef_km(each.lat, each.lon) for each in placed], [c.id for c in placed])


def _if_held(candidate: Candidate | None, competence: _Competence) -> Candidate | None:
    return candidate if candidate and is_competent(candidate, *competence) else None


def _changed(index: ChordIndex, old: Candidate | None, new: Candidate | None) -> ChordIndex:
    was = old if old and is_place(old.lat, old.lon) else None
    will_be = new if new and is_place(new.lat, new.lon) else None
    if was and will_be and (was.id, was.lat, was.lon) == (will_be.id, will_be.lat, will_be.lon):
        return index
    if was:
        index = index.without(was.id)
    if will_be:
        index = index.including(ecef_km(will_be.lat, will_be.lon), will_be.id)
    return index
