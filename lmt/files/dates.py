"""The dates that people and spreadsheets write in a column, once its order is known."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache

from babel.dates import get_month_names

from lmt.config import LOCALES
from lmt.files.digits import ascii_digits

_DAY = re.compile(
    r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?!\d)"
    r"|(?P<compact>(?:19|20)\d{6})(?!\d)"
    r"|(?P<a>\d{1,2})(?P<between>[-/.])(?P<b>\d{1,2})(?P=between)(?P<last>\d{4}|\d{2})(?!\d)"
    r"|(?:[^\W\d_]+\.?,?\s+)?(?P<day>\d{1,2})(?:\.|st|nd|rd|th|er)?[\s-]+(?:de\s+)?"
    r"(?P<month>[^\W\d_]+)\.?,?[\s-]+(?:de\s+)?(?P<year>\d{4}|(?<=-)\d{2})(?!\d)"
    r"|(?P<month2>[^\W\d_]+)\.?\s+(?P<day2>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year2>\d{4})(?!\d)"
)
_TIME = re.compile(
    r"(?:\s*[Tt,]\s*|\s+(?:um|at|à|o|om|saat|a las|الساعة)\s+|\s*[-–]\s+|\s+)"
    r"(?P<hour>\d{1,2})(?:\s?[:.hH]\s?(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"|(?P<packed>\d{2}(?:\d{2})?)|(?=\s*[aApP]\.?[mM]))"
    r"\s*(?P<half>[aApP]\.?[mM]\.?|ص|م)?\s*(?:Uhr|uur|h)?\s*"
    r"(?P<zone>Z|UTC|GMT)?(?P<offset>[+\u2212-]\d{1,2}:?(?:\d{2})?)?\s*(?:\([^)]*\))?"
)
_SERIAL = re.compile(r"(\d{1,5})(?:[.,](\d+))?")
# Seconds or milliseconds since 1970.
_EPOCH = re.compile(r"([1-4]\d{9})(?:\d{3})?(?:\.\d+)?")
_PACKED = re.compile(r"((?:19|20)\d{6})(\d{6}|\d{4})")
_UNSEEN = dict.fromkeys(map(ord, "\u200e\u200f\u061c"))
_EXCEL = {"excel": datetime(1899, 12, 30), "excel1904": datetime(1904, 1, 1)}
_YEARS = range(1900, 2201)
_LONGEST = 64


def stated_instant(text: str, order: str) -> datetime | None:
    """The datetime that the text states, naive without an offset; a bare day is its midnight.

    `order` as in `ColumnStyle.dates`. None rather than a guess, and never an error.
    """
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return None
    try:
        return _stated(ascii_digits(text).translate(_UNSEEN), order)
    except (ValueError, OverflowError, OSError):
        return None


def stated_date(text: str, order: str) -> date | None:
    """The day of a date or of an instant, as written."""
    stated = stated_instant(text, order)
    return None if stated is None else stated.date()


def _stated(text: str, order: str) -> datetime | None:
    """Raises ValueError and its kin for days and hours that no calendar or clock shows."""
    if order in _EXCEL and (match := _SERIAL.fullmatch(text)):
        days = float(f"{match[1]}.{match[2] or 0}")
        return _EXCEL[order] + timedelta(seconds=round(days * 86_400)) if days >= 1 else None
    if match := _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(match[1]), UTC)
    if match := _PACKED.fullmatch(text):
        text = f"{match[1]} {match[2]}"
    written = _DAY.match(text)
    day = None if written is None else _day(written, order)
    if written is None or day is None or day.year not in _YEARS:
        return None
    rest = text[written.end() :]
    if not rest.strip():
        return datetime.combine(day, time())
    at = _TIME.fullmatch(rest)
    return None if at is None else _at(day, at)


def _day(match: re.Match[str], order: str) -> date | None:
    if match["y"]:
        return date(int(match["y"]), int(match["m"]), int(match["d"]))
    if match["compact"]:
        return datetime.strptime(match["compact"], "%Y%m%d").date()
    if match["a"]:
        a, b, year = int(match["a"]), int(match["b"]), int(match["last"])
        year = _whole_year(year)
        if a > 12 or a == b or match["between"] == ".":
            return date(year, b, a)
        if b > 12 or order == "mdy":
            return date(year, a, b)
        return date(year, b, a) if order == "dmy" else None
    name, day, written = (
        (match["month"], match["day"], match["year"])
        if match["month"]
        else (match["month2"], match["day2"], match["year2"])
    )
    month = _months().get(name.casefold())
    return None if month is None else date(_whole_year(int(written)), month, int(day))


def _whole_year(year: int) -> int:
    """Of the last two digits, as a spreadsheet completes them; four stay."""
    if year >= 100:
        return year
    return year + (2000 if year < 70 else 1900)


def _at(day: date, match: re.Match[str]) -> datetime:
    """Raises ValueError for an hour that no clock shows."""
    packed = match["packed"] or ""
    hour, minute = int(match["hour"]), int(match["minute"] or packed[:2] or 0)
    if half := (match["half"] or "").casefold():
        if not 1 <= hour <= 12:
            raise ValueError("no such hour in half a day")
        hour = hour % 12 + (12 if half[0] in "pم" else 0)
    zone: timezone | None = UTC if match["zone"] else None
    if offset := match["offset"]:
        digits = offset[1:].replace(":", "")
        ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
        zone = timezone(ahead if offset[0] == "+" else -ahead)
    at = time(hour, minute, int(match["second"] or packed[2:] or 0), tzinfo=zone)
    return datetime.combine(day, at)


@cache
def _months() -> dict[str, int]:
    """The names of months, whole and short, in every language shipped."""
    names: dict[str, int] = {}
    for locale in LOCALES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                months = get_month_names(width, context, locale)
                for number, name in months.items():
                    names.setdefault(str(name).casefold().rstrip("."), int(number))
    names.setdefault("sept", 9)
    return names
