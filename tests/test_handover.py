"""The end of a dealer or of a competence: previewed, planned, carried out; no lead is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lmt import handover, passing, pipeline
from lmt.db import SessionFactory
from lmt.followup import service as followup
from lmt.handover import EndRefused, plan_end, preview_end
from lmt.lifecycle import WITH_DEALER
from lmt.models import (
    Competence,
    DealerLoad,
    DealerTerms,
    Event,
    Handover,
    Lead,
    Message,
    Offer,
    PlannedAction,
    User,
)
from lmt.routing.directory import dealers_changed
from lmt.scope import Actor, act_as, actor_of
from lmt.worker import advance_leads
from tests.world import FRIDAY, World

TEN = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
"""Tuesday 10:00 in Warsaw."""
END = TEN + timedelta(days=1)
OLD, NEW = "PL-WAW-1", "PL-WAW-2"


@pytest.fixture
def anna(cast: dict[str, User]) -> Actor:
    return actor_of(cast["anna"])


@pytest.fixture
def hana(cast: dict[str, User]) -> Actor:
    return actor_of(cast["hana"])


def person(number: int) -> dict[str, str]:
    return {"phone": f"+48 512 345 {number:03d}", "email": f"p{number}@example.com"}


@pytest.fixture
def leads(session: Session, offered_lead: Callable[..., Lead], anna: Actor) -> dict[str, Lead]:
    """One lead of the old dealer in each state a dealer can have it."""
    late = END - timedelta(minutes=5)
    made = {
        state: offered_lead(at=late if state == "offered" else TEN, **person(number))
        for number, state in enumerate(("accepted", "contacted", "resting", "offered"))
    }
    for state in ("accepted", "contacted", "resting"):
        pipeline.accept(session, made[state].id, at=TEN, actor=anna)
    contacted = made["contacted"].id
    followup.contacted(
        session, contacted, how="phone", result="reached", note="likes blue", at=TEN, actor=anna
    )
    followup.add_note(session, contacted, text="trade-in, 2019", at=TEN, actor=anna)
    followup.plan(
        session, contacted, kind="visit", due_at=END + timedelta(days=2), at=TEN, actor=anna
    )
    until = END + timedelta(days=30)
    pipeline.rest(session, made["resting"].id, until=until, note="", at=TEN, actor=anna)
    session.commit()
    return made


def places(session: Session, world: World) -> tuple[int, int]:
    session.rollback()
    used = {
        row.dealer_id: row.open_used
        for row in session.execute(select(DealerLoad.dealer_id, DealerLoad.open_used))
    }
    return used.get(world.dealers[OLD], 0), used.get(world.dealers[NEW], 0)


def end(session: Session, hana: Actor, **given: Any) -> Handover:
    wanted: dict[str, Any] = {"ends_at": END, "reason": "sold", "at": TEN, "successor": NEW}
    return plan_end(session, OLD, actor=hana, **{**wanted, **given})


def test_a_preview_counts_what_would_move_and_writes_nothing(
    session: Session, leads: dict[str, Lead]
) -> None:
    seen = preview_end(session, OLD, END, successor=NEW)
    assert seen.leads == {"accepted": 1, "contacted": 1, "offered": 1, "resting": 1}
    assert (seen.total, seen.plans, seen.problem) == (4, 1, "")
    assert preview_end(session, OLD, END, brand="aurel", service="used").total == 0
    assert preview_end(session, OLD, END, brand="aurel", service="sales").total == 4
    assert preview_end(session, OLD, END, successor="SA-RUH-1").problem == "unknown_successor"
    assert preview_end(session, OLD, END, successor=OLD).problem == "same_dealer"
    care = preview_end(session, OLD, END, brand="aurel", service="sales", successor="PL-CARE")
    assert care.problem == "successor_not_competent"
    assert not session.new
    assert session.scalars(select(func.count(Handover.id))).one() == 0


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"ends_at": TEN - timedelta(minutes=1)}, "past"),
        ({"successor": None}, "no_way_on"),
        ({"reroute": True}, "no_way_on"),
        ({"successor": "nobody"}, "unknown_successor"),
        ({"successor": "AE-DXB-1"}, "unknown_successor"),
        ({"successor": OLD}, "same_dealer"),
        ({"brand": "none"}, "unknown_brand"),
        ({"service": "sales"}, "unknown_brand"),
        ({"brand": "aurel", "service": "parts"}, "no_such_competence"),
        ({"brand": "aurel", "successor": "PL-CARE"}, "successor_not_competent"),
    ],
)
def test_an_end_needs_a_date_and_a_way_on_for_its_leads(
    session: Session, hana: Actor, given: dict[str, Any], reason: str
) -> None:
    with pytest.raises(EndRefused) as refused:
        end(session, hana, **given)
    assert refused.value.reason == reason


def test_an_end_is_planned_once_and_not_for_a_successor_that_ends_too(
    session: Session, hana: Actor
) -> None:
    end(session, hana)
    with pytest.raises(EndRefused, match="planned_already"):
        end(session, hana, ends_at=END - timedelta(hours=1))
    with pytest.raises(EndRefused, match="inactive_successor"):
        plan_end(
            session, NEW, ends_at=END + timedelta(days=1), reason="x", at=TEN, actor=hana,
            successor=OLD,
        )  # fmt: skip
    with pytest.raises(EndRefused, match="unknown_dealer"):
        preview_end(session, "nobody", END)


def test_the_successor_gets_the_leads_as_they_are(
    sessions: SessionFactory,
    session: Session,
    leads: dict[str, Lead],
    world: World,
    anna: Actor,
    hana: Actor,
    cast: dict[str, User],
) -> None:
    promised = {state: lead.promise_at for state, lead in leads.items()}
    planned = end(session, hana)
    assert handover.carry_out(sessions, END - timedelta(seconds=1)) == 0
    assert places(session, world) == (3, 0)
    assert handover.carry_out(sessions, END) == 4
    assert handover.carry_out(sessions, END) == 0
    session.expire_all()
    assert planned.done_at == END
    for state, lead in leads.items():
        assert (lead.status, lead.dealer_id) == (state, world.dealers[NEW])
        assert (lead.promise_at, lead.owner_id) == (promised[state], None)
        assert lead.next_action_at is not None
        offers = session.execute(
            select(Offer.dealer_id, Offer.state, Offer.reason)
            .where(Offer.lead_id == lead.id)
            .order_by(Offer.offered_at, Offer.id)
        ).all()
        now = "open" if state == "offered" else "accepted"
        assert [tuple(row) for row in offers] == [
            (world.dealers[OLD], "withdrawn", "handed_over"),
            (world.dealers[NEW], now, ""),
        ]
    assert places(session, world) == (0, 3)
    assert leads["resting"].next_action_at == leads["resting"].resting_until
    until = session.scalars(select(Offer.expires_at).where(Offer.state == "open")).one()
    assert until == END + timedelta(minutes=30)
    plan = session.scalars(select(PlannedAction).where(PlannedAction.done_at.is_(None))).one()
    assert (plan.dealer_id, plan.owner_id) == (world.dealers[NEW], None)
    # The notes go along; the history stays the old dealer's.
    of_lead = leads["contacted"].id
    act_as(session, actor_of(session.merge(cast["carla"])))
    seen = session.scalars(select(Event).where(Event.lead_id == of_lead).order_by(Event.id)).all()
    told = [each.data["note"] for each in seen if each.kind == "handed_over"]
    assert told == ["likes blue\ntrade-in, 2019"]
    assert {each.dealer_id for each in seen} <= {None, world.dealers[NEW]}
    act_as(session, anna)
    assert session.get(Lead, of_lead) is None
    act_as(session, hana)
    kinds = session.scalars(
        select(Event.kind).where(Event.lead_id == of_lead, Event.dealer_id == world.dealers[OLD])
    ).all()
    assert {"accepted", "contacted", "note", "planned"} <= set(kinds)


def test_both_dealers_and_the_customer_are_told(
    sessions: SessionFactory, session: Session, leads: dict[str, Lead], hana: Actor
) -> None:
    end(session, hana)
    handover.carry_out(sessions, END)
    lead = leads["accepted"]
    mails = session.execute(
        select(Message.kind, Message.recipient).where(Message.lead_id == lead.id)
    ).all()
    moved = {(kind, to) for kind, to in mails if kind not in {"customer_received"}}
    assert moved == {
        ("dealer_new_lead", "pl-waw-1@dealers.example"),
        ("dealer_lead_taken_away", "pl-waw-1@dealers.example"),
        ("dealer_handed_over", "pl-waw-2@dealers.example"),
        ("customer_transferred", "p0@example.com"),
    }


def test_without_a_successor_each_lead_is_routed_anew(
    sessions: SessionFactory, session: Session, leads: dict[str, Lead], world: World, hana: Actor
) -> None:
    end(session, hana, successor=None, reroute=True)
    assert handover.carry_out(sessions, END) == 4
    session.expire_all()
    for lead in leads.values():
        assert (lead.status, lead.dealer_id) == ("offered", world.dealers[NEW])
    assert places(session, world) == (0, 4)
    assert session.scalars(select(PlannedAction.done_at)).all() == [END]


def test_from_its_end_on_the_dealer_gets_nothing_more_until_then_it_does(
    sessions: SessionFactory,
    session: Session,
    offered_lead: Callable[..., Lead],
    world: World,
    hana: Actor,
) -> None:
    end(session, hana)
    before = offered_lead(at=END - timedelta(minutes=1), **person(1))
    after = offered_lead(at=END, **person(2))
    assert before.dealer_id == world.dealers[OLD]
    assert after.dealer_id == world.dealers[NEW]
    rows = session.scalars(
        select(Competence).where(Competence.dealer_id == world.dealers[OLD])
    ).all()
    assert {row.valid.upper for row in rows} == {END}


def test_a_competence_ends_and_the_others_stay(
    sessions: SessionFactory,
    session: Session,
    leads: dict[str, Lead],
    world: World,
    hana: Actor,
) -> None:
    session.execute(update(Lead).where(Lead.id == leads["contacted"].id).values(service="used"))
    session.commit()
    end(session, hana, brand="aurel", service="sales")
    assert handover.carry_out(sessions, END) == 3
    session.expire_all()
    assert leads["contacted"].dealer_id == world.dealers[OLD]
    assert leads["accepted"].dealer_id == world.dealers[NEW]
    terms = session.scalars(
        select(DealerTerms).where(DealerTerms.dealer_id == world.dealers[OLD])
    ).one()
    assert terms.valid.upper is None


def test_a_handover_that_is_broken_off_goes_on_where_it_was(
    sessions: SessionFactory,
    session: Session,
    leads: dict[str, Lead],
    world: World,
    hana: Actor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    planned = end(session, hana)
    real, turns = passing.pass_on, iter([True, False, True, True])

    def failing(*given: Any) -> None:
        real(*given)
        if not next(turns):
            raise RuntimeError("in the middle of it")

    monkeypatch.setattr(handover, "pass_on", failing)
    assert handover.carry_out(sessions, END) == 3
    session.expire_all()
    assert planned.done_at is None
    monkeypatch.undo()
    assert handover.carry_out(sessions, END + timedelta(minutes=1)) == 1
    session.expire_all()
    assert planned.done_at == END + timedelta(minutes=1)
    assert {lead.dealer_id for lead in leads.values()} == {world.dealers[NEW]}
    assert places(session, world) == (0, 3)


def test_a_lead_reopened_at_a_dealer_that_is_gone_moves_on(
    sessions: SessionFactory, session: Session, leads: dict[str, Lead], world: World
) -> None:
    lead = leads["contacted"]
    session.execute(
        update(DealerTerms)
        .where(DealerTerms.dealer_id == world.dealers[OLD])
        .values(valid=func.tstzrange(None, END))
    )
    dealers_changed(session, FRIDAY, [world.dealers[OLD]])
    lead.next_action_at = END
    session.commit()
    advance_leads(sessions, END)
    session.refresh(lead)
    assert lead.status in WITH_DEALER
    assert lead.dealer_id == world.dealers[NEW]
