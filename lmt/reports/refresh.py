"""Makes the facts of leads anew once something of them changed, or time alone changes them.

Triggers of the database write changed leads into the queue, within the transaction of the change. A
batch is taken from it, made anew and written in one transaction: who is killed leaves the queue as
it was. Facts that come out as they stand are left alone, so that their month stays added up. A
lead of which no facts can be made is put aside for an hour, so that it holds up none of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import structlog
from sqlalchemy import case, exc, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.db import SessionFactory
from lmt.models import FactQueue, FactSlice
from lmt.reports.facts import COLUMNS, facts_of, is_counted, values_of
from lmt.reports.gather import Gathered, gathered
from lmt.reports.pasthours import PastHours
from lmt.reports.shares import SHARE_COLUMNS, share_values_of, shares_of
from lmt.scope import SYSTEM, act_as, as_system

log = structlog.get_logger(__name__)

BATCH = 1000
"""Leads in one transaction."""
ONE_AT_A_TIME = 0x4C4D_0801
"""The advisory lock of whoever makes facts: of all processes, one."""

_TAKE = text(
    "DELETE FROM fact_queue WHERE id = ANY(ARRAY("
    "SELECT id FROM fact_queue WHERE at <= clock_timestamp() ORDER BY id LIMIT :most))"
    " RETURNING lead_id"
)
_SETTLED = text(
    "SELECT lead_id FROM lead_fact WHERE settles_at <= :at ORDER BY settles_at LIMIT :most"
)
# What is put aside waits in the queue under an instant that is to come; what stands of it stays.
_AGAIN = text(
    "INSERT INTO fact_queue (lead_id, at) SELECT :lead_id, clock_timestamp() + interval '1 hour'"
    " WHERE NOT EXISTS"
    " (SELECT FROM fact_queue WHERE lead_id = :lead_id AND at > clock_timestamp())"
)
_UNSETTLED = text("UPDATE lead_fact SET settles_at = NULL WHERE lead_id = :lead_id")
_TROUBLE = (
    exc.OperationalError, exc.InterfaceError, psycopg.OperationalError, psycopg.InterfaceError,
    OSError, MemoryError,
)  # fmt: skip
"""Of the installation, not of a lead: the batch is tried once more as it is."""
Slice = tuple[int, date]
Rows = dict[UUID, list[tuple[Any, ...]]]


def refresh(
    sessions: SessionFactory,
    at: datetime,
    *,
    batch: int = BATCH,
    is_ending: Callable[[], bool] = lambda: False,
    progress: Callable[[int], None] = lambda leads: None,
) -> int:
    """Make anew all that is due at `at`, a batch at a time, until nothing is left; returns how many
    leads that were, which `progress` is told after each batch. Where another process is at it,
    there is nothing to do here."""
    hours, done = PastHours(), 0
    while not is_ending():
        with act_as(sessions(), SYSTEM) as session:
            leads = refresh_batch(session, at, hours, most=batch)
            session.commit()
        if not leads:
            break
        done += leads
        progress(done)
    return done


def refresh_due(sessions: SessionFactory, at: datetime, *, most: int = BATCH) -> int:
    """As `refresh`, `most` leads in a transaction."""
    return refresh(sessions, at, batch=most)


def refresh_all(sessions: SessionFactory | Session, at: datetime) -> int:
    """As `refresh`, of a session too: then within its own transaction, which is not committed."""
    if not isinstance(sessions, Session):
        return refresh(sessions, at)
    hours, done = PastHours(), 0
    sessions.flush()
    with as_system(sessions):
        while leads := refresh_batch(sessions, at, hours):
            done += leads
    return done


def refresh_batch(session: Session, at: datetime, hours: PastHours, *, most: int = BATCH) -> int:
    """Take leads that are due and make their facts anew; inside the caller's transaction. Returns
    how many were taken, 0 where another transaction is at it."""
    if not session.scalar(select(func.pg_try_advisory_xact_lock(ONE_AT_A_TIME))):
        return 0
    taken = set(session.scalars(_TAKE, {"most": most}))
    if len(taken) < most:
        taken.update(session.scalars(_SETTLED, {"at": at, "most": most - len(taken)}))
    if taken:
        _make_anew(session, sorted(taken), at, hours)
    return len(taken)


def lag(session: Session, at: datetime) -> timedelta | None:
    """The age of the oldest change that the facts don't show yet; None where they show all. On a
    replica that of the state that it has reached, where that is older."""
    due = select(FactQueue.at).where(FactQueue.at <= func.clock_timestamp())
    waiting = due.order_by(FactQueue.id).limit(1).scalar_subquery()
    reached = case((func.pg_is_in_recovery(), func.pg_last_xact_replay_timestamp()))
    oldest = session.scalar(select(func.least(waiting, reached)))
    return None if oldest is None else max(at - oldest, timedelta(0))


def put_aside(session: Session) -> int:
    """How many leads no facts could be made of; each is tried once more within the hour."""
    waiting = FactQueue.at > func.clock_timestamp()
    found = select(func.count(FactQueue.lead_id.distinct())).where(waiting)
    return session.scalars(found).one()


def made(found: Gathered, at: datetime, hours: PastHours) -> tuple[Rows, Rows]:
    """Facts and share facts of what was gathered, by lead: tuples in the order of COLUMNS and of
    SHARE_COLUMNS."""
    facts: Rows = {}
    shares: Rows = {}
    for history in found.histories:
        lead = history.lead
        facts[lead.id] = [values_of(fact) for fact in facts_of(history, at)]
        if not is_counted(lead):
            continue
        for decision in found.decisions.get(lead.id, ()):
            weights = {
                id: weight
                for id in {refusal.get("id") for refusal in decision.result.get("refused", ())}
                if id is not None and (weight := hours.weight(id, decision.at)) is not None
            }
            shares.setdefault(lead.id, []).extend(
                share_values_of(share)
                for share in shares_of(decision, weights, lead.market_id, lead.timezone)
            )
    return facts, shares


def _make_anew(session: Session, lead_ids: Sequence[UUID], at: datetime, hours: PastHours) -> None:
    """Where it fails, half by half, until the leads that it fails for are known."""
    try:
        with session.begin_nested():
            _rewrite(session, lead_ids, at, hours)
    except _TROUBLE:
        raise
    except Exception as error:
        hours.forget()
        middle = len(lead_ids) // 2
        if middle:
            _make_anew(session, lead_ids[:middle], at, hours)
            _make_anew(session, lead_ids[middle:], at, hours)
            return
        which = {"lead_id": lead_ids[0]}
        session.execute(_AGAIN, which)
        session.execute(_UNSETTLED, which)
        # The words of an error may hold what a customer wrote.
        log.error("facts.put_aside", lead_id=str(lead_ids[0]), error=type(error).__name__)


def _rewrite(session: Session, lead_ids: Sequence[UUID], at: datetime, hours: PastHours) -> None:
    facts, shares = made(gathered(session, lead_ids, hours), at, hours)
    connection = raw(session)
    changed: set[Slice] = set()
    for table, columns, rows in (
        ("lead_fact", COLUMNS, facts),
        ("share_fact", SHARE_COLUMNS, shares),
    ):
        changed |= _written(connection, table, columns, lead_ids, rows)
    mark_changed(session, changed, at)


def _written(
    connection: psycopg.Connection[Any],
    table: str,
    columns: tuple[str, ...],
    lead_ids: Sequence[UUID],
    rows: Rows,
) -> set[Slice]:
    """Put `rows` in the place of those that stand for these leads, where they differ; returns the
    months of the markets in which any did."""
    stored = stored_rows(connection, table, columns, lead_ids)
    different = [
        lead_id
        for lead_id in lead_ids
        if sorted_rows(stored.get(lead_id, ())) != sorted_rows(rows.get(lead_id, ()))
    ]
    gone = [lead_id for lead_id in different if lead_id in stored]
    if gone:
        connection.execute(f"DELETE FROM {table} WHERE lead_id = ANY(%s)", (gone,))
    new = [row for lead_id in different for row in rows.get(lead_id, ())]
    if new:
        copied = f"COPY {table} ({_quoted(columns)}) FROM STDIN"
        with connection.cursor() as cursor, cursor.copy(copied) as copy:
            for row in new:
                copy.write_row(row)
    market, month = columns.index("market_id"), columns.index("month")
    old = [row for lead_id in gone for row in stored[lead_id]]
    return {(row[market], row[month]) for row in (*old, *new)}


def stored_rows(
    connection: psycopg.Connection[Any],
    table: str,
    columns: tuple[str, ...],
    lead_ids: Sequence[UUID],
) -> Rows:
    """What stands for these leads, by lead."""
    found: Rows = {}
    place = columns.index("lead_id")
    read = f"SELECT {_quoted(columns)} FROM {table} WHERE lead_id = ANY(%s)"
    for row in connection.execute(read, (list(lead_ids),)):
        found.setdefault(row[place], []).append(row)
    return found


def sorted_rows(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """By their keys, which are the first two columns."""
    return sorted(rows, key=lambda row: row[:2])


def mark_changed(session: Session, slices: Iterable[Slice], at: datetime) -> None:
    """What was added up of these months no longer holds. In a fixed order, so that nobody who locks
    them waits in a ring."""
    rows = [
        {"market_id": market_id, "month": month, "changed_at": at, "rolled_at": None}
        for market_id, month in sorted(slices)
    ]
    if not rows:
        return
    added = insert(FactSlice).values(rows)
    session.execute(
        added.on_conflict_do_update(
            index_elements=["market_id", "month"],
            set_={"changed_at": added.excluded.changed_at, "rolled_at": None},
        )
    )


def raw(session: Session) -> psycopg.Connection[Any]:
    """The driver's own connection of the session's transaction: COPY, and rows as plain tuples."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection


def _quoted(columns: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in columns)
