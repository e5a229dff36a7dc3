"""What a replay is made of: leads as they were first decided, and the stretches of time in which
the dealers and the policies stayed the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lmt.routing.batch import Choice
from lmt.routing.candidate import LeadFacts
from lmt.routing.network import Network
from lmt.routing.policybook import PolicyBook


@dataclass(frozen=True, slots=True)
class Case:
    """A past lead at its first decision.

    `dealer_id` really got it then, and `answered_at` is when that dealer did what the deadline
    asks for; None for never. `counted` is False for a lead that only takes its place.
    """

    reference: str
    at: datetime
    lead: LeadFacts
    dealer_id: int | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Rules:
    """By which dealers and which policies leads are routed for a while."""

    network: Network
    book: PolicyBook


@dataclass(frozen=True, slots=True)
class Stretch:
    """Cases in the order of their decisions, and the rules that held and that would hold."""

    cases: Sequence[Case]
    before: Rules
    after: Rules


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side's rules do with a case; `minutes` are the working minutes to answer."""

    choice: Choice
    minutes: int


@dataclass(frozen=True, slots=True)
class Replayed:
    """A case under both rules.

    `response_minutes` are the working minutes its dealer really took; None without an answer.
    """

    case: Case
    before: Turn
    after: Turn
    response_minutes: float | None = None

    @property
    def moved(self) -> bool:
        return self.before.choice.dealer_id != self.after.choice.dealer_id
