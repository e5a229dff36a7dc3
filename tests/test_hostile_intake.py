"""Hostile senders at every door: a named error, nothing written but the raw record that is owed."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from lmt import web
from lmt.config import Settings
from lmt.ingest import kinds
from lmt.models import Intake, Lead
from tests.hostile import (
    BODIES,
    DOORS,
    FORM,
    JSON,
    OID,
    Door,
    add_sources,
    key_of,
    lead_of,
    signed,
    stamped,
)
from tests.world import ADF_KEY, API_KEY, World

COUNTED = ("lead", "customer", "event", "inquiry", "intake")
PROBLEM = "application/problem+json"
FIFTY_MB = 50 * 1024 * 1024
HOME = "https://home.example/"
KEY = key_of("h-google")


@pytest.fixture(autouse=True)
def doors(app: Flask, session: Session, world: World, settings: Settings) -> Iterator[None]:
    assert app
    add_sources(session, world, settings.secret_key)
    yield
    web.limiter.reset()


def counts(session: Session) -> dict[str, int]:
    session.rollback()
    every = ", ".join(f"(SELECT count(*) FROM {table}) AS {table}" for table in COUNTED)
    return dict(session.execute(text(f"SELECT {every}")).one()._mapping)


def post(client: FlaskClient, door: Door, body: bytes, label: str, **more: Any) -> TestResponse:
    web.limiter.reset()
    headers = {**door.vouch(body), **more.pop("headers", {})}
    return client.post(door.path, data=body, content_type=label, headers=headers, **more)


def kept(session: Session) -> list[Intake]:
    session.rollback()
    session.expire_all()
    return list(session.scalars(select(Intake).order_by(Intake.id)))


@pytest.mark.parametrize("name", DOORS)
def test_a_hostile_body_is_refused_by_name_and_kept_as_it_came_where_somebody_vouches_for_it(
    client: FlaskClient, session: Session, name: str
) -> None:
    door = DOORS[name]
    before = counts(session)
    expected = []
    for what, hostile in BODIES.items():
        language = {"Accept-Language": "de"} if what == "nothing" else {}
        answer = post(client, door, hostile.body, hostile.label, headers=language)
        cause = hostile.name(door)
        if door.is_page:
            assert (answer.status_code, answer.headers["Location"]) == (303, HOME), what
        elif name == "google":
            assert answer.status_code in {400, 403}, what
            assert (answer.json["code"], bool(answer.json["message"])) == (cause, True), what
        elif name in {"meta", "linkedin", "tiktok"}:
            assert (answer.status_code, answer.mimetype) == (200, JSON), what
            assert answer.json.get("kept") == 1 or answer.json["intake"], what
        else:
            assert (answer.status_code, answer.mimetype) == (422, PROBLEM), what
            assert (answer.json["code"], bool(answer.json["detail"])) == (cause, True), what
            assert len(answer.json["errors"]) <= 100, what
        expected.append((cause, hostile.body))
    found = [(row.problem["code"], row.body) for row in kept(session)]
    assert found == ([] if name == "google" else expected)
    owed = 0 if name == "google" else len(BODIES)
    assert counts(session) == before | {"intake": before["intake"] + owed}


class Endless(io.RawIOBase):
    """A body that comes for as long as somebody reads; `most` bytes may be read of it."""

    def __init__(self, most: int):
        self.read_bytes, self.most = 0, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        assert self.read_bytes <= self.most, "somebody reads a body that is far too long"
        buffer[:] = b"x" * len(buffer)
        self.read_bytes += len(buffer)
        return len(buffer)


def test_a_body_far_too_long_is_not_read_however_it_comes(
    client: FlaskClient, session: Session, settings: Settings
) -> None:
    before = counts(session)
    ways: list[dict[str, Any]] = [
        {"wsgi.input": Endless(0), "CONTENT_LENGTH": str(FIFTY_MB)},
        {"wsgi.input": Endless(0), "CONTENT_LENGTH": "9" * 400},
        {
            "wsgi.input": Endless(settings.max_body_bytes + 128 * 1024),
            "wsgi.input_terminated": True,
            "HTTP_TRANSFER_ENCODING": "chunked",
        },
    ]
    for door in DOORS.values():
        for way in ways:
            way["wsgi.input"].read_bytes = 0
            web.limiter.reset()
            answer = client.post(door.path, headers=door.vouch(b""), environ_overrides=way)
            assert (answer.status_code, door) == (413, door)
            assert answer.mimetype == ("text/html" if door.is_page else PROBLEM)
    assert counts(session) == before


LEAD = lead_of(DOORS["json"], "Eve")[0]
NOTICE = b'{"entry":[{"changes":[{"field":"leadgen","value":{"leadgen_id":7}}]}]}'
LINKEDIN = b'{"leadAction":"CREATED","leadGenFormResponse":"urn:li:leadGenFormResponse:7"}'


def at(minutes: float) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=minutes)


UNVOUCHED: list[tuple[str, str, Any, bytes, int, str]] = [
    ("api", "", {}, b"{}", 401, "unauthorized"),
    ("api", "", {"Authorization": "Bearer"}, b"{}", 401, "unauthorized"),
    ("api", "", {"Authorization": "Bearer  "}, b"{}", 401, "unauthorized"),
    ("api", "", {"Authorization": f"Basic {API_KEY}"}, b"{}", 401, "unauthorized"),
    ("api", "", {"Authorization": f"Bearer {API_KEY} "[:-3]}, b"{}", 401, "unauthorized"),
    ("api", "", {"Authorization": f"Bearer {API_KEY}, {API_KEY}"}, b"{}", 401, "unauthorized"),
    ("api", "", {"Authorization": "Bearer \xff\xfe\x80"}, b"{}", 401, "unauthorized"),
    ("api", "", {"Authorization": "Bearer " + "k" * 100_000}, b"{}", 401, "unauthorized"),
    ("api", "", {"Authorization": "Bearer ' OR 1=1 --"}, b"{}", 401, "unauthorized"),
    # The key of another source, or of another kind.
    ("api", "", {"Authorization": f"Bearer {ADF_KEY}"}, b"{}", 401, "unauthorized"),
    ("api", f"?key={API_KEY}", {}, b"{}", 401, "unauthorized"),
    ("adf", "", {"Authorization": f"Bearer {API_KEY}"}, b"<adf/>", 401, "unauthorized"),
    ("json", "", {"Authorization": f"Bearer {API_KEY}"}, LEAD, 401, "key_wrong"),
    ("json", "", {"Authorization": "Bearer"}, LEAD, 401, "key_missing"),
    ("json", "?key=", {}, LEAD, 401, "key_missing"),
    ("json", f"?key={key_of('h-google')}", {}, LEAD, 401, "key_wrong"),
    ("json", f"?key=wrong&key={key_of('h-json')}", {}, LEAD, 401, "key_wrong"),
    ("json", "?key=%00%ff", {}, LEAD, 401, "key_wrong"),
    ("signed", "", {}, LEAD, 401, "signature_missing"),
    ("signed", f"?key={key_of('h-signed')}", {}, LEAD, 401, "signature_missing"),
    ("signed", "", stamped(LEAD + b" "), LEAD, 401, "signature_wrong"),
    ("signed", "", {"X-Sign": signed(LEAD)}, LEAD, 401, "signature_missing"),
    ("signed", "", lambda: stamped(LEAD, at(-6)), LEAD, 401, "signature_old"),
    ("signed", "", lambda: stamped(LEAD, at(6)), LEAD, 401, "signature_old"),
    ("signed", "", lambda: {**stamped(LEAD, at(-6)), "X-Time": "1"}, LEAD, 401, "signature_wrong"),
    ("signed", "", {"X-Time": "\xb2" * 9, "X-Sign": "\xff"}, LEAD, 401, "signature_wrong"),
    ("meta", "", {}, NOTICE, 401, "signature_missing"),
    ("meta", "", {"X-Hub-Signature-256": signed(NOTICE)}, NOTICE, 401, "signature_wrong"),
    ("meta", "", {"X-Hub-Signature-256": "sha256="}, NOTICE, 401, "signature_wrong"),
    ("meta", "", {"X-Hub-Signature": "sha1=0"}, NOTICE, 401, "signature_missing"),
    ("meta", "", {"X-Hub-Signature-256": f"sha256={signed(NOTICE, '')}"}, NOTICE, 401,
     "signature_wrong"),
    ("linkedin", "", {"X-LI-Signature": signed(LINKEDIN)}, LINKEDIN, 401, "signature_wrong"),
    ("linkedin", "", {"X-LI-Signature": "hmacsha256="}, LINKEDIN, 401, "signature_missing"),
    ("google", "", {}, b'{"lead_id":"1"}', 403, "key_missing"),
    ("google", "", {}, b'{"lead_id":"1","google_key":["a"]}', 403, "key_missing"),
    ("google", "", {}, json.dumps({"google_key": key_of("h-json")}).encode(), 403, "key_wrong"),
    ("google", "", {}, b'{"google_key":"a","google_key":"%s"}' % key_of("h-google").encode(), 403,
     "key_missing"),
    ("tiktok", "?token=", {}, b"{}", 401, "key_missing"),
    ("tiktok", f"?token={key_of('h-json')}", {}, b"{}", 401, "key_wrong"),
]  # fmt: skip


def test_what_nobody_vouches_for_is_named_and_leaves_nothing(
    client: FlaskClient, session: Session
) -> None:
    before = counts(session)
    for name, query, headers, body, status, code in UNVOUCHED:
        answer = client.post(
            DOORS[name].path.partition("?")[0] + query,
            data=body,
            content_type=JSON,
            headers=headers() if callable(headers) else headers,
        )
        where = (name, query, body)
        assert (answer.status_code, answer.json["code"]) == (status, code), where
        assert answer.mimetype == (JSON if name == "google" else PROBLEM), where
    assert counts(session) == before


def test_a_copied_delivery_is_the_same_delivery(client: FlaskClient, session: Session) -> None:
    body, label = lead_of(DOORS["signed"], "Eve")
    headers = stamped(body)
    answers = [
        client.post(DOORS["signed"].path, data=body, content_type=label, headers=headers).json
        for _time in range(3)
    ]
    assert [answer.get("repeated", False) for answer in answers] == [False, True, True]
    assert len(kept(session)) == 1
    for _time in range(3):
        assert post(client, DOORS["meta"], NOTICE, JSON).status_code == 200
    assert len(kept(session)) == 2


def test_nobody_gets_a_delivery_signed_that_linkedin_never_sent(
    client: FlaskClient, session: Session
) -> None:
    path = DOORS["linkedin"].path
    for body in (LINKEDIN, b"", b"{}", b"[]"):
        asked = {"challengeCode": "hmacsha256=" + body.decode()}
        answer = client.get(path, query_string=asked)
        assert (answer.status_code, answer.json["code"]) == (400, "challenge_missing")
        assert signed(b"hmacsha256=" + body) not in answer.text
    assert client.get(path, query_string={"challengeCode": "890e4665-4dfe"}).status_code == 200


METHODS = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")


def test_other_methods_are_told_what_is_allowed(client: FlaskClient, session: Session) -> None:
    before = counts(session)
    for name, door in DOORS.items():
        for method in METHODS:
            answer = client.open(door.path, method=method, headers=door.vouch(b""))
            if name in {"meta", "linkedin"} and method in {"GET", "HEAD"}:
                assert answer.status_code in {400, 403}
                continue
            assert answer.status_code == 405, method
            assert "POST" in answer.headers["Allow"]
        assert client.options(door.path).status_code == 200
    assert counts(session) == before


ADDRESSES = [
    ("/ingest/json/%00", 400),
    ("/ingest/json/h-json%00", 400),
    ("/ingest/google/h-json%00", 400),
    ("/ingest/web-to-lead/%00", 400),
    ("/servlet/servlet.WebToLead?orgId=%00", 404),
    ("/servlet/servlet.WebToLead?orgId=%25", 404),
    ("/servlet/servlet.WebToLead?orgId=00D0000000abcD_", 404),
    ("/ingest/json/..%2f..%2fetc%2fpasswd", 404),
    ("/ingest/json/../../api/v1/leads", 404),
    ("/ingest/json/%ff%fe", 404),
    ("/ingest/json/%ed%a0%80", 404),
    ("/ingest/json/h-json'%20OR%20'1'='1", 404),
    ("/ingest/json/H-JSON", 404),
    ("/ingest/json/h-google", 404),
    ("/ingest/google/h-json", 404),
    ("/ingest/json/" + "a" * 60_000, 404),
    ("/ingest/json/h-json/", 404),
    ("/ingest/none/h-json", 404),
]  # fmt: skip


def test_an_address_that_is_nobody_s_is_told_so(client: FlaskClient, session: Session) -> None:
    before = counts(session)
    for path, status in ADDRESSES:
        answer = client.post(path, data=LEAD, content_type=FORM)
        assert answer.status_code == status, path
        is_page = path.startswith(("/servlet", "/ingest/web"))
        assert answer.mimetype == "text/html" if is_page else answer.json["code"], path
    assert counts(session) == before


HEADERS: list[dict[str, str]] = [
    {"Content-Type": "text/plain; charset=idna"},
    {"Content-Type": "multipart/form-data; boundary=" + "x" * 10_000},
    {"Content-Type": "a" * 5_000},
    {"Content-Type": ";;;=;charset=\xff;\""},
    {"Content-Type": "application/json; charset=zlib"},
    {"Content-Encoding": "gzip"},
    {"Idempotency-Key": "k" * 50_000},
    {"Idempotency-Key": '"\xe9\x80"'},
    {"Idempotency-Key": "../../etc/passwd"},
    {"Prefer": "wait=99999999999999999999999999"},
    {"Prefer": "wait=-1, wait=1e9, wait=\xb2"},
    {"Accept-Language": "x" * 5_000 + ";q=NaN"},
    {"Accept": "\xff/\xfe"},
    {"Cookie": "lmt=" + "x" * 5_000},
    {"Host": "evil.example"},
    {"X-Forwarded-Host": "evil.example"},
    {"X-HTTP-Method-Override": "DELETE"},
    {"Referer": f"https://evil.example/?{OID}"},
]  # fmt: skip


@pytest.mark.parametrize("name", ["api", "json"])
def test_odd_headers_do_no_harm(
    client: FlaskClient, session: Session, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("lmt.ingest.machines.LONGEST_WAIT_SECONDS", 0)
    door = DOORS[name]
    for number, odd in enumerate(HEADERS):
        body, label = lead_of(door, "Eve", number)
        headers = {"Content-Type": label, **door.vouch(body), **odd}
        answer = client.post(door.path, data=body, headers=headers)
        assert answer.status_code == 202, (odd, answer.text)
        assert "Set-Cookie" not in answer.headers
        assert "evil.example" not in answer.text
    assert len({row.id for row in session.scalars(select(Lead))}) == len(HEADERS)


RETURNS = [
    "//evil.example/", "///evil.example/", "https:/\\evil.example/", "https:\\\\evil.example/",
    "https:///evil.example/", "https://brand.example@evil.example/", "https://brand.example%2f@e/",
    "https://brand.example.evil.example/", "https://evilbrand.example/",
    "https://evil.example/brand.example", "https://evil.example#brand.example",
    "https://evil.example?brand.example", "https://brand\u3002example/", "https://brand.example\u00ad/",
    "https://brand.example%2eevil.example/", "https://evil.example[brand.example]/",
    "https://brand.example\t.evil.example/", "https://brand.example\r\nLocation: https://evil/",
    "JavaScript:alert(1)", "data:text/html,<script>",
    "https://\uff42rand.example/", "ftp://brand.example/", "http://brand.example/", "https://",
    "https://brand.example:8443/",
]  # fmt: skip


def test_no_form_sends_its_visitor_astray(client: FlaskClient) -> None:
    for wanted in RETURNS:
        body = urlencode({"last_name": "Eve", "email": "e@example.com", "retURL": wanted}).encode()
        answer = post(client, DOORS["form"], body, FORM)
        assert (answer.status_code, answer.headers["Location"]) == (303, HOME), wanted
        assert set(answer.headers) & {"Set-Cookie", "X-Evil"} == set()


def google_body(**more: Any) -> bytes:
    """A lead of its own each time."""
    columns = [{"column_id": "EMAIL", "string_value": "e@example.com"}]
    facts = {"lead_id": uuid.uuid4().hex, "google_key": KEY, "user_column_data": columns}
    return json.dumps({**facts, **more}, ensure_ascii=False).encode()


ESCAPED = "".join(f"\\u{ord(letter):04x}" for letter in KEY)
WITH_A_KEY = {
    "plain": google_body(),
    "escaped": google_body().replace(KEY.encode(), ESCAPED.encode()),
    "escaped name": google_body().replace(b"google_key", b"google\\u005fkey"),
    "both escaped": google_body()
    .replace(KEY.encode(), ESCAPED.encode())
    .replace(b"google_key", b"google\\u005fkey"),
    "deeper": google_body(more={"list": [{"google_key": KEY}]}),
    "deeper, escaped and twice": google_body(more="X").replace(
        b'"X"', f'{{"google\\u005fkey":"{KEY}","google_key":1}}'.encode()
    ),
    "under another name": google_body(gcl_id=KEY, more=[f"key={KEY}"]),
    "under another name, escaped": google_body(gcl_id="X").replace(
        b'"X"', f'"{ESCAPED}"'.encode()
    ),
    "as a name": google_body(**{KEY: "x"}),
    "beside a bare line end": google_body(a="X", b="Y").replace(b'"X"', b'"x\ny"').replace(
        KEY.encode(), ESCAPED.encode()
    ),
    "beside another charset": google_body(a="é").decode().encode("latin-1"),
    "UTF-16": google_body().decode().encode("utf-16"),
    "as a form": b"google%5Fkey=" + KEY.replace("_", "%5F").encode() + b"&lead_id=1",
}  # fmt: skip


def test_a_key_in_a_body_is_not_kept_however_it_is_written(
    client: FlaskClient, session: Session
) -> None:
    spellings = [KEY.encode(), KEY.encode("utf-16-le"), KEY.encode("utf-16-be"), ESCAPED.encode()]
    for how, body in WITH_A_KEY.items():
        answer = post(client, DOORS["google"], body, JSON)
        assert answer.status_code in {200, 422}, how
        row = kept(session)[-1]
        for spelled in (*spellings, KEY.replace("_", "%5F").encode()):
            assert spelled not in row.body, how
    assert len(kept(session)) == len(WITH_A_KEY)
    told = [json.dumps(lead.given) for lead in session.scalars(select(Lead))]
    assert all(KEY not in given for given in told)


def test_a_delivery_that_breaks_us_is_kept_and_no_key_is_logged(
    client: FlaskClient,
    session: Session,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(_source: Any, _content_type: str) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(kinds, "reader_of", lambda *_: lambda body: broken(body, ""))
    doors = [DOORS["query"], DOORS["tiktok"]]
    answers = [post(client, door, b'{"a":1}', JSON) for door in doors]
    assert [answer.status_code for answer in answers] == [500, 200]
    assert answers[0].json["code"] == "failed"
    assert [row.problem["code"] for row in kept(session)] == ["failed", "failed"]
    said = "".join(capfd.readouterr())
    assert "delivery.failed" in said
    assert key_of("h-json") not in said
    assert key_of("h-tiktok") not in said
