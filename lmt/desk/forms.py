"""What a dealer types about a lead, checked: plain values, or a message beside the field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from lmt.i18n import gettext as _
from lmt.labels import LABELS

Given = Mapping[str, str]

LONGEST_NOTE = 4000
LONGEST_LINE = 200
LONGEST_DOUBT = 1000
TEAM = "team"
"""In a form: nobody in particular."""
MOST_VALUE = Decimal("999999999999.99")
_FARTHEST = timedelta(days=730)


class Unclear(ValueError):
    """What was typed can't be taken; `problems` holds a message per field."""

    def __init__(self, problems: Mapping[str, str]):
        super().__init__("; ".join(problems.values()))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Plan:
    kind: str
    due_at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class Sale:
    """`sold_on` is the day on the dealer's wall; None: today."""

    model: str
    order_number: str
    value: Decimal | None
    sold_on: date | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    reason: str
    note: str


@dataclass(frozen=True, slots=True)
class Contact:
    how: str
    result: str
    note: str


@dataclass(frozen=True, slots=True)
class Rest:
    """The day on which a resting lead comes back."""

    until: date
    note: str


def plan(given: Given, *, zone: str, at: datetime) -> Plan:
    """A next step: its kind and a local time ahead. Raises Unclear."""
    problems: dict[str, str] = {}
    kind = _choice(given, "kind", "plan_kind", _("Please choose what to do."), problems)
    due_at = _instant(given.get("due_at", ""), zone)
    if due_at is None:
        problems["due_at"] = _("Please give a day and a time.")
    elif due_at <= at:
        problems["due_at"] = _("This time has passed. Please choose a later one.")
    elif due_at > at + _FARTHEST:
        problems["due_at"] = _("This is too far ahead.")
    note = _note(given, problems)
    if problems or due_at is None:
        raise Unclear(problems)
    return Plan(kind, due_at, note)


def plan_or_none(given: Given, *, zone: str, at: datetime) -> Plan | None:
    """As `plan`, where nothing may be planned at all. Raises Unclear."""
    wanted = given.get("kind", "") or given.get("due_at", "")
    return plan(given, zone=zone, at=at) if wanted else None


def rest(given: Given, *, zone: str, at: datetime) -> Rest:
    """A day ahead, on the wall of `zone`. Raises Unclear."""
    problems: dict[str, str] = {}
    today = at.astimezone(ZoneInfo(zone)).date()
    until = None
    try:
        until = date.fromisoformat(given.get("until", ""))
    except ValueError:
        problems["until"] = _("Please give a day.")
    if until is not None and until <= today:
        problems["until"] = _("Please choose a day from tomorrow on.")
    elif until is not None and until > today + _FARTHEST - timedelta(days=2):
        problems["until"] = _("This is too far ahead.")
    note = _note(given, problems)
    if problems or until is None:
        raise Unclear(problems)
    return Rest(until, note)


def doubt(given: Given) -> str:
    """Why a dealer contests a decision, which it needn't say. Raises Unclear."""
    problems: dict[str, str] = {}
    note = _note(given, problems)
    if not problems and len(note) > LONGEST_DOUBT:
        problems["note"] = _("This is too long.")
    if problems:
        raise Unclear(problems)
    return note


def short_note(given: Given) -> str:
    """A remark that may be left out. Raises Unclear."""
    problems: dict[str, str] = {}
    note = _note(given, problems)
    if problems:
        raise Unclear(problems)
    return note


def colleague(given: Given) -> int | None:
    """Whom a lead is handed to, by id; None for the whole team. Raises Unclear."""
    chosen = given.get("to", "")
    if chosen == TEAM:
        return None
    if not (chosen.isascii() and chosen.isdecimal() and len(chosen) < 10):
        raise Unclear({"to": _("Please choose a colleague.")})
    return int(chosen)


def question(given: Given) -> tuple[str, int | None]:
    """What is asked, and the id of the expert who is; None for headquarters. Raises Unclear."""
    problems: dict[str, str] = {}
    text = given.get("question", "").strip()
    if not text:
        problems["question"] = _("Please write your question.")
    elif len(text) > LONGEST_NOTE:
        problems["question"] = _("This is too long.")
    expert = given.get("expert", "")
    known = expert == "" or (expert.isascii() and expert.isdecimal() and len(expert) < 10)
    if not known:
        problems["expert"] = _("Please choose whom to ask.")
    if problems:
        raise Unclear(problems)
    return text, int(expert) if expert else None


def verdict(given: Given) -> Reason:
    """What a lead was worth. Raises Unclear."""
    problems: dict[str, str] = {}
    code = _choice(given, "verdict", "verdict", _("Please choose your verdict."), problems)
    note = _note(given, problems)
    if not problems and len(note) > LONGEST_DOUBT:
        problems["note"] = _("This is too long.")
    if problems:
        raise Unclear(problems)
    return Reason(code, note)


def refusal(given: Given) -> Reason:
    """Why a dealer declines. Raises Unclear."""
    return _reason(given, "decline_reason")


def loss(given: Given) -> Reason:
    """Why a lead was lost. Raises Unclear."""
    return _reason(given, "lost_reason")


def contact(given: Given) -> Contact:
    """How the customer was contacted, and what came of it. Raises Unclear."""
    problems: dict[str, str] = {}
    how = _choice(given, "how", "contact_how", _("Please choose how."), problems)
    result = _choice(
        given, "result", "contact_result", _("Please choose what came of it."), problems
    )
    note = _note(given, problems)
    if problems:
        raise Unclear(problems)
    return Contact(how, result, note)


def note(given: Given) -> str:
    """A note that says something. Raises Unclear."""
    problems: dict[str, str] = {}
    text = _note(given, problems)
    if not text and not problems:
        problems["note"] = _("Please write something.")
    if problems:
        raise Unclear(problems)
    return text


def sale(given: Given, *, today: date) -> Sale:
    """What was sold, and when: not in the future. Everything may be left out; a comma or a point
    marks cents. Raises Unclear."""
    problems: dict[str, str] = {}
    sold_on = _day_sold(given, today, problems)
    lines = {}
    for name in ("model", "order_number"):
        lines[name] = given.get(name, "").strip()
        if len(lines[name]) > LONGEST_LINE:
            problems[name] = _("This is too long.")
    value = None
    typed = given.get("value", "").strip()
    if typed:
        value = amount(typed)
        if value is None:
            problems["value"] = _("Please enter an amount, such as 32500.")
    if problems:
        raise Unclear(problems)
    return Sale(lines["model"], lines["order_number"], value, sold_on)


def amount(typed: str) -> Decimal | None:
    """A positive sum as people type it (`32 500`, `32.500,00`, `٣٢٥٠٠`); None if it isn't one.

    A single mark followed by three digits groups thousands: nobody types tenths of cents.
    """
    text = "".join(c for c in typed if not c.isspace() and c not in "'\u2019\u066c")
    text = text.replace("\u066b", ".")
    marks = [c for c in text if c in ".,"]
    if marks:
        head, _mark, tail = text.rpartition(marks[-1])
        one_kind = len(set(marks)) == 1
        groups = len(tail) == 3 if one_kind else False
        if one_kind and len(marks) > 1 and not groups:
            return None
        head = head.replace(".", "").replace(",", "")
        text = head + tail if groups else f"{head or '0'}.{tail}"
    if not all(c.isdecimal() or c == "." for c in text) or text in {"", "0."}:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value.quantize(Decimal("0.01")) if value <= MOST_VALUE else None


def _day_sold(given: Given, today: date, problems: dict[str, str]) -> date | None:
    typed = given.get("sold_on", "")
    if not typed:
        return None
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        problems["sold_on"] = _("Please give a day.")
        return None
    if day > today:
        problems["sold_on"] = _("This day is yet to come. Please give the day of the sale.")
    elif day < today - _FARTHEST:
        problems["sold_on"] = _("This is too long ago.")
    return day if day != today else None


def _reason(given: Given, kind: str) -> Reason:
    problems: dict[str, str] = {}
    reason = _choice(given, "reason", kind, _("Please choose a reason."), problems)
    note = _note(given, problems)
    if problems:
        raise Unclear(problems)
    return Reason(reason, note)


def _choice(given: Given, name: str, kind: str, problem: str, problems: dict[str, str]) -> str:
    code = given.get(name, "")
    if code not in LABELS[kind]:
        problems[name] = problem
    return code


def _note(given: Given, problems: dict[str, str]) -> str:
    text = given.get("note", "").strip()
    if len(text) > LONGEST_NOTE:
        problems["note"] = _("This is too long.")
    return text


def _instant(typed: str, zone: str) -> datetime | None:
    """`2026-03-08T10:20` on the wall of `zone`, in UTC."""
    try:
        local = datetime.fromisoformat(typed)
        return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
