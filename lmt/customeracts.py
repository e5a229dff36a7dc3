"""What a customer does on the page of their request, beside appointments and picking a dealer: add
a message, take a consent back, end the links. Each commits."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from lmt.db import uuid7
from lmt.i18n import best_locale
from lmt.lifecycle import CLOSED, IllegalStep, Status
from lmt.models import Consent, ConsentText, Event, Lead, locked_lead, record
from lmt.notify import service as notify
from lmt.notify.messages import enqueue
from lmt.scope import SYSTEM, Actor

LONGEST_MESSAGE = 2000
MOST_CONSENTS = 200


@dataclass(frozen=True, slots=True)
class Agreed:
    """A purpose the customer agreed to, in the words they saw last; "" where nobody kept them."""

    purpose: str
    text: str
    language: str


def add_message(
    session: Session, lead_id: uuid.UUID, *, text: str, once: str, at: datetime
) -> None:
    """Put the customer's words into the lead's history and tell its dealer, whoever that is.

    `once` names the form that was filled in: sent twice, it is one message. The next dealer reads
    it, too. Raises LookupError, ValueError for no text or one too long, IllegalStep for a lead that
    is closed.
    """
    text = text.strip()
    if not 0 < len(text) <= LONGEST_MESSAGE:
        raise ValueError("a message has 1 to 2,000 characters")
    lead = locked_lead(session, lead_id)
    if lead.status in CLOSED:
        raise IllegalStep(Status(lead.status), Status(lead.status))
    sent = select(Event.id).where(
        Event.lead_id == lead.id,
        Event.kind == "customer_message",
        Event.data["once"].as_string() == once,
    )
    if once and session.scalars(sent.limit(1)).first() is not None:
        session.rollback()
        return
    event = Event(
        id=uuid7(at),
        lead_id=lead.id,
        at=at,
        kind="customer_message",
        data={"text": text, "once": once},
    )
    session.add(event)
    session.flush()
    notify.tell_dealer_customer_message(session, lead, event.id, at)
    session.commit()


def agreed(session: Session, lead: Lead, *, everywhere: bool = True) -> list[Agreed]:
    """What this customer agreed to in this market, over all their requests from this mail address
    (else with this one alone); each purpose once."""
    given = session.scalars(
        _of_customer(lead, everywhere).where(Consent.given, Consent.withdrawn_at.is_(None))
    ).all()
    latest = {each.purpose: each for each in given}
    hashes = [each.text_hash for each in latest.values() if each.text_hash]
    words: dict[str, tuple[str, str]] = {}
    if hashes:
        rows = select(ConsentText.hash, ConsentText.text, ConsentText.language)
        for key, text, language in session.execute(rows.where(ConsentText.hash.in_(hashes))):
            words[key] = (text, language)
    return [
        Agreed(each.purpose, *words.get(each.text_hash, ("", "")))
        for each in sorted(latest.values(), key=lambda each: each.id)
    ]


def take_consent_back(
    session: Session, lead_id: uuid.UUID, *, purpose: str, everywhere: bool = True, at: datetime
) -> int:
    """From now on nothing may be done by this consent, whichever of the customer's requests from
    this mail address in this market it was given with; of this one alone where not `everywhere`.
    Returns how many it was; again changes nothing. LookupError."""
    lead = locked_lead(session, lead_id)
    held = session.scalars(
        _of_customer(lead, everywhere).where(
            Consent.purpose == purpose, Consent.given, Consent.withdrawn_at.is_(None)
        )
    ).all()
    for each in held:
        each.withdrawn_at = at
    for concerned in sorted({each.lead_id for each in held}):
        record(session, concerned, "consent_withdrawn", at=at, text=purpose)
    session.commit()
    return len(held)


def end_links(session: Session, lead_id: uuid.UUID, *, at: datetime, actor: Actor = SYSTEM) -> None:
    """No link to the lead's page that was made before opens it any more; the customer gets a fresh
    one, to the address they gave. LookupError."""
    lead = locked_lead(session, lead_id)
    lead.links_revoked_at = at
    record(session, lead.id, "links_revoked", at=at, actor_id=actor.user_id)
    if lead.email and not lead.test:
        enqueue(
            session,
            cause=f"lead:{lead.id}:link:{at.isoformat()}",
            kind="customer_link",
            audience="customer",
            recipient=lead.email,
            language=best_locale(
                [lead.language], default=best_locale([lead.market.default_language])
            ),
            timezone=lead.timezone or lead.market.timezone,
            market_id=lead.market_id,
            lead_id=lead.id,
            dealer_id=lead.dealer_id,
            context={},
            at=at,
        )
    session.commit()


def of_same_address(lead: Lead) -> Select[uuid.UUID]:
    """Ids of this customer's requests that named the mail address which this one names.

    By bare tables: a page that must not hold the address asks as well.
    """
    this, other = (Lead.__table__.alias(name).c for name in ("this", "other"))
    return select(other.id).where(
        this.id == lead.id,
        this.email != "",
        other.customer_id == this.customer_id,
        other.email == this.email,
    )


def _of_customer(lead: Lead, everywhere: bool) -> Select[Consent]:
    others = and_(Lead.market_id == lead.market_id, Lead.id.in_(of_same_address(lead)))
    return (
        select(Consent)
        .join(Lead, Lead.id == Consent.lead_id)
        .where(or_(Lead.id == lead.id, others) if everywhere else Lead.id == lead.id)
        .order_by(Consent.id)
        .limit(MOST_CONSENTS)
    )
