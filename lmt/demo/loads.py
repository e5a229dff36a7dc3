"""What each demo dealer has received, counted in its own days while its history is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime

from lmt.routing.candidate import Candidate, Load
from lmt.workhours import local_date


class Loads(Mapping[int, Load]):
    """What each dealer has received, as of `at`, counted in its own days."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self.at: datetime | None = None
        self._calendars = {each.id: each.calendar for each in candidates}
        self._loads: dict[int, tuple[date, Load]] = {}

    def __getitem__(self, dealer: int) -> Load:
        if dealer not in self._loads or self.at is None:
            raise KeyError(dealer)
        day, load = self._loads[dealer]
        today = local_date(self._calendars[dealer], self.at)
        if day == today:
            return load
        same_month = (day.year, day.month) == (today.year, today.month)
        month_used = load.month_used if same_month else 0
        return Load(0, month_used, load.open_used, load.received)

    def __iter__(self) -> Iterator[int]:
        return iter(self._loads)

    def __len__(self) -> int:
        return len(self._loads)

    def day(self, dealer: int, at: datetime) -> date:
        return local_date(self._calendars[dealer], at)

    def given(self, dealer: int, at: datetime) -> None:
        self.at = at
        load = self.get(dealer, Load())
        self._loads[dealer] = (
            self.day(dealer, at),
            Load(load.day_used + 1, load.month_used + 1, load.open_used + 1, load.received + 1),
        )

    def freed(self, dealer: int) -> None:
        self._change_open(dealer, -1)

    def given_back(self, dealer: int) -> None:
        """A lead that rested is open again; the day's count knows it already."""
        self._change_open(dealer, 1)

    def _change_open(self, dealer: int, change: int) -> None:
        day, load = self._loads[dealer]
        self._loads[dealer] = (
            day,
            Load(load.day_used, load.month_used, load.open_used + change, load.received),
        )
