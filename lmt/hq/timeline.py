"""What happened to a lead, event by event, in words and figures for headquarters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from lmt.i18n import format_datetime, format_km
from lmt.i18n import gettext as _
from lmt.labels import LABELS, label
from lmt.models import Event


def details(event: Event) -> list[str]:
    """Short sentences, the event's codes and figures put in words; texts as they were typed."""
    data: Mapping[str, Any] = event.data or {}
    kinds = _KINDS.get(event.kind, {})
    words: list[str] = []
    for key, value in data.items():
        if value in (None, "", [], {}) or isinstance(value, dict | list):
            continue
        if key in kinds:
            words.append(label(kinds[key], str(value)))
        elif key in _WORDS:
            told = _WORDS[key](value)
            if told:
                words.append(told)
    return words


def _text(value: object) -> str:
    return str(value)


def _at(sentence: Callable[[str], str]) -> Callable[[object], str]:
    def told(value: object) -> str:
        try:
            return sentence(format_datetime(datetime.fromisoformat(str(value)), "short"))
        except ValueError:
            return ""

    return told


def _distance(value: object) -> str:
    return format_km(float(value)) if isinstance(value, int | float) else ""


def _known(kind: str) -> Callable[[object], str]:
    return lambda value: label(kind, str(value)) if str(value) in LABELS[kind] else ""


_KINDS: Mapping[str, Mapping[str, str]] = {
    "offer_declined": {"reason": "decline_reason"},
    "lost": {"reason": "lost_reason"},
    "withdrawn": {"reason": "withdraw_reason"},
    "contacted": {"how": "contact_how", "result": "contact_result"},
    "planned": {"plan_kind": "plan_kind"},
    "plan_done": {"plan_kind": "plan_kind"},
    "routed": {"how": "how"},
    "offered": {"how": "how"},
    "located": {"method": "location_method", "problem": "location_problem"},
    "mail_sent": {"kind": "message_kind"},
    "mail_failed": {"kind": "message_kind"},
}
_WORDS: Mapping[str, Callable[[object], str]] = {
    "note": _text,
    "text": _text,
    "reason": _text,
    "problem": _text,
    "model": _text,
    "order_number": lambda value: _("Order %(number)s", number=str(value)),
    "cause": _known("cause"),
    "request_type": _known("request_type"),
    "type": _known("request_type"),
    "band": _known("band"),
    "distance_km": _distance,
    "accuracy_km": lambda value: _("within %(km)s", km=_distance(value)),
    "expires_at": _at(lambda when: _("until %(when)s", when=when)),
    "due_at": _at(lambda when: _("due %(when)s", when=when)),
    "promise_at": _at(lambda when: _("by %(when)s", when=when)),
    "respond_by": _at(lambda when: _("by %(when)s", when=when)),
}
