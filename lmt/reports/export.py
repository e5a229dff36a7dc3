"""A report as CSV: raw numbers for other programs, with nothing a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from lmt.reports.oldfigures import FIGURES, Row

_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n")
BYTE_ORDER_MARK = "\ufeff"


def neutral(text: str) -> str:
    """`text` so that a spreadsheet shows it and never computes it
    (https://owasp.org/www-community/attacks/CSV_Injection): a formula gets an apostrophe."""
    return f"'{text}" if text.lstrip(" ").startswith(_RUNS) else text


def csv_lines(by: str, rows: Iterable[Row]) -> Iterator[str]:
    """A header of codes, then a line a row; shares from 0 to 1, times in minutes, unknown empty.

    It begins with a byte order mark, without which Excel misreads every script but Latin.
    """
    yield BYTE_ORDER_MARK + _line([by, "name", *(figure.code for figure in FIGURES)])
    for row in rows:
        yield _line([neutral(row.key), neutral(row.name), *(_raw(row, f.code) for f in FIGURES)])


def _raw(row: Row, figure: str) -> str:
    value = row.value(figure)
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.4f}"


def _line(cells: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
