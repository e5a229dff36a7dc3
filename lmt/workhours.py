"""Calendars and working time: they say which dealer is open when a lead is routed, and until
when it may take to answer.

Hours are OpenStreetMap `opening_hours` values, read by `lmt.openinghours`; public holidays (`PH`)
come from `lmt.publicholidays`. An instant is open when the clock on the dealer's wall shows an open
time and no closure covers that date. So hours inside the hour skipped in spring never come to
pass, and hours inside the hour repeated in autumn come twice. Special days have hours of their own
in the place of the normal ones; hours past midnight belong to the day they began on, so the night
before a special day ends as on any other. Durations are elapsed time, in minutes.

A value `hours_problem` refuses to read is never open. Instants must be aware (TypeError), the
time zone known (`zoneinfo.ZoneInfoNotFoundError`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from weakref import WeakValueDictionary
from zoneinfo import ZoneInfo

from lmt.openinghours import SpecialDays, hours_problem, wall_stretches
from lmt.publicholidays import holiday_name

__all__ = [
    "Calendar",
    "add_working_minutes",
    "closes_at",
    "holiday_name",
    "hours_problem",
    "is_open",
    "local_date",
    "next_opening",
    "open_stretches",
    "working_minutes_between",
]

HORIZON_DAYS = 366

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400
_BLOCK = 28 * _DAY
_MICROSECOND = timedelta(microseconds=1)
# Outside these years dates overflow and holidays mean nothing: every calendar is closed.
_FIRST_BLOCK = int((datetime(1900, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds()) // _BLOCK
_LAST_BLOCK = int((datetime(2400, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds()) // _BLOCK


_MOST_BLOCKS = 6
"""Kept by each calendar in use: a promise looks a few weeks ahead, a replay moves on in time."""


class _Blocks(dict[int, tuple[int, ...]]):
    """Boundaries by block, of all equal calendars alive."""

    __slots__ = ("__weakref__",)


_blocks_of: WeakValueDictionary[tuple[Any, ...], _Blocks] = WeakValueDictionary()


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a dealer works: `hours` in OpenStreetMap syntax, an IANA `timezone`, the ISO 3166-1
    alpha-2 `country` whose holidays `PH` stands for, `closures` as (first, last) day closed, and
    `special` as (first day, last day, hours in the place of the normal ones), of which the first
    that covers a date counts. Days are inclusive, in the dealer's own dates. Closures close
    special days, too. Hours without a `PH` rule ignore holidays.
    """

    hours: str
    timezone: str
    country: str = ""
    closures: tuple[tuple[date, date], ...] = ()
    special: tuple[SpecialDays, ...] = ()
    # Found once: hashing five fields at every question would cost more than the answer.
    _blocks: _Blocks = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        key = (self.hours, self.timezone, self.country, self.closures, self.special)
        blocks = _blocks_of.get(key)
        if blocks is None:
            blocks = _blocks_of.setdefault(key, _Blocks())
        object.__setattr__(self, "_blocks", blocks)

    def __reduce__(self) -> tuple[type[Calendar], tuple[Any, ...]]:
        """Copies in other processes find their own blocks."""
        return Calendar, (self.hours, self.timezone, self.country, self.closures, self.special)


def is_open(calendar: Calendar, at: datetime) -> bool:
    """Does the dealer work at `at`? Stretches include their first instant, not their last."""
    since = at - _EPOCH
    seconds = since.days * _DAY + since.seconds
    index = seconds // _BLOCK
    block = calendar._blocks.get(index)
    if block is None:
        block = _block(calendar, index)
    return bisect_right(block, seconds) & 1 == 1


def next_opening(calendar: Calendar, at: datetime) -> datetime | None:
    """`at` itself when open, else the next opening; None if never within 366 days."""
    since = at - _EPOCH
    seconds = since.days * _DAY + since.seconds
    index = seconds // _BLOCK
    block = calendar._blocks.get(index)
    if block is None:
        block = _block(calendar, index)
    position = bisect_right(block, seconds)
    if position & 1:
        return _EPOCH + since
    if position == len(block):
        limit = seconds + HORIZON_DAYS * _DAY
        opening = _first_opening(calendar, max(index + 1, _FIRST_BLOCK), limit)
        return None if opening is None else _EPOCH + timedelta(0, opening)
    return _EPOCH + timedelta(0, block[position])


def _first_opening(calendar: Calendar, index: int, limit: int) -> int | None:
    """The first second open in this block or a later one, if before `limit`."""
    for later in range(index, min(limit // _BLOCK, _LAST_BLOCK) + 1):
        if block := _block(calendar, later):
            return block[0] if block[0] < limit else None
    return None


def closes_at(calendar: Calendar, at: datetime) -> datetime | None:
    """End of the stretch open at `at`; None when closed then, or open for 366 days on end."""
    now = _microseconds(at)
    limit = now + HORIZON_DAYS * _DAY * 1_000_000
    for start, end in _stretches(calendar, now, limit):
        return _instant(end) if start == now and end < limit else None
    return None


def add_working_minutes(calendar: Calendar, at: datetime, minutes: float) -> datetime | None:
    """The first instant by which `minutes` (≥ 0, else ValueError) of working time have passed
    since `at`: zero minutes give `at`, and a span that fits up to closing ends at closing.
    None when the calendar does not have them within 366 days.
    """
    if minutes < 0:
        raise ValueError("working minutes cannot be negative")
    now = _microseconds(at)
    left = round(minutes * 60_000_000)
    if left == 0:
        return _instant(now)
    limit = now + HORIZON_DAYS * _DAY * 1_000_000
    for start, end in _pieces(calendar, now, limit):
        if left <= end - start:
            return _instant(start + left)
        left -= end - start
    return None


def working_minutes_between(calendar: Calendar, start_at: datetime, end_at: datetime) -> float:
    """Working minutes from `start_at` to `end_at`; 0 when the end is not after the start."""
    stretches = _stretches(calendar, _microseconds(start_at), _microseconds(end_at))
    return sum(end - start for start, end in stretches) / 60_000_000


def open_stretches(
    calendar: Calendar, start_at: datetime, end_at: datetime
) -> list[tuple[datetime, datetime]]:
    """Open stretches within [start_at, end_at), clipped to it, merged, UTC, sorted."""
    stretches = _stretches(calendar, _microseconds(start_at), _microseconds(end_at))
    return [(_instant(start), _instant(end)) for start, end in stretches]


def local_date(calendar: Calendar, at: datetime) -> date:
    """The date at the dealer's place."""
    return at.astimezone(ZoneInfo(calendar.timezone)).date()


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _instant(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _stretches(calendar: Calendar, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Merged open stretches within [start, end), all in microseconds since 1970."""
    open_since: int | None = None
    open_until = start
    for opens, closes in _pieces(calendar, start, end):
        if open_since is not None and opens > open_until:
            yield open_since, open_until
            open_since = None
        open_since = opens if open_since is None else open_since
        open_until = closes
    if open_since is not None:
        yield open_since, open_until


def _pieces(calendar: Calendar, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Open stretches within [start, end), cut where a block ends, in microseconds since 1970."""
    first = start // (_BLOCK * 1_000_000)
    last = min((end - 1) // (_BLOCK * 1_000_000), _LAST_BLOCK)
    for index in range(max(first, _FIRST_BLOCK), last + 1):
        boundaries = _block(calendar, index)
        skipped = bisect_right(boundaries, start // 1_000_000) & ~1 if index == first else 0
        for position in range(skipped, len(boundaries), 2):
            opens = max(boundaries[position] * 1_000_000, start)
            if opens >= end:
                return
            yield opens, min(boundaries[position + 1] * 1_000_000, end)


def _block(calendar: Calendar, index: int) -> tuple[int, ...]:
    """Opening and closing times of the index-th 28 days since 1970, alternating, in seconds."""
    kept = calendar._blocks.get(index)
    if kept is not None:
        return kept
    if not _FIRST_BLOCK <= index <= _LAST_BLOCK:
        return ()
    closures, special = calendar.closures, calendar.special
    if closures or special:
        # Dealers with equal hours share a block unless days of their own touch it.
        first = (_EPOCH + timedelta(seconds=index * _BLOCK - _DAY)).date()
        last = first + timedelta(days=30)
        # Nights that began two days before reach into it.
        earlier = first - timedelta(days=2)
        closures = tuple(closed for closed in closures if closed[0] <= last and first <= closed[1])
        special = tuple(days for days in special if days[0] <= last and earlier <= days[1])
    block = _boundaries(
        calendar.hours, calendar.timezone, calendar.country, closures, special, index
    )
    if len(calendar._blocks) >= _MOST_BLOCKS:
        calendar._blocks.clear()
    calendar._blocks[index] = block
    return block


@lru_cache(maxsize=8192)
def _boundaries(
    hours: str,
    timezone: str,
    country: str,
    closures: tuple[tuple[date, date], ...],
    special: tuple[SpecialDays, ...],
    index: int,
) -> tuple[int, ...]:
    zone = ZoneInfo(timezone)
    block_start = index * _BLOCK
    # Some days on either side: clocks run up to 14 hours off UTC, nights reach two days on.
    around = (_EPOCH + timedelta(seconds=block_start - 3 * _DAY)).date()
    wall = wall_stretches(hours, country, around, _BLOCK // _DAY + 5, special)
    boundaries: list[int] = []
    for start, end, offset in _constant_offsets(zone, block_start, block_start + _BLOCK):
        for opens, closes in _without_closures(wall, closures):
            opens, closes = max(opens - offset, start), min(closes - offset, end)
            if opens >= closes:
                continue
            if boundaries and boundaries[-1] == opens:
                boundaries[-1] = closes
            else:
                boundaries += (opens, closes)
    return tuple(boundaries)


def _constant_offsets(zone: ZoneInfo, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Cut [start, end) where the zone changes its offset: (start, end, offset), in seconds."""

    def offset_at(seconds: int) -> int:
        offset = (_EPOCH + timedelta(seconds=seconds)).astimezone(zone).utcoffset()
        return int(offset.total_seconds()) if offset is not None else 0

    since, offset = start, offset_at(start)
    for day in range(start, end, _DAY):
        before, after = day, min(day + _DAY, end)
        changed = offset_at(after)
        if changed == offset:
            continue
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (middle, after) if offset_at(middle) == offset else (before, middle)
        yield since, after, offset
        since, offset = after, changed
    if since < end:
        yield since, end, offset


def _without_closures(
    wall: tuple[tuple[int, int], ...], closures: tuple[tuple[date, date], ...]
) -> Iterator[tuple[int, int]]:
    closed = sorted((_midnight(first), _midnight(last) + _DAY) for first, last in closures)
    for opens, closes in wall:
        for start, end in closed:
            if start >= closes or end <= opens or start >= end:
                continue
            if opens < start:
                yield opens, start
            opens = max(opens, end)
            if opens >= closes:
                break
        if opens < closes:
            yield opens, closes


def _midnight(day: date) -> int:
    return (day.toordinal() - _EPOCH.toordinal()) * _DAY
