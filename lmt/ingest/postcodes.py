"""How a country writes its postcodes: mended where the country's shape makes it certain."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

#: How each country writes a code: 9 a digit, A a letter, all else as it stands (UPU, 2024).
SHAPES: Mapping[str, tuple[str, ...]] = {
    "AT": ("9999",), "AU": ("9999",), "BE": ("9999",), "BG": ("9999",), "BH": ("9999", "999"),
    "BR": ("99999-999",), "CA": ("A9A 9A9",), "CH": ("9999",), "CY": ("9999",),
    "CZ": ("999 99",), "DE": ("99999",), "DK": ("9999",), "EE": ("99999",), "EG": ("99999",),
    "ES": ("99999",), "FI": ("99999",), "FR": ("99999",), "GR": ("999 99",), "HR": ("99999",),
    "GB": ("A9 9AA", "A99 9AA", "AA9 9AA", "AA99 9AA", "A9A 9AA", "AA9A 9AA"),
    "HU": ("9999",), "IN": ("999999",), "IT": ("99999",), "JO": ("99999",), "KW": ("99999",),
    "LI": ("9999",), "LU": ("9999",), "MA": ("99999",), "MC": ("99999",), "MX": ("99999",),
    "NL": ("9999 AA", "9999"), "NO": ("9999",), "OM": ("999",), "PL": ("99-999",),
    "PT": ("9999-999", "9999"), "RO": ("999999",), "RS": ("99999",), "SA": ("99999", "99999-9999"),
    "SE": ("999 99",), "SI": ("9999",), "SK": ("999 99",), "TN": ("9999",), "TR": ("99999",),
    "UA": ("99999",), "US": ("99999", "99999-9999"),
}  # fmt: skip
#: Countries whose addresses have none; what stands in the field there is a PO box or a filler.
WITHOUT = frozenset(["AE", "QA", "YE", "AO", "BS", "FJ", "HK", "MO"])
# Where codes begin with noughts that spreadsheets drop, and how many can be missing.
_NOUGHTS = {"DE": 1, "FR": 1, "ES": 1, "IT": 2, "TR": 1, "PL": 2, "US": 1, "MX": 1, "EE": 0}
_BOX = re.compile(
    r"^(?:p\.?\s*o\.?\s*-?\s*box|postfach|b\.?\s?p\.?|postbus|apartado|ص\s*\.?\s*ب)\b", re.I
)
_FILLER = re.compile(r"0+|9{4,}|x+|n/?a|none|-+", re.I)
_BETWEEN = re.compile(r"[\s.\-_\u2010-\u2015]+")
_WORDS = re.compile(r"[^\W\d_].*[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Postcode:
    """A postcode field understood: the code, the town that stood beside it, and what was odd.

    `problem` is "", `postcode_is_po_box`, `country_has_no_postcodes`, `postcode_completed` (lost
    noughts were put back) or `postcode_not_of_country` (kept as given).
    """

    code: str
    town: str = ""
    problem: str = ""


def postcode(text: str, country: str, *, certain: bool = True) -> Postcode:
    """The code in the country's spelling; as given where the country is unknown or it doesn't fit.

    `text` is one clean line, `country` an ISO code or "". Lost noughts are put back only where it
    is `certain` that the address lies in that country.
    """
    if not text:
        return Postcode("")
    if _BOX.match(text):
        return Postcode("", problem="postcode_is_po_box")
    if country in WITHOUT:
        return Postcode("", problem="country_has_no_postcodes")
    if _FILLER.fullmatch(text):
        return Postcode("", problem="" if country not in SHAPES else "postcode_not_of_country")
    if country not in SHAPES:
        return Postcode(text)
    given = _plain(text)
    if code := _shaped(given, country):
        return Postcode(code)
    if certain and (code := _completed(given, country)):
        return Postcode(code, problem="postcode_completed")
    code, town = code_and_town(given, country)
    if code:
        return Postcode(code, town)
    return Postcode(text, problem="postcode_not_of_country")


def code_and_town(text: str, country: str) -> tuple[str, str]:
    """The postcode at either end of a text and the town beside it; ("", "") where none stands.

    `75008 Paris`, `1012 AB Amsterdam`, `Warszawa 00-001`.
    """
    if country not in SHAPES or not any(map(str.isdecimal, text)):
        return "", ""
    words = [word for word in re.split(r"[\s,;]+", _plain(text)) if word]
    for taken in (2, 1):
        if len(words) <= taken:
            continue
        for code_words, town_words in (
            (words[:taken], words[taken:]),
            (words[-taken:], words[:-taken]),
        ):
            town = " ".join(town_words)
            code = _shaped(" ".join(code_words), country)
            if code and _WORDS.fullmatch(town) and not any(map(str.isdecimal, town)):
                return code, town
    return "", ""


def _plain(text: str) -> str:
    """The text with ASCII digits, whatever script they were written in."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)


def _shaped(given: str, country: str) -> str:
    """The code as its country writes it, a country's mark in front left off; "" if it is none."""
    bare = _BETWEEN.sub("", given).upper()
    if not bare.isascii() or len(bare) > 12:
        return ""
    for start in (bare, _without_mark(bare, country)):
        for shape in SHAPES[country]:
            if start and (written := _written(start, shape)):
                return written
    return ""


def _without_mark(bare: str, country: str) -> str:
    for mark in (country, {"DE": "D", "FR": "F", "AT": "A", "BE": "B", "ES": "E"}.get(country)):
        if mark and bare.startswith(mark) and bare[len(mark) : len(mark) + 1].isdigit():
            return bare[len(mark) :]
    return ""


def _written(bare: str, shape: str) -> str:
    written, rest = "", bare
    for sign in shape:
        if sign not in "9A":
            written += sign
            continue
        head, rest = rest[:1], rest[1:]
        if not (head.isdigit() if sign == "9" else head.isalpha()):
            return ""
        written += head
    return "" if rest else written


def _completed(given: str, country: str) -> str:
    """A code of nothing but digits whose leading noughts were lost, as spreadsheets lose them."""
    whole = sum(sign == "9" for sign in SHAPES[country][0])
    missing = whole - len(given)
    if not given.isdigit() or not 1 <= missing <= _NOUGHTS.get(country, 0):
        return ""
    return _shaped("0" * missing + given, country)
