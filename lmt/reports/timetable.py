"""Pure: when a report that is mailed again and again is due next."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EVERY = ("day", "week", "month")


def next_at(every: str, day: int, minute: int, timezone: str, after_at: datetime) -> datetime:
    """The first due instant after `after_at`, in UTC.

    `day` is that of the week (0 is Monday) or of the month (from 1; a month without it is due on
    its last); `minute` is that of the day on the wall of `timezone`. An hour that a zone skips is
    due as much later as was skipped; of one that comes twice the first. Raises ValueError for an
    unknown `every`.
    """
    if every not in EVERY:
        raise ValueError(f"due every {every!r}")
    zone = ZoneInfo(timezone)
    # A day earlier than today, since a zone may skip or repeat one (Samoa in 2011).
    first = after_at.astimezone(zone).date() - timedelta(days=1)
    return next(
        due_at
        for due_on in _days(every, day, first)
        if (due_at := _on(due_on, minute, zone)) > after_at
    )


def _days(every: str, day: int, first: date) -> Iterator[date]:
    """The due days from `first` on."""
    if every == "month":
        year, month = first.year, first.month
        while True:
            yield date(year, month, min(max(day, 1), monthrange(year, month)[1]))
            year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    due_on = first + timedelta(days=(day - first.weekday()) % 7 if every == "week" else 0)
    while True:
        yield due_on
        due_on += timedelta(days=7 if every == "week" else 1)


def _on(day: date, minute: int, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(minute // 60, minute % 60), zone).astimezone(UTC)
