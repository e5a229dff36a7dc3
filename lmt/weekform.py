"""The week editor as a form: a dealer's hours drafted as days to fill in, and read back from them.

The page needs no script: blank rows are there to be filled, and the buttons that add a row or copy
a day draw the page anew. The text below the days is the same hours, and wins where it was edited.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from babel import Locale

from lmt.i18n import gettext as _
from lmt.i18n import reader
from lmt.openinghours import hours_problem
from lmt.publicholidays import holidays_of
from lmt.weekhours import (
    MIDNIGHT,
    MOST_SPANS,
    Day,
    Span,
    Week,
    day_problem,
    hours_of,
    week_of,
)
from lmt.workhours import Calendar, open_stretches

KEYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
HOLIDAYS = "ph"
HOLIDAY_RULES = ("closed", "normal", "own")
REDRAW = "week-redraw"
"""The name of the buttons that only draw the page anew."""
_DAY_MINUTES = 1440


class BadWeek(ValueError):
    """What was typed makes no week: `problems` by the day's key, in the reader's words."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class DayDraft:
    """A day as it is typed: `rows` of opening and closing times, the last ones may be blank."""

    key: str
    name: str
    closed: bool
    rows: tuple[tuple[str, str], ...]
    problem: str = ""
    bars: tuple[tuple[int, int], ...] = ()
    """Open stretches of this date as (first minute, minutes), the night before included."""

    @property
    def may_grow(self) -> bool:
        return len(self.rows) < MOST_SPANS


@dataclass(frozen=True, slots=True)
class Draft:
    """The editor's content. Without `days` the hours are more than a week can say; `text` is the
    hours in OpenStreetMap syntax, `text_was` what they were when the page was drawn."""

    days: tuple[DayDraft, ...]
    holidays: DayDraft
    holiday_rule: str
    text: str
    text_was: str
    problem: str = ""

    def ordered(self, week_start: int) -> Sequence[DayDraft]:
        """The days from the first of the reader's week on, 0 being Monday."""
        return (*self.days[week_start:], *self.days[:week_start])


@dataclass(frozen=True, slots=True)
class Holiday:
    """A coming public holiday, and when the dealer is open on it (none: closed)."""

    day: date
    name: str
    open: tuple[tuple[datetime, datetime], ...]


def draft_of(hours: str, *, problem: str = "") -> Draft:
    """The editor as it is before anybody types; `problem` is what is wrong with the text."""
    week = week_of(hours)
    if week is None and hours_problem(hours) is not None:
        # Nothing to lose: an empty week is easier to fill in than a text to mend.
        return _draft([() for _key in KEYS], (), "normal", hours, hours, {"hours": problem})
    if week is None:
        holidays = DayDraft(HOLIDAYS, "", True, ())
        return Draft((), holidays, "normal", hours, hours, problem)
    rule = "normal" if week.holidays is None else "own" if week.holidays else "closed"
    return _draft(
        [[(span.opens, _typed_close(span.closes)) for span in day] for day in week.days],
        [(span.opens, _typed_close(span.closes)) for span in week.holidays or ()],
        rule,
        hours,
        hours,
        {"hours": problem},
        closed=[not day for day in week.days],
    )


def draft_from(form: Mapping[str, str], problems: Mapping[str, str] | None = None) -> Draft:
    """The editor as it was typed, with what is wrong by the day's key (`hours`: with the text);
    the button that adds a row or copies Monday is obeyed."""
    text = form.get("hours", "")
    if not _has_days(form):
        return draft_of(text, problem=(problems or {}).get("hours", ""))
    rows = {key: _rows(form, key) for key in (*KEYS, HOLIDAYS)}
    closed = [form.get(f"{key}-closed", "") == "yes" for key in KEYS]
    asked = form.get(REDRAW, "")
    if asked == "copy" and not closed[0]:
        for key, is_closed in zip(KEYS, closed, strict=True):
            if not is_closed:
                rows[key] = rows["mo"]
    added = asked.removeprefix("add-")
    if added in rows and len(rows[added]) < MOST_SPANS:
        rows[added] = [*rows[added], ("", "")]
    return _draft(
        [rows[key] for key in KEYS],
        rows[HOLIDAYS],
        form.get(HOLIDAYS, ""),
        text,
        form.get("hours-was", ""),
        problems or {},
        closed=closed,
    )


def only_redraws(form: Mapping[str, str]) -> bool:
    """Was a button of the editor pressed that saves nothing?"""
    return REDRAW in form


def hours_from(form: Mapping[str, str]) -> str:
    """The hours as filled in, unchecked where they are text. Raises BadWeek where the days don't
    make a week."""
    text, before = form.get("hours", "").strip(), form.get("hours-was", "").strip()
    if not _has_days(form) or text != before:
        return text
    week = week_from(form)
    # What says the same stays as it was written.
    return before if week == week_of(before) else hours_of(week)


def week_from(form: Mapping[str, str]) -> Week:
    """The days as filled in. Raises BadWeek."""
    problems: dict[str, str] = {}
    days = [
        () if form.get(f"{key}-closed", "") == "yes" else _day(form, key, problems) for key in KEYS
    ]
    rule = form.get(HOLIDAYS, "")
    if rule not in HOLIDAY_RULES:
        problems[HOLIDAYS] = _("Choose what public holidays are.")
    holidays = _day(form, HOLIDAYS, problems) if rule == "own" else () if rule == "closed" else None
    if problems:
        raise BadWeek(problems)
    return Week(tuple(days), holidays)


def coming_holidays(calendar: Calendar, at: datetime, months: int = 6) -> list[Holiday]:
    """Public holidays of the dealer's country from its today on, and what they are there."""
    zone = ZoneInfo(calendar.timezone)
    today = at.astimezone(zone).date()
    last = today + timedelta(days=round(months * 30.5))
    found = []
    for year in range(today.year, last.year + 1):
        names = holidays_of(calendar.country.upper(), year, reader().locale)
        for day in sorted(names):
            if today <= day <= last:
                found.append(Holiday(day, names[day], open_on(calendar, day)))
    return found


def open_on(calendar: Calendar, day: date) -> tuple[tuple[datetime, datetime], ...]:
    """When the dealer is open on that date of its own, in UTC; a night goes on beyond it."""
    zone = ZoneInfo(calendar.timezone)
    first = datetime.combine(day, time(), zone).astimezone(UTC)
    after = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    return tuple(open_stretches(calendar, first, after))


def week_start(own: int | None, market: int) -> int:
    """The first day of the reader's week, 0 being Monday: their own choice, else the market's."""
    return market if own is None else own


def day_names() -> list[str]:
    """Of the weekdays in the reader's language, Monday first."""
    names = Locale(reader().locale).days["stand-alone"]["wide"]
    return [str(names[position]) for position in range(7)]


def _has_days(form: Mapping[str, str]) -> bool:
    return form.get("week", "") == "days"


def _rows(form: Mapping[str, str], key: str) -> list[tuple[str, str]]:
    rows = [
        (form.get(f"{key}-opens-{number}", "")[:5], form.get(f"{key}-closes-{number}", "")[:5])
        for number in range(MOST_SPANS)
    ]
    return [row for row in rows if any(row)]


def _day(form: Mapping[str, str], key: str, problems: dict[str, str]) -> Day:
    spans = tuple(sorted(_span(*row) for row in _rows(form, key)))
    if not spans:
        problems[key] = (
            _("Enter when you open and close, or choose another rule.")
            if key == HOLIDAYS
            else _("Enter when you open and close, or tick “Closed”.")
        )
    elif problem := day_problem(spans):
        problems[key] = _words(problem)
    return spans


def _words(problem: str) -> str:
    if problem == "time":
        return _("Enter both times, such as 09:00 and 18:00.")
    if problem == "same":
        return _("Opening and closing are the same. For the whole day enter 00:00 twice.")
    if problem == "many":
        return _("Four times a day at most.")
    return _("These times overlap.")


def _span(opens: str, closes: str) -> Span:
    return Span(opens, MIDNIGHT if closes == "00:00" else closes)


def _typed_close(closes: str) -> str:
    """A field for times knows no 24:00."""
    return "00:00" if closes == MIDNIGHT else closes


def _draft(
    days: Sequence[Sequence[tuple[str, str]]],
    holidays: Sequence[tuple[str, str]],
    rule: str,
    text: str,
    text_was: str,
    problems: Mapping[str, str],
    closed: Sequence[bool] = (False,) * 7,
) -> Draft:
    names = day_names()
    bars = _bars([() if shut else rows for rows, shut in zip(days, closed, strict=True)])
    drafts = tuple(
        DayDraft(
            key, names[position], closed[position], tuple(days[position]) or (("", ""),),
            problems.get(key, ""), bars[position],
        )
        for position, key in enumerate(KEYS)
    )  # fmt: skip
    own = DayDraft(
        HOLIDAYS, _("Public holidays"), rule == "closed", tuple(holidays) or (("", ""),),
        problems.get(HOLIDAYS, ""),
    )  # fmt: skip
    return Draft(drafts, own, rule, text, text_was, problems.get("hours", ""))


def _bars(days: Sequence[Sequence[tuple[str, str]]]) -> list[tuple[tuple[int, int], ...]]:
    bars: list[list[tuple[int, int]]] = [[] for _day in days]
    for position, rows in enumerate(days):
        spans = [_span(*row) for row in rows]
        for span in spans:
            if day_problem([span]):
                continue
            opens, closes = span.minutes
            bars[position].append((opens, min(closes, _DAY_MINUTES) - opens))
            if closes > _DAY_MINUTES:
                bars[(position + 1) % 7].append((0, closes - _DAY_MINUTES))
    return [tuple(sorted(each)) for each in bars]
