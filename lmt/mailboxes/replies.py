"""What people answer to our mails joins its lead's history; nothing in it is ever obeyed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from lmt.config import Settings
from lmt.db import uuid7, wake
from lmt.ingest.mail import Mail
from lmt.ingest.mailleads import texts_of
from lmt.ingest.mailtext import fresh_part
from lmt.lifecycle import OPEN, Status
from lmt.links import message_of_reply
from lmt.models import Inquiry, Message, Source, locked_lead, record

LONGEST_ANSWER = 5_000
EVENTS = {"customer": "customer_replied", "dealer": "dealer_replied"}
"""Audience of the mail that is answered → what the lead's history says."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A mail of ours that somebody answers: its lead, and whom it was for."""

    lead_id: uuid.UUID
    audience: str
    dealer_id: int | None


def answered(session: Session, settings: Settings, recipients: Iterable[str]) -> Answered | None:
    """The mail of ours whose signed address is among the recipients; None where there is none."""
    for address in recipients:
        message_id = message_of_reply(settings, address)
        message = None if message_id is None else session.get(Message, message_id)
        if message is not None and message.lead_id is not None and message.audience in EVENTS:
            return Answered(message.lead_id, message.audience, message.dealer_id)
    return None


def keep_reply(
    session: Session, source: Source, mail: Mail, to: Answered, at: datetime
) -> uuid.UUID | None:
    """Write the answer into the lead's history, and wake an open lead whose customer wrote: its
    dealer hears of it as of one who asks again. No commit.

    None where the answer says nothing, or its dealer doesn't have the lead any more.
    """
    lead = locked_lead(session, to.lead_id)
    if to.audience == "dealer" and lead.dealer_id != to.dealer_id:
        return None
    text = answer_text(mail)
    if not text:
        return None
    record(
        session,
        lead.id,
        EVENTS[to.audience],
        at=at,
        dealer_id=to.dealer_id if to.audience == "dealer" else lead.dealer_id,
        text=text,
        sender=mail.sender,
    )
    if to.audience == "customer":
        is_open = Status(lead.status) in OPEN
        session.add(
            Inquiry(
                id=uuid7(at),
                lead_id=lead.id,
                source_id=source.id,
                at=at,
                request_type=lead.request_type,
                comments=text,
                given={"request": {"comments": text}},
                # What is said of a closed lead is kept, and nothing follows.
                handled_at=None if is_open else at,
            )
        )
        if is_open:
            lead.asked_again += 1
            lead.next_action_at = at
            wake(session, "leads")
    session.flush()
    return lead.id


def answer_text(mail: Mail) -> str:
    """What was written now, without the mail that it answers."""
    text = next((fresh for each in texts_of(mail) if (fresh := fresh_part(each))), "")
    text = text.strip()
    return text if len(text) <= LONGEST_ANSWER else text[: LONGEST_ANSWER - 1].rstrip() + "…"
