"""Reports as programs read them: the key, what it opens, and the same numbers as on the page."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner
from flask.testing import FlaskClient
from lxml import html
from python_calamine import CalamineWorkbook
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from lmt import cli, reportkeys, savedreports
from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.models import Lead, ReportKey, User
from lmt.reports.refresh import refresh
from lmt.scope import SYSTEM, act_as, actor_of
from tests.world import FRIDAY, World, somebody

NOON = FRIDAY + timedelta(hours=4)
REPORTS = "/api/v1/reports"


@pytest.fixture(autouse=True)
def noon() -> Any:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def leads(
    sessions: SessionFactory, session: Session, world: World, offered_lead: Callable[..., Lead]
) -> None:
    """Two at Bert's dealer, one at another."""
    found = [offered_lead(**somebody()) for _ in range(3)]
    found[2].dealer_id = world.dealers["PL-WAW-2"]
    session.commit()
    refresh(sessions, NOON)


def key_of(session: Session, user: User, days: int = 30) -> str:
    actor = actor_of(session.get_one(User, inspect(user).identity))
    act_as(session, actor)
    key = reportkeys.make_key(session, "Board", days, at=NOON, actor=actor)
    act_as(session, SYSTEM)
    return key


def get(client: FlaskClient, key: str, path: str = "", **headers: str) -> TestResponse:
    return client.get(REPORTS + path, headers={"Authorization": f"Bearer {key}", **headers})


def test_answer_is_what_the_owner_sees(
    client: FlaskClient, session: Session, cast: dict[str, User], leads: None
) -> None:
    address = "/any?rows=dealer&figures=leads,conversion&period=this_month&compare=before"
    hana = get(client, key_of(session, cast["hana"]), address).get_json()
    cells = {cell["row"]: cell["values"] for cell in hana["cells"]}
    assert cells == {
        "PL-WAW-1": {"leads": 2, "conversion": 0},
        "PL-WAW-2": {"leads": 1, "conversion": 0},
    }
    assert hana["totals"]["all"]["leads"] == 3
    assert hana["before"]["totals"]["all"] == {"leads": 0, "conversion": None}
    assert hana["question"]["first"] == "2026-03-01"
    assert {"value": "PL-WAW-2", "name": "Aurel Wola"} in hana["rows"]
    assert hana["figures"][1]["unit"] == "share"
    assert hana["figures"][1]["formula"]
    bert = get(client, key_of(session, cast["bert"]), address).get_json()
    assert [row["value"] for row in bert["rows"]] == ["PL-WAW-1"]
    assert bert["totals"]["all"]["leads"] == 2


def test_list_has_standard_and_saved_ones_and_each_can_be_asked(
    client: FlaskClient, session: Session, cast: dict[str, User], leads: None
) -> None:
    actor = actor_of(cast["hana"])
    own = savedreports.keep(
        session, "Mine", {"rows": "dealer", "period": "this_year"}, at=NOON, actor=actor
    )
    key = key_of(session, cast["hana"])
    listed = get(client, key).get_json()["reports"]
    assert [each["name"] for each in listed if each["kind"] == "saved"] == ["Mine"]
    for each in listed:
        answer = get(client, key, f"/{each['id']}")
        assert answer.status_code == 200, each
    saved = get(client, key, f"/{own.id}?rows=channel").get_json()
    assert saved["question"]["rows"] == "channel"
    assert saved["question"]["first"] == "2026-01-01"
    others = key_of(session, cast["bert"])
    assert get(client, others, f"/{own.id}").status_code == 404
    assert "dealers" not in [each["id"] for each in get(client, others).get_json()["reports"]]
    assert get(client, others, "/dealers").status_code == 404


UNREADABLE = [
    ("rows=colour", "rows"),
    ("figures=leads,luck", "figures"),
    ("from=yesterday", "from"),
    ("from=2026-03-05&to=2026-03-01", "from"),
    ("period=next_year", "period"),
]


def test_what_cannot_be_read_is_named(
    client: FlaskClient, session: Session, cast: dict[str, User]
) -> None:
    key = key_of(session, cast["hana"])
    for query, field in UNREADABLE:
        answer = get(client, key, f"/any?{query}")
        assert answer.status_code == 422
        assert answer.mimetype == "application/problem+json"
        assert [error["field"] for error in answer.get_json()["errors"]] == [field]


@pytest.mark.parametrize("end", ["revoked", "expired", "shut out", "no right"])
def test_keys_that_open_nothing(
    client: FlaskClient, session: Session, cast: dict[str, User], noon: Any, end: str
) -> None:
    key = key_of(session, cast["hana"])
    hana = session.get_one(User, cast["hana"].id)
    assert get(client, key).status_code == 200
    row = session.scalars(select(ReportKey)).one()
    assert key not in (row.key_hash, row.name)
    assert row.last_used_at == NOON
    if end == "revoked":
        reportkeys.revoke_key(session, row.id, at=NOON, actor=actor_of(hana))
    elif end == "expired":
        noon.shift(timedelta(days=30))
    elif end == "shut out":
        hana.active = False
    elif end == "no right":
        hana.roles = []
    session.commit()
    for wrong in (key, f"{key}x", ""):
        answer = get(client, wrong)
        assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_key_reads_reports_and_nothing_else(
    client: FlaskClient, session: Session, cast: dict[str, User]
) -> None:
    key = key_of(session, cast["omar"])
    bearer = {"Authorization": f"Bearer {key}"}
    assert client.post("/api/v1/leads", json={}, headers=bearer).status_code == 401
    assert client.get("/hq/leads", headers=bearer).status_code == 302


def test_too_many_are_told_to_wait(
    client: FlaskClient, session: Session, cast: dict[str, User]
) -> None:
    keys = [key_of(session, cast["hana"]) for _each in range(2)]
    answers = [get(client, keys[turn % 2]) for turn in range(61)]
    assert [answer.status_code for answer in answers[-2:]] == [200, 429]
    assert answers[-1].mimetype == "application/problem+json"
    assert get(client, key_of(session, cast["bert"])).status_code == 200


def test_key_is_made_on_its_page_shown_once_and_revoked(
    client: FlaskClient,
    session: Session,
    cast: dict[str, User],
    login: Callable[[FlaskClient, User], FlaskClient],
) -> None:
    login(client, cast["hana"])
    assert client.post("/reports/keys", data={"name": "", "days": "30"}).status_code == 422
    assert client.post("/reports/keys", data={"name": "x", "days": "400"}).status_code == 422
    made = client.post("/reports/keys", data={"name": "Board", "days": "365"})
    [key] = html.document_fromstring(made.text).xpath("//code[@id='the-key']/text()")
    assert made.headers["Cache-Control"] == "no-store"
    assert str(key).startswith("lmtr_")
    assert str(key) not in client.get("/reports/keys").text
    program = client.application.test_client()
    assert get(program, str(key)).status_code == 200
    row = session.scalars(select(ReportKey)).one()
    assert row.expires_at == NOON + timedelta(days=365)
    other = login(client.application.test_client(), cast["bert"])
    assert other.post(f"/reports/keys/{row.id}/revoke").status_code == 404
    client.post(f"/reports/keys/{row.id}/revoke")
    assert get(program, str(key)).status_code == 401


def test_operator_asks_in_the_terminal(
    settings: Settings, leads: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("LMT_INSTANCE", str(settings.instance))
    run = CliRunner()
    asked = ["report", "show", "any", "--rows", "dealer", "--figures", "leads"]
    shown = run.invoke(cli.main, [*asked, "--period", "this_month"], env={"COLUMNS": "100"})
    assert shown.exit_code == 0, shown.output
    assert "Aurel Wola" in shown.output
    told = json.loads(run.invoke(cli.main, [*asked, "--json"]).output)
    assert told["totals"]["all"] == {"leads": 3}
    files = [tmp_path / "r.csv", tmp_path / "r.xlsx"]
    run.invoke(cli.main, [*asked, "--csv", str(files[0]), "--xlsx", str(files[1])])
    assert "PL-WAW-1,Aurel Centrum,2" in files[0].read_text(encoding="utf-8")
    book = CalamineWorkbook.from_filelike(io.BytesIO(files[1].read_bytes()))
    assert book.get_sheet_by_index(0).to_python()[1][1] == "Aurel Centrum"
    for wrong in (["report", "show", "nothing"], [*asked, "--columns", "colour"]):
        assert run.invoke(cli.main, wrong).exit_code == 1
