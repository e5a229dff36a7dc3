"""The network gives the decision that measuring every dealer would give, only sooner."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from geopy.distance import geodesic
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from lmt.routing.candidate import Candidate, LeadFacts, Load
from lmt.routing.decide import decide
from lmt.routing.geo import chord_km, ecef_km, ecefs_km, geodesic_km, geodesics_km
from lmt.routing.index import ChordIndex
from lmt.routing.network import Network, decide_nearest
from lmt.routing.policy import Policy
from lmt.workhours import Calendar, is_open, next_opening

AT = datetime(2026, 3, 4, 11, 0, tzinfo=UTC)  # a Wednesday
CALENDARS = (
    Calendar("24/7", "UTC"),
    Calendar("Th 09:00-17:00", "UTC"),
    Calendar("Tu 09:00-17:00", "UTC"),  # opens in six days
    Calendar("off", "UTC"),
)
METRE = 0.001
CAPS = {"day_cap", "month_cap", "open_cap"}


def lead(lat: float | None = 52.0, lon: float | None = 21.0, **changes: Any) -> LeadFacts:
    facts: dict[str, Any] = {"country": "PL", "brand": "Orion", "service": "sales", "band": "hot"}
    return LeadFacts(lat=lat, lon=lon, asked_at=AT, **{**facts, **changes})


def dealer(number: int, lat: float, lon: float, **changes: Any) -> Candidate:
    facts: dict[str, Any] = {
        "country": "PL",
        "calendar": CALENDARS[0],
        "competences": frozenset({("Orion", "sales")}),
    }
    return Candidate(
        id=number, code=f"D{number:03}", name="", lat=lat, lon=lon, **{**facts, **changes}
    )


# --- measured one by one, with geopy over all ---------------------------------------------------


def naive_reason(facts: LeadFacts, each: Candidate, policy: Policy) -> str | None:
    if (facts.brand, facts.service) not in each.competences:
        return "no_competence"
    if not each.active:
        return "inactive"
    if facts.country and each.country != facts.country:
        return "country"
    if each.paused:
        return "paused"
    if each.code in facts.tried:
        return "tried"
    if each.day_cap is not None and each.day_used >= each.day_cap:
        return "day_cap"
    if not is_open(each.calendar, AT):
        opens_at = next_opening(each.calendar, AT)
        if opens_at is None or opens_at - AT > timedelta(hours=policy.max_wait_hours):
            return "no_opening"
    return None


def naive(facts: LeadFacts, dealers: list[Candidate], policy: Policy) -> dict[str, Any]:
    """Choice, next ones, ring, cause and reasons, in the plainest way."""
    km = {
        each.code: round(geodesic((facts.lat, facts.lon), (each.lat, each.lon)).km, 6)
        for each in dealers
    }
    why = {each.code: naive_reason(facts, each, policy) for each in dealers}
    able = [each for each in dealers if why[each.code] is None]
    bonus = policy.open_bonus_km[facts.band]
    worth = {
        each.code: km[each.code] - (bonus if is_open(each.calendar, AT) else 0.0) for each in able
    }
    here = ecef_km(facts.lat or 0.0, facts.lon or 0.0)
    straight = {each.code: chord_km(ecef_km(each.lat, each.lon), here) for each in dealers}
    for ring in (policy.radius_km, *policy.rings_km):
        left = [each for each in able if km[each.code] <= ring]
        if left:
            break
    order: list[str] = []
    while left and len(order) < policy.shown_ranked:
        best = min(left, key=lambda each: (worth[each.code], km[each.code], each.code))
        slack = max(policy.tolerance_km, policy.tolerance_share * km[best.code])
        equal = [each for each in left if worth[each.code] <= worth[best.code] + slack]
        winner = min(equal, key=lambda e: (e.received / e.weight, -e.quality, e.code))
        left.remove(winner)
        order.append(winner.code)
    if order:
        near = {code for code in km if straight[code] <= straight[order[0]] + METRE}
        refused = {code: reason for code, reason in why.items() if reason and code in near}
        return {"order": order, "ring": ring, "cause": None, "refused": refused}
    inside = {
        why[code] or "out_of_range" for code in km if straight[code] <= policy.rings_km[-1] + METRE
    }
    of_here = {why[each.code] for each in dealers} - {"no_competence", "inactive", "country"}
    if inside & CAPS:
        cause = "all_capped"
    elif "no_opening" in inside:
        cause = "no_opening"
    elif inside - {"no_competence", "inactive", "country", "out_of_range"}:
        cause = "all_refused"
    else:
        cause = "out_of_range" if of_here else "no_competence"
    return {"order": [], "ring": None, "cause": cause, "refused": None}


# Places that are near each other across every seam of the map, and coincident ones.
SEAMS = st.sampled_from(
    [(0.0, 180.0), (0.0, -180.0), (90.0, 0.0), (90.0, 120.0), (-90.0, 0.0), (52.0, 21.0)]
)
PLACES = st.one_of(
    SEAMS,
    st.tuples(
        st.sampled_from([-90.0, -89.5, -17.0, 0.0, 51.5, 52.0, 89.0, 89.9]),
        st.sampled_from([-180.0, -179.5, -179.0, 0.0, 20.0, 21.0, 21.01, 178.8, 179.9, 180.0]),
    ),
    st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
    st.tuples(st.floats(50, 54), st.floats(18, 24)),
)
MOSTLY = st.sampled_from([True] * 5 + [False])
DEALER = st.tuples(
    PLACES,
    st.fixed_dictionaries(
        {
            "calendar": st.sampled_from(CALENDARS),
            "active": MOSTLY,
            "paused": MOSTLY.map(lambda most: not most),
            "country": st.sampled_from(["PL", "PL", "PL", "DE"]),
            "competences": st.sampled_from(
                [frozenset({("Orion", "sales")})] * 3 + [frozenset({("Orion", "parts")})]
            ),
            "day_cap": st.sampled_from([None, None, 2]),
            "day_used": st.integers(0, 3),
            "received": st.integers(0, 2),
            "weight": st.sampled_from([1.0, 2.0]),
            "quality": st.sampled_from([0.0, 1.0]),
        }
    ),
)
POLICIES = st.builds(
    Policy,
    radius_km=st.sampled_from([40.0, 150.0]),
    rings_km=st.sampled_from([(300.0,), (200.0, 1000.0), (25_000.0,)]),
    tolerance_km=st.sampled_from([0.0, 1.0, 25.0]),
    tolerance_share=st.sampled_from([0.0, 0.2]),
    shown_ranked=st.sampled_from([1, 2, 5]),
    shown_refusals=st.just(100),
)
LEADS = st.builds(
    lambda place, band, country, tried: lead(*place, band=band, country=country, tried=tried),
    PLACES,
    st.sampled_from(["hot", "cold"]),
    st.sampled_from(["PL", ""]),
    st.frozensets(st.sampled_from(["D000", "D001"])),
)


@settings(max_examples=250, deadline=None)
@given(LEADS, st.lists(DEALER, max_size=25), POLICIES)
@example(lead(0.0, 180.0), [((0.0, -180.0), {}), ((0.0, 179.0), {})], Policy())
@example(lead(90.0, 0.0), [((90.0, 77.0), {}), ((89.9, -120.0), {})], Policy())
@example(  # the closed one just inside the narrow ring beats the open one just outside
    lead(52.0, 21.0),
    [((52.0, 23.187), {}), ((53.346, 21.0), {"calendar": CALENDARS[1]})],
    Policy(rings_km=(300.0,), shown_ranked=1),
)
def test_the_network_decides_as_measuring_everybody_would(
    facts: LeadFacts, drawn: list[tuple[tuple[float, float], dict[str, Any]]], policy: Policy
) -> None:
    dealers = [dealer(number, *place, **each) for number, (place, each) in enumerate(drawn)]
    decision = decide_nearest(Network(dealers), facts, policy, AT)
    assert decision == decide(facts, dealers, policy, AT)

    expected = naive(facts, dealers, policy)
    assert [each.code for each in decision.ranked] == expected["order"]
    assert decision.chosen == (expected["order"] or [None])[0]
    assert decision.ring_km == expected["ring"]
    assert decision.cause == expected["cause"]
    if expected["refused"] is not None:
        assert {each.code: each.reason for each in decision.refused} == expected["refused"]


@settings(max_examples=200, deadline=None)
@given(PLACES, PLACES)
def test_a_chord_is_never_longer_than_the_way_geopy_measures(
    one: tuple[float, float], other: tuple[float, float]
) -> None:
    exact = geodesic(one, other).km
    assert geodesic_km(*one, *other) == pytest.approx(exact, abs=1e-6)
    assert chord_km(ecef_km(*one), ecef_km(*other)) <= exact + 1e-6


@settings(max_examples=100, deadline=None)
@given(PLACES, st.lists(PLACES, min_size=1, max_size=6))
@example((0.0, 0.0), [(0.0, 180.0), (0.5, 179.7), (0.0, 0.0)])  # antipodal, or nearly
@example((90.0, 0.0), [(-90.0, 0.0), (90.0, 120.0), (0.0, -180.0)])
@example((30.0, 0.0), [(-30.0, 180.0), (-29.9999, 179.8)])
def test_several_distances_at_once_are_the_single_ones(
    here: tuple[float, float], there: list[tuple[float, float]]
) -> None:
    lats, lons = [lat for lat, _ in there], [lon for _, lon in there]
    measured = geodesics_km(*here, lats, lons).tolist()
    assert measured == [geodesic_km(*here, *each) for each in there]
    assert measured == pytest.approx([geodesic(here, each).km for each in there], abs=1e-6)
    centred = ecefs_km(lats, lons).tolist()
    assert [tuple(row) for row in centred] == [
        pytest.approx(ecef_km(*each), abs=1e-9) for each in there
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(PLACES, max_size=30), st.lists(PLACES, min_size=1, max_size=4))
def test_many_places_at_once_find_the_neighbours_of_each(
    points: list[tuple[float, float]], asked: list[tuple[float, float]]
) -> None:
    index = ChordIndex.of([ecef_km(*each) for each in points], range(len(points)))
    places = [ecef_km(*each) for each in asked]
    chords, numbers = index.nearest_of(np.array(places), 5)
    for place, found, found_numbers in zip(places, chords, numbers, strict=True):
        outwards = list(index.outwards(place))
        assert len(outwards) == len(points)
        assert found == pytest.approx([chord for chord, _ in outwards[:5]], abs=1e-9)
        straight = [chord_km(ecef_km(*points[number]), place) for number in found_numbers]
        assert found == pytest.approx(straight, abs=1e-9)


# --- keeping it ready ---------------------------------------------------------------------------

GRID = [
    dealer(10 * row + column, 50 + row * 0.5, 18 + column * 0.5, day_cap=5)
    for row in range(10)
    for column in range(10)
]


def same(network: Network, facts: LeadFacts, policy: Policy | None = None) -> str | None:
    """The network's choice, after comparing it with `decide` over the same dealers."""
    policy = policy or Policy()
    decision = decide_nearest(network, facts, policy, AT)
    assert decision == decide(facts, network.candidates(), policy, AT)
    return decision.chosen


def test_nearest_comes_in_growing_order_and_completely() -> None:
    network = Network(GRID)
    met = list(network.nearest(lead(52.1, 21.1)))
    assert [chord for chord, _ in met] == sorted(chord for chord, _ in met)
    assert {each.id for _, each in met} == {each.id for each in GRID}
    assert met[0][1].code == "D046"


def test_only_the_near_ones_are_looked_at() -> None:
    looked_at: list[int] = []

    class Watched(dict[int, Load]):
        def get(self, key: int, default: Any = None) -> Any:
            looked_at.append(key)
            return super().get(key, default)

    network = Network(GRID).with_load(Watched())
    assert decide_nearest(network, lead(52.1, 21.1), Policy(), AT).chosen == "D046"
    assert 5 <= len(set(looked_at)) < 25


def test_it_says_for_many_leads_which_lie_in_a_territory() -> None:
    owner = replace(GRID[99], exclusive_area=box(20, 51, 22, 53))
    listed = replace(GRID[98], shared_postcodes=("00",))
    network = Network(GRID).replaced([owner, listed])
    leads = [
        lead(52.1, 21.1),
        lead(40.0, 0.0),
        lead(None, None, postcode="00-950"),
        lead(None, None, postcode="01-000"),
        lead(40.0, 0.0, postcode="00-950", country=""),
        lead(math.nan, 21.0),
    ]
    assert network.claims(leads) == [True, False, True, False, False, False]
    assert Network(GRID).claims(leads) == [False] * 6


def test_load_is_laid_over_without_rebuilding_and_may_change_under_it() -> None:
    plain = Network(GRID)
    loads: dict[int, Load] = {}
    network = plain.with_load(loads)
    assert same(network, lead(52.1, 21.1)) == "D046"
    loads[46] = Load(day_used=5)
    assert same(network, lead(52.1, 21.1)) == "D047"
    loads[46] = Load(day_used=4)
    assert same(network, lead(52.1, 21.1)) == "D046"
    assert same(plain, lead(52.1, 21.1)) == "D046"


def test_changed_dealers_take_their_place_and_the_old_network_stays_whole() -> None:
    old = Network(GRID)
    here = lead(52.1, 21.1)
    elsewhere = lead(40.0, 0.0)
    assert same(old, here) == "D046"
    near = GRID[46]
    changes: list[tuple[Candidate, str | None, str | None]] = [
        (replace(near, paused=True), "D047", None),
        (replace(near, lat=40.1, lon=0.1), "D047", "D046"),
        (replace(near, competences=frozenset({("Orion", "parts")})), "D047", None),
        (replace(near, lat=math.nan), "D047", None),
        (replace(near, code="RENAMED"), "RENAMED", None),
        (dealer(500, 52.1, 21.1), "D500", None),
    ]
    for changed, at_home, away in changes:
        network = old.replaced([changed])
        assert (same(network, here), same(network, elsewhere)) == (at_home, away)
        assert same(network.replaced([near], removed=[500]), here) == "D046"
    assert same(old.replaced([], removed=[46]), here) == "D047"
    assert len(old.replaced([], removed=[46])) == 99
    assert same(old, here) == "D046"


def test_territories_and_competences_follow_a_change() -> None:
    old = Network(GRID)
    here = lead(52.1, 21.1, postcode="00-950")
    owner = replace(GRID[99], exclusive_area=box(20, 51, 22, 53))
    listed = replace(GRID[98], exclusive_postcodes=("00",))
    assert same(old.replaced([owner]), here) == "D099"
    assert same(old.replaced([owner, listed]), here) == "D098"
    assert same(old.replaced([owner]).replaced([GRID[99]]), here) == "D046"
    assert same(old.replaced([owner]).replaced([], removed=[99]), here) == "D046"
    vega = lead(52.1, 21.1, brand="Vega")
    assert same(old, vega) is None
    sells = replace(GRID[0], competences=frozenset({("Vega", "sales")}))
    assert same(old.replaced([sells]), vega, Policy(rings_km=(600.0,))) == "D000"


@pytest.mark.parametrize(
    "place", [(None, None), (math.nan, 21.0), (52.0, 400.0), (math.inf, 0.0), (None, 21.0)]
)
def test_a_bad_place_finds_nobody_and_breaks_nothing(
    place: tuple[float | None, float | None],
) -> None:
    network = Network([*GRID, dealer(900, math.nan, 200.0)])
    assert list(network.nearest(lead(*place))) == []
    assert same(network, lead(*place)) is None
    assert same(network, lead(*place, preferred_dealer="D900")) == "D900"


def test_no_dealers_at_all() -> None:
    assert decide_nearest(Network([]), lead(), Policy(), AT).cause == "no_competence"


def test_two_dealers_cant_share_an_id_or_a_code() -> None:
    twin = replace(GRID[1], code=GRID[0].code)
    with pytest.raises(ValueError, match="same id or code"):
        Network([GRID[0], twin])
    with pytest.raises(ValueError, match="same id or code"):
        Network([GRID[0], replace(GRID[1], id=GRID[0].id)])
    with pytest.raises(ValueError, match="the code D000"):
        Network(GRID).replaced([twin])
