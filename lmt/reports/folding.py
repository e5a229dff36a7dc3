"""Pure: from what a column of the facts holds to the group it is shown in, and groups into few."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from lmt.reports.dimensions import NONE, Dimension
from lmt.reports.tally import Tally, summed

OTHERS = "*"
"""The key of all groups beside those that are shown."""
MOST_ROWS, MOST_COLUMNS = 2_000, 30
DAYS_OF_WEEK, HOURS_OF_DAY = 7, 24
Cells = dict[tuple[str, str], Tally]


def folded(dimension: Dimension, value: Any, week_start: int) -> str:
    """The key of a value that needs no look-up: a code, a day, an hour of the week (from Monday's
    midnight). What is empty, or looks like the key of nothing, is nothing."""
    if value is None or value in ("", NONE):
        return NONE
    match dimension.fold or dimension.column:
        case "week":
            return week_of(value, week_start).isoformat()
        case "month":
            return str(value.strftime("%Y-%m"))
        case "weekday":
            return str(value // HOURS_OF_DAY)
        case "hour":
            return str(value % HOURS_OF_DAY)
        case "day":
            return str(value.isoformat())
    return str(value)


def week_of(day: date, week_start: int) -> date:
    """The first day of its week; `week_start` is 0 for Monday."""
    return day - timedelta(days=(day.weekday() - week_start) % DAYS_OF_WEEK)


def in_order(
    dimension: Dimension, first: date, last: date, week_start: int, found: Iterable[str]
) -> tuple[str, ...]:
    """The keys of an ordered dimension, those of the period without holes; nothing comes last."""
    keys = list(_all_of(dimension, first, last, week_start))
    return (*keys, *sorted(set(found) - set(keys)))


def _all_of(dimension: Dimension, first: date, last: date, week_start: int) -> Iterator[str]:
    match dimension.fold or dimension.column:
        case "weekday":
            yield from (str((week_start + n) % DAYS_OF_WEEK) for n in range(DAYS_OF_WEEK))
        case "hour":
            yield from (str(hour) for hour in range(HOURS_OF_DAY))
        case _:
            days = ((first + timedelta(days=n)) for n in range((last - first).days + 1))
            yield from dict.fromkeys(folded(dimension, day, week_start) for day in days)


def shown(
    keys: Iterable[str], sizes: Mapping[str, float], most: int, *, ordered: bool
) -> frozenset[str]:
    """Which of `keys` are shown by themselves: the greatest, or the latest of ordered ones."""
    wanted = [key for key in keys if key != OTHERS]
    if len(wanted) <= most:
        return frozenset(wanted)
    if ordered:
        return frozenset(wanted[-most:])
    return frozenset(sorted(wanted, key=lambda key: (-sizes.get(key, 0), key))[:most])


def gathered(cells: Cells, rows: frozenset[str], columns: frozenset[str]) -> Cells:
    """The cells with all that is not shown put into OTHERS."""
    if all(row in rows and column in columns for row, column in cells):
        return cells
    found: dict[tuple[str, str], list[Tally]] = {}
    for (row, column), tally in cells.items():
        key = (row if row in rows else OTHERS, column if column in columns else OTHERS)
        found.setdefault(key, []).append(tally)
    return {key: parts[0] if len(parts) == 1 else summed(parts) for key, parts in found.items()}
