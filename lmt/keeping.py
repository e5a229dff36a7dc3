"""Whole months of old histories and deliveries are dropped, where an installation keeps them no
longer. Figures don't change: facts are made of the leads, never of their histories.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import structlog
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from lmt.config import Settings
from lmt.lifecycle import OPEN
from lmt.models import Event
from lmt.models.partitions import Partition, month_on, partitions

log = structlog.get_logger(__name__)

LOCK = 7240729
"""The advisory lock of the one process that drops."""
PATIENCE = "500ms"
"""A month is dropped under a lock on its whole table, and whoever comes meanwhile queues behind it.
Shorter than `deadlock_timeout`: in a ring of waiters the one who gives up is this one."""

_STILL_NEEDED = {
    "event": (
        "SELECT EXISTS (SELECT FROM {name} AS e JOIN lead AS l ON l.id = e.lead_id"
        " WHERE l.status = ANY(:open))"
    ),
    "intake": "SELECT EXISTS (SELECT FROM {name} WHERE status IN ('quarantined','fetching'))",
}


def months_kept(settings: Settings) -> dict[str, int]:
    """For each partitioned table how many months stay; 0 for all."""
    return {"event": settings.keep_event_months, "intake": settings.keep_intake_months}


def drop_old_partitions(engine: Engine, at: datetime, keep_months: Mapping[str, int]) -> list[str]:
    """Drop the months that ended longer than `keep_months[table]` months before `at`; returns the
    names of those dropped.

    A month stays, and the log says so, while a delivery in it still waits to be read or fetched,
    or an event in it belongs to an open lead; and until tomorrow where the table is busy.
    """
    with engine.begin() as mine:
        if not mine.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": LOCK}):
            return []
        old = [each for each in partitions(mine) if _is_over(each, at, keep_months)]
        return [each.name for each in old if _dropped(engine, each)]


def is_cut(events: Iterable[Event]) -> bool:
    """Has the beginning of a history gone? `events`: all that there are of one lead."""
    return all(event.kind != "received" for event in events)


def _is_over(partition: Partition, at: datetime, keep_months: Mapping[str, int]) -> bool:
    months = keep_months.get(partition.table, 0)
    if not months or partition.ends_at is None:
        return False
    return partition.ends_at <= month_on(at, -months)


def _dropped(engine: Engine, partition: Partition) -> bool:
    """Each in a transaction of its own, so that the table is locked for a moment only."""
    # Asked first without any lock: of a large month the answer takes a while.
    with engine.connect() as connection:
        needed = _is_needed(connection, partition)
    if not needed:
        try:
            with engine.begin() as connection:
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE}'")
                # Nobody puts a delivery back while it is looked at once more.
                connection.exec_driver_sql(f"LOCK TABLE {partition.name} IN SHARE MODE")
                needed = _is_needed(connection, partition)
                if not needed:
                    connection.exec_driver_sql(f"DROP TABLE {partition.name}")
        except OperationalError as problem:
            log.warning("partition.is_busy", partition=partition.name, problem=str(problem.orig))
            return False
    if needed:
        log.warning("partition.is_still_needed", partition=partition.name)
        return False
    log.info("partition.dropped", partition=partition.name, size_bytes=partition.size_bytes)
    return True


def _is_needed(connection: Connection, partition: Partition) -> bool:
    statement = text(_STILL_NEEDED[partition.table].format(name=partition.name))
    given = {"open": sorted(OPEN)} if partition.table == "event" else {}
    return bool(connection.scalar(statement, given))
