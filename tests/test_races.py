"""Two things at once, or in an unlucky order: nothing is lost, doubled, stuck or told to others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt.convert import service as convert
from lmt.db import SessionFactory, engine_for, sessions_for
from lmt.followup import service as followup
from lmt.ingest import arrival
from lmt.lifecycle import IllegalStep
from lmt.models import (
    DealerTerms,
    Event,
    Lead,
    Message,
    Outcome,
    PlannedAction,
    RoutingPolicy,
    User,
    UserScope,
)
from lmt.notify.recipients import queue_keepers
from lmt.routing.candidate import Candidate
from lmt.routing.capacity import take_slot
from lmt.routing.directory import Directory, candidates_of, dealers_changed
from lmt.scope import act_as, actor_of
from lmt.worker import advance_leads
from tests.offers import let_pass
from tests.world import API_KEY, FRIDAY, World, warsaw_lead

OPEN = FRIDAY + timedelta(hours=1, minutes=30)
"""9:30 in Warsaw."""


@pytest.fixture
def directory(monkeypatch: pytest.MonkeyPatch) -> Directory:
    """A directory of this test alone: the process's own knows another database by the version."""
    fresh = Directory()
    monkeypatch.setattr("lmt.routing.service.directory", fresh)
    return fresh


def test_headquarters_can_not_take_a_lead_that_was_sold_a_moment_ago(
    sessions: SessionFactory,
    session: Session,
    offered_lead: Callable[..., Lead],
    cast: dict[str, User],
) -> None:
    lead = offered_lead()
    anna, hana = actor_of(cast["anna"]), actor_of(cast["hana"])
    with act_as(sessions(), hana) as page:
        assert page.get_one(Lead, lead.id).status == "offered"
        pipeline.accept(session, lead.id, at=FRIDAY, actor=anna)
        convert.won(session, lead.id, at=FRIDAY, actor=anna)
        with pytest.raises(IllegalStep):
            pipeline.reassign(
                page, lead.id, dealer_code="PL-WAW-2", reason="x", at=FRIDAY, actor=hana
            )
    session.expire_all()
    assert lead.status == "won"
    assert session.scalars(select(Outcome.kind)).all() == ["won"]


def test_a_dealer_that_ended_gives_its_leads_free(
    sessions: SessionFactory,
    session: Session,
    directory: Directory,
    offered_lead: Callable[..., Lead],
    world: World,
) -> None:
    lead = offered_lead()
    assert lead.next_action_at is not None
    terms = session.scalars(
        select(DealerTerms).where(DealerTerms.dealer_id == world.dealers["PL-WAW-1"])
    ).one()
    terms.end(FRIDAY + timedelta(minutes=5))
    dealers_changed(session, FRIDAY)
    session.commit()
    let_pass(sessions, session, lead)
    assert (lead.status, lead.dealer_id) == ("offered", world.dealers["PL-WAW-2"])


def test_an_end_that_was_set_for_later_counts_from_then_on(
    session: Session, directory: Directory, world: World
) -> None:
    terms = session.scalars(
        select(DealerTerms).where(DealerTerms.dealer_id == world.dealers["PL-WAW-1"])
    ).one()
    terms.end(FRIDAY + timedelta(minutes=30))
    dealers_changed(session, FRIDAY)
    session.commit()
    market = world.markets["PL"]
    before = directory.network(session, market, FRIDAY)
    assert directory.network(session, market, FRIDAY + timedelta(minutes=29)) is before
    after = directory.network(session, market, FRIDAY + timedelta(minutes=30))
    assert before.by_code("PL-WAW-1") is not None
    assert after.by_code("PL-WAW-1") is None


def test_a_lead_that_keeps_failing_is_put_where_headquarters_sees_it_and_heals(
    sessions: SessionFactory, session: Session, sent_lead: Callable[..., Lead], world: World
) -> None:
    policy = session.scalars(
        select(RoutingPolicy).where(RoutingPolicy.market_id == world.markets["PL"])
    ).one()
    good, policy.settings = policy.settings, {"radius_km": -1}
    session.commit()
    lead = sent_lead()
    for _ in range(3):
        assert lead.next_action_at is not None
        advance_leads(sessions, lead.next_action_at)
        session.refresh(lead)
    assert (lead.status, lead.cause) == ("unrouted", "failed")
    alerts = session.scalars(select(Message.recipient).where(Message.audience == "headquarters"))
    assert "hana@lmt.example" in set(alerts)
    policy.settings = good
    session.commit()
    assert lead.next_action_at is not None
    advance_leads(sessions, lead.next_action_at)
    session.refresh(lead)
    assert (lead.status, lead.request_type) == ("offered", "test_drive")


def test_leads_that_change_places_do_not_wait_for_each_other(
    sessions: SessionFactory,
    session: Session,
    offered_lead: Callable[..., Lead],
    cast: dict[str, User],
    world: World,
) -> None:
    """One goes from the first dealer to the second, one the other way, both at once."""
    hana = actor_of(cast["hana"])
    here, there = offered_lead(), offered_lead(phone="+48 512 345 679", email="ewa@example.com")
    pipeline.reassign(session, there.id, dealer_code="PL-WAW-2", reason="x", at=FRIDAY, actor=hana)
    barrier = threading.Barrier(2)
    problems: list[BaseException] = []

    def move(lead_id: object, dealer: str) -> None:
        with act_as(sessions(), hana) as own:
            try:
                for turn in range(6):
                    barrier.wait(20)
                    code = dealer if turn % 2 == 0 else _other(dealer)
                    pipeline.reassign(
                        own, lead_id, dealer_code=code, reason="x", at=FRIDAY, actor=hana
                    )
            except BaseException as problem:
                problems.append(problem)
                barrier.abort()

    threads = [
        threading.Thread(target=move, args=(here.id, "PL-WAW-2")),
        threading.Thread(target=move, args=(there.id, "PL-WAW-1")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []


def _other(dealer: str) -> str:
    return "PL-WAW-1" if dealer == "PL-WAW-2" else "PL-WAW-2"


def test_a_clock_behind_midnight_does_not_open_the_next_days_cap_again(
    session: Session, world: World
) -> None:
    dealer: Candidate = next(
        each
        for each in candidates_of(session, world.markets["PL"], FRIDAY)
        if each.code == "PL-WAW-1"
    )
    dealer = replace(dealer, day_cap=2)
    late, early = (datetime(2026, 3, 6, hour, 30, tzinfo=UTC) for hour in (22, 23))
    taken = [take_slot(session, dealer, at) for at in (early, early, early, late, early)]
    assert taken == [True, True, False, False, False]


def test_plans_stay_with_the_dealer_who_made_them(
    session: Session, offered_lead: Callable[..., Lead], cast: dict[str, User]
) -> None:
    lead_id = offered_lead().id
    anna, hana, carla = (actor_of(cast[name]) for name in ("anna", "hana", "carla"))
    pipeline.accept(
        session,
        lead_id,
        at=FRIDAY,
        actor=anna,
        plan=pipeline.PlanInput("call", OPEN, "12 % off is our limit"),
    )
    pipeline.reassign(session, lead_id, dealer_code="PL-WAW-2", reason="x", at=OPEN, actor=hana)
    assert session.scalars(select(PlannedAction.done_at)).one() == OPEN
    act_as(session, carla)
    assert session.get(Lead, lead_id) is not None
    assert session.scalars(select(PlannedAction)).all() == []


def test_done_and_contacted_at_once_are_both_told_once(
    sessions: SessionFactory,
    session: Session,
    offered_lead: Callable[..., Lead],
    cast: dict[str, User],
) -> None:
    lead_id = offered_lead().id
    anna = actor_of(cast["anna"])
    pipeline.accept(
        session, lead_id, at=FRIDAY, actor=anna, plan=pipeline.PlanInput("call", FRIDAY)
    )
    plan_id = session.scalars(select(PlannedAction.id)).one()
    session.commit()
    barrier = threading.Barrier(2)
    problems: list[BaseException] = []

    def run(verb: Callable[[Session], object]) -> None:
        with act_as(sessions(), anna) as own:
            own.get(PlannedAction, plan_id)
            barrier.wait(20)
            try:
                verb(own)
            except BaseException as problem:
                problems.append(problem)

    def done(own: Session) -> None:
        followup.finish_plan(own, plan_id, at=OPEN, actor=anna)

    for verbs in ((done, done), (done, _contacted(lead_id, cast))):
        threads = [threading.Thread(target=run, args=(verb,)) for verb in verbs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert problems == []
    session.expire_all()
    told = session.scalars(select(Event.kind).where(Event.kind == "plan_done")).all()
    assert told == ["plan_done"]


def _contacted(lead_id: object, cast: dict[str, User]) -> Callable[[Session], object]:
    anna = actor_of(cast["anna"])
    return lambda own: followup.contacted(
        own, lead_id, how="phone", result="reached", at=OPEN, actor=anna
    )


def test_mail_to_the_customer_is_not_the_former_dealers_to_read(
    session: Session, offered_lead: Callable[..., Lead], cast: dict[str, User]
) -> None:
    lead_id = offered_lead().id
    hana, anna = actor_of(cast["hana"]), actor_of(cast["anna"])
    pipeline.reassign(session, lead_id, dealer_code="PL-WAW-2", reason="x", at=OPEN, actor=hana)
    act_as(session, anna)
    assert {m.audience for m in session.scalars(select(Message))} == {"dealer"}


def test_alerts_go_to_those_who_see_the_leads_brand(
    session: Session, sent_lead: Callable[..., Lead], cast: dict[str, User], world: World
) -> None:
    lead = sent_lead()
    lead.brand_id = None
    hana = session.scalars(select(UserScope).where(UserScope.user_id == cast["hana"].id)).one()
    hana.brand_id = world.brand_id
    session.flush()
    assert [keeper.name for keeper in queue_keepers(session, lead)] == ["Cem"]


def test_a_database_that_is_away_asks_the_sender_to_try_again(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = sessions_for(engine_for("postgresql+psycopg://lmt@127.0.0.1:9/lmt"))
    monkeypatch.setattr(client.application.extensions["lmt"], "sessions", away)
    answer = client.post(
        "/api/v1/leads", json=warsaw_lead(), headers={"Authorization": f"Bearer {API_KEY}"}
    )
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    form = client.get("/forms/contact-pl")
    assert (form.status_code, form.mimetype) == (503, "text/html")


def test_a_busy_database_is_no_fault_of_the_delivery(
    client: FlaskClient, session: Session, engine: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What only came at a bad moment isn't kept in quarantine beside the lead it becomes later."""

    def busy(own: Session, *_rest: object) -> None:
        own.execute(text("SET LOCAL statement_timeout = 1"))
        own.execute(text("SELECT pg_sleep(5)"))

    monkeypatch.setattr(arrival, "lead_of", busy)
    headers = {"Authorization": f"Bearer {API_KEY}"}
    assert client.post("/api/v1/leads", json=warsaw_lead(), headers=headers).status_code == 503
    monkeypatch.undo()
    assert client.post("/api/v1/leads", json=warsaw_lead(), headers=headers).status_code == 202
    assert session.execute(text("SELECT status FROM intake")).scalars().all() == ["accepted"]
