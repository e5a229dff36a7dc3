"""Imported leads that wait for their release are spaced anew: some were taken back, or the market
changed its rate."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lmt.db import wake
from lmt.models import Release
from lmt.routing.facts import policy_book_of

_HOUR = timedelta(hours=1)
# The next goes when it would have gone, at most one step from now; the others close up behind it.
# A lead that somebody holds just now keeps its instant: who holds the cursor waits for no lead, as
# an import that holds leads waits for the cursor. What moved by less than a second is not written.
_SPACE = text(
    """
    WITH waiting AS (
      SELECT id, next_action_at FROM lead
      WHERE status = 'received' AND import_id IS NOT NULL AND market_id = :market_id
        AND postponed = 0 AND NOT test AND next_action_at > :at
      FOR NO KEY UPDATE SKIP LOCKED
    ), spaced AS (
      SELECT id, next_action_at,
        least(min(next_action_at) OVER (), CAST(:first_at AS timestamptz))
          + CAST(:step AS interval)
            * (row_number() OVER (ORDER BY next_action_at, id) - 1) AS new_at
      FROM waiting
    ), moved AS (
      UPDATE lead SET next_action_at = spaced.new_at FROM spaced
      WHERE lead.id = spaced.id
        AND spaced.new_at NOT BETWEEN spaced.next_action_at - interval '1 second'
                              AND spaced.next_action_at + interval '1 second'
    )
    SELECT max(new_at) FROM spaced
    """
)


def respace(session: Session, market_id: int, at: datetime) -> None:
    """Let the market's waiting leads set off by the rate that holds at `at`, in their order; all of
    them at once where there is none. Changes nothing where they do already. No commit."""
    cursor = session.scalars(
        select(Release).where(Release.market_id == market_id).with_for_update()
    ).first()
    if cursor is None or cursor.next_at <= at:
        return
    rate = policy_book_of(session, market_id, at)[1].base.release_per_hour
    step = timedelta(0) if rate is None else _HOUR / rate
    first_at = min(cursor.next_at, at + step)
    last_at = session.execute(
        _SPACE, {"market_id": market_id, "at": at, "first_at": first_at, "step": step}
    ).scalar_one()
    cursor.next_at = first_at if last_at is None else last_at + step
    session.flush()
    wake(session, "leads")


def respace_all(session: Session, at: datetime) -> None:
    """The same for every market whose leads wait, one after the other; commits each."""
    waiting = select(Release.market_id).where(Release.next_at > at).order_by(Release.market_id)
    for market_id in session.scalars(waiting).all():
        respace(session, market_id, at)
        session.commit()
