"""Who asks again is known again: one customer, one open lead, and nobody else's request shown."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import time_machine
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import func, make_url, select
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.ingest import door
from lmt.ingest.accept import Delivery, Receipt, accept
from lmt.ingest.books import books
from lmt.ingest.door import Paused, Quarantined
from lmt.ingest.readers import read_json
from lmt.models import (
    Brand,
    Campaign,
    Consent,
    ConsentText,
    Customer,
    CustomerKey,
    DuplicateSuggestion,
    Event,
    Inquiry,
    Intake,
    Lead,
    Market,
    Source,
    VehicleModel,
)
from lmt.scope import SYSTEM, NoActor, act_as, actor_of
from tests.world import API_KEY, FRIDAY, GULF_KEY, World, warsaw_lead

LATER = FRIDAY + timedelta(days=2)
STRANGER = {"full_name": "Ewa Nowak", "phone": "+48512000222", "email": "ewa@example.com"}


def source_row(session: Session, code: str = "api-pl") -> Source:
    return session.scalars(select(Source).where(Source.code == code)).one()


def asks(
    session: Session, data: dict[str, Any], at: datetime = FRIDAY, source: str = "api-pl"
) -> Receipt:
    body = json.dumps(data).encode() + at.isoformat().encode()
    return accept(session, source_row(session, source), Delivery(body), [data], at)


def wants(data: dict[str, Any], **request: str) -> dict[str, Any]:
    return {**data, "request": {**data["request"], **request}}


def count(session: Session, model: Any) -> int:
    session.rollback()
    return session.scalars(select(func.count()).select_from(model)).one()


def test_the_same_need_again_is_joined_to_the_open_lead(session: Session) -> None:
    first = asks(session, warsaw_lead())
    again = asks(session, wants(warsaw_lead(), comments="Kiedy?"), LATER)
    lead = session.scalars(select(Lead)).one()
    assert (first.joined, again.joined) == (frozenset(), {lead.id})
    assert (again.lead_ids, again.repeated) == ((lead.id,), False)
    assert (lead.asked_again, lead.next_action_at) == (1, LATER)
    inquiry = session.scalars(select(Inquiry)).one()
    assert (inquiry.lead_id, inquiry.comments, inquiry.handled_at) == (lead.id, "Kiedy?", None)
    assert inquiry.given["request"]["comments"] == "Kiedy?"
    asked = session.scalars(select(Event).where(Event.kind == "asked_again")).one()
    assert asked.data == {
        "inquiry_id": str(inquiry.id), "source": "api-pl", "intake_id": str(inquiry.intake_id),
    }  # fmt: skip
    assert (count(session, Customer), count(session, Intake)) == (1, 2)


def test_the_retry_of_what_was_joined_is_the_same_delivery(session: Session) -> None:
    asks(session, warsaw_lead())
    again = wants(warsaw_lead(), comments="Kiedy?")
    one, two = asks(session, again), asks(session, again)
    assert (one.repeated, two.repeated) == (False, True)
    assert (one.lead_ids, one.joined) == (two.lead_ids, two.joined)
    assert count(session, Inquiry) == 1


def other_brand(session: Session) -> None:
    session.add(Brand(code="borea", name="Borea"))
    session.commit()


NEW_LEADS: dict[str, tuple[dict[str, Any], datetime]] = {
    "another need": (wants(warsaw_lead(), type="after_sales"), LATER),
    "another brand": (wants(warsaw_lead(), brand="Borea", model=""), LATER),
    "after the market's window": (warsaw_lead(), FRIDAY + timedelta(days=31)),
    "a test": ({**warsaw_lead(), "test": True}, LATER),
    "another market": ({**warsaw_lead(), "address": {"country": "AE"}}, LATER),
}


@pytest.mark.parametrize(("data", "at"), NEW_LEADS.values(), ids=NEW_LEADS)
def test_something_else_is_a_new_lead_of_the_same_customer(
    session: Session, data: dict[str, Any], at: datetime
) -> None:
    other_brand(session)
    first, second = asks(session, warsaw_lead()), asks(session, data, at)
    assert (second.joined, count(session, Lead), count(session, Customer)) == (frozenset(), 2, 1)
    assert first.lead_ids != second.lead_ids


def test_a_closed_lead_is_not_opened_again(session: Session) -> None:
    first = asks(session, warsaw_lead())
    session.get_one(Lead, first.lead_ids[0]).status = "withdrawn"
    session.commit()
    assert asks(session, warsaw_lead(), LATER).joined == frozenset()
    assert (count(session, Lead), count(session, Customer)) == (2, 1)


def test_a_market_may_say_that_nothing_is_a_repeat(session: Session, world: World) -> None:
    session.get_one(Market, world.markets["PL"]).same_need_days = 0
    session.commit()
    asks(session, warsaw_lead())
    assert asks(session, wants(warsaw_lead(), comments="?")).joined == frozenset()


def test_a_household_shares_a_phone_and_a_person_is_asked(session: Session) -> None:
    asks(session, warsaw_lead())
    wife = warsaw_lead(full_name="Maria Kowal", email="maria@example.com")
    phone_only = warsaw_lead(full_name="J. Kowal", email="")
    assert asks(session, wife).joined == frozenset()
    assert asks(session, phone_only).joined == frozenset()
    assert count(session, Customer) == 3
    for suggestion in session.scalars(select(DuplicateSuggestion)):
        assert suggestion.customer_id > suggestion.other_id
        assert 0.5 <= suggestion.score < 0.85
        assert (suggestion.answer, "phone" in suggestion.reasons) == ("", True)
    assert count(session, DuplicateSuggestion) >= 1
    shared = select(CustomerKey.customer_id).where(CustomerKey.value == "+48512345678")
    assert len(set(session.scalars(shared))) == 3


def test_a_customer_is_kept_where_they_last_said_they_live(session: Session) -> None:
    asks(session, warsaw_lead())
    moved = warsaw_lead()
    moved["address"] = {
        "street": "Długa 1",
        "postcode": "31-146",
        "city": "Kraków",
        "country": "PL",
    }
    asks(session, moved, LATER)
    asks(session, {**warsaw_lead(), "address": {"country": "PL"}}, LATER + timedelta(days=1))
    customer = session.scalars(select(Customer)).one()
    assert (customer.city, customer.postcode) == ("Kraków", "31-146")
    assert (customer.street, customer.country) == ("Długa 1", "PL")


def test_the_senders_id_again_with_other_content_is_kept_once(
    client: FlaskClient, session: Session
) -> None:
    headers = {"Authorization": f"Bearer {API_KEY}"}
    data = warsaw_lead() | {"id": "crm-1"}
    first = client.post("/api/v1/leads", json=data, headers=headers).json
    mended = wants(data, comments="Blue, please")
    for _ in range(2):
        again = client.post("/api/v1/leads", json=mended, headers=headers).json
        assert (again["id"], again["repeated"]) == (first["id"], True)
        assert "asked_again" not in again
    assert (count(session, Inquiry), count(session, Intake), count(session, Lead)) == (1, 2, 1)


def test_a_number_that_a_sender_gives_to_somebody_else_is_another_lead(
    client: FlaskClient, session: Session
) -> None:
    headers = {"Authorization": f"Bearer {API_KEY}"}
    first = client.post("/api/v1/leads", json=warsaw_lead() | {"id": "1"}, headers=headers).json
    stranger = {"full_name": "Ewa Zielna", "phone": "+48 600 700 800", "email": "ewa@example.org"}
    data = warsaw_lead(**stranger) | {"id": "1", "address": {"city": "Kraków", "country": "PL"}}
    second = client.post("/api/v1/leads", json=data, headers=headers).json
    assert second["id"] != first["id"]
    assert "repeated" not in second
    again = client.post("/api/v1/leads", json=data, headers=headers).json
    assert (again["id"], again["repeated"]) == (second["id"], True)
    assert (count(session, Lead), count(session, Customer), count(session, Inquiry)) == (2, 2, 0)
    corrected = wants(data, comments="Red, please")
    assert client.post("/api/v1/leads", json=corrected, headers=headers).json["id"]
    assert count(session, Lead) == 2


def test_of_a_closed_lead_more_is_kept_and_nothing_follows(
    client: FlaskClient, session: Session
) -> None:
    headers = {"Authorization": f"Bearer {API_KEY}"}
    data = warsaw_lead() | {"id": "crm-1"}
    first = client.post("/api/v1/leads", json=data, headers=headers).json
    lead = session.get_one(Lead, first["id"])
    lead.status, lead.next_action_at = "withdrawn", None
    session.commit()
    client.post("/api/v1/leads", json=wants(data, comments="Blue"), headers=headers)
    session.refresh(lead)
    inquiry = session.scalars(select(Inquiry)).one()
    assert (inquiry.comments, inquiry.handled_at is None) == ("Blue", False)
    assert (lead.status, lead.next_action_at) == ("withdrawn", None)


def test_a_program_is_told_and_may_follow_the_lead_it_asked_for_again(
    client: FlaskClient, session: Session
) -> None:
    first = asks(session, warsaw_lead(), source="adf-pl").lead_ids[0]
    mine = {"Authorization": f"Bearer {API_KEY}"}
    address = f"/api/v1/leads/{first}"
    assert client.get(address, headers=mine).status_code == 404
    with time_machine.travel(LATER, tick=False):
        told = client.post("/api/v1/leads", json=warsaw_lead(), headers=mine)
    assert (told.status_code, told.json["id"], told.json["asked_again"]) == (202, str(first), True)
    assert client.get(address, headers=mine).json["reference"] == told.json["reference"]
    other = {"Authorization": f"Bearer {GULF_KEY}"}
    assert client.get(address, headers=other).status_code == 404


FORM = "/forms/contact-pl"


@pytest.fixture
def filled_in(client: FlaskClient) -> Iterator[Callable[..., Any]]:
    """An answered form, a while after it was opened; the page after it."""
    with time_machine.travel(datetime(2026, 3, 6, 8, 5, tzinfo=UTC), tick=False) as clock:

        def send(fields: dict[str, str] | None = None, **changes: str) -> Any:
            if fields is None:
                found = html.fromstring(client.get(FORM).text).xpath("//input[@type='hidden']")
                fields = {field.get("name"): field.get("value") for field in found}
            clock.shift(timedelta(seconds=30))
            answers = {
                "request_type": "test_drive", "model": "aurel/mira", "name": "Ewa Nowak",
                "phone": "+48 512 345 001", "email": "ewa@example.com", "country": "PL",
                "city": "Warszawa", "postcode": "", "comments": "Kiedy?", "consent": "yes",
            }  # fmt: skip
            sent = client.post(FORM, data=answers | fields | changes)
            assert sent.status_code == 303
            return fields, client.get(sent.location)

        yield send


def test_who_types_somebody_elses_phone_sees_nothing_of_their_request(
    filled_in: Callable[..., Any], session: Session
) -> None:
    _fields, own = filled_in()
    reference = session.scalars(select(Lead.reference)).one()
    assert reference in own.text
    fields, other = filled_in(comments="Hello")
    # Sent twice, it is the same delivery, and must tell as little.
    _fields, twice = filled_in(fields, comments="Hello")
    _fields, mended = filled_in(fields, comments="Hello, hello")
    assert count(session, Lead) == 1
    for page in (other, twice, mended):
        assert page.status_code == 200
        assert reference not in page.text
        assert "/r/" not in page.text.replace("/r/static/", "")
        assert "Aurel Centrum" not in page.text
    assert html.fromstring(other.text).xpath("//*[@data-lmt-thanks]/p")


def test_consents_keep_which_words_were_shown_and_where(session: Session, world: World) -> None:
    texts = {("PL", "pl"): "Zgoda", (None, "pl"): "Ogólna", (None, "en"): "General"}
    session.add_all(
        ConsentText(
            market_id=None if market is None else world.markets[market], purpose="phone",
            version="v1", language=language, text=text,
            hash=hashlib.sha256(text.encode()).hexdigest(), created_at=FRIDAY,
        )
        for (market, language), text in texts.items()
    )  # fmt: skip
    session.commit()
    given = {"purpose": "phone", "given": True, "text_version": "v1"}
    page = "https://aurel.example/mira"
    asks(session, {**warsaw_lead(), "consents": [given], "campaign": {"landing_page": page}})
    asks(session, {**warsaw_lead(**STRANGER, language="en"), "consents": [given]})
    asks(session, {**warsaw_lead(), "consents": [{**given, "text_version": "v0"}]}, LATER)
    rows = session.scalars(select(Consent).order_by(Consent.id)).all()
    shown = [hashlib.sha256(text.encode()).hexdigest() for text in ("Zgoda", "General")]
    assert [row.text_hash for row in rows] == [*shown, ""]
    assert [row.language for row in rows] == ["pl", "en", "pl"]
    assert [row.origin for row in rows] == [f"api-pl {page}", "api-pl", "api-pl"]


def test_a_campaign_or_a_model_that_was_just_set_up_is_known_at_once(
    session: Session, sessions: SessionFactory, world: World
) -> None:
    data = wants(warsaw_lead(), model="Sierra Tourer")
    data["campaign"] = {"platform_ids": "google:campaign:77"}
    first = session.get_one(Lead, asks(session, data).lead_ids[0])
    assert (first.campaign_id, first.model_id, first.model) == (None, None, "Sierra Tourer")
    with act_as(sessions(), SYSTEM) as other:
        campaign = Campaign(
            code="spring", market_id=world.markets["PL"], name="Spring", starts_on=FRIDAY.date(),
            platform_ids=["google:campaign:77"],
        )  # fmt: skip
        model = VehicleModel(brand_id=world.brand_id, code="sierra", name="Sierra")
        other.add_all([campaign, model])
        other.commit()
    data["customer"].update(STRANGER)
    second = session.get_one(Lead, asks(session, data).lead_ids[0])
    assert (second.campaign_id, second.model_id) == (campaign.id, model.id)
    assert second.model == "Sierra"


def test_a_change_that_was_taken_back_is_not_remembered(
    session: Session, sessions: SessionFactory, world: World
) -> None:
    """Its number goes to another change, so the number alone says nothing."""
    asks(session, warsaw_lead(**STRANGER))
    session.add(VehicleModel(brand_id=world.brand_id, code="lost", name="Lost"))
    session.flush()
    assert books(session).catalogue.model_of("Lost", None, "PL") is not None
    session.rollback()
    with act_as(sessions(), SYSTEM) as other:
        other.add(VehicleModel(brand_id=world.brand_id, code="found", name="Found"))
        other.commit()
    data = wants(warsaw_lead(), model="Found")
    assert session.get_one(Lead, asks(session, data).lead_ids[0]).model_id is not None
    assert books(session).catalogue.model_of("Lost", None, "PL") is None


def test_a_paused_sources_deliveries_are_kept_and_nothing_else(
    client: FlaskClient, session: Session
) -> None:
    headers = {"Authorization": f"Bearer {API_KEY}", "Idempotency-Key": "before"}
    first = client.post("/api/v1/leads", json=warsaw_lead(), headers=headers).json
    source = source_row(session)
    source.paused_at = FRIDAY
    session.commit()
    retry = client.post("/api/v1/leads", json=warsaw_lead(), headers=headers)
    assert (retry.json["id"], retry.json["repeated"]) == (first["id"], True)
    headers["Idempotency-Key"] = "k-7"
    kept = client.post("/api/v1/leads", json=warsaw_lead(**STRANGER), headers=headers)
    row = session.get_one(Intake, kept.json["intake"])
    assert (kept.status_code, kept.json["status"], row.status) == (202, "kept", "quarantined")
    assert row.problem == {"code": "paused", "errors": [], "key": "key:k-7", "strict": True}
    assert count(session, Lead) == 1
    with pytest.raises(Paused):
        door.receive(session, source, Delivery(b"{}"), read_json, FRIDAY)


def test_what_was_kept_is_accepted_in_its_own_row(session: Session) -> None:
    data, source = warsaw_lead(), source_row(session)
    body = json.dumps(data).encode() + b" oops"
    with pytest.raises(Quarantined) as kept:
        door.receive(session, source, Delivery(body, key="own:1"), read_json, FRIDAY)
    intake = session.get_one(Intake, kept.value.intake_id)
    delivery = Delivery(json.dumps(data).encode(), key=intake.problem["key"])
    receipt = accept(session, source, delivery, [data], LATER, intake=intake)
    lead = session.get_one(Lead, receipt.lead_ids[0])
    session.refresh(intake)
    assert (lead.intake_id, intake.status, bytes(intake.body)) == (intake.id, "accepted", body)
    assert count(session, Intake) == 1
    assert accept(session, source, delivery, [data], LATER).repeated


def test_the_same_unreadable_bytes_are_kept_once_and_counted(session: Session) -> None:
    ids = set()
    for _ in range(3):
        with pytest.raises(Quarantined) as kept:
            door.receive(session, source_row(session), Delivery(b"{"), read_json, FRIDAY)
        ids.add(kept.value.intake_id)
    with pytest.raises(Quarantined):
        door.receive(session, source_row(session, "adf-pl"), Delivery(b"{"), read_json, FRIDAY)
    (intake_id,) = ids
    assert session.get_one(Intake, intake_id, populate_existing=True).times == 3
    assert count(session, Intake) == 2


def test_whoever_replays_a_delivery_its_customer_is_found_in_every_market(
    session: Session, sessions: SessionFactory, cast: dict[str, Any]
) -> None:
    asks(session, {**warsaw_lead(), "address": {"country": "AE"}})
    with act_as(sessions(), actor_of(cast["hana"])) as page:
        asks(page, warsaw_lead())
        assert len(page.scalars(select(Lead)).all()) == 1
    assert (count(session, Lead), count(session, Customer)) == (2, 1)
    with sessions() as nobody, pytest.raises((NoActor, KeyError)):
        asks(nobody, warsaw_lead())


def test_a_source_that_was_changed_is_never_remembered_as_it_was(
    client: FlaskClient, session: Session, world: World
) -> None:
    """Each time the process has just taken in a delivery of the source as it was."""
    headers = {"Authorization": f"Bearer {API_KEY}"}

    def post(number: int, body: Any = None) -> Any:
        person = warsaw_lead(phone=f"+4851200030{number}", email=f"c{number}@example.com")
        return client.post("/api/v1/leads", json=body or person, headers=headers)

    assert post(0).status_code == 202
    source = source_row(session)
    campaign = Campaign(
        code="autumn", market_id=world.markets["PL"], name="Autumn", starts_on=FRIDAY.date()
    )
    session.add(campaign)
    session.flush()
    source.campaign_id = campaign.id
    session.commit()
    taken = post(1)
    assert session.get_one(Lead, taken.json["id"]).campaign_id == campaign.id
    source.paused_at = FRIDAY
    session.commit()
    assert (post(2).json["status"], post(3, {"id": 1}).json["status"]) == ("kept", "kept")
    source.paused_at = None
    session.commit()
    assert (post(4).status_code, post(5, {"id": 1}).status_code) == (202, 422)
    source.key_hash = "another"
    session.commit()
    refused = [post(6), post(7, {"id": 1}), client.get(taken.json["status_url"], headers=headers)]
    assert [answer.status_code for answer in refused] == [401, 401, 401]
    assert (count(session, Lead), count(session, Intake)) == (3, 5)


def test_the_worker_is_woken(session: Session, settings: Settings) -> None:
    url = make_url(settings.database_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(False), autocommit=True) as ear:
        ear.execute("LISTEN lmt_leads")
        for comments in ("", "?"):
            asks(session, wants(warsaw_lead(), comments=comments))
            assert [heard.channel for heard in ear.notifies(timeout=30, stop_after=1)]


def test_an_accepted_lead_takes_few_statements(
    client: FlaskClient, session: Session, count_queries: list[str]
) -> None:
    headers = {"Authorization": f"Bearer {API_KEY}"}
    client.post("/api/v1/leads", json=warsaw_lead(**STRANGER), headers=headers)
    count_queries.clear()
    client.post("/api/v1/leads", json=warsaw_lead(), headers=headers)
    assert len(count_queries) == 2, count_queries
    count_queries.clear()
    client.post("/api/v1/leads", json=wants(warsaw_lead(), comments="?"), headers=headers)
    assert len(count_queries) <= 5, count_queries


def test_a_lead_asked_for_again_goes_on(sessions: SessionFactory, session: Session) -> None:
    lead_id = asks(session, warsaw_lead()).lead_ids[0]
    pipeline.advance(sessions, lead_id, FRIDAY)
    asks(session, wants(warsaw_lead(), comments="?"), LATER)
    pipeline.advance(sessions, lead_id, LATER)
    lead = session.get_one(Lead, lead_id, populate_existing=True)
    assert lead.asked_again == 1
    assert lead.next_action_at is not None
    assert lead.next_action_at > LATER
    assert session.scalars(select(Inquiry)).one().handled_at == LATER
