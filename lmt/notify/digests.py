"""The mails of a dealer's morning and of a manager's week: put out when the day of each dealer
begins, by a job that may run as often as it likes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from lmt.calendars import dealer_calendars
from lmt.db import uuid7_floor
from lmt.i18n import best_locale
from lmt.lifecycle import WITH_DEALER
from lmt.models import (
    Absence,
    Dealer,
    DealerTerms,
    Lead,
    Market,
    Message,
    Offer,
    Role,
    User,
    UserScope,
)
from lmt.notify.messages import enqueue
from lmt.notify.mutes import muted
from lmt.notify.opening import next_morning
from lmt.workhours import Calendar, local_date

STILL_MORNING = timedelta(hours=3)
"""After a longer silence of ours the day's mail is left out: nobody begins the day with it."""
WORK, LEAD_TEAM = ("lead.work",), ("team.manage", "dealer.manage")
_WEEK = timedelta(days=7)
_LATELY = 3 * _WEEK
"""A week that somebody is told of ended a few days ago at most."""


@dataclass(frozen=True, slots=True)
class _Reader:
    email: str
    language: str
    timezone: str
    user_id: int | None = None


WeekFiguresOf = Callable[
    [Session, Mapping[int, tuple[date, Calendar]]], Mapping[int, dict[str, Any]]
]
"""By dealer (with the first day of its week, and its calendar) what its week was, as WeekFigures
but for the day; without those of whom there is nothing to tell."""


def enqueue_due(session: Session, at: datetime, week_figures: WeekFiguresOf) -> int:
    """Put out what is due at `at`, and commit; returns how many. Each mail once per reader and day
    (or week), however often this is called. A bounded number of queries, but one for each mail.
    `week_figures` is `lmt.reports.weekfigures.week_figures`: reports know more than mails."""
    opened, with_leads = _opened(session, at)
    waiting = {id: calendar for id, calendar in opened.items() if id in with_leads}
    put_out = _mornings(session, waiting, at) + _weeks(session, opened, at, week_figures)
    session.commit()
    return put_out


def _opened(session: Session, at: datetime) -> tuple[dict[int, Calendar], frozenset[int]]:
    """Dealers whose morning it is, and that have open leads or were offered some lately; which of
    them have open ones."""
    # Dealers first, then a look by index for each: the leads of all would be read otherwise.
    holds = select(Lead.id).where(
        Lead.dealer_id == Dealer.id, Lead.status.in_(sorted(WITH_DEALER)), Lead.test.is_(False)
    )
    lately = select(Offer.id).where(Offer.dealer_id == Dealer.id, Offer.offered_at > at - _LATELY)
    with_leads = frozenset(session.scalars(select(Dealer.id).where(holds.exists())))
    ids = with_leads.union(session.scalars(select(Dealer.id).where(lately.exists())))
    calendars = dealer_calendars(session, ids, at) if ids else {}
    opened = {id: calendar for id, calendar in calendars.items() if _is_morning(calendar, at)}
    return opened, with_leads


def _is_morning(calendar: Calendar, at: datetime) -> bool:
    opens_at = _morning_of(calendar, local_date(calendar, at))
    return opens_at is not None and opens_at <= at < opens_at + STILL_MORNING


def _morning_of(calendar: Calendar, day: date) -> datetime | None:
    """The first opening of this very day; None for a day off."""
    midnight = datetime.combine(day, time(), ZoneInfo(calendar.timezone))
    opens_at = next_morning(calendar, midnight)
    return opens_at if opens_at != midnight and local_date(calendar, opens_at) == day else None


def _mornings(session: Session, opened: Mapping[int, Calendar], at: datetime) -> int:
    readers = _readers(session, opened, at, WORK, or_mailbox=True)
    unwanted = muted(session, "dealer_digest")
    told = _told(session, "dealer_digest", at - timedelta(days=1))
    markets = _markets(session, opened)
    number = 0
    for dealer_id, reader in readers:
        day = local_date(opened[dealer_id], at).isoformat()
        cause = f"dealer:{dealer_id}:digest:{day}:{reader.email}"
        if reader.email in unwanted or cause in told:
            continue
        context = {"day": day} | ({} if reader.user_id is None else {"user_id": reader.user_id})
        number += _put_out(
            session, "dealer_digest", cause, reader, markets[dealer_id].id, dealer_id, context, at
        )
    return number


def _weeks(
    session: Session, opened: Mapping[int, Calendar], at: datetime, week_figures: WeekFiguresOf
) -> int:
    """On the first working morning of the market's week, about the week before."""
    markets = _markets(session, opened)
    first_days = {
        id: week
        for id, calendar in opened.items()
        if (week := _begun_week(calendar, markets[id].week_start, at)) is not None
    }
    unwanted = muted(session, "manager_weekly")
    told = _told(session, "manager_weekly", at - _WEEK)
    due = [
        (dealer_id, reader, cause)
        for dealer_id, reader in _readers(session, first_days, at, LEAD_TEAM)
        if (cause := f"dealer:{dealer_id}:week:{first_days[dealer_id]}:{reader.email}") not in told
        and reader.email not in unwanted
    ]
    figures = week_figures(session, {id: (first_days[id], opened[id]) for id, _r, _c in due})
    number = 0
    for dealer_id, reader, cause in due:
        if (told_of := figures.get(dealer_id)) is None:
            continue
        context = {"week": first_days[dealer_id].isoformat(), "figures": told_of}
        market_id = markets[dealer_id].id
        number += _put_out(
            session, "manager_weekly", cause, reader, market_id, dealer_id, context, at
        )
    return number


def _begun_week(calendar: Calendar, week_start: int, at: datetime) -> date | None:
    """The first day of the week before, where this is the first working day of the week."""
    today = local_date(calendar, at)
    begun = today - timedelta(days=(today.weekday() - week_start) % 7)
    for days in range((today - begun).days):
        if _morning_of(calendar, begun + timedelta(days=days)) is not None:
            return None
    return begun - _WEEK


def _readers(
    session: Session,
    dealer_ids: Collection[int],
    at: datetime,
    permissions: tuple[str, ...],
    *,
    or_mailbox: bool = False,
) -> list[tuple[int, _Reader]]:
    """(dealer, who reads its mail): its people with one of the permissions who are at work, or the
    dealer's own mailbox where there is nobody."""
    if not dealer_ids:
        return []
    found: list[tuple[int, _Reader]] = []
    for user, dealer_id in _people(session, dealer_ids, at, permissions):
        found.append((dealer_id, _Reader(user.email, user.language, user.timezone, user.id)))
    if not or_mailbox:
        return found
    alone = set(dealer_ids) - {dealer_id for dealer_id, _reader in found}
    terms = session.scalars(
        select(DealerTerms).where(DealerTerms.dealer_id.in_(alone), DealerTerms.holds_at(at))
    )
    mailboxes = [(t.dealer_id, _Reader(t.email, t.language, t.timezone)) for t in terms if t.email]
    return [*found, *mailboxes]


def _people(
    session: Session, dealer_ids: Collection[int], at: datetime, permissions: tuple[str, ...]
) -> Iterator[tuple[User, int]]:
    away = select(Absence.user_id).where(Absence.starts_at <= at, Absence.ends_at > at)
    of_group: dict[int, list[int]] = {}
    for dealer_id, group_id in session.execute(
        select(Dealer.id, Dealer.group_id).where(
            Dealer.id.in_(dealer_ids), Dealer.group_id.is_not(None)
        )
    ):
        of_group.setdefault(group_id or 0, []).append(dealer_id)
    mine = or_(UserScope.dealer_id.in_(dealer_ids), UserScope.group_id.in_(of_group))
    may = Role.permissions.overlap(list(permissions))
    people = session.scalars(
        select(User)
        .options(selectinload(User.scopes))
        .where(
            User.active,
            User.roles.any(may),
            User.scopes.any(mine),
            User.id.not_in(away),
        )
        .order_by(User.id)
    ).unique()
    wanted = set(dealer_ids)
    for user in people:
        theirs = {scope.dealer_id for scope in user.scopes if scope.dealer_id in wanted}
        for scope in user.scopes:
            theirs.update(of_group.get(scope.group_id or 0, ()))
        for dealer_id in sorted(id for id in theirs if id is not None):
            yield user, dealer_id


def _markets(session: Session, dealer_ids: Collection[int]) -> dict[int, Market]:
    if not dealer_ids:
        return {}
    dealers = session.scalars(
        select(Dealer).options(joinedload(Dealer.market)).where(Dealer.id.in_(dealer_ids))
    )
    return {dealer.id: dealer.market for dealer in dealers}


def _told(session: Session, kind: str, since_at: datetime) -> frozenset[str]:
    """Causes of mails that were put out already; ids are in the order of time."""
    return frozenset(
        session.scalars(
            select(Message.cause).where(Message.id >= uuid7_floor(since_at), Message.kind == kind)
        )
    )


def _put_out(
    session: Session,
    kind: str,
    cause: str,
    reader: _Reader,
    market_id: int,
    dealer_id: int,
    context: dict[str, Any],
    at: datetime,
) -> bool:
    return enqueue(
        session,
        cause=cause,
        kind=kind,
        audience="dealer",
        recipient=reader.email,
        language=best_locale([reader.language]),
        timezone=reader.timezone,
        market_id=market_id,
        dealer_id=dealer_id,
        context=context,
        at=at,
    )
