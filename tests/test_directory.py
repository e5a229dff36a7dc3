"""Each process's copy of the dealers: right after every edit, and read anew only where one was."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select, update
from sqlalchemy.orm import Session

from lmt.config import Settings
from lmt.db import Listener, SessionFactory, engine_for, sessions_for
from lmt.models import (
    Competence,
    Dealer,
    DealerTerms,
    Lead,
    Offer,
    RoutingDecision,
    SpecialHours,
    Territory,
    User,
)
from lmt.models.validity import since
from lmt.routing import service
from lmt.routing.candidate import Candidate
from lmt.routing.decision import Decision
from lmt.routing.directory import CHANNEL, Directory, dealers_changed
from lmt.routing.network import Network, decide_nearest
from lmt.routing.service import calendar_of_dealer
from lmt.scope import SYSTEM, act_as, actor_of
from lmt.worker import advance_leads
from lmt.workhours import is_open
from tests.world import FRIDAY, World, send, warsaw_lead

NEAR, NEXT, TEAM = "PL-WAW-1", "PL-WAW-2", "PL-CARE"
CROWD = 300


class Process:
    """Another process: connections and a copy of its own; counts what its database hands out."""

    def __init__(self, url: str, market_id: int) -> None:
        self._engine = engine_for(url)
        self._sessions = sessions_for(self._engine)
        self._market_id = market_id
        self.directory = Directory()
        self.statements = self.rows = 0
        event.listen(self._engine, "after_cursor_execute", self._count)

    def network(self, at: datetime = FRIDAY) -> Network:
        """As a lead's transaction gets it; the counts are of this once."""
        with act_as(self._sessions(), SYSTEM) as session:
            session.connection()
            self.statements = self.rows = 0
            return self.directory.network(session, self._market_id, at)

    def dealer(self, code: str, at: datetime = FRIDAY) -> Candidate:
        found = self.network(at).by_code(code)
        assert found is not None
        return found

    def end(self) -> None:
        self._engine.dispose()

    def _count(self, _c: Any, cursor: Any, *_rest: Any) -> None:
        self.statements += 1
        self.rows += cursor.rowcount


@pytest.fixture
def processes(settings: Settings, world: World) -> Iterator[tuple[Process, Process]]:
    both = tuple(Process(settings.database_url, world.markets["PL"]) for _ in range(2))
    yield both[0], both[1]
    for each in both:
        each.end()


@pytest.fixture
def crowd(session: Session, world: World) -> None:
    """Three hundred more dealers in the market."""
    dealers = [
        {"code": f"PL-{number:03}", "market_id": world.markets["PL"]} for number in range(CROWD)
    ]
    ids = session.scalars(insert(Dealer).returning(Dealer.id), dealers).all()
    session.execute(
        insert(DealerTerms),
        [
            {
                "dealer_id": id, "name": str(id), "email": f"{id}@dealers.example",
                "language": "pl", "city": "Łódź", "country": "PL", "lat": 51.7, "lon": 19.4,
                "timezone": "Europe/Warsaw", "hours": "24/7", "valid": since(None),
            }
            for id in ids
        ],
    )  # fmt: skip
    competences = [
        {"dealer_id": id, "brand_id": world.brand_id, "service": "used", "valid": since(None)}
        for id in ids
    ]
    session.execute(insert(Competence), competences)
    session.commit()


def edit(session: Session, world: World, code: str, **terms: Any) -> None:
    """As headquarters does it."""
    id = world.dealers[code]
    session.execute(update(DealerTerms).where(DealerTerms.dealer_id == id).values(**terms))
    dealers_changed(session, FRIDAY, [id])
    session.commit()


def test_one_dealers_edit_reaches_every_process_and_costs_each_a_few_rows(
    processes: tuple[Process, Process], crowd: None, session: Session, world: World
) -> None:
    before = [process.network() for process in processes]
    assert [len(network) for network in before] == [CROWD + 3] * 2
    assert min(process.rows for process in processes) > CROWD
    for process in processes:
        process.network()
        assert (process.statements, process.rows) == (1, 1)
    edit(session, world, NEAR, paused=True, day_cap=7)
    for process, old in zip(processes, before, strict=True):
        new = process.network()
        assert process.statements <= 10
        assert process.rows < 15
        changed, was = new.by_code(NEAR), old.by_code(NEAR)
        assert changed is not None
        assert was is not None
        assert (changed.paused, changed.day_cap, was.paused) == (True, 7, False)
        assert new.by_code("PL-007") is old.by_code("PL-007")
        process.network()
        assert (process.statements, process.rows) == (1, 1)


def test_an_edit_that_was_taken_back_is_none(
    processes: tuple[Process, Process], session: Session, world: World
) -> None:
    old = processes[0].network()
    session.execute(update(DealerTerms).values(paused=True))
    dealers_changed(session, FRIDAY, [world.dealers[NEAR]])
    session.rollback()
    assert processes[0].network() is old


def test_edits_missed_meanwhile_are_all_there_and_another_markets_cost_nothing_here(
    processes: tuple[Process, Process], crowd: None, session: Session, world: World
) -> None:
    process, _ = processes
    process.network()
    edit(session, world, NEAR, day_cap=1)
    edit(session, world, NEXT, day_cap=2)
    edit(session, world, NEAR, day_cap=3)
    network = process.network()
    caps = [each.day_cap for code in (NEAR, NEXT) if (each := network.by_code(code))]
    assert caps == [3, 2]
    edit(session, world, "SA-RUH-1", day_cap=1)
    assert process.network() is network


def test_an_edit_of_who_knows_what_reads_all_anew(
    processes: tuple[Process, Process], crowd: None, session: Session
) -> None:
    process, _ = processes
    process.network()
    session.execute(update(DealerTerms).values(quality=0.9))
    dealers_changed(session, FRIDAY)
    session.commit()
    assert {each.quality for each in process.network().candidates()} == {0.9}


def test_dealers_come_go_and_change_markets(
    processes: tuple[Process, Process], crowd: None, session: Session, world: World
) -> None:
    process, _ = processes
    process.network()
    moved = session.get_one(Dealer, world.dealers[NEXT])
    moved.market_id = world.markets["GULF"]
    terms = session.scalars(
        select(DealerTerms).where(DealerTerms.dealer_id == world.dealers[NEAR])
    ).one()
    terms.end(FRIDAY)
    new = Dealer(code="PL-NEW", market_id=world.markets["PL"])
    session.add(new)
    session.flush()
    session.add(
        DealerTerms(
            dealer_id=new.id, name="New", email="new@dealers.example", language="pl",
            city="Gdynia", country="PL", lat=54.5, lon=18.5, timezone="Europe/Warsaw",
            hours="24/7", valid=since(FRIDAY),
        )
    )  # fmt: skip
    dealers_changed(session, FRIDAY, [moved.id, new.id, world.dealers[NEAR]])
    session.commit()
    network = process.network()
    there = {code: network.by_code(code) is not None for code in (NEAR, NEXT, "PL-NEW")}
    assert there == {NEAR: False, NEXT: False, "PL-NEW": True}


def test_rows_that_begin_and_end_by_themselves_concern_their_dealers_alone(
    processes: tuple[Process, Process], crowd: None, session: Session, world: World
) -> None:
    process, _ = processes
    terms = session.scalars(
        select(DealerTerms).where(DealerTerms.dealer_id == world.dealers[NEAR])
    ).one()
    noon, evening = FRIDAY + timedelta(hours=5), FRIDAY + timedelta(hours=11)
    later = terms.replace(session, noon, day_cap=5)
    session.flush()
    later.replace(session, evening, day_cap=9)
    dealers_changed(session, FRIDAY, [world.dealers[NEAR]])
    session.commit()
    instants = [FRIDAY, noon - timedelta(seconds=1), noon, evening, noon, FRIDAY, evening]
    caps = [process.dealer(NEAR, at).day_cap for at in instants]
    assert caps == [None, None, 5, 9, 5, None, 9]
    bystander = process.dealer("PL-007", evening)
    assert process.dealer("PL-007", evening + timedelta(days=400)) is bystander
    # Whoever's clock is a little behind finds the network of before, without reading it again.
    process.network(noon - timedelta(seconds=1))
    process.network(noon)
    process.network(noon - timedelta(seconds=1))
    assert process.statements == 1


def test_days_of_a_country_hold_for_its_dealers_not_its_teams_and_their_own_go_before(
    processes: tuple[Process, Process], session: Session, world: World
) -> None:
    market, day = world.markets["PL"], date(2026, 3, 6)
    for whose, hours in (({"country": "PL"}, "off"), ({"dealer_id": world.dealers[NEXT]}, "24/7")):
        session.add(
            SpecialHours(
                market_id=market, starts_on=day, ends_on=day, hours=hours, valid=since(None),
                **whose,
            )
        )  # fmt: skip
    dealers_changed(session, FRIDAY)
    session.commit()
    noon = FRIDAY + timedelta(hours=4)
    open_at_noon = {
        code: is_open(processes[0].dealer(code).calendar, noon) for code in (NEAR, NEXT, TEAM)
    }
    assert open_at_noon == {NEAR: False, NEXT: True, TEAM: True}
    assert is_open(processes[0].dealer(NEAR).calendar, noon + timedelta(days=3))


def test_ranges_kinds_and_shared_territories_are_read(
    processes: tuple[Process, Process], session: Session, world: World
) -> None:
    near = world.dealers[NEAR]
    session.execute(
        update(Competence)
        .where(Competence.dealer_id == near, Competence.service == "sales")
        .values(models=["mira"])
    )
    square = {"type": "Polygon", "coordinates": [[[20, 52], [21, 52], [21, 53], [20, 52]]]}
    session.add_all(
        [
            Territory(dealer_id=near, postcodes=["00"], valid=since(None)),
            Territory(dealer_id=near, postcodes=["01"], exclusive=False, valid=since(None)),
            Territory(dealer_id=near, area=square, exclusive=False, valid=since(None)),
        ]
    )
    dealers_changed(session, FRIDAY, [near])
    session.commit()
    dealer, team = processes[0].dealer(NEAR), processes[0].dealer(TEAM)
    assert dict(dealer.models) == {("aurel", "sales"): frozenset({"mira"})}
    assert (dealer.exclusive_postcodes, dealer.shared_postcodes) == (("00",), ("01",))
    assert (dealer.exclusive_area, dealer.shared_area is None) == (None, False)
    assert (dealer.kind, team.kind, team.country) == ("showroom", "team", "")


def test_who_sees_one_dealer_does_not_make_the_copy_of_all(
    sessions: SessionFactory, world: World, cast: dict[str, User]
) -> None:
    shared = Directory()
    with act_as(sessions(), actor_of(cast["anna"])) as session:
        assert len(shared.network(session, world.markets["PL"], FRIDAY)) == 3


def test_an_edit_rings_the_processes_when_it_is_committed(
    settings: Settings, session: Session, world: World
) -> None:
    rung = threading.Semaphore(0)
    listener = Listener(settings.listen_database_url, (CHANNEL,), lambda _channel: rung.release())
    listener.start()
    try:
        assert rung.acquire(timeout=20)  # once after connecting
        dealers_changed(session, FRIDAY, [world.dealers[NEAR]])
        assert not rung.acquire(blocking=False)
        session.commit()
        assert rung.acquire(timeout=20)
    finally:
        listener.stop()
        listener.join()


def test_a_copy_that_was_warmed_needs_no_more_reading(
    processes: tuple[Process, Process], sessions: SessionFactory, session: Session, world: World
) -> None:
    own = Directory()
    with act_as(sessions(), SYSTEM) as used:
        own.network(used, world.markets["PL"], FRIDAY)
        edit(session, world, NEAR, day_cap=4)
        own.warm(used, FRIDAY)
        warmed = own.network(used, world.markets["PL"], FRIDAY)
    dealer = warmed.by_code(NEAR)
    assert dealer is not None
    assert dealer.day_cap == 4


def test_a_dealer_edited_after_the_decision_is_decided_on_anew(
    sessions: SessionFactory, session: Session, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Headquarters pauses the dealer between a worker's decision and its count of the lead."""
    decided: list[str | None] = []

    def slow(*given: Any) -> Decision:
        decision = decide_nearest(*given)
        if not decided:
            with act_as(sessions(), SYSTEM) as headquarters:
                edit(headquarters, world, NEAR, paused=True)
        decided.append(decision.chosen)
        return decision

    monkeypatch.setattr(service, "decide_nearest", slow)
    send(session, "api-pl", warsaw_lead(), FRIDAY)
    advance_leads(sessions, FRIDAY)
    assert decided == [NEAR, NEXT]
    assert session.scalars(select(Offer.dealer_id)).all() == [world.dealers[NEXT]]
    assert len(session.scalars(select(RoutingDecision.id)).all()) == 1


def test_leads_nobody_could_take_are_looked_at_when_a_dealer_is_edited(
    sessions: SessionFactory, session: Session, world: World
) -> None:
    edit(session, world, NEAR, paused=True)
    edit(session, world, NEXT, paused=True)
    edit(session, world, TEAM, paused=True)
    lead = send(session, "api-pl", warsaw_lead(), FRIDAY)
    advance_leads(sessions, FRIDAY)
    session.refresh(lead)
    assert lead.status == "unrouted"
    edit(session, world, "SA-RUH-1", day_cap=4)
    advance_leads(sessions, FRIDAY)
    session.refresh(lead)
    assert lead.status == "unrouted"
    edit(session, world, NEXT, paused=False)
    advance_leads(sessions, FRIDAY)
    session.refresh(lead)
    assert (lead.status, lead.dealer_id) == ("offered", world.dealers[NEXT])


def test_a_dealer_that_ended_keeps_its_last_calendar(
    session: Session, world: World, offered_lead: Callable[..., Lead]
) -> None:
    near = world.dealers[NEAR]
    calendar = calendar_of_dealer(session, near, FRIDAY)
    terms = session.scalars(select(DealerTerms).where(DealerTerms.dealer_id == near)).one()
    terms.end(FRIDAY + timedelta(hours=1))
    dealers_changed(session, FRIDAY, [near])
    session.commit()
    assert calendar_of_dealer(session, near, FRIDAY + timedelta(days=1)) == calendar
    with pytest.raises(LookupError):
        calendar_of_dealer(session, 999_999, FRIDAY)
