"""A person says where a lead is: headquarters, or the customer, picks one of the places that could
be meant, or looks for another. The worker's next step then routes the lead."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.db import wake
from lmt.lifecycle import IllegalStep, Status
from lmt.models import Event, Lead, MarketCountry, locked_lead, record
from lmt.routing.gazetteer import PlaceRow
from lmt.routing.geo import geodesic_km, is_place
from lmt.routing.locate import CONFLICT_KM, Located, located_at
from lmt.routing.places import city_meant, postcode_area
from lmt.routing.placesearch import (
    Option,
    as_options,
    guessed_place,
    options_for,
    picked_spot,
    places_called,
)
from lmt.scope import Actor

LOCATABLE = frozenset({Status.UNLOCATED, Status.UNROUTED})


class UnknownPlace(LookupError):
    """No such place in the lead's countries."""


@dataclass(frozen=True, slots=True)
class PlaceQuestion:
    """What to ask about the place of a lead.

    `problem` is a code of the labels' location_problem, "" where a place is known that is too
    vague: `known`, within `known_km`. `picked`: somebody has answered, and the worker is about
    to route the lead.
    """

    problem: str
    guesses: tuple[Option, ...]
    found: tuple[Option, ...]
    known: str = ""
    known_km: float | None = None
    picked: bool = False


def locate_as(
    session: Session, lead_id: uuid.UUID, key: str, *, at: datetime, actor: Actor | None
) -> None:
    """The lead is where the option `key` says; `actor` None is the customer. Commits.

    Raises UnknownPlace for what is no place of the lead's countries, IllegalStep for a lead that
    doesn't wait in a queue. Picking the same place twice changes nothing.
    """
    lead = locked_lead(session, lead_id)
    picked = picked_spot(session, key, _countries(session, lead.market_id, lead.country))
    if picked is None:
        session.rollback()
        raise UnknownPlace(key)
    spot, postcode = picked
    _settle(session, lead, spot, at, actor, postcode)


def locate_by_hand(
    session: Session,
    lead_id: uuid.UUID,
    *,
    lat: float,
    lon: float,
    accuracy_km: float,
    at: datetime,
    actor: Actor | None,
    country: str = "",
) -> None:
    """As `locate_as`, for a spot on the map in WGS-84 degrees. Near a border, `country` says on
    which side. UnknownPlace where nobody lives within 100 km, or abroad."""
    lead = locked_lead(session, lead_id)
    countries = _countries(session, lead.market_id, lead.country)
    spot = None
    if is_place(lat, lon):
        spot = located_at(session, lat, lon, accuracy_km, "chosen", country)
    if spot is None or spot.country not in countries:
        session.rollback()
        raise UnknownPlace(f"{lat}, {lon}")
    _settle(session, lead, spot, at, actor)


def place_question(
    session: Session, lead_id: uuid.UUID, *, at: datetime, asked: str = ""
) -> PlaceQuestion | None:
    """What to ask about the lead's place, with what is found for the words `asked`.

    None for a lead whose place is no question, or that the actor can't see. Reads nothing that
    tells who the customer is.
    """
    lead = session.execute(
        select(
            Lead.status,
            Lead.market_id,
            Lead.country,
            Lead.location_method,
            Lead.accuracy_km,
            Lead.next_action_at,
        ).where(Lead.id == lead_id)
    ).one_or_none()
    if lead is None or lead.status != Status.UNLOCATED:
        return None
    countries = _countries(session, lead.market_id, lead.country)
    events = session.scalars(
        select(Event.data)
        .where(Event.lead_id == lead_id, Event.kind == "located")
        .order_by(Event.id.desc())
    ).all()
    told: list[Any] = next((data["guesses"] for data in events if data.get("guesses")), [])
    last = events[0] if events else {}
    is_due = lead.next_action_at is not None and lead.next_action_at <= at
    return PlaceQuestion(
        problem=str(last.get("problem") or ""),
        guesses=as_options(session, _guessed(session, told, countries)),
        found=options_for(session, asked, countries),
        known=str(last.get("place") or "") if lead.location_method else "",
        known_km=lead.accuracy_km if lead.location_method else None,
        picked=lead.location_method == "chosen" and is_due,
    )


def _settle(
    session: Session,
    lead: Lead,
    spot: Located,
    at: datetime,
    actor: Actor | None,
    postcode: str = "",
) -> None:
    before = (lead.location_method, lead.lat, lead.lon, lead.accuracy_km)
    if before == (spot.method, spot.lat, spot.lon, spot.accuracy_km):
        session.rollback()
        return
    if lead.status not in LOCATABLE:
        raise IllegalStep(Status(lead.status), Status.OFFERED)
    _drop_what_contradicts(session, lead, spot)
    lead.postcode = postcode or lead.postcode
    lead.lat, lead.lon, lead.accuracy_km = spot.lat, spot.lon, spot.accuracy_km
    lead.location_method, lead.timezone = spot.method, spot.timezone
    lead.city, lead.country = lead.city or spot.place, spot.country
    lead.next_action_at = at
    record(
        session,
        lead.id,
        "located",
        at=at,
        actor_id=None if actor is None else actor.user_id,
        method=spot.method,
        place=spot.place,
        accuracy_km=round(spot.accuracy_km, 1),
        by="customer" if actor is None else "headquarters",
    )
    wake(session, "leads")
    session.commit()


def _drop_what_contradicts(session: Session, lead: Lead, spot: Located) -> None:
    """A postcode or city that is known to lie elsewhere was the slip: its territory must not
    claim the lead. What was given stays in `lead.given`."""
    countries = _countries(session, lead.market_id, lead.country)

    def is_far(lat: float, lon: float, radius_km: float) -> bool:
        return geodesic_km(lat, lon, spot.lat, spot.lon) > CONFLICT_KM + radius_km

    area = postcode_area(session, lead.postcode, countries)
    if area is not None and is_far(area.lat, area.lon, area.radius_km):
        lead.postcode = ""
    known = places_called(session, lead.city, countries)
    if known and all(is_far(row.lat, row.lon, 0.0) for row in known):
        lead.city = ""


def _countries(session: Session, market_id: int, own: str) -> list[str]:
    """The market's, and the lead's own, which may be another."""
    rows = session.scalars(
        select(MarketCountry.country).where(MarketCountry.market_id == market_id)
    )
    return sorted({*rows, own.strip()} - {""})


def _guessed(session: Session, told: Iterable[Any], countries: Sequence[str]) -> list[PlaceRow]:
    """The places of the gazetteer that an event's guesses speak of. Events of older versions
    hold names with a region's code only."""
    found = []
    for guess in told:
        if isinstance(guess, str):
            chosen, _met = city_meant(session, guess, "", countries)
            row = None if chosen is None else chosen.place
        else:
            row = guessed_place(session, guess)
        if row is not None and row not in found and row.country in countries:
            found.append(row)
    return found
