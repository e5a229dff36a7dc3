"""A lead whose place is unclear: what could be meant is shown, and a person picks."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt.accounts.service import Scope, create_user
from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.lifecycle import IllegalStep, Status
from lmt.links import status_link
from lmt.locating import UnknownPlace, locate_as, locate_by_hand, place_question
from lmt.models import (
    Competence,
    Dealer,
    DealerTerms,
    Event,
    Lead,
    Place,
    PlaceName,
    Postcode,
    Territory,
    User,
)
from lmt.models.validity import since
from lmt.portal.formtoken import form_token
from lmt.routing.directory import dealers_changed
from lmt.routing.names import index_keys
from lmt.scope import SYSTEM, act_as, actor_of
from tests.world import FRIDAY, PASSWORD, World, send, somebody, warsaw_lead

NEAR_WARSAW, NEAR_KRAKOW, IN_THE_HILLS, ABROAD = 900_001, 900_002, 900_003, 900_004
ZIELINS = [
    (NEAR_WARSAW, "Zielin", "PL", "78", 9_000, 52.3000, 21.1500, ["Зелин"]),
    (NEAR_KRAKOW, "Zielin", "PL", "77", 8_000, 50.1000, 19.8000, ["Зелин"]),
    (IN_THE_HILLS, "Zielin", "PL", "77", 7_000, 49.7000, 20.6000, []),
    (ABROAD, "Zielin", "AE", "03", 9_000, 25.1000, 55.2000, []),
    (900_005, "Tarnów", "PL", "77", 105_000, 50.0100, 20.9900, []),
]
LATER = FRIDAY + timedelta(minutes=20)


@pytest.fixture(autouse=True)
def later() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(LATER, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def namesakes(later: time_machine.Traveller, session: Session, world: World) -> None:
    """Several Zielins, with a dealer at Kraków beside those of Warsaw."""
    for id, name, country, admin1, population, lat, lon, others in ZIELINS:
        zone = "Europe/Warsaw" if country == "PL" else "Asia/Dubai"
        session.add(
            Place(id=id, name=name, country=country, admin1=admin1, population=population,
                  lat=lat, lon=lon, timezone=zone)
        )  # fmt: skip
        session.flush()
        keys = {key for each in (name, *others) for key in index_keys(each)}
        session.add_all(PlaceName(place_id=id, key=key, country=country) for key in sorted(keys))
    codes = [("32001", "Zielin", 50.1, 19.8, 4.0), ("01001", "Warsaw", 52.23, 21.0, 2.0)]
    for code, place, lat, lon, km in codes:
        session.add(
            Postcode(country="PL", code=code, place=place, lat=lat, lon=lon, radius_km=km)
        )  # fmt: skip
    dealer = Dealer(code="PL-KRK-1", market_id=world.markets["PL"], kind="showroom")
    session.add(dealer)
    session.flush()
    session.add(
        DealerTerms(
            dealer_id=dealer.id, name="Aurel Wawel", email="krk@dealers.example", language="pl",
            city="Kraków", country="PL", lat=50.06, lon=19.94, timezone="Europe/Warsaw",
            hours="Mo-Fr 09:00-18:00", valid=since(None),
        )
    )  # fmt: skip
    session.add_all(
        Competence(dealer_id=dealer.id, brand_id=world.brand_id, service=service, valid=since(None))
        for service in ("sales", "used")
    )
    dealers_changed(session, FRIDAY, None)
    session.commit()


@pytest.fixture
def unclear(session: Session, sessions: SessionFactory) -> Callable[..., Lead]:
    """A lead from one of the Zielins, in the queue."""

    def make(**address: str) -> Lead:
        data = warsaw_lead(**somebody()) | {
            "address": {"city": "Zielin", "country": "PL"} | address
        }
        lead = send(session, "api-pl", data, FRIDAY)
        pipeline.advance(sessions, lead.id, FRIDAY)
        session.expire_all()
        assert lead.status == Status.UNLOCATED
        return lead

    return make


@pytest.fixture
def hana(
    app: Flask, cast: dict[str, User], login: Callable[[FlaskClient, User], FlaskClient]
) -> FlaskClient:
    return login(app.test_client(), cast["hana"])


def keys_of(page: str) -> list[str]:
    return [str(key) for key in html.fromstring(page).xpath("//button[@name='place']/@value")]


def words_of(page: str) -> list[str]:
    buttons = html.fromstring(page).xpath("//button[@name='place']")
    return [" ".join(button.text_content().split()) for button in buttons]


def located(session: Session, lead: Lead) -> list[dict[str, Any]]:
    session.expire_all()
    events = session.scalars(
        select(Event).where(Event.lead_id == lead.id, Event.kind == "located").order_by(Event.id)
    )
    return [event.data for event in events]


# The verb


@pytest.mark.parametrize(
    ("picked", "dealers"),
    [
        (f"place-{NEAR_WARSAW}", {"PL-WAW-1", "PL-WAW-2"}),
        (f"place-{NEAR_KRAKOW}", {"PL-KRK-1"}),
        ("postcode-PL-32001", {"PL-KRK-1"}),
    ],
)
def test_who_is_picked_decides_which_dealer_gets_it(
    session: Session, sessions: SessionFactory, cast: dict[str, User],
    unclear: Callable[..., Lead], picked: str, dealers: set[str],
) -> None:  # fmt: skip
    lead = unclear()
    locate_as(session, lead.id, picked, at=LATER, actor=actor_of(cast["hana"]))
    assert (lead.status, lead.next_action_at) == (Status.UNLOCATED, LATER)
    assert (lead.location_method, lead.timezone, lead.city) == ("chosen", "Europe/Warsaw", "Zielin")
    assert pipeline.advance(sessions, lead.id, LATER)
    session.expire_all()
    assert lead.status == Status.OFFERED
    assert lead.dealer is not None
    assert lead.dealer.code in dealers
    told = located(session, lead)[-1]
    assert (told["method"], told["place"], told["by"]) == ("chosen", "Zielin", "headquarters")


def test_a_spot_on_the_map_does_as_well(
    session: Session, sessions: SessionFactory, cast: dict[str, User], unclear: Callable[..., Lead]
) -> None:
    lead = unclear()
    spot = {"lat": 50.09, "lon": 19.81, "accuracy_km": 1.0}
    locate_by_hand(session, lead.id, **spot, at=LATER, actor=actor_of(cast["hana"]))
    assert (lead.lat, lead.lon, lead.accuracy_km) == (50.09, 19.81, 1.0)
    pipeline.advance(sessions, lead.id, LATER)
    session.expire_all()
    assert lead.dealer is not None
    assert lead.dealer.code == "PL-KRK-1"


def test_a_spot_outside_of_the_market_is_refused(
    session: Session, unclear: Callable[..., Lead]
) -> None:
    lead = unclear()
    for lat, lon in ((25.1, 55.2), (0.0, -30.0), (91.0, 0.0), (math.nan, 20.0)):
        spot = {"lat": lat, "lon": lon, "accuracy_km": 1.0}
        with pytest.raises(UnknownPlace):
            locate_by_hand(session, lead.id, **spot, at=LATER, actor=None)
    assert lead.location_method == ""


def test_what_is_no_place_of_the_market_is_refused(
    session: Session, unclear: Callable[..., Lead]
) -> None:
    lead = unclear()
    for wrong in (
        "", "place-", "place-1", "place-x", f"place-{ABROAD}", "place-99999999999",
        f"place-{2**31}", "place-٣", "postcode-PL-99999", "postcode-AE-32001", "elsewhere-1",
    ):  # fmt: skip
        with pytest.raises(UnknownPlace):
            locate_as(session, lead.id, wrong, at=LATER, actor=None)
    assert len(located(session, lead)) == 1


def test_only_a_lead_without_a_dealer_is_located_by_hand(
    session: Session, offered_lead: Callable[..., Lead]
) -> None:
    lead = offered_lead()
    with pytest.raises(IllegalStep):
        locate_as(session, lead.id, f"place-{NEAR_KRAKOW}", at=LATER, actor=None)


def test_a_slip_of_the_postcode_claims_the_lead_no_more(
    session: Session, sessions: SessionFactory, world: World, unclear: Callable[..., Lead]
) -> None:
    lead = unclear(city="Kraków", postcode="01-001")
    session.add(
        Territory(dealer_id=world.dealers["PL-WAW-2"], postcodes=["01"], valid=since(None))
    )  # fmt: skip
    dealers_changed(session, FRIDAY, None)
    session.commit()
    question = place_question(session, lead.id, at=LATER)
    assert question is not None
    assert question.problem == "conflict"
    assert {each.name for each in question.guesses} == {"Kraków", "Warsaw"}
    (krakow,) = [each for each in question.guesses if each.name == "Kraków"]
    locate_as(session, lead.id, krakow.key, at=LATER, actor=None)
    assert (lead.postcode, lead.city) == ("", "Kraków")
    pipeline.advance(sessions, lead.id, LATER)
    session.expire_all()
    assert lead.dealer is not None
    assert lead.dealer.code == "PL-KRK-1"


def test_a_slip_of_the_city_gives_way_to_the_place_picked(
    session: Session, unclear: Callable[..., Lead]
) -> None:
    lead = unclear(city="Kraków", postcode="01-001")
    locate_as(session, lead.id, "postcode-PL-01001", at=LATER, actor=None)
    assert (lead.postcode, lead.city) == ("01001", "Warsaw")


# What is offered


def test_guesses_of_older_versions_are_understood(
    session: Session, unclear: Callable[..., Lead]
) -> None:
    lead = unclear()
    old = {"problem": "ambiguous", "guesses": ["Zielin, 78", "Nowhere, 01"]}
    session.execute(
        update(Event).where(Event.lead_id == lead.id, Event.kind == "located").values(data=old)
    )
    session.commit()
    question = place_question(session, lead.id, at=LATER)
    assert question is not None
    assert [each.key for each in question.guesses] == [f"place-{NEAR_WARSAW}"]


def test_a_place_that_the_gazetteer_lost_is_not_offered(
    session: Session, unclear: Callable[..., Lead]
) -> None:
    lead = unclear()
    session.execute(delete(PlaceName).where(PlaceName.place_id == NEAR_WARSAW))
    session.execute(delete(Place).where(Place.id == NEAR_WARSAW))
    session.commit()
    question = place_question(session, lead.id, at=LATER)
    assert question is not None
    assert f"place-{NEAR_WARSAW}" not in {each.key for each in question.guesses}
    assert len(question.guesses) == 2


def test_a_place_is_found_as_people_write_it(
    session: Session, unclear: Callable[..., Lead]
) -> None:
    lead = unclear()
    for asked, first, many in (
        ("zielin", f"place-{NEAR_WARSAW}", 3),
        ("Зелин", f"place-{NEAR_WARSAW}", 2),
        ("Zielin, małopolskie", f"place-{NEAR_KRAKOW}", 3),
        ("Zieli", f"place-{NEAR_WARSAW}", 3),
        ("Warschau", "place-756135", 1),
        ("32-001", "postcode-PL-32001", 1),
        ("32001", "postcode-PL-32001", 1),
        ("PL-32001", "postcode-PL-32001", 1),
        ("32-001 Zielin", "postcode-PL-32001", 4),
        ("  ", "", 0),
        ("Zi", "", 0),
        ("%%%", "", 0),
        ("دبي", "", 0),
    ):
        question = place_question(session, lead.id, at=LATER, asked=asked)
        assert question is not None
        assert len(question.found) == many, asked
        assert not many or question.found[0].key == first, asked


def test_no_more_than_ten_are_shown(session: Session, unclear: Callable[..., Lead]) -> None:
    for number in range(12):
        id = 910_000 + number
        session.add(
            Place(id=id, name="Lipa", country="PL", admin1="75", population=number, lat=51.0,
                  lon=22.0 + number, timezone="Europe/Warsaw")
        )  # fmt: skip
        session.flush()
        session.add(PlaceName(place_id=id, key="lipa", country="PL"))
    session.commit()
    question = place_question(session, unclear().id, at=LATER, asked="Lipa")
    assert question is not None
    assert len(question.found) == 10


# Headquarters


def test_headquarters_picks_on_the_leads_page(
    session: Session, sessions: SessionFactory, hana: FlaskClient, cast: dict[str, User],
    unclear: Callable[..., Lead],
) -> None:  # fmt: skip
    lead = unclear()
    page = hana.get(f"/hq/leads/{lead.id}").text
    assert keys_of(page) == [f"place-{id}" for id in (NEAR_WARSAW, NEAR_KRAKOW, IN_THE_HILLS)]
    one, two, three = words_of(page)
    assert "mazowieckie, Poland" in one
    assert "9,000 inhabitants" in one
    assert "near Kraków" in two
    assert "near Tarnów" in three
    (action,) = html.fromstring(page).xpath("//form[.//button[@name='place']]/@action")
    for _ in range(2):  # a double click
        answer = hana.post(action, data={"place": f"place-{NEAR_KRAKOW}"})
        assert answer.status_code == 302
    after = hana.get(answer.headers["Location"]).text
    assert keys_of(after) == []
    assert "is being routed" in after
    assert len(located(session, lead)) == 2
    event = session.scalars(
        select(Event).where(Event.lead_id == lead.id, Event.kind == "located")
    ).all()[-1]
    assert event.actor_id == cast["hana"].id
    pipeline.advance(sessions, lead.id, LATER)
    session.expire_all()
    assert lead.dealer is not None
    assert lead.dealer.code == "PL-KRK-1"
    # The page that was open before, in another tab: the same pick once more, then another one.
    for late in (NEAR_KRAKOW, NEAR_WARSAW):
        assert hana.post(action, data={"place": f"place-{late}"}).status_code == 302
    session.expire_all()
    assert lead.dealer.code == "PL-KRK-1"
    assert len(located(session, lead)) == 2


def test_headquarters_looks_for_a_place_that_nobody_guessed(
    hana: FlaskClient, unclear: Callable[..., Lead]
) -> None:
    lead = unclear(city="Zieelin")
    page = hana.get(f"/hq/leads/{lead.id}")
    assert keys_of(page.text) == []
    (form,) = html.fromstring(page.text).xpath("//form[@role='search' and .//input[@name='place']]")
    assert form.get("method") == "get"
    address = form.get("action").split("#")[0]
    assert f"place-{NEAR_WARSAW}" in keys_of(hana.get(address + "?place=Зелин").text)
    nothing = hana.get(address + "?place=<b>Nix").text
    assert "No place of this name" in nothing
    assert "<b>Nix" not in nothing


def test_a_place_too_vague_is_said_to_be(
    session: Session, sessions: SessionFactory, later: time_machine.Traveller, hana: FlaskClient,
    unclear: Callable[..., Lead],
) -> None:  # fmt: skip
    lead = unclear()
    spot = {"lat": 50.09, "lon": 19.81, "accuracy_km": 90.0}
    locate_by_hand(session, lead.id, **spot, at=LATER, actor=None)
    pipeline.advance(sessions, lead.id, LATER)
    later.shift(timedelta(minutes=1))
    page = hana.get(f"/hq/leads/{lead.id}").text
    assert "too vague" in page
    assert f"place-{NEAR_WARSAW}" in keys_of(page)


def test_a_lead_with_a_dealer_is_not_asked_about(
    hana: FlaskClient, offered_lead: Callable[..., Lead]
) -> None:
    assert 'id="place"' not in hana.get(f"/hq/leads/{offered_lead().id}").text


def test_headquarters_cannot_pick_what_is_not_there(
    session: Session, hana: FlaskClient, unclear: Callable[..., Lead]
) -> None:
    lead = unclear()
    for wrong in ("", "place-1", "place-99999999999", f"place-{ABROAD}"):
        assert hana.post(f"/hq/leads/{lead.id}/place", data={"place": wrong}).status_code == 404
    assert len(located(session, lead)) == 1


def test_others_cannot_pick_for_this_market(
    app: Flask, session: Session, world: World, cast: dict[str, User],
    login: Callable[[FlaskClient, User], FlaskClient], unclear: Callable[..., Lead],
) -> None:  # fmt: skip
    lead = unclear()
    gulf = create_user(
        session, "gita@lmt.example", "Gita", PASSWORD, roles=["headquarters"],
        scopes=[Scope(market_id=world.markets["GULF"])], language="en", timezone="UTC",
    )  # fmt: skip
    session.commit()
    address, data = f"/hq/leads/{lead.id}/place", {"place": f"place-{NEAR_KRAKOW}"}
    assert login(app.test_client(), gulf).post(address, data=data).status_code == 404
    assert login(app.test_client(), cast["anna"]).post(address, data=data).status_code == 403
    assert app.test_client().post(address, data=data).status_code == 302
    assert len(located(session, lead)) == 1
    with pytest.raises(LookupError):
        locate_as(
            act_as(session, actor_of(gulf)), lead.id, f"place-{NEAR_KRAKOW}", at=LATER,
            actor=actor_of(gulf),
        )  # fmt: skip
    act_as(session, SYSTEM)


# The customer


def path_of(settings: Settings, lead: Lead) -> str:
    return urlsplit(status_link(settings, lead.id, LATER)).path


def token_of(page: str) -> str:
    return str(html.fromstring(page).xpath("//input[@name='csrf_token']/@value")[0])


def test_the_customer_picks_their_place(
    session: Session, sessions: SessionFactory, client: FlaskClient, settings: Settings,
    unclear: Callable[..., Lead],
) -> None:  # fmt: skip
    lead = unclear()
    path = path_of(settings, lead)
    page = client.get(path + "?lang=en").text
    assert "Which of these places is yours?" in page
    assert keys_of(page)[1] == f"place-{NEAR_KRAKOW}"
    pick = "//form[.//button[@name='place']]/@action"
    action = html.fromstring(page).xpath(pick)[0]
    data = {"csrf_token": token_of(page), "place": f"place-{NEAR_KRAKOW}"}
    for _ in range(2):  # a double click
        answer = client.post(action, data=data)
        assert answer.status_code == 303
    after = client.get(answer.headers["Location"])
    assert html.fromstring(after.text).get("lang") == "en"
    assert "Thank you" in after.text
    assert "Set-Cookie" not in after.headers
    pipeline.advance(sessions, lead.id, LATER)
    session.expire_all()
    assert lead.dealer is not None
    assert lead.dealer.code == "PL-KRK-1"
    told = located(session, lead)
    assert [each.get("by") for each in told] == [None, "customer"]
    # The page that was open before picks another one: the request has moved on.
    late = client.post(action, data=data | {"place": f"place-{NEAR_WARSAW}"})
    assert late.status_code == 303
    assert "Aurel Wawel" in client.get(late.headers["Location"]).text
    session.expire_all()
    assert lead.dealer.code == "PL-KRK-1"


def test_the_customer_types_it_again(
    session: Session, client: FlaskClient, settings: Settings, unclear: Callable[..., Lead]
) -> None:
    lead = unclear(city="Zieelin")
    path = path_of(settings, lead)
    page = client.get(path + "?lang=en").text
    assert "Where are you?" in page
    typed = {"csrf_token": token_of(page), "town": "32-001"}
    found = client.post(path + "/place?lang=en", data=typed)
    assert found.status_code == 200
    assert keys_of(found.text) == ["postcode-PL-32001"]
    nothing = client.post(path + "/place?lang=en", data=typed | {"town": "<i>Nix"})
    assert "We know no place of this name" in nothing.text
    assert "<i>Nix" not in nothing.text
    data = {"csrf_token": token_of(found.text), "place": "postcode-PL-32001"}
    assert client.post(path + "/place", data=data).status_code == 303
    session.expire_all()
    assert (lead.location_method, lead.postcode) == ("chosen", "32001")


def test_nobody_picks_for_another(
    session: Session, client: FlaskClient, settings: Settings, unclear: Callable[..., Lead]
) -> None:
    lead, another = unclear(), unclear()
    path, pick = path_of(settings, lead), {"place": f"place-{NEAR_KRAKOW}"}
    theirs = token_of(client.get(path_of(settings, another)).text)
    own = token_of(client.get(path).text)
    old = form_token(settings.secret_key, lead.id, 0, LATER - timedelta(hours=13))
    for token in ("", "forged", theirs, old):
        answer = client.post(path + "/place", data=pick | {"csrf_token": token})
        assert answer.status_code == 409
        assert html.fromstring(answer.text).xpath("//*[@role='alert']")
    for wrong in (f"place-{ABROAD}", "place-1"):
        answer = client.post(path + "/place", data={"csrf_token": own, "place": wrong})
        assert answer.status_code == 409
    answer = client.post("/r/forged/place", data=pick | {"csrf_token": own})
    assert answer.status_code == 404
    assert len(located(session, lead)) == len(located(session, another)) == 1


def test_the_page_gives_nobody_away_and_reads_both_ways(
    client: FlaskClient, settings: Settings, unclear: Callable[..., Lead]
) -> None:
    answer = client.get(f"{path_of(settings, unclear(street='Tajna 7'))}?lang=ar")
    for secret in ("Jan", "Kowal", "512 345", "345678", "jan@", "Tajna"):
        assert secret not in answer.text
    page = html.fromstring(answer.text)
    assert page.get("dir") == "rtl"
    assert all(button.xpath("bdi") for button in page.xpath("//button[@name='place']"))
    assert not re.search(r"\son\w+=|\sstyle=", answer.text)
