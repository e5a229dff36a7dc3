"""How far dealers are by road: asked in one table, kept by cells, left alone where it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import select, update
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.lookahead import look_ahead
from lmt.models import Lead, RoadAnswer, RoutingPolicy
from lmt.outside import NotAnswered, Outside
from lmt.routing.asking import Services
from lmt.routing.breaker import FAILURES, REST, Breakers
from lmt.routing.candidate import Candidate
from lmt.routing.road import Leg, cell_of, forget_legs, keep_legs, legs_asked, legs_of, unknown_legs
from lmt.workhours import Calendar
from tests.stand_ins import Asked, Reply, StandIn, in_turn, osrm_table, stand_in
from tests.world import FRIDAY, World, send, warsaw_lead

HERE = (52.2298, 21.0118)


def dealer(id: int, lat: float = 52.24, lon: float = 21.03) -> Candidate:
    return Candidate(
        id=id, code=f"D{id}", name="", lat=lat, lon=lon, country="PL",
        calendar=Calendar("24/7", "UTC"), competences=frozenset(),
    )  # fmt: skip


class Standing(dict[int, Candidate]):
    """Dealers by id, as a network knows them."""

    def by_id(self, number: int, /) -> Candidate | None:
        return self.get(number)


@pytest.mark.parametrize(
    ("lat", "lon", "cell"),
    [
        (52.2298, 21.0118, (5223, 2101)),
        (-33.861, -70.655, (-3386, -7066)),
        (0.0, 180.0, (0, -18000)),
        (0.0, -180.0, (0, -18000)),
        (0.0, 179.999, (0, -18000)),
        (90.0, 0.0, (9000, 0)),
    ],
)
def test_a_cell_is_a_hundredth_of_a_degree(lat: float, lon: float, cell: tuple[int, int]) -> None:
    assert cell_of(lat, lon) == cell


def asked(body: Any, dealers: list[Candidate]) -> tuple[list[Leg], Asked]:
    with stand_in(body if isinstance(body, Reply) else Reply(body)) as server:
        legs = legs_asked(
            server.url, *HERE, dealers, outside=Outside([server.target]), timeout_seconds=0.5
        )
        return legs, server.asked[0]


def test_one_table_from_the_middle_of_the_cell() -> None:
    dealers = [dealer(1), dealer(2, 52.23, 20.96)]
    legs, question = asked(osrm_table((3.1, 7.5), (5.0, 12.0)), dealers)
    assert legs == [
        Leg(1, 52.24, 21.03, 3.1, 7.5),
        Leg(2, 52.23, 20.96, 5.0, 12.0),
    ]
    assert question.path == (
        "/table/v1/driving/21.010000,52.230000;21.030000,52.240000;20.960000,52.230000"
    )
    assert question.query == {"sources": "0", "annotations": "duration,distance"}


@pytest.mark.parametrize(
    ("case", "body"),
    [
        ("no road leads there", osrm_table(None)),
        ("the dealer is off the map", osrm_table((1, 1), off_road_metres={1: 40_000})),
        ("the lead is off the map", osrm_table((1, 1), off_road_metres={0: 40_000})),
        ("nothing near", Reply({"code": "NoSegment", "message": "…"}, 400)),
    ],
)
def test_where_no_road_leads(case: str, body: Any) -> None:
    assert asked(body, [dealer(1)])[0] == [Leg(1, 52.24, 21.03, None, None)]


@pytest.mark.parametrize(
    ("case", "body", "again"),
    [
        ("silence", Reply(never=True), True),
        ("a slow drip", Reply(slowly=True), True),
        ("an error", Reply({}, 500), True),
        ("a wrong question", Reply({"code": "InvalidQuery"}, 400), False),
        ("too many dealers", osrm_table((1, 1), (1, 1)), False),
        ("no distances", {k: v for k, v in osrm_table((1, 1)).items() if k != "distances"}, False),
        ("a way around the world", osrm_table((90_000, 1)), False),
        ("a way back in time", osrm_table((1, -1)), False),
        ("no JSON", Reply(b"<html>"), False),
        ("other JSON", ["Ok"], False),
        ("a redirect home", Reply({"code": "Ok"}, 302, {"Location": "http://127.0.0.1/"}), False),
    ],
)
def test_what_a_failing_engine_says_is_no_answer(case: str, body: Any, again: bool) -> None:
    with pytest.raises(NotAnswered) as problem:
        asked(body, [dealer(1)])
    assert problem.value.again is again


def test_what_is_kept(session: Session, world: World) -> None:
    first, second = world.dealers["PL-WAW-1"], world.dealers["PL-WAW-2"]
    one, two = dealer(first), dealer(second, 52.23, 20.96)
    legs = [Leg(first, 52.24, 21.03, 3.1, 7.5), Leg(second, 52.23, 20.96, None, None)]
    keep_legs(session, *HERE, legs, FRIDAY)
    standing = Standing({first: one, second: two})
    # Who lives in the same cell has the same way; where no road leads, none is known.
    assert legs_of(session, 52.2301, 21.0112, standing) == {first: (3.1, 7.5)}
    assert legs_of(session, 52.2401, 21.0112, standing) == {}
    assert unknown_legs(session, *HERE, [one, two], FRIDAY) == []
    moved = dealer(first, 52.25, 21.03)
    assert legs_of(session, *HERE, Standing({first: moved})) == {}
    assert unknown_legs(session, *HERE, [moved, two], FRIDAY) == [moved]
    # Where no road led, one may be built, or the engine may get a larger map.
    assert unknown_legs(session, *HERE, [one, two], FRIDAY + timedelta(days=2)) == [two]
    later = FRIDAY + timedelta(days=91)
    assert unknown_legs(session, *HERE, [one, two], later) == [one, two]
    keep_legs(session, *HERE, [Leg(first, 52.25, 21.03, 9.0, 9.0)], later)
    assert legs_of(session, *HERE, Standing({first: moved})) == {first: (9.0, 9.0)}
    forget_legs(session, later)
    assert session.scalars(select(RoadAnswer.dealer_id)).all() == [first]


@pytest.fixture
def by_road(session: Session, world: World) -> None:
    """Poland's policy goes by road."""
    session.execute(
        update(RoutingPolicy)
        .where(RoutingPolicy.market_id == world.markets["PL"])
        .values(settings={"fallback_dealer": "PL-CARE", "use_road": True})
    )
    session.commit()


@pytest.fixture
def lead_from(session: Session) -> Callable[..., Lead]:
    def make(**address: Any) -> Lead:
        data = warsaw_lead() | {"address": {"country": "PL", **(address or {"city": "Warszawa"})}}
        lead = send(session, "api-pl", data, FRIDAY)
        session.commit()
        return lead

    return make


@pytest.fixture
def engine_at(sessions: SessionFactory, settings: Settings) -> Callable[..., None]:
    """Look ahead with an engine standing in."""
    breakers = Breakers()

    def look(lead: Lead, server: StandIn, at: Any = FRIDAY) -> None:
        given = replace(settings, osrm_url=server.url, geocoder_timeout_seconds=0.4)
        services = Services(Outside([server.target]), breakers, pause=lambda _seconds: None)
        look_ahead(sessions, given, lead.id, at, services)

    return look


@pytest.mark.usefixtures("by_road")
def test_the_nearest_competent_dealers_are_asked_about_once(
    engine_at: Callable[..., None],
    lead_from: Callable[..., Lead],
    session: Session,
    world: World,
    database_url: str,
) -> None:
    plain = make_url(database_url).set(drivername="postgresql").render_as_string(False)
    states: set[str] = set()

    def watch(_asked: Asked) -> Reply:
        with psycopg.connect(plain, autocommit=True) as connection:
            rows = connection.execute(
                "SELECT state FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND state IS NOT NULL"
            )
            states.update(state for (state,) in rows)
        return Reply(osrm_table((2.5, 6.0), (4.0, 11.0)))

    with stand_in(watch) as server:
        lead = lead_from()
        engine_at(lead, server)
        rows = session.execute(
            select(RoadAnswer.dealer_id, RoadAnswer.km).order_by(RoadAnswer.km)
        ).all()
        near, far = world.dealers["PL-WAW-1"], world.dealers["PL-WAW-2"]
        assert rows == [(near, 2.5), (far, 4.0)]
        assert states == {"idle"}
        session.rollback()
        engine_at(lead_from(lat=52.2304, lon=21.0095), server)
        assert len(server.asked) == 1
        session.refresh(lead)
        assert (lead.service, lead.status) == ("", "received")


def test_a_market_that_goes_by_distance_asks_nobody(
    engine_at: Callable[..., None], lead_from: Callable[..., Lead]
) -> None:
    with stand_in(Reply(osrm_table((1, 1), (1, 1)))) as server:
        engine_at(lead_from(), server)
        assert server.asked == []


@pytest.mark.usefixtures("by_road")
def test_an_engine_that_is_down_is_left_alone_for_a_while(
    engine_at: Callable[..., None], lead_from: Callable[..., Lead], session: Session
) -> None:
    with stand_in(Reply({"code": "InvalidUrl"}, 400)) as server:
        lead = lead_from()
        for _ in range(FAILURES + 3):
            engine_at(lead, server)
        assert len(server.asked) == FAILURES
        assert session.scalars(select(RoadAnswer)).all() == []
        session.rollback()
        server.reply = in_turn(Reply({}, 500), Reply(osrm_table((2.5, 6.0), (4.0, 11.0))))
        engine_at(lead, server, FRIDAY + REST)
        assert len(session.scalars(select(RoadAnswer)).all()) == 2
