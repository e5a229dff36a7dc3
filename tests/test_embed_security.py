"""What strangers may do with a form: everything a visitor could, and nothing besides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from limits import RateLimitItemPerMinute
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from lmt.models import Form, Intake, Lead
from tests.formpages import ORIGIN, Visitor, definition, published, words

MORNING = datetime(2026, 3, 6, 8, 5, tzinfo=UTC)
EVIL = "https://evil.example"
SEND = "/embed/trade/send"
ANSWERS = {
    "request_type": "offer", "has_car": "no", "name": "Ewa Nowak", "phone": "+48 512 345 001",
    "city": "Warszawa", "consent": "yes", "lang": "en", "version": "1",
}  # fmt: skip
URLENCODED = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def clock(session: Session) -> Iterator[Any]:
    published(session, "trade", definition("trade"))
    with time_machine.travel(MORNING, tick=False) as traveller:
        yield traveller


@pytest.fixture
def token(client: FlaskClient, clock: Any) -> str:
    """Of the form, half a minute old."""
    data = client.get("/embed/trade.json").json
    assert data
    clock.shift(timedelta(seconds=30))
    return str(data["token"])


@pytest.fixture
def send(client: FlaskClient, token: str) -> Callable[..., TestResponse]:
    def post(origin: str = ORIGIN, **changes: Any) -> TestResponse:
        data = ANSWERS | {"form_token": token} | changes
        return client.post(SEND, data=data, headers={"Origin": origin} if origin else {})

    return post


def count(session: Session, model: Any) -> int:
    session.rollback()
    return session.scalars(select(func.count()).select_from(model)).one()


def review(session: Session) -> list[list[str]]:
    """The reasons of everything that waits for a person."""
    session.rollback()
    waiting = session.scalars(select(Intake).where(Intake.status == "quarantined")).all()
    return [[error["code"] for error in intake.problem["errors"]] for intake in waiting]


def ancestors(answer: TestResponse) -> str:
    policy = answer.headers["Content-Security-Policy"]
    return next(part for part in policy.split("; ") if part.startswith("frame-ancestors"))


def test_a_frame_stands_on_the_pages_of_its_form_alone(
    client: FlaskClient, session: Session
) -> None:
    assert ancestors(client.get("/embed/trade")) == f"frame-ancestors {ORIGIN}"
    assert ancestors(client.get("/embed/trade/thanks")) == f"frame-ancestors {ORIGIN}"
    assert ancestors(client.get("/embed/contact-pl")) == "frame-ancestors 'none'"
    for address in (
        "/forms/trade",
        "/forms/trade/thanks",
        "/embed/trade.js",
        "/embed/no",
        "/login",
    ):
        assert ancestors(client.get(address)) == "frame-ancestors 'none'", address
    for address in ("/forms/trade", "/embed/trade"):
        answer = client.get(address)
        assert "geolocation=(self)" in answer.headers["Permissions-Policy"]
        assert "Set-Cookie" not in answer.headers
    assert "geolocation=()" in client.get("/login").headers["Permissions-Policy"]


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", "/embed/trade.js"), ("GET", "/embed/trade.json"), ("POST", SEND),
        ("OPTIONS", SEND), ("GET", "/embed/trade/sent/x"),
        ("OPTIONS", "/embed/trade/dealers"), ("OPTIONS", "/embed/trade.json"),
    ],
)  # fmt: skip
def test_answers_are_read_on_the_pages_of_the_form_alone(
    client: FlaskClient, method: str, address: str
) -> None:
    answer = client.open(address, method=method, headers={"Origin": ORIGIN}, data={})
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Origin" in answer.headers["Vary"]
    for origin in (EVIL, "null", f"{ORIGIN}.evil.example", "http://www.brand.example", ""):
        headers = {"Origin": origin} if origin else {}
        answer = client.open(address, method=method, headers=headers, data={})
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Set-Cookie" not in answer.headers


def test_what_another_page_sends_is_refused_there_and_kept_for_a_person(
    send: Callable[..., TestResponse], session: Session
) -> None:
    answer = send(EVIL)
    assert answer.json
    assert (answer.status_code, answer.json["code"]) == (403, "other_origin")
    assert (count(session, Lead), review(session)) == (0, [["origin"]])


@pytest.mark.parametrize(
    ("which", "reason"),
    [("contact-pl", "token_forged"), ("", "token_missing"), ("x.y", "token_forged")],
)
def test_a_token_of_elsewhere_is_none(
    send: Callable[..., TestResponse], client: FlaskClient, session: Session, which: str,
    reason: str,
) -> None:  # fmt: skip
    other = client.get(f"/embed/{which}.json").json if which == "contact-pl" else {"token": which}
    assert other
    answer = send(form_token=other["token"])
    assert answer.json
    assert (answer.status_code, answer.json["reference"]) == (200, "")
    assert (count(session, Lead), review(session)) == (0, [[reason]])


def test_a_token_of_an_old_version_vouches_for_that_one_alone(
    send: Callable[..., TestResponse], session: Session
) -> None:
    published(session, "trade", definition("trade"))
    assert send(version="2").status_code == 200
    assert review(session) == [["token_forged"]]
    assert send(version="1").status_code == 200
    assert count(session, Lead) == 1


def test_forged_hidden_answers_are_nobodys(
    send: Callable[..., TestResponse], session: Session
) -> None:
    answer = send(
        campaign_code="theirs", mileage="7", status="sold", attributes="{}", dealer_id="1",
        **{"request.brand": "x", "customer": "y", "form": "z"},
    )  # fmt: skip
    assert answer.status_code == 200
    lead = session.scalars(select(Lead)).one()
    assert lead.given["request"]["timeframe"] == "ours"
    assert lead.given["attributes"] == {"has_car": "no"}, "what its condition hides is left out"
    assert lead.full_name == "Ewa Nowak"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"name": "x" * 201}, ["name"]),
        ({"comments": "x" * 5001}, ["comments"]),
        ({"phone": "1" * 41}, ["phone"]),
        ({"name": "A\0B"}, ["name"]),
        ({"name": "Ewa\nBcc: all@example.com"}, ["name"]),
        ({"request_type": "complaint"}, ["request_type"]),
        ({"request_type": "offer\noffer"}, ["request_type"]),
        ({"has_car": "\u0000"}, ["has_car"]),
        ({"consent": "no"}, ["consent"]),
        ({"has_car": "yes", "mileage": "1e9"}, ["mileage"]),
        ({"has_car": "yes", "mileage": "-1"}, ["mileage"]),
        ({"has_car": "yes", "mileage": "NaN"}, ["mileage"]),
        ({"has_car": "yes", "mileage": "1", "photo": "/etc/passwd"}, None),
        ({"name": ["", "second"]}, ["name"]),
        ({"email": "a@b@c"}, ["email"]),
        ({"phone": "", "email": ""}, ["phone"]),
    ],
)
def test_an_answer_that_no_visitor_could_give_is_refused_by_name(
    send: Callable[..., TestResponse], session: Session, changes: dict[str, Any],
    named: list[str] | None,
) -> None:  # fmt: skip
    answer = send(**changes)
    assert answer.json
    if named is None:
        assert answer.status_code == 200
        assert "photo" not in session.scalars(select(Lead)).one().given["attributes"]
        return
    assert (answer.status_code, list(answer.json["errors"])) == (422, named)
    assert all(answer.json["errors"].values())
    assert (count(session, Lead), count(session, Intake)) == (0, 0)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"name": "Ewa"}', "application/json", 415),
        (b"name=Ewa", "text/plain", 415),
        (b"", "", 415),
        (b"", URLENCODED, 422),
        (b"&".join(b"f%d=" % n for n in range(100_000)), URLENCODED, 422),
        (b"name=" + b"x" * 3_000_000, URLENCODED, 413),
        (b"name=%00%ff%", URLENCODED, 422),
        (b"", "multipart/form-data", 422),
        (b"--b\r\nno end", "multipart/form-data; boundary=b", 422),
        (b"--b\r\n" + b"x" * 40_000_000, "multipart/form-data; boundary=b", 413),
        (b"".join(b'--b\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n\r\n' % n
                  for n in range(2000)) + b"--b--\r\n", "multipart/form-data; boundary=b", 413),
    ],
    ids=["json", "text", "nothing", "empty", "many fields", "long", "bytes", "no boundary",
         "cut off", "huge", "many parts"],
)  # fmt: skip
def test_a_body_that_is_no_form_is_refused_in_words(
    client: FlaskClient, session: Session, body: bytes, kind: str, status: int
) -> None:
    answer = client.post(SEND, data=body, content_type=kind, headers={"Origin": ORIGIN})
    assert answer.json
    assert answer.status_code == status
    assert answer.json.get("detail") or answer.json["errors"]
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    page = client.post("/embed/trade", data=body, content_type=kind)
    assert page.status_code in {413, 422}
    assert page.mimetype == "text/html"
    assert (count(session, Lead), count(session, Intake)) == (0, 0)


def test_a_form_without_files_takes_no_large_body(client: FlaskClient) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n' + b"x" * 3_000_000
    )
    kind = "multipart/form-data; boundary=b"
    assert client.post("/embed/contact-pl/send", data=body, content_type=kind).status_code == 413


def test_more_than_people_send_is_looked_at_and_far_more_is_turned_away(
    send: Callable[..., TestResponse], client: FlaskClient, session: Session, token: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("lmt.embed.rates._TRIES", RateLimitItemPerMinute(11))
    for number in range(11):
        answer = send(name=f"Person {number}", phone=f"+48 512 345 {number:03}")
        assert answer.status_code == 200
    assert (count(session, Lead), review(session)) == (10, [["rate"]])
    refused = send()
    assert refused.json
    assert (refused.status_code, refused.json["code"]) == (429, "too_many_requests")
    assert refused.headers["Retry-After"]
    page = client.post("/forms/trade", data=ANSWERS | {"form_token": token, "step": "you"})
    assert page.status_code == 429
    assert "Ewa Nowak" in page.text
    assert "Wait a minute" in page.text
    assert count(session, Lead) == 10


@pytest.mark.parametrize("state", ["inactive", "retired", "unpublished", "unknown"])
def test_a_form_that_nobody_may_see_leaves_pages_alone(
    client: FlaskClient, session: Session, state: str
) -> None:
    form = session.scalars(select(Form).where(Form.code == "trade")).one()
    if state == "inactive":
        form.active = False
    elif state == "retired":
        form.source.active = False
    elif state == "unpublished":
        form.published_id = None
    session.commit()
    code = "nothing" if state == "unknown" else "trade"
    script = client.get(f"/embed/{code}.js")
    assert (script.status_code, script.data, script.mimetype) == (404, b"", "text/javascript")
    for address in (
        f"/forms/{code}",
        f"/embed/{code}",
        f"/embed/{code}.json",
        f"/embed/{code}.css",
    ):
        assert client.get(address).status_code == 404, address
    for address in (f"/forms/{code}", f"/embed/{code}/send", f"/embed/{code}"):
        assert client.post(address, data=ANSWERS).status_code == 404, address


def test_words_of_a_form_break_no_script_and_no_page(client: FlaskClient, session: Session) -> None:
    title = "</script><img src=x onerror=alert(1)>\u2028"
    published(session, "trade", definition("trade", title=words(title)))
    script = client.get("/embed/trade.js").text
    data = script[script.index("LmtEmbed.show({") :]
    assert "</" not in data
    assert "\u2028" not in data
    assert "<img" not in client.get("/forms/trade").text
    visitor = Visitor(client, "/forms/trade")
    visitor.send(comments='"><script>alert(1)</script>', request_type="'><b>")
    assert "<script>alert" not in visitor.page.text
    assert "<b>" not in visitor.page.text


def test_a_script_is_kept_for_a_minute_and_asked_for_again_by_its_mark(
    client: FlaskClient, clock: Any
) -> None:
    headers = {"Accept-Encoding": "gzip", "Accept-Language": "pl", "Origin": ORIGIN}
    first = client.get("/embed/trade.js", headers=headers)
    assert first.headers["Content-Encoding"] == "gzip"
    assert first.headers["Cache-Control"] == "public, max-age=60"
    assert {"Accept-Language", "Accept-Encoding", "Origin"} <= set(
        first.headers["Vary"].split(", ")
    )
    assert first.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    assert len(first.data) < 20 * 1024
    clock.shift(timedelta(minutes=5))
    again = client.get(
        "/embed/trade.js", headers=headers | {"If-None-Match": first.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")
    clock.shift(timedelta(hours=1))
    later = client.get(
        "/embed/trade.js", headers=headers | {"If-None-Match": first.headers["ETag"]}
    )
    assert later.status_code == 200, "the token in it would grow too old"
    english = client.get("/embed/trade.js?lang=en", headers=headers)
    assert english.headers["ETag"] != later.headers["ETag"]


def test_programs_for_brand_pages_are_served_and_nothing_besides(client: FlaskClient) -> None:
    for name in ("visit.js", "frame.js"):
        answer = client.get(f"/embed/{name}")
        assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert client.get("/embed/static/form.css").mimetype == "text/css"
    for name in ("nothing.js", "..%2f__init__.py", "../__init__.py", "..", "%2e%2e"):
        assert client.get(f"/embed/static/{name}").status_code == 404, name
    page = client.get("/forms/trade").text
    style = page.split('rel="stylesheet" href="')[1].split('"')[0].replace("&amp;", "&")
    assert "immutable" in client.get(style).headers["Cache-Control"]
