"""When a sender says something happened: an instant in UTC, or nothing rather than a guess."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime

# The slips are real ones: `T8:47:50`, `-08:0`, two blanks, a comma before the fraction.
_TIME = (
    r"(?:T|\s|,|\bum\b|\bat\b|\bà\b)+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,9}))?)?"
    r"\s*(am|pm|a\.m\.|p\.m\.|ص|م)?\s*(?:Uhr\s*)?(?:(Z|UTC|GMT)|([+\u2212-])(\d{1,2}):?(\d{0,2}))?\s*$"
)
_YEAR_FIRST = re.compile(r"^\s*(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})" + _TIME, re.I)
_YEAR_LAST = re.compile(r"^\s*(\d{1,2})([-/.])(\d{1,2})[-/.](\d{4})" + _TIME, re.I)
_AFTERNOON = frozenset(["pm", "p.m.", "م"])
# Where people write the month first (CLDR's short dates, `M/d/y`).
_MONTH_FIRST = frozenset(["US", "PH", "FM", "GU", "MH", "MP", "PR", "PW", "VI", "AS", "UM"])
_SPREADSHEET_DAY_ONE = datetime(1899, 12, 30)
_SPREADSHEET_DAY_ONE_1904 = datetime(1904, 1, 1)


def written_instant(text: str, zone: tzinfo | None = None, country: str = "") -> datetime | None:
    """The aware datetime that the text states, keeping its own offset; None when it states none.

    Reads ISO 8601 with the slips seen in the field, RFC 5322, and dates in the order of `country`
    (ISO; "6/3/2026 9:12" is nothing without one, "6.3.2026 9:12" and "26/3/2026 9:12" leave no
    doubt), in any digits. A time without an offset is one of `zone`, or no instant without it; of
    an hour that a clock change repeats, the first; an hour that it skips is none.
    """
    if len(text) > 64:
        return None
    if text.isascii():
        # What most systems send, read twenty times as fast.
        if len(text) >= 19 and text[10] == "T" and text[4] == text[7] == "-":
            try:
                stated = datetime.fromisoformat(text)
            except ValueError:
                pass
            else:
                return _placed(stated, zone)
    else:
        text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
    try:
        return _placed(_stated(text, country), zone)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def epoch_instant(number: float) -> datetime | None:
    """The instant of a count of seconds or milliseconds since 1970, when it lies in 1990–2200."""
    seconds = number / 1000 if abs(number) > 1e11 else number
    if not 631_152_000 <= seconds <= 7_258_118_400:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def spreadsheet_instant(days: float, zone: tzinfo, *, from_1904: bool = False) -> datetime | None:
    """The instant of a spreadsheet's serial date, when it lies in 1990–2200.

    Only for callers that know a cell to be a date: 45000 is also a price. `from_1904` for the
    workbooks that count from there.
    """
    first = _SPREADSHEET_DAY_ONE_1904 if from_1904 else _SPREADSHEET_DAY_ONE
    if not 0 <= days <= 200_000:
        return None
    return _placed(first + timedelta(seconds=round(days * 86_400)), zone)


def _stated(text: str, country: str) -> datetime:
    """The datetime as written, naive when it has no offset. Raises ValueError and its kin."""
    if match := _YEAR_FIRST.match(text):
        year, month, day = (int(part) for part in match.groups()[:3])
    elif match := _YEAR_LAST.match(text):
        first, between, second, year = (
            int(match[1]), match[2], int(match[3]), int(match[4])
        )  # fmt: skip
        month, day = _month_and_day(first, second, between, country)
    else:
        return parsedate_to_datetime(text.strip())
    hour, minute, second_, fraction, half, utc, sign, hours, minutes = match.groups()[-9:]
    micro = int((fraction or "0").ljust(6, "0")[:6])
    zone: timezone | None = UTC if utc else None
    if sign:
        offset = timedelta(hours=int(hours), minutes=int((minutes or "0").ljust(2, "0")))
        zone = timezone(offset if sign == "+" else -offset)
    at = _hour(int(hour), half)
    return datetime(year, month, day, at, int(minute), int(second_ or 0), micro, tzinfo=zone)


def _month_and_day(first: int, second: int, between: str, country: str) -> tuple[int, int]:
    if between == "." or first > 12:
        return second, first
    if second > 12:
        return first, second
    if not country and first != second:
        raise ValueError("which of the two is the month can't be told")
    return (first, second) if country in _MONTH_FIRST else (second, first)


def _hour(hour: int, half: str | None) -> int:
    if not half:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError("no such hour in half a day")
    return hour % 12 + (12 if half.lower() in _AFTERNOON else 0)


def _placed(stated: datetime, zone: tzinfo | None) -> datetime | None:
    """The datetime with its zone, when it is an instant of 1990–2200."""
    if not 1990 <= stated.year <= 2200:
        return None
    if stated.tzinfo is not None:
        return stated
    if zone is None:
        return None
    placed = stated.replace(tzinfo=zone)
    exists = placed.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == stated
    return placed if exists else None
