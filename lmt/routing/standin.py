"""Who stands in where a decision chose nobody: the market's duty desk, or its fallback team.

Pure: the shell has a decision with a cause, and asks what comes of it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from lmt.routing.candidate import Candidate, LeadFacts
from lmt.routing.decision import Decision
from lmt.routing.policy import Policy
from lmt.workhours import add_working_minutes, next_opening


class Teams(Protocol):
    """Whoever knows dealers by their code: a `Network`."""

    def by_code(self, code: str, /) -> Candidate | None: ...


def waits_until(
    decision: Decision, policy: Policy, since: datetime | None, at: datetime
) -> datetime | None:
    """Until when a lead that found every dealer full waits for a freed place, without a dealer
    `since` (None: from now on). None where it does not wait, or has waited long enough."""
    if decision.cause != "all_capped":
        return None
    until = (since or at) + timedelta(minutes=policy.cap_wait_minutes)
    return until if at < until else None


def stand_in(
    teams: Teams, decision: Decision, policy: Policy, *, waits: bool
) -> tuple[Candidate | None, str]:
    """The market's own team for a lead that nobody else can take, and how it comes to it.

    A hot lead for which nobody opens in time is the duty desk's. What is unlocated, or still
    waits, is nobody's.
    """
    facts = decision.lead
    if decision.cause == "unlocated" or waits:
        return None, ""
    if decision.cause == "no_opening" and facts.band == "hot":
        desk = _team(teams, policy.duty_desk, facts)
        if desk is not None:
            return desk, "duty_desk"
    team = _team(teams, policy.fallback_dealer, facts)
    return team, "fallback" if team is not None else ""


def given(
    decision: Decision, dealer: Candidate, how: str, policy: Policy, at: datetime
) -> Decision:
    """The decision with a dealer that a person, or the want of any other, has chosen."""
    opening = next_opening(dealer.calendar, at)
    facts = decision.lead
    minutes = policy.promise_minutes(facts.band, facts.hop)
    return replace(
        decision,
        chosen=dealer.code,
        chosen_id=dealer.id,
        how=how,
        opens_at=None if opening == at else opening,
        respond_by=add_working_minutes(dealer.calendar, at, minutes),
        look_again_at=None,
        waits_for=(),
    )


def cause_of(decision: Decision) -> str:
    """Why nobody has it; that everybody was asked says more than that nobody is left."""
    refused = {refusal.reason for refusal in decision.refused}
    left = decision.cause in {"all_refused", "out_of_range"}
    if left and decision.lead.tried and "tried" in refused:
        return "all_tried"
    return decision.cause or ""


def _team(teams: Teams, code: str, facts: LeadFacts) -> Candidate | None:
    """The team of this code, unless it had this lead already. It has no caps."""
    team = teams.by_code(code) if code else None
    if team is None or team.code in facts.tried:
        return None
    return team if team.active and not team.paused and team.reachable else None
