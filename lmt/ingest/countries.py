"""Which country a sender means, by code or by name in many languages."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from babel import Locale
from babel.core import get_global

from lmt.config import LOCALES
from lmt.ingest.countrynames import EVERYDAY, NATIVE

# Groups and reserved codes that CLDR lists among the territories, which are no countries.
_NO_COUNTRIES = frozenset(
    ["AC", "CP", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"]
)
# Codes in use that ISO reserves for somebody else's reason.
_EXCEPTIONS = {"UK": "GB", "EL": "GR"}


def country_code(text: str) -> str:
    """ISO 3166 alpha-2 of a code (alpha-2, alpha-3, numeric) or a name; "" when it is none."""
    given = text.strip()
    code = given.upper().replace(".", "")
    if code in iso_codes():
        return code
    if code in _EXCEPTIONS:
        return _EXCEPTIONS[code]
    if len(code) == 3 and code.isascii() and code.isalnum():
        meant = get_global("territory_aliases").get(code, [])
        if len(meant) == 1 and meant[0] in iso_codes():
            return str(meant[0])
    return _names().get(folded(given), "") if len(given) <= 100 else ""


@lru_cache(maxsize=1)
def iso_codes() -> frozenset[str]:
    """Every alpha-2 code of a country or territory."""
    codes = (str(code) for code in Locale("en").territories)
    return frozenset(c for c in codes if len(c) == 2 and c.isalpha()) - _NO_COUNTRIES


def folded(text: str) -> str:
    """The letters and digits alone, without case, accents, or the Arabic article: for look-ups."""
    letters = unicodedata.normalize("NFKD", text.casefold()).replace("ı", "i").replace("ł", "l")
    words = "".join(
        c if c.isalnum() else "" if unicodedata.combining(c) or c in "'’.`" else " "
        for c in letters
    ).split()
    return "".join(word.removeprefix("ال") if len(word) > 4 else word for word in words)


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for locale in LOCALES:
        for code, name in Locale(locale).territories.items():
            if code in iso_codes():
                names.setdefault(folded(name), code)
    for table in (NATIVE, EVERYDAY):
        for code, listed in table.items():
            for name in listed.split("|"):
                names.setdefault(folded(name), code)
    names.pop("", None)
    return names
