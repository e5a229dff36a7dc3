"""A dealer's own system reports what became of its leads, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from lmt import pipeline
from lmt.db import SessionFactory
from lmt.eventwords import event_words
from lmt.ingest import adf
from lmt.ingest.keys import key_hash
from lmt.models import DealerSystem, Event, Lead, Offer, Outcome, PlannedAction, User
from lmt.scope import SYSTEM, actor_of
from tests.databases import Template, grown
from tests.world import FRIDAY, World, send, warsaw_lead

KEY, OTHER_KEY = "lmt_test_system_waw_1", "lmt_test_system_waw_2"
NOW = FRIDAY + timedelta(hours=2)
"""10:00 in Warsaw, while the offers of Friday morning run."""
TOMORROW = (NOW + timedelta(days=1)).isoformat()


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def grow(sessions: SessionFactory, session: Session, world: World) -> None:
    for code, key in (("PL-WAW-1", KEY), ("PL-WAW-2", OTHER_KEY)):
        session.add(
            DealerSystem(
                dealer_id=world.dealers[code],
                transport="post",
                address="https://crm.example/adf",
                key_hash=key_hash(key),
                created_at=FRIDAY,
            )
        )
    with time_machine.travel(NOW, tick=False):
        lead = send(session, "api-pl", warsaw_lead(), NOW)
        pipeline.advance(sessions, lead.id, NOW)


@pytest.fixture(scope="module")
def origin(template: Template, superuser: psycopg.Connection) -> Iterator[Template]:
    with grown(template, superuser, grow) as made:
        yield made


@pytest.fixture
def lead(session: Session) -> Lead:
    return session.scalars(select(Lead)).one()


Report = Callable[..., TestResponse]


@pytest.fixture
def report(client: FlaskClient, lead: Lead) -> Report:
    def send(key: str = KEY, named: str = "", **body: Any) -> TestResponse:
        return client.post(
            f"/api/v1/leads/{named or lead.reference}/status",
            json=body,
            headers={"Authorization": f"Bearer {key}"},
        )

    return send


def stand(session: Session, lead: Lead) -> tuple[str, list[tuple[str, str | None]]]:
    """The lead's status, and its history with who said so."""
    session.expire_all()
    events = session.scalars(select(Event).where(Event.lead_id == lead.id).order_by(Event.id)).all()
    return lead.status, [(event.kind, event.data.get("by")) for event in events]


def test_a_lead_is_taken_with_the_next_step(report: Report, lead: Lead, session: Session) -> None:
    answer = report(
        status="accepted", note="Anna has it", next={"kind": "call", "due_at": TOMORROW}
    )
    assert (answer.status_code, answer.json["status"]) == (200, "accepted")
    assert answer.json["next"]["kind"] == "call"
    status, history = stand(session, lead)
    assert status == "accepted"
    assert history[-3:] == [
        ("accepted", "dealer_system"),
        ("note", "dealer_system"),
        ("planned", "dealer_system"),
    ]
    told = event_words("accepted", {"by": "dealer_system"})
    assert told == ["By the dealer's own system"]


@pytest.mark.parametrize(
    ("body", "status", "last"),
    [
        ({"status": "contacted"}, "contacted", "contacted"),
        ({"status": "contacted", "result": "no_answer", "how": "email"}, "accepted", "contacted"),
        ({"status": "won", "order_number": "A-1", "model": "Mira"}, "won", "won"),
        ({"status": "lost", "reason": "price", "note": "Too dear"}, "lost", "lost"),
    ],
)
def test_who_works_on_a_lead_has_taken_it(
    body: dict[str, Any], status: str, last: str, report: Report, lead: Lead, session: Session
) -> None:
    answer = report(**body)
    assert (answer.status_code, answer.json["status"]) == (200, status)
    now, history = stand(session, lead)
    assert now == status
    assert ("accepted", "dealer_system") in history
    assert history[-1] == (last, "dealer_system")


def test_a_sale_is_kept_with_its_figures(report: Report, lead: Lead, session: Session) -> None:
    happened = (NOW - timedelta(hours=1)).isoformat()
    answer = report(
        status="won", order_number="A-1", value=129900.5, currency="pln", model="Mira", at=happened
    )
    assert answer.status_code == 200
    outcome = session.get_one(Outcome, lead.id)
    assert (outcome.value, outcome.currency) == (Decimal("129900.50"), "PLN")
    assert (outcome.order_number, outcome.user_id) == ("A-1", None)
    sold = session.scalars(select(Event).where(Event.kind == "won")).one()
    assert datetime.fromisoformat(sold.data["happened_at"]) == NOW - timedelta(hours=1)


def test_a_declined_lead_goes_on_and_is_gone(
    report: Report, client: FlaskClient, lead: Lead, session: Session
) -> None:
    answer = report(status="declined", reason="no_capacity")
    assert (answer.status_code, answer.json["status"]) == (200, "gone")
    assert answer.json["offer"]["state"] == "declined"
    status, history = stand(session, lead)
    assert (status, lead.dealer.code if lead.dealer else "") == ("offered", "PL-WAW-2")
    # What follows is LMT's own doing.
    assert [kind for kind, by in history if by] == ["offer_declined"]
    again = report(status="declined", reason="no_capacity")
    assert (again.status_code, again.json["repeated"]) == (200, True)
    late = report(status="accepted")
    assert (late.status_code, late.json["code"]) == (409, "too_late")
    assert late.json["lead"]["offer"]["reason"] == "no_capacity"
    assert "PL-WAW-2" not in late.text
    given = client.get(f"/api/v1/leads/{lead.id}/adf", headers={"Authorization": f"Bearer {KEY}"})
    assert given.status_code == 409


@pytest.mark.parametrize(
    "body",
    [
        {"status": "accepted", "next": {"kind": "visit", "due_at": TOMORROW}},
        {"status": "contacted", "note": "Talked"},
        {"status": "won", "order_number": "A-1"},
        {"status": "lost", "reason": "other"},
    ],
)
def test_the_same_report_twice_changes_nothing(
    body: dict[str, Any], report: Report, lead: Lead, session: Session
) -> None:
    assert "repeated" not in report(**body).json
    before = stand(session, lead)
    again = report(**body)
    assert (again.status_code, again.json["repeated"]) == (200, True)
    assert stand(session, lead) == before


def test_too_late_says_what_happened(report: Report, lead: Lead, session: Session) -> None:
    offer = session.scalars(select(Offer).where(Offer.lead_id == lead.id)).one()
    session.execute(
        update(Offer)
        .where(Offer.id == offer.id)
        .values(clock_at=FRIDAY, expires_at=NOW - timedelta(minutes=1))
    )
    session.commit()
    answer = report(status="accepted")
    assert answer.status_code == 409
    assert answer.mimetype == "application/problem+json"
    pipeline.withdraw(session, lead.id, reason="customer", at=NOW, actor=SYSTEM)
    gone = report(status="contacted")
    assert (gone.status_code, gone.json["lead"]["status"]) == (409, "gone")
    assert gone.json["lead"]["offer"]["state"] == "withdrawn"


def test_a_sold_lead_is_lost_no_more(report: Report, lead: Lead) -> None:
    report(status="won")
    answer = report(status="lost", reason="price")
    assert (answer.status_code, answer.json["code"]) == (409, "not_now")
    assert answer.json["lead"]["status"] == "won"


def test_a_colleague_keeps_the_lead(
    report: Report, lead: Lead, session: Session, cast: dict[str, User]
) -> None:
    session.execute(update(Lead).where(Lead.id == lead.id).values(owner_id=cast["anna"].id))
    session.commit()
    report(status="accepted")
    session.expire_all()
    assert lead.owner_id == cast["anna"].id


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"status"}),
        ({"status": "sold"}, {"status"}),
        ({"status": "declined"}, {"reason"}),
        ({"status": "lost", "reason": "whim"}, {"reason"}),
        ({"status": "accepted", "colour": "red"}, {"colour"}),
        ({"status": "accepted", "at": "yesterday"}, {"at"}),
        ({"status": "accepted", "at": "2036-03-06T07:00:00Z"}, {"at"}),
        ({"status": "accepted", "next": {"kind": "call"}}, {"next.due_at"}),
        ({"status": "accepted", "next": {"kind": "call", "due_at": "2026-03-01T07:00:00Z"}},
         {"next.due_at"}),
        ({"status": "won", "next": {"kind": "call", "due_at": TOMORROW}}, {"next"}),
        ({"status": "won", "value": -1}, {"value"}),
        ({"status": "won", "value": "much"}, {"value"}),
        ({"status": "won", "value": 1, "currency": "EUR"}, {"currency"}),
        ({"status": "accepted", "note": "a\u0000b"}, {"note"}),
        ({"status": ["accepted"]}, {"status"}),
    ],
)  # fmt: skip
def test_a_report_that_can_not_be_read_names_the_fields(
    body: dict[str, Any], fields: set[str], report: Report, lead: Lead, session: Session
) -> None:
    before = stand(session, lead)
    answer = report(**body)
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json["errors"]} == fields
    assert stand(session, lead) == before


def test_errors_speak_the_callers_language(client: FlaskClient, lead: Lead) -> None:
    answer = client.post(
        f"/api/v1/leads/{lead.id}/status",
        data="no json",
        headers={"Authorization": f"Bearer {KEY}", "Accept-Language": "de"},
    )
    assert answer.status_code == 422
    assert answer.json["code"] == "no_object"


@pytest.mark.parametrize("named", ["K7QF-0000", "01957f2e-0000-7000-8000-000000000001", "x" * 999])
def test_an_unknown_lead_is_not_there(named: str, report: Report) -> None:
    assert report(named=named, status="accepted").status_code == 404


def test_another_dealers_system_finds_nothing(
    report: Report, client: FlaskClient, lead: Lead
) -> None:
    assert report(key=OTHER_KEY, status="accepted").status_code == 404
    for way in ("status", "adf"):
        answer = client.get(
            f"/api/v1/leads/{lead.id}/{way}", headers={"Authorization": f"Bearer {OTHER_KEY}"}
        )
        assert answer.status_code == 404


@pytest.mark.parametrize("key", ["", "lmt_test_api_pl", "wrong"])
def test_without_its_key_nobody_comes_in(key: str, report: Report, session: Session) -> None:
    assert report(key=key, status="accepted").status_code == 401


def test_a_stopped_system_has_no_key(report: Report, session: Session, world: World) -> None:
    session.execute(
        update(DealerSystem)
        .where(DealerSystem.dealer_id == world.dealers["PL-WAW-1"])
        .values(active=False)
    )
    session.commit()
    assert report(status="accepted").status_code == 401


def test_the_dealers_system_reads_the_lead_as_adf(client: FlaskClient, lead: Lead) -> None:
    answer = client.get(
        f"/api/v1/leads/{lead.reference.lower()}/adf", headers={"Authorization": f"Bearer {KEY}"}
    )
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert adf.read(answer.data)[0]["id"] == f"LMT:{lead.reference}"


def test_the_plan_of_a_system_is_the_dealers(
    report: Report, lead: Lead, session: Session, cast: dict[str, User]
) -> None:
    report(status="contacted", next={"kind": "test_drive", "due_at": TOMORROW})
    plan = session.scalars(select(PlannedAction).where(PlannedAction.lead_id == lead.id)).one()
    assert (plan.owner_id, plan.dealer_id) == (None, lead.dealer_id)
    assert actor_of(cast["anna"]).dealers == {plan.dealer_id}
    assert stand(session, lead)[0] == "contacted"


def test_the_api_describes_itself(client: FlaskClient) -> None:
    paths = client.get("/api/v1/openapi.json").json["paths"]
    assert set(paths["/api/v1/leads/{lead}/status"]) >= {"get", "post"}
    body = paths["/api/v1/leads/{lead}/status"]["post"]["requestBody"]
    assert "application/json" in body["content"]
