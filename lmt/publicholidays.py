"""Public holidays: the days on which a dealer's `PH` rules count, and what customers call them."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import holidays


def holiday_name(country: str, day: date, language: str) -> str | None:
    """Name of a country's public holiday in `language` ("ar"), else in English, else in the
    country's own; None when `day` is none there. Movable feasts ahead are estimates.
    """
    return holidays_of(country.upper(), day.year, language).get(day)


@lru_cache(maxsize=512)
def holidays_of(country: str, year: int, language: str = "") -> dict[date, str]:
    """Public holidays of `country` (ISO 3166-1 alpha-2, upper case) in `year`, with their names.

    Names are in `language` ("ar"), else in English, else in the country's own; "" stands for the
    country's own. Empty where no source knows the country. Not to be changed: it is kept.
    """
    if country not in holidays.list_supported_countries(include_aliases=False):
        return {}
    if not language:
        return dict(holidays.country_holidays(country, years=year))
    known = holidays.country_holidays(country).supported_languages
    wanted = (name for code in (language, "en") for name in known if name.split("_")[0] == code)
    return dict(holidays.country_holidays(country, years=year, language=next(wanted, None)))
