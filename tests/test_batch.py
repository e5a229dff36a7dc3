"""Many leads in one go get the dealers that they would get one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from lmt.routing.batch import AT_ONCE, Choice, decide_batch, explained
from lmt.routing.candidate import Candidate, LeadFacts, Load
from lmt.routing.decision import Decision
from lmt.routing.network import Network, decide_nearest
from lmt.routing.policy import Policy
from lmt.routing.policybook import PolicyBook
from lmt.workhours import Calendar

AT = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)
"""A Tuesday, the last of the month."""

CALENDARS = (
    Calendar("24/7", "UTC"),
    Calendar("Mo-Fr 09:00-18:00", "Europe/Warsaw", "PL"),
    Calendar("Th 09:00-17:00", "Asia/Riyadh"),
    Calendar("off", "UTC"),
    Calendar("24/7", "Europe/Warsaw", closures=((date(2026, 4, 1), date(2026, 4, 2)),)),
)


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


class Counted:
    """The plainest count: every lead given, with its instant."""

    def __init__(self, network: Network, began_at: datetime) -> None:
        self.network, self.began_at = network, began_at
        self.taken: list[tuple[int, datetime, datetime | None]] = []

    def loads(self, at: datetime) -> dict[int, Load]:
        return {each.id: self._load(each, at) for each in self.network.candidates()}

    def _load(self, each: Candidate, at: datetime) -> Load:
        zone = ZoneInfo(each.calendar.timezone)
        mine = [(then, until) for number, then, until in self.taken if number == each.id]
        # Days never move back: what counts is the latest day this dealer was looked at.
        today = max(at, self.began_at).astimezone(zone).date()
        first = self.began_at.astimezone(zone).date()
        days = [then.astimezone(zone).date() for then, _ in mine]
        given_back = sum(until is not None and until <= at for _, until in mine)
        return Load(
            day_used=days.count(today) + (each.day_used if first == today else 0),
            month_used=sum(day.month == today.month for day in days)
            + (each.month_used if first.month == today.month else 0),
            open_used=max(0, each.open_used + len(mine) - given_back),
            received=each.received + len(mine),
        )


def one_by_one(
    network: Network,
    leads: Sequence[LeadFacts],
    policy: Policy | PolicyBook,
    instants: Sequence[datetime],
    open_until: Sequence[datetime | None] | None = None,
    *,
    consume: bool = True,
) -> list[Decision]:
    counted = Counted(network, instants[0])
    decisions = []
    for position, (each, at) in enumerate(zip(leads, instants, strict=True)):
        own = policy if isinstance(policy, Policy) else policy.policy_for(each)
        decision = decide_nearest(network.with_load(counted.loads(at)), each, own, at)
        decisions.append(decision)
        if consume and decision.chosen_id is not None:
            until = open_until[position] if open_until else None
            counted.taken.append((decision.chosen_id, at, until))
    return decisions


def lean(decision: Decision) -> Choice:
    return Choice(
        decision.chosen_id,
        decision.how or "",
        decision.distance_km,
        decision.cause or "",
        decision.opens_at,
        decision.respond_by,
    )


PLACES = st.one_of(
    st.tuples(st.floats(51.8, 52.2), st.floats(20.8, 21.2)),
    st.tuples(st.floats(45, 58), st.floats(10, 30)),
    st.sampled_from([(52.0, 21.0), (0.0, 180.0), (0.0, -180.0), (0.1, 179.9), (90.0, 0.0)]),
)
MOSTLY = st.sampled_from([True] * 6 + [False])
DEALER = st.tuples(
    PLACES,
    st.fixed_dictionaries(
        {
            "calendar": st.sampled_from(CALENDARS),
            "active": MOSTLY,
            "reachable": MOSTLY,
            "paused": MOSTLY.map(lambda most: not most),
            "country": st.sampled_from(["PL"] * 4 + ["DE"]),
            "kind": st.sampled_from(["showroom"] * 8 + ["team"]),
            "competences": st.sampled_from(
                [frozenset({("Orion", "sales")})] * 3
                + [frozenset({("Orion", "parts")}), frozenset({("", "sales"), ("Orion", "fleet")})]
            ),
            "languages": st.sampled_from([frozenset(), frozenset({"pl"}), frozenset({"de"})]),
            "day_cap": st.sampled_from([None, 1, 2]),
            "day_used": st.integers(0, 1),
            "month_cap": st.sampled_from([None, None, 3]),
            "open_cap": st.sampled_from([None, None, 2]),
            "open_used": st.integers(0, 1),
            "received": st.integers(0, 2),
            "weight": st.sampled_from([1.0, 2.0]),
            "quality": st.sampled_from([0.0, 1.0]),
            "exclusive_postcodes": st.sampled_from([()] * 8 + [("00",)]),
            "exclusive_area": st.sampled_from([None] * 8 + [box(20.9, 51.9, 21.1, 52.1)]),
        }
    ),
)
LEADS = st.builds(
    lambda place, **facts: lead(*place, **facts),
    st.one_of(PLACES, PLACES, PLACES, st.just((None, None))),
    band=st.sampled_from(["hot", "warm", "cold"]),
    country=st.sampled_from(["PL", "PL", ""]),
    brand=st.sampled_from(["Orion", "Orion", "", "Vega"]),
    service=st.sampled_from(["sales", "sales", "sales", "parts", "fleet"]),
    language=st.sampled_from(["", "pl"]),
    postcode=st.sampled_from(["", "00-950", "11-111"]),
    accuracy_km=st.sampled_from([0.0, 0.0, 100.0]),
    tried=st.sampled_from([frozenset(), frozenset({"D000", "D001"})]),
    preferred_dealer=st.sampled_from([""] * 6 + ["D000", "D999"]),
    serving_dealer=st.sampled_from([""] * 6 + ["D001"]),
    customer_kind=st.sampled_from(["private"] * 6 + ["fleet"]),
    model_sold=MOSTLY,
    hop=st.sampled_from([1, 1, 1, 6]),
)
POLICIES = st.builds(
    Policy,
    radius_km=st.sampled_from([40.0, 150.0]),
    rings_km=st.sampled_from([(300.0,), (200.0, 1000.0)]),
    tolerance_km=st.sampled_from([0.0, 1.0, 25.0]),
    tolerance_share=st.sampled_from([0.0, 0.2]),
    language_required=st.booleans(),
)


@settings(max_examples=120, deadline=None)
@given(
    st.lists(LEADS, min_size=1, max_size=8),
    st.lists(DEALER, max_size=30),
    POLICIES,
    st.lists(st.integers(0, 600), min_size=8, max_size=8),
    st.sampled_from([None, 90]),
    st.booleans(),
)
def test_a_batch_gives_what_single_decisions_would(
    leads: list[LeadFacts],
    drawn: list[tuple[tuple[float, float], dict[str, Any]]],
    policy: Policy,
    gaps_minutes: list[int],
    open_minutes: int | None,
    consume: bool,
) -> None:
    network = Network(dealer(number, *place, **each) for number, (place, each) in enumerate(drawn))
    instants = []
    now = AT
    for gap in gaps_minutes[: len(leads)]:
        now += timedelta(minutes=gap)
        instants.append(now)
    until = [
        None if open_minutes is None else at + timedelta(minutes=open_minutes) for at in instants
    ]
    expected = one_by_one(network, leads, policy, instants, until, consume=consume)
    choices = decide_batch(network, leads, policy, instants, open_until=until, consume=consume)
    assert choices == [lean(each) for each in expected]
    last = len(leads) - 1
    whole = explained(
        network, leads, policy, instants, choices, last, open_until=until, consume=consume
    )
    assert whole == expected[last]


GRID = [
    dealer(10 * row + column, 51.5 + row * 0.1, 20.5 + column * 0.1, day_cap=3)
    for row in range(10)
    for column in range(10)
]


def test_more_leads_than_are_kept_at_once_drip_over_the_whole_network() -> None:
    """One place, 100 dealers with three places each: outwards until the last is full."""
    network = Network(GRID)
    leads = [lead(52.0, 21.0)] * (AT_ONCE + 50)
    choices = decide_batch(network, leads, Policy(), AT)
    given = [each for each in choices if each.dealer_id is not None]
    assert len(given) == 300
    assert {each.cause for each in choices[300:]} == {"all_capped"}
    distances = [each.distance_km or 0.0 for each in given]
    assert all(later >= earlier - 1.0 for earlier, later in pairwise(distances))
    assert choices[:40] == [
        lean(each) for each in one_by_one(network, leads[:40], Policy(), [AT] * 40)
    ]
    # The network's own figures are as they were.
    assert decide_nearest(network, leads[0], Policy(), AT).chosen_id == choices[0].dealer_id


def test_a_tally_is_carried_on_from_batch_to_batch_and_from_network_to_network() -> None:
    network = Network(GRID)
    leads = [lead(52.0, 21.0)] * 3
    tally = network.tally(AT)
    first = decide_batch(network, leads, Policy(), AT, tally=tally)
    assert len({each.dealer_id for each in first}) == 1
    moved = network.replaced([replace(GRID[0], paused=True)])
    [next_one] = decide_batch(moved, leads[:1], Policy(), AT, tally=tally)
    assert next_one.dealer_id not in {None, first[0].dealer_id}
    [tomorrow] = decide_batch(moved, leads[:1], Policy(), AT + timedelta(days=1), tally=tally)
    assert tomorrow.dealer_id == first[0].dealer_id
    assert tally[tomorrow.dealer_id or 0] == Load(day_used=1, month_used=1, open_used=4, received=4)


def test_loads_laid_over_the_network_are_where_a_batch_begins() -> None:
    network = Network(GRID)
    nearest = decide_nearest(network, lead(), Policy(), AT).chosen_id
    assert nearest is not None
    loaded = network.with_load({nearest: Load(day_used=2, month_used=2, open_used=2, received=2)})
    choices = decide_batch(loaded, [lead(), lead()], Policy(tolerance_km=0), AT)
    assert [each.dealer_id == nearest for each in choices] == [True, False]


def test_every_lead_goes_by_its_case_of_the_policy() -> None:
    book = PolicyBook.from_settings(
        {
            "radius_km": 150,
            "cases": [
                {"name": "cold", "when": {"band": ["cold"]},
                 "settings": {"radius_km": 31, "rings_km": []}},
            ],
        }
    )  # fmt: skip
    network = Network([dealer(1, 52.5, 21.0)])
    leads = [lead(band="hot"), lead(band="cold")]
    assert [each.cause for each in decide_batch(network, leads, book, AT)] == ["", "out_of_range"]


def test_no_leads_and_a_naive_instant() -> None:
    network = Network(GRID)
    assert decide_batch(network, [], Policy(), AT) == []
    with pytest.raises(ValueError, match="aware"):
        decide_batch(network, [lead()], Policy(), AT.replace(tzinfo=None))
    assert decide_batch(Network([]), [lead()], Policy(), AT)[0].cause == "no_competence"
