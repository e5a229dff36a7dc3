"""Adds facts up by market and month, so that a report of years need not read every lead.

What was added up holds until a fact of the month changes, which its slice says; a month that still
moves is left until it rests. The whole can be made anew, and compared with what stands.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import structlog
from sqlalchemy import Date, TextClause, bindparam, exc, func, select, text
from sqlalchemy.orm import Session

from lmt.db import SessionFactory
from lmt.models import FactSlice
from lmt.models.facts import COUNTERS, KEPT, SHARES, TIMES
from lmt.reports.dimensions import CUTS, KEEPING
from lmt.reports.refresh import BATCH, refresh
from lmt.reports.refresh import ONE_AT_A_TIME as FACTS_ARE_MADE
from lmt.scope import SYSTEM, act_as

log = structlog.get_logger(__name__)

RESTING = timedelta(minutes=10)
"""How long a month's facts stay as they are before they are added up anew."""
ONE_AT_A_TIME = 0x4C4D_0802
"""The advisory lock of whoever adds up."""

_SUMMED = (*COUNTERS, "value")
_OF_SLICE = "market_id = :market_id AND day >= :month AND day < (:month + interval '1 month')"


def roll(
    sessions: SessionFactory,
    at: datetime,
    *,
    resting: timedelta = RESTING,
    is_ending: Callable[[], bool] = lambda: False,
) -> int:
    """Add up the months whose facts changed, the last time before `resting`, the oldest change
    first, each in its own transaction; returns how many. Where another process is at it, there is
    nothing to do here. A month that can't be added up holds up none of the others: its facts are
    read meanwhile."""
    with act_as(sessions(), SYSTEM) as session:
        wanted = (
            select(FactSlice.market_id, FactSlice.month)
            .where(FactSlice.rolled_at.is_(None), FactSlice.changed_at <= at - resting)
            .order_by(FactSlice.changed_at, FactSlice.market_id, FactSlice.month)
        )
        due = session.execute(wanted).all()
    rolled = 0
    for market_id, month in due:
        if is_ending():
            break
        with act_as(sessions(), SYSTEM) as session:
            if not session.scalar(select(func.pg_try_advisory_xact_lock(ONE_AT_A_TIME))):
                break
            try:
                rolled += roll_slice(session, market_id, month, at)
            except (exc.DataError, exc.IntegrityError) as error:
                session.rollback()
                which = {"market_id": market_id, "month": str(month)}
                log.error("facts.month_not_added_up", **which, error=type(error).__name__)
            session.commit()
    return rolled


def roll_slice(session: Session, market_id: int, month: date, at: datetime) -> bool:
    """Add up one month of one market, inside the caller's transaction. Returns whether it now
    holds: facts may have changed while they were read, and then it is to be done once more."""
    which = {"market_id": market_id, "month": month}
    version = session.scalar(_VERSION, which)
    for statement in (*_CLEAR, *_ADD_UP):
        session.execute(statement, which)
    # Locked at the end only: who makes facts meanwhile is not kept waiting for the sums.
    if session.scalar(_LOCKED_VERSION, which) != version:
        session.rollback()
        return False
    session.execute(_ROLLED, {**which, "at": at})
    return True


def rebuild(
    sessions: SessionFactory,
    at: datetime,
    *,
    batch: int = BATCH,
    progress: Callable[[int], None] = lambda leads: None,
) -> tuple[int, int]:
    """Make all facts anew and add all months up anew; returns how many leads and months. Readers
    see the old ones meanwhile. `progress` is told the leads done so far."""
    with act_as(sessions(), SYSTEM) as session:
        # Those of leads that are no longer stored, too.
        session.execute(text("INSERT INTO fact_queue (lead_id) SELECT id FROM lead"))
        session.execute(
            text(
                "INSERT INTO fact_queue (lead_id) SELECT DISTINCT lead_id FROM"
                " (SELECT lead_id FROM lead_fact UNION ALL SELECT lead_id FROM share_fact) AS kept"
                " WHERE NOT EXISTS (SELECT FROM lead WHERE lead.id = kept.lead_id)"
            )
        )
        session.commit()
    leads = refresh(sessions, at, batch=batch, progress=progress)
    with act_as(sessions(), SYSTEM) as session:
        # Whoever makes facts marks many months: one after the other, or each waits for the other.
        session.execute(select(func.pg_advisory_xact_lock(FACTS_ARE_MADE)))
        session.execute(text("UPDATE fact_slice SET rolled_at = NULL"))
        session.commit()
    return leads, roll(sessions, at, resting=timedelta(0))


def _bound(statement: str) -> TextClause:
    return text(statement).bindparams(bindparam("month", type_=Date))


def sent_of_lead(name: str) -> str:
    """What is KEPT of a fact under this name, in SQL; NULL of a fact without a lead, and of one
    that lacks some of it."""
    sent = " || ".join(f"int{size}send({column})" for column, size in KEPT[name].items())
    return f"CASE WHEN leads <> 0 THEN {sent} END"


def _adding_up(cut: str, columns: tuple[str, ...]) -> TextClause:
    kept = ", ".join(("market_id", *columns))
    sums = ", ".join(f'sum("{name}")' for name in _SUMMED)
    keeping = KEEPING.get(cut, ())
    sent = {**{name: f"int4send({name})" for name in TIMES},
            **{name: sent_of_lead(name) for name in keeping}}  # fmt: skip
    packed = ", ".join(f"coalesce(string_agg({each}, ''::bytea), '')" for each in sent.values())
    names = ", ".join(f'"{name}"' for name in (*_SUMMED, *sent))
    return _bound(
        f"INSERT INTO fact_month (cut, month, {kept}, {names})"
        f" SELECT '{cut}', :month, {kept}, {sums}, {packed}"
        f" FROM lead_fact WHERE {_OF_SLICE} GROUP BY {kept}"
    )


def _adding_shares_up() -> TextClause:
    names = ", ".join(SHARES)
    sums = ", ".join(f"sum({name})" for name in SHARES)
    return _bound(
        f"INSERT INTO share_month (market_id, month, dealer_id, {names})"
        f" SELECT market_id, :month, dealer_id, {sums}"
        f" FROM share_fact WHERE {_OF_SLICE} GROUP BY market_id, dealer_id"
    )


_SLICE = "market_id = :market_id AND month = :month"
_VERSION = _bound(f"SELECT xmin::text FROM fact_slice WHERE {_SLICE}")
_LOCKED_VERSION = _bound(f"SELECT xmin::text FROM fact_slice WHERE {_SLICE} FOR UPDATE")
_ROLLED = _bound(f"UPDATE fact_slice SET rolled_at = :at WHERE {_SLICE}")
_CLEAR = tuple(
    _bound(f"DELETE FROM {table} WHERE {_SLICE}") for table in ("fact_month", "share_month")
)
_ADD_UP = (*(_adding_up(cut, columns) for cut, columns in CUTS.items()), _adding_shares_up())
