"""Caps hold however many assign at once, and a dealer's day is its own."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt.db import SessionFactory
from lmt.ingest.accept import Delivery, accept
from lmt.models import (
    DealerLoad,
    DealerTerms,
    Lead,
    Message,
    Offer,
    RoutingDecision,
    RoutingPolicy,
    Source,
    User,
)
from lmt.routing import service as routing
from lmt.routing.capacity import loads_of, take_slot
from lmt.routing.directory import Directory, dealers_changed
from lmt.scope import SYSTEM, act_as, actor_of
from lmt.worker import advance_leads
from tests.world import FRIDAY, World, send, warsaw_lead

NEAR, NEXT, TEAM = "PL-WAW-1", "PL-WAW-2", "PL-CARE"


@pytest.fixture(autouse=True)
def fresh_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another test's database is another installation, whose dealers nobody here has read."""
    monkeypatch.setattr(routing, "directory", Directory())


def cap(session: Session, world: World, code: str, **caps: int) -> None:
    session.execute(
        update(DealerTerms).where(DealerTerms.dealer_id == world.dealers[code]).values(**caps)
    )
    session.commit()


def load(session: Session, world: World, code: str) -> DealerLoad | None:
    session.rollback()
    return session.get(DealerLoad, world.dealers[code], populate_existing=True)


def counted(session: Session, world: World, code: str) -> tuple[int, int, int, int]:
    """Day, month, open, ever."""
    row = load(session, world, code)
    assert row is not None
    return row.day_used, row.month_used, row.open_used, row.received


def holders(session: Session, world: World) -> dict[str, int]:
    session.rollback()
    codes = {id: code for code, id in world.dealers.items()}
    return dict(Counter(codes[id] for id in session.scalars(select(Lead.dealer_id)) if id))


def person(number: int) -> dict[str, Any]:
    return warsaw_lead(phone=f"+48 512 {number:06d}", email=f"p{number}@example.com")


def test_four_workers_never_overfill_a_dealer(
    sessions: SessionFactory, session: Session, world: World
) -> None:
    settings = {"fallback_dealer": TEAM, "cap_wait_minutes": 0}
    session.execute(update(RoutingPolicy).values(settings=settings))
    cap(session, world, NEAR, day_cap=20)
    cap(session, world, NEXT, day_cap=50, open_cap=30)
    source = session.scalars(select(Source).where(Source.code == "api-pl")).one()
    people = [person(number) for number in range(200)]
    accept(session, source, Delivery(body=b"a burst"), people, FRIDAY)
    start = threading.Barrier(4)
    problems: list[BaseException] = []

    def work() -> None:
        try:
            start.wait(timeout=30)
            advance_leads(sessions, FRIDAY)
        except BaseException as problem:
            problems.append(problem)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=120)
    assert problems == []
    assert holders(session, world) == {NEAR: 20, NEXT: 30, TEAM: 150}
    assert counted(session, world, NEAR) == (20, 20, 20, 20)
    assert counted(session, world, NEXT) == (30, 30, 30, 30)
    per_lead = session.execute(select(func.count()).select_from(Offer).group_by(Offer.lead_id))
    assert set(per_lead.scalars()) == {1}
    assert session.scalars(select(Lead.status).distinct()).all() == ["offered"]
    assert session.scalars(select(Lead.postponed).distinct()).all() == [0]


@pytest.mark.parametrize(
    ("caps", "refused"),
    [
        ({"day_cap": 1}, ("day_cap", 1, 1)),
        ({"month_cap": 1}, ("month_cap", 1, 1)),
        ({"open_cap": 1}, ("open_cap", 1, 1)),
    ],
)
def test_a_full_dealer_is_passed_over_and_the_figures_say_why(
    sessions: SessionFactory, session: Session, world: World,
    caps: dict[str, int], refused: tuple[str, int, int],
) -> None:  # fmt: skip
    cap(session, world, NEAR, **caps)
    leads = [send(session, "api-pl", person(number), FRIDAY) for number in range(2)]
    advance_leads(sessions, FRIDAY)
    assert holders(session, world) == {NEAR: 1, NEXT: 1}
    later = session.scalars(
        select(RoutingDecision).where(RoutingDecision.dealer_id == world.dealers[NEXT])
    ).one()
    assert later.lead_id in {lead.id for lead in leads}
    (why,) = [each for each in later.result["refused"] if each["code"] == NEAR]
    assert (why["reason"], *why["figures"].values()) == refused


# The same instants, in the days of Warsaw (UTC+1, UTC+2 from 29 March) and of Riyadh (UTC+3).
WARSAW_DAYS = [
    (datetime(2026, 3, 6, 22, 59, tzinfo=UTC), date(2026, 3, 6), (1, 1)),
    (datetime(2026, 3, 6, 22, 59, 59, tzinfo=UTC), date(2026, 3, 6), (2, 2)),
    (datetime(2026, 3, 6, 23, 0, tzinfo=UTC), date(2026, 3, 7), (1, 3)),
    (datetime(2026, 3, 31, 21, 59, tzinfo=UTC), date(2026, 3, 31), (1, 4)),
    (datetime(2026, 3, 31, 22, 0, tzinfo=UTC), date(2026, 4, 1), (1, 1)),
    (datetime(2027, 4, 1, 9, 0, tzinfo=UTC), date(2027, 4, 1), (1, 1)),
]
RIYADH_DAYS = [
    (datetime(2026, 3, 6, 20, 59, tzinfo=UTC), date(2026, 3, 6), (1, 1)),
    (datetime(2026, 3, 6, 21, 0, tzinfo=UTC), date(2026, 3, 7), (1, 2)),
    (datetime(2026, 3, 31, 21, 0, tzinfo=UTC), date(2026, 4, 1), (1, 1)),
]


@pytest.mark.parametrize(
    ("market", "code", "days"), [("PL", NEAR, WARSAW_DAYS), ("GULF", "SA-RUH-1", RIYADH_DAYS)]
)
def test_day_and_month_begin_at_the_dealers_own_midnight(
    session: Session, world: World, market: str, code: str, days: list[Any]
) -> None:
    network = Directory().network(session, world.markets[market], FRIDAY)
    dealer = network.by_code(code)
    assert dealer is not None
    for number, (at, day, used) in enumerate(days, 1):
        assert take_slot(session, dealer, at)
        session.commit()
        row = load(session, world, code)
        assert row is not None
        assert (row.day, (row.day_used, row.month_used)) == (day, used), at
        assert (row.open_used, row.received) == (number, number)
        shown = loads_of(session, network, at)[dealer.id]
        assert (shown.day_used, shown.month_used) == used


def test_what_yesterday_and_last_month_used_counts_no_more(session: Session, world: World) -> None:
    cap(session, world, NEAR, day_cap=1, month_cap=2)
    network = Directory().network(session, world.markets["PL"], FRIDAY)
    dealer = network.by_code(NEAR)
    assert dealer is not None
    days = [datetime(2026, 3, 30, 9, tzinfo=UTC), datetime(2026, 3, 31, 9, tzinfo=UTC)]
    april = datetime(2026, 4, 1, 9, tzinfo=UTC)
    taken = [take_slot(session, dealer, at) for at in (days[0], days[0], days[1], days[1], april)]
    assert taken == [True, False, True, False, True]
    loads = loads_of(session, network, datetime(2026, 4, 2, 9, tzinfo=UTC))
    assert (loads[dealer.id].day_used, loads[dealer.id].month_used) == (0, 1)


def test_declining_gives_back_the_open_place_not_the_days(
    session: Session, offered_lead: Callable[..., Lead], cast: dict[str, User], world: World
) -> None:
    lead = offered_lead()
    assert counted(session, world, NEAR) == (1, 1, 1, 1)
    pipeline.decline(
        session, lead.id, reason="no_capacity", at=FRIDAY, actor=actor_of(cast["anna"])
    )
    assert counted(session, world, NEAR) == (1, 1, 0, 1)
    assert counted(session, world, NEXT) == (1, 1, 1, 1)


def test_an_open_cap_frees_with_each_lead_that_ends(
    sessions: SessionFactory, session: Session, cast: dict[str, User], world: World
) -> None:
    cap(session, world, NEAR, open_cap=1)
    first = send(session, "api-pl", person(1), FRIDAY)
    advance_leads(sessions, FRIDAY)
    send(session, "api-pl", person(2), FRIDAY)
    advance_leads(sessions, FRIDAY)
    assert holders(session, world) == {NEAR: 1, NEXT: 1}
    pipeline.withdraw(session, first.id, reason="customer", at=FRIDAY, actor=SYSTEM)
    send(session, "api-pl", person(3), FRIDAY)
    advance_leads(sessions, FRIDAY)
    assert counted(session, world, NEAR) == (2, 2, 1, 2)


def test_a_test_lead_counts_nowhere(
    sessions: SessionFactory, session: Session, world: World
) -> None:
    cap(session, world, NEAR, day_cap=1)
    send(session, "api-pl", person(1) | {"test": True}, FRIDAY)
    advance_leads(sessions, FRIDAY)
    assert counted(session, world, NEAR) == (0, 0, 0, 0)
    send(session, "api-pl", person(2), FRIDAY)
    advance_leads(sessions, FRIDAY)
    assert holders(session, world) == {NEAR: 1}


def test_a_lead_that_waited_for_room_goes_out_and_its_customer_is_told_to_whom(
    sessions: SessionFactory, session: Session, world: World
) -> None:
    session.execute(update(RoutingPolicy).values(settings={}))  # no team to fall back on
    cap(session, world, NEAR, day_cap=0)
    cap(session, world, NEXT, open_cap=0)
    lead = send(session, "api-pl", person(1), FRIDAY)
    advance_leads(sessions, FRIDAY)
    session.refresh(lead)
    assert (lead.status, lead.cause) == ("unrouted", "all_capped")
    cap(session, world, NEXT, open_cap=1)
    dealers_changed(session, FRIDAY)
    session.commit()
    assert lead.next_action_at is not None
    advance_leads(sessions, lead.next_action_at)
    session.refresh(lead)
    assert (lead.status, lead.dealer_id) == ("offered", world.dealers[NEXT])
    told = session.execute(
        select(Message.kind, Message.dealer_id)
        .where(Message.audience == "customer")
        .order_by(Message.id)
    )
    assert [tuple(row) for row in told] == [
        ("customer_received", None),
        ("customer_transferred", world.dealers[NEXT]),
    ]


@pytest.fixture
def waiting(sessions: SessionFactory, session: Session, world: World) -> list[Lead]:
    """One lead with the only dealer, which has room for one; three that wait for a place."""
    cap(session, world, NEAR, open_cap=1)
    cap(session, world, NEXT, open_cap=0)
    held = send(session, "api-pl", person(1), FRIDAY)
    advance_leads(sessions, FRIDAY)
    leads = [held, *(send(session, "api-pl", person(number), FRIDAY) for number in (2, 3, 4))]
    # Whoever begins to wait is looked at once more after a minute.
    for at in (FRIDAY, FRIDAY + timedelta(minutes=1)):
        advance_leads(sessions, at)
    for points, lead in enumerate(leads):
        session.execute(update(Lead).where(Lead.id == lead.id).values(points=points))
    session.commit()
    statuses = session.scalars(select(Lead.status).order_by(Lead.points)).all()
    assert statuses == ["offered", "unrouted", "unrouted", "unrouted"]
    return leads


def due_now(session: Session, at: datetime) -> set[uuid.UUID]:
    session.rollback()
    due = select(Lead.id).where(Lead.next_action_at <= at, Lead.status == "unrouted")
    return set(session.scalars(due))


SOON = FRIDAY + timedelta(minutes=5)


def test_a_freed_place_is_the_hottest_waiting_leads(
    sessions: SessionFactory, session: Session, world: World, waiting: list[Lead]
) -> None:
    pipeline.withdraw(session, waiting[0].id, reason="customer", at=SOON, actor=SYSTEM)
    assert due_now(session, SOON) == {waiting[3].id}
    advance_leads(sessions, SOON)
    session.expire_all()
    assert [lead.status for lead in waiting] == ["withdrawn", "unrouted", "unrouted", "offered"]
    assert waiting[3].dealer_id == world.dealers[NEAR]


def test_a_place_that_another_cap_keeps_shut_wakes_nobody(
    session: Session, world: World, waiting: list[Lead]
) -> None:
    cap(session, world, NEAR, day_cap=1)
    pipeline.withdraw(session, waiting[0].id, reason="customer", at=SOON, actor=SYSTEM)
    assert due_now(session, SOON) == set()


def test_a_waiting_lead_that_somebody_holds_is_passed_over_not_waited_for(
    sessions: SessionFactory, session: Session, waiting: list[Lead]
) -> None:
    with act_as(sessions(), SYSTEM) as person:
        person.execute(select(Lead.id).where(Lead.id == waiting[3].id).with_for_update())
        pipeline.withdraw(session, waiting[0].id, reason="customer", at=SOON, actor=SYSTEM)
    assert due_now(session, SOON) == {waiting[2].id}


def test_a_lead_waits_for_a_place_so_long_then_goes_to_the_team(
    sessions: SessionFactory, session: Session, world: World, waiting: list[Lead]
) -> None:
    advance_leads(sessions, FRIDAY + timedelta(minutes=29))
    assert holders(session, world) == {NEAR: 1}
    advance_leads(sessions, FRIDAY + timedelta(minutes=30))
    session.expire_all()
    assert {lead.dealer_id for lead in waiting[1:]} == {world.dealers[TEAM]}
    last = select(RoutingDecision).where(RoutingDecision.dealer_id == world.dealers[TEAM])
    for decision in session.scalars(last):
        assert (decision.cause, decision.result["how"]) == ("all_capped", "fallback")


def test_by_hand_a_full_dealer_gets_the_lead_and_it_counts(
    session: Session, offered_lead: Callable[..., Lead], cast: dict[str, User], world: World
) -> None:
    cap(session, world, NEXT, day_cap=0, open_cap=0)
    lead = offered_lead()
    act_as(session, SYSTEM)
    hana = actor_of(cast["hana"])
    pipeline.reassign(session, lead.id, dealer_code=NEXT, reason="asked", at=FRIDAY, actor=hana)
    assert counted(session, world, NEXT) == (1, 1, 1, 1)
    assert counted(session, world, NEAR) == (1, 1, 0, 1)


def test_a_lead_that_always_fails_keeps_waiting_longer_and_blocks_nobody(
    sessions: SessionFactory, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = send(session, "api-pl", person(1), FRIDAY)
    session.execute(update(Lead).values(postponed=500, points=99))
    good = send(session, "api-pl", person(2), FRIDAY)
    real = pipeline.qualify_lead

    def failing(session: Session, lead: Lead) -> Any:
        if lead.id == bad.id:
            raise RuntimeError(uuid.uuid4().hex)
        return real(session, lead)

    monkeypatch.setattr(pipeline, "qualify_lead", failing)
    advance_leads(sessions, FRIDAY)
    session.refresh(bad)
    session.refresh(good)
    assert (bad.status, bad.next_action_at) == ("unrouted", FRIDAY + pipeline.MOST_POSTPONED)
    assert good.status == "offered"
