"""Which dealer gets a lead, until when, and why no nearer one: decision tables."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from shapely.geometry import box

from lmt.routing.candidate import Candidate, LeadFacts
from lmt.routing.decide import decide
from lmt.routing.decision import Decision
from lmt.routing.network import Network, decide_nearest
from lmt.routing.policy import Policy
from lmt.workhours import Calendar

WARSAW, RIYADH, DUBAI, PARIS = "Europe/Warsaw", "Asia/Riyadh", "Asia/Dubai", "Europe/Paris"
ALWAYS = Calendar("24/7", WARSAW, "PL")
NEVER = Calendar("off", WARSAW, "PL")
WEEK = Calendar("Mo-Fr 09:00-17:00; PH off", WARSAW, "PL")
NOON = datetime(2026, 3, 4, 11, 0, tzinfo=UTC)  # a Wednesday, 12:00 in Warsaw
NIGHT = datetime(2026, 3, 4, 1, 0, tzinfo=UTC)
KM_IN_DEGREES = 1 / 111.2  # along a meridian, near enough for placing


def local(zone: str, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[arg-type,misc]


def lead(**changes: Any) -> LeadFacts:
    facts: dict[str, Any] = {
        "lat": 52.0,
        "lon": 21.0,
        "country": "PL",
        "brand": "Orion",
        "service": "sales",
        "band": "hot",
        "asked_at": NOON,
    }
    return LeadFacts(**{**facts, **changes})


def dealer(code: str, km: float = 10.0, **changes: Any) -> Candidate:
    """A dealer open day and night, so many km north of the usual lead."""
    facts: dict[str, Any] = {
        "id": sum(ord(sign) << 8 * place for place, sign in enumerate(code)),
        "code": code,
        "name": f"Autohaus {code}",
        "lat": 52.0 + km * KM_IN_DEGREES,
        "lon": 21.0,
        "country": "PL",
        "calendar": ALWAYS,
        "competences": frozenset({("Orion", "sales")}),
    }
    return Candidate(**{**facts, **changes})


def reasons(decision: Decision) -> dict[str, str]:
    return {refusal.code: refusal.reason for refusal in decision.refused}


# --- who is nearest -----------------------------------------------------------------------------


def test_the_nearest_wins_and_the_others_are_ranked_with_why() -> None:
    decision = decide(lead(), [dealer("B", 30), dealer("C", 20), dealer("A", 10)], Policy(), NOON)
    assert (decision.chosen, decision.how, decision.cause) == ("A", "nearest", None)
    assert [(each.code, each.why) for each in decision.ranked] == [
        ("A", ""),
        ("C", "farther"),
        ("B", "farther"),
    ]
    assert decision.distance_km == pytest.approx(10, abs=0.1)
    assert decision.ring_km == 150


@pytest.mark.parametrize(
    ("band", "open_km", "chosen", "why_other"),
    [
        ("hot", 38, "OPEN", "closed"),  # 30 km for an open door
        ("hot", 45, "SHUT", "farther"),
        ("warm", 23, "OPEN", "closed"),
        ("warm", 38, "SHUT", "farther"),
        ("cold", 12, "SHUT", "farther"),
    ],
)
def test_an_open_door_is_worth_kilometres(
    band: str, open_km: float, chosen: str, why_other: str
) -> None:
    dealers = [dealer("SHUT", 10, calendar=WEEK), dealer("OPEN", open_km)]
    decision = decide(lead(band=band), dealers, Policy(), NIGHT)
    assert decision.chosen == chosen
    assert decision.ranked[1].why == why_other


def test_being_closed_excludes_nobody() -> None:
    decision = decide(lead(), [dealer("A", calendar=WEEK)], Policy(), NIGHT)
    assert decision.chosen == "A"
    assert decision.opens_at == local(WARSAW, 2026, 3, 4, 9, 0)
    assert decision.respond_by == local(WARSAW, 2026, 3, 4, 9, 30)


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ({"received": 8, "weight": 2.0}, {"received": 5, "weight": 1.0}, "fair_share"),
        ({"received": 0, "weight": 1.0}, {"received": 0, "weight": 0.0}, "fair_share"),
        ({"quality": 0.9}, {"quality": 0.4}, "quality"),
        ({}, {}, "code"),
    ],
)
@pytest.mark.parametrize("second_km", [10.0, 9.5])
def test_equally_near_dealers_are_parted_by_share_then_quality_then_code(
    first: dict[str, Any], second: dict[str, Any], why: str, second_km: float
) -> None:
    dealers = [dealer("B", second_km, **second), dealer("A", 10, **first)]
    decision = decide(lead(), dealers, Policy(), NOON)
    assert decision.chosen == "A"
    assert [each.why for each in decision.ranked] == ["", why]


def test_the_tolerance_may_be_a_share_of_the_way() -> None:
    dealers = [dealer("NEAR", 100, received=1), dealer("FAR", 108)]
    assert decide(lead(), dealers, Policy(), NOON).chosen == "NEAR"
    assert decide(lead(), dealers, Policy(tolerance_share=0.1), NOON).chosen == "FAR"


def test_across_the_antimeridian_the_near_one_is_near() -> None:
    east = dealer("EAST", lat=-17.0, lon=-179.9)
    west = dealer("WEST", lat=-17.0, lon=178.5)
    decision = decide(lead(lat=-17.0, lon=179.9), [west, east], Policy(), NOON)
    assert decision.chosen == "EAST"
    assert decision.distance_km == pytest.approx(21.3, abs=0.1)


def test_rings_widen_only_where_the_radius_holds_nobody() -> None:
    policy = Policy(radius_km=50, rings_km=(150, 400))
    far = dealer("FAR", 120)
    assert decide(lead(), [far], policy, NOON).ring_km == 150
    # The open door in the wider ring would win on effective km.
    near = dealer("NEAR", 45, calendar=WEEK)
    open_outside = dealer("OUT", 55)
    decision = decide(lead(), [far, near, open_outside], policy, NIGHT)
    assert (decision.chosen, decision.ring_km) == ("NEAR", 50)
    assert [each.code for each in decision.ranked] == ["NEAR"]


# --- who is refused -----------------------------------------------------------------------------

REFUSED: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("inactive", {"active": False}, {}, "all_refused"),
    ("not_reachable", {"reachable": False}, {}, "all_refused"),
    ("paused", {"paused": True}, {}, "all_refused"),
    ("tried", {}, {"tried": frozenset({"A"})}, "all_refused"),
    ("day_cap", {"day_cap": 3, "day_used": 3}, {}, "all_capped"),
    ("month_cap", {"month_cap": 9, "month_used": 12}, {}, "all_capped"),
    ("open_cap", {"open_cap": 0}, {}, "all_capped"),
    ("no_opening", {"calendar": NEVER}, {}, "no_opening"),
    ("no_competence", {"competences": frozenset({("Orion", "parts")})}, {}, "no_competence"),
    ("country", {"country": "DE"}, {}, "no_competence"),
    (
        "on_closure",
        {"calendar": replace(WEEK, closures=((date(2026, 3, 2), date(2026, 3, 4)),))},
        {},
        "all_refused",
    ),
    ("out_of_range", {"lat": 56.0}, {}, "out_of_range"),
    ("no_location", {"lat": float("nan")}, {}, "all_refused"),
]


@pytest.mark.parametrize(("reason", "changes", "facts", "cause"), REFUSED)
def test_a_refused_dealer_has_its_reason_and_alone_leaves_a_cause(
    reason: str, changes: dict[str, Any], facts: dict[str, Any], cause: str
) -> None:
    decision = decide(lead(**facts), [dealer("A", 5, **changes)], Policy(), NOON)
    assert decision.chosen is None
    assert decision.respond_by is None
    assert reasons(decision) == {"A": reason}
    assert decision.cause == ("no_competence" if reason == "inactive" else cause)


@pytest.mark.parametrize(
    ("reason", "changes", "facts"),
    [(row[0], row[1], row[2]) for row in REFUSED if row[0] not in ("out_of_range", "no_location")],
)
def test_the_next_dealer_gets_it_and_the_nearer_ones_reason_is_kept(
    reason: str, changes: dict[str, Any], facts: dict[str, Any]
) -> None:
    dealers = [dealer("A", 5, **changes), dealer("B", 50), dealer("C", 60, paused=True)]
    decision = decide(lead(**facts), dealers, Policy(), NOON)
    assert decision.chosen == "B"
    assert reasons(decision) == {"A": reason}  # C is farther than the chosen: no need to say


def test_figures_tell_why() -> None:
    dealers = [dealer("A", 5, day_cap=3, day_used=4), dealer("B", 400)]
    decision = decide(lead(), dealers, Policy(), NOON)
    assert decision.refused[0].figures == {"used": 4, "cap": 3}
    assert decision.refused[0].about_km == pytest.approx(5.0, abs=0.1)


@pytest.mark.parametrize(
    ("others", "cause"),
    [
        ([{"paused": True}, {"day_cap": 0}, {"calendar": NEVER}], "all_capped"),
        ([{"paused": True}, {"calendar": NEVER}], "no_opening"),
        ([{"paused": True}, {"country": "DE"}], "all_refused"),
        ([{"country": "DE"}, {"km": 900}], "out_of_range"),
        ([{"active": False}, {"competences": frozenset()}], "no_competence"),
        ([], "no_competence"),
    ],
)
def test_the_cause_is_the_one_that_says_most(others: list[dict[str, Any]], cause: str) -> None:
    dealers = [dealer(f"D{number}", **changes) for number, changes in enumerate(others)]
    assert decide(lead(), dealers, Policy(), NOON).cause == cause


def test_refusals_shown_are_bounded_the_competent_first_and_the_rest_counted() -> None:
    without: frozenset[tuple[str, str]] = frozenset()
    dealers = [dealer(f"N{number:02}", 1 + number, competences=without) for number in range(9)]
    dealers += [dealer(f"P{number:02}", 20 + number, paused=True) for number in range(4)]
    decision = decide(lead(), [*dealers, dealer("Z", 60)], Policy(shown_refusals=6), NOON)
    assert list(reasons(decision)) == ["P00", "P01", "P02", "P03", "N00", "N01"]
    assert decision.more_refused == 7


def test_coincident_dealers_are_told_their_reason_too() -> None:
    decision = decide(lead(), [dealer("A", 10, paused=True), dealer("B", 10)], Policy(), NOON)
    assert decision.chosen == "B"
    assert reasons(decision) == {"A": "paused"}


def test_a_brand_may_be_unknown_and_a_dealer_may_serve_all() -> None:
    everything = dealer("ALL", 5, competences=frozenset({("", "sales")}))
    one = dealer("ONE", 9)
    assert decide(lead(brand="Vega"), [one, everything], Policy(), NOON).chosen == "ALL"
    assert decide(lead(brand=""), [one], Policy(), NOON).chosen == "ONE"


def test_a_language_is_a_condition_only_where_the_policy_says_so() -> None:
    polish = dealer("PL", 5, languages=frozenset({"pl"}))
    arabic = dealer("AR", 20, languages=frozenset({"pl", "ar"}))
    facts = lead(language="ar")
    assert decide(facts, [polish, arabic], Policy(), NOON).chosen == "PL"
    decision = decide(facts, [polish, arabic], Policy(language_required=True), NOON)
    assert decision.chosen == "AR"
    assert reasons(decision) == {"PL": "language"}


def test_no_open_door_is_worth_a_border_unless_the_market_lists_it() -> None:
    abroad = dealer("DE", 5, country="DE")
    home = dealer("PL", 30, calendar=WEEK)
    decision = decide(lead(), [abroad, home], Policy(), NIGHT)
    assert (decision.chosen, reasons(decision)) == ("PL", {"DE": "country"})
    paired = Policy(cross_border=frozenset({("PL", "DE")}))
    assert decide(lead(), [abroad, home], paired, NIGHT).chosen == "DE"
    back = Policy(cross_border=frozenset({("DE", "PL")}))
    assert decide(lead(), [abroad, home], back, NIGHT).chosen == "PL"


# --- where the lead is --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "place",
    [
        {"lat": None, "lon": None},
        {"lat": float("nan"), "lon": 21.0},
        {"lat": 52.0, "lon": 181.0},
        {"lat": -90.1, "lon": 21.0},
        {"lat": float("inf"), "lon": 21.0},
        {"accuracy_km": 40.5},
        {"accuracy_km": float("nan")},
    ],
)
def test_a_place_unknown_or_too_vague_is_never_silently_the_wrong_dealer(
    place: dict[str, Any],
) -> None:
    decision = decide(lead(**place), [dealer("A")], Policy(), NOON)
    assert (decision.chosen, decision.cause) == (None, "unlocated")
    chosen = decide(lead(**place, preferred_dealer="A"), [dealer("A")], Policy(), NOON)
    assert (chosen.chosen, chosen.how, chosen.distance_km) == ("A", "preferred", None)


# --- claims before distance ---------------------------------------------------------------------


def test_the_customers_choice_goes_before_distance_and_territory() -> None:
    owner = dealer("OWN", 5, exclusive_area=box(20, 51, 22, 53))
    decision = decide(
        lead(preferred_dealer="FAR", serving_dealer="OWN"),
        [owner, dealer("FAR", 700)],
        Policy(),
        NOON,
    )
    assert (decision.chosen, decision.how) == ("FAR", "preferred")


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("day_cap", {"day_cap": 1, "day_used": 1}),
        ("paused", {"paused": True}),
        ("no_competence", {"competences": frozenset({("Vega", "sales")})}),
        ("on_closure", {"calendar": replace(ALWAYS, closures=((date(2026, 3, 4),) * 2,))}),
        ("no_opening", {"calendar": NEVER}),
    ],
)
def test_the_customers_choice_is_refused_with_its_reason_and_the_next_one_follows(
    reason: str, changes: dict[str, Any]
) -> None:
    dealers = [dealer("PREF", 300, **changes), dealer("NEXT", 10)]
    decision = decide(lead(preferred_dealer="PREF"), dealers, Policy(), NOON)
    assert (decision.chosen, decision.how) == ("NEXT", "nearest")
    assert reasons(decision) == {"PREF": reason}


def test_the_customers_choice_may_open_later_than_the_policy_waits() -> None:
    later = Calendar("Mo 09:00-17:00", WARSAW, "PL")
    dealers = [dealer("PREF", 10, calendar=later)]
    decision = decide(lead(preferred_dealer="PREF"), dealers, Policy(), NOON)
    assert decision.respond_by == local(WARSAW, 2026, 3, 9, 9, 30)
    assert decide(lead(), dealers, Policy(), NOON).cause == "no_opening"


def test_a_choice_nobody_has_is_said_and_doesnt_stop_the_lead() -> None:
    decision = decide(lead(preferred_dealer="GONE"), [dealer("A")], Policy(), NOON)
    assert (decision.chosen, reasons(decision)) == ("A", {"GONE": "unknown_dealer"})


def test_the_serving_dealer_goes_before_the_nearer_but_not_across_the_country() -> None:
    dealers = [dealer("NEAR", 5), dealer("MINE", 120), dealer("OLD", 700)]
    served = decide(lead(serving_dealer="MINE"), dealers, Policy(), NOON)
    assert (served.chosen, served.how) == ("MINE", "serving")
    moved = decide(lead(serving_dealer="OLD"), dealers, Policy(), NOON)
    assert (moved.chosen, reasons(moved)) == ("NEAR", {"OLD": "out_of_range"})


def test_a_territory_belongs_to_its_owner_and_the_nearer_are_told() -> None:
    owner = dealer("OWN", 40, exclusive_area=box(20, 51, 22, 53))
    dealers = [dealer("NEAR", 5), dealer("PAUSE", 6, paused=True), owner, dealer("FAR", 60)]
    decision = decide(lead(), dealers, Policy(), NOON)
    assert (decision.chosen, decision.how) == ("OWN", "territory")
    assert reasons(decision) == {"NEAR": "territory_of_other", "PAUSE": "paused"}
    outside = decide(lead(lon=22.5), dealers, Policy(), NOON)
    assert outside.how == "nearest"


@pytest.mark.parametrize(
    ("postcode", "country", "chosen"),
    [
        ("00-950", "PL", "LONG"),  # the longest prefix wins
        ("00-100", "PL", "SHORT"),
        ("00 9", "PL", "LONG"),
        ("01-100", "PL", "AREA"),  # no list has it, the polygon does
        ("00-950", "", "AREA"),  # a postcode without a country says nothing
    ],
)
def test_the_longest_postcode_prefix_wins_then_the_polygon(
    postcode: str, country: str, chosen: str
) -> None:
    dealers = [
        dealer("NEAR", 1),
        dealer("SHORT", 20, exclusive_postcodes=("00", "05-")),
        dealer("LONG", 30, exclusive_postcodes=("00-9",)),
        dealer("ABROAD", 3, exclusive_postcodes=("00-95",), country="DE"),
        dealer("AREA", 40, exclusive_area=box(20, 51, 22, 53)),
    ]
    facts = lead(postcode=postcode, country=country)
    assert decide(facts, dealers, Policy(), NOON).chosen == chosen


@pytest.mark.parametrize(
    "changes", [{"paused": True}, {"day_cap": 0}, {"competences": frozenset({("Orion", "parts")})}]
)
def test_an_owner_that_cant_take_it_doesnt_make_the_lead_wait(changes: dict[str, Any]) -> None:
    owner = dealer("OWN", 40, exclusive_area=box(20, 51, 22, 53), **changes)
    assert decide(lead(), [owner, dealer("NEAR", 5)], Policy(), NOON).chosen == "NEAR"


# --- exclusive and shared territories -----------------------------------------------------------

TERRITORIES: dict[str, dict[str, Any]] = {
    "A": {"exclusive_postcodes": ("00",)},
    "B": {"shared_postcodes": ("00-9",)},
    "C": {"shared_postcodes": ("00-9", "00-1")},
    "D": {"exclusive_area": box(20, 51, 22, 53)},
    "E": {"shared_area": box(20, 51, 22, 53)},
    "F": {"exclusive_postcodes": ("00-1",)},
}


@pytest.mark.parametrize(
    ("codes", "postcode", "ranked"),
    [
        ("ABD", "00-950", ["B"]),  # the longer prefix, shared as it is
        ("ABCD", "00-950", ["B", "C"]),  # sharers are ranked among themselves
        ("ABCD", "00-500", ["A"]),
        ("ABCD", "05-800", ["D"]),
        ("CF", "00-120", ["F"]),  # as long, and exclusive
        ("DE", "", ["D"]),
        ("E", "", ["E"]),
    ],
)
def test_the_more_precise_territory_wins_then_the_exclusive_one(
    codes: str, postcode: str, ranked: list[str]
) -> None:
    owners = [dealer(code, 20 + 10 * n, **TERRITORIES[code]) for n, code in enumerate(codes)]
    decision = decide(lead(postcode=postcode), [dealer("NEAR", 2), *owners], Policy(), NOON)
    assert decision.how == "territory"
    assert [each.code for each in decision.ranked] == ranked
    assert reasons(decision)["NEAR"] == "territory_of_other"


def test_those_who_share_a_place_share_its_leads() -> None:
    here = {"shared_area": box(20, 51, 22, 53)}
    owners = [dealer("A", 20, received=5, **here), dealer("B", 20.5, received=4, **here)]
    decision = decide(lead(), owners, Policy(), NOON)
    assert [(each.code, each.why) for each in decision.ranked] == [("B", ""), ("A", "fair_share")]
    busy = [owners[0], replace(owners[1], paused=True)]
    assert decide(lead(), busy, Policy(), NOON).chosen == "A"


# --- teams --------------------------------------------------------------------------------------


def team(code: str, service: str, km: float = 500, **changes: Any) -> Candidate:
    held = frozenset({("Orion", service)})
    return dealer(code, km, kind="team", country="", competences=held, **changes)


KEY, SALES_TEAM, CARE = team("KEY", "fleet"), team("TEAM", "sales", 1), team("CARE", "care")

FOR_TEAMS: list[tuple[str, dict[str, Any], list[Candidate], str | None, str]] = [
    ("a fleet goes to key accounts", {"customer_kind": "fleet"}, [KEY, SALES_TEAM], "KEY", "team"),
    ("or to who does the service", {"customer_kind": "fleet"}, [CARE, SALES_TEAM], "TEAM", "team"),
    ("or to the nearest door", {"customer_kind": "fleet"}, [CARE], "DOOR", "nearest"),
    ("a company is no fleet", {"customer_kind": "business"}, [KEY, SALES_TEAM], "DOOR", "nearest"),
    ("not sold here: the team", {"model_sold": False}, [CARE, SALES_TEAM], "TEAM", "team"),
    ("or customer care", {"model_sold": False}, [KEY, CARE], "CARE", "team"),
    ("or the nearest door", {"model_sold": False}, [KEY], "DOOR", "nearest"),
    ("a complaint needs no place", {"service": "care", "lat": None}, [CARE], "CARE", "team"),
    ("no team wins by being near", {}, [SALES_TEAM, KEY, CARE], "DOOR", "nearest"),
    ("but by being chosen", {"preferred_dealer": "TEAM"}, [SALES_TEAM], "TEAM", "preferred"),
    ("or by serving", {"serving_dealer": "TEAM"}, [SALES_TEAM], "TEAM", "serving"),
]


@pytest.mark.parametrize(
    ("facts", "teams", "chosen", "how"),
    [row[1:] for row in FOR_TEAMS],
    ids=[r[0] for r in FOR_TEAMS],
)
def test_what_a_team_gets(
    facts: dict[str, Any], teams: list[Candidate], chosen: str | None, how: str
) -> None:
    decision = decide(lead(**facts), [dealer("DOOR", 3), *teams], Policy(), NOON)
    assert (decision.chosen, decision.how) == (chosen, how)


def test_nearer_showrooms_are_told_that_a_team_has_it_and_teams_that_they_are_no_door() -> None:
    dealers = [dealer("DOOR", 3), dealer("SHUT", 4, paused=True), KEY, SALES_TEAM]
    fleet = decide(lead(customer_kind="fleet"), dealers, Policy(), NOON)
    assert reasons(fleet) == {"DOOR": "not_a_team", "SHUT": "paused"}
    assert decide(lead(), dealers, Policy(), NOON).chosen == "DOOR"
    assert reasons(decide(lead(), dealers, Policy(), NOON)) == {"TEAM": "team_only"}


def test_a_team_at_its_cap_leaves_the_lead_to_the_showrooms() -> None:
    full = replace(KEY, day_cap=1, day_used=1)
    fleet = lead(customer_kind="fleet")
    decision = decide(fleet, [full, dealer("DOOR")], Policy(), NOON)
    assert (decision.chosen, decision.how, reasons(decision)) == (
        "DOOR", "nearest", {"KEY": "day_cap"},
    )  # fmt: skip
    alone = decide(fleet, [full], Policy(), NOON)
    assert (alone.cause, alone.waits_for) == ("all_capped", (full.id,))


def test_teams_share_by_fairness_and_their_own_territory_goes_first() -> None:
    north = team("NORTH", "fleet", received=9, exclusive_postcodes=("8",))
    south = team("SOUTH", "fleet", received=2, shared_area=box(20, 40, 22, 50))
    fleet = lead(customer_kind="fleet", postcode="05-800")
    fair = decide(fleet, [north, south], Policy(), NOON)
    assert [(each.code, each.why) for each in fair.ranked] == [
        ("SOUTH", ""), ("NORTH", "fair_share"),
    ]  # fmt: skip
    assert (
        decide(replace(fleet, postcode="80-111"), [north, south], Policy(), NOON).chosen == "NORTH"
    )


def test_the_market_says_whom_its_teams_are_for() -> None:
    dealers = [dealer("DOOR"), KEY]
    for kind in ("private", "business", "fleet"):
        policy = Policy(team_for=("business",))
        chosen = decide(lead(customer_kind=kind), dealers, policy, NOON).chosen
        assert chosen == ("KEY" if kind == "business" else "DOOR")


# --- models, hops, roads ------------------------------------------------------------------------


def ranged(code: str, km: float, *models: str) -> Candidate:
    return dealer(code, km, models={("Orion", "sales"): frozenset(models)})


def test_a_dealer_without_the_model_in_its_range_is_refused() -> None:
    dealers = [ranged("VANS", 5, "van"), ranged("CARS", 20, "mira", "atlas"), dealer("ALL", 30)]
    decision = decide(lead(model="mira"), dealers, Policy(), NOON)
    assert (decision.chosen, reasons(decision)) == ("CARS", {"VANS": "model"})
    assert decide(lead(), dealers, Policy(), NOON).chosen == "VANS"
    assert decide(lead(model="mira"), dealers[:1], Policy(), NOON).cause == "no_competence"
    preferred = decide(lead(model="mira", preferred_dealer="VANS"), dealers, Policy(), NOON)
    assert preferred.chosen == "CARS"


def test_a_brand_less_competence_has_every_model() -> None:
    both = frozenset({("Orion", "sales"), ("", "sales")})
    wide = replace(ranged("WIDE", 5, "van"), competences=both)
    assert decide(lead(model="mira"), [wide], Policy(), NOON).chosen == "WIDE"


def test_after_the_last_hop_nobody_is_asked() -> None:
    for hop, chosen, cause in ((5, "A", None), (6, None, "all_tried")):
        decision = decide(lead(hop=hop, preferred_dealer="A"), [dealer("A")], Policy(), NOON)
        assert (decision.chosen, decision.cause) == (chosen, cause)


def test_the_way_by_road_counts_where_it_is_known() -> None:
    across, inland, no_leg = dealer("A", 9), dealer("B", 14), dealer("C", 12)
    legs = {across.id: (61.0, 70.0), inland.id: (17.0, 25.0)}
    dealers = [across, inland, no_leg, dealer("FAR", 170)]
    by_road = decide(lead(road=legs), dealers, Policy(use_road=True), NOON)
    assert [(each.code, each.why, each.road_km, each.road_minutes) for each in by_road.ranked] == [
        ("B", "", 17.0, 25.0),
        ("A", "farther", 61.0, 70.0),
        ("C", "no_road", None, None),
    ]
    assert by_road.distance_km == pytest.approx(14, abs=0.1)
    assert by_road.ranked[0].effective_km == 17 - 30
    assert decide(lead(road=legs), dealers, Policy(), NOON).chosen == "A"
    assert decide(lead(), dealers, Policy(use_road=True), NOON).chosen == "A"


def test_a_dealer_by_road_is_found_behind_many_without() -> None:
    dealers = [dealer(f"N{number}", 5 + number) for number in range(6)]
    by_road, paused = dealer("ROAD", 120), dealer("OFF", 110, paused=True)
    facts = lead(road={by_road.id: (130.0, 90.0), 99: (1.0, 1.0)})
    policy = Policy(use_road=True, shown_ranked=1)
    decision = decide_nearest(Network([*dealers, by_road, paused]), facts, policy, NOON)
    assert (decision.chosen, reasons(decision)) == ("ROAD", {"OFF": "paused"})
    shown = decide(facts, [*dealers, by_road], Policy(use_road=True, shown_ranked=3), NOON)
    assert [(each.code, each.why) for each in shown.ranked] == [
        ("ROAD", ""), ("N0", "no_road"), ("N1", "no_road"),
    ]  # fmt: skip


def test_a_ring_is_a_distance_however_long_the_road() -> None:
    near, far = dealer("NEAR", 149), dealer("FAR", 151)
    legs = {near.id: (700.0, 600.0), far.id: (155.0, 90.0)}
    decision = decide(lead(road=legs), [near, far], Policy(use_road=True), NOON)
    assert (decision.chosen, decision.ring_km) == ("NEAR", 150)


# --- what a lead waits for ----------------------------------------------------------------------

MONDAY = Calendar("Mo 09:00-17:00", WARSAW, "PL")
AWAY = replace(WEEK, closures=((date(2026, 3, 2), date(2026, 3, 6)), (date(2026, 3, 9),) * 2))
FULL = {"day_cap": 1, "day_used": 1}

WAITING: list[tuple[str, dict[str, Any], dict[str, Any], datetime | None, bool]] = [
    ("opens too late", {"calendar": MONDAY}, {}, local(WARSAW, 2026, 3, 6, 9, 0), False),
    ("never opens", {"calendar": NEVER}, {}, None, False),
    ("on closure", {"calendar": AWAY}, {}, local(WARSAW, 2026, 3, 10, 9, 0), False),
    ("day's cap", FULL, {}, local(WARSAW, 2026, 3, 5), True),
    ("day's cap, but shut", {**FULL, "calendar": MONDAY}, {}, local(WARSAW, 2026, 3, 5), False),
    (
        "day's cap elsewhere",
        {**FULL, "calendar": Calendar("24/7", "Pacific/Auckland")},
        {},
        NOON + timedelta(days=1),
        True,
    ),
    ("month's cap", {"month_cap": 2, "month_used": 2}, {}, local(WARSAW, 2026, 4, 1), True),
    ("open leads", {"open_cap": 0}, {}, None, True),
    ("paused", {"paused": True}, {}, None, False),
    ("out of reach", {**FULL, "lat": 56.0}, {}, None, False),
    ("out of reach, but chosen", {**FULL, "lat": 56.0}, {"preferred_dealer": "A"},
     local(WARSAW, 2026, 3, 5), True),
    ("no place", {**FULL}, {"preferred_dealer": "A", "lat": None}, local(WARSAW, 2026, 3, 5), True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "facts", "look_again_at", "waits"),
    [r[1:] for r in WAITING],
    ids=[r[0] for r in WAITING],
)
def test_when_a_waiting_lead_is_looked_at_again(
    changes: dict[str, Any], facts: dict[str, Any], look_again_at: datetime | None, waits: bool
) -> None:
    only = dealer("A", 5, **changes)
    decision = decide(lead(**facts), [only], Policy(), NOON)
    assert decision.chosen is None
    assert decision.look_again_at == look_again_at
    assert decision.waits_for == ((only.id,) if waits else ())


@pytest.mark.parametrize("more_km", [-0.2, 0.2])
def test_reach_is_measured_over_the_ground_and_not_through_the_earth(more_km: float) -> None:
    full = dealer("A", 800, **FULL)
    ground = decide(lead(preferred_dealer="A"), [dealer("A", 800)], Policy(), NOON).distance_km
    assert ground is not None
    decision = decide(lead(), [full], Policy(radius_km=ground + more_km, rings_km=()), NOON)
    inside = more_km > 0
    assert decision.cause == ("all_capped" if inside else "out_of_range")
    assert decision.waits_for == ((full.id,) if inside else ())


def test_at_that_instant_the_dealer_takes_it() -> None:
    for calendar in (MONDAY, AWAY):
        dealers = [dealer("A", calendar=calendar), dealer("B", 20, calendar=NEVER)]
        waiting = decide(lead(), dealers, Policy(), NOON)
        assert waiting.look_again_at is not None
        assert decide(lead(), dealers, Policy(), waiting.look_again_at).chosen == "A"


# --- until when ---------------------------------------------------------------------------------

LUNCH = Calendar("Mo-Fr 09:00-12:00,14:00-18:00; PH off", PARIS, "FR")
LATE = Calendar("Fr-Sa 18:00-02:00", WARSAW, "PL")
SUNDAY = Calendar("Su 00:00-06:00", WARSAW, "PL")
GULF = Calendar("Su-Th 09:00-18:00", RIYADH, "SA")
EMIRATE = Calendar("Mo-Fr 09:00-18:00", DUBAI, "AE")

UNTIL: list[tuple[str, Calendar, datetime, datetime]] = [
    ("open", WEEK, local(WARSAW, 2026, 3, 4, 10, 0), local(WARSAW, 2026, 3, 4, 11, 0)),
    ("lunch", LUNCH, local(PARIS, 2026, 3, 4, 11, 40), local(PARIS, 2026, 3, 4, 14, 40)),
    ("weekend", WEEK, local(WARSAW, 2026, 3, 6, 16, 30), local(WARSAW, 2026, 3, 9, 9, 30)),
    ("holiday", WEEK, local(WARSAW, 2026, 11, 10, 16, 30), local(WARSAW, 2026, 11, 12, 9, 30)),
    ("midnight", LATE, local(WARSAW, 2026, 3, 6, 23, 30), local(WARSAW, 2026, 3, 7, 0, 30)),
    ("spring", SUNDAY, local(WARSAW, 2026, 3, 29, 1, 30), local(WARSAW, 2026, 3, 29, 3, 30)),
    (
        "autumn",
        SUNDAY,
        local(WARSAW, 2026, 10, 25, 1, 30),
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # 02:30, still summer time
    ),
    (
        "closure ahead",
        replace(WEEK, closures=((date(2026, 3, 5), date(2026, 3, 6)),)),
        local(WARSAW, 2026, 3, 4, 16, 30),
        local(WARSAW, 2026, 3, 9, 9, 30),
    ),
    ("Riyadh", GULF, local(RIYADH, 2026, 3, 6, 10, 0), local(RIYADH, 2026, 3, 8, 10, 0)),
    ("Dubai", EMIRATE, local(DUBAI, 2026, 3, 6, 10, 0), local(DUBAI, 2026, 3, 6, 11, 0)),
]


@pytest.mark.parametrize(
    ("calendar", "at", "respond_by"), [row[1:] for row in UNTIL], ids=[row[0] for row in UNTIL]
)
def test_the_deadline_counts_the_dealers_own_working_hour(
    calendar: Calendar, at: datetime, respond_by: datetime
) -> None:
    decision = decide(lead(band="warm"), [dealer("A", calendar=calendar)], Policy(), at)
    assert decision.respond_by == respond_by


def test_in_autumn_the_repeated_hour_is_worked_twice() -> None:
    at = local(WARSAW, 2026, 10, 25, 1, 30)
    decision = decide(lead(band="cold"), [dealer("A", calendar=SUNDAY)], Policy(), at)
    assert decision.respond_by == local(WARSAW, 2026, 10, 25, 4, 30)


def test_on_a_friday_riyadh_waits_for_sunday_and_dubai_answers() -> None:
    at = local(RIYADH, 2026, 3, 6, 10, 0)
    dealers = [
        dealer("RUH", lat=24.71, lon=46.67, country="SA", calendar=GULF),
        dealer("DXB", lat=25.20, lon=55.27, country="AE", calendar=EMIRATE),
    ]
    riyadh = decide(lead(lat=24.77, lon=46.74, country="SA"), dealers, Policy(), at)
    dubai = decide(lead(lat=25.07, lon=55.14, country="AE"), dealers, Policy(), at)
    assert (riyadh.chosen, riyadh.respond_by) == ("RUH", local(RIYADH, 2026, 3, 8, 9, 30))
    assert (dubai.chosen, dubai.respond_by) == ("DXB", local(DUBAI, 2026, 3, 6, 11, 30))


# --- stored -------------------------------------------------------------------------------------


def test_a_decision_survives_storage() -> None:
    dealers = [
        dealer("A", 5, calendar=NEVER, weight=0),
        dealer("B", 20, calendar=WEEK, weight=0),
        dealer("C", 30, day_cap=0),
    ]
    legs = {dealers[1].id: (24.5, 31.0)}
    facts = lead(tried=frozenset({"X", "Y"}), preferred_dealer="GONE", road=legs)
    for at, chosen in ((NOON, dealers), (NIGHT, dealers), (NIGHT, dealers[::2])):
        decision = decide(facts, chosen, Policy(version=7, use_road=True), at)
        assert Decision.from_json(json.loads(json.dumps(decision.to_json()))) == decision


def test_the_order_in_which_dealers_come_doesnt_matter() -> None:
    dealers = [dealer(code, 10 + place % 3) for place, code in enumerate("DACBFE")]
    decisions = [decide(lead(), order, Policy(), NOON) for order in (dealers, dealers[::-1])]
    assert decisions[0] == decisions[1]


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        decide(lead(), [], Policy(), datetime(2026, 3, 4))
