"""What strangers must not learn, reach or break: logs, keys, addresses, signs and demo accounts."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from lmt import config, errors, i18n, logs
from lmt.app import create_app
from lmt.config import BadSetting, Settings, address_of, from_environment, is_loopback
from lmt.db import engine_for
from lmt.models import User
from lmt.notify.facts import MailFacts
from lmt.notify.mails import render
from lmt.run import NotReady, prepare
from tests.world import FRIDAY, PASSWORD

Login = Callable[[FlaskClient, User], FlaskClient]
SECRET = "what a customer told us"


@pytest.fixture
def unconfigured() -> Iterator[None]:
    known = structlog.get_config() if structlog.is_configured() else None
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
    if known is not None:
        structlog.configure(**known)


def fail_and_log() -> None:
    told_by_customer = "".join(["what ", "a customer ", "told us"])
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        structlog.get_logger("test").exception("step.failed", length=len(told_by_customer))


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.usefixtures("unconfigured")
def test_the_web_process_logs_no_values_of_variables(
    settings: Settings,
    engine: Engine,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    terminal: bool,
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal, raising=False)
    create_app(settings, engine=engine)
    fail_and_log()
    said = "".join(capsys.readouterr())
    assert "step.failed" in said
    assert "RuntimeError: broken" in said
    assert SECRET not in said


@pytest.mark.usefixtures("unconfigured")
def test_an_application_leaves_logs_alone_that_are_configured(
    settings: Settings, engine: Engine
) -> None:
    logs.configure("ERROR")
    before = structlog.get_config()["processors"]
    create_app(settings, engine=engine)
    assert structlog.get_config()["processors"] is before


def test_an_error_of_the_database_names_no_customer(database_url: str) -> None:
    engine = engine_for(database_url)
    try:
        with engine.connect() as connection, pytest.raises(DataError) as failed:
            connection.execute(
                text("SELECT 1 / CAST(:zero AS int), CAST(:text AS text)"),
                {"zero": 0, "text": SECRET},
            )
    finally:
        engine.dispose()
    assert SECRET not in str(failed.value)


def test_settings_are_shown_without_their_secrets(settings: Settings) -> None:
    secretive = replace(settings, smtp_url="smtp://me:hush@mail.example")
    shown = repr(secretive)
    for value in (settings.secret_key, settings.database_url, "hush"):
        assert value not in shown


def test_a_key_is_kept_from_start_to_start(tmp_path: Path) -> None:
    first, second = (from_environment({"LMT_INSTANCE": str(tmp_path)}) for _ in range(2))
    assert first.secret_key == second.secret_key
    assert len(first.secret_key) >= 32
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0
    assert os.listdir(tmp_path) == ["secret_key"]


def test_processes_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    together = threading.Barrier(8)
    keys = []

    def start() -> None:
        together.wait()
        keys.append(from_environment({"LMT_INSTANCE": str(tmp_path)}).secret_key)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


@pytest.mark.parametrize("kept", ["", "\n", "half of a k"])
def test_a_key_that_was_not_written_to_its_end_is_refused(tmp_path: Path, kept: str) -> None:
    (tmp_path / "secret_key").write_text(kept)
    with pytest.raises(BadSetting, match="LMT_SECRET_KEY"):
        from_environment({"LMT_INSTANCE": str(tmp_path)})


def test_a_key_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(config.os, "fsync", full)
        with pytest.raises(OSError, match="no space"):
            from_environment({"LMT_INSTANCE": str(tmp_path)})
    assert os.listdir(tmp_path) == []
    assert from_environment({"LMT_INSTANCE": str(tmp_path)}).secret_key


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8300"),
        ("::1", "http://[::1]:8300"),
        ("leads.example", "http://leads.example:8300"),
    ],
)
def test_the_address_of_a_host_is_one(host: str, address: str, tmp_path: Path) -> None:
    given = {"LMT_INSTANCE": str(tmp_path), "LMT_HOST": host, "LMT_PORT": "8300"}
    settings = from_environment(given)
    assert settings.base_url == settings.own_address == address_of(host, 8300) == address


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("::ffff:10.0.0.1", False),
        ("192.168.1.4", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_which_addresses_are_this_machines_alone(host: str, here: bool) -> None:
    assert is_loopback(host) is here


@pytest.mark.parametrize(
    "query",
    [
        "endpoint=hq.overview",
        "_anchor=x",
        "_method=DELETE",
        "_scheme=ftp",
        "_external=1",
        "_scheme=ftp&_external=1",
        "self=1",
        "values=1",
    ],
)
def test_no_query_leads_the_links_of_a_page_astray(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/login?{query}")
    assert answer.status_code == 200
    assert f'href="/login?{query.replace("&", "&amp;")}&amp;lang=de"' in answer.text


def test_a_language_is_chosen_for_the_same_page(client: FlaskClient) -> None:
    page = client.get("/login?next=%2Fdesk%2F%3Ftab%3Dmine&next=2&lang=fr").text
    assert 'href="/login?next=%2Fdesk%2F%3Ftab%3Dmine&amp;next=2&amp;lang=ar"' in page


def test_a_reader_is_forgotten_at_the_end_of_the_request(client: FlaskClient) -> None:
    with i18n.reading("pl", "Europe/Warsaw") as before:
        for address in ("/login?lang=ar", "/no/such/page?lang=ar", "/healthz?lang=ar"):
            client.get(address)
            assert i18n.reader() == before


@pytest.mark.parametrize(
    ("method", "address", "form"),
    [
        ("GET", "/hq/leads?dealer=%00", {}),
        ("GET", "/hq/leads?search=a%00b", {}),
        ("GET", "/reports/show?market=%00", {}),
        ("GET", "/hq/leads?%00=1", {}),
        ("GET", "/hq/dealers?after=%00", {}),
        ("GET", "/hq/mailbox/%00", {}),
        ("GET", "/forms/%00", {}),
        ("GET", "/r/%00", {}),
        ("POST", "/login", {"email": "a\0@lmt.example", "password": "x"}),
        ("POST", "/account/reset", {"email": "\0"}),
        ("POST", "/account/preferences", {"name": "A\0", "language": "en", "timezone": "UTC"}),
        ("POST", "/forms/contact-pl", {"idempotency_key": "a\0"}),
    ],
)
def test_the_sign_that_no_database_keeps_is_no_error_of_ours(
    client: FlaskClient,
    cast: dict[str, User],
    login: Login,
    method: str,
    address: str,
    form: dict[str, str],
) -> None:
    if not address.startswith(("/login", "/account/reset")):
        login(client, cast["hana"])
    answer = client.open(address, method=method, data=form)
    assert answer.status_code == 400
    assert "understood" in answer.text


def test_demo_accounts_are_let_in_from_this_machine_alone(
    app: Flask, cast: dict[str, User], session: Session
) -> None:
    cast["anna"].demo = True
    session.commit()

    def tried(name: str, password: str, address: str) -> tuple[int, str]:
        given = {"email": f"{name}@lmt.example", "password": password}
        answer = app.test_client().post("/login", data=given, environ_base={"REMOTE_ADDR": address})
        return answer.status_code, answer.text

    for here in ("127.0.0.1", "::1"):
        assert tried("anna", PASSWORD, here)[0] == 302
    assert tried("carla", PASSWORD, "192.0.2.7")[0] == 302
    refused = tried("anna", PASSWORD, "192.0.2.7")
    assert refused == tried("anna", "a wrong password", "192.0.2.7")
    assert refused[0] == 200
    assert "The mail address or the password is wrong." in refused[1]


@pytest.mark.parametrize(("proxies", "let_in"), [(0, True), (1, False)])
def test_a_visitor_behind_a_proxy_is_known_by_what_the_trusted_proxy_says(
    settings: Settings, engine: Engine, cast: dict[str, User], session: Session,
    proxies: int, let_in: bool,
) -> None:  # fmt: skip
    cast["anna"].demo = True
    session.commit()
    app = create_app(replace(settings, trusted_proxies=proxies), engine=engine)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    answer = app.test_client().post(
        "/login",
        data={"email": "anna@lmt.example", "password": PASSWORD},
        headers={"X-Forwarded-For": "192.0.2.7"},
        environ_base={"REMOTE_ADDR": "127.0.0.1"},
    )
    assert (answer.status_code == 302) == let_in


def test_no_demo_is_made_where_others_reach_it(settings: Settings, empty_url: str) -> None:
    abroad = replace(settings, host="0.0.0.0", database_url=empty_url)
    with pytest.raises(NotReady, match=r"0\.0\.0\.0 is refused"):
        prepare(abroad, demo=True)
    engine = engine_for(empty_url)
    try:
        with engine.connect() as connection:
            assert (
                connection.scalar(text("SELECT count(*) FROM pg_tables WHERE tablename='user'"))
                == 0
            )
    finally:
        engine.dispose()


@pytest.mark.parametrize(
    ("name", "greeted"),
    [
        ("Zofia Łęcka", True),
        ("سارة الحربي", True),
        ("Wolfeschlegelsteinhausenbergerdorff von und zu Bergerdorff sr", False),
        ("Win at https://evil.example", False),
        ("HTTP://EVIL.EXAMPLE", False),
        ("Visit WWW.evil.example now", False),
        ("  ", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("kind", ["customer_received", "customer_transferred"])
def test_a_mail_carries_no_strangers_message_in_place_of_a_name(
    kind: str, name: str, greeted: bool
) -> None:
    facts = MailFacts(written_at=FRIDAY, full_name=name, reference="AB12-CD34")
    mail = render(kind, facts, language="en", timezone="UTC", base_url="http://localhost")
    assert ("Hello" in mail.text) is greeted
    assert ("Hello" in mail.html) is greeted
    assert (bool(name.strip()) and name.strip() in mail.text) is greeted


@pytest.mark.parametrize("address", ["/forms/nothing?lang=ar", "/r/nothing?lang=ar"])
def test_a_visitor_without_an_account_reads_errors_in_their_language(
    app: Flask, address: str
) -> None:
    with app.test_request_context(address):
        app.preprocess_request()
        body, code, _headers = errors.page(NotFound())
    assert code == 404
    assert '<html lang="ar" dir="rtl">' in body
    assert "There is nothing here" not in body
    assert 'class="btn btn-primary"' not in body, "no way to the start page of people who log in"


def test_an_error_outside_names_nobody_who_is_logged_in(
    client: FlaskClient, cast: dict[str, User], login: Login
) -> None:
    login(client, cast["anna"])
    page = client.get("/r/nothing").text
    assert "anna@lmt.example" not in page
