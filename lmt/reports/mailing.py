"""Saved reports that are mailed again and again: rows say which are due, to whom.

What is due is put out here, one message for each recipient; what a mail says is made when its turn
comes (`lmt.reports.reportmail`), as its reader sees it then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, selectinload

from lmt.config import Settings
from lmt.db import SessionFactory
from lmt.i18n import best_locale
from lmt.models import Dealer, Market, ReportSchedule, Role, User
from lmt.notify.messages import enqueue
from lmt.notify.mutes import SCHEDULED, muted, of_schedule
from lmt.reports.timetable import next_at
from lmt.scope import SYSTEM, Actor, act_as, actor_of

log = structlog.get_logger(__name__)

PERMISSION = "report.read"
FILES = ("xlsx", "csv", "pdf")


@dataclass(frozen=True, slots=True)
class _Home:
    """Where a recipient's mail is kept in sight of: a market, and whether they are at a dealer."""

    market_id: int
    at_dealer: bool


def mail_due(sessions: SessionFactory, settings: Settings, at: datetime) -> int:
    """Put out what is due at `at`; returns how many mails.

    Each schedule is one transaction: its mails and its next instant are written together or not at
    all, and no other worker holds it meanwhile. What was missed is mailed once, not once for each
    instant.
    """
    put_out = 0
    while True:
        with act_as(sessions(), SYSTEM) as session:
            schedule = _claimed(session, at)
            if schedule is None:
                return put_out
            mails = _put_out(session, schedule, at)
            schedule.last_at = schedule.next_at
            schedule.next_at = next_at(
                schedule.every, schedule.day, schedule.minute, schedule.timezone, at
            )
            session.commit()
            log.info("reports.mailed", schedule=schedule.id, mails=mails)
        put_out += mails


def may_have_reports() -> ColumnElement[bool]:
    """Of a user."""
    return User.active & User.roles.any(Role.permissions.contains([PERMISSION]))


def _claimed(session: Session, at: datetime) -> ReportSchedule | None:
    return session.scalars(
        select(ReportSchedule)
        .where(ReportSchedule.active, ReportSchedule.next_at <= at)
        .order_by(ReportSchedule.next_at, ReportSchedule.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()


def _put_out(session: Session, schedule: ReportSchedule, at: datetime) -> int:
    people = _readers(session, [schedule.user_id, *schedule.recipients])
    if schedule.user_id not in {person.id for person in people}:
        # Whoever set it has left or sees no reports any more, and nobody else could stop it.
        schedule.active = False
        return 0
    unwanted = muted(session, of_schedule(schedule.id))
    mails = 0
    for person in people:
        if person.id not in schedule.recipients or person.email in unwanted:
            continue
        home = _home_of(session, actor_of(person))
        if home is None:
            continue
        mails += enqueue(
            session,
            cause=f"schedule:{schedule.id}:{schedule.next_at.isoformat()}:{person.id}",
            kind=SCHEDULED,
            audience="dealer" if home.at_dealer else "headquarters",
            recipient=person.email,
            language=best_locale([person.language]),
            timezone=person.timezone,
            market_id=home.market_id,
            context={"schedule_id": schedule.id, "user_id": person.id},
            at=at,
        )
    return mails


def _readers(session: Session, ids: Sequence[int]) -> Sequence[User]:
    return session.scalars(
        select(User)
        .options(selectinload(User.scopes))
        .where(User.id.in_(ids), may_have_reports())
        .order_by(User.id)
    ).all()


def _home_of(session: Session, actor: Actor) -> _Home | None:
    """The one market of what somebody sees, or the first of several; None for who sees nothing."""
    if actor.everywhere or (actor.parts and not actor.markets and not actor.dealers):
        first = session.scalars(select(func.min(Market.id))).one()
        return None if first is None else _Home(first, at_dealer=False)
    if actor.markets:
        return _Home(min(actor.markets), at_dealer=False)
    at_home = select(func.min(Dealer.market_id)).where(Dealer.id.in_(actor.dealers))
    market_id = session.scalars(at_home).one() if actor.dealers else None
    return None if market_id is None else _Home(market_id, at_dealer=True)
