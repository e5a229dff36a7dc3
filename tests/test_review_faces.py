"""What a hostile reader of the three faces found: links, undo, mails, bookings that went wrong."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lmt import appointments, closing, customeracts, feedback, helping, pipeline
from lmt.accounts.service import Scope, create_user
from lmt.config import Settings
from lmt.convert import service as converting
from lmt.db import SessionFactory
from lmt.followup import service as following
from lmt.lifecycle import Status
from lmt.links import lead_of_status_token, opens, seen_token, status_token, was_mailed
from lmt.models import (
    Absence,
    Consent,
    Dealer,
    DealerGroup,
    DealerTerms,
    Event,
    Feedback,
    Lead,
    Message,
    PlannedAction,
    SlotTerms,
    SlotUse,
    Tap,
    User,
    UserScope,
)
from lmt.notify.digests import enqueue_due
from lmt.notify.recipients import managers_of, market_keepers, present
from lmt.notify.taps import ANSWERS, _link, _reader
from lmt.reports.weekfigures import week_figures
from lmt.scope import SYSTEM, act_as, actor_of
from lmt.slotgrid import slot_at
from lmt.taps import service as tapping
from lmt.workhours import Calendar
from tests.two_markets import parsed
from tests.world import FRIDAY, PASSWORD, World, somebody

Login = Callable[[FlaskClient, User], FlaskClient]
MakeLead = Callable[..., Lead]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NINE = FRIDAY + HOUR + 5 * MINUTE
"""9:05 in Warsaw: PL-WAW-1 is open."""
MONDAY = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def morning() -> Iterator[None]:
    with time_machine.travel(NINE, tick=False):
        yield


@pytest.fixture
def waw1(session: Session, world: World) -> int:
    """PL-WAW-1, where one test drive at a time can be booked."""
    dealer_id = world.dealers["PL-WAW-1"]
    session.add(SlotTerms(dealer_id=dealer_id, kind="test_drive", minutes=60, capacity=1))
    session.commit()
    return dealer_id


@pytest.fixture
def worked(session: Session, offered_lead: MakeLead, cast: dict[str, User], waw1: int) -> MakeLead:
    """A lead that Anna has reached."""

    def make(**customer: str) -> Lead:
        lead = offered_lead(**{**somebody(), **customer})
        anna = actor_of(cast["anna"])
        pipeline.accept(session, lead.id, at=FRIDAY, actor=anna)
        following.contacted(session, lead.id, how="phone", result="reached", at=FRIDAY, actor=anna)
        return session.get_one(Lead, lead.id)

    return make


@pytest.fixture
def two_of_one(session: Session, offered_lead: MakeLead) -> tuple[Lead, Lead]:
    """An earlier request and a later one of the same customer; both agreed to something."""
    first, second = offered_lead(**somebody()), offered_lead(**somebody())
    session.execute(
        update(Lead)
        .where(Lead.id == second.id)
        .values(customer_id=first.customer_id, email=first.email, created_at=NINE)
    )
    for lead in (first, second):
        session.add(Consent(lead_id=lead.id, purpose="marketing", given=True, at=FRIDAY))
    session.commit()
    session.expire_all()
    return first, second


def written(session: Session, lead: Lead, kind: str) -> list[Message]:
    act_as(session, SYSTEM)
    session.expire_all()
    rows = select(Message).where(Message.lead_id == lead.id, Message.kind == kind)
    return list(session.scalars(rows.order_by(Message.id)))


# ----------------------------------------------------------------- whose page it is


def earlier_shown(client: FlaskClient, token: str) -> bool:
    page = client.get(f"/r/{token}?lang=en")
    assert page.status_code == 200
    return "Your earlier requests" in page.text


def test_who_types_my_phone_into_a_form_reads_nothing_of_mine(
    session: Session, client: FlaskClient, settings: Settings, two_of_one: tuple[Lead, Lead]
) -> None:
    first, second = two_of_one
    mailed = status_token(settings.secret_key, second.id, NINE)
    seen = seen_token(settings.secret_key, second.id, NINE)
    assert earlier_shown(client, mailed)
    assert not earlier_shown(client, seen)
    # Nor may they take back what I agreed to with another request.
    customeracts.take_consent_back(
        session, second.id, purpose="marketing", everywhere=False, at=NINE
    )
    given = dict(session.execute(select(Consent.lead_id, Consent.withdrawn_at)).all())
    assert given[first.id] is None
    assert given[second.id] is not None
    # With a mail address of their own, the mailed link tells them nothing either.
    session.execute(update(Lead).where(Lead.id == second.id).values(email="eve@example.com"))
    session.commit()
    assert not earlier_shown(client, mailed)
    customeracts.take_consent_back(session, second.id, purpose="marketing", at=NINE)
    assert session.get_one(Consent, min(session.scalars(select(Consent.id)))).withdrawn_at is None


def test_the_link_of_the_form_opens_the_page_ends_and_expires_as_the_mailed_one() -> None:
    secret, lead_id = "s" * 32, uuid.uuid4()
    for make, mailed in ((status_token, True), (seen_token, False)):
        token = make(secret, lead_id, FRIDAY)
        assert lead_of_status_token(secret, token, FRIDAY) == lead_id
        assert lead_of_status_token(secret, token, FRIDAY + 90 * DAY) is None
        assert was_mailed(secret, token) is mailed
        assert opens(secret, token, FRIDAY)
        assert not opens(secret, token, FRIDAY + MINUTE)


def test_the_fresh_link_is_no_thanks_for_a_request(
    session: Session, offered_lead: MakeLead
) -> None:
    lead = offered_lead(**somebody())
    customeracts.end_links(session, lead.id, at=NINE)
    (mail,) = written(session, lead, "customer_link")
    assert mail.recipient == lead.email


# ----------------------------------------------------------------- undo


@pytest.mark.parametrize("how", ["won", "lost"])
def test_an_end_that_is_taken_back_brings_the_plans_back(
    session: Session, worked: MakeLead, cast: dict[str, User], waw1: int, how: str
) -> None:
    lead, anna = worked(), actor_of(cast["anna"])
    other = worked()
    plan = appointments.book(
        session, lead.id, kind="test_drive", starts_at=MONDAY, by="dealer", at=NINE, actor=anna
    )
    before = len(written(session, lead, "customer_appointment_cancelled"))
    if how == "won":
        closing.won(session, lead.id, at=NINE, actor=anna)
    else:
        closing.lost(session, lead.id, reason="price", at=NINE, actor=anna)
    # The worker comes by within the minute: nobody is told yet, and the place is kept.
    appointments.call_off_ended(session, NINE + MINUTE)
    with pytest.raises(appointments.Taken):
        appointments.book(
            session, other.id, kind="test_drive", starts_at=MONDAY, by="customer", at=NINE,
            actor=SYSTEM,
        )  # fmt: skip
    converting.reopen(session, lead.id, at=NINE + 2 * MINUTE, actor=anna)
    session.expire_all()
    plan = session.get_one(PlannedAction, plan.id)
    assert (plan.done_at, plan.slot_at, plan.cancelled_at) == (None, MONDAY, None)
    appointments.call_off_ended(session, NINE + HOUR)
    assert len(written(session, lead, "customer_appointment_cancelled")) == before
    assert session.scalars(select(SlotUse.used)).all() == [1]


def test_a_loss_that_stands_calls_its_booking_off(
    session: Session, worked: MakeLead, cast: dict[str, User], waw1: int
) -> None:
    lead, anna = worked(), actor_of(cast["anna"])
    appointments.book(
        session, lead.id, kind="test_drive", starts_at=MONDAY, by="dealer", at=NINE, actor=anna
    )
    closing.lost(session, lead.id, reason="price", at=NINE, actor=anna)
    appointments.call_off_ended(session, NINE + 11 * MINUTE)
    assert len(written(session, lead, "customer_appointment_cancelled")) == 1
    assert session.scalars(select(SlotUse.used)).all() == [0]
    # Taken back later, what the customer was told is over stays over.
    converting.reopen(session, lead.id, at=NINE + HOUR, actor=anna)
    assert session.scalars(select(PlannedAction.done_at)).all() != [None]


def test_an_end_taken_back_and_made_again_is_told(
    session: Session, worked: MakeLead, cast: dict[str, User]
) -> None:
    lead, anna = worked(), actor_of(cast["anna"])
    closing.won(session, lead.id, at=NINE, actor=anna)
    (first,) = written(session, lead, "customer_closed")
    converting.reopen(session, lead.id, at=NINE + MINUTE, actor=anna)
    first.status = "dropped"
    session.commit()
    closing.won(session, lead.id, at=NINE + DAY, actor=anna)
    assert [m.status for m in written(session, lead, "customer_closed")] == ["dropped", "queued"]
    # Told once, it is not told again.
    converting.reopen(session, lead.id, at=NINE + DAY + HOUR, actor=anna)
    closing.won(session, lead.id, at=NINE + 2 * DAY, actor=anna)
    assert len(written(session, lead, "customer_closed")) == 2


# ----------------------------------------------------------------- appointments


def test_a_call_that_the_dealer_crosses_out_is_no_appointment(
    session: Session, worked: MakeLead, cast: dict[str, User]
) -> None:
    lead, anna = worked(), actor_of(cast["anna"])
    for kind, told in (("call", 0), ("visit", 1)):
        plan = following.plan(session, lead.id, kind=kind, due_at=MONDAY, at=NINE, actor=anna)
        appointments.cancel(session, plan.id, by="dealer", at=NINE, actor=anna)
        assert len(written(session, lead, "customer_appointment_cancelled")) == told


def test_who_did_not_come_may_book_again(session: Session, worked: MakeLead, waw1: int) -> None:
    lead = worked()
    how: dict[str, Any] = {"kind": "test_drive", "by": "customer", "actor": SYSTEM}
    missed = appointments.book(session, lead.id, starts_at=MONDAY, at=NINE, **how)
    later = MONDAY + 3 * HOUR
    with pytest.raises(appointments.NotBookable):
        appointments.book(session, lead.id, starts_at=MONDAY + HOUR, at=NINE, **how)
    session.rollback()
    again = appointments.book(session, lead.id, starts_at=later + 2 * HOUR, at=later, **how)
    assert again.id != missed.id


@pytest.mark.parametrize(
    "typed",
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+00:00"],
)
def test_instants_at_the_ends_of_time_are_no_slots(typed: str) -> None:
    terms = SlotTerms(
        dealer_id=1, kind="visit", minutes=60, capacity=1, notice_minutes=0, days_ahead=120
    )
    always = Calendar("24/7", "Pacific/Auckland", "NZ")
    assert slot_at(always, terms, NINE, datetime.fromisoformat(typed), {}) is None


def test_what_the_customer_booked_first_is_whose_who_takes_the_lead(
    session: Session, offered_lead: MakeLead, cast: dict[str, User], waw1: int
) -> None:
    lead = offered_lead(**somebody())
    plan = appointments.book(
        session, lead.id, kind="test_drive", starts_at=MONDAY, by="customer", at=FRIDAY,
        actor=SYSTEM,
    )  # fmt: skip
    assert plan.owner_id is None
    pipeline.accept(session, lead.id, at=FRIDAY, actor=actor_of(cast["anna"]))
    assert session.get_one(PlannedAction, plan.id).owner_id == cast["anna"].id


def test_nobody_is_asked_about_a_visit_that_ended_with_the_lead(
    session: Session, worked: MakeLead, cast: dict[str, User]
) -> None:
    lead, anna = worked(), actor_of(cast["anna"])
    following.plan(session, lead.id, kind="visit", due_at=NINE + 5 * HOUR, at=NINE, actor=anna)
    closing.lost(session, lead.id, reason="price", at=NINE + HOUR, actor=anna)
    feedback.ask_due(session, NINE + 2 * HOUR)
    assert written(session, lead, "customer_feedback") == []
    assert session.get(Feedback, lead.id) is None


# ----------------------------------------------------------------- who reads what


@pytest.fixture
def elsewhere(session: Session, world: World) -> DealerGroup:
    """A group that PL-WAW-2 belongs to, and PL-WAW-1 does not."""
    group = DealerGroup(code="wola", name="Wola")
    session.add(group)
    session.flush()
    of_wola = Dealer.id == world.dealers["PL-WAW-2"]
    session.execute(update(Dealer).where(of_wola).values(group_id=group.id))
    session.commit()
    return group


def test_a_deputy_of_another_group_reads_nothing_of_the_lead(
    session: Session, worked: MakeLead, cast: dict[str, User], elsewhere: DealerGroup
) -> None:
    lead, anna = worked(), cast["anna"]
    deputy = create_user(
        session, "gita@lmt.example", "Gita", PASSWORD, roles=["agent"],
        scopes=[Scope(dealer_id=lead.dealer_id)], language="en", timezone="Europe/Warsaw",
    )  # fmt: skip
    session.add(
        Absence(user_id=anna.id, deputy_id=deputy.id, starts_at=FRIDAY, ends_at=FRIDAY + DAY)
    )
    session.commit()
    assert [each.email for each in present(session, [anna], lead, NINE)] == ["gita@lmt.example"]
    session.execute(
        update(UserScope)
        .where(UserScope.user_id == deputy.id)
        .values(dealer_id=None, group_id=elsewhere.id)
    )
    session.commit()
    session.expire_all()
    assert present(session, [anna], lead, NINE) == []


def test_a_groups_manager_hears_of_its_dealers_and_is_no_central_staff(
    session: Session, world: World, cast: dict[str, User], elsewhere: DealerGroup
) -> None:
    session.execute(
        update(UserScope)
        .where(UserScope.user_id == cast["bert"].id)
        .values(dealer_id=None, group_id=elsewhere.id)
    )
    session.execute(
        update(UserScope)
        .where(UserScope.user_id == cast["hana"].id)
        .values(market_id=None, group_id=elsewhere.id)
    )
    session.commit()
    assert cast["bert"] in managers_of(session, world.dealers["PL-WAW-2"], None)
    assert cast["bert"] not in managers_of(session, world.dealers["PL-WAW-1"], None)
    assert cast["hana"] not in market_keepers(session, world.markets["PL"])


def test_a_question_goes_to_those_who_can_open_it(
    session: Session, offered_lead: MakeLead, cast: dict[str, User]
) -> None:
    lead = offered_lead(**somebody())
    helping.ask(session, lead.id, text="A discount?", at=NINE, actor=actor_of(cast["anna"]))
    told = {m.recipient for m in written(session, lead, "help_asked")}
    people = session.scalars(select(User).where(User.email.in_(told))).unique().all()
    assert people
    assert all(person.may("help.answer") for person in people)


def test_an_experts_absence_leaves_no_question_unread(
    session: Session, offered_lead: MakeLead, cast: dict[str, User]
) -> None:
    lead = offered_lead(**somebody())
    expert = create_user(
        session, "edda@lmt.example", "Edda", PASSWORD, roles=["expert"], scopes=[Scope()],
        language="en", timezone="Europe/Warsaw",
    )  # fmt: skip
    session.add(
        Absence(
            user_id=expert.id,
            deputy_id=cast["carla"].id,
            starts_at=FRIDAY,
            ends_at=FRIDAY + 9 * DAY,
        )
    )
    session.commit()
    helping.ask(
        session, lead.id, text="A discount?", expert_id=expert.id, at=NINE,
        actor=actor_of(cast["anna"]),
    )  # fmt: skip
    told = [m.recipient for m in written(session, lead, "help_asked")]
    assert told
    assert "carla@lmt.example" not in told


def test_a_week_without_a_lead_left_open_is_told_as_well(
    session: Session, worked: MakeLead, cast: dict[str, User]
) -> None:
    lead = worked()
    closing.won(session, lead.id, at=NINE, actor=actor_of(cast["anna"]))
    act_as(session, SYSTEM)
    enqueue_due(session, MONDAY, week_figures)
    kinds = session.execute(
        select(Message.kind, Message.recipient).where(Message.lead_id.is_(None))
    )
    assert kinds.all() == [("manager_weekly", "bert@lmt.example")]


# ----------------------------------------------------------------- links of mails


def offer_mail(session: Session, lead: Lead) -> Message:
    return written(session, lead, "dealer_new_lead")[0]


def test_a_mailbox_that_is_somebodys_address_keeps_its_links(
    session: Session, offered_lead: MakeLead, cast: dict[str, User], waw1: int
) -> None:
    mail = offer_mail(session, offered_lead(**somebody()))
    mail.recipient = cast["carla"].email
    session.execute(
        update(DealerTerms).where(DealerTerms.dealer_id == waw1).values(email=cast["carla"].email)
    )
    session.commit()
    assert _reader(session, mail, NINE) is None
    mail.recipient = cast["anna"].email
    assert _reader(session, mail, NINE) == cast["anna"].id


def test_who_left_before_the_mail_was_sent_acts_no_more(
    session: Session, offered_lead: MakeLead, cast: dict[str, User], settings: Settings
) -> None:
    lead = offered_lead(**somebody())
    mail = offer_mail(session, lead)
    mail.recipient = cast["anna"].email
    cast["anna"].active = False
    session.commit()
    offer_id = uuid.UUID(mail.context["offer_id"])
    link = _link(session, mail, settings, ANSWERS[0], NINE, lead.id, offer_id=offer_id)
    session.commit()
    state = tapping.use(session, link.rpartition("/")[2], at=FRIDAY + MINUTE)
    assert state == tapping.State.EXPIRED
    assert session.scalars(select(func.count()).where(Tap.used_at.is_not(None))).one() == 0


def test_accept_and_decline_pressed_at_once_do_one_of_them(
    session: Session, sessions: SessionFactory, offered_lead: MakeLead, settings: Settings
) -> None:
    lead = offered_lead(**somebody())
    mail = offer_mail(session, lead)
    offer_id = uuid.UUID(mail.context["offer_id"])
    links = [
        _link(session, mail, settings, purpose, FRIDAY, lead.id, offer_id=offer_id)
        for purpose in ANSWERS
    ]
    session.commit()

    def press(link: str) -> object:
        with act_as(sessions(), SYSTEM) as mine:
            how: dict[str, Any] = {"reason": "capacity"} if link == links[1] else {}
            return tapping.use(mine, link.rpartition("/")[2], at=FRIDAY + MINUTE, **how)

    with ThreadPoolExecutor(6) as pool:
        states = list(pool.map(press, links * 3))
    assert states.count(tapping.State.READY) == 1
    act_as(session, SYSTEM)
    kinds = ("accepted", "offer_declined")
    done = select(Event.kind).where(Event.lead_id == lead.id, Event.kind.in_(kinds))
    assert len(session.scalars(done).all()) == 1
    assert session.scalars(select(func.count()).where(Tap.used_at.is_not(None))).one() == 1


# ----------------------------------------------------------------- the desk


@pytest.fixture
def anna(client: FlaskClient, cast: dict[str, User], login: Login) -> FlaskClient:
    return login(client, cast["anna"])


def test_pressed_twice_accepts_once_and_blames_nobody(
    session: Session, anna: FlaskClient, offered_lead: MakeLead
) -> None:
    lead = offered_lead(**somebody())
    for _ in range(2):
        page = anna.post(
            f"/desk/leads/{lead.id}/accept", data={"quick": "now"}, follow_redirects=True
        )
        assert page.status_code == 200
        assert "A colleague has answered" not in page.text
    assert session.scalars(select(func.count()).select_from(PlannedAction)).one() == 1


def test_several_lost_at_once_are_told_their_customers(
    session: Session, anna: FlaskClient, worked: MakeLead, sent_lead: MakeLead
) -> None:
    lead, foreign = worked(), sent_lead(**somebody())
    answer = anna.post(
        "/desk/bulk",
        data={"act": "lost", "reason": "price", "lead": [str(lead.id), str(foreign.id), "x"]},
    )
    assert answer.status_code == 302
    session.expire_all()
    assert session.get_one(Lead, lead.id).status == Status.LOST
    assert session.get_one(Lead, foreign.id).status == Status.RECEIVED
    assert len(written(session, lead, "customer_closed")) == 1


def test_a_customer_who_waits_can_be_written_to(
    session: Session, anna: FlaskClient, worked: MakeLead
) -> None:
    lead = worked()
    session.execute(
        update(Lead)
        .where(Lead.id == lead.id)
        .values(status=Status.RESTING, resting_until=NINE + 30 * DAY)
    )
    session.commit()
    page = parsed(anna.get(f"/desk/leads/{lead.id}").text)
    assert page.xpath(f"//form[contains(@action, '/leads/{lead.id}/reply')]")


@pytest.mark.parametrize(
    "path",
    [
        "/desk/plans/99999999999999999999/done",
        "/desk/plans/99999999999/cancel",
        "/desk/plans/99999999999/move",
        "/desk/views/99999999999/delete",
    ],
)
def test_numbers_beyond_any_row_are_found_nowhere(anna: FlaskClient, path: str) -> None:
    assert anna.post(path).status_code == 404


def test_nonsense_in_the_address_of_the_list_is_no_error(anna: FlaskClient) -> None:
    for sort in ("urgency", "newest", "oldest", "name", "distance", "x" * 9000):
        for after in ("~", "x~nan", "nan", f"{'0' * 32}~nan", f"{'0' * 32}~inf", f"{'0' * 32}~é"):
            for tab in ("all", "passed", "closed"):
                asked = {"tab": tab, "sort": sort, "after": after, "q": "\u202e%_'\\" * 900}
                assert anna.get("/desk/", query_string=asked).status_code == 200


def test_an_expert_lands_where_the_questions_are(
    session: Session, app: Flask, login: Login
) -> None:
    expert = create_user(
        session, "edda@lmt.example", "Edda", PASSWORD, roles=["expert"], scopes=[Scope()],
        language="en", timezone="UTC",
    )  # fmt: skip
    session.commit()
    home = login(app.test_client(), expert).get("/")
    assert home.headers["Location"].endswith("/hq/questions")
