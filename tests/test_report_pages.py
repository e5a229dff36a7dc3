"""The pages of the reports: ask by the address, read a table, follow each number to its leads."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import closing, pipeline
from lmt.db import SessionFactory
from lmt.followup import service as following
from lmt.models import CustomField, Lead, User
from lmt.reportpages.asking import address_of, question_of
from lmt.reportpages.tables import drilled_side, share_words
from lmt.reportpages.words import change
from lmt.reports.figures import BY_CODE
from lmt.reports.question import Question
from lmt.reports.refresh import refresh
from lmt.reports.standard import STANDARD
from lmt.reports.tally import Tally
from lmt.scope import actor_of
from tests.databases import Template, grown
from tests.world import FRIDAY, World, send, somebody, warsaw_lead

NINE = FRIDAY + timedelta(hours=1, minutes=5)
MARCH = {"from": "2026-03-01", "to": "2026-03-31"}
FIELD = {
    "key": "fuel", "type": "choice", "label": {"en": "Fuel"}, "shows": ["reports"],
    "options": [{"id": "e", "label": {"en": "Electric"}}, {"id": "p", "label": {"en": "Petrol"}}],
}  # fmt: skip
As = Callable[[str], FlaskClient]


@pytest.fixture
def morning() -> Iterator[None]:
    with time_machine.travel(NINE, tick=False):
        yield


def grow(sessions: SessionFactory, session: Session, world: World) -> None:
    session.add(CustomField(market_id=world.markets["PL"], key="fuel", definition=FIELD))
    session.commit()
    anna, found = actor_of(session.get_one(User, world.users["anna"])), {}
    for name, fuel in (
        ("new", "e"), ("accepted", "e"), ("contacted", "p"), ("won", "p"), ("lost", ""),
        ("declined", "e"), ("gulf", ""),
    ):  # fmt: skip
        data = warsaw_lead(**somebody(), full_name=f"Customer {name}")
        data["attributes"] = {"fuel": fuel} if fuel else {}
        if name == "gulf":
            data["address"] = {"city": "الرياض", "country": "SA"}
        lead = send(session, "api-gulf" if name == "gulf" else "api-pl", data, FRIDAY)
        pipeline.advance(sessions, lead.id, FRIDAY)
        found[name] = lead
    session.expire_all()
    pipeline.decline(session, found["declined"].id, reason="no_capacity", at=NINE, actor=anna)
    for name in ("accepted", "contacted", "won", "lost"):
        pipeline.accept(session, found[name].id, at=NINE, actor=anna)
    for name in ("contacted", "won", "lost"):
        following.contacted(
            session, found[name].id, how="phone", result="reached", note="", at=NINE, actor=anna
        )
    closing.won(session, found["won"].id, at=NINE, actor=anna)
    closing.lost(session, found["lost"].id, reason="price", note="", at=NINE, actor=anna)
    session.commit()
    refresh(sessions, NINE)


@pytest.fixture(scope="module")
def origin(template: Template, superuser: psycopg.Connection) -> Iterator[Template]:
    with grown(template, superuser, grow) as made:
        yield made


@pytest.fixture
def leads(session: Session) -> dict[str, Lead]:
    """Five at Anna's dealer in all stages, one declined there, one in the Gulf; as facts."""
    return {lead.full_name.split()[-1]: lead for lead in session.scalars(select(Lead))}


@pytest.fixture
def as_(
    app: Flask, cast: dict[str, User], login: Callable[[FlaskClient, User], FlaskClient],
    leads: dict[str, Lead], morning: None,
) -> As:  # fmt: skip
    return lambda name: login(app.test_client(), cast[name])


def read(client: FlaskClient, address: str = "/reports/show", **asked: object) -> html.HtmlElement:
    answer = client.get(address, query_string=asked or None)
    assert answer.status_code == 200, answer.text[:500]
    return html.fromstring(answer.text)


def words(element: html.HtmlElement) -> str:
    return " ".join(" ".join(element.itertext()).split())


def table(page: html.HtmlElement) -> dict[str, list[str]]:
    """The rows of the report's table, the numbers as they are seen."""
    rows = {}
    for row in page.xpath("//table[contains(@class,'report-table')]//tr[td]"):
        numbers = []
        for cell in row.xpath("td"):
            shown = cell.xpath(".//*[@class='number']")[0]
            for hidden in shown.xpath(".//*[contains(@class,'visually-hidden')]"):
                hidden.drop_tree()
            numbers.append(words(shown).replace(" *", "*"))
        rows[words(row.xpath("th")[0])] = numbers
    return rows


def test_a_report_counts_by_what_is_asked(as_: As) -> None:
    asked = {**MARCH, "rows": "market", "figures": "leads,sold,conversion"}
    page = read(as_("omar"), **asked)
    assert table(page) == {
        "Poland": ["6", "1", "16.7%*"],
        "Gulf": ["1", "0", "0.0%*"],
        "All together": ["7", "1", "14.3%*"],
    }
    assert "Leads, Sold, and Conversion to sale by Market" in words(page)


def test_two_dimensions_cross_one_figure(as_: As) -> None:
    asked = {**MARCH, "rows": "status", "columns": "dealer", "figures": "leads,conversion"}
    page = read(as_("omar"), **asked)
    heads = [words(head) for head in page.xpath("//table//th[@scope='col']")]
    assert heads[0] == "Status"
    assert {"Aurel Centrum", "Aurel Wola", "All together"} <= set(heads)
    assert table(page)["Sold"][-1] == "1"
    other = page.xpath("//nav[@aria-label='Figure shown']/a[not(@aria-current)]")[0]
    assert words(other) == "Conversion to sale"
    crossed = html.fromstring(as_("omar").get(other.get("href")).text)
    assert table(crossed)["Sold"][-1] == "100.0%*"


def test_one_group_of_all_reads_downwards(as_: As) -> None:
    page = read(as_("omar"), **MARCH, rows="", figures="leads,contacted")
    assert table(page) == {"Leads": ["7"], "Contacted": ["3"]}


@pytest.mark.parametrize("person", ["omar", "hana", "bert"])
def test_each_number_leads_to_as_many_leads(as_: As, person: str) -> None:
    client, followed = as_(person), 0
    for standard in STANDARD:
        asked = {"report": standard.code, **MARCH}
        answer = client.get("/reports/show", query_string=asked)
        assert answer.status_code == (403 if standard.permission and person == "bert" else 200)
        if answer.status_code == 200:
            followed += follow(client, html.fromstring(answer.text))
    assert followed > 30


def follow(client: FlaskClient, page: html.HtmlElement) -> int:
    """Go after the numbers of a table, once for each figure and value; how many those were."""
    checked = set()
    for link in page.xpath("//*[@class='number']/a"):
        asked = parse_qs(urlsplit(link.get("href")).query)
        figure, side = BY_CODE[asked["figure"][0]], asked["side"][0]
        number = link.text.strip()
        if side != "part" or (figure.code, number) in checked:
            continue
        checked.add((figure.code, number))
        behind = read(client, link.get("href"))
        title, listed = words(behind.xpath("//h1")[0]), behind.xpath("//tbody/tr")
        if figure.times:
            assert listed
            continue
        expected = number if figure.unit == "count" else link.get("title").split(" ")[0]
        # “7 leads, counted 8 times”: what the number says comes last.
        assert expected == re.findall(r"\d+", title)[-1], (link.get("href"), title)
        if "counted" not in title:
            assert len(listed) == int(expected)
    return len(checked)


def test_the_address_is_the_report(as_: As) -> None:
    """What the form sends is what its page shows as chosen, and its links carry on."""
    asked = {
        **MARCH, "period": "days", "rows": "dealer", "columns": "channel", "figures": "sold",
        "compare": "before", "request_type": ["test_drive", "quote"],
    }  # fmt: skip
    page = read(as_("omar"), **asked)
    for name, value in asked.items():
        if name == "figures":
            chosen = page.xpath("//input[@name='figures'][@checked]/@value")
        elif name == "request_type":
            chosen = page.xpath("//*[@name='request_type'][@checked or @type='hidden']/@value")
        elif name in MARCH:
            chosen = page.xpath(f"//input[@name='{name}']/@value")
        else:
            chosen = page.xpath(f"//select[@name='{name}']//option[@selected]/@value")
        assert sorted(chosen) == sorted([value] if isinstance(value, str) else value), name
    tabs = page.xpath("//nav[@aria-label='Table or chart']/a/@href")
    carried = parse_qs(urlsplit(tabs[1]).query)
    assert carried["view"] == ["chart"]
    assert carried["request_type"] == ["test_drive", "quote"]


def test_every_question_goes_through_an_address(as_: As) -> None:
    questions = [
        Question(date(2026, 3, 1), date(2026, 3, 31), period="days", rows="", report="response"),
        Question(date(2026, 3, 1), date(2026, 3, 31), period="days", report="month", compare=""),
        Question(date(2026, 3, 1), date(2026, 3, 2), period="days", rows="dealer", view="chart",
                 sort="sold", figures=("sold", "leads"), filters={"status": ("won", "lost")}),
    ]  # fmt: skip
    with as_("omar") as client:
        client.get("/reports/")
        for question in questions:
            told = {
                name: [value] if isinstance(value, str) else value
                for name, value in address_of(question).items()
            }
            again, problems = question_of(told)
            assert (again, problems) == (question, [])


def test_days_of_before_do_not_outlive_the_period_chosen_since(as_: As) -> None:
    page = read(as_("omar"), **MARCH, period="last_7_days")
    assert page.xpath("//select[@name='period']//option[@selected]/@value") == ["last_7_days"]
    assert page.xpath("//input[@name='from']/@value") == [""]


def test_a_problem_is_told_beside_its_field(as_: As) -> None:
    omar = as_("omar")
    for asked, field, told in (
        ({"from": "yesterday"}, "from", "Write days as 2026-03-31."),
        ({"from": "2026-03-09", "to": "2026-03-01"}, "from", "The first day comes after the last."),
        ({"rows": "colour"}, "rows", "“colour” is not known here."),
        ({"compare": "x"}, "compare", "“x” is not known here."),
        ({"figures": "leads,luck"}, "figures", "“luck” is not known here."),
    ):
        page = read(omar, **asked)
        [problem] = page.xpath(f"//*[@id='f-{field}-error']")
        assert told in words(problem)
        assert page.xpath("//details[contains(@class,'builder')]/@open")


def test_filters_in_force_are_chips_that_can_be_taken_away(as_: As) -> None:
    omar = as_("omar")
    page = read(omar, **MARCH, rows="dealer", market="PL", status=["won", "lost"])
    chips = page.xpath("//ul[@aria-label='Filters in force']/li/a[@class='chip']")
    assert [words(chip).removesuffix(" Take this filter away") for chip in chips] == [
        "Market: Poland", "Status: Sold", "Status: Lost",
    ]  # fmt: skip
    assert table(page)["All together"][0] == "2"
    without = html.fromstring(omar.get(chips[2].get("href")).text)
    assert table(without)["All together"][0] == "1"


def test_a_comparison_says_in_words_how_it_went(as_: As) -> None:
    asked = {"from": "2026-03-06", "to": "2026-03-06", "compare": "before", "rows": "market"}
    page = read(as_("omar"), **asked, figures="leads")
    assert [words(each) for each in page.xpath("//*[contains(@class,'change')]")] == [
        "0 before", "0 before", "0 before",
    ]  # fmt: skip


def test_a_day_of_a_month_is_compared_on_the_page_as_in_the_file(as_: As) -> None:
    """56 days beside the 53 from the sixth of February to the thirtieth of March."""
    asked = {"from": "2026-03-06", "to": "2026-04-30", "compare": "month", "rows": "day"}
    omar = as_("omar")
    page = read(omar, **asked, figures="leads")
    compared = len(page.xpath("//tbody//*[contains(@class,'change')]"))
    file = omar.get("/reports/file.csv", query_string={**asked, "figures": "leads"})
    lines = list(csv.DictReader(io.StringIO(file.data.decode("utf-8-sig"))))
    assert compared == len([each for each in lines if each["leads_before"]]) == 53


@pytest.mark.parametrize(
    ("figure", "now", "before", "way", "mood", "told"),
    [
        ("leads", 12, 10, "up", "", "20% more than 10"),
        ("lost", 5, 10, "down", "good", "50% less than 10"),
        ("lost", 12, 10, "up", "bad", "20% more than 10"),
        ("conversion", 0.125, 0.1, "up", "good", "2.5 points more than 10.0%"),
        ("leads", 7, 7, "same", "", "as before"),
        ("leads", 7, 0, "same", "", "0 before"),
        ("sold", 44, 4, "up", "", "4 before"),
        ("response", None, 30.0, "same", "", "30 minutes before"),
        ("response", 30.0, None, "same", "", "unknown before"),
    ],
)
def test_how_a_figure_changed(
    figure: str, now: float | None, before: float | None, way: str, mood: str, told: str
) -> None:
    found = change(BY_CODE[figure], now, before, "")
    assert found is not None
    assert (found.way, found.words) == (way, told)
    assert found.mood == mood


@pytest.mark.parametrize(
    ("figure", "counts", "side", "of"),
    [
        ("leads", {"leads": 3}, "part", ""),
        ("leads", {}, "", ""),
        ("conversion", {"leads": 3, "sold": 1}, "part", "1 of 3"),
        ("conversion", {"leads": 3}, "whole", "0 of 3"),
        ("score", {"answers": 2, "score": 7}, "whole", ""),
        ("distance", {"placed": 2, "metres": 7}, "whole", ""),
        ("response", {"leads": 3}, "", ""),
        ("cost_per_lead", {"leads": 3}, "", ""),
    ],
)
def test_where_a_number_leads(figure: str, counts: dict[str, int], side: str, of: str) -> None:
    tally = Tally(counts)
    value = BY_CODE[figure].value(tally)
    assert drilled_side(BY_CODE[figure], tally, value) == side
    assert share_words(BY_CODE[figure], tally, value) == of


def test_a_manager_sees_the_own_dealer(as_: As) -> None:
    bert = as_("bert")
    page = read(bert, **MARCH, figures="leads,offers")
    assert page.xpath("//select[@name='rows']//option[@selected]/@value") == ["channel"]
    assert table(page)["All together"] == ["5", "6"]
    assert not page.xpath("//fieldset[legend='Market' or legend='Dealer']")
    assert not page.xpath("//select[@name='rows']//option[@value='market' or @value='dealer']")
    offers = page.xpath("//tfoot//a")[1].get("href")
    behind = words(html.fromstring(bert.get(offers).text))
    assert "Customer won" in behind
    assert "No longer with you" in behind
    assert "Customer declined" not in behind
    assert "Customer gulf" not in behind
    for each in STANDARD:
        allowed = not each.permission
        answer = bert.get("/reports/show", query_string={"report": each.code})
        assert answer.status_code == (200 if allowed else 403), each.code


def test_an_own_field_tells_leads_apart(as_: As) -> None:
    hana = as_("hana")
    page = read(hana, **MARCH, rows="field:fuel", figures="leads")
    assert table(page) == {
        "Electric": ["3"], "Petrol": ["2"], "No answer": ["1"], "All together": ["6"],
    }  # fmt: skip
    assert "Leads by Fuel" in words(page)
    electric = page.xpath("//tbody/tr[1]//a/@href")[0]
    assert words(html.fromstring(hana.get(electric).text).xpath("//h1")[0]) == "3 leads"


def test_a_table_is_sorted_by_a_link(as_: As) -> None:
    omar = as_("omar")
    page = read(omar, **MARCH, rows="dealer", figures="leads,offers")
    [link] = page.xpath("//thead//a[normalize-space()='Offers']")
    sorted_page = html.fromstring(omar.get(link.get("href")).text)
    assert words(sorted_page.xpath("//th[@aria-sort='descending']")[0]) == "Offers"
    numbers = [int(row[1]) for name, row in table(sorted_page).items() if name != "All together"]
    assert numbers == sorted(numbers, reverse=True)


def test_every_figure_shown_is_defined(as_: As) -> None:
    page = read(as_("omar"), **MARCH, figures="leads,response")
    assert [words(dt) for dt in page.xpath("//details[contains(@class,'definitions')]//dt")] == [
        "Leads", "Median response time", "Days",
    ]  # fmt: skip


def test_a_chart_has_its_table_behind_it(as_: As) -> None:
    page = read(as_("omar"), **MARCH, rows="market", view="chart")
    assert words(page.xpath("//figure//figcaption")[0]) == "Leads, Contacted, and Sold by Market"
    assert table(page)["Poland"][0] == "6"
    assert '"$schema"' in page.xpath("//script[@id='report-chart']")[0].text


def test_a_chart_is_seen_without_scripts_and_downloaded_as_the_kind_looked_at(as_: As) -> None:
    omar = as_("omar")
    page = read(omar, **MARCH, rows="day", view="chart", kind="columns", figures="leads")
    [picture] = page.xpath("//noscript/img")
    assert omar.get(picture.get("src")).mimetype == "image/svg+xml"
    files = [link.get("href") for link in page.xpath("//a[@download]")]
    assert files
    assert all("kind=columns" in address for address in [*files, picture.get("src")])


def test_nothing_found_says_what_to_do(as_: As) -> None:
    page = read(as_("omar"), **{"from": "2020-01-01", "to": "2020-01-31"}, rows="dealer")
    assert "No leads in this time" in words(page)


def test_the_entrance_teaches(as_: As) -> None:
    page = read(as_("omar"), "/reports/")
    text = words(page)
    for each in STANDARD:
        assert str(each.name) in text
        assert str(each.sentence) in text
    assert "You have saved none yet." in text
    assert "Nothing is mailed yet." in text
    bert = words(read(as_("bert"), "/reports/"))
    assert "Conversion" in bert
    assert "Fair share" not in bert


def test_no_leads_behind_what_counts_none(as_: As) -> None:
    omar = as_("omar")
    for asked in ("figure=luck", "figure=cost", "side=left", "figure=leads&side=whole"):
        assert omar.get(f"/reports/leads?{asked}").status_code == 404, asked


def test_pages_ask_a_fixed_number_of_questions(as_: As, count_queries: list[str]) -> None:
    omar = as_("omar")
    asked = {**MARCH, "rows": "dealer", "columns": "channel", "compare": "before"}
    for address in ("/reports/show", "/reports/leads", "/reports/"):
        omar.get(address, query_string=asked)
        count_queries.clear()
        omar.get(address, query_string=asked)
        assert len(count_queries) <= 60, (address, len(count_queries))
