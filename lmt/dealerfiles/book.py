"""Reads the dealers as they stand, for a file to be compared with: few statements, whatever their
number."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from lmt.dealerfiles.areas import plain_area
from lmt.dealerfiles.offers import Brands
from lmt.dealerfiles.plan import MarketFacts, Standing
from lmt.dealerfiles.state import DealerState
from lmt.dealers import PERMISSION
from lmt.lifecycle import WITH_DEALER
from lmt.models import Brand, Market, VehicleModel
from lmt.scope import Actor

_EXACT_TO = 7

_DEALERS = text(
    """
    SELECT dealer.id, dealer.code, dealer.kind, market.code AS market,
           coalesce(owner.name, '') AS owner, terms.id AS terms_id, upper(terms.valid) AS until,
           terms.name, terms.email, terms.phone, terms.language, terms.languages, terms.street,
           terms.postcode, terms.city, terms.country, terms.lat, terms.lon, terms.timezone,
           terms.hours, terms.day_cap, terms.month_cap, terms.open_cap, terms.weight,
           terms.active, terms.paused, terms.quality, terms.assign_to,
           (SELECT json_agg(json_build_array(brand.code, held.service, held.models))
            FROM competence AS held JOIN brand ON brand.id = held.brand_id
            WHERE held.dealer_id = dealer.id AND held.valid @> now.at) AS competences,
           (SELECT json_agg(json_build_array(starts_on, ends_on, reason))
            FROM closure WHERE dealer_id = dealer.id AND valid @> now.at
              AND ends_on >= CAST(:today AS date)) AS closures,
           (SELECT json_agg(json_build_array(exclusive, postcodes, area) ORDER BY id)
            FROM territory WHERE dealer_id = dealer.id AND valid @> now.at) AS territories,
           EXISTS (SELECT 1 FROM handover
                   WHERE dealer_id = dealer.id AND brand_id IS NULL AND done_at IS NULL) AS ends
    FROM (SELECT CAST(:at AS timestamptz) AS at) AS now
    CROSS JOIN dealer JOIN market ON market.id = dealer.market_id
    LEFT JOIN dealer_group AS owner ON owner.id = dealer.group_id
    LEFT JOIN dealer_terms AS terms ON terms.dealer_id = dealer.id AND terms.valid @> now.at
    WHERE dealer.code = ANY(CAST(:codes AS text[])) OR market.code = CAST(:market AS text)
    ORDER BY dealer.code
    """
)
_OPEN = text(
    "SELECT dealer_id, count(*) AS number FROM lead WHERE dealer_id = ANY(CAST(:ids AS int[]))"
    " AND status = ANY(CAST(:statuses AS text[])) GROUP BY dealer_id"
)
_POLICIES = text(
    "SELECT settings FROM routing_policy JOIN market ON market.id = routing_policy.market_id"
    " WHERE market.code = :market AND valid @> CAST(:at AS timestamptz)"
)


@dataclass(frozen=True, slots=True)
class Known:
    """Where a dealer's rows are: `until` its terms end by themselves; `quality` and `assign_to` are
    what no file says."""

    id: int
    terms_id: int | None
    until: datetime | None
    quality: float | None
    assign_to: str | None


@dataclass(frozen=True, slots=True)
class Book:
    """The dealers that a file could be about, by code."""

    standing: Mapping[str, Standing]
    known: Mapping[str, Known]
    markets: Mapping[str, MarketFacts]
    market_ids: Mapping[str, int]
    brands: Brands
    brand_ids: Mapping[str, int] = field(default_factory=dict)


def dealer_book(
    session: Session,
    codes: Collection[str],
    *,
    market: str,
    today: date,
    at: datetime,
    actor: Actor,
    with_leads: bool = False,
) -> Book:
    """The dealers of these codes, and all of the `market` ("" for none); with how many leads are
    open where that will be asked."""
    rows = session.execute(
        _DEALERS, {"codes": list(codes), "market": market, "at": at, "today": today}
    ).all()
    named = _named_by_policies(session, market, at) if with_leads else frozenset()
    leads: dict[int, int] = {}
    if with_leads:
        leads = _open_leads(session, [row.id for row in rows if row.market == market])
    markets, market_ids = _markets(session, actor)
    brands, brand_ids = brands_on_sale(session)
    return Book(
        standing={
            row.code: Standing(
                _state(row),
                row.terms_id is not None,
                leads.get(row.id, 0),
                "fallback" if row.code in named else "planned_already" if row.ends else "",
            )
            for row in rows
        },
        known={
            row.code: Known(
                row.id, row.terms_id, row.until, row.quality or 0.5, row.assign_to or ""
            )
            for row in rows
        },
        markets=markets,
        market_ids=market_ids,
        brands=brands,
        brand_ids=brand_ids,
    )


def brands_on_sale(session: Session) -> tuple[Brands, dict[str, int]]:
    """What brands and models are called, and the brands' ids by code."""
    brands = session.execute(select(Brand.id, Brand.code, Brand.name, Brand.aliases)).all()
    models = session.execute(
        select(Brand.code, VehicleModel.code, VehicleModel.name, VehicleModel.aliases).join(
            Brand, Brand.id == VehicleModel.brand_id
        )
    )
    called = Brands.of(
        [(code, (name, *aliases)) for _id, code, name, aliases in brands],
        [(brand, code, (name, *aliases)) for brand, code, name, aliases in models],
    )
    return called, {code: id for id, code, _name, _aliases in brands}


def markets_to_edit(session: Session, actor: Actor) -> list[tuple[str, str]]:
    """(code, name) of the markets whose dealers the actor may change."""
    rows = session.execute(select(Market.id, Market.code, Market.name).order_by(Market.name))
    return [(code, name) for id, code, name in rows if _may_edit(id, actor)]


def _markets(session: Session, actor: Actor) -> tuple[dict[str, MarketFacts], dict[str, int]]:
    facts, ids = {}, {}
    for market in session.scalars(select(Market)):
        countries = tuple(each.country for each in market.countries)
        ids[market.code] = market.id
        facts[market.code] = MarketFacts(
            market.code, countries, market.default_language, _may_edit(market.id, actor)
        )
    return facts, ids


def _may_edit(market_id: int, actor: Actor) -> bool:
    return actor.may(PERMISSION) and (
        actor.everywhere
        or any(
            part.market_id == market_id and part.dealer_id is None and part.brand_id is None
            for part in actor.parts
        )
    )


def _open_leads(session: Session, ids: list[int]) -> dict[int, int]:
    found = session.execute(_OPEN, {"ids": ids, "statuses": sorted(WITH_DEALER)})
    return {row.dealer_id: row.number for row in found}


def _named_by_policies(session: Session, market: str, at: datetime) -> frozenset[str]:
    """Every text in the market's policies: the codes of dealers that they count on among them."""
    policies = session.execute(_POLICIES, {"market": market, "at": at}).scalars()
    return frozenset(text for settings in policies for text in _texts(settings))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _state(row: Row[Any]) -> DealerState:
    if row.terms_id is None:
        return DealerState(code=row.code, market=row.market, name="", kind=row.kind)
    territories = row.territories or []
    return DealerState(
        code=row.code,
        market=row.market,
        name=row.name,
        email=row.email,
        group=row.owner,
        kind=row.kind,
        phone=row.phone,
        language=row.language,
        languages=tuple(row.languages),
        street=row.street,
        postcode=row.postcode,
        city=row.city,
        country=row.country,
        lat=round(row.lat, _EXACT_TO),
        lon=round(row.lon, _EXACT_TO),
        timezone=row.timezone,
        hours=row.hours,
        day_cap=row.day_cap,
        month_cap=row.month_cap,
        open_cap=row.open_cap,
        weight=row.weight,
        active=row.active,
        paused=row.paused,
        closures=tuple(
            sorted(
                (date.fromisoformat(first), date.fromisoformat(last), reason)
                for first, last, reason in row.closures or ()
            )
        ),
        competences=frozenset(
            (brand, service, tuple(sorted(models)))
            for brand, service, models in row.competences or ()
        ),
        exclusive=_postcodes(territories, True),
        shared=_postcodes(territories, False),
        areas=tuple(
            sorted(
                {
                    (alone, plain_area(area))
                    for alone, _codes, area in territories
                    if area is not None
                }
            )
        ),
    )


def _postcodes(territories: list[Any], alone: bool) -> tuple[str, ...]:
    return tuple(
        sorted(
            {code for exclusive, codes, _ in territories if exclusive is alone for code in codes}
        )
    )
