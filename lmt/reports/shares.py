"""Pure: what routing decisions add to the accounts of the fair-share ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from lmt.reports.ledger import accounts, turn_of

_zone = lru_cache(maxsize=None)(ZoneInfo)


class DecisionRow(NamedTuple):
    """A decision that led to an offer, and how that offer stands now."""

    id: UUID
    lead_id: UUID
    at: datetime
    result: Mapping[str, Any]
    state: str


@dataclass(slots=True)
class Share:
    """A row of `lmt.models.facts.ShareFact`, column by column."""

    decision_id: UUID
    dealer_id: int
    lead_id: UUID
    market_id: int
    day: date
    month: date
    expected: float = 0.0
    received: float = 0.0
    taken_over: float = 0.0
    missed_closed: float = 0.0
    missed_cap: float = 0.0
    missed_paused: float = 0.0
    missed_declined: float = 0.0
    missed_timed_out: float = 0.0
    missed_turn: float = 0.0
    lost_declined: float = 0.0
    lost_timed_out: float = 0.0


SHARE_COLUMNS = tuple(field.name for field in fields(Share))
share_values_of: Any = attrgetter(*SHARE_COLUMNS)


def shares_of(
    decision: DecisionRow, weights: Mapping[int, float], market_id: int, timezone: str
) -> tuple[Share, ...]:
    """What the decision adds to each claimant's account, by dealer id; nothing where it was no
    turn. `weights` of the dealers that it refused, as they were then; the day is the decision's on
    the wall of `timezone`."""
    turn = turn_of(decision.result, weights, decision.state)
    if turn is None:
        return ()
    day = decision.at.astimezone(_zone(timezone)).date()
    shares = []
    for dealer_id, account in sorted(accounts([turn]).items()):
        share = Share(
            decision.id,
            dealer_id,
            decision.lead_id,
            market_id,
            day,
            day.replace(day=1),
            account.expected,
            float(account.received),
            account.taken_over,
        )
        for cause, missed in account.missed.items():
            setattr(share, f"missed_{cause}", missed)
        for cause, lost in account.lost.items():
            setattr(share, f"lost_{cause}", float(lost))
        shares.append(share)
    return tuple(shares)
