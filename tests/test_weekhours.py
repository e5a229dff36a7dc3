"""A week to be filled in says the same as the OpenStreetMap value it is written as."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmt.openinghours import hours_problem, wall_stretches
from lmt.publicholidays import holidays_of
from lmt.weekform import BadWeek, draft_from, draft_of, hours_from, only_redraws, week_from
from lmt.weekhours import Day, Span, Week, day_problem, hours_of, week_of

MONDAY = date(2026, 3, 30)
"""The week before Easter Monday, a holiday in Poland, and the weeks around it."""
DAYS = 21
LUNCH = (Span("09:00", "13:00"), Span("14:00", "18:00"))
SHORT = (Span("09:00", "14:00"),)


def week(*days: Day, holidays: Day | None = None) -> Week:
    return Week((*days, *((),) * (7 - len(days))), holidays)


WRITTEN: list[tuple[str, str, Week]] = [
    ("breaks", "Mo-Fr 09:00-13:00,14:00-18:00; Sa 09:00-14:00; PH off",
     week(*[LUNCH] * 5, SHORT, holidays=())),
    ("around_monday", "Su-Th 09:00-14:00", Week((*[SHORT] * 4, (), (), SHORT))),
    ("apart", "Mo,We,Fr-Sa 09:00-14:00", week(SHORT, (), SHORT, (), SHORT, SHORT)),
    ("every_day", "Mo-Su 09:00-14:00", week(*[SHORT] * 7)),
    ("always", "24/7", week(*[(Span("00:00", "24:00"),)] * 7)),
    ("always_but", "Mo-Su 00:00-24:00; PH off",
     week(*[(Span("00:00", "24:00"),)] * 7, holidays=())),
    ("never", "off", week()),
    ("never_at_all", "off; PH off", week(holidays=())),
    ("only_holidays", "off; PH 09:00-14:00", week(holidays=SHORT)),
    ("nights", "Th-Sa 20:00-02:00; PH 20:00-24:00",
     week((), (), (), *[(Span("20:00", "02:00"),)] * 3, holidays=(Span("20:00", "24:00"),))),
]  # fmt: skip


@pytest.mark.parametrize(("text", "grid"), [w[1:] for w in WRITTEN], ids=[w[0] for w in WRITTEN])
def test_a_week_is_written_shortly_and_read_again(text: str, grid: Week) -> None:
    assert hours_of(grid) == text
    assert week_of(text) == grid
    assert hours_problem(text) is None


OTHERWISE_WRITTEN: list[tuple[str, str]] = [
    ("closed_days_named", "Mo-Fr 09:00-18:00; Sa,Su off; PH off"),
    ("no_days", "09:00-18:00"),
    ("whole_days", "Mo-Fr; PH closed"),
    ("beyond_24", "Fr-Sa 18:00-26:00"),
    ("to_midnight", "Fr 18:00-00:00"),
    ("later_rule_wins", "Mo-Su 09:00-18:00; We 09:00-12:00; Su,PH off"),
    ("holiday_as_sunday", "Mo-Sa 09:00-18:00; Su,PH 10:00-12:00"),
    ("sloppy", "mo-fr 9:00-13:00, 14:00-18:00"),
    ("closed_night", "Fr-Sa 20:00-02:00; Su off"),
    ("always_but_holidays", "24/7; PH off"),
]


@pytest.mark.parametrize(
    "text", [w[1] for w in OTHERWISE_WRITTEN], ids=[w[0] for w in OTHERWISE_WRITTEN]
)
def test_other_ways_of_writing_a_week_mean_the_same(text: str) -> None:
    grid = week_of(text)
    assert grid is not None
    assert opened(text) == opened(hours_of(grid))


TOO_RICH: list[tuple[str, str]] = [
    ("months", "Apr-Sep Mo-Fr 09:00-18:00"),
    ("weeks", "week 1-20 Mo-Fr 09:00-18:00"),
    ("school", "Mo-Fr 09:00-18:00; SH off"),
    ("comment", 'Mo-Fr 09:00-18:00 "by the yard"'),
    ("fallback", "Mo-Fr 09:00-18:00 || off"),
    ("unknown", "Mo-Fr 09:00-18:00 unknown"),
    ("nth", "Mo[1] 09:00-18:00"),
    ("after_holiday", "PH +1 day off; Mo-Fr 09:00-18:00"),
    ("dates", "Mo-Fr 09:00-18:00; Dec 24 09:00-12:00"),
    ("holidays_first", "PH off; Mo-Fr 09:00-18:00"),
    ("additive", "Mo-Fr 09:00-12:00, Mo 14:00-18:00"),
    ("overlap", "Mo-Fr 09:00-18:00,12:00-20:00"),
    ("five", "Mo 01:00-02:00,03:00-04:00,05:00-06:00,07:00-08:00,09:00-10:00"),
    ("unreadable", "when we like"),
    ("empty", ""),
]


@pytest.mark.parametrize("text", [w[1] for w in TOO_RICH], ids=[w[0] for w in TOO_RICH])
def test_what_a_week_cant_say_stays_text(text: str) -> None:
    assert week_of(text) is None
    if hours_problem(text) is None:
        draft = draft_of(text)
        assert draft.days == ()
        assert draft.text == text


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@st.composite
def days(draw: st.DrawFn) -> Day:
    marks = sorted(draw(st.sets(st.integers(0, 95), max_size=8)))
    spans = [
        Span(clock(opens * 15), clock(closes * 15))
        for opens, closes in zip(marks[::2], marks[1::2], strict=False)
    ]
    night = draw(st.integers(0, 8))
    if spans and draw(st.booleans()) and night * 15 < spans[0].minutes[0]:
        spans[-1] = Span(spans[-1].opens, clock(night * 15) if night else "24:00")
    return tuple(spans)


weeks = st.builds(
    Week, st.lists(days(), min_size=7, max_size=7).map(tuple), st.none() | st.just(()) | days()
)


def opened(hours: str) -> set[int]:
    """Every open minute of three weeks, as the dealer's calendar reads the value."""
    return {
        minute
        for opens, closes in wall_stretches(hours, "PL", MONDAY, DAYS)
        for minute in range(opens // 60, closes // 60)
    }


@settings(max_examples=150, deadline=None)
@given(weeks)
def test_any_week_survives_being_written(grid: Week) -> None:
    assert not any(day_problem(day) for day in (*grid.days, grid.holidays or ()))
    text = hours_of(grid)
    assert hours_problem(text) is None
    assert week_of(text) == grid


@settings(max_examples=40, deadline=None)
@given(weeks)
def test_the_dealer_opens_exactly_when_the_week_says(grid: Week) -> None:
    expected: set[int] = set()
    first = (MONDAY - date(1970, 1, 1)).days * 1440
    for position in range(DAYS):
        day = MONDAY + timedelta(days=position)
        own = grid.days[day.weekday()]
        if day in holidays_of("PL", day.year) and grid.holidays is not None:
            own = grid.holidays
        for opens, closes in (span.minutes for span in own):
            midnight = first + position * 1440
            expected |= set(range(midnight + opens, midnight + closes))
    assert opened(hours_of(grid)) == expected


# The form


def typed(grid: Week, **others: str) -> dict[str, str]:
    """What a browser sends of an editor filled in with this week."""
    form = {"week": "days", "ph": "normal", "hours": "off", "hours-was": "off"}
    for key, day in zip(("mo", "tu", "we", "th", "fr", "sa", "su"), grid.days, strict=True):
        if not day:
            form[f"{key}-closed"] = "yes"
        for number, span in enumerate(day):
            form[f"{key}-opens-{number}"] = span.opens
            form[f"{key}-closes-{number}"] = span.closes.replace("24:00", "00:00")
    return {**form, **others}


def test_the_form_is_read_as_a_week() -> None:
    grid = week(*[LUNCH] * 4, (Span("18:00", "24:00"),), (Span("00:00", "24:00"),))
    assert week_from(typed(grid)) == grid
    assert hours_from(typed(grid)).startswith("Mo-Th 09:00-13:00,14:00-18:00; Fr 18:00-24:00; Sa")
    own = typed(grid, ph="own", **{"ph-opens-0": "10:00", "ph-closes-0": "12:00"})
    assert week_from(own).holidays == (Span("10:00", "12:00"),)
    assert week_from(typed(grid, ph="closed")).holidays == ()


def test_a_draft_is_filled_in_with_what_it_was_made_of() -> None:
    for _name, text, grid in WRITTEN:
        draft = draft_of(text)
        form = {"week": "days", "hours": text, "hours-was": text, "ph": draft.holiday_rule}
        for day in (*draft.days, draft.holidays):
            for number, (opens, closes) in enumerate(day.rows):
                form |= {f"{day.key}-opens-{number}": opens, f"{day.key}-closes-{number}": closes}
            if day.closed:
                form[f"{day.key}-closed"] = "yes"
        assert week_from(form) == grid
        assert hours_from(form) == text


def test_the_text_wins_where_it_was_edited_and_stays_where_nothing_was() -> None:
    before = "Mo-Fr 09:00-14:00; Sa,Su off"
    same = typed(week(*[SHORT] * 5), hours=before, **{"hours-was": before})
    assert hours_from(same) == before
    assert hours_from({**same, "hours": "Apr-Sep Mo 10:00-12:00"}) == "Apr-Sep Mo 10:00-12:00"
    assert hours_from({**same, "fr-closed": "yes"}) == "Mo-Th 09:00-14:00"


BAD: list[tuple[str, dict[str, str], str, str]] = [
    ("blank", {"tu-opens-0": "", "tu-closes-0": ""}, "tu", "tick “Closed”"),
    ("half", {"tu-closes-0": ""}, "tu", "both times"),
    ("no_time", {"tu-opens-0": "9 am"}, "tu", "both times"),
    ("same", {"tu-opens-0": "14:00"}, "tu", "the same"),
    ("overlap", {"tu-opens-1": "13:00", "tu-closes-1": "15:00"}, "tu", "overlap"),
    ("night", {"tu-opens-1": "20:00", "tu-closes-1": "10:00"}, "tu", "overlap"),
    ("no_rule", {"ph": ""}, "ph", "public holidays"),
    ("own_blank", {"ph": "own"}, "ph", "another rule"),
]


@pytest.mark.parametrize(("change", "day", "words"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_what_makes_no_week_is_said_at_its_day(
    change: dict[str, str], day: str, words: str
) -> None:
    form = {**typed(week(*[SHORT] * 5)), **change}
    with pytest.raises(BadWeek) as bad:
        hours_from(form)
    assert list(bad.value.problems) == [day]
    assert words in bad.value.problems[day]
    draft = draft_from(form, bad.value.problems)
    assert [each.key for each in (*draft.days, draft.holidays) if each.problem] == [day]


def test_rows_are_added_and_monday_is_copied_without_a_script() -> None:
    form = typed(week(LUNCH, *[SHORT] * 4))
    assert not only_redraws(form)
    more = {**form, "week-redraw": "add-tu"}
    assert only_redraws(more)
    assert [len(day.rows) for day in draft_from(more).days] == [2, 2, 1, 1, 1, 1, 1]
    copied = draft_from({**form, "week-redraw": "copy"}).days
    assert all(day.rows == copied[0].rows for day in copied[:5])
    assert copied[5].closed
    assert copied[5].rows == (("", ""),)


def test_the_week_begins_where_the_reader_begins_it() -> None:
    draft = draft_of("Mo-Fr 20:00-02:00")
    assert [day.key for day in draft.ordered(6)][:3] == ["su", "mo", "tu"]
    assert draft.days[0].bars == ((1200, 240),)
    assert draft.days[5].bars == ((0, 120),)
