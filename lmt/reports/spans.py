"""Pure: which days of which markets a report adds up from facts, and which from added-up months."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from lmt.reports.question import months_on


@dataclass(frozen=True, slots=True)
class Span:
    """Days of some markets, both ends included; `markets` None is all that the reader sees."""

    markets: tuple[int, ...] | None
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Share:
    """What is read from months taken whole, from months by their days, and from facts."""

    whole: tuple[Span, ...]
    by_day: tuple[Span, ...]
    facts: tuple[Span, ...]


def shared_out(
    first: date,
    last: date,
    slices: Mapping[tuple[int, date], bool],
    *,
    whole: bool,
    by_day: bool,
) -> Share:
    """Each day of `first` to `last` of each slice, a market's month, once: from months where it is
    rolled up (True) and there is a cut for it, `whole` or `by_day`, else from facts."""
    days: dict[str, dict[int, list[tuple[date, date]]]] = {
        kind: defaultdict(list) for kind in ("whole", "by_day", "facts")
    }
    for (market, month), rolled in sorted(slices.items()):
        ends = last_of_month(month)
        start, end = max(first, month), min(last, ends)
        if start > end:
            continue
        complete = start == month and end == ends
        kind = (
            "whole" if rolled and whole and complete else "by_day" if rolled and by_day else "facts"
        )
        days[kind][market].append((start, end))
    return Share(**{kind: _merged(found) for kind, found in days.items()})


def last_of_month(month: date) -> date:
    """The last day of the month that begins with `month`."""
    return months_on(month, 1) - timedelta(days=1)


def _merged(found: Mapping[int, Iterable[tuple[date, date]]]) -> tuple[Span, ...]:
    """Neighbours as one span, and markets of the same span together."""
    markets: dict[tuple[date, date], list[int]] = defaultdict(list)
    for market, spans in found.items():
        for run in _runs(spans):
            markets[run].append(market)
    return tuple(Span(tuple(ids), *run) for run, ids in sorted(markets.items()))


def _runs(spans: Iterable[tuple[date, date]]) -> list[tuple[date, date]]:
    runs: list[tuple[date, date]] = []
    for first, last in sorted(spans):
        if runs and runs[-1][1] + timedelta(days=1) == first:
            runs[-1] = (runs[-1][0], last)
        else:
            runs.append((first, last))
    return runs
