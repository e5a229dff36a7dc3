"""A market's policy: what it says for a lead, and the settings it refuses, with the reason."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from lmt.escalation import Step
from lmt.routing.candidate import LeadFacts
from lmt.routing.policy import Policy, PolicyError
from lmt.routing.policybook import PolicyBook

AT = datetime(2026, 3, 4, 11, 0, tzinfo=UTC)


def lead(**changes: Any) -> LeadFacts:
    facts: dict[str, Any] = {"lat": None, "lon": None, "service": "sales", "band": "hot"}
    return LeadFacts(asked_at=AT, **{**facts, **changes})


def step(state: str, minutes: int, action: str, **more: Any) -> dict[str, Any]:
    return {"state": state, "after_minutes": minutes, "action": action, **more}


def stored(settings: dict[str, Any]) -> dict[str, Any]:
    """As it comes back from the database."""
    read: dict[str, Any] = json.loads(json.dumps(settings))
    return read


def test_settings_are_read_and_written_back() -> None:
    settings = {
        "version": 3,
        "radius_km": 80,
        "rings_km": [160, 320],
        "open_bonus_km": {"hot": 20},
        "cross_border": [["KW", "SA"]],
        "fallback_dealer": "CC-1",
        "duty_desk": "CC-2",
        "team_for": ["fleet", "business"],
        "accept_mode": "assign",
        "contact_within_minutes": {"hot": 60},
        "use_road": True,
        "escalation": [step("accepted", 60, "notify_manager", band=["hot"])],
    }
    policy = Policy.from_settings(settings)
    assert policy.reaches_km == (80, 160, 320)
    assert policy.may_serve("KW", "SA")
    assert Policy.from_settings(stored(policy.to_settings())) == policy
    assert Policy.from_settings(stored(Policy().to_settings())) == Policy()


@pytest.mark.parametrize(
    ("settings", "band", "hop", "minutes"),
    [
        ({}, "hot", 1, 30),
        ({}, "unheard of", 1, 240),  # the longest
        ({"respond_within_minutes": {"hot": 10, "cold": 50}}, "warm", 1, 50),
        # A step that re-routes an offer is its deadline, for its bands and dealers.
        ({"escalation": [step("offered", 45, "reroute")]}, "hot", 1, 45),
        ({"escalation": [step("offered", 45, "reroute", hop=2)]}, "hot", 1, 30),
        ({"escalation": [step("offered", 45, "reroute", hop=2)]}, "hot", 2, 45),
        ({"escalation": [step("offered", 45, "reroute", band=["warm"])]}, "hot", 2, 30),
        (
            {"escalation": [step("offered", 45, "reroute"), step("offered", 20, "reroute", hop=3)]},
            "hot", 3, 20,
        ),
        ({"accept_mode": "assign"}, "hot", 1, 30),
        ({"accept_mode": "assign", "contact_within_minutes": {"hot": 90}}, "hot", 1, 90),
        ({"contact_within_minutes": {"hot": 90}}, "hot", 1, 30),
    ],
)  # fmt: skip
def test_what_a_dealer_has_time_for(
    settings: dict[str, Any], band: str, hop: int, minutes: int
) -> None:
    assert Policy.from_settings(settings).promise_minutes(band, hop) == minutes


def test_a_market_that_names_no_steps_gets_those_that_can_come() -> None:
    assert any(each.state == "offered" for each in Policy().escalation)
    assert all(each.state != "offered" for each in Policy(accept_mode="assign").escalation)
    short = Policy(respond_within_minutes={"hot": 5, "warm": 60})
    assert not any(each.state == "offered" and "hot" in each.band for each in short.escalation)
    assert Policy(escalation=()).escalation == ()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("radius_km", 0),
        ("radius_km", "far"),
        ("radius_km", float("nan")),
        ("radius_km", True),
        ("rings_km", [100]),  # smaller than the radius of 150
        ("rings_km", [300, 200]),
        ("rings_km", 300),
        ("open_bonus_km", {"hot": -1}),
        ("open_bonus_km", {"hot": 151}),
        ("open_bonus_km", 30),
        ("tolerance_km", -1),
        ("tolerance_km", 151),
        ("tolerance_share", 1.5),
        ("respond_within_minutes", {"hot": -30}),
        ("respond_within_minutes", {"hot": 0}),
        ("respond_within_minutes", {"hot": 7.5}),
        ("respond_within_minutes", {}),
        ("max_accuracy_km", 0),
        ("max_wait_hours", -1),
        ("cross_border", [["KW"]]),
        ("cross_border", [["KW", "KW"]]),
        ("fallback_dealer", 7),
        ("language_required", "yes"),
        ("shown_ranked", 0),
        ("shown_refusals", -1),
        ("version", 1.5),
        ("raduis_km", 100),
        ("open_bonus_km", {"boiling": 3}),
        ("respond_within_minutes", {"hot": 60, "warm": 30}),
        ("contact_within_minutes", {"hot": 60, "cold": 30}),
        ("contact_within_minutes", {"hot": 0}),
        ("accept_mode", "auction"),
        ("accept_mode", None),
        ("team_for", ["friends"]),
        ("team_for", "fleet"),
        ("duty_desk", None),
        ("use_road", 1),
        ("cap_wait_minutes", -1),
        ("cap_wait_minutes", 1.5),
        ("max_hops", 0),
        ("escalation", {}),
        ("escalation", [step("asleep", 5, "reroute")]),
        ("escalation", [step("offered", 31, "remind_dealer", band=["hot"])]),  # it ended at 30
        ("escalation", [step("offered", 20, "reroute"), step("offered", 25, "notify_manager")]),
        ("escalation", [step("offered", 20, "remind_dealer", hop=6)]),  # five are asked at most
        ("escalation", [step("accepted", 20, "raise_priority", band=["hot"])]),
        ("cases", []),  # a book's, not a policy's
    ],
)
def test_contradictory_settings_are_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(PolicyError, match=f"^{field}: .*[.]$") as refused:
        Policy.from_settings({field: value})
    error = refused.value
    assert (error.field, error.case) == (field, "")
    assert error.message % error.values == error.reason


def test_leads_assigned_at_once_have_no_steps_of_an_offer() -> None:
    settings = {"accept_mode": "assign", "escalation": [step("offered", 20, "remind_dealer")]}
    with pytest.raises(PolicyError, match="assigned, not offered"):
        Policy.from_settings(settings)


# --- cases --------------------------------------------------------------------------------------

HOT = {"name": "hot", "when": {"band": ["hot"]}, "settings": {"radius_km": 60}}
FLEETS = {
    "name": "fleets",
    "when": {"customer_kind": ["fleet", "business"]},
    "settings": {"accept_mode": "assign"},
}
DRIVES = {
    "name": "drives of Orion",
    "when": {"request_type": ["test_drive"], "brand": ["orion"]},
    "settings": {"respond_within_minutes": {"hot": 10, "warm": 15, "cold": 20}},
}


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({}, "hot"),
        ({"customer_kind": "fleet"}, "hot"),  # the first that holds
        ({"band": "cold", "customer_kind": "fleet"}, "fleets"),
        ({"band": "cold", "customer_kind": "business", "brand": "vega"}, "fleets"),
        ({"band": "cold"}, None),
        ({"band": "cold", "request_type": "test_drive", "brand": "orion"}, "drives of Orion"),
        ({"band": "cold", "request_type": "test_drive", "brand": "vega"}, None),
        ({"band": "cold", "request_type": "test_drive"}, None),
    ],
)
def test_the_first_case_that_holds_wins(facts: dict[str, Any], name: str | None) -> None:
    book = PolicyBook.from_settings({"version": 4, "cases": [HOT, FLEETS, DRIVES]})
    case = book.case_for(lead(**facts))
    assert (case.name if case else None) == name
    assert book.policy_for(lead(**facts)) == (case.policy if case else book.base)
    assert book.policy_for(lead(**facts)).version == 4


def test_a_case_overrides_what_it_names_and_keeps_the_rest() -> None:
    book = PolicyBook.from_settings({"max_hops": 3, "cases": [HOT, FLEETS, DRIVES]})
    hot, fleets, drives = (case.policy for case in book.cases)
    assert (hot.radius_km, hot.max_hops) == (60, 3)
    assert (fleets.radius_km, fleets.accept_mode) == (150, "assign")
    # The usual steps are those that fit the case.
    assert not any(each.state == "offered" for each in fleets.escalation)
    assert not any(each.state == "offered" for each in drives.escalation)
    assert any(each.state == "offered" for each in hot.escalation)
    assert PolicyBook.from_settings(stored(book.to_settings())) == book


def test_inherited_steps_that_cant_come_fall_away_in_a_case() -> None:
    steps = [
        step("offered", 12, "remind_dealer", band=["hot"]),
        step("offered", 20, "remind_dealer", hop=4),
        step("accepted", 60, "notify_manager"),
    ]
    quick = {**DRIVES, "settings": {"respond_within_minutes": {"hot": 10}, "max_hops": 3}}
    book = PolicyBook.from_settings({"escalation": steps, "cases": [quick]})
    assert book.cases[0].policy.escalation == (Step("accepted", 60, "notify_manager"),)
    assert len(book.base.escalation) == 3


@pytest.mark.parametrize(
    ("cases", "field", "case"),
    [
        ("all", "cases", ""),
        (["hot"], "cases", "#1"),
        ([{"when": {"band": ["hot"]}}], "cases", "#1"),
        ([{**HOT, "name": " "}], "cases", " "),
        ([{**HOT, "colour": "red"}], "cases", "hot"),
        ([{**HOT, "when": {}}], "cases", "hot"),
        ([{**HOT, "when": {"band": []}}], "cases", "hot"),
        ([{**HOT, "when": {"band": "hot"}}], "cases", "hot"),
        ([{**HOT, "when": {"band": ["boiling"]}}], "cases", "hot"),
        ([{**HOT, "when": {"customer_kind": ["friend"]}}], "cases", "hot"),
        ([{**HOT, "when": {"weather": ["fine"]}}], "cases", "hot"),
        ([HOT, {**FLEETS, "name": "hot"}], "cases", "hot"),
        # What an earlier one takes, or several together.
        ([HOT, {**HOT, "name": "again"}], "cases", "again"),
        ([HOT, {**HOT, "name": "b", "when": {"band": ["hot"], "brand": ["x"]}}], "cases", "b"),
        ([HOT, {**HOT, "name": "b", "when": {"band": ["warm", "cold"]}}, DRIVES], "cases",
         "drives of Orion"),
        # Its settings, beside those of the base.
        ([{**HOT, "settings": []}], "cases", "hot"),
        ([{**HOT, "settings": {"radius_km": -1}}], "radius_km", "hot"),
        ([{**HOT, "settings": {"raduis_km": 9}}], "raduis_km", "hot"),
        ([{**HOT, "settings": {"radius_km": 20}}], "open_bonus_km", "hot"),
        ([{**HOT, "settings": {"radius_km": 400}}], "rings_km", "hot"),
        ([{**HOT, "settings": {"version": 9}}], "version", "hot"),
        ([{**HOT, "settings": {"escalation": [step("offered", 240, "remind_dealer")]}}],
         "escalation", "hot"),
    ],
)  # fmt: skip
def test_a_case_that_contradicts_is_refused_by_name(cases: Any, field: str, case: str) -> None:
    with pytest.raises(PolicyError) as refused:
        PolicyBook.from_settings({"cases": cases})
    assert (refused.value.field, refused.value.case) == (field, case)
    assert refused.value.reason.endswith(".")


def test_a_case_that_leaves_some_leads_to_a_later_one_is_fine() -> None:
    wider = {**FLEETS, "name": "all but hot", "when": {"customer_kind": ["fleet", "private"]}}
    book = PolicyBook.from_settings({"cases": [HOT, FLEETS, wider]})
    assert book.policy_for(lead(band="cold")).accept_mode == "assign"
