"""Rows of files between their sender, the road and those who read them: what once went wrong."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from types import SimpleNamespace
from typing import Any, cast

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from lmt import clock, jobs, pipeline
from lmt.bulkroad.chunk import due_newcomers
from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.exports.leads import COLUMNS, LeadLine
from lmt.imports import engine, service
from lmt.imports.checking import Findings
from lmt.imports.reading import ReadRow
from lmt.imports.rows import Call, RowRead
from lmt.ingest.accept import Delivery, accept
from lmt.ingest.bulk import BulkCall, BulkResult
from lmt.ingest.mail import mail_of
from lmt.mailboxes.settling import Place, settle
from lmt.models import CallRecord, ImportRun, Lead, MailRead, Source, User
from lmt.scope import SYSTEM, Actor, Part, act_as, actor_of
from tests.test_bulk import Line, imported, outcomes, source_row
from tests.test_imports import begun, counts, person, started, table, work
from tests.world import FRIDAY, World, warsaw_lead

HOUR = timedelta(hours=1)
NEXT_YEAR = FRIDAY + timedelta(days=365)
Login = Callable[[FlaskClient, User], FlaskClient]


@pytest.fixture
def centre(session: Session, world: World) -> Source:
    source = Source(
        code="centre-pl", kind="file", name="Call centre", market_id=world.markets["PL"],
        brand_id=world.brand_id, country="PL", language="pl", tells_customer=False,
    )  # fmt: skip
    session.add(source)
    session.commit()
    return source


# The same number of a sender once more


def row(comments: str, key: str = "cc-1", **given: Any) -> Line:
    data = warsaw_lead() | {"request": {"type": "test_drive", "comments": comments}}
    return Line(data, key=key, **given)


def closed(session: Session, lead_id: uuid.UUID | None, at: datetime = FRIDAY) -> None:
    assert lead_id is not None
    lead = session.get_one(Lead, lead_id)
    lead.status, lead.cause, lead.closed_at, lead.next_action_at = "withdrawn", "no", at, None
    session.commit()


def test_who_is_interested_after_their_lead_was_closed_is_a_lead_again(session: Session) -> None:
    (first,) = imported(session, row("not now"))
    # While it is open, the number names it.
    assert imported(session, row("soon"), at=FRIDAY + HOUR) == [
        BulkResult(1, "asked_again", first.lead_id)
    ]
    closed(session, first.lead_id)
    call = BulkCall(NEXT_YEAR - HOUR, "interested")
    (second,) = imported(session, row("now", call=call), at=NEXT_YEAR)
    assert second.outcome == "accepted"
    lead = session.get_one(Lead, second.lead_id)
    assert lead.id != first.lead_id
    assert (lead.status, lead.next_action_at) == ("received", NEXT_YEAR)
    assert lead.customer_id == session.get_one(Lead, first.lead_id).customer_id
    # The same row again is that delivery, and other words join what is open now.
    again = imported(session, row("now", call=call), row("really now"), at=NEXT_YEAR + HOUR)
    assert outcomes(again) == ["repeated", "asked_again"]
    assert {result.lead_id for result in again} == {lead.id}


def test_a_live_sender_that_mends_what_it_sent_speaks_of_its_closed_lead(session: Session) -> None:
    """Its own id names one request for ever, where a list's number names a person."""
    source = source_row(session)
    first = accept(session, source, Delivery(b"1", key="x-1"), [row("").data], FRIDAY)
    closed(session, first.lead_ids[0])
    again = accept(session, source, Delivery(b"2", key="x-1"), [row("b").data], FRIDAY + HOUR)
    assert again.lead_ids == first.lead_ids


# What breaks us


def test_an_import_that_can_not_even_note_a_failed_row_fails_and_goes_on_later(
    session: Session, sessions: SessionFactory, centre: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def breaks(*_given: Any) -> Any:
        tries.append(1)
        if len(tries) > 20:
            pytest.fail("it goes round and round")
        raise ArithmeticError("nobody thought of this")

    run = started(session, centre, table([person(n) for n in range(3)]))
    with monkeypatch.context() as patch:
        patch.setattr(engine, "accept_rows", breaks)
        patch.setattr(engine, "row_values", breaks)
        assert jobs.work(sessions, clock.now())
    session.refresh(run)
    assert (run.state, run.position) == ("failed", 0)
    service.resume(session, run, clock.now(), SYSTEM)
    work(sessions)
    assert (counts(session, run), run.state) == ({"accepted": 3}, "finished")


# Who reads what agents noted


def calls_seen(session: Session, actor: Actor) -> set[str]:
    act_as(session, actor)
    seen = set(session.scalars(select(CallRecord.note)))
    act_as(session, SYSTEM)
    return seen


def test_notes_of_calls_are_read_by_those_they_concern(
    session: Session, world: World, cast: dict[str, User]
) -> None:
    # One customer, who asked in both markets.
    (poland,) = imported(
        session, row("a", call=BulkCall(FRIDAY, "interested", "PL lead")), at=FRIDAY
    )
    riyadh = warsaw_lead() | {"address": {"city": "الرياض", "country": "SA"}}
    call = BulkCall(FRIDAY, "interested", "Gulf lead")
    (gulf,) = imported(session, Line(riyadh, call=call), source="api-gulf")
    leads = [session.get_one(Lead, result.lead_id) for result in (poland, gulf)]
    assert leads[0].customer_id == leads[1].customer_id
    for code in ("api-pl", "api-gulf"):
        session.add(
            CallRecord(customer_id=leads[0].customer_id, source_id=world.sources[code],
                       disposition="no_answer", note=f"{code} alone")
        )  # fmt: skip
    leads[0].dealer_id, leads[0].status = world.dealers["PL-WAW-1"], "accepted"
    session.commit()
    market, brand = world.markets["PL"], world.brand_id
    hana, anna, carla = (actor_of(cast[name]) for name in ("hana", "anna", "carla"))
    assert calls_seen(session, hana) == {"PL lead", "api-pl alone"}
    assert calls_seen(session, anna) == {"PL lead"}
    assert calls_seen(session, carla) == set()
    for brand_id, seen in ((brand, {"PL lead"}), (brand + 10_000, set())):
        assert calls_seen(session, Actor(1, frozenset(), (Part(market, None, brand_id),))) == seen


# Counts, spans and instants


def test_the_check_counts_as_the_import_does() -> None:
    def read(number: int, own: str, said: str, call: Call | None = None) -> ReadRow:
        lead = {"id": own, "request": {"comments": said}}
        return ReadRow(number, (), RowRead(lead, call, (), ()))

    found = Findings()
    found.add(
        [read(1, "a", "x"), read(2, "a", "y"), read(3, "a", "x"), read(4, "b", "x"),
         read(5, "", "x"), read(6, "", "x")]
    )  # fmt: skip
    told = found.result()
    assert {name: told[name] for name in ("rows", "routed", "repeated", "failed")} == {
        "rows": 6, "routed": 4, "repeated": 2, "failed": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("is_imported", "first_call", "minutes"),
    [(True, -2 * HOUR, 120), (True, HOUR, 0), (True, None, 0), (False, None, 180)],
)
def test_nobody_waits_less_than_no_time(
    is_imported: bool, first_call: timedelta | None, minutes: int
) -> None:
    lead = SimpleNamespace(
        import_id=uuid.uuid4() if is_imported else None,
        created_at=FRIDAY - 3 * HOUR,
        first_call_at=None if first_call is None else FRIDAY + first_call,
        contacted_at=FRIDAY,
    )
    (waited,) = [each for each in COLUMNS if str(each.words) == "Response time in minutes"]
    assert waited.cell(LeadLine(cast(Any, lead), ("", ""), None, "", "")) == minutes


def test_a_call_of_no_known_day_is_given_none(
    session: Session, client: FlaskClient, login: Login, cast: dict[str, User]
) -> None:
    known = BulkCall(FRIDAY - 100 * HOUR, "no_answer", "dated")
    (result, _other) = imported(
        session, row("a", call=BulkCall(None, "interested", "undated")),
        row("b", "cc-2", call=known, action="history"),
    )  # fmt: skip
    told = session.execute(select(CallRecord.note, CallRecord.at).order_by(CallRecord.note)).all()
    assert [tuple(each) for each in told] == [("dated", known.at), ("undated", None)]
    customer_id = session.get_one(Lead, result.lead_id).customer_id
    page = login(client, cast["hana"]).get(f"/hq/customers/{customer_id}").text
    # What is dated comes first.
    assert page.index("dated</blockquote>") < page.index("Time not known")
    assert page.count("Time not known") == 1


# In which queue


def test_who_asks_by_themselves_is_not_kept_waiting_behind_a_file(session: Session) -> None:
    (quiet, asked) = imported(
        session, row("a"),
        Line(warsaw_lead(full_name="Ewa Nowak", phone="+48512000222", email="e@example.com")),
    )  # fmt: skip
    ewa = warsaw_lead(full_name="Ewa Nowak", phone="+48512000222", email="e@example.com")
    receipt = accept(session, source_row(session), Delivery(b"live"), [ewa], FRIDAY + HOUR)
    assert receipt.joined == {asked.lead_id}
    at = FRIDAY + HOUR
    assert pipeline.due_leads(session, at) == [asked.lead_id]
    assert due_newcomers(session, at, 10) == [quiet.lead_id]


# A file by mail


def test_a_mail_takes_no_import_of_another_road_for_its_own(
    session: Session, settings: Settings, world: World, centre: Source,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    centre.kind = "mailbox"
    session.commit()
    content = table([person(n) for n in range(3)])
    by_hand = begun(session, centre, content)
    mail = EmailMessage()
    mail["From"], mail["To"] = "Portal <leads@portal.example>", "leads@lmt.example"
    mail["Subject"], mail["Message-ID"] = "today", "<today@portal.example>"
    mail.set_content("Leads of today")
    mail.add_attachment(content, maintype="text", subtype="csv", filename="calls.csv")
    raw = bytes(mail)

    def dies(*_given: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("lmt.mailboxes.settling.MailRead", dies)
        with pytest.raises(KeyboardInterrupt):
            settle(session, settings, centre, Place(1, 1), raw, FRIDAY)
    session.rollback()
    assert settle(session, settings, centre, Place(1, 1), raw, FRIDAY) == "import"
    runs = session.scalars(select(ImportRun).order_by(ImportRun.id)).all()
    assert len(runs) == 2
    assert runs[0].id == by_hand.id
    assert session.scalars(select(MailRead.import_id)).all() == [runs[1].id]
    assert runs[1].options["mail"] == mail_of(raw).identity


# A large list


def test_a_list_of_dealers_may_be_as_large_as_the_page_says(
    client: FlaskClient, login: Login, cast: dict[str, User], session: Session
) -> None:
    lines = "Händlernr.;Händlername;Ort\n" + f"PL-WAW-1;{'A' * 3_000};Warszawa\n" * 1_000
    boundary, form = encode_multipart(
        {"market": "PL", "file": FileStorage(io.BytesIO(lines.encode()), "list.csv")}
    )
    answer = login(client, cast["hana"]).post(
        "/hq/import-dealers", data=form, content_type=f"multipart/form-data; boundary={boundary}"
    )
    assert answer.status_code == 302
    assert "/hq/import-dealers/" in answer.location
