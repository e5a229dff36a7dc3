"""The decision itself: the closest eligible dealer for a lead, and a reason for every other.

In order: the customer's own choice, the dealer already serving them, a team of the market where
the lead is for one, the owner of the territory, then the nearest by exact distance and working
hours. Pure and deterministic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from lmt.routing.candidate import Candidate, LeadFacts, is_competent
from lmt.routing.decision import CAUSES, Decision, Refusal
from lmt.routing.eligibility import hours_at, why_refused, why_too_late
from lmt.routing.geo import Ecef, chord_km, ecef_km, geodesic_km, is_place
from lmt.routing.listed import Listed
from lmt.routing.policy import Policy
from lmt.routing.ranking import Contender, ranking
from lmt.routing.refusals import Met, Refusals
from lmt.routing.search import (
    BOUND_KM,
    NOT_OF_HERE,
    Dealers,
    Found,
    cause_of,
    lies_within,
    nearest_eligible,
    too_far,
)
from lmt.routing.territory import TEAM_SERVICES, Territories, has_territory
from lmt.routing.waiting import Hope, look_again_at, waits_for
from lmt.workhours import add_working_minutes


def decide(
    lead: LeadFacts, candidates: Iterable[Candidate], policy: Policy, at: datetime
) -> Decision:
    """Who gets the lead among these dealers, in any order; ids and codes are unique.

    `at` is aware (else ValueError). Where the answer is a cause, duty desk and fallback team are
    the caller's to apply.
    """
    return decision_among(Listed(lead, candidates), lead, policy, at)


def is_located(lead: LeadFacts, policy: Policy) -> bool:
    """Whether the lead's place is usable, and precise enough for the policy."""
    return is_place(lead.lat, lead.lon) and lead.accuracy_km <= policy.max_accuracy_km


def is_for_team(lead: LeadFacts, policy: Policy) -> bool:
    """Whether a team of the market is asked before any showroom."""
    return (
        not lead.model_sold
        or lead.service in TEAM_SERVICES
        or lead.customer_kind in policy.team_for
    )


def goes_by_distance(lead: LeadFacts, policy: Policy) -> bool:
    """Whether nothing but kilometres can decide, unless somebody owns the place."""
    return not (
        lead.preferred_dealer
        or lead.serving_dealer
        or (lead.road and policy.use_road)
        or lead.hop > policy.max_hops
        or is_for_team(lead, policy)
        or not is_located(lead, policy)
    )


def decision_among(dealers: Dealers, lead: LeadFacts, policy: Policy, at: datetime) -> Decision:
    """`decide` for dealers kept in any form."""
    if at.utcoffset() is None:
        raise ValueError("at must be an aware instant")
    return _Deciding(dealers, lead, policy, at).decision()


class _Deciding:
    """One decision under way: its inputs, and the claimants refused so far."""

    def __init__(self, dealers: Dealers, lead: LeadFacts, policy: Policy, at: datetime) -> None:
        self.dealers, self.lead, self.policy, self.at = dealers, lead, policy, at
        self.refusals = Refusals(dealers, lead, policy, at)
        self.refused = self.refusals.told
        self.hopes: list[Hope] = []
        self.moved_from = ""
        self.team_reasons: set[str] = set()
        self.for_team = is_for_team(lead, policy)
        self.place: tuple[float, float, Ecef] | None = None
        if is_located(lead, policy) and lead.lat is not None and lead.lon is not None:
            self.place = lead.lat, lead.lon, ecef_km(lead.lat, lead.lon)

    def decision(self) -> Decision:
        if self.lead.hop > self.policy.max_hops:
            return self._nobody("all_tried", [], None)
        return (
            self._preferred()
            or self._serving()
            or (self._team() if self.for_team else None)
            or self._territory()
            or self._nearest()
        )

    def _preferred(self) -> Decision | None:
        code = self.lead.preferred_dealer
        if not code:
            return None
        candidate = self.dealers.by_code(code)
        if candidate is None:
            self.refused[code] = Refusal(code, None, "unknown_dealer")
            return None
        contender = self._claimant(candidate, self.lead, chosen_by_customer=True)
        return self._given("preferred", [contender]) if contender else None

    def _serving(self) -> Decision | None:
        code = self.lead.serving_dealer
        candidate = self.dealers.by_code(code) if code and code not in self.refused else None
        if candidate is None:
            return None
        contender = self._claimant(candidate, self.lead)
        distance, widest = self._distance_km(candidate), self.policy.reaches_km[-1]
        if distance is None or distance <= widest:
            return self._given("serving", [contender]) if contender else None
        # Whoever moved far away is better served where they live now.
        self.moved_from = code
        self.hopes = [hope for hope in self.hopes if hope[0] is not candidate]
        if contender is not None:
            reason = too_far(distance, self.policy)
            self.refusals.tell(candidate, contender.chord_km, reason)
        return None

    def _team(self) -> Decision | None:
        """The team that owns the place, else any, by fair share: for a team no way is too far."""
        for service in self._team_services():
            # Ranges are what stands in showrooms.
            asked = replace(self.lead, service=service, model="")
            able = {}
            for team in sorted(self.dealers.teams(), key=lambda each: each.code):
                if not is_competent(team, asked.brand, service):
                    continue
                contender = None if team.code in self.refused else self._claimant(team, asked)
                if contender is not None:
                    able[team.id] = contender
                else:
                    self.team_reasons.add(self.refused[team.code].reason)
            if not able:
                continue
            claiming = {number: each.candidate for number, each in able.items()}
            if len(able) > 1 and any(map(has_territory, claiming.values())):
                territories = Territories(claiming.values())
                owners = territories.owners(asked, self.place is not None, claiming)
                able = {each.id: able[each.id] for each in owners} or able
            equals = [each._replace(effective_km=None, road=None) for each in able.values()]
            return self._given("team", equals, "not_a_team")
        return None

    def _team_services(self) -> list[str]:
        """What a team is asked for, the most fitting first."""
        wanted = [self.lead.service]
        if self.lead.service not in TEAM_SERVICES:
            if self.lead.customer_kind in self.policy.team_for:
                wanted.insert(0, "fleet")
            if not self.lead.model_sold:
                wanted.append("care")
        return wanted

    def _territory(self) -> Decision | None:
        owners = self.dealers.owners(self.lead, self.place is not None)
        able = [
            contender
            for owner in sorted(owners, key=lambda each: each.code)
            if owner.code not in self.refused or owner.code == self.moved_from
            if (contender := self._claimant(owner, self.lead)) is not None
        ]
        for contender in able:
            self.refused.pop(contender.candidate.code, None)
        return self._given("territory", able, "territory_of_other") if able else None

    def _nearest(self) -> Decision:
        if self.place is None:
            return self._nobody("unlocated", [], None)
        lat, lon, _ = self.place
        found = nearest_eligible(self.lead, lat, lon, self.dealers, self.policy, self.at)
        if found.contenders:
            return self._given("nearest", found.contenders, found=found)
        widest = self.policy.reaches_km[-1]
        self.hopes += [
            (candidate, reason[0], False)
            for chord, candidate, reason in found.refused
            if lies_within(chord, lat, lon, candidate, widest)
        ]
        reasons = set()
        for candidate in self.dealers.placeless(self.lead):
            reason = self.refusals.why_not(candidate) or ("no_location", {})
            reasons.add(reason[0])
            if candidate.code not in self.refused:
                self.refusals.tell(candidate, None, reason)
        causes = [found.cause or "no_competence"]
        if causes == ["no_competence"] and reasons - NOT_OF_HERE:
            causes = ["all_refused"]
        # A team would have taken it wherever it is.
        causes += [cause] if (cause := cause_of(self.team_reasons)) else []
        return self._nobody(min(causes, key=CAUSES.index), found.refused, widest + BOUND_KM)

    def _distance_km(self, candidate: Candidate) -> float | None:
        if self.place is None or not is_place(candidate.lat, candidate.lon):
            return None
        lat, lon, _ = self.place
        return geodesic_km(lat, lon, candidate.lat, candidate.lon)

    def _claimant(
        self, candidate: Candidate, asked: LeadFacts, *, chosen_by_customer: bool = False
    ) -> Contender | None:
        """A dealer who may take the lead by right, whatever the distance; else its refusal."""
        policy, at = self.policy, self.at
        chord = effective = None
        distance = self._distance_km(candidate)
        if self.place is not None and distance is not None:
            chord = chord_km(ecef_km(candidate.lat, candidate.lon), self.place[2])
        self.refusals.note_asked(candidate, chord)
        load, hours = self.dealers.load(candidate), hours_at(candidate, at)
        reason = why_refused(
            asked, candidate, load, policy, at, by_right=True, chosen_by_customer=chosen_by_customer
        ) or why_too_late(hours, policy, at, chosen_by_customer=chosen_by_customer)
        if reason is not None:
            self.refusals.tell(candidate, chord, reason)
            self.hopes.append((candidate, reason[0], chosen_by_customer))
            return None
        road = asked.road.get(candidate.id) if policy.use_road else None
        if distance is None:
            road = None
        else:
            bonus = policy.bonus_km(asked.band) if hours.open_now else 0.0
            effective = (distance if road is None else road[0]) - bonus
        return Contender(
            candidate, load, chord, distance, effective, hours.open_now, hours.opens_at, road
        )

    def _given(
        self,
        how: str,
        contenders: Sequence[Contender],
        others: str = "",
        found: Found | None = None,
    ) -> Decision:
        """The best of them gets it; `others` is what the nearer ones are told who could have."""
        ranked = ranking(contenders, self.policy)
        first = next(each for each in contenders if each.candidate.id == ranked[0].id)
        chosen = first.candidate
        met: list[Met] = []
        reach = None
        if first.chord_km is not None and (others or found):
            reach = first.chord_km + BOUND_KM
            if found is not None:
                met = [each for each in found.refused if each[0] <= reach]
            else:
                rivals = {each.candidate.id for each in contenders}
                met = self.refusals.passed_over(rivals, reach, by_team=how == "team")
        refused, more = self.refusals.listed(met, reach, (others, {"owner": chosen.code}))
        minutes = self.policy.promise_minutes(self.lead.band, self.lead.hop)
        return Decision(
            at=self.at,
            policy_version=self.policy.version,
            lead=self.lead,
            chosen=chosen.code,
            chosen_id=chosen.id,
            how=how,
            distance_km=first.distance_km,
            opens_at=first.opens_at,
            respond_by=add_working_minutes(chosen.calendar, self.at, minutes),
            ring_km=None if found is None else found.ring_km,
            ranked=tuple(ranked),
            refused=refused,
            more_refused=more,
        )

    def _nobody(self, cause: str, met: Sequence[Met], reach: float | None) -> Decision:
        refused, more = self.refusals.listed(met, reach, ("", {}))
        return Decision(
            at=self.at,
            policy_version=self.policy.version,
            lead=self.lead,
            cause=cause,
            refused=refused,
            more_refused=more,
            look_again_at=look_again_at(self.hopes, self.policy, self.at),
            waits_for=waits_for(self.hopes, self.policy, self.at),
        )
