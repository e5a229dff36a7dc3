"""Opening hours as dealers write them: OpenStreetMap values read, and spread over the days on which
a dealer's lead may be answered.

Values follow https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification, read by
`opening_hours`; public holidays (`PH`) come from `lmt.publicholidays`. Hours past midnight belong
to the day they began on, whatever the next day's rule says. What the value only calls possible
(`unknown`, a comment without `open` such as "by appointment") counts as closed: no promise can
rest on it.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from opening_hours import OpeningHours, State, validate

from lmt.publicholidays import holidays_of

LONGEST_HOURS = 1000
LONGEST_CLOSED_DAYS = 366

Stretch = tuple[int, int]
SpecialDays = tuple[date, date, str]

_EPOCH = datetime(1970, 1, 1)
_DAY_SECONDS = 86_400
_ONE_DAY = timedelta(days=1)

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
_SPAN = re.compile(r"\d\d:\d\d-\d\d:\d\d")
_COMMENT = re.compile(r'((?i:\b(?:open|closed|off|unknown)\s*)"[^"]*")|"[^"]*"')
_RULE_SEPARATOR = re.compile(r'("[^"]*")|(; |, | \|\| )')
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def N_(message: str) -> str:
    """Mark a message for translation where it is shown."""
    return message


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


def wall_stretches(
    hours: str,
    country: str,
    first: date,
    days: int,
    special: tuple[SpecialDays, ...] = (),
) -> tuple[Stretch, ...]:
    """Open stretches on the dealer's wall clock of what begins on `days` days from `first` on, as
    seconds since 1970 by that clock, merged, sorted. Daylight saving is not the parser's business.
    `country` (ISO 3166-1 alpha-2) says which holidays `PH` stands for; "" for none. `special` are
    (first day, last day, hours in the place of `hours`), the first that covers a day counts.
    """
    begun = _begun(hours, country, first, days)
    if special:
        chosen = list(begun)
        for since, until, other in reversed(special):
            positions = range(max((since - first).days, 0), min((until - first).days + 1, days))
            if positions:
                replacing = _begun(other, country, first, days)
                for position in positions:
                    chosen[position] = replacing[position]
        begun = tuple(chosen)
    merged: list[Stretch] = []
    for opens, closes in sorted(stretch for day in begun for stretch in day):
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(closes, merged[-1][1]))
        else:
            merged.append((opens, closes))
    return tuple(merged)


@lru_cache(maxsize=1024)
def _begun(hours: str, country: str, first: date, days: int) -> tuple[tuple[Stretch, ...], ...]:
    """For each of the days, the stretches that belong to it; they may end after it."""
    begun: list[list[Stretch]] = [[] for _ in range(days)]
    start = datetime.combine(first, time())
    text = _canonical(hours)
    if text is None:
        return tuple(tuple(day) for day in begun)
    if country and "PH" in text:
        text = _with_holidays(text, country, start, start + timedelta(days=days))
    split = _day_and_night(text)
    if split:
        days_and_nights = list(zip(split, (0, _DAY_SECONDS), strict=True))
    else:
        days_and_nights = [(rules, 0)] if (rules := _parsed(text)) else []
    # Rules that can't be split leave the night before at the beginning of a day.
    leftovers = not split and any(map(_past_midnight, _SPAN.findall(_QUOTED.sub("", text))))
    for rules, later in days_and_nights:
        # Day by day: over a longer span the parser skips days where a fallback ("||") is 24/7.
        for day in range(days):
            midnight = start + timedelta(days=day)
            for opens, closes, state, _comment in rules.intervals(
                midnight, midnight + timedelta(days=1)
            ):
                if state != State.OPEN:
                    continue
                stretch = (_wall_seconds(opens) + later, _wall_seconds(closes) + later)
                begins = day
                if leftovers and day and opens == midnight and closes < midnight + _ONE_DAY:
                    before = begun[day - 1]
                    begins -= bool(before and before[-1][1] == stretch[0])
                begun[begins].append(stretch)
    return tuple(tuple(day) for day in begun)


def _with_holidays(text: str, country: str, start: datetime, end: datetime) -> str:
    # Hours may reach two nights past their day; "PH -9 days" looks further.
    reach = timedelta(days=2 + max((abs(n) for n in _holiday_offsets(text)), default=0))
    since, until = (start - reach).date(), (end + reach).date()
    dates = {
        day
        for year in range(since.year, until.year + 1)
        for day in holidays_of(country.upper(), year)
        if since <= day <= until
    }
    return _with_holiday_dates(text, tuple(sorted(dates)))


def _wall_seconds(moment: datetime) -> int:
    return int((moment - _EPOCH).total_seconds())


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
    return OpeningHours(hours, max_interval_days=LONGEST_CLOSED_DAYS) if validate(hours) else None


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
