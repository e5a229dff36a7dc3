"""When the reader of a mail is at work again: reminders wait for it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from lmt.workhours import Calendar, local_date, next_opening

EARLIEST_MORNING = time(7)
"""A desk that never closes reads the day's first mail from here on, by its own clock."""
DAYS_AHEAD = 366


def next_at_work(calendar: Calendar, at: datetime) -> datetime:
    """`at` where the reader is at work, else when they next are.

    `at`, too, for a calendar that never opens: a mail that waits for ever is no reminder.
    """
    return next_opening(calendar, at) or at


def next_morning(calendar: Calendar, at: datetime) -> datetime:
    """The first opening of a day, at or after `at`; of a calendar that never opens, `at`."""
    zone = ZoneInfo(calendar.timezone)
    today = local_date(calendar, at)
    for days in range(DAYS_AHEAD):
        day = today + timedelta(days=days)
        morning = datetime.combine(day, EARLIEST_MORNING, zone).astimezone(UTC)
        opens_at = next_opening(calendar, morning)
        if opens_at is None:
            return at
        if opens_at >= at and local_date(calendar, opens_at) == day:
            return opens_at
    return at
