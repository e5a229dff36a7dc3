"""How a source is judged by its own past, and who is told when it falls silent or fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lmt.config import Settings
from lmt.db import SessionFactory, uuid7
from lmt.ingest.health import Failure, Past, health
from lmt.ingest.sourcehealth import health_of, watch
from lmt.models import Campaign, Intake, Message, Outage, Source, SourceAlert, SourceRefusal
from lmt.notify import outbox
from lmt.scope import SYSTEM, act_as
from tests.world import World

HOUR = timedelta(hours=1)
MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
"""Midnight; in Warsaw 1:00, in Riyadh 3:00."""


def at(day: int, hour: float) -> datetime:
    """An hour in UTC, days counted from MONDAY."""
    return MONDAY + timedelta(days=day, hours=hour)


def past(
    until: datetime,
    often: Callable[[datetime], int],
    *,
    zone: str = "UTC",
    weeks: float = 4,
    **values: object,
) -> Past:
    """A source with `often(local hour)` deliveries in each hour of the weeks before `until`; the
    last one five minutes before its hour ends."""
    hours: dict[datetime, int] = {}
    hour = until - timedelta(weeks=weeks)
    while hour < until:
        if number := often(hour.astimezone(ZoneInfo(zone))):
            hours[hour] = number
        hour += HOUR
    last_at = max(hours) + timedelta(minutes=55) if hours else None
    given: dict[str, Any] = {"zone": zone, "accepted": hours, "last_at": last_at} | values
    return Past(**given)


def office(local: datetime) -> int:
    """Five an hour, Monday to Friday from 9 to 18."""
    return 5 if local.weekday() < 5 and 9 <= local.hour < 18 else 0


def gulf_office(local: datetime) -> int:
    return 5 if local.weekday() not in {4, 5} and 9 <= local.hour < 18 else 0


def thrice_a_week(local: datetime) -> int:
    return int(local.weekday() in {0, 2, 4} and local.hour == 10)


def always(local: datetime) -> int:
    return 2


def fading(local: datetime) -> int:
    """A campaign: forty an hour for three weeks, then one every other hour."""
    return 40 if local.replace(tzinfo=None) < datetime(2026, 11, 9) else (local.hour + 1) % 2


def weekend_only(local: datetime) -> int:
    return 3 if local.weekday() >= 5 else 0


def bad(code: str, times: int, last: datetime, first: datetime | None = None) -> Failure:
    return Failure(code, times, first or last, last)


@pytest.mark.parametrize(
    ("name", "often", "zone", "until", "now", "state"),
    [
        ("office, an hour and more without any", office, "UTC", at(1, 15), at(1, 16), "quiet"),
        ("office, an hour without any", office, "UTC", at(1, 12), at(1, 12.5), "ok"),
        ("office, two hours without any", office, "UTC", at(1, 12), at(1, 13.95), "silent"),
        ("office, at night", office, "UTC", at(0, 18), at(1, 8.5), "ok"),
        ("office, on Sunday", office, "UTC", at(-3, 18), at(-1, 20), "ok"),
        ("office, Monday noon, none since Friday", office, "UTC", at(-3, 18), at(0, 12), "silent"),
        ("Gulf, Friday and Saturday", gulf_office, "Asia/Riyadh", at(3, 15), at(5, 20), "ok"),
        ("Gulf, Sunday noon", gulf_office, "Asia/Riyadh", at(3, 15), at(6, 9), "silent"),
        ("Warsaw, before the desk opens", office, "Europe/Warsaw", at(0, 17), at(1, 8), "ok"),
        ("three a week, the day after", thrice_a_week, "UTC", at(0, 11), at(1, 10), "ok"),
        ("three a week, a week later", thrice_a_week, "UTC", at(0, 11), at(7, 10), "ok"),
        ("three a week, ten days later", thrice_a_week, "UTC", at(0, 11), at(11, 10), "quiet"),
        ("three a week, five weeks later", thrice_a_week, "UTC", at(0, 11), at(35, 10), "silent"),
        ("day and night, an hour", always, "UTC", at(1, 4), at(1, 5), "ok"),
        ("day and night, two hours", always, "UTC", at(1, 4), at(1, 6), "quiet"),
        ("day and night, four hours", always, "UTC", at(1, 4), at(1, 8), "silent"),
        ("fading, three hours", fading, "UTC", at(1, 4), at(1, 7), "ok"),
        ("fading, ten hours", fading, "UTC", at(1, 4), at(1, 14), "quiet"),
        ("fading, a day", fading, "UTC", at(1, 4), at(2, 4), "silent"),
        ("weekends, on Friday", weekend_only, "UTC", at(0, 0), at(4, 23), "ok"),
        ("weekends, on Saturday noon", weekend_only, "UTC", at(0, 0), at(5, 12), "silent"),
    ],
)  # fmt: skip
def test_how_long_a_source_may_be_silent(
    name: str,
    often: Callable[[datetime], int],
    zone: str,
    until: datetime,
    now: datetime,
    state: str,
) -> None:
    assert health(past(until, often, zone=zone), now).state == state, name


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "silent"),
        ({"active": False}, "retired"),
        ({"paused_at": at(1, 13)}, "paused"),
        ({"ends_on": date(2026, 11, 16)}, "quiet"),
        ({"ends_on": date(2026, 11, 17)}, "silent"),
        ({"days_off": {date(2026, 11, 17)}}, "ok"),
        ({"away": [(at(1, 12), at(1, 17))]}, "ok"),
        ({"away": [(at(1, 1), at(1, 2))]}, "silent"),
        ({"accepted": {}, "last_at": None}, "new"),
        ({"failures": [bad("mapping", 1, at(1, 15.5))]}, "ok"),
        ({"failures": [bad("mapping", 3, at(1, 15.5))]}, "failing"),
    ],
)
def test_what_excuses_a_silence(changes: Mapping[str, object], state: str) -> None:
    assert health(past(at(1, 12), office, **changes), at(1, 16)).state == state


@pytest.mark.parametrize(
    ("name", "failures", "state"),
    [
        ("none", [], "ok"),
        ("one after the last good one", [bad("no_json", 1, at(1, 12))], "ok"),
        ("two in a row", [bad("no_json", 2, at(1, 12))], "ok"),
        ("three in a row", [bad("no_json", 3, at(1, 12))], "failing"),
        (
            "three in a row of all kinds",
            [bad("a", 1, at(1, 12)), bad("b", 2, at(1, 12))],
            "failing",
        ),
        ("four among many", [bad("no_json", 4, at(1, 10))], "ok"),
        ("every tenth", [bad("no_json", 5, at(1, 10))], "ok"),
        ("every fourth", [bad("no_json", 15, at(1, 10))], "failing"),
        ("as many, but two days ago", [bad("no_json", 15, at(-1, 10))], "ok"),
        ("as many, eight days ago", [bad("no_json", 15, at(-8, 10))], "ok"),
    ],
)
def test_when_a_source_fails(name: str, failures: list[Failure], state: str) -> None:
    # Its last good one came at 11:55; 45 within the day before.
    source = past(at(1, 12), office, failures=failures)
    assert health(source, at(1, 12.1)).state == state, name


def test_a_source_that_never_brought_a_readable_delivery_fails() -> None:
    never = Past(failures=[bad("wrong_key", 3, at(1, 11), at(1, 10))])
    found = health(never, at(1, 12))
    assert (found.state, found.since, found.failures) == ("failing", at(1, 10), {"wrong_key": 3})


def test_what_is_said_of_a_source() -> None:
    found = health(past(at(1, 12), office, zone="Europe/Warsaw"), at(1, 12))
    # Warsaw is an hour ahead: from 9 to 13 there.
    assert (found.today, found.usual_today) == (20, 20.0)
    assert found.per_day == pytest.approx(45 * 5 / 7, abs=1)
    assert found.last_at == at(1, 11) + timedelta(minutes=55)
    assert found.since is None


def test_the_usual_ends_with_the_last_delivery() -> None:
    """Weeks of silence don't become what is usual."""
    three_weeks_on = health(past(at(0, 18), office), at(21, 12))
    assert (three_weeks_on.state, three_weeks_on.since) == (
        "silent",
        at(0, 17) + timedelta(minutes=55),
    )
    assert three_weeks_on.per_day == pytest.approx(45 * 5 / 7, abs=1)


def test_little_is_said_of_a_source_known_for_hours() -> None:
    young = past(at(0, 15), office, weeks=6 / 168)
    assert health(young, at(1, 15)).state == "ok"


def test_the_hours_are_those_of_the_wall_clock_when_clocks_change() -> None:
    # Warsaw's clocks go back on 25 October: nine in the morning comes an hour later in UTC.
    before = datetime(2026, 10, 23, 16, tzinfo=UTC)
    source = past(before, office, zone="Europe/Warsaw")
    assert health(source, datetime(2026, 10, 26, 8, 5, tzinfo=UTC)).usual_today == pytest.approx(
        0.4, abs=0.1
    )
    assert health(source, datetime(2026, 10, 26, 8, 30, tzinfo=UTC)).usual_today == pytest.approx(
        2.5, abs=0.1
    )


def test_a_silence_never_ends_by_itself() -> None:
    source = past(at(1, 12), office)
    states = [health(source, at(1, 12) + timedelta(hours=2 * n)).state for n in range(200)]
    first = states.index("silent")
    assert set(states[first:]) == {"silent"}


# What the worker makes of it.

WARSAW = ZoneInfo("Europe/Warsaw")
THURSDAY = datetime(2026, 3, 5, 17, 0, tzinfo=UTC)
"""18:00 in Warsaw: the desk closes, and the office's last hour is over."""
NOON = datetime(2026, 3, 6, 11, 10, tzinfo=UTC)
"""Friday, 12:10 in Warsaw."""


def deliver(session: Session, source: Source, at: datetime, **values: object) -> Intake:
    given: dict[str, object] = {"status": "accepted", "problem": {}} | values
    row = Intake(
        id=uuid7(at), source_id=source.id, received_at=at, body=b"", body_hash=b"", **given
    )
    session.add(row)
    return row


@pytest.fixture
def office_source(session: Session, world: World) -> Source:
    """Three an hour in office hours of Warsaw, until Thursday evening."""
    source = session.get_one(Source, world.sources["api-pl"])
    hour = THURSDAY - timedelta(weeks=4)
    while hour < THURSDAY:
        if office(hour.astimezone(WARSAW)):
            for minute in (5, 25, 45):
                deliver(session, source, hour + timedelta(minutes=minute))
        hour += HOUR
    session.commit()
    return source


def alerts_of(session: Session) -> list[SourceAlert]:
    session.expire_all()
    return list(session.scalars(select(SourceAlert).order_by(SourceAlert.id)))


def mails_of(session: Session) -> list[Message]:
    return list(session.scalars(select(Message).order_by(Message.id)))


def send_mails(
    session: Session, sessions: SessionFactory, settings: Settings, at: datetime
) -> None:
    outbox.send_due(sessions, settings, at)
    session.expire_all()


def test_health_is_counted_from_what_was_taken_in(
    session: Session, office_source: Source, world: World
) -> None:
    silent = session.get_one(Source, world.sources["adf-pl"])
    deliver(session, office_source, NOON - timedelta(minutes=20))
    kept = {"status": "quarantined", "problem": {"code": "no_json"}, "times": 2}
    deliver(session, office_source, NOON - timedelta(minutes=30), **kept)
    held = {"status": "quarantined", "problem": {"code": "paused"}}
    deliver(session, office_source, NOON - timedelta(minutes=31), **held)
    session.add(
        SourceRefusal(source_id=office_source.id, hour=NOON - HOUR, code="wrong_key", last_at=NOON)
    )
    session.commit()
    found = health_of(session, [office_source, silent], NOON)
    fares = found[office_source.id]
    # Three full Fridays of nine and a half, and this one.
    assert (fares.state, fares.today, fares.usual_today) == ("ok", 1, pytest.approx(7.2, abs=0.3))
    assert fares.last_at == NOON - timedelta(minutes=20)
    assert fares.failures == {"no_json": 2, "wrong_key": 1}
    assert found[silent.id].state == "new"


def test_headquarters_hears_once_that_a_source_is_silent_and_once_that_it_is_back(
    session: Session,
    sessions: SessionFactory,
    settings: Settings,
    office_source: Source,
    world: World,
) -> None:
    assert watch(sessions, NOON - timedelta(hours=2)) == 0
    assert watch(sessions, NOON) == 1
    assert watch(sessions, NOON + timedelta(minutes=10)) == 0
    [alert] = alerts_of(session)
    assert (alert.source_id, alert.kind, alert.began_at) == (office_source.id, "silent", NOON)
    # Hana looks after Poland; the call centre has nothing to do with sources.
    [mail] = mails_of(session)
    assert (mail.recipient, mail.kind) == ("hana@lmt.example", "headquarters_source")
    assert (mail.market_id, mail.lead_id) == (world.markets["PL"], None)
    send_mails(session, sessions, settings, NOON)
    assert (mail.status, mail.subject) == ("sent", "1 source of leads needs a look")
    back_at = NOON + timedelta(hours=1)
    deliver(session, office_source, back_at)
    session.commit()
    assert watch(sessions, back_at + timedelta(minutes=1)) == 1
    assert watch(sessions, back_at + timedelta(minutes=11)) == 0
    [alert] = alerts_of(session)
    assert alert.ended_at == back_at + timedelta(minutes=1)
    [_first, back] = mails_of(session)
    send_mails(session, sessions, settings, back_at + timedelta(minutes=1))
    assert (back.kind, back.status) == ("headquarters_source_back", "sent")
    assert (back.recipient, back.subject) == (mail.recipient, "1 source brings leads again")


def test_what_is_over_before_the_desk_opens_is_never_told(
    session: Session, sessions: SessionFactory, settings: Settings, office_source: Source
) -> None:
    closing = datetime(2026, 3, 6, 17, 30, tzinfo=UTC)
    assert watch(sessions, closing) == 1
    [mail] = mails_of(session)
    monday = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
    assert mail.next_attempt_at == monday
    deliver(session, office_source, closing + HOUR)
    session.commit()
    assert watch(sessions, closing + timedelta(hours=1, minutes=5)) == 1
    send_mails(session, sessions, settings, monday)
    assert [(each.kind, each.status) for each in mails_of(session)] == [
        ("headquarters_source", "dropped")
    ]


def test_many_sources_are_one_mail(
    session: Session,
    sessions: SessionFactory,
    settings: Settings,
    office_source: Source,
    world: World,
) -> None:
    other = session.get_one(Source, world.sources["adf-pl"])
    for n in range(3):
        kept = {"status": "quarantined", "problem": {"code": "no_adf"}}
        deliver(session, other, NOON - timedelta(minutes=n), **kept)
    session.commit()
    assert watch(sessions, NOON) == 2
    [mail] = mails_of(session)
    assert mail.context["alerts"] == [each.id for each in alerts_of(session)]
    send_mails(session, sessions, settings, NOON)
    assert mail.subject == "2 sources of leads need a look"


def test_a_source_that_fails_is_calm_for_a_while_before_it_is_well(
    session: Session, sessions: SessionFactory, office_source: Source
) -> None:
    for n in range(8):
        kept = {"status": "quarantined", "problem": {"code": "invalid"}}
        deliver(session, office_source, NOON - timedelta(minutes=n), **kept)
    session.commit()
    assert watch(sessions, NOON) == 1
    assert [each.kind for each in alerts_of(session)] == ["failing"]
    for n in range(60):
        deliver(session, office_source, NOON + timedelta(minutes=5 * n + 1))
    session.commit()
    assert watch(sessions, NOON + timedelta(hours=2)) == 0
    assert watch(sessions, NOON + timedelta(hours=6)) == 1
    assert alerts_of(session)[0].ended_at == NOON + timedelta(hours=6)


@pytest.mark.parametrize("change", ["paused", "retired", "ended", "away"])
def test_a_silence_that_is_meant_alarms_nobody(
    session: Session,
    sessions: SessionFactory,
    office_source: Source,
    world: World,
    change: str,
) -> None:
    if change == "paused":
        office_source.paused_at = THURSDAY
    elif change == "retired":
        office_source.active = False
    elif change == "ended":
        office_source.campaign = Campaign(
            code="spring", market_id=world.markets["PL"], name="Spring",
            starts_on=date(2026, 2, 1), ends_on=date(2026, 3, 5),
        )  # fmt: skip
    else:
        session.add(Outage(kind="service", began_at=THURSDAY, ended_at=NOON))
    session.commit()
    assert watch(sessions, NOON) == 0
    assert mails_of(session) == []


def test_an_alert_of_a_source_that_is_retired_ends_without_a_mail(
    session: Session, sessions: SessionFactory, settings: Settings, office_source: Source
) -> None:
    watch(sessions, NOON)
    send_mails(session, sessions, settings, NOON)
    office_source.active = False
    session.commit()
    assert watch(sessions, NOON + HOUR) == 1
    assert alerts_of(session)[0].ended_at == NOON + HOUR
    assert len(mails_of(session)) == 1


def test_only_one_worker_watches(sessions: SessionFactory, office_source: Source) -> None:
    with act_as(sessions(), SYSTEM) as other:
        other.execute(text("SELECT pg_advisory_xact_lock(7240721)"))
        assert watch(sessions, NOON) == 0
        other.rollback()
    assert watch(sessions, NOON) == 1


def test_health_asks_the_database_as_often_for_many_sources_as_for_one(
    session: Session, office_source: Source, count_queries: list[str]
) -> None:
    everybody = session.scalars(select(Source)).all()
    count_queries.clear()
    health_of(session, [office_source], NOON)
    one = len(count_queries)
    count_queries.clear()
    health_of(session, everybody, NOON)
    assert len(count_queries) == one <= 6
