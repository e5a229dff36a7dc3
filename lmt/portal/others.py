"""Other dealers that a customer may pick: the nearest who can take the request, and no others."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import func, select
from sqlalchemy.orm import Session, load_only

from lmt.lifecycle import Status
from lmt.models import DealerTerms, Event, Lead
from lmt.moving import MOST_MOVES
from lmt.nearby import MOST_ASKED, Asked, asked_one_by_one
from lmt.routing.capacity import loads_of
from lmt.routing.decide import is_located
from lmt.routing.directory import directory
from lmt.routing.facts import gathered

MOST_SHOWN = 5
MOVABLE = frozenset({Status.OFFERED, Status.ACCEPTED, Status.CONTACTED})

_WITHOUT_THE_PERSON = select(Lead).options(
    load_only(
        Lead.status,
        Lead.dealer_id,
        Lead.market_id,
        Lead.customer_id,
        Lead.brand_id,
        Lead.model,
        Lead.service,
        Lead.request_type,
        Lead.band,
        Lead.language,
        Lead.country,
        Lead.postcode,
        Lead.lat,
        Lead.lon,
        Lead.location_method,
        Lead.accuracy_km,
        Lead.preferred_dealer,
        Lead.created_at,
        raiseload=True,
    )
)
"""What routing asks of a lead, and nothing that tells who the customer is."""


@dataclass(frozen=True, slots=True)
class OtherDealer:
    """`opens_at` is None while it is open; `timezone` is its own."""

    code: str
    name: str
    city: str
    distance_km: float | None
    opens_at: datetime | None
    timezone: str


def other_dealers(session: Session, lead_id: uuid.UUID, at: datetime) -> list[OtherDealer]:
    """The nearest dealers that would get the lead if the customer chose them, nearest first.

    Nobody for a lead that is with no dealer, has an outcome, or was moved as often as may be.
    """
    lead = session.scalars(_WITHOUT_THE_PERSON.where(Lead.id == lead_id)).one()
    if lead.status not in MOVABLE or _moves(session, lead_id) >= MOST_MOVES:
        return []
    known = gathered(session, lead, at)
    policy = known.book.policy_for(known.facts)
    if known.facts.hop > policy.max_hops:
        return []
    network = directory.network(session, lead.market_id, at, known.stamp)
    near = [each for _chord, each in islice(network.nearest(known.facts), MOST_ASKED)]
    loaded = network.with_load(loads_of(session, network, at, [each.id for each in near]))
    able = (
        each
        for each in asked_one_by_one(loaded, near, known.facts, policy, at)
        if not each.reason and each.candidate.id != lead.dealer_id
    )
    is_near = is_located(known.facts, policy)
    return _shown(session, list(islice(able, MOST_SHOWN)), at, is_near)


def _shown(session: Session, asked: list[Asked], at: datetime, is_near: bool) -> list[OtherDealer]:
    """Without distances where nobody knows closely enough where the customer is."""
    ids = [each.candidate.id for each in asked]
    cities = select(DealerTerms.dealer_id, DealerTerms.city).where(
        DealerTerms.dealer_id.in_(ids), DealerTerms.holds_at(at)
    )
    city_of = dict(iter(session.execute(cities)))
    return [
        OtherDealer(
            code=each.candidate.code,
            name=each.candidate.name,
            city=city_of[each.candidate.id],
            distance_km=each.distance_km if is_near else None,
            opens_at=each.hours.opens_at,
            timezone=each.candidate.calendar.timezone,
        )
        for each in asked
        if each.candidate.id in city_of
    ]


def _moves(session: Session, lead_id: uuid.UUID) -> int:
    return session.scalars(
        select(func.count())
        .select_from(Event)
        .where(Event.lead_id == lead_id, Event.kind == "moved_by_customer")
    ).one()
