"""Two markets with dealers, people and leads: what one may see the other must not."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lxml import html
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from lmt.db import uuid7
from lmt.models import (
    Brand,
    Customer,
    Dealer,
    DealerTerms,
    Event,
    Intake,
    Lead,
    Market,
    MarketCountry,
    Message,
    Offer,
    Role,
    RoutingDecision,
    Source,
    User,
    UserScope,
)
from lmt.models.validity import since
from lmt.scope import SYSTEM, act_as

NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass
class TwoMarkets:
    """`gulf` has the dealers `riyadh` and `jeddah`, `poland` has `lodz`; one API and one form
    source each. Every row is made by hand and committed."""

    session: Session
    password: str
    """A hash; everybody has the same."""
    gulf: Market = field(init=False)
    poland: Market = field(init=False)
    brand: Brand = field(init=False)
    riyadh: Dealer = field(init=False)
    jeddah: Dealer = field(init=False)
    lodz: Dealer = field(init=False)
    people: dict[str, User] = field(default_factory=dict)
    sources: dict[tuple[str, str], Source] = field(default_factory=dict)
    made: int = 0

    def __post_init__(self) -> None:
        act_as(self.session, SYSTEM)
        self.gulf = self._market("two-gulf", "Gulf", ["ar", "en"], "Asia/Riyadh", "QA", "SAR")
        self.poland = self._market("two-poland", "Poland", ["pl"], "Europe/Warsaw", "LT", "PLN")
        self.brand = self._add(Brand(code="two-aurelia", name="Aurelia"))
        self.riyadh = self._dealer(self.gulf, "two-riyadh", "أوريليا الرياض", "Su-Th 09:00-18:00")
        self.jeddah = self._dealer(self.gulf, "two-jeddah", "Aurelia Jeddah", "Mo-Su 09:00-18:00")
        self.lodz = self._dealer(self.poland, "two-lodz", "Aurelia Łódź", "Mo-Fr 09:00-18:00")
        self.person("hana", "headquarters", market_id=self.gulf.id)
        self.person("pola", "headquarters", market_id=self.poland.id)
        self.person("omar", "central")
        self.person("bert", "manager", dealer_id=self.riyadh.id)
        self.person("anna", "agent", dealer_id=self.riyadh.id)
        self.person("carla", "agent", dealer_id=self.jeddah.id)
        self.session.commit()

    def person(self, name: str, role: str, **scope: int) -> User:
        row = self.session.scalars(select(Role).where(Role.name == role)).one()
        user = User(
            email=f"{name}@two.example",
            password=self.password,
            fs_uniquifier=uuid.uuid4().hex,
            name=name.title(),
        )
        user.roles = [row]
        user.scopes = [UserScope(**scope)]
        self.people[name] = self._add(user)
        return user

    def lead(
        self,
        dealer: Dealer | None = None,
        *,
        market: Market | None = None,
        status: str = "offered",
        created_at: datetime = NOW - timedelta(hours=1),
        source: str = "api",
        **values: Any,
    ) -> Lead:
        """A lead of `dealer`'s market (or `market`), with its first event."""
        self.made += 1
        market = market or (self.poland if dealer is self.lodz else self.gulf)
        customer = self._add(Customer(full_name="Nora Example", created_at=created_at))
        given: dict[str, Any] = {
            "reference": f"TW{self.made:02d}-{market.id:04d}",
            "full_name": f"Nora Example {self.made}",
            "email": f"nora{self.made}@mail.example",
            "phone": f"+9665000000{self.made:02d}",
            "language": "ar",
            "city": "الرياض",
            "timezone": market.timezone,
            "request_type": "test_drive",
            "model": "Vela",
            "comments": "Ring twice",
        }
        lead = Lead(
            id=uuid7(created_at),
            market_id=market.id,
            source_id=self.sources[market.code, source].id,
            customer_id=customer.id,
            country="QA" if market is self.gulf else "LT",
            brand_id=self.brand.id,
            dealer_id=dealer.id if dealer else None,
            status=status,
            created_at=created_at,
            **(given | values),
        )
        self._add(lead)
        self._add(
            Event(id=uuid7(created_at), lead_id=lead.id, at=created_at, kind="received", data={})
        )
        self.session.commit()
        return lead

    def offer(self, lead: Lead, *, expires_at: datetime, decision: bool = True) -> Offer:
        stored = self.decision(lead) if decision else None
        offer = Offer(
            lead_id=lead.id,
            dealer_id=lead.dealer_id,
            decision_id=stored.id if stored else None,
            distance_km=3.4,
            offered_at=lead.created_at,
            expires_at=expires_at,
        )
        self._add(offer)
        self.session.commit()
        return offer

    def decision(self, lead: Lead, **result: Any) -> RoutingDecision:
        """Riyadh chosen, Jeddah behind it, a refusal for its cap; or `result`."""
        ranked = [
            {"code": self.riyadh.code, "id": self.riyadh.id, "distance_km": 3.4, "why": ""},
            {"code": self.jeddah.code, "id": self.jeddah.id, "distance_km": 848.0},
        ]
        ranked[0] |= {"open_now": True, "opens_at": None}
        ranked[1] |= {"open_now": False, "opens_at": NOW.isoformat(), "why": "farther"}
        full = {
            "code": self.jeddah.code,
            "id": self.jeddah.id,
            "reason": "day_cap",
            "about_km": 848.0,
            "figures": {"used": 5, "cap": 5},
        }
        stored = RoutingDecision(
            lead_id=lead.id,
            at=lead.created_at,
            dealer_id=lead.dealer_id,
            inputs={},
            result={
                "how": "nearest",
                "chosen": self.riyadh.code,
                "chosen_id": self.riyadh.id,
                "ranked": ranked,
                "refused": [full],
                "more_refused": 7,
            }
            | result,
        )
        self._add(stored)
        self.session.commit()
        return stored

    def message(self, lead: Lead, **values: Any) -> Message:
        self.made += 1
        given: dict[str, Any] = {"recipient": "desk@two.example"} | values
        message = Message(
            cause=f"two:{self.made}",
            kind="dealer_new_lead",
            audience="dealer",
            lead_id=lead.id,
            market_id=lead.market_id,
            dealer_id=lead.dealer_id,
            language="ar",
            timezone="Asia/Riyadh",
            next_attempt_at=NOW,
            created_at=NOW,
            **given,
        )
        self._add(message)
        self.session.commit()
        return message

    def quarantined(self, market: Market, body: bytes) -> Intake:
        intake = Intake(
            source_id=self.sources[market.code, "api"].id,
            received_at=NOW,
            content_type="text/xml",
            body=body,
            body_hash=b"hash",
            status="quarantined",
            problem={"code": "not_adf", "errors": [{"field": "adf", "message": "no prospect"}]},
        )
        self._add(intake)
        self.session.commit()
        return intake

    def _market(
        self, code: str, name: str, languages: list[str], zone: str, country: str, currency: str
    ) -> Market:
        market: Market = self._add(
            Market(
                code=code,
                name=name,
                languages=languages,
                default_language=languages[0],
                timezone=zone,
                currency=currency,
            )
        )
        self._add(MarketCountry(country=country, market_id=market.id))
        for kind in ("api", "form"):
            source = Source(code=f"{code}-{kind}", kind=kind, name=kind, market_id=market.id)
            self.sources[code, kind] = self._add(source)
        return market

    def _dealer(self, market: Market, code: str, name: str, hours: str) -> Dealer:
        dealer: Dealer = self._add(Dealer(code=code, market_id=market.id))
        self._add(
            DealerTerms(
                dealer_id=dealer.id,
                name=name,
                email="desk@two.example",
                phone="+966 11 555 0100",
                language=market.default_language,
                city="City",
                country="QA",
                lat=24.7,
                lon=46.7,
                timezone=market.timezone,
                hours=hours,
                day_cap=5,
                valid=since(None),
            )
        )
        return dealer

    def _add(self, row: Any) -> Any:
        self.session.add(row)
        self.session.flush()
        return row


def parsed(text: str) -> Any:
    """A page as a tree to ask with XPath."""
    return html.fromstring(text)


@contextmanager
def counted_selects() -> Iterator[list[str]]:
    """The SELECTs that reach the database meanwhile."""
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)
