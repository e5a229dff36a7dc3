"""Facts follow the leads: each verb shows once the worker has looked, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, delete, func, select, text, update
from sqlalchemy.orm import Session

from lmt import clock, customers, feedback, pipeline, schema, verdicts
from lmt.config import Settings
from lmt.convert import service as convert
from lmt.db import SessionFactory, reading_sessions_for
from lmt.doctor import examine
from lmt.followup import service as followup
from lmt.models import (
    Customer,
    Event,
    FactQueue,
    FactSlice,
    Lead,
    LeadFact,
    Market,
    Offer,
    RoutingDecision,
    Sale,
    SalesFile,
    ShareFact,
    Upload,
    User,
)
from lmt.models.facts import COUNTERS, DIMENSIONS, TIMES
from lmt.reports import refresh as refreshing
from lmt.reports.checking import check
from lmt.reports.pasthours import PastHours
from lmt.reports.refresh import lag, refresh, refresh_batch
from lmt.scope import SYSTEM, act_as, actor_of
from tests.two_markets import TwoMarkets, counted_selects
from tests.world import FRIDAY, World, send, somebody, warsaw_lead

MINUTE = timedelta(minutes=1)
NINE = FRIDAY + timedelta(hours=2)
"""When the showrooms have opened."""


@pytest.fixture
def house(session: Session, cast: dict[str, User]) -> TwoMarkets:
    return TwoMarkets(session, cast["hana"].password or "")


@pytest.fixture
def rows(sessions: SessionFactory) -> Callable[..., dict[int, dict[str, Any]]]:
    """What stands of a lead, by dealer, without what is nothing."""

    def read(lead_id: UUID) -> dict[int, dict[str, Any]]:
        with act_as(sessions(), SYSTEM) as session:
            found = session.execute(
                select(LeadFact.__table__).where(LeadFact.__table__.c.lead_id == lead_id)
            )
            kept = (*COUNTERS, *TIMES, "value")
            return {
                row["dealer_id"]: {name: row[name] for name in kept if row[name]}
                for row in found.mappings()
            }

    return read


def agree(engine: Engine, at: datetime) -> None:
    """What stands is what would be made of the leads now."""
    with act_as(reading_sessions_for(engine)(), SYSTEM) as session:
        checked = check(session, at)
    assert (checked.differences, checked.late) == ([], 0)


def routed(session: Session, sessions: SessionFactory, at: datetime = NINE) -> Lead:
    lead = send(session, "api-pl", warsaw_lead(**somebody()), at)
    session.commit()
    pipeline.advance(sessions, lead.id, at)
    session.rollback()
    session.refresh(lead)
    assert lead.status == "offered"
    return lead


def test_a_lead_shows_every_step_once_the_worker_looked(
    session: Session,
    sessions: SessionFactory,
    engine: Engine,
    cast: dict[str, User],
    world: World,
    rows: Callable[[UUID], dict[int, dict[str, Any]]],
) -> None:
    lead = routed(session, sessions)
    first, second = world.dealers["PL-WAW-1"], world.dealers["PL-WAW-2"]
    assert lead.dealer_id == first
    anna, carla = actor_of(cast["anna"]), actor_of(cast["carla"])
    at = NINE

    def later(minutes: int) -> datetime:
        nonlocal at
        at += minutes * MINUTE
        return at

    def now() -> dict[int, dict[str, Any]]:
        assert refresh(sessions, at) == 1
        assert refresh(sessions, at) == 0
        agree(engine, at)
        return rows(lead.id)

    asked = {"leads": 1, "valid": 1, "open": 1, "waiting": 1, "unreached": 1, "offered": 1}
    shown = now()
    assert shown.keys() == {first}
    assert asked.items() <= shown[first].items()
    assert shown[first]["offers"] == 1

    act_as(session, anna)
    pipeline.decline(session, lead.id, reason="no_capacity", at=later(10), actor=anna)
    shown = now()
    assert shown[first] == {"offers": 1, "offers_declined": 1}
    assert {**asked, "rerouted": 1, "reroutes": 1}.items() <= shown[second].items()

    act_as(session, carla)
    pipeline.accept(session, lead.id, at=later(7), actor=carla)
    shown = now()
    assert shown[second]["take"] == shown[second]["work_take"] == 7 * 60
    followup.contacted(session, lead.id, how="phone", result="reached", at=later(3), actor=carla)
    shown = now()
    assert (shown[second]["response"], shown[second]["reached_30"]) == (20 * 60, 1)
    assert shown[second]["work_response"] == 10 * 60
    assert "unreached" not in shown[second]
    assert "proven" not in shown[second]

    due_at = later(1) + timedelta(days=2)
    plan = followup.plan(session, lead.id, kind="test_drive", due_at=due_at, at=at, actor=carla)
    assert now()[second]["appointment"] == 1
    followup.finish_plan(session, plan.id, at=later(2880), actor=carla)
    shown = now()
    assert (shown[second]["visited"], shown[second]["plans"], shown[second]["plans_kept"]) == (
        1,
        1,
        1,
    )
    verdicts.give(session, lead.id, verdict="bad_data", at=later(1), actor=carla)
    shown = now()
    assert "valid" not in shown[second]
    assert shown[second]["verdicts"] == 1
    verdicts.give(session, lead.id, verdict="confirmed", at=later(1), actor=carla)
    assert now()[second]["confirmed"] == 1

    convert.won(session, lead.id, value=Decimal("99000.50"), at=later(1), actor=carla)
    shown = now()
    assert (shown[second]["won"], shown[second]["sold"], shown[second]["closed"]) == (1, 1, 1)
    assert shown[second]["value"] == Decimal("99000.50")
    assert shown[second]["handling"] == shown[second]["sale"] == (at - NINE).total_seconds()
    assert not shown[second].keys() & {"open", "closed_by_first"}
    act_as(session, SYSTEM)
    feedback.answer(session, lead.id, score=4, comment="", at=later(1))
    shown = now()
    assert (shown[second]["answers"], shown[second]["score"], shown[second]["proven"]) == (1, 4, 1)
    act_as(session, carla)
    convert.reopen(session, lead.id, at=later(1), actor=carla)
    shown = now()
    assert shown[second]["open"] == 1
    assert not shown[second].keys() & {"won", "sold", "value", "handling", "sale", "closed"}
    convert.lost(session, lead.id, reason="price", at=later(1), actor=carla)
    shown = now()
    assert (shown[second]["lost"], shown[second]["closed"]) == (1, 1)
    # Everything above was one lead, whatever happened to it.
    assert sum(each.get("leads", 0) for each in shown.values()) == 1


def test_a_reroute_moves_the_claim_in_the_fair_share(
    session: Session, sessions: SessionFactory, cast: dict[str, User], world: World
) -> None:
    lead = routed(session, sessions)
    anna = actor_of(cast["anna"])
    act_as(session, anna)
    pipeline.decline(session, lead.id, reason="no_capacity", at=NINE + MINUTE, actor=anna)
    act_as(session, SYSTEM)
    refresh(sessions, NINE + MINUTE)
    shares = {
        row["dealer_id"]: row
        for row in session.execute(select(ShareFact.__table__)).mappings()
        if row["received"]
    }
    first, second = world.dealers["PL-WAW-1"], world.dealers["PL-WAW-2"]
    assert (shares[first]["lost_declined"], shares[second]["lost_declined"]) == (1, 0)
    assert sum(row["received"] for row in shares.values()) == 2


def test_time_alone_makes_a_lead_overdue(
    session: Session,
    sessions: SessionFactory,
    engine: Engine,
    rows: Callable[[UUID], dict[int, dict[str, Any]]],
) -> None:
    lead = routed(session, sessions)
    refresh(sessions, NINE)
    assert refresh(sessions, NINE + 14 * MINUTE) == 0
    with act_as(reading_sessions_for(engine)(), SYSTEM) as reading:
        assert check(reading, NINE + 15 * MINUTE).late == 1
    assert refresh(sessions, NINE + 15 * MINUTE) == 1
    (shown,) = rows(lead.id).values()
    assert (shown["overdue_15"], shown.get("overdue_60")) == (1, None)
    assert refresh(sessions, NINE + timedelta(days=30)) == 1
    (shown,) = rows(lead.id).values()
    assert {"overdue_60", "overdue_240", "overdue_1440", "promised"} <= shown.keys()
    agree(engine, NINE + timedelta(days=30))
    assert refresh(sessions, NINE + timedelta(days=900)) == 0


def test_leads_that_are_none_leave_nothing_and_come_back_by_nothing_else(
    session: Session,
    sessions: SessionFactory,
    engine: Engine,
    rows: Callable[[UUID], dict[int, dict[str, Any]]],
) -> None:
    undone, gone, kept = (routed(session, sessions) for _each in range(3))
    refresh(sessions, NINE)
    assert all(rows(lead.id) for lead in (undone, gone, kept))
    pipeline.withdraw(session, undone.id, reason="import_undone", at=NINE, actor=SYSTEM)
    pipeline.withdraw(session, kept.id, reason="customer", at=NINE, actor=SYSTEM)
    for model in (Offer, RoutingDecision):
        session.execute(delete(model).where(model.lead_id == gone.id))
    session.execute(text("DELETE FROM consent WHERE lead_id = :id"), {"id": gone.id})
    session.execute(text("DELETE FROM message WHERE lead_id = :id"), {"id": gone.id})
    session.execute(delete(Event).where(Event.lead_id == gone.id))
    session.execute(delete(Lead).where(Lead.id == gone.id))
    session.commit()
    refresh(sessions, NINE + MINUTE)
    assert (rows(undone.id), rows(gone.id)) == ({}, {})
    (shown,) = rows(kept.id).values()
    assert (shown["leads"], shown["withdrawn"]) == (1, 1)
    agree(engine, NINE + MINUTE)


def test_a_merge_of_customers_shows_in_the_kind_of_customer(
    session: Session, sessions: SessionFactory, cast: dict[str, User]
) -> None:
    first, second = routed(session, sessions), routed(session, sessions)
    session.get_one(Customer, first.customer_id).kind = "business"
    session.commit()
    refresh(sessions, NINE)
    hana = actor_of(cast["hana"])
    act_as(session, hana)
    customers.merge(session, first.customer_id, second.customer_id, at=NINE, actor=hana)
    assert refresh(sessions, NINE) >= 1
    act_as(session, SYSTEM)
    kinds = session.scalars(select(LeadFact.__table__.c.customer_kind)).all()
    assert kinds == ["business", "business"]


def test_a_sale_told_by_a_file_counts_for_its_lead_and_no_longer_once_it_leaves_it(
    house: TwoMarkets,
    session: Session,
    sessions: SessionFactory,
    rows: Callable[[UUID], dict[int, dict[str, Any]]],
) -> None:
    first, other = (
        house.lead(house.lodz, status="lost", created_at=NINE, closed_at=NINE, cause="price")
        for _each in range(2)
    )
    upload = Upload(
        market_id=house.poland.id, name="s.csv", size=0, sha256=b"", created_at=NINE
    )  # fmt: skip
    session.add(upload)
    session.flush()
    file = SalesFile(market_id=house.poland.id, upload_id=upload.id, created_at=NINE)
    session.add(file)
    session.flush()
    sale = Sale(
        file_id=file.id, row=1, market_id=house.poland.id, key="1", sold_on=date(2026, 3, 8),
        dealer_id=house.riyadh.id, value=Decimal(500), currency="PLN", state="matched",
        lead_id=first.id,
    )  # fmt: skip
    session.add(sale)
    session.commit()
    refresh(sessions, NINE)
    shown = rows(first.id)[house.lodz.id]
    assert (shown["matched"], shown["sold"], shown["sold_elsewhere"]) == (1, 1, 1)
    assert shown["value"] == 500
    # Its dealer lost it; nobody counts a car that was sold among the sales that were not made.
    assert "lost" not in shown
    assert rows(other.id)[house.lodz.id]["lost"] == 1
    # Noon of that Sunday in Warsaw: eleven in UTC.
    noon = datetime(2026, 3, 8, 11, tzinfo=NINE.tzinfo)
    assert shown["sale"] == (noon - NINE).total_seconds()
    sale.lead_id = other.id
    session.commit()
    refresh(sessions, NINE)
    assert "matched" not in rows(first.id)[house.lodz.id]
    assert rows(other.id)[house.lodz.id]["matched"] == 1


def test_a_lead_that_is_deleted_is_counted_no_more(
    house: TwoMarkets,
    session: Session,
    sessions: SessionFactory,
    rows: Callable[[UUID], dict[int, dict[str, Any]]],
) -> None:
    lead_id = house.lead(house.lodz).id
    session.commit()
    refresh(sessions, NINE)
    assert rows(lead_id)
    session.execute(delete(Event).where(Event.lead_id == lead_id))
    session.execute(delete(Lead).where(Lead.id == lead_id))
    session.commit()
    refresh(sessions, NINE)
    assert rows(lead_id) == {}


def test_who_is_killed_leaves_the_queue_as_it_was(
    session: Session, sessions: SessionFactory, monkeypatch: pytest.MonkeyPatch, engine: Engine
) -> None:
    leads = [routed(session, sessions) for _each in range(3)]

    def dies(*_given: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(refreshing, "mark_changed", dies)
        with pytest.raises(ConnectionError):
            refresh(sessions, NINE)
    assert session.scalar(select(func.count()).select_from(LeadFact.__table__)) == 0
    assert set(session.scalars(select(FactQueue.lead_id))) == {lead.id for lead in leads}
    session.rollback()
    assert refresh(sessions, NINE, batch=2) >= 3
    agree(engine, NINE)


def test_one_at_a_time_makes_facts_and_the_lag_is_told(
    session: Session, sessions: SessionFactory
) -> None:
    routed(session, sessions)
    waited = lag(session, clock.now() + MINUTE)
    assert waited is not None
    assert MINUTE <= waited < 2 * MINUTE
    session.rollback()
    with act_as(sessions(), SYSTEM) as at_it:
        assert refresh_batch(at_it, NINE, PastHours()) == 1
        assert refresh(sessions, NINE) == 0
        at_it.commit()
    assert lag(session, clock.now()) is None


def test_reports_that_fall_behind_are_told_to_whoever_watches(
    session: Session,
    sessions: SessionFactory,
    client: FlaskClient,
    settings: Settings,
) -> None:
    def told() -> tuple[bool, bool]:
        line = next(
            line
            for line in client.get("/metrics").text.splitlines()
            if line.startswith("lmt_facts_lag_seconds ")
        )
        (finding,) = (each for each in examine(settings, clock.now()) if each.what == "reports")
        return float(line.split()[1]) < 60, finding.ok

    routed(session, sessions)
    session.execute(text("UPDATE fact_queue SET at = at - interval '1 hour'"))
    session.commit()
    assert told() == (False, False)
    refresh(sessions, NINE)
    assert told() == (True, True)


def test_facts_that_come_out_as_they_stand_leave_their_month_added_up(
    session: Session, sessions: SessionFactory
) -> None:
    lead = routed(session, sessions)
    refresh(sessions, NINE)
    session.execute(update(FactSlice).values(rolled_at=NINE))
    session.execute(text("INSERT INTO fact_queue (lead_id) SELECT id FROM lead"))
    # What the clock of a lead does is no matter of its facts.
    session.execute(update(Lead).values(next_action_at=NINE))
    session.commit()
    assert refresh(sessions, NINE + MINUTE) == 1
    assert session.scalars(select(FactSlice.rolled_at)).all() == [NINE]
    session.execute(update(Lead).where(Lead.id == lead.id).values(band="cold"))
    session.commit()
    refresh(sessions, NINE + 2 * MINUTE)
    session.expire_all()
    assert session.scalars(select(FactSlice.rolled_at)).all() == [None]


def test_a_lead_of_another_market_leaves_no_trace_in_the_first(
    session: Session, sessions: SessionFactory, world: World
) -> None:
    lead = routed(session, sessions, datetime(2026, 3, 31, 21, 30, tzinfo=FRIDAY.tzinfo))
    refresh(sessions, NINE)
    session.execute(update(FactSlice).values(rolled_at=NINE))
    gulf = session.get_one(Market, world.markets["GULF"])
    session.execute(update(Lead).where(Lead.id == lead.id).values(market_id=gulf.id))
    session.commit()
    refresh(sessions, NINE)
    found = session.execute(select(LeadFact.market_id, LeadFact.day, LeadFact.month)).all()
    # Half past nine in the evening in UTC: still the last of March in Warsaw, April in Riyadh.
    assert set(found) == {(gulf.id, date(2026, 4, 1), date(2026, 4, 1))}
    changed = select(FactSlice.market_id, FactSlice.month).where(FactSlice.rolled_at.is_(None))
    assert set(session.execute(changed)) == {
        (world.markets["PL"], date(2026, 3, 1)),
        (gulf.id, date(2026, 4, 1)),
    }


def test_many_leads_take_no_more_statements_than_few(
    house: TwoMarkets, sessions: SessionFactory
) -> None:
    def taken(many: int) -> int:
        for _each in range(many):
            lead = house.lead(house.lodz, created_at=NINE, offered_at=NINE)
            house.offer(lead, expires_at=NINE + timedelta(hours=1))
        with act_as(sessions(), SYSTEM) as session, counted_selects() as selects:
            assert refresh_batch(session, NINE, PastHours()) == many
            session.commit()
        return len(selects)

    assert taken(2) == taken(12) < 20


def test_what_was_there_before_reports_came_is_queued_by_the_migration(
    session: Session, sessions: SessionFactory, engine: Engine
) -> None:
    lead = routed(session, sessions)
    session.rollback()
    schema.downgrade(engine, "0006")
    schema.upgrade(engine)
    assert session.scalars(select(FactQueue.lead_id)).all() == [lead.id]
    session.rollback()
    assert refresh(sessions, NINE) == 1
    agree(engine, NINE)


def test_the_dimensions_are_the_leads_own_words(session: Session, sessions: SessionFactory) -> None:
    lead = routed(session, sessions)
    refresh(sessions, NINE)
    (row,) = session.execute(select(LeadFact.__table__)).mappings()
    assert {name: row[name] for name in DIMENSIONS} == {
        "dealer_id": lead.dealer_id, "owner_id": None, "source_id": lead.source_id,
        "channel": "api", "campaign_id": None, "brand_id": lead.brand_id, "model": "Mira",
        "request_type": "test_drive", "service": "sales", "band": lead.band,
        "customer_kind": "private", "language": "pl", "country": "PL", "region": lead.region,
        "status": "offered", "cause": "", "verdict": "", "hour": 4 * 24 + 10,
        "lat_tenth": 522, "lon_tenth": 210,
    }  # fmt: skip
    assert (row["day"], row["month"]) == (date(2026, 3, 6), date(2026, 3, 1))
