"""Pure: one row of facts, which is what a lead adds to the figures of one dealer."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any
from uuid import UUID


@dataclass(slots=True)
class Fact:
    """A row of `lmt.models.facts.LeadFact`, column by column."""

    lead_id: UUID
    dealer_id: int
    market_id: int
    day: date
    month: date
    settles_at: datetime | None
    owner_id: int | None
    source_id: int
    channel: str
    campaign_id: int | None
    brand_id: int | None
    model: str
    request_type: str
    service: str
    band: str
    customer_kind: str
    language: str
    country: str
    region: str
    status: str
    cause: str
    verdict: str
    hour: int
    lat_tenth: int | None
    lon_tenth: int | None
    leads: int = 0
    valid: int = 0
    waiting: int = 0
    open: int = 0
    queued: int = 0
    offered: int = 0
    accepted: int = 0
    contacted: int = 0
    proven: int = 0
    appointment: int = 0
    visited: int = 0
    won: int = 0
    lost: int = 0
    withdrawn: int = 0
    matched: int = 0
    sold: int = 0
    sold_elsewhere: int = 0
    asked_again: int = 0
    inquiries: int = 0
    rerouted: int = 0
    reroutes: int = 0
    closed: int = 0
    closed_by_first: int = 0
    reached_5: int = 0
    reached_15: int = 0
    reached_30: int = 0
    reached_60: int = 0
    reached_240: int = 0
    reached_1440: int = 0
    reached_later: int = 0
    unreached: int = 0
    overdue_15: int = 0
    overdue_60: int = 0
    overdue_240: int = 0
    overdue_1440: int = 0
    promised: int = 0
    promise_kept: int = 0
    plans: int = 0
    plans_kept: int = 0
    answers: int = 0
    score: int = 0
    verdicts: int = 0
    confirmed: int = 0
    placed: int = 0
    metres: int = 0
    offers: int = 0
    offers_accepted: int = 0
    offers_declined: int = 0
    offers_expired: int = 0
    offers_withdrawn: int = 0
    value: Decimal = Decimal(0)
    response: int | None = None
    work_response: int | None = None
    take: int | None = None
    work_take: int | None = None
    handling: int | None = None
    sale: int | None = None


COLUMNS = tuple(field.name for field in fields(Fact))
values_of: Any = attrgetter(*COLUMNS)
"""A fact as a tuple in the order of COLUMNS."""
