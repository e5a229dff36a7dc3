"""What routing may know of a lead, and the rules that hold for it: gathered in one statement.

Who the customer is stays out: only that it is a company, asked before, and who serves it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lmt.models import Lead, RoutingPolicy
from lmt.routing.candidate import LeadFacts
from lmt.routing.directory import Stamp
from lmt.routing.policybook import PolicyBook

# Whose offer ended because a person let it be decided anew did not let the lead pass.
# `had` counts dealers, not offers: who got it back after a rest is no further hop.
_GATHER = text(
    """
    SELECT network.version, network.rebuilt,
           policy.id, policy.version, CAST(policy.settings AS text),
           market.code, brand.code, customer.kind,
           ARRAY(SELECT DISTINCT dealer.code FROM offer JOIN dealer ON dealer.id = offer.dealer_id
                 WHERE offer.lead_id = :lead_id
                   AND offer.state IN ('declined', 'expired', 'withdrawn')
                   AND offer.reason <> 'anew'),
           (SELECT count(DISTINCT dealer_id) FROM offer WHERE lead_id = :lead_id),
           (SELECT dealer.code FROM lead AS other JOIN dealer ON dealer.id = other.dealer_id
            WHERE other.customer_id = :customer_id AND other.market_id = :market_id
              AND other.id <> :lead_id AND other.status IN ('accepted', 'contacted', 'resting')
            ORDER BY other.created_at DESC LIMIT 1),
           CASE WHEN :model <> '' THEN (
                SELECT json_agg(json_build_array(code, name, aliases, markets) ORDER BY code)
                FROM vehicle_model WHERE brand_id = :brand_id
           ) END
    FROM network_version AS network
    JOIN market ON market.id = :market_id
    JOIN customer ON customer.id = :customer_id
    LEFT JOIN brand ON brand.id = :brand_id
    LEFT JOIN routing_policy AS policy
           ON policy.market_id = :market_id AND policy.valid @> CAST(:at AS timestamptz)
    """
)


@dataclass(frozen=True, slots=True)
class Gathered:
    """A lead's facts, the policy version that holds for its market, and the dealers' state."""

    facts: LeadFacts
    policy_id: int | None
    book: PolicyBook
    stamp: Stamp


def gathered(session: Session, lead: Lead, at: datetime) -> Gathered:
    """All that a decision starts from, as this transaction sees it.

    Of the lead itself what is pending counts, too; of its offers only what is written.
    """
    row = session.execute(
        _GATHER,
        {
            "lead_id": lead.id,
            "market_id": lead.market_id,
            "customer_id": lead.customer_id,
            "brand_id": lead.brand_id,
            "model": lead.model,
            "at": at,
        },
    ).one()
    version, rebuilt, policy_id, policy_version, settings, *about = row
    market, brand, customer_kind, tried, had, serving, models = about
    facts = facts_from(
        lead,
        brand=brand,
        model=model_meant(lead.model, models or (), market),
        customer_kind=customer_kind,
        tried=tried,
        had=had,
        serving=serving,
    )
    book = book_of(policy_version or 0, settings or "{}")
    return Gathered(facts, policy_id, book, Stamp(version, rebuilt))


def facts_from(
    lead: Lead,
    *,
    brand: str | None,
    model: tuple[str, bool],
    customer_kind: str,
    tried: Iterable[str] = (),
    had: int = 0,
    serving: str | None = None,
) -> LeadFacts:
    """A lead's facts from what was read of it: codes of its brand and dealers, the model meant and
    whether the market sells it, the number of dealers that `had` it."""
    # Coordinates that nobody could believe stay with the lead; they are no place.
    is_located = bool(lead.location_method)
    meant, sold = model
    return LeadFacts(
        lat=lead.lat if is_located else None,
        lon=lead.lon if is_located else None,
        accuracy_km=lead.accuracy_km or 0.0,
        country=lead.country,
        postcode=lead.postcode,
        brand=brand or "",
        service=lead.service,
        model=meant,
        model_sold=sold,
        language=lead.language,
        band=lead.band,
        request_type=lead.request_type,
        customer_kind=customer_kind,
        preferred_dealer=lead.preferred_dealer,
        serving_dealer=serving or "",
        tried=frozenset(tried),
        hop=had + 1,
        asked_at=lead.created_at,
    )


def facts_of(session: Session, lead: Lead, at: datetime) -> LeadFacts:
    """What routing may know of a lead."""
    return gathered(session, lead, at).facts


def policy_book_of(
    session: Session, market_id: int, at: datetime
) -> tuple[RoutingPolicy | None, PolicyBook]:
    """The version of the market's policy that holds at `at`, and what it says; the defaults where
    there is none. PolicyError where its settings can't be read."""
    row = session.scalars(
        select(RoutingPolicy).where(
            RoutingPolicy.market_id == market_id, RoutingPolicy.holds_at(at)
        )
    ).first()
    if row is None:
        return None, book_of(0, "{}")
    return row, book_of(row.version, json.dumps(row.settings))


@lru_cache(maxsize=256)
def book_of(version: int, settings: str) -> PolicyBook:
    """What a policy of this version and these settings, as JSON, says. Raises PolicyError."""
    return PolicyBook.from_settings({**json.loads(settings), "version": version})


def model_meant(
    given: str, known: Iterable[tuple[str, str, list[str], list[str]]], market: str
) -> tuple[str, bool]:
    """The code of the model meant, "" for none that is known, and whether the market sells it.

    `known` are the brand's: code, name, aliases, codes of the markets that sell it (none: all).
    """
    wanted = _plain(given)
    for code, name, aliases, markets in known if wanted else ():
        if wanted in {_plain(each) for each in (code, name, *aliases)}:
            return code, not markets or market in markets
    return "", True


def _plain(text: Any) -> str:
    return "".join(sign for sign in str(text).casefold() if sign.isalnum())
