"""What happened to a lead, event by event, in the words a dealer uses, with the customer's mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from lmt.eventwords import event_words
from lmt.labels import label
from lmt.models import Event, Message, Reply

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
    "replied": "mail-forward",
    "customer_message": "message-2",
    "handed_to": "user-share",
    "help_asked": "help",
    "help_answered": "message",
    "help_closed": "check",
    "verdict": "target",
    "verdict_contested": "scale",
    "verdict_answered": "scale",
    "market_status": "tags",
    "booked": "calendar-check",
    "appointment_moved": "calendar-time",
    "appointment_cancelled": "calendar-x",
    "feedback": "mood-smile",
    "consent_withdrawn": "hand-stop",
    "links_revoked": "link",
    "tapped": "click",
}

HIDDEN = frozenset({"reason", "problem"})
"""Headquarters' own words on moving a lead, and what a mail server said: not the dealer's."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What the customer got: `state` in words ("" where the event itself tells), `body` where the
    dealer wrote it."""

    subject: str
    body: str
    state: str


@dataclass(frozen=True, slots=True)
class Moment:
    """One event as it is read: `who` is empty where the system itself acted."""

    at: datetime
    icon: str
    title: str
    details: tuple[str, ...]
    who: str
    to_customer: bool = False
    letter: Letter | None = None


def story(
    events: Sequence[Event], messages: Sequence[Message], replies: Sequence[Reply], zone: str
) -> list[Moment]:
    """What happened, the newest first, with what the customer received and what is on its way.

    Instants in the words are on the wall of `zone`. All of one lead, and of one dealer's time.
    """
    sent = {(each.kind, each.sent_at): each for each in messages}
    of_reply = {str(each.context.get("reply_id")): each for each in messages}
    written = {str(each.id): each for each in replies}
    told = [_moment(event, zone, sent, of_reply, written) for event in events]
    told += [_waiting(each) for each in messages if each.status == "queued"]
    return sorted(told, key=lambda each: each.at, reverse=True)


def _moment(
    event: Event,
    zone: str,
    sent: Mapping[tuple[str, datetime | None], Message],
    of_reply: Mapping[str, Message],
    written: Mapping[str, Reply],
) -> Moment:
    reply_id = str(event.data.get("reply_id"))
    reply, message, letter = written.get(reply_id), of_reply.get(reply_id), None
    if reply is not None:
        state = label("message_status", message.status) if message is not None else ""
        letter = Letter(reply.subject, reply.body, state)
    elif event.kind == "mail_sent":
        found = sent.get((str(event.data.get("kind")), event.at))
        letter = Letter(found.subject, "", "") if found is not None and found.subject else None
    hidden = HIDDEN | {"subject", "text"} if reply is not None else HIDDEN
    return Moment(
        at=event.at,
        icon=ICONS.get(event.kind, "info-circle"),
        title=label("event", event.kind),
        details=tuple(event_words(event.kind, event.data, zone=zone, hidden=hidden)),
        who=event.actor.name if event.actor else "",
        to_customer=event.data.get("audience") == "customer",
        letter=letter,
    )


def _waiting(message: Message) -> Moment:
    """A mail to the customer that has not left yet."""
    return Moment(
        at=message.created_at,
        icon="mail",
        title=label("message_kind", message.kind),
        details=(label("message_status", message.status),),
        who="",
        to_customer=True,
    )
