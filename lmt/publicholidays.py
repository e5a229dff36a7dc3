"""Public holidays, on which a dealer's `PH` rules count, what customers call them, and Ramadan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
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


@dataclass(frozen=True, slots=True)
class Ramadan:
    """Its first and last day; `estimated` until the moon has been sighted."""

    first: date
    last: date
    estimated: bool


@lru_cache(maxsize=512)
def ramadans_of(country: str, year: int) -> tuple[Ramadan, ...]:
    """Each Ramadan that begins in `year` as `country` keeps it: one, seldom two.

    It ends with the day before the country's Eid al-Fitr and takes 29 or 30 days. Empty for
    countries without public holidays of the Islamic calendar.
    """
    if country not in holidays.list_supported_countries(include_aliases=False):
        return ()
    # The only place where the library tells whether a date has been confirmed.
    moons = getattr(holidays.country_holidays(country), "_islamic_calendar", None)
    if moons is None:
        return ()
    eids = {(day, open_) for y in (year, year + 1) for day, open_ in moons.eid_al_fitr_dates(y)}
    begins = {
        day: open_ for y in (year, year + 1) for day, open_ in moons.ramadan_beginning_dates(y)
    }
    found: dict[int, Ramadan] = {}
    for eid, estimated in sorted(eids):
        lengths = [n for n in (29, 30) if eid - timedelta(days=n) in begins]
        first = eid - timedelta(days=lengths[0] if lengths else 30)
        if first.year == year:
            unsure = not lengths or begins[first]
            found[first.month] = Ramadan(first, eid - timedelta(days=1), estimated or unsure)
    return tuple(found.values())
