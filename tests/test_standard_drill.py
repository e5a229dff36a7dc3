"""The numbers of every standard report lead to as many leads as they say, whoever reads them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from lmt import pipeline
from lmt.accounts.service import Scope, create_user
from lmt.db import SessionFactory, reading_sessions_for
from lmt.models import Brand, CallRecord, Dealer, DealerGroup, User
from lmt.reportpages.tables import drilled_side
from lmt.reports import drill
from lmt.reports.answer import Answer
from lmt.reports.ask import ask
from lmt.reports.drill import Cell
from lmt.reports.figures import BY_CODE
from lmt.reports.question import Question
from lmt.reports.reading import question_for
from lmt.reports.refresh import refresh
from lmt.reports.rollups import roll
from lmt.reports.standard import STANDARD, Standard
from lmt.scope import SYSTEM, act_as, actor_of
from tests.databases import Template, grown
from tests.world import FRIDAY, PASSWORD, World, send, somebody, warsaw_lead

AT = FRIDAY + timedelta(days=5, hours=4)
WEEK_START = 0


READERS = {"manager", "group", "market", "brand", "central"}
"""Each sees another part of the world: a dealer, a group, a market, a brand of it, all."""


def hire(session: Session, world: World) -> None:
    group = DealerGroup(code="north", name="North")
    other = Brand(code="brisa", name="Brisa")
    session.add_all([group, other])
    session.flush()
    for code in ("PL-WAW-1", "PL-WAW-2"):
        session.get_one(Dealer, world.dealers[code]).group_id = group.id
    poland = world.markets["PL"]
    parts = {
        "manager": ("manager", Scope(dealer_id=world.dealers["PL-WAW-1"])),
        "group": ("manager", Scope(group_id=group.id)),
        "market": ("headquarters", Scope(market_id=poland)),
        "brand": ("headquarters", Scope(market_id=poland, brand_id=world.brand_id)),
        "central": ("central", Scope()),
    }
    assert parts.keys() == READERS
    for name, (role, scope) in parts.items():
        create_user(
            session, f"{name}@roles.example", name, PASSWORD, roles=[role],
            scopes=[scope], language="en", timezone="Europe/Warsaw",
        )  # fmt: skip
    session.commit()


def live(sessions: SessionFactory, session: Session) -> None:
    """Leads that were taken, declined, let pass, sold and lost, that nobody has, and that calls
    made; the month before added up, this one not yet."""
    leads = []
    for number in range(24):
        at = FRIDAY - timedelta(days=number * 3 if number % 2 else 0) + timedelta(minutes=number)
        gulf = number % 5 == 4
        data = warsaw_lead(**somebody())
        if gulf:
            data["address"] = {"city": "Dubai" if number % 2 else "Riyadh",
                               "country": "AE" if number % 2 else "SA"}  # fmt: skip
        elif number % 7 == 3:
            data["address"]["city"] = "Kraków"
        elif number % 11 == 5:
            data["address"]["city"] = "Nowhere"
        lead = send(session, "api-gulf" if gulf else "api-pl", data, at)
        pipeline.advance(sessions, lead.id, at)
        leads.append(lead)
    session.expire_all()
    for number, lead in enumerate(leads):
        at = lead.created_at + timedelta(minutes=20 + number)
        if lead.status == "offered" and number % 3:
            act = pipeline.accept if number % 3 == 1 else pipeline.decline
            told = {} if number % 3 == 1 else {"reason": "capacity"}
            act(session, lead.id, at=at, actor=SYSTEM, **told)
            session.commit()
            pipeline.advance(sessions, lead.id, at)
    for number, lead in enumerate(leads[::2]):
        session.add(
            CallRecord(
                customer_id=lead.customer_id, source_id=lead.source_id, lead_id=lead.id,
                at=lead.created_at, disposition=("interested", "reached")[number % 2],
                agent=("Ewa", "Jan", "")[number % 3],
            )
        )  # fmt: skip
    session.add(
        CallRecord(
            customer_id=leads[0].customer_id, source_id=leads[0].source_id, at=FRIDAY,
            disposition="no_answer", agent="Ewa",
        )
    )  # fmt: skip
    session.commit()
    refresh(sessions, AT)
    roll(sessions, AT + timedelta(hours=1))


def grow(sessions: SessionFactory, session: Session, world: World) -> None:
    hire(session, world)
    live(sessions, session)


@pytest.fixture(scope="module")
def origin(template: Template, superuser: psycopg.Connection) -> Iterator[Template]:
    with grown(template, superuser, grow) as made:
        yield made


@pytest.fixture
def readers(session: Session) -> dict[str, User]:
    users = select(User).where(User.name.in_(READERS)).order_by(User.id)
    return {user.name: user for user in session.scalars(users)}


@pytest.fixture
def reading(engine: Engine, session: Session) -> Callable[[User], Session]:
    return lambda user: act_as(reading_sessions_for(engine)(), actor_of(session.merge(user)))


def cells_linked(answer: Answer) -> Iterator[tuple[Cell, float]]:
    """Each number that leads to leads, and how many it says that there are."""
    question = answer.question
    rows = [None, *(key.value for key in answer.rows)] if question.rows else [None]
    columns = [None, *(key.value for key in answer.columns)] if question.columns else [None]
    for code in question.figures:
        figure = BY_CODE[code]
        for row in rows:
            for column in columns:
                tally = answer.tally(row, column)
                value = figure.value(tally)
                side = drilled_side(figure, tally, value)
                if not side or value is None:
                    continue
                if figure.times:
                    told = float(sum(len(tally.seconds(name)) for name in figure.times))
                elif figure.part or figure.whole:
                    told = float(tally.count(*(figure.part if side == "part" else figure.whole)))
                elif figure.extras:
                    told = value
                else:
                    continue
                yield Cell(row, column, code, side), told


def counted(
    session: Session, question: Question, cell: Cell, *, pages: bool = False
) -> tuple[int, ...]:
    """What is behind the cell: asked at once, and paged through."""
    at_once = drill.count(session, question, cell, at=AT, week_start=WEEK_START)
    if not pages:
        return (at_once,)
    paged, seen, after = 0, set(), ""
    while True:
        page = drill.leads(
            session, question, cell, at=AT, after=after, rows=7, week_start=WEEK_START
        )
        paged += sum(entry.times for entry in page.entries)
        assert not seen & {entry.lead_id for entry in page.entries}
        seen |= {entry.lead_id for entry in page.entries}
        if not (after := page.next):
            return at_once, paged


def started(session: Session, standard: Standard, **told: str) -> Question:
    days = {"from": "2025-12-01", "to": "2026-03-31", "report": standard.code, **told}
    parameters = {name: [value] for name, value in days.items()}
    question, problems = question_for(session, parameters, at=AT, week_start=WEEK_START)
    assert problems == []
    return question


def reports_of(user: User) -> list[Standard]:
    return [each for each in STANDARD if not each.permission or user.may(each.permission)]


def test_behind_each_number_are_as_many_leads_as_it_says(
    readers: dict[str, User], reading: Callable[[User], Session]
) -> None:
    drilled: Counter[str] = Counter()
    for name, user in readers.items():
        with reading(user) as session:
            for standard in reports_of(user):
                question = started(session, standard)
                answer = ask(session, question, at=AT, currency="EUR", week_start=WEEK_START)
                for cell, told in cells_linked(answer):
                    # What is paged through is read by the same statement: once a figure will do.
                    pages = not drilled[cell.figure]
                    found = counted(session, question, cell, pages=pages)
                    assert found == ((told, told) if pages else (told,)), (name, standard, cell)
                    drilled[name] += 1
                    drilled[cell.figure] += 1
    assert all(drilled[name] > 30 for name in readers), drilled
    enriched = ("uncovered", "calls_qualified", "share_received", "share_kept",
                "share_lost_declined")  # fmt: skip
    assert all(drilled[code] for code in enriched), drilled
    # Of parts of leads there is no list.
    assert not any(drilled[code] for code in ("share_expected", "share_missed_turn"))


def test_each_page_links_what_can_be_listed_and_lists_as_many(
    app: Flask,
    readers: dict[str, User],
    reading: Callable[[User], Session],
    login: Callable[[FlaskClient, User], FlaskClient],
) -> None:
    user = readers["market"]
    with time_machine.travel(AT, tick=False), reading(user) as session:
        client = login(app.test_client(), user)
        for standard in reports_of(user):
            question = started(session, standard)
            answer = ask(session, question, at=AT, currency="EUR", week_start=WEEK_START)
            page = client.get("/reports/show", query_string=question.parameters()).text
            hrefs = re.findall(r'href="(/reports/leads\?[^"]+)"', page)
            links = {cell_of(href): href for href in hrefs}
            told = dict(cells_linked(answer))
            # Amounts lead to the leads that are worth something, and say not how many these are.
            assert {cell for cell in links if cell.figure != "value"} == told.keys()
            by_figure = {cell.figure: cell for cell in told}
            for cell in by_figure.values():
                behind = client.get(unescape(links[cell])).text
                heading = re.search(r"<h1>(.*?)</h1>", behind, re.DOTALL)
                assert heading is not None
                assert int(re.findall(r"[\d,]+", heading[1])[-1]) == told[cell], cell


def cell_of(href: str) -> Cell:
    told = parse_qs(urlsplit(unescape(href)).query)
    row, column = told.get("row", [None])[0], told.get("column", [None])[0]
    return Cell(row, column, told["figure"][0], told["side"][0])


def test_calls_are_told_by_who_called_and_how_they_ended(
    readers: dict[str, User], reading: Callable[[User], Session]
) -> None:
    with reading(readers["central"]) as session:
        centre = next(each for each in STANDARD if each.code == "call_centre")
        question = started(session, centre, rows="agent", columns="disposition")
        answer = ask(session, question, at=AT, currency="EUR")
        assert {key.name for key in answer.rows} == {"Ewa", "Jan", "None"}
        assert {key.value for key in answer.columns} == {"interested", "reached", "no_answer"}
        assert answer.value("calls") == 13
        assert answer.value("calls_qualified") == 12
        assert answer.value("calls", "Ewa", "no_answer") == 1
        # Leads have no agent: a dash, not none.
        assert answer.value("leads", "Ewa") is None
        assert answer.value("leads") is None
        assert "not_told" in answer.notes
        narrowed = replace(question, rows="market", columns="", filters={"agent": ("Jan",)})
        by_market = ask(session, narrowed, at=AT, currency="EUR")
        assert by_market.value("calls") == answer.value("calls", "Jan")
        cell = Cell("Jan", "reached", "calls_qualified")
        made = answer.value("calls_qualified", "Jan", "reached")
        assert counted(session, question, cell) == (made,)
        assert counted(session, question, Cell("Jan", None, "leads"), pages=True) == (0, 0)
    with reading(readers["market"]) as session:
        assert ask(session, question, at=AT, currency="EUR").value("calls") < 13
