"""Pure: in which hours of a period somebody is there for customers, and how many are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from lmt.workhours import Calendar, open_stretches

HOUR = 3_600


def staffed_hours(
    calendars: Mapping[Calendar, int],
    timezone: str,
    first: date,
    last: date,
    until_at: datetime,
) -> dict[tuple[date, int], float]:
    """Open hours by day and hour of the week (0 to 167, from Monday's midnight) on the wall of
    `timezone`, of the days `first` to `last` as far as they have passed at `until_at`. `calendars`:
    how many dealers keep each. Hours in which nobody is open are missing."""
    zone = ZoneInfo(timezone)
    start = datetime.combine(first, time(), zone).astimezone(UTC)
    end = datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC)
    end = min(end, until_at)
    if end <= start:
        return {}
    count = -(-(end - start) // timedelta(hours=1))
    # A period that is over is asked again and again.
    seconds_of = _kept_open_seconds if end < until_at else _open_seconds
    open_seconds = np.zeros(count)
    for calendar, keepers in calendars.items():
        open_seconds += keepers * seconds_of(calendar, start, end)
    found: dict[tuple[date, int], float] = {}
    for key, seconds in zip(_walls(zone, start, count), open_seconds.tolist(), strict=True):
        if seconds:
            found[key] = found.get(key, 0.0) + seconds / HOUR
    return found


@lru_cache(maxsize=32)
def _walls(zone: ZoneInfo, start: datetime, hours: int) -> tuple[tuple[date, int], ...]:
    """Day and hour of the week of each hour since `start`. Markets of a zone share them."""
    walls = ((start + timedelta(hours=number)).astimezone(zone) for number in range(hours))
    return tuple((wall.date(), wall.weekday() * 24 + wall.hour) for wall in walls)


def _open_seconds(
    calendar: Calendar, start: datetime, end: datetime
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """In each hour since `start`; the last may be shorter."""
    count = -(-(end - start) // timedelta(hours=1))
    marks = np.minimum(np.arange(count + 1) * HOUR, (end - start).total_seconds())
    edges, passed = [0.0], [0.0]
    for opens, closes in open_stretches(calendar, start, end):
        since, until = ((max(opens, start) - start), (min(closes, end) - start))
        edges += [since.total_seconds(), until.total_seconds()]
        passed += [passed[-1], passed[-1] + (until - since).total_seconds()]
    return np.diff(np.interp(marks, edges, passed))


_kept_open_seconds = lru_cache(maxsize=256)(_open_seconds)
