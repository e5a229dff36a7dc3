"""Pure: what a figure is, and the three kinds that most are: a count, a share, a median."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from babel.support import LazyProxy

from lmt.reports.tally import UNTOLD, Tally, share

COUNT, SHARE, MINUTES, DAYS, MONEY, KM, SCORE, NUMBER = (
    "count", "share", "minutes", "days", "money", "km", "score", "number",
)  # fmt: skip
"""Units: a whole number of leads or acts; 0 to 1; a span in minutes or days; an amount in the
answer's currency; kilometres; 1 to 5; a plain number."""


@dataclass(frozen=True, slots=True)
class Figure:
    """`part` are the counters behind it that can be drilled down to, `whole` those it is set
    against; `times` the spans it needs. `better` is more, less or "" where neither is."""

    code: str
    name: LazyProxy
    formula: LazyProxy
    unit: str
    value: Callable[[Tally], float | None]
    """Of a group of leads; None where it can't be worked out."""
    part: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    amounts: tuple[str, ...] = ()
    """Which of the tally's amounts of money it needs: value, cost."""
    extras: tuple[str, ...] = ()
    """What of `Tally.extra` it needs, beside counters, times and amounts."""
    better: str = ""

    @property
    def counters(self) -> tuple[str, ...]:
        return (*self.part, *self.whole)


def count_of(
    code: str, name: LazyProxy, formula: LazyProxy, *counters: str, better: str = ""
) -> Figure:
    of = counters or (code,)

    def value(tally: Tally) -> float | None:
        return None if UNTOLD in tally.extra else tally.count(*of)

    return Figure(code, name, formula, COUNT, value, part=of, better=better)


def share_of(
    code: str,
    name: LazyProxy,
    formula: LazyProxy,
    part: tuple[str, ...],
    whole: tuple[str, ...],
    better: str = "more",
) -> Figure:
    return Figure(
        code,
        name,
        formula,
        SHARE,
        lambda t: share(t.count(*part), t.count(*whole)),
        part=part,
        whole=whole,
        better=better,
    )


def median_of(code: str, name: LazyProxy, formula: LazyProxy, time: str, unit: str) -> Figure:
    seconds = 60 if unit == MINUTES else 86_400

    def value(tally: Tally) -> float | None:
        middle = tally.median_seconds(time)
        return None if middle is None else middle / seconds

    return Figure(code, name, formula, unit, value, times=(time,), better="less")


def told_of(extra: str) -> Callable[[Tally], float | None]:
    """What an enricher tells; None where it tells nothing."""
    return lambda tally: tally.extra.get(extra)


def whole_of(extra: str) -> Callable[[Tally], float | None]:
    """The same of what is counted, without the last digits of a float."""

    def value(tally: Tally) -> float | None:
        return round(tally.extra[extra]) if extra in tally.extra else None

    return value


def ratio_of(part: str, whole: str) -> Callable[[Tally], float | None]:
    """One thing that enrichers tell ÷ another."""

    def value(tally: Tally) -> float | None:
        if part not in tally.extra or whole not in tally.extra:
            return None
        return share(tally.extra[part], tally.extra[whole])

    return value
