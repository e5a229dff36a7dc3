"""The tallies of a question's groups: what the database added up, put under keys of an address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from lmt.reports.dimensions import dimension_of
from lmt.reports.figure import Figure
from lmt.reports.folding import OTHERS, Cells
from lmt.reports.keys import key_values
from lmt.reports.money import Purse
from lmt.reports.summing import (
    Rates,
    Source,
    tallied,
    values_by_market,
    values_by_rate,
)
from lmt.reports.tally import Tally, summed
from lmt.reports.telling import By, is_beyond

Group = tuple[Any, ...]
Values = list[tuple[Group, Decimal]]


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
    places: Mapping[str, int]
    """Of each dimension in a group."""
    tallies: dict[Group, Tally] = field(default_factory=dict)
    values: Values = field(default_factory=list)
    """All in one currency, or else `markets` have several."""
    markets: set[int] = field(default_factory=set)
    without_rate: bool = False
    """Whether values are left out because no rate says what they are worth."""

    def cells(self, session: Session, purse: Purse | None, week_start: int) -> Cells:
        """Under the keys of row and column; groups in which nothing was counted are left out."""
        if purse is not None and purse.currency:
            for group, amount in self.values:
                if amount:
                    self.tallies.setdefault(group, Tally()).value += amount
        row = self._keys(session, self.rows, week_start)
        column = self._keys(session, self.columns, week_start)
        found: dict[tuple[str, str], list[Tally]] = {}
        for group, tally in self.tallies.items():
            if tally.counts or tally.times or tally.value:
                found.setdefault((row(group), column(group)), []).append(tally)
        return {key: parts[0] if len(parts) == 1 else summed(parts) for key, parts in found.items()}

    def known(self, session: Session, code: str, week_start: int) -> dict[Any, str]:
        """What an address calls each value that tells groups of this dimension apart."""
        place = self.places[code]
        values = {group[place] for group in self.tallies}
        beyond = {value: OTHERS for value in values if is_beyond(value)}
        named = key_values(session, dimension_of(code), values - beyond.keys(), week_start)
        return named | beyond

    def _keys(self, session: Session, code: str, week_start: int) -> Any:
        if not code:
            return lambda _group: ""
        place, known = self.places[code], self.known(session, code, week_start)
        return lambda group: known[group[place]]


def groups_of(
    session: Session,
    source: Source,
    rows: str,
    columns: str,
    told: Mapping[str, By],
    needs: Needs,
    *,
    money: bool = False,
    rates: Rates | None = None,
) -> Groups:
    """The leads of `source` by two dimensions, "" for none, each `told` by its own; amounts where
    `money` is asked, by `rates` where they are told in one currency."""
    asked = {code: told[code] for code in (rows, columns) if code}
    by = tuple(dict.fromkeys(asked.values()))
    found = Groups(rows, columns, {code: by.index(each) for code, each in asked.items()})
    for group, tally in tallied(session, source, by, needs.counters, needs.times):
        if (known := found.tallies.get(group)) is None:
            found.tallies[group] = tally
        else:
            known.add(tally)
    if money and rates is None:
        for group, market, amount in values_by_market(session, source, by):
            found.values.append((group, amount))
            found.markets.add(market)
    elif money and rates is not None:
        for group, amount, left_out in values_by_rate(session, source, by, rates):
            found.values.append((group, amount))
            found.without_rate |= left_out
    return found


def totals(cells: Cells, place: int) -> dict[str, Tally]:
    """The sums of the cells by the key of their row (0) or column (1)."""
    found: dict[str, list[Tally]] = {}
    for key, tally in cells.items():
        found.setdefault(key[place], []).append(tally)
    return {key: summed(parts) for key, parts in found.items()}
