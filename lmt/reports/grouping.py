"""The tallies of a question's groups: what the database added up, put under keys of an address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from lmt.reports.dimensions import Dimension, dimension_of
from lmt.reports.figure import Figure
from lmt.reports.folding import Cells
from lmt.reports.keys import key_values
from lmt.reports.money import Purse
from lmt.reports.summing import Source, gathered_times, summed_counters, summed_values
from lmt.reports.tally import Tally, summed

Group = tuple[Any, ...]
Values = list[tuple[Group, int, date, Decimal]]


@dataclass(frozen=True, slots=True)
class Needs:
    """What is asked of each lead."""

    counters: tuple[str, ...]
    times: tuple[str, ...]


def needs_of(figures: Iterable[Figure]) -> Needs:
    """Leads are always counted."""
    asked = list(figures)
    counters = ["leads", *(name for figure in asked for name in figure.counters)]
    times = [name for figure in asked for name in figure.times]
    return Needs(tuple(dict.fromkeys(counters)), tuple(dict.fromkeys(times)))


@dataclass(slots=True)
class Groups:
    """What the database says of the leads told apart `by` columns."""

    rows: str
    columns: str
    by: tuple[str, ...]
    tallies: dict[Group, Tally] = field(default_factory=dict)
    values: Values = field(default_factory=list)

    def markets(self) -> set[int]:
        return {market for _group, market, _month, _amount in self.values}

    def cells(self, session: Session, purse: Purse | None, week_start: int) -> Cells:
        """Under the keys of row and column; groups in which nothing was counted are left out."""
        for group, market, month, amount in self.values:
            told = None if purse is None else purse.told(amount, market, month)
            if told:
                self.tallies.setdefault(group, Tally()).value += told
        row = self._keys(session, self.rows, week_start)
        column = self._keys(session, self.columns, week_start)
        found: dict[tuple[str, str], list[Tally]] = {}
        for group, tally in self.tallies.items():
            if tally.counts or tally.times or tally.value:
                found.setdefault((row(group), column(group)), []).append(tally)
        return {key: parts[0] if len(parts) == 1 else summed(parts) for key, parts in found.items()}

    def _keys(self, session: Session, code: str, week_start: int) -> Any:
        if not code:
            return lambda _group: ""
        dimension = dimension_of(code)
        place = self.by.index(_told_by(dimension))
        values = {group[place] for group in self.tallies}
        known = key_values(session, dimension, values, week_start)
        return lambda group: known[group[place]]


def groups_of(
    session: Session, source: Source, rows: str, columns: str, needs: Needs, *, money: bool
) -> Groups:
    """The leads of `source` by two dimensions, "" for none; amounts where `money` is asked."""
    by = tuple(dict.fromkeys(_told_by(dimension_of(code)) for code in (rows, columns) if code))
    found = Groups(rows, columns, by)
    pieces: dict[Group, dict[str, list[bytes]]] = {}
    for group, counts in summed_counters(session, source, by, needs.counters):
        if (known := found.tallies.get(group)) is None:
            found.tallies[group] = Tally(counts)
        else:
            known.add(Tally(counts))
    if needs.times:
        for group, times in gathered_times(session, source, by, needs.times):
            for name, packed in times.items():
                pieces.setdefault(group, {}).setdefault(name, []).append(packed)
    for group, spans in pieces.items():
        tally = found.tallies.setdefault(group, Tally())
        tally.times = {name: b"".join(parts) for name, parts in spans.items()}
    if money:
        found.values = list(summed_values(session, source, by))
    return found


def _told_by(dimension: Dimension) -> str:
    return dimension.column or dimension.code


def totals(cells: Cells, place: int) -> dict[str, Tally]:
    """The sums of the cells by the key of their row (0) or column (1)."""
    found: dict[str, list[Tally]] = {}
    for key, tally in cells.items():
        found.setdefault(key[place], []).append(tally)
    return {key: summed(parts) for key, parts in found.items()}
