"""Whom a decision passes over, and what each of them is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from lmt.routing.candidate import Candidate, LeadFacts, is_competent
from lmt.routing.decision import Refusal
from lmt.routing.eligibility import Reason, hours_at, why_refused, why_too_late
from lmt.routing.geo import about_km
from lmt.routing.policy import Policy
from lmt.routing.search import Dealers
from lmt.routing.territory import TEAM

Met = tuple[float, Candidate, Reason | None]
"""Chord km, a dealer that doesn't get it, and why; None while nobody has asked why."""


class Refusals:
    """The refusals of one decision under way: `told` are those of dealers with a right to the
    lead, by code, in the order in which they were asked."""

    def __init__(self, dealers: Dealers, lead: LeadFacts, policy: Policy, at: datetime) -> None:
        self._dealers, self._lead, self._policy, self._at = dealers, lead, policy, at
        self._asked: list[tuple[Candidate, float | None]] = []
        self.told: dict[str, Refusal] = {}

    def note_asked(self, candidate: Candidate, chord: float | None) -> None:
        """A dealer with a right to the lead: it isn't told once more that it lacks competence."""
        self._asked.append((candidate, chord))

    def tell(self, candidate: Candidate, chord: float | None, reason: Reason) -> None:
        self.told[candidate.code] = _refusal(chord, candidate, reason)

    def why_not(self, candidate: Candidate) -> Reason | None:
        """Why a dealer without a right to the lead can't take it, distance apart."""
        load = self._dealers.load(candidate)
        reason = why_refused(self._lead, candidate, load, self._policy, self._at)
        return reason or why_too_late(hours_at(candidate, self._at), self._policy, self._at)

    def passed_over(self, contenders: set[int], reach: float, *, by_team: bool) -> list[Met]:
        """The competent ones that are nearer than whoever has a right to the lead."""
        met: list[Met] = []
        for chord, candidate in self._dealers.nearest(self._lead):
            if chord > reach:
                break
            if candidate.id not in contenders and not (by_team and candidate.kind == TEAM):
                met.append((chord, candidate, None))
        return met

    def listed(
        self, met: Sequence[Met], within_km: float | None, otherwise: Reason
    ) -> tuple[tuple[Refusal, ...], int]:
        """Those told, then the competent ones met, then the others within the chord, by nearness;
        and how many are left off. `otherwise` is for whom no reason of their own is found."""
        lead, most = self._lead, self._policy.shown_refusals
        shown = list(self.told.values())
        fresh = [each for each in met if each[1].code not in self.told]
        fresh.sort(key=lambda each: (each[0], each[1].code))
        room = max(0, most - len(shown))
        for chord, candidate, known in fresh[:room]:
            reason = known or self.why_not(candidate) or otherwise
            shown.append(_refusal(chord, candidate, reason))
        more = max(0, len(fresh) - room)
        if within_km is None:
            return tuple(shown), more
        asked = {
            candidate.id
            for candidate, chord in self._asked
            if chord is not None and chord <= within_km
            if not is_competent(candidate, lead.brand, lead.service)
        }
        room = max(0, most - len(shown))
        others, number = self._dealers.incompetent(lead, within_km, room + len(asked))
        if asked:
            others = [other for other in others if other[1].id not in asked]
        added = others[:room]
        wanted: Reason = "no_competence", {"brand": lead.brand, "service": lead.service}
        shown += [_refusal(chord, other, wanted) for chord, other in added]
        return tuple(shown), more + number - len(asked) - len(added)


def _refusal(chord: float | None, candidate: Candidate, reason: Reason) -> Refusal:
    distance = None if chord is None else round(about_km(chord), 1)
    return Refusal(candidate.code, candidate.id, reason[0], distance, reason[1])
