"""What people read off a report: names in their language, order, money, what lies beyond sight."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from lmt.db import SessionFactory, reading_sessions_for
from lmt.i18n import reading
from lmt.models import (
    Campaign,
    CustomField,
    ExchangeRate,
    FactQueue,
    FactSlice,
    Lead,
    LeadFact,
    User,
)
from lmt.reports import drill
from lmt.reports.answer import Answer
from lmt.reports.ask import ask
from lmt.reports.drill import Cell
from lmt.reports.folding import MOST_COLUMNS
from lmt.reports.keys import choices
from lmt.reports.question import Question
from lmt.reports.rollups import roll_slice
from lmt.scope import SYSTEM, Actor, act_as, actor_of
from tests.world import World, somebody

AT = datetime(2026, 4, 20, 9, tzinfo=UTC)
MARCH = (date(2026, 3, 1), date(2026, 3, 31))


class Reports:
    """Facts to be written by hand, and questions about them."""

    def __init__(self, session: Session, sessions: SessionFactory, world: World) -> None:
        self.session, self.sessions, self.world = session, sessions, world

    def fact(self, dealer: str = "PL-WAW-1", **columns: Any) -> LeadFact:
        market = self.world.markets["GULF" if dealer[:2] in ("SA", "AE") else "PL"]
        given = {
            "lead_id": uuid.uuid4(), "dealer_id": self.world.dealers.get(dealer, 0), "leads": 1,
            "market_id": market, "day": date(2026, 3, 6), "channel": "api", **columns,
        }  # fmt: skip
        row = LeadFact(**given, month=given["day"].replace(day=1))
        self.session.add(row)
        self.session.merge(FactSlice(market_id=row.market_id, month=row.month, changed_at=AT))
        self.session.flush()
        return row

    def ask(self, actor: Actor = SYSTEM, week_start: int = 0, **question: Any) -> Answer:
        self.session.commit()
        first, last = question.pop("days", MARCH)
        asked = Question(first=first, last=last, period="days", **question)
        with act_as(self.sessions(), actor) as reader:
            return ask(reader, asked, at=AT, currency="EUR", week_start=week_start)

    def count(self, answer: Answer, actor: Actor = SYSTEM, week_start: int = 0, **cell: Any) -> int:
        with act_as(self.sessions(), actor) as reader:
            return drill.count(reader, answer.question, Cell(**cell), at=AT, week_start=week_start)


@pytest.fixture
def reports(session: Session, engine: Engine, world: World) -> Iterator[Reports]:
    return Reports(session, reading_sessions_for(engine), world)


def read_off(answer: Answer, figure: str = "leads") -> dict[str, float | None]:
    return {key.name: answer.value(figure, key.value) for key in answer.rows}


def test_the_greatest_group_comes_first_and_nobody_last(reports: Reports) -> None:
    for dealer, times in (("PL-WAW-1", 1), ("PL-WAW-2", 2), ("", 5)):
        for _time in range(times):
            reports.fact(dealer)
    answer = reports.ask(rows="dealer", figures=("leads",))
    assert list(read_off(answer).items()) == [
        ("Aurel Wola", 2), ("Aurel Centrum", 1), ("No dealer yet", 5),
    ]  # fmt: skip
    assert answer.value("leads") == 8


def test_a_report_can_be_sorted_by_another_figure(reports: Reports) -> None:
    reports.fact("PL-WAW-1", sold=1)
    reports.fact("PL-WAW-2")
    reports.fact("PL-WAW-2")
    answer = reports.ask(rows="dealer", figures=("leads", "conversion"), sort="conversion")
    assert [key.value for key in answer.rows] == ["PL-WAW-1", "PL-WAW-2"]


@pytest.mark.parametrize(
    ("rows", "week_start", "start"),
    [
        ("day", 0, ["2026-03-01", "2026-03-02", "2026-03-03"]),
        ("week", 0, ["2026-02-23", "2026-03-02", "2026-03-09"]),
        ("week", 5, ["2026-02-28", "2026-03-07", "2026-03-14"]),
        ("week", 6, ["2026-03-01", "2026-03-08", "2026-03-15"]),
        ("month", 0, ["2026-03", "2026-04"]),
        ("weekday", 6, ["6", "0", "1"]),
        ("hour", 0, ["0", "1", "2"]),
    ],
)
def test_calendars_have_no_holes(
    reports: Reports, rows: str, week_start: int, start: list[str]
) -> None:
    reports.fact(hour=30)
    days = (date(2026, 3, 1), date(2026, 4, 20))
    answer = reports.ask(rows=rows, figures=("leads",), week_start=week_start, days=days)
    assert [key.value for key in answer.rows][: len(start)] == start
    assert sum(answer.value("leads", key.value) or 0 for key in answer.rows) == 1


@pytest.mark.parametrize(
    ("rows", "fact", "english", "polish"),
    [
        ("country", {"country": "PL"}, "Poland", "Polska"),
        ("language", {"language": "ar"}, "Arabic", "arabski"),
        ("month", {}, "Mar 2026", "mar 2026"),
        ("status", {"status": "won"}, "Sold", "Sprzedano"),
        ("cause", {"cause": "price"}, "Price", "Cena"),
        ("model", {"model": "Mira"}, "Mira", "Mira"),
        ("region", {"region": ""}, "None", ""),
    ],
)
def test_groups_are_called_as_the_reader_would(
    reports: Reports, rows: str, fact: dict[str, str], english: str, polish: str
) -> None:
    reports.fact(**fact)
    assert read_off(reports.ask(rows=rows, figures=("leads",))) == {english: 1}
    with reading("pl"):
        (key,) = reports.ask(rows=rows, figures=("leads",)).rows
    assert not polish or key.name == polish


def test_a_market_sees_of_another_markets_dealer_only_that_there_is_one(
    reports: Reports, cast: dict[str, User]
) -> None:
    reports.fact("PL-WAW-1")
    stray = reports.fact("PL-WAW-2")
    stray.dealer_id = reports.world.dealers["SA-RUH-1"]
    hana = actor_of(cast["hana"])
    answer = reports.ask(hana, rows="dealer", figures=("leads",))
    assert read_off(answer) == {"Aurel Centrum": 1, "A dealer of another market": 1}
    (key,) = [key for key in answer.rows if key.name.startswith("A dealer")]
    assert reports.count(answer, hana, row=key.value) == 1


def test_what_does_not_fit_is_told_together(reports: Reports) -> None:
    for number in range(MOST_COLUMNS + 5):
        for _time in range(2 if number else 1):
            reports.fact(model=f"Model {number:02}")
    answer = reports.ask(rows="market", columns="model", figures=("leads",))
    assert len(answer.columns) == MOST_COLUMNS + 1
    assert answer.columns[-1].name == "Others"
    assert answer.value("leads", "PL", "*") == 4 * 2 + 1
    assert reports.count(answer, row="PL", column="*") == 9
    assert answer.value("leads") == 2 * (MOST_COLUMNS + 4) + 1


def test_unknown_keys_name_no_lead(reports: Reports) -> None:
    reports.fact()
    for code in (
        "market",
        "dealer",
        "group",
        "colleague",
        "day",
        "week",
        "hour",
        "model",
        "status",
    ):
        answer = reports.ask(
            figures=("leads",), filters={code: ("nö\0body", "x" * 50, "99999999999")}
        )
        assert answer.value("leads") == 0, code


@pytest.mark.parametrize("rolled", [False, True])
def test_days_of_a_month_are_told_from_its_sums_too(reports: Reports, rolled: bool) -> None:
    for number in range(1, 31):
        reports.fact(day=date(2026, 3, number), response=60 * number)
    if rolled:
        market = reports.world.markets["PL"]
        assert roll_slice(reports.session, market, date(2026, 3, 1), AT)
        # Whoever reads the sums doesn't look at the facts.
        reports.session.query(LeadFact).delete()
    days = (date(2026, 3, 10), date(2026, 4, 8))
    answer = reports.ask(rows="channel", figures=("leads", "response"), days=days)
    assert (answer.value("leads"), answer.value("response")) == (21, 20)


class TestMoney:
    def test_in_the_one_currency_of_all_markets(self, reports: Reports) -> None:
        reports.fact(sold=1, value=Decimal(1000))
        answer = reports.ask(rows="dealer", figures=("leads", "value"))
        assert (answer.currency, answer.value("value"), answer.notes) == ("PLN", 1000, ())

    def test_in_several_currencies_no_amount_is_told(self, reports: Reports) -> None:
        reports.fact(value=Decimal(1000))
        reports.fact("SA-RUH-1", value=Decimal(10))
        answer = reports.ask(rows="market", figures=("leads", "value"))
        assert (answer.currency, answer.value("value", "PL")) == ("", None)
        assert answer.notes == ("several_currencies",)

    def test_in_one_currency_by_the_rate_of_the_month(self, reports: Reports) -> None:
        for market, month, rate in (("PL", 1, "0.2"), ("PL", 3, "0.25"), ("GULF", 4, "0.3")):
            reports.session.add(
                ExchangeRate(
                    market_id=reports.world.markets[market],
                    month=date(2026, month, 1),
                    rate=Decimal(rate),
                )
            )
        reports.fact(day=date(2026, 2, 3), value=Decimal(1000))
        reports.fact(day=date(2026, 3, 3), value=Decimal(1000))
        reports.fact("SA-RUH-1", day=date(2026, 3, 3), value=Decimal(10))
        days = (date(2026, 2, 1), date(2026, 3, 31))
        answer = reports.ask(rows="market", figures=("value",), currency="one", days=days)
        assert (answer.currency, answer.value("value", "PL")) == ("EUR", 200 + 250)
        assert answer.notes == ("no_rate",)
        assert answer.value("value") == 450

    def test_a_campaign_costs_what_its_days_in_the_period_cost(self, reports: Reports) -> None:
        campaign = Campaign(
            code="spring", market_id=reports.world.markets["PL"], name="Spring",
            starts_on=date(2026, 3, 22), ends_on=date(2026, 4, 10), cost=Decimal(2000),
            currency="PLN",
        )  # fmt: skip
        reports.session.add(campaign)
        reports.session.flush()
        reports.fact(campaign_id=campaign.id)
        reports.fact(campaign_id=campaign.id, sold=1)
        reports.fact()
        figures = ("leads", "cost", "cost_per_lead", "cost_per_sale")
        answer = reports.ask(rows="campaign", figures=figures)
        told = [answer.value(figure, "spring") for figure in figures]
        assert told == [2, 1000, 500, 1000]
        assert answer.value("cost", "-") is None
        by_dealer = reports.ask(rows="dealer", figures=figures)
        assert by_dealer.value("cost", "PL-WAW-1") is None
        assert by_dealer.value("cost") == 1000
        by_day = reports.ask(rows="day", figures=figures)
        assert by_day.value("cost", "2026-03-22") == 100
        # Part of the leads has no part of the cost.
        assert reports.ask(figures=figures, filters={"channel": ("api",)}).value("cost") is None

    def test_a_dealer_is_told_no_campaigns_cost(
        self, reports: Reports, cast: dict[str, User]
    ) -> None:
        reports.session.add(
            Campaign(
                code="spring", market_id=reports.world.markets["PL"], name="Spring",
                starts_on=MARCH[0], cost=Decimal(10), currency="PLN",
            )
        )  # fmt: skip
        reports.fact()
        answer = reports.ask(actor_of(cast["bert"]), rows="campaign", figures=("leads", "cost"))
        assert (answer.value("leads"), answer.value("cost")) == (1, None)


def test_a_comparison_brings_the_days_before(reports: Reports) -> None:
    reports.fact(day=date(2026, 2, 5))
    answer = reports.ask(rows="channel", figures=("leads",), compare="before")
    assert answer.before is not None
    assert (answer.value("leads"), answer.before.value("leads")) == (0, 1)
    assert answer.before.before is None


@pytest.mark.parametrize(
    ("compare", "weeks"), [("before", 3), ("month", 4), ("year", 52)]
)  # fmt: skip
def test_a_week_is_compared_with_a_whole_week(reports: Reports, compare: str, weeks: int) -> None:
    """Monday to Thursday of the third week: the first of them are full in both years."""
    days = date(2026, 3, 2), date(2026, 3, 19)
    for number in range(7):
        for back in (0, weeks):
            reports.fact(day=days[0] + timedelta(days=number) - timedelta(weeks=back))
    answer = reports.ask(days=days, rows="week", figures=("leads",), compare=compare)
    assert answer.before is not None
    assert len(answer.rows) == len(answer.before.rows) == 3
    for each in (answer, answer.before):
        assert [each.value("leads", key.value) for key in each.rows] == [7, 0, 0]


def test_an_answer_says_up_to_when_it_counts(reports: Reports) -> None:
    assert reports.ask().as_of == AT
    reports.session.add(FactQueue(lead_id=uuid.uuid4(), at=AT - timedelta(seconds=90)))
    assert reports.ask().as_of == AT - timedelta(seconds=90)


def test_many_groups_are_asked_in_as_few_statements_as_one(
    reports: Reports, engine: Engine
) -> None:
    figures = ("leads", "conversion", "response", "value", "cost")

    def statements() -> int:
        asked: list[str] = []
        note = lambda *given: asked.append(given[2])  # noqa: E731
        event.listen(engine, "before_cursor_execute", note)
        reports.ask(rows="dealer", columns="week", figures=figures, compare="before")
        event.remove(engine, "before_cursor_execute", note)
        return len([each for each in asked if each.startswith("SELECT")])

    reports.fact(value=Decimal(1))
    few = statements()
    for dealer in ("PL-WAW-1", "PL-WAW-2", "SA-RUH-1", "AE-DXB-1"):
        for day in range(1, 29, 7):
            reports.fact(dealer, day=date(2026, 3, day), value=Decimal(1))
    assert statements() <= few + 4
    assert few < 30


class TestOwnFields:
    @pytest.fixture
    def colours(self, reports: Reports, sent_lead: Callable[..., Lead]) -> None:
        """Four leads: red, red and blue, no answer, and blue at another dealer."""
        option = [{"id": id, "label": {"en": id.title()}} for id in ("red", "blue")]
        definition = {
            "key": "colour", "type": "choices", "label": {"en": "Colour"}, "options": option,
            "shows": ["desk", "reports"],
        }  # fmt: skip
        reports.session.add(
            CustomField(market_id=None, key="colour", definition=definition, active=True)
        )
        answers = ("PL-WAW-1", ["red"]), ("PL-WAW-1", ["red", "blue"]), ("PL-WAW-1", None)
        for dealer, given in (*answers, ("PL-WAW-2", "blue")):
            lead = sent_lead(**somebody())
            lead.given = {"attributes": {} if given is None else {"colour": given}}
            lead.dealer_id = reports.world.dealers[dealer]
            reports.fact(dealer, lead_id=lead.id)

    @pytest.mark.usefixtures("colours")
    def test_several_answers_count_in_several_groups_and_once_in_all(
        self, reports: Reports
    ) -> None:
        answer = reports.ask(rows="field:colour", columns="dealer", figures=("leads",))
        assert read_off(answer) == {"Blue": 2, "Red": 2, "No answer": 1}
        assert (answer.value("leads"), answer.value("leads", None, "PL-WAW-1")) == (4, 3)
        for row, column in answer.cells:
            counted = reports.count(answer, row=row, column=column)
            assert counted == answer.value("leads", row, column)
        across = reports.ask(rows="dealer", columns="field:colour", figures=("leads",))
        assert across.value("leads", "PL-WAW-1") == 3
        assert across.value("leads", None, "red") == 2

    @pytest.mark.usefixtures("colours")
    def test_a_filter_asks_for_an_answer(self, reports: Reports) -> None:
        answer = reports.ask(rows="dealer", figures=("leads",), filters={"field:colour": ("blue",)})
        assert read_off(answer) == {"Aurel Centrum": 1, "Aurel Wola": 1}
        none = reports.ask(rows="dealer", figures=("leads",), filters={"field:colour": ("-",)})
        assert read_off(none) == {"Aurel Centrum": 1}

    @pytest.mark.usefixtures("colours")
    def test_an_answer_goes_with_its_lead(self, reports: Reports, cast: dict[str, User]) -> None:
        gone = reports.session.query(LeadFact).filter_by(
            dealer_id=reports.world.dealers["PL-WAW-2"]
        )
        gone.update({"dealer_id": reports.world.dealers["PL-WAW-1"]})
        answer = reports.ask(actor_of(cast["bert"]), rows="field:colour", figures=("leads",))
        assert read_off(answer) == {"Red": 2, "Blue": 1, "No answer": 2}


def test_people_choose_among_what_is_theirs(
    reports: Reports, cast: dict[str, User], session: Session
) -> None:
    def offered(name: str, dimension: str) -> list[str]:
        with act_as(reports.sessions(), actor_of(cast[name])) as reader:
            return [key.value for key in choices(reader, dimension, AT)]

    assert offered("bert", "dealer") == ["PL-WAW-1"]
    assert offered("hana", "market") == ["PL"]
    assert offered("omar", "market") == ["GULF", "PL"]
    assert offered("hana", "country") == ["PL"]
    assert set(offered("omar", "language")) == {"ar", "en", "pl"}
    assert "api-gulf" not in offered("hana", "source")
    assert offered("bert", "band") == ["hot", "warm", "cold"]
