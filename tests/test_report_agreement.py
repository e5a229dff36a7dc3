"""The same question has the same answer on screen, in the files, in the mail, through the API and
in the terminal: every standard report, as each kind of reader."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from python_calamine import CalamineWorkbook
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from lmt import cli, closing, pipeline, reportkeys, reportschedules, savedreports
from lmt.config import Settings
from lmt.db import SessionFactory, reading_sessions_for
from lmt.followup import service as following
from lmt.models import Message, User
from lmt.notify import outbox
from lmt.reportpages.asking import question_of
from lmt.reports.mailing import mail_due
from lmt.reports.question import Question
from lmt.reports.refresh import refresh
from lmt.reports.reportmail import makers
from lmt.reports.standard import STANDARD, Standard
from lmt.reports.wording import figure_text
from lmt.reportschedules import Terms
from lmt.scope import SYSTEM, act_as, actor_of
from tests.post import Post, post_office
from tests.world import FRIDAY, World, send, somebody, warsaw_lead

MONDAY = datetime(2026, 3, 9, 7, 0, tzinfo=UTC)
"""8:00 in Warsaw, three days after the leads."""
READERS = ("bert", "hana", "omar")
"""A dealer's manager, headquarters of a market, the center."""
ON_THE_RUN = {"staffed_hours", "leads_per_staffed_hour", "pace_leads", "pace_sold"}
"""A mail is made some seconds later than a page, which these tell."""
Numbers = dict[str, list[float | None]]
"""Of each row the figures asked; "" is all of them together."""


@pytest.fixture
def post() -> Iterator[Post]:
    with post_office() as office:
        yield office


@dataclass
class Ways:
    """The ways in which a reader asks; `standard` reports of theirs alone."""

    app: Flask
    session: Session
    sessions: SessionFactory
    reading: SessionFactory
    settings: Settings
    post: Post
    person: User
    page: FlaskClient
    key: str

    def seen(self) -> list[Standard]:
        return [
            each for each in STANDARD if not each.permission or self.person.may(each.permission)
        ]

    def shown(self, **asked: str) -> dict[str, list[str]]:
        """The rows of the page's table, as it writes their numbers."""
        answer = self.page.get("/reports/show", query_string=asked)
        assert answer.status_code == 200
        tree = html.fromstring(answer.text)
        return {
            words(row.xpath("th")[0]): [written(cell) for cell in row.xpath("td")]
            for row in tree.xpath("//table[contains(@class,'report-table')]//tr[td]")
        }

    def api(self, report: str) -> Any:
        bearer = {"Authorization": f"Bearer {self.key}"}
        answer = self.app.test_client().get(f"/api/v1/reports/{report}", headers=bearer)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def file(self, form: str, **asked: str) -> bytes:
        answer = self.page.get(f"/reports/file.{form}", query_string=asked)
        assert answer.status_code == 200
        return answer.data

    def mailed(self) -> dict[str, Any]:
        """Every report of this reader, saved as it is, by the name under which it is mailed: the
        rows of its mail."""
        actor = actor_of(self.person)
        act_as(self.session, actor)
        for each in self.seen():
            kept = savedreports.keep(
                self.session, each.code, {"report": each.code}, at=FRIDAY, actor=actor
            )
            terms = Terms("week", 0, 480, "Europe/Warsaw", (self.person.id,), ("csv",))
            reportschedules.set_schedule(self.session, kept.id, terms, at=FRIDAY, actor=actor)
        act_as(self.session, SYSTEM)
        mail_due(self.sessions, self.settings, MONDAY)
        outbox.send_due(self.sessions, self.settings, MONDAY, makers(self.reading))
        found = {}
        for mail in self.post.to(self.person.email):
            [file] = [p for p in mail.walk() if p.get_content_type() == "text/csv"] or [None]
            [page] = [p for p in mail.walk() if p.get_content_type() == "text/html"]
            tree = html.document_fromstring(str(page.get_content()))  # type: ignore[attr-defined]
            name = mail["Subject"].partition(":")[0]
            found[name] = (rows_of_mail(tree), file and file.get_payload(decode=True))
        return found


def rows_of_mail(tree: html.HtmlElement) -> dict[str, list[str]]:
    return {
        words(row.xpath("th")[0]): [words(cell) for cell in row.xpath("td")]
        for row in tree.xpath("//table[@class='grid']//tr[td]")
    }


def words(element: html.HtmlElement) -> str:
    return plain(element.text_content())


def plain(text: str) -> str:
    return " ".join(text.split())


def written(cell: html.HtmlElement) -> str:
    """A number of the page, without what only some hear of it."""
    number = cell.xpath(".//*[@class='number']")[0]
    for unseen in number.xpath(".//*[contains(@class,'few-mark') or contains(@class,'hidden')]"):
        unseen.drop_tree()
    return words(number)


@pytest.fixture
def ways(
    app: Flask, engine: Engine, session: Session, sessions: SessionFactory, settings: Settings,
    world: World, cast: dict[str, User], post: Post,
    login: Callable[[FlaskClient, User], FlaskClient],
) -> Iterator[Callable[[str], Ways]]:  # fmt: skip
    anna, at = actor_of(cast["anna"]), FRIDAY + timedelta(minutes=65)
    leads = []
    for source in ("api-pl", "api-pl", "adf-pl", "api-pl", "api-gulf"):
        data = warsaw_lead(**somebody())
        if source == "api-gulf":
            data["address"] = {"city": "الرياض", "country": "SA"}
        lead = send(session, source, data, FRIDAY)
        pipeline.advance(sessions, lead.id, FRIDAY)
        leads.append(lead)
    session.expire_all()
    for lead in leads[:3]:
        pipeline.accept(session, lead.id, at=at, actor=anna)
    following.contacted(
        session, leads[0].id, how="phone", result="reached", note="", at=at, actor=anna
    )
    closing.won(session, leads[0].id, at=at, actor=anna)
    pipeline.decline(session, leads[3].id, reason="no_capacity", at=at, actor=anna)
    session.execute(delete(Message))
    session.commit()
    refresh(sessions, MONDAY)
    reading = reading_sessions_for(engine)
    with time_machine.travel(MONDAY, tick=False):

        def ways_of(name: str) -> Ways:
            person = session.get_one(User, cast[name].id)
            actor = actor_of(person)
            key = reportkeys.make_key(act_as(session, actor), "Board", 30, at=MONDAY, actor=actor)
            act_as(session, SYSTEM)
            person = session.scalars(select(User).where(User.email == f"{name}@lmt.example")).one()
            by_smtp = replace(settings, smtp_url=post.url)
            page = login(app.test_client(), person)
            return Ways(app, session, sessions, reading, by_smtp, post, person, page, key)

        yield ways_of


def numbers_of(told: Any) -> Numbers:
    """Of an answer as JSON, by the names of its rows."""
    codes = told["question"]["figures"]
    names = {key["value"]: key["name"] for key in told["rows"]}
    by_row = {
        names[each["row"]]: [each["values"][code] for code in codes]
        for each in told["totals"]["rows"]
        if told["question"]["rows"]
    }
    return {**by_row, "": [told["totals"]["all"][code] for code in codes]}


def as_numbers(cells: list[Any]) -> list[float | None]:
    return [None if cell in ("", None) else float(cell) for cell in cells]


@pytest.mark.parametrize("name", READERS)
def test_every_way_tells_the_same(ways: Callable[[str], Ways], name: str) -> None:
    reader = ways(name)
    mailed = reader.mailed()
    for standard in reader.seen():
        code = standard.code
        told = reader.api(code)
        question, numbers = told["question"], numbers_of(told)
        figures = question["figures"]
        groups = {row: value for row, value in numbers.items() if row or not question["rows"]}

        sheet = list(csv.reader(io.StringIO(reader.file("csv", report=code).decode("utf-8-sig"))))
        start = 2 if question["rows"] else 0
        assert sheet[0][start : start + len(figures)] == figures
        of_csv = {
            (row[1] if start else ""): as_numbers(row[start : start + len(figures)])
            for row in sheet[1:]
        }
        assert of_csv.keys() == groups.keys(), code
        for row, values in of_csv.items():
            assert values == [close(value) for value in groups[row]], (code, row)

        book = CalamineWorkbook.from_filelike(io.BytesIO(reader.file("xlsx", report=code)))
        rows = book.get_sheet_by_index(0).to_python()[1:]
        of_xlsx = {
            (str(row[1]) if start else ""): as_numbers(row[start : start + len(figures)])
            for row in rows
        }
        assert of_xlsx == of_csv, code

        def shown(values: list[float | None], told: Any = told) -> list[str]:
            codes = told["question"]["figures"]
            pairs = zip(codes, values, strict=True)
            return [plain(figure_text(each, v, told["currency"] or "")) for each, v in pairs]

        page = reader.shown(report=code)
        if question["rows"]:
            assert list(page.values())[: len(groups)] == [shown(v) for v in groups.values()], code
        else:
            # Of one group, a line for each figure.
            assert [first for first, *_before in page.values()] == shown(numbers[""]), code

        written, attached = mailed[code]
        if attached is not None:
            own = list(csv.reader(io.StringIO(attached.decode("utf-8-sig"))))
            assert own[0] == sheet[0], code
            for line, like in zip(own[1:], sheet[1:], strict=True):
                assert line[:start] == like[:start], code
                assert as_numbers(line[start:]) == [
                    cell if cell is None else pytest.approx(cell, rel=1e-3)
                    for cell in as_numbers(like[start:])
                ], code
        for row, cells in written.items():
            expected = shown(numbers.get(row, numbers[""]))
            for figure, cell, value in zip(figures, cells, expected, strict=False):
                if figure not in ON_THE_RUN:
                    assert cell.partition(" (")[0] == value, (code, row, figure)


def close(value: float | None) -> Any:
    return None if value is None else pytest.approx(value, abs=6e-3)


def test_the_terminal_tells_what_the_centre_reads(
    ways: Callable[[str], Ways], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = ways("omar")
    monkeypatch.setenv("DATABASE_URL", reader.settings.database_url)
    monkeypatch.setenv("LMT_INSTANCE", str(reader.settings.instance))
    for report in ("conversion", "campaigns", "month"):
        run = CliRunner().invoke(cli.main, ["report", "show", report, "--json"])
        assert run.exit_code == 0, run.output
        assert json.loads(run.stdout) == reader.api(report), report


@pytest.mark.parametrize("name", READERS)
def test_every_question_of_a_reader_goes_through_an_address(
    ways: Callable[[str], Ways], name: str
) -> None:
    """As the standard reports ask, and with each of their choices undone."""
    reader = ways(name)
    with reader.page:
        reader.page.get("/reports/")
        for code in ["", *(each.code for each in reader.seen())]:
            asked, _problems = question_of({"report": [code]})
            plain = Question(date(2026, 3, 1), date(2026, 3, 2), period="days", report=code)
            for question in (
                asked,
                plain,
                *(
                    replace(asked, rows=""),
                    replace(asked, rows="status", columns="month", view="chart"),
                    replace(asked, compare="", sort="", currency="one"),
                    replace(asked, compare="year", sort=asked.figures[-1], view="table"),
                    replace(asked, filters={"status": ("won", "lost"), "brand": ("aurel",)}),
                ),
            ):
                address = kept_address(question)
                assert question_of(address) == (question, [])


def kept_address(question: Question) -> dict[str, list[str]]:
    kept = json.loads(json.dumps(question.parameters()))
    return {name: [value] if isinstance(value, str) else value for name, value in kept.items()}
