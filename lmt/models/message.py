"""The outbox: one row per cause, claimed by a lease, sent, retried, visible."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lmt.db import Base, uuid7
from lmt.models.dealer import Dealer
from lmt.models.lead import Lead

SCHEDULED_REPORT = "scheduled_report"
"""The kind of a report that is mailed again and again; `context` names its reader."""


class Message(Base):
    """Written in the transaction of its cause; rendered when it is sent."""

    __tablename__ = "message"
    __table_args__ = (
        CheckConstraint("status IN ('queued','sent','failed','dropped')", name="status"),
        CheckConstraint("audience IN ('dealer','customer','headquarters')", name="audience"),
        CheckConstraint("channel IN ('mail','post')", name="channel"),
        Index("ix_message_due", "next_attempt_at", postgresql_where=text("status = 'queued'")),
        Index("ix_message_lead_id", "lead_id"),
        Index(
            "ix_message_failing",
            "id",
            postgresql_include=["market_id"],
            postgresql_where=text("status = 'failed' OR status = 'queued' AND attempts > 0"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    cause: Mapped[str] = mapped_column(unique=True)
    """What made it, so that the same cause can't make two: `offer:<id>:dealer`."""
    kind: Mapped[str]
    audience: Mapped[str]
    channel: Mapped[str] = mapped_column(default="mail")
    """`post`: an HTTP request to a dealer's own system, `recipient` is its address."""
    lead_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("lead.id"))
    market_id: Mapped[int] = mapped_column(ForeignKey("market.id"), index=True)
    dealer_id: Mapped[int | None] = mapped_column(ForeignKey("dealer.id"))
    recipient: Mapped[str]
    language: Mapped[str]
    timezone: Mapped[str]
    context: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Ids and instants that the mail tells of; no personal data beyond the lead's own rows."""
    status: Mapped[str] = mapped_column(default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime]
    lease_token: Mapped[uuid.UUID | None]
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    subject: Mapped[str] = mapped_column(default="")
    problem: Mapped[str] = mapped_column(default="")
    lead: Mapped[Lead | None] = relationship()
    dealer: Mapped[Dealer | None] = relationship()
