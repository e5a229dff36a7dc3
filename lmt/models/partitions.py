"""Monthly partitions of the tables that only grow; by their time-ordered ids."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from lmt.db import uuid7_floor

PARTITIONED = {"intake": "source", "event": 'lead, dealer, "user"'}
"""In the order in which a delivery writes them, each with the tables that it refers to."""
MONTHS_AHEAD = 3
_MADE_HERE = re.compile(r"(\d{4})_(0[1-9]|1[0-2])")
_Month = tuple[datetime, datetime]
_PARTITIONS = (
    "SELECT c.relname AS name, p.relname AS of_table, pg_total_relation_size(c.oid) AS size_bytes"
    " FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid"
    " JOIN pg_class AS p ON p.oid = i.inhparent WHERE p.relname = ANY(:tables)"
    " ORDER BY p.relname, c.relname"
)


def ensure_partitions(connection: Connection, at: datetime, months_back: int = 0) -> list[str]:
    """Make the partitions from `months_back` before `at` to three months after it.

    Returns the names of those made. A month's rows that already sit in the default partition
    stay there: that month is left out, nothing is moved under a running service.
    """
    months = range(-months_back, MONTHS_AHEAD + 1)
    spans = [(month_on(at, each), month_on(at, each + 1)) for each in months]
    if not any(_missing(connection, spans).values()):
        return []
    # Two workers that start at once must not make the same one.
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7240715)")
    missing = _missing(connection, spans)
    made = []
    for table, referred in PARTITIONED.items():
        if not missing[table]:
            continue
        # A new partition locks what it refers to. Taken in the order of the writers, who write a
        # lead before its event, nobody waits for us while we wait for them.
        connection.exec_driver_sql(f"LOCK TABLE {referred} IN SHARE ROW EXCLUSIVE MODE")
        for start, end in missing[table]:
            name = f"{table}_{start:%Y_%m}"
            if _in_default(connection, table, start, end):
                continue
            connection.exec_driver_sql(
                f"CREATE TABLE {name} PARTITION OF {table}"
                f" FOR VALUES FROM ('{uuid7_floor(start)}') TO ('{uuid7_floor(end)}')"
            )
            made.append(name)
    return made


@dataclass(frozen=True, slots=True)
class Partition:
    """A month of a table of PARTITIONED; its default, and what others attached, has none here.
    `size_bytes` with indexes and long values."""

    name: str
    table: str
    starts_at: datetime | None
    ends_at: datetime | None
    size_bytes: int


def partitions(connection: Connection) -> list[Partition]:
    """What there is, by table and month, the oldest first and the table's default last."""
    found = connection.execute(text(_PARTITIONS), {"tables": list(PARTITIONED)})
    return [_partition(*row) for row in found]


def _partition(name: str, table: str, size_bytes: int) -> Partition:
    month = _MADE_HERE.fullmatch(name.removeprefix(f"{table}_"))
    if month is None:
        return Partition(name, table, None, None, size_bytes)
    starts_at = datetime(int(month[1]), int(month[2]), 1, tzinfo=UTC)
    return Partition(name, table, starts_at, month_on(starts_at, 1), size_bytes)


def _missing(connection: Connection, months: list[_Month]) -> dict[str, list[_Month]]:
    """The months without a partition, by table."""
    there = set(connection.scalars(text(_PARTITIONS), {"tables": list(PARTITIONED)}))
    return {
        table: [span for span in months if f"{table}_{span[0]:%Y_%m}" not in there]
        for table in PARTITIONED
    }


def month_on(at: datetime, months: int) -> datetime:
    """The first instant of the month that lies `months` after that of `at`, in UTC."""
    index = at.astimezone(UTC).year * 12 + at.astimezone(UTC).month - 1 + months
    return datetime(index // 12, index % 12 + 1, 1, tzinfo=UTC)


def _in_default(connection: Connection, table: str, start: datetime, end: datetime) -> bool:
    found = connection.scalar(
        text(f"SELECT EXISTS (SELECT FROM {table}_default WHERE id >= :start AND id < :end)"),
        {"start": uuid7_floor(start), "end": uuid7_floor(end)},
    )
    return bool(found)
