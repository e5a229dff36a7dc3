"""Where a dealer stands, as lists write it: two numbers in one cell or in two, with points or
commas, as degrees, minutes and seconds, in any script of digits.

An "O" is west in French and east in German, so it is not read.
"""

from __future__ import annotations

import re
import unicodedata

from lmt.routing.geo import is_place

LONGEST = 120
_NUMBER = r"[+-]?\d{1,3}(?:[.,]\d+)?"
_COMMA_PAIR = re.compile(r"([+-]?\d{1,3},\d+)\s*[;|/\s]\s*([+-]?\d{1,3},\d+)")
_ALL_COMMAS = re.compile(r"([+-]?\d{1,3},\d+),\s*([+-]?\d{1,3},\d+)")
_PAIR = re.compile(r"([+-]?\d{1,3}\.\d+)\s*[,;|/\s]\s*([+-]?\d{1,3}\.\d+)")
_POINT = re.compile(r"POINT\s*\(\s*([+-]?[\d.]+)\s+([+-]?[\d.]+)\s*\)", re.I)
_DEGREES = re.compile(
    r"(?P<before>[NSEW])?\s*(?P<sign>[+-])?(?P<degrees>\d{1,3}(?:[.,]\d+)?)\s*(?:°|º|deg)\s*"
    r"(?:(?P<minutes>\d{1,2}(?:[.,]\d+)?)\s*['′]\s*)?"
    r"(?:(?P<seconds>\d{1,2}(?:[.,]\d+)?)\s*(?:\"|″|'')\s*)?(?P<after>[NSEW](?![A-Z]))?",
    re.I,
)
_LETTERED = re.compile(rf"([NSEW])?\s*({_NUMBER})\s*([NSEW])?", re.I)
_SIGNS = str.maketrans("−–’‘”“٫،؛", "--''\"\".,;")


def place_of(text: str) -> tuple[float, float] | None:
    """Latitude and longitude of one cell ("52.24, 21.03"), in that order; None for what is none,
    or could be read in two ways."""
    plain = _plain(text)
    if not plain or len(plain) > LONGEST:
        return None
    if found := _POINT.fullmatch(plain):
        return _place(_float(found[2]), _float(found[1]))
    marked = [*_DEGREES.finditer(plain)]
    if marked:
        return _by_degrees(plain, marked)
    plain = plain.strip("()[] ")
    for pattern in (_ALL_COMMAS, _COMMA_PAIR, _PAIR):
        if found := pattern.fullmatch(plain):
            return _place(_float(found[1]), _float(found[2]))
    return _by_letters(plain)


def degrees_of(text: str, axis: str) -> float | None:
    """One cell's latitude (`axis` "lat") or longitude ("lon") in degrees; None for what is none.

    A letter that belongs to the other axis makes it none.
    """
    plain = _plain(text)
    if not plain or len(plain) > LONGEST:
        return None
    if found := _DEGREES.fullmatch(plain):
        value, letter = _value(found)
    elif found := _LETTERED.fullmatch(plain):
        letter = (found[1] or found[3] or "").upper()
        value = _float(found[2])
        if letter and found[1] and found[3]:
            return None
        value = _signed(value, letter)
    else:
        return None
    if value is None or (letter and (letter in "NS") != (axis == "lat")):
        return None
    return value if abs(value) <= (90 if axis == "lat" else 180) else None


def _by_degrees(plain: str, marked: list[re.Match[str]]) -> tuple[float, float] | None:
    rest = _DEGREES.sub("", plain).strip(" ,;/|()")
    if len(marked) != 2 or rest:
        return None
    (one, first), (other, second) = (_value(each) for each in marked)
    if first and second and (first in "NS") == (second in "NS"):
        return None
    if (first and first not in "NS") or (second and second in "NS"):
        one, other = other, one
    return _place(one, other)


def _by_letters(plain: str) -> tuple[float, float] | None:
    parts = [part for part in re.split(r"\s*[;|/]\s*|,\s+|,(?=[NSEW])|\s{1,}(?=[NSEW]?[+-]?\d)",
                                       plain, flags=re.I) if part]  # fmt: skip
    if len(parts) != 2 or not re.search("[NSEW]", plain, re.I):
        return None
    for lat, lon in (parts, parts[::-1]):
        place = degrees_of(lat, "lat"), degrees_of(lon, "lon")
        if place[0] is not None and place[1] is not None:
            return _place(*place)
    return None


def _value(found: re.Match[str]) -> tuple[float | None, str]:
    letter = (found["before"] or found["after"] or "").upper()
    if found["before"] and found["after"]:
        return None, letter
    minutes = _float(found["minutes"] or "0") or 0.0
    seconds = _float(found["seconds"] or "0") or 0.0
    degrees = _float(found["degrees"])
    if degrees is None or minutes >= 60 or seconds >= 60:
        return None, letter
    value = degrees + minutes / 60 + seconds / 3600
    return _signed(-value if found["sign"] == "-" else value, letter), letter


def _signed(value: float | None, letter: str) -> float | None:
    # A letter and a minus together say two things.
    if value is None or (letter and value < 0):
        return None
    return -value if letter and letter in "SW" else value


def _place(lat: float | None, lon: float | None) -> tuple[float, float] | None:
    if lat is None or lon is None or not is_place(lat, lon) or (lat, lon) == (0.0, 0.0):
        return None
    return round(lat, 7), round(lon, 7)


def _float(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def _plain(text: str) -> str:
    digits = (
        str(unicodedata.decimal(sign)) if unicodedata.category(sign) == "Nd" else sign
        for sign in text.translate(_SIGNS)
        if unicodedata.category(sign) != "Cf"
    )
    return " ".join("".join(digits).split())
