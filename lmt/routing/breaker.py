"""Whether a service that failed is asked again yet: leads don't wait for one that is down.

Pure: a breaker is a value, every change a new one. `Breakers` holds those of one process.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

FAILURES = 5
"""So many in a row open the breaker."""
REST = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Breaker:
    """Closed at first. Open, it lets one question through after each rest; each rest that ends
    in another failure is twice as long as the one before, up to ten minutes."""

    failures: int = 0
    opened_at: datetime | None = None
    rest: timedelta = REST

    def lets_through(self, at: datetime) -> bool:
        """May the service be asked at `at`?"""
        return self.opened_at is None or at >= self.opened_at + self.rest

    def after_asking(self, at: datetime) -> Breaker:
        """While the one question of an open breaker is under way, no other follows it."""
        if self.opened_at is None:
            return self
        return Breaker(self.failures, at, self.rest)

    def after_failure(self, at: datetime) -> Breaker:
        failures = self.failures + 1
        if self.opened_at is not None:
            return Breaker(failures, at, min(self.rest * 2, LONGEST_REST))
        return Breaker(failures, at if failures >= FAILURES else None)

    def after_success(self) -> Breaker:
        return Breaker()


class Breakers:
    """One breaker for each service, by name. Safe to share among threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Breaker] = {}

    def may_ask(self, name: str, at: datetime) -> bool:
        """May the service be asked? Who is told so asks, and then tells how it went."""
        with self._lock:
            breaker = self._known.get(name, Breaker())
            if not breaker.lets_through(at):
                return False
            self._known[name] = breaker.after_asking(at)
            return True

    def tell(self, name: str, at: datetime, *, answered: bool) -> bool:
        """How a question went; True where that opened or closed the breaker."""
        with self._lock:
            before = self._known.get(name, Breaker())
            after = before.after_success() if answered else before.after_failure(at)
            self._known[name] = after
            return (before.opened_at is None) != (after.opened_at is None)
