"""Other dealers that a customer may pick: the nearest who can take the request, and no others."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from sqlalchemy import func, select
from sqlalchemy.orm import Session, load_only

from lmt.lifecycle import Status
from lmt.models import DealerTerms, Event, Lead
from lmt.moving import MOST_MOVES
from lmt.routing.capacity import loads_of
from lmt.routing.decision import Decision
from lmt.routing.directory import directory
from lmt.routing.facts import gathered
from lmt.routing.network import Network, decide_nearest

MOST_SHOWN = 5
MOST_ASKED = 40
"""Dealers that are looked at, the nearest first, until enough are found."""
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
    network = directory.network(session, lead.market_id, at, known.stamp)
    policy = known.book.policy_for(known.facts)
    near = [each.id for _chord, each in islice(network.nearest(known.facts), MOST_ASKED)]
    loaded = network.with_load(loads_of(session, network, at, near))

    def as_chosen() -> Iterator[Decision]:
        for number in near:
            dealer = network.by_id(number)
            if dealer is None or dealer.kind == "team" or number == lead.dealer_id:
                continue
            facts = replace(known.facts, preferred_dealer=dealer.code)
            decision = decide_nearest(loaded, facts, policy, at)
            if decision.how == "preferred":
                yield decision

    return _shown(session, network, list(islice(as_chosen(), MOST_SHOWN)), at)


def _shown(
    session: Session, network: Network, decisions: list[Decision], at: datetime
) -> list[OtherDealer]:
    ids = [decision.chosen_id for decision in decisions]
    terms = {
        each.dealer_id: each
        for each in session.scalars(
            select(DealerTerms).where(DealerTerms.dealer_id.in_(ids), DealerTerms.holds_at(at))
        )
    }
    return [
        OtherDealer(
            code=decision.chosen or "",
            name=own.name,
            city=own.city,
            distance_km=decision.distance_km,
            opens_at=decision.opens_at,
            timezone=own.timezone,
        )
        for decision in decisions
        if decision.chosen_id is not None and (own := terms.get(decision.chosen_id)) is not None
    ]


def _moves(session: Session, lead_id: uuid.UUID) -> int:
    return session.scalars(
        select(func.count())
        .select_from(Event)
        .where(Event.lead_id == lead_id, Event.kind == "moved_by_customer")
    ).one()
