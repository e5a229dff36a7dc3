"""What the road tells whom: each verb leaves one outbox row in the caller's transaction."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.calendars import dealer_calendar
from lmt.i18n import best_locale
from lmt.models import Consent, DealerTerms, Lead, Message, Offer, User
from lmt.notify.faces import (
    ask_customer_feedback,
    tell_colleague,
    tell_customer_appointment,
    tell_customer_appointment_cancelled,
    tell_customer_closed,
    tell_customer_reply,
    tell_dealer_appointment,
    tell_dealer_customer_message,
    tell_dealer_tapped,
    tell_dealer_withdrawn,
    tell_help_answered,
    tell_help_asked,
)
from lmt.notify.headquarters import notify_headquarters, remind_queue
from lmt.notify.messages import enqueue
from lmt.notify.opening import next_at_work
from lmt.notify.recipients import (
    Addressee,
    colleague_or_dealer,
    deputy_context,
    may_be_told,
    owner_of,
    present_keepers,
    terms_of,
)
from lmt.notify.reminders import notify_manager, remind_dealer, remind_plan
from lmt.notify.systems import tell_dealer_system

__all__ = [
    "alert_unrouted",
    "ask_customer_feedback",
    "ask_to_confirm",
    "notify_headquarters",
    "notify_manager",
    "remind_dealer",
    "remind_plan",
    "remind_queue",
    "tell_colleague",
    "tell_customer_appointment",
    "tell_customer_appointment_cancelled",
    "tell_customer_assigned",
    "tell_customer_closed",
    "tell_customer_received",
    "tell_customer_reply",
    "tell_customer_transferred",
    "tell_dealer",
    "tell_dealer_appointment",
    "tell_dealer_asked_again",
    "tell_dealer_back",
    "tell_dealer_customer_message",
    "tell_dealer_handed_over",
    "tell_dealer_taken_away",
    "tell_dealer_tapped",
    "tell_dealer_withdrawn",
    "tell_help_answered",
    "tell_help_asked",
]

ALERT_EVERY = timedelta(hours=1)


class Recipient(Protocol):
    """Somebody at headquarters: a user, or a duty desk."""

    @property
    def email(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def timezone(self) -> str: ...


def tell_dealer(
    session: Session, lead: Lead, offer: Offer, terms: DealerTerms, at: datetime
) -> None:
    """A lead was offered to this dealer, or to one colleague there, or their deputy.

    A dealer without a mail address finds it in the desk.
    """
    colleague = owner_of(session, lead)
    _tell_dealer(session, "dealer_new_lead", "dealer", lead, offer, terms, at, colleague=colleague)


def tell_dealer_taken_away(session: Session, lead: Lead, offer: Offer, at: datetime) -> None:
    """The offer ended and the lead is no longer this dealer's."""
    terms = terms_of(session, offer.dealer_id, at)
    _tell_dealer(session, "dealer_lead_taken_away", "taken_away", lead, offer, terms, at)


def tell_dealer_handed_over(
    session: Session, lead: Lead, offer: Offer, from_name: str, at: datetime
) -> None:
    """The lead comes to this dealer from one that ended, as it is; they read it when they open."""
    terms = terms_of(session, offer.dealer_id, at)
    due_at = next_at_work(dealer_calendar(session, offer.dealer_id, at), at)
    tell_dealer_system(session, lead, offer, at)
    _tell_dealer(
        session,
        "dealer_handed_over",
        "handed_over",
        lead,
        offer,
        terms,
        at,
        due_at=due_at,
        context={"from_name": from_name},
        colleague=owner_of(session, lead),
    )


def tell_dealer_back(session: Session, lead: Lead, at: datetime) -> None:
    """A lead that rested is back: to whoever has it, or their deputy, else the dealer's mailbox."""
    if lead.dealer_id is None or lead.test:
        return
    session.flush()
    due_at = next_at_work(dealer_calendar(session, lead.dealer_id, at), at)
    terms = terms_of(session, lead.dealer_id, at)
    reader = colleague_or_dealer(session, owner_of(session, lead), lead, terms, due_at)
    if reader is None:
        return
    enqueue(
        session,
        cause=f"lead:{lead.id}:back:{lead.dealer_id}:{at:%Y%m%dT%H%M}",
        kind="dealer_lead_back",
        audience="dealer",
        recipient=reader.email,
        language=best_locale([reader.language]),
        timezone=reader.timezone,
        market_id=lead.market_id,
        lead_id=lead.id,
        dealer_id=lead.dealer_id,
        context=deputy_context(reader),
        at=at,
        due_at=due_at,
    )


def tell_dealer_asked_again(
    session: Session, lead: Lead, inquiry_id: uuid.UUID, terms: DealerTerms, at: datetime
) -> None:
    """The customer of a lead sent another request; its dealer hears of each once."""
    if not terms.email:
        return
    session.flush()
    enqueue(
        session,
        cause=f"inquiry:{inquiry_id}:dealer:{terms.dealer_id}",
        kind="dealer_asked_again",
        audience="dealer",
        recipient=terms.email,
        language=best_locale([terms.language]),
        timezone=terms.timezone,
        market_id=lead.market_id,
        lead_id=lead.id,
        dealer_id=terms.dealer_id,
        context={"inquiry_id": str(inquiry_id)},
        at=at,
    )


def tell_customer_received(
    session: Session, lead: Lead, offer: Offer | None, opens_at: datetime | None, at: datetime
) -> None:
    """Once per lead. `opens_at`: when the dealer opens, where it is closed now."""
    context = {} if opens_at is None else {"opens_at": opens_at.isoformat()}
    _tell_customer(session, "customer_received", "received", lead, offer, context, at)
    ask_to_confirm(session, lead, at)


def ask_to_confirm(session: Session, lead: Lead, at: datetime) -> None:
    """Once per lead: the customer is asked to confirm the consents that count only then.

    The request itself waits for nothing. It is no news of the request, so a source that tells its
    customers nothing keeps nobody from confirming.
    """
    if lead.test or not lead.email or not lead.market.confirmed_purposes:
        return
    session.flush()
    # The bare table: whoever acts, it is the customer's own matter.
    consent = Consent.__table__.c
    waits = select(consent.id).where(
        consent.lead_id == lead.id,
        consent.given,
        consent.to_confirm,
        consent.confirmed_at.is_(None),
    )
    if session.scalars(waits.limit(1)).first() is not None:
        _write_to_customer(session, "customer_confirm", "confirm", lead, None, {}, at)


def tell_customer_transferred(session: Session, lead: Lead, offer: Offer, at: datetime) -> None:
    """Another dealer has the lead; told once per lead, however often it moves."""
    _tell_customer(session, "customer_transferred", "transferred", lead, offer, {}, at)


def tell_customer_assigned(session: Session, lead: Lead, offer: Offer, at: datetime) -> None:
    """A dealer was found for a lead that had waited without one; its first dealer, told once."""
    _tell_customer(session, "customer_transferred", "assigned", lead, offer, {}, at)


def alert_unrouted(
    session: Session, lead: Lead, cause: str, recipients: Iterable[Recipient], at: datetime
) -> None:
    """A lead sits in a queue for `cause`. Whoever was told of the market's queue within the hour
    gets the next mail when that hour is over; it counts all that wait then. Tests alarm nobody."""
    if lead.test:
        return
    session.flush()
    # The bare table: a dealer whose refusal led here must not narrow what was already told.
    told = Message.__table__.c
    for recipient in _on_duty(session, lead, recipients, at):
        last = session.execute(
            select(told.id, told.status, told.lease_until, told.created_at)
            .where(
                told.kind == "headquarters_unrouted",
                told.market_id == lead.market_id,
                told.recipient == recipient.email,
            )
            .order_by(told.id.desc())
            .limit(1)
        ).first()
        # One that is being sent may have counted already, without this lead.
        is_waiting = last is not None and last.status == "queued" and last.lease_until is None
        if not recipient.email or is_waiting:
            continue
        due_at = at
        if last is not None and last.status != "dropped":
            due_at = max(at, last.created_at + ALERT_EVERY)
        after = "start" if last is None else last.id
        enqueue(
            session,
            cause=f"market:{lead.market_id}:unrouted:{recipient.email}:after:{after}",
            kind="headquarters_unrouted",
            audience="headquarters",
            recipient=recipient.email,
            language=best_locale([recipient.language]),
            timezone=recipient.timezone,
            market_id=lead.market_id,
            lead_id=lead.id,
            context={"cause": cause, **_deputy_of(recipient)},
            at=due_at,
        )


def _on_duty(
    session: Session, lead: Lead, recipients: Iterable[Recipient], at: datetime
) -> list[Recipient]:
    """With deputies in the place of people who are away."""
    everybody = list(recipients)
    people = [each for each in everybody if isinstance(each, User)]
    others: list[Recipient] = [each for each in everybody if not isinstance(each, User)]
    return [*others, *present_keepers(session, people, lead, at)]


def _deputy_of(recipient: Recipient) -> dict[str, int]:
    return deputy_context(recipient) if isinstance(recipient, Addressee) else {}


def _tell_dealer(
    session: Session,
    kind: str,
    purpose: str,
    lead: Lead,
    offer: Offer,
    terms: DealerTerms,
    at: datetime,
    *,
    due_at: datetime | None = None,
    context: dict[str, str] | None = None,
    colleague: User | None = None,
) -> None:
    session.flush()
    reader = colleague_or_dealer(session, colleague, lead, terms, due_at or at)
    if reader is None:
        return
    enqueue(
        session,
        cause=f"offer:{offer.id}:{purpose}",
        kind=kind,
        audience="dealer",
        recipient=reader.email,
        language=best_locale([reader.language]),
        timezone=reader.timezone,
        market_id=lead.market_id,
        lead_id=lead.id,
        dealer_id=offer.dealer_id,
        context={"offer_id": str(offer.id)} | (context or {}) | deputy_context(reader),
        at=at,
        due_at=due_at,
    )


def _tell_customer(
    session: Session,
    kind: str,
    purpose: str,
    lead: Lead,
    offer: Offer | None,
    context: dict[str, str],
    at: datetime,
) -> None:
    """Nobody is behind a test, and without an address there is nobody to write to. Who was
    approached and did not ask hears of us only when somebody speaks to them."""
    if lead.test or not lead.email:
        return
    session.flush()
    if may_be_told(session, lead):
        _write_to_customer(session, kind, purpose, lead, offer, context, at)


def _write_to_customer(
    session: Session,
    kind: str,
    purpose: str,
    lead: Lead,
    offer: Offer | None,
    context: dict[str, str],
    at: datetime,
) -> None:
    market = lead.market
    enqueue(
        session,
        cause=f"lead:{lead.id}:{purpose}",
        kind=kind,
        audience="customer",
        recipient=lead.email,
        language=best_locale([lead.language], default=best_locale([market.default_language])),
        timezone=lead.timezone or market.timezone,
        market_id=lead.market_id,
        lead_id=lead.id,
        dealer_id=offer.dealer_id if offer else None,
        context={**context, **({"offer_id": str(offer.id)} if offer else {})},
        at=at,
    )
