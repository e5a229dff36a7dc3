"""The decision itself: the closest eligible dealer for a lead, and a reason for every other.

In order: the customer's own choice, the dealer already serving them, the owner of the territory,
then the nearest by exact distance and working hours. Pure and deterministic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from lmt.routing.candidate import Candidate, LeadFacts, Load, is_competent
from lmt.routing.decision import Decision, Refusal
from lmt.routing.eligibility import Reason, hours_at, why_refused, why_too_late
from lmt.routing.geo import Ecef, about_km, chord_km, ecef_km, geodesic_km, is_place
from lmt.routing.policy import Policy
from lmt.routing.ranking import Contender, as_ranked, ranking
from lmt.routing.search import BOUND_KM, Dealers, Refused, nearest_eligible
from lmt.routing.territory import Territories, claims_territory
from lmt.workhours import add_working_minutes


def decide(
    lead: LeadFacts, candidates: Iterable[Candidate], policy: Policy, at: datetime
) -> Decision:
    """Who gets the lead among these dealers, in any order; ids and codes are unique.

    `at` is aware (else ValueError). Where the answer is a cause, the market's fallback team is
    the caller's to apply.
    """
    return decision_among(_Listed(lead, candidates), lead, policy, at)


def is_located(lead: LeadFacts, policy: Policy) -> bool:
    """Whether the lead's place is usable, and precise enough for the policy."""
    return is_place(lead.lat, lead.lon) and lead.accuracy_km <= policy.max_accuracy_km


def decision_among(dealers: Dealers, lead: LeadFacts, policy: Policy, at: datetime) -> Decision:
    """`decide` for dealers kept in any form."""
    if at.utcoffset() is None:
        raise ValueError("at must be an aware instant")
    return _Deciding(dealers, lead, policy, at).decision()


class _Deciding:
    """One decision under way: its inputs, and the claimants refused so far."""

    def __init__(self, dealers: Dealers, lead: LeadFacts, policy: Policy, at: datetime) -> None:
        self.dealers, self.lead, self.policy, self.at = dealers, lead, policy, at
        self.refused: dict[str, Refusal] = {}
        self.place: tuple[float, float, Ecef] | None = None
        if is_located(lead, policy) and lead.lat is not None and lead.lon is not None:
            self.place = lead.lat, lead.lon, ecef_km(lead.lat, lead.lon)

    def decision(self) -> Decision:
        return self._preferred() or self._serving() or self._territory() or self._nearest()

    def _preferred(self) -> Decision | None:
        code = self.lead.preferred_dealer
        if not code:
            return None
        candidate = self.dealers.by_code(code)
        if candidate is None:
            self.refused[code] = Refusal(code, None, "unknown_dealer")
            return None
        contender = self._claimant(candidate, chosen_by_customer=True)
        return self._chosen("preferred", [contender]) if contender else None

    def _serving(self) -> Decision | None:
        code = self.lead.serving_dealer
        candidate = self.dealers.by_code(code) if code and code not in self.refused else None
        contender = self._claimant(candidate) if candidate else None
        if contender is None:
            return None
        # Whoever moved far away is better served where they live now.
        widest = self.policy.reaches_km[-1]
        if contender.distance_km is not None and contender.distance_km > widest:
            figures = {"distance_km": contender.distance_km, "widest_km": widest}
            reason: Reason = ("out_of_range", figures)
            self.refused[code] = _refusal(contender.chord_km, contender.candidate, reason)
            return None
        return self._chosen("serving", [contender])

    def _territory(self) -> Decision | None:
        owners = {
            owner.code: owner
            for owner in self.dealers.owners(self.lead, self.place is not None)
            if owner.code not in self.refused
        }
        able = [contender for each in owners.values() if (contender := self._claimant(each))]
        if not able:
            return None
        decision = self._chosen("territory", able)
        reach = _chord_of(decision, able)
        if self.place is None or reach is None:
            return decision
        nearer: list[Refused] = []
        for chord, candidate in self.dealers.nearest(self.lead):
            if chord > reach + BOUND_KM:
                break
            if candidate.code not in owners:
                reason = self._why_not(candidate)
                owned: Reason = ("territory_of_other", {"owner": decision.chosen})
                nearer.append((chord, candidate, reason or owned))
        return self._with_refusals(decision, nearer, reach + BOUND_KM)

    def _nearest(self) -> Decision:
        if self.place is None:
            return self._with_refusals(self._nobody("unlocated"), [], None)
        lat, lon, _ = self.place
        found = nearest_eligible(self.lead, lat, lon, self.dealers, self.policy, self.at)
        if found.contenders:
            decision = replace(self._chosen("nearest", found.contenders), ring_km=found.ring_km)
            reach = (_chord_of(decision, found.contenders) or 0.0) + BOUND_KM
            nearer = [refused for refused in found.refused if refused[0] <= reach]
            return self._with_refusals(decision, nearer, reach)
        cause = found.cause or "no_competence"
        for candidate in self.dealers.placeless(self.lead):
            reason = self._why_not(candidate) or ("no_location", {})
            if candidate.code not in self.refused:
                self.refused[candidate.code] = _refusal(None, candidate, reason)
            if cause == "no_competence" and reason[0] not in ("inactive", "country"):
                cause = "all_refused"
        return self._with_refusals(
            self._nobody(cause), found.refused, self.policy.reaches_km[-1] + BOUND_KM
        )

    def _why_not(self, candidate: Candidate, *, chosen_by_customer: bool = False) -> Reason | None:
        reason = why_refused(
            self.lead,
            candidate,
            self.dealers.load(candidate),
            self.policy,
            self.at,
            chosen_by_customer=chosen_by_customer,
        )
        return reason or why_too_late(
            hours_at(candidate, self.at),
            self.policy,
            self.at,
            chosen_by_customer=chosen_by_customer,
        )

    def _claimant(
        self, candidate: Candidate, *, chosen_by_customer: bool = False
    ) -> Contender | None:
        """A dealer who may take the lead by right, whatever the distance; else its refusal."""
        chord = distance = effective = None
        hours = hours_at(candidate, self.at)
        if self.place is not None and is_place(candidate.lat, candidate.lon):
            lat, lon, here = self.place
            chord = chord_km(ecef_km(candidate.lat, candidate.lon), here)
            distance = geodesic_km(lat, lon, candidate.lat, candidate.lon)
            bonus = self.policy.bonus_km(self.lead.band) if hours.open_now else 0.0
            effective = distance - bonus
        reason = self._why_not(candidate, chosen_by_customer=chosen_by_customer)
        if reason is not None:
            self.refused[candidate.code] = _refusal(chord, candidate, reason)
            return None
        load = self.dealers.load(candidate)
        return Contender(
            candidate, load, chord, distance, effective, hours.open_now, hours.opens_at
        )

    def _chosen(self, how: str, contenders: list[Contender]) -> Decision:
        order = ranking(contenders, self.policy)
        first = order[0]
        return Decision(
            at=self.at,
            policy_version=self.policy.version,
            lead=self.lead,
            chosen=first.candidate.code,
            chosen_id=first.candidate.id,
            how=how,
            distance_km=first.distance_km,
            opens_at=first.opens_at,
            respond_by=add_working_minutes(
                first.candidate.calendar, self.at, self.policy.respond_minutes(self.lead.band)
            ),
            ranked=tuple(as_ranked(order, contenders, self.policy)),
            refused=tuple(self.refused.values()),
        )

    def _nobody(self, cause: str) -> Decision:
        return Decision(self.at, self.policy.version, self.lead, cause=cause)

    def _with_refusals(
        self, decision: Decision, competent: list[Refused], within_km: float | None
    ) -> Decision:
        """Claimants first, then the competent, then the others within the reach, by nearness."""
        met = [each for each in competent if each[1].code not in self.refused]
        met.sort(key=lambda each: (each[0], each[1].code))
        room = max(0, self.policy.shown_refusals - len(self.refused))
        shown = [*self.refused.values(), *(_refusal(*each) for each in met[:room])]
        more = len(met) - len(met[:room])
        if within_km is not None:
            room = max(0, self.policy.shown_refusals - len(shown))
            # Some of them may have been refused as claimants already.
            limit = room + len(self.refused)
            others, number = self.dealers.incompetent(self.lead, within_km, limit)
            known = [other for other in others if other[1].code in self.refused]
            fresh = [other for other in others if other[1].code not in self.refused][:room]
            wanted: Reason = (
                "no_competence",
                {"brand": self.lead.brand, "service": self.lead.service},
            )
            shown += [_refusal(chord, other, wanted) for chord, other in fresh]
            more += number - len(known) - len(fresh)
        return replace(decision, refused=tuple(shown), more_refused=more)


def _chord_of(decision: Decision, contenders: list[Contender]) -> float | None:
    for contender in contenders:
        if contender.candidate.code == decision.chosen:
            return contender.chord_km
    return None


def _refusal(chord: float | None, candidate: Candidate, reason: Reason) -> Refusal:
    distance = None if chord is None else round(about_km(chord), 1)
    return Refusal(candidate.code, candidate.id, reason[0], distance, reason[1])


class _Listed:
    """Dealers as given, measured one by one: for the few, and as the measure for the many."""

    def __init__(self, lead: LeadFacts, candidates: Iterable[Candidate]) -> None:
        self._candidates = sorted(candidates, key=lambda candidate: candidate.code)
        self._by_code = {candidate.code: candidate for candidate in self._candidates}
        self._chords: list[tuple[float, Candidate]] = []
        if is_place(lead.lat, lead.lon):
            assert lead.lat is not None
            assert lead.lon is not None
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

    def owners(self, lead: LeadFacts, located: bool) -> Sequence[Candidate]:
        claiming = {each.id: each for each in self._candidates if claims_territory(each)}
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
