"""Which colleague of a dealer gets a lead, and what the others lost by: a decision table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from lmt.routing.candidate import LeadFacts
from lmt.routing.colleague import Away, Colleague, ColleagueChoice, colleague_for, deputy_of

AT = datetime(2026, 3, 4, 11, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LEAD = LeadFacts(None, None, service="sales", band="hot", asked_at=AT, language="ar")


def away(deputy: int | None = None, *, since: int = -1, until: int = 1) -> dict[str, Any]:
    return {"absences": (Away(AT + since * HOUR, AT + until * HOUR, deputy),)}


def given(hours_ago: float) -> dict[str, Any]:
    return {"last_given_at": AT - hours_ago * HOUR}


SALES, PARTS = {"skills": frozenset({"sales"})}, {"skills": frozenset({"parts"})}
ARABIC, POLISH = {"languages": frozenset({"ar"})}, {"languages": frozenset({"pl"})}

TABLE: list[tuple[str, list[dict[str, Any]], int | None, dict[int, str]]] = [
    ("nobody works there", [], None, {}),
    ("alone, and able to do all", [{}], 1, {}),
    ("skill before all", [PARTS, {**SALES, **POLISH, "open_leads": 9}], 2, {1: "skill"}),
    ("without the skill it is the team's", [PARTS, PARTS], None, {1: "skill", 2: "skill"}),
    ("then language", [POLISH, {**ARABIC, "open_leads": 9}], 2, {1: "language"}),
    ("nobody speaks it: no matter", [{**POLISH, "open_leads": 2}, POLISH], 2, {1: "load"}),
    ("then the fewest open leads", [{"open_leads": 3}, {"open_leads": 1}], 2, {1: "load"}),
    ("then who waited longest", [given(1), given(2)], 2, {1: "last_given"}),
    ("who never got one waited longest", [given(99), {}], 2, {1: "last_given"}),
    ("then the lowest id", [given(1), given(1)], 1, {2: "id"}),
    ("absent is absent", [away(), {"open_leads": 9}], 2, {1: "absent"}),
    ("all are absent", [away(), away()], None, {1: "absent", 2: "absent"}),
    ("not yet away", [away(since=1, until=2), {"open_leads": 1}], 1, {2: "load"}),
    ("back at this instant", [away(since=-2, until=0), {"open_leads": 1}], 1, {2: "load"}),
]  # fmt: skip


def people(terms: list[dict[str, Any]]) -> list[Colleague]:
    return [Colleague(number, **each) for number, each in enumerate(terms, 1)]


@pytest.mark.parametrize(
    ("terms", "chosen", "others"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_the_colleague_and_what_the_others_lost_by(
    terms: list[dict[str, Any]], chosen: int | None, others: dict[int, str]
) -> None:
    for order in permutations(people(terms)):
        choice = colleague_for(LEAD, order, AT)
        assert choice == ColleagueChoice(chosen, tuple(sorted(others.items())))


DEPUTIES: list[tuple[str, list[dict[str, Any]], int | None, int | None]] = [
    ("has the skill of whom they stand in for", [{**SALES, **away(2)}, PARTS], 2, 1),
    ("and the language", [{**ARABIC, **away(2)}, {**POLISH, "open_leads": 9}, POLISH], 2, 1),
    ("doesn't add up one's skill and another's language",
     [{**PARTS, **ARABIC, **away(2)}, {**SALES, **POLISH, "open_leads": 9}, {**SALES, **POLISH}],
     3, None),
    ("is away too: the deputy's deputy", [{**SALES, **away(2)}, {**PARTS, **away(3)}, PARTS], 3, 1),
    ("a circle helps nobody", [{**SALES, **away(2)}, {**SALES, **away(1)}, PARTS], None, None),
    ("has left the dealer", [{**SALES, **away(7)}, PARTS], None, None),
    ("isn't needed", [{**SALES, **away(2)}, SALES], 2, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("terms", "chosen", "instead_of"),
    [row[1:] for row in DEPUTIES],
    ids=[row[0] for row in DEPUTIES],
)
def test_a_deputy(terms: list[dict[str, Any]], chosen: int | None, instead_of: int | None) -> None:
    choice = colleague_for(LEAD, people(terms), AT)
    assert (choice.id, choice.instead_of) == (chosen, instead_of)


def test_a_lead_without_a_language_asks_for_none() -> None:
    lead = LeadFacts(None, None, service="sales", band="hot", asked_at=AT)
    assert colleague_for(lead, people([POLISH, ARABIC]), AT).id == 1


def test_who_is_there_needs_no_deputy() -> None:
    there, stands_in = people([{}, {}])
    assert deputy_of(there, [there, stands_in], AT) is None
    off = Colleague(3, absences=(Away(AT, AT + HOUR), Away(AT, AT + HOUR, 2)))
    assert deputy_of(off, [there, stands_in, off], AT) == 2
