"""Headquarters brings a list of dealers: looked over, its columns corrected, applied, refused."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt.db import SessionFactory
from lmt.handover import carry_out
from lmt.models import Dealer, DealerTerms, Handover, Lead, SettingChange, User
from tests.world import FRIDAY, World

LIST = """\
Händlernr.;Händlername;Ort;Breite;Länge;E-Mail;Mo;Di;Mi;Do;Fr;Sa;Aurel Neuwagen
PL-WAW-1;Aurel Centrum;Warszawa;52,24;21,03;pl-waw-1@dealers.example;9-13, 14-18;9-13, 14-18;9-13, 14-18;9-13, 14-18;9-13, 14-18;9-14;ja
PL-KRK-1;Aurel Kraków;Kraków;50,06;19,94;krk@dealers.example;9-18;9-18;9-18;9-18;9-18;;ja
PL-LDZ-1;Aurel Łódź;Łódź;;;ldz@dealers.example;8:30-17;8:30-17;8:30-17;8:30-17;8:30-17;;ja
PL-XXX-1;Aurel Nirgends;Utopia;;;xxx@dealers.example;9-18;9-18;9-18;9-18;9-18;;ja
"""  # noqa: E501
MAP = """{"type": "FeatureCollection", "features": [{"type": "Feature", "properties":
 {"dealer": "PL-KRK-1"}, "geometry": {"type": "Polygon", "coordinates":
 [[[19.8, 50.0], [20.1, 50.0], [20.1, 50.2], [19.8, 50.2], [19.8, 50.0]]]}},
 {"type": "Feature", "properties": {}, "geometry": null}]}"""

Login = Callable[[FlaskClient, User], FlaskClient]


@pytest.fixture
def hana(client: FlaskClient, login: Login, cast: dict[str, User]) -> FlaskClient:
    return login(client, cast["hana"])


def brought(client: FlaskClient, text: str = LIST, **more: str) -> str:
    """Uploads a list and returns the address of its page."""
    given: dict[str, object] = {"market": "PL", "file": (io.BytesIO(text.encode()), "list.csv")}
    if drawn := more.pop("map", ""):
        given["territories"] = (io.BytesIO(drawn.encode()), "map.geojson")
    answer = client.post(
        "/hq/import-dealers", data={**given, **more}, content_type="multipart/form-data"
    )
    assert answer.status_code == 302, answer.text
    return answer.location


def form_of(page: str) -> dict[str, object]:
    """What the page's form would send as it stands."""
    form = html.fromstring(page).get_element_by_id("plan-form")
    sent: dict[str, list[str]] = {}
    for name, value in form.form_values():
        sent.setdefault(name, []).append(value)
    return dict(sent)


def test_a_list_is_looked_over_and_nothing_is_written(hana: FlaskClient, session: Session) -> None:
    dealers = session.scalar(select(func.count()).select_from(Dealer))
    page = hana.get(brought(hana, map=MAP)).text
    for told in (
        "What 4 lines would do",
        "Aurel Kraków",
        "put at the middle of Łódź",
        "“Utopia” is not in the gazetteer",
        "Mo-Fr 08:30-17:00",
        "it names no dealer",
    ):
        assert told in page
    # Warsaw's break stays, its competence in used cars goes: the list says sales alone.
    assert "aurel: New-car sales, aurel: Used cars" in page
    session.expire_all()
    assert session.scalar(select(func.count()).select_from(Dealer)) == dealers


def test_the_plan_is_applied_as_it_was_shown(
    hana: FlaskClient, session: Session, world: World
) -> None:
    address = brought(hana, map=MAP)
    sent = form_of(hana.get(address).text)
    answer = hana.post(address, data={**sent, "do": "apply"}, follow_redirects=True)
    assert "2 dealers were added." in answer.text
    assert "1 line was rejected" in answer.text
    krakow = session.scalars(
        select(DealerTerms).join(Dealer).where(Dealer.code == "PL-KRK-1")
    ).one()
    assert (krakow.lat, krakow.hours, krakow.timezone) == (
        50.06, "Mo-Fr 09:00-18:00", "Europe/Warsaw",
    )  # fmt: skip
    noted = session.scalars(select(SettingChange).where(SettingChange.subject == "PL-WAW-1")).one()
    assert noted.user_id == world.users["hana"]
    # Again: nothing is left to do.
    page = hana.get(address).text
    assert "There is nothing to apply." in page
    sent["seen"] = ["of another time"]
    assert hana.post(address, data={**sent, "do": "apply"}).status_code == 409


def test_columns_are_corrected_on_the_page(hana: FlaskClient, session: Session) -> None:
    text = LIST.replace("Händlernr.", "Spalte A").replace("Ort;", "Wo;")
    address = brought(hana, text)
    page = hana.get(address)
    assert "Missing: Code." in page.text
    sent = form_of(page.text)
    assert isinstance(sent["field"], list)
    columns, fields = sent["column"], sent["field"]
    assert isinstance(columns, list)
    fields[columns.index("Spalte A")] = "code"
    fields[columns.index("Wo")] = "code"
    page = hana.post(address, data={**sent, "do": "look"})
    assert page.status_code == 422
    assert "Two columns are given to “Code”." in page.text
    sent = form_of(page.text)
    sent["field"][columns.index("Wo")] = "city"  # type: ignore[index]
    sent["default.hours.ph"] = ["closed"]
    page = hana.post(address, data={**sent, "do": "look"})
    assert "Mo-Fr 09:00-18:00; PH off" in page.text
    answer = hana.post(address, data={**form_of(page.text), "do": "apply"}, follow_redirects=True)
    assert "2 dealers were added." in answer.text


def test_who_is_not_in_a_complete_list_ends_and_its_leads_are_routed_anew(
    client: FlaskClient,
    login: Login,
    cast: dict[str, User],
    session: Session,
    sessions: SessionFactory,
    offered_lead: Callable[..., Lead],
    world: World,
) -> None:
    with time_machine.travel(FRIDAY, tick=False):
        hana = login(client, cast["hana"])
        lead = offered_lead()
        text = "\n".join(line for line in LIST.splitlines() if not line.startswith("PL-WAW-1"))
        address = brought(hana, text, close="yes")
        page = hana.get(address).text
        assert "Ends at once. Its open leads are routed anew." in page
        assert "A policy of the market counts on it" in page
        hana.post(address, data={**form_of(page), "do": "apply"})
    ends = session.scalars(select(Handover).order_by(Handover.dealer_id)).all()
    assert [session.get_one(Dealer, each.dealer_id).code for each in ends] == [
        "PL-WAW-1", "PL-WAW-2",
    ]  # fmt: skip
    assert ends[0].reason == "Not in the list list.csv."
    carry_out(sessions, FRIDAY + timedelta(minutes=1))
    session.expire_all()
    assert session.get_one(Lead, lead.id).dealer_id != world.dealers["PL-WAW-1"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"file": b""}, "The file is empty."),
        ({"file": b"<html><body>Login</body></html>"}, "This is a web page"),
        ({"file": LIST.encode(), "territories": b"[]"}, "This is no GeoJSON file"),
        ({"file": LIST.encode(), "market": "GULF"}, "Choose a market."),
        ({}, "Choose a file."),
        ({"file": ("code\n" + "X\n" * 5_001).encode()}, "5,000 lines at most"),
    ],
)
def test_what_cannot_be_read_is_told(hana: FlaskClient, data: dict[str, object], told: str) -> None:
    given: dict[str, object] = {"market": "PL"}
    for name, value in data.items():
        given[name] = (io.BytesIO(value), "x.csv") if isinstance(value, bytes) else value
    answer = hana.post("/hq/import-dealers", data=given, content_type="multipart/form-data")
    if answer.status_code == 302:
        answer = hana.get(answer.location)
    assert answer.status_code == 422
    assert told in answer.text.replace("5000", "5,000")


def test_dealers_and_other_markets_are_kept_out(
    app: Flask, login: Login, cast: dict[str, User]
) -> None:
    def as_(name: str) -> FlaskClient:
        return login(app.test_client(), cast[name])

    address = brought(as_("omar"), "code;name\nSA-RUH-9;X", market="GULF")
    hana = as_("hana")
    assert hana.get(address).status_code == 404
    assert hana.post(address, data={"do": "apply"}).status_code == 404
    own = brought(hana)
    for name in ("anna", "bert", "carla", "cem"):
        client = as_(name)
        assert client.get("/hq/import-dealers").status_code == 403
        assert client.post("/hq/import-dealers").status_code == 403
        assert client.get(own).status_code == 403
        assert client.post(own, data={"do": "apply"}).status_code == 403
