"""Headquarters' pages of campaigns: kept, found, and never two for the same lead."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from html import unescape
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.models import Campaign, Lead, User
from tests.world import World

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
Enter = Callable[[str], FlaskClient]


@pytest.fixture
def enter(
    app: Flask, cast: dict[str, User], login: Callable[[FlaskClient, User], FlaskClient]
) -> Any:
    with time_machine.travel(NOW, tick=False):
        yield lambda name: login(app.test_client(), cast[name])


def typed(world: World, **others: str) -> dict[str, str]:
    given = {
        "name": "Spring drive",
        "market": str(world.markets["PL"]),
        "starts_on": "2026-03-01",
        "ends_on": "2026-04-30",
        "utm_source": "google",
        "utm_campaign": "spring*",
        "platform_ids": "google:campaign:77\nmeta:form:5501",
        "cost": "12 500,50",
        "currency": "PLN",
    }
    return {**given, **others}


def test_a_campaign_is_kept_listed_and_changed(
    enter: Enter, session: Session, world: World, sent_lead: Callable[..., Lead]
) -> None:
    client = enter("hana")
    assert "No campaigns" in client.get("/hq/campaigns").text
    assert client.get("/hq/campaigns/new").status_code == 200
    assert client.post("/hq/campaigns/new", data=typed(world)).status_code == 302
    row = session.scalars(select(Campaign)).one()
    assert (row.code, str(row.cost)) == ("spring-drive", "12500.50")
    lead = sent_lead()
    lead.campaign_id = row.id
    session.commit()
    page = " ".join(re.sub("<[^>]+>", " ", client.get("/hq/campaigns").text).split())
    assert "Spring drive spring-drive · Poland" in page
    assert "google / spring*" in page
    assert "2 numbers of platforms" in page
    assert page.endswith("12,500.5 PLN 1")
    changed = client.post("/hq/campaigns/spring-drive", data=typed(world, ends_on="2026-05-31"))
    assert changed.status_code == 302
    session.expire_all()
    assert row.ends_on == date(2026, 5, 31)
    shown = client.get("/hq/campaigns/spring-drive")
    assert "meta:form:5501" in shown.text
    assert "Hana" in shown.text


def test_what_cannot_be_kept_is_told_at_its_field(
    enter: Enter, session: Session, world: World
) -> None:
    client = enter("hana")
    client.post("/hq/campaigns/new", data=typed(world))

    def refused(field: str, **given: str) -> str:
        answer = client.post("/hq/campaigns/new", data=typed(world, code="rival", **given))
        assert answer.status_code == 422, given
        told = re.search(rf'id="f-{field}-error">([^<]+)<', answer.text)
        assert told is not None, given
        return unescape(told[1])

    assert "Spring drive" in refused("platform_ids", name="Rival", utm_campaign="other")
    assert "Spring drive" in refused("utm_campaign", name="Rival", platform_ids="")
    assert refused("starts_on", starts_on="soon") == "Enter a date."
    assert "nothing" in refused("cost", cost="a lot", platform_ids="", utm_campaign="other")
    assert refused("platform_ids", platform_ids="77").startswith("“77”")
    assert len(session.scalars(select(Campaign)).all()) == 1


def test_campaigns_of_other_markets_are_nobodys_business(
    enter: Enter, session: Session, world: World
) -> None:
    omar, hana = enter("omar"), enter("hana")
    gulf = typed(world, market=str(world.markets["GULF"]), currency="SAR")
    assert omar.post("/hq/campaigns/new", data=gulf).status_code == 302
    assert "Spring drive" not in hana.get("/hq/campaigns").text
    assert hana.get("/hq/campaigns/spring-drive").status_code == 404
    assert hana.post("/hq/campaigns/spring-drive", data=gulf).status_code == 404
    assert hana.post("/hq/campaigns/new", data={**gulf, "code": "mine"}).status_code == 422
    for name in ("anna", "cem"):
        client = enter(name)
        for address in ("", "/new", "/spring-drive"):
            assert client.get(f"/hq/campaigns{address}").status_code == 403


@pytest.mark.parametrize("address", ["?after=x", "?after=99999999999", "?market=%27"])
def test_odd_addresses_are_no_errors(enter: Enter, address: str) -> None:
    assert enter("omar").get(f"/hq/campaigns{address}").status_code == 200
