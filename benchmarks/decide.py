"""How many routing decisions a second, beside what finding the nearest dealer costs at best.

Dealers lie around made-up cities; leads too. Each decision is a full one, with its ranking, its
refusals and its deadline; a batch counts every lead given against its dealer's caps. The others
only find somebody near: geopy and numpy measure every competent dealer, the bare k-d tree and
PostgreSQL look into an index. `ratio` is how many times faster than the baseline; the database's
own figure comes from `benchmarks.knn`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from geopy.distance import geodesic
from scipy.spatial import cKDTree

from benchmarks import knn
from lmt.routing.batch import decide_batch
from lmt.routing.candidate import Candidate, LeadFacts, is_competent
from lmt.routing.decide import decide
from lmt.routing.geo import Ecef, ecef_km, ecefs_km
from lmt.routing.network import Network, decide_nearest
from lmt.routing.policy import Policy
from lmt.workhours import Calendar, is_open

SIZES = (400, 20_000)
LEADS = 2_000
BATCH = 10_000
ROUNDS = 3
"""The best of them counts: whatever else the machine does only slows them down."""

MORNING = datetime(2026, 3, 4, 8, 0, tzinfo=UTC)
BRANDS = ("Orion", "Vega")
SERVICES = ("sales", "used", "after_sales", "parts", "finance")
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

    def decision_over_list(lead: LeadFacts) -> object:
        return decide(lead, dealers, policy, lead.asked_at)

    def edit(lead: LeadFacts) -> object:
        return network.replaced([moved])

    def rebuilding(lead: LeadFacts) -> object:
        return Network(dealers)

    few = leads[: max(3, 2_000 // size)]
    geopy = _per_second(_every(dealers, policy), few)
    numpy = _per_second(_chords(dealers), leads[:500])
    bare = _per_second(_bare_tree(dealers), leads)
    eligible = _per_second(_eligible_by_tree(network, policy), leads)
    postgres = knn.per_second(dealers, leads[:500])
    single = _per_second(decision, leads)
    batch = _batched(network, policy)

    def told(what: str, value: float, *against: str) -> Iterator[dict[str, str | float]]:
        figures = {
            "geopy over all the competent": geopy,
            "numpy chords over all the competent": numpy,
            "bare k-d tree look-up": bare,
            "nearest eligible by the k-d tree, without reasons": eligible,
            "PostgreSQL KNN, re-ranked": postgres,
        }
        for baseline in against:
            yield _result(f"routing: {what}, {size} dealers", value, figures[baseline], baseline)

    everything = (
        "geopy over all the competent",
        "numpy chords over all the competent",
        "bare k-d tree look-up",
        "nearest eligible by the k-d tree, without reasons",
        "PostgreSQL KNN, re-ranked",
    )
    yield from told("decisions", single, *everything)
    yield from told(f"decisions in a batch of {BATCH} with capacity", batch, *everything)
    listed = _per_second(decision_over_list, leads[: max(3, 20_000 // size)])
    yield from told("decisions over a plain list", listed, "geopy over all the competent")
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
        "ratio": round(value / baseline_value, 2),
    }


def _per_second(ask: Callable[[LeadFacts], object], leads: Sequence[LeadFacts]) -> float:
    ask(leads[0])  # calendars and indexes are built on first use
    return max(_once(ask, leads) for _ in range(ROUNDS if len(leads) > 100 else 1))


def _once(ask: Callable[[LeadFacts], object], leads: Sequence[LeadFacts]) -> float:
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


def _chords(dealers: list[Candidate]) -> Callable[[LeadFacts], object]:
    """The nearest competent dealer by the straight line to each, in one numpy expression."""
    places = {
        pair: ecefs_km([each.lat for each in held], [each.lon for each in held])
        for pair, held in _by_competence(dealers).items()
    }

    def nearest(lead: LeadFacts) -> object:
        there = places[lead.brand, lead.service]
        return int(((there - _ecef(lead)) ** 2).sum(axis=1).argmin())

    return nearest


def _bare_tree(dealers: list[Candidate]) -> Callable[[LeadFacts], object]:
    """The nearest competent dealer, eligible or not, and nothing else."""
    trees = {
        pair: cKDTree(ecefs_km([each.lat for each in held], [each.lon for each in held]))
        for pair, held in _by_competence(dealers).items()
    }
    return lambda lead: trees[lead.brand, lead.service].query(_ecef(lead))


def _eligible_by_tree(network: Network, policy: Policy) -> Callable[[LeadFacts], object]:
    """The nearest dealer who may take the lead, by the rules: a batch of one."""
    return lambda lead: decide_batch(network, [lead], policy, lead.asked_at, consume=False)


def _batched(network: Network, policy: Policy) -> float:
    leads = _leads(BATCH)
    best = 0.0
    for _ in range(ROUNDS):
        started = time.perf_counter()
        decide_batch(network, leads, policy, MORNING)
        best = max(best, BATCH / (time.perf_counter() - started))
    return best


def _by_competence(dealers: list[Candidate]) -> dict[tuple[str, str], list[Candidate]]:
    held: dict[tuple[str, str], list[Candidate]] = {}
    for dealer in dealers:
        for pair in dealer.competences:
            held.setdefault(pair, []).append(dealer)
    return held


def _ecef(lead: LeadFacts) -> Ecef:
    assert lead.lat is not None
    assert lead.lon is not None
    return ecef_km(lead.lat, lead.lon)


def _near(chance: random.Random, cities: Sequence[tuple[float, float]]) -> tuple[float, float]:
    lat, lon = chance.choice(cities)
    return lat + chance.gauss(0, 0.15), lon + chance.gauss(0, 0.2)


def _cities() -> list[tuple[float, float]]:
    chance = random.Random(1)
    return [(chance.uniform(37, 54), chance.uniform(-4, 42)) for _ in range(300)]


def _network(size: int) -> list[Candidate]:
    chance, cities = random.Random(2), _cities()
    # Room for a batch in a small network, too.
    cap = max(20, 8 * BATCH // size)
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
                day_cap=cap,
                day_used=chance.choice((0, cap // 4, cap // 2, cap)),
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
