"""Who is open when, and how much working time lies between two instants."""

from __future__ import annotations

import pickle
from bisect import bisect_left
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmt.workhours import (
    Calendar,
    add_working_minutes,
    closes_at,
    holiday_name,
    hours_problem,
    is_open,
    local_date,
    next_opening,
    open_stretches,
    working_minutes_between,
)

WARSAW = Calendar("Mo-Fr 09:00-13:00,14:00-19:00; Sa 09:00-14:00; PH off", "Europe/Warsaw", "PL")
RIYADH = Calendar("Su-Th 09:00-18:00; PH off", "Asia/Riyadh", "SA")
DUBAI = Calendar("Mo-Fr 09:00-18:00; PH off", "Asia/Dubai", "AE")


def paris(
    hours: str,
    closures: tuple[tuple[date, date], ...] = (),
    special: tuple[tuple[date, date, str], ...] = (),
) -> Calendar:
    return Calendar(hours, "Europe/Paris", "FR", closures, special)


def wall(calendar: Calendar, text: str, fold: int = 0) -> datetime:
    """The instant at which the dealer's clock shows `text`."""
    zone = ZoneInfo(calendar.timezone)
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def shown(calendar: Calendar, at: datetime | None) -> str | None:
    if at is None:
        return None
    assert at.tzinfo is UTC
    return at.astimezone(ZoneInfo(calendar.timezone)).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("calendar", "at", "expected"),
    [
        (WARSAW, "2026-03-06 08:59:59.999999", False),
        (WARSAW, "2026-03-06 09:00", True),
        (WARSAW, "2026-03-06 12:59:59.999999", True),
        (WARSAW, "2026-03-06 13:00", False),
        (WARSAW, "2026-03-06 14:00", True),
        (WARSAW, "2026-03-06 19:00", False),
        (WARSAW, "2026-03-07 13:59", True),
        (WARSAW, "2026-03-08 10:00", False),
        (WARSAW, "2026-11-11 10:00", False),  # Independence Day, a Wednesday
        (WARSAW, "2026-11-12 10:00", True),
        (RIYADH, "2026-03-06 10:00", False),  # Friday
        (RIYADH, "2026-03-07 10:00", False),  # Saturday
        (RIYADH, "2026-03-08 10:00", True),
        (RIYADH, "2026-09-23 10:00", False),  # National Day
        (DUBAI, "2026-03-06 10:00", True),  # Friday
        (DUBAI, "2026-03-08 10:00", False),  # Sunday
        (DUBAI, "2026-12-02 10:00", False),  # National Day
        (Calendar("Mo-Fr 09:00-18:00", "Asia/Dubai", "AE"), "2026-12-02 10:00", True),
        (Calendar("Mo-Fr 09:00-18:00; PH off", "Asia/Dubai"), "2026-12-02 10:00", True),
        (Calendar("Mo-Fr 09:00-18:00; PH off", "Asia/Dubai", "XX"), "2026-12-02 10:00", True),
        (paris("Mo-Su 00:00-24:00"), "2026-03-06 23:59:59.999999", True),
        (paris("Mo-Su 00:00-23:59"), "2026-03-06 23:59", False),
        (paris("Mo-Su 00:00-23:59"), "2026-03-06 23:58:59", True),
        (paris("24/7"), "2026-03-29 03:00", True),
        (paris("off"), "2026-03-06 10:00", False),
        (paris('"by appointment"'), "2026-03-06 10:00", False),
        (paris("Mo-Fr 09:00-18:00 unknown"), "2026-03-06 10:00", False),
        (paris('Mo-Fr 09:00-18:00 open "ring twice; PH, too"'), "2026-03-06 10:00", True),
        (paris('Mo-Th 09:00-18:00; Fr "by appointment"'), "2026-03-06 10:00", False),
        (paris('Mo-Th 09:00-18:00 || "ring"'), "2026-03-06 10:00", False),
        (paris('Mo-Fr 09:00-18:00 open "ring" || "call"'), "2026-03-06 10:00", True),
        (paris("week 10 Fr 09:00-10:00"), "2026-03-06 09:30", True),
        (paris("week 11 Fr 09:00-10:00"), "2026-03-06 09:30", False),
        (paris("2027 Mo-Fr 09:00-10:00"), "2026-03-06 09:30", False),
        (paris("not hours"), "2026-03-06 10:00", False),
        (paris(""), "2026-03-06 10:00", False),
    ],
)
def test_is_open(calendar: Calendar, at: str, expected: bool) -> None:
    assert is_open(calendar, wall(calendar, at)) is expected


@pytest.mark.parametrize(
    ("calendar", "at", "opens", "closes"),
    [
        (WARSAW, "2026-03-06 09:00", "2026-03-06 09:00", "2026-03-06 13:00"),
        (WARSAW, "2026-03-06 13:00", "2026-03-06 14:00", None),
        (WARSAW, "2026-03-07 14:00", "2026-03-09 09:00", None),
        (WARSAW, "2026-12-24 08:00", "2026-12-28 09:00", None),  # Christmas Eve and a weekend
        (RIYADH, "2026-03-05 18:00", "2026-03-08 09:00", None),
        (DUBAI, "2026-03-06 18:00", "2026-03-09 09:00", None),
        (paris("24/7"), "2026-03-06 10:00", "2026-03-06 10:00", None),
        (paris("off"), "2026-03-06 10:00", None, None),
        (paris("2020,2028-2030 10:00-11:00"), "2026-03-06 10:00", None, None),
        (paris("Fr-Sa 18:00-06:00"), "2026-03-06 23:00", "2026-03-06 23:00", "2026-03-07 06:00"),
        (paris("Fr-Sa 18:00-06:00"), "2026-03-08 05:59", "2026-03-08 05:59", "2026-03-08 06:00"),
        (paris("Fr 18:00-24:00; Sa 00:00-02:00"), "2026-03-06 20:00", None, "2026-03-07 02:00"),
        (paris("Fr 18:00-26:00; Sa 12:00-13:00"), "2026-03-06 20:00", None, "2026-03-07 02:00"),
        (paris("Sa 12:00-13:00; Fr 18:00-02:00"), "2026-03-06 20:00", None, "2026-03-07 02:00"),
        (paris("Sa off; Fr 18:00-02:00"), "2026-03-06 20:00", None, "2026-03-07 02:00"),
        # The night before a holiday ends as it does on any other day.
        (paris("Mo-Su 20:00-02:00; PH off"), "2026-07-13 21:00", None, "2026-07-14 02:00"),
        (paris("Mo-Su 20:00-02:00; PH off"), "2026-07-14 02:00", "2026-07-15 20:00", None),
        # An explicit "off" in the night does cut it.
        (
            paris("Mo-Su 20:00-02:00; Sa 01:00-02:00 off"),
            "2026-03-06 21:00",
            None,
            "2026-03-07 01:00",
        ),
    ],
)
def test_next_opening_and_closing(
    calendar: Calendar, at: str, opens: str | None, closes: str | None
) -> None:
    instant = wall(calendar, at)
    if is_open(calendar, instant):
        opens = at
    assert shown(calendar, next_opening(calendar, instant)) == opens
    assert shown(calendar, closes_at(calendar, instant)) == closes


@pytest.mark.parametrize(
    ("hours", "night", "spring_minutes", "autumn_minutes"),
    [
        ("Mo-Su 00:00-06:00", "day", 300, 420),
        ("Mo-Su 22:00-06:00", "night", 420, 540),
        ("Mo-Su 00:00-24:00", "day", 1380, 1500),
        ("24/7", "day", 1380, 1500),
        ("Mo-Su 02:15-02:45", "day", 0, 60),
        ("Mo-Su 02:30-04:00", "day", 60, 120),
        ("Mo-Su 01:00-02:00", "day", 60, 60),
        ("Mo-Su 03:00-04:00", "day", 60, 60),
        ("Mo-Su 09:00-18:00", "day", 540, 540),
    ],
)
@pytest.mark.parametrize("timezone", ["Europe/Paris", "Europe/Warsaw"])
def test_clock_changes(
    hours: str, night: str, spring_minutes: int, autumn_minutes: int, timezone: str
) -> None:
    calendar = Calendar(hours, timezone)
    for day, minutes in ((29, spring_minutes), (25, autumn_minutes)):
        midnight = f"2026-{'03' if day == 29 else '10'}-{day} 00:00"
        start = wall(calendar, midnight)
        end = wall(calendar, midnight.replace(f"-{day} ", f"-{day + 1} "))
        if night == "night":
            start, end = start - timedelta(hours=6), end - timedelta(hours=6)
        assert working_minutes_between(calendar, start, end) == minutes


def test_the_repeated_hour_is_worked_as_the_wall_clock_shows_it() -> None:
    calendar = paris("Mo-Su 00:00-02:30")
    day = datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert open_stretches(calendar, day, day + timedelta(hours=25)) == [
        (wall(calendar, "2026-10-25 00:00"), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (datetime(2026, 10, 25, 1, 0, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ]


@pytest.mark.parametrize(
    ("calendar", "at", "minutes", "expected"),
    [
        (WARSAW, "2026-03-06 12:45", 30, "2026-03-06 14:15"),  # lunch
        (WARSAW, "2026-03-06 12:45", 15, "2026-03-06 13:00"),  # ends at closing
        (WARSAW, "2026-03-06 18:45", 30, "2026-03-07 09:15"),
        (WARSAW, "2026-03-07 13:50", 30, "2026-03-09 09:20"),
        (WARSAW, "2026-03-08 03:00", 30, "2026-03-09 09:30"),
        (WARSAW, "2026-04-30 18:45", 30, "2026-05-02 09:15"),  # 1 May
        (WARSAW, "2026-03-28 13:30", 60, "2026-03-30 09:30"),  # clocks go forward
        (WARSAW, "2026-03-08 03:00", 0, "2026-03-08 03:00"),
        (WARSAW, "2026-03-06 12:45", 0, "2026-03-06 12:45"),
        (RIYADH, "2026-03-05 17:45", 30, "2026-03-08 09:15"),
        (DUBAI, "2026-03-06 17:45", 30, "2026-03-09 09:15"),
        (paris("24/7"), "2026-03-29 01:30", 60, "2026-03-29 03:30"),
        (paris("24/7"), "2026-10-25 01:30", 120, "2026-10-25 02:30"),
        (paris("24/7"), "2026-01-01 00:00", 366 * 1440, "2027-01-02 00:00"),
        (paris("24/7"), "2026-01-01 00:00", 366 * 1440 + 1, None),
        (paris("off"), "2026-03-06 10:00", 1, None),
        (paris("off"), "2026-03-06 10:00", 0, "2026-03-06 10:00"),
        (paris("2026 Mar 6 10:00-11:00"), "2026-03-06 10:00", 60, "2026-03-06 11:00"),
        (paris("2026 Mar 6 10:00-11:00"), "2026-03-06 10:00", 61, None),
        (paris("Mo-Su 00:00-23:59"), "2026-03-06 23:58", 2, "2026-03-07 00:01"),
        (paris("Mo-Su 00:00-24:00"), "2026-03-06 23:58", 2, "2026-03-07 00:00"),
        (paris("Fr 22:00-02:00"), "2026-03-06 23:00", 240, "2026-03-13 23:00"),
    ],
)
def test_add_working_minutes(
    calendar: Calendar, at: str, minutes: int, expected: str | None
) -> None:
    assert shown(calendar, add_working_minutes(calendar, wall(calendar, at), minutes)) == expected


def test_working_time_cannot_be_negative() -> None:
    at = wall(WARSAW, "2026-03-06 10:00")
    with pytest.raises(ValueError, match="negative"):
        add_working_minutes(WARSAW, at, -1)
    assert working_minutes_between(WARSAW, at, at - timedelta(days=3)) == 0
    assert working_minutes_between(WARSAW, at, at) == 0


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        is_open(WARSAW, datetime(2026, 3, 6, 10))


@pytest.mark.parametrize(
    ("closures", "at", "opens"),
    [
        ([("2026-08-03", "2026-08-14")], "2026-08-03 09:30", "2026-08-17 09:00"),
        ([("2026-08-03", "2026-08-03")], "2026-08-03 00:00", "2026-08-04 09:00"),
        ([("2026-08-03", "2026-08-03")], "2026-08-04 09:00", "2026-08-04 09:00"),
        ([("2026-08-05", "2026-08-06"), ("2026-08-03", "2026-08-05")], "2026-08-03 10:00",
         "2026-08-07 09:00"),
        ([("2026-08-05", "2026-08-03")], "2026-08-04 10:00", "2026-08-04 10:00"),
        ([("0001-01-01", "9999-12-31")], "2026-08-04 10:00", None),
    ],
)  # fmt: skip
def test_closures_cover_their_first_and_last_day(
    closures: list[tuple[str, str]], at: str, opens: str | None
) -> None:
    days = tuple((date.fromisoformat(first), date.fromisoformat(last)) for first, last in closures)
    calendar = paris("Mo-Fr 09:00-18:00", closures=days)
    assert shown(calendar, next_opening(calendar, wall(calendar, at))) == opens


def test_a_closure_begins_at_the_dealers_own_midnight() -> None:
    closed = (date(2026, 3, 7), date(2026, 3, 7))
    for timezone in ("Pacific/Auckland", "America/Los_Angeles", "Asia/Kathmandu"):
        calendar = Calendar("24/7", timezone, closures=(closed,))
        before = wall(calendar, "2026-03-06 20:00")
        assert shown(calendar, closes_at(calendar, before)) == "2026-03-07 00:00"
        after = wall(calendar, "2026-03-07 12:00")
        assert shown(calendar, next_opening(calendar, after)) == "2026-03-08 00:00"


def days(*entries: str) -> tuple[tuple[date, date, str], ...]:
    """Special days from "first..last hours"."""
    split = (entry.split(" ", 1) for entry in entries)
    spans = ((span.split(".."), hours) for span, hours in split)
    return tuple((date.fromisoformat(a), date.fromisoformat(b), hours) for (a, b), hours in spans)


WEEK = "Mo-Fr 09:00-18:00; PH off"
NIGHTS = "Mo-Su 20:00-02:00"


@pytest.mark.parametrize(
    ("hours", "special", "closed", "start", "open_stretches_expected"),
    [
        # 12–13 March 2026 are a Thursday and a Friday.
        (WEEK, days("2026-03-12..2026-03-12 10:00-12:00"), (), "2026-03-12",
         ["12 10:00-12:00", "13 09:00-18:00"]),
        (WEEK, days("2026-03-12..2026-03-13 10:00-12:00"), (), "2026-03-12",
         ["12 10:00-12:00", "13 10:00-12:00"]),
        (WEEK, days("2026-03-12..2026-03-12 off"), (), "2026-03-12", ["13 09:00-18:00"]),
        (WEEK, days("2026-03-12..2026-03-12 no hours"), (), "2026-03-12", ["13 09:00-18:00"]),
        (WEEK, days("2026-03-14..2026-03-14 10:00-12:00"), (), "2026-03-14", ["14 10:00-12:00"]),
        # The first that covers a date wins, whichever is longer.
        (WEEK, days("2026-03-12..2026-03-12 10:00-12:00", "2026-03-11..2026-03-13 off"), (),
         "2026-03-12", ["12 10:00-12:00"]),
        (WEEK, days("2026-03-11..2026-03-13 off", "2026-03-12..2026-03-12 10:00-12:00"), (),
         "2026-03-12", []),
        # Weekdays count in special hours, and days they don't name are closed.
        (WEEK, days("2026-03-01..2026-03-31 Mo-Th 10:00-15:00"), (), "2026-03-12",
         ["12 10:00-15:00"]),
        # A closure closes special days, too.
        (WEEK, days("2026-03-12..2026-03-13 10:00-12:00"), ((date(2026, 3, 12),) * 2,),
         "2026-03-12", ["13 10:00-12:00"]),
        # Bastille Day: the normal "PH off" says nothing on special days, their own does.
        (WEEK, days("2026-07-13..2026-07-14 Mo-Su 10:00-12:00"), (), "2026-07-13",
         ["13 10:00-12:00", "14 10:00-12:00"]),
        (WEEK, days("2026-07-13..2026-07-14 Mo-Su 10:00-12:00; PH off"), (), "2026-07-13",
         ["13 10:00-12:00"]),
        # Nights belong to the day they began on: before the special day, and out of it.
        (NIGHTS, days("2026-03-12..2026-03-12 10:00-12:00"), (), "2026-03-12",
         ["12 00:00-02:00", "12 10:00-12:00", "13 20:00-00:00"]),
        (WEEK, days("2026-03-12..2026-03-12 20:00-02:00"), (), "2026-03-12",
         ["12 20:00-02:00", "13 09:00-18:00"]),
        (NIGHTS, days("2026-03-12..2026-03-12 off"), (), "2026-03-12",
         ["12 00:00-02:00", "13 20:00-00:00"]),
        (NIGHTS + "; Sa 01:00-02:00 off", days("2026-03-12..2026-03-12 10:00-12:00"), (),
         "2026-03-12", ["12 00:00-02:00", "12 10:00-12:00", "13 20:00-00:00"]),
        (WEEK, days("2026-03-12..2026-03-12 Mo-Su 20:00-02:00; Sa 01:00-02:00 off"), (),
         "2026-03-12", ["12 20:00-02:00", "13 09:00-18:00"]),
        ("24/7", days("2026-03-12..2026-03-12 10:00-12:00"), (), "2026-03-12",
         ["12 10:00-12:00", "13 00:00-00:00"]),
    ],
)  # fmt: skip
def test_special_days_have_hours_of_their_own(
    hours: str,
    special: tuple[tuple[date, date, str], ...],
    closed: tuple[tuple[date, date], ...],
    start: str,
    open_stretches_expected: list[str],
) -> None:
    calendar = paris(hours, closed, special)
    begin = wall(calendar, f"{start} 00:00")
    stretches = open_stretches(calendar, begin, begin + timedelta(days=2))
    zone = ZoneInfo(calendar.timezone)
    words = [f"{a.astimezone(zone):%-d %H:%M}-{b.astimezone(zone):%H:%M}" for a, b in stretches]
    assert words == open_stretches_expected


def test_ramadan_moves_the_next_opening_and_the_deadline() -> None:
    ramadan = (date(2026, 2, 18), date(2026, 3, 19), "Su-Th 10:00-15:00,20:00-24:00")
    calendar = Calendar("Su-Th 09:00-18:00", "Asia/Riyadh", "SA", (), (ramadan,))
    asked = wall(calendar, "2026-02-18 08:30")
    assert shown(calendar, next_opening(calendar, asked)) == "2026-02-18 10:00"
    late = wall(calendar, "2026-02-18 14:45")
    assert shown(calendar, add_working_minutes(calendar, late, 30)) == "2026-02-18 20:15"


def test_equal_calendars_and_copies_of_them_answer_alike() -> None:
    special = days("2026-03-12..2026-03-12 10:00-12:00")
    calendar = paris(WEEK, (), special)
    copy = pickle.loads(pickle.dumps(calendar))
    assert copy == calendar
    assert hash(copy) == hash(calendar)
    assert {calendar, copy, replace(calendar, special=())} == {calendar, paris(WEEK)}
    at = wall(calendar, "2026-03-12 09:30")
    assert not is_open(copy, at)
    assert is_open(replace(copy, special=()), at)


def test_stretches_are_merged_clipped_and_sorted() -> None:
    calendar = paris("Fr 10:00-12:00,12:00-14:00; Fr 13:00-15:00, Fr 16:00-24:00; Sa 00:00-01:00")
    start, end = wall(calendar, "2026-03-06 13:30"), wall(calendar, "2026-03-07 00:30")
    assert [
        (shown(calendar, a), shown(calendar, b)) for a, b in open_stretches(calendar, start, end)
    ] == [
        ("2026-03-06 13:30", "2026-03-06 15:00"),
        ("2026-03-06 16:00", "2026-03-07 00:30"),
    ]
    assert open_stretches(calendar, end, start) == []


def test_far_instants_are_closed_rather_than_an_error() -> None:
    always = paris("24/7")
    for at in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
        assert not is_open(always, at)
        assert next_opening(always, at) is None
        assert add_working_minutes(always, at, 5) is None


@pytest.mark.parametrize(
    ("hours", "fragment"),
    [
        ("Mo-Fr 09:00-18:00; PH off", None),
        ("Mo-Fr 9:00-18:00", None),
        ("24/7", None),
        ("off", None),
        ("2026+ Mo-Fr 09:00-18:00", None),
        ("Mo-Fr 09:00-18:00; PH,Su 10:00-12:00; PH -1 day 09:00-12:00", None),
        ('Mo-Fr 09:00-18:00 open "after sunset ring; SH too"', None),
        ("2026 Feb 18-2026 Mar 19 Sa-Th 10:00-15:00,20:00-02:00", None),
        ("", "missing"),
        ("   ", "missing"),
        ("Mo-Fr 09.00-18.00", "cannot be read"),
        ("lundi-vendredi 09:00-18:00", "cannot be read"),
        ("Mo-Fr 09:00-18:00; " * 100, "too long"),
        ("sunrise-sunset", "Times of the sun"),
        ("Mo-Fr 09:00-18:00; SH off", "School holidays"),
        ("Mo-Fr 18:00+", "open end"),
        ("Mo-Fr 09:00-09:00", "same"),
        ('Mo-Fr 09:00-18:00; Sa "by appointment"', None),
        ('Mo-Fr 09:00-18:00 "by appointment"', "comment"),
    ],
)
def test_hours_problem(hours: str, fragment: str | None) -> None:
    problem = hours_problem(hours)
    assert problem is None if fragment is None else fragment in (problem or "")


@pytest.mark.parametrize(
    ("hours", "at", "expected"),
    [
        ("Mo-Fr,PH 09:00-10:00", "2026-08-15 09:30", True),  # Assumption, a Saturday
        ("Mo-Fr,PH 09:00-10:00", "2026-08-22 09:30", False),
        ("Mo-Sa 09:00-10:00; PH -1 day off", "2026-07-13 09:30", False),
        ("Mo-Sa 09:00-10:00; PH +1 day off", "2026-07-15 09:30", False),
        ("Mo-Sa 09:00-10:00; Aug-Dec PH off", "2026-07-14 09:30", True),
        ("Mo-Sa 09:00-10:00; Aug-Dec PH off", "2026-11-11 09:30", False),
        ("Mo-Sa 09:00-10:00; 2027 PH off", "2026-07-14 09:30", True),
        ("Mo-Sa 09:00-10:00, PH 20:00-21:00", "2026-07-14 09:30", True),
        ("Mo-Sa 09:00-10:00, PH 20:00-21:00", "2026-07-14 20:30", True),
        ("Mo-Sa 09:00-10:00; PH 20:00-21:00", "2026-07-14 09:30", False),
        ('Mo-Sa 09:00-10:00; PH off "closed; PH, really"', "2026-07-14 09:30", False),
        ("We 09:00-10:00 || PH 14:00-15:00", "2026-07-14 14:30", True),
        ("PH off; Mo-Sa 09:00-10:00", "2026-07-14 09:30", True),  # the later rule wins
    ],
)
def test_holiday_rules(hours: str, at: str, expected: bool) -> None:
    assert hours_problem(hours) is None
    calendar = paris(hours)
    assert is_open(calendar, wall(calendar, at)) is expected


@pytest.mark.parametrize("year", [2025, 2026, 2027, 2028])
@pytest.mark.parametrize(
    "country", ["SA", "AE", "KW", "QA", "BH", "OM", "IQ", "TR", "EG", "FR", "DE", "ES", "PL", "NL"]
)
def test_every_named_holiday_closes_and_no_other_day(country: str, year: int) -> None:
    calendar = Calendar("Mo-Su 11:00-13:00; PH off", "UTC", country)
    noons = [datetime(year, 1, 1, 12, tzinfo=UTC) + timedelta(days=n) for n in range(365)]
    named = [at for at in noons if holiday_name(country, at.date(), "en")]
    assert [at for at in noons if not is_open(calendar, at)] == named
    assert len(named) >= 7


@pytest.mark.parametrize(
    ("country", "day", "language", "expected"),
    [
        ("PL", "2026-11-11", "pl", "Narodowe Święto Niepodległości"),
        ("pl", "2026-11-11", "en", "National Independence Day"),
        ("PL", "2026-11-11", "ar", "National Independence Day"),
        ("SA", "2026-09-23", "ar", "اليوم الوطني"),
        ("PL", "2026-11-12", "pl", None),
        ("", "2026-11-11", "pl", None),
        ("XX", "2026-11-11", "pl", None),
    ],
)
def test_holiday_name(country: str, day: str, language: str, expected: str | None) -> None:
    assert holiday_name(country, date.fromisoformat(day), language) == expected


def test_local_date() -> None:
    at = datetime(2026, 3, 6, 22, 30, tzinfo=UTC)
    assert local_date(WARSAW, at) == date(2026, 3, 6)
    assert local_date(RIYADH, at) == date(2026, 3, 7)


# --- Properties, against a clock that looks at every minute -------------------------------------

WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
Week = tuple[tuple[tuple[int, int], ...], ...]


@st.composite
def _spans(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    """Up to two spans of one day in minutes; the last may end after midnight."""
    ends = draw(st.lists(st.integers(0, 287), min_size=2, max_size=4, unique=True).map(sorted))
    spans = [(a * 5, b * 5) for a, b in zip(ends[::2], ends[1::2], strict=False)]
    if draw(st.booleans()):
        start = spans[-1][0]
        spans[-1] = (start, 1440 + draw(st.integers(0, min(start, 540) // 5)) * 5)
    return tuple(spans)


Special = tuple[tuple[date, date, tuple[tuple[int, int], ...], bool], ...]


@st.composite
def _special(draw: st.DrawFn) -> Special:
    """Up to three entries (first, last day, spans, closed on holidays), free to overlap."""
    entries = []
    for _ in range(draw(st.integers(0, 3))):
        # Around the instants that are looked at more often than elsewhere.
        first = draw(
            st.dates(date(2026, 1, 1), date(2026, 12, 31))
            | st.builds(
                lambda month, day: date(2026, month, day),
                st.sampled_from([2, 3, 10, 12]),
                st.integers(12, 28),
            )
        )
        last = first + timedelta(draw(st.integers(0, 20)))
        entries.append((first, last, draw(st.just(()) | _spans()), draw(st.booleans())))
    return tuple(entries)


def _spans_text(spans: tuple[tuple[int, int], ...]) -> str:
    return ",".join(f"{_clock(a)}-{_clock(b)}" for a, b in spans)


@st.composite
def calendars(draw: st.DrawFn) -> tuple[Calendar, Week, Special]:
    week: Week = tuple(draw(st.lists(st.just(()) | _spans(), min_size=7, max_size=7)))
    rules = [f"{WEEKDAYS[n]} {_spans_text(spans)}" for n, spans in enumerate(week) if spans]
    rules = draw(st.permutations(rules))
    timezone, country = draw(
        st.sampled_from(
            [
                ("Europe/Warsaw", "PL"),
                ("Europe/Paris", "FR"),
                ("Asia/Riyadh", "SA"),
                ("Africa/Casablanca", ""),
                ("America/Los_Angeles", "US"),
                ("Australia/Lord_Howe", ""),
            ]
        )
    )
    first = draw(st.dates(date(2026, 1, 1), date(2026, 12, 31)))
    closures = ((first, first + timedelta(draw(st.integers(0, 9)))),) * draw(st.integers(0, 1))
    hours = "; ".join([*rules, "PH off"])
    special = draw(_special())
    entries = tuple(
        (since, until, f"Mo-Su {_spans_text(spans) or 'off'}{'; PH off' * keeps}")
        for since, until, spans, keeps in special
    )
    return Calendar(hours, timezone, country, closures, entries), week, special


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def open_by_the_minute(calendar: Calendar, week: Week, special: Special, at: datetime) -> bool:
    shown_at = at.astimezone(ZoneInfo(calendar.timezone))
    today, minute = shown_at.date(), shown_at.hour * 60 + shown_at.minute
    if any(first <= today <= last for first, last in calendar.closures):
        return False
    for day, into in ((today, minute), (today - timedelta(days=1), minute + 1440)):
        spans, keeps_holidays = week[day.weekday()], True
        for first, last, others, keeps in special:
            if first <= day <= last:
                spans, keeps_holidays = others, keeps
                break
        if keeps_holidays and holiday_name(calendar.country, day, "en") is not None:
            continue
        if any(start <= into < end for start, end in spans):
            return True
    return False


# Around the changes of the clocks as often as anywhere else.
instants = st.one_of(
    st.builds(
        lambda n: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n),
        st.integers(0, 365 * 1440),
    ),
    st.builds(
        lambda day, n: day + timedelta(minutes=n),
        st.sampled_from(
            [datetime(2026, month, day, tzinfo=UTC) for month, day in
             ((2, 14), (3, 8), (3, 21), (3, 28), (4, 4), (10, 3), (10, 24), (11, 1), (12, 24))]
        ),
        st.integers(0, 2880),
    ),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(calendars(), instants)
def test_agrees_with_a_clock_read_every_minute(
    generated: tuple[Calendar, Week, Special], at: datetime
) -> None:
    calendar, week, special = generated
    minutes = [at + timedelta(minutes=n) for n in range(2 * 1440)]
    expected = [open_by_the_minute(calendar, week, special, minute) for minute in minutes]
    assert [is_open(calendar, minute) for minute in minutes] == expected
    assert working_minutes_between(calendar, at, at + timedelta(days=2)) == sum(expected)
    if any(expected):
        assert next_opening(calendar, at) == minutes[expected.index(True)]
        worked = [sum(expected[:n]) for n in range(len(expected))]
        half = (sum(expected) + 1) // 2
        reached = bisect_left(worked, half)
        if reached < len(minutes):
            assert add_working_minutes(calendar, at, half) == minutes[reached]
    if expected[0] and not all(expected):
        assert closes_at(calendar, at) == minutes[expected.index(False)]


@settings(max_examples=200, deadline=None)
@given(calendars(), instants, st.integers(0, 6000), st.integers(0, 6000))
def test_added_minutes_can_be_counted_again(
    generated: tuple[Calendar, Week, Special], at: datetime, minutes: int, more: int
) -> None:
    calendar, _, _ = generated
    reached = add_working_minutes(calendar, at, minutes)
    if reached is None:
        return
    assert reached >= at
    assert working_minutes_between(calendar, at, reached) == minutes
    later = add_working_minutes(calendar, at, minutes + more)
    assert later is None or later >= reached
    if later is not None and more:
        assert add_working_minutes(calendar, reached, more) == later


@settings(max_examples=200, deadline=None)
@given(calendars(), st.tuples(instants, instants, instants).map(sorted))
def test_working_time_adds_up(
    generated: tuple[Calendar, Week, Special], three: list[datetime]
) -> None:
    calendar, _, _ = generated
    start, middle, end = three
    whole = working_minutes_between(calendar, start, end)
    first, second = (
        working_minutes_between(calendar, start, middle),
        working_minutes_between(calendar, middle, end),
    )
    assert first + second == whole
    assert 0 <= first <= whole <= (end - start) / timedelta(minutes=1)
    stretches = open_stretches(calendar, start, end)
    assert sum((b - a) / timedelta(minutes=1) for a, b in stretches) == whole
    assert all(a[1] < b[0] for a, b in pairwise(stretches))
