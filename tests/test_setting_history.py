"""The history of settings: told to whom it concerns, read in two columns, taken back once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import dealers, sources
from lmt.campaigning import CampaignTerms, change_campaign, create_campaign
from lmt.dealerchanges import mark_of
from lmt.models import Campaign, SettingChange, Source, User, note_change
from lmt.scope import act_as, actor_of
from lmt.settinghistory import undo
from lmt.settingundo import CantUndo
from tests.world import World

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
Enter = Callable[[str], FlaskClient]


@pytest.fixture
def enter(
    app: Flask, cast: dict[str, User], login: Callable[[FlaskClient, User], FlaskClient]
) -> Any:
    with time_machine.travel(NOW, tick=False):
        yield lambda name: login(app.test_client(), cast[name])


def last(session: Session) -> SettingChange:
    return session.scalars(select(SettingChange).order_by(SettingChange.id.desc()).limit(1)).one()


def note(session: Session, kind: str, subject: str, **after: Any) -> None:
    note_change(session, kind, subject, at=NOW, user_id=None, before={}, after=after)
    session.commit()


def test_a_campaign_is_as_it_was_and_only_once(session: Session, world: World) -> None:
    actor = session.info["actor"]
    terms = CampaignTerms("spring", "Spring", world.markets["PL"], None, date(2026, 3, 1), None)
    row = create_campaign(session, terms, NOW, actor)
    made = last(session)
    more = CampaignTerms(
        "spring", "Spring drive", world.markets["PL"], None, date(2026, 3, 2), date(2026, 5, 1),
        utm_source="google",
    )  # fmt: skip
    change_campaign(session, row, more, NOW, actor)
    change = last(session)
    number = undo(session, change.id, at=NOW, actor=actor)
    session.expire_all()
    assert (row.name, row.starts_on, row.ends_on) == ("Spring", date(2026, 3, 1), None)
    assert row.utm_source == ""
    assert session.get_one(SettingChange, number).undoes_id == change.id
    with pytest.raises(CantUndo, match="undone already"):
        undo(session, change.id, at=NOW, actor=actor)
    with pytest.raises(CantUndo, match="something new"):
        undo(session, made.id, at=NOW, actor=actor)
    # Taking back can itself be taken back.
    undo(session, number, at=NOW, actor=actor)
    assert session.get_one(Campaign, row.id).name == "Spring drive"


def test_what_was_changed_again_since_is_left_alone(session: Session) -> None:
    actor = session.info["actor"]
    source = session.scalars(select(Source).where(Source.code == "api-pl")).one()
    sources.change_source(session, source, {"name": "One"}, NOW, actor)
    first = last(session)
    sources.change_source(session, source, {"name": "Two"}, NOW, actor)
    with pytest.raises(CantUndo, match="changed again"):
        undo(session, first.id, at=NOW, actor=actor)
    assert session.scalars(select(Source.name).where(Source.code == "api-pl")).one() == "Two"
    sources.pause(session, source, NOW, actor)
    undo(session, last(session).id, at=NOW, actor=actor)
    assert session.scalars(select(Source.paused_at).where(Source.code == "api-pl")).one() is None
    sources.new_key(session, source, NOW, actor)
    with pytest.raises(CantUndo, match="secret"):
        undo(session, last(session).id, at=NOW, actor=actor)


def test_a_dealers_hours_go_back_as_a_row_of_their_own(session: Session, world: World) -> None:
    actor = session.info["actor"]
    now = dealers.terms_now(session, world.dealers["PL-WAW-2"], NOW)
    assert now is not None
    old = now.hours
    names = dealers.Terms.__dataclass_fields__
    terms = dealers.Terms(**{**{name: getattr(now, name) for name in names}, "hours": "24/7"})
    dealers.edit_terms(session, "PL-WAW-2", terms, seen=mark_of(now), at=NOW, actor=actor)
    undo(session, last(session).id, at=NOW.replace(hour=10), actor=actor)
    later = dealers.terms_now(session, world.dealers["PL-WAW-2"], NOW.replace(hour=11))
    assert later is not None
    assert later.hours == old


def test_nobody_takes_back_what_is_not_theirs(
    session: Session, world: World, cast: dict[str, User]
) -> None:
    actor = session.info["actor"]
    source = session.scalars(select(Source).where(Source.code == "api-gulf")).one()
    sources.change_source(session, source, {"name": "Gulf"}, NOW, actor)
    change = last(session).id
    hana = actor_of(cast["hana"])
    act_as(session, hana)
    with pytest.raises(LookupError):
        undo(session, change, at=NOW, actor=hana)


def test_each_reads_the_changes_of_their_own_markets(enter: Enter, session: Session) -> None:
    for kind, subject in (
        ("source", "api-pl"),
        ("source", "api-gulf"),
        ("market", "GULF"),
        ("dealer", "PL-WAW-1"),
        ("consent_text", "GULF/mail/1/ar"),
        ("rules", "*"),
        ("export", "leads"),
        ("account", "zoe@lmt.example"),
    ):
        note(session, kind, subject, name="x")
    hana, omar = enter("hana").get("/hq/history").text, enter("omar").get("/hq/history").text
    for subject, hers in (
        ("api-pl", True),
        ("PL-WAW-1", True),
        ("api-gulf", False),
        ("GULF", False),
        ("GULF/mail/1/ar", False),
        ("zoe@lmt.example", False),
    ):
        assert (f">{subject}<" in hana) is hers, subject
        assert f">{subject}<" in omar, subject
    for name in ("anna", "cem"):
        assert enter(name).get("/hq/history").status_code == 403
        assert enter(name).post("/hq/history/1/undo").status_code == 403
    assert enter("hana").post("/hq/history/999999/undo").status_code == 404


def test_the_history_is_filtered_and_paged(enter: Enter, session: Session) -> None:
    for number in range(45):
        note(session, "export", f"list-{number}", rows=number)
    note(session, "source", "api-pl", mapping={"lines": ["x" * 400]})
    client = enter("omar")
    first = client.get("/hq/history?kind=export").text
    assert ">list-44<" in first
    assert ">list-4<" not in first
    following = client.get("/hq/history?kind=export&before=" + str(last(session).id - 40)).text
    assert ">list-4<" in following
    long = client.get("/hq/history?subject=api-pl").text
    assert "<details>" in long
    assert ">list-1<" not in long
    assert ">list-1<" not in client.get("/hq/history?to=2026-03-09").text
    for odd in ("?before=x", "?person=zoe", "?from=soon", "?kind=%27", "?to=9999-12-31"):
        assert client.get(f"/hq/history{odd}").status_code == 200


def test_the_page_says_why_something_stays(enter: Enter, session: Session) -> None:
    note(session, "form", "contact-pl", version=2)
    note(session, "consent_text", "PL/mail/1/pl", hash="x")
    page = enter("hana").get("/hq/history").text
    assert "Roll back on the form" in page
    assert "What customers agreed to stays." in page
    client = enter("hana")
    refused = client.post(f"/hq/history/{last(session).id}/undo", follow_redirects=True)
    assert "What customers agreed to stays." in refused.text
