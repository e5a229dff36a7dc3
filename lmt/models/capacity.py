"""The open leads of a dealer, given back and taken again by whoever ends or reopens one; and the
leads that wait for such a place.

Counting a new lead against the caps is routing's (`lmt.routing.capacity`). Waking a lead never
waits for it: who holds a dealer's counts may not wait for a lead (lead, offer, dealer is the order
of locks), and a lead that somebody holds is being looked at anyway.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from lmt.db import wake

MOST_WOKEN = 1000
"""An edit wakes so many at most; the others look again by themselves."""

_CHANGE = text(
    "UPDATE dealer_load SET open_used = greatest(open_used + :change, 0)"
    " WHERE dealer_id = :dealer_id"
)
# A place given back helps only where the cap of open leads was the last one reached.
_WAKE_ONE = text(
    """
    UPDATE lead SET next_action_at = :at WHERE id = (
        SELECT lead.id FROM lead
        WHERE lead.status = 'unrouted' AND lead.waiting_for @> ARRAY[CAST(:dealer_id AS int)]
          AND lead.next_action_at > :at
          AND EXISTS (
            SELECT 1 FROM dealer_load l JOIN dealer_terms t ON t.dealer_id = l.dealer_id
            WHERE l.dealer_id = :dealer_id AND t.valid @> CAST(:at AS timestamptz)
              AND l.open_used < t.open_cap
              AND (t.day_cap IS NULL OR l.day_used < t.day_cap
                   OR l.day < CAST(CAST(:at AS timestamptz) AT TIME ZONE t.timezone AS date))
          )
        ORDER BY lead.points DESC, lead.waiting_since, lead.id
        LIMIT 1
        FOR UPDATE OF lead SKIP LOCKED
    )
    RETURNING 1
    """
)
_WAKE_UNROUTED = text(
    """
    UPDATE lead SET next_action_at = :at WHERE id IN (
        SELECT id FROM lead
        WHERE status = 'unrouted' AND next_action_at > :at
          AND (CAST(:market_ids AS int[]) IS NULL OR market_id = ANY(CAST(:market_ids AS int[])))
        ORDER BY points DESC, created_at
        LIMIT :most
        FOR UPDATE SKIP LOCKED
    )
    """
)


def give_back_open(session: Session, dealer_id: int, at: datetime | None = None) -> None:
    """The lead is no longer open with this dealer; its place in the day's count stays used.

    The hottest of the leads that wait for a place with this dealer is due `at` once, if a place is
    free now.
    """
    session.execute(_CHANGE, {"dealer_id": dealer_id, "change": -1})
    if at is None:
        return
    if session.execute(_WAKE_ONE, {"dealer_id": dealer_id, "at": at}).first() is not None:
        wake(session, "leads")


def take_open_again(session: Session, dealer_id: int) -> None:
    """A closed lead was reopened: it counts as open once more, whatever the cap."""
    session.execute(_CHANGE, {"dealer_id": dealer_id, "change": 1})


def wake_unrouted(session: Session, market_ids: Collection[int] | None, at: datetime) -> None:
    """What these markets' leads (None: all) wait for may have come: a dealer or the policy was
    edited. Those that nobody could take are due `at` once, the hottest first."""
    markets = None if market_ids is None else sorted(market_ids)
    found = {"market_ids": markets, "at": at, "most": MOST_WOKEN}
    if session.execute(_WAKE_UNROUTED, found).rowcount:  # type: ignore[attr-defined]
        wake(session, "leads")
