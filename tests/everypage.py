"""Every page there is, from the routes themselves, so that none is forgotten: its addresses on a
busy morning, and who may open it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import time_machine
from flask import Flask
from flask_security.recoverable import generate_reset_password_token
from sqlalchemy.orm import Session

from lmt.accounts.service import Scope, create_user
from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.models import User
from tests.busy_morning import NINE, Morning, Town
from tests.world import PASSWORD, World

NO_PAGES = {
    "demosite.static", "embed.data", "embed.dealers", "embed.program", "embed.script",
    "embed.sent", "embed.static_file", "embed.style", "hq.preview_script", "hq.preview_style",
    "hq.static", "portal.static", "static",
    # For programs, in JSON or as a handshake.
    "api-docs.openapi_json", "api.form_schema", "api.lead_adf", "api.dealer_lead_status",
    "api.lead_status", "api.lead_verdict", "api.list_fields", "api.answer_report",
    "api.list_reports", "health.healthz", "health.metrics", "health.readyz",
    "ingest.linkedin_verification", "ingest.meta_verification",
    # Files: their headings are tested with them.
    "desk.export_inbox", "desk.lead_file", "desk.plan_ics", "hq.export_campaigns",
    "hq.export_dealers", "hq.export_do_not_contact", "hq.export_leads", "hq.export_outbox",
    "hq.export_quarantine", "hq.export_sources", "hq.import_failed_rows",
    "hq.replay_csv", "hq.sales_failed_rows", "portal.appointment_entry", "reports.file",
    "reports.leads_file",
    # What was sent, in the language in which it was.
    "hq.mail_html",
    # Leads elsewhere, and has no text.
    "home",
    # Of the demo alone; their templates are read elsewhere.
    "demosite.home", "demosite.page",
}  # fmt: skip
PEOPLE = {
    "desk": ("anna", "bert"),
    "hq": ("omar", "ada"),
    "reports": ("omar", "bert"),
    "reports.dashboard": ("omar", "hana", "bert"),
    "accounts": ("anna",),
    "security.change_password": ("anna",),
}
"""Endpoint or blueprint → who opens it: the first who may."""


@dataclass(frozen=True)
class EveryPage:
    endpoint: str
    address: str
    people: tuple[str, ...]
    """Names of the cast, or `nobody`: one who isn't logged in."""


@pytest.fixture
def town(
    sessions: SessionFactory, session: Session, settings: Settings, world: World,
    cast: dict[str, User],
) -> Iterator[Town]:  # fmt: skip
    """Its morning, at which time stands still; `ada` joins the cast."""
    cast["ada"] = create_user(
        session, "ada@lmt.example", "Ada", PASSWORD, roles=["administrator"], scopes=[Scope()]
    )
    with time_machine.travel(NINE, tick=False):
        yield Morning(sessions, session, settings, world, cast).town()


def page_endpoints(app: Flask) -> set[str]:
    return {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.endpoint not in NO_PAGES
    }


def every_page(app: Flask, town: Town, cast: dict[str, User], language: str) -> list[EveryPage]:
    """By endpoint; those for which there are several kinds of a thing, several times."""
    with app.app_context():
        token = generate_reset_password_token(cast["anna"])
        town.of["security.reset_password"] = {"token": [token]}
    rules = {r.endpoint: r for r in app.url_map.iter_rules() if "GET" in (r.methods or ())}
    return [
        EveryPage(
            endpoint,
            address,
            PEOPLE.get(endpoint) or PEOPLE.get(endpoint.partition(".")[0], ("nobody",)),
        )
        for endpoint in sorted(page_endpoints(app))
        for address in town.addresses(app, rules[endpoint], language)
    ]
