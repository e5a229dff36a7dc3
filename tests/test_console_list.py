"""The console's list of leads: its filters, views that are kept, walks that end, queues in bulk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.hq import leadlist
from lmt.hq.filters import Cell, LeadFilter, cell
from lmt.models import Event, Lead, User
from tests.two_markets import NOW, TwoMarkets, parsed

Login = Callable[[FlaskClient, User], FlaskClient]


@pytest.fixture
def house(session: Session, cast: dict[str, User]) -> TwoMarkets:
    return TwoMarkets(session, cast["hana"].password or "")


@pytest.fixture
def hana(app: Flask, login: Login, house: TwoMarkets) -> FlaskClient:
    return login(app.test_client(), house.people["hana"])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("type=quote", {"b"}),
        ("model=elv", {"b"}),
        ("brand=two-aurelia", {"a", "b", "c"}),
        ("brand=none-such", set()),
        ("source=two-gulf-form", {"c"}),
        ("status=own:bank", {"b"}),
        ("who=anna", {"a"}),
        ("who=none", {"b", "c"}),
        ("cell=24,46,1", {"a"}),
        ("cell=24,46,77", {"a", "b", "c"}),
        ("from=1990-01-01&to=1990-01-02", set()),
        ("sort=oldest", {"a", "b", "c"}),
        ("search=anybody+else", set()),
    ],
)
def test_what_the_filters_leave(
    hana: FlaskClient, house: TwoMarkets, query: str, found: set[str]
) -> None:
    leads = {
        "a": house.lead(house.riyadh, owner_id=house.people["anna"].id, lat=24.7, lon=46.7),
        "b": house.lead(
            house.jeddah,
            request_type="quote",
            model="Elvaro",
            status="accepted",
            market_status="bank",
        ),
        "c": house.lead(house.riyadh, status="won", source="form"),
    }
    page = hana.get(f"/hq/leads?{query}").text
    assert {name for name, lead in leads.items() if str(lead.id) in page} == found


@pytest.mark.parametrize("sort", ["newest", "oldest"])
@pytest.mark.parametrize("search", ["", "Nora"])
def test_a_walk_that_ends_says_so_and_goes_on(
    session: Session, house: TwoMarkets, monkeypatch: pytest.MonkeyPatch, sort: str, search: str
) -> None:
    monkeypatch.setattr(leadlist, "WALK", 3)
    monkeypatch.setattr(leadlist, "FIRST_WALK", 2)
    monkeypatch.setattr(leadlist, "MOST_RARE", 1)
    monkeypatch.setattr(
        leadlist.fitting, "__kwdefaults__", {"after": None, "columns": (), "walk": 3}
    )
    hot = set()
    for place in range(12):
        band = "hot" if place % 5 == 0 else "cold"
        made = house.lead(house.riyadh, band=band, created_at=NOW - timedelta(hours=place))
        hot |= {made.id} if band == "hot" else set()
    wanted = LeadFilter.of({"band": "hot", "sort": sort, "search": search})
    seen, after, pages = [], None, 0
    while pages < 12:
        page = leadlist.leads(session, wanted, at=NOW, after=after)
        seen += [lead.id for lead in page.leads]
        after, pages = page.next, pages + 1
        if after is None:
            break
        assert page.looked_until is not None
    assert pages > 1
    assert len(seen) == 3
    assert set(seen) == hot


def test_a_view_is_kept_used_deleted_and_brought_back(hana: FlaskClient) -> None:
    saved = hana.post("/hq/views", data={"view": "Hot ones", "band": "hot"}, follow_redirects=True)
    assert "The view was saved." in saved.text
    again = hana.post("/hq/views", data={"view": "hot ONES", "band": "cold"}, follow_redirects=True)
    assert "You have a view of this name already." in again.text
    page = parsed(hana.get("/hq/leads").text)
    (link,) = page.xpath("//ul[@class='view-list']//a")
    assert link.get("href") == "/hq/leads?band=hot"
    (address,) = page.xpath("//ul[@class='view-list']//form/@action")
    gone = parsed(hana.post(address, follow_redirects=True).text)
    assert not gone.xpath("//ul[@class='view-list']//a")
    (undo,) = gone.xpath("//div[contains(@class,'notice')]//form/@action")
    back = parsed(hana.post(undo, follow_redirects=True).text)
    assert back.xpath("string(//ul[@class='view-list']//a)") == "Hot ones"
    assert hana.post("/hq/views/999999/delete").status_code == 404


def test_several_leads_of_a_queue_go_to_one_dealer(
    hana: FlaskClient, house: TwoMarkets, session: Session
) -> None:
    waiting = [
        house.lead(market=house.gulf, status="unrouted", cause="all_capped") for _each in range(2)
    ]
    closed = house.lead(house.riyadh, status="withdrawn")
    foreign = house.lead(market=house.poland, status="unrouted", cause="all_capped")
    chosen = [str(lead.id) for lead in (*waiting, closed, foreign)]
    given = {"lead": chosen, "dealer": "two-jeddah", "reason": "They have time"}
    told = hana.post("/hq/queues/unrouted", data=given, follow_redirects=True).text
    assert "2 leads were given to the dealer." in told
    assert "2 leads stay: it has moved on in the meantime" in told
    session.expire_all()
    found = session.scalars(select(Lead).where(Lead.id.in_([lead.id for lead in waiting]))).all()
    assert {(lead.status, lead.dealer_id) for lead in found} == {("offered", house.jeddah.id)}
    empty = hana.post("/hq/queues/unrouted", data={"do": "anew"})
    assert empty.status_code == 422
    assert "Choose one lead or several." in empty.text


def test_a_lead_is_decided_anew_with_a_reason(
    hana: FlaskClient, house: TwoMarkets, session: Session
) -> None:
    lead = house.lead(market=house.gulf, status="unrouted", cause="no_opening")
    address = f"/hq/leads/{lead.id}/route"
    assert hana.post(address, data={"reason": ""}).status_code == 422
    assert hana.post(address, data={"reason": "Hours were mended"}).status_code == 302
    told = session.scalars(
        select(Event).where(Event.lead_id == lead.id, Event.kind == "routed_again")
    ).one()
    assert told.data["reason"] == "Hours were mended"
    closed = house.lead(house.riyadh, status="withdrawn")
    moved = hana.post(
        f"/hq/leads/{closed.id}/route", data={"reason": "Again"}, follow_redirects=True
    )
    assert "has moved on in the meantime" in moved.text


@pytest.mark.parametrize("text", ["", "1,2", "91,0,1", "0,0,0.3", "a,b,c", "1,2,1,1"])
def test_a_square_that_is_none(text: str) -> None:
    assert cell(text) is None


def test_a_square_survives_the_address() -> None:
    assert cell(str(Cell(-33.875, 151.125, 0.125))) == Cell(-33.875, 151.125, 0.125)
