"""The next step as a dealer picks it: with one tap, from the times that can be booked, or typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from babel.support import LazyProxy

from lmt.desk import forms
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.labels import LABELS
from lmt.workhours import Calendar, next_opening

SOON = timedelta(minutes=10)
"""A call "now" is due once there was time to make it."""
CALLS: Mapping[str, LazyProxy] = {
    "now": _l("Call now"),
    "hour": _l("Call in 1 hour"),
    "opening": _l("Call tomorrow at opening"),
}
TIMES: Mapping[str, LazyProxy] = {
    "hour": _l("In 1 hour"),
    "opening": _l("Tomorrow at opening"),
}
_OPENING_WHERE_NEVER_OPEN = time(9)
_BOOKED = "slot"


@dataclass(frozen=True, slots=True)
class Step:
    """`booked`: the time is one of the dealer's bookable ones, and takes a place of it."""

    kind: str
    due_at: datetime
    note: str
    booked: bool = False


def quick_due(code: str, *, calendar: Calendar, at: datetime) -> datetime:
    """When a step named by one of CALLS or TIMES is due, in UTC; KeyError for another code."""
    if code == "now":
        return at + SOON
    if code == "hour":
        return at + timedelta(hours=1)
    if code != "opening":
        raise KeyError(code)
    zone = ZoneInfo(calendar.timezone)
    tomorrow = at.astimezone(zone).date() + timedelta(days=1)
    opens_at = next_opening(calendar, datetime.combine(tomorrow, time(), zone).astimezone(UTC))
    nine = datetime.combine(tomorrow, _OPENING_WHERE_NEVER_OPEN, zone)
    return (opens_at or nine).astimezone(UTC)


def step_of_accepting(given: forms.Given, *, calendar: Calendar, at: datetime) -> Step | None:
    """A call by one of CALLS, a step that was typed, or none at all. Raises Unclear."""
    quick = given.get("quick", "")
    if quick in CALLS:
        note = forms.short_note(given)
        return Step("call", quick_due(quick, calendar=calendar, at=at), note)
    typed = forms.plan_or_none(given, zone=calendar.timezone, at=at)
    return Step(typed.kind, typed.due_at, typed.note) if typed else None


def step_of_planning(given: forms.Given, *, calendar: Calendar, at: datetime) -> Step:
    """A bookable time, one of TIMES, or a typed one. Raises Unclear."""
    when = given.get("when", "")
    kind, starts_at = _slot(when)
    if starts_at is not None:
        return Step(kind, starts_at, forms.short_note(given), booked=True)
    if when in TIMES:
        kind = given.get("kind", "")
        if kind not in LABELS["plan_kind"]:
            raise forms.Unclear({"kind": _("Please choose what to do.")})
        note = forms.short_note(given)
        return Step(kind, quick_due(when, calendar=calendar, at=at), note)
    typed = forms.plan(given, zone=calendar.timezone, at=at)
    return Step(typed.kind, typed.due_at, typed.note)


def slot_value(kind: str, starts_at: datetime) -> str:
    """How a form names a bookable time."""
    return f"{_BOOKED}~{kind}~{starts_at.astimezone(UTC).isoformat()}"


def _slot(value: str) -> tuple[str, datetime | None]:
    head, _mark, rest = value.partition("~")
    kind, _mark, moment = rest.partition("~")
    if head != _BOOKED or kind not in LABELS["plan_kind"]:
        return "", None
    try:
        starts_at = datetime.fromisoformat(moment)
    except ValueError:
        return "", None
    return kind, starts_at if starts_at.tzinfo is not None else None
