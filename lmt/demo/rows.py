"""The demo's leads as rows: ids, references and values, the same for the same seed. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from lmt.db import uuid7_floor
from lmt.demo.lives import Happening, Life
from lmt.demo.people import drawn

Row = dict[str, Any]

_REFERENCE_SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_DECISIONS_OF_DAYS = 30
_CONSENT_VERSION = "demo-1"


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids that rows point to: by market, source (market, kind), brand, campaign … code.

    `senders` are by market the sources of platforms, which bring a campaign's leads by turns.
    `staff` holds a dealer's people: who accepts and works on its leads. `policies` are by market.
    """

    markets: Mapping[str, int]
    brands: Mapping[str, int]
    sources: Mapping[tuple[str, str], int]
    senders: Mapping[str, Sequence[int]]
    campaigns: Mapping[str, Sequence[int]]
    policies: Mapping[str, int]
    staff: Mapping[int, Sequence[int]]


@dataclass(slots=True)
class Rows:
    """Rows by table; a lead's `customer_id` is filled in once customers have one."""

    customers: list[Row] = field(default_factory=list)
    customer_keys: list[tuple[int, str, str]] = field(default_factory=list)
    """(place among `customers`, kind, value)"""
    customer_of: list[int] = field(default_factory=list)
    """For each lead, the place of its customer among `customers`."""
    leads: list[Row] = field(default_factory=list)
    consents: list[Row] = field(default_factory=list)
    decisions: list[Row] = field(default_factory=list)
    offers: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    plans: list[Row] = field(default_factory=list)
    outcomes: list[Row] = field(default_factory=list)


def demo_rows(rng: Random, lives: Sequence[Life], ids: Ids, at: datetime) -> Rows:
    """All rows of the lives; instants and ids follow each other as they would have."""
    return _Writing(rng, ids, at).rows(lives)


class _Writing:
    def __init__(self, rng: Random, ids: Ids, at: datetime) -> None:
        self.rng, self.ids, self.at = rng, ids, at
        self.out = Rows()
        self.customers: dict[str, int] = {}
        self.taken: set[str] = set()
        self.keys: set[tuple[str, str]] = set()

    def rows(self, lives: Sequence[Life]) -> Rows:
        for life in lives:
            self.lead(life)
        return self.out

    def lead(self, life: Life) -> None:
        arrival = life.arrival
        lead_id = self.uuid7(arrival.at)
        owner = self.owner(life)
        self.out.customer_of.append(self.customer(life))
        self.out.leads.append(self.lead_row(life, lead_id, owner))
        if arrival.channel in {"form", "campaign"}:
            self.out.consents.append(
                {
                    "lead_id": lead_id,
                    "purpose": "contact",
                    "given": True,
                    "text_version": _CONSENT_VERSION,
                    "at": arrival.at,
                }
            )
        decision_ids = self.decisions(life, lead_id)
        for offer in life.offers:
            self.out.offers.append(
                {
                    "id": self.uuid7(offer.offered_at),
                    "lead_id": lead_id,
                    "dealer_id": offer.dealer,
                    "decision_id": decision_ids.get(offer.decision),
                    "state": offer.state,
                    "reason": offer.reason,
                    "distance_km": offer.distance_km,
                    "offered_at": offer.offered_at,
                    "clock_at": offer.offered_at,
                    "minutes": offer.minutes,
                    "hop": offer.hop,
                    "expires_at": offer.expires_at,
                    "closed_at": offer.closed_at,
                }
            )
        for position, happening in enumerate(life.happenings):
            self.out.events.append(self.event(happening, lead_id, owner, position))
        for plan in life.plans:
            self.out.plans.append(
                {
                    "lead_id": lead_id,
                    "dealer_id": life.dealer,
                    "owner_id": owner,
                    "kind": plan.kind,
                    "due_at": plan.due_at,
                    "note": "",
                    "created_at": plan.created_at,
                    "done_at": plan.done_at,
                }
            )
        if life.status in {"won", "lost"}:
            self.out.outcomes.append(self.outcome(life, lead_id, owner))

    def lead_row(self, life: Life, lead_id: uuid.UUID, owner: int | None) -> Row:
        arrival, qualified, person = life.arrival, life.qualified, life.arrival.person
        city = arrival.city
        model = arrival.model.name if arrival.model else ""
        campaigns = self.ids.campaigns[arrival.market.code]
        return {
            "id": lead_id,
            "reference": self.reference(),
            "market_id": self.ids.markets[arrival.market.code],
            "source_id": self.source(life),
            "campaign_id": None if arrival.campaign is None else campaigns[arrival.campaign],
            "intake_id": None,
            "test": False,
            "full_name": person.full_name,
            "company": arrival.company,
            "email": person.email if arrival.reachable else "",
            "phone": person.phone if arrival.reachable else "",
            "language": person.language,
            "country": person.country,
            "region": "",
            "postcode": arrival.postcode,
            "city": arrival.city_text,
            "street": "",
            "lat": city.lat if city else None,
            "lon": city.lon if city else None,
            "timezone": city.timezone if city else "",
            "location_method": "city" if city else "",
            "accuracy_km": arrival.accuracy_km if city else None,
            "brand_id": self.ids.brands[arrival.brand.code],
            "model": model,
            "request_type": qualified.request_type,
            "service": qualified.service,
            "comments": arrival.comments,
            "preferred_dealer": arrival.preferred_dealer,
            "given": _given(life, model),
            "tags": list(qualified.tags),
            "points": qualified.points,
            "band": qualified.band,
            "status": str(life.status),
            "cause": life.cause,
            "dealer_id": life.dealer,
            "owner_id": owner,
            "next_action_at": life.next_action_at,
            "touched_at": life.touched_at,
            "escalated_minutes": life.escalated_minutes,
            "waiting_since": life.waiting_since,
            "resting_until": life.resting_until,
            "promise_at": life.promise_at,
            "sent_at": arrival.at,
            "created_at": arrival.at,
            "offered_at": life.offered_at,
            "accepted_at": life.accepted_at,
            "contacted_at": life.contacted_at,
            "closed_at": life.closed_at,
            "postponed": 0,
        }

    def decisions(self, life: Life, lead_id: uuid.UUID) -> dict[int, uuid.UUID]:
        """Stored for the last month and for whatever is still open; older ones have expired."""
        recent = life.arrival.at > self.at - timedelta(days=_DECISIONS_OF_DAYS)
        if not recent and life.closed_at is not None:
            return {}
        stored = {}
        for position, decision in enumerate(life.decisions):
            stored[position] = self.uuid7(decision.at)
            result = decision.to_json()
            self.out.decisions.append(
                {
                    "id": stored[position],
                    "lead_id": lead_id,
                    "at": decision.at,
                    "policy_id": self.ids.policies[life.arrival.market.code],
                    "dealer_id": decision.chosen_id,
                    "cause": decision.cause or "",
                    "inputs": result.pop("lead"),
                    "result": result,
                }
            )
        return stored

    def event(
        self, happening: Happening, lead_id: uuid.UUID, owner: int | None, position: int
    ) -> Row:
        staff = self.ids.staff.get(happening.dealer or 0, ())
        actor = (owner if owner in staff else staff[0]) if staff and happening.by_dealer else None
        return {
            "id": self.uuid7(happening.at, position),
            "lead_id": lead_id,
            "at": happening.at,
            "kind": happening.kind,
            "actor_id": actor,
            "dealer_id": happening.dealer,
            "data": happening.data,
        }

    def outcome(self, life: Life, lead_id: uuid.UUID, owner: int | None) -> Row:
        is_sale = life.won and life.qualified.service in {"sales", "used", "fleet"}
        model = life.arrival.model or life.arrival.brand.models[0]
        value = None
        if is_sale:
            factor = 0.45 if life.qualified.service == "used" else self.rng.uniform(0.94, 1.18)
            euros = round(model.price_eur * factor, -2)
            value = Decimal(round(euros * life.arrival.market.eur, -2)).quantize(Decimal("0.01"))
        return {
            "lead_id": lead_id,
            "kind": "won" if life.won else "lost",
            "at": life.closed_at,
            "dealer_id": life.dealer,
            "user_id": owner,
            "reason": "" if life.won else life.cause,
            "model": model.name if is_sale else "",
            "order_number": drawn(self.rng, "A######") if is_sale else "",
            "value": value,
            "currency": life.arrival.market.currency if is_sale else None,
        }

    def customer(self, life: Life) -> int:
        arrival, person = life.arrival, life.arrival.person
        name = person.email if arrival.reachable else f"{person.email}?"
        if name in self.customers:
            return self.customers[name]
        place = self.customers[name] = len(self.out.customers)
        self.out.customers.append(
            {
                "kind": arrival.kind,
                "full_name": person.full_name,
                "company": arrival.company,
                "language": person.language,
                "created_at": arrival.at,
            }
        )
        if arrival.reachable:
            for key in (("email", person.email), ("phone", person.phone)):
                if key not in self.keys:
                    self.keys.add(key)
                    self.out.customer_keys.append((place, *key))
        return place

    def source(self, life: Life) -> int:
        """A campaign's leads come by its pages and, in turn, by the platforms of the market."""
        market, channel = life.arrival.market.code, life.arrival.channel
        own = self.ids.sources[market, channel]
        if channel != "campaign":
            return own
        ways = [own, *self.ids.senders.get(market, ())]
        return ways[len(self.out.leads) % len(ways)]

    def owner(self, life: Life) -> int | None:
        """Whoever at the dealer took the lead; nobody while it is only offered."""
        if life.dealer is None or life.accepted_at is None:
            return None
        staff = self.ids.staff.get(life.dealer, ())
        return self.rng.choices(staff, weights=(4, 1)[: len(staff)])[0] if staff else None

    def reference(self) -> str:
        """Four and four signs that can't be mistaken for one another on the phone."""
        while True:
            signs = "".join(self.rng.choices(_REFERENCE_SIGNS, k=8))
            reference = f"{signs[:4]}-{signs[4:]}"
            if reference not in self.taken:
                self.taken.add(reference)
                return reference

    def uuid7(self, at: datetime, position: int = 0) -> uuid.UUID:
        """A time-ordered id of that instant, later ones of the same millisecond after it."""
        floor = uuid7_floor(at).int
        return uuid.UUID(int=floor | min(position, 4095) << 64 | self.rng.getrandbits(62))


def _given(life: Life, model: str) -> Row:
    """The lead as its sender gave it, in the shape of the API."""
    arrival, person = life.arrival, life.arrival.person
    return {
        "customer": _filled(
            full_name=person.full_name,
            company=arrival.company,
            email=person.email if arrival.reachable else "",
            phone=person.phone if arrival.reachable else "",
            language=person.language,
        ),
        "address": _filled(
            city=arrival.city_text, postcode=arrival.postcode, country=person.country
        ),
        "request": _filled(
            type=arrival.request_type,
            brand=arrival.brand.name,
            model=model,
            timeframe=arrival.timeframe,
            comments=arrival.comments,
            preferred_dealer=arrival.preferred_dealer,
        ),
    }


def _filled(**values: str) -> Row:
    return {name: value for name, value in values.items() if value}
