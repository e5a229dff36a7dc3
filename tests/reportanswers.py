"""Answers of reports made up from numbers, for tests of what is drawn and written of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from lmt.reports.answer import Answer, Key
from lmt.reports.question import Question
from lmt.reports.tally import Tally, packed, summed

AS_OF = datetime(2026, 10, 1, 6, 0, tzinfo=UTC)


def tally(leads: int) -> Tally:
    """Of as many leads: half of them contacted, a tenth sold."""
    spans = packed(60 * (7 + each % 90) for each in range(leads // 2))
    counts = {
        "leads": leads, "valid": leads * 9 // 10, "offered": leads * 8 // 10,
        "accepted": leads * 7 // 10, "contacted": leads // 2, "appointment": leads // 4,
        "visited": leads // 5, "sold": leads // 10, "open": leads // 3,
    }  # fmt: skip
    return Tally(counts, Decimal(leads * 100), Decimal(leads * 7), {"response": spans})


def answer(
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    *,
    by: tuple[str, str] = ("dealer", ""),
    figures: tuple[str, ...] = ("leads", "contacted", "sold", "conversion", "response"),
    size: int = 100,
    currency: str = "EUR",
    compare: str = "",
) -> Answer:
    """One whose rows and columns have these names (and codes like `k1`); the nth row has more leads
    than the one after it."""
    question = Question(
        date(2026, 7, 1), date(2026, 9, 30), *by, figures=figures, period="days", compare=compare
    )
    row_keys = tuple(Key(f"r{n}", name) for n, name in enumerate(rows)) or (Key("", ""),)
    column_keys = tuple(Key(f"c{n}", name) for n, name in enumerate(columns))
    cells = {
        (row.value, column.value): tally(max(0, size // (r + 1) - 13 * c))
        for r, row in enumerate(row_keys)
        for c, column in enumerate(column_keys or (Key("", ""),))
    }
    made = Answer(
        question=question,
        rows=row_keys,
        columns=column_keys,
        cells=cells,
        row_totals={
            k.value: summed(t for (r, _), t in cells.items() if r == k.value) for k in row_keys
        },
        column_totals={
            k.value: summed(t for (_, c), t in cells.items() if c == k.value) for k in column_keys
        },
        total=summed(cells.values()),
        currency=currency,
        as_of=AS_OF,
    )
    if not compare:
        return made
    past = question.before()
    assert past is not None
    older = answer(rows, columns, by=by, figures=figures, size=size * 3 // 4, currency=currency)
    return replace(made, before=replace(older, question=past))
