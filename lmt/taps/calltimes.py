"""When whoever takes a lead by a link could call: soon, and at the openings that come next."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from lmt.workhours import Calendar, is_open, local_date, next_opening

SOON = timedelta(minutes=15)
STEP_MINUTES = 5
AHEAD = timedelta(days=14)
"""A call that is planned later was not meant so."""


def call_times(calendar: Calendar, at: datetime) -> tuple[datetime, ...]:
    """Two or three instants after `at`, the first first: in a quarter of an hour while the dealer
    is open, the opening of today, that of the next day. Always one at least."""
    soon = _rounded(at + SOON)
    if is_open(calendar, soon):
        found = [soon]
    else:
        opening = next_opening(calendar, soon)
        found = [soon if opening is None else opening]
    after = local_date(calendar, found[0]) + timedelta(days=1)
    midnight = datetime.combine(after, time(), ZoneInfo(calendar.timezone))
    later = next_opening(calendar, midnight)
    return tuple(found if later is None or later in found else [*found, later])


def call_at(said: str, at: datetime) -> datetime | None:
    """The instant that a form names, None for none; one that has passed meanwhile is now.

    Raises ValueError for what is no instant, or lies too far ahead.
    """
    if not said:
        return None
    named = datetime.fromisoformat(said)
    if named.tzinfo is None or named > at + AHEAD:
        raise ValueError(f"no time to call at: {said}")
    return max(named, at)


def _rounded(at: datetime) -> datetime:
    """Up to the next five minutes."""
    past = timedelta(
        minutes=at.minute % STEP_MINUTES, seconds=at.second, microseconds=at.microsecond
    )
    return at + (timedelta(minutes=STEP_MINUTES) - past if past else timedelta())
