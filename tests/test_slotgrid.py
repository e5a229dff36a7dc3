"""Times that can be booked, cut out of opening hours: over nights, holidays and changed clocks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmt.slotgrid import Slot, slot_at, slots
from lmt.workhours import Calendar, open_stretches

WARSAW = ZoneInfo("Europe/Warsaw")
EARLY = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Offered:
    minutes: int = 60
    capacity: int = 1
    notice_minutes: int = 0
    days_ahead: int = 120


def on_the_wall(found: tuple[Slot, ...], zone: str = "Europe/Warsaw") -> str:
    walls = [slot.starts_at.astimezone(ZoneInfo(zone)) for slot in found]
    return " ".join(f"{wall:%d.%H:%M}" for wall in walls)


def grid(
    hours: str,
    day: date,
    days: int = 1,
    *,
    offered: Offered | None = None,
    at: datetime | None = None,
    zone: str = "Europe/Warsaw",
    country: str = "PL",
    closures: tuple[tuple[date, date], ...] = (),
    special: tuple[tuple[date, date, str], ...] = (),
) -> str:
    calendar = Calendar(hours, zone, country, closures, special)
    before = at or datetime.combine(day, datetime.min.time(), UTC) - timedelta(days=7)
    return on_the_wall(slots(calendar, offered or Offered(), before, day, days, {}), zone)


@pytest.mark.parametrize(
    ("hours", "day", "days", "offered", "expected"),
    [
        pytest.param(
            "Mo-Fr 09:00-12:00", date(2026, 3, 9), 1, Offered(), "09.09:00 09.10:00 09.11:00",
            id="from the opening on",
        ),
        pytest.param(
            "Mo-Fr 09:15-11:00,14:00-15:30", date(2026, 3, 9), 1, Offered(),
            "09.09:15 09.14:00", id="each stretch by itself, none that would end after closing",
        ),
        pytest.param(
            "Mo-Fr 09:00-10:00", date(2026, 3, 9), 1, Offered(minutes=25),
            "09.09:00 09.09:25", id="as long as the dealer says",
        ),
        pytest.param("Mo-Fr 09:00-10:00", date(2026, 3, 8), 1, Offered(), "", id="closed"),
        pytest.param(
            "Mo-Fr 09:00-10:00", date(2026, 3, 9), 2, Offered(capacity=0), "", id="nothing offered"
        ),
        pytest.param(
            "Fr 22:00-26:00", date(2026, 3, 6), 1, Offered(),
            "06.22:00 06.23:00 07.00:00 07.01:00", id="a night belongs to the day it began on",
        ),
        pytest.param("Fr 22:00-26:00", date(2026, 3, 7), 1, Offered(), "", id="not to the next"),
        pytest.param(
            "24/7", date(2026, 3, 9), 1, Offered(minutes=480),
            "09.00:00 09.08:00 09.16:00", id="always open: from midnight on",
        ),
        pytest.param(
            "24/7", date(2026, 3, 29), 1, Offered(minutes=480),
            "29.00:00 29.09:00", id="always open on a day of 23 hours",
        ),
        pytest.param(
            "Sa-Su 22:00-28:00", date(2026, 3, 28), 1, Offered(),
            "28.22:00 28.23:00 29.00:00 29.01:00 29.03:00",
            id="the hour that is skipped in spring is no time",
        ),
        pytest.param(
            "Sa-Su 22:00-28:00", date(2026, 10, 24), 1, Offered(),
            "24.22:00 24.23:00 25.00:00 25.01:00 25.02:00 25.02:00 25.03:00",
            id="the hour that comes twice in autumn is two",
        ),
        pytest.param(
            "Mo-Fr 09:00-10:00; PH off", date(2026, 5, 1), 4, Offered(), "04.09:00",
            id="not on a public holiday",
        ),
    ],
)  # fmt: skip
def test_the_times_of_a_day(
    hours: str, day: date, days: int, offered: Offered, expected: str
) -> None:
    assert grid(hours, day, days, offered=offered) == expected


def test_closures_and_days_with_hours_of_their_own_count() -> None:
    monday = date(2026, 3, 9)
    found = grid(
        "Mo-Fr 09:00-10:00",
        monday,
        3,
        closures=((monday, monday),),
        special=((date(2026, 3, 10), date(2026, 3, 10), "12:00-13:00"),),
    )
    assert found == "10.12:00 11.09:00"


@pytest.mark.parametrize(
    ("clock", "offered", "expected"),
    [
        pytest.param("09:00", Offered(), "09.09:00 09.10:00 09.11:00", id="this very moment"),
        pytest.param("09:01", Offered(), "09.10:00 09.11:00", id="never the past"),
        pytest.param("08:30", Offered(notice_minutes=120), "09.11:00", id="with notice"),
        pytest.param("08:00", Offered(notice_minutes=1440), "", id="with a day's notice"),
    ],
)
def test_nothing_before_the_notice(clock: str, offered: Offered, expected: str) -> None:
    at = datetime.fromisoformat(f"2026-03-09T{clock}").replace(tzinfo=WARSAW)
    assert grid("Mo-Fr 09:00-12:00", date(2026, 3, 9), offered=offered, at=at) == expected


def test_nothing_beyond_the_days_ahead() -> None:
    at = datetime(2026, 3, 9, 23, 30, tzinfo=WARSAW)
    offered = Offered(days_ahead=2)
    assert grid("09:00-10:00", date(2026, 3, 9), 9, offered=offered, at=at) == "10.09:00 11.09:00"


def test_what_is_taken_is_full() -> None:
    calendar = Calendar("Mo-Fr 09:00-11:00", "Europe/Warsaw")
    nine = datetime(2026, 3, 9, 9, tzinfo=WARSAW)
    found = slots(calendar, Offered(capacity=2), EARLY, date(2026, 3, 9), 1, {nine: 2})
    assert [slot.free for slot in found] == [0, 2]


@pytest.mark.parametrize(
    ("starts_at", "offered"),
    [
        (datetime(2026, 3, 9, 9, tzinfo=WARSAW), True),
        (datetime(2026, 3, 9, 9, 30, tzinfo=WARSAW), False),
        (datetime(2026, 3, 9, 9, 0, 1, tzinfo=WARSAW), False),
        (datetime(2026, 3, 8, 9, tzinfo=WARSAW), False),
        (datetime(2025, 3, 10, 9, tzinfo=WARSAW), False),
        (datetime(2026, 3, 7, 1, tzinfo=WARSAW), True),
    ],
    ids=["a time", "between two", "a second late", "closed", "long past", "after midnight"],
)
def test_only_times_of_the_grid_are_offered(starts_at: datetime, offered: bool) -> None:
    calendar = Calendar("Mo-Fr 09:00-18:00; Fr 22:00-26:00", "Europe/Warsaw")
    found = slot_at(calendar, Offered(), EARLY, starts_at, {})
    assert (found is not None) is offered


@given(
    hours=st.sampled_from(
        ["Mo-Fr 09:00-13:00,14:00-18:00", "24/7", "Mo-Su 20:00-29:00", "Sa 08:00-Su 20:00", "off"]
    ),
    zone=st.sampled_from(["Europe/Warsaw", "Asia/Riyadh", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    minutes=st.integers(10, 480),
    notice=st.integers(0, 3000),
    first=st.dates(date(2026, 3, 20), date(2026, 4, 8)),
    days=st.integers(1, 9),
)
def test_every_time_lies_within_opening_hours_and_is_found_again(
    hours: str, zone: str, minutes: int, notice: int, first: date, days: int
) -> None:
    calendar, at = Calendar(hours, zone), datetime(2026, 3, 27, 10, 7, tzinfo=UTC)
    offered = Offered(minutes, 1, notice)
    found = slots(calendar, offered, at, first, days, {})
    for before, after in pairwise(found):
        assert before.ends_at <= after.starts_at
    for slot in found:
        assert slot.starts_at >= at + timedelta(minutes=notice)
        span = (slot.starts_at, slot.ends_at)
        assert open_stretches(calendar, *span) == [span]
    # However one looks for it, a time is the same.
    assert all(slot_at(calendar, offered, at, s.starts_at, {}) == s for s in found[:5] + found[-5:])
