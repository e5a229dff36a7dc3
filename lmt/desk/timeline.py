"""What happened to a lead, event by event, in the words a dealer uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from lmt.i18n import format_day_time, format_km, format_number
from lmt.i18n import gettext as _
from lmt.labels import LABELS, label
from lmt.models import Event

ICONS: Mapping[str, str] = {
    "received": "inbox",
    "asked_again": "message",
    "qualified": "filter",
    "located": "map-pin",
    "routed": "route",
    "offered": "send",
    "offer_expired": "hourglass",
    "offer_declined": "x",
    "accepted": "check",
    "contacted": "phone",
    "planned": "calendar-event",
    "plan_done": "list-check",
    "note": "note",
    "won": "trophy",
    "lost": "circle-check",
    "reopened": "arrow-back-up",
    "reassigned": "arrows-exchange",
    "withdrawn": "x",
    "promised": "star",
    "mail_sent": "mail",
    "mail_failed": "alert-triangle",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """One event as it is read: `who` is empty where the system itself acted."""

    at: datetime
    icon: str
    title: str
    details: tuple[str, ...]
    who: str


def moment(event: Event, zone: str) -> Moment:
    """The event in the reader's language, its instants on the wall of `zone`."""
    return Moment(
        at=event.at,
        icon=ICONS.get(event.kind, "info-circle"),
        title=label("event", event.kind),
        details=tuple(_details(event, zone)),
        who=event.actor.name if event.actor else "",
    )


def _details(event: Event, zone: str) -> list[str]:
    kinds = _CODES.get(event.kind, {})
    told = []
    for key, value in (event.data or {}).items():
        if value in (None, "") or isinstance(value, dict | list):
            continue
        if key in kinds:
            told.append(label(kinds[key], str(value)))
        elif key in _SENTENCES:
            told.append(_SENTENCES[key](value, zone))
    return [words for words in told if words]


def _until(value: object, zone: str) -> str:
    return _("until %(when)s", when=_wall(value, zone))


def _by(value: object, zone: str) -> str:
    return _("by %(when)s", when=_wall(value, zone))


def _due(value: object, zone: str) -> str:
    return _("for %(when)s", when=_wall(value, zone))


def _wall(value: object, zone: str) -> str:
    try:
        return format_day_time(datetime.fromisoformat(str(value)), zone)
    except ValueError:
        return str(value)


def _order(value: object, _zone: str) -> str:
    return _("Order %(number)s", number=str(value))


def _text(value: object, _zone: str) -> str:
    return str(value)


def _known(kind: str) -> Callable[[object, str], str]:
    return lambda value, _zone: label(kind, str(value)) if str(value) in LABELS[kind] else ""


def _figure(value: object, _zone: str) -> str:
    return format_number(value) if isinstance(value, int | float) else str(value)


_CODES: Mapping[str, Mapping[str, str]] = {
    "offer_declined": {"reason": "decline_reason"},
    "lost": {"reason": "lost_reason"},
    "withdrawn": {"reason": "withdraw_reason"},
    "contacted": {"how": "contact_how", "result": "contact_result"},
    "planned": {"plan_kind": "plan_kind"},
    "plan_done": {"plan_kind": "plan_kind"},
    "routed": {"how": "how"},
    "located": {"method": "location_method", "problem": "location_problem"},
    "mail_sent": {"kind": "message_kind"},
    "mail_failed": {"kind": "message_kind"},
    "queued": {"cause": "cause"},
}
_SENTENCES: Mapping[str, Callable[[object, str], str]] = {
    "note": _text,
    "text": _text,
    "place": _text,
    "model": _text,
    "value": _figure,
    "order_number": _order,
    "request_type": _known("request_type"),
    "band": _known("band"),
    "distance_km": lambda value, _zone: (
        format_km(float(value)) if isinstance(value, int | float) else ""
    ),
    "expires_at": _until,
    "due_at": _due,
    "promise_at": _by,
}
