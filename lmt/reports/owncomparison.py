"""Pure: a dealer's own figures beside the market's middle and the time before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median

from lmt.reports.figures import BY_CODE
from lmt.reports.tally import Tally

RATES = (
    "acceptance", "response", "work_response", "within_60", "conversion", "score",
    "promise_kept_share", "plans_kept_share",
)  # fmt: skip
"""Figures of a dealer that are set against the market's, as the registry defines them."""
LEAST_LEADS = 10
"""With fewer a dealer's shares mean nothing, and it is left out of the market's middle."""
LEAST_DEALERS = 5
"""With fewer the middle would tell of a single rival."""


@dataclass(frozen=True, slots=True)
class Middle:
    """The market's median of each figure by its code, over `dealers`. A figure that fewer than
    LEAST_DEALERS of them have is None."""

    dealers: int = 0
    values: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def is_told(self) -> bool:
        return self.dealers >= LEAST_DEALERS

    def value(self, figure: str) -> float | None:
        return self.values.get(figure) if self.is_told else None


def middle_of(dealers: Iterable[Tally], figures: Iterable[str], *, least: int) -> Middle:
    """Of the dealers that have, or were offered, `least` leads."""
    known = [each for each in dealers if max(each.count("leads"), each.count("offers")) >= least]
    medians: dict[str, float | None] = {}
    for code in figures:
        values = [value for each in known if (value := BY_CODE[code].value(each)) is not None]
        medians[code] = median(values) if len(values) >= LEAST_DEALERS else None
    return Middle(len(known), medians)


def standing(figure: str, own: float | None, other: float | None) -> str:
    """How `own` stands to `other`: better, worse, or "" where they are equal or one is unknown."""
    if own is None or other is None or own == other:
        return ""
    return "better" if (own < other) is (BY_CODE[figure].better == "less") else "worse"
