"""By what the database tells groups apart: a column of facts or months, put together where it can.

Each group is told by a value of the column itself (a week by its first day, an hour of the day by
Monday's), so that the value's key is the group's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, Integer, case, cast, literal, or_

from lmt.reports.dimensions import Dimension
from lmt.reports.folding import HOURS_OF_DAY

By = str | Callable[[Any], Any]
"""A column's name, the dimension of an own field, or what is made of a row's columns."""
BEYOND: dict[type, Any] = {int: -1, date: date.min, str: "\x7f"}
"""Stand for all that is not shown by itself: values that no column has."""
A_MONDAY = date(1900, 1, 1)


def is_beyond(value: Any) -> bool:
    return value is not None and BEYOND.get(type(value)) == value


def told_by(dimension: Dimension, week_start: int, since: str = "") -> By:
    """`since` is the first key of an ordered dimension that is shown by itself, "" for all."""
    name = dimension.column or dimension.code
    match dimension.fold or name:
        case "week":
            return lambda rows: _from(rows.day, since, _week(rows.day, week_start))
        case "day":
            return (lambda rows: _from(rows.day, since, rows.day)) if since else name
        case "weekday":
            return lambda rows: rows.hour - rows.hour % HOURS_OF_DAY
        case "hour":
            return lambda rows: rows.hour % HOURS_OF_DAY
    return name


def only(by: str, values: Collection[Any]) -> By:
    """These values of a column by themselves, all others together."""
    given = [value for value in values if value is not None]
    other = BEYOND[type(given[0])] if given else None

    def told(rows: Any) -> ColumnElement[Any]:
        column = getattr(rows, by)
        shown = [column.in_(given)]
        if None in values:
            shown.append(column.is_(None))
        return case((or_(*shown), column), else_=other)

    return told


def values_kept(known: dict[Any, str], shown: Collection[str]) -> list[Any]:
    """The values of a column whose keys are shown."""
    return [value for value, key in known.items() if key in shown]


def _from(day: Any, since: str, told: Any) -> ColumnElement[date]:
    if not since:
        return told  # type: ignore[no-any-return]
    return case((day < date.fromisoformat(since), literal(date.min, Date)), else_=told)


def _week(day: Any, week_start: int) -> ColumnElement[date]:
    """Its first day; days of every century come after `A_MONDAY`."""
    first = literal(A_MONDAY + timedelta(days=week_start), Date)
    return cast(day - cast(day - first, Integer) % 7, Date)
