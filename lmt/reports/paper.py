"""A report on one page of paper: its question, its chart, its first rows, what figures mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from textwrap import wrap
from typing import Any

from lmt.i18n import direction, format_datetime, format_number
from lmt.i18n import gettext as _
from lmt.reports import figures
from lmt.reports.answer import Answer
from lmt.reports.chartdata import value_of
from lmt.reports.chartnames import isolated
from lmt.reports.charts import PRINT_PADDING, chart_of, chart_title, number_format
from lmt.reports.drawing import pdf_of, svg
from lmt.reports.palette import INKS, PRINT_FONT
from lmt.reports.tally import Tally
from lmt.reports.wording import Names, figure_text, question_words

WIDTH, HEIGHT = 595, 842
"""A4, in points."""
MOST_ROWS = 40
MOST_COLUMNS = 6
_MARGIN = 36
_INNER = WIDTH - 2 * _MARGIN
_CHART_HEIGHT = 400
_NAME_WIDTHS = 150, 280
_FIGURE_WIDTH = 75
_ROW = 13
_FEWEST_ROWS = 3
_INK, _SOFT, _LINE = INKS["light"]
_LETTER = 0.53
"""How wide a letter of the font is on average, of its size."""
_OPENING = re.compile(r'<svg[^>]* width="([\d.]+)" height="([\d.]+)"[^>]*>')
_UNDRAWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def page(answer: Answer, names: Names, *, title: str = "", kind: str = "") -> bytes:
    """A PDF of one A4 page. Rows that don't fit are told to be in the file; the texts are texts."""
    return pdf_of(drawn(answer, names, title=title, kind=kind))


def drawn(answer: Answer, names: Names, *, title: str = "", kind: str = "") -> str:
    """The same as an SVG, one unit a point."""
    sheet = _Sheet()
    sheet.say(title or chart_title(answer, names=names, kind=kind), size=18, gap=8)
    sheet.say(question_words(answer.question, names), size=9, ink=_SOFT, gap=4)
    told = _(
        "What happened is counted up to %(time)s.", time=format_datetime(answer.as_of, "short")
    )
    sheet.say(told, size=9, ink=_SOFT, gap=12)
    sheet.place(_chart(chart_of(answer, theme="print", kind=kind, names=names)))
    meant = [
        _(
            "%(figure)s: %(formula)s",
            figure=figures.BY_CODE[c].name,
            formula=figures.BY_CODE[c].formula,
        )
        for c in answer.question.figures
    ]
    needed = sum(len(_lines(text, 7.5)) for text in meant) * 10 + len(meant) * 3 + 12
    room = HEIGHT - _MARGIN - sheet.y - needed
    if room < (_FEWEST_ROWS + 3) * _ROW:  # the numbers come before their definitions
        room, meant = HEIGHT - _MARGIN - sheet.y, []
    _table(sheet, answer, int(room // _ROW) - 3)
    for text in meant:
        sheet.say(text, size=7.5, ink=_SOFT, gap=3)
    return sheet.svg()


def _chart(spec: dict[str, Any]) -> str:
    """Without what the sheet says anyway. A tall one is drawn wider, so that it fills the sheet."""
    around = {side: max(2, width - PRINT_PADDING) for side, width in spec["padding"].items()}
    bare = {name: part for name, part in spec.items() if name != "title"} | {"padding": around}
    made = svg(bare, number_format())
    width, height = _size(made)
    if height * _INNER <= _CHART_HEIGHT * width:
        return made
    return svg({**bare, "width": round(height * _INNER / _CHART_HEIGHT)}, number_format())


def _size(drawing: str) -> tuple[float, float]:
    found = _OPENING.search(drawing)
    assert found is not None
    return float(found[1]), float(found[2])


class _Sheet:
    """Filled from its top on; mirrored for those who read from right to left."""

    def __init__(self) -> None:
        self.y: float = _MARGIN
        self._parts: list[str] = []
        self._rtl = direction() == "rtl"

    def text(self, x: float, text: str, *, size: float, ink: str = _INK, end: bool = False) -> None:
        """At `x` from where the reader begins; `end`: it ends there."""
        if self._rtl:
            x = WIDTH - x
        anchor = "end" if end != self._rtl else "start"
        clean = escape(isolated(_UNDRAWABLE.sub("", text)))
        self._parts.append(
            f'<text x="{x:.1f}" y="{self.y + size:.1f}" font-size="{size}" fill="{ink}"'
            f' text-anchor="{anchor}">{clean}</text>'
        )

    def say(self, text: str, *, size: float, ink: str = _INK, gap: float) -> None:
        for line in _lines(text, size):
            self.text(_MARGIN, line, size=size, ink=ink)
            self.y += size * 1.35
        self.y += gap

    def rule(self) -> None:
        self._parts.append(
            f'<path d="M{_MARGIN} {self.y:.1f}H{WIDTH - _MARGIN}" stroke="{_LINE}"/>'
        )

    def place(self, chart: str) -> None:
        """A drawing, as large as there is room for."""
        width, height = _size(chart)
        scale = min(_INNER / width, _CHART_HEIGHT / height)
        inside = _OPENING.sub("", chart, count=1).removesuffix("</svg>")
        x = WIDTH - _MARGIN - width * scale if self._rtl else _MARGIN
        self._parts.append(
            f'<g transform="translate({x:.1f} {self.y:.1f}) scale({scale:.4f})">{inside}</g>'
        )
        self.y += height * scale + 10

    def svg(self) -> str:
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
            f' width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
            f' font-family="{PRINT_FONT}"><rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
            f"{''.join(self._parts)}</svg>"
        )


def _table(sheet: _Sheet, answer: Answer, most: int) -> None:
    """As many rows as there is room for, and all together at the end."""
    heads, lines, total = _cells(answer)
    shown = lines[: max(0, min(most, MOST_ROWS))]
    least, most_wide = _NAME_WIDTHS
    named = min(most_wide, max(least, _INNER - _FIGURE_WIDTH * len(heads)))
    column = (_INNER - named) / max(1, len(heads))
    wrapped = [_lines(head, 7.5, column - 6)[:3] for head in heads]
    top = sheet.y
    for line in range(max((len(each) for each in wrapped), default=0)):
        for place, words in enumerate(wrapped, 1):
            if line < len(words):
                x = _MARGIN + named + place * column
                sheet.text(x, words[line], size=7.5, ink=_SOFT, end=True)
        sheet.y += 10
    sheet.y = max(sheet.y, top + 10) + 2
    for name, values in [*shown, total]:
        sheet.rule()
        letters = int(named / (8 * _LETTER))
        sheet.text(_MARGIN, name if len(name) <= letters else name[: letters - 1] + "…", size=8)
        for place, value in enumerate(values, 1):
            sheet.text(_MARGIN + named + place * column, value, size=8, end=True)
        sheet.y += _ROW
    if len(shown) < len(lines):
        left = _(
            "The first %(shown)s of %(all)s rows; the workbook has all.",
            shown=format_number(len(shown)),
            all=format_number(len(lines)),
        )
        sheet.say(left, size=7.5, ink=_SOFT, gap=4)
    sheet.y += 8


Line = tuple[str, list[str]]


def _cells(answer: Answer) -> tuple[list[str], list[Line], Line]:
    """Heads, the rows, and the row of all together, in words."""
    question = answer.question
    if question.columns:
        columns = answer.columns[: MOST_COLUMNS - 1]
        heads = [*(column.name for column in columns), _("All together")]
        code = question.figures[0]

        def across(row: str | None) -> list[str]:
            cells = [answer.tally(row, column.value) for column in columns]
            return [_said(answer, code, tally) for tally in [*cells, answer.tally(row)]]

        rows = answer.rows if question.rows else ()
        return (
            heads,
            [(row.name, across(row.value)) for row in rows],
            (
                _("All together"),
                across(None),
            ),
        )
    codes = question.figures[:MOST_COLUMNS]
    heads = [str(figures.BY_CODE[code].name) for code in codes]

    def along(tally: Tally) -> list[str]:
        return [_said(answer, code, tally) for code in codes]

    rows = answer.rows if question.rows else ()
    lines = [(row.name, along(answer.tally(row.value))) for row in rows]
    return heads, lines, (_("All together"), along(answer.total))


def _said(answer: Answer, code: str, tally: Tally) -> str:
    return figure_text(code, value_of(code, tally, answer.currency), answer.currency)


def _lines(text: str, size: float, width: float = _INNER) -> Sequence[str]:
    return wrap(text, max(8, int(width / (size * _LETTER)))) or [""]
