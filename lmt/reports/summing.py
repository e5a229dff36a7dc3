"""The sums behind an answer, asked of the database: months added up where they hold, facts else.

A source of rows is asked one statement, whatever the number of groups; what several of them say of
one group adds up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    LargeBinary,
    Numeric,
    Select,
    and_,
    between,
    bindparam,
    case,
    column,
    func,
    literal,
    literal_column,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from lmt.models import FactMonth, FactSlice, LeadFact
from lmt.models.facts import KEPT
from lmt.reports.dimensions import FIELD, cut_for
from lmt.reports.narrowing import Condition, columns_of, held
from lmt.reports.ownanswers import most_frequent, with_answers
from lmt.reports.question import Question
from lmt.reports.spans import Span, shared_out
from lmt.reports.steady import asked_once
from lmt.reports.tally import Tally
from lmt.reports.telling import By
from lmt.scope import Actor

Rates = Mapping[tuple[int, date], Decimal]
"""What one unit of a market's currency was worth in a month."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Facts, or months along one cut, of some days and markets."""

    table: Any
    where: tuple[ColumnElement[bool], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """All rows that a question is answered from: no lead is in two of them. `frequent` are the
    answers that are told apart, by the dimension of an own field."""

    rows: tuple[Rows, ...]
    frequent: Mapping[str, list[str]]


def source_of(session: Session, question: Question, also: Iterable[str] = ()) -> Source:
    """Where the reader's part of the answer is read: in months, those who see markets whole. `also`
    are columns that are told apart beside those that the question needs."""
    asked = [code for code in (question.rows, question.columns) if code]
    if question.of_calls:
        return Source((), {})
    conditions = held(session, question.filters)
    columns = columns_of([*asked, *question.filters]) | {*also}
    actor: Actor = session.info["actor"]
    whole, by_day = cut_for(columns), cut_for(columns | {"day"})
    if "" in columns or not (whole or by_day) or not sees_whole_markets(actor):
        days = Span(None, question.first, question.last)
        facts = _facts((days,), conditions)
        frequent = {
            code: most_frequent(
                session,
                code.removeprefix(FIELD),
                facts.where,
                across=code == question.columns,
            )
            for code in asked
            if code.startswith(FIELD)
        }
        return Source((facts,), frequent)
    share = shared_out(
        question.first,
        question.last,
        _slices(session, question, conditions),
        whole=whole is not None,
        by_day=by_day is not None,
    )
    rows = []
    if share.whole:
        rows.append(_months(whole, share.whole, conditions, by_day=False))
    if share.by_day:
        rows.append(_months(by_day, share.by_day, conditions, by_day=True))
    if share.facts:
        rows.append(_facts(share.facts, conditions))
    return Source(tuple(rows), {})


def sees_whole_markets(actor: Actor) -> bool:
    """Whether all that the actor sees are markets with all their dealers and brands."""
    if actor.everywhere:
        return True
    return all(part.dealer_id is None and part.brand_id is None for part in actor.parts)


def summed_counters(
    session: Session, source: Source, by: Sequence[By], counters: Sequence[str]
) -> Iterator[tuple[tuple[Any, ...], dict[str, int]]]:
    """For each group the values of `by` and what its counters add up to. `by` are columns, or
    dimensions of own fields."""
    for rows in source.rows:
        sums = [func.sum(getattr(rows.table, name)).label(name) for name in counters]
        for found in session.execute(_grouped(source, rows, by, sums)):
            numbers = zip(counters, found[len(by) :], strict=True)
            yield tuple(found[: len(by)]), {name: int(n) for name, n in numbers if n}


def tallied(
    session: Session,
    source: Source,
    by: Sequence[By],
    counters: Sequence[str],
    times: Sequence[str],
) -> Iterator[tuple[tuple[Any, ...], Tally]]:
    """The same with the spans of each group."""
    first, behind = len(by), len(by) + len(counters)
    for rows in source.rows:
        sums = [func.sum(getattr(rows.table, name)).label(name) for name in counters]
        spans = [_packed(rows.table, name) for name in times]
        for found in session.execute(_grouped(source, rows, by, [*sums, *spans])):
            counts = {
                name: int(n) for name, n in zip(counters, found[first:behind], strict=True) if n
            }
            packed = {
                name: bytes(all_) for name, all_ in zip(times, found[behind:], strict=True) if all_
            }
            yield tuple(found[:first]), Tally(counts, times=packed)


def kept_of_leads(
    session: Session, source: Source, by: Sequence[By], name: str
) -> Iterator[tuple[tuple[Any, ...], NDArray[np.void]]]:
    """For each group an array of what is KEPT under this name, by its columns; `source` is one
    that tells `name` apart."""
    kinds = np.dtype([(column, f">i{size}") for column, size in KEPT[name].items()])
    for rows in source.rows:
        for *group, all_ in session.execute(
            _grouped(source, rows, by, [_packed(rows.table, name)])
        ):
            yield tuple(group), np.frombuffer(all_ or b"", kinds)


def summed_values(
    session: Session, source: Source, by: Sequence[By]
) -> Iterator[tuple[tuple[Any, ...], int, date, Any]]:
    """For each group, market and month: what its sales were worth, in the market's currency."""
    for rows in source.rows:
        value = [func.sum(rows.table.value)]
        apart = [rows.table.market_id, rows.table.month]
        for *group, market, month, worth in session.execute(
            _grouped(source, rows, by, value, apart)
        ):
            yield tuple(group), market, month, worth


def values_by_market(
    session: Session, source: Source, by: Sequence[By]
) -> Iterator[tuple[tuple[Any, ...], int, Decimal]]:
    """For each group and market: what its sales were worth, in the market's currency."""
    for rows in source.rows:
        value = [func.sum(rows.table.value)]
        for *group, market, worth in session.execute(
            _grouped(source, rows, by, value, [rows.table.market_id])
        ):
            yield tuple(group), market, worth


def values_by_rate(
    session: Session, source: Source, by: Sequence[By], rates: Rates
) -> Iterator[tuple[tuple[Any, ...], Decimal, bool]]:
    """For each group what its sales were worth by the rates of their markets' months, and whether
    some are left out because there is none."""
    given = (
        func.unnest(
            bindparam(None, [market for market, _month in rates], ARRAY(Integer)),
            bindparam(None, [month for _market, month in rates], ARRAY(Date)),
            bindparam(None, [*rates.values()], ARRAY(Numeric)),
        )
        .table_valued("market_id", "month", column("rate", Numeric), name="rates")
        .render_derived()
    )
    for rows in source.rows:
        table = rows.table
        told = func.coalesce(func.sum(table.value * given.c.rate), 0)
        missing = func.bool_or(and_(given.c.rate.is_(None), table.value != 0))
        same = and_(given.c.market_id == table.market_id, given.c.month == table.month)
        statement = _grouped(source, rows, by, [told, missing], joined=(given, same))
        for *group, worth, left_out in session.execute(statement):
            yield tuple(group), worth, left_out


def _grouped(
    source: Source,
    rows: Rows,
    by: Sequence[By],
    sums: Iterable[Any],
    apart: Iterable[Any] = (),
    joined: tuple[Any, Any] | None = None,
) -> Select[Any]:
    """`joined` is beside the facts, and the condition on which."""
    statement: Select[Any] = select().select_from(rows.table)
    if joined:
        statement = statement.outerjoin(*joined)
    own = [name for name in by if isinstance(name, str) and name.startswith(FIELD)]
    answers: dict[str, ColumnElement[Any]] = {}
    if own:
        asked = {name.removeprefix(FIELD): source.frequent[name] for name in own}
        statement, answers = with_answers(statement, asked)
    groups: list[Any] = []
    for name in by:
        if callable(name):
            groups.append(name(rows.table))
        elif name in own:
            groups.append(answers[name.removeprefix(FIELD)])
        else:
            groups.append(getattr(rows.table, name))
    groups += apart
    # By their place: an expression with parameters is not known again by its text.
    places: list[ColumnElement[Any]] = [
        literal_column(str(number)) for number in range(1, len(groups) + 1)
    ]
    return statement.add_columns(*groups, *sums).where(*rows.where).group_by(*places)


def _packed(table: Any, name: str) -> ColumnElement[bytes]:
    nothing = literal(b"", LargeBinary)
    if table is FactMonth:
        packed = getattr(table, name)
    elif name in KEPT:
        sent = (
            getattr(func, f"int{size}send")(getattr(table, column))
            for column, size in KEPT[name].items()
        )
        packed = case((table.leads != 0, reduce(lambda all_, one: all_.op("||")(one), sent)))
    else:
        packed = func.int4send(getattr(table, name))
    return type_coerce(func.string_agg(type_coerce(packed, LargeBinary), nothing), LargeBinary)


def _slices(
    session: Session, question: Question, conditions: Mapping[str, Condition]
) -> dict[tuple[int, date], bool]:
    """The months of markets that have facts in the period, and whether they are rolled up."""
    narrowed = [conditions[code](FactSlice) for code in ("market", "month") if code in conditions]
    slices = select(FactSlice.market_id, FactSlice.month, FactSlice.rolled_at.is_not(None))
    if narrowed:
        found = session.execute(slices.where(*narrowed)).all()
    else:
        found = asked_once(session, "slices", lambda: session.execute(slices).all())
    first, last = question.first.replace(day=1), question.last
    return {(market, month): rolled for market, month, rolled in found if first <= month <= last}


def _facts(spans: Iterable[Span], conditions: Mapping[str, Condition]) -> Rows:
    narrowed = [condition(LeadFact) for condition in conditions.values()]
    return Rows(LeadFact, (_any_of(LeadFact, LeadFact.day, spans), *narrowed))


def _months(
    cut: str | None, spans: Iterable[Span], conditions: Mapping[str, Condition], *, by_day: bool
) -> Rows:
    narrowed = [condition(FactMonth) for condition in conditions.values()]
    of_months = [Span(s.markets, s.first.replace(day=1), s.last) for s in spans]
    where = [FactMonth.cut == cut, _any_of(FactMonth, FactMonth.month, of_months)]
    if by_day:
        where.append(_any_of(FactMonth, FactMonth.day, spans))
    return Rows(FactMonth, (*where, *narrowed))


def _any_of(table: Any, column: Any, spans: Iterable[Span]) -> ColumnElement[bool]:
    conditions = []
    for span in spans:
        days = between(column, span.first, span.last)
        ofs = [] if span.markets is None else [table.market_id.in_(span.markets)]
        conditions.append(and_(*ofs, days))
    return or_(*conditions)
