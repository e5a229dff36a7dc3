"""Puts amounts into the cells of an answer, by what each of them is of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from lmt.reports.dimensions import dimension_of
from lmt.reports.keys import key_values
from lmt.reports.question import Question
from lmt.reports.tally import Tally

Cells = dict[tuple[str, str], Tally]
Amounts = Mapping[str, float]
OfCell = Callable[[Any], list[ColumnElement[bool]]]
"""What the days, the filters and the keys of a cell ask of rows that have the facts' columns."""
NOT_TOLD = "not_told"
"""The note that some of the figures know nothing of the groups or filters that were asked."""


def can_tell(question: Question, columns: Collection[str]) -> bool:
    """Whether rows that know these columns of the facts can be put into the question's groups."""
    return {*columns_used(question)} <= {*columns}


def by_leads(*codes: str) -> bool:
    """Whether the facts themselves know these dimensions: answers and calls are told elsewhere."""
    known = [dimension_of(code) for code in codes if code]
    return all(dimension.column and not dimension.of_calls for dimension in known)


def columns_used(question: Question) -> tuple[str, ...]:
    """The columns of the facts that its groups and filters look at."""
    used = (question.rows, question.columns, *question.filters)
    return tuple(dict.fromkeys(dimension_of(code).column for code in used if code))


def spread(
    session: Session,
    question: Question,
    cells: Cells,
    rows: Iterable[tuple[Mapping[str, Any], Amounts]],
    *,
    week_start: int,
) -> None:
    """Add each row's amounts to the cell that it belongs to, a new one where there was none; leave
    out those that the filters leave out. A row is (values of columns of the facts, amounts)."""
    columns = columns_used(question)
    found = _added_up(columns, rows)
    row_key = _keys(session, question.rows, columns, found, week_start)
    column_key = _keys(session, question.columns, columns, found, week_start)
    narrowed = [
        (_keys(session, code, columns, found, week_start), frozenset(keys))
        for code, keys in question.filters.items()
    ]
    for values, amounts in found.items():
        if all(key_of(values) in keys for key_of, keys in narrowed):
            tally = cells.setdefault((row_key(values), column_key(values)), Tally())
            for extra, amount in amounts.items():
                tally.extra[extra] = tally.extra.get(extra, 0.0) + amount


Values = tuple[Any, ...]


def _added_up(
    columns: tuple[str, ...], rows: Iterable[tuple[Mapping[str, Any], Amounts]]
) -> dict[Values, dict[str, float]]:
    """The rows by what the question looks at alone: many are few then."""
    found: dict[Values, dict[str, float]] = {}
    for values, amounts in rows:
        sums = found.setdefault(tuple([values[column] for column in columns]), {})
        for extra, amount in amounts.items():
            sums[extra] = sums.get(extra, 0.0) + amount
    return found


def _keys(
    session: Session,
    code: str,
    columns: tuple[str, ...],
    found: Iterable[Values],
    week_start: int,
) -> Callable[[Values], str]:
    if not code:
        return lambda _values: ""
    dimension = dimension_of(code)
    place = columns.index(dimension.column)
    keys = key_values(session, dimension, {values[place] for values in found}, week_start)
    return lambda values: keys[values[place]]
