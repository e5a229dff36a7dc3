"""When a sender says something happened: an instant in UTC, or nothing rather than a guess."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

_ISO = re.compile(
    r"^\s*(\d{4})-(\d{1,2})-(\d{1,2})(?:T|\s)+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,9}))?)?"
    r"\s*(?:(Z|UTC|GMT)|([+\u2212-])(\d{1,2}):?(\d{0,2}))?\s*$",
    re.I,
)


def written_instant(text: str) -> datetime | None:
    """The aware datetime that the text states, keeping its own offset; None when it states none.

    Reads ISO 8601 with the slips seen in the field (`T8:47:50`, `-08:0`) and RFC 5322 dates. A time
    without an offset is not an instant.
    """
    if len(text) > 64:
        return None
    try:
        match = _ISO.match(text)
        if match is None:
            stated = parsedate_to_datetime(text.strip())
            return stated if stated.tzinfo is not None and _in_range(stated) else None
        zone = _zone(match)
        if zone is None:
            return None
        year, month, day, hour, minute = (int(part) for part in match.groups()[:5])
        micro = int((match[7] or "0").ljust(6, "0")[:6])
        stated = datetime(year, month, day, hour, minute, int(match[6] or 0), micro, tzinfo=zone)
        return stated if _in_range(stated) else None
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def epoch_instant(number: float) -> datetime | None:
    """The instant of a count of seconds or milliseconds since 1970, when it lies in 1990–2200."""
    seconds = number / 1000 if abs(number) > 1e11 else number
    if not 631_152_000 <= seconds <= 7_258_118_400:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _zone(match: re.Match[str]) -> timezone | None:
    if match[8]:
        return UTC
    if match[9] is None:
        return None
    offset = timedelta(hours=int(match[10]), minutes=int((match[11] or "0").ljust(2, "0")))
    return timezone(offset if match[9] == "+" else -offset)


def _in_range(stated: datetime) -> bool:
    return 1990 <= stated.astimezone(UTC).year <= 2200
