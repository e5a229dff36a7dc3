"""A small world for tests: two markets, a few dealers, the cast. All of it made up.

Warsaw has two showrooms, Riyadh and Dubai one each; every market has a team to fall back on.
Riyadh works Sunday to Thursday, Dubai Monday to Friday, Warsaw Monday to Saturday with a break.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from lmt.accounts.service import Scope, create_user
from lmt.db import sessions_for
from lmt.forms.defaults import BrandModels, contact_form
from lmt.ingest.accept import Delivery, accept
from lmt.ingest.keys import key_hash
from lmt.install import install
from lmt.models import (
    Brand,
    Competence,
    Dealer,
    DealerTerms,
    Form,
    FormVersion,
    Lead,
    Market,
    MarketCountry,
    Place,
    PlaceName,
    RoutingPolicy,
    Source,
    User,
    VehicleModel,
)
from lmt.models.validity import since
from lmt.routing.names import index_keys
from lmt.scope import SYSTEM, act_as

PASSWORD = "correct horse battery"
FRIDAY = datetime(2026, 3, 6, 7, 0, tzinfo=UTC)
"""10:00 in Riyadh, 11:00 in Dubai, 8:00 in Warsaw."""

API_KEY = "lmt_test_api_pl"
ADF_KEY = "lmt_test_adf_pl"
GULF_KEY = "lmt_test_api_gulf"

PLACES = [
    (756135, "Warsaw", "PL", "78", 1_702_139, 52.2298, 21.0118, "Europe/Warsaw",
     ["Warszawa", "Varsovie", "Warschau"]),
    (3093133, "Łódź", "PL", "74", 768_755, 51.7706, 19.4739, "Europe/Warsaw", ["Lodz"]),
    (3094802, "Kraków", "PL", "77", 755_050, 50.0614, 19.9366, "Europe/Warsaw", ["Cracow"]),
    (108410, "Riyadh", "SA", "10", 4_205_961, 24.6877, 46.7219, "Asia/Riyadh", ["الرياض"]),
    (292223, "Dubai", "AE", "03", 3_478_300, 25.0773, 55.3093, "Asia/Dubai", ["دبي"]),
]  # fmt: skip

_DEALERS = [
    ("PL-WAW-1", "Aurel Centrum", "Warszawa", "PL", 52.2400, 21.0300, "Europe/Warsaw", "pl",
     "Mo-Fr 09:00-13:00,14:00-18:00; Sa 09:00-14:00; PH off"),
    ("PL-WAW-2", "Aurel Wola", "Warszawa", "PL", 52.2300, 20.9600, "Europe/Warsaw", "pl",
     "Mo-Fr 09:00-18:00; PH off"),
    ("SA-RUH-1", "Aurel Olaya", "Riyadh", "SA", 24.7000, 46.6800, "Asia/Riyadh", "ar",
     "Su-Th 09:00-12:00,16:00-21:00"),
    ("AE-DXB-1", "Aurel Deira", "Dubai", "AE", 25.2700, 55.3200, "Asia/Dubai", "en",
     "Mo-Fr 09:00-19:00"),
]  # fmt: skip
_TEAMS = [
    ("PL-CARE", "Aurel Care Poland", "Warszawa", "PL", 52.2298, 21.0118, "Europe/Warsaw", "pl"),
    ("GULF-CARE", "Aurel Care Gulf", "Dubai", "AE", 25.0773, 55.3093, "Asia/Dubai", "en"),
]


@dataclass(frozen=True)
class World:
    """Ids by code or name; what tests need to speak of."""

    markets: dict[str, int]
    dealers: dict[str, int]
    sources: dict[str, int]
    users: dict[str, int]
    brand_id: int


def build(engine: Engine) -> World:
    install(engine, FRIDAY)
    with act_as(sessions_for(engine)(), SYSTEM) as session:
        world = _build(session)
        session.commit()
    return world


def _build(session: Session) -> World:
    markets = {
        "PL": Market(code="PL", name="Poland", languages=["pl", "en"], default_language="pl",
                     timezone="Europe/Warsaw", currency="PLN"),
        "GULF": Market(code="GULF", name="Gulf", languages=["ar", "en"], default_language="ar",
                       timezone="Asia/Riyadh", currency="SAR", week_start=6),
    }  # fmt: skip
    brand = Brand(code="aurel", name="Aurel")
    brand.models = [VehicleModel(code="mira", name="Mira", aliases=[])]
    session.add_all([*markets.values(), brand])
    session.flush()
    for market, countries in (("PL", ["PL"]), ("GULF", ["SA", "AE"])):
        session.add_all(MarketCountry(country=c, market_id=markets[market].id) for c in countries)
        session.add(
            RoutingPolicy(
                market_id=markets[market].id,
                version=1,
                settings={"fallback_dealer": f"{market}-CARE"},
                valid=since(None),
            )
        )
    dealers = {}
    for code, *terms in _DEALERS:
        market = markets["PL" if code.startswith("PL") else "GULF"]
        dealers[code] = _dealer(session, market, brand, code, "showroom", ["sales", "used"], *terms)
    for code, *terms in _TEAMS:
        market = markets[code.split("-")[0]]
        dealers[code] = _dealer(session, market, brand, code, "team", ["care"], *terms, "24/7")
    sources = _sources(session, markets, brand)
    _places(session)
    form = contact_form(
        "contact-pl", countries=["PL"], brands=[BrandModels("aurel", "Aurel", [("mira", "Mira")])],
        default_language="pl",
    )  # fmt: skip
    row = Form(code="contact-pl", source_id=sources["form-pl"].id, draft=form.to_json())
    session.add(row)
    session.flush()
    row.published = FormVersion(
        form_id=row.id, number=1, definition=form.to_json(), published_at=FRIDAY
    )
    users = _cast(session, markets, dealers)
    session.flush()
    return World(
        markets={code: m.id for code, m in markets.items()},
        dealers={code: d.id for code, d in dealers.items()},
        sources={code: s.id for code, s in sources.items()},
        users={name: u.id for name, u in users.items()},
        brand_id=brand.id,
    )


def _dealer(
    session: Session,
    market: Market,
    brand: Brand,
    code: str,
    kind: str,
    services: list[str],
    name: str,
    city: str,
    country: str,
    lat: float,
    lon: float,
    timezone: str,
    language: str,
    hours: str,
) -> Dealer:
    dealer = Dealer(code=code, market_id=market.id, kind=kind)
    session.add(dealer)
    session.flush()
    session.add(
        DealerTerms(
            dealer_id=dealer.id, name=name, email=f"{code.lower()}@dealers.example",
            language=language, city=city, country=country, lat=lat, lon=lon,
            timezone=timezone, hours=hours, valid=since(None),
        )
    )  # fmt: skip
    session.add_all(
        Competence(dealer_id=dealer.id, brand_id=brand.id, service=s, valid=since(None))
        for s in services
    )
    return dealer


def _sources(session: Session, markets: dict[str, Market], brand: Brand) -> dict[str, Source]:
    rows = [
        ("api-pl", "api", "PL", API_KEY, "PL", "pl"),
        ("adf-pl", "adf", "PL", ADF_KEY, "PL", "pl"),
        ("api-gulf", "api", "GULF", GULF_KEY, "", "ar"),
        ("form-pl", "form", "PL", None, "PL", "pl"),
    ]
    sources = {
        code: Source(
            code=code, kind=kind, name=code, market_id=markets[market].id, brand_id=brand.id,
            key_hash=None if key is None else key_hash(key), country=country, language=language,
        )
        for code, kind, market, key, country, language in rows
    }  # fmt: skip
    session.add_all(sources.values())
    session.flush()
    return sources


def _places(session: Session) -> None:
    for id, name, country, admin1, population, lat, lon, timezone, others in PLACES:
        session.add(
            Place(id=id, name=name, country=country, admin1=admin1, population=population,
                  lat=lat, lon=lon, timezone=timezone)
        )  # fmt: skip
        session.flush()
        keys = {key for each in [name, *others] for key in index_keys(each)}
        session.add_all(PlaceName(place_id=id, key=key, country=country) for key in sorted(keys))


def _cast(
    session: Session, markets: dict[str, Market], dealers: dict[str, Dealer]
) -> dict[str, User]:
    at_waw1 = Scope(dealer_id=dealers["PL-WAW-1"].id)
    cast = {
        "anna": ("agent", at_waw1, "Europe/Warsaw"),
        "bert": ("manager", at_waw1, "Europe/Warsaw"),
        "carla": ("agent", Scope(dealer_id=dealers["PL-WAW-2"].id), "Europe/Warsaw"),
        "hana": ("headquarters", Scope(market_id=markets["PL"].id), "Europe/Warsaw"),
        "omar": ("central", Scope(), "UTC"),
        "cem": ("call_centre", Scope(market_id=markets["PL"].id), "Europe/Warsaw"),
    }
    return {
        name: create_user(
            session, f"{name}@lmt.example", name.title(), PASSWORD,
            roles=[role], scopes=[scope], language="en", timezone=timezone,
        )
        for name, (role, scope, timezone) in cast.items()
    }  # fmt: skip


def send(session: Session, source: str, data: dict[str, Any], at: datetime) -> Lead:
    """A lead as if a partner had sent it; received, not yet routed."""
    row = session.scalars(select(Source).where(Source.code == source)).one()
    receipt = accept(session, row, Delivery(body=uuid.uuid4().bytes), [data], at)
    return session.get_one(Lead, receipt.lead_ids[0])


def warsaw_lead(**customer: str) -> dict[str, Any]:
    person = {"full_name": "Jan Kowal", "phone": "+48 512 345 678", "email": "jan@example.com"}
    return {
        "customer": {**person, "language": "pl", **customer},
        "address": {"city": "Warszawa", "country": "PL"},
        "request": {"type": "test_drive", "brand": "Aurel", "model": "Mira", "comments": "Cześć"},
    }


_numbers = count(100_000)


def somebody() -> dict[str, str]:
    """Another customer each time, though of the same name."""
    number = next(_numbers)
    return {"phone": f"+48 512 {number}", "email": f"jan{number}@example.com"}
