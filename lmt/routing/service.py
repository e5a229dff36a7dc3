"""Stage 3, the shell: gathers a lead's facts, asks for a decision, stores it, and offers the lead.

No commit: the pipeline's transaction holds the decision, the offer and the counted cap together.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypedDict

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.models import Lead, MarketCountry, Offer, RoutingDecision
from lmt.routing.candidate import Candidate, LeadFacts
from lmt.routing.capacity import NetworkMoved, loads_of, take_slot
from lmt.routing.dealers import last_calendar
from lmt.routing.decision import Decision
from lmt.routing.directory import directory, market_of, stamp_of
from lmt.routing.facts import Gathered, facts_of, gathered, policy_book_of
from lmt.routing.locate import Located, Unlocated, given_accuracy_km, locate
from lmt.routing.network import Network, decide_nearest
from lmt.routing.policy import Policy
from lmt.routing.road import legs_of
from lmt.routing.staff import colleague_of
from lmt.routing.standin import cause_of, given, stand_in, waits_until
from lmt.workhours import Calendar

ATTEMPTS = 20
"""How often a decision is taken anew because another worker filled the chosen dealer meanwhile."""
EDITS_HEEDED = 5
"""Of these, how often because a dealer was edited meanwhile: an import of dealers that never ends
must not hold up leads."""


@dataclass(frozen=True, slots=True)
class Routed:
    """What came of routing: an offer, or the cause why there is none.

    `policy` is the one the lead goes by, `calendar` the chosen dealer's. Without an offer,
    `look_again_at` is when it may find a dealer by itself (None: unknown), and `waits_for` are
    the dealers, by id, whose freed place would do.
    """

    decision: RoutingDecision
    offer: Offer | None
    cause: str
    opens_at: datetime | None = None
    policy: Policy = field(default_factory=Policy)
    look_again_at: datetime | None = None
    waits_for: tuple[int, ...] = ()
    calendar: Calendar | None = None


def locate_lead(session: Session, lead: Lead) -> Located | Unlocated:
    """Find the lead's place and write it to the lead, where it was found."""
    # What is pending goes with the decision: no place depends on it.
    with session.no_autoflush:
        countries = session.scalars(
            select(MarketCountry.country).where(MarketCountry.market_id == lead.market_id)
        ).all()
        found = locate(
            session,
            country=lead.country,
            region=lead.region,
            postcode=lead.postcode,
            city=lead.city,
            street=lead.street,
            lat=lead.lat,
            lon=lead.lon,
            accuracy_km=given_accuracy_km(lead.given),
            countries=countries,
        )
    put_at(lead, found)
    return found


def put_at(lead: Lead, found: Located | Unlocated) -> None:
    """Write the place to the lead, where it was found."""
    if isinstance(found, Located):
        lead.lat, lead.lon, lead.accuracy_km = found.lat, found.lon, found.accuracy_km
        lead.location_method, lead.timezone = found.method, found.timezone
        lead.city, lead.country = lead.city or found.place, lead.country or found.country
    else:
        lead.location_method, lead.accuracy_km = "", None


def calendar_of_dealer(session: Session, dealer_id: int, at: datetime) -> Calendar:
    """When the dealer works, as known at `at`; the last known of one that has ended.

    LookupError where there is no such dealer.
    """
    market_id, stamp = market_of(session, dealer_id)
    dealer = directory.network(session, market_id, at, stamp).by_id(dealer_id)
    return last_calendar(session, dealer_id, at) if dealer is None else dealer.calendar


def route_lead(session: Session, lead: Lead, at: datetime) -> Routed:
    """Decide who gets the lead and offer it; the market's own teams where nobody can."""
    known = gathered(session, lead, at)
    policy = known.book.policy_for(known.facts)
    decision, dealer, network = _decide_and_take(session, lead, known, policy, at)
    until = None
    if dealer is None:
        decision, dealer, until = stood_in(network, decision, policy, lead, at)
        if dealer is not None:
            take_slot(session, dealer, at, within_caps=False)
    stored = _stored(session, lead, decision, known, at)
    if dealer is None:
        return Routed(stored, None, cause_of(decision), policy=policy, **waiting(decision, until))
    offer = _offer(session, lead, dealer, decision, stored, policy, at)
    return Routed(stored, offer, "", decision.opens_at, policy, calendar=dealer.calendar)


def stood_in(
    network: Network, decision: Decision, policy: Policy, lead: Lead, at: datetime
) -> tuple[Decision, Candidate | None, datetime | None]:
    """What comes of a decision that chose nobody: as it is, or with the market's team that stands
    in; and until when the lead waits for a freed place."""
    until = None if lead.test else waits_until(decision, policy, lead.waiting_since, at)
    dealer, how = stand_in(network, decision, policy, waits=until is not None)
    if dealer is not None:
        decision = given(decision, dealer, how, policy, at)
    return decision, dealer, until


class Waiting(TypedDict):
    """When a lead that nobody got may find a dealer, and whose freed place would do."""

    look_again_at: datetime | None
    waits_for: tuple[int, ...]


def waiting(decision: Decision, until: datetime | None) -> Waiting:
    """What a decision that chose nobody waits for; for a freed place `until` then."""
    moments = [moment for moment in (decision.look_again_at, until) if moment is not None]
    return {"look_again_at": min(moments, default=None), "waits_for": decision.waits_for}


def why_not_by_hand(session: Session, market_id: int, dealer_code: str, at: datetime) -> str:
    """Why the dealer can't be given a lead of the market at all: `unknown_dealer`, `inactive`;
    "" for one that can. Caps, pauses and hours are no reason: a person has decided."""
    dealer = directory.network(session, market_id, at).by_code(dealer_code)
    if dealer is None:
        return "unknown_dealer"
    return "" if dealer.active else "inactive"


def offer_by_hand(
    session: Session, lead: Lead, dealer_code: str, at: datetime, *, how: str = "by_hand"
) -> Offer | None:
    """Give the lead to the dealer a person named, caps or not; None where it can't be given
    (`why_not_by_hand` says why)."""
    known = gathered(session, lead, at)
    network = directory.network(session, lead.market_id, at, known.stamp)
    dealer = network.by_code(dealer_code)
    if dealer is None or not dealer.active:
        return None
    policy = known.book.policy_for(known.facts)
    take_slot(session, dealer, at, within_caps=False)
    decision = Decision(at, policy.version, known.facts)
    decision = given(decision, dealer, how, policy, at)
    stored = _stored(session, lead, decision, known, at)
    return _offer(session, lead, dealer, decision, stored, policy, at)


def _decide_and_take(
    session: Session, lead: Lead, known: Gathered, policy: Policy, at: datetime
) -> tuple[Decision, Candidate | None, Network]:
    """Decide, then take the slot; where another worker was faster, or a dealer was edited
    meanwhile, decide on the new figures."""
    stamp, edits = known.stamp, 0
    for _ in range(ATTEMPTS):
        network = directory.network(session, lead.market_id, at, stamp)
        facts = _with_roads(session, known.facts, policy, network)
        loads = loads_of(session, network, at, _likely(network, facts))
        decision = decide_nearest(network.with_load(loads), facts, policy, at)
        if decision.chosen is None:
            return decision, None, network
        dealer = network.by_code(decision.chosen)
        assert dealer is not None
        version = stamp.version if edits < EDITS_HEEDED else None
        try:
            if take_slot(session, dealer, at, version=version):
                return decision, dealer, network
        except NetworkMoved:
            stamp, edits = stamp_of(session), edits + 1
    full = replace(
        decision,
        chosen=None,
        chosen_id=None,
        how=None,
        cause="all_capped",
        waits_for=() if decision.chosen_id is None else (decision.chosen_id,),
    )
    return full, None, network


def _with_roads(session: Session, facts: LeadFacts, policy: Policy, network: Network) -> LeadFacts:
    if not policy.use_road or facts.lat is None or facts.lon is None:
        return facts
    return replace(facts, road=legs_of(session, facts.lat, facts.lon, network))


def _likely(network: Network, facts: LeadFacts) -> Iterator[int]:
    """The dealers whose loads a decision asks for, about in the order in which it does."""
    for code in (facts.preferred_dealer, facts.serving_dealer):
        dealer = network.by_code(code) if code else None
        if dealer is not None:
            yield dealer.id
    for _, dealer in network.nearest(facts):
        yield dealer.id


def decision_values(
    lead: Lead, decision: Decision, policy_id: int | None, at: datetime
) -> dict[str, Any]:
    """The row that keeps a decision, its id excepted."""
    result = decision.to_json()
    return {
        "lead_id": lead.id,
        "at": at,
        "policy_id": policy_id,
        "dealer_id": decision.chosen_id,
        "cause": decision.cause or "",
        "inputs": result.pop("lead"),
        "result": result | {"how": decision.how or ""},
    }


def offer_of(
    lead: Lead,
    dealer: Candidate,
    decision: Decision,
    decision_id: uuid.UUID,
    policy: Policy,
    at: datetime,
) -> Offer:
    """The offer that a decision for this dealer makes; not yet in the session."""
    facts = decision.lead
    # A calendar without enough working time ahead must not make an offer without an end.
    until = decision.respond_by or at + timedelta(hours=policy.max_wait_hours)
    return Offer(
        lead_id=lead.id,
        dealer_id=dealer.id,
        decision_id=decision_id,
        distance_km=decision.distance_km,
        offered_at=at,
        minutes=policy.promise_minutes(facts.band, facts.hop),
        hop=facts.hop,
        expires_at=until,
    )


def _stored(
    session: Session, lead: Lead, decision: Decision, known: Gathered, at: datetime
) -> RoutingDecision:
    stored = RoutingDecision(**decision_values(lead, decision, known.policy_id, at))
    session.add(stored)
    session.flush()
    return stored


def _offer(
    session: Session,
    lead: Lead,
    dealer: Candidate,
    decision: Decision,
    stored: RoutingDecision,
    policy: Policy,
    at: datetime,
) -> Offer:
    offer = offer_of(lead, dealer, decision, stored.id, policy, at)
    session.add(offer)
    session.flush()
    return offer


__all__ = [
    "Routed",
    "calendar_of_dealer",
    "colleague_of",
    "facts_of",
    "locate_lead",
    "offer_by_hand",
    "policy_book_of",
    "route_lead",
    "why_not_by_hand",
]
