"""Asking a service that may be slow or down: a few tries, one deadline, and a rest after failures.

Used before a lead's transaction, never within one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import structlog

from lmt.outside import NotAnswered, Outside
from lmt.routing.breaker import Breakers

log = structlog.get_logger(__name__)

LEAST_SECONDS = 0.3
"""With less time left nobody is asked."""
ATTEMPTS = 3
FIRST_PAUSE_SECONDS = 0.2

T = TypeVar("T")


@dataclass(slots=True)
class Services:
    """The way out of one process, and what it knows of the services' health."""

    outside: Outside
    breakers: Breakers = field(default_factory=Breakers)
    pause: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Asking:
    """One round of questions, due at `at`, that ends at `until` of the monotonic clock.

    A single try may take `timeout_seconds`.
    """

    services: Services
    at: datetime
    until: float
    timeout_seconds: float

    @property
    def left_seconds(self) -> float:
        return self.until - time.monotonic()

    def answer(self, name: str, ask: Callable[[float], T]) -> T | None:
        """What `ask(seconds)` brings; None where service `name` rests, or stays silent.

        `ask` raises NotAnswered. A pause twice as long as the one before lies between two tries.
        """
        breakers = self.services.breakers
        if self.left_seconds < LEAST_SECONDS or not breakers.may_ask(name, self.at):
            return None
        # Whoever comes last in a batch has less time: too little is no fault of the service.
        is_fair = self.left_seconds >= self.timeout_seconds
        try:
            answer = self._tried(ask)
        except NotAnswered as problem:
            log.warning("service.silent", service=name, reason=str(problem))
            if is_fair and breakers.tell(name, self.at, answered=False):
                log.warning("service.rests", service=name)
            return None
        if breakers.tell(name, self.at, answered=True):
            log.info("service.answers_again", service=name)
        return answer

    def _tried(self, ask: Callable[[float], T]) -> T:
        wait, tries = FIRST_PAUSE_SECONDS, 0
        while True:
            tries += 1
            try:
                return ask(max(min(self.timeout_seconds, self.left_seconds), LEAST_SECONDS))
            except NotAnswered as problem:
                late = self.left_seconds < wait + LEAST_SECONDS
                if late or tries == ATTEMPTS or not problem.again:
                    raise
            self.services.pause(wait)
            wait *= 2
