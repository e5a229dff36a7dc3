"""What a lead waits for that nobody could take: a dealer's freed cap, or a dealer's own clock."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from lmt.routing.candidate import Candidate
from lmt.routing.eligibility import hours_at, why_too_late
from lmt.routing.policy import Policy
from lmt.routing.search import CAPS
from lmt.workhours import Calendar, local_date, next_opening

Hope = tuple[Candidate, str, bool]
"""A dealer that would be asked but for this reason, and whether the customer chose it."""


def waits_for(hopes: Iterable[Hope], policy: Policy, at: datetime) -> tuple[int, ...]:
    """The ids of those whom a cap alone keeps from the lead, in growing order."""
    return tuple(
        sorted(
            {
                candidate.id
                for candidate, reason, chosen in hopes
                if reason in CAPS and _opens_in_time(candidate, policy, at, chosen)
            }
        )
    )


def look_again_at(hopes: Iterable[Hope], policy: Policy, at: datetime) -> datetime | None:
    """The first instant after `at` at which one of the reasons may be gone by itself."""
    instants = (mends_at(candidate, reason, policy, at) for candidate, reason, _ in hopes)
    return min((each for each in instants if each is not None), default=None)


def mends_at(candidate: Candidate, reason: str, policy: Policy, at: datetime) -> datetime | None:
    """When time alone ends the reason; None where it doesn't."""
    calendar = candidate.calendar
    if reason == "day_cap":
        return _midnight(calendar, local_date(calendar, at) + timedelta(days=1))
    if reason == "month_cap":
        in_next_month = local_date(calendar, at).replace(day=28) + timedelta(days=4)
        return _midnight(calendar, in_next_month.replace(day=1))
    opens_at = next_opening(calendar, at) if reason in {"on_closure", "no_opening"} else None
    if opens_at is None or reason == "on_closure":
        return opens_at
    return opens_at - timedelta(hours=policy.max_wait_hours)


def _opens_in_time(candidate: Candidate, policy: Policy, at: datetime, chosen: bool) -> bool:
    return why_too_late(hours_at(candidate, at), policy, at, chosen_by_customer=chosen) is None


def _midnight(calendar: Calendar, day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(calendar.timezone)).astimezone(UTC)
