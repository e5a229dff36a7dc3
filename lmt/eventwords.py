"""What an event of a lead's history tells: its codes and figures in the reader's words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from typing import Any

from lmt.i18n import format_date, format_day_time, format_km, format_number
from lmt.i18n import gettext as _
from lmt.labels import LABELS, label


def event_words(
    kind: str,
    data: Mapping[str, Any] | None,
    *,
    zone: str | None = None,
    hidden: Collection[str] = (),
) -> list[str]:
    """Short phrases in the order of `data`; instants on the wall of `zone` (None: the reader's).

    `hidden` names free texts that this reader must not see; codes are always told. What has no
    words (ids, lists) is left out.
    """
    coded = _CODES.get(kind, {})
    told = []
    for key, value in (data or {}).items():
        if value in (None, "") or isinstance(value, dict | list):
            continue
        if key in coded:
            told.append(label(coded[key], str(value)))
        elif key in _PHRASES and key not in hidden:
            told.append(_PHRASES[key](value, zone))
    return [words for words in told if words]


Phrase = Callable[[Any, str | None], str]

_CODES: Mapping[str, Mapping[str, str]] = {
    "offer_declined": {"reason": "decline_reason"},
    "lost": {"reason": "lost_reason"},
    "withdrawn": {"reason": "withdraw_reason"},
    "contacted": {"how": "contact_how", "result": "contact_result"},
    "planned": {"plan_kind": "plan_kind"},
    "plan_done": {"plan_kind": "plan_kind"},
    "routed": {"how": "how"},
    "offered": {"how": "how"},
    "located": {
        "method": "location_method",
        "problem": "location_problem",
        "by": "located_by",
    },
    "mail_sent": {"kind": "message_kind"},
    "mail_failed": {"kind": "message_kind"},
    "mail_bounced": {"kind": "message_kind"},
    "queued": {"cause": "cause"},
    "extended": {"cause": "extension"},
    "recounted": {"cause": "extension"},
    "offer_expired": {"cause": "end_of_offer"},
    "escalated": {"to": "told"},
    "moved_by_customer": {"reason": "move_reason"},
    "kept": {"cause": "kept_cause"},
    "raised": {"cause": "event"},
    "reminded": {"plan_kind": "plan_kind"},
    "do_not_contact": {"origin": "suppression_origin"},
    "called": {"disposition": "disposition"},
    "verdict": {"verdict": "verdict"},
    "verdict_answered": {"verdict": "verdict", "answer": "verdict_answer"},
    "booked": {"plan_kind": "plan_kind", "booked_by": "booked_by"},
    "appointment_moved": {"plan_kind": "plan_kind", "booked_by": "booked_by"},
    "appointment_cancelled": {"plan_kind": "plan_kind", "booked_by": "booked_by"},
    "feedback": {"score": "feedback_score"},
    "tapped": {"purpose": "tap_purpose"},
    "consent_confirmed": {"text": "consent_purpose"},
    "consent_withdrawn": {"text": "consent_purpose"},
}
"""Kind of event → key of its data → kind of label."""


def _as_typed(value: Any, _zone: str | None) -> str:
    return str(value)


def _figure(value: Any, _zone: str | None) -> str:
    return format_number(value) if isinstance(value, int | float) else str(value)


def _known(kind: str) -> Phrase:
    """A code that older versions, or other markets, may have named otherwise."""
    return lambda value, _zone: label(kind, str(value)) if str(value) in LABELS[kind] else ""


def _km(sentence: Callable[[str], str]) -> Phrase:
    return lambda value, _zone: (
        sentence(format_km(float(value))) if isinstance(value, int | float) else ""
    )


def _when(sentence: Callable[[str], str]) -> Phrase:
    def told(value: Any, zone: str | None) -> str:
        try:
            return sentence(format_day_time(datetime.fromisoformat(str(value)), zone))
        except ValueError:
            return ""

    return told


def _day(sentence: Callable[[str], str]) -> Phrase:
    def told(value: Any, _zone: str | None) -> str:
        try:
            return sentence(format_date(date.fromisoformat(str(value))))
        except ValueError:
            return ""

    return told


_PHRASES: Mapping[str, Phrase] = {
    "note": _as_typed,
    "text": _as_typed,
    "reason": _as_typed,
    "problem": _as_typed,
    "place": _as_typed,
    "sender": _as_typed,
    "agent": _as_typed,
    "by": _known("reported_by"),
    "model": _as_typed,
    "subject": _as_typed,
    "colleague": _as_typed,
    "told_to": lambda value, _zone: _("told %(names)s", names=str(value)),
    "market_status": _as_typed,
    "sold_on": _day(lambda day: _("Sold on %(day)s", day=day)),
    "question": _as_typed,
    "value": _figure,
    "reference": lambda value, _zone: _("Lead %(reference)s", reference=str(value)),
    "order_number": lambda value, _zone: _("Order %(number)s", number=str(value)),
    "request_type": _known("request_type"),
    "band": _known("band"),
    "distance_km": _km(lambda distance: distance),
    "accuracy_km": _km(lambda distance: _("within %(km)s", km=distance)),
    "expires_at": _when(lambda when: _("until %(when)s", when=when)),
    "until": _when(lambda when: _("until %(when)s", when=when)),
    "moved_from": _when(lambda when: _("instead of %(when)s", when=when)),
    "due_at": _when(lambda when: _("for %(when)s", when=when)),
    "promise_at": _when(lambda when: _("by %(when)s", when=when)),
}
