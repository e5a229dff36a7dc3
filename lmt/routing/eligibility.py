"""Who could take the lead at all: the first reason why a dealer can't, with its figures.

Distance and ranking come later; being closed at this hour is no reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from lmt.routing.candidate import Candidate, LeadFacts, Load, has_model, is_competent
from lmt.routing.policy import Policy
from lmt.workhours import is_open, local_date, next_opening

Reason = tuple[str, Mapping[str, Any]]

_NO_FIGURES: Mapping[str, Any] = {}


class Hours(NamedTuple):
    """Whether a dealer is open now, else when it next opens; None for both if never."""

    open_now: bool
    opens_at: datetime | None


def why_refused(
    lead: LeadFacts,
    candidate: Candidate,
    load: Load,
    policy: Policy,
    at: datetime,
    *,
    by_right: bool = False,
    chosen_by_customer: bool = False,
) -> Reason | None:
    """The reason code and figures, or None for a dealer who may take it, distance apart.

    `by_right` is for a dealer with a claim beside being near, without which a team gets nothing.
    The customer's own choice overrides the language rule: they know whom they ask. Caps come last
    since waiting mends only them.
    """
    if not is_competent(candidate, lead.brand, lead.service):
        return "no_competence", {"brand": lead.brand, "service": lead.service}
    return why_unable(
        lead,
        candidate,
        load,
        policy,
        at,
        by_right=by_right,
        chosen_by_customer=chosen_by_customer,
    )


def why_unable(
    lead: LeadFacts,
    candidate: Candidate,
    load: Load,
    policy: Policy,
    at: datetime,
    *,
    by_right: bool = False,
    chosen_by_customer: bool = False,
) -> Reason | None:
    """`why_refused` of a dealer known to be competent.

    Asked of every dealer near the lead: what goes without saying for most of them is seen here,
    without a call.
    """
    if candidate.models and not has_model(candidate, lead.brand, lead.service, lead.model):
        return "model", {"model": lead.model}
    if not candidate.active:
        return "inactive", _NO_FIGURES
    home, there = lead.country, candidate.country
    if home != there and not policy.may_serve(home, there):
        return "country", {"customer": home, "dealer": there}
    if candidate.kind == "team" and not by_right:
        return "team_only", _NO_FIGURES
    if policy.language_required and not chosen_by_customer and not _speaks(candidate, lead):
        return "language", {"language": lead.language}
    if not candidate.reachable:
        return "not_reachable", _NO_FIGURES
    if candidate.paused:
        return "paused", _NO_FIGURES
    if candidate.calendar.closures:
        last_day = _closed_until(candidate, at)
        if last_day is not None:
            return "on_closure", {"last_day": last_day.isoformat()}
    if candidate.code in lead.tried:
        return "tried", _NO_FIGURES
    cap = candidate.day_cap
    if cap is not None and load.day_used >= cap:
        return "day_cap", {"used": load.day_used, "cap": cap}
    cap = candidate.month_cap
    if cap is not None and load.month_used >= cap:
        return "month_cap", {"used": load.month_used, "cap": cap}
    cap = candidate.open_cap
    if cap is not None and load.open_used >= cap:
        return "open_cap", {"used": load.open_used, "cap": cap}
    return None


def hours_at(candidate: Candidate, at: datetime) -> Hours:
    """Open now, or the next opening."""
    if is_open(candidate.calendar, at):
        return Hours(True, None)
    return Hours(False, next_opening(candidate.calendar, at))


def why_too_late(
    hours: Hours, policy: Policy, at: datetime, *, chosen_by_customer: bool = False
) -> Reason | None:
    """`no_opening` for a dealer that doesn't open within the policy's hours.

    The customer's own choice may wait longer, as long as it opens at all.
    """
    if hours.open_now:
        return None
    if hours.opens_at is None:
        return "no_opening", {"opens_at": None, "max_wait_hours": policy.max_wait_hours}
    if chosen_by_customer or hours.opens_at <= at + timedelta(hours=policy.max_wait_hours):
        return None
    figures = {"opens_at": hours.opens_at.isoformat(), "max_wait_hours": policy.max_wait_hours}
    return "no_opening", figures


def _speaks(candidate: Candidate, lead: LeadFacts) -> bool:
    if not lead.language or not candidate.languages:
        return True
    return lead.language in candidate.languages


def _closed_until(candidate: Candidate, at: datetime) -> date | None:
    today = local_date(candidate.calendar, at)
    closures = candidate.calendar.closures
    return max((last for first, last in closures if first <= today <= last), default=None)
