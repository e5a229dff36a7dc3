"""The few statements by which a chunk of an import's rows becomes leads, as PostgreSQL reads them.

Like `lmt.ingest.statements`: for a session that acts for SYSTEM alone, and nothing here commits.
Each is one for all rows. Locks are taken in the order of live intake: delivery keys, people,
customers, leads, each sorted; whoever takes them in another order waits in a ring.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import psycopg
from sqlalchemy import Connection

from lmt.ingest.statements import MEET_PERSON
from lmt.lifecycle import OPEN
from lmt.models.reference import new_reference

Key = tuple[str, str]
SOME_OF_MANY = 25
"""How many customers a key leads to at most: as in `statements.MEET_PERSON`."""
Way = tuple[str, str, int | None]
"""A phone or mail on a list: kind, value, the market's id (None: in every market)."""


@dataclass(frozen=True, slots=True)
class KeyClaim:
    """A delivery's key that is to be ours; `lead_id` None for a row that makes no lead."""

    key: str
    body_hash: bytes
    lead_id: uuid.UUID | None


_CLAIM = """
INSERT INTO delivery_key (source_id, key, body_hash, intake_id, lead_ids, created_at)
SELECT %(source_id)s, c.key, c.body_hash, %(intake_id)s, array_remove(ARRAY[c.lead_id], NULL),
  %(at)s
FROM unnest(%(keys)s::text[], %(hashes)s::bytea[], %(lead_ids)s::uuid[])
  AS c (key, body_hash, lead_id)
ON CONFLICT (source_id, key) DO UPDATE SET body_hash = excluded.body_hash,
  intake_id = excluded.intake_id, lead_ids = excluded.lead_ids, created_at = excluded.created_at
  WHERE delivery_key.created_at < %(forgotten_before)s AND starts_with(delivery_key.key, 'body:')
RETURNING key, set_config('plan_cache_mode', 'force_generic_plan', true)
"""


def claim_keys(
    connection: Connection,
    claims: Iterable[KeyClaim],
    *,
    source_id: int,
    intake_id: uuid.UUID,
    at: datetime,
    forgotten_before: datetime,
) -> set[str]:
    """Take these deliveries' keys, no two of them alike, and return those that are ours.

    Who brings one of them at once waits for us, and we for who came first. Keys of a sender's own
    ids are never forgotten, those of bytes when they are older than `forgotten_before`.
    """
    ordered = sorted(claims, key=lambda claim: claim.key)
    values = {
        "source_id": source_id, "intake_id": intake_id, "at": at,
        "forgotten_before": forgotten_before, "keys": [claim.key for claim in ordered],
        "hashes": [claim.body_hash for claim in ordered],
        "lead_ids": [claim.lead_id for claim in ordered],
    }  # fmt: skip
    return {row.key for row in _run(connection, _CLAIM, values)}


def taken_keys(
    connection: Connection, source_id: int, keys: Sequence[str]
) -> dict[str, tuple[bytes, list[uuid.UUID]]]:
    """What came with these keys before: the hash of the body, and the leads it made."""
    rows = _run(
        connection,
        "SELECT key, body_hash, lead_ids FROM delivery_key"
        " WHERE source_id = %(source_id)s AND key = ANY(%(keys)s::text[])",
        {"source_id": source_id, "keys": list(keys)},
    )
    return {row.key: (bytes(row.body_hash), list(row.lead_ids)) for row in rows}


_NAMED = f"""
SELECT asked.kind, asked.value, near.customer_id
FROM unnest(%(kinds)s::text[], %(values)s::text[]) AS asked (kind, value)
CROSS JOIN LATERAL (
  SELECT customer_id FROM customer_key WHERE kind = asked.kind AND value = asked.value
  ORDER BY customer_id DESC LIMIT {SOME_OF_MANY}
) AS near
ORDER BY near.customer_id
"""


def customers_named(connection: Connection, people: Collection[Key]) -> dict[Key, list[int]]:
    """The customers that each of these keys leads to, the latest last, as live intake finds them:
    of many only some."""
    values = {"kinds": [kind for kind, _ in people], "values": [value for _, value in people]}
    found: dict[Key, list[int]] = {}
    for kind, value, customer_id in _run(connection, _NAMED, values):
        found.setdefault((kind, value), []).append(customer_id)
    return found


_CUSTOMERS = """
SELECT c.id, full_name, company, language, country, postcode, city, street,
  ARRAY(SELECT ARRAY[kind, value] FROM customer_key WHERE customer_id = c.id) AS keys
FROM customer AS c WHERE id = ANY(%(ids)s::int[]) AND merged_into_id IS NULL
"""


def customer_rows(connection: Connection, ids: Collection[int]) -> dict[int, Any]:
    """These customers with their `keys`, by id, but for those who turned out to be another."""
    return {row.id: row for row in _run(connection, _CUSTOMERS, {"ids": list(ids)})}


_LOCK_CUSTOMERS = """
SELECT id FROM customer WHERE id = ANY(%(ids)s::int[]) ORDER BY id FOR NO KEY UPDATE
"""
_LOCK_LEADS = """
SELECT id FROM lead WHERE id = ANY(ARRAY(
  SELECT near.id FROM unnest(%(customers)s::int[]) AS theirs (id) CROSS JOIN LATERAL (
    SELECT id FROM lead WHERE customer_id = theirs.id AND status = ANY(%(open)s)
    ORDER BY created_at DESC, id DESC LIMIT 50
  ) AS near UNION SELECT unnest(%(leads)s::uuid[])
)) ORDER BY id FOR NO KEY UPDATE
"""


def lock_known(
    connection: Connection,
    customer_ids: Collection[int],
    lead_ids: Collection[uuid.UUID | None],
) -> None:
    """Lock the customers that rows may turn out to be from, then the leads they may be joined to:
    one after the other in the order of the rows, another chunk could hold what we want next."""
    customers = sorted(customer_ids)
    _run(connection, _LOCK_CUSTOMERS, {"ids": customers}).all()
    values = {"customers": customers, "leads": list(lead_ids), "open": sorted(OPEN)}
    _run(connection, _LOCK_LEADS, values).all()


def new_customer_ids(connection: Connection, count: int) -> list[int]:
    """Ids for so many newcomers, growing."""
    statement = "SELECT nextval('customer_id_seq') FROM generate_series(1, %(count)s::int)"
    return sorted(row[0] for row in _run(connection, statement, {"count": count}))


def new_references(connection: Connection, count: int) -> list[str]:
    """So many references that no lead has: among a million new ones two may well be alike."""
    free: set[str] = set()
    while len(free) < count:
        drawn = {new_reference() for _ in range(count - len(free))}
        statement = "SELECT reference FROM lead WHERE reference = ANY(%(drawn)s::text[])"
        free |= drawn - {row[0] for row in _run(connection, statement, {"drawn": list(drawn)})}
    return list(free)


_HOLD_RELEASES = """
INSERT INTO release (market_id, next_at)
SELECT market_id, %(at)s FROM unnest(%(markets)s::int[]) AS market_id
ON CONFLICT (market_id) DO UPDATE SET next_at = greatest(release.next_at, excluded.next_at)
RETURNING market_id, next_at
"""


def hold_releases(
    connection: Connection, market_ids: Collection[int], at: datetime
) -> dict[int, datetime]:
    """When each of these markets' next lead may set off; nobody else says until we commit."""
    values = {"markets": sorted(market_ids), "at": at}
    return {row.market_id: row.next_at for row in _run(connection, _HOLD_RELEASES, values)}


def move_releases(connection: Connection, cursors: Mapping[int, datetime]) -> None:
    """From when on the leads that come after ours may set off, by market."""
    _run(
        connection,
        "UPDATE release SET next_at = c.next_at"
        " FROM unnest(%(markets)s::int[], %(instants)s::timestamptz[]) AS c (market_id, next_at)"
        " WHERE release.market_id = c.market_id",
        {"markets": list(cursors), "instants": list(cursors.values())},
    )


def listed_ways(connection: Connection, ways: Collection[Way]) -> set[Way]:
    """Which of these may not be used, with the list that says so."""
    rows = _run(
        connection,
        "SELECT DISTINCT s.kind, s.value, s.market_id"
        " FROM unnest(%(kinds)s::text[], %(values)s::text[], %(markets)s::int[])"
        " AS asked (kind, value, market_id) JOIN suppression AS s"
        " ON s.kind = asked.kind AND s.value = asked.value AND s.lifted_at IS NULL"
        " AND (s.market_id IS NULL OR s.market_id = asked.market_id)",
        _ways(ways),
    )
    return {(row.kind, row.value, row.market_id) for row in rows}


def list_ways(connection: Connection, ways: Collection[Way], *, origin: str, at: datetime) -> None:
    """Put these on their markets' lists, as `lmt.donotcontact.suppress` does one."""
    _run(
        connection,
        "INSERT INTO suppression (kind, value, market_id, origin, reason, created_at)"
        " SELECT kind, value, market_id, %(origin)s, '', %(at)s"
        " FROM unnest(%(kinds)s::text[], %(values)s::text[], %(markets)s::int[])"
        " AS asked (kind, value, market_id) ON CONFLICT DO NOTHING",
        {**_ways(ways), "origin": origin, "at": at},
    )


def _ways(ways: Collection[Way]) -> dict[str, Any]:
    kinds, values, markets = zip(*sorted(ways, key=str), strict=True)
    return {"kinds": list(kinds), "values": list(values), "markets": list(markets)}


_WRITE_PERSON = f"""
WITH {MEET_PERSON}
SELECT found.*, (SELECT id FROM who) AS who_id FROM (SELECT) AS always LEFT JOIN found ON true
"""


def write_person(
    connection: Connection, person: Mapping[str, Any], *, only_newcomers: bool
) -> tuple[int | None, list[Any]]:
    """A customer without a lead, as `statements.write_lead` writes one with it: their id, or None
    and the customers whom their keys name."""
    values = {**person, "only_newcomers": only_newcomers}
    rows = _run(connection, _WRITE_PERSON, values).all()
    return rows[0].who_id, [row for row in rows if row.id is not None]


def owners(connection: Connection, lead_ids: Iterable[uuid.UUID | None]) -> dict[uuid.UUID, int]:
    """The customers whose these leads are."""
    rows = _run(
        connection,
        "SELECT id, customer_id FROM lead WHERE id = ANY(%(ids)s::uuid[])",
        {"ids": list(lead_ids)},
    )
    return {row.id: row.customer_id for row in rows}


def copy_rows(
    connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Write many rows of a table at once."""
    into = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    with into.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for row in rows:
            copy.write_row(row)


def wake_worker(connection: Connection) -> None:
    """As `lmt.db.wake` for leads."""
    _run(connection, "SELECT pg_notify('lmt_leads', '')", {})


def _run(connection: Connection, statement: str, values: Mapping[str, Any]) -> Any:
    return connection.exec_driver_sql(statement, dict(values))
