"""A stored decision in words and on a map: with names for headquarters, without for a dealer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lmt.desk.why import dealer_map, why
from lmt.hq.explain import in_words
from lmt.hq.onelead import decision_map
from lmt.i18n import reading
from lmt.labels import LABELS
from lmt.maps import KINDS, LINES, Line, Map, Point
from lmt.models import User
from lmt.policies import policy_words
from lmt.routing.decision import CAUSES, HOWS, LOSSES, REFUSALS
from tests.two_markets import TwoMarkets, parsed

NAMES = {1: "Olaya Motors", 2: "Deira Cars"}


@pytest.fixture
def house(session: Session, cast: dict[str, User]) -> TwoMarkets:
    return TwoMarkets(session, cast["hana"].password or "")


def ranked(id: int, **values: Any) -> dict[str, Any]:
    return {"id": id, "code": f"D{id}", "distance_km": 8.0, "open_now": True, "why": ""} | values


def refused(id: int, reason: str, **figures: Any) -> dict[str, Any]:
    return {"id": id, "code": f"D{id}", "reason": reason, "about_km": 20.0, "figures": figures}


@pytest.mark.parametrize(
    ("kind", "codes"),
    [("how", HOWS), ("cause", CAUSES), ("refusal", REFUSALS), ("why", LOSSES)],
)
def test_every_code_of_a_decision_has_words(kind: str, codes: tuple[str, ...]) -> None:
    assert set(codes) <= set(LABELS[kind])


def test_the_road_and_the_next_look_are_told() -> None:
    result = {
        "chosen": "D1",
        "how": "nearest",
        "ranked": [ranked(1, road_km=12.4, road_minutes=18.0), ranked(2, why="farther")],
        "refused": [refused(2, "model", model="vela")],
        "look_again_at": "2026-03-08T06:00:00+00:00",
    }
    with reading("en", "Asia/Riyadh"):
        words = in_words(result, NAMES, policy="Version 3")
    assert [row.road for row in words.ranked] == ["12 km by road, 18 minutes", ""]
    assert words.refused[0].figures == "vela"
    assert words.look_again_at is not None
    assert words.policy == "Version 3"


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"customer_kind": "fleet", "band": "hot"}, "Version 4, case “Fleets”"),
        ({"customer_kind": "private", "band": "hot"}, "Version 4"),
        ({}, "Version 4"),
    ],
)
def test_the_version_and_the_case_are_named(inputs: dict[str, Any], told: str) -> None:
    case = {
        "name": "Fleets",
        "when": {"customer_kind": ["fleet"]},
        "settings": {"radius_km": 140},
    }
    with reading("en"):
        assert policy_words(4, {"cases": [case]}, inputs) == told
        assert policy_words(4, {"radius_km": -1}, inputs) == "Version 4", "an outdated version"


def test_the_map_of_headquarters_names_everybody(house: TwoMarkets, session: Session) -> None:
    lead = house.lead(house.riyadh)
    stored = house.decision(lead, distance_km=3.4)
    stored.inputs = {"lat": 24.6, "lon": 46.6, "accuracy_km": 21.0}
    names = {house.riyadh.id: "Olaya", house.jeddah.id: "Jeddah"}
    with reading("en"):
        drawing = decision_map(session, stored, in_words(stored.result, names), names)
    assert drawing is not None
    assert [(p.kind, p.name) for p in drawing.points] == [
        ("lead", "The customer"),
        ("chosen", "Olaya"),
        ("ranked", "Jeddah"),
    ]
    assert drawing.points[0].within_km == 21.0
    assert [line.name for line in drawing.lines] == ["3.4 km"]
    stored.inputs = {}
    assert decision_map(session, stored, in_words(stored.result, names), names) is None


def test_a_dealer_sees_its_own_place_and_about_the_customers() -> None:
    inputs = {"lat": 24.68771, "lon": 46.72191, "accuracy_km": 0.1}
    with reading("en"):
        drawing = dealer_map(inputs, (24.7, 46.68), 3.4)
    assert drawing is not None
    assert [(p.kind, p.lat, p.lon) for p in drawing.points] == [
        ("lead", 24.69, 46.72),
        ("own", 24.7, 46.68),
    ]
    assert drawing.points[0].within_km == 1.0
    assert dealer_map({}, (24.7, 46.68), None) is None
    assert dealer_map(inputs, None, None) is None


def test_a_dealer_is_told_its_own_way_by_road() -> None:
    reasons = why({"ranked": [ranked(1, road_km=12.4, road_minutes=18.0)]}, 1)
    assert (reasons.road_km, reasons.road_minutes) == (12.4, 18.0)
    assert why({"ranked": [ranked(2, road_km=9.0, road_minutes=8.0)]}, 1).road_km is None


def test_a_legend_names_what_is_drawn_and_nothing_else() -> None:
    drawing = Map((Point(1, 1, "lead", "x"), Point(2, 2, "refused", "y")), (Line((1, 1), (2, 2)),))
    with reading("en"):
        assert [(shape, kind) for shape, kind, _words in drawing.legend()] == [
            ("point", "lead"),
            ("point", "refused"),
            ("line", "straight"),
        ]
    assert set(KINDS).isdisjoint(LINES)


def test_the_page_of_a_lead_carries_its_map_as_data_and_its_list_as_text(
    app: Flask,
    login: Callable[[FlaskClient, User], FlaskClient],
    house: TwoMarkets,
    session: Session,
) -> None:
    lead = house.lead(house.riyadh)
    stored = house.decision(lead)
    stored.inputs = {"lat": 24.6, "lon": 46.6}
    session.commit()
    page = login(app.test_client(), house.people["hana"]).get(f"/hq/leads/{lead.id}").text
    tree = parsed(page)
    assert tree.xpath("//figure[@data-map-source='decision-map-data']")
    assert tree.get_element_by_id("decision-map-data").get("type") == "application/json"
    assert "Aurelia Jeddah" in tree.get_element_by_id("ranked-0").getnext().text_content()
    assert "_leaflet" not in page
