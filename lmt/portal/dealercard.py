"""What a customer may know of the dealer who has their request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.calendars import dealer_calendar
from lmt.maps import Map, Point
from lmt.models import Dealer, DealerTerms
from lmt.portal.week import Day, coming_week


@dataclass(frozen=True, slots=True)
class DealerCard:
    """`map` and `route_url` (how to get there) are None and "" for a team, which nobody visits."""

    name: str
    street: str
    city: str
    phone: str
    timezone: str
    week: list[Day]
    map: Map | None
    route_url: str


def dealer_card(session: Session, dealer_id: int, at: datetime) -> DealerCard | None:
    """None for a dealer that has ended."""
    found = session.execute(
        select(DealerTerms, Dealer.kind)
        .join(Dealer, Dealer.id == DealerTerms.dealer_id)
        .where(DealerTerms.dealer_id == dealer_id, DealerTerms.holds_at(at))
    ).first()
    if found is None:
        return None
    terms, kind = found
    visited = kind != "team"
    address = ", ".join(part for part in (terms.street, terms.city) if part)
    place = Point(terms.lat, terms.lon, "chosen", terms.name, address)
    return DealerCard(
        name=terms.name,
        street=terms.street,
        city=terms.city,
        phone=terms.phone,
        timezone=terms.timezone,
        week=coming_week(dealer_calendar(session, dealer_id, at), at),
        map=Map((place,)) if visited else None,
        route_url=_route(terms.lat, terms.lon) if visited else "",
    )


def _route(lat: float, lon: float) -> str:
    """Opens the way there, from wherever the customer is."""
    return f"https://www.openstreetmap.org/directions?to={lat:.5f}%2C{lon:.5f}"
