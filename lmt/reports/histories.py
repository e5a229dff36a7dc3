"""Pure: all that is stored of one lead and that reports count, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from lmt.workhours import Calendar


class LeadRow(NamedTuple):
    """A lead's own columns, with the `channel` of its source, the kind of its customer, and zone
    and currency of its market."""

    id: UUID
    market_id: int
    timezone: str
    currency: str
    source_id: int
    channel: str
    campaign_id: int | None
    import_id: UUID | None
    test: bool
    customer_kind: str
    language: str
    country: str
    region: str
    lat: float | None
    lon: float | None
    brand_id: int | None
    model: str
    request_type: str
    service: str
    band: str
    status: str
    cause: str
    dealer_id: int | None
    owner_id: int | None
    promise_at: datetime | None
    first_call_at: datetime | None
    asked_again: int
    created_at: datetime
    offered_at: datetime | None
    accepted_at: datetime | None
    contacted_at: datetime | None
    closed_at: datetime | None


class OfferRow(NamedTuple):
    dealer_id: int
    state: str
    offered_at: datetime
    clock_at: datetime | None
    closed_at: datetime | None
    distance_km: float | None


class PlanRow(NamedTuple):
    kind: str
    due_at: datetime
    done_at: datetime | None
    cancelled_at: datetime | None
    booked_by: str


class OutcomeRow(NamedTuple):
    at: datetime
    dealer_id: int
    value: Decimal | None
    currency: str | None


class VerdictRow(NamedTuple):
    verdict: str
    at: datetime


class SaleRow(NamedTuple):
    dealer_id: int | None
    sold_on: date
    value: Decimal | None
    currency: str | None


@dataclass(slots=True)
class History:
    """One lead with its rows; `offers` and `verdicts` in the order in which they were made."""

    lead: LeadRow
    offers: tuple[OfferRow, ...] = ()
    plans: tuple[PlanRow, ...] = ()
    verdicts: tuple[VerdictRow, ...] = ()
    outcome: OutcomeRow | None = None
    sale: SaleRow | None = None
    score: int | None = None
    """Of the customer's answer, 1 to 5; None where there is none."""
    replied: bool = False
    """Whether a dealer wrote to the customer through the system."""
    calendar: Calendar | None = None
    """The working time of `holding_offer`'s dealer as it was known when the offer was made."""


def holding_offer(lead: LeadRow, offers: tuple[OfferRow, ...]) -> OfferRow | None:
    """The latest offer to the dealer that has the lead now; None where nobody has it."""
    if lead.dealer_id is None:
        return None
    own = [offer for offer in offers if offer.dealer_id == lead.dealer_id]
    return own[-1] if own else None
