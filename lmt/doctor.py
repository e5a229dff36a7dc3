"""`lmt doctor`: is the installation sound, and if not, what is to be mended?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lmt import schema
from lmt.config import Settings
from lmt.db import engine_for, sessions_for
from lmt.hq.findingwords import finding_words
from lmt.keeping import months_kept
from lmt.lifecycle import QUEUES
from lmt.models import Heartbeat, Lead, Market, Message
from lmt.models.partitions import partitions
from lmt.reports.refresh import lag, put_aside
from lmt.routing.lint import ERROR, SEVERITIES, WARNING
from lmt.routing.linting import lint_market
from lmt.scope import SYSTEM, act_as

HEARTBEAT_AGE = timedelta(seconds=30)
FACTS_AGE = timedelta(minutes=1)
NEEDED_VERSION = 160000
WORKER_CONNECTIONS = 11
"""Its pool, the pool's overflow, and the listener."""
KEPT_ROWS = {"event": "histories", "intake": "deliveries"}
MOST_CALENDARS = 5
"""Of the things wrong with calendars, so many are told one by one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `says` what to mend where it isn't `ok`."""

    what: str
    ok: bool
    says: str


def examine(settings: Settings, at: datetime) -> list[Finding]:
    """Everything that can be checked from here; stops at a database that doesn't answer."""
    engine = engine_for(settings.database_url, application_name="lmt doctor")
    try:
        return list(_findings(engine, settings, at))
    except OperationalError as problem:
        return [Finding("database", False, f"does not answer: {problem.orig}")]
    finally:
        engine.dispose()


def _findings(engine: Engine, settings: Settings, at: datetime) -> Iterator[Finding]:
    with engine.connect() as connection:
        version = connection.scalar(text("SELECT current_setting('server_version_num')::int")) or 0
        most = connection.scalar(text("SELECT current_setting('max_connections')::int")) or 0
    yield Finding("PostgreSQL", version >= NEEDED_VERSION, f"{version}; 16 or newer is needed")
    needed = 2 * settings.web_threads + WORKER_CONNECTIONS
    yield Finding(
        "connections",
        needed <= most,
        f"one web and one worker process may open {needed} of {most} (max_connections)",
    )
    at_head = schema.current(engine) == schema.head()
    says = f"at {schema.current(engine)}, newest {schema.head()}; mend with `lmt init`"
    yield Finding("migrations", at_head, says)
    if at_head:
        with engine.connect() as connection:
            yield from _kept(connection, settings)
        with act_as(sessions_for(engine)(), SYSTEM) as session:
            yield _worker(session, at)
            yield _queues(session)
            yield _messages(session)
            yield _facts(session, at)
            yield from _calendars(session, at)


def _kept(connection: Connection, settings: Settings) -> Iterator[Finding]:
    """What histories and deliveries take, since when there are any, and how long they stay."""
    there = partitions(connection)
    for table, months in months_kept(settings).items():
        of_table = [each for each in there if each.table == table]
        since = min((each.name for each in of_table if each.starts_at is not None), default="")
        megabytes = sum(each.size_bytes for each in of_table) / 1_000_000
        stay = f"{months} months are kept" if months else "all are kept"
        first = since.removeprefix(f"{table}_").replace("_", "-") or "no month yet"
        says = f"{megabytes:,.0f} MB since {first}; {stay} (LMT_KEEP_{table.upper()}_MONTHS)"
        yield Finding(KEPT_ROWS[table], True, says)


def _worker(session: Session, at: datetime) -> Finding:
    last = session.scalars(select(func.max(Heartbeat.at))).one()
    alive = last is not None and at - last < HEARTBEAT_AGE
    return Finding("worker", alive, f"last heard of {last or 'never'}; start `lmt worker`")


def _queues(session: Session) -> Finding:
    waiting = session.scalars(
        select(func.count()).select_from(Lead).where(Lead.status.in_(QUEUES))
    ).one()
    return Finding("queues", True, f"{waiting} leads wait for a person")


def _messages(session: Session) -> Finding:
    failed = session.scalars(
        select(func.count()).select_from(Message).where(Message.status == "failed")
    ).one()
    return Finding("outbox", failed == 0, f"{failed} messages failed; see /hq/outbox")


def _facts(session: Session, at: datetime) -> Finding:
    late = lag(session, at)
    if aside := put_aside(session):
        says = f"{aside} leads can't be counted; the worker's log names them (facts.put_aside)"
        return Finding("reports", False, says)
    if late is None:
        return Finding("reports", True, "show all that has happened")
    behind = f"{late.total_seconds():,.0f} s behind; the worker makes them anew"
    return Finding("reports", late < FACTS_AGE, behind)


def _calendars(session: Session, at: datetime) -> Iterator[Finding]:
    """How the markets' calendars stand, and the worst of what was found."""
    found = [
        (market, finding)
        for market in session.scalars(select(Market).order_by(Market.code))
        for finding in lint_market(session, market.id, at)
    ]
    counts = Counter(finding.severity for _, finding in found)
    says = f"{counts[ERROR]} to be mended, {counts[WARNING]} to be checked; see /hq/calendars"
    yield Finding("calendars", not counts[ERROR], says)
    found.sort(key=lambda pair: SEVERITIES.index(pair[1].severity))
    for market, finding in found[:MOST_CALENDARS]:
        if finding.severity in {ERROR, WARNING}:
            words = finding_words(finding, market.timezone)
            whom = ", ".join(finding.dealers[:3]) or finding.country
            says = f"{market.code} {whom}: {words.what} {words.remedy}"
            yield Finding("calendar", finding.severity != ERROR, says)
