"""A dealer's opening hours of the coming week, day by day, as read off a door."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from lmt.workhours import Calendar, open_stretches

DAYS = 7


@dataclass(frozen=True, slots=True)
class Day:
    """A date at the dealer's, and its open spans (instants); none means closed."""

    day: date
    spans: tuple[tuple[datetime, datetime], ...]


def coming_week(calendar: Calendar, at: datetime) -> list[Day]:
    """Today and the six days after it, in the dealer's zone; a span belongs to the day it
    begins on."""
    zone = ZoneInfo(calendar.timezone)
    today = at.astimezone(zone).date()
    midnights = [
        datetime.combine(today + timedelta(days=n), time(), zone).astimezone(UTC)
        for n in range(DAYS + 1)
    ]
    spans = list(open_stretches(calendar, midnights[0], midnights[-1]))
    return [
        Day(
            today + timedelta(days=n),
            tuple(span for span in spans if midnights[n] <= span[0] < midnights[n + 1]),
        )
        for n in range(DAYS)
    ]
