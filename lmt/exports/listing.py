"""A list that can be taken away: what its columns are called, and how its rows are read by pages.

A page is a short transaction of its own, so a download that takes an hour holds none. Pages follow
each other by a key that no row changes, so no row comes twice and none is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from babel.support import LazyProxy
from sqlalchemy import Row, Select, func
from sqlalchemy.orm import InstrumentedAttribute, Session

from lmt.db import SessionFactory
from lmt.files.writing import Cell
from lmt.i18n import Reader, reading
from lmt.i18n import gettext as _
from lmt.scope import Actor, act_as

PAGE_ROWS = 1_000

Line = TypeVar("Line")
Record = Row[*tuple[Any, ...]]
Wanted = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Column(Generic[Line]):
    """What a column is called, and a line's cell in it. The header of an instant names the zone.

    A name that isn't ours is in the reader's language already.
    """

    words: LazyProxy | str
    cell: Callable[[Line], Cell]
    instant: bool = False


@dataclass(frozen=True, slots=True)
class Listing(Generic[Line]):
    """`wanted` selects the rows that fit, in no order; `key` is a column of it that no two rows
    share; `lines` makes of a page of rows what the columns read, in a fixed number of statements.

    All of it sees what the session's actor may see. `name` is that of the file, in ASCII.
    """

    name: str
    title: LazyProxy
    columns: tuple[Column[Line], ...]
    wanted: Wanted
    key: InstrumentedAttribute[Any]
    lines: Callable[[Session, Sequence[Record]], Sequence[Line]]
    latest_first: bool = True

    def count(self, session: Session) -> int:
        """How many rows there are."""
        counted = self.wanted.with_only_columns(func.count(), maintain_column_froms=True)
        return session.scalar(counted) or 0

    def page(self, session: Session, after: Any, rows: int) -> Sequence[Record]:
        """The next rows behind the key `after`; None: the first."""
        order = self.key.desc() if self.latest_first else self.key.asc()
        statement = self.wanted.order_by(order).limit(rows)
        if after is not None:
            behind = self.key < after if self.latest_first else self.key > after
            statement = statement.where(behind)
        return session.execute(statement).all()


def as_they_are(_session: Session, rows: Sequence[Record]) -> Sequence[Record]:
    """For lists whose rows say all."""
    return rows


def header_of(listing: Listing[Any], timezone: str) -> list[str]:
    """The names of the columns in the reader's language."""
    return [
        _("%(column)s (%(zone)s)", column=column.words, zone=timezone)
        if column.instant
        else str(column.words)
        for column in listing.columns
    ]


def rows_of(
    listing: Listing[Any], sessions: SessionFactory, actor: Actor, reader: Reader
) -> Iterator[list[Cell]]:
    """Every row that the actor may see, in the reader's words and on the reader's clock."""
    zone = ZoneInfo(reader.timezone)
    after = None
    while True:
        # Both are left before a row is handed on: whoever takes it may be slow, or never ask again.
        with act_as(sessions(), actor) as session, reading(reader.locale, reader.timezone):
            page = listing.page(session, after, PAGE_ROWS)
            cells = [_cells(listing.columns, line, zone) for line in listing.lines(session, page)]
        yield from cells
        if len(page) < PAGE_ROWS:
            return
        after = getattr(page[-1], listing.key.key)


def _cells(columns: Sequence[Column[Any]], line: Any, zone: ZoneInfo) -> list[Cell]:
    cells = [column.cell(line) for column in columns]
    return [cell.astimezone(zone) if isinstance(cell, datetime) else cell for cell in cells]
