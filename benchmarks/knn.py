"""PostgreSQL's own search for the nearest dealer who may take a lead: GiST over points, re-ranked.

One prepared statement in one round trip: competence, pause, cap and open doors at the lead's own
instant are asked in SQL. Core PostgreSQL orders points in the plane, by degrees, which is wrong by
latitude and across the antimeridian; so it is asked for more than one, and the exact geodesic
chooses among them, an open door first. No reasons, no ranking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import LiteralString

import psycopg
from sqlalchemy.engine import make_url

from lmt import embedded
from lmt.routing.candidate import Candidate, LeadFacts
from lmt.routing.geo import geodesic_km
from lmt.workhours import Calendar, open_stretches

FETCHED = 16
AHEAD = timedelta(days=14)
"""How far hours are known."""

_TABLES = """
    CREATE TABLE dealer_now (
        dealer_id int PRIMARY KEY, paused bool, opens tstzmultirange, day_cap int, day_used int);
    CREATE TABLE dealer_place (dealer_id int, brand text, service text, place point);
    CREATE TABLE dealer_flat (LIKE dealer_now, place point, competences text[])
"""
_NEAREST = """
    SELECT dealer_id, place[1], place[0], opens @> %s::timestamptz
    FROM dealer_place JOIN dealer_now USING (dealer_id)
    WHERE brand = %s AND service = %s
      AND NOT paused AND (day_cap IS NULL OR day_used < day_cap)
    ORDER BY place <-> point(%s, %s) LIMIT %s
"""
_NEAREST_FLAT = """
    SELECT dealer_id, place[1], place[0], opens @> %s::timestamptz
    FROM dealer_flat
    WHERE %s = ANY(competences)
      AND NOT paused AND (day_cap IS NULL OR day_used < day_cap)
    ORDER BY place <-> point(%s, %s) LIMIT %s
"""

Ask = Callable[[LeadFacts], int | None]


@contextmanager
def asked(dealers: Sequence[Candidate], at: datetime) -> Iterator[dict[str, Ask]]:
    """Two ways to ask one connection over a local socket, with the dealers' hours from `at` on:
    tables as an application keeps them, and everything in one row for this question alone."""
    with TemporaryDirectory(prefix="lmt-knn-") as folder, embedded.attached(Path(folder)) as server:
        conninfo = make_url(server.url).set(drivername="postgresql").render_as_string(False)
        with psycopg.connect(conninfo, autocommit=True, prepare_threshold=1) as connection:
            _fill(connection, dealers, at)

            def joined(lead: LeadFacts) -> int | None:
                return _nearest(connection, lead, _NEAREST, (lead.brand, lead.service))

            def flat(lead: LeadFacts) -> int | None:
                competence = f"{lead.brand}:{lead.service}"
                return _nearest(connection, lead, _NEAREST_FLAT, (competence,))

            yield {
                "PostgreSQL KNN, joined and re-ranked": joined,
                "PostgreSQL KNN over one flat table, re-ranked": flat,
            }


def _fill(connection: psycopg.Connection, dealers: Sequence[Candidate], at: datetime) -> None:
    connection.execute(_TABLES)
    now = [
        (each.id, each.paused, _hours(each.calendar, at), each.day_cap, each.day_used)
        for each in dealers
    ]
    places = [f"({each.lon},{each.lat})" for each in dealers]
    held = [sorted(each.competences) for each in dealers]
    with connection.cursor().copy("COPY dealer_now FROM STDIN") as copy:
        for row in now:
            copy.write_row(row)
    with connection.cursor().copy("COPY dealer_flat FROM STDIN") as copy:
        for row, place, pairs in zip(now, places, held, strict=True):
            copy.write_row((*row, place, [f"{brand}:{service}" for brand, service in pairs]))
    with connection.cursor().copy("COPY dealer_place FROM STDIN") as copy:
        for row, place, pairs in zip(now, places, held, strict=True):
            for brand, service in pairs:
                copy.write_row((row[0], brand, service, place))
    # An index for each competence, so that nobody else's dealers are walked over.
    for number, (brand, service) in enumerate(sorted({pair for pairs in held for pair in pairs})):
        connection.execute(
            f"CREATE INDEX dealer_place_{number} ON dealer_place USING gist (place)"
            f" WHERE brand = '{brand}' AND service = '{service}'"
        )
    connection.execute("CREATE INDEX dealer_flat_place ON dealer_flat USING gist (place)")
    for table in ("dealer_now", "dealer_place", "dealer_flat"):
        connection.execute(f"VACUUM ANALYZE {table}")


@cache
def _hours(calendar: Calendar, at: datetime) -> str:
    stretches = open_stretches(calendar, at, at + AHEAD)
    return "{" + ",".join(f"[{start},{end})" for start, end in stretches) + "}"


def _nearest(
    connection: psycopg.Connection, lead: LeadFacts, statement: LiteralString, held: tuple[str, ...]
) -> int | None:
    assert lead.lat is not None
    assert lead.lon is not None
    found = connection.execute(statement, (lead.asked_at, *held, lead.lon, lead.lat, FETCHED))
    ranked = [
        (not open_now, geodesic_km(lead.lat, lead.lon, lat, lon), number)
        for number, lat, lon, open_now in found
    ]
    return min(ranked)[2] if ranked else None
