"""Appointments: booked by anybody from one calendar, never more than a time holds, given back when
the lead goes on, and told to whom they concern."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lmt import appointments, pipeline
from lmt.appointments import NotBookable, Taken
from lmt.db import SessionFactory
from lmt.followup import service as following
from lmt.lifecycle import IllegalStep, Status
from lmt.models import (
    Dealer,
    Event,
    Lead,
    Message,
    PlannedAction,
    SettingChange,
    SlotTerms,
    SlotUse,
    User,
)
from lmt.scope import SYSTEM, act_as, actor_of
from tests.world import FRIDAY, World, somebody

MONDAY_NINE = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
"""9:00 in Warsaw, when both showrooms open."""
HOUR = timedelta(hours=1)


@pytest.fixture
def waw1(session: Session, world: World) -> int:
    """The id of PL-WAW-1, which lets people book test drives, one at a time, and visits."""
    dealer_id = world.dealers["PL-WAW-1"]
    session.add_all(
        SlotTerms(dealer_id=dealer_id, kind=kind, minutes=60, capacity=capacity)
        for kind, capacity in (("test_drive", 1), ("visit", 3))
    )
    session.commit()
    return dealer_id


@pytest.fixture
def lead(offered_lead: Callable[..., Lead], waw1: int) -> Lead:
    lead = offered_lead()
    assert lead.dealer_id == waw1
    return lead


def book(
    session: Session, lead: Lead, starts_at: datetime = MONDAY_NINE, **how: str
) -> PlannedAction:
    wanted = {"kind": "test_drive", "by": "customer"} | how
    return appointments.book(
        session, lead.id, starts_at=starts_at, at=FRIDAY, actor=SYSTEM, **wanted
    )  # fmt: skip


def free_starts(session: Session, dealer_id: int, kind: str = "test_drive") -> list[datetime]:
    return [s.starts_at for s in appointments.bookable(session, dealer_id, kind, FRIDAY, 7)]


def kinds(session: Session, lead: Lead) -> list[str]:
    events = select(Event.kind).where(Event.lead_id == lead.id).order_by(Event.id)
    return list(session.scalars(events))


def mails(session: Session, lead: Lead) -> list[tuple[str, str]]:
    """(kind, recipient) of what was written about appointments."""
    rows = select(Message.kind, Message.recipient).where(
        Message.lead_id == lead.id, Message.kind.contains("appointment")
    )
    return [(row.kind, row.recipient) for row in session.execute(rows.order_by(Message.id))]


def test_a_customer_books_what_is_free(session: Session, lead: Lead, waw1: int) -> None:
    assert MONDAY_NINE in free_starts(session, waw1)
    plan = book(session, lead, note="With a child seat")
    assert (plan.kind, plan.due_at, plan.slot_at) == ("test_drive", MONDAY_NINE, MONDAY_NINE)
    assert (plan.booked_by, plan.dealer_id) == ("customer", waw1)
    assert MONDAY_NINE not in free_starts(session, waw1)
    assert MONDAY_NINE in free_starts(session, waw1, "visit")
    assert kinds(session, lead)[-1] == "booked"
    assert [kind for kind, _to in mails(session, lead)] == [
        "dealer_appointment",
        "customer_appointment",
    ]
    # It is still the dealer's to answer: a booking of the customer's is no work of theirs.
    session.refresh(lead)
    assert lead.status == Status.OFFERED


def test_sent_twice_it_is_one(session: Session, lead: Lead) -> None:
    assert book(session, lead).id == book(session, lead).id
    assert session.scalars(select(SlotUse.used)).all() == [1]
    with pytest.raises(NotBookable):
        book(session, lead, MONDAY_NINE + HOUR)
    # An agent, who knows whom they talk to, may book another.
    assert book(session, lead, MONDAY_NINE + HOUR, by="agent").slot_at == MONDAY_NINE + HOUR


@pytest.mark.parametrize(
    ("starts_at", "kind"),
    [
        (MONDAY_NINE + timedelta(minutes=30), "test_drive"),
        (MONDAY_NINE - timedelta(days=7), "test_drive"),
        (MONDAY_NINE - timedelta(days=1), "test_drive"),
        (MONDAY_NINE + timedelta(days=42), "test_drive"),
        (MONDAY_NINE, "call"),
    ],
    ids=["between two times", "past", "closed", "too far ahead", "not offered"],
)
def test_nothing_else_can_be_booked(
    session: Session, lead: Lead, starts_at: datetime, kind: str
) -> None:
    with pytest.raises(Taken):
        book(session, lead, starts_at, kind=kind)
    assert session.scalars(select(PlannedAction)).all() == []
    assert session.scalars(select(func.sum(SlotUse.used))).one() in {None, 0}


@pytest.mark.parametrize(
    ("status", "by", "may"),
    [
        ("offered", "customer", True),
        ("offered", "dealer", False),
        ("accepted", "dealer", True),
        ("contacted", "agent", True),
        ("lost", "customer", False),
        ("withdrawn", "agent", False),
    ],
)
def test_who_may_book_for_which_lead(
    session: Session, lead: Lead, status: str, by: str, may: bool
) -> None:
    session.execute(update(Lead).where(Lead.id == lead.id).values(status=status))
    session.commit()
    if may:
        assert book(session, lead, by=by).booked_by == by
    else:
        with pytest.raises(NotBookable):
            book(session, lead, by=by)


def test_what_a_dealer_books_is_its_work(
    session: Session, lead: Lead, cast: dict[str, User]
) -> None:
    anna = actor_of(cast["anna"])
    act_as(session, anna)
    pipeline.accept(session, lead.id, at=FRIDAY, actor=anna)
    plan = appointments.book(
        session, lead.id, kind="visit", starts_at=MONDAY_NINE, by="dealer",
        at=FRIDAY + HOUR, actor=anna,
    )  # fmt: skip
    assert plan.owner_id == anna.user_id
    assert session.get_one(Lead, lead.id).touched_at == FRIDAY + HOUR
    act_as(session, SYSTEM)
    assert mails(session, lead) == [("customer_appointment", lead.email)]


def test_never_more_than_a_time_holds(
    sessions: SessionFactory, session: Session, offered_lead: Callable[..., Lead], waw1: int
) -> None:
    session.execute(update(SlotTerms).values(capacity=3))
    session.commit()
    leads = [offered_lead(**somebody()).id for _ in range(10)]
    session.execute(update(Lead).values(dealer_id=waw1, status="accepted"))
    session.commit()

    def attempt(n: int) -> bool:
        with act_as(sessions(), SYSTEM) as own:
            try:
                plan = appointments.book(
                    own, leads[n], kind="test_drive", starts_at=MONDAY_NINE,
                    by=("customer", "agent", "dealer")[n % 3],
                    at=FRIDAY, actor=SYSTEM,
                )  # fmt: skip
                if n % 3 == 0:
                    appointments.rebook(
                        own, plan.id, starts_at=MONDAY_NINE + HOUR, by="customer", at=FRIDAY,
                        actor=SYSTEM,
                    )  # fmt: skip
                if n % 4 == 0:
                    appointments.cancel(own, plan.id, by="customer", at=FRIDAY, actor=SYSTEM)
            except Taken:
                return False
            return True

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(attempt, range(len(leads))))
    held = select(PlannedAction.slot_at, func.count()).group_by(PlannedAction.slot_at)
    counted = dict(iter(session.execute(held.where(PlannedAction.done_at.is_(None)))))
    used = dict(iter(session.execute(select(SlotUse.starts_at, SlotUse.used))))
    assert all(number <= 3 for number in counted.values())
    assert {at: number for at, number in used.items() if number} == counted


def test_moved_to_another_time(session: Session, lead: Lead, waw1: int) -> None:
    plan = book(session, lead)
    later = MONDAY_NINE + 2 * HOUR
    for _ in range(2):
        appointments.rebook(
            session, plan.id, starts_at=later, by="agent", at=FRIDAY + HOUR, actor=SYSTEM
        )
    session.refresh(plan)
    assert (plan.due_at, plan.slot_at, plan.reminded_at) == (later, later, None)
    assert MONDAY_NINE in free_starts(session, waw1)
    assert kinds(session, lead).count("appointment_moved") == 1
    with pytest.raises(Taken):
        appointments.rebook(
            session, plan.id, starts_at=later - HOUR / 2, by="agent", at=FRIDAY, actor=SYSTEM
        )
    session.refresh(plan)
    assert plan.slot_at == later


def test_called_off(session: Session, lead: Lead, waw1: int) -> None:
    plan = book(session, lead)
    for _ in range(2):
        appointments.cancel(
            session, plan.id, by="customer", reason="ill", at=FRIDAY + HOUR, actor=SYSTEM
        )
    session.refresh(plan)
    assert plan.cancelled_at == plan.done_at == FRIDAY + HOUR
    assert MONDAY_NINE in free_starts(session, waw1)
    assert kinds(session, lead).count("appointment_cancelled") == 1
    assert mails(session, lead)[-1][0] == "customer_appointment_cancelled"
    with pytest.raises(IllegalStep):
        appointments.rebook(
            session, plan.id, starts_at=MONDAY_NINE, by="customer", at=FRIDAY, actor=SYSTEM
        )


def test_other_terms_call_nothing_off(session: Session, lead: Lead, waw1: int) -> None:
    plan = book(session, lead)
    session.execute(update(SlotTerms).values(capacity=0, minutes=45))
    session.commit()
    assert free_starts(session, waw1) == []
    appointments.call_off_ended(session, FRIDAY + HOUR)
    session.refresh(plan)
    assert (plan.done_at, plan.slot_at) == (None, MONDAY_NINE)


def test_when_the_lead_moves_on_so_does_its_time(
    session: Session, lead: Lead, offered_lead: Callable[..., Lead], waw1: int
) -> None:
    plan = book(session, lead)
    pipeline.reassign(
        session, lead.id, dealer_code="PL-WAW-2", reason="asked", at=FRIDAY + HOUR, actor=SYSTEM
    )
    # Free at once for whoever comes, before the worker has looked.
    assert MONDAY_NINE in free_starts(session, waw1)
    other = offered_lead(**somebody())
    session.execute(update(Lead).where(Lead.id == other.id).values(dealer_id=waw1))
    session.commit()
    assert book(session, other).slot_at == MONDAY_NINE
    assert appointments.call_off_ended(session, FRIDAY + HOUR) == 1
    assert appointments.call_off_ended(session, FRIDAY + HOUR) == 0
    session.refresh(plan)
    assert (plan.slot_at, plan.cancelled_at) == (None, plan.done_at)
    assert mails(session, lead)[-1] == ("customer_appointment_cancelled", lead.email)
    assert session.scalars(select(SlotUse.used)).all() == [1]


def test_who_withdrew_is_not_told_that_it_is_called_off(session: Session, lead: Lead) -> None:
    book(session, lead)
    pipeline.withdraw(session, lead.id, reason="customer", at=FRIDAY + HOUR, actor=SYSTEM)
    assert appointments.call_off_ended(session, FRIDAY + HOUR) == 1
    assert "customer_appointment_cancelled" not in [kind for kind, _to in mails(session, lead)]
    assert session.scalars(select(SlotUse.used)).all() == [0]


def test_a_plan_that_the_dealer_put_elsewhere_gives_its_time_back(
    session: Session, lead: Lead, waw1: int
) -> None:
    session.execute(update(Lead).where(Lead.id == lead.id).values(status="accepted"))
    session.commit()
    plan = book(session, lead)
    following.move_plan(
        session, plan.id, due_at=MONDAY_NINE + HOUR / 2, at=FRIDAY + HOUR, actor=SYSTEM
    )
    assert appointments.call_off_ended(session, FRIDAY + HOUR) == 1
    session.refresh(plan)
    assert (plan.slot_at, plan.done_at) == (None, None)
    assert MONDAY_NINE in free_starts(session, waw1)
    assert mails(session, lead)[-1][0] == "customer_appointment"


def test_who_rests_comes_back_by_booking(session: Session, lead: Lead) -> None:
    pipeline.accept(session, lead.id, at=FRIDAY, actor=SYSTEM)
    until = FRIDAY + timedelta(days=30)
    pipeline.rest(session, lead.id, until=until, note="", at=FRIDAY, actor=SYSTEM)
    book(session, lead)
    session.refresh(lead)
    assert (lead.status, lead.resting_until) == (Status.ACCEPTED, None)


def test_another_dealers_calendar_is_not_to_be_had(
    session: Session, lead: Lead, cast: dict[str, User], world: World
) -> None:
    plan = book(session, lead)
    carla = actor_of(cast["carla"])
    act_as(session, carla)
    with pytest.raises(LookupError):
        appointments.cancel(session, plan.id, by="dealer", at=FRIDAY, actor=carla)
    assert free_starts(session, world.dealers["PL-WAW-1"]) == []
    assert session.scalars(select(Dealer.code)).all() == ["PL-WAW-2"]


def test_the_manager_says_what_can_be_booked(
    client: FlaskClient, session: Session, world: World, cast: dict[str, User],
    login: Callable[[FlaskClient, User], FlaskClient],
) -> None:  # fmt: skip
    login(client, cast["bert"])
    usual = {"capacity": "0", "minutes": "60", "notice_minutes": "120", "days_ahead": "21"}
    typed = {
        f"{kind}-{name}": figure
        for kind in ("test_drive", "visit", "call")
        for name, figure in usual.items()
    }
    refused = client.post("/desk/bookable", data=typed | {"test_drive-capacity": "999"})
    assert refused.status_code == 422
    assert "from 0 to 100" in refused.text
    assert session.scalars(select(SlotTerms)).all() == []
    for _ in range(2):
        told = client.post("/desk/bookable", data=typed | {"test_drive-capacity": "2"})
        assert told.status_code == 302
    row = session.scalars(select(SlotTerms)).one()
    assert (row.dealer_id, row.kind, row.capacity) == (world.dealers["PL-WAW-1"], "test_drive", 2)
    change = session.scalars(select(SettingChange).where(SettingChange.kind == "slot_terms")).one()
    assert (change.subject, change.user_id) == ("PL-WAW-1/test_drive", cast["bert"].id)
    assert (change.before, change.after) == ({"capacity": 0}, {"capacity": 2})
    other = {"dealer": "PL-WAW-2"}
    assert client.post("/desk/bookable", data=typed | other).status_code == 404


def test_an_agent_books_moves_and_calls_off_from_the_console(
    client: FlaskClient, session: Session, offered_lead: Callable[..., Lead], waw1: int,
    cast: dict[str, User], login: Callable[[FlaskClient, User], FlaskClient],
) -> None:  # fmt: skip
    now = datetime.now(UTC)
    lead = offered_lead(now)
    login(client, cast["hana"])
    here = f"/hq/leads/{lead.id}"
    first, second = [
        slot.starts_at.isoformat()
        for slot in appointments.bookable(session, waw1, "test_drive", now, 14)[:2]
    ]
    session.rollback()
    client.post(f"{here}/book", data={"kind": "test_drive", "starts_at": first, "note": "VIP"})
    plan = session.scalars(select(PlannedAction)).one()
    assert (plan.booked_by, plan.due_at.isoformat()) == ("agent", first)
    assert mails(session, lead)[0][0] == "dealer_appointment"
    client.post(f"{here}/appointments/{plan.id}/move", data={"starts_at": second})
    client.post(f"{here}/appointments/{plan.id}/move", data={"starts_at": "soon"})
    session.refresh(plan)
    assert plan.due_at.isoformat() == second
    wrong = f"/hq/leads/{uuid.uuid4()}/appointments/{plan.id}/cancel"
    assert client.post(wrong).status_code == 404
    client.post(f"{here}/appointments/{plan.id}/cancel")
    session.refresh(plan)
    assert plan.cancelled_at is not None
    client.post(f"{here}/links")
    session.refresh(lead)
    assert lead.links_revoked_at is not None
    assert kinds(session, lead)[-1] == "links_revoked"
