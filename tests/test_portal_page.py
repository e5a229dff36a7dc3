"""What a customer does on their page: appointments, messages, the way out, the question after the
visit; and that a link in other hands tells nothing of the person."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from flask.testing import FlaskClient
from icalendar import Calendar
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt.config import LOCALES, Settings
from lmt.db import SessionFactory
from lmt.lifecycle import Status
from lmt.links import opens, status_link, status_token
from lmt.models import (
    Consent,
    Event,
    Feedback,
    Lead,
    Market,
    Message,
    Outcome,
    PlannedAction,
    SlotTerms,
)
from tests.databases import Template, grown
from tests.two_markets import NOW, parsed
from tests.world import World, send, somebody, warsaw_lead

SOON = NOW + timedelta(days=2)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LEAD = uuid.UUID("019cbf6e-0000-7000-8000-000000000001")
NEEDLES = (
    "Kowal",
    "jan@example.com",
    "345678",
    "345 678",
    "Cześć",
    "Tajna",
    "Ring twice",
    "Kinderwagen",
    "Anna",
)
"""Of a customer's name, mail, phone, comments, street; a note, a message, a colleague's name."""


def grow(sessions: SessionFactory, session: Session, world: World) -> None:
    lead = send(session, "api-pl", warsaw_lead(), NOW)
    pipeline.advance(sessions, lead.id, NOW)
    session.refresh(lead)
    assert lead.dealer_id is not None
    session.add(SlotTerms(dealer_id=lead.dealer_id, kind="test_drive", minutes=60, capacity=1))
    session.add(Consent(lead_id=lead.id, purpose="marketing", given=True, at=NOW, origin="api-pl"))
    session.execute(
        update(Lead)
        .where(Lead.id == lead.id)
        .values(street="Tajna 7", status="accepted", owner_id=world.users["anna"], accepted_at=NOW)
    )


@pytest.fixture(scope="module")
def origin(template: Template, superuser: psycopg.Connection) -> Iterator[Template]:
    with grown(template, superuser, grow) as made:
        yield made


@pytest.fixture
def lead(session: Session) -> Lead:
    """Worked on by Anna of PL-WAW-1, which is never closed and lets people book test drives; with
    everything on it that is nobody else's business."""
    return session.scalars(select(Lead)).one()


@pytest.fixture
def page(client: FlaskClient, settings: Settings, lead: Lead) -> Page:
    return Page(client, urlsplit(status_link(settings, lead.id, NOW)).path)


class Page:
    """The customer's browser: sees the page, presses its buttons."""

    def __init__(self, client: FlaskClient, path: str) -> None:
        self.client, self.path = client, path

    def get(self, path: str = "", code: int = 200) -> Any:
        answer = self.client.get(path or f"{self.path}?lang=en")
        assert answer.status_code == code
        return parsed(answer.text)

    def press(self, ending: str, seen: Any = None, **typed: str) -> Any:
        """Send the form whose address ends so, as the page `seen` shows it (None: the page now)."""
        seen = self.get() if seen is None else seen
        form = next(
            f for f in seen.xpath("//form") if urlsplit(f.get("action")).path.endswith(ending)
        )
        hidden = {i.get("name"): i.get("value") for i in form.xpath(".//input[@type='hidden']")}
        return self.client.post(form.get("action"), data=hidden | typed)

    def times(self, words: str) -> Any:
        (link,) = self.get().xpath(f"//a[normalize-space()='{words}']/@href")
        return self.get(link)


def said(answer: Any) -> str:
    """What the page says at once after something was done, or refused."""
    if answer.status_code == 303:
        return ""
    return " ".join(parsed(answer.text).xpath("//*[@role='alert']")[0].text_content().split())


def kinds(session: Session, lead: Lead, of: type[Event] | type[Message] = Event) -> list[str]:
    return list(session.scalars(select(of.kind).where(of.lead_id == lead.id).order_by(of.id)))


def plan(session: Session, lead: Lead, **values: Any) -> PlannedAction:
    given = {"kind": "test_drive", "due_at": SOON, "note": "Ring twice", "created_at": NOW}
    row = PlannedAction(lead_id=lead.id, dealer_id=lead.dealer_id, **(given | values))
    session.add(row)
    session.commit()
    return row


def booked(session: Session) -> PlannedAction:
    session.expire_all()
    return session.scalars(select(PlannedAction)).one()


def test_a_test_drive_is_booked_moved_taken_along_and_called_off(
    session: Session, page: Page, lead: Lead
) -> None:
    seen = page.times("Book a test drive")
    first, second = seen.xpath("//input[@name='starts_at']/@value")[:2]
    for _ in range(2):
        assert page.press("/book", seen, starts_at=first).status_code == 303
    row = booked(session)
    assert (row.due_at.isoformat(), row.booked_by) == (first, "customer")
    assert row.owner_id == lead.owner_id

    (link,) = page.get().xpath("//a[normalize-space()='Into my calendar']/@href")
    entry = page.client.get(link)
    assert entry.headers["Content-Type"].startswith("text/calendar")
    (event,) = Calendar.from_ical(entry.data).walk("VEVENT")
    assert event["dtstart"].dt == row.due_at
    assert event["location"] == "Aurel Centrum, Warszawa"
    assert not any(needle in entry.text for needle in NEEDLES)

    seen = page.times("Change the time")
    assert first not in seen.xpath("//input[@name='starts_at']/@value")
    assert page.press("/move", seen, starts_at=second).status_code == 303
    assert booked(session).due_at.isoformat() == second
    answer = page.press("/cancel")
    assert "called off" in page.get(answer.headers["Location"]).xpath("string(//*[@role='status'])")
    assert booked(session).cancelled_at is not None
    assert page.press("/move", seen, starts_at=first).status_code == 409
    told = [kind for kind in kinds(session, lead) if "book" in kind or "appointment" in kind]
    assert told == ["booked", "appointment_moved", "appointment_cancelled"]


def test_a_time_that_somebody_else_took_is_said_to_be(
    session: Session, page: Page, lead: Lead, offered_lead: Callable[..., Lead]
) -> None:
    seen = page.times("Book a test drive")
    taken, other = seen.xpath("//input[@name='starts_at']/@value")[:2]
    page.press("/book", seen, starts_at=taken)
    row = booked(session)
    session.execute(update(PlannedAction).values(lead_id=offered_lead(NOW, **somebody()).id))
    session.commit()
    answer = page.press("/book", seen, starts_at=taken)
    assert (answer.status_code, "Somebody was quicker" in said(answer)) == (409, True)
    assert other in parsed(answer.text).xpath("//input[@name='starts_at']/@value")
    assert said(page.press("/book", seen)) == "Please choose a time."
    # Another's appointment is none of this link's.
    for act in ("move", "cancel"):
        page.client.post(f"{page.path}/appointments/{row.id}/{act}", data=hidden_of(seen, other))
    assert booked(session).due_at.isoformat() == taken
    assert page.client.get(f"{page.path}/appointment.ics?plan={row.id}").status_code == 404


def hidden_of(seen: Any, starts_at: str) -> dict[str, str]:
    (proof,) = seen.xpath("//input[@name='csrf_token']/@value")
    return {"csrf_token": proof, "starts_at": starts_at}


def test_without_times_to_book_one_writes(session: Session, page: Page, lead: Lead) -> None:
    session.execute(update(SlotTerms).values(capacity=0))
    plan(session, lead)
    seen = page.get()
    assert not seen.xpath("//a[contains(@href, '/times')]")
    assert "say when you could come" in seen.xpath("string(//*[@class='appointment'])")
    for _ in range(2):
        assert page.press("/message", seen, text="  Tuesday, please ").status_code == 303
    texts = select(Event.data["text"].as_string()).where(Event.kind == "customer_message")
    assert session.scalars(texts).all() == ["Tuesday, please"]
    assert kinds(session, lead, Message).count("dealer_customer_message") == 1


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("  ", 422, "Please write a message."),
        ("x" * 2001, 422, "Shorten this to 2000 characters or fewer."),
    ],
)
def test_a_message_that_is_none(page: Page, text: str, code: int, words: str) -> None:
    answer = page.press("/message", text=text)
    assert (answer.status_code, said(answer)) == (code, words)
    (field,) = parsed(answer.text).xpath("//textarea[@aria-invalid='true']")
    assert parsed(answer.text).get_element_by_id(field.get("aria-describedby")) is not None


def test_the_request_is_withdrawn_once_the_box_is_ticked(
    session: Session, page: Page, lead: Lead
) -> None:
    seen = page.get()
    assert said(page.press("/withdraw", seen)) == "Please tick the box first."
    answer = page.press("/withdraw", seen, sure="yes")
    assert "is closed" in page.get(answer.headers["Location"]).xpath("string(//*[@role='status'])")
    session.refresh(lead)
    assert (lead.status, lead.cause) == (Status.WITHDRAWN, "customer")
    assert kinds(session, lead, Message).count("dealer_withdrawn") == 1
    assert page.press("/withdraw", seen, sure="yes").status_code == 409
    assert not page.get().xpath("//input[@name='sure'] | //textarea[@name='text']")


def test_a_consent_is_taken_back_with_all_their_requests(
    session: Session, page: Page, lead: Lead, offered_lead: Callable[..., Lead]
) -> None:
    stranger = offered_lead(NOW, phone="+48512333444", email="eva@example.com", full_name="Eva")
    session.add(Consent(lead_id=stranger.id, purpose="marketing", given=True, at=NOW))
    session.commit()
    for _ in range(2):
        seen = page.get()
        if seen.xpath("//input[@name='purpose']"):
            assert page.press("/consent", seen, purpose="marketing").status_code == 303
    held = dict(iter(session.execute(select(Consent.lead_id, Consent.holds))))
    assert held == {lead.id: False, stranger.id: True}
    assert kinds(session, lead).count("consent_withdrawn") == 1


def test_after_the_visit_one_question(session: Session, page: Page, lead: Lead) -> None:
    assert not page.get().xpath("//input[@name='score']")
    plan(session, lead, due_at=NOW - 3 * HOUR)
    assert said(page.press("/feedback", comment="Kinderwagen")) == "Please choose one of these."
    page.press("/feedback", score="4", comment="Kinderwagen")
    page.press("/feedback", score="5")
    session.expire_all()
    assert [(f.score, f.comment) for f in session.scalars(select(Feedback))] == [(5, "Kinderwagen")]
    (chosen,) = page.get().xpath("//input[@name='score'][@checked]/@value")
    assert chosen == "5"


def test_ended_links_open_nothing_and_a_fresh_one_does(
    client: FlaskClient, settings: Settings, session: Session, page: Page, lead: Lead
) -> None:
    old = Page(client, urlsplit(status_link(settings, lead.id, NOW - DAY)).path)
    seen = old.get()
    answer = old.press("/links", seen)
    assert "fresh one" in page.get(answer.headers["Location"]).text_content()
    old.get(code=404)
    assert client.get(f"{old.path}/times?kind=test_drive").status_code == 404
    assert old.press("/message", seen, text="Hello").status_code == 404
    assert "customer_message" not in kinds(session, lead)
    fresh = Page(client, urlsplit(status_link(settings, lead.id, datetime.now(NOW.tzinfo))).path)
    fresh.get()
    written = session.scalars(
        select(Message).where(Message.lead_id == lead.id, Message.cause.contains(":link:"))
    ).one()
    assert (written.recipient, written.audience) == (lead.email, "customer")


@pytest.mark.parametrize(
    ("issued", "revoked", "opened"),
    [
        (NOW, None, True),
        (NOW - timedelta(seconds=1), NOW, False),
        (NOW, NOW + timedelta(microseconds=700_000), True),
        (NOW + HOUR, NOW, True),
    ],
)
def test_which_links_are_ended(issued: datetime, revoked: datetime | None, opened: bool) -> None:
    token = status_token("secret", LEAD, issued)
    assert opens("secret", token, revoked) is opened
    assert not opens("another", token, revoked) or revoked is None


def test_another_dealer_only_where_the_market_allows(session: Session, page: Page) -> None:
    assert page.get().xpath("//input[@name='dealer']")
    seen = page.get()
    session.execute(update(Market).values(customer_may_move=False))
    session.commit()
    assert not page.get().xpath("//input[@name='dealer']")
    answer = page.press("/dealer", seen, dealer="PL-WAW-2", reason="other")
    assert (answer.status_code, "can't take" in said(answer)) == (409, True)


def test_earlier_requests_of_this_customer_and_of_nobody_else(
    session: Session, page: Page, lead: Lead, offered_lead: Callable[..., Lead]
) -> None:
    offered_lead(NOW - 40 * DAY, phone="+48512333444", email="eva@example.com", full_name="Eva")
    mine = offered_lead(NOW - 20 * DAY, **somebody())
    session.execute(
        update(Lead)
        .where(Lead.id == mine.id)
        .values(
            customer_id=lead.customer_id, email=lead.email, status="lost", request_type="brochure"
        )
    )
    session.commit()
    (row,) = page.get().xpath("//*[@id='earlier']//li")
    assert " ".join(row.text_content().split()).startswith("Brochure · Aurel Mira")
    assert "Completed" in row.text_content()
    assert mine.reference not in page.get().text_content()


@pytest.mark.parametrize("form", ["book", "message", "withdraw", "consent", "feedback", "links"])
def test_a_form_that_nobody_was_shown_does_nothing(
    session: Session, page: Page, lead: Lead, form: str
) -> None:
    plan(session, lead, due_at=NOW - 3 * HOUR)
    before = kinds(session, lead)
    given = {"text": "x", "sure": "yes", "purpose": "marketing", "score": "5"}
    for proof in ({}, {"csrf_token": "forged"}):
        assert page.client.post(f"{page.path}/{form}", data=given | proof).status_code == 409
    assert page.client.post(f"/r/forged/{form}", data=given).status_code == 404
    assert page.client.get(f"{page.path}/{form}").status_code == 405
    assert kinds(session, lead) == before


@pytest.mark.parametrize("status", list(Status))
def test_no_state_of_the_page_gives_the_person_away(
    session: Session, page: Page, lead: Lead, status: Status
) -> None:
    plan(session, lead)
    plan(session, lead, kind="visit", due_at=NOW - 3 * HOUR)
    page.press("/message", text="Kinderwagen")
    if status in {Status.WON, Status.LOST}:
        assert lead.dealer_id is not None
        session.add(
            Outcome(lead_id=lead.id, kind=status, at=NOW, dealer_id=lead.dealer_id, reason="price")
        )
    session.add(
        Feedback(lead_id=lead.id, dealer_id=lead.dealer_id, at=NOW, score=1, comment="Kinderwagen")
    )
    owned = status not in {Status.RECEIVED, Status.INCOMPLETE, Status.UNLOCATED, Status.UNROUTED}
    session.execute(
        update(Lead)
        .where(Lead.id == lead.id)
        .values(status=status, contacted_at=NOW, **({} if owned else {"dealer_id": None}))
    )
    session.commit()
    for ending in ("?lang=en", "/times?kind=test_drive"):
        answer = page.client.get(page.path + ending)
        shown = answer.text.replace(page.path, "")
        assert not [needle for needle in NEEDLES if needle in shown]
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("language", LOCALES)
def test_the_times_are_shown_in_every_language(page: Page, language: str) -> None:
    answer = page.client.get(f"{page.path}/times?kind=test_drive&lang={language}")
    assert answer.status_code == 200
    assert parsed(answer.text).get("lang") == language
    assert parsed(answer.text).xpath("//input[@name='starts_at']")
