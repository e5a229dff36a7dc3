"""Which facts have one of some keys of a dimension: keys of an address as conditions of a query.

A condition fits LeadFact and FactMonth alike, and FactSlice where it asks for markets or months.
What names nothing, or nothing in the reader's sight, fits no fact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, and_, between, false, not_, or_, select
from sqlalchemy.orm import Session

from lmt.models import Brand, Campaign, Dealer, DealerGroup, Market, Source
from lmt.reports.dimensions import FIELD, NONE, Dimension, dimension_of
from lmt.reports.folding import DAYS_OF_WEEK, HOURS_OF_DAY
from lmt.reports.ownanswers import answered

OUTSIDE = "~"
"""The key of all dealers that the reader doesn't see."""
CODED: Mapping[str, Any] = {
    "market": Market, "brand": Brand, "source": Source, "campaign": Campaign,
}  # fmt: skip
"""Dimensions whose column is an id, and the table that has its code."""

Condition = Callable[[Any], ColumnElement[bool]]
"""Of a class of rows that has the dimension's column."""


def held(session: Session, filters: Mapping[str, Iterable[str]]) -> dict[str, Condition]:
    """What each filter asks of a fact, by its dimension."""
    return {code: one_of(session, dimension_of(code), keys) for code, keys in filters.items()}


def one_of(session: Session, dimension: Dimension, keys: Iterable[str]) -> Condition:
    """Facts that have one of these keys; the codes among them are looked up once."""
    wanted = frozenset(key for key in keys if can_be_asked(key))
    if dimension.code.startswith(FIELD):
        return lambda _rows: answered(dimension.code.removeprefix(FIELD), wanted)
    if dimension.code in CODED:
        return _in(dimension, _ids(session, CODED[dimension.code], wanted), none=NONE in wanted)
    if dimension.column == "dealer_id":
        return _of_dealers(session, dimension, wanted)
    if dimension.column == "owner_id":
        users = [int(key) for key in wanted if key.isdecimal() and len(key) < 10]
        return _in(dimension, users, none=NONE in wanted)
    if dimension.column == "hour":
        return _in(dimension, _hours(dimension, wanted), none=NONE in wanted)
    if dimension.column in ("day", "month"):
        return _of_days(dimension, wanted)
    return _in(dimension, sorted(wanted - {NONE}), none=NONE in wanted)


def columns_of(codes: Iterable[str]) -> set[str]:
    """The columns that tell these dimensions apart; "" stands for own fields, which none does."""
    return {dimension_of(code).column for code in codes if code}


def can_be_asked(key: str) -> bool:
    """PostgreSQL knows no text with such characters, so that nothing is called so."""
    return "\0" not in key and not any("\ud800" <= sign <= "\udfff" for sign in key)


def _in(dimension: Dimension, values: list[Any], *, none: bool) -> Condition:
    def condition(rows: Any) -> ColumnElement[bool]:
        column = getattr(rows, dimension.column)
        found = [column.in_(values)] if values else []
        if none:
            found.append(column.is_(None))
            if isinstance(column.type, String):
                found.append(column.in_(["", NONE]))
        return or_(false(), *found)

    return condition


def _ids(session: Session, table: Any, codes: Iterable[str]) -> list[int]:
    return list(session.scalars(select(table.id).where(table.code.in_(codes))))


def _of_dealers(session: Session, dimension: Dimension, keys: frozenset[str]) -> Condition:
    """A group's are those of its dealers that are in sight; dealer 0 is nobody."""
    if dimension.fold:
        of_group = select(Dealer.id).join(DealerGroup).where(DealerGroup.code.in_(keys))
        ids = list(session.scalars(of_group))
        if NONE in keys:
            ids += [0, *session.scalars(select(Dealer.id).where(Dealer.group_id.is_(None)))]
    else:
        ids = _ids(session, Dealer, keys) + ([0] if NONE in keys else [])

    def condition(rows: Any) -> ColumnElement[bool]:
        found = [rows.dealer_id.in_(ids)] if ids else []
        if OUTSIDE in keys:
            in_sight = select(Dealer.id)
            found.append(and_(rows.dealer_id != 0, rows.dealer_id.not_in(in_sight)))
        return or_(false(), *found)

    return condition


def _hours(dimension: Dimension, keys: Iterable[str]) -> list[int]:
    numbers = {int(key) for key in keys if key.isdecimal() and len(key) < 3}
    hours = range(DAYS_OF_WEEK * HOURS_OF_DAY)
    if dimension.fold == "weekday":
        return [hour for hour in hours if hour // HOURS_OF_DAY in numbers]
    return [hour for hour in hours if hour % HOURS_OF_DAY in numbers]


def _of_days(dimension: Dimension, keys: Iterable[str]) -> Condition:
    days = [day for key in keys if (day := _day(dimension, key)) is not None]
    if dimension.fold != "week":
        return lambda rows: getattr(rows, dimension.column).in_(days) if days else false()
    week = timedelta(days=DAYS_OF_WEEK - 1)
    days = [day for day in days if day <= date.max - week]
    return lambda rows: or_(false(), *(between(rows.day, day, day + week) for day in days))


def _day(dimension: Dimension, key: str) -> date | None:
    try:
        return date.fromisoformat(f"{key}-01" if dimension.column == "month" else key)
    except ValueError:
        return None


def none_of(condition: Condition) -> Condition:
    """All other facts; those of which it can't be told are among them."""
    return lambda rows: not_(condition(rows).is_(True))
