"""What a hostile reading of routing and the clock found, each held by a test."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, text, update
from sqlalchemy.orm import Session

from lmt import jobs, pipeline, policies, schema
from lmt.accounts.service import Scope, create_user
from lmt.db import SessionFactory
from lmt.followup import service as followup
from lmt.handover import carry_out, plan_end
from lmt.jobs import MOST_ATTEMPTS
from lmt.models import Event, Job, Lead, Market, Message, Outage, PlannedAction, SpecialHours, User
from lmt.offerclock import hours_changed
from lmt.scope import SYSTEM, Actor, act_as, actor_of
from lmt.specialdays import set_days
from lmt.worker import advance_leads, beat
from tests.offers import due_at, open_offer, told
from tests.test_clock import TEN, happened, on, run_until, set_policy, set_terms
from tests.world import PASSWORD, World, send, warsaw_lead

Login = Callable[[FlaskClient, User], FlaskClient]
OFFICE = "Mo-Fr 09:00-18:00"


@pytest.fixture(autouse=True)
def office_hours(session: Session, world: World) -> None:
    set_terms(session, world, "PL-WAW-1", hours=OFFICE)
    set_terms(session, world, "PL-WAW-2", hours=OFFICE)


@pytest.fixture
def anna(cast: dict[str, User]) -> Actor:
    return actor_of(cast["anna"])


def test_a_lead_is_offered_to_one_colleague_where_the_dealer_says_so(
    session: Session, offered_lead: Callable[..., Lead], world: World, cast: dict[str, User]
) -> None:
    set_terms(session, world, "PL-WAW-1", assign_to="colleague")
    lead = offered_lead(at=TEN)
    assert lead.owner_id == cast["anna"].id
    other = offered_lead(at=TEN, phone="+48 512 345 999", email="other@example.com")
    assert other.owner_id == cast["bert"].id, "the one with fewer open leads"
    mail = session.scalars(
        select(Message).where(Message.lead_id == lead.id, Message.kind == "dealer_new_lead")
    ).one()
    assert mail.recipient == cast["anna"].email


def test_the_next_dealers_colleague_gets_a_lead_that_moves_on(
    sessions: SessionFactory, session: Session, offered_lead: Callable[..., Lead], world: World,
    cast: dict[str, User], anna: Actor,
) -> None:  # fmt: skip
    set_terms(session, world, "PL-WAW-1", assign_to="colleague")
    set_terms(session, world, "PL-WAW-2", assign_to="colleague")
    lead = offered_lead(at=TEN)
    with act_as(sessions(), anna) as own:
        pipeline.decline(own, lead.id, reason="other", at=TEN, actor=anna)
    session.expire_all()
    assert (lead.dealer_id, lead.owner_id) == (world.dealers["PL-WAW-2"], cast["carla"].id)


def test_a_successors_colleague_gets_the_lead_of_a_dealer_that_has_ended(
    sessions: SessionFactory, session: Session, offered_lead: Callable[..., Lead], world: World,
    cast: dict[str, User], anna: Actor,
) -> None:  # fmt: skip
    set_terms(session, world, "PL-WAW-2", assign_to="colleague")
    lead = offered_lead(at=TEN)
    pipeline.accept(session, lead.id, at=TEN, actor=anna)
    plan_end(
        session, "PL-WAW-1", ends_at=TEN, reason="sold", at=TEN, actor=SYSTEM,
        successor="PL-WAW-2",
    )  # fmt: skip
    assert carry_out(sessions, TEN) == 1
    session.rollback()
    session.refresh(lead)
    assert (lead.status, lead.owner_id) == ("accepted", cast["carla"].id)


def test_leads_from_before_the_clock_are_not_escalated_for_the_past(
    engine: Engine, sessions: SessionFactory, session: Session,
    offered_lead: Callable[..., Lead], anna: Actor,
) -> None:  # fmt: skip
    lead = offered_lead(at=TEN)
    pipeline.accept(session, lead.id, at=TEN, actor=anna)
    session.close()
    schema.downgrade(engine, "0001")
    schema.upgrade(engine)
    with act_as(sessions(), SYSTEM) as own:
        now = own.scalars(select(Lead.touched_at).where(Lead.id == lead.id)).one()
    assert now is not None
    advance_leads(sessions, now)
    with act_as(sessions(), SYSTEM) as own:
        kinds = set(own.scalars(select(Event.kind).where(Event.lead_id == lead.id)))
    assert not kinds & {"reminded", "escalated"}


def test_a_lead_answered_while_time_is_given_back_stops_no_worker(
    sessions: SessionFactory, session: Session, offered_lead: Callable[..., Lead], anna: Actor
) -> None:
    lead = offered_lead(at=TEN)
    other = offered_lead(at=TEN, phone="+48 512 345 999", email="other@example.com")
    for each in (lead, other):
        told(session, each)
    beat(sessions, "worker:a:1", on("Tu", "10:10"))
    failed: list[BaseException] = []

    def come_back() -> None:
        try:
            beat(sessions, "worker:a:1", on("Tu", "10:20"))
        except Exception as problem:
            failed.append(problem)

    # The dealer's transaction, between its answer and its commit.
    session.scalars(select(Lead).where(Lead.id == lead.id).with_for_update()).one()
    open_offer(session, lead).state = "accepted"
    session.flush()
    worker = threading.Thread(target=come_back)
    worker.start()
    deadline = time.monotonic() + 9
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with act_as(sessions(), SYSTEM) as looking:
        while not looking.execute(waiting).scalar_one():
            looking.rollback()
            assert time.monotonic() < deadline
            time.sleep(0.02)
    session.commit()
    worker.join(20)
    assert failed == []
    assert open_offer(session, other).expires_at == on("Tu", "10:40")


def test_what_an_outage_gave_back_stays_given_when_hours_change(
    sessions: SessionFactory, session: Session, offered_lead: Callable[..., Lead], world: World
) -> None:
    lead = offered_lead(at=TEN)
    told(session, lead)
    beat(sessions, "worker:a:1", on("Tu", "10:10"))
    beat(sessions, "worker:a:1", on("Tu", "11:40"))
    assert open_offer(session, lead).expires_at == on("Tu", "12:00")
    # Days in another season are no reason to end it sooner.
    summer = (date(2026, 8, 3), date(2026, 8, 7))
    market_id = world.markets["PL"]
    set_days(session, market_id, "PL", *summer, "10:00-14:00", "Summer", on("Tu", "11:41"))
    assert open_offer(session, lead).expires_at == on("Tu", "12:00")
    set_terms(session, world, "PL-WAW-1", hours="24/7")
    hours_changed(session, world.dealers["PL-WAW-1"], by_headquarters=True, at=on("Tu", "11:42"))
    session.commit()
    assert open_offer(session, lead).expires_at == on("Tu", "12:00")


def test_an_outage_that_goes_on_gives_back_nothing_yet(
    session: Session, offered_lead: Callable[..., Lead], world: World
) -> None:
    lead = offered_lead(at=TEN)
    told(session, lead)
    session.add(Outage(kind="mail", began_at=on("Tu", "10:05"), ended_at=on("Tu", "10:05")))
    hours_changed(session, world.dealers["PL-WAW-1"], by_headquarters=True, at=on("Tu", "10:10"))
    session.commit()
    assert open_offer(session, lead).expires_at == on("Tu", "10:30")


def test_steps_of_an_offer_dont_count_what_the_service_was_away(
    sessions: SessionFactory, session: Session, offered_lead: Callable[..., Lead], world: World
) -> None:
    steps = [{"state": "offered", "after_minutes": 20, "action": "remind_dealer"}]
    set_policy(session, world, escalation=steps, respond_within_minutes={
        "hot": 60, "warm": 60, "cold": 60,
    })  # fmt: skip
    lead = offered_lead(at=TEN)
    told(session, lead)
    beat(sessions, "worker:a:1", on("Tu", "10:10"))
    beat(sessions, "worker:a:1", on("Tu", "11:40"))
    advance_leads(sessions, on("Tu", "11:40"))
    run_until(sessions, session, lead, on("Tu", "12:29"))
    assert happened(session, lead, "reminded") == [("reminded", on("Tu", "11:50"))]
    assert open_offer(session, lead).expires_at == on("Tu", "12:30")


def test_a_plan_that_was_moved_is_escalated_anew(
    sessions: SessionFactory, session: Session, offered_lead: Callable[..., Lead], anna: Actor
) -> None:
    lead = offered_lead(at=TEN)
    pipeline.accept(session, lead.id, at=TEN, actor=anna)
    followup.contacted(session, lead.id, how="phone", result="reached", at=TEN, actor=anna)
    followup.plan(session, lead.id, kind="visit", due_at=on("Tu", "12:00"), at=TEN, actor=anna)
    run_until(sessions, session, lead, on("Tu", "14:00"))
    plan = session.scalars(select(PlannedAction)).one()
    followup.move_plan(session, plan.id, due_at=on("We", "12:00"), at=on("Tu", "14:00"), actor=anna)
    run_until(sessions, session, lead, on("We", "14:00"))
    overdue = session.scalars(
        select(Event.at)
        .where(
            Event.lead_id == lead.id,
            Event.kind == "reminded",
            Event.data["state"].as_string() == "plan_overdue",
        )
        .order_by(Event.id)
    ).all()
    assert overdue == [on("Tu", "13:00"), on("We", "13:00")]


def test_a_forgotten_lead_that_rests_is_not_woken_before_its_day(
    sessions: SessionFactory, session: Session, offered_lead: Callable[..., Lead], anna: Actor
) -> None:
    lead = offered_lead(at=TEN)
    pipeline.accept(session, lead.id, at=TEN, actor=anna)
    until = TEN + timedelta(days=30)
    pipeline.rest(session, lead.id, until=until, note="", at=TEN, actor=anna)
    session.execute(update(Lead).values(next_action_at=None))
    session.commit()
    with act_as(sessions(), SYSTEM) as own:
        assert pipeline.find_forgotten(own, on("We", "10:00")) == 1
    assert due_at(session, lead) == until


def test_publishing_a_policy_wakes_the_leads_that_nobody_could_take(
    sessions: SessionFactory, session: Session, offered_lead: Callable[..., Lead], world: World
) -> None:
    set_policy(session, world, radius_km=0.5, rings_km=[1], tolerance_km=0, fallback_dealer="",
               open_bonus_km={"hot": 0, "warm": 0, "cold": 0})  # fmt: skip
    lead = offered_lead(at=TEN)
    assert (lead.status, due_at(session, lead) > on("Tu", "10:01")) == ("unrouted", True)
    editor = Actor(None, frozenset({policies.PERMISSION, "*"}))
    market = session.get_one(Market, world.markets["PL"])
    draft = policies.start_draft(session, market, "Wider", on("Tu", "10:01"), editor)
    wide = {"radius_km": 150, "rings_km": [300]}
    policies.save_draft(session, draft.id, wide, name="Wider", at=on("Tu", "10:01"), actor=editor)
    policies.publish(session, draft.id, at=on("Tu", "10:01"), note="Wider", actor=editor)
    assert due_at(session, lead) == on("Tu", "10:01")
    advance_leads(sessions, on("Tu", "10:01"))
    session.refresh(lead)
    assert lead.dealer_id == world.dealers["PL-WAW-1"]


def test_who_looks_after_one_brand_sets_no_days_for_the_whole_market(
    client: FlaskClient, session: Session, world: World, login: Login
) -> None:
    own = Scope(market_id=world.markets["PL"], brand_id=world.brand_id)
    brand = create_user(
        session, "brand@lmt.example", "Brand", PASSWORD,
        roles=["headquarters"], scopes=[own], language="en", timezone="Europe/Warsaw",
    )  # fmt: skip
    session.commit()
    login(client, brand)
    page = client.get("/hq/calendars?market=PL")
    assert page.status_code == 200
    assert "/hq/calendars/PL/days" not in page.text
    given = {"country": "PL", "first": "2030-01-01", "last": "2030-01-02", "hours": "off"}
    assert client.get("/hq/calendars/PL/days").status_code == 404
    assert client.post("/hq/calendars/PL/days", data=given).status_code == 404
    assert client.post("/hq/calendars/PL/pack", data={"country": "PL"}).status_code == 404
    session.rollback()
    assert session.scalars(select(SpecialHours)).all() == []


def test_a_job_that_takes_its_worker_along_is_given_up_in_the_end(
    sessions: SessionFactory, session: Session
) -> None:
    job = Job(kind="replay", arguments={}, created_at=TEN, attempts=MOST_ATTEMPTS)
    session.add(job)
    session.commit()
    tried: list[uuid.UUID] = []

    def handler(_session: Session, job: Job) -> None:
        tried.append(job.id)

    jobs.work(sessions, TEN, {"replay": handler})
    session.refresh(job)
    assert (tried, job.problem, job.finished_at) == ([], "never_finished", TEN)


def test_a_lead_that_the_worker_has_not_seen_yet_is_not_given_away_by_hand(
    session: Session, cast: dict[str, User]
) -> None:
    lead = send(session, "api-pl", warsaw_lead(), TEN)
    hana = act_as(session, actor_of(cast["hana"]))
    with pytest.raises(pipeline.IllegalStep):
        pipeline.reassign(
            hana, lead.id, dealer_code="PL-WAW-2", reason="x", at=TEN, actor=actor_of(cast["hana"])
        )


def test_a_step_that_works_forgets_the_ones_that_failed(
    sessions: SessionFactory, session: Session, offered_lead: Callable[..., Lead]
) -> None:
    lead = offered_lead(at=TEN)
    told(session, lead)
    session.execute(update(Lead).where(Lead.id == lead.id).values(postponed=2))
    session.commit()
    assert pipeline.advance(sessions, lead.id, due_at(session, lead))
    session.refresh(lead)
    assert (lead.status, lead.postponed) == ("offered", 0)
