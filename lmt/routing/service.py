"""Stage 3, the shell: gathers a lead's facts, asks for a decision, stores it, and offers the lead.

No commit: the pipeline's transaction holds the decision, the offer and the counted cap together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.models import Dealer, Lead, MarketCountry, Offer, RoutingDecision, RoutingPolicy
from lmt.routing.candidate import Candidate, LeadFacts
from lmt.routing.capacity import loads_of, take_slot
from lmt.routing.decision import Decision
from lmt.routing.directory import directory
from lmt.routing.locate import Located, Unlocated, locate
from lmt.routing.network import Network, decide_nearest
from lmt.routing.policy import Policy
from lmt.workhours import add_working_minutes, next_opening

ATTEMPTS = 20
"""How often a decision is taken anew because another worker filled the chosen dealer meanwhile."""


@dataclass(frozen=True, slots=True)
class Routed:
    """What came of routing: an offer, or the cause why there is none."""

    decision: RoutingDecision
    offer: Offer | None
    cause: str
    opens_at: datetime | None = None


def locate_lead(session: Session, lead: Lead) -> Located | Unlocated:
    """Find the lead's place and write it to the lead, where it was found."""
    countries = session.scalars(
        select(MarketCountry.country).where(MarketCountry.market_id == lead.market_id)
    ).all()
    found = locate(
        session,
        country=lead.country,
        region=lead.region,
        postcode=lead.postcode,
        city=lead.city,
        lat=lead.lat,
        lon=lead.lon,
        countries=countries,
    )
    if isinstance(found, Located):
        lead.lat, lead.lon, lead.accuracy_km = found.lat, found.lon, found.accuracy_km
        lead.location_method, lead.timezone = found.method, found.timezone
        lead.city, lead.country = lead.city or found.place, lead.country or found.country
    else:
        lead.location_method, lead.accuracy_km = "", None
    return found


def policy_of(session: Session, market_id: int, at: datetime) -> RoutingPolicy | None:
    """The version of the market's policy that holds at `at`."""
    return session.scalars(
        select(RoutingPolicy).where(
            RoutingPolicy.market_id == market_id, RoutingPolicy.holds_at(at)
        )
    ).first()


def route_lead(session: Session, lead: Lead, at: datetime) -> Routed:
    """Decide who gets the lead and offer it; the market's fallback team where nobody can."""
    row = policy_of(session, lead.market_id, at)
    policy = Policy() if row is None else Policy.from_settings(row.settings)
    network = directory.network(session, lead.market_id, at)
    facts = facts_of(session, lead)
    decision, dealer = _decide_and_take(session, lead, network, facts, policy, at)
    how = decision.how or ""
    if dealer is None and decision.cause != "unlocated":
        dealer = _fallback(session, network, policy, facts, at)
        how = "fallback" if dealer else ""
    result = decision.to_json() | {"how": how}
    if dealer is not None and how == "fallback":
        decision = _to_fallback(decision, dealer, policy, facts, at)
        result = decision.to_json() | {"how": how}
    stored = RoutingDecision(
        lead_id=lead.id,
        at=at,
        policy_id=None if row is None else row.id,
        dealer_id=None if dealer is None else dealer.id,
        cause=decision.cause or "",
        inputs=result.pop("lead"),
        result=result,
    )
    session.add(stored)
    session.flush()
    if dealer is None:
        return Routed(stored, None, _cause(decision, facts))
    offer = _offer(session, lead, dealer, decision, stored, policy, at)
    return Routed(stored, offer, "", decision.opens_at)


def offer_by_hand(session: Session, lead: Lead, dealer_code: str, at: datetime) -> Offer | None:
    """Give the lead to the dealer a person named, caps or not; None where there is no such."""
    network = directory.network(session, lead.market_id, at)
    dealer = network.by_code(dealer_code)
    if dealer is None:
        return None
    row = policy_of(session, lead.market_id, at)
    policy = Policy() if row is None else Policy.from_settings(row.settings)
    take_slot(session, dealer, at, within_caps=False)
    facts = facts_of(session, lead)
    decision = _to_fallback(Decision(at, policy.version, facts), dealer, policy, facts, at)
    result = decision.to_json() | {"how": "by_hand"}
    stored = RoutingDecision(
        lead_id=lead.id,
        at=at,
        policy_id=None if row is None else row.id,
        dealer_id=dealer.id,
        inputs=result.pop("lead"),
        result=result,
    )
    session.add(stored)
    session.flush()
    return _offer(session, lead, dealer, decision, stored, policy, at)


def facts_of(session: Session, lead: Lead) -> LeadFacts:
    """What routing may know of a lead."""
    tried = session.scalars(
        select(Dealer.code)
        .join(Offer, Offer.dealer_id == Dealer.id)
        .where(Offer.lead_id == lead.id, Offer.state.in_(("declined", "expired", "withdrawn")))
    )
    return LeadFacts(
        lat=lead.lat,
        lon=lead.lon,
        accuracy_km=lead.accuracy_km or 0.0,
        country=lead.country,
        postcode=lead.postcode,
        brand=lead.brand.code if lead.brand else "",
        service=lead.service,
        model=lead.model,
        language=lead.language,
        band=lead.band,
        preferred_dealer=lead.preferred_dealer,
        serving_dealer=_serving(session, lead),
        tried=frozenset(tried),
        asked_at=lead.created_at,
    )


def _serving(session: Session, lead: Lead) -> str:
    """The dealer that works on another open lead of this customer."""
    other = session.scalars(
        select(Lead)
        .where(
            Lead.customer_id == lead.customer_id,
            Lead.market_id == lead.market_id,
            Lead.id != lead.id,
            Lead.status.in_(("accepted", "contacted")),
        )
        .order_by(Lead.created_at.desc())
        .limit(1)
    ).first()
    return other.dealer.code if other is not None and other.dealer is not None else ""


def _decide_and_take(
    session: Session,
    lead: Lead,
    network: Network,
    facts: LeadFacts,
    policy: Policy,
    at: datetime,
) -> tuple[Decision, Candidate | None]:
    """Decide, then take the slot; where another worker was faster, decide on the new figures."""
    for _ in range(ATTEMPTS):
        loaded = network.with_load(loads_of(session, lead.market_id, network, at))
        decision = decide_nearest(loaded, facts, policy, at)
        if decision.chosen is None:
            return decision, None
        dealer = loaded.by_code(decision.chosen)
        assert dealer is not None
        if take_slot(session, dealer, at):
            return decision, dealer
    return replace(decision, chosen=None, chosen_id=None, how=None, cause="all_capped"), None


def _fallback(
    session: Session, network: Network, policy: Policy, facts: LeadFacts, at: datetime
) -> Candidate | None:
    """The market's fallback team, unless it had this lead already. It has no caps."""
    team = network.by_code(policy.fallback_dealer)
    if team is None or team.code in facts.tried:
        return None
    if not team.active or team.paused or not team.reachable:
        return None
    take_slot(session, team, at, within_caps=False)
    return team


def _to_fallback(
    decision: Decision, team: Candidate, policy: Policy, facts: LeadFacts, at: datetime
) -> Decision:
    opening = next_opening(team.calendar, at)
    minutes = policy.respond_minutes(facts.band)
    return replace(
        decision,
        chosen=team.code,
        chosen_id=team.id,
        opens_at=None if opening == at else opening,
        respond_by=add_working_minutes(team.calendar, at, minutes),
    )


def _offer(
    session: Session,
    lead: Lead,
    dealer: Candidate,
    decision: Decision,
    stored: RoutingDecision,
    policy: Policy,
    at: datetime,
) -> Offer:
    # A calendar without enough working time ahead must not make an offer without an end.
    until = decision.respond_by or at + timedelta(hours=policy.max_wait_hours)
    offer = Offer(
        lead_id=lead.id,
        dealer_id=dealer.id,
        decision_id=stored.id,
        distance_km=decision.distance_km,
        offered_at=at,
        expires_at=until,
    )
    session.add(offer)
    session.flush()
    return offer


def _cause(decision: Decision, facts: LeadFacts) -> str:
    """Why nobody has it; that everybody was asked says more than that nobody is left."""
    refused = {refusal.reason for refusal in decision.refused}
    if facts.tried and "tried" in refused and decision.cause in {"all_refused", "out_of_range"}:
        return "all_tried"
    return decision.cause or ""
