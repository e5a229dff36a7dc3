"""From what was understood of a lead to its row: market, vehicle, campaign, dealer, consents."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from lmt.ingest.books import Books, MarketFacts
from lmt.ingest.customers import customer_kind
from lmt.ingest.leadinput import LeadInput
from lmt.ingest.need import Need
from lmt.models import Dealer, DealerTerms, Source

Picks = MutableMapping[tuple[int, str], str]
"""The dealers that customers of one delivery picked: (market's id, words) → code, or ""."""


@dataclass(frozen=True, slots=True)
class LeadRow:
    """A lead ready to be written: `values` name the parameters of `statements.write_lead`, but for
    its ids, its customer and its event."""

    market: MarketFacts
    need: Need
    values: dict[str, Any]


def lead_of(
    session: Session, source: Source, books: Books, given: LeadInput, at: datetime, picks: Picks
) -> LeadRow:
    """What the lead's row and those of its consents will say; `picks` remembers what was looked up
    for the delivery's other leads."""
    market = books.market(given.address.country, source.market_id)
    request, address, customer = given.request, given.address, given.customer
    wanted = books.catalogue.wanted(request.brand, request.model, market.code, source.brand_id)
    found = books.campaigns.campaign_of(given.campaign, market.day(at), market.id, wanted.brand_id)
    language = customer.language or source.language
    model = request.model if wanted.model is None else wanted.model.name
    values = {
        "market_id": market.id,
        "source_id": source.id,
        "campaign_id": found or source.campaign_id,
        "test": given.test,
        "customer_kind": customer_kind(given),
        "spoken": customer.language,
        "full_name": customer.full_name,
        "company": customer.company,
        "email": customer.email,
        "phone": customer.phone if given.reachable else "",
        "language": language,
        "country": address.country or source.country or market.country,
        "region": address.region,
        "postcode": address.postcode,
        "city": address.city,
        "street": address.street,
        "lat": address.lat,
        "lon": address.lon,
        "brand_id": wanted.brand_id,
        "model": model,
        "model_id": None if wanted.model is None else wanted.model.id,
        "request_type": request.type,
        "comments": request.comments,
        "preferred_dealer": _pick(session, market.id, request.preferred_dealer, at, picks),
        "given": Jsonb(dict(given.given)),
        "form_version_id": given.form_version if source.kind == "form" else None,
        "sent_at": given.sent_at,
        "at": at,
        **_consents(source, books, market, language, given, at),
    }
    need = Need(wanted.brand_id, request.type, model, given.vehicle.vin)
    return LeadRow(market, need, values)


def _consents(
    source: Source,
    books: Books,
    market: MarketFacts,
    language: str,
    given: LeadInput,
    at: datetime,
) -> dict[str, Any]:
    """The consents as columns: what was agreed to, in which words, and where; those that a visitor
    of a form gave are confirmed by mail where the market asks for it."""
    consents = given.consents
    origin = " ".join(part for part in (source.code, given.campaign.landing_page) if part)
    if not consents:
        return {**_NO_CONSENTS, "origin": origin}
    return {
        "purposes": [each.purpose for each in consents],
        "answers": [each.given for each in consents],
        "text_versions": [each.text_version for each in consents],
        "text_hashes": [
            # A text may be kept for the market that showed it, and the lead be another's.
            books.consent_hash(market.id, each.purpose, each.text_version, language)
            or books.consent_hash(source.market_id, each.purpose, each.text_version, language)
            for each in consents
        ],
        "text_languages": [language] * len(consents),
        "agreed_at": [each.at or at for each in consents],
        "to_confirm": [
            source.kind == "form" and each.given and each.purpose in market.confirmed_purposes
            for each in consents
        ],
        "origin": origin,
    }


_NO_CONSENTS: dict[str, list[Any]] = {
    "purposes": [],
    "answers": [],
    "text_versions": [],
    "text_hashes": [],
    "text_languages": [],
    "agreed_at": [],
    "to_confirm": [],
}


def _pick(session: Session, market_id: int, wanted: str, at: datetime, picks: Picks) -> str:
    if not wanted:
        return ""
    key = market_id, wanted
    if key not in picks:
        picks[key] = _dealer_code(session, market_id, wanted, at)
    return picks[key]


def _dealer_code(session: Session, market_id: int, wanted: str, at: datetime) -> str:
    """The customer's pick as a dealer's code, given by code or by exact name; "" for no match."""
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
