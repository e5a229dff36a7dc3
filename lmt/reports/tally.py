"""Pure: what any group of leads adds up to. Tallies of parts add up to the tally of the whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

NOTHING = Decimal(0)
UNTOLD = "untold"
"""What `Tally.extra` has where calls are told apart, so that nothing is known of leads."""
PACKED = np.dtype(">i4")
"""How the spans of a tally are packed: big-endian 32-bit seconds, as PostgreSQL's int4send."""


@dataclass(slots=True)
class Tally:
    """Counters by name (`lmt.models.facts.COUNTERS`; those missing are 0), the value of the sales
    and the cost of the campaigns in one currency, and each span in whole seconds, packed.

    Adding loses nothing: the median of a sum is the median of all its leads.
    """

    counts: dict[str, int] = field(default_factory=dict)
    value: Decimal = NOTHING
    cost: Decimal | None = None
    """None where no campaign tells what it cost."""
    times: dict[str, bytes] = field(default_factory=dict)
    extra: dict[str, float] = field(default_factory=dict)
    """What some figures need beside the leads themselves (`Figure.extras`); it adds up, too."""

    def count(self, *names: str) -> int:
        """The sum of these counters."""
        return sum(self.counts.get(name, 0) for name in names)

    def add(self, other: Tally) -> None:
        for name, number in other.counts.items():
            self.counts[name] = self.counts.get(name, 0) + number
        self.value += other.value
        if other.cost is not None:
            self.cost = (self.cost or NOTHING) + other.cost
        for name, packed in other.times.items():
            self.times[name] = self.times.get(name, b"") + packed
        for name, amount in other.extra.items():
            self.extra[name] = self.extra.get(name, 0.0) + amount

    def seconds(self, time: str) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        """All spans of `time`, unordered."""
        return np.frombuffer(self.times.get(time, b""), dtype=PACKED)

    def median_seconds(self, time: str) -> float | None:
        """The middle span, or the mean of the two in the middle; None of none."""
        spans = self.seconds(time)
        return float(np.median(spans)) if len(spans) else None


def packed(seconds: Iterable[int]) -> bytes:
    """Spans as a tally keeps them."""
    return np.fromiter(seconds, dtype=PACKED).tobytes()


def summed(tallies: Iterable[Tally]) -> Tally:
    """All of them together; the parts stay as they are, and one alone is shared."""
    parts = list(tallies)
    if len(parts) == 1:
        (one,) = parts
        return Tally(one.counts, one.value, one.cost, one.times, one.extra)
    whole = Tally()
    counts: defaultdict[str, int] = defaultdict(int)
    extra: defaultdict[str, float] = defaultdict(float)
    pieces: dict[str, list[bytes]] = {}
    for tally in parts:
        for name, number in tally.counts.items():
            counts[name] += number
        if tally.value:
            whole.value += tally.value
        if tally.cost is not None:
            whole.cost = (whole.cost or NOTHING) + tally.cost
        for name, amount in tally.extra.items():
            extra[name] += amount
        for name, times in tally.times.items():
            pieces.setdefault(name, []).append(times)
    whole.counts, whole.extra = dict(counts), dict(extra)
    whole.times = {name: b"".join(all_) for name, all_ in pieces.items()}
    return whole


def share(part: float, whole: float) -> float | None:
    """`part` of `whole`; None of nothing."""
    return part / whole if whole else None


Counts = Mapping[str, int]
