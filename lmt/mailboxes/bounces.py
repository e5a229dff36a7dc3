"""A mail of ours came back: it is marked in the outbox and in its lead's history."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lmt.db import uuid7
from lmt.ingest.mailmachines import Bounce
from lmt.models import Event, Message, locked_lead

LONGEST_PROBLEM = 300


def mark_bounce(session: Session, bounce: Bounce, at: datetime) -> uuid.UUID | None:
    """The messages that it names failed; the first lead that one of them is of. No commit.

    Delays say nothing yet. A report that names another recipient than ours had is not believed.
    """
    if not bounce.final:
        return None
    concerned: uuid.UUID | None = None
    for message_id in bounce.message_ids:
        message = session.get(Message, message_id)
        if message is None or message.channel != "mail":
            continue
        if bounce.recipients and message.recipient.lower() not in bounce.recipients:
            continue
        if message.lead_id is not None:
            # Before the message is touched: everybody locks the lead first.
            locked_lead(session, message.lead_id)
        row = session.scalars(
            select(Message)
            .where(Message.id == message_id, Message.status == "sent")
            .with_for_update(of=Message)
            .execution_options(populate_existing=True)
        ).first()
        if row is None:
            continue
        row.status = "failed"
        row.problem = f"came back: {bounce.reason}".rstrip(": ")[:LONGEST_PROBLEM]
        if row.lead_id is not None:
            concerned = concerned or row.lead_id
            session.add(
                Event(
                    id=uuid7(at),
                    lead_id=row.lead_id,
                    at=at,
                    kind="mail_bounced",
                    dealer_id=row.dealer_id,
                    data={
                        "kind": row.kind,
                        "audience": row.audience,
                        "problem": bounce.reason[:LONGEST_PROBLEM],
                    },
                )
            )
    return concerned
