"""The dashboard: what each role sees first, and that its numbers lead to as many leads."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import insert
from sqlalchemy.orm import Session

from lmt.accounts.service import Scope, create_user
from lmt.db import uuid7
from lmt.models import Dealer, ExchangeRate, FactSlice, LeadFact, Target, User
from lmt.reports import dashboard, ownfigures
from lmt.reports.answer import Answer, Key
from lmt.reports.owncomparison import middle_of
from lmt.reports.question import Question
from lmt.reports.tally import Tally, packed
from tests.test_report_pages import as_, leads, morning, origin
from tests.world import FRIDAY, World

__all__ = ["as_", "leads", "morning", "origin"]

DAY = FRIDAY.date()
As = Callable[[str], FlaskClient]
GZIP = {"Accept-Encoding": "gzip"}


def page_of(client: FlaskClient) -> html.HtmlElement:
    answer = client.get("/reports/dashboard")
    assert answer.status_code == 200
    return html.fromstring(answer.text)


def words(element: html.HtmlElement) -> str:
    return " ".join(" ".join(element.itertext()).split())


def card(page: html.HtmlElement, figure: str) -> str:
    (value,) = page.xpath(
        f"//li[@id='figure-{figure}']//p[@class='board-value']//*[@class='number']"
    )
    return str(value.xpath("string(.//a/text() | self::*[not(a)]/text())")).strip()


def panels(page: html.HtmlElement) -> list[str]:
    return [each.get("id").removeprefix("panel-") for each in page.xpath("//section[@id]")]


def facts(session: Session, world: World, dealer: int, count: int, **values: Any) -> None:
    """So many leads of a dealer, as facts alone."""
    row = {"market_id": world.markets["PL"], "day": DAY, "leads": 1, "valid": 1}
    row |= {"channel": "api", "request_type": "test_drive"} | values
    row["month"] = row["day"].replace(day=1)
    session.execute(
        insert(LeadFact.__table__),
        [{"lead_id": uuid7(), "dealer_id": dealer, **row} for _each in range(count)],
    )
    session.merge(FactSlice(market_id=row["market_id"], month=row["month"], changed_at=FRIDAY))


def rivals(session: Session, world: World, number: int, **values: Any) -> None:
    for _each in range(number):
        dealer = Dealer(code=f"PL-R-{uuid7().hex}", market_id=world.markets["PL"], kind="showroom")
        session.add(dealer)
        session.flush()
        facts(session, world, dealer.id, 10, **values)
    session.commit()


@pytest.fixture(autouse=True)
def no_middle_of_another_test() -> None:
    ownfigures._kept.clear()


def test_a_manager_sees_the_own_outlet(as_: As, world: World) -> None:
    page = page_of(as_("bert"))
    assert words(page.xpath("//h1")[0]) == "Our figures"
    assert panels(page) == ["weeks", "colleagues"]
    assert card(page, "leads") == "5"
    assert card(page, "acceptance") == "80.0%"
    assert "The market's median isn't shown" in words(page)
    # In a table of one's own outlets a single one would say the same again.
    assert "Anna" in words(page.xpath("//*[@id='panel-colleagues']")[0])


def test_the_markets_median_stands_beside_it(as_: As, session: Session, world: World) -> None:
    rivals(session, world, 4, reached_60=1, response=600, offers=1, offers_accepted=1)
    bert = as_("bert")
    assert "Median of the market" not in words(page_of(bert))
    rivals(session, world, 1, overdue_60=1, offers=1, offers_declined=1, sold=1)
    ownfigures._kept.clear()
    page = page_of(bert)
    told = {
        each.get("id"): words(each.xpath(".//p[@class='board-middle']")[0])
        for each in page.xpath("//li[contains(@class,'board-card')][.//p[@class='board-middle']]")
    }
    assert told["figure-acceptance"] == "Median of the market: 100.0% worse"
    assert told["figure-conversion"] == "Median of the market: 0.0% better"
    # Of four dealers with a response time the median would tell of single ones.
    assert "figure-response" not in told
    assert "PL-R-" not in html.tostring(page, encoding="unicode")


def test_a_manager_of_several_outlets_sees_each(
    app: Flask, session: Session, world: World, as_: As,
    login: Callable[[FlaskClient, User], FlaskClient],
) -> None:  # fmt: skip
    both = [Scope(dealer_id=world.dealers[code]) for code in ("PL-WAW-1", "PL-WAW-2")]
    gita = create_user(session, "gita@lmt.example", "Gita", None, ["manager"], both)
    session.commit()
    rivals(session, world, 5, offers=1, offers_accepted=1)
    page = page_of(login(app.test_client(), gita))
    outlets = page.xpath("//*[@id='panel-outlets']//tbody/tr")
    assert len(outlets) == 2
    assert card(page, "leads") == "6"
    middle = words(page.xpath("//*[@id='panel-outlets']//tr[@class='middle']")[0])
    assert middle == "Median of Poland 100.0% – – – 0.0% – – –"


def test_a_market_sees_its_month_and_its_dealers(as_: As, session: Session, world: World) -> None:
    march = date(2026, 3, 1)
    session.add(
        Target(market_id=world.markets["PL"], month=march, figure="leads", value=Decimal(60))
    )
    first, second = (world.dealers[code] for code in ("PL-WAW-1", "PL-WAW-2"))
    facts(session, world, first, 40, sold=1, day=DAY - timedelta(days=80))
    facts(session, world, second, 40, day=DAY - timedelta(days=80))
    session.commit()
    page = page_of(as_("hana"))
    assert panels(page) == ["open", "weeks", "funnel", "waiting", "below", "above", "sources"]
    assert card(page, "leads") == "6"
    assert card(page, "plan_leads") == "60"
    assert card(page, "plan_leads_reached") == "10.0%"
    for panel in ("below", "above"):
        (line,) = page.xpath(f"//*[@id='panel-{panel}']//tbody/tr")
        assert ("WAW-2" in words(line) or "Wola" in words(line)) is (panel == "below")
    assert "No source stands out." in words(page.xpath("//*[@id='panel-sources']")[0])
    assert page.xpath("//*[@id='panel-open']//a[starts-with(@href,'/hq/queues')]")


def test_central_sees_all_markets_in_one_currency(as_: As, session: Session, world: World) -> None:
    poland, gulf = world.markets["PL"], world.markets["GULF"]
    march = date(2026, 3, 1)
    session.add(ExchangeRate(market_id=poland, month=march, rate=Decimal("0.25")))
    session.add(ExchangeRate(market_id=gulf, month=march, rate=Decimal("0.2")))
    facts(session, world, world.dealers["PL-WAW-1"], 1, sold=1, value=Decimal(40_000))
    facts(
        session, world, world.dealers["SA-RUH-1"], 1, sold=1, value=Decimal(50_000), market_id=gulf
    )
    session.commit()
    page = page_of(as_("omar"))
    assert panels(page) == ["markets", "weeks", "value"]
    assert card(page, "leads") == "9"
    assert card(page, "value") == "€20,000"
    rows = [words(each) for each in page.xpath("//*[@id='panel-markets']//tbody/tr")]
    assert len(rows) == 2
    assert all("€10,000" in row for row in rows)


@pytest.mark.parametrize("name", ["bert", "hana", "omar"])
def test_each_number_leads_to_as_many_leads_as_it_tells(as_: As, name: str) -> None:
    client = as_(name)
    page = page_of(client)
    followed = 0
    for link in page.xpath("//a[starts-with(@href,'/reports/leads')]"):
        text = str(link.text).strip()
        if not text.isdecimal():
            continue
        behind = html.fromstring(client.get(link.get("href")).text)
        counted = behind.xpath("//table//tbody/tr")
        assert len(counted) == int(text), link.get("href")
        followed += 1
    assert followed > 5
    for link in page.xpath("//section//a[starts-with(@href,'/reports/show')]"):
        report = client.get(link.get("href"))
        assert report.status_code == 200
        assert "is not known here" not in report.text


@pytest.mark.parametrize(("name", "most"), [("bert", 25), ("hana", 40), ("omar", 32)])
def test_the_statements_are_few_and_no_more_with_more_dealers(
    as_: As, session: Session, world: World, count_queries: list[str], name: str, most: int
) -> None:
    client = as_(name)
    page_of(client)
    count_queries.clear()
    page_of(client)
    few = len(count_queries)
    assert few <= most
    rivals(session, world, 9)
    ownfigures._kept.clear()
    page_of(client)
    count_queries.clear()
    page_of(client)
    assert len(count_queries) <= few + 2


@pytest.mark.parametrize("name", ["bert", "hana", "omar"])
def test_it_is_light(as_: As, name: str) -> None:
    client = as_(name)
    page = client.get("/reports/dashboard", headers=GZIP)
    named = {
        each.partition("#")[0].replace("&amp;", "&")
        for each in re.findall(
            r'(?:src|href)="(/[^"]*static[^"]*)"', client.get("/reports/dashboard").text
        )
    }
    assets = 0
    for each in sorted(named):
        with client.get(each, headers=GZIP) as answer:
            assets += len(answer.data)
    assert len(page.data) + assets <= 450_000
    assert len(page.data) <= 30_000


def test_the_menu_of_reports_opens_with_it(as_: As) -> None:
    page = page_of(as_("hana"))
    reports = page.xpath("//nav[contains(@class,'rooms')]//a[starts-with(@href,'/reports/')]")
    assert reports[0].get("href") == "/reports/dashboard"
    assert reports[0].get("aria-current") == "page"


# Pure


def answer_of(**tallies: Tally) -> Answer:
    rows = tuple(Key(code, code.title()) for code in tallies)
    return Answer(Question(DAY, DAY), rows, (), {}, tallies, {}, Tally(), "EUR", FRIDAY)


def expected(leads: int, sold: int, of: float) -> Tally:
    return Tally({"leads": leads, "sold": sold}, extra={"expected_sold": of})


def test_only_dealers_with_enough_leads_are_named() -> None:
    found = answer_of(
        **{f"d{n}": expected(100, n, 10) for n in range(20)},
        few=expected(29, 0, 10),
        even=expected(100, 10, 10),
        unknown=Tally({"leads": 100}),
    )
    above, below = dashboard.far_from_expected(found)
    assert [row.value for row in above] == ["d19", "d18", "d17", "d16", "d15"]
    assert [row.value for row in below] == ["d0", "d1", "d2", "d3", "d4"]
    assert dashboard.far_from_expected(replace(found, rows=())) == ([], [])


def test_sources_stand_out_by_what_is_spoilt() -> None:
    def source(leads: int, valid: int, unread: int) -> Tally:
        extra = {"deliveries": 100.0, "quarantined": float(unread)}
        return Tally({"leads": leads, "valid": valid}, extra=extra)

    found = answer_of(
        fine=source(100, 90, 4), unread=source(100, 100, 5), spoilt=source(100, 70, 0),
        few=source(20, 1, 0),
    )  # fmt: skip
    assert [row.value for row in dashboard.to_look_at(found)] == ["spoilt", "unread"]


def test_a_median_needs_five_dealers_with_ten_leads() -> None:
    def dealer(leads: int, sold: int) -> Tally:
        return Tally({"leads": leads, "sold": sold}, times={"response": packed([60 * sold])})

    dealers = [dealer(10, sold) for sold in (1, 2, 3, 4)]
    figures = ("conversion", "response", "score")
    few = middle_of([*dealers, dealer(9, 9)], figures, least=10)
    assert (few.dealers, few.value("conversion")) == (4, None)
    enough = middle_of([*dealers, dealer(10, 9)], figures, least=10)
    assert [enough.value(code) for code in figures] == [0.3, 3, None]


def test_weeks_begin_where_the_readers_do() -> None:
    friday = date(2026, 3, 6)
    monday = dashboard.by_week(friday, 0, ("leads",))
    sunday = dashboard.by_week(friday, 6, ("leads",))
    assert (monday["from"], sunday["from"]) == (["2025-12-08"], ["2025-12-07"])
