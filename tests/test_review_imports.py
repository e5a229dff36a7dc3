"""What a file's rows do to leads that are there already: nobody is hurried, forgotten or called
against their will."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lmt import clock, inquiries, jobs, pipeline, policies, releases
from lmt.bulkroad.service import advance_imported
from lmt.db import SessionFactory, uuid7
from lmt.donotcontact import lift, suppress
from lmt.imports import service, undoing
from lmt.ingest.arrival import arrival
from lmt.ingest.books import home_of
from lmt.ingest.bulk import Action, BulkCall, BulkResult, BulkRow, accept_rows
from lmt.models import (
    Event,
    ImportRun,
    Inquiry,
    Job,
    Lead,
    Message,
    PlannedAction,
    Release,
    RoutingPolicy,
    Source,
    Suppression,
    Upload,
    User,
)
from lmt.scope import SYSTEM, Actor, act_as, actor_of
from tests.world import FRIDAY, World, send, warsaw_lead

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MORNING = FRIDAY + 2 * HOUR
EWA = {"full_name": "Ewa Nowak", "phone": "+48512000222", "email": "ewa@example.com"}


class Desk:
    """A bought list of people who did not ask, a call centre whose people did, and their rows."""

    def __init__(self, session: Session, sessions: SessionFactory, world: World) -> None:
        self.session, self.sessions, self.world = session, sessions, world
        self.bought = self._source("bought", solicited=True)
        self.centre = self._source("centre", solicited=False)
        self.market_id = world.markets["PL"]

    def _source(self, code: str, *, solicited: bool) -> Source:
        source = Source(
            code=code, kind="file", name=code, market_id=self.world.markets["PL"],
            brand_id=self.world.brand_id, country="PL", language="pl", tells_customer=False,
            solicited=solicited,
        )  # fmt: skip
        self.session.add(source)
        self.session.commit()
        return source

    def run(self, source: Source) -> ImportRun:
        upload = Upload(
            market_id=source.market_id, name="calls.csv", size=1, sha256=b"", created_at=FRIDAY
        )
        self.session.add(upload)
        self.session.flush()
        run = ImportRun(
            source_id=source.id, upload_id=upload.id, created_at=FRIDAY, intake_id=uuid7(FRIDAY),
            state="finished",
        )  # fmt: skip
        self.session.add(run)
        self.session.flush()
        return run

    def file(
        self, source: Source, *rows: dict[str, Any], at: datetime = MORNING, size: int = 100
    ) -> ImportRun:
        """Rows as `row` makes them, taken in by chunks of `size`."""
        run = self.run(source)
        self.take_in(run, source, rows, at, size)
        return run

    def take_in(
        self,
        run: ImportRun,
        source: Source,
        rows: Sequence[dict[str, Any]],
        at: datetime,
        size: int = 100,
    ) -> list[BulkResult]:
        home = home_of(self.session, source)
        found: list[BulkResult] = []
        for start in range(0, len(rows), size):
            chunk = [
                BulkRow(
                    number,
                    None,
                    hashlib.sha256(repr((number, at, each)).encode()).digest(),
                    arrival(source, home, each["lead"], at),
                    each["action"],
                    each["call"],
                )
                for number, each in enumerate(rows[start : start + size], start + 1)
            ]
            found += accept_rows(self.session, run, source, chunk, at)
            self.session.commit()
        run.accepted += sum(each.outcome == "accepted" for each in found)
        run.asked_again += sum(each.outcome == "asked_again" for each in found)
        run.suppressed += sum(each.outcome == "suppressed" for each in found)
        run.history += sum(each.outcome == "history" for each in found)
        run.position += len(found)
        self.session.commit()
        self.session.expire_all()
        return found

    def step(self, lead: Lead, at: datetime = MORNING) -> None:
        pipeline.advance(self.sessions, lead.id, at)
        self.session.expire_all()

    def rate(self, per_hour: int | None) -> None:
        policy = self.session.scalars(
            select(RoutingPolicy).where(RoutingPolicy.market_id == self.market_id)
        ).one()
        policy.settings = {**policy.settings, "release_per_hour": per_hour}
        self.session.commit()

    def leads(self) -> list[Lead]:
        self.session.expire_all()
        return list(self.session.scalars(select(Lead).order_by(Lead.full_name)))

    def only(self) -> Lead:
        (lead,) = self.leads()
        return lead

    def instants(self) -> list[timedelta]:
        return [
            each.next_action_at - MORNING
            for each in self.leads()
            if each.status == "received" and each.next_action_at
        ]

    def next_at(self) -> timedelta:
        return self.session.scalars(select(Release.next_at)).one() - MORNING

    def mails(self) -> list[str]:
        return list(self.session.scalars(select(Message.kind).order_by(Message.id)))

    def calls(self) -> list[tuple[datetime, bool]]:
        """When calls are planned, and whether they still are."""
        plans = select(PlannedAction).order_by(PlannedAction.id)
        return [(plan.due_at, plan.done_at is None) for plan in self.session.scalars(plans)]

    def undo(self, run: ImportRun) -> Job:
        act_as(self.session, SYSTEM)
        job = service.undo(self.session, run, clock.now(), SYSTEM)
        while jobs.work(self.sessions, clock.now()):
            pass
        self.session.expire_all()
        assert run.state == "undone"
        return job


def row(
    action: Action = "route", disposition: str = "interested", call_back: datetime | None = None,
    **person: str,
) -> dict[str, Any]:  # fmt: skip
    call = BulkCall(None, disposition, back_at=call_back)
    return {"lead": warsaw_lead(**person), "action": action, "call": call}


def somebody(number: int) -> dict[str, Any]:
    return row(full_name=f"Person {chr(65 + number)}", phone=f"+4851200{number:04d}", email="")


NO = row("suppress", "do_not_call")


@pytest.fixture
def desk(session: Session, sessions: SessionFactory, world: World) -> Desk:
    return Desk(session, sessions, world)


@pytest.fixture
def hana(cast: dict[str, User]) -> Actor:
    return actor_of(cast["hana"])


# Releases


def test_leads_close_up_when_others_are_taken_back(desk: Desk) -> None:
    desk.rate(2)
    desk.file(desk.centre, *map(somebody, range(4)))
    assert desk.instants() == [n * HOUR / 2 for n in range(4)]
    first, second, *_rest = desk.leads()
    for lead in (first, second):
        pipeline.withdraw(desk.session, lead.id, reason="duplicate", at=MORNING, actor=SYSTEM)
    at = MORNING + 10 * MINUTE
    releases.respace(desk.session, desk.market_id, at)
    desk.session.commit()
    assert desk.instants() == [40 * MINUTE, 70 * MINUTE]
    assert desk.next_at() == 100 * MINUTE
    releases.respace_all(desk.session, at)
    assert (desk.instants(), desk.next_at()) == ([40 * MINUTE, 70 * MINUTE], 100 * MINUTE)


def test_after_an_undo_the_next_import_waits_for_nobody_who_is_gone(desk: Desk) -> None:
    desk.rate(2)
    now = clock.now()
    run = desk.run(desk.centre)
    desk.take_in(run, desk.centre, [somebody(n) for n in range(20)], now)
    desk.undo(run)
    again = desk.run(desk.centre)
    desk.take_in(again, desk.centre, [somebody(20)], now + MINUTE)
    (lead,) = [each for each in desk.leads() if each.status == "received"]
    assert lead.next_action_at is not None
    assert lead.next_action_at <= now + HOUR


@pytest.mark.parametrize(
    ("rate", "instants", "next_at"),
    [
        (60, [10, 11, 12], 13),
        (1, [30, 90, 150], 210),
        (None, [5, 5, 5], 5),
    ],
)
def test_another_rate_moves_those_who_wait(
    desk: Desk, hana: Actor, rate: int | None, instants: list[int], next_at: int
) -> None:
    desk.rate(2)
    desk.file(desk.centre, *map(somebody, range(4)))
    desk.step(desk.leads()[0])
    at = MORNING + 5 * MINUTE if rate != 60 else MORNING + 9 * MINUTE
    act_as(desk.session, hana)
    _published(desk, hana, rate, at)
    act_as(desk.session, SYSTEM)
    assert desk.instants() == [minutes * MINUTE for minutes in instants]
    assert desk.next_at() == next_at * MINUTE


def test_a_rate_that_holds_later_moves_them_then(desk: Desk, hana: Actor) -> None:
    desk.rate(2)
    desk.file(desk.centre, *map(somebody, range(3)))
    act_as(desk.session, hana)
    _published(desk, hana, 60, MORNING, from_at=MORNING + 10 * MINUTE)
    act_as(desk.session, SYSTEM)
    assert desk.instants() == [0 * MINUTE, 30 * MINUTE, 60 * MINUTE]
    releases.respace_all(desk.session, MORNING + 10 * MINUTE)
    assert desk.instants() == [0 * MINUTE, 11 * MINUTE, 12 * MINUTE]


def _published(
    desk: Desk, actor: Actor, rate: int | None, at: datetime, from_at: datetime | None = None
) -> None:
    market = policies.market_of(desk.session, desk.market_id, actor)
    draft = policies.start_draft(desk.session, market, "Rate", at, actor)
    settings = {**draft.settings, "release_per_hour": rate}
    policies.save_draft(desk.session, draft.id, settings, name="Rate", at=at, actor=actor)
    policies.publish(desk.session, draft.id, at=at, holds_from=from_at, note="Rate", actor=actor)


# An undo


def test_a_chunk_that_is_tried_again_is_counted_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = desk.file(desk.centre, *map(somebody, range(3)))
    for lead in desk.leads()[1:]:
        desk.step(lead)
    withdraw, tries = pipeline.withdraw, []

    def busy(*given: Any, **more: Any) -> None:
        tries.append(given)
        if len(tries) == 2:
            raise OperationalError("deadlock", {}, Exception())
        withdraw(*given, **more)

    monkeypatch.setattr(undoing.pipeline, "withdraw", busy)
    job = desk.undo(run)
    assert (len(tries), run.undone, job.done, job.total) == (3, 3, 3, 3)


def test_what_was_taken_back_does_not_come_to_life_again(desk: Desk) -> None:
    run = desk.file(desk.centre, row(), row(phone="+48 512 345 678", disposition="call_back"))
    assert (run.accepted, run.asked_again) == (1, 1)
    desk.undo(run)
    pipeline.find_forgotten(desk.session, MORNING)
    desk.step(desk.only(), MORNING)
    assert [each.cause for each in desk.leads()] == ["import_undone"]


# Calls that people asked for


def _with_a_dealer(desk: Desk, source: str = "api-pl", at: datetime = MORNING) -> Lead:
    lead = send(desk.session, source, warsaw_lead(), at)
    desk.step(lead, at)
    assert lead.status == "offered"
    return lead


def test_who_asks_to_be_called_is_called_by_the_dealer_that_has_them(desk: Desk) -> None:
    lead = _with_a_dealer(desk)
    for hours, source in ((1, desk.bought), (2, desk.centre)):
        at = MORNING + hours * HOUR / 10
        desk.file(source, row(call_back=MORNING + hours * DAY), at=at)
        desk.step(lead, at)
    assert lead.call_at == MORNING + 2 * DAY, "what they said last counts"
    assert desk.calls() == [(MORNING + DAY, False), (MORNING + 2 * DAY, True)]
    planned = select(Event).where(Event.kind == "planned", Event.lead_id == lead.id)
    assert [each.dealer_id for each in desk.session.scalars(planned)] == [lead.dealer_id] * 2


def test_a_call_that_the_dealer_planned_stands(desk: Desk, cast: dict[str, User]) -> None:
    lead = _with_a_dealer(desk)
    plan = pipeline.PlanInput("call", MORNING + DAY)
    anna = actor_of(cast["anna"])
    pipeline.accept(desk.session, lead.id, at=MORNING + MINUTE, actor=anna, plan=plan)
    act_as(desk.session, SYSTEM)
    desk.file(desk.bought, row(call_back=MORNING + 2 * DAY), at=MORNING + 2 * MINUTE)
    desk.step(desk.only(), MORNING + 2 * MINUTE)
    assert desk.calls() == [(MORNING + DAY, True)]


def test_a_lead_that_rests_is_back_when_they_asked_to_be_called(
    desk: Desk, cast: dict[str, User]
) -> None:
    lead = _with_a_dealer(desk)
    anna = actor_of(cast["anna"])
    pipeline.accept(desk.session, lead.id, at=MORNING, actor=anna)
    until = MORNING + 60 * DAY
    pipeline.rest(desk.session, lead.id, until=until, note="", at=MORNING, actor=anna)
    act_as(desk.session, SYSTEM)
    desk.file(desk.bought, row(), at=MORNING + MINUTE)
    desk.step(desk.only(), MORNING + MINUTE)
    resting = desk.only()
    assert (resting.status, resting.next_action_at) == ("resting", until), "nobody asked"
    back_at = MORNING + 3 * DAY
    desk.file(desk.bought, row(call_back=back_at), at=MORNING + HOUR)
    desk.step(resting, MORNING + HOUR)
    assert (resting.status, resting.next_action_at) == ("resting", back_at)
    desk.step(resting, back_at)
    assert (resting.status, len(desk.calls())) == ("accepted", 1)


# Nobody asked


@pytest.mark.parametrize(("source", "is_told"), [("bought", False), ("centre", True)])
def test_a_bought_list_makes_no_dealer_hurry(desk: Desk, source: str, is_told: bool) -> None:
    lead = _with_a_dealer(desk)
    points, band = lead.points, lead.band
    for number in range(3):
        at = MORNING + (number + 1) * MINUTE
        desk.file(getattr(desk, source), row(), at=at)
        desk.step(lead, at)
    assert desk.mails().count("dealer_asked_again") == (3 if is_told else 0)
    assert ((lead.points, lead.band) == (points, band)) is not is_told
    assert desk.session.scalars(select(Inquiry).where(Inquiry.handled_at.is_(None))).all() == []


def test_a_list_begins_nothing_anew(desk: Desk) -> None:
    lead = _with_a_dealer(desk)
    desk.file(desk.bought, row(), at=MORNING + MINUTE)
    pipeline.withdraw(
        desk.session, lead.id, reason="no_interest", at=MORNING + MINUTE, actor=SYSTEM
    )
    pipeline.find_forgotten(desk.session, MORNING + HOUR)
    desk.step(lead, MORNING + HOUR)
    assert desk.only().status == "withdrawn"


def test_a_row_that_becomes_a_lead_of_its_own_goes_with_its_import(desk: Desk, hana: Actor) -> None:
    lead = _with_a_dealer(desk)
    run = desk.file(desk.centre, row(), at=MORNING + MINUTE)
    inquiry = desk.session.scalars(select(Inquiry)).one()
    own_id = inquiries.split_inquiry(
        desk.session, inquiry.id, at=MORNING + 2 * MINUTE, actor=SYSTEM
    )
    own = desk.session.get_one(Lead, own_id)
    assert (own.import_id, lead.import_id) == (run.id, None)
    desk.undo(run)
    assert (own.cause, lead.status) == ("import_undone", "offered")


def test_what_a_customer_sent_becomes_no_import(desk: Desk) -> None:
    desk.file(desk.centre, row())
    lead = desk.only()
    desk.step(lead)
    send(desk.session, "api-pl", warsaw_lead(), MORNING + MINUTE)
    inquiry = desk.session.scalars(select(Inquiry)).one()
    own_id = inquiries.split_inquiry(
        desk.session, inquiry.id, at=MORNING + 2 * MINUTE, actor=SYSTEM
    )
    assert desk.session.get_one(Lead, own_id).import_id is None


# Do not call


@pytest.mark.parametrize("source", ["bought", "centre"])
@pytest.mark.parametrize("size", [1, 100])
@pytest.mark.parametrize("by_many", [True, False])
def test_who_says_no_further_down_goes_to_no_dealer(
    desk: Desk, source: str, size: int, by_many: bool
) -> None:
    desk.file(getattr(desk, source), row(), row(**EWA), NO, size=size)
    if by_many:
        while advance_imported(desk.sessions, MORNING):
            pass
    else:
        for lead in desk.leads():
            desk.step(lead)
    states = {lead.full_name: (lead.status, lead.cause) for lead in desk.leads()}
    assert states == {"Jan Kowal": ("withdrawn", "suppressed"), "Ewa Nowak": ("offered", "")}


@pytest.mark.parametrize("size", [1, 100])
def test_who_says_yes_after_a_no_is_called(desk: Desk, size: int) -> None:
    run = desk.run(desk.centre)
    rows = [NO, row()]
    if size == 100:
        desk.take_in(run, desk.centre, rows, MORNING)
    else:
        desk.take_in(run, desk.centre, rows[:1], MORNING)
        desk.take_in(run, desk.centre, rows[1:], MORNING + MINUTE)
    desk.step(desk.only(), MORNING + MINUTE)
    assert desk.only().status == "offered"


def test_who_was_on_the_list_and_says_no_again_is_heard(desk: Desk) -> None:
    for kind, value in (("phone", "+48512345678"), ("email", "jan@example.com")):
        suppress(
            desk.session, kind, value, market_id=None, origin="person", at=MORNING - 300 * DAY
        )  # fmt: skip
    desk.file(desk.centre, row())
    desk.file(desk.centre, NO, at=MORNING)
    desk.step(desk.only())
    assert desk.only().cause == "suppressed"


@pytest.mark.parametrize("source", ["bought", "centre"])
@pytest.mark.parametrize("accepts", [True, False])
def test_a_no_takes_the_lead_from_its_dealer(
    desk: Desk, cast: dict[str, User], source: str, accepts: bool
) -> None:
    desk.file(getattr(desk, source), row(call_back=MORNING + DAY))
    lead = desk.only()
    desk.step(lead)
    if accepts:
        pipeline.accept(desk.session, lead.id, at=MORNING, actor=actor_of(cast["anna"]))
        act_as(desk.session, SYSTEM)
    at = MORNING + HOUR / 10
    desk.file(getattr(desk, source), NO, at=at)
    lead = desk.only()
    assert (lead.call_at, lead.next_action_at) == (None, at)
    assert desk.calls() == [(MORNING + DAY, False)]
    desk.step(lead, at)
    assert (lead.status, lead.cause) == ("withdrawn", "suppressed")
    assert desk.mails().count("dealer_lead_taken_away") == 1
    told = select(Event.kind).where(Event.lead_id == lead.id).order_by(Event.id)
    assert list(desk.session.scalars(told))[-2:] == ["do_not_contact", "withdrawn"]


def test_who_wants_no_call_only_keeps_the_dealer_but_no_call(desk: Desk) -> None:
    desk.file(desk.centre, row(call_back=MORNING + DAY))
    lead = desk.only()
    desk.step(lead)
    suppress(
        desk.session, "phone", "+48512345678", market_id=None, origin="person", at=MORNING + MINUTE
    )
    desk.session.commit()
    desk.step(lead, MORNING + MINUTE)
    assert (lead.status, lead.call_at) == ("offered", None)
    assert desk.calls() == [(MORNING + DAY, False)]


def test_an_entry_that_was_lifted_in_time_changes_nothing(desk: Desk) -> None:
    desk.file(desk.centre, row(), NO)
    for entry in desk.session.scalars(select(Suppression.id)).all():
        lift(desk.session, entry, actor_id=None, at=MORNING)
    desk.session.commit()
    desk.step(desk.only())
    assert desk.only().status == "offered"


@pytest.mark.parametrize("begins", ["import", "customer"])
def test_no_list_takes_away_what_the_customer_asked_for(desk: Desk, begins: str) -> None:
    if begins == "customer":
        _with_a_dealer(desk)
    else:
        desk.file(desk.bought, row(call_back=MORNING + DAY))
        desk.step(desk.only())
        send(desk.session, "api-pl", warsaw_lead(), MORNING + MINUTE)
    desk.file(desk.bought, NO, at=MORNING + 2 * MINUTE)
    lead = desk.only()
    desk.step(lead, MORNING + 2 * MINUTE)
    assert lead.status == "offered"
    assert all(is_open for _due_at, is_open in desk.calls())
