"""How many past leads a second a draft policy is replayed over, reading them included.

Leads and their decisions are copied from one of the demo's, scattered around its dealers over a
month. The baseline decides the same leads one by one, with reasons, under both policies, with
everything read already.
"""

from __future__ import annotations

import os
import random
import time
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from benchmarks.installation import installation
from lmt import clock
from lmt.models import Market
from lmt.replay.question import Question
from lmt.replay.service import Replay, replay
from lmt.routing.dealers import candidates_of
from lmt.routing.network import Network, decide_nearest
from lmt.routing.policybook import PolicyBook
from lmt.scope import SYSTEM, act_as

LEADS = int(os.environ.get("REPLAY_LEADS", "20000"))
DAYS = 30
DRAFT: dict[str, Any] = {"radius_km": 200, "open_bonus_km": {"hot": 120, "warm": 60, "cold": 10}}

_PAST = (
    "CREATE TEMP TABLE past (lead_id uuid, decision_id uuid, number int, at timestamptz,"
    " lat float, lon float, band text, dealer_id int)"
)
_LEADS = """
    INSERT INTO lead
    SELECT copied.* FROM past, lead AS pattern,
        LATERAL jsonb_populate_record(pattern, jsonb_build_object(
        'id', past.lead_id, 'reference', 'PAST-' || past.number, 'created_at', past.at,
        'lat', past.lat, 'lon', past.lon, 'band', past.band, 'dealer_id', past.dealer_id,
        'status', 'accepted', 'next_action_at', NULL, 'closed_at', NULL, 'test', false)) AS copied
    WHERE pattern.id = :lead_id
"""
_DECISIONS = """
    INSERT INTO routing_decision
    SELECT copied.* FROM past, routing_decision AS pattern,
        LATERAL jsonb_populate_record(pattern, jsonb_build_object(
        'id', past.decision_id, 'lead_id', past.lead_id, 'at', past.at,
        'dealer_id', past.dealer_id, 'inputs', pattern.inputs || jsonb_build_object(
            'lat', past.lat, 'lon', past.lon, 'band', past.band, 'asked_at', past.at,
            'serving_dealer', '', 'preferred_dealer', ''))) AS copied
    WHERE pattern.id = :decision_id
"""
_OFFERS = """
    INSERT INTO offer
    SELECT copied.* FROM past, offer AS pattern,
        LATERAL jsonb_populate_record(pattern, jsonb_build_object(
        'id', gen_random_uuid(), 'lead_id', past.lead_id, 'decision_id', past.decision_id,
        'dealer_id', past.dealer_id, 'offered_at', past.at, 'state', 'accepted',
        'closed_at', past.at + interval '20 minutes')) AS copied
    WHERE pattern.decision_id = :decision_id
"""
_MODEL = """
    SELECT d.lead_id, d.id FROM routing_decision d
    JOIN lead l ON l.id = d.lead_id JOIN offer o ON o.decision_id = d.id
    WHERE l.market_id = :market_id AND d.inputs->>'lat' IS NOT NULL
      AND d.result->>'how' = 'nearest' ORDER BY d.at LIMIT 1
"""


def run() -> Iterator[dict[str, Any]]:
    with installation() as installed, act_as(installed.sessions(), SYSTEM) as session:
        at = clock.now()
        market_id = session.scalars(select(Market.id).where(Market.code == "PL")).one()
        _fill(session, market_id, at, LEADS)
        question = Question(market_id, at - timedelta(days=DAYS), at, settings=DRAFT)
        started = time.perf_counter()
        found = replay(session, question, at)
        seconds = time.perf_counter() - started
        assert found.figures.leads >= LEADS
        singly = _one_by_one(session, market_id, found, at)
    yield {
        "name": f"leads replayed under two policies, {LEADS} leads",
        "value": round(found.figures.leads / seconds, 1),
        "unit": "leads/s",
        "baseline": "deciding them one by one under both, with nothing to read",
        "baseline_value": round(singly, 1),
        "ratio": round(found.figures.leads / seconds / singly, 2),
    }


def _one_by_one(session: Session, market_id: int, found: Replay, at: datetime) -> float:
    network = Network(candidates_of(session, market_id, at))
    policies = PolicyBook.from_settings({}), PolicyBook.from_settings(DRAFT)
    some = found.results[:: max(1, len(found.results) // 2_000)]
    started = time.perf_counter()
    for result in some:
        lead = result.case.lead
        for policy in policies:
            decide_nearest(network, lead, policy.policy_for(lead), result.case.at)
    return len(some) / (time.perf_counter() - started)


def _fill(session: Session, market_id: int, at: datetime, number: int) -> None:
    """`number` leads of the past month, each offered to the dealer it lies near."""
    chance = random.Random(7)
    dealers = candidates_of(session, market_id, at)
    lead_id, decision_id = session.execute(text(_MODEL), {"market_id": market_id}).one()
    session.execute(text(_PAST))
    connection = session.connection().connection.driver_connection
    assert connection is not None
    with connection.cursor().copy("COPY past FROM STDIN") as copy:
        for each in range(number):
            dealer = chance.choice(dealers)
            asked_at = at - timedelta(minutes=chance.uniform(10, DAYS * 24 * 60 - 10))
            place = dealer.lat + chance.gauss(0, 0.2), dealer.lon + chance.gauss(0, 0.3)
            band = chance.choice(("hot", "warm", "cold"))
            copy.write_row((uuid.uuid4(), uuid.uuid4(), each, asked_at, *place, band, dealer.id))
    for statement in (_LEADS, _DECISIONS, _OFFERS):
        session.execute(text(statement), {"lead_id": lead_id, "decision_id": decision_id})
    session.commit()
    session.execute(text("ANALYZE lead, routing_decision, offer"))
    session.commit()
