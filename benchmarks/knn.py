"""PostgreSQL's own search for the nearest dealer: GiST over points, over-fetched and re-ranked.

Core PostgreSQL orders points in the plane, by degrees, which is wrong by latitude and across the
antimeridian; so it is asked for more than one, and the exact geodesic chooses among them. It knows
competence only: no hours, no caps, no reasons.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from sqlalchemy.engine import make_url

from lmt import embedded
from lmt.routing.candidate import Candidate, LeadFacts
from lmt.routing.geo import geodesic_km

FETCHED = 16

_NEAREST = """
    SELECT id, place[1], place[0] FROM dealer_place
    WHERE brand = %s AND service = %s ORDER BY place <-> point(%s, %s) LIMIT %s
"""


def per_second(dealers: Sequence[Candidate], leads: Sequence[LeadFacts]) -> float:
    """Look-ups a second on one connection over a local socket, prepared; best of three."""
    with TemporaryDirectory(prefix="lmt-knn-") as folder, embedded.attached(Path(folder)) as server:
        conninfo = make_url(server.url).set(drivername="postgresql").render_as_string(False)
        with psycopg.connect(conninfo, autocommit=True, prepare_threshold=1) as connection:
            _fill(connection, dealers)
            for lead in leads[:20]:
                _nearest(connection, lead)
            best = 0.0
            for _ in range(3):
                started = time.perf_counter()
                for lead in leads:
                    _nearest(connection, lead)
                best = max(best, len(leads) / (time.perf_counter() - started))
            return best


def _fill(connection: psycopg.Connection, dealers: Sequence[Candidate]) -> None:
    connection.execute("CREATE TABLE dealer_place (id int, brand text, service text, place point)")
    with connection.cursor().copy(
        "COPY dealer_place (id, brand, service, place) FROM STDIN"
    ) as copy:
        for dealer in dealers:
            for brand, service in sorted(dealer.competences):
                copy.write_row((dealer.id, brand, service, f"({dealer.lon},{dealer.lat})"))
    # An index for each competence, so that nobody else's dealers are walked over.
    pairs = sorted({pair for dealer in dealers for pair in dealer.competences})
    for number, (brand, service) in enumerate(pairs):
        connection.execute(
            f"CREATE INDEX dealer_place_{number} ON dealer_place USING gist (place)"
            f" WHERE brand = '{brand}' AND service = '{service}'"
        )
    connection.execute("VACUUM ANALYZE dealer_place")


def _nearest(connection: psycopg.Connection, lead: LeadFacts) -> int | None:
    assert lead.lat is not None
    assert lead.lon is not None
    found = connection.execute(
        _NEAREST, (lead.brand, lead.service, lead.lon, lead.lat, FETCHED)
    ).fetchall()
    ranked = [(geodesic_km(lead.lat, lead.lon, lat, lon), number) for number, lat, lon in found]
    return min(ranked)[1] if ranked else None
