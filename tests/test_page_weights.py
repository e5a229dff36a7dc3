"""How many bytes a visitor's line carries: at the first visit, and once the assets are kept."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lmt.models import User
from tests.two_markets import TwoMarkets

KILOBYTE = 1_000
GZIP = {"Accept-Encoding": "gzip"}


@pytest.mark.parametrize(
    ("address", "most"),
    [("/hq/leads", 150), ("/hq/", 150), ("/hq/queues/unrouted", 150), ("/hq/map", 300)],
)
def test_pages_are_light(
    app: Flask,
    session: Session,
    cast: dict[str, User],
    login: Callable[[FlaskClient, User], FlaskClient],
    address: str,
    most: int,
) -> None:
    house = TwoMarkets(session, cast["hana"].password or "")
    for each in range(50):
        house.lead(house.riyadh, lat=20 + each / 4, lon=40 + each / 4)
        house.lead(market=house.gulf, status="unrouted", cause="all_capped")
    hana = login(app.test_client(), house.people["hana"])
    page = hana.get(address, headers=GZIP)
    assert page.headers["Content-Encoding"] == "gzip"
    text = hana.get(address).text
    named = {
        named.partition("#")[0].replace("&amp;", "&")
        for named in re.findall(r'(?:src|href|data-map-base)="(/[^"]*static[^"]*)"', text)
    }
    assets = 0
    for each in sorted(named):
        with hana.get(each, headers=GZIP) as answer:
            assets += len(answer.data)
    assert len(page.data) + assets <= most * KILOBYTE
    assert len(page.data) <= 30 * KILOBYTE
