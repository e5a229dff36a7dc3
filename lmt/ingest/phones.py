"""Which number to dial: phones in any script of digits become E.164 where that can be known."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import phonenumbers

from lmt.ingest.characters import clean_line

REACHABLE_DIGITS = 6
_FULL_NUMBER = 7
_LONGEST = 250
_PREFIX = re.compile(
    r"^['’=\"\s]+|^(?:(?:tel|telephone|téléphone|telefon|phone|mobile|mob|cell|gsm|p|whatsapp"
    r"|callto|هاتف|جوال)\s*[.:]+\s*(?://)?)",
    re.I,
)
_SPREADSHEET_FRACTION = re.compile(r"(?<=\d{6})\.0+$")
_SCIENTIFIC = re.compile(r"^\+?\d(?:[.,]\d+)?\s*E\s*\+?\d+$", re.I)
_WITHOUT_PLUS = re.compile(r"^\(?\+?\s*\(?00\s*(?=[1-9])")
_BETWEEN_NUMBERS = re.compile(
    r"\s*[;,/|\n]\s*|\s+(?:or|and|ou|et|und|oder|lub|i|of|en|veya|ve|o|y|أو|او|و)\s+|\s+-\s+", re.I
)
_EXTENSION = re.compile(
    r"[\s,]+(?:wew|wewn|dahili|durchwahl|dw|poste|interno|intern|toestel|tst|تحويلة|داخلي)\b[\s.:]*"
    r"(?=\d{1,7}$)",
    re.I,
)
_LETTERS = re.compile(r"[^\W\d_]{3,}")
_WRITTEN_WITH = str.maketrans("", "", " ()-.")
_MOBILE = frozenset(
    [phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE]
)


class Phone(NamedTuple):
    """A number understood: E.164, its extension, and the country it was read in.

    `country` is "" where the number states its own country code.
    """

    number: str = ""
    extension: str = ""
    country: str = ""


_NONE = Phone()


def number_of_digits(text: str) -> int:
    """How many decimal digits of any script the text holds."""
    return sum(map(str.isdecimal, text))


def is_dialable(phone: str) -> bool:
    """Whether a person could try to dial it, valid or not: six digits or more."""
    return number_of_digits(phone) >= REACHABLE_DIGITS


def e164(text: str, countries: Sequence[str]) -> tuple[str, str]:
    """`phone_number` without the country: the number as E.164 and its extension, or ("", "")."""
    return phone_number(text, countries)[:2]


def phone_number(text: str, countries: Sequence[str]) -> Phone:
    """The number to dial, tried in the given countries in order; empty where that can't be known.

    `countries` are ISO codes; a number written with its country code needs none of them. Where
    several numbers share the field, the first valid mobile counts, else the first valid one.
    """
    given = clean_line(text[: 2 * _LONGEST])[:_LONGEST]
    if number_of_digits(given) < REACHABLE_DIGITS:
        return _NONE
    if not given.isascii():
        given = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in given)
        given = given.replace("\uff0b", "+")
    if not given[0].isdecimal() and given[0] != "+":
        given = _PREFIX.sub("", _PREFIX.sub("", given))
    if _SCIENTIFIC.match(given):
        return _NONE
    given = _SPREADSHEET_FRACTION.sub("", given)
    bare = given.translate(_WRITTEN_WITH)
    if bare.removeprefix("+").isdecimal() and len(bare) <= 16:
        return _plain(bare, countries) or _first(bare, countries)
    given = _EXTENSION.sub(" ext. ", given)
    parts = _BETWEEN_NUMBERS.split(given)[:5]
    full = [part for part in parts if number_of_digits(part) >= _FULL_NUMBER]
    if len(full) > 1:
        return _best(full, countries)
    for part in dict.fromkeys((given, *full)):
        if (phone := _first(part, countries)).number:
            return phone
    return _found_inside(given, countries)


def _plain(bare: str, countries: Sequence[str]) -> Phone | None:
    """A number of bare digits, read without the library's parser, which takes most of the time.

    None, for the parser to decide, whenever the country strips anything but one nought in front, or
    the number isn't valid at once.
    """
    if bare.startswith("+"):
        code = next((int(bare[1:end]) for end in (2, 3, 4) if bare[1:end] in _codes()), 0)
        national, country = bare[1 + len(str(code)) :], ""
    else:
        country = next(filter(None, countries), "")
        code = phonenumbers.country_code_for_region(country) if country else 0
        national = bare[1:] if bare.startswith("0") else bare
        # Its country's code in front without a plus: or is it a number that begins so?
        if bare.startswith(str(code)):
            return None
        if bare.startswith("0") and ((abroad := _abroad(code)) is None or abroad.match(bare)):
            return None
    if not national or national[0] == "0" or not _strips_only_noughts(code):
        return None
    if not _is_usual(code, national):
        parsed = phonenumbers.PhoneNumber(country_code=code, national_number=int(national))
        if not phonenumbers.is_valid_number(parsed):
            return None
    return Phone(f"+{code}{national}", "", country)


@lru_cache(maxsize=1)
def _codes() -> frozenset[str]:
    return frozenset(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))


@lru_cache(maxsize=300)
def _strips_only_noughts(code: int) -> bool:
    """Whether nothing but one nought, or nothing at all, stands before a country's own numbers."""
    metadata = _metadata(code)
    return metadata is not None and metadata.national_prefix_for_parsing in (None, "0")


def _is_usual(code: int, national: str) -> bool:
    """Whether it surely is one of the country's own mobile or fixed-line numbers: the library looks
    at nine other kinds first."""
    metadata = _metadata(code)
    if metadata is None or len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]) != 1:
        return False
    kinds = (metadata.mobile, metadata.fixed_line)
    return _fits(national, metadata.general_desc) and any(_fits(national, k) for k in kinds)


def _fits(national: str, kind: phonenumbers.PhoneNumberDesc | None) -> bool:
    if kind is None or not kind.national_number_pattern:
        return False
    lengths = kind.possible_length
    if lengths and len(national) not in lengths:
        return False
    return _pattern(kind.national_number_pattern).fullmatch(national) is not None


@lru_cache(maxsize=1_000)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


@lru_cache(maxsize=300)
def _abroad(code: int) -> re.Pattern[str] | None:
    """What is dialled for abroad from a country whose own numbers have a nought in front."""
    metadata = _metadata(code)
    if metadata is None or metadata.national_prefix_for_parsing != "0":
        return None
    return re.compile(metadata.international_prefix or "00")


def _metadata(code: int) -> phonenumbers.PhoneMetadata | None:
    region = phonenumbers.region_code_for_country_code(code)
    return phonenumbers.PhoneMetadata.metadata_for_region(region, None)


def _first(part: str, countries: Sequence[str]) -> Phone:
    return next((phone for phone, _parsed in _readings(part, countries)), _NONE)


def _best(parts: Sequence[str], countries: Sequence[str]) -> Phone:
    first = _NONE
    for part in parts:
        for phone, parsed in _readings(part, countries):
            if phonenumbers.number_type(parsed) in _MOBILE:
                return phone
            first = first if first.number else phone
            break
    return first


def _readings(
    part: str, countries: Sequence[str]
) -> Iterator[tuple[Phone, phonenumbers.PhoneNumber]]:
    """The valid readings of one number, in the order of the countries."""
    part = _WITHOUT_PLUS.sub("+", part)
    own_code = part.lstrip(" (").startswith("+")
    for region in (None,) if own_code else dict.fromkeys(c for c in countries if c):
        try:
            parsed = phonenumbers.parse(part, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(parsed):
            yield _phone(parsed, "" if own_code else region or ""), parsed


def _found_inside(given: str, countries: Sequence[str]) -> Phone:
    """A number among words, or one of two that only a blank sets apart; rare, and slow to find."""
    if number_of_digits(given) <= 15 and not _LETTERS.search(given):
        return _NONE
    for region in dict.fromkeys((*(c for c in countries if c), None)):
        matches = phonenumbers.PhoneNumberMatcher(given, region, max_tries=10)
        for match in matches:
            stated = match.raw_string.lstrip(" (").startswith("+")
            return _phone(match.number, "" if stated else region or "")
    return _NONE


def _phone(parsed: phonenumbers.PhoneNumber, country: str) -> Phone:
    written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return Phone(written, parsed.extension or "", country)
