"""The library of own fields: set up by type, worded by language, in use, retired."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import customfields
from lmt.forms.fields import field_from
from lmt.models import CustomField, Form, Lead, User
from lmt.scope import SYSTEM, actor_of
from tests.world import World

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
Enter = Callable[[str], FlaskClient]
NEW = "/hq/form-fields/new"


@pytest.fixture
def enter(
    app: Flask, cast: dict[str, User], login: Callable[[FlaskClient, User], FlaskClient]
) -> Any:
    with time_machine.travel(NOW, tick=False):
        yield lambda name: login(app.test_client(), cast[name])


def seen(html: str) -> str:
    return " ".join(unescape(re.sub("<[^>]+>", " ", html)).split())


def fleet(**others: Any) -> dict[str, Any]:
    return {
        "market": "PL",
        "type": "choice",
        "label.en": "Fleet size",
        "label.pl": "Wielkość floty",
        "option.0.id": "small",
        "option.0.en": "Up to 10",
        "option.0.pl": "Do 10",
        "option.1.id": "",
        "option.1.en": "More than 10",
        "shows": ["desk", "reports"],
        "personal": "yes",
        "retention_days": "365",
        **others,
    }


def test_a_field_is_set_up_and_offered_to_its_market(
    enter: Enter, session: Session, world: World
) -> None:
    client = enter("hana")
    assert "No own fields" in client.get("/hq/form-fields").text
    first = client.get(NEW)
    assert "What is the answer?" in first.text
    asked = client.get(f"{NEW}?type=choice&market=PL").text
    assert 'name="label.pl"' in asked
    assert 'name="label.ar"' not in asked
    assert client.post(NEW, data=fleet()).status_code == 302
    row = session.scalars(select(CustomField)).one()
    assert (row.key, row.market_id) == ("fleet_size", world.markets["PL"])
    (item,) = customfields.fields_of(session, world.markets["PL"])
    assert [option.id for option in item.options] == ["small", "more-than-10"]
    assert (item.shows, item.personal, item.retention_days) == (("desk", "reports"), True, 365)
    assert customfields.fields_of(session, world.markets["GULF"]) == []
    page = seen(client.get("/hq/form-fields").text)
    for words in ("Fleet size", "One of several options", "Poland", "365 days", "with the lead"):
        assert words in page
    assert "in downloads" not in page


IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({"label.en": "", "label.pl": ""}, "Enter what the field is called"),
    ({"key": "Fleet"}, "Use small letters"),
    ({"key": "phone"}, "This key is one of the system's"),
    ({"key": "utm_source"}, "This key is one of the system's"),
    ({"type": "consent"}, "Choose one of these."),
    ({"option.0.id": "", "option.0.en": "", "option.0.pl": "", "option.1.en": ""},
     "Enter the options"),
    ({"option.1.id": "small"}, "Two options have the code “small”"),
    ({"option.1.id": "ten or more"}, "can't be the code of an option"),
    ({"option.1.en": "", "option.1.id": "big"}, "Enter what each option is called"),
    ({"retention_days": "soon"}, "Enter a whole number"),
    ({"retention_days": "0"}, "Enter a number of days"),
    ({"type": "number", "least": "5", "most": "2"}, "The largest is below the smallest."),
    ({"type": "text", "max_length": "9000"}, "Enter a number from 1 to 5000."),
    ({"type": "file", "most": "50"}, "a file has at most 5 MB"),
]  # fmt: skip


def test_what_a_field_can_not_be(enter: Enter, session: Session) -> None:
    client = enter("hana")
    for changes, told in IMPOSSIBLE:
        answer = client.post(NEW, data=fleet(**changes))
        assert answer.status_code == 422, changes
        assert told in seen(answer.text), changes
    assert session.scalars(select(CustomField)).first() is None


def test_a_field_in_use_keeps_its_type(
    enter: Enter, session: Session, sent_lead: Callable[..., Lead]
) -> None:
    client = enter("hana")
    client.post(NEW, data=fleet())
    row = session.scalars(select(CustomField)).one()
    address = f"/hq/form-fields/{row.id}"
    assert '<select class="form-select" id="f-type"' in client.get(address).text
    lead = sent_lead()
    lead.given = {**lead.given, "attributes": {"fleet_size": "small"}}
    session.commit()
    page = client.get(address).text
    assert "its type stays" in page
    assert 'id="f-type"' not in page
    answer = client.post(address, data=fleet(type="text"))
    assert answer.status_code == 422
    assert "its type stays" in seen(answer.text)
    changed = fleet(**{"label.pl": "Flota", "option.0.pl": "Do dziesięciu", "shows": []})
    assert client.post(address, data=changed).status_code == 302
    session.refresh(row)
    kept = field_from(row.definition)
    assert (kept.label["pl"], kept.shows, kept.type) == ("Flota", (), "choice")
    history = seen(client.get(address).text)
    assert "small: en Up to 10, pl Do dziesięciu" in history


def test_of_two_who_edit_a_field_the_second_is_told(enter: Enter, session: Session) -> None:
    client = enter("hana")
    client.post(NEW, data=fleet())
    row = session.scalars(select(CustomField)).one()
    address = f"/hq/form-fields/{row.id}"
    found = re.search(r'name="seen" value="([^"]+)"', client.get(address).text)
    assert found
    first = fleet(**{"label.pl": "Flota", "seen": found[1]})
    assert client.post(address, data=first).status_code == 302
    second = client.post(address, data=fleet(**{"label.en": "Fleet", "seen": found[1]}))
    assert second.status_code == 409
    assert "Somebody changed this meanwhile." in seen(second.text)
    session.refresh(row)
    assert row.definition["label"] == {"en": "Fleet size", "pl": "Flota"}


def test_a_field_that_a_form_asks_is_in_use(enter: Enter, session: Session) -> None:
    enter("hana").post(NEW, data=fleet())
    row = session.scalars(select(CustomField)).one()
    form = session.scalars(select(Form)).one()
    assert not customfields.is_used(session, row)
    draft = dict(form.draft)
    steps = [{**draft["steps"][0], "fields": [*draft["steps"][0]["fields"], row.definition]}]
    form.draft = {**draft, "steps": steps}
    session.commit()
    assert customfields.is_used(session, row)


def test_an_option_is_removed_and_lines_are_added(enter: Enter, session: Session) -> None:
    client = enter("hana")
    client.post(NEW, data=fleet())
    row = session.scalars(select(CustomField)).one()
    address = f"/hq/form-fields/{row.id}"
    lines = client.get(address).text.count('.id" value=')
    more = client.post(address, data=fleet(do="more"))
    assert (more.status_code, more.text.count('.id" value=') > lines) == (200, True)
    gone = fleet(**{"option.0.remove": "yes", "option.1.id": "more-than-10"})
    client.post(address, data={**gone, "option.2.id": "huge", "option.2.en": "Huge"})
    session.refresh(row)
    assert [option["id"] for option in row.definition["options"]] == ["more-than-10", "huge"]


def test_a_retired_field_is_no_longer_offered(enter: Enter, session: Session, world: World) -> None:
    client = enter("hana")
    client.post(NEW, data=fleet())
    row = session.scalars(select(CustomField)).one()
    for do, offered in (("retire", 0), ("restore", 1)):
        client.post(f"/hq/form-fields/{row.id}/state", data={"do": do})
        session.expire_all()
        assert len(customfields.fields_of(session, world.markets["PL"])) == offered
    assert client.post(f"/hq/form-fields/{row.id}/state", data={"do": "x"}).status_code == 400


def test_a_field_of_every_market_is_central_s(
    enter: Enter, session: Session, world: World, cast: dict[str, User]
) -> None:
    omar, hana = enter("omar"), enter("hana")
    assert hana.post(NEW, data=fleet(market="*")).status_code == 404
    assert hana.post(NEW, data=fleet(market="GULF")).status_code == 404
    general = fleet(market="*", **{"label.en": "Members", "key": "member", "type": "text"})
    assert omar.post(NEW, data=general).status_code == 302
    row = session.scalars(select(CustomField)).one()
    assert row.market_id is None
    assert [item.key for item in customfields.fields_of(session, world.markets["PL"])] == ["member"]
    # Headquarters of a market may use it, and sees it, but it isn't hers to change.
    page = hana.get("/hq/form-fields").text
    assert "Members" in page
    assert f"/hq/form-fields/{row.id}" not in page
    assert hana.get(f"/hq/form-fields/{row.id}").status_code == 404
    assert hana.post(f"/hq/form-fields/{row.id}", data=general).status_code == 404
    assert hana.post(f"/hq/form-fields/{row.id}/state", data={"do": "retire"}).status_code == 404
    actor = actor_of(cast["hana"])
    with pytest.raises(LookupError):
        customfields.retire_field(session, row, at=NOW, actor=actor)
    # What a market calls by the same key is what holds there.
    own = fleet(**{"key": "member", "type": "number", "label.en": "Members here"})
    assert hana.post(NEW, data=own).status_code == 302
    (item,) = customfields.fields_of(session, world.markets["PL"])
    assert (item.type, item.label["en"]) == ("number", "Members here")
    (item,) = customfields.fields_of(session, world.markets["GULF"])
    assert item.type == "text"
    assert hana.post(NEW, data=own).status_code == 422, "a key is taken once a market"


def test_what_is_missing_in_a_language_is_marked(enter: Enter, session: Session) -> None:
    customfields.create_field(
        session,
        {"key": "club", "type": "text", "label": {"pl": "Klub"}},
        market_id=None,
        at=NOW,
        actor=SYSTEM,
    )
    client = enter("omar")
    page = seen(client.get("/hq/form-fields").text)
    assert "7 English, French, German, Spanish, Dutch, Turkish, Arabic" in page
    row = session.scalars(select(CustomField)).one()
    assert client.get(f"/hq/form-fields/{row.id}").text.count(">missing<") == 7
