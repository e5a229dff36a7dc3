"""The few statements by which a delivery becomes rows, as PostgreSQL reads them.

A delivery is in a hurry and belongs to the installation, so nothing here goes through the ORM, and
nothing is narrowed to an actor's part. That is why these statements run on a session that acts for
SYSTEM alone (anything else raises NoActor), and why they live in this module and the next to it,
`bulkstatements`: nobody else writes raw statements on scoped tables. Nothing here commits.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zlib import crc32

from psycopg.types.json import Jsonb
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from lmt.lifecycle import OPEN
from lmt.scope import EVERYTHING, NoActor

Stamp = tuple[int, str]
"""The number of the latest change of the books, and the transaction that made it: a change that
was rolled back leaves its number to another."""

_OPEN = sorted(OPEN)
_CLAIMS, _BYTES = 7240716, 7240722
"""What advisory locks are taken on: a person's key, a body that could not be read."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Whether the delivery's key is ours, and the stamp of the books at that moment."""

    made: bool
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a delivery with the same key made."""

    body_hash: bytes
    leads: Sequence[Any]
    """Rows in order: id, reference, status, whether it was `made` or there before, and who it is
    from."""


def connection_of(session: Session) -> Connection:
    """The connection of a session that acts for SYSTEM. Raises NoActor for any other."""
    actor = session.info.get("actor")
    if actor is None or not actor.may(EVERYTHING):
        raise NoActor("deliveries are written for the installation")
    return session.connection()


def stamp_of(connection: Connection) -> Stamp:
    row = _run(connection, "SELECT version, xmin::text FROM reference_version", {}).one()
    return row[0], row[1]


_CLAIM = """
WITH claimed AS (
  INSERT INTO delivery_key (source_id, key, body_hash, intake_id, lead_ids, created_at)
  VALUES (%(source_id)s, %(key)s, %(body_hash)s, %(intake_id)s, %(lead_ids)s, %(at)s)
  ON CONFLICT (source_id, key) DO UPDATE SET body_hash = excluded.body_hash,
    intake_id = excluded.intake_id, lead_ids = excluded.lead_ids, created_at = excluded.created_at
    WHERE delivery_key.created_at < %(forgotten_before)s::timestamptz
  RETURNING source_id
), kept AS (
  INSERT INTO intake (id, source_id, received_at, content_type, body, body_hash, status, problem,
    times, note)
  SELECT %(intake_id)s, source_id, %(at)s, %(content_type)s, %(body)s, %(body_hash)s, 'accepted',
    '{}', 1, '' FROM claimed WHERE %(is_new)s
), met AS MATERIALIZED (
  SELECT pg_advisory_xact_lock(%(claims)s::int, number) FROM unnest(%(locks)s::int[]) AS number
  WHERE EXISTS (SELECT FROM claimed)
)
SELECT EXISTS (SELECT FROM claimed), version, xmin::text, (SELECT count(*) FROM met),
  set_config('plan_cache_mode', 'force_generic_plan', true)
FROM reference_version
"""


def claim(connection: Connection, *, people: Sequence[tuple[str, str]], **delivery: Any) -> Claim:
    """Take the delivery's key, keep its bytes, and wait for whoever brings the same people.

    One of two that bring the same delivery waits here until the other has committed, and then
    finds the key taken. `people` are the keys of everybody in it: who brings one of them
    waits until we have committed, in one order, or two would wait for each other in a ring. What
    they left is seen by the next statement, not by this one. What follows in the transaction looks
    up by keys alone, so its plans are made once.
    """
    values = {**delivery, "locks": _numbers(people), "claims": _CLAIMS}
    row = _run(connection, _CLAIM, values).one()
    return Claim(made=row[0], stamp=(row[1], row[2]))


def hold_people(connection: Connection, people: Iterable[tuple[str, str]]) -> None:
    """Wait for whoever brings these people just now, and let nobody bring them until we have
    committed: for those who change which customer a key leads to."""
    lock = (
        "SELECT count(pg_advisory_xact_lock(%(claims)s::int, number))"
        " FROM unnest(%(locks)s::int[]) AS number"
    )
    _run(connection, lock, {"locks": _numbers(people), "claims": _CLAIMS})


def _numbers(people: Iterable[tuple[str, str]]) -> list[int]:
    """What stands for the keys of people in locks, in the one order for all."""
    return sorted({crc32(f"{kind}:{value}".encode()) - 2**31 for kind, value in people})


_EARLIER = """
SELECT d.body_hash, lead.id, lead.reference, lead.status, lead.intake_id = d.intake_id AS made,
  lead.full_name, lead.company, lead.email, lead.phone, lead.country, lead.postcode, lead.city,
  lead.street
FROM delivery_key AS d
LEFT JOIN unnest(d.lead_ids) WITH ORDINALITY AS named (id, place) ON true
LEFT JOIN lead ON lead.id = named.id
WHERE d.source_id = %(source_id)s AND d.key = %(key)s AND d.created_at >= %(since)s::timestamptz
ORDER BY named.place
"""


def earlier(connection: Connection, source_id: int, key: str, since: str) -> Earlier | None:
    """What came with this key since then (an instant as text); None where nothing did."""
    rows = _run(connection, _EARLIER, {"source_id": source_id, "key": key, "since": since}).all()
    if not rows:
        return None
    return Earlier(bytes(rows[0].body_hash), [row for row in rows if row.id is not None])


_OPEN_LEADS = """
SELECT id, reference, status, brand_id, request_type, model, given #>> '{vehicle,vin}' AS vin
FROM lead
WHERE customer_id = %(customer_id)s AND market_id = %(market_id)s AND test = %(test)s
  AND status = ANY(%(open)s) AND created_at > %(since)s
ORDER BY created_at DESC, id DESC LIMIT 50
"""


def open_leads(
    connection: Connection, customer_id: int, market_id: int, *, test: bool, since: datetime
) -> list[Any]:
    """The customer's open leads of a market that came after `since`, the latest first."""
    values = {
        "customer_id": customer_id, "market_id": market_id, "test": test, "since": since,
        "open": _OPEN,
    }  # fmt: skip
    return list(_run(connection, _OPEN_LEADS, values))


SAME_PERSON = """
  keys AS (
    INSERT INTO customer_key (kind, value, customer_id)
    SELECT k.kind, k.value, who.id
    FROM who, unnest(%(key_kinds)s::text[], %(key_values)s::text[]) AS k (kind, value)
    ON CONFLICT DO NOTHING
  ), doubts AS (
    INSERT INTO duplicate_suggestion (customer_id, other_id, score, reasons, at, answer)
    SELECT greatest(who.id, d.other_id), least(who.id, d.other_id), d.score,
      string_to_array(d.reasons, ' '), %(at)s, ''
    FROM who, unnest(%(doubted)s::int[], %(scores)s::float8[], %(reasons)s::text[])
      AS d (other_id, score, reasons) WHERE d.other_id <> who.id
    ON CONFLICT DO NOTHING
  )"""
_CONSENTS = """
  consents AS (
    INSERT INTO consent (lead_id, purpose, given, text_version, text_hash, language, origin, at,
      to_confirm)
    SELECT took.id, c.purpose, c.given, c.text_version, c.text_hash, c.language, %(origin)s, c.at,
      c.to_confirm
    FROM took, unnest(%(purposes)s::text[], %(answers)s::bool[], %(text_versions)s::text[],
      %(text_hashes)s::text[], %(text_languages)s::text[], %(agreed_at)s::timestamptz[],
      %(to_confirm)s::bool[])
      AS c (purpose, given, text_version, text_hash, language, at, to_confirm)
  )"""
_EVENT = """
  told AS (
    INSERT INTO event (id, lead_id, at, kind, data)
    SELECT %(event_id)s, took.id, %(at)s, %(event)s, %(facts)s FROM took
  )"""
_WAKE = "pg_notify('lmt_leads', '')"
"""As `lmt.db.wake`, without a statement of its own."""

MEET_PERSON = f"""
  found AS (
    SELECT c.*, ARRAY(SELECT ARRAY[kind, value] FROM customer_key WHERE customer_id = c.id) AS keys
    FROM (
      SELECT DISTINCT near.customer_id
      FROM unnest(%(key_kinds)s::text[], %(key_values)s::text[]) AS asked (kind, value)
      CROSS JOIN LATERAL (
        SELECT customer_id FROM customer_key WHERE kind = asked.kind AND value = asked.value
        ORDER BY customer_id DESC LIMIT 25
      ) AS near
    ) AS named
    CROSS JOIN LATERAL (SELECT * FROM customer WHERE id = named.customer_id OFFSET 0) AS c
    WHERE c.merged_into_id IS NULL AND %(only_newcomers)s
  ), newcomer AS (
    INSERT INTO customer (id, kind, full_name, company, language, country, postcode, city, street,
      created_at)
    SELECT coalesce(%(newcomer_id)s::int, nextval('customer_id_seq')), %(customer_kind)s,
      %(full_name)s, %(company)s, %(spoken)s, %(country)s, %(postcode)s, %(city)s, %(street)s,
      %(at)s
    WHERE %(customer_id)s::int IS NULL AND NOT EXISTS (SELECT FROM found)
    RETURNING id
  ), who AS (
    SELECT id FROM newcomer
    UNION ALL SELECT %(customer_id)s::int WHERE %(customer_id)s::int IS NOT NULL
  ), {SAME_PERSON}"""
"""Whom the keys name, and the customer `who`: the one named, or a newcomer."""

_WRITE_LEAD = f"""
WITH {MEET_PERSON}, took AS (
    INSERT INTO lead (id, reference, market_id, source_id, campaign_id, intake_id, import_id,
      form_version_id, customer_id, test, full_name, company, email, phone, language, country,
      region, postcode, city, street, lat, lon, timezone, location_method, brand_id, model,
      model_id, request_type,
      service, comments, preferred_dealer, given, tags, points, band, status, cause, next_action_at,
      escalated_minutes, waiting_for, call_at, first_call_at, asked_again, sent_at, created_at,
      postponed)
    SELECT %(id)s, %(reference)s, %(market_id)s, %(source_id)s, %(campaign_id)s::int,
      %(intake_id)s, %(import_id)s::uuid, %(form_version_id)s::int, who.id, %(test)s,
      %(full_name)s, %(company)s, %(email)s, %(phone)s, %(language)s, %(country)s,
      %(region)s, %(postcode)s, %(city)s,
      %(street)s, %(lat)s::float8, %(lon)s::float8, '', '', %(brand_id)s::int, %(model)s,
      %(model_id)s::int, %(request_type)s, '', %(comments)s, %(preferred_dealer)s, %(given)s,
      '{{}}', 0, 'warm', 'received', '', %(next_action_at)s, 0, '{{}}', %(call_at)s::timestamptz,
      %(first_call_at)s::timestamptz, 0, %(sent_at)s::timestamptz, %(at)s, 0
    FROM who
    RETURNING id
  ), {_CONSENTS}, {_EVENT}, woken AS (SELECT {_WAKE} FROM took)
SELECT found.*, (SELECT count(*) FROM woken) FROM (SELECT) AS always LEFT JOIN found ON true
"""


def write_lead(
    connection: Connection, lead: Mapping[str, Any], *, only_newcomers: bool
) -> list[Any]:
    """A lead with its event, its consents and its customer: a new one where `customer_id` is None.

    With `only_newcomers` nothing is written where one of the keys names somebody we know; those
    customers are returned, with all their `keys`. (Of a name that many bear in one place
    only the latest: it proves nothing of any of them.) No rows: the lead is written.

    Constraints are looked at when the statement ends, so what it writes may refer to itself.
    """
    values = {**lead, "only_newcomers": only_newcomers}
    return [row for row in _run(connection, _WRITE_LEAD, values) if row.id is not None]


_JOIN = f"""
WITH took AS (
    UPDATE lead SET asked_again = asked_again + 1,
      next_action_at = CASE WHEN status = 'received' AND %(import_id)s::uuid IS NOT NULL
        THEN greatest(next_action_at, %(at)s) ELSE %(at)s END,
      call_at = coalesce(%(call_at)s::timestamptz, call_at),
      first_call_at = CASE WHEN import_id IS NULL THEN first_call_at
        ELSE coalesce(first_call_at, %(first_call_at)s::timestamptz) END,
      phone = CASE WHEN phone = '' THEN %(new_phone)s ELSE phone END,
      email = CASE WHEN email = '' THEN %(new_email)s ELSE email END
    WHERE id = %(id)s AND status = ANY(%(open)s)
    RETURNING id, customer_id
  ), inquired AS (
    INSERT INTO inquiry (id, lead_id, intake_id, source_id, campaign_id, at, request_type, model,
      comments, preferred_dealer, given, form_version_id)
    SELECT %(inquiry_id)s, took.id, %(intake_id)s, %(source_id)s, %(campaign_id)s::int, %(at)s,
      %(request_type)s, %(model)s, %(comments)s, %(preferred_dealer)s, %(given)s,
      %(form_version_id)s::int FROM took
  ), who AS (SELECT customer_id AS id FROM took),
  {SAME_PERSON}, {_CONSENTS}, {_EVENT}
SELECT {_WAKE} FROM took
"""


def join_lead(connection: Connection, lead: Mapping[str, Any]) -> bool:
    """The same again, for an open lead; False where it was closed while we looked at it. A phone or
    mail that nobody had given before is the lead's from now on. An import's row doesn't hurry a
    lead that waits for its release.

    Waits for a step that somebody takes with the lead right now.
    """
    return _run(connection, _JOIN, {**lead, "open": _OPEN}).first() is not None


_CLOSED_INQUIRY = f"""
WITH took AS (
    INSERT INTO inquiry (id, lead_id, intake_id, source_id, campaign_id, at, request_type, model,
      comments, preferred_dealer, given, form_version_id,
      handled_at)
    SELECT %(inquiry_id)s, lead.id, %(intake_id)s, %(source_id)s, %(campaign_id)s::int, %(at)s,
      %(request_type)s, %(model)s, %(comments)s, %(preferred_dealer)s, %(given)s,
      %(form_version_id)s::int, %(at)s
    FROM lead WHERE lead.id = %(id)s
    RETURNING lead_id AS id
  ), {_EVENT}
SELECT id FROM took
"""


def note_on_closed(connection: Connection, lead: Mapping[str, Any]) -> None:
    """What was said once more of a lead that is closed: kept beside it, nothing follows."""
    _run(connection, _CLOSED_INQUIRY, lead)


def point_key(
    connection: Connection, source_id: int, key: str, lead_ids: Sequence[uuid.UUID]
) -> None:
    """The delivery's leads turned out to be others than those it was claimed for."""
    _run(
        connection,
        "UPDATE delivery_key SET lead_ids = %(ids)s WHERE source_id = %(source_id)s"
        " AND key = %(key)s",
        {"ids": list(lead_ids), "source_id": source_id, "key": key},
    )


def move_home(connection: Connection, customer_id: int, values: Mapping[str, str]) -> None:
    """Where the customer lives now, and what was not known of them before."""
    names = ", ".join(f"{name} = %({name})s" for name in sorted(values))
    _run(
        connection, f"UPDATE customer SET {names} WHERE id = %(id)s", {**values, "id": customer_id}
    )


_COUNT_UNREAD = """
UPDATE intake SET times = times + 1, problem = %(problem)s
WHERE id = (SELECT id FROM intake WHERE source_id = %(source_id)s AND body_hash = %(body_hash)s
  AND status = 'quarantined' ORDER BY id LIMIT 1)
RETURNING id
"""


def count_unread(
    connection: Connection, source_id: int, body_hash: bytes, problem: Jsonb
) -> uuid.UUID | None:
    """Count the same bytes of a source once more, where they wait in quarantine; None: they don't.

    Whoever brings the same bytes at once waits until we have committed.
    """
    number = int.from_bytes(body_hash[:4], "big", signed=True)
    lock = "SELECT pg_advisory_xact_lock(%(kind)s::int, %(number)s::int)"
    _run(connection, lock, {"kind": _BYTES, "number": number})
    values = {"source_id": source_id, "body_hash": body_hash, "problem": problem}
    found = _run(connection, _COUNT_UNREAD, values).first()
    return None if found is None else found[0]


_KEEP_UNREAD = """
INSERT INTO intake (id, source_id, received_at, content_type, body, body_hash, status, problem,
  times, note)
VALUES (%(id)s, %(source_id)s, %(at)s, %(content_type)s, %(body)s, %(body_hash)s, 'quarantined',
  %(problem)s, 1, '')
"""


def keep_unread(connection: Connection, **values: Any) -> None:
    """Keep the bytes of a delivery in quarantine."""
    _run(connection, _KEEP_UNREAD, values)


def _run(connection: Connection, statement: str, values: Mapping[str, Any]) -> Any:
    return connection.exec_driver_sql(statement, dict(values))
