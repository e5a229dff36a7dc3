"""The page of a lead at the desk: every act is a plain form, and what was done is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import appointments
from lmt.accounts.service import Scope, create_user
from lmt.calendars import dealer_calendar
from lmt.colleagues import named_in
from lmt.desk import forms, steps
from lmt.models import (
    Absence,
    Event,
    Lead,
    MarketStatus,
    Message,
    Outcome,
    PlannedAction,
    SlotTerms,
    User,
    record,
)
from lmt.workhours import Calendar
from tests.world import PASSWORD, World, somebody

Login = Callable[[FlaskClient, User], FlaskClient]
MakeLead = Callable[..., Lead]

NINE = datetime(2026, 3, 6, 8, 5, tzinfo=UTC)
"""Friday, 9:05 in Warsaw: PL-WAW-1 is open, also tomorrow from 9 on."""


@pytest.fixture(autouse=True)
def morning() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NINE, tick=False) as traveller:
        yield traveller


@pytest.fixture
def anna(client: FlaskClient, cast: dict[str, User], login: Login) -> FlaskClient:
    return login(client, cast["anna"])


@pytest.fixture
def lead(anna: FlaskClient, offered_lead: MakeLead) -> Lead:
    """Anna has accepted it."""
    made = offered_lead(**somebody())
    anna.post(f"/desk/leads/{made.id}/accept")
    return made


def post(client: FlaskClient, lead: Lead, verb: str, **data: Any) -> str:
    """The page after a form was sent."""
    return client.post(f"/desk/leads/{lead.id}/{verb}", data=data, follow_redirects=True).text


def plain(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def undo_address(page: str) -> str:
    found = re.search(
        r'<div class="notice[^>]*>.*?<form method="post" action="([^"]+)"', page, re.S
    )
    assert found is not None, "the flash offers to undo"
    return found[1].replace("&amp;", "&")


@pytest.mark.parametrize(
    ("quick", "due_at"),
    [
        ("now", NINE + timedelta(minutes=10)),
        ("hour", NINE + timedelta(hours=1)),
        ("opening", datetime(2026, 3, 7, 8, 0, tzinfo=UTC)),
    ],
    ids=["now", "in an hour", "tomorrow at opening"],
)
def test_one_tap_accepts_with_a_call(
    anna: FlaskClient, offered_lead: MakeLead, session: Session, quick: str, due_at: datetime
) -> None:
    lead = offered_lead(**somebody())
    assert f'name="quick" value="{quick}"' in anna.get(f"/desk/leads/{lead.id}").text
    post(anna, lead, "accept", quick=quick)
    session.refresh(lead)
    assert lead.status == "accepted"
    step = session.scalars(select(PlannedAction).where(PlannedAction.lead_id == lead.id)).one()
    assert (step.kind, step.due_at) == ("call", due_at)


def test_a_dealer_that_never_opens_calls_at_nine() -> None:
    never = Calendar(timezone="Europe/Warsaw", hours="off")
    due_at = steps.quick_due("opening", calendar=never, at=NINE)
    assert due_at == datetime(2026, 3, 7, 8, 0, tzinfo=UTC)


def test_a_step_is_planned_at_a_bookable_time_which_is_then_taken(
    anna: FlaskClient, lead: Lead, session: Session, world: World
) -> None:
    dealer_id = world.dealers["PL-WAW-1"]
    session.add(SlotTerms(dealer_id=dealer_id, kind="test_drive", minutes=60, capacity=1))
    session.commit()
    first = appointments.bookable(session, dealer_id, "test_drive", NINE, 14)[0]
    value = steps.slot_value("test_drive", first.starts_at)
    assert f'value="{value}"' in anna.get(f"/desk/leads/{lead.id}").text
    # The time says what it is for, whatever else is picked.
    page = post(anna, lead, "plan", kind="call", when=value)
    assert "By the dealer" in page
    booked = session.scalars(select(PlannedAction)).one()
    assert (booked.kind, booked.slot_at) == ("test_drive", first.starts_at)
    assert f'value="{value}"' not in page
    refused = anna.post(
        f"/desk/leads/{lead.id}/plan",
        data={"when": steps.slot_value("visit", first.starts_at)},
    )
    assert refused.status_code == 422
    assert "just taken" in refused.text
    page = anna.post(f"/desk/plans/{booked.id}/cancel", follow_redirects=True).text
    assert "Called off." in page
    assert f'value="{value}"' in page


@pytest.mark.parametrize(
    ("given", "kind", "due_at"),
    [
        ({"kind": "visit", "when": "hour"}, "visit", NINE + timedelta(hours=1)),
        ({"kind": "call", "when": "", "due_at": "2026-03-09T10:00"}, "call",
         datetime(2026, 3, 9, 9, 0, tzinfo=UTC)),
        ({"kind": "", "when": "hour"}, "", None),
        ({"kind": "call", "when": "someday"}, "", None),
        ({"kind": "call", "when": "slot~visit~never"}, "", None),
        ({"kind": "call", "when": "slot~visit~2026-03-09T10:00"}, "", None),
    ],
    ids=["quick", "typed", "no kind", "unknown time", "no instant", "no zone"],
)  # fmt: skip
def test_a_planned_step_is_read_as_it_was_picked(
    session: Session, world: World, given: dict[str, str], kind: str, due_at: datetime | None
) -> None:
    calendar = dealer_calendar(session, world.dealers["PL-WAW-1"], NINE)
    if due_at is None:
        with pytest.raises(forms.Unclear):
            steps.step_of_planning(given, calendar=calendar, at=NINE)
        return
    step = steps.step_of_planning(given, calendar=calendar, at=NINE)
    assert (step.kind, step.due_at, step.booked) == (kind, due_at, False)


def test_a_planned_step_moves(anna: FlaskClient, lead: Lead, session: Session) -> None:
    post(anna, lead, "plan", kind="call", when="hour")
    step = session.scalars(select(PlannedAction)).one()
    address = f"/desk/plans/{step.id}/move"
    assert anna.post(address, data={"due_at": "soon"}).status_code == 422
    page = anna.post(address, data={"due_at": "2026-03-09T10:00"}, follow_redirects=True).text
    session.refresh(step)
    assert step.due_at == datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
    assert "Moved." in page


def test_a_sale_of_yesterday_is_told_as_such_and_taken_back_from_the_flash(
    anna: FlaskClient, lead: Lead, session: Session
) -> None:
    tomorrow = {"sold_on": "2026-03-07"}
    assert anna.post(f"/desk/leads/{lead.id}/won", data=tomorrow).status_code == 422
    page = post(anna, lead, "won", model="Mira", sold_on="2026-03-05")
    sale = session.scalars(select(Outcome)).one()
    assert sale.at == datetime(2026, 3, 5, 11, 0, tzinfo=UTC)
    session.refresh(lead)
    assert lead.closed_at == NINE
    page = anna.post(undo_address(page), follow_redirects=True).text
    assert "open again" in page
    session.refresh(lead)
    assert lead.status == "accepted"


@pytest.mark.parametrize(
    ("verb", "given"),
    [("lost", {"reason": "price"}), ("rest", {"until": "2026-03-20"})],
    ids=["lost", "not yet"],
)
def test_an_end_is_undone_from_the_flash(
    anna: FlaskClient, lead: Lead, session: Session, verb: str, given: dict[str, str]
) -> None:
    page = post(anna, lead, verb, **given)
    session.refresh(lead)
    assert lead.status != "accepted"
    anna.post(undo_address(page))
    session.refresh(lead)
    assert lead.status == "accepted"


def test_a_lead_is_handed_to_a_colleague_and_back(
    app: Flask,
    anna: FlaskClient,
    lead: Lead,
    session: Session,
    cast: dict[str, User],
    world: World,
) -> None:
    post(anna, lead, "plan", kind="call", when="hour")
    until = NINE + timedelta(days=2)
    session.add(Absence(user_id=cast["bert"].id, starts_at=NINE, ends_at=until))
    session.commit()
    page = anna.get(f"/desk/leads/{lead.id}").text
    assert "Bert (away until" in page
    assert "Carla" not in page
    carla = cast["carla"].id
    assert anna.post(f"/desk/leads/{lead.id}/hand", data={"to": carla}).status_code == 422
    page = post(anna, lead, "hand", to=cast["bert"].id, note="Speaks Polish")
    assert "Bert has the lead now." in page
    assert "Handed to a colleague" in page
    session.refresh(lead)
    step = session.scalars(select(PlannedAction)).one()
    assert (lead.owner_id, step.owner_id) == (cast["bert"].id, cast["bert"].id)
    anna.post(undo_address(page))
    session.refresh(lead)
    assert lead.owner_id == cast["anna"].id
    page = post(anna, lead, "hand", to="team")
    assert "The whole team has the lead now." in page


def test_the_colleague_it_is_handed_to_is_told(
    anna: FlaskClient, lead: Lead, session: Session, cast: dict[str, User]
) -> None:
    post(anna, lead, "hand", to=cast["bert"].id)
    told = session.scalars(select(Message).where(Message.kind == "colleague_handed")).one()
    assert told.recipient == "bert@lmt.example"
    post(anna, lead, "hand", to=cast["anna"].id)
    kinds = select(Message).where(Message.kind == "colleague_handed")
    assert len(session.scalars(kinds).all()) == 1, "who takes it back needs no mail"


def test_a_note_tells_whom_it_names(
    anna: FlaskClient, lead: Lead, session: Session, cast: dict[str, User]
) -> None:
    page = post(anna, lead, "note", note="@bert please call", tell=[cast["carla"].id])
    assert "Bert will be told by mail" in page
    assert "told Bert" in page
    told = session.scalars(select(Message).where(Message.kind == "colleague_mentioned")).all()
    assert [each.recipient for each in told] == ["bert@lmt.example"]
    post(anna, lead, "note", note="For you", tell=[cast["bert"].id])
    told = session.scalars(select(Message).where(Message.kind == "colleague_mentioned")).all()
    assert len(told) == 2


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("@Anna Nowak look", {1}),
        ("ask @anna nowak, and @Bert", {1, 2}),
        ("@anna", set()),
        ("mail anna@bert.example", set()),
        ("@Berta", set()),
        ("(@BERT)", {2}),
        ("", set()),
    ],
)
def test_whom_a_note_names(text: str, named: set[int]) -> None:
    names = {1: "Anna Nowak", 2: "Bert", 3: "Anna Zielińska"}
    assert named_in(text, names) == named


def test_the_markets_own_status_lasts_until_the_next_step(
    anna: FlaskClient, lead: Lead, session: Session, world: World
) -> None:
    for code, status in (("bank", "accepted"), ("soon", "contacted")):
        names = {"en": f"Waits: {code}", "pl": "Czeka"}
        market_id = world.markets["PL"]
        session.add(MarketStatus(market_id=market_id, code=code, status=status, names=names))
    session.commit()
    page = anna.get(f"/desk/leads/{lead.id}").text
    assert "Waits: bank" in page
    assert "Waits: soon" not in page
    assert anna.post(f"/desk/leads/{lead.id}/status", data={"code": "soon"}).status_code == 422
    page = post(anna, lead, "status", code="bank")
    session.refresh(lead)
    assert lead.market_status == "bank"
    anna.post(undo_address(page))
    session.refresh(lead)
    assert lead.market_status == ""
    post(anna, lead, "status", code="bank")
    post(anna, lead, "contacted", how="phone", result="reached")
    session.refresh(lead)
    assert (lead.status, lead.market_status) == ("contacted", "")


def test_the_story_tells_what_the_customer_received(
    anna: FlaskClient, lead: Lead, session: Session
) -> None:
    received = session.scalars(
        select(Message).where(Message.lead_id == lead.id, Message.kind == "customer_received")
    ).one()
    page = plain(anna.get(f"/desk/leads/{lead.id}").text)
    assert "Confirmation to the customer to the customer Waiting" in page
    received.status, received.sent_at, received.subject = "sent", NINE, "We have your request"
    data = {"kind": received.kind, "audience": "customer"}
    session.add(
        Event(lead_id=lead.id, at=NINE, kind="mail_sent", dealer_id=lead.dealer_id, data=data)
    )
    session.commit()
    page = plain(anna.get(f"/desk/leads/{lead.id}").text)
    assert "Mail sent to the customer" in page
    assert "We have your request" in page


def test_a_long_story_is_cut_and_shown_whole_when_asked(
    anna: FlaskClient, lead: Lead, session: Session
) -> None:
    for number in range(205):
        at = NINE + timedelta(seconds=number)
        text = f"Remark {number:03}"
        record(session, lead.id, "note", at=at, dealer_id=lead.dealer_id, text=text)
    session.commit()
    page = anna.get(f"/desk/leads/{lead.id}").text
    assert "Remark 204" in page
    assert "Remark 000" not in page
    assert "Remark 000" in anna.get(f"/desk/leads/{lead.id}?history=all").text


def test_a_lead_that_went_elsewhere_leaves_a_stub_without_its_person(
    app: Flask,
    anna: FlaskClient,
    offered_lead: MakeLead,
    session: Session,
    world: World,
    login: Login,
) -> None:
    lead = offered_lead(**somebody())
    post(anna, lead, "decline", reason="no_capacity")
    page = anna.get(f"/desk/leads/{lead.id}")
    assert page.status_code == 200
    for words in ("no longer with you", lead.reference, "You declined it", "No capacity right now"):
        assert words in page.text
    for secret in ("Kowal", lead.phone, lead.email, "Cześć", "Aurel Wola"):
        assert secret not in page.text
    assert anna.post(f"/desk/leads/{lead.id}/accept").status_code == 404
    dubai = create_user(
        session, "dina@lmt.example", "Dina", PASSWORD, roles=["agent"],
        scopes=[Scope(dealer_id=world.dealers["AE-DXB-1"])], language="en", timezone="Asia/Dubai",
    )  # fmt: skip
    session.commit()
    never = login(app.test_client(), dubai)
    assert never.get(f"/desk/leads/{lead.id}").status_code == 404


def test_links_of_the_inbox_find_their_forms(anna: FlaskClient, offered_lead: MakeLead) -> None:
    lead = offered_lead(**somebody())
    page = anna.get(f"/desk/leads/{lead.id}").text
    assert keys_of(page) >= {("accept", "a"), ("decline", "d"), ("note", "n")}
    page = post(anna, lead, "accept")
    assert keys_of(page) >= {("contacted", "c"), ("note", "n")}


def keys_of(page: str) -> set[tuple[str, str]]:
    return set(re.findall(r'id="([a-z-]+)"[^>]*? data-act="(\w)"', page))


def test_a_lead_with_much_beside_it_asks_no_more_than_one_with_little(
    anna: FlaskClient,
    lead: Lead,
    session: Session,
    cast: dict[str, User],
    count_queries: list[str],
) -> None:
    def asked() -> int:
        count_queries.clear()
        assert anna.get(f"/desk/leads/{lead.id}").status_code == 200
        return len([each for each in count_queries if each.startswith("SELECT")])

    post(anna, lead, "note", note="First", tell=[cast["bert"].id])
    post(anna, lead, "plan", kind="call", when="hour")
    post(anna, lead, "help", question="May I?")
    few = asked()
    for number in range(8):
        post(anna, lead, "note", note=f"More {number}", tell=[cast["bert"].id])
        post(anna, lead, "plan", kind="visit", due_at=f"2026-03-2{number}T10:00")
        post(anna, lead, "help", question=f"May I? {number}")
    assert asked() == few
    assert few <= 60
