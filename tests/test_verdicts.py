"""What a lead was worth: said by its dealer, contested by its source, decided by headquarters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import verdicts
from lmt.lifecycle import IllegalStep
from lmt.models import Event, Lead, User, Verdict
from lmt.scope import actor_of
from tests.world import ADF_KEY, API_KEY, somebody

Login = Callable[[FlaskClient, User], FlaskClient]

NINE = datetime(2026, 3, 6, 8, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def morning() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NINE, tick=False) as traveller:
        yield traveller


@pytest.fixture
def people(app: Flask, cast: dict[str, User], login: Login) -> dict[str, FlaskClient]:
    return {name: login(app.test_client(), cast[name]) for name in ("anna", "carla", "hana")}


@pytest.fixture
def lead(people: dict[str, FlaskClient], offered_lead: Callable[..., Lead]) -> Lead:
    made = offered_lead(**somebody())
    people["anna"].post(f"/desk/leads/{made.id}/accept")
    return made


def give(client: FlaskClient, lead: Lead, verdict: str, note: str = "") -> Any:
    data = {"verdict": verdict, "note": note}
    return client.post(f"/desk/leads/{lead.id}/verdict", data=data)


def as_source(client: FlaskClient, lead: Lead, key: str = API_KEY, **body: Any) -> Any:
    headers = {"Authorization": f"Bearer {key}"}
    if not body:
        return client.get(f"/api/v1/leads/{lead.id}/verdict", headers=headers)
    return client.post(f"/api/v1/leads/{lead.id}/verdict/contest", headers=headers, json=body)


def test_a_dealer_says_it_and_may_say_otherwise(
    people: dict[str, FlaskClient], lead: Lead, session: Session
) -> None:
    anna = people["anna"]
    assert give(anna, lead, "").status_code == 422
    assert give(anna, lead, "splendid").status_code == 422
    give(anna, lead, "bad_data", "The number is a fax")
    give(anna, lead, "partly")
    said = session.scalars(select(Verdict)).one()
    assert (said.verdict, said.note) == ("partly", "")
    page = anna.get(f"/desk/leads/{lead.id}").text
    assert "Partly as it was sent" in page
    assert "Change it" in page
    told = session.scalars(select(Event.kind).where(Event.kind == "verdict")).all()
    assert len(told) == 2
    assert give(people["carla"], lead, "more").status_code == 404


def test_what_nobody_took_nobody_judges(
    offered_lead: Callable[..., Lead], session: Session, cast: dict[str, User]
) -> None:
    lead = offered_lead(**somebody())
    with pytest.raises(IllegalStep):
        verdicts.give(session, lead.id, verdict="more", at=NINE, actor=actor_of(cast["anna"]))


@pytest.mark.parametrize(
    ("decision", "words"),
    [("bad_data", "The verdict stands"), ("confirmed", "The verdict was changed")],
    ids=["upheld", "changed"],
)
def test_the_source_contests_and_headquarters_decides(
    client: FlaskClient,
    people: dict[str, FlaskClient],
    lead: Lead,
    session: Session,
    decision: str,
    words: str,
) -> None:
    anna, hana = people["anna"], people["hana"]
    assert as_source(client, lead).status_code == 404, "nobody has said anything"
    give(anna, lead, "bad_data", "A remark among colleagues")
    told = as_source(client, lead).get_json()
    assert (told["verdict"], told["contested"]) == ("bad_data", None)
    assert "colleagues" not in str(told)
    assert as_source(client, lead, key=ADF_KEY).status_code == 404, "no lead of this source"
    assert as_source(client, lead, key=ADF_KEY, note="x").status_code == 404
    assert as_source(client, lead, note=5).status_code == 422
    assert as_source(client, lead, note="We called it ourselves").status_code == 200
    as_source(client, lead, note="Twice")
    said = session.scalars(select(Verdict)).one()
    assert (said.contest_note, said.contested_by) == ("We called it ourselves", "source")
    assert "The source contests this" in anna.get(f"/desk/leads/{lead.id}").text
    assert give(anna, lead, "more").status_code == 422, "it waits for headquarters"
    page = hana.get("/hq/verdicts").text
    for shown in ("We called it ourselves", "Aurel Centrum", "Contested by the source"):
        assert shown in page
    address = f"/hq/verdicts/{said.id}/answer"
    assert hana.post(address, data={"verdict": decision, "note": ""}).status_code == 422
    assert people["carla"].post(address, data={"verdict": decision}).status_code == 403
    given = {"verdict": decision, "note": "We listened to the call"}
    assert words in hana.post(address, data=given, follow_redirects=True).text
    again = hana.post(address, data=given, follow_redirects=True).text
    assert "answered this already" in again
    session.expire_all()
    assert said.verdict == decision
    page = anna.get(f"/desk/leads/{lead.id}").text
    assert "We listened to the call" in page
    assert "Contested verdict answered" in page
    told = as_source(client, lead).get_json()
    assert told["verdict"] == decision
    assert told["contested"]["answer"] == ("upheld" if decision == "bad_data" else "changed")


def test_headquarters_contests_for_the_source(
    people: dict[str, FlaskClient], lead: Lead, session: Session
) -> None:
    give(people["anna"], lead, "no_interest")
    said = session.scalars(select(Verdict)).one()
    hana = people["hana"]
    assert "Contest it" in hana.get("/hq/verdicts?show=all").text
    address = f"/hq/leads/{lead.id}/verdicts/{said.id}/contest"
    page = hana.post(address, data={"note": "Ask again"}, follow_redirects=True).text
    assert "Contested by Hana" in page


def test_no_rival_reads_what_a_dealer_said(
    people: dict[str, FlaskClient], lead: Lead, session: Session, cast: dict[str, User]
) -> None:
    give(people["anna"], lead, "bad_data", "Nonsense number")
    lead.dealer_id = cast["carla"].scopes[0].dealer_id
    session.commit()
    page = people["carla"].get(f"/desk/leads/{lead.id}").text
    assert lead.reference in page
    assert "Nonsense number" not in page
