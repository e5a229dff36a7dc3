"""A mail before anybody gets it: of a real lead, in words that are only a draft."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from lmt.config import Settings
from lmt.db import uuid7
from lmt.i18n import gettext as _
from lmt.i18n import reading
from lmt.models import Lead, Message, Offer, PlannedAction, User
from lmt.notify.facts import MailFacts
from lmt.notify.gather import gather
from lmt.notify.letter import Rendered
from lmt.notify.mails import render
from lmt.notify.messages import enqueue
from lmt.notify.mutes import SCHEDULED
from lmt.notify.samplefacts import sample_facts
from lmt.notify.taps import with_dead_taps
from lmt.notify.words import chosen

PROOF_KIND = "mail_text_test"


def previewed(
    session: Session,
    settings: Settings,
    kind: str,
    lead: Lead | None,
    texts: Mapping[str, Any] | None,
    language: str,
    at: datetime,
) -> Rendered:
    """The mail as the reader of this lead's mail would get it now (None: of an invented one);
    nothing is kept or sent.

    Its links lead nowhere but to the start page: a proof is nobody's key.
    """
    spoken, words = chosen(texts, language)
    if lead is None or kind == SCHEDULED:
        facts = sample_facts(at, settings.base_url)
    else:
        facts = _facts(session, settings, kind, lead, at)
    return render(
        kind,
        with_dead_taps(kind, facts, f"{settings.base_url}/"),
        language=spoken,
        timezone=(lead.timezone or lead.market.timezone) if lead else "UTC",
        base_url=settings.base_url,
        words=words,
    )


def send_proof(
    session: Session,
    kind: str,
    market_id: int,
    lead: Lead | None,
    texts: Mapping[str, Any],
    language: str,
    reader: User,
    at: datetime,
) -> None:
    """The mail to the person who edits it, marked as a test; in the caller's transaction."""
    spoken, words = chosen(texts, language)
    enqueue(
        session,
        cause=f"proof:{uuid7(at)}",
        kind=PROOF_KIND,
        audience="headquarters",
        recipient=reader.email,
        language=spoken,
        timezone=reader.timezone,
        market_id=market_id,
        # Not the message's own lead: nothing happened to it.
        context={
            "of_kind": kind,
            "lead_id": str(lead.id) if lead else "",
            "texts": {"fallback": "", "languages": {spoken: dict(words)}},
        },
        at=at,
    )


def proof(session: Session, message: Message, settings: Settings, at: datetime) -> Rendered:
    """The mail that a message of PROOF_KIND asks for."""
    context = message.context
    lead = None
    if context["lead_id"]:
        lead = session.get(Lead, uuid.UUID(context["lead_id"]))
    mail = previewed(
        session, settings, context["of_kind"], lead, context["texts"], message.language, at
    )
    with reading(message.language, message.timezone):
        return replace(mail, subject=_("Test: %(subject)s", subject=mail.subject))


def _facts(session: Session, settings: Settings, kind: str, lead: Lead, at: datetime) -> MailFacts:
    facts = gather(session, _message(session, kind, lead, at), settings, at)
    return replace(
        facts,
        status_url=f"{settings.base_url}/" if facts.status_url else "",
        confirm_url=f"{settings.base_url}/" if facts.confirm_url else "",
    )


def _message(session: Session, kind: str, lead: Lead, at: datetime) -> Message:
    """As if it had just come about; never added to the session."""
    audience = kind.split("_")[0]
    offer_id = session.scalars(
        select(Offer.id).where(Offer.lead_id == lead.id).order_by(Offer.offered_at.desc()).limit(1)
    ).first()
    plan_id = session.scalars(
        select(PlannedAction.id)
        .where(PlannedAction.lead_id == lead.id)
        .order_by(PlannedAction.due_at.desc())
        .limit(1)
    ).first()
    context = {
        "status": lead.status,
        "offer_id": None if offer_id is None else str(offer_id),
        "plan_id": plan_id,
    }
    message = Message(
        id=uuid7(at),
        kind=kind,
        audience=audience if audience in {"customer", "headquarters"} else "dealer",
        lead_id=lead.id,
        market_id=lead.market_id,
        dealer_id=lead.dealer_id,
        recipient="",
        language=lead.language,
        timezone=lead.market.timezone,
        context={name: value for name, value in context.items() if value is not None},
        created_at=at,
    )
    set_committed_value(message, "lead", lead)
    return message
