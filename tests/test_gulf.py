"""A Friday morning in the Gulf: Riyadh rests until Sunday, Dubai works."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.models import Lead, Offer
from lmt.notify import outbox
from lmt.notify.mailbox import list_mails, read_mail
from lmt.worker import advance_leads
from tests.world import GULF_KEY, World

RIYADH, DUBAI = ZoneInfo("Asia/Riyadh"), ZoneInfo("Asia/Dubai")
TEN_IN_RIYADH = datetime(2026, 3, 6, 10, 0, tzinfo=RIYADH).astimezone(UTC)
TEN_IN_DUBAI = datetime(2026, 3, 6, 10, 0, tzinfo=DUBAI).astimezone(UTC)


def lead_from(
    city: str, country: str, language: str, email: str, phone: str = "٠٥٠١٢٣٤٥٦٧"
) -> dict[str, Any]:
    return {
        "customer": {
            "full_name": "نورة المثال", "email": email, "phone": phone,
            "language": language,
        },
        "address": {"city": city, "country": country},
        "request": {"type": "test_drive", "model": "Mira"},
    }  # fmt: skip


@pytest.fixture
def arrived(
    client: FlaskClient, session: Session, sessions: SessionFactory, settings: Settings
) -> Callable[..., Lead]:
    """A lead sent to the API at an instant, taken as far as it goes at that instant."""

    def send(at: datetime, **lead: str) -> Lead:
        with time_machine.travel(at, tick=False):
            answer = client.post(
                "/api/v1/leads",
                json=lead_from(**lead),
                headers={"Authorization": f"Bearer {GULF_KEY}"},
            )
            assert answer.status_code == 202, answer.text
            advance_leads(sessions, at)
            outbox.send_due(sessions, settings, at)
        session.rollback()
        return session.get_one(Lead, answer.json["id"], populate_existing=True)

    return send


def mail_to(settings: Settings, address: str) -> EmailMessage:
    (found,) = [mail for mail in list_mails(settings) if mail.to == address]
    mail = read_mail(settings, found.id)
    assert mail is not None
    return mail


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def test_the_lead_from_riyadh_waits_for_sunday_and_its_customer_is_told_so_in_arabic(
    arrived: Callable[..., Lead], session: Session, settings: Settings, world: World
) -> None:
    lead = arrived(
        TEN_IN_RIYADH, city="الرياض", country="SA", language="ar", email="nora@example.com"
    )
    assert (lead.status, lead.dealer_id) == ("offered", world.dealers["SA-RUH-1"])
    assert (lead.location_method, lead.timezone, lead.band) == ("city", "Asia/Riyadh", "hot")
    # Closed on Friday and Saturday; Sunday 9:00 to 12:00: thirty minutes end at 9:30.
    deadline = datetime(2026, 3, 8, 9, 30, tzinfo=RIYADH)
    offer = session.scalars(select(Offer).where(Offer.lead_id == lead.id)).one()
    assert (offer.expires_at, lead.promise_at) == (deadline, deadline)

    mail = mail_to(settings, "nora@example.com")
    root = html.fromstring(part(mail, "html"))
    assert (root.get("lang"), root.get("dir")) == ("ar", "rtl")
    for words in (part(mail, "plain"), root.text_content()):
        assert "الأحد" in words
        assert "9:30" in words.translate(str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789"))
        assert latin_sentences(words) == []
    assert re.search(r"[\u0600-\u06ff]", str(mail["Subject"]))
    assert latin_sentences(str(mail["Subject"])) == []


def test_the_lead_from_dubai_is_due_that_same_friday(
    arrived: Callable[..., Lead], session: Session, settings: Settings, world: World
) -> None:
    # Open Monday to Friday 9:00 to 19:00.
    deadline = datetime(2026, 3, 6, 10, 30, tzinfo=DUBAI)
    for number, city in enumerate(("دبي", "Dubai", "DUBAI")):
        address = f"guest{number}@example.com"
        lead = arrived(
            TEN_IN_DUBAI, city=city, country="AE", language="en", email=address,
            phone=f"٠٥٠١٢٣٤٥٦{number}",
        )  # fmt: skip
        assert (lead.status, lead.dealer_id) == ("offered", world.dealers["AE-DXB-1"]), city
        offer = session.scalars(select(Offer).where(Offer.lead_id == lead.id)).one()
        assert (offer.expires_at, lead.promise_at) == (deadline, deadline)
        mail = mail_to(settings, address)
        root = html.fromstring(part(mail, "html"))
        assert (root.get("lang"), root.get("dir")) == ("en", "ltr")
        assert "Friday" in part(mail, "plain")
        assert "10:30" in part(mail, "plain")


def test_the_dealer_in_riyadh_reads_its_mail_in_arabic(
    arrived: Callable[..., Lead], settings: Settings
) -> None:
    arrived(TEN_IN_RIYADH, city="Riyadh", country="SA", language="en", email="guest@example.com")
    mail = mail_to(settings, "sa-ruh-1@dealers.example")
    root = html.fromstring(part(mail, "html"))
    assert (root.get("lang"), root.get("dir")) == ("ar", "rtl")
    assert "الأحد" in part(mail, "plain")
    told = part(mail_to(settings, "guest@example.com"), "plain")
    assert "Sunday" in told


def latin_sentences(text: str) -> list[str]:
    """Runs of three Latin words and more: names and addresses are shorter."""
    without_links = re.sub(r"https?://\S+|\S+@\S+", " ", text)
    return re.findall(r"[A-Za-z’']+(?: [A-Za-z’']+){2,}", without_links)
