"""Leads on the map: squares that add up, where no dealer is near, links to as many leads."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lmt.hq.filters import LeadFilter
from lmt.hq.leadmap import lead_map
from lmt.models import Competence, User
from lmt.models.validity import since
from lmt.scope import SYSTEM, act_as
from tests.two_markets import NOW, TwoMarkets, parsed

Login = Callable[[FlaskClient, User], FlaskClient]


@pytest.fixture
def house(session: Session, cast: dict[str, User]) -> TwoMarkets:
    made = TwoMarkets(session, cast["hana"].password or "")
    for dealer in (made.riyadh, made.jeddah):
        session.add(
            Competence(
                dealer_id=dealer.id, brand_id=made.brand.id, service="sales", valid=since(None)
            )
        )
    for lat, lon, many in ((24.71, 46.72, 3), (18.0, 42.5, 2)):
        for _each in range(many):
            made.lead(made.riyadh, lat=lat, lon=lon)
    made.lead(made.riyadh)
    made.lead(made.lodz, lat=51.7, lon=19.4)
    return made


def test_squares_add_up_and_say_where_nobody_is_near(session: Session, house: TwoMarkets) -> None:
    act_as(session, SYSTEM)
    found = lead_map(session, LeadFilter(market="two-gulf"), at=NOW)
    assert (found.counted, found.placeless, found.more) == (6, 1, False)
    assert [(square.leads, square.uncovered) for square in found.squares] == [(3, False), (2, True)]
    far = found.squares[1].nearest_km
    assert far is not None
    assert 820 < far < 900
    assert [dealer.code for dealer in found.dealers or ()] == ["two-jeddah", "two-riyadh"]


def test_a_square_of_the_map_leads_to_as_many_leads(
    app: Flask, login: Login, house: TwoMarkets
) -> None:
    hana = login(app.test_client(), house.people["hana"])
    page = parsed(hana.get("/hq/map?status=open").text)
    drawn = json.loads(page.xpath("string(//script[@id='lead-map-data'])"))
    assert len(drawn["areas"]) == 2, "another market's are not among them"
    for area in drawn["areas"]:
        listed = parsed(hana.get(area["address"]).text)
        assert len(listed.xpath("//tbody/tr")) == int(area["mark"])
    rows = page.xpath("//table//tbody/tr/td[1]/text()")
    assert rows == ["3", "2"]
    switch = page.xpath("//nav[contains(@class,'tabs')]/a/@href")
    assert switch == ["/hq/leads?status=open", "/hq/map?status=open"]


def test_a_map_without_leads_says_what_to_do(app: Flask, login: Login, house: TwoMarkets) -> None:
    hana = login(app.test_client(), house.people["hana"])
    assert "No lead with a place fits" in hana.get("/hq/map?status=lost").text
