"""Reports that people keep, share and have mailed: whose they are, and who may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import reportschedules, savedreports
from lmt.accounts.service import Scope, create_user
from lmt.dealers import BadValues
from lmt.models import ReportSchedule, SavedReport, User
from lmt.reportschedules import Terms
from lmt.savedreports import BadReport
from lmt.scope import Actor, act_as, actor_of
from tests.world import FRIDAY, PASSWORD, World

ADDRESS: dict[str, str | list[str]] = {"rows": "dealer", "figures": "leads,sold"}
Login = Callable[[FlaskClient, User], FlaskClient]


def acting(session: Session, user: User) -> Actor:
    actor = actor_of(user)
    act_as(session, actor)
    return actor


def kept(session: Session, user: User, name: str = "Dealers", **more: str) -> SavedReport:
    return savedreports.keep(
        session, name, {**ADDRESS, **more}, at=FRIDAY, actor=acting(session, user)
    )


def test_a_name_is_had_once_and_short(session: Session, cast: dict[str, User]) -> None:
    kept(session, cast["hana"])
    refused = [("", "unnamed"), ("  ", "unnamed"), ("x" * 101, "long"), ("dealers", "known")]
    for name, cause in refused:
        with pytest.raises(BadReport, match=cause):
            kept(session, cast["hana"], name)
    kept(session, cast["bert"])  # another person's names are their own


def test_too_many_and_too_large_are_refused(session: Session, cast: dict[str, User]) -> None:
    hana = cast["hana"]
    session.add_all(
        SavedReport(user_id=hana.id, name=f"{n}", address={}, created_at=FRIDAY, changed_at=FRIDAY)
        for n in range(savedreports.MOST_REPORTS)
    )
    session.commit()
    with pytest.raises(BadReport, match="many"):
        kept(session, hana)
    with pytest.raises(BadReport, match="large"):
        kept(session, cast["bert"], model="x" * 9_000)


SHARING = [
    ("hana", "market", "PL", True),
    ("hana", "market", "GULF", False),
    ("hana", "market", None, False),
    ("hana", "all", None, False),
    ("omar", "market", "GULF", True),
    ("omar", "all", None, True),
    ("omar", "friends", None, False),
    ("bert", "market", "PL", False),
    ("bert", "all", None, False),
    ("bert", "", None, True),
]


def test_who_shares_with_whom(session: Session, cast: dict[str, User], world: World) -> None:
    actors = {who: actor_of(cast[who]) for who in ("hana", "omar", "bert")}
    for who, shared, market, may in SHARING:
        market_id = world.markets[market] if market else None
        assert savedreports.may_share(actors[who], shared, market_id) is may, (who, shared, market)
    report = kept(session, cast["hana"])
    with pytest.raises(BadReport, match="market"):
        savedreports.share(session, report.id, "all", at=FRIDAY, actor=actors["hana"])
    session.refresh(report)
    assert report.shared == ""


def test_a_shared_report_is_opened_and_copied_but_nobodys_elses_to_change(
    session: Session, cast: dict[str, User], world: World
) -> None:
    hana, bert, omar = cast["hana"], cast["bert"], cast["omar"]
    report = kept(session, hana)
    for other in (bert, omar):  # central sees everything, but nobody's drawer
        actor = acting(session, other)
        assert savedreports.saved_of(session, other.id) == []
        with pytest.raises(LookupError):
            savedreports.open_report(session, report.id, actor)
    act_as(session, actor_of(hana))
    savedreports.share(
        session, report.id, "market", market_id=world.markets["PL"], at=FRIDAY, actor=actor_of(hana)
    )
    kept(session, bert)
    actor = acting(session, bert)
    assert [each.name for each in savedreports.saved_of(session, bert.id)] == ["Dealers", "Dealers"]
    assert savedreports.open_report(session, report.id, actor).address == ADDRESS
    with pytest.raises(LookupError):
        savedreports.rename(session, report.id, "Mine", at=FRIDAY, actor=actor)
    with pytest.raises(LookupError):
        savedreports.delete(session, report.id, actor=actor)
    own = savedreports.copy(session, report.id, at=FRIDAY, actor=actor)
    assert (own.user_id, own.name, own.shared) == (bert.id, "Dealers 2", "")


MONDAYS = Terms("week", 0, 8 * 60, "Europe/Warsaw", (), ("csv", "xlsx"))


def terms(*recipients: User, **changes: object) -> Terms:
    given = {"recipients": tuple(r.id for r in recipients), **changes}
    return replace(MONDAYS, **given)  # type: ignore[arg-type]


def test_a_schedule_is_due_on_its_next_day(session: Session, cast: dict[str, User]) -> None:
    hana = cast["hana"]
    report = kept(session, hana)
    actor = actor_of(hana)
    schedule = reportschedules.set_schedule(session, report.id, terms(hana), at=FRIDAY, actor=actor)
    assert schedule.next_at == datetime(2026, 3, 9, 7, 0, tzinfo=UTC)
    assert schedule.files == ["xlsx", "csv"]
    reportschedules.stop(session, schedule.id, actor=actor)
    reportschedules.resume(session, schedule.id, at=FRIDAY + timedelta(days=7), actor=actor)
    assert schedule.next_at == datetime(2026, 3, 16, 7, 0, tzinfo=UTC)  # nothing to make up for
    savedreports.delete(session, report.id, actor=actor)
    assert session.scalars(select(ReportSchedule)).all() == []


UNUSABLE: list[tuple[dict[str, object], str]] = [
    ({"every": "year"}, "every"),
    ({"day": 7}, "day"),
    ({"every": "month", "day": 0}, "day"),
    ({"minute": 1440}, "time"),
    ({"timezone": "Warsaw"}, "timezone"),
    ({"files": ("exe",)}, "files"),
    ({"recipients": ()}, "recipients"),
    ({"recipients": tuple(range(51))}, "recipients"),
]


def test_what_cannot_be_scheduled(session: Session, cast: dict[str, User]) -> None:
    hana = cast["hana"]
    report, actor = kept(session, hana), actor_of(hana)
    for changes, field in UNUSABLE:
        with pytest.raises(BadValues) as bad:
            reportschedules.set_schedule(
                session, report.id, terms(hana, **changes), at=FRIDAY, actor=actor
            )
        assert list(bad.value.problems) == [field]


def test_one_writes_to_colleagues_who_see_no_more(
    session: Session, cast: dict[str, User], world: World
) -> None:
    """Agents have no reports; nobody beyond the actor's part of the world is known to them."""
    people = {
        "dora": Scope(dealer_id=world.dealers["PL-WAW-1"]),
        "ella": Scope(market_id=world.markets["PL"], brand_id=world.brand_id),
        "faye": Scope(market_id=world.markets["GULF"]),
    }
    for name, scope in people.items():
        create_user(
            session, f"{name}@lmt.example", name.title(), PASSWORD,
            roles=["manager" if scope.dealer_id else "headquarters"], scopes=[scope],
            language="en", timezone="UTC",
        )  # fmt: skip
    session.commit()

    def known(who: str) -> set[str]:
        actor = acting(session, cast[who])
        people = session.scalars(reportschedules.people_known(session, actor))
        return {person.name.lower() for person in people}

    assert known("bert") == {"bert", "dora"}
    assert known("hana") == {"hana", "bert", "dora", "ella"}
    assert known("omar") == {"omar", "hana", "bert", "dora", "ella", "faye"}


def test_from_the_report_to_its_schedule(
    client: FlaskClient, session: Session, cast: dict[str, User], login: Login
) -> None:
    login(client, cast["hana"])
    saved = client.post(
        "/reports/save?rows=dealer&columns=channel&period=last_quarter",
        data={"name": "Dealers by channel"},
    )
    assert saved.status_code == 302
    report = session.scalars(select(SavedReport)).one()
    assert saved.location == f"/reports/show?saved={report.id}"
    assert (report.address["rows"], report.address["columns"]) == ("dealer", "channel")
    again = client.post("/reports/save?rows=dealer", data={"name": "Dealers by channel"})
    assert "You have a report of this name" in client.get(again.location).text

    page = html.document_fromstring(client.get(f"/reports/saved/{report.id}/schedule").text)
    names = {str(label) for label in page.xpath("//fieldset//label//bdi/text()")}
    assert {"Hana", "Bert"} <= names
    assert "Anna" not in names
    form = {
        "every": "month", "weekday": "0", "monthday": "31", "time": "07:30",
        "timezone": "Europe/Warsaw", "recipients": [str(cast["bert"].id)], "files": ["pdf"],
    }  # fmt: skip
    bad = client.post(f"/reports/saved/{report.id}/schedule", data={**form, "time": "late"})
    assert bad.status_code == 422
    assert "Please enter a time" in bad.text
    client.post(f"/reports/saved/{report.id}/schedule", data=form)
    schedule = session.scalars(select(ReportSchedule)).one()
    assert (schedule.every, schedule.day, schedule.minute) == ("month", 31, 450)
    assert "Every month on day 31 at 07:30" in client.get("/reports/schedules").text

    bert = client.application.test_client()
    login(bert, cast["bert"])
    assert "Dealers by channel" in bert.get("/reports/schedules").text
    bert.post(f"/reports/schedules/{schedule.id}/leave")
    assert "Send it again" in bert.get("/reports/schedules").text
    for address in (
        f"schedules/{schedule.id}",
        f"saved/{report.id}",
        f"saved/{report.id}/schedule",
    ):
        assert bert.get(f"/reports/{address}").status_code == 404
    assert bert.post(f"/reports/schedules/{schedule.id}/delete").status_code == 404
    client.post(f"/reports/schedules/{schedule.id}/stop")
    session.refresh(schedule)
    assert not schedule.active
    client.post(f"/reports/saved/{report.id}/delete")
    session.expire_all()
    assert session.scalars(select(SavedReport)).all() == []
