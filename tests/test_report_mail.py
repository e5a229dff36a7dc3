"""Reports that come by mail: received from a real server, opened, and looked into."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import html
from python_calamine import CalamineWorkbook
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from lmt import reportschedules, savedreports
from lmt.config import Settings
from lmt.db import SessionFactory, reading_sessions_for
from lmt.models import Lead, Message, ReportSchedule, Role, User
from lmt.notify import outbox
from lmt.reports.mailing import mail_due
from lmt.reports.refresh import refresh
from lmt.reports.reportmail import makers
from lmt.reportschedules import Terms
from lmt.scope import act_as, actor_of
from tests.post import Post, post_office, words
from tests.world import FRIDAY, World, somebody

MONDAY = datetime(2026, 3, 9, 7, 0, tzinfo=UTC)
"""8:00 in Warsaw."""
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def post() -> Iterator[Post]:
    with post_office() as post:
        yield post


@dataclass
class Case:
    """Hana has a report of two leads mailed on Mondays at 8:00 in Warsaw."""

    session: Session
    sessions: SessionFactory
    reading: SessionFactory
    settings: Settings
    post: Post
    cast: dict[str, User]
    schedule: ReportSchedule

    def due(self, at: datetime = MONDAY) -> int:
        return mail_due(self.sessions, self.settings, at)

    def send(self, at: datetime = MONDAY) -> int:
        return outbox.send_due(self.sessions, self.settings, at, makers(self.reading))

    def received(self, who: str) -> EmailMessage:
        [mail] = self.post.to(f"{who}@lmt.example")
        assert isinstance(mail, EmailMessage)
        return mail

    def messages(self) -> list[Message]:
        self.session.expire_all()
        kind = Message.kind == "scheduled_report"
        return list(self.session.scalars(select(Message).where(kind).order_by(Message.id)))


@pytest.fixture
def case(
    session: Session,
    sessions: SessionFactory,
    engine: Engine,
    settings: Settings,
    post: Post,
    cast: dict[str, User],
    offered_lead: Callable[..., Lead],
) -> Case:
    for _ in range(2):
        offered_lead(**somebody())
    session.execute(Message.__table__.delete())
    session.commit()
    refresh(sessions, FRIDAY + timedelta(hours=1))
    cast["bert"].language = "ar"
    actor = actor_of(cast["hana"])
    address: dict[str, str | list[str]] = {
        "rows": "dealer", "figures": "leads,accepted,conversion", "period": "last_week",
        "compare": "before",
    }  # fmt: skip
    report = savedreports.keep(session, "Dealers & <co>", address, at=FRIDAY, actor=actor)
    terms = Terms(
        "week", 0, 480, "Europe/Warsaw", (cast["hana"].id, cast["bert"].id), ("xlsx", "csv", "pdf")
    )
    schedule = reportschedules.set_schedule(session, report.id, terms, at=FRIDAY, actor=actor)
    by_smtp = replace(settings, smtp_url=post.url)
    reading = reading_sessions_for(engine)
    return Case(session, sessions, reading, by_smtp, post, cast, schedule)


def test_report_arrives_with_its_chart_table_and_files(case: Case) -> None:
    assert case.due() == 2
    assert case.send() == 2
    mail = case.received("hana")
    assert mail["Subject"].startswith("Dealers & <co>: ")
    text = words(mail)
    assert "Leads, Accepted, and Conversion to sale by Dealer" in " ".join(text.split())
    assert re.search(r"Aurel Centrum · Leads: 2", text)
    page = mail.get_body(("html",))
    assert page is not None
    tree = html.document_fromstring(page.get_content())
    cells = [
        " ".join(row.text_content().split()) for row in tree.xpath("//table[@class='grid']//tr")
    ]
    assert cells[0].startswith("Dealer")
    assert any("Aurel Centrum" in row and "2" in row for row in cells)
    [source] = tree.xpath("//img/@src")
    link = str(tree.xpath("//a[@class='button']/@href")[0])
    assert link.startswith("http://localhost/reports/show?")
    assert "from=2026-03-02&to=2026-03-08" in link

    pictures = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert [part["Content-ID"] for part in pictures] == [f"<{source.removeprefix('cid:')}>"]
    assert pictures[0].get_content_disposition() == "inline"
    assert pictures[0].get_content().startswith(PNG)
    files = {str(part.get_filename()): part.get_content() for part in mail.iter_attachments()}
    assert [name.rsplit(".")[-1] for name in files] == ["xlsx", "csv", "pdf"]
    xlsx, csv, pdf = files.values()
    assert all(name.startswith("Dealers co 2026-03-02 2026-03-08") for name in files)
    assert pdf.startswith(b"%PDF-")
    book = CalamineWorkbook.from_filelike(io.BytesIO(xlsx))
    assert len(book.sheet_names) == 3
    sheet = book.get_sheet_by_index(0).to_python()
    assert any(row[:3] == ["PL-WAW-1", "Aurel Centrum", 2] for row in sheet)
    assert "PL-WAW-1,Aurel Centrum,2" in csv


def test_each_reader_gets_their_own_part_in_their_language(
    case: Case, world: World, offered_lead: Callable[..., Lead]
) -> None:
    lead = offered_lead(at=FRIDAY + timedelta(minutes=5), **somebody())
    lead.dealer_id = world.dealers["PL-WAW-2"]
    case.session.commit()
    refresh(case.sessions, FRIDAY + timedelta(hours=1))
    case.due()
    case.send()
    for who, seen in (("hana", {"Aurel Centrum", "Aurel Wola"}), ("bert", {"Aurel Centrum"})):
        page = case.received(who).get_body(("html",))
        assert page is not None
        rows = html.document_fromstring(page.get_content()).xpath("//tbody//th//bdi/text()")
        assert set(map(str, rows)) == seen
    bert = case.received("bert")
    assert bert["Content-Language"] == "ar"
    page = bert.get_body(("html",))
    assert page is not None
    assert html.document_fromstring(page.get_content()).get("dir") == "rtl"


def test_due_once_also_with_two_workers(case: Case) -> None:
    case.due(MONDAY - timedelta(minutes=1))
    assert case.messages() == []
    workers = [threading.Thread(target=case.due) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(message.recipient for message in case.messages()) == [
        "bert@lmt.example",
        "hana@lmt.example",
    ]
    assert case.due(MONDAY + timedelta(days=6)) == 0
    assert case.due(MONDAY + timedelta(days=7)) == 2


def test_a_worker_that_dies_leaves_all_or_nothing(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the first mail was written down: nothing stays, and another worker does it."""
    from lmt.reports import mailing

    written = mailing.enqueue

    def dies(session: Session, **message: Any) -> bool:
        if message["recipient"].startswith("hana"):
            raise SystemExit
        return written(session, **message)

    monkeypatch.setattr(mailing, "enqueue", dies)
    with pytest.raises(SystemExit):
        case.due()
    assert case.messages() == []
    monkeypatch.undo()
    assert case.due() == 2


def test_what_was_missed_comes_once(case: Case) -> None:
    late = MONDAY + timedelta(days=24)
    assert case.due(late) == 2
    case.session.refresh(case.schedule)
    assert case.schedule.last_at == MONDAY
    # A Monday after the clocks have changed, still 8:00 in Warsaw.
    assert case.schedule.next_at == datetime(2026, 4, 6, 6, 0, tzinfo=UTC)


def test_tried_again_it_is_the_same_mail(case: Case) -> None:
    case.due()
    case.post.data_answer = "451 later"
    assert case.send() == 0
    case.post.data_answer = "250 kept"
    assert case.send(MONDAY + timedelta(hours=1)) == 2
    for message in case.messages():
        [mail] = case.post.to(message.recipient)
        assert mail["Message-ID"].startswith(f"<{message.id}@")
        assert set(message.context) == {"schedule_id", "user_id"}  # the outbox holds no figures


@pytest.mark.parametrize("change", ["shut out", "lost the right", "left", "taken off", "deleted"])
def test_who_may_have_it_no_more_gets_none(case: Case, change: str) -> None:
    """As things stand when the mail's turn comes, and for those that are due later."""
    case.due()
    bert = case.session.get_one(User, case.cast["bert"].id)
    if change == "shut out":
        bert.active = False
    elif change == "lost the right":
        agent = case.session.scalars(select(Role).where(Role.name == "agent")).one()
        bert.roles = [agent]
    elif change == "left":
        from lmt.notify.mutes import mute, of_schedule

        mute(case.session, bert.email, of_schedule(case.schedule.id), MONDAY)
    elif change == "taken off":
        case.schedule.recipients = [case.cast["hana"].id]
    else:
        savedreports.delete(
            case.session, case.schedule.report_id, actor=actor_of(case.cast["hana"])
        )
    case.session.commit()
    case.send()
    assert case.post.to("bert@lmt.example") == []
    assert len(case.post.to("hana@lmt.example")) == (change != "deleted")
    case.due(MONDAY + timedelta(days=7))
    assert [m.recipient for m in case.messages() if m.status == "queued"] == (
        [] if change == "deleted" else ["hana@lmt.example"]
    )


def test_of_whoever_has_gone_nothing_is_mailed(case: Case) -> None:
    case.cast["hana"].active = False
    case.session.commit()
    assert case.due() == 0
    case.session.refresh(case.schedule)
    assert not case.schedule.active


def test_one_tap_ends_this_report_alone(case: Case, client: FlaskClient) -> None:
    case.due()
    case.send()
    link = case.received("bert")["List-Unsubscribe"].strip("<>")
    address = link.removeprefix("http://localhost")
    answer = client.post(address, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert case.due(MONDAY + timedelta(days=7)) == 1
    actor = actor_of(case.cast["hana"])
    terms = Terms("day", 0, 540, "UTC", (case.cast["bert"].id,))
    with act_as(case.sessions(), actor) as session:
        reportschedules.set_schedule(
            session, case.schedule.report_id, terms, at=MONDAY, actor=actor
        )
    assert case.due(MONDAY + timedelta(hours=3)) == 1


def test_other_mail_goes_first_and_a_run_without_reports_leaves_them(
    case: Case, offered_lead: Callable[..., Lead]
) -> None:
    case.due()
    assert outbox.send_due(case.sessions, case.settings, MONDAY) == 0
    offered_lead(at=MONDAY, **somebody())
    assert case.send(MONDAY + timedelta(minutes=1)) == 4
    kinds = [recipient.partition("@")[2] for recipient, _mail in case.post.received]
    assert kinds[-2:] == ["lmt.example", "lmt.example"]


def test_nothing_to_tell_is_said(case: Case) -> None:
    case.due(MONDAY + timedelta(days=24))
    case.send(MONDAY + timedelta(days=24))
    mail = case.received("hana")
    assert "There are no leads of yours in it." in words(mail)
    assert list(mail.iter_attachments()) == []
