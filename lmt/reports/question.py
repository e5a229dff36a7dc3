"""Pure: what a report is asked, the same in an address, a saved report, a schedule and the API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from babel.support import LazyProxy

from lmt.i18n import lazy_gettext as _l
from lmt.reports import dimensions, figures
from lmt.reports.standard import BY_CODE

PERIODS: Mapping[str, LazyProxy] = {
    "last_7_days": _l("Last 7 days"),
    "last_30_days": _l("Last 30 days"),
    "last_90_days": _l("Last 90 days"),
    "this_week": _l("This week"),
    "last_week": _l("Last week"),
    "this_month": _l("This month"),
    "last_month": _l("Last month"),
    "this_quarter": _l("This quarter"),
    "last_quarter": _l("Last quarter"),
    "this_year": _l("This year"),
    "last_year": _l("Last year"),
    "last_12_months": _l("Last 12 months"),
    "days": _l("From … to …"),
}
DEFAULT_PERIOD = "last_30_days"
LONGEST_DAYS = 366 * 10
EARLIEST, LATEST = date(1950, 1, 1), date(2199, 12, 31)
"""Of days that can be asked for: with what they are compared with, far from where dates end."""
COMPARISONS: Mapping[str, LazyProxy] = {
    "": _l("Nothing"),
    "before": _l("The period before"),
    "month": _l("The same days of the month before"),
    "year": _l("The same days a year before"),
}
_WEEKS_BACK = {"month": 4, "year": 52}
CURRENCIES = ("market", "one")
USUAL_FIGURES = ("leads", "contacted", "sold", "conversion", "response")
MOST_FIGURES = 20
MOST_VALUES = 50


@dataclass(frozen=True, slots=True)
class Question:
    """`rows` and `columns` are codes of dimensions, "" for none; `first` to `last` are days, both
    included, each on the wall of the lead's market. `filters`: dimension → keys of which a lead has
    one. `period` is what the days were read from, so that a saved question moves on with time.
    `report` names a standard report, "" one built freely; `view` is table or chart.
    """

    first: date
    last: date
    rows: str = "market"
    columns: str = ""
    figures: tuple[str, ...] = USUAL_FIGURES
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    period: str = DEFAULT_PERIOD
    compare: str = ""
    currency: str = "market"
    report: str = ""
    view: str = "table"
    sort: str = ""
    """A code of `figures`, the greatest first; "" for the report's own order."""

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def of_calls(self) -> bool:
        """Does it tell calls apart? Nothing is known of leads then."""
        used = (self.rows, self.columns, *self.filters)
        return any(code and dimensions.dimension_of(code).of_calls for code in used)

    def before(self) -> Question | None:
        """The same of the days that it is compared with; None where it is compared with none. Weeks
        are compared with as many weeks: days that begin in the midst of one would put a part of a
        week beside a whole one."""
        if self.compare and "week" in (self.rows, self.columns):
            weeks = _WEEKS_BACK.get(self.compare, -(-self.days // 7))
            back = timedelta(weeks=weeks)
            return replace(self, first=self.first - back, last=self.last - back)
        if self.compare == "year":
            return replace(self, first=_earlier(self.first, 12), last=_earlier(self.last, 12))
        if self.compare == "month":
            return replace(self, first=_earlier(self.first, 1), last=_earlier(self.last, 1))
        if self.compare != "before":
            return None
        first, last = span_before(self.first, self.last)
        return replace(self, first=first, last=last)

    def parameters(self) -> dict[str, str | list[str]]:
        """As an address has them; `read` makes the same question of them. Days are named only
        where the period doesn't say them; what is as usual only where the usual is another for
        some readers, or in the standard report that the question began from."""
        days = (
            {"from": self.first.isoformat(), "to": self.last.isoformat()}
            if self.period == "days"
            else {}
        )
        named: dict[str, str | list[str]] = {
            "report": self.report,
            "rows": self.rows,
            "columns": self.columns,
            "figures": ",".join(self.figures),
            "period": self.period,
            **days,
            "compare": self.compare,
            "currency": self.currency,
            "view": self.view,
            "sort": self.sort,
            **{code: list(keys) for code, keys in self.filters.items()},
        }
        standard = BY_CODE.get(self.report)
        told = {"rows", "currency", *(standard.start if standard else ())}
        usual = {"view": "table"}
        return {
            name: value
            for name, value in named.items()
            if name in told or value not in ("", usual.get(name))
        }


@dataclass(frozen=True, slots=True)
class Problem:
    """What of an address could not be used: the parameter, and a code: unknown, backwards, long,
    many, no_date."""

    parameter: str
    code: str
    given: str


def read(
    given: Mapping[str, list[str]],
    today: date,
    *,
    week_start: int = 0,
    fields: Iterable[str] = (),
    start: Mapping[str, str] | None = None,
) -> tuple[Question, list[Problem]]:
    """The question that an address asks, with what is left at its default where it can't be used.

    `today` is the reader's, `week_start` 0 for Monday; `fields` are the keys of own fields that
    can be grouped by; `start` gives defaults: those of a standard report.
    """
    known = {**dimensions.BY_CODE, **{dimensions.FIELD + key: None for key in fields}}
    problems: list[Problem] = []
    start = start or {}

    def one(name: str, default: str, choices: Iterable[str]) -> str:
        value = (given.get(name) or [""])[0] if name in given else start.get(name, default)
        if value not in set(choices):
            problems.append(Problem(name, "unknown", value))
            return start.get(name, default)
        return value

    period = one("period", "days" if given.get("from") else DEFAULT_PERIOD, PERIODS)
    if given.get("from") or given.get("to"):
        period = "days"
    first, last = _days(given, period, today, week_start, problems)
    rows = one("rows", "market", ["", *known])
    columns = one("columns", "", ["", *known])
    asked = given.get("figures") or [start.get("figures", "")]
    codes = [code for text in asked for code in text.split(",") if code]
    unknown = dict.fromkeys(code for code in codes if code not in figures.BY_CODE)
    problems += [Problem("figures", "unknown", code) for code in list(unknown)[:MOST_FIGURES]]
    chosen = tuple(dict.fromkeys(code for code in codes if code in figures.BY_CODE))
    if len(chosen) > MOST_FIGURES:
        problems.append(Problem("figures", "many", str(len(chosen))))
    filters = {}
    for code in known:
        keys = tuple(dict.fromkeys(key for key in given.get(code, ()) if key))
        if len(keys) > MOST_VALUES:
            problems.append(Problem(code, "many", str(len(keys))))
        if keys:
            filters[code] = keys[:MOST_VALUES]
    question = Question(
        first=first,
        last=last,
        rows=rows,
        columns="" if columns == rows else columns,
        figures=chosen[:MOST_FIGURES] or USUAL_FIGURES,
        filters=filters,
        period=period,
        compare=one("compare", "", COMPARISONS),
        currency=one("currency", "market", CURRENCIES),
        report=(given.get("report") or [start.get("report", "")])[0],
        view=one("view", "table", ("table", "chart")),
        sort=one("sort", "", ["", *figures.BY_CODE]),
    )
    return question, problems


def _days(
    given: Mapping[str, list[str]],
    period: str,
    today: date,
    week_start: int,
    problems: list[Problem],
) -> tuple[date, date]:
    usual = span_of(DEFAULT_PERIOD, today, week_start)
    if period != "days":
        return span_of(period, today, week_start)
    found: dict[str, date] = {}
    for name in ("from", "to"):
        text = (given.get(name) or [""])[0]
        if not text:
            continue
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = date.min
        if EARLIEST <= day <= LATEST:
            found[name] = day
        else:
            problems.append(Problem(name, "no_date", text))
    last = found.get("to", max(today, found.get("from", today)))
    first = found.get("from", last - (usual[1] - usual[0]))
    if first > last:
        problems.append(Problem("from", "backwards", first.isoformat()))
        return usual
    if (last - first).days >= LONGEST_DAYS:
        problems.append(Problem("from", "long", first.isoformat()))
        first = last - timedelta(days=LONGEST_DAYS - 1)
    return first, last


def span_of(period: str, today: date, week_start: int = 0) -> tuple[date, date]:
    """The first and the last day of a named period, both included."""
    if period.startswith("last_") and period.endswith("_days"):
        return today - timedelta(days=int(period.split("_")[1]) - 1), today
    week = today - timedelta(days=(today.weekday() - week_start) % 7)
    month = today.replace(day=1)
    quarter = month.replace(month=(month.month - 1) // 3 * 3 + 1)
    year = month.replace(month=1)
    day = timedelta(days=1)
    match period:
        case "this_week":
            return week, today
        case "last_week":
            return week - timedelta(days=7), week - day
        case "this_month":
            return month, today
        case "last_month":
            return months_on(month, -1), month - day
        case "this_quarter":
            return quarter, today
        case "last_quarter":
            return months_on(quarter, -3), quarter - day
        case "this_year":
            return year, today
        case "last_year":
            return year.replace(year=year.year - 1), year - day
        case "last_12_months":
            return months_on(month, -12), month - day
    raise ValueError(f"no period {period!r}")


def span_before(first: date, last: date) -> tuple[date, date]:
    """As many days before; of whole months as many whole months, since months differ in length."""
    after = last + timedelta(days=1)
    if first.day == 1 and after.day == 1:
        months = (after.year - first.year) * 12 + after.month - first.month
        return months_on(first, -months), first - timedelta(days=1)
    return first - (after - first), first - timedelta(days=1)


def months_on(day: date, months: int) -> date:
    """The first of the month that lies `months` after that of `day`."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def _earlier(day: date, months: int) -> date:
    """The same day of an earlier month, or its last where it has no such."""
    first = months_on(day, -months)
    return min(first + timedelta(days=day.day - 1), months_on(first, 1) - timedelta(days=1))
