"""A customer who asks again: the same dealer is told, and a second one only for a reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.donotcontact import suppress
from lmt.lifecycle import Status
from lmt.models import (
    Dealer,
    DealerLoad,
    DealerTerms,
    Event,
    Inquiry,
    Lead,
    Message,
    Offer,
    RoutingDecision,
    Source,
    User,
)
from lmt.notify.gather import gather
from lmt.routing.directory import dealers_changed
from lmt.scope import actor_of
from tests.offers import told
from tests.world import FRIDAY, World, send, warsaw_lead

MORNING = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
"""Monday, 10:00 in Warsaw: everybody is at work."""


class Case:
    """A lead, and its customer who sends the same again."""

    def __init__(self, sessions: SessionFactory, session: Session, cast: dict[str, User]) -> None:
        self.sessions, self.session, self.cast = sessions, session, cast

    def first(self, at: datetime = MORNING, **request: str) -> Lead:
        return self._sent(at, **request)

    def again(self, at: datetime, **request: str) -> Lead:
        lead = self._sent(at, **request)
        assert lead.asked_again
        return lead

    def _sent(self, at: datetime, **request: str) -> Lead:
        data = warsaw_lead()
        data["request"] |= request
        lead = send(self.session, "api-pl", data, at)
        self.step(lead, at)
        return lead

    def step(self, lead: Lead, at: datetime) -> None:
        pipeline.advance(self.sessions, lead.id, at)
        self.session.expire_all()

    def accept(self, lead: Lead, at: datetime) -> None:
        told(self.session, lead)
        actor = actor_of(self.cast["anna"])
        pipeline.accept(self.session, lead.id, at=at, actor=actor)
        self.step(lead, at)

    def events(self, lead: Lead, kind: str) -> list[dict[str, Any]]:
        rows = select(Event).where(Event.lead_id == lead.id, Event.kind == kind)
        return [row.data for row in self.session.scalars(rows.order_by(Event.id))]

    def mails(self, kind: str) -> list[Message]:
        return list(self.session.scalars(select(Message).where(Message.kind == kind)))

    def pause(self, dealers: list[int], *, paused: bool = True) -> None:
        theirs = DealerTerms.dealer_id.in_(dealers)
        self.session.execute(update(DealerTerms).where(theirs).values(paused=paused))
        dealers_changed(self.session, MORNING, dealers)
        self.session.commit()

    def holder(self, lead: Lead) -> str:
        assert lead.dealer is not None
        return lead.dealer.code

    def leads(self) -> list[Lead]:
        return list(self.session.scalars(select(Lead).order_by(Lead.id)))

    def open_offers(self, lead: Lead) -> list[Offer]:
        held = select(Offer).where(Offer.lead_id == lead.id, Offer.state.in_(("open", "accepted")))
        return list(self.session.scalars(held))


@pytest.fixture
def case(sessions: SessionFactory, session: Session, cast: dict[str, User]) -> Case:
    return Case(sessions, session, cast)


MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def test_the_same_dealer_hears_of_it_once_and_the_lead_is_hotter(case: Case) -> None:
    lead = case.first()
    points, band = lead.points, lead.band
    assert case.holder(lead) == "PL-WAW-1"
    assert case.again(MORNING + MINUTE, type="quote", model="Luma").id == lead.id
    assert len(case.leads()) == 1
    assert case.holder(lead) == "PL-WAW-1"
    assert lead.points > points
    assert (band, lead.band) in {("cold", "warm"), ("warm", "hot"), ("hot", "hot")}
    [raised] = case.events(lead, "raised")
    assert (raised["cause"], raised["request_type"], raised["model"]) == (
        "asked_again", "quote", "Luma",
    )  # fmt: skip
    [mail] = case.mails("dealer_asked_again")
    assert mail.dealer_id == lead.dealer_id
    assert len(case.open_offers(lead)) == 1
    for later in (2, 3):
        lead.next_action_at = MORNING
        case.session.commit()
        case.step(lead, MORNING + later * MINUTE)
    assert len(case.mails("dealer_asked_again")) == 1
    case.again(MORNING + 4 * MINUTE)
    assert len(case.mails("dealer_asked_again")) == 2


def test_the_mail_carries_what_was_said_now(case: Case, settings: Settings) -> None:
    case.first(comments="Blue, please")
    case.again(MORNING + MINUTE, model="Luma", comments="After six, please")
    [mail] = case.mails("dealer_asked_again")
    facts = gather(case.session, mail, settings, MORNING + MINUTE)
    assert (facts.model, facts.comments) == ("Luma", "After six, please")


def test_a_lead_that_nobody_repeated_costs_no_statement(
    case: Case, count_queries: list[str]
) -> None:
    lead = case.first()
    lead.next_action_at = MORNING
    case.session.commit()
    count_queries.clear()
    case.step(lead, MORNING + MINUTE)
    assert not [statement for statement in count_queries if "inquiry" in statement]


def test_asked_again_before_anybody_routed_it(case: Case) -> None:
    lead = send(case.session, "api-pl", warsaw_lead(), MORNING)
    send(case.session, "api-pl", warsaw_lead(), MORNING)
    case.step(lead, MORNING)
    assert case.holder(lead) == "PL-WAW-1"
    assert len(case.open_offers(lead)) == 1
    assert case.events(lead, "raised")


def test_another_dealer_that_the_customer_picks_now_gets_it(case: Case) -> None:
    lead = case.first()
    case.again(MORNING + MINUTE, preferred_dealer="PL-WAW-2")
    assert case.holder(lead) == "PL-WAW-2"
    assert [offer.dealer_id for offer in case.open_offers(lead)] == [lead.dealer_id]
    assert case.events(lead, "moved_by_customer")[0]["reason"] == "asked_again"
    assert case.mails("dealer_asked_again") == []
    [away] = case.mails("dealer_lead_taken_away")
    assert away.dealer_id != lead.dealer_id


def test_a_pick_that_is_paused_changes_nothing(case: Case, world: World) -> None:
    lead = case.first()
    case.pause([world.dealers["PL-WAW-2"]])
    case.again(MORNING + MINUTE, preferred_dealer="PL-WAW-2")
    assert case.holder(lead) == "PL-WAW-1"
    [kept] = case.events(lead, "kept")
    assert (kept["cause"], kept["refused"]) == ("pick_refused", "paused")
    assert len(case.open_offers(lead)) == 1
    assert len(case.mails("dealer_asked_again")) == 1


def test_a_dealer_that_took_it_and_never_called_loses_it(case: Case) -> None:
    lead = case.first()
    case.accept(lead, MORNING + MINUTE)
    case.again(MORNING + 2 * MINUTE)
    assert case.holder(lead) == "PL-WAW-1", "it has time left"
    case.again(MORNING + 30 * HOUR)
    assert case.holder(lead) != "PL-WAW-1"
    assert lead.status == Status.OFFERED
    assert len(case.open_offers(lead)) == 1
    assert case.events(lead, "offer_expired")[0]["cause"] == "asked_again"
    first = case.session.get_one(Dealer, case.open_offers(lead)[0].dealer_id)
    assert first.code != "PL-WAW-1"


def test_a_dealer_that_called_keeps_it(case: Case) -> None:
    lead = case.first()
    case.accept(lead, MORNING + MINUTE)
    lead.status, lead.contacted_at, lead.touched_at = (
        Status.CONTACTED, MORNING + 2 * MINUTE, MORNING + 2 * MINUTE,
    )  # fmt: skip
    case.session.commit()
    case.again(MORNING + 30 * HOUR)
    assert case.holder(lead) == "PL-WAW-1"
    assert len(case.mails("dealer_asked_again")) == 1


def test_late_as_it_is_the_only_dealer_keeps_it(case: Case, world: World) -> None:
    lead = case.first()
    case.accept(lead, MORNING + MINUTE)
    others = [world.dealers[code] for code in ("PL-WAW-2", "PL-CARE")]
    case.pause(others)
    case.again(MORNING + 30 * HOUR)
    assert case.holder(lead) == "PL-WAW-1"
    assert lead.status == Status.ACCEPTED
    assert case.events(lead, "kept")[0]["cause"] == "nobody_else"
    load = case.session.get_one(DealerLoad, world.dealers["PL-WAW-1"])
    assert load.open_used == 1


def test_an_offer_whose_time_is_over_goes_to_the_next_at_once(case: Case) -> None:
    lead = case.first()
    offer = told(case.session, lead)
    case.again(offer.expires_at + MINUTE)
    assert case.holder(lead) == "PL-WAW-2"
    assert case.mails("dealer_asked_again") == []


def test_a_queue_is_looked_at_again_at_once(case: Case, world: World) -> None:
    every = list(world.dealers.values())
    case.pause(every)
    lead = case.first()
    assert lead.status == Status.UNROUTED
    case.pause(every, paused=False)
    case.again(MORNING + MINUTE, preferred_dealer="PL-WAW-2")
    assert case.holder(lead) == "PL-WAW-2"


def test_a_lead_that_rests_comes_back_now(case: Case) -> None:
    lead = case.first()
    case.accept(lead, MORNING + MINUTE)
    pipeline.rest(
        case.session, lead.id, until=MORNING + timedelta(days=30), note="", at=MORNING + HOUR,
        actor=actor_of(case.cast["anna"]),
    )  # fmt: skip
    _list(case.session, lead)
    case.again(MORNING + 2 * HOUR)
    assert lead.status == Status.ACCEPTED
    assert case.holder(lead) == "PL-WAW-1"
    assert case.events(lead, "back")


def test_closed_before_anybody_heard_it_begins_anew(case: Case) -> None:
    lead = case.first()
    data = warsaw_lead()
    data["request"]["comments"] = "Are you still there?"
    send(case.session, "api-pl", data, MORNING + MINUTE)
    lead.status, lead.next_action_at, lead.closed_at = Status.LOST, None, MORNING + MINUTE
    case.session.commit()
    assert pipeline.find_forgotten(case.session, MORNING + HOUR) == 1
    case.step(lead, MORNING + HOUR)
    [_first, second] = case.leads()
    assert second.comments == "Are you still there?"
    assert second.customer_id == lead.customer_id
    [inquiry] = case.session.scalars(select(Inquiry))
    assert inquiry.split_into_id == second.id
    case.step(second, MORNING + HOUR)
    assert second.status == Status.OFFERED
    assert pipeline.find_forgotten(case.session, MORNING + 2 * HOUR) == 0


# --- tests and lists -------------------------------------------------------------------------


@pytest.mark.parametrize(("city", "has_decision"), [("Warszawa", True), ("Nowhere at all", False)])
def test_a_test_that_finds_nobody_waits_in_no_queue(
    case: Case, world: World, city: str, has_decision: bool
) -> None:
    case.pause(list(world.dealers.values()))
    data = warsaw_lead() | {"test": True}
    data["address"] = {"city": city, "country": "PL"}
    lead = send(case.session, "api-pl", data, MORNING)
    case.step(lead, MORNING)
    assert (lead.status, lead.cause, lead.next_action_at) == (Status.WITHDRAWN, "test", None)
    decided = select(RoutingDecision).where(RoutingDecision.lead_id == lead.id)
    assert bool(case.session.scalars(decided).all()) or not has_decision
    assert list(case.session.scalars(select(Message))) == []


def _list(session: Session, lead: Lead) -> None:
    for kind, value in (("phone", lead.phone), ("email", lead.email)):
        suppress(
            session, kind, value, market_id=lead.market_id, origin="person", at=MORNING,
        )  # fmt: skip
    session.commit()


@pytest.mark.parametrize(("solicited", "expected"), [(True, "withdrawn"), (False, "offered")])
def test_a_list_stops_what_we_begin_and_no_request(
    case: Case, solicited: bool, expected: str
) -> None:
    source = case.session.scalars(select(Source).where(Source.code == "api-pl")).one()
    source.solicited = solicited
    case.session.commit()
    lead = send(case.session, "api-pl", warsaw_lead(), MORNING)
    _list(case.session, lead)
    case.step(lead, MORNING)
    assert lead.status == expected
    if solicited:
        assert lead.cause == "suppressed"
        assert case.mails("customer_received") == []


def test_who_went_on_the_lists_is_not_called_after_a_rest(case: Case, world: World) -> None:
    lead = case.first()
    case.accept(lead, MORNING + MINUTE)
    until = MORNING + timedelta(days=30)
    pipeline.rest(
        case.session, lead.id, until=until, note="", at=MORNING + HOUR,
        actor=actor_of(case.cast["anna"]),
    )  # fmt: skip
    _list(case.session, lead)
    case.step(lead, until)
    assert (lead.status, lead.cause) == (Status.WITHDRAWN, "suppressed")
    assert case.open_offers(lead) == []
    assert case.session.get_one(DealerLoad, world.dealers["PL-WAW-1"]).open_used == 0
    assert case.mails("dealer_lead_back") == []


def test_one_way_left_open_is_used(case: Case, offered_lead: Callable[..., Lead]) -> None:
    source = case.session.scalars(select(Source).where(Source.code == "api-pl")).one()
    source.solicited = True
    case.session.commit()
    lead = send(case.session, "api-pl", warsaw_lead(), MORNING)
    suppress(
        case.session, "phone", lead.phone, market_id=lead.market_id, origin="person", at=FRIDAY
    )
    case.session.commit()
    case.step(lead, MORNING)
    assert lead.status == Status.OFFERED
