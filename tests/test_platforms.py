"""The doors of campaign platforms and of strangers' forms, as those meet them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from lmt.app import create_app
from lmt.config import Settings
from lmt.ingest.keys import key_hash
from lmt.mapping.presets import PRESETS
from lmt.models import Intake, Lead, Retrieval, Source, SourceRefusal
from lmt.sealing import seal
from tests.world import World

NINE = datetime(2026, 3, 6, 8, 5, tzinfo=UTC)
KEY = "lmt_test_" + "k" * 30
Make = Callable[..., Source]


@pytest.fixture(autouse=True)
def morning() -> Any:
    with time_machine.travel(NINE, tick=False) as traveller:
        yield traveller


@pytest.fixture
def make(session: Session, settings: Settings, world: World) -> Make:
    """A source of a kind, with its secrets sealed."""

    def made(kind: str, code: str = "src", **values: Any) -> Source:
        secrets = values.pop("secrets", {})
        source = Source(
            code=code,
            kind=kind,
            name=code,
            market_id=world.markets["PL"],
            brand_id=world.brand_id,
            country="PL",
            key_hash=key_hash(KEY) if values.pop("keyed", True) else None,
            secrets={name: seal(settings.secret_key, text) for name, text in secrets.items()},
            **values,
        )
        session.add(source)
        session.commit()
        return source

    return made


def rows(session: Session, model: Any) -> list[Any]:
    session.rollback()
    session.expire_all()
    return list(session.scalars(select(model)))


def refusals(session: Session) -> dict[str, int]:
    return {row.code: row.times for row in rows(session, SourceRefusal)}


def google(**facts: Any) -> dict[str, Any]:
    answers = {"EMAIL": "ada@example.com", "FULL_NAME": "Ada Nowak", "shoe_size?": "42"}
    columns = [{"column_id": name, "string_value": text} for name, text in answers.items()]
    return {"lead_id": "g-1", "google_key": KEY, "user_column_data": columns, **facts}


# Google


def test_google_delivers_a_lead_once_and_its_key_is_not_kept(
    client: FlaskClient, session: Session, make: Make
) -> None:
    make("google")
    for _time in range(2):
        answer = client.post("/ingest/google/src", json=google(campaign_id=991))
        assert (answer.status_code, answer.json) == (200, {})
    (lead,) = rows(session, Lead)
    assert (lead.full_name, lead.email, lead.test) == ("Ada Nowak", "ada@example.com", False)
    assert lead.given["attributes"]["shoe_size?"] == "42"
    assert lead.given["campaign"]["platform_ids"] == "google:campaign:991"
    (intake,) = rows(session, Intake)
    assert KEY.encode() not in intake.body
    assert json.loads(intake.body) == google(campaign_id=991) | {"google_key": "…"}


def test_a_test_of_google_is_taken_and_marked(
    client: FlaskClient, session: Session, make: Make
) -> None:
    make("google")
    body = google(is_test=True, user_column_data=[{"column_id": "x", "string_value": "y"}])
    assert client.post("/ingest/google/src", json=body).status_code == 200
    assert [lead.test for lead in rows(session, Lead)] == [True]


def test_what_no_key_vouches_for_is_refused_by_name_and_not_kept(
    client: FlaskClient, session: Session, make: Make
) -> None:
    make("google")
    for body, status, code in (
        (json.dumps(google(google_key="wrong")), 403, "key_wrong"),
        (json.dumps(google(google_key=None)), 403, "key_missing"),
        (json.dumps(google(google_key={"a": 1})), 403, "key_missing"),
        (json.dumps(google(google_key="\ud800")), 403, "key_missing"),
        ("[1]", 400, "no_object"),
        ('{"lead_id": ', 400, "no_json"),
        ("", 400, "empty"),
        ("[" * 5_000, 400, "too_deep"),
        ('{"google_key":' * 3_000 + "1" + "}" * 3_000, 400, "too_deep"),
    ):
        answer = client.post("/ingest/google/src", data=body, content_type="application/json")
        assert (answer.status_code, answer.json["code"]) == (status, code), body[:80]
        assert answer.json["message"]
    assert rows(session, Intake) == []
    assert refusals(session) == {
        "key_wrong": 1, "key_missing": 3, "no_object": 1, "no_json": 1, "empty": 1, "too_deep": 2,
    }  # fmt: skip


def test_a_source_without_a_key_lets_nobody_in(
    client: FlaskClient, session: Session, make: Make
) -> None:
    make("google", keyed=False)
    assert client.post("/ingest/google/src", json=google(google_key="-")).status_code == 403
    assert client.post("/ingest/google/other", json=google()).status_code == 404
    assert rows(session, Intake) == []


def test_google_is_told_what_is_wrong_and_the_delivery_is_kept(
    client: FlaskClient, session: Session, make: Make
) -> None:
    make("google")
    answer = client.post("/ingest/google/src", json=google(user_column_data=[]))
    assert (answer.status_code, answer.json["code"]) == (422, "mapping")
    assert "email" in answer.json["message"]
    (intake,) = rows(session, Intake)
    assert str(intake.id) == answer.json["intake"]
    assert (intake.status, intake.problem["key"]) == ("quarantined", "google:g-1")
    assert rows(session, Lead) == []


def test_a_paused_source_keeps_and_a_retired_one_refuses(
    client: FlaskClient, session: Session, make: Make
) -> None:
    make("google", paused_at=NINE)
    assert client.post("/ingest/google/src", json=google()).status_code == 200
    assert [row.status for row in rows(session, Intake)] == ["quarantined"]
    rows(session, Source)
    source = session.scalars(select(Source).where(Source.code == "src")).one()
    source.active = False
    session.commit()
    assert client.post("/ingest/google/src", json=google()).status_code == 404
    assert refusals(session) == {"retired": 1}


def test_a_database_that_is_away_is_told_as_such(settings: Settings) -> None:
    nowhere = replace(settings, database_url="postgresql+psycopg://lmt@127.0.0.1:1/none")
    app = create_app(nowhere)
    for path in ("/ingest/google/src", "/ingest/tiktok/src?token=x", "/ingest/json/src"):
        answer = app.test_client().post(path, json=google())
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]


# Meta


def signed(body: bytes, secret: str = "app secret") -> dict[str, str]:
    made = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={made}", "Content-Type": "application/json"}


def change(**value: Any) -> dict[str, Any]:
    return {"field": "leadgen", "value": value}


def notice(*changes: dict[str, Any]) -> bytes:
    return json.dumps({"object": "page", "entry": [{"id": 1, "changes": changes}]}).encode()


def meta(make: Make, **settings: Any) -> Source:
    secrets = {"app_secret": "app secret", "verify_token": "verify me", "access_token": "token"}
    return make("meta", secrets=secrets, settings=settings, keyed=False)


def test_meta_asks_whether_the_address_expects_it(
    client: FlaskClient, session: Session, make: Make
) -> None:
    meta(make)
    asked = {"hub.mode": "subscribe", "hub.verify_token": "verify me", "hub.challenge": "11<b>"}
    answer = client.get("/ingest/meta/src", query_string=asked)
    assert (answer.status_code, answer.text, answer.mimetype) == (200, "11<b>", "text/plain")
    for wrong in ({"hub.verify_token": "me"}, {"hub.mode": "x"}, {"hub.verify_token": ""}):
        assert client.get("/ingest/meta/src", query_string=asked | wrong).status_code == 403
    assert refusals(session) == {"verify_token_wrong": 3}


def test_meta_s_announcements_are_kept_and_each_lead_is_asked_for_once(
    client: FlaskClient, session: Session, make: Make
) -> None:
    meta(make)
    first = notice({"field": "feed"}, change(leadgen_id=7, form_id=9), change(leadgen_id="8"))
    for body in (first, first, notice(change(leadgen_id="7")), notice({"field": "feed"})):
        answer = client.post("/ingest/meta/src", data=body, headers=signed(body))
        assert answer.status_code == 200
    found = sorted((row.remote_id, row.status) for row in rows(session, Retrieval))
    assert found == [("7", "queued"), ("8", "queued")]
    (intake,) = rows(session, Intake)
    assert (intake.status, intake.body) == ("fetching", first)


def test_an_announcement_without_an_id_is_named_and_holds_up_no_other(
    client: FlaskClient, session: Session, make: Make
) -> None:
    meta(make)
    mixed = notice(change(form_id=9), change(leadgen_id=7))
    alone = notice(change(form_id=9))
    for body in (mixed, alone, b"[", b"{}"):
        answer = client.post("/ingest/meta/src", data=body, headers=signed(body))
        assert answer.status_code == 200
    kept = {row.body: row for row in rows(session, Intake)}
    missing = "entry.0.changes.0.value.leadgen_id"
    assert kept[mixed].status == "fetching"
    assert [error["field"] for error in kept[mixed].problem["errors"]] == [missing]
    assert (kept[alone].status, kept[alone].problem["code"]) == ("quarantined", "no_lead_id")
    assert kept[b"["].problem["code"] == "no_json"
    assert kept[b"{}"].status == "quarantined"


def test_only_the_pages_that_are_listed_are_asked_for(
    client: FlaskClient, session: Session, make: Make
) -> None:
    meta(make, page_ids=["100"])
    body = notice(change(leadgen_id=7, page_id=100), change(leadgen_id=8, page_id=200))
    client.post("/ingest/meta/src", data=body, headers=signed(body))
    assert [row.remote_id for row in rows(session, Retrieval)] == ["7"]
    assert refusals(session) == {"other_page": 1}


def test_a_notice_that_the_app_did_not_sign_is_not_kept(
    client: FlaskClient, session: Session, make: Make
) -> None:
    meta(make)
    body = notice(change(leadgen_id=7))
    for headers in ({}, signed(body, "guess"), signed(body + b" ")):
        answer = client.post("/ingest/meta/src", data=body, headers=headers)
        assert answer.status_code == 401
        assert answer.mimetype == "application/problem+json"
    assert rows(session, Intake) == rows(session, Retrieval) == []
    assert refusals(session) == {"signature_missing": 1, "signature_wrong": 2}


def test_before_its_secret_is_set_a_platform_is_asked_to_come_again(
    client: FlaskClient, session: Session, make: Make
) -> None:
    make("meta", keyed=False)
    body = notice(change(leadgen_id=7))
    answer = client.post("/ingest/meta/src", data=body, headers=signed(body))
    assert (answer.status_code, answer.json["code"]) == (503, "secret_missing")
    assert refusals(session) == {"secret_missing": 1}


# LinkedIn


def told(action: str, number: str = "a-1") -> bytes:
    urn = f"urn:li:leadGenFormResponse:{number}"
    return json.dumps(
        {"type": "LEAD_ACTION", "leadAction": action, "leadGenFormResponse": urn}
    ).encode()


def post_linkedin(client: FlaskClient, body: bytes) -> TestResponse:
    made = hmac.new(b"client secret", b"hmacsha256=" + body, hashlib.sha256).hexdigest()
    return client.post("/ingest/linkedin/src", data=body, headers={"X-LI-Signature": made})


def test_linkedin_s_challenge_is_answered(client: FlaskClient, make: Make) -> None:
    make("linkedin", secrets={"client_secret": "client secret"}, keyed=False)
    answer = client.get("/ingest/linkedin/src?challengeCode=890e&applicationId=1")
    expected = hmac.new(b"client secret", b"890e", hashlib.sha256).hexdigest()
    assert answer.json == {"challengeCode": "890e", "challengeResponse": expected}
    assert client.get("/ingest/linkedin/src").status_code == 400


def test_a_response_that_linkedin_deleted_is_not_asked_for_whichever_came_first(
    client: FlaskClient, session: Session, make: Make
) -> None:
    make("linkedin", secrets={"client_secret": "client secret"}, keyed=False)
    for body in (
        told("CREATED", "kept"),
        told("CREATED", "gone"),
        told("DELETED", "gone"),
        told("DELETED", "early"),
        told("CREATED", "early"),
    ):
        assert post_linkedin(client, body).status_code == 200
    found = {row.remote_id: (row.status, row.problem) for row in rows(session, Retrieval)}
    assert found == {
        "kept": ("queued", ""), "gone": ("done", "deleted"), "early": ("done", "deleted"),
    }  # fmt: skip
    kept = {row.body: row.status for row in rows(session, Intake)}
    assert kept == {told("CREATED", "kept"): "fetching", told("CREATED", "gone"): "accepted"}
    body = told("CREATED")
    assert client.post("/ingest/linkedin/src", data=body).status_code == 401


# TikTok


def entry(number: int, **answers: str) -> dict[str, Any]:
    changes = [{"field": name, "value": text} for name, text in answers.items()]
    return {"id": number, "campaign_id": 12, "create_time": 1772784300, "changes": changes}


def test_tiktok_s_leads_are_taken_in_each_for_itself(
    client: FlaskClient, session: Session, make: Make
) -> None:
    make("tiktok")
    ada, eve = entry(1, email="ada@example.com"), entry(2, email="eve@example.com")
    mute = entry(3, name="Nobody")
    address = f"/ingest/tiktok/src?token={KEY}"
    assert client.post(address, json={"entry": [ada]}).json["kept"] == 0
    answer = client.post(address, json={"object": 1, "entry": [ada, mute, eve]})
    assert (answer.status_code, answer.json["kept"]) == (200, 1)
    assert {lead.email for lead in rows(session, Lead)} == {"ada@example.com", "eve@example.com"}
    (quarantined,) = [row for row in rows(session, Intake) if row.status == "quarantined"]
    assert json.loads(quarantined.body)["entry"] == [mute]
    assert quarantined.problem["key"] == "tiktok:3"
    # The lead that came once more, in other company, is no news to anybody.
    assert len(rows(session, Intake)) == 3


def test_tiktok_s_token_is_in_the_address(
    client: FlaskClient, session: Session, make: Make
) -> None:
    make("tiktok")
    assert client.post("/ingest/tiktok/src", json={}).status_code == 401
    assert client.post("/ingest/tiktok/src?token=no", json={}).json["code"] == "key_wrong"
    assert client.post(f"/ingest/tiktok/src?token={KEY}", data="{").json["kept"] == 1
    assert [row.body for row in rows(session, Intake)] == [b"{"]


# Any JSON


def lines(**paths: str) -> dict[str, Any]:
    return {"lines": [{"target": t.replace("__", "."), "paths": [p]} for t, p in paths.items()]}


MAPPING = lines(customer__full_name="name", customer__email="mail", id="number")
ADA = {"name": "Ada Nowak", "mail": "ada@example.com", "number": "n-1", "hobby": "chess"}


@pytest.mark.parametrize("how", ["bearer", "query"])
def test_a_stranger_s_payload_is_a_lead_once_however_it_is_sent(
    client: FlaskClient, session: Session, make: Make, how: str
) -> None:
    make("json", mapping=MAPPING)
    headers = {"Authorization": f"Bearer {KEY}"} if how == "bearer" else {}
    address = "/ingest/json/src" + ("" if how == "bearer" else f"?key={KEY}")
    first = client.post(address, json=ADA, headers=headers)
    assert first.status_code == 202
    again = client.post(address, data=ADA, headers=headers)
    assert again.json["repeated"] is True
    assert again.json["id"] == first.json["id"]
    parts = client.post(
        address, data=ADA, headers=headers, content_type="multipart/form-data", buffered=True
    )
    assert parts.json["id"] == first.json["id"]
    (lead,) = rows(session, Lead)
    assert lead.given["attributes"] == {"hobby": "chess"}


def test_a_payload_that_nothing_maps_is_kept_with_its_cause(
    client: FlaskClient, session: Session, make: Make
) -> None:
    make("json")
    answer = client.post(f"/ingest/json/src?key={KEY}", json=ADA)
    assert (answer.status_code, answer.json["code"]) == (422, "mapping")
    (intake,) = rows(session, Intake)
    assert answer.json["intake"] == str(intake.id)
    assert json.loads(intake.body) == ADA
    for key in ("", "?key=wrong"):
        assert client.post(f"/ingest/json/src{key}", json=ADA).status_code == 401
    assert len(rows(session, Intake)) == 1
    assert refusals(session) == {"key_missing": 1, "key_wrong": 1}


def test_a_paused_source_tells_machines_that_it_keeps_what_they_send(
    client: FlaskClient, session: Session, make: Make
) -> None:
    make("json", mapping=MAPPING, paused_at=NINE)
    answer = client.post(f"/ingest/json/src?key={KEY}", json=ADA)
    (intake,) = rows(session, Intake)
    assert answer.status_code == 202
    assert answer.json == {"status": "kept", "intake": str(intake.id)}
    assert intake.problem["key"] == "own:n-1"


def test_a_list_of_leads_is_taken_in_together(
    client: FlaskClient, session: Session, make: Make
) -> None:
    make("json", mapping=MAPPING)
    eve = {"name": "Eve Wilk", "mail": "eve@example.com", "number": "n-2"}
    answer = client.post(f"/ingest/json/src?key={KEY}", json=[ADA, eve])
    assert [lead["id"] for lead in answer.json["leads"]] == [
        str(lead.id) for lead in sorted(rows(session, Lead), key=lambda lead: lead.full_name)
    ]
    assert client.post(f"/ingest/json/src?key={KEY}", json=[ADA, {"name": "x"}]).status_code == 422


def test_every_door_is_described_for_those_who_build_senders(client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").json
    doors = {path for path in document["paths"] if path.startswith(("/ingest/", "/servlet/"))}
    assert doors == {
        *(f"/ingest/{kind}/{{code}}" for kind in
          ("adf", "google", "json", "linkedin", "meta", "tiktok", "web-to-lead")),
        "/servlet/servlet.WebToLead",
    }  # fmt: skip
    google_door = document["paths"]["/ingest/google/{code}"]["post"]
    assert {"200", "400", "403", "404", "413", "422", "503"} == set(google_door["responses"])


def test_what_the_source_blacks_out_is_not_kept(
    client: FlaskClient, session: Session, make: Make
) -> None:
    make("json", mapping=MAPPING, settings={"redact": ["card.number"]})
    client.post(f"/ingest/json/src?key={KEY}", json={**ADA, "card": {"number": "4111"}})
    assert all(b"4111" not in row.body for row in rows(session, Intake))


@pytest.mark.parametrize("preset", ["typeform", "webflow"])
def test_a_form_that_signs_needs_its_signature_and_a_copy_of_it_grows_old(
    client: FlaskClient, session: Session, make: Make, morning: Any, preset: str
) -> None:
    ready = PRESETS[preset]
    scheme = ready.settings["signature"]
    make("json", mapping=ready.mapping.to_json(), settings=dict(ready.settings),
         secrets={"signing_secret": "shared"})  # fmt: skip
    body = ready.sample.encode()
    stamp = str(int(NINE.timestamp() * 1000))
    timed = scheme["scheme"] == "timestamp"
    made = hmac.new(b"shared", stamp.encode() + b":" + body if timed else body, hashlib.sha256)
    text = made.hexdigest() if scheme["encoding"] == "hex" else ""
    signature = scheme["prefix"] + (text or base64.b64encode(made.digest()).decode())
    headers = {scheme["header"]: signature, "Content-Type": "application/json"}
    if timed:
        headers[scheme["timestamp_header"]] = stamp
    assert client.post("/ingest/json/src", data=body, headers=headers).status_code == 202
    assert client.post("/ingest/json/src", data=body, headers=headers).json["repeated"] is True
    wrong = client.post("/ingest/json/src", data=body + b" ", headers=headers)
    assert (wrong.status_code, wrong.json["code"]) == (401, "signature_wrong")
    # The key alone no longer opens what is signed.
    bare = client.post(f"/ingest/json/src?key={KEY}", data=body)
    assert (bare.status_code, bare.json["code"]) == (401, "signature_missing")
    expected = {"signature_wrong": 1, "signature_missing": 1}
    if timed:
        morning.shift(timedelta(minutes=6))
        old = client.post("/ingest/json/src", data=body, headers=headers)
        assert (old.status_code, old.json["code"]) == (401, "signature_old")
        expected["signature_old"] = 1
    assert refusals(session) == expected
    assert len(rows(session, Lead)) == len(rows(session, Intake)) == 1


def test_no_door_takes_more_than_the_installation_allows(
    settings: Settings, engine: Any, make: Make
) -> None:
    make("json", mapping=MAPPING)
    app = create_app(replace(settings, max_body_bytes=1_000), engine=engine)
    for path in (f"json/src?key={KEY}", "google/src", "meta/src", "tiktok/src", "web-to-lead/src"):
        answer = app.test_client().post(f"/ingest/{path}", data=b"x" * 1_001)
        assert answer.status_code in {404, 413}, path
    assert (
        app.test_client().post(f"/ingest/json/src?key={KEY}", data=b"x" * 1_001).status_code == 413
    )
