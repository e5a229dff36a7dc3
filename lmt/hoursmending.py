"""Sloppy but plain opening hours, put right: what a dealer is offered when its hours are refused.

Only what can be read in one way is mended: "10-18" is, "9-5" and "Di 9-12" (Sunday in French, a
Tuesday in German and Dutch) are not. A mended value is offered to whoever typed it, never applied.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from lmt.hourswords import AFTERNOON, EVERY_DAY, HOLIDAY, MORNING, Word, folded, vocabularies
from lmt.openinghours import LONGEST_HOURS, hours_problem

_CODES = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su", "PH")
_NOON = 12 * 60
_MIDNIGHT = 24 * 60
_EARLIEST_PLAIN = 6 * 60
"""A bare hour before it, as in "1-5", may as well be meant for the afternoon."""

_LETTER = r"[^\W\d_]"
_HALVES = "|".join(re.escape(word) for word in sorted(MORNING | AFTERNOON, key=len, reverse=True))
_TIME = re.compile(
    rf"(?<!\d)(?:(?P<hour>\d{{1,2}})(?:\s?[:.]\s?|\s?[hu]\s?)(?P<minute>\d\d)(?:\s?h(?!{_LETTER}))?"
    rf"|(?P<both>\d{{4}})|(?P<bare>\d{{1,2}})(?:\s?[hu](?!{_LETTER}))?)(?!\d)"
    rf"(?:\s?(?P<half>{_HALVES})(?!{_LETTER}))?"
)
_DOTTED = re.compile(r"(?<![\d.])([01]?\d|2[0-4])[.h]([0-5]\d)(?![\d.])")
# "06.07-09.07 10:00-14:00" begins with July's days rather than with hours.
_DATES = re.compile(r"\d\.\d\d\s*-\s*\d+\.\d\d\s+\d+:\d\d")
_SIGNS = {"-": "-", ",": ",", "&": ",", "+": ",", "/": ",", ".": ",", ";": ";", "|": ";", "\n": ";"}
_NOTHING = " :()\r"
# One part of a value: days before or after their hours, and at its end what is closed.
_SHAPES = re.compile(r"(?:D[SC])+(?:CD)?|(?:SD)+(?:CD)?|S(?:CD)?|CD?")


@dataclass(frozen=True, slots=True)
class _Clock:
    """A time as written: minutes since midnight, and "am", "pm" or "" beside it."""

    minutes: int
    half: str


_Span = tuple[int, int]
_Token = tuple[str, int | _Clock]
_Item = tuple[str, tuple[tuple[int, int], ...]]
"""`D` with ranges of days, `S` with spans in minutes, `C` with nothing."""


@lru_cache(maxsize=1024)
def mended(hours: str) -> str | None:
    """`hours` in the syntax of OpenStreetMap, to be offered; None when they are accepted as they
    are, or when what they mean would be guessed.
    """
    if not hours.strip() or len(hours) > LONGEST_HOURS or hours_problem(hours) is None:
        return None
    text = folded(hours)
    if len(text) > LONGEST_HOURS or _DATES.search(text):
        return None
    readings: set[str] = set()
    for mixed, words in vocabularies():
        if mixed and len(readings) == 1:
            break
        reading = _reading(text, words)
        if reading is not None:
            readings.add(reading)
    tidy = _tidied(hours)
    if not readings and tidy is not None:
        return tidy
    if len(readings) != 1 or (tidy is not None and not _same(tidy, *readings)):
        return None
    found = readings.pop()
    return found if hours_problem(found) is None else None


def _tidied(hours: str) -> str | None:
    """Right but for dots, dashes and full-width digits; keeps months, weeks and comments."""
    text = "".join(str(int(sign)) if sign.isdecimal() else sign for sign in hours)
    text = re.sub(r"\s*[‐‑‒–—―−～~〜]\s*", "-", text).replace("：", ":")
    dotted = _DOTTED.sub(lambda found: f"{int(found[1]):02}:{found[2]}", text)
    if dotted == text:
        text = re.sub(r"(?<=\d:\d\d)\s+(?=\d{1,2}:\d\d)", ",", text)
    # Beside colons, or closed, "06.07-09.07" is rather a date.
    elif re.search(r"\d:\d", text) or re.search(rf"{_DOTTED.pattern}\s*(off|closed)\b", text):
        return None
    else:
        text = dotted
    return text if text != hours and hours_problem(text) is None else None


def _same(one: str, other: str) -> bool:
    """Alike but for blanks, leading zeros and the words for closed."""

    def bare(text: str) -> str:
        text = re.sub(r"\bclosed\b", "off", re.sub(r"\s+", "", text.casefold()))
        return re.sub(r"(?<!\d)(\d):", r"0\1:", text).replace(";", ",")

    return bare(one) == bare(other)


def _reading(text: str, words: Mapping[str, Word]) -> str | None:
    """What the text says in one vocabulary."""
    rules: list[tuple[tuple[tuple[int, int], ...] | None, tuple[_Span, ...]]] = []
    tokens = _tokens(text, words)
    if tokens is None:
        return None
    for part in _parts(tokens):
        items = _items(part)
        if items is None:
            return None
        shape = "".join(kind for kind, _ in items)
        if shape == "SDS" and len(items[1][1]) == 2:
            # "9-17 Mo-Fr, Sa 9-13"
            first, last = items[1][1]
            items[1:2] = [("D", (first,)), ("D", (last,))]
            rules += [(items[1][1], items[0][1]), (items[2][1], items[3][1])]
            continue
        if not shape:
            continue
        if not _SHAPES.fullmatch(shape):
            return None
        rules += _rules(items)
    return _written(rules)


def _tokens(text: str, words: Mapping[str, Word]) -> list[_Token] | None:
    """The text cut into words, times and signs; None where something isn't known."""
    tokens: list[_Token] = []
    known = _pattern(tuple(words))
    position = 0
    while position < len(text):
        if found := known.match(text, position):
            kind, value = words[found[1]]
            # "8h-24h" ends a day, it doesn't fill one.
            if kind == "H" and tokens and tokens[-1][0] == "-":
                kind, value = "", 0
            if kind:
                tokens += [(kind, value)] * (kind != " ")
                position = found.end()
                continue
        if found := _TIME.match(text, position):
            clock = _clock(found)
            if clock is None:
                return None
            tokens.append(("T", clock))
            position = found.end()
        elif text[position] in _SIGNS:
            tokens.append((_SIGNS[text[position]], 0))
            position += 1
        elif text[position] in _NOTHING:
            position += 1
        else:
            return None
    return tokens


@lru_cache(maxsize=32)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    listed = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    # An Arabic "and" is written together with what follows it.
    return re.compile(
        rf"(?:(?<!{_LETTER})|(?<=\bو))({listed})(?:(?<=و)(?=ال)|(?<=.)(?!{_LETTER}|\d))\.?|(?!)"
    )


def _clock(found: re.Match[str]) -> _Clock | None:
    if found["both"]:
        hour, minute = int(found["both"][:2]), int(found["both"][2:])
    else:
        hour, minute = int(found["hour"] or found["bare"]), int(found["minute"] or 0)
    half = "" if not found["half"] else "am" if found["half"] in MORNING else "pm"
    if hour > 24 or minute > 59 or (hour == 24 and minute) or (half and not 1 <= hour <= 12):
        return None
    if half:
        hour = hour % 12 + 12 * (half == "pm")
    return _Clock(hour * 60 + minute, half)


def _parts(tokens: Sequence[_Token]) -> Iterator[list[_Token]]:
    part: list[_Token] = []
    for token in tokens:
        if token[0] == ";":
            yield part
            part = []
        else:
            part.append(token)
    yield part


def _items(tokens: Sequence[_Token]) -> list[_Item] | None:
    """Tokens joined to days, spans and "closed"; None where they don't fit together."""
    items: list[_Item] = []
    joined = False
    position = 0
    while position < len(tokens):
        kind, _ = tokens[position]
        if kind == ",":
            joined = True
            position += 1
            continue
        item = _item(tokens, position)
        if item is None:
            return None
        made, position = item
        before = items[-1][0] if items else ""
        if made[0] == before == "S" or (made[0] == before == "D" and joined):
            items[-1] = (before, items[-1][1] + made[1])
        elif made[0] == before:
            return None
        else:
            items.append(made)
        joined = False
    return items


def _item(tokens: Sequence[_Token], position: int) -> tuple[_Item, int] | None:
    kind, value = tokens[position]
    if kind == "C":
        return ("C", ()), position + 1
    if kind == "H":
        return ("S", ((0, _MIDNIGHT),)), position + 1
    if kind == "W" and isinstance(value, int):
        return ("D", ((0, value),)), position + 1
    ranged = position + 2 < len(tokens) and tokens[position + 1][0] == "-"
    other = tokens[position + 2] if ranged else ("", 0)
    if kind == "D" and isinstance(value, int):
        if not ranged:
            return ("D", ((0, 6) if value == EVERY_DAY else (value, value),)), position + 1
        last = other[1]
        if other[0] != "D" or not isinstance(last, int) or max(value, last) >= HOLIDAY:
            return None
        return ("D", ((value, last),)), position + 3
    if kind == "T" and isinstance(value, _Clock) and isinstance(other[1], _Clock):
        span = _span(value, other[1])
        return None if span is None else (("S", (span,)), position + 3)
    return None


def _span(first: _Clock, last: _Clock) -> _Span | None:
    """A span in minutes of the day, over midnight where its end comes first; None if unclear."""
    start, end = first.minutes, last.minutes
    if last.half and not first.half:
        # "9-5pm" can only begin in the morning, "9-11pm" may begin in either half.
        if start > _NOON or last.half == "am" or start % _NOON <= end % _NOON:
            return None
    elif first.half and not last.half:
        if first.half == "pm" or end > _NOON or end >= start:
            return None
        end += _NOON
    elif not first.half and end <= _NOON and 0 < start < _EARLIEST_PLAIN:
        return None
    end = end or _MIDNIGHT
    if end > start:
        return start, end
    over_midnight = start > _NOON and end <= _EARLIEST_PLAIN
    return (start, end) if over_midnight else None


def _rules(
    items: Sequence[_Item],
) -> Iterator[tuple[tuple[tuple[int, int], ...] | None, tuple[_Span, ...]]]:
    """Pairs of days (None: all that aren't named) and spans (none: closed)."""
    rest = list(items)
    if [kind for kind, _ in rest[:2]] in (["S"], ["C"], ["S", "C"]):
        yield None, rest.pop(0)[1]
    for one, other in zip(rest[::2], rest[1::2], strict=True):
        days, spans = (one, other) if one[0] == "D" else (other, one)
        yield days[1], spans[1]


def _written(
    rules: Sequence[tuple[tuple[tuple[int, int], ...] | None, tuple[_Span, ...]]],
) -> str | None:
    if not rules or any(days is None for days, _ in rules[1:]):
        return None
    if len(rules) == 1 and rules[0] == (None, ()):
        return "off"
    if len(rules) == 1 and rules[0] == (None, ((0, _MIDNIGHT),)):
        return "24/7"
    if not any(spans for _, spans in rules):
        return None
    named: set[int] = set()
    written = []
    for days, spans in rules:
        if days is None and not spans:
            return None
        ends = [0, *(minute for span in spans for minute in span)]
        if any(a > b for a, b in pairwise(ends[:-1])):
            return None
        for first, last in days or ():
            each = {(first + n) % 7 for n in range((last - first) % 7 + 1)}
            each = {HOLIDAY} if first == HOLIDAY else each
            if each & named:
                return None
            named |= each
        listed = ",".join(
            _CODES[first] + (f"-{_CODES[last]}" if last != first else "")
            for first, last in days or ()
        )
        times = ",".join(f"{_shown(start)}-{_shown(end)}" for start, end in spans)
        written.append(f"{listed} {times or 'off'}".strip())
    # A later rule wins, so the holidays' comes last.
    return "; ".join(sorted(written, key=lambda rule: rule.startswith("PH")))


def _shown(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
