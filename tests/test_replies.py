"""What a dealer writes to the customer: templates that fit, letters that are sent, and who keeps
what."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import pipeline, replies, replytemplates
from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.donotcontact import suppress
from lmt.lifecycle import IllegalStep
from lmt.models import Event, Lead, Message, Reply, ReplyTemplate, SettingChange, User
from lmt.notify import outbox
from lmt.scope import Actor, actor_of
from tests.post import post_office, words
from tests.world import World

NOW = datetime(2026, 3, 6, 8, 5, tzinfo=UTC)
LETTER = {"subject": "Your test drive", "body": "Hello Jan,\n\nwhen may we call?"}
Enter = Callable[[str], FlaskClient]
MakeLead = Callable[..., Lead]


@pytest.fixture
def enter(
    app: Flask, cast: dict[str, User], login: Callable[[FlaskClient, User], FlaskClient]
) -> Iterator[Enter]:
    with time_machine.travel(NOW, tick=False):
        yield lambda name: login(app.test_client(), cast[name])


@pytest.fixture
def anna(cast: dict[str, User]) -> Actor:
    return actor_of(cast["anna"])


@pytest.fixture
def worked(session: Session, offered_lead: MakeLead, anna: Actor) -> MakeLead:
    def make(**customer: str) -> Lead:
        lead = offered_lead(**customer)
        pipeline.accept(session, lead.id, at=NOW, actor=anna)
        return lead

    return make


def template(session: Session, name: str, **others: Any) -> ReplyTemplate:
    texts = {"pl": {"subject": "Jazda {{ reference }}", "body": "Cześć {{ name }}!"}}
    row = ReplyTemplate(**{"name": name, "texts": texts, **others})
    session.add(row)
    session.commit()
    return row


def test_the_template_that_fits_best_comes_first(
    session: Session, world: World, worked: MakeLead
) -> None:
    lead, english = worked(), {"en": {"subject": "Hi", "body": "Hi"}}
    poland = world.markets["PL"]
    template(session, "any, English", texts=english)
    template(session, "any")
    template(session, "test drives", request_type="test_drive")
    template(session, "brand", brand_id=world.brand_id)
    template(session, "market", market_id=poland)
    template(session, "market, quotes", market_id=poland, request_type="quote")
    template(session, "of the Gulf", market_id=world.markets["GULF"])
    template(session, "put away", active=False)
    template(session, "a snippet", kind="snippet")

    found = [each.name for each in replies.suggested(session, lead, "pl", NOW)]
    assert found == [
        "market", "brand", "test drives", "any", "any, English", "market, quotes",
    ]  # fmt: skip


def test_a_template_is_filled_in_the_customers_language(
    session: Session, worked: MakeLead, cast: dict[str, User]
) -> None:
    lead = worked()
    texts = {
        "pl": {"subject": "{{ wish }}", "body": "{{ name }}, {{ appointment }}. {{ author }}"},
        "en": {"subject": "{{ wish }}", "body": "{{ model or 'your car' }}"},
    }
    row = template(session, "first", texts=texts)

    letter = replies.filled(session, lead, row, "pl", cast["anna"], NOW)
    assert letter.subject == "Jazda próbna, Aurel Mira"
    assert letter.body.startswith("Jan Kowal, ⟦")
    assert letter.body.endswith("⟧. Anna")
    assert letter.missing == ["appointment"]
    lead.model, lead.full_name = "", "win at www.spam.example"
    assert replies.filled(session, lead, row, "en", cast["anna"], NOW).body == "your car"
    assert replies.filled(session, lead, row, "tr", cast["anna"], NOW).missing == [
        "name", "appointment",
    ]  # fmt: skip


def test_a_letter_is_sent_kept_and_counts_as_contact(
    session: Session,
    sessions: SessionFactory,
    settings: Settings,
    worked: MakeLead,
    anna: Actor,
) -> None:
    lead = worked()
    row = template(session, "first")
    sent = replies.send_reply(
        session,
        lead.id,
        subject="Test\r\nBcc: all@example.com",
        body="Hello\u202e Jan,\r\n\r\nwhen may we call? <b>",
        language="pl",
        template_id=row.id,
        at=NOW,
        actor=anna,
    )
    session.expire_all()
    assert (lead.status, lead.contacted_at) == ("contacted", NOW)
    event = session.scalars(select(Event).where(Event.kind == "replied")).one()
    assert event.data == {"reply_id": str(sent.id), "subject": "Test Bcc: all@example.com"}
    with post_office() as post:
        outbox.send_due(sessions, replace(settings, smtp_url=post.url), NOW)
        mail = next(m for m in post.to("jan@example.com") if "Test" in str(m["Subject"]))
    assert mail["Subject"] == "Test Bcc: all@example.com"
    assert mail["Bcc"] is None
    text = words(mail)
    assert "Hello Jan,\n\nwhen may we call? <b>" in text.replace("\r\n", "\n")
    assert "Anna" in text
    assert "Aurel Centrum" in text


def test_what_keeps_a_letter_from_being_sent_is_said(
    session: Session, offered_lead: MakeLead, worked: MakeLead, anna: Actor
) -> None:
    def problems(lead: Lead, **others: str) -> dict[str, str]:
        with pytest.raises(replies.BadReply) as bad:
            _send(session, lead, anna, at=NOW, **others)
        session.rollback()
        return bad.value.problems

    lead = worked()
    assert set(problems(lead, subject=" \n ", body="\x00")) == {"subject", "body"}
    assert "⟦" in problems(lead, body="See you at ⟦the appointment⟧")["body"]
    assert "200" in problems(lead, subject="x" * 201)["subject"]
    assert "8000" in problems(lead, body="x" * 8001)["body"]
    with pytest.raises(IllegalStep):
        _send(session, offered_lead(phone="+48 512 777 001", email="o@example.com"), anna)
    session.rollback()
    silent = worked(phone="+48 512 777 002", email="")
    assert "no mail address" in problems(silent)["body"]
    for _time in range(replies.MOST_A_DAY):
        _send(session, lead, anna)
    assert "Enough letters" in problems(lead)["body"]
    later = NOW + timedelta(days=1, minutes=1)
    assert _send(session, lead, anna, at=later).id


def test_a_list_stops_what_we_begin_and_never_an_answer(
    session: Session, worked: MakeLead, anna: Actor
) -> None:
    lead = worked()
    suppress(session, "email", lead.email, market_id=None, origin="person", at=NOW)
    session.commit()
    assert _send(session, lead, anna).id

    lead.source.solicited = True
    session.commit()
    with pytest.raises(replies.BadReply) as bad:
        _send(session, lead, anna)
    assert "wants no mails" in bad.value.problems["body"]


def test_the_desk_offers_a_letter_that_is_written_already(
    enter: Enter, session: Session, worked: MakeLead
) -> None:
    lead, client = worked(), enter("anna")
    texts = {
        "pl": {"subject": "Jazda", "body": "Cześć {{ name }}, {{ appointment }}"},
        "en": {"subject": "Drive", "body": "Hello {{ name }}"},
    }
    row = template(session, "first", texts=texts)
    snippet = template(
        session, "parking", kind="snippet", texts={"pl": {"subject": "", "body": "Parking jest."}}
    )
    address = f"/desk/leads/{lead.id}"
    page = client.get(address).text
    assert "first (suggested)" in page
    assert "Cześć Jan Kowal, ⟦the appointment⟧" in page
    assert "Not known: the appointment." in page
    other = client.get(f"{address}?reply={row.id}&reply_language=en").text
    assert ">Hello Jan Kowal</textarea>" in other

    filled = {"language": "pl", "template": str(row.id), "subject": "Jazda", "body": "Cześć"}
    added = client.post(f"{address}/reply", data={**filled, "do": str(snippet.id)}).text
    assert ">Cześć\n\nParking jest.</textarea>" in added
    shown = client.post(f"{address}/reply", data={**filled, "do": "preview"})
    assert "This is how the customer will read it" in shown.text
    assert session.scalars(select(Reply)).first() is None
    unfilled = client.post(f"{address}/reply", data={**filled, "body": "O ⟦the appointment⟧"})
    assert unfilled.status_code == 422
    assert "Write what is missing" in unfilled.text

    done = client.post(f"{address}/reply", data={**filled, "do": "send"}, follow_redirects=True)
    assert "It counts as contact" in done.text
    reply = session.scalars(select(Reply)).one()
    assert (reply.subject, reply.body, reply.template_id) == ("Jazda", "Cześć", row.id)
    message = session.scalars(select(Message).where(Message.kind == "customer_reply")).one()
    assert message.recipient == "jan@example.com"
    assert enter("carla").post(f"{address}/reply", data=filled).status_code == 404


def test_headquarters_keeps_its_own_templates(
    enter: Enter, session: Session, world: World, offered_lead: MakeLead
) -> None:
    lead, client = offered_lead(), enter("hana")
    poland = str(world.markets["PL"])
    assert "No templates" in words_of(client.get("/hq/reply-templates"))
    typed = {
        "kind": "reply", "name": "First", "market": poland, "active": "1",
        "subject-pl": "Jazda {{ reference }}", "body-pl": "Cześć {{ name }}!",
    }  # fmt: skip
    bad = {**typed, "subject-pl": "{{ name }}", "body-en": "{{ nome }}", "name": ""}
    refused = client.post("/hq/reply-templates/new", data=bad)
    assert refused.status_code == 422
    assert "there is no variable “nome”" in words_of(refused)
    assert client.post("/hq/reply-templates/new", data={**typed, "market": ""}).status_code == 422
    assert client.post("/hq/reply-templates/new", data=typed).status_code == 302
    row = session.scalars(select(ReplyTemplate)).one()
    address = f"/hq/reply-templates/{row.id}"
    page = words_of(client.get(f"{address}?lead={lead.reference}&language=pl"))
    assert f"Jazda {lead.reference} Cześć Jan Kowal!" in page
    assert client.post(address, data={**typed, "active": ""}).status_code == 302
    assert "Put away" in words_of(client.get("/hq/reply-templates?market=PL"))
    assert len(session.scalars(select(SettingChange)).all()) == 2

    general = template(session, "general")
    assert client.get(f"/hq/reply-templates/{general.id}").status_code == 404
    assert client.post(f"/hq/reply-templates/{general.id}", data=typed).status_code == 404
    assert enter("anna").get("/hq/reply-templates").status_code == 403
    omar = enter("omar")
    assert omar.get(f"/hq/reply-templates/{general.id}").status_code == 200
    assert "general" in words_of(omar.get("/hq/reply-templates?market=all"))


def test_what_may_not_stand_in_a_template_is_told_at_its_field() -> None:
    texts = {"en": {"subject": "{{ name }}", "body": ""}, "pl": {"subject": "", "body": "{% x %}"}}
    terms = replytemplates.Terms("reply", "a", 1, None, "no such", texts)

    assert set(replytemplates.problems_of(terms)) == {
        "request_type", "subject-en", "body-en", "subject-pl", "body-pl",
    }  # fmt: skip


def _send(
    session: Session, lead: Lead, actor: Actor, *, at: datetime = NOW, **others: str
) -> Reply:
    given = {**LETTER, **others}
    return replies.send_reply(
        session, lead.id, language="pl", template_id=None, at=at, actor=actor, **given
    )


def words_of(answer: Any) -> str:
    return " ".join(unescape(re.sub("<[^>]+>", " ", answer.text)).split())
