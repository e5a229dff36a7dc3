"""The standard reports: each answers, and what they need beside the leads is what it says."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt.db import SessionFactory, reading_sessions_for, uuid7
from lmt.models import (
    CallRecord,
    Campaign,
    Customer,
    DealerTerms,
    ExchangeRate,
    FactSlice,
    Intake,
    Lead,
    LeadFact,
    Offer,
    RoutingDecision,
    ShareFact,
    Target,
    User,
)
from lmt.reports import figures
from lmt.reports.answer import Answer
from lmt.reports.ask import ask
from lmt.reports.coverage import coverage_of, patches_of
from lmt.reports.enrich import ENRICHERS
from lmt.reports.ledger import CAUSES, accounts, turn_of
from lmt.reports.question import Question, read
from lmt.reports.refresh import refresh
from lmt.reports.staffing import staffed_hours
from lmt.reports.standard import STANDARD, Standard
from lmt.scope import SYSTEM, act_as, actor_of
from lmt.workhours import Calendar
from tests.world import FRIDAY, World, somebody

AT = datetime(2026, 3, 11, tzinfo=UTC)
"""Ten days of March have passed, by the clock in London."""
DAY = date(2026, 3, 6)
MARCH = {"first": date(2026, 3, 1), "last": date(2026, 3, 31), "period": "days"}
CODES = {each.code: each for each in STANDARD}


@pytest.fixture
def reading(engine: Engine, session: Session) -> Iterator[Session]:
    with reading_sessions_for(engine)() as reading:
        yield act_as(reading, SYSTEM)


@pytest.fixture
def enter(
    app: Flask, cast: dict[str, User], login: Callable[[FlaskClient, User], FlaskClient]
) -> Iterator[Callable[[str], FlaskClient]]:
    with time_machine.travel(AT, tick=False):
        yield lambda name: login(app.test_client(), cast[name])


def fact(
    session: Session,
    world: World,
    dealer: str,
    leads: int = 1,
    sold: int = 0,
    day: date = DAY,
    **columns: Any,
) -> None:
    """As many leads of a dealer, added up in one row: what is added up again is the same."""
    market = world.markets["PL" if dealer.startswith("PL") else "GULF"]
    given = {
        "channel": "api", "request_type": "offer", "source_id": world.sources["api-pl"],
        "brand_id": world.brand_id, "hour": 8, "valid": leads, **columns,
    }  # fmt: skip
    session.add(
        LeadFact(lead_id=uuid.uuid4(), dealer_id=world.dealers.get(dealer, 0), market_id=market,
                 day=day, month=day.replace(day=1), leads=leads, sold=sold, **given)
    )  # fmt: skip
    session.merge(FactSlice(market_id=market, month=day.replace(day=1), changed_at=AT))


def asked(reading: Session, **question: Any) -> Answer:
    return ask(reading, Question(**{**MARCH, **question}), at=AT, currency="EUR")


def figure(answer: Answer, code: str, row: str | None = None) -> float | None:
    return answer.value(code, row)


def test_every_figure_has_a_name_a_formula_and_somebody_who_fills_it_in() -> None:
    codes = [each.code for each in figures.FIGURES]
    assert len(codes) == len(set(codes))
    filled = {extra for enricher in ENRICHERS for extra in enricher.extras}
    for each in figures.FIGURES:
        assert str(each.name)
        assert str(each.formula).endswith(".")
        assert {*each.extras} <= filled, each.code


@pytest.mark.parametrize("standard", STANDARD, ids=lambda each: each.code)
def test_each_standard_report_answers_by_all_that_it_offers(
    standard: Standard, session: Session, reading: Session, world: World
) -> None:
    fact(session, world, "PL-WAW-1", 3, 1, lat_tenth=522, lon_tenth=210, region="14")
    fact(session, world, "SA-RUH-1", 2, 0, day=date(2026, 2, 6))
    session.commit()
    for rows in standard.dimensions:
        days = {"from": ["2026-01-01"], "to": ["2026-03-31"], "rows": [rows]}
        question, problems = read(days, DAY, start=standard.start)
        assert problems == []
        assert question.report == standard.code
        answer = ask(reading, question, at=AT, currency="EUR")
        if question.of_calls:  # there are none, and nothing else is told of them
            assert answer.rows == ()
            continue
        assert answer.total.count("leads") == 5 or "leads" not in question.figures
        for row in answer.rows:
            for code in question.figures:
                value = answer.value(code, row.value)
                assert value is None or value >= 0 or code in {"share_difference"}
        if rows != "source" or standard.code == "sources":
            assert "not_told" not in answer.notes, rows


def test_a_dealer_with_bad_leads_is_not_blamed(
    session: Session, reading: Session, world: World
) -> None:
    # Test drives sell one in four, offers one in fifty; WAW-1 gets the ones, WAW-2 the others.
    fact(session, world, "PL-WAW-1", 40, 10, request_type="test_drive")
    fact(session, world, "PL-WAW-2", 50, 1)
    fact(session, world, "PL-CARE", 40, 10, request_type="test_drive")
    # What nobody has can't be sold, and says nothing of those who have some.
    fact(session, world, "PL-nobody", 500)
    session.commit()
    told = ("leads", "sold", "conversion", "expected_sold", "expected_conversion",
            "against_expected", "quality")  # fmt: skip
    answer = asked(reading, rows="dealer", figures=told)
    assert figure(answer, "conversion", "PL-WAW-1") == pytest.approx(0.25)
    assert figure(answer, "conversion", "PL-WAW-2") == pytest.approx(0.02)
    for code in ("PL-WAW-1", "PL-WAW-2"):
        assert figure(answer, "against_expected", code) == pytest.approx(1)
    assert figure(answer, "expected_sold", "PL-WAW-1") == pytest.approx(10)
    assert figure(answer, "expected_conversion", "PL-WAW-2") == pytest.approx(0.02)
    assert figure(answer, "expected_sold") == pytest.approx(21)
    assert figure(answer, "quality", "PL-WAW-1") == 0.5
    assert figure(answer, "expected_sold", "-") is None
    # Whoever looks at one dealer alone is told the same of it.
    alone = asked(reading, rows="dealer", figures=told, filters={"dealer": ("PL-WAW-2",)})
    assert [row.value for row in alone.rows] == ["PL-WAW-2"]
    assert figure(alone, "expected_sold") == pytest.approx(1)


def test_a_dealers_own_people_are_told_nothing_of_the_market(
    session: Session, reading: Session, world: World, cast: dict[str, User]
) -> None:
    fact(session, world, "PL-WAW-1", 40, 10)
    session.add(Target(market_id=world.markets["PL"], month=date(2026, 3, 1), figure="leads",
                       value=Decimal(100)))  # fmt: skip
    session.commit()
    act_as(reading, actor_of(session.merge(cast["bert"])))
    answer = asked(reading, rows="", figures=("leads", "expected_sold", "uncovered", "plan_leads"))
    assert figure(answer, "leads") == 40
    assert [figure(answer, c) for c in ("expected_sold", "uncovered", "plan_leads")] == [None] * 3
    assert answer.notes == ("not_told",)


def test_the_plan_stands_beside_what_was_reached(
    session: Session, reading: Session, world: World
) -> None:
    poland, gulf = world.markets["PL"], world.markets["GULF"]
    march = date(2026, 3, 1)
    # fmt: off
    plans = [(poland, "leads", "100"), (poland, "sold", "20"), (poland, "conversion", "0.2"),
             (poland, "value", "5000"), (gulf, "leads", "60"), (gulf, "conversion", "0.1")]
    # fmt: on
    session.add_all(
        Target(market_id=market, month=march, figure=name, value=Decimal(value))
        for market, name, value in plans
    )
    session.add(ExchangeRate(market_id=poland, month=march, rate=Decimal("0.25")))
    fact(session, world, "PL-WAW-1", 30, 6, value=Decimal(1000))
    fact(session, world, "SA-RUH-1", 10, 1)
    session.commit()
    wanted = ("leads", "sold", "plan_leads", "plan_leads_reached", "plan_sold_reached",
              "pace_leads", "plan_conversion", "plan_value", "plan_value_reached",
              "value")  # fmt: skip
    answer = asked(reading, rows="market", figures=wanted, currency="one")
    assert figure(answer, "plan_leads", "PL") == 100
    assert figure(answer, "plan_leads_reached", "PL") == pytest.approx(0.3)
    assert figure(answer, "plan_sold_reached", "PL") == pytest.approx(0.3)
    assert figure(answer, "plan_sold_reached", "GULF") is None
    assert figure(answer, "plan_value", "PL") == pytest.approx(1250)
    assert figure(answer, "plan_value_reached", "PL") == pytest.approx(0.2)
    # Ten days and an hour, since March began an hour sooner in Warsaw.
    passed = (10 * 24 + 1) / (31 * 24 - 1)
    assert figure(answer, "pace_leads", "PL") == pytest.approx(30 / passed)
    assert figure(answer, "plan_leads") == 160
    assert figure(answer, "plan_leads_reached") == pytest.approx(40 / 160)
    # Of all together as well: the Gulf plans no sales, and its sale is none of the plan's.
    assert figure(answer, "plan_sold_reached") == pytest.approx(6 / 20)
    # Of both markets the mean by their leads: 30 at 20 %, 10 at 10 %.
    assert figure(answer, "plan_conversion") == pytest.approx(0.175)
    # Nobody plans for a channel.
    parted = asked(reading, rows="channel", figures=wanted)
    assert figure(parted, "plan_leads") is None
    assert parted.notes.count("not_told") == 1


def test_a_figure_says_the_same_alone_as_among_others(
    session: Session, reading: Session, world: World
) -> None:
    poland, march = world.markets["PL"], date(2026, 3, 1)
    session.add(Campaign(code="spring", name="Spring", market_id=poland, starts_on=march,
                         ends_on=date(2026, 3, 31), cost=Decimal(100), currency="PLN"))  # fmt: skip
    session.add(Target(market_id=poland, month=march, figure="value", value=Decimal(5000)))
    fact(session, world, "PL-WAW-1", 30, 6, value=Decimal(1000))
    session.commit()
    of_money = [each.code for each in figures.FIGURES if each.amounts]
    of_money.append("plan_value_reached")
    together = asked(reading, figures=tuple(of_money))
    assert (figure(together, "return"), figure(together, "plan_value_reached")) == (10, 0.2)
    for code in of_money:
        assert figure(asked(reading, figures=(code,)), code) == figure(together, code), code


def test_the_fair_share_is_what_the_ledger_says(
    sessions: SessionFactory,
    session: Session,
    reading: Session,
    world: World,
    offered_lead: Callable[..., Lead],
) -> None:
    leads = [offered_lead(FRIDAY + timedelta(minutes=n), **somebody()) for n in range(6)]
    for lead in leads[:2]:
        at = FRIDAY + timedelta(hours=2)
        pipeline.decline(session, lead.id, reason="capacity", at=at, actor=SYSTEM)
        session.commit()
    refresh(sessions, AT)
    weights = dict.fromkeys(world.dealers.values(), 1.0)
    rows = session.execute(
        select(RoutingDecision.result, Offer.state).join(
            Offer, Offer.decision_id == RoutingDecision.id
        )
    )
    turns = [turn_of(result, weights, state) for result, state in rows]
    ledger = accounts(turn for turn in turns if turn is not None)
    assert sum(account.received for account in ledger.values()) >= len(leads)
    standard, _problems = read({"period": ["days"], "from": ["2026-03-01"], "to": ["2026-03-31"]},
                               DAY, start=CODES["fair_share"].start)  # fmt: skip
    answer = ask(reading, standard, at=AT, currency="EUR")
    codes = {id: code for code, id in world.dealers.items()}
    assert {row.value for row in answer.rows} == {codes[id] for id in ledger}
    for id, account in ledger.items():
        row = codes[id]
        assert figure(answer, "share_expected", row) == pytest.approx(account.expected)
        assert figure(answer, "share_received", row) == account.received
        assert figure(answer, "share_difference", row) == pytest.approx(account.difference)
        assert figure(answer, "share_kept", row) == account.kept
        for cause in CAUSES:
            missed = figure(answer, f"share_missed_{cause}", row) or 0.0
            lost = 0.0
            if cause in {"declined", "timed_out"}:
                lost = figure(answer, f"share_lost_{cause}", row) or 0.0
            assert missed + lost == pytest.approx(account.cause(cause)), (row, cause)
    # What one missed another received.
    assert figure(answer, "share_expected") == pytest.approx(figure(answer, "share_received") or 0)


def test_the_fair_share_is_told_by_day_and_for_some_dealers(
    session: Session, reading: Session, world: World
) -> None:
    for day, dealer in ((6, "PL-WAW-1"), (7, "PL-WAW-1"), (7, "PL-WAW-2")):
        on = date(2026, 3, day)
        session.add(
            ShareFact(decision_id=uuid.uuid4(), dealer_id=world.dealers[dealer],
                      lead_id=uuid.uuid4(), market_id=world.markets["PL"], day=on,
                      month=on.replace(day=1), expected=0.5, received=1.0)
        )  # fmt: skip
    session.merge(FactSlice(market_id=world.markets["PL"], month=date(2026, 3, 1), changed_at=AT))
    session.commit()
    told = ("share_expected", "share_received")
    by_day = asked(reading, rows="day", figures=told)
    assert figure(by_day, "share_received", "2026-03-07") == 2
    one = asked(reading, rows="", figures=told, filters={"dealer": ("PL-WAW-2",)})
    assert figure(one, "share_received") == 1
    # A decision knows no channel.
    assert asked(reading, rows="channel", figures=told).notes == ("not_told",)


def test_a_source_is_told_by_its_deliveries_even_where_none_made_a_lead(
    session: Session, reading: Session, world: World, cast: dict[str, User]
) -> None:
    def delivered(source: str, at: datetime, status: str = "accepted") -> None:
        session.add(Intake(id=uuid7(at), source_id=world.sources[source], received_at=at,
                           body=b"", body_hash=uuid.uuid4().bytes, status=status))  # fmt: skip

    for hour in (1, 2, 3):
        delivered("api-pl", FRIDAY + timedelta(hours=hour))
    delivered("api-pl", FRIDAY, "quarantined")
    # March began at 23 o'clock of February by the clock in London, in Warsaw.
    delivered("adf-pl", datetime(2026, 2, 28, 23, 30, tzinfo=UTC), "quarantined")
    delivered("adf-pl", datetime(2026, 2, 28, 22, 30, tzinfo=UTC), "quarantined")
    fact(session, world, "PL-WAW-1", 3)
    session.commit()
    told = ("leads", "deliveries", "quarantined", "quarantined_share", "delivery_age")
    answer = asked(reading, rows="source", figures=told)
    assert [figure(answer, code, "api-pl") for code in told[:4]] == [3, 4, 1, 0.25]
    assert figure(answer, "delivery_age", "api-pl") == pytest.approx(
        (AT - FRIDAY - timedelta(hours=3)) / timedelta(days=1)
    )
    assert [figure(answer, code, "adf-pl") for code in told[:4]] == [0, 1, 1, 1.0]
    # A source that fell silent is told, too.
    assert figure(answer, "deliveries", "form-pl") == 0
    assert figure(answer, "delivery_age", "form-pl") is None
    assert figure(answer, "deliveries") == 5
    # What delivers elsewhere is nobody's to know.
    assert "api-gulf" in [key.value for key in answer.rows]
    act_as(reading, actor_of(session.get_one(User, cast["hana"].id)))
    polish = asked(reading, rows="source", figures=told)
    assert sorted(key.value for key in polish.rows) == ["adf-pl", "api-pl", "form-pl"]


def test_leads_stand_beside_the_hours_in_which_somebody_is_there(
    session: Session, reading: Session, world: World, cast: dict[str, User]
) -> None:
    fact(session, world, "PL-WAW-1", 6, hour=4 * 24 + 9)
    fact(session, world, "PL-WAW-1", 2, hour=4 * 24 + 22)
    customer = Customer(full_name="Jan Kowal", created_at=FRIDAY)
    session.add(customer)
    session.flush()
    for hour, disposition in ((8, "reached"), (8, "no_answer"), (8, "not_called"), (21, "busy")):
        session.add(CallRecord(customer_id=customer.id, source_id=world.sources["api-pl"],
                               disposition=disposition, at=FRIDAY.replace(hour=hour)))  # fmt: skip
    session.commit()
    told = ("leads", "staffed_hours", "leads_per_staffed_hour", "calls", "calls_reached")
    days = {"first": DAY, "last": DAY, "period": "days", "filters": {"market": ("PL",)}}
    answer = asked(reading, rows="hour", figures=told, **days)
    # At nine both dealers and the desk are there; at ten at night nobody is.
    assert [figure(answer, code, "9") for code in told] == [6, 3, 2, 2, 1]
    assert [figure(answer, code, "22") for code in told] == [2, None, None, 1, 0]
    # From nine to six, less the one dealer's break.
    assert figure(answer, "staffed_hours") == 9 + 9 + 8
    # The desk's hours are the market's, and no manager's of one dealer.
    act_as(reading, actor_of(session.get_one(User, cast["bert"].id)))
    assert figure(asked(reading, rows="hour", figures=told, **days), "staffed_hours") in (8, 9)


WEEKDAYS = Calendar("Mo-Fr 09:00-17:30", "Europe/Warsaw")
NIGHTS = Calendar("Sa 22:00-26:00", "Europe/Warsaw")


@pytest.mark.parametrize(
    ("calendars", "first", "last", "until_at", "hours"),
    [
        ({WEEKDAYS: 2}, DAY, DAY, AT, 17.0),
        # Until now: nine to half past ten, in Warsaw.
        ({WEEKDAYS: 1}, DAY, DAY, datetime(2026, 3, 6, 9, 30, tzinfo=UTC), 1.5),
        ({WEEKDAYS: 1}, date(2026, 3, 7), date(2026, 3, 8), AT, 0.0),
        ({WEEKDAYS: 1}, date(2026, 4, 1), date(2026, 4, 30), AT, 0.0),
        ({}, DAY, DAY, AT, 0.0),
        # The night to 29 March has no hour from two to three.
        ({NIGHTS: 1}, date(2026, 3, 28), date(2026, 3, 29), datetime(2026, 5, 1, tzinfo=UTC), 4.0),
        # Ten leads' worth of dealers with the same hours are asked once.
        ({WEEKDAYS: 1, Calendar("24/7", "Europe/Warsaw"): 3}, DAY, DAY, AT, 8.5 + 72),
    ],
    ids=["two", "until-now", "weekend", "future", "nobody", "night", "several"],
)
def test_open_hours_are_added_up(
    calendars: dict[Calendar, int], first: date, last: date, until_at: datetime, hours: float
) -> None:
    found = staffed_hours(calendars, "Europe/Warsaw", first, last, until_at)
    assert sum(found.values()) == pytest.approx(hours)
    assert all(0 <= hour < 168 and day.weekday() == hour // 24 for day, hour in found)


def test_leads_far_from_every_dealer_are_uncovered(
    session: Session, reading: Session, world: World
) -> None:
    fact(session, world, "PL-WAW-1", 4, lat_tenth=522, lon_tenth=210, region="14")
    # Łódź is some 120 km from Warsaw.
    fact(session, world, "PL-WAW-1", 3, lat_tenth=517, lon_tenth=194, region="10")
    fact(session, world, "PL-WAW-1", 1, region="10")
    session.commit()
    told = ("leads", "uncovered", "uncovered_share", "nearest")
    answer = asked(reading, rows="region", figures=told)
    assert [figure(answer, code, "14") for code in told[:3]] == [4, 0, 0]
    assert [figure(answer, code, "10") for code in told[:3]] == [4, 3, 1.0]
    assert 90 < (figure(answer, "nearest", "10") or 0) < 140
    assert figure(answer, "uncovered_share") == pytest.approx(3 / 7)
    found = coverage_of(reading, answer.question, within_km=50, at=AT)
    assert (found.leads, found.uncovered, found.placeless) == (7, 3, 1)
    assert [(patch.leads, patch.uncovered) for patch in found.patches] == [(3, 3), (4, 0)]
    assert {dealer.code for dealer in found.dealers or ()} == {"PL-WAW-1", "PL-WAW-2"}
    assert coverage_of(reading, answer.question, within_km=500, at=AT).uncovered == 0
    # A dealer who takes no leads covers nobody.
    for terms in session.scalars(select(DealerTerms)):
        terms.paused = True
    session.commit()
    reading.rollback()
    assert coverage_of(reading, answer.question, within_km=50, at=AT).uncovered == 7


def test_squares_grow_until_they_are_few_enough() -> None:
    leads = {(1, lat, lon): 1 for lat in range(-10, 10) for lon in range(-10, 10)}
    nearest = {square: 60.0 if square[1] < 0 else 10.0 for square in leads}
    patches = patches_of(leads, nearest, 50, most=20)
    assert len(patches) == 16
    assert {patch.degrees for patch in patches} == {0.5}
    assert sum(patch.leads for patch in patches) == 400
    assert sum(patch.uncovered for patch in patches) == 200
    assert len({patch.code for patch in patches}) == 16


def test_a_standard_report_asks_as_much_whatever_it_finds(
    session: Session, reading: Session, world: World, count_queries: list[str]
) -> None:
    fact(session, world, "PL-WAW-1", 3)
    session.commit()

    def queries(code: str) -> int:
        question, _problems = read({}, DAY, start=CODES[code].start)
        count_queries.clear()
        ask(reading, question, at=AT, currency="EUR")
        reading.rollback()
        return len(count_queries)

    few = {code: queries(code) for code in CODES}
    for number in range(8):
        fact(session, world, "PL-WAW-2", 2, 1, lat_tenth=500 + number, lon_tenth=200)
        fact(session, world, "SA-RUH-1", 2, 1, region=str(number))
    session.commit()
    more = {code: queries(code) for code in CODES}
    assert {code: count for code, count in more.items() if count > few[code] + 2} == {}
    assert max(more.values()) <= 30


def test_the_map_shows_where_no_dealer_is_near(
    session: Session, world: World, enter: Callable[[str], FlaskClient]
) -> None:
    fact(session, world, "PL-WAW-1", 4, lat_tenth=522, lon_tenth=210)
    fact(session, world, "PL-WAW-1", 3, lat_tenth=517, lon_tenth=194, channel="form")
    session.commit()
    hana, march = enter("hana"), "/reports/coverage?from=2026-03-01&to=2026-03-31"
    page = hana.get(march).get_data(as_text=True)
    assert "7 leads with a place." in page
    assert "3 of them have no dealer within 50 km." in page
    assert 'id="square-517+194"' in page
    assert "#square-517+194" in page
    assert "Aurel Centrum" in page
    assert "0 of them" in hana.get(f"{march}&km=300").get_data(as_text=True)
    assert "4 leads with a place." in hana.get(f"{march}&channel=api").get_data(as_text=True)
    wrong = hana.get(f"{march}&km=near").get_data(as_text=True)
    assert "Enter a distance above zero" in wrong
    assert 'value="near"' in wrong
    assert "No lead with a place fits" in hana.get(f"{march}&channel=mail").get_data(as_text=True)
    # A dealer's manager sees reports, but not where others' leads are.
    assert enter("bert").get("/reports/coverage").status_code == 403
