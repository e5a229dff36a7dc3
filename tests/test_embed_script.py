"""A form's script: small however large the form, put together once, and never out of date."""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lmt.demo.forms import drive_form
from lmt.demo.markets import MARKETS
from lmt.embed import script
from lmt.forms.definition import FormDefinition
from lmt.forms.systemfields import BrandModels, market_fields
from lmt.models import Form
from tests.formpages import definition, published

MORNING = datetime(2026, 3, 6, 8, 5, 30, tzinfo=UTC)
MOST_BYTES = 20 * 1024
PACKED = {"Accept-Encoding": "gzip"}


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(MORNING, tick=False) as traveller:
        yield traveller


def largest(market_code: str) -> FormDefinition:
    """Three steps with conditions, a picker of dealers, an address, and 150 models."""
    market = next(market for market in MARKETS if market.code == market_code)
    sounds = ("bel", "dor", "el", "kes", "os", "hal", "mi", "ran", "sol", "tor", "va", "zen")
    names = ["".join(each).capitalize() for each in itertools.permutations(sounds, 3)][::8][:150]
    models = [(name.lower(), name) for name in names]
    brands = [
        BrandModels("aurel", "Aurel", models[:75]),
        BrandModels("vanta", "Vanta", models[75:]),
    ]
    form = drive_form(market, brands)
    address = {item.key: item for item in market_fields(market.countries, brands)}["address"]
    last = replace(form.steps[-1], fields=(*form.steps[-1].fields, address))
    return replace(form, code="largest", steps=(*form.steps[:-1], last))


def data_of(text: str) -> dict[str, Any]:
    start = text.index("LmtEmbed.show(") + len("LmtEmbed.show(")
    told: dict[str, Any] = json.loads(text[start:].removesuffix(");\n"))
    return told


@pytest.mark.parametrize("market", ["PL", "GULF"])
def test_the_largest_form_is_below_20_kilobytes(
    client: FlaskClient, session: Session, market: str
) -> None:
    form = largest(market)
    published(session, form.code, form.to_json())
    for language in form.languages:
        answer = client.get(f"/embed/largest.js?lang={language}", headers=PACKED)
        assert len(answer.data) < MOST_BYTES, language
        told = data_of(gzip.decompress(answer.data).decode())
        assert told["html"].count("<option") > 150
        assert "data-dealers" in told["html"]


def test_programs_come_only_where_they_have_something_to_do(
    client: FlaskClient, session: Session
) -> None:
    plain = definition("plain")
    published(session, "plain", plain)
    published(session, "largest", largest("PL").to_json())
    small, large = (client.get(f"/embed/{code}.js").text for code in ("plain", "largest"))
    assert "window.LmtAddress=" not in small
    assert "window.LmtAddress=" in large
    assert data_of(small)["picker"] is None
    picker = client.get(data_of(large)["picker"])
    assert "window.LmtPicker=" in picker.text
    assert "lmt-dealers-list" in picker.text, "its style sheet comes with it"
    assert "immutable" in picker.headers["Cache-Control"]


def test_what_is_the_same_for_everybody_is_put_together_once(
    client: FlaskClient, session: Session, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(session, "trade", definition("trade"))
    made: list[str] = []

    def counted(shown: Any, language: str, today: Any) -> dict[str, Any]:
        made.append(language)
        return form_data(shown, language, today)

    form_data = script.form_data
    monkeypatch.setattr(script, "form_data", counted)
    first = client.get("/embed/trade.js?lang=pl")
    assert client.get("/embed/trade.js?lang=pl").data == first.data
    clock.shift(timedelta(minutes=1))
    later = client.get("/embed/trade.js?lang=pl")
    assert made == ["pl"]
    tokens = [data_of(answer.text)["token"] for answer in (first, later)]
    assert tokens[0] != tokens[1], "nobody waits longer for having come later"
    client.get("/embed/trade.js?lang=en")
    clock.shift(timedelta(days=1))
    client.get("/embed/trade.js?lang=pl")
    assert made == ["pl", "en", "pl"], "tomorrow other days can be chosen"


def test_changes_are_seen_at_once(client: FlaskClient, session: Session) -> None:
    version = published(session, "trade", definition("trade"))
    form = session.get_one(Form, version.form_id)
    address = "/embed/trade.js?lang=en"
    first = client.get(address)
    form.origins = ["https://other.example"]
    session.commit()
    second = client.get(address)
    assert data_of(second.text)["origins"] == ["https://other.example"]
    assert second.headers["ETag"] != first.headers["ETag"]
    published(session, "trade", definition("trade", title={"en": "Another title"}))
    assert "Another title" in client.get(address).text
    assert "Another title" not in client.get(f"{address}&version=1").text
    form.active = False
    session.commit()
    assert client.get(address, headers={"If-None-Match": "*"}).status_code == 404
