"""Reads one cell of a list of dealers: a name, a cap, a country, days closed, postcodes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from email_validator import EmailNotValidError, validate_email

from lmt.dealerfiles.closurespans import BadSpan, closure_spans
from lmt.dealerfiles.postcodelists import BadPostcodeList, postcode_prefixes
from lmt.dealerfiles.row import NOTE, Problem
from lmt.dealerfiles.vocabulary import kind_named, yes_or_no
from lmt.ingest.countries import country_code
from lmt.ingest.languages import language_code

HIGHEST_CAP = 1_000_000
HIGHEST_WEIGHT = 1_000
"""As `lmt.dealers` has them for what is typed."""
LONGEST = {"code": 40, "name": 200, "group": 100, "street": 300, "postcode": 20, "city": 100}
_DECIMALS = str.maketrans({"٫": ".", ",": "."})


@dataclass(slots=True)
class Reading:
    """A line while it is read: what it states, {field: (cell, column's name)}; the values found,
    and the problems told. `dates` and `today` as in RowReader."""

    stated: Mapping[str, tuple[str, str]]
    today: date
    dates: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def cell(self, name: str) -> str:
        return self.stated.get(name, ("", ""))[0]

    def column(self, name: str) -> str:
        return self.stated.get(name, ("", ""))[1]

    def tell(self, code: str, name: str, given: str, kind: str = "error", **figures: Any) -> None:
        self.problems.append(Problem(code, name, self.column(name), given[:200], kind, figures))


def read_cells(reading: Reading) -> None:
    """Every field that is one cell. An empty one says nothing, but for those that say: none."""
    for name, reads in _READERS.items():
        text = reading.cell(name)
        if name in reading.stated and (text or name in _WHOLE):
            reads(reading, name, text)
    day, month = reading.values.get("day_cap"), reading.values.get("month_cap")
    if day is not None and month is not None and day > month:
        reading.tell("day_above_month", "day_cap", str(day))


def _text(reading: Reading, name: str, text: str) -> None:
    plain = " ".join(text.split())
    if len(plain) > LONGEST.get(name, 100):
        reading.tell("too_long", name, plain[:60])
    else:
        reading.values[name] = plain


def _read_as(reads: Callable[[str], Any], problem: str) -> Callable[[Reading, str, str], None]:
    """A field whose cell is read by `reads`; what gives "" or nothing is told as `problem`."""

    def read(reading: Reading, name: str, text: str) -> None:
        value = reads(text)
        if value is None or value in ("", ()):
            reading.tell(problem, name, text)
        else:
            reading.values[name] = value

    return read


def _cap(reading: Reading, name: str, text: str) -> None:
    cap = _number(text) if text else None
    if text and (cap is None or cap != int(cap) or not 0 <= cap <= HIGHEST_CAP):
        reading.tell("not_a_cap", name, text)
    else:
        reading.values[name] = None if cap is None else int(cap)


def _weight(reading: Reading, name: str, text: str) -> None:
    weight = _number(text)
    if weight is None or not 0 < weight <= HIGHEST_WEIGHT:
        reading.tell("not_a_weight", name, text)
    else:
        reading.values[name] = weight


def _closures(reading: Reading, name: str, text: str) -> None:
    spans = closure_spans(text, reading.dates)
    if isinstance(spans, BadSpan):
        reading.tell(spans.code, name, spans.given)
        return
    reading.values[name] = tuple(span for span in spans if span[1] >= reading.today)
    if len(reading.values[name]) < len(spans):
        reading.tell("closures_over", name, text, NOTE)


def _postcodes(reading: Reading, name: str, text: str) -> None:
    try:
        reading.values[name.removeprefix("postcodes.")] = postcode_prefixes(text)
    except BadPostcodeList as bad:
        reading.tell("bad_postcodes", name, str(bad))


def _languages(text: str) -> tuple[str, ...]:
    codes = [language_code(part) for part in re.split(r"[,;|/+\n،]", text) if part.strip()]
    return tuple(dict.fromkeys(codes)) if codes and all(codes) else ()


def _email(text: str) -> str:
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        return ""


def _timezone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (KeyError, OSError, ValueError):
        return ""


def _number(text: str) -> float | None:
    try:
        value = float(text.translate(_DECIMALS))
    except ValueError:
        return None
    return value if abs(value) < 1e12 else None


_READERS: Mapping[str, Callable[[Reading, str, str], None]] = {
    **dict.fromkeys(("name", "group", "street", "postcode", "city", "market"), _text),
    "kind": _read_as(kind_named, "unknown_kind"),
    "country": _read_as(country_code, "unknown_country"),
    "email": _read_as(_email, "not_a_mail"),
    "languages": _read_as(_languages, "unknown_language"),
    "timezone": _read_as(_timezone, "unknown_timezone"),
    "active": _read_as(yes_or_no, "not_yes_or_no"),
    "paused": _read_as(yes_or_no, "not_yes_or_no"),
    **dict.fromkeys(("day_cap", "month_cap", "open_cap"), _cap),
    "weight": _weight,
    "closures": _closures,
    **dict.fromkeys(("postcodes.exclusive", "postcodes.shared"), _postcodes),
}
_WHOLE = frozenset(
    {"group", "day_cap", "month_cap", "open_cap", "closures", "postcodes.exclusive",
     "postcodes.shared"}
)  # fmt: skip
"""Fields of which an empty cell says: none."""
