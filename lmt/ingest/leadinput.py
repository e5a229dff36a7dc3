"""What was understood of one delivery, before it is accepted as a lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lmt.ingest.phones import is_dialable

NAME_LENGTH = 200
LINE_LENGTH = 300
COMMENTS_LENGTH = 10_000

#: The parts of the lead JSON that hold text, and the characters each may have.
TEXT_LENGTHS: Mapping[str, Mapping[str, int]] = {
    "customer": {
        "title": 50,
        "first_name": NAME_LENGTH,
        "last_name": NAME_LENGTH,
        "full_name": NAME_LENGTH,
        "company": NAME_LENGTH,
        "email": 320,
        "phone": 100,
        "language": 35,
    },
    "address": {
        "street": LINE_LENGTH,
        "postcode": 20,
        "city": NAME_LENGTH,
        "region": NAME_LENGTH,
        "country": 100,
    },
    "request": {
        "type": 40,
        "brand": 100,
        "model": NAME_LENGTH,
        "timeframe": LINE_LENGTH,
        "comments": COMMENTS_LENGTH,
        "preferred_dealer": LINE_LENGTH,
        "contact_time": LINE_LENGTH,
    },
    "vehicle": {"condition": 20, "vin": 40},
    "campaign": {
        "code": 100,
        "utm_source": LINE_LENGTH,
        "utm_medium": LINE_LENGTH,
        "utm_campaign": LINE_LENGTH,
        "gclid": LINE_LENGTH,
        "referrer": 2_000,
        "landing_page": 2_000,
        "platform_ids": 500,
    },
}
#: Text whose lines are kept; every other text is one line.
MULTILINE = frozenset({"street", "timeframe", "comments"})
ID_LENGTH = 200
CONDITIONS = ("new", "used", "demo")
YEARS = (1886, 2100)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something given that could not be understood: the field's path, a code, the text as given."""

    field: str
    code: str
    given: str = ""


@dataclass(frozen=True, slots=True)
class Customer:
    """The person or company; `phone` is E.164, or as given when it is no valid number."""

    title: str = ""
    first_name: str = ""
    last_name: str = ""
    full_name: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """Where they are; `country` is ISO 3166 alpha-2 or "", coordinates are both set or neither."""

    street: str = ""
    postcode: str = ""
    city: str = ""
    region: str = ""
    country: str = ""
    lat: float | None = None
    lon: float | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What they want; `type` is a slug of `requesttypes`, a market's own slug, or ""."""

    type: str = ""
    brand: str = ""
    model: str = ""
    timeframe: str = ""
    comments: str = ""
    preferred_dealer: str = ""
    contact_time: str = ""


@dataclass(frozen=True, slots=True)
class Vehicle:
    """The vehicle wanted or meant; `trade_in` describes the one they offer, in free keys."""

    condition: str = ""
    year: int | None = None
    vin: str = ""
    trade_in: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Campaign:
    """Where the person came from; `platform_ids` are tokens such as `google:campaign:991214827`."""

    code: str = ""
    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    gclid: str = ""
    referrer: str = ""
    landing_page: str = ""
    platform_ids: str = ""


@dataclass(frozen=True, slots=True)
class Consent:
    """One statement of the person: agreed or refused, to which text, when (UTC)."""

    purpose: str
    given: bool
    text_version: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LeadInput:
    """One lead as understood; `given` is the shape as it came, so nothing is lost."""

    id: str = ""
    sent_at: datetime | None = None
    test: bool = False
    customer: Customer = field(default_factory=Customer)
    address: Address = field(default_factory=Address)
    request: Request = field(default_factory=Request)
    vehicle: Vehicle = field(default_factory=Vehicle)
    campaign: Campaign = field(default_factory=Campaign)
    consents: tuple[Consent, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    form_version: int | None = None
    """Of our own forms alone: which version was filled in."""
    given: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def reachable(self) -> bool:
        """Whether anybody could answer: a usable email, or a phone of six digits or more."""
        return bool(self.customer.email) or is_dialable(self.customer.phone)
