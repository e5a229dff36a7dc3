"""Monthly partitions of the tables that only grow; by their time-ordered ids."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, text

from lmt.db import uuid7_floor

PARTITIONED = ("event", "intake")
MONTHS_AHEAD = 3


def ensure_partitions(connection: Connection, at: datetime, months_back: int = 0) -> list[str]:
    """Make the partitions from `months_back` before `at` to three months after it.

    Returns the names of those made. A month's rows that already sit in the default partition
    stay there: that month is left out, nothing is moved under a running service.
    """
    made = []
    for months in range(-months_back, MONTHS_AHEAD + 1):
        start, end = _month(at, months), _month(at, months + 1)
        for table in PARTITIONED:
            name = f"{table}_{start:%Y_%m}"
            if _exists(connection, name) or _in_default(connection, table, start, end):
                continue
            connection.exec_driver_sql(
                f"CREATE TABLE {name} PARTITION OF {table}"
                f" FOR VALUES FROM ('{uuid7_floor(start)}') TO ('{uuid7_floor(end)}')"
            )
            made.append(name)
    return made


def _month(at: datetime, months: int) -> datetime:
    index = at.astimezone(UTC).year * 12 + at.astimezone(UTC).month - 1 + months
    return datetime(index // 12, index % 12 + 1, 1, tzinfo=UTC)


def _exists(connection: Connection, name: str) -> bool:
    return connection.scalar(text("SELECT to_regclass(:name)"), {"name": name}) is not None


def _in_default(connection: Connection, table: str, start: datetime, end: datetime) -> bool:
    found = connection.scalar(
        text(f"SELECT EXISTS (SELECT FROM {table}_default WHERE id >= :start AND id < :end)"),
        {"start": uuid7_floor(start), "end": uuid7_floor(end)},
    )
    return bool(found)
