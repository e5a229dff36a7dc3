"""Caps, counted by the database at the moment of assignment so that nobody is overfilled.

One row per dealer holds the day's, the month's and the open leads; one statement checks and
counts. Callers hold the lead's lock already: lead, offer, dealer is the order of locks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from lmt.models import Dealer, DealerLoad
from lmt.routing.candidate import Candidate, Load
from lmt.routing.network import Network
from lmt.workhours import local_date

_Counts = tuple[date, int, int, int, int]

_ENSURE = text(
    "INSERT INTO dealer_load (dealer_id, day, day_used, month_used, open_used, received)"
    " VALUES (:dealer_id, :day, 0, 0, 0, 0) ON CONFLICT (dealer_id) DO NOTHING"
)
# A row of an earlier local date counts as zero, and the same statement moves it on. It never moves
# back: two workers whose clocks lie on either side of midnight would reset each other's counts.
_TAKE = text(
    """
    UPDATE dealer_load SET
        day_used = CASE WHEN day >= :day THEN day_used ELSE 0 END + 1,
        month_used = CASE WHEN date_trunc('month', day) >= date_trunc('month', CAST(:day AS date))
                     THEN month_used ELSE 0 END + 1,
        open_used = open_used + 1,
        received = received + 1,
        day = greatest(day, :day)
    WHERE dealer_id = :dealer_id
      AND (CAST(:day_cap AS int) IS NULL
           OR CASE WHEN day >= :day THEN day_used ELSE 0 END < :day_cap)
      AND (CAST(:month_cap AS int) IS NULL
           OR CASE WHEN date_trunc('month', day) >= date_trunc('month', CAST(:day AS date))
              THEN month_used ELSE 0 END < :month_cap)
      AND (CAST(:open_cap AS int) IS NULL OR open_used < :open_cap)
    RETURNING 1
    """
)

_UNTAKE = text(
    "UPDATE dealer_load SET day_used = day_used - 1, month_used = month_used - 1,"
    " open_used = open_used - 1, received = received - 1 WHERE dealer_id = :dealer_id"
)


def take_slot(
    session: Session, dealer: Candidate, at: datetime, *, within_caps: bool = True
) -> bool:
    """Count one more lead for the dealer; False, and nothing counted, where a cap is reached."""
    day = local_date(dealer.calendar, at)
    session.execute(_ENSURE, {"dealer_id": dealer.id, "day": day})
    taken = session.execute(
        _TAKE,
        {
            "dealer_id": dealer.id,
            "day": day,
            "day_cap": dealer.day_cap if within_caps else None,
            "month_cap": dealer.month_cap if within_caps else None,
            "open_cap": dealer.open_cap if within_caps else None,
        },
    ).first()
    return taken is not None


def untake_slot(session: Session, dealer_id: int) -> None:
    """As if this transaction's `take_slot` had never been; the row is still locked by it."""
    session.execute(_UNTAKE, {"dealer_id": dealer_id})


def one_move_at_a_time(session: Session, market_id: int) -> None:
    """A lead that moves from dealer to dealer locks the counts of both. Within a market one such
    move waits for the other, so that A to B and B to A never wait for each other."""
    session.execute(text("SELECT pg_advisory_xact_lock(7240714, :id)"), {"id": market_id})


class Loads(Mapping[int, Load]):
    """What each dealer of a market has received, on its own local date; worked out when asked."""

    def __init__(self, rows: Mapping[int, _Counts], network: Network, at: datetime) -> None:
        self._rows, self._network, self._at = rows, network, at

    def __getitem__(self, dealer_id: int) -> Load:
        day, day_used, month_used, open_used, received = self._rows[dealer_id]
        dealer = self._network.by_id(dealer_id)
        today = day if dealer is None else local_date(dealer.calendar, self._at)
        same_month = (day.year, day.month) >= (today.year, today.month)
        return Load(
            day_used=day_used if day >= today else 0,
            month_used=month_used if same_month else 0,
            open_used=open_used,
            received=received,
        )

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def loads_of(session: Session, market_id: int, network: Network, at: datetime) -> Loads:
    """The counts of the market's dealers, as this transaction sees them."""
    rows = session.execute(
        select(
            DealerLoad.dealer_id,
            DealerLoad.day,
            DealerLoad.day_used,
            DealerLoad.month_used,
            DealerLoad.open_used,
            DealerLoad.received,
        )
        .join(Dealer, Dealer.id == DealerLoad.dealer_id)
        .where(Dealer.market_id == market_id)
    )
    return Loads({row.dealer_id: _counts(row) for row in rows}, network, at)


def _counts(row: Row[*tuple[Any, ...]]) -> _Counts:
    return row.day, row.day_used, row.month_used, row.open_used, row.received
