"""Opening hours from plain columns, one for a weekday or a run of them, turned into the syntax of
OpenStreetMap; and which columns those are, whatever language their names are in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lmt.hoursmending import mended
from lmt.hourswords import EVERY_DAY, HOLIDAY, LANGUAGES, Word, folded
from lmt.openinghours import hours_problem

CODES = ("mo", "tu", "we", "th", "fr", "sa", "su", "ph")
"""Of the days in a field such as `hours.mo`; the last are public holidays."""

_OSM = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su", "PH")
_NOTHING = frozenset({"", "-", "--", "x", "/", "n/a", "na", "none", "."})
_RUN = "Mo 00:00-01:00; Tu "
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class BadDay:
    """The hours of this day (of `CODES`) can't be read, or could mean two things."""

    day: str
    given: str


def week_hours(cells: Mapping[str, str]) -> str | BadDay:
    """Hours in OpenStreetMap syntax from {day: what its cell says}; "" where all are empty.

    A day of `CODES`. An empty day beside others that have hours is closed; public holidays are
    only told where they are in `cells` and filled in.
    """
    times: dict[str, str] = {}
    for day, text in cells.items():
        if folded(text).strip() in _NOTHING:
            if day != "ph":
                times[day] = ""
            continue
        read = _times(text)
        if read is None:
            return BadDay(day, text)
        times[day] = read
    if not any(folded(text).strip() not in _NOTHING for text in cells.values()):
        return ""
    rules = []
    position = 0
    while position < HOLIDAY:
        end = position
        here = times.get(CODES[position], "")
        while end + 1 < HOLIDAY and times.get(CODES[end + 1], "") == here:
            end += 1
        if here:
            days = _OSM[position] + (f"-{_OSM[end]}" if end > position else "")
            rules.append(f"{days} {here}")
        position = end + 1
    if "ph" in times:
        rules.append(f"PH {times['ph'] or 'off'}")
    hours = "; ".join(rules)
    if not any(times.get(day) for day in CODES[:HOLIDAY]):
        return "off"
    return "24/7" if hours == "Mo-Su 00:00-24:00" else hours


def weekday_columns(names: Sequence[str]) -> dict[str, str]:
    """{column's name: its days, as "mo" or a run "mo-fr"} for those that are named after weekdays.

    The language counts that reads the most of them: "Di" is a Sunday beside "Lu" and "Ma", and a
    Tuesday beside "Mo" and "Mi". Nothing where two languages read as many, and other days.
    """
    best: dict[str, str] = {}
    most, sure = 0, True
    for words in LANGUAGES.values():
        found = {name: days for name in names if (days := _days(name, words))}
        told = [day for days in found.values() for day in days_of(days)]
        if len(told) != len(set(told)) or len(told) < max(most, _FEWEST):
            continue
        sure = len(told) > most or (sure and found == best)
        best, most = (found, len(told)) if len(told) > most else (best, most)
    return best if sure else {}


def days_of(run: str) -> tuple[str, ...]:
    """The days of "mo" or of a run such as "su-th"; () for what is none."""
    first, _, last = run.partition("-")
    if first not in CODES or (last or first) not in CODES or (last and "ph" in {first, last}):
        return ()
    begins, ends = CODES.index(first), CODES.index(last or first)
    if begins == HOLIDAY:
        return (first,)
    return tuple(CODES[(begins + n) % 7] for n in range((ends - begins) % 7 + 1))


@lru_cache(maxsize=4096)
def _times(text: str) -> str | None:
    """ "09:00-13:00,14:00-18:00" of a day's cell, "" where it says closed, None for neither."""
    whole = _RUN + " ".join(text.split()).replace(";", ",")
    if hours_problem(whole) is not None:
        read = mended(whole)
        if read is None:
            return None
        whole = read
    rest = whole.partition("; ")[2]
    found = re.fullmatch(r"Tu ([\d:,\- ]+|off|closed)", rest, re.I)
    if found is None:
        return None
    return "" if found[1][0].isalpha() else found[1].replace(" ", "")


def _days(name: str, words: Mapping[str, Word]) -> str:
    """The days a column's name says in one language, "" where it says anything else too."""
    text = folded(name.replace("_", " ")).strip(" .:*")
    said = [words.get(text, ("", 0))]
    if said[0][0] not in {"D", "W"}:
        parts = re.findall(r"[^\W\d_]+|-", text)
        said = [words.get(part, ("-" if part == "-" else "?", 0)) for part in parts]
        said = [word for word in said if word[0] != " "]
    match said:
        case [("W", last)]:
            return f"mo-{CODES[last]}"
        case [("D", day)]:
            return "mo-su" if day == EVERY_DAY else CODES[day]
        case [("D", first), ("-", _), ("D", last)] if max(first, last) < HOLIDAY:
            return f"{CODES[first]}-{CODES[last]}"
        case _:
            return ""
