"""A dealer's own system is sent its leads, by mail or by POST, and headquarters sets that up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import etree
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt.app import create_app
from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.ingest import adf
from lmt.lifecycle import Status
from lmt.models import Dealer, DealerSystem, Event, Lead, Message, SettingChange, User
from lmt.notify import outbox, posting
from lmt.notify.mailbox import list_mails, read_mail
from lmt.notify.messages import resend
from lmt.notify.postanswer import Verdict, asked_wait, post_answer
from lmt.notify.recheck import Standing, Turn, turn
from lmt.notify.systemsettings import set_up, stop, system_problems
from lmt.scope import SYSTEM
from tests.world import FRIDAY, World

SECRET = "Bearer of-the-dealer"
MINUTE = timedelta(minutes=1)


@dataclass
class Crm:
    """A dealer's system on this machine: answers as told, and remembers what it was sent."""

    url: str = ""
    target: tuple[str, int] = ("", 0)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"<ok/>"
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def _crm() -> Iterator[Crm]:
    crm = Crm()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            crm.posts.append((headers, self.rfile.read(length)))
            self.send_response(crm.status)
            for name, value in {**crm.headers, "Content-Length": str(len(crm.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(crm.body)

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    crm.target = ("127.0.0.1", int(server.server_port))
    crm.url = f"http://127.0.0.1:{server.server_port}/leads"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield crm
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def crm() -> Iterator[Crm]:
    with _crm() as running:
        yield running


@pytest.fixture
def settings(settings: Settings, crm: Crm) -> Settings:
    return replace(settings, private_targets=frozenset({crm.target}))


@pytest.fixture
def warsaw(session: Session, world: World) -> Dealer:
    return session.get_one(Dealer, world.dealers["PL-WAW-1"])


Begin = Callable[..., DealerSystem]


@pytest.fixture
def begin(session: Session, warsaw: Dealer, settings: Settings, crm: Crm) -> Begin:
    def set_it_up(transport: str = "post", address: str = "") -> DealerSystem:
        return set_up(
            session,
            warsaw,
            transport=transport,
            address=address or crm.url,
            authorization=SECRET,
            secret_key=settings.secret_key,
            at=FRIDAY,
            actor=SYSTEM,
        )

    return set_it_up


def told(session: Session) -> Message:
    session.expire_all()
    return session.scalars(select(Message).where(Message.kind == "adf")).one()


def test_an_offered_lead_is_posted_once_beside_the_dealers_mail(
    begin: Begin,
    offered_lead: Callable[..., Lead],
    sessions: SessionFactory,
    session: Session,
    settings: Settings,
    crm: Crm,
) -> None:
    begin()
    lead = offered_lead()
    kinds = set(session.scalars(select(Message.kind).where(Message.lead_id == lead.id)))
    assert {"adf", "dealer_new_lead"} <= kinds
    assert posting.post_due(sessions, settings, FRIDAY) == 1
    assert posting.post_due(sessions, settings, FRIDAY + MINUTE) == 0
    ((headers, body),) = crm.posts
    message = told(session)
    assert headers["authorization"] == SECRET
    assert headers["webhook-id"] == str(message.id)
    assert headers["content-type"].startswith("application/xml")
    prospect = etree.fromstring(body)[0]
    assert prospect.findtext("id") == lead.reference
    assert prospect.findtext("customer/contact/phone") == lead.phone
    assert prospect.findtext("vendor/vendorname") == "Aurel Centrum"
    assert prospect.find("vendor/id").get("source") == "LMT"
    assert message.status == "sent"
    events = session.scalars(select(Event.kind).where(Event.lead_id == lead.id)).all()
    assert "system_told" in events
    # Only the mail, or the desk, starts the clock of the offer.
    assert "clock_started" not in events


def test_as_mail_the_adf_is_the_text_and_is_attached(
    begin: Begin,
    offered_lead: Callable[..., Lead],
    sessions: SessionFactory,
    session: Session,
    settings: Settings,
) -> None:
    begin("mail", "crm@dealer.example")
    lead = offered_lead()
    outbox.send_due(sessions, settings, FRIDAY)
    (mail,) = [m for m in list_mails(settings) if m.to == "crm@dealer.example"]
    found = read_mail(settings, mail.id)
    assert found is not None
    text = found.get_body(("plain",))
    assert text is not None
    (attached,) = found.iter_attachments()
    assert attached.get_content_type() == "application/x-adf+xml"
    content = attached.get_payload(decode=True)
    assert isinstance(content, bytes)
    for body in (text.get_content().encode(), content):
        assert adf.read(body)[0]["id"] == f"LMT:{lead.reference}"
    assert found["Auto-Submitted"] == "auto-generated"
    assert max(map(len, found.as_bytes(policy=policy.SMTP).split(b"\r\n"))) <= 998
    assert told(session).status == "sent"


def test_a_test_lead_never_goes_out(
    begin: Begin, sent_lead: Callable[..., Lead], sessions: SessionFactory, session: Session
) -> None:
    begin()
    lead = sent_lead()
    session.execute(update(Lead).where(Lead.id == lead.id).values(test=True))
    session.commit()
    pipeline.advance(sessions, lead.id, FRIDAY)
    assert session.scalars(select(Message.id).where(Message.kind == "adf")).all() == []


def test_what_was_overtaken_is_dropped(
    begin: Begin,
    offered_lead: Callable[..., Lead],
    sessions: SessionFactory,
    session: Session,
    settings: Settings,
    crm: Crm,
) -> None:
    begin()
    lead = offered_lead()
    pipeline.withdraw(session, lead.id, reason="customer", at=FRIDAY, actor=SYSTEM)
    posting.post_due(sessions, settings, FRIDAY)
    assert (told(session).status, crm.posts) == ("dropped", [])


def test_a_stopped_system_is_sent_nothing(
    begin: Begin,
    warsaw: Dealer,
    offered_lead: Callable[..., Lead],
    sessions: SessionFactory,
    session: Session,
    settings: Settings,
    crm: Crm,
) -> None:
    begin()
    offered_lead()
    stop(session, warsaw, at=FRIDAY, actor=SYSTEM)
    posting.post_due(sessions, settings, FRIDAY)
    assert (told(session).status, crm.posts) == ("dropped", [])


def test_what_waits_goes_by_the_new_settings(
    begin: Begin,
    offered_lead: Callable[..., Lead],
    sessions: SessionFactory,
    session: Session,
    settings: Settings,
    crm: Crm,
) -> None:
    begin()
    offered_lead()
    begin("mail", "crm@dealer.example")
    assert posting.post_due(sessions, settings, FRIDAY) == 0
    outbox.send_due(sessions, settings, FRIDAY)
    assert (told(session).status, told(session).recipient) == ("sent", "crm@dealer.example")
    assert crm.posts == []


def test_what_failed_is_sent_again_to_where_the_dealer_is_now(
    begin: Begin,
    offered_lead: Callable[..., Lead],
    sessions: SessionFactory,
    session: Session,
    settings: Settings,
    crm: Crm,
) -> None:
    begin()
    offered_lead()
    crm.status = 422
    posting.post_due(sessions, settings, FRIDAY)
    assert told(session).status == "failed"
    begin("mail", "crm@dealer.example")
    resend(session, told(session).id, FRIDAY)
    outbox.send_due(sessions, settings, FRIDAY)
    assert (told(session).status, told(session).recipient) == ("sent", "crm@dealer.example")


@pytest.mark.parametrize(
    ("status", "headers", "left", "wait"),
    [
        (503, {"Retry-After": "900"}, "queued", timedelta(minutes=15)),
        (500, {}, "queued", timedelta(seconds=5)),
        (302, {"Location": "https://elsewhere.example/"}, "failed", None),
        (422, {}, "failed", None),
    ],
)
def test_an_answer_decides_what_becomes_of_the_message(
    status: int,
    headers: dict[str, str],
    left: str,
    wait: timedelta | None,
    begin: Begin,
    offered_lead: Callable[..., Lead],
    sessions: SessionFactory,
    session: Session,
    settings: Settings,
    crm: Crm,
) -> None:
    begin()
    offered_lead()
    crm.status, crm.headers = status, headers
    posting.post_due(sessions, settings, FRIDAY)
    message = told(session)
    assert (message.status, message.problem) == (left, f"HTTP {status}")
    if wait is not None:
        assert FRIDAY + wait <= message.next_attempt_at <= FRIDAY + wait + MINUTE
        crm.status = 200
        posting.post_due(sessions, settings, message.next_attempt_at)
        assert told(session).status == "sent"
        assert len({headers["webhook-id"] for headers, _body in crm.posts}) == 1


def test_gone_switches_the_system_off_and_headquarters_hears(
    begin: Begin,
    offered_lead: Callable[..., Lead],
    sessions: SessionFactory,
    session: Session,
    settings: Settings,
    warsaw: Dealer,
    cast: dict[str, User],
    crm: Crm,
) -> None:
    begin()
    offered_lead()
    crm.status = 410
    posting.post_due(sessions, settings, FRIDAY)
    assert told(session).status == "failed"
    assert not session.get_one(DealerSystem, warsaw.id).active
    outbox.send_due(sessions, settings, FRIDAY + MINUTE)
    told_to = {mail.to for mail in list_mails(settings) if "own system" in mail.subject}
    assert told_to == {cast["hana"].email, cast["cem"].email}
    changes = session.scalars(
        select(SettingChange).where(SettingChange.kind == "dealer_system")
    ).all()
    assert SECRET not in str([(change.before, change.after) for change in changes])
    assert changes[-1].after == {"active": False, "cause": "HTTP 410"}


def test_a_machine_that_is_down_costs_one_try_a_run(
    begin: Begin,
    offered_lead: Callable[..., Lead],
    sessions: SessionFactory,
    session: Session,
    settings: Settings,
) -> None:
    with _crm() as gone:
        target, url = gone.target, gone.url
    begin(address=url)
    for number in range(3):
        offered_lead(email=f"person{number}@example.com", phone=f"+4822555010{number}")
    reached = replace(settings, private_targets=frozenset({target}))
    posting.post_due(sessions, reached, FRIDAY)
    session.expire_all()
    tries = session.scalars(select(Message.attempts).where(Message.kind == "adf")).all()
    assert sorted(tries) == [0, 0, 1]


def test_an_address_inside_the_house_is_never_asked(
    begin: Begin,
    offered_lead: Callable[..., Lead],
    sessions: SessionFactory,
    session: Session,
    settings: Settings,
    crm: Crm,
) -> None:
    begin()
    offered_lead()
    posting.post_due(sessions, replace(settings, private_targets=frozenset()), FRIDAY)
    assert (told(session).status, told(session).problem) == ("failed", "refused")
    assert crm.posts == []


AT = datetime(2026, 3, 6, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(200, Verdict.TAKEN), (202, Verdict.TAKEN), (301, Verdict.REFUSED), (400, Verdict.REFUSED),
     (401, Verdict.REFUSED), (404, Verdict.REFUSED), (408, Verdict.LATER), (410, Verdict.GONE),
     (429, Verdict.LATER), (500, Verdict.LATER), (502, Verdict.LATER), (504, Verdict.LATER)],
)  # fmt: skip
def test_what_an_answer_means(status: int, verdict: Verdict) -> None:
    assert post_answer(status, {}, AT).verdict is verdict


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("120", 120), ("", 0), ("soon", 0), ("-5", 0), ("9999999999999", 86400),
     ("Fri, 06 Mar 2026 07:05:00 GMT", 300), ("Fri, 06 Mar 2026 06:05:00 GMT", 0), ("٣", 0)],
)  # fmt: skip
def test_how_long_a_system_asks_to_wait(written: str, seconds: int) -> None:
    assert asked_wait(written, AT).total_seconds() == seconds


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (Standing(Status.OFFERED, "open"), Turn.SEND),
        (Standing(Status.OFFERED, "open", is_overdue=True), Turn.WAIT),
        (Standing(Status.ACCEPTED, "accepted"), Turn.SEND),
        (Standing(Status.RESTING, "accepted"), Turn.SEND),
        (Standing(Status.OFFERED, "expired", is_holder=False), Turn.DROP),
        (Standing(Status.WITHDRAWN, "withdrawn"), Turn.DROP),
        (Standing(Status.WON, "accepted"), Turn.DROP),
        (Standing(Status.OFFERED, "open", has_system=False), Turn.DROP),
    ],
)
def test_when_it_is_still_true(standing: Standing, expected: Turn) -> None:
    assert turn("adf", standing) is expected


@pytest.mark.parametrize(
    ("transport", "address", "field"),
    [
        ("post", "https://crm.dealer.example/adf?dealer=7", ""),
        ("post", "http://crm.dealer.example/adf", "address"),
        ("post", "https://user:secret@crm.dealer.example/", "address"),
        ("post", "https:///adf", "address"),
        ("post", "ftp://crm.dealer.example/", "address"),
        ("post", "https://crm.dealer.example/a b", "address"),
        ("post", "http://127.0.0.1:8099/adf", ""),
        ("mail", "crm@dealer.example", ""),
        ("mail", "nobody", "address"),
        ("mail", "a@dealer.example\r\nBcc: b@dealer.example", "address"),
        ("fax", "1", "transport"),
    ],
)
def test_where_leads_may_be_sent(transport: str, address: str, field: str) -> None:
    found = system_problems(transport, address, private_targets={("127.0.0.1", 8099)})
    assert set(found) == ({field} if field else set())


PAGE = "/hq/dealers/PL-WAW-1/system"


@pytest.fixture
def app(settings: Settings, engine: Any) -> Flask:
    app = create_app(replace(settings), engine=engine)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    return app


def test_headquarters_sets_it_up_tries_it_and_stops_it(
    client: FlaskClient,
    login: Callable[[FlaskClient, User], FlaskClient],
    cast: dict[str, User],
    session: Session,
    warsaw: Dealer,
    crm: Crm,
) -> None:
    login(client, cast["hana"])
    assert PAGE in client.get("/hq/dealers/PL-WAW-1").text
    refused = client.post(PAGE, data={"transport": "post", "address": "http://crm.example/"})
    assert refused.status_code == 422
    assert "Give an address that begins with https://." in refused.text
    given = {"transport": "post", "address": crm.url, "authorization": SECRET}
    assert client.post(PAGE, data=given).status_code == 302
    system = session.get_one(DealerSystem, warsaw.id)
    assert SECRET not in str(system.secrets)
    assert SECRET not in client.get(PAGE).text

    crm.body = b"<taken>by the CRM</taken>"
    tried = client.post(f"{PAGE}/test")
    assert "The test lead was sent." in tried.text
    assert "&lt;taken&gt;by the CRM" in tried.text
    ((headers, body),) = crm.posts
    assert headers["authorization"] == SECRET
    assert "a test of LMT" in adf.read(body)[0]["request"]["comments"]
    crm.status = 500
    assert "The test lead was not taken." in client.post(f"{PAGE}/test").text

    shown = client.post(f"{PAGE}/key", follow_redirects=True).text
    assert "lmt_" in shown
    assert "lmt_" not in client.get(PAGE).text
    assert client.post(f"{PAGE}/stop").status_code == 302
    session.expire_all()
    assert not session.get_one(DealerSystem, warsaw.id).active
    assert "Stopped" in client.get(PAGE).text


@pytest.mark.parametrize(("person", "status"), [("anna", 403), ("cem", 403)])
def test_only_who_edits_the_network_comes_here(
    person: str,
    status: int,
    client: FlaskClient,
    login: Callable[[FlaskClient, User], FlaskClient],
    cast: dict[str, User],
) -> None:
    login(client, cast[person])
    assert client.get(PAGE).status_code == status
    assert client.post(PAGE, data={}).status_code == status
    for way in ("test", "key", "stop"):
        assert client.post(f"{PAGE}/{way}").status_code == status


def test_another_markets_dealer_is_not_there(
    client: FlaskClient,
    login: Callable[[FlaskClient, User], FlaskClient],
    cast: dict[str, User],
) -> None:
    login(client, cast["hana"])
    assert client.get("/hq/dealers/SA-RUH-1/system").status_code == 404
