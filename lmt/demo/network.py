"""Puts the demo's markets, brands and dealers into the database, and makes candidates of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from shapely.geometry import shape
from sqlalchemy.orm import Session

from lmt.calendarpacks import RAMADAN, ramadan_hours
from lmt.demo.brands import BRANDS
from lmt.demo.countries import BY_CODE
from lmt.demo.dealers import DAYS_BACK, DemoDealer
from lmt.demo.markets import MARKETS
from lmt.demo.store import inserted_ids
from lmt.models import (
    Brand,
    Campaign,
    Closure,
    Competence,
    Dealer,
    DealerGroup,
    DealerTerms,
    Market,
    MarketCountry,
    RoutingPolicy,
    SpecialHours,
    Territory,
    VehicleModel,
)
from lmt.models.validity import since
from lmt.routing.candidate import Candidate
from lmt.routing.policy import Policy
from lmt.workhours import Calendar

_COST_EUR = {"autumn": 260_000, "elvaro": 410_000}
"""What each campaign costs in all markets together."""


@dataclass(frozen=True, slots=True)
class Founded:
    """Ids by code, and the policy of each market."""

    markets: Mapping[str, int]
    brands: Mapping[str, int]
    campaigns: Mapping[str, Sequence[int]]
    policy_ids: Mapping[str, int]
    policies: Mapping[str, Policy]


def found_markets(session: Session, at: datetime) -> Founded:
    """Brands, models, markets with their countries, policies and campaigns. No commit."""
    brands = {
        brand.code: Brand(
            code=brand.code,
            name=brand.name,
            models=[
                VehicleModel(code=model.code, name=model.name, aliases=list(model.aliases))
                for model in brand.models
            ],
        )
        for brand in BRANDS
    }
    markets = {
        market.code: Market(
            code=market.code,
            name=market.name,
            languages=list(market.languages),
            default_language=market.default_language,
            timezone=market.timezone,
            currency=market.currency,
            week_start=market.week_start,
            desk_hours=market.desk_hours,
            desk_country=market.head[0],
            countries=[MarketCountry(country=country) for country in market.countries],
        )
        for market in MARKETS
    }
    session.add_all([*brands.values(), *markets.values()])
    session.flush()
    policies = {
        market.code: Policy.from_settings({"version": 1, **market.policy}) for market in MARKETS
    }
    stored = {
        code: RoutingPolicy(
            market_id=markets[code].id,
            version=1,
            settings=policy.to_settings(),
            valid=since(None),
        )
        for code, policy in policies.items()
    }
    campaigns = {
        market.code: [
            Campaign(
                code=f"{market.code.lower()}-{slug}",
                market_id=markets[market.code].id,
                brand_id=None if slug == "autumn" else brands["aurel"].id,
                name=name,
                utm_campaign=f"{market.code.lower()}_{slug}*",
                platform_ids=[
                    f"{platform}:campaign:{7_700_000 + 100 * number + place}"
                    for platform in ("google", "meta", "tiktok", "linkedin")
                ],
                starts_on=_days_before(at, DAYS_BACK),
                ends_on=None,
                cost=Decimal(round(_COST_EUR[slug] * market.leads * market.eur, -2)),
                currency=market.currency,
            )
            for place, (slug, name) in enumerate(zip(_COST_EUR, market.campaigns, strict=True))
        ]
        for number, market in enumerate(MARKETS)
    }
    session.add_all([*stored.values(), *(each for some in campaigns.values() for each in some)])
    session.flush()
    return Founded(
        markets={code: market.id for code, market in markets.items()},
        brands={code: brand.id for code, brand in brands.items()},
        campaigns={code: [each.id for each in some] for code, some in campaigns.items()},
        policy_ids={code: policy.id for code, policy in stored.items()},
        policies=policies,
    )


def open_dealers(
    session: Session, dealers: Sequence[DemoDealer], founded: Founded
) -> dict[str, int]:
    """Store the dealers with terms, competences, closures and territories; ids by code."""
    names = sorted({dealer.group for dealer in dealers if dealer.group})
    groups = dict(
        zip(
            names,
            inserted_ids(
                session, DealerGroup, [{"code": name, "name": f"Group {name}"} for name in names]
            ),
            strict=True,
        )
    )
    ids = inserted_ids(
        session,
        Dealer,
        [
            {
                "code": dealer.code,
                "market_id": founded.markets[dealer.market],
                "group_id": groups.get(dealer.group),
                "kind": dealer.kind,
            }
            for dealer in dealers
        ],
    )
    always = since(None)
    terms, competences, closures, territories = [], [], [], []
    for id, dealer in zip(ids, dealers, strict=True):
        terms.append(_terms(id, dealer))
        competences += [
            {"dealer_id": id, "brand_id": founded.brands[brand], "service": service}
            for brand, service in dealer.competences
        ]
        closures += [
            {"dealer_id": id, "starts_on": first, "ends_on": last, "reason": reason}
            for first, last, reason in dealer.closures
        ]
        if dealer.postcodes or dealer.area:
            territories.append(
                {"dealer_id": id, "postcodes": list(dealer.postcodes), "area": dealer.area}
            )
    for model, rows in (
        (DealerTerms, terms),
        (Competence, competences),
        (Closure, closures),
        (Territory, territories),
    ):
        inserted_ids(session, model, [{**row, "valid": always} for row in rows])
    return {dealer.code: id for id, dealer in zip(ids, dealers, strict=True)}


def keep_days(session: Session, founded: Founded, at: datetime) -> None:
    """Give the markets whose countries keep Ramadan its hours, last year's to next year's."""
    rows = [
        {
            "market_id": founded.markets[market.code],
            "country": country,
            "starts_on": first,
            "ends_on": last,
            "hours": hours,
            "name": RAMADAN,
            "valid": since(None),
        }
        for market in MARKETS
        for country in market.countries
        for first, last, hours in _special(country, at)
    ]
    inserted_ids(session, SpecialHours, rows)


def candidates(
    dealers: Sequence[DemoDealer], ids: Mapping[str, int], at: datetime
) -> list[Candidate]:
    """The dealers as routing sees them. A team of the market belongs to no single country."""
    return [
        Candidate(
            id=ids[dealer.code],
            code=dealer.code,
            name=dealer.name,
            lat=dealer.lat,
            lon=dealer.lon,
            kind=dealer.kind,
            country="" if dealer.kind == "team" else dealer.country,
            calendar=calendar(dealer, at),
            competences=frozenset(dealer.competences),
            languages=frozenset(dealer.languages),
            paused=dealer.paused,
            day_cap=dealer.day_cap,
            month_cap=dealer.month_cap,
            open_cap=dealer.open_cap,
            weight=dealer.weight,
            quality=dealer.quality,
            exclusive_postcodes=dealer.postcodes,
            exclusive_area=shape(dealer.area) if dealer.area else None,
        )
        for dealer in dealers
    ]


def calendar(dealer: DemoDealer, at: datetime) -> Calendar:
    return Calendar(
        dealer.hours,
        dealer.timezone,
        dealer.country,
        tuple((first, last) for first, last, _ in dealer.closures),
        () if dealer.kind == "team" else _special(dealer.country, at),
    )


def _special(country: str, at: datetime) -> tuple[tuple[date, date, str], ...]:
    years = (at.year - 1, at.year, at.year + 1)
    return tuple(days for year in years for days in ramadan_hours(country, year))


def _terms(id: int, dealer: DemoDealer) -> dict[str, object]:
    return {
        "dealer_id": id,
        "name": dealer.name,
        "email": dealer.email,
        "phone": dealer.phone,
        "language": dealer.language,
        "languages": list(dealer.languages),
        "street": dealer.street,
        "postcode": dealer.postcode,
        "city": dealer.city,
        "country": dealer.country,
        "lat": dealer.lat,
        "lon": dealer.lon,
        "timezone": dealer.timezone,
        "hours": dealer.hours,
        "day_cap": dealer.day_cap,
        "month_cap": dealer.month_cap,
        "open_cap": dealer.open_cap,
        "weight": dealer.weight,
        "quality": dealer.quality,
        "active": True,
        "paused": dealer.paused,
    }


def _days_before(at: datetime, days: int) -> date:
    return (at - timedelta(days=days)).date()


def hosts(dealers: Sequence[DemoDealer]) -> list[DemoDealer]:
    """The dealers whose people log in: the first showroom of two cities in each market."""
    found = []
    for market in MARKETS:
        for country, name in market.users_in:
            city = BY_CODE[country].called(name)
            found.append(
                next(
                    each
                    for each in dealers
                    if (each.country, each.city, each.kind) == (country, city, "showroom")
                )
            )
    return found


def seeded(seed: int, part: str) -> Random:
    """A generator of its own for each part, so that one part's changes leave the others alone."""
    return Random(f"{seed}:{part}")
