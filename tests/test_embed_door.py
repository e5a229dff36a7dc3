"""A visitor's way through a form: with scripts and without, once, twice, half-way, with a file."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from lmt.models import (
    Consent,
    FormCount,
    FormFile,
    FormVersion,
    Intake,
    Lead,
    Market,
    User,
)
from tests.formpages import ORIGIN, PNG, Visitor, definition, field, published, steps

MORNING = datetime(2026, 3, 6, 8, 5, tzinfo=UTC)
"""9:05 in Warsaw."""
PAGE, FRAME = "/forms/trade", "/embed/trade"
ME: dict[str, Any] = {
    "name": "Ewa Nowak", "phone": "+48 512 345 001", "city": "Warszawa", "consent": "yes",
}  # fmt: skip
CAME = "utm_source=mail&utm_campaign=spring&gclid=G1&fbclid=F1&utm_term=suv"


@pytest.fixture(autouse=True)
def clock(session: Session) -> Iterator[Any]:
    published(session, "trade", definition("trade"))
    with time_machine.travel(MORNING, tick=False) as traveller:
        yield traveller


def count(session: Session, model: Any) -> int:
    session.rollback()
    return session.scalars(select(func.count()).select_from(model)).one()


def counts(session: Session) -> dict[str, int]:
    session.rollback()
    rows = session.scalars(select(FormCount).execution_options(populate_existing=True))
    return {f"{row.kind} {row.field}".strip(): row.times for row in rows}


def version_of(session: Session, lead: Lead) -> tuple[str, int]:
    version = session.get_one(FormVersion, lead.form_version_id)
    return version.form.code, version.number


@pytest.fixture
def send(client: FlaskClient, clock: Any) -> Callable[..., TestResponse]:
    """The script's request, a while after it was loaded, from the brand's page."""

    def post(origin: str = ORIGIN, after_seconds: float = 30, **changes: Any) -> TestResponse:
        data = client.get("/embed/trade.json?lang=pl").json
        assert data
        clock.shift(timedelta(seconds=after_seconds))
        sent = ME | {
            "request_type": "offer", "has_car": "no", "form_token": data["token"],
            "version": str(data["version"]), "lang": "pl", "idempotency_key": "key-1",
            "zone": "Asia/Tokyo", "utm_source": "mail",
        }  # fmt: skip
        # In memory: what the client itself would put on disk it leaves open.
        boundary, body = encode_multipart(sent | changes)
        kind = f"multipart/form-data; boundary={boundary}"
        headers = {"Origin": origin} if origin else {}
        return client.post("/embed/trade/send", data=body, content_type=kind, headers=headers)

    return post


def test_steps_are_walked_without_scripts_and_lead_to_one_lead_with_its_campaign(
    client: FlaskClient, session: Session, clock: Any
) -> None:
    visitor = Visitor(client, f"{PAGE}?{CAME}&lang=en")
    clock.shift(timedelta(seconds=30))
    assert visitor.step == "wish"
    assert visitor.send().status_code == 422
    assert visitor.errors() == ["request_type", "has_car"]
    visitor.send(request_type="offer", has_car="yes")
    assert (visitor.page.status_code, visitor.step) == (200, "car")
    visitor.send(mileage="many")
    assert (visitor.page.status_code, visitor.errors()) == (422, ["mileage"])
    visitor.send(mileage="42000")
    assert visitor.step == "you"
    visitor.send(back="1", name="Ewa")
    assert visitor.step == "car"
    assert visitor.fields()["mileage"] == "42000"
    visitor.send()
    assert visitor.fields()["name"] == "Ewa"
    sent = visitor.send(**ME)
    assert sent.status_code == 303
    lead = session.scalars(select(Lead)).one()
    assert (lead.full_name, lead.request_type) == ("Ewa Nowak", "quote")
    assert lead.given["attributes"] == {
        "has_car": "yes", "mileage": 42000, "fbclid": "F1", "utm_term": "suv",
    }  # fmt: skip
    campaign = lead.given["campaign"]
    told = (campaign["utm_source"], campaign["utm_campaign"], campaign["gclid"])
    assert told == ("mail", "spring", "G1")
    assert version_of(session, lead) == ("trade", 1)
    thanks = client.get(sent.location)
    assert lead.reference in thanks.text
    assert "Ewa" not in thanks.text
    assert counts(session) == {
        "seen": 1, "sent": 1, "error request_type": 1, "error has_car": 1, "error mileage": 1,
    }  # fmt: skip


def test_going_back_and_sending_again_is_one_lead(
    client: FlaskClient, session: Session, clock: Any
) -> None:
    visitor = Visitor(client, f"{PAGE}?{CAME}")
    clock.shift(timedelta(seconds=30))
    visitor.send(request_type="offer", has_car="no")
    last = visitor.page
    first = visitor.send(**ME)
    visitor.page = last
    again = visitor.send(**ME)
    visitor.page = last
    mended = visitor.send(**ME, comments="Tomorrow?")
    assert [each.status_code for each in (first, again, mended)] == [303, 303, 303]
    assert first.location == again.location
    assert count(session, Lead) == 1
    assert session.scalars(select(Lead)).one().given["campaign"]["utm_source"] == "mail"
    assert counts(session)["sent"] == 1


@pytest.mark.parametrize("suspicious", [False, True])
def test_a_double_click_is_one_lead(
    app: Flask, session: Session, clock: Any, suspicious: bool
) -> None:
    clients = [app.test_client() for _ in range(4)]
    data = clients[0].get("/embed/trade.json").json
    assert data
    clock.shift(timedelta(seconds=30))
    sent = ME | {
        "request_type": "offer", "has_car": "no", "form_token": data["token"], "version": "1",
        "idempotency_key": "one", "website": "x" if suspicious else "",
    }  # fmt: skip
    answers: list[TestResponse] = []

    def click(client: FlaskClient) -> None:
        answers.append(client.post("/embed/trade/send", data=sent, headers={"Origin": ORIGIN}))

    threads = [threading.Thread(target=click, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.json["reference"] for answer in answers if answer.json}) == 1
    assert (count(session, Lead), count(session, Intake)) == (0 if suspicious else 1, 1)
    if suspicious:
        assert session.scalars(select(Intake.times)).one() == 4


def test_the_script_is_told_dealer_and_promise_in_language_and_zone(
    send: Callable[..., TestResponse], session: Session, client: FlaskClient
) -> None:
    answer = send()
    lead = session.scalars(select(Lead)).one()
    told = answer.json
    assert told
    assert (answer.status_code, told["reference"]) == (200, lead.reference)
    assert told["status_url"].startswith("http://localhost/r/")
    assert told["routed"]
    assert "Aurel Centrum" in told["html"]
    assert 'lang="pl"' in told["html"]
    assert lead.promise_at is not None
    there = lead.promise_at + timedelta(hours=9)
    assert f"{there:%H:%M}" in told["html"], "the promise is told in the visitor's zone"
    later = client.get(f"/embed/trade/sent/{told['sent']}?lang=en&zone=Nowhere/Land")
    assert later.json
    here = lead.promise_at + timedelta(hours=1)
    assert f"{here:%-I:%M}" in later.json["html"], "and else in its own"
    assert client.get("/embed/trade/sent/forged").status_code == 404
    assert client.get(f"/embed/contact-pl/sent/{told['sent']}").status_code == 200
    assert lead.given["customer"]["language"] == "pl"


def test_who_must_confirm_a_consent_is_told_so(
    send: Callable[..., TestResponse], session: Session, client: FlaskClient
) -> None:
    market = session.scalars(select(Market).where(Market.code == "PL")).one()
    market.confirmed_purposes = ["contact"]
    session.commit()
    told = send(email="ewa@example.com").json
    assert told
    again = client.get(f"/embed/trade/sent/{told['sent']}?lang=en").json
    assert again
    assert "Please confirm by the link" in again["html"]
    consent = session.scalars(select(Consent)).one()
    consent.confirmed_at = MORNING
    session.commit()
    later = client.get(f"/embed/trade/sent/{told['sent']}?lang=en").json
    assert later
    assert "Please confirm by the link" not in later["html"]


def test_who_asked_before_is_told_nothing_of_it(
    send: Callable[..., TestResponse], session: Session
) -> None:
    first = send(idempotency_key="a").json
    again = send(idempotency_key="b", comments="Once more").json
    assert first
    assert again
    assert count(session, Lead) == 1
    assert (again["reference"], again["status_url"], again["sent"]) == ("", "", "")
    assert first["reference"] not in again["html"]
    assert "Aurel Centrum" not in again["html"]


@pytest.mark.parametrize(
    ("after_seconds", "same_token"), [(0.5, True), (25 * 3600, False)], ids=["fast", "expired"]
)
def test_a_visitor_too_fast_or_too_late_sends_once_more(
    send: Callable[..., TestResponse], session: Session, client: FlaskClient, clock: Any,
    after_seconds: float, same_token: bool,
) -> None:  # fmt: skip
    before = client.get("/embed/trade.json").json
    assert before
    answer = send(after_seconds=after_seconds)
    assert answer.json
    assert (answer.status_code, count(session, Lead)) == (409, 0)
    assert answer.json["notice"]
    assert (answer.json["token"] == before["token"]) is same_token
    clock.shift(timedelta(seconds=30))
    assert send(form_token=answer.json["token"], after_seconds=0).status_code == 200
    assert count(session, Lead) == 1


def test_both_versions_arrive_as_what_they_are(
    send: Callable[..., TestResponse], session: Session, client: FlaskClient, clock: Any
) -> None:
    """A new one is published while a visitor is in the midst of the old one."""
    old = Visitor(client, PAGE)
    changed = steps()
    changed[2]["fields"].append(field("why", "text", required=True))
    published(session, "trade", definition("trade", steps=changed))
    clock.shift(timedelta(seconds=30))
    old.send(request_type="offer", has_car="no")
    assert old.send(**ME).status_code == 303
    refused = send(idempotency_key="new", name="Jan Kos", phone="+48 512 345 009")
    assert refused.json
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["why"])
    taken = send(idempotency_key="new", name="Jan Kos", phone="+48 512 345 009", why="Because")
    assert taken.status_code == 200
    leads = session.scalars(select(Lead).order_by(Lead.created_at)).all()
    assert [version_of(session, lead) for lead in leads] == [("trade", 1), ("trade", 2)]
    assert leads[1].given["attributes"]["why"] == "Because"


def test_a_version_that_never_was_is_shown_again_as_the_present_one(
    client: FlaskClient, session: Session, clock: Any
) -> None:
    visitor = Visitor(client, PAGE)
    clock.shift(timedelta(seconds=30))
    visitor.send(version="77", request_type="offer", has_car="no")
    assert visitor.page.status_code == 422
    assert visitor.root.xpath("//p[@role='status'][normalize-space()]")
    fields = visitor.fields()
    assert (fields["version"], fields["request_type"]) == ("1", "offer")
    clock.shift(timedelta(seconds=30))
    visitor.send()
    assert visitor.send(**ME).status_code == 303


def test_a_file_is_kept_with_the_lead_and_named_by_it(
    client: FlaskClient, session: Session, clock: Any
) -> None:
    visitor = Visitor(client, FRAME)
    clock.shift(timedelta(seconds=30))
    visitor.send(request_type="offer", has_car="yes")
    visitor.send(mileage="1", photo=(io.BytesIO(PNG), "../car.exe"))
    assert visitor.step == "you"
    assert session.scalars(select(FormFile)).one().forget_at == MORNING + timedelta(
        days=1, seconds=30
    )
    sent = visitor.send(**ME)
    assert sent.status_code == 303
    assert sent.location.startswith("/embed/trade/thanks/"), "a frame stays one"
    session.rollback()
    kept = session.scalars(select(FormFile).execution_options(populate_existing=True)).one()
    assert (kept.name, kept.content_type, bytes(kept.data)) == ("car.png", "image/png", PNG)
    assert kept.forget_at == MORNING + timedelta(days=30, seconds=30)
    lead = session.scalars(select(Lead)).one()
    told = {"file": str(kept.id), "name": "car.png", "size": len(PNG)}
    assert lead.given["attributes"]["photo"] == told


@pytest.mark.parametrize(
    ("data", "name"), [(b"MZ" * 40, "car.png"), (PNG + b"\0" * 5 * 1024**2, "car.png")],
    ids=["no picture", "too large"],
)  # fmt: skip
def test_a_file_that_cannot_be_taken_is_named(
    send: Callable[..., TestResponse], session: Session, data: bytes, name: str
) -> None:
    answer = send(has_car="yes", mileage="1", photo=FileStorage(io.BytesIO(data), name))
    assert answer.json
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["photo"])
    assert (count(session, FormFile), count(session, Lead)) == (0, 0)


def test_the_same_submission_with_its_file_again_is_the_same(
    send: Callable[..., TestResponse], session: Session
) -> None:
    first, again = (
        send(has_car="yes", mileage="1", photo=FileStorage(io.BytesIO(PNG), "a.png"))
        for _ in range(2)
    )
    assert first.json
    assert again.json
    assert first.json["reference"] == again.json["reference"]
    assert (count(session, FormFile), count(session, Intake)) == (1, 1)


@pytest.mark.parametrize(
    ("address", "led"),
    [(f"{ORIGIN}/thanks", True), ("https://evil.example/", False)],
)
def test_a_form_leads_on_to_a_page_of_its_own_origins(
    client: FlaskClient, session: Session, clock: Any, address: str, led: bool
) -> None:
    published(session, "trade", definition("trade", redirect=address))
    visitor = Visitor(client, PAGE)
    policy = visitor.page.headers["Content-Security-Policy"]
    assert (f"form-action 'self' {ORIGIN};" in policy) is led
    clock.shift(timedelta(seconds=30))
    visitor.send(request_type="offer", has_car="no")
    sent = visitor.send(**ME)
    assert (sent.location == address) is led
    if not led:
        assert "evil.example" not in client.get(sent.location).text


def test_a_page_fills_in_what_its_address_says(client: FlaskClient) -> None:
    query = "?request_type=offer&has_car=perhaps&consent=yes&campaign_code=theirs&name=Ewa"
    fields = Visitor(client, PAGE + query).fields()
    assert (fields["request_type"], fields["name"]) == ("offer", "Ewa")
    assert "has_car" not in fields
    assert "consent" not in fields
    assert fields["campaign_code"] == "ours"


def test_what_a_person_looked_at_becomes_the_lead_it_would_have_been(
    send: Callable[..., TestResponse], session: Session, client: FlaskClient,
    cast: dict[str, User], login: Callable[..., FlaskClient],
) -> None:  # fmt: skip
    odd = {"website": "https://spam.example", "name": "Buy https://x.example"}
    answer = send(**odd)
    told = answer.json
    assert told
    assert (answer.status_code, told["reference"]) == (200, "")
    assert "Aurel Centrum" not in told["html"]
    assert count(session, Lead) == 0
    intake = session.scalars(select(Intake)).one()
    address = f"/hq/intake/{intake.id}"
    login(client, cast["omar"])
    page = client.get(address)
    assert "An input was filled that no person sees." in page.text
    assert "There are links where people write none" in page.text
    assert "It looks like a machine" in page.text
    mass = client.post("/hq/intake/replay", data={"source": "form-pl"})
    assert mass.status_code == 302
    assert client.post(f"{address}/replay").status_code == 302
    session.rollback()
    lead = session.scalars(select(Lead)).one()
    assert version_of(session, lead) == ("trade", 1)
    again = send(**odd).json
    assert again
    assert again["reference"] == lead.reference, "the same submission is the same lead"
    assert count(session, Lead) == 1
    assert counts(session)["review"] == 1


def test_what_no_person_wrote_is_dismissed(
    send: Callable[..., TestResponse], session: Session, client: FlaskClient,
    cast: dict[str, User], login: Callable[..., FlaskClient],
) -> None:  # fmt: skip
    send(form_token="")
    intake = session.scalars(select(Intake)).one()
    login(client, cast["omar"])
    client.post(f"/hq/intake/{intake.id}/dismiss", data={"reason": "spam"})
    session.rollback()
    dismissed = session.scalars(select(Intake).execution_options(populate_existing=True)).one()
    assert (dismissed.status, count(session, Lead)) == ("dismissed", 0)


def test_beacons_count_and_nothing_else_does(client: FlaskClient, session: Session) -> None:
    def tell(body: bytes | str, origin: str = ORIGIN) -> int:
        headers = {"Origin": origin} if origin else {}
        return client.post("/embed/trade/count", data=body, headers=headers).status_code

    bodies: list[bytes | str] = [
        '{"version":1,"kind":"seen"}',
        '{"version":1,"kind":"started","fields":[]}',
        '{"version":1,"kind":"error","fields":["mileage","mileage","nothing",7,"website"]}',
        '{"version":1,"kind":"sent"}', '{"version":1,"kind":"review"}',
        "", "[]", "null", '"x"', "{", b"\xff\xfe", "[" * 5000, '{"kind":["seen"]}',
        '{"kind":"error","fields":"name"}', '{"kind":"error","fields":{"name":1}}',
        '{"version":' + "9" * 400 + ',"kind":"nothing"}', "x" * 9000,
    ]  # fmt: skip
    assert {tell(body) for body in bodies} == {204}
    assert {tell(bodies[0], origin) for origin in ("https://evil.example", "null", "")} == {204}
    assert tell(bodies[0], "http://localhost") == 204, "our own pages were counted when asked for"
    assert counts(session) == {"seen": 1, "started": 1, "error mileage": 1}
    client.head(PAGE)
    client.get(PAGE, headers={"Sec-Purpose": "prefetch;prerender"})
    assert counts(session)["seen"] == 1
    client.get(PAGE)
    client.get(FRAME)
    assert counts(session)["seen"] == 3


def test_figures_that_cannot_be_kept_hold_nobody_up(
    send: Callable[..., TestResponse], session: Session
) -> None:
    session.execute(text("DROP TABLE form_count"))
    session.commit()
    assert send().status_code == 200
    assert count(session, Lead) == 1
