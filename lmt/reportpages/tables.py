"""An answer as a table to read: every number with the way to its leads, and how it changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from flask import url_for

from lmt.i18n import format_number
from lmt.i18n import gettext as _
from lmt.reportpages.asking import address_of
from lmt.reportpages.words import FEW_LEADS, Change, change
from lmt.reports.answer import Answer
from lmt.reports.comparing import counterparts
from lmt.reports.enrich import behind
from lmt.reports.figures import BY_CODE, COUNT, SHARE, Figure
from lmt.reports.folding import OTHERS
from lmt.reports.tally import Tally
from lmt.reports.wording import figure_text

MOST_ROWS = 200
MOST_COLUMNS = 60
"""What has more is shown so far; its files have all."""


@dataclass(frozen=True, slots=True)
class Number:
    """One value in words. `address` leads to the leads behind it; `of` tells the part and the whole
    of a share; `bar` is its length beside the greatest, 0 to 100."""

    text: str
    address: str = ""
    of: str = ""
    few: bool = False
    change: Change | None = None
    bar: int | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """A column: `address` sorts by it, "" where it can't be sorted by."""

    name: str
    address: str = ""
    sorted: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    numbers: list[Number]


@dataclass(frozen=True, slots=True)
class Table:
    """`unshown` counts the rows, or columns, that are left to the files."""

    corner: str
    heads: list[Head]
    lines: list[Line]
    total: Line | None
    unshown: int = 0

    @property
    def few(self) -> bool:
        return any(number.few for line in self._lines() for number in line.numbers)

    def _lines(self) -> Iterable[Line]:
        return [*self.lines, *([self.total] if self.total else [])]


def table_of(answer: Answer, corner: str) -> Table:
    """Figures below each other for one group of all, figures side by side for several, and where
    there are columns, the first figure of each cell. `corner` names the rows."""
    numbers = _Numbers(answer)
    if answer.question.columns:
        return _crossed(answer, corner, numbers)
    if answer.question.rows:
        return _listed(answer, corner, numbers)
    shown = _figures(answer.question.figures)
    most = max((answer.value(f.code) or 0 for f in shown if f.unit == COUNT), default=0)
    lines = [
        Line(
            str(figure.name),
            [numbers.number(figure, None, None, most=most if figure.unit == COUNT else None)],
        )
        for figure in shown
    ]
    return Table(_("Figure"), [Head(_("All leads"))], lines, None)


def _listed(answer: Answer, corner: str, numbers: _Numbers) -> Table:
    question, rows = answer.question, answer.rows[:MOST_ROWS]
    shown = _figures(question.figures)
    heads = []
    for figure in shown:
        is_sorted = question.sort == figure.code
        sort = replace(question, sort="" if is_sorted else figure.code)
        address = url_for("reports.report", **address_of(sort))
        heads.append(Head(str(figure.name), address, is_sorted))
    barred = next((f for f in shown if f.code == question.sort), shown[0])
    most = max((answer.value(barred.code, row.value) or 0 for row in rows), default=0)
    lines = [
        Line(
            row.name,
            [
                numbers.number(figure, row.value, None, most=most if figure is barred else None)
                for figure in shown
            ],
        )
        for row in rows
    ]
    total = Line(_("All together"), [numbers.number(figure, None, None) for figure in shown])
    return Table(corner, heads, lines, total, len(answer.rows) - len(rows))


def _crossed(answer: Answer, corner: str, numbers: _Numbers) -> Table:
    rows, columns = answer.rows[:MOST_ROWS], answer.columns[:MOST_COLUMNS]
    if not answer.question.rows:
        rows = ()
    [figure] = _figures(answer.question.figures[:1])

    def across(row: str | None) -> list[Number]:
        cells = [numbers.number(figure, row, column.value) for column in columns]
        return [*cells, numbers.number(figure, row, None)]

    return Table(
        corner,
        [*(Head(column.name) for column in columns), Head(_("All together"))],
        [Line(row.name, across(row.value)) for row in rows],
        Line(_("All together"), across(None)),
        max(len(answer.rows) - MOST_ROWS, len(answer.columns) - MOST_COLUMNS, 0),
    )


def _figures(codes: Iterable[str]) -> list[Figure]:
    return [BY_CODE[code] for code in codes]


class _Numbers:
    """Makes the numbers of one answer, each beside that of the period before."""

    def __init__(self, answer: Answer):
        self.answer = answer
        self.leads = url_for("reports.leads", **address_of(answer.question))
        before = answer.before
        if before is not None:
            rows, columns = answer.question.rows, answer.question.columns
            self.row_before = counterparts(rows, answer.rows, before.rows)
            self.column_before = counterparts(columns, answer.columns, before.columns)

    def number(
        self, figure: Figure, row: str | None, column: str | None, *, most: float | None = None
    ) -> Number:
        answer = self.answer
        tally = answer.tally(row, column)
        value = figure.value(tally)
        side = drilled_side(figure, tally, value)
        if OTHERS in (row, column) and behind(figure.code) is not None:
            side = ""
        return Number(
            figure_text(figure.code, value, answer.currency),
            self._address(figure.code, side, row, column) if side else "",
            share_words(figure, tally, value),
            value is not None and is_of_few(figure, tally),
            self._change(figure, value, row, column),
            None if most is None else (round(100 * (value or 0) / most) if most > 0 else 0),
        )

    def _address(self, figure: str, side: str, row: str | None, column: str | None) -> str:
        cell = {"row": row, "column": column, "figure": figure, "side": side}
        told = urlencode({name: value for name, value in cell.items() if value is not None})
        return f"{self.leads}{'&' if '?' in self.leads else '?'}{told}"

    def _change(
        self, figure: Figure, value: float | None, row: str | None, column: str | None
    ) -> Change | None:
        before = self.answer.before
        if before is None:
            return None
        row_before = None if row is None else self.row_before(row)
        column_before = None if column is None else self.column_before(column)
        if (row is not None and row_before is None) or (
            column is not None and column_before is None
        ):
            return None
        was = figure.value(before.tally(row_before, column_before))
        return change(figure, value, was, self.answer.currency)


def is_of_few(figure: Figure, tally: Tally) -> bool:
    """Does a share, a median or a mean say something of so few that one more changes it by far?"""
    if figure.unit == COUNT:
        return False
    if figure.times:
        return sum(len(tally.seconds(time)) for time in figure.times) < FEW_LEADS
    return bool(figure.whole) and tally.count(*figure.whole) < FEW_LEADS


def share_words(figure: Figure, tally: Tally, value: float | None) -> str:
    """“3 of 25”, of a figure that is a part of a whole; else ""."""
    if figure.unit != SHARE or value is None or not _is_part(figure, tally, value):
        return ""
    part, whole = tally.count(*figure.part), tally.count(*figure.whole)
    return _("%(part)s of %(whole)s", part=format_number(part), whole=format_number(whole))


def drilled_side(figure: Figure, tally: Tally, value: float | None) -> str:
    """Which of the leads behind a number it leads to: those it counts (of a median, those that have
    such a time) or those it is measured by; "" where there are none."""
    if value and behind(figure.code) is not None:
        return "part"
    if value is None or figure.extras:
        return ""
    if figure.times or figure.code == "value":
        return "part" if value else ""
    counted = figure.unit == COUNT or (figure.unit == SHARE and _is_part(figure, tally, value))
    if counted and figure.part:
        return (
            "part" if tally.count(*figure.part) else "whole" if tally.count(*figure.whole) else ""
        )
    if len(figure.whole) == 1 and tally.count(*figure.whole):
        return "whole"
    return ""


def _is_part(figure: Figure, tally: Tally, value: float) -> bool:
    whole = tally.count(*figure.whole)
    return bool(whole) and abs(value * whole - tally.count(*figure.part)) < 1e-6 * whole
