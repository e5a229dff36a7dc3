"""The nearest eligible dealers for a lead, found without measuring the whole network.

Dealers arrive in growing chord order. A chord is never longer than the geodesic above it, so once
the next chord less the bonus of an open door can't reach the worst figure still shown, nobody
further can change the decision.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Protocol

from lmt.routing.candidate import Candidate, LeadFacts, Load
from lmt.routing.eligibility import Hours, Reason, hours_at, why_too_late, why_unable
from lmt.routing.geo import about_km, chord_km, ecef_km, geodesic_km, is_place
from lmt.routing.policy import Policy
from lmt.routing.ranking import Contender
from lmt.workhours import is_open, next_opening

BOUND_KM = 0.001
"""Bounds are kept wider by a metre, so that coincident dealers meet each other."""

Refused = tuple[float, Candidate, Reason]
"""Chord km, the dealer, and why not."""

CAPS = frozenset({"day_cap", "month_cap", "open_cap"})
NOT_OF_HERE = frozenset({"model", "inactive", "country", "team_only", "out_of_range"})
_SPHERE_TO_ELLIPSOID = 1.01


class Dealers(Protocol):
    """What a decision asks of the dealers, however they are kept."""

    def load(self, candidate: Candidate) -> Load: ...

    def by_code(self, code: str) -> Candidate | None: ...

    def by_id(self, number: int) -> Candidate | None: ...

    def teams(self) -> Sequence[Candidate]:
        """The teams of the market."""
        ...

    def owners(self, lead: LeadFacts, located: bool) -> Sequence[Candidate]:
        """The owners of the lead's territory."""
        ...

    def nearest(self, lead: LeadFacts) -> Iterator[tuple[float, Candidate]]:
        """The competent ones with a place, as (chord km, dealer) in growing chord order."""
        ...

    def incompetent(
        self, lead: LeadFacts, within_km: float, limit: int
    ) -> tuple[list[tuple[float, Candidate]], int]:
        """The nearest `limit` of the others within a chord, and how many there are in all."""
        ...

    def placeless(self, lead: LeadFacts) -> Sequence[Candidate]:
        """The competent ones whose coordinates are unusable."""
        ...


@dataclass(slots=True)
class Found:
    """The contenders within `ring_km`, or none and a cause; refusals in growing chord order.

    Contenders, in growing chord order too, hold at least all that can be among the ranked shown.
    """

    contenders: list[Contender] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    ring_km: float | None = None
    cause: str | None = None


def nearest_eligible(
    lead: LeadFacts, lat: float, lon: float, dealers: Dealers, policy: Policy, at: datetime
) -> Found:
    """Search outwards from the lead's place until nobody further can matter."""
    found = Found()
    bounds = _Bounds(policy, lead.band)
    bonus_km = bounds.bonus_km
    road = lead.road if policy.use_road else {}
    legs_km = _farthest_leg_km(lead, lat, lon, dealers) if road else 0.0
    latest_at = at + timedelta(hours=policy.max_wait_hours)
    stream = dealers.nearest(lead)
    beyond: Iterable[tuple[float, Candidate]] = ()
    passed: list[tuple[float, Candidate]] = []
    for chord, candidate in stream:
        if chord > bounds.reach_km and chord > min(legs_km, bounds.farthest_km):
            beyond = chain([(chord, candidate)], stream)
            break
        open_now = is_open(candidate.calendar, at)
        bonus = bonus_km if open_now else 0.0
        leg = road.get(candidate.id) if road else None
        if leg is None and chord - bonus > bounds.limit_km and chord > bounds.inner_km:
            passed.append((chord, candidate))
            continue
        load = dealers.load(candidate)
        reason = why_unable(lead, candidate, load, policy, at)
        opens_at = None
        if reason is None and not open_now:
            opens_at = next_opening(candidate.calendar, at)
            if opens_at is None or opens_at > latest_at:
                reason = why_too_late(Hours(False, opens_at), policy, at)
        if reason is not None:
            found.refused.append((chord, candidate, reason))
            continue
        distance = geodesic_km(lat, lon, candidate.lat, candidate.lon)
        if distance > bounds.widest_km:
            found.refused.append((chord, candidate, too_far(distance, policy)))
            continue
        bounds.admit(distance, distance - bonus)
        effective = (distance if leg is None else leg[0]) - bonus
        found.contenders.append(
            Contender(candidate, load, chord, distance, effective, open_now, opens_at, leg)
        )
    if found.contenders:
        ring_km = found.ring_km = bounds.ring_km
        found.contenders = [
            each for each in found.contenders if (each.distance_km or 0.0) <= ring_km
        ]
        if passed:
            _ask_why(found, passed, lead, dealers, policy, at)
    else:
        _explain_nobody(found, lead, lat, lon, dealers, beyond, policy, at)
    return found


def _ask_why(
    found: Found,
    passed: list[tuple[float, Candidate]],
    lead: LeadFacts,
    dealers: Dealers,
    policy: Policy,
    at: datetime,
) -> None:
    """Why not, of those too far off to matter: as far as somebody farther may be chosen."""
    farthest = (found.contenders[-1].chord_km or 0.0) + BOUND_KM
    for chord, candidate in passed:
        if chord > farthest:
            break
        reason = why_unable(lead, candidate, dealers.load(candidate), policy, at)
        reason = reason or why_too_late(hours_at(candidate, at), policy, at)
        if reason is not None:
            found.refused.append((chord, candidate, reason))
    found.refused.sort(key=lambda each: each[0])


def _farthest_leg_km(lead: LeadFacts, lat: float, lon: float, dealers: Dealers) -> float:
    """The chord of the farthest dealer whose way by road is known."""
    here = ecef_km(lat, lon)
    known = (dealers.by_id(number) for number in lead.road)
    return max(
        (
            chord_km(ecef_km(each.lat, each.lon), here) + BOUND_KM
            for each in known
            if each is not None and is_place(each.lat, each.lon)
        ),
        default=0.0,
    )


class _Bounds:
    """How far the search must go on, given what it has met."""

    def __init__(self, policy: Policy, band: str) -> None:
        self._policy = policy
        self._rings = policy.reaches_km
        self._shown = policy.shown_ranked
        self._nearest_km = math.inf
        self._met: list[tuple[float, float]] = []
        # Beyond both, a dealer can neither be shown nor make a narrower ring suffice.
        self.inner_km = math.inf
        self.limit_km = math.inf
        self.bonus_km = policy.bonus_km(band)
        self.widest_km = self._rings[-1]
        self.ring_km = self.widest_km
        self.reach_km = self.farthest_km = self.widest_km + 2 * BOUND_KM

    def admit(self, distance_km: float, effective_km: float) -> None:
        """Take an eligible dealer into account."""
        insort(self._met, (effective_km, distance_km))
        if distance_km < self._nearest_km:
            self._nearest_km = distance_km
            position = bisect_left(self._rings, distance_km)
            self.ring_km = self._rings[position]
            self.inner_km = self._rings[position - 1] + BOUND_KM if position else -math.inf
        if len(self._met) >= self._shown:
            self.limit_km = self._worst_shown_km() + BOUND_KM
        self.reach_km = min(self.ring_km, self.limit_km + self.bonus_km) + 2 * BOUND_KM

    def _worst_shown_km(self) -> float:
        shown = self._shown
        for effective, distance in self._met:
            if distance > self.ring_km:
                continue
            shown -= 1
            if shown == 0:
                # The best of any remainder lies no further than this one less its bonus.
                share = self._policy.tolerance_share * (effective + self.bonus_km)
                return effective + max(self._policy.tolerance_km, share)
        return math.inf


def too_far(distance_km: float, policy: Policy) -> Reason:
    return "out_of_range", {"distance_km": distance_km, "widest_km": policy.reaches_km[-1]}


def lies_within(
    chord: float, lat: float, lon: float, candidate: Candidate, within_km: float
) -> bool:
    """Whether the geodesic to the dealer at this chord is no longer than that."""
    if about_km(chord) * _SPHERE_TO_ELLIPSOID <= within_km:
        return True
    return geodesic_km(lat, lon, candidate.lat, candidate.lon) <= within_km


def cause_of(reasons: Set[str]) -> str | None:
    """The cause that says most: a cap may free, an opening will come, the rest needs a person."""
    if reasons & CAPS:
        return "all_capped"
    if "no_opening" in reasons:
        return "no_opening"
    return "all_refused" if reasons - NOT_OF_HERE else None


def _explain_nobody(
    found: Found,
    lead: LeadFacts,
    lat: float,
    lon: float,
    dealers: Dealers,
    beyond: Iterable[tuple[float, Candidate]],
    policy: Policy,
    at: datetime,
) -> None:
    widest = policy.reaches_km[-1]
    reasons: set[str] = set()
    outside: set[str] = set()
    for chord, candidate, (reason, _) in found.refused:
        inside = lies_within(chord, lat, lon, candidate, widest)
        (reasons if inside else outside).add(reason)
    found.cause = cause_of(reasons)
    if found.cause is not None:
        return
    if "out_of_range" in outside or outside - NOT_OF_HERE:
        found.cause = "out_of_range"
        return
    coincident: list[tuple[float, str, float, Candidate]] = []
    for chord, candidate in beyond:
        if coincident and chord > coincident[0][2] + BOUND_KM:
            break
        why = why_unable(lead, candidate, dealers.load(candidate), policy, at)
        if why is None or why[0] not in NOT_OF_HERE:
            distance = geodesic_km(lat, lon, candidate.lat, candidate.lon)
            coincident.append((distance, candidate.code, chord, candidate))
    if coincident:
        distance, _, chord, candidate = min(coincident, key=lambda each: each[:2])
        found.refused.append((chord, candidate, too_far(distance, policy)))
        found.cause = "out_of_range"
        return
    found.cause = "no_competence"
