"""What happened to a lead, event by event, in the words a dealer uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lmt.eventwords import event_words
from lmt.labels import label
from lmt.models import Event

ICONS: Mapping[str, str] = {
    "received": "inbox",
    "sender_deleted": "x",
    "do_not_contact": "ban",
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
    "reminded": "alarm",
    "escalated": "arrow-up",
    "raised": "flame",
    "clock_started": "clock",
    "extended": "clock",
    "handed_over": "arrows-exchange",
    "moved_by_customer": "arrows-exchange",
    "rested": "moon",
    "back": "sun",
    "contested": "scale",
    "contest_answered": "message",
    "mail_sent": "mail",
    "mail_failed": "alert-triangle",
    "mail_bounced": "alert-triangle",
    "customer_replied": "message",
    "dealer_replied": "message",
}

HIDDEN = frozenset({"reason", "problem"})
"""Headquarters' own words on moving a lead, and what a mail server said: not the dealer's."""


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
        details=tuple(event_words(event.kind, event.data, zone=zone, hidden=HIDDEN)),
        who=event.actor.name if event.actor else "",
    )
