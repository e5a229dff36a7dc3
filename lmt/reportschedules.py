"""When a saved report is mailed, to whom, with which files. Each verb commits.

Whoever sets a schedule names people that they know: themselves, and those who see no more than they
do. Each of them is answered for their own part of the world all the same (`lmt.reports.mailing`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from lmt.dealers import BadValues
from lmt.i18n import gettext as _
from lmt.models import Dealer, MailMute, ReportSchedule, SavedReport, User, UserScope
from lmt.notify.mutes import of_schedule
from lmt.reports.mailing import FILES, may_have_reports
from lmt.reports.timetable import EVERY, next_at
from lmt.savedreports import own_report
from lmt.scope import Actor, Part, as_system

PERMISSION = "report.read"
MOST_SCHEDULES = 50
MOST_RECIPIENTS = 50


@dataclass(frozen=True, slots=True)
class Terms:
    """What is set of a schedule; `recipients` by id, the other values as in its row."""

    every: str
    day: int
    minute: int
    timezone: str
    recipients: tuple[int, ...]
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mailed:
    """A schedule of somebody else's that the reader gets: whose, of which name; `left`: they want
    it no more."""

    schedule_id: int
    name: str
    by: str
    left: bool


def schedules_of(session: Session, user_id: int) -> Sequence[ReportSchedule]:
    """A person's own, the next due first, those that rest last."""
    return session.scalars(
        select(ReportSchedule)
        .options(joinedload(ReportSchedule.report))
        .where(ReportSchedule.user_id == user_id)
        .order_by(ReportSchedule.active.desc(), ReportSchedule.next_at, ReportSchedule.id)
        .limit(MOST_SCHEDULES)
    ).all()


def own_schedule(session: Session, schedule_id: int, actor: Actor) -> ReportSchedule:
    """Raises LookupError for one of somebody else."""
    found = session.scalars(
        select(ReportSchedule)
        .options(joinedload(ReportSchedule.report))
        .where(ReportSchedule.id == schedule_id, ReportSchedule.user_id == actor.user_id)
    ).first()
    if found is None:
        raise LookupError(f"no schedule {schedule_id}")
    return found


def set_schedule(
    session: Session,
    report_id: int,
    terms: Terms,
    *,
    at: datetime,
    actor: Actor,
    schedule_id: int | None = None,
) -> ReportSchedule:
    """A new schedule of one's own report, or (`schedule_id`) another one in its place; it runs.

    Raises BadValues, and LookupError for what is somebody else's.
    """
    assert actor.user_id is not None
    report = own_report(session, report_id, actor)
    problems = _problems(session, terms, actor)
    if schedule_id is None and len(schedules_of(session, actor.user_id)) >= MOST_SCHEDULES:
        problems["every"] = _("You have too many schedules. Delete one first.")
    if problems:
        raise BadValues(problems)
    if schedule_id is None:
        schedule = ReportSchedule(report_id=report.id, user_id=actor.user_id, created_at=at)
        session.add(schedule)
    else:
        schedule = _locked(session, schedule_id, actor)
    schedule.report_id = report.id
    schedule.every, schedule.day, schedule.minute = terms.every, terms.day, terms.minute
    schedule.timezone = terms.timezone
    schedule.recipients = list(dict.fromkeys(terms.recipients))
    schedule.files = [name for name in FILES if name in terms.files]
    schedule.active, schedule.next_at = True, _next_at(schedule, at)
    try:
        session.commit()
    except IntegrityError:
        session.rollback()
        raise LookupError(f"report {report_id} was deleted meanwhile") from None
    return schedule


def stop(session: Session, schedule_id: int, *, actor: Actor) -> None:
    """No mails until it is resumed; once more changes nothing. Raises LookupError."""
    schedule = _locked(session, schedule_id, actor)
    schedule.active = False
    session.commit()


def resume(session: Session, schedule_id: int, *, at: datetime, actor: Actor) -> None:
    """From the next due instant on: what was missed meanwhile stays so. Raises LookupError."""
    schedule = _locked(session, schedule_id, actor)
    if not schedule.active:
        schedule.active, schedule.next_at = True, _next_at(schedule, at)
    session.commit()


def delete(session: Session, schedule_id: int, *, actor: Actor) -> None:
    """Raises LookupError for one of somebody else."""
    session.delete(_locked(session, schedule_id, actor))
    session.commit()


def people_known(session: Session, actor: Actor) -> Select[User]:
    """Who may be sent a report by the actor, by name: active people with reports whose every part
    of the world lies within the actor's; the actor always."""
    known = User.id == actor.user_id
    if actor.everywhere:
        known = or_(known, User.id.is_not(None))
    else:
        known = or_(known, User.id.in_(_all_within(actor)))
    return select(User).where(may_have_reports(), known).order_by(func.lower(User.name), User.id)


def mailed_to(session: Session, person: User) -> list[Mailed]:
    """What others' schedules mail to a person, by name."""
    with as_system(session):
        rows = session.execute(
            select(ReportSchedule.id, SavedReport.name, User.name.label("by"))
            .join(SavedReport, SavedReport.id == ReportSchedule.report_id)
            .join(User, User.id == ReportSchedule.user_id)
            .where(
                ReportSchedule.active,
                ReportSchedule.user_id != person.id,
                ReportSchedule.recipients.contains([person.id]),
            )
            .order_by(func.lower(SavedReport.name), ReportSchedule.id)
            .limit(MOST_SCHEDULES)
        ).all()
    left = _left(session, person, [row.id for row in rows])
    return [Mailed(row.id, row.name, row.by, row.id in left) for row in rows]


def is_mailed_to(session: Session, schedule_id: int, person: User) -> bool:
    with as_system(session):
        found = session.scalars(
            select(ReportSchedule.id).where(
                ReportSchedule.id == schedule_id, ReportSchedule.recipients.contains([person.id])
            )
        ).first()
    return found is not None


def _left(session: Session, person: User, schedule_ids: Sequence[int]) -> set[int]:
    kinds = {of_schedule(id): id for id in schedule_ids}
    found = session.scalars(
        select(MailMute.kind).where(
            MailMute.recipient == person.email, MailMute.kind.in_(list(kinds))
        )
    )
    return {kinds[kind] for kind in found}


def _locked(session: Session, schedule_id: int, actor: Actor) -> ReportSchedule:
    """No worker mails it meanwhile, and none mails by what it was."""
    found = session.scalars(
        select(ReportSchedule)
        .where(ReportSchedule.id == schedule_id, ReportSchedule.user_id == actor.user_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        raise LookupError(f"no schedule {schedule_id}")
    return found


def _next_at(schedule: ReportSchedule, at: datetime) -> datetime:
    return next_at(schedule.every, schedule.day, schedule.minute, schedule.timezone, at)


def _problems(session: Session, terms: Terms, actor: Actor) -> dict[str, str]:
    problems = {}
    if terms.every not in EVERY:
        problems["every"] = _("Please choose one of the options.")
    first, last = {"week": (0, 6), "month": (1, 31)}.get(terms.every, (0, 31))
    if not first <= terms.day <= last:
        problems["day"] = _("Please choose a day.")
    if not 0 <= terms.minute < 24 * 60:
        problems["time"] = _("Please enter a time, such as 8:00.")
    if terms.timezone not in available_timezones():
        problems["timezone"] = _("Please choose a time zone from the list.")
    if set(terms.files) - set(FILES):
        problems["files"] = _("Please choose one of the options.")
    asked = set(terms.recipients)
    if not asked:
        problems["recipients"] = _("Please choose who gets it.")
    elif len(asked) > MOST_RECIPIENTS:
        problems["recipients"] = _("Choose %(most)s people at most.", most=MOST_RECIPIENTS)
    else:
        known = people_known(session, actor).where(User.id.in_(asked))
        if len(session.scalars(known).all()) < len(asked):
            problems["recipients"] = _("Choose people of yours who may see reports.")
    return problems


def _all_within(actor: Actor) -> Select[int]:
    """On the bare table of dealers: a group's dealers elsewhere must not be overlooked."""
    dealer = Dealer.__table__.c
    named = or_(
        dealer.id == UserScope.dealer_id,
        and_(UserScope.group_id.is_not(None), dealer.group_id == UserScope.group_id),
    )
    market = func.coalesce(UserScope.market_id, dealer.market_id)
    within = or_(false(), *(_within(part, market, dealer.id) for part in actor.parts))
    return (
        select(UserScope.user_id)
        .join(Dealer.__table__, named, isouter=True)
        .group_by(UserScope.user_id)
        .having(func.bool_and(func.coalesce(within, False)))
    )


def _within(
    part: Part, market: ColumnElement[Any], dealer: ColumnElement[Any]
) -> ColumnElement[bool]:
    """Whether a row of a person's scope, spread over its dealers, lies in the part."""
    conditions: list[ColumnElement[bool]] = []
    if part.market_id is not None:
        conditions.append(market == part.market_id)
    if part.dealer_id is not None:
        conditions.append(dealer == part.dealer_id)
    if part.brand_id is not None:
        conditions.append(UserScope.brand_id == part.brand_id)
    return and_(*conditions)
