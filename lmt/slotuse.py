"""The places of a bookable time, counted where they can't be overrun: in one row, by one statement.

Plans end in many ways that know nothing of bookings. A plan that ended before its time still
counts here until `free` gives its place back, so whoever counts asks for those, too. One
that ended with a sale or a loss keeps its place until it is freed: that end may be taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from sqlalchemy import ColumnElement, Table, and_, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lmt.lifecycle import Status
from lmt.models import Lead, PlannedAction, SlotUse

# Bare tables: a place is taken or free whoever asks.
_USE = cast(Table, SlotUse.__table__)
_PLAN = PlannedAction.__table__.c
_LEAD = Lead.__table__.c


def take(session: Session, dealer_id: int, kind: str, starts_at: datetime, capacity: int) -> bool:
    """Take a place, if one is free; whoever else wants the last one waits until we commit."""
    if capacity < 1:
        return False
    row = insert(_USE).values(dealer_id=dealer_id, kind=kind, starts_at=starts_at, used=1)
    taken = session.execute(
        row.on_conflict_do_update(
            index_elements=["dealer_id", "kind", "starts_at"],
            set_={"used": _USE.c.used + 1},
            where=_USE.c.used < capacity,
        ).returning(_USE.c.used)
    )
    return taken.first() is not None or _take_over(session, dealer_id, kind, starts_at, capacity)


def _take_over(
    session: Session, dealer_id: int, kind: str, starts_at: datetime, capacity: int
) -> bool:
    """All is taken: but perhaps by plans that ended. Counted behind the lock, as given back."""
    this = (_USE.c.dealer_id == dealer_id, _USE.c.kind == kind, _USE.c.starts_at == starts_at)
    taken = session.scalars(select(_USE.c.used).where(*this).with_for_update()).one()
    over = session.scalars(
        select(func.count()).where(
            _PLAN.dealer_id == dealer_id,
            _PLAN.kind == kind,
            _PLAN.slot_at == starts_at,
            _is_over(),
        )
    ).one()
    if taken - over >= capacity:
        return False
    session.execute(update(_USE).where(*this).values(used=taken + 1))
    return True


def _is_over() -> ColumnElement[bool]:
    ended = (Status.WON, Status.LOST)
    undoable = select(_LEAD.id).where(_LEAD.id == _PLAN.lead_id, _LEAD.status.in_(ended))
    return and_(_PLAN.done_at.is_not(None), ~undoable.exists())


def free(session: Session, plan: PlannedAction) -> None:
    """Give the place back that the plan holds, if it holds one."""
    if plan.slot_at is None:
        return
    session.execute(
        update(_USE)
        .where(
            _USE.c.dealer_id == plan.dealer_id,
            _USE.c.kind == plan.kind,
            _USE.c.starts_at == plan.slot_at,
            _USE.c.used > 0,
        )
        .values(used=_USE.c.used - 1)
    )
    plan.slot_at = None


def lock(session: Session, plan: PlannedAction, starts_at: datetime) -> None:
    """Before a plan changes its time: lock both in the order of time, as everybody does."""
    session.execute(
        select(_USE.c.used)
        .where(
            _USE.c.dealer_id == plan.dealer_id,
            _USE.c.kind == plan.kind,
            _USE.c.starts_at.in_([plan.slot_at or starts_at, starts_at]),
        )
        .order_by(_USE.c.starts_at)
        .with_for_update()
    )


def used(
    session: Session, dealer_id: int, kind: str, since: datetime, until: datetime
) -> Mapping[datetime, int]:
    """How many places are taken of the times in [since, until)."""
    counted = session.execute(
        select(_USE.c.starts_at, _USE.c.used).where(
            _USE.c.dealer_id == dealer_id,
            _USE.c.kind == kind,
            _USE.c.starts_at >= since,
            _USE.c.starts_at < until,
        )
    )
    ended = session.execute(
        select(_PLAN.slot_at, func.count())
        .where(
            _PLAN.dealer_id == dealer_id,
            _PLAN.kind == kind,
            _PLAN.slot_at >= since,
            _PLAN.slot_at < until,
            _is_over(),
        )
        .group_by(_PLAN.slot_at)
    )
    over = {row[0]: row[1] for row in ended}
    return {starts_at: number - over.get(starts_at, 0) for starts_at, number in counted}
