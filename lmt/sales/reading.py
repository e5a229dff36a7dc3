"""A file of sales as it was brought: how it is laid out, its columns, its rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from lmt.files.columns import ColumnStyle, column_styles
from lmt.files.layout import Layout
from lmt.files.neutral import restored
from lmt.files.table import Row, Table, opened
from lmt.imports.reading import OWN_COLUMNS, styles_json
from lmt.imports.uploads import spooled
from lmt.ingest.characters import storable
from lmt.models import SalesFile
from lmt.sales.columns import guessed
from lmt.sales.finding import Grounds
from lmt.sales.rows import ReadRow, SaleReader

LOOKED_AT = 5_000
"""Rows by which it is told how a column writes its dates and numbers."""
KEPT = 10
"""First rows that are kept with the file, so that its page needs no other."""
_LONGEST_CELL = 500
_LOOKED_AT_LETTERS = 2_000_000
_STYLES, _FIRST_ROWS = "styles", "first_rows"
_OF_LAYOUT = frozenset(field.name for field in fields(Layout))


def look_at(session: Session, file: SalesFile, folder: Path) -> None:
    """Write down how the file is laid out, its first rows and what its columns probably are.

    No commit. Raises FileProblem for a file that is no table.
    """
    table = opened(spooled(session, file.upload_id, folder), folder)
    rows = list(_first(table.rows()))
    sound = [row.cells for row in rows if not row.problem]
    columns = table.layout.columns
    styles = column_styles(sound or [("",) * len(columns)])
    file.layout = {
        **table.layout.to_json(),
        _STYLES: styles_json(styles),
        _FIRST_ROWS: [_row_json(row) for row in rows[:KEPT]],
    }
    known = [name if name not in OWN_COLUMNS else "" for name in columns]
    file.columns = guessed(known, sound[:200], styles)


def layout_of(file: SalesFile) -> Layout:
    return Layout.from_json({k: v for k, v in file.layout.items() if k in _OF_LAYOUT})


def columns_of(file: SalesFile) -> tuple[str, ...]:
    """What the file's columns are called."""
    return layout_of(file).columns


def first_rows(file: SalesFile) -> list[Row]:
    """As they were when the file came."""
    return [
        Row(row["number"], tuple(row["cells"]), row["problem"]) for row in file.layout[_FIRST_ROWS]
    ]


def reader_of(
    file: SalesFile, grounds: Grounds, columns: Mapping[str, int] | None = None
) -> SaleReader:
    """What reads the rows of the file by its columns, or by those that are tried.

    What can't have been sold yet is told by the day on which the file came: a row that failed
    fails again.
    """
    styles = tuple(ColumnStyle(**style) for style in file.layout[_STYLES])
    today = file.created_at.astimezone(grounds.zone).date()
    return SaleReader(file.columns if columns is None else columns, styles, grounds.home, today)


def table_of(session: Session, file: SalesFile, folder: Path) -> Table:
    """The whole file, ready to be read. Raises FileProblem."""
    return opened(spooled(session, file.upload_id, folder), folder, layout_of(file))


def read_row(reader: SaleReader, row: Row, came_back: bool) -> ReadRow:
    """A row of the table; `came_back`: its cells bear the marks of a file that we wrote."""
    cells = tuple(restored(cell) for cell in row.cells) if came_back else row.cells
    return reader.read(row.number, cells, row.problem)


def did_come_back(columns: tuple[str, ...]) -> bool:
    """Whether the file is one of failed rows of ours, mended."""
    return not OWN_COLUMNS.isdisjoint(columns)


def _first(rows: Iterator[Row]) -> Iterator[Row]:
    letters = 0
    for row in islice(rows, LOOKED_AT):
        letters += sum(map(len, row.cells))
        yield row
        if letters >= _LOOKED_AT_LETTERS:
            return


def _row_json(row: Row) -> dict[str, Any]:
    cells = [str(storable(cell[:_LONGEST_CELL])) for cell in row.cells]
    return {"number": row.number, "cells": cells, "problem": row.problem}
