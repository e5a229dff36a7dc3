"""Every text a person sees: translation, dates and numbers in the reader's language and zone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers, units
from babel.support import LazyProxy, NullTranslations, Translations

from lmt.config import LOCALES

CATALOGUES = Path(__file__).parent.parent / "translations"
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: a shipped locale, an IANA zone, and whose manner of numbers (a locale of Babel's;
    "" for that of the language)."""

    locale: str = "en"
    timezone: str = "UTC"
    numbers: str = ""


NUMBER_STYLES = ("", "en", "de", "fr", "de_CH", "ar_EG")
"""Locales whose manner of writing numbers a person may choose."""

_ARABIC_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
_ENGLISH = Reader()
_reader: ContextVar[Reader] = ContextVar("reader", default=_ENGLISH)


@contextmanager
def reading(locale: str, timezone: str = "UTC") -> Iterator[Reader]:
    """Everything inside is written for this reader (a locale not shipped falls back to English)."""
    reader = Reader(best_locale([locale]), timezone)
    token = _reader.set(reader)
    try:
        yield reader
    finally:
        _reader.reset(token)


def set_reader(locale: str, timezone: str, numbers: str = "") -> None:
    """Until it is set anew: `lmt.web` puts back at a request's end who was the reader before."""
    _reader.set(Reader(best_locale([locale]), timezone, numbers))


def reader() -> Reader:
    return _reader.get()


def best_locale(wanted: list[str], default: str = "en") -> str:
    """The first shipped locale among `wanted` tags (`ar-SA` matches `ar`)."""
    for tag in wanted:
        language = tag.replace("_", "-").split("-")[0].lower()
        if language in LOCALES:
            return language
    return default


def direction(locale: str | None = None) -> str:
    """`rtl` or `ltr`, for `dir=`."""
    return "rtl" if (locale or reader().locale) in RIGHT_TO_LEFT else "ltr"


def gettext(message: str, **variables: Any) -> str:
    """`message` in the reader's language, with its %(name)s filled."""
    text = _catalogue(reader().locale).ugettext(message)
    return text % variables if variables else text


def ngettext(singular: str, plural: str, num: int, **variables: Any) -> str:
    """The plural form for `num`, available as %(num)s."""
    text = _catalogue(reader().locale).ungettext(singular, plural, num)
    # Jinja fills the variables itself, and asks for the bare form first.
    return text % {"num": format_number(num), **variables}


def pgettext(context: str, message: str, **variables: Any) -> str:
    """As gettext, for a word whose meaning needs `context`."""
    text = str(_catalogue(reader().locale).upgettext(context, message))
    return text % variables if variables else text


def lazy_gettext(message: str, **variables: Any) -> LazyProxy:
    """Translated at the moment it is written out, not when the module is imported."""
    return LazyProxy(gettext, message, enable_cache=False, **variables)


def language_name(code: str) -> str:
    """A language's name in the reader's language; the code where Babel knows none."""
    return str(Locale(reader().locale).languages.get(code, code))


def country_name(code: str) -> str:
    return str(Locale(reader().locale).territories.get(code, code))


def format_datetime(at: datetime, form: str = "medium", timezone: str | None = None) -> str:
    """The instant in the reader's (or the given) zone and manner."""
    zone = ZoneInfo(timezone or reader().timezone)
    return dates.format_datetime(at, form, tzinfo=zone, locale=reader().locale)


def format_day_time(at: datetime, timezone: str | None = None) -> str:
    """Weekday, day and time, as a person would say a deadline: `Sunday 8 March, 10:20`."""
    zone = ZoneInfo(timezone or reader().timezone)
    locale = reader().locale
    # No locale has a skeleton with full names; its abbreviated one has the right order.
    pattern = str(Locale(locale).datetime_skeletons["MMMEd"].pattern)
    pattern = re.sub("M{3,}", "MMMM", re.sub("E+", "EEEE", pattern))
    day = dates.format_datetime(at, pattern, tzinfo=zone, locale=locale)
    time = dates.format_time(at, "short", tzinfo=zone, locale=locale)
    return gettext("%(day)s, %(time)s", day=day, time=time)


def format_time(at: datetime, timezone: str | None = None) -> str:
    zone = ZoneInfo(timezone or reader().timezone)
    return dates.format_time(at, "short", tzinfo=zone, locale=reader().locale)


def format_date(day: date, form: str = "medium") -> str:
    """A day; an instant is first taken to the reader's zone."""
    if isinstance(day, datetime):
        day = day.astimezone(ZoneInfo(reader().timezone)).date()
    return dates.format_date(day, form, locale=reader().locale)


def format_number(number: float, digits: int | None = None) -> str:
    pattern = None if digits is None else "#,##0" + ("." + "0" * digits if digits else "")
    return _in_own_digits(numbers.format_decimal(number, format=pattern, **_manner()))


def format_percent(share: float, digits: int = 0) -> str:
    """`share` between 0 and 1; the sign stands where the reader's language has it."""
    pattern = Locale(reader().locale).percent_formats[None].pattern
    if digits:
        pattern = pattern.replace("##0", "##0." + "0" * digits)
    return _in_own_digits(numbers.format_percent(share, format=pattern, **_manner()))


def _manner() -> dict[str, Any]:
    """Whose marks between digits."""
    chosen = reader().numbers
    if chosen:
        return {"locale": chosen, "numbering_system": "default"}
    return {"locale": reader().locale}


def _in_own_digits(written: str) -> str:
    """Babel has the marks of a numbering system, not its digits."""
    return written.translate(_ARABIC_DIGITS) if reader().numbers == "ar_EG" else written


def number_style(code: str) -> str:
    """A number in that manner, as an example to choose by."""
    token = _reader.set(Reader(reader().locale, reader().timezone, code))
    try:
        return format_number(1234567.5)
    finally:
        _reader.reset(token)


def first_weekday(own: int | None = None) -> int:
    """The day on which the reader's week begins, 0 for Monday: their `own` choice, else their
    language's."""
    return Locale(reader().locale).first_week_day if own is None else own


def format_km(distance_km: float) -> str:
    """A distance as people say it: one decimal below 10 km, none above."""
    return gettext("%(km)s km", km=format_number(distance_km, 1 if distance_km < 10 else 0))


def format_age(at: datetime, now: datetime) -> str:
    """`3 hours ago`, `in 5 minutes`."""
    delta: timedelta = at - now
    return dates.format_timedelta(delta, add_direction=True, locale=reader().locale)


def format_duration(minutes: float) -> str:
    """A length of time in its largest fitting unit."""
    delta = timedelta(minutes=minutes)
    return dates.format_timedelta(delta, locale=reader().locale, threshold=1.5)


def format_working_time(minutes: float) -> str:
    """A length of working time: hours at most, since a day of work has not 24 of them."""
    locale = reader().locale
    if minutes < 90:
        return units.format_unit(round(minutes), "duration-minute", locale=locale)
    return units.format_unit(round(minutes / 60, 1), "duration-hour", locale=locale)


def week_days() -> list[tuple[str, str]]:
    """The days of the week, Monday first, as (`0` to `6`, name) to choose from."""
    names = dates.get_day_names("wide", "stand-alone", locale=reader().locale)
    return [(str(day), names[day]) for day in range(7)]


def in_utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


@cache
def _catalogue(locale: str) -> NullTranslations:
    return Translations.load(str(CATALOGUES), [locale], "messages")
