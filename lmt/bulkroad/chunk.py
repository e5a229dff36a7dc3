"""The newcomers of imports that are due: locked, and read with what their road asks about them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from lmt.donotcontact import canonical_email
from lmt.models import Brand, Campaign, GeocoderAnswer, Lead, Source, Suppression
from lmt.pipeline import IMPORTED
from lmt.routing.geocoding import Address
from lmt.routing.locate import searched_countries

# Without an order beside the instant: thousands share one, and need not be sorted.
_DUE = text(
    f"SELECT id FROM lead WHERE next_action_at <= :at AND {IMPORTED}"
    " ORDER BY next_action_at LIMIT :limit FOR UPDATE SKIP LOCKED"
)
_NEXT = text(
    f"SELECT id FROM lead WHERE next_action_at <= :at AND {IMPORTED}"
    " ORDER BY next_action_at LIMIT :limit"
)
_BESIDE = text(
    """
    SELECT lead.id, customer.kind, serving.code,
           EXISTS (SELECT FROM offer WHERE offer.lead_id = lead.id)
    FROM lead JOIN customer ON customer.id = lead.customer_id
    LEFT JOIN LATERAL (
        SELECT dealer.code FROM lead AS other JOIN dealer ON dealer.id = other.dealer_id
        WHERE other.customer_id = lead.customer_id AND other.market_id = lead.market_id
          AND other.id <> lead.id AND other.status IN ('accepted', 'contacted', 'resting')
        ORDER BY other.created_at DESC LIMIT 1
    ) AS serving ON true
    WHERE lead.id = ANY(CAST(:ids AS uuid[]))
    """
)


@dataclass(slots=True)
class Newcomer:
    """A lead that is due, detached from its session: what is written to it here is written down
    later, with all others. Beside it, what was read of its customer."""

    lead: Lead
    customer_kind: str
    serving: str | None
    """Code of the dealer that has another lead of the customer."""
    is_first: bool
    """Whether no other lead of the customer comes before it in the chunk."""
    was_offered: bool
    is_listed: bool = False
    """Whether a do-not-contact list names its phone or mail: what that means `advance` knows."""
    is_geocoded: bool = False
    """Whether a geocoder has said something of its address."""


def due_newcomers(session: Session, at: datetime, limit: int) -> list[uuid.UUID]:
    """The newcomers of imports that are due, the first `limit`."""
    return list(session.scalars(_NEXT, {"at": at, "limit": limit}))


def due_chunk(session: Session, at: datetime, limit: int) -> list[Newcomer]:
    """The next newcomers that nobody else holds, locked, in the order in which they were due."""
    ids: list[uuid.UUID] = list(session.scalars(_DUE, {"at": at, "limit": limit}))
    if not ids:
        return []
    by_id = {lead.id: lead for lead in session.scalars(select(Lead).where(Lead.id.in_(ids)))}
    leads = [by_id[each] for each in ids]
    _know(session, leads)
    beside = {id: others for id, *others in session.execute(_BESIDE, {"ids": ids})}
    met: set[int] = set()
    newcomers = []
    # What is written to them here must not be written down with the session.
    session.expunge_all()
    for lead in leads:
        kind, serving, was_offered = beside[lead.id]
        is_first = lead.customer_id not in met
        met.add(lead.customer_id)
        newcomers.append(Newcomer(lead, kind, serving, is_first, was_offered))
    _ask_lists(session, newcomers)
    return newcomers


def note_geocoded(
    session: Session, newcomers: Sequence[Newcomer], countries: Sequence[str]
) -> None:
    """Say of each lead, of a market of these countries, whether a geocoder answered for its
    address, with its street or without."""
    answered = select(GeocoderAnswer.query).where(GeocoderAnswer.lat.is_not(None))
    if session.scalars(answered.limit(1)).first() is None:
        return
    queries = {each.lead.id: _queries(each.lead, countries) for each in newcomers}
    asked = set().union(*queries.values())
    known = set(session.scalars(answered.where(GeocoderAnswer.query.in_(asked))))
    for each in newcomers:
        each.is_geocoded = not known.isdisjoint(queries[each.lead.id])


def _queries(lead: Lead, countries: Sequence[str]) -> set[str]:
    searched = tuple(searched_countries(lead.country, countries))
    return {
        Address(street, lead.postcode, lead.city, lead.region, searched).query
        for street in {lead.street, ""}
    }


def _know(session: Session, leads: Sequence[Lead]) -> None:
    """Give the leads their source, campaign and brand, which many share."""
    kinds: tuple[tuple[str, type[Any]], ...] = (
        ("source", Source), ("campaign", Campaign), ("brand", Brand),
    )  # fmt: skip
    for name, model in kinds:
        wanted = {number for each in leads if (number := getattr(each, f"{name}_id")) is not None}
        rows = session.scalars(select(model).where(model.id.in_(wanted))) if wanted else ()
        known = {row.id: row for row in rows}
        for lead in leads:
            set_committed_value(lead, name, known.get(getattr(lead, f"{name}_id")))


def _ask_lists(session: Session, newcomers: Sequence[Newcomer]) -> None:
    ways = {each.lead.id: _ways(each.lead) for each in newcomers}
    values = {value for pairs in ways.values() for _kind, value in pairs}
    if not values:
        return
    listed = {
        (kind, value)
        for kind, value in session.execute(
            select(Suppression.kind, Suppression.value).where(
                Suppression.value.in_(values), Suppression.lifted_at.is_(None)
            )
        )
    }
    for each in newcomers:
        each.is_listed = not listed.isdisjoint(ways[each.lead.id])


def _ways(lead: Lead) -> set[tuple[str, str]]:
    ways = {("phone", lead.phone), ("email", canonical_email(lead.email))}
    return {(kind, value) for kind, value in ways if value}
