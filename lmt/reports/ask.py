"""A question answered: sums of facts put into groups, folded, named and ordered for the reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from lmt.collector import collecting_later
from lmt.reports.answer import Answer, Key
from lmt.reports.dimensions import FIELD, NONE, dimension_of
from lmt.reports.enrich import enrich
from lmt.reports.figure import COUNT, Figure
from lmt.reports.figures import BY_CODE
from lmt.reports.folding import MOST_COLUMNS, MOST_ROWS, OTHERS, Cells, gathered, in_order, shown
from lmt.reports.grouping import Groups, Needs, groups_of, needs_of, totals
from lmt.reports.keys import names_of
from lmt.reports.money import (
    NO_RATE,
    Expense,
    Purse,
    costs_put,
    exchange_of,
    expenses_of,
    purse_for,
    tells_cost,
    tells_money,
)
from lmt.reports.question import Question
from lmt.reports.refresh import lag
from lmt.reports.steady import asked_once
from lmt.reports.summing import Rates, Source, source_of
from lmt.reports.tally import UNTOLD, Tally, summed
from lmt.reports.telling import By, only, told_by, values_kept

MANY = frozenset({"dealer", "colleague", "model", "source", "campaign", "region"})
"""Dimensions that may have so many groups that they are counted before they are told apart."""


def ask(
    session: Session, question: Question, *, at: datetime, currency: str, week_start: int = 0
) -> Answer:
    """What the session's actor is answered, in the reader's language.

    `session` is one of `reading_sessions`, so that all of it is of one state of the database;
    `currency` is the installation's; `week_start` the first day of the reader's week, 0 for Monday.
    """
    with collecting_later():
        answer = _answered(session, question, at, currency, week_start)
        before = question.before()
        if before is None:
            return answer
        return replace(answer, before=_answered(session, before, at, currency, week_start))


def keys_shown(
    session: Session, question: Question, week_start: int
) -> tuple[list[str], list[str]]:
    """The rows and columns that the answer shows by themselves; all others are in OTHERS."""
    needs = needs_of([_sized_by(question)])
    source = source_of(session, question)
    told = _told(session, question, source, week_start)
    groups = groups_of(session, source, question.rows, question.columns, told, needs)
    cells = groups.cells(session, None, week_start)
    return (
        _shown(question, question.rows, totals(cells, 0), MOST_ROWS, week_start),
        _shown(question, question.columns, totals(cells, 1), MOST_COLUMNS, week_start),
    )


def _answered(
    session: Session, question: Question, at: datetime, currency: str, week_start: int
) -> Answer:
    asked = _Asked.of(session, question, at, currency, week_start)
    cells = asked.cells(question.rows, question.columns)
    notes = set(enrich(session, question, cells, at, currency, week_start))
    if question.of_calls:
        for tally in cells.values():
            tally.extra[UNTOLD] = 1.0
    of_rows, of_columns = totals(cells, 0), totals(cells, 1)
    rows = asked.shown(of_rows, 0)
    columns = asked.shown(of_columns, 1)
    cells = gathered(cells, frozenset(rows), frozenset(columns))
    by_row = asked.marginal(of_rows, rows, 0)
    by_column = asked.marginal(of_columns, columns, 1)
    return Answer(
        question=question,
        rows=_named(session, question, question.rows, rows, by_row, at),
        columns=_named(session, question, question.columns, columns, by_column, at),
        cells=cells,
        row_totals=by_row,
        column_totals=by_column,
        total=asked.total(by_column),
        currency=asked.purse.currency if asked.purse else "",
        as_of=at - (asked_once(session, f"lag {at}", lambda: lag(session, at)) or timedelta(0)),
        notes=tuple(sorted(notes | (asked.purse.notes if asked.purse else set()))),
    )


@dataclass(slots=True)
class _Asked:
    """A question with all that its sums are made from."""

    session: Session
    question: Question
    source: Source
    needs: Needs
    told: Mapping[str, By]
    groups: Groups
    purse: Purse | None
    rates: Rates | None
    expenses: list[Expense]
    week_start: int

    @staticmethod
    def of(
        session: Session, question: Question, at: datetime, currency: str, week_start: int
    ) -> _Asked:
        source = source_of(session, question)
        needs = _needs(question)
        told = _told(session, question, source, week_start)
        money = tells_money(question) and not question.of_calls
        exchange = exchange_of(session, question, currency) if money else None
        rates = None
        if exchange and question.currency == "one":
            rates = exchange.rates_of(question.first, question.last)
        groups = groups_of(
            session, source, question.rows, question.columns, told, needs, money=money, rates=rates
        )
        purse, expenses = None, []
        if exchange:
            expenses = expenses_of(session, question, at) if tells_cost(question) else []
            markets = groups.markets | {expense.market_id for expense in expenses}
            purse = purse_for(question, exchange, markets)
            if groups.without_rate:
                purse.notes.add(NO_RATE)
        return _Asked(
            session, question, source, needs, told, groups, purse, rates, expenses, week_start
        )

    def cells(self, rows: str, columns: str) -> Cells:
        """By any of the question's dimensions, "" for none."""
        groups = self.groups
        if (rows, columns) != (self.question.rows, self.question.columns):
            groups = groups_of(
                self.session, self.source, rows, columns, self.told, self.needs,
                money=self.purse is not None, rates=self.rates,
            )  # fmt: skip
        cells = groups.cells(self.session, self.purse, self.week_start)
        for key, cost in self._costs(rows, columns).items():
            cells.setdefault(key, Tally()).cost = cost
        return cells

    def shown(self, sums: Mapping[str, Tally], place: int) -> list[str]:
        """The rows (0) or columns (1) that are shown by themselves, of all that have leads,
        or cost without any."""
        code = (self.question.rows, self.question.columns)[place]
        if not code:
            return [""]
        sums = {**{key: Tally() for key in self.costs(place)}, **sums}
        most = (MOST_ROWS, MOST_COLUMNS)[place]
        return _shown(self.question, code, sums, most, self.week_start)

    def marginal(self, sums: Mapping[str, Tally], keys: list[str], place: int) -> dict[str, Tally]:
        """The totals of the rows (0) or columns (1) with these keys and of all others together, by
        the `sums` of all. Whoever gave several answers counts in several groups, and once in the
        totals across them."""
        axes = [self.question.rows, self.question.columns]
        if axes[1 - place].startswith(FIELD):
            axes[1 - place] = ""
            return _among(totals(self.cells(*axes), place), keys)
        found = _among(sums, keys)
        costs: dict[str, Decimal] = {}
        for key, cost in self.costs(place).items():
            held = key if key in keys else OTHERS
            costs[held] = costs.get(held, Decimal(0)) + cost
        for key, cost in costs.items():
            found.setdefault(key, Tally()).cost = cost
        return found

    def costs(self, place: int) -> dict[str, Decimal]:
        """The cost of rows (0) or columns (1), whatever the other tells apart."""
        axes = [self.question.rows, self.question.columns]
        axes[1 - place] = ""
        return {key[place]: cost for key, cost in self._costs(*axes).items()}

    def total(self, by_column: Mapping[str, Tally]) -> Tally:
        axes = (self.question.rows, self.question.columns)
        if any(code.startswith(FIELD) for code in axes):
            return self.cells("", "").get(("", ""), Tally())
        whole = summed(by_column.values())
        whole.cost = self._costs("", "").get(("", ""))
        return whole

    def _costs(self, rows: str, columns: str) -> Mapping[tuple[str, str], Decimal]:
        if self.purse is None:
            return {}
        return costs_put(self.expenses, self.purse, rows, columns, self.week_start)


def _among(sums: Mapping[str, Tally], keys: list[str]) -> dict[str, Tally]:
    """Those of the keys, and of all others together."""
    wanted = frozenset(keys)
    found = {key: tally for key, tally in sums.items() if key in wanted}
    if others := [tally for key, tally in sums.items() if key not in wanted]:
        found[OTHERS] = summed(others)
    return found


def _needs(question: Question) -> Needs:
    figures = [BY_CODE[code] for code in question.figures]
    return needs_of([*figures, _greatest(question), *_sorted_by(question)])


def _told(session: Session, question: Question, source: Source, week_start: int) -> dict[str, By]:
    """By what the groups of each dimension are told apart. What won't be shown by itself is put
    together by the database: of the calendar what is long ago, and of columns the smallest."""
    told: dict[str, By] = {}
    for code, most in ((question.rows, MOST_ROWS), (question.columns, MOST_COLUMNS)):
        if code:
            dimension = dimension_of(code)
            since = ""
            if dimension.column == "day":
                all_ = in_order(dimension, question.first, question.last, week_start, ())
                since = all_[-most] if len(all_) > most else ""
            told[code] = told_by(dimension, week_start, since)
    column = told.get(question.columns)
    if question.rows and question.columns in MANY and isinstance(column, str):
        greatest = _greatest(question)
        if not greatest.extras and not any(BY_CODE[code].extras for code in question.figures):
            needs = needs_of([greatest])
            alone = groups_of(session, source, "", question.columns, told, needs)
            known = alone.known(session, question.columns, week_start)
            sums = totals(alone.cells(session, None, week_start), 1)
            if len(sums) > MOST_COLUMNS:
                shown = _shown(question, question.columns, sums, MOST_COLUMNS, week_start)
                told[question.columns] = only(column, values_kept(known, shown))
    return told


def _greatest(question: Question) -> Figure:
    """By which count the greatest groups are chosen."""
    counts = [code for code in question.figures if BY_CODE[code].unit == COUNT]
    return BY_CODE[counts[0] if counts else "leads"]


def _sorted_by(question: Question) -> list[Figure]:
    return [BY_CODE[question.sort]] if question.sort in BY_CODE else []


def _sized_by(question: Question) -> Figure:
    """By which count of leads it is chosen what is shown by itself: the facts alone tell that."""
    greatest = _greatest(question)
    return BY_CODE["leads"] if greatest.extras else greatest


def _shown(
    question: Question, code: str, sums: Mapping[str, Tally], most: int, week_start: int
) -> list[str]:
    """The keys that are shown by themselves, calendars in their order."""
    if not code:
        return [""]
    dimension = dimension_of(code)
    found = list(sums)
    if dimension.ordered:
        found = list(in_order(dimension, question.first, question.last, week_start, sums))
    greatest = _sized_by(question)
    # Groups that are there for their cost alone come behind all that have leads.
    sizes = {key: (greatest.value(tally) or 0) + bool(tally.counts) for key, tally in sums.items()}
    chosen = shown(found, sizes, most, ordered=dimension.ordered)
    return [key for key in found if key in chosen]


def _named(
    session: Session,
    question: Question,
    code: str,
    keys: list[str],
    sums: Mapping[str, Tally],
    at: datetime,
) -> tuple[Key, ...]:
    """The keys in the order in which they are read: by time, else the greatest first; what is in no
    group comes last, behind all others together."""
    if not code:
        return (Key("", ""),)
    names = names_of(session, code, keys, at)
    if not dimension_of(code).ordered:
        by = next(iter(_sorted_by(question)), _greatest(question))

        def place(key: str) -> tuple[bool, float, str, str]:
            value = by.value(sums[key]) if key in sums else None
            return value is None, -(value or 0), names[key].casefold(), key

        keys = sorted(keys, key=place)
    last = [key for key in (OTHERS, NONE) if key in keys or key in sums]
    return tuple(Key(key, names[key]) for key in [*(k for k in keys if k not in last), *last])
