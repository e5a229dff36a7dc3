"""The shell of routing: what it reads of a lead, who stands in where nobody can, and by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lmt.accounts.service import Scope, create_user
from lmt.models import (
    Absence,
    Competence,
    Customer,
    DealerLoad,
    DealerTerms,
    Lead,
    Offer,
    RoadAnswer,
    RoutingDecision,
    RoutingPolicy,
    User,
    VehicleModel,
)
from lmt.routing.directory import dealers_changed
from lmt.routing.policybook import PolicyBook
from lmt.routing.road import cell_of
from lmt.routing.service import (
    colleague_of,
    facts_of,
    offer_by_hand,
    policy_book_of,
    route_lead,
    why_not_by_hand,
)
from tests.world import FRIDAY, PASSWORD, World, send, somebody, warsaw_lead

NEAR, NEXT, TEAM = "PL-WAW-1", "PL-WAW-2", "PL-CARE"
NIGHT = FRIDAY + timedelta(hours=14)
"""21:00 in Warsaw."""


def policy(session: Session, **settings: Any) -> None:
    session.execute(update(RoutingPolicy).values(settings={"fallback_dealer": TEAM, **settings}))
    session.commit()


def terms(session: Session, world: World, code: str, **values: Any) -> None:
    id = world.dealers[code]
    session.execute(update(DealerTerms).where(DealerTerms.dealer_id == id).values(**values))
    dealers_changed(session, FRIDAY, [id])
    session.commit()


def lead_of(
    session: Session, *, band: str = "warm", service: str = "sales", **changes: Any
) -> Lead:
    """A lead from the middle of Warsaw, qualified and located."""
    lead = send(session, "api-pl", warsaw_lead(**somebody()), FRIDAY)
    values = {"lat": 52.2298, "lon": 21.0118, "accuracy_km": 5.0, "location_method": "city"}
    for name, value in (values | {"band": band, "service": service} | changes).items():
        setattr(lead, name, value)
    session.flush()
    return lead


def how(session: Session, lead: Lead, at: datetime) -> tuple[str | None, str, str]:
    """Dealer, how, cause."""
    routed = route_lead(session, lead, at)
    stored = routed.decision
    dealer = None if routed.offer is None else stored.result["chosen"]
    return dealer, stored.result["how"], stored.cause


def test_a_hot_lead_for_which_nobody_opens_is_the_duty_desks(
    session: Session, world: World
) -> None:
    policy(session, max_wait_hours=2, duty_desk="GULF-CARE")
    assert how(session, lead_of(session, band="hot"), NIGHT) == (TEAM, "fallback", "no_opening")
    policy(session, max_wait_hours=2, duty_desk=TEAM, fallback_dealer="")
    assert how(session, lead_of(session, band="hot"), NIGHT) == (TEAM, "duty_desk", "no_opening")
    assert how(session, lead_of(session, band="warm"), NIGHT) == (None, "", "no_opening")


def test_where_everybody_is_full_the_lead_waits_and_knows_for_whom(
    session: Session, world: World
) -> None:
    for code in (NEAR, NEXT):
        terms(session, world, code, day_cap=0)
    lead = lead_of(session)
    routed = route_lead(session, lead, FRIDAY)
    assert (routed.offer, routed.cause) == (None, "all_capped")
    assert set(routed.waits_for) == {world.dealers[NEAR], world.dealers[NEXT]}
    assert routed.look_again_at == FRIDAY + timedelta(minutes=30)
    lead.waiting_since = FRIDAY - timedelta(minutes=10)
    assert route_lead(session, lead, FRIDAY).look_again_at == FRIDAY + timedelta(minutes=20)
    lead.waiting_since = FRIDAY - timedelta(minutes=30)
    assert how(session, lead, FRIDAY) == (TEAM, "fallback", "all_capped")


def test_a_place_too_vague_is_nobodys(session: Session) -> None:
    assert how(session, lead_of(session, accuracy_km=500.0), FRIDAY) == (None, "", "unlocated")


def test_the_offer_tells_its_minutes_and_the_hop(session: Session, world: World) -> None:
    policy(session, respond_within_minutes={"hot": 10, "warm": 45})
    lead = lead_of(session)
    first = route_lead(session, lead, FRIDAY).offer
    assert first is not None
    assert (first.minutes, first.hop, first.clock_at) == (45, 1, None)
    # It opens at nine.
    assert first.expires_at == FRIDAY + timedelta(hours=1, minutes=45)
    first.state = "expired"
    session.flush()
    second = route_lead(session, lead, FRIDAY).offer
    assert second is not None
    assert (second.dealer_id, second.hop) == (world.dealers[NEXT], 2)


def test_a_case_of_the_policy_counts_for_its_leads_alone(session: Session) -> None:
    case = {
        "name": "hot ones",
        "when": {"band": ["hot"]},
        "settings": {"respond_within_minutes": {"hot": 5}},
    }
    policy(session, cases=[case])
    hot = route_lead(session, lead_of(session, band="hot"), FRIDAY)
    warm = route_lead(session, lead_of(session), FRIDAY)
    assert hot.offer is not None
    assert warm.offer is not None
    assert (hot.offer.minutes, warm.offer.minutes) == (5, 60)
    assert (hot.policy.respond_minutes("hot"), hot.policy.version) == (5, 1)


def test_the_policy_is_the_one_that_holds_then(session: Session, world: World) -> None:
    market = world.markets["PL"]
    row = session.scalars(select(RoutingPolicy).where(RoutingPolicy.market_id == market)).one()
    row.replace(session, FRIDAY, version=2, settings={"radius_km": 50})
    session.flush()
    old, before = policy_book_of(session, market, FRIDAY - timedelta(seconds=1))
    new, after = policy_book_of(session, market, FRIDAY)
    assert old is not None
    assert new is not None
    assert [(old.version, before.base.radius_km), (new.version, after.base.radius_km)] == [
        (1, 150.0),
        (2, 50.0),
    ]
    assert policy_book_of(session, 999_999, FRIDAY) == (None, PolicyBook.from_settings({}))


@pytest.mark.parametrize(
    ("given", "markets", "expected"),
    [
        ("Mira", [], ("mira", True)),
        (" MIRA ", ["PL"], ("mira", True)),
        ("la Mira", ["GULF"], ("mira", False)),
        ("Mira", ["GULF"], ("mira", False)),
        ("Something else", ["GULF"], ("", True)),
        ("", ["GULF"], ("", True)),
    ],
)
def test_a_model_is_known_by_its_names_and_sold_where_its_markets_say(
    session: Session, given: str, markets: list[str], expected: tuple[str, bool]
) -> None:
    session.execute(update(VehicleModel).values(markets=markets, aliases=["La Mira"]))
    facts = facts_of(session, lead_of(session, model=given), FRIDAY)
    assert (facts.model, facts.model_sold) == expected


def test_a_dealer_whose_range_lacks_the_model_is_passed_over(
    session: Session, world: World
) -> None:
    session.execute(
        update(Competence)
        .where(Competence.dealer_id == world.dealers[NEAR])
        .values(models=["other"])
    )
    dealers_changed(session, FRIDAY, [world.dealers[NEAR]])
    routed = route_lead(session, lead_of(session), FRIDAY)
    assert routed.decision.dealer_id == world.dealers[NEXT]
    reasons = {each["code"]: each["reason"] for each in routed.decision.result["refused"]}
    assert reasons[NEAR] == "model"


def test_what_routing_knows_of_a_customer(session: Session, world: World) -> None:
    session.execute(update(Customer).values(kind="fleet"))
    first = lead_of(session)
    session.execute(
        update(Lead)
        .where(Lead.id == first.id)
        .values(status="contacted", dealer_id=world.dealers[NEXT])
    )
    lead = lead_of(session, request_type="quote", customer_id=first.customer_id)
    session.execute(update(Customer).values(kind="fleet"))
    facts = facts_of(session, lead, FRIDAY)
    assert (facts.customer_kind, facts.request_type, facts.serving_dealer, facts.hop) == (
        "fleet",
        "quote",
        NEXT,
        1,
    )


def test_by_road_the_far_side_of_the_river_is_far(session: Session, world: World) -> None:
    policy(session, use_road=True)
    lead = lead_of(session)
    assert lead.lat is not None
    assert lead.lon is not None
    lat_cell, lon_cell = cell_of(lead.lat, lead.lon)
    for code, km in ((NEAR, 40.0), (NEXT, 6.0)):
        place = session.execute(
            select(DealerTerms.lat, DealerTerms.lon).where(
                DealerTerms.dealer_id == world.dealers[code]
            )
        ).one()
        session.add(
            RoadAnswer(
                lat_cell=lat_cell, lon_cell=lon_cell, dealer_id=world.dealers[code],
                dealer_lat=place.lat, dealer_lon=place.lon, km=km, minutes=km, asked_at=FRIDAY,
            )
        )  # fmt: skip
    session.flush()
    assert how(session, lead, FRIDAY)[0] == NEXT


def test_by_hand_caps_and_pauses_count_for_nothing_but_an_inactive_dealer_gets_none(
    session: Session, world: World
) -> None:
    terms(session, world, NEAR, paused=True, day_cap=0)
    terms(session, world, NEXT, active=False)
    lead = lead_of(session)
    market = world.markets["PL"]
    reasons = {code: why_not_by_hand(session, market, code, FRIDAY) for code in (NEAR, NEXT, "X")}
    assert reasons == {NEAR: "", NEXT: "inactive", "X": "unknown_dealer"}
    assert offer_by_hand(session, lead, NEXT, FRIDAY) is None
    assert session.scalars(select(RoutingDecision)).all() == []
    offer = offer_by_hand(session, lead, NEAR, FRIDAY, how="customer")
    assert offer is not None
    assert session.scalars(select(RoutingDecision)).one().result["how"] == "customer"
    assert session.get_one(DealerLoad, world.dealers[NEAR]).open_used == 1
    assert session.scalars(select(Offer.dealer_id)).all() == [world.dealers[NEAR]]


def test_a_dealers_lead_goes_to_a_colleague_where_the_dealer_says_so(
    session: Session, world: World, cast: dict[str, User]
) -> None:
    lead, near = lead_of(session), world.dealers[NEAR]
    assert colleague_of(session, lead, near, FRIDAY) is None
    terms(session, world, NEAR, assign_to="colleague")
    anna, bert = cast["anna"], cast["bert"]
    create_user(
        session, "reader@lmt.example", "Reader", PASSWORD,
        roles=[], scopes=[Scope(dealer_id=near)], language="en",
        timezone="UTC",
    )  # fmt: skip
    assert colleague_of(session, lead, near, FRIDAY) == anna.id
    session.add(Absence(user_id=anna.id, starts_at=FRIDAY, ends_at=NIGHT))
    session.flush()
    assert colleague_of(session, lead, near, FRIDAY) == bert.id
    assert colleague_of(session, lead, near, NIGHT) == anna.id
    busy = lead_of(session)
    session.execute(
        update(Lead)
        .where(Lead.id == busy.id)
        .values(status="accepted", dealer_id=near, owner_id=anna.id)
    )
    assert colleague_of(session, lead, near, NIGHT) == bert.id
    bert.skills = ["parts"]
    session.flush()
    assert colleague_of(session, lead, near, NIGHT) == anna.id
