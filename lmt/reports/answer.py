"""Pure: what a report answers, as every table, chart, file, mail and program is given it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from lmt.reports.figure import MONEY
from lmt.reports.figures import BY_CODE
from lmt.reports.question import Question
from lmt.reports.tally import Tally


@dataclass(frozen=True, slots=True)
class Key:
    """One group: `value` is what an address calls it (a code, an ISO day, `-` for none), `name`
    what the reader does."""

    value: str
    name: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Groups in the order in which they are shown. `cells` has the tallies of those that have any
    lead, by the values of row and column; without a dimension the one row is "" (or column).
    `total` is of all leads, whatever groups they are in: leads with several answers to an own field
    count in several rows and once in it.
    """

    question: Question
    rows: tuple[Key, ...]
    columns: tuple[Key, ...]
    cells: Mapping[tuple[str, str], Tally]
    row_totals: Mapping[str, Tally]
    column_totals: Mapping[str, Tally]
    total: Tally
    currency: str
    """Of all amounts; "" where they are in several and so are not told."""
    as_of: datetime
    """Up to when what happened is counted."""
    before: Answer | None = None
    """Of the days that it is compared with."""
    notes: tuple[str, ...] = field(default=())
    """Codes of what its reader must know: `no_rate`, `several_currencies`."""

    def value(self, figure: str, row: str | None = None, column: str | None = None) -> float | None:
        """One figure: of a cell, of a row (no column given), of a column, or of all. None where it
        can't be worked out, and of amounts in several currencies."""
        asked = BY_CODE[figure]
        if asked.unit == MONEY and not self.currency:
            return None
        return asked.value(self.tally(row, column))

    def tally(self, row: str | None = None, column: str | None = None) -> Tally:
        """Of a cell, a row, a column, or all; empty where there is no lead."""
        if row is None and column is None:
            return self.total
        if column is None:
            return self.row_totals.get(str(row), Tally())
        if row is None:
            return self.column_totals.get(column, Tally())
        return self.cells.get((row, column), Tally())
