"""What was acknowledged is a lead, once, however often and by however many it is sent."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt.db import SessionFactory
from lmt.ingest import arrival, door
from lmt.ingest.accept import SAME_BODY_FOR, Delivery, KeyReused, Receipt, accept
from lmt.ingest.readers import read_adf, read_json
from lmt.models import Customer, CustomerKey, Event, Inquiry, Intake, Lead, Source
from lmt.scope import SYSTEM, act_as
from tests.world import ADF_KEY, API_KEY, FRIDAY, World, warsaw_lead

T = TypeVar("T")
TIMES = 20


def at_once(acts: Sequence[Callable[[], T]]) -> list[T]:
    """Each act in a thread of its own, all let go at the same moment."""
    barrier = threading.Barrier(len(acts))

    def go(act: Callable[[], T]) -> T:
        barrier.wait(timeout=30)
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [done.result(timeout=60) for done in [pool.submit(go, act) for act in acts]]


def source_row(session: Session, code: str) -> Source:
    return session.scalars(select(Source).where(Source.code == code)).one()


def accepted(
    sessions: SessionFactory, data: Mapping[str, Any], **delivery: Any
) -> Callable[[], Receipt]:
    """An accept() by a process of its own, at FRIDAY."""
    body = delivery.pop("body", None) or json.dumps(data).encode()

    def act() -> Receipt:
        with act_as(sessions(), SYSTEM) as session:
            sent = Delivery(body=body, **delivery)
            return accept(session, source_row(session, "api-pl"), sent, [data], FRIDAY)

    return act


def count(session: Session, model: Any) -> int:
    session.rollback()
    return session.scalars(select(func.count()).select_from(model)).one()


def adf(*prospects: str) -> bytes:
    return f"<adf>{''.join(prospects)}</adf>".encode()


def prospect(name: str, phone: str = "", id: str = "") -> str:
    number = f"<phone>{phone}</phone>" if phone else ""
    own = f'<id source="portal">{id}</id>' if id else ""
    return (
        f"<prospect>{own}<vehicle><make>Aurel</make><model>Mira</model></vehicle>"
        f'<customer><contact><name part="full">{name}</name>{number}'
        f"<address><city>Warszawa</city><country>PL</country></address>"
        f"</contact></customer></prospect>"
    )


@pytest.mark.parametrize(
    "known_by", [{"key": "key:k-1", "strict": True}, {"key": "own:77"}, {}],
    ids=["Idempotency-Key", "the sender's own id", "the same bytes"],
)  # fmt: skip
def test_the_same_delivery_twenty_times_at_once_is_one_lead(
    sessions: SessionFactory, session: Session, known_by: dict[str, Any]
) -> None:
    act = accepted(sessions, warsaw_lead(), **known_by)
    receipts = at_once([act] * TIMES)
    (lead,) = session.scalars(select(Lead)).all()
    assert Counter(receipts) == {
        Receipt((lead.id,)): 1,
        Receipt((lead.id,), repeated=True): TIMES - 1,
    }
    assert (count(session, Intake), count(session, Customer)) == (1, 1)
    assert list(session.scalars(select(Event.kind))) == ["received"]


def test_twenty_calls_at_once_are_answered_with_the_one_lead(
    client: FlaskClient, session: Session
) -> None:
    def post() -> tuple[int, str]:
        answer = client.application.test_client().post(
            "/api/v1/leads",
            json=warsaw_lead() | {"id": "crm-4711"},
            headers={"Authorization": f"Bearer {API_KEY}"},
        )
        return answer.status_code, answer.json["id"]

    answers = at_once([post] * TIMES)
    (lead,) = session.scalars(select(Lead)).all()
    assert set(answers) == {(202, str(lead.id))}


def test_one_key_belongs_to_one_source(sessions: SessionFactory, session: Session) -> None:
    accepted(sessions, warsaw_lead(), key="own:1")()
    sent = Delivery(body=b"x", key="own:1")
    other = warsaw_lead(full_name="Ewa Nowak", phone="+48512000111", email="ewa@example.com")
    receipt = accept(session, source_row(session, "adf-pl"), sent, [other], FRIDAY)
    assert (receipt.repeated, count(session, Lead)) == (False, 2)


def test_the_same_bytes_are_a_new_delivery_after_a_week(
    sessions: SessionFactory, session: Session
) -> None:
    body = b'{"same": "bytes"}'
    source = source_row(session, "api-pl")
    made = [
        accept(session, source, Delivery(body=body), [warsaw_lead()], FRIDAY + later).repeated
        for later in (timedelta(), SAME_BODY_FOR, SAME_BODY_FOR * 2 + timedelta(seconds=1))
    ]
    assert made == [False, True, False]
    # The customer's first request is still open, so the new delivery asks for it again.
    assert (count(session, Intake), count(session, Lead), count(session, Inquiry)) == (2, 1, 1)


def test_a_key_used_again_for_another_body_is_the_callers_error(
    client: FlaskClient, session: Session
) -> None:
    headers = {"Authorization": f"Bearer {API_KEY}", "Idempotency-Key": '"abc"'}
    first = client.post("/api/v1/leads", json=warsaw_lead(), headers=headers)
    again = client.post("/api/v1/leads", json=warsaw_lead(), headers=headers)
    other = client.post("/api/v1/leads", json=warsaw_lead(email="b@example.com"), headers=headers)
    assert (again.json["id"], again.json["repeated"]) == (first.json["id"], True)
    assert (other.status_code, other.mimetype) == (422, "application/problem+json")
    assert other.json["code"] == "key_reused"
    assert (count(session, Lead), count(session, Intake)) == (1, 1)
    with pytest.raises(KeyReused):
        accept(
            session, source_row(session, "api-pl"),
            Delivery(body=b"{}", key="key:abc", strict=True), [warsaw_lead()], FRIDAY,
        )  # fmt: skip


def test_the_senders_id_with_other_content_keeps_one_lead_and_what_was_said(
    client: FlaskClient, session: Session
) -> None:
    headers = {"Authorization": f"Bearer {API_KEY}"}
    data = warsaw_lead() | {"id": "crm-1"}
    first = client.post("/api/v1/leads", json=data, headers=headers).json
    data["request"]["comments"] = "Blue, please"
    second = client.post("/api/v1/leads", json=data, headers=headers).json
    assert (second["id"], second["repeated"]) == (first["id"], True)
    assert count(session, Lead) == 1
    asked = session.scalars(select(Event).where(Event.kind == "asked_again")).one()
    kept = session.get_one(Intake, asked.data["intake_id"])
    assert json.loads(kept.body)["request"]["comments"] == "Blue, please"


@pytest.mark.parametrize(
    "people",
    [
        [{"email": "jan@example.com", "phone": "+48512345678"}] * 8,
        [
            {"email": "jan@example.com", "phone": "+48512345678"},
            {"email": "", "phone": "+48512345678"},
        ] * 4,
    ],
    ids=["the same phone and mail", "some of them without the mail"],
)  # fmt: skip
def test_deliveries_of_one_person_at_once_agree_on_one_customer_and_one_lead(
    sessions: SessionFactory, session: Session, people: list[dict[str, str]]
) -> None:
    acts = [
        accepted(sessions, warsaw_lead(**person), body=f"{number}".encode())
        for number, person in enumerate(people)
    ]
    receipts = at_once(acts)
    lead = session.scalars(select(Lead)).one()
    assert {receipt.lead_ids for receipt in receipts} == {(lead.id,)}
    assert sum(not receipt.joined for receipt in receipts) == 1
    assert (lead.asked_again, count(session, Inquiry)) == (len(people) - 1,) * 2
    assert len(set(session.scalars(select(CustomerKey.customer_id)))) == 1
    assert (count(session, Customer), count(session, Intake)) == (1, len(people))


def test_two_documents_with_the_same_people_in_another_order_both_come_in(
    sessions: SessionFactory, session: Session
) -> None:
    people = [prospect(f"Person {n}", f"+4851234500{n}") for n in range(8)]

    def act(body: bytes) -> Callable[[], Receipt]:
        def receive() -> Receipt:
            with act_as(sessions(), SYSTEM) as own:
                sent = Delivery(body=body)
                return door.receive(own, source_row(own, "adf-pl"), sent, read_adf, FRIDAY)

        return receive

    receipts = at_once([act(adf(*people)), act(adf(*reversed(people)))])
    assert [len(set(receipt.lead_ids)) for receipt in receipts] == [8, 8]
    assert sorted(len(receipt.joined) for receipt in receipts) == [0, 8]
    counted = [count(session, model) for model in (Lead, Customer, Inquiry)]
    assert counted == [8, 8, 8]


def test_what_cannot_be_read_is_kept_with_its_bytes(session: Session) -> None:
    body = b"\x00\xff not a lead"
    with pytest.raises(door.Quarantined) as caught:
        door.receive(
            session, source_row(session, "api-pl"), Delivery(body, "text/plain"), read_json, FRIDAY
        )
    kept = session.get_one(Intake, caught.value.intake_id)
    assert (bytes(kept.body), kept.content_type, kept.status) == (body, "text/plain", "quarantined")
    assert (kept.problem["code"], count(session, Lead)) == ("no_json", 0)


def test_a_failing_accept_loses_nothing_and_says_so(
    client: FlaskClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_args: Any) -> Lead:
        raise RuntimeError("a mapping that breaks")

    headers = {"Authorization": f"Bearer {API_KEY}", "Idempotency-Key": "k"}
    monkeypatch.setattr(arrival, "lead_of", failing)
    broken = client.post("/api/v1/leads", json=warsaw_lead(), headers=headers)
    assert (broken.status_code, broken.mimetype) == (500, "application/problem+json")
    kept = session.get_one(Intake, broken.json["intake"])
    assert (kept.status, kept.problem["code"]) == ("quarantined", "failed")
    assert json.loads(kept.body) == warsaw_lead()
    assert (count(session, Lead), count(session, Customer)) == (0, 0)
    monkeypatch.undo()
    # Its key was not used up: the sender's repeat is taken in.
    again = client.post("/api/v1/leads", json=warsaw_lead(), headers=headers)
    assert (again.status_code, "repeated" in again.json) == (202, False)


def test_every_prospect_of_a_document_is_a_lead(client: FlaskClient, session: Session) -> None:
    body = adf(prospect("Ewa Nowak", "+48512345001"), prospect("Jan Kowal", "+48512345002"))
    headers = {"Authorization": f"Bearer {ADF_KEY}"}
    first = client.post("/ingest/adf/adf-pl", data=body, headers=headers)
    again = client.post("/ingest/adf/adf-pl", data=body, headers=headers)
    assert first.status_code == 202
    leads = session.scalars(select(Lead).order_by(Lead.id)).all()
    assert [lead.full_name for lead in leads] == ["Ewa Nowak", "Jan Kowal"]
    for answer in (first, again):
        assert [row["id"] for row in answer.json["leads"]] == [str(lead.id) for lead in leads]
    assert count(session, Intake) == 1


def test_a_name_without_any_way_to_reach_it_waits(client: FlaskClient, session: Session) -> None:
    answer = client.post(
        "/ingest/adf/adf-pl",
        data=adf(prospect("Ewa Nowak")),
        headers={"Authorization": f"Bearer {ADF_KEY}", "Prefer": "wait=5"},
    )
    assert (answer.status_code, answer.json["status"]) == (200, "incomplete")
    assert (answer.json["dealer"], answer.json["respond_by"]) == (None, None)
    lead = session.get_one(Lead, answer.json["id"])
    assert (lead.full_name, lead.cause) == ("Ewa Nowak", "no_contact")


@pytest.mark.parametrize(
    ("source", "country", "market", "stored"),
    [
        ("api-pl", "AE", "GULF", "AE"),
        ("api-pl", "", "PL", "PL"),
        ("api-pl", "JP", "PL", "JP"),
        ("api-gulf", "Saudi Arabia", "GULF", "SA"),
        ("api-gulf", "PL", "PL", "PL"),
        ("api-gulf", "", "GULF", ""),
    ],
)
def test_the_market_follows_the_customers_country(
    session: Session, world: World, source: str, country: str, market: str, stored: str
) -> None:
    data = warsaw_lead() | {"address": {"city": "X", "country": country}}
    receipt = accept(session, source_row(session, source), Delivery(b"x"), [data], FRIDAY)
    lead = session.get_one(Lead, receipt.lead_ids[0], populate_existing=True)
    assert (lead.market_id, lead.country.strip()) == (world.markets[market], stored)
