"""The doors, as a partner's program and a visitor's browser meet them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from babel.support import Translations
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from lmt import i18n
from lmt.config import LOCALES
from lmt.forms import page
from lmt.models import Event, Intake, Lead, Message, Source
from tests.world import ADF_KEY, API_KEY, GULF_KEY, warsaw_lead

NINE = datetime(2026, 3, 6, 8, 5, tzinfo=UTC)
"""9:05 in Warsaw."""
LEADS = "/api/v1/leads"
ADF = "/ingest/adf/adf-pl"
FORM = "/forms/contact-pl"


@pytest.fixture(autouse=True)
def morning() -> Any:
    with time_machine.travel(NINE, tick=False) as traveller:
        yield traveller


def post(client: FlaskClient, body: Any, key: str = API_KEY, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(
        LEADS,
        data=data,
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json", **named},
    )


def count(session: Session, model: Any) -> int:
    session.rollback()
    return session.scalars(select(func.count()).select_from(model)).one()


class Shouting(Translations):
    """A catalogue in which every text is the English one, marked."""

    def __init__(self, locale: str):
        super().__init__()
        self._locale = locale

    def ugettext(self, message: str) -> str:
        return f"[{self._locale}] {message}"


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts tell the language that was asked for, whatever the catalogues hold."""
    monkeypatch.setattr(i18n, "_catalogue", Shouting)


def test_a_lead_is_durable_at_once_and_routed_later(client: FlaskClient, session: Session) -> None:
    answer = post(client, warsaw_lead())
    lead = session.scalars(select(Lead)).one()
    assert answer.status_code == 202
    assert answer.json == {
        "id": str(lead.id),
        "reference": lead.reference,
        "status": "received",
        "status_url": f"http://localhost{LEADS}/{lead.id}",
    }


def test_who_waits_learns_the_dealer_and_the_deadline(client: FlaskClient) -> None:
    answer = post(client, warsaw_lead(), Prefer="respond-async, wait=5")
    assert answer.status_code == 200
    routed = {key: answer.json[key] for key in ("status", "dealer", "respond_by", "decision")}
    assert routed == {
        "status": "offered",
        "dealer": {
            "code": "PL-WAW-1", "name": "Aurel Centrum",
            "distance_km": pytest.approx(1.68, abs=0.01),
        },
        "respond_by": "2026-03-06T08:35:00+00:00",
        "decision": {
            "at": "2026-03-06T08:05:00+00:00", "how": "nearest", "cause": None,
            "policy_version": answer.json["decision"]["policy_version"],
        },
    }  # fmt: skip
    there = client.get(answer.json["status_url"], headers={"Authorization": f"Bearer {API_KEY}"})
    assert there.json == answer.json


@pytest.mark.parametrize(
    "prefer", ["wait", "wait=soon", "wait=-1", "wait=0", "handling=lenient", "wait=²"]
)
def test_a_preference_that_names_no_seconds_waits_not_at_all(
    client: FlaskClient, prefer: str
) -> None:
    assert post(client, warsaw_lead(), Prefer=prefer).status_code == 202


def test_who_would_wait_for_ever_is_answered_all_the_same(client: FlaskClient) -> None:
    assert post(client, warsaw_lead(), Prefer="wait=" + "9" * 5_000).status_code == 200


def test_nobody_enters_without_the_key_of_an_active_source(
    client: FlaskClient, session: Session
) -> None:
    paused = session.scalars(select(Source).where(Source.code == "api-gulf")).one()
    paused.active = False
    session.commit()
    attempts = {
        "no key": {},
        "wrong key": {"Authorization": "Bearer lmt_wrong"},
        "empty key": {"Authorization": "Bearer "},
        "another scheme": {"Authorization": f"Basic {API_KEY}"},
        "paused": {"Authorization": f"Bearer {GULF_KEY}"},
        "of another kind": {"Authorization": f"Bearer {ADF_KEY}"},
    }
    for name, headers in attempts.items():
        answer = client.post(LEADS, json=warsaw_lead(), headers=headers)
        assert (answer.status_code, answer.mimetype) == (401, "application/problem+json"), name
        assert answer.headers["WWW-Authenticate"] == "Bearer", name
    assert count(session, Intake) == 0


def test_the_lead_of_another_source_is_not_there(client: FlaskClient, session: Session) -> None:
    sent = post(client, warsaw_lead()).json["status_url"]
    for key, address in (
        (GULF_KEY, sent),
        (API_KEY, f"{LEADS}/{'0' * 8}-0000-7000-8000-{'0' * 12}"),
    ):
        answer = client.get(address, headers={"Authorization": f"Bearer {key}"})
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
        assert "Jan" not in answer.text


def test_errors_name_the_fields_and_the_lead_is_kept(client: FlaskClient, session: Session) -> None:
    answer = post(client, {"customer": {"email": "jan@", "nick": "J"}, "address": {"lat": 91}})
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    body = answer.json
    assert (body["type"], body["status"], body["code"]) == (
        "urn:lmt:problem:invalid",
        422,
        "invalid",
    )
    fields = {error["field"] for error in body["errors"]}
    assert fields >= {"customer.email", "customer.nick", "address.lat"}
    assert all(error["message"] for error in body["errors"])
    kept = session.get_one(Intake, body["intake"])
    assert (kept.status, kept.problem["errors"]) == ("quarantined", body["errors"])


def test_errors_speak_the_callers_language_or_else_the_sources(
    client: FlaskClient, marked: None
) -> None:
    bad = {"customer": {}}
    spoken = {
        language: post(client, bad, key, **({"Accept_Language": asked} if asked else {}))
        for language, key, asked in (
            ("de", API_KEY, "de-AT,en;q=0.5"),
            ("ar", API_KEY, "ar"),
            ("fr", GULF_KEY, "fr"),
            ("pl", API_KEY, ""),
        )
    }
    for language, answer in spoken.items():
        texts = [answer.json["detail"], *(e["message"] for e in answer.json["errors"])]
        assert [text.split()[0] for text in texts] == [f"[{language}]"] * 3
    gulf = post(client, bad, GULF_KEY)
    assert gulf.json["detail"].startswith("[ar]")
    too_big = client.post(
        LEADS, data=b"x" * 3_000_000,
        headers={"Authorization": f"Bearer {API_KEY}", "Accept-Language": "tr"},
    )  # fmt: skip
    nowhere = client.get("/api/v1/nothing", headers={"Accept-Language": "tr"})
    for answer, status in ((too_big, 413), (nowhere, 404)):
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
        assert answer.json["detail"].startswith("[tr]")


UNREADABLE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "no_json"),
    "no JSON": (b"{", "no_json"),
    "a list": (b"[]", "no_object"),
    "NaN": (b'{"address": {"lat": NaN, "lon": 1}}', "no_json"),
    "Infinity": (b'{"attributes": {"a": -Infinity}}', "no_json"),
    "beyond a float": (b'{"address": {"lat": 1e999, "lon": 1}}', "invalid"),
    "a year beyond a float": (b'{"vehicle": {"year": 1e999}}', "invalid"),
    "a number of 5000 digits": (b'{"vehicle": {"year": ' + b"9" * 5000 + b"}}", "no_json"),
    "100,000 levels": (b'{"attributes":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too_deep"),
    "100 levels": (b'{"attributes": {"a":' + b"[" * 100 + b"]" * 100 + b"}}", "invalid"),
    "Latin-1": ('{"customer": {"full_name": "Müller"}}'.encode("latin-1"), "no_json"),
    "UTF-16": (json.dumps(warsaw_lead()).encode("utf-16"), "no_json"),
    "a raw NUL": (b'{"customer": {"email": "a\x00@example.com"}}', "no_json"),
    "a NUL in a text": (b'{"customer": {"email": "a\\u0000@example.com"}}', "invalid"),
    "a NUL in the name of a field": (b'{"cust\\u0000omer": {}}', "invalid"),
    "half a character in a text": (b'{"customer": {"full_name": "\\ud800"}}', "invalid"),
    "half a character as a name": (b'{"\\ud800": 1}', "invalid"),
}  # fmt: skip


def test_what_cannot_be_read_is_answered_422_and_kept_byte_for_byte(
    client: FlaskClient, session: Session
) -> None:
    found = {}
    for name, (body, _code) in UNREADABLE.items():
        answer = post(client, body)
        assert answer.status_code == 422, (name, answer.text)
        kept = session.get_one(Intake, answer.json["intake"])
        assert (kept.status, bytes(kept.body)) == ("quarantined", body), name
        found[name] = (body, answer.json["code"])
    assert found == UNREADABLE
    assert count(session, Lead) == 0


def test_a_body_of_nothing_but_mistakes_is_told_the_first_of_them(client: FlaskClient) -> None:
    answer = post(client, {f"field_{number}": 1 for number in range(20_000)})
    assert answer.status_code == 422
    assert 1 <= len(answer.json["errors"]) <= 100


def test_what_is_too_big_is_refused(client: FlaskClient, session: Session) -> None:
    answer = post(client, b'{"a": "' + b"x" * 3_000_000 + b'"}')
    assert (answer.status_code, answer.mimetype) == (413, "application/problem+json")
    assert count(session, Intake) == 0


def adf_lead(name: str = "Ewa Nowak") -> bytes:
    return (
        f'<?xml version="1.0"?><adf><prospect><customer><contact><name part="full">{name}</name>'
        "<phone>+48512345678</phone><address><city>Warszawa</city><country>PL</country></address>"
        "</contact></customer></prospect></adf>"
    ).encode()


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE adf [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    + adf_lead("&x;").split(b"?>", 1)[1]
)


def test_adf_comes_in_by_the_key_of_its_own_source(client: FlaskClient, session: Session) -> None:
    mine = {"Authorization": f"Bearer {ADF_KEY}"}
    assert client.post(ADF, data=adf_lead()).status_code == 401
    assert client.post(ADF, data=adf_lead(), headers={"Authorization": API_KEY}).status_code == 401
    other = client.post("/ingest/adf/other", data=adf_lead(), headers=mine)
    assert (other.status_code, other.json["code"]) == (403, "other_source")
    assert count(session, Intake) == 0
    here = client.post(ADF, data=adf_lead(), headers=mine | {"Prefer": "wait=5"})
    assert here.status_code == 200
    assert here.json["dealer"]["code"] == "PL-WAW-1"
    assert [row["id"] for row in here.json["leads"]] == [here.json["id"]]


def test_an_entity_is_never_followed_and_no_adf_is_kept(
    client: FlaskClient, session: Session
) -> None:
    for body in (BOMB, b"<html>offline</html>", b"", b"\xff\xfe\x00"):
        answer = client.post(ADF, data=body, headers={"Authorization": f"Bearer {ADF_KEY}"})
        assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
        kept = session.get_one(Intake, answer.json["intake"])
        assert (kept.status, bytes(kept.body)) == ("quarantined", body)
        assert "root:" not in answer.text
    assert count(session, Lead) == 0


def answered(**changes: str) -> dict[str, str]:
    return {
        "request_type": "test_drive", "model": "aurel/mira", "name": "Ewa Nowak",
        "phone": "+48 512 345 001", "email": "ewa@example.com", "country": "PL",
        "city": "Warszawa", "postcode": "", "comments": "Kiedy?", "consent": "yes",
    } | changes  # fmt: skip


def hidden_fields(text: str) -> dict[str, str]:
    found = html.fromstring(text).xpath("//form//input[@type='hidden']")
    return {field.get("name"): field.get("value") for field in found}


@pytest.fixture
def shown(client: FlaskClient, morning: Any) -> Callable[..., dict[str, str]]:
    """The hidden fields of the form's page, a while after it was opened."""

    def open_page(query: str = "", after_seconds: float = 30) -> dict[str, str]:
        fields = hidden_fields(client.get(FORM + query).text)
        morning.shift(timedelta(seconds=after_seconds))
        return fields

    return open_page


def test_the_form_speaks_all_languages(client: FlaskClient) -> None:
    titles = set()
    for language in LOCALES:
        answer = client.get(f"{FORM}?lang={language}")
        root = html.fromstring(answer.text)
        told = (answer.status_code, root.get("lang"), root.get("dir"))
        assert told == (200, language, "rtl" if language == "ar" else "ltr")
        titles.add(root.findtext(".//h1"))
    assert len(titles) == len(LOCALES)
    by_browser = client.get(FORM, headers={"Accept-Language": "ja, ar-SA;q=0.8"})
    assert html.fromstring(by_browser.text).get("lang") == "ar"
    assert html.fromstring(client.get(FORM).text).get("lang") == "pl"
    assert client.get("/forms/nothing").status_code == 404


def test_an_answered_form_is_a_lead_with_its_campaign(
    client: FlaskClient, session: Session, shown: Callable[..., dict[str, str]]
) -> None:
    fields = shown("?utm_source=mail&utm_campaign=spring&lang=pl")
    sent = client.post(FORM, data=answered() | fields)
    assert sent.status_code == 303
    lead = session.scalars(select(Lead)).one()
    assert (lead.full_name, lead.phone, lead.language) == ("Ewa Nowak", "+48512345001", "pl")
    assert (lead.request_type, lead.model, lead.status) == ("test_drive", "Mira", "offered")
    campaign = lead.given["campaign"]
    assert (campaign["utm_source"], campaign["utm_campaign"]) == ("mail", "spring")
    thanks = client.get(sent.location)
    assert thanks.status_code == 200
    for words in (lead.reference, "Aurel Centrum"):
        assert words in thanks.text
    assert "Ewa" not in thanks.text


def test_sending_twice_or_going_back_is_one_lead(
    client: FlaskClient, session: Session, shown: Callable[..., dict[str, str]]
) -> None:
    fields = shown()
    places = {client.post(FORM, data=answered() | fields).location for _ in range(2)}
    mended = client.post(FORM, data=answered(comments="Jutro?") | fields)
    assert mended.status_code == 303
    assert (len(places), count(session, Lead)) == (1, 1)
    assert count(session, Intake) == 2
    asked = session.scalars(select(Event.kind).where(Event.kind == "asked_again")).all()
    assert len(asked) == 1
    kinds = session.scalars(select(Message.kind).where(Message.audience == "customer")).all()
    assert list(kinds) == ["customer_received"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({page.HONEYPOT_FIELD: "https://spam.example"}, "honeypot"),
        ({page.TOKEN_FIELD: "forged"}, "token_forged"),
        ({page.TOKEN_FIELD: ""}, "token_missing"),
    ],
)
def test_what_looks_like_a_machines_is_kept_for_a_person_and_learns_nothing(
    client: FlaskClient, session: Session, shown: Callable[..., dict[str, str]],
    change: dict[str, str], reason: str,
) -> None:  # fmt: skip
    sent = client.post(FORM, data=answered() | shown() | change)
    assert sent.status_code == 303
    thanks = client.get(sent.location)
    assert thanks.status_code == 200
    assert "Aurel Centrum" not in thanks.text
    assert count(session, Lead) == 0
    kept = session.scalars(select(Intake)).one()
    assert (kept.status, kept.problem["code"]) == ("quarantined", "suspicious")
    assert [error["code"] for error in kept.problem["errors"]] == [reason]


@pytest.mark.parametrize("after_seconds", [0.5, 25 * 3600])
def test_a_page_sent_too_fast_or_too_late_is_shown_again_with_its_answers(
    client: FlaskClient, session: Session, shown: Callable[..., dict[str, str]],
    after_seconds: float, morning: Any,
) -> None:  # fmt: skip
    fields = shown(after_seconds=after_seconds)
    again = client.post(FORM, data=answered() | fields)
    assert again.status_code == 422
    root = html.fromstring(again.text)
    assert root.xpath("//p[@role='status'][normalize-space()]")
    assert root.xpath("//input[@name='name']/@value") == ["Ewa Nowak"]
    assert count(session, Lead) == 0
    morning.shift(timedelta(seconds=30))
    assert client.post(FORM, data=answered() | hidden_fields(again.text)).status_code == 303
    assert count(session, Lead) == 1


def test_missing_answers_are_summed_up_with_links(
    client: FlaskClient, session: Session, shown: Callable[..., dict[str, str]]
) -> None:
    bad = answered(name="", phone="", email="", consent="") | shown("?lang=ar")
    answer = client.post(FORM, data=bad)
    root = html.fromstring(answer.text)
    assert (answer.status_code, root.get("lang"), root.get("dir")) == (422, "ar", "rtl")
    links = root.xpath("//*[@role='alert']//a/@href")
    assert {"#name", "#consent"} <= set(links)
    assert len(links) == 3
    for link in links:
        (field,) = root.xpath(f"//*[@id='{link[1:]}']")
        assert field.get("aria-invalid") == "true"
        assert root.xpath(f"//*[@id='{link[1:]}-error']")[0].text_content().strip()
    assert root.xpath("//textarea[@name='comments']")[0].text.strip() == "Kiedy?"
    assert count(session, Lead) == 0


def test_a_visitor_is_never_shown_a_programs_error(
    client: FlaskClient, session: Session, shown: Callable[..., dict[str, str]],
    monkeypatch: pytest.MonkeyPatch, morning: Any,
) -> None:  # fmt: skip
    def failing(*_args: Any) -> Any:
        raise RuntimeError("a mapping that breaks")

    fields = shown()
    with monkeypatch.context() as broken:
        broken.setattr("lmt.ingest.arrival.lead_of", failing)
        answer = client.post(FORM, data=answered() | fields)
    # It is kept, and a person will look at it: there is nothing for the visitor to do.
    assert answer.status_code == 303
    thanks = client.get(answer.location)
    assert thanks.status_code == 200
    assert "error" not in thanks.text.lower()
    kept = session.scalars(select(Intake)).one()
    assert (kept.status, kept.problem["code"]) == ("quarantined", "failed")
    morning.shift(timedelta(seconds=30))
    # Sent again by an impatient visitor, once it works: what was kept is now a lead.
    assert client.post(FORM, data=answered() | fields).status_code == 303
    assert count(session, Lead) == 1


def test_odd_characters_of_a_visitor_are_no_obstacle(
    client: FlaskClient, session: Session, shown: Callable[..., dict[str, str]]
) -> None:
    odd = answered(comments="two\x00words \ud83d\ude97".encode("utf-8", "replace").decode())
    assert client.post(FORM, data=odd | shown("?utm_source=a%00b")).status_code == 303
    assert "\x00" not in session.scalars(select(Lead.comments)).one()


def test_a_process_lets_only_so_many_wait(app: Flask) -> None:
    app.extensions["lmt"].waiting = threading.Semaphore(0)
    assert post(app.test_client(), warsaw_lead(), Prefer="wait=5").status_code == 202
