"""Opening hours as a week to be filled in: from OpenStreetMap values to a grid of days, and back.

A grid says what most dealers say: spans for each weekday, and what public holidays do. Everything
else that the syntax knows (months, weeks of the year, comments, fallbacks) is no grid: such hours
stay text. Syntax: https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from opening_hours import OpeningHours, validate

from lmt.openinghours import hours_problem

CODES = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
MOST_SPANS = 4
MIDNIGHT = "24:00"

_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_RULE = re.compile(r"(?:(?P<days>[A-Z][A-Za-z,-]*)(?: |$))?(?P<what>[\d:,-]*|closed|24/7 closed)")
_SPAN = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Open from `opens` until `closes`, both `HH:MM`, the end of the day `24:00`. A close that is
    not after the opening is one of the next morning."""

    opens: str
    closes: str

    @property
    def minutes(self) -> tuple[int, int]:
        """Since the day's midnight; the second may lie beyond the day's 1,440."""
        opens, closes = _minutes(self.opens), _minutes(self.closes)
        return opens, closes if closes > opens else closes + 1440


Day = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Week:
    """Seven `days` from Monday on, each with its spans in order; `holidays` are public ones: None
    where they are days like any other, () where they are closed."""

    days: tuple[Day, ...]
    holidays: Day | None = None


WHOLE_DAY = (Span("00:00", MIDNIGHT),)


def day_problem(spans: Iterable[Span]) -> str | None:
    """Why these spans make no day: `time`, `same`, `overlap`, `many`; None where they do."""
    ordered = sorted(spans)
    for span in ordered:
        if not (_TIME.fullmatch(span.opens) and _is_close(span.closes)):
            return "time"
        if span.opens == span.closes:
            return "same"
    if len(ordered) > MOST_SPANS:
        return "many"
    reached = -1
    for opens, closes in (span.minutes for span in ordered):
        if opens <= reached:
            return "overlap"
        reached = closes
    if ordered and reached > ordered[0].minutes[0] + 1440:
        return "overlap"
    return None


def hours_of(week: Week) -> str:
    """The week in OpenStreetMap syntax, days of equal hours together: `Mo-Fr 09:00-18:00; PH off`.

    Days without spans are left out, as the syntax has it; a week without any is `off`.
    """
    together: dict[Day, list[int]] = {}
    for position in _from_a_change(week.days):
        if week.days[position]:
            together.setdefault(week.days[position], []).append(position)
    if set(together) == {WHOLE_DAY} and len(together[WHOLE_DAY]) == 7 and week.holidays is None:
        return "24/7"
    rules = [f"{_listed(days)} {_spans_of(spans)}" for spans, days in together.items()] or ["off"]
    if week.holidays is not None:
        rules.append(f"PH {_spans_of(week.holidays) or 'off'}")
    return "; ".join(rules)


def week_of(hours: str) -> Week | None:
    """The grid that says the same as `hours`; None where no grid does, or they can't be read."""
    if hours_problem(hours) is not None or '"' in hours or not validate(hours):
        return None
    days: list[Day] = [()] * 7
    holidays: Day | None = None
    for text in str(OpeningHours(hours)).split("; "):
        rule = _RULE.fullmatch(text)
        if rule is None:
            # 24/7 is a rule by itself.
            if text != "24/7":
                return None
            spans: Day | None = WHOLE_DAY
        else:
            spans = _spans(rule["what"], bool(rule["days"]))
        named = _days(rule["days"] or "") if rule else range(7)
        if spans is None or named is None:
            return None
        if holidays is not None and any(each < 7 for each in named):
            # It would hold on public holidays that fall on its days, too.
            return None
        for each in named:
            if each < 7:
                days[each] = spans
        if 7 in named:
            holidays = spans
    week = Week(tuple(days), holidays)
    if any(day_problem(each) for each in (*week.days, week.holidays or ())):
        return None
    return week


def _minutes(time: str) -> int:
    return int(time[:2]) * 60 + int(time[3:])


def _is_close(time: str) -> bool:
    return time == MIDNIGHT or (time != "00:00" and _TIME.fullmatch(time) is not None)


def _from_a_change(days: tuple[Day, ...]) -> list[int]:
    """The days in order, beginning where a run of equal ones begins: Monday's may begin before."""
    first = 0
    while first > -6 and days[first - 1] == days[0]:
        first -= 1
    begin = first if first > -6 else 0
    return [position % 7 for position in range(begin, begin + 7)]


def _listed(days: list[int]) -> str:
    """`Mo-Th,Sa` of positions in order, a run of two or more as a range."""
    runs: list[list[int]] = []
    for day in days:
        if runs and (runs[-1][-1] + 1) % 7 == day:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(
        CODES[run[0]] if len(run) == 1 else f"{CODES[run[0]]}-{CODES[run[-1]]}" for run in runs
    )


def _spans_of(spans: Day) -> str:
    return ",".join(f"{span.opens}-{span.closes}" for span in spans)


def _spans(what: str, has_days: bool) -> Day | None:
    """The spans of a rule; None where they are no spans of a grid."""
    if what.endswith("closed"):
        return ()
    if not what:
        return WHOLE_DAY if has_days else None
    spans = []
    for text in what.split(","):
        found = _SPAN.fullmatch(text)
        if found is None:
            return None
        opens = int(found[1]) * 60 + int(found[2])
        closes = int(found[3]) * 60 + int(found[4])
        if opens >= 1440 or closes > opens + 1440:
            return None
        closes %= 1440
        spans.append(Span(text[:5], f"{closes // 60:02}:{closes % 60:02}" if closes else MIDNIGHT))
    return tuple(sorted(spans))


def _days(selector: str) -> list[int] | range | None:
    """Positions of the days named, public holidays as 7; all weekdays where none is."""
    if not selector:
        return range(7)
    named: list[int] = []
    for item in selector.split(","):
        first, dash, last = item.partition("-")
        if item == "PH":
            named.append(7)
        elif first in CODES and not dash:
            named.append(CODES.index(first))
        elif first in CODES and last in CODES:
            begin, end = CODES.index(first), CODES.index(last)
            named += [
                position % 7 for position in range(begin, end + (7 if end < begin else 0) + 1)
            ]
        else:
            return None
    return named
