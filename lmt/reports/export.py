"""An answer as a file: raw numbers with their codes, and what each figure means beside them.

Shares are told from 0 to 1, times in minutes or days; what is not known is empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import xlsxwriter  # type: ignore[import-untyped]

from lmt.files.writing import Cell, csv_bytes
from lmt.i18n import direction, format_datetime
from lmt.i18n import gettext as _
from lmt.reports import figures
from lmt.reports.answer import Answer
from lmt.reports.chartdata import value_of
from lmt.reports.comparing import tally_before
from lmt.reports.tally import Tally
from lmt.reports.wording import Names, days_text, dimension_name, listed, question_words, unit_name

BYTE_ORDER_MARK = "\ufeff"
CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_BEFORE = "_before"
_DIGITS = {
    figures.COUNT: 0, figures.SHARE: 6, figures.MINUTES: 2, figures.DAYS: 3, figures.MONEY: 2,
    figures.KM: 2, figures.SCORE: 3, figures.NUMBER: 4,
}  # fmt: skip
_SHOWN = {
    figures.COUNT: "#,##0", figures.SHARE: "0.0%", figures.MINUTES: "#,##0.0",
    figures.DAYS: "#,##0.0", figures.MONEY: "#,##0.00", figures.KM: "#,##0.0",
    figures.SCORE: "0.00", figures.NUMBER: "#,##0.00",
}  # fmt: skip
"""How a sheet shows a figure's raw number."""


def csv_lines(answer: Answer) -> Iterator[str]:
    """A header of codes, then a line for each group, or for each row and column that has any lead;
    in pieces, the first with the byte order mark without which Excel misreads every script but
    Latin."""
    for piece in csv_bytes(header(answer), rows(answer)):
        yield piece.decode()


def header(answer: Answer) -> list[str]:
    """Codes, the same in every language: two columns for each dimension, one for each figure, and
    one more where it is compared with before."""
    named = [name for code in _dimensions(answer) for name in (code, f"{code}_name")]
    codes = list(answer.question.figures)
    return [*named, *codes, *([code + _BEFORE for code in codes] if answer.before else [])]


def rows(answer: Answer) -> Iterator[list[Cell]]:
    """What stands below the header, in the order of the report."""
    question = answer.question
    both = bool(question.rows and question.columns)
    for row in answer.rows:
        for column in answer.columns if question.columns else (None,):
            if both and (row.value, column.value if column else "") not in answer.cells:
                continue
            place = (row.value if question.rows else None, column.value if column else None)
            found: list[Cell] = []
            if question.rows:
                found += [row.value, row.name]
            if column is not None:
                found += [column.value, column.name]
            found += numbers(answer, answer.tally(*place))
            if answer.before is not None:
                found += numbers(answer.before, tally_before(answer, *place))
            yield found


def numbers(answer: Answer, tally: Tally | None) -> list[Cell]:
    """The raw value of each figure asked; all empty of nothing."""
    return [
        None if tally is None else _raw(code, value_of(code, tally, answer.currency))
        for code in answer.question.figures
    ]


def xlsx(
    answer: Answer,
    out: IO[bytes],
    names: Names,
    *,
    title: str = "",
    asked_by: str = "",
    folder: Path | None = None,
) -> None:
    """A workbook of three sheets: the raw numbers, what each figure means, and what was asked.

    `folder` keeps what is being written (default: the system's).
    """
    options = {"constant_memory": True, "tmpdir": None if folder is None else str(folder)}
    book = xlsxwriter.Workbook(out, options)
    try:
        _numbers_sheet(book, answer, names)
        _definitions_sheet(book, answer)
        _question_sheet(book, answer, names, title, asked_by)
    finally:
        book.close()


def _numbers_sheet(book: Any, answer: Answer, names: Names) -> None:
    """The header says what a column is; codes stand beside names, so that files can be joined."""
    sheet = _sheet(book, _("Numbers"))
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    heads, formats = _heads(book, answer, names)
    sheet.freeze_panes(1, 0)
    for place, (head, shown) in enumerate(zip(heads, formats, strict=True)):
        width = 14 if shown is not None else 26
        sheet.set_column(place, place, width)
        sheet.write_string(0, place, head, bold)
    last = 0
    for last, row in enumerate(rows(answer), 1):
        for place, cell in enumerate(row):
            _write(sheet, last, place, cell, formats[place])
    sheet.autofilter(0, 0, last, max(len(heads) - 1, 0))


def _heads(book: Any, answer: Answer, names: Names) -> tuple[list[str], list[Any]]:
    heads: list[str] = []
    formats: list[Any] = []
    for code in _dimensions(answer):
        name = dimension_name(code, names)
        heads += [_("%(column)s, code", column=name), name]
        formats += [None, None]
    told = [str(figures.BY_CODE[code].name) for code in answer.question.figures]
    shown = [
        book.add_format({"num_format": _SHOWN[figures.BY_CODE[code].unit]})
        for code in answer.question.figures
    ]
    heads += told
    formats += shown
    if answer.before is not None:
        past = answer.before.question
        days = days_text(past.first, past.last)
        heads += [_("%(figure)s, %(days)s", figure=name, days=days) for name in told]
        formats += shown
    return heads, formats


def _definitions_sheet(book: Any, answer: Answer) -> None:
    sheet = _sheet(book, _("Definitions"))
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    bold = book.add_format({"bold": True})
    for place, (width, head) in enumerate(
        [(24, _("Code")), (34, _("Figure")), (90, _("How it is made")), (20, _("Unit"))]
    ):
        sheet.set_column(place, place, width)
        sheet.write_string(0, place, head, bold)
    for line, code in enumerate(answer.question.figures, 1):
        figure = figures.BY_CODE[code]
        cells = [code, str(figure.name), str(figure.formula), unit_name(code, answer.currency)]
        for place, text in enumerate(cells):
            sheet.write_string(line, place, text, wrapped)
    sheet.freeze_panes(1, 0)


def _question_sheet(book: Any, answer: Answer, names: Names, title: str, asked_by: str) -> None:
    question = answer.question
    told: list[tuple[str, str]] = [
        (_("Report"), title),
        (_("Question"), question_words(question, names)),
        (_("Days"), days_text(question.first, question.last)),
        (_("First day"), question.first.isoformat()),
        (_("Last day"), question.last.isoformat()),
    ]
    for code, keys in question.filters.items():
        told.append((dimension_name(code, names), listed(names(code, key) for key in keys)))
    if answer.before is not None:
        past = answer.before.question
        told.append((_("Compared with"), days_text(past.first, past.last)))
    told += [
        (_("Currency"), answer.currency),
        (_("What happened is counted up to"), format_datetime(answer.as_of)),
        (_("Asked by"), asked_by),
    ]
    sheet = _sheet(book, _("Question"))
    bold = book.add_format({"bold": True, "valign": "top"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 90)
    line = 0
    for name, text in told:
        if text:
            sheet.write_string(line, 0, name, bold)
            sheet.write_string(line, 1, text, wrapped)
            line += 1
    for code, value in zip(question.figures, numbers(answer, answer.total), strict=True):
        figure = figures.BY_CODE[code]
        name = _("%(figure)s, all together", figure=figure.name)
        sheet.write_string(line, 0, name, bold)
        shown = book.add_format({"num_format": _SHOWN[figure.unit], "align": "left"})
        _write(sheet, line, 1, value, shown)
        line += 1


def _sheet(book: Any, name: str) -> Any:
    sheet = book.add_worksheet("".join(" " if sign in "[]:*?/\\" else sign for sign in name)[:31])
    if direction() == "rtl":
        sheet.right_to_left()
    return sheet


def _write(sheet: Any, line: int, place: int, cell: Cell, shown: Any) -> None:
    if isinstance(cell, int | float):
        sheet.write_number(line, place, cell, shown)
    elif isinstance(cell, str) and cell:
        sheet.write_string(line, place, cell)


def _dimensions(answer: Answer) -> Sequence[str]:
    return [code for code in (answer.question.rows, answer.question.columns) if code]


def _raw(figure: str, value: float | None) -> Cell:
    if value is None:
        return None
    digits = _DIGITS[figures.BY_CODE[figure].unit]
    return round(value, digits) if digits else round(value)
