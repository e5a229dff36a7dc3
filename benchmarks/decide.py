"""What a routing decision costs, beside what finding the nearest dealer costs at best.

Dealers lie around made-up cities; leads too. Each decision is a full one, with its ranking, its
refusals and its deadline; a batch counts every lead given against its dealer's caps. The others
only find somebody near: geopy and numpy measure every competent dealer, the k-d tree and PostgreSQL
(`benchmarks.knn`) look into an index and pass over whoever is closed, paused or full. `ratio` is
the value divided by its baseline: of two times, below 1 is faster; of two rates, above 1.
"""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from geopy.distance import geodesic
from scipy.spatial import cKDTree

from benchmarks import knn
from lmt.routing.batch import decide_batch
from lmt.routing.candidate import Candidate, LeadFacts, is_competent
from lmt.routing.decide import decide
from lmt.routing.geo import Ecef, ecef_km, ecefs_km, geodesic_km
from lmt.routing.network import Network, decide_nearest
from lmt.routing.policy import Policy
from lmt.workhours import Calendar, is_open

SIZES = (400, 20_000)
LEADS = 2_000
BATCH = 10_000
NEIGHBOURS = 16
ROUNDS = 5
"""The best of them counts: whatever else the machine does only slows them down."""
LONGEST_S = 2.0
"""A round of one that is slow ends after as many leads as fit."""

Ask = Callable[[LeadFacts], object]

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
    asks: dict[str, Ask] = {
        "a full decision": lambda lead: decide_nearest(network, lead, policy, lead.asked_at),
        "geopy over all the competent": _every(dealers, policy),
        "numpy chords over all the competent": _chords(dealers),
        "k-d tree, the nearest competent": _bare_tree(dealers),
        "k-d tree, the nearest eligible": _eligible_by_tree(dealers),
    }
    with knn.asked(dealers, MORNING) as by_database:
        micros = _median_us(asks | by_database, leads)
    single = micros.pop("a full decision")
    for baseline, value in micros.items():
        yield _result(f"routing: a full decision, {size} dealers", "µs", single, value, baseline)
    batch = _batched(network, policy)
    for baseline, value in micros.items():
        name = f"routing: decisions in a batch of {BATCH} with capacity, {size} dealers"
        yield _result(name, "1/s", batch, 1e6 / value, baseline)
    few = leads[: max(3, 20_000 // size)]
    listed = _median_us({"": lambda lead: decide(lead, dealers, policy, lead.asked_at)}, few)[""]
    geopy = "geopy over all the competent"
    yield _result(
        f"routing: a decision over a plain list, {size} dealers", "µs", listed, micros[geopy], geopy
    )
    moved = [replace(each, lat=each.lat + 0.1) for each in dealers[:50]]
    edit = min(_milliseconds(partial(network.replaced, [each])) for each in moved)
    anew = min(_milliseconds(lambda: Network(dealers)) for _ in range(ROUNDS))
    name = f"routing: a dealer moved, {size} dealers"
    yield _result(name, "ms", edit, anew, "building the network anew")


def _result(
    name: str, unit: str, value: float, baseline_value: float, baseline: str
) -> dict[str, str | float]:
    return {
        "name": name,
        "value": round(value, 2),
        "unit": unit,
        "baseline": baseline,
        "baseline_value": round(baseline_value, 2),
        "ratio": round(value / baseline_value, 4),
    }


def _median_us(asks: dict[str, Ask], leads: Sequence[LeadFacts]) -> dict[str, float]:
    """Microseconds of each at the median over the leads, in the best of some rounds.

    All take turns within a round, so that whatever else the machine does meets all of them.
    """
    best: dict[str, float] = {}
    for ask in asks.values():
        for lead in leads[:20]:
            ask(lead)  # calendars and indexes are built, statements prepared on first use
    for _ in range(ROUNDS):
        for name, ask in asks.items():
            took: list[float] = []
            enough = time.perf_counter() + LONGEST_S
            for lead in leads:
                started = time.perf_counter()
                ask(lead)
                ended = time.perf_counter()
                took.append(ended - started)
                if ended > enough:
                    break
            best[name] = min(best.get(name, math.inf), statistics.median(took) * 1e6)
    return best


def _milliseconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000


def _every(dealers: list[Candidate], policy: Policy) -> Ask:
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


def _chords(dealers: list[Candidate]) -> Ask:
    """The nearest competent dealer by the straight line to each, in one numpy expression."""
    places = {
        pair: ecefs_km([each.lat for each in held], [each.lon for each in held])
        for pair, held in _by_competence(dealers).items()
    }

    def nearest(lead: LeadFacts) -> object:
        there = places[lead.brand, lead.service]
        return int(((there - _ecef(lead)) ** 2).sum(axis=1).argmin())

    return nearest


def _bare_tree(dealers: list[Candidate]) -> Ask:
    """The nearest competent dealer, eligible or not, and nothing else."""
    trees = {
        pair: cKDTree(ecefs_km([each.lat for each in held], [each.lon for each in held]))
        for pair, held in _by_competence(dealers).items()
    }
    return lambda lead: trees[lead.brand, lead.service].query(_ecef(lead))


def _eligible_by_tree(dealers: list[Candidate]) -> Ask:
    """The nearest competent dealer that is open, not paused and below its cap, by the exact
    geodesic among the 16 nearest; where none of them is open, the nearest of the closed ones."""
    trees = {
        pair: (cKDTree(ecefs_km([each.lat for each in held], [each.lon for each in held])), held)
        for pair, held in _by_competence(dealers).items()
    }

    def nearest(lead: LeadFacts) -> Candidate | None:
        assert lead.lat is not None
        assert lead.lon is not None
        tree, held = trees[lead.brand, lead.service]
        chords, positions = tree.query(_ecef(lead), k=NEIGHBOURS)
        best, best_km, closed = None, math.inf, None
        for chord, position in zip(chords.tolist(), positions.tolist(), strict=True):
            # No geodesic is shorter than its chord, nor are those of the dealers still to come.
            if chord > best_km or position == len(held):
                break
            dealer = held[position]
            if dealer.paused or (dealer.day_cap is not None and dealer.day_used >= dealer.day_cap):
                continue
            if not is_open(dealer.calendar, lead.asked_at):
                closed = closed or dealer
                continue
            distance = geodesic_km(lead.lat, lead.lon, dealer.lat, dealer.lon)
            if distance < best_km:
                best, best_km = dealer, distance
        return best or closed

    return nearest


def _batched(network: Network, policy: Policy) -> float:
    """Decisions in a second of the processor's time: a batch waits for nothing."""
    leads = _leads(BATCH)
    best = 0.0
    for _ in range(ROUNDS):
        started = time.process_time()
        decide_batch(network, leads, policy, MORNING)
        best = max(best, BATCH / (time.process_time() - started))
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
