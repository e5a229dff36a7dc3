"""What customers write goes from the doors to pages and mails as text, and as nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import pipeline, web
from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.models import Intake, Lead, Source, User
from lmt.notify import outbox
from lmt.notify.mailbox import list_mails, read_mail
from tests.hostile import DOORS, JSON, add_sources, key_of, lead_of
from tests.world import World

SCRIPT = "<script>alert(1)</script>"
IMAGE = "\"'><img src=x onerror=alert(2)>"
TEMPLATE = "{{ 7 * 7 }}%(name)s{% raw %}"
SQL = "'); DROP TABLE lead; --"
FORMULA = "=cmd|' /C calc'!A0"
HIDDEN = "\u202eevil\u2066\u200b"
LINES = "Eve\r\nBcc: eve@evil.example\r\nX-Evil: 1\r\n\r\n<b>body</b>"
TEXT = f"{FORMULA} {SCRIPT}{IMAGE} {TEMPLATE} {SQL} {HIDDEN}"
TAKEN = ("api", "adf", "google", "tiktok", "json", "signed", "form")
LISTS = (
    "/hq/", "/hq/leads", "/hq/intake", "/hq/intake?status=accepted", "/hq/sources",
    "/hq/duplicates", "/hq/outbox", "/hq/mailbox", "/hq/queues/unrouted", "/hq/queues/unlocated",
    "/hq/queues/incomplete", "/hq/campaigns",
)  # fmt: skip


@pytest.fixture(autouse=True)
def doors(app: Flask, session: Session, world: World, settings: Settings) -> Iterator[None]:
    assert app
    add_sources(session, world, settings.secret_key)
    yield
    web.limiter.reset()


def send(client: FlaskClient, text: str, *names: str) -> None:
    for number, name in enumerate(names):
        door = DOORS[name]
        body, label = lead_of(door, text, number)
        answer = client.post(door.path, data=body, content_type=label, headers=door.vouch(body))
        assert answer.status_code in {200, 202, 303}, (name, answer.text)


def assert_harmless(page: str, where: str) -> None:
    assert SCRIPT not in page, where
    assert "<img src=x" not in page, where
    assert "<b>body" not in page, where


def test_markup_in_any_field_is_shown_and_not_obeyed(
    client: FlaskClient,
    session: Session,
    sessions: SessionFactory,
    cast: dict[str, User],
    login: Callable[[FlaskClient, User], FlaskClient],
) -> None:
    send(client, TEXT, *TAKEN)
    leads = list(session.scalars(select(Lead)))
    assert len(leads) == len(TAKEN)
    for lead in leads:
        pipeline.advance(sessions, lead.id, datetime.now(UTC))
    session.expire_all()
    seen = login(client, cast["omar"])
    paths = [
        *LISTS,
        *(f"/hq/leads/{lead.id}" for lead in leads),
        *(f"/hq/customers/{lead.customer_id}" for lead in leads),
        *(f"/hq/intake/{id}" for id in session.scalars(select(Intake.id))),
    ]
    shown = 0
    for path in paths:
        answer = seen.get(path)
        assert answer.status_code == 200, path
        assert_harmless(answer.text, path)
        shown += "&lt;script&gt;alert(1)" in answer.text and "{{ 7 * 7 }}" in answer.text
    assert shown >= len(leads)
    agent = login(client.application.test_client(), cast["anna"])
    for lead in leads:
        answer = agent.get(f"/desk/leads/{lead.id}")
        assert answer.status_code in {200, 404}  # who has it has it
        assert_harmless(answer.text, str(lead.id))


def test_markup_in_what_could_not_be_read_and_in_settings_is_shown_and_not_obeyed(
    client: FlaskClient,
    session: Session,
    cast: dict[str, User],
    login: Callable[[FlaskClient, User], FlaskClient],
) -> None:
    source = session.scalars(select(Source).where(Source.code == "h-json")).one()
    source.name = TEXT[:150]
    session.commit()
    body = f'{{"{SCRIPT}": "{SCRIPT}", "email": "{SCRIPT}"}}'.encode()
    door = DOORS["json"]
    label = f"text/html; x={SCRIPT}"
    answer = client.post(door.path, data=body, content_type=label, headers=door.vouch(body))
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    seen = login(client, cast["omar"])
    paths = [
        *LISTS,
        f"/hq/intake/{answer.json['intake']}",
        *(f"/hq/sources/h-json{page}" for page in ("", "/edit", "/mapping")),
    ]
    for path in paths:
        page = seen.get(path)
        assert page.status_code == 200, path
        assert_harmless(page.text, path)


def test_no_name_writes_a_header_of_a_mail(
    client: FlaskClient,
    session: Session,
    sessions: SessionFactory,
    settings: Settings,
) -> None:
    send(client, LINES, *(name for name in TAKEN if name != "api"))
    at = datetime.now(UTC)
    for lead in session.scalars(select(Lead)):
        assert "\n" not in lead.full_name
        pipeline.advance(sessions, lead.id, at)
    while outbox.send_due(sessions, settings, at):
        pass
    mails = [read_mail(settings, summary.id) for summary in list_mails(settings)]
    assert mails
    for mail in mails:
        assert mail is not None
        assert mail["Bcc"] is None
        assert mail["X-Evil"] is None
        for name in ("To", "From", "Reply-To"):
            assert "eve@evil.example" not in str(mail[name] or "")
        assert "\n" not in str(mail["Subject"])


def test_lines_in_a_name_are_refused_where_the_sender_can_mend_them(client: FlaskClient) -> None:
    door = DOORS["api"]
    body, label = lead_of(door, LINES)
    answer = client.post(door.path, data=body, content_type=label, headers=door.vouch(body))
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")
    assert "customer.full_name" in {error["field"] for error in answer.json["errors"]}


def test_a_key_goes_into_no_page_that_a_visitor_leaves_from(client: FlaskClient) -> None:
    """Neither by the address of a page that links elsewhere, nor by what it says."""
    for name in ("query", "tiktok", "form"):
        door = DOORS[name]
        answer = client.post(door.path, data=b"{}", content_type=JSON)
        assert key_of(f"h-{name}") not in answer.text
        assert answer.headers["Referrer-Policy"] in {"no-referrer", "same-origin"}
