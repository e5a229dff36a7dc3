"""What a dealer does with an accepted lead: contact, plans, sale, loss, and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt.convert import service as convert
from lmt.followup import service as followup
from lmt.lifecycle import IllegalStep
from lmt.models import DealerLoad, Event, Lead, Outcome, PlannedAction, User
from lmt.scope import Actor, act_as, actor_of
from tests.world import FRIDAY

LATER = FRIDAY + timedelta(minutes=20)


@pytest.fixture
def anna(cast: dict[str, User]) -> Actor:
    return actor_of(cast["anna"])


@pytest.fixture
def accepted(session: Session, offered_lead: Callable[..., Lead], anna: Actor) -> Lead:
    """Accepted by anna, whose session it is from here on."""
    lead_id = offered_lead().id
    act_as(session, anna)
    pipeline.accept(
        session,
        lead_id,
        at=FRIDAY,
        actor=anna,
        plan=pipeline.PlanInput("call", FRIDAY + timedelta(minutes=10), "ask for colour"),
    )
    return session.get_one(Lead, lead_id)


def open_used(session: Session) -> int:
    return session.scalars(select(DealerLoad.open_used)).one()


def test_only_reaching_the_customer_is_contact_and_does_the_planned_call(
    session: Session, accepted: Lead, anna: Actor
) -> None:
    followup.contacted(session, accepted.id, how="phone", result="no_answer", at=FRIDAY, actor=anna)
    assert (accepted.status, accepted.contacted_at) == ("accepted", None)
    followup.contacted(session, accepted.id, how="phone", result="reached", at=LATER, actor=anna)
    assert (accepted.status, accepted.contacted_at) == ("contacted", LATER)
    assert session.scalars(select(PlannedAction.done_at)).one() == LATER


def test_a_sale_ends_the_lead_frees_the_place_and_closes_its_plans(
    session: Session, accepted: Lead, anna: Actor
) -> None:
    assert open_used(session) == 1
    convert.won(
        session,
        accepted.id,
        model="Mira",
        order_number="A-1",
        value=Decimal("25000"),
        at=LATER,
        actor=anna,
    )
    outcome = session.scalars(select(Outcome)).one()
    assert (outcome.kind, outcome.currency, outcome.dealer_id) == (
        "won",
        "PLN",
        accepted.dealer_id,
    )
    assert (accepted.status, accepted.closed_at, open_used(session)) == ("won", LATER, 0)
    assert session.scalars(select(PlannedAction.done_at)).one() == LATER
    with pytest.raises(IllegalStep):
        convert.lost(session, accepted.id, reason="price", at=LATER, actor=anna)


def test_an_outcome_can_be_taken_back_and_the_history_keeps_both(
    session: Session, accepted: Lead, anna: Actor
) -> None:
    convert.lost(session, accepted.id, reason="price", at=LATER, actor=anna)
    convert.reopen(session, accepted.id, at=LATER, actor=anna)
    assert (accepted.status, accepted.closed_at, open_used(session)) == ("accepted", None, 1)
    assert session.scalars(select(Outcome)).all() == []
    kinds = session.scalars(select(Event.kind).order_by(Event.id)).all()
    assert list(kinds)[-2:] == ["lost", "reopened"]


def test_a_lead_that_is_not_accepted_can_not_be_worked_on(
    session: Session, offered_lead: Callable[..., Lead], anna: Actor
) -> None:
    lead_id = offered_lead().id
    with pytest.raises(IllegalStep):
        followup.plan(session, lead_id, kind="visit", due_at=LATER, at=FRIDAY, actor=anna)
    with pytest.raises(IllegalStep):
        convert.won(session, lead_id, at=FRIDAY, actor=anna)


def test_another_dealers_lead_is_not_there(
    session: Session, accepted: Lead, cast: dict[str, User]
) -> None:
    lead_id = accepted.id
    carla = actor_of(session.merge(cast["carla"]))
    act_as(session, carla)
    with pytest.raises(LookupError):
        followup.add_note(session, lead_id, text="mine", at=LATER, actor=carla)
    with pytest.raises(LookupError):
        convert.won(session, lead_id, at=LATER, actor=carla)


def test_a_planned_action_is_done_once(session: Session, accepted: Lead, anna: Actor) -> None:
    plan = session.scalars(select(PlannedAction)).one()
    followup.finish_plan(session, plan.id, at=LATER, actor=anna)
    followup.finish_plan(session, plan.id, at=LATER + timedelta(hours=1), actor=anna)
    assert plan.done_at == LATER
