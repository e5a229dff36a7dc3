"""The rows of a file of sales that failed, as a table to be mended and brought again.

They are read from the kept file once more: nothing of a row is lost, however many failed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from sqlalchemy.orm import Session

from lmt.files.writing import csv_bytes
from lmt.imports.reading import OWN_COLUMNS, REASONS_COLUMN, ROW_COLUMN
from lmt.imports.uploads import spool_folder
from lmt.mapping.withheld import is_secret
from lmt.models import SalesFile
from lmt.sales.finding import Grounds
from lmt.sales.reading import columns_of, did_come_back, read_row, reader_of, table_of
from lmt.sales.words import error_words

_BETWEEN_REASONS = " / "


def failed_rows(session: Session, file: SalesFile, grounds: Grounds) -> Iterator[bytes]:
    """CSV in UTF-8 with the row's number and its reasons in front, in bounded memory."""
    columns = columns_of(file)
    kept = [n for n, name in enumerate(columns) if name not in OWN_COLUMNS and not is_secret(name)]
    header = [ROW_COLUMN, REASONS_COLUMN, *(columns[n] for n in kept)]
    return csv_bytes(header, _rows(session, file, grounds, kept))


def failed_name(file: SalesFile) -> str:
    """What the table is called when it is downloaded."""
    return f"{PurePath(file.upload.name).stem or 'sales'}.failed.csv"


def _rows(
    session: Session, file: SalesFile, grounds: Grounds, kept: list[int]
) -> Iterator[list[str]]:
    reader, came_back = reader_of(file, grounds), did_come_back(columns_of(file))
    left = file.read
    with spool_folder() as folder:
        for row in table_of(session, file, folder).rows():
            if row.number > left:
                return
            read = read_row(reader, row, came_back)
            if read.errors:
                reasons = dict.fromkeys(error_words(e.code, e.field) for e in read.errors)
                yield [
                    str(row.number),
                    _BETWEEN_REASONS.join(reasons),
                    *(read.cells[n] for n in kept),
                ]
