"""A demo network grown to 2,000 dealers with a million leads, made inside the database: people of
many scripts, two years of history, one lead in twenty open, some dealers much busier than others.

Indexes and foreign keys of the big tables are taken off meanwhile and put back as they were.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection, Engine, text

from lmt.models.partitions import ensure_partitions

LEADS = int(os.environ.get("BENCH_LEADS", "1000000"))
DEALERS = 2_000
DAYS = 730
_BIG = (
    "lead", "customer", "event", "offer", "routing_decision", "planned_action", "message",
    "outcome", "verdict",
)  # fmt: skip

_FUNCTIONS = """
CREATE FUNCTION pg_temp.uuid_at(at timestamptz, salt text) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
    || '7' || substr(md5(salt), 1, 3) || '8' || substr(md5(salt), 4, 15))::uuid $$;
CREATE FUNCTION pg_temp.one(pool text[], n bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT pool[1 + n % cardinality(pool)] $$;
CREATE FUNCTION pg_temp.reference(n bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT left(drawn, 4) || '-' || right(drawn, 4) FROM (
    SELECT string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ',
      1 + ((n * 1000003 + 7919) % 1099511627776 >> shift & 31)::int, 1), '') AS drawn
    FROM unnest(ARRAY[0,5,10,15,20,25,30,35]) AS shift) AS letters $$
"""

_MORE_DEALERS = """
WITH known AS (
  SELECT d.id, d.code, row_number() OVER (ORDER BY d.id) AS place, count(*) OVER () AS all_of
  FROM dealer AS d JOIN dealer_terms AS t ON t.dealer_id = d.id
  WHERE t.valid @> CAST(:at AS timestamptz) AND t.active AND d.kind = 'showroom'
), wanted AS (
  SELECT n, k.id AS like_id, k.code || '-x' || n AS code
  FROM generate_series(1, greatest(0, :dealers - (SELECT count(*) FROM dealer))) AS n
  JOIN known AS k ON k.place = 1 + n % k.all_of
), made AS (
  INSERT INTO dealer (code, kind, version, market_id, group_id)
  SELECT w.code, d.kind, d.version, d.market_id, d.group_id
  FROM wanted AS w JOIN dealer AS d ON d.id = w.like_id
  RETURNING id, code
), pairs AS (SELECT m.id, w.like_id, w.n FROM made AS m JOIN wanted AS w USING (code)
), terms AS (
  INSERT INTO dealer_terms (dealer_id, name, email, phone, language, languages, street, postcode,
    city, country, lat, lon, timezone, hours, day_cap, month_cap, open_cap, weight, quality,
    active, paused, assign_to, valid)
  SELECT p.id, t.name || ' ' || p.n, t.email, t.phone, t.language, t.languages, t.street,
    t.postcode, t.city, t.country,
    least(80, t.lat + (p.n % 13 - 6) * 0.04), least(179, t.lon + (p.n % 17 - 8) * 0.04),
    t.timezone, t.hours, NULL, NULL, NULL, t.weight, t.quality, true, false, t.assign_to, t.valid
  FROM pairs AS p JOIN dealer_terms AS t ON t.dealer_id = p.like_id
  WHERE t.valid @> CAST(:at AS timestamptz)
)
INSERT INTO competence (dealer_id, brand_id, service, models, valid)
SELECT p.id, c.brand_id, c.service, c.models, c.valid
FROM pairs AS p JOIN competence AS c ON c.dealer_id = p.like_id
WHERE c.valid @> CAST(:at AS timestamptz)
"""

# The dealers with people come first: they are the busiest, as dealers with an own desk are.
_DEALERS = """
CREATE TEMP TABLE busy AS
SELECT row_number() OVER (ORDER BY s.user_id IS NULL, md5(d.code)) AS place, d.id AS dealer_id,
  d.market_id, t.lat, t.lon, t.city, t.country, t.timezone, t.language, s.user_id,
  (SELECT min(c.brand_id) FROM competence AS c WHERE c.dealer_id = d.id) AS brand_id,
  ARRAY(SELECT id FROM source WHERE source.market_id = d.market_id ORDER BY id) AS sources,
  ARRAY(SELECT id FROM campaign WHERE campaign.market_id = d.market_id ORDER BY id) AS campaigns
FROM dealer AS d
JOIN dealer_terms AS t ON t.dealer_id = d.id AND t.valid @> CAST(:at AS timestamptz)
LEFT JOIN (SELECT dealer_id, min(user_id) AS user_id FROM user_scope
  WHERE dealer_id IS NOT NULL GROUP BY 1) AS s ON s.dealer_id = d.id
WHERE d.kind = 'showroom'
  AND EXISTS (SELECT FROM source WHERE source.market_id = d.market_id)
"""

_POOLS = """
CREATE TEMP TABLE names AS SELECT * FROM (VALUES
 ('ar', ARRAY['محمد','أحمد','علي','فاطمة','عبد الله','نورة','خالد','سارة','يوسف','مريم','عمر',
  'هند','إبراهيم','ليلى','سعود','ريم','فهد','منى','طارق','أمل'],
  ARRAY['العتيبي','القحطاني','الحربي','الشهري','الغامدي','الزهراني','الدوسري','المطيري','السبيعي',
  'الشمري','الأنصاري','الهاشمي','المصري','النجار','حداد','خوري','الصالح','الفارس','القاسم','بدوي'],
  ARRAY['','ي','اني','اوي'], '+9665'),
 ('zh', ARRAY['伟','芳','娜','秀英','敏','静','丽','强','磊','军','洋','勇','艳','杰','娟','涛'],
  ARRAY['王','李','张','刘','陈','杨','赵','黄','周','吴','徐','孙','胡','朱','高','林'],
  ARRAY[''], '+8613'),
 ('cy', ARRAY['Иван','Мария','Алексей','Ольга','Дмитрий','Елена','Сергей','Наталья','Андрей',
  'Татьяна','Павел','Ирина'],
  ARRAY['Иван','Петр','Сидор','Кузнец','Смирн','Попо','Василь','Соколо','Михайл','Новик','Федор',
  'Морозо'], ARRAY['ов','ова','ев','енко','ский','чук'], '+3809'),
 ('ja', ARRAY['太郎','花子','健一','美咲','翔太','由美','大輔','直美','拓也','陽子'],
  ARRAY['佐藤','鈴木','高橋','田中','伊藤','渡辺','山本','中村','小林','加藤'], ARRAY[''], '+8190'),
 ('la', ARRAY['Anna','Piotr','Katarzyna','Krzysztof','Małgorzata','Tomasz','Jürgen','Sabine',
  'Björn','Claire','Étienne','François','Chloé','María','José','Lucía','Ayşe','Mehmet','Çağla',
  'Emre','Giulia','Marco','João','Inês','Zoë','Łukasz','Paweł','Agnieszka','Olivier','Nathalie'],
  ARRAY['Kowal','Wiśniew','Lewandow','Szymań','Dąbrow','Kozłow','Mazur','Jankow','Grabow','Müll',
  'Schröd','Weiß','Fisch','Lefebv','Durand','Moreau','Garci','Fernánd','Yılmaz','Demir','Öztürk',
  'Ross','Bianch','Silv','Nowak','Krawcz','Zając','Baumgart','Hoffm','Lecler'],
  ARRAY['ski','czyk','owicz','ak','iec','ewicz','icki','er','ez','i','oğlu','a','s','mann','et'],
  '+4851')
) AS t (script, first, last, ending, phone)
"""

_LEADS = """
INSERT INTO lead (id, reference, market_id, source_id, campaign_id, customer_id, test, full_name,
  company, email, phone, language, country, region, postcode, city, street, lat, lon, timezone,
  location_method, accuracy_km, brand_id, model, model_id, request_type, service, comments,
  preferred_dealer, given, tags, points, band, status, cause, dealer_id, owner_id, next_action_at,
  touched_at, escalated_minutes, waiting_since, waiting_for, resting_until, promise_at,
  asked_again, sent_at, created_at, offered_at, accepted_at, contacted_at, closed_at, postponed)
SELECT pg_temp.uuid_at(created_at, 'lead' || n), pg_temp.reference(n), market_id,
  sources[1 + h3 % cardinality(sources)],
  CASE WHEN h3 % 3 = 0 AND cardinality(campaigns) > 0
    THEN campaigns[1 + h3 % cardinality(campaigns)] END,
  customer_id, false,
  CASE WHEN script IN ('zh','ja') THEN surname || first ELSE first || ' ' || surname END,
  CASE WHEN h2 % 11 = 0 THEN surname || ' GmbH' ELSE '' END,
  CASE WHEN status = 'incomplete' THEN '' ELSE 'p' || customer_id || '.' || h2 % 97 ||
    '@mail' || h3 % 40 || '.example' END,
  CASE WHEN status = 'incomplete' THEN '' ELSE phone || lpad((customer_id * 7919 %
    100000000)::text, 8, '0') END,
  language, country, '', lpad((h2 % 100000)::text, 5, '0'), city, 'Main street ' || h3 % 200,
  CASE WHEN status <> 'unlocated' THEN lat + (h2 % 4001 - 2000) / 4000.0 END,
  CASE WHEN status <> 'unlocated' THEN lon + (h3 % 4001 - 2000) / 4000.0 END,
  timezone, CASE WHEN status <> 'unlocated' THEN 'postcode' ELSE '' END,
  CASE WHEN status <> 'unlocated' THEN 4.0 END, brand_id,
  pg_temp.one(ARRAY['Vela','Corva','Sierra','Elvaro','Tano','Mira','Nova X','Pacera'], h2), NULL,
  pg_temp.one(ARRAY['test_drive','quote','callback','brochure','service','trade_in'], h3), 'sales',
  CASE WHEN h2 % 4 = 0 THEN 'Please call after five, the plate is on the form.' ELSE '' END, '',
  jsonb_build_object('vehicle', jsonb_build_object(
    'plate', 'W' || chr(65 + (h2 % 26)::int) || ' ' || lpad((n % 100000)::text, 5, '0'),
    'vin', upper(left(md5(n::text), 17)))) || CASE WHEN h3 % 10 = 0 THEN jsonb_build_object(
    'attributes', jsonb_build_object('fuel', pg_temp.one(ARRAY['petrol','diesel','electric'], h2)))
    ELSE '{}' END,
  '{}', h2 % 100, CASE WHEN h2 % 10 = 0 THEN 'hot' WHEN h2 % 3 = 0 THEN 'cold' ELSE 'warm' END,
  status,
  CASE status WHEN 'unrouted' THEN pg_temp.one(ARRAY['all_capped','no_competence','out_of_range',
      'no_opening','all_tried'], h2)
    WHEN 'unlocated' THEN 'unlocated' WHEN 'incomplete' THEN 'no_contact'
    WHEN 'lost' THEN 'price' WHEN 'withdrawn' THEN 'customer' ELSE '' END,
  CASE WHEN has_dealer THEN dealer_id END,
  CASE WHEN has_dealer AND status <> 'offered' THEN user_id END,
  CASE WHEN is_open THEN CAST(:at AS timestamptz) + interval '1 day' END,
  CASE WHEN status IN ('accepted','contacted') THEN created_at + interval '2 hours' END, 0,
  CASE WHEN NOT has_dealer AND is_open THEN created_at END, '{}',
  CASE WHEN status = 'resting' THEN CAST(:at AS timestamptz) + interval '20 days' END,
  created_at + interval '1 day', CASE WHEN h3 % 40 = 0 THEN 1 ELSE 0 END, NULL, created_at,
  CASE WHEN has_dealer THEN created_at + interval '2 minutes' END,
  CASE WHEN has_dealer AND status <> 'offered' THEN taken_at END,
  CASE WHEN status IN ('contacted','won','lost','resting') THEN reached_at END,
  CASE WHEN NOT is_open THEN closed_at END, 0
FROM drawn
"""

_DRAWN = """
CREATE TEMP TABLE drawn AS
SELECT *, status IN ('received','incomplete','unlocated','unrouted','offered','accepted',
    'contacted','resting') AS is_open,
  status NOT IN ('incomplete','unlocated','unrouted','withdrawn') AS has_dealer,
  least(:at, created_at + interval '2 minutes' + h2 % 7200 * interval '1 second') AS taken_at,
  least(:at, created_at + interval '2 minutes'
    + (h2 % 7200 + power(h1 % 1000 / 1000.0, 4) * 250000) * interval '1 second') AS reached_at,
  least(:at, created_at + interval '3 days' + h4 % 5000000 * interval '1 second') AS closed_at
FROM (
  SELECT base.*, b.*, p.script, p.phone, pg_temp.one(p.first, h1) AS first,
    pg_temp.one(p.last, h2) || pg_temp.one(p.ending, h3) AS surname,
    CASE WHEN (n > :leads * 0.92 AND h4 % 100 < 55) OR h4 % 1000 < 6 THEN
      (ARRAY['offered','accepted','contacted','unrouted','offered','accepted','contacted',
        'accepted','contacted','resting','accepted','contacted','offered','unrouted','accepted',
        'contacted','unlocated','accepted','resting','incomplete'])[1 + h1 % 20]
    ELSE (ARRAY['lost','won','lost','lost','withdrawn','lost','won','lost','lost','lost'])
      [1 + h1 % 10] END AS status
  FROM (
    SELECT n, h.h1, h.h2, h.h3, h.h4,
      1 + (n * 4 / 5 + CASE WHEN h.h1 % 5 = 0 THEN -(h.h2 % 1000) ELSE 0 END + :leads)
        % :leads AS customer_no,
      CAST(:at AS timestamptz) - interval '1 minute'
        - (:leads - n) * (interval '1 day' * :days / :leads) AS created_at,
      1 + floor((SELECT count(*) FROM busy) * power(h.h3 / 2147483648.0, 2))::int AS pick
    FROM generate_series(1, :leads) AS n
    CROSS JOIN LATERAL (SELECT
      (hashint4(n::int) & 2147483647)::bigint AS h1,
      (hashint4(n::int + 15485863) & 2147483647)::bigint AS h2,
      (hashint4(n::int + 32452843) & 2147483647)::bigint AS h3,
      (hashint4(n::int + 49979687) & 2147483647)::bigint AS h4) AS h
  ) AS base
  JOIN busy AS b ON b.place = base.pick
  JOIN names AS p ON p.script = CASE WHEN b.language = 'ar' AND h1 % 4 > 0 THEN 'ar'
    WHEN h1 % 23 = 0 THEN 'zh' WHEN h1 % 29 = 0 THEN 'cy' WHEN h1 % 31 = 0 THEN 'ja' ELSE 'la' END
) AS raw
ORDER BY n
"""

_CUSTOMERS = """
INSERT INTO customer (id, kind, full_name, company, language, country, postcode, city, street,
  created_at)
SELECT (SELECT coalesce(max(id), 0) FROM customer) + customer_no, 'private',
  min(first || ' ' || surname), '', min(language), min(country), '', min(city), '', min(created_at)
FROM drawn GROUP BY customer_no
"""

_REST = {
    "routing_decision": """
INSERT INTO routing_decision (id, lead_id, at, policy_id, dealer_id, cause, inputs, result)
SELECT pg_temp.uuid_at(created_at, 'decision' || n), pg_temp.uuid_at(created_at, 'lead' || n),
  created_at + interval '2 minutes', NULL, CASE WHEN has_dealer THEN dealer_id END, '',
  jsonb_build_object('lat', lat, 'lon', lon),
  jsonb_build_object('how', 'nearest', 'chosen_id', dealer_id, 'ranked', jsonb_build_array(
    jsonb_build_object('id', dealer_id, 'code', dealer_id::text, 'distance_km', 3.4, 'why', '',
      'open_now', true, 'opens_at', NULL)),
    'refused', jsonb_build_array(), 'more_refused', 0)
FROM drawn
""",
    "offer": """
INSERT INTO offer (id, lead_id, dealer_id, decision_id, state, reason, distance_km, offered_at,
  clock_at, minutes, hop, expires_at, closed_at)
SELECT pg_temp.uuid_at(created_at, 'offer' || n), pg_temp.uuid_at(created_at, 'lead' || n),
  dealer_id, pg_temp.uuid_at(created_at, 'decision' || n),
  CASE WHEN status = 'offered' THEN 'open' WHEN is_open OR status IN ('won','lost') THEN 'accepted'
    ELSE 'withdrawn' END, '', h2 % 300 / 10.0, created_at + interval '2 minutes',
  created_at + interval '2 minutes', 240, 1,
  CASE WHEN status = 'offered' THEN CAST(:at AS timestamptz) + (h2 % 480 - 40) * interval '1 minute'
    ELSE created_at + interval '4 hours' END,
  CASE WHEN status <> 'offered' THEN created_at + interval '1 hour' END
FROM drawn WHERE has_dealer
""",
    "event": """
INSERT INTO event (id, lead_id, at, kind, actor_id, dealer_id, data)
SELECT pg_temp.uuid_at(created_at + k.later, k.kind || n),
  pg_temp.uuid_at(created_at, 'lead' || n), created_at + k.later, k.kind, NULL,
  CASE WHEN k.kind <> 'received' AND has_dealer THEN dealer_id END, '{}'
FROM drawn CROSS JOIN (VALUES ('received', interval '0'), ('offered', interval '2 minutes'),
  ('accepted', interval '1 hour')) AS k (kind, later)
""",
    "planned_action": """
INSERT INTO planned_action (lead_id, dealer_id, owner_id, kind, due_at, note, created_at, done_at)
SELECT pg_temp.uuid_at(created_at, 'lead' || n), dealer_id, user_id,
  pg_temp.one(ARRAY['call','visit','test_drive'], h2),
  CAST(:at AS timestamptz) + (h2 % 96 - 24) * interval '1 hour', '', created_at, NULL
FROM drawn WHERE status IN ('accepted','contacted')
""",
    "outcome": """
INSERT INTO outcome (lead_id, kind, at, dealer_id, user_id, reason, model, order_number)
SELECT pg_temp.uuid_at(created_at, 'lead' || n), status, created_at + interval '6 days', dealer_id,
  NULL, CASE WHEN status = 'lost' THEN 'price' ELSE '' END, '', ''
FROM drawn WHERE status IN ('won','lost')
""",
    "message": """
INSERT INTO message (id, cause, kind, audience, channel, lead_id, market_id, dealer_id, recipient,
  language, timezone, context, status, attempts, next_attempt_at, created_at, sent_at, subject,
  problem)
SELECT pg_temp.uuid_at(created_at, 'message' || n), 'many:' || n, 'dealer_new_lead', 'dealer',
  'mail', pg_temp.uuid_at(created_at, 'lead' || n), market_id, dealer_id, 'desk@dealer.example',
  language, timezone, '{}', CASE WHEN h2 % 5000 = 0 THEN 'failed' ELSE 'sent' END, 1, created_at,
  created_at, created_at, '', ''
FROM drawn WHERE has_dealer
""",
}


def grow(
    engine: Engine,
    at: datetime,
    leads: int = LEADS,
    dealers: int = DEALERS,
    *,
    before: Sequence[str] = (),
    rest: Mapping[str, str] = _REST,
) -> None:
    """Add `leads` of the two years before `at` to a demo, and dealers like its own up to
    `dealers`. The same counts and instant give the same leads.

    `before` is run before leads are drawn for the dealers; `rest` fills a table of _BIG each.
    """
    given = {"at": at, "leads": leads, "dealers": dealers, "days": DAYS}
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL work_mem = '256MB'")
        connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '1GB'")
        ensure_partitions(connection, at, DAYS // 30 + 1)
        for function in _FUNCTIONS.split(";\n"):
            connection.execute(text(function))
        connection.execute(text(_MORE_DEALERS), given)
        for statement in (*before, _DEALERS, _POOLS, _DRAWN):
            connection.execute(text(statement), given)
        # After the customers that are there already.
        base = connection.execute(text("SELECT coalesce(max(id), 0) FROM customer")).scalar_one()
        with _bare(connection):
            connection.execute(text(_CUSTOMERS))
            connection.exec_driver_sql("ALTER TABLE drawn ADD COLUMN customer_id bigint")
            connection.execute(
                text("UPDATE drawn SET customer_id = :base + customer_no"), {"base": base}
            )
            connection.execute(text(_LEADS), given)
            for statement in rest.values():
                connection.execute(text(statement), given)
            for serial in ("customer", "planned_action"):
                connection.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{serial}', 'id'),"
                    f" (SELECT max(id) FROM {serial}))"
                )
        connection.exec_driver_sql("DROP TABLE drawn")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


@contextmanager
def _bare(connection: Connection) -> Iterator[None]:
    """The big tables without their secondary indexes, foreign keys and triggers, put back at the
    end: what is counted of so many leads is added up all at once afterwards."""
    indexes = connection.execute(
        text(
            "SELECT c.relname, pg_get_indexdef(c.oid) FROM pg_index AS i"
            " JOIN pg_class AS c ON c.oid = i.indexrelid"
            " JOIN pg_class AS t ON t.oid = i.indrelid"
            " WHERE t.relname = ANY(:tables) AND NOT i.indisprimary AND NOT EXISTS"
            " (SELECT FROM pg_constraint AS k WHERE k.conindid = c.oid AND k.contype IN ('u','x'))"
        ),
        {"tables": list(_BIG)},
    ).all()
    keys = connection.execute(
        text(
            "SELECT t.relname, k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint AS k"
            " JOIN pg_class AS t ON t.oid = k.conrelid"
            " WHERE t.relname = ANY(:tables) AND k.contype = 'f'"
        ),
        {"tables": list(_BIG)},
    ).all()
    for table, name, _definition in keys:
        connection.exec_driver_sql(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
    for table in _BIG:
        connection.exec_driver_sql(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
    for name, _definition in indexes:
        connection.exec_driver_sql(f'DROP INDEX "{name}"')
    yield
    for table in _BIG:
        connection.exec_driver_sql(f'ALTER TABLE "{table}" ENABLE TRIGGER USER')
    for _name, definition in indexes:
        # Of a partitioned table PostgreSQL tells the index of the empty parent alone.
        connection.exec_driver_sql(definition.replace(" ON ONLY ", " ON "))
    for table, name, definition in keys:
        connection.exec_driver_sql(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {definition}')
