"""Pure: what share of leads of each kind a market sells, so that dealers are measured by what they
got."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

FEWEST = 30
"""A kind of lead with fewer in its market says nothing of its own."""
Sums = tuple[int, int]
"""Leads and those sold."""


class Stratum(NamedTuple):
    """Leads of one kind: how they came and what they ask for, in a market."""

    market: int
    channel: str
    request_type: str


@dataclass(frozen=True, slots=True)
class Rates:
    """The share sold of each kind of lead, by kind."""

    by_stratum: Mapping[Stratum, float]

    def of(self, stratum: Stratum) -> float:
        """0 of a kind that the market never had."""
        return self.by_stratum.get(stratum, 0.0)


def rates_of(rows: Iterable[tuple[Stratum, int, int]]) -> Rates:
    """Of (kind, leads, sold).

    Kinds with fewer than FEWEST leads are taken together: those of a request, and where they are
    still too few, those of the market: each lead is in one of these groups, so that all dealers of
    a market together are expected what they sold. Where even the rest of a market is too few, it is
    taken as the whole market sells: there the two may differ by what these few did otherwise.
    """
    seen: defaultdict[Stratum, Sums] = defaultdict(lambda: (0, 0))
    markets: defaultdict[int, Sums] = defaultdict(lambda: (0, 0))
    for stratum, leads, sold in rows:
        seen[stratum] = _more(seen[stratum], (leads, sold))
        markets[stratum.market] = _more(markets[stratum.market], (leads, sold))
    rates: dict[Stratum, float] = {}
    left = list(seen)
    for coarser in (
        lambda kind: kind,
        lambda kind: (kind.market, kind.request_type),
        lambda kind: kind.market,
    ):
        sums: defaultdict[object, Sums] = defaultdict(lambda: (0, 0))
        for stratum in left:
            sums[coarser(stratum)] = _more(sums[coarser(stratum)], seen[stratum])
        for stratum in left:
            leads, sold = sums[coarser(stratum)]
            if leads >= FEWEST:
                rates[stratum] = sold / leads
        left = [stratum for stratum in left if stratum not in rates]
    for stratum in left:
        leads, sold = markets[stratum.market]
        rates[stratum] = sold / leads if leads else 0.0
    return Rates(rates)


def _more(one: Sums, other: Sums) -> Sums:
    return one[0] + other[0], one[1] + other[1]
