"""From a number of an answer to its leads: those whose facts have the counters behind it.

What a figure counts of a lead adds up to the number again. Leads that the reader sees no more (they
went to another dealer) are told by what they were, with nothing of their person.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    Uuid,
    any_,
    between,
    case,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from lmt.models import Brand, Lead, LeadFact
from lmt.reports.ask import keys_shown
from lmt.reports.dimensions import FIELD, dimension_of
from lmt.reports.enrich import behind
from lmt.reports.enrich.spread import OfCell
from lmt.reports.figure import MONEY, Figure
from lmt.reports.figures import BY_CODE
from lmt.reports.folding import OTHERS
from lmt.reports.narrowing import Condition, held, none_of, one_of
from lmt.reports.ownanswers import answered_otherwise, most_frequent
from lmt.reports.question import Question

BATCH = 1_000
_DELETED = ("", "", "", "")
"""What is left of a lead whose facts are not yet made anew."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A number of an answer: `row` and `column` are values of its keys, None for all of them;
    `side` is the figure's part or the whole that it is set against."""

    row: str | None = None
    column: str | None = None
    figure: str = "leads"
    side: str = "part"


@dataclass(frozen=True, slots=True)
class Entry:
    """A lead behind a number, counted `times`; `day` is that of its arrival. Not `in_sight`: the
    reader sees no more of it than stands here."""

    lead_id: uuid.UUID
    day: date
    times: int
    reference: str
    request_type: str
    brand: str
    model: str
    in_sight: bool


@dataclass(frozen=True, slots=True)
class Page:
    """`next` asks for the entries after these; "" at the end."""

    entries: tuple[Entry, ...]
    next: str


def count(
    session: Session, question: Question, cell: Cell, *, at: datetime, week_start: int = 0
) -> int:
    """What the leads behind the cell add up to, asked of the leads themselves. `at` is when it is
    asked: some figures look at the network as it is then."""
    if behind(cell.figure) is not None:
        told = _counted(session, question, cell, at, week_start)
        return 0 if told is None else int(session.scalar(select(func.sum(told.c.times))) or 0)
    times = _times(BY_CODE[cell.figure], cell.side)
    if times is None or question.of_calls:
        return 0
    wanted = _asked_of(session, question, cell, week_start)(LeadFact)
    return int(session.scalar(select(func.sum(times)).where(*wanted)) or 0)


def leads(
    session: Session,
    question: Question,
    cell: Cell,
    *,
    at: datetime,
    after: str = "",
    rows: int = 50,
    week_start: int = 0,
) -> Page:
    """The leads behind the cell, the latest first; `after` is the `next` of the page before (what
    is none begins anew)."""
    told = _counted(session, question, cell, at, week_start)
    if told is None:
        return Page((), "")
    last = _place(after)
    statement = _in_order(told)
    if last is not None:
        statement = statement.where(tuple_(told.c.day, told.c.lead_id) < tuple_(*last))
    found: list[Any] = []
    for first, until in _backwards(question, cell, last[0] if last else question.last):
        of_days = statement.where(between(told.c.day, first, until))
        found += session.execute(of_days.limit(rows + 1 - len(found)))
        if len(found) > rows:
            break
    shown = found[:rows]
    more = f"{shown[-1][1].isoformat()}_{shown[-1][0]}" if len(found) > rows else ""
    return Page(tuple(_entries(session, shown)), more)


def each(
    session: Session, question: Question, cell: Cell, *, at: datetime, week_start: int = 0
) -> Iterator[Entry]:
    """All of them, read as they are taken, in bounded memory."""
    told = _counted(session, question, cell, at, week_start)
    if told is None:
        return
    statement = _in_order(told)
    for first, until in _backwards(question, cell, question.last):
        of_days = statement.where(between(told.c.day, first, until))
        found = session.execute(of_days, execution_options={"yield_per": BATCH})
        for rows in found.partitions():
            yield from _entries(session, rows)


def _backwards(question: Question, cell: Cell, last: date) -> Iterator[tuple[date, date]]:
    """The days up to `last` in spans, the latest first, each longer than the one before: the latest
    leads are found without looking at all, and few leads of many days in few statements."""
    last = min(last, question.last)
    days = 1 if behind(cell.figure) is None else question.days
    while last >= question.first:
        first = max(question.first, last - timedelta(days=days - 1))
        yield first, last
        last, days = first - timedelta(days=1), days * 4


def _counted(
    session: Session, question: Question, cell: Cell, at: datetime, week_start: int
) -> Subquery | None:
    """`lead_id`, `day` and `times` of each lead behind the cell; None where none can be told."""
    of_cell = _asked_of(session, question, cell, week_start)
    if (told_by := behind(cell.figure)) is not None:
        others = OTHERS in (cell.row, cell.column)
        if others or cell.side != "part":
            return None
        found = told_by(session, question, cell.figure, of_cell, at)
        return None if found is None else found.subquery()
    times = _times(BY_CODE[cell.figure], cell.side)
    if times is None or question.of_calls:
        return None
    # A lead has a fact for each dealer that was offered it, and may count in several.
    return (
        select(LeadFact.lead_id, LeadFact.day, func.sum(times).label("times"))
        .where(times != 0, *of_cell(LeadFact))
        .group_by(LeadFact.lead_id, LeadFact.day)
        .subquery()
    )


def _in_order(told: Subquery) -> Select[uuid.UUID, date, int]:
    """The latest first."""
    return select(told.c.lead_id, told.c.day, told.c.times).order_by(
        told.c.day.desc(), told.c.lead_id.desc()
    )


def _times(figure: Figure, side: str) -> ColumnElement[int] | None:
    """How often a fact counts; None where no lead is behind the figure's side. Behind a median are
    those that have such a time, behind an amount those that are worth something."""
    counters = figure.part if side == "part" else figure.whole
    if counters:
        return _sum(_of(name) for name in dict.fromkeys(counters))
    if side != "part":
        return None
    if figure.times:
        return _sum(case((_of(n).is_not(None), 1), else_=0) for n in figure.times)
    if figure.unit == MONEY and not figure.whole:
        return case((_of("value") != 0, 1), else_=0)
    return None


def _of(name: str) -> Any:
    return getattr(LeadFact, name)


def _sum(numbers: Iterable[ColumnElement[int]]) -> ColumnElement[int]:
    first, *others = numbers
    for number in others:
        first = first + number
    return first


def _asked_of(session: Session, question: Question, cell: Cell, week_start: int) -> OfCell:
    def of_cell(rows: Any) -> list[ColumnElement[bool]]:
        conditions = [
            between(rows.day, question.first, question.last),
            *(condition(rows) for condition in held(session, question.filters).values()),
        ]
        keys = (cell.row, cell.column)
        of_key = [
            _of_key(session, question, code, key, place, conditions, week_start)(rows)
            for place, (code, key) in enumerate(
                zip((question.rows, question.columns), keys, strict=True)
            )
            if code and key is not None
        ]
        return conditions + of_key

    return of_cell


def _of_key(
    session: Session,
    question: Question,
    code: str,
    key: str,
    place: int,
    conditions: Sequence[ColumnElement[bool]],
    week_start: int,
) -> Condition:
    dimension = dimension_of(code)
    if key != OTHERS:
        return one_of(session, dimension, [key])
    if code.startswith(FIELD):
        own = code.removeprefix(FIELD)
        frequent = most_frequent(session, own, conditions, across=place == 1)
        return lambda _rows: answered_otherwise(own, frequent)
    shown = keys_shown(session, question, week_start)[place]
    return none_of(one_of(session, dimension, shown))


def _place(after: str) -> tuple[date, uuid.UUID] | None:
    day, _mark, lead_id = after.partition("_")
    try:
        return date.fromisoformat(day), uuid.UUID(lead_id)
    except ValueError:
        return None


def _entries(session: Session, found: Sequence[Any]) -> Iterator[Entry]:
    """What any reader may know of them is read from the bare tables, whose scope is the fact's."""
    # One parameter however many there are, so that the statement is prepared once.
    ids: Any = any_(literal([lead_id for lead_id, _day, _times in found], ARRAY(Uuid)))
    in_sight = set(session.scalars(select(Lead.id).where(Lead.id == ids)))
    lead, brand = Lead.__table__.c, Brand.__table__.c
    told = {
        id: rest
        for id, *rest in session.execute(
            select(lead.id, lead.reference, lead.request_type, brand.name, lead.model)
            .select_from(Lead.__table__.outerjoin(Brand.__table__, brand.id == lead.brand_id))
            .where(lead.id == ids)
        )
    }
    for lead_id, day, times in found:
        reference, request_type, name, model = told.get(lead_id, _DELETED)
        seen = lead_id in in_sight
        yield Entry(lead_id, day, int(times), reference, request_type, name or "", model, seen)
