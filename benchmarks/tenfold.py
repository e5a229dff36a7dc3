"""Reports over many times the facts that the leads have: what reports read grows to ten million
leads on a disk without room for the leads, their histories and deliveries themselves.

Each copy of a lead's facts is another lead on the same day at the same dealers, so that every count
is so many times what it was and every median the same: which is checked.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Table, inspect, text

from lmt import clock
from lmt.db import SessionFactory
from lmt.models import LeadFact, ShareFact
from lmt.reports import rollups
from lmt.reports.answer import Answer

COPIED: tuple[tuple[Any, str], ...] = ((LeadFact, "lead_id"), (ShareFact, "decision_id"))
"""Facts, and what is another in each copy."""


@contextmanager
def multiplied(engine: Engine, sessions: SessionFactory, times: int) -> Iterator[float]:
    """The facts so many times, months added up anew: the seconds that took. As they were after."""
    _restored(engine, sessions)
    started = time.perf_counter()
    with engine.begin() as connection:
        for model, other in COPIED:
            _multiply(connection, model.__table__, other, times)
    _rolled(engine, sessions)
    try:
        yield time.perf_counter() - started
    finally:
        _restored(engine, sessions)


def _multiply(connection: Connection, table: Table, other: str, times: int) -> None:
    """The rows that were there are kept beside; a run that ends early is mended by the next."""
    name, kept = table.name, _kept(table)
    connection.execute(text(f"CREATE UNLOGGED TABLE {kept} AS TABLE {name}"))
    columns = [column.name for column in table.columns]
    values = [
        f"md5({other}::text || copy)::uuid" if column == other else column for column in columns
    ]
    connection.execute(
        text(
            f"INSERT INTO {name} ({', '.join(columns)}) SELECT {', '.join(values)}"
            f" FROM {kept}, generate_series(2, :times) AS copy"
        ),
        {"times": times},
    )


def _restored(engine: Engine, sessions: SessionFactory) -> None:
    """Only the facts of leads that are there."""
    there = inspect(engine)
    changed = [model.__table__ for model, _ in COPIED if there.has_table(_kept(model.__table__))]
    if not changed:
        return
    with engine.begin() as connection:
        for table in changed:
            connection.execute(text(f"TRUNCATE {table.name}"))
            connection.execute(text(f"INSERT INTO {table.name} TABLE {_kept(table)}"))
            connection.execute(text(f"DROP TABLE {_kept(table)}"))
    _rolled(engine, sessions)


def _rolled(engine: Engine, sessions: SessionFactory) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE fact_slice SET rolled_at = NULL"))
    rollups.roll(sessions, clock.now(), resting=timedelta(0))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name in ("lead_fact", "share_fact", "fact_month", "share_month"):
            connection.exec_driver_sql(f"VACUUM ANALYZE {name}")


def _kept(table: Table) -> str:
    return f"{table.name}_kept"


def expect_so_many_times(once: Answer, often: Answer, times: int) -> None:
    """Raises AssertionError unless counts are `times` what they were, and medians the same."""
    for figure, factor in (
        ("leads", times),
        ("contacted", times),
        ("sold", times),
        ("response", 1),
    ):
        before, after = once.value(figure), often.value(figure)
        expected = None if before is None else before * factor
        assert after == expected, (figure, before, after, times)
