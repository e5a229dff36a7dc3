"""The rows that failed, as a file like the one they came in: to be mended and sent again.

Two columns are added in front, the row's number and what is wrong with it; when the file comes back
they are left out, so that a mended row is the row it was.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.files.layout import Layout
from lmt.files.neutral import restored
from lmt.files.writing import MOST_SHEET_ROWS, csv_bytes, write_xlsx
from lmt.i18n import gettext as _
from lmt.imports.reading import OWN_COLUMNS, REASONS_COLUMN, ROW_COLUMN
from lmt.imports.words import row_error_words
from lmt.mapping.withheld import is_secret
from lmt.models import ImportRow, ImportRun

CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PAGE = 1_000
_HELD = 10
"""Rows that are held at once: each may be as long as a row can be."""
_CAUSES = 1_000
_READ_BYTES = 65_536
_BETWEEN_REASONS = " / "
_ONLY_SIGNS = {"utf-8": "utf-8-sig", "utf8": "utf-8-sig", "ascii": "utf-8-sig"}


@dataclass(frozen=True, slots=True)
class FailedFile:
    name: str
    content_type: str
    parts: Iterator[bytes]

    def __iter__(self) -> Iterator[Any]:
        """As (name, content type, parts)."""
        return iter((self.name, self.content_type, self.parts))


def failed_file(session: Session, run: ImportRun) -> FailedFile:
    """The failed rows in the file's own format, delimiter and encoding, with their reasons in the
    reader's language; as (name, content type, parts), bounded in memory.

    A workbook of an older kind comes back as XLSX, more rows than a sheet holds as CSV. What the
    file's encoding has no letters for makes it UTF-8.
    """
    layout = Layout.from_json(run.layout)
    # No mapping reads a secret: nobody needs it to mend a row.
    kept = [
        n
        for n, name in enumerate(layout.columns)
        if name not in OWN_COLUMNS and not is_secret(name)
    ]
    header = [ROW_COLUMN, REASONS_COLUMN, *(layout.columns[n] for n in kept)]
    rows = _rows(session, run, kept)
    stem = PurePath(run.upload.name).stem or "rows"
    if layout.format == "csv" or run.failed > MOST_SHEET_ROWS:
        encoding, delimiter = _written_in(session, run, layout)
        parts = csv_bytes(header, rows, encoding=encoding, delimiter=delimiter)
        content_type = f"{CSV}; charset={_charset(encoding)}"
        return FailedFile(f"{stem}.failed.csv", content_type, parts)
    return FailedFile(f"{stem}.failed.xlsx", XLSX, _workbook(header, rows))


def reasons(row: ImportRow) -> str:
    """What is wrong with the row, in the reader's words."""
    told = [row_error_words(error["code"], error["field"]) for error in row.errors]
    return _BETWEEN_REASONS.join(dict.fromkeys(told))


def _rows(session: Session, run: ImportRun, kept: Sequence[int]) -> Iterator[list[str]]:
    came_back = not OWN_COLUMNS.isdisjoint(run.layout["columns"])
    last = 0
    while True:
        found = session.scalars(
            select(ImportRow)
            .where(
                ImportRow.import_id == run.id,
                ImportRow.outcome == "failed",
                ImportRow.number > last,
            )
            .order_by(ImportRow.number)
            .limit(_PAGE)
            .execution_options(yield_per=_HELD)
        )
        read = 0
        for row in found:
            read, last = read + 1, row.number
            cells = [row.cells[n] if n < len(row.cells) else "" for n in kept]
            if came_back:
                # They still bear the marks that kept them from being computed.
                cells = [restored(cell) for cell in cells]
            yield [str(row.number), reasons(row), *cells]
            session.expunge(row)
        if read < _PAGE:
            return


def _written_in(session: Session, run: ImportRun, layout: Layout) -> tuple[str, str]:
    """Encoding and delimiter: the file's own, as far as the reasons can be written in it."""
    delimiter = layout.written_delimiter or ","
    encoding = layout.encoding.lower() or "utf-8"
    if encoding in _ONLY_SIGNS:
        # With the mark, without which a spreadsheet misreads what was mended in it.
        return _ONLY_SIGNS[encoding], delimiter
    causes = session.execute(
        select(ImportRow.errors)
        .where(ImportRow.import_id == run.id, ImportRow.outcome == "failed")
        .distinct()
        .limit(_CAUSES)
    ).scalars()
    words = {row_error_words(each["code"], each["field"]) for errors in causes for each in errors}
    try:
        "".join([*words, *layout.columns]).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return "utf-8-sig", delimiter
    return encoding, delimiter


def _workbook(header: Sequence[str], rows: Iterator[list[str]]) -> Iterator[bytes]:
    with tempfile.TemporaryFile() as file:
        write_xlsx(file, header, rows, title=_("Failed rows"))
        file.seek(0)
        while part := file.read(_READ_BYTES):
            yield part


def _charset(encoding: str) -> str:
    return "utf-8" if encoding == "utf-8-sig" else encoding
