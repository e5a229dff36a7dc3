"""The fair-share ledger: what each dealer could expect, what it received, why it missed the rest.

Each routing decision is one turn. Its claimants are the dealers as near as the one chosen: those
equally near within the policy's tolerance, and those no farther that were closed, full, paused or
had the lead before. A turn is worth one lead, split among its claimants by weight; so over any
period the expected leads add up to the leads given, and what one dealer misses another received.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

CAUSES = ("closed", "cap", "paused", "declined", "timed_out", "turn")
"""Why a claimant missed a turn, or lost what it had received."""

_RANKED = {"closed": "closed", "fair_share": "turn", "quality": "turn", "code": "turn"}
_REFUSED = {
    "day_cap": "cap",
    "month_cap": "cap",
    "open_cap": "cap",
    "paused": "paused",
    "on_closure": "closed",
    "no_opening": "closed",
}
_ENDED = {"declined": "declined", "expired": "timed_out"}
_ROUNDING_KM = 0.05
"""Refusals carry their distance to a tenth of a kilometre."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A dealer's part in a turn: its weight, and why it was not the one ("" for the chosen)."""

    dealer_id: int
    weight: float
    cause: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One decision: its claims, and how the chosen dealer's offer ended (an offer's state)."""

    claims: tuple[Claim, ...]
    ended: str = ""


@dataclass(slots=True)
class Account:
    """One dealer over a period, in leads. `received` = `expected` − `missed` + `taken_over`, where
    `taken_over` is what it got of others' parts; `lost` was received and then declined or let
    pass, so `kept` = `received` − `lost`."""

    dealer_id: int
    expected: float = 0.0
    received: int = 0
    taken_over: float = 0.0
    missed: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    lost: Counter[str] = field(default_factory=Counter)

    @property
    def kept(self) -> int:
        return self.received - sum(self.lost.values())

    @property
    def difference(self) -> float:
        return self.received - self.expected

    def cause(self, code: str) -> float:
        """Leads missed or lost for one of CAUSES."""
        return self.missed.get(code, 0.0) + self.lost[code]


def turn_of(
    result: Mapping[str, Any], weights: Mapping[int, float], ended: str = ""
) -> Turn | None:
    """A stored decision as a turn; None where distance decided nothing: the customer chose, a team
    or a person got it, or nobody.

    `result` is `RoutingDecision.result`; `weights` are of dealers that were refused, by id.
    """
    chosen = result.get("chosen_id")
    if chosen is None or result.get("how") not in {"nearest", "territory"}:
        return None
    claims = []
    for ranked in result.get("ranked", ()):
        cause = "" if ranked["id"] == chosen else _RANKED.get(ranked["why"])
        if cause is not None:
            claims.append(Claim(ranked["id"], float(ranked.get("weight", 1.0)), cause))
    reach = result.get("distance_km")
    for refusal in result.get("refused", ()):
        cause, distance = _REFUSED.get(refusal["reason"]), refusal.get("about_km")
        near = reach is not None and distance is not None and distance <= reach + _ROUNDING_KM
        if cause is not None and near and refusal.get("id") in weights:
            claims.append(Claim(refusal["id"], weights[refusal["id"]], cause))
    return Turn(tuple(claims), ended) if any(not claim.cause for claim in claims) else None


def accounts(turns: Iterable[Turn]) -> dict[int, Account]:
    """The account of every dealer that had a claim, by id."""
    found: defaultdict[int, Account] = defaultdict(lambda: Account(0))
    for turn in turns:
        whole = sum(claim.weight for claim in turn.claims)
        for claim in turn.claims:
            account = found[claim.dealer_id]
            account.dealer_id = claim.dealer_id
            part = claim.weight / whole if whole else 1 / len(turn.claims)
            account.expected += part
            if claim.cause:
                account.missed[claim.cause] += part
            else:
                account.received += 1
                account.taken_over += 1 - part
                if cause := _ENDED.get(turn.ended):
                    account.lost[cause] += 1
    return dict(found)
