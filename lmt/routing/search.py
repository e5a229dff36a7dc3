"""The nearest eligible dealers for a lead, found without measuring the whole network.

Dealers arrive in growing chord order. A chord is never longer than the geodesic above it, so once
the next chord less the bonus of an open door can't reach the worst figure still shown, nobody
further can change the decision.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Protocol

from lmt.routing.candidate import Candidate, LeadFacts, Load
from lmt.routing.eligibility import Reason, hours_at, why_refused, why_too_late
from lmt.routing.geo import geodesic_km
from lmt.routing.policy import Policy
from lmt.routing.ranking import Contender

BOUND_KM = 0.001
"""Bounds are kept wider by a metre, so that coincident dealers meet each other."""

Refused = tuple[float, Candidate, Reason]
"""Chord km, the dealer, and why not."""

_NOT_OF_HERE = {"inactive", "country", "out_of_range"}
_CAPS = {"day_cap", "month_cap", "open_cap"}


class Dealers(Protocol):
    """What a decision asks of the dealers, however they are kept."""

    def load(self, candidate: Candidate) -> Load: ...

    def by_code(self, code: str) -> Candidate | None: ...

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

    Contenders hold at least all that can be among the ranked ones shown.
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
    stream = dealers.nearest(lead)
    beyond: Iterable[tuple[float, Candidate]] = ()
    for chord, candidate in stream:
        if chord > bounds.reach_km:
            beyond = chain([(chord, candidate)], stream)
            break
        load = dealers.load(candidate)
        reason = why_refused(lead, candidate, load, policy, at)
        if reason is None:
            hours = hours_at(candidate, at)
            reason = why_too_late(hours, policy, at)
        if reason is not None:
            found.refused.append((chord, candidate, reason))
            continue
        bonus = bounds.bonus_km if hours.open_now else 0.0
        if not bounds.may_matter(chord, chord - bonus):
            continue
        distance = geodesic_km(lat, lon, candidate.lat, candidate.lon)
        if distance > bounds.widest_km:
            found.refused.append((chord, candidate, _too_far(distance, policy)))
            continue
        effective = distance - bonus
        bounds.admit(distance, effective)
        found.contenders.append(
            Contender(candidate, load, chord, distance, effective, hours.open_now, hours.opens_at)
        )
    if found.contenders:
        found.ring_km = bounds.ring_km
        inside = [each for each in found.contenders if _km(each) <= bounds.ring_km]
        found.contenders = inside
    else:
        _explain_nobody(found, lead, lat, lon, dealers, beyond, policy, at)
    return found


class _Bounds:
    """How far the search must go on, given what it has met."""

    def __init__(self, policy: Policy, band: str) -> None:
        self._policy = policy
        self._rings = policy.reaches_km
        self._nearest_km = math.inf
        self._met: list[tuple[float, float]] = []
        self._inner_km = math.inf
        self._limit = math.inf
        self.bonus_km = policy.bonus_km(band)
        self.widest_km = self._rings[-1]
        self.ring_km = self.widest_km
        self.reach_km = self.widest_km + 2 * BOUND_KM

    def may_matter(self, chord_km: float, effective_at_best_km: float) -> bool:
        """Whether a dealer at this chord can be shown, or can make a narrower ring suffice."""
        return effective_at_best_km <= self._limit or chord_km <= self._inner_km

    def admit(self, distance_km: float, effective_km: float) -> None:
        """Take an eligible dealer into account."""
        insort(self._met, (effective_km, distance_km))
        if distance_km < self._nearest_km:
            self._nearest_km = distance_km
            self.ring_km = next(ring for ring in self._rings if distance_km <= ring)
            narrower = [ring for ring in self._rings if ring < self.ring_km]
            self._inner_km = narrower[-1] + BOUND_KM if narrower else -math.inf
        self._limit = self._worst_shown_km() + BOUND_KM
        self.reach_km = min(self.ring_km, self._limit + self.bonus_km) + 2 * BOUND_KM

    def _worst_shown_km(self) -> float:
        shown = self._policy.shown_ranked
        for effective, distance in self._met:
            if distance > self.ring_km:
                continue
            shown -= 1
            if shown == 0:
                # The best of any remainder lies no further than this one less its bonus.
                share = self._policy.tolerance_share * (effective + self.bonus_km)
                return effective + max(self._policy.tolerance_km, share)
        return math.inf


def _km(contender: Contender) -> float:
    return contender.distance_km or 0.0


def _too_far(distance_km: float, policy: Policy) -> Reason:
    return "out_of_range", {"distance_km": distance_km, "widest_km": policy.reaches_km[-1]}


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
    reasons = {reason for _, _, (reason, _) in found.refused}
    found.cause = _cause(reasons)
    if found.cause is not None:
        return
    if "out_of_range" in reasons:
        found.cause = "out_of_range"
        return
    coincident: list[tuple[float, str, float, Candidate]] = []
    for chord, candidate in beyond:
        if coincident and chord > coincident[0][2] + BOUND_KM:
            break
        reason = why_refused(lead, candidate, dealers.load(candidate), policy, at)
        if reason is None or reason[0] not in _NOT_OF_HERE:
            distance = geodesic_km(lat, lon, candidate.lat, candidate.lon)
            coincident.append((distance, candidate.code, chord, candidate))
    if coincident:
        distance, _, chord, candidate = min(coincident, key=lambda each: each[:2])
        found.refused.append((chord, candidate, _too_far(distance, policy)))
        found.cause = "out_of_range"
        return
    found.cause = "no_competence"


def _cause(reasons: set[str]) -> str | None:
    """The cause that says most: a cap may free, an opening will come, the rest needs a person."""
    if reasons & _CAPS:
        return "all_capped"
    if "no_opening" in reasons:
        return "no_opening"
    return "all_refused" if reasons - _NOT_OF_HERE else None
