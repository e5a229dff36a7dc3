"""A file of leads or dealers as one table, whatever program wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from lmt.files.delimiters import SAID
from lmt.files.layout import Layout
from lmt.files.problems import TOO_MANY_CELLS
from lmt.files.sniff import WORKBOOK, kind_of, text_layout
from lmt.files.textrows import Record, records
from lmt.files.workbook import converted


class Row(NamedTuple):
    """One row: `number` from 1 without header and blank lines, as many cells as columns."""

    number: int
    cells: tuple[str, ...]
    problem: str = ""


class Table:
    """The rows of a file by its layout; reading holds a few hundred kilobytes of it at a time.

    `sheets` names those of a workbook.
    """

    def __init__(self, text: Path, layout: Layout, sheets: tuple[str, ...] = ()) -> None:
        self._text = text
        self.layout = layout
        self.sheets = sheets

    def rows(self, after: int = 0) -> Iterator[Row]:
        """The rows whose number is greater than `after`, in the file's order."""
        width = len(self.layout.columns)
        filled = self._filled()
        for number, (given, problem) in enumerate(islice(filled, after, None), after + 1):
            if len(given) != width:
                given, problem = _fitted(given, width, problem)
            yield Row(number, tuple(given), problem)

    def count(self, most: int | None = None) -> int:
        """How many rows there are; no more than `most` are counted."""
        return sum(1 for _ in islice(self._filled(), most))

    def _filled(self) -> Iterator[Record]:
        """The records below the header that hold something."""
        layout = self.layout
        every = records(self._text, layout.encoding, layout.delimiter, layout.quote)
        if layout.header_line:
            every = islice(every, layout.header_line, None)
        elif (first := next(every, None)) and _is_filled(first) and not _is_said(first, layout):
            yield first
        for record in every:
            cells = record[0]
            if (cells and cells[0] and not cells[0].isspace()) or _is_filled(record):
                yield record


def opened(path: Path, folder: Path, layout: Layout | None = None) -> Table:
    """The table in a file. Raises FileProblem.

    Without a layout everything is told from the content; one without columns is a wish. A workbook
    is turned once into text, kept in `folder` beside what else the caller keeps there.
    """
    wish = layout or Layout()
    if kind_of(path) == WORKBOOK:
        text, wish, sheets = converted(path, folder, wish)
    else:
        text, sheets = path, ()
    return Table(text, wish if wish.columns else text_layout(text, wish), sheets)


def _is_filled(record: Record) -> bool:
    cells, problem = record
    return bool(problem) or any(cell and not cell.isspace() for cell in cells)


def _is_said(record: Record, layout: Layout) -> bool:
    """Whether the record only tells Excel the delimiter."""
    return bool(SAID.match(layout.delimiter.join(record[0])))


def _fitted(cells: list[str], width: int, problem: str) -> tuple[list[str], str]:
    if len(cells) < width:
        return cells + [""] * (width - len(cells)), problem
    if not problem and any(cell and not cell.isspace() for cell in cells[width:]):
        problem = TOO_MANY_CELLS
    return cells[:width], problem
