"""What a chart of an answer shows: its groups and series, the smaller ones put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lmt.i18n import gettext as _
from lmt.reports import dimensions, figures
from lmt.reports.answer import Answer, Key
from lmt.reports.chartnames import Group, groups_of, isolated, short_names
from lmt.reports.comparing import past_of, tally_before
from lmt.reports.folding import OTHERS
from lmt.reports.palette import MOST_SERIES
from lmt.reports.tally import Tally, summed
from lmt.reports.wording import days_text, figure_text

MOST_GROUPS = 20
MOST_HEAT_COLUMNS = 24
MOST_MARKS = 4_000
ADDING = (figures.COUNT, figures.MONEY)
"""Units of which parts can be put on top of each other."""
MOST_FIGURES = 4
"""Several figures of one unit side by side."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Points in the order in which they are drawn, each with `row`, `series`, `value` in the unit
    of the axis and the `text` to be read; of lines also `period`. `series` is empty where there is
    but one. Sums of many small groups, beside which single ones would vanish, are `rest`: they are
    told, not drawn."""

    rows: tuple[str, ...]
    series: tuple[str, ...]
    points: tuple[dict[str, Any], ...]
    title: str
    """Of the axis of values."""
    periods: tuple[str, ...] = ()
    short: Mapping[str, str] = field(default_factory=dict)
    """What the axis says of a row, where that is shorter than its name."""


def value_of(figure: str, tally: Tally, currency: str) -> float | None:
    """A figure of a tally; None for amounts that are in several currencies."""
    known = figures.BY_CODE[figure]
    return None if known.unit == figures.MONEY and not currency else known.value(tally)


class Reading:
    """One answer, asked for what stands at a place of the chart."""

    def __init__(self, answer: Answer):
        self.answer = answer
        self.swapped = not answer.question.rows and bool(answer.question.columns)
        """Its only dimension stands as columns."""

    @property
    def dimension(self) -> str:
        question = self.answer.question
        return question.columns if self.swapped else question.rows

    @property
    def second(self) -> str:
        return "" if self.swapped else self.answer.question.columns

    @property
    def groups(self) -> Sequence[Key]:
        return self.answer.columns if self.swapped else self.answer.rows

    @property
    def is_time(self) -> bool:
        """Do its groups run on in time, one way?"""
        return self.dimension in {"month", "week", "day"}

    @property
    def is_ordered(self) -> bool:
        known = dimensions.BY_CODE.get(self.dimension)
        return known is not None and known.ordered

    def of(self, group: Group) -> Tally:
        answer = self.answer
        if not self.dimension:
            return answer.total
        tallies = (
            answer.tally(column=key) if self.swapped else answer.tally(key) for key in group.keys
        )
        return _together(tallies, len(group.keys))

    def before(self, group: Group) -> Tally:
        """What `of` was in the days that they are compared with."""
        found = (
            tally_before(self.answer, column=key)
            if self.swapped
            else tally_before(self.answer, key)
            for key in group.keys
        )
        if not self.dimension:
            found = (each for each in [tally_before(self.answer)])
        return summed(tally for tally in found if tally is not None)

    def at(self, group: Group, column: Group) -> Tally:
        cells = (self.answer.tally(row, key) for row in group.keys for key in column.keys)
        return _together(cells, len(group.keys) * len(column.keys))


def _together(tallies: Iterable[Tally], many: int) -> Tally:
    return next(iter(tallies)) if many == 1 else summed(tallies)


def by_figure(answer: Answer, codes: Sequence[str], most: int = MOST_GROUPS) -> Shown:
    """Each group's values of these figures, which have one unit; compared with before where there
    is but one."""
    reading = Reading(answer)
    groups = groups_of(reading.groups, most)
    scale, title = _scale(codes[0], [reading.of(group) for group in groups], answer.currency, codes)
    points: list[dict[str, Any]] = []
    short = short_names(reading.dimension, reading.groups)
    if len(codes) > 1 or past_of(answer) is None:
        series = tuple(isolated(str(figures.BY_CODE[code].name)) for code in codes)
        for group in groups:
            tally = reading.of(group)
            for code, name in zip(codes, series, strict=True):
                point = _point(group.name, name, code, tally, answer.currency, scale)
                points.append(_marked(point, code, group))
        named = series if len(codes) > 1 else ()
        return Shown(_names(groups), named, tuple(points), title, short=short)
    series = _periods(answer)
    for group in groups:
        for name, tally in zip(series, (reading.of(group), reading.before(group)), strict=True):
            point = _point(group.name, name, codes[0], tally, answer.currency, scale)
            points.append(_marked(point, codes[0], group))
    return Shown(_names(groups), series, tuple(points), title, short=short)


def by_column(
    answer: Answer, figure: str, *, most_rows: int = MOST_GROUPS, most_columns: int = MOST_SERIES
) -> Shown:
    """Each cell of an answer by two dimensions."""
    reading = Reading(answer)
    groups = groups_of(reading.groups, most_rows)
    columns = groups_of(answer.columns, most_columns)
    cells = [(g, c, reading.at(g, c)) for g in groups for c in columns]
    scale, title = _scale(figure, [tally for _g, _c, tally in cells], answer.currency)
    points = [
        _marked(_point(g.name, c.name, figure, t, answer.currency, scale), figure, g, c)
        for g, c, t in cells
    ]
    return Shown(
        _names(groups),
        _names(columns),
        tuple(points),
        title,
        short=short_names(reading.dimension, reading.groups),
    )


def through_time(answer: Answer, figure: str) -> Shown:
    """Lines: one for each column, or one; and those of the days that they are compared with, whose
    first stands at the place of the first."""
    reading = Reading(answer)
    rows = groups_of(reading.groups, max(1, len(reading.groups)))
    past = past_of(answer)
    sides = [answer] if past is None else [answer, past]
    room = max(1, MOST_MARKS // max(1, len(rows) * len(sides)))
    several = reading.second and room > 1
    columns = groups_of(answer.columns, min(MOST_SERIES, room)) if several else []
    periods = _periods(answer) if len(sides) > 1 else ("",)
    found: list[tuple[str, str, str, Tally, str]] = []
    for side, period in zip(sides, periods, strict=True):
        each = Reading(side)
        own = groups_of(each.groups, max(1, len(each.groups)))
        for place, group in zip(rows, own, strict=False):
            if not columns:
                found.append((place.name, "", period, each.of(group), side.currency))
            for column in columns:
                tally = each.at(group, column)
                found.append((place.name, column.name, period, tally, side.currency))
    scale, title = _scale(figure, [each[3] for each in found], answer.currency)
    points = tuple(
        {**_point(row, series, figure, tally, currency, scale), "period": period}
        for row, series, period, tally, currency in found
    )
    names = _names(columns)
    periods = periods if len(sides) > 1 else ()
    return Shown(
        _names(rows), names, points, title, periods, short_names(reading.dimension, reading.groups)
    )


def stages(answer: Answer, codes: Sequence[str]) -> Shown:
    """Figures of all leads one below the other, each with its share of the first."""
    whole = answer.value(codes[0]) or 0
    points = []
    for code in codes:
        value = answer.value(code) or 0
        text = figure_text(code, value)
        if whole and code != codes[0]:
            share = figure_text("conversion", value / whole)
            text = _("%(count)s (%(share)s)", count=text, share=share)
        name = isolated(str(figures.BY_CODE[code].name))
        points.append({"row": name, "series": "", "value": value, "text": isolated(text)})
    rows = tuple(isolated(str(figures.BY_CODE[code].name)) for code in codes)
    return Shown(rows, (), tuple(points), isolated(str(figures.BY_CODE[codes[0]].name)))


def alike(answer: Answer, code: str) -> list[str]:
    """The figures asked that share the unit of `code`, `code` among the first."""
    unit = figures.BY_CODE[code].unit
    if unit != figures.COUNT or past_of(answer) is not None:
        return [code]
    asked = [each for each in answer.question.figures if figures.BY_CODE[each].unit == unit]
    return asked[:MOST_FIGURES]


def stages_asked(answer: Answer) -> list[str]:
    """The stages of the funnel among the figures asked."""
    asked = answer.question.figures
    return [code for code in figures.STAGES if code in asked]


def _names(groups: Sequence[Group]) -> tuple[str, ...]:
    return tuple(group.name for group in groups)


def _marked(point: dict[str, Any], figure: str, *groups: Group) -> dict[str, Any]:
    """With a mark, where it is a sum of many groups beside single ones."""
    adds = figures.BY_CODE[figure].unit in ADDING
    many = any(len(group.keys) > 1 or OTHERS in group.keys for group in groups)
    return {**point, "rest": True} if adds and many else point


def _periods(answer: Answer) -> tuple[str, ...]:
    past = past_of(answer)
    both = [answer] if past is None else [answer, past]
    return tuple(isolated(days_text(a.question.first, a.question.last)) for a in both)


def _point(
    row: str, series: str, figure: str, tally: Tally, currency: str, scale: float
) -> dict[str, Any]:
    value = value_of(figure, tally, currency)
    text = isolated(figure_text(figure, value, currency))
    drawn = None if value is None else round(value / scale, 4)
    return {"row": row, "series": series, "value": drawn, "text": text}


def _scale(
    figure: str, tallies: Sequence[Tally], currency: str, codes: Sequence[str] = ()
) -> tuple[float, str]:
    """By what values are divided to be drawn, and what the axis is called: nobody reads 5,000
    minutes."""
    known = figures.BY_CODE[figure]
    name = str(known.name)
    if len(codes) > 1:
        name = _("Leads") if known.unit == figures.COUNT else ""
    if known.unit == figures.MINUTES:
        values = (value_of(figure, tally, currency) or 0 for tally in tallies)
        most = max(values, default=0)
        scale, unit = 1.0, _("Minutes")
        if most >= 120:
            scale, unit = 60.0, _("Hours")
        if most >= 4 * 1440:
            scale, unit = 1440.0, _("Days")
        return scale, isolated(unit)
    if known.unit == figures.DAYS:
        return 1.0, isolated(_("Days"))
    if known.unit == figures.KM:
        return 1.0, isolated(_("Kilometres"))
    if known.unit == figures.MONEY and currency:
        name = _("%(figure)s (%(currency)s)", figure=name, currency=currency)
    return 1.0, isolated(name)
