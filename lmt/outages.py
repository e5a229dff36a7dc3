"""While the service or its mail was down, no dealer could answer: what was lost is given back.

An outage of the service shows in the gap between heartbeats; the first worker to beat again gives
every offer that ran meanwhile its lost working minutes, before any lead is advanced. The mail's
begins when the server takes nothing, and ends with the next mail that leaves.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from lmt.calendars import dealer_calendar
from lmt.models import Heartbeat, Lead, Offer, Outage, record
from lmt.offerclock import extend, runs_from
from lmt.workhours import Calendar, add_working_minutes, working_minutes_between

LONGEST_SILENCE = timedelta(seconds=90)
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(7240717)")


def notice_silence(session: Session, at: datetime) -> Outage | None:
    """Call before a worker says that it lives: was nobody there for a while? No commit, but the
    caller's next heartbeat must be in the same transaction, or the gap would count twice."""
    session.execute(_ONE_AT_A_TIME)
    last = session.scalars(select(func.max(Heartbeat.at)).where(Heartbeat.kind == "worker")).one()
    if last is None or at - last <= LONGEST_SILENCE:
        return None
    outage = Outage(kind="service", began_at=last, ended_at=at)
    session.add(outage)
    session.flush()
    give_back_time(session, outage, at)
    return outage


def mail_fails(session: Session, at: datetime) -> None:
    """The mail server takes nothing. An outage that goes on has no length yet. No commit."""
    session.execute(_ONE_AT_A_TIME)
    if _running_mail_outage(session) is None:
        session.add(Outage(kind="mail", began_at=at, ended_at=at))
        session.flush()


def mail_works(session: Session, at: datetime) -> Outage | None:
    """A mail left: an outage that went on is over, and offers get their time back. No commit."""
    if _running_mail_outage(session) is None:
        return None
    session.execute(_ONE_AT_A_TIME)
    outage = _running_mail_outage(session)
    if outage is None:
        return None
    # An outage without a length would be taken for one that goes on.
    outage.ended_at = max(at, outage.began_at + timedelta(milliseconds=1))
    session.flush()
    give_back_time(session, outage, at)
    return outage


def give_back_time(session: Session, outage: Outage, at: datetime) -> int:
    """Every offer whose clock ran during the outage ends later by the working minutes that fell
    into it; returns how many did. A clock that had not begun has lost nothing."""
    began, ended = outage.began_at, outage.ended_at
    leads = session.scalars(
        select(Lead)
        .join(Offer, Offer.lead_id == Lead.id)
        .where(
            Offer.state == "open",
            Offer.expires_at > began,
            or_(Offer.clock_at < ended, Offer.offered_at < began),
        )
        .order_by(Lead.id)
        .with_for_update(of=Lead)
        .execution_options(populate_existing=True)
    ).all()
    calendars: dict[int, Calendar] = {}
    moved = 0
    for lead in leads:
        offer = session.scalars(
            select(Offer)
            .where(Offer.lead_id == lead.id, Offer.state == "open")
            .with_for_update(of=Offer)
            .execution_options(populate_existing=True)
        ).first()
        if offer is None:
            continue  # answered while we waited for its lead
        if offer.dealer_id not in calendars:
            calendars[offer.dealer_id] = dealer_calendar(session, offer.dealer_id, at)
        calendar = calendars[offer.dealer_id]
        since = max(began, runs_from(offer))
        left = working_minutes_between(calendar, since, offer.expires_at)
        until = add_working_minutes(calendar, ended, left)
        if until is None or since >= ended or not extend(lead, offer, until):
            continue
        record(
            session,
            lead.id,
            "extended",
            at=at,
            dealer_id=offer.dealer_id,
            cause=f"{outage.kind}_outage",
            expires_at=until.isoformat(),
        )
        moved += 1
    return moved


def lost_minutes(session: Session, calendar: Calendar, since: datetime, at: datetime) -> float:
    """Working minutes between the instants in which the service was down."""
    outages = session.execute(
        select(Outage.began_at, Outage.ended_at).where(
            Outage.kind == "service", Outage.ended_at > since, Outage.began_at < at
        )
    )
    return sum(
        working_minutes_between(calendar, max(began, since), min(ended, at))
        for began, ended in outages
    )


def _running_mail_outage(session: Session) -> Outage | None:
    return session.scalars(
        select(Outage)
        .where(Outage.kind == "mail", Outage.began_at == Outage.ended_at)
        .order_by(Outage.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    ).first()
