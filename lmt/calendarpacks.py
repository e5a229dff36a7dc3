"""What a country's calendar is like before anybody has said more: weekend, a desk's usual hours,
public holidays, and the hours that its showrooms keep in Ramadan. A market starts from it.

Weekends come from `holidays`, checked in the tests against the Unicode CLDR; holidays from
`lmt.publicholidays`. The hours are customs, not laws, and each market's to change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import holidays

from lmt.openinghours import SpecialDays
from lmt.publicholidays import Ramadan, ramadans_of

RAMADAN = "ramadan"
"""The name that a pack's Ramadan carries among a market's special hours."""

_CODES = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_SATURDAY_SUNDAY = (5, 6)

# Where the library is behind: Libya rests on Friday and Saturday, Mauritania (since 2014) on
# Saturday and Sunday; both as in the CLDR.
_WEEKENDS: Mapping[str, tuple[int, ...]] = {"LY": (4, 5), "MR": (5, 6)}

# The public sector of the United Arab Emirates works until noon on Friday since 2022.
_HALF_DAYS: Mapping[str, tuple[int, ...]] = {"AE": (4,)}

# Labour laws take the day down to six hours in the Gulf; showrooms open again after the meal that
# ends the fast. Elsewhere they close early.
_GULF_NIGHTS = "10:00-15:00,20:30-23:30"
_SHORT_DAY = "09:00-15:00"
_RAMADAN: Mapping[str, str] = {
    "AE": f"Mo-Sa {_GULF_NIGHTS}; PH off",
    "BH": f"Sa-Th {_GULF_NIGHTS}; PH off",
    "KW": f"Sa-Th {_GULF_NIGHTS}; PH off",
    "OM": f"Sa-Th {_GULF_NIGHTS}; PH off",
    "QA": f"Sa-Th {_GULF_NIGHTS}; PH off",
    "SA": f"Sa-Th {_GULF_NIGHTS}; PH off",
    "DZ": f"Sa-Th {_SHORT_DAY}; PH off",
    "EG": f"Sa-Th {_SHORT_DAY}; PH off",
    "IQ": f"Sa-Th {_SHORT_DAY}; PH off",
    "JO": f"Sa-Th {_SHORT_DAY}; PH off",
    "LY": f"Sa-Th {_SHORT_DAY}; PH off",
    "MA": f"Mo-Sa {_SHORT_DAY}; PH off",
    "MR": f"Mo-Sa {_SHORT_DAY}; PH off",
    "PK": f"Mo-Sa {_SHORT_DAY}; PH off",
    "SD": f"Sa-Th {_SHORT_DAY}; PH off",
    "TN": f"Mo-Sa {_SHORT_DAY}; PH off",
    "YE": f"Sa-Th {_SHORT_DAY}; PH off",
}


@dataclass(frozen=True, slots=True)
class Pack:
    """A country's calendar. Days as in `date.weekday()`; hours in OpenStreetMap syntax.

    `ramadan` is "" where work goes on as ever in that month.
    """

    country: str
    weekend: tuple[int, ...]
    half_days: tuple[int, ...]
    desk_hours: str
    ramadan: str


@lru_cache(maxsize=512)
def pack_of(country: str) -> Pack:
    """The pack of a country (ISO 3166-1 alpha-2, any case); a Saturday–Sunday week if unknown."""
    code = country.upper()
    weekend = _WEEKENDS.get(code)
    if weekend is None and code in holidays.list_supported_countries(include_aliases=False):
        weekend = tuple(sorted(holidays.country_holidays(code).weekend))
    weekend = weekend or _SATURDAY_SUNDAY
    half_days = _HALF_DAYS.get(code, ())
    return Pack(code, weekend, half_days, _desk_hours(weekend, half_days), _RAMADAN.get(code, ""))


def ramadan_hours(country: str, year: int) -> tuple[SpecialDays, ...]:
    """(first day, last day, hours) of each Ramadan beginning in `year`: seldom two, none where
    the country's work doesn't change for it. Dates ahead are estimates (`ramadans`).
    """
    hours = pack_of(country).ramadan
    return tuple((each.first, each.last, hours) for each in ramadans(country, year))


def ramadans(country: str, year: int) -> tuple[Ramadan, ...]:
    """As `ramadan_hours`, with whether the dates are estimated."""
    pack = pack_of(country)
    return ramadans_of(pack.country, year) if pack.ramadan else ()


def same_ramadan(one: date, other: date) -> bool:
    """Do both first days mean the same year's Ramadan? It comes again after 354 days."""
    return abs((one - other).days) < 60


def _desk_hours(weekend: tuple[int, ...], half_days: tuple[int, ...]) -> str:
    full = [day for day in _week_after(weekend) if day not in half_days]
    rules = [f"{_days(full)} 09:00-18:00"]
    if half_days:
        rules.append(f"{_days(list(half_days))} 09:00-12:00")
    return "; ".join([*rules, "PH off"])


def _week_after(weekend: tuple[int, ...]) -> list[int]:
    """The working days in order, from the first after the weekend's last."""
    last = next(day for day in weekend if (day + 1) % 7 not in weekend)
    return [day for n in range(1, 8) if (day := (last + n) % 7) not in weekend]


def _days(days: list[int]) -> str:
    """ "Mo-Th,Sa" of weekdays in order."""
    runs: list[list[int]] = []
    for day in days:
        if runs and (runs[-1][-1] + 1) % 7 == day:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(
        _CODES[run[0]] + (f"-{_CODES[run[-1]]}" if len(run) > 1 else "") for run in runs
    )
