"""The rows behind a message, read once when its turn comes, as plain values for the mail."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import phonenumbers
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt.config import Settings
from lmt.lifecycle import QUEUES, WITH_DEALER, Status
from lmt.links import status_link
from lmt.models import (
    Dealer,
    DealerTerms,
    Lead,
    Message,
    Offer,
    PlannedAction,
    RoutingDecision,
)
from lmt.notify.facts import DealerCard, MailFacts
from lmt.notify.recheck import Standing


def standing(session: Session, message: Message, at: datetime) -> Standing:
    """How things stand for this message at `at`."""
    lead, offer = message.lead, _offer(session, message)
    return Standing(
        status=None if lead is None else Status(lead.status),
        offer_state="" if offer is None else offer.state,
        is_overdue=offer is not None and offer.expires_at <= at,
        is_holder=lead is not None and lead.dealer_id == message.dealer_id,
        waiting=_waiting(session, message),
    )


def gather(session: Session, message: Message, settings: Settings, at: datetime) -> MailFacts:
    """What the mail may tell, as things stand at `at`. Raises LookupError without a lead."""
    lead = message.lead
    if lead is None:
        raise LookupError("the message's lead is gone")
    offer = _offer(session, message)
    dealer_id = _dealer_to_name(message, lead)
    request = _part(lead.given, "request")
    plan = session.scalars(
        select(PlannedAction)
        .where(PlannedAction.lead_id == lead.id, PlannedAction.done_at.is_(None))
        .order_by(PlannedAction.due_at)
        .limit(1)
    ).first()
    return MailFacts(
        written_at=at,
        lead_id=str(lead.id),
        reference=lead.reference,
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
        model=lead.model,
        request_type=lead.request_type,
        timeframe=_text(request, "timeframe"),
        contact_time=_text(request, "contact_time"),
        comments=lead.comments,
        distance_km=offer.distance_km if offer else None,
        received_at=lead.created_at,
        take_by_at=offer.expires_at if offer else None,
        planned=plan.kind if plan else "",
        planned_at=plan.due_at if plan else None,
        dealer=_card(session, dealer_id, at),
        choice_refused=_choice_refused(session, lead, offer),
        promise_at=lead.promise_at,
        # Told for the dealer who held the lead then; another one keeps other hours.
        opens_at=_instant(message, "opens_at") if dealer_id == message.dealer_id else None,
        status_url=status_link(settings, lead.id, at) if message.audience == "customer" else "",
        ended=_ended(lead, offer),
        cause=str(message.context.get("cause", lead.cause)),
        queue=lead.status if lead.status in QUEUES else Status.UNROUTED,
        waiting=_waiting(session, message),
    )


def _dealer_to_name(message: Message, lead: Lead) -> int | None:
    """A customer hears of whoever has the lead now, even where the mail was held up."""
    if message.audience != "customer":
        return message.dealer_id
    return lead.dealer_id if lead.status in WITH_DEALER | {Status.WON} else None


def _offer(session: Session, message: Message) -> Offer | None:
    offer_id = message.context.get("offer_id")
    if not offer_id:
        return None
    return session.scalars(select(Offer).where(Offer.id == uuid.UUID(offer_id))).first()


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
    if not lead.preferred_dealer or offer is None or offer.decision_id is None:
        return False
    decision = session.scalars(
        select(RoutingDecision).where(RoutingDecision.id == offer.decision_id)
    ).first()
    return decision is not None and any(
        refusal.get("code") == lead.preferred_dealer
        for refusal in decision.result.get("refused", [])
    )


def _ended(lead: Lead, offer: Offer | None) -> str:
    if lead.status == Status.WITHDRAWN:
        return "lead_withdrawn"
    return "" if offer is None else offer.state


def _waiting(session: Session, message: Message) -> int:
    """The market's leads that sit in a queue; counted only for the mail that tells it."""
    if message.kind != "headquarters_unrouted":
        return 0
    return session.scalars(
        select(func.count(Lead.id)).where(
            Lead.market_id == message.market_id, Lead.status.in_(QUEUES), Lead.test.is_(False)
        )
    ).one()


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
