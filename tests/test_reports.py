"""The figures against an oracle of plain Python, whose they are, and their chart, table and CSV."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from statistics import median

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lmt.config import LOCALES
from lmt.hq.reporting import question_of
from lmt.i18n import reading
from lmt.models import DealerTerms, Lead, User
from lmt.reports import charts
from lmt.reports.export import BYTE_ORDER_MARK, csv_lines, neutral
from lmt.reports.oldfigures import FIGURES, Row, response_time
from lmt.reports.service import Question, conversion
from lmt.scope import SYSTEM, act_as, actor_of
from tests.two_markets import TwoMarkets, counted_selects, parsed

AT = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
MARCH = Question(by="dealer", first=date(2026, 3, 1), last=date(2026, 3, 31), timezone="UTC")


@pytest.fixture
def house(session: Session, cast: dict[str, User]) -> TwoMarkets:
    return TwoMarkets(session, cast["hana"].password or "")


def random_leads(house: TwoMarkets, many: int, seed: int) -> list[Lead]:
    rng = random.Random(seed)
    leads = []
    for _each in range(many):
        status = rng.choice(["unrouted", "offered", "accepted", "contacted", "won", "lost"])
        owned = status != "unrouted"
        created_at = datetime(2026, 2, 25, tzinfo=UTC) + timedelta(minutes=rng.randrange(60_000))
        contacted = status in {"contacted", "won", "lost"} and rng.random() < 0.9
        after = timedelta(seconds=rng.choice([30, 3_599, 3_600, 3_601, rng.randrange(400_000)]))
        dealer = rng.choice([house.riyadh, house.jeddah, house.lodz])
        leads.append(
            house.lead(
                dealer if owned else None,
                market=house.poland if dealer is house.lodz else house.gulf,
                status=status,
                created_at=created_at,
                source=rng.choice(["api", "form"]),
                offered_at=created_at if owned else None,
                accepted_at=created_at if owned and status != "offered" else None,
                contacted_at=created_at + after if contacted else None,
                test=rng.random() < 0.1,
            )
        )
    return leads


@dataclass
class Oracle:
    """The definitions, lead by lead, in the plainest way."""

    leads: list[Lead]
    target: timedelta

    def figures(self) -> dict[str, float | None]:
        counted = [lead for lead in self.leads if not lead.test]
        waits = [lead.contacted_at - lead.created_at for lead in counted if lead.contacted_at]
        due = [x for x in counted if x.contacted_at or x.created_at + self.target <= AT]
        sold = len([lead for lead in counted if lead.status == "won"])
        quick = len([wait for wait in waits if wait <= self.target])
        return {
            "leads": len(counted),
            "offered": len([lead for lead in counted if lead.offered_at]),
            "accepted": len([lead for lead in counted if lead.accepted_at]),
            "contacted": len(waits),
            "won": sold,
            "conversion": sold / len(counted) if counted else None,
            "median_response_minutes": (
                median(wait.total_seconds() / 60 for wait in waits) if waits else None
            ),
            "within_target": quick / len(due) if due else None,
        }


def shown(row: Row) -> dict[str, float | None]:
    return {figure.code: row.value(figure.code) for figure in FIGURES}


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("by", ["dealer", "market", "channel"])
def test_every_figure_agrees_with_plain_arithmetic(
    house: TwoMarkets, session: Session, by: str, seed: int
) -> None:
    start_at, end_at = MARCH.period
    leads = [x for x in random_leads(house, 60, seed) if start_at <= x.created_at < end_at]
    assert 20 < len(leads) < 60, "some fall outside the period"
    kinds = {source.id: source.kind for source in house.sources.values()}
    codes = {d.id: d.code for d in (house.riyadh, house.jeddah, house.lodz)}
    markets = {m.id: m.code for m in (house.gulf, house.poland)}
    key: Callable[[Lead], str] = {
        "dealer": lambda lead: codes[lead.dealer_id] if lead.dealer_id else "",
        "market": lambda lead: markets[lead.market_id],
        "channel": lambda lead: kinds[lead.source_id],
    }[by]
    question = Question(by, MARCH.first, MARCH.last, target_minutes=60)
    report = conversion(act_as(session, SYSTEM), question, at=AT)
    hour = timedelta(hours=1)
    for row in report.rows:
        own = Oracle([lead for lead in leads if key(lead) == row.key], hour).figures()
        assert shown(row) == pytest.approx(own), row.key
    assert {row.key for row in report.rows} == {key(lead) for lead in leads if not lead.test}
    assert shown(report.total) == pytest.approx(Oracle(leads, hour).figures())


def test_one_query_however_many_groups(house: TwoMarkets, session: Session) -> None:
    random_leads(house, 20, 4)
    act_as(session, SYSTEM)
    with counted_selects() as selects:
        conversion(session, MARCH, at=AT)
    assert len([text for text in selects if "GROUPING SETS" in text]) == 1
    assert len(selects) == 2, "and one for the names"


def test_a_report_of_nothing(house: TwoMarkets, session: Session) -> None:
    report = conversion(act_as(session, SYSTEM), MARCH, at=AT)
    assert report.rows == ()
    assert report.total.leads == 0
    assert report.total.conversion is None
    assert report.total.within_target is None


@pytest.mark.parametrize(
    ("who", "dealers"),
    [
        ("hana", {"two-riyadh", "two-jeddah"}),
        ("pola", {"two-lodz"}),
        ("omar", {"two-riyadh", "two-jeddah", "two-lodz"}),
        ("bert", {"two-riyadh"}),
    ],
)
def test_a_report_counts_what_its_reader_may_see(
    house: TwoMarkets, session: Session, who: str, dealers: set[str]
) -> None:
    for dealer in (house.riyadh, house.jeddah, house.lodz):
        house.lead(dealer, created_at=datetime(2026, 3, 5, tzinfo=UTC))
    act_as(session, actor_of(house.people[who]))
    report = conversion(session, MARCH, at=AT)
    assert {row.key for row in report.rows} == dealers
    assert report.total.leads == len(dealers)


def test_a_period_begins_at_the_readers_midnight(house: TwoMarkets, session: Session) -> None:
    riyadh_midnight = datetime(2026, 3, 4, 21, 0, tzinfo=UTC)
    for minutes in (-1, 0, 24 * 60 - 1, 24 * 60):
        house.lead(house.riyadh, created_at=riyadh_midnight + timedelta(minutes=minutes))
    day = date(2026, 3, 5)
    act_as(session, SYSTEM)
    there = conversion(session, Question("dealer", day, day, "Asia/Riyadh"), at=AT)
    assert there.total.leads == 2


def test_a_day_of_a_clock_change_is_as_long_as_it_is() -> None:
    spring = Question("dealer", date(2026, 3, 29), date(2026, 3, 29), "Europe/Warsaw")
    start_at, end_at = (at.astimezone(UTC) for at in spring.period)
    assert end_at - start_at == timedelta(hours=23)


@pytest.mark.parametrize(
    ("given", "first", "last", "wrong"),
    [
        ({}, date(2026, 3, 2), date(2026, 3, 31), False),
        ({"from": "2026-01-01", "to": "2026-01-31"}, date(2026, 1, 1), date(2026, 1, 31), False),
        ({"from": "2026-03-15"}, date(2026, 3, 15), date(2026, 3, 31), False),
        ({"from": "yesterday"}, date(2026, 3, 2), date(2026, 3, 31), True),
        ({"from": "2026-02-30"}, date(2026, 3, 2), date(2026, 3, 31), True),
        ({"from": "2026-04-02", "to": "2026-04-01"}, date(2026, 3, 2), date(2026, 3, 31), True),
        ({"from": "1926-01-01"}, date(2026, 3, 2), date(2026, 3, 31), True),
        ({"from": "9999-12-31", "to": "9999-12-31"}, date(2026, 3, 2), date(2026, 3, 31), True),
    ],
)
def test_the_period_in_the_address(
    given: dict[str, str], first: date, last: date, wrong: bool
) -> None:
    question, problem = question_of(given, date(2026, 3, 31))
    assert (question.first, question.last, bool(problem)) == (first, last, wrong)


def test_unknown_words_in_the_address_fall_back() -> None:
    question, _problem = question_of({"by": "'; drop", "target": "61"}, date(2026, 3, 31))
    assert (question.by, question.target_minutes) == ("dealer", 60)


ROW = Row("a", "A", 10, 9, 8, 7, 2, 8, 4, 90.5)


def row(**values: object) -> Row:
    return Row(**{**{n: getattr(ROW, n) for n in Row.__slots__}, **values})


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+48 22 555", "'+48 22 555"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("  =1", "'  =1"),
        ("Aurelia = best", "Aurelia = best"),
        ("أوريليا", "أوريليا"),
        ("", ""),
    ],
)
def test_no_cell_is_a_formula(text: str, cell: str) -> None:
    assert neutral(text) == cell


def test_csv_holds_raw_numbers() -> None:
    text = "".join(csv_lines("dealer", [ROW, row(name='=cmd|"x"!A1', leads=0, due=0)]))
    assert text.startswith(BYTE_ORDER_MARK)
    header, first, second = csv.reader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK)))
    assert header == ["dealer", "name", *(figure.code for figure in FIGURES)]
    assert first == ["a", "A", "10", "9", "8", "7", "2", "0.2000", "90.5000", "0.5000"]
    assert second[1] == '\'=cmd|"x"!A1'
    assert (second[7], second[9]) == ("", "")


def test_the_csv_of_the_page_is_a_download_of_the_same_rows(
    app: Flask, login: Callable[..., FlaskClient], house: TwoMarkets, session: Session
) -> None:
    house.lead(house.riyadh)
    terms = session.query(DealerTerms).filter_by(dealer_id=house.riyadh.id).one()
    terms.name = "=HYPERLINK(1)"
    session.commit()
    house.lead(house.lodz)
    hana = login(app.test_client(), house.people["hana"])
    answer = hana.get("/hq/reports/conversion.csv?lang=ar")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix(BYTE_ORDER_MARK))))
    assert [(r["dealer"], r["name"], r["leads"]) for r in rows] == [
        ("two-riyadh", "'=HYPERLINK(1)", "1")
    ]


def test_the_page_has_formulas_a_table_and_a_chart_without_inline_script(
    app: Flask, login: Callable[..., FlaskClient], house: TwoMarkets, session: Session
) -> None:
    house.lead(house.riyadh)
    terms = session.query(DealerTerms).filter_by(dealer_id=house.riyadh.id).one()
    terms.name = "</script><script>alert(1)</script>"
    session.commit()
    text = login(app.test_client(), house.people["hana"]).get("/hq/reports/conversion").text
    assert "<script>alert(1)" not in text
    page = parsed(text)
    for figure in FIGURES:
        assert str(figure.formula) in text.replace("&#39;", "'")
    assert len(page.xpath("//table/tbody/tr")) == 1
    inline = [s for s in page.xpath("//script[not(@src)]") if s.get("type") != "application/json"]
    assert inline == []
    asked = json.loads(page.xpath("string(//script[@id='report-charts'])"))
    assert set(asked["charts"]) == {"counts", "response"}
    assert set(asked["themes"]) == {"light", "dark"}


@pytest.mark.parametrize("language", LOCALES)
def test_charts_are_mirrored_for_right_to_left(language: str) -> None:
    with reading(language):
        spec = charts.counts_chart([ROW])
    right_to_left = language == "ar"
    assert spec["encoding"]["x"]["scale"]["reverse"] is right_to_left
    assert spec["encoding"]["y"]["axis"]["orient"] == ("right" if right_to_left else "left")


def test_two_dealers_of_one_name_are_two_bars() -> None:
    spec = charts.counts_chart([ROW, row(key="b")])
    assert spec["encoding"]["y"]["sort"] == ["A (a)", "A (b)"]


@pytest.mark.parametrize(("theme", "paper"), [("light", "#ffffff"), ("dark", "#17222a")])
def test_chart_colours_stand_out_and_part_in_grey(theme: str, paper: str) -> None:
    bright = {name: luminance(colour) for name, colour in charts.COLOURS[theme].items()}
    page = luminance(paper)
    assert all(contrast(value, page) >= 3 for value in bright.values()), bright
    values = sorted(bright.values())
    assert all(contrast(b, a) >= 1.5 for a, b in pairwise(values)), bright


def luminance(colour: str) -> float:
    """Relative luminance of sRGB, as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: float, b: float) -> float:
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)


@pytest.mark.parametrize(
    ("minutes", "words"), [(12.4, "12 minutes"), (90, "1.5 hours"), (1523, "25.4 hours")]
)
def test_response_times_in_words(minutes: float, words: str) -> None:
    with reading("en"):
        assert response_time(minutes) == words
