"""A list leaves the house as a file: who took it is written down, then it is made and sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any

import structlog
from sqlalchemy.orm import Session

from lmt.db import SessionFactory
from lmt.exports.listing import Listing, header_of, rows_of
from lmt.files.writing import MOST_SHEET_ROWS, Cell, csv_bytes, write_xlsx
from lmt.i18n import Reader, direction
from lmt.i18n import gettext as _
from lmt.models import note_change
from lmt.scope import Actor

log = structlog.get_logger(__name__)

PERMISSION = "lead.export"
FORMS: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""Content types."""
_BYTES_AT_ONCE = 64 * 1024


class TooManyRows(ValueError):
    """A workbook has no room for `rows` rows."""

    def __init__(self, rows: int):
        super().__init__(f"{rows} rows")
        self.rows = rows


def take(
    session: Session,
    listing: Listing[Any],
    form: str,
    filters: Mapping[str, str],
    *,
    at: datetime,
    actor: Actor,
) -> int:
    """Write down that the actor takes a list away, and say how many rows it has. Commits.

    Written before the first byte leaves, so that nobody gets half of a list unseen. Of a `search`,
    or the `value` of an answer, among the `filters` it is kept only that there was one: it may name
    a person. Raises TooManyRows.
    """
    rows = listing.count(session)
    if form == "xlsx" and rows > MOST_SHEET_ROWS:
        raise TooManyRows(rows)
    taken = {"format": form, "rows": rows, "filters": without_names(filters)}
    note_change(
        session, "export", listing.name, at=at, user_id=actor.user_id, before={}, after=taken
    )
    session.commit()
    return rows


def without_names(filters: Mapping[str, str]) -> dict[str, str | bool]:
    """The filters as they may be kept."""
    return {name: name in {"search", "value"} or value for name, value in filters.items()}


def csv_of(
    listing: Listing[Any], sessions: SessionFactory, actor: Actor, reader: Reader
) -> Iterator[bytes]:
    """The list as CSV, read from the database as fast as it is taken.

    Where that fails on the way, the last line says so: a server ends a broken answer like a
    whole one.
    """
    header = header_of(listing, reader.timezone)
    broken = _("The download broke off here, and rows are missing. Take the list again.")
    return csv_bytes(header, _or_say(broken, rows_of(listing, sessions, actor, reader)))


def _or_say(broken: str, rows: Iterable[list[Cell]]) -> Iterator[list[Cell]]:
    try:
        yield from rows
    except Exception:
        log.exception("export.broke_off")
        yield [broken]


def xlsx_of(
    listing: Listing[Any], sessions: SessionFactory, actor: Actor, reader: Reader, folder: Path
) -> IO[bytes]:
    """The list as a workbook: a file without a name, gone when it is closed; read from its start.

    It can't be sent before it is whole. `folder` needs room for some 2 KB a row meanwhile.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file: IO[bytes] = TemporaryFile(dir=folder)  # noqa: SIM115 - the caller's to close
    try:
        with TemporaryDirectory(prefix=".export-", dir=folder) as workshop:
            write_xlsx(
                file,
                header_of(listing, reader.timezone),
                rows_of(listing, sessions, actor, reader),
                title=str(listing.title),
                right_to_left=direction(reader.locale) == "rtl",
                folder=Path(workshop),
            )
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """A file's bytes, a little at a time."""
    while piece := file.read(_BYTES_AT_ONCE):
        yield piece
