"""Pure: how far a month has come, and what it comes to if it goes on like that."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from lmt.reports.question import months_on

SHORTEST = timedelta(days=1)
"""Of less a pace says nothing."""


def months_of(first: date, last: date) -> list[date]:
    """The first days of the months that these days lie in."""
    months = [first.replace(day=1)]
    while (following := months_on(months[-1], 1)) <= last:
        months.append(following)
    return months


def passed_share(month: date, first: date, last: date, timezone: str, at: datetime) -> float | None:
    """Which part of the month lies within the days `first` to `last` and has passed at `at`, on the
    wall of `timezone`; None of less than a day."""
    following = months_on(month, 1)
    since = _midnight(max(month, first), timezone)
    until = min(_midnight(min(following, last + timedelta(days=1)), timezone), at)
    if until - since < SHORTEST:
        return None
    return (until - since) / (_midnight(following, timezone) - _midnight(month, timezone))


def at_this_pace(so_far: float, passed: float) -> float:
    """What the whole month comes to, if all goes on so: 30 after a third of it come to 90."""
    return so_far / passed


def _midnight(day: date, timezone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)
