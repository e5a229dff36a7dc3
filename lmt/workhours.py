"""Calendars and working time: they say which dealer is open when a lead is routed, and until
when it may take to answer.

Hours are OpenStreetMap `opening_hours` values
(https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification), read by
`opening_hours`; public holidays (`PH`) come from `holidays`. An instant is open when the clock
on the dealer's wall shows an open time and no closure covers that date. So hours inside the hour
skipped in spring never come to pass, and hours inside the hour repeated in autumn come twice.
Hours past midnight belong to the day they began on, whatever the next day's rule says.
What the value only calls possible (`unknown`, a comment without `open` such as "by appointment")
counts as closed: no promise can rest on it. Durations are elapsed time, in minutes.

A value `hours_problem` refuses to read is never open. Instants must be aware (TypeError), the
time zone known (`zoneinfo.ZoneInfoNotFoundError`).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from opening_hours import OpeningHours, State, validate

HORIZON_DAYS = 366
LONGEST_HOURS = 1000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400
_BLOCK = 28 * _DAY
_MICROSECOND = timedelta(microseconds=1)
# Outside these years dates overflow and holidays mean nothing: every calendar is closed.
_FIRST_BLOCK = int((datetime(1900, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds()) // _BLOCK
_LAST_BLOCK = int((datetime(2400, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds()) // _BLOCK

_WEEKDAY = r"(?:Mo|Tu|We|Th|Fr|Sa|Su)"
_DAYS_AFTER = r"(?: [+-]\d+ days?)?"
_WEEKDAY_ITEM = rf"(?:[PS]H|{_WEEKDAY}(?:-{_WEEKDAY})?(?:\[[^\]]*\])?){_DAYS_AFTER}"
_WITH_HOLIDAY = re.compile(
    rf"(?:^| )(?P<days>(?:{_WEEKDAY_ITEM},)*PH{_DAYS_AFTER}(?:,{_WEEKDAY_ITEM})*)(?= |$)"
)
_HOLIDAY_ITEM = re.compile(r"PH(?: ([+-]\d+) days?)?")
_UNSIGNED_DAYS = re.compile(r'("[^"]*")|(?<= )(?=\d+ days?\b)')
_QUOTED = re.compile(r'"[^"]*"')
_TIMES = re.compile(r"(?:^|(?<= ))\d\d:\d\d-\d\d:\d\d(?:,\d\d:\d\d-\d\d:\d\d)*(?= |$)")
_COMMENT = re.compile(r'((?i:\b(?:open|closed|off|unknown)\s*)"[^"]*")|"[^"]*"')
_RULE_SEPARATOR = re.compile(r'("[^"]*")|(; |, | \|\| )')
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def N_(message: str) -> str:
    """Mark a message for translation where it is shown."""
    return message


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a dealer works: `hours` in OpenStreetMap syntax, an IANA `timezone`, the ISO 3166-1
    alpha-2 `country` whose holidays `PH` stands for, and `closures` as (first, last) day closed,
    both inclusive, in the dealer's own dates. Hours without a `PH` rule ignore holidays.
    """

    hours: str
    timezone: str
    country: str = ""
    closures: tuple[tuple[date, date], ...] = ()


def is_open(calendar: Calendar, at: datetime) -> bool:
    """Does the dealer work at `at`? Stretches include their first instant, not their last."""
    seconds = _seconds(at)
    return bool(bisect_right(_block(calendar, seconds // _BLOCK), seconds) & 1)


def next_opening(calendar: Calendar, at: datetime) -> datetime | None:
    """`at` itself when open, else the next opening; None if never within 366 days."""
    now = _microseconds(at)
    for start, _end in _stretches(calendar, now, now + HORIZON_DAYS * _DAY * 1_000_000):
        return _instant(start)
    return None


def closes_at(calendar: Calendar, at: datetime) -> datetime | None:
    """End of the stretch open at `at`; None when closed then, or open for 366 days on end."""
    now = _microseconds(at)
    limit = now + HORIZON_DAYS * _DAY * 1_000_000
    for start, end in _stretches(calendar, now, limit):
        return _instant(end) if start == now and end < limit else None
    return None


def add_working_minutes(calendar: Calendar, at: datetime, minutes: float) -> datetime | None:
    """The first instant by which `minutes` (≥ 0, else ValueError) of working time have passed
    since `at`: zero minutes give `at`, and a span that fits up to closing ends at closing.
    None when the calendar does not have them within 366 days.
    """
    if minutes < 0:
        raise ValueError("working minutes cannot be negative")
    now = _microseconds(at)
    left = round(minutes * 60_000_000)
    if left == 0:
        return _instant(now)
    for start, end in _stretches(calendar, now, now + HORIZON_DAYS * _DAY * 1_000_000):
        if left <= end - start:
            return _instant(start + left)
        left -= end - start
    return None


def working_minutes_between(calendar: Calendar, start_at: datetime, end_at: datetime) -> float:
    """Working minutes from `start_at` to `end_at`; 0 when the end is not after the start."""
    stretches = _stretches(calendar, _microseconds(start_at), _microseconds(end_at))
    return sum(end - start for start, end in stretches) / 60_000_000


def open_stretches(
    calendar: Calendar, start_at: datetime, end_at: datetime
) -> list[tuple[datetime, datetime]]:
    """Open stretches within [start_at, end_at), clipped to it, merged, UTC, sorted."""
    stretches = _stretches(calendar, _microseconds(start_at), _microseconds(end_at))
    return [(_instant(start), _instant(end)) for start, end in stretches]


def local_date(calendar: Calendar, at: datetime) -> date:
    """The date at the dealer's place."""
    return at.astimezone(ZoneInfo(calendar.timezone)).date()


def holiday_name(country: str, day: date, language: str) -> str | None:
    """Name of a country's public holiday in `language` ("ar"), else in English, else in the
    country's own; None when `day` is none there. Movable feasts ahead are estimates.
    """
    return _holidays(country.upper(), day.year, language).get(day)


def hours_problem(hours: str) -> str | None:
    """None when `hours` is accepted, else the reason as a message to translate.

    Refused beside what the syntax does not know: times whose meaning would be guessed (sun
    events without a place, an open end) and school holidays, for which there is no source.
    """
    if not hours.strip():
        return N_("Opening hours are missing.")
    if len(hours) > LONGEST_HOURS:
        return N_("Opening hours are too long.")
    text = _canonical(hours)
    if text is None:
        return N_("Opening hours cannot be read. Example: Mo-Fr 09:00-18:00; Sa 09:00-14:00")
    if re.search(r'\d:\d\d\s*"', _QUOTED.sub('""', hours)):
        return N_('A comment after times needs "open" or "unknown" before it.')
    plain = _QUOTED.sub("", text)
    if re.search(r"sunrise|sunset|dawn|dusk", plain):
        return N_("Times of the sun are not supported: write the hours, such as 08:00-18:00.")
    if re.search(r"\bSH\b", plain):
        return N_("School holidays (SH) are not known: write their dates.")
    if re.search(r":\d\d\+", plain):
        return N_("An open end such as 18:00+ is not supported: write when you close.")
    if re.search(r"\b(\d\d:\d\d)-\1\b", plain):
        return N_("Opening and closing time are the same: write 00:00-24:00 for the whole day.")
    sample = (date(2026, 1, 1), date(2026, 12, 31))
    if _parsed(text) is None or _parsed(_with_holiday_dates(text, sample)) is None:
        return N_("Public holidays (PH) are combined with other rules in an unsupported way.")
    return None


def _seconds(at: datetime) -> int:
    since = at - _EPOCH
    return since.days * _DAY + since.seconds


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _instant(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _stretches(calendar: Calendar, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Merged open stretches within [start, end), all in microseconds since 1970."""
    open_since: int | None = None
    open_until = start
    block_length = _BLOCK * 1_000_000
    first = max(start // block_length, _FIRST_BLOCK)
    last = min((end - 1) // block_length, _LAST_BLOCK)
    for index in range(first, last + 1):
        boundaries = _block(calendar, index)
        skipped = bisect_right(boundaries, start // 1_000_000) & ~1 if index == first else 0
        for position in range(skipped, len(boundaries), 2):
            opens = max(boundaries[position] * 1_000_000, start)
            closes = min(boundaries[position + 1] * 1_000_000, end)
            if opens >= end:
                break
            if open_since is not None and opens > open_until:
                yield open_since, open_until
                open_since = None
            open_since = opens if open_since is None else open_since
            open_until = closes
    if open_since is not None:
        yield open_since, open_until


def _block(calendar: Calendar, index: int) -> tuple[int, ...]:
    """Opening and closing times of the index-th 28 days since 1970, alternating, in seconds."""
    if not _FIRST_BLOCK <= index <= _LAST_BLOCK:
        return ()
    closures = calendar.closures
    if closures:
        # Dealers with equal hours share a block unless a closure of their own touches it.
        first = (_EPOCH + timedelta(seconds=index * _BLOCK - _DAY)).date()
        last = first + timedelta(days=30)
        closures = tuple(closed for closed in closures if closed[0] <= last and first <= closed[1])
    return _boundaries(calendar.hours, calendar.timezone, calendar.country, closures, index)


@lru_cache(maxsize=8192)
def _boundaries(
    hours: str,
    timezone: str,
    country: str,
    closures: tuple[tuple[date, date], ...],
    index: int,
) -> tuple[int, ...]:
    zone = ZoneInfo(timezone)
    block_start = index * _BLOCK
    wall = _wall_stretches(hours, country, index)
    boundaries: list[int] = []
    for start, end, offset in _constant_offsets(zone, block_start, block_start + _BLOCK):
        for opens, closes in _without_closures(wall, closures):
            opens, closes = max(opens - offset, start), min(closes - offset, end)
            if opens >= closes:
                continue
            if boundaries and boundaries[-1] == opens:
                boundaries[-1] = closes
            else:
                boundaries += (opens, closes)
    return tuple(boundaries)


def _constant_offsets(zone: ZoneInfo, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Cut [start, end) where the zone changes its offset: (start, end, offset), in seconds."""

    def offset_at(seconds: int) -> int:
        offset = (_EPOCH + timedelta(seconds=seconds)).astimezone(zone).utcoffset()
        return int(offset.total_seconds()) if offset is not None else 0

    since, offset = start, offset_at(start)
    for day in range(start, end, _DAY):
        before, after = day, min(day + _DAY, end)
        changed = offset_at(after)
        if changed == offset:
            continue
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (middle, after) if offset_at(middle) == offset else (before, middle)
        yield since, after, offset
        since, offset = after, changed
    if since < end:
        yield since, end, offset


def _without_closures(
    wall: tuple[tuple[int, int], ...], closures: tuple[tuple[date, date], ...]
) -> Iterator[tuple[int, int]]:
    closed = sorted((_midnight(first), _midnight(last) + _DAY) for first, last in closures)
    for opens, closes in wall:
        for start, end in closed:
            if start >= closes or end <= opens or start >= end:
                continue
            if opens < start:
                yield opens, start
            opens = max(opens, end)
            if opens >= closes:
                break
        if opens < closes:
            yield opens, closes


def _midnight(day: date) -> int:
    return (day.toordinal() - _EPOCH.toordinal()) * _DAY


@lru_cache(maxsize=1024)
def _wall_stretches(hours: str, country: str, index: int) -> tuple[tuple[int, int], ...]:
    """Open stretches on the dealer's wall clock over the block and some days on either side, as
    seconds since 1970 by that clock, sorted. Daylight saving is not the parser's business.
    """
    start = (_EPOCH + timedelta(seconds=index * _BLOCK - 3 * _DAY)).replace(tzinfo=None)
    end = start + timedelta(seconds=_BLOCK + 5 * _DAY)
    text = _canonical(hours)
    if text is None:
        return ()
    if country and "PH" in text:
        # Hours may reach two nights past their day; "PH -9 days" looks further.
        reach = timedelta(days=2 + max((abs(n) for n in _holiday_offsets(text)), default=0))
        first, last = (start - reach).date(), (end + reach).date()
        days = {
            day
            for year in range(first.year, last.year + 1)
            for day in _holidays(country.upper(), year)
            if first <= day <= last
        }
        text = _with_holiday_dates(text, tuple(sorted(days)))
    days_and_nights = [(rules, 0)] if (rules := _parsed(text)) else []
    if split := _day_and_night(text):
        days_and_nights = list(zip(split, (0, _DAY), strict=True))
    found = sorted(
        (_wall_seconds(opens) + later, _wall_seconds(closes) + later)
        for rules, later in days_and_nights
        # Day by day: over a longer span the parser skips days where a fallback ("||") is 24/7.
        for day in range(_BLOCK // _DAY + 5)
        for opens, closes, state, _comment in rules.intervals(
            start + timedelta(days=day), start + timedelta(days=day + 1)
        )
        if state == State.OPEN
    )
    merged: list[tuple[int, int]] = []
    for opens, closes in found:
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(closes, merged[-1][1]))
        else:
            merged.append((opens, closes))
    return tuple(merged)


def _wall_seconds(moment: datetime) -> int:
    return int((moment.replace(tzinfo=UTC) - _EPOCH).total_seconds())


def _day_and_night(text: str) -> tuple[OpeningHours, OpeningHours] | None:
    """Rules up to midnight, and rules of what each day adds to the morning after it.

    The syntax lets a day's rule wipe out what the evening before left over: in "Sa-Th
    20:00-02:00; Fr 21:00-02:00" Thursday would end at midnight. No dealer means that. None where
    nothing passes midnight, or where a rule may be meant to cut the night (hours off, fallbacks).
    """
    pieces = _split_rules(text)
    days, nights, passes_midnight = "", "", False
    for position in range(0, len(pieces), 2):
        separator = pieces[position - 1] if position else ""
        head, quote, comment = pieces[position].partition('"')
        times = _TIMES.search(head)
        if separator == " || " or (times and "closed" in head):
            return None
        spans = times[0].split(",") if times else []
        evenings = [_until_midnight(span) for span in spans]
        mornings = [span for span in map(_past_midnight, spans) if span]
        passes_midnight = passes_midnight or bool(mornings)
        before, after = (head[: times.start()], head[times.end() :]) if times else (head, "")
        days += f"{separator}{before}{','.join(evenings)}{after}{quote}{comment}"
        if mornings:
            nights += f"{separator}{before}{','.join(mornings)}{after}{quote}{comment}"
        elif "closed" in head:
            nights += f"{separator}{before}"
        elif separator != ", ":
            selector = re.sub(r" ?unknown ?$", "", before).strip()
            nights += f"{separator}{selector} closed"
    if not passes_midnight:
        return None
    by_day, by_night = _parsed(days.strip()), _parsed(nights.strip())
    return (by_day, by_night) if by_day and by_night else None


def _until_midnight(span: str) -> str:
    start, end = span.split("-")
    return span if start < end <= "24:00" else f"{start}-24:00"


def _past_midnight(span: str) -> str | None:
    start, end = span.split("-")
    if start < end <= "24:00":
        return None
    hour = int(end[:2]) % 24 if end < "48:00" else 24
    return f"00:00-{hour:02}{end[2:]}" if (hour, end[3:]) != (0, "00") else None


@lru_cache(maxsize=1024)
def _canonical(hours: str) -> str | None:
    """The value as its parser spells it (one space, `closed`, no colons), None if unreadable."""
    # The parser takes a comment alone for "open", the specification for "unknown".
    rules = _parsed(_COMMENT.sub(lambda found: found[1] or f"unknown {found[0]}", hours))
    if rules is None:
        return None
    # The parser spells "+1 day" as "1 days", which it does not read back.
    return _UNSIGNED_DAYS.sub(lambda found: found[1] or "+", str(rules))


def _parsed(hours: str) -> OpeningHours | None:
    return OpeningHours(hours, max_interval_days=HORIZON_DAYS) if validate(hours) else None


def _holiday_offsets(days: str) -> list[int]:
    return [int(found[1] or 0) for found in _HOLIDAY_ITEM.finditer(_QUOTED.sub("", days))]


def _with_holiday_dates(text: str, days: tuple[date, ...]) -> str:
    """Repeat each rule that names `PH` for the dates of the holidays.

    The parser knows no country of the Gulf, and for Turkey or Egypt only the civil holidays; it
    is therefore given none, and the dates instead. `PH` without a country never applies, so the
    rule itself stays for its other days.
    """
    parts: list[str] = []
    pieces = _split_rules(text)
    for position in range(0, len(pieces), 2):
        rule, separator = pieces[position], pieces[position - 1] if position else "; "
        parts += (separator, rule) if position else (rule,)
        head, quote, comment = rule.partition('"')
        found = _WITH_HOLIDAY.search(head)
        if found is None:
            continue
        dates = {day + timedelta(n) for day in days for n in _holiday_offsets(found["days"])}
        season = OpeningHours(head[: found.start()]) if head[: found.start()].strip() else None
        matching = sorted(
            day
            for day in dates
            if season is None or season.is_open(datetime.combine(day, time(12)))
        )
        if matching:
            listed = ",".join(f"{d.year} {_MONTHS[d.month - 1]} {d.day:02}" for d in matching)
            parts += (separator, f"{listed}{head[found.end() :]}{quote}{comment}")
    return "".join(parts)


def _split_rules(text: str) -> list[str]:
    """Rules and the separators between them, alternating; comments are left whole."""
    pieces, since = [], 0
    for found in _RULE_SEPARATOR.finditer(text):
        if found[2]:
            pieces += [text[since : found.start()], found[2]]
            since = found.end()
    return [*pieces, text[since:]]


@lru_cache(maxsize=512)
def _holidays(country: str, year: int, language: str = "") -> dict[date, str]:
    if country not in holidays.list_supported_countries(include_aliases=False):
        return {}
    if not language:
        return dict(holidays.country_holidays(country, years=year))
    known = holidays.country_holidays(country).supported_languages
    wanted = (name for code in (language, "en") for name in known if name.split("_")[0] == code)
    return dict(holidays.country_holidays(country, years=year, language=next(wanted, None)))
