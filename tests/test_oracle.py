"""Every decision is what a naive reading of docs/routing.md says, and always the same.

`LMT_ORACLE_CASES` says how many; 500 unless told.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from lmt.escalation import Step
from lmt.routing.candidate import Candidate, LeadFacts
from lmt.routing.decide import decide
from lmt.routing.decision import CAUSES, HOWS, LOSSES, REFUSALS, Decision
from lmt.routing.network import Network, decide_nearest
from lmt.routing.policy import Policy
from lmt.workhours import Calendar
from tests.naive_routing import Answer, naive_decision

CASES = int(os.environ.get("LMT_ORACLE_CASES", "500"))

INSTANTS = (
    datetime(2026, 3, 4, 11, 0, tzinfo=UTC),  # a Wednesday
    datetime(2026, 3, 27, 23, 30, tzinfo=UTC),  # two days before Europe's clocks go on
    datetime(2026, 10, 31, 3, 59, 30, tzinfo=UTC),  # the day before America's go back
)
WEEK = Calendar("Mo-Fr 09:00-12:00,13:00-17:00", "Europe/Warsaw")
CALENDARS = (
    Calendar("24/7", "UTC"),
    Calendar("24/7", "Pacific/Auckland"),
    WEEK,
    Calendar("Fr-Sa 18:00-02:00", "America/New_York"),
    Calendar("Tu 09:00-17:00", "America/New_York"),
    Calendar("off", "UTC"),
    replace(WEEK, closures=((date(2026, 3, 2), date(2026, 3, 6)), (date(2026, 3, 9),) * 2)),
    Calendar("24/7", "Europe/Warsaw", closures=((date(2026, 3, 28), date(2026, 3, 31)),)),
)

# Where the places of a case lie: at home, and around every seam of the map.
MIDDLES = [(52.0, 21.0)] * 4 + [(-17.0, 180.0), (0.0, 180.0), (90.0, 0.0), (-90.0, 0.0)]
CODES = [f"D{number:02}" for number in range(12)]
SALES, ALL, FLEET, CARE = ("Orion", "sales"), ("", "sales"), ("Orion", "fleet"), ("Orion", "care")
COMPETENCES = [
    *[frozenset({SALES})] * 16,
    frozenset({ALL, CARE}),
    frozenset({SALES, FLEET, CARE}),
    frozenset({FLEET}),
    frozenset({("Orion", "parts")}),
    frozenset({("Vega", "sales"), CARE}),
]
PREFIXES: list[tuple[str, ...]] = [()] * 12 + [("0",), ("00",), ("00-9", "1"), ("009",), ("00 95",)]
AREAS = [None] * 16 + [box(20, 51, 22, 53), box(21, 52, 21.01, 52.1), box(-180, -90, 180, 90)]
CLAIMED = [""] * 24 + [*CODES[:4], "GONE"]
STEPS: list[tuple[Step, ...]] = [
    (),
    (Step("offered", 15, "reroute", ("hot",)), Step("offered", 45, "reroute", (), 2)),
]


def seldom(random: Random) -> bool:
    return random.random() < 0.05


def place_of(random: Random, middle: tuple[float, float]) -> tuple[float, float]:
    """Near a place, at it, somewhere on a coarse grid around it, or anywhere."""
    lat, lon = middle
    how = random.choice(["near"] * 10 + ["there"] * 2 + ["grid"] * 5 + ["anywhere"])
    if how == "anywhere":
        return random.uniform(-90, 90), random.uniform(-180, 180)
    if how == "near":
        lat, lon = lat + random.uniform(-0.4, 0.4), lon + random.uniform(-0.4, 0.4)
    elif how == "grid":
        lat += random.choice([-2.5, -0.1, 0.0, 0.1, 0.11, 1.3])
        lon += random.choice([-170.0, -0.1, 0.0, 0.1, 3.0, 100.0])
    if abs(lat) > 90:
        lat, lon = math.copysign(180 - abs(lat), lat), lon + 180
    # 180 degrees east and west are the same meridian, and both occur.
    return lat, lon if abs(lon) <= 180 else lon - math.copysign(360, lon)


def lead_of(random: Random, middle: tuple[float, float], at: datetime) -> LeadFacts:
    choose = random.choice
    lat, lon = (None, None) if random.random() < 0.04 else place_of(random, middle)
    legs = random.sample(range(len(CODES) + 1), random.randint(0, 6))
    return LeadFacts(
        lat=lat,
        lon=lon,
        asked_at=at,
        accuracy_km=choose([0.0] * 30 + [39.0, 41.0]),
        service=choose(["sales"] * 8 + ["fleet", "care"]),
        band=choose(["hot", "cold"]),
        country=choose(["PL"] * 12 + ["DE", ""]),
        postcode=choose(["", "", "00-950", "00 123", "1", "7"]),
        brand=choose(["Orion"] * 24 + ["Vega", "", "Unknown"]),
        model=choose([""] * 5 + ["mira", "atlas"]),
        language=choose(["", "pl", "ar"]),
        preferred_dealer=choose(CLAIMED),
        serving_dealer=choose(CLAIMED),
        tried=frozenset(choose([[], [], [], random.sample(CODES[:6], 2)])),
        customer_kind=choose(["private"] * 8 + ["business", "fleet"]),
        model_sold=not seldom(random),
        hop=choose([1] * 20 + [2, 2, 3, 4]),
        road={number: (choose([0.4, 3.0, 12.0, 12.5, 60.0]), 20.0) for number in legs},
    )


def dealer_of(number: int, random: Random, middle: tuple[float, float]) -> Candidate:
    choose = random.choice
    lat, lon = place_of(random, middle)
    kind = choose(["showroom"] * 8 + ["workshop", "team"])
    return Candidate(
        id=number,
        code=CODES[number],
        name="",
        lat=math.nan if random.random() < 0.03 else lat,
        lon=lon,
        kind=kind,
        country="" if kind == "team" else choose(["PL"] * 12 + ["DE"]),
        calendar=choose([*CALENDARS, *CALENDARS[:3], *CALENDARS[:3]]),
        competences=choose(COMPETENCES),
        models=choose([{}] * 6 + [{SALES: frozenset({"mira"})}, {SALES: frozenset({"atlas"})}]),
        languages=choose([frozenset(), frozenset({"pl"}), frozenset({"ar"})]),
        active=not seldom(random),
        paused=seldom(random),
        reachable=not seldom(random),
        day_cap=choose([None] * 9 + [2]),
        day_used=random.randint(0, 3),
        month_cap=choose([None] * 9 + [5]),
        month_used=random.randint(3, 6),
        open_cap=choose([None] * 9 + [1]),
        open_used=random.randint(0, 1),
        received=choose([0, 0, 0, 1, 2]),
        weight=choose([1.0] * 5 + [2.0, 0.0]),
        quality=choose([0.0, 0.0, 1.0]),
        exclusive_postcodes=choose(PREFIXES),
        shared_postcodes=choose(PREFIXES),
        exclusive_area=choose(AREAS),
        shared_area=choose(AREAS),
    )


def policy_of(random: Random) -> Policy:
    choose = random.choice
    hops, mode = choose([1, 3, 5, 5]), choose(["offer", "offer", "assign"])
    steps = choose(STEPS) if mode == "offer" else ()
    return Policy(
        radius_km=choose([40.0, 150.0]),
        rings_km=choose([(), (300.0,), (200.0, 1000.0), (25_000.0,)]),
        tolerance_km=choose([0.0, 1.0, 25.0]),
        tolerance_share=choose([0.0, 0.2]),
        use_road=choose([True, False]),
        accept_mode=mode,
        contact_within_minutes=choose([{}, {"hot": 90, "cold": 400}]),
        escalation=steps if hops > 1 else steps[:1],
        max_wait_hours=choose([0.0, 24.0, 72.0, 72.0]),
        max_hops=hops,
        team_for=choose([("fleet",), (), ("business", "fleet")]),
        language_required=choose([True, False, False, False]),
        cross_border=choose([frozenset(), frozenset({("PL", "DE")})]),
        shown_ranked=choose([1, 3, 20]),
        shown_refusals=100,
    )


Case = tuple[LeadFacts, list[Candidate], Policy, datetime]


def case_of(seed: int, dealers: Sequence[int]) -> Case:
    """A case made of numbers: one for lead and policy, one for each dealer."""
    random = Random(seed)
    middle, at = random.choice(MIDDLES), random.choice(INSTANTS)
    return (
        lead_of(random, middle, at),
        [dealer_of(number, Random(each), middle) for number, each in enumerate(dealers)],
        policy_of(random),
        at,
    )


def assert_equal(decision: Decision, expected: Answer) -> None:
    assert (decision.chosen, decision.how, decision.cause) == (
        expected.chosen,
        expected.how,
        expected.cause,
    )
    assert [(each.code, each.why) for each in decision.ranked] == expected.ranked
    if expected.distance_km is None:
        assert decision.distance_km is None
    else:
        assert decision.distance_km is not None
        assert abs(decision.distance_km - expected.distance_km) < 2e-6
    for name in ("opens_at", "respond_by", "ring_km", "look_again_at", "waits_for"):
        assert getattr(decision, name) == getattr(expected, name), name
    told = {refusal.code: refusal.reason for refusal in decision.refused}
    assert len(told) == len(decision.refused)
    assert decision.more_refused == 0
    for code, reason in expected.refused.items():
        assert told.pop(code, None) == reason, code
    assert told.items() <= expected.may_be_refused.items()


SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=CASES, deadline=None)
@given(SEEDS, st.lists(SEEDS, max_size=len(CODES)), st.randoms(use_true_random=True))
def test_a_decision_is_what_the_rules_say_and_always_the_same(
    seed: int, dealer_seeds: list[int], random: Random
) -> None:
    lead, dealers, policy, at = case_of(seed, dealer_seeds)
    decision = decide(lead, dealers, policy, at)
    assert_equal(decision, naive_decision(lead, dealers, policy, at))
    assert decide_nearest(Network(dealers), lead, policy, at) == decision
    shuffled = random.sample(dealers, len(dealers))
    assert decide(lead, shuffled, policy, at) == decision
    assert decide_nearest(Network(shuffled), lead, policy, at) == decision


def test_the_cases_know_every_code() -> None:
    met: set[str | None] = set()
    for seed in range(1_500):
        decision = decide(*case_of(seed, range(13 * seed, 13 * seed + 3 + seed % 10)))
        met |= {decision.how, decision.cause}
        met |= {each.why for each in decision.ranked} | {each.reason for each in decision.refused}
    assert {*HOWS[:5], *CAUSES, *LOSSES, *REFUSALS} <= met
