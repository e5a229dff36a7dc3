"""A virtual week of the demo network, with a holiday and a change of clocks inside.

`make soak` runs the month with 30,000 leads; here the same with fewer.
"""

from __future__ import annotations

import os
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from opening_hours import OpeningHours
from sqlalchemy import select

from lmt import embedded
from lmt.config import from_environment
from lmt.db import engine_for, sessions_for
from lmt.demo import fill
from lmt.demo.countries import COUNTRIES
from lmt.demo.fill import cities_of
from lmt.demo.leads import demo_arrivals
from lmt.demo.markets import MARKET_OF, MARKETS
from lmt.models import Market, Message, Offer, Source
from lmt.publicholidays import holidays_of
from lmt.routing.directory import candidates_of
from lmt.routing.gazetteer_load import load_places
from lmt.schema import upgrade
from lmt.scope import SYSTEM, act_as
from lmt.workhours import Calendar
from tests.virtualtime import VirtualTime

DAYS = int(os.environ.get("LMT_VIRTUAL_DAYS", "8"))
LEADS = int(os.environ.get("LMT_VIRTUAL_LEADS", "50"))
# Eid al-Fitr is on 20 to 23 March, Europe's clocks change on the 29th, Easter is on 5 April.
FIRST = datetime(2026, 3, 22, tzinfo=UTC) if DAYS < 20 else datetime(2026, 3, 15, tzinfo=UTC)
UNTIL = FIRST + timedelta(days=DAYS)
TO_DEALERS = {
    "dealer_reminder",
    "dealer_lead_back",
    "dealer_handed_over",
    "manager_escalation",
    "plan_reminder",
}
TO_HEADQUARTERS = {"headquarters_escalation", "headquarters_queue"}


@dataclass(frozen=True)
class Lived:
    """What is left to look at when the weeks are over."""

    figures: Counter[str]
    unwatched: list[tuple[datetime, int]]
    calendars: dict[int, Calendar]
    """By dealer."""
    desks: dict[int, Calendar]
    """Headquarters' by market."""
    offers: list[Offer]
    messages: list[Message]


@pytest.fixture(scope="module")
def lived(
    server: embedded.EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lived]:
    name = f"virtual_{uuid.uuid4().hex}"
    url = embedded.create_database(server, name)
    engine = engine_for(url)
    upgrade(engine)
    sessions = sessions_for(engine)
    with sessions() as session:
        load_places(act_as(session, SYSTEM), MARKET_OF.keys())
        session.commit()
    instance = tmp_path_factory.mktemp("virtual")
    settings = from_environment(
        {
            "LMT_INSTANCE": str(instance),
            "DATABASE_URL": url,
            "LMT_BASE_URL": "https://leads.example",
        }
    )
    fill(sessions, settings, at=FIRST, leads=0)
    with act_as(sessions(), SYSTEM) as session:
        cities = {country.code: cities_of(session, country.code) for country in COUNTRIES}
        sources = dict(
            session.execute(
                select(Market.code, Source.code)
                .join(Source, Source.market_id == Market.id)
                .where(Source.kind == "api")
            ).all()
        )
    drawn = demo_arrivals(Random("virtual"), cities, UNTIL, [], LEADS * 90 // DAYS)
    arrivals = [each for each in drawn if each.at >= FIRST][-LEADS:]
    for arrival in arrivals:
        # The oracle counts whole minutes.
        arrival.at = arrival.at.replace(second=0, microsecond=0)
    world = VirtualTime(sessions, settings, Random("dealers"), sources, UNTIL)
    began = time.monotonic()
    world.run(arrivals)
    passed = time.monotonic() - began
    with act_as(sessions(), SYSTEM) as session:
        markets = list(session.scalars(select(Market)))
        calendars = {
            each.id: each.calendar
            for market in markets
            for each in candidates_of(session, market.id, UNTIL)
        }
        desks = {
            market.id: Calendar(market.desk_hours, market.timezone, market.desk_country)
            for market in markets
        }
        offers = list(session.scalars(select(Offer).where(Offer.offered_at >= FIRST)))
        messages = list(session.scalars(select(Message)))
    _print(world, offers, messages, passed)
    yield Lived(world.figures, world.unwatched, calendars, desks, offers, messages)
    engine.dispose()
    embedded.drop_database(server, name)


def _print(world: VirtualTime, offers: list[Offer], messages: list[Message], passed: float) -> None:
    kinds = Counter(message.kind for message in messages if message.status == "sent")
    states = Counter(offer.state for offer in offers)
    print(f"\n{DAYS} days in {passed:.0f} s: {dict(sorted(world.figures.items()))}")
    print(f"offers {dict(states)}; most hops {max((o.hop for o in offers), default=0)}")
    print(f"mails {dict(sorted(kinds.items()))}")


def test_no_lead_is_ever_without_an_owner_a_queue_or_a_next_instant(lived: Lived) -> None:
    assert lived.figures["leads"] >= LEADS * 0.8
    assert lived.unwatched == []


def test_every_deadline_is_what_a_clock_that_looks_at_every_minute_says(lived: Lived) -> None:
    oracle = Oracle()
    wrong = []
    for offer in lived.offers:
        if not offer.minutes:
            continue
        expected = oracle.deadline(
            lived.calendars[offer.dealer_id], offer.offered_at, offer.minutes
        )
        if expected != offer.expires_at:
            wrong.append((offer.dealer_id, offer.offered_at, offer.expires_at, expected))
    assert len(lived.offers) > LEADS * 0.7
    assert wrong == []


def test_no_reminder_leaves_outside_the_recipients_hours(lived: Lived) -> None:
    oracle, seen, outside = Oracle(), 0, []
    for message in lived.messages:
        if message.sent_at is None or message.kind not in TO_DEALERS | TO_HEADQUARTERS:
            continue
        seen += 1
        calendar = lived.desks[message.market_id]
        if message.kind in TO_DEALERS and message.dealer_id is not None:
            calendar = lived.calendars[message.dealer_id]
        # A mail that falls due on the last open minute leaves a moment later.
        if not any(
            oracle.is_open(calendar, message.sent_at - timedelta(minutes=m)) for m in (0, 1)
        ):
            outside.append((message.kind, message.sent_at, calendar))
    assert seen > 10
    assert outside == []


def test_a_dealer_that_let_it_pass_is_not_asked_again(lived: Lived) -> None:
    asked = Counter((offer.lead_id, offer.dealer_id) for offer in lived.offers)
    assert max(asked.values()) == 1
    assert any(offer.hop > 1 for offer in lived.offers)


class Oracle:
    """A calendar read minute by minute, with none of the product's arithmetic."""

    def __init__(self) -> None:
        self._days: dict[tuple[Calendar, date], list[bool]] = {}

    def is_open(self, calendar: Calendar, at: datetime) -> bool:
        return self._day(calendar, at.astimezone(UTC).date())[at.hour * 60 + at.minute]

    def deadline(self, calendar: Calendar, start: datetime, minutes: int) -> datetime:
        at = start.astimezone(UTC)
        while minutes:
            minutes -= self.is_open(calendar, at)
            at += timedelta(minutes=1)
        return at

    def _day(self, calendar: Calendar, day: date) -> list[bool]:
        key = (calendar, day)
        if key not in self._days:
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
            self._days[key] = [
                _open(calendar, midnight + timedelta(minutes=minute)) for minute in range(1440)
            ]
        return self._days[key]


_RULES: dict[str, OpeningHours] = {}


def _open(calendar: Calendar, at: datetime) -> bool:
    """The demo's hours are plain: weekdays, a `PH off` at the end, no night beyond midnight."""
    wall = at.astimezone(ZoneInfo(calendar.timezone)).replace(tzinfo=None)
    day = wall.date()
    if any(first <= day <= last for first, last in calendar.closures):
        return False
    hours = next((h for first, last, h in calendar.special if first <= day <= last), calendar.hours)
    if "PH off" in hours and day in holidays_of(calendar.country.upper(), day.year):
        return False
    plain = hours.replace("; PH off", "")
    if plain not in _RULES:
        _RULES[plain] = OpeningHours(plain)
    return _RULES[plain].is_open(wall)


def test_the_markets_of_the_demo_are_all_there(lived: Lived) -> None:
    assert len(lived.desks) == len(MARKETS)
    assert lived.calendars
