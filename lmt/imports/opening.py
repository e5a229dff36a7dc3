"""A file is looked at when it comes: how it is laid out, its first rows, which column is what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.files.columns import column_styles
from lmt.files.layout import Layout
from lmt.files.table import Row, opened
from lmt.imports.reading import OWN_COLUMNS, styles_json
from lmt.imports.suggesting import suggested
from lmt.imports.uploads import spool_folder, spooled
from lmt.ingest.characters import storable
from lmt.mapping.model import Mapping as FieldMapping
from lmt.models import ImportRun

LOOKED_AT = 5_000
"""Rows by which it is told how a column writes its dates and numbers."""
KEPT = 50
"""First rows that are kept with the run, so that a preview needs no file."""
_LONGEST_CELL = 2_000
_LOOKED_AT_LETTERS = 2_000_000
_KEPT_LETTERS = 300_000
_ENOUGH = 0.5
_CONTACTS = frozenset({"customer.email", "customer.phone"})
_LOOK_BACK = 20


def look_at(session: Session, run: ImportRun, layout: Layout | None = None) -> None:
    """Write down how the run's file is laid out (or read it as `layout` says) and its first rows.

    No commit. Raises FileProblem for a file that is no table.
    """
    with spool_folder() as folder:
        table = opened(spooled(session, run.upload_id, folder), folder, layout)
        rows, is_all = _first_of(table.rows())
    run.layout = table.layout.to_json()
    run.total = len(rows) if is_all else None
    sound = [row.cells for row in rows if not row.problem]
    run.options = {
        **run.options,
        "styles": styles_json(column_styles(sound or [("",) * len(table.layout.columns)])),
        "first_rows": _kept_json(rows[:KEPT]),
    }


def _first_of(rows: Iterator[Row]) -> tuple[list[Row], bool]:
    """The first LOOKED_AT rows, fewer where they are very long; and whether there are no more."""
    first: list[Row] = []
    letters = 0
    for row in rows:
        first.append(row)
        letters += sum(map(len, row.cells))
        if len(first) >= LOOKED_AT or letters >= _LOOKED_AT_LETTERS:
            return first, False
    return first, True


def kept_rows(run: ImportRun) -> list[Row]:
    """The first rows of the file, as they were when it came; at most KEPT."""
    return [
        Row(row["number"], tuple(row["cells"]), row["problem"]) for row in run.options["first_rows"]
    ]


def mapping_for(session: Session, run: ImportRun) -> FieldMapping:
    """What its columns mean: as in the source's last file with the same ones, as the source
    remembers where most are there, or a guess."""
    columns = columns_of(run)
    if (known := _last_mapping(session, run, columns)) is not None:
        return known
    saved = FieldMapping.from_json(run.source.mapping)
    if reaches_people(saved) and fits(saved, columns):
        return saved
    all_columns = Layout.from_json(run.layout).columns
    kept = [n for n, name in enumerate(all_columns) if name in columns]
    rows = [[row.cells[n] for n in kept] for row in kept_rows(run) if not row.problem]
    return suggested(columns, rows)


def columns_of(run: ImportRun) -> tuple[str, ...]:
    """The columns of the file, without those that we add to failed rows."""
    columns = Layout.from_json(run.layout).columns
    return tuple(name for name in columns if name not in OWN_COLUMNS)


def _last_mapping(
    session: Session, run: ImportRun, columns: tuple[str, ...]
) -> FieldMapping | None:
    """That of the last import of the source that was begun with such a file."""
    earlier = session.scalars(
        select(ImportRun)
        .where(ImportRun.source_id == run.source_id, ImportRun.started_at.is_not(None))
        .order_by(ImportRun.created_at.desc())
        .limit(_LOOK_BACK)
    )
    for each in earlier:
        if columns_of(each) == columns:
            return FieldMapping.from_json(each.mapping)
    return None


def reaches_people(mapping: FieldMapping) -> bool:
    """Whether a lead could come of it: one without phone and mail is none."""
    return any(line.target in _CONTACTS for line in mapping.lines)


def fits(mapping: FieldMapping, columns: Sequence[str]) -> bool:
    """Whether a mapping was made for such columns: most of its lines find theirs."""
    there = {name.casefold() for name in columns}
    lines = [line for line in mapping.lines if line.paths]
    found = [line for line in lines if any(path.casefold() in there for path in line.paths)]
    return bool(found) and len(found) >= _ENOUGH * len(lines)


def _kept_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """As many as every page of the import can load with it; the first in any case."""
    kept: list[dict[str, Any]] = []
    room = _KEPT_LETTERS
    for row in map(_row_json, rows):
        room -= sum(map(len, row["cells"]))
        if kept and room < 0:
            break
        kept.append(row)
    return kept


def _row_json(row: Row) -> dict[str, Any]:
    cells = [str(storable(cell[:_LONGEST_CELL])) for cell in row.cells]
    return {"number": row.number, "cells": cells, "problem": row.problem}
