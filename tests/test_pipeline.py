"""The road of a lead: offered, chased, declined, queued; each step once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt.db import SessionFactory
from lmt.models import DealerLoad, Event, Lead, Message, Offer, User
from lmt.placing import LOOK_AGAIN
from lmt.qualify.classify import Qualification
from lmt.scope import actor_of
from lmt.worker import advance_leads
from tests.offers import let_pass, open_offer, told
from tests.world import FRIDAY, World, send


def kinds(session: Session, lead: Lead) -> list[str]:
    return list(
        session.scalars(select(Event.kind).where(Event.lead_id == lead.id).order_by(Event.id))
    )


def test_a_lead_is_offered_to_the_nearest_dealer_with_both_mails(
    session: Session, offered_lead: Callable[..., Lead], world: World
) -> None:
    lead = offered_lead()
    assert (lead.status, lead.dealer_id) == ("offered", world.dealers["PL-WAW-1"])
    assert (lead.request_type, lead.band) == ("test_drive", "hot")
    # Warsaw opens at nine; thirty working minutes from there, and a reminder after twenty.
    assert open_offer(session, lead).expires_at == datetime(2026, 3, 6, 8, 30, tzinfo=UTC)
    assert lead.promise_at == datetime(2026, 3, 6, 8, 30, tzinfo=UTC)
    assert lead.next_action_at == datetime(2026, 3, 6, 8, 20, tzinfo=UTC)
    mails = session.scalars(select(Message.kind).where(Message.lead_id == lead.id))
    assert sorted(mails) == ["customer_received", "dealer_new_lead"]
    assert kinds(session, lead) == ["received", "qualified", "located", "offered"]


def test_an_offer_nobody_takes_goes_to_the_next_dealer_then_to_the_team(
    sessions: SessionFactory,
    session: Session,
    offered_lead: Callable[..., Lead],
    world: World,
) -> None:
    lead = offered_lead()
    holders = [lead.dealer_id]
    for _ in range(2):
        let_pass(sessions, session, lead)
        holders.append(lead.dealer_id)
    expected = [world.dealers[code] for code in ("PL-WAW-1", "PL-WAW-2", "PL-CARE")]
    assert holders == expected
    open_used = session.scalars(select(DealerLoad.open_used).order_by(DealerLoad.dealer_id)).all()
    assert list(open_used) == [0, 0, 1]
    day_used = session.scalars(select(DealerLoad.day_used)).all()
    assert list(day_used) == [1, 1, 1]


def test_after_the_last_dealer_the_lead_waits_in_a_queue_and_is_looked_at_again(
    sessions: SessionFactory, session: Session, offered_lead: Callable[..., Lead]
) -> None:
    lead = offered_lead()
    for _ in range(3):
        at = let_pass(sessions, session, lead)
    assert (lead.status, lead.cause) == ("unrouted", "all_tried")
    assert lead.next_action_at == at + LOOK_AGAIN
    alerts = session.scalars(select(Message).where(Message.audience == "headquarters")).all()
    assert [alert.recipient for alert in alerts] == ["hana@lmt.example", "cem@lmt.example"]


def test_the_dealer_accepts_in_time_but_not_after_the_deadline(
    session: Session, offered_lead: Callable[..., Lead], cast: dict[str, User]
) -> None:
    anna = actor_of(cast["anna"])
    lead = offered_lead()
    late = offered_lead(phone="+48 512 345 679", email="ewa@example.com")
    until = told(session, late).expires_at
    pipeline.accept(session, lead.id, at=FRIDAY + timedelta(minutes=5), actor=anna)
    assert (lead.status, lead.owner_id) == ("accepted", anna.user_id)
    with pytest.raises(pipeline.TooLate):
        pipeline.accept(session, late.id, at=until, actor=anna)


def test_declining_passes_the_lead_on_at_once_and_frees_the_dealer(
    session: Session, offered_lead: Callable[..., Lead], cast: dict[str, User], world: World
) -> None:
    lead = offered_lead()
    anna = actor_of(cast["anna"])
    pipeline.decline(session, lead.id, reason="no_capacity", at=FRIDAY, actor=anna)
    states = session.execute(
        select(Offer.state, Offer.dealer_id).where(Offer.lead_id == lead.id).order_by(Offer.id)
    ).all()
    assert [tuple(row) for row in states] == [
        ("declined", world.dealers["PL-WAW-1"]),
        ("open", world.dealers["PL-WAW-2"]),
    ]


def test_a_lead_without_any_way_to_reach_the_person_is_queued_never_offered(
    sessions: SessionFactory, session: Session
) -> None:
    lead = send(session, "adf-pl", {"customer": {"full_name": "Jan"}}, FRIDAY)
    advance_leads(sessions, FRIDAY)
    session.refresh(lead)
    assert (lead.status, lead.cause) == ("incomplete", "no_contact")
    assert session.scalars(select(func.count()).select_from(Offer)).one() == 0


def test_an_unclear_place_waits_with_its_guesses(
    sessions: SessionFactory, session: Session
) -> None:
    lead = send(
        session,
        "api-pl",
        {"customer": {"phone": "+48512345678"}, "address": {"city": "Nowhere", "country": "PL"}},
        FRIDAY,
    )
    advance_leads(sessions, FRIDAY)
    session.refresh(lead)
    assert (lead.status, lead.cause) == ("unlocated", "unlocated")


def test_a_test_lead_shows_its_decision_and_touches_no_dealer(
    sessions: SessionFactory, session: Session
) -> None:
    data = {
        "customer": {"phone": "+48512345678", "email": "x@example.com"},
        "address": {"city": "Warszawa", "country": "PL"},
        "test": True,
    }
    lead = send(session, "api-pl", data, FRIDAY)
    advance_leads(sessions, FRIDAY)
    session.refresh(lead)
    assert (lead.status, lead.cause) == ("withdrawn", "test")
    assert session.scalars(select(func.count()).select_from(Message)).one() == 0
    assert list(session.scalars(select(DealerLoad.open_used))) == [0]


def test_a_step_that_fails_is_put_off_and_blocks_nobody(
    sessions: SessionFactory,
    session: Session,
    sent_lead: Callable[..., Lead],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bad = sent_lead()
    good = sent_lead(phone="+48 512 345 679", email="ewa@example.com")
    real = pipeline.qualify_lead

    def failing(session: Session, lead: Lead) -> Qualification:
        if lead.id == bad.id:
            raise RuntimeError("a rule that breaks")
        return real(session, lead)

    monkeypatch.setattr(pipeline, "qualify_lead", failing)
    advance_leads(sessions, FRIDAY)
    session.refresh(bad)
    session.refresh(good)
    assert good.status == "offered"
    assert (bad.status, bad.postponed) == ("received", 1)
    assert bad.next_action_at is not None
    assert bad.next_action_at > FRIDAY
    monkeypatch.undo()
    advance_leads(sessions, bad.next_action_at)
    session.refresh(bad)
    assert bad.status == "offered"


def test_by_hand_the_lead_goes_where_headquarters_says(
    session: Session, offered_lead: Callable[..., Lead], cast: dict[str, User], world: World
) -> None:
    lead = offered_lead()
    hana = actor_of(cast["hana"])
    pipeline.reassign(
        session, lead.id, dealer_code="PL-WAW-2", reason="asked", at=FRIDAY, actor=hana
    )
    session.refresh(lead)
    assert (lead.status, lead.dealer_id) == ("offered", world.dealers["PL-WAW-2"])
    with pytest.raises(LookupError):
        pipeline.reassign(
            session, lead.id, dealer_code="SA-RUH-1", reason="x", at=FRIDAY, actor=hana
        )
