"""The operator's commands, on a real database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import cli
from lmt.config import BadSetting, Settings, from_environment
from lmt.doctor import examine
from lmt.models import Heartbeat, Lead, User
from lmt.run import NotReady, refuse_demo_abroad
from tests.world import FRIDAY

Lmt = Callable[..., Result]


@pytest.fixture
def lmt(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Lmt:
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("LMT_INSTANCE", str(settings.instance))
    return lambda *words: CliRunner().invoke(cli.main, words)


def test_an_invited_person_sees_what_the_operator_named(lmt: Lmt, session: Session) -> None:
    words = ["user", "invite", "ewa@lmt.example", "--name", "Ewa", "--role", "agent"]
    refused = lmt(*words)
    assert refused.exit_code != 0
    assert "--dealer" in refused.output
    assert lmt(*words, "--dealer", "PL-WAW-2").exit_code == 0
    user = session.scalars(select(User).where(User.email == "ewa@lmt.example")).one()
    assert [scope.dealer_id is not None for scope in user.scopes] == [True]


@pytest.mark.parametrize(
    "words",
    [
        ("--role", "king", "--everywhere"),
        ("--role", "agent", "--dealer", "NOWHERE"),
        ("--role", "agent", "--dealer", "PL-WAW-1", "--timezone", "Mars/Base"),
    ],
)
def test_an_impossible_account_is_refused_in_a_line(lmt: Lmt, words: tuple[str, ...]) -> None:
    result = lmt("user", "invite", "ewa@lmt.example", "--name", "Ewa", *words)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")


def test_a_decision_is_explained_on_the_terminal(
    lmt: Lmt, offered_lead: Callable[..., Lead], client: FlaskClient
) -> None:
    lead = offered_lead()
    client.get("/login?lang=ar")  # Who asked before leaves no language behind.
    output = lmt("route", "explain", lead.reference).output
    assert "The closest eligible dealer" in output
    for words in ("PL-WAW-1", "PL-WAW-2", "Farther away"):
        assert words in output


def test_the_doctor_misses_a_worker_and_says_how_to_mend_it(
    settings: Settings, session: Session
) -> None:
    findings = {finding.what: finding for finding in examine(settings, FRIDAY)}
    assert not findings["worker"].ok
    assert "lmt worker" in findings["worker"].says
    session.add(Heartbeat(process="worker:x:1", kind="worker", at=FRIDAY))
    session.commit()
    findings = {f.what: f for f in examine(settings, FRIDAY + timedelta(seconds=5))}
    assert all(finding.ok for finding in findings.values()), findings


def test_demo_accounts_never_meet_the_open_network(settings: Settings, session: Session) -> None:
    abroad = replace(settings, host="0.0.0.0")
    refuse_demo_abroad(abroad)
    user = session.scalars(select(User)).first()
    assert user is not None
    user.demo = True
    session.commit()
    refuse_demo_abroad(settings)
    with pytest.raises(NotReady, match="demo accounts"):
        refuse_demo_abroad(abroad)


def test_a_demo_is_not_filled_where_others_reach_it(
    lmt: Lmt, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LMT_HOST", "0.0.0.0")
    result = lmt("demo")
    assert result.exit_code == 1
    assert "0.0.0.0 is refused" in result.output
    assert session.scalars(select(User).where(User.demo)).first() is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LMT_PORT", "eighty"),
        ("LMT_SECRET_KEY", "short"),
        ("DATABASE_URL", "mysql://localhost/lmt"),
        ("LISTEN_DATABASE_URL", "localhost"),
        ("SMTP_URL", "mail.example"),
    ],
)
def test_a_bad_setting_is_named(name: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=f"^{name} "):
        from_environment({"LMT_INSTANCE": str(tmp_path), name: value})
