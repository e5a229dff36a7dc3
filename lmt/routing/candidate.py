"""The two sides that routing brings together: the facts of a lead, and a dealer who could serve it.

Both are plain values, gathered from rows by the shell before it asks for a decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shapely.geometry.base import BaseGeometry

from lmt.workhours import Calendar


@dataclass(frozen=True, slots=True)
class LeadFacts:
    """What routing needs to know of a lead; never who the customer is.

    `accuracy_km` says how far the true place may lie from `lat`, `lon`. `preferred_dealer` is the
    customer's own choice and `serving_dealer` the one they already have, as codes or "". `tried`
    holds codes of dealers that declined this lead or let it time out. An empty `brand` means any.
    `model` is the code of a known model, `model_sold` whether the market sells it. `hop` counts
    the dealers asked, this time included. `road` are legs by dealer id, (km, minutes) by car,
    known for the nearest few.
    """

    lat: float | None
    lon: float | None
    service: str
    band: str
    asked_at: datetime
    accuracy_km: float = 0.0
    country: str = ""
    postcode: str = ""
    brand: str = ""
    model: str = ""
    language: str = ""
    preferred_dealer: str = ""
    serving_dealer: str = ""
    tried: frozenset[str] = frozenset()
    customer_kind: str = "private"
    request_type: str = ""
    model_sold: bool = True
    hop: int = 1
    road: Mapping[int, tuple[float, float]] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Load:
    """What a dealer has received: today, this month, still open, and in the fair-share period."""

    day_used: int = 0
    month_used: int = 0
    open_used: int = 0
    received: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A dealer as routing sees it.

    `kind` is "showroom", "workshop" or "team". `competences` are (brand, service) pairs; an empty
    brand covers every brand. `models` are the codes of the range that a competence is for, every
    model where it has no entry. A cap of None is no cap. `weight` is its fair share relative to
    others, `quality` breaks ties (higher first). `exclusive_postcodes` and `shared_postcodes` are
    prefixes in the dealer's country (a team's, without one, hold in every country),
    `exclusive_area` and `shared_area` polygons in (lon, lat) degrees; inside the dealer owns the
    leads it is competent for, alone or with whoever shares the place.
    """

    id: int
    code: str
    name: str
    lat: float
    lon: float
    country: str
    calendar: Calendar
    competences: frozenset[tuple[str, str]]
    languages: frozenset[str] = frozenset()
    active: bool = True
    paused: bool = False
    reachable: bool = True
    day_cap: int | None = None
    day_used: int = 0
    month_cap: int | None = None
    month_used: int = 0
    open_cap: int | None = None
    open_used: int = 0
    weight: float = 1.0
    received: int = 0
    quality: float = 0.0
    exclusive_postcodes: tuple[str, ...] = ()
    exclusive_area: BaseGeometry | None = None
    kind: str = "showroom"
    models: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict, hash=False)
    shared_postcodes: tuple[str, ...] = ()
    shared_area: BaseGeometry | None = None

    @property
    def load(self) -> Load:
        return Load(self.day_used, self.month_used, self.open_used, self.received)

    def with_load(self, load: Load) -> Candidate:
        return replace(
            self,
            day_used=load.day_used,
            month_used=load.month_used,
            open_used=load.open_used,
            received=load.received,
        )


def is_competent(candidate: Candidate, brand: str, service: str) -> bool:
    """Whether the dealer offers the service for the brand; an empty brand on either side is any."""
    held = candidate.competences
    if (brand, service) in held or ("", service) in held:
        return True
    return not brand and any(offered == service for _, offered in held)


def has_model(candidate: Candidate, brand: str, service: str, model: str) -> bool:
    """Whether the model is in the range of a competence that `is_competent` goes by."""
    ranges = candidate.models
    if not model or not ranges:
        return True
    return any(
        offered == service
        and (named == brand or not named or not brand)
        and (held not in ranges or model in ranges[held])
        for held in candidate.competences
        for named, offered in (held,)
    )
