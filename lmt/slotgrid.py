"""Pure: the times that can be booked at a dealer, cut out of the hours in which it is open.

Every open stretch is cut from its opening on, so the first time of a day is when the doors open.
A stretch longer than a day (a team that never closes) is cut at each midnight on the dealer's wall,
or its times would depend on where one began to count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Protocol
from zoneinfo import ZoneInfo

from lmt.workhours import Calendar, local_date, open_stretches

DAY = timedelta(days=1)
_AROUND = DAY + timedelta(hours=2)
"""So far a stretch is followed beyond the days asked for: longer than any local day."""


class Terms(Protocol):
    """What a dealer lets people book: minutes each, how many at once, how soon, how far ahead."""

    @property
    def minutes(self) -> int: ...
    @property
    def capacity(self) -> int: ...
    @property
    def notice_minutes(self) -> int: ...
    @property
    def days_ahead(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Slot:
    """A time that may be booked; `free` places are left, 0 for one that is full. Instants, UTC."""

    starts_at: datetime
    ends_at: datetime
    free: int


def slots(
    calendar: Calendar,
    terms: Terms,
    at: datetime,
    first_day: date,
    days: int,
    used: Mapping[datetime, int],
) -> tuple[Slot, ...]:
    """The times of stretches that begin on `days` days from `first_day` on, the dealer's dates.

    None before `at` and the notice, none after the last day ahead; `used` says how many places of
    a time are taken. Durations are elapsed time: where the clock is changed, the wall shows it.
    """
    if terms.capacity < 1 or days < 1:
        return ()
    earliest_at = at + timedelta(minutes=terms.notice_minutes)
    last_day = local_date(calendar, at) + timedelta(days=terms.days_ahead)
    length = timedelta(minutes=terms.minutes)
    found = []
    for starts_at, ends_at in _stretches(calendar, first_day, days):
        while starts_at + length <= ends_at:
            if starts_at >= earliest_at and local_date(calendar, starts_at) <= last_day:
                free = max(0, terms.capacity - used.get(starts_at, 0))
                found.append(Slot(starts_at, starts_at + length, free))
            starts_at += length
    return tuple(found)


def slot_at(
    calendar: Calendar,
    terms: Terms,
    at: datetime,
    starts_at: datetime,
    used: Mapping[datetime, int],
) -> Slot | None:
    """The slot that begins at this very instant; None where there is none to be booked at `at`."""
    if not at <= starts_at <= at + DAY * (terms.days_ahead + 2):
        # What somebody typed may lie where no calendar reaches.
        return None
    # Hours past midnight belong to the day before.
    first_day = local_date(calendar, starts_at) - DAY
    around = slots(calendar, terms, at, first_day, 2, used)
    return next((slot for slot in around if slot.starts_at == starts_at), None)


def _stretches(
    calendar: Calendar, first_day: date, days: int
) -> Iterator[tuple[datetime, datetime]]:
    zone = ZoneInfo(calendar.timezone)
    midnights = [
        datetime.combine(first_day + timedelta(days=n), time(), zone).astimezone(UTC)
        for n in range(days + 2)
    ]
    since, until = midnights[0], midnights[days]
    for opens_at, closes_at in open_stretches(calendar, since - _AROUND, until + _AROUND):
        pieces = [(opens_at, closes_at)]
        if closes_at - opens_at > DAY:
            cuts = [opens_at, *(m for m in midnights if opens_at < m < closes_at), closes_at]
            pieces = list(pairwise(cuts))
        yield from (piece for piece in pieces if since <= piece[0] < until)
