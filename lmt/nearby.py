"""The dealers near a place, before there is a lead: who could take the request, and who not, why.

It goes by what the route will go by: the place as a lead's is found, the service that the market's
rules make of the request, competence, caps, pauses and hours as for a dealer the customer chose.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from sqlalchemy import select, text
from sqlalchemy.orm import Session, load_only

from lmt.models import DealerTerms
from lmt.qualify.classify import Qualification, qualify
from lmt.qualify.service import rules_of
from lmt.routing.candidate import Candidate, LeadFacts
from lmt.routing.capacity import loads_of
from lmt.routing.directory import Stamp, directory
from lmt.routing.eligibility import Hours, hours_at, why_refused, why_too_late
from lmt.routing.facts import book_of, model_meant
from lmt.routing.geo import geodesic_km, is_place
from lmt.routing.network import Network
from lmt.routing.policy import Policy
from lmt.routing.spots import UnknownPlace, found_spot
from lmt.workhours import closes_at

MOST_ASKED = 40
"""Dealers that are looked at, the nearest first, until enough are found."""
MOST_REFUSED = 3
"""Near dealers shown that can't take the request: enough to say why the nearest isn't offered."""
NEAR_KM = 50.0
"""How far off a dealer without the competence is named where nobody has it."""
PUBLIC_REASONS: Mapping[str, str] = {
    "day_cap": "full",
    "month_cap": "full",
    "open_cap": "full",
    "paused": "paused",
    "on_closure": "closed",
    "no_opening": "closed",
    "no_competence": "competence",
    "model": "competence",
}
"""What a visitor is told of a refusal; a dealer refused for anything else isn't shown at all."""

__all__ = ["Nearby", "NearbyDealer", "Place", "UnknownPlace", "Wanted", "nearby"]

_SHOWROOMS = frozenset({"showroom", "workshop"})
_MARKET = text(
    """
    SELECT network.version, network.rebuilt, policy.version, CAST(policy.settings AS text),
           market.code, brand.code,
           ARRAY(SELECT country FROM market_country WHERE market_id = market.id ORDER BY country),
           CASE WHEN :model <> '' THEN (
                SELECT json_agg(json_build_array(code, name, aliases, markets) ORDER BY code)
                FROM vehicle_model WHERE brand_id = brand.id
           ) END
    FROM network_version AS network
    JOIN market ON market.id = :market_id
    LEFT JOIN brand ON lower(brand.code) = lower(:brand)
    LEFT JOIN routing_policy AS policy
           ON policy.market_id = :market_id AND policy.valid @> CAST(:at AS timestamptz)
    """
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The request, as far as it is known: codes of brand and request type, the model as it is
    called. An empty `service` is found by the market's rules from `facts` and these (see
    `lmt.qualify.classify.FACTS`)."""

    brand: str = ""
    model: str = ""
    request_type: str = ""
    service: str = ""
    language: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where to look: WGS-84 degrees, or else what was typed: a postcode or a name in any script.
    An empty `country` leaves all of the market's."""

    text: str = ""
    lat: float | None = None
    lon: float | None = None
    country: str = ""


@dataclass(frozen=True, slots=True)
class NearbyDealer:
    """A dealer as anybody may see it. While it is open, `opens_at` is None and `closes_at` is
    known (None: always open). `why` is among PUBLIC_REASONS' values, "" for one that `takes`."""

    code: str
    name: str
    street: str
    city: str
    phone: str
    lat: float
    lon: float
    distance_km: float
    opens_at: datetime | None
    closes_at: datetime | None
    timezone: str
    takes: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Nearby:
    """The dealers around `lat`, `lon`, the nearest first, those that can't take it among them.

    `place_name` is the place taken, `alternatives` are others of that name; all of them are texts
    that find the place again. `guessed` says that nothing was called as typed, or several were.
    """

    place_name: str
    lat: float
    lon: float
    dealers: tuple[NearbyDealer, ...]
    alternatives: tuple[str, ...] = ()
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What a dealer would answer if the customer chose it: `reason` is a code of routing, "" where
    it would get the request."""

    candidate: Candidate
    distance_km: float
    hours: Hours
    reason: str = ""


def nearby(
    session: Session,
    market_id: int,
    wanted: Wanted,
    place: Place,
    at: datetime,
    most: int = 5,
) -> Nearby:
    """The `most` nearest dealers that can take the request, and those nearer that can't.

    Teams are none. Raises UnknownPlace. Asks nobody outside, and the database a bounded number of
    times, however large the market.
    """
    row = session.execute(
        _MARKET, {"market_id": market_id, "brand": wanted.brand, "model": wanted.model, "at": at}
    ).first()
    if row is None:
        raise LookupError(market_id)
    version, rebuilt, policy_version, settings, market, brand, countries, models = row
    searched = [place.country] if place.country in countries else list(countries)
    spot = found_spot(session, place.text, place.lat, place.lon, searched)
    request = _qualified(session, market_id, wanted)
    model, sold = model_meant(wanted.model, models or (), market)
    facts = LeadFacts(
        lat=spot.located.lat,
        lon=spot.located.lon,
        accuracy_km=spot.located.accuracy_km,
        country=spot.located.country,
        postcode=spot.postcode,
        brand=brand or "",
        service=request.service,
        model=model,
        model_sold=sold,
        language=wanted.language,
        band=request.band,
        request_type=request.request_type,
        asked_at=at,
    )
    policy = book_of(policy_version or 0, settings or "{}").policy_for(facts)
    network = directory.network(session, market_id, at, Stamp(version, rebuilt))
    near = [each for _chord, each in islice(network.nearest(facts), MOST_ASKED)]
    loaded = network.with_load(loads_of(session, network, at, [each.id for each in near]))
    chosen = _chosen(asked_one_by_one(loaded, near, facts, policy, at), most)
    chosen += _without_competence(network, facts, chosen, at)
    return Nearby(
        place_name=spot.name,
        lat=spot.located.lat,
        lon=spot.located.lon,
        dealers=_shown(session, sorted(chosen, key=lambda each: each.distance_km), at),
        alternatives=spot.alternatives,
        guessed=spot.guessed,
    )


def asked_one_by_one(
    network: Network,
    candidates: Iterable[Candidate],
    facts: LeadFacts,
    policy: Policy,
    at: datetime,
) -> Iterator[Asked]:
    """Each showroom among the candidates with what it would answer if the customer chose it, by
    the rules that `lmt.routing.decide` gives a customer's own choice."""
    if facts.lat is None or facts.lon is None:
        return
    for each in candidates:
        if each.kind not in _SHOWROOMS or not is_place(each.lat, each.lon):
            continue
        hours = hours_at(each, at)
        load = network.load(each)
        refused = why_refused(
            facts, each, load, policy, at, by_right=True, chosen_by_customer=True
        ) or why_too_late(hours, policy, at, chosen_by_customer=True)
        distance = geodesic_km(facts.lat, facts.lon, each.lat, each.lon)
        yield Asked(each, distance, hours, refused[0] if refused else "")


def _qualified(session: Session, market_id: int, wanted: Wanted) -> Qualification:
    facts = {
        **wanted.facts,
        "request_type": wanted.request_type,
        "brand": wanted.brand,
        "model": wanted.model,
        "language": wanted.language,
    }
    if not wanted.service:
        return qualify(facts, rules_of(session, market_id))
    return Qualification(wanted.request_type, wanted.service, (), 0, "cold")


def _chosen(asked: Iterable[Asked], most: int) -> list[Asked]:
    """As many as were asked for that would get it, and the nearest that wouldn't."""
    found: list[Asked] = []
    takers = refused = 0
    for each in asked:
        if not each.reason:
            takers += 1
        elif each.reason in PUBLIC_REASONS and refused < MOST_REFUSED:
            refused += 1
        else:
            continue
        found.append(each)
        if takers == most:
            break
    return found


def _without_competence(
    network: Network, facts: LeadFacts, chosen: Sequence[Asked], at: datetime
) -> list[Asked]:
    """Nearer dealers that don't do what is asked for: a visitor who knows of them wants to know
    why they aren't offered."""
    takers = [each.distance_km for each in chosen if not each.reason]
    within_km = takers[0] if takers else NEAR_KM
    others, _number = network.incompetent(facts, within_km, MOST_ASKED)
    if facts.lat is None or facts.lon is None:
        return []
    return [
        Asked(
            each,
            geodesic_km(facts.lat, facts.lon, each.lat, each.lon),
            hours_at(each, at),
            "no_competence",
        )
        for _chord, each in others
        if each.kind in _SHOWROOMS and each.active
    ][:MOST_REFUSED]


def _shown(session: Session, asked: Sequence[Asked], at: datetime) -> tuple[NearbyDealer, ...]:
    rows = select(DealerTerms).where(
        DealerTerms.dealer_id.in_([each.candidate.id for each in asked]), DealerTerms.holds_at(at)
    )
    columns = (DealerTerms.dealer_id, DealerTerms.street, DealerTerms.city, DealerTerms.phone)
    terms = {
        each.dealer_id: each
        for each in session.scalars(rows.options(load_only(*columns, raiseload=True)))
    }
    return tuple(
        NearbyDealer(
            code=each.candidate.code,
            name=each.candidate.name,
            street=own.street,
            city=own.city,
            phone=own.phone,
            lat=each.candidate.lat,
            lon=each.candidate.lon,
            distance_km=each.distance_km,
            opens_at=None if each.hours.open_now else each.hours.opens_at,
            closes_at=closes_at(each.candidate.calendar, at) if each.hours.open_now else None,
            timezone=each.candidate.calendar.timezone,
            takes=not each.reason,
            why=PUBLIC_REASONS.get(each.reason, ""),
        )
        for each in asked
        if (own := terms.get(each.candidate.id)) is not None
    )
