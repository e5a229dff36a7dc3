"""From a row of a file to what is taken in: the lead it tells of and the call, or its faults."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar, cast

import structlog

from lmt.files.columns import ColumnStyle
from lmt.files.layout import Layout
from lmt.files.neutral import restored
from lmt.files.table import Row
from lmt.imports.rows import Call, RowError, RowRead, RowReader, call_instant
from lmt.ingest.arrival import arrival
from lmt.ingest.books import MarketFacts
from lmt.ingest.bulk import Action, BulkCall, BulkRow
from lmt.ingest.characters import storable
from lmt.ingest.leadinput import LeadInput
from lmt.mapping.model import Mapping as FieldMapping
from lmt.models import ImportRun, Source

log = structlog.get_logger(__name__)

T = TypeVar("T")

CHUNK = 500
"""Rows that are taken in at once: one transaction."""
CHUNK_LETTERS = 400_000
"""What they may hold together, for a row may be a thousand times as long as a usual one."""
ROW_COLUMN, REASONS_COLUMN = "lmt_row", "lmt_reasons"
OWN_COLUMNS = frozenset({ROW_COLUMN, REASONS_COLUMN})
"""What we add to a file of failed rows, and leave out when the mended file comes back."""
FAILED = "not_accepted"
"""The code of a row at which we broke."""
LONGEST_GIVEN = 200
_CALL = tuple(each.name for each in fields(Call))
# Made once: `json.dumps` makes one each time.
_written = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str
).encode


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row as it was understood; with `errors` it becomes no lead."""

    number: int
    cells: tuple[str, ...]
    read: RowRead | None = None
    errors: tuple[dict[str, str], ...] = ()
    """[{"field", "code", "given"}], as they are kept."""

    notes: tuple[dict[str, str], ...] = ()
    """The same for what hinders nothing."""

    @property
    def call(self) -> Call | None:
        return None if self.read is None else self.read.call

    @property
    def action(self) -> str:
        """`route`, `history` or `suppress`: what the call's disposition asks for."""
        return "route" if self.read is None else self.read.action

    def broken(self) -> ReadRow:
        """The same, after it turned out that we can't take it in."""
        return replace(self, errors=_told([RowError("", FAILED)]))


@dataclass(frozen=True, slots=True)
class Basis:
    """What rows are understood by; both as the books remember them."""

    source: Source
    home: MarketFacts


class LeadReader:
    """Reads the rows of one file by one mapping and the source's settings; knows no database."""

    def __init__(
        self,
        layout: Layout,
        mapping: FieldMapping,
        styles: Sequence[ColumnStyle],
        settings: Mapping[str, Any],
    ) -> None:
        kept = [n for n, name in enumerate(layout.columns) if name not in OWN_COLUMNS]
        self._kept = kept
        self._ours = len(kept) < len(layout.columns)
        columns = tuple(layout.columns[n] for n in kept)
        self._reader = RowReader(mapping, columns, [styles[n] for n in kept], settings)

    def read(self, row: Row) -> ReadRow:
        """Never raises: a row at which we break is a failed one."""
        if row.problem:
            return ReadRow(row.number, row.cells, errors=_told([RowError("", row.problem)]))
        try:
            read = self._reader.read(self._cells(row.cells))
        except Exception:
            # One row that nobody thought of must not hold up a million others.
            log.exception("import.row_unreadable", row=row.number)
            return ReadRow(row.number, row.cells).broken()
        return ReadRow(row.number, row.cells, read, _told(read.errors), _told(read.notes))

    def _cells(self, cells: Sequence[str]) -> tuple[str, ...]:
        if not self._ours:
            return tuple(cells)
        return tuple(restored(cells[n]) for n in self._kept)


def reader_of(run: ImportRun, source: Source) -> LeadReader:
    """What reads the rows of this import of the source, as it is set up."""
    layout, mapping = Layout.from_json(run.layout), FieldMapping.from_json(run.mapping)
    return LeadReader(layout, mapping, styles_of(run), source.settings)


def styles_of(run: ImportRun) -> tuple[ColumnStyle, ...]:
    """How the file's columns write dates and numbers, as it was found out when it came."""
    return tuple(ColumnStyle(**style) for style in run.options["styles"])


def styles_json(styles: Iterable[ColumnStyle]) -> list[dict[str, Any]]:
    return [asdict(style) for style in styles]


def chunks(things: Iterator[T], size: int = CHUNK) -> Iterator[list[T]]:
    """All of them in their order, `size` at a time."""
    while chunk := list(islice(things, size)):
        yield chunk


def row_chunks(rows: Iterator[Row], size: int = CHUNK) -> Iterator[list[Row]]:
    """All of them in their order, `size` at a time; fewer where they are as long as rows may be."""
    chunk: list[Row] = []
    letters = 0
    for row in rows:
        chunk.append(row)
        letters += sum(map(len, row.cells))
        if len(chunk) >= size or letters >= CHUNK_LETTERS:
            yield chunk
            chunk, letters = [], 0
    if chunk:
        yield chunk


def taken_in(
    rows: Iterable[ReadRow], basis: Basis, at: datetime
) -> tuple[list[ReadRow], list[BulkRow]]:
    """All the rows in their order, and those without errors as they are taken in.

    A row that breaks us while it is understood is among the failed ones.
    """
    all_rows: list[ReadRow] = []
    good: list[BulkRow] = []
    for row in rows:
        told = row
        if row.read is not None and not row.errors:
            try:
                good.append(_bulk_row(row, row.read, basis, at))
            except Exception:
                log.exception("import.row_failed", row=row.number)
                told = row.broken()
        all_rows.append(told)
    return all_rows, good


def own_key(lead: Mapping[str, Any]) -> str | None:
    """How the sender's own number of a row makes it the same delivery as an earlier one."""
    own = str(lead.get("id") or "")
    return f"own:{own}" if own else None


def content_hash(read: RowRead) -> bytes:
    """SHA-256 of what the row says: the lead as JSON and the call. Two calls of one person are
    two deliveries, however alike the rest of their rows."""
    call = read.call
    said = None if call is None else {name: getattr(call, name) for name in _CALL}
    told = _written([read.lead, said])
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).digest()


def understood_lead(read: RowRead, basis: Basis, at: datetime) -> LeadInput:
    return arrival(basis.source, basis.home, read.lead, at).given


def _bulk_row(row: ReadRow, read: RowRead, basis: Basis, at: datetime) -> BulkRow:
    return BulkRow(
        number=row.number,
        key=own_key(read.lead),
        body_hash=content_hash(read),
        arrival=arrival(basis.source, basis.home, read.lead, at),
        action=cast(Action, row.action),
        call=None if read.call is None else _bulk_call(read.call, basis.home),
    )


def _bulk_call(call: Call, home: MarketFacts) -> BulkCall:
    return BulkCall(
        at=call_instant(call.at, home.zone, home.country),
        disposition=call.disposition,
        note=call.note,
        agent=call.agent,
        back_at=call_instant(call.back_at, home.zone, home.country),
    )


def _told(errors: Sequence[RowError]) -> tuple[dict[str, str], ...]:
    """As the database keeps them."""
    if not errors:
        return ()
    return tuple(
        storable({"field": e.field, "code": e.code, "given": e.given[:LONGEST_GIVEN]})
        for e in errors
    )
