"""What the command shows of an import: the file's layout and mapping, a check, a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.files.layout import Layout
from lmt.imports.checking import OUTCOMES
from lmt.imports.failedrows import reasons
from lmt.imports.runs import COUNTS
from lmt.mapping.model import Mapping as FieldMapping
from lmt.mapping.targets import target_of
from lmt.models import ImportRow, ImportRun

FIRST_FAILED = 10
_DELIMITERS = {"\t": "tab", "\x1f": "none"}
_LONGEST = 120


def print_layout(console: Console, run: ImportRun) -> None:
    """How the file is read, and which column is which field."""
    layout = Layout.from_json(run.layout)
    told = [layout.format]
    if layout.format == "csv":
        told += [
            layout.encoding,
            f"delimiter {_DELIMITERS.get(layout.delimiter, layout.delimiter)}",
        ]
    elif layout.sheet:
        told.append(f"sheet {layout.sheet}")
    told.append(f"{len(layout.columns)} columns")
    console.print(Text(f"{run.upload.name}: {', '.join(told)}"))
    table = Table("column", "field", "")
    used: set[str] = set()
    for line in FieldMapping.from_json(run.mapping).lines:
        target = target_of(line.target)
        columns = [path for path in line.paths if path in layout.columns]
        used.update(columns)
        shown = ", ".join(columns) or f"= {line.fixed}"
        table.add_row(Text(shown), line.target, str(target.words) if target else "")
    for column in layout.columns:
        if column not in used:
            table.add_row(Text(column), "", "kept beside the lead", style="dim")
    console.print(table)


def print_check(
    console: Console, session: Session, run: ImportRun, result: Mapping[str, Any]
) -> None:
    """What would become of the rows, and the first that would fail."""
    console.print("Nothing was written.")
    table = Table("rows", str(result["rows"]))
    for name in OUTCOMES:
        table.add_row(name, str(result[name]))
    console.print(table)
    failed = session.scalars(
        select(ImportRow)
        .where(ImportRow.import_id == run.id)
        .order_by(ImportRow.number)
        .limit(FIRST_FAILED)
    ).all()
    for row in failed:
        console.print(Text(f"row {row.number}: {reasons(row)}"))
        console.print(Text(f"    {' | '.join(row.cells)[:_LONGEST]}", style="dim"))
    if (left := result["failed"] - len(failed)) > 0:
        console.print(f"… and {left} more")


def print_report(console: Console, run: ImportRun) -> None:
    """What became of the rows; the counts add up to those read."""
    rate = f", {run.position / run.worked_seconds:,.0f} a second" if run.worked_seconds else ""
    console.print(f"{run.state}{rate}")
    table = Table("rows read", str(run.position))
    for name in COUNTS:
        table.add_row(name.replace("_", " "), str(getattr(run, name)))
    console.print(table)
