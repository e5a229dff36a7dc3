"""People whom an import brought: no mail unless they write, called when they asked, and waiting
for us from the first call on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import moving, pipeline, placing
from lmt import sources as sourceverbs
from lmt.db import SessionFactory
from lmt.followup import service as followup
from lmt.lifecycle import Status
from lmt.models import (
    CallRecord,
    Event,
    ImportRun,
    Lead,
    Message,
    PlannedAction,
    SettingChange,
    Source,
    Upload,
    User,
)
from lmt.reports.answer import Answer
from lmt.reports.ask import ask
from lmt.reports.figures import BY_CODE
from lmt.reports.question import Question
from lmt.reports.refresh import refresh_all
from lmt.scope import SYSTEM, Actor, act_as, actor_of
from tests.world import FRIDAY, World, send, warsaw_lead

HOUR = timedelta(hours=1)
TOMORROW = FRIDAY + timedelta(days=1)


@dataclass
class Prospects:
    """A call centre's list in Poland, and its people."""

    session: Session
    sessions: SessionFactory
    source: Source
    run: ImportRun

    def lead(self, at: datetime = FRIDAY, call_at: datetime | None = None) -> Lead:
        lead = send(self.session, self.source.code, warsaw_lead(), at)
        lead.import_id, lead.call_at = self.run.id, call_at
        self.session.commit()
        return lead

    def go(self, lead: Lead, at: datetime = FRIDAY) -> None:
        pipeline.advance(self.sessions, lead.id, at)
        self.session.expire_all()

    def mails(self, audience: str) -> list[str]:
        told = select(Message.kind).where(Message.audience == audience).order_by(Message.id)
        return list(self.session.scalars(told))

    def plans(self) -> list[PlannedAction]:
        return list(self.session.scalars(select(PlannedAction).order_by(PlannedAction.id)))


@pytest.fixture
def prospects(session: Session, sessions: SessionFactory, world: World) -> Prospects:
    source, _no_key = sourceverbs.create_source(
        session, code="fair", kind="file", name="Fair", market_id=world.markets["PL"],
        brand_id=world.brand_id, country="PL", language="pl", at=FRIDAY, actor=SYSTEM,
    )  # fmt: skip
    upload = Upload(
        market_id=source.market_id, name="fair.csv", size=1, sha256=b"x" * 32, created_at=FRIDAY
    )
    session.add(upload)
    session.flush()
    run = ImportRun(source_id=source.id, upload_id=upload.id, created_at=FRIDAY)
    session.add(run)
    session.commit()
    return Prospects(session, sessions, source, run)


@pytest.fixture
def anna(cast: dict[str, User]) -> Actor:
    return actor_of(cast["anna"])


def test_a_file_begins_as_a_list_of_people_who_did_not_ask(prospects: Prospects) -> None:
    assert (prospects.source.solicited, prospects.source.tells_customer) == (True, False)


def test_who_did_not_ask_gets_no_mail_from_arrival_to_another_dealer(
    prospects: Prospects, session: Session, anna: Actor
) -> None:
    lead = prospects.lead()
    prospects.go(lead)
    assert prospects.mails("dealer") == ["dealer_new_lead"]
    moving.reassign(
        session, lead.id, dealer_code="PL-WAW-2", reason="nearer", at=FRIDAY + HOUR, actor=SYSTEM
    )
    assert prospects.mails("customer") == []


def test_the_source_may_say_otherwise(prospects: Prospects, session: Session) -> None:
    sourceverbs.change_source(session, prospects.source, {"tells_customer": True}, FRIDAY, SYSTEM)
    prospects.go(prospects.lead())
    assert prospects.mails("customer") == ["customer_received"]
    change = session.scalars(select(SettingChange).order_by(SettingChange.id.desc()).limit(1)).one()
    assert change.after == {"tells_customer": True}


@pytest.mark.parametrize(("source", "told"), [("api-pl", ["customer_transferred"]), ("fair", [])])
def test_who_writes_to_us_themselves_is_told_from_then_on(
    prospects: Prospects, session: Session, source: str, told: list[str]
) -> None:
    lead = prospects.lead()
    prospects.go(lead)
    again = send(session, source, warsaw_lead(), FRIDAY + HOUR)
    assert again.id == lead.id
    prospects.go(lead, FRIDAY + HOUR)
    moving.reassign(
        session, lead.id, dealer_code="PL-WAW-2", reason="nearer", at=FRIDAY + HOUR, actor=SYSTEM
    )
    assert prospects.mails("customer") == told


def test_the_time_they_asked_for_is_a_plan_of_the_dealer(prospects: Prospects) -> None:
    lead = prospects.lead(call_at=TOMORROW)
    prospects.go(lead)
    (plan,) = prospects.plans()
    assert (plan.kind, plan.due_at, plan.done_at) == ("call", TOMORROW, None)
    assert plan.dealer_id == lead.dealer_id
    planned = prospects.session.scalars(select(Event).where(Event.kind == "planned")).one()
    assert planned.data["due_at"] == TOMORROW.isoformat()


def test_a_time_that_is_over_is_now(prospects: Prospects) -> None:
    prospects.go(prospects.lead(call_at=FRIDAY - HOUR))
    assert [plan.due_at for plan in prospects.plans()] == [FRIDAY]


def test_without_a_time_nothing_is_planned(prospects: Prospects) -> None:
    prospects.go(prospects.lead())
    assert prospects.plans() == []


def test_the_plan_goes_with_the_lead(prospects: Prospects, session: Session, world: World) -> None:
    lead = prospects.lead(call_at=TOMORROW)
    prospects.go(lead)
    first = lead.dealer_id
    moving.reassign(
        session, lead.id, dealer_code="PL-WAW-2", reason="nearer", at=FRIDAY + HOUR, actor=SYSTEM
    )
    assert [(plan.dealer_id, plan.due_at, plan.done_at) for plan in prospects.plans()] == [
        (first, TOMORROW, FRIDAY + HOUR),
        (world.dealers["PL-WAW-2"], TOMORROW, None),
    ]


def test_a_dealer_that_declines_keeps_no_call_of_it(
    prospects: Prospects, session: Session, anna: Actor, world: World
) -> None:
    lead = prospects.lead(call_at=TOMORROW)
    prospects.go(lead)
    assert lead.dealer_id == world.dealers["PL-WAW-1"]
    pipeline.decline(session, lead.id, reason="workload", at=FRIDAY + HOUR, actor=anna)
    act_as(session, SYSTEM)
    session.expire_all()
    assert lead.dealer_id != world.dealers["PL-WAW-1"]
    still = [plan.dealer_id for plan in prospects.plans() if plan.done_at is None]
    assert still == [lead.dealer_id]


def test_nobody_has_the_call_of_a_lead_that_nobody_has(
    prospects: Prospects, session: Session
) -> None:
    lead = prospects.lead(call_at=TOMORROW)
    prospects.go(lead)
    placing.enqueue(session, lead, Status.UNROUTED, "nobody_near", FRIDAY + HOUR)
    assert [plan.done_at for plan in prospects.plans()] == [FRIDAY + HOUR]


@pytest.mark.parametrize(
    ("result", "called_at", "is_left"),
    [
        ("reached", FRIDAY + HOUR, False),
        ("no_answer", FRIDAY + HOUR, True),
        ("no_answer", TOMORROW + HOUR, False),
    ],
)
def test_a_call_that_was_made_is_asked_of_nobody_else(
    prospects: Prospects,
    session: Session,
    anna: Actor,
    result: str,
    called_at: datetime,
    is_left: bool,
) -> None:
    lead = prospects.lead(call_at=TOMORROW)
    prospects.go(lead)
    plan_first = pipeline.PlanInput("call", FRIDAY + 2 * HOUR, "")
    pipeline.accept(session, lead.id, at=FRIDAY, actor=anna, plan=plan_first)
    followup.contacted(session, lead.id, how="phone", result=result, at=called_at, actor=anna)
    assert lead.call_at == (TOMORROW if is_left else None)


def test_they_wait_from_the_first_attempt_on(
    prospects: Prospects, session: Session, anna: Actor, offered_lead: Callable[..., Lead]
) -> None:
    lead = prospects.lead()
    prospects.go(lead)
    plan_first = pipeline.PlanInput("call", FRIDAY + HOUR, "")
    pipeline.accept(session, lead.id, at=FRIDAY, actor=anna, plan=plan_first)
    for hours, result in ((1, "no_answer"), (2, "voicemail"), (3, "reached")):
        at = FRIDAY + hours * HOUR
        followup.contacted(session, lead.id, how="phone", result=result, at=at, actor=anna)
    assert (lead.first_call_at, lead.contacted_at) == (FRIDAY + HOUR, FRIDAY + 3 * HOUR)
    act_as(session, SYSTEM)
    report = reported(session)
    assert report.value("response") == 120
    assert within_an_hour(report) == (0, 1)


def reported(session: Session) -> Answer:
    """March, as it is reported the day after."""
    refresh_all(session, TOMORROW)
    march = Question(date(2026, 3, 1), date(2026, 3, 31), rows="channel",
                     figures=("leads", "response", "within_60"))  # fmt: skip
    return ask(session, march, at=TOMORROW, currency="EUR")


def within_an_hour(report: Answer) -> tuple[int, int]:
    """How many were contacted within the hour, of how many that were contacted or had it pass."""
    figure = BY_CODE["within_60"]
    return report.total.count(*figure.part), report.total.count(*figure.whole)


@pytest.mark.parametrize(
    ("by_import", "first_call", "contact", "due", "in_target", "minutes"),
    [
        # The hours after arrival; an hour is the target, and the report is of the next day.
        (False, None, 0.5, 1, 1, 30),
        (False, None, 3, 1, 0, 180),
        (False, None, None, 1, 0, None),
        (True, None, None, 0, 0, None),
        (True, 5, None, 1, 0, None),
        (True, 23.5, None, 0, 0, None),
        (True, 5, 5.5, 1, 1, 30),
        (True, 5, 8, 1, 0, 180),
        (True, -200, -199, 1, 1, 60),
    ],
)
def test_the_clock_that_the_customer_feels(
    prospects: Prospects,
    session: Session,
    by_import: bool,
    first_call: float | None,
    contact: float | None,
    due: int,
    in_target: int,
    minutes: float | None,
) -> None:
    lead = prospects.lead()
    if not by_import:
        lead.import_id = None
    lead.first_call_at = None if first_call is None else FRIDAY + first_call * HOUR
    lead.contacted_at = None if contact is None else FRIDAY + contact * HOUR
    session.commit()
    report = reported(session)
    assert report.value("leads") == 1
    assert within_an_hour(report) == (in_target, due)
    assert report.value("response") == minutes


@pytest.mark.parametrize(
    ("status", "cause", "counted"),
    [
        ("received", "", 1),
        ("withdrawn", "spam", 1),
        ("withdrawn", "suppressed", 0),
        ("withdrawn", "import_undone", 0),
        ("withdrawn", "test", 0),
    ],
)
def test_what_was_no_lead_after_all_is_in_no_figure(
    prospects: Prospects, session: Session, status: str, cause: str, counted: int
) -> None:
    lead = prospects.lead()
    lead.status, lead.cause = status, cause
    session.commit()
    assert reported(session).value("leads") == counted


def test_a_customers_page_tells_the_calls_of_others(
    prospects: Prospects,
    session: Session,
    client: FlaskClient,
    login: Callable[[FlaskClient, User], FlaskClient],
    cast: dict[str, User],
) -> None:
    lead = prospects.lead()
    for hours in range(120):
        session.add(
            CallRecord(
                customer_id=lead.customer_id,
                source_id=prospects.source.id,
                at=FRIDAY - hours * HOUR,
                disposition="no_answer" if hours else "call_back",
                note="" if hours else "<b>after</b> work " + "x" * 5_000,
                agent="Kim & Lou",
            )
        )
    session.commit()
    page = login(client, cast["hana"]).get(f"/hq/customers/{lead.customer_id}")
    assert page.status_code == 200
    assert page.text.count("No answer") == 99
    assert "Wants to be called back" in page.text
    assert "&lt;b&gt;after&lt;/b&gt; work" in page.text
    assert "Kim &amp; Lou" in page.text
    assert "x" * 2_000 not in page.text
    # 7:00 UTC, as Warsaw's clocks show it.
    assert "8:00" in page.text
    assert "The latest 100 are shown." in page.text


def test_the_dealer_reads_what_others_heard(
    prospects: Prospects,
    session: Session,
    client: FlaskClient,
    login: Callable[[FlaskClient, User], FlaskClient],
    cast: dict[str, User],
) -> None:
    lead = prospects.lead()
    session.add(
        CallRecord(
            customer_id=lead.customer_id,
            source_id=prospects.source.id,
            lead_id=lead.id,
            at=FRIDAY,
            disposition="interested",
            note="<i>wants</i> a blue one",
        )
    )
    session.commit()
    prospects.go(lead)
    page = login(client, cast["anna"]).get(f"/desk/leads/{lead.id}")
    assert "Called before" in page.text
    assert "&lt;i&gt;wants&lt;/i&gt; a blue one" in page.text


def test_whether_people_get_mails_is_ticked_with_the_source(
    session: Session,
    client: FlaskClient,
    login: Callable[[FlaskClient, User], FlaskClient],
    cast: dict[str, User],
) -> None:
    login(client, cast["omar"])
    for kind, is_ticked in (("json", True), ("file", False)):
        page = client.get("/hq/sources/new", query_string={"kind": kind}).text
        tick = page[page.index('name="tells_customer"') :]
        assert (" checked" in tick[: tick.index(">")]) is is_ticked
    typed = {"kind": "file", "name": "Old list", "market": "1", "solicited": "yes"}
    typed["settings.unanswered"] = "does not say\r\n egal \r\n"
    assert client.post("/hq/sources/new", data=typed).status_code == 302
    made = session.scalars(select(Source).where(Source.code == "old-list")).one()
    assert (made.kind, made.solicited, made.tells_customer) == ("file", True, False)
    assert made.settings == {"unanswered": ["does not say", "egal"]}
    edit = "/hq/sources/old-list/edit"
    typed |= {"tells_customer": "yes", "seen": str(made.version)}
    assert client.post(edit, data=typed).status_code == 302
    session.expire_all()
    assert made.tells_customer is True
    assert "Its people get our mails" in client.get("/hq/sources/old-list").text
