"""Tables written as files, row by row in bounded memory: CSV for programs, XLSX for people.

Cells are text, whole or broken numbers, days and instants; None is empty. Nothing written runs.
"""

from __future__ import annotations

import codecs
import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import xlsxwriter  # type: ignore[import-untyped]

from lmt.files.neutral import neutral

Cell = str | int | float | Decimal | date | datetime | None

MOST_SHEET_ROWS = 1_048_575
"""Rows that a sheet of a workbook holds below its header."""
MOST_SHEET_LETTERS = 32_767
"""What a cell of a workbook holds, in UTF-16 units; the rest is cut."""
_BYTES_AT_ONCE = 64 * 1024
_EXCEL_YEARS = range(1900, 10_000)
_WIDEST, _NARROWEST = 40, 10


def csv_bytes(
    header: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    encoding: str = "utf-8-sig",
    delimiter: str = ",",
) -> Iterator[bytes]:
    """A header and rows as delimited text, in pieces of some 64 KB; lines end in CR LF.

    Texts are neutralised; instants stand as `2026-03-06 09:12` on the clock of their own zone. What
    `encoding` has no sign for becomes `?`. The default begins with a byte order mark, without
    which Excel misreads every script but Latin.
    """
    encoder = codecs.getincrementalencoder(encoding)(errors="replace")
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, delimiter=delimiter)
    writer.writerow([neutral(name) for name in header])
    for row in rows:
        writer.writerow([_plain(cell) for cell in row])
        if lines.tell() >= _BYTES_AT_ONCE:
            yield encoder.encode(lines.getvalue())
            lines.seek(0)
            lines.truncate()
    yield encoder.encode(lines.getvalue(), final=True)


def write_xlsx(
    file: IO[bytes],
    header: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    title: str,
    right_to_left: bool = False,
    folder: Path | None = None,
) -> None:
    """One sheet with a header that stays in sight; strings are strings whatever they begin with.

    Instants are date cells on the clock of their own zone. `folder` keeps what is being written
    (default: the system's). Raises ValueError past MOST_SHEET_ROWS: ask for the count before.
    """
    options = {"constant_memory": True, "tmpdir": None if folder is None else str(folder)}
    book = xlsxwriter.Workbook(file, options)
    try:
        sheet = book.add_worksheet(_sheet_name(title))
        if right_to_left:
            sheet.right_to_left()
        sheet.freeze_panes(1, 0)
        for column, name in enumerate(header):
            sheet.set_column(column, column, min(max(len(name) + 2, _NARROWEST), _WIDEST))
        bold = book.add_format({"bold": True})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for column, name in enumerate(header):
            sheet.write_string(0, column, name, bold)
        number = 0
        for number, row in enumerate(rows, 1):
            if number > MOST_SHEET_ROWS:
                raise ValueError(f"a sheet holds {MOST_SHEET_ROWS} rows")
            for column, cell in enumerate(row):
                _write(sheet, number, column, cell, day, instant)
        sheet.autofilter(0, 0, number, max(len(header) - 1, 0))
    finally:
        book.close()


def _plain(cell: Cell) -> str:
    """A cell as CSV writes it."""
    match cell:
        case None:
            return ""
        case str():
            return neutral(cell)
        case datetime():
            return f"{cell:%Y-%m-%d %H:%M}"
        case date():
            return cell.isoformat()
        case _:
            return str(cell)


def _write(sheet: Any, row: int, column: int, cell: Cell, day: Any, instant: Any) -> None:
    match cell:
        case None | "":
            pass
        case str():
            sheet.write_string(row, column, _cut(cell))
        case datetime() if cell.year in _EXCEL_YEARS:
            sheet.write_datetime(row, column, cell.replace(tzinfo=None), instant)
        case date() if cell.year in _EXCEL_YEARS:
            sheet.write_datetime(row, column, cell, day)
        case int() | float() | Decimal() if math.isfinite(cell):
            sheet.write_number(row, column, cell)
        case _:
            sheet.write_string(row, column, _plain(cell))


def _cut(text: str) -> str:
    if len(text) * 2 <= MOST_SHEET_LETTERS:
        return text
    units = text.encode("utf-16-le", errors="replace")
    if len(units) <= MOST_SHEET_LETTERS * 2:
        return text
    return units[: (MOST_SHEET_LETTERS - 1) * 2].decode("utf-16-le", errors="ignore") + "…"


def _sheet_name(title: str) -> str:
    """`title` as a workbook takes it: 31 letters, without signs of its own language."""
    return "".join(" " if sign in "[]:*?/\\" else sign for sign in title).strip("' ")[:31] or "1"
