"""Gathers a lead's facts and its market's rules, and writes down what they make of it."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from lmt.models import Lead, Rule
from lmt.qualify.classify import Qualification, RuleSpec, qualify


def qualify_lead(session: Session, lead: Lead) -> Qualification:
    """Set the lead's request type, service, tags, points and band. No commit."""
    return qualify_by(lead, rules_of(session, lead.market_id))


def qualify_by(lead: Lead, rules: Iterable[RuleSpec]) -> Qualification:
    """As `qualify_lead`, by rules that were read before. Asks the database nothing where the
    lead's brand, source and campaign are known."""
    result = qualify(facts_of(lead), rules)
    lead.request_type, lead.service = result.request_type, result.service
    lead.tags, lead.points, lead.band = list(result.tags), result.points, result.band
    return result


def rules_of(session: Session, market_id: int) -> list[RuleSpec]:
    """The market's own rules, or the default set where it has none."""
    rows = session.scalars(
        select(Rule)
        .where(or_(Rule.market_id == market_id, Rule.market_id.is_(None)), Rule.active)
        .order_by(Rule.position)
    ).all()
    own = [rule for rule in rows if rule.market_id is not None]
    return [RuleSpec(rule.name, tuple(rule.when), rule.then) for rule in own or rows]


def facts_of(lead: Lead) -> dict[str, str]:
    """A lead's facts as text. What routing never keeps as a column is read from what was given.

    `request_type` is what the column holds: before the rules what was asked, after them what they
    made of it.
    """
    request, vehicle = lead.given.get("request") or {}, lead.given.get("vehicle") or {}
    return {
        "request_type": lead.request_type,
        "comments": lead.comments,
        "brand": lead.brand.code if lead.brand else "",
        "model": lead.model,
        "channel": lead.source.kind,
        "source": lead.source.code,
        "campaign": lead.campaign.code if lead.campaign else "",
        "timeframe": str(request.get("timeframe") or ""),
        "condition": str(vehicle.get("condition") or ""),
        "trade_in": "yes" if vehicle.get("trade_in") else "",
        "company": lead.company,
        "email": lead.email,
        "phone": lead.phone,
        "language": lead.language,
        "country": lead.country,
        "preferred_dealer": lead.preferred_dealer,
    }
