"""What the mails of the three faces tell beyond the lead: gathered when their turn comes."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime
from email.utils import parseaddr

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.calendars import dealer_calendar
from lmt.config import Settings
from lmt.i18n import reading
from lmt.models import (
    Event,
    Feedback,
    HelpPost,
    HelpThread,
    Lead,
    Message,
    PlannedAction,
    Reply,
    User,
)
from lmt.notify.envelope import File
from lmt.notify.facts import DealerCard, MailFacts
from lmt.notify.icsfile import appointment_as_ics, plan_as_ics
from lmt.notify.recheck import Standing

TO_CUSTOMERS = frozenset({"customer_appointment", "customer_appointment_cancelled"})
WITH_A_PLAN = TO_CUSTOMERS | {"plan_reminder", "dealer_appointment"}
"""Kinds that carry a calendar entry."""
_OF_A_THREAD = frozenset({"help_asked", "help_answered"})


def face_standing(session: Session, message: Message, now: Standing, at: datetime) -> Standing:
    """How things stand, with what only these kinds ask."""
    kind, lead, context = message.kind, message.lead, message.context
    if kind in WITH_A_PLAN and "plan_id" in context:
        plan = _plan(session, context["plan_id"])
        return replace(
            now,
            is_plan_off=plan is not None and plan.cancelled_at is not None,
            is_past=kind != "plan_reminder" and plan is not None and plan.due_at <= at,
            what=str(context.get("what", "")),
        )
    if kind == "customer_closed":
        return replace(now, is_settled=lead is None or lead.status != context.get("status"))
    if kind == "customer_feedback":
        given = None if lead is None else session.get(Feedback, lead.id)
        return replace(now, is_settled=given is not None)
    if kind == "colleague_handed" and lead is not None:
        return replace(now, is_holder=now.is_holder and lead.owner_id == context.get("to"))
    if kind == "help_asked":
        thread = _thread(session, message)
        return replace(now, is_settled=thread is None or thread.closed_at is not None)
    return now


def face_facts(
    session: Session, message: Message, facts: MailFacts, settings: Settings
) -> MailFacts:
    """`facts` with what only these kinds tell; a proof of a mail has nothing of it."""
    context, kind = message.context, message.kind
    if kind == "customer_reply" and "reply_id" in context:
        reply = session.get_one(Reply, uuid.UUID(context["reply_id"]))
        author = "" if reply.author is None else reply.author.name
        return replace(facts, title=reply.subject, said=reply.body, by=author)
    if kind in {"dealer_customer_message", "colleague_mentioned", "colleague_handed"}:
        said = _text_of(session, context.get("event_id"))
        return replace(facts, said=said, by=_name(session, context.get("by")))
    if kind in _OF_A_THREAD and "thread_id" in context:
        return _of_thread(session, message, facts, settings)
    if kind == "customer_closed":
        return replace(facts, closed_as=str(context.get("status", "")))
    if kind == "dealer_tapped" and "tapped_at" in context:
        tapped_at = datetime.fromisoformat(context["tapped_at"])
        by = str(context.get("recipient", ""))
        return replace(facts, what=str(context.get("purpose", "")), by=by, what_at=tapped_at)
    return replace(facts, what=str(context.get("what", "")))


def plan_files(
    session: Session,
    message: Message,
    lead: Lead,
    plan: PlannedAction,
    settings: Settings,
    at: datetime,
    dealer: DealerCard | None,
    page: str,
) -> list[File]:
    """The planned step as a calendar entry: the customer's own, or the salesperson's.

    `page` is the customer's page.
    """
    zone = dealer_calendar(session, plan.dealer_id, at).timezone
    name, told_at = f"{lead.reference}.ics", message.created_at
    if message.kind in TO_CUSTOMERS:
        cancelled = message.kind == "customer_appointment_cancelled"
        with reading(message.language, zone):
            entry = appointment_as_ics(
                plan,
                lead,
                dealer or DealerCard(name=settings.mail_from),
                zone=zone,
                address=page,
                sender=parseaddr(settings.mail_from)[1],
                at=at,
                told_at=told_at,
                cancelled=cancelled,
            )
        return [File(name, "text/calendar", entry, "CANCEL" if cancelled else "REQUEST")]
    cancelled = message.kind == "dealer_appointment" and plan.cancelled_at is not None
    address = f"{settings.base_url}/desk/leads/{lead.id}"
    with reading(message.language, zone):
        entry = plan_as_ics(
            plan, lead, zone=zone, address=address, at=at, told_at=told_at, cancelled=cancelled
        )
    return [File(name, "text/calendar", entry, "CANCEL" if cancelled else "")]


def _of_thread(
    session: Session, message: Message, facts: MailFacts, settings: Settings
) -> MailFacts:
    """The latest word of the other side, and where to answer it."""
    thread = _thread(session, message)
    if thread is None:
        return facts
    asks = message.kind == "help_asked"
    of_asker = HelpPost.author_id == thread.asked_by
    latest = session.scalars(
        select(HelpPost)
        .where(HelpPost.thread_id == thread.id, of_asker if asks else ~of_asker)
        .order_by(HelpPost.id.desc())
        .limit(1)
    ).first()
    page = f"/hq/questions/{thread.id}" if asks else f"/desk/leads/{thread.lead_id}"
    return replace(
        facts,
        said="" if latest is None else latest.text,
        by="" if latest is None else latest.author.name,
        thread_url=settings.base_url + page,
    )


def _thread(session: Session, message: Message) -> HelpThread | None:
    return session.get(HelpThread, uuid.UUID(message.context["thread_id"]))


def _plan(session: Session, plan_id: int) -> PlannedAction | None:
    return session.scalars(select(PlannedAction).where(PlannedAction.id == plan_id)).first()


def _text_of(session: Session, event_id: str | None) -> str:
    if not event_id:
        return ""
    told = session.scalars(select(Event.data).where(Event.id == uuid.UUID(event_id))).first()
    said = told or {}
    return str(said.get("text") or said.get("note") or "")


def _name(session: Session, user_id: int | None) -> str:
    if user_id is None:
        return ""
    return session.scalars(select(User.name).where(User.id == user_id)).first() or ""
