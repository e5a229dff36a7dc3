"""How far reports stay behind while a hundred leads arrive each second: a real worker makes their
facts while they are written, offered, accepted and contacted.
"""

from __future__ import annotations

import itertools
import os
import secrets
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import Connection, Engine, TextClause, text
from sqlalchemy.exc import OperationalError

from benchmarks.installation import process
from lmt import clock
from lmt.config import Settings
from lmt.db import uuid7

PER_SECOND = 100
SECONDS = int(os.environ.get("BENCH_ARRIVAL_SECONDS", "60"))
LATER = 10
"""So many seconds after its arrival a lead is accepted and its customer contacted."""
CATCH_UP_SECONDS = 120
MOST_TRIES = 5

# Newcomers are like leads that are there, of many dealers and markets.
_LIKE = text(
    "CREATE TEMP TABLE like_these AS SELECT id, row_number() OVER (ORDER BY md5(id::text)) - 1 AS n"
    " FROM (SELECT id FROM lead WHERE status = 'contacted' AND dealer_id IS NOT NULL"
    " ORDER BY id DESC LIMIT 20000) AS recent"
)
_NEW = text("""
WITH made AS (
  INSERT INTO lead
  SELECT (jsonb_populate_record(l, jsonb_build_object('id', new.id, 'reference', new.reference,
    'status', 'offered', 'created_at', :at, 'offered_at', :at, 'touched_at', NULL,
    'accepted_at', NULL, 'contacted_at', NULL, 'promise_at', NULL, 'resting_until', NULL,
    'next_action_at', CAST(:at AS timestamptz) + interval '30 days'))).*
  FROM unnest(CAST(:ids AS uuid[]), CAST(:references AS text[])) WITH ORDINALITY
    AS new (id, reference, place)
  JOIN like_these AS t ON t.n = (:second * :many + new.place) % (SELECT count(*) FROM like_these)
  JOIN lead AS l ON l.id = t.id
  RETURNING id, dealer_id
)
INSERT INTO offer (id, lead_id, dealer_id, state, reason, distance_km, offered_at, clock_at,
  minutes, hop, expires_at)
SELECT gen_random_uuid(), id, dealer_id, 'open', '', 4.2, :at, :at, 240, 1,
  CAST(:at AS timestamptz) + interval '1 day'
FROM made
""")
_TAKEN = (
    text("UPDATE offer SET state = 'accepted', closed_at = :at WHERE lead_id = ANY(:ids)"),
    text(
        "UPDATE lead SET status = 'contacted', accepted_at = :at, contacted_at = :at"
        " WHERE id = ANY(:ids)"
    ),
)
_NOT_DUE = text("""
UPDATE lead SET next_action_at = now() + interval '30 days' WHERE id IN (
  SELECT id FROM lead WHERE next_action_at < now() + interval '1 hour' LIMIT 1000)
""")
_LAG = text("SELECT extract(epoch FROM clock_timestamp() - min(at)) FROM fact_queue")


def arrivals(settings: Settings, engine: Engine) -> Iterator[dict[str, Any]]:
    with engine.connect() as connection:
        # Nothing else is due, however long ago the database was filled.
        while _write(connection, (_NOT_DUE, {})).rows:
            pass
    environment = {
        "DATABASE_URL": settings.database_url,
        "LMT_INSTANCE": str(settings.instance),
        "LMT_LOG_LEVEL": "ERROR",
    }
    with process([sys.executable, "-m", "lmt.cli", "worker"], environment):
        _until_caught_up(engine)
        lags, arrived, repeated = _arrived(engine)
        rest = _until_caught_up(engine)
    with engine.connect() as connection:
        counted = connection.execute(
            text("SELECT sum(leads), sum(contacted) FROM lead_fact WHERE lead_id = ANY(:ids)"),
            {"ids": arrived},
        ).one()
        expected = (len(arrived), len(arrived) - LATER * PER_SECOND)
        assert tuple(counted) == expected, (counted, expected)
    yield {
        "name": f"reports behind while {PER_SECOND} leads a second arrive, are offered and"
        f" contacted for {SECONDS} s: the longest",
        "value": round(max(lags), 1),
        "unit": "s",
        "median": round(sorted(lags)[len(lags) // 2], 1),
        "caught_up_after_s": round(rest, 1),
        "leads_written_per_s": round(len(arrived) / SECONDS, 1),
        "writes_repeated": repeated,
    }


def _arrived(engine: Engine) -> tuple[list[float], list[uuid.UUID], int]:
    """Lags in seconds, looked at all the while, the ids of who came, and how many writes had to be
    repeated."""
    lags: list[float] = []
    arrived: list[list[uuid.UUID]] = []
    repeated = 0
    with engine.connect() as connection:
        connection.execute(_LIKE)
        connection.commit()
        started = time.perf_counter()
        for second in itertools.count():
            while (since := time.perf_counter() - started) < second:
                lags.append(_lag(engine))
                time.sleep(0.1)
            if since >= SECONDS:
                return lags, list(itertools.chain.from_iterable(arrived)), repeated
            ids = [uuid7() for _ in range(PER_SECOND)]
            references = [secrets.token_hex(6).upper() for _ in ids]
            given: dict[str, Any] = {"at": clock.now(), "second": second, "many": PER_SECOND}
            new = _NEW, {**given, "ids": ids, "references": references}
            repeated += _write(connection, new).repeated
            arrived.append(ids)
            if second >= LATER:
                taken = {"ids": arrived[second - LATER], "at": clock.now()}
                repeated += _write(connection, *((each, taken) for each in _TAKEN)).repeated
    raise AssertionError("counting never ends")


class _Written(NamedTuple):
    rows: int
    """That the last statement changed."""
    repeated: int


def _write(connection: Connection, *statements: tuple[TextClause, dict[str, Any]]) -> _Written:
    """One transaction; once more where another held what it needed for longer than the connection
    waits, or each waited for the other."""
    for repeated in range(MOST_TRIES):
        try:
            with connection.begin():
                for statement, given in statements:
                    rows = connection.execute(statement, given).rowcount
            return _Written(rows, repeated)
        except OperationalError as error:
            if not isinstance(error.orig, (LockNotAvailable, DeadlockDetected)):
                raise
    raise AssertionError(f"held up {MOST_TRIES} times")


def _lag(engine: Engine) -> float:
    with engine.connect() as connection:
        return float(connection.scalar(_LAG) or 0.0)


def _until_caught_up(engine: Engine) -> float:
    """Seconds until no change waits."""
    started = time.perf_counter()
    while _lag(engine):
        if time.perf_counter() - started > CATCH_UP_SECONDS:
            raise AssertionError("the worker does not catch up")
        time.sleep(0.1)
    return time.perf_counter() - started
