"""Leads that sales may have come of: found by keys, for a few hundred sales in a few statements."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import cast, func, literal_column, or_, select, tuple_
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlalchemy.orm import Session

from lmt.ingest.customers import asker_of
from lmt.ingest.identity import Person, keys_of
from lmt.models import CustomerKey, Dealer, DealerTerms, Lead, Market, MarketCountry, Outcome, Sale
from lmt.models.lead import SEARCHED
from lmt.sales.dealers import DealerBook
from lmt.sales.matching import DAYS_AFTER, DAYS_BEFORE, Asked, Sold
from lmt.sales.rows import Home, is_whole_vin, order_key

NO_LEADS = ("test", "suppressed", "import_undone", "joined_back")
"""Causes of a withdrawal after which there never was a lead; facts know none of them either."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Grounds:
    """What sales of a market are understood by."""

    market_id: int
    zone: ZoneInfo
    home: Home
    dealers: DealerBook


def grounds_of(session: Session, market_id: int, at: datetime) -> Grounds:
    """As it stands now. Raises LookupError for a market that isn't there."""
    market = session.get(Market, market_id)
    if market is None:
        raise LookupError(f"no market {market_id}")
    countries = session.scalars(
        select(MarketCountry.country)
        .where(MarketCountry.market_id == market_id)
        .order_by(MarketCountry.country)
    ).all()
    codes: dict[str, int] = {}
    names: dict[int, str] = {}
    rows = session.execute(
        select(Dealer.id, Dealer.code, DealerTerms.name)
        .outerjoin(DealerTerms, (DealerTerms.dealer_id == Dealer.id) & DealerTerms.holds_at(at))
        .where(Dealer.market_id == market_id)
        .order_by(Dealer.id)
    )
    for id, code, name in rows:
        codes[code.upper()] = id
        names[id] = name or code
    return Grounds(
        market_id,
        ZoneInfo(market.timezone),
        Home(tuple(countries), market.currency),
        DealerBook(codes, names),
    )


def sold_of(sale: Sale, home: Home) -> Sold:
    """A sale as it is compared."""
    person = Person(
        full_name=sale.full_name,
        company=sale.company,
        email=sale.email,
        phone=sale.phone if sale.phone.startswith("+") else "",
        country=home.countries[0] if len(home.countries) == 1 else "",
        postcode=sale.postcode,
        city=sale.city,
    )
    vin = sale.vin if is_whole_vin(sale.vin) else ""
    return Sold(person, sale.sold_on, sale.order_number, vin, sale.model, sale.dealer_id)


def found(session: Session, grounds: Grounds, sales: Sequence[Sold]) -> list[list[Asked]]:
    """For each sale the leads that share a key with it and fit its time; five statements at most,
    however many sales."""
    if not sales:
        return []
    customers = _customers(session, grounds, sales)
    by_order = _by_order(session, grounds, sales)
    by_vin = _by_vin(session, grounds, sales)
    leads = _leads(
        session,
        grounds,
        sales,
        {id for each in customers for id in each},
        {id for ids in (*by_order.values(), *by_vin.values()) for id in ids},
    )
    by_id = {asked.lead_id: asked for asked in leads}
    by_customer: dict[int, list[Asked]] = defaultdict(list)
    for asked in leads:
        by_customer[asked.known.customer_id].append(asked)
    result = []
    for sold, ids in zip(sales, customers, strict=True):
        own = {asked.lead_id: asked for id in ids for asked in by_customer.get(id, ())}
        named = (*by_order.get(order_key(sold.order_number), ()), *by_vin.get(sold.vin, ()))
        own |= {id: by_id[id] for id in named if id in by_id}
        result.append([own[id] for id in sorted(own)])
    return result


def asked_lead(session: Session, grounds: Grounds, lead_id: uuid.UUID) -> Asked | None:
    """One lead of the market, whenever it came; None where it is none that could be sold to."""
    rows = _rows(session, grounds, Lead.id == lead_id)
    return next(iter(_asked(session, grounds, rows)), None)


def asked_leads(
    session: Session, grounds: Grounds, lead_ids: Iterable[uuid.UUID]
) -> dict[uuid.UUID, Asked]:
    """Several of them, by id."""
    rows = _rows(session, grounds, Lead.id.in_(list(lead_ids)))
    return {asked.lead_id: asked for asked in _asked(session, grounds, rows)}


def _keys(person: Person, home: Home) -> set[tuple[str, str]]:
    """The keys of the buyer, in whichever country of the market they live."""
    return {
        key
        for country in {person.country, *home.countries}
        for key in keys_of(replace(person, country=country))
    }


def _customers(session: Session, grounds: Grounds, sales: Sequence[Sold]) -> list[set[int]]:
    keys = [_keys(sold.person, grounds.home) for sold in sales]
    wanted = sorted({key for each in keys for key in each})
    holders: dict[tuple[str, str], set[int]] = defaultdict(set)
    if wanted:
        rows = session.execute(
            select(CustomerKey.kind, CustomerKey.value, CustomerKey.customer_id).where(
                tuple_(CustomerKey.kind, CustomerKey.value).in_(wanted)
            )
        )
        for kind, value, customer_id in rows:
            holders[(kind, value)].add(customer_id)
    return [{id for key in each for id in holders.get(key, ())} for each in keys]


def _by_order(
    session: Session, grounds: Grounds, sales: Sequence[Sold]
) -> dict[str, list[uuid.UUID]]:
    """{order number's key: leads whose dealer said so}, of the market's dealers."""
    wanted = {order for sold in sales if (order := order_key(sold.order_number))}
    known: dict[str, list[uuid.UUID]] = defaultdict(list)
    if wanted:
        bare = func.upper(func.regexp_replace(Outcome.order_number, r"[\W_]+", "", "g"))
        rows = session.execute(
            select(Outcome.order_number, Outcome.lead_id).where(
                bare.in_(sorted(wanted)),
                Outcome.order_number != "",
                Outcome.dealer_id.in_(sorted(grounds.dealers.names)),
            )
        )
        for order, lead_id in rows:
            known[order_key(order)].append(lead_id)
    return known


def _by_vin(
    session: Session, grounds: Grounds, sales: Sequence[Sold]
) -> dict[str, list[uuid.UUID]]:
    """{VIN: leads that name it}, by the index of what leads are searched by."""
    vins = sorted({sold.vin for sold in sales if sold.vin})
    known: dict[str, list[uuid.UUID]] = defaultdict(list)
    if vins:
        words = cast(literal_column(f"{SEARCHED}"), TSVECTOR)
        query = cast(" | ".join(vin.lower() for vin in vins), TSQUERY)
        rows = session.execute(
            select(Lead.id, *_vins()).where(
                Lead.market_id == grounds.market_id, words.bool_op("@@")(query)
            )
        )
        for lead_id, *said in rows:
            for vin in filter(None, map(_bare, said)):
                known[vin].append(lead_id)
    return known


def _vins() -> tuple[Any, Any]:
    return Lead.given["vehicle"]["vin"].astext, Lead.given[("vehicle", "trade_in", "vin")].astext


def _leads(
    session: Session,
    grounds: Grounds,
    sales: Sequence[Sold],
    customer_ids: set[int],
    lead_ids: set[uuid.UUID],
) -> list[Asked]:
    if not customer_ids and not lead_ids:
        return []
    days = [sold.sold_on for sold in sales]
    # A day of slack on both sides, for zones; what fits is decided by days.
    since = datetime.combine(min(days) - timedelta(days=DAYS_AFTER) - _DAY, time(), grounds.zone)
    until = datetime.combine(
        max(days) + timedelta(days=DAYS_BEFORE) + 2 * _DAY, time(), grounds.zone
    )
    rows = _rows(
        session,
        grounds,
        or_(Lead.customer_id.in_(sorted(customer_ids)), Lead.id.in_(sorted(lead_ids))),
        Lead.created_at >= since,
        Lead.created_at < until,
    )
    return _asked(session, grounds, rows)


def _rows(session: Session, grounds: Grounds, *conditions: Any) -> Sequence[Any]:
    vin, traded = _vins()
    return session.execute(
        select(
            Lead.id, Lead.customer_id, Lead.full_name, Lead.company, Lead.email, Lead.phone,
            Lead.country, Lead.postcode, Lead.city, Lead.street, Lead.model, Lead.dealer_id,
            Lead.created_at, vin.label("vin"), traded.label("traded"),
            Outcome.order_number, Outcome.dealer_id.label("sold_by"),
        )
        .outerjoin(Outcome, Outcome.lead_id == Lead.id)
        .where(
            Lead.market_id == grounds.market_id,
            Lead.test.is_(False),
            or_(Lead.status != "withdrawn", Lead.cause.not_in(NO_LEADS)),
            *conditions,
        )
        .order_by(Lead.id)
    ).all()  # fmt: skip


def _asked(session: Session, grounds: Grounds, rows: Sequence[Any]) -> list[Asked]:
    keys = _keys_of_customers(session, {row.customer_id for row in rows})
    return [
        Asked(
            lead_id=row.id,
            known=replace(
                asker_of(row),
                customer_id=row.customer_id,
                emails=keys.get((row.customer_id, "email"), ()),
                phones=keys.get((row.customer_id, "phone"), ()),
            ),
            arrived_on=row.created_at.astimezone(grounds.zone).date(),
            model=row.model,
            vin=_bare(row.vin),
            traded_vin=_bare(row.traded),
            order_number=row.order_number or "",
            dealer_ids=frozenset(id for id in (row.dealer_id, row.sold_by) if id is not None),
        )
        for row in rows
    ]


def _keys_of_customers(
    session: Session, customer_ids: set[int]
) -> Mapping[tuple[int, str], tuple[str, ...]]:
    told: dict[tuple[int, str], tuple[str, ...]] = {}
    if customer_ids:
        rows = session.execute(
            select(CustomerKey.customer_id, CustomerKey.kind, func.array_agg(CustomerKey.value))
            .where(
                CustomerKey.customer_id.in_(sorted(customer_ids)),
                CustomerKey.kind.in_(("phone", "email")),
            )
            .group_by(CustomerKey.customer_id, CustomerKey.kind)
        )
        told = {(id, kind): tuple(sorted(values)) for id, kind, values in rows}
    return told


def _bare(vin: str | None) -> str:
    return order_key(vin or "")
