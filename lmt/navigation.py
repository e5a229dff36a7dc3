"""The rooms of the house: which pages the header offers to whom."""

from __future__ import annotations

from dataclasses import dataclass

from babel.support import LazyProxy
from flask import current_app, request

from lmt.i18n import lazy_gettext as _l
from lmt.web import may


@dataclass(frozen=True, slots=True)
class Room:
    """A page of the header: shown to people who hold `permission`, where `endpoint` exists.

    `also` are the endpoints of the pages behind it.
    """

    endpoint: str
    words: LazyProxy
    icon: str
    permission: str
    also: tuple[str, ...] = ()


ROOMS = (
    Room("desk.inbox", _l("Inbox"), "inbox", "lead.work", ("desk.lead",)),
    Room("hq.overview", _l("Overview"), "layout-list", "lead.assign"),
    Room("hq.leads", _l("Leads"), "users", "lead.assign", ("hq.lead",)),
    Room(
        "hq.unrouted",
        _l("Queues"),
        "hourglass",
        "lead.assign",
        ("hq.unlocated", "hq.incomplete"),
    ),
    Room(
        "hq.dealers",
        _l("Dealers"),
        "building-store",
        "lead.assign",
        (
            "hq.dealer",
            "hq.edit_dealer",
            "hq.save_dealer",
            "hq.add_closure",
            "hq.add_absence",
            "hq.dealer_end",
            "hq.end_dealer",
        ),
    ),
    Room(
        "hq.calendars",
        _l("Calendars"),
        "calendar-time",
        "lead.assign",
        ("hq.calendar_days", "hq.set_calendar_days"),
    ),
    Room(
        "hq.policies",
        _l("Policies"),
        "adjustments",
        "policy.edit",
        (
            "hq.policy",
            "hq.draft",
            "hq.save_draft",
            "hq.publish",
            "hq.replay",
            "hq.start_replay",
            "hq.replayed",
        ),
    ),
    Room("hq.contests", _l("Contested"), "scale", "lead.assign", ("hq.answer_contest",)),
    Room("hq.reports", _l("Reports"), "chart-bar", "report.read", ("hq.fair_share",)),
    Room("hq.quarantine", _l("Quarantine"), "alert-triangle", "intake.read", ("hq.delivery",)),
    Room("hq.outbox", _l("Outbox"), "send", "outbox.read"),
    Room("hq.mailbox", _l("Mailbox"), "mailbox", "outbox.read", ("hq.mail",)),
)


def rooms() -> list[Room]:
    return [
        room
        for room in ROOMS
        if room.endpoint in current_app.view_functions and may(room.permission)
    ]


def is_here(room: Room) -> bool:
    """Is the page being shown part of `room`?"""
    return request.endpoint in {room.endpoint, *room.also}
