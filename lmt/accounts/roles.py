"""The roles an installation starts with; as rows they are the installation's to edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from babel.support import LazyProxy

from lmt.i18n import lazy_gettext as _l

PERMISSIONS: Mapping[str, LazyProxy] = {
    "lead.read": _l("See leads"),
    "lead.work": _l("Accept, decline and work on leads"),
    "lead.assign": _l("Assign leads by hand and clear queues"),
    "policy.edit": _l("Draft, try and publish routing policies"),
    "network.edit": _l("Change dealers, calendars and territories"),
    "source.edit": _l("Set up sources and campaigns, mend deliveries"),
    "form.edit": _l("Make and publish forms and their fields"),
    "lead.import": _l("Import files of leads, and take imports back"),
    "lead.export": _l("Take lists away as files"),
    "consent.edit": _l("Keep consent texts and do-not-contact lists"),
    "report.read": _l("See reports"),
    "outbox.read": _l("See outgoing mail"),
    "intake.read": _l("See deliveries that could not be read"),
    "team.manage": _l("Manage the people of one's team"),
    "dealer.manage": _l("Set the hours, closures and appointments of one's dealer"),
    "help.answer": _l("Answer what dealers ask about a lead"),
    "text.edit": _l("Write the texts of mails and replies"),
    "market.edit": _l("Change markets, brands, models, statuses and rules"),
    "user.edit": _l("Make accounts and give roles"),
    "admin": _l("Change everything in the installation"),
}


@dataclass(frozen=True, slots=True)
class RoleTerms:
    """What a role may do, and its description as first stored (`label("role", …)` names it)."""

    permissions: tuple[str, ...]
    description: str


ROLES: Mapping[str, RoleTerms] = {
    "agent": RoleTerms(("lead.read", "lead.work"), "Works on the leads of a dealer"),
    "manager": RoleTerms(
        (
            "lead.read",
            "lead.work",
            "lead.export",
            "report.read",
            "team.manage",
            "dealer.manage",
        ),
        "Leads a dealer's team",
    ),
    "headquarters": RoleTerms(
        (
            "lead.read",
            "lead.assign",
            "policy.edit",
            "network.edit",
            "source.edit",
            "form.edit",
            "lead.import",
            "lead.export",
            "consent.edit",
            "report.read",
            "outbox.read",
            "intake.read",
            "help.answer",
            "text.edit",
            "market.edit",
            "user.edit",
        ),
        "Looks after one or more markets",
    ),
    "central": RoleTerms(
        (
            "lead.read",
            "lead.assign",
            "policy.edit",
            "network.edit",
            "source.edit",
            "form.edit",
            "lead.import",
            "lead.export",
            "consent.edit",
            "report.read",
            "outbox.read",
            "intake.read",
            "team.manage",
            "help.answer",
            "text.edit",
            "market.edit",
            "user.edit",
        ),
        "Looks after every market",
    ),
    "call_centre": RoleTerms(
        ("lead.read", "lead.assign"), "Clears the queues of leads that found no dealer"
    ),
    "expert": RoleTerms(("help.answer",), "Is asked for advice about leads"),
    "administrator": RoleTerms(tuple(PERMISSIONS), "Runs the installation"),
}
