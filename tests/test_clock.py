"""The clock of docs/followup.md, played through the real pipeline: worked cases, guarantees."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lmt import jobs, pipeline
from lmt.convert import service as convert
from lmt.db import SessionFactory
from lmt.followup import service as followup
from lmt.lifecycle import OPEN, IllegalStep
from lmt.models import (
    DealerLoad,
    DealerTerms,
    Event,
    Job,
    Lead,
    Message,
    Offer,
    Outage,
    PlannedAction,
    RoutingPolicy,
    User,
)
from lmt.models.capacity import wake_unrouted
from lmt.offerclock import hours_changed, start_clock
from lmt.outages import mail_fails, mail_works
from lmt.routing.directory import dealers_changed
from lmt.scope import SYSTEM, Actor, actor_of
from lmt.worker import advance_leads, beat
from tests.offers import due_at, let_pass, open_offer, told
from tests.world import FRIDAY, World, send, warsaw_lead

WARSAW = ZoneInfo("Europe/Warsaw")
OFFICE = "Mo-Fr 09:00-18:00"


def on(day: str, clock: str) -> datetime:
    """In the week of 9 March 2026, in Warsaw."""
    hour, minute = map(int, clock.split(":"))
    date = 9 + ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"].index(day)
    return datetime(2026, 3, date, hour, minute, tzinfo=WARSAW).astimezone(UTC)


TEN = on("Tu", "10:00")


def person(number: int) -> dict[str, str]:
    return {"phone": f"+48 512 345 {number:03d}", "email": f"p{number}@example.com"}


@pytest.fixture(autouse=True)
def office_hours(session: Session, world: World) -> None:
    """Both showrooms in Warsaw keep the hours of the worked cases."""
    set_terms(session, world, "PL-WAW-1", hours=OFFICE)
    set_terms(session, world, "PL-WAW-2", hours=OFFICE)


def set_terms(session: Session, world: World, code: str, **values: Any) -> None:
    dealer_id = world.dealers[code]
    session.execute(update(DealerTerms).where(DealerTerms.dealer_id == dealer_id).values(**values))
    dealers_changed(session, FRIDAY, [dealer_id])
    session.commit()


def set_policy(session: Session, world: World, **settings: Any) -> None:
    session.execute(
        update(RoutingPolicy)
        .where(RoutingPolicy.market_id == world.markets["PL"])
        .values(settings={"fallback_dealer": "PL-CARE", **settings})
    )
    session.commit()


@pytest.fixture
def anna(cast: dict[str, User]) -> Actor:
    return actor_of(cast["anna"])


@pytest.fixture
def accepted(
    session: Session, offered_lead: Callable[..., Lead], anna: Actor
) -> Callable[..., Lead]:
    def make(at: datetime = TEN) -> Lead:
        lead = offered_lead(at=at)
        pipeline.accept(session, lead.id, at=at, actor=anna)
        return lead

    return make


def happened(session: Session, lead: Lead, *kinds: str) -> list[tuple[str, datetime]]:
    session.rollback()
    rows = session.execute(
        select(Event.kind, Event.at)
        .where(Event.lead_id == lead.id, Event.kind.in_(kinds))
        .order_by(Event.id)
    )
    return [(kind, at) for kind, at in rows]


def run_until(sessions: SessionFactory, session: Session, lead: Lead, until: datetime) -> None:
    """Advance the lead whenever it is due, up to and including `until`."""
    while (at := due_at(session, lead)) <= until:
        assert pipeline.advance(sessions, lead.id, at)
        following = due_at(session, lead)
        assert following > at or lead.status not in OPEN, (lead.status, at)
    session.refresh(lead)


# The offer's clock


@pytest.mark.parametrize(
    ("offered", "begun", "until"),
    [
        (on("Tu", "10:00"), on("Tu", "10:01"), on("Tu", "10:30")),
        (on("Tu", "10:00"), on("Tu", "10:02"), on("Tu", "10:30")),
        (on("Tu", "10:00"), on("Tu", "10:20"), on("Tu", "10:50")),
        (on("Tu", "17:45"), on("Tu", "17:45"), on("We", "09:15")),
        # Offered at night, told at night: nothing of it is working time.
        (on("Tu", "22:00"), on("We", "03:00"), on("We", "09:30")),
        (on("Fr", "17:50"), on("Sa", "10:00"), on("Mo", "09:30") + timedelta(days=7)),
    ],
)
def test_an_offer_runs_from_when_its_dealer_could_know_of_it(
    session: Session,
    offered_lead: Callable[..., Lead],
    offered: datetime,
    begun: datetime,
    until: datetime,
) -> None:
    lead = offered_lead(at=offered)
    promised = lead.promise_at
    offer = told(session, lead, begun)
    assert (offer.clock_at, offer.expires_at) == (begun, until)
    start_clock(session, offer.id, begun + timedelta(hours=3))
    assert (offer.clock_at, offer.expires_at) == (begun, until)
    assert lead.promise_at == promised


def test_while_its_mail_waits_an_offer_is_extended_and_the_dealer_is_in_time(
    sessions: SessionFactory,
    session: Session,
    offered_lead: Callable[..., Lead],
    anna: Actor,
) -> None:
    lead = offered_lead(at=TEN)
    run_until(sessions, session, lead, on("Tu", "10:44"))
    offer = open_offer(session, lead)
    assert (offer.expires_at, offer.clock_at) == (on("Tu", "10:45"), None)
    assert happened(session, lead, "extended", "reminded") == [("extended", on("Tu", "10:30"))]
    pipeline.accept(session, lead.id, at=on("Tu", "11:00"), actor=anna)
    assert lead.status == "accepted"


def test_the_late_mail_gives_the_dealer_its_whole_time(
    sessions: SessionFactory, session: Session, offered_lead: Callable[..., Lead], world: World
) -> None:
    lead = offered_lead(at=TEN)
    run_until(sessions, session, lead, on("Tu", "10:44"))
    told(session, lead, on("Tu", "10:44"))
    run_until(sessions, session, lead, on("Tu", "11:13"))
    assert lead.dealer_id == world.dealers["PL-WAW-1"]
    run_until(sessions, session, lead, on("Tu", "11:14"))
    assert lead.dealer_id == world.dealers["PL-WAW-2"]


def test_a_mail_that_bounced_for_good_sends_the_lead_on(
    sessions: SessionFactory, session: Session, offered_lead: Callable[..., Lead], world: World
) -> None:
    lead = offered_lead(at=TEN)
    session.execute(
        update(Message)
        .where(Message.lead_id == lead.id, Message.kind == "dealer_new_lead")
        .values(status="failed")
    )
    session.commit()
    run_until(sessions, session, lead, on("Tu", "10:30"))
    assert lead.dealer_id == world.dealers["PL-WAW-2"]
    first = session.scalars(select(Offer).where(Offer.state == "expired")).one()
    assert first.reason == "not_reachable"


@pytest.mark.parametrize(
    ("offered", "last", "back", "until"),
    [
        (on("Tu", "10:00"), on("Tu", "10:10"), on("Tu", "11:40"), on("Tu", "12:00")),
        (on("Tu", "17:50"), on("Tu", "17:55"), on("We", "08:00"), on("We", "09:25")),
        # A night in which nothing was lost.
        (on("Tu", "17:50"), on("Tu", "19:00"), on("We", "08:00"), on("We", "09:20")),
        # Ninety seconds are no outage.
        (on("Tu", "10:00"), on("Tu", "10:10"), on("Tu", "10:11"), on("Tu", "10:30")),
    ],
)
def test_what_the_service_was_away_is_given_back_before_any_offer_ends(
    sessions: SessionFactory,
    session: Session,
    offered_lead: Callable[..., Lead],
    world: World,
    offered: datetime,
    last: datetime,
    back: datetime,
    until: datetime,
) -> None:
    leads = [offered_lead(at=offered, **person(n)) for n in range(3)]
    for lead in leads:
        told(session, lead)
    beat(sessions, "worker:a:1", last)
    beat(sessions, "worker:a:2", back)
    beat(sessions, "worker:b:1", back + timedelta(seconds=5))
    advance_leads(sessions, back)
    for lead in leads:
        assert open_offer(session, lead).expires_at == until
        assert lead.dealer_id == world.dealers["PL-WAW-1"]
    lost = back - last > timedelta(seconds=90)
    session.rollback()
    assert session.scalars(select(func.count(Outage.id))).one() == lost
    advance_leads(sessions, until)
    session.expire_all()
    assert {lead.dealer_id for lead in leads} == {world.dealers["PL-WAW-2"]}


def test_steps_dont_count_what_the_service_was_away(
    sessions: SessionFactory, session: Session, accepted: Callable[..., Lead]
) -> None:
    lead = accepted()
    beat(sessions, "worker:a:1", on("Tu", "10:10"))
    beat(sessions, "worker:a:1", on("Tu", "14:10"))
    run_until(sessions, session, lead, on("Tu", "15:30"))
    assert happened(session, lead, "reminded", "escalated") == [("reminded", on("Tu", "15:00"))]


def test_a_mail_server_that_takes_nothing_stops_the_clocks_that_run(
    session: Session, offered_lead: Callable[..., Lead]
) -> None:
    lead = offered_lead(at=TEN)
    told(session, lead)
    unknown = offered_lead(at=TEN, **person(1))
    assert mail_works(session, TEN) is None
    for minute in ("10:10", "10:15", "10:20"):
        mail_fails(session, on("Tu", minute))
    outage = mail_works(session, on("Tu", "10:25"))
    assert outage is not None
    assert (outage.kind, outage.began_at) == ("mail", on("Tu", "10:10"))
    assert mail_works(session, on("Tu", "10:26")) is None
    start_clock(session, open_offer(session, unknown).id, on("Tu", "10:25"))
    session.commit()
    assert open_offer(session, lead).expires_at == on("Tu", "10:45")
    assert open_offer(session, unknown).expires_at == on("Tu", "10:55")


@pytest.mark.parametrize(
    ("offered", "changed", "hours", "by_headquarters", "until"),
    [
        (on("Tu", "10:00"), on("Tu", "10:10"), "Mo-Fr 11:00-18:00", True, on("Tu", "11:30")),
        (on("Tu", "10:00"), on("Tu", "10:10"), "24/7", True, on("Tu", "10:30")),
        (on("Tu", "17:50"), on("Tu", "17:55"), "24/7", True, on("Tu", "18:20")),
        (on("Tu", "17:50"), on("We", "08:30"), "24/7", True, on("We", "08:35")),
        (on("Tu", "10:00"), on("Tu", "10:10"), "Mo-Fr 11:00-18:00", False, on("Tu", "10:30")),
        (on("Tu", "17:50"), on("Tu", "17:55"), "24/7", False, on("We", "09:20")),
    ],
)
def test_headquarters_hours_count_for_running_offers_a_dealers_own_dont(
    session: Session,
    offered_lead: Callable[..., Lead],
    world: World,
    offered: datetime,
    changed: datetime,
    hours: str,
    by_headquarters: bool,
    until: datetime,
) -> None:
    lead = offered_lead(at=offered)
    told(session, lead)
    set_terms(session, world, "PL-WAW-1", hours=hours)
    hours_changed(session, world.dealers["PL-WAW-1"], by_headquarters=by_headquarters, at=changed)
    session.commit()
    offer = open_offer(session, lead)
    assert offer.expires_at == until
    assert due_at(session, lead) <= until


def test_where_leads_are_assigned_the_dealer_has_it_at_once_and_the_promise_is_the_contact(
    sessions: SessionFactory,
    session: Session,
    offered_lead: Callable[..., Lead],
    world: World,
    anna: Actor,
) -> None:
    set_policy(session, world, accept_mode="assign", contact_within_minutes={"hot": 120})
    lead = offered_lead(at=TEN)
    assert (lead.status, lead.accepted_at, lead.owner_id) == ("accepted", TEN, None)
    assert lead.promise_at == on("Tu", "12:00")
    assert session.scalars(select(Offer.state)).one() == "accepted"
    mails = session.scalars(select(Message.kind).where(Message.lead_id == lead.id))
    assert sorted(mails) == ["customer_received", "dealer_new_lead"]
    run_until(sessions, session, lead, on("Tu", "11:00"))
    assert happened(session, lead, "reminded") == [("reminded", on("Tu", "11:00"))]
    followup.contacted(
        session, lead.id, how="phone", result="reached", at=on("Tu", "11:05"), actor=anna
    )
    assert (lead.status, lead.owner_id) == ("contacted", anna.user_id)


# Escalation


def test_thirty_minutes_then_the_next_dealer_then_the_manager_then_management(
    sessions: SessionFactory,
    session: Session,
    offered_lead: Callable[..., Lead],
    world: World,
) -> None:
    set_policy(
        session,
        world,
        escalation=[
            {"state": "offered", "hop": 1, "after_minutes": 30, "action": "reroute"},
            {"state": "offered", "hop": 2, "after_minutes": 20, "action": "notify_manager"},
            {"state": "offered", "hop": 2, "after_minutes": 50, "action": "notify_headquarters"},
            {"state": "offered", "hop": 2, "after_minutes": 60, "action": "reroute"},
        ],
    )
    lead = offered_lead(at=TEN)
    holders = [(TEN, lead.dealer_id)]
    while lead.status == "offered" and len(holders) < 3:
        told(session, lead)
        at = due_at(session, lead)
        pipeline.advance(sessions, lead.id, at)
        session.refresh(lead)
        if lead.dealer_id != holders[-1][1]:
            holders.append((at, lead.dealer_id))
    expected = [("10:00", "PL-WAW-1"), ("10:30", "PL-WAW-2"), ("11:30", "PL-CARE")]
    assert holders == [(on("Tu", clock), world.dealers[code]) for clock, code in expected]
    escalated = session.execute(
        select(Event.at, Event.data["to"].as_string()).where(Event.kind == "escalated")
    ).all()
    assert [tuple(row) for row in escalated] == [
        (on("Tu", "10:50"), "manager"),
        (on("Tu", "11:20"), "headquarters"),
    ]
    told_of = set(session.scalars(select(Message.kind).where(Message.kind.contains("escalation"))))
    # The second dealer has no manager: headquarters hears for them.
    assert told_of == {"headquarters_escalation"}


def test_an_accepted_lead_nobody_works_on_is_passed_up_and_each_act_begins_anew(
    sessions: SessionFactory, session: Session, accepted: Callable[..., Lead], anna: Actor
) -> None:
    lead = accepted()
    run_until(sessions, session, lead, on("We", "09:59"))
    first = [
        ("reminded", on("Tu", "11:00")),
        ("escalated", on("Tu", "14:00")),
        ("escalated", on("Tu", "18:00")),
    ]
    assert happened(session, lead, "reminded", "escalated") == first
    managers = session.scalars(
        select(Message.recipient).where(Message.kind == "manager_escalation")
    ).all()
    assert managers == ["bert@lmt.example"]
    followup.add_note(session, lead.id, text="tried", at=on("We", "09:00"), actor=anna)
    run_until(sessions, session, lead, on("We", "17:30"))
    again = [
        ("reminded", on("We", "10:00")),
        ("escalated", on("We", "13:00")),
        ("escalated", on("We", "17:00")),
    ]
    assert happened(session, lead, "reminded", "escalated") == first + again


def test_a_note_of_headquarters_is_no_act_of_the_dealer(
    sessions: SessionFactory,
    session: Session,
    accepted: Callable[..., Lead],
    cast: dict[str, User],
) -> None:
    lead = accepted()
    hana = actor_of(cast["hana"])
    followup.add_note(session, lead.id, text="hurry", at=on("Tu", "10:30"), actor=hana)
    run_until(sessions, session, lead, on("Tu", "11:00"))
    assert happened(session, lead, "reminded") == [("reminded", on("Tu", "11:00"))]


def test_a_step_raises_the_priority_and_another_takes_the_lead_from_who_does_nothing(
    sessions: SessionFactory, session: Session, sent_lead: Callable[..., Lead], world: World,
    anna: Actor,
) -> None:  # fmt: skip
    set_policy(
        session,
        world,
        escalation=[
            {"state": "accepted", "after_minutes": 30, "action": "raise_priority"},
            {"state": "accepted", "after_minutes": 90, "action": "reroute", "band": ["hot"]},
        ],
    )
    data = warsaw_lead()
    data["request"] = {"type": "information"}
    lead = send(session, "api-pl", data, TEN)
    pipeline.advance(sessions, lead.id, TEN)
    session.refresh(lead)
    band, points = lead.band, lead.points
    assert band != "hot"
    pipeline.accept(
        session, lead.id, at=TEN, actor=anna, plan=pipeline.PlanInput("call", on("We", "12:00"))
    )
    run_until(sessions, session, lead, on("Tu", "11:29"))
    assert (lead.band, lead.points > points, lead.status) == ("hot", True, "accepted")
    pipeline.advance(sessions, lead.id, on("Tu", "11:30"))
    session.refresh(lead)
    assert (lead.status, lead.dealer_id) == ("offered", world.dealers["PL-WAW-2"])
    assert (lead.accepted_at, lead.owner_id) == (None, None)
    assert session.scalars(select(PlannedAction.done_at)).one() == on("Tu", "11:30")
    assert (
        session.scalars(select(Offer.reason).where(Offer.state == "expired")).one() == "no_action"
    )


# Planned actions


def test_a_plan_is_reminded_of_in_time_then_passed_up_when_it_is_overdue(
    sessions: SessionFactory, session: Session, accepted: Callable[..., Lead], anna: Actor
) -> None:
    lead = accepted()
    followup.contacted(session, lead.id, how="phone", result="reached", at=TEN, actor=anna)
    plan = followup.plan(
        session, lead.id, kind="visit", due_at=on("We", "09:15"), at=TEN, actor=anna
    )
    run_until(sessions, session, lead, on("Tu", "18:00"))
    assert happened(session, lead, "reminded") == [("reminded", on("Tu", "17:45"))]
    mail = session.scalars(select(Message).where(Message.kind == "plan_reminder")).one()
    assert (mail.recipient, mail.next_attempt_at) == ("anna@lmt.example", on("Tu", "17:45"))
    # Moved: reminded anew, and nothing of the first hour counts.
    followup.move_plan(session, plan.id, due_at=on("Th", "11:00"), at=on("We", "09:10"), actor=anna)
    run_until(sessions, session, lead, on("Fr", "12:00"))
    assert happened(session, lead, "reminded", "escalated")[1:] == [
        ("reminded", on("Th", "10:30")),
        ("reminded", on("Th", "12:00")),
        ("escalated", on("Fr", "10:00")),
    ]
    followup.finish_plan(session, plan.id, at=on("Fr", "12:10"), actor=anna)
    with pytest.raises(IllegalStep):
        followup.move_plan(
            session, plan.id, due_at=on("Sa", "11:00"), at=on("Fr", "12:20"), actor=anna
        )


@pytest.mark.parametrize("steps", [[], [{"state": "plan_overdue", "after_minutes": 60,
                                          "action": "remind_dealer"}]])  # fmt: skip
def test_a_plan_forgotten_for_months_is_looked_at_once_a_week_of_work(
    sessions: SessionFactory,
    session: Session,
    accepted: Callable[..., Lead],
    world: World,
    anna: Actor,
    steps: list[dict[str, Any]],
) -> None:
    set_policy(session, world, escalation=steps)
    lead = accepted()
    followup.contacted(session, lead.id, how="phone", result="reached", at=TEN, actor=anna)
    followup.plan(session, lead.id, kind="call", due_at=on("Tu", "12:00"), at=TEN, actor=anna)
    looked = []
    while (at := due_at(session, lead)) < TEN + timedelta(days=90):
        looked.append(at)
        assert pipeline.advance(sessions, lead.id, at)
    assert len(looked) < 20
    long_after = TEN + timedelta(days=400)
    assert advance_leads(sessions, long_after) == 1
    assert due_at(session, lead) > long_after


# Not yet


def places(session: Session) -> list[int]:
    session.rollback()
    return list(session.scalars(select(DealerLoad.open_used).order_by(DealerLoad.dealer_id)))


def test_not_yet_stops_clock_and_cap_and_comes_back_to_the_same_dealer(
    sessions: SessionFactory, session: Session, accepted: Callable[..., Lead], anna: Actor
) -> None:
    lead = accepted()
    followup.contacted(session, lead.id, how="phone", result="reached", at=TEN, actor=anna)
    followup.plan(session, lead.id, kind="call", due_at=on("We", "10:00"), at=TEN, actor=anna)
    until = on("Tu", "09:00") + timedelta(days=84)
    pipeline.rest(session, lead.id, until=until, note="after the summer", at=TEN, actor=anna)
    assert (lead.status, places(session)) == ("resting", [0])
    run_until(sessions, session, lead, until - timedelta(minutes=1))
    assert lead.status == "resting"
    assert happened(session, lead, "reminded", "escalated") == []
    pipeline.advance(sessions, lead.id, until)
    session.refresh(lead)
    assert (lead.status, lead.resting_until, places(session)) == ("contacted", None, [1])
    call = session.scalars(select(PlannedAction).where(PlannedAction.done_at.is_(None))).one()
    assert (call.kind, call.owner_id, call.due_at > until) == ("call", anna.user_id, True)
    assert session.scalars(select(Message.kind).where(Message.kind == "dealer_lead_back")).one()
    convert.won(session, lead.id, at=until, actor=anna)
    assert places(session) == [0]


def test_a_resting_lead_is_woken_by_hand_and_can_be_lost_without_a_place_given_back_twice(
    session: Session, accepted: Callable[..., Lead], offered_lead: Callable[..., Lead], anna: Actor
) -> None:
    lead = accepted()
    offered_lead(at=TEN, **person(1))
    later = TEN + timedelta(days=30)
    with pytest.raises(ValueError, match="ahead"):
        pipeline.rest(session, lead.id, until=TEN, note="", at=TEN, actor=anna)
    pipeline.rest(session, lead.id, until=later, note="", at=TEN, actor=anna)
    pipeline.wake_now(session, lead.id, at=on("We", "10:00"), actor=anna)
    session.refresh(lead)
    assert (lead.status, places(session)) == ("accepted", [2])
    with pytest.raises(IllegalStep):
        pipeline.wake_now(session, lead.id, at=on("We", "10:00"), actor=anna)
    pipeline.rest(session, lead.id, until=later, note="", at=on("We", "11:00"), actor=anna)
    convert.lost(session, lead.id, reason="price", at=on("We", "12:00"), actor=anna)
    assert (lead.status, lead.next_action_at, places(session)) == ("lost", None, [1])


def test_a_lead_that_rested_with_a_dealer_that_left_is_routed_anew(
    sessions: SessionFactory,
    session: Session,
    accepted: Callable[..., Lead],
    anna: Actor,
    world: World,
) -> None:
    lead = accepted()
    later = TEN + timedelta(days=7)
    pipeline.rest(session, lead.id, until=later, note="", at=TEN, actor=anna)
    set_terms(session, world, "PL-WAW-1", active=False)
    pipeline.advance(sessions, lead.id, later)
    session.refresh(lead)
    assert (lead.status, lead.dealer_id) == ("offered", world.dealers["PL-WAW-2"])
    assert places(session) == [0, 1]


# Queues


def test_a_queue_that_only_people_can_empty_is_told_of_each_working_morning_in_one_mail(
    sessions: SessionFactory, session: Session
) -> None:
    data = {"customer": {"phone": "+48512345678"}, "address": {"city": "Nowhere", "country": "PL"}}
    other = {"customer": {"phone": "+48512345679"}, "address": {"city": "Nowhere", "country": "PL"}}
    friday = on("Fr", "17:00")
    leads = [send(session, "api-pl", each, friday) for each in (data, other)]
    advance_leads(sessions, friday)
    monday = on("Mo", "09:00") + timedelta(days=7)
    for lead in leads:
        session.refresh(lead)
        assert (lead.status, lead.next_action_at) == ("unlocated", monday)
    advance_leads(sessions, monday)
    advance_leads(sessions, monday + timedelta(days=1))
    mails = session.execute(
        select(Message.recipient, func.count()).where(Message.kind == "headquarters_queue")
        .group_by(Message.recipient)
    ).all()  # fmt: skip
    assert sorted(tuple(row) for row in mails) == [("cem@lmt.example", 2), ("hana@lmt.example", 2)]
    assert len(happened(session, leads[0], "located", "queued")) == 2


def test_a_lead_waits_for_a_freed_place_then_goes_to_the_markets_team(
    sessions: SessionFactory, session: Session, offered_lead: Callable[..., Lead], world: World,
    anna: Actor,
) -> None:  # fmt: skip
    for code in ("PL-WAW-1", "PL-WAW-2"):
        set_terms(session, world, code, open_cap=1)
    first, second = (offered_lead(at=TEN, **person(n)) for n in (1, 2))
    waits, slow = (offered_lead(at=TEN, **person(n)) for n in (3, 4))
    assert [lead.status for lead in (first, second, waits, slow)] == ["offered"] * 2 + [
        "unrouted"
    ] * 2
    assert (waits.cause, waits.waiting_since) == ("all_capped", TEN)
    assert set(waits.waiting_for) == {world.dealers["PL-WAW-1"], world.dealers["PL-WAW-2"]}
    # Once more in a minute, for a place given back while it was decided; then as long as it waits.
    assert waits.next_action_at == TEN + timedelta(minutes=1)
    advance_leads(sessions, TEN + timedelta(minutes=1))
    session.expire_all()
    assert waits.next_action_at == TEN + timedelta(minutes=30)
    five = on("Tu", "10:05")
    pipeline.accept(session, first.id, at=five, actor=anna)
    convert.lost(session, first.id, reason="price", at=five, actor=anna)
    advance_leads(sessions, five)
    session.expire_all()
    got = [lead for lead in (waits, slow) if lead.status == "offered"]
    assert [lead.dealer_id for lead in got] == [world.dealers["PL-WAW-1"]]
    assert (got[0].waiting_since, got[0].waiting_for) == (None, [])
    advance_leads(sessions, TEN + timedelta(minutes=30))
    session.expire_all()
    assert {waits.dealer_id, slow.dealer_id} == {
        world.dealers["PL-WAW-1"],
        world.dealers["PL-CARE"],
    }


def test_an_edit_of_dealers_wakes_the_markets_leads(
    sessions: SessionFactory, session: Session, offered_lead: Callable[..., Lead], world: World
) -> None:
    set_policy(session, world, fallback_dealer="")
    for code in ("PL-WAW-1", "PL-WAW-2"):
        set_terms(session, world, code, paused=True)
    lead = offered_lead(at=TEN)
    assert lead.status == "unrouted"
    set_terms(session, world, "PL-WAW-2", paused=False)
    wake_unrouted(session, {world.markets["PL"]}, on("Tu", "10:10"))
    session.commit()
    advance_leads(sessions, on("Tu", "10:10"))
    session.refresh(lead)
    assert (lead.status, lead.dealer_id) == ("offered", world.dealers["PL-WAW-2"])


# By hand


def test_the_customer_picks_another_dealer_by_the_rule_and_twice_at_most(
    session: Session, offered_lead: Callable[..., Lead], world: World
) -> None:
    lead = offered_lead(at=TEN)
    told(session, lead)

    def move(code: str, minute: int) -> None:
        at = TEN + timedelta(minutes=minute)
        pipeline.move_for_customer(session, lead.id, dealer_code=code, reason="nearer", at=at)
        session.refresh(lead)

    for code, reason in (("PL-WAW-1", "holder"), ("PL-CARE", "no_competence"),
                         ("SA-RUH-1", "unknown_dealer")):  # fmt: skip
        with pytest.raises(pipeline.NotEligible) as refused:
            move(code, 1)
        assert (refused.value.reason, places(session)) == (reason, [1])
    promised = lead.promise_at
    move("PL-WAW-2", 2)
    assert (lead.status, lead.dealer_id) == ("offered", world.dealers["PL-WAW-2"])
    assert (lead.promise_at, lead.preferred_dealer) == (promised, "PL-WAW-2")
    assert places(session) == [0, 1]
    # Whoever had it is not asked again, not even by the customer.
    with pytest.raises(pipeline.NotEligible, match="tried"):
        move("PL-WAW-1", 3)
    session.execute(update(Event).where(Event.kind == "offered").values(kind="moved_by_customer"))
    session.commit()
    with pytest.raises(pipeline.NotEligible, match="too_often"):
        move("PL-WAW-1", 4)


def test_headquarters_gives_no_lead_to_a_dealer_that_is_not_active(
    session: Session, offered_lead: Callable[..., Lead], cast: dict[str, User], world: World
) -> None:
    lead = offered_lead(at=TEN)
    set_terms(session, world, "PL-WAW-2", active=False)
    with pytest.raises(pipeline.NotEligible, match="inactive"):
        pipeline.reassign(
            session, lead.id, dealer_code="PL-WAW-2", reason="x", at=TEN,
            actor=actor_of(cast["hana"]),
        )  # fmt: skip
    assert lead.dealer_id == world.dealers["PL-WAW-1"]


# Nobody waits unseen


def test_through_all_its_life_a_lead_has_a_holder_or_a_queue_and_a_next_instant(
    sessions: SessionFactory, session: Session, sent_lead: Callable[..., Lead], anna: Actor,
    cast: dict[str, User],
) -> None:  # fmt: skip
    lead = sent_lead(at=TEN)

    def holds() -> None:
        session.rollback()
        session.refresh(lead)
        assert lead.status not in OPEN or lead.next_action_at is not None, lead.status
        assert lead.dealer_id is not None or lead.status in {"received", "unrouted"}

    def worked(verb: Callable[[], object]) -> None:
        verb()
        holds()
        at = due_at(session, lead)
        pipeline.advance(sessions, lead.id, at)
        holds()
        assert due_at(session, lead) > at

    holds()
    worked(lambda: None)
    worked(lambda: pipeline.accept(session, lead.id, at=TEN, actor=anna))
    worked(
        lambda: followup.contacted(
            session, lead.id, how="phone", result="no_answer", at=TEN, actor=anna
        )
    )
    worked(
        lambda: followup.plan(
            session, lead.id, kind="call", due_at=on("We", "10:00"), at=TEN, actor=anna
        )
    )
    rest_until = on("Th", "10:00")
    pipeline.rest(session, lead.id, until=rest_until, note="", at=TEN, actor=anna)
    worked(lambda: None)
    convert.lost(session, lead.id, reason="price", at=rest_until, actor=anna)
    assert lead.next_action_at is None
    worked(lambda: convert.reopen(session, lead.id, at=rest_until, actor=anna))
    worked(
        lambda: pipeline.reassign(
            session, lead.id, dealer_code="PL-WAW-2", reason="x", at=rest_until,
            actor=actor_of(cast["hana"]),
        )
    )  # fmt: skip
    worked(
        lambda: pipeline.decline(
            session, lead.id, reason="other", at=rest_until + timedelta(minutes=1),
            actor=actor_of(cast["carla"]),
        )
    )  # fmt: skip
    for _ in range(4):
        if lead.status == "offered":
            let_pass(sessions, session, lead)
        holds()
    assert (lead.status, lead.cause) == ("unrouted", "all_tried")


def test_a_lead_without_a_next_instant_is_found(
    sessions: SessionFactory, session: Session, accepted: Callable[..., Lead]
) -> None:
    lead = accepted()
    lead.next_action_at = None
    session.commit()
    week = TEN + timedelta(days=7)
    assert pipeline.find_forgotten(session, week) == 1
    assert pipeline.find_forgotten(session, week) == 0
    advance_leads(sessions, week)
    # Nobody is escalated for a time in which nobody was watching.
    assert happened(session, lead, "reminded", "escalated") == []
    assert due_at(session, lead) == week + timedelta(hours=1)


# Long work


def test_a_job_is_done_once_and_one_whose_worker_died_again(
    sessions: SessionFactory, session: Session
) -> None:
    def ask(kind: str) -> Job:
        job = Job(kind=kind, arguments={}, created_at=TEN)
        session.add(job)
        session.commit()
        return job

    done: list[str] = []

    def handle(own: Session, job: Job) -> None:
        assert own.info["actor"] == SYSTEM
        done.append(job.kind)
        row = own.get_one(Job, job.id)
        row.finished_at, row.result = TEN, {"n": len(done)}
        own.commit()

    def dies(_session: Session, _job: Job) -> None:
        raise KeyboardInterrupt

    job = ask("count")
    with pytest.raises(KeyboardInterrupt):
        jobs.work(sessions, TEN, {"count": dies})
    assert not jobs.work(sessions, TEN + timedelta(minutes=1), {"count": handle})
    assert jobs.work(sessions, TEN + jobs.LEASE * 2, {"count": handle})
    assert not jobs.work(sessions, TEN + jobs.LEASE * 4, {"count": handle})
    session.refresh(job)
    assert (done, job.result) == (["count"], {"n": 1})
    unknown = ask("nothing of the kind")
    assert jobs.work(sessions, TEN, {"count": handle})
    session.refresh(unknown)
    assert (unknown.finished_at, unknown.problem) == (TEN, "KeyError")
