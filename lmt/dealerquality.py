"""Pure: what the answers of its customers say of a dealer, as the figure that breaks ties."""

from __future__ import annotations

from collections.abc import Sequence

HALF_LIFE_DAYS = 90
FORGOTTEN_AFTER_DAYS = 365
PRIOR = 0.5
PRIOR_WEIGHT = 5
"""As many fresh answers weigh as much as knowing nothing: one angry customer is no verdict."""


def quality(answers: Sequence[tuple[int, float]]) -> float:
    """0 to 1, of (score 1 to 5, age in days): a mean in which answers weigh half as much every 90
    days and nothing after a year, drawn to 0.5 where there are few."""
    total, weights = PRIOR * PRIOR_WEIGHT, float(PRIOR_WEIGHT)
    for score, days_old in answers:
        if days_old <= FORGOTTEN_AFTER_DAYS:
            weight = 0.5 ** (max(days_old, 0.0) / HALF_LIFE_DAYS)
            total += weight * (score - 1) / 4
            weights += weight
    return total / weights
