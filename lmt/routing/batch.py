"""Many leads decided in one go, in order, each after the places the ones before it have taken.

The same dealers get them as if `decide_nearest` were asked one by one. The common case, a located
lead that nobody has a right to, is searched for all leads at once and without the reasons; every
other lead, and every lead that nobody can take, takes the single road.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmt.routing.candidate import Candidate, LeadFacts, Load
from lmt.routing.decide import goes_by_distance
from lmt.routing.decision import Decision
from lmt.routing.eligibility import Hours, why_too_late, why_unable
from lmt.routing.geo import ecef_km, ecefs_km, geodesic_km, is_place
from lmt.routing.index import ChordIndex
from lmt.routing.network import Network, decide_nearest
from lmt.routing.policy import Policy
from lmt.routing.policybook import PolicyBook
from lmt.routing.search import BOUND_KM
from lmt.routing.tally import Tally
from lmt.workhours import Calendar, add_working_minutes, is_open, next_opening

AT_ONCE = 1_024
"""Leads whose neighbours are kept in memory together."""

NEIGHBOURS = 16


class Choice(NamedTuple):
    """Who gets a lead, as in `Decision`, without the reasons. `dealer_id` None: see `cause`."""

    dealer_id: int | None
    how: str
    distance_km: float | None
    cause: str
    opens_at: datetime | None
    respond_by: datetime | None


def decide_batch(
    network: Network,
    leads: Sequence[LeadFacts],
    policy: Policy | PolicyBook,
    at: datetime | Sequence[datetime],
    *,
    consume: bool = True,
    tally: Tally | None = None,
    open_until: Sequence[datetime | None] = (),
) -> list[Choice]:
    """A choice for each lead, at one instant or each at its own.

    With `consume` every lead given counts against its dealer's caps and share, in `tally` where
    one is passed in, else from the network's loads on; `open_until` says when each open place is
    given back. The network's own loads stay as they are. Raises ValueError for a naive instant.
    """
    instants = [at] * len(leads) if isinstance(at, datetime) else list(at)
    if any(each.utcoffset() is None for each in instants):
        raise ValueError("at must be an aware instant")
    if not leads:
        return []
    if tally is None:
        tally = network.tally(instants[0])
    tally.among(network.by_id)
    choosing = _Choosing(network, policy, tally)
    choices: list[Choice] = []
    for first in range(0, len(leads), AT_ONCE):
        some = leads[first : first + AT_ONCE]
        asked = zip(some, network.claims(some), _neighbours(network, some), strict=True)
        for position, (lead, claimed, near) in enumerate(asked, first):
            now = instants[position]
            tally.move_to(now)
            choice = choosing.choice(lead, claimed, near, now)
            choices.append(choice)
            if consume and choice.dealer_id is not None:
                dealer = network.by_id(choice.dealer_id)
                assert dealer is not None
                tally.take(dealer, now, open_until[position] if open_until else None)
    return choices


def explained(
    network: Network,
    leads: Sequence[LeadFacts],
    policy: Policy | PolicyBook,
    at: datetime | Sequence[datetime],
    choices: Sequence[Choice],
    position: int,
    *,
    consume: bool = True,
    open_until: Sequence[datetime | None] = (),
) -> Decision:
    """The full decision behind one choice of a batch that began with the network's loads.

    What the choices before it took is counted again; nothing is searched but this one lead.
    """
    instants = [at] * len(leads) if isinstance(at, datetime) else list(at)
    tally = network.tally(instants[0])
    tally.among(network.by_id)
    for before in range(position if consume else 0):
        tally.move_to(instants[before])
        number = choices[before].dealer_id
        dealer = None if number is None else network.by_id(number)
        if dealer is not None:
            tally.take(dealer, instants[before], open_until[before] if open_until else None)
    tally.move_to(instants[position])
    lead = leads[position]
    own = policy if isinstance(policy, Policy) else policy.policy_for(lead)
    return decide_nearest(network.with_load(tally), lead, own, instants[position])


class _Choosing:
    """The run under way: the network with the places taken so far."""

    def __init__(self, network: Network, policy: Policy | PolicyBook, tally: Tally) -> None:
        self.network, self.tally = network, tally
        self.book = PolicyBook(policy) if isinstance(policy, Policy) else policy
        self.loaded = network.with_load(tally)
        self._terms: dict[tuple[int, str, int], _Terms] = {}
        self._asked_at: datetime | None = None
        self._due: dict[tuple[Calendar, int], datetime | None] = {}

    def choice(self, lead: LeadFacts, claimed: bool, near: _Near | None, at: datetime) -> Choice:
        policy = self.book.policy_for(lead)
        if near is not None and goes_by_distance(lead, policy):
            owned = claimed and self.network.owners(lead, True)
            found = None if owned else self._nearest(lead, near, policy, at)
            if found is not None:
                return found
        decision = decide_nearest(self.loaded, lead, policy, at)
        return Choice(
            decision.chosen_id,
            decision.how or "",
            decision.distance_km,
            decision.cause or "",
            decision.opens_at,
            decision.respond_by,
        )

    def _nearest(self, lead: LeadFacts, near: _Near, policy: Policy, at: datetime) -> Choice | None:
        """The winner among the eligible of the narrowest ring; None where there is nobody."""
        lat, lon = lead.lat, lead.lon
        assert lat is not None
        assert lon is not None
        dealer_of, load_of = self.network.by_id, self.tally.load_of
        terms = self._terms_of(policy, lead)
        bonus_km, rings = terms.bonus_km, terms.rings_km
        widest_km = ring_km = rings[-1]
        reach_km = widest_km + 2 * BOUND_KM
        inner_km, limit_km, nearest_km = math.inf, math.inf, math.inf
        met: list[_Met] = []
        for chord, number in near.outwards(lat, lon):
            if chord > reach_km:
                break
            dealer = dealer_of(number)
            if dealer is None or dealer.paused or not dealer.active or not dealer.reachable:
                continue
            open_now = is_open(dealer.calendar, at)
            bonus = bonus_km if open_now else 0.0
            if chord - bonus > limit_km and chord > inner_km:
                continue
            load = load_of(dealer, at)
            if why_unable(lead, dealer, load, policy, at) is not None:
                continue
            opens_at = None
            if not open_now:
                opens_at = next_opening(dealer.calendar, at)
                if why_too_late(Hours(False, opens_at), policy, at) is not None:
                    continue
            distance = geodesic_km(lat, lon, dealer.lat, dealer.lon)
            if distance > widest_km:
                continue
            met.append(_Met(distance - bonus, distance, dealer.code, dealer, load, opens_at))
            if distance < nearest_km:
                nearest_km = distance
                position = bisect_left(rings, distance)
                if rings[position] < ring_km:
                    ring_km = rings[position]
                    met = [each for each in met if each.distance_km <= ring_km]
                inner_km = rings[position - 1] + BOUND_KM if position else -math.inf
            if distance > ring_km:
                met.pop()
                continue
            best_km = met[0].effective_km if len(met) == 1 else min(met).effective_km
            slack = policy.tolerance_share * (best_km + bonus_km)
            limit_km = best_km + max(policy.tolerance_km, slack) + BOUND_KM
            reach_km = min(ring_km, limit_km + bonus_km) + 2 * BOUND_KM
        if not met:
            return None
        winner = _winner(met, policy)
        until = self._respond_by(winner.dealer.calendar, at, terms.minutes)
        return Choice(winner.dealer.id, "nearest", winner.distance_km, "", winner.opens_at, until)

    def _respond_by(self, calendar: Calendar, at: datetime, minutes: int) -> datetime | None:
        """Where all is decided at one instant, equal calendars are asked once."""
        if at is not self._asked_at:
            self._asked_at, self._due = at, {}
        key = calendar, minutes
        if key not in self._due:
            self._due[key] = add_working_minutes(calendar, at, minutes)
        return self._due[key]

    def _terms_of(self, policy: Policy, lead: LeadFacts) -> _Terms:
        key = id(policy), lead.band, lead.hop
        terms = self._terms.get(key)
        if terms is None:
            minutes = policy.promise_minutes(lead.band, lead.hop)
            terms = _Terms(policy.bonus_km(lead.band), policy.reaches_km, minutes)
            self._terms[key] = terms
        return terms


class _Terms(NamedTuple):
    """What a policy says to leads of a band, worked out once."""

    bonus_km: float
    rings_km: tuple[float, ...]
    minutes: int


class _Met(NamedTuple):
    """A dealer who could take the lead; sorts by nearness."""

    effective_km: float
    distance_km: float
    code: str
    dealer: Candidate
    load: Load
    opens_at: datetime | None


def _winner(met: list[_Met], policy: Policy) -> _Met:
    """The first of `ranking`."""
    if len(met) == 1:
        return met[0]
    best = min(met)
    tolerance = max(policy.tolerance_km, policy.tolerance_share * best.distance_km)
    limit = best.effective_km + tolerance
    equal = [each for each in met if each.effective_km <= limit]
    return min(equal, key=_merit) if len(equal) > 1 else best


def _merit(met: _Met) -> tuple[float, float, str]:
    weight = met.dealer.weight
    share = met.load.received / weight if weight > 0 else math.inf
    return share, -met.dealer.quality, met.code


def _neighbours(network: Network, leads: Sequence[LeadFacts]) -> list[_Near | None]:
    """For each lead with a place, where its competent dealers are found in growing order."""
    groups: dict[tuple[str, str], list[int]] = {}
    for position, lead in enumerate(leads):
        if is_place(lead.lat, lead.lon):
            groups.setdefault((lead.brand, lead.service), []).append(position)
    near: list[_Near | None] = [None] * len(leads)
    for (brand, service), positions in groups.items():
        lats, lons = zip(*((leads[each].lat, leads[each].lon) for each in positions), strict=True)
        index = network.index_of(brand, service)
        chords, numbers = index.nearest_of(ecefs_km(lats, lons), NEIGHBOURS)
        for row, position in enumerate(positions):
            near[position] = _Near(index, chords, numbers, row)
    return near


class _Near(NamedTuple):
    """A lead's row among the neighbours found for all at once. Lists are made of it only when its
    turn comes: a thousand leads' at a time would keep the garbage collector busy."""

    held: ChordIndex
    chords: NDArray[np.float64]
    numbers: NDArray[np.int64]
    row: int

    def outwards(self, lat: float, lon: float) -> Iterator[tuple[float, int]]:
        """(Chord km, id) of its neighbours, then, where they don't suffice, of everybody else."""
        numbers = self.numbers[self.row].tolist()
        found = zip(self.chords[self.row].tolist(), numbers, strict=True)
        if len(numbers) == len(self.held):
            return found
        return chain(found, self._others(lat, lon, set(numbers)))

    def _others(self, lat: float, lon: float, seen: set[int]) -> Iterator[tuple[float, int]]:
        return (pair for pair in self.held.outwards(ecef_km(lat, lon)) if pair[1] not in seen)
