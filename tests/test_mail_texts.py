"""A market's own words of a mail: what may be in them, where they go, and who may write them."""

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

from lmt import mailtexts
from lmt.config import LOCALES, Settings
from lmt.db import SessionFactory
from lmt.models import Lead, MailText, MailTextVersion, Message, SettingChange, Tap, User
from lmt.notify import outbox
from lmt.notify.facts import DealerCard, MailFacts
from lmt.notify.mails import KINDS, render
from lmt.notify.ownwords import own_words
from lmt.notify.samplefacts import sample_facts
from lmt.notify.words import chosen, parts_of, problems_of, variables_of
from lmt.scope import SYSTEM
from tests.post import Post, post_office
from tests.world import FRIDAY, World

Enter = Callable[[str], FlaskClient]
MakeLead = Callable[..., Lead]
AT = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
LINK = re.compile(r'<a [^>]*href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)
RECEIVED = "/hq/mail-texts/customer_received/PL"
FACTS = MailFacts(
    written_at=AT,
    reference="ABC-1234",
    full_name="Anna <b>",
    brand="Aurel",
    model="Mira",
    dealer=DealerCard("Aurel Centrum", phone="+48 22 1"),
    status_url="https://lmt.example/r/1",
)


def test_own_words_take_the_place_of_ours_and_what_must_be_said_stays() -> None:
    words = {
        "subject": "Your {{ model }} ({{ reference }})",
        "opening": "Dear {{ name }},\n\n100 % yours: {{ dealer }} & {{ nothing }}.\n\n"
        "{% if promise %}Until {{ promise }}.{% endif %}",
        "button": "See it",
    }
    mail = said(words)

    assert mail.subject == "Your Mira (ABC-1234)"
    assert "Dear Anna <b>,\n\n100 % yours: Aurel Centrum &.\n" in mail.text
    assert "Anna &lt;b&gt;" in mail.html
    assert "<b>" not in mail.html
    assert "Thank you for your request" in mail.text  # the heading was left to LMT
    assert "See it:\nhttps://lmt.example/r/1" in mail.text
    assert "+48 22 1" in mail.text
    assert "Until" not in mail.text


@pytest.mark.parametrize("name", ["Win at www.spam.example", "https://x.example", "x" * 80, ""])
def test_a_name_that_is_a_message_greets_nobody(name: str) -> None:
    words = {"opening": "{% if name %}Dear {{ name }},{% else %}Good day,{% endif %}"}

    assert "Good day," in said(words, replace(FACTS, full_name=name)).text


def test_a_tap_is_called_what_it_does_whatever_a_market_calls_its_button() -> None:
    taps = {"accept": "https://lmt.example/t/1", "decline": "https://lmt.example/t/2"}
    mail = render(
        "dealer_new_lead", replace(sample_facts(AT, "https://lmt.example"), taps=taps),
        language="en", timezone="UTC", base_url="https://lmt.example", words={"button": "Look"},
    )  # fmt: skip
    links = {" ".join(words.split()): to for to, words in LINK.findall(mail.html)}
    assert (links["Accept"], links["Decline"]) == (taps["accept"], taps["decline"])
    assert links["Look"].startswith("https://lmt.example/desk/")


def test_values_are_isolated_where_text_runs_from_right_to_left() -> None:
    mail = said({"opening": "طلبك {{ reference }} لدى {{ dealer }}."}, language="ar")

    assert "طلبك \u2066ABC-1234\u2069 لدى \u2068Aurel Centrum\u2069." in mail.text
    assert '<bdi dir="ltr">ABC-1234</bdi>' in mail.html


def test_the_readers_language_comes_before_the_fallback_and_that_before_ours() -> None:
    words = {"heading": "Cześć"}
    texts = {"fallback": "pl", "languages": {"pl": words}}

    assert chosen(texts, "pl") == ("pl", words)
    assert chosen(texts, "de") == ("pl", words)
    assert chosen({**texts, "fallback": ""}, "de") == ("de", {})
    assert chosen(None, "de") == ("de", {})
    assert chosen({"fallback": "pl", "languages": {"pl": {"heading": " "}}}, "de") == ("de", {})


@pytest.mark.parametrize("kind", KINDS)
def test_our_own_words_can_be_started_from_in_every_language(kind: str) -> None:
    for language in LOCALES:
        words = own_words(kind, language)
        assert problems_of(kind, {"languages": {language: words}}) == []
        assert list(words) == parts_of(kind)


@pytest.mark.parametrize(
    "kind", ["customer_received", "customer_transferred", "dealer_handed_over"]
)
def test_started_from_our_words_nothing_is_said_otherwise(kind: str) -> None:
    for dealer in (FACTS.dealer, None):
        facts = replace(
            FACTS,
            dealer=dealer if kind.startswith("customer") else FACTS.dealer,
            from_dealer="Aurel Wola",
            opens_at=AT + timedelta(days=1),
            request_type="test_drive",
        )
        ours = render(kind, facts, language="en", timezone="UTC", base_url="https://lmt.example")
        assert said(own_words(kind, "en"), facts, kind=kind) == ours


def test_what_may_not_stand_in_a_text_is_told_part_by_part() -> None:
    texts = {
        "languages": {
            "en": {"subject": "{{ name }}", "opening": "{{ take_by }}", "footer": "x" * 1001},
            "de": {"heading": "{{ name|upper }}", "closing": "{% if name %}"},
        }
    }
    told = {
        (each.language, each.part): each.words for each in problems_of("customer_closed", texts)
    }

    assert "locked screens" in told["en", "subject"]
    assert "no variable “take_by”" in told["en", "opening"]
    assert "1000 characters" in told["en", "footer"]
    assert [key for key in told if key[0] == "de"] == [("de", "heading"), ("de", "closing")]
    assert len(told) == 5
    assert "name" not in variables_of("dealer_lead_taken_away")
    assert "subject" not in parts_of("customer_reply")


@pytest.mark.parametrize("kind", KINDS)
def test_every_mail_can_be_shown_with_an_invented_lead(kind: str) -> None:
    facts = sample_facts(AT, "https://lmt.example")
    words = dict.fromkeys(parts_of(kind), "Own words")
    mail = render(
        kind, facts, language="en", timezone="UTC", base_url="https://lmt.example", words=words
    )
    assert "Own words" in mail.text


def test_a_market_publishes_goes_back_and_the_mail_follows(
    session: Session,
    sessions: SessionFactory,
    settings: Settings,
    world: World,
    offered_lead: MakeLead,
) -> None:
    with post_office() as post:
        by_smtp = replace(settings, smtp_url=post.url)
        texts = {"fallback": "", "languages": {"pl": {"subject": "Rynek {{ reference }}"}}}
        general = {"fallback": "", "languages": {"pl": {"subject": "Wszędzie {{ reference }}"}}}
        publish(session, world.markets["PL"], texts)
        publish(session, None, general)

        assert subject_sent(sessions, by_smtp, post, offered_lead, 1).startswith("Rynek ")
        back = (session, "customer_received", world.markets["PL"], FRIDAY, SYSTEM)
        mailtexts.back_to_own(*back)
        assert subject_sent(sessions, by_smtp, post, offered_lead, 2).startswith("Wszędzie ")
        mailtexts.roll_back(session, "customer_received", world.markets["PL"], 1, FRIDAY, SYSTEM)
        assert subject_sent(sessions, by_smtp, post, offered_lead, 3).startswith("Rynek ")
    changes = session.scalars(
        select(SettingChange)
        .where(SettingChange.subject == "customer_received/PL")
        .order_by(SettingChange.id)
    ).all()
    assert [each.after for each in changes] == [{"version": 1}, {"version": None}, {"version": 1}]


@pytest.fixture
def enter(
    app: Flask, cast: dict[str, User], login: Callable[[FlaskClient, User], FlaskClient]
) -> Iterator[Enter]:
    with time_machine.travel(AT, tick=False):
        yield lambda name: login(app.test_client(), cast[name])


def test_an_editor_starts_from_our_words_previews_and_publishes(
    enter: Enter, session: Session, offered_lead: MakeLead
) -> None:
    lead = offered_lead()
    client = enter("hana")
    assert "LMT's own words" in words_of(client.get("/hq/mail-texts"))
    sent = client.post(RECEIVED, data={"language": "pl", "do": "own"}, follow_redirects=True)
    assert "Draft" in words_of(sent)

    page = client.get(f"{RECEIVED}?language=pl&width=desktop")
    assert "Dziękujemy" in words_of(page)
    assert "Not written yet: English" in words_of(page)
    data = {"language": "pl", "do": "save", "heading": "Witamy {{ name }}", "fallback": "pl"}
    client.post(RECEIVED, data=data)
    framed = client.get(f"{RECEIVED}/preview?language=en&lead={lead.reference.lower()}")
    assert "Witamy <bdi>" in framed.text or "Witamy Jan Kowal" in framed.text
    assert "sandbox" in framed.headers["Content-Security-Policy"]
    assert "/r/ey" not in framed.text

    bad = client.post(RECEIVED, data={**data, "do": "publish", "heading": "{{ nome }}"})
    assert bad.status_code == 422
    assert "there is no variable “nome”" in words_of(bad)
    done = client.post(
        RECEIVED, data={**data, "do": "publish", "note": "Warmer"}, follow_redirects=True
    )
    assert "Published." in words_of(done)
    assert "Warmer" in words_of(done)
    version = session.scalars(select(MailTextVersion)).one()
    assert version.texts == {
        "fallback": "pl",
        "languages": {"pl": {"heading": "Witamy {{ name }}"}},
    }
    assert "Version 1" in words_of(client.get("/hq/mail-texts?market=PL"))
    client.post(f"{RECEIVED}/versions", data={"number": ""})
    session.expire_all()
    assert session.scalars(select(MailText)).one().published_id is None


@pytest.mark.parametrize(
    ("kind", "buttons"),
    [
        ("dealer_new_lead", ["Accept", "Decline", "Open the lead"]),
        ("plan_reminder", ["Open the lead", "It is done"]),
    ],
)
def test_a_preview_has_the_buttons_of_the_mail_and_they_do_nothing(
    enter: Enter, session: Session, offered_lead: MakeLead, kind: str, buttons: list[str]
) -> None:
    offered_lead()
    framed = enter("hana").get(f"/hq/mail-texts/{kind}/PL/preview?language=en").text
    links = [(href, " ".join(words.split())) for href, words in LINK.findall(framed)]
    assert [words for _href, words in links if words in buttons] == buttons
    assert not any("/t/" in href for href, _words in links)
    assert session.scalars(select(Tap)).all() == []


def test_a_test_goes_to_its_author_and_leaves_no_trace_on_the_lead(
    enter: Enter,
    session: Session,
    sessions: SessionFactory,
    settings: Settings,
    offered_lead: MakeLead,
) -> None:
    lead = offered_lead()
    client = enter("hana")
    client.post(RECEIVED, data={"language": "pl", "heading": "Próba {{ reference }}"})
    with post_office() as post:
        told = client.post(f"{RECEIVED}/test", data={"language": "pl"}, follow_redirects=True)
        assert "A test is on its way to hana@lmt.example." in words_of(told)
        by_smtp = replace(settings, smtp_url=post.url)
        outbox.send_due(sessions, by_smtp, AT)
        (mail,) = post.to("hana@lmt.example")
    assert mail["Subject"].startswith("Test: ")
    text = mail.get_body(("plain",)).get_content()
    assert f"Próba {lead.reference}" in text
    proof = session.scalars(select(Message).where(Message.kind == "mail_text_test")).one()
    assert (proof.lead_id, proof.status) == (None, "sent")


def test_words_of_others_are_nobodys_to_change(enter: Enter, world: World) -> None:
    hana = enter("hana")
    for address in (
        "/hq/mail-texts?market=GULF",
        "/hq/mail-texts?market=all",
        "/hq/mail-texts/customer_received/GULF",
        "/hq/mail-texts/customer_received/all",
        "/hq/mail-texts/customer_received/GULF/preview",
        "/hq/mail-texts/no_such_mail/PL",
    ):
        assert hana.get(address).status_code == 404, address
    for rest in ("", "/versions", "/test"):
        address = f"/hq/mail-texts/customer_received/all{rest}"
        assert hana.post(address, data={"do": "own"}).status_code == 404, address
    assert enter("anna").get("/hq/mail-texts").status_code == 403
    omar = enter("omar")
    assert omar.get("/hq/mail-texts/customer_received/all").status_code == 200
    assert omar.get("/hq/mail-texts/dealer_digest/GULF").status_code == 200


def said(
    words: dict[str, str],
    facts: MailFacts = FACTS,
    language: str = "en",
    kind: str = "customer_received",
) -> Any:
    return render(
        kind,
        facts,
        language=language,
        timezone="UTC",
        base_url="https://lmt.example",
        words=words,
    )


def publish(session: Session, market_id: int | None, texts: dict[str, Any]) -> None:
    mailtexts.save_draft(session, "customer_received", market_id, texts, FRIDAY, SYSTEM)
    mailtexts.publish(session, "customer_received", market_id, "", FRIDAY, SYSTEM)


def subject_sent(
    sessions: SessionFactory, by_smtp: Settings, post: Post, offered_lead: MakeLead, number: int
) -> str:
    address = f"jan{number}@example.com"
    offered_lead(email=address, phone=f"+48 512 000 10{number}")
    outbox.send_due(sessions, by_smtp, FRIDAY)
    return str(post.to(address)[0]["Subject"])


def words_of(answer: Any) -> str:
    return " ".join(unescape(re.sub("<[^>]+>", " ", answer.text)).split())
