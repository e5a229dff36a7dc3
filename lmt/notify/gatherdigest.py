"""A dealer's morning and a manager's week, as they stand when their mail's turn comes."""

from __future__ import annotations

import uuid
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from lmt.calendars import dealer_calendar
from lmt.lifecycle import WORKED, Status
from lmt.models import Absence, Lead, Message, Offer, PlannedAction, User
from lmt.notify.facts import Digest, DigestLead, DigestPart, MailFacts, WeekFigures
from lmt.notify.mutes import is_muted
from lmt.notify.recheck import Standing
from lmt.notify.recipients import terms_of
from lmt.workhours import local_date

OF_A_DAY = frozenset({"dealer_digest", "manager_weekly"})
MOST_SHOWN = 20
AHEAD = timedelta(days=7)
"""How far ahead a lead that rests is told to come back."""


def digest_standing(session: Session, message: Message, at: datetime) -> Standing:
    """Whether it is still its day, whether there is something to say, and somebody to say it to."""
    assert message.dealer_id is not None
    today = local_date(dealer_calendar(session, message.dealer_id, at), at)
    if message.kind == "manager_weekly":
        week = date.fromisoformat(message.context["week"])
        return Standing(
            waiting=1,
            is_past=not timedelta(days=7) <= today - week < timedelta(days=14),
            is_muted=is_muted(session, message.recipient, message.kind),
        )
    return Standing(
        waiting=_digest(session, message, at).count,
        is_past=today.isoformat() != message.context["day"],
        is_muted=is_muted(session, message.recipient, message.kind),
    )


def digest_facts(session: Session, message: Message, at: datetime) -> MailFacts:
    """The morning or the week, by what the message is."""
    if message.dealer_id is None:
        return MailFacts(written_at=at)
    name = terms_of(session, message.dealer_id, at).name
    if message.kind == "manager_weekly" and "figures" in message.context:
        told = dict(message.context["figures"])
        week = WeekFigures(first=date.fromisoformat(message.context["week"]), **told)
        return MailFacts(written_at=at, colleague=name, week=week)
    return MailFacts(written_at=at, colleague=name, digest=_digest(session, message, at))


def _digest(session: Session, message: Message, at: datetime) -> Digest:
    """What waits at the dealer: of the reader and of nobody, of whom they stand in for, too; of
    everybody for the dealer's own mailbox."""
    dealer_id = message.dealer_id
    assert dealer_id is not None
    zone = ZoneInfo(dealer_calendar(session, dealer_id, at).timezone)
    today = at.astimezone(zone).date()
    tomorrow_at = datetime.combine(today + timedelta(days=1), time(), zone)
    mine = and_(Lead.dealer_id == dealer_id, Lead.test.is_(False), _whose(session, message, at))
    open_plan = and_(PlannedAction.done_at.is_(None), PlannedAction.dealer_id == dealer_id)
    offers = (
        select(Lead, Offer.expires_at, Offer.id)
        .join(Offer, and_(Offer.lead_id == Lead.id, Offer.state == "open"))
        .where(mine, Lead.status == Status.OFFERED, Offer.expires_at > at)
    )
    plans = (
        select(Lead, PlannedAction.due_at, PlannedAction)
        .join(PlannedAction, PlannedAction.lead_id == Lead.id)
        .where(mine, Lead.status.in_(WORKED), open_plan)
    )
    back = select(Lead, Lead.resting_until).where(
        mine, Lead.status == Status.RESTING, Lead.resting_until < at + AHEAD
    )
    return Digest(
        new=_part(session, offers, Offer.expires_at),
        overdue=_part(session, plans.where(PlannedAction.due_at < at), PlannedAction.due_at),
        today=_part(
            session,
            plans.where(PlannedAction.due_at >= at, PlannedAction.due_at < tomorrow_at),
            PlannedAction.due_at,
        ),
        back=_part(session, back, Lead.resting_until),
    )


def _whose(session: Session, message: Message, at: datetime) -> ColumnElement[bool]:
    user_id = message.context.get("user_id")
    if user_id is None:
        return Lead.id.is_not(None)
    away = select(Absence.user_id).where(
        Absence.deputy_id == user_id, Absence.starts_at <= at, Absence.ends_at > at
    )
    theirs = [user_id, *session.scalars(away)]
    whose = or_(Lead.owner_id.is_(None), Lead.owner_id.in_(theirs))
    reader = session.get(User, user_id)
    of_dealer = [] if reader is None else [s for s in reader.scopes if s.market_id is None]
    brands = {scope.brand_id for scope in of_dealer}
    if not brands or None in brands:
        return whose
    return and_(whose, Lead.brand_id.in_([brand for brand in brands if brand is not None]))


def _part(
    session: Session, statement: Select[*tuple[Any, ...]], by: ColumnElement[Any] | Any
) -> DigestPart:
    rows = session.execute(
        statement.options(joinedload(Lead.brand)).order_by(by, Lead.id).limit(MOST_SHOWN)
    ).all()
    count = len(rows)
    if count == MOST_SHOWN:
        ids = statement.with_only_columns(Lead.id).order_by(None)
        count = session.scalars(select(func.count()).select_from(ids.subquery())).one()
    return DigestPart(tuple(_line(*row) for row in rows), count)


def _line(lead: Lead, at: datetime, of: PlannedAction | uuid.UUID | None = None) -> DigestLead:
    """`of`: the plan that is due, or the offer that waits."""
    plan = of if isinstance(of, PlannedAction) else None
    return DigestLead(
        lead_id=str(lead.id),
        reference=lead.reference,
        at=at,
        who=lead.full_name or lead.company,
        phone=lead.phone,
        phone_shown=_readable(lead.phone),
        request_type=lead.request_type,
        car=" ".join(part for part in (lead.brand.name if lead.brand else "", lead.model) if part),
        plan=plan.kind if plan else "",
        note=plan.note if plan else "",
        offer_id=str(of) if isinstance(of, uuid.UUID) else "",
    )


def _readable(phone: str) -> str:
    """As `gather` writes it."""
    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return phone
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
