"""Mails leave once, at the right time, to the right person, whatever happens on the way."""

from __future__ import annotations

import smtplib
import stat
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.lifecycle import Status
from lmt.models import (
    Customer,
    Dealer,
    DealerTerms,
    Event,
    Lead,
    Market,
    Message,
    Offer,
    Source,
)
from lmt.models.validity import since
from lmt.notify import outbox, service
from lmt.notify.backoff import WAITS, wait_after
from lmt.notify.mailbox import list_mails, read_mail
from lmt.notify.recheck import Standing, Turn, turn
from lmt.notify.transport import Deferred, Refused, Transport, Unavailable, deliver
from lmt.scope import SYSTEM, act_as
from tests.post import Post, free_port, post_office, words

AT = datetime(2026, 3, 6, 7, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def post() -> Iterator[Post]:
    with post_office() as office:
        yield office


@pytest.fixture
def by_smtp(settings: Settings, post: Post) -> Settings:
    return replace(settings, smtp_url=post.url)


@pytest.fixture
def by_nobody(settings: Settings) -> Settings:
    """A mail server that is down."""
    return replace(settings, smtp_url=f"smtp://127.0.0.1:{free_port()}")


@dataclass
class Case:
    """A lead of a Riyadh customer, offered to one dealer."""

    sessions: SessionFactory
    lead_id: uuid.UUID
    offer_id: uuid.UUID
    terms_id: int
    market_id: int

    @contextmanager
    def rows(self) -> Iterator[tuple[Session, Lead, Offer, DealerTerms]]:
        with self.sessions() as session:
            act_as(session, SYSTEM)
            yield (
                session,
                session.scalars(select(Lead).where(Lead.id == self.lead_id)).one(),
                session.scalars(select(Offer).where(Offer.id == self.offer_id)).one(),
                session.scalars(select(DealerTerms).where(DealerTerms.id == self.terms_id)).one(),
            )
            session.commit()

    def tell_dealer(self, at: datetime = AT) -> None:
        with self.rows() as (session, lead, offer, terms):
            service.tell_dealer(session, lead, offer, terms, at)

    def tell_customer(self, opens_at: datetime | None = None, at: datetime = AT) -> None:
        with self.rows() as (session, lead, offer, _terms):
            service.tell_customer_received(session, lead, offer, opens_at, at)

    def set_lead(self, **values: object) -> None:
        with self.rows() as (session, *_):
            session.execute(update(Lead).where(Lead.id == self.lead_id).values(**values))

    def set_offer(self, **values: object) -> None:
        with self.rows() as (session, *_):
            session.execute(update(Offer).where(Offer.id == self.offer_id).values(**values))

    def messages(self) -> dict[str, Message]:
        """By kind."""
        with self.rows() as (session, *_):
            return {message.kind: message for message in session.scalars(select(Message))}

    def events(self) -> list[tuple[str, str, str]]:
        """What the lead's history tells of its mails."""
        with self.rows() as (session, *_):
            found = session.scalars(
                select(Event)
                .where(Event.lead_id == self.lead_id, Event.kind.startswith("mail_"))
                .order_by(Event.id)
            )
            return [(e.kind, e.data["kind"], e.data["audience"]) for e in found]


@pytest.fixture
def case(sessions: SessionFactory) -> Iterator[Case]:
    tag = uuid.uuid4().hex[:8]
    with sessions() as session:
        act_as(session, SYSTEM)
        session.execute(delete(Message))
        market = Market(
            code=f"gulf-{tag}",
            name="Gulf",
            languages=["ar", "en"],
            default_language="ar",
            timezone="Asia/Riyadh",
            currency="SAR",
        )
        dealer = Dealer(code=f"riyadh-{tag}", market=market)
        terms = DealerTerms(
            dealer=dealer,
            valid=since(None),
            name="Harbour Motors",
            email="d@dealer.example",
            phone="+966112345678",
            language="en",
            languages=["en", "ar"],
            street="King Fahd Road 1200",
            city="Riyadh",
            country="SA",
            lat=24.7,
            lon=46.7,
            timezone="Asia/Riyadh",
            hours="Su-Th 09:00-18:00",
        )
        customer = Customer(full_name="Layla Haddad", created_at=AT)
        source = Source(code=f"api-{tag}", kind="api", name="API", market=market)
        session.add_all([market, dealer, terms, customer, source])
        session.flush()
        lead = Lead(
            reference=tag.upper(),
            market=market,
            source=source,
            customer=customer,
            full_name="Layla Haddad",
            email="layla@mail.example",
            phone="+966501234567",
            language="en",
            country="SA",
            city="Riyadh",
            timezone="Asia/Riyadh",
            request_type="test_drive",
            model="Aria X1",
            comments="Sunday would be fine.",
            status=Status.OFFERED,
            dealer=dealer,
            promise_at=AT + 3 * HOUR,
            created_at=AT,
        )
        session.add(lead)
        session.flush()
        offer = Offer(
            lead_id=lead.id,
            dealer_id=dealer.id,
            distance_km=7.4,
            offered_at=AT,
            expires_at=AT + 2 * HOUR,
        )
        session.add(offer)
        session.commit()
        made = Case(sessions, lead.id, offer.id, terms.id, market.id)
    yield made
    with sessions() as session:
        act_as(session, SYSTEM)
        session.execute(delete(Message))
        session.commit()


# What leaves


def test_dealer_and_customer_get_their_mails(case: Case, post: Post, by_smtp: Settings) -> None:
    case.tell_dealer()
    case.tell_customer(opens_at=AT + HOUR)
    assert outbox.send_due(case.sessions, by_smtp, AT) == 2
    (to_dealer,) = post.to("d@dealer.example")
    for part in ("Layla Haddad", "+966 50 123 4567", "Aria X1", "Sunday would be fine.", "7.4 km"):
        assert part in words(to_dealer)
    assert "12:00" in words(to_dealer)  # 09:00 UTC, as the dealer's clock shows it
    (to_customer,) = post.to("layla@mail.example")
    for part in ("Harbour Motors", "King Fahd Road 1200", "The showroom is closed now", "/r/"):
        assert part in words(to_customer)
    assert case.events() == [
        ("mail_sent", "dealer_new_lead", "dealer"),
        ("mail_sent", "customer_received", "customer"),
    ]
    sent = case.messages()["dealer_new_lead"]
    assert (sent.status, sent.attempts, sent.lease_token) == ("sent", 1, None)
    assert sent.subject == to_dealer["Subject"]
    assert to_dealer["Message-ID"] == f"<{sent.id}@lmt.example>"


def test_customer_reads_arabic_where_the_market_speaks_it(
    case: Case, post: Post, by_smtp: Settings
) -> None:
    case.set_lead(language="")
    case.tell_customer()
    outbox.send_due(case.sessions, by_smtp, AT)
    (mail,) = post.to("layla@mail.example")
    assert isinstance(mail, EmailMessage)
    page = mail.get_body(("html",))
    assert page is not None
    assert '<html lang="ar" dir="rtl"' in page.get_content()


def test_customer_without_a_dealer_hears_from_the_team(
    case: Case, post: Post, by_smtp: Settings
) -> None:
    case.set_lead(status=Status.UNROUTED, dealer_id=None)
    with case.rows() as (session, lead, _offer, _terms):
        service.tell_customer_received(session, lead, None, None, AT)
    outbox.send_due(case.sessions, by_smtp, AT)
    (mail,) = post.to("layla@mail.example")
    assert "finding the right dealer" in words(mail)


@pytest.mark.parametrize("values", [{"email": ""}, {"test": True}])
def test_nobody_to_write_to(case: Case, values: dict[str, object]) -> None:
    case.set_lead(**values)
    case.tell_customer()
    assert case.messages() == {}


def test_one_message_per_cause(case: Case) -> None:
    with case.rows() as (session, lead, offer, terms):
        for at in (AT, AT + MINUTE):
            service.tell_dealer(session, lead, offer, terms, at)
            service.tell_customer_received(session, lead, offer, None, at)
            service.tell_customer_transferred(session, lead, offer, at)
            service.tell_dealer_taken_away(session, lead, offer, at)
            service.tell_dealer_asked_again(session, lead, uuid.UUID(int=7), terms, at)
    with case.rows() as (session, *_):
        kinds = sorted(session.scalars(select(Message.kind)))
    assert kinds == [
        "customer_received",
        "customer_transferred",
        "dealer_asked_again",
        "dealer_lead_taken_away",
        "dealer_new_lead",
    ]


def test_a_cause_rolled_back_sends_nothing(case: Case, post: Post, by_smtp: Settings) -> None:
    with case.rows() as (session, lead, offer, terms):
        service.tell_dealer(session, lead, offer, terms, AT)
        session.rollback()
    assert outbox.send_due(case.sessions, by_smtp, AT) == 0
    assert post.received == []


def test_burst_without_dealers_is_one_alert(case: Case, post: Post, by_smtp: Settings) -> None:
    case.set_lead(status=Status.UNROUTED, dealer_id=None)

    @dataclass(frozen=True)
    class Duty:
        email: str = "hq@lmt.example"
        language: str = "en"
        timezone: str = "Asia/Riyadh"

    def alert(at: datetime) -> None:
        with case.rows() as (session, lead, _offer, _terms):
            service.alert_unrouted(session, lead, "out_of_range", [Duty()], at)

    alert(AT)
    alert(AT + MINUTE)
    assert outbox.send_due(case.sessions, by_smtp, AT + MINUTE) == 1
    alert(AT + 2 * MINUTE)
    alert(AT + 3 * MINUTE)
    assert outbox.send_due(case.sessions, by_smtp, AT + 59 * MINUTE) == 0
    assert outbox.send_due(case.sessions, by_smtp, AT + HOUR) == 1
    first, second = post.to("hq@lmt.example")
    assert "1 lead waits without a dealer" in words(first)
    assert "No dealer within reach" in words(second)
    alert(AT + 2 * HOUR)
    case.set_lead(status=Status.LOST)
    assert outbox.send_due(case.sessions, by_smtp, AT + 2 * HOUR) == 0
    case.set_lead(status=Status.UNROUTED)
    alert(AT + 2 * HOUR + MINUTE)
    assert outbox.send_due(case.sessions, by_smtp, AT + 2 * HOUR + MINUTE) == 1


# When the server takes nothing


def test_an_outage_is_known_from_its_first_mail_to_the_next_that_leaves(
    case: Case, by_smtp: Settings, by_nobody: Settings
) -> None:
    def outage(at: datetime) -> tuple[datetime, datetime | None] | None:
        with case.rows() as (session, *_):
            return outbox.mail_outage(session, at)

    case.tell_dealer()
    case.tell_customer()
    assert outage(AT) is None
    began = AT + MINUTE
    outbox.send_due(case.sessions, by_nobody, began)
    known = outage(AT + HOUR)
    assert known is not None
    assert (known[0] - began < timedelta(seconds=1), known[1]) == (True, None)
    outbox.send_due(case.sessions, by_nobody, AT + 2 * MINUTE)
    assert outage(AT + HOUR) == known
    # Both leave at the first success: neither waits out what the server's failure cost it.
    assert outbox.send_due(case.sessions, by_smtp, AT + 90 * MINUTE) == 2
    ended = outage(AT + 2 * HOUR)
    assert ended is not None
    assert ended[0] == known[0]
    assert ended[1] is not None
    assert ended[1] - (AT + 90 * MINUTE) < timedelta(seconds=5)


def test_a_mailbox_that_refuses_is_no_outage(case: Case, post: Post, by_smtp: Settings) -> None:
    post.answers["d@dealer.example"] = "550 no such mailbox"
    case.tell_dealer()
    outbox.send_due(case.sessions, by_smtp, AT)
    with case.rows() as (session, *_):
        assert outbox.mail_outage(session, AT + HOUR) is None
    assert case.messages()["dealer_new_lead"].status == "failed"


@pytest.mark.parametrize(
    ("answer", "clock_at"), [("250 ok", AT), ("451 later", None), ("550 no", None)]
)
def test_the_offers_clock_begins_when_its_mail_was_accepted(
    case: Case, post: Post, by_smtp: Settings, answer: str, clock_at: datetime | None
) -> None:
    post.answers["d@dealer.example"] = answer
    case.tell_dealer()
    outbox.send_due(case.sessions, by_smtp, AT)
    with case.rows() as (_session, _lead, offer, _terms):
        begun = offer.clock_at
    if clock_at is None:
        assert begun is None
    else:
        assert begun is not None
        assert timedelta(0) <= begun - clock_at < timedelta(seconds=5)


# What stays back


@pytest.mark.parametrize("state", ["accepted", "declined", "expired", "withdrawn"])
def test_new_lead_is_not_told_once_the_offer_is_over(
    case: Case, post: Post, by_smtp: Settings, state: str
) -> None:
    case.tell_dealer()
    case.set_offer(state=state)
    assert outbox.send_due(case.sessions, by_smtp, AT) == 0
    assert case.messages()["dealer_new_lead"].status == "dropped"
    assert (post.received, case.events()) == ([], [])


def test_offer_past_its_hour_waits_until_it_is_extended_or_ended(
    case: Case, post: Post, by_smtp: Settings
) -> None:
    case.tell_dealer()
    late = AT + 5 * HOUR
    assert outbox.send_due(case.sessions, by_smtp, late) == 0
    assert case.messages()["dealer_new_lead"].attempts == 0
    case.set_offer(expires_at=late + HOUR)
    assert outbox.send_due(case.sessions, by_smtp, late + MINUTE) == 1
    assert "15:00" not in words(post.to("d@dealer.example")[0])


def test_customer_who_withdrew_is_left_alone(case: Case, post: Post, by_smtp: Settings) -> None:
    case.tell_customer()
    case.set_lead(status=Status.WITHDRAWN)
    assert outbox.send_due(case.sessions, by_smtp, AT) == 0
    assert case.messages()["customer_received"].status == "dropped"


@pytest.mark.parametrize(
    ("kind", "now", "expected"),
    [
        ("dealer_new_lead", Standing(Status.OFFERED, "open"), Turn.SEND),
        ("dealer_new_lead", Standing(Status.OFFERED, "open", is_overdue=True), Turn.WAIT),
        ("dealer_new_lead", Standing(Status.ACCEPTED, "accepted"), Turn.DROP),
        ("dealer_new_lead", Standing(Status.OFFERED, "expired", is_overdue=True), Turn.DROP),
        ("dealer_new_lead", Standing(Status.OFFERED), Turn.DROP),
        ("dealer_asked_again", Standing(Status.ACCEPTED), Turn.SEND),
        ("dealer_asked_again", Standing(Status.ACCEPTED, is_holder=False), Turn.DROP),
        ("dealer_asked_again", Standing(Status.WON), Turn.DROP),
        ("dealer_lead_taken_away", Standing(Status.OFFERED, "expired"), Turn.SEND),
        ("customer_received", Standing(Status.UNROUTED), Turn.SEND),
        ("customer_received", Standing(Status.WITHDRAWN), Turn.DROP),
        ("customer_transferred", Standing(Status.WITHDRAWN), Turn.DROP),
        ("customer_transferred", Standing(Status.OFFERED), Turn.SEND),
        ("headquarters_unrouted", Standing(Status.UNROUTED, waiting=1), Turn.SEND),
        ("headquarters_unrouted", Standing(Status.OFFERED), Turn.DROP),
        ("dealer_reminder", Standing(Status.OFFERED, "open", state="offered"), Turn.SEND),
        ("dealer_reminder", Standing(Status.OFFERED, "expired", state="offered"), Turn.DROP),
        (
            "dealer_reminder",
            Standing(Status.OFFERED, "open", is_overdue=True, state="offered"),
            Turn.WAIT,
        ),
        ("dealer_reminder", Standing(Status.ACCEPTED, "accepted", state="offered"), Turn.DROP),
        ("dealer_reminder", Standing(Status.ACCEPTED, state="accepted"), Turn.SEND),
        ("dealer_reminder", Standing(Status.ACCEPTED, state="accepted", at_work_at=AT), Turn.WAIT),
        ("dealer_reminder", Standing(Status.CONTACTED, state="accepted"), Turn.DROP),
        ("dealer_reminder", Standing(Status.RESTING, state="contacted"), Turn.DROP),
        (
            "manager_escalation",
            Standing(Status.ACCEPTED, state="accepted", is_touched=True),
            Turn.DROP,
        ),
        (
            "manager_escalation",
            Standing(Status.ACCEPTED, state="accepted", is_holder=False, at_work_at=AT),
            Turn.DROP,
        ),
        (
            "manager_escalation",
            Standing(Status.CONTACTED, state="plan_overdue", is_plan_open=True),
            Turn.SEND,
        ),
        ("manager_escalation", Standing(Status.CONTACTED, state="plan_overdue"), Turn.DROP),
        ("plan_reminder", Standing(Status.ACCEPTED, is_plan_open=True), Turn.SEND),
        ("plan_reminder", Standing(Status.ACCEPTED), Turn.DROP),
        ("plan_reminder", Standing(Status.LOST, is_plan_open=True), Turn.DROP),
        (
            "plan_reminder",
            Standing(Status.ACCEPTED, is_holder=False, is_plan_open=True),
            Turn.DROP,
        ),
        ("dealer_handed_over", Standing(Status.CONTACTED, "accepted"), Turn.SEND),
        ("dealer_handed_over", Standing(Status.CONTACTED, is_holder=False), Turn.DROP),
        ("dealer_lead_back", Standing(Status.CONTACTED), Turn.SEND),
        ("dealer_lead_back", Standing(Status.WON), Turn.DROP),
        ("headquarters_escalation", Standing(waiting=2), Turn.SEND),
        ("headquarters_escalation", Standing(), Turn.DROP),
        ("headquarters_queue", Standing(waiting=1, at_work_at=AT), Turn.WAIT),
    ],
)
def test_is_it_still_true(kind: str, now: Standing, expected: Turn) -> None:
    assert turn(kind, now) is expected


# What goes wrong


def test_two_workers_send_each_mail_once(case: Case, post: Post, by_smtp: Settings) -> None:
    case.tell_dealer()
    case.tell_customer()
    both = threading.Barrier(2)

    def work() -> int:
        both.wait()
        return outbox.send_due(case.sessions, by_smtp, AT)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(work), pool.submit(work)
    assert first.result() + second.result() == 2
    assert len(post.to("d@dealer.example")) == len(post.to("layla@mail.example")) == 1
    assert len(case.events()) == 2


def test_claimed_message_is_nobody_elses_until_the_lease_ends(case: Case) -> None:
    case.tell_dealer()
    with case.rows() as (session, *_):
        assert len(outbox.claim(session, AT, lease_seconds=60)) == 1
        assert outbox.claim(session, AT + timedelta(seconds=59)) == []
        assert outbox.next_due(session, AT) == AT + MINUTE
        (again,) = outbox.claim(session, AT + MINUTE)
        assert again.attempts == 2


def test_crash_between_sending_and_marking_repeats_the_same_mail(
    case: Case, post: Post, by_smtp: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.tell_dealer()

    class Killed(BaseException):
        """As a kill would, it passes every handler."""

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "finish", die)
        with pytest.raises(Killed):
            outbox.send_due(case.sessions, by_smtp, AT)
    assert case.messages()["dealer_new_lead"].status == "queued"
    assert outbox.send_due(case.sessions, by_smtp, AT + 2 * MINUTE) == 1
    first, second = post.to("d@dealer.example")
    assert first["Message-ID"] == second["Message-ID"]
    assert len(case.events()) == 1


def test_worker_that_lost_its_lease_marks_nothing(
    case: Case, post: Post, by_smtp: Settings
) -> None:
    case.tell_dealer()
    with case.rows() as (session, *_):
        claims = outbox.claim(session, AT)

    def taken_over() -> None:
        with case.rows() as (session, *_):
            outbox.claim(session, AT + MINUTE)

    post.on_mail = taken_over
    with Transport(by_smtp) as transport:
        outbox._send(case.sessions, by_smtp, transport, claims[0], AT, {})
    message = case.messages()["dealer_new_lead"]
    assert (message.status, message.attempts) == ("queued", 2)
    assert case.events() == []


def test_no_transaction_is_open_while_a_mail_is_sent(
    case: Case, post: Post, by_smtp: Settings
) -> None:
    case.tell_dealer()
    open_transactions: list[int] = []

    def look() -> None:
        with case.rows() as (session, *_):
            found = session.connection().exec_driver_sql(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            )
            open_transactions.append(found.scalar_one())

    post.on_mail = look
    outbox.send_due(case.sessions, by_smtp, AT)
    assert open_transactions == [0]


def test_server_that_is_down_costs_one_message_its_turn(
    case: Case, post: Post, by_smtp: Settings, by_nobody: Settings
) -> None:
    case.tell_dealer()
    case.tell_customer(at=AT + timedelta(seconds=1))
    now = AT + timedelta(seconds=1)
    assert outbox.send_due(case.sessions, by_nobody, now) == 0
    messages = case.messages()
    tried, untried = messages["dealer_new_lead"], messages["customer_received"]
    assert (tried.status, tried.attempts) == ("queued", 1)
    assert tried.problem
    assert timedelta(seconds=5) <= tried.next_attempt_at - now <= timedelta(seconds=10)
    assert (untried.attempts, untried.next_attempt_at) == (0, now)
    # The first mail that leaves shows that the server is back: nothing waits for its turn.
    assert outbox.send_due(case.sessions, by_smtp, now) == 2
    assert len(post.received) == 2


def test_mail_that_never_leaves_fails_after_its_last_attempt(
    case: Case, by_nobody: Settings
) -> None:
    case.set_offer(expires_at=AT + timedelta(days=30))
    case.tell_dealer()
    for _attempt in range(len(WAITS) + 1):
        outbox.send_due(
            case.sessions, by_nobody, case.messages()["dealer_new_lead"].next_attempt_at
        )
    message = case.messages()["dealer_new_lead"]
    assert (message.status, message.attempts) == ("failed", len(WAITS) + 1)
    assert case.events() == [("mail_failed", "dealer_new_lead", "dealer")]


def test_refused_recipient_fails_at_once_and_others_get_theirs(
    case: Case, post: Post, by_smtp: Settings
) -> None:
    post.answers["d@dealer.example"] = "550 no such mailbox"
    case.tell_dealer()
    case.tell_customer()
    assert outbox.send_due(case.sessions, by_smtp, AT) == 1
    message = case.messages()["dealer_new_lead"]
    assert (message.status, message.problem) == ("failed", "550 no such mailbox")
    assert ("mail_failed", "dealer_new_lead", "dealer") in case.events()
    assert len(post.to("layla@mail.example")) == 1


def test_greylisted_mail_comes_again_and_others_are_not_held_up(
    case: Case, post: Post, by_smtp: Settings
) -> None:
    post.answers["d@dealer.example"] = "451 try later"
    case.tell_dealer()
    case.tell_customer()
    assert outbox.send_due(case.sessions, by_smtp, AT) == 1
    message = case.messages()["dealer_new_lead"]
    assert message.status == "queued"
    post.answers.clear()
    assert outbox.send_due(case.sessions, by_smtp, message.next_attempt_at) == 1


def test_mail_that_cannot_be_written_blocks_no_other(
    case: Case, post: Post, by_smtp: Settings
) -> None:
    with case.rows() as (session, *_):
        outbox.enqueue(
            session,
            cause="test:broken",
            kind="unheard_of",
            audience="dealer",
            recipient="x@dealer.example",
            language="en",
            timezone="UTC",
            market_id=case.market_id,
            at=AT - HOUR,
        )
    case.tell_dealer()
    assert outbox.send_due(case.sessions, by_smtp, AT) == 1
    assert case.messages()["unheard_of"].status == "queued"


def test_address_that_is_none_fails_at_once(case: Case, post: Post, by_smtp: Settings) -> None:
    case.set_lead(email="not an address")
    case.tell_customer()
    outbox.send_due(case.sessions, by_smtp, AT)
    assert case.messages()["customer_received"].status == "failed"


def test_failed_mail_is_sent_again_by_hand(case: Case, post: Post, by_smtp: Settings) -> None:
    post.answers["d@dealer.example"] = "550 no such mailbox"
    case.tell_dealer()
    outbox.send_due(case.sessions, by_smtp, AT)
    post.answers.clear()
    message_id = case.messages()["dealer_new_lead"].id
    with case.rows() as (session, *_):
        outbox.resend(session, message_id, AT + MINUTE)
    assert outbox.send_due(case.sessions, by_smtp, AT + MINUTE) == 1
    assert post.received[0][1]["Message-ID"] == f"<{message_id}@lmt.example>"
    with case.rows() as (session, *_), pytest.raises(LookupError):
        outbox.resend(session, uuid.uuid4(), AT)


def test_a_mail_being_sent_is_not_sent_twice_by_hand(case: Case) -> None:
    case.tell_dealer()
    with case.rows() as (session, *_):
        (claimed,) = outbox.claim(session, AT)
        outbox.resend(session, claimed.id, AT)
        assert outbox.claim(session, AT) == []


def test_waits_grow_and_are_the_same_for_the_same_message() -> None:
    message_id = uuid.UUID(int=7)
    waits = [wait_after(n, message_id) for n in range(1, len(WAITS) + 1)]
    assert waits == [wait_after(n, message_id) for n in range(1, len(WAITS) + 1)]
    for wait, least in zip(waits, WAITS, strict=True):
        assert wait is not None
        assert least <= wait <= least * 1.2
    assert wait_after(len(WAITS) + 1, message_id) is None


# The ways out


def simple_mail() -> EmailMessage:
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = "a@lmt.example", "d@dealer.example", "السلام"
    mail["Message-ID"] = "<1@lmt.example>"
    mail.set_content("Body\n")
    return mail


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("550 no", Refused), ("451 later", Deferred), ("452 full", Deferred), ("554 spam", Refused)],
)
def test_what_the_server_answers_to_the_body(
    post: Post, by_smtp: Settings, answer: str, expected: type[Exception]
) -> None:
    post.data_answer = answer
    with pytest.raises(expected):
        deliver(by_smtp, simple_mail())


def test_encryption_that_is_asked_for_is_never_done_without(post: Post, by_smtp: Settings) -> None:
    with pytest.raises(Unavailable):
        deliver(replace(by_smtp, smtp_url=post.url + "?starttls=true"), simple_mail())
    with pytest.raises(Unavailable):
        deliver(replace(by_smtp, smtp_url=post.url.replace("//", "//me:secret@")), simple_mail())
    assert post.received == []


def test_one_connection_serves_a_run_and_is_renewed_when_lost(
    post: Post, by_smtp: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[smtplib.SMTP] = []
    connect = smtplib.SMTP.connect

    def counted(self: smtplib.SMTP, *args: object, **kwargs: object) -> tuple[int, bytes]:
        opened.append(self)
        return connect(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(smtplib.SMTP, "connect", counted)
    with Transport(by_smtp) as transport:
        transport.deliver(simple_mail())
        transport.deliver(simple_mail())
        assert len(opened) == 1
        opened[0].close()
        transport.deliver(simple_mail())
    assert (len(opened), len(post.received)) == (2, 3)


def test_without_a_server_mails_are_read_in_the_mailbox(case: Case, settings: Settings) -> None:
    case.tell_dealer()
    case.tell_customer()
    assert list_mails(settings) == []
    assert outbox.send_due(case.sessions, settings, AT) == 2
    newest, oldest = list_mails(settings)
    assert (newest.to, oldest.to) == ("layla@mail.example", "d@dealer.example")
    assert oldest.message_id == f"<{case.messages()['dealer_new_lead'].id}@lmt.example>"
    mail = read_mail(settings, oldest.id)
    assert mail is not None
    assert mail["Subject"] == oldest.subject
    assert "Layla Haddad" in words(mail)
    assert [summary.id for summary in list_mails(settings, limit=1)] == [newest.id]
    assert stat.S_IMODE(settings.mailbox.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "id", ["", ".", "..", "../secret_key", "/etc/passwd", "new/../../secret_key", "a\x00", "a/b"]
)
def test_mailbox_shows_nothing_but_mails(settings: Settings, id: str) -> None:
    deliver(replace(settings, smtp_url=""), simple_mail())
    (settings.instance / "secret_key").write_text("secret")
    (settings.mailbox / "new" / "link").symlink_to(settings.instance / "secret_key")
    assert read_mail(settings, id) is None
    assert read_mail(settings, "link") is None
