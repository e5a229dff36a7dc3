"""Days on which a dealer is closed, as lists write them: "24.12.2026-31.12.2026 (Christmas);
2027-01-06"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

LONGEST_DAYS = 366
LONGEST_REASON = 300
"""As `lmt.dealers` has it for what is typed."""

Span = tuple[date, date, str]

_DAY = r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{4}"
_PART = re.compile(
    rf"(?P<first>{_DAY})(?:\s*(?:-|–|—|\.\.\.?|…|/|\bto\b|\bbis\b|\bau\b|\bal?\b|\bdo\b|\bt/?m\b|إلى)"
    rf"\s*(?P<last>{_DAY}))?\s*(?:\(\s*(?P<aside>[^()]*?)\s*\)|[:=]?\s*(?P<reason>[^()]*?))\s*",
    re.I,
)


@dataclass(frozen=True, slots=True)
class BadSpan:
    """Why a part of the list can't be kept: not_dates, ambiguous_date, days_reversed, too_long."""

    code: str
    given: str


def closure_spans(text: str, order: str = "") -> tuple[Span, ...] | BadSpan:
    """(first day, last day, reason), sorted; both days included.

    `order` is "dmy" or "mdy" for dates with slashes; without it those that could be either are
    refused. Parts stand apart by a semicolon, a bar or a new line.
    """
    spans: set[Span] = set()
    for part in re.split(r"\s*[;|\n؛]\s*", text.strip()):
        if not part:
            continue
        found = _PART.fullmatch(part)
        if found is None:
            return BadSpan("not_dates", part)
        first = _day(found["first"], order)
        last = _day(found["last"] or found["first"], order)
        if isinstance(first, str) or isinstance(last, str):
            code = first if isinstance(first, str) else str(last)
            return BadSpan(code, part)
        if last < first:
            return BadSpan("days_reversed", part)
        reason = found["aside"] or found["reason"] or ""
        if (last - first).days >= LONGEST_DAYS or len(reason) > LONGEST_REASON:
            return BadSpan("too_long", part)
        spans.add((first, last, reason))
    return tuple(sorted(spans))


def _day(text: str, order: str) -> date | str:
    """The day, or a code of BadSpan."""
    numbers = [int(number) for number in re.split(r"[./-]", text)]
    if numbers[0] > 31:
        year, month, day = numbers
    else:
        one, other, year = numbers
        if "." in text or one > 12:
            day, month = one, other
        elif other > 12 or order == "mdy":
            day, month = other, one
        elif order == "dmy" or one == other:
            day, month = one, other
        else:
            return "ambiguous_date"
    try:
        return date(year, month, day)
    except ValueError:
        return "not_dates"
