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

    `also` are the endpoints of the pages behind it; rooms of one `group` share a menu.
    """

    endpoint: str
    words: LazyProxy
    icon: str
    permission: str
    also: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A menu of the header: the rooms of one kind of work that the reader may enter."""

    words: LazyProxy
    icon: str
    rooms: tuple[Room, ...]


GROUPS = {
    "leads": (_l("Leads"), "users"),
    "network": (_l("Network"), "building-store"),
    "intake": (_l("Intake"), "plug"),
    "messages": (_l("Messages"), "send"),
    "dealer": (_l("My dealer"), "building-store"),
    "reports": (_l("Reports"), "chart-bar"),
    "settings": (_l("Settings"), "settings"),
}


ROOMS = (
    Room("desk.inbox", _l("Inbox"), "inbox", "lead.work", ("desk.lead",)),
    Room("desk.board", _l("Board"), "layout-kanban", "lead.work"),
    Room("desk.team", _l("Team"), "users", "dealer.manage", ("desk.colleague",), group="dealer"),
    Room(
        "desk.hours",
        _l("Hours and closures"),
        "clock",
        "dealer.manage",
        ("desk.save_hours", "desk.close_days", "desk.add_special_days", "desk.pause"),
        group="dealer",
    ),
    Room(
        "desk.bookable",
        _l("Appointments"),
        "calendar-event",
        "dealer.manage",
        ("desk.save_bookable",),
        group="dealer",
    ),
    Room("desk.figures", _l("Our figures"), "chart-bar", "dealer.manage", group="dealer"),
    Room("hq.overview", _l("Overview"), "layout-list", "lead.assign"),
    Room(
        "hq.questions",
        _l("Questions"),
        "help",
        "help.answer",
        ("hq.question", "hq.answer_question"),
    ),
    Room("hq.leads", _l("Leads"), "users", "lead.assign", ("hq.lead",), group="leads"),
    Room("hq.lead_map", _l("Map"), "map-2", "lead.assign", group="leads"),
    Room(
        "hq.unrouted",
        _l("Queues"),
        "hourglass",
        "lead.assign",
        ("hq.unlocated", "hq.incomplete"),
        group="leads",
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
            "hq.competences",
            "hq.save_competences",
        ),
        group="network",
    ),
    Room(
        "hq.import_dealers",
        _l("Import dealers"),
        "file-import",
        "network.edit",
        ("hq.upload_dealers", "hq.dealer_file", "hq.apply_dealer_file"),
        group="network",
    ),
    Room(
        "hq.calendars",
        _l("Calendars"),
        "calendar-time",
        "lead.assign",
        ("hq.calendar_days", "hq.set_calendar_days"),
        group="network",
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
        group="network",
    ),
    Room(
        "hq.duplicates",
        _l("Duplicates"),
        "user-check",
        "lead.assign",
        ("hq.answer_duplicate", "hq.customer", "hq.split_customer"),
        group="leads",
    ),
    Room(
        "hq.contests",
        _l("Contested"),
        "scale",
        "lead.assign",
        ("hq.answer_contest",),
        group="leads",
    ),
    Room(
        "hq.verdicts",
        _l("Verdicts"),
        "target",
        "lead.assign",
        ("hq.answer_verdict",),
        group="leads",
    ),
    Room("reports.dashboard", _l("Dashboard"), "chart-bar", "report.read", group="reports"),
    Room(
        "reports.home",
        _l("Reports"),
        "chart-bar",
        "report.read",
        (
            "reports.report",
            "reports.leads",
            "reports.coverage",
            "reports.saved",
            "reports.rename_saved",
            "reports.schedules",
            "reports.schedule",
            "reports.save_schedule",
            "reports.new_schedule",
            "reports.add_schedule",
            "reports.keys",
            "reports.make_key",
        ),
        group="reports",
    ),
    Room(
        "hq.sources",
        _l("Sources"),
        "plug",
        "intake.read",
        (
            "hq.source",
            "hq.new_source",
            "hq.create_source",
            "hq.edit_source",
            "hq.save_source",
            "hq.new_source_key",
            "hq.set_source_secret",
            "hq.source_mapping",
            "hq.save_source_mapping",
            "hq.source_test",
            "hq.send_source_test",
            "hq.source_test_lead",
            "hq.source_mails",
        ),
        group="intake",
    ),
    Room(
        "hq.forms",
        _l("Forms"),
        "file-text",
        "form.edit",
        (
            "hq.new_form",
            "hq.create_form",
            "hq.form",
            "hq.publish_form",
            "hq.roll_back_form",
            "hq.duplicate_form",
            "hq.rename_form",
            "hq.save_form_origins",
            "hq.set_form_state",
            "hq.build_form",
            "hq.edit_draft",
            "hq.preview_form",
            "hq.form_texts",
            "hq.save_form_texts",
            "hq.custom_fields",
            "hq.new_custom_field",
            "hq.create_custom_field",
            "hq.custom_field",
            "hq.save_custom_field",
        ),
        group="intake",
    ),
    Room(
        "hq.imports",
        _l("Imports"),
        "file-import",
        "lead.import",
        ("hq.new_import", "hq.upload_import", "hq.import_page", "hq.save_import_columns"),
        group="intake",
    ),
    Room(
        "hq.sales",
        _l("Sales"),
        "car",
        "lead.import",
        (
            "hq.upload_sales",
            "hq.sales_file",
            "hq.save_sales_columns",
            "hq.sale_queue",
            "hq.decide_sale",
        ),
        group="intake",
    ),
    Room(
        "hq.campaigns",
        _l("Campaigns"),
        "rocket",
        "source.edit",
        ("hq.new_campaign", "hq.create_campaign", "hq.campaign", "hq.save_campaign"),
        group="intake",
    ),
    Room(
        "hq.quarantine",
        _l("Quarantine"),
        "alert-triangle",
        "intake.read",
        ("hq.delivery", "hq.mend_delivery", "hq.dismiss_delivery", "hq.replayed_deliveries"),
        group="intake",
    ),
    Room(
        "hq.do_not_contact",
        _l("Consent"),
        "ban",
        "consent.edit",
        (
            "hq.add_do_not_contact",
            "hq.lift_do_not_contact",
            "hq.consent_texts",
            "hq.add_consent_text",
        ),
        group="intake",
    ),
    Room("hq.outbox", _l("Outbox"), "send", "outbox.read", group="messages"),
    Room(
        "hq.mail_texts",
        _l("Mail texts"),
        "mail-cog",
        "text.edit",
        ("hq.mail_text", "hq.save_mail_text"),
        group="messages",
    ),
    Room(
        "hq.reply_templates",
        _l("Reply templates"),
        "template",
        "text.edit",
        (
            "hq.new_reply_template",
            "hq.create_reply_template",
            "hq.reply_template",
            "hq.save_reply_template",
        ),
        group="messages",
    ),
    Room("hq.mailbox", _l("Mailbox"), "mailbox", "outbox.read", ("hq.mail",), group="messages"),
    Room(
        "hq.markets",
        _l("Markets"),
        "world",
        "market.edit",
        ("hq.market", "hq.new_market", "hq.create_market", "hq.save_market"),
        group="settings",
    ),
    Room(
        "hq.brands",
        _l("Brands and models"),
        "car",
        "market.edit",
        (
            "hq.brand",
            "hq.new_brand",
            "hq.create_brand",
            "hq.save_brand",
            "hq.model",
            "hq.new_model",
            "hq.create_model",
            "hq.save_model",
        ),
        group="settings",
    ),
    Room(
        "hq.statuses",
        _l("Statuses"),
        "tags",
        "market.edit",
        ("hq.add_status", "hq.save_status"),
        group="settings",
    ),
    Room(
        "hq.rules",
        _l("Rules"),
        "list-check",
        "market.edit",
        ("hq.rule", "hq.save_rule"),
        group="settings",
    ),
    Room(
        "reports.plan",
        _l("Targets and rates"),
        "target",
        "market.edit",
        ("reports.save_plan",),
        group="settings",
    ),
    Room(
        "hq.users", _l("People"), "users", "user.edit", ("hq.user", "hq.new_user"), group="settings"
    ),
    Room("hq.roles", _l("Roles"), "shield", "admin", ("hq.role",), group="settings"),
    Room(
        "hq.groups",
        _l("Dealer groups"),
        "building-community",
        "network.edit",
        ("hq.create_group", "hq.save_group"),
        group="settings",
    ),
    Room("hq.history", _l("History"), "history", "market.edit", group="settings"),
)


def rooms() -> list[Room | Group]:
    """What the header shows, in order: rooms, and menus of rooms where several belong together."""
    open_ones = [
        room
        for room in ROOMS
        if room.endpoint in current_app.view_functions and may(room.permission)
    ]
    shown: list[Room | Group] = []
    seen: set[str] = set()
    for room in open_ones:
        if room.group in seen:
            continue
        together = [each for each in open_ones if room.group and each.group == room.group]
        if len(together) > 1:
            seen.add(room.group)
            shown.append(Group(*GROUPS[room.group], tuple(together)))
        else:
            shown.append(room)
    return shown


def is_here(place: Room | Group) -> bool:
    """Is the page being shown part of it?"""
    if isinstance(place, Group):
        return any(is_here(room) for room in place.rooms)
    return request.endpoint in {place.endpoint, *place.also}
