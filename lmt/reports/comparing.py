"""Pure: which group of the period before a group is compared with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lmt.reports.answer import Answer, Key
from lmt.reports.tally import Tally

IN_TIME = frozenset({"day", "week", "month"})
"""Groups that don't return: the first day is compared with the first day before."""


def counterparts(
    dimension: str, now: Sequence[Key], before: Sequence[Key]
) -> Callable[[str], str | None]:
    """From a key to that of the period before: the same, or of days the one in the same place;
    None where there is none."""
    if dimension not in IN_TIME:
        return lambda value: value
    pairs = dict(zip((key.value for key in now), (key.value for key in before), strict=False))
    return pairs.get


def past_of(answer: Answer) -> Answer | None:
    """What it is compared with, unless nothing at all is counted in those days: the year before the
    first lead is no year of zeros, and is not drawn as one."""
    past = answer.before
    if past is None:
        return None
    total = past.total
    return past if any(total.counts.values()) or any(total.extra.values()) or total.cost else None


def tally_before(answer: Answer, row: str | None = None, column: str | None = None) -> Tally | None:
    """What `answer.tally` was in the days that it is compared with; None where it is compared with
    none, or has no counterpart there."""
    past, question = answer.before, answer.question
    if past is None:
        return None
    before = (
        None if row is None else counterparts(question.rows, answer.rows, past.rows)(row),
        None
        if column is None
        else counterparts(question.columns, answer.columns, past.columns)(column),
    )
    if (before[0] is None) != (row is None) or (before[1] is None) != (column is None):
        return None
    return past.tally(*before)
