"""Reminders and escalations reach whoever can act, at work, and never somebody who is off duty."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar as IcalCalendar
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.lifecycle import Status
from lmt.models import (
    Absence,
    Closure,
    DealerTerms,
    Lead,
    Market,
    Message,
    Offer,
    PlannedAction,
    Role,
    RoutingDecision,
    User,
    UserScope,
)
from lmt.models.validity import since
from lmt.notify import outbox, service
from lmt.notify.opening import next_morning
from lmt.notify.recipients import standing_in
from lmt.scope import SYSTEM, act_as
from lmt.workhours import Calendar
from tests.post import Post, post_office, words
from tests.world import World, send

RIYADH = ZoneInfo("Asia/Riyadh")
MAILBOX = "sa-ruh-1@dealers.example"
_PEOPLE = {"sara": "agent", "dina": "agent", "majid": "manager", "huda": "headquarters"}
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def riyadh(text: str) -> datetime:
    """`03-05 10:00` of 2026 on Riyadh's wall; 5 March is a Thursday."""
    return (
        datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=RIYADH).astimezone(UTC)
    )


THURSDAY = riyadh("03-05 10:00")


@dataclass
class House:
    """A dealer in Riyadh with its people, headquarters of the Gulf, and a lead that waits.

    The dealer works Sunday to Thursday with a break, headquarters Sunday to Thursday from eight.
    """

    session: Session
    sessions: SessionFactory
    settings: Settings
    post: Post
    lead: Lead
    offer: Offer
    terms: DealerTerms
    people: dict[str, User]

    def away(self, name: str, deputy: str = "", days: int = 60) -> None:
        self.session.add(
            Absence(
                user_id=self.people[name].id,
                starts_at=THURSDAY - DAY,
                ends_at=THURSDAY + days * DAY,
                deputy_id=self.people[deputy].id if deputy else None,
            )
        )
        self.session.commit()

    def set(self, status: Status, **values: Any) -> None:
        self.session.execute(
            update(Lead).where(Lead.id == self.lead.id).values(status=status, **values)
        )
        state = "open" if status == Status.OFFERED else "accepted"
        self.session.execute(update(Offer).where(Offer.id == self.offer.id).values(state=state))
        self.session.commit()
        self.session.expire_all()

    def another_lead(self, at: datetime = THURSDAY) -> Lead:
        """One more of the same dealer's, accepted."""
        number = self.session.scalars(select(func.count(Lead.id))).one()
        person = {"full_name": "Another", "phone": f"+96650{number:07d}"}
        given = {"customer": person, "address": {"country": "SA"}}
        lead = send(self.session, "api-gulf", given, at)
        lead.dealer_id = self.terms.dealer_id
        lead.status, lead.next_action_at = Status.ACCEPTED, None
        self.session.commit()
        return lead

    def remind(self, at: datetime, minutes: int = 20) -> None:
        service.remind_dealer(self.session, self.lead, self.offer, self.terms, minutes, at)
        self.session.commit()

    def manager(self, at: datetime, state: str = "offered", minutes: int = 40) -> None:
        service.notify_manager(self.session, self.lead, state, minutes, at)
        self.session.commit()

    def headquarters(self, at: datetime, lead: Lead | None = None, state: str = "accepted") -> None:
        service.notify_headquarters(self.session, lead or self.lead, state, 60, at)
        self.session.commit()

    def sent(self, at: datetime) -> list[str]:
        """Who is written to at `at`."""
        before = len(self.post.received)
        outbox.send_due(self.sessions, self.settings, at)
        return sorted(recipient for recipient, _mail in self.post.received[before:])

    def expect(self, name: str, at: datetime) -> str:
        """The one mail that waits for this person: nothing before its time, then that."""
        address = MAILBOX if name == "mailbox" else self.people[name].email
        due_at = self.session.scalars(
            select(Message.next_attempt_at).where(
                Message.status == "queued", Message.recipient == address
            )
        ).one()
        assert timedelta(0) <= due_at - at < MINUTE, due_at.astimezone(RIYADH)
        assert address not in self.sent(at - MINUTE)
        assert address in self.sent(due_at)
        return words(self.post.to(address)[-1])


@pytest.fixture(scope="module")
def office() -> Iterator[Post]:
    with post_office() as post:
        yield post


@pytest.fixture
def house(
    session: Session, sessions: SessionFactory, settings: Settings, world: World, office: Post
) -> House:
    gulf = session.get_one(Market, world.markets["GULF"])
    gulf.desk_hours, gulf.desk_country = "Su-Th 08:00-16:00; PH off", "SA"
    dealer_id = world.dealers["SA-RUH-1"]
    roles = {role.name: role for role in session.scalars(select(Role))}
    people = {}
    for name, role in _PEOPLE.items():
        scope = {"market_id": gulf.id} if role == "headquarters" else {"dealer_id": dealer_id}
        people[name] = User(
            email=f"{name}@lmt.example",
            name=name.title(),
            fs_uniquifier=name,
            language="en",
            timezone="Asia/Riyadh",
            roles=[roles[role]],
            scopes=[UserScope(**scope)],
        )
    session.add_all(people.values())
    people |= {name: session.get_one(User, world.users[name]) for name in ("anna", "omar")}
    person = {"full_name": "Layla Haddad", "phone": "+966501234567", "language": "ar"}
    lead = send(session, "api-gulf", {"customer": person, "address": {"country": "SA"}}, THURSDAY)
    lead.status, lead.dealer_id, lead.next_action_at = Status.OFFERED, dealer_id, None
    offer = Offer(
        lead_id=lead.id,
        dealer_id=dealer_id,
        offered_at=THURSDAY,
        clock_at=THURSDAY,
        expires_at=THURSDAY + 300 * DAY,
    )
    session.add(offer)
    terms = session.scalars(select(DealerTerms).where(DealerTerms.dealer_id == dealer_id)).one()
    terms.hours, terms.language = "Su-Th 09:00-12:00,16:00-21:00; PH off", "en"
    session.commit()
    office.received.clear()
    by_smtp = replace(settings, smtp_url=office.url)
    return House(session, sessions, by_smtp, office, lead, offer, terms, people)


# Who, and when

HOURS = [
    # called, dealer's people read it, headquarters reads it
    pytest.param("03-05 10:00", "03-05 10:00", "03-05 10:00", id="thursday morning"),
    pytest.param("03-05 12:00", "03-05 16:00", "03-05 12:00", id="the break begins"),
    pytest.param("03-05 15:59", "03-05 16:00", "03-05 15:59", id="the break ends"),
    pytest.param("03-05 20:59", "03-05 20:59", "03-08 08:00", id="thursday evening"),
    pytest.param("03-05 21:00", "03-08 09:00", "03-08 08:00", id="thursday night"),
    pytest.param("03-06 10:00", "03-08 09:00", "03-08 08:00", id="friday"),
    pytest.param("03-09 02:00", "03-09 09:00", "03-09 08:00", id="monday night"),
    pytest.param("09-23 10:00", "09-24 09:00", "09-24 08:00", id="a public holiday"),
]


@pytest.mark.parametrize(("called", "dealer", "desk"), HOURS)
def test_everybody_hears_of_it_at_work(house: House, called: str, dealer: str, desk: str) -> None:
    house.remind(riyadh(called))
    house.manager(riyadh(called))
    house.headquarters(riyadh(called), state="offered")
    read: dict[str, datetime] = {}
    for at in sorted({riyadh(dealer), riyadh(desk)}):
        assert house.sent(at - MINUTE) == []
        read |= dict.fromkeys(house.sent(at), at)
    majid, huda = house.people["majid"].email, house.people["huda"].email
    assert read == {MAILBOX: riyadh(dealer), majid: riyadh(dealer), huda: riyadh(desk)}
    assert len(house.post.received) == 3
    assert "Nobody has taken it yet." in words(house.post.to(MAILBOX)[0])
    to_manager, to_desk = words(house.post.to(majid)[0]), words(house.post.to(huda)[0])
    assert "40 minutes" in to_manager
    assert "Layla" not in to_manager + to_desk
    assert "1 lead waits at its dealer" in to_desk
    assert house.lead.reference in to_desk


@pytest.mark.parametrize(
    ("owner", "away", "reader"),
    [
        ("", [], "mailbox"),
        ("sara", [], "sara"),
        ("sara", [("sara", "dina")], "dina"),
        ("sara", [("sara", "dina"), ("dina", "majid")], "majid"),
        ("sara", [("sara", "dina"), ("dina", "majid"), ("majid", "huda")], "mailbox"),
        ("sara", [("sara", "dina"), ("dina", "sara")], "mailbox"),
        ("sara", [("sara", "")], "mailbox"),
        # Who may not see the lead is no deputy for it.
        ("sara", [("sara", "anna")], "mailbox"),
        ("sara", [("sara", "huda")], "huda"),
    ],
)
def test_whoever_has_the_lead_is_reminded_or_stood_in_for(
    house: House, owner: str, away: list[tuple[str, str]], reader: str
) -> None:
    for name, deputy in away:
        house.away(name, deputy)
    house.set(Status.ACCEPTED, owner_id=house.people[owner].id if owner else None)
    house.remind(THURSDAY)
    text = house.expect(reader, THURSDAY)
    assert "has not been contacted yet" in text
    assert ("in place of Sara" in text) is (reader not in {"mailbox", "sara"})


def test_whoever_is_away_only_at_the_opening_is_stood_in_for_then(house: House) -> None:
    house.session.add(
        Absence(
            user_id=house.people["sara"].id,
            starts_at=riyadh("03-08 00:00"),
            ends_at=riyadh("03-09 00:00"),
            deputy_id=house.people["dina"].id,
        )
    )
    house.set(Status.ACCEPTED, owner_id=house.people["sara"].id)
    house.remind(riyadh("03-06 10:00"))
    house.expect("dina", riyadh("03-08 09:00"))


def test_an_account_that_was_closed_reads_nothing(house: House) -> None:
    house.people["sara"].active = False
    house.set(Status.ACCEPTED, owner_id=house.people["sara"].id)
    assert standing_in(house.session, house.people["sara"], THURSDAY) is None
    house.remind(THURSDAY)
    house.expect("mailbox", THURSDAY)


@pytest.mark.parametrize(
    ("away", "reader"),
    [
        ([("majid", "sara")], "sara"),
        ([("majid", "")], "huda"),
        ([("majid", ""), ("huda", "omar")], "omar"),
        # A queue is never without a reader.
        ([("majid", ""), ("huda", "")], "huda"),
    ],
)
def test_where_no_manager_is_on_duty_headquarters_hears_of_it(
    house: House, away: list[tuple[str, str]], reader: str
) -> None:
    for name, deputy in away:
        house.away(name, deputy)
    house.manager(THURSDAY)
    house.expect(reader, THURSDAY)


def test_a_dealer_on_closure_is_left_alone_until_it_is_back(house: House) -> None:
    first, last = riyadh("03-08 12:00").date(), riyadh("03-10 12:00").date()
    house.session.add(
        Closure(dealer_id=house.terms.dealer_id, starts_on=first, ends_on=last, valid=since(None))
    )
    house.session.commit()
    house.remind(riyadh("03-06 10:00"))
    house.expect("mailbox", riyadh("03-11 09:00"))


def test_a_mail_that_was_held_up_past_closing_waits_for_the_opening(house: House) -> None:
    house.remind(riyadh("03-05 20:55"))
    assert house.sent(riyadh("03-05 21:10")) == []
    assert house.session.scalars(select(Message.attempts)).one() == 0
    house.expect("mailbox", riyadh("03-08 09:00"))


# Once, and only while it is true


@pytest.mark.parametrize(
    "overtake",
    [
        lambda house: house.set(Status.ACCEPTED),
        lambda house: house.set(Status.WITHDRAWN),
        lambda house: house.set(Status.OFFERED, dealer_id=house.terms.dealer_id + 1),
    ],
    ids=["accepted", "withdrawn", "with another dealer"],
)
def test_what_the_night_has_overtaken_is_dropped(
    house: House, overtake: Callable[[House], None]
) -> None:
    night, morning = riyadh("03-05 22:00"), riyadh("03-08 09:00")
    house.remind(night)
    house.manager(night)
    house.headquarters(night, state="offered")
    overtake(house)
    assert house.sent(morning) == []
    assert set(house.session.scalars(select(Message.status))) == {"dropped"}


def test_a_holder_who_did_something_is_not_reminded_of_what_was_before(house: House) -> None:
    house.set(Status.ACCEPTED, touched_at=THURSDAY)
    night, morning = riyadh("03-05 22:00"), riyadh("03-08 09:00")
    house.remind(night, 60)
    house.set(Status.ACCEPTED, touched_at=morning - MINUTE)
    assert house.sent(morning) == []
    # Since then it waits anew, and the same step may come again.
    house.remind(morning + HOUR, 60)
    assert house.sent(morning + HOUR) == [MAILBOX]


def test_a_step_tells_each_reader_once(house: House) -> None:
    for _ in range(2):
        house.remind(THURSDAY, 20)
        house.manager(THURSDAY, minutes=40)
    house.remind(THURSDAY, 30)
    assert house.sent(THURSDAY) == [house.people["majid"].email, MAILBOX, MAILBOX]


def test_a_test_lead_alarms_nobody(house: House) -> None:
    house.set(Status.OFFERED, test=True)
    house.remind(THURSDAY)
    house.manager(THURSDAY)
    house.headquarters(THURSDAY)
    assert house.session.scalars(select(Message)).all() == []


# Headquarters


def test_headquarters_gets_one_mail_an_hour_that_lists_what_waits(house: House) -> None:
    house.set(Status.ACCEPTED)
    second, third, fourth = (house.another_lead() for _ in range(3))
    night = riyadh("03-05 22:00")
    for lead in (house.lead, second, third, second):
        house.headquarters(night, lead)
    third.status = Status.CONTACTED
    house.session.commit()
    text = house.expect("huda", riyadh("03-08 08:00"))
    assert "2 leads wait at their dealers" in text
    assert (house.lead.reference in text, second.reference in text) == (True, True)
    assert third.reference not in text
    house.headquarters(riyadh("03-08 08:05"), second)  # told of it already
    house.headquarters(riyadh("03-08 08:10"), fourth)
    assert "1 lead waits at its dealer" in house.expect("huda", riyadh("03-08 09:00"))


def test_two_workers_at_once_fill_the_same_mail(house: House) -> None:
    house.set(Status.ACCEPTED)
    second = house.another_lead()

    def tell(lead_id: uuid.UUID) -> None:
        with act_as(house.sessions(), SYSTEM) as session:
            lead = session.scalars(select(Lead).where(Lead.id == lead_id)).one()
            service.notify_headquarters(session, lead, "accepted", 60, THURSDAY)
            session.commit()

    with ThreadPoolExecutor(1) as pool:
        service.notify_headquarters(house.session, house.lead, "accepted", 60, THURSDAY)
        other = pool.submit(tell, second.id)
        house.session.commit()
        other.result(20)
    assert "2 leads wait at their dealers" in house.expect("huda", THURSDAY)


@pytest.mark.parametrize(
    ("hours", "called", "read"),
    [
        ("Su-Th 08:00-16:00", "03-08 03:00", "03-08 08:00"),
        ("Su-Th 08:00-16:00", "03-08 08:00", "03-08 08:00"),
        ("Su-Th 08:00-16:00", "03-08 08:01", "03-09 08:00"),
        ("Su-Th 08:00-16:00", "03-05 14:00", "03-08 08:00"),
        ("24/7", "03-05 14:00", "03-06 07:00"),
        ("Mo-Su 14:00-22:00", "03-05 15:00", "03-06 14:00"),
        ("off", "03-05 14:00", "03-05 14:00"),
    ],
)
def test_a_working_morning_is_the_first_opening_of_a_day(
    hours: str, called: str, read: str
) -> None:
    assert next_morning(Calendar(hours, "Asia/Riyadh", "SA"), riyadh(called)) == riyadh(read)


def test_a_queue_is_told_of_once_a_morning(house: House) -> None:
    house.set(Status.UNLOCATED, dealer_id=None, cause="unlocated")
    market_id = house.lead.market_id
    for called in ("03-05 14:00", "03-05 15:00", "03-06 10:00", "03-08 08:00"):
        service.remind_queue(house.session, market_id, Status.UNLOCATED, riyadh(called))
        house.session.commit()
    text = house.expect("huda", riyadh("03-08 08:00"))
    assert "1 lead waits: Place unclear" in text
    service.remind_queue(house.session, market_id, Status.UNLOCATED, riyadh("03-08 12:00"))
    house.set(Status.WITHDRAWN, dealer_id=None)
    assert house.sent(riyadh("03-09 08:00")) == []


# Plans, and leads that come


def plan_of(house: House, due_at: datetime) -> PlannedAction:
    plan = PlannedAction(
        lead_id=house.lead.id,
        dealer_id=house.terms.dealer_id,
        owner_id=house.people["sara"].id,
        kind="test_drive",
        due_at=due_at,
        note="Bring the blue one",
        created_at=THURSDAY,
    )
    house.session.add(plan)
    house.session.commit()
    return plan


def test_who_planned_a_step_is_reminded_with_its_calendar_file(house: House) -> None:
    house.set(Status.ACCEPTED, owner_id=house.people["dina"].id)
    service.remind_plan(house.session, plan_of(house, riyadh("03-08 11:00")), riyadh("03-08 10:30"))
    house.session.commit()
    text = house.expect("sara", riyadh("03-08 10:30"))
    assert "Test drive: Sunday, March 8, 11:00" in text
    assert "Bring the blue one" in text
    (mail,) = house.post.to(house.people["sara"].email)
    assert isinstance(mail, EmailMessage)
    (file,) = mail.iter_attachments()
    assert file.get_content_type() == "text/calendar"
    (entry,) = IcalCalendar.from_ical(str(file.get_content())).walk("VEVENT")
    assert entry["DTSTART"].dt == riyadh("03-08 11:00")
    assert "Layla Haddad" in entry["SUMMARY"]


@pytest.mark.parametrize("change", ["done", "put off", "lost"])
def test_a_plan_that_stands_no_more_is_not_told(house: House, change: str) -> None:
    house.set(Status.ACCEPTED)
    plan = plan_of(house, riyadh("03-08 11:00"))
    service.remind_plan(house.session, plan, riyadh("03-08 10:30"))
    if change == "done":
        plan.done_at = THURSDAY
    elif change == "put off":
        plan.due_at += DAY
    house.session.commit()
    if change == "lost":
        house.set(Status.LOST)
    assert house.sent(riyadh("03-08 10:30")) == []


def test_a_lead_from_a_dealer_that_ended_is_told_at_the_opening(house: House) -> None:
    house.session.execute(
        update(Offer).where(Offer.id == house.offer.id).values(clock_at=None, minutes=30)
    )
    house.session.commit()
    house.session.expire_all()
    service.tell_dealer_handed_over(
        house.session, house.lead, house.offer, "Aurel Malaz", riyadh("03-06 10:00")
    )
    house.session.commit()
    assert "It comes from Aurel Malaz" in house.expect("mailbox", riyadh("03-08 09:00"))
    house.session.expire_all()
    assert house.offer.clock_at is not None
    assert timedelta(0) <= house.offer.clock_at - riyadh("03-08 09:00") < MINUTE


def test_a_lead_that_rested_comes_back_to_whoever_had_it(house: House) -> None:
    house.set(Status.CONTACTED, owner_id=house.people["sara"].id)
    service.tell_dealer_back(house.session, house.lead, riyadh("03-06 10:00"))
    house.session.commit()
    assert "wanted to wait until now" in house.expect("sara", riyadh("03-08 09:00"))


def test_a_new_lead_goes_to_the_colleague_it_was_given_to(house: House) -> None:
    house.away("sara", "dina")
    house.set(Status.OFFERED, owner_id=house.people["sara"].id)
    service.tell_dealer(house.session, house.lead, house.offer, house.terms, THURSDAY)
    house.session.commit()
    assert "A new lead for you" in house.expect("dina", THURSDAY)


def test_customer_hears_that_the_model_is_not_sold_here(house: House) -> None:
    decision = RoutingDecision(
        lead_id=house.lead.id,
        at=THURSDAY,
        dealer_id=house.terms.dealer_id,
        inputs={"model_sold": False},
        result={"how": "team"},
    )
    house.session.add(decision)
    house.session.flush()
    house.offer.decision_id, house.lead.email = decision.id, "layla@mail.example"
    house.lead.language = "en"
    service.tell_customer_received(house.session, house.lead, house.offer, None, THURSDAY)
    house.session.commit()
    assert house.sent(THURSDAY) == ["layla@mail.example"]
    (mail,) = house.post.to("layla@mail.example")
    assert "not sold in your country" in words(mail)
