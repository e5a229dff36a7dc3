"""Mailboxes on a real IMAP server: each mail once, told apart, moved to its folder."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from itertools import count
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt import sources as verbs
from lmt.app import create_app
from lmt.config import Settings
from lmt.db import SessionFactory, engine_for, sessions_for
from lmt.ingest.quarantine import take_again
from lmt.links import reply_address
from lmt.mailboxes import service
from lmt.mailboxes.connection import MailboxError
from lmt.mailboxes.state import wait_after
from lmt.models import (
    Event,
    ImportRun,
    Inquiry,
    Intake,
    Lead,
    MailboxState,
    MailRead,
    Message,
    Source,
    SourceRefusal,
    User,
)
from lmt.notify import outbox
from lmt.notify.mailbox import list_mails, read_mail
from lmt.scope import SYSTEM, actor_of
from lmt.worker import advance_leads
from tests.imap import PASSWORD, USERS, ImapServer, dovecot, imap_server
from tests.world import World, somebody

if not dovecot():
    pytest.skip("NO MAILBOX IS TESTED: dovecot is not installed", allow_module_level=True)

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
"""Tuesday 10:00 in Warsaw: its dealers are open."""
ADF = (
    '<?adf version="1.0"?><adf><prospect><requestdate>2026-03-10T08:00:00Z</requestdate>'
    "<vehicle><make>Aurel</make><model>Mira</model></vehicle><customer><contact>"
    '<name part="full">{0}</name><email>{0}@mail.example</email></contact></customer>'
    "</prospect></adf>"
)
_numbers = count()
_users = iter(USERS)


@pytest.fixture(scope="module")
def imap() -> Iterator[ImapServer]:
    with imap_server() as running:
        yield running


@dataclass
class Box:
    """A mailbox that is a source of Poland, and what reads it."""

    server: ImapServer
    source: Source
    sessions: SessionFactory
    session: Session
    settings: Settings
    at: datetime = NOW

    def put(self, *mails: EmailMessage | bytes) -> None:
        self.server.put(*mails)

    def read(self, after_minutes: int = 3) -> int:
        """Look once more, when it is due."""
        self.at += timedelta(minutes=after_minutes)
        settled = service.read_due(self.sessions, self.settings, self.at)
        self.session.expire_all()
        return settled

    def outcomes(self) -> dict[str, str]:
        """Subject → outcome of the mails that were read, the last of each subject."""
        rows = self.session.scalars(select(MailRead).order_by(MailRead.id))
        return {row.subject: row.outcome for row in rows}

    def leads(self) -> list[Lead]:
        own = select(Lead).where(Lead.source_id == self.source.id)
        return list(self.session.scalars(own.order_by(Lead.id)))

    def state(self) -> MailboxState:
        return self.session.get_one(MailboxState, self.source.id, populate_existing=True)

    def folders(self) -> tuple[int, int, int]:
        """Mails that wait, that are done, that failed."""
        count = self.server.count
        return count("INBOX"), count("LMT-Done"), count("LMT-Failed")


@pytest.fixture
def make_box(
    imap: ImapServer,
    sessions: SessionFactory,
    session: Session,
    settings: Settings,
    world: World,
    cast: dict[str, User],
) -> Callable[..., Box]:
    def make(password: str = PASSWORD, **own: Any) -> Box:
        mine = replace(imap, user=next(_users))
        given = {
            "host": "127.0.0.1",
            "port": str(imap.ports["none"]),
            "tls": "none",
            "user": mine.user,
            "portal_senders": ["portal.example"],
        } | own
        omar = actor_of(cast["omar"])
        source, _key = verbs.create_source(
            session,
            code=f"mails-{mine.user}",
            kind="mailbox",
            name="Portal mails",
            market_id=world.markets["PL"],
            brand_id=world.brand_id,
            country="PL",
            language="pl",
            settings=given,
            at=NOW,
            actor=omar,
        )
        if password:
            key = settings.secret_key
            verbs.set_secret(session, source, "password", password, key, NOW, omar)
        ours = replace(
            settings,
            mail_from="LMT <leads@lmt.example>",
            reply_address="answers@lmt.example",
            private_targets=frozenset((h, p) for h in ("127.0.0.1", "localhost")
                                      for p in imap.ports.values()),
        )  # fmt: skip
        return Box(mine, source, sessions, session, ours)

    return make


@pytest.fixture
def box(make_box: Callable[..., Box]) -> Box:
    return make_box()


def mail(subject: str, text: str = "", **headers: str) -> EmailMessage:
    """From a portal unless it says otherwise, each with an id of its own."""
    made = EmailMessage()
    made["From"] = headers.pop("sender", "Portal <leads@portal.example>")
    made["To"] = headers.pop("to", "leads@lmt.example")
    made["Subject"] = subject
    made["Message-ID"] = headers.pop("message_id", f"<m{next(_numbers)}@portal.example>")
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made


def lines(name: str = "Ada Nowak") -> str:
    person = somebody()
    return (
        f"Name: {name}\nTelefon : {person['phone']}\nE-Mail: {person['email']}\n"
        "Ort: Warszawa\nMarke: Aurel\nModell: Mira\n\nIch möchte eine Probefahrt machen."
    )


def with_file(made: EmailMessage, content: bytes, kind: str, name: str) -> EmailMessage:
    major, _slash, minor = kind.partition("/")
    made.add_attachment(content, maintype=major, subtype=minor, filename=name)
    return made


def in_html(subject: str, page: str) -> EmailMessage:
    made = mail(subject)
    made.set_content(page, subtype="html")
    return made


def test_mails_of_every_kind_become_leads(box: Box) -> None:
    escaped = ADF.format("Escaped").replace("<", "&lt;").replace(">", "&gt;")
    hidden = f"<p>New lead</p><!-- {ADF.format('Comment')} -->"
    box.put(
        mail("body", ADF.format("Body")),
        with_file(mail("attached", "See the file."), ADF.format("Attached").encode(),
                  "application/x-adf+xml", "lead.xml"),
        with_file(mail("octets", ""), ADF.format("Octets").encode(),
                  "application/octet-stream", "lead.ADF"),
        in_html("html", f"<html><body><pre>{ADF.format('Html')}</pre></body></html>"),
        in_html("comment", hidden),
        in_html("escaped", f"<html><body><p>{escaped}</p></body></html>"),
        mail("two", ADF.format("First") + ADF.format("Second")),
        mail("lines", lines("Ada Nowak")),
        mail("person", "I want a test drive.", sender="Zoe Q <zoe@mail.example>"),
        mail("nobody", "Somebody called, please look into it."),
    )  # fmt: skip
    assert box.read() == 10
    assert box.outcomes() == {
        **dict.fromkeys(
            ["body", "attached", "octets", "html", "comment", "escaped", "two", "lines", "person"],
            "lead",
        ),
        "nobody": "quarantined",
    }
    names = Counter(lead.full_name for lead in box.leads())
    documents = ["Body", "Attached", "Octets", "Html", "Comment", "Escaped", "First", "Second"]
    assert names == Counter([*documents, "Ada Nowak", "Zoe Q"])
    by_name = {lead.full_name: lead for lead in box.leads()}
    ada, zoe = by_name["Ada Nowak"], by_name["Zoe Q"]
    assert (ada.model, ada.request_type) != ("", None)
    assert "Ich möchte eine Probefahrt machen." in ada.comments
    assert "Telefon" not in ada.comments
    assert zoe.email == "zoe@mail.example"
    assert "I want a test drive." in zoe.comments
    assert box.folders() == (0, 9, 1)
    rows = box.session.scalars(select(MailRead)).all()
    assert all(row.moved_at is not None for row in rows)
    assert {row.lead_id for row in rows if row.outcome == "lead"} <= {
        lead.id for lead in box.leads()
    }


def test_what_could_not_be_read_is_mended_like_any_delivery(box: Box) -> None:
    box.put(mail("nobody", "Somebody called about a car."))
    box.read()
    row = box.session.scalars(select(MailRead)).one()
    intake = box.session.scalars(select(Intake).where(Intake.id == row.intake_id)).one()
    assert intake.problem["code"] == "no_contact"
    mended = bytes(intake.body).replace(b"Somebody called", b"Phone: +48 512 111 222\r\nCalled")
    take_again(box.session, intake.id, at=NOW, actor=SYSTEM, mended=mended)
    (lead,) = box.leads()
    assert lead.phone == "+48512111222"


def test_a_mail_is_read_once_whatever_happens(box: Box) -> None:
    box.put(mail("one", lines()), mail("two", lines("Jan Lis")))
    assert box.read() == 2
    assert box.read() == 0
    box.put(mail("three", lines("Ewa Lis")))
    assert box.read() == 1
    assert len(box.leads()) == 3
    assert box.folders() == (0, 3, 0)


def test_the_same_mail_put_back_or_delivered_twice_is_the_same_lead(box: Box) -> None:
    same = mail("same", lines(), message_id="<same@portal.example>")
    again = b"Received: from elsewhere by here; Tue, 10 Mar 2026 09:00:00 +0000\r\n" + bytes(same)
    box.put(same, again)
    box.read()
    assert len(box.leads()) == 1
    assert box.outcomes() == {"same": "repeated"}
    lead_ids = set(box.session.scalars(select(MailRead.lead_id)))
    assert lead_ids == {box.leads()[0].id}
    assert box.folders() == (0, 2, 0)


def test_a_sender_that_gives_all_its_mails_one_id_loses_none(box: Box) -> None:
    box.put(
        mail("first", lines("Ada Nowak"), message_id="<always@portal.example>"),
        mail("second", lines("Jan Lis"), message_id="<always@portal.example>"),
    )
    box.read()
    assert {lead.full_name for lead in box.leads()} == {"Ada Nowak", "Jan Lis"}


def test_a_crash_before_the_move_repeats_only_the_move(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.put(mail("one", lines()), mail("two", lines("Jan Lis")))

    def crash(_look: Any, *_args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(service._Look, "_move", crash)
        with pytest.raises(KeyboardInterrupt):
            box.read()
    box.session.expire_all()
    assert len(box.leads()) == 1
    assert [row.moved_at for row in box.session.scalars(select(MailRead))] == [None]
    assert box.folders() == (2, 0, 0)
    # Its lease has to end first.
    assert box.read() == 0
    assert box.read() == 1
    assert len(box.leads()) == 2
    assert box.outcomes() == {"one": "lead", "two": "lead"}
    assert all(row.moved_at for row in box.session.scalars(select(MailRead)))
    assert box.folders() == (0, 2, 0)


def test_killed_between_any_two_commits_nothing_is_lost_or_doubled(box: Box, engine: Any) -> None:
    """A child process reads, and dies by SIGKILL after its n-th commit; then another goes on."""
    for moment in range(1, 12):
        box.put(mail(f"m{moment}", lines(f"Person {moment}")))
        box.at += timedelta(minutes=70)
        killed = _killed_after(box, moment)
        box.read(70)
        names = Counter(lead.full_name for lead in box.leads())
        assert names == Counter(f"Person {number}" for number in range(1, moment + 1)), moment
        assert box.folders() == (0, moment, 0), moment
        assert box.outcomes()[f"m{moment}"] == "lead", moment
        if not killed:
            break
    assert moment > 4


def _killed_after(box: Box, moment: int) -> bool:
    url = box.settings.database_url
    pid = os.fork()
    if pid == 0:
        try:
            engine = engine_for(url)
            commits = count(1)

            def at_commit(_connection: Any) -> None:
                if next(commits) == moment:
                    os.kill(os.getpid(), 9)

            event.listen(engine, "commit", at_commit)
            service.read_due(sessions_for(engine), box.settings, box.at)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) < 0


def test_two_readers_at_once_make_one_lead_of_each(box: Box) -> None:
    box.put(*(mail(f"m{number}", lines(f"Person {number}")) for number in range(8)))
    box.at += timedelta(minutes=3)
    done: list[int] = []
    readers = [
        threading.Thread(
            target=lambda: done.append(service.read_due(box.sessions, box.settings, box.at))
        )
        for _ in range(2)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert sum(done) == 8
    assert len(box.leads()) == 8
    assert box.folders() == (0, 8, 0)


def test_a_mailbox_that_was_numbered_anew_brings_nothing_twice(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_id = mail("with id", lines())
    without = mail("without id", lines("Jan Lis"))
    del without["Message-ID"]
    box.put(with_id, without)
    with monkeypatch.context() as patch:
        # Read, and left where they lie.
        patch.setattr(service._Look, "_move", lambda *_args: None)
        box.read()
    before = set(box.session.scalars(select(MailRead.uid_validity)))
    box.server.renumber()
    box.read()
    assert set(box.session.scalars(select(MailRead.uid_validity))) > before
    assert len(box.leads()) == 2
    assert box.outcomes() == {"with id": "repeated", "without id": "repeated"}
    assert box.folders() == (0, 2, 0)


def test_bounces_automatic_answers_and_loops_are_no_leads(box: Box) -> None:
    report = (
        b"From: MAILER-DAEMON@mx.example\r\nTo: leads@lmt.example\r\nSubject: bounce\r\n"
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        b"--b\r\n\r\nSorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        b"Reporting-MTA: dns; mx\r\n\r\nAction: failed\r\nFinal-Recipient: rfc822; a@b.example\r\n"
        b"--b--\r\n"
    )
    away = {"sender": "Ada <ada@mail.example>"}
    box.put(
        report,
        mail("auto", lines(), Auto_Submitted="auto-replied", **away),
        mail("x-auto", lines(), X_Autoreply="yes", **away),
        mail("Abwesenheitsnotiz: Angebot", "Ich bin bis Montag nicht da.", **away),
        mail("bulk", "Our offers of this week!", Precedence="bulk", sender="Shop <s@shop.example>"),
        mail("own", lines(), sender="LMT <leads@lmt.example>"),
        mail("receipt", lines(), **away, Precedence="auto_reply"),
        mail("portal", lines("Jan Lis"), Auto_Submitted="auto-generated", Precedence="bulk"),
        mail("Out of office chairs?", lines("Ewa Lis"), **away),
    )
    box.read()
    assert box.outcomes() == {
        "bounce": "bounce",
        "auto": "automatic",
        "x-auto": "automatic",
        "Abwesenheitsnotiz: Angebot": "automatic",
        "bulk": "automatic",
        "own": "loop",
        "receipt": "automatic",
        "portal": "lead",
        "Out of office chairs?": "lead",
    }
    assert {lead.full_name for lead in box.leads()} == {"Jan Lis", "Ewa Lis"}


@pytest.fixture
def told(box: Box) -> tuple[Box, Lead, dict[str, EmailMessage]]:
    """A lead that was offered, with the mails about it as they left: by audience."""
    box.put(mail("lead", lines("Ada Nowak")))
    box.read()
    # A look counts the seconds that it takes.
    box.at += timedelta(minutes=1)
    advance_leads(box.sessions, box.at)
    outbox.send_due(box.sessions, box.settings, box.at)
    box.session.expire_all()
    (lead,) = box.leads()
    sent = {}
    for each in list_mails(box.settings):
        found = read_mail(box.settings, each.id)
        assert found is not None
        sent["customer" if found["To"] == lead.email else "dealer"] = found
    return box, lead, sent


def events(box: Box, lead: Lead, kind: str) -> list[Event]:
    wanted = select(Event).where(Event.lead_id == lead.id, Event.kind == kind)
    return list(box.session.scalars(wanted))


def test_an_answer_to_a_signed_address_joins_its_lead(
    told: tuple[Box, Lead, dict[str, EmailMessage]], world: World
) -> None:
    box, lead, sent = told
    to = str(sent["customer"]["Reply-To"])
    assert to.startswith("answers+r")
    assert to != str(sent["dealer"]["Reply-To"])
    # The dealer's mail, in its language, says that answers are kept with the lead.
    body = sent["dealer"].get_body(("plain",))
    assert body is not None
    assert "Twoja odpowiedź zostanie zachowana przy leadzie" in " ".join(body.get_content().split())
    quoted = (
        "\n\nOn Tue, 10 Mar 2026 at 10:00 LMT <leads@lmt.example> wrote:\n> Your request\n> DECLINE"
    )
    box.put(
        mail("Re: yours", f"Please call me after five. withdraw!{quoted}", to=to.upper(),
             sender="Ada <other@mail.example>"),
        mail("Re: new lead", "accept\nWe called her.", to=str(sent["dealer"]["Reply-To"])),
    )  # fmt: skip
    box.read()
    assert box.outcomes()["Re: yours"] == "reply"
    assert len(box.leads()) == 1
    (told_of,) = events(box, lead, "customer_replied")
    assert told_of.data["text"] == "Please call me after five. withdraw!"
    (dealers,) = events(box, lead, "dealer_replied")
    assert dealers.data["text"] == "accept\nWe called her."
    assert dealers.dealer_id == world.dealers["PL-WAW-1"]
    # Nothing that was written is obeyed; the dealer hears of the customer's words.
    advance_leads(box.sessions, box.at + timedelta(minutes=1))
    box.session.expire_all()
    assert box.session.get_one(Lead, lead.id).status == "offered"
    asked = select(Message).where(Message.kind == "dealer_asked_again")
    assert box.session.scalars(asked).one().lead_id == lead.id


def test_an_answer_about_a_closed_lead_is_kept_and_nothing_follows(
    told: tuple[Box, Lead, dict[str, EmailMessage]],
) -> None:
    box, lead, sent = told
    pipeline.withdraw(box.session, lead.id, reason="test", at=box.at, actor=SYSTEM)
    box.put(mail("Re: yours", "Thank you!", to=str(sent["customer"]["Reply-To"])))
    box.read()
    advance_leads(box.sessions, box.at)
    box.session.expire_all()
    assert [each.data["text"] for each in events(box, lead, "customer_replied")] == ["Thank you!"]
    assert box.session.get_one(Lead, lead.id).status == "withdrawn"
    assert box.session.scalar(select(func.count()).select_from(Lead)) == 1
    assert box.session.scalars(select(Inquiry)).one().handled_at is not None


def test_forged_and_unsigned_answers_are_ordinary_mails(
    told: tuple[Box, Lead, dict[str, EmailMessage]],
) -> None:
    box, lead, sent = told
    to = str(sent["customer"]["Reply-To"])
    token = to.partition("+r")[2].partition("@")[0]
    forged = to.replace(token, ("a" if token[-3] != "a" else "b").join([token[:-3], token[-2:]]))
    other = reply_address(replace(box.settings, secret_key="k" * 40),
                          box.session.scalars(select(Message.id).limit(1)).one())  # fmt: skip
    box.put(
        mail("forged", "hello", to=forged, sender="A <a@mail.example>"),
        mail("foreign", "hello", to=other, sender="B <b@mail.example>"),
        mail("named", "hello", sender="C <c@mail.example>",
             In_Reply_To=str(sent["customer"]["Message-ID"])),
    )  # fmt: skip
    box.read()
    outcomes = box.outcomes()
    assert [outcomes[name] for name in ("forged", "foreign", "named")] == ["lead"] * 3
    assert not events(box, lead, "customer_replied")


def test_a_dealer_that_lost_the_lead_adds_nothing_to_it(
    told: tuple[Box, Lead, dict[str, EmailMessage]], cast: dict[str, User]
) -> None:
    box, lead, sent = told
    hana = actor_of(cast["hana"])
    pipeline.reassign(
        box.session, lead.id, dealer_code="PL-WAW-2", reason="x", at=box.at, actor=hana
    )
    box.put(mail("Re: late", "We have her!", to=str(sent["dealer"]["Reply-To"])))
    box.read()
    assert box.outcomes()["Re: late"] == "reply"
    assert not events(box, lead, "dealer_replied")


def test_a_bounce_marks_the_mail_that_came_back(
    told: tuple[Box, Lead, dict[str, EmailMessage]],
) -> None:
    box, lead, sent = told
    original = sent["customer"]
    dealers = sent["dealer"]

    def report(of: EmailMessage, recipient: str, action: str = "failed") -> bytes:
        return (
            "From: MAILER-DAEMON@mx.example\r\nTo: leads@lmt.example\r\nSubject: back\r\n"
            f"Message-ID: <b{next(_numbers)}@mx.example>\r\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
            "--b\r\nContent-Type: text/plain\r\n\r\nIt came back.\r\n"
            "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
            f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: 5.1.1\r\n"
            "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"
            "--b\r\nContent-Type: message/rfc822\r\n\r\n"
            f"Message-ID: {of['Message-ID']}\r\nSubject: {of['Subject']}\r\n\r\nHello\r\n--b--\r\n"
        ).encode("utf-8", "replace")

    box.put(
        report(original, str(original["To"])),
        report(dealers, str(dealers["To"]), "delayed"),
        report(dealers, "somebody@else.example"),
    )
    box.read()
    rows = {row.audience: row for row in box.session.scalars(select(Message))}
    assert (rows["customer"].status, rows["dealer"].status) == ("failed", "sent")
    assert "550 5.1.1 no such user" in rows["customer"].problem
    (told_of,) = events(box, lead, "mail_bounced")
    assert told_of.data["kind"] == "customer_received"


CSV = "Imię i nazwisko;Telefon;E-mail;Miasto\n" + "".join(
    f"Osoba {number};+48 601 000 {number:03d};o{number}@mail.example;Warszawa\n"
    for number in range(3)
)


def test_a_file_of_leads_becomes_an_import(box: Box) -> None:
    def table(subject: str) -> EmailMessage:
        content = CSV.replace("Osoba", subject).encode("cp1250")
        return with_file(mail(subject, "Leads of today"), content, "text/csv", "today.csv")

    box.put(table("Pierwsza"))
    box.read()
    run = box.session.scalars(select(ImportRun)).one()
    assert box.outcomes() == {"Pierwsza": "import"}
    assert run.state == "draft"
    assert box.session.scalars(select(MailRead)).one().import_id == run.id
    # Once a person has confirmed the columns, the next such file starts by itself.
    box.source.mapping = run.mapping
    box.source.version += 1
    box.session.commit()
    box.put(table("Druga"))
    box.read()
    states = box.session.scalars(select(ImportRun.state).order_by(ImportRun.id)).all()
    assert states == ["draft", "waiting"]
    assert not box.leads()
    assert box.folders() == (0, 2, 0)


def test_a_file_that_is_none_is_kept_and_other_files_are_no_import(box: Box) -> None:
    person = "Zoe Q <zoe@mail.example>"
    box.put(
        with_file(mail("broken", lines()), b"PK\x03\x04 no workbook at all",
                  "application/octet-stream", "leads.xlsx"),
        with_file(mail("prices", "Can you beat this?", sender=person),
                  b"item;price\nwheel;100\ndoor;200\n", "text/csv", "prices.csv"),
        with_file(mail("photo", "My old car", sender="Yan <yan@mail.example>"),
                  b"\xff\xd8\xff\xe0 picture", "image/jpeg", "car.jpg"),
    )  # fmt: skip
    box.read()
    assert box.outcomes() == {"broken": "quarantined", "prices": "lead", "photo": "lead"}
    assert box.session.scalar(select(func.count()).select_from(ImportRun)) == 0


def test_a_huge_mail_stays_and_is_told_and_hostile_ones_harm_nobody(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_MAIL_BYTES", 100_000)
    nested = b"From: a@portal.example\r\nSubject: nested\r\n" + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(900)
    )
    bomb = '<?xml version="1.0"?><!DOCTYPE adf [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    inject = mail("x", lines("Ada Nowak"))
    raw = bytes(inject).replace(b"Subject: x", b"Subject: =?utf-8?q?inject=0D=0ABcc=3A_a=40b.c?=")
    charset = bytes(mail("charset", lines("Jan Lis"))).replace(b"utf-8", b"x-no-such-charset")
    box.put(
        mail("huge", "x" * 150_000),
        nested,
        mail("bomb", bomb + ADF.format("&b;")),
        raw,
        charset,
        b"Subject: empty\r\n\r\n",
        b"\x00\xff\xfe not a mail at all \x80",
        mail("fine", lines("Ewa Lis")),
    )
    box.read()
    outcomes = box.outcomes()
    assert "huge" not in outcomes
    assert box.state().problem == "too_large"
    assert box.state().failures == 0
    assert outcomes["bomb"] == outcomes["empty"] == "quarantined"
    assert outcomes["fine"] == outcomes["charset"] == "lead"
    assert {lead.full_name for lead in box.leads()} == {"Ada Nowak", "Jan Lis", "Ewa Lis"}
    assert all("\n" not in subject for subject in outcomes)
    codes = {row.problem["code"] for row in box.session.scalars(select(Intake)) if row.problem}
    assert {"too_deep", "doctype_refused"} <= codes
    assert box.folders()[0] == 1


def test_what_keeps_a_mailbox_from_being_read_is_told(make_box: Callable[..., Box]) -> None:
    boxes = {
        "login": make_box(password="wrong"),
        "secret_missing": make_box(password=""),
        "folder": make_box(folder="Nowhere"),
        "refused": make_box(port="1"),
        "protocol": make_box(tls="tls"),
    }
    assert boxes["login"].read() == 0
    for code, box in boxes.items():
        state = box.state()
        assert (state.problem, state.failures) == (code, 1)
        assert state.next_check_at > NOW + timedelta(minutes=4)
        counted = select(SourceRefusal.code).where(SourceRefusal.source_id == box.source.id)
        assert box.session.scalars(counted).all() == [f"mailbox_{code}"]
        with pytest.raises(MailboxError) as caught:
            service.try_connection(box.settings, box.source)
        assert caught.value.code == code
        assert PASSWORD not in str(caught.value)


def test_a_server_that_is_away_is_asked_less_and_less_and_then_as_before(
    make_box: Callable[..., Box],
) -> None:
    box = make_box(port="9")
    box.settings = replace(box.settings, private_targets=frozenset({("127.0.0.1", 9)}))
    box.read()
    assert (box.state().problem, box.state().failures) == ("away", 1)
    box.read(70)
    assert box.state().failures == 2
    assert abs(box.state().next_check_at - box.at - wait_after(2, "away", 2)) < timedelta(seconds=9)
    box.source.settings = {**box.source.settings, "port": str(box.server.ports["none"])}
    box.session.commit()
    box.settings = replace(
        box.settings, private_targets=frozenset({("127.0.0.1", box.server.ports["none"])})
    )
    box.put(mail("late", lines()))
    assert box.read(70) == 1
    assert (box.state().problem, box.state().failures) == ("", 0)


@pytest.mark.parametrize(
    ("failures", "code", "minutes"),
    [(1, "away", 2), (2, "away", 4), (4, "away", 16), (9, "away", 60), (99, "away", 60),
     (1, "login", 15), (3, "login", 60)],
)  # fmt: skip
def test_waits_grow_up_to_an_hour(failures: int, code: str, minutes: int) -> None:
    assert wait_after(failures, code, 2) == timedelta(minutes=minutes)
    assert wait_after(failures, code, 180) >= timedelta(minutes=180)


def test_a_connection_is_encrypted_and_its_certificate_checked(
    make_box: Callable[..., Box], imap: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    boxes = [
        make_box(host="localhost", tls=way, port=str(imap.ports[way]))
        for way in ("tls", "starttls")
    ]
    boxes[0].read()
    assert [box.state().problem for box in boxes] == ["certificate"] * 2
    monkeypatch.setenv("SSL_CERT_FILE", str(imap.certificate))
    for box in boxes:
        box.put(mail("one", lines()))
        assert service.try_connection(box.settings, box.source).mails == 1
    assert boxes[0].read(70) == 2


def test_a_private_server_is_asked_only_where_the_operator_allows_it(box: Box) -> None:
    box.settings = replace(box.settings, private_targets=frozenset())
    box.read()
    assert box.state().problem == "refused"


def test_a_paused_mailbox_is_left_alone(box: Box, cast: dict[str, User]) -> None:
    box.put(mail("one", lines()))
    verbs.pause(box.session, box.source, NOW, actor_of(cast["omar"]))
    assert box.read() == 0
    assert box.folders() == (1, 0, 0)
    verbs.resume(box.session, box.source, NOW, actor_of(cast["omar"]))
    assert box.read() == 1


@pytest.fixture
def enter(
    box: Box, engine: Engine, cast: dict[str, User], login: Callable[..., FlaskClient]
) -> Iterator[Callable[[str], FlaskClient]]:
    """A browser in which a person is logged in, at the time of the mailbox."""
    app = create_app(box.settings, engine=engine)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    with time_machine.travel(NOW, tick=False):
        yield lambda name: login(app.test_client(), cast[name])


def test_a_mailbox_is_set_up_on_the_pages_and_its_password_never_shown(
    enter: Callable[[str], FlaskClient], box: Box, imap: ImapServer, world: World
) -> None:
    omar = enter("omar")
    form = {
        "kind": "mailbox",
        "name": "Second box",
        "market": str(world.markets["PL"]),
        "settings.host": "127.0.0.1",
        "settings.tls": "none",
        "settings.port": str(imap.ports["none"]),
        "settings.portal_senders": "portal.example\nleads@other.example",
    }
    refused = omar.post("/hq/sources/new", data=form)
    assert refused.status_code == 422
    assert "Fill this in." in refused.text
    user = next(_users)
    made = omar.post("/hq/sources/new", data={**form, "settings.user": user})
    assert made.headers["Location"] == "/hq/sources/second-box"
    page = "/hq/sources/second-box/mails"
    assert "Set the password" in omar.post(f"{page}/test", follow_redirects=True).text
    secret = {"name": "password", "secret": PASSWORD}
    kept = omar.post("/hq/sources/second-box/secrets", data=secret, follow_redirects=True)
    assert "The secret was kept." in kept.text
    replace(imap, user=user).put(mail("hello", lines()))
    works = omar.post(f"{page}/test", follow_redirects=True).text
    assert "The connection works. 1 mail waits in the folder." in works
    assert "LMT-Done" in works
    for shown in (kept.text, works, omar.get("/hq/sources/second-box/edit").text):
        assert PASSWORD not in shown
    source = box.session.scalars(select(Source).where(Source.code == "second-box")).one()
    assert PASSWORD not in str(source.secrets)
    # A password is for the server that it was given for.
    moved = {**form, "settings.user": user, "settings.port": "1143", "seen": str(source.version)}
    assert omar.post("/hq/sources/second-box/edit", data=moved).status_code == 302
    box.session.expire_all()
    assert source.secrets == {}


def test_the_page_lists_mails_with_what_became_of_them_and_looks_at_once(
    enter: Callable[[str], FlaskClient], box: Box
) -> None:
    box.put(mail("A lead", lines("Ada Nowak")), mail("Who knows", "Somebody called."))
    hana = enter("hana")
    page = f"/hq/sources/{box.source.code}/mails"
    assert "No mail was read yet" in hana.get(page).text
    box.read()
    told = hana.get(page).text
    lead = box.leads()[0]
    intake = box.session.scalars(select(MailRead.intake_id).where(MailRead.intake_id.is_not(None)))
    assert f"/hq/leads/{lead.id}" in told
    assert f"/hq/quarantine/{intake.one()}" in told or "In quarantine" in told
    assert "leads@portal.example" in told
    asked = enter("omar").post(f"{page}/check", follow_redirects=True)
    assert "being looked at" in asked.text
    assert box.state().next_check_at == NOW
    box.put(mail("More", lines("Jan Lis")))
    assert box.read(0) == 1
    for client in map(enter, ("anna", "cem")):
        assert client.get(page).status_code == 403
        assert client.post(f"{page}/check").status_code == 403
        assert client.post(f"{page}/test").status_code == 403
    assert hana.get("/hq/sources/api-pl/mails").status_code == 404
