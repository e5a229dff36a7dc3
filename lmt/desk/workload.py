"""How much each colleague of a dealer has in hand, asked in two grouped queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from lmt.lifecycle import WITH_DEALER, WORKED
from lmt.models import Lead, PlannedAction

NEW_DAYS = 7


@dataclass(frozen=True, slots=True)
class Workload:
    """Leads `open`, of these `overdue` (a planned action or the promised call is past) and `new`
    in the last seven days; actions still `planned` for today."""

    open: int = 0
    overdue: int = 0
    new: int = 0
    planned: int = 0


def workloads(
    session: Session, dealer_id: int, *, at: datetime, day: tuple[datetime, datetime]
) -> dict[int | None, Workload]:
    """By colleague, None for leads that nobody has taken; `day` is the dealer's today, half open.
    Who has nothing is not in it."""
    plan = (
        select(func.min(PlannedAction.due_at))
        .where(PlannedAction.lead_id == Lead.id, PlannedAction.done_at.is_(None))
        .correlate(Lead)
        .scalar_subquery()
    )
    due = func.least(plan, case((Lead.contacted_at.is_(None), Lead.promise_at)))
    leads = session.execute(
        select(
            Lead.owner_id,
            func.count(),
            func.count().filter(Lead.status.in_(sorted(WORKED)), due < at),
            func.count().filter(Lead.offered_at >= at - timedelta(days=NEW_DAYS)),
        )
        .where(Lead.dealer_id == dealer_id, Lead.status.in_(sorted(WITH_DEALER)))
        .group_by(Lead.owner_id)
    ).all()
    owner = func.coalesce(PlannedAction.owner_id, Lead.owner_id)
    plans = session.execute(
        select(owner, func.count())
        .join(Lead, Lead.id == PlannedAction.lead_id)
        .where(
            PlannedAction.dealer_id == dealer_id,
            Lead.dealer_id == dealer_id,
            PlannedAction.due_at >= day[0],
            PlannedAction.due_at < day[1],
            PlannedAction.done_at.is_(None),
        )
        .group_by(owner)
    ).all()
    planned: dict[int | None, int] = {row[0]: row[1] for row in plans}
    held: dict[int | None, tuple[int, int, int]] = {
        row[0]: (row[1], row[2], row[3]) for row in leads
    }
    return {
        user_id: Workload(*held.get(user_id, (0, 0, 0)), planned=planned.get(user_id, 0))
        for user_id in held.keys() | planned.keys()
    }
