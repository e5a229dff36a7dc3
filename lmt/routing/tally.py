"""What dealers have received so far in a run through many leads: `capacity` in memory.

Days and months end at each dealer's own midnight, and never move back. An open place can be given
back at an instant that is known before. One run, one thread.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from lmt.routing.candidate import Candidate, Load

_NONE: Mapping[int, Load] = {}
_NOBODY: Mapping[int, Candidate] = {}


@dataclass(slots=True)
class _Count:
    load: Load
    day: date
    until: datetime
    """The dealer's next midnight."""


class Tally(Mapping[int, Load]):
    """Loads by dealer's id, as of the instant it was last moved to.

    `loads` are the counts at `began_at`; a dealer that isn't in it begins with its own.
    """

    def __init__(self, began_at: datetime, loads: Mapping[int, Load] = _NONE) -> None:
        self._began_at = self._at = began_at
        self._loads = loads
        self._counts: dict[int, _Count] = {}
        self._dealer: Callable[[int], Candidate | None] = _NOBODY.get
        self._days: dict[str, tuple[datetime, datetime, date]] = {}
        self._given_back: list[tuple[datetime, int]] = []

    def __getitem__(self, dealer_id: int) -> Load:
        dealer = self._dealer(dealer_id)
        if dealer is None:
            raise KeyError(dealer_id)
        return self.load_of(dealer, self._at)

    def __iter__(self) -> Iterator[int]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)

    def among(self, dealer: Callable[[int], Candidate | None]) -> None:
        """These are the dealers from now on, by id."""
        self._dealer = dealer

    def move_to(self, at: datetime) -> None:
        """It is `at` now: what was to be given back until then is."""
        self._at = at
        while self._given_back and self._given_back[0][0] <= at:
            self._give_back(heapq.heappop(self._given_back)[1])

    def load_of(self, dealer: Candidate, at: datetime) -> Load:
        """The dealer's counts on its own date of `at`."""
        count = self._counts.get(dealer.id)
        if count is None:
            count = self._begin(dealer)
        if at >= count.until:
            self._turn(count, dealer.calendar.timezone, at)
        return count.load

    def take(self, dealer: Candidate, at: datetime, open_until: datetime | None = None) -> None:
        """Count one more lead, open until an instant; without one it stays open."""
        load = self.load_of(dealer, at)
        self._counts[dealer.id].load = Load(
            load.day_used + 1, load.month_used + 1, load.open_used + 1, load.received + 1
        )
        if open_until is not None:
            heapq.heappush(self._given_back, (open_until, dealer.id))

    def _begin(self, dealer: Candidate) -> _Count:
        load = self._loads.get(dealer.id) or dealer.load
        _since, until, day = self._day(dealer.calendar.timezone, self._began_at)
        count = self._counts[dealer.id] = _Count(load, day, until)
        return count

    def _turn(self, count: _Count, timezone: str, at: datetime) -> None:
        """A new day has begun at the dealer's place, and perhaps a new month."""
        _since, until, day = self._day(timezone, at)
        if day > count.day:
            same_month = (day.year, day.month) == (count.day.year, count.day.month)
            used = count.load.month_used if same_month else 0
            count.load = replace(count.load, day_used=0, month_used=used)
            count.day = day
        count.until = max(until, count.until)

    def _give_back(self, dealer_id: int) -> None:
        count = self._counts[dealer_id]
        count.load = replace(count.load, open_used=max(0, count.load.open_used - 1))

    def _day(self, timezone: str, at: datetime) -> tuple[datetime, datetime, date]:
        """Since when and until when it is that date there."""
        known = self._days.get(timezone)
        if known is None or not known[0] <= at < known[1]:
            zone = ZoneInfo(timezone)
            today = at.astimezone(zone).date()
            since, until = (
                datetime.combine(day, time(), zone).astimezone(UTC)
                for day in (today, today + timedelta(days=1))
            )
            known = self._days[timezone] = (since, until, today)
        return known
