"""Caps, counted by the database at the moment of assignment so that nobody is overfilled.

One row per dealer holds the day's, the month's and the open leads; one statement checks and
counts. Callers hold the lead's lock already: lead, offer, dealer is the order of locks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lmt.models import Dealer, DealerLoad
from lmt.routing.candidate import Candidate, Load
from lmt.routing.network import Network
from lmt.workhours import local_date

_ENSURE = text(
    "INSERT INTO dealer_load (dealer_id, day, day_used, month_used, open_used, received)"
    " VALUES (:dealer_id, :day, 0, 0, 0, 0) ON CONFLICT (dealer_id) DO NOTHING"
)
# A row of an earlier local date counts as zero; the same statement moves it on.
_TAKE = text(
    """
    UPDATE dealer_load SET
        day_used = CASE WHEN day = :day THEN day_used ELSE 0 END + 1,
        month_used = CASE WHEN date_trunc('month', day) = date_trunc('month', CAST(:day AS date))
                     THEN month_used ELSE 0 END + 1,
        open_used = open_used + 1,
        received = received + 1,
        day = :day
    WHERE dealer_id = :dealer_id
      AND (CAST(:day_cap AS int) IS NULL
           OR CASE WHEN day = :day THEN day_used ELSE 0 END < :day_cap)
      AND (CAST(:month_cap AS int) IS NULL
           OR CASE WHEN date_trunc('month', day) = date_trunc('month', CAST(:day AS date))
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


def loads_of(
    session: Session, market_id: int, network: Network, at: datetime
) -> Mapping[int, Load]:
    """What each dealer of the market has received, on its own local date."""
    rows = session.scalars(
        select(DealerLoad)
        .join(Dealer, Dealer.id == DealerLoad.dealer_id)
        .where(Dealer.market_id == market_id)
    )
    days = {each.id: local_date(each.calendar, at) for each in network.candidates()}
    return {row.dealer_id: _load(row, days.get(row.dealer_id, row.day)) for row in rows}


def _load(row: DealerLoad, today: date) -> Load:
    this_month = (row.day.year, row.day.month) == (today.year, today.month)
    return Load(
        day_used=row.day_used if row.day == today else 0,
        month_used=row.month_used if this_month else 0,
        open_used=row.open_used,
        received=row.received,
    )
