"""What people at a desk, at headquarters and on the customer's page do, told to the others: each
verb leaves its outbox rows in the caller's transaction."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.calendars import dealer_calendar, desk_calendar
from lmt.donotcontact import stopped
from lmt.i18n import best_locale
from lmt.lifecycle import Status
from lmt.models import HelpThread, Lead, Message, PlannedAction, Reply, Tap, User
from lmt.notify.messages import enqueue
from lmt.notify.opening import next_at_work
from lmt.notify.recipients import (
    Addressee,
    colleague_or_dealer,
    deputy_context,
    market_keepers,
    may_be_told,
    owner_of,
    present,
    present_keepers,
    terms_of,
)
from lmt.scope import as_system

UNDO_TIME = timedelta(minutes=10)
"""How long an end that was recorded by mistake can be taken back before the customer reads it."""
ANSWERS_HELP = "help.answer"
SAYS_GOODBYE = frozenset({Status.WON, Status.LOST, Status.WITHDRAWN})
NO_GOODBYE = frozenset({"do_not_contact", "bad_data"})
"""Reasons of a loss after which the customer hears nothing more."""


def tell_customer_appointment(
    session: Session, lead: Lead, plan: PlannedAction, at: datetime
) -> None:
    """When to come, or be called; with the calendar entry, which replaces an earlier one."""
    _tell_customer_plan(session, "customer_appointment", lead, plan, at)


def tell_customer_appointment_cancelled(
    session: Session, lead: Lead, plan: PlannedAction, at: datetime
) -> None:
    """It was called off; the calendar entry goes with it."""
    _tell_customer_plan(session, "customer_appointment_cancelled", lead, plan, at)


def tell_customer_closed(session: Session, lead: Lead, at: datetime) -> None:
    """The request is over: thanks for a sale, a polite end after contact, or the confirmation that
    it was withdrawn; once per lead and end. Nothing for ends that the customer knows nothing of.
    An end that was taken back before they read of it does not count."""
    if lead.status not in SAYS_GOODBYE:
        return
    if lead.status == Status.LOST and (lead.contacted_at is None or lead.cause in NO_GOODBYE):
        return
    if lead.status == Status.WITHDRAWN and lead.cause != "customer":
        return
    if not may_be_told(session, lead) or _wants_no_mail(session, lead):
        return
    if _was_told_closed(session, lead):
        return
    due_at = at if lead.status == Status.WITHDRAWN else at + UNDO_TIME
    _to_customer(
        session,
        "customer_closed",
        f"lead:{lead.id}:closed:{lead.status}:{at.isoformat()}",
        lead,
        {"status": str(lead.status)},
        at,
        due_at=due_at,
    )


def ask_customer_feedback(session: Session, lead: Lead, due_at: datetime, at: datetime) -> None:
    """One question on how the visit went, once per lead, where the market asks it."""
    if not lead.market.asks_feedback:
        return
    if not may_be_told(session, lead) or _wants_no_mail(session, lead):
        return
    cause = f"lead:{lead.id}:feedback"
    _to_customer(session, "customer_feedback", cause, lead, {}, at, due_at=due_at)


def tell_customer_reply(session: Session, lead: Lead, reply: Reply, at: datetime) -> None:
    """What the dealer wrote, in the language in which it was written."""
    session.flush()
    _to_customer(
        session,
        "customer_reply",
        f"reply:{reply.id}",
        lead,
        {"reply_id": str(reply.id)},
        at,
        language=reply.language,
    )


def tell_dealer_appointment(
    session: Session, lead: Lead, plan: PlannedAction, what: str, at: datetime
) -> None:
    """A customer or an agent made, moved or called off an appointment (`what`: booked, moved,
    cancelled): to whoever has it, or their deputy, else the dealer's mailbox."""
    _tell_dealer(
        session,
        "dealer_appointment",
        f"plan:{plan.id}:dealer:{what}:{at.isoformat()}",
        lead,
        plan.dealer_id,
        {"plan_id": plan.id, "planned_at": plan.due_at.isoformat(), "what": what},
        at,
        colleague=plan.owner or owner_of(session, lead),
    )


def tell_dealer_customer_message(
    session: Session, lead: Lead, event_text_id: uuid.UUID | str, at: datetime
) -> None:
    """The customer added a message on their page; the id is that of the event that holds it."""
    if lead.dealer_id is None:
        return
    _tell_dealer(
        session,
        "dealer_customer_message",
        f"event:{event_text_id}:dealer",
        lead,
        lead.dealer_id,
        {"event_id": str(event_text_id)},
        at,
        colleague=owner_of(session, lead),
    )


def tell_dealer_withdrawn(session: Session, lead: Lead, dealer_id: int, at: datetime) -> None:
    """The customer withdrew the request that this dealer had."""
    _tell_dealer(
        session,
        "dealer_withdrawn",
        f"lead:{lead.id}:withdrawn:{dealer_id}",
        lead,
        dealer_id,
        {},
        at,
        colleague=owner_of(session, lead),
    )


def tell_dealer_tapped(
    session: Session, lead: Lead, tap: Tap, dealer_id: int, at: datetime
) -> None:
    """Somebody acted by the link of a mail: to the dealer's own mailbox, so that a forwarded mail
    can't be used unseen."""
    if lead.test:
        return
    _tell_dealer(
        session,
        "dealer_tapped",
        f"tap:{tap.id}",
        lead,
        dealer_id,
        {"purpose": tap.purpose, "recipient": tap.recipient, "tapped_at": at.isoformat()},
        at,
    )


def tell_colleague(
    session: Session, kind: str, lead: Lead, user: User, at: datetime, **context: Any
) -> None:
    """`colleague_handed` or `colleague_mentioned`: to the person, or their deputy, when the dealer
    is at work. `context` holds ids: `by` (of the user who did it), `event_id` (of the note)."""
    if lead.test or lead.dealer_id is None:
        return
    session.flush()
    due_at = next_at_work(dealer_calendar(session, lead.dealer_id, at), at)
    for reader in present(session, [user], lead, due_at):
        what = context.get("event_id") or at.isoformat()
        _enqueue(
            session,
            reader,
            kind=kind,
            audience="dealer",
            cause=f"lead:{lead.id}:{kind}:{user.id}:{what}",
            lead=lead,
            dealer_id=lead.dealer_id,
            context={"to": user.id} | {key: _plain(value) for key, value in context.items()},
            at=at,
            due_at=due_at,
        )


def tell_help_asked(session: Session, thread: HelpThread, at: datetime) -> None:
    """A dealer asks about a lead, or goes on asking: to the expert, else to those of the market's
    headquarters who may answer, when they are at work."""
    session.flush()
    with as_system(session):
        lead = session.get_one(Lead, thread.lead_id)
        due_at = next_at_work(desk_calendar(lead.market), at)
        # An expert answers without seeing the lead; their deputy may be no expert.
        experts = [] if thread.expert is None else present(session, [thread.expert], None, due_at)
        readers = _who_answer(session, experts)
        if not readers:
            keepers = market_keepers(session, thread.market_id, ANSWERS_HELP)
            readers = _who_answer(session, present_keepers(session, keepers, None, due_at))
        for reader in readers:
            _tell_of_thread(session, "help_asked", reader, lead, thread, at, due_at)


def tell_help_answered(session: Session, thread: HelpThread, at: datetime) -> None:
    """Whoever was asked wrote: to the person who asked, or their deputy."""
    session.flush()
    # The system's eyes: an expert who answers sees neither the lead nor its dealer.
    with as_system(session):
        lead = session.get_one(Lead, thread.lead_id)
        due_at = next_at_work(dealer_calendar(session, thread.dealer_id, at), at)
        for reader in present(session, [thread.asker], None, due_at):
            _tell_of_thread(session, "help_answered", reader, lead, thread, at, due_at)


def _tell_of_thread(
    session: Session,
    kind: str,
    reader: Addressee,
    lead: Lead,
    thread: HelpThread,
    at: datetime,
    due_at: datetime,
) -> None:
    _enqueue(
        session,
        reader,
        kind=kind,
        audience="headquarters" if kind == "help_asked" else "dealer",
        cause=f"help:{thread.id}:{kind}:{at.isoformat()}:{reader.email}",
        lead=lead,
        dealer_id=thread.dealer_id,
        context={"thread_id": str(thread.id)},
        at=at,
        due_at=due_at,
    )


def _tell_customer_plan(
    session: Session, kind: str, lead: Lead, plan: PlannedAction, at: datetime
) -> None:
    session.flush()
    _to_customer(
        session,
        kind,
        f"plan:{plan.id}:{kind}:{at.isoformat()}",
        lead,
        {"plan_id": plan.id, "planned_at": plan.due_at.isoformat()},
        at,
        dealer_id=plan.dealer_id,
    )


def _to_customer(
    session: Session,
    kind: str,
    cause: str,
    lead: Lead,
    context: dict[str, Any],
    at: datetime,
    *,
    due_at: datetime | None = None,
    dealer_id: int | None = None,
    language: str = "",
) -> None:
    """Nobody is behind a test, and without an address there is nobody to write to."""
    if lead.test or not lead.email:
        return
    session.flush()
    spoken = best_locale([lead.language], default=best_locale([lead.market.default_language]))
    enqueue(
        session,
        cause=cause,
        kind=kind,
        audience="customer",
        recipient=lead.email,
        language=best_locale([language], default=spoken) if language else spoken,
        timezone=lead.timezone or lead.market.timezone,
        market_id=lead.market_id,
        lead_id=lead.id,
        dealer_id=dealer_id or lead.dealer_id,
        context=context,
        at=at,
        due_at=due_at,
    )


def _tell_dealer(
    session: Session,
    kind: str,
    cause: str,
    lead: Lead,
    dealer_id: int,
    context: dict[str, Any],
    at: datetime,
    *,
    colleague: User | None = None,
) -> None:
    if lead.test:
        return
    session.flush()
    terms = terms_of(session, dealer_id, at)
    reader = colleague_or_dealer(session, colleague, lead, terms, at)
    if reader is None:
        return
    _enqueue(
        session,
        reader,
        kind=kind,
        audience="dealer",
        cause=cause,
        lead=lead,
        dealer_id=dealer_id,
        context=context,
        at=at,
        due_at=at,
    )


def _enqueue(
    session: Session,
    reader: Addressee,
    *,
    kind: str,
    audience: str,
    cause: str,
    lead: Lead,
    dealer_id: int,
    context: dict[str, Any],
    at: datetime,
    due_at: datetime,
) -> None:
    enqueue(
        session,
        cause=cause,
        kind=kind,
        audience=audience,
        recipient=reader.email,
        language=best_locale([reader.language]),
        timezone=reader.timezone,
        market_id=lead.market_id,
        lead_id=lead.id,
        dealer_id=dealer_id,
        context=context | deputy_context(reader),
        at=at,
        due_at=due_at,
    )


def _who_answer(session: Session, readers: list[Addressee]) -> list[Addressee]:
    """Those who can open the question that they would read of."""
    people = {each.user_id: session.get(User, each.user_id) for each in readers if each.user_id}
    may = {id for id, person in people.items() if person is not None and person.may(ANSWERS_HELP)}
    return [each for each in readers if each.user_id in may]


def _was_told_closed(session: Session, lead: Lead) -> bool:
    """Whether they read of this very end, or are about to."""
    # The bare table: whichever of its dealers it ended with.
    message = Message.__table__.c
    told = select(message.id).where(
        message.lead_id == lead.id,
        message.kind == "customer_closed",
        message.context["status"].astext == str(lead.status),
        message.status != "dropped",
    )
    return session.execute(told.limit(1)).first() is not None


def _wants_no_mail(session: Session, lead: Lead) -> bool:
    """Whether they said: no more mails of this sort."""
    listed = stopped(session, phone="", email=lead.email, market_id=lead.market_id)
    return "email" in listed


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int) else str(value)
