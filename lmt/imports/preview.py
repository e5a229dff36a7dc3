"""What the first rows of a file would become, before anything is taken in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from lmt import clock
from lmt.imports.opening import kept_rows
from lmt.imports.reading import Basis, ReadRow, reader_of, understood_lead
from lmt.imports.rows import Call
from lmt.ingest.books import books_as_system
from lmt.ingest.leadinput import LeadInput
from lmt.models import ImportRun

FIRST = 20
OUTCOMES = {"route": "routed", "history": "history", "suppress": "suppressed"}
"""What a row would become by the action that its disposition asks for; `failed` with errors."""


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row, the lead in the shape of the API that its columns make, and how that is understood.

    `errors` and `notes` are [{"field", "code", "given"}]; a note is told and hinders nothing.
    """

    number: int
    cells: tuple[str, ...]
    lead: dict[str, Any]
    call: Call | None
    outcome: str
    errors: tuple[dict[str, str], ...] = ()
    notes: tuple[dict[str, str], ...] = ()
    understood: LeadInput | None = None


def first_rows(session: Session, run: ImportRun, n: int = FIRST) -> list[PreviewRow]:
    """The first `n` rows (at most `opening.KEPT`) by the mapping as it is now; writes nothing."""
    known = books_as_system(session)
    source = known.sources[run.source_id]
    basis = Basis(source, known.markets[source.market_id])
    reader = reader_of(run, source)
    return [_preview(reader.read(row), basis) for row in kept_rows(run)[:n]]


def _preview(row: ReadRow, basis: Basis) -> PreviewRow:
    if row.read is None:
        return PreviewRow(row.number, row.cells, {}, None, "failed", row.errors)
    try:
        understood = understood_lead(row.read, basis, clock.now())
    except Exception:
        # As the import itself would: this row is a failed one.
        row, understood = row.broken(), None
    outcome = "failed" if row.errors else OUTCOMES[row.action]
    assert row.read is not None
    return PreviewRow(
        row.number,
        row.cells,
        row.read.lead,
        row.call,
        outcome,
        row.errors,
        row.notes,
        understood,
    )
