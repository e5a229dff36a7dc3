"""Mails to customers on their way, from the verb to the mailbox and back, by a real server."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage

import pytest
from icalendar import Calendar
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt.config import Settings
from lmt.convert import service as converting
from lmt.db import SessionFactory
from lmt.models import Lead, Message, PlannedAction, Reply, User
from lmt.notify import outbox
from lmt.notify import service as notify
from lmt.notify.mailbox import list_mails, read_mail
from lmt.scope import SYSTEM, actor_of
from tests.post import post_office, words
from tests.world import FRIDAY

AT = FRIDAY + timedelta(hours=2)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def worked(session: Session, offered_lead: Callable[..., Lead], cast: dict[str, User]) -> Lead:
    """Anna has the lead of an English customer, and an appointment with them."""
    lead = offered_lead(at=AT, language="en")
    pipeline.accept(session, lead.id, at=AT, actor=actor_of(cast["anna"]))
    session.add(
        PlannedAction(
            lead_id=lead.id,
            dealer_id=lead.dealer_id,
            kind="visit",
            due_at=AT + DAY,
            created_at=AT,
            booked_by="customer",
        )
    )
    session.commit()
    return session.get_one(Lead, lead.id)


def the_plan(session: Session) -> PlannedAction:
    return session.scalars(select(PlannedAction)).one()


def sent(sessions: SessionFactory, settings: Settings, at: datetime, word: str) -> EmailMessage:
    """Sent through SMTP, kept in a mailbox, and read from there."""
    with post_office() as post:
        outbox.send_due(sessions, replace(settings, smtp_url=post.url), at)
        (mail,) = [m for m in post.to("jan@example.com") if word in str(m["Subject"])]
    assert isinstance(mail, EmailMessage)
    return mail


def entry(mail: EmailMessage) -> tuple[str, Calendar]:
    """The method by which its calendar came, and the calendar."""
    (part,) = mail.iter_attachments()
    calendar = Calendar.from_ical(part.get_payload(decode=True))
    assert part.get_param("method") == str(calendar["method"])
    return str(calendar["method"]), calendar.walk("VEVENT")[0]


def test_a_moved_appointment_replaces_the_entry_and_a_cancelled_one_removes_it(
    session: Session, sessions: SessionFactory, settings: Settings, worked: Lead
) -> None:
    plan = the_plan(session)
    notify.tell_customer_appointment(session, worked, plan, AT)
    session.commit()
    first = sent(sessions, settings, AT, "Your appointment")
    plan.due_at = AT + 2 * DAY
    notify.tell_customer_appointment(session, worked, plan, AT + HOUR)
    session.commit()
    moved = sent(sessions, settings, AT + HOUR, "Your appointment")
    plan.done_at = plan.cancelled_at = AT + 2 * HOUR
    notify.tell_customer_appointment_cancelled(session, worked, plan, AT + 2 * HOUR)
    session.commit()
    off = sent(sessions, settings, AT + 2 * HOUR, "called off")
    told = [entry(mail) for mail in (first, moved, off)]
    assert [method for method, _event in told] == ["REQUEST", "REQUEST", "CANCEL"]
    events = [event for _method, event in told]
    assert len({str(event["uid"]) for event in events}) == 1
    assert [int(event["sequence"]) for event in events] == [0, 3600, 7200]
    assert len({str(event["organizer"]) for event in events}) == 1
    assert events[1]["dtstart"].dt == AT + 2 * DAY
    assert str(events[2]["status"]) == "CANCELLED"
    assert "Aurel Centrum" in words(first)
    assert "10:00" in words(first)


def test_an_appointment_that_moved_before_its_mail_left_is_told_once(
    session: Session, sessions: SessionFactory, settings: Settings, worked: Lead
) -> None:
    plan = the_plan(session)
    notify.tell_customer_appointment(session, worked, plan, AT)
    plan.due_at = AT + 2 * DAY
    notify.tell_customer_appointment(session, worked, plan, AT + HOUR)
    session.commit()
    assert "Sunday" in words(sent(sessions, settings, AT + HOUR, "Your appointment"))


def test_a_dealers_letter_is_a_persons_and_is_answered_to_the_lead(
    session: Session,
    sessions: SessionFactory,
    settings: Settings,
    worked: Lead,
    cast: dict[str, User],
) -> None:
    reply = Reply(
        lead_id=worked.id,
        dealer_id=worked.dealer_id,
        author_id=cast["anna"].id,
        language="en",
        subject="About your visit",
        body="Dear Jan,\n\nsee you tomorrow.",
        at=AT,
    )
    session.add(reply)
    notify.tell_customer_reply(session, worked, reply, AT)
    session.commit()
    answerable = replace(settings, reply_address="answers@lmt.example")
    mail = sent(sessions, answerable, AT, "About your visit")
    assert mail["Auto-Submitted"] is None
    assert str(mail["Reply-To"]).startswith("answers+r")
    for part in ("see you tomorrow.", "Anna", "Aurel Centrum", worked.reference):
        assert part in words(mail)


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("won", "Thank you for your trust"),
        ("lost", "Your request is closed"),
        ("withdrawn", "was withdrawn"),
    ],
)
def test_how_it_ended(
    session: Session,
    sessions: SessionFactory,
    settings: Settings,
    worked: Lead,
    end: str,
    expected: str,
) -> None:
    def tell(in_session: Session, lead: Lead) -> None:
        notify.tell_customer_closed(in_session, lead, AT)

    if end == "won":
        converting.won(session, worked.id, at=AT, actor=SYSTEM, also=tell)
    elif end == "lost":
        worked.contacted_at = AT
        converting.lost(session, worked.id, reason="price", at=AT, actor=SYSTEM, also=tell)
    else:
        pipeline.withdraw(session, worked.id, reason="customer", at=AT, actor=SYSTEM)
    mail = sent(sessions, settings, AT + HOUR, expected)
    assert mail["Auto-Submitted"] == "auto-generated"


def test_an_end_taken_back_is_never_told(
    session: Session, sessions: SessionFactory, settings: Settings, worked: Lead
) -> None:
    def tell(in_session: Session, lead: Lead) -> None:
        notify.tell_customer_closed(in_session, lead, AT)

    converting.won(session, worked.id, at=AT, actor=SYSTEM, also=tell)
    converting.reopen(session, worked.id, at=AT, actor=SYSTEM)
    outbox.send_due(sessions, settings, AT + HOUR)
    kept = select(Message.status).where(Message.kind == "customer_closed")
    session.expire_all()
    assert list(session.scalars(kept)) == ["dropped"]


@pytest.mark.parametrize(
    ("reason", "contacted"), [("do_not_contact", True), ("bad_data", True), ("price", False)]
)
def test_some_ends_are_told_to_nobody(
    session: Session, worked: Lead, reason: str, contacted: bool
) -> None:
    worked.contacted_at = AT if contacted else None
    worked.status, worked.cause = "lost", reason
    notify.tell_customer_closed(session, worked, AT)
    assert session.scalars(select(Message).where(Message.kind == "customer_closed")).all() == []


def test_the_question_after_the_visit_can_be_stopped_by_one_press(
    session: Session, sessions: SessionFactory, settings: Settings, worked: Lead
) -> None:
    for _time in range(2):
        notify.ask_customer_feedback(session, worked, AT + HOUR, AT)
    session.commit()
    mail = sent(sessions, settings, AT + HOUR, "How did it go?")
    assert "/r/stop/" in str(mail["List-Unsubscribe"])
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_local_mailbox_keeps_what_a_server_would_get(
    session: Session, sessions: SessionFactory, settings: Settings, worked: Lead
) -> None:
    notify.tell_customer_appointment(session, worked, the_plan(session), AT)
    session.commit()
    outbox.send_due(sessions, settings, AT)
    (kept,) = [m for m in list_mails(settings) if "Your appointment" in m.subject]
    mail = read_mail(settings, kept.id)
    assert mail is not None
    assert entry(mail)[0] == "REQUEST"


def test_dealers_hear_of_what_customers_do(
    session: Session,
    sessions: SessionFactory,
    settings: Settings,
    worked: Lead,
    cast: dict[str, User],
) -> None:
    plan = the_plan(session)
    notify.tell_dealer_appointment(session, worked, plan, "booked", AT)
    notify.tell_colleague(
        session, "colleague_mentioned", worked, cast["bert"], AT, by=cast["anna"].id
    )
    notify.tell_dealer_customer_message(session, worked, uuid.uuid4(), AT)
    session.commit()
    with post_office() as post:
        outbox.send_due(sessions, replace(settings, smtp_url=post.url), AT)
        (to_bert,) = post.to("bert@lmt.example")
        to_anna = [str(mail["Subject"]) for mail in post.to("anna@lmt.example")]
    assert "Anna named you in a note" in words(to_bert)
    assert len([subject for subject in to_anna if "Appointment" in subject]) == 1
    assert len([subject for subject in to_anna if "Message from a customer" in subject]) == 1
