"""The door of the web pages: who gets in, what strangers learn, and what every answer carries."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from lmt import clock
from lmt.accounts.roles import PERMISSIONS, ROLES
from lmt.accounts.service import EVERYWHERE, BadAccount, create_user, ensure_roles
from lmt.app import create_app
from lmt.config import LOCALES, Settings
from lmt.models import Heartbeat, Role, User
from lmt.notify.mailbox import list_mails, read_mail
from lmt.web import is_public
from tests.world import PASSWORD

Login = Callable[[FlaskClient, User], FlaskClient]


def try_login(client: FlaskClient, email: str, password: str, **more: str) -> str:
    answer = client.post("/login", data={"email": email, "password": password, **more})
    return f"{answer.status_code} {answer.headers.get('Location', '')}".strip()


def said(page: str) -> str:
    notices = re.findall(r'<div class="notice.*?</div>', page, re.S)
    return " ".join(re.sub(r"<[^>]+>|\s+", " ", each).strip() for each in notices)


def link_in_mail(settings: Settings) -> tuple[str, str, str]:
    """Subject, body and the path of the link in the latest mail."""
    mail = read_mail(settings, list_mails(settings)[0].id)
    assert mail is not None
    part = mail.get_body(("plain",))
    assert part is not None
    text = part.get_content()
    found = re.search(r"http://localhost(/account/reset/\S+)", text)
    return str(mail["Subject"]), text, found[1] if found else ""


def test_a_wrong_password_and_an_unknown_address_look_the_same(
    client: FlaskClient, cast: dict[str, User], session: Session
) -> None:
    cast["bert"].active = False
    session.commit()
    answers = [
        client.post("/login", data={"email": email, "password": password})
        for email, password in (
            ("anna@lmt.example", "not her password"),
            ("nobody@lmt.example", "not her password"),
            ("bert@lmt.example", PASSWORD),
        )
    ]
    told = {(answer.status_code, said(answer.text)) for answer in answers}
    assert told == {(200, "The mail address or the password is wrong.")}


def test_the_address_is_taken_in_any_case(client: FlaskClient, cast: dict[str, User]) -> None:
    assert try_login(client, "Anna@LMT.example", PASSWORD) == "302 /"


@pytest.mark.parametrize(
    ("next_page", "lands"),
    [
        ("/desk/?tab=mine", "302 /desk/?tab=mine"),
        ("https://evil.example/", "200"),
        ("//evil.example/", "200"),
        (r"/\evil.example", "302 /%5Cevil.example"),
    ],
)
def test_login_leads_back_but_never_away(
    client: FlaskClient, cast: dict[str, User], next_page: str, lands: str
) -> None:
    answer = try_login(client, "anna@lmt.example", PASSWORD, next=next_page)
    assert answer == lands


def test_guessing_is_slowed_for_the_account_that_is_guessed(
    settings: Settings, engine: Engine, cast: dict[str, User]
) -> None:
    app = create_app(settings, engine=engine)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    client = app.test_client()
    for _ in range(10):
        assert try_login(client, "anna@lmt.example", "a guess of hers") == "200"
    assert try_login(client, "anna@lmt.example", PASSWORD) == "429"
    assert try_login(client, "carla@lmt.example", PASSWORD) == "302 /"


def test_logging_out_ends_the_session(
    client: FlaskClient, cast: dict[str, User], login: Login
) -> None:
    login(client, cast["anna"])
    assert client.get("/logout").status_code == 405
    assert client.post("/logout").status_code == 302
    assert client.get("/desk/").headers["Location"].startswith("/login")


def test_a_forgotten_password_is_chosen_anew(
    client: FlaskClient, cast: dict[str, User], session: Session, settings: Settings
) -> None:
    cast["anna"].language = "en"
    session.commit()
    # The link is built from the setting, whatever host a stranger asks for.
    client.post(
        "/account/reset", data={"email": "anna@lmt.example"}, headers={"Host": "evil.example"}
    )
    subject, text, path = link_in_mail(settings)
    assert subject == "Choose a new password"
    assert "Hello Anna" in text
    assert "evil" not in text
    new = {"password": "another long one", "password_confirm": "another long one"}
    assert client.post(path, data=new).status_code == 302
    assert try_login(client, "anna@lmt.example", PASSWORD) == "200"
    assert try_login(client, "anna@lmt.example", "another long one") == "302 /"
    assert link_in_mail(settings)[0] == "Your password has been reset"
    # The link works once.
    client.post("/logout")
    client.post(path, data={"password": "a third one!", "password_confirm": "a third one!"})
    assert try_login(client, "anna@lmt.example", "a third one!") == "200"


def test_asking_for_a_reset_tells_nothing(
    client: FlaskClient, cast: dict[str, User], settings: Settings
) -> None:
    pages = [
        said(client.post("/account/reset", data={"email": email}).text)
        for email in ("anna@lmt.example", "nobody@lmt.example")
    ]
    assert pages[0] == pages[1] != ""
    assert [mail.to for mail in list_mails(settings)] == ["anna@lmt.example"]


def test_a_short_password_is_refused(
    client: FlaskClient, cast: dict[str, User], login: Login
) -> None:
    login(client, cast["anna"])
    given = {"password": PASSWORD, "new_password": "short", "new_password_confirm": "short"}
    page = client.post("/account/change", data=given)
    assert page.status_code == 200
    assert 'aria-invalid="true"' in page.text


def test_every_page_refuses_strangers_unless_it_says_otherwise(app: Flask) -> None:
    client = app.test_client()
    guarded = 0
    for rule in app.url_map.iter_rules():
        blueprint = rule.endpoint.rpartition(".")[0]
        if is_public(app, rule.endpoint, [blueprint] if blueprint else []):
            assert rule.rule.startswith(
                ("/static", "/login", "/logout", "/account/", "/healthz", "/readyz", "/metrics",
                 "/api/v1/", "/ingest/", "/servlet/", "/forms/", "/embed/", "/r/", "/t/",
                 "/demo/site")
            ), f"{rule.rule} is public"  # fmt: skip
            continue
        address = re.sub(r"<uuid:\w+>", "00000000-0000-7000-8000-000000000000", rule.rule)
        address = re.sub(r"<int:\w+>", "1", address)
        address = re.sub(r"<any\((\w+)[^>]*>", r"\1", address)
        address = re.sub(r"<(?:path:)?\w+>", "x", address)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            answer = client.open(address, method=method)
            assert answer.status_code == 302, (method, address)
            assert answer.headers["Location"].startswith("/login"), (method, address)
            guarded += 1
    assert guarded > 20


def test_a_form_without_its_token_is_refused(
    settings: Settings, engine: Engine, cast: dict[str, User]
) -> None:
    client = create_app(settings, engine=engine).test_client()
    credentials = {"email": "anna@lmt.example", "password": PASSWORD}
    client.post("/login", data=credentials)
    assert client.get("/desk/").status_code == 302
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/login").text)
    assert token
    client.post("/login", data={**credentials, "csrf_token": token[1]})
    assert client.get("/desk/").status_code == 200
    refused = client.post("/account/preferences", data={"name": "Mallory"})
    assert refused.status_code == 400
    assert "too old" in refused.text


@pytest.mark.parametrize(
    ("who", "page", "status"),
    [
        ("anna", "/hq/", 403),
        ("anna", "/desk/", 200),
        ("bert", "/desk/", 200),
        ("hana", "/hq/", 200),
        ("hana", "/desk/", 403),
        ("omar", "/hq/", 200),
        ("cem", "/hq/outbox", 403),
    ],
)
def test_a_role_opens_its_rooms_only(
    client: FlaskClient, cast: dict[str, User], login: Login, who: str, page: str, status: int
) -> None:
    login(client, cast[who])
    assert client.get(page).status_code == status


def test_the_header_offers_only_rooms_one_may_enter(
    client: FlaskClient, cast: dict[str, User], login: Login
) -> None:
    login(client, cast["anna"])
    rooms = re.search(r'<nav class="rooms".*?</nav>', client.get("/desk/").text, re.S)
    assert rooms
    assert re.findall(r'<a href="([^"]+)"', rooms[0]) == ["/desk/", "/desk/board"]


def test_everybody_chooses_language_and_zone(
    client: FlaskClient, cast: dict[str, User], login: Login, session: Session
) -> None:
    login(client, cast["anna"])
    answer = client.post(
        "/account/preferences",
        data={"name": "Anna K.", "language": "ar", "timezone": "Asia/Riyadh"},
        follow_redirects=True,
    )
    assert '<html lang="ar" dir="rtl">' in answer.text
    session.refresh(cast["anna"])
    assert (cast["anna"].name, cast["anna"].timezone) == ("Anna K.", "Asia/Riyadh")
    bad = {"name": "", "language": "xx", "timezone": "Mars/Base"}
    answer = client.post("/account/preferences", data=bad)
    assert answer.status_code == 422
    assert answer.text.count('aria-invalid="true"') == 3


@pytest.mark.parametrize("locale", LOCALES)
def test_the_login_page_speaks_every_language(client: FlaskClient, locale: str) -> None:
    page = client.get("/login", headers={"Accept-Language": f"{locale}-XX,en;q=0.1"}).text
    assert f'<html lang="{locale}" dir="{"rtl" if locale == "ar" else "ltr"}">' in page
    assert page.count("hreflang=") == len(LOCALES)


def test_choosing_a_language_keeps_the_rest_of_the_address(
    client: FlaskClient, cast: dict[str, User], login: Login
) -> None:
    login(client, cast["anna"])
    page = client.get("/desk/?tab=mine&lang=fr").text
    assert '<html lang="fr"' in page
    assert 'href="/desk/?tab=mine&amp;lang=de"' in page


def test_cookies_are_for_this_site_and_not_for_scripts(
    settings: Settings, engine: Engine, client: FlaskClient
) -> None:
    cookie = client.get("/login").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    safe = create_app(replace(settings, base_url="https://leads.example"), engine=engine)
    assert "Secure" in safe.test_client().get("/login").headers["Set-Cookie"]


@pytest.mark.parametrize("address", ["/login", "/no/such/page", "/healthz", "/static/app.css"])
def test_every_answer_is_hardened(client: FlaskClient, address: str) -> None:
    headers = client.get(address).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_assets_are_compressed_and_kept(client: FlaskClient) -> None:
    page = client.get("/login").text
    address = re.search(r'"(/static/vendor/tabler/[^"]+)"', page)
    assert address
    packed = client.get(address[1], headers={"Accept-Encoding": "gzip"})
    plain = client.get(address[1])
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) / 5
    assert packed.cache_control.immutable
    assert "immutable" not in client.get("/static/app.css").headers["Cache-Control"]
    assert client.get("/static/../config.py").status_code == 404
    assert client.get("/static/nothing.css").status_code == 404


def test_ready_means_database_schema_and_a_living_worker(
    client: FlaskClient, session: Session
) -> None:
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["checks"]) == (
        503,
        {"database": True, "migrations": True, "worker": False},
    )
    beat = Heartbeat(process="worker:x:1", kind="worker", at=clock.now() - timedelta(minutes=5))
    session.add(beat)
    session.commit()
    assert client.get("/readyz").status_code == 503
    beat.at = clock.now()
    session.commit()
    assert client.get("/readyz").status_code == 200
    figures = client.get("/metrics").text
    assert 'lmt_http_requests_total{endpoint="health.healthz"' in figures


def test_an_error_page_needs_no_database(
    settings: Settings, engine: Engine, cast: dict[str, User], login: Login
) -> None:
    app = create_app(settings, engine=engine)

    def broken() -> str:
        raise RuntimeError("of no interest to visitors")

    app.add_url_rule("/broken", "broken", broken)
    app.config.update(WTF_CSRF_ENABLED=False)
    client = app.test_client()
    try_login(client, "anna@lmt.example", PASSWORD)
    answer = client.get("/broken")
    assert answer.status_code == 500
    assert "no interest" not in answer.text
    assert "Something went wrong" in answer.text


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "anna@lmt.example"},
        {"email": "ANNA@lmt.example"},
        {"email": "no address"},
        {"password": "short"},
        {"roles": ["emperor"]},
        {"language": "xx"},
    ],
)
def test_an_account_that_cannot_be_is_refused(
    session: Session, cast: dict[str, User], changes: dict[str, object]
) -> None:
    wanted: dict[str, object] = {
        "email": "new@lmt.example",
        "name": "New",
        "password": "long enough for this",
        "roles": ["agent"],
        "scopes": [EVERYWHERE],
        **changes,
    }
    with pytest.raises(BadAccount):
        create_user(session, **wanted)  # type: ignore[arg-type]


def test_passwords_are_kept_as_argon2(session: Session, cast: dict[str, User]) -> None:
    assert (cast["anna"].password or "").startswith("$argon2id$")


def test_roles_keep_what_was_edited(session: Session) -> None:
    role = session.scalars(select(Role).where(Role.name == "agent")).one()
    role.permissions = ["lead.read"]
    session.flush()
    assert ensure_roles(session)["agent"].permissions == ["lead.read"]


def test_roles_grant_known_permissions_only() -> None:
    granted = {permission for role in ROLES.values() for permission in role.permissions}
    assert granted <= set(PERMISSIONS)
