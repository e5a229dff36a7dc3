"""What a replay found: leads moved, kilometres, waiting time, promises, who gains and who loses.

Plain values that a page shows, a file exports, and a job keeps as JSON.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from statistics import fmean, median
from typing import Any

from lmt.replay.cases import Case, Replayed, Turn
from lmt.routing.candidate import Candidate

MOST_POINTS = 2_000
MOST_FLOWS = 500


@dataclass(frozen=True, slots=True)
class Spread:
    """Of some numbers; mean and median are None without any."""

    count: int
    total: float
    mean: float | None
    median: float | None

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Spread:
        if not numbers:
            return cls(0, 0.0, None, None)
        return cls(
            len(numbers),
            round(sum(numbers), 1),
            round(fmean(numbers), 2),
            round(median(numbers), 2),
        )


@dataclass(frozen=True, slots=True)
class Promises:
    """`judged` leads have a deadline that was met (`kept`) or not; `estimated` of them by the
    dealer's median answer, because in truth somebody else had the lead."""

    judged: int
    kept: int
    estimated: int

    @property
    def share(self) -> float | None:
        return self.kept / self.judged if self.judged else None


@dataclass(frozen=True, slots=True)
class Side:
    """The leads under one set of rules.

    `nobody` counts the leads that no dealer could take, by cause; the market's fallback is not
    asked. `hows` counts the others by how the dealer was chosen. `wait_minutes` pass until the
    dealer's door is open, `answer_minutes` until the answer is due, both elapsed.
    """

    routed: int
    nobody: Mapping[str, int]
    hows: Mapping[str, int]
    open_at_once: int
    km: Spread
    wait_minutes: Spread
    answer_minutes: Spread
    promises: Promises


@dataclass(frozen=True, slots=True)
class DealerChange:
    """A dealer's leads under both rules; `gained` and `lost` are the moved ones."""

    id: int
    code: str
    name: str
    lat: float
    lon: float
    before: int
    after: int
    gained: int
    lost: int


@dataclass(frozen=True, slots=True)
class Flow:
    """Leads moved from one dealer to another; None for nobody."""

    from_id: int | None
    to_id: int | None
    leads: int


@dataclass(frozen=True, slots=True)
class Point:
    """A moved lead on the map; places are None where it has none."""

    reference: str
    at: datetime
    lat: float | None
    lon: float | None
    from_id: int | None
    to_id: int | None
    from_km: float | None
    to_km: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """`dealers` with the most moved leads first; `flows` likewise, at most MOST_FLOWS;
    `points` at most MOST_POINTS, taken evenly from all moved leads in order."""

    first_at: datetime | None
    last_at: datetime | None
    leads: int
    moved: int
    before: Side
    after: Side
    dealers: tuple[DealerChange, ...] = ()
    flows: tuple[Flow, ...] = ()
    points: tuple[Point, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """JSON values only; instants as ISO 8601, the share of kept promises worked out."""
        plain = asdict(self)
        for side, promises in (("before", self.before.promises), ("after", self.after.promises)):
            plain[side]["promises"]["share"] = promises.share
        for name in ("first_at", "last_at"):
            plain[name] = _iso(plain[name])
        for point in plain["points"]:
            point["at"] = _iso(point["at"])
        for name in ("dealers", "flows", "points"):
            plain[name] = list(plain[name])
        return plain


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


@dataclass(slots=True)
class _Count:
    before: int = 0
    after: int = 0
    gained: int = 0
    lost: int = 0


@dataclass(slots=True)
class _Sum:
    """One side, being added up."""

    nobody: Counter[str] = field(default_factory=Counter)
    hows: Counter[str] = field(default_factory=Counter)
    open_at_once: int = 0
    km: list[float] = field(default_factory=list)
    wait: list[float] = field(default_factory=list)
    answer: list[float] = field(default_factory=list)
    judged: int = 0
    kept: int = 0
    estimated: int = 0

    def add(self, case: Case, turn: Turn, usual: Mapping[int, float], now: datetime) -> None:
        choice = turn.choice
        if choice.dealer_id is None:
            self.nobody[choice.cause] += 1
            return
        self.hows[choice.how] += 1
        if choice.distance_km is not None:
            self.km.append(choice.distance_km)
        self.open_at_once += choice.opens_at is None
        opens_at = choice.opens_at or case.at
        self.wait.append((opens_at - case.at).total_seconds() / 60)
        if choice.respond_by is not None:
            self.answer.append((choice.respond_by - case.at).total_seconds() / 60)
        self._judge(case, turn, usual, now)

    def _judge(self, case: Case, turn: Turn, usual: Mapping[int, float], now: datetime) -> None:
        """By what really happened where this dealer had the lead, else by its usual answer."""
        choice = turn.choice
        if choice.dealer_id is None or choice.respond_by is None:
            return
        if choice.dealer_id == case.dealer_id:
            if case.answered_at is None and now < choice.respond_by:
                return
            kept = case.answered_at is not None and case.answered_at <= choice.respond_by
        elif choice.dealer_id in usual:
            kept = usual[choice.dealer_id] <= turn.minutes
            self.estimated += 1
        else:
            return
        self.judged += 1
        self.kept += kept

    def side(self) -> Side:
        return Side(
            routed=self.hows.total(),
            nobody=dict(self.nobody),
            hows=dict(self.hows),
            open_at_once=self.open_at_once,
            km=Spread.of(self.km),
            wait_minutes=Spread.of(self.wait),
            answer_minutes=Spread.of(self.answer),
            promises=Promises(self.judged, self.kept, self.estimated),
        )


def usual_minutes(results: Iterable[Replayed]) -> dict[int, float]:
    """Each dealer's median working minutes to answer, of the leads that it really answered."""
    answers: defaultdict[int, list[float]] = defaultdict(list)
    for result in results:
        if result.case.dealer_id is not None and result.response_minutes is not None:
            answers[result.case.dealer_id].append(result.response_minutes)
    return {dealer_id: median(minutes) for dealer_id, minutes in answers.items()}


def figures_of(
    results: Sequence[Replayed], dealers: Mapping[int, Candidate], now: datetime
) -> Figures:
    """Add up; `dealers` by id, for their names. Promises whose time hasn't come by `now` and
    that nobody kept yet are not judged."""
    usual = usual_minutes(results)
    before, after = _Sum(), _Sum()
    counts: defaultdict[int, _Count] = defaultdict(_Count)
    flows: Counter[tuple[int | None, int | None]] = Counter()
    moved: list[Replayed] = []
    for result in results:
        before.add(result.case, result.before, usual, now)
        after.add(result.case, result.after, usual, now)
        was, would_be = result.before.choice.dealer_id, result.after.choice.dealer_id
        if was is not None:
            counts[was].before += 1
            counts[was].lost += result.moved
        if would_be is not None:
            counts[would_be].after += 1
            counts[would_be].gained += result.moved
        if result.moved:
            flows[was, would_be] += 1
            moved.append(result)
    changes = [_change(dealers[number], count) for number, count in counts.items()]
    changes.sort(key=lambda each: (-(each.gained + each.lost), each.code))
    ordered = sorted(flows.items(), key=lambda each: (-each[1], str(each[0])))
    return Figures(
        first_at=results[0].case.at if results else None,
        last_at=results[-1].case.at if results else None,
        leads=len(results),
        moved=len(moved),
        before=before.side(),
        after=after.side(),
        dealers=tuple(changes),
        flows=tuple(Flow(*pair, number) for pair, number in ordered[:MOST_FLOWS]),
        points=tuple(_point(result) for result in _evenly(moved, MOST_POINTS)),
    )


def _change(dealer: Candidate, count: _Count) -> DealerChange:
    return DealerChange(
        dealer.id,
        dealer.code,
        dealer.name,
        dealer.lat,
        dealer.lon,
        count.before,
        count.after,
        count.gained,
        count.lost,
    )


def _evenly(results: Sequence[Replayed], most: int) -> Sequence[Replayed]:
    if len(results) <= most:
        return results
    return [results[position * len(results) // most] for position in range(most)]


def _point(result: Replayed) -> Point:
    case, was, would_be = result.case, result.before.choice, result.after.choice
    return Point(
        case.reference,
        case.at,
        case.lead.lat,
        case.lead.lon,
        was.dealer_id,
        would_be.dealer_id,
        was.distance_km,
        would_be.distance_km,
    )
