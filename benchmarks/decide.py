"""How many routing decisions a second: through the network, against measuring every dealer.

Dealers lie around made-up cities; leads too. Each decision is a full one, with its ranking, its
refusals and its deadline. The baseline asks geopy for the distance to every competent dealer,
without giving a single reason. `ratio` is how many times faster than the baseline.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from geopy.distance import geodesic

from lmt.routing.candidate import Candidate, LeadFacts, is_competent
from lmt.routing.decide import decide
from lmt.routing.network import Network, decide_nearest
from lmt.routing.policy import Policy
from lmt.workhours import Calendar, is_open

SIZES = (400, 20_000)
LEADS = 2_000
MORNING = datetime(2026, 3, 4, 8, 0, tzinfo=UTC)
BRANDS = ("Orion", "Vega")
SERVICES = ("sales", "used", "service", "parts", "fleet")
CALENDARS = tuple(
    Calendar(f"Mo-Fr {opens:02}:00-{opens + 9:02}:00; Sa 10:00-14:00; PH off", zone, country)
    for opens in (8, 9, 10)
    for zone, country in (
        ("Europe/Warsaw", "PL"),
        ("Europe/Paris", "FR"),
        ("Europe/Berlin", "DE"),
        ("Europe/Istanbul", "TR"),
    )
)


def run() -> Iterator[dict[str, str | float]]:
    """One result for each figure; keys as `make bench` prints them."""
    for size in SIZES:
        yield from _of_size(size)


def _of_size(size: int) -> Iterator[dict[str, str | float]]:
    dealers, leads, policy = _network(size), _leads(LEADS), Policy()
    network = Network(dealers)
    moved = replace(dealers[0], lat=dealers[0].lat + 0.1)

    def decision(lead: LeadFacts) -> object:
        return decide_nearest(network, lead, policy, lead.asked_at)

    def look_up(lead: LeadFacts) -> object:
        return next(network.nearest(lead), None)

    def decision_over_list(lead: LeadFacts) -> object:
        return decide(lead, dealers, policy, lead.asked_at)

    def edit(lead: LeadFacts) -> object:
        return network.replaced([moved])

    def rebuilding(lead: LeadFacts) -> object:
        return Network(dealers)

    geopy = _per_second(_every(dealers, policy), leads[: max(3, 2_000 // size)])
    yield _result(f"routing: decisions, {size} dealers", _per_second(decision, leads), geopy)
    yield _result(f"routing: nearest look-ups, {size} dealers", _per_second(look_up, leads), geopy)
    listed = _per_second(decision_over_list, leads[: max(3, 20_000 // size)])
    yield _result(f"routing: decisions over a plain list, {size} dealers", listed, geopy)
    edits, rebuilds = _per_second(edit, leads[:100]), _per_second(rebuilding, leads[:3])
    yield _result(
        f"routing: dealer edits, {size} dealers", edits, rebuilds, "rebuilding the network"
    )


def _result(
    name: str, value: float, baseline_value: float, baseline: str = "geopy over all the competent"
) -> dict[str, str | float]:
    return {
        "name": name,
        "value": round(value, 1),
        "unit": "1/s",
        "baseline": baseline,
        "baseline_value": round(baseline_value, 2),
        "ratio": round(value / baseline_value, 1),
    }


def _per_second(ask: Callable[[LeadFacts], object], leads: Sequence[LeadFacts]) -> float:
    ask(leads[0])  # calendars and indexes are built on first use
    started = time.perf_counter()
    for lead in leads:
        ask(lead)
    return len(leads) / (time.perf_counter() - started)


def _every(dealers: list[Candidate], policy: Policy) -> Callable[[LeadFacts], object]:
    """The nearest by effective km, each competent dealer measured by geopy."""

    def nearest(lead: LeadFacts) -> object:
        bonus, here = policy.bonus_km(lead.band), (lead.lat, lead.lon)
        return min(
            geodesic(here, (each.lat, each.lon)).km
            - (bonus if is_open(each.calendar, lead.asked_at) else 0.0)
            for each in dealers
            if is_competent(each, lead.brand, lead.service)
        )

    return nearest


def _near(chance: random.Random, cities: Sequence[tuple[float, float]]) -> tuple[float, float]:
    lat, lon = chance.choice(cities)
    return lat + chance.gauss(0, 0.15), lon + chance.gauss(0, 0.2)


def _cities() -> list[tuple[float, float]]:
    chance = random.Random(1)
    return [(chance.uniform(37, 54), chance.uniform(-4, 42)) for _ in range(300)]


def _network(size: int) -> list[Candidate]:
    chance, cities = random.Random(2), _cities()
    dealers = []
    for number in range(size):
        lat, lon = _near(chance, cities)
        services = chance.sample(SERVICES, chance.randint(1, 3))
        dealers.append(
            Candidate(
                id=number,
                code=f"D{number:05}",
                name=f"Dealer {number}",
                lat=lat,
                lon=lon,
                country="",
                calendar=chance.choice(CALENDARS),
                competences=frozenset((chance.choice(BRANDS), each) for each in services),
                paused=chance.random() < 0.05,
                day_cap=20,
                day_used=chance.choice((0, 5, 10, 20)),
                received=chance.randint(0, 300),
            )
        )
    return dealers


def _leads(number: int) -> list[LeadFacts]:
    chance, cities = random.Random(3), _cities()
    leads = []
    for _ in range(number):
        lat, lon = _near(chance, cities)
        leads.append(
            LeadFacts(
                lat=lat,
                lon=lon,
                brand=chance.choice(BRANDS),
                service=chance.choice(SERVICES),
                band=chance.choice(("hot", "warm", "cold")),
                asked_at=MORNING + timedelta(minutes=chance.randint(0, 7 * 24 * 60)),
            )
        )
    return leads
