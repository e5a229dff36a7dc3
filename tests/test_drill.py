"""From a number to the leads behind it: each of them once, in order, no person without a right."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from lmt.db import reading_sessions_for
from lmt.models import Lead, LeadFact, User
from lmt.reports import drill
from lmt.reports.ask import ask
from lmt.reports.drill import Cell, Entry
from lmt.reports.question import Question
from lmt.scope import SYSTEM, Actor, act_as, actor_of
from tests.test_ask import AT, MARCH, Reports
from tests.world import World, somebody

BY_DEALER = Question(*MARCH, rows="dealer", period="days", figures=("offers", "leads", "response"))


@pytest.fixture
def reports(session: Session, engine: Engine, world: World) -> Reports:
    return Reports(session, reading_sessions_for(engine), world)


@pytest.fixture
def leads(reports: Reports, sent_lead: Callable[..., Lead]) -> list[uuid.UUID]:
    """Five leads on five days: all were offered to WAW-1, the last two went on to WAW-2."""
    ids = []
    for number in range(5):
        lead = sent_lead(**somebody())
        moved = number > 2
        lead.dealer_id = reports.world.dealers["PL-WAW-2" if moved else "PL-WAW-1"]
        told = {"lead_id": lead.id, "day": date(2026, 3, 2 + number)}
        reports.fact("PL-WAW-1", **told, leads=int(not moved), offers=2, response=None)
        if moved:
            reports.fact("PL-WAW-2", **told, offers=1, response=90)
        ids.append(lead.id)
    reports.session.commit()
    return ids


def behind(
    reports: Reports,
    cell: Cell,
    actor: Actor = SYSTEM,
    question: Question = BY_DEALER,
    rows: int = 2,
) -> list[Entry]:
    """All pages, one after the other."""
    with act_as(reports.sessions(), actor) as reader:
        found: list[Entry] = []
        after = ""
        while True:
            page = drill.leads(reader, question, cell, at=AT, after=after, rows=2)
            found += page.entries
            if not (after := page.next):
                return found


def test_pages_run_back_in_time_and_leave_nobody_out(
    reports: Reports, leads: list[uuid.UUID]
) -> None:
    found = behind(reports, Cell(figure="offers"))
    assert [entry.lead_id for entry in found] == leads[::-1]
    assert [entry.times for entry in found] == [3, 3, 2, 2, 2]
    with act_as(reports.sessions(), SYSTEM) as reader:
        assert drill.count(reader, BY_DEALER, Cell(figure="offers"), at=AT) == 12
        assert list(drill.each(reader, BY_DEALER, Cell(figure="offers"), at=AT)) == found


def test_a_dealer_reads_no_person_of_a_lead_that_went_on(
    reports: Reports, leads: list[uuid.UUID], cast: dict[str, User]
) -> None:
    found = behind(reports, Cell("PL-WAW-1", None, "offers"), actor_of(cast["bert"]))
    assert [entry.in_sight for entry in found] == [False, False, True, True, True]
    gone = found[0]
    assert (gone.request_type, gone.brand, gone.model) == ("test_drive", "Aurel", "Mira")
    assert gone.day == date(2026, 3, 6)
    assert len(gone.reference) == 9
    # Of the rival that has it now nothing is told, not even that it was offered.
    assert behind(reports, Cell("PL-WAW-2", None, "offers"), actor_of(cast["bert"])) == []


@pytest.mark.parametrize(
    ("cell", "places"),
    [
        (Cell("PL-WAW-1", None, "leads"), [2, 1, 0]),
        (Cell("PL-WAW-2", None, "leads"), [4, 3]),
        (Cell("PL-WAW-2", None, "response"), [4, 3]),
        (Cell(None, None, "conversion", "whole"), [4, 3, 2, 1, 0]),
        (Cell(None, None, "conversion"), []),
        (Cell(None, None, "cost"), []),
        (Cell("nobody", None, "leads"), []),
        (Cell("-", None, "leads"), []),
    ],
    ids=str,
)
def test_behind_each_number_are_its_own_leads(
    reports: Reports, leads: list[uuid.UUID], cell: Cell, places: list[int]
) -> None:
    assert [entry.lead_id for entry in behind(reports, cell)] == [leads[n] for n in places]


@pytest.mark.parametrize("rows", ["week", "day", "month", "hour", "weekday", "group", "market"])
def test_folded_groups_lead_to_their_leads(
    reports: Reports, leads: list[uuid.UUID], rows: str
) -> None:
    reports.session.query(LeadFact).update({"hour": 30})
    reports.session.commit()
    question = Question(*MARCH, rows=rows, period="days", figures=("leads",))
    with act_as(reports.sessions(), SYSTEM) as reader:
        answer = ask(reader, question, at=AT, currency="EUR", week_start=6)
    shown = {key.value: answer.value("leads", key.value) for key in answer.rows}
    for key, number in shown.items():
        found = behind(reports, Cell(key), question=question)
        assert sum(entry.times for entry in found) == number
    assert sum(value or 0 for value in shown.values()) == len(leads)


def test_a_bent_address_begins_anew(reports: Reports, leads: list[uuid.UUID]) -> None:
    with act_as(reports.sessions(), SYSTEM) as reader:
        for after in ("", "x", "2026-03-02", "2026-03-02_x", "_"):
            page = drill.leads(reader, BY_DEALER, Cell(), at=AT, after=after)
            assert len(page.entries) == len(leads)
