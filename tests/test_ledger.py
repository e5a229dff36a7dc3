"""The fair-share ledger: every miss has a cause, and nothing is lost between the dealers."""

from __future__ import annotations

from typing import Any

import pytest

from lmt.reports.ledger import Turn, accounts, turn_of

A, B, C = 1, 2, 3


def ranked(dealer_id: int, why: str = "", weight: float = 1.0) -> dict[str, Any]:
    return {"id": dealer_id, "why": why, "weight": weight}


def refused(dealer_id: int, reason: str, about_km: float | None = 5.0) -> dict[str, Any]:
    return {"id": dealer_id, "reason": reason, "about_km": about_km}


def decided(
    chosen: int | None, *others: dict[str, Any], how: str = "nearest", km: float = 10.0
) -> dict[str, Any]:
    rows = [ranked(chosen)] if chosen else []
    return {
        "chosen_id": chosen,
        "how": how,
        "distance_km": km,
        "ranked": rows + [each for each in others if "why" in each],
        "refused": [each for each in others if "reason" in each],
    }


def turn(result: dict[str, Any], ended: str = "accepted") -> Turn:
    found = turn_of(result, {A: 1.0, B: 1.0, C: 3.0}, ended)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("other", "cause"),
    [
        (ranked(B, "fair_share"), "turn"),
        (ranked(B, "quality"), "turn"),
        (ranked(B, "code"), "turn"),
        (ranked(B, "closed"), "closed"),
        (refused(B, "day_cap"), "cap"),
        (refused(B, "month_cap"), "cap"),
        (refused(B, "open_cap"), "cap"),
        (refused(B, "paused"), "paused"),
        (refused(B, "on_closure"), "closed"),
        (refused(B, "no_opening"), "closed"),
    ],
)
def test_whoever_was_as_near_had_a_part_and_missed_it_for_a_cause(
    other: dict[str, Any], cause: str
) -> None:
    found = accounts([turn(decided(A, other))])
    assert (found[A].expected, found[A].received, found[A].taken_over) == (0.5, 1, 0.5)
    assert (found[B].expected, found[B].received, found[B].cause(cause)) == (0.5, 0, 0.5)
    assert found[B].difference == -0.5


@pytest.mark.parametrize(
    "other",
    [
        ranked(B, "farther"),
        refused(B, "paused", about_km=10.2),
        refused(B, "no_competence"),
        refused(B, "inactive"),
        refused(99, "paused"),
    ],
)
def test_whoever_was_farther_or_could_never_have_it_had_no_part(other: dict[str, Any]) -> None:
    assert set(accounts([turn(decided(A, other))])) == {A}


@pytest.mark.parametrize("how", ["preferred", "serving", "team", "fallback", "by_hand"])
def test_what_distance_did_not_decide_is_no_turn(how: str) -> None:
    assert turn_of(decided(A, how=how), {}) is None


def test_nobody_chosen_is_no_turn() -> None:
    assert turn_of(decided(None), {}) is None


def test_weights_split_a_turn() -> None:
    found = accounts([turn(decided(A, refused(C, "paused")))])
    assert (found[A].expected, found[C].expected) == (0.25, 0.75)


@pytest.mark.parametrize(("ended", "cause"), [("declined", "declined"), ("expired", "timed_out")])
def test_what_was_received_and_lost_is_not_kept(ended: str, cause: str) -> None:
    found = accounts([turn(decided(A), ended), turn(decided(A), "accepted")])
    assert (found[A].received, found[A].kept, found[A].cause(cause)) == (2, 1, 1)


def test_the_books_balance() -> None:
    turns = [
        turn(decided(A, ranked(B, "fair_share"), refused(C, "day_cap"))),
        turn(decided(B, ranked(A, "code"))),
        turn(decided(C, ranked(A, "closed"), ranked(B, "closed"))),
    ]
    found = accounts(turns)
    assert sum(each.expected for each in found.values()) == pytest.approx(3)
    assert sum(each.received for each in found.values()) == 3
    for each in found.values():
        missed = sum(each.missed.values())
        assert each.received == pytest.approx(each.expected - missed + each.taken_over)
