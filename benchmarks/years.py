"""A million leads with all that reports count: eight events each, 1.3 offers, plans, outcomes with
values, verdicts; in fifteen markets with 2,000 dealers, over two years.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, text

from benchmarks.millions import DEALERS, LEADS, grow

MARKETS = 15
EVENTS = 8

# Each further market is like one that is there, and takes its share of that one's dealers.
_MARKETS = """
CREATE TEMP TABLE copies AS
SELECT n AS number, 'M' || n AS code, m.id AS like_id,
  nextval(pg_get_serial_sequence('market', 'id'))::int AS id
FROM generate_series(1, {markets} - (SELECT count(*) FROM market)) AS n
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS all_of
  FROM market) AS m ON m.place = n % m.all_of;
INSERT INTO market
SELECT (jsonb_populate_record(m, jsonb_build_object(
  'id', c.id, 'code', c.code, 'name', m.name || ' ' || c.number))).*
FROM copies AS c JOIN market AS m ON m.id = c.like_id;
INSERT INTO source
SELECT (jsonb_populate_record(s, jsonb_build_object(
  'id', nextval(pg_get_serial_sequence('source', 'id')), 'code', s.code || '-' || c.code,
  'market_id', c.id, 'campaign_id', NULL, 'key_hash', NULL))).*
FROM copies AS c JOIN source AS s ON s.market_id = c.like_id;
INSERT INTO campaign
SELECT (jsonb_populate_record(g, jsonb_build_object(
  'id', nextval(pg_get_serial_sequence('campaign', 'id')), 'code', g.code || '-' || c.code,
  'market_id', c.id, 'cost', 5000 + g.id, 'currency', m.currency))).*
FROM copies AS c JOIN campaign AS g ON g.market_id = c.like_id JOIN market AS m ON m.id = c.id;
UPDATE dealer SET market_id = c.id
FROM copies AS c
WHERE dealer.market_id = c.like_id AND dealer.code LIKE '%-x%'
  AND dealer.id % (1 + (SELECT count(*) FROM copies AS k WHERE k.like_id = c.like_id))
    = (SELECT count(*) FROM copies AS k WHERE k.like_id = c.like_id AND k.id <= c.id)
"""

_ROWS = {
    "routing_decision": """
INSERT INTO routing_decision (id, lead_id, at, policy_id, dealer_id, cause, inputs, result)
SELECT pg_temp.uuid_at(created_at, 'decision' || n), pg_temp.uuid_at(created_at, 'lead' || n),
  created_at + interval '2 minutes', NULL, CASE WHEN has_dealer THEN dealer_id END, '',
  jsonb_build_object('lat', lat, 'lon', lon),
  jsonb_build_object('how', 'nearest', 'chosen_id', CASE WHEN has_dealer THEN dealer_id END,
    'distance_km', 3.4, 'ranked', jsonb_build_array(
    jsonb_build_object('id', dealer_id, 'code', dealer_id::text, 'distance_km', 3.4, 'why', '',
      'weight', 1.0, 'open_now', true, 'opens_at', NULL),
    jsonb_build_object('id', other_id, 'code', other_id::text, 'distance_km', 5.1,
      'why', 'fair_share', 'weight', 1.0, 'open_now', true, 'opens_at', NULL)),
    'refused', jsonb_build_array(), 'more_refused', 0)
FROM drawn
JOIN (SELECT place AS other_place, dealer_id AS other_id FROM busy) AS other
  ON other_place = 1 + (pick + 36) % (SELECT count(*) FROM busy)
""",
    "offer": """
INSERT INTO offer (id, lead_id, dealer_id, decision_id, state, reason, distance_km, offered_at,
  clock_at, minutes, hop, expires_at, closed_at)
SELECT pg_temp.uuid_at(created_at, 'offer' || n || ' ' || hop),
  pg_temp.uuid_at(created_at, 'lead' || n),
  CASE WHEN hop = hops THEN dealer_id ELSE other_id END,
  CASE WHEN hop = hops THEN pg_temp.uuid_at(created_at, 'decision' || n) END,
  CASE WHEN hop < hops THEN CASE WHEN h1 % 3 = 0 THEN 'expired' ELSE 'declined' END
    WHEN status = 'offered' THEN 'open' WHEN is_open OR status IN ('won','lost') THEN 'accepted'
    ELSE 'withdrawn' END, CASE WHEN hop < hops AND h1 % 3 > 0 THEN 'capacity' ELSE '' END,
  h2 % 300 / 10.0, created_at + hop * interval '30 seconds',
  created_at + hop * interval '30 seconds', 240, hop,
  CASE WHEN status = 'offered' AND hop = hops
    THEN CAST(:at AS timestamptz) + (h2 % 480 - 40) * interval '1 minute'
    ELSE created_at + interval '4 hours' END,
  CASE WHEN hop < hops THEN created_at + (hop + 1) * interval '30 seconds'
    WHEN status <> 'offered' THEN taken_at END
FROM (SELECT drawn.*, CASE WHEN h3 % 20 = 0 THEN 3 WHEN h3 % 5 = 0 THEN 2 ELSE 1 END AS hops
  FROM drawn WHERE has_dealer) AS given
CROSS JOIN LATERAL generate_series(1, hops) AS hop
JOIN (SELECT place AS other_place, dealer_id AS other_id FROM busy) AS other
  ON other_place = 1 + (pick + hop * 37 - 1) % (SELECT count(*) FROM busy)
""",
    "event": """
INSERT INTO event (id, lead_id, at, kind, actor_id, dealer_id, data)
SELECT pg_temp.uuid_at(happened_at, kind || n), pg_temp.uuid_at(created_at, 'lead' || n),
  happened_at, kind, NULL, CASE WHEN of_dealer AND has_dealer THEN dealer_id END,
  jsonb_build_object('how', kind)
FROM drawn CROSS JOIN LATERAL (VALUES ('received', created_at, false),
  ('qualified', created_at + interval '1 second', false),
  ('located', created_at + interval '2 seconds', false),
  ('routed', created_at + interval '2 minutes', false),
  ('offered', created_at + interval '2 minutes', true),
  ('accepted', taken_at, true), ('contacted', reached_at, true),
  ('note', closed_at, true)) AS k (kind, happened_at, of_dealer)
""",
    "planned_action": """
INSERT INTO planned_action (lead_id, dealer_id, owner_id, kind, due_at, note, created_at, done_at)
SELECT pg_temp.uuid_at(created_at, 'lead' || n), dealer_id, user_id,
  pg_temp.one(ARRAY['call','visit','test_drive'], h2),
  CASE WHEN status IN ('accepted','contacted') THEN
    CAST(:at AS timestamptz) + (h2 % 96 - 24) * interval '1 hour'
    ELSE reached_at + interval '2 days' END, '', created_at,
  CASE WHEN status IN ('won','lost') AND h1 % 7 > 0 THEN
    reached_at + interval '2 days' + (h4 % 40) * interval '1 hour' END
FROM drawn WHERE status IN ('accepted','contacted') OR status IN ('won','lost') AND h2 % 3 < 2
""",
    "outcome": """
INSERT INTO outcome (lead_id, kind, at, dealer_id, user_id, reason, model, order_number, value,
  currency)
SELECT pg_temp.uuid_at(created_at, 'lead' || n), status, closed_at, drawn.dealer_id, NULL,
  CASE WHEN status = 'lost' THEN 'price' ELSE '' END, '', '',
  CASE WHEN status = 'won' THEN 20000 + h2 % 40000 END,
  CASE WHEN status = 'won' THEN market.currency END
FROM drawn JOIN market ON market.id = drawn.market_id WHERE status IN ('won','lost')
""",
    "verdict": """
INSERT INTO verdict (lead_id, dealer_id, user_id, verdict, note, at, contested_by, contest_note,
  answer, answer_note)
SELECT pg_temp.uuid_at(created_at, 'lead' || n), dealer_id, NULL,
  pg_temp.one(ARRAY['confirmed','partly','more','confirmed','window','bad_data'], h4), '',
  reached_at, '', '', '', ''
FROM drawn WHERE status IN ('won','lost') AND h1 % 2 = 0
""",
}


def grow_years(engine: Engine, at: datetime, leads: int = LEADS) -> None:
    """Add `leads` to a demo. Their facts are not made yet."""
    markets = [part.strip() for part in _MARKETS.format(markets=MARKETS).split(";\n")]
    grow(engine, at, leads, DEALERS, before=markets, rest=_ROWS)
    with engine.begin() as connection:
        rows = connection.execute(text("SELECT count(*) FROM market")).scalar_one()
        assert rows == MARKETS, rows
