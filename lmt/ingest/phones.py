"""Which number to dial: phones in any script of digits become E.164 where that can be known."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

import phonenumbers

from lmt.ingest.characters import clean_line

REACHABLE_DIGITS = 6
_PREFIX = re.compile(r"^(?:tel|phone|p)\s*:\s*", re.I)
_SPREADSHEET_FRACTION = re.compile(r"(?<=\d{6})\.0+$")
_BETWEEN_NUMBERS = re.compile(r"\s*[;,/|]\s*|\s+(?:or|and|ou|und|oder|lub|of|veya|o|y|أو)\s+", re.I)


def number_of_digits(text: str) -> int:
    """How many decimal digits of any script the text holds."""
    return sum(character.isdecimal() for character in text)


def is_dialable(phone: str) -> bool:
    """Whether a person could try to dial it, valid or not: six digits or more."""
    return number_of_digits(phone) >= REACHABLE_DIGITS


def e164(text: str, countries: Sequence[str]) -> tuple[str, str]:
    """The number as E.164 and its extension, tried in the given countries in order; or ("", "").

    `countries` are ISO codes; a number written with its country code needs none of them. Where
    several numbers share the field, the first valid one counts.
    """
    given = _SPREADSHEET_FRACTION.sub("", _PREFIX.sub("", clean_line(text)))[:250]
    if number_of_digits(given) < REACHABLE_DIGITS:
        return "", ""
    given = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in given)
    if given.startswith("00"):
        given = "+" + given[2:]
    for part in (given, *_BETWEEN_NUMBERS.split(given)[:5]):
        for number in _readings(part, countries):
            if phonenumbers.is_valid_number(number):
                written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
                return written, number.extension or ""
    return "", ""


def _readings(part: str, countries: Sequence[str]) -> Iterator[phonenumbers.PhoneNumber]:
    for region in dict.fromkeys((*(c for c in countries if c), None)):
        try:
            yield phonenumbers.parse(part, region)
        except phonenumbers.NumberParseException:
            continue
