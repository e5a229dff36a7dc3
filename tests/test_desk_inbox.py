"""The dealer's inbox: filters, order, views, several leads at once, the board, what went away."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import savedviews
from lmt.desk import board, queries
from lmt.desk.inboxconditions import Place, place
from lmt.models import Lead, MarketStatus, Offer, PlannedAction, SavedView, User
from lmt.scope import Actor, Part, act_as, actor_of
from lmt.stubs import Wanted, stub_of, stubs
from tests.world import World

Login = Callable[[FlaskClient, User], FlaskClient]
MakeLead = Callable[..., Lead]

NINE = datetime(2026, 3, 6, 8, 5, tzinfo=UTC)
"""9:05 in Warsaw: the dealer is open."""


@pytest.fixture(autouse=True)
def morning() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NINE, tick=False) as traveller:
        yield traveller


@pytest.fixture
def anna(client: FlaskClient, cast: dict[str, User], login: Login) -> FlaskClient:
    return login(client, cast["anna"])


@pytest.fixture
def bert(app: Flask, cast: dict[str, User], login: Login) -> FlaskClient:
    return login(app.test_client(), cast["bert"])


@pytest.fixture
def person(offered_lead: MakeLead) -> Callable[[str], Lead]:
    """An offered lead of somebody of that name, whom nobody else shares a phone or mail with."""

    def make(name: str) -> Lead:
        digits = f"{sum(name.encode()) % 1000:03}"
        mail = f"{name.lower().replace(' ', '.')}@example.com"
        return offered_lead(full_name=name, phone=f"+48 600 100 {digits}", email=mail)

    return make


def names(page: str) -> list[str]:
    return re.findall(r'<td class="who"><a [^>]*><bdi[^>]*>(.*?)</bdi>', page)


def notices(page: str) -> str:
    found = re.findall(r'<div class="notice.*?</div>', page, re.S)
    return " ".join(re.sub(r"<[^>]+>|\s+", " ", each).strip() for each in found)


def shown(client: FlaskClient, **asked: str) -> list[str]:
    return names(client.get("/desk/", query_string=asked).text)


def change(session: Session, lead: Lead, **values: Any) -> None:
    for name, value in values.items():
        setattr(lead, name, value)
    session.commit()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"type": "test_drive"}, ["Ada", "Eve"]),
        ({"type": "quote"}, ["Bob"]),
        ({"model": "or"}, ["Bob"]),
        ({"source": "api-pl"}, ["Ada", "Bob", "Eve"]),
        ({"source": "adf-pl"}, []),
        ({"status": "contacted"}, ["Eve"]),
        ({"status": "won"}, ["Ada", "Bob", "Eve"]),
        ({"mstatus": "bank"}, ["Eve"]),
        ({"who": "none"}, ["Ada", "Bob"]),
        ({"who": "{anna}"}, ["Eve"]),
        ({"who": "1; DROP"}, ["Ada", "Bob", "Eve"]),
        ({"from": "2026-03-06"}, ["Bob", "Eve"]),
        ({"to": "2026-03-05"}, ["Ada"]),
        ({"from": "2026-03-05", "to": "2026-03-05"}, ["Ada"]),
        ({"from": "soon", "to": "9999-12-31"}, ["Ada", "Bob", "Eve"]),
        ({"band": "cold"}, ["Ada"]),
        ({"type": "test_drive", "status": "contacted"}, ["Eve"]),
    ],
    ids=lambda value: (
        "+".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else ""
    ),
)
def test_filters_narrow_a_tab(
    anna: FlaskClient,
    session: Session,
    cast: dict[str, User],
    person: Callable[[str], Lead],
    asked: dict[str, str],
    found: list[str],
) -> None:
    # 23:30 in Warsaw on the 5th, which is 22:30 of that day in UTC.
    ada, bob, eve = person("Ada"), person("Bob"), person("Eve")
    change(session, ada, created_at=datetime(2026, 3, 5, 22, 30, tzinfo=UTC), band="cold")
    change(session, bob, request_type="quote", model="Orion")
    change(session, eve, status="contacted", owner_id=cast["anna"].id, market_status="bank")
    asked = {name: value.format(anna=cast["anna"].id) for name, value in asked.items()}
    assert sorted(shown(anna, tab="all", **asked)) == found


def test_what_was_filtered_goes_along(
    anna: FlaskClient, bert: FlaskClient, person: Callable[[str], Lead]
) -> None:
    person("Ada")
    page = anna.get("/desk/?tab=all&type=test_drive&status=offered&sort=name").text
    tabs = dict(re.findall(r'<a href="(/desk/\?[^"]*)"[^>]*>(\w+)', page))
    kept = {words: address.replace("&amp;", "&") for address, words in tabs.items()}
    assert kept["New"] == "/desk/?tab=new&type=test_drive&status=offered&sort=name"
    # No closed lead is new, so that filter stays behind.
    assert kept["Closed"] == "/desk/?tab=closed&type=test_drive&sort=name"
    assert 'name="type" value="test_drive"' in page
    assert "Filters: 2 in use" in page
    file = bert.get("/desk/leads.csv?tab=all&type=test_drive").text
    assert "Ada" in file
    assert "Ada" not in bert.get("/desk/leads.csv?tab=all&type=quote").text
    assert "No lead fits these filters" in anna.get("/desk/?tab=all&type=quote").text


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ("urgency", ["Ada", "Bob", "Cem", "Dan", "Eve"]),
        ("newest", ["Cem", "Bob", "Ada", "Eve", "Dan"]),
        ("oldest", ["Dan", "Eve", "Ada", "Bob", "Cem"]),
        ("name", ["Ada", "Bob", "Cem", "Dan", "Eve"]),
        ("distance", ["Eve", "Dan", "Cem", "Bob", "Ada"]),
    ],
)
def test_every_order_holds_over_its_pages(
    anna: FlaskClient,
    session: Session,
    person: Callable[[str], Lead],
    monkeypatch: pytest.MonkeyPatch,
    sort: str,
    found: list[str],
) -> None:
    monkeypatch.setattr(queries, "PAGE_ROWS", 2)
    received = {"Ada": 3, "Bob": 4, "Cem": 5, "Dan": 1, "Eve": 2}
    for number, (name, minute) in enumerate(received.items()):
        lead = person(name)
        offer = session.scalars(select(Offer).where(Offer.lead_id == lead.id)).one()
        offer.distance_km = None if name == "Ada" else 10.0 - number
        offer.expires_at = NINE + timedelta(minutes=number)
        change(session, lead, created_at=NINE - timedelta(hours=1) + timedelta(minutes=minute))
    seen: list[str] = []
    address: str | None = f"/desk/?tab=new&sort={sort}"
    while address:
        page = anna.get(address).text
        seen += names(page)
        further = re.search(r'href="([^"]+)" rel="next"', page)
        address = further[1].replace("&amp;", "&") if further else None
    assert seen == found


def test_the_most_urgent_lead_is_what_runs_out_first(
    anna: FlaskClient, session: Session, person: Callable[[str], Lead], world: World
) -> None:
    ada, bob, cem, _new = (person(name) for name in ("Ada", "Bob", "Cem", "New"))
    plan = {"dealer_id": world.dealers["PL-WAW-1"], "kind": "call", "created_at": NINE}
    for lead, hours in ((ada, 30), (bob, -1)):
        session.add(PlannedAction(lead_id=lead.id, due_at=NINE + timedelta(hours=hours), **plan))
    for lead in (ada, bob, cem):
        change(session, lead, status="contacted", contacted_at=NINE)
    assert shown(anna, tab="all") == ["Bob", "New", "Ada", "Cem"]
    assert shown(anna, tab="overdue") == ["Bob"]


@pytest.mark.parametrize(
    ("key", "sort"),
    [(NINE, "urgency"), ("zoë ~ b", "name"), (12.5, "distance")],
    ids=["instant", "name", "distance"],
)
def test_a_page_begins_where_the_last_one_ended(key: Any, sort: str) -> None:
    here = Place(key, uuid.UUID(int=7))
    assert place(str(here), sort) == here


@pytest.mark.parametrize("text", ["", "~", "x~y", f"{uuid.UUID(int=1)}~2026-01-01", "a" * 9999])
def test_a_nonsense_place_is_the_first_page(text: str) -> None:
    assert place(text, "urgency") is None


def test_a_search_looks_through_closed_leads_and_says_so(
    anna: FlaskClient, session: Session, person: Callable[[str], Lead]
) -> None:
    ada, eve = person("Ada Nowak"), person("Eve Nowak")
    change(session, eve, status="lost", closed_at=NINE, request_type="quote")
    page = anna.get("/desk/?q=nowak").text
    assert sorted(names(page)) == ["Ada Nowak", "Eve Nowak"]
    assert "in open and closed leads" in page
    assert shown(anna, q="nowak", type="quote") == ["Eve Nowak"]
    assert shown(anna, q=ada.reference.lower()) == ["Ada Nowak"]


def test_a_view_is_kept_applied_and_brought_back(
    anna: FlaskClient, bert: FlaskClient, session: Session, person: Callable[[str], Lead]
) -> None:
    person("Ada")
    given = {"name": " My  drives ", "tab": "all", "type": "test_drive", "sort": "name"}
    page = anna.post("/desk/views", data=given, follow_redirects=True)
    assert page.request.query_string.decode() == "tab=all&type=test_drive&sort=name"
    assert "is kept" in notices(page.text)
    view = session.scalars(select(SavedView)).one()
    assert (view.name, view.filters) == (
        "My drives",
        {"tab": "all", "type": "test_drive", "sort": "name"},
    )
    link = re.search(r'<a class="view-chip" href="([^"]+)" aria-current', page.text)
    assert link is not None
    assert shown(anna, **dict(re.findall(r"(\w+)=(\w+)", link[1]))) == ["Ada"]
    assert "My drives" not in bert.get("/desk/").text
    again = anna.post("/desk/views", data={**given, "name": "my DRIVES"}, follow_redirects=True)
    assert "a view of this name" in notices(again.text)
    unnamed = anna.post("/desk/views", data={**given, "name": " "}, follow_redirects=True)
    assert "Give the view a name" in notices(unnamed.text)
    assert bert.post(f"/desk/views/{view.id}/delete").status_code == 404
    gone = anna.post(f"/desk/views/{view.id}/delete", follow_redirects=True).text
    assert "was deleted" in gone
    assert "view-chip" not in gone
    assert "was deleted" not in anna.get("/desk/").text
    hidden = re.search(r'<form class="notice undo".*?</form>', gone, re.S)
    assert hidden is not None
    undo = dict(re.findall(r'name="(\w+)" value="([^"]*)"', hidden[0]))
    undo.pop("csrf_token", None)
    assert "My drives" in anna.post("/desk/views", data=undo, follow_redirects=True).text


def test_nobody_keeps_more_views_than_fit(
    anna: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(savedviews, "MOST_VIEWS", 1)
    anna.post("/desk/views", data={"name": "one"})
    page = anna.post("/desk/views", data={"name": "two"}, follow_redirects=True).text
    assert "the most there can be" in notices(page)


def bulk(client: FlaskClient, leads: list[Lead], act: str, **given: str) -> str:
    data = {"lead": [str(lead.id) for lead in leads], "act": act, **given}
    return client.post("/desk/bulk?tab=all", data=data, follow_redirects=True).text


def test_several_leads_at_once_each_by_its_own_verb(
    anna: FlaskClient,
    session: Session,
    cast: dict[str, User],
    person: Callable[[str], Lead],
) -> None:
    ada, bob, eve = (person(name) for name in ("Ada", "Bob", "Eve"))
    for lead in (ada, bob):
        anna.post(f"/desk/leads/{lead.id}/accept")
    assert "Select leads first" in bulk(anna, [], "lost", reason="price")
    assert "choose a colleague" in bulk(anna, [ada], "hand", to="")
    assert "choose a reason" in bulk(anna, [ada], "lost", reason="bribe")
    assert "give a day" in bulk(anna, [ada], "rest", until="soon")

    told = notices(bulk(anna, [ada, bob], "hand", to=str(cast["bert"].id)))
    assert "Leads handed over: 2." in told
    session.expire_all()
    assert {ada.owner_id, bob.owner_id} == {cast["bert"].id}
    stranger = notices(bulk(anna, [ada], "hand", to=str(cast["carla"].id)))
    assert f"{ada.reference}: This colleague doesn't work" in stranger.replace("&#39;", "'")

    told = notices(bulk(anna, [ada, eve], "rest", until="2026-03-15"))
    assert "1 lead rests." in told
    assert "1 lead was left as it is." in told
    assert f"{eve.reference}: Its status is “New”." in told
    session.expire_all()
    # The 15th is a Sunday: the dealer opens on Monday at 9.
    assert ada.resting_until == datetime(2026, 3, 16, 8, 0, tzinfo=UTC)

    page = bulk(anna, [ada, bob, eve], "lost", reason="price")
    assert "Leads closed as lost: 2." in notices(page)
    session.expire_all()
    assert [ada.status, bob.status, eve.status] == ["lost", "lost", "offered"]
    offered = re.search(r'<form class="notice undo".*?</form>', page, re.S)
    assert offered is not None
    undone = re.findall(r'name="lead" value="(\w+)"', offered[0])
    anna.post("/desk/bulk", data={"lead": undone, "act": "reopen"})
    session.expire_all()
    assert [ada.status, bob.status] == ["accepted", "accepted"]
    assert anna.post("/desk/bulk", data={"lead": undone, "act": "contacted"}).status_code == 400


def test_a_rivals_lead_is_touched_by_no_bulk(
    app: Flask, cast: dict[str, User], login: Login, session: Session, person: Callable[[str], Lead]
) -> None:
    ada = person("Ada")
    carla = login(app.test_client(), cast["carla"])
    told = bulk(carla, [ada], "lost", reason="price")
    assert "It is no longer with you." in notices(told)
    assert ada.reference not in told
    session.refresh(ada)
    assert ada.status == "offered"


def test_the_board_shows_where_leads_stand(
    anna: FlaskClient,
    session: Session,
    person: Callable[[str], Lead],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(board, "MOST_CARDS", 1)
    ada, bob, _eve = (person(name) for name in ("Ada", "Bob", "Eve"))
    anna.post(f"/desk/leads/{ada.id}/accept")
    change(session, bob, status="lost", closed_at=NINE - timedelta(days=15))

    def columns(address: str) -> dict[str, list[str]]:
        page = anna.get(address).text
        parts = re.split(r'<h2 id="column-(\w+)">', page)[1:]
        return {
            status: re.findall(r'class="who"><a [^>]*><bdi>(.*?)</bdi>', part)
            for status, part in zip(parts[::2], parts[1::2], strict=True)
        }

    none = {"contacted": [], "resting": [], "won": [], "lost": []}
    assert columns("/desk/board") == {"offered": ["Eve"], "accepted": ["Ada"], **none}
    assert columns("/desk/board?who=me") == {"offered": [], "accepted": ["Ada"], **none}
    change(session, bob, closed_at=NINE - timedelta(days=13))
    page = anna.get("/desk/board").text
    assert columns("/desk/board")["lost"] == ["Bob"]
    # What needs no more data is one button; the rest opens its form.
    assert f'action="/desk/leads/{bob.id}/reopen"' in page
    assert f'href="/desk/leads/{ada.id}#contacted"' in page
    person("Fay")
    assert 'href="/desk/?tab=new&amp;status=offered"' in anna.get("/desk/board").text


def test_a_markets_own_status_is_told_by_its_name(
    anna: FlaskClient, session: Session, person: Callable[[str], Lead], world: World
) -> None:
    names_of = {"pl": "Czeka na bank", "en": "Waits for the bank"}
    session.add(
        MarketStatus(market_id=world.markets["PL"], code="bank", status="contacted", names=names_of)
    )
    change(session, person("Ada"), status="contacted", market_status="bank")
    page = anna.get("/desk/?tab=all").text
    assert "<bdi>Waits for the bank</bdi>" in page
    assert '<option value="bank">Waits for the bank</option>' in page
    assert "Czeka na bank" in anna.get("/desk/board?lang=pl").text


def test_what_went_away_stays_without_the_person(
    anna: FlaskClient,
    session: Session,
    cast: dict[str, User],
    person: Callable[[str], Lead],
) -> None:
    ada, bob = person("Ada"), person("Bob")
    anna.post(f"/desk/leads/{ada.id}/decline", data={"reason": "no_capacity"})
    session.refresh(ada)
    page = anna.get("/desk/?tab=passed").text
    assert names(page) == [ada.reference]
    for words in ("Test drive", "Aurel Mira", "Declined", "No capacity right now"):
        assert words in page
    for secret in ("Ada", "+48", "example.com", "Warszawa"):
        assert secret not in page.split('id="inbox"')[1]
    assert shown(anna, tab="passed", how="expired") == []
    assert shown(anna, tab="passed", how="declined", type="test_drive") == [ada.reference]
    assert anna.get("/desk/leads.csv?tab=passed").status_code in {403, 404}

    of_anna, of_carla = actor_of(cast["anna"]), actor_of(cast["carla"])
    gone, kept = ada.id, bob.id
    with act_as(session, of_anna):
        left = stub_of(session, gone, of_anna)
        assert left is not None
        assert (left.how, left.reason, left.model) == ("declined", "no_capacity", "Mira")
        assert stub_of(session, kept, of_anna) is None, "still with them"
        assert stub_of(session, gone, of_carla) is None, "they have it now"
        assert stub_of(session, uuid.uuid4(), of_anna) is None
        other_brand = Actor(None, frozenset(), (Part(dealer_id=left.dealer_id, brand_id=999),))
        assert stubs(session, other_brand) == []
        assert stubs(session, of_anna, Wanted(until=NINE - timedelta(days=1))) == []


def test_stubs_come_in_pages(
    anna: FlaskClient, person: Callable[[str], Lead], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PAGE_ROWS", 1)
    references = set()
    for name in ("Ada", "Bob", "Eve"):
        lead = person(name)
        anna.post(f"/desk/leads/{lead.id}/decline", data={"reason": "other"})
        references.add(lead.reference)
    seen: list[str] = []
    address: str | None = "/desk/?tab=passed"
    while address:
        page = anna.get(address).text
        seen += names(page)
        further = re.search(r'href="([^"]+)" rel="next"', page)
        address = further[1].replace("&amp;", "&") if further else None
    assert sorted(seen) == sorted(references)


@pytest.mark.parametrize(
    ("address", "most"),
    [
        ("/desk/?tab=all&type=test_drive&who=none&sort=distance", 13),
        ("/desk/?q=jan", 13),
        ("/desk/?tab=passed", 11),
        ("/desk/board", 17),
    ],
)
def test_a_page_asks_as_much_for_ten_leads_as_for_two(
    anna: FlaskClient,
    person: Callable[[str], Lead],
    count_queries: list[str],
    address: str,
    most: int,
) -> None:
    def asked(count: int, letter: str) -> int:
        for number in range(count):
            lead = person(f"Jan {letter}{number}")
            if "passed" in address:
                anna.post(f"/desk/leads/{lead.id}/decline", data={"reason": "other"})
        count_queries.clear()
        assert anna.get(address).status_code == 200
        return len([each for each in count_queries if each.startswith("SELECT")])

    few = asked(2, "A")
    assert asked(8, "B") == few
    assert few <= most
