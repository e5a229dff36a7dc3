"""What a mail may tell, as plain values: gathered from rows when its turn comes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DealerCard:
    """What a customer is told of a dealer. `kind` as in the dealer's row, `timezone` IANA."""

    name: str
    kind: str = "showroom"
    phone: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class MailFacts:
    """What a mail may tell. Codes are the database's; instants aware; "" or None is unknown.

    `take_by_at` is the end of the dealer's offer, `opens_at` the next opening of a dealer that
    was closed, `ended` how an offer ended (expired, withdrawn, lead_withdrawn), `waiting` the
    leads of the market without a dealer, `cause` why this one has none and `queue` where it
    sits. An instant that has passed at `written_at` is left out rather than promised.
    """

    written_at: datetime
    lead_id: str = ""
    reference: str = ""
    test: bool = False
    full_name: str = ""
    company: str = ""
    phone: str = ""
    phone_shown: str = ""
    email: str = ""
    language: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    brand: str = ""
    model: str = ""
    request_type: str = ""
    timeframe: str = ""
    contact_time: str = ""
    comments: str = ""
    distance_km: float | None = None
    received_at: datetime | None = None
    take_by_at: datetime | None = None
    planned: str = ""
    planned_at: datetime | None = None
    dealer: DealerCard | None = None
    choice_refused: bool = False
    promise_at: datetime | None = None
    opens_at: datetime | None = None
    status_url: str = ""
    ended: str = ""
    cause: str = ""
    queue: str = "unrouted"
    waiting: int = 0
