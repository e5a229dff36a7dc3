"""What the values of a file's column are: dates in which order, numbers with which comma."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lmt.files.dates import stated_date, stated_instant
from lmt.files.digits import ascii_digits
from lmt.files.unanswered import unanswered as unanswered

_YEAR_FIRST = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?!\d)|(?:19|20)\d{6}(?!\d)")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(?:\d{4}|\d{2})(?!\d)")
_SERIAL = re.compile(r"\d{5}(?:[.,]\d+)?")
# 1954 to 2119 by the epoch of 1900.
_SERIALS = range(20_000, 80_000)
_NUMBER = re.compile(r"[-+]?\d[\d.,' \u00a0\u202f’]*")
_DECIMAL_COMMA = re.compile(
    r"[-+]?(?:[\d.]*,(?:\d{1,2}|\d{4,})|0,\d+|\d{4,},\d+|[\d.]+\.\d{3},\d+)"
)
_DECIMAL_POINT = re.compile(
    r"[-+]?(?:[\d,]*\.(?:\d{1,2}|\d{4,})|0\.\d+|\d{4,}\.\d+|[\d,]+,\d{3}\.\d+)"
)
_GROUPING = re.compile(r"(?<=\d)[ '\u00a0\u2009\u202f’٬](?=\d{3}(?!\d))")
_CURRENCY = re.compile(
    r"^[€£$₺¥\s]+|[\s€£$₺¥]+$|\s*(?:zł|PLN|EUR|USD|TL|TRY|km)\s*$|,-+\s*€?$", re.IGNORECASE
)
_EXPONENT = re.compile(r"([-+]?)(\d+)(?:[.,](\d*))?[eE]\+?(\d{1,2})")
_WHOLE_PHONE = re.compile(r"\+?\d[\d \u00a0\u202f]*[.,]0+")


@dataclass(frozen=True, slots=True)
class ColumnStyle:
    """`dates`: "ymd", "dmy", "mdy", "excel" or "excel1904" (serial days), "" where nothing tells.

    "excel" says what the column's numbers would be as dates, not that they are dates. `decimal` is
    "." or ",".
    """

    dates: str = ""
    decimal: str = "."


def column_styles(rows: Sequence[Sequence[str]]) -> tuple[ColumnStyle, ...]:
    """The style of each column, told by all its values in these rows.

    A column that leaves it open takes the order of dates, or the decimal mark, that the file's
    other columns agree on.
    """
    width = max(map(len, rows), default=0)
    told_dates: list[str] = []
    told_decimals: list[str] = []
    open_dates: set[int] = set()
    for i in range(width):
        values = [
            ascii_digits(row[i].strip())
            for row in rows
            if i < len(row) and len(row[i]) < 100 and not unanswered(row[i])
        ]
        dates, is_open = _date_order(values)
        told_dates.append(dates)
        told_decimals.append(_decimal(values))
        if is_open:
            open_dates.add(i)
    orders = {each for each in told_dates if each in ("dmy", "mdy")}
    marks = Counter(each for each in told_decimals if each)
    decimal = "," if marks[","] > marks["."] else "."
    return tuple(
        ColumnStyle(
            dates=orders.copy().pop() if i in open_dates and len(orders) == 1 else told_dates[i],
            decimal=told_decimals[i] or decimal,
        )
        for i in range(width)
    )


def iso_instant(text: str, style: ColumnStyle) -> str:
    """ISO 8601 with seconds; its offset only where the text has one; "" where it is no instant.

    A day without a time is its midnight. A date that may be read in two orders is none unless the
    style tells which.
    """
    stated = stated_instant(text, style.dates)
    return stated.isoformat(timespec="seconds") if stated is not None else ""


def iso_date(text: str, style: ColumnStyle) -> str:
    """The day as YYYY-MM-DD, of a date or an instant; "" where it is none."""
    day = stated_date(text, style.dates)
    return day.isoformat() if day is not None else ""


def plain_number(text: str, style: ColumnStyle) -> str:
    """The number in ASCII digits with a decimal point and without grouping; "" where it is none."""
    if len(text) > 64:
        return ""
    text = ascii_digits(text.strip()).replace("−", "-").replace("٫", ".")
    text = _CURRENCY.sub("", text)
    if match := _EXPONENT.fullmatch(text):
        return _written_out(match)
    text = _GROUPING.sub("", text)
    comma, point = text.count(","), text.count(".")
    if comma and point:
        decimal = "," if text.rindex(",") > text.rindex(".") else "."
    elif comma + point == 1:
        decimal = style.decimal
        mark = "," if comma else "."
        if mark != decimal and not re.fullmatch(r"[-+]?[1-9]\d{0,2}[.,]\d{3}", text):
            decimal = mark
    else:
        decimal = ""
    whole, _, fraction = text.partition(decimal) if decimal else (text, "", "")
    if re.search(r"[.,]", whole):
        if not re.fullmatch(r"[-+]?\d{1,3}(?:[.,]\d{2,3})*[.,]\d{3}", whole):
            return ""
        whole = re.sub(r"[.,]", "", whole)
    number = f"{whole or '0'}.{fraction}" if fraction else whole
    return number.removeprefix("+") if re.fullmatch(r"[-+]?\d+(?:\.\d+)?", number) else ""


def whole_phone(text: str) -> str:
    """A phone that a spreadsheet kept as a number, as its digits; any other text as it is, trimmed.

    "4.915212E+11" has lost digits for good: what is left is filled up with zeros, and
    `is_cut_phone` tells.
    """
    text = ascii_digits(text.strip()) if len(text) <= 64 else text.strip()
    if text[:1] in "'’" and text[1:2].isdecimal() | (text[1:2] == "+"):
        text = text[1:]
    if match := _EXPONENT.fullmatch(text):
        return _written_out(match).partition(".")[0]
    if _WHOLE_PHONE.fullmatch(text):
        return re.sub(r"[.,]0+$|[ \u00a0\u202f]", "", text)
    return text


def is_cut_phone(text: str) -> bool:
    """Whether a number's last digits are gone: "4.915212E+11" keeps seven of twelve."""
    match = _EXPONENT.fullmatch(ascii_digits(text.strip())) if len(text) <= 64 else None
    return match is not None and len(match[3] or "") < int(match[4])


def _date_order(values: Sequence[str]) -> tuple[str, bool]:
    """The order of dates that the values state, and whether they are dates of an open order."""
    counts: Counter[str] = Counter()
    for value in values:
        if _YEAR_FIRST.match(value):
            counts["ymd"] += 1
        elif match := _YEAR_LAST.match(value):
            first, second = int(match[1]), int(match[3])
            if first > 12 >= second:
                counts["dmy"] += 1
            elif second > 12 >= first:
                counts["mdy"] += 1
            else:
                counts["dotted" if match[2] == "." else "open"] += 1
        elif _SERIAL.fullmatch(value) and int(value[:5]) in _SERIALS:
            counts["excel"] += 1
    if counts["dmy"] or counts["mdy"]:
        day, month = counts["dmy"], counts["mdy"]
        if min(day, month) * 20 > max(day, month):
            return "", False
        return ("dmy" if day > month else "mdy"), False
    if counts["dotted"]:
        # Nobody who writes the month first writes dots.
        return "dmy", False
    if counts["open"]:
        return "", True
    if counts["ymd"]:
        return "ymd", False
    return ("excel" if counts["excel"] * 10 >= len(values) * 9 and values else ""), False


def _decimal(values: Sequence[str]) -> str:
    comma = point = 0
    for value in values:
        value = _CURRENCY.sub("", value)
        if _NUMBER.fullmatch(value) and not _YEAR_LAST.match(value):
            number = _GROUPING.sub("", value)
            comma += _DECIMAL_COMMA.fullmatch(number) is not None
            point += _DECIMAL_POINT.fullmatch(number) is not None
    if comma == point:
        return ""
    return "," if comma > point else "."


def _written_out(match: re.Match[str]) -> str:
    """A number with an exponent in plain digits."""
    sign, whole, fraction, exponent = match[1], match[2], match[3] or "", int(match[4])
    if exponent > 40:
        return ""
    digits = whole + fraction.ljust(exponent, "0")
    place = len(whole) + exponent
    after = digits[place:].rstrip("0")
    number = (digits[:place].lstrip("0") or "0") + (f".{after}" if after else "")
    return f"-{number}" if sign == "-" else number
