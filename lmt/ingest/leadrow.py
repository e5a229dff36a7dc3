"""From what was understood of a lead to its row: market, brand, campaign, customer, consents."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from lmt.db import uuid7
from lmt.ingest.customers import customer_of
from lmt.ingest.leadinput import LeadInput
from lmt.ingest.reference import new_reference
from lmt.models import (
    Brand,
    Campaign,
    Consent,
    Dealer,
    DealerTerms,
    Lead,
    Market,
    MarketCountry,
    Source,
)


def lead_of(session: Session, source: Source, given: LeadInput, at: datetime) -> Lead:
    """A new lead with its customer and consents, not yet added. No commit."""
    market = market_of(session, source, given.address.country)
    country = given.address.country or source.country or _only_country(market)
    customer = customer_of(session, given, at)
    lead = Lead(
        id=uuid7(at),
        reference=new_reference(),
        market_id=market.id,
        source_id=source.id,
        campaign_id=_campaign_id(session, source, given),
        customer_id=customer.id,
        test=given.test,
        full_name=given.customer.full_name,
        company=given.customer.company,
        email=given.customer.email,
        phone=given.customer.phone if given.reachable else "",
        language=given.customer.language or source.language,
        country=country,
        region=given.address.region,
        postcode=given.address.postcode,
        city=given.address.city,
        street=given.address.street,
        lat=given.address.lat,
        lon=given.address.lon,
        brand_id=_brand_id(session, source, given.request.brand),
        model=given.request.model,
        request_type=given.request.type,
        comments=given.request.comments,
        preferred_dealer=_dealer_code(session, market.id, given.request.preferred_dealer, at),
        given=dict(given.given),
        sent_at=given.sent_at,
        created_at=at,
        next_action_at=at,
    )
    session.add(lead)
    session.flush()
    session.add_all(
        Consent(
            lead_id=lead.id,
            purpose=consent.purpose,
            given=consent.given,
            text_version=consent.text_version,
            at=consent.at or at,
        )
        for consent in given.consents
    )
    return lead


def market_of(session: Session, source: Source, country: str) -> Market:
    """The market follows the customer's country; the source's own where no market has that."""
    if country:
        home = session.get(MarketCountry, country)
        if home is not None:
            return home.market
    return source.market


def _only_country(market: Market) -> str:
    """A market of one country names it; in a cluster the place will tell."""
    return market.countries[0].country if len(market.countries) == 1 else ""


def _brand_id(session: Session, source: Source, name: str) -> int | None:
    """The brand by code or name; the source's own where none was given."""
    if not name:
        return source.brand_id
    folded = name.casefold()
    return session.scalars(
        select(Brand.id).where(
            or_(func.lower(Brand.code) == folded, func.lower(Brand.name) == folded)
        )
    ).first()


def _campaign_id(session: Session, source: Source, given: LeadInput) -> int | None:
    """The campaign by its code or UTM; else the one the source belongs to."""
    wanted = [t for t in (given.campaign.code, given.campaign.utm_campaign) if t]
    if wanted:
        found = session.scalars(
            select(Campaign.id).where(
                or_(Campaign.code.in_(wanted), Campaign.utm_campaign.in_(wanted))
            )
        ).first()
        if found is not None:
            return found
    return source.campaign_id


def _dealer_code(session: Session, market_id: int, wanted: str, at: datetime) -> str:
    """The customer's pick as a dealer's code, given by code or by exact name; "" for no match."""
    if not wanted:
        return ""
    folded = wanted.casefold()
    return (
        session.scalars(
            select(Dealer.code)
            .join(DealerTerms, DealerTerms.dealer_id == Dealer.id)
            .where(
                Dealer.market_id == market_id,
                DealerTerms.holds_at(at),
                or_(func.lower(Dealer.code) == folded, func.lower(DealerTerms.name) == folded),
            )
            .limit(1)
        ).first()
        or ""
    )
