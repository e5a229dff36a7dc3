"""One dealer of 20,000 is edited: what that costs each process, and how soon all of them know."""

from __future__ import annotations

import multiprocessing
import random
import statistics
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from benchmarks.installation import installation
from lmt import clock
from lmt.db import Listener, engine_for, sessions_for
from lmt.models import Brand, Competence, Dealer, DealerTerms, Market
from lmt.models.validity import since
from lmt.routing.candidate import LeadFacts
from lmt.routing.directory import CHANNEL, Directory, dealers_changed
from lmt.scope import SYSTEM, act_as

DEALERS = 20_000
PROCESSES = 2
EDITS = 30
SERVICES = ("sales", "used", "after_sales")


def run() -> Iterator[dict[str, Any]]:
    with installation(leads=0) as installed:
        url = installed.settings.database_url
        with act_as(installed.sessions(), SYSTEM) as session:
            market_id = session.scalars(select(Market.id).where(Market.code == "PL")).one()
            ids = _crowd(session, market_id)
            session.execute(text("ANALYZE"))
            session.commit()
            reading = _reading_ms(session, market_id)
            costs, delays = _edits(session, url, market_id, ids)
    yield _figure("an edit, in each process", statistics.median(costs), reading)
    yield _figure("an edit, in each process, at worst", max(costs), reading)
    yield _figure("an edit, until all processes know", statistics.median(delays), reading)
    yield _figure("an edit, until all processes know, at worst", max(delays), reading)


def _figure(name: str, value: float, baseline: float) -> dict[str, Any]:
    return {
        "name": f"{DEALERS} dealers: {name}",
        "value": round(value, 2),
        "unit": "ms",
        "baseline": "reading the market anew",
        "baseline_value": round(baseline, 1),
        "ratio": round(value / baseline, 4),
    }


def _edits(
    session: Session, url: str, market_id: int, ids: list[int]
) -> tuple[list[float], list[float]]:
    """Milliseconds in each process, and from each commit until the last of them knew."""
    spawn = multiprocessing.get_context("spawn")
    ends = [spawn.Pipe() for _ in range(PROCESSES)]
    edited = random.Random(4).sample(ids, EDITS)
    processes = [
        spawn.Process(target=_process, args=(url, market_id, edited, far), daemon=True)
        for _, far in ends
    ]
    for process in processes:
        process.start()
    ears = [ear for ear, _ in ends]
    for ear in ears:
        ear.recv()
    costs: list[float] = []
    delays: list[float] = []
    for turn, dealer_id in enumerate(edited):
        terms = update(DealerTerms).where(DealerTerms.dealer_id == dealer_id)
        # Every third moves to another street, which its indexes must follow.
        moved = {"lat": DealerTerms.lat + 0.01} if turn % 3 == 0 else {}
        session.execute(terms.values(day_cap=turn, **moved))
        dealers_changed(session, clock.now(), [dealer_id])
        session.commit()
        committed = time.time()
        for ear in ears:
            cap: int | None = None
            while cap != turn:
                cap, cost, known_at = ear.recv()
            costs.append(cost)
            delays.append((known_at - committed) * 1000)
    for process in processes:
        process.terminate()
        process.join()
    return costs, [max(pair) for pair in zip(delays[::2], delays[1::2], strict=True)]


def _process(url: str, market_id: int, watched: list[int], told: Connection) -> None:
    """A worker that brings its copy up to date whenever it is rung, and tells of it."""
    sessions = sessions_for(engine_for(url))
    directory = Directory()
    rung = threading.Event()
    Listener(url, (CHANNEL,), lambda _channel: rung.set()).start()
    with act_as(sessions(), SYSTEM) as session:
        known = directory.network(session, market_id, clock.now())
        for service in SERVICES:
            known.index_of("", service)
        session.rollback()
        told.send(None)
        while True:
            rung.wait()
            rung.clear()
            started = time.perf_counter()
            directory.warm(session, clock.now())
            network = directory.network(session, market_id, clock.now())
            cost = (time.perf_counter() - started) * 1000
            known_at = time.time()
            session.rollback()
            for number in watched:
                new, old = network.by_id(number), known.by_id(number)
                if new is not None and new is not old:
                    told.send((new.day_cap, cost, known_at))
            known = network


def _reading_ms(session: Session, market_id: int) -> float:
    took = []
    for _ in range(3):
        started = time.perf_counter()
        network = Directory().network(session, market_id, clock.now())
        _look_up(network.nearest, "sales")
        took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took)


def _look_up(nearest: Any, service: str) -> None:
    lead = LeadFacts(lat=52.2, lon=21.0, service=service, band="hot", asked_at=clock.now())
    next(nearest(lead))


def _crowd(session: Session, market_id: int) -> list[int]:
    """Dealers all over the country, each with its terms and competences."""
    chance = random.Random(2)
    brand_id = session.scalars(select(Brand.id).order_by(Brand.id)).first()
    dealers = [{"code": f"CROWD-{number:05}", "market_id": market_id} for number in range(DEALERS)]
    ids = list(session.scalars(insert(Dealer).returning(Dealer.id), dealers))
    session.execute(
        insert(DealerTerms),
        [
            {
                "dealer_id": id,
                "name": f"Dealer {id}",
                "email": f"{id}@dealers.example",
                "language": "pl",
                "city": "Somewhere",
                "country": "PL",
                "lat": chance.uniform(49.5, 54.5),
                "lon": chance.uniform(14.5, 23.5),
                "timezone": "Europe/Warsaw",
                "hours": f"Mo-Fr {chance.randint(7, 10):02}:00-18:00; PH off",
                "valid": since(None),
            }
            for id in ids
        ],
    )
    session.execute(
        insert(Competence),
        [
            {"dealer_id": id, "brand_id": brand_id, "service": service, "valid": since(None)}
            for id in ids
            for service in chance.sample(SERVICES, 2)
        ],
    )
    dealers_changed(session, clock.now())
    session.commit()
    return ids
