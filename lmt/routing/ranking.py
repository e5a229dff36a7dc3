"""Who is best among those who could: kilometres less an open door, then fair share and quality."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from lmt.routing.candidate import Candidate, Load
from lmt.routing.decision import Ranked
from lmt.routing.policy import Policy


class Contender(NamedTuple):
    """An eligible dealer with its figures; km are None where distance doesn't count or a place is
    unknown. `road` are (km, minutes) where they count instead of the distance."""

    candidate: Candidate
    load: Load
    chord_km: float | None
    distance_km: float | None
    effective_km: float | None
    open_now: bool
    opens_at: datetime | None
    road: tuple[float, float] | None = None

    @property
    def share(self) -> float:
        """Leads received for each unit of weight; infinite for a weight of 0."""
        weight = self.candidate.weight
        return self.load.received / weight if weight > 0 else math.inf

    @property
    def way_km(self) -> float:
        """What its rank starts from: the road where known, else the distance, else infinity."""
        if self.road is not None:
            return self.road[0]
        return math.inf if self.distance_km is None else self.distance_km

    @property
    def worth_km(self) -> float:
        """Effective km; whose place is unknown comes last."""
        return math.inf if self.effective_km is None else self.effective_km


def ranking(contenders: Iterable[Contender], policy: Policy) -> list[Ranked]:
    """The first `policy.shown_ranked`, in the order in which they would be asked in turn, each
    with why it lost against the first.

    Those whose way by road counts go before those without. The best by effective km and everyone
    within the tolerance of it are equally near; among these the lowest share wins, then the
    highest quality, then the code. Each next place is found in the same way among the rest.
    """
    waiting = sorted(contenders, key=_nearness)
    if not waiting:
        return []
    equals = waiting[: _equally_near(waiting, policy)]
    first = waiting.pop(_best_of(len(equals), waiting))
    order = [_ranked(first, "")]
    # Contenders are told apart by identity: comparing their figures would cost more.
    as_near = {id(each) for each in equals}
    while waiting and len(order) < policy.shown_ranked:
        winner = waiting.pop(_best_of(_equally_near(waiting, policy), waiting))
        order.append(_ranked(winner, _why_lost(winner, first, id(winner) in as_near)))
    return order


def _nearness(contender: Contender) -> tuple[bool, float, float, str]:
    effective = contender.effective_km
    return (
        contender.road is None,
        math.inf if effective is None else effective,
        contender.distance_km or 0.0,
        contender.candidate.code,
    )


def _best_of(equals: int, contenders: list[Contender]) -> int:
    """The position of the best of the first `equals`."""
    if equals == 1:
        return 0
    return min(range(equals), key=lambda position: _merit(contenders[position]))


def _merit(contender: Contender) -> tuple[float, float, str]:
    return contender.share, -contender.candidate.quality, contender.candidate.code


def _equally_near(sorted_contenders: list[Contender], policy: Policy) -> int:
    """How many of the first are equally near."""
    best = sorted_contenders[0]
    limit = best.worth_km + policy.tolerance_km
    if policy.tolerance_share and limit < math.inf:
        limit = max(limit, best.worth_km + policy.tolerance_share * best.way_km)
    off_road = best.road is None
    for position in range(1, len(sorted_contenders)):
        each = sorted_contenders[position]
        if each.worth_km > limit or (each.road is None) != off_road:
            return position
    return len(sorted_contenders)


def _why_lost(contender: Contender, first: Contender, as_near: bool) -> str:
    if not as_near:
        if contender.road is None and first.road is not None:
            return "no_road"
        near_enough = contender.way_km <= first.way_km
        return "closed" if near_enough and first.open_now else "farther"
    if contender.share != first.share:
        return "fair_share"
    return "quality" if contender.candidate.quality != first.candidate.quality else "code"


def _ranked(contender: Contender, why: str) -> Ranked:
    candidate, load, _, distance, effective, open_now, opens_at, road = contender
    share = contender.share
    road_km, road_minutes = road or (None, None)
    # By position, in the order of its fields: by name takes twice as long.
    return Ranked(
        candidate.code,
        candidate.id,
        distance,
        effective,
        open_now,
        opens_at,
        load.received,
        candidate.weight,
        share if share != math.inf else None,
        candidate.quality,
        why,
        road_km,
        road_minutes,
    )
