"""A lead's way from accepted to offered, in one transaction: where its time goes. And from
nothing to accepted."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy import event, select, text

from benchmarks.installation import Installation, installation
from lmt import clock, pipeline
from lmt.ingest.accept import Delivery, accept
from lmt.models import Source
from lmt.routing import service
from lmt.routing.network import decide_nearest
from lmt.scope import SYSTEM, act_as

LEADS = 200
WARM_UP = 20
CITIES = ("Warszawa", "Kraków", "Łódź", "Wrocław", "Poznań", "Gdańsk")


def run() -> Iterator[dict[str, Any]]:
    with installation() as installed:
        commits = _bare_commits(installed)
        ids, accepted = _accepted(installed)
        for lead_id in ids[:WARM_UP]:
            pipeline.advance(installed.sessions, lead_id, clock.now())
        with _split(installed) as split:
            offered = _offered(installed, ids[WARM_UP:])
    for name, value in (("accepted in process", accepted), ("accepted to offered", offered)):
        yield {
            "name": f"leads {name}",
            "value": round(value, 1),
            "unit": "leads/s",
            "baseline": "transactions that insert one row",
            "baseline_value": round(commits, 1),
            "ratio": round(value / commits, 3),
        }
    measured = len(ids) - WARM_UP
    whole = 1000 / offered
    for name, total in split.shares(measured / offered):
        yield {
            "name": f"accepted to offered: {name}",
            "value": round(total / measured * 1000, 2),
            "unit": "ms",
            "baseline": "the whole step",
            "baseline_value": round(whole, 2),
            "ratio": round(total / measured * 1000 / whole, 3),
        }
    writing = split.statements["writing"] + split.statements["capacity"]
    statements = sum(split.statements.values())
    yield {
        "name": "accepted to offered: statements",
        "value": round(statements / measured, 1),
        "unit": "statements",
        "baseline": "those that write",
        "baseline_value": round(writing / measured, 1),
        "ratio": round(statements / writing, 2),
    }


class Split:
    """Seconds spent in the database by what for, and in the decision; the rest is our own code."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.statements: Counter[str] = Counter()

    def shares(self, whole_seconds: float) -> list[tuple[str, float]]:
        parts = ["reading", "deciding", "capacity", "writing", "commit"]
        known = [(part, self.seconds[part]) for part in parts]
        return [*known, ("own code", whole_seconds - sum(seconds for _, seconds in known))]

    def before(self, connection: Any, *_rest: Any) -> None:
        connection.info["began"] = time.perf_counter()

    def after(self, connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        part = _part(statement)
        self.seconds[part] += time.perf_counter() - connection.info["began"]
        self.statements[part] += 1

    def timed(self, part: str, act: Callable[..., Any]) -> Callable[..., Any]:
        """`act`, counted as `part`, less what the database took meanwhile."""

        def measured(*args: Any, **named: Any) -> Any:
            database = sum(self.seconds.values())
            began = time.perf_counter()
            try:
                return act(*args, **named)
            finally:
                spent = time.perf_counter() - began
                self.seconds[part] += spent - (sum(self.seconds.values()) - database)

        return measured


def _part(statement: str) -> str:
    plain = statement.lstrip().upper()
    if "DEALER_LOAD SET" in plain or "INTO DEALER_LOAD" in plain:
        return "capacity"
    return "writing" if plain.startswith(("INSERT", "UPDATE", "DELETE")) else "reading"


@contextmanager
def _split(installed: Installation) -> Iterator[Split]:
    """Listens while it lives."""
    engine = installed.sessions.kw["bind"]
    split = Split()
    deciding = split.timed("deciding", decide_nearest)
    commit = split.timed("commit", engine.dialect.do_commit)
    event.listen(engine, "before_cursor_execute", split.before)
    event.listen(engine, "after_cursor_execute", split.after)
    with (
        patch.object(service, "decide_nearest", deciding),
        patch.object(engine.dialect, "do_commit", commit),
    ):
        yield split
    event.remove(engine, "before_cursor_execute", split.before)
    event.remove(engine, "after_cursor_execute", split.after)


def _bare_commits(installed: Installation) -> float:
    with act_as(installed.sessions(), SYSTEM) as session:
        session.execute(text("CREATE TABLE bare_commit (id bigserial, body text)"))
        session.commit()
        started = time.perf_counter()
        for _ in range(LEADS):
            session.execute(text("INSERT INTO bare_commit (body) VALUES ('x')"))
            session.commit()
        return LEADS / (time.perf_counter() - started)


def _accepted(installed: Installation) -> tuple[list[Any], float]:
    ids: list[Any] = []
    started = time.perf_counter()
    for number in range(LEADS + WARM_UP):
        with act_as(installed.sessions(), SYSTEM) as session:
            source = session.scalars(
                select(Source).where(Source.kind == "api", Source.country == "PL")
            ).first()
            assert source is not None
            lead = {
                "customer": {"full_name": "Jan", "email": f"road.{number}@example.com"},
                "address": {"city": CITIES[number % len(CITIES)], "country": "PL"},
            }
            delivery = Delivery(str(number).encode(), key=f"road:{number}")
            ids += accept(session, source, delivery, [lead], clock.now()).lead_ids
    return ids, len(ids) / (time.perf_counter() - started)


def _offered(installed: Installation, ids: list[Any]) -> float:
    started = time.perf_counter()
    for lead_id in ids:
        pipeline.advance(installed.sessions, lead_id, clock.now())
    return len(ids) / (time.perf_counter() - started)
