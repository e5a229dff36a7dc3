"""Who is best among those who could: kilometres less an open door, then fair share and quality."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lmt.routing.candidate import Candidate, Load
from lmt.routing.decision import Ranked
from lmt.routing.policy import Policy


@dataclass(frozen=True, slots=True)
class Contender:
    """An eligible dealer with its figures; km are None where the lead has no usable place."""

    candidate: Candidate
    load: Load
    chord_km: float | None
    distance_km: float | None
    effective_km: float | None
    open_now: bool
    opens_at: datetime | None

    @property
    def share(self) -> float:
        """Leads received for each unit of weight; infinite for a weight of 0."""
        weight = self.candidate.weight
        return self.load.received / weight if weight > 0 else math.inf


def ranking(contenders: Iterable[Contender], policy: Policy) -> list[Contender]:
    """The first `policy.shown_ranked`, in the order in which they would be asked in turn.

    The best by effective km and everyone within the tolerance of it are equally near; among
    these the lowest share wins, then the highest quality, then the code. Each next place is
    found in the same way among the rest.
    """
    waiting = sorted(contenders, key=_nearness)
    order: list[Contender] = []
    while waiting and len(order) < policy.shown_ranked:
        group = _equally_near(waiting, policy)
        winner = min(group, key=_merit)
        waiting.remove(winner)
        order.append(winner)
    return order


def as_ranked(
    order: list[Contender], everyone: Iterable[Contender], policy: Policy
) -> list[Ranked]:
    """The stored form of a ranking, each with why it lost against the first."""
    if not order:
        return []
    group = _equally_near(sorted(everyone, key=_nearness), policy)
    equals = {contender.candidate.id for contender in group}
    first = order[0]
    return [
        Ranked(
            code=contender.candidate.code,
            id=contender.candidate.id,
            distance_km=contender.distance_km,
            effective_km=contender.effective_km,
            open_now=contender.open_now,
            opens_at=contender.opens_at,
            received=contender.load.received,
            weight=contender.candidate.weight,
            share=contender.share if math.isfinite(contender.share) else None,
            quality=contender.candidate.quality,
            why=_why_lost(contender, first, equals, policy),
        )
        for contender in order
    ]


def tolerance_km(best: Contender, policy: Policy) -> float:
    """Within how many effective km of the best others count as equally near."""
    return max(policy.tolerance_km, policy.tolerance_share * (best.distance_km or 0.0))


def _nearness(contender: Contender) -> tuple[float, float, str]:
    return (
        contender.effective_km or 0.0,
        contender.distance_km or 0.0,
        contender.candidate.code,
    )


def _merit(contender: Contender) -> tuple[float, float, str]:
    return contender.share, -contender.candidate.quality, contender.candidate.code


def _equally_near(sorted_contenders: list[Contender], policy: Policy) -> list[Contender]:
    best = sorted_contenders[0]
    limit = (best.effective_km or 0.0) + tolerance_km(best, policy)
    return [each for each in sorted_contenders if (each.effective_km or 0.0) <= limit]


def _why_lost(contender: Contender, first: Contender, equals: set[int], policy: Policy) -> str:
    if contender is first:
        return ""
    if contender.candidate.id not in equals:
        near_enough = (contender.distance_km or 0.0) <= (first.distance_km or 0.0)
        return "closed" if near_enough and first.open_now else "farther"
    if contender.share != first.share:
        return "fair_share"
    return "quality" if contender.candidate.quality != first.candidate.quality else "code"
