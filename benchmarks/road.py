"""A lead's way from accepted to offered, in one transaction; and from nothing to accepted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select, text

from benchmarks.installation import Installation, installation
from lmt import clock, pipeline
from lmt.ingest.accept import Delivery, accept
from lmt.models import Source
from lmt.scope import SYSTEM, act_as

LEADS = 200
CITIES = ("Warszawa", "Kraków", "Łódź", "Wrocław", "Poznań", "Gdańsk")


def run() -> Iterator[dict[str, Any]]:
    with installation() as installed:
        commits = _bare_commits(installed)
        ids, accepted = _accepted(installed)
        offered = _offered(installed, ids)
    for name, value in (("accepted in process", accepted), ("accepted to offered", offered)):
        yield {
            "name": f"leads {name}",
            "value": round(value, 1),
            "unit": "leads/s",
            "baseline": "transactions that insert one row",
            "baseline_value": round(commits, 1),
            "ratio": round(value / commits, 3),
        }


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
    for number in range(LEADS):
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
    return ids, LEADS / (time.perf_counter() - started)


def _offered(installed: Installation, ids: list[Any]) -> float:
    pipeline.advance(installed.sessions, ids[0], clock.now())
    started = time.perf_counter()
    for lead_id in ids[1:]:
        pipeline.advance(installed.sessions, lead_id, clock.now())
    return (LEADS - 1) / (time.perf_counter() - started)
