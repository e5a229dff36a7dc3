"""Which language a sender says the person speaks."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale
from babel.core import get_global

from lmt.config import LOCALES
from lmt.ingest.countries import folded


def language_code(text: str) -> str:
    """The primary ISO 639 code of a tag (`ar-SA`, `deu`) or a name; "" when it is none.

    Of a list, as browsers send it, the first counts.
    """
    if text in LOCALES:
        return text
    given = text.replace(";", ",").split(",")[0].strip()
    if not given or len(given) > 60:
        return ""
    primary = given.replace("_", "-").split("-")[0].lower()
    if primary.isascii():
        primary = str(get_global("language_aliases").get(primary, primary)).split("_")[0]
        if len(primary) in (2, 3) and primary in Locale("en").languages:
            return primary
    return _names().get(folded(given), "")


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for locale in LOCALES:
        for code, name in Locale(locale).languages.items():
            if len(code) in (2, 3):
                names.setdefault(folded(name), code)
    names.pop("", None)
    return names
