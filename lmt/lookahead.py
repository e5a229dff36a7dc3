"""What outside services say of a lead that is due, asked before its transaction begins.

Geocoders and the routing engine answer when they like, so no transaction is open meanwhile: what
to ask is read in one of its own, what was said is written in another, and the lead's own step
then finds it in rows. Where nobody answers in time, the lead goes by what the gazetteer knows.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt import __version__
from lmt.config import GeocoderAccess, Settings
from lmt.db import SessionFactory
from lmt.lifecycle import QUEUES, Status
from lmt.models import Lead, MarketCountry
from lmt.outside import Outside
from lmt.qualify.service import qualify_lead
from lmt.routing.asking import Asking, Services
from lmt.routing.candidate import Candidate, LeadFacts
from lmt.routing.directory import directory
from lmt.routing.geocoderwords import Found
from lmt.routing.geocoding import Address, Frame, answers_kept, best_answer, keep_answer
from lmt.routing.locate import (
    Located,
    Reading,
    Unlocated,
    given_accuracy_km,
    locate,
    read_address,
    searched_countries,
)
from lmt.routing.road import ASKED_DEALERS, Leg, keep_legs, legs_asked, unknown_legs
from lmt.routing.service import policy_book_of
from lmt.scope import SYSTEM, act_as

if TYPE_CHECKING:
    from lmt.routing.geocoders import Question

log = structlog.get_logger(__name__)

LONGEST_SECONDS = 5.0
"""For one lead, or a batch of leads at once, whatever is asked."""
AT_ONCE = 4
ROUTED_FROM = frozenset({Status.RECEIVED, Status.OFFERED, *QUEUES})


@dataclass(frozen=True, slots=True)
class _Place:
    """An address to ask about, where its answer must lie, and who need not be asked."""

    address: Address
    frames: tuple[Frame, ...]
    known: dict[str, bool]


@dataclass(frozen=True, slots=True)
class _Way:
    """A place, and the dealers whose distance by road is not known from there."""

    lat: float
    lon: float
    dealers: tuple[Candidate, ...]


def look_ahead(
    sessions: SessionFactory,
    settings: Settings,
    lead_id: uuid.UUID,
    at: datetime,
    services: Services | None = None,
) -> None:
    """Ask what is worth asking of a lead before it is routed; five seconds at most.

    Never raises: what can't be learnt is logged and left. Without a service configured it does
    nothing at all.
    """
    look_ahead_all(sessions, settings, [lead_id], at, services)


def look_ahead_all(
    sessions: SessionFactory,
    settings: Settings,
    lead_ids: Sequence[uuid.UUID],
    at: datetime,
    services: Services | None = None,
) -> None:
    """`look_ahead` for a batch, the first ones first, in five seconds altogether."""
    if not lead_ids or not (settings.geocoders or settings.osrm_url):
        return
    used = services or _services(settings.private_targets)
    until = time.monotonic() + LONGEST_SECONDS
    asking = Asking(used, at, until, settings.geocoder_timeout_seconds)

    def look(lead_id: uuid.UUID) -> None:
        if asking.left_seconds <= 0:
            return
        try:
            _look(sessions, settings, lead_id, asking)
        except Exception:
            log.exception("lookahead.failed", lead=str(lead_id))

    if len(lead_ids) == 1:
        look(lead_ids[0])
        return
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="lookahead") as pool:
        list(pool.map(look, lead_ids))


@lru_cache(maxsize=4)
def _services(private_targets: frozenset[tuple[str, int]]) -> Services:
    return Services(Outside(private_targets))


def _look(
    sessions: SessionFactory,
    settings: Settings,
    lead_id: uuid.UUID,
    asking: Asking,
) -> None:
    at = asking.at
    if settings.geocoders:
        with act_as(sessions(), SYSTEM) as session:
            place = _place_to_ask(session, lead_id, at)
        if place is not None:
            said = _ask_geocoders(place, settings, asking)
            with act_as(sessions(), SYSTEM) as session:
                for provider, found in said:
                    keep_answer(session, provider, place.address, found, at)
                session.commit()
    if settings.osrm_url:
        with act_as(sessions(), SYSTEM) as session:
            way = _way_to_ask(session, lead_id, at)
        if way is not None:
            legs = _ask_roads(way, settings, asking)
            with act_as(sessions(), SYSTEM) as session:
                keep_legs(session, way.lat, way.lon, legs, at)
                session.commit()


def _place_to_ask(session: Session, lead_id: uuid.UUID, at: datetime) -> _Place | None:
    """The lead's address, where a geocoder could tell more of it than is known already."""
    lead = _routed_next(session, lead_id)
    if lead is None or lead.location_method:
        return None
    countries = _countries(session, lead)
    address = Address(lead.street, lead.postcode, lead.city, lead.region, tuple(countries))
    if not address:
        return None
    found = _located(session, lead, countries)
    if isinstance(found, Located) and found.method == "given":
        return None
    reading = read_address(session, lead.postcode, lead.city, lead.region, countries)
    if reading.conflict or not _is_worth_asking(address, reading):
        return None
    return _Place(address, tuple(reading.frames), answers_kept(session, address, at))


def _is_worth_asking(address: Address, reading: Reading) -> bool:
    """A street says more than any list; else only what no list here has is worth a question."""
    if address.street.strip():
        return True
    if address.postcode.strip() and reading.postcode is None:
        return True
    return reading.postcode is None and reading.city is None and not reading.namesakes


def _way_to_ask(session: Session, lead_id: uuid.UUID, at: datetime) -> _Way | None:
    """The nearest dealers of a lead whose market goes by road, as far as they aren't known."""
    lead = _routed_next(session, lead_id)
    if lead is None or not _goes_by_road(session, lead.market_id, at):
        return None
    lat, lon = lead.lat, lead.lon
    if not lead.location_method:
        found = _located(session, lead, _countries(session, lead))
        if isinstance(found, Unlocated):
            return None
        lat, lon = found.lat, found.lon
    if lat is None or lon is None:
        return None
    facts = _facts(session, lead, lat, lon)
    network = directory.network(session, lead.market_id, at)
    reachable = (each for _, each in network.nearest(facts) if each.active)
    nearest = list(islice(reachable, ASKED_DEALERS))
    missing = unknown_legs(session, lat, lon, nearest, at)
    return _Way(lat, lon, tuple(missing)) if missing else None


def _facts(session: Session, lead: Lead, lat: float, lon: float) -> LeadFacts:
    """As much of the lead as tells who is competent. Which service it needs is for its own step
    to write down; here it is looked at, and forgotten with the session."""
    with session.no_autoflush:
        if not lead.service:
            qualify_lead(session, lead)
        facts = LeadFacts(
            lat=lat,
            lon=lon,
            service=lead.service,
            band=lead.band,
            asked_at=lead.created_at,
            brand=lead.brand.code if lead.brand else "",
        )
        session.expunge(lead)
    return facts


def _routed_next(session: Session, lead_id: uuid.UUID) -> Lead | None:
    lead = session.get(Lead, lead_id)
    return lead if lead is not None and lead.status in ROUTED_FROM else None


def _countries(session: Session, lead: Lead) -> list[str]:
    own = session.scalars(
        select(MarketCountry.country).where(MarketCountry.market_id == lead.market_id)
    ).all()
    return searched_countries(lead.country, own)


def _located(session: Session, lead: Lead, countries: Sequence[str]) -> Located | Unlocated:
    return locate(
        session,
        region=lead.region,
        postcode=lead.postcode,
        city=lead.city,
        street=lead.street,
        lat=lead.lat,
        lon=lead.lon,
        accuracy_km=given_accuracy_km(lead.given),
        countries=countries,
    )


def _goes_by_road(session: Session, market_id: int, at: datetime) -> bool:
    _, book = policy_book_of(session, market_id, at)
    return book.base.use_road or any(case.policy.use_road for case in book.cases)


def _ask_geocoders(
    place: _Place, settings: Settings, asking: Asking
) -> list[tuple[str, Found | None]]:
    """What the geocoders said that were asked: one after the other, until one knows the place."""
    said: list[tuple[str, Found | None]] = []
    if any(place.known.get(access.name) for access in settings.geocoders):
        return said
    for access in settings.geocoders:
        if access.name in place.known:
            continue
        asked, found = _ask_geocoder(access, place, settings, asking)
        if asked:
            said.append((access.name, found))
        if found is not None:
            break
    return said


def _ask_geocoder(
    access: GeocoderAccess,
    place: _Place,
    settings: Settings,
    asking: Asking,
) -> tuple[bool, Found | None]:
    """Whether the geocoder answered, and what it knows."""
    from lmt.routing.geocoders import found_by

    for question in place.address.questions():

        def ask(seconds: float, question: Question = question) -> list[Found]:
            return found_by(
                access,
                question,
                outside=asking.services.outside,
                timeout_seconds=seconds,
                user_agent=f"LMT/{__version__} ({settings.base_url})",
            )

        found = asking.answer(access.name, ask)
        if found is None:
            return False, None
        best = best_answer(found, place.address.countries, place.frames)
        if best is not None:
            return True, best
    return True, None


def _ask_roads(way: _Way, settings: Settings, asking: Asking) -> list[Leg]:
    def ask(seconds: float) -> list[Leg]:
        return legs_asked(
            settings.osrm_url,
            way.lat,
            way.lon,
            way.dealers,
            outside=asking.services.outside,
            timeout_seconds=seconds,
        )

    return asking.answer("osrm", ask) or []
