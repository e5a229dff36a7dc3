"""Answers against plain sums over the facts: any two dimensions, period, filters, months rolled."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from statistics import median
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, insert
from sqlalchemy.orm import Session

from lmt.db import SessionFactory, reading_sessions_for
from lmt.models import Dealer, DealerGroup, FactMonth, FactSlice, LeadFact
from lmt.reports import drill
from lmt.reports.answer import Answer
from lmt.reports.ask import ask
from lmt.reports.dimensions import DIMENSIONS
from lmt.reports.drill import Cell
from lmt.reports.figures import BY_CODE
from lmt.reports.question import Question
from lmt.reports.rollups import roll_slice
from lmt.scope import SYSTEM, Actor, Part, act_as
from tests.world import World

AT = datetime(2026, 6, 1, 9, tzinfo=UTC)
START = date(2026, 1, 20)
DAYS = 110
FIGURES = ("leads", "sold", "conversion", "within_60", "offers", "acceptance", "response", "value")
COUNTERS = (
    "leads", "sold", "reached_5", "reached_60", "reached_later", "overdue_60", "offers",
    "offers_accepted", "offers_declined",
)  # fmt: skip
NONE = "-"
PERMISSIONS = frozenset({"report.read"})
Row = dict[str, Any]


class Naive:
    """The same question answered by going through all facts, one after the other."""

    def __init__(self, world: World, groups: dict[int, str]) -> None:
        self.codes = {
            "market_id": {id: code for code, id in world.markets.items()},
            "dealer_id": {id: code for code, id in world.dealers.items()} | {0: NONE},
            "source_id": {id: code for code, id in world.sources.items()},
            "brand_id": {world.brand_id: "aurel"},
        }
        self.groups = groups

    def key(self, code: str, row: Row, week_start: int) -> str:
        day: date = row["day"]
        hour = row["hour"]
        match code:
            case "":
                return ""
            case "month":
                return day.isoformat()[:7]
            case "day":
                return day.isoformat()
            case "week":
                while day.weekday() != week_start:
                    day -= timedelta(days=1)
                return day.isoformat()
            case "weekday" | "hour":
                return NONE if hour is None else str(divmod(hour, 24)[code == "hour"])
            case "group":
                return self.groups.get(row["dealer_id"], NONE)
        column = next(each.column for each in DIMENSIONS if each.code == code)
        value = row[column]
        if column in self.codes and value is not None:
            return self.codes[column][value]
        return NONE if value in (None, "") else str(value)

    def groups_of(
        self, rows: list[Row], question: Question, week_start: int
    ) -> dict[tuple[str, str], list[Row]]:
        found = defaultdict(list)
        for row in rows:
            asked = question.first <= row["day"] <= question.last and all(
                self.key(code, row, week_start) in keys for code, keys in question.filters.items()
            )
            if asked and (any(row[name] for name in COUNTERS) or row["response"] is not None):
                key = (
                    self.key(question.rows, row, week_start),
                    self.key(question.columns, row, week_start),
                )
                found[key].append(row)
        return found


def figures(rows: list[Row]) -> list[float | None]:
    def total(*names: str) -> int:
        return sum(row[name] for row in rows for name in names)

    def share(part: int, whole: int) -> float | None:
        return part / whole if whole else None

    times = [row["response"] for row in rows if row["response"] is not None]
    in_time = total("reached_5", "reached_60")
    return [
        total("leads"),
        total("sold"),
        share(total("sold"), total("leads")),
        share(in_time, in_time + total("reached_later", "overdue_60")),
        total("offers"),
        share(total("offers_accepted"), total("offers_accepted", "offers_declined")),
        median(times) / 60 if times else None,
    ]


def told(answer: Answer, row: str | None, column: str | None) -> list[float | None]:
    return [answer.value(code, row, column) for code in FIGURES[:-1]]


def close(one: list[float | None], other: list[float | None]) -> bool:
    return one == pytest.approx(other)


def facts(world: World, chance: Random) -> list[Row]:
    """Of leads that were each offered to one to three dealers of their market."""
    dealers = {
        world.markets["PL"]: [0, world.dealers["PL-WAW-1"], world.dealers["PL-WAW-2"]],
        world.markets["GULF"]: [0, world.dealers["SA-RUH-1"], world.dealers["AE-DXB-1"]],
    }
    found = []
    for number in range(chance.choice([0, 1, 25, 25, 25])):
        market = chance.choice(sorted(dealers))
        day = START + timedelta(days=chance.randint(0, DAYS))
        lead = {
            "lead_id": uuid.UUID(int=number + 1),
            "market_id": market,
            "day": day,
            "month": day.replace(day=1),
            "source_id": chance.choice(sorted(world.sources.values())),
            "brand_id": chance.choice([world.brand_id, None]),
            "channel": chance.choice(["api", "form"]),
            "model": chance.choice(["Mira", "", None]),
            "request_type": chance.choice(["quote", "test_drive"]),
            "status": chance.choice(["won", "lost"]),
            "hour": chance.choice([None, 0, 8, 9, 167]),
        }
        for dealer in chance.sample(dealers[market], chance.randint(1, 3)):
            found.append(
                {
                    **lead,
                    "dealer_id": dealer,
                    "response": chance.choice([None, None, chance.randint(-5, 9_000)]),
                    **{name: chance.choice([0, 0, 1, 2]) for name in COUNTERS},
                }
            )
    return found


GROUPED = (
    "", "market", "dealer", "group", "brand", "model", "request_type", "channel", "source",
    "status", "month", "week", "day", "weekday", "hour",
)  # fmt: skip
FILTERED = {
    "market": ["PL", "GULF", "XX"], "dealer": ["PL-WAW-1", "SA-RUH-1", NONE],
    "group": ["north", NONE], "channel": ["api", "nothing"], "model": ["Mira", NONE],
    "month": ["2026-03", "x"],
    "weekday": ["0", "6"], "brand": ["aurel", NONE], "hour": ["8", NONE],
}  # fmt: skip


@st.composite
def questions(draw: Callable[[Any], Any]) -> Question:
    first = START + timedelta(days=draw(st.integers(-5, DAYS)))
    wide = draw(st.sampled_from([0, 3, 31, 70, 120]))
    if draw(st.booleans()):
        first = first.replace(day=1)
    codes = draw(st.lists(st.sampled_from(sorted(FILTERED)), max_size=2, unique=True))
    picked = {
        code: tuple(
            draw(st.lists(st.sampled_from(FILTERED[code]), min_size=1, max_size=2, unique=True))
        )
        for code in codes
    }
    rows, columns = draw(st.sampled_from(GROUPED)), draw(st.sampled_from(GROUPED))
    return Question(
        first=first,
        last=first + timedelta(days=wide),
        rows=rows,
        columns="" if columns in ("day", rows) else columns,
        figures=FIGURES,
        filters=picked,
        period="days",
    )


@pytest.fixture
def naive(session: Session, world: World) -> Naive:
    group = DealerGroup(code="north", name="North")
    session.add(group)
    session.flush()
    for code in ("PL-WAW-1", "SA-RUH-1"):
        session.get_one(Dealer, world.dealers[code]).group_id = group.id
    session.commit()
    return Naive(world, {world.dealers[code]: "north" for code in ("PL-WAW-1", "SA-RUH-1")})


@pytest.fixture
def reading(engine: Engine) -> Iterator[SessionFactory]:
    return reading_sessions_for(engine)


def actors(world: World) -> dict[str, tuple[Actor, Callable[[Row], bool]]]:
    pl, waw1, brand = world.markets["PL"], world.dealers["PL-WAW-1"], world.brand_id

    def of(*parts: Part) -> Actor:
        return Actor(None, PERMISSIONS, parts)

    return {
        "system": (SYSTEM, lambda row: True),
        "market": (of(Part(market_id=pl)), lambda row: row["market_id"] == pl),
        "dealer": (of(Part(dealer_id=waw1)), lambda row: row["dealer_id"] == waw1),
        "brand": (of(Part(brand_id=brand)), lambda row: row["brand_id"] == brand),
        "mixed": (
            of(Part(market_id=pl), Part(dealer_id=world.dealers["SA-RUH-1"])),
            lambda row: row["market_id"] == pl or row["dealer_id"] == world.dealers["SA-RUH-1"],
        ),
    }


def test_any_answer_is_the_plain_sum(
    session: Session, reading: SessionFactory, world: World, naive: Naive
) -> None:
    everybody = actors(world)

    @settings(
        max_examples=40,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        seed=st.integers(0, 1_000_000),
        question=questions(),
        week_start=st.sampled_from([0, 5, 6]),
        who=st.sampled_from(["system", "system", *sorted(everybody)]),
    )
    def check(seed: int, question: Question, week_start: int, who: str) -> None:
        chance = Random(seed)
        rows = facts(world, chance)
        _keep(session, rows, chance)
        actor, sees = everybody[who]
        seen = [row for row in rows if sees(row)]
        with act_as(reading(), actor) as reader:
            answer = ask(reader, question, at=AT, currency="EUR", week_start=week_start)
            _compare(answer, naive.groups_of(seen, question, week_start))
            _drill(reader, answer, week_start)

    check()


def _keep(session: Session, rows: list[Row], chance: Random) -> None:
    for table in (LeadFact, FactMonth, FactSlice):
        session.execute(delete(table))
    if rows:
        session.execute(insert(LeadFact), rows)
    slices = sorted({(row["market_id"], row["month"]) for row in rows})
    for market, month in slices:
        session.add(FactSlice(market_id=market, month=month, changed_at=AT))
        session.flush()
        if chance.random() < 0.7:
            assert roll_slice(session, market, month, AT)
    session.commit()


def _compare(answer: Answer, expected: dict[tuple[str, str], list[Row]]) -> None:
    hidden = {"~"}
    found = set(answer.cells)
    if not any(hidden & set(key) for key in found):
        assert found == set(expected)
        for (row, column), rows in expected.items():
            assert close(told(answer, row, column), figures(rows))
    everything = [row for rows in expected.values() for row in rows]
    assert close(told(answer, None, None), figures(everything))
    for place, keys in ((0, answer.rows), (1, answer.columns)):
        for key in keys:
            of_key = [
                row for cell, rows in expected.items() if cell[place] == key.value for row in rows
            ]
            args = (key.value, None) if place == 0 else (None, key.value)
            if key.value not in hidden:
                assert close(told(answer, *args), figures(of_key))


def _drill(reader: Session, answer: Answer, week_start: int) -> None:
    keys = [*answer.cells][:4]
    cells = [
        *keys,
        *((row, None) for row, _c in keys),
        *((None, col) for _r, col in keys),
        (None, None),
    ]
    for row, column in dict.fromkeys(cells):
        tally = answer.tally(row, column)
        for figure, side in (("leads", "part"), ("within_60", "whole"), ("acceptance", "part")):
            counters = BY_CODE[figure].part if side == "part" else BY_CODE[figure].whole
            cell = Cell(row, column, figure, side)
            counted = drill.count(reader, answer.question, cell, at=AT, week_start=week_start)
            assert counted == tally.count(*counters), (cell, answer.question)
