"""One demo lead with everything that happened to it: what the history writes and the rows tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lmt.demo.leads import Arrival
from lmt.lifecycle import Status
from lmt.qualify.classify import Qualification
from lmt.routing.decision import Decision


@dataclass(slots=True)
class Happening:
    """One event of a lead; `by_dealer` where a person at the dealer did it."""

    at: datetime
    kind: str
    dealer: int | None = None
    by_dealer: bool = False
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class MadeOffer:
    dealer: int
    offered_at: datetime
    expires_at: datetime
    distance_km: float | None
    minutes: int
    hop: int
    decision: int
    """Its place among the lead's decisions."""
    state: str = "open"
    reason: str = ""
    closed_at: datetime | None = None


@dataclass(slots=True)
class MadePlan:
    kind: str
    due_at: datetime
    created_at: datetime
    done_at: datetime | None = None


@dataclass(slots=True)
class Life:
    """A lead and everything that happened to it up to now. Dealers are ids of candidates."""

    arrival: Arrival
    qualified: Qualification
    status: Status = Status.RECEIVED
    cause: str = ""
    dealer: int | None = None
    offers: list[MadeOffer] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    plans: list[MadePlan] = field(default_factory=list)
    promise_at: datetime | None = None
    offered_at: datetime | None = None
    accepted_at: datetime | None = None
    contacted_at: datetime | None = None
    closed_at: datetime | None = None
    resting_until: datetime | None = None
    touched_at: datetime | None = None
    next_action_at: datetime | None = None
    escalated_minutes: int = 0
    waiting_since: datetime | None = None
    won: bool = False

    def tell(self, at: datetime, kind: str, *, by_dealer: bool = False, **data: Any) -> None:
        self.happenings.append(Happening(at, kind, self.dealer, by_dealer, data))
        if by_dealer:
            self.touched_at = at

    @property
    def is_offered(self) -> bool:
        return self.status == Status.OFFERED
