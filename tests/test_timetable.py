"""When a report that is mailed again and again is due: months of any length, skipped hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmt.reports.timetable import next_at

WARSAW, RIYADH, APIA = "Europe/Warsaw", "Asia/Riyadh", "Pacific/Apia"


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("every", "day", "minute", "zone", "after", "expected"),
    [
        # 2026-03-02 is a Monday; Warsaw is an hour ahead of UTC in winter, two in summer.
        ("day", 0, 420, WARSAW, "2026-03-02 05:59", "2026-03-02 06:00"),
        ("day", 0, 420, WARSAW, "2026-03-02 06:00", "2026-03-03 06:00"),
        ("day", 0, 0, RIYADH, "2026-03-02 22:00", "2026-03-03 21:00"),
        ("week", 0, 480, WARSAW, "2026-03-02 07:00", "2026-03-09 07:00"),
        ("week", 0, 480, WARSAW, "2026-03-01 22:00", "2026-03-02 07:00"),
        ("week", 6, 480, RIYADH, "2026-03-02 07:00", "2026-03-08 05:00"),
        ("month", 1, 480, WARSAW, "2026-03-01 07:00", "2026-04-01 06:00"),
        ("month", 31, 480, RIYADH, "2026-02-01 00:00", "2026-02-28 05:00"),
        ("month", 31, 480, RIYADH, "2028-02-01 00:00", "2028-02-29 05:00"),
        ("month", 31, 480, RIYADH, "2026-02-28 05:00", "2026-03-31 05:00"),
        ("month", 31, 480, RIYADH, "2026-03-31 05:00", "2026-04-30 05:00"),
        ("month", 15, 480, RIYADH, "2026-12-20 00:00", "2027-01-15 05:00"),
        ("month", 1, 60, RIYADH, "2026-05-31 22:30", "2026-06-30 22:00"),
        # On 29 March 2026 Warsaw skips 2:00 to 3:00, on 25 October it has them twice.
        ("day", 0, 150, WARSAW, "2026-03-28 12:00", "2026-03-29 01:30"),
        ("day", 0, 150, WARSAW, "2026-03-29 01:30", "2026-03-30 00:30"),
        ("day", 0, 150, WARSAW, "2026-10-24 12:00", "2026-10-25 00:30"),
        ("day", 0, 150, WARSAW, "2026-10-25 00:30", "2026-10-26 01:30"),
        # Samoa had no 30 December 2011: what was due on it was due a day later.
        ("day", 0, 480, APIA, "2011-12-29 18:00", "2011-12-30 18:00"),
        ("day", 0, 480, APIA, "2011-12-30 18:00", "2011-12-31 18:00"),
    ],
)  # fmt: skip
def test_due_next(every: str, day: int, minute: int, zone: str, after: str, expected: str) -> None:
    assert next_at(every, day, minute, zone, instant(after)) == instant(expected)


def test_nothing_is_due_every_year() -> None:
    with pytest.raises(ValueError, match="year"):
        next_at("year", 1, 0, WARSAW, instant("2026-03-02 06:00"))


@given(
    every=st.sampled_from(["day", "week", "month"]),
    day=st.integers(0, 31),
    minute=st.integers(0, 1439),
    zone=st.sampled_from([WARSAW, RIYADH, "America/St_Johns", "Australia/Lord_Howe"]),
    after=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
)
def test_each_day_week_or_month_is_due_once_and_at_its_hour(
    every: str, day: int, minute: int, zone: str, after: datetime
) -> None:
    after_at = after.replace(tzinfo=UTC)
    first = next_at(every, day, minute, zone, after_at)
    due = [first, next_at(every, day, minute, zone, first)]
    assert after_at < due[0] < due[1]
    apart = {"day": (22, 26), "week": (166, 170), "month": (27 * 24, 32 * 24)}[every]
    hours = (due[1] - due[0]) / timedelta(hours=1)
    assert apart[0] <= hours <= apart[1]
    walls = [at.astimezone(ZoneInfo(zone)) for at in due]
    # The wall is the one asked for but where it was skipped: then it is later, by that much.
    assert all((w.hour * 60 + w.minute - minute) % 1440 <= 60 for w in walls)
