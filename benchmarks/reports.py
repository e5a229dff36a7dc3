"""Reports over a million leads with their eight million events: facts made, each standard report,
the dashboard, and how far reports stay behind while leads arrive.

    BENCH_LEADS     how many leads (1,000,000)
    BENCH_SCALE     so many times that; the disk is looked at first
    BENCH_FACTS     reports once more over so many times the facts of those leads (`tenfold`)
    BENCH_FOLDER    a folder to keep the filled database in, and to take it from the next time
"""

from __future__ import annotations

import gc
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Flask
from flask import session as flask_session
from flask.testing import FlaskClient
from flask_security.utils import login_user
from sqlalchemy import Engine, select, text

from benchmarks import millions, rawreports
from benchmarks.arrivals import arrivals
from benchmarks.installation import database
from benchmarks.tenfold import expect_so_many_times, multiplied
from benchmarks.years import grow_years
from lmt import clock
from lmt.app import create_app
from lmt.collector import starting
from lmt.config import Settings
from lmt.db import SessionFactory, reading_sessions_for, sessions_for
from lmt.demo.fill import fill
from lmt.install import install
from lmt.models import Role, User
from lmt.reports import rollups
from lmt.reports.answer import Answer
from lmt.reports.ask import ask
from lmt.reports.question import Question, read
from lmt.reports.refresh import refresh
from lmt.reports.standard import STANDARD
from lmt.scope import SYSTEM, Actor, act_as, actor_of

LEADS = int(os.environ.get("BENCH_SCALE", "1")) * millions.LEADS
TIMES_FACTS = int(os.environ.get("BENCH_FACTS", "1"))
BYTES_A_LEAD = 14_000
"""At the fullest moment of the filling: rows, indexes, and the log of both."""
PERIODS = ("last_quarter", "last_12_months")
RUNS = 30
FEWEST_RUNS = 5
PATIENCE_SECONDS = 20
"""What takes longer than that in all is run less often than RUNS, FEWEST_RUNS at least."""
SAMPLE = 20_000
Figure = dict[str, Any]


def run() -> Iterator[Figure]:
    with _folder() as folder, database(folder) as (settings, engine):
        sessions = sessions_for(engine)
        if not _leads(engine):
            yield from _filled(engine, settings)
        else:
            yield from _sampled(engine, sessions)
        yield from _standing(engine)
        central = _central(sessions)
        yield from _reports(engine, actor_of(central))
        yield from _pages(settings, engine, central)
        yield from arrivals(settings, engine)
        if TIMES_FACTS > 1:
            yield from _many_facts(engine, actor_of(central))


@contextmanager
def _folder() -> Iterator[Path]:
    """Where the database is: the folder to be kept, else one that goes again."""
    with TemporaryDirectory() as short_lived:
        folder = Path(os.environ.get("BENCH_FOLDER") or short_lived)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "instance").exists():
            _expect_room(folder, LEADS)
        yield folder


def _expect_room(folder: Path, leads: int) -> None:
    free, needed = shutil.disk_usage(folder).free, leads * BYTES_A_LEAD
    if free < needed:
        raise SystemExit(
            f"{leads:,} leads need {needed / 1e9:.0f} GB in {folder} while they are made;"
            f" {free / 1e9:.0f} GB are free. BENCH_FOLDER names another folder."
        )


def _leads(engine: Engine) -> int:
    install(engine, clock.now())
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM lead")) or 0)


def _filled(engine: Engine, settings: Settings) -> Iterator[Figure]:
    """The database made, and all facts of it."""
    sessions = sessions_for(engine)
    fill(sessions, settings, at=clock.now(), leads=200)
    started = time.perf_counter()
    grow_years(engine, clock.now(), LEADS)
    yield _seconds(f"{LEADS} leads with their histories made", started)
    started = time.perf_counter()
    leads, months = rollups.rebuild(sessions, clock.now())
    yield {
        **_seconds(f"facts of {leads} leads made, {months} months added up", started),
        "leads_per_s": round(leads / (time.perf_counter() - started)),
    }
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


def _sampled(engine: Engine, sessions: SessionFactory) -> Iterator[Figure]:
    """Of a database kept from before: facts of some leads, and of all months."""
    refresh(sessions, clock.now())
    with engine.begin() as connection:
        queue = "INSERT INTO fact_queue (lead_id) SELECT id FROM lead ORDER BY id DESC LIMIT :most"
        connection.execute(text(queue), {"most": SAMPLE})
    started = time.perf_counter()
    leads = refresh(sessions, clock.now())
    yield {
        **_seconds(f"facts of {leads} leads made", started),
        "leads_per_s": round(leads / (time.perf_counter() - started)),
    }
    started = time.perf_counter()
    with engine.begin() as connection:
        connection.execute(text("UPDATE fact_slice SET rolled_at = NULL"))
    months = rollups.roll(sessions, clock.now(), resting=timedelta(0))
    yield _seconds(f"{months} months added up", started)


def _standing(engine: Engine) -> Iterator[Figure]:
    """What there is, and what room it takes."""
    with engine.connect() as connection:
        counted = connection.execute(
            text(
                "SELECT (SELECT count(*) FROM lead), (SELECT count(*) FROM event),"
                " (SELECT count(*) FROM offer), (SELECT count(*) FROM dealer),"
                " (SELECT count(*) FROM market), pg_database_size(current_database())"
            )
        ).one()
        leads, events, offers, dealers, markets, size = counted
        yield {
            "name": f"room of {leads} leads, {events} events, {offers} offers, {dealers} dealers,"
            f" {markets} markets",
            "value": round(size / 1e9, 2),
            "unit": "GB",
            "bytes_per_lead": {
                name: round(bytes_ / leads) for name, bytes_ in connection.execute(_ROOM)
            },
        }


_ROOM = text(
    "SELECT coalesce(p.relname, c.relname), sum(pg_total_relation_size(c.oid)) FROM pg_class AS c"
    " LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid"
    " LEFT JOIN pg_class AS p ON p.oid = i.inhparent"
    " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
    " GROUP BY 1 HAVING sum(pg_total_relation_size(c.oid)) > 20000000 ORDER BY 2 DESC"
)


def _reports(engine: Engine, central: Actor) -> Iterator[Figure]:
    """Each standard report for central, who sees all there is, beside the tables themselves."""
    reading = reading_sessions_for(engine)
    at = clock.now()
    for report in STANDARD:
        for period in PERIODS:
            start = {**report.start, "period": period}
            question, problems = read({}, at.date(), start=start)
            assert not problems, problems
            answered = partial(_answer, reading, central, at)
            raw = partial(_raw, engine)
            times = _times(partial(answered, question))
            raw_times = _times(partial(raw, question), FEWEST_RUNS)
            _expect_agreeing(answered, raw, question)
            yield {
                "name": f"report {report.code}, {period}",
                **_quantiles(times),
                "baseline": f"leads, contacted, sold and median by {question.rows or 'nothing'}"
                " from the tables",
                "baseline_value": round(_quantile(raw_times, 0.5) * 1000),
                "ratio": round(_quantile(times, 0.5) / _quantile(raw_times, 0.5), 3),
            }


def _many_facts(engine: Engine, central: Actor) -> Iterator[Figure]:
    """Each standard report over many times the facts, beside itself over those there were."""
    reading, at = reading_sessions_for(engine), clock.now()
    asked = {
        (report.code, period): read({}, at.date(), start={**report.start, "period": period})[0]
        for report in STANDARD
        for period in PERIODS
    }
    answer = partial(_answer, reading, central, at)
    once = {which: _quantile(_times(partial(answer, q)), 0.5) for which, q in asked.items()}
    told = {which: answer(_least(question)) for which, question in asked.items()}
    with multiplied(engine, sessions_for(engine), TIMES_FACTS) as seconds:
        yield {
            "name": f"facts made {TIMES_FACTS} times as many, and added up",
            "value": round(seconds, 1),
            "unit": "s",
        }
        for which, question in asked.items():
            times = _times(partial(answer, question))
            expect_so_many_times(told[which], answer(_least(question)), TIMES_FACTS)
            yield {
                "name": f"report {', '.join(which)}, of {TIMES_FACTS} times the facts",
                **_quantiles(times),
                "baseline": "the same of the facts once",
                "baseline_value": round(once[which] * 1000),
                "ratio": round(_quantile(times, 0.5) / once[which], 2),
            }


def _least(question: Question) -> Question:
    """What the tables are asked, too: without groups that only some figures have."""
    return replace(question, figures=rawreports.FIGURES, columns="", compare="", sort="")


def _answer(reading: SessionFactory, actor: Actor, at: datetime, question: Question) -> Answer:
    with act_as(reading(), actor) as session:
        return ask(session, question, at=at, currency="EUR")


def _raw(engine: Engine, question: Question) -> list[rawreports.Row]:
    with engine.connect() as connection:
        return rawreports.asked(connection, question.rows, question.first, question.last)


def _expect_agreeing(
    answered: Callable[[Question], Answer],
    raw: Callable[[Question], list[rawreports.Row]],
    question: Question,
) -> None:
    asked = _least(question)
    (whole,) = raw(replace(asked, rows=""))
    rawreports.expect_agreeing(answered(asked), raw(asked), whole=whole)


def _central(sessions: SessionFactory) -> User:
    """Somebody who sees all markets."""
    with act_as(sessions(), SYSTEM) as session:
        wanted = select(User).join(User.roles).where(Role.name == "central", User.active)
        return session.scalars(wanted.order_by(User.id).limit(1)).one()


def _pages(settings: Settings, engine: Engine, central: User) -> Iterator[Figure]:
    """Whole pages, through the application in this process."""
    with starting():
        app = create_app(settings, engine=engine)
    app.config["WTF_CSRF_ENABLED"] = False
    browser = _entered(app, central)
    for name, address in (
        ("dashboard of central", "/reports/dashboard"),
        ("reports, first page", "/reports/"),
        ("page of conversion by dealer and channel, last quarter",
         "/reports/show?report=conversion&rows=dealer&columns=channel&period=last_quarter"),
    ):  # fmt: skip
        if browser.get(address).status_code != 200:
            continue
        times = _times(partial(browser.get, address))
        yield {"name": name, **_quantiles(times)}


def _entered(app: Flask, user: User) -> FlaskClient:
    client = app.test_client()
    with app.test_request_context():
        login_user(user)
        told = dict(flask_session)
    with client.session_transaction() as kept:
        kept.update(told)
    return client


def _times(act: Callable[[], Any], runs: int = RUNS) -> list[float]:
    """Seconds of so many runs, or of fewer where they take long; one more goes before."""
    act()
    gc.collect()
    times: list[float] = []
    while len(times) < runs:
        if len(times) >= FEWEST_RUNS and sum(times) > PATIENCE_SECONDS:
            break
        started = time.perf_counter()
        act()
        times.append(time.perf_counter() - started)
    return times


def _quantile(times: list[float], of: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * of))]


def _quantiles(times: list[float]) -> Figure:
    return {
        "value": round(_quantile(times, 0.5) * 1000),
        "p95": round(_quantile(times, 0.95) * 1000),
        "unit": "ms",
        "runs": len(times),
    }


def _seconds(name: str, started: float) -> Figure:
    return {"name": name, "value": round(time.perf_counter() - started, 1), "unit": "s"}
