"""Does a source still bring leads as it used to? Judged by its own past hours, nothing else.

A form that brings three leads a week may be quiet for days, a campaign that brings a hundred an
hour may not be for two hours; nights, weekends and public holidays are whatever they were before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

USUAL = timedelta(weeks=4)
"""What a source usually brings is counted over so long, up to its last delivery."""
RECENT = timedelta(weeks=1)
IMPROBABLE = 0.001
"""A silence less likely than this, at the source's usual pace, is a fault until shown otherwise."""
UNLIKELY = 0.05
"""Less likely than this: it is quiet, which is shown and alarms nobody."""
SHORTEST_SILENCE = timedelta(hours=2)
LONGEST_LOOK = timedelta(weeks=26)

FAILURES_WITHIN = timedelta(days=7)
"""Failures that are counted at all."""
FAILING_WITHIN = timedelta(hours=24)
FAILING_NUMBER = 5
FAILING_SHARE = 0.2
FAILING_IN_A_ROW = 3

STATES = ("failing", "silent", "quiet", "ok", "new", "paused", "retired")
"""In the order in which they want a look."""
ALARMING = frozenset({"failing", "silent"})
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Failure:
    """Deliveries that were kept unread or turned away for one `code`; instants of the first and
    the last of them."""

    code: str
    times: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of a source. `accepted`: deliveries by the beginning of their hour in UTC,
    over `USUAL` up to the last; `failures`: of the last `FAILURES_WITHIN`; `ends_on`: of its
    campaign; `days_off`: public holidays in its `zone`; `away`: while our own service was down."""

    zone: str = "UTC"
    active: bool = True
    paused_at: datetime | None = None
    ends_on: date | None = None
    last_at: datetime | None = None
    accepted: Mapping[datetime, int] = field(default_factory=dict)
    failures: Sequence[Failure] = ()
    days_off: Collection[date] = ()
    away: Sequence[tuple[datetime, datetime]] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """`last_at`: its last accepted delivery; `today`: how many since midnight, `usual_today`: how
    many there usually are by now; `per_day`: its pace; `failures`: those that still wait, by
    code; `since`: when the state began, None where that says nothing."""

    state: str
    last_at: datetime | None = None
    today: int = 0
    usual_today: float = 0.0
    per_day: float = 0.0
    failures: Mapping[str, int] = field(default_factory=dict)
    since: datetime | None = None

    @property
    def is_alarming(self) -> bool:
        return self.state in ALARMING


def health(past: Past, at: datetime) -> Health:
    """How the source fares at `at`. The formula is in docs/operating.md."""
    pace = _Pace.of(past)
    midnight = _midnight(past.zone, at)
    state, since = _state(past, pace, at)
    return Health(
        state=state,
        last_at=past.last_at,
        today=sum(n for hour, n in past.accepted.items() if hour + _HOUR > midnight),
        usual_today=round(pace.expected(midnight, at), 1),
        per_day=round(pace.per_day, 2),
        failures=dict(_by_code(past.failures, at - FAILURES_WITHIN)),
        since=since,
    )


def _state(past: Past, pace: _Pace, at: datetime) -> tuple[str, datetime | None]:
    if not past.active:
        return "retired", None
    if past.paused_at is not None:
        return "paused", past.paused_at
    if (began_at := _failing_since(past, at)) is not None:
        return "failing", began_at
    if past.last_at is None:
        return "new", None
    # What arrives and can't be read is no silence.
    heard_at = max([past.last_at, *(each.last_at for each in past.failures)])
    chance = pace.chance_of_nothing(heard_at, at)
    is_over = past.ends_on is not None and past.ends_on < at.astimezone(ZoneInfo(past.zone)).date()
    if chance < IMPROBABLE and at - heard_at >= SHORTEST_SILENCE and not is_over:
        return "silent", heard_at
    return ("quiet", heard_at) if chance < UNLIKELY else ("ok", None)


def _failing_since(past: Past, at: datetime) -> datetime | None:
    """When it began to fail; None where it doesn't."""
    known = [each for each in past.failures if each.last_at > at - FAILURES_WITHIN]
    in_a_row = [each for each in known if past.last_at is None or each.last_at > past.last_at]
    if sum(each.times for each in in_a_row) >= FAILING_IN_A_ROW:
        first_at = min(each.first_at for each in in_a_row)
        return first_at if past.last_at is None else max(first_at, past.last_at)
    since = at - FAILING_WITHIN
    lately = [each for each in known if each.last_at > since]
    bad = sum(each.times for each in lately)
    good = sum(n for hour, n in past.accepted.items() if hour + _HOUR > since)
    if bad >= FAILING_NUMBER and bad >= FAILING_SHARE * (bad + good):
        return max(since, min(each.first_at for each in lately))
    return None


@dataclass(frozen=True, slots=True)
class _Pace:
    """Deliveries an hour for each hour of the week, and from how many gaps between deliveries
    that is known: from few of them, little can be said of the next."""

    past: Past
    rates: Mapping[int, float]
    gaps: int
    per_day: float

    @classmethod
    def of(cls, past: Past) -> _Pace:
        if not past.accepted:
            return cls(past, {}, 0, 0.0)
        first, last = min(past.accepted), max(past.accepted)
        slots = [(hour, _slot(past, hour)) for hour in _hours(first, last + _HOUR)]
        seen = [(hour, slot, past.accepted.get(hour, 0)) for hour, slot in slots if slot >= 0]
        number = sum(n for *_when, n in seen)
        if number < 2:
            return cls(past, {}, 0, 0.0)
        often: Counter[int] = Counter(slot for _at, slot, _n in seen)
        counted: Counter[int] = Counter()
        for _at, slot, n in seen:
            counted[slot] += n
        # The first delivery only starts the clock: n of them have n - 1 gaps.
        share = (number - 1) / number
        usual = {slot: n * share / often[slot] for slot, n in counted.items() if n}
        pace = _slowdown(seen, usual)
        rates = {slot: rate * pace for slot, rate in usual.items()}
        return cls(past, rates, number - 1, (number - 1) * pace / max(len(seen) / 24, 1.0))

    def expected(self, since: datetime, until: datetime) -> float:
        """How many deliveries usually come between the two."""
        return sum(self._coming(since, until))

    def chance_of_nothing(self, since: datetime, until: datetime) -> float:
        """How likely no delivery between the two is: Poisson at a rate that is itself known only
        from `gaps` gaps, which is (1 + expected / gaps) ** -gaps."""
        if not self.gaps:
            return 1.0
        expected = 0.0
        for number in self._coming(max(since, until - LONGEST_LOOK), until):
            expected += number
            if self._chance(expected) < IMPROBABLE:
                break
        return self._chance(expected)

    def _chance(self, expected: float) -> float:
        return float((1 + expected / self.gaps) ** -self.gaps)

    def _coming(self, since: datetime, until: datetime) -> Iterator[float]:
        for hour in _hours(since, until):
            if rate := self.rates.get(_slot(self.past, hour), 0.0):
                yield rate * ((min(hour + _HOUR, until) - max(hour, since)) / _HOUR)


def _slowdown(seen: Sequence[tuple[datetime, int, int]], usual: Mapping[int, float]) -> float:
    """1, or less where its last week was slower than usual: a campaign that fades is no fault.
    `seen` are (hour, slot, deliveries), the last hour last."""
    since = seen[-1][0] - RECENT
    recent = [(slot, n) for hour, slot, n in seen if hour > since]
    expected = sum(usual.get(slot, 0.0) for slot, _n in recent)
    return min(1.0, sum(n for _slot_of_it, n in recent) / expected) if expected else 1.0


def _by_code(failures: Sequence[Failure], since: datetime) -> Counter[str]:
    found: Counter[str] = Counter()
    for each in failures:
        if each.last_at > since:
            found[each.code] += each.times
    return found


def _hours(since: datetime, until: datetime) -> Iterator[datetime]:
    hour = hour_of(since)
    while hour < until:
        yield hour
        hour += _HOUR


def hour_of(at: datetime) -> datetime:
    """The beginning of the hour of `at`, in UTC."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _slot(past: Past, hour: datetime) -> int:
    """The hour of the week on the source's wall clock, 0 for Monday's first; -1 for one that tells
    nothing: a public holiday, or we were not there to take a lead."""
    slot, day = _local(past.zone, hour)
    if day in past.days_off:
        return -1
    if past.away and any(a < hour + _HOUR and hour < b for a, b in past.away):
        return -1
    return slot


@lru_cache(maxsize=65_536)
def _local(zone: str, hour: datetime) -> tuple[int, date]:
    local = hour.astimezone(ZoneInfo(zone))
    return local.weekday() * 24 + local.hour, local.date()


def _midnight(zone: str, at: datetime) -> datetime:
    local = at.astimezone(ZoneInfo(zone))
    return datetime.combine(local.date(), time(), local.tzinfo).astimezone(UTC)
