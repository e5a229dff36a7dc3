"""The rows behind a message, read once when its turn comes, as plain values for the mail."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime
from typing import Any

import phonenumbers
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt.calendars import dealer_calendar, desk_calendar
from lmt.config import Settings
from lmt.lifecycle import QUEUES, WITH_DEALER, Status
from lmt.links import confirm_link, status_link
from lmt.models import (
    Dealer,
    DealerTerms,
    Inquiry,
    Lead,
    Market,
    Message,
    Offer,
    PlannedAction,
    RoutingDecision,
    User,
)
from lmt.notify.envelope import File
from lmt.notify.facts import DealerCard, MailFacts
from lmt.notify.gatherdigest import OF_A_DAY, digest_facts, digest_standing
from lmt.notify.gatherfaces import TO_CUSTOMERS, WITH_A_PLAN, face_facts, face_standing, plan_files
from lmt.notify.opening import next_at_work
from lmt.notify.recheck import IN_HOURS, Standing
from lmt.notify.sourcealerts import KINDS as OF_SOURCES
from lmt.notify.sourcealerts import still_true, troubles
from lmt.notify.waiting import counted, listed, offer_of, step_standing

_OF_A_STEP = frozenset({"dealer_reminder", "manager_escalation"})
_OF_MANY = frozenset({"headquarters_escalation", "headquarters_queue"})


def standing(session: Session, message: Message, at: datetime) -> Standing:
    """How things stand for this message at `at`."""
    lead, context = message.lead, message.context
    if message.kind in _OF_A_STEP:
        now = step_standing(session, lead, context, at)
    elif message.kind in OF_SOURCES:
        now = Standing(waiting=len(still_true(session, message)))
    elif message.kind in OF_A_DAY:
        now = digest_standing(session, message, at)
    else:
        offer = offer_of(session, context)
        now = Standing(
            status=None if lead is None else Status(lead.status),
            offer_state="" if offer is None else offer.state,
            is_assigned=offer is not None and offer.closed_at == offer.offered_at,
            is_overdue=offer is not None and offer.expires_at <= at,
            is_holder=lead is not None and lead.dealer_id == message.dealer_id,
            waiting=counted(session, message, at),
            is_plan_open=_stands_as_planned(_plan(session, message), message),
        )
        now = face_standing(session, message, now, at)
    back_at = _reader_back_at(session, message, at) if message.kind in IN_HOURS else at
    return replace(now, at_work_at=back_at if back_at > at else None)


def _reader_back_at(session: Session, message: Message, at: datetime) -> datetime:
    """When whoever reads the message is at work: `at` itself, or later."""
    if message.audience == "dealer" and message.dealer_id is not None:
        return next_at_work(dealer_calendar(session, message.dealer_id, at), at)
    market = session.scalars(select(Market).where(Market.id == message.market_id)).one()
    return next_at_work(desk_calendar(market), at)


def gather(session: Session, message: Message, settings: Settings, at: datetime) -> MailFacts:
    """What the mail may tell, as things stand at `at`. LookupError where its lead is gone."""
    lead = message.lead
    if message.kind in OF_SOURCES:
        alerts = still_true(session, message)
        return MailFacts(
            written_at=at,
            waiting=len(alerts),
            sources=troubles(session, alerts),
            stands_in_for=_name(session, message.context.get("stands_in_for")),
        )
    if message.kind in _OF_MANY:
        return MailFacts(
            written_at=at,
            queue=str(message.context.get("status", "")),
            waiting=counted(session, message, at),
            listed=listed(session, message, at),
            stands_in_for=_name(session, message.context.get("stands_in_for")),
        )
    if message.kind in OF_A_DAY:
        return digest_facts(session, message, at)
    if lead is None:
        raise LookupError("the message's lead is gone")
    offer = offer_of(session, message.context)
    dealer_id = _dealer_to_name(message, lead)
    request = _part(lead.given, "request")
    plan = _plan(session, message)
    again = _inquiry(session, message)
    facts = MailFacts(
        written_at=at,
        lead_id=str(lead.id),
        reference=lead.reference,
        market=lead.market.name,
        test=lead.test,
        full_name=lead.full_name,
        company=lead.company,
        phone=lead.phone,
        phone_shown=_readable(lead.phone),
        email=lead.email,
        language=lead.language,
        postcode=lead.postcode,
        city=lead.city,
        country=lead.country,
        brand=lead.brand.name if lead.brand else "",
        model=(again and again.model) or lead.model,
        request_type=(again and again.request_type) or lead.request_type,
        timeframe=_text(request, "timeframe"),
        contact_time=_text(request, "contact_time"),
        comments=again.comments if again else lead.comments,
        distance_km=offer.distance_km if offer else None,
        received_at=lead.created_at,
        take_by_at=offer.expires_at if offer else None,
        planned=plan.kind if plan else "",
        planned_at=plan.due_at if plan else None,
        plan_note=plan.note if plan else "",
        dealer=_card(session, dealer_id, at),
        choice_refused=_choice_refused(session, lead, offer),
        model_not_sold=_model_not_sold(session, offer),
        promise_at=lead.promise_at,
        # Told for the dealer who held the lead then; another one keeps other hours.
        opens_at=_instant(message, "opens_at") if dealer_id == message.dealer_id else None,
        status_url=status_link(settings, lead.id, at) if message.audience == "customer" else "",
        confirm_url=(
            confirm_link(settings, lead.id, at) if message.kind == "customer_confirm" else ""
        ),
        ended=_ended(lead, offer),
        cause=str(message.context.get("cause", lead.cause)),
        queue=lead.status if lead.status in QUEUES else Status.UNROUTED,
        waiting=counted(session, message, at),
        state=str(message.context.get("state", "")),
        minutes=int(message.context.get("minutes", 0)),
        colleague=lead.owner.name if lead.owner else "",
        stands_in_for=_name(session, message.context.get("stands_in_for")),
        from_dealer=str(message.context.get("from_name", "")),
    )
    return face_facts(session, message, facts, settings)


def attachments(session: Session, message: Message, settings: Settings, at: datetime) -> list[File]:
    """What goes with the mail: a planned step as a calendar entry."""
    plan = _plan(session, message) if message.kind in WITH_A_PLAN else None
    if plan is None or message.lead is None:
        return []
    page = status_link(settings, message.lead.id, at) if message.audience == "customer" else ""
    dealer = _card(session, plan.dealer_id, at)
    return plan_files(session, message, message.lead, plan, settings, at, dealer, page)


def _inquiry(session: Session, message: Message) -> Inquiry | None:
    """What the customer said when asking again, where the mail is about that."""
    inquiry_id = message.context.get("inquiry_id")
    return session.get(Inquiry, uuid.UUID(inquiry_id)) if inquiry_id else None


def _plan(session: Session, message: Message) -> PlannedAction | None:
    """The planned step that the message is about, else the lead's next one."""
    if plan_id := message.context.get("plan_id"):
        return session.scalars(select(PlannedAction).where(PlannedAction.id == plan_id)).first()
    if message.lead_id is None:
        return None
    return session.scalars(
        select(PlannedAction)
        .where(PlannedAction.lead_id == message.lead_id, PlannedAction.done_at.is_(None))
        .order_by(PlannedAction.due_at)
        .limit(1)
    ).first()


def _stands_as_planned(plan: PlannedAction | None, message: Message) -> bool:
    """Not done, and not put off since the message was written."""
    return (
        plan is not None
        and plan.done_at is None
        and plan.due_at.isoformat() == message.context.get("planned_at")
    )


def _name(session: Session, user_id: int | None) -> str:
    if user_id is None:
        return ""
    return session.scalars(select(User.name).where(User.id == user_id)).first() or ""


def _dealer_to_name(message: Message, lead: Lead) -> int | None:
    """A customer hears of whoever has the lead now, even where the mail was held up; of an
    appointment's own dealer."""
    if message.audience != "customer" or message.kind in TO_CUSTOMERS:
        return message.dealer_id
    return lead.dealer_id if lead.status in WITH_DEALER | {Status.WON} else None


def _card(session: Session, dealer_id: int | None, at: datetime) -> DealerCard | None:
    if dealer_id is None:
        return None
    found = session.execute(
        select(DealerTerms, Dealer.kind)
        .join(Dealer, Dealer.id == DealerTerms.dealer_id)
        .where(DealerTerms.dealer_id == dealer_id)
        # Where none holds at `at`, the latest: a dealer that has ended still has a name.
        .order_by(DealerTerms.holds_at(at).desc(), func.lower(DealerTerms.valid).desc())
        .limit(1)
    ).first()
    if found is None:
        return None
    terms, kind = found
    return DealerCard(
        name=terms.name,
        kind=kind,
        phone=_readable(terms.phone),
        street=terms.street,
        postcode=terms.postcode,
        city=terms.city,
        timezone=terms.timezone,
    )


def _choice_refused(session: Session, lead: Lead, offer: Offer | None) -> bool:
    """Whether the customer named a dealer and routing had to take another one."""
    decision = _decision(session, offer) if lead.preferred_dealer else None
    return decision is not None and any(
        refusal.get("code") == lead.preferred_dealer
        for refusal in decision.result.get("refused", [])
    )


def _model_not_sold(session: Session, offer: Offer | None) -> bool:
    """Whether a team has the lead because its model is not sold in the customer's market."""
    decision = _decision(session, offer)
    if decision is None or decision.result.get("how") != "team":
        return False
    return decision.inputs.get("model_sold") is False


def _decision(session: Session, offer: Offer | None) -> RoutingDecision | None:
    if offer is None or offer.decision_id is None:
        return None
    return session.scalars(
        select(RoutingDecision).where(RoutingDecision.id == offer.decision_id)
    ).first()


def _ended(lead: Lead, offer: Offer | None) -> str:
    if lead.status == Status.WITHDRAWN:
        return "lead_withdrawn"
    return "" if offer is None else offer.state


def _instant(message: Message, name: str) -> datetime | None:
    written = message.context.get(name)
    return datetime.fromisoformat(written) if written else None


def _part(given: dict[str, Any], name: str) -> dict[str, Any]:
    part = given.get(name)
    return part if isinstance(part, dict) else {}


def _text(part: dict[str, Any], name: str) -> str:
    value = part.get(name)
    return value if isinstance(value, str) else ""


def _readable(phone: str) -> str:
    """`+966501234567` in groups; what isn't E.164 as it is."""
    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return phone
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
